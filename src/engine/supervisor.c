#include "config.h"

#include "engine/supervisor_private.h"
#include "engine/client.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/paths.h"

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

#define END_GRACE_MS 300
#define INDEX_GRACE                                                                                          \
    (5 * 60 * G_USEC_PER_SEC) /* how long an unfinished index keeps an engine that nobody else needs */

static void
worker_event(struct child *child, const char *verb, guint id, GVariant *values, gpointer data)
{
    struct supervisor *sup = data;

    if (!strcmp(verb, "done")) {
        supervisor_worker_done(sup, child, id, values);
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
    supervisor_tell_all(sup, verb, values);
}

static void
worker_changed(struct child *child G_GNUC_UNUSED, gpointer data)
{
    supervisor_consider_end(data);
}

struct child *
supervisor_find_account(struct supervisor *sup, const char *name)
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

void
supervisor_update_polling(struct supervisor *sup)
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
void
supervisor_follow_config(struct supervisor *sup)
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
        supervisor_tell_all(sup, "notice", dict);
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
        struct child *child = child_new(account->name, &callbacks);
        g_ptr_array_add(sup->accounts, child);
        if (sup->polling)
            send_poll(sup, child);
    }
    if (!first && sup->index) {
        child_stop(sup->index, NULL, NULL);
        sup->index = NULL;
    }
    if (config->notmuch_days >= 0 && config->accounts->len)
        sup->index = child_new(NULL, &callbacks);
    if (sup->config)
        config_free(sup->config);
    sup->config = g_steal_pointer(&config);
}

static void
one_left(gpointer data)
{
    struct supervisor *sup = data;
    if (--sup->leaving == 0)
        g_main_loop_quit(sup->loop);
}

void
supervisor_end(struct supervisor *sup)
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
        supervisor_end(sup);
    else if (sup->index && !sup->options.stay && !sup->clients->len) /* for the end of the grace */
        sup->end_timer = g_timeout_add_seconds(10, end_if_unneeded, sup);
    return G_SOURCE_REMOVE;
}

/* A command that follows at once finds the engine still there. */
void
supervisor_consider_end(struct supervisor *sup)
{
    if (!sup->ending && !sup->end_timer && !is_needed(sup))
        sup->end_timer = g_timeout_add(END_GRACE_MS, end_if_unneeded, sup);
}

static gboolean
on_signal(gpointer data)
{
    supervisor_end(data);
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
    g_autofree char *told = g_strdup_printf("%d %s", error->code, error->message); /* for start_engine() */
    if (sup->options.ready_fd >= 0 && write(sup->options.ready_fd, told, strlen(told)) < 0)
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
    g_unix_fd_add(sup.listen_fd, G_IO_IN, supervisor_accept, &sup);
    g_unix_signal_add(SIGTERM, on_signal, &sup);
    g_unix_signal_add(SIGINT, on_signal, &sup);
    if (options->stay)
        g_unix_signal_add(SIGHUP, on_signal, &sup);
    sup.alone = clock_monotonic();
    supervisor_follow_config(&sup);
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
