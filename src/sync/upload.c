/* Messages from here to the server: drafts, sent copies, imports, files that other programs put into the Maildir. Many go in
 * one command where the server can (MULTIAPPEND); when it refuses them, in two halves, so that it is the one message it
 * does not want that stays behind. */
#include "config.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "mail/lines.h"
#include "sync/keyword.h"
#include "sync/push.h"

/* Of one command: what a refusal makes to be sent again, and a broken connection puts in doubt. */
#define UPLOADS_A_COMMAND 100
#define UPLOAD_BYTES (2 * 1024 * 1024)

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

/* One that is ready to go. */
struct upload {
    const struct intent *intent;
    GBytes *message; /* CRLF */
    guint flags;
    char *tags;
    gint64 received;
    guint32 uid; /* when it is there; 0: not told */
};

static void
upload_clear(gpointer data)
{
    struct upload *upload = data;
    g_clear_pointer(&upload->message, g_bytes_unref);
    g_free(upload->tags);
}

/* without: no keywords. */
static gboolean
append_once(struct batch *batch, struct upload *uploads, guint n, gboolean without, GError **error)
{
    g_autofree struct imap_append *messages = g_new0(struct imap_append, n);
    g_autofree struct reading *readings = g_new0(struct reading, n);
    g_autofree guint32 *uids = g_new0(guint32, n);
    g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    guint32 uidvalidity = 0;
    for (guint i = 0; i < n; i++) {
        char **words = keywords_from_tags(without ? "" : uploads[i].tags);
        g_ptr_array_add(keywords, words);
        readings[i].bytes = g_bytes_get_data(uploads[i].message, &readings[i].left);
        messages[i] = (struct imap_append){
            .flags = uploads[i].flags,
            .keywords = (const char *const *) words,
            .date = uploads[i].received,
            .size = readings[i].left,
            .read = read_bytes,
            .data = &readings[i],
        };
    }
    STEP("sync.append.send");
    if (!imap_append_many(batch->sync->imap, batch->target->wire, messages, n, &uidvalidity, uids, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        uploads[i].uid = uidvalidity == batch->target->uidvalidity ? uids[i] : 0;
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
append(struct batch *batch, struct upload *uploads, guint n, GError **error)
{
    struct sync *sync = batch->sync;
    g_autoptr(GError) why = NULL;
    if (append_once(batch, uploads, n, FALSE, &why))
        return TRUE;
    if (can_go_on(sync, why, ERROR_STALE))
        return imap_create(sync->imap, batch->target->wire, 0, TRUE, error) &&
               append_once(batch, uploads, n, FALSE, error);
    if (n == 1 && can_go_on(sync, why, ERROR_REFUSED) && *uploads->tags)
        return append_once(batch, uploads, n, TRUE, error);
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

static gboolean
fail_one(struct batch *batch, const struct intent *intent, GError **error)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_ptr_array_add(one, (gpointer) intent);
    return push_fail(batch, one, error);
}

/* It was done before, by a pass that died: *over. */
static gboolean
find_arrived(struct batch *batch, const struct intent *intent, gboolean *over, GError **error)
{
    struct sync *sync = batch->sync;
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_ptr_array_add(one, (gpointer) intent);
    *over = FALSE;
    if (!intent->uncertain)
        return TRUE;
    if (batch->target->role == FOLDER_SENT && !find_sent(batch, intent, over, error))
        return FALSE;
    if (*over)
        return push_done(batch, one, NULL, error);
    if (intent->kind != INTENT_APPEND || !came_elsewhere(sync, intent, error))
        return TRUE;
    *over = TRUE;
    log_info("sync.append", "intent=%d was uploaded, and moved by somebody", (int) intent->id);
    return placement_remove(sync->store, &intent->target, 1, error) && push_done(batch, one, NULL, error);
}

/* Reads it; upload->message stays NULL when there is nothing to send now. */
static gboolean
prepare(struct batch *batch, const struct intent *intent, struct upload *upload, GError **error)
{
    struct sync *sync = batch->sync;
    gboolean over;
    *upload = (struct upload){.intent = intent};
    if (!find_arrived(batch, intent, &over, error))
        return FALSE;
    if (over)
        return TRUE;
    g_autoptr(GBytes) bytes =
        intent_append_bytes(sync->store, intent, &upload->flags, &upload->tags, &upload->received, error);
    if (!bytes && (*error)->code == ERROR_STALE) {
        /* Its body is still to come, from another account maybe; or it was taken back. */
        log_debug("sync.append", "intent=%d not yet: %s", (int) intent->id, (*error)->message);
        g_clear_error(error);
        return TRUE;
    }
    if (!bytes)
        return fail_one(batch, intent, error);
    upload->message = lf_to_crlf(bytes);
    if (!upload->tags)
        upload->tags = g_strdup("");
    guint64 limit = imap_get_append_limit(sync->imap);
    if (!limit || g_bytes_get_size(upload->message) <= limit)
        return TRUE;
    g_clear_pointer(&upload->message, g_bytes_unref);
    g_set_error(error, SYNC_ERROR, ERROR_REFUSED, "the server takes no message of more than %" G_GUINT64_FORMAT " bytes",
                limit);
    return fail_one(batch, intent, error);
}

static gboolean
record(struct batch *batch, const struct upload *uploads, guint n, GError **error)
{
    g_autofree struct intent_result *results = g_new0(struct intent_result, n);
    for (guint i = 0; i < n; i++)
        results[i] = (struct intent_result){uploads[i].intent->id, uploads[i].uid, 0};
    batch->sync->statistics.uploaded += n;
    STEP("sync.append.record");
    return intent_done(batch->sync->store, results, n, error);
}

/* Claimed ones. */
static gboolean
send_claimed(struct batch *batch, struct upload *uploads, guint n, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (append(batch, uploads, n, &why))
        return record(batch, uploads, n, error);
    if (n > 1 && can_go_on(batch->sync, why, ERROR_REFUSED)) {
        log_info("sync.append", "%u messages were refused together: %s", n, why->message);
        return send_claimed(batch, uploads, n / 2, error) && send_claimed(batch, uploads + n / 2, n - n / 2, error);
    }
    g_autoptr(GPtrArray) intents = g_ptr_array_new();
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(intents, (gpointer) uploads[i].intent);
    g_propagate_error(error, g_steal_pointer(&why));
    return push_fail(batch, intents, error);
}

static gboolean
claim_and_send(struct batch *batch, GArray *uploads, GError **error)
{
    struct upload *all = (struct upload *) uploads->data;
    guint n = uploads->len;
    g_autoptr(GPtrArray) intents = g_ptr_array_new();
    g_autofree struct placement_flags *flags = g_new0(struct placement_flags, n + 1);
    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(intents, (gpointer) all[i].intent);
        flags[i] = (struct placement_flags){all[i].intent->target, all[i].flags, all[i].tags, 0};
    }
    gboolean ok = !n || (placement_flags_sent(batch->sync->store, flags, n, error) &&
                         push_claim(batch, intents, error) && send_claimed(batch, all, n, error));
    g_array_set_size(uploads, 0);
    return ok;
}

gboolean
push_uploads(struct batch *batch, const GPtrArray *intents, GError **error)
{
    struct sync *sync = batch->sync;
    guint at_once = imap_has(sync->imap, IMAP_MULTIAPPEND) ? UPLOADS_A_COMMAND : 1;
    g_autoptr(GArray) uploads = g_array_new(FALSE, FALSE, sizeof(struct upload));
    g_array_set_clear_func(uploads, upload_clear);
    gsize bytes = 0;
    for (guint i = 0; i < intents->len; i++) {
        struct upload upload;
        if (sync_is_cancelled(sync, error))
            return FALSE;
        sync_tell_progress(sync, batch->target, SYNC_SEND, i, intents->len);
        if (!prepare(batch, intents->pdata[i], &upload, error)) {
            upload_clear(&upload);
            return FALSE;
        }
        if (!upload.message) {
            upload_clear(&upload);
            continue;
        }
        gsize size = g_bytes_get_size(upload.message);
        gboolean full = uploads->len >= at_once || (uploads->len && bytes + size > UPLOAD_BYTES);
        bytes = full ? size : bytes + size;
        if (full && !claim_and_send(batch, uploads, error)) {
            upload_clear(&upload);
            return FALSE;
        }
        g_array_append_val(uploads, upload);
    }
    return claim_and_send(batch, uploads, error);
}
