#include "config.h"

#include "engine/client.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/record.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

G_DEFINE_QUARK(engine - error, engine_error)

#define START_LIMIT_MS 10000
#define SEND_LIMIT_MS 2000

struct engine_client {
    int fd;
    guint last_id;
    struct record_queue *in;
};

static int
connect_socket(GError **error)
{
    g_autofree char *path = paths_engine_socket();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int err = errno;
    if (fd >= 0)
        close(fd);
    g_set_error(error, ENGINE_ERROR, ERROR_RETRY, "the engine does not answer on %s: %s", path,
                g_strerror(err));
    return -1;
}

static void
own_session(gpointer data G_GNUC_UNUSED)
{
    setsid(); /* a Ctrl-C or the end of this terminal is not meant for the engine */
}

/* Starts one and waits until it listens: it closes the pipe that it gets as descriptor 3 then. */
static gboolean
start_engine(GError **error)
{
    g_autofree char *program = paths_program("postrider-engine");
    const char *argv[] = {program, "--serve", "--ready", "3", NULL};
    int ready[2], target = 3;
    if (pipe2(ready, O_CLOEXEC) < 0) {
        error_set_errno(error, ENGINE_ERROR, errno, "a pipe for the engine");
        return FALSE;
    }
    g_autoptr(GError) local = NULL;
    gboolean ok = g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, own_session, NULL, -1, -1,
        -1, &ready[1], &target, 1, NULL, NULL, NULL, NULL, &local);
    close(ready[1]);
    if (ok) {
        struct pollfd wait = {.fd = ready[0], .events = POLLIN};
        while (poll(&wait, 1, START_LIMIT_MS) < 0 && errno == EINTR)
            ;
        char why[512];
        gssize n = wait.revents ? read(ready[0], why, sizeof why - 1) : 0;
        if (n > 0) {
            why[n] = '\0';
            ok = FALSE;
            char *text = why;
            guint64 code = g_ascii_strtoull(why, &text, 10);
            g_set_error(error, ENGINE_ERROR, code >= ERROR_RETRY && code < ERROR_GIVEUP ? (int)code : ERROR_GIVEUP,
                        "the engine could not start: %s", g_strchug(text));
        }
    } else {
        g_set_error(error, ENGINE_ERROR, ERROR_GIVEUP, "the engine %s could not be started: %s", program,
                    local->message);
    }
    close(ready[0]);
    return ok;
}

struct engine_client *
engine_client_new(enum engine_start start, gboolean wants_poll, GError **error)
{
    int fd = connect_socket(start == ENGINE_START ? NULL : error);
    if (fd < 0 && (start != ENGINE_START || !start_engine(error) || (fd = connect_socket(error)) < 0))
        return NULL;
    struct engine_client *client = g_new0(struct engine_client, 1);
    client->fd = fd;
    client->in = record_queue_new(fd, G_VARIANT_TYPE(ENGINE_RECORD_TYPE), ENGINE_RECORD_MAX);
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "poll", "b", wants_poll);
    if (!engine_client_send(client, "attach", &values, error)) {
        engine_client_free(client);
        return NULL;
    }
    return client;
}

void
engine_client_free(struct engine_client *client)
{
    if (!client)
        return;
    record_queue_free(client->in);
    close(client->fd);
    g_free(client);
}

int
engine_client_fd(const struct engine_client *client)
{
    return client->fd;
}

guint
engine_client_send(struct engine_client *client, const char *verb, GVariantDict *values, GError **error)
{
    GVariantDict none;
    if (!values) {
        g_variant_dict_init(&none, NULL);
        values = &none;
    }
    guint id = ++client->last_id;
    GVariant *record = g_variant_new("(su@a{sv})", verb, id, g_variant_dict_end(values));
    return record_write(client->fd, record, clock_monotonic() + SEND_LIMIT_MS * 1000, error) ? id : 0;
}

gboolean
engine_client_wake(struct engine_client *client)
{
    return engine_client_send(client, "wake", NULL, NULL) != 0;
}

guint
engine_client_sync(struct engine_client *client, const char *const *accounts, GError **error)
{
    static const char *const all[] = {NULL};
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "accounts", "^as", accounts ? accounts : all);
    return engine_client_send(client, "sync", &values, error);
}

guint
engine_client_fetch(struct engine_client *client, gint64 message, GError **error)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "message", "x", message);
    return engine_client_send(client, "fetch", &values, error);
}

gboolean
engine_client_password(struct engine_client *client, const char *account, const char *secret, GError **error)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", account);
    g_variant_dict_insert(&values, "secret", "s", secret);
    return engine_client_send(client, "password", &values, error) != 0;
}

guint
engine_client_search(struct engine_client *client, const char *text, gboolean everything, GError **error)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "text", "s", text);
    g_variant_dict_insert(&values, "everything", "b", everything);
    return engine_client_send(client, "search", &values, error);
}

gboolean
engine_client_pause(struct engine_client *client, const char *account, gboolean paused, GError **error)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", account);
    g_variant_dict_insert(&values, "b", "b", paused);
    return engine_client_send(client, "pause", &values, error) != 0;
}

void
engine_event_free(struct engine_event *event)
{
    if (!event)
        return;
    g_free(event->verb);
    g_variant_unref(event->values);
    g_free(event);
}

const char *
engine_event_string(const struct engine_event *event, const char *key)
{
    const char *value = "";
    g_variant_lookup(event->values, key, "&s", &value);
    return value;
}

gint64
engine_event_int(const struct engine_event *event, const char *key)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(event->values, key, NULL);
    if (!value)
        return 0;
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_INT32:
        return g_variant_get_int32(value);
    case G_VARIANT_CLASS_UINT32:
        return g_variant_get_uint32(value);
    case G_VARIANT_CLASS_INT64:
        return g_variant_get_int64(value);
    case G_VARIANT_CLASS_UINT64:
        return (gint64)MIN(g_variant_get_uint64(value), (guint64)G_MAXINT64);
    default:
        return 0;
    }
}

void
engine_event_numbers(const struct engine_event *event, const char *key, GArray *numbers)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(event->values, key, G_VARIANT_TYPE("ax"));
    gsize n = 0;
    const gint64 *all = value ? g_variant_get_fixed_array(value, &n, sizeof *all) : NULL;
    if (n)
        g_array_append_vals(numbers, all, (guint)n);
}

gboolean
engine_event_bool(const struct engine_event *event, const char *key)
{
    gboolean value = FALSE;
    g_variant_lookup(event->values, key, "b", &value);
    return value;
}

static struct engine_event *
take(struct engine_client *client, GError **error)
{
    g_autoptr(GVariant) record = record_queue_take(client->in, error);
    if (!record)
        return NULL;
    struct engine_event *event = g_new0(struct engine_event, 1);
    g_variant_get(record, "(su@a{sv})", &event->verb, &event->id, &event->values);
    return event;
}

struct engine_event *
engine_client_next(struct engine_client *client, GError **error)
{
    return engine_client_wait(client, 0, error);
}

struct engine_event *
engine_client_wait(struct engine_client *client, int ms, GError **error)
{
    gint64 deadline = ms < 0 ? G_MAXINT64 : clock_monotonic() + (gint64)ms * 1000;
    for (;;) {
        g_autoptr(GError) local = NULL;
        struct engine_event *event = take(client, &local);
        if (event || local) {
            if (local)
                g_propagate_error(error, g_steal_pointer(&local));
            return event;
        }
        gint64 left = ms < 0 ? -1 : MAX(0, (deadline - clock_monotonic() + 999) / 1000);
        struct pollfd wait = {.fd = client->fd, .events = POLLIN};
        int n = poll(&wait, 1, (int)left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return NULL;
        if (!record_queue_fill(client->in, NULL, error)) {
            if (error && *error)
                g_prefix_error(error, "the engine is gone: ");
            return NULL;
        }
    }
}

gboolean
engine_kick(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, &error);
    if (client && engine_client_send(client, "wake", NULL, &error))
        return TRUE;
    log_warn("engine.kick", "%s", error->message);
    return FALSE;
}
