#include "config.h"

#include "trust/dmarc.h"

#include "base/i18n.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "trust/taglist.h"

#include <string.h>

static const char *const policies[] = {"none", "quarantine", "reject", NULL};

static gboolean
is_policy(const char *word)
{
    for (const char *const *policy = policies; word && *policy; policy++)
        if (!g_ascii_strcasecmp(*policy, word))
            return TRUE;
    return FALSE;
}

/* The one record of _dmarc.DOMAIN; NULL when there is none, or more than one (section 6.6.3). */
static struct taglist *
find_record(struct dns *dns, const char *domain, enum dns_status *status)
{
    g_autofree char *name = g_strdup_printf("_dmarc.%s", domain);
    g_autoptr(GPtrArray) values = NULL;
    g_autoptr(struct_taglist) record = NULL;
    *status = dns_lookup(dns, name, DNS_TXT, &values);
    for (guint i = 0; i < values->len; i++) {
        g_autoptr(struct_taglist) candidate = taglist_parse(values->pdata[i]);
        if (!candidate || strcmp(taglist_first(candidate), "v") ||
            strcmp(taglist_get(candidate, "v"), "DMARC1"))
            continue;
        if (record)
            return NULL;
        record = g_steal_pointer(&candidate);
    }
    return g_steal_pointer(&record);
}

/* What the record asks for, or NULL when it asks for nothing that can be understood. */
static const char *
policy_of(const struct taglist *record, gboolean is_below)
{
    const char *policy = taglist_get(record, "p"), *below = taglist_get(record, "sp");
    if (!is_policy(policy) || (below && !is_policy(below)))
        return taglist_get(record, "rua") ? "none" : NULL;
    return is_below && below ? below : policy;
}

static gboolean
is_strict(const struct taglist *record, const char *tag)
{
    const char *value = taglist_get(record, tag);
    return value && !g_ascii_strcasecmp(value, "s");
}

/* Whether something speaks for `from`; *later: something that could not be looked up might. */
static gboolean
is_vouched(const struct taglist *record, const char *from, const struct authentication *authentication,
           gboolean *later)
{
    *later = FALSE;
    for (guint i = 0; i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = authentication->dkim->pdata[i];
        if (!domain_aligned(dkim->domain, from, is_strict(record, "adkim")))
            continue;
        if (!g_strcmp0(dkim->result, "pass"))
            return TRUE;
        *later = *later || !g_strcmp0(dkim->result, "temperror");
    }
    if (domain_aligned(authentication->spf_domain, from, is_strict(record, "aspf"))) {
        if (!g_strcmp0(authentication->spf, "pass"))
            return TRUE;
        *later = *later || !g_strcmp0(authentication->spf, "temperror");
    }
    return FALSE;
}

static void
say(struct authentication *authentication, const char *result, const char *reason)
{
    authentication->dmarc = g_strdup(result);
    authentication->dmarc_reason = g_strdup(reason);
}

void
dmarc_check(struct dns *dns, const char *from, struct authentication *authentication)
{
    g_autofree char *ascii = address_domain_to_ascii(from),
                    *domain = ascii ? g_ascii_strdown(ascii, -1) : NULL;
    g_autofree char *owner = domain ? domain_organisation(domain) : NULL;
    enum dns_status status;
    if (!domain) {
        say(authentication, "permerror", _("From names no domain"));
        return;
    }
    authentication->dmarc_domain = g_strdup(domain);
    g_autoptr(struct_taglist) record = find_record(dns, domain, &status);
    gboolean is_below = FALSE;
    if (!record && status != DNS_FAILED && owner && strcmp(owner, domain)) {
        record = find_record(dns, owner, &status);
        is_below = TRUE;
    }
    if (!record && status == DNS_FAILED) {
        say(authentication, "temperror", _("the policy could not be looked up"));
        return;
    }
    const char *policy = record ? policy_of(record, is_below) : NULL;
    if (!policy) {
        say(authentication, "none", record ? _("the domain's policy cannot be read") : NULL);
        return;
    }
    gboolean later;
    authentication->dmarc_policy = g_ascii_strdown(policy, -1);
    if (is_vouched(record, domain, authentication, &later))
        say(authentication, "pass", NULL);
    else if (later)
        say(authentication, "temperror", _("what might vouch for it could not be looked up"));
    else
        say(authentication, "fail", _("neither SPF nor DKIM speaks for the domain in From"));
}
