/* results_host.h - names that stand in Authentication-Results of an account's mail, and whether what they
 * said was true
 *
 * What is made of the numbers is trust/authority.h's. Same thread as the store.
 */
#ifndef STORE_RESULTS_HOST_H
#define STORE_RESULTS_HOST_H

#include "store/store.h"

#define RESULTS_HOSTS_MAX 200 /* names of an account; the least used go */

struct results_host {
    char *host;       /* lower case */
    guint agreed;     /* fields that were found to be true since the last that was not */
    guint lies;       /* fields that were found to be untrue */
    guint methods[4]; /* of the true ones: those with SPF, DKIM, DMARC, ARC */
};
void results_host_free(struct results_host *host);

/* GPtrArray of struct results_host. */
GPtrArray *results_hosts(struct store *store, gint64 account, GError **error);
/* One more field of that name: methods is a set of bits in the order above. An untrue one sets the true ones
 * back to none. */
gboolean results_host_note(struct store *store, gint64 account, const char *host, guint methods,
                           gboolean lied, GError **error);

#endif
