/* renaming.h - many files get the names of their new flags in the transaction that sets these
 *
 * A name and its row are two places. Where the server's word changes a flag and the program dies between them, the name
 * would look like another program's change, and would be told to the server as one. So what is about to be renamed is noted
 * first, and the note goes when rows and names are on the disk: one write for each row in place of two, and a flush for all.
 * What few messages change is written in the other order: rows, then names (maildir_apply() of scan.h).
 *
 * For the engine; same thread as the store, outside of transactions.
 */
#ifndef STORE_RENAMING_H
#define STORE_RENAMING_H

#include "store/placement.h"

#define RENAMING_FROM 100 /* rows; for fewer the note costs more than it saves */

/* The server said these flags of messages of one folder: until the end placement_server_flags() renames their files.
 * Commits need not be waited for meanwhile (store_relax_begin). */
gboolean renaming_begin(struct store *store, gint64 folder, const struct placement_flags *rows, guint n, GError **error);
/* ok: all of it is recorded. Else the next scan takes up what is there. */
gboolean renaming_end(struct store *store, gboolean ok, GError **error);

#endif
