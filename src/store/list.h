/* list.h - rows for the screen's lists and for the commands list, search and thread
 *
 * A view says what is listed; a page is a key-set window of it: rows older or newer than a key. Opening a
 * folder of a million costs the same as one of a hundred: nothing is computed but the rows of the page. Rows
 * are plain data, owned by the array. Same thread as the store; use store_snapshot_begin() where several
 * pages must agree.
 */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "store/query.h"
#include "store/store.h"

enum list_kind {
    LIST_CONVERSATIONS, /* of the folders: one row a thread, placed by its newest message there */
    LIST_MESSAGES,      /* of the folders, each by itself */
    LIST_SEARCH,        /* messages that match */
    LIST_THREAD         /* all of one thread over all folders, as a tree: paged as a whole */
};

struct list_view {
    enum list_kind kind;
    const gint64 *folders; /* one, or several as one (the INBOXes of all accounts) */
    guint n_folders;
    const struct query *query; /* of LIST_SEARCH; with folders given only there */
    gboolean everything;       /* Trash and Junk too */
    gint64 thread;             /* of LIST_THREAD */
    guint count_most;          /* of a search: counted no further; 0: the usual bound */
};

struct list_row {
    gint64 key;     /* of the newest message: what pages go by */
    gint64 message; /* the newest one, or the one */
    gint64 thread;
    gint64 placement; /* 0 in a search and where it lies in none of the folders */
    gint64 folder;    /* where it lies (the first place of several) */
    gint64 account;   /* of that folder */
    guint role;       /* of that folder */
    char *people;     /* "Marta, me" for several, "Marta Ruiz" for one; "To: …" in Sent and Drafts */
    char *from_name, *from_addr; /* of the newest; NULL when there is none */
    GPtrArray *to;               /* of struct address */
    char *message_id;
    char *subject, *preview; /* never NULL */
    guint flags; /* of the message in that place; a conversation: SEEN when all are, FLAGGED when any is, the
                    rest of the newest */
    char *tags;  /* likewise; a conversation: of the newest */
    guint bits;  /* enum message_bits; a conversation: ATTACHMENTS when any has */
    gint64 date, received;
    int zone;
    guint64 size;
    gboolean cached;
    int junk;
    guint count, unread; /* messages in the conversation (all folders but Trash and Junk), unread ones here */
    guint depth;         /* in LIST_THREAD: 0 is a root */
    gint64 parent;       /* in LIST_THREAD: message id, 0 for a root */
    gboolean pending;    /* not on the server yet; of an account without one, always */
};
void list_row_free(struct list_row *row);

enum list_direction { LIST_OLDER, LIST_NEWER };

/* GPtrArray of struct list_row, newest first whatever the direction; LIST_THREAD in tree order. Rows strictly
 * beyond `key`; key 0: from the very newest (OLDER) or the very oldest (NEWER). */
GPtrArray *list_page(struct store *store, const struct list_view *view, gint64 key,
                     enum list_direction direction, guint limit, GError **error);
/* The key beyond which the first row that is not `hidden` (GHashTable of gint64: message ids, in conversations minus the
 * thread) comes next in that direction, so that a page begins there. For folders; a search returns `key`. */
gint64 list_skip(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
                 GHashTable *hidden);
/* Of these messages, newest first; those that are gone are left out. */
GPtrArray *list_messages(struct store *store, const gint64 *messages, guint n, GError **error);
/* The row of that key, as it is now; NULL without error when it is not in the view (any more). */
struct list_row *list_row_at(struct store *store, const struct list_view *view, gint64 key, GError **error);
/* Where a message stands in the view: its key, or that of its conversation; 0: not there. */
gint64 list_key_of(struct store *store, const struct list_view *view, gint64 message);

/* Rows in the view: exact for folders (from counters; of several, what lies in more than one is looked for, so not on
 * the screen's thread), for a search counted up to 10,000 (*exact says so). */
gint64 list_count(struct store *store, const struct list_view *view, gboolean *exact);
/* Rows newer than key: exact up to 5,000, beyond that estimated from the dates. */
gint64 list_rank(struct store *store, const struct list_view *view, gint64 key, gboolean *exact);
/* The nth row's key, for jumping by percent: as many steps along an index, from the nearer end. */
gint64 list_key_at(struct store *store, const struct list_view *view, gint64 rank);
/* The largest key that a message of this second can have. */
gint64 list_key_at_time(gint64 seconds);
/* The newest row that is no newer than this time, else the oldest; not for searches. 0: there is no row. */
gint64 list_key_by_date(struct store *store, const struct list_view *view, gint64 seconds);
/* Unread messages of folders, each once (beyond 250 in the second, what lies in both counts twice); 0 for what is
 * no folder. */
gint64 list_unread(struct store *store, const struct list_view *view);
/* The next row beyond key that is unread (or flagged): 0 none. */
gint64 list_next_unread(struct store *store, const struct list_view *view, gint64 key,
                        enum list_direction direction);

/* A number that is another one when anything in the conversation has changed. */
gint64 list_thread_stamp(struct store *store, gint64 thread);
/* The messages of a conversation without their rows, oldest first (Trash and Junk apart, unless all lies there): GArray of
 * gint64. *unread receives the first unread one, 0: none. */
GArray *list_thread_messages(struct store *store, gint64 thread, gint64 *unread, GError **error);
/* The text of the message of that key, as it is searched: NULL while its body is not here, or has none. Unsafe. */
char *list_text(struct store *store, gint64 key);
/* All that a search finds, newest first: GArray of struct query_hit. */
GArray *list_hits(struct store *store, const struct list_view *view, GError **error);
/* All messages of conversations (their threads in the view's folders): GArray of gint64 message ids, for
 * acting on rows. */
GArray *list_messages_of(struct store *store, const struct list_view *view, const gint64 *threads, guint n,
                         GError **error);
/* Tags in use, with how many messages: GPtrArray of struct list_tag, most first. */
struct list_tag {
    char *tag;
    gint64 count;
};
void list_tag_free(struct list_tag *tag);
GPtrArray *list_tags(struct store *store, GError **error);

#endif
