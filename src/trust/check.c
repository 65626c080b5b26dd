#include "config.h"

#include "trust/check.h"

#include "base/i18n.h"
#include "trust/arc.h"
#include "trust/canon.h"
#include "trust/dkim.h"
#include "trust/dmarc.h"
#include "trust/spf.h"

#include <string.h>

static void
add_spf(const struct check_input *input, struct dns *dns, struct authentication *authentication)
{
    struct spf_result spf;
    if (!input->ip || (!input->mail_from && !input->helo))
        return;
    spf_check(dns, input->ip, input->mail_from ? input->mail_from : "", input->helo, input->when, &spf);
    authentication->spf = g_strdup(spf.result);
    authentication->spf_domain = g_steal_pointer(&spf.domain);
    authentication->spf_reason = g_steal_pointer(&spf.reason);
    spf_result_clear(&spf);
}

struct authentication *
check_message(const struct check_input *input, struct dns *dns)
{
    struct authentication *authentication = authentication_new();
    struct signed_message message;
    signed_message_init(&message, input->message);
    dkim_check(&message, dns, input->when, authentication);
    add_spf(input, dns, authentication);
    arc_check(&message, dns, authentication);
    if (input->from) {
        dmarc_check(dns, input->from, authentication);
    } else {
        authentication->dmarc = g_strdup("permerror");
        authentication->dmarc_reason = g_strdup(_("there is not one author, so nobody can vouch"));
    }
    signed_message_clear(&message);
    return authentication;
}

static gboolean
is_later(const char *result)
{
    return !g_strcmp0(result, "temperror");
}

gboolean
check_is_unfinished(const struct authentication *authentication)
{
    for (guint i = 0; i < authentication->dkim->len; i++)
        if (is_later(((struct authentication_dkim *)authentication->dkim->pdata[i])->result))
            return TRUE;
    return is_later(authentication->spf) || is_later(authentication->dmarc) || is_later(authentication->arc);
}
