/*
 * pop3_private: what the files of the POP3 session share. For src/proto/pop3*.c only.
 *
 * pop3.c opens a session; pop3_login.c logs in; pop3_reply.c reads what the server says; pop3_drop.c lists
 * and deletes; pop3_fetch.c streams messages.
 */
#ifndef PROTO_POP3_PRIVATE_H
#define PROTO_POP3_PRIVATE_H

#include "proto/pop3.h"

#define POP3_BUFFER (32 * 1024)
#define POP3_CAPA_LINES_MAX 200
/* Commands under way at once. A server reads them while it writes, or they wait in the sockets: 64 RETR are
 * 700 bytes. */
#define POP3_WINDOW 64

/* RFC 2449 section 8, RFC 3206, RFC 6856. */
enum pop3_code {
    POP3_CODE_NONE,
    POP3_CODE_IN_USE,
    POP3_CODE_LOGIN_DELAY,
    POP3_CODE_SYS_TEMP,
    POP3_CODE_SYS_PERM,
    POP3_CODE_AUTH,
    POP3_CODE_UTF8,
    POP3_CODE_OTHER
};

enum pop3_status { POP3_OK, POP3_ERR, POP3_CONTINUE /* "+ ", of a SASL exchange */ };

struct pop3_reply {
    enum pop3_status status;
    enum pop3_code code;
    char *text; /* without status and code; as it came */
};

struct pop3 {
    struct stream *stream;
    char *name; /* "pop.example.org:995" for messages */
    struct pop3_options options;
    guint8 buffer[POP3_BUFFER]; /* read and not taken yet: start to end */
    gsize start, end;
    GString *line;
    struct pop3_reply reply;
    guint extensions;      /* POP3_* */
    GPtrArray *mechanisms; /* of SASL, and NULL */
    gboolean differs;      /* a capability says that it differs by user */
    guint login_delay;
    char *timestamp; /* of the greeting, for APOP; or NULL */
    guint64 roundtrips;
    GArray *entries; /* struct pop3_entry */
    GStringChunk *strings;
};

/* ---- pop3_reply.c ---- */

/* One line into pop3->line, without its end. */
gboolean pop3_read_line(struct pop3 *pop3, GError **error);
/* Makes sure that a byte is in the buffer. */
gboolean pop3_fill(struct pop3 *pop3, GError **error);
/* One status line into pop3->reply. FALSE: the connection failed, or what came is none; the stream is dead
 * then. */
gboolean pop3_read_reply(struct pop3 *pop3, GError **error);
/* A line of a list into pop3->line, dots unstuffed; *last: it was the end. */
gboolean pop3_read_listed(struct pop3 *pop3, gboolean *last, GError **error);
void pop3_reply_clear(struct pop3_reply *reply);
/* The reply's words for people: one line, made safe, not long. */
char *pop3_reply_words(const struct pop3_reply *reply);
/* "pop.example.org:995: WHAT (words)", with what the response code says of it; `code` where it says nothing.
 * Returns FALSE. */
gboolean pop3_fail_reply(struct pop3 *pop3, GError **error, enum error_code code, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* The server does not follow the protocol: nothing more can be trusted on this connection. Returns FALSE. */
gboolean pop3_fail_protocol(struct pop3 *pop3, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Queues a command; the line end is added. */
gboolean pop3_put(struct pop3 *pop3, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Sends what is queued. */
gboolean pop3_flush(struct pop3 *pop3, GError **error);
/* Before a command: nothing may have come unasked. */
gboolean pop3_check_idle(struct pop3 *pop3, GError **error);
/* pop3_check_idle(), the command, and its reply. */
gboolean pop3_ask(struct pop3 *pop3, const char *activity, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* ---- pop3_login.c ---- */

gboolean pop3_log_in(struct pop3 *pop3, GError **error);

#endif
