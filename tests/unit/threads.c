/* threads: the same whatever the order of arrival, merging, hostile references; conversations of folders
 * agree */
#include "config.h"

#include "storetest.h"
#include "store/list.h"

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
    return g_test_run();
}
