#include "config.h"

#include "trust/vouch.h"

#include "base/i18n.h"
#include "trust/check.h"
#include "mail/domain.h"

#include <string.h>

static const char *const names[] = {"unknown", "good", "none", "forged"};

const char *
vouch_name(enum vouch_kind kind)
{
    return names[kind];
}

enum vouch_kind
vouch_from_name(const char *name)
{
    for (guint i = 0; name && i < G_N_ELEMENTS(names); i++)
        if (!strcmp(names[i], name))
            return (enum vouch_kind)i;
    return VOUCH_UNKNOWN;
}

void
vouch_clear(struct vouch *vouch)
{
    g_free(vouch->domain);
    g_free(vouch->words);
}

static gboolean
is(const char *result, const char *word)
{
    return !g_strcmp0(result, word);
}

/* What the signatures of the author's domain came to; *reason: why not. */
static gboolean
dkim_speaks(const struct authentication *authentication, const char *domain, const char **reason,
            gboolean *later)
{
    for (guint i = 0; i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = authentication->dkim->pdata[i];
        if (!domain_aligned(dkim->domain, domain, FALSE))
            continue;
        if (is(dkim->result, "pass"))
            return TRUE;
        *later = *later || is(dkim->result, "temperror");
        *reason = dkim->reason ? dkim->reason : *reason;
    }
    return FALSE;
}

static void
say(struct vouch *vouch, enum vouch_kind kind, char *words)
{
    vouch->kind = kind;
    vouch->words = words;
}

void
vouch_judge(const struct authentication *authentication, const struct envelope *envelope, struct vouch *vouch)
{
    memset(vouch, 0, sizeof *vouch);
    if (!authentication)
        return;
    const char *author = check_author(envelope);
    if (!author) {
        say(vouch, VOUCH_NONE, g_strdup(_("there is not one author, so nobody can vouch")));
        return;
    }
    const char *domain = vouch->domain = g_ascii_strdown(author, -1), *reason = NULL;
    gboolean later = FALSE;
    gboolean dkim = dkim_speaks(authentication, domain, &reason, &later);
    gboolean spf =
        is(authentication->spf, "pass") && domain_aligned(authentication->spf_domain, domain, FALSE);
    gboolean dmarc =
        is(authentication->dmarc, "pass") &&
        (!authentication->dmarc_domain || domain_aligned(authentication->dmarc_domain, domain, FALSE));
    if (is(authentication->dmarc, "fail")) {
        gboolean is_asked = !is(authentication->dmarc_policy, "none");
        say(vouch, is_asked ? VOUCH_FORGED : VOUCH_NONE,
            is_asked
                ? g_strdup_printf(_("it does not come from %s (DMARC)"), domain)
                : g_strdup_printf(_("nobody vouches for %s (DMARC failed, which it does not mind)"), domain));
        return;
    }
    if (dkim || spf || dmarc) {
        GString *how = g_string_new(dkim ? "DKIM" : spf ? "SPF" : NULL);
        if (dmarc)
            g_string_append(how, how->len ? ", DMARC" : "DMARC");
        say(vouch, VOUCH_GOOD, g_string_free(how, FALSE));
        return;
    }
    later = later || is(authentication->spf, "temperror") || is(authentication->dmarc, "temperror");
    if (later)
        say(vouch, VOUCH_UNKNOWN, g_strdup_printf(_("%s could not be looked up yet"), domain));
    else
        say(vouch, VOUCH_NONE,
            reason ? g_strdup_printf(_("nobody vouches for %s: %s"), domain, reason)
                   : g_strdup_printf(_("nobody vouches for %s"), domain));
}

void
vouch_soften(struct vouch *vouch, const char *sealer, const struct authentication *claims, const struct envelope *envelope)
{
    struct vouch claimed;
    if (!claims || !sealer || (vouch->kind != VOUCH_FORGED && vouch->kind != VOUCH_NONE))
        return;
    vouch_judge(claims, envelope, &claimed);
    if (claimed.kind == VOUCH_GOOD) {
        g_free(vouch->words);
        say(vouch, VOUCH_NONE,
            envelope->list_id
                ? g_strdup_printf(_("the list %s vouches for %s, and changed it on the way (ARC)"), sealer, claimed.domain)
                : g_strdup_printf(_("%s, who passed it on, vouches for %s (ARC)"), sealer, claimed.domain));
    }
    vouch_clear(&claimed);
}
