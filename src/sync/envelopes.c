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
        .text_later = TRUE,
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

/* ---- from the server, a chunk ahead of the store ---- */

struct chunk {
    guint64 asked;
    GArray *list; /* struct arrival */
};

struct ahead {
    struct sync *sync;
    struct imap_fetch what;
    struct uidset *left; /* the thread's */
    GThread *thread;

    GMutex lock; /* what follows */
    GCond changed;
    GQueue chunks; /* struct chunk, at most CHUNKS_AHEAD */
    gboolean ended, stop;
    GError *error;
};

static void
chunk_free(struct chunk *chunk)
{
    if (!chunk)
        return;
    g_array_unref(chunk->list);
    g_free(chunk);
}

/* FALSE: no more are wanted. Takes the chunk. */
static gboolean
hand_over(struct ahead *ahead, struct chunk *chunk)
{
    g_mutex_lock(&ahead->lock);
    while (!ahead->stop && ahead->chunks.length >= CHUNKS_AHEAD)
        g_cond_wait(&ahead->changed, &ahead->lock);
    gboolean go_on = !ahead->stop;
    if (go_on)
        g_queue_push_tail(&ahead->chunks, g_steal_pointer(&chunk));
    g_cond_broadcast(&ahead->changed);
    g_mutex_unlock(&ahead->lock);
    chunk_free(chunk);
    return go_on;
}

static gpointer
read_ahead(gpointer data)
{
    struct ahead *ahead = data;
    GError *error = NULL;
    gboolean go_on = TRUE;
    for (guint batch = ENVELOPES_FIRST; go_on && !uidset_is_empty(ahead->left); batch = ENVELOPES_A_FETCH) {
        g_autoptr(struct_uidset) some = uidset_take(ahead->left, batch, 0, TRUE);
        struct chunk *chunk = g_new(struct chunk, 1);
        chunk->asked = uidset_count(some);
        chunk->list = g_array_new(FALSE, FALSE, sizeof(struct arrival));
        g_array_set_clear_func(chunk->list, arrival_clear);
        gboolean whole = imap_fetch(ahead->sync->imap, some, &ahead->what, take_envelope, chunk->list, &error);
        /* What came before the connection broke is whole, and is kept: over a line that never lasts for a chunk the list
         * would else not grow. */
        if (whole || error->code == ERROR_RETRY)
            go_on = hand_over(ahead, chunk) && whole;
        else
            chunk_free(chunk);
        go_on = go_on && whole;
    }
    g_mutex_lock(&ahead->lock);
    ahead->error = error;
    ahead->ended = TRUE;
    g_cond_broadcast(&ahead->changed);
    g_mutex_unlock(&ahead->lock);
    return NULL;
}

/* The next chunk; NULL: there are no more, or error is set. */
static struct chunk *
take_chunk(struct ahead *ahead, GError **error)
{
    g_mutex_lock(&ahead->lock);
    while (!ahead->chunks.length && !ahead->ended)
        g_cond_wait(&ahead->changed, &ahead->lock);
    struct chunk *chunk = g_queue_pop_head(&ahead->chunks);
    if (!chunk && ahead->error)
        g_propagate_error(error, g_steal_pointer(&ahead->error));
    g_cond_broadcast(&ahead->changed);
    g_mutex_unlock(&ahead->lock);
    return chunk;
}

static void
ahead_begin(struct ahead *ahead, struct sync *sync, const struct uidset *uids, const struct imap_fetch *what)
{
    ahead->sync = sync;
    ahead->what = *what;
    ahead->left = uidset_copy(uids);
    g_mutex_init(&ahead->lock);
    g_cond_init(&ahead->changed);
    g_queue_init(&ahead->chunks);
    ahead->thread = g_thread_new("envelopes", read_ahead, ahead);
}

static void
ahead_end(struct ahead *ahead)
{
    g_mutex_lock(&ahead->lock);
    ahead->stop = TRUE;
    g_cond_broadcast(&ahead->changed);
    g_mutex_unlock(&ahead->lock);
    g_thread_join(ahead->thread);
    for (struct chunk *chunk; (chunk = g_queue_pop_head(&ahead->chunks));)
        chunk_free(chunk);
    g_clear_error(&ahead->error);
    uidset_free(ahead->left);
    g_mutex_clear(&ahead->lock);
    g_cond_clear(&ahead->changed);
}

static gboolean
take_chunks(struct sync *sync, const struct folder *folder, struct ahead *ahead, guint64 total, GPtrArray *waiting,
            GError **error)
{
    guint64 done = 0;
    g_autoptr(GError) why = NULL;
    for (struct chunk *chunk; !why && (chunk = take_chunk(ahead, &why));) {
        if (!sync_is_cancelled(sync, &why))
            take_batch(sync, folder, chunk->list, waiting, &why);
        done += chunk->asked;
        chunk_free(chunk);
        sync_tell_progress(sync, folder, SYNC_ENVELOPES, done, total);
    }
    if (!why)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
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
    guint64 total = uidset_count(uids);
    if (!total)
        return TRUE;
    gboolean many = total > RELAX_FROM;
    struct ahead ahead = {0};
    sync_tell_progress(sync, folder, SYNC_ENVELOPES, 0, total);
    if (many)
        store_relax_begin(sync->store);
    ahead_begin(&ahead, sync, uids, &what);
    gboolean ok = take_chunks(sync, folder, &ahead, total, waiting, error);
    ahead_end(&ahead);
    if (many && !store_relax_end(sync->store, ok ? error : NULL))
        ok = FALSE;
    log_debug("sync.envelopes", "folder=%s new=%" G_GUINT64_FORMAT, folder->name, total);
    return ok;
}
