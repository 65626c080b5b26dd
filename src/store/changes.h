/* changes.h - what changed since a sequence number, for the index worker; and what it remembers
 *
 * Every transaction that touches a message has a sequence number, noted in the row; a message that went
 * leaves its Message-ID and file names. So a reader that keeps one number can bring any copy of the store up
 * to date. Same thread as the store.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "store/store.h"

struct change {
    gint64 sequence;
    gint64 message; /* its former id when gone */
    gboolean gone;
    char *message_id; /* or NULL */
    guint flags;
    char *tags;
    guint places; /* 1 << enum folder_role, of all live placements */
    guint bits;   /* enum message_bits */
    gint64 date;
    GPtrArray *files; /* char *: below mail/; of a gone one those it had */
};
void change_free(struct change *change);

gint64 changes_sequence(struct store *store); /* the newest */
/* GPtrArray of struct change with sequence > since, in order of sequence, at most `limit` plus the rest of
 * the last sequence. newest_first: for a first build, by date instead, of all messages with bodies; page with
 * *cursor (0 to begin; 0 again: no more). */
GPtrArray *changes_since(struct store *store, gint64 since, guint limit, GError **error);
GPtrArray *changes_all(struct store *store, gint64 *cursor, guint limit, GError **error);

/* What the index worker keeps: "notmuch.uuid", "notmuch.lastmod", "notmuch.sequence" … */
char *index_state_get(struct store *store, const char *key);
gboolean index_state_set(struct store *store, const char *key, const char *value, GError **error);
/* Messages that killed or broke the indexer; not tried again unless their content changes. */
gboolean index_skip_add(struct store *store, gint64 message, const char *reason, GError **error);
gboolean index_skip_has(struct store *store, gint64 message);
/* They are tried again: changed since. */
gboolean index_skip_clear(struct store *store, GError **error);
struct index_skipped {
    gint64 message, time;
    char *reason;
};
GPtrArray *index_skip_list(struct store *store, GError **error); /* GPtrArray of struct index_skipped, oldest first */

#endif
