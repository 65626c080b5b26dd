/* survey.h - what a synchroniser asks about a folder as a whole, each in one query
 *
 * Reads only. Rows are the caller's. Same thread as the store.
 */
#ifndef STORE_SURVEY_H
#define STORE_SURVEY_H

#include "base/uidset.h"
#include "store/placement.h"
#include "store/store.h"

/* Every UID that is known in the folder. NULL with an error. */
struct uidset *survey_uids(struct store *store, gint64 folder, GError **error);

/* The placements with these UIDs, and all that are not as they are wanted: marks that differ, leaving,
 * without a UID. Those without one first, then ascending. */
struct placement_set *survey_load(struct store *store, gint64 folder, const struct uidset *uids,
                                  GError **error);

/* Is anything here not as it is wanted: a mark to be sent, a placement that waits for its UID? One index
 * look-up each. */
gboolean survey_is_dirty(struct store *store, gint64 folder);

/* A placement that has no UID, and what a server's listing may be compared with. */
struct survey_waiting {
    gint64 placement, message;
    guint8 state;          /* enum placement_state */
    gboolean is_arrival;   /* the target of an intent that is not done … */
    gboolean may_be_there; /* … which was claimed before, or whose source has gone */
    char *emailid;         /* as the server names it, or NULL */
    char *message_id;      /* or NULL */
    gint64 date;
    guint64 size;
    char *content; /* hash, or NULL */
};
/* GPtrArray of struct survey_waiting, oldest first. */
GPtrArray *survey_waiting(struct store *store, gint64 folder, GError **error);

/* Messages without a body here that have a UID, newest first: those from `since` on (seconds; 0: of any age)
 * and up to max_size bytes (0: any). */
struct survey_body {
    gint64 placement, message;
    guint32 uid;
    guint flags; /* as wanted */
    guint64 size;
};
GArray *survey_bodies(struct store *store, gint64 folder, gint64 since, guint64 max_size, GError **error);
GArray *survey_body(struct store *store, gint64 placement, GError **error); /* that one, or none */

/* Messages without a body here, each with another one that has one and whose Message-ID, date and size are
 * the same: by a closer look it may prove to be the same (moved by another client, or lying in two folders).
 */
struct survey_twin {
    gint64 placement;
    guint32 uid;
    guint flags;
    gint64 twin; /* a message */
};
GArray *survey_twins(struct store *store, gint64 folder, GError **error);

/* Was it marked here, and the server not told? */
gboolean survey_is_unsent(struct store *store, gint64 placement);
/* Another placement of the same message, on a server and shown; the newest of several. 0: none. */
gint64 survey_elsewhere(struct store *store, gint64 placement);
/* The same, or else one that is not on a server yet: it is to have the marks. */
gint64 survey_heir(struct store *store, gint64 placement);

/* Of these placements, how many messages lie nowhere else (in a folder of theirs on a server, not leaving)?
 */
guint survey_count_last(struct store *store, const gint64 *placements, guint n);

#endif
