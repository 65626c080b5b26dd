/* What waits until every folder was read: a message that is gone from one may lie in another. */
#include "config.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "store/scan.h"
#include "store/survey.h"
#include "sync/agree.h"
#include "sync/pass.h"
#include "sync/texts.h"

/* Marks of messages that are removed at the server before they could be sent go with them, and that is said. */
static void
note_lost_marks(struct sync *sync, const struct folder *folder, const GArray *ids)
{
    for (guint i = 0, noted = 0; i < ids->len && noted < PLAN_CONFLICTS_MAX; i++) {
        gint64 id = g_array_index(ids, gint64, i);
        struct placement row;
        if (!placement_get(sync->store, id, &row, NULL, NULL) || row.flags == row.base_flags ||
            survey_elsewhere(sync->store, id))
            continue;
        g_autofree char *here = plan_changes_to_words(row.base_flags, "", row.flags, "");
        tally_conflict(sync, folder->id, row.message, here, "removed", "");
        noted++;
    }
}

static gboolean
remove_here(struct pass *pass, const struct folder *folder, GArray *ids, GError **error)
{
    struct sync *sync = pass->sync;
    note_lost_marks(sync, folder, ids);
    if (!placement_carry_elsewhere(sync->store, (const gint64 *) ids->data, ids->len, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i += ROWS_A_COMMIT) {
        guint n = MIN(ids->len - i, ROWS_A_COMMIT);
        STEP("sync.remove");
        if (!placement_remove(sync->store, &g_array_index(ids, gint64, i), n, error))
            return FALSE;
        sync_tell_changed(sync, FALSE);
    }
    sync->statistics.removed += ids->len;
    log_info("sync.remove", "folder=%s removed=%u", folder->name, ids->len);
    return TRUE;
}

/* Of those that the server has no more, the ones that are still as they were: the user may have moved some meanwhile. */
static GArray *
still_here(struct sync *sync, const GArray *ids)
{
    GArray *left = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < ids->len; i++) {
        struct placement row;
        gint64 id = g_array_index(ids, gint64, i);
        if (placement_get(sync->store, id, &row, NULL, NULL) && row.state != PLACEMENT_LEAVING)
            g_array_append_val(left, id);
    }
    return left;
}

static gboolean
is_going(struct pass *pass, gint64 id)
{
    GHashTableIter iter;
    gpointer removal;
    g_hash_table_iter_init(&iter, pass->removals);
    while (g_hash_table_iter_next(&iter, NULL, &removal)) {
        const GArray *ids = ((struct removal *) removal)->ids;
        for (guint i = 0; i < ids->len; i++)
            if (g_array_index(ids, gint64, i) == id)
                return TRUE;
    }
    return FALSE;
}

/* Marks that the server was not told of are meant for a message that may have been moved into a folder which was read
 * before it came there. */
static gboolean
would_lose_marks(struct pass *pass, gint64 id)
{
    if (!survey_is_unsent(pass->sync->store, id))
        return FALSE;
    gint64 other = survey_elsewhere(pass->sync->store, id);
    return !other || is_going(pass, other);
}

static gboolean
is_unsure(struct pass *pass, const GArray *ids)
{
    for (guint i = 0; i < ids->len; i++)
        if (would_lose_marks(pass, g_array_index(ids, gint64, i)))
            return TRUE;
    return FALSE;
}

/* A move whose source has gone and whose target did not come. */
static gboolean
is_dropped(struct sync *sync, const struct intent *intent)
{
    struct placement source, target;
    return intent->kind == INTENT_MOVE && !placement_get(sync->store, intent->source, &source, NULL, NULL) &&
           placement_get(sync->store, intent->target, &target, NULL, NULL) && !target.uid;
}

/* The same, or a later part of such a way. */
static gboolean
will_be_dropped(struct pass *pass, const struct intent *intent)
{
    for (guint i = 0; intent && i < pass->intents->len; i++) {
        if (is_dropped(pass->sync, intent))
            return TRUE;
        intent = intent->kind == INTENT_MOVE ? g_hash_table_lookup(pass->intents_by_target, &intent->source) : NULL;
    }
    return FALSE;
}

gboolean
pass_is_unsure(struct pass *pass)
{
    pass_forget_intents(pass);
    if (!pass_load_intents(pass, NULL))
        return FALSE; /* whoever needs them says why */
    for (guint i = 0; i < pass->intents->len; i++) {
        const struct intent *intent = pass->intents->pdata[i];
        if (will_be_dropped(pass, intent) && would_lose_marks(pass, intent->target))
            return TRUE;
    }
    GHashTableIter iter;
    gpointer removal;
    g_hash_table_iter_init(&iter, pass->removals);
    while (g_hash_table_iter_next(&iter, NULL, &removal))
        if (is_unsure(pass, ((struct removal *) removal)->ids))
            return TRUE;
    return FALSE;
}

static gboolean
settle_folder(struct pass *pass, gint64 folder_id, struct removal *removal, GError **error)
{
    struct sync *sync = pass->sync;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, error);
    if (!folder)
        return FALSE;
    tally_to(sync, folder_id);
    if (!pass->whole && is_unsure(pass, removal->ids))
        return TRUE; /* a whole pass tells */
    g_autoptr(GArray) ids = still_here(sync, removal->ids);
    guint last = survey_count_last(sync->store, (const gint64 *) ids->data, ids->len);
    if (plan_brake((guint64) MAX(folder->total, 0), last) && !sync_is_agreed(sync->store, folder->id)) {
        if (!pass->whole)
            return TRUE; /* they may have moved: a whole pass tells */
        g_autofree char *text = g_strdup_printf(
            "%u of %u messages are gone from the server: nothing is removed here until you agree", last,
            (guint) folder->total);
        sync_tell_notice(sync, folder, "%s", text);
        return folder_set_bits(sync->store, folder->id, FOLDER_PAUSED, 0, error) &&
               folder_set_notice(sync->store, folder->id, text, error);
    }
    return remove_here(pass, folder, ids, error) &&
           folder_set_sync(sync->store, folder->id, folder->uidvalidity, removal->report->uidnext,
                           removal->report->modseq, (gint64) removal->report->exists, clock_now(), error);
}

/* Moves whose source has gone and whose target did not come, although the folder it should be in was read since: somebody
 * removed the message, or moved it elsewhere, and the server's word about what there is holds. */
static gboolean
drop_arrivals(struct pass *pass, GError **error)
{
    struct store *store = pass->sync->store;
    pass_forget_intents(pass);
    if (!pass_load_intents(pass, error))
        return FALSE;
    for (guint i = 0; i < pass->intents->len; i++) {
        const struct intent *intent = pass->intents->pdata[i];
        if (!g_hash_table_contains(pass->read, &intent->target_folder) || !is_dropped(pass->sync, intent))
            continue;
        gint64 other = survey_heir(store, intent->target);
        STEP("sync.drop");
        if ((other && !placement_carry(store, intent->target, other, error)) ||
            !placement_remove(store, &intent->target, 1, error) || !intent_drop(store, intent->id, error))
            return FALSE;
        log_info("sync.drop", "a message that was to be moved to folder=%d had gone", (int) intent->target_folder);
    }
    pass_forget_intents(pass);
    return TRUE;
}

gboolean
pass_settle(struct pass *pass, GError **error)
{
    GHashTableIter iter;
    gpointer folder, removal;
    if (pass->sync->dry_run)
        return TRUE;
    if (!push_orphans(pass->sync, error) || (pass->whole && !drop_arrivals(pass, error)))
        return FALSE;
    g_hash_table_iter_init(&iter, pass->removals);
    while (g_hash_table_iter_next(&iter, &folder, &removal))
        if (!settle_folder(pass, *(gint64 *) folder, removal, error))
            return FALSE;
    g_hash_table_remove_all(pass->removals);
    return !pass->whole || folders_forget_gone(pass->sync, &pass->listing, error);
}

/* A folder that went through is no longer suspected of anything. One that was numbered anew in this very pass is: it is
 * the changes in a row that count, also when each was coped with. */
static gboolean
clear_suspicion(struct pass *pass, const struct folder *before, GError **error)
{
    struct store *store = pass->sync->store;
    if (!g_hash_table_contains(pass->read, &before->id))
        return TRUE;
    g_autoptr(struct_folder) now = folder_get(store, before->id, NULL);
    if (!now || now->bits & FOLDER_PAUSED)
        return TRUE;
    gboolean steady = now->validity_changes && now->validity_changes == before->validity_changes;
    return (!steady || folder_settled(store, now->id, error)) &&
           (!before->notice || !now->notice || folder_set_notice(store, now->id, NULL, error)) &&
           sync_forget_agreement(store, now->id, error);
}

gboolean
pass_index(struct pass *pass, GError **error)
{
    struct sync *sync = pass->sync;
    guint done = 1;
    gboolean ok = TRUE;
    if (sync->dry_run)
        return TRUE;
    if (!texts_finish(sync, error))
        return FALSE;
    while (ok && done)
        ok = !sync_is_cancelled(sync, error) &&
             placement_index_envelopes(sync->store, ENVELOPES_A_FETCH, &done, error);
    return ok;
}

gboolean
pass_finish(struct pass *pass, const GPtrArray *folders, GError **error)
{
    struct sync *sync = pass->sync;
    if (sync->dry_run)
        return TRUE;
    sync_tell_progress(sync, NULL, SYNC_SETTLE, 0, 0);
    for (guint i = 0; i < folders->len; i++)
        if (!clear_suspicion(pass, folders->pdata[i], error))
            return FALSE;
    /* File names say the flags as they are wanted now. */
    STEP("sync.settle");
    if (!maildir_apply(sync->store, 0, error))
        return FALSE;
    sync_tell_changed(sync, TRUE);
    return TRUE;
}
