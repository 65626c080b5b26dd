#include "config.h"

#include "trust/blocklist.h"

#include "base/text.h"
#include "mail/domain.h"
#include "mail/link.h"

#include <arpa/inet.h>
#include <string.h>

#define TEXT_MAX 200

char *
blocklist_name(const char *address, const char *list)
{
    guint8 bytes[16];
    if (inet_pton(AF_INET, address, bytes) == 1)
        return g_strdup_printf("%u.%u.%u.%u.%s", bytes[3], bytes[2], bytes[1], bytes[0], list);
    if (inet_pton(AF_INET6, address, bytes) != 1)
        return NULL;
    GString *name = g_string_new(NULL);
    for (guint i = 16; i-- > 0;)
        g_string_append_printf(name, "%x.%x.", bytes[i] & 15, bytes[i] >> 4);
    g_string_append(name, list);
    return g_string_free(name, FALSE);
}

gboolean
blocklist_is_listing(const char *answer)
{
    guint8 bytes[4];
    return inet_pton(AF_INET, answer, bytes) == 1 && bytes[0] == 127 && !(bytes[1] == 255 && bytes[2] == 255);
}

static char *
find_listing(struct dns *dns, const char *name)
{
    g_autoptr(GPtrArray) values = NULL;
    if (dns_lookup(dns, name, DNS_A, &values) != DNS_FOUND)
        return NULL;
    for (guint i = 0; i < values->len; i++)
        if (blocklist_is_listing(values->pdata[i]))
            return g_strdup(values->pdata[i]);
    return NULL;
}

/* Section 5: no list has these; one that answers to everything has died. */
static gboolean
is_alive(struct dns *dns, const char *list, gboolean of_domains)
{
    g_autofree char *never = of_domains ? g_strdup_printf("invalid.%s", list) : blocklist_name("127.0.0.1", list);
    g_autofree char *listing = find_listing(dns, never);
    return !listing;
}

static void
ask(struct dns *dns, const char *list, const char *name, const char *what, gboolean of_domains, GString *out)
{
    g_autofree char *answer = find_listing(dns, name);
    if (!answer || !is_alive(dns, list, of_domains))
        return;
    g_autoptr(GPtrArray) values = NULL;
    const char *text = dns_lookup(dns, name, DNS_TXT, &values) == DNS_FOUND ? values->pdata[0] : "";
    g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
    const char *end = strlen(safe) > TEXT_MAX ? g_utf8_find_prev_char(safe, safe + TEXT_MAX) : safe + strlen(safe);
    g_string_append_printf(out, "%s%s\t%s\t%s\t%.*s", out->len ? "\n" : "", list, what, answer, (int)(end - safe), safe);
}

char *
blocklist_ask(struct dns *dns, const char *const *address_lists, const char *const *domain_lists, const char *address,
              const char *const *domains)
{
    GString *out = g_string_new(NULL);
    for (; address && address_lists && *address_lists; address_lists++) {
        g_autofree char *name = blocklist_name(address, *address_lists);
        if (name)
            ask(dns, *address_lists, name, address, FALSE, out);
    }
    for (; domains && domain_lists && *domain_lists; domain_lists++)
        for (guint i = 0; domains[i] && i < BLOCKLIST_DOMAINS_MAX; i++) {
            g_autofree char *name = g_strdup_printf("%s.%s", domains[i], *domain_lists);
            ask(dns, *domain_lists, name, domains[i], TRUE, out);
        }
    return g_string_free(out, FALSE);
}

GStrv
blocklist_domains(const struct document *document)
{
    g_autoptr(GStrvBuilder) domains = g_strv_builder_new();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < document->links->len && g_hash_table_size(seen) < BLOCKLIST_DOMAINS_MAX; i++) {
        const struct document_link *link = document->links->pdata[i];
        g_autofree char *host = g_ascii_strncasecmp(link->url, "http", 4) ? NULL : url_host(link->url);
        char *owner = host ? domain_organisation(host) : NULL;
        if (owner && g_hash_table_add(seen, owner))
            g_strv_builder_add(domains, owner);
    }
    return g_strv_builder_end(domains);
}
