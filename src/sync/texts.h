/* texts.h - bodies that are here are read: for the list (preview, marks) and for the full text
 *
 * What waits is in the store (store/texts.h), the newest first. Two readers work side by side, each with a thread of its own,
 * one batch ahead of the caller, who writes what they made: so both processors are used, and memory stays at two batches.
 * All calls are the runner's thread's. While the store has nothing for it this costs one look-up.
 */
#ifndef SYNC_TEXTS_H
#define SYNC_TEXTS_H

#include "sync/internal.h"

#define TEXT_READERS 2
#define TEXT_BATCH_MESSAGES 200
#define TEXT_BATCH_BYTES (4 * 1024 * 1024)

struct texts;

/* One batch more is in the store; *done is how many messages it had, 0 when nothing waits (and then everything that did has
 * been read). After the first of them the runner's reader belongs to the threads until texts_rest(). */
gboolean texts_step(struct sync *sync, guint *done, GError **error);
/* What was read ahead is left for another time. */
void texts_rest(struct sync *sync);
/* This one alone, before all others, if it waits. */
gboolean texts_read(struct sync *sync, gint64 placement, GError **error);
/* All that waits. */
gboolean texts_finish(struct sync *sync, GError **error);

#endif
