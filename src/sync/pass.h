/* pass.h - for src/sync alone: one pass over folders, and what is put off until all of them were read */
#ifndef SYNC_PASS_H
#define SYNC_PASS_H

#include "sync/internal.h"

/* What is gone at the server waits here until every folder was read. */
struct removal {
    GArray *ids; /* gint64: placements */
    struct report *report;
};

struct pass {
    struct sync *sync;
    struct listing listing;
    gboolean whole;       /* every folder is looked at: who has gone here may lie there */
    GHashTable *removals; /* folder -> struct removal */
    GHashTable *must_read; /* folders whose STATUS does not matter: an intent of theirs is uncertain */
    GHashTable *read;      /* folders that were read, or told … */
    GHashTable *unchanged; /* … unchanged by their STATUS */
    GHashTable *intents_by_source, *intents_by_target; /* placement -> struct intent, borrowed; NULL: not asked */
    GPtrArray *intents;
};

void pass_init(struct pass *pass, struct sync *sync, gboolean whole);
void pass_clear(struct pass *pass);
typedef struct pass struct_pass;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_pass, pass_clear)

/* Sets of ids; 0 is none. */
void pass_add(GHashTable *set, gint64 id);

/* The account's intents, as they are now; asked for once, and again after pass_forget_intents(). */
gboolean pass_load_intents(struct pass *pass, GError **error);
void pass_forget_intents(struct pass *pass);

/* The server's report of a folder, and what it is planned to, but for removals, moves, uploads and bodies. FALSE: the pass
 * is over; trouble of this folder alone is told, and the pass goes on. */
gboolean pass_folder(struct pass *pass, gint64 folder, GError **error);
/* Marks that are not sent, without asking what is new. */
gboolean pass_push_marks(struct pass *pass, const struct folder *folder, GError **error);

/* ---- settle.c ---- */

/* Is it worth another look at every folder before what was put off is done? */
gboolean pass_is_unsure(struct pass *pass);
/* What was put off: removals here, moves that came to nothing. */
gboolean pass_settle(struct pass *pass, GError **error);
/* At the end: file names, suspicions, agreements. `folders` as they were before. */
gboolean pass_finish(struct pass *pass, const GPtrArray *folders, GError **error);
/* Envelopes whose body does not come, or not now, can be searched from here on. After a failure too. */
gboolean pass_index(struct pass *pass, GError **error);

#endif
