/* agree.h - the user agrees to what a folder's brake holds back (RELIABILITY.md D10, D11)
 *
 * A pass that would remove too much of a folder, there or here, sets FOLDER_PAUSED with a notice and leaves the folder
 * alone. sync_agree() takes the pause away and lets the next pass do it once. For commands and the screen: it links no
 * network code. Same thread as the store.
 */
#ifndef SYNC_AGREE_H
#define SYNC_AGREE_H

#include "store/folder.h"
#include "store/store.h"

gboolean sync_agree(struct store *store, gint64 folder, GError **error);

/* For the runner: was it agreed, within a day? And the agreement is used up. */
gboolean sync_is_agreed(struct store *store, gint64 folder);
gboolean sync_forget_agreement(struct store *store, gint64 folder, GError **error);

#endif
