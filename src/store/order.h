/* order.h - lists in another order than by date
 *
 * Pages by key (list.h) go by date, which an index has. Another order would need an index of its own for each folder,
 * written with every message, for what is asked for now and then; and could not be had for a search at all. So the keys of
 * all rows are put in order once, off the screen's thread: eight bytes a row, some three seconds for a million messages.
 * From then on a page is the rows of so many keys, wherever it is; the rows themselves are read as they are then. What
 * comes later stands in the next order; what has gone is passed over. The tabs above the inbox are kept in the same way.
 *
 * Made on any thread with a store of its own, then read by one thread at a time.
 */
#ifndef STORE_ORDER_H
#define STORE_ORDER_H

#include "store/list.h"

enum order_by { ORDER_DATE, ORDER_PEOPLE, ORDER_SUBJECT, ORDER_SIZE, ORDER_UNREAD };

struct order;

/* Of folders or a search; by anything but ORDER_DATE. Equal ones stand newest first, also when `reverse`. People: the
 * sender, in Sent and Drafts the recipients; a conversation stands by its newest message. Subjects without "Re:". Size: the
 * largest first. ERROR_CANCELLED when it was interrupted. */
struct order *order_new(struct store *store, const struct list_view *view, enum order_by by, gboolean reverse,
                        GError **error);
/* Splits, of folders: the rows by date, each in the first of the queries that its message fits (a conversation's newest
 * one), what fits none in the last: GPtrArray of n + 1 struct order. */
GPtrArray *order_split(struct store *store, const struct list_view *view, const GPtrArray *queries, gboolean reverse,
                       GError **error);
struct order *order_ref(struct order *order); /* for who shares it; on one thread */
void order_free(struct order *order);
typedef struct order struct_order;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_order, order_free)

guint order_length(const struct order *order);
guint order_unread(const struct order *order); /* rows of a split that showed something unread */
gint64 order_key_by_date(const struct order *order, gint64 most); /* of splits: the newest key that is no newer; else the last */
gint64 order_key(const struct order *order, guint place); /* 0: there is no such place */
gint order_place(const struct order *order, gint64 key);  /* -1: it is not there */
/* GPtrArray of struct list_row: the `limit` next ones behind (or before) the row with this key, in order; key 0 or one
 * that is not there: from the beginning (the end). Fewer: there are no more. */
GPtrArray *order_page(const struct order *order, struct store *store, const struct list_view *view, gint64 key,
                      gboolean forward, guint limit, GError **error);
/* The key of the next row behind (before) this one that is unread, 0: none. Of folders. */
gint64 order_next_unread(const struct order *order, struct store *store, const struct list_view *view, gint64 key,
                         gboolean forward);

#endif
