/* imap_private.h - what the files of the IMAP session share; for src/proto/imap*.c only
 *
 *   - imap_wire.c: frames of the stream, commands and literals out, the loop that waits for tagged replies
 *   - imap_lex.c: words of a frame; imap_reply*.c: frames as typed records (pure, both)
 *   - imap_etpan.c: what libetpan parses for us
 *   - imap_tables.c: extensions and quirks
 *   - imap_session.c: greeting, TLS, login, capabilities, end
 *   - imap_folder.c: LIST, STATUS, CREATE …; imap_select.c: SELECT, UNSELECT
 *   - imap_fetch.c: FETCH and SEARCH; imap_change.c: STORE, COPY, MOVE, EXPUNGE, APPEND
 *   - imap_idle.c: NOOP, IDLE and NOTIFY
 */
#ifndef PROTO_IMAP_PRIVATE_H
#define PROTO_IMAP_PRIVATE_H

#include "base/utf7.h"
#include "net/imap_guard.h"
#include "proto/imap.h"
#include "proto/imap_reply.h"

#define COMMAND_MAX 8000 /* bytes of a set in one command; RFC 9051 allows servers to stop at 8192 */
#define LITERAL_KEEP (1024 * 1024)   /* a longer one is read and dropped, unless it goes to a sink */
#define FRAME_MAX (8 * 1024 * 1024)  /* kept literals of one response together */
#define LITERAL_UNASKED (256 * 1024) /* a larger one is announced first: a refusal then costs no upload */
#define PIECE (64 * 1024)            /* of a literal, at a time */
#define CHUNK 500                    /* messages of one FETCH */

/* What a command heard at its end. */
struct exchange {
    char tag[16];
    gboolean done;
    enum reply_kind result; /* REPLY_OK, REPLY_NO, REPLY_BAD */
    enum reply_code code;
    enum error_code refusal;
    char *text;      /* the server's words, safe */
    char *code_text; /* arguments of the code, raw */
};
void exchange_clear(struct exchange *exchange);
/* The code of a tagged reply, for the parsers of imap_reply.h. Points into the exchange. */
void exchange_to_reply(const struct exchange *exchange, struct imap_reply *reply);
typedef struct exchange struct_exchange;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_exchange, exchange_clear)

/* Untagged data of a command. TRUE: it was the command's, and is no event. To stop, set collector->error:
 * what follows is then read and dropped up to the tagged reply. */
struct collector {
    gboolean (*take)(struct imap *imap, const struct imap_reply *reply, struct collector *collector);
    gpointer data;
    GError *error;
};

/* Where a literal of BODY[section] goes while it is read. `frame` is what stands before it. */
struct literal_sink {
    const char *section;
    gboolean (*begin)(struct literal_sink *sink, const char *frame, gsize length, guint64 size);
    void (*write)(struct literal_sink *sink, const void *bytes, gsize length);
    gpointer data;
};

struct imap {
    struct stream *stream;
    struct imap_guard *guard;
    char *host;
    struct imap_options options;

    guint tags;
    guint64 roundtrips;
    GString *line, *frame;
    guint8 *bytes; /* one piece of a literal */
    struct literal_sink *sink;

    gboolean greeted, authenticated, leaving;
    gboolean capable;            /* the server's capabilities are known */
    gboolean is_imap;            /* IMAP4rev1 or rev2 is among them */
    guint64 offered;             /* IMAP_* as the server says */
    guint64 enabled;             /* of those that need ENABLE */
    GPtrArray *login_mechanisms; /* "AUTH=…", NULL-terminated when used */
    guint64 append_limit;
    guint quirks;
    char *greeting, *server_name;
    GPtrArray *namespaces;

    char *selected;
    gboolean read_only;
    guint32 uidvalidity, exists;
    gboolean stale;     /* its UIDVALIDITY changed while it was open */
    gboolean selecting; /* what comes belongs to the folder that is being opened */

    char idle_tag[16];
    gboolean notifying; /* NOTIFY SET was taken, and has not overflowed since */
    guint events; /* delivered so far */
    guint alerts;
    gint64 last_alert;
};

/* ---- errors (imap_wire.c) ---- */

/* "imap.example.org: …". Returns FALSE. */
gboolean imap_fail(const struct imap *imap, enum error_code code, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* The same, and the session is dead. */
gboolean imap_fail_dead(struct imap *imap, enum error_code code, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
gboolean imap_check_alive(const struct imap *imap, GError **error);
gboolean imap_check_selected(const struct imap *imap, gboolean to_write, GError **error);
/* TRUE for OK; else an error that begins with `what`: "cannot open folder Sent". otherwise: the code of a NO
 * that says nothing more. */
gboolean imap_check_ok(const struct imap *imap, const struct exchange *exchange, enum error_code otherwise,
                       GError **error, const char *what, ...) G_GNUC_PRINTF(5, 6);

/* ---- commands (imap_wire.c) ---- */

/* Starts a command: its tag is queued and noted in exchange. activity: a literal, "opening a folder". */
gboolean imap_command(struct imap *imap, struct exchange *exchange, const char *activity, const char *text,
                      GError **error);
/* Goes on with it. The words are ours: no CR, LF, NUL. */
gboolean imap_put(struct imap *imap, const char *text, GError **error);
/* A string of the caller's, as an atom, quoted, or a literal (waits for the server's "+" where it must). */
gboolean imap_put_string(struct imap *imap, struct exchange *exchange, const char *text, GError **error);
/* Announces a literal; waits for "+" unless the server takes it unasked. *go is FALSE when the server ended
 * the command instead: what it said is in exchange, and nothing more may be sent. */
gboolean imap_put_literal_header(struct imap *imap, struct exchange *exchange, guint64 size, gboolean *go,
                                 GError **error);
gboolean imap_takes_literal_unasked(const struct imap *imap, guint64 size);
/* TRUE for a text that cannot be quoted: bytes over 127, controls, very long. */
gboolean imap_needs_literal(const char *text);
/* CR LF. Nothing is sent before imap_wait(). */
gboolean imap_end(struct imap *imap, GError **error);
/* Sends what is queued, and reads until all exchanges are done. FALSE: the stream failed, the server talked
 * nonsense, or collector->error was set (it is moved to error). What the server answered is in the exchanges.
 */
gboolean imap_wait(struct imap *imap, struct exchange *exchanges, guint count, struct collector *collector,
                   GError **error);
/* The same up to a "+" of one command. *text gets what follows it (may be NULL); *go is FALSE when the
 * command ended instead. */
gboolean imap_wait_continue(struct imap *imap, struct exchange *exchange, gboolean *go, char **text,
                            GError **error);

/* A command without arguments from outside, from tag to tagged reply. */
gboolean imap_run(struct imap *imap, struct exchange *exchange, const char *activity, const char *text,
                  struct collector *collector, GError **error);

/* Reads the next response into *reply. The frame lives until the next call. */
gboolean imap_read_reply(struct imap *imap, struct imap_reply *reply, GError **error);
/* What the session itself learns from a response, then the collector, then the event handler. FALSE after
 * BYE. */
gboolean imap_take_untagged(struct imap *imap, const struct imap_reply *reply, struct collector *collector,
                            GError **error);
void imap_event(struct imap *imap, const struct imap_event *event);

/* Text that may be a mailbox name or a user: no CR, LF, NUL (always so), at most max bytes, not empty. */
gboolean imap_check_text(const struct imap *imap, const char *text, gsize max, const char *what,
                         GError **error);

/* ---- folder names (imap_folder.c) ---- */

gboolean imap_check_name(const struct imap *imap, const char *name, GError **error);
/* A name that goes as an announced literal needs an answer in between, and so a flight of its own. */
gboolean imap_flies_alone(const struct imap *imap, const char *name);
/* "VERB name[ more]", from tag to tagged reply. */
gboolean imap_run_on_name(struct imap *imap, struct exchange *exchange, const char *activity,
                          const char *verb, const char *name, const char *more, GError **error);

/* ---- capabilities (imap_tables.c) ---- */

void imap_set_capabilities(struct imap *imap, struct lex words);
guint imap_find_quirks(const char *where, const char *text);

/* ---- libetpan (imap_etpan.c) ---- */

/* Value of a BODYSTRUCTURE → array of struct imap_part, or NULL when it makes no sense. */
GPtrArray *imap_etpan_structure(const struct slice *value);
/* What follows "* ID " → "name version", safe; NULL. */
char *imap_etpan_id(const struct lex *value);

#endif
