/* providers.h - where the large providers keep mail, by the domain of an address
 *
 * From their help pages; the user's name is the whole address with all of them. Borrowed, static data.
 */
#ifndef CONFIG_PROVIDERS_H
#define CONFIG_PROVIDERS_H

#include <glib.h>

struct provider {
    const char *domains;            /* with spaces between */
    const char *incoming, *outgoing; /* "imaps HOST": scheme and host */
    const char *note;               /* what has to be known of its logins, translated when shown; or NULL */
};

/* NULL: not in the table. */
const struct provider *provider_find(const char *domain);

#endif
