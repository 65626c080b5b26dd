/* thread_hand.h - for src/store alone: the parents that messages were given by hand
 *
 * The word for a message is "" (as its header says), THREAD_HAND_BROKEN, or its parent's mid in hex.
 */
#ifndef STORE_THREAD_HAND_H
#define STORE_THREAD_HAND_H

#include "store/rows.h"

#define THREAD_HAND_BROKEN "-"

char *mid_to_hex(const guint8 mid[MID_SIZE]);
gboolean mid_from_hex(const char *hex, guint8 mid[MID_SIZE]);
char *thread_hand_get(struct store *store, const guint8 mid[MID_SIZE]);
/* Threads are what they are to be then. Part of the caller's transaction. */
gboolean thread_hand_set(struct store *store, const guint8 mid[MID_SIZE], const char *word, GError **error);

#endif
