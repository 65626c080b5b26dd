#include "config.h"

#include "engine/supervisor.h"
#include "engine/child.h"
#include "engine/client.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/record.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define CLIENT_BACKLOG (4 * 1024 * 1024) /* a client that does not read is dropped */
#define END_GRACE_MS 300
#define INDEX_GRACE                                                                                          \
    (5 * 60 * G_USEC_PER_SEC) /* how long an unfinished index keeps an engine that nobody else needs */

struct supervisor {
    struct supervisor_options options;
    GMainLoop *loop;
    int lock_fd, listen_fd;
    char *socket_path;
    struct config *config;
    struct timespec config_time;
    GPtrArray *clients;  /* of struct client */
    GPtrArray *accounts; /* of struct child */
    struct child *index;
    GHashTable *requests; /* id of ours -> struct request */
    GHashTable *states;   /* account -> last "state" values */
    guint last_id, end_timer, leaving;
    gint64 alone; /* since when there is no client, 0: there is one */
    gboolean polling, ending;
    int exit_code;
};

struct client {
    struct supervisor *supervisor;
    int fd;
    struct record_queue *queue;
    guint readable, writable;
    gboolean poll;
};

/* One request of a client, given to one or more workers. */
struct request {
    struct client *client; /* NULL: it went away */
    guint id;              /* the client's */
    guint waiting;         /* answers to come */
    gboolean ok;
    int code;
    GString *text;
};

static void consider_end(struct supervisor *sup);

/* -- clients
 * ------------------------------------------------------------------------------------------------- */

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
    consider_end(sup);
}

static void
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

static void
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

static void
tell_all(struct supervisor *sup, const char *verb, GVariant *values)
{
    for (guint i = 0; i < sup->clients->len; i++)
        client_send(sup->clients->pdata[i], verb, 0, values);
}

/* -- requests
 * ------------------------------------------------------------------------------------------------ */

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

static void
answer_now(struct client *client, guint id, gboolean ok, int code, const char *text)
{
    struct request request = {.client = client, .id = id, .ok = ok, .code = code, .text = g_string_new(text)};
    request_finish(&request);
    g_string_free(request.text, TRUE);
}

/* Gives the request to these workers (borrowed); each answers with "done" under an id of ours, all of which
 * share it. */
static void
distribute(struct client *client, guint id, const char *verb, GPtrArray *children, GVariant *values)
{
    struct supervisor *sup = client->supervisor;
    if (!children->len) {
        answer_now(client, id, FALSE, 78, "there is no account: add one with \"postrider setup\"");
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

static void
worker_done(struct supervisor *sup, struct child *child, guint id, GVariant *values)
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

/* -- workers
 * ------------------------------------------------------------------------------------------------- */

static void
worker_event(struct child *child, const char *verb, guint id, GVariant *values, gpointer data)
{
    struct supervisor *sup = data;

    if (!strcmp(verb, "done")) {
        worker_done(sup, child, id, values);
        return;
    }
    if (!strcmp(verb, "state") && child_name(child))
        g_hash_table_insert(sup->states, g_strdup(child_name(child)), g_variant_ref(values));
    if (!strcmp(verb, "changed") && sup->index && child != sup->index)
        child_send(sup->index, "wake", 0, NULL);
    if (!strcmp(verb, "intents")) { /* the index worker wrote some: tags set with notmuch */
        for (guint i = 0; i < sup->accounts->len; i++)
            child_send(sup->accounts->pdata[i], "wake", 0, NULL);
        return;
    }
    tell_all(sup, verb, values);
}

static void
worker_changed(struct child *child G_GNUC_UNUSED, gpointer data)
{
    consider_end(data);
}

static struct child *
find_account(struct supervisor *sup, const char *name)
{
    for (guint i = 0; i < sup->accounts->len; i++)
        if (!g_strcmp0(child_name(sup->accounts->pdata[i]), name))
            return sup->accounts->pdata[i];
    return NULL;
}

static void
send_poll(struct supervisor *sup, struct child *child)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "poll", "b", sup->polling);
    child_send(child, "poll", 0, g_variant_dict_end(&values));
}

static void
update_polling(struct supervisor *sup)
{
    gboolean polling = sup->options.stay;
    for (guint i = 0; i < sup->clients->len; i++)
        polling = polling || ((struct client *)sup->clients->pdata[i])->poll;
    if (polling == sup->polling)
        return;
    sup->polling = polling;
    for (guint i = 0; i < sup->accounts->len; i++)
        send_poll(sup, sup->accounts->pdata[i]);
}

/* Reads the configuration when it changed on the disk, and starts and stops workers to match. */
static void
follow_config(struct supervisor *sup)
{
    g_autofree char *dir = paths_config_dir();
    g_autofree char *path = g_build_filename(dir, "config", NULL);
    struct stat st = {0};
    if (stat(path, &st) == 0 && sup->config && st.st_mtim.tv_sec == sup->config_time.tv_sec &&
        st.st_mtim.tv_nsec == sup->config_time.tv_nsec)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = config_load(path, &error);
    if (!config) {
        log_error("engine.config", "%s", error->message);
        GVariantDict values;
        g_variant_dict_init(&values, NULL);
        g_variant_dict_insert(&values, "text", "s", error->message);
        g_autoptr(GVariant) dict = g_variant_ref_sink(g_variant_dict_end(&values));
        tell_all(sup, "notice", dict);
        return;
    }
    gboolean first = !sup->config;
    sup->config_time = st.st_mtim;
    struct child_callbacks callbacks = {worker_event, worker_changed, sup};
    /* A changed account cannot be told from the outside: after the first time every worker is started afresh.
     */
    for (guint i = 0; i < sup->accounts->len; i++)
        child_stop(sup->accounts->pdata[i], NULL, NULL);
    g_ptr_array_set_size(sup->accounts, 0);
    g_hash_table_remove_all(sup->states);
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        struct child *child = child_new("--account", account->name, &callbacks);
        g_ptr_array_add(sup->accounts, child);
        if (sup->polling)
            send_poll(sup, child);
    }
    if (!first && sup->index) {
        child_stop(sup->index, NULL, NULL);
        sup->index = NULL;
    }
    if (config->notmuch_days >= 0 && config->accounts->len)
        sup->index = child_new("--index", NULL, &callbacks);
    if (sup->config)
        config_free(sup->config);
    sup->config = g_steal_pointer(&config);
}

/* -- what clients ask
 * ---------------------------------------------------------------------------------------- */

static void
ask_attach(struct client *client, guint id G_GNUC_UNUSED, GVariant *values)
{
    struct supervisor *sup = client->supervisor;
    GVariantDict hello;
    g_variant_lookup(values, "poll", "b", &client->poll);
    g_variant_dict_init(&hello, NULL);
    g_variant_dict_insert(&hello, "version", "s", PACKAGE_VERSION);
    g_variant_dict_insert(&hello, "pid", "u", (guint)getpid());
    client_send(client, "hello", 0, g_variant_dict_end(&hello));
    update_polling(sup);
}

static void
ask_sync(struct client *client, guint id, GVariant *values)
{
    struct supervisor *sup = client->supervisor;
    g_autofree const char **names = NULL;
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    g_variant_lookup(values, "accounts", "^a&s", &names);
    for (const char **name = names; name && *name; name++) {
        struct child *child = find_account(sup, *name);
        if (!child) {
            g_autofree char *text = g_strdup_printf("there is no account \"%s\"", *name);
            answer_now(client, id, FALSE, 64, text);
            return;
        }
        g_ptr_array_add(chosen, child);
    }
    if (!chosen->len)
        for (guint i = 0; i < sup->accounts->len; i++)
            g_ptr_array_add(chosen, sup->accounts->pdata[i]);
    distribute(client, id, "sync", chosen, values);
}

static void
ask_all_accounts(struct client *client, guint id, const char *verb, GVariant *values)
{
    distribute(client, id, verb, client->supervisor->accounts, values);
}

static void
ask_wake(struct client *client, guint id G_GNUC_UNUSED, GVariant *values G_GNUC_UNUSED)
{
    struct supervisor *sup = client->supervisor;
    for (guint i = 0; i < sup->accounts->len; i++)
        child_send(sup->accounts->pdata[i], "wake", 0, NULL);
    if (sup->index)
        child_send(sup->index, "wake", 0, NULL);
    g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0));
    for (guint i = 0; i < sup->clients->len; i++) /* the other screens see the wanted state too */
        if (sup->clients->pdata[i] != client)
            client_send(sup->clients->pdata[i], "changed", 0, none);
}

static void
ask_flush(struct client *client, guint id, GVariant *values)
{
    ask_all_accounts(client, id, "flush", values);
}

static void
ask_fetch(struct client *client, guint id, GVariant *values)
{
    ask_all_accounts(client, id, "fetch", values);
}

static void
ask_online(struct client *client, guint id, GVariant *values)
{
    ask_all_accounts(client, id, "online", values);
}

/* To one account, without an answer. */
static void
pass_to_account(struct client *client, const char *verb, GVariant *values)
{
    const char *name = "";
    g_variant_lookup(values, "account", "&s", &name);
    struct child *child = find_account(client->supervisor, name);
    if (child)
        child_send(child, verb, 0, values);
}

static void
ask_password(struct client *client, guint id G_GNUC_UNUSED, GVariant *values)
{
    pass_to_account(client, "password", values);
}

static void
ask_watch(struct client *client, guint id G_GNUC_UNUSED, GVariant *values)
{
    pass_to_account(client, "watch", values);
}

static void
ask_status(struct client *client, guint id, GVariant *values G_GNUC_UNUSED)
{
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, client->supervisor->states);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        client_send(client, "state", 0, state);
    answer_now(client, id, TRUE, 0, "");
}

static void end(struct supervisor *sup);

static void
ask_stop(struct client *client, guint id, GVariant *values G_GNUC_UNUSED)
{
    answer_now(client, id, TRUE, 0, "");
    end(client->supervisor);
}

static const struct {
    const char *verb;
    void (*run)(struct client *client, guint id, GVariant *values);
} verbs[] = {
    {"attach", ask_attach}, {"sync", ask_sync},     {"wake", ask_wake},         {"flush", ask_flush},
    {"fetch", ask_fetch},   {"online", ask_online}, {"password", ask_password}, {"watch", ask_watch},
    {"status", ask_status}, {"stop", ask_stop},
};

static void
client_record(struct client *client, GVariant *record)
{
    const char *verb;
    guint id;
    g_autoptr(GVariant) values = NULL;
    g_variant_get(record, "(&su@a{sv})", &verb, &id, &values);
    follow_config(client->supervisor);
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (!strcmp(verbs[i].verb, verb)) {
            verbs[i].run(client, id, values);
            return;
        }
    answer_now(client, id, FALSE, 76,
               "the engine does not know this request: it may be of another version; stop it");
}

static gboolean
client_readable(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct client *client = data;
    g_autoptr(GError) error = NULL;
    gboolean alive = record_queue_fill(client->queue, NULL, NULL);
    GVariant *record;
    while ((record = record_queue_take(client->queue, &error)) != NULL) {
        client_record(client, record);
        g_variant_unref(record);
    }
    if (alive && !error)
        return G_SOURCE_CONTINUE;
    struct supervisor *sup = client->supervisor;
    client->readable = 0;
    client_drop(client);
    update_polling(sup);
    return G_SOURCE_REMOVE;
}

static gboolean
accept_client(int fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct supervisor *sup = data;
    struct ucred peer;
    socklen_t len = sizeof peer;
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (conn < 0)
        return G_SOURCE_CONTINUE;
    if (sup->clients->len >= CLIENTS_MAX || getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
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

/* -- beginning and end
 * --------------------------------------------------------------------------------------- */

static void
one_left(gpointer data)
{
    struct supervisor *sup = data;
    if (--sup->leaving == 0)
        g_main_loop_quit(sup->loop);
}

static void
end(struct supervisor *sup)
{
    if (sup->ending)
        return;
    sup->ending = TRUE;
    log_info("engine", "ending");
    unlink(sup->socket_path);
    sup->leaving = 1 + sup->accounts->len + (sup->index != NULL);
    for (guint i = 0; i < sup->accounts->len; i++)
        child_stop(sup->accounts->pdata[i], one_left, sup);
    g_ptr_array_set_size(sup->accounts, 0);
    if (sup->index)
        child_stop(sup->index, one_left, sup);
    sup->index = NULL;
    one_left(sup);
}

static gboolean
is_needed(struct supervisor *sup)
{
    if (sup->options.stay || sup->clients->len)
        return TRUE;
    for (guint i = 0; i < sup->accounts->len; i++)
        if (child_is_busy(sup->accounts->pdata[i]))
            return TRUE;
    return sup->index && child_is_busy(sup->index) && clock_monotonic() - sup->alone < INDEX_GRACE;
}

static gboolean
end_if_unneeded(gpointer data)
{
    struct supervisor *sup = data;
    sup->end_timer = 0;
    if (!is_needed(sup))
        end(sup);
    else if (sup->index && !sup->options.stay && !sup->clients->len) /* for the end of the grace */
        sup->end_timer = g_timeout_add_seconds(10, end_if_unneeded, sup);
    return G_SOURCE_REMOVE;
}

/* A command that follows at once finds the engine still there. */
static void
consider_end(struct supervisor *sup)
{
    if (!sup->ending && !sup->end_timer && !is_needed(sup))
        sup->end_timer = g_timeout_add(END_GRACE_MS, end_if_unneeded, sup);
}

static gboolean
on_signal(gpointer data)
{
    end(data);
    return G_SOURCE_CONTINUE;
}

static gboolean
take_lock(struct supervisor *sup, GError **error)
{
    g_autofree char *dir = paths_data_dir();
    g_autofree char *path = g_build_filename(dir, "engine.lock", NULL);
    if (!paths_make_dir(dir, error))
        return FALSE;
    sup->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (sup->lock_fd < 0) {
        error_set_errno(error, ENGINE_ERROR, errno, "the lock %s", path);
        return FALSE;
    }
    if (flock(sup->lock_fd, LOCK_EX | LOCK_NB) == 0) /* the kernel gives it back when a process dies */
        return TRUE;
    g_set_error(error, ENGINE_ERROR, ERROR_BUSY, "another engine is running on %s", dir);
    return FALSE;
}

static gboolean
listen_on_socket(struct supervisor *sup, GError **error)
{
    sup->socket_path = paths_engine_socket();
    g_autofree char *dir = g_path_get_dirname(sup->socket_path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (!paths_make_dir(dir, error))
        return FALSE;
    if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid() ||
        (st.st_mode & 077 && chmod(dir, 0700) < 0)) {
        g_set_error(error, ENGINE_ERROR, ERROR_SECURITY, "%s is not a private directory of yours: remove it",
                    dir);
        return FALSE;
    }
    g_strlcpy(address.sun_path, sup->socket_path, sizeof address.sun_path);
    unlink(sup->socket_path); /* we hold the lock: a dead engine left it */
    sup->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sup->listen_fd >= 0 && bind(sup->listen_fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(sup->listen_fd, 16) == 0)
        return TRUE;
    error_set_errno(error, ENGINE_ERROR, errno, "the socket %s", sup->socket_path);
    return FALSE;
}

/* Another engine has the lock: it may be just starting, or just ending; wait until it answers or the lock is
 * free. */
static gboolean
other_answers(struct supervisor *sup)
{
    for (int i = 0; i < 250; i++) {
        g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_RUNNING, FALSE, NULL);
        if (client)
            return TRUE;
        if (flock(sup->lock_fd, LOCK_EX | LOCK_NB) == 0)
            return FALSE;
        poll(NULL, 0, 20);
    }
    return FALSE;
}

static int
give_up(struct supervisor *sup, const GError *error)
{
    log_error("engine", "%s", error->message);
    if (sup->options.ready_fd >= 0 &&
        write(sup->options.ready_fd, error->message, strlen(error->message)) < 0)
        log_error("engine", "nobody waits for this engine");
    if (sup->options.stay)
        fprintf(stderr, "postrider: %s\n", error->message);
    return error_exit_code(error);
}

int
supervisor_run(const struct supervisor_options *options)
{
    struct supervisor sup = {.options = *options, .lock_fd = -1, .listen_fd = -1};
    g_autoptr(GError) error = NULL;

    if (!take_lock(&sup, &error)) {
        if (!g_error_matches(error, ENGINE_ERROR, ERROR_BUSY) || options->stay)
            return give_up(&sup, error);
        if (other_answers(&sup))
            return 0;
        if (flock(sup.lock_fd, LOCK_EX | LOCK_NB) != 0)
            return give_up(&sup, error);
        g_clear_error(&error);
    }
    if (!listen_on_socket(&sup, &error))
        return give_up(&sup, error);
    sup.loop = g_main_loop_new(NULL, FALSE);
    sup.clients = g_ptr_array_new_with_free_func(client_free);
    sup.accounts = g_ptr_array_new();
    sup.requests = g_hash_table_new(NULL, NULL);
    sup.states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
    sup.polling = options->stay;
    g_unix_fd_add(sup.listen_fd, G_IO_IN, accept_client, &sup);
    g_unix_signal_add(SIGTERM, on_signal, &sup);
    g_unix_signal_add(SIGINT, on_signal, &sup);
    if (options->stay)
        g_unix_signal_add(SIGHUP, on_signal, &sup);
    sup.alone = clock_monotonic();
    follow_config(&sup);
    if (options->ready_fd >= 0)
        close(options->ready_fd);
    log_info("engine", "ready on %s", sup.socket_path);
    g_timeout_add(END_GRACE_MS * 10, end_if_unneeded,
                  &sup); /* whoever started it may have died before it attached */
    g_main_loop_run(sup.loop);

    g_ptr_array_unref(sup.clients);
    g_ptr_array_unref(sup.accounts);
    g_hash_table_unref(sup.requests);
    g_hash_table_unref(sup.states);
    if (sup.config)
        config_free(sup.config);
    g_main_loop_unref(sup.loop);
    g_free(sup.socket_path);
    close(sup.listen_fd);
    close(sup.lock_fd);
    return sup.exit_code;
}
