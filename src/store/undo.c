#include "config.h"

#include "store/undo.h"
#include "store/bulk.h"
#include "store/bulk_row.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/placement.h"
#include "base/flags.h"

#include <string.h>

void
undo_entry_free(struct undo_entry *entry)
{
    if (!entry)
        return;
    g_free(entry->text);
    g_free(entry);
}

GPtrArray *
undo_list(struct store *store, guint limit, gboolean with_undone, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)undo_entry_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT id, time, text, undone FROM journal WHERE (undone = 0 OR ?) AND text "
                                "<> '' ORDER BY id DESC LIMIT ?",
                                "il", with_undone, (gint64)limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct undo_entry *entry = g_new0(struct undo_entry, 1);
        entry->id = sqlite3_column_int64(q, 0);
        entry->time = sqlite3_column_int64(q, 1);
        entry->text = sql_dup(q, 2);
        entry->undone = sqlite3_column_int(q, 3) != 0;
        g_ptr_array_add(list, entry);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

/* An item with strings of its own. */
struct item {
    struct journal_item j;
    gint64 id;
    char *before, *after;
};

static void
item_clear(gpointer data)
{
    struct item *item = data;
    g_free(item->before);
    g_free(item->after);
}

static GArray *
read_items(struct store *store, gint64 journal, guint limit, GError **error)
{
    g_autoptr(GArray) items = g_array_new(FALSE, TRUE, sizeof(struct item));
    g_array_set_clear_func(items, item_clear);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT kind, message, source_folder, target_folder, intent, before_flags, "
                                "after_flags, before_tags, after_tags, id"
                                " FROM journal_item WHERE journal = ? ORDER BY id LIMIT ?",
                                "li", journal, limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct item item = {.before = sql_dup(q, 7), .after = sql_dup(q, 8), .id = sqlite3_column_int64(q, 9)};
        item.j = (struct journal_item){.kind = (enum journal_kind)sqlite3_column_int(q, 0),
                                       .message = sqlite3_column_int64(q, 1),
                                       .source_folder = sqlite3_column_int64(q, 2),
                                       .target_folder = sqlite3_column_int64(q, 3),
                                       .intent = sqlite3_column_int64(q, 4),
                                       .before_flags = (guint)sqlite3_column_int(q, 5),
                                       .after_flags = (guint)sqlite3_column_int(q, 6),
                                       .before_tags = item.before,
                                       .after_tags = item.after};
        g_array_append_val(items, item);
    }
    return rc < 0 ? NULL : g_steal_pointer(&items);
}

/* The shown placement of a message in a folder, or where it is now. */
static gboolean
find_placement(struct store *store, gint64 message, gint64 folder, gboolean anywhere,
               struct placement_row *row)
{
    gint64 id = sql_int(store, 0,
                        "SELECT id FROM placement INDEXED BY placement_message WHERE message = ?1 AND " SHOWN
                        " AND (folder = ?2 OR ?3) ORDER BY folder = ?2 DESC, id",
                        "lli", message, folder, anywhere);
    return id && placement_row_read(store, id, row, NULL);
}

static gboolean
folder_is_there(struct store *store, gint64 folder)
{
    return sql_int(store, 0, "SELECT 1 FROM folder WHERE id = ? AND bits & 4 = 0", "l", folder) != 0;
}

static gboolean
undo_flags(struct store *store, const struct journal_item *item, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    gboolean changed;
    if (!find_placement(store, item->message, item->source_folder, TRUE, &row))
        return TRUE; /* the message has gone since */
    g_autofree char *added = tags_minus(item->after_tags, item->before_tags),
                    *removed = tags_minus(item->before_tags, item->after_tags);
    return intent_mark_one(store, &row, item->before_flags & ~item->after_flags,
                           item->after_flags & ~item->before_flags, removed, added, 0, &changed, error);
}

/* Taken back while nothing of it has left this machine. */
static gboolean
try_cancel(struct store *store, gint64 id, gboolean *cancelled, GError **error)
{
    g_autoptr(struct_intent) intent = id ? intent_row_read(store, id, error) : NULL;
    *cancelled = intent && intent->state != INTENT_RUNNING && !intent->uncertain;
    if (intent && intent->kind == INTENT_EXPUNGE && intent->after && *cancelled) {
        /* The second half of a move to another account: the upload goes too, unless it has begun. */
        g_autoptr(struct_intent) upload = intent_row_read(store, intent->after, error);
        *cancelled = upload && upload->state != INTENT_RUNNING && !upload->uncertain;
        if (*cancelled && !intent_cancel(store, upload, error))
            return FALSE;
    }
    return !*cancelled || intent_cancel(store, intent, error);
}

static gboolean
undo_move(struct store *store, const struct journal_item *item, gint64 journal, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    gboolean cancelled;
    if (!try_cancel(store, item->intent, &cancelled, error))
        return FALSE;
    if (cancelled || !find_placement(store, item->message, item->target_folder, FALSE, &row))
        return TRUE; /* moved on since: that is not to be undone here */
    if (!folder_is_there(store, item->source_folder)) {
        g_set_error(error, STORE_ERROR, ERROR_REFUSED, "the folder that the message was moved from has gone");
        return FALSE;
    }
    return intent_move_one(store, &row, item->source_folder, NULL, journal, error);
}

static gboolean
undo_new(struct store *store, const struct journal_item *item, gint64 journal, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    gboolean cancelled;
    if (!try_cancel(store, item->intent, &cancelled, error))
        return FALSE;
    if (cancelled || !find_placement(store, item->message, item->target_folder, FALSE, &row))
        return TRUE;
    return intent_expunge_one(store, &row, 0, journal, error);
}

static gboolean
undo_expunge(struct store *store, const struct journal_item *item, gint64 folder, gint64 journal,
             GError **error)
{
    gboolean cancelled;
    g_autoptr(struct_intent) intent = item->intent ? intent_row_read(store, item->intent, error) : NULL;
    if (intent && (intent->state == INTENT_RUNNING || intent->uncertain)) {
        g_set_error(error, STORE_ERROR, ERROR_BUSY,
                    "the deletion is being carried out just now: try again in a moment");
        return FALSE;
    }
    if (!try_cancel(store, item->intent, &cancelled, error))
        return FALSE;
    if (cancelled || sql_int(store, 0,
                             "SELECT 1 FROM placement INDEXED BY placement_message WHERE message = ? AND "
                             "folder = ? AND " SHOWN,
                             "ll", item->message, folder))
        return TRUE;
    if (!folder_is_there(store, folder)) {
        g_set_error(error, STORE_ERROR, ERROR_REFUSED, "the folder that the message lay in has gone");
        return FALSE;
    }
    return intent_bring_back(store, item->message, folder, item->before_flags, item->before_tags, journal,
                             error);
}

static gboolean
undo_folder(struct store *store, const struct journal_item *item, gint64 *folder, GError **error)
{
    gboolean cancelled;

    *folder = item->source_folder;
    if (!try_cancel(store, item->intent, &cancelled, error))
        return FALSE;
    if (cancelled)
        return TRUE;
    switch (item->kind) {
    case JOURNAL_FOLDER_CREATE:
        if (sql_int(store, 0, "SELECT 1 FROM placement WHERE folder = ?", "l", item->source_folder)) {
            g_set_error(error, STORE_ERROR, ERROR_REFUSED,
                        "the folder has mail in it by now: delete it if you want to");
            return FALSE;
        }
        return !folder_is_there(store, item->source_folder) ||
               intent_folder_delete(store, item->source_folder, error) != 0;
    case JOURNAL_FOLDER_RENAME:
        return !folder_is_there(store, item->source_folder) ||
               intent_folder_rename(store, item->source_folder, item->before_tags, error) != 0;
    case JOURNAL_SUBSCRIBE:
        return !folder_is_there(store, item->source_folder) ||
               intent_folder_subscribe(store, item->source_folder, item->before_flags != 0, error) != 0;
    case JOURNAL_FOLDER_DELETE:
        return intent_folder_create(store, item->target_folder, item->before_tags, folder, error) != 0;
    default:
        return TRUE;
    }
}

static gboolean
undo_items(struct store *store, GArray *items, gint64 journal, GError **error)
{
    gint64 lost = 0, found = 0; /* a deleted folder and the new one */

    /* A folder comes back before what lay in it. */
    for (guint i = items->len; i-- > 0;) {
        const struct journal_item *item = &g_array_index(items, struct item, i).j;
        if (item->kind >= JOURNAL_FOLDER_CREATE && item->kind <= JOURNAL_SUBSCRIBE) {
            lost = item->source_folder;
            if (!undo_folder(store, item, &found, error))
                return FALSE;
        }
    }
    for (guint i = items->len; i-- > 0;) { /* last done, first undone */
        const struct journal_item *item = &g_array_index(items, struct item, i).j;
        gboolean ok = TRUE;
        switch (item->kind) {
        case JOURNAL_FLAGS:
            ok = undo_flags(store, item, error);
            break;
        case JOURNAL_MOVE:
            ok = undo_move(store, item, journal, error);
            break;
        case JOURNAL_COPY:
        case JOURNAL_APPEND:
            ok = undo_new(store, item, journal, error);
            break;
        case JOURNAL_EXPUNGE:
            ok = undo_expunge(store, item, lost && item->source_folder == lost ? found : item->source_folder,
                              journal, error);
            break;
        case JOURNAL_THREAD:
            ok = thread_hand_undo(store, item->after_tags, item->before_tags, error);
            break;
        default:
            break;
        }
        if (!ok)
            return FALSE;
    }
    return TRUE;
}

gboolean
undo_slice(struct store *store, gint64 undone, gint64 journal, guint limit, guint *n, GError **error)
{
    g_autoptr(GArray) items = read_items(store, undone, limit, error);
    *n = items ? items->len : 0;
    if (!*n)
        return items != NULL;
    return undo_items(store, items, journal, error) &&
           sql_run(store, error, "DELETE FROM journal_item WHERE journal = ? AND id <= ?", "ll", undone,
                   g_array_index(items, struct item, *n - 1).id);
}

/* Many messages are taken back in slices (bulk.h); not so what lay in a deleted folder, which comes back first. */
static gboolean
take_back(struct store *store, gint64 id, gint64 journal, GError **error)
{
    gboolean many = sql_int(store, 0,
                            "SELECT count(*) FROM (SELECT 1 FROM journal_item WHERE journal = ? LIMIT ?)", "li", id,
                            BULK_ABOVE + 1) > BULK_ABOVE &&
                    !sql_int(store, 0, "SELECT 1 FROM journal_item WHERE journal = ? AND kind BETWEEN ? AND ?", "lii",
                             id, (int)JOURNAL_FOLDER_CREATE, (int)JOURNAL_SUBSCRIBE);
    if (!bulk_drop(store, id, error))
        return FALSE;
    if (many)
        return bulk_undo(store, id, journal, error);
    g_autoptr(GArray) items = read_items(store, id, G_MAXINT, error);
    return items && undo_items(store, items, journal, error);
}

gboolean
undo(struct store *store, gint64 id, char **text, GError **error)
{
    gboolean own, ok;
    if (!txn_enter(store, &own, error))
        return FALSE;
    if (!id)
        id = sql_int(store, 0, "SELECT id FROM journal WHERE undone = 0 AND text <> '' ORDER BY id DESC", "");
    g_autofree char *what =
        sql_text(store, "SELECT text FROM journal WHERE id = ? AND undone = 0 AND text <> ''", "l", id);
    ok = what != NULL;
    if (!what)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    id ? "this was undone already, or is forgotten" : "there is nothing to undo");
    /* What undoing does is noted under entries that are not offered themselves. */
    gint64 journal = ok ? journal_begin(store, error) : 0;
    ok = ok && journal && take_back(store, id, journal, error) &&
         sql_run(store, error, "UPDATE journal SET undone = 1 WHERE id IN (?, ?) OR (id > ?2 AND text <> '')",
                 "ll", id, journal);
    ok = txn_leave(store, own, ok, error);
    if (ok && text)
        *text = g_steal_pointer(&what);
    return ok;
}
