/* A conversation without the rows of its messages: it may have ten thousand. */
#include "config.h"

#include "store/folder.h"
#include "store/internal.h"
#include "store/list.h"
#include "store/list_row.h"
#include "base/flags.h"

guint
list_thread_hidden(struct store *store, gint64 thread)
{
    const guint hidden = 1u << FOLDER_TRASH | 1u << FOLDER_JUNK;
    return sql_int(store, 0, "SELECT 1 FROM message WHERE thread = ? AND shown > 0 AND places & ~? <> 0", "li", thread,
                   hidden)
               ? hidden
               : 0;
}

gint64
list_thread_stamp(struct store *store, gint64 thread)
{
    /* The change number goes up by itself; one message less is seen by the count. */
    return sql_int(store, 0, "SELECT max(changed) * 1048576 + count(*) FROM message WHERE thread = ?", "l", thread);
}

GArray *
list_thread_messages(struct store *store, gint64 thread, gint64 *unread, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT id, flags FROM message WHERE thread = ? AND shown > 0 AND places & ~? <> 0"
                                " ORDER BY key",
                                "li", thread, list_thread_hidden(store, thread));
    int rc = q ? 0 : -1;
    *unread = 0;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
        if (!*unread && !((guint)sqlite3_column_int(q, 1) & FLAG_SEEN))
            *unread = id;
    }
    return rc < 0 ? NULL : g_steal_pointer(&ids);
}
