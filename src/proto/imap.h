/* imap.h - one IMAP session, typed (RFC 9051 and RFC 3501; the extensions are in imap_extensions[])
 *
 * A session is one connection to one server: open it, use it, free it. Every call sends its commands and
 * waits for the replies; every wait has the limits of the stream and ends when the cancel object is
 * triggered.
 *
 * How the work is split. Commands are written here, and one reader of ours frames every response on the
 * guarded stream: it bounds line, literal and volume, streams message bytes to a sink, and takes a malformed
 * or unknown response for what it is, one response lost and not the connection. Our parser reads what carries
 * numbers, names or message bytes, because libetpan 1.9.4 wraps numbers at 32 bits, cuts names at NUL, keeps
 * one STATUS of many and one VANISHED of many, drops BYE texts, insists on replies in order, and holds whole
 * replies in memory (and fails on a NAMESPACE with parameters). libetpan parses the values whose grammar is
 * deep and whose numbers decide nothing (BODYSTRUCTURE, ID): it is given one complete, bounded, NUL-free
 * response in memory (imap_etpan.c, a mailstream of our own), so it never waits, never sees an end of file
 * and never sizes a buffer by a server's number.
 *
 * Identity is the UID, under a UIDVALIDITY. Sequence numbers never leave this module: an EXPUNGE by number
 * only says "list this folder again". What the server claims is bounded but not believed: a UID that was not
 * asked for is an event, never a result.
 *
 * Mailbox names are in wire form everywhere (modified UTF-7, the bytes the server used): base/utf7.h
 * converts. A name that no one can decode still works.
 *
 * Errors: domain IMAP_ERROR, or STREAM_ERROR and SASL_ERROR as they come; the code says what to do:
 *   - ERROR_AUTH: the server refused the login; its own words are in the text
 *   - ERROR_RETRY: network, BYE, [UNAVAILABLE], [INUSE] …: later
 *   - ERROR_SECURITY: STARTTLS stripped, PREAUTH without TLS, bytes ahead of the handshake (no credential was
 *     sent); or more than the limits of the stream allow
 *   - ERROR_STALE: the folder is gone, or its UIDVALIDITY changed under us
 *   - ERROR_SKIP: the server cannot give this message
 *   - ERROR_REFUSED: NO for good, [CANNOT], [NOPERM], [LIMIT], [OVERQUOTA] …; its words are in the text
 *   - ERROR_INPUT: an argument that cannot be sent (CR, LF, NUL, too long)
 *   - ERROR_CANCELLED
 *
 * After a protocol error, a BYE, or a broken stream the session is dead (imap_is_dead): every call fails,
 * free it. A NO leaves it usable. Words of the server are made safe, cut to one line, and marked: `the server
 * says "…"`.
 *
 * Threads: one session, one thread at a time. Handlers run inside the call, must not use the session, and get
 * data that lives until they return. Nothing here stores, prints or prompts. It never sends EXPUNGE, STORE
 * \Deleted, DELETE or APPEND unless the function of that name is called.
 */
#ifndef PROTO_IMAP_H
#define PROTO_IMAP_H

#include <glib.h>

#include "base/error.h"
#include "base/uidset.h"
#include "config/endpoint.h"
#include "net/cancel.h"
#include "net/stream.h"

#define IMAP_ERROR (imap_error_quark())
GQuark imap_error_quark(void);

struct imap;

/* ---- what a server can do ---- */

/* Bits of guint64. */
#define IMAP_IMAP4REV2 (1ull << 0)
#define IMAP_STARTTLS (1ull << 1)
#define IMAP_LOGINDISABLED (1ull << 2)
#define IMAP_SASL_IR (1ull << 3)
#define IMAP_ENABLE (1ull << 4)
#define IMAP_ID (1ull << 5)
#define IMAP_NAMESPACE (1ull << 6)
#define IMAP_LIST_EXTENDED (1ull << 7)
#define IMAP_LIST_STATUS (1ull << 8)
#define IMAP_SPECIAL_USE (1ull << 9)
#define IMAP_CHILDREN (1ull << 10)
#define IMAP_STATUS_SIZE (1ull << 11)
#define IMAP_CONDSTORE (1ull << 12)
#define IMAP_QRESYNC (1ull << 13)
#define IMAP_ESEARCH (1ull << 14)
#define IMAP_UIDPLUS (1ull << 15)
#define IMAP_MOVE (1ull << 16)
#define IMAP_UNSELECT (1ull << 17)
#define IMAP_IDLE (1ull << 18)
#define IMAP_NOTIFY (1ull << 19)
#define IMAP_COMPRESS (1ull << 20)
#define IMAP_LITERAL_PLUS (1ull << 21)
#define IMAP_LITERAL_MINUS (1ull << 22)
#define IMAP_MULTIAPPEND (1ull << 23)
#define IMAP_OBJECTID (1ull << 24)
#define IMAP_GMAIL (1ull << 25)
#define IMAP_UTF8_ACCEPT (1ull << 26)
#define IMAP_QUOTA (1ull << 27)
#define IMAP_CREATE_SPECIAL_USE (1ull << 28)
#define IMAP_SAVEDATE (1ull << 29)
#define IMAP_PREVIEW (1ull << 30)
#define IMAP_APPENDLIMIT (1ull << 31)
#define IMAP_UIDONLY (1ull << 32)
#define IMAP_UNAUTHENTICATE (1ull << 33)

struct imap_extension {
    guint64 bit;
    const char *name;   /* as in CAPABILITY: "COMPRESS=DEFLATE" */
    const char *source; /* "RFC 4978" */
    const char *use;    /* what we do with it, for the manual and the doctor */
};
extern const struct imap_extension imap_extensions[]; /* ends with bit 0 */

/* Servers that say one thing and do another. Found by capability or greeting; see imap_quirks[] for who
 * and why. */
#define IMAP_QUIRK_GMAIL (1u << 0)          /* folders are labels: expunge archives, \All holds everything */
#define IMAP_QUIRK_ID_FIRST (1u << 1)       /* refuses SELECT until ID was sent after the login */
#define IMAP_QUIRK_SIZE_ESTIMATED (1u << 2) /* RFC822.SIZE is not the number of bytes that come */
#define IMAP_QUIRK_FEW_AT_ONCE (1u << 3)    /* many STATUS on their way at once break it */

struct imap_quirk {
    guint bit;
    const char *where;   /* "greeting" or "capability" */
    const char *pattern; /* found in that text, case-insensitive */
    const char *source;  /* why we believe it */
};
extern const struct imap_quirk imap_quirks[]; /* ends with bit 0 */

/* ---- open and close ---- */

/* Returns the secret, newly allocated (it is wiped and freed here), or NULL with error. Asked for at most
 * once, and only when the connection may carry it. */
typedef char *(*imap_secret_func)(gpointer data, GError **error);

struct imap_event;
typedef void (*imap_event_func)(const struct imap_event *event, gpointer data);

struct imap_options {
    imap_secret_func get_secret; /* NULL: no login (a PREAUTH tunnel on TLS or loopback) */
    gpointer secret_data;
    imap_event_func on_event; /* what the server says unasked; may be NULL */
    gpointer event_data;
    guint64 without;     /* IMAP_* bits that are treated as not offered */
    gboolean compress;   /* COMPRESS=DEFLATE when offered */
    guint64 message_max; /* bytes of one message, 0: 256 MiB. A longer literal ends the connection, so leave
                            out what RFC822.SIZE says is larger */
    const struct stream_limits *limits; /* NULL: the stream's own */
};

/* Connects, upgrades, logs in, sends ID (name only) and ENABLEs CONDSTORE and QRESYNC. cancel may be NULL. */
struct imap *imap_open(const struct endpoint *endpoint, const struct imap_options *options,
                       struct cancel *cancel, GError **error);
/* The same on a stream that is not yet connected; takes it over, also on failure. */
struct imap *imap_open_stream(struct stream *stream, const struct imap_options *options, GError **error);

/* LOGOUT, waiting at most a second; then closes. For a session that is dead it does nothing. */
void imap_logout(struct imap *imap);
/* Closes without a word. NULL is allowed. */
void imap_free(struct imap *imap);

gboolean imap_is_dead(const struct imap *imap);
/* Offered, not switched off, and (CONDSTORE, QRESYNC, UTF8=ACCEPT) in force. All bits must be. */
gboolean imap_has(const struct imap *imap, guint64 extensions);
guint64 imap_get_extensions(const struct imap *imap);
gboolean imap_has_quirk(const struct imap *imap, guint quirks);
/* The limit of APPENDLIMIT in bytes, 0 when the server names none. */
guint64 imap_get_append_limit(const struct imap *imap);
/* "Dovecot" … as the server's ID says, made safe; NULL when it says nothing. Borrowed until the session is
 * freed. */
const char *imap_get_server_name(const struct imap *imap);
/* Borrowed: for stream_get_info(), taps and the descriptor only. */
struct stream *imap_get_stream(struct imap *imap);
/* Roundtrips so far (flushes that waited for a tagged reply), for tests and the doctor. */
guint64 imap_get_roundtrips(const struct imap *imap);

/* ---- what the server says unasked ---- */

enum imap_event_kind {
    IMAP_EVENT_EXISTS,     /* number: messages in the selected folder */
    IMAP_EVENT_EXPUNGED,   /* something was expunged, by sequence number: list the folder again */
    IMAP_EVENT_VANISHED,   /* uids are gone from the selected folder */
    IMAP_EVENT_MESSAGE,    /* flags (or more) of message->uid; uid may be 0: list the flags again */
    IMAP_EVENT_STATUS,     /* status->name changed (NOTIFY) */
    IMAP_EVENT_FOLDER,     /* folder->name was made, renamed, removed (NOTIFY) */
    IMAP_EVENT_ALERT,      /* text: the server wants people to read it; made safe; at most one in 10 s, 20 a
                              session */
    IMAP_EVENT_BYE,        /* text; made safe */
    IMAP_EVENT_UIDVALIDITY, /* the selected folder's UIDVALIDITY changed: number is the new one */
    IMAP_EVENT_OVERFLOW     /* NOTIFY is over, something was not told: list everything, then imap_notify() again */
};

struct imap_message;
struct imap_status;
struct imap_folder;

struct imap_event {
    enum imap_event_kind kind;
    guint32 number;
    const struct uidset *uids;
    const struct imap_message *message;
    const struct imap_status *status;
    const struct imap_folder *folder;
    const char *text;
};

/* ---- folders ---- */

enum imap_attribute {
    IMAP_NOSELECT = 1 << 0, /* also \NonExistent */
    IMAP_NONEXISTENT = 1 << 1,
    IMAP_NOINFERIORS = 1 << 2,
    IMAP_HASCHILDREN = 1 << 3,
    IMAP_HASNOCHILDREN = 1 << 4,
    IMAP_MARKED = 1 << 5,
    IMAP_UNMARKED = 1 << 6,
    IMAP_SUBSCRIBED = 1 << 7,
    IMAP_REMOTE = 1 << 8
};

/* RFC 6154, RFC 8457. A folder may have several. */
enum imap_role {
    IMAP_ROLE_ALL = 1 << 0,
    IMAP_ROLE_ARCHIVE = 1 << 1,
    IMAP_ROLE_DRAFTS = 1 << 2,
    IMAP_ROLE_FLAGGED = 1 << 3,
    IMAP_ROLE_JUNK = 1 << 4,
    IMAP_ROLE_SENT = 1 << 5,
    IMAP_ROLE_TRASH = 1 << 6,
    IMAP_ROLE_IMPORTANT = 1 << 7
};

/* Items of STATUS. */
enum imap_status_item {
    IMAP_STATUS_MESSAGES = 1 << 0,
    IMAP_STATUS_UIDNEXT = 1 << 1,
    IMAP_STATUS_UIDVALIDITY = 1 << 2,
    IMAP_STATUS_UNSEEN = 1 << 3,
    IMAP_STATUS_MODSEQ = 1 << 4,    /* asked only with CONDSTORE */
    IMAP_STATUS_TOTALSIZE = 1 << 5, /* asked only with STATUS=SIZE */
    IMAP_STATUS_MAILBOXID = 1 << 6, /* asked only with OBJECTID */
    IMAP_STATUS_DELETED = 1 << 7    /* asked only with IMAP4rev2 */
};
#define IMAP_STATUS_SYNC                                                                                     \
    (IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT | IMAP_STATUS_UIDVALIDITY | IMAP_STATUS_MODSEQ)

struct imap_status {
    char *name;
    guint items; /* IMAP_STATUS_* that came; 0: the server answered NO, or nothing for this folder */
    guint32 messages;
    guint32 uidnext;
    guint32 uidvalidity;
    guint32 unseen;
    guint32 deleted;
    guint64 modseq; /* 0: the folder keeps none */
    guint64 size;
    char *mailbox_id;
};

struct imap_folder {
    char *name;       /* in wire form; "INBOX" in capitals whatever the server wrote */
    char *shown;      /* utf7_show() of it */
    char delimiter;   /* between levels; 0: flat */
    guint attributes; /* enum imap_attribute */
    guint roles;      /* enum imap_role */
    char *old_name;   /* after a rename, when the server says so (RFC 5465), else NULL */
    gboolean has_status;
    struct imap_status status; /* name is NULL: it is this folder's */
};

void imap_folder_free(struct imap_folder *folder);

/* Every folder of the namespaces of the user's own and, where subscribed, of the others; in the server's
 * order, each once. Subscriptions and special use are in the attributes and roles. With status_items, STATUS
 * comes along where the server can (LIST-STATUS): else has_status is FALSE: ask imap_status(). Array of
 * struct imap_folder, freed with g_ptr_array_unref(). At most 100,000. */
GPtrArray *imap_list(struct imap *imap, guint status_items, GError **error);

struct imap_namespace {
    enum { IMAP_NAMESPACE_PERSONAL, IMAP_NAMESPACE_OTHERS, IMAP_NAMESPACE_SHARED } kind;
    char *prefix; /* wire form, "" or "INBOX." … */
    char delimiter;
};
/* Array of struct imap_namespace; asked once. Borrowed until the session is freed. Never empty: a server
 * without NAMESPACE gets one personal namespace with the delimiter that LIST "" "" names. */
const GPtrArray *imap_get_namespaces(struct imap *imap, GError **error);

/* What is limited for INBOX, and how much of it is used: array of struct imap_quota, empty where the server has no QUOTA or no
 * limits. */
struct imap_quota {
    char *root, *resource; /* resource in upper case: "STORAGE" counts in 1,024 bytes, "MESSAGE" in messages */
    guint64 usage, limit;
};
GPtrArray *imap_get_quotas(struct imap *imap, GError **error);

/* STATUS of many folders in one go. Array of struct imap_status in the order of names, freed with
 * g_ptr_array_unref(). A folder that the server refuses has items 0. Not to be asked for the selected folder.
 */
GPtrArray *imap_status(struct imap *imap, const char *const *names, guint items, GError **error);
void imap_status_free(struct imap_status *status);

/* use: 0, or one IMAP_ROLE_* for CREATE-SPECIAL-USE; without that extension the role is not set. Making a
 * folder that exists is no error when may_exist. */
gboolean imap_create(struct imap *imap, const char *name, guint role, gboolean may_exist, GError **error);
/* Removes the folder and all messages in it. */
gboolean imap_delete(struct imap *imap, const char *name, GError **error);
gboolean imap_rename(struct imap *imap, const char *from, const char *to, GError **error);
gboolean imap_subscribe(struct imap *imap, const char *name, gboolean subscribe, GError **error);

/* ---- messages ---- */

enum imap_fetch_item {
    IMAP_FETCH_FLAGS = 1 << 0,
    IMAP_FETCH_MODSEQ = 1 << 1, /* with CONDSTORE; else left out */
    IMAP_FETCH_SIZE = 1 << 2,
    IMAP_FETCH_DATE = 1 << 3,
    IMAP_FETCH_HEADER = 1 << 4,    /* the fields of header_fields */
    IMAP_FETCH_IDS = 1 << 5,       /* EMAILID, THREADID, or Gmail's; left out where not offered */
    IMAP_FETCH_STRUCTURE = 1 << 6, /* BODYSTRUCTURE */
    IMAP_FETCH_BODY = 1 << 7       /* only as an answer: the body went to the sink */
};

/* One leaf of a BODYSTRUCTURE. Strings are as the server spells them (encoded words and all), never NULL,
 * types in lower case. */
struct imap_part {
    char *section; /* "1.2": what imap_fetch_section() takes */
    char *type;    /* "text" */
    char *subtype; /* "plain" */
    char *charset;
    char *filename;
    char *disposition; /* "attachment", "inline" or "" */
    char *encoding;    /* "base64" */
    guint64 size;      /* in transfer encoding */
};

/* What the server said about one message. Only the members named in items are set. */
struct imap_message {
    guint32 uid;
    guint items; /* IMAP_FETCH_* that came */
    guint flags; /* FLAG_* of base/flags.h */
    gboolean recent;
    const char *const *keywords; /* every other flag, as spelled; NULL ends; never NULL when FLAGS came */
    guint64 modseq;
    guint64 size;
    gint64 date;        /* seconds since 1970 UTC */
    int zone;           /* minutes east */
    const char *header; /* the asked fields, CR LF line ends, with the empty line; may hold NUL */
    gsize header_length;
    const char *email_id; /* or NULL */
    const char *thread_id;
    const GPtrArray *parts; /* of struct imap_part, leaves in order */
};

/* FALSE with error stops: the rest of the reply is read and dropped, and the error is returned. */
typedef gboolean (*imap_message_func)(const struct imap_message *message, gpointer data, GError **error);

struct imap_select {
    gboolean read_only; /* EXAMINE */
    gboolean plain;     /* neither CONDSTORE nor QRESYNC, although offered */
    /* What is known from the last time, for QRESYNC; uidvalidity 0: nothing. */
    guint32 uidvalidity;
    guint64 modseq;
    const struct uidset *known;   /* may be NULL: all */
    imap_message_func on_changed; /* flags changed since; may be NULL */
    gpointer data;
};

struct imap_mailbox {
    char *name;
    guint32 uidvalidity; /* 0: the server gave none, nothing can be kept of this folder */
    guint32 uidnext;     /* 0: not told */
    guint32 exists;
    guint64 modseq; /* HIGHESTMODSEQ; 0: NOMODSEQ, or not told */
    gboolean read_only;
    guint permanent_flags;       /* FLAG_* that stay */
    gboolean permanent_keywords; /* \*: new keywords may be made */
    char **keywords;             /* those of PERMANENTFLAGS; NULL ends; never NULL */
    gboolean uid_not_sticky;     /* UIDNOTSTICKY: UIDs do not last */
    gboolean resynced;           /* QRESYNC was done: on_changed and vanished are complete */
    struct uidset *vanished;     /* UIDs gone since; never NULL */
    char *mailbox_id;            /* OBJECTID, or NULL */
};
void imap_mailbox_free(struct imap_mailbox *mailbox);

/* how may be NULL. The folder stays selected until the next select, imap_unselect() or a failed select. When
 * how->uidvalidity is not the folder's, resynced is FALSE: everything known is void. */
struct imap_mailbox *imap_select(struct imap *imap, const char *name, const struct imap_select *how,
                                 GError **error);
/* Leaves the folder and never expunges: UNSELECT, else EXAMINE and CLOSE. */
gboolean imap_unselect(struct imap *imap, GError **error);
/* Name of the selected folder, or NULL. */
const char *imap_get_selected(const struct imap *imap);

/* The fields a list needs: Date, From, To, Cc, Subject, Message-ID, References … */
extern const char imap_envelope_fields[];

struct imap_fetch {
    guint items;               /* IMAP_FETCH_* */
    const char *header_fields; /* names with spaces between; NULL: imap_envelope_fields */
    guint64 changed_since;     /* not 0: only what changed after this mod-sequence; needs CONDSTORE */
    struct uidset *vanished;   /* not NULL, with changed_since and QRESYNC: UIDs gone since are added */
    gboolean newest_first;     /* chunks from the high end */
    guint chunk;               /* messages a command; 0: 500 */
};

/* handler is called for each message of uids that there is, in the server's order, once. Sets that name more
 * than there can be ("all after 4711") are narrowed by a search first. A message that came malformed or in
 * part is asked for once more, alone: then it is taken with what came (look at its items), or left out with a
 * line in the log. Flags that the server tells in passing, and anything that was not asked for, are events.
 */
gboolean imap_fetch(struct imap *imap, const struct uidset *uids, const struct imap_fetch *what,
                    imap_message_func handler, gpointer data, GError **error);

/* Where message bytes go. begin is told the size before a byte is written, and the UID when the server named
 * it first (else 0); end is told the UID for certain. A begin without an end was broken off: throw away what
 * was written. */
struct imap_sink {
    gboolean (*begin)(guint32 uid, guint64 size, gpointer data, GError **error);
    gboolean (*write)(const void *bytes, gsize length, gpointer data, GError **error);
    imap_message_func end;
    gpointer data;
};

/* Whole messages (BODY.PEEK[], with FLAGS, INTERNALDATE, MODSEQ and IDS), as they are on the server, in
 * chunks by newest first or oldest first. Never more than 64 KiB of one in memory. missing (may be NULL) gets
 * the UIDs that were asked for and did not come: gone, or refused by the server one by one. */
gboolean imap_fetch_bodies(struct imap *imap, const struct uidset *uids, gboolean newest_first,
                           const struct imap_sink *sink, struct uidset *missing, GError **error);
/* One part of one message: section "1.2", "HEADER", "TEXT", "" for all. ERROR_SKIP when the server has it
 * not. */
gboolean imap_fetch_section(struct imap *imap, guint32 uid, const char *section, const struct imap_sink *sink,
                            GError **error);

/* Every UID of the selected folder; NULL with error. Bounded by EXISTS: a server that names more is refused.
 */
struct uidset *imap_search_all(struct imap *imap, GError **error);
/* criteria: a search program in ASCII, "SINCE 1-Nov-2026 UNSEEN", made by us and checked for line ends only.
 */
struct uidset *imap_search(struct imap *imap, const char *criteria, GError **error);
/* A search program in pieces: words of ours, with their spaces, and texts of somebody, in UTF-8, which go as strings (CHARSET
 * UTF-8 when one needs it). ERROR_REFUSED: the server does not know that charset, or cannot search so. */
struct imap_key {
    char *text;
    gboolean is_string;
};
struct uidset *imap_find(struct imap *imap, const struct imap_key *keys, guint n, GError **error);

/* Adds or takes away, never replaces. flags: FLAG_* bits; keywords: NULL or NULL-terminated atoms.
 * unchanged_since not 0 (needs CONDSTORE): messages that changed later are left alone and added to modified.
 * handler (may be NULL) hears the new MODSEQ where the server tells it. Setting \Deleted removes nothing. */
gboolean imap_store(struct imap *imap, const struct uidset *uids, gboolean add, guint flags,
                    const char *const *keywords, guint64 unchanged_since, struct uidset *modified,
                    imap_message_func handler, gpointer data, GError **error);

struct imap_copied {
    guint32 from, to;
};
/* uidvalidity is that of the target folder, 0 when the server told nothing (no UIDPLUS). */
struct imap_copies {
    guint32 uidvalidity;
    GArray *pairs; /* of struct imap_copied, never NULL; only messages of uids, each once */
};
struct imap_copies *imap_copies_new(void);
void imap_copies_free(struct imap_copies *copies);

/* copies may be NULL; else what the server told is added, also when a later chunk fails. ERROR_STALE when the
 * target is not there ([TRYCREATE]). imap_move needs IMAP_MOVE: without it, copy, then store \Deleted, then
 * imap_expunge(). */
gboolean imap_copy(struct imap *imap, const struct uidset *uids, const char *target,
                   struct imap_copies *copies, GError **error);
gboolean imap_move(struct imap *imap, const struct uidset *uids, const char *target,
                   struct imap_copies *copies, GError **error);

/* Removes those of uids that are marked \Deleted, for good (UID EXPUNGE; needs IMAP_UIDPLUS). */
gboolean imap_expunge(struct imap *imap, const struct uidset *uids, GError **error);
/* Marks them \Deleted and removes them, one after the other (needs IMAP_UIDPLUS). */
gboolean imap_remove(struct imap *imap, const struct uidset *uids, GError **error);
/* Removes EVERY message of the folder that anyone marked \Deleted. The only way without UIDPLUS. First ask
 * imap_search("DELETED") and compare: what is not ours must not go. */
gboolean imap_expunge_all_deleted(struct imap *imap, GError **error);

struct imap_append {
    guint flags; /* FLAG_* */
    const char *const *keywords;
    gint64 date; /* INTERNALDATE; 0: the server's clock */
    int zone;
    guint64 size; /* exactly so many bytes follow, with CR LF line ends */
    /* The next 1 to size bytes of the message; -1 with error. Never 0 before the end. */
    gssize (*read)(void *bytes, gsize size, gpointer data, GError **error);
    gpointer data;
};
/* uidvalidity and uid become 0 when the server does not tell (no UIDPLUS). ERROR_STALE: no such folder;
 * ERROR_REFUSED: quota, size. After an error that leaves the session dead the message may or may not be
 * there. */
gboolean imap_append(struct imap *imap, const char *name, const struct imap_append *message,
                     guint32 *uidvalidity, guint32 *uid, GError **error);

/* All of them or none in one command (RFC 3502; needs IMAP_MULTIAPPEND for more than one). uids has room for n; they
 * become 0 when the server does not tell. */
gboolean imap_append_many(struct imap *imap, const char *name, const struct imap_append *messages, guint n,
                          guint32 *uidvalidity, guint32 *uids, GError **error);

/* ---- waiting ---- */

gboolean imap_noop(struct imap *imap, GError **error);

/* IDLE: start, wait as often as wanted, done. Events arrive in on_event during wait and done. Renew before 29
 * minutes (RFC 2177). No other command in between. */
gboolean imap_idle_start(struct imap *imap, GError **error);
/* Waits for news up to milliseconds, or until other_fd (-1: none) is readable. *events (may be NULL) is the
 * number of events delivered; 0 after the time or a wake-up. FALSE: the session is dead, or was cancelled. */
gboolean imap_idle_wait(struct imap *imap, guint milliseconds, int other_fd, guint *events, GError **error);
gboolean imap_idle_done(struct imap *imap, GError **error);

/* NOTIFY: from now on the server tells by itself what happens in the selected folder and, as IMAP_EVENT_STATUS and
 * IMAP_EVENT_FOLDER, in every other one of the user's own. It does so during any command, and in imap_listen().
 * ERROR_REFUSED: it does not, and is not asked again in this session; then there is IDLE. */
gboolean imap_notify(struct imap *imap, GError **error);
/* In force: not refused, no overflow since. */
gboolean imap_is_notifying(const struct imap *imap);
/* As imap_idle_wait(), without IDLE: for a server that is notifying. Commands may be given in between; a server may
 * end a session that gives none for 30 minutes. */
gboolean imap_listen(struct imap *imap, guint milliseconds, int other_fd, guint *events, GError **error);

/* For an own poll(): -1 when dead. Look at imap_has_pending() first: bytes may be waiting inside. */
int imap_get_fd(const struct imap *imap);
gboolean imap_has_pending(const struct imap *imap);

typedef struct imap struct_imap;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_imap, imap_free)
typedef struct imap_mailbox struct_imap_mailbox;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_imap_mailbox, imap_mailbox_free)
typedef struct imap_copies struct_imap_copies;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_imap_copies, imap_copies_free)

#endif
