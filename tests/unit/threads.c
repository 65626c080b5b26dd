/* threads: the same whatever the order of arrival, merging, hostile references; conversations of folders
 * agree */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/conversation.h"
#include "store/list.h"
#include "store/undo.h"

#define MESSAGES 60

struct mail {
    char *id, *refs;
    guint root; /* the component it belongs to, by union-find over what it names */
};

static guint
find(guint *up, guint i)
{
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* Random messages that name each other and ids that never come (ghosts, from MESSAGES on). */
static void
make_mails(struct mail *mails, GRand *rand)
{
    guint up[2 * MESSAGES];
    for (guint i = 0; i < G_N_ELEMENTS(up); i++)
        up[i] = i;
    for (guint i = 0; i < MESSAGES; i++) {
        GString *refs = g_string_new(NULL);
        guint n = (guint)g_rand_int_range(rand, 0, 4) * (guint)g_rand_boolean(rand);
        for (guint k = 0; k < n; k++) {
            guint other =
                (guint)g_rand_int_range(rand, 0, 2 * MESSAGES); /* later ones, ghosts and itself too: loops */
            g_string_append_printf(refs, "%sm%u@x", refs->len ? " " : "", other);
            up[find(up, i)] = find(up, other);
        }
        mails[i].id = g_strdup_printf("m%u@x", i);
        mails[i].refs = g_string_free(refs, FALSE);
    }
    for (guint i = 0; i < MESSAGES; i++)
        mails[i].root = find(up, i);
}

static void
test_any_order(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
    for (guint round = 0; round < 25; round++) {
        struct mail mails[MESSAGES];
        guint order[MESSAGES];
        gint64 threads[MESSAGES];
        struct world world;
        world_begin(&world);
        make_mails(mails, rand);
        for (guint i = 0; i < MESSAGES; i++)
            order[i] = i;
        for (guint i = MESSAGES - 1; i > 0; i--) {
            guint k = (guint)g_rand_int_range(rand, 0, (gint32)i + 1), swap = order[i];
            order[i] = order[k];
            order[k] = swap;
        }
        for (guint i = 0; i < MESSAGES; i++) {
            guint m = order[i];
            gint64 folder = m % 3 ? world.inbox : world.sent;
            add_mail(world.store, folder, m + 1, mails[m].id, mails[m].refs, "Ben <ben@example.net>", "hello",
                     1700000000 + m);
        }
        for (guint i = 0; i < MESSAGES; i++) {
            g_autoptr(GArray) found = message_find_id(world.store, mails[i].id);
            g_autoptr(struct_message) message =
                message_load(world.store, g_array_index(found, gint64, 0), NULL);
            threads[i] = message->thread;
        }
        for (guint i = 0; i < MESSAGES; i++)
            for (guint k = 0; k < i; k++)
                g_assert_true((mails[i].root == mails[k].root) == (threads[i] == threads[k]));
        for (guint i = 0; i < MESSAGES; i++) {
            g_free(mails[i].id);
            g_free(mails[i].refs);
        }
        world_end(&world);
    }
}

static gint64
thread_of(struct store *store, gint64 placement)
{
    g_autoptr(struct_message) message = message_load(store, message_of(store, placement), NULL);
    return message->thread;
}

static void
test_merge(void)
{
    struct world world;
    world_begin(&world);
    gint64 a = add_mail(world.store, world.inbox, 1, "a@x", NULL, "Ben <ben@example.net>", "A", 1700000001);
    gint64 c = add_mail(world.store, world.inbox, 2, "c@x", NULL, "Ben <ben@example.net>", "C", 1700000003);
    gint64 none =
        add_mail(world.store, world.inbox, 3, NULL, NULL, "Ben <ben@example.net>", "no id", 1700000004);
    gint64 none2 =
        add_mail(world.store, world.inbox, 4, NULL, NULL, "Ben <ben@example.net>", "no id", 1700000004);
    g_assert_cmpint(thread_of(world.store, a), !=, thread_of(world.store, c));
    g_assert_cmpint(thread_of(world.store, none), !=, thread_of(world.store, none2));
    g_autoptr(struct_folder) before = folder_get(world.store, world.inbox, NULL);
    g_assert_cmpint(before->conversations, ==, 4);

    /* One that answers both makes them one conversation. */
    gint64 b =
        add_mail(world.store, world.inbox, 5, "b@x", "a@x c@x", "Ben <ben@example.net>", "B", 1700000002);
    g_assert_cmpint(thread_of(world.store, a), ==, thread_of(world.store, b));
    g_assert_cmpint(thread_of(world.store, c), ==, thread_of(world.store, b));
    g_autoptr(struct_folder) after = folder_get(world.store, world.inbox, NULL);
    g_assert_cmpint(after->conversations, ==, 3);
    g_assert_cmpint(after->unread_conversations, ==, 3);
    g_assert_cmpint(after->unread, ==, 5);
    world_end(&world);
}

/* Thousands of references, a loop, an id longer than a line. */
static void
test_hostile(void)
{
    struct world world;
    world_begin(&world);
    GString *refs = g_string_new(NULL);
    for (guint i = 0; i < 5000; i++)
        g_string_append_printf(refs, "%sghost%u@x", i ? " " : "", i);
    g_autofree char *many = g_string_free(refs, FALSE);
    g_autofree char *longest = g_strnfill(20000, 'a');
    gint64 a =
        add_mail(world.store, world.inbox, 1, "a@x", many, "Ben <ben@example.net>", "many", 1700000001);
    gint64 b = add_mail(world.store, world.inbox, 2, "b@x", "ghost4711@x", "Ben <ben@example.net>",
                        "one of them", 1700000002);
    g_assert_cmpint(thread_of(world.store, a), ==, thread_of(world.store, b));
    gint64 c =
        add_mail(world.store, world.inbox, 3, longest, NULL, "Ben <ben@example.net>", "long", 1700000003);
    gint64 d = add_mail(world.store, world.inbox, 4, "d@x", longest, "Ben <ben@example.net>", "Re: long",
                        1700000004);
    g_assert_cmpint(thread_of(world.store, c), ==, thread_of(world.store, d));
    gint64 e =
        add_mail(world.store, world.inbox, 5, "e@x", "f@x", "Ben <ben@example.net>", "loop", 1700000005);
    gint64 f =
        add_mail(world.store, world.inbox, 6, "f@x", "e@x", "Ben <ben@example.net>", "loop", 1700000006);
    add_mail(world.store, world.inbox, 7, "g@x", "g@x", "Ben <ben@example.net>", "itself", 1700000007);
    g_assert_cmpint(thread_of(world.store, e), ==, thread_of(world.store, f));

    struct list_view view = {.kind = LIST_THREAD, .thread = thread_of(world.store, e)};
    g_autoptr(GPtrArray) rows = list_page(world.store, &view, 0, LIST_OLDER, 0, NULL);
    g_assert_cmpuint(rows->len, ==, 2);
    /* Dates out of any range. */
    static const gint64 dates[] = {1, -5000000000, G_MAXINT64 / 2, 253402300799, G_MININT64 / 2};
    for (guint i = 0; i < G_N_ELEMENTS(dates); i++) {
        g_autoptr(struct_envelope) envelope =
            make_envelope(NULL, NULL, "Ben <ben@example.net>", NULL, "odd date", dates[i]);
        struct placement_new row = {.uid = 100 + i, .envelope = envelope, .received = 1700000000};
        g_assert_true(placement_insert(world.store, world.inbox, &row, 1, NULL, NULL));
    }
    world_end(&world);
}

static void
test_tree(void)
{
    struct world world;
    world_begin(&world);
    gint64 root =
        add_mail(world.store, world.inbox, 1, "root@x", NULL, "Ben <ben@example.net>", "offsite", 1700000000);
    add_mail(world.store, world.inbox, 2, "a@x", "root@x", "Ana <ana@example.org>", "Re: offsite",
             1700000100);
    add_mail(world.store, world.sent, 1, "b@x", "root@x a@x", "Ana <ana@example.org>", "Re: offsite",
             1700000300);
    add_mail(world.store, world.inbox, 3, "c@x", "root@x", "Carl <carl@example.com>", "Re: offsite",
             1700000200);
    add_mail(world.store, world.inbox, 4, "d@x", "root@x gone@x b@x", "Carl <carl@example.com>",
             "Re: offsite", 1700000400);

    struct list_view view = {.kind = LIST_THREAD, .thread = thread_of(world.store, root)};
    g_autoptr(GPtrArray) rows = list_page(world.store, &view, 0, LIST_OLDER, 0, NULL);
    static const struct {
        const char *id;
        guint depth;
    } expected[] = {{"root@x", 0}, {"a@x", 1}, {"b@x", 2}, {"d@x", 3}, {"c@x", 1}};
    g_assert_cmpuint(rows->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < rows->len; i++) {
        struct list_row *row = rows->pdata[i];
        g_assert_cmpstr(row->message_id, ==, expected[i].id);
        g_assert_cmpuint(row->depth, ==, expected[i].depth);
    }
    world_end(&world);
}

/* Without rows: the ids in order, the first unread one, and whether anything has changed. */
static void
test_bare_list(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    gint64 ids[3], unread, thread = 0;
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *id = g_strdup_printf("l%u@x", i);
        gint64 placement = add_mail(world.store, i == 1 ? world.sent : world.inbox, i + 1, id, i ? "l0@x" : NULL,
                                    "Ben <ben@example.net>", "x", 1700000000 + i);
        ids[i] = message_of(world.store, placement);
        thread = thread_of(world.store, placement);
    }
    gint64 stamp = list_thread_stamp(world.store, thread);
    g_assert_cmpint(intent_mark(world.store, ids, 1, FLAG_SEEN, 0, NULL, NULL, &error), >, 0);
    g_assert_cmpint(list_thread_stamp(world.store, thread), !=, stamp);
    stamp = list_thread_stamp(world.store, thread);
    g_autoptr(GArray) all = list_thread_messages(world.store, thread, &unread, &error);
    g_assert_cmpuint(all->len, ==, 3);
    g_assert_cmpint(unread, ==, ids[1]);
    for (guint i = 0; i < all->len; i++)
        g_assert_cmpint(g_array_index(all, gint64, i), ==, ids[i]);
    add_mail(world.store, world.inbox, 9, "elsewhere@x", NULL, "Ben <ben@example.net>", "y", 1700000100);
    g_assert_cmpint(list_thread_stamp(world.store, thread), ==, stamp);
    /* What is deleted is left out, unless all is. */
    g_assert_cmpint(intent_delete(world.store, ids + 2, 1, 0, &error), >, 0);
    g_autoptr(GArray) fewer = list_thread_messages(world.store, thread, &unread, &error);
    g_assert_cmpuint(fewer->len, ==, 2);
    g_assert_cmpint(intent_delete(world.store, ids, 2, 0, &error), >, 0);
    g_autoptr(GArray) deleted = list_thread_messages(world.store, thread, &unread, &error);
    g_assert_cmpuint(deleted->len, ==, 3);
    world_end(&world);
}

/* ---- by hand ---- */

/* "a b | c": the threads of these messages, each in the order given. */
static char *
partition(struct store *store, const char *const *names, guint n)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GHashTable) shown = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < n; i++) {
        g_autofree char *id = g_strconcat(names[i], "@x", NULL);
        g_autoptr(GArray) found = message_find_id(store, id);
        if (!found->len)
            continue;
        g_autoptr(struct_message) first = message_load(store, g_array_index(found, gint64, 0), NULL);
        if (!g_hash_table_add(shown, g_memdup2(&first->thread, sizeof first->thread)))
            continue;
        g_string_append(out, out->len ? " |" : "");
        for (guint k = i; k < n; k++) {
            g_autofree char *other = g_strconcat(names[k], "@x", NULL);
            g_autoptr(GArray) ids = message_find_id(store, other);
            g_autoptr(struct_message) row = ids->len ? message_load(store, g_array_index(ids, gint64, 0), NULL) : NULL;
            if (row && row->thread == first->thread)
                g_string_append_printf(out, "%s%s", out->len ? " " : "", names[k]);
        }
    }
    return g_string_free(out, FALSE);
}

static const char *const names[] = {"root", "a", "b", "c", "other", "reply"};
static const struct {
    const char *refs, *subject;
} mails_by_hand[] = {{NULL, "plans"},     {"root@x", "Re: plans"},           {"root@x a@x", "Re: plans"},
                     {"root@x", "Re: plans"}, {NULL, "something else"}, {"other@x", "Re: something else"}};

static gint64
by_name(struct store *store, const char *name)
{
    g_autofree char *id = g_strconcat(name, "@x", NULL);
    g_autoptr(GArray) found = message_find_id(store, id);
    g_assert_cmpuint(found->len, ==, 1);
    return g_array_index(found, gint64, 0);
}

static void
add_by_hand(struct world *world, guint i)
{
    g_autofree char *id = g_strconcat(names[i], "@x", NULL);
    add_mail(world->store, i % 2 ? world->inbox : world->sent, i + 1, id, mails_by_hand[i].refs, "Ben <ben@example.net>",
             mails_by_hand[i].subject, 1700000000 + i);
}

#define assert_partition(store, expected)                                                                    \
    G_STMT_START                                                                                             \
    {                                                                                                        \
        g_autofree char *found_ = partition(store, names, G_N_ELEMENTS(names));                              \
        g_assert_cmpstr(found_, ==, expected);                                                               \
        assert_sound(store);                                                                                 \
    }                                                                                                        \
    G_STMT_END

static void
test_hand(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        add_by_hand(&world, i);
    assert_partition(world.store, "root a b c | other reply");

    gint64 a = by_name(world.store, "a"), root = by_name(world.store, "root"), other = by_name(world.store, "other");
    g_assert_cmpint(conversation_break(world.store, &a, 1, &error), >, 0);
    g_assert_no_error(error);
    assert_partition(world.store, "root c | a b | other reply"); /* b goes along, though it names root, too */
    g_assert_cmpint(conversation_break(world.store, &a, 1, &error), ==, INTENT_NOTHING);

    gint64 reply = by_name(world.store, "reply");
    g_assert_cmpint(conversation_join(world.store, &a, 1, reply, &error), >, 0);
    assert_partition(world.store, "root c | a b other reply");
    g_autoptr(struct_message) row = message_load(world.store, a, NULL);
    struct list_view view = {.kind = LIST_THREAD, .thread = row->thread};
    g_autoptr(GPtrArray) tree = list_page(world.store, &view, 0, LIST_OLDER, 0, &error);
    static const struct {
        const char *id;
        guint depth;
    } expected[] = {{"other@x", 0}, {"reply@x", 1}, {"a@x", 2}, {"b@x", 3}};
    g_assert_cmpuint(tree->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < tree->len; i++) {
        g_assert_cmpstr(((struct list_row *)tree->pdata[i])->message_id, ==, expected[i].id);
        g_assert_cmpuint(((struct list_row *)tree->pdata[i])->depth, ==, expected[i].depth);
    }

    /* Taken back one after the other. */
    g_autofree char *text = NULL;
    g_assert_true(undo(world.store, 0, &text, &error));
    g_assert_cmpstr(text, ==, "join 1 message to a conversation");
    assert_partition(world.store, "root c | a b | other reply");
    g_assert_true(undo(world.store, 0, NULL, &error));
    assert_partition(world.store, "root a b c | other reply");

    /* A whole conversation to another, and both ways of a loop. */
    g_assert_cmpint(conversation_join(world.store, &root, 1, other, &error), >, 0);
    assert_partition(world.store, "root a b c other reply");
    g_assert_cmpint(conversation_join(world.store, &other, 1, root, &error), >, 0);
    assert_partition(world.store, "root a b c other reply");
    g_autoptr(struct_message) now = message_load(world.store, root, NULL);
    view.thread = now->thread;
    g_autoptr(GPtrArray) loop = list_page(world.store, &view, 0, LIST_OLDER, 0, &error);
    g_assert_cmpuint(loop->len, ==, 6);
    world_end(&world);
}

/* The words hold whatever comes when, also when the database is made anew. */
static void
test_hand_any_order(void)
{
    for (guint round = 0; round < 20; round++) {
        struct world world;
        g_autoptr(GError) error = NULL;
        guint order[G_N_ELEMENTS(names)], at = (guint)g_test_rand_int_range(0, G_N_ELEMENTS(names) + 1);
        world_begin(&world);
        for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
            guint k = (guint)g_test_rand_int_range(0, (gint32)i + 1);
            order[i] = i;
            order[i] = order[k];
            order[k] = i;
        }
        gboolean broken = FALSE, joined = FALSE;
        for (guint i = 0; i <= G_N_ELEMENTS(names); i++) {
            /* Each as soon as the messages are there, at a random time. */
            g_autoptr(GArray) a = message_find_id(world.store, "a@x"), c = message_find_id(world.store, "c@x"),
                              reply = message_find_id(world.store, "reply@x");
            if (i >= at && a->len && !broken)
                broken = conversation_break(world.store, &g_array_index(a, gint64, 0), 1, &error) != 0;
            if (i >= at && c->len && reply->len && !joined)
                joined = conversation_join(world.store, &g_array_index(c, gint64, 0), 1,
                                           g_array_index(reply, gint64, 0), &error) != 0;
            g_assert_no_error(error);
            if (i < G_N_ELEMENTS(names))
                add_by_hand(&world, order[i]);
        }
        g_assert_true(broken && joined);
        assert_partition(world.store, "root | a b | c other reply");

        /* The same mail again, in another order, beside the log alone. */
        store_close(world.store);
        g_autofree char *aside = NULL;
        guint unread;
        g_assert_true(store_rebuild(world.dir, &aside, &unread, &error));
        g_assert_no_error(error);
        world.store = open_store(world.dir, STORE_WRITE);
        const char *const me[] = {"ana@example.org", NULL};
        world.account = store_account_ensure(world.store, "work", me, &error);
        const guint bits = FOLDER_SELECTABLE | FOLDER_SUBSCRIBED;
        world.inbox = folder_upsert(world.store, world.account, "INBOX", "INBOX", '/', FOLDER_INBOX, bits, &error);
        world.sent = folder_upsert(world.store, world.account, "Sent", "Sent", '/', FOLDER_SENT, bits, &error);
        g_assert_no_error(error);
        for (guint i = G_N_ELEMENTS(names); i-- > 0;)
            add_by_hand(&world, order[i]);
        assert_partition(world.store, "root | a b | c other reply");
        world_end(&world);
    }
}

/* Random threads, random words, then all words taken back: the threads are what the headers say. */
static void
test_hand_random(void)
{
    for (guint round = 0; round < 8; round++) {
        struct world world;
        struct mail mails[MESSAGES];
        gint64 ids[MESSAGES];
        g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
        g_autoptr(GError) error = NULL;
        guint done = 0;
        world_begin(&world);
        make_mails(mails, rand);
        for (guint i = 0; i < MESSAGES; i++)
            ids[i] = message_of(world.store, add_mail(world.store, i % 3 ? world.inbox : world.sent, i + 1, mails[i].id,
                                                      mails[i].refs, "Ben <ben@example.net>", "x", 1700000000 + i));
        for (guint i = 0; i < 30; i++) {
            gint64 child = ids[g_rand_int_range(rand, 0, MESSAGES)], parent = ids[g_rand_int_range(rand, 0, MESSAGES)];
            gint64 result = g_rand_boolean(rand) ? conversation_break(world.store, &child, 1, &error)
                                                 : conversation_join(world.store, &child, 1, parent, &error);
            g_assert_no_error(error);
            done += result > 0;
            if (i % 10 == 0)
                assert_sound(world.store);
        }
        for (guint i = 0; i < done; i++)
            g_assert_true(undo(world.store, 0, NULL, &error));
        for (guint i = 0; i < MESSAGES; i++)
            for (guint k = 0; k < i; k++) {
                g_autoptr(struct_message) one = message_load(world.store, ids[i], NULL),
                                          two = message_load(world.store, ids[k], NULL);
                g_assert_true((mails[i].root == mails[k].root) == (one->thread == two->thread));
            }
        for (guint i = 0; i < MESSAGES; i++) {
            g_free(mails[i].id);
            g_free(mails[i].refs);
        }
        world_end(&world);
    }
}

static void
test_no_id(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    gint64 message = message_of(world.store, add_mail(world.store, world.inbox, 1, NULL, NULL, "Ben <ben@example.net>", "x", 1700000000));
    g_assert_cmpint(conversation_break(world.store, &message, 1, &error), ==, 0);
    g_assert_error(error, STORE_ERROR, ERROR_REFUSED);
    world_end(&world);
}

/* ---- silence ---- */

static guint
flags_of(struct store *store, const char *name)
{
    g_autoptr(struct_message) row = message_load(store, by_name(store, name), NULL);
    return row->flags;
}

static void
test_muted(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    add_by_hand(&world, 0);
    add_by_hand(&world, 4);
    gint64 root = by_name(world.store, "root");
    g_assert_cmpint(conversation_mute(world.store, &root, 1, TRUE, &error), >, 0);
    g_assert_cmpuint(flags_of(world.store, "root"), ==, FLAG_SEEN);
    add_by_hand(&world, 1); /* silent: read, and so wanted on the server; no news for the folder */
    g_assert_cmpuint(flags_of(world.store, "a"), ==, FLAG_SEEN);
    g_autoptr(struct_placement_set) changed = placement_load(world.store, world.inbox, PLACEMENT_SELECT_CHANGED, 0, &error);
    g_assert_cmpuint(changed->n, ==, 1);
    g_assert_cmpuint(changed->rows[0].flags, ==, FLAG_SEEN);
    g_autoptr(struct_folder) inbox = folder_get(world.store, world.inbox, NULL);
    g_assert_cmpint(inbox->unread, ==, 0);
    add_by_hand(&world, 5); /* another conversation */
    g_assert_cmpuint(flags_of(world.store, "reply"), ==, 0);

    /* One that is torn off keeps silence only where a message says so; joined to a silent one it is silent, too. */
    gint64 a = by_name(world.store, "a"), other = by_name(world.store, "other");
    g_assert_cmpint(conversation_break(world.store, &a, 1, &error), >, 0);
    add_by_hand(&world, 2);
    g_assert_cmpuint(flags_of(world.store, "b"), ==, 0);
    g_assert_cmpint(conversation_join(world.store, &other, 1, root, &error), >, 0);
    add_mail(world.store, world.inbox, 50, "late@x", "reply@x", "Ben <ben@example.net>", "late", 1700000900);
    g_assert_cmpuint(flags_of(world.store, "late"), ==, FLAG_SEEN);
    g_assert_true(undo(world.store, 0, NULL, &error));
    g_assert_true(undo(world.store, 0, NULL, &error));
    assert_partition(world.store, "root a b | other reply");

    /* Undone: as before, and loud again. */
    g_assert_true(undo(world.store, 0, NULL, &error));
    g_assert_cmpuint(flags_of(world.store, "root"), ==, 0);
    add_by_hand(&world, 3);
    g_assert_cmpuint(flags_of(world.store, "c"), ==, 0);

    /* The word comes from another device, as a keyword. */
    g_autoptr(struct_envelope) envelope = make_envelope("there@x", "other@x", "Ben <ben@example.net>", NULL, "there", 1700000800);
    add_envelope(world.store, world.inbox, 60, FLAG_SEEN, "muted", envelope);
    add_mail(world.store, world.inbox, 61, "next@x", "there@x", "Ben <ben@example.net>", "next", 1700000901);
    g_assert_cmpuint(flags_of(world.store, "next"), ==, FLAG_SEEN);
    g_assert_cmpint(conversation_mute(world.store, &other, 1, FALSE, &error), >, 0);
    add_mail(world.store, world.inbox, 62, "loud@x", "there@x", "Ben <ben@example.net>", "loud", 1700000902);
    g_assert_cmpuint(flags_of(world.store, "loud"), ==, 0);
    world_end(&world);
}

/* An envelope that names nobody and nothing is a message like any other. */
static void
test_bare(void)
{
    struct world world;
    world_begin(&world);
    gint64 message =
        message_of(world.store, add_mail(world.store, world.inbox, 1, NULL, NULL, NULL, NULL, 0));
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_message) row = message_load(world.store, message, &error);
    g_assert_no_error(error);
    g_assert_null(row->from_addr);
    g_assert_cmpstr(row->subject, ==, "");
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/threads/any-order", test_any_order);
    g_test_add_func("/threads/merge", test_merge);
    g_test_add_func("/threads/hostile", test_hostile);
    g_test_add_func("/threads/tree", test_tree);
    g_test_add_func("/threads/bare", test_bare);
    g_test_add_func("/threads/bare-list", test_bare_list);
    g_test_add_func("/threads/hand", test_hand);
    g_test_add_func("/threads/hand/any-order", test_hand_any_order);
    g_test_add_func("/threads/hand/random", test_hand_random);
    g_test_add_func("/threads/hand/no-id", test_no_id);
    g_test_add_func("/threads/muted", test_muted);
    return g_test_run();
}
