/* lesson.c - rows of the learning filter */
#include "config.h"

#include "store/lesson.h"
#include "store/internal.h"

#include <string.h>

#define CHANGED "UPDATE counter SET value = value + 1 WHERE name = 'lessons'"

static GBytes *
column_bytes(sqlite3_stmt *q, int column)
{
    const void *bytes = sqlite3_column_blob(q, column);
    return bytes ? g_bytes_new_static(bytes, (gsize)sqlite3_column_bytes(q, column)) : NULL;
}

gboolean
lesson_each(struct store *store, lesson_func each, gpointer data, GError **error)
{
    sqlite3_stmt *q = sql_query(store, error, "SELECT hash, junk, time, score, weights, tokens FROM lesson ORDER BY id", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct lesson lesson = {.junk = sqlite3_column_int(q, 1) != 0,
                                .time = sqlite3_column_int64(q, 2),
                                .score = sqlite3_column_double(q, 3)};
        if (sqlite3_column_bytes(q, 0) != LESSON_HASH)
            continue;
        memcpy(lesson.hash, sqlite3_column_blob(q, 0), LESSON_HASH);
        g_autoptr(GBytes) weights = lesson.weights = column_bytes(q, 4);
        g_autoptr(GBytes) tokens = lesson.tokens = column_bytes(q, 5);
        if (weights)
            each(&lesson, data);
    }
    return rc == 0;
}

int
lesson_find(struct store *store, const guint8 *hash)
{
    return (int)sql_int(store, -1, "SELECT junk FROM lesson WHERE hash = ?", "b", hash, (gsize)LESSON_HASH);
}

static gboolean
put(struct store *store, const struct lesson *lesson, GError **error)
{
    gsize size, length = 0;
    const void *weights = g_bytes_get_data(lesson->weights, &size);
    const void *tokens = lesson->tokens ? g_bytes_get_data(lesson->tokens, &length) : NULL;
    g_autofree char *score = g_strdup_printf("%.6f", lesson->score);
    for (char *p = score; *p; p++)
        *p = *p == ',' ? '.' : *p;
    return sql_run(store, error, "DELETE FROM lesson WHERE hash = ?", "b", lesson->hash, (gsize)LESSON_HASH) &&
           sql_run(store, error,
                   "INSERT INTO lesson (hash, junk, time, score, weights, tokens)"
                   " VALUES (?, ?, ?, CAST(? AS REAL), ?, ?)",
                   "bilsbb", lesson->hash, (gsize)LESSON_HASH, lesson->junk, lesson->time, score, weights, size, tokens,
                   length) &&
           sql_run(store, error, CHANGED, "");
}

gboolean
lesson_put(struct store *store, const struct lesson *lesson, GError **error)
{
    gboolean own;
    return txn_enter(store, &own, error) && txn_leave(store, own, put(store, lesson, error), error);
}

gboolean
lesson_drop(struct store *store, const guint8 *hash, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "DELETE FROM lesson WHERE hash = ?", "b", hash, (gsize)LESSON_HASH) &&
                  sql_run(store, error, CHANGED, "");
    return txn_leave(store, own, ok, error);
}

gboolean
lesson_prune(struct store *store, guint rows, guint64 bytes, GError **error)
{
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gint64 first = sql_int(store, 0, "SELECT id FROM lesson ORDER BY id DESC LIMIT 1 OFFSET ?", "l", (gint64)rows);
    gint64 heavy = sql_int(store, 0,
                           "SELECT id FROM (SELECT id, sum(length(tokens)) OVER (ORDER BY id DESC) AS held FROM lesson)"
                           " WHERE held > ? ORDER BY id DESC LIMIT 1",
                           "l", (gint64)bytes);
    if (first > 0 || heavy > 0)
        ok = sql_run(store, error, "DELETE FROM lesson WHERE id <= ?", "l", MAX(first, heavy)) &&
             sql_run(store, error, CHANGED, "");
    return txn_leave(store, own, ok, error);
}

guint
lesson_count(struct store *store)
{
    return (guint)sql_int(store, 0, "SELECT count(*) FROM lesson", "");
}

gint64
lesson_generation(struct store *store)
{
    return sql_int(store, 0, "SELECT value FROM counter WHERE name = 'lessons'", "");
}

GPtrArray *
lesson_forgotten(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *q = sql_query(store, error, "SELECT word FROM lesson_forgotten ORDER BY word", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(words, sql_dup(q, 0));
    return rc == 0 ? g_steal_pointer(&words) : NULL;
}

gboolean
lesson_forget(struct store *store, const char *word, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "INSERT OR IGNORE INTO lesson_forgotten (word) VALUES (?)", "s", word) &&
                  sql_run(store, error, CHANGED, "");
    return txn_leave(store, own, ok, error);
}
