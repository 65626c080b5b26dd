#include "config.h"

#include "store/delivery.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"

#include <string.h>

void
delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    g_free(delivery->address);
    g_free(delivery->kind);
    g_free(delivery->status);
    g_free(delivery->text);
    g_free(delivery);
}

gboolean
delivery_note(struct store *store, gint64 message, const struct delivery *delivery, GError **error)
{
    gboolean own, failed = !strcmp(delivery->kind, "hard") || !strcmp(delivery->kind, "soft");
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error,
                          "INSERT OR REPLACE INTO delivery (message, report, address, kind, status, text, time)"
                          " SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM message WHERE id = ?1",
                          "llssssl", message, delivery->report, delivery->address, delivery->kind, delivery->status,
                          delivery->text, delivery->time) &&
                  message_set_bits(store, message, failed ? MESSAGE_BOUNCED : 0, 0, error);
    return txn_leave(store, own, ok, error);
}

GPtrArray *
delivery_list(struct store *store, gint64 message, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)delivery_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT report, address, kind, status, text, time FROM delivery WHERE message = ?"
                                " ORDER BY time, report, address",
                                "l", message);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct delivery *delivery = g_new0(struct delivery, 1);
        delivery->report = sqlite3_column_int64(q, 0);
        delivery->address = sql_dup(q, 1);
        delivery->kind = sql_dup(q, 2);
        delivery->status = sql_dup(q, 3);
        delivery->text = sql_dup(q, 4);
        delivery->time = sqlite3_column_int64(q, 5);
        g_ptr_array_add(list, delivery);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}
