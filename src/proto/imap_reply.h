/* imap_reply.h - IMAP responses as typed records (RFC 9051 section 7 and the extensions of imap_extensions[])
 *
 * Pure functions of one framed response: no session, no I/O; table-tested and fuzzed. For src/proto/imap*.c
 * only. First reply_parse() tells what it is, then the parser of that kind reads on from `rest`. What is
 * malformed is FALSE; then the record is cleared. Slices point into the frame.
 */
#ifndef PROTO_IMAP_REPLY_H
#define PROTO_IMAP_REPLY_H

#include <glib.h>

#include "proto/imap.h"
#include "proto/imap_lex.h"

enum reply_kind {
    REPLY_CONTINUE, /* "+" */
    REPLY_OK,       /* tagged or not */
    REPLY_NO,
    REPLY_BAD,
    REPLY_BYE,
    REPLY_PREAUTH,
    REPLY_CAPABILITY,
    REPLY_ENABLED,
    REPLY_LIST,
    REPLY_LSUB,
    REPLY_STATUS,
    REPLY_SEARCH,
    REPLY_ESEARCH,
    REPLY_FLAGS,
    REPLY_NAMESPACE,
    REPLY_ID,
    REPLY_QUOTA,
    REPLY_VANISHED,
    REPLY_EXISTS, /* these have a number */
    REPLY_RECENT,
    REPLY_EXPUNGE,
    REPLY_FETCH,
    REPLY_OTHER, /* untagged data that we do not know */
    REPLY_BROKEN /* not even a response */
};

/* Response codes: "[UIDNEXT 4392]". */
enum reply_code {
    CODE_NONE,
    CODE_OTHER,
    CODE_ALERT,
    CODE_CAPABILITY,
    CODE_UIDVALIDITY,
    CODE_UIDNEXT,
    CODE_HIGHESTMODSEQ,
    CODE_NOMODSEQ,
    CODE_PERMANENTFLAGS,
    CODE_READ_ONLY,
    CODE_READ_WRITE,
    CODE_UIDNOTSTICKY,
    CODE_MAILBOXID,
    CODE_CLOSED,
    CODE_APPENDUID,
    CODE_COPYUID,
    CODE_MODIFIED,
    CODE_TRYCREATE,
    CODE_NONEXISTENT,
    CODE_ALREADYEXISTS,
    CODE_BADEVENT,
    CODE_NOTIFICATIONOVERFLOW,
    CODE_REFUSAL /* any other of the table, that only has a meaning for the caller */
};

struct imap_reply {
    enum reply_kind kind;
    struct slice tag;        /* of a tagged response, else NULL */
    guint64 number;          /* of EXISTS, FETCH …; checked to be 32 bits */
    struct lex rest;         /* data: what follows the name */
    enum reply_code code;    /* OK, NO, BAD, BYE, PREAUTH */
    enum error_code refusal; /* what the code asks the caller to do; 0: it says nothing */
    struct lex code_rest;    /* what follows the code's name, up to ']' */
    struct slice text;       /* human words, raw */
};

void reply_parse(const char *frame, gsize length, struct imap_reply *reply);

/* Storage for what a FETCH said, used again for every message. */
struct fetch_record {
    struct imap_message message; /* parts are not set: structure is the text of them */
    gboolean broken;   /* the response is malformed from some point on; what was read before it counts */
    struct slice body; /* BODY[section], when it stood in the frame */
    gboolean has_body; /* BODY[section] was there, here, elsewhere or NIL */
    gboolean body_elsewhere;
    struct slice structure; /* the value of BODYSTRUCTURE, raw; NULL when it has parts elsewhere */
    /* what the message points to: */
    GPtrArray *keywords;
    GString *header;
    char *email_id, *thread_id;
    GString *scratch;
};
void fetch_record_init(struct fetch_record *record);
void fetch_record_clear(struct fetch_record *record);
/* section: the one of BODY[…] that is asked for, or NULL. */
void reply_parse_fetch(struct lex rest, const char *section, struct fetch_record *record);

/* NULL: not a folder that can be used (malformed, or a name with CR, LF, NUL). subscribed: it came by LSUB.
 */
struct imap_folder *reply_parse_list(struct lex rest, gboolean subscribed);
/* Fills *status, name too; imap_status_clear() it. */
gboolean reply_parse_status(struct lex rest, struct imap_status *status);
void imap_status_clear(struct imap_status *status);

/* Array of struct imap_namespace; NULL when it is malformed or empty. */
GPtrArray *reply_parse_namespaces(struct lex rest);
void imap_namespace_free(gpointer data);

/* Both add to uids. ESEARCH without ALL adds nothing. */
gboolean reply_parse_search(struct lex rest, struct uidset *uids);
gboolean reply_parse_esearch(struct lex rest, struct uidset *uids);
gboolean reply_parse_vanished(struct lex rest, gboolean *earlier, struct uidset *uids);

/* Calls take for each word of CAPABILITY, ENABLED, or the code. */
void reply_parse_words(struct lex rest, void (*take)(const char *word, gpointer data), gpointer data);
gboolean reply_parse_flags(struct lex rest, guint *flags, GPtrArray *keywords, gboolean *any,
                           gboolean *recent);

gboolean reply_parse_code_number(const struct imap_reply *reply, guint64 max, guint64 *number);
/* Exactly n different UIDs, or FALSE and nothing is changed. */
gboolean reply_parse_appenduid(const struct imap_reply *reply, guint32 *uidvalidity, guint32 *uids, guint n);
/* Adds a pair for each message of asked; FALSE when the sets do not match each other. */
gboolean reply_parse_copyuid(const struct imap_reply *reply, const struct uidset *asked,
                             struct imap_copies *copies);
gboolean reply_parse_modified(const struct imap_reply *reply, struct uidset *uids);
char *reply_parse_mailbox_id(const struct imap_reply *reply);

/* "17-Jul-1996 02:44:25 -0700", and back. */
gboolean imap_date_parse(const struct slice *text, gint64 *date, int *zone);
char *imap_date_format(gint64 date, int zone);

/* Among the parsers: an identifier of OBJECTID replaces *id when it is one; a set is added to uids. */
void reply_take_id(const struct slice *text, char **id);
gboolean reply_take_set(struct lex *lex, struct uidset *uids);

/* The server's words for people: safe, one line, cut, in quotes. */
char *reply_words(const struct slice *text);

/* An atom that can be a keyword (RFC 9051 section 9, flag-keyword). */
gboolean imap_is_keyword(const struct slice *word);

/* How a mailbox name compares: INBOX is of any case. Caller frees. */
char *imap_normal_name(const char *name);

#endif
