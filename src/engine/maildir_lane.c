/* Other programs on the Maildirs, seen from the sync lane. */
#include "config.h"

#include "engine/lane.h"
#include "engine/maildir_watch.h"
#include "base/log.h"
#include "store/folder.h"
#include "store/intent.h"

static void
on_touched(gpointer data)
{
    lane_push_own(data, "maildir");
}

static void
dir_clear(gpointer data)
{
    struct maildir_watch_dir *dir = data;
    g_free(dir->path);
}

void
lane_watch_maildirs(struct lane *lane)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) folders = folder_list(lane->store, lane->account_id, TRUE, &error);
    g_autoptr(GArray) dirs = g_array_new(FALSE, FALSE, sizeof(struct maildir_watch_dir));
    g_array_set_clear_func(dirs, dir_clear);
    for (guint i = 0; folders && i < folders->len; i++) { /* INBOX and those with a duty are the first */
        const struct folder *folder = folders->pdata[i];
        char *path = folder->bits & FOLDER_SELECTABLE && !(folder->bits & (FOLDER_GONE | FOLDER_PAUSED))
                         ? folder_path(lane->store, folder->id, FALSE, NULL)
                         : NULL;
        struct maildir_watch_dir dir = {folder->id, path};
        if (path)
            g_array_append_val(dirs, dir);
    }
    if (!folders) {
        log_warn("engine.maildir", "%s", error->message);
        return;
    }
    if (!lane->watch)
        lane->watch = maildir_watch_new(on_touched, lane);
    maildir_watch_set(lane->watch, dirs);
}

void
lane_unwatch_maildirs(struct lane *lane)
{
    maildir_watch_free(lane->watch);
    lane->watch = NULL;
}

gboolean
lane_take_maildirs(struct lane *lane, struct sync *sync)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) folders = maildir_watch_take(lane->watch);
    gboolean found = FALSE;
    if (!sync_take_maildirs(sync, (const gint64 *)(const void *)folders->data, folders->len, &found, &error))
        log_warn("engine.maildir", "%s", error->message);
    maildir_watch_done(lane->watch);
    if (found)
        control_changed(lane->worker->control);
    /* A look into a folder of which the server had news may have taken it in already. */
    return found || intent_count(lane->store, lane->account_id) > 0;
}
