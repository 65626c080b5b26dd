/* renaming: names and rows that change together, and a death between them */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/changes.h"
#include "store/renaming.h"
#include "store/scan.h"

#include <sys/wait.h>
#include <unistd.h>

#define MAILS 120u
G_STATIC_ASSERT(MAILS > RENAMING_FROM);

/* An inbox where the server says flags of every message. */
struct told {
    struct world world;
    gint64 messages[MAILS];
    struct placement_flags rows[MAILS];
};

static void
told_begin(struct told *told, guint flags)
{
    world_begin(&told->world);
    for (guint i = 0; i < MAILS; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i + 1);
        gint64 placement = add_mail(told->world.store, told->world.inbox, i + 1, id, NULL, "Ben <ben@example.net>", id,
                                    1700000000 + i);
        add_body(told->world.store, placement, id, NULL);
        told->messages[i] = message_of(told->world.store, placement);
        told->rows[i] = (struct placement_flags){placement, flags, "", 100 + i};
    }
}

static void
take(struct told *told)
{
    g_autoptr(GError) error = NULL;
    struct store *store = told->world.store;
    g_assert_true(renaming_begin(store, told->world.inbox, told->rows, MAILS, &error));
    for (guint i = 0; i < MAILS; i += 50)
        g_assert_true(placement_server_flags(store, told->rows + i, MIN(MAILS - i, 50), &error));
    g_assert_true(renaming_end(store, TRUE, &error));
    g_assert_no_error(error);
}

/* What other programs are thought to have done. */
static guint
scan_flags(struct told *told)
{
    g_autoptr(GError) error = NULL;
    struct scan_result result;
    g_assert_true(maildir_scan(told->world.store, told->world.inbox, SCAN_FORCE, NULL, NULL, &result, &error));
    assert_sound(told->world.store);
    guint flags = result.flags, others = result.added + result.removed + result.moved + result.orphans;
    g_assert_cmpuint(others, ==, 0);
    scan_result_clear(&result);
    return flags;
}

static guint
flags_of(struct told *told, guint n, guint *base)
{
    struct placement row;
    g_assert_true(placement_get(told->world.store, told->rows[n].placement, &row, NULL, NULL));
    *base = row.base_flags;
    return row.flags;
}

static void
assert_all(struct told *told, guint flags, const char *letters)
{
    guint base;
    for (guint i = 0; i < MAILS; i++) {
        g_autofree char *path = store_message_path(told->world.store, told->messages[i], NULL);
        g_autofree char *end = g_strconcat(":2,", letters, NULL);
        g_assert_cmpuint(flags_of(told, i, &base), ==, flags);
        g_assert_cmpuint(base, ==, flags);
        g_assert_true(g_str_has_suffix(path, end));
    }
}

static void
test_together(void)
{
    struct told told;
    g_autoptr(GError) error = NULL;
    told_begin(&told, FLAG_FLAGGED);
    take(&told);
    assert_all(&told, FLAG_FLAGGED, "F"); /* before maildir_apply() */
    g_assert_cmpuint(scan_flags(&told), ==, 0);
    gint64 sequence = changes_sequence(told.world.store);
    g_assert_true(maildir_apply(told.world.store, 0, &error));
    g_assert_cmpint(changes_sequence(told.world.store), ==, sequence); /* nothing was left for it */
    world_end(&told.world);
}

#ifdef FAILPOINTS
/* In a process of its own, killed where POSTRIDER_FAIL says. */
static void
die_at(struct told *told, const char *rule)
{
    store_close(told->world.store);
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (!pid) {
        g_setenv("POSTRIDER_FAIL", rule, TRUE);
        fail_reload();
        told->world.store = open_store(told->world.dir, STORE_WRITE);
        take(told);
        _exit(0);
    }
    int status;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    told->world.store = open_store(told->world.dir, STORE_WRITE);
}

/* Wherever it dies: nothing looks like another program's change, and the server's word takes effect the next time. What the
 * server has taken back by then is not said to it again. */
static void
test_death(void)
{
    static const char *const rules[] = {
        "store.renaming:kill",          "maildir.rename-flags@1:kill", "maildir.rename-flags@40:kill",
        "store.committed@2:kill",       "maildir.rename-flags@70:kill", "maildir.fsync-dir:kill",
        "store.renamed:kill",
    };
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        struct told told;
        guint base;
        told_begin(&told, FLAG_FLAGGED);
        die_at(&told, rules[i]);
        g_assert_cmpuint(scan_flags(&told), ==, 0);
        for (guint n = 0; n < MAILS; n++)
            g_assert_cmpuint(flags_of(&told, n, &base), ==, base);
        for (guint n = 0; i % 2 && n < MAILS; n++)
            told.rows[n].flags = 0;
        take(&told);
        assert_all(&told, i % 2 ? 0 : FLAG_FLAGGED, i % 2 ? "" : "F");
        g_assert_cmpuint(scan_flags(&told), ==, 0);
        world_end(&told.world);
    }
}

/* After such a death mutt marks one of those whose name is ahead, and the user another: both are heard. */
static void
test_others(void)
{
    struct told told;
    g_autoptr(GError) error = NULL;
    guint base;
    told_begin(&told, FLAG_FLAGGED);
    die_at(&told, "maildir.rename-flags@40:kill");
    g_autofree char *path = store_message_path(told.world.store, told.messages[3], NULL), *marked = g_strconcat(path, "S", NULL);
    g_assert_true(g_str_has_suffix(path, ":2,F"));
    g_assert_cmpint(g_rename(path, marked), ==, 0);
    g_assert_cmpint(intent_mark(told.world.store, &told.messages[4], 1, FLAG_ANSWERED, 0, NULL, NULL, &error), >, 0);
    g_assert_cmpuint(scan_flags(&told), ==, 1);
    g_assert_cmpuint(flags_of(&told, 3, &base) & FLAG_SEEN, ==, FLAG_SEEN);
    g_assert_cmpuint(flags_of(&told, 4, &base), ==, FLAG_ANSWERED);
    take(&told);
    g_assert_cmpuint(flags_of(&told, 3, &base), ==, FLAG_FLAGGED | FLAG_SEEN);
    g_assert_cmpuint(flags_of(&told, 4, &base), ==, FLAG_FLAGGED | FLAG_ANSWERED);
    g_assert_cmpuint(base, ==, FLAG_FLAGGED);
    world_end(&told.world);
}

#endif

/* What was told to the server is in the name with the same write. */
static void
test_sent(void)
{
    struct told told;
    g_autoptr(GError) error = NULL;
    told_begin(&told, FLAG_SEEN);
    g_assert_cmpint(intent_mark(told.world.store, told.messages, MAILS, FLAG_SEEN, 0, NULL, NULL, &error), >, 0);
    g_assert_true(placement_flags_sent(told.world.store, told.rows, MAILS, &error));
    assert_all(&told, FLAG_SEEN, "S");
    g_assert_cmpuint(scan_flags(&told), ==, 0);
    world_end(&told.world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/renaming/together", test_together);
#ifdef FAILPOINTS
    g_test_add_func("/renaming/death", test_death);
    g_test_add_func("/renaming/others", test_others);
#endif
    g_test_add_func("/renaming/sent", test_sent);
    return g_test_run();
}
