#include "config.h"

#include "mail/domain.h"

#include "mail/address.h"

#include <libpsl.h>
#include <string.h>

static gpointer
load(gpointer data G_GNUC_UNUSED)
{
    return psl_latest(NULL); /* the system's, or the one in the library when that is newer */
}

char *
domain_organisation(const char *domain)
{
    static GOnce once = G_ONCE_INIT;
    const psl_ctx_t *suffixes = g_once(&once, load, NULL);
    if (!domain || g_hostname_is_ip_address(domain))
        return NULL;
    g_autofree char *ascii = address_domain_to_ascii(domain),
                    *lower = ascii ? g_ascii_strdown(ascii, -1) : NULL;
    gsize length = lower ? strlen(lower) : 0;
    if (length && lower[length - 1] == '.')
        lower[length - 1] = '\0';
    return lower && suffixes ? g_strdup(psl_registrable_domain(suffixes, lower)) : NULL;
}

gboolean
domain_aligned(const char *a, const char *b, gboolean is_strict)
{
    if (!a || !b || !*a || !*b)
        return FALSE;
    if (!g_ascii_strcasecmp(a, b))
        return TRUE;
    if (is_strict)
        return FALSE;
    g_autofree char *one = domain_organisation(a), *other = domain_organisation(b);
    return one && !g_strcmp0(one, other);
}
