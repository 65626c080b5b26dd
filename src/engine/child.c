#include "config.h"

#include "engine/child.h"
#include "engine/client.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/record.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DELAY_FIRST_MS 1000
#define DELAY_LAST_MS (5 * 60 * 1000)
#define GOOD_LIFE (10 * 60 * G_USEC_PER_SEC)
#define STOP_LIMIT_MS 2000
#define WAITING_MAX 1000 /* records for a worker that is down */

struct child {
    char *name; /* of the account; NULL: the index worker */
    struct child_callbacks callbacks;
    GPid pid;
    int fd;
    struct record_queue *queue;
    guint readable, writable, reaper, restart, killer;
    gint64 started;
    guint delay_ms;
    GQueue waiting;   /* of GVariant records, while it is down */
    GHashTable *open; /* ids sent and not answered */
    guint64 sent, handled;
    gboolean pending; /* work of its own */
    gboolean stopping;
    GDestroyNotify done;
    gpointer done_data;
};

static gboolean start(gpointer data);

static void
drop_source(guint *source)
{
    if (*source)
        g_source_remove(*source);
    *source = 0;
}

static void
child_free(struct child *child)
{
    drop_source(&child->restart);
    drop_source(&child->killer);
    g_queue_clear_full(&child->waiting, (GDestroyNotify)g_variant_unref);
    g_hash_table_unref(child->open);
    g_free(child->name);
    g_free(child);
}

static const char *
label(const struct child *child)
{
    return child->name ? child->name : "index";
}

/* What it had not answered will not be answered any more. */
static void
fail_open_requests(struct child *child)
{
    GHashTableIter iter;
    gpointer key;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint));
    g_hash_table_iter_init(&iter, child->open);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        guint id = GPOINTER_TO_UINT(key);
        g_array_append_val(ids, id);
    }
    g_hash_table_remove_all(child->open);
    for (guint i = 0; i < ids->len; i++) {
        GVariantDict values;
        g_variant_dict_init(&values, NULL);
        g_variant_dict_insert(&values, "ok", "b", FALSE);
        g_variant_dict_insert(&values, "code", "i", 75);
        g_variant_dict_insert(&values, "text", "s", "the worker process died and is being started again");
        g_autoptr(GVariant) dict = g_variant_ref_sink(g_variant_dict_end(&values));
        child->callbacks.event(child, "done", g_array_index(ids, guint, i), dict, child->callbacks.data);
    }
}

static void
disconnect(struct child *child)
{
    drop_source(&child->readable);
    drop_source(&child->writable);
    if (child->queue)
        record_queue_free(child->queue);
    child->queue = NULL;
    if (child->fd >= 0)
        close(child->fd);
    child->fd = -1;
}

static void
died(GPid pid, int status, gpointer data)
{
    struct child *child = data;

    gboolean was_busy = child_is_busy(child);
    g_spawn_close_pid(pid);
    child->reaper = 0;
    child->pid = 0;
    disconnect(child);
    if (child->stopping) {
        if (child->done)
            child->done(child->done_data);
        child_free(child);
        return;
    }
    gint64 lived = clock_monotonic() - child->started;
    child->delay_ms =
        lived > GOOD_LIFE || !child->delay_ms ? DELAY_FIRST_MS : MIN(child->delay_ms * 2, DELAY_LAST_MS);
    guint delay = child->delay_ms + (guint)g_random_int_range(0, (gint32)child->delay_ms / 4 + 1);
    log_warn("engine.child", "worker %s ended with status %d, starting again in %u ms", label(child), status,
             delay);
    child->handled = child->sent;
    child->pending = FALSE;
    fail_open_requests(child);
    if (was_busy) /* mail may wait: the engine stays until the next worker has looked */
        child_send(child, "wake", 0, NULL);
    child->restart = g_timeout_add(delay, start, child);
    child->callbacks.changed(child, child->callbacks.data);
}

static void
take_record(struct child *child, GVariant *record)
{
    const char *verb;
    guint id;
    g_autoptr(GVariant) values = NULL;
    g_variant_get(record, "(&su@a{sv})", &verb, &id, &values);
    if (!strcmp(verb, "idle")) {
        guint64 handled = 0;
        g_variant_lookup(values, "handled", "t", &handled);
        child->handled = handled;
        child->pending = FALSE;
        g_variant_lookup(values, "pending", "b", &child->pending);
        child->callbacks.changed(child, child->callbacks.data);
        return;
    }
    if (!strcmp(verb, "done"))
        g_hash_table_remove(child->open, GUINT_TO_POINTER(id));
    child->callbacks.event(child, verb, id, values, child->callbacks.data);
}

static gboolean
readable(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct child *child = data;
    g_autoptr(GError) error = NULL;

    gboolean alive = record_queue_fill(child->queue, NULL, &error);
    GVariant *record;
    while (child->queue && (record = record_queue_take(child->queue, error ? NULL : &error)) != NULL) {
        take_record(child, record);
        g_variant_unref(record);
    }
    if (alive && !error)
        return G_SOURCE_CONTINUE;
    child->readable = 0;
    if (child->pid && error && alive)
        kill(child->pid, SIGKILL); /* it talks nonsense; died() does the rest */
    return G_SOURCE_REMOVE;
}

static gboolean
writable(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct child *child = data;
    if (record_queue_flush(child->queue, NULL) && record_queue_unsent(child->queue))
        return G_SOURCE_CONTINUE;
    child->writable = 0;
    return G_SOURCE_REMOVE;
}

static void
put(struct child *child, GVariant *record)
{
    child->sent++;
    if (record_queue_put(child->queue, record, NULL) && record_queue_flush(child->queue, NULL) &&
        record_queue_unsent(child->queue) && !child->writable)
        child->writable = g_unix_fd_add(child->fd, G_IO_OUT, writable, child);
}

static gboolean
start(gpointer data)
{
    struct child *child = data;
    g_autofree char *program = paths_program(child->name ? "postrider-worker" : "postrider-index");
    const char *worker[] = {program, "--account", child->name, "--control", "3", NULL};
    const char *index[] = {program, "--index", "--control", "3", NULL};
    const char **argv = child->name ? worker : index;
    g_autoptr(GError) error = NULL;
    int pair[2], target = 3;

    child->restart = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("engine.child", "socketpair: %s", g_strerror(errno));
        child->restart = g_timeout_add(DELAY_LAST_MS, start, child);
        return G_SOURCE_REMOVE;
    }
    gboolean ok = g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, -1, -1, -1,
        &pair[1], &target, 1, &child->pid, NULL, NULL, NULL, &error);
    close(pair[1]);
    if (!ok) {
        close(pair[0]);
        log_error("engine.child", "%s: %s", program, error->message);
        child->restart = g_timeout_add(DELAY_LAST_MS, start, child);
        return G_SOURCE_REMOVE;
    }
    child->fd = pair[0];
    child->started = clock_monotonic();
    child->sent = child->handled = 0;
    child->queue = record_queue_new(child->fd, G_VARIANT_TYPE(ENGINE_RECORD_TYPE), ENGINE_RECORD_MAX);
    child->readable = g_unix_fd_add(child->fd, G_IO_IN | G_IO_HUP, readable, child);
    child->reaper = g_child_watch_add(child->pid, died, child);
    GVariant *record;
    while ((record = g_queue_pop_head(&child->waiting)) != NULL) {
        put(child, record);
        g_variant_unref(record);
    }
    return G_SOURCE_REMOVE;
}

struct child *
child_new(const char *name, const struct child_callbacks *callbacks)
{
    struct child *child = g_new0(struct child, 1);
    child->name = g_strdup(name);
    child->callbacks = *callbacks;
    child->fd = -1;
    child->open = g_hash_table_new(NULL, NULL);
    g_queue_init(&child->waiting);
    start(child);
    return child;
}

const char *
child_name(const struct child *child)
{
    return child->name;
}

void
child_send(struct child *child, const char *verb, guint id, GVariant *values)
{
    if (!values)
        values = g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0);
    GVariant *record = g_variant_ref_sink(g_variant_new("(su@a{sv})", verb, id, values));
    if (id)
        g_hash_table_add(child->open, GUINT_TO_POINTER(id));
    if (child->queue)
        put(child, record);
    else if (g_queue_get_length(&child->waiting) < WAITING_MAX)
        g_queue_push_tail(&child->waiting, g_variant_ref(record));
    g_variant_unref(record);
}

gboolean
child_is_busy(const struct child *child)
{
    if (!child->queue) /* down: what waits for it is work, but a worker that cannot live must not keep the
                          engine */
        return !g_queue_is_empty((GQueue *)&child->waiting) && child->delay_ms < DELAY_LAST_MS / 4;
    return child->handled < child->sent || child->pending;
}

static gboolean
kill_late(gpointer data)
{
    struct child *child = data;
    child->killer = 0;
    if (child->pid)
        kill(child->pid, SIGKILL);
    return G_SOURCE_REMOVE;
}

void
child_stop(struct child *child, GDestroyNotify done, gpointer data)
{
    child->stopping = TRUE;
    child->done = done;
    child->done_data = data;
    if (!child->pid) {
        if (done)
            done(data);
        child_free(child);
        return;
    }
    child_send(child, "stop", 0, NULL);
    kill(child->pid, SIGTERM);
    child->killer = g_timeout_add(STOP_LIMIT_MS, kill_late, child);
}
