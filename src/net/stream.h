/*
 * stream: a connection to a mail server, bounded in time and in size.
 *
 * A stream blocks, but never for ever: every wait ends at its time limit, at the total limit of the exchange
 * (a server that sends a byte a second does not keep us), or when the cancel object is triggered. TLS,
 * STARTTLS and DEFLATE are layers of the same object, so that a session (proto/) never sees the difference.
 * libetpan gets its bytes from here and opens nothing itself.
 *
 * What a stream promises:
 *   - TLS 1.2 or newer, security level 2; chain, dates, key usage and the host name (subjectAltName only, RFC
 * 6125, RFC 9525) are verified before one byte of the session is sent. No compression, no renegotiation, no
 * early data.
 *   - with tls-ca only the anchors of that file count; with tls-pin the server's key (SPKI SHA-256) must be
 * that one, and then an unknown issuer, and either another name or a passed date (never both), are forgiven.
 *   - without TLS it speaks to loopback only.
 *   - an end of the connection inside a session is an error, never 0 bytes; without close_notify it is
 * STREAM_TRUNCATED.
 *   - after an error that leaves the connection unusable it is dead: every later call fails at once with the
 * same words.
 *
 * Errors: domain STREAM_ERROR, code of base/error.h; stream_get_fault() tells which of DNS, TCP, TLS ... it
 * was, and the text says what was tried and what to do about it.
 *
 * Threads: one stream, one thread at a time. Another thread may only trigger the cancel object.
 * Ownership: the stream keeps its own copy of the endpoint and its own reference on the cancel object.
 * It never prints, never prompts, never raises SIGPIPE.
 *
 * RFC 8314 (TLS for mail), RFC 3207/2595/9051 (STARTTLS), RFC 4978 (COMPRESS), RFC 8305 (connection racing).
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <glib.h>

#include "base/error.h"
#include "config/endpoint.h"
#include "net/cancel.h"

#define STREAM_ERROR (stream_error_quark())
GQuark stream_error_quark(void);

struct stream;

/* What went wrong, for a caller that acts on it (journey, doctor, retry). The words are in the GError. */
enum stream_fault {
    STREAM_OK,
    STREAM_DNS,         /* the name could not be resolved */
    STREAM_TCP,         /* no address could be reached */
    STREAM_TLS,         /* the handshake failed: versions, ciphers, or the peer does not speak TLS */
    STREAM_CERTIFICATE, /* see stream_get_certificate_fault() */
    STREAM_POLICY,      /* refused by us: plain text to another machine, bytes sent ahead of STARTTLS */
    STREAM_TIMEOUT,
    STREAM_CLOSED,    /* the server ended the connection in an orderly way, or reset it */
    STREAM_TRUNCATED, /* a TLS connection ended without close_notify */
    STREAM_LIMIT,     /* the server sent more than it may: line, literal, nesting, volume */
    STREAM_IO,        /* any other failure to read or write */
    STREAM_CANCELLED
};

enum certificate_fault {
    CERTIFICATE_OK,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_NOT_YET_VALID,
    CERTIFICATE_OTHER_HOST,
    CERTIFICATE_SELF_SIGNED,
    CERTIFICATE_UNKNOWN_ISSUER, /* also a missing intermediate */
    CERTIFICATE_BAD_ISSUER,     /* an issuer that may not issue: CA:FALSE, path length, name constraints */
    CERTIFICATE_WRONG_PURPOSE,  /* not for a TLS server */
    CERTIFICATE_WEAK,           /* key or signature below security level 2 */
    CERTIFICATE_PIN_MISMATCH,
    CERTIFICATE_INVALID /* anything else */
};

struct stream_limits {
    guint connect_ms; /* name, TCP and TLS together; 30 000 */
    guint command_ms; /* without a byte in either direction, and the base of the total limit; 60 000 */
    guint min_rate;   /* bytes a second: an exchange may last command_ms + bytes / min_rate, and what is fast at first earns
                         nothing for later: the count begins anew after each command_ms; 128 */
};

struct stream_info {
    guint64 bytes_in; /* on the wire, TLS and DEFLATE included */
    guint64 bytes_out;
    const char *peer;   /* numeric address, "127.0.0.1:993"; "" before the connection */
    const char *tls;    /* "TLSv1.3", or NULL while not encrypted */
    const char *cipher; /* "TLS_AES_256_GCM_SHA384", or NULL */
    const char *key; /* "sha256:…" of the server's public key, also of a refused one, or NULL: what a tls-pin
                        would say */
    gboolean compressed;
    guint64 saved; /* bytes that compression kept off the wire, both ways */
};

enum stream_direction { STREAM_SENT, STREAM_RECEIVED };

/* Lines without their line end, cut at 1000 bytes, not yet made safe for a terminal. */
typedef void (*stream_tap)(enum stream_direction direction, const char *line, gpointer data);

/* Sees every byte of the session as it arrives, before anyone else. FALSE with error (domain and code of the
 * guard's choice) ends the connection; the bytes are dropped. */
typedef gboolean (*stream_guard)(gpointer data, const guint8 *bytes, gsize length, GError **error);

/* cancel may be NULL. Nothing is opened yet. */
struct stream *stream_new(const struct endpoint *endpoint, struct cancel *cancel);
/* Takes over a connected stream socket instead of connecting (tests, a tunnel); it is made non-blocking. */
struct stream *stream_new_for_fd(const struct endpoint *endpoint, int fd, struct cancel *cancel);
/* Closes first. NULL is allowed. */
void stream_free(struct stream *stream);

void stream_set_limits(struct stream *stream, const struct stream_limits *limits);
const struct stream_limits *stream_get_limits(const struct stream *stream);
/* Changes the limit for the exchanges that follow (60 s by default), e.g. 10 min for the reply to a final
 * dot. */
void stream_set_command_limit(struct stream *stream, guint milliseconds);

/* What the session is waiting for, as it ends the sentence "… while ": "waiting for the greeting". Shown in
 * errors until set again. The string is not copied and must live on (a literal). */
void stream_set_activity(struct stream *stream, const char *activity);

/* Resolves, connects (addresses of both families raced, RFC 8305) and, for TLS_IMPLICIT, shakes hands. For a
 * stream on a descriptor only the last. Once per stream. Before it, a server that does not answer well is given
 * time (turn.h). */
gboolean stream_connect(struct stream *stream, GError **error);
/* The session came to where it can work (its login was taken): others need not be careful with this server (turn.h). */
void stream_succeeded(struct stream *stream);

/* The upgrade after a positive reply to STARTTLS or STLS. Refuses, and kills the stream, when a byte of the
 * server is already buffered: it was sent ahead of the handshake and could be forged (CVE-2011-0411). */
gboolean stream_start_tls(struct stream *stream, GError **error);

/* Raw DEFLATE in both directions from the next byte on (RFC 4978). Refuses when a byte is already buffered.
 */
gboolean stream_start_deflate(struct stream *stream, GError **error);

/* TRUE when a secret may be sent: TLS is up, or the endpoint says TLS_NONE and the peer is loopback. */
gboolean stream_is_confidential(const struct stream *stream);
gboolean stream_has_tls(const struct stream *stream);

/* Queues bytes; sends nothing before stream_flush() unless 64 KiB have gathered. So one command is one
 * segment. */
gboolean stream_write(struct stream *stream, const void *bytes, gsize length, GError **error);
gboolean stream_puts(struct stream *stream, const char *text, GError **error);
/* Sends what is queued and starts a new exchange: the total limit counts from here. While the server does not
 * read, what it sends is taken in, so that two full pipes cannot lock each other. */
gboolean stream_flush(struct stream *stream, GError **error);
/* Starts a new exchange without sending (data that comes by itself, as in IDLE). */
void stream_begin_exchange(struct stream *stream);

/* Gives 1 to size bytes, waiting for the first; -1 with error, also at the end of the connection. Never 0.
 * What is queued for writing is flushed before it waits. */
gssize stream_read(struct stream *stream, void *bytes, gsize size, GError **error);
/* Exactly size bytes. */
gboolean stream_read_exactly(struct stream *stream, void *bytes, gsize size, GError **error);
/* Sets line to the next line without its CRLF (or LF). A line longer than max bytes is STREAM_LIMIT and the
 * end. Lines may hold NUL: use line->len. */
gboolean stream_read_line(struct stream *stream, gsize max, GString *line, GError **error);
#define STREAM_LINE_MAX (64 * 1024) /* SMTP, POP3 */
#define STREAM_IMAP_LINE_MAX (1024 * 1024)

/* Bytes that can be read without waiting for the network: look here before polling the descriptor. */
gsize stream_get_pending(struct stream *stream);

enum stream_wait {
    STREAM_WAIT_READABLE,
    STREAM_WAIT_TIMEOUT, /* nothing came; the stream is fine */
    STREAM_WAIT_ERROR    /* error is set; cancelled, or the connection failed */
};
/* Waits for data that come by themselves. other_fd (or -1) also ends the wait, as STREAM_WAIT_TIMEOUT: a
 * wake-up. */
enum stream_wait stream_wait(struct stream *stream, guint milliseconds, int other_fd, GError **error);

/* The socket, for the caller's poll(); -1 when there is none. */
int stream_get_fd(const struct stream *stream);
/* The connection cannot be used again. */
gboolean stream_is_dead(const struct stream *stream);
/* The session found the dialogue broken (wrong tag, nonsense): nothing more is sent or read. */
void stream_kill(struct stream *stream, const GError *why);

/* Says goodbye to TLS as far as that needs no waiting, and closes. */
void stream_close(struct stream *stream);

enum stream_fault stream_get_fault(const struct stream *stream);
enum certificate_fault stream_get_certificate_fault(const struct stream *stream);
const char *stream_fault_name(enum stream_fault fault); /* "dns", "certificate" …: stable, for JSON */
const char *certificate_fault_name(enum certificate_fault fault);

/* The strings live until the next call on the stream. */
void stream_get_info(const struct stream *stream, struct stream_info *info);
const struct endpoint *stream_get_endpoint(const struct stream *stream);
struct cancel *stream_get_cancel(const struct stream *stream);

/* One guard; NULL takes it away. data must outlive the stream or the guard. */
void stream_set_guard(struct stream *stream, stream_guard guard, gpointer data);
/* One tap; NULL takes it away. */
void stream_set_tap(struct stream *stream, stream_tap tap, gpointer data);
/* While TRUE, what is written shows in the tap as "<secret>"; the buffers that held it are wiped. */
void stream_set_private(struct stream *stream, gboolean is_private);
/* While TRUE, what is written shows in the tap only as its size, "<12345 bytes>" (message content). */
void stream_set_bulk(struct stream *stream, gboolean is_bulk);

typedef struct stream struct_stream;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_stream, stream_free)

#endif
