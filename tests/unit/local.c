/* store: accounts whose folders are on no server, and the table of a POP3 mailbox */
#include "config.h"

#include "storetest.h"

#include "store/maildrop.h"
#include "store/undo.h"

struct home {
    struct world world; /* an account on a server beside it */
    gint64 account, inbox, trash, archive, junk, drafts, sent;
};

static gint64
role_of(struct home *home, enum folder_role role)
{
    gint64 id = folder_find_role(home->world.store, home->account, role);
    g_assert_cmpint(id, >, 0);
    return id;
}

static void
home_begin(struct home *home)
{
    static const char *const me[] = {"ana@home.example", NULL};
    static const char *const roles[] = {"Gesendet", NULL, NULL, NULL, NULL, NULL};
    g_autoptr(GError) error = NULL;
    world_begin(&home->world);
    home->account = store_account_ensure(home->world.store, "home", me, &error);
    store_account_set_local(home->world.store, home->account, TRUE, roles, &error);
    g_assert_no_error(error);
    home->inbox = role_of(home, FOLDER_INBOX);
    home->trash = role_of(home, FOLDER_TRASH);
    home->archive = role_of(home, FOLDER_ARCHIVE);
    home->junk = role_of(home, FOLDER_JUNK);
    home->drafts = role_of(home, FOLDER_DRAFTS);
    home->sent = role_of(home, FOLDER_SENT);
}

/* One of the mailbox, with its body or as an envelope; returns the message. */
static gint64
take(struct home *home, const char *uidl, const char *id, const char *text)
{
    struct store *store = home->world.store;
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    index->envelope = make_envelope(id, NULL, "Ben <ben@example.net>", NULL, id, 1700000000);
    struct maildir_entry entry = {0};
    if (text) {
        g_autofree char *dir = folder_path(store, home->inbox, TRUE, &error);
        maildir_deliver(dir, 0, text, strlen(text), &entry, &error);
        g_assert_no_error(error);
    }
    struct maildrop_new row = {.uidl = uidl,
                               .size = 100,
                               .envelope = index->envelope,
                               .file = entry.file,
                               .hash = entry.hash,
                               .wire_size = entry.wire_size,
                               .index = index};
    maildrop_take(store, home->inbox, &row, 1, NULL, &error);
    g_assert_no_error(error);
    maildir_entry_clear(&entry);
    g_autoptr(struct_maildrop) drop = maildrop_load(store, home->account, &error);
    for (guint i = 0; i < drop->rows->len; i++) {
        const struct maildrop_row *at = &g_array_index(drop->rows, struct maildrop_row, i);
        if (!strcmp(at->uidl, uidl))
            return at->message;
    }
    g_assert_not_reached();
}

static void
attach(struct home *home, gint64 message, const char *text)
{
    struct store *store = home->world.store;
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_message_index) index = message_index_new();
    struct maildir_entry entry = {0};
    g_autofree char *dir = folder_path(store, home->inbox, TRUE, &error);
    maildir_deliver(dir, 0, text, strlen(text), &entry, &error);
    struct maildrop_body body = {maildrop_find(store, home->account, message), entry.file, entry.hash,
                                 entry.wire_size, index};
    maildrop_attach(store, home->inbox, &body, 1, &error);
    g_assert_no_error(error);
    maildir_entry_clear(&entry);
}

/* Names of the folders that show it, "home/INBOX work/Sent". */
static char *
places(struct home *home, gint64 message)
{
    g_autoptr(GPtrArray) list = message_places(home->world.store, message, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; list && i < list->len; i++) {
        const struct message_place *place = list->pdata[i];
        g_string_append_printf(out, "%s%s/%s", out->len ? " " : "", place->account, place->folder_name);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
expect(struct home *home, gint64 message, const char *where, gint64 pending)
{
    g_autofree char *found = places(home, message);
    g_assert_cmpstr(found, ==, where);
    g_assert_cmpint(intent_count(home->world.store, home->account), ==, pending);
    assert_sound(home->world.store);
}

static void
expect_bytes(struct home *home, gint64 message, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = store_message_bytes(home->world.store, message, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), text, strlen(text));
}

static guint
count_files(struct home *home, gint64 folder)
{
    g_autofree char *dir = folder_path(home->world.store, folder, TRUE, NULL);
    g_autoptr(GPtrArray) items = maildir_list(dir, NULL, NULL);
    return items->len;
}

/* ---- an account without a server ---- */

static void
test_roles(void)
{
    struct home home;
    g_autoptr(GError) error = NULL;
    home_begin(&home);
    g_autoptr(struct_folder) sent = folder_get(home.world.store, home.sent, &error);
    g_assert_cmpstr(sent->name, ==, "Gesendet");
    g_assert_true(sent->local && !sent->wire);
    guint64 before = store_change_count(home.world.store);
    static const char *const roles[] = {"Gesendet", NULL, NULL, NULL, NULL, NULL};
    g_assert_true(store_account_set_local(home.world.store, home.account, TRUE, roles, &error));
    g_assert_cmpuint(store_change_count(home.world.store), ==, before);
    world_end(&home.world);
}

/* Each action is done at once, and undone. */
static void
test_actions(void)
{
    static const struct {
        const char *name, *after;
    } cases[] = {{"move", "home/Archive"}, {"delete", "home/Trash"}, {"archive", "home/Archive"},
                 {"expunge", ""},          {"junk", "home/Junk"},    {"copy", "home/INBOX home/Archive"},
                 {"flag", "home/INBOX"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct home home;
        g_autoptr(GError) error = NULL;
        gint64 done = 0;
        home_begin(&home);
        struct store *store = home.world.store;
        gint64 m = take(&home, "u1", "a@x", "Subject: a\n\nbody\n");
        g_test_message("%s", cases[i].name);
        switch (i) {
        case 0:
            done = intent_move(store, &m, 1, home.inbox, home.archive, &error);
            break;
        case 1:
            done = intent_delete(store, &m, 1, home.inbox, &error);
            break;
        case 2:
            done = intent_archive(store, &m, 1, home.inbox, &error);
            break;
        case 3:
            done = intent_expunge(store, &m, 1, home.inbox, &error);
            break;
        case 4:
            done = intent_junk(store, &m, 1, home.inbox, TRUE, &error);
            break;
        case 5:
            done = intent_copy(store, &m, 1, home.inbox, home.archive, &error);
            break;
        default:
            done = intent_mark(store, &m, 1, FLAG_SEEN | FLAG_FLAGGED, 0, "work", NULL, &error);
        }
        g_assert_no_error(error);
        g_assert_cmpint(done, >, 0);
        expect(&home, m, cases[i].after, 0);
        expect_bytes(&home, m, "Subject: a\n\nbody\n");
        g_assert_true(undo(store, done, NULL, &error));
        g_assert_no_error(error);
        expect(&home, m, "home/INBOX", 0);
        expect_bytes(&home, m, "Subject: a\n\nbody\n");
        world_end(&home.world);
    }
}

static void
test_drafts(void)
{
    struct home home;
    g_autoptr(GError) error = NULL;
    gint64 messages[2] = {0};
    home_begin(&home);
    struct store *store = home.world.store;
    g_autofree char *dir = folder_path(store, home.drafts, TRUE, &error);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(struct_message_index) index = message_index_new();
        g_autofree char *text = g_strdup_printf("Subject: draft %u\n\n", i);
        struct maildir_entry entry = {0};
        maildir_deliver(dir, FLAG_DRAFT, text, strlen(text), &entry, &error);
        intent_append(store, home.drafts, &entry, index, FLAG_DRAFT, NULL, messages[0], &messages[i], &error);
        g_assert_no_error(error);
        maildir_entry_clear(&entry);
    }
    expect(&home, messages[1], "home/Drafts", 0);
    expect(&home, messages[0], "", 0);
    g_assert_cmpuint(count_files(&home, home.drafts), ==, 1);
    world_end(&home.world);
}

static void
test_folders(void)
{
    struct home home;
    g_autoptr(GError) error = NULL;
    gint64 folder = 0;
    home_begin(&home);
    struct store *store = home.world.store;
    gint64 m = take(&home, "u1", "a@x", "Subject: a\n\n");
    g_assert_cmpint(intent_folder_create(store, home.account, "Lists/dev", &folder, &error), >, 0);
    g_assert_cmpint(intent_move(store, &m, 1, home.inbox, folder, &error), >, 0);
    g_assert_cmpint(intent_folder_rename(store, folder, "Lists/all", &error), >, 0);
    expect(&home, m, "home/Lists/all", 0);
    gint64 gone = intent_folder_delete(store, folder, &error);
    g_assert_no_error(error);
    expect(&home, m, "", 0);
    g_assert_cmpint(folder_find(store, home.account, "Lists/all"), ==, 0);
    g_assert_true(undo(store, gone, NULL, &error));
    g_assert_no_error(error);
    expect(&home, m, "home/Lists/all", 0);
    world_end(&home.world);
}

/* To an account on a server and back: only what the server has to be told is pending. */
static void
test_across(void)
{
    struct home home;
    g_autoptr(GError) error = NULL;
    home_begin(&home);
    struct store *store = home.world.store;
    gint64 m = take(&home, "u1", "a@x", "Subject: a\n\nbody\n");
    gint64 away = intent_move(store, &m, 1, home.inbox, home.world.archive, &error);
    g_assert_no_error(error);
    expect(&home, m, "work/Archive", 0);
    g_assert_cmpint(intent_count(store, home.world.account), ==, 1);
    g_assert_true(undo(store, away, NULL, &error));
    expect(&home, m, "home/INBOX", 0);
    g_assert_cmpint(intent_count(store, home.world.account), ==, 0);
    expect_bytes(&home, m, "Subject: a\n\nbody\n");

    /* From the server, an envelope as yet: it is not deleted there before its bytes are here. */
    gint64 placement =
        add_mail(store, home.world.inbox, 7, "b@x", NULL, "Ben <ben@example.net>", "b", 1700000000);
    gint64 b = message_of(store, placement);
    g_assert_cmpint(intent_move(store, &b, 1, home.world.inbox, home.archive, &error), >, 0);
    expect(&home, b, "home/Archive", 1);
    g_autoptr(GPtrArray) next = intent_next(store, home.world.account, 10, &error);
    g_assert_cmpuint(next->len, ==, 0);
    add_body(store, placement, "body", NULL);
    expect(&home, b, "home/Archive", 0);
    g_assert_cmpuint(count_files(&home, home.archive), ==, 1);
    g_autoptr(GPtrArray) then = intent_next(store, home.world.account, 10, &error);
    g_assert_cmpuint(then->len, ==, 1);
    g_assert_cmpint(((struct intent *)then->pdata[0])->kind, ==, INTENT_EXPUNGE);
    world_end(&home.world);
}

/* An account's server is taken away, and given back. */
static void
test_switch(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    struct store *store = world.store;
    gint64 placement = add_mail(store, world.inbox, 1, "a@x", NULL, "Ben <ben@example.net>", "a", 1700000000);
    gint64 m = message_of(store, placement);
    add_body(store, placement, "body", NULL);
    g_assert_cmpint(intent_move(store, &m, 1, world.inbox, world.archive, &error), >, 0);
    g_assert_cmpint(intent_mark(store, &m, 1, FLAG_SEEN, 0, NULL, NULL, &error), >, 0);
    g_assert_cmpint(intent_count(store, world.account), ==, 1);

    g_assert_true(store_account_set_local(store, world.account, TRUE, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpint(intent_count(store, world.account), ==, 0);
    g_autoptr(GPtrArray) list = message_places(store, m, &error);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpint(((struct message_place *)list->pdata[0])->folder, ==, world.archive);
    assert_sound(store);

    g_assert_true(store_account_set_local(store, world.account, FALSE, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) intents = intent_list(store, world.account, &error);
    guint creates = 0, appends = 0;
    for (guint i = 0; i < intents->len; i++) {
        const struct intent *intent = intents->pdata[i];
        creates += intent->kind == INTENT_FOLDER_CREATE;
        appends += intent->kind == INTENT_APPEND && intent->uncertain && intent->message == m;
    }
    g_assert_cmpuint(creates, ==, 5); /* INBOX is there by itself */
    g_assert_cmpuint(appends, ==, 1);
    world_end(&world);
}

/* ---- the mailbox ---- */

static const struct maildrop_row *
row_of(struct maildrop *drop, const char *uidl)
{
    for (guint i = 0; i < drop->rows->len; i++)
        if (!strcmp(g_array_index(drop->rows, struct maildrop_row, i).uidl, uidl))
            return &g_array_index(drop->rows, struct maildrop_row, i);
    return NULL;
}

/* The same bytes under another id are the same message, also when it was deleted here. */
static void
test_content(void)
{
    static const char text[] = "Subject: a\n\nthe same\n";
    struct home home;
    g_autoptr(GError) error = NULL;
    home_begin(&home);
    struct store *store = home.world.store;
    gint64 m = take(&home, "u1", "a@x", text);
    g_assert_cmpint(take(&home, "u2", "a@x", text), ==, m);
    expect(&home, m, "home/INBOX", 0);
    g_assert_cmpuint(count_files(&home, home.inbox), ==, 1);

    g_assert_cmpint(intent_expunge(store, &m, 1, home.inbox, &error), >, 0);
    g_assert_cmpint(take(&home, "../../x", "a@x", text), ==, m);
    expect(&home, m, "", 0);
    g_assert_cmpuint(count_files(&home, home.inbox), ==, 0);
    g_autoptr(struct_maildrop) drop = maildrop_load(store, home.account, &error);
    g_assert_cmpuint(drop->rows->len, ==, 3);
    g_assert_false(row_of(drop, "u1")->here);

    /* An equal Message-ID alone is another message. */
    gint64 other = take(&home, "u4", "a@x", "Subject: a\n\nforged\n");
    g_assert_cmpint(other, !=, m);
    expect(&home, other, "home/INBOX", 0);
    world_end(&home.world);
}

/* What another account has under the same bytes is shown here as well. */
static void
test_other_account(void)
{
    struct home home;
    home_begin(&home);
    struct store *store = home.world.store;
    gint64 placement =
        add_mail(store, home.world.inbox, 1, "a@x", NULL, "Ben <ben@example.net>", "a", 1700000000);
    add_body(store, placement, "body", NULL);
    gint64 m = message_of(store, placement);
    g_assert_cmpint(take(&home, "u1", "a@x", "Subject: a\r\nMessage-ID: <a@x>\r\n\r\nbody\r\n"), ==, m);
    expect(&home, m, "work/INBOX home/INBOX", 0);
    world_end(&home.world);
}

static void
test_envelope(void)
{
    struct home home;
    g_autoptr(GError) error = NULL;
    home_begin(&home);
    struct store *store = home.world.store;
    gint64 m = take(&home, "u1", "a@x", NULL);
    expect(&home, m, "home/INBOX", 0);
    g_assert_true(message_want_body(store, m, &error));
    g_autoptr(GArray) wanted = maildrop_wanted(store, home.account, &error);
    g_assert_cmpuint(wanted->len, ==, 1);

    g_assert_true(maildrop_unwant(store, g_array_index(wanted, gint64, 0), &error));
    g_autoptr(GArray) given_up = maildrop_wanted(store, home.account, &error);
    g_assert_cmpuint(given_up->len, ==, 0);
    g_assert_true(message_want_body(store, m, &error));

    /* Moved before its body comes: the file goes where it is by then. */
    g_assert_cmpint(intent_move(store, &m, 1, home.inbox, home.archive, &error), >, 0);
    attach(&home, m, "Subject: a\n\nbody\n");
    expect(&home, m, "home/Archive", 0);
    expect_bytes(&home, m, "Subject: a\n\nbody\n");
    g_assert_cmpuint(count_files(&home, home.inbox), ==, 0);
    g_assert_cmpuint(count_files(&home, home.archive), ==, 1);
    g_autoptr(GArray) none = maildrop_wanted(store, home.account, &error);
    g_assert_cmpuint(none->len, ==, 0);

    /* The body shows that it was a message that is here: one is left, with the marks of both. */
    gint64 again = take(&home, "u2", "a@x", NULL);
    g_assert_cmpint(again, !=, m);
    g_assert_cmpint(intent_mark(store, &again, 1, FLAG_FLAGGED, 0, NULL, NULL, &error), >, 0);
    attach(&home, again, "Subject: a\n\nbody\n");
    expect(&home, again, "", 0);
    expect(&home, m, "home/Archive", 0);
    g_assert_cmpuint(count_files(&home, home.inbox), ==, 0);
    g_autoptr(struct_message) now = message_load(store, m, &error);
    g_assert_cmpuint(now->flags, ==, FLAG_FLAGGED);

    /* Deleted for good before its body came. */
    gint64 third = take(&home, "u3", "c@x", NULL);
    g_assert_cmpint(intent_expunge(store, &third, 1, home.inbox, &error), >, 0);
    attach(&home, third, "Subject: c\n\n");
    expect(&home, third, "", 0);
    g_assert_cmpuint(count_files(&home, home.inbox), ==, 0);
    world_end(&home.world);
}

static void
test_rows(void)
{
    struct home home;
    g_autoptr(GError) error = NULL;
    home_begin(&home);
    struct store *store = home.world.store;
    gint64 m = take(&home, "u1", "a@x", "Subject: a\n\n");
    gint64 row = maildrop_find(store, home.account, m);
    struct maildrop_identity identity;
    g_assert_true(maildrop_identify(store, row, &identity, &error));
    g_autofree char *id = maildrop_message_id("a@x");
    g_assert_cmpstr(identity.message_id, ==, id);
    g_assert_cmpint(identity.date, ==, 1700000000);
    g_assert_cmpuint(identity.size, ==, 100);
    g_assert_nonnull(identity.content);
    maildrop_identity_clear(&identity);
    g_assert_true(maildrop_rename(store, row, "new", 0, 101, &error));

    /* Another size of the same bytes: the size is not to be relied on. */
    g_assert_cmpint(take(&home, "new", "a@x", "Subject: a\n\n"), ==, m);
    g_autoptr(struct_maildrop) drop = maildrop_load(store, home.account, &error);
    g_assert_cmpuint(drop->rows->len, ==, 1);
    g_assert_true(row_of(drop, "new")->loose && row_of(drop, "new")->here && row_of(drop, "new")->cached);
    /* Another message under the same id. */
    g_assert_cmpint(take(&home, "new", "b@x", "Subject: b\n\n"), !=, m);
    g_autoptr(struct_maildrop) other = maildrop_load(store, home.account, &error);
    g_assert_false(row_of(other, "new")->loose);
    expect(&home, m, "home/INBOX", 0);

    gint64 known = row_of(other, "new")->id;
    g_assert_true(maildrop_forget(store, &known, 1, &error));
    g_autoptr(struct_maildrop) none = maildrop_load(store, home.account, &error);
    g_assert_cmpuint(none->rows->len, ==, 0);
    world_end(&home.world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/local/roles", test_roles);
    g_test_add_func("/local/actions", test_actions);
    g_test_add_func("/local/drafts", test_drafts);
    g_test_add_func("/local/folders", test_folders);
    g_test_add_func("/local/across", test_across);
    g_test_add_func("/local/switch", test_switch);
    g_test_add_func("/maildrop/content", test_content);
    g_test_add_func("/maildrop/other-account", test_other_account);
    g_test_add_func("/maildrop/envelope", test_envelope);
    g_test_add_func("/maildrop/rows", test_rows);
    return g_test_run();
}
