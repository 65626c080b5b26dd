/* maildir_watch: what other programs do is told once, also without a watch for it and when the kernel lost count */
#include "config.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "engine/maildir_watch.h"

#define FOLDERS 3
#define PATIENCE_S 60

struct fixture {
    char *dir;
    struct maildir_watch *watch;
    GAsyncQueue *told;
    GMutex gate; /* locked: the watch's thread stands still in touched() */
    gint inside; /* the thread is in touched() */
};

static void
touched(gpointer data)
{
    struct fixture *fixture = data;
    g_atomic_int_set(&fixture->inside, 1);
    g_async_queue_push(fixture->told, fixture);
    g_mutex_lock(&fixture->gate);
    g_mutex_unlock(&fixture->gate);
    g_atomic_int_set(&fixture->inside, 0);
}

static char *
path_of(struct fixture *fixture, guint folder, const char *part)
{
    g_autofree char *name = g_strdup_printf("%u", folder);
    return g_build_filename(fixture->dir, name, part, NULL);
}

static void
set_folders(struct fixture *fixture, guint n)
{
    g_autoptr(GArray) dirs = g_array_new(FALSE, FALSE, sizeof(struct maildir_watch_dir));
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 1; i <= n; i++) {
        struct maildir_watch_dir dir = {i, path_of(fixture, i, NULL)};
        g_ptr_array_add(paths, dir.path);
        g_array_append_val(dirs, dir);
    }
    maildir_watch_set(fixture->watch, dirs);
}

/* What is told next, as bits of folders; waits for it. */
static guint
next(struct fixture *fixture)
{
    guint bits = 0;
    g_assert_nonnull(g_async_queue_timeout_pop(fixture->told, PATIENCE_S * G_USEC_PER_SEC));
    g_autoptr(GArray) folders = maildir_watch_take(fixture->watch);
    for (guint i = 0; i < folders->len; i++)
        bits |= 1u << g_array_index(folders, gint64, i);
    maildir_watch_done(fixture->watch);
    return bits;
}

/* Waits until all of these were told, and no other. A slow machine may be told twice. */
static void
wait_for(struct fixture *fixture, guint bits)
{
    for (guint seen = 0; seen != bits;) {
        seen |= next(fixture);
        g_assert_cmpuint(seen & ~bits, ==, 0);
    }
}

static void
begin(struct fixture *fixture, guint limit)
{
    static const char *const parts[] = {"cur", "new", "tmp"};
    fixture->dir = g_dir_make_tmp("postrider-watch-XXXXXX", NULL);
    fixture->told = g_async_queue_new();
    fixture->inside = 0;
    g_mutex_init(&fixture->gate);
    for (guint i = 1; i <= FOLDERS; i++)
        for (guint k = 0; k < G_N_ELEMENTS(parts); k++) {
            g_autofree char *path = path_of(fixture, i, parts[k]);
            g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
        }
    fixture->watch = maildir_watch_new(touched, fixture);
    if (limit)
        maildir_watch_limit(fixture->watch, limit);
    set_folders(fixture, FOLDERS);
    /* What happened before the watch is not known: all are new. */
    wait_for(fixture, 1 << 1 | 1 << 2 | 1 << 3);
}

static void
end(struct fixture *fixture)
{
    maildir_watch_free(fixture->watch);
    g_async_queue_unref(fixture->told);
    g_mutex_clear(&fixture->gate);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", fixture->dir);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(fixture->dir);
}

static void
write_file(struct fixture *fixture, guint folder, const char *part, const char *name)
{
    g_autofree char *dir = path_of(fixture, folder, part), *path = g_build_filename(dir, name, NULL);
    FILE *file = fopen(path, "w");
    g_assert_nonnull(file);
    fclose(file);
}

static void
move_file(struct fixture *fixture, guint from, const char *a, guint to, const char *b)
{
    g_autofree char *x = path_of(fixture, from, a), *y = path_of(fixture, to, b);
    g_assert_cmpint(g_rename(x, y), ==, 0);
}

static void
test_told(void)
{
    struct fixture fixture;
    begin(&fixture, 0);
    g_assert_cmpuint(maildir_watch_count(fixture.watch), ==, 2 * FOLDERS);
    write_file(&fixture, 2, "tmp", "one"); /* nobody's business yet */
    move_file(&fixture, 2, "tmp/one", 2, "new/one");
    wait_for(&fixture, 1 << 2);
    move_file(&fixture, 2, "new/one", 2, "cur/one:2,");
    move_file(&fixture, 2, "cur/one:2,", 2, "cur/one:2,S");
    wait_for(&fixture, 1 << 2);
    move_file(&fixture, 2, "cur/one:2,S", 1, "cur/one:2,S");
    wait_for(&fixture, 1 << 1 | 1 << 2);
    end(&fixture);
}

/* A folder goes, another one is at its place; one is not ours any more. */
static void
test_folders(void)
{
    struct fixture fixture;
    begin(&fixture, 0);
    move_file(&fixture, 3, "cur", 3, "tmp/old");
    wait_for(&fixture, 1 << 3);
    g_assert_cmpuint(maildir_watch_count(fixture.watch), ==, 2 * FOLDERS - 1);
    g_autofree char *cur = path_of(&fixture, 3, "cur");
    g_assert_cmpint(g_mkdir(cur, 0700), ==, 0);
    set_folders(&fixture, FOLDERS);
    g_assert_cmpuint(maildir_watch_count(fixture.watch), ==, 2 * FOLDERS);
    write_file(&fixture, 3, "cur", "1:2,");
    wait_for(&fixture, 1 << 3);
    set_folders(&fixture, 1);
    g_assert_cmpuint(maildir_watch_count(fixture.watch), ==, 2);
    write_file(&fixture, 1, "cur", "3:2,");
    while (!(next(&fixture) & 1 << 1))
        continue;
    end(&fixture);
}

/* No watch left for some: their times tell, later. */
static void
test_no_watch(void)
{
    struct fixture fixture;
    begin(&fixture, 2);
    g_assert_cmpuint(maildir_watch_count(fixture.watch), ==, 2);
    for (guint i = 1; i <= FOLDERS; i++)
        write_file(&fixture, i, "cur", "1:2,");
    wait_for(&fixture, 1 << 1 | 1 << 2 | 1 << 3);
    end(&fixture);
}

/* More than the kernel keeps for us: whatever was not told may have happened. */
static void
test_overflow(void)
{
    struct fixture fixture;
    g_autofree char *text = NULL;
    guint64 most = 0;
    if (g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &text, NULL, NULL))
        most = g_ascii_strtoull(text, NULL, 10);
    if (!most || most > 100000) {
        g_test_skip("the kernel's queue is too long to be filled");
        return;
    }
    begin(&fixture, 0);
    while (g_atomic_int_get(&fixture.inside)) /* else it would stand still for what was told before */
        g_thread_yield();
    g_mutex_lock(&fixture.gate);
    write_file(&fixture, 1, "cur", "1:2,");
    g_assert_nonnull(g_async_queue_timeout_pop(fixture.told, PATIENCE_S * G_USEC_PER_SEC));
    for (guint64 i = 0; i <= most / 2; i++) /* two events each */
        move_file(&fixture, 1, i % 2 ? "cur/1:2,S" : "cur/1:2,", 1, i % 2 ? "cur/1:2," : "cur/1:2,S");
    write_file(&fixture, 3, "cur", "1:2,");
    g_mutex_unlock(&fixture.gate);
    g_autoptr(GArray) first = maildir_watch_take(fixture.watch);
    maildir_watch_done(fixture.watch);
    wait_for(&fixture, 1 << 1 | 1 << 2 | 1 << 3);
    end(&fixture);
}

/* A program that never rests is not followed without rest. */
static void
test_pace(void)
{
    struct fixture fixture;
    begin(&fixture, 0);
    gint64 start = g_get_monotonic_time();
    guint told = 0, n = 0;
    while (g_get_monotonic_time() - start < 2 * G_USEC_PER_SEC) {
        g_autofree char *name = g_strdup_printf("%u:2,", n++);
        write_file(&fixture, 1, "cur", name);
        if (g_async_queue_timeout_pop(fixture.told, 2000)) {
            told++;
            g_autoptr(GArray) folders = maildir_watch_take(fixture.watch);
            g_assert_cmpuint(folders->len, ==, 1);
            maildir_watch_done(fixture.watch);
        }
    }
    g_assert_cmpuint(told, >=, 1);
    g_assert_cmpuint(told, <=, 8);
    while (g_async_queue_timeout_pop(fixture.told, G_USEC_PER_SEC)) {
        g_autoptr(GArray) folders = maildir_watch_take(fixture.watch);
        maildir_watch_done(fixture.watch);
    }
    end(&fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/maildir-watch/told", test_told);
    g_test_add_func("/maildir-watch/folders", test_folders);
    g_test_add_func("/maildir-watch/no-watch", test_no_watch);
    g_test_add_func("/maildir-watch/overflow", test_overflow);
    g_test_add_func("/maildir-watch/pace", test_pace);
    return g_test_run();
}
