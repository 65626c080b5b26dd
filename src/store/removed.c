/* mail/.removed: mail that left every folder stays here for 30 days (D11), and can be brought back by undo.
 */
#include "config.h"

#include "store/folder.h"
#include "store/internal.h"
#include "store/placement.h"
#include "store/rows.h"
#include "base/clock.h"
#include "base/fail.h"

#define DIR_NAME ".removed" /* no folder of an account maps to a name with a leading dot */

gint64
removed_folder(struct store *store, GError **error)
{
    gint64 id = sql_int(store, 0, "SELECT id FROM folder WHERE account = 0", "");
    if (id || !sql_run(store, error, "INSERT INTO folder (account, name, dir, bits) VALUES (0, ?1, ?1, ?2)",
                       "si", DIR_NAME, (int)FOLDER_GONE))
        return id;
    return sqlite3_last_insert_rowid(store->db);
}

gboolean
removed_take(struct store *store, const struct placement_row *row, const char *path, GError **error)
{
    gint64 folder = removed_folder(store, error);
    g_autofree char *dir = folder ? folder_path(store, folder, TRUE, error) : NULL, *file = NULL;

    STEP("store.remove");
    if (!dir || !maildir_link(path, dir, row->flags, &file, error))
        return FALSE;
    g_autofree char *made = g_build_filename(dir, "cur", file, NULL);
    txn_unlink_on_rollback(store, made);
    txn_flush_before_commit(store, dir);
    txn_unlink_on_commit(store, path);
    /* It leaves first, so that nothing counts it, and then changes places. */
    return placement_row_set_state(store, row, PLACEMENT_LEAVING, error) &&
           sql_run(
               store, error,
               "UPDATE placement SET folder = ?, file = ?, uid = 0, modseq = ?, stale_name = 0 WHERE id = ?",
               "lsll", folder, file, clock_now(), row->id) &&
           message_refresh(store, row->message, error);
}

gint64
removed_find(struct store *store, gint64 message)
{
    return sql_int(
        store, 0,
        "SELECT p.id FROM placement p INDEXED BY placement_message CROSS JOIN folder f ON f.id = p.folder"
        " WHERE p.message = ? AND f.account = 0",
        "l", message);
}

gboolean
removed_prune(struct store *store, gint64 before, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    gboolean own, ok = TRUE;
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT p.id FROM folder f CROSS JOIN placement p ON p.folder = f.id"
                                " WHERE f.account = 0 AND p.uid = 0 AND p.modseq < ?",
                                "l", before);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    if (rc < 0 || !ids->len)
        return rc == 0;
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < ids->len && ok; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_read(store, g_array_index(ids, gint64, i), &row, error);
        g_autofree char *path = ok ? placement_row_path(store, &row) : NULL;
        if (path)
            txn_unlink_on_commit(store, path);
        ok = ok && placement_row_delete(store, &row, error);
    }
    return txn_leave(store, own, ok, error);
}
