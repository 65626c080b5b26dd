#include "config.h"

#include "store/filing.h"
#include "store/internal.h"
#include "base/clock.h"

void
filing_free(struct filing *filing)
{
    if (!filing)
        return;
    g_free(filing->rule);
    g_free(filing->action);
    g_free(filing->error);
    g_free(filing);
}

gint64
filing_add(struct store *store, gint64 message, const char *rule, const char *action, const char *error_text,
           GError **error)
{
    if (!sql_run(store, error, "INSERT INTO filing (message, time, rule, action, error) VALUES (?, ?, ?, ?, ?)", "llsss",
                 message, clock_now(), rule, action, error_text))
        return 0;
    return sqlite3_last_insert_rowid(store->db);
}

gboolean
filing_set_error(struct store *store, gint64 id, const char *error_text, GError **error)
{
    return sql_run(store, error, "UPDATE filing SET error = ? WHERE id = ?", "sl", error_text, id);
}

gboolean
filing_is_done(struct store *store, gint64 message)
{
    return sql_int(store, 0, "SELECT 1 FROM filing WHERE message = ? LIMIT 1", "l", message) != 0;
}

GPtrArray *
filing_list(struct store *store, gint64 message, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify) filing_free);
    sqlite3_stmt *q = sql_query(
        store, error, "SELECT id, message, time, rule, action, error FROM filing WHERE message = ? ORDER BY id", "l", message);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct filing *filing = g_new0(struct filing, 1);
        filing->id = sqlite3_column_int64(q, 0);
        filing->message = sqlite3_column_int64(q, 1);
        filing->time = sqlite3_column_int64(q, 2);
        filing->rule = sql_dup(q, 3);
        filing->action = sql_dup(q, 4);
        filing->error = sql_dup(q, 5);
        g_ptr_array_add(list, filing);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}
