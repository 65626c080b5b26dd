/* One message from here to the server: drafts, sent copies, files that other programs put into the Maildir. */
#include "config.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "mail/lines.h"
#include "sync/keyword.h"
#include "sync/push.h"

struct reading {
    const char *bytes;
    gsize left;
};

static gssize
read_bytes(void *bytes, gsize size, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct reading *reading = data;
    gsize n = MIN(size, reading->left);
    memcpy(bytes, reading->bytes, n);
    reading->bytes += n;
    reading->left -= n;
    return (gssize) n;
}

static gboolean
append_once(struct batch *batch, GBytes *message, guint flags, const char *const *keywords, gint64 received,
            guint32 *uid, GError **error)
{
    struct imap_append append = {.flags = flags, .keywords = keywords, .date = received};
    struct reading reading;
    reading.bytes = g_bytes_get_data(message, &reading.left);
    append.size = reading.left;
    append.read = read_bytes;
    append.data = &reading;
    guint32 uidvalidity = 0;
    STEP("sync.append.send");
    if (!imap_append(batch->sync->imap, batch->target->wire, &append, &uidvalidity, uid, error))
        return FALSE;
    if (uidvalidity != batch->target->uidvalidity)
        *uid = 0;
    return TRUE;
}

static gboolean
can_go_on(struct sync *sync, const GError *error, int code)
{
    return error->code == code && sync_is_connected(sync);
}

/* Tries again once where that may help: a folder that is not there is made, keywords that are refused are left out (they
 * stay wanted, and are told with the next pass). */
static gboolean
append(struct batch *batch, GBytes *message, guint flags, const char *tags, gint64 received, guint32 *uid,
       GError **error)
{
    struct sync *sync = batch->sync;
    g_auto(GStrv) keywords = keywords_from_tags(tags);
    g_autoptr(GError) why = NULL;
    if (append_once(batch, message, flags, (const char *const *) keywords, received, uid, &why))
        return TRUE;
    if (can_go_on(sync, why, ERROR_STALE)) {
        if (!imap_create(sync->imap, batch->target->wire, 0, TRUE, error))
            return FALSE;
        return append_once(batch, message, flags, (const char *const *) keywords, received, uid, error);
    }
    if (can_go_on(sync, why, ERROR_REFUSED) && *keywords)
        return append_once(batch, message, flags, NULL, received, uid, error);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* An upload that may have happened is not in its folder, as far as a match can tell. In Sent the Message-ID alone
 * decides (servers rewrite what is saved there, Gmail puts it there itself): *bound. */
static gboolean
find_sent(struct batch *batch, const struct intent *intent, gboolean *bound, GError **error)
{
    struct store *store = batch->sync->store;
    g_autoptr(struct_message) message = message_load(store, intent->message, error);
    *bound = FALSE;
    if (!message)
        return FALSE;
    g_autoptr(GArray) versions = message->message_id ? message_find_id(store, message->message_id) : NULL;
    for (guint i = 0; versions && i < versions->len; i++) {
        g_autoptr(GPtrArray) places = message_places(store, g_array_index(versions, gint64, i), error);
        for (guint k = 0; places && k < places->len; k++) {
            const struct message_place *place = places->pdata[k];
            if (place->folder != batch->target->id || !place->uid)
                continue;
            *bound = TRUE;
            return placement_bind(store, intent->target, place->uid, 0, place->flags, place->tags, error);
        }
    }
    return TRUE;
}

static gboolean
lies_elsewhere(struct sync *sync, gint64 message, gint64 since, GError **error)
{
    g_autoptr(GPtrArray) places = message_places(sync->store, message, error);
    for (guint i = 0; places && i < places->len; i++) {
        const struct message_place *place = places->pdata[i];
        if (place->uid && place->placement > since)
            return TRUE;
    }
    return FALSE;
}

/* An upload that may have happened is not in its folder, but the same message came into another one since: somebody moved
 * it there, and uploading it again would double it. */
static gboolean
came_elsewhere(struct sync *sync, const struct intent *intent, GError **error)
{
    if (lies_elsewhere(sync, intent->message, intent->target, error))
        return TRUE;
    g_autoptr(struct_message) ours = message_load(sync->store, intent->message, error);
    g_autoptr(GArray) versions = ours && ours->message_id ? message_find_id(sync->store, ours->message_id) : NULL;
    for (guint i = 0; versions && i < versions->len; i++) {
        gint64 id = g_array_index(versions, gint64, i);
        g_autoptr(struct_message) other = id == ours->id ? NULL : message_load(sync->store, id, error);
        if (other && other->date == ours->date && other->size == ours->size &&
            lies_elsewhere(sync, id, intent->target, error))
            return TRUE;
    }
    return FALSE;
}

gboolean
push_upload(struct batch *batch, const struct intent *intent, GError **error)
{
    struct sync *sync = batch->sync;
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_ptr_array_add(one, (gpointer) intent);
    guint32 uid = 0;
    if (intent->uncertain && batch->target->role == FOLDER_SENT) {
        gboolean bound;
        if (!find_sent(batch, intent, &bound, error))
            return FALSE;
        if (bound)
            return push_done(batch, one, NULL, error);
    }
    if (intent->uncertain && intent->kind == INTENT_APPEND && came_elsewhere(sync, intent, error)) {
        log_info("sync.append", "intent=%d was uploaded, and moved by somebody", (int) intent->id);
        return placement_remove(sync->store, &intent->target, 1, error) && push_done(batch, one, NULL, error);
    }
    guint flags = 0;
    g_autofree char *tags = NULL;
    gint64 received = 0;
    g_autoptr(GBytes) bytes = intent_append_bytes(sync->store, intent, &flags, &tags, &received, error);
    if (!bytes && (*error)->code == ERROR_STALE) {
        /* Its body is still to come, from another account maybe; or it was taken back. */
        log_debug("sync.append", "intent=%d not yet: %s", (int) intent->id, (*error)->message);
        g_clear_error(error);
        return TRUE;
    }
    if (!bytes)
        return push_fail(batch, one, error);
    g_autoptr(GBytes) message = lf_to_crlf(bytes);
    guint64 limit = imap_get_append_limit(sync->imap);
    if (limit && g_bytes_get_size(message) > limit) {
        g_set_error(error, SYNC_ERROR, ERROR_REFUSED, "the server takes no message of more than %" G_GUINT64_FORMAT " bytes",
                    limit);
        return push_fail(batch, one, error);
    }
    if (!push_claim(batch, one, error))
        return FALSE;
    if (!append(batch, message, flags, tags ? tags : "", received, &uid, error))
        return push_fail(batch, one, error);
    sync->statistics.uploaded++;
    struct intent_result result = {intent->id, uid, 0};
    STEP("sync.append.record");
    return intent_done(sync->store, &result, 1, error);
}
