/* url.h - addresses of the web that mail brings along
 *
 * Any thread.
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <glib.h>

#define URL_MAX 2000 /* bytes */

/* The host of https://HOST…, lower case, for g_free(). NULL when it is no such address: printable ASCII, without a user name
 * (which only looks like the host), the host with a dot in it. */
char *url_https_host(const char *url);

#endif
