/* How full the mailbox is: QUOTA (RFC 2087, RFC 9208). */
#include "config.h"

#include "proto/imap_private.h"

#define QUOTAS_MAX 32

static void
quota_free(gpointer data)
{
    struct imap_quota *quota = data;
    g_free(quota->root);
    g_free(quota->resource);
    g_free(quota);
}

/* "root" (STORAGE 10 512 MESSAGE 3 100) */
static gboolean
take_quota(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    GPtrArray *quotas = collector->data;
    if (reply->kind != REPLY_QUOTA)
        return FALSE;
    struct lex lex = reply->rest;
    struct slice root, word;
    g_autoptr(GString) scratch = g_string_new(NULL);
    lex_space(&lex);
    if (!lex_string(&lex, scratch, &root, NULL) || !root.bytes || !lex_space(&lex) || !lex_char(&lex, '('))
        return TRUE;
    g_autofree char *name = slice_dup(&root);
    for (lex_space(&lex); lex_peek(&lex) != ')' && quotas->len < QUOTAS_MAX; lex_space(&lex)) {
        guint64 usage, limit;
        if (!lex_atom(&lex, &word))
            break;
        g_autofree char *resource = slice_dup(&word);
        if (!lex_space(&lex) || !lex_number(&lex, G_MAXINT64 / 1024, &usage) || !lex_space(&lex) ||
            !lex_number(&lex, G_MAXINT64 / 1024, &limit))
            break;
        struct imap_quota *quota = g_new0(struct imap_quota, 1);
        *quota = (struct imap_quota){g_strdup(name), g_ascii_strup(resource, -1), usage, limit};
        g_ptr_array_add(quotas, quota);
    }
    return TRUE;
}

GPtrArray *
imap_get_quotas(struct imap *imap, GError **error)
{
    g_autoptr(GPtrArray) quotas = g_ptr_array_new_with_free_func(quota_free);
    g_auto(struct_exchange) exchange = {0};
    struct collector collector = {.take = take_quota, .data = quotas};
    if (imap_has(imap, IMAP_QUOTA) &&
        !(imap_run(imap, &exchange, "asking how full the mailbox is", "GETQUOTAROOT INBOX", &collector, error) &&
          imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot ask how full the mailbox is")))
        return NULL;
    return g_steal_pointer(&quotas);
}
