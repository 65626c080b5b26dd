#include "config.h"

#include "sync/body_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/log.h"
#include "mail/lines.h"

/* A message as it came. */
struct body {
    guint32 uid;
    GBytes *bytes; /* CRLF */
    int fd;        /* or, when large, in an unlinked file; -1 */
};

struct body_pipe {
    struct sync *sync;
    char *dir, *spool_dir;
    GHashTable *rows; /* uid -> const struct survey_body */
    struct uidset *uids, *missing;
    GThread *fetcher, *writer;

    GMutex lock; /* what follows */
    GCond changed;
    GQueue bodies; /* struct body: from the fetcher to the writer */
    guint64 bytes; /* held in them */
    gboolean fetched, stop;
    struct body_batch *ready; /* from the writer to the caller */
    gboolean recording;       /* the caller has one */
    gboolean written;
    GError *error; /* the first */

    /* The fetcher's alone. */
    struct body *open;
    GByteArray *buffer;

    /* The writer's alone. */
    struct body_batch *batch;
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

static void
slot_free(gpointer data)
{
    struct body_slot *slot = data;
    message_index_free(slot->index);
    g_free(slot);
}

static struct body_batch *
batch_new(void)
{
    struct body_batch *batch = g_new0(struct body_batch, 1);
    batch->files = maildir_batch_new();
    batch->slots = g_ptr_array_new_with_free_func(slot_free);
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

/* ---- the fetcher ---- */

static gboolean
on_begin(G_GNUC_UNUSED guint32 uid, guint64 size, gpointer data, GError **error)
{
    struct body_pipe *pipe = data;
    /* One that was broken off is thrown away here. */
    g_clear_pointer(&pipe->open, body_free);
    g_clear_pointer(&pipe->buffer, g_byte_array_unref);
    pipe->open = g_new0(struct body, 1);
    pipe->open->fd = -1;
    if (size <= BODY_SPOOL_ABOVE) {
        pipe->buffer = g_byte_array_sized_new((guint) size);
        return TRUE;
    }
    pipe->open->fd = open(pipe->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (pipe->open->fd < 0)
        error_set_errno(error, SYNC_ERROR, errno, "cannot make room for a large message in %s", pipe->spool_dir);
    return pipe->open->fd >= 0;
}

static gboolean
on_write(const void *bytes, gsize length, gpointer data, GError **error)
{
    struct body_pipe *pipe = data;
    if (pipe->buffer) {
        g_byte_array_append(pipe->buffer, bytes, (guint) length);
        return TRUE;
    }
    for (const char *p = bytes; length;) {
        gssize n = STEP_FAILS("sync.spool") ? -1 : write(pipe->open->fd, p, length);
        if (n < 0 && errno != EINTR) {
            error_set_errno(error, SYNC_ERROR, errno, "cannot write a large message to %s", pipe->spool_dir);
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
    struct body_pipe *pipe = data;
    struct body *body = g_steal_pointer(&pipe->open);
    if (pipe->buffer)
        body->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&pipe->buffer));
    body->uid = message->uid;
    gsize held = body->bytes ? g_bytes_get_size(body->bytes) : 0;

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

static gpointer
fetch(gpointer data)
{
    struct body_pipe *pipe = data;
    struct imap_sink sink = {on_begin, on_write, on_end, pipe};
    GError *error = NULL;
    gboolean ok = imap_fetch_bodies(pipe->sync->imap, pipe->uids, TRUE, &sink, pipe->missing, &error);
    g_mutex_lock(&pipe->lock);
    /* What came before the connection broke is still written: this is no reason to stop. */
    if (!ok && !pipe->error && !pipe->stop)
        pipe->error = g_steal_pointer(&error);
    pipe->fetched = TRUE;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    g_clear_error(&error);
    return NULL;
}

/* ---- the writer ---- */

/* A request to the reader. */
struct asked {
    struct body_pipe *pipe;
    struct body_slot *slot;
};

/* A message that the reader cannot read is kept and marked. A reader that does not work is another matter: nothing may be
 * recorded as unreadable for it. */
static void
on_index(struct message_index *index, const GError *error, gpointer data)
{
    struct asked *asked = data;
    asked->slot->index = index;
    if (!error)
        return;
    if (error->code == ERROR_SKIP)
        log_warn("sync.bodies", "placement=%" G_GINT64_FORMAT " cannot be read: %s", asked->slot->placement,
                 error->message);
    else
        fail(asked->pipe, g_error_copy(error));
}

static GBytes *
map_spooled(const struct body *body, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new_from_fd(body->fd, FALSE, &why);
    if (!file)
        g_set_error(error, SYNC_ERROR, ERROR_IO, "cannot read a large message back: %s", why->message);
    return file ? g_mapped_file_get_bytes(file) : NULL;
}

static gboolean
write_body(struct body_pipe *pipe, const struct body *body, GError **error)
{
    const struct survey_body *row = g_hash_table_lookup(pipe->rows, GUINT_TO_POINTER(body->uid));
    if (!row)
        return TRUE; /* not one of those that were asked for */
    g_autoptr(GBytes) bytes = body->bytes ? crlf_to_lf(body->bytes) : map_spooled(body, error);
    if (!bytes)
        return FALSE;
    gsize size;
    const void *start = g_bytes_get_data(bytes, &size);
    struct maildir_batch *files = pipe->batch->files;
    int entry = body->bytes ? maildir_batch_add(files, pipe->dir, row->flags, start, size, error)
                            : maildir_batch_add_fd(files, pipe->dir, row->flags, body->fd, error);
    if (entry < 0)
        return FALSE;
    struct body_slot *slot = g_new0(struct body_slot, 1);
    slot->placement = row->placement;
    slot->entry = (guint) entry;
    g_ptr_array_add(pipe->batch->slots, slot);
    struct asked asked = {pipe, slot};
    reader_index_text_async(pipe->sync->reader, bytes, on_index, g_memdup2(&asked, sizeof asked), g_free);
    return TRUE;
}

/* Waits until the caller has recorded the batch before. */
static void
hand_over(struct body_pipe *pipe)
{
    g_mutex_lock(&pipe->lock);
    while (!pipe->stop && (pipe->ready || pipe->recording))
        g_cond_wait(&pipe->changed, &pipe->lock);
    if (!pipe->stop)
        pipe->ready = g_steal_pointer(&pipe->batch);
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    g_clear_pointer(&pipe->batch, body_batch_free);
    pipe->batch = batch_new();
}

static gboolean
finish_batch(struct body_pipe *pipe, GError **error)
{
    if (!pipe->batch->slots->len)
        return TRUE;
    STEP("sync.bodies.flush");
    if (!maildir_batch_commit(pipe->batch->files, error))
        return FALSE;
    reader_drain(pipe->sync->reader, 0);
    hand_over(pipe);
    return TRUE;
}

/* The next message; NULL: there are no more, or all is to stop (*stop). */
static struct body *
take_body(struct body_pipe *pipe, gboolean *stop)
{
    g_mutex_lock(&pipe->lock);
    while (!pipe->stop && !pipe->bodies.length && !pipe->fetched)
        g_cond_wait(&pipe->changed, &pipe->lock);
    *stop = pipe->stop;
    struct body *body = *stop ? NULL : g_queue_pop_head(&pipe->bodies);
    if (body && body->bytes)
        pipe->bytes -= g_bytes_get_size(body->bytes);
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    return body;
}

static gpointer
write_all(gpointer data)
{
    struct body_pipe *pipe = data;
    GError *error = NULL;
    gboolean ok = TRUE, stop = FALSE;
    for (struct body *body; ok && (body = take_body(pipe, &stop));) {
        ok = write_body(pipe, body, &error);
        body_free(body);
        if (ok && (pipe->batch->slots->len >= BODY_BATCH_MESSAGES ||
                   maildir_batch_bytes(pipe->batch->files) >= BODY_BATCH_BYTES))
            ok = finish_batch(pipe, &error);
    }
    if (ok && !stop)
        ok = finish_batch(pipe, &error);
    if (!ok)
        fail(pipe, error);
    reader_drain(pipe->sync->reader, 0); /* it calls back into the slots of this batch */
    g_mutex_lock(&pipe->lock);
    pipe->written = TRUE;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    return NULL;
}

/* ---- the caller ---- */

struct body_pipe *
body_pipe_new(struct sync *sync, const char *dir, const GArray *rows)
{
    struct body_pipe *pipe = g_new0(struct body_pipe, 1);
    pipe->sync = sync;
    pipe->dir = g_strdup(dir);
    pipe->spool_dir = g_build_filename(dir, "tmp", NULL);
    pipe->rows = g_hash_table_new(NULL, NULL);
    pipe->uids = uidset_new();
    pipe->missing = uidset_new();
    for (guint i = 0; i < rows->len; i++) {
        const struct survey_body *row = &g_array_index(rows, struct survey_body, i);
        g_hash_table_insert(pipe->rows, GUINT_TO_POINTER(row->uid), (gpointer) row);
        uidset_add(pipe->uids, row->uid);
    }
    if (!sync->reader)
        sync->reader = reader_new();
    pipe->batch = batch_new();
    g_mutex_init(&pipe->lock);
    g_cond_init(&pipe->changed);
    g_queue_init(&pipe->bodies);
    pipe->fetcher = g_thread_new("fetch bodies", fetch, pipe);
    pipe->writer = g_thread_new("write bodies", write_all, pipe);
    return pipe;
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

guint64
body_pipe_count_missing(const struct body_pipe *pipe)
{
    return uidset_count(pipe->missing);
}

void
body_pipe_free(struct body_pipe *pipe)
{
    if (!pipe)
        return;
    fail(pipe, NULL);
    g_thread_join(pipe->fetcher);
    g_thread_join(pipe->writer);
    for (struct body *body; (body = g_queue_pop_head(&pipe->bodies));)
        body_free(body);
    body_batch_free(pipe->ready);
    body_batch_free(pipe->batch);
    body_free(pipe->open);
    g_clear_pointer(&pipe->buffer, g_byte_array_unref);
    g_clear_error(&pipe->error);
    g_hash_table_unref(pipe->rows);
    uidset_free(pipe->uids);
    uidset_free(pipe->missing);
    g_mutex_clear(&pipe->lock);
    g_cond_clear(&pipe->changed);
    g_free(pipe->dir);
    g_free(pipe->spool_dir);
    g_free(pipe);
}
