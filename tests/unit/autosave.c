/* autosave: what is being written survives a kill and a full disk at every step, and is offered when its
 * writer has died */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/autosave.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static gint64
put(struct store *store, gint64 id, const char *title, const char *text, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    return autosave_put(store, id, title, bytes, error);
}

static GPtrArray *
list(struct store *store)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *saves = autosave_list(store, &error);
    g_assert_no_error(error);
    return saves;
}

static void
assert_save(const GPtrArray *saves, guint n, const char *title, const char *text, gboolean alive)
{
    g_assert_cmpuint(n, <, saves->len);
    const struct autosave *save = saves->pdata[n];
    g_assert_cmpstr(save->title, ==, title);
    g_assert_cmpmem(g_bytes_get_data(save->text, NULL), g_bytes_get_size(save->text), text, strlen(text));
    g_assert_cmpint(save->alive, ==, alive);
}

static void
test_put(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    g_setenv("POSTRIDER_NOW", "1790000000", TRUE);
    gint64 first = put(world.store, 0, "plans", "To: ben", &error);
    gint64 second = put(world.store, 0, NULL, "", &error); /* nothing is there yet, not even a subject */
    g_assert_no_error(error);
    g_assert_cmpint(second, >, first);
    g_setenv("POSTRIDER_NOW", "1790000005", TRUE);
    g_assert_cmpint(put(world.store, first, "plans B", "To: ben\n\nHello", &error), ==, first);
    g_assert_no_error(error);

    g_autoptr(GPtrArray) saves = list(world.store);
    g_assert_cmpuint(saves->len, ==, 2);
    assert_save(saves, 0, "plans B", "To: ben\n\nHello", TRUE);
    assert_save(saves, 1, "", "", TRUE);
    g_assert_cmpint(((struct autosave *)saves->pdata[0])->time, ==, 1790000005);
    g_assert_cmpint(((struct autosave *)saves->pdata[1])->time, ==, 1790000000);

    /* Bytes, not text. */
    static const char bytes[] = "a\0b\xff";
    g_autoptr(GBytes) raw = g_bytes_new_static(bytes, sizeof bytes);
    g_assert_cmpint(autosave_put(world.store, second, "raw", raw, &error), ==, second);
    g_autoptr(GPtrArray) again = list(world.store);
    g_assert_true(g_bytes_equal(((struct autosave *)again->pdata[1])->text, raw));

    g_assert_true(autosave_drop(world.store, first, &error));
    g_assert_true(autosave_drop(world.store, first, &error)); /* gone is gone */
    g_assert_no_error(error);
    g_autoptr(GPtrArray) left = list(world.store);
    g_assert_cmpuint(left->len, ==, 1);
    g_unsetenv("POSTRIDER_NOW");
    world_end(&world);
}

/* Another session threw it away while it is still being written: it is kept all the same, under a new number.
 */
static void
test_dropped(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 id = put(world.store, 0, "plans", "one", &error);
    struct store *other = open_store(world.dir, STORE_WRITE);
    g_assert_true(autosave_drop(other, id, &error));
    store_close(other);
    gint64 anew = put(world.store, id, "plans", "one two", &error);
    g_assert_no_error(error);
    g_assert_cmpint(anew, >, 0);
    g_autoptr(GPtrArray) saves = list(world.store);
    g_assert_cmpuint(saves->len, ==, 1);
    g_assert_cmpint(((struct autosave *)saves->pdata[0])->id, ==, anew);
    assert_save(saves, 0, "plans", "one two", TRUE);
    world_end(&world);
}

/* A store that cannot be written says so. */
static void
test_read_only(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(put(world.store, 0, "plans", "one", &error), >, 0);
    store_close(world.store);
    world.store = open_store(world.dir, STORE_READ);
    g_assert_cmpint(put(world.store, 0, "plans", "two", &error), ==, 0);
    g_assert_error(error, STORE_ERROR, ERROR_IO);
    g_autoptr(GPtrArray) saves = list(world.store);
    g_assert_cmpuint(saves->len, ==, 1);
    store_close(world.store);
    world.store = open_store(world.dir, STORE_WRITE);
    world_end(&world);
}

/* Alive while its writer runs, offered when it was killed; and alive again when a new session goes on with
 * it. */
static void
test_owner(void)
{
    for (guint reaped = 0; reaped < 2; reaped++) {
        struct world world;
        world_begin(&world);
        int ready[2];
        g_assert_cmpint(pipe(ready), ==, 0);
        pid_t pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
            struct store *store = store_open(world.dir, STORE_WRITE, NULL);
            if (!store || !put(store, 0, "plans", "of the other", NULL) || write(ready[1], "x", 1) != 1)
                _exit(1);
            pause();
            _exit(1);
        }
        char c;
        g_assert_cmpint(read(ready[0], &c, 1), ==, 1);
        g_autoptr(GPtrArray) alive = list(world.store);
        assert_save(alive, 0, "plans", "of the other", TRUE);

        kill(pid, SIGKILL);
        siginfo_t info;
        int status;
        if (reaped)
            waitpid(pid, &status, 0);
        else
            g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==, 0);
        g_autoptr(GPtrArray) dead = list(world.store);
        assert_save(dead, 0, "plans", "of the other", FALSE);

        g_autoptr(GError) error = NULL;
        gint64 id = ((struct autosave *)dead->pdata[0])->id;
        g_assert_cmpint(put(world.store, id, "plans", "taken over", &error), ==, id);
        g_autoptr(GPtrArray) mine = list(world.store);
        assert_save(mine, 0, "plans", "taken over", TRUE);
        if (!reaped)
            waitpid(pid, &status, 0);
        close(ready[0]);
        close(ready[1]);
        world_end(&world);
    }
}

#ifdef FAILPOINTS

#define STEPS_MAX 12

/* The old text or the new one, whole; and who was told that it is kept finds the new one. */
static void
stop_at(const char *what)
{
    guint stopped = 0;
    for (guint step = 1; step <= STEPS_MAX; step++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        gint64 id = put(world.store, 0, "plans", "before", &error);
        g_assert_no_error(error);
        g_clear_pointer(&world.store, store_close);
        pid_t pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
            g_autofree char *fail = g_strdup_printf("#%u:%s", step, what);
            struct store *store = store_open(world.dir, STORE_WRITE, NULL);
            g_setenv("POSTRIDER_FAIL", fail, TRUE);
            fail_reload();
            gboolean ok = put(store, id, "plans", "after", &error) == id;
            _exit(ok                                                                               ? 0
                  : error && error->code == ERROR_IO && strstr(error->message, g_strerror(ENOSPC)) ? 10
                                                                                                   : 99);
        }
        int status;
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        world.store = open_store(world.dir, STORE_WRITE);
        g_autoptr(GPtrArray) saves = list(world.store);
        g_assert_cmpuint(saves->len, ==, 1);
        const struct autosave *save = saves->pdata[0];
        gsize length;
        const char *bytes = g_bytes_get_data(save->text, &length);
        gboolean is_new = length == 5 && !memcmp(bytes, "after", 5);
        g_assert_true(is_new || (length == 6 && !memcmp(bytes, "before", 6)));
        g_assert_cmpint(save->id, ==, id);
        if (WIFEXITED(status))
            g_assert_cmpint(WEXITSTATUS(status), ==, is_new ? 0 : 10);
        else
            g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
        stopped += WIFSIGNALED(status) || !is_new;
        world_end(&world);
    }
    g_test_message("%s: stopped at %u steps", what, stopped);
    g_assert_cmpuint(stopped, >=, 2);
    g_assert_cmpuint(stopped, <, STEPS_MAX);
}

static void
test_killed(void)
{
    stop_at("kill");
}

static void
test_disk_full(void)
{
    stop_at("ENOSPC");
}

#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/autosave/put", test_put);
    g_test_add_func("/autosave/dropped", test_dropped);
    g_test_add_func("/autosave/read-only", test_read_only);
    g_test_add_func("/autosave/owner", test_owner);
#ifdef FAILPOINTS
    g_test_add_func("/autosave/killed", test_killed);
    g_test_add_func("/autosave/disk-full", test_disk_full);
#endif
    return g_test_run();
}
