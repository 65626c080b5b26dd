/* mail/.removed: message files that left every folder, for 30 days (D11). */
#include "config.h"

#include "store/internal.h"
#include "store/rows.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

gboolean
removed_keep(struct store *store, const char *path, GError **error, char **name)
{
    g_autofree char *dir = g_build_filename(store->mail_dir, ".removed", NULL);
    g_autofree char *unique = maildir_new_unique();
    g_autofree char *to = g_build_filename(dir, unique, NULL);

    if (!paths_make_dir(dir, error))
        return FALSE;
    if (STEP_FAILS("store.removed-rename") || rename(path, to) < 0) {
        error_set_errno(error, STORE_ERROR, errno, "cannot move %s to %s", path, dir);
        return FALSE;
    }
    *name = g_steal_pointer(&unique);
    return TRUE;
}

gboolean
removed_note(struct store *store, const struct placement_row *row, const char *name, GError **error)
{
    return sql_run(store, error,
                   "INSERT INTO removed (time, folder, file, hash, message_id, flags, tags)"
                   " SELECT ?, ?, ?, hash, message_id, ?, ? FROM message WHERE id = ?",
                   "llsisl", clock_now(), row->folder, name, row->flags, row->tags, row->message);
}

char *
removed_find(struct store *store, const guint8 *hash, guint *flags, char **tags)
{
    char *path = NULL;
    sqlite3_stmt *q = sql_query(store, NULL, "SELECT file, flags, tags FROM removed WHERE hash = ? ORDER BY id DESC", "b", hash,
                                (gsize) 32);
    while (q && !path && sql_row(store, q, NULL) > 0) {
        path = g_build_filename(store->mail_dir, ".removed", sql_str(q, 0), NULL);
        if (access(path, R_OK) < 0) {
            g_clear_pointer(&path, g_free);
            continue;
        }
        if (flags)
            *flags = (guint) sqlite3_column_int(q, 1);
        if (tags)
            *tags = sql_dup(q, 2);
    }
    if (q)
        sql_end(q);
    return path;
}

gboolean
removed_prune(struct store *store, gint64 before, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *q = sql_query(store, error, "SELECT file FROM removed WHERE time < ?", "l", before);
    int rc = q ? 0 : -1;
    gboolean own;

    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(names, sql_dup(q, 0));
    if (rc < 0)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(store->mail_dir, ".removed", names->pdata[i], NULL);
        if (unlink(path) < 0 && errno != ENOENT)
            log_warn("store.removed", "%s: %s", path, g_strerror(errno));
    }
    if (!names->len)
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(store, own, sql_run(store, error, "DELETE FROM removed WHERE time < ?", "l", before), error);
}
