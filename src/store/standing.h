/* standing.h - how a folder stands: in step or not, what of it waits to be sent, and in which words that is said
 *
 * For the screen and the commands. Reads only; strings are translated and newly allocated. Same thread as the store.
 */
#ifndef STORE_STANDING_H
#define STORE_STANDING_H

#include "config/keep.h"
#include "store/folder.h"

/* Changes made here that the server has not heard of. */
struct pending {
    guint marks, moves, copies, uploads, deletions; /* messages */
    guint folder;  /* made, renamed, deleted, subscribed */
    guint failed;  /* of them: refused, or tried in vain; `error` says why */
    char *error;   /* or NULL; unsafe for a terminal */
};
/* gint64 * of a folder -> struct pending, of those that have any; moves and copies stand with the folder they leave.
 * Two queries, whatever the size of the store. account 0: of all. */
GHashTable *pending_list(struct store *store, gint64 account, GError **error);
guint pending_count(const struct pending *pending); /* NULL is none */
char *pending_to_string(const struct pending *pending); /* "2 marks, 1 move"; "" for none */

/* Messages of the folder whose bodies are not here; -1 with an error. One walk over an index of just those. */
gint64 standing_count_bare(struct store *store, gint64 folder, GError **error);

/* The user let this account rest: no pass is made, nothing is fetched by itself or sent to its folders, until it goes on.
 * Kept over restarts. */
gboolean account_is_paused(struct store *store, gint64 account);
gboolean account_set_paused(struct store *store, gint64 account, gboolean paused, GError **error);

enum standing {
    STANDING_IN_STEP,
    STANDING_WAITING,      /* changes made here wait to be sent */
    STANDING_NEVER,        /* not looked at yet */
    STANDING_LOCAL,        /* not on the server yet, or on none at all */
    STANDING_HELD,         /* a brake holds it until the user agrees: `notice` says what back */
    STANDING_TROUBLE,      /* `notice` says what */
    STANDING_UNSUBSCRIBED, /* the server's, not kept here */
    STANDING_OFF,          /* the policy leaves it alone */
    STANDING_LEVEL,        /* holds folders only */
    STANDING_GONE
};
enum standing standing_of(const struct folder *folder, const struct keep *keep, const struct pending *pending);
const char *standing_name(enum standing standing); /* "in-step": for JSON */
const char *standing_word(enum standing standing); /* "in step": translated, a cell of a table */
/* Is it brought into step by passes? */
gboolean standing_is_watched(enum standing standing);

#endif
