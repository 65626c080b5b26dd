/* Passing over rows that are not to be shown, by the index alone: they may be a hundred thousand. */
#include "config.h"

#include "store/list.h"
#include "store/internal.h"

gint64
list_skip(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
          GHashTable *hidden)
{
    static const char *const queries[2][2] = {
        {"SELECT newest, -thread FROM folder_thread INDEXED BY folder_thread_newest WHERE folder = ? AND newest < ?"
         " ORDER BY newest DESC",
         "SELECT newest, -thread FROM folder_thread INDEXED BY folder_thread_newest WHERE folder = ? AND newest > ?"
         " ORDER BY newest"},
        {"SELECT p.key, m.id FROM placement p INDEXED BY placement_key CROSS JOIN message m INDEXED BY message_key"
         " ON m.key = p.key WHERE p.folder = ? AND p." SHOWN " AND p.key < ? ORDER BY p.key DESC",
         "SELECT p.key, m.id FROM placement p INDEXED BY placement_key CROSS JOIN message m INDEXED BY message_key"
         " ON m.key = p.key WHERE p.folder = ? AND p." SHOWN " AND p.key > ? ORDER BY p.key"},
    };
    gint64 from = key ? key : direction == LIST_OLDER ? G_MAXINT64 : 0, nearest = 0;
    if (view->kind != LIST_CONVERSATIONS && view->kind != LIST_MESSAGES)
        return key;
    for (guint i = 0; i < view->n_folders; i++) {
        gint64 found = 0;
        sqlite3_stmt *q = sql_query(store, NULL, queries[view->kind == LIST_MESSAGES][direction], "ll",
                                    view->folders[i], from);
        while (q && !found && sql_row(store, q, NULL) > 0) {
            gint64 id = sqlite3_column_int64(q, 1);
            if (!g_hash_table_contains(hidden, &id))
                found = sqlite3_column_int64(q, 0);
        }
        if (found)
            sql_end(q);
        if (found && (!nearest || (direction == LIST_OLDER ? found > nearest : found < nearest)))
            nearest = found;
    }
    if (!nearest) /* all that is left is hidden: beyond the last one */
        return direction == LIST_OLDER ? 1 : G_MAXINT64;
    return direction == LIST_OLDER ? nearest + 1 : nearest - 1;
}
