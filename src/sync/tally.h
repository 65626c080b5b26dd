/* tally.h - for src/sync alone: whom the work belongs to, for store/history.h
 *
 * The runner counts in one place (sync_statistics); here what was counted since the last word is put down to a folder,
 * and written when the work is over. Nothing but looks that found nothing is written now and then only, so that a pass
 * over unchanged folders writes nothing. A failure to write is logged: no mail depends on it.
 */
#ifndef SYNC_TALLY_H
#define SYNC_TALLY_H

#include <glib.h>

struct sync;
struct tally;

struct tally *tally_new(void);
void tally_free(struct tally *tally);

/* From here on the work is for this folder (0: for the account). */
void tally_to(struct sync *sync, gint64 folder);
/* At the end of a pass. `all`: also what nobody would miss. */
void tally_write(struct sync *sync, gboolean all);
/* Before the statistics are reset. */
void tally_reset(struct sync *sync);

void tally_notice(struct sync *sync, gint64 folder, const char *text);
/* Lines of history.h's HISTORY_CONFLICT, without the subject: what was changed here, there, and what holds now. */
void tally_conflict(struct sync *sync, gint64 folder, gint64 message, const char *here, const char *there,
                    const char *kept);
/* What the new connection is like; `notify`: the server tells of every folder. Written when it is another than before. */
void tally_server(struct sync *sync, gboolean notify);

#endif
