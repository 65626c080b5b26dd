/* unsubscribed.h - the lists that the user has left, when and how
 *
 * One row a list, by what unsubscribe.h calls it. Same thread as the store.
 */
#ifndef STORE_UNSUBSCRIBED_H
#define STORE_UNSUBSCRIBED_H

#include "store/store.h"

/* how: "one-click", "mail", "link". */
gboolean unsubscribed_note(struct store *store, const char *list, const char *how, gint64 message, GError **error);
/* When; 0: never. *how (may be NULL) is for g_free(). */
gint64 unsubscribed_since(struct store *store, const char *list, char **how);

#endif
