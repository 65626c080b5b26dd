/* One folder: the report, the plan, and carrying it out as far as that can be done before the other folders are known. */
#include "config.h"

#include "sync/pass.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"
#include "config/keep.h"
#include "store/renaming.h"
#include "store/survey.h"
#include "sync/agree.h"
#include "sync/keyword.h"

static void
removal_free(gpointer data)
{
    struct removal *removal = data;
    g_array_unref(removal->ids);
    report_free(removal->report);
    g_free(removal);
}

void
pass_init(struct pass *pass, struct sync *sync, gboolean whole)
{
    *pass = (struct pass){.sync = sync, .whole = whole};
    pass->removals = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, removal_free);
    pass->must_read = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    pass->read = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    pass->unchanged = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

void
pass_forget_intents(struct pass *pass)
{
    g_clear_pointer(&pass->intents_by_source, g_hash_table_unref);
    g_clear_pointer(&pass->intents_by_target, g_hash_table_unref);
    g_clear_pointer(&pass->intents, g_ptr_array_unref);
}

void
pass_clear(struct pass *pass)
{
    listing_clear(&pass->listing);
    g_hash_table_unref(pass->removals);
    g_hash_table_unref(pass->must_read);
    g_hash_table_unref(pass->read);
    g_hash_table_unref(pass->unchanged);
    pass_forget_intents(pass);
}
void
pass_add(GHashTable *set, gint64 id)
{
    if (id)
        g_hash_table_add(set, g_memdup2(&id, sizeof id));
}

/* ---- the planner's input ---- */

gboolean
pass_load_intents(struct pass *pass, GError **error)
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
make_plan(struct pass *pass, const struct folder *folder, struct known *known, const struct report *report,
          GError **error)
{
    struct sync *sync = pass->sync;
    const struct imap_mailbox *mailbox = sync->mailbox;
    gboolean unsettled = FALSE;
    for (guint i = 0; i < known->set->n && !unsettled; i++)
        unsettled = known->set->rows[i].state == PLACEMENT_LEAVING || !known->set->rows[i].uid;
    if (unsettled && !pass_load_intents(pass, error))
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
        .known = known_uids(known),
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
    return known_check(known, error) ? plan_folder(&in) : NULL;
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
    gboolean many = n >= TEST_VALUE("sync.renaming_from", RENAMING_FROM), ok = TRUE;
    if (many && !renaming_begin(sync->store, folder->id, rows, n, error))
        return FALSE;
    for (guint i = 0; i < n && ok; i += FLAGS_A_COMMIT) {
        STEP("sync.flags.take");
        sync_tell_progress(sync, folder, SYNC_FLAGS, i, n);
        ok = placement_server_flags(sync->store, rows + i, MIN(n - i, FLAGS_A_COMMIT), error);
        sync_tell_changed(sync, FALSE);
    }
    return many ? renaming_end(sync->store, ok, ok ? error : NULL) : ok;
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

/* What each kind of the plan is called in a dry run. Moves, uploads and removals there are told by push_intents(), bodies by
 * bodies_fetch(). */
static const struct {
    enum plan_kind kind;
    enum sync_direction direction;
    const char *action;
} told[] = {
    {PLAN_TAKE_FLAGS, SYNC_IN, "flags"}, {PLAN_CLOSE, SYNC_IN, "forget"},    {PLAN_SEND_FLAGS, SYNC_OUT, "flags"},
    {PLAN_FETCH_NEW, SYNC_IN, "new"},    {PLAN_REMOVE, SYNC_IN, "remove"},   {PLAN_TELL_TAGS, SYNC_OUT, "tags"},
    {PLAN_TELL_READ_ONLY, SYNC_OUT, "read-only"},
};

static void
tell_removal(struct sync *sync, const struct folder *folder, const GArray *ids)
{
    guint last = survey_count_last(sync->store, (const gint64 *) ids->data, ids->len);
    if (plan_brake((guint64) MAX(folder->total, 0), last) && !sync_is_agreed(sync->store, folder->id))
        sync_tell_planned(sync, folder->name, SYNC_IN, "brake", 0,
                          "hold that back, and ask: it is %u of %" G_GINT64_FORMAT " messages", last, folder->total);
}

static void
tell_action(struct sync *sync, const struct folder *folder, const struct plan_action *action)
{
    g_autofree char *line = plan_action_to_string(action);
    for (guint i = 0; i < G_N_ELEMENTS(told); i++)
        if (told[i].kind == action->kind)
            sync_tell_planned(sync, folder->name, told[i].direction, told[i].action, plan_action_count(action), "%s", line);
    if (action->kind == PLAN_FETCH_NEW)
        sync_tell_bodies(sync, folder->name, plan_action_count(action));
    else if (action->kind == PLAN_REMOVE)
        tell_removal(sync, folder, action->ids);
}

static void
note_conflicts(struct sync *sync, const struct folder *folder, const struct plan *plan)
{
    for (guint i = 0; i < plan->conflicted->len; i++) {
        const struct plan_conflict *conflict = plan->conflicted->pdata[i];
        struct placement row;
        if (placement_get(sync->store, conflict->id, &row, NULL, NULL))
            tally_conflict(sync, folder->id, row.message, conflict->here, conflict->there, conflict->kept);
    }
}

static gboolean
carry_out(struct pass *pass, const struct folder *folder, struct known *known, const struct plan *plan, GError **error)
{
    struct sync *sync = pass->sync;
    for (guint i = 0; i < plan->actions->len; i++) {
        const struct plan_action *action = plan->actions->pdata[i];
        gboolean ok = TRUE;
        tell_action(sync, folder, action);
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
        case PLAN_TELL_READ_ONLY: {
            g_autofree char *line = plan_action_to_string(action);
            sync_tell_notice(sync, folder, "%s", line);
            break;
        }
        default: /* moves, uploads, removals there and bodies wait until every folder was read */
            break;
        }
        if (!ok)
            return FALSE;
    }
    note_conflicts(sync, folder, plan);
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

/* All is as it was recorded, there and here. */
static gboolean
says_nothing(const struct pass *pass, const struct folder *folder, const struct report *report)
{
    return !report->complete && !report->remotes->len && uidset_is_empty(report->vanished) &&
           uidset_is_empty(report->fresh) && folder->modseq && report->modseq == folder->modseq &&
           report->uidnext == folder->uidnext && (gint64) report->exists == folder->server_total &&
           !g_hash_table_contains(pass->must_read, &folder->id) && !survey_is_dirty(pass->sync->store, folder->id);
}

/* There will be bodies to read: the reader starts while the envelopes come. */
static void
warm_reader(struct sync *sync, const struct folder *folder)
{
    if (keep_of(sync->options.account, folder->name)->what != KEEP_BODIES)
        return;
    if (!sync->reader)
        sync->reader = reader_new();
    reader_warm(sync->reader);
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
    for (gboolean complete = sync->options.complete;; complete = TRUE) {
        known_begin(sync, folder, &known);
        g_autoptr(struct_report) report = report_read(sync, &folder, &known, complete, error);
        if (!report)
            return FALSE;
        if (says_nothing(pass, folder, report)) {
            sync->statistics.unchanged++;
            pass_add(pass->read, folder->id);
            pass_add(pass->unchanged, folder->id);
            return TRUE;
        }
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
            warm_reader(sync, folder);
            if (!envelopes_fetch(sync, folder, report->fresh, error) ||
                !report_settle(sync, folder, report, &known, error))
                return FALSE;
            pass_forget_intents(pass); /* some may have been met */
        }
        g_autoptr(struct_plan) plan = make_plan(pass, folder, &known, report, error);
        guint64 before = sync->mailbox->modseq;
        if (!plan || !carry_out(pass, folder, &known, plan, error))
            return FALSE;
        if (report->modseq == before)
            report->modseq = sync->mailbox->modseq; /* our own changes are known */
        sync->statistics.folders++;
        pass_add(pass->read, folder->id);
        struct removal *removal = g_hash_table_lookup(pass->removals, &folder->id);
        if (removal) {
            removal->report = g_steal_pointer(&report);
            return TRUE;
        }
        return sync->dry_run || record_state(sync, folder, report, error);
    }
}

/* Read, and linked to what is here already, before anything is removed. */
gboolean
pass_folder(struct pass *pass, gint64 folder_id, GError **error)
{
    struct sync *sync = pass->sync;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, NULL);
    g_autoptr(GError) why = NULL;
    guint before = sync->statistics.envelopes;
    tally_to(sync, folder_id);
    if (sync_is_cancelled(sync, error))
        return FALSE;
    gboolean ok = read_folder(pass, folder_id, &why) &&
                  (sync->statistics.envelopes == before || relink_known(sync, folder, &why));
    if (ok || sync_survives(sync, folder, &why))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* Folders with marks to send: as when the server had said nothing. */
gboolean
pass_push_marks(struct pass *pass, const struct folder *folder, GError **error)
{
    struct sync *sync = pass->sync;
    g_auto(struct_known) known = {0};
    tally_to(sync, folder->id);
    if (!sync_select(sync, folder, NULL, error))
        return FALSE;
    if (sync->mailbox->uidvalidity != folder->uidvalidity)
        return TRUE; /* the next pass finds out who is who */
    known.set = survey_load(sync->store, folder->id, NULL, error);
    known.all = known.set ? uidset_new() : NULL;
    if (!known.set)
        return FALSE;
    g_autoptr(struct_report) nothing = report_new();
    for (guint i = 0; i < known.set->n; i++)
        uidset_add(known.all, known.set->rows[i].uid);
    nothing->exists = uidset_count(known.all);
    if (!pass_load_intents(pass, error))
        return FALSE;
    g_autoptr(struct_plan) plan = make_plan(pass, folder, &known, nothing, error);
    guint64 before = sync->mailbox->modseq;
    for (guint i = 0; plan && i < plan->actions->len; i++) {
        const struct plan_action *action = plan->actions->pdata[i];
        if (action->kind == PLAN_SEND_FLAGS && !push_flags(sync, folder, &known, action, error))
            return FALSE;
    }
    if (!plan)
        return FALSE;
    sync->statistics.flags_out += plan->flags_out;
    /* The folder was known up to here: then it is up to our own changes, and they need not be read. */
    return before != folder->modseq || sync->mailbox->modseq == before ||
           folder_set_sync(sync->store, folder->id, folder->uidvalidity, folder->uidnext, sync->mailbox->modseq,
                           folder->server_total, folder->synced, error);
}
