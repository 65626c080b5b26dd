#include "config.h"

#include "engine/supervisor_private.h"
#include "engine/client.h"
#include "base/clock.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define CLIENT_BACKLOG (4 * 1024 * 1024) /* a client that does not read is dropped */

static void
client_drop(struct client *client)
{
    struct supervisor *sup = client->supervisor;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, sup->requests);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((struct request *)value)->client == client)
            ((struct request *)value)->client = NULL;
    g_ptr_array_remove(sup->clients, client); /* frees */
    if (!sup->clients->len)
        sup->alone = clock_monotonic();
    supervisor_consider_end(sup);
}

void
client_free(gpointer data)
{
    struct client *client = data;
    if (client->readable)
        g_source_remove(client->readable);
    if (client->writable)
        g_source_remove(client->writable);
    record_queue_free(client->queue);
    close(client->fd);
    g_free(client);
}

static gboolean
client_writable(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct client *client = data;
    if (record_queue_flush(client->queue, NULL) && record_queue_unsent(client->queue))
        return G_SOURCE_CONTINUE;
    client->writable = 0; /* a broken one is noticed by reading */
    return G_SOURCE_REMOVE;
}

void
client_send(struct client *client, const char *verb, guint id, GVariant *values)
{
    if (record_queue_unsent(client->queue) > CLIENT_BACKLOG) {
        shutdown(client->fd, SHUT_RDWR); /* reading sees the end and drops it */
        return;
    }
    if (!values)
        values = g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0);
    if (record_queue_put(client->queue, g_variant_new("(su@a{sv})", verb, id, values), NULL) &&
        record_queue_flush(client->queue, NULL) && record_queue_unsent(client->queue) && !client->writable)
        client->writable = g_unix_fd_add(client->fd, G_IO_OUT, client_writable, client);
}

void
supervisor_tell_all(struct supervisor *sup, const char *verb, GVariant *values)
{
    for (guint i = 0; i < sup->clients->len; i++)
        client_send(sup->clients->pdata[i], verb, 0, values);
}

static void
request_free(gpointer data)
{
    struct request *request = data;
    g_string_free(request->text, TRUE);
    g_free(request);
}

static void
request_finish(struct request *request)
{
    if (!request->client)
        return;
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "ok", "b", request->ok);
    g_variant_dict_insert(&values, "code", "i", request->code);
    g_variant_dict_insert(&values, "text", "s", request->text->str);
    client_send(request->client, "done", request->id, g_variant_dict_end(&values));
}

void
client_answer(struct client *client, guint id, gboolean ok, int code, const char *text)
{
    struct request request = {.client = client, .id = id, .ok = ok, .code = code, .text = g_string_new(text)};
    request_finish(&request);
    g_string_free(request.text, TRUE);
}

/* Gives the request to these workers (borrowed); each answers with "done" under an id of ours, all of which
 * share it. */
void
client_distribute(struct client *client, guint id, const char *verb, GPtrArray *children, GVariant *values)
{
    struct supervisor *sup = client->supervisor;
    if (!children->len) {
        client_answer(client, id, FALSE, 78, "there is no account: add one with \"postrider setup\"");
        return;
    }
    struct request *request = g_new0(struct request, 1);
    request->client = client;
    request->id = id;
    request->ok = TRUE;
    request->text = g_string_new(NULL);
    for (guint i = 0; i < children->len; i++) {
        guint ours = ++sup->last_id;
        request->waiting++;
        g_hash_table_insert(sup->requests, GUINT_TO_POINTER(ours), request);
        child_send(children->pdata[i], verb, ours, values);
    }
}

void
supervisor_worker_done(struct supervisor *sup, struct child *child, guint id, GVariant *values)
{
    struct request *request = g_hash_table_lookup(sup->requests, GUINT_TO_POINTER(id));
    if (!request)
        return;
    gboolean ok = FALSE;
    int code = 70;
    const char *text = "";
    g_variant_lookup(values, "ok", "b", &ok);
    g_variant_lookup(values, "code", "i", &code);
    g_variant_lookup(values, "text", "&s", &text);
    if (!ok && request->ok)
        request->code = code;
    request->ok = request->ok && ok;
    if (*text)
        g_string_append_printf(request->text, "%s%s%s%s", request->text->len ? "\n" : "",
                               child_name(child) ?: "", child_name(child) ? ": " : "", text);
    g_hash_table_remove(sup->requests, GUINT_TO_POINTER(id));
    if (--request->waiting)
        return;
    request_finish(request);
    request_free(request);
}

static gboolean
client_readable(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct client *client = data;
    g_autoptr(GError) error = NULL;
    gboolean alive = record_queue_fill(client->queue, NULL, NULL);
    GVariant *record;
    struct supervisor *sup = client->supervisor;
    while (!sup->ending && (record = record_queue_take(client->queue, &error)) != NULL) {
        client_record(client, record);
        g_variant_unref(record);
    }
    if (alive && !error && !sup->ending)
        return G_SOURCE_CONTINUE;
    client->readable = 0;
    client_drop(client);
    supervisor_update_polling(sup);
    return G_SOURCE_REMOVE;
}

gboolean
supervisor_accept(int fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct supervisor *sup = data;
    struct ucred peer;
    socklen_t len = sizeof peer;
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (conn < 0)
        return G_SOURCE_CONTINUE;
    /* One that is ending answers nobody: the client starts another. */
    if (sup->ending || sup->clients->len >= CLIENTS_MAX || getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
        peer.uid != getuid()) {
        close(conn);
        return G_SOURCE_CONTINUE;
    }
    struct client *client = g_new0(struct client, 1);
    client->supervisor = sup;
    client->fd = conn;
    client->queue = record_queue_new(conn, G_VARIANT_TYPE(ENGINE_RECORD_TYPE), ENGINE_RECORD_MAX);
    client->readable = g_unix_fd_add(conn, G_IO_IN | G_IO_HUP, client_readable, client);
    g_ptr_array_add(sup->clients, client);
    return G_SOURCE_CONTINUE;
}
