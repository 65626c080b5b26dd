/* drop_turn.h - for src/sync alone: one POP3 session a mailbox and process
 *
 * Most servers lock a mailbox for the length of a session (RFC 1939 section 3), and the lanes of a worker are threads of
 * one process: who wants a message while a pass is on leaves its wish in the store, where the pass looks, and waits
 * here. Any thread may call.
 */
#ifndef SYNC_DROP_TURN_H
#define SYNC_DROP_TURN_H

#include "sync/internal.h"

/* Waits for the mailbox, or until the body of `message` (0: none) is here: *here. FALSE: cancelled. The mailbox is taken
 * when TRUE is returned without *here. */
gboolean drop_turn_take(struct sync *sync, gint64 message, gboolean *here, GError **error);
void drop_turn_give(struct sync *sync);
/* Something came: who waits looks again. */
void drop_turn_tell(void);

#endif
