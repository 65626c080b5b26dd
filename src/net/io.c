/* Bytes through the layers of a stream: the socket at the bottom, then TLS, DEFLATE, the guard, the buffers,
 * and the tap. */
#include "config.h"

#include "net/stream_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define TAP_LINE_MAX 1000

/* ---- the socket ---- */

enum link_status
socket_read(struct stream *stream, void *bytes, gsize size, gsize *got, int *err)
{
    for (;;) {
        ssize_t n = recv(stream->fd, bytes, size, 0);
        if (n > 0) {
            stream->bytes_in += (guint64)n;
            *got = (gsize)n;
            return LINK_DONE;
        }
        if (n == 0) {
            stream->ended = TRUE;
            *err = 0;
            return LINK_ERROR;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return LINK_WANT_READ;
        if (errno != EINTR) {
            *err = errno;
            return LINK_ERROR;
        }
    }
}

enum link_status
socket_write(struct stream *stream, const void *bytes, gsize length, gsize *put, int *err)
{
    for (;;) {
        ssize_t n = send(stream->fd, bytes, length, MSG_NOSIGNAL);
        if (n >= 0) {
            stream->bytes_out += (guint64)n;
            *put = (gsize)n;
            return LINK_DONE;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return LINK_WANT_WRITE;
        if (errno != EINTR) {
            *err = errno;
            return LINK_ERROR;
        }
    }
}

/* ---- socket or TLS ---- */

static enum link_status
link_read(struct stream *stream, void *bytes, gsize size, gsize *got, GError **error)
{
    if (stream->tls)
        return tls_read(stream, bytes, size, got, error);
    int err = 0;
    enum link_status status = socket_read(stream, bytes, size, got, &err);
    if (status == LINK_ERROR && err)
        stream_fail_errno(stream, err, error, "cannot read");
    else if (status == LINK_ERROR)
        stream_fail(stream, STREAM_CLOSED, ERROR_RETRY, error, "the server closed the connection while %s",
                    stream->activity);
    return status;
}

/* ---- the tap ---- */

static void
tap_flush_line(struct stream *stream, enum stream_direction direction)
{
    struct tap_line *line = &stream->taps[direction];
    stream->tap(direction, line->text->str, stream->tap_data);
    g_string_truncate(line->text, 0);
    line->secret = FALSE;
}

static void
tap_flush_bulk(struct stream *stream)
{
    struct tap_line *line = &stream->taps[STREAM_SENT];
    if (line->bulk) {
        g_string_append_printf(line->text, "<%" G_GUINT64_FORMAT " bytes>", line->bulk);
        line->bulk = 0;
        tap_flush_line(stream, STREAM_SENT);
    }
}

static void
tap_bytes(struct stream *stream, enum stream_direction direction, const guint8 *bytes, gsize length)
{
    struct tap_line *line = &stream->taps[direction];
    if (!stream->tap)
        return;
    if (direction == STREAM_SENT && stream->is_bulk) {
        line->bulk += length;
        return;
    }
    if (direction == STREAM_SENT && stream->is_private) {
        if (!line->secret)
            g_string_append(line->text, "<secret>");
        line->secret = TRUE;
        return;
    }
    line->secret = FALSE;
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] == '\n')
            tap_flush_line(stream, direction);
        else if (bytes[i] != '\r' && bytes[i] != '\0' && line->text->len < TAP_LINE_MAX)
            g_string_append_c(line->text, (char)bytes[i]);
    }
}

void
stream_set_tap(struct stream *stream, stream_tap tap, gpointer data)
{
    stream->tap = tap;
    stream->tap_data = data;
}

void
stream_set_private(struct stream *stream, gboolean is_private)
{
    stream->is_private = is_private;
}

void
stream_set_bulk(struct stream *stream, gboolean is_bulk)
{
    stream->is_bulk = is_bulk;
    if (!is_bulk && stream->tap)
        tap_flush_bulk(stream);
}

void
stream_set_guard(struct stream *stream, stream_guard guard, gpointer data)
{
    stream->guard = guard;
    stream->guard_data = data;
}

/* ---- reading ---- */

/* One try to get bytes into the free end of `in`, without waiting. */
static enum link_status
fill_once(struct stream *stream, GError **error)
{
    gsize got = 0, room = STREAM_BUFFER - stream->in_end;
    guint8 *to = stream->in + stream->in_end;
    if (!stream->deflate) {
        enum link_status status = link_read(stream, to, room, &got, error);
        if (status != LINK_DONE)
            return status;
    } else {
        if (!deflate_expand(stream->deflate, to, room, &got))
            goto damaged;
        if (got == 0) {
            gsize size, taken = 0;
            void *space = deflate_get_room(stream->deflate, &size);
            enum link_status status = link_read(stream, space, size, &taken, error);
            if (status != LINK_DONE)
                return status;
            deflate_put(stream->deflate, taken);
            if (!deflate_expand(stream->deflate, to, room, &got))
                goto damaged;
        }
    }
    GError *guard_error = NULL;
    if (got && stream->guard && !stream->guard(stream->guard_data, to, got, &guard_error)) {
        stream_fail(stream, STREAM_LIMIT, guard_error->code, error, "%s", guard_error->message);
        stream->in_start = stream->in_end = 0;
        g_error_free(guard_error);
        return LINK_ERROR;
    }
    stream->in_end += got;
    return LINK_DONE; /* perhaps with nothing yet, when DEFLATE wants more */

damaged:
    stream_fail(stream, STREAM_IO, ERROR_RETRY, error,
                "the compressed data of the server are damaged while %s", stream->activity);
    return LINK_ERROR;
}

static void
make_room(struct stream *stream)
{
    if (stream->in_start == stream->in_end) {
        stream->in_start = stream->in_end = 0;
    } else if (stream->in_start > 0 && stream->in_end == STREAM_BUFFER) {
        memmove(stream->in, stream->in + stream->in_start, stream->in_end - stream->in_start);
        stream->in_end -= stream->in_start;
        stream->in_start = 0;
    }
}

/* Takes in what can be had now, when `in` is empty. Failures show at the next wait. */
static void
fill_available(struct stream *stream)
{
    make_room(stream);
    while (!stream->death && stream->fd >= 0 && stream->in_start == stream->in_end &&
           fill_once(stream, NULL) == LINK_DONE)
        ;
}

/* Waits until `in` has something to read. */
static gboolean
fill(struct stream *stream, GError **error)
{
    while (stream->in_start == stream->in_end) {
        if (stream->out_length > 0 && !stream_flush(stream, error))
            return FALSE;
        make_room(stream);
        if (!stream_check_alive(stream, error))
            return FALSE;
        if (cancel_is_triggered(stream->cancel) && !stream_await(stream, POLLIN, NULL, error))
            return FALSE;
        switch (fill_once(stream, error)) {
        case LINK_DONE:
            break;
        case LINK_WANT_READ:
            if (!stream_await(stream, POLLIN, NULL, error))
                return FALSE;
            break;
        case LINK_WANT_WRITE:
            if (!stream_await(stream, POLLOUT, NULL, error))
                return FALSE;
            break;
        case LINK_ERROR:
            return FALSE;
        }
    }
    return TRUE;
}

gsize
stream_get_pending(struct stream *stream)
{
    fill_available(stream);
    return stream->in_end - stream->in_start;
}

/* Hands out n buffered bytes. */
static const guint8 *
take(struct stream *stream, gsize n)
{
    const guint8 *bytes = stream->in + stream->in_start;
    tap_bytes(stream, STREAM_RECEIVED, bytes, n);
    stream->in_start += n;
    return bytes;
}

gssize
stream_read(struct stream *stream, void *bytes, gsize size, GError **error)
{
    g_return_val_if_fail(size > 0, -1);
    if (!fill(stream, error))
        return -1;
    gsize n = MIN(size, stream->in_end - stream->in_start);
    memcpy(bytes, take(stream, n), n);
    return (gssize)n;
}

gboolean
stream_read_exactly(struct stream *stream, void *bytes, gsize size, GError **error)
{
    for (gsize done = 0; done < size;) {
        gssize n = stream_read(stream, (guint8 *)bytes + done, size - done, error);
        if (n < 0)
            return FALSE;
        done += (gsize)n;
    }
    return TRUE;
}

gboolean
stream_read_line(struct stream *stream, gsize max, GString *line, GError **error)
{
    g_string_truncate(line, 0);
    for (;;) {
        if (!fill(stream, error))
            return FALSE;
        const guint8 *from = stream->in + stream->in_start;
        gsize length = stream->in_end - stream->in_start;
        const guint8 *end = memchr(from, '\n', length);
        gsize n = end ? (gsize)(end - from) + 1 : length;
        if (line->len + n > max + 2) {
            stream->in_start = stream->in_end = 0;
            return stream_fail(stream, STREAM_LIMIT, ERROR_SECURITY, error,
                               "the server sent a line of more than %" G_GSIZE_FORMAT " bytes while %s", max,
                               stream->activity);
        }
        g_string_append_len(line, (const char *)take(stream, n), (gssize)n);
        if (end)
            break;
    }
    g_string_truncate(line, line->len - 1);
    if (line->len > 0 && line->str[line->len - 1] == '\r')
        g_string_truncate(line, line->len - 1);
    return TRUE;
}

/* ---- writing ---- */

/* A server that refuses a message in the middle says so, and closes: its words are there to be read when ours
 * cannot be sent any more. */
static void
take_last_words(struct stream *stream)
{
    make_room(stream);
    while (!stream->death && stream->in_end < STREAM_BUFFER && fill_once(stream, NULL) == LINK_DONE)
        ;
}

static enum link_status
link_write(struct stream *stream, const void *bytes, gsize length, gsize *put, GError **error)
{
    int err = 0;
    enum link_status status = stream->tls ? tls_write(stream, bytes, length, put, &err)
                                          : socket_write(stream, bytes, length, put, &err);
    if (status == LINK_ERROR) {
        take_last_words(stream);
        stream_fail_errno(stream, err, error, "cannot write");
    }
    return status;
}

/* Sends all of it. While the server does not read, what it sends is taken in. */
static gboolean
send_all(struct stream *stream, const guint8 *bytes, gsize length, GError **error)
{
    for (gsize done = 0; done < length;) {
        gsize put = 0;
        short got = 0, events = POLLOUT;
        if (cancel_is_triggered(stream->cancel) && !stream_await(stream, POLLOUT, NULL, error))
            return FALSE;
        switch (link_write(stream, bytes + done, length - done, &put, error)) {
        case LINK_DONE:
            done += put;
            continue;
        case LINK_ERROR:
            return FALSE;
        case LINK_WANT_READ:
            events = POLLIN;
            break;
        case LINK_WANT_WRITE:
            make_room(stream);
            if (stream->in_end < STREAM_BUFFER && !stream->ended)
                events |= POLLIN;
            break;
        }
        if (!stream_await(stream, events, &got, error))
            return FALSE;
        if (got & POLLIN) {
            make_room(stream);
            if (stream->in_end < STREAM_BUFFER && fill_once(stream, error) == LINK_ERROR)
                return FALSE;
        }
    }
    return TRUE;
}

gboolean
stream_flush(struct stream *stream, GError **error)
{
    if (!stream_check_alive(stream, error))
        return FALSE;
    if (stream->out_length == 0)
        return TRUE;
    stream_begin_exchange(stream);
    const guint8 *bytes = stream->out;
    gsize length = stream->out_length;
    if (stream->deflate)
        bytes = deflate_compress(stream->deflate, stream->out, stream->out_length, &length);
    gboolean ok = send_all(stream, bytes, length, error);
    explicit_bzero(stream->out, stream->out_length);
    stream->out_length = 0;
    return ok;
}

gboolean
stream_write(struct stream *stream, const void *bytes, gsize length, GError **error)
{
    const guint8 *from = bytes;
    if (!stream_check_alive(stream, error))
        return FALSE;
    if (stream->is_private && !stream_is_confidential(stream))
        return stream_fail(stream, STREAM_POLICY, ERROR_SECURITY, error,
                           "a secret was about to be sent without TLS: this is a mistake of the program");
    tap_bytes(stream, STREAM_SENT, from, length);
    while (length > 0) {
        gsize n = MIN(length, STREAM_BUFFER - stream->out_length);
        memcpy(stream->out + stream->out_length, from, n);
        stream->out_length += n;
        from += n;
        length -= n;
        if (stream->out_length == STREAM_BUFFER && !stream_flush(stream, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
stream_puts(struct stream *stream, const char *text, GError **error)
{
    return stream_write(stream, text, strlen(text), error);
}
