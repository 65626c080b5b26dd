#include "config.h"

#include "store/texts.h"

#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"

#include <stdlib.h>

static void
waiting_free(gpointer data)
{
    struct text_waiting *waiting = data;
    g_free(waiting->path);
    g_free(waiting);
}

/* The newest, without their paths. */
static GPtrArray *
read_waiting(struct store *store, gint64 account, gint64 before, guint limit, guint64 bytes, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(waiting_free);
    guint64 sum = 0;
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT t.message, t.key, m.size FROM textless t CROSS JOIN message m ON m.id = t.message"
                                " WHERE t.account = ? AND t.key < ? ORDER BY t.key DESC LIMIT ?",
                                "lll", account, before ? before : G_MAXINT64, (gint64)limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        guint64 size = (guint64)sqlite3_column_int64(q, 2);
        if (list->len && sum + size > bytes) {
            sql_end(q);
            rc = 0;
            break;
        }
        sum += size;
        struct text_waiting *waiting = g_new0(struct text_waiting, 1);
        *waiting = (struct text_waiting){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), size, NULL};
        g_ptr_array_add(list, waiting);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

GPtrArray *
texts_waiting(struct store *store, gint64 account, gint64 before, guint limit, guint64 bytes, GError **error)
{
    /* Otherwise SQLite takes and gives back its lock for each of the looks. */
    gboolean own = !store->in_transaction && !store->in_snapshot;
    if (own && !store_snapshot_begin(store, error))
        return NULL;
    GPtrArray *list = read_waiting(store, account, before, limit, bytes, error);
    for (guint i = 0; list && i < list->len; i++) {
        struct text_waiting *waiting = list->pdata[i];
        waiting->path = store_message_path(store, waiting->message, NULL);
    }
    if (own)
        store_snapshot_end(store);
    return list;
}

guint64
texts_count(struct store *store, gint64 account)
{
    return (guint64)sql_int(store, 0, "SELECT count(*) FROM textless WHERE account = ?", "l", account);
}

gboolean
texts_note(struct store *store, gint64 folder, gint64 message, GError **error)
{
    return sql_run(store, error,
                   "INSERT OR IGNORE INTO textless (account, key, message) SELECT f.account, m.key, m.id"
                   " FROM message m CROSS JOIN folder f WHERE m.id = ? AND f.id = ? AND m.bits & ? = 0",
                   "lli", message, folder, MESSAGE_INDEXED | MESSAGE_BROKEN);
}

gboolean
texts_drop(struct store *store, gint64 key, GError **error)
{
    return sql_run(store, error, "DELETE FROM textless WHERE account IN (SELECT 0 UNION ALL SELECT id FROM account) AND key = ?", "l", key);
}

static gint
by_key(gconstpointer a, gconstpointer b)
{
    gint64 first = ((const struct text_made *)a)->key, second = ((const struct text_made *)b)->key;
    return first < second ? -1 : first > second;
}

gboolean
texts_put(struct store *store, struct text_made *made, guint n, GError **error)
{
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    qsort(made, n, sizeof *made, by_key); /* as the full text wants it (fulltext.c) */
    for (guint i = 0; i < n && ok; i++)
        if (sql_int(store, 0, "SELECT 1 FROM message WHERE id = ? AND key = ? AND bits & ? = 0", "lli", made[i].message,
                    made[i].key, MESSAGE_INDEXED | MESSAGE_BROKEN))
            ok = message_row_text(store, made[i].message, made[i].key, made[i].index, error);
    return txn_leave(store, own, ok, error);
}

gboolean
texts_forget(struct store *store, gint64 message, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gint64 key = sql_int(store, 0, "SELECT key FROM message WHERE id = ?", "l", message);
    return txn_leave(store, own, texts_drop(store, key, error), error);
}
