/* undo.h - the journal of what the user did, and taking it back
 *
 * Every intent of a user is one entry. Undoing what the engine has not carried out yet cancels it; what it
 * has carried out becomes the reverse intent (a move back, an append of the kept file). Flags are taken back
 * bit by bit and tag by tag, so that other changes since then survive. Entries older than 30 days are
 * forgotten. Same thread as the store.
 */
#ifndef STORE_UNDO_H
#define STORE_UNDO_H

#include "store/store.h"

struct undo_entry {
    gint64 id;
    gint64 time;
    char *text; /* translated: "move 3 messages to Archive" */
    gboolean undone;
};
void undo_entry_free(struct undo_entry *entry);
typedef struct undo_entry struct_undo_entry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_undo_entry, undo_entry_free)

/* GPtrArray, newest first. */
GPtrArray *undo_list(struct store *store, guint limit, gboolean with_undone, GError **error);
/* id 0: the newest that is not undone. *text (may be NULL) receives what was undone. ERROR_NOINPUT when there
 * is nothing; ERROR_REFUSED when it cannot be undone any more, with the reason. */
gboolean undo(struct store *store, gint64 id, char **text, GError **error);

#endif
