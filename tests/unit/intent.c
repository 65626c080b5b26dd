/* intents: shown at once, cancelled, done, failed; identity; undo of everything, before and after it was
 * carried out */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/changes.h"
#include "store/scan.h"
#include "store/undo.h"

#include <unistd.h>

static gint64
shown_in(struct store *store, gint64 message)
{
    g_autoptr(GPtrArray) places = message_places(store, message, NULL);
    return places->len == 1 ? ((struct message_place *)places->pdata[0])->folder : places->len ? -1 : 0;
}

static guint
flags_of(struct store *store, gint64 message, char **tags)
{
    g_autoptr(struct_message) row = message_load(store, message, NULL);
    if (tags)
        *tags = g_strdup(row->tags);
    return row->flags;
}

/* Carries everything out as a server would; UIDs from 1000 on, told or (COPYUID missing) not. Returns what
 * was run. */
static char *
run_all(struct world *world, gint64 account, gboolean tell)
{
    static guint32 uid = 1000;
    GString *log = g_string_new(NULL);
    g_assert_true(intent_recover(world->store, account, NULL));
    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) list = intent_next(world->store, account, 10, &error);
        g_assert_no_error(error);
        if (!list->len)
            break;
        struct intent *intent = list->pdata[0];
        g_assert_true(intent_claim(world->store, &intent->id, 1, &error));
        g_string_append_printf(log, "%s%s", log->len ? " " : "", intent_kind_name(intent->kind));
        if (intent->kind >= INTENT_FOLDER_CREATE) {
            g_assert_true(
                intent_folder_done(world->store, intent->id, intent->name ? intent->name : "", '/', &error));
            continue;
        }
        if (intent->kind == INTENT_APPEND) {
            guint flags;
            gint64 received;
            g_autofree char *tags = NULL;
            g_autoptr(GBytes) bytes =
                intent_append_bytes(world->store, intent, &flags, &tags, &received, &error);
            g_assert_no_error(error);
            g_assert_cmpuint(g_bytes_get_size(bytes), >, 10);
        }
        struct intent_result result = {intent->id, intent->target ? ++uid : 0, 0};
        if (!tell)
            result.new_uid = 0;
        g_assert_true(intent_done(world->store, &result, 1, &error));
        g_assert_true(intent_done(world->store, &result, 1, &error)); /* twice is once */
        if (!tell && intent->target) {                                /* the listing finds it */
            g_autoptr(struct_message) message = message_load(world->store, intent->message, &error);
            g_autoptr(struct_envelope) envelope =
                make_envelope(message->message_id, NULL, NULL, NULL, message->subject, message->date);
            struct placement_new row = {.uid = ++uid, .envelope = envelope, .size = message->size};
            gint64 found = placement_match(world->store, intent->target_folder, &row);
            g_assert_cmpint(found, ==, intent->target);
            g_assert_true(
                placement_bind(world->store, found, row.uid, 7, message->flags, message->tags, &error));
        }
        assert_sound(world->store);
    }
    return g_string_free(log, FALSE);
}

static gint64
mail_with_body(struct world *world, guint32 uid, const char *id)
{
    gint64 placement =
        add_mail(world->store, world->inbox, uid, id, NULL, "Ben <ben@example.net>", id, 1700000000 + uid);
    add_body(world->store, placement, id, NULL);
    return message_of(world->store, placement);
}

static void
test_mark(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 message = mail_with_body(&world, 1, "a@x");
    g_autofree char *tags = NULL, *more = NULL;

    g_assert_cmpint(intent_mark(world.store, &message, 1, FLAG_SEEN, 0, "work play", NULL, &error), >, 0);
    g_assert_cmpint(intent_mark(world.store, &message, 1, FLAG_SEEN, 0, "work", NULL, &error), ==,
                    INTENT_NOTHING);
    g_assert_cmpuint(flags_of(world.store, message, &tags), ==, FLAG_SEEN);
    g_assert_cmpstr(tags, ==, "play work");
    g_autoptr(struct_placement_set) changed =
        placement_load(world.store, world.inbox, PLACEMENT_SELECT_CHANGED, 0, &error);
    g_assert_cmpuint(changed->n, ==, 1);

    /* The phone flags it and takes a tag off meanwhile: both survive. */
    struct placement_flags theirs = {changed->rows[0].id, FLAG_FLAGGED, "phone", 5};
    g_assert_true(placement_server_flags(world.store, &theirs, 1, &error));
    g_assert_cmpuint(flags_of(world.store, message, &more), ==, FLAG_SEEN | FLAG_FLAGGED);
    g_assert_cmpstr(more, ==, "phone play work");
    /* Sent; the user took a flag back while it was under way. */
    g_assert_cmpint(intent_mark(world.store, &message, 1, 0, FLAG_SEEN, NULL, NULL, &error), >, 0);
    struct placement_flags sent = {changed->rows[0].id, FLAG_SEEN | FLAG_FLAGGED, "phone play work", 6};
    g_assert_true(placement_flags_sent(world.store, &sent, 1, &error));
    g_assert_cmpuint(flags_of(world.store, message, NULL), ==, FLAG_FLAGGED);

    g_autofree char *text = NULL;
    g_assert_true(undo(world.store, 0, &text, &error));
    g_assert_cmpstr(text, ==, "mark 1 message +unread");
    g_assert_cmpuint(flags_of(world.store, message, NULL), ==, FLAG_SEEN | FLAG_FLAGGED);
    g_assert_true(undo(world.store, 0, NULL, &error));
    g_autofree char *last = NULL;
    g_assert_cmpuint(flags_of(world.store, message, &last), ==, FLAG_FLAGGED);
    g_assert_cmpstr(last, ==, "phone");
    g_assert_false(undo(world.store, 0, NULL, &error));
    g_assert_error(error, STORE_ERROR, ERROR_NOINPUT);

    g_clear_error(&error);
    gint64 none = 4711;
    g_assert_cmpint(intent_mark(world.store, &none, 1, FLAG_SEEN, 0, NULL, NULL, &error), ==, 0);
    g_assert_error(error, STORE_ERROR, ERROR_NOINPUT);
    world_end(&world);
}

/* Each action, undone before and after the server did it, ends where it began. */
static void
test_undo_each(void)
{
    static const struct {
        const char *name;
        const char *before, *after; /* what the runner does: to do it, and to undo it afterwards */
    } cases[] = {
        {"move", "move", "move"},
        {"delete", "move", "move"},
        {"archive", "move", "move"},
        {"expunge", "expunge", "append"},
        {"copy", "copy", "expunge"},
        {"junk", "move", "move"},
        {"away", "append expunge", "append expunge"}, /* to another account */
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (guint done = 0; done < 3; done++) {
            struct world world;
            world_begin(&world);
            g_autoptr(GError) error = NULL;
            const char *const me[] = {"ana@home.example", NULL};
            gint64 home = store_account_ensure(world.store, "home", me, &error);
            gint64 other = folder_upsert(world.store, home, "INBOX", "INBOX", '/', FOLDER_INBOX,
                                         FOLDER_SELECTABLE, &error);
            gint64 m = mail_with_body(&world, 1, "a@x"), id = 0, expected = world.inbox;
            g_test_message("%s, %s", cases[i].name, done ? "done before" : "not done");
            switch (i) {
            case 0:
                id = intent_move(world.store, &m, 1, world.inbox, world.sent, &error);
                expected = world.sent;
                break;
            case 1:
                id = intent_delete(world.store, &m, 1, world.inbox, &error);
                expected = world.trash;
                break;
            case 2:
                id = intent_archive(world.store, &m, 1, world.inbox, &error);
                expected = world.archive;
                break;
            case 3:
                id = intent_expunge(world.store, &m, 1, world.inbox, &error);
                expected = 0;
                break;
            case 4:
                id = intent_copy(world.store, &m, 1, world.inbox, world.sent, &error);
                expected = -1;
                break;
            case 5:
                id = intent_junk(world.store, &m, 1, world.inbox, TRUE, &error);
                expected = world.junk;
                break;
            case 6:
                id = intent_move(world.store, &m, 1, world.inbox, other, &error);
                expected = other;
                break;
            }
            g_assert_no_error(error);
            g_assert_cmpint(id, >, 0);
            g_assert_cmpint(shown_in(world.store, m), ==, expected);
            assert_sound(world.store);
            if (done) {
                g_autofree char *log = run_all(&world, home, done == 1),
                                *more = run_all(&world, world.account, done == 1);
                g_autofree char *all = g_strstrip(g_strjoin(" ", log, more, NULL));
                g_assert_cmpstr(all, ==, cases[i].before);
                g_assert_cmpint(shown_in(world.store, m), ==, expected);
                g_assert_cmpint(intent_count(world.store, world.account), ==, 0);
            }
            g_assert_true(undo(world.store, id, NULL, &error));
            g_assert_no_error(error);
            g_assert_cmpint(shown_in(world.store, m), ==, world.inbox);
            g_autoptr(GBytes) bytes = store_message_bytes(world.store, m, &error);
            g_assert_no_error(error);
            g_assert_nonnull(bytes);
            g_autofree char *log = run_all(&world, world.account, done == 1),
                            *more = run_all(&world, home, done == 1);
            g_autofree char *again = run_all(&world, world.account, done == 1);
            g_autofree char *all = g_strjoin(" ", log, more, again, NULL);
            g_assert_cmpstr(g_strstrip(all), ==, done ? cases[i].after : "");
            g_assert_cmpint(shown_in(world.store, m), ==, world.inbox);
            g_assert_cmpint(intent_count(world.store, 0), ==, 0);
            g_autofree char *tags = NULL;
            flags_of(world.store, m, &tags);
            g_assert_cmpstr(tags, ==, "");
            world_end(&world);
        }
}

static void
test_chain(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1, "a@x");
    /* Off line: moved twice, flagged on the way, then deleted and expunged. */
    g_assert_cmpint(intent_move(world.store, &m, 1, world.inbox, world.archive, &error), >, 0);
    g_assert_cmpint(intent_mark(world.store, &m, 1, FLAG_FLAGGED, 0, NULL, NULL, &error), >, 0);
    gint64 second = intent_move(world.store, &m, 1, world.archive, world.sent, &error);
    g_assert_cmpint(second, >, 0);
    g_assert_cmpint(shown_in(world.store, m), ==, world.sent);
    g_autoptr(GPtrArray) next = intent_next(world.store, world.account, 10, &error);
    g_assert_cmpuint(next->len, ==, 1); /* the second waits for the UID of the first */
    g_autofree char *log = run_all(&world, world.account, TRUE);
    g_assert_cmpstr(log, ==, "move move");
    g_assert_cmpuint(flags_of(world.store, m, NULL), ==, FLAG_FLAGGED);
    g_autoptr(struct_placement_set) changed =
        placement_load(world.store, world.sent, PLACEMENT_SELECT_CHANGED, 0, &error);
    g_assert_cmpuint(changed->n, ==, 1);

    g_assert_cmpint(intent_delete(world.store, &m, 1, world.sent, &error), >, 0);
    g_assert_cmpint(intent_delete(world.store, &m, 1, world.trash, &error), >, 0);
    g_assert_cmpint(shown_in(world.store, m), ==, 0);
    g_autofree char *rest = run_all(&world, world.account, TRUE);
    g_assert_cmpstr(rest, ==, "move expunge");
    /* Kept for 30 days, then forgotten. */
    g_assert_true(store_housekeeping(world.store, &error));
    g_autoptr(struct_message) kept = message_load(world.store, m, &error);
    g_assert_no_error(error);
    g_assert_nonnull(kept);
    g_assert_true(undo(world.store, 0, NULL, &error));
    g_assert_cmpint(shown_in(world.store, m), ==, world.trash);
    world_end(&world);
}

/* The server says no: what was shown is taken back, and said. */
static void
test_failures(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1, "a@x");
    g_assert_cmpint(intent_move(world.store, &m, 1, world.inbox, world.archive, &error), >, 0);
    g_autoptr(GPtrArray) list = intent_next(world.store, world.account, 10, &error);
    gint64 id = ((struct intent *)list->pdata[0])->id;
    g_assert_true(intent_claim(world.store, &id, 1, &error));
    g_assert_false(intent_claim(world.store, &id, 1, &error));
    g_assert_error(error, STORE_ERROR, ERROR_WITHDRAWN);
    g_clear_error(&error);
    g_assert_true(
        intent_failed(world.store, id, "over quota", g_get_real_time() / G_USEC_PER_SEC + 100, &error));
    g_autoptr(GPtrArray) later = intent_next(world.store, world.account, 10, &error);
    g_assert_cmpuint(later->len, ==, 0);
    g_assert_true(intent_retry(world.store, id, &error));
    g_autoptr(GPtrArray) now = intent_next(world.store, world.account, 10, &error);
    g_assert_cmpuint(now->len, ==, 1);
    g_assert_true(((struct intent *)now->pdata[0])->uncertain);
    g_assert_true(intent_failed(world.store, id, "no such mailbox", 0, &error));
    g_assert_cmpint(shown_in(world.store, m), ==, world.inbox);
    g_autoptr(struct_folder) folder = folder_get(world.store, world.inbox, &error);
    g_assert_cmpstr(folder->notice, ==, "no such mailbox");
    g_autoptr(GBytes) bytes = store_message_bytes(world.store, m, &error);
    g_assert_no_error(error);
    g_assert_nonnull(bytes);
    world_end(&world);
}

static gint64
append(struct world *world, gint64 folder, const char *text, gint64 replaces)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = folder_path(world->store, folder, TRUE, &error);
    struct maildir_entry entry = {0};
    g_assert_true(maildir_deliver(dir, FLAG_DRAFT, text, strlen(text), &entry, &error));
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    g_autofree char *id = g_strdup_printf("%u@draft", g_str_hash(text));
    index->envelope =
        make_envelope(id, NULL, "Ana <ana@example.org>", "ben@example.net", "draft", 1700000000);
    gint64 message = 0;
    g_assert_cmpint(
        intent_append(world->store, folder, &entry, index, FLAG_DRAFT, "", replaces, &message, &error), >, 0);
    g_assert_no_error(error);
    maildir_entry_clear(&entry);
    return message;
}

static void
test_drafts(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 drafts = intent_ensure_role(world.store, world.account, FOLDER_DRAFTS, &error);
    g_assert_cmpint(drafts, >, 0);
    gint64 first = append(&world, drafts, "Subject: one\n\none\n", 0);
    gint64 second = append(&world, drafts, "Subject: one\n\ntwo\n", first);
    g_autoptr(struct_folder) folder = folder_get(world.store, drafts, &error);
    g_assert_cmpint(folder->total, ==, 1);
    g_autofree char *log = run_all(&world, world.account, TRUE);
    g_assert_cmpstr(log, ==, "create-folder append"); /* the first one never left the house */
    gint64 third = append(&world, drafts, "Subject: one\n\nthree\n", second);
    g_autoptr(GPtrArray) next = intent_next(world.store, world.account, 10, &error);
    g_assert_cmpuint(next->len, ==, 1); /* the old one goes when the new one is there */
    g_assert_cmpint(((struct intent *)next->pdata[0])->kind, ==, INTENT_APPEND);
    g_autofree char *rest = run_all(&world, world.account, TRUE);
    g_assert_cmpstr(rest, ==, "append expunge");
    g_assert_cmpint(shown_in(world.store, third), ==, drafts);
    /* The same text again is the same message, also while it replaces itself. */
    g_assert_cmpint(append(&world, drafts, "Subject: one\n\nthree\n", third), ==, third);
    world_end(&world);
}

static void
test_identity(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    /* A known Message-ID with other content is another message. */
    gint64 a =
        add_mail(world.store, world.inbox, 1, "same@x", NULL, "Ben <ben@example.net>", "same", 1700000000);
    gint64 b = add_mail(world.store, world.archive, 1, "same@x", NULL, "Mallory <m@evil.example>", "same",
                        1700000000);
    g_assert_cmpint(message_of(world.store, a), !=, message_of(world.store, b));
    add_body(world.store, a, "the real one", NULL);
    add_body(world.store, b, "the forged one", NULL);
    g_assert_cmpint(message_of(world.store, a), !=, message_of(world.store, b));
    g_autoptr(GArray) versions = message_find_id(world.store, "same@x");
    g_assert_cmpuint(versions->len, ==, 2);
    /* Equal content is one message and one file, wherever it lies. */
    gint64 c =
        add_mail(world.store, world.sent, 1, "same@x", NULL, "Ben <ben@example.net>", "same", 1700000000);
    add_body(world.store, c, "the real one", NULL);
    g_assert_cmpint(message_of(world.store, c), ==, message_of(world.store, a));
    g_autoptr(GPtrArray) places = message_places(world.store, message_of(world.store, a), &error);
    g_assert_cmpuint(places->len, ==, 2);
    GStatBuf one, two;
    for (guint i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(store_mail_dir(world.store),
                                                 ((struct message_place *)places->pdata[i])->file, NULL);
        g_assert_cmpint(g_stat(path, i ? &two : &one), ==, 0);
    }
    g_assert_cmpuint(one.st_ino, ==, two.st_ino);
    /* So is what the server calls one (EMAILID), before any body is known; within an account. */
    g_autoptr(struct_envelope) envelope =
        make_envelope("e@x", NULL, "Ben <ben@example.net>", NULL, "e", 1700000000);
    struct placement_new row = {.uid = 5, .envelope = envelope, .emailid = "M123", .received = 1700000000};
    gint64 ids[2];
    g_assert_true(placement_insert(world.store, world.inbox, &row, 1, &ids[0], &error));
    row.uid = 6;
    g_assert_true(placement_insert(world.store, world.archive, &row, 1, &ids[1], &error));
    g_assert_cmpint(message_of(world.store, ids[0]), ==, message_of(world.store, ids[1]));
    /* A known UID changes nothing. */
    gint64 same;
    g_assert_true(placement_insert(world.store, world.archive, &row, 1, &same, &error));
    g_assert_cmpint(same, ==, ids[1]);
    /* What lies in two folders survives the loss of one; its file too. */
    g_assert_true(placement_remove(world.store, &c, 1, &error));
    g_autoptr(GBytes) bytes = store_message_bytes(world.store, message_of(world.store, a), &error);
    g_assert_no_error(error);
    g_assert_nonnull(bytes);
    world_end(&world);
}

static void
test_uidvalidity(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 kept[20];
    g_assert_true(folder_set_sync(world.store, world.inbox, 77, 21, 5, 20, 1, &error));
    for (guint i = 0; i < 20; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i);
        kept[i] = mail_with_body(&world, i + 1, id);
    }
    g_assert_cmpint(intent_mark(world.store, &kept[3], 1, FLAG_FLAGGED, 0, "local", NULL, &error), >, 0);
    g_assert_false(folder_set_sync(world.store, world.inbox, 78, 21, 5, 20, 1, &error));
    g_assert_error(error, STORE_ERROR, ERROR_STALE);
    g_clear_error(&error);
    g_assert_true(folder_reset_uidvalidity(world.store, world.inbox, 78, &error));
    g_autoptr(struct_folder) folder = folder_get(world.store, world.inbox, &error);
    g_assert_cmpint(folder->total, ==, 20);
    g_assert_cmpuint(folder->validity_changes, ==, 1);
    for (guint i = 0; i < 20; i++) { /* other numbers, another order */
        g_autoptr(struct_message) message = message_load(world.store, kept[19 - i], &error);
        g_autoptr(struct_envelope) envelope =
            make_envelope(message->message_id, NULL, NULL, NULL, message->subject, message->date);
        struct placement_new row = {.uid = 500 + i, .envelope = envelope};
        gint64 found = placement_match(world.store, world.inbox, &row);
        g_assert_cmpint(found, >, 0);
        g_assert_cmpint(message_of(world.store, found), ==, kept[19 - i]);
        g_assert_true(placement_bind(world.store, found, row.uid, 1, 0, "", &error));
    }
    g_autofree char *tags = NULL;
    g_assert_cmpuint(flags_of(world.store, kept[3], &tags), ==, FLAG_FLAGGED);
    g_assert_cmpstr(tags, ==, "local");
    g_autoptr(struct_placement_set) loose =
        placement_load(world.store, world.inbox, PLACEMENT_SELECT_NO_UID, 0, &error);
    g_assert_cmpuint(loose->n, ==, 0);
    world_end(&world);
}

static void
test_folders(void)
{
    for (guint done = 0; done < 2; done++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        gint64 folder = 0, below = 0;
        g_assert_cmpint(intent_folder_create(world.store, world.account, "Lists", &folder, &error), >, 0);
        g_assert_cmpint(intent_folder_create(world.store, world.account, "Lists/dev", &below, &error), >, 0);
        g_assert_cmpint(intent_folder_create(world.store, world.account, "lists//x", NULL, &error), ==, 0);
        g_assert_error(error, STORE_ERROR, ERROR_INPUT);
        g_clear_error(&error);
        g_assert_cmpint(intent_folder_create(world.store, world.account, "inbox", NULL, &error), ==, 0);
        g_assert_error(error, STORE_ERROR, ERROR_REFUSED);
        g_clear_error(&error);
        gint64 m = mail_with_body(&world, 1, "a@x");
        g_assert_cmpint(intent_move(world.store, &m, 1, 0, below, &error), >, 0);
        if (done) {
            g_autofree char *log = run_all(&world, world.account, TRUE);
            g_assert_cmpstr(log, ==, "create-folder create-folder move");
        }
        gint64 rename = intent_folder_rename(world.store, folder, "Groups", &error);
        g_assert_cmpint(rename, >, 0);
        g_assert_cmpint(folder_find(world.store, world.account, "Groups/dev"), ==, below);
        if (done) {
            g_autofree char *log = run_all(&world, world.account, TRUE);
            g_assert_cmpstr(log, ==, "rename-folder");
            g_autoptr(struct_folder) moved = folder_get(world.store, below, &error);
            g_assert_cmpstr(moved->wire, ==, "Groups/dev");
        }
        g_assert_true(maildir_apply(world.store, 0, &error));
        g_autofree char *path = folder_path(world.store, below, FALSE, &error);
        g_assert_true(g_str_has_suffix(path, "/mail/work/Groups/dev"));
        g_autoptr(GBytes) bytes = store_message_bytes(world.store, m, &error);
        g_assert_no_error(error);
        g_assert_nonnull(bytes);
        g_assert_true(undo(world.store, rename, NULL, &error));
        g_assert_cmpint(folder_find(world.store, world.account, "Lists/dev"), ==, below);

        gint64 gone = intent_folder_delete(world.store, below, &error);
        g_assert_no_error(error);
        g_assert_cmpint(gone, >, 0);
        g_assert_cmpint(shown_in(world.store, m), ==, 0);
        if (done) {
            g_autofree char *log = run_all(&world, world.account, TRUE);
            g_assert_cmpstr(log, ==, "rename-folder delete-folder");
            g_assert_cmpint(folder_find(world.store, world.account, "Lists/dev"), ==, 0);
        }
        g_assert_true(undo(world.store, gone, NULL, &error));
        g_assert_no_error(error);
        gint64 back = folder_find(world.store, world.account, "Lists/dev");
        g_assert_cmpint(back, >, 0);
        g_assert_cmpint(shown_in(world.store, m), ==, back);
        g_assert_cmpint(intent_folder_delete(world.store, world.inbox, &error), ==, 0);
        g_assert_error(error, STORE_ERROR, ERROR_REFUSED);
        g_clear_error(&error);
        g_free(run_all(&world, world.account, TRUE));
        g_assert_cmpint(intent_count(world.store, 0), ==, 0);
        world_end(&world);
    }
}

static void
test_mark_folder(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    for (guint i = 1; i <= 9; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i);
        g_autoptr(struct_envelope) envelope =
            make_envelope(id, NULL, "Ben <ben@example.net>", NULL, id, 1700000000 + i);
        add_envelope(world.store, world.inbox, i, i % 3 ? 0 : FLAG_SEEN, NULL, envelope);
    }
    gint64 id = intent_mark_folder(world.store, world.inbox, FLAG_SEEN, 0, &error);
    g_assert_cmpint(id, >, 0);
    g_autoptr(struct_folder) read = folder_get(world.store, world.inbox, &error);
    g_assert_cmpint(read->unread, ==, 0);
    g_assert_cmpint(read->unread_conversations, ==, 0);
    g_autoptr(struct_placement_set) changed =
        placement_load(world.store, world.inbox, PLACEMENT_SELECT_CHANGED, 0, &error);
    g_assert_cmpuint(changed->n, ==, 6);
    g_assert_cmpint(intent_mark_folder(world.store, world.inbox, FLAG_SEEN, 0, &error), ==, INTENT_NOTHING);
    g_autofree char *text = NULL;
    g_assert_true(undo(world.store, 0, &text, &error));
    g_assert_cmpstr(text, ==, "mark 6 messages -unread");
    g_autoptr(struct_folder) unread = folder_get(world.store, world.inbox, &error);
    g_assert_cmpint(unread->unread, ==, 6);
    world_end(&world);
}

/* A copy is wanted off line, and the original is removed by another client before it is made. */
static void
test_copy_of_the_gone(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1, "a@x"), original = placement_find_uid(world.store, world.inbox, 1);
    g_assert_cmpint(intent_copy(world.store, &m, 1, world.inbox, world.archive, &error), >, 0);
    g_assert_true(placement_remove(world.store, &original, 1, &error));
    g_assert_cmpint(shown_in(world.store, m), ==, world.archive);
    g_autofree char *log = run_all(&world, world.account, TRUE);
    g_assert_cmpstr(log, ==, "append");
    world_end(&world);
}

/* Removed mail is kept for 30 days, with its number, and not a day longer. */
static void
test_kept(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1, "a@x"), placement = placement_find_uid(world.store, world.inbox, 1);
    g_autofree char *kept = g_build_filename(world.dir, "mail", ".removed", "cur", NULL);
    g_assert_true(placement_remove(world.store, &placement, 1, &error));
    g_assert_cmpint(shown_in(world.store, m), ==, 0);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    static const gint days[] = {29, 31};
    for (guint i = 0; i < 2; i++) {
        g_autofree char *then = g_strdup_printf("%" G_GINT64_FORMAT, now + days[i] * (gint64)86400);
        g_setenv("POSTRIDER_NOW", then, TRUE);
        g_assert_true(store_housekeeping(world.store, &error));
        g_assert_no_error(error);
        GDir *dir = g_dir_open(kept, 0, NULL);
        g_assert_true((g_dir_read_name(dir) != NULL) == (days[i] < 30));
        g_dir_close(dir);
        g_autoptr(struct_message) message = message_load(world.store, m, NULL);
        g_assert_true((message != NULL) == (days[i] < 30));
    }
    g_unsetenv("POSTRIDER_NOW");
    world_end(&world);
}

/* D12: a clock that is ahead for a while costs no mail that is kept. */
static void
test_kept_clock(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1, "a@x"), placement = placement_find_uid(world.store, world.inbox, 1);
    g_assert_true(placement_remove(world.store, &placement, 1, &error));
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    static const gint days[] = {0, 3650, 2, 3};
    for (guint i = 0; i < G_N_ELEMENTS(days); i++) {
        g_autofree char *then = g_strdup_printf("%" G_GINT64_FORMAT, now + days[i] * (gint64)86400);
        g_setenv("POSTRIDER_NOW", then, TRUE);
        g_assert_true(store_housekeeping(world.store, &error));
        g_assert_no_error(error);
        g_autoptr(struct_message) message = message_load(world.store, m, NULL);
        g_assert_nonnull(message);
    }
    g_unsetenv("POSTRIDER_NOW");
    world_end(&world);
}

static void
test_changes(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 a = mail_with_body(&world, 1, "a@x"), b = mail_with_body(&world, 2, "b@x");
    gint64 since = changes_sequence(world.store);
    g_autoptr(GPtrArray) none = changes_since(world.store, since, 10, &error);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpint(intent_mark(world.store, &a, 1, 0, 0, "work", NULL, &error), >, 0);
    g_assert_cmpint(intent_expunge(world.store, &b, 1, world.inbox, &error), >, 0);
    g_autoptr(GPtrArray) some = changes_since(world.store, since, 10, &error);
    g_assert_cmpuint(some->len, ==, 2);
    const struct change *first = some->pdata[0], *second = some->pdata[1];
    g_assert_cmpint(first->message, ==, a);
    g_assert_cmpstr(first->tags, ==, "work");
    g_assert_cmpuint(first->files->len, ==, 1);
    g_assert_true(g_str_has_prefix(first->files->pdata[0], "work/INBOX/cur/"));
    g_assert_true(second->gone && second->message == b);
    g_assert_cmpstr(second->message_id, ==, "b@x");
    gint64 cursor = 0;
    g_autoptr(GPtrArray) all = changes_all(world.store, &cursor, 10, &error);
    g_assert_cmpuint(all->len, ==, 1);
    world_end(&world);
}

/* Several calls, one entry to undo; a failed one leaves nothing. */
static void
test_group(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 a = mail_with_body(&world, 1, "a@x"), b = mail_with_body(&world, 2, "b@x");
    g_assert_true(intent_group_begin(world.store, &error));
    g_assert_cmpint(intent_mark(world.store, &a, 1, FLAG_SEEN, 0, "work", NULL, &error), >, 0);
    g_assert_cmpint(intent_move(world.store, &a, 1, 0, world.archive, &error), >, 0);
    g_assert_cmpint(intent_move(world.store, &b, 1, 0, world.inbox, &error), ==, INTENT_NOTHING);
    gint64 journal = intent_group_end(world.store, TRUE, "rule lists", &error);
    g_assert_no_error(error);
    g_assert_cmpint(journal, >, 0);
    g_assert_cmpint(shown_in(world.store, a), ==, world.archive);
    g_autofree char *text = NULL, *tags = NULL;
    g_assert_true(undo(world.store, 0, &text, &error));
    g_assert_cmpstr(text, ==, "rule lists");
    g_assert_cmpint(shown_in(world.store, a), ==, world.inbox);
    g_assert_cmpuint(flags_of(world.store, a, &tags) & FLAG_SEEN, ==, 0);
    g_assert_cmpstr(tags, ==, "");

    g_assert_true(intent_group_begin(world.store, &error));
    g_assert_cmpint(intent_mark(world.store, &a, 1, FLAG_FLAGGED, 0, NULL, NULL, &error), >, 0);
    g_assert_cmpint(intent_group_end(world.store, FALSE, "", &error), ==, 0);
    g_assert_cmpuint(flags_of(world.store, a, NULL) & FLAG_FLAGGED, ==, 0);

    g_assert_true(intent_group_begin(world.store, &error));
    g_assert_cmpint(intent_group_end(world.store, TRUE, "nothing", &error), ==, INTENT_NOTHING);
    assert_sound(world.store);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/intent/mark", test_mark);
    g_test_add_func("/intent/undo-each", test_undo_each);
    g_test_add_func("/intent/chain", test_chain);
    g_test_add_func("/intent/failures", test_failures);
    g_test_add_func("/intent/drafts", test_drafts);
    g_test_add_func("/intent/identity", test_identity);
    g_test_add_func("/intent/uidvalidity", test_uidvalidity);
    g_test_add_func("/intent/folders", test_folders);
    g_test_add_func("/intent/mark-folder", test_mark_folder);
    g_test_add_func("/intent/copy-of-the-gone", test_copy_of_the_gone);
    g_test_add_func("/intent/kept", test_kept);
    g_test_add_func("/intent/kept-clock", test_kept_clock);
    g_test_add_func("/intent/changes", test_changes);
    g_test_add_func("/intent/group", test_group);
    return g_test_run();
}
