/* message: naming one, bodies that are wanted, placements that meet, repair of what is derived, following
 * changes */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/changes.h"
#include "store/internal.h"
#include "store/survey.h"


static void
test_lookup(void)
{
    struct world world;
    world_begin(&world);
    gint64 id = message_of(world.store, add_mail(world.store, world.inbox, 1, "a.b@x", NULL,
                                                 "Ben <ben@example.net>", "hi", 1700000000));
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, id);
    const struct {
        const char *text;
        int code; /* 0: found */
    } cases[] = {
        {number, 0},
        {"id:a.b@x", 0},
        {"id:<a.b@x>", 0},
        {"4711", ERROR_NOINPUT},
        {"id:nobody@x", ERROR_NOINPUT},
        {"id:", ERROR_NOINPUT},
        {"", ERROR_INPUT},
        {"-1", ERROR_INPUT},
        {"1x", ERROR_INPUT},
        {"99999999999999999999999", ERROR_INPUT},
        {"inbox", ERROR_INPUT},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        gint64 found = message_lookup(world.store, cases[i].text, &error);
        g_test_message("%s: %s", cases[i].text, error ? error->message : "found");
        g_assert_cmpint(found, ==, cases[i].code ? 0 : id);
        if (cases[i].code)
            g_assert_error(error, STORE_ERROR, cases[i].code);
    }
    world_end(&world);
}

static void
test_bodies(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 places[3], ids[3];
    for (guint i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("m%u@x", i);
        places[i] = add_mail(world.store, world.inbox, i + 1, name, NULL, "Ben <ben@example.net>", name,
                             1700000000 + i);
        ids[i] = message_of(world.store, places[i]);
    }
    g_assert_null(store_message_bytes(world.store, ids[0], &error));
    g_assert_error(error, STORE_ERROR, ERROR_STALE);
    g_clear_error(&error);
    g_assert_null(store_message_bytes(world.store, 4711, &error));
    g_assert_error(error, STORE_ERROR, ERROR_NOINPUT);
    g_clear_error(&error);
    /* Newest first in the background; what was opened comes before, in the order of the wishes. */
    g_autoptr(struct_placement_set) bare =
        placement_load(world.store, world.inbox, PLACEMENT_SELECT_NO_BODY, 2, &error);
    g_assert_cmpuint(bare->n, ==, 2);
    g_assert_cmpint(bare->rows[0].id, ==, places[2]);
    g_assert_true(message_want_body(world.store, ids[1], &error));
    g_assert_true(message_want_body(world.store, ids[0], &error));
    g_assert_true(message_want_body(world.store, ids[1], &error));
    g_autoptr(GArray) wanted = message_wanted_bodies(world.store, world.account, &error);
    g_assert_cmpuint(wanted->len, ==, 2);
    g_assert_cmpint(g_array_index(wanted, gint64, 0), ==, places[1]);
    add_body(world.store, places[1], "here it is", NULL);
    g_autoptr(GArray) left = message_wanted_bodies(world.store, world.account, &error);
    g_assert_cmpuint(left->len, ==, 1);
    /* Fetched a second time: one file, one message. */
    g_autofree char *first = store_message_path(world.store, ids[1], &error);
    add_body(world.store, places[1], "here it is", NULL);
    g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));
    g_autoptr(GBytes) bytes = store_message_bytes(world.store, ids[1], &error);
    g_assert_nonnull(bytes);
    /* The file vanishes: said as what it is. */
    g_autofree char *second = store_message_path(world.store, ids[1], &error);
    g_assert_cmpint(g_unlink(second), ==, 0);
    g_assert_null(store_message_path(world.store, ids[1], &error));
    g_assert_error(error, STORE_ERROR, ERROR_STALE);
    g_clear_error(&error);

    /* A message that the reader cannot read is kept all the same. */
    g_autofree char *dir = folder_path(world.store, world.inbox, TRUE, &error);
    struct maildir_entry entry = {0};
    g_assert_true(maildir_deliver(dir, 0, "junk", 4, &entry, &error));
    struct placement_body body = {places[2], entry.file, entry.hash, entry.wire_size, NULL};
    g_assert_true(placement_attach(world.store, &body, 1, &error));
    g_autoptr(struct_message) broken = message_load(world.store, ids[2], &error);
    g_assert_true(broken->cached && broken->bits & MESSAGE_BROKEN);
    g_assert_true(message_set_bits(world.store, ids[2], MESSAGE_CALENDAR, MESSAGE_BROKEN, &error));
    g_assert_true(message_set_junk(world.store, ids[2], 2, &error));
    g_autoptr(struct_message) changed = message_load(world.store, ids[2], &error);
    g_assert_cmpuint(changed->bits & (MESSAGE_BROKEN | MESSAGE_CALENDAR), ==, MESSAGE_CALENDAR);
    g_assert_cmpint(changed->junk, ==, 2);
    maildir_entry_clear(&entry);
    world_end(&world);
}

/* The folder was listed before the move's UID was told: the listed placement and ours become one. */
static void
test_meeting(void)
{
    for (guint listed_body = 0; listed_body < 2; listed_body++)
        for (guint had_body = 0; had_body < 2; had_body++) {
            struct world world;
            world_begin(&world);
            g_autoptr(GError) error = NULL;
            gint64 source =
                add_mail(world.store, world.inbox, 1, "a@x", NULL, "Ben <ben@example.net>", "a", 1700000000);
            if (had_body)
                add_body(world.store, source, "the same text", NULL);
            gint64 m = message_of(world.store, source);
            g_assert_cmpint(intent_move(world.store, &m, 1, world.inbox, world.archive, &error), >, 0);
            g_autoptr(GPtrArray) list = intent_next(world.store, world.account, 1, &error);
            struct intent *intent = list->pdata[0];
            g_assert_true(intent_claim(world.store, &intent->id, 1, &error));
            gint64 listed = add_mail(world.store, world.archive, 9, "a@x", NULL, "Ben <ben@example.net>", "a",
                                     1700000000);
            if (listed_body)
                add_body(world.store, listed, "the same text", NULL);
            struct intent_result result = {intent->id, 9, 3};
            g_assert_true(intent_done(world.store, &result, 1, &error));
            g_assert_no_error(error);
            g_autoptr(struct_folder) folder = folder_get(world.store, world.archive, &error);
            g_assert_cmpint(folder->total, ==, 1);
            gint64 left = placement_find_uid(world.store, world.archive, 9);
            g_assert_cmpint(left, ==, intent->target);
            g_assert_cmpuint(placement_max_uid(world.store, world.archive), ==, 9);
            if (listed_body || had_body) {
                g_autoptr(GBytes) bytes =
                    store_message_bytes(world.store, message_of(world.store, left), &error);
                g_assert_no_error(error);
                g_assert_nonnull(bytes);
            }
            world_end(&world);
        }
}

static void
test_repair(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    for (guint i = 1; i <= 5; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i);
        add_mail(world.store, world.inbox, i, id, i > 3 ? "m1@x" : NULL, "Ben <ben@example.net>", id,
                 1700000000 + i);
    }
    store_close(world.store);
    static const char *const damages[] = {
        "UPDATE folder SET total = 99, unread = -3, conversations = 7",
        "UPDATE folder_thread SET count = 5, newest = 1",
        "DELETE FROM folder_thread",
        "UPDATE placement SET thread = 77 WHERE uid = 1",
        "UPDATE message SET shown = 9 WHERE id = 2",
        "UPDATE placement SET state = 1 WHERE uid = 3",
        "UPDATE thread SET size = 44",
        "INSERT INTO intent (account, kind, source, created, journal) VALUES (1, 4, 4711, 0, 0)",
    };
    for (guint i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autofree char *path = g_build_filename(world.dir, "postrider.db", NULL);
        sqlite3 *db;
        g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
        g_assert_cmpint(sqlite3_exec(db, damages[i], NULL, NULL, NULL), ==, SQLITE_OK);
        sqlite3_close(db);
        world.store = open_store(world.dir, STORE_WRITE);
        g_autoptr(GPtrArray) problems = store_check(world.store, &error);
        g_assert_no_error(error);
        g_test_message("%s", problems->len ? (char *)problems->pdata[0] : "nothing found");
        g_assert_cmpuint(problems->len, >, 0);
        g_assert_true(store_repair(world.store, &error));
        g_assert_no_error(error);
        assert_sound(world.store);
        g_autoptr(struct_folder) folder = folder_get(world.store, world.inbox, &error);
        g_assert_cmpint(folder->total, ==, 5);
        g_assert_cmpint(folder->conversations, ==, 3);
        store_close(world.store);
    }
    world.store = open_store(world.dir, STORE_WRITE);
    world_end(&world);
}

/* A reader that keeps one number sees every change, in pages, and what has gone. */
static void
test_follow(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 ids[40], places[40];
    for (guint i = 0; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i);
        places[i] =
            add_mail(world.store, world.inbox, i + 1, id, NULL, "Ben <ben@example.net>", id, 1700000000 + i);
        add_body(world.store, places[i], id, NULL);
        ids[i] = message_of(world.store, places[i]);
    }
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    gint64 since = 0;
    for (;;) {
        g_autoptr(GPtrArray) page = changes_since(world.store, since, 7, &error);
        g_assert_no_error(error);
        if (!page->len)
            break;
        for (guint i = 0; i < page->len; i++) {
            struct change *change = page->pdata[i];
            g_assert_cmpint(change->sequence, >=, since);
            since = change->sequence;
            g_hash_table_add(seen, g_memdup2(&change->message, sizeof change->message));
        }
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, 40);
    g_assert_cmpint(since, ==, changes_sequence(world.store));
    gint64 cursor = 0;
    guint n = 0;
    gint64 last = G_MAXINT64;
    do {
        g_autoptr(GPtrArray) page = changes_all(world.store, &cursor, 9, &error);
        for (guint i = 0; i < page->len; i++, n++) {
            struct change *change = page->pdata[i];
            g_assert_cmpint(change->date, <, last); /* newest first */
            last = change->date;
            g_assert_cmpuint(change->files->len, ==, 1);
        }
    } while (cursor);
    g_assert_cmpuint(n, ==, 40);
    /* Removed without a body: gone at once; with one: kept, and told as gone. */
    gint64 bare =
        add_mail(world.store, world.inbox, 99, "bare@x", NULL, "Ben <ben@example.net>", "bare", 1700000000);
    gint64 both[] = {bare, places[0]};
    since = changes_sequence(world.store);
    g_assert_true(placement_remove(world.store, both, 2, &error));
    g_autoptr(GPtrArray) gone = changes_since(world.store, since, 10, &error);
    g_assert_cmpuint(gone->len, ==, 2);
    for (guint i = 0; i < 2; i++)
        g_assert_true(((struct change *)gone->pdata[i])->gone);

    g_assert_true(index_state_set(world.store, "notmuch.uuid", "abc", &error));
    g_autofree char *uuid = index_state_get(world.store, "notmuch.uuid");
    g_assert_cmpstr(uuid, ==, "abc");
    g_assert_true(index_state_set(world.store, "notmuch.uuid", NULL, &error));
    g_assert_null(index_state_get(world.store, "notmuch.uuid"));
    g_assert_true(index_skip_add(world.store, ids[5], "SIGSEGV", &error));
    g_assert_true(index_skip_has(world.store, ids[5]));
    g_assert_false(index_skip_has(world.store, ids[6]));
    g_autoptr(GPtrArray) skipped = index_skip_list(world.store, &error);
    g_assert_cmpuint(skipped->len, ==, 1);
    g_assert_cmpint(((struct index_skipped *)skipped->pdata[0])->message, ==, ids[5]);
    g_assert_cmpstr(((struct index_skipped *)skipped->pdata[0])->reason, ==, "SIGSEGV");
    since = changes_sequence(world.store);
    g_assert_true(index_skip_clear(world.store, &error));
    g_assert_false(index_skip_has(world.store, ids[5]));
    g_autoptr(GPtrArray) none = index_skip_list(world.store, &error);
    g_assert_cmpuint(none->len, ==, 0);
    g_autoptr(GPtrArray) anew = changes_since(world.store, since, 10, &error); /* the indexer looks at it again */
    g_assert_cmpuint(anew->len, ==, 1);
    g_assert_cmpint(((struct change *)anew->pdata[0])->message, ==, ids[5]);
    world_end(&world);
}

/* A folder's UIDs are counted where there is no gap, and read where there is one. */
static void
test_uids(void)
{
    static const char *const sets[] = {
        "",           "1",          "7:8198",       "1:8192",        "1:20000",
        "2:8192,8194:16385", "1:3,9000:30000,40000,4294967295", "4294959104:4294967295", "1:8191,8193:24577",
    };
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_uidset) wanted = uidset_parse(sets[i], -1, 0);
        guint32 first, last;
        g_assert_true(store_begin(world.store, &error));
        for (struct uidset_iter it = uidset_iter(wanted); uidset_next_range(&it, &first, &last);)
            g_assert_true(sql_run(world.store, &error,
                                  "INSERT INTO placement (folder, message, key, thread, uid, base_flags, base_tags, flags, tags)"
                                  " WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                                  " SELECT ?, 0, i, 0, i, 0, '', 0, '' FROM n",
                                  "lll", (gint64) first, (gint64) last, world.inbox));
        g_assert_true(store_commit(world.store, &error));
        g_autoptr(struct_uidset) uids = survey_uids(world.store, world.inbox, &error);
        g_assert_no_error(error);
        g_autofree char *text = uidset_format(uids);
        g_assert_cmpstr(text, ==, sets[i]);
        g_assert_true(store_begin(world.store, &error) && sql_run(world.store, &error, "DELETE FROM placement", "") &&
                      store_commit(world.store, &error));
        world_end(&world);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message/uids", test_uids);
    g_test_add_func("/message/lookup", test_lookup);
    g_test_add_func("/message/bodies", test_bodies);
    g_test_add_func("/message/meeting", test_meeting);
    g_test_add_func("/message/repair", test_repair);
    g_test_add_func("/message/follow", test_follow);
    return g_test_run();
}
