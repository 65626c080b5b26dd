/* The pass: which folders are looked into, what the plan of each is carried out to, and in which order, so that nothing is
 * removed before it is known what came elsewhere, and nothing is sent again before it is known what had arrived. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"
#include "store/scan.h"
#include "store/survey.h"
#include "sync/agree.h"
#include "sync/internal.h"
#include "sync/keyword.h"

/* What is gone at the server waits here until every folder was read. */
struct removal {
    GArray *ids; /* gint64: placements */
    struct report *report;
};

struct pass {
    struct sync *sync;
    struct listing listing;
    gboolean whole;       /* every folder is looked at: who has gone here may lie there */
    GHashTable *removals; /* folder -> struct removal */
    GHashTable *must_read; /* folders whose STATUS does not matter: an intent of theirs is uncertain */
    GHashTable *read;     /* folders that were read */
    GHashTable *intents_by_source, *intents_by_target; /* placement -> struct intent, borrowed; NULL: not asked */
    GPtrArray *intents;
};

static void
removal_free(gpointer data)
{
    struct removal *removal = data;
    g_array_unref(removal->ids);
    report_free(removal->report);
    g_free(removal);
}

static void
pass_init(struct pass *pass, struct sync *sync, gboolean whole)
{
    *pass = (struct pass){.sync = sync, .whole = whole};
    pass->removals = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, removal_free);
    pass->must_read = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    pass->read = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

static void
forget_intents(struct pass *pass)
{
    g_clear_pointer(&pass->intents_by_source, g_hash_table_unref);
    g_clear_pointer(&pass->intents_by_target, g_hash_table_unref);
    g_clear_pointer(&pass->intents, g_ptr_array_unref);
}

static void
pass_clear(struct pass *pass)
{
    listing_clear(&pass->listing);
    g_hash_table_unref(pass->removals);
    g_hash_table_unref(pass->must_read);
    g_hash_table_unref(pass->read);
    forget_intents(pass);
}
typedef struct pass struct_pass;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_pass, pass_clear)

static void
add_id(GHashTable *set, gint64 id)
{
    if (id)
        g_hash_table_add(set, g_memdup2(&id, sizeof id));
}

/* ---- the planner's input ---- */

static gboolean
load_intents(struct pass *pass, GError **error)
{
    if (pass->intents)
        return TRUE;
    pass->intents = intent_list(pass->sync->store, pass->sync->account, error);
    if (!pass->intents)
        return FALSE;
    pass->intents_by_source = g_hash_table_new(g_int64_hash, g_int64_equal);
    pass->intents_by_target = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < pass->intents->len; i++) {
        struct intent *intent = pass->intents->pdata[i];
        if (intent->source && intent->kind != INTENT_COPY)
            g_hash_table_insert(pass->intents_by_source, &intent->source, intent);
        if (intent->target)
            g_hash_table_insert(pass->intents_by_target, &intent->target, intent);
    }
    return TRUE;
}

static enum plan_state
state_of(const struct pass *pass, const struct placement *row, gint64 *target)
{
    const struct intent *away = NULL, *arrival = NULL;
    if (pass->intents) {
        away = g_hash_table_lookup(pass->intents_by_source, &row->id);
        arrival = g_hash_table_lookup(pass->intents_by_target, &row->id);
    }
    *target = away ? away->target_folder : 0;
    /* What has not come yet cannot have gone, also when it is to go on from here. */
    if (!row->uid && arrival)
        return arrival->kind == INTENT_APPEND ? PLAN_UPLOAD : PLAN_ARRIVE;
    if (row->state == PLACEMENT_LEAVING && away)
        return away->kind == INTENT_MOVE ? PLAN_MOVE : PLAN_DELETE;
    /* One that is leaving without an intent is not ours to remove at the server. */
    return PLAN_HERE;
}

static struct plan *
make_plan(struct pass *pass, const struct folder *folder, const struct known *known, const struct report *report,
          GError **error)
{
    struct sync *sync = pass->sync;
    const struct imap_mailbox *mailbox = sync->mailbox;
    gboolean unsettled = FALSE;
    for (guint i = 0; i < known->set->n && !unsettled; i++)
        unsettled = known->set->rows[i].state == PLACEMENT_LEAVING || !known->set->rows[i].uid;
    if (unsettled && !load_intents(pass, error))
        return NULL;
    g_autofree struct plan_local *locals = g_new0(struct plan_local, known->set->n + 1);
    for (guint i = 0; i < known->set->n; i++) {
        const struct placement *row = &known->set->rows[i];
        locals[i] = (struct plan_local){
            .id = row->id,
            .uid = row->uid,
            .flags = row->base_flags,
            .want_flags = row->flags,
            .tags = row->base_tags,
            .want_tags = row->tags,
        };
        locals[i].state = state_of(pass, row, &locals[i].target);
    }
    g_autofree char *keywords = keywords_to_tags((const char *const *) mailbox->keywords, "", "");
    /* $Forwarded is a flag here and a keyword there. */
    guint storable = mailbox->permanent_flags | (mailbox->permanent_keywords ? FLAG_FORWARDED : 0);
    struct plan_input in = {
        .locals = locals,
        .n_locals = known->set->n,
        .known = known->uids,
        .complete = report->complete,
        .matched = !sync->dry_run,
        .remotes = (const struct plan_remote *) report->remotes->data,
        .n_remotes = report->remotes->len,
        .vanished = report->vanished,
        .exists_known = TRUE,
        .exists = report->exists,
        .storable = {storable, mailbox->permanent_keywords, keywords},
        .read_only = mailbox->read_only,
        .removals_agreed = sync_is_agreed(sync->store, folder->id),
    };
    return plan_folder(&in);
}

/* ---- carrying it out ---- */

static gboolean
take_flags(struct pass *pass, const struct folder *folder, struct known *known, const struct plan_action *action,
           GError **error)
{
    struct sync *sync = pass->sync;
    guint n = action->taken->len;
    g_autofree struct placement_flags *rows = g_new0(struct placement_flags, n + 1);
    for (guint i = 0; i < n; i++) {
        const struct plan_taken *taken = &g_array_index(action->taken, struct plan_taken, i);
        rows[i] = (struct placement_flags){taken->id, taken->remote->flags, taken->remote->tags, taken->remote->modseq};
        struct placement *row = known_find(known, taken->remote->uid);
        if (row) {
            row->base_flags = (guint16) taken->remote->flags;
            row->base_tags = g_string_chunk_insert_const(known->set->strings, taken->remote->tags);
        }
    }
    for (guint i = 0; i < n; i += ROWS_A_COMMIT) {
        STEP("sync.flags.take");
        sync_tell_progress(sync, folder, SYNC_FLAGS, i, n);
        if (!placement_server_flags(sync->store, rows + i, MIN(n - i, ROWS_A_COMMIT), error))
            return FALSE;
        sync_tell_changed(sync, FALSE);
    }
    return TRUE;
}

/* What was to leave has left. A move whose target has no UID yet goes on: its arrival is looked for. */
static gboolean
close_placements(struct pass *pass, const struct plan_action *action, GError **error)
{
    struct store *store = pass->sync->store;
    for (guint i = 0; i < action->ids->len; i++) {
        gint64 id = g_array_index(action->ids, gint64, i);
        const struct intent *intent =
            pass->intents ? g_hash_table_lookup(pass->intents_by_source, &id) : NULL;
        struct placement target;
        gboolean waits = intent && intent->kind == INTENT_MOVE &&
                         placement_get(store, intent->target, &target, NULL, NULL) && !target.uid;
        struct intent_result result = {intent ? intent->id : 0, 0, 0};
        STEP("sync.close");
        if (!(intent && !waits ? intent_done(store, &result, 1, error) : placement_remove(store, &id, 1, error)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
carry_out(struct pass *pass, const struct folder *folder, struct known *known, const struct plan *plan, GError **error)
{
    struct sync *sync = pass->sync;
    for (guint i = 0; i < plan->actions->len; i++) {
        const struct plan_action *action = plan->actions->pdata[i];
        g_autofree char *line = plan_action_to_string(action);
        gboolean ok = TRUE;
        sync_tell_planned(sync, folder, "%s", line);
        if (sync->dry_run)
            continue;
        switch (action->kind) {
        case PLAN_TAKE_FLAGS:
            ok = take_flags(pass, folder, known, action, error);
            break;
        case PLAN_CLOSE:
            ok = close_placements(pass, action, error);
            break;
        case PLAN_SEND_FLAGS:
            ok = push_flags(sync, folder, known, action, error);
            break;
        case PLAN_REMOVE: {
            struct removal *removal = g_new0(struct removal, 1);
            removal->ids = g_array_ref(action->ids);
            removal->report = NULL;
            g_hash_table_insert(pass->removals, g_memdup2(&folder->id, sizeof folder->id), removal);
            break;
        }
        case PLAN_TELL_TAGS:
        case PLAN_TELL_READ_ONLY:
            sync_tell_notice(sync, folder, "%s", line);
            break;
        default: /* moves, uploads, removals there and bodies wait until every folder was read */
            break;
        }
        if (!ok)
            return FALSE;
    }
    sync->statistics.flags_in += plan->flags_in;
    sync->statistics.flags_out += plan->flags_out;
    sync->statistics.conflicts += plan->conflicts;
    return TRUE;
}

static gboolean
must_reread(const struct plan *plan)
{
    return plan->actions->len && ((const struct plan_action *) plan->actions->pdata[0])->kind == PLAN_REREAD;
}

/* The server's side of what is recorded, when everything up to it is. */
static gboolean
record_state(struct sync *sync, const struct folder *folder, const struct report *report, GError **error)
{
    STEP("sync.folder.record");
    return folder_set_sync(sync->store, folder->id, sync->mailbox->uidvalidity, report->uidnext, report->modseq,
                           (gint64) report->exists, clock_now(), error);
}

static gboolean
read_folder(struct pass *pass, gint64 folder_id, GError **error)
{
    struct sync *sync = pass->sync;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, error);
    g_auto(struct_known) known = {0};
    if (!folder)
        return FALSE;
    sync_tell_progress(sync, folder, SYNC_FLAGS, 0, 0);
    for (gboolean complete = FALSE;; complete = TRUE) {
        if (!known_load(sync, folder, &known, error))
            return FALSE;
        g_autoptr(struct_report) report = report_read(sync, &folder, &known, complete, error);
        if (!report)
            return FALSE;
        if (!folder->uidvalidity && !sync->dry_run &&
            !folder_set_sync(sync->store, folder->id, sync->mailbox->uidvalidity, 0, 0, (gint64) report->exists, 0, error))
            return FALSE;
        g_autoptr(struct_plan) first = make_plan(pass, folder, &known, report, error);
        if (!first)
            return FALSE;
        if (must_reread(first) && !complete) {
            log_info("sync.report", "folder=%s does not add up: reading it whole", folder->name);
            continue;
        }
        if (!uidset_is_empty(report->fresh) && !sync->dry_run) {
            if (!envelopes_fetch(sync, folder, report->fresh, error) || !known_load(sync, folder, &known, error))
                return FALSE;
            report_add_present(report, &known, report->fresh);
            forget_intents(pass); /* some may have been met */
        }
        g_autoptr(struct_plan) plan = make_plan(pass, folder, &known, report, error);
        if (!plan || !carry_out(pass, folder, &known, plan, error))
            return FALSE;
        sync->statistics.folders++;
        add_id(pass->read, folder->id);
        struct removal *removal = g_hash_table_lookup(pass->removals, &folder->id);
        if (removal) {
            removal->report = g_steal_pointer(&report);
            return TRUE;
        }
        return sync->dry_run || record_state(sync, folder, report, error);
    }
}

/* Read, and linked to what is here already, before anything is removed. */
static gboolean
pass_folder(struct pass *pass, gint64 folder_id, GError **error)
{
    struct sync *sync = pass->sync;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, NULL);
    g_autoptr(GError) why = NULL;
    guint before = sync->statistics.envelopes;
    if (sync_is_cancelled(sync, error))
        return FALSE;
    gboolean ok = read_folder(pass, folder_id, &why) &&
                  (sync->statistics.envelopes == before || relink_known(sync, folder, &why));
    if (ok || sync_survives(sync, folder, &why))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* ---- removals ---- */

static gboolean
remove_here(struct pass *pass, const struct folder *folder, GArray *ids, GError **error)
{
    struct sync *sync = pass->sync;
    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i), other = survey_elsewhere(sync->store, id);
        struct placement row;
        if (other && placement_get(sync->store, id, &row, NULL, NULL) && row.flags != row.base_flags &&
            !placement_carry(sync->store, id, other, error))
            return FALSE;
    }
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
settle_folder(struct pass *pass, gint64 folder_id, struct removal *removal, GError **error)
{
    struct sync *sync = pass->sync;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, error);
    if (!folder)
        return FALSE;
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
    forget_intents(pass);
    if (!load_intents(pass, error))
        return FALSE;
    for (guint i = 0; i < pass->intents->len; i++) {
        const struct intent *intent = pass->intents->pdata[i];
        struct placement source, target;
        if (intent->kind != INTENT_MOVE || !g_hash_table_contains(pass->read, &intent->target_folder) ||
            placement_get(store, intent->source, &source, NULL, NULL) ||
            !placement_get(store, intent->target, &target, NULL, NULL) || target.uid)
            continue;
        gint64 other = survey_elsewhere(store, intent->target);
        STEP("sync.drop");
        if ((other && !placement_carry(store, intent->target, other, error)) ||
            !placement_remove(store, &intent->target, 1, error) || !intent_drop(store, intent->id, error))
            return FALSE;
        log_info("sync.drop", "a message that was to be moved to folder=%d had gone", (int) intent->target_folder);
    }
    forget_intents(pass);
    return TRUE;
}

static gboolean
settle(struct pass *pass, GError **error)
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

/* ---- which folders ---- */

static gboolean
find_uncertain(struct pass *pass, GError **error)
{
    if (!load_intents(pass, error))
        return FALSE;
    for (guint i = 0; i < pass->intents->len; i++) {
        const struct intent *intent = pass->intents->pdata[i];
        if (!intent->uncertain)
            continue;
        add_id(pass->must_read, intent->source_folder);
        add_id(pass->must_read, intent->target_folder);
    }
    return TRUE;
}

/* One STATUS says whether anything happened, where the server counts changes (RFC 7162). */
static gboolean
is_unchanged(struct pass *pass, const struct folder *folder)
{
    struct sync *sync = pass->sync;
    const struct imap_status *status = g_hash_table_lookup(pass->listing.status, folder->wire);
    if (!status || (status->items & IMAP_STATUS_SYNC) != IMAP_STATUS_SYNC || !status->modseq ||
        !imap_has(sync->imap, IMAP_CONDSTORE) || g_hash_table_contains(pass->must_read, &folder->id))
        return FALSE;
    return status->uidvalidity == folder->uidvalidity && status->uidnext == folder->uidnext &&
           status->messages == folder->server_total && status->modseq == folder->modseq &&
           !survey_is_dirty(sync->store, folder->id);
}

static gboolean
read_changed(struct pass *pass, const GPtrArray *folders, GError **error)
{
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        if (!folder_is_synced(folder) || (pass->listing.folders &&
                                          !g_hash_table_contains(pass->listing.folders, folder->wire)))
            continue;
        if (pass->listing.status && is_unchanged(pass, folder)) {
            pass->sync->statistics.unchanged++;
            add_id(pass->read, folder->id);
            continue;
        }
        if (!pass_folder(pass, folder->id, error))
            return FALSE;
    }
    return TRUE;
}

/* After the intents: targets whose UID the server did not tell, marks that waited for a UID. */
static gboolean
read_dirty(struct pass *pass, const GPtrArray *folders, GError **error)
{
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        if (folder_is_synced(folder) && survey_is_dirty(pass->sync->store, folder->id) &&
            !pass_folder(pass, folder->id, error))
            return FALSE;
    }
    return settle(pass, error);
}

/* ---- other programs' changes ---- */

static struct message_index *
read_for_scan(GBytes *message, gpointer data)
{
    struct sync *sync = data;
    if (!sync->reader)
        sync->reader = reader_new();
    return reader_index_text(sync->reader, message, NULL);
}

static gboolean
scan_folders(struct sync *sync, const GPtrArray *folders, GError **error)
{
    for (guint i = 0; i < folders->len && !sync->dry_run; i++) {
        const struct folder *folder = folders->pdata[i];
        struct scan_result result = {0};
        g_autoptr(GError) why = NULL;
        if (!(folder->bits & FOLDER_SELECTABLE) || folder->bits & (FOLDER_GONE | FOLDER_PAUSED))
            continue;
        sync_tell_progress(sync, folder, SYNC_MAILDIR, i, folders->len);
        gboolean ok = maildir_scan(sync->store, folder->id, FALSE, read_for_scan, sync, &result, &why);
        for (guint k = 0; result.notices && k < result.notices->len; k++)
            sync_tell_notice(sync, folder, "%s", (const char *) result.notices->pdata[k]);
        if (ok && (result.flags || result.added || result.removed || result.moved)) {
            log_info("sync.maildir", "folder=%s flags=%u added=%u removed=%u moved=%u", folder->name, result.flags,
                     result.added, result.removed, result.moved);
            sync_tell_changed(sync, FALSE);
        }
        scan_result_clear(&result);
        if (!ok && !sync_survives(sync, folder, &why)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- the calls ---- */

static gboolean
fetch_bodies(struct sync *sync, const GPtrArray *folders, GError **error)
{
    for (guint i = 0; i < folders->len; i++) {
        struct folder *folder = folders->pdata[i];
        g_autoptr(struct_folder) now = folder_get(sync->store, folder->id, NULL);
        g_autoptr(GError) why = NULL;
        if (!now || !folder_is_synced(now))
            continue;
        if (sync_is_cancelled(sync, error))
            return FALSE;
        if (!bodies_fetch(sync, now, &why) && !sync_survives(sync, now, &why)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return TRUE;
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

static gboolean
finish(struct pass *pass, const GPtrArray *folders, GError **error)
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

/* What was moved on before it had arrived goes a step each round, where the server tells no UIDs. */
static gboolean
push_all(struct pass *pass, const GPtrArray *folders, GError **error)
{
    struct sync *sync = pass->sync;
    gint64 left = intent_count(sync->store, sync->account), before;
    do {
        before = left;
        if (!push_intents(sync, error) || (!sync->dry_run && !read_dirty(pass, folders, error)))
            return FALSE;
        left = intent_count(sync->store, sync->account);
    } while (left && left < before);
    return TRUE;
}

static gboolean
run_account(struct pass *pass, GError **error)
{
    struct sync *sync = pass->sync;
    if (!sync->dry_run && !intent_recover(sync->store, sync->account, error))
        return FALSE;
    if (!folders_sync(sync, &pass->listing, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = folder_list(sync->store, sync->account, TRUE, error);
    return folders && scan_folders(sync, folders, error) && find_uncertain(pass, error) &&
           read_changed(pass, folders, error) && settle(pass, error) && push_all(pass, folders, error) &&
           fetch_bodies(sync, folders, error) && finish(pass, folders, error);
}

gboolean
sync_account(struct sync *sync, gboolean dry_run, GError **error)
{
    g_auto(struct_pass) pass;
    pass_init(&pass, sync, TRUE);
    sync->dry_run = dry_run;
    gint64 start = clock_monotonic();
    gboolean ok = run_account(&pass, error);
    sync->dry_run = FALSE;
    const struct sync_statistics *s = sync_get_statistics(sync);
    log_info("sync.pass", "account=%s ok=%d ms=%d folders=%u unchanged=%u envelopes=%u bodies=%u flags=%u/%u removed=%u",
             sync->options.account->name, ok, (int) ((clock_monotonic() - start) / 1000), s->folders, s->unchanged,
             s->envelopes, s->bodies, s->flags_in, s->flags_out, s->removed);
    return ok;
}

static gboolean
run_folder(struct pass *pass, gint64 folder_id, GError **error)
{
    struct sync *sync = pass->sync;
    g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func((GDestroyNotify) folder_free);
    struct folder *folder = folder_get(sync->store, folder_id, error);
    if (!folder)
        return FALSE;
    g_ptr_array_add(one, folder);
    if (!folder_is_synced(folder))
        return TRUE;
    return sync_connect(sync, error) && scan_folders(sync, one, error) && pass_folder(pass, folder_id, error) &&
           settle(pass, error) && fetch_bodies(sync, one, error) && finish(pass, one, error);
}

gboolean
sync_folder(struct sync *sync, gint64 folder, GError **error)
{
    g_auto(struct_pass) pass;
    pass_init(&pass, sync, FALSE);
    return run_folder(&pass, folder, error);
}

/* Folders with marks to send: as when the server had said nothing. */
static gboolean
push_marks(struct pass *pass, const struct folder *folder, GError **error)
{
    struct sync *sync = pass->sync;
    g_auto(struct_known) known = {0};
    if (!sync_select(sync, folder, NULL, error))
        return FALSE;
    if (sync->mailbox->uidvalidity != folder->uidvalidity)
        return TRUE; /* the next pass finds out who is who */
    known.set = survey_load(sync->store, folder->id, NULL, error);
    known.uids = known.set ? uidset_new() : NULL;
    if (!known.set)
        return FALSE;
    g_autoptr(struct_report) nothing = report_new();
    for (guint i = 0; i < known.set->n; i++)
        uidset_add(known.uids, known.set->rows[i].uid);
    nothing->exists = uidset_count(known.uids);
    if (!load_intents(pass, error))
        return FALSE;
    g_autoptr(struct_plan) plan = make_plan(pass, folder, &known, nothing, error);
    for (guint i = 0; plan && i < plan->actions->len; i++) {
        const struct plan_action *action = plan->actions->pdata[i];
        if (action->kind == PLAN_SEND_FLAGS && !push_flags(sync, folder, &known, action, error))
            return FALSE;
    }
    if (plan)
        sync->statistics.flags_out += plan->flags_out;
    return plan != NULL;
}

static gboolean
run_push(struct pass *pass, GError **error)
{
    struct sync *sync = pass->sync;
    if (!intent_recover(sync->store, sync->account, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = folder_list(sync->store, sync->account, TRUE, error);
    gboolean lists = FALSE;
    if (!folders || !load_intents(pass, error))
        return FALSE;
    for (guint i = 0; i < pass->intents->len; i++)
        lists = lists || ((const struct intent *) pass->intents->pdata[i])->kind >= INTENT_FOLDER_CREATE;
    if (lists) {
        if (!folders_sync(sync, &pass->listing, error))
            return FALSE;
        g_ptr_array_unref(folders);
        folders = folder_list(sync->store, sync->account, TRUE, error);
        if (!folders)
            return FALSE;
    }
    if (!sync_connect(sync, error) || !find_uncertain(pass, error))
        return FALSE;
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        g_autoptr(GError) why = NULL;
        if (!folder_is_synced(folder))
            continue;
        gboolean ok = g_hash_table_contains(pass->must_read, &folder->id) ? pass_folder(pass, folder->id, &why)
                      : survey_is_dirty(sync->store, folder->id) && folder->uidvalidity ? push_marks(pass, folder, &why)
                                                                                        : TRUE;
        if (!ok && !sync_survives(sync, folder, &why)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return settle(pass, error) && push_all(pass, folders, error) && maildir_apply(sync->store, 0, error);
}

gboolean
sync_push(struct sync *sync, GError **error)
{
    g_auto(struct_pass) pass;
    pass_init(&pass, sync, FALSE);
    gboolean ok = run_push(&pass, error);
    sync_tell_changed(sync, TRUE);
    return ok;
}

/* ---- bodies that somebody waits for ---- */

static gboolean
fetch_placement(struct sync *sync, gint64 placement, GError **error)
{
    struct placement row;
    gint64 folder_id;
    if (!placement_get(sync->store, placement, &row, &folder_id, error))
        return FALSE;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, error);
    if (!folder || !folder->wire || !row.uid || row.cached)
        return folder != NULL;
    g_autoptr(struct_uidset) one = uidset_new();
    uidset_add(one, row.uid);
    return bodies_fetch_some(sync, folder, one, error);
}

gboolean
sync_fetch_wanted(struct sync *sync, GError **error)
{
    g_autoptr(GArray) wanted = message_wanted_bodies(sync->store, sync->account, error);
    for (guint i = 0; wanted && i < wanted->len; i++) {
        g_autoptr(GError) why = NULL;
        if (fetch_placement(sync, g_array_index(wanted, gint64, i), &why) || sync_survives(sync, NULL, &why) ||
            why->code == ERROR_NOINPUT)
            continue;
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (wanted && wanted->len)
        sync_tell_changed(sync, TRUE);
    return wanted != NULL;
}

gboolean
sync_fetch_body(struct sync *sync, gint64 message, GError **error)
{
    g_autoptr(GPtrArray) places = message_places(sync->store, message, error);
    for (guint i = 0; places && i < places->len; i++) {
        const struct message_place *place = places->pdata[i];
        g_autoptr(struct_folder) folder = folder_get(sync->store, place->folder, NULL);
        if (!folder || folder->account != sync->account || !place->uid)
            continue;
        if (!fetch_placement(sync, place->placement, error))
            return FALSE;
        g_autoptr(struct_message) now = message_load(sync->store, message, NULL);
        /* Its row may have become that of the same content known elsewhere. */
        if (!now || now->cached) {
            sync_tell_changed(sync, TRUE);
            return TRUE;
        }
    }
    if (places)
        g_set_error(error, SYNC_ERROR, ERROR_SKIP, "the server has this message no more, or cannot give it");
    return FALSE;
}
