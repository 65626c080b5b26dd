#include "config.h"

#include "engine/control.h"
#include "engine/client.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/record.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SEND_LIMIT_US (10 * G_USEC_PER_SEC)

struct control {
    int fd;
    GMutex lock;
    GAsyncQueue *in;
    GFunc on_stop;
    gpointer data;
    gint stopping;
    guint64 received, handled; /* under the lock */
    guint64 said;
    gboolean said_pending;
};

void
control_record_free(struct control_record *record)
{
    if (!record)
        return;
    g_free(record->verb);
    if (record->values)
        g_variant_unref(record->values);
    g_free(record);
}

const char *
control_string(const struct control_record *record, const char *key)
{
    const char *value = "";
    g_variant_lookup(record->values, key, "&s", &value);
    return value;
}

gint64
control_int(const struct control_record *record, const char *key)
{
    gint64 value = 0;
    g_variant_lookup(record->values, key, "x", &value);
    return value;
}

gboolean
control_bool(const struct control_record *record, const char *key)
{
    gboolean value = FALSE;
    g_variant_lookup(record->values, key, "b", &value);
    return value;
}

static void
stop(struct control *control)
{
    if (g_atomic_int_exchange(&control->stopping, 1))
        return;
    control->on_stop(control->data, NULL);
    g_async_queue_push(control->in, g_new0(struct control_record, 1)); /* wakes who waits; has no verb */
}

static gpointer
read_records(gpointer data)
{
    struct control *control = data;
    for (;;) {
        g_autoptr(GVariant) value =
            record_read(control->fd, G_VARIANT_TYPE(ENGINE_RECORD_TYPE), ENGINE_RECORD_MAX, 0, NULL, NULL);
        if (!value)
            break;
        struct control_record *record = g_new0(struct control_record, 1);
        g_variant_get(value, "(su@a{sv})", &record->verb, &record->id, &record->values);
        if (!strcmp(record->verb, "stop")) {
            control_record_free(record);
            break;
        }
        g_mutex_lock(&control->lock);
        control->received++;
        g_mutex_unlock(&control->lock);
        g_async_queue_push(control->in, record);
    }
    stop(control);
    return NULL;
}

static gpointer
await_signal(gpointer data)
{
    sigset_t set;
    int got;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &got);
    stop(data);
    return NULL;
}

struct control *
control_new(int fd, GFunc on_stop, gpointer data)
{
    struct control *control = g_new0(struct control, 1);
    sigset_t set;
    control->fd = fd;
    control->in = g_async_queue_new();
    control->on_stop = on_stop;
    control->data = data;
    g_mutex_init(&control->lock);
    /* Blocked before any thread is made: every thread inherits it, and only await_signal() takes them. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    g_thread_unref(g_thread_new("signals", await_signal, control));
    g_thread_unref(g_thread_new("control", read_records, control));
    return control;
}

struct control_record *
control_take(struct control *control, int ms)
{
    struct control_record *record =
        ms < 0 ? g_async_queue_pop(control->in) : g_async_queue_timeout_pop(control->in, (guint64)ms * 1000);
    if (record && !record->verb) {
        g_free(record);
        return NULL;
    }
    return record;
}

gboolean
control_stopping(struct control *control)
{
    return g_atomic_int_get(&control->stopping);
}

void
control_emit(struct control *control, const char *verb, guint id, GVariantDict *values)
{
    GVariantDict none;
    g_autoptr(GError) error = NULL;
    if (!values) {
        g_variant_dict_init(&none, NULL);
        values = &none;
    }
    GVariant *record = g_variant_new("(su@a{sv})", verb, id, g_variant_dict_end(values));
    g_mutex_lock(&control->lock);
    gboolean ok = record_write(control->fd, record, clock_monotonic() + SEND_LIMIT_US, &error);
    g_mutex_unlock(&control->lock);
    if (!ok && !control_stopping(control)) {
        log_warn("engine.control", "the supervisor is gone: %s", error->message);
        stop(control);
    }
}

void
control_changed(struct control *control)
{
    control_emit(control, "changed", 0, NULL);
}

void
control_done(struct control *control, guint id, const GError *error)
{
    GVariantDict values;
    if (!id)
        return;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "ok", "b", error == NULL);
    g_variant_dict_insert(&values, "code", "i", error_exit_code(error));
    g_variant_dict_insert(&values, "text", "s", error ? error->message : "");
    control_emit(control, "done", id, &values);
}

void
control_handled(struct control *control)
{
    g_mutex_lock(&control->lock);
    control->handled++;
    g_mutex_unlock(&control->lock);
}

void
control_settle(struct control *control, gboolean pending)
{
    g_mutex_lock(&control->lock);
    guint64 handled = control->handled;
    gboolean news =
        handled == control->received && (handled != control->said || pending != control->said_pending);
    if (news) {
        control->said = handled;
        control->said_pending = pending;
    }
    g_mutex_unlock(&control->lock);
    if (!news)
        return;
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "handled", "t", handled);
    g_variant_dict_insert(&values, "pending", "b", pending);
    control_emit(control, "idle", 0, &values);
}
