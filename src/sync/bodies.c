/* Message bodies: a thread fetches, this one writes them to the Maildir in batches, has them read, and records them.
 *
 * A batch is durable on disk (one flush) before one transaction names it. What a kill can cost is what was on the way:
 * at most PIPE_MESSAGES and two batches, and one message larger than a batch. Memory: PIPE_BYTES and one batch; what is
 * larger than SPOOL_ABOVE goes through an unlinked file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "mail/lines.h"
#include "store/maildir.h"
#include "store/survey.h"
#include "sync/internal.h"

#define PIPE_MESSAGES 40
#define PIPE_BYTES (8 * 1024 * 1024)
#define BATCH_MESSAGES 50
#define BATCH_BYTES (8 * 1024 * 1024)
#define SPOOL_ABOVE (4 * 1024 * 1024)
/* Lock of the store for one commit: some ten milliseconds. */
#define ATTACH_A_COMMIT 50
#define SECONDS_A_DAY (24 * 60 * 60)

/* A message on its way from the fetching thread to the writing one. */
struct body {
    guint32 uid;
    guint64 size;
    GBytes *bytes; /* CRLF, as it came */
    int fd;        /* or, when large, in an unlinked file; -1 */
};

struct pipe {
    GMutex lock;
    GCond changed;
    GQueue items; /* struct body */
    guint64 bytes;
    gboolean ended, stop;
    GError *error;

    /* The fetching thread's alone. */
    struct sync *sync;
    const struct uidset *uids;
    struct uidset *missing;
    struct body *open;
    GByteArray *buffer;
    char *spool_dir;
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

/* ---- the fetching thread ---- */

static gboolean
on_begin(G_GNUC_UNUSED guint32 uid, guint64 size, gpointer data, GError **error)
{
    struct pipe *pipe = data;
    /* One that was broken off is thrown away here. */
    g_clear_pointer(&pipe->open, body_free);
    g_clear_pointer(&pipe->buffer, g_byte_array_unref);
    pipe->open = g_new0(struct body, 1);
    pipe->open->fd = -1;
    pipe->open->size = size;
    if (size <= SPOOL_ABOVE) {
        pipe->buffer = g_byte_array_sized_new((guint) size);
        return TRUE;
    }
    pipe->open->fd = open(pipe->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (pipe->open->fd < 0) {
        error_set_errno(error, SYNC_ERROR, errno, "cannot make room for a large message in %s", pipe->spool_dir);
        return FALSE;
    }
    return TRUE;
}

static gboolean
on_write(const void *bytes, gsize length, gpointer data, GError **error)
{
    struct pipe *pipe = data;
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
on_end(const struct imap_message *message, gpointer data, GError **error)
{
    struct pipe *pipe = data;
    struct body *body = g_steal_pointer(&pipe->open);
    if (pipe->buffer)
        body->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&pipe->buffer));
    body->uid = message->uid;
    gsize held = body->bytes ? g_bytes_get_size(body->bytes) : 0;

    g_mutex_lock(&pipe->lock);
    while (!pipe->stop && pipe->items.length && (pipe->items.length >= PIPE_MESSAGES || pipe->bytes + held > PIPE_BYTES))
        g_cond_wait(&pipe->changed, &pipe->lock);
    gboolean stop = pipe->stop;
    if (stop) {
        body_free(body);
        g_set_error(error, SYNC_ERROR, ERROR_CANCELLED, "the fetching of messages was stopped");
    } else {
        g_queue_push_tail(&pipe->items, body);
        pipe->bytes += held;
        g_cond_broadcast(&pipe->changed);
    }
    g_mutex_unlock(&pipe->lock);
    return !stop;
}

static gpointer
fetch_thread(gpointer data)
{
    struct pipe *pipe = data;
    struct imap_sink sink = {on_begin, on_write, on_end, pipe};
    GError *error = NULL;
    imap_fetch_bodies(pipe->sync->imap, pipe->uids, TRUE, &sink, pipe->missing, &error);
    g_mutex_lock(&pipe->lock);
    pipe->ended = TRUE;
    pipe->error = error;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    return NULL;
}

/* ---- the writing thread, which is the caller's ---- */

/* One message of the batch that is being gathered. */
struct slot {
    gint64 placement;
    int entry;                   /* in the batch */
    struct message_index *index; /* NULL: unreadable, or not read yet */
};

struct writer {
    struct sync *sync;
    const struct folder *folder;
    char *dir;
    GHashTable *rows; /* uid -> struct survey_body */
    struct maildir_batch *batch;
    GPtrArray *slots; /* struct slot */
    guint64 done, total;
    gint64 waited, flushed, read, recorded; /* microseconds, for the log */
};

static void
slot_free(gpointer data)
{
    struct slot *slot = data;
    message_index_free(slot->index);
    g_free(slot);
}

static void
on_index(struct message_index *index, const GError *error, gpointer data)
{
    struct slot *slot = data;
    slot->index = index;
    if (error)
        log_warn("sync.bodies", "placement=%" G_GINT64_FORMAT " cannot be read: %s", slot->placement, error->message);
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

/* Files first, all of them flushed; then the rows that name them. */
static gboolean
flush_batch(struct writer *writer, GError **error)
{
    struct sync *sync = writer->sync;
    guint n = writer->slots->len;
    if (!n)
        return TRUE;
    gint64 start = clock_monotonic();
    STEP("sync.bodies.flush");
    if (!maildir_batch_commit(writer->batch, error))
        return FALSE;
    gint64 flushed = clock_monotonic();
    reader_drain(sync->reader, 0);
    gint64 read = clock_monotonic();
    g_autofree struct placement_body *bodies = g_new0(struct placement_body, n);
    for (guint i = 0; i < n; i++) {
        const struct slot *slot = writer->slots->pdata[i];
        const struct maildir_entry *entry = maildir_batch_entry(writer->batch, (guint) slot->entry);
        bodies[i] = (struct placement_body){slot->placement, entry->file, entry->hash, entry->wire_size, slot->index};
        sync->statistics.body_bytes += entry->wire_size;
        sync->statistics.skipped += !slot->index;
    }
    for (guint i = 0; i < n; i += ATTACH_A_COMMIT) {
        STEP("sync.bodies.record");
        if (!placement_attach(sync->store, bodies + i, MIN(n - i, ATTACH_A_COMMIT), error))
            return FALSE;
    }
    writer->flushed += flushed - start;
    writer->read += read - flushed;
    writer->recorded += clock_monotonic() - read;
    sync->statistics.bodies += n;
    writer->done += n;
    g_ptr_array_set_size(writer->slots, 0);
    maildir_batch_free(writer->batch);
    writer->batch = maildir_batch_new();
    sync_tell_changed(sync, FALSE);
    sync_tell_progress(sync, writer->folder, SYNC_BODIES, writer->done, writer->total);
    return TRUE;
}

static gboolean
write_body(struct writer *writer, const struct body *body, GError **error)
{
    struct sync *sync = writer->sync;
    const struct survey_body *row = g_hash_table_lookup(writer->rows, GUINT_TO_POINTER(body->uid));
    if (!row)
        return TRUE; /* not one of those that were asked for */
    g_autoptr(GBytes) bytes = body->bytes ? crlf_to_lf(body->bytes) : map_spooled(body, error);
    if (!bytes)
        return FALSE;
    gsize size;
    const void *start = g_bytes_get_data(bytes, &size);
    int entry = body->bytes ? maildir_batch_add(writer->batch, writer->dir, row->flags, start, size, error)
                            : maildir_batch_add_fd(writer->batch, writer->dir, row->flags, body->fd, error);
    if (entry < 0)
        return FALSE;
    struct slot *slot = g_new0(struct slot, 1);
    slot->placement = row->placement;
    slot->entry = entry;
    g_ptr_array_add(writer->slots, slot);
    reader_index_text_async(sync->reader, bytes, on_index, slot, NULL);
    if (writer->slots->len < BATCH_MESSAGES && maildir_batch_bytes(writer->batch) < BATCH_BYTES)
        return TRUE;
    return flush_batch(writer, error);
}

/* The next message; NULL: there are no more, or the fetching failed. */
static struct body *
take_body(struct pipe *pipe)
{
    g_mutex_lock(&pipe->lock);
    while (!pipe->items.length && !pipe->ended)
        g_cond_wait(&pipe->changed, &pipe->lock);
    struct body *body = g_queue_pop_head(&pipe->items);
    if (body && body->bytes)
        pipe->bytes -= g_bytes_get_size(body->bytes);
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    return body;
}

/* Unblocks the fetching thread, whatever it does, and takes what it found to say. */
static gboolean
end_pipe(struct pipe *pipe, GThread *thread, gboolean ok, GError **error)
{
    g_mutex_lock(&pipe->lock);
    pipe->stop = !ok;
    g_cond_broadcast(&pipe->changed);
    g_mutex_unlock(&pipe->lock);
    g_thread_join(thread);
    for (struct body *body; (body = g_queue_pop_head(&pipe->items));)
        body_free(body);
    body_free(pipe->open);
    g_clear_pointer(&pipe->buffer, g_byte_array_unref);
    g_free(pipe->spool_dir);
    g_mutex_clear(&pipe->lock);
    g_cond_clear(&pipe->changed);
    if (ok && pipe->error) {
        g_propagate_error(error, pipe->error);
        return FALSE;
    }
    g_clear_error(&pipe->error);
    return ok;
}

static gboolean
run_pipe(struct writer *writer, const struct uidset *uids, struct uidset *missing, GError **error)
{
    struct pipe pipe = {.sync = writer->sync, .uids = uids, .missing = missing};
    pipe.spool_dir = g_build_filename(writer->dir, "tmp", NULL);
    g_mutex_init(&pipe.lock);
    g_cond_init(&pipe.changed);
    g_queue_init(&pipe.items);
    GThread *thread = g_thread_new("bodies", fetch_thread, &pipe);
    gboolean ok = TRUE;
    while (ok) {
        gint64 start = clock_monotonic();
        struct body *body = take_body(&pipe);
        writer->waited += clock_monotonic() - start;
        if (!body)
            break;
        ok = write_body(writer, body, error);
        body_free(body);
    }
    /* What came before the connection broke is kept. */
    ok = ok && flush_batch(writer, error);
    return end_pipe(&pipe, thread, ok, error);
}

static gboolean
fetch_rows(struct sync *sync, struct folder *folder, GArray *rows, GError **error)
{
    if (!rows->len)
        return TRUE;
    g_autoptr(struct_uidset) uids = uidset_new(), missing = uidset_new();
    g_autoptr(GHashTable) by_uid = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < rows->len; i++) {
        struct survey_body *row = &g_array_index(rows, struct survey_body, i);
        g_hash_table_insert(by_uid, GUINT_TO_POINTER(row->uid), row);
        uidset_add(uids, row->uid);
    }
    if (!sync_select(sync, folder, NULL, error))
        return FALSE;
    if (sync->mailbox->uidvalidity != folder->uidvalidity) {
        g_set_error(error, SYNC_ERROR, ERROR_STALE, "the folder was numbered anew by its server");
        return FALSE;
    }
    if (!sync->reader)
        sync->reader = reader_new();
    struct writer writer = {
        .sync = sync,
        .folder = folder,
        .dir = folder_path(sync->store, folder->id, TRUE, error),
        .rows = by_uid,
        .batch = maildir_batch_new(),
        .slots = g_ptr_array_new_with_free_func(slot_free),
        .total = rows->len,
    };
    sync_tell_progress(sync, folder, SYNC_BODIES, 0, rows->len);
    gint64 start = clock_monotonic();
    gboolean ok = writer.dir && run_pipe(&writer, uids, missing, error);
    reader_drain(sync->reader, 0); /* nobody calls back into slots that are gone */
    log_info("sync.bodies",
             "folder=%s wanted=%u got=%" G_GUINT64_FORMAT " ms=%d network=%d disk=%d reader=%d store=%d", folder->name,
             rows->len, writer.done, (int) ((clock_monotonic() - start) / 1000), (int) (writer.waited / 1000),
             (int) (writer.flushed / 1000), (int) (writer.read / 1000), (int) (writer.recorded / 1000));
    g_ptr_array_unref(writer.slots);
    maildir_batch_free(writer.batch);
    g_free(writer.dir);
    guint64 lost = uidset_count(missing);
    if (ok && lost) {
        sync->statistics.skipped += (guint) lost;
        sync_tell_notice(sync, folder, "the server did not give %u of the messages; they are asked for again later",
                         (guint) lost);
    }
    return ok;
}

gboolean
bodies_fetch(struct sync *sync, struct folder *folder, GError **error)
{
    const struct account *account = sync->options.account;
    gint64 since = account->keep_days ? clock_now() - (gint64) account->keep_days * SECONDS_A_DAY : 0;
    g_autoptr(GArray) rows =
        survey_bodies(sync->store, folder->id, since, (guint64) MAX(account->keep_size, 0), error);
    if (rows && rows->len)
        sync_tell_planned(sync, folder, "fetch %u bodies", rows->len);
    return rows && (sync->dry_run || fetch_rows(sync, folder, rows, error));
}

gboolean
bodies_fetch_some(struct sync *sync, struct folder *folder, const struct uidset *uids, GError **error)
{
    g_autoptr(GArray) rows = survey_bodies(sync->store, folder->id, 0, 0, error);
    if (!rows)
        return FALSE;
    for (guint i = rows->len; i-- > 0;)
        if (!uidset_contains(uids, g_array_index(rows, struct survey_body, i).uid))
            g_array_remove_index(rows, i);
    return fetch_rows(sync, folder, rows, error);
}
