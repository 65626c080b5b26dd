/* bounce_store.c - what a delivery report changes in the store */
#include "config.h"

#include "trust/bounce.h"

#include "base/clock.h"
#include "mail/address.h"
#include "store/contact.h"
#include "store/delivery.h"
#include "store/message.h"
#include "store/outbox.h"

G_DEFINE_QUARK(bounce, bounce_error)

#define FIND_AGE ((gint64)10 * 24 * 3600) /* seconds: a report without an id is about mail as young as this */

/* The queue item of the message: by its Message-ID, else by the envelope id, which is one of ours when it is
 * a Message-ID. */
static gint64
find_item(struct store *store, const struct bounce *bounce)
{
    gint64 item = bounce->message_id ? outbox_find(store, bounce->message_id) : 0;
    if (!item && bounce->envid)
        item = outbox_find(store, bounce->envid);
    /* Old gateways return no id. Who knows the subject, and one that it went to, has seen the message. */
    gint64 since = clock_now() - FIND_AGE;
    for (guint i = 0; !item && !bounce->message_id && bounce->subject && i < bounce->recipients->len; i++) {
        const struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        item = outbox_find_recent(store, recipient->address, bounce->subject, since);
        if (!item && recipient->original)
            item = outbox_find_recent(store, recipient->original, bounce->subject, since);
    }
    return item;
}

/* The message as it lies here, ours and sent, whichever device sent it: GArray of gint64. */
static GArray *
find_sent(struct store *store, const char *message_id)
{
    g_autoptr(GArray) ids = message_id ? message_find_id(store, message_id) : NULL;
    GArray *sent = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; ids && i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);
        g_autoptr(struct_message) message = message_load(store, id, NULL);
        if (message && message->bits & MESSAGE_FROM_ME)
            g_array_append_val(sent, id);
    }
    return sent;
}

/* Was it sent to that address? The server may have rewritten it; then the original is named too. */
static const struct outbox_recipient *
find_recipient(const struct outbox_item *item, const struct bounce_recipient *recipient)
{
    const char *names[] = {recipient->address, recipient->original};
    for (guint n = 0; n < G_N_ELEMENTS(names); n++)
        for (guint i = 0; names[n] && i < item->recipients->len; i++) {
            const struct outbox_recipient *sent = item->recipients->pdata[i];
            if (address_same(sent->addr, names[n]))
                return sent;
        }
    return item->recipients->len == 1 ? item->recipients->pdata[0] : NULL;
}

static gboolean
apply_recipient(struct store *store, gint64 id, const struct outbox_item *item,
                const struct bounce_recipient *recipient, GError **error)
{
    const struct outbox_recipient *sent = item ? find_recipient(item, recipient) : NULL;
    if (item && !sent)
        return TRUE; /* not one of those it was sent to */
    const char *address = sent ? sent->addr : recipient->address;
    gboolean has_failed = recipient->kind == BOUNCE_HARD || recipient->kind == BOUNCE_SOFT;
    /* A refused content or a policy says nothing of the address. */
    gboolean is_dead = recipient->kind == BOUNCE_HARD && recipient->is_address;
    const char *words = recipient->diagnostic ? recipient->diagnostic : recipient->reason;
    if (has_failed && item)
        return outbox_bounced(store, id, address, is_dead, recipient->status, words, error);
    if (is_dead)
        return contact_set_bounced(store, address, words, error);
    if (recipient->kind == BOUNCE_DELIVERED)
        return contact_set_bounced(store, address, NULL, error);
    return TRUE;
}

static gboolean
note_recipient(struct store *store, const GArray *sent, gint64 report, const struct bounce_recipient *recipient, GError **error)
{
    struct delivery line = {.report = report,
                            .address = recipient->original ? recipient->original : recipient->address,
                            .kind = (char *)bounce_kind_name(recipient->kind),
                            .status = recipient->status,
                            .text = recipient->diagnostic,
                            .time = clock_now()};
    for (guint i = 0; i < sent->len; i++)
        if (!delivery_note(store, g_array_index(sent, gint64, i), &line, error))
            return FALSE;
    return TRUE;
}

gboolean
bounce_apply(struct store *store, const struct bounce *bounce, gint64 report, gint64 *item, gboolean *ours, GError **error)
{
    gint64 id = find_item(store, bounce);
    g_autoptr(struct_outbox_item) queued = id ? outbox_get(store, id, error) : NULL;
    if (id && !queued)
        return FALSE;
    g_autoptr(GArray) sent = find_sent(store, queued && queued->message_id ? queued->message_id : bounce->message_id);
    *item = id;
    *ours = id || sent->len;
    for (guint i = 0; *ours && i < bounce->recipients->len; i++) {
        const struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        if (queued && !find_recipient(queued, recipient))
            continue; /* not one of those it was sent to */
        if (!apply_recipient(store, id, queued, recipient, error) ||
            !note_recipient(store, sent, report, recipient, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
receipt_apply(struct store *store, const struct receipt *receipt, gint64 report, gboolean *ours, GError **error)
{
    g_autoptr(GArray) sent = find_sent(store, receipt->message_id);
    struct delivery line = {
        .report = report, .address = receipt->address, .kind = (char *)receipt->kind, .time = clock_now()};
    *ours = sent->len > 0;
    for (guint i = 0; i < sent->len; i++)
        if (!delivery_note(store, g_array_index(sent, gint64, i), &line, error))
            return FALSE;
    return TRUE;
}
