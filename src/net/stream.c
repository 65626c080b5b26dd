#include "config.h"

#include "net/stream_private.h"

#include "net/network.h"
#include "net/turn.h"
#include "base/fail.h"

#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct stream_limits default_limits = {
    .connect_ms = 30000, .command_ms = 60000, .min_rate = 128};

#define TURN_PATIENCE_MS 30000

G_DEFINE_QUARK(postrider - stream - error, stream_error)

/* ---- life ---- */

struct stream *
stream_new(const struct endpoint *endpoint, struct cancel *cancel)
{
    struct stream *stream = g_new0(struct stream, 1);
    stream->endpoint = endpoint_copy(endpoint);
    stream->name = endpoint_to_string(endpoint);
    stream->cancel = cancel_ref(cancel);
    stream->limits = default_limits;
    stream->limits.connect_ms = TEST_VALUE("net.connect_ms", default_limits.connect_ms);
    stream->limits.command_ms = TEST_VALUE("net.command_ms", default_limits.command_ms);
    stream->activity = "connecting";
    stream->fd = -1;
    stream->peer = g_strdup("");
    stream->in = g_malloc(STREAM_BUFFER);
    stream->out = g_malloc(STREAM_BUFFER);
    stream->taps[STREAM_SENT].text = g_string_new(NULL);
    stream->taps[STREAM_RECEIVED].text = g_string_new(NULL);
    return stream;
}

struct stream *
stream_new_for_fd(const struct endpoint *endpoint, int fd, struct cancel *cancel)
{
    struct stream *stream = stream_new(endpoint, cancel);
    stream->fd = fd;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        g_error("stream: not a usable descriptor: %s", g_strerror(errno));
    stream_learn_peer(stream);
    return stream;
}

void
stream_close(struct stream *stream)
{
    if (stream->tls)
        tls_close(stream);
    if (stream->fd >= 0) {
        network_leave(stream->fd);
        close(stream->fd);
    }
    stream->fd = -1;
    stream->out_length = 0;
    explicit_bzero(stream->out, STREAM_BUFFER);
    if (!stream->death)
        g_set_error(&stream->death, STREAM_ERROR, ERROR_RETRY, "%s: the connection is closed", stream->name);
}

void
stream_free(struct stream *stream)
{
    if (!stream)
        return;
    stream_close(stream);
    deflate_free(stream->deflate);
    explicit_bzero(stream->in, STREAM_BUFFER);
    g_free(stream->in);
    g_free(stream->out);
    g_string_free(stream->taps[STREAM_SENT].text, TRUE);
    g_string_free(stream->taps[STREAM_RECEIVED].text, TRUE);
    g_clear_error(&stream->death);
    cancel_unref(stream->cancel);
    endpoint_free(stream->endpoint);
    g_free(stream->name);
    g_free(stream->peer);
    g_free(stream->key);
    g_free(stream);
}

/* ---- failing ---- */

gboolean
stream_fail(struct stream *stream, enum stream_fault fault, enum error_code code, GError **error,
            const char *format, ...)
{
    if (!stream->death) {
        va_list args;
        va_start(args, format);
        g_autofree char *text = g_strdup_vprintf(format, args);
        va_end(args);
        stream->fault = fault;
        g_set_error(&stream->death, STREAM_ERROR, code, "%s: %s", stream->name, text);
        log_info("net.stream", "%s", stream->death->message);
    }
    return stream_check_alive(stream, error);
}

gboolean
stream_fail_errno(struct stream *stream, int err, GError **error, const char *what)
{
    if (err == ECONNRESET || err == EPIPE || err == ECONNABORTED)
        return stream_fail(stream, STREAM_CLOSED, ERROR_RETRY, error,
                           "the server broke off the connection while %s", stream->activity);
    return stream_fail(stream, STREAM_IO, ERROR_RETRY, error, "%s while %s: %s: check the network", what,
                       stream->activity, g_strerror(err));
}

gboolean
stream_check_alive(const struct stream *stream, GError **error)
{
    if (!stream->death)
        return TRUE;
    g_propagate_error(error, g_error_copy(stream->death));
    return FALSE;
}

void
stream_kill(struct stream *stream, const GError *why)
{
    if (!stream->death) {
        stream->fault = STREAM_IO;
        stream->death = g_error_copy(why);
    }
    stream->in_start = stream->in_end = 0;
    stream->out_length = 0;
    explicit_bzero(stream->out, STREAM_BUFFER);
}

/* ---- waiting: the one place ---- */

int
stream_connect_time_left(const struct stream *stream)
{
    gint64 left = (stream->connect_deadline - g_get_monotonic_time()) / 1000;
    return (int)CLAMP(left, 0, G_MAXINT);
}

/* How long the next wait may take: the limit for one silence, and what is left of the whole. A whole exchange
 * gets the more time the more bytes it has moved, so that a big message over a thin line is fine and a server
 * that drips is not. Bytes earn no credit for later: once the limit has passed, what kept the rate so far is
 * forgotten, and it must be kept again. */
static int
wait_limit(struct stream *stream, gboolean *is_total)
{
    *is_total = FALSE;
    if (stream->connect_deadline)
        return stream_connect_time_left(stream);
    guint64 moved = stream->bytes_in + stream->bytes_out - stream->exchange_bytes;
    gint64 lasted = (g_get_monotonic_time() - stream->exchange_start) / 1000;
    if (lasted >= stream->limits.command_ms && moved * 1000 >= (guint64)lasted * stream->limits.min_rate) {
        stream_begin_exchange(stream);
        moved = 0;
    }
    gint64 allowed = stream->limits.command_ms + (gint64)(moved * 1000 / MAX(stream->limits.min_rate, 1));
    gint64 left = allowed - (g_get_monotonic_time() - stream->exchange_start) / 1000;
    *is_total = left < stream->limits.command_ms && moved > 0;
    return (int)CLAMP(left, 0, (gint64)stream->limits.command_ms);
}

static gboolean
fail_cancelled(struct stream *stream, GError **error)
{
    return stream_fail(stream, STREAM_CANCELLED, ERROR_CANCELLED, error, "stopped while %s",
                       stream->activity);
}

static gboolean
fail_timeout(struct stream *stream, gboolean is_total, GError **error)
{
    if (stream->connect_deadline)
        return stream_fail(
            stream, STREAM_TIMEOUT, ERROR_RETRY, error,
            "no connection within %u s while %s: check the network, the server name and the port",
            (stream->limits.connect_ms + 999) / 1000, stream->activity);
    if (is_total)
        return stream_fail(stream, STREAM_TIMEOUT, ERROR_RETRY, error,
                           "the server is too slow, %" G_GUINT64_FORMAT " bytes in %" G_GINT64_FORMAT
                           " s while %s: try again later",
                           stream->bytes_in + stream->bytes_out - stream->exchange_bytes,
                           (g_get_monotonic_time() - stream->exchange_start) / G_USEC_PER_SEC,
                           stream->activity);
    return stream_fail(stream, STREAM_TIMEOUT, ERROR_RETRY, error,
                       "no answer within %u s while %s: check the network, or try again later",
                       (stream->limits.command_ms + 999) / 1000, stream->activity);
}

gboolean
stream_await(struct stream *stream, short events, short *got, GError **error)
{
    gboolean is_total;
    gint64 end = g_get_monotonic_time() + (gint64)wait_limit(stream, &is_total) * 1000;
    for (;;) {
        if (cancel_is_triggered(stream->cancel))
            return fail_cancelled(stream, error);
        gint64 left = end - g_get_monotonic_time();
        if (left <= 0)
            return fail_timeout(stream, is_total, error);
        struct pollfd fds[] = {{.fd = stream->fd, .events = events},
                               {.fd = cancel_get_fd(stream->cancel), .events = POLLIN}};
        int n = poll(fds, G_N_ELEMENTS(fds), (int)((left + 999) / 1000));
        if (n < 0 && errno != EINTR)
            return stream_fail_errno(stream, errno, error, "cannot wait");
        if (n > 0 && fds[0].revents && !fds[1].revents) {
            if (got)
                *got = fds[0].revents;
            return TRUE;
        }
        /* Cancelled, out of time, or a signal: seen at the top. */
    }
}

enum stream_wait
stream_wait(struct stream *stream, guint milliseconds, int other_fd, GError **error)
{
    gint64 end = g_get_monotonic_time() + (gint64)milliseconds * 1000;
    if (!stream_flush(stream, error))
        return STREAM_WAIT_ERROR;
    for (;;) {
        if (stream_get_pending(stream) > 0)
            return STREAM_WAIT_READABLE;
        if (!stream_check_alive(stream, error))
            return STREAM_WAIT_ERROR;
        if (cancel_is_triggered(stream->cancel)) {
            g_set_error(error, STREAM_ERROR, ERROR_CANCELLED, "%s: stopped while %s", stream->name,
                        stream->activity);
            return STREAM_WAIT_ERROR;
        }
        gint64 left = (end - g_get_monotonic_time() + 999) / 1000;
        struct pollfd fds[] = {{.fd = stream->fd, .events = POLLIN},
                               {.fd = cancel_get_fd(stream->cancel), .events = POLLIN},
                               {.fd = other_fd, .events = POLLIN}};
        int n = poll(fds, G_N_ELEMENTS(fds), (int)CLAMP(left, 0, G_MAXINT));
        if (n < 0 && errno != EINTR) {
            stream_fail_errno(stream, errno, error, "cannot wait");
            return STREAM_WAIT_ERROR;
        }
        if (n > 0 && fds[2].revents && !fds[0].revents)
            return STREAM_WAIT_TIMEOUT;
        if (n == 0 && left <= 0)
            return STREAM_WAIT_TIMEOUT;
    }
}

void
stream_begin_exchange(struct stream *stream)
{
    stream->exchange_start = g_get_monotonic_time();
    stream->exchange_bytes = stream->bytes_in + stream->bytes_out;
}

/* ---- opening ---- */

/* Not counted against the limits of the connection: nothing is asked of the server yet. */
static gboolean
take_turn(struct stream *stream, GError **error)
{
    switch (turn_wait(stream->name, TURN_PATIENCE_MS, stream->cancel)) {
    case TURN_YOURS:
        return TRUE;
    case TURN_CANCELLED:
        return stream_fail(stream, STREAM_CANCELLED, ERROR_CANCELLED, error, "stopped while waiting to connect");
    case TURN_NOT_YET:
        break;
    }
    return stream_fail(stream, STREAM_TCP, ERROR_RETRY, error,
                       "the server does not answer well, and others are trying it: try again later");
}

void
stream_succeeded(struct stream *stream)
{
    turn_succeeded(stream->name);
}

gboolean
stream_connect(struct stream *stream, GError **error)
{
    if (!stream_check_alive(stream, error))
        return FALSE;
    g_return_val_if_fail(!stream->opened, FALSE);
    stream->opened = TRUE;
    if (stream->fd < 0 && !take_turn(stream, error))
        return FALSE;
    stream->connect_deadline = g_get_monotonic_time() + (gint64)stream->limits.connect_ms * 1000;
    stream->activity = "connecting";
    if (stream->fd < 0 && !stream_open_socket(stream, error))
        return FALSE;
    if (stream->endpoint->tls == TLS_NONE && !stream->loopback)
        return stream_fail(stream, STREAM_POLICY, ERROR_SECURITY, error,
                           "tls = none is for this machine only, and %s is another one: use TLS",
                           stream->peer);
    if (stream->endpoint->tls == TLS_IMPLICIT && !tls_handshake(stream, error))
        return FALSE;
    stream->connect_deadline = 0;
    stream_begin_exchange(stream);
    log_info("net.stream", "%s: connected to %s, %s %s", stream->name, stream->peer,
             stream->tls ? tls_get_version(stream->tls) : "no TLS",
             stream->tls ? tls_get_cipher(stream->tls) : "");
    return TRUE;
}

gboolean
stream_start_tls(struct stream *stream, GError **error)
{
    g_return_val_if_fail(stream->opened && !stream->tls, FALSE);
    if (!stream_flush(stream, error))
        return FALSE;
    if (stream_get_pending(stream) > 0) {
        stream->in_start = stream->in_end = 0;
        return stream_fail(
            stream, STREAM_POLICY, ERROR_SECURITY, error,
            "the server sent data ahead of the TLS handshake: the connection may be under attack; "
            "implicit TLS (%s) is safer",
            stream->endpoint->protocol == ENDPOINT_IMAP   ? "imaps"
            : stream->endpoint->protocol == ENDPOINT_POP3 ? "pop3s"
                                                          : "smtps");
    }
    if (!stream_check_alive(stream, error))
        return FALSE;
    stream->connect_deadline = g_get_monotonic_time() + (gint64)stream->limits.connect_ms * 1000;
    if (!tls_handshake(stream, error))
        return FALSE;
    stream->connect_deadline = 0;
    stream_begin_exchange(stream);
    log_info("net.stream", "%s: upgraded to %s %s", stream->name, tls_get_version(stream->tls),
             tls_get_cipher(stream->tls));
    return TRUE;
}

gboolean
stream_start_deflate(struct stream *stream, GError **error)
{
    g_return_val_if_fail(!stream->deflate, FALSE);
    if (!stream_flush(stream, error))
        return FALSE;
    if (stream->in_end > stream->in_start) {
        stream->in_start = stream->in_end = 0;
        return stream_fail(stream, STREAM_POLICY, ERROR_SECURITY, error,
                           "the server sent data ahead of the start of compression");
    }
    stream->deflate = deflate_new();
    return TRUE;
}

/* ---- members ---- */

void
stream_set_limits(struct stream *stream, const struct stream_limits *limits)
{
    stream->limits = *limits;
}

const struct stream_limits *
stream_get_limits(const struct stream *stream)
{
    return &stream->limits;
}

void
stream_set_command_limit(struct stream *stream, guint milliseconds)
{
    stream->limits.command_ms = milliseconds;
}

void
stream_set_activity(struct stream *stream, const char *activity)
{
    stream->activity = activity;
}

gboolean
stream_has_tls(const struct stream *stream)
{
    return stream->tls != NULL;
}

gboolean
stream_is_confidential(const struct stream *stream)
{
    return stream->tls || (stream->endpoint->tls == TLS_NONE && stream->loopback);
}

int
stream_get_fd(const struct stream *stream)
{
    return stream->fd;
}

gboolean
stream_is_dead(const struct stream *stream)
{
    return stream->death != NULL;
}

enum stream_fault
stream_get_fault(const struct stream *stream)
{
    return stream->fault;
}

enum certificate_fault
stream_get_certificate_fault(const struct stream *stream)
{
    return stream->certificate_fault;
}

const char *
stream_fault_name(enum stream_fault fault)
{
    static const char *const names[] = {
        [STREAM_OK] = "ok",
        [STREAM_DNS] = "dns",
        [STREAM_TCP] = "tcp",
        [STREAM_TLS] = "tls",
        [STREAM_CERTIFICATE] = "certificate",
        [STREAM_POLICY] = "policy",
        [STREAM_TIMEOUT] = "timeout",
        [STREAM_CLOSED] = "closed",
        [STREAM_TRUNCATED] = "truncated",
        [STREAM_LIMIT] = "limit",
        [STREAM_IO] = "io",
        [STREAM_CANCELLED] = "cancelled",
    };
    return names[fault];
}

const char *
certificate_fault_name(enum certificate_fault fault)
{
    static const char *const names[] = {
        [CERTIFICATE_OK] = "ok",
        [CERTIFICATE_EXPIRED] = "expired",
        [CERTIFICATE_NOT_YET_VALID] = "not-yet-valid",
        [CERTIFICATE_OTHER_HOST] = "other-host",
        [CERTIFICATE_SELF_SIGNED] = "self-signed",
        [CERTIFICATE_UNKNOWN_ISSUER] = "unknown-issuer",
        [CERTIFICATE_BAD_ISSUER] = "bad-issuer",
        [CERTIFICATE_WRONG_PURPOSE] = "wrong-purpose",
        [CERTIFICATE_WEAK] = "weak",
        [CERTIFICATE_PIN_MISMATCH] = "pin-mismatch",
        [CERTIFICATE_INVALID] = "invalid",
    };
    return names[fault];
}

void
stream_get_info(const struct stream *stream, struct stream_info *info)
{
    *info = (struct stream_info){
        .bytes_in = stream->bytes_in,
        .bytes_out = stream->bytes_out,
        .peer = stream->peer,
        .tls = stream->tls ? tls_get_version(stream->tls) : NULL,
        .cipher = stream->tls ? tls_get_cipher(stream->tls) : NULL,
        .key = stream->key,
        .compressed = stream->deflate != NULL,
        .saved = stream->deflate ? deflate_get_saved(stream->deflate) : 0,
    };
}

const struct endpoint *
stream_get_endpoint(const struct stream *stream)
{
    return stream->endpoint;
}

struct cancel *
stream_get_cancel(const struct stream *stream)
{
    return stream->cancel;
}
