/* rowset.h - a window of rows over the store's list: what a list view shows, a few pages of it, never all
 *
 * Rows are loaded by key-set pages around the cursor and let go far from it, so a folder of a million
 * messages costs what one of a hundred does. What was just asked of the writer (flags, rows that go) is laid
 * over what the store still says, until the writer has answered. In an order other than by date the pages go by the places
 * of that order (store/order.h). Owns its rows; borrows the store. Main loop only.
 */
#ifndef UI_ROWSET_H
#define UI_ROWSET_H

#include "store/list.h"
#include "store/order.h"

struct rowset {
    struct store *store;
    struct list_view view;     /* folders and query are the rowset's own copies */
    GPtrArray *rows;           /* of struct list_row, in the order they are shown */
    gboolean at_start, at_end; /* no rows before, behind */
    enum order_by order;
    gboolean reverse;     /* by date: oldest first */
    struct order *places; /* NULL: by date */
    GHashTable *open; /* thread -> GPtrArray of struct list_row, as a tree: opened in place */
    GHashTable *stamps; /* thread -> list_thread_stamp() of its tree */
    GPtrArray *overlays;
};

/* Takes the query over (may be NULL); copies the folders. */
struct rowset *rowset_new(struct store *store, enum list_kind kind, const gint64 *folders, guint n,
                          struct query *query, gint64 thread);
void rowset_free(struct rowset *set);

/* Another order, or the same one made anew; takes the places (NULL: by date). Then the rows are to be loaded. */
void rowset_sort(struct rowset *set, struct order *places, enum order_by by, gboolean reverse);
/* From the start of the order, or from the row with this key on. */
gboolean rowset_load(struct rowset *set, gint64 from_key, guint limit, GError **error);
/* The same rows again, as the store has them now; new ones at the ends that are shown. */
gboolean rowset_refresh(struct rowset *set, GError **error);
/* Makes sure that `margin` rows before and behind `index` are there if they exist. Returns how many were put
 * before. */
int rowset_extend(struct rowset *set, int index, guint margin, GError **error);
/* The last rows of the order. */
gboolean rowset_load_end(struct rowset *set, guint limit, GError **error);

/* For searches, whose rows come from finder.h: pages in the store's order, newest first; taken over. */
void rowset_replace(struct rowset *set, GPtrArray *rows, gboolean at_start, gboolean at_end);
void rowset_add(struct rowset *set, GPtrArray *rows, gboolean behind, gboolean last);
gint64 rowset_edge(const struct rowset *set, gboolean end); /* the key of the first or last row; 0 */

int rowset_index_of(const struct rowset *set, gint64 key);           /* -1: not in the window */
int rowset_index_of_thread(const struct rowset *set, gint64 thread); /* -1 */

gboolean rowset_open_thread(struct rowset *set, gint64 thread, GError **error);
void rowset_close_thread(struct rowset *set, gint64 thread); /* 0: all */
gboolean rowset_is_open(const struct rowset *set, gint64 thread);

/* What a row is called in marks and overlays: the message, or minus the thread for a whole conversation. */
gint64 rowset_id(const struct rowset *set, const struct list_row *row, gboolean in_tree);

/* The wanted state of these rows (GHashTable of gint64 keys, taken over), until rowset_settle() with the
 * returned number. */
guint rowset_overlay(struct rowset *set, GHashTable *ids, guint flags_set, guint flags_clear, gboolean hide);
void rowset_settle(struct rowset *set, guint overlay);
/* Instead: it lasts as long as something of the action with this journal entry is left to be done (store/bulk.h). */
void rowset_settle_with(struct rowset *set, guint overlay, gint64 journal);

#endif
