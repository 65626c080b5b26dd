#include "config.h"

#include "sync/body_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"

/* A message as it came. */
struct body {
    guint32 uid;
    GBytes *bytes; /* CRLF */
    int fd;        /* or, when large, in an unlinked file; -1 */
};

struct body_pipe;

/* One connection, and the thread that has it. Its own members are that thread's alone. */
struct fetcher {
    struct body_pipe *pipe;
    GThread *thread;
    struct imap *imap;     /* the runner's, or NULL until it is opened */
    struct uidset *mine;   /* its share that has not come */
    struct body *open;
    GByteArray *buffer;
};

struct body_pipe {
    struct sync *sync;
    const struct folder *folder;
    char *dir, *spool_dir;
    const GArray *rows; /* struct survey_body */
    guint *by_uid;      /* their numbers: of a million rows a hash table would have 30 MB */
    gint64 begun;
    GThread *writer, *flusher;

    GMutex lock; /* what follows */
    GCond changed;
    GPtrArray *fetchers; /* struct fetcher; the first has the runner's connection */
    guint fetching;      /* those that are not done */
    struct uidset *left, *missing;
    GQueue bodies; /* struct body: from the fetchers to the writer */
    guint64 bytes; /* held in them */
    gint64 waited; /* of the writer, for the network */
    gboolean broken, stop; /* a connection ended: no more is asked for; all is to stop */
    struct body_batch *flushing; /* from the writer to the flusher */
    gboolean no_more;            /* will come there */
    struct body_batch *ready;    /* from the flusher to the caller */
    gboolean recording;       /* the caller has one */
    gboolean written;
    GError *error; /* the first */

    /* The writer's alone. */
    struct uidset *empty; /* came without a byte */
    struct body_batch *batch;
    gint64 due; /* of the batch, monotonic */
};

static void
body_free(struct body *body)
{
    if (!body)
        return;
    if (body->bytes)
        g_bytes_unref(body->bytes);
    if (body->fd >= 0)
        close(body->fd);
    g_free(body);
}

static struct body_batch *
batch_new(void)
{
    struct body_batch *batch = g_new0(struct body_batch, 1);
    batch->files = maildir_batch_new();
    batch->slots = g_ptr_array_new_with_free_func(g_free);
    return batch;
}

void
body_batch_free(struct body_batch *batch)
{
    if (!batch)
        return;
    maildir_batch_free(batch->files);
    g_ptr_array_unref(batch->slots);
    g_free(batch);
}

/* The first failure stops both threads. Takes the error. */
static void
fail(struct body_pipe *pipe, GError *error)
{
    g_mutex_lock(&pipe->lock);
    if (error && !pipe->error && !pipe->stop)
        pipe->error = g_steal_pointer(&error);
    pipe->stop = TRUE;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    g_clear_error(&error);
}

/* ---- the fetchers ---- */

static gboolean
on_begin(G_GNUC_UNUSED guint32 uid, guint64 size, gpointer data, GError **error)
{
    struct fetcher *fetcher = data;
    /* One that was broken off is thrown away here. */
    g_clear_pointer(&fetcher->open, body_free);
    g_clear_pointer(&fetcher->buffer, g_byte_array_unref);
    fetcher->open = g_new0(struct body, 1);
    fetcher->open->fd = -1;
    if (size <= BODY_SPOOL_ABOVE) {
        fetcher->buffer = g_byte_array_sized_new((guint) size);
        return TRUE;
    }
    const char *dir = fetcher->pipe->spool_dir;
    fetcher->open->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fetcher->open->fd < 0)
        error_set_errno(error, SYNC_ERROR, errno, "cannot make room for a large message in %s", dir);
    return fetcher->open->fd >= 0;
}

static gboolean
on_write(const void *bytes, gsize length, gpointer data, GError **error)
{
    struct fetcher *fetcher = data;
    if (fetcher->buffer) {
        g_byte_array_append(fetcher->buffer, bytes, (guint) length);
        return TRUE;
    }
    for (const char *p = bytes; length;) {
        gssize n = STEP_FAILS("sync.spool") ? -1 : write(fetcher->open->fd, p, length);
        if (n < 0 && errno != EINTR) {
            error_set_errno(error, SYNC_ERROR, errno, "cannot write a large message to %s", fetcher->pipe->spool_dir);
            return FALSE;
        }
        p += MAX(n, 0);
        length -= (gsize) MAX(n, 0);
    }
    return TRUE;
}

static gboolean
is_full(const struct body_pipe *pipe, gsize more)
{
    return pipe->bodies.length &&
           (pipe->bodies.length >= BODY_PIPE_MESSAGES || pipe->bytes + more > BODY_PIPE_BYTES);
}

static gboolean
on_end(const struct imap_message *message, gpointer data, GError **error)
{
    struct fetcher *fetcher = data;
    struct body_pipe *pipe = fetcher->pipe;
    struct body *body = g_steal_pointer(&fetcher->open);
    if (fetcher->buffer)
        body->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&fetcher->buffer));
    body->uid = message->uid;
    gsize held = body->bytes ? g_bytes_get_size(body->bytes) : 0;

    uidset_remove(fetcher->mine, message->uid);
    g_mutex_lock(&pipe->lock);
    while (!pipe->stop && is_full(pipe, held))
        g_cond_wait(&pipe->changed, &pipe->lock);
    gboolean stop = pipe->stop;
    if (!stop) {
        g_queue_push_tail(&pipe->bodies, body);
        pipe->bytes += held;
        g_cond_broadcast(&pipe->changed);
    }
    g_mutex_unlock(&pipe->lock);
    if (stop) {
        body_free(body);
        g_set_error(error, SYNC_ERROR, ERROR_CANCELLED, "the fetching of messages was stopped");
    }
    return !stop;
}

static gpointer fetch(gpointer data);

/* With the lock held. */
static void
add_fetcher(struct body_pipe *pipe, struct imap *imap)
{
    struct fetcher *fetcher = g_new0(struct fetcher, 1);
    fetcher->pipe = pipe;
    fetcher->imap = imap;
    fetcher->mine = uidset_new();
    g_ptr_array_add(pipe->fetchers, fetcher);
    pipe->fetching++;
    fetcher->thread = g_thread_new("fetch bodies", fetch, fetcher);
}

/* Is the network what everything waits for? Then another connection may bring more. With the lock held. */
static gboolean
wants_more(const struct body_pipe *pipe)
{
    gint64 spent = clock_monotonic() - pipe->begun;
    guint n = pipe->fetchers->len;
    return !pipe->sync->no_more_connections && n < BODY_CONNECTIONS && spent > n * BODY_MORE_AFTER_MS * 1000 &&
           pipe->waited * 100 > spent * BODY_MORE_WAITED && uidset_count(pipe->left) >= n * BODY_MORE_FROM;
}

/* The next share, newest first; FALSE: there is none. */
static gboolean
take_share(struct fetcher *fetcher)
{
    struct body_pipe *pipe = fetcher->pipe;
    g_mutex_lock(&pipe->lock);
    g_autoptr(struct_uidset) share =
        pipe->stop || pipe->broken ? uidset_new() : uidset_take(pipe->left, BODY_SHARE, 0, TRUE);
    if (!pipe->stop && !pipe->broken && wants_more(pipe))
        add_fetcher(pipe, NULL);
    g_mutex_unlock(&pipe->lock);
    uidset_add_set(fetcher->mine, share);
    return !uidset_is_empty(share);
}

static gboolean
fetch_shares(struct fetcher *fetcher, GError **error)
{
    struct body_pipe *pipe = fetcher->pipe;
    struct imap_sink sink = {on_begin, on_write, on_end, fetcher};
    g_autoptr(struct_uidset) missing = uidset_new();
    gboolean ok = TRUE;
    while (ok && take_share(fetcher)) {
        g_autoptr(struct_uidset) share = uidset_copy(fetcher->mine);
        ok = imap_fetch_bodies(fetcher->imap, share, TRUE, &sink, missing, error);
        uidset_remove_set(fetcher->mine, missing);
    }
    g_mutex_lock(&pipe->lock);
    uidset_add_set(pipe->missing, missing);
    g_mutex_unlock(&pipe->lock);
    return ok;
}

/* A connection that is only help: when it breaks, its share is the others'. With the lock held. */
static void
end_help(struct body_pipe *pipe, struct fetcher *fetcher, GError *error)
{
    if (error && !pipe->stop)
        log_info("sync.bodies", "another connection ended: %s", error->message);
    if (uidset_is_empty(fetcher->mine) || pipe->stop)
        return;
    uidset_add_set(pipe->left, fetcher->mine);
    if (pipe->fetching == 1 && !pipe->error) /* nobody is left to fetch it: the next pass does */
        g_set_error(&pipe->error, SYNC_ERROR, ERROR_RETRY, "a connection to the server broke: %s",
                    error ? error->message : "");
}

static gpointer
fetch(gpointer data)
{
    struct fetcher *fetcher = data;
    struct body_pipe *pipe = fetcher->pipe;
    GError *error = NULL;
    gboolean is_help = !fetcher->imap;
    gboolean ok = (!is_help || (fetcher->imap = sync_open_help(pipe->sync, pipe->folder, &error))) &&
                  fetch_shares(fetcher, &error);
    g_mutex_lock(&pipe->lock);
    if (is_help) {
        pipe->sync->no_more_connections |= !ok && !pipe->stop;
        end_help(pipe, fetcher, error);
    } else if (!ok) {
        pipe->broken = TRUE;
        /* What came before the connection broke is still written: this is no reason to stop. */
        if (!pipe->error && !pipe->stop)
            pipe->error = g_steal_pointer(&error);
    }
    pipe->fetching--;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    g_clear_error(&error);
    return NULL;
}

/* ---- the writer ---- */

static guint32
uid_of(const GArray *rows, guint number)
{
    return g_array_index(rows, struct survey_body, number).uid;
}

static gint
compare_rows(gconstpointer a, gconstpointer b, gpointer rows)
{
    guint32 first = uid_of(rows, *(const guint *) a), second = uid_of(rows, *(const guint *) b);
    return first < second ? -1 : first > second;
}

/* NULL: it is not one of those. */
static const struct survey_body *
find_row(const struct body_pipe *pipe, guint32 uid)
{
    guint from = 0, to = pipe->rows->len;
    while (from < to) {
        guint middle = from + (to - from) / 2;
        if (uid_of(pipe->rows, pipe->by_uid[middle]) < uid)
            from = middle + 1;
        else
            to = middle;
    }
    gboolean found = from < pipe->rows->len && uid_of(pipe->rows, pipe->by_uid[from]) == uid;
    return found ? &g_array_index(pipe->rows, struct survey_body, pipe->by_uid[from]) : NULL;
}

static gboolean
write_body(struct body_pipe *pipe, const struct body *body, GError **error)
{
    const struct survey_body *row = find_row(pipe, body->uid);
    if (!row)
        return TRUE; /* not one of those that were asked for */
    gsize size = 0;
    const void *start = body->bytes ? g_bytes_get_data(body->bytes, &size) : NULL;
    if (body->bytes && !size) { /* no message is: asked for again later */
        uidset_add(pipe->empty, body->uid);
        return TRUE;
    }
    struct maildir_batch *files = pipe->batch->files;
    int entry = body->bytes ? maildir_batch_add(files, pipe->dir, row->flags, start, size, error)
                            : maildir_batch_add_fd(files, pipe->dir, row->flags, body->fd, error);
    if (entry < 0)
        return FALSE;
    struct body_slot *slot = g_new0(struct body_slot, 1);
    slot->placement = row->placement;
    slot->entry = (guint) entry;
    g_ptr_array_add(pipe->batch->slots, slot);
    return TRUE;
}

/* To the flusher, when it is done with the one before. */
static void
finish_batch(struct body_pipe *pipe)
{
    if (!pipe->batch->slots->len)
        return;
    g_mutex_lock(&pipe->lock);
    while (!pipe->stop && pipe->flushing)
        g_cond_wait(&pipe->changed, &pipe->lock);
    if (!pipe->stop)
        pipe->flushing = g_steal_pointer(&pipe->batch);
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    g_clear_pointer(&pipe->batch, body_batch_free);
    pipe->batch = batch_new();
}

static gboolean
is_batch_full(const struct body_pipe *pipe, const struct body *next)
{
    guint64 more = next->bytes ? g_bytes_get_size(next->bytes) : BODY_SPOOL_ABOVE;
    return pipe->batch->slots->len >= BODY_BATCH_MESSAGES ||
           (pipe->batch->slots->len && maildir_batch_bytes(pipe->batch->files) + more > BODY_BATCH_BYTES);
}

enum taken { TAKEN_BODY, TAKEN_NOTHING, TAKEN_END, TAKEN_STOP };

/* The next message. TAKEN_NOTHING: the network is slow, and what the batch has is due. */
static enum taken
take_body(struct body_pipe *pipe, struct body **body)
{
    enum taken taken = TAKEN_BODY;
    g_mutex_lock(&pipe->lock);
    gint64 start = clock_monotonic();
    while (!pipe->stop && !pipe->bodies.length && pipe->fetching && taken == TAKEN_BODY) {
        if (!pipe->batch->slots->len)
            g_cond_wait(&pipe->changed, &pipe->lock);
        else if (!g_cond_wait_until(&pipe->changed, &pipe->lock, pipe->due) && !pipe->bodies.length)
            taken = TAKEN_NOTHING;
    }
    if (pipe->stop)
        taken = TAKEN_STOP;
    else if (pipe->bodies.length)
        taken = TAKEN_BODY;
    else if (!pipe->fetching)
        taken = TAKEN_END;
    *body = taken == TAKEN_BODY ? g_queue_pop_head(&pipe->bodies) : NULL;
    if (*body && (*body)->bytes)
        pipe->bytes -= g_bytes_get_size((*body)->bytes);
    pipe->waited += clock_monotonic() - start;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    return taken;
}

static gboolean
put_body(struct body_pipe *pipe, const struct body *body, GError **error)
{
    if (is_batch_full(pipe, body))
        finish_batch(pipe);
    if (!pipe->batch->slots->len)
        pipe->due = g_get_monotonic_time() + BODY_BATCH_MS * 1000;
    return write_body(pipe, body, error);
}

static gpointer
write_all(gpointer data)
{
    struct body_pipe *pipe = data;
    GError *error = NULL;
    enum taken taken = TAKEN_BODY;
    gboolean ok = TRUE;
    while (ok && taken != TAKEN_END && taken != TAKEN_STOP) {
        struct body *body;
        taken = take_body(pipe, &body);
        if (taken == TAKEN_BODY)
            ok = put_body(pipe, body, &error);
        else if (taken != TAKEN_STOP)
            finish_batch(pipe);
        body_free(body);
    }
    if (!ok)
        fail(pipe, error);
    g_mutex_lock(&pipe->lock);
    pipe->no_more = TRUE;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    return NULL;
}

/* ---- the flusher ---- */

/* The next batch to be made durable; it stays where it is until it is handed over. NULL: there are no more. */
static struct body_batch *
next_to_flush(struct body_pipe *pipe)
{
    g_mutex_lock(&pipe->lock);
    while (!pipe->stop && !pipe->flushing && !pipe->no_more)
        g_cond_wait(&pipe->changed, &pipe->lock);
    struct body_batch *batch = pipe->stop ? NULL : pipe->flushing;
    g_mutex_unlock(&pipe->lock);
    return batch;
}

/* Waits until the caller has recorded the batch before. */
static void
hand_over(struct body_pipe *pipe)
{
    g_mutex_lock(&pipe->lock);
    while (!pipe->stop && (pipe->ready || pipe->recording))
        g_cond_wait(&pipe->changed, &pipe->lock);
    if (!pipe->stop)
        pipe->ready = g_steal_pointer(&pipe->flushing);
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
}

static gpointer
flush_all(gpointer data)
{
    struct body_pipe *pipe = data;
    GError *error = NULL;
    gboolean ok = TRUE;
    for (struct body_batch *batch; ok && (batch = next_to_flush(pipe));) {
        STEP("sync.bodies.flush");
        ok = maildir_batch_commit(batch->files, &error);
        if (ok)
            hand_over(pipe);
        else
            fail(pipe, error);
    }
    g_mutex_lock(&pipe->lock);
    pipe->written = TRUE;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    return NULL;
}

/* ---- the caller ---- */

static void
fetcher_free(gpointer data)
{
    struct fetcher *fetcher = data;
    body_free(fetcher->open);
    g_clear_pointer(&fetcher->buffer, g_byte_array_unref);
    uidset_free(fetcher->mine);
    g_free(fetcher);
}

struct body_pipe *
body_pipe_new(struct sync *sync, const struct folder *folder, const char *dir, const GArray *rows)
{
    struct body_pipe *pipe = g_new0(struct body_pipe, 1);
    pipe->sync = sync;
    pipe->folder = folder;
    pipe->dir = g_strdup(dir);
    pipe->spool_dir = g_build_filename(dir, "tmp", NULL);
    pipe->rows = rows;
    pipe->by_uid = g_new(guint, rows->len + 1);
    pipe->left = uidset_new();
    pipe->missing = uidset_new();
    pipe->begun = clock_monotonic();
    pipe->empty = uidset_new();
    for (guint i = 0; i < rows->len; i++) {
        const struct survey_body *row = &g_array_index(rows, struct survey_body, i);
        pipe->by_uid[i] = i;
        uidset_add(pipe->left, row->uid);
    }
    g_qsort_with_data(pipe->by_uid, (gint) rows->len, sizeof *pipe->by_uid, compare_rows, (gpointer) rows);
    pipe->batch = batch_new();
    g_mutex_init(&pipe->lock);
    g_cond_init(&pipe->changed);
    g_queue_init(&pipe->bodies);
    pipe->fetchers = g_ptr_array_new_with_free_func(fetcher_free);
    g_mutex_lock(&pipe->lock);
    add_fetcher(pipe, sync->imap);
    g_mutex_unlock(&pipe->lock);
    pipe->writer = g_thread_new("write bodies", write_all, pipe);
    pipe->flusher = g_thread_new("flush bodies", flush_all, pipe);
    return pipe;
}

gboolean
body_pipe_wait(struct body_pipe *pipe, guint milliseconds)
{
    gint64 until = g_get_monotonic_time() + (gint64) milliseconds * 1000;
    g_mutex_lock(&pipe->lock);
    /* It is ours to record no more: the flusher may go on while we wait. */
    pipe->recording = FALSE;
    g_cond_broadcast(&pipe->changed);
    while (!pipe->ready && !pipe->written && g_cond_wait_until(&pipe->changed, &pipe->lock, until))
        ;
    gboolean there = pipe->ready || pipe->written;
    g_mutex_unlock(&pipe->lock);
    return there;
}

struct body_batch *
body_pipe_take(struct body_pipe *pipe, GError **error)
{
    g_mutex_lock(&pipe->lock);
    pipe->recording = FALSE;
    g_cond_broadcast(&pipe->changed);
    while (!pipe->ready && !pipe->written)
        g_cond_wait(&pipe->changed, &pipe->lock);
    struct body_batch *batch = g_steal_pointer(&pipe->ready);
    pipe->recording = batch != NULL;
    if (!batch && pipe->error)
        g_propagate_error(error, g_steal_pointer(&pipe->error));
    g_mutex_unlock(&pipe->lock);
    return batch;
}

struct uidset *
body_pipe_missing(const struct body_pipe *pipe)
{
    struct uidset *missing = uidset_copy(pipe->missing);
    uidset_add_set(missing, pipe->empty);
    return missing;
}

/* Threads may come while they are waited for, but none after `stop`. */
static void
join_fetchers(struct body_pipe *pipe)
{
    for (guint i = 0; i < pipe->fetchers->len; i++) {
        struct fetcher *fetcher = pipe->fetchers->pdata[i];
        g_thread_join(fetcher->thread);
        if (i && fetcher->imap)
            sync_close_help(pipe->sync, fetcher->imap);
    }
}

void
body_pipe_free(struct body_pipe *pipe)
{
    if (!pipe)
        return;
    fail(pipe, NULL);
    join_fetchers(pipe);
    g_thread_join(pipe->writer);
    g_thread_join(pipe->flusher);
    for (struct body *body; (body = g_queue_pop_head(&pipe->bodies));)
        body_free(body);
    body_batch_free(pipe->ready);
    body_batch_free(pipe->flushing);
    body_batch_free(pipe->batch);
    g_clear_error(&pipe->error);
    g_ptr_array_unref(pipe->fetchers);
    g_free(pipe->by_uid);
    uidset_free(pipe->left);
    uidset_free(pipe->missing);
    uidset_free(pipe->empty);
    g_mutex_clear(&pipe->lock);
    g_cond_clear(&pipe->changed);
    g_free(pipe->dir);
    g_free(pipe->spool_dir);
    g_free(pipe);
}
