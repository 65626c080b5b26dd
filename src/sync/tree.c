/* The user's own Maildirs as an account (store/tree.h): nothing is fetched, and nobody is connected to. A pass finds folders
 * that came and went, takes in what other programs did, and lets file names show the marks that were made here. */
#include "config.h"

#include "sync/internal.h"
#include "store/scan.h"
#include "store/tree.h"
#include "sync/agree.h"
#include "base/clock.h"
#include "base/text.h"

/* Looked through, nothing held back: what was said of it is over. */
static gboolean
settle(struct sync *sync, const GPtrArray *folders, gboolean braked, GError **error)
{
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        if (!braked && folder->notice && !(folder->bits & FOLDER_PAUSED) &&
            !(folder_set_notice(sync->store, folder->id, NULL, error) &&
              sync_forget_agreement(sync->store, folder->id, error)))
            return FALSE;
    }
    return tree_note_look(sync->store, sync->account, clock_now(), error);
}

static gboolean
tell_plan(struct sync *sync, GError **error)
{
    if (!tree_is_there(sync->store, sync->account, error))
        return FALSE;
    g_autofree char *shown = text_safe(sync->options.account->maildir, -1, TEXT_LINE);
    sync_tell_planned(sync, NULL, SYNC_IN, "scan", 0, "look through %s for what other programs did", shown);
    return TRUE;
}

static gboolean
tree_account(struct sync *sync, GError **error)
{
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func(g_free);
    gboolean braked = FALSE;
    if (sync->dry_run) /* what other programs did is known when it was looked for, and then it is taken in */
        return tell_plan(sync, error);
    sync_tell_progress(sync, NULL, SYNC_FOLDERS, 0, 0);
    if (!intent_recover(sync->store, sync->account, error) || !folder_sweep_forgotten(sync->store, error) ||
        !tree_discover(sync->store, sync->account, notices, error))
        return FALSE;
    for (guint i = 0; i < notices->len; i++)
        sync_tell_notice(sync, NULL, "%s", (const char *) notices->pdata[i]);
    g_autoptr(GPtrArray) folders = folder_list(sync->store, sync->account, FALSE, error);
    if (!folders || !sync_scan_folders(sync, folders, &braked, error) || !settle(sync, folders, braked, error))
        return FALSE;
    sync->statistics.folders += folders->len;
    gboolean ok = maildir_apply(sync->store, 0, error);
    sync_tell_changed(sync, TRUE);
    return ok;
}

static gboolean
tree_folders(struct sync *sync, const gint64 *ids, guint n, GError **error)
{
    gboolean found;
    return sync_take_maildirs(sync, ids, n, &found, error) && maildir_apply(sync->store, 0, error);
}

/* A folder that was made here gets its directory, and a file the name that shows its marks. */
static gboolean
tree_push(struct sync *sync, GError **error)
{
    return tree_discover(sync->store, sync->account, NULL, error) && maildir_apply(sync->store, 0, error);
}

static gboolean
tree_fetch_wanted(struct sync *sync, GError **error)
{
    (void) sync;
    (void) error;
    return TRUE; /* what is not here is nowhere */
}

static gboolean
tree_fetch_body(struct sync *sync, gint64 message, GError **error)
{
    (void) sync;
    (void) message;
    g_set_error(error, SYNC_ERROR, ERROR_SKIP, "the file of this message has gone: only what the list shows is here");
    return FALSE;
}

const struct sync_protocol sync_over_tree = {
    .account = tree_account,
    .folders = tree_folders,
    .push = tree_push,
    .fetch_wanted = tree_fetch_wanted,
    .fetch_body = tree_fetch_body,
};
