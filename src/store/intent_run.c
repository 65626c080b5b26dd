/* Intents as their runner sees them: claimed, done, failed. */
#include "config.h"

#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/placement.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"

#include <string.h>

gboolean
intent_recover(struct store *store, gint64 account, GError **error)
{
    gboolean own;
    if (!sql_int(store, 0, "SELECT 1 FROM intent WHERE account = ? AND state = 1", "l", account))
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        sql_run(store, error, "UPDATE intent SET state = 0, uncertain = 1 WHERE account = ? AND state = 1",
                "l", account);
    return txn_leave(store, own, ok, error);
}

gboolean
intent_claim(struct store *store, const gint64 *ids, guint n, GError **error)
{
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < n && ok; i++) {
        ok = sql_run(
            store, error,
            "UPDATE intent SET state = 1, attempts = attempts + 1, error = NULL WHERE id = ? AND state = 0",
            "l", ids[i]);
        if (ok && sqlite3_changes(store->db) != 1) {
            g_set_error(error, STORE_ERROR, ERROR_WITHDRAWN, "what was to be done was taken back meanwhile");
            ok = FALSE;
        }
    }
    return txn_leave(store, own, ok, error);
}

static gboolean
bind_target(struct store *store, const struct intent *intent, const struct intent_result *result,
            GError **error)
{
    g_auto(struct_placement_row) row = {0};
    if (!intent->target || !result->new_uid)
        return TRUE; /* found by placement_match() when its folder is read */
    if (!placement_row_read(store, intent->target, &row, NULL) || row.uid == (gint64)result->new_uid)
        return TRUE;
    /* The server took over what it had (a copy), or what it was given (an append): that is the base. */
    return placement_bind(store, intent->target, result->new_uid, result->modseq, row.base_flags,
                          row.base_tags, error);
}

/* The source of a move has gone from the server. A body that came to it after it left here belongs to the
 * target. */
static gboolean
end_source(struct store *store, const struct intent *intent, GError **error)
{
    g_auto(struct_placement_row) source = {0}, target = {0};
    g_autofree char *file = NULL;

    if (!placement_row_read(store, intent->source, &source, NULL))
        return TRUE;
    if (intent->kind == INTENT_EXPUNGE)
        return placement_discard(store, &source.id, 1, error);
    g_autofree char *path = placement_row_path(store, &source);
    if (path && placement_row_read(store, intent->target, &target, NULL) && !target.file &&
        (!placement_row_link(store, &source, target.folder, &file, error) ||
         !placement_row_set_file(store, target.id, file, target.flags, error)))
        return FALSE;
    if (path)
        txn_unlink_on_commit(store, path);
    return placement_row_delete(store, &source, error);
}

gboolean
intent_done(struct store *store, const struct intent_result *results, guint n, GError **error)
{
    gboolean own, ok = TRUE;
    STEP("store.intent-done");
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < n && ok; i++) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(struct_intent) intent = intent_row_read(store, results[i].intent, &failure);
        if (!intent) { /* said twice, or bound by the listing of its folder */
            ok = !failure;
            if (failure)
                g_propagate_error(error, g_steal_pointer(&failure));
            continue;
        }
        ok = bind_target(store, intent, &results[i], error) &&
             (intent->kind == INTENT_COPY || intent->kind == INTENT_APPEND ||
              end_source(store, intent, error)) &&
             intent_row_delete(store, intent->id, error);
    }
    return txn_leave(store, own, ok, error);
}

/* Folders below have moved along on the server. */
static gboolean
rewire_below(struct store *store, gint64 folder, const char *old_wire, const char *wire, char delimiter,
             GError **error)
{
    if (!old_wire || !delimiter)
        return TRUE;
    g_autofree char *below = g_strdup_printf("%s%c", old_wire, delimiter);
    gint64 length = (gint64)g_utf8_strlen(old_wire, -1);
    return sql_run(store, error,
                   "UPDATE folder SET wire = ? || substr(wire, ?) WHERE account = (SELECT account FROM "
                   "folder WHERE id = ?)"
                   " AND substr(wire, 1, ?) = ?",
                   "sllls", wire, length + 1, folder, length + 1, below);
}

gboolean
intent_folder_done(struct store *store, gint64 id, const char *wire, char delimiter, GError **error)
{
    gboolean own, ok;
    STEP("store.intent-done");
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autoptr(struct_intent) intent = intent_row_read(store, id, NULL);
    if (!intent)
        return txn_leave(store, own, TRUE, error);
    switch (intent->kind) {
    case INTENT_FOLDER_CREATE:
    case INTENT_FOLDER_RENAME: {
        g_autofree char *old = sql_text(store, "SELECT wire FROM folder WHERE id = ?", "l", intent->folder);
        ok = sql_run(store, error, "UPDATE folder SET wire = ?, delimiter = ? WHERE id = ?", "sil", wire,
                     (int)delimiter, intent->folder) &&
             rewire_below(store, intent->folder, old, wire, delimiter, error);
        break;
    }
    case INTENT_FOLDER_DELETE:
        ok = intent_row_delete(store, id, error) && folder_forget(store, intent->folder, error);
        break;
    default:
        ok = TRUE;
    }
    ok = ok && intent_row_delete(store, id, error);
    return txn_leave(store, own, ok, error);
}

gboolean
intent_failed(struct store *store, gint64 id, const char *text, gint64 retry_at, GError **error)
{
    gboolean own, ok;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autoptr(struct_intent) intent = intent_row_read(store, id, NULL);
    if (!intent)
        return txn_leave(store, own, TRUE, error);
    log_info("store.intent", "%s id=%d failed%s: %s", intent_kind_name(intent->kind), (int)id,
             retry_at ? ", again later" : "", text);
    if (retry_at) {
        ok = sql_run(store, error,
                     "UPDATE intent SET state = 0, uncertain = 1, next_attempt = ?, error = ? WHERE id = ?",
                     "lsl", retry_at, text, id);
    } else if (intent->kind == INTENT_APPEND) {
        /* The only copy may be the one here: it stays, and is said. */
        ok = sql_run(store, error, "UPDATE intent SET state = 2, uncertain = 0, error = ? WHERE id = ?", "sl",
                     text, id) &&
             folder_set_notice(store, intent->target_folder, text, error);
    } else {
        gint64 folder = intent->source_folder ? intent->source_folder : intent->folder;
        ok =
            (intent->kind == INTENT_FOLDER_CREATE
                 ? sql_run(store, error, "UPDATE intent SET state = 2, uncertain = 0, error = ? WHERE id = ?",
                           "sl", text, id)
                 : intent_cancel(store, intent, error)) &&
            folder_set_notice(store, folder, text, error);
    }
    return txn_leave(store, own, ok, error);
}

gboolean
intent_retry(struct store *store, gint64 id, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(
        store, error,
        "UPDATE intent SET state = 0, next_attempt = 0, error = NULL WHERE id = ? AND state <> 1", "l", id);
    return txn_leave(store, own, ok, error);
}

gboolean
intent_drop(struct store *store, gint64 id, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autoptr(struct_intent) intent = intent_row_read(store, id, NULL);
    gboolean ok = TRUE;
    if (intent && intent->state == INTENT_RUNNING) {
        g_set_error(error, STORE_ERROR, ERROR_BUSY, "this is being carried out just now");
        ok = FALSE;
    }
    ok = ok && (!intent || intent_cancel(store, intent, error));
    return txn_leave(store, own, ok, error);
}

GBytes *
intent_append_bytes(struct store *store, const struct intent *intent, guint *flags, char **tags,
                    gint64 *received, GError **error)
{
    g_auto(struct_placement_row) row = {0};

    if (!placement_row_read(store, intent->target, &row, error)) {
        if (error && !*error)
            g_set_error(error, STORE_ERROR, ERROR_STALE, "what was to be uploaded was taken back meanwhile");
        return NULL;
    }
    g_autofree char *path = placement_row_path(store, &row);
    GBytes *bytes = path ? maildir_read(path, error) : store_message_bytes(store, row.message, error);
    if (!bytes)
        return NULL;
    *flags = row.flags;
    *tags = g_strdup(row.tags);
    *received = sql_int(store, 0, "SELECT received FROM message WHERE id = ?", "l", row.message);
    return bytes;
}
