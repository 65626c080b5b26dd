/* bounce_store.c - what a delivery report changes in the store */
#include "config.h"

#include "trust/bounce.h"

#include "mail/address.h"
#include "store/contact.h"
#include "store/message.h"
#include "store/outbox.h"

G_DEFINE_QUARK(bounce, bounce_error)

/* The queue item of the message: by its Message-ID, else by the envelope id, which is one of ours when it is
 * a Message-ID. */
static gint64
find_item(struct store *store, const struct bounce *bounce)
{
    gint64 item = bounce->message_id ? outbox_find(store, bounce->message_id) : 0;
    return item || !bounce->envid ? item : outbox_find(store, bounce->envid);
}

/* A message of ours that left by another device has no queue item but lies in Sent. */
static gboolean
is_ours(struct store *store, const struct bounce *bounce)
{
    g_autoptr(GArray) ids = bounce->message_id ? message_find_id(store, bounce->message_id) : NULL;
    for (guint i = 0; ids && i < ids->len; i++) {
        g_autoptr(struct_message) message = message_load(store, g_array_index(ids, gint64, i), NULL);
        if (message && message->bits & MESSAGE_FROM_ME)
            return TRUE;
    }
    return FALSE;
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

gboolean
bounce_apply(struct store *store, const struct bounce *bounce, gint64 *item, gboolean *ours, GError **error)
{
    gint64 id = find_item(store, bounce);
    *item = id;
    *ours = id || is_ours(store, bounce);
    if (!*ours)
        return TRUE;
    g_autoptr(struct_outbox_item) sent = id ? outbox_get(store, id, error) : NULL;
    if (id && !sent)
        return FALSE;
    for (guint i = 0; i < bounce->recipients->len; i++)
        if (!apply_recipient(store, id, sent, bounce->recipients->pdata[i], error))
            return FALSE;
    return TRUE;
}
