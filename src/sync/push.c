/* What was changed here, carried to the server: flags as the plan groups them, and the intents (moves, copies, uploads,
 * removals). An intent is claimed before its command and done after it; one that was claimed by a pass that died is
 * `uncertain`, and comes here only after its folders were read, so that what had arrived is known by its UID. */
#include "config.h"

#include <string.h>

#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"
#include "sync/agree.h"
#include "sync/keyword.h"
#include "sync/push.h"

/* ---- flags ---- */

/* What the server says of mod-sequences while it stores. */
struct stored {
    guint64 since;
    struct uidset *steps; /* MODSEQ - since, of every change that was reported */
    gboolean odd;
};

static gboolean
take_stored(const struct imap_message *message, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct stored *stored = data;
    if (!(message->items & IMAP_FETCH_MODSEQ))
        return TRUE;
    guint64 step = message->modseq - stored->since;
    stored->odd = stored->odd || message->modseq <= stored->since || step > G_MAXUINT32;
    if (!stored->odd)
        uidset_add(stored->steps, (guint32) step);
    return TRUE;
}

/* When the mod-sequences of our changes follow without a gap on the one up to which we know the folder, nobody else changed
 * anything meanwhile (RFC 7162 section 3.1: none is given twice): it is known up to the last of them, and what we did is not
 * told to us again. Else whatever came between is told by the next report. */
static void
follow_modseq(struct sync *sync, const struct stored *stored)
{
    guint64 steps = uidset_count(stored->steps);
    gboolean ours = !stored->odd && steps && uidset_min(stored->steps) == 1 && uidset_max(stored->steps) == steps;
    if (ours)
        sync->mailbox->modseq += steps;
    else
        sync->store_freely = TRUE; /* our own changes would fail the test */
}

/* A change of one mark is right whatever happened to the others. But one that crossed a change by somebody else is looked at
 * again first: UNCHANGEDSINCE, once; a server that always refuses it gets the change without. */
static guint64
unchanged_since(struct sync *sync, const struct folder *folder)
{
    gboolean again = sync->crossed == folder->id;
    sync->crossed = 0;
    return again || sync->store_freely || !imap_has(sync->imap, IMAP_CONDSTORE) ? 0 : sync->mailbox->modseq;
}

static gboolean
store_flags(struct sync *sync, const struct folder *folder, const struct plan_action *action, struct uidset *crossed,
            GError **error)
{
    g_auto(GStrv) keywords = keywords_from_tags(action->tags);
    if (!action->flags && !*keywords)
        return TRUE; /* only tags that no keyword can say */
    struct stored stored = {.since = sync->mailbox->modseq, .steps = uidset_new()};
    guint64 since = unchanged_since(sync, folder);
    STEP("sync.flags.send");
    gboolean ok = imap_store(sync->imap, action->uids, action->add, action->flags, (const char *const *) keywords, since,
                             crossed, stored.since ? take_stored : NULL, &stored, error);
    if (ok)
        follow_modseq(sync, &stored);
    uidset_free(stored.steps);
    if (!uidset_is_empty(crossed)) {
        log_info("sync.flags", "folder=%s crossed=%" G_GUINT64_FORMAT, folder->name, uidset_count(crossed));
        sync->crossed = folder->id;
    }
    return ok;
}

static gboolean
record_sent(struct sync *sync, const GArray *rows, GError **error)
{
    gboolean ok = TRUE, many = rows->len > RELAX_FROM;
    if (many)
        store_relax_begin(sync->store);
    for (guint i = 0; i < rows->len && ok; i += FLAGS_A_COMMIT) {
        STEP("sync.flags.record");
        ok = placement_flags_sent(sync->store, &g_array_index(rows, struct placement_flags, i),
                                  MIN(rows->len - i, FLAGS_A_COMMIT), error);
    }
    if (many && !store_relax_end(sync->store, ok ? error : NULL))
        ok = FALSE;
    return ok;
}

gboolean
push_flags(struct sync *sync, const struct folder *folder, struct known *known, const struct plan_action *action,
           GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct placement_flags));
    g_autoptr(struct_uidset) crossed = uidset_new();
    guint32 uid;
    if (!store_flags(sync, folder, action, crossed, error))
        return FALSE;
    for (struct uidset_iter it = uidset_iter(action->uids); uidset_next(&it, &uid);) {
        struct placement *row = uidset_contains(crossed, uid) ? NULL : known_find(known, uid);
        if (!row)
            continue;
        g_autofree char *tags = NULL;
        if (action->add) {
            row->base_flags |= action->flags;
            tags = tags_merge("", row->base_tags, action->tags);
        } else {
            row->base_flags &= ~action->flags;
            tags = tags_minus(row->base_tags, action->tags);
        }
        row->base_tags = g_string_chunk_insert_const(known->set->strings, tags);
        struct placement_flags sent = {row->id, row->base_flags, row->base_tags, 0};
        g_array_append_val(rows, sent);
    }
    if (!record_sent(sync, rows, error))
        return FALSE;
    log_debug("sync.flags", "folder=%s sent=%u", folder->name, rows->len);
    return TRUE;
}

/* ---- intents ---- */

static void
batch_clear(struct batch *batch)
{
    g_clear_pointer(&batch->source, folder_free);
    g_clear_pointer(&batch->target, folder_free);
    g_clear_pointer(&batch->intents, g_ptr_array_unref);
}

/* The UID of a placement now; 0: none yet, or the placement has gone (*there is FALSE). */
static guint32
uid_of(struct sync *sync, gint64 placement, gboolean *there)
{
    struct placement row;
    *there = placement && placement_get(sync->store, placement, &row, NULL, NULL);
    return *there ? row.uid : 0;
}

gboolean
push_claim(struct batch *batch, const GPtrArray *intents, GError **error)
{
    g_autofree gint64 *ids = g_new(gint64, intents->len + 1);
    for (guint i = 0; i < intents->len; i++)
        ids[i] = ((const struct intent *) intents->pdata[i])->id;
    return intent_claim(batch->sync->store, ids, intents->len, error);
}

/* The server's word about these intents alone is noted with them; anything else ends the pass. A folder that changed
 * under us (ERROR_STALE), or one of them that was taken back (ERROR_WITHDRAWN), is no fault of theirs: they come again. */
gboolean
push_fail(struct batch *batch, const GPtrArray *intents, GError **error)
{
    struct sync *sync = batch->sync;
    g_autoptr(GError) why = g_steal_pointer(error);
    const struct folder *about = batch->source ? batch->source : batch->target;
    g_autofree char *text = g_strdup(why->message);
    gboolean again = why->code == ERROR_STALE || why->code == ERROR_WITHDRAWN;
    if (!sync_survives(sync, about, &why)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    for (guint i = 0; i < intents->len && !again; i++)
        if (!intent_failed(sync->store, ((const struct intent *) intents->pdata[i])->id, text, 0, error))
            return FALSE;
    return TRUE;
}

gboolean
push_done(struct batch *batch, const GPtrArray *intents, const struct imap_copies *copies, GError **error)
{
    struct sync *sync = batch->sync;
    g_autofree struct intent_result *results = g_new0(struct intent_result, intents->len + 1);
    /* UIDs of a folder that was numbered anew since we read it are not those that we know it by. */
    gboolean known = copies && batch->target && copies->uidvalidity && copies->uidvalidity == batch->target->uidvalidity;
    g_autoptr(GHashTable) new_uids = g_hash_table_new(NULL, NULL);
    for (guint i = 0; known && i < copies->pairs->len; i++) {
        const struct imap_copied *pair = &g_array_index(copies->pairs, struct imap_copied, i);
        g_hash_table_insert(new_uids, GUINT_TO_POINTER(pair->from), GUINT_TO_POINTER(pair->to));
    }
    for (guint i = 0; i < intents->len; i++) {
        const struct intent *intent = intents->pdata[i];
        results[i].intent = intent->id;
        results[i].new_uid =
            GPOINTER_TO_UINT(g_hash_table_lookup(new_uids, GUINT_TO_POINTER(intent->source_uid)));
    }
    for (guint i = 0; i < intents->len; i += ROWS_A_COMMIT) {
        STEP("sync.intent.record");
        if (!intent_done(sync->store, results + i, MIN(intents->len - i, ROWS_A_COMMIT), error))
            return FALSE;
    }
    return TRUE;
}

/* Selects the source under the UIDVALIDITY that its UIDs belong to. */
static gboolean
select_source(struct batch *batch, GError **error)
{
    if (!sync_select(batch->sync, batch->source, NULL, error))
        return FALSE;
    if (batch->sync->mailbox->uidvalidity == batch->source->uidvalidity)
        return TRUE;
    g_set_error(error, SYNC_ERROR, ERROR_STALE, "the folder was numbered anew by its server");
    return FALSE;
}

static struct uidset *
source_uids(const GPtrArray *intents)
{
    struct uidset *uids = uidset_new();
    for (guint i = 0; i < intents->len; i++)
        uidset_add(uids, ((const struct intent *) intents->pdata[i])->source_uid);
    return uids;
}

/* \Deleted, and then these and nothing else. Without UIDPLUS the only EXPUNGE takes whatever anybody has marked: it is
 * used when that is ours alone, else the messages stay marked. */
static gboolean
expunge(struct batch *batch, const struct uidset *uids, GError **error)
{
    struct sync *sync = batch->sync;
    STEP("sync.expunge.mark");
    gboolean one_by_one = imap_has(sync->imap, IMAP_UIDPLUS);
    if (!one_by_one && !imap_store(sync->imap, uids, TRUE, FLAG_DELETED, NULL, 0, NULL, NULL, NULL, error))
        return FALSE;
    STEP("sync.expunge.send");
    if (one_by_one)
        return imap_remove(sync->imap, uids, error);
    g_autoptr(struct_uidset) marked = imap_search(sync->imap, "DELETED", error);
    if (!marked)
        return FALSE;
    uidset_remove_set(marked, uids);
    if (uidset_is_empty(marked))
        return imap_expunge_all_deleted(sync->imap, error);
    sync_tell_notice(sync, batch->source,
                     "messages stay marked as deleted on the server: it cannot remove single ones, and others are marked "
                     "there by another program");
    return TRUE;
}

static gboolean
send_expunges(struct batch *batch, GPtrArray *intents, GError **error)
{
    if (!intents->len)
        return TRUE;
    g_autoptr(struct_uidset) uids = source_uids(intents);
    if (!select_source(batch, error) || !push_claim(batch, intents, error) || !expunge(batch, uids, error))
        return *error && push_fail(batch, intents, error);
    if (batch->kind == INTENT_EXPUNGE)
        batch->sync->statistics.expunged += intents->len;
    return push_done(batch, intents, NULL, error);
}

static gboolean
send_copies(struct batch *batch, GPtrArray *intents, GError **error)
{
    struct sync *sync = batch->sync;
    if (!intents->len)
        return TRUE;
    g_autoptr(struct_uidset) uids = source_uids(intents);
    g_autoptr(struct_imap_copies) copies = imap_copies_new();
    gboolean move = batch->kind == INTENT_MOVE, by_move = move && imap_has(sync->imap, IMAP_MOVE);
    if (!select_source(batch, error) || !push_claim(batch, intents, error))
        return *error && push_fail(batch, intents, error);
    STEP("sync.copy.send");
    gboolean ok = by_move ? imap_move(sync->imap, uids, batch->target->wire, copies, error)
                          : imap_copy(sync->imap, uids, batch->target->wire, copies, error);
    if (ok && move && !by_move)
        ok = expunge(batch, uids, error);
    if (!ok)
        return push_fail(batch, intents, error);
    *(move ? &sync->statistics.moved : &sync->statistics.copied) += intents->len;
    return push_done(batch, intents, copies, error);
}

/* ---- which of a batch is to be done how ---- */

/* Deletions for good are counted against the folder (D11). Trash and Junk are there to be emptied. */
static gboolean
is_braked(struct batch *batch, guint n, GError **error)
{
    struct sync *sync = batch->sync;
    const struct folder *folder = batch->source;
    if (folder->role == FOLDER_TRASH || folder->role == FOLDER_JUNK || sync_is_agreed(sync->store, folder->id) ||
        !plan_brake((guint64) folder->total + n, n))
        return FALSE;
    g_autofree char *text = g_strdup_printf(
        "%u messages would be removed from the server for good: nothing is removed until you agree", n);
    sync_tell_notice(sync, folder, "%s", text);
    if (!folder_set_bits(sync->store, folder->id, FOLDER_PAUSED, 0, error))
        return TRUE;
    folder_set_notice(sync->store, folder->id, text, error);
    return TRUE;
}

static gboolean
send_moves(struct batch *batch, GError **error)
{
    struct sync *sync = batch->sync;
    g_autoptr(GPtrArray) to_move = g_ptr_array_new(), arrived = g_ptr_array_new();
    for (guint i = 0; i < batch->intents->len; i++) {
        struct intent *intent = batch->intents->pdata[i];
        gboolean source_there, target_there;
        guint32 source = uid_of(sync, intent->source, &source_there);
        guint32 target = uid_of(sync, intent->target, &target_there);
        intent->source_uid = source;
        if (source && target_there)
            g_ptr_array_add(target ? arrived : to_move, intent);
        else if (source && !intent_drop(sync->store, intent->id, error))
            return FALSE; /* somebody removed what had arrived: what is left at the source stays */
    }
    /* What has arrived under its UID before (a copy whose answer was lost) only leaves its source. */
    return send_expunges(batch, arrived, error) && send_copies(batch, to_move, error);
}

static gboolean
send_copy_batch(struct batch *batch, GError **error)
{
    struct sync *sync = batch->sync;
    g_autoptr(GPtrArray) to_copy = g_ptr_array_new(), over = g_ptr_array_new();
    for (guint i = 0; i < batch->intents->len; i++) {
        struct intent *intent = batch->intents->pdata[i];
        gboolean source_there, target_there;
        intent->source_uid = uid_of(sync, intent->source, &source_there);
        guint32 target = uid_of(sync, intent->target, &target_there);
        if (target || !target_there)
            g_ptr_array_add(over, intent);
        else if (intent->source_uid)
            g_ptr_array_add(to_copy, intent);
    }
    return push_done(batch, over, NULL, error) && send_copies(batch, to_copy, error);
}

static gboolean
send_expunge_batch(struct batch *batch, GError **error)
{
    g_autoptr(GPtrArray) to_expunge = g_ptr_array_new(), over = g_ptr_array_new();
    for (guint i = 0; i < batch->intents->len; i++) {
        struct intent *intent = batch->intents->pdata[i];
        gboolean there;
        intent->source_uid = uid_of(batch->sync, intent->source, &there);
        if (!there)
            g_ptr_array_add(over, intent);
        else if (intent->source_uid)
            g_ptr_array_add(to_expunge, intent);
    }
    if (!push_done(batch, over, NULL, error))
        return FALSE;
    if (is_braked(batch, to_expunge->len, error))
        return *error == NULL;
    return send_expunges(batch, to_expunge, error);
}

static gboolean
send_upload_batch(struct batch *batch, GError **error)
{
    g_autoptr(GPtrArray) to_upload = g_ptr_array_new(), over = g_ptr_array_new();
    for (guint i = 0; i < batch->intents->len; i++) {
        struct intent *intent = batch->intents->pdata[i];
        gboolean there;
        guint32 uid = uid_of(batch->sync, intent->target, &there);
        g_ptr_array_add(uid || !there ? over : to_upload, intent);
    }
    return push_done(batch, over, NULL, error) && push_uploads(batch, to_upload, error);
}

static const struct {
    gboolean (*send)(struct batch *batch, GError **error);
    gboolean needs_source, needs_target;
    const char *verb;
} senders[INTENT_KINDS] = {
    [INTENT_MOVE] = {send_moves, TRUE, TRUE, "move"},
    [INTENT_COPY] = {send_copy_batch, TRUE, TRUE, "copy"},
    [INTENT_APPEND] = {send_upload_batch, FALSE, TRUE, "upload"},
    [INTENT_EXPUNGE] = {send_expunge_batch, TRUE, FALSE, "delete"},
};

static gboolean
is_ready(const struct folder *folder)
{
    return folder && folder->wire && !(folder->bits & FOLDER_PAUSED);
}

static gboolean
send_batch(struct batch *batch, GError **error)
{
    const struct intent *first = batch->intents->pdata[0];
    batch->source = first->source_folder ? folder_get(batch->sync->store, first->source_folder, NULL) : NULL;
    batch->target = first->target_folder ? folder_get(batch->sync->store, first->target_folder, NULL) : NULL;
    /* A folder that could not be made, or that a brake holds: later. */
    if ((senders[batch->kind].needs_source && !is_ready(batch->source)) ||
        (senders[batch->kind].needs_target && !is_ready(batch->target)))
        return TRUE;
    sync_tell_planned(batch->sync, (batch->source ? batch->source : batch->target)->name, SYNC_OUT,
                      intent_kind_name(batch->kind), batch->intents->len, "%s %u message%s%s%s%s",
                      senders[batch->kind].verb, batch->intents->len, batch->intents->len == 1 ? "" : "s",
                      batch->kind == INTENT_EXPUNGE ? " from the server" : "",
                      batch->source && batch->target ? " to " : "",
                      batch->source && batch->target ? batch->target->name : "");
    if (batch->sync->dry_run)
        return TRUE;
    sync_tell_progress(batch->sync, batch->source ? batch->source : batch->target, SYNC_SEND, 0, batch->intents->len);
    g_autoptr(GError) why = NULL;
    tally_to(batch->sync, (batch->source ? batch->source : batch->target)->id);
    if (senders[batch->kind].send(batch, &why))
        return TRUE;
    if (why && sync_survives(batch->sync, batch->source ? batch->source : batch->target, &why))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* Intents whose source the server has no more. What was to be removed is; what was to be copied is here, and is uploaded.
 * A move whose target did not come is left to the end of the pass (drop_arrivals). */
gboolean
push_orphans(struct sync *sync, GError **error)
{
    g_autoptr(GPtrArray) intents = intent_list(sync->store, sync->account, error);
    for (guint i = 0; intents && i < intents->len; i++) {
        struct intent *intent = intents->pdata[i];
        gboolean source_there, target_there;
        uid_of(sync, intent->source, &source_there);
        guint32 target = uid_of(sync, intent->target, &target_there);
        if (!intent->source || source_there || intent->state != INTENT_PENDING)
            continue;
        struct intent_result result = {intent->id, 0, 0};
        gboolean waits = intent->target && target_there && !target;
        if (!waits && !intent_done(sync->store, &result, 1, error))
            return FALSE;
        if (!waits || intent->kind != INTENT_COPY || sync->dry_run)
            continue;
        struct batch batch = {.sync = sync, .kind = INTENT_APPEND, .intents = g_ptr_array_new()};
        batch.target = folder_get(sync->store, intent->target_folder, NULL);
        g_autoptr(GError) why = NULL;
        g_ptr_array_add(batch.intents, intent);
        gboolean ok = !is_ready(batch.target) || push_uploads(&batch, batch.intents, &why) ||
                      (why && sync_survives(sync, batch.target, &why));
        batch_clear(&batch);
        if (!ok) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return intents != NULL;
}

/* ---- the order ---- */

/* Intents in the order in which they were made, those of one kind between the same folders together: a command for each of
 * these groups. One joins an earlier group only when nothing between the two is about the same placement. */
struct queue {
    struct sync *sync;
    GPtrArray *groups; /* struct batch */
    GHashTable *latest; /* "kind source target" -> number of the group + 1 */
    GHashTable *touched; /* placement -> the last group about it */
};

static void
group_free(gpointer data)
{
    batch_clear(data);
    g_free(data);
}

static guint
touched_by(const struct queue *queue, gint64 placement)
{
    return placement ? GPOINTER_TO_UINT(g_hash_table_lookup(queue->touched, &placement)) : 0;
}

static void
touch(struct queue *queue, gint64 placement, guint group)
{
    if (placement)
        g_hash_table_replace(queue->touched, g_memdup2(&placement, sizeof placement), GUINT_TO_POINTER(group));
}

static void
enqueue(struct queue *queue, struct intent *intent)
{
    char *key = g_strdup_printf("%d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, intent->kind, intent->source_folder,
                                intent->target_folder);
    guint group = GPOINTER_TO_UINT(g_hash_table_lookup(queue->latest, key));
    if (!group || touched_by(queue, intent->source) > group || touched_by(queue, intent->target) > group) {
        struct batch *batch = g_new0(struct batch, 1);
        batch->sync = queue->sync;
        batch->kind = intent->kind;
        batch->intents = g_ptr_array_new();
        g_ptr_array_add(queue->groups, batch);
        group = queue->groups->len;
    }
    g_hash_table_replace(queue->latest, key, GUINT_TO_POINTER(group));
    touch(queue, intent->source, group);
    touch(queue, intent->target, group);
    g_ptr_array_add(((struct batch *) queue->groups->pdata[group - 1])->intents, intent);
}

/* Each is tried once a pass: `seen`; what waits for it (`after`) comes with the next round. */
static gboolean
push_round(struct sync *sync, GHashTable *seen, gboolean *any, GError **error)
{
    g_autoptr(GPtrArray) intents = intent_next(sync->store, sync->account, G_MAXINT, error);
    if (!intents)
        return FALSE;
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(group_free);
    g_autoptr(GHashTable) latest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) touched = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    struct queue queue = {sync, groups, latest, touched};
    for (guint i = 0; i < intents->len; i++) {
        struct intent *intent = intents->pdata[i];
        if (intent->kind < INTENT_FOLDER_CREATE && g_hash_table_add(seen, g_memdup2(&intent->id, sizeof intent->id)))
            enqueue(&queue, intent);
    }
    for (guint i = 0; i < groups->len; i++)
        if (!send_batch(groups->pdata[i], error) || sync_is_cancelled(sync, error))
            return FALSE;
    *any = groups->len > 0;
    return TRUE;
}

gboolean
push_intents(struct sync *sync, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (gboolean again = TRUE; again;)
        if (!push_round(sync, seen, &again, error))
            return FALSE;
    return TRUE;
}
