/* The calls of sync.h: which folders a pass looks into, and in which order what is done, so that nothing is removed before
 * it is known what came elsewhere, and nothing is sent again before it is known what had arrived. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/history.h"
#include "store/scan.h"
#include "store/survey.h"
#include "sync/agree.h"
#include "sync/large.h"
#include "sync/pass.h"

#define SCAN_ROUNDS 3 /* while files go on to be missing */
#define LOOK_ROUNDS 3 /* while others go on to move messages */

/* ---- which folders ---- */

static gboolean
find_uncertain(struct pass *pass, GError **error)
{
    if (!pass_load_intents(pass, error))
        return FALSE;
    for (guint i = 0; i < pass->intents->len; i++) {
        const struct intent *intent = pass->intents->pdata[i];
        if (!intent->uncertain)
            continue;
        pass_add(pass->must_read, intent->source_folder);
        pass_add(pass->must_read, intent->target_folder);
    }
    return TRUE;
}

/* One STATUS says whether anything happened, where the server counts changes (RFC 7162). */
static gboolean
is_unchanged(struct pass *pass, const struct folder *folder)
{
    struct sync *sync = pass->sync;
    const struct imap_status *status = g_hash_table_lookup(pass->listing.status, folder->wire);
    if (sync->options.complete || !status || (status->items & IMAP_STATUS_SYNC) != IMAP_STATUS_SYNC || !status->modseq ||
        !imap_has(sync->imap, IMAP_CONDSTORE) || g_hash_table_contains(pass->must_read, &folder->id))
        return FALSE;
    return status->uidvalidity == folder->uidvalidity && status->uidnext == folder->uidnext &&
           status->messages == folder->server_total && status->modseq == folder->modseq &&
           !survey_is_dirty(sync->store, folder->id);
}

/* The open folder said that nothing had happened, and the list says otherwise: something happened meanwhile, or was not
 * told. */
static gboolean
is_contradicted(struct pass *pass, const struct folder *folder)
{
    const struct imap_status *status =
        pass->listing.status && folder->wire ? g_hash_table_lookup(pass->listing.status, folder->wire) : NULL;
    return status && status->items && folder->id == pass->sync->selected &&
           g_hash_table_contains(pass->unchanged, &folder->id) && !is_unchanged(pass, folder);
}

static gboolean
read_changed(struct pass *pass, const GPtrArray *folders, GError **error)
{
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        if (g_hash_table_contains(pass->read, &folder->id)) {
            if (!is_contradicted(pass, folder))
                continue;
            g_hash_table_remove(pass->unchanged, &folder->id);
            pass->sync->told_since_select = G_MAXUINT; /* it is opened again */
        }
        if (pass->sync->dry_run && folder->bits & FOLDER_PAUSED)
            sync_tell_planned(pass->sync, folder->name, SYNC_IN, "held", 0, "leave the folder alone: %s",
                              folder->notice ? folder->notice : "it is held back");
        if (!folder_is_synced(pass->sync, folder) || (pass->listing.folders &&
                                          !g_hash_table_contains(pass->listing.folders, folder->wire)))
            continue;
        if (pass->listing.status && is_unchanged(pass, folder)) {
            tally_to(pass->sync, folder->id);
            pass->sync->statistics.unchanged++;
            pass_add(pass->read, folder->id);
            pass_add(pass->unchanged, folder->id);
            continue;
        }
        if (!pass_folder(pass, folder->id, error))
            return FALSE;
    }
    return TRUE;
}

/* A message that is gone from one folder may have come into another after that was read. */
static gboolean
look_again(struct pass *pass, const GPtrArray *folders, GError **error)
{
    for (guint round = 0; round < LOOK_ROUNDS && !pass->sync->dry_run && pass_is_unsure(pass); round++) {
        g_clear_pointer(&pass->listing.status, g_hash_table_unref); /* it is older */
        g_hash_table_remove_all(pass->read);
        if (!read_changed(pass, folders, error))
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
        if (folder_is_synced(pass->sync, folder) && survey_is_dirty(pass->sync->store, folder->id) &&
            !pass_folder(pass, folder->id, error))
            return FALSE;
    }
    return pass_settle(pass, error);
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

struct scan_sum {
    guint removed;
    gboolean found, braked;
};

static gboolean
scan_round(struct sync *sync, const GPtrArray *folders, struct scan_sum *sum, GError **error)
{
    for (guint i = 0; i < folders->len && !sync->dry_run; i++) {
        const struct folder *folder = folders->pdata[i];
        struct scan_result result = {0};
        g_autoptr(GError) why = NULL;
        if (!(folder->bits & FOLDER_SELECTABLE) || folder->bits & (FOLDER_GONE | FOLDER_PAUSED))
            continue;
        sync_tell_progress(sync, folder, SYNC_MAILDIR, i, folders->len);
        gboolean ok = maildir_scan(sync->store, folder->id, sync_is_agreed(sync->store, folder->id) ? SCAN_AGREED : 0,
                                   read_for_scan, sync, &result, &why);
        for (guint k = 0; result.notices && k < result.notices->len; k++)
            sync_tell_notice(sync, folder, "%s", (const char *) result.notices->pdata[k]);
        if (ok && (result.flags || result.added || result.removed || result.moved)) {
            log_info("sync.maildir", "folder=%s flags=%u added=%u removed=%u moved=%u", folder->name, result.flags,
                     result.added, result.removed, result.moved);
            sync_tell_changed(sync, FALSE);
            sum->removed += result.removed;
            sum->found = TRUE;
        }
        sum->braked = sum->braked || result.braked;
        scan_result_clear(&result);
        if (!ok && !sync_survives(sync, folder, &why)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return TRUE;
}

/* What is missing may have been moved into a folder that was looked through already: before its removal goes out, all are
 * looked through once more. */
static gboolean
take_maildirs(struct sync *sync, const GPtrArray *folders, struct scan_sum *sum, GError **error)
{
    *sum = (struct scan_sum) {0};
    if (!scan_round(sync, folders, sum, error))
        return FALSE;
    for (guint round = 0; sum->removed && round < SCAN_ROUNDS; round++) {
        g_autoptr(GPtrArray) all = folder_list(sync->store, sync->account, TRUE, error);
        sum->removed = 0;
        if (!all || !scan_round(sync, all, sum, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
sync_scan_folders(struct sync *sync, const GPtrArray *folders, gboolean *braked, GError **error)
{
    struct scan_sum sum;
    gboolean ok = take_maildirs(sync, folders, &sum, error);
    if (braked)
        *braked = sum.braked;
    return ok;
}

/* ---- the calls ---- */

/* Where nothing happened there is nothing to fetch, but for what time or another policy brings into view. */
static gboolean
may_want_bodies(struct pass *pass, gint64 folder)
{
    const gint64 *looked = g_hash_table_lookup(pass->sync->bodies_looked, &folder);
    return !looked || !g_hash_table_contains(pass->unchanged, &folder) ||
           clock_monotonic() - *looked > BODIES_LOOK_US;
}

static gboolean
fetch_bodies(struct pass *pass, const GPtrArray *folders, GError **error)
{
    struct sync *sync = pass->sync;
    for (guint i = 0; i < folders->len; i++) {
        gint64 id = ((const struct folder *) folders->pdata[i])->id, time = clock_monotonic();
        g_autoptr(struct_folder) now = folder_get(sync->store, id, NULL);
        g_autoptr(GError) why = NULL;
        if (!now || !folder_is_synced(sync, now) || !may_want_bodies(pass, id))
            continue;
        if (sync_is_cancelled(sync, error))
            return FALSE;
        guint skipped = sync->statistics.skipped;
        tally_to(sync, id);
        if (!bodies_fetch(sync, now, &why)) {
            if (sync_survives(sync, now, &why))
                continue;
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        if (!sync->dry_run)
            history_set_missing(sync->store, sync->account, id, sync->statistics.skipped - skipped, NULL);
        if (sync->statistics.skipped == skipped)
            g_hash_table_insert(sync->bodies_looked, g_memdup2(&id, sizeof id), g_memdup2(&time, sizeof time));
    }
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

/* The INBOX is opened before the folders are listed, where its opening tells all that happened: most of what happens,
 * happens there. And while it is open its state costs nothing in the list; Dovecot, whose list of states leaves the INBOX
 * out by default, otherwise reads the names of all its files for it, which are 0.15 s at 100,000 messages. */
static gboolean
read_first(struct pass *pass, GError **error)
{
    struct sync *sync = pass->sync;
    gint64 inbox = folder_find_role(sync->store, sync->account, FOLDER_INBOX);
    g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func((GDestroyNotify) folder_free);
    struct folder *folder = inbox ? folder_get(sync->store, inbox, NULL) : NULL;
    if (!folder)
        return TRUE;
    g_ptr_array_add(one, folder);
    /* A folder with an identity is looked at only when the list has said that it is still the same. */
    if (sync->dry_run || sync->options.complete || !imap_has(sync->imap, IMAP_QRESYNC | IMAP_CONDSTORE) ||
        !folder->modseq || folder->mailbox_id || !folder_is_synced(sync, folder))
        return TRUE;
    return pass_folder(pass, inbox, error) &&
           (g_hash_table_contains(pass->unchanged, &inbox) || fetch_bodies(pass, one, error));
}

/* Folders that this pass has met for the first time. Where the database was made anew their mail lies here already: now that
 * what the server lists is known, the files find their messages. */
static gboolean
scan_new_folders(struct sync *sync, const GPtrArray *before, const GPtrArray *folders, GError **error)
{
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    for (guint i = 0; i < folders->len; i++) {
        gboolean known = FALSE;
        for (guint k = 0; k < before->len && !known; k++)
            known = ((const struct folder *) before->pdata[k])->id == ((const struct folder *) folders->pdata[i])->id;
        if (!known)
            g_ptr_array_add(fresh, folders->pdata[i]);
    }
    return sync_scan_folders(sync, fresh, NULL, error);
}

static gboolean
run_account(struct pass *pass, GError **error)
{
    struct sync *sync = pass->sync;
    if (!sync->dry_run &&
        !(intent_recover(sync->store, sync->account, error) && folder_sweep_forgotten(sync->store, error)))
        return FALSE;
    g_autoptr(GPtrArray) before = folder_list(sync->store, sync->account, TRUE, error);
    if (!before || !sync_scan_folders(sync, before, NULL, error) || !find_uncertain(pass, error) ||
        !sync_connect(sync, error) || !read_first(pass, error) ||
        !(g_hash_table_contains(pass->read, &sync->selected) || sync_unselect(sync, error)) ||
        !folders_sync(sync, &pass->listing, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = folder_list(sync->store, sync->account, TRUE, error);
    return folders && read_changed(pass, folders, error) && look_again(pass, folders, error) && pass_settle(pass, error) &&
           push_all(pass, folders, error) && scan_new_folders(sync, before, folders, error) &&
           fetch_bodies(pass, folders, error) && pass_finish(pass, folders, error) && quota_look(sync, error);
}

gboolean
imap_pass_account(struct sync *sync, GError **error)
{
    g_auto(struct_pass) pass;
    pass_init(&pass, sync, TRUE);
    gint64 start = clock_monotonic();
    guint64 trips = sync_get_statistics(sync)->round_trips;
    gboolean ok = run_account(&pass, error);
    ok = pass_index(&pass, ok ? error : NULL) && ok;
    tally_write(sync, FALSE);
    const struct sync_statistics *s = sync_get_statistics(sync);
    log_info("sync.pass",
             "account=%s ok=%d ms=%d folders=%u unchanged=%u envelopes=%u bodies=%u flags=%u/%u removed=%u round_trips=%u",
             sync->options.account->name, ok, (int) ((clock_monotonic() - start) / 1000), s->folders, s->unchanged,
             s->envelopes, s->bodies, s->flags_in, s->flags_out, s->removed, (guint) (s->round_trips - trips));
    return ok;
}

/* Somebody may have moved them: one list says which other folders changed, and those are read before anything goes. */
static gboolean
look_elsewhere(struct pass *pass, GError **error)
{
    struct sync *sync = pass->sync;
    if (!g_hash_table_size(pass->removals))
        return TRUE;
    if (!folders_sync(sync, &pass->listing, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = folder_list(sync->store, sync->account, TRUE, error);
    return folders && read_changed(pass, folders, error);
}

static gboolean
run_folders(struct pass *pass, const GPtrArray *folders, GError **error)
{
    struct sync *sync = pass->sync;
    if (!sync_connect(sync, error) || !sync_scan_folders(sync, folders, NULL, error))
        return FALSE;
    for (guint i = 0; i < folders->len; i++)
        if (!pass_folder(pass, ((const struct folder *) folders->pdata[i])->id, error))
            return FALSE;
    return look_elsewhere(pass, error) && pass_settle(pass, error) && fetch_bodies(pass, folders, error) &&
           pass_finish(pass, folders, error);
}

gboolean
imap_pass_folders(struct sync *sync, const gint64 *ids, guint n, GError **error)
{
    g_auto(struct_pass) pass;
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func((GDestroyNotify) folder_free);
    pass_init(&pass, sync, FALSE);
    for (guint i = 0; i < n; i++) {
        struct folder *folder = folder_get(sync->store, ids[i], NULL);
        if (folder && folder_is_synced(sync, folder))
            g_ptr_array_add(folders, folder);
        else
            folder_free(folder);
    }
    sync->in_passing = TRUE;
    gboolean ok = run_folders(&pass, folders, error);
    sync->in_passing = FALSE;
    ok = pass_index(&pass, ok ? error : NULL) && ok;
    tally_write(sync, FALSE);
    return ok;
}

gboolean
sync_take_maildirs(struct sync *sync, const gint64 *ids, guint n, gboolean *found, GError **error)
{
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func((GDestroyNotify) folder_free);
    for (guint i = 0; i < n; i++) {
        struct folder *folder = folder_get(sync->store, ids[i], NULL); /* it may have gone */
        if (folder)
            g_ptr_array_add(folders, folder);
    }
    struct scan_sum sum;
    gboolean ok = take_maildirs(sync, folders, &sum, error);
    *found = sum.found;
    return maildir_settle(sync->store, ok ? error : NULL) && ok;
}

static gboolean
run_push(struct pass *pass, GError **error)
{
    struct sync *sync = pass->sync;
    if (!intent_recover(sync->store, sync->account, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = folder_list(sync->store, sync->account, TRUE, error);
    gboolean lists = FALSE;
    if (!folders || !pass_load_intents(pass, error))
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
        if (!folder_is_synced(sync, folder))
            continue;
        gboolean ok = g_hash_table_contains(pass->must_read, &folder->id) ? pass_folder(pass, folder->id, &why)
                      : survey_is_dirty(sync->store, folder->id) && folder->uidvalidity ? pass_push_marks(pass, folder, &why)
                                                                                        : TRUE;
        if (!ok && !sync_survives(sync, folder, &why)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return pass_settle(pass, error) && push_all(pass, folders, error) && maildir_apply(sync->store, 0, error);
}

gboolean
imap_pass_push(struct sync *sync, GError **error)
{
    g_auto(struct_pass) pass;
    pass_init(&pass, sync, FALSE);
    gboolean ok = run_push(&pass, error);
    ok = pass_index(&pass, ok ? error : NULL) && ok;
    tally_write(sync, FALSE);
    sync_tell_changed(sync, TRUE);
    return ok;
}

/* ---- bodies that somebody waits for ---- */

static gboolean
fetch_placement(struct sync *sync, gint64 placement, gboolean somebody_waits, GError **error)
{
    struct placement row;
    gint64 folder_id;
    if (!placement_get(sync->store, placement, &row, &folder_id, error))
        return FALSE;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, error);
    if (!folder || !folder->wire || !row.uid || row.cached)
        return folder != NULL;
    tally_to(sync, folder_id);
    if (somebody_waits && row.size >= LARGE_FROM)
        large_fetch_text(sync, folder, row.message, row.uid);
    return bodies_fetch_one(sync, folder, placement, error);
}

gboolean
imap_pass_fetch_wanted(struct sync *sync, GError **error)
{
    g_autoptr(GArray) wanted = message_wanted_bodies(sync->store, sync->account, error);
    for (guint i = 0; wanted && i < wanted->len; i++) {
        g_autoptr(GError) why = NULL;
        if (fetch_placement(sync, g_array_index(wanted, gint64, i), FALSE, &why) || sync_survives(sync, NULL, &why) ||
            why->code == ERROR_NOINPUT)
            continue;
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    tally_write(sync, FALSE);
    if (wanted && wanted->len)
        sync_tell_changed(sync, TRUE);
    return wanted != NULL;
}

gboolean
imap_pass_fetch_body(struct sync *sync, gint64 message, GError **error)
{
    g_autoptr(GPtrArray) places = message_places(sync->store, message, error);
    for (guint i = 0; places && i < places->len; i++) {
        const struct message_place *place = places->pdata[i];
        g_autoptr(struct_folder) folder = folder_get(sync->store, place->folder, NULL);
        if (!folder || folder->account != sync->account || !place->uid)
            continue;
        if (!fetch_placement(sync, place->placement, TRUE, error))
            return FALSE;
        g_autoptr(struct_message) now = message_load(sync->store, message, NULL);
        /* Its row may have become that of the same content known elsewhere. */
        if (!now || now->cached) {
            tally_write(sync, FALSE);
            sync_tell_changed(sync, TRUE);
            return TRUE;
        }
    }
    if (places)
        g_set_error(error, SYNC_ERROR, ERROR_SKIP, "the server has this message no more, or cannot give it");
    return FALSE;
}
