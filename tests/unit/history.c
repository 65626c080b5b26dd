/* history: sums, the last events, bounds, what goes with a folder, and a store of the version before */
#include "config.h"

#include "storetest.h"
#include "store/history.h"
#include "store/standing.h"

static struct history_total
total(struct world *world, gint64 folder)
{
    g_autoptr(GError) error = NULL;
    struct history_total sum;
    g_assert_true(history_total(world->store, world->account, folder, &sum, &error));
    g_assert_no_error(error);
    return sum;
}

static GPtrArray *
events(struct world *world, gint64 folder, guint kinds)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *list = history_events(world->store, world->account, folder, kinds, 1000, &error);
    g_assert_no_error(error);
    return list;
}

static void
add(struct world *world, gint64 folder, gint64 time, struct history_counts counts)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(history_add(world->store, world->account, folder, time, &counts, &error));
    g_assert_no_error(error);
}

static void
test_sums(void)
{
    struct world world;
    world_begin(&world);
    g_assert_cmpint(total(&world, -1).since, ==, 0);
    add(&world, world.inbox, 100, (struct history_counts){.passes = 1, .bytes_in = 5000, .envelopes = 7, .bodies = 7});
    add(&world, world.inbox, 200, (struct history_counts){.passes = 3, .unchanged = 3, .bytes_in = 90});
    add(&world, world.inbox, 300, (struct history_counts){.flags_out = 2, .moved = 1});
    add(&world, world.sent, 250, (struct history_counts){.passes = 1, .skipped = 1, .bytes_in = 10});
    struct history_total inbox = total(&world, world.inbox), all = total(&world, -1);
    g_assert_cmpint(inbox.since, ==, 100);
    g_assert_cmpint(inbox.last_in, ==, 100);
    g_assert_cmpint(inbox.last_out, ==, 300);
    g_assert_cmpuint(inbox.counts.passes, ==, 4);
    g_assert_cmpuint(inbox.counts.unchanged, ==, 3);
    g_assert_cmpuint(inbox.counts.bytes_in, ==, 5090);
    g_assert_cmpuint(inbox.counts.moved, ==, 1);
    g_assert_cmpuint(all.counts.bytes_in, ==, 5100);
    g_assert_cmpuint(all.counts.skipped, ==, 1);
    g_assert_cmpint(total(&world, world.trash).since, ==, 0);

    /* A look that found nothing is no event; the newest comes first. */
    g_autoptr(GPtrArray) list = events(&world, world.inbox, 0);
    g_assert_cmpuint(list->len, ==, 2);
    const struct history_event *first = list->pdata[0];
    g_assert_cmpint(first->time, ==, 300);
    g_assert_cmpint(first->kind, ==, HISTORY_PASS);
    g_assert_cmpuint(first->counts.flags_out, ==, 2);
    g_autofree char *text = history_counts_to_string(&first->counts);
    g_assert_cmpstr(text, ==, "2 marks out, 1 moved");
    g_autoptr(GPtrArray) everywhere = events(&world, -1, 0);
    g_assert_cmpuint(everywhere->len, ==, 3);
    world_end(&world);
}

static void
test_bounds(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    g_assert_true(history_note(world.store, world.account, world.inbox, 1, HISTORY_CONFLICT, 9, "subject\n+seen\n-work\n",
                               &error));
    for (guint i = 0; i < 3 * HISTORY_KEPT; i++)
        add(&world, world.inbox, 1000 + i, (struct history_counts){.envelopes = 1});
    /* What is said again and again is one event. */
    for (guint i = 0; i < 5; i++)
        g_assert_true(history_note(world.store, world.account, 0, 50 + i, HISTORY_ERROR, 0, "no route", &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) passes = events(&world, world.inbox, 1 << HISTORY_PASS);
    g_assert_cmpuint(passes->len, ==, HISTORY_KEPT);
    g_assert_cmpint(((struct history_event *)passes->pdata[0])->time, ==, 1000 + 3 * HISTORY_KEPT - 1);
    g_autoptr(GPtrArray) conflicts = events(&world, world.inbox, 1 << HISTORY_CONFLICT);
    g_assert_cmpuint(conflicts->len, ==, 1);
    g_assert_cmpint(((struct history_event *)conflicts->pdata[0])->message, ==, 9);
    g_autoptr(GPtrArray) errors = events(&world, 0, 1 << HISTORY_ERROR);
    g_assert_cmpuint(errors->len, ==, 1);
    g_assert_cmpint(((struct history_event *)errors->pdata[0])->time, ==, 54);
    g_assert_cmpuint(total(&world, world.inbox).counts.envelopes, ==, 3 * HISTORY_KEPT);
    world_end(&world);
}

static void
test_folder_goes(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    add(&world, world.archive, 5, (struct history_counts){.envelopes = 2});
    g_assert_true(history_set_missing(world.store, world.account, world.archive, 4, &error));
    g_assert_cmpuint(total(&world, world.archive).missing, ==, 4);
    g_assert_true(history_set_missing(world.store, world.account, world.archive, 0, &error));
    g_assert_cmpuint(total(&world, world.archive).missing, ==, 0);
    g_assert_true(folder_forget(world.store, world.archive, &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) list = events(&world, -1, 0);
    g_assert_cmpuint(list->len, ==, 0);
    g_assert_cmpuint(total(&world, -1).counts.envelopes, ==, 0);

    g_assert_null(history_server(world.store, world.account));
    g_assert_true(history_set_server(world.store, world.account, "name Dovecot", &error));
    g_autofree char *server = history_server(world.store, world.account);
    g_assert_cmpstr(server, ==, "name Dovecot");
    world_end(&world);
}

static void
test_standing(void)
{
    const guint whole = FOLDER_SELECTABLE | FOLDER_SUBSCRIBED;
    const struct keep off = {.what = KEEP_OFF};
    const struct pending some = {.marks = 2, .moves = 1}, refused = {.uploads = 1, .failed = 1};
    const struct {
        struct folder folder;
        const struct keep *keep;
        const struct pending *pending;
        const char *name;
    } cases[] = {
        {{.wire = (char *)"a", .bits = whole, .synced = 5}, NULL, NULL, "in-step"},
        {{.wire = (char *)"a", .bits = whole, .synced = 5}, NULL, &some, "waiting"},
        {{.wire = (char *)"a", .bits = whole, .synced = 5}, NULL, &refused, "trouble"},
        {{.wire = (char *)"a", .bits = whole, .synced = 5, .notice = (char *)"x"}, NULL, NULL, "trouble"},
        {{.wire = (char *)"a", .bits = whole | FOLDER_PAUSED, .synced = 5, .notice = (char *)"x"}, NULL, NULL, "held"},
        {{.wire = (char *)"a", .bits = whole}, NULL, NULL, "never"},
        {{.bits = whole, .synced = 0}, NULL, NULL, "local"},
        {{.bits = whole, .role = FOLDER_INBOX, .synced = 5}, NULL, NULL, "in-step"},
        {{.wire = (char *)"a", .bits = FOLDER_SELECTABLE}, NULL, NULL, "unsubscribed"},
        {{.wire = (char *)"a", .bits = FOLDER_SUBSCRIBED}, NULL, NULL, "level"},
        {{.wire = (char *)"a", .bits = whole, .synced = 5}, &off, &some, "off"},
        {{.wire = (char *)"a", .bits = whole | FOLDER_GONE}, NULL, NULL, "gone"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(standing_name(standing_of(&cases[i].folder, cases[i].keep, cases[i].pending)), ==, cases[i].name);
    g_autofree char *text = pending_to_string(&some);
    g_assert_cmpstr(text, ==, "2 marks, 1 move");
    g_assert_cmpuint(pending_count(NULL), ==, 0);
}

/* What waits, by folder and kind; and an account that rests. */
static void
test_pending(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    gint64 ids[4];
    for (guint i = 0; i < 4; i++) {
        g_autofree char *id = g_strdup_printf("m%u@example.net", i);
        ids[i] = add_mail(world.store, world.inbox, i + 1, id, NULL, "Ben <ben@example.net>", "hi", 1700000000 + i);
    }
    g_assert_cmpint(standing_count_bare(world.store, world.inbox, &error), ==, 4);
    g_assert_cmpint(intent_mark(world.store, ids, 2, FLAG_FLAGGED, 0, NULL, NULL, &error), >, 0);
    g_assert_cmpint(intent_move(world.store, ids + 2, 1, world.inbox, world.archive, &error), >, 0);
    g_assert_cmpint(intent_expunge(world.store, ids + 3, 1, world.inbox, &error), >, 0);
    g_autoptr(GHashTable) all = pending_list(world.store, world.account, &error);
    g_assert_no_error(error);
    const struct pending *inbox = g_hash_table_lookup(all, &world.inbox);
    g_assert_nonnull(inbox);
    g_assert_cmpuint(inbox->marks, ==, 2);
    g_assert_cmpuint(inbox->moves, ==, 1);
    g_assert_cmpuint(inbox->deletions, ==, 1);
    g_assert_null(g_hash_table_lookup(all, &world.archive));
    g_autoptr(GHashTable) nobody = pending_list(world.store, world.account + 1, &error);
    g_assert_cmpuint(g_hash_table_size(nobody), ==, 0);

    g_assert_false(account_is_paused(world.store, world.account));
    g_assert_true(account_set_paused(world.store, world.account, TRUE, &error));
    g_assert_true(account_is_paused(world.store, world.account));
    g_assert_true(account_set_paused(world.store, world.account, FALSE, &error));
    g_assert_false(account_is_paused(world.store, world.account));
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/sums", test_sums);
    g_test_add_func("/history/bounds", test_bounds);
    g_test_add_func("/history/folder goes", test_folder_goes);
    g_test_add_func("/history/standing", test_standing);
    g_test_add_func("/history/pending", test_pending);
    return g_test_run();
}
