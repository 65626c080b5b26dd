/* store: opening, versions, damage, read-only, transactions, change count */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/query.h"
#include "store/texts.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
expect_refusal(const char *dir, enum store_mode mode, int code)
{
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(dir, mode, &error);
    g_assert_null(store);
    g_assert_nonnull(error);
    g_test_message("%s", error->message);
    g_assert_cmpint(error->code, ==, code);
    g_assert_cmpuint(strlen(error->message), >, 20);
}

static void
test_open(void)
{
    g_autofree char *base = g_dir_make_tmp("postrider-store-XXXXXX", NULL);
    g_autofree char *dir = g_build_filename(base, "deep", "store", NULL);
    g_autofree char *path = g_build_filename(dir, "postrider.db", NULL);
    struct stat st;

    expect_refusal(dir, STORE_READ, ERROR_NOINPUT);
    mode_t old = umask(0);
    store_close(open_store(dir, STORE_WRITE));
    umask(old);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(dir, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0700);
    store_close(open_store(dir, STORE_READ));
    store_close(open_store(dir, STORE_WRITE));

    raw(dir, "PRAGMA user_version = 999");
    expect_refusal(dir, STORE_WRITE, ERROR_CONFIG);
    expect_refusal(dir, STORE_READ, ERROR_CONFIG);
    remove_tree(base);
}

static void
test_read_only(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    store_close(world.store);

    /* A store on a medium that cannot be written: also not by root, so the files are laid out as one leaves
     * them. */
    world.store = open_store(world.dir, STORE_READ);
    g_assert_cmpint(folder_find(world.store, world.account, "inbox"), ==, world.inbox);
    g_assert_false(store_begin(world.store, &error));
    g_assert_error(error, STORE_ERROR, ERROR_IO);
    g_assert_nonnull(strstr(error->message, world.dir));
    g_clear_error(&error);
    g_assert_false(store_set(world.store, "a", "b", &error));
    g_assert_error(error, STORE_ERROR, ERROR_IO);
    store_close(world.store);
    world.store = open_store(world.dir, STORE_WRITE);
    world_end(&world);
}

/* An empty file, a file of the first schema's application that has no tables yet, a migration that was
 * stopped. */
static void
test_migration(void)
{
    g_autofree char *dir = g_dir_make_tmp("postrider-store-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "postrider.db", NULL);
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    expect_refusal(dir, STORE_READ, ERROR_NOINPUT);

#ifdef FAILPOINTS
    pid_t pid = fork();
    if (pid == 0) {
        g_setenv("POSTRIDER_FAIL", "store.commit:kill", TRUE);
        fail_reload();
        store_open(dir, STORE_WRITE, NULL);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_refusal(dir, STORE_READ, ERROR_NOINPUT); /* all of it or nothing */
#endif
    struct store *store = open_store(dir, STORE_WRITE);
    assert_sound(store);
    store_close(store);
    remove_tree(dir);
}

/* What the migrations behind the first added, a line each. */
#define BACK_TO_VERSION_1                                                                                              \
    FULLTEXT_BEFORE \
    "DROP TABLE fulltext; DROP VIEW message_text_unpacked; DROP TABLE message_text;" \
    "ALTER TABLE fulltext_before RENAME TO fulltext;" \
    "DROP TABLE stats_month;" \
    "DROP TABLE stats_folder;" \
    "DROP TABLE results_host;" \
    "DROP TABLE known_owner; DROP INDEX contact_owner; DROP INDEX contact_looks; DROP INDEX contact_written;" \
    "ALTER TABLE contact DROP COLUMN owner; ALTER TABLE contact DROP COLUMN looks;" \
    "DROP TABLE renaming;" \
    "DROP TABLE sender;" \
    "DROP TABLE quota;" \
    "DROP TABLE unsubscribed;" \
    "DROP TABLE thread_hand;" \
    "DROP TABLE delivery;" \
    "DROP TABLE lesson; DROP TABLE lesson_forgotten; DELETE FROM counter WHERE name = 'lessons';" \
    "CREATE TABLE spam_token (token BLOB PRIMARY KEY); CREATE TABLE spam_trained (hash BLOB PRIMARY KEY);" \
    "DROP TABLE bulk;" \
    "DROP TABLE bulk_slice;" \
    "DROP TABLE filing;" \
    "DROP TABLE textless; DROP TABLE arrival;" \
    "DROP TABLE verdict;" \
    "DROP TABLE unindexed;" \
    "DROP TABLE tag_memory;" \
    "DROP TABLE sync_total;" \
    "DROP TABLE sync_event;" \
    "DROP TABLE maildrop;" \
    "DROP TABLE withheld;" \
    "ALTER TABLE thread DROP COLUMN muted; ALTER TABLE wanted DROP COLUMN excerpt;" \
    "ALTER TABLE account DROP COLUMN tree; ALTER TABLE account DROP COLUMN tree_flat;" \
    "ALTER TABLE account DROP COLUMN local; ALTER TABLE folder DROP COLUMN mailbox_id;" \
    "DROP INDEX placement_leaving; DROP INDEX placement_key;" \
    "CREATE INDEX placement_key ON placement (folder, key) WHERE state <> 1;" \
    "DELETE FROM sqlite_stat1; PRAGMA user_version = 1"

/* A store of the first schema comes forward with its mail. */
static void
test_version_1(void)
{
    struct world world;
    world_begin(&world);
    for (guint i = 1; i <= 10; i++) {
        g_autofree char *id = g_strdup_printf("m%u@example.net", i);
        gint64 one = add_mail(world.store, world.inbox, i, id, NULL, "Ben <ben@example.net>", "old", 1700000000 + i);
        if (i > 5)
            add_body(world.store, one, "the body of before", NULL);
    }
    store_close(world.store);
    raw(world.dir, BACK_TO_VERSION_1);
    expect_refusal(world.dir, STORE_READ, ERROR_CONFIG);
    world.store = open_store(world.dir, STORE_WRITE);
    g_autoptr(struct_folder) folder = folder_get(world.store, world.inbox, NULL);
    g_assert_cmpint(folder->total, ==, 10);
    gboolean done = FALSE;
    while (!done)
        g_assert_true(texts_move(world.store, 3, &done, NULL));
    g_autoptr(struct_query) query = query_new_text(QUERY_BODY, QUERY_WORDS, "before");
    g_assert_cmpint(store_search_count(world.store, query, FALSE, 100, NULL), ==, 5);
    world_end(&world);
}

/* Any damage is an error that says so, and no mail file changes. */
static void
test_damage(void)
{
    struct world world;
    world_begin(&world);
    for (guint i = 1; i < 200; i++) {
        g_autofree char *id = g_strdup_printf("m%u@example.net", i);
        add_mail(world.store, world.inbox, i, id, NULL, "Ben <ben@example.net>",
                 "a subject that fills a page or two", 1700000000 + i);
    }
    gint64 first = placement_find_uid(world.store, world.inbox, 1);
    add_body(world.store, first, "the body", NULL);
    g_autoptr(GBytes) before = store_message_bytes(world.store, message_of(world.store, first), NULL);
    g_autofree char *mail = store_message_path(world.store, message_of(world.store, first), NULL);
    store_close(world.store);
    g_autofree char *path = g_build_filename(world.dir, "postrider.db", NULL);
    g_autofree char *good = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &good, &size, NULL));

    guint32 seed = g_random_int();
    g_test_message("seed %u", seed);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    guint found = 0, rounds = g_test_slow() || g_getenv("POSTRIDER_LONG") ? 1000 : 60;
    for (guint round = 0; round < rounds; round++) {
        g_autofree char *bad = g_memdup2(good, size);
        gsize length = size, at = (gsize)g_rand_int_range(rand, 0, (gint32)size);
        switch (round % 5) {
        case 0:
            length = at;
            break;
        case 1:
            bad[at] = (char)(bad[at] ^ (1 << g_rand_int_range(rand, 0, 8)));
            break;
        case 2:
            memset(bad + at / 4096 * 4096, 0, 4096);
            break;
        case 3:
            memset(bad, 'x', 100);
            break;
        case 4: /* user_version, where sqlite.org/fileformat2.html 1.3 has it */
            bad[60 + at % 4] = (char)(bad[60 + at % 4] ^ 0x55);
            break;
        }
        g_assert_true(g_file_set_contents(path, bad, (gssize)length, NULL));
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_store) store = store_open(world.dir, STORE_WRITE, &error);
        if (store) {
            g_autoptr(GPtrArray) problems = store_check(store, &error);
            found += !problems || problems->len > 0;
            placement_set_free(placement_load(store, world.inbox, PLACEMENT_SELECT_ALL, 0, NULL));
            g_autoptr(GBytes) bytes = store_message_bytes(store, 1, NULL);
            g_test_message("%s", bytes ? "read" : "not read");
        } else {
            g_assert_nonnull(error);
            found++;
        }
        g_autofree char *wal = g_strconcat(path, "-wal", NULL), *shm = g_strconcat(path, "-shm", NULL);
        g_clear_pointer(&store, store_close);
        g_unlink(wal);
        g_unlink(shm);
    }
    g_test_message("%u of %u damages were noticed", found, rounds);
    g_assert_cmpuint(found, >=, rounds / 2);
    g_autofree char *after = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(mail, &after, &length, NULL));
    g_assert_cmpmem(after, length, g_bytes_get_data(before, NULL), g_bytes_get_size(before));
    g_assert_true(g_file_set_contents(path, good, (gssize)size, NULL));
    world.store = open_store(world.dir, STORE_WRITE);
    world_end(&world);
}

static gboolean
damage(const char *path, guint round)
{
    g_autofree char *bytes = NULL, *wal = g_strconcat(path, "-wal", NULL);
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    switch (round % 4) {
    case 0:
        size = size / 3;
        break;
    case 1:
        memset(bytes, 0, size);
        break;
    case 2:
        memset(bytes + size / 2, 'x', size / 2);
        break;
    case 3:
        size = 0;
        break;
    }
    return g_file_set_contents(path, bytes, (gssize)size, NULL) && (g_unlink(wal) == 0 || TRUE);
}

static void
expect_tags(struct world *world, guint32 uid, const char *tags)
{
    g_autoptr(struct_message) message =
        message_load(world->store, message_of(world->store, placement_find_uid(world->store, world->inbox, uid)), NULL);
    g_assert_nonnull(message);
    g_test_message("%u", uid);
    g_assert_cmpstr(message->tags, ==, tags);
}

static gint64
some_mail(struct world *world, guint32 uid)
{
    g_autofree char *id = g_strdup_printf("m%u@example.net", uid);
    return add_mail(world->store, world->inbox, uid, id, NULL, "Ben <ben@example.net>", "a subject", 1700000000 + uid);
}

/* D5: tags that no server has come back with their messages, from a log that is as new as the last change. */
static void
test_rebuild(void)
{
    for (guint round = 0; round < 4; round++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        for (guint32 uid = 1; uid <= 6; uid++)
            some_mail(&world, uid);
        g_autofree char *text = g_strdup_printf("Message-ID: <m3@example.net>\n\nthe body\n");
        add_body(world.store, placement_find_uid(world.store, world.inbox, 3), text, NULL);
        gint64 messages[7];
        for (guint32 uid = 1; uid <= 6; uid++)
            messages[uid] = message_of(world.store, placement_find_uid(world.store, world.inbox, uid));
        g_assert_cmpint(intent_mark(world.store, &messages[1], 3, 0, 0, "todo", NULL, &error), >, 0);
        g_assert_cmpint(intent_mark(world.store, &messages[2], 1, 0, 0, "later", "todo", &error), >, 0);
        g_assert_cmpint(intent_mark(world.store, &messages[5], 1, 0, 0, "seen", NULL, &error), >, 0);
        /* The server took this one: it is the server's from now on. */
        struct placement_flags sent = {.placement = placement_find_uid(world.store, world.inbox, 5), .tags = "seen"};
        g_assert_true(placement_flags_sent(world.store, &sent, 1, &error));
        /* What is rolled back is not in the log either. */
        g_assert_true(store_begin(world.store, &error));
        g_assert_cmpint(intent_mark(world.store, &messages[6], 1, 0, 0, "never", NULL, &error), >, 0);
        store_rollback(world.store);
        g_assert_no_error(error);
        store_close(world.store);

        g_autofree char *path = g_build_filename(world.dir, "postrider.db", NULL);
        g_autofree char *log = g_build_filename(world.dir, "tags.log", NULL);
        g_assert_true(damage(path, round));
        struct stat st;
        g_assert_cmpint(stat(log, &st), ==, 0);
        g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
        g_autofree char *aside = NULL;
        guint unread = 1;
        g_assert_true(store_rebuild(world.dir, &aside, &unread, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(unread, ==, 0);

        const char *const me[] = {"ana@example.org", "ana.ruiz@example.org", NULL};
        world.store = open_store(world.dir, STORE_WRITE);
        world.account = store_account_ensure(world.store, "work", me, &error);
        world.inbox = folder_upsert(world.store, world.account, "INBOX", "INBOX", '/', FOLDER_INBOX,
                                    FOLDER_SELECTABLE | FOLDER_SUBSCRIBED, &error);
        for (guint32 uid = 6; uid >= 1; uid--)
            some_mail(&world, uid);
        add_body(world.store, placement_find_uid(world.store, world.inbox, 3), text, NULL);
        expect_tags(&world, 1, "todo");
        expect_tags(&world, 2, "later");
        expect_tags(&world, 3, "todo");
        expect_tags(&world, 4, "");
        expect_tags(&world, 5, "");
        expect_tags(&world, 6, "");
        assert_sound(world.store);
        world_end(&world);
    }
}

static void
test_changes(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    struct store *other = open_store(world.dir, STORE_WRITE);

    guint64 seen = store_change_count(world.store);
    g_assert_cmpuint(store_change_count(world.store), ==, seen);
    g_assert_true(store_set(other, "layout", "wide", &error));
    g_assert_cmpuint(store_change_count(world.store), !=, seen);
    seen = store_change_count(world.store);
    g_assert_true(store_set(world.store, "layout", "tall", &error));
    g_assert_cmpuint(store_change_count(world.store), !=, seen);
    g_autofree char *value = store_get(other, "layout");
    g_assert_cmpstr(value, ==, "tall");

    /* A snapshot does not see what comes after it; a rolled back change was never there. */
    g_assert_true(store_snapshot_begin(other, &error));
    g_assert_true(store_set(world.store, "layout", NULL, &error));
    g_autofree char *held = store_get(other, "layout");
    g_assert_cmpstr(held, ==, "tall");
    store_snapshot_end(other);
    g_assert_null(store_get(other, "layout"));
    g_assert_true(store_begin(world.store, &error));
    g_assert_true(store_set(world.store, "x", "y", &error));
    store_rollback(world.store);
    g_assert_null(store_get(world.store, "x"));
    store_close(other);
    world_end(&world);
}

static void
test_busy(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;

    /* A writer that was killed leaves no lock. */
    int pipes[2];
    g_assert_cmpint(pipe(pipes), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct store *store = store_open(world.dir, STORE_WRITE, NULL);
        if (!store || !store_begin(store, NULL) || !store_set(store, "half", "done", NULL) ||
            write(pipes[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    char c;
    g_assert_cmpint(read(pipes[0], &c, 1), ==, 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    g_assert_true(store_set(world.store, "whole", "done", &error));
    g_assert_null(store_get(world.store, "half"));
    close(pipes[0]);
    close(pipes[1]);
    world_end(&world);
}

/* Two programs that start at the same moment on a store that is not there yet, both writing: one waits for
 * the other. */
static void
test_pairs(void)
{
    guint pairs = g_test_slow() || g_getenv("POSTRIDER_LONG") ? 200 : 25;
    for (guint i = 0; i < pairs; i++) {
        g_autofree char *dir = g_dir_make_tmp("postrider-store-XXXXXX", NULL);
        pid_t pids[2];
        int gate[2];
        g_assert_cmpint(pipe(gate), ==, 0);
        for (guint k = 0; k < 2; k++) {
            pids[k] = fork();
            if (pids[k] == 0) {
                char c;
                close(gate[1]);
                if (read(gate[0], &c, 1) != 0) /* both go when the parent closes its end */
                    _exit(3);
                g_autofree char *name = g_strdup_printf("p%u", k);
                struct store *store = store_open(dir, STORE_WRITE, NULL);
                gboolean ok = store && store_account_ensure(store, "same", NULL, NULL) > 0;
                for (guint n = 0; ok && n < 5; n++)
                    ok = store_set(store, name, "x", NULL);
                store_close(store);
                _exit(ok ? 0 : 1);
            }
        }
        close(gate[0]);
        close(gate[1]);
        for (guint k = 0; k < 2; k++) {
            int status;
            waitpid(pids[k], &status, 0);
            g_assert_cmpint(status, ==, 0);
        }
        struct store *store = open_store(dir, STORE_WRITE);
        g_autoptr(GPtrArray) accounts = store_account_list(store, NULL);
        g_assert_cmpuint(accounts->len, ==, 1);
        g_autofree char *a = store_get(store, "p0"), *b = store_get(store, "p1");
        g_assert_true(a && b);
        assert_sound(store);
        store_close(store);
        remove_tree(dir);
    }
}

#ifdef FAILPOINTS
static void
test_network_fs(void)
{
    g_autofree char *dir = g_dir_make_tmp("postrider-store-XXXXXX", NULL);
    pid_t pid = fork();
    if (pid == 0) {
        g_setenv("POSTRIDER_FAIL", "store.network-fs:EIO+", TRUE);
        fail_reload();
        g_autoptr(GError) error = NULL;
        struct store *store = store_open(dir, STORE_WRITE, &error);
        if (store || !g_error_matches(error, STORE_ERROR, ERROR_CONFIG))
            _exit(1);
        store = store_open(dir, STORE_WRITE | STORE_NETWORK_FS, NULL);
        _exit(store ? 0 : 2);
    }
    int status;
    waitpid(pid, &status, 0);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    remove_tree(dir);
}
#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/open", test_open);
    g_test_add_func("/store/read-only", test_read_only);
    g_test_add_func("/store/migration", test_migration);
    g_test_add_func("/store/version-1", test_version_1);
    g_test_add_func("/store/damage", test_damage);
    g_test_add_func("/store/rebuild", test_rebuild);
    g_test_add_func("/store/changes", test_changes);
    g_test_add_func("/store/killed-writer", test_busy);
    g_test_add_func("/store/pairs", test_pairs);
#ifdef FAILPOINTS
    g_test_add_func("/store/network-fs", test_network_fs);
#endif
    return g_test_run();
}
