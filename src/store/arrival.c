#include "config.h"

#include "store/arrival.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"
#include "base/clock.h"

void
arrival_row_free(struct arrival_row *row)
{
    if (!row)
        return;
    g_free(row->stage);
    g_free(row);
}

/* Mail of our own making has not arrived. */
#define SETTLED (1 << FOLDER_SENT | 1 << FOLDER_DRAFTS | 1 << FOLDER_TRASH)

static gboolean
note(struct store *store, gint64 message, gboolean is_report, guint unless, GError **error)
{
    return sql_run(store, error,
                   "INSERT OR IGNORE INTO arrival (message, account) SELECT m.id, f.account FROM message m"
                   " CROSS JOIN placement p ON p.message = m.id CROSS JOIN folder f ON f.id = p.folder"
                   " WHERE m.id = ?1 AND m.bits & ?5 = 0 AND (m.received >= ?2 OR ?3)"
                   " AND p." SHOWN " AND (1 << f.role) & ?4 = 0 LIMIT 1",
                   "lliii", message, clock_now() - ARRIVAL_RECENT, is_report, SETTLED, unless);
}

gboolean
arrival_note(struct store *store, gint64 message, gboolean is_report, GError **error)
{
    return note(store, message, is_report, MESSAGE_INDEXED | MESSAGE_BROKEN, error);
}

gboolean
arrival_note_found(struct store *store, gint64 message, GError **error)
{
    gint64 is_report = sql_int(store, 0, "SELECT bits & ? FROM message WHERE id = ?", "il", (int)MESSAGE_REPORT, message);
    return note(store, message, is_report != 0, 0, error);
}

GPtrArray *
arrival_list(struct store *store, gint64 account, guint limit, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)arrival_row_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT message, stage, attempts FROM arrival WHERE (account = ?1 OR ?1 = 0) AND due <= ?2"
                                " ORDER BY message LIMIT ?3",
                                "lli", account, clock_now(), limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct arrival_row *row = g_new0(struct arrival_row, 1);
        row->message = sqlite3_column_int64(q, 0);
        row->stage = sql_dup(q, 1);
        row->attempts = (guint)sqlite3_column_int(q, 2);
        g_ptr_array_add(list, row);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

static gboolean
put_verdict(struct store *store, gint64 message, const char *stage, const char *value, GError **error)
{
    if (!value)
        return sql_run(store, error, "DELETE FROM verdict WHERE message = ? AND stage = ?", "ls", message, stage);
    /* Not of a message that went meanwhile. */
    return sql_run(store, error,
                   "INSERT OR REPLACE INTO verdict (message, stage, value, time)"
                   " SELECT id, ?2, ?3, ?4 FROM message WHERE id = ?1",
                   "lssl", message, stage, value, clock_now());
}

gboolean
arrival_stage_done(struct store *store, gint64 message, const char *stage, const char *verdict, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = put_verdict(store, message, stage, verdict, error) &&
                  sql_run(store, error, "UPDATE arrival SET stage = ?, attempts = 0, due = 0 WHERE message = ?", "sl", stage,
                          message) &&
                  (!verdict || message_touch(store, message, error));
    return txn_leave(store, own, ok, error);
}

gboolean
arrival_defer(struct store *store, gint64 message, gint64 due, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(store, own,
                     sql_run(store, error, "UPDATE arrival SET attempts = attempts + 1, due = ? WHERE message = ?", "ll",
                             due, message),
                     error);
}

gboolean
arrival_end(struct store *store, gint64 message, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(store, own, sql_run(store, error, "DELETE FROM arrival WHERE message = ?", "l", message), error);
}

char *
verdict_get(struct store *store, gint64 message, const char *stage)
{
    return sql_text(store, "SELECT value FROM verdict WHERE message = ? AND stage = ?", "ls", message, stage);
}

char *
verdict_field(struct store *store, gint64 message, const char *stage, const char *field)
{
    return sql_text(store,
                    "SELECT json_extract(value, '$.' || ?3) FROM verdict WHERE message = ?1 AND stage = ?2"
                    " AND json_valid(value)",
                    "lss", message, stage, field);
}

gboolean
verdict_set(struct store *store, gint64 message, const char *stage, const char *value, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = put_verdict(store, message, stage, value, error) && message_touch(store, message, error);
    return txn_leave(store, own, ok, error);
}
