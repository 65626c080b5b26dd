/*
 * smtp: a submission session (RFC 5321, RFC 6409) that carries many messages over one connection.
 *
 * All of it is ours, on net/stream: libetpan's SMTP cuts long commands with their line end, lets a line break
 * in an address inject a command, and knows neither SMTPUTF8 nor BODY=8BITMIME nor PIPELINING. So no libetpan
 * appears here.
 *
 *     session = smtp_session_new(endpoint, cancel);
 *     smtp_session_open(session, secret, &error)      connect, EHLO, STARTTLS when configured, login
 *     smtp_session_send(session, message, &result, &error)   as often as wanted
 *     smtp_session_close(session)                     QUIT
 *     smtp_session_free(session)
 *
 * What it promises:
 *   - with STARTTLS configured and not offered (or refused), nothing more is sent: no credential, no message.
 *   - every address is checked (line ends, controls, length, form) before a command is built; message content
 * is normalised to CR LF and dot-stuffed, so that one message in is one message out (SMTP smuggling).
 * smtp_wire_form() gives the very bytes.
 *   - replies are bounded: length and number of lines, one code, nothing out of turn.
 *   - it is told exactly how far the server got. SMTP_UNKNOWN means: the final dot may have reached the
 * server, and its reply did not reach us; the message may be on its way. Nothing else leaves that open.
 *   - EHLO names no host of ours ("[127.0.0.1]").
 *
 * Extensions used when offered: STARTTLS, AUTH, SIZE, 8BITMIME, SMTPUTF8, PIPELINING, DSN,
 * ENHANCEDSTATUSCODES (RFC 3207, 4954, 1870, 6152, 6531, 2920, 3461, 2034). CHUNKING is noticed, not used.
 *
 * Errors: domain SMTP_ERROR (or STREAM_ERROR for the connection), code of base/error.h: ERROR_RETRY,
 * ERROR_AUTH (ask for the password), ERROR_REFUSED (for good), ERROR_INPUT (the message cannot be sent like
 * this), ERROR_SECURITY, ERROR_CANCELLED.
 *
 * Threads: one session, one thread at a time. Returned structs belong to the caller unless said otherwise.
 * Text of the server is kept as it came, in valid UTF-8 without line ends other than '\n' between the lines
 * of a reply: pass it through text_safe() to show it.
 */
#ifndef PROTO_SMTP_H
#define PROTO_SMTP_H

#include <glib.h>

#include "base/error.h"
#include "config/endpoint.h"
#include "net/stream.h"

#define SMTP_ERROR (smtp_error_quark())
GQuark smtp_error_quark(void);

struct smtp_session;

/* How far the dialogue got. */
enum smtp_stage {
    SMTP_STAGE_CONNECT,
    SMTP_STAGE_GREETING,
    SMTP_STAGE_EHLO,
    SMTP_STAGE_STARTTLS,
    SMTP_STAGE_AUTH,
    SMTP_STAGE_READY, /* between messages */
    SMTP_STAGE_CHECK, /* ours, before anything was sent: a bad address, too large for the server */
    SMTP_STAGE_MAIL,
    SMTP_STAGE_RCPT,
    SMTP_STAGE_DATA,    /* up to and with the content, before the final dot */
    SMTP_STAGE_MESSAGE, /* after the final dot */
    SMTP_STAGE_QUIT
};
/* "greeting", "rcpt" …: stable, for JSON. */
const char *smtp_stage_name(enum smtp_stage stage);

struct smtp_reply {
    int code;       /* 0: there was none */
    char *enhanced; /* "5.1.1", or NULL */
    char *text;     /* without the codes; lines joined by '\n' */
};

struct smtp_capabilities {
    gboolean starttls, pipelining, eightbitmime, smtputf8, dsn, chunking, enhanced_codes, has_size;
    guint64 size;      /* 0: no fixed limit */
    const char **auth; /* NULL-terminated mechanism names, never NULL */
};

/* RFC 3461. SMTP_NOTIFY_DEFAULT leaves it to the server. */
enum smtp_notify {
    SMTP_NOTIFY_DEFAULT = 0,
    SMTP_NOTIFY_NEVER = 1 << 0, /* alone */
    SMTP_NOTIFY_SUCCESS = 1 << 1,
    SMTP_NOTIFY_FAILURE = 1 << 2,
    SMTP_NOTIFY_DELAY = 1 << 3
};
enum smtp_return { SMTP_RETURN_DEFAULT, SMTP_RETURN_FULL, SMTP_RETURN_HEADERS };

struct smtp_recipient {
    const char *address; /* local@domain, UTF-8 */
    guint notify;        /* of enum smtp_notify */
    const char *orcpt; /* original recipient, or NULL for the address itself when notify asks for anything */
};

/* All borrowed for the length of the call. */
struct smtp_message {
    const char *from; /* "" is the null sender <> */
    const struct smtp_recipient *recipients;
    guint n_recipients;
    const guint8 *content; /* RFC 5322 message with any line ends */
    gsize length;
    const char *envid;    /* or NULL; used where the server offers DSN */
    enum smtp_return ret; /* likewise */
    /* Called when everything is sent but the final dot: the last moment at which giving up is safe. A caller
     * that keeps a queue records here, durably, that the outcome is unknown from now on. FALSE with error:
     * the message is not completed, and the connection is dropped. May be NULL. */
    gboolean (*before_dot)(gpointer data, GError **error);
    gpointer before_dot_data;
};

enum smtp_outcome {
    SMTP_NOT_TRIED, /* the dialogue did not come to this recipient */
    SMTP_ACCEPTED,
    SMTP_DEFERRED, /* refused for now (4xx), or the connection failed before the final dot: try again later */
    SMTP_REJECTED, /* refused for good (5xx), or it cannot be sent through this server */
    SMTP_UNKNOWN   /* see above: do not send again without asking */
};

struct smtp_recipient_result {
    enum smtp_outcome outcome;
    enum smtp_stage stage;
    struct smtp_reply reply; /* code 0 when no reply decided it */
};

struct smtp_result {
    /* SMTP_ACCEPTED when the server took the message for all recipients; else the gravest of the recipients'
     * outcomes, in the order UNKNOWN, REJECTED, DEFERRED, NOT_TRIED: look at each. */
    enum smtp_outcome outcome;
    enum smtp_stage stage;
    struct smtp_reply
        reply; /* the reply that decided it; for SMTP_ACCEPTED the server's last (often with its queue id) */
    guint n_recipients;
    struct smtp_recipient_result *recipients; /* in the order of the message */
    guint n_accepted;
};
void smtp_result_free(struct smtp_result *result);

struct smtp_session *smtp_session_new(const struct endpoint *endpoint, struct cancel *cancel);
/* On a connected socket (tests, tunnels); the session takes it over. */
struct smtp_session *smtp_session_new_for_fd(const struct endpoint *endpoint, int fd, struct cancel *cancel);
void smtp_session_free(struct smtp_session *session);

/* The dialogue, line by line, secrets and content left out; set it before opening. */
void smtp_session_set_tap(struct smtp_session *session, stream_tap tap, gpointer data);
/* In place of "[127.0.0.1]". FALSE with error when it is neither a domain nor an address literal. */
gboolean smtp_session_set_ehlo_name(struct smtp_session *session, const char *name, GError **error);
void smtp_session_set_limits(struct smtp_session *session, const struct stream_limits *limits);
/* How long the reply to the final dot may take: 10 min, as RFC 5321 4.5.3.2.6 has it; giving up early makes
 * doubles. */
void smtp_session_set_dot_limit(struct smtp_session *session, guint milliseconds);

/* secret may be NULL when the endpoint has no user; then there is no login. */
gboolean smtp_session_open(struct smtp_session *session, const char *secret, GError **error);

/* TRUE when the server took the message for every recipient. *result is always set. On FALSE error is the
 * failure that decided the outcome; smtp_session_is_usable() says whether another message can follow on this
 * connection. A server that takes only so many recipients at once (452) gets the rest in further transactions
 * at once. */
gboolean smtp_session_send(struct smtp_session *session, const struct smtp_message *message,
                           struct smtp_result **result, GError **error);

gboolean smtp_session_is_usable(const struct smtp_session *session);
/* QUIT, as far as it costs no more than a moment. */
void smtp_session_close(struct smtp_session *session);

enum smtp_stage smtp_session_get_stage(const struct smtp_session *session);
/* The last reply, of whatever command; owned by the session, until its next call. */
const struct smtp_reply *smtp_session_get_reply(const struct smtp_session *session);
/* What the last EHLO said; owned by the session. */
const struct smtp_capabilities *smtp_session_get_capabilities(const struct smtp_session *session);
const struct stream *smtp_session_get_stream(const struct smtp_session *session);

/* The content as it goes over the wire but for dot-stuffing: every line end CR LF, one at the end. What is
 * signed must be this. */
GByteArray *smtp_wire_form(const guint8 *content, gsize length);
/* local@domain in a form that may stand in MAIL or RCPT; "" is not allowed here. */
gboolean smtp_check_address(const char *address, GError **error);

typedef struct smtp_session struct_smtp_session;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_smtp_session, smtp_session_free)
typedef struct smtp_result struct_smtp_result;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_smtp_result, smtp_result_free)

#endif
