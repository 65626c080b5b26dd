/* bounce_store.c - what a delivery report changes in the store */
#include "config.h"

#include "trust/bounce.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "store/changes.h"
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
bounce_apply(struct store *store, const struct bounce *bounce, gint64 *item, GError **error)
{
    gint64 id = find_item(store, bounce);
    if (item)
        *item = id;
    if (!id && !is_ours(store, bounce))
        return TRUE;
    g_autoptr(struct_outbox_item) sent = id ? outbox_get(store, id, error) : NULL;
    if (id && !sent)
        return FALSE;
    for (guint i = 0; i < bounce->recipients->len; i++)
        if (!apply_recipient(store, id, sent, bounce->recipients->pdata[i], error))
            return FALSE;
    return TRUE;
}

#define STATE_KEY "bounce.sequence"
#define FREE_FORM_AGE                                                                                        \
    ((gint64)30 * 24 * 3600) /* seconds: older mail is looked at only where it is marked as a report */

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

static gboolean
scan_one(struct store *store, struct reader *reader, gint64 message, gboolean *is_applied, char **words,
         GError **error)
{
    /* Once: a report that is marked as read, or moved, says nothing new, and its message may have been sent
     * again. */
    g_autofree char *key = g_strdup_printf("bounce.%" G_GINT64_FORMAT, message);
    g_autofree char *done = index_state_get(store, key);
    if (done)
        return TRUE;
    g_autoptr(GError) why = NULL;
    g_autoptr(GBytes) bytes = store_message_bytes(store, message, &why);
    g_autoptr(struct_document) document = bytes ? reader_parse(reader, bytes, READER_ALL, &why) : NULL;
    if (!document) { /* it has gone, or cannot be read: the next one */
        log_info("trust.bounce", "message=%" G_GINT64_FORMAT " %s", message, why->message);
        return TRUE;
    }
    g_autoptr(struct_bounce) bounce = bounce_read(bytes, document);
    gint64 item = 0;
    if (bounce && !bounce_apply(store, bounce, &item, error))
        return FALSE;
    *is_applied = item != 0;
    *words = item ? describe(bounce) : NULL;
    return !bounce || index_state_set(store, key, "1", error);
}

/* Reports by their mark; free forms by where they come from. */
static gboolean
may_be_report(struct store *store, const struct change *change)
{
    if (change->gone || !change->files->len)
        return FALSE;
    if (change->bits & MESSAGE_REPORT)
        return TRUE;
    if (change->date < clock_now() - FREE_FORM_AGE)
        return FALSE;
    g_autoptr(struct_message) message = message_load(store, change->message, NULL);
    return message && message->from_addr &&
           (!g_ascii_strncasecmp(message->from_addr, "mailer-daemon", 13) ||
            !g_ascii_strncasecmp(message->from_addr, "postmaster", 10));
}

gboolean
bounce_scan(struct store *store, struct reader *reader, void (*notice)(const char *text, gpointer data),
            gpointer data, guint *found, GError **error)
{
    g_autofree char *saved = index_state_get(store, STATE_KEY);
    gint64 since = saved ? g_ascii_strtoll(saved, NULL, 10) : 0, start = since;
    gboolean ok = TRUE;
    if (found)
        *found = 0;
    while (ok) {
        g_autoptr(GPtrArray) changes = changes_since(store, since, 500, error);
        if (!changes)
            return FALSE;
        if (!changes->len)
            break;
        for (guint i = 0; ok && i < changes->len; i++) {
            const struct change *change = changes->pdata[i];
            gboolean is_applied = FALSE;
            g_autofree char *words = NULL;
            if (may_be_report(store, change))
                ok = scan_one(store, reader, change->message, &is_applied, &words, error);
            if (words && notice)
                notice(words, data);
            if (is_applied && found)
                ++*found;
        }
        if (ok)
            since = ((const struct change *)changes->pdata[changes->len - 1])->sequence;
    }
    if (since == start)
        return ok;
    g_autofree char *value = g_strdup_printf("%" G_GINT64_FORMAT, since);
    return index_state_set(store, STATE_KEY, value, ok ? error : NULL) && ok;
}
