#include "config.h"

#include "trust/authentication.h"

static void
dkim_free(gpointer data)
{
    struct authentication_dkim *dkim = data;
    g_free(dkim->result);
    g_free(dkim->domain);
    g_free(dkim->selector);
    g_free(dkim->reason);
    g_free(dkim->algorithm);
    g_free(dkim);
}

struct authentication *
authentication_new(void)
{
    struct authentication *authentication = g_new0(struct authentication, 1);
    authentication->dkim = g_ptr_array_new_with_free_func(dkim_free);
    return authentication;
}

struct authentication_dkim *
authentication_add_dkim(struct authentication *authentication)
{
    struct authentication_dkim *dkim = g_new0(struct authentication_dkim, 1);
    g_ptr_array_add(authentication->dkim, dkim);
    return dkim;
}

void
authentication_free(struct authentication *authentication)
{
    if (!authentication)
        return;
    g_free(authentication->by);
    g_free(authentication->spf);
    g_free(authentication->spf_domain);
    g_free(authentication->spf_reason);
    g_ptr_array_unref(authentication->dkim);
    g_free(authentication->dmarc);
    g_free(authentication->dmarc_domain);
    g_free(authentication->dmarc_policy);
    g_free(authentication->dmarc_reason);
    g_free(authentication->arc);
    g_free(authentication->arc_domain);
    g_free(authentication->arc_reason);
    g_free(authentication);
}

/* The texts, in the order in which they travel. */
static char **
text_at(struct authentication *authentication, guint i)
{
    char **const texts[] = {
        &authentication->by,           &authentication->spf,          &authentication->spf_domain,
        &authentication->spf_reason,   &authentication->dmarc,        &authentication->dmarc_domain,
        &authentication->dmarc_policy, &authentication->dmarc_reason, &authentication->arc,
        &authentication->arc_domain,   &authentication->arc_reason};
    return i < G_N_ELEMENTS(texts) ? texts[i] : NULL;
}

GVariant *
authentication_to_variant(const struct authentication *authentication)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(AUTHENTICATION_TYPE));
    g_variant_builder_open(&builder, G_VARIANT_TYPE("a(msmsmsmsmsux)"));
    for (guint i = 0; i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = authentication->dkim->pdata[i];
        g_variant_builder_add(&builder, "(msmsmsmsmsux)", dkim->result, dkim->domain, dkim->selector,
                              dkim->reason, dkim->algorithm, dkim->bits, dkim->signed_at);
    }
    g_variant_builder_close(&builder);
    char **text;
    for (guint i = 0; (text = text_at((struct authentication *)authentication, i)); i++)
        g_variant_builder_add(&builder, "ms", *text);
    return g_variant_builder_end(&builder);
}

struct authentication *
authentication_from_variant(GVariant *value)
{
    struct authentication *authentication = authentication_new();
    g_autoptr(GVariant) list = g_variant_get_child_value(value, 0);
    GVariantIter iter;
    struct authentication_dkim row;
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(msmsmsmsmsux)", &row.result, &row.domain, &row.selector, &row.reason,
                               &row.algorithm, &row.bits, &row.signed_at))
        *authentication_add_dkim(authentication) = row;
    char **text;
    for (guint i = 0; (text = text_at(authentication, i)); i++)
        g_variant_get_child(value, i + 1, "ms", text);
    return authentication;
}
