/*
 * pop3: a POP3 session (RFC 1939) on a bounded stream.
 *
 * All of it is ours, on net/stream: libetpan's POP3 holds whole messages in memory and cuts lines at a NUL.
 *
 *     pop3 = pop3_open(endpoint, options, cancel, &error)    connect, CAPA, STLS when configured, login
 *     pop3_list(pop3, &error)                                STAT, UIDL, LIST
 *     pop3_fetch(pop3, numbers, n, POP3_WHOLE, sink, &error) RETR or TOP, streamed to a sink
 *     pop3_delete(pop3, numbers, n, done, &error)            DELE: nothing is removed before QUIT
 *     pop3_quit(pop3, &error)                                now it is
 *     pop3_free(pop3)
 *
 * What it promises:
 *   - with STLS configured and not offered (or refused), or with bytes of the server behind its answer to
 * STLS, no credential is sent. What was said before TLS counts for nothing.
 *   - bytes of a message come exactly as the server has them: dots unstuffed, NUL, bare CR and bare LF kept.
 * Only CR LF "." CR LF ends a message.
 *   - everything is bounded: lines (64 KiB), the number of lines of a list (by the server's own STAT, at most
 *     POP3_MESSAGES_MAX), a message (options.message_max). Every wait has a limit and can be cancelled.
 *   - where the server offers PIPELINING, commands go out in windows; elsewhere one waits for the other.
 *
 * Extensions used when offered: CAPA, STLS, SASL, TOP, UIDL, USER, PIPELINING, RESP-CODES, AUTH-RESP-CODE,
 * LOGIN-DELAY, UTF8 (RFC 2449, 2595, 5034, 3206, 6856). A server without CAPA is asked for TOP and UIDL all
 * the same.
 *
 * Errors: domain POP3_ERROR (or STREAM_ERROR for the connection), code of base/error.h: ERROR_RETRY (also
 * [IN-USE], [SYS/TEMP], [LOGIN-DELAY]), ERROR_AUTH (ask for the password), ERROR_REFUSED ([SYS/PERM], a
 * command that is not taken), ERROR_SECURITY, ERROR_CANCELLED. Text of the server in an error is made safe.
 *
 * Threads: one session, one thread at a time.
 */
#ifndef PROTO_POP3_H
#define PROTO_POP3_H

#include <glib.h>

#include "base/error.h"
#include "config/endpoint.h"
#include "net/stream.h"

#define POP3_ERROR (pop3_error_quark())
GQuark pop3_error_quark(void);

/* More than that is no mailbox. */
#define POP3_MESSAGES_MAX 2000000

struct pop3;

enum pop3_extension {
    POP3_CAPA = 1 << 0, /* the server answered CAPA at all */
    POP3_TOP = 1 << 1,
    POP3_UIDL = 1 << 2,
    POP3_USER = 1 << 3,
    POP3_PIPELINING = 1 << 4,
    POP3_STLS = 1 << 5,
    POP3_UTF8 = 1 << 6,
    POP3_APOP = 1 << 7, /* a time stamp in the greeting */
    POP3_SASL = 1 << 8
};

/* The password, for g_free() after wiping; NULL with error. Called once, and only when the connection may
 * carry it. */
typedef char *(*pop3_secret_func)(gpointer data, GError **error);

struct pop3_options {
    pop3_secret_func get_secret;
    gpointer secret_data;
    guint without;                      /* POP3_* bits that are treated as not offered */
    guint64 message_max;                /* bytes of one message; 0: 256 MiB */
    const struct stream_limits *limits; /* NULL: the stream's own */
    stream_tap tap;                     /* or NULL: the dialogue, secrets left out */
    gpointer tap_data;
};

struct pop3 *pop3_open(const struct endpoint *endpoint, const struct pop3_options *options,
                       struct cancel *cancel, GError **error);
/* The same on a stream that is not yet connected; takes it over, also on failure. */
struct pop3 *pop3_open_stream(struct stream *stream, const struct pop3_options *options, GError **error);
/* Closes without a word: what was DELEd stays. NULL is allowed. */
void pop3_free(struct pop3 *pop3);

gboolean pop3_is_dead(const struct pop3 *pop3);
/* Offered (or, for TOP and UIDL without CAPA, not refused yet) and not switched off; all bits must be. */
gboolean pop3_has(const struct pop3 *pop3, guint extensions);
/* Seconds that the server wants between two logins; 0: it does not say. */
guint pop3_get_login_delay(const struct pop3 *pop3);
/* Borrowed: for stream_get_info() only. */
const struct stream *pop3_get_stream(const struct pop3 *pop3);
guint64 pop3_get_roundtrips(const struct pop3 *pop3);

/* ---- what there is ---- */

struct pop3_entry {
    const char *uidl; /* as the server says it; NULL: it did not. Printable, at most POP3_UIDL_MAX bytes */
    guint64 size;     /* as LIST says it; 0: it did not */
};
/* RFC 1939 has 70; a longer one is replaced by "#" and its hash. */
#define POP3_UIDL_MAX 200

/* Entry i is message i + 1. Owned by the session, until it is called again. */
const struct pop3_entry *pop3_list(struct pop3 *pop3, guint *n, GError **error);

/* ---- messages ---- */

enum pop3_what { POP3_WHOLE, POP3_HEADER };

struct pop3_sink {
    /* FALSE with error (of the sink's choice) from any of them ends the session. */
    gboolean (*begin)(guint number, gpointer data, GError **error);
    gboolean (*write)(const void *bytes, gsize length, gpointer data, GError **error);
    /* refused NULL: the whole message was written. Else the server's words, made safe, and neither begin nor
     * write was called. */
    gboolean (*end)(guint number, const char *refused, gpointer data, GError **error);
    gpointer data;
};

/* RETR, or TOP n 0, of each of these numbers in turn. */
gboolean pop3_fetch(struct pop3 *pop3, const guint *numbers, guint n, enum pop3_what what,
                    const struct pop3_sink *sink, GError **error);

/* DELE. done (room for n) tells which of them the server marked. */
gboolean pop3_delete(struct pop3 *pop3, const guint *numbers, guint n, gboolean *done, GError **error);

/* QUIT: what was DELEd is removed. FALSE: it is not known whether it was (ask for the list again). The
 * session is over either way. */
gboolean pop3_quit(struct pop3 *pop3, GError **error);

typedef struct pop3 struct_pop3;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_pop3, pop3_free)

#endif
