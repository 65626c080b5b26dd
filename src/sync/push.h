/* push.h - for src/sync alone: runs of intents on their way to the server */
#ifndef SYNC_PUSH_H
#define SYNC_PUSH_H

#include "sync/internal.h"

/* A run of intents of one kind between the same two folders. */
struct batch {
    struct sync *sync;
    enum intent_kind kind;
    struct folder *source, *target; /* NULL where the kind has none */
    GPtrArray *intents;             /* struct intent, borrowed */
};

gboolean push_claim(struct batch *batch, const GPtrArray *intents, GError **error);
/* The server's word about these intents alone is noted with them; anything else ends the pass (FALSE). A folder that
 * changed under us (ERROR_STALE) is no fault of theirs: they come again. Takes *error. */
gboolean push_fail(struct batch *batch, const GPtrArray *intents, GError **error);
/* copies: what the server said of their new UIDs, or NULL. */
gboolean push_done(struct batch *batch, const GPtrArray *intents, const struct imap_copies *copies, GError **error);

/* ---- upload.c ---- */

/* Claims the intents whose bytes are here, and appends their targets' files. */
gboolean push_uploads(struct batch *batch, const GPtrArray *intents, GError **error);

#endif
