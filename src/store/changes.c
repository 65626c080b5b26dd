#include "config.h"

#include "store/changes.h"
#include "store/internal.h"
#include "store/rows.h"
#include "store/message.h"
#include "base/clock.h"

#include <string.h>

void
change_free(struct change *change)
{
    if (!change)
        return;
    g_free(change->message_id);
    g_free(change->tags);
    g_clear_pointer(&change->files, g_ptr_array_unref);
    g_free(change);
}

gint64
changes_sequence(struct store *store)
{
    return sql_int(store, 0, "SELECT value FROM counter WHERE name = 'sequence'", "");
}

#define MESSAGE_COLUMNS "m.changed, m.id, m.message_id, m.flags, m.tags, m.places, m.bits, m.date, m.shown"

static struct change *
read_message(sqlite3_stmt *q)
{
    struct change *change = g_new0(struct change, 1);
    change->sequence = sqlite3_column_int64(q, 0);
    change->message = sqlite3_column_int64(q, 1);
    change->message_id = sql_dup(q, 2);
    change->flags = (guint)sqlite3_column_int(q, 3);
    change->tags = g_strdup(sql_str(q, 4));
    change->places = (guint)sqlite3_column_int(q, 5);
    change->bits = (guint)sqlite3_column_int(q, 6);
    change->date = sqlite3_column_int64(q, 7);
    change->gone = sqlite3_column_int(q, 8) == 0; /* kept in mail/.removed, or about to go */
    change->files = g_ptr_array_new_with_free_func(g_free);
    return change;
}

static gboolean
read_files(struct store *store, struct change *change, GError **error)
{
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT f.dir, p.file FROM placement p CROSS JOIN folder f ON f.id = p.folder"
                                " WHERE p.message = ? AND p.file IS NOT NULL AND p." SHOWN " ORDER BY p.id",
                                "l", change->message);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(change->files, g_build_filename(sql_str(q, 0), "cur", sql_str(q, 1), NULL));
    return rc == 0;
}

static gboolean
read_messages(struct store *store, sqlite3_stmt *q, GPtrArray *list, GError **error)
{
    guint first = list->len;
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(list, read_message(q));
    for (guint i = first; rc == 0 && i < list->len; i++)
        if (!read_files(store, list->pdata[i], error))
            rc = -1;
    return rc == 0;
}

static int
by_sequence(gconstpointer a, gconstpointer b)
{
    const struct change *x = *(struct change *const *)a, *y = *(struct change *const *)b;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? -1 : 1;
    return x->message < y->message ? -1 : x->message > y->message;
}

GPtrArray *
changes_since(struct store *store, gint64 since, guint limit, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)change_free);
    /* Up to the sequence of the last row that fits, so that none is cut in two. */
    gint64 last = sql_int(store, 0,
                          "SELECT max(s) FROM (SELECT changed AS s FROM message WHERE changed > ?1 UNION ALL"
                          " SELECT sequence FROM gone WHERE sequence > ?1 ORDER BY 1 LIMIT ?2)",
                          "li", since, limit);
    if (!last)
        return g_steal_pointer(&list);
    if (!read_messages(store,
                       sql_query(store, error,
                                 "SELECT " MESSAGE_COLUMNS
                                 " FROM message m WHERE m.changed > ? AND m.changed <= ?",
                                 "ll", since, last),
                       list, error))
        return NULL;
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT sequence, message, message_id, files FROM gone WHERE sequence > ? AND sequence <= ?", "ll",
        since, last);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct change *change = g_new0(struct change, 1);
        change->sequence = sqlite3_column_int64(q, 0);
        change->message = sqlite3_column_int64(q, 1);
        change->gone = TRUE;
        change->message_id = sql_dup(q, 2);
        change->tags = g_strdup("");
        change->files = g_ptr_array_new_with_free_func(g_free);
        if (*sql_str(q, 3))
            g_ptr_array_add(change->files, sql_dup(q, 3));
        g_ptr_array_add(list, change);
    }
    if (rc < 0)
        return NULL;
    g_ptr_array_sort(list, by_sequence);
    return g_steal_pointer(&list);
}

GPtrArray *
changes_all(struct store *store, gint64 *cursor, guint limit, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)change_free);
    gint64 before = *cursor ? *cursor : G_MAXINT64;
    if (!read_messages(store,
                       sql_query(store, error,
                                 "SELECT " MESSAGE_COLUMNS
                                 " FROM message m WHERE m.key < ? AND m.cached = 1 AND m.shown > 0"
                                 " ORDER BY m.key DESC LIMIT ?",
                                 "li", before, limit),
                       list, error))
        return NULL;
    *cursor = 0;
    if (list->len && list->len == limit)
        *cursor = sql_int(store, 0, "SELECT key FROM message WHERE id = ?", "l",
                          ((struct change *)list->pdata[list->len - 1])->message);
    return g_steal_pointer(&list);
}

char *
index_state_get(struct store *store, const char *key)
{
    return sql_text(store, "SELECT value FROM index_state WHERE name = ?", "s", key);
}

gboolean
index_state_set(struct store *store, const char *key, const char *value, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        value ? sql_run(store, error, "INSERT OR REPLACE INTO index_state VALUES (?, ?)", "ss", key, value)
              : sql_run(store, error, "DELETE FROM index_state WHERE name = ?", "s", key);
    return txn_leave(store, own, ok, error);
}

gboolean
index_skip_add(struct store *store, gint64 message, const char *reason, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error,
                          "INSERT OR REPLACE INTO index_skip SELECT id, hash, ?, ? FROM message WHERE id = ?",
                          "sll", reason, clock_now(), message);
    return txn_leave(store, own, ok, error);
}

gboolean
index_skip_has(struct store *store, gint64 message)
{
    return sql_int(store, 0,
                   "SELECT 1 FROM index_skip s JOIN message m ON m.id = s.message WHERE s.message = ? AND "
                   "s.hash IS m.hash",
                   "l", message) != 0;
}

static void
skipped_free(gpointer data)
{
    struct index_skipped *skipped = data;
    g_free(skipped->reason);
    g_free(skipped);
}

GPtrArray *
index_skip_list(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(skipped_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT s.message, s.time, s.reason FROM index_skip s JOIN message m ON m.id = s.message"
                                " WHERE s.hash IS m.hash ORDER BY s.time, s.message",
                                "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct index_skipped *skipped = g_new0(struct index_skipped, 1);
        skipped->message = sqlite3_column_int64(q, 0);
        skipped->time = sqlite3_column_int64(q, 1);
        skipped->reason = sql_dup(q, 2);
        g_ptr_array_add(list, skipped);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

gboolean
index_skip_clear(struct store *store, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autoptr(GPtrArray) list = index_skip_list(store, error);
    gboolean ok = list != NULL;
    for (guint i = 0; ok && i < list->len; i++)
        ok = message_touch(store, ((struct index_skipped *)list->pdata[i])->message, error);
    return txn_leave(store, own, ok && sql_run(store, error, "DELETE FROM index_skip", ""), error);
}
