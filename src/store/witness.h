/* witness.h - for src/store alone: that nobody but us has changed a Maildir since it was last looked through
 *
 * A scan notes the times of cur/ and new/ (folder.scan_cur, scan_new); while they stay, the folder is not read again. Our own
 * files change them as well. A witness watches the two directories (inotify) while we work in them. At the end
 * (maildir_settle() of scan.h) it holds every name that came or went against what the rows say by now: when all agree, the
 * directory is as the rows have it, and its new times are noted. What anybody else did meanwhile, an event that was lost, or a
 * file system whose times are coarse leaves the old times, and the next scan reads the names.
 *
 * Nothing here fails: where there can be no witness, there is just another scan. Same thread as the store; outside of
 * transactions.
 */
#ifndef STORE_WITNESS_H
#define STORE_WITNESS_H

#include "store/store.h"

struct witness;

/* Directory times in ns; 0: it is not there. */
struct maildir_times {
    gint64 cur, new;
};

/* From now on. TRUE: the times are as they were noted, the folder agrees with its rows. */
gboolean witness_begin(struct store *store, gint64 folder, const char *dir, struct maildir_times *times);
/* The folder was looked through since witness_begin(), and agrees with its rows but for what came after. */
void witness_agrees(struct store *store, gint64 folder);
/* Takes the events that there are; called now and then, so that none get lost. */
void witness_look(struct store *store);
/* The times are noted as they are. */
gboolean witness_note(struct store *store, gint64 folder, const struct maildir_times *times, GError **error);
void witness_free(struct witness *witness);

#endif
