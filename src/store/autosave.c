#include "config.h"

#include "store/autosave.h"
#include "store/internal.h"
#include "store/owner.h"
#include "base/clock.h"

void
autosave_free(struct autosave *save)
{
    if (!save)
        return;
    g_free(save->title);
    g_clear_pointer(&save->text, g_bytes_unref);
    g_free(save);
}

gint64
autosave_put(struct store *store, gint64 id, const char *title, GBytes *text, GError **error)
{
    gsize length;
    const void *data = g_bytes_get_data(text, &length), *bytes = length ? data : "";
    g_autofree char *self = owner_self();
    gboolean own, ok = TRUE;

    title = title ? title : "";
    if (!txn_enter(store, &own, error))
        return 0;
    if (id) {
        ok =
            sql_run(store, error, "UPDATE autosave SET time = ?, owner = ?, title = ?, text = ? WHERE id = ?",
                    "lssbl", clock_now(), self, title, bytes, length, id);
        if (ok && !sqlite3_changes(store->db))
            id = 0; /* another session has dropped it; it is being written all the same */
    }
    if (ok && !id) {
        ok = sql_run(store, error, "INSERT INTO autosave (time, owner, title, text) VALUES (?, ?, ?, ?)",
                     "lssb", clock_now(), self, title, bytes, length);
        id = sqlite3_last_insert_rowid(store->db);
    }
    return txn_leave(store, own, ok, error) ? id : 0;
}

gboolean
autosave_drop(struct store *store, gint64 id, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(store, own, sql_run(store, error, "DELETE FROM autosave WHERE id = ?", "l", id), error);
}

GPtrArray *
autosave_list(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)autosave_free);
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT id, time, title, text, owner FROM autosave ORDER BY id", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct autosave *save = g_new0(struct autosave, 1);
        save->id = sqlite3_column_int64(q, 0);
        save->time = sqlite3_column_int64(q, 1);
        save->title = sql_dup(q, 2);
        save->text = g_bytes_new(sqlite3_column_blob(q, 3), (gsize)sqlite3_column_bytes(q, 3));
        save->alive = owner_is_alive(sql_str(q, 4));
        g_ptr_array_add(list, save);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}
