#include "config.h"

#include "trust/replay.h"

#include "base/i18n.h"
#include "base/text.h"
#include "mail/domain.h"
#include "mail/rawmsg.h"
#include "trust/check.h"
#include "trust/taglist.h"

#include <string.h>

#define SIGNATURES_MAX 10

/* The signature that speaks for the author. */
static const struct authentication_dkim *
good_signature(const struct replay_input *input, const char *author)
{
    for (guint i = 0; input->authentication && i < input->authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = input->authentication->dkim->pdata[i];
        if (!g_strcmp0(dkim->result, "pass") && domain_aligned(dkim->domain, author, FALSE))
            return dkim;
    }
    return NULL;
}

static gboolean
was_sent_on_openly(const struct replay_input *input)
{
    static const char *const fields[] = {"Resent-To", "Resent-From", "ARC-Seal", "List-Id", "List-Post", "X-Forwarded-To"};
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *value = rawmsg_get(input->message, fields[i], 0);
        if (value)
            return TRUE;
    }
    return FALSE;
}

static gboolean
has_me(const struct replay_input *input, const GPtrArray *list)
{
    for (guint i = 0; i < address_list_length(list); i++) {
        const struct address *address = address_list_get(list, i);
        if (address->addr && config_account_for(input->config, address->addr))
            return TRUE;
    }
    return FALSE;
}

/* Whether the signature of that domain covers the recipients. */
static gboolean
covers_recipients(GBytes *message, const char *domain)
{
    for (guint i = 0; i < SIGNATURES_MAX; i++) {
        g_autofree char *value = rawmsg_get(message, "DKIM-Signature", i);
        g_autoptr(struct_taglist) tags = value ? taglist_parse(value) : NULL;
        if (!value)
            return FALSE;
        const char *signer = tags ? taglist_get(tags, "d") : NULL;
        if (signer && !g_ascii_strcasecmp(signer, domain)) {
            const char *names = taglist_get(tags, "h");
            return names && words_have(names, "to");
        }
    }
    return FALSE;
}

char *
replay_words(const struct replay_input *input)
{
    const char *author = check_author(input->envelope);
    const struct authentication_dkim *signature = author ? good_signature(input, author) : NULL;
    const struct address *first = address_list_get(input->envelope->to, 0);
    if (!signature || !input->config || !input->config->accounts->len || !first || !first->addr ||
        has_me(input, input->envelope->to) || has_me(input, input->envelope->cc) || was_sent_on_openly(input))
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    if (covers_recipients(input->message, signature->domain))
        g_string_append_printf(out, _("signed for %s, not for you: a blind copy, or one that somebody else sent on"), first->addr);
    else
        g_string_append(out, _("you are not among its recipients, and they are not signed: it may be one of many copies"));
    gint64 age = signature->signed_at && input->received ? input->received - signature->signed_at : 0;
    if (age >= REPLAY_LATE)
        g_string_append_printf(out, P_("; signed %u day before it came", "; signed %u days before it came", (guint)(age / 86400)),
                               (guint)(age / 86400));
    if (input->copies > 1)
        g_string_append_printf(out, P_("; %u message here has its Message-ID", "; %u messages here have its Message-ID", input->copies),
                               input->copies);
    return text_safe(out->str, -1, TEXT_LINE);
}
