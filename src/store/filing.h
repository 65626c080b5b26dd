/* filing.h - what rules did with a message, for the journey and so that it is done once
 *
 * Rows are part of the transaction that does it. They go with the message, or after a year. Same thread as the store.
 */
#ifndef STORE_FILING_H
#define STORE_FILING_H

#include "store/store.h"

struct filing {
    gint64 id, message, time;
    char *rule;
    char *action; /* "move Lists", or a sentence */
    char *error;  /* why it was not done, or NULL */
};
void filing_free(struct filing *filing);

gint64 filing_add(struct store *store, gint64 message, const char *rule, const char *action, const char *error_text,
                  GError **error);
/* What came of something that was begun. */
gboolean filing_set_error(struct store *store, gint64 id, const char *error_text, GError **error);
gboolean filing_is_done(struct store *store, gint64 message); /* has any rule acted on it? */
/* GPtrArray of struct filing, oldest first. */
GPtrArray *filing_list(struct store *store, gint64 message, GError **error);

#endif
