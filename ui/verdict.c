#include "config.h"

#include "ui/verdict.h"

#include "ui/text.h"

#include <string.h>

GStrv
verdict_own_hosts(const struct config *config)
{
    g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *account = g_ptr_array_index(config->accounts, i);
        if (account->incoming)
            g_strv_builder_add(hosts, account->incoming->host);
    }
    return g_strv_builder_end(hosts);
}

/* Relaxed alignment (RFC 7489 section 3.1): the same domain, or one below the other. Without the list of
 * public suffixes a shared last label alone is no relation. */
static gboolean
aligned(const char *domain, const char *from)
{
    if (!domain || !*domain || !strchr(domain, '.'))
        return FALSE;
    gsize n = strlen(domain), m = strlen(from);
    if (n == m)
        return !g_ascii_strcasecmp(domain, from);
    const char *longer = n > m ? domain : from, *shorter = n > m ? from : domain;
    gsize extra = n > m ? n - m : m - n;
    return longer[extra - 1] == '.' && !g_ascii_strcasecmp(longer + extra, shorter);
}

static gboolean
dkim_vouches(const struct authentication *authentication, const char *from)
{
    for (guint i = 0; i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = g_ptr_array_index(authentication->dkim, i);
        if (!g_strcmp0(dkim->result, "pass") && aligned(dkim->domain, from))
            return TRUE;
    }
    return FALSE;
}

char *
verdict_text(const struct journey *journey, const struct document *document, enum role *role)
{
    const struct authentication *authentication = journey->authentication;
    const struct envelope *envelope = document->envelope;
    if (!authentication || !envelope->from->len || !address_list_get(envelope->from, 0)->addr)
        return NULL;
    const char *from = address_domain(address_list_get(envelope->from, 0)->addr);
    gboolean dkim = dkim_vouches(authentication, from);
    gboolean spf = !g_strcmp0(authentication->spf, "pass") && aligned(authentication->spf_domain, from);
    gboolean dmarc = !g_strcmp0(authentication->dmarc, "pass");
    if (envelope->flags & ENVELOPE_TWO_FROM)
        dkim = spf = dmarc = FALSE; /* which of the two would be meant? */
    if (!g_strcmp0(authentication->dmarc, "fail")) {
        *role = ROLE_BAD;
        return g_strdup_printf(_("✘ it does not come from %s (DMARC)"), from);
    }
    if (!dkim && !spf && !dmarc) {
        *role = ROLE_WARN;
        return g_strdup_printf(_("~ nobody vouches for %s"), from);
    }
    *role = ROLE_GOOD;
    GString *how = g_string_new(NULL);
    if (dkim)
        g_string_append(how, "DKIM");
    if (!dkim && spf)
        g_string_append(how, "SPF");
    if (dmarc)
        g_string_append(how, how->len ? ", DMARC" : "DMARC");
    char *text = g_strdup_printf("✔ %s (%s)", from, how->str);
    g_string_free(how, TRUE);
    return text;
}

char *
verdict_duration(gint64 seconds)
{
    int s = (int)MIN(seconds, G_MAXINT);
    if (s < 60)
        return g_strdup_printf(_("%d s"), s);
    if (s < 3600)
        return g_strdup_printf(_("%d min %d s"), s / 60, s % 60);
    if (s < 86400)
        return g_strdup_printf(_("%d h %d min"), s / 3600, s / 60 % 60);
    return g_strdup_printf(_("%d d %d h"), s / 86400, s / 3600 % 24);
}
