#include "config.h"

#include "mail/reader_private.h"

#include "base/error.h"
#include "base/paths.h"
#include "base/record.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "postrider-reader"
#define TIME_LIMIT_MS 15000
/* Requests are handed over while fewer than this many have no answer and less than this waits in the pipe. */
#define IN_FLIGHT_MAX 64
#define UNSENT_MAX (256 * 1024)

G_DEFINE_QUARK(postrider_reader_error, reader_error)

struct reader {
    GMainContext *context;
    GSource *source;
    guint time_limit_ms, last_id;
    GQueue waiting;   /* of struct request, not handed over yet */
    GQueue in_flight; /* handed over, in order */
    gint64 since;     /* when the first of in_flight became the first */

    pid_t pid; /* 0: not running */
    int fd;
    gpointer fd_tag;
    gboolean fd_writes; /* the source looks for room to write too */
    gboolean hello;
    gboolean large; /* its memory limit was raised */
    struct record_queue *records;
};

static void
request_free(struct request *request)
{
    if (request->destroy)
        request->destroy(request->data);
    g_clear_pointer(&request->value, g_variant_unref);
    g_clear_pointer(&request->blob, g_bytes_unref);
    g_free(request);
}

/* --- the process --- */

static int
make_socketpair(int ends[2], GError **error)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0)
        return 0;
    error_set_errno(error, READER_ERROR, errno, "starting %s", PROGRAM);
    return -1;
}

/* The child gets its end as standard input and output and nothing else: no terminal, no environment, default
 * signals. */
static int
spawn_child(const char *path, int end, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    char *argv[] = {(char *)PROGRAM, NULL}, *environment[] = {(char *)"LC_ALL=C.UTF-8", NULL};
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, end, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    int err = posix_spawn(pid, path, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

static gboolean
child_start(struct reader *reader, GError **error)
{
    int ends[2];
    g_autofree char *path = paths_program(PROGRAM);
    if (make_socketpair(ends, error) < 0)
        return FALSE;
    /* dup2 of a descriptor onto itself would keep its close-on-exec flag */
    int end = ends[1] > STDERR_FILENO ? ends[1] : fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int err = end < 0 ? errno : spawn_child(path, end, &reader->pid);
    if (end >= 0 && end != ends[1])
        close(end);
    close(ends[1]);
    if (err) {
        close(ends[0]);
        reader->pid = 0;
        g_set_error(error, READER_ERROR, ERROR_GIVEUP, "%s cannot be started: %s", path, g_strerror(err));
        return FALSE;
    }
    reader->fd = ends[0];
    (void)fcntl(reader->fd, F_SETFL, fcntl(reader->fd, F_GETFL) | O_NONBLOCK);
    reader->hello = reader->large = FALSE;
    reader->records = record_queue_new(reader->fd, G_VARIANT_TYPE(READER_ANSWER_TYPE), READER_ANSWER_MAX);
    reader->since = g_get_monotonic_time();
    reader->fd_tag = g_source_add_unix_fd(reader->source, reader->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    reader->fd_writes = FALSE;
    return TRUE;
}

/* Ends the process and says how it ended; *outside: somebody else's doing. */
static char *
child_end(struct reader *reader, gboolean timed_out, gboolean *outside)
{
    int status = 0;
    pid_t got;
    if (timed_out)
        kill(reader->pid, SIGKILL);
    g_source_remove_unix_fd(reader->source, reader->fd_tag);
    close(reader->fd); /* it ends by itself when it reads the end */
    g_clear_pointer(&reader->records, record_queue_free);
    do
        got = waitpid(reader->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    reader->pid = 0;
    *outside = FALSE;
    if (timed_out)
        return g_strdup("it took too long");
    if (got < 0)
        return g_strdup("the reader ended");
    if (WIFEXITED(status) && WEXITSTATUS(status) == READER_EXIT_MEMORY)
        return g_strdup("it needs more memory than the reader may take");
    if (WIFEXITED(status)) {
        *outside = TRUE;
        return g_strdup_printf("the reader ended with exit code %d", WEXITSTATUS(status));
    }
    switch (WTERMSIG(status)) {
    case SIGPROF:
    case SIGXCPU:
        return g_strdup("it took too much time");
    case SIGSYS:
        return g_strdup("it made the reader try something forbidden");
    case SIGKILL:
    case SIGTERM:
    case SIGHUP:
    case SIGINT:
        *outside = TRUE;
        return g_strdup_printf("the reader was killed by signal %d", WTERMSIG(status));
    default:
        return g_strdup_printf("it crashed the reader (signal %d)", WTERMSIG(status));
    }
}

/* --- requests --- */

static void
complete(struct reader *reader, struct request *request, GVariant *value, const GError *error)
{
    (void)reader;
    if (!request->cancelled)
        request->finish(request, value, error);
    request_free(request);
}

static void
fail_all(struct reader *reader, const GError *error)
{
    GQueue failed = G_QUEUE_INIT;
    struct request *request;
    while ((request = g_queue_pop_head(&reader->in_flight)))
        g_queue_push_tail(&failed, request);
    while ((request = g_queue_pop_head(&reader->waiting)))
        g_queue_push_tail(&failed, request);
    while ((request = g_queue_pop_head(&failed)))
        complete(reader, request, NULL, error);
}

/* The process is gone or has to go: the message it was at is to blame, those behind it are asked again. */
static void
child_lost(struct reader *reader, gboolean timed_out, const GError *cause)
{
    gboolean outside, started = reader->hello;
    g_autofree char *how = child_end(reader, timed_out, &outside);
    struct request *blamed = started ? g_queue_pop_head(&reader->in_flight) : NULL, *request;
    if (!started) {
        g_autoptr(GError) error = g_error_new(READER_ERROR, ERROR_GIVEUP, "%s does not start: %s", PROGRAM,
                                              cause ? cause->message : how);
        fail_all(reader, error);
        return;
    }
    while ((request = g_queue_pop_tail(&reader->in_flight)))
        g_queue_push_head(&reader->waiting, request);
    if (!blamed)
        return;
    if (outside && !blamed->tried) {
        blamed->tried = TRUE;
        g_queue_push_head(&reader->waiting, blamed);
        return;
    }
    g_autoptr(GError) error = g_error_new(READER_ERROR, ERROR_SKIP, "this message cannot be read: %s", how);
    complete(reader, blamed, NULL, error);
}

/* Messages beyond READER_SMALL need more room than the process allows itself. */
static void
allow_memory(struct reader *reader, gsize size)
{
    if (size <= READER_SMALL || reader->large)
        return;
    struct rlimit limit;
    if (prlimit(reader->pid, RLIMIT_AS, NULL, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)prlimit(reader->pid, RLIMIT_AS, &limit, NULL);
    reader->large = TRUE;
}

static gboolean
hand_over(struct reader *reader, GError **error)
{
    while (!g_queue_is_empty(&reader->waiting) && reader->hello && reader->in_flight.length < IN_FLIGHT_MAX &&
           record_queue_unsent(reader->records) < UNSENT_MAX) {
        struct request *request = g_queue_pop_head(&reader->waiting);
        if (request->cancelled) {
            request_free(request);
            continue;
        }
        allow_memory(reader, g_variant_get_size(request->value));
        if (g_queue_is_empty(&reader->in_flight))
            reader->since = g_get_monotonic_time();
        g_queue_push_tail(&reader->in_flight, request);
        if (!record_queue_put(reader->records,
                              g_variant_new("(uuv)", request->operation, request->argument, request->value),
                              error))
            return FALSE;
    }
    return record_queue_flush(reader->records, error);
}

static gboolean
take_hello(struct reader *reader, GVariant *answer, GError **error)
{
    guint code;
    g_autoptr(GVariant) value = NULL;
    g_variant_get(answer, "(uv)", &code, &value);
    gboolean text = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING);
    if (code == 0 && text && g_str_equal(g_variant_get_string(value, NULL), READER_HELLO)) {
        reader->hello = TRUE;
        return TRUE;
    }
    g_set_error(error, READER_ERROR, ERROR_GIVEUP, "%s",
                text ? g_variant_get_string(value, NULL) : "it speaks another language");
    return FALSE;
}

/* One answer to the request that was sent first. */
static gboolean
take_answer(struct reader *reader, GVariant *answer, GBytes *blob, GError **error)
{
    guint code;
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GError) told = NULL;
    struct request *request = g_queue_peek_head(&reader->in_flight);
    g_variant_get(answer, "(uv)", &code, &value);
    gboolean wants_blob =
        request && (request->operation == READER_OP_PART || request->operation == READER_OP_BUILD ||
                    request->operation == READER_OP_TOKENS);
    if (!request || (code == 0 && wants_blob != (blob != NULL)) ||
        (code == 0 && !g_variant_is_of_type(value, G_VARIANT_TYPE(request->answer_type))) ||
        (code != 0 && (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) || code > ERROR_GIVEUP))) {
        g_set_error(error, READER_ERROR, ERROR_SKIP, "the reader answered what was not asked");
        return FALSE;
    }
    g_queue_pop_head(&reader->in_flight);
    reader->since = g_get_monotonic_time();
    request->blob = blob ? g_bytes_ref(blob) : NULL;
    if (code)
        g_set_error_literal(&told, READER_ERROR, (int)code, g_variant_get_string(value, NULL));
    complete(reader, request, code ? NULL : value, told);
    return TRUE;
}

static gboolean
take_answers(struct reader *reader, GError **error)
{
    for (;;) {
        g_autoptr(GBytes) blob = NULL;
        g_autoptr(GVariant) answer = record_queue_take_blob(reader->records, &blob, error);
        if (!answer)
            return !error || !*error;
        if (!(reader->hello ? take_answer(reader, answer, blob, error) : take_hello(reader, answer, error)))
            return FALSE;
        if (!reader->pid) /* a call back ended it */
            return TRUE;
    }
}

static gboolean
is_late(struct reader *reader)
{
    if (!reader->pid || (reader->hello && g_queue_is_empty(&reader->in_flight)))
        return FALSE;
    return g_get_monotonic_time() - reader->since > reader->time_limit_ms * (gint64)1000;
}

/* Does what can be done without waiting. FALSE when nothing is left to do. */
static gboolean
service(struct reader *reader)
{
    g_autoptr(GError) error = NULL, fill_error = NULL;
    if (!reader->pid) {
        if (g_queue_is_empty(&reader->waiting))
            return FALSE;
        if (!child_start(reader, &error)) {
            fail_all(reader, error);
            return FALSE;
        }
    }
    /* what has been answered counts even when the process is gone now */
    gboolean alive = record_queue_fill(reader->records, NULL, &fill_error);
    if (!take_answers(reader, &error)) {
        if (reader->pid) {
            kill(reader->pid, SIGKILL);
            child_lost(reader, FALSE, error);
        }
    } else if (reader->pid && !alive) {
        child_lost(reader, FALSE, NULL);
    } else if (reader->pid && is_late(reader)) {
        child_lost(reader, TRUE, NULL);
    } else if (reader->pid && !hand_over(reader, &error)) {
        child_lost(reader, FALSE, NULL);
    }
    return !g_queue_is_empty(&reader->waiting) || !g_queue_is_empty(&reader->in_flight);
}

static gint64
time_left_ms(const struct reader *reader)
{
    gint64 left = reader->since + reader->time_limit_ms * (gint64)1000 - g_get_monotonic_time();
    return CLAMP((left + 999) / 1000, 0, 1000 * 1000);
}

static void
wait_for_child(struct reader *reader)
{
    if (!reader->pid)
        return;
    struct pollfd poller = {.fd = reader->fd, .events = POLLIN};
    if (record_queue_unsent(reader->records))
        poller.events |= POLLOUT;
    (void)poll(&poller, 1, (int)time_left_ms(reader) + 1);
}

/* --- the main loop's side --- */

struct reader_source {
    GSource source;
    struct reader *reader;
};

static gboolean
source_prepare(GSource *source, gint *timeout)
{
    struct reader *reader = ((struct reader_source *)source)->reader;
    *timeout = -1;
    gboolean busy = !g_queue_is_empty(&reader->waiting) || !g_queue_is_empty(&reader->in_flight);
    if (!reader->pid)
        return busy;
    gboolean unsent = record_queue_unsent(reader->records) > 0;
    /* Modifying wakes the main context up: done each time, it would never sleep again. */
    if (unsent != reader->fd_writes)
        g_source_modify_unix_fd(source, reader->fd_tag,
                                G_IO_IN | G_IO_HUP | G_IO_ERR | (unsent ? G_IO_OUT : 0));
    reader->fd_writes = unsent;
    if (busy)
        *timeout = (gint)time_left_ms(reader) + 1;
    /* room for more, and somebody waits */
    return reader->hello && !g_queue_is_empty(&reader->waiting) && reader->in_flight.length < IN_FLIGHT_MAX &&
           !unsent;
}

static gboolean
source_check(GSource *source)
{
    struct reader *reader = ((struct reader_source *)source)->reader;
    if (!reader->pid)
        return !g_queue_is_empty(&reader->waiting);
    return g_source_query_unix_fd(source, reader->fd_tag) != 0 || is_late(reader);
}

static gboolean
source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)callback, (void)data;
    service(((struct reader_source *)source)->reader);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
    .prepare = source_prepare, .check = source_check, .dispatch = source_dispatch};

/* --- new and free --- */

struct reader *
reader_new(void)
{
    struct reader *reader = g_new0(struct reader, 1);
    reader->time_limit_ms = TIME_LIMIT_MS;
    g_queue_init(&reader->waiting);
    g_queue_init(&reader->in_flight);
    reader->context = g_main_context_ref_thread_default();
    reader->source = g_source_new(&source_funcs, sizeof(struct reader_source));
    ((struct reader_source *)reader->source)->reader = reader;
    g_source_set_static_name(reader->source, "reader");
    g_source_attach(reader->source, reader->context);
    return reader;
}

void
reader_warm(struct reader *reader)
{
    if (!reader->pid)
        (void)child_start(reader, NULL);
}

void
reader_free(struct reader *reader)
{
    gboolean outside;
    if (!reader)
        return;
    if (reader->pid) {
        kill(reader->pid, SIGKILL);
        g_free(child_end(reader, FALSE, &outside));
    }
    g_queue_clear_full(&reader->in_flight, (GDestroyNotify)request_free);
    g_queue_clear_full(&reader->waiting, (GDestroyNotify)request_free);
    g_source_destroy(reader->source);
    g_source_unref(reader->source);
    g_main_context_unref(reader->context);
    g_free(reader);
}

void
reader_set_time_limit(struct reader *reader, guint milliseconds)
{
    reader->time_limit_ms = milliseconds;
}

/* --- asking --- */

struct request *
reader_ask(struct reader *reader, enum reader_operation operation, guint argument, GVariant *value,
           const char *answer_type, finish_func finish)
{
    struct request *request = g_new0(struct request, 1);
    request->id = ++reader->last_id ? reader->last_id : ++reader->last_id;
    request->operation = operation;
    request->argument = argument;
    request->value = g_variant_ref_sink(value);
    request->answer_type = answer_type;
    request->finish = finish;
    g_queue_push_tail(&reader->waiting, request);
    g_main_context_wakeup(reader->context);
    return request;
}

void
reader_drain(struct reader *reader, guint left)
{
    while (reader->waiting.length + reader->in_flight.length > left) {
        if (service(reader) && reader->waiting.length + reader->in_flight.length > left)
            wait_for_child(reader);
    }
}

guint
reader_pending(const struct reader *reader, guint64 *bytes)
{
    if (bytes) {
        *bytes = 0;
        for (const GList *node = reader->waiting.head; node; node = node->next)
            *bytes += g_variant_get_size(((struct request *)node->data)->value);
        for (const GList *node = reader->in_flight.head; node; node = node->next)
            *bytes += g_variant_get_size(((struct request *)node->data)->value);
    }
    return reader->waiting.length + reader->in_flight.length;
}

static gboolean
cancel_in(GQueue *queue, guint id)
{
    for (GList *node = queue->head; node; node = node->next) {
        struct request *request = node->data;
        if (request->id != id)
            continue;
        request->cancelled = TRUE;
        if (request->destroy)
            request->destroy(request->data);
        request->destroy = NULL;
        return TRUE;
    }
    return FALSE;
}

void
reader_cancel(struct reader *reader, guint request)
{
    if (!cancel_in(&reader->waiting, request))
        cancel_in(&reader->in_flight, request);
}

/* --- waiting for one answer --- */

struct result {
    GVariant *value;
    GBytes *blob;
    GError *error;
    gboolean done;
};

void
reader_finish_waiting(struct request *request, GVariant *value, const GError *error)
{
    struct result *result = request->data;
    result->done = TRUE;
    if (value)
        result->value = g_variant_ref(value);
    else
        result->error = g_error_copy(error);
    result->blob = value && request->blob ? g_bytes_ref(request->blob) : NULL;
}

GVariant *
reader_wait(struct reader *reader, struct request *request, GBytes **blob, GError **error)
{
    g_autofree struct result *result = g_new0(struct result, 1);
    request->data = result;
    while (!result->done)
        if (service(reader) && !result->done)
            wait_for_child(reader);
    if (result->error)
        g_propagate_error(error, result->error);
    if (blob)
        *blob = g_steal_pointer(&result->blob);
    g_clear_pointer(&result->blob, g_bytes_unref);
    return result->value;
}
