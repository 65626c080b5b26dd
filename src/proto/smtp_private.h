/*
 * smtp_private: what the files of the SMTP session share. For src/proto/smtp*.c only.
 *
 * smtp.c opens and closes a session; smtp_reply.c reads replies; smtp_send.c checks a message and sums up what
 * became of it; smtp_transaction.c carries it through MAIL, RCPT and DATA; smtp_wire.c knows addresses and
 * content as they go over the wire.
 */
#ifndef PROTO_SMTP_PRIVATE_H
#define PROTO_SMTP_PRIVATE_H

#include "proto/smtp.h"

#define SMTP_REPLY_LINES_MAX 200
#define SMTP_REPLY_BYTES_MAX (128 * 1024)
#define SMTP_CONTENT_MAX (1024 * 1024 * 1024)
#define SMTP_ADDRESS_MAX 254        /* RFC 5321 4.5.3.1.3, without the brackets */
#define SMTP_RECIPIENTS_AT_ONCE 100 /* what every server must take: RFC 5321 4.5.3.1.8 */

struct smtp_session {
    struct stream *stream;
    char *name; /* "smtp.example.org:465" for messages */
    char *ehlo_name;
    enum smtp_stage stage;
    struct smtp_reply reply;
    struct smtp_capabilities capabilities;
    GPtrArray *auth;      /* owns the names in capabilities.auth */
    gboolean ready;       /* opened, and not closing */
    gboolean needs_reset; /* a transaction was left half done */
    guint dot_limit_ms;
};

/* ---- smtp_reply.c ---- */

/* Reads one reply into session->reply. FALSE: the connection failed, or what came is no reply; the stream is
 * dead then. A 421 is a reply, and ends the session's readiness. */
gboolean smtp_read_reply(struct smtp_session *session, GError **error);
/* Takes a line apart. FALSE when it is none of a reply. *text points into line. */
gboolean smtp_parse_reply_line(const char *line, gsize length, int *code, gboolean *last, const char **text);
/* Length of "5.1.1" at the start of text when it fits the code, else 0. */
gsize smtp_parse_enhanced(const char *text, int code);
void smtp_reply_clear(struct smtp_reply *reply);
void smtp_reply_copy(struct smtp_reply *to, const struct smtp_reply *from);
/* "550 5.1.1 no such user": one line, made safe, not long. */
char *smtp_reply_to_string(const struct smtp_reply *reply);

/* The server does not follow the protocol: nothing more can be trusted on this connection. Returns FALSE. */
gboolean smtp_fail_protocol(struct smtp_session *session, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* ---- smtp.c ---- */

/* Queues a command; the line end is added. */
gboolean smtp_put(struct smtp_session *session, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Before a command that waits for its reply: nothing may have come unasked. A 421 that did is a failure with
 * its words. */
gboolean smtp_check_idle(struct smtp_session *session, GError **error);
/* smtp_check_idle(), the command, and its reply. */
gboolean smtp_ask(struct smtp_session *session, const char *activity, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* ---- smtp_wire.c ---- */

struct smtp_content {
    GByteArray *wire; /* smtp_wire_form() */
    gboolean has_nul;
    gboolean eight_bit;    /* anywhere */
    gboolean utf8_headers; /* the header block has 8-bit bytes, and all of it is UTF-8 */
};
void smtp_content_init(struct smtp_content *content, const guint8 *bytes, gsize length);
void smtp_content_clear(struct smtp_content *content);

/* Writes the content dot-stuffed, without the final dot. */
gboolean smtp_write_stuffed(struct stream *stream, const GByteArray *wire, GError **error);

/* The address with its domain as A-labels. NULL with error when it may not be used. */
char *smtp_wire_address(const char *address, GError **error);
/* xtext of RFC 3461 section 4. NULL when text is not printable ASCII. */
char *smtp_xtext(const char *text);

/* ---- smtp_transaction.c ---- */

/* A message on its way; one or more transactions. */
struct sending {
    struct smtp_session *session;
    const struct smtp_message *message;
    struct smtp_content content;
    char *from;        /* wire forms; from is "" for the null sender */
    char **recipients; /* n_recipients + NULL */
    gboolean smtputf8;
    struct smtp_result *result;
    /* The transaction: indices of its recipients, and what became of each so far. */
    guint *batch;
    guint batch_size;
    gboolean *taken; /* by index: RCPT was accepted */
    guint n_taken;
};

/* What has become of a recipient, at the session's present stage. reply may be NULL. */
void smtp_note(struct sending *sending, guint index, enum smtp_outcome outcome,
               const struct smtp_reply *reply);
/* Carries the message to the batch. TRUE: all of it has an outcome, and the connection can go on. FALSE: all
 * that hangs on the connection has one, and error is set unless a reply decided it. */
gboolean smtp_run_transaction(struct sending *sending, GError **error);

#endif
