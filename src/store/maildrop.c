/* Reading the table of a POP3 mailbox, and small changes to it; maildrop_take.c takes messages in. */
#include "config.h"

#include "store/internal.h"
#include "store/maildrop.h"
#include "store/rows.h"

#include <string.h>

void
maildrop_free(struct maildrop *drop)
{
    if (!drop)
        return;
    g_array_unref(drop->rows);
    g_string_chunk_free(drop->strings);
    g_free(drop);
}

struct maildrop *
maildrop_load(struct store *store, gint64 account, GError **error)
{
    g_autoptr(struct_maildrop) drop = g_new0(struct maildrop, 1);
    drop->rows = g_array_new(FALSE, FALSE, sizeof(struct maildrop_row));
    drop->strings = g_string_chunk_new(16 * 1024);
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT d.id, d.uidl, d.nth, d.loose, m.shown > 0, m.cached, d.message, d.size, m.date, d.since,"
        " EXISTS (SELECT 1 FROM placement p INDEXED BY placement_message CROSS JOIN folder f ON f.id = "
        "p.folder"
        " WHERE p.message = d.message AND p." SHOWN " AND f.account = d.account AND f.role <> 5)"
        " FROM maildrop d LEFT JOIN message m ON m.id = d.message WHERE d.account = ? ORDER BY d.uidl, d.nth",
        "l", account);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct maildrop_row row = {
            .id = sqlite3_column_int64(q, 0),
            .uidl = g_string_chunk_insert(drop->strings, sql_str(q, 1)),
            .nth = (guint32)sqlite3_column_int64(q, 2),
            .loose = sqlite3_column_int(q, 3) != 0,
            .shown = sqlite3_column_int(q, 4) != 0,
            .cached = sqlite3_column_int(q, 5) != 0,
            .message = sqlite3_column_int64(q, 6),
            .size = (guint64)sqlite3_column_int64(q, 7),
            .date = sqlite3_column_int64(q, 8),
            .since = sqlite3_column_int64(q, 9),
            .here = sqlite3_column_int(q, 10) != 0,
        };
        g_array_append_val(drop->rows, row);
    }
    return rc < 0 ? NULL : g_steal_pointer(&drop);
}

gint64
maildrop_find(struct store *store, gint64 account, gint64 message)
{
    return sql_int(store, 0, "SELECT id FROM maildrop WHERE message = ? AND account = ?", "ll", message,
                   account);
}

GArray *
maildrop_wanted(struct store *store, gint64 account, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q =
        sql_query(store, error,
                  "SELECT min(d.id) FROM wanted w CROSS JOIN maildrop d ON d.message = w.message"
                  " WHERE d.account = ? GROUP BY w.message ORDER BY w.time",
                  "l", account);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    return rc < 0 ? NULL : g_steal_pointer(&ids);
}

gboolean
maildrop_unwant(struct store *store, gint64 row, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        sql_run(store, error,
                "DELETE FROM wanted WHERE message = (SELECT message FROM maildrop WHERE id = ?)", "l", row);
    return txn_leave(store, own, ok, error);
}

/* ---- who is who ---- */

static char *
hex(const guint8 *bytes, gsize length)
{
    GString *text = g_string_sized_new(length * 2);
    for (gsize i = 0; i < length; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    return g_string_free(text, FALSE);
}

char *
maildrop_message_id(const char *message_id)
{
    guint8 mid[MID_SIZE];
    return mid_hash(message_id, mid) ? hex(mid, sizeof mid) : NULL;
}

static char *
hex_column(sqlite3_stmt *q, int column)
{
    const guint8 *bytes = sqlite3_column_blob(q, column);
    return bytes ? hex(bytes, (gsize)sqlite3_column_bytes(q, column)) : NULL;
}

gboolean
maildrop_identify(struct store *store, gint64 row, struct maildrop_identity *identity, GError **error)
{
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT mid, date, size, hash FROM maildrop WHERE id = ?", "l", row);
    int rc = q ? sql_row(store, q, error) : -1;
    *identity = (struct maildrop_identity){0};
    if (rc <= 0)
        return rc == 0;
    identity->message_id = hex_column(q, 0);
    identity->date = sqlite3_column_int64(q, 1);
    identity->size = (guint64)sqlite3_column_int64(q, 2);
    identity->content = hex_column(q, 3);
    sql_end(q);
    return TRUE;
}

void
maildrop_identity_clear(struct maildrop_identity *identity)
{
    g_clear_pointer(&identity->message_id, g_free);
    g_clear_pointer(&identity->content, g_free);
}

gboolean
maildrop_rename(struct store *store, gint64 row, const char *uidl, guint nth, guint64 size, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "UPDATE maildrop SET uidl = ?, nth = ?, size = ? WHERE id = ?",
                          "sill", uidl, nth, (gint64)size, row);
    return txn_leave(store, own, ok, error);
}

gboolean
maildrop_forget(struct store *store, const gint64 *rows, guint n, GError **error)
{
    gboolean own, ok = TRUE;
    if (!n)
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < n && ok; i++)
        ok = sql_run(store, error, "DELETE FROM maildrop WHERE id = ?", "l", rows[i]);
    return txn_leave(store, own, ok, error);
}
