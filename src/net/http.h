/* http.h - one HTTPS request with a fixed answer: did the server take it?
 *
 * In a process of its own, postrider-http, which alone links libcurl: nothing else of the program touches what comes back.
 * HTTPS only, certificates verified, TLS 1.2 or newer, no redirects, no cookies, no referrer; the answer's body is thrown
 * away. It waits: for the threads of the engine.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <glib.h>

#define HTTP_ERROR (http_error_quark())
GQuark http_error_quark(void);

#define HTTP_SECONDS 30
/* url: as url_https_host() wants it (base/url.h). ERROR_REFUSED: the server said no, with its number. ERROR_RETRY: it could not be asked, or is in trouble (5xx).
 * ERROR_INPUT: the URL. ERROR_SECURITY: its certificate. */
gboolean http_post(const char *url, const char *content_type, const char *body, GError **error);

#endif
