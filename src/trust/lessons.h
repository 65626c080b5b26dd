/* The learning filter and the store: what it was taught is kept there, each lesson with its weight.
 *
 * Reading is cheap (some thousand examples carry weight); learning goes over what is kept, changes little,
 * and writes what changed in one transaction. Same thread as the store. */
#ifndef TRUST_LESSONS_H
#define TRUST_LESSONS_H

#include "store/store.h"
#include "trust/filter.h"

#define LESSONS_ERROR (lessons_error_quark())
GQuark lessons_error_quark(void);

/* The filter as it is now. A lesson that cannot be understood is passed over. */
struct filter *lessons_load(struct store *store, GError **error);
/* Learns what was added and writes what changed. */
gboolean lessons_learn(struct store *store, struct filter *filter, GError **error);
/* The message is no example of anything any more. */
gboolean lessons_unlearn(struct store *store, struct filter *filter, const guint8 *hash, GError **error);
/* The word counts for nothing from now on, whatever it stood in; learned anew without it. */
gboolean lessons_forget(struct store *store, const char *word, GError **error);

/* SHA-256 of the message, which it is known by. */
void lessons_hash(GBytes *message, guint8 hash[FILTER_HASH]);

#endif
