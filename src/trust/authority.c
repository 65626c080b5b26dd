#include "config.h"

#include "trust/authority.h"

#include "mail/rawmsg.h"
#include "store/account.h"
#include "store/arrival.h"
#include "store/known.h"
#include "store/results_host.h"
#include "trust/arc.h"
#include "trust/authres.h"

#include <string.h>

#define LEARN_MIN 5 /* true ones before a name counts, and as many again for each that was not */

struct trusted {
    char *host;
    guint methods;
};

struct authority {
    GArray *hosts; /* of struct trusted */
    GHashTable *sealers; /* domains, lower case */
};

static void
trusted_clear(gpointer data)
{
    g_free(((struct trusted *)data)->host);
}

struct authority *
authority_new(void)
{
    struct authority *authority = g_new0(struct authority, 1);
    authority->hosts = g_array_new(FALSE, FALSE, sizeof(struct trusted));
    g_array_set_clear_func(authority->hosts, trusted_clear);
    authority->sealers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return authority;
}

void
authority_free(struct authority *authority)
{
    if (!authority)
        return;
    g_array_unref(authority->hosts);
    g_hash_table_unref(authority->sealers);
    g_free(authority);
}

static struct trusted *
find(const struct authority *authority, const char *host)
{
    for (guint i = 0; i < authority->hosts->len; i++) {
        struct trusted *trusted = &g_array_index(authority->hosts, struct trusted, i);
        if (!g_ascii_strcasecmp(trusted->host, host))
            return trusted;
    }
    return NULL;
}

void
authority_trust(struct authority *authority, const char *host, guint methods)
{
    struct trusted *known = find(authority, host);
    if (known) {
        known->methods |= methods;
        return;
    }
    struct trusted trusted = {g_ascii_strdown(host, -1), methods};
    g_array_append_val(authority->hosts, trusted);
}

/* A method counts when most of what was true had it. */
static guint
learnt_methods(const struct results_host *host)
{
    guint methods = 0;
    if (host->agreed < LEARN_MIN * (1 + host->lies))
        return 0;
    for (guint i = 0; i < G_N_ELEMENTS(host->methods); i++)
        if (host->methods[i] * 2 >= host->agreed)
            methods |= 1u << i;
    return methods;
}

/* Sealers are kept among the hosts, by names that no field can have: a line end is no part of one. */
#define SEALER "arc\n"

gboolean
authority_trusts_sealer(const struct authority *authority, const char *domain)
{
    g_autofree char *lower = domain ? g_ascii_strdown(domain, -1) : NULL;
    return lower && g_hash_table_contains(authority->sealers, lower);
}

void
authority_soften(const struct authority *authority, GBytes *message, const struct authentication *found,
                 const struct envelope *envelope, struct vouch *vouch)
{
    if (!found || g_strcmp0(found->arc, "pass") || g_strcmp0(found->dmarc, "fail") ||
        !authority_trusts_sealer(authority, found->arc_domain))
        return;
    g_autoptr(struct_authentication) claims = arc_claims(message);
    vouch_soften(vouch, found->arc_domain, claims, envelope);
}

static gboolean
is_written_to(struct store *store, const char *domain)
{
    struct known known;
    g_autofree char *address = g_strdup_printf("x@%s", domain);
    g_autofree char *owner = known_owner_of(address);
    return owner && known_owner(store, owner, &known, NULL) && (known.sent || known.replied);
}

static void
add_learnt(struct authority *authority, const struct results_host *host, struct store *store)
{
    guint methods = learnt_methods(host);
    if (!methods)
        return;
    if (!g_str_has_prefix(host->host, SEALER))
        authority_trust(authority, host->host, methods);
    else if (is_written_to(store, host->host + strlen(SEALER)))
        g_hash_table_add(authority->sealers, g_strdup(host->host + strlen(SEALER)));
}

static void
add_account(struct authority *authority, const struct account *account, struct store *store)
{
    for (char **host = account->trusted_hosts; host && *host; host++)
        authority_trust(authority, *host, AUTHORITY_ALL);
    gint64 id = store ? store_account_find(store, account->name) : 0;
    g_autoptr(GPtrArray) learnt = id ? results_hosts(store, id, NULL) : NULL;
    for (guint i = 0; learnt && i < learnt->len; i++)
        add_learnt(authority, learnt->pdata[i], store);
    for (char **sealer = account->trusted_sealers; sealer && *sealer; sealer++)
        g_hash_table_add(authority->sealers, g_ascii_strdown(*sealer, -1));
}

struct authority *
authority_load(const struct config *config, const struct account *account, struct store *store)
{
    struct authority *authority = authority_new();
    if (account)
        add_account(authority, account, store);
    for (guint i = 0; !account && config && i < config->accounts->len; i++)
        add_account(authority, config->accounts->pdata[i], store);
    return authority;
}

/* --- choosing */

static guint
methods_of(const struct authentication *claim)
{
    return (claim->spf ? AUTHORITY_SPF : 0u) | (claim->dkim->len ? AUTHORITY_DKIM : 0u) |
           (claim->dmarc ? AUTHORITY_DMARC : 0u) | (claim->arc ? AUTHORITY_ARC : 0u);
}

static void
take(struct authentication *to, const struct authentication *from, guint methods)
{
    if (methods & AUTHORITY_SPF) {
        to->spf = g_strdup(from->spf);
        to->spf_domain = g_strdup(from->spf_domain);
        to->spf_reason = g_strdup(from->spf_reason);
    }
    for (guint i = 0; methods & AUTHORITY_DKIM && i < from->dkim->len; i++) {
        const struct authentication_dkim *dkim = from->dkim->pdata[i];
        *authentication_add_dkim(to) = (struct authentication_dkim){
            g_strdup(dkim->result), g_strdup(dkim->domain),    g_strdup(dkim->selector),
            g_strdup(dkim->reason), g_strdup(dkim->algorithm), dkim->bits,
            dkim->signed_at};
    }
    if (methods & AUTHORITY_DMARC) {
        to->dmarc = g_strdup(from->dmarc);
        to->dmarc_domain = g_strdup(from->dmarc_domain);
        to->dmarc_policy = g_strdup(from->dmarc_policy);
        to->dmarc_reason = g_strdup(from->dmarc_reason);
    }
    if (methods & AUTHORITY_ARC) {
        to->arc = g_strdup(from->arc);
        to->arc_domain = g_strdup(from->arc_domain);
        to->arc_reason = g_strdup(from->arc_reason);
    }
}

struct authentication *
authority_choose(const struct authority *authority, const struct journey *journey)
{
    struct authentication *chosen = NULL;
    guint seen = 0;
    for (guint i = 0; authority && i < journey->claims->len; i++) {
        const struct authentication *claim = journey->claims->pdata[i];
        const struct trusted *trusted = find(authority, claim->by);
        if (!trusted || (chosen && g_ascii_strcasecmp(chosen->by, claim->by)))
            continue;
        guint methods = methods_of(claim) & ~seen;
        seen |= methods;
        if (!chosen) {
            chosen = authentication_new();
            chosen->by = g_strdup(claim->by);
        }
        take(chosen, claim, methods & trusted->methods);
    }
    return chosen;
}

static struct authentication *
recall(struct store *store, gint64 message, struct vouch *vouch)
{
    g_autofree char *results = verdict_field(store, message, AUTHORITY_STAGE, "results");
    g_autofree char *kind = results ? verdict_field(store, message, AUTHORITY_STAGE, "vouch") : NULL;
    struct authentication *found = results ? authres_parse_own(results) : NULL;
    if (!found)
        return NULL;
    vouch->kind = vouch_from_name(kind);
    vouch->domain = verdict_field(store, message, AUTHORITY_STAGE, "domain");
    vouch->words = verdict_field(store, message, AUTHORITY_STAGE, "words");
    return found;
}

struct authentication *
authority_find(struct store *store, gint64 message, const struct config *config,
               const struct journey *journey, const struct envelope *envelope, struct vouch *vouch)
{
    struct vouch kept;
    memset(&kept, 0, sizeof kept);
    struct authentication *found = store && message ? recall(store, message, &kept) : NULL;
    if (!found) {
        g_autoptr(struct_authority) authority = authority_load(config, NULL, store);
        found = authority_choose(authority, journey);
        if (vouch)
            vouch_judge(found, envelope, &kept);
    }
    if (vouch)
        *vouch = kept;
    else
        vouch_clear(&kept);
    return found;
}

/* --- who gave it to us */

void
handover_read(GBytes *message, const struct journey *journey, struct handover *handover)
{
    const struct hop *outer = NULL;
    memset(handover, 0, sizeof *handover);
    for (guint i = journey->hops->len; i-- > 0;) {
        const struct hop *hop = journey->hops->pdata[i];
        if (!hop->is_ours)
            break;
        outer = hop;
    }
    if (!outer)
        return;
    if (outer->client && !journey_is_private(outer->client))
        handover->ip = g_strdup(outer->client);
    const char *helo = outer->from_real ? strstr(outer->from_real, "helo=") : NULL; /* Exim */
    handover->helo = helo ? g_strndup(helo + 5, strcspn(helo + 5, " )")) : g_strdup(outer->from);
    handover->time = outer->has_time ? outer->time : 0;
    g_autofree char *path = rawmsg_get(message, "Return-Path", 0);
    if (path) {
        const char *open = strchr(path, '<');
        handover->mail_from = open ? g_strndup(open + 1, strcspn(open + 1, ">")) : g_strdup(path);
    }
}

void
handover_clear(struct handover *handover)
{
    g_free(handover->ip);
    g_free(handover->helo);
    g_free(handover->mail_from);
}

/* --- learning */

static const char *
result_for(const struct authentication *found, const char *domain)
{
    const char *result = "none";
    for (guint i = 0; i < found->dkim->len; i++) {
        const struct authentication_dkim *dkim = found->dkim->pdata[i];
        if (g_strcmp0(dkim->domain, domain))
            continue;
        if (!g_strcmp0(dkim->result, "pass"))
            return "pass";
        result = dkim->result;
    }
    return result;
}

/* 1: all that can be compared is true, and something was a pass; -1: something is not; 0: neither. */
static int
compare(const struct authentication *claim, const struct authentication *found)
{
    int verdict = 0;
    for (guint i = 0; i < claim->dkim->len; i++) {
        const struct authentication_dkim *dkim = claim->dkim->pdata[i];
        if (g_strcmp0(dkim->result, "pass"))
            continue;
        const char *here = result_for(found, dkim->domain);
        if (!strcmp(here, "pass"))
            verdict = 1;
        else if (!strcmp(here, "none") || !strcmp(here, "fail") || !strcmp(here, "permerror"))
            return -1;
    }
    if (!g_strcmp0(claim->spf, "pass") &&
        (!g_strcmp0(found->spf, "fail") || !g_strcmp0(found->spf, "softfail")))
        return -1;
    if (!g_strcmp0(claim->dmarc, "pass") && !g_strcmp0(found->dmarc, "fail"))
        return -1;
    return verdict;
}

gboolean
authority_learn(struct store *store, gint64 account, const struct journey *journey,
                const struct authentication *found, GError **error)
{
    for (guint i = 0; i < journey->claims->len; i++) {
        const struct authentication *claim = journey->claims->pdata[i];
        int verdict = compare(claim, found);
        if (verdict && !results_host_note(store, account, claim->by, methods_of(claim), verdict < 0, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
authority_learn_sealer(struct store *store, gint64 account, const struct authentication *claims,
                       const struct authentication *found, GError **error)
{
    if (!claims || !found->arc_domain || g_strcmp0(found->arc, "pass") || compare(claims, found) <= 0)
        return TRUE;
    g_autofree char *domain = g_ascii_strdown(found->arc_domain, -1), *name = g_strconcat(SEALER, domain, NULL);
    return results_host_note(store, account, name, AUTHORITY_ARC, FALSE, error);
}
