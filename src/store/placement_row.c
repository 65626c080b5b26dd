/* Rows of placements, with everything that counts them. */
#include "config.h"

#include "store/folder.h"
#include "store/intent.h"
#include "store/internal.h"
#include "store/placement.h"
#include "store/rows.h"
#include "store/taglog.h"
#include "base/flags.h"

#include <string.h>

void
placement_row_clear(struct placement_row *row)
{
    g_clear_pointer(&row->base_tags, g_free);
    g_clear_pointer(&row->tags, g_free);
    g_clear_pointer(&row->file, g_free);
}

gint64
placement_row_find_file(struct store *store, gint64 message, gint64 folder, const char *file)
{
    g_autofree char *unique = maildir_unique(file);
    g_autofree char *flagged = g_strconcat(unique, ":", NULL);
    return sql_int(store, 0,
                   "SELECT id FROM placement WHERE message = ? AND folder = ? AND"
                   " (file = ? OR substr(file, 1, length(?)) = ?)",
                   "llsss", message, folder, unique, flagged, flagged);
}

gboolean
placement_row_read(struct store *store, gint64 id, struct placement_row *row, GError **error)
{
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT folder, message, key, thread, uid, modseq, base_flags, base_tags, flags, tags, state, file"
        " FROM placement WHERE id = ?",
        "l", id);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0)
        return FALSE;
    row->id = id;
    row->folder = sqlite3_column_int64(q, 0);
    row->message = sqlite3_column_int64(q, 1);
    row->key = sqlite3_column_int64(q, 2);
    row->thread = sqlite3_column_int64(q, 3);
    row->uid = sqlite3_column_int64(q, 4);
    row->modseq = sqlite3_column_int64(q, 5);
    row->base_flags = (guint)sqlite3_column_int(q, 6);
    row->base_tags = sql_dup(q, 7);
    row->flags = (guint)sqlite3_column_int(q, 8);
    row->tags = sql_dup(q, 9);
    row->state = (guint)sqlite3_column_int(q, 10);
    row->file = sql_dup(q, 11);
    sql_end(q);
    return TRUE;
}

/* Folders that are on no server: their tags are nowhere but here. */
static gboolean
is_local(struct store *store, gint64 folder)
{
    return sql_int(store, 0, "SELECT local FROM account a JOIN folder f ON f.account = a.id WHERE f.id = ?", "l",
                   folder) != 0;
}

static gboolean
shown(guint state)
{
    return state != PLACEMENT_LEAVING;
}

/* The name in cur/ does not say what is wanted: maildir_apply() renames it. */
static gboolean
name_is_stale(const char *file, guint flags)
{
    return file && maildir_name_flags(file) != flags;
}

gboolean
placement_row_insert(struct store *store, struct placement_row *row, GError **error)
{
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT key, thread FROM message WHERE id = ?", "l", row->message);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0) {
        if (rc == 0)
            g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                        "message %" G_GINT64_FORMAT " is not there any more", row->message);
        return FALSE;
    }
    row->key = sqlite3_column_int64(q, 0);
    row->thread = sqlite3_column_int64(q, 1);
    sql_end(q);
    if (!sql_run(store, error,
                 "INSERT INTO placement (folder, message, key, thread, uid, modseq, base_flags, base_tags, "
                 "flags, tags, state, file,"
                 " stale_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 "llllllisisisi", row->folder, row->message, row->key, row->thread, row->uid, row->modseq,
                 row->base_flags, row->base_tags ? row->base_tags : "", row->flags,
                 row->tags ? row->tags : "", row->state, row->file, name_is_stale(row->file, row->flags)))
        return FALSE;
    row->id = sqlite3_last_insert_rowid(store->db);
    if (store->remembers || g_strcmp0(row->tags, row->base_tags))
        taglog_touch(store, row->message);
    return !shown(row->state) ||
           folder_thread_add(store, row->folder, row->thread, row->key, row->flags, error);
}

gboolean
placement_row_set_flags(struct store *store, const struct placement_row *row, guint base_flags,
                        const char *base_tags, guint flags, const char *tags, gint64 modseq, GError **error)
{
    if (strcmp(row->tags, row->base_tags) || strcmp(tags, base_tags) ||
        (strcmp(tags, row->tags) && is_local(store, row->folder)))
        taglog_touch(store, row->message);
    return sql_run(store, error,
                   "UPDATE placement SET base_flags = ?, base_tags = ?, flags = ?, tags = ?, modseq = ?, "
                   "stale_name = ? WHERE id = ?",
                   "isislil", base_flags, base_tags, flags, tags, modseq, name_is_stale(row->file, flags),
                   row->id) &&
           (!shown(row->state) ||
            folder_thread_reflag(store, row->folder, row->thread, row->flags, flags, error));
}

gboolean
placement_row_set_state(struct store *store, const struct placement_row *row, guint state, GError **error)
{
    if (!sql_run(store, error, "UPDATE placement SET state = ? WHERE id = ?", "il", state, row->id))
        return FALSE;
    if (shown(row->state) && !shown(state))
        return folder_thread_remove(store, row->folder, row->thread, row->key, row->flags, error);
    if (!shown(row->state) && shown(state))
        return folder_thread_add(store, row->folder, row->thread, row->key, row->flags, error);
    return TRUE;
}

gboolean
placement_row_set_folder(struct store *store, const struct placement_row *row, gint64 folder,
                         const char *file, GError **error)
{
    if (!sql_run(store, error, "UPDATE placement SET folder = ?, file = ?, stale_name = ? WHERE id = ?",
                 "lsil", folder, file, name_is_stale(file, row->flags), row->id))
        return FALSE;
    return !shown(row->state) ||
           (folder_thread_remove(store, row->folder, row->thread, row->key, row->flags, error) &&
            folder_thread_add(store, folder, row->thread, row->key, row->flags, error));
}

gboolean
placement_row_set_message(struct store *store, const struct placement_row *row, gint64 message,
                          GError **error)
{
    if (strcmp(row->tags, row->base_tags))
        taglog_touch(store, message);
    gint64 key = sql_int(store, 0, "SELECT key FROM message WHERE id = ?", "l", message);
    gint64 thread = sql_int(store, 0, "SELECT thread FROM message WHERE id = ?", "l", message);
    if (!sql_run(store, error, "UPDATE placement SET message = ?, key = ?, thread = ? WHERE id = ?", "llll",
                 message, key, thread, row->id))
        return FALSE;
    return !shown(row->state) ||
           (folder_thread_remove(store, row->folder, row->thread, row->key, row->flags, error) &&
            folder_thread_add(store, row->folder, thread, key, row->flags, error));
}

gboolean
placement_row_set_file(struct store *store, gint64 id, const char *file, guint flags, GError **error)
{
    return sql_run(store, error, "UPDATE placement SET file = ?, stale_name = ? WHERE id = ?", "sil", file,
                   name_is_stale(file, flags), id);
}

gboolean
placement_row_delete(struct store *store, const struct placement_row *row, GError **error)
{
    if (strcmp(row->tags, row->base_tags))
        taglog_touch(store, row->message);
    if (!sql_run(store, error, "DELETE FROM placement WHERE id = ?", "l", row->id))
        return FALSE;
    if (shown(row->state) &&
        !folder_thread_remove(store, row->folder, row->thread, row->key, row->flags, error))
        return FALSE;
    g_autofree char *dir =
        row->file ? sql_text(store, "SELECT dir FROM folder WHERE id = ?", "l", row->folder) : NULL;
    g_autofree char *file = dir ? g_build_filename(dir, "cur", row->file, NULL) : g_strdup("");
    return message_refresh_without(store, row->message, file, error);
}

GArray *
placement_ids_of(struct store *store, gint64 message, gboolean shown_only, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT id FROM placement INDEXED BY placement_message WHERE message = ? AND "
                                "(state <> 1 OR ?) ORDER BY id",
                                "li", message, !shown_only);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    return rc < 0 ? NULL : g_steal_pointer(&ids);
}

char *
placement_row_path(struct store *store, const struct placement_row *row)
{
    if (!row->file)
        return NULL;
    g_autofree char *dir = folder_path(store, row->folder, FALSE, NULL);
    g_autofree char *found = dir ? maildir_find(dir, row->file) : NULL;
    return found ? g_build_filename(dir, found, NULL) : NULL;
}

gboolean
placement_row_link(struct store *store, const struct placement_row *row, gint64 folder, char **file,
                   GError **error)
{
    g_autofree char *path = placement_row_path(store, row);
    *file = NULL;
    if (!path)
        return TRUE; /* an envelope only, or another program took it: the server has it */
    g_autofree char *dir = folder_path(store, folder, TRUE, error);
    if (!dir || !maildir_link(path, dir, row->flags, file, error))
        return FALSE;
    g_autofree char *made = g_build_filename(dir, "cur", *file, NULL);
    txn_unlink_on_rollback(store, made);
    txn_flush_before_commit(store, dir);
    return TRUE;
}

static gboolean
discard_one(struct store *store, gint64 id, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    g_autoptr(GError) failure = NULL;

    if (!placement_row_read(store, id, &row, &failure)) {
        if (failure)
            g_propagate_error(error, g_steal_pointer(&failure));
        return !failure; /* done before */
    }
    /* A copy whose original has gone is uploaded instead; it may have been made already. */
    if (!sql_run(store, error,
                 "UPDATE intent SET kind = ?, source = 0, source_folder = 0, uncertain = 1"
                 " WHERE source = ? AND source > 0 AND kind = ? AND state <> 1",
                 "ili", (int)INTENT_APPEND, id, (int)INTENT_COPY))
        return FALSE;
    g_autofree char *path = placement_row_path(store, &row);
    if (path && !sql_int(store, 0,
                         "SELECT 1 FROM placement INDEXED BY placement_message WHERE message = ? AND id <> ? "
                         "AND file IS NOT NULL",
                         "ll", row.message, row.id))
        return removed_take(store, &row, path, error);
    if (path)
        txn_unlink_on_commit(store, path);
    return placement_row_delete(store, &row, error);
}

gboolean
placement_discard(struct store *store, const gint64 *ids, guint n, GError **error)
{
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < n && ok; i++)
        ok = discard_one(store, ids[i], error);
    return txn_leave(store, own, ok, error);
}
