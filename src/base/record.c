#include "config.h"

#include "base/record.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAGIC 0x63655250u      /* "PRec" */
#define MAGIC_MORE 0x2b655250u /* "PRe+": a blob follows */
#define MAGIC_BLOB 0x626c4250u /* "PBlb" */
#define HEADER_SIZE 8
#define READ_SIZE (256 * 1024)
/* What poll() promises for a pipe: a write of this size does not block. */
#define PIPE_CHUNK 4096

G_DEFINE_QUARK(postrider_record_error, record_error)

struct header {
    guint32 magic;
    guint32 length;
};

/* *more (NULL: not allowed) tells that a blob follows; magic is MAGIC or MAGIC_BLOB. */
static gboolean
header_check(const guint8 *bytes, guint32 magic, gsize limit, guint32 *length, gboolean *more, GError **error)
{
    struct header header;
    memcpy(&header, bytes, sizeof header);
    if (more)
        *more = header.magic == MAGIC_MORE;
    if (header.magic != magic && !(more && *more)) {
        g_set_error(error, RECORD_ERROR, ERROR_GIVEUP, "the other process sent something that is no record");
        return FALSE;
    }
    if (header.length > limit || header.length > RECORD_MAX) {
        g_set_error(error, RECORD_ERROR, ERROR_GIVEUP,
                    "the other process announced a record of %u bytes; %" G_GSIZE_FORMAT " are allowed",
                    header.length, MIN(limit, (gsize)RECORD_MAX));
        return FALSE;
    }
    *length = header.length;
    return TRUE;
}

/* Takes the bytes. */
static GVariant *
value_from_bytes(GBytes *bytes, const GVariantType *type, gboolean trusted, GError **error)
{
    g_autoptr(GBytes) owned = bytes;
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_from_bytes(type, owned, FALSE));
    if (!trusted && !g_variant_is_normal_form(value)) {
        g_set_error(error, RECORD_ERROR, ERROR_GIVEUP, "the other process sent a damaged record");
        return NULL;
    }
    return g_steal_pointer(&value);
}

static gboolean
wait_for(int fd, short events, gint64 deadline, GError **error)
{
    for (;;) {
        int timeout = -1;
        if (deadline) {
            gint64 left = deadline - g_get_monotonic_time();
            if (left <= 0) {
                g_set_error(error, RECORD_ERROR, ERROR_RETRY, "the other process did not answer in time");
                return FALSE;
            }
            timeout = (int)MIN((left + 999) / 1000, G_MAXINT);
        }
        struct pollfd poller = {.fd = fd, .events = events};
        int n = poll(&poller, 1, timeout);
        if (n > 0)
            return TRUE;
        if (n < 0 && errno != EINTR) {
            error_set_errno(error, RECORD_ERROR, errno, "waiting for another process");
            return FALSE;
        }
    }
}

/* One write that does not block once poll() has said yes; on a socket without SIGPIPE. */
static gssize
write_some(int fd, const void *bytes, gsize length)
{
    gssize n = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == ENOTSOCK)
        n = write(fd, bytes, MIN(length, PIPE_CHUNK));
    return n;
}

/* Without a deadline these are nothing but read() and write(): the jail allows no other call. */
static gboolean
write_all(int fd, const guint8 *bytes, gsize length, gint64 deadline, GError **error)
{
    while (length) {
        if (deadline && !wait_for(fd, POLLOUT, deadline, error))
            return FALSE;
        gssize n = deadline ? write_some(fd, bytes, length) : write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (!wait_for(fd, POLLOUT, deadline, error))
                return FALSE;
            continue;
        }
        if (n < 0) {
            error_set_errno(error, RECORD_ERROR, errno, "writing to another process");
            return FALSE;
        }
        bytes += n;
        length -= (gsize)n;
    }
    return TRUE;
}

/* Reads exactly length bytes; *got tells how many came when it fails. */
static gboolean
read_all(int fd, guint8 *bytes, gsize length, gint64 deadline, gsize *got, GError **error)
{
    *got = 0;
    while (*got < length) {
        if (deadline && !wait_for(fd, POLLIN, deadline, error))
            return FALSE;
        gssize n = read(fd, bytes + *got, length - *got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (!wait_for(fd, POLLIN, deadline, error))
                return FALSE;
            continue;
        }
        if (n < 0) {
            error_set_errno(error, RECORD_ERROR, errno, "reading from another process");
            return FALSE;
        }
        if (n == 0) {
            g_set_error(error, RECORD_ERROR, ERROR_IO, "the other process closed the connection");
            return FALSE;
        }
        *got += (gsize)n;
    }
    return TRUE;
}

static gboolean
encode(GVariant *value, struct header *header, GError **error)
{
    gsize size = g_variant_get_size(value);
    if (size > RECORD_MAX) {
        g_set_error(error, RECORD_ERROR, ERROR_INPUT, "a record of %" G_GSIZE_FORMAT " bytes is too long",
                    size);
        return FALSE;
    }
    header->magic = MAGIC;
    header->length = (guint32)size;
    return TRUE;
}

gboolean
record_write_blob(int fd, GVariant *value, GBytes *blob, gint64 deadline, GError **error)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(value);
    struct header header;
    if (!encode(owned, &header, error))
        return FALSE;
    if (blob)
        header.magic = MAGIC_MORE;
    /* A small record leaves in one write, so that the other side wakes once. */
    if (header.length <= PIPE_CHUNK - HEADER_SIZE) {
        guint8 small[PIPE_CHUNK];
        memcpy(small, &header, HEADER_SIZE);
        g_variant_store(owned, small + HEADER_SIZE);
        if (!write_all(fd, small, HEADER_SIZE + header.length, deadline, error))
            return FALSE;
    } else if (!write_all(fd, (const guint8 *)&header, HEADER_SIZE, deadline, error) ||
               !write_all(fd, g_variant_get_data(owned), header.length, deadline, error)) {
        return FALSE;
    }
    if (!blob)
        return TRUE;
    gsize size;
    const guint8 *bytes = g_bytes_get_data(blob, &size);
    header = (struct header){.magic = MAGIC_BLOB, .length = (guint32)MIN(size, RECORD_MAX)};
    return write_all(fd, (const guint8 *)&header, HEADER_SIZE, deadline, error) &&
           write_all(fd, bytes, header.length, deadline, error);
}

gboolean
record_write(int fd, GVariant *value, gint64 deadline, GError **error)
{
    return record_write_blob(fd, value, NULL, deadline, error);
}

static GVariant *
read_record(int fd, const GVariantType *type, gsize limit, gint64 deadline, gboolean trusted, gboolean *ended,
            GError **error)
{
    guint8 header[HEADER_SIZE];
    guint32 length;
    gsize got;
    if (ended)
        *ended = FALSE;
    g_autoptr(GError) local = NULL;
    if (!read_all(fd, header, HEADER_SIZE, deadline, &got, &local)) {
        if (ended)
            *ended = got == 0 && local->code == ERROR_IO;
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    if (!header_check(header, MAGIC, limit, &length, NULL, error))
        return NULL;
    guint8 *bytes = g_try_malloc(MAX(length, 1));
    if (!bytes) {
        g_set_error(error, RECORD_ERROR, ERROR_RETRY, "no memory for a record of %u bytes", length);
        return NULL;
    }
    if (!read_all(fd, bytes, length, deadline, &got, error)) {
        g_free(bytes);
        return NULL;
    }
    return value_from_bytes(g_bytes_new_take(bytes, length), type, trusted, error);
}

GVariant *
record_read(int fd, const GVariantType *type, gsize limit, gint64 deadline, gboolean *ended, GError **error)
{
    return read_record(fd, type, limit, deadline, FALSE, ended, error);
}

GVariant *
record_read_trusted(int fd, const GVariantType *type, gsize limit, GError **error)
{
    return read_record(fd, type, limit, 0, TRUE, NULL, error);
}

struct record_queue {
    int fd;
    GVariantType *type;
    gsize limit;
    GByteArray *in;
    gsize taken;   /* bytes at the front of in that are used up */
    GQueue out;    /* of GBytes */
    gsize written; /* of the first of out */
    gsize unsent;
};

struct record_queue *
record_queue_new(int fd, const GVariantType *type, gsize limit)
{
    struct record_queue *queue = g_new0(struct record_queue, 1);
    queue->fd = fd;
    queue->type = g_variant_type_copy(type);
    queue->limit = limit;
    queue->in = g_byte_array_new();
    g_queue_init(&queue->out);
    return queue;
}

void
record_queue_free(struct record_queue *queue)
{
    if (!queue)
        return;
    g_variant_type_free(queue->type);
    g_byte_array_unref(queue->in);
    g_queue_clear_full(&queue->out, (GDestroyNotify)g_bytes_unref);
    g_free(queue);
}

gboolean
record_queue_put(struct record_queue *queue, GVariant *value, GError **error)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(value);
    struct header header;
    if (!encode(owned, &header, error))
        return FALSE;
    guint8 *bytes = g_malloc(HEADER_SIZE + (gsize)header.length);
    memcpy(bytes, &header, HEADER_SIZE);
    g_variant_store(owned, bytes + HEADER_SIZE);
    g_queue_push_tail(&queue->out, g_bytes_new_take(bytes, HEADER_SIZE + (gsize)header.length));
    queue->unsent += HEADER_SIZE + (gsize)header.length;
    return TRUE;
}

gsize
record_queue_unsent(const struct record_queue *queue)
{
    return queue->unsent;
}

gboolean
record_queue_flush(struct record_queue *queue, GError **error)
{
    GBytes *first;
    while ((first = g_queue_peek_head(&queue->out))) {
        gsize length;
        const guint8 *bytes = g_bytes_get_data(first, &length);
        gssize n = write_some(queue->fd, bytes + queue->written, length - queue->written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return TRUE;
        if (n < 0) {
            error_set_errno(error, RECORD_ERROR, errno, "writing to another process");
            return FALSE;
        }
        queue->written += (gsize)n;
        queue->unsent -= (gsize)n;
        if (queue->written == length) {
            g_bytes_unref(g_queue_pop_head(&queue->out));
            queue->written = 0;
        }
    }
    return TRUE;
}

gboolean
record_queue_fill(struct record_queue *queue, gboolean *ended, GError **error)
{
    if (ended)
        *ended = FALSE;
    if (queue->taken == queue->in->len) {
        g_byte_array_set_size(queue->in, 0);
        queue->taken = 0;
    } else if (queue->taken > READ_SIZE) {
        g_byte_array_remove_range(queue->in, 0, (guint)queue->taken);
        queue->taken = 0;
    }
    guint before = queue->in->len;
    g_byte_array_set_size(queue->in, before + READ_SIZE);
    gssize n;
    do
        n = read(queue->fd, queue->in->data + before, READ_SIZE);
    while (n < 0 && errno == EINTR);
    int err = errno;
    g_byte_array_set_size(queue->in, before + (n > 0 ? (guint)n : 0));
    if (n > 0 || (n < 0 && err == EAGAIN))
        return TRUE;
    if (n < 0) {
        error_set_errno(error, RECORD_ERROR, err, "reading from another process");
        return FALSE;
    }
    if (ended)
        *ended = !record_queue_partial(queue);
    g_set_error(error, RECORD_ERROR, ERROR_IO, "the other process closed the connection");
    return FALSE;
}

/* A frame at `at` bytes after what was taken; FALSE with no error when it is not whole yet. */
static gboolean
frame_at(struct record_queue *queue, gsize at, guint32 magic, gboolean *more, const guint8 **start,
         guint32 *length, GError **error)
{
    gsize have = queue->in->len - queue->taken;
    const guint8 *header = queue->in->data + queue->taken + at;
    if (have < at + HEADER_SIZE || !header_check(header, magic, queue->limit, length, more, error) ||
        have - at - HEADER_SIZE < *length)
        return FALSE;
    *start = header + HEADER_SIZE;
    return TRUE;
}

GVariant *
record_queue_take_blob(struct record_queue *queue, GBytes **blob, GError **error)
{
    const guint8 *start, *blob_start = NULL;
    guint32 length, blob_length = 0;
    gboolean more = FALSE;
    if (blob)
        *blob = NULL;
    if (!frame_at(queue, 0, MAGIC, blob ? &more : NULL, &start, &length, error))
        return NULL;
    gsize used = HEADER_SIZE + (gsize)length;
    if (more) {
        if (!frame_at(queue, used, MAGIC_BLOB, NULL, &blob_start, &blob_length, error))
            return NULL;
        used += HEADER_SIZE + (gsize)blob_length;
    }
    GVariant *value = value_from_bytes(g_bytes_new(start, length), queue->type, FALSE, error);
    if (value && more)
        *blob = g_bytes_new(blob_start, blob_length);
    queue->taken += used;
    return value;
}

GVariant *
record_queue_take(struct record_queue *queue, GError **error)
{
    return record_queue_take_blob(queue, NULL, error);
}

gboolean
record_queue_partial(const struct record_queue *queue)
{
    return queue->taken < queue->in->len;
}
