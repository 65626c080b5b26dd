#include "config.h"

#include "base/url.h"

#include <string.h>

char *
url_https_host(const char *url)
{
    static const char scheme[] = "https://";
    if (g_ascii_strncasecmp(url, scheme, strlen(scheme)) || strlen(url) > URL_MAX)
        return NULL;
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p >= 0x7F || strchr("\"<>\\^`{|}", *p))
            return NULL;
    const char *host = url + strlen(scheme);
    gsize length = strcspn(host, "/?#");
    if (memchr(host, '@', length)) /* a name that only looks like the host */
        return NULL;
    g_autofree char *name = g_ascii_strdown(host, (gssize) length);
    char *colon = *name == '[' ? NULL : strchr(name, ':');
    if (colon)
        *colon = '\0';
    return *name && strchr(name, '.') ? g_steal_pointer(&name) : NULL;
}
