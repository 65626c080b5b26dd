/* list_folders.h - for src/store alone: lists of one folder, or of several as one
 *
 * Where rows stand comes out of the indexes by key alone, merged by SQLite when there are several folders; only
 * what is shown is then read. Of several folders a conversation stands where it is newest, a message once.
 */
#ifndef STORE_LIST_FOLDERS_H
#define STORE_LIST_FOLDERS_H

#include "store/list.h"

struct list_place {
    gint64 key;
    gint64 folder;
};

/* GArray of struct list_place beyond `key` (0: from the end), the nearest first, at most `limit`. */
GArray *folders_places(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
                       guint limit, GError **error);
/* The row that stands there is appended; none when it does not stand there any more. */
gboolean folders_read(struct store *store, const struct list_view *view, const struct list_place *place,
                      GPtrArray *rows, GError **error);
/* As list_page(). */
GPtrArray *folders_page(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
                        guint limit, GError **error);
/* What lies in several folders counts in each: how many places there are, and the key `n` places from the newest
 * (LIST_OLDER) or from the oldest one, 0: there are fewer. */
gint64 folders_places_count(struct store *store, const struct list_view *view);
gint64 folders_key_at(struct store *store, const struct list_view *view, gint64 n, enum list_direction direction);
/* Rows in the view. */
gint64 folders_count(struct store *store, const struct list_view *view);
/* Conversations, or messages, with something unread. */
gint64 folders_unread(struct store *store, const struct list_view *view);
/* GHashTable of gint64: the keys of all rows that show something unread. */
GHashTable *folders_unread_keys(struct store *store, const struct list_view *view);
/* The key of the row where something unread is shown, beyond `key`; 0: none. */
gint64 folders_next_unread(struct store *store, const struct list_view *view, gint64 key,
                           enum list_direction direction);

#endif
