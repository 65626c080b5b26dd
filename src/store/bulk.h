/* bulk.h - what is done to more messages than fit a short transaction
 *
 * An action on more than BULK_ABOVE messages (intent.h), and taking one back (undo.h), is written down as one set in one
 * transaction, and is durable then. It is carried out slice by slice, newest messages first, by whoever calls
 * bulk_step(): the screen's writer, a command, or the engine before it looks for intents. Several may at once: a slice is
 * taken and done in the same transaction, so that a kill anywhere leaves whole slices, and the next one goes on. Undoing
 * an action drops the slices that are left and takes back the others. Same thread as the store.
 */
#ifndef STORE_BULK_H
#define STORE_BULK_H

#include "store/store.h"

#define BULK_ABOVE 500

/* Is anything left of the action with this journal entry; 0: of any. */
gboolean bulk_is_pending(struct store *store, gint64 journal);
/* Messages that wait in all of them (taking back: entries of the journal). */
gint64 bulk_left(struct store *store);
/* Does one slice. FALSE with an error: ERROR_IO, ERROR_BUSY and ERROR_RETRY leave it for later; after any other what was
 * left of the action is dropped, and what was done of it can be undone. *more: there is another slice. */
gboolean bulk_step(struct store *store, gboolean *more, GError **error);
/* All slices, until `stop` (may be NULL) says TRUE. */
gboolean bulk_finish(struct store *store, gboolean (*stop)(gpointer), gpointer data, GError **error);

#endif
