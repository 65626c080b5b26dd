/* query.h - a search as a tree, and finding what it means
 *
 * src/search parses notmuch's language and mutt's patterns into this tree; store_search() turns it into SQL
 * and FTS5 and answers a page at a time, newest first, so that the first page costs the same however many
 * there are.
 *
 * A tree is plain data, owned from its root: query_free() frees all of it, and the constructors take over the
 * children they are given. Text is valid UTF-8, as the user wrote it; the compiler folds and tokenises. An
 * open end of a range is G_MININT64 or G_MAXINT64. A tree does not depend on the time it is run: "yesterday"
 * has become two numbers. The parsers give at most QUERY_DEPTH_MAX levels and QUERY_NODES_MAX nodes. Any
 * thread; store_search() as the store.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "store/store.h"

#define QUERY_DEPTH_MAX 64
#define QUERY_NODES_MAX 1024
#define QUERY_NEAR_MAX 1000 /* words between, for NEAR and ADJ */
#define QUERY_TEXT_MAX 4096 /* bytes of what a user may write */

enum query_kind {
    QUERY_ALL,    /* every message */
    QUERY_NONE,   /* no message */
    QUERY_AND,    /* children, two or more */
    QUERY_OR,     /* children, two or more */
    QUERY_XOR,    /* children, two */
    QUERY_NOT,    /* children, one */
    QUERY_TEXT,   /* `text` stands in one of `fields`, matched as `match` says */
    QUERY_FLAG,   /* `flag` of base/flags.h is set, as wanted here */
    QUERY_BIT,    /* `flag`, one of enum message_bits, is set */
    QUERY_TAG,    /* has the tag `text`; with QUERY_PREFIX or QUERY_REGEX: one such tag */
    QUERY_ID,     /* Message-ID `text`, without brackets; QUERY_REGEX allowed */
    QUERY_NUMBER, /* the short number that lists print: min..max */
    QUERY_THREAD, /* the conversation's number: min..max */
    QUERY_FOLDER, /* in the folder `text`: NAME or ACCOUNT/NAME, any case; QUERY_PREFIX: and below;
                     QUERY_REGEX allowed */
    QUERY_PATH,   /* in the directory `text` below mail/ ("" is the top); QUERY_PREFIX: and below; QUERY_REGEX
                     allowed */
    QUERY_ROLE,   /* in a folder of that role: `flag` is an enum folder_role */
    QUERY_ACCOUNT,     /* in the account `text`; QUERY_PREFIX: one whose name begins so */
    QUERY_DATE,        /* the Date field: min..max, seconds since 1970, both included */
    QUERY_RECEIVED,    /* when it arrived, likewise */
    QUERY_SIZE,        /* bytes on the wire: min..max */
    QUERY_MINE,        /* one of `fields` holds an address of the user's own */
    QUERY_SAME_THREAD, /* a message of its conversation matches the child */
    QUERY_PARENT,      /* the message it answers matches the child */
    QUERY_CHILD,       /* one of its answers matches the child */
    QUERY_MARKED       /* one of query_options.marked (mutt's ~T) */
};

enum query_match {
    QUERY_WORDS,     /* the words of `text` in this order, side by side */
    QUERY_PREFIX,    /* the same, and the last word may go on */
    QUERY_SUBSTRING, /* anywhere in the field, case and accents folded; body and attachments: as QUERY_PREFIX
                      */
    QUERY_NEAR, /* the words of `text`, a line each, in any order; from the first to the last at most max + n - 2
                   places for n of them, as Xapian counts */
    QUERY_ADJACENT, /* the same in this order */
    QUERY_REGEX     /* a regular expression (PCRE) that compiles; without regard to case unless it has a capital
                   letter. Never for body and attachments */
};

enum {
    QUERY_FROM = 1 << 0, /* names and addresses */
    QUERY_TO = 1 << 1,
    QUERY_CC = 1 << 2,
    QUERY_BCC = 1 << 3,    /* where the store cannot tell it from To and Cc: those too */
    QUERY_SENDER = 1 << 4, /* likewise of From */
    QUERY_SUBJECT = 1 << 5,
    QUERY_BODY = 1 << 6,
    QUERY_ATTACHMENT = 1 << 7, /* file names */
    QUERY_MIMETYPE = 1 << 8,   /* "application/pdf", "application" */
    QUERY_REFERENCES = 1 << 9, /* References and In-Reply-To */
    QUERY_LIST_ID = 1 << 10,
    QUERY_RECIPIENTS = QUERY_TO | QUERY_CC | QUERY_BCC,
    /* what free text looks at */
    QUERY_ANYWHERE =
        QUERY_FROM | QUERY_RECIPIENTS | QUERY_SENDER | QUERY_SUBJECT | QUERY_BODY | QUERY_ATTACHMENT
};

struct query {
    enum query_kind kind;
    enum query_match match;
    guint fields; /* QUERY_TEXT, QUERY_MINE */
    guint flag;   /* QUERY_FLAG, QUERY_BIT: one bit; QUERY_ROLE: the role */
    gint64 min, max;
    char *text;          /* NULL where the kind has none */
    GPtrArray *children; /* of struct query; NULL where the kind has none */
    guint column;        /* where it began in what the user wrote, in characters from 1; 0: unknown */
    guint end;           /* the column behind it; 0: unknown */
};

struct query *query_new(enum query_kind kind);
struct query *query_new_text(guint fields, enum query_match match, const char *text);
struct query *query_new_word(enum query_kind kind, const char *text);
struct query *query_new_flag(guint flag);
struct query *query_new_bit(guint bit);
struct query *query_new_role(guint role);
struct query *query_new_range(enum query_kind kind, gint64 min, gint64 max);
struct query *query_new_about(enum query_kind kind,
                              struct query *child); /* NOT, SAME_THREAD, PARENT, CHILD */
struct query *query_new_not(struct query *child);
/* AND, OR, XOR. A child of the same kind is dissolved into an AND or OR; of two children of which one is NULL
 * the other is returned as it is; of none: QUERY_ALL for AND, else QUERY_NONE. */
struct query *query_new_pair(enum query_kind kind, struct query *left, struct query *right);
struct query *query_copy(const struct query *query);
void query_free(struct query *query);
typedef struct query struct_query;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_query, query_free)

gboolean query_equal(const struct query *a, const struct query *b); /* columns apart */
guint query_count(const struct query *query);                       /* nodes */
guint query_depth(const struct query *query);
/* (and (from "ana") (not seen)): for tests and logs. Words in double quotes, beginnings end in *, substrings
 * in single quotes, words near one another in angles, patterns in slashes, ranges as [a,b] with - for an open
 * end. */
char *query_describe(const struct query *query);
/* Is Trash (and deleted mail) named, or Junk: by flag, tag, role, folder, path, id, thread or number? What is
 * not named is left out of a search. */
gboolean query_names_trash(const struct query *query);
gboolean query_names_junk(const struct query *query);

struct query_options {
    gboolean everything;  /* deleted mail, Trash and Junk too, though not named */
    gint64 before;        /* only keys below this; 0: from the newest */
    guint limit;          /* 0: 50 */
    const gint64 *marked; /* of QUERY_MARKED: message ids */
    guint n_marked;
};
struct query_hit {
    gint64 message, key, thread;
};
/* GArray of struct query_hit, newest first. A tree that is too deep or too wide is ERROR_INPUT. */
GArray *store_search(struct store *store, const struct query *query, const struct query_options *options,
                     GError **error);
/* How many, counting no further than `bound` (then it returns bound); -1 on error. */
gint64 store_search_count(struct store *store, const struct query *query, gboolean everything, gint64 bound,
                          GError **error);

#endif
