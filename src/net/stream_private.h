/*
 * stream_private: what the files of the stream share. For src/net/stream.c, connect.c, tls.c, deflate.c and
 * io.c only.
 *
 * The layers, from the socket up: link (socket or TLS), DEFLATE, guard, the `in` and `out` buffers. A layer
 * never waits: it says what it waits for, and io.c waits in one place, where time limits and the cancel
 * object are seen to.
 */
#ifndef NET_STREAM_PRIVATE_H
#define NET_STREAM_PRIVATE_H

#include "net/stream.h"

#define STREAM_BUFFER (64 * 1024)

struct tls;
struct deflate;

struct tap_line {
    GString *text;   /* what has come of the present line */
    gboolean secret; /* "<secret>" stands at its end already */
    guint64 bulk;    /* bytes of message content not yet told */
};

struct stream {
    struct endpoint *endpoint;
    char *name; /* "imap.example.org:993" for messages */
    struct cancel *cancel;
    struct stream_limits limits;
    const char *activity;

    int fd;
    char *peer;
    char *key; /* "sha256:…" of the certificate that the server showed, accepted or not */
    gboolean loopback;
    gboolean opened; /* stream_connect() was called */
    gboolean ended;  /* the peer sent FIN */

    GError *death; /* why the stream is dead, or NULL */
    enum stream_fault fault;
    enum certificate_fault certificate_fault;

    gint64 connect_deadline; /* monotonic microseconds; 0 once connected */
    gint64 exchange_start;
    guint64 exchange_bytes; /* bytes_in + bytes_out at that time */

    struct tls *tls;
    struct deflate *deflate;

    guint8 *in; /* STREAM_BUFFER bytes, of which [in_start, in_end) are to be read */
    gsize in_start, in_end;
    guint8 *out;
    gsize out_length;
    gboolean is_private, is_bulk;
    guint64 bytes_in, bytes_out;

    stream_guard guard;
    gpointer guard_data;
    stream_tap tap;
    gpointer tap_data;
    struct tap_line taps[2];
};

/* What a layer that never waits has to say. */
enum link_status {
    LINK_DONE,
    LINK_WANT_READ,
    LINK_WANT_WRITE,
    LINK_ERROR /* the stream is dead, error is set */
};

/* Kills the stream, sets *error and returns FALSE. The text gets the server's name in front. */
gboolean stream_fail(struct stream *stream, enum stream_fault fault, enum error_code code, GError **error,
                     const char *format, ...) G_GNUC_PRINTF(5, 6);
/* For a failed system call on the socket. */
gboolean stream_fail_errno(struct stream *stream, int err, GError **error, const char *what);
/* FALSE with the words of its death when the stream is dead. */
gboolean stream_check_alive(const struct stream *stream, GError **error);

/* Waits until the socket has one of events. FALSE with error: time is over, or cancelled. */
gboolean stream_await(struct stream *stream, short events, short *got, GError **error);
/* Milliseconds that the connection may still take, 0 when none are left. */
int stream_connect_time_left(const struct stream *stream);

/* connect.c: a connected, non-blocking socket in stream->fd. */
gboolean stream_open_socket(struct stream *stream, GError **error);
void stream_learn_peer(struct stream *stream);

/* io.c: the socket alone. */
enum link_status socket_read(struct stream *stream, void *bytes, gsize size, gsize *got, int *err);
enum link_status socket_write(struct stream *stream, const void *bytes, gsize length, gsize *put, int *err);

/* tls.c */
gboolean tls_handshake(struct stream *stream, GError **error);
enum link_status tls_read(struct stream *stream, void *bytes, gsize size, gsize *got, GError **error);
/* *err as errno. */
enum link_status tls_write(struct stream *stream, const void *bytes, gsize length, gsize *put, int *err);
void tls_close(struct stream *stream);
const char *tls_get_version(const struct tls *tls);
const char *tls_get_cipher(const struct tls *tls);

/* deflate.c */
struct deflate *deflate_new(void);
void deflate_free(struct deflate *deflate);
/* Bytes that did not have to go over the wire, both ways. */
guint64 deflate_get_saved(const struct deflate *deflate);
/* Room for bytes from the link; deflate_put() says how many came. */
void *deflate_get_room(struct deflate *deflate, gsize *size);
void deflate_put(struct deflate *deflate, gsize length);
/* Gives what can be had of the bytes put: *got may be 0. FALSE: the data are damaged or ended. */
gboolean deflate_expand(struct deflate *deflate, void *bytes, gsize size, gsize *got);
/* Compressed form of bytes, complete (Z_SYNC_FLUSH); valid until the next call. */
const guint8 *deflate_compress(struct deflate *deflate, const void *bytes, gsize length, gsize *size);

#endif
