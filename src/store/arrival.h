/* arrival.h - messages that have just come, each until it has been looked at; and what was found
 *
 * The transaction that gives a message its body for the first time notes it here, when it is recent (or a report, of any
 * age) and lies elsewhere than in Sent, Drafts or Trash. trust/arrival.h works the list off and notes how far it is, so
 * that a crash repeats one stage at most. A verdict is what a stage found: JSON, kept as long as the message. Same
 * thread as the store.
 */
#ifndef STORE_ARRIVAL_H
#define STORE_ARRIVAL_H

#include "store/store.h"

#define ARRIVAL_RECENT ((gint64)14 * 24 * 3600) /* seconds since the server received it */

struct arrival_row {
    gint64 message;
    char *stage;    /* the last that is done; NULL: none */
    guint attempts; /* at the next one */
};
void arrival_row_free(struct arrival_row *row);

/* GPtrArray of struct arrival_row: those of an account that are due, oldest first. account 0: of all. */
GPtrArray *arrival_list(struct store *store, gint64 account, guint limit, GError **error);
/* A stage is done: one transaction with its verdict (JSON; NULL: it found nothing to keep). */
gboolean arrival_stage_done(struct store *store, gint64 message, const char *stage, const char *verdict, GError **error);
/* Not now: once more at `due`, seconds since 1970. */
gboolean arrival_defer(struct store *store, gint64 message, gint64 due, GError **error);
/* All stages are done, or it is beyond help. */
gboolean arrival_end(struct store *store, gint64 message, GError **error);

/* What a stage found; NULL: nothing, or it was not asked. */
char *verdict_get(struct store *store, gint64 message, const char *stage);
/* One field of it, of an object: a text; NULL: it is not there. */
char *verdict_field(struct store *store, gint64 message, const char *stage, const char *field);
/* For a verdict that changes later (a person disagrees). value NULL forgets it. */
gboolean verdict_set(struct store *store, gint64 message, const char *stage, const char *value, GError **error);

#endif
