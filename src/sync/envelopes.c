/* New messages: their envelopes, newest first, each bound to a placement that waits for its UID, or inserted. */
#include "config.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "config/keep.h"
#include "store/survey.h"
#include "sync/internal.h"
#include "sync/keyword.h"

struct arrival {
    struct placement_new row; /* borrows what follows */
    struct envelope *envelope;
    char *tags, *emailid;
};

struct arrivals {
    GArray *list; /* struct arrival */
};

static void
arrival_clear(gpointer data)
{
    struct arrival *arrival = data;
    envelope_free(arrival->envelope);
    g_free(arrival->tags);
    g_free(arrival->emailid);
}

static gboolean
has_attachment(const GPtrArray *parts)
{
    for (guint i = 0; parts && i < parts->len; i++) {
        const struct imap_part *part = parts->pdata[i];
        if (!strcmp(part->disposition, "attachment") || (*part->filename && strcmp(part->disposition, "inline")))
            return TRUE;
    }
    return FALSE;
}

static gboolean
take_envelope(const struct imap_message *message, gpointer data, G_GNUC_UNUSED GError **error)
{
    GArray *list = data;
    if (!(message->items & IMAP_FETCH_HEADER))
        return TRUE;
    struct arrival arrival = {
        .envelope = envelope_from_header(message->header, message->header_length),
        .tags = message->items & IMAP_FETCH_FLAGS ? keywords_to_tags(message->keywords, "", "") : g_strdup(""),
        .emailid = g_strdup(message->items & IMAP_FETCH_IDS ? message->email_id : NULL),
    };
    arrival.row = (struct placement_new){
        .uid = message->uid,
        .modseq = message->items & IMAP_FETCH_MODSEQ ? message->modseq : 0,
        .flags = message->flags,
        .tags = arrival.tags,
        .envelope = arrival.envelope,
        .received = message->items & IMAP_FETCH_DATE ? message->date : 0,
        .size = message->items & IMAP_FETCH_SIZE ? message->size : 0,
        .emailid = arrival.emailid,
        .attachments = message->items & IMAP_FETCH_STRUCTURE && has_attachment(message->parts),
    };
    g_array_append_val(list, arrival);
    return TRUE;
}

/* ---- who waits for a UID ---- */

/* A target whose move or upload was never begun is not matched, except by the server's own id: an equal Message-ID may
 * be forged, and its source would be expunged for it. */
static gboolean
may_match(const struct survey_waiting *waiting)
{
    return !waiting->is_arrival || waiting->may_be_there || waiting->emailid;
}

static GArray *
local_identities(struct sync *sync, const struct folder *folder, const GPtrArray *waiting, gboolean dated)
{
    GArray *locals = g_array_new(FALSE, TRUE, sizeof(struct plan_identity));
    for (guint i = 0; i < waiting->len; i++) {
        const struct survey_waiting *w = waiting->pdata[i];
        gboolean by_name = !w->is_arrival || w->may_be_there;
        struct plan_identity who = {
            .id = w->placement,
            .server_id = w->emailid,
            .message_id = by_name ? w->message_id : NULL,
            .date = dated ? w->date : 0,
            .size = w->size,
            .content = w->content,
            /* Some servers rewrite what is saved to Sent, and Gmail puts it there itself. */
            .loose = (w->is_arrival && folder->role == FOLDER_SENT) ||
                     imap_has_quirk(sync->imap, IMAP_QUIRK_SIZE_ESTIMATED),
        };
        if (may_match(w))
            g_array_append_val(locals, who);
    }
    return locals;
}

static GArray *
remote_identities(const GArray *list, gboolean dated)
{
    GArray *remotes = g_array_new(FALSE, TRUE, sizeof(struct plan_identity));
    for (guint i = 0; i < list->len; i++) {
        const struct arrival *arrival = &g_array_index(list, struct arrival, i);
        gboolean has_date = arrival->envelope->flags & ENVELOPE_DATE_VALID;
        struct plan_identity who = {
            .id = i,
            .server_id = arrival->emailid,
            .message_id = has_date == dated ? arrival->envelope->message_id : NULL,
            .date = dated ? arrival->envelope->date : 0,
            .size = arrival->row.size,
        };
        g_array_append_val(remotes, who);
    }
    return remotes;
}

static void
waiting_remove(GPtrArray *waiting, gint64 placement)
{
    for (guint i = 0; i < waiting->len; i++)
        if (((const struct survey_waiting *) waiting->pdata[i])->placement == placement) {
            g_ptr_array_remove_index(waiting, i);
            return;
        }
}

static gboolean
bind_pairs(struct sync *sync, const GArray *locals, const GArray *list, const GArray *pairs, gboolean *bound,
           GPtrArray *waiting, GError **error)
{
    for (guint i = 0; i < pairs->len; i++) {
        const struct plan_pair *pair = &g_array_index(pairs, struct plan_pair, i);
        gint64 placement = g_array_index(locals, struct plan_identity, pair->local).id;
        const struct arrival *arrival = &g_array_index(list, struct arrival, pair->remote);
        STEP("sync.bind");
        if (!placement_bind(sync->store, placement, arrival->row.uid, arrival->row.modseq, arrival->row.flags,
                            arrival->row.tags, error))
            return FALSE;
        bound[pair->remote] = TRUE;
        waiting_remove(waiting, placement);
        sync->statistics.matched++;
        sync->statistics.matched_bytes += arrival->row.size;
    }
    return TRUE;
}

/* What the server lists may be what we moved, uploaded, or knew under another number. Messages with a date first; then
 * those without, whose date here is only that of their arrival. */
static gboolean
bind_known(struct sync *sync, const struct folder *folder, const GArray *list, GPtrArray *waiting, gboolean *bound,
           GError **error)
{
    for (gboolean dated = TRUE; waiting->len; dated = FALSE) {
        g_autoptr(GArray) locals = local_identities(sync, folder, waiting, dated), remotes = remote_identities(list, dated);
        g_autoptr(GArray) pairs = plan_match((const struct plan_identity *) locals->data, locals->len,
                                             (const struct plan_identity *) remotes->data, remotes->len);
        if (!bind_pairs(sync, locals, list, pairs, bound, waiting, error))
            return FALSE;
        if (!dated)
            break;
    }
    return TRUE;
}

static gboolean
take_batch(struct sync *sync, const struct folder *folder, GArray *list, GPtrArray *waiting, GError **error)
{
    g_autofree gboolean *bound = g_new0(gboolean, list->len + 1);
    if (waiting->len && !bind_known(sync, folder, list, waiting, bound, error))
        return FALSE;
    g_autofree struct placement_new *rows = g_new(struct placement_new, list->len + 1);
    guint n = 0;
    for (guint i = 0; i < list->len; i++)
        if (!bound[i])
            rows[n++] = g_array_index(list, struct arrival, i).row;
    for (guint done = 0; done < n; done += ROWS_A_COMMIT) {
        STEP("sync.envelopes");
        if (!placement_insert(sync->store, folder->id, rows + done, MIN(n - done, ROWS_A_COMMIT), NULL, error))
            return FALSE;
        sync_tell_changed(sync, FALSE);
    }
    sync->statistics.envelopes += n;
    return TRUE;
}

/* What came before the connection broke is whole, and is kept: over a line that never lasts for a batch the list would
 * else not grow. */
static gboolean
fetch_batch(struct sync *sync, const struct folder *folder, const struct uidset *uids, const struct imap_fetch *what,
            GPtrArray *waiting, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct arrival));
    g_array_set_clear_func(list, arrival_clear);
    g_autoptr(GError) broken = NULL;
    gboolean whole = imap_fetch(sync->imap, uids, what, take_envelope, list, &broken);
    if ((whole || broken->code == ERROR_RETRY) && !take_batch(sync, folder, list, waiting, error))
        return FALSE;
    if (!whole)
        g_propagate_error(error, g_steal_pointer(&broken));
    return whole;
}

gboolean
envelopes_fetch(struct sync *sync, const struct folder *folder, const struct uidset *uids, GError **error)
{
    g_autoptr(GPtrArray) waiting = survey_waiting(sync->store, folder->id, error);
    if (!waiting)
        return FALSE;
    struct imap_fetch what = {
        .items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ | IMAP_FETCH_SIZE | IMAP_FETCH_DATE | IMAP_FETCH_HEADER |
                 IMAP_FETCH_IDS,
        .header_fields = ENVELOPE_FIELDS,
        .newest_first = TRUE,
    };
    /* The attachment mark comes with the body, where one comes. */
    if (keep_is_partial(keep_of(sync->options.account, folder->name)))
        what.items |= IMAP_FETCH_STRUCTURE;
    g_autoptr(struct_uidset) left = uidset_copy(uids);
    guint64 total = uidset_count(left), done = 0;
    for (guint batch = ENVELOPES_FIRST; !uidset_is_empty(left); batch = ENVELOPES_A_FETCH) {
        if (sync_is_cancelled(sync, error))
            return FALSE;
        g_autoptr(struct_uidset) some = uidset_take(left, batch, 0, TRUE);
        sync_tell_progress(sync, folder, SYNC_ENVELOPES, done, total);
        if (!fetch_batch(sync, folder, some, &what, waiting, error))
            return FALSE;
        done += uidset_count(some);
    }
    if (total)
        log_debug("sync.envelopes", "folder=%s new=%" G_GUINT64_FORMAT, folder->name, total);
    return TRUE;
}
