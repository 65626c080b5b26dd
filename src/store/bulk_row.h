/* bulk_row.h - for src/store alone: an action on many messages, written down (bulk.h) */
#ifndef STORE_BULK_ROW_H
#define STORE_BULK_ROW_H

#include "store/store.h"

enum bulk_kind {
    BULK_MARK = 1, /* all placements of the messages; with a source those there */
    BULK_MOVE,
    BULK_COPY,
    BULK_DELETE,
    BULK_EXPUNGE,
    BULK_ARCHIVE,
    BULK_JUNK,
    BULK_NOT_JUNK,
    BULK_UNDO /* the items of the journal entry `source` */
};

struct bulk {
    gint64 id, journal;
    enum bulk_kind kind;
    gint64 source, target; /* folders, 0: none */
    guint set, clear;
    char *add, *remove;
};

static inline void
bulk_clear(struct bulk *bulk)
{
    g_clear_pointer(&bulk->add, g_free);
    g_clear_pointer(&bulk->remove, g_free);
}
typedef struct bulk struct_bulk;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_bulk, bulk_clear)

/* Is it to be written down instead of done: many, and not within a transaction of others. */
gboolean bulk_wanted(const struct store *store, guint n);
/* Writes it down; bulk->journal is set and returned, 0 on error. text: what the journal calls it. */
gint64 bulk_begin(struct store *store, struct bulk *bulk, const gint64 *messages, guint n,
                  char *(*text)(struct store *, const struct bulk *, guint), GError **error);
/* What is left of the action with that journal entry is not done. Part of the caller's transaction, as the next. */
gboolean bulk_drop(struct store *store, gint64 journal, GError **error);
/* The items of `undone` are to be taken back, under the entry `journal`. */
gboolean bulk_undo(struct store *store, gint64 undone, gint64 journal, GError **error);

/* intent.c: one slice, as if the user had meant these only. */
gint64 bulk_apply(struct store *store, const struct bulk *bulk, const gint64 *messages, guint n, GError **error);
/* undo.c: takes back up to `limit` items and forgets them; *n: how many there were. */
gboolean undo_slice(struct store *store, gint64 undone, gint64 journal, guint limit, guint *n, GError **error);

#endif
