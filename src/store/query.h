/* query.h - the search tree: what the parsers of search/ make and store_search() compiles to SQL
 *
 * Plain data and its constructors; nothing here parses or reads the store. A tree is owned from its root: query_free()
 * frees all of it, and the constructors take over the children they are given. At most QUERY_DEPTH_MAX levels and
 * QUERY_NODES_MAX nodes come out of a parser. Any thread may use a tree, one at a time.
 *
 * Text is valid UTF-8, as the user wrote it; the compiler folds and tokenises. An empty range end is G_MININT64 or
 * G_MAXINT64. A tree never depends on the time it is run: "yesterday" has become two numbers.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <glib.h>

#define QUERY_DEPTH_MAX 64
#define QUERY_NODES_MAX 1024
#define QUERY_TEXT_MAX 4096 /* bytes of what a user may write */

enum query_kind {
    QUERY_ALL,         /* every message */
    QUERY_NONE,        /* no message */
    QUERY_AND,         /* children, two or more */
    QUERY_OR,          /* children, two or more */
    QUERY_XOR,         /* children, two */
    QUERY_NOT,         /* children, one */
    QUERY_TEXT,        /* `text` stands in one of `fields`, matched as `match` says */
    QUERY_FLAG,        /* `flag` of base/flags.h is set (as wanted here) */
    QUERY_TAG,         /* has the tag `text`; with QUERY_PREFIX or QUERY_REGEX: one such tag */
    QUERY_ID,          /* Message-ID `text`, without brackets; QUERY_REGEX allowed */
    QUERY_NUMBER,      /* the short number that lists print: min..max */
    QUERY_THREAD,      /* the thread with number `min` */
    QUERY_FOLDER,      /* in the folder `text`: its name, or ACCOUNT/NAME; QUERY_PREFIX: and below; QUERY_REGEX allowed */
    QUERY_PATH,        /* in the directory `text` below mail/ ("" is the top); QUERY_PREFIX: and below; QUERY_REGEX allowed */
    QUERY_ROLE,        /* in a folder with the role `text`: inbox sent drafts trash junk archive */
    QUERY_ACCOUNT,     /* in the account `text` */
    QUERY_DATE,        /* Date: min..max, seconds since 1970, both included */
    QUERY_RECEIVED,    /* when it arrived, likewise */
    QUERY_SIZE,        /* bytes: min..max */
    QUERY_ATTACHMENTS, /* number of attachments: min..max */
    QUERY_MINE,        /* one of `fields` (from, to, cc, bcc) holds an address of the user's accounts */
    QUERY_LIST,        /* came by a mailing list: has List-Id */
    QUERY_SIGNED,      /* has a signature or is encrypted: by structure, nothing was verified */
    QUERY_ENCRYPTED,
    QUERY_SAME_THREAD, /* a message of its thread matches the child */
    QUERY_PARENT,      /* the message it answers matches the child */
    QUERY_CHILD,       /* one of its answers matches the child */
    QUERY_MARKED       /* marked on the screen (mutt's ~T): the caller hands the set in; none for a command */
};

enum query_match {
    QUERY_WORDS,     /* the words of `text` in this order, side by side */
    QUERY_PREFIX,    /* the same, and the last word is the beginning of one */
    QUERY_SUBSTRING, /* anywhere in the field, case and accents folded; the index may answer for long fields by word beginnings */
    QUERY_REGEX      /* a regular expression (PCRE), any case unless it holds an upper case letter */
};

enum {
    QUERY_FROM = 1 << 0,
    QUERY_TO = 1 << 1,
    QUERY_CC = 1 << 2,
    QUERY_BCC = 1 << 3,
    QUERY_SENDER = 1 << 4,
    QUERY_SUBJECT = 1 << 5,
    QUERY_BODY = 1 << 6,
    QUERY_ATTACHMENT = 1 << 7, /* file names */
    QUERY_MIMETYPE = 1 << 8,
    QUERY_REFERENCES = 1 << 9, /* References and In-Reply-To */
    QUERY_LIST_ID = 1 << 10,
    /* what free text looks at */
    QUERY_ANYWHERE = QUERY_FROM | QUERY_TO | QUERY_CC | QUERY_BCC | QUERY_SENDER | QUERY_SUBJECT | QUERY_BODY |
                     QUERY_ATTACHMENT
};

struct query {
    enum query_kind kind;
    enum query_match match;
    guint fields;        /* QUERY_TEXT, QUERY_MINE */
    guint flag;          /* QUERY_FLAG: one bit */
    gint64 min, max;     /* the ranges, both ends included */
    char *text;          /* NULL where the kind has none */
    GPtrArray *children; /* of struct query; NULL where the kind has none */
    guint column;        /* where it began in what the user wrote, in characters from 1; 0 unknown */
};

struct query *query_new(enum query_kind kind);
struct query *query_new_text(guint fields, enum query_match match, const char *text);
struct query *query_new_word(enum query_kind kind, const char *text);
struct query *query_new_flag(guint flag);
struct query *query_new_range(enum query_kind kind, gint64 min, gint64 max);
struct query *query_new_not(struct query *child);
/* AND, OR: a child of the same kind is dissolved into the new node; NULL children are passed over; one child is returned
 * as it is; none gives QUERY_ALL for AND, QUERY_NONE for OR. */
struct query *query_new_pair(enum query_kind kind, struct query *left, struct query *right);
struct query *query_new_about(enum query_kind kind, struct query *child); /* SAME_THREAD, PARENT, CHILD */
struct query *query_copy(const struct query *query);
void query_free(struct query *query);
typedef struct query struct_query;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_query, query_free)

gboolean query_equal(const struct query *a, const struct query *b);
guint query_count(const struct query *query); /* nodes */
guint query_depth(const struct query *query);

#endif
