/* arrival_report.c - the stage of delivery reports */
#include "config.h"

#include "trust/arrival.h"
#include "trust/bounce.h"

#include "base/i18n.h"
#include "base/text.h"

/* Reports by their mark; free forms by where they come from. */
gboolean
arrival_wants_report(const struct message *message, gboolean is_recent)
{
    return message->bits & MESSAGE_REPORT ||
           (is_recent && bounce_is_likely(message->from_addr, message->from_name, message->subject));
}

static char *
describe(const struct bounce *bounce)
{
    for (guint i = 0; i < bounce->recipients->len; i++) {
        const struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        if (recipient->kind != BOUNCE_HARD && recipient->kind != BOUNCE_SOFT)
            continue;
        g_autofree char *address = text_safe(recipient->address, -1, TEXT_LINE);
        return g_strdup_printf(_("your message did not reach %s: %s"), address, recipient->reason);
    }
    return NULL;
}

gboolean
arrival_report(struct arrival *arrival, char **verdict, GError **error)
{
    g_autoptr(struct_bounce) bounce = bounce_read(arrival->bytes, arrival->document);
    gint64 item = 0;
    gboolean ours = FALSE;
    if (!bounce) {
        g_autoptr(struct_receipt) receipt = receipt_read(arrival->bytes, arrival->document);
        return !receipt || receipt_apply(arrival->store, receipt, arrival->message->id, &ours, error);
    }
    if (!bounce_apply(arrival->store, bounce, arrival->message->id, &item, &ours, error))
        return FALSE;
    g_autofree char *words = ours ? describe(bounce) : NULL;
    if (words && arrival->host->notice)
        arrival->host->notice(words, arrival->host->data);
    if (ours)
        *verdict = g_strdup_printf("{\"item\":%" G_GINT64_FORMAT "}", item);
    return TRUE;
}
