#include "config.h"

#include "trust/bounce_private.h"
#include "trust/receipt.h"

#include "mail/envelope.h"

#include <string.h>

void
receipt_free(struct receipt *receipt)
{
    if (!receipt)
        return;
    g_free(receipt->message_id);
    g_free(receipt->address);
    g_free(receipt);
}

/* "manual-action/MDN-sent-manually; displayed/error": what stands behind the semicolon. */
static const char *
kind_of(const char *disposition)
{
    const char *type = strchr(disposition, ';');
    type = type ? type + 1 + strspn(type + 1, " \t") : disposition;
    if (!g_ascii_strncasecmp(type, "displayed", 9) || !g_ascii_strncasecmp(type, "read", 4))
        return "read";
    return !g_ascii_strncasecmp(type, "deleted", 7) ? "deleted" : "processed";
}

static struct receipt *
read_fields(const char *text)
{
    const char *p = text;
    GHashTable *block = bounce_next_block(&p);
    const char *id = block ? g_hash_table_lookup(block, "original-message-id") : NULL;
    const char *disposition = block ? g_hash_table_lookup(block, "disposition") : NULL;
    const char *who = block ? g_hash_table_lookup(block, "final-recipient") : NULL;
    struct receipt *receipt = NULL;
    g_autofree char *bare = id ? message_id_first(id) : NULL;
    if (bare && disposition && who) {
        const char *typed = strchr(who, ';');
        typed = typed ? typed + 1 : who;
        receipt = g_new0(struct receipt, 1);
        receipt->message_id = g_steal_pointer(&bare);
        receipt->address = bounce_text(typed, strlen(typed));
        receipt->kind = kind_of(disposition);
    }
    if (block)
        g_hash_table_unref(block);
    return receipt;
}

struct receipt *
receipt_read(GBytes *message, const struct document *document)
{
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        gboolean is_it = !strcmp(part->type, "message/disposition-notification") ||
                         !strcmp(part->type, "message/global-disposition-notification");
        g_autofree char *text = is_it && !(part->flags & PART_EMBEDDED) ? bounce_part_text(message, part) : NULL;
        if (!text)
            continue;
        g_autoptr(struct_receipt) receipt = read_fields(text);
        return receipt && receipt->address ? g_steal_pointer(&receipt) : NULL;
    }
    return NULL;
}
