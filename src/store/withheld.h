/* withheld.h - messages that a server lists and does not give: asked for again later, with growing delays
 *
 * A message may be refused (NO, [UNAVAILABLE], [EXPUNGEISSUED]), left out of the answer, or come empty. It is shown by its
 * envelope; its body is asked for again after ten minutes, then after four times as long each time, at most a week.
 * Opening it asks at once. Survives restarts. Same thread as the store.
 */
#ifndef STORE_WITHHELD_H
#define STORE_WITHHELD_H

#include "store/store.h"

/* These did not come. Forgets those that came since, or went. */
gboolean withheld_note(struct store *store, const gint64 *placements, guint n, GError **error);
/* Placements whose time has not come: a set of gint64, freed with g_hash_table_unref(). */
GHashTable *withheld_load(struct store *store, GError **error);
/* Seconds to wait after so many attempts. */
gint64 withheld_delay(guint attempts);

#endif
