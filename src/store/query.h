/* query.h - a search as a tree, and finding what it means
 *
 * src/search parses notmuch's language and mutt's patterns into this tree; store_search() turns it into SQL and FTS5 and
 * answers a page at a time, newest first, so that the first page costs the same however many there are. Trees are plain
 * data owned by whoever made them; query_free() frees the whole. Any thread; store_search() as the store.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "store/store.h"

enum query_op {
    QUERY_ALL,  /* matches everything */
    QUERY_NONE, /* matches nothing */
    QUERY_AND,  /* all children; none: everything */
    QUERY_OR,   /* any child; none: nothing */
    QUERY_NOT,  /* not its one child */
    QUERY_TERM
};

enum query_field {
    /* full text: `text` is a word or phrase in any writing; `prefix` lets its last word go on */
    QUERY_TEXT,       /* anywhere */
    QUERY_FROM,       /* names and addresses */
    QUERY_TO,         /* To, Cc, Bcc */
    QUERY_SUBJECT,
    QUERY_BODY,
    QUERY_ATTACHMENT, /* file names */
    QUERY_MIMETYPE,   /* "application/pdf", "application" */
    /* exact: `text` */
    QUERY_TAG,
    QUERY_FOLDER,     /* name, "account/name", or role word; any case; with `prefix` also folders below */
    QUERY_PATH,       /* Maildir below mail/; with `prefix` also what is below it */
    QUERY_ACCOUNT,
    QUERY_ID,         /* Message-ID without brackets */
    QUERY_LIST,       /* part of the List-Id */
    /* numbers: min and max, both included; G_MININT64 and G_MAXINT64 for open ends */
    QUERY_NUMBER,     /* message ids */
    QUERY_THREAD,
    QUERY_DATE,       /* seconds */
    QUERY_SIZE,       /* bytes */
    QUERY_FLAG,       /* `flag`: one FLAG_* bit; set */
    QUERY_BIT,        /* `flag`: one MESSAGE_* bit; set */
    QUERY_JUNK        /* verdict min..max */
};

struct query {
    enum query_op op;
    GPtrArray *children; /* of struct query, for AND, OR and NOT; may be NULL */
    enum query_field field;
    char *text;
    gboolean phrase;     /* the words in this order; else all of them anywhere */
    gboolean prefix;
    guint flag;
    gint64 min, max;
};

struct query *query_new(enum query_op op);
struct query *query_term(enum query_field field, const char *text); /* min and max open */
struct query *query_flag(guint flag);
struct query *query_range(enum query_field field, gint64 min, gint64 max);
/* Takes the child; for AND, OR, NOT. Returns the parent. */
struct query *query_add(struct query *parent, struct query *child);
struct query *query_copy(const struct query *query);
void query_free(struct query *query);
typedef struct query struct_query;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_query, query_free)
/* "(and (from "ana") (not (flag 1)))": for tests and logs. */
char *query_describe(const struct query *query);
/* Does any term of that field (and text or flag, when given) stand in the tree? Trash and Junk are left out of a search
 * that does not name them. */
gboolean query_mentions(const struct query *query, enum query_field field);

struct query_options {
    gboolean everything; /* Trash and Junk too, though not named */
    gint64 before;       /* only keys below this; 0: from the newest */
    guint limit;         /* 0: 50 */
};
struct query_hit {
    gint64 message, key, thread;
};
/* GArray of struct query_hit, newest first. A tree that is too deep or too wide is ERROR_INPUT. */
GArray *store_search(struct store *store, const struct query *query, const struct query_options *options, GError **error);
/* How many, counting no further than `bound` (then it returns bound); -1 on error. */
gint64 store_search_count(struct store *store, const struct query *query, gboolean everything, gint64 bound,
                          GError **error);

#endif
