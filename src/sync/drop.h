/* drop.h - for src/sync alone: a session with a POP3 mailbox, and what its parts share
 *
 * drop.c opens sessions and makes passes; drop_ids.c gives ids to what the server has none for; drop_intake.c brings
 * messages from the server into the store; drop_plan.h decides.
 */
#ifndef SYNC_DROP_H
#define SYNC_DROP_H

#include "proto/pop3.h"
#include "store/maildrop.h"
#include "sync/drop_plan.h"
#include "sync/internal.h"

struct drop {
    struct sync *sync;
    struct pop3 *pop3;
    struct folder *inbox;
    char *dir; /* its Maildir */
    gboolean has_turn;

    /* What the server lists, and the rows of it, as they were when drop_look() was called. */
    struct drop_listed *listed;
    guint n;
    GStringChunk *ids; /* strings of listed */
    struct maildrop *rows;
    GArray *gone; /* guint: indices of rows */

    GArray *lost; /* gint64: rows of messages that may have got new ids; NULL: not asked. Identities in: */
    GArray *identities; /* struct maildrop_identity */
    guint taken, skipped;
};

/* ---- drop.c ---- */

/* Reads the rows, and finds each listed message's. */
gboolean drop_look(struct drop *drop, GError **error);
static inline const struct maildrop_row *
drop_row(const struct drop *drop, guint i)
{
    gint64 known = drop->listed[i].known;
    return known < 0 ? NULL : &g_array_index(drop->rows->rows, struct maildrop_row, known);
}
/* Between two steps: cancelled? Bodies that somebody waits for go first. */
gboolean drop_breathe(struct drop *drop, GError **error);
/* How many of these (indices) are fetched before the next breath, from `from` on: at most `max`, and what takes a slow line
 * some seconds. No more than `most` bytes are fetched of one. */
guint drop_step(const struct drop *drop, const GArray *some, guint from, guint max, guint64 most);
/* Does the policy of INBOX want the body of a message of this date (0: not known) and size here? */
gboolean drop_wants_body(const struct drop *drop, gint64 date, guint64 size);

/* ---- drop_ids.c ---- */

/* Ids made of the header (or, where the server has no TOP, of the whole message) for those of which the server tells
 * none. */
gboolean drop_make_ids(struct drop *drop, GError **error);

/* ---- drop_intake.c ---- */

/* Takes in those of the listed ones that are new or doubtful, newest first. */
gboolean drop_take_new(struct drop *drop, GError **error);
/* The bodies of these (indices of listed ones with a row), in this order. */
gboolean drop_fetch_bodies(struct drop *drop, const GArray *wanted, GError **error);

#endif
