/* Threads: connected components over Message-ID, In-Reply-To and References, whatever the order of arrival.
 *
 * `mention` maps every id that was seen or named to its thread. When a message connects two threads, the one
 * with fewer messages is renamed into the other, so that n messages cost n log n renames at worst; mentions
 * of the old number find the new one through thread.moved_to. */
#include "config.h"

#include "store/internal.h"
#include "store/rows.h"
#include "base/flags.h"
#include "base/sha256.h"

#include <string.h>

gboolean
mid_hash(const char *message_id, guint8 mid[MID_SIZE])
{
    if (!message_id || !*message_id)
        return FALSE;
    guint8 digest[SHA256_SIZE];
    struct sha256 *sum = sha256_new();
    sha256_add(sum, message_id, strlen(message_id));
    sha256_end(sum, digest);
    memcpy(mid, digest, MID_SIZE);
    return TRUE;
}

/* The number that a thread has now. */
static gint64
thread_now(struct store *store, gint64 thread)
{
    gint64 first = thread, next, hops = 0;
    while ((next = sql_int(store, 0, "SELECT moved_to FROM thread WHERE id = ?", "l", thread)) &&
           hops++ < 10000)
        thread = next;
    if (hops > 1) /* the way is shorter next time */
        sql_run(store, NULL, "UPDATE thread SET moved_to = ? WHERE id = ?", "ll", thread, first);
    return thread;
}

gboolean
thread_resize(struct store *store, gint64 thread, int by, GError **error)
{
    return sql_run(store, error, "UPDATE thread SET size = size + ? WHERE id = ?", "il", by, thread);
}

static gboolean
count_in_folder(struct store *store, gint64 folder, int total, int unread, int flagged, int conversations,
                int unread_conversations, GError **error)
{
    return sql_run(
        store, error,
        "UPDATE folder SET total = total + ?, unread = unread + ?, flagged = flagged + ?,"
        " conversations = conversations + ?, unread_conversations = unread_conversations + ? WHERE id = ?",
        "iiiiil", total, unread, flagged, conversations, unread_conversations, folder);
}

gboolean
folder_thread_add(struct store *store, gint64 folder, gint64 thread, gint64 key, guint flags, GError **error)
{
    int unread = !(flags & FLAG_SEEN), flagged = !!(flags & FLAG_FLAGGED);
    sqlite3_stmt *q = sql_query(
        store, error,
        "INSERT INTO folder_thread VALUES (?1, ?2, ?3, 1, ?4, ?5) ON CONFLICT (folder, thread) DO UPDATE"
        " SET newest = max(newest, ?3), count = count + 1, unread = unread + ?4, flagged = flagged + ?5"
        " RETURNING count, unread",
        "lllii", folder, thread, key, unread, flagged);
    if (!q || sql_row(store, q, error) <= 0)
        return FALSE;
    gboolean first = sqlite3_column_int64(q, 0) == 1;
    gboolean first_unread = unread && sqlite3_column_int64(q, 1) == 1;
    sql_end(q);
    return count_in_folder(store, folder, 1, unread, flagged, first, first_unread, error);
}

gboolean
folder_thread_remove(struct store *store, gint64 folder, gint64 thread, gint64 key, guint flags,
                     GError **error)
{
    int unread = !(flags & FLAG_SEEN), flagged = !!(flags & FLAG_FLAGGED);
    sqlite3_stmt *q =
        sql_query(store, error,
                  "UPDATE folder_thread SET count = count - 1, unread = unread - ?3, flagged = flagged - ?4"
                  " WHERE folder = ?1 AND thread = ?2 RETURNING count, unread, newest",
                  "llii", folder, thread, unread, flagged);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc < 0)
        return FALSE;
    if (rc == 0)
        return TRUE; /* store_check() will tell */
    gboolean last = sqlite3_column_int64(q, 0) == 0;
    gboolean last_unread = unread && sqlite3_column_int64(q, 1) == 0;
    gboolean was_newest = sqlite3_column_int64(q, 2) == key;
    sql_end(q);
    if (last && !sql_run(store, error, "DELETE FROM folder_thread WHERE folder = ? AND thread = ?", "ll",
                         folder, thread))
        return FALSE;
    if (!last && was_newest &&
        !sql_run(store, error,
                 "UPDATE folder_thread SET newest = coalesce((SELECT m.key FROM message m CROSS JOIN "
                 "placement p ON p.message = m.id"
                 " WHERE m.thread = ?2 AND p.folder = ?1 AND p." SHOWN
                 " ORDER BY m.key DESC LIMIT 1), newest)"
                 " WHERE folder = ?1 AND thread = ?2",
                 "ll", folder, thread))
        return FALSE;
    return count_in_folder(store, folder, -1, -unread, -flagged, -last, -last_unread, error);
}

gboolean
folder_thread_reflag(struct store *store, gint64 folder, gint64 thread, guint before, guint after,
                     GError **error)
{
    int unread = !(after & FLAG_SEEN) - !(before & FLAG_SEEN);
    int flagged = !!(after & FLAG_FLAGGED) - !!(before & FLAG_FLAGGED);
    if (!unread && !flagged)
        return TRUE;
    sqlite3_stmt *q = sql_query(store, error,
                                "UPDATE folder_thread SET unread = unread + ?3, flagged = flagged + ?4"
                                " WHERE folder = ?1 AND thread = ?2 RETURNING unread",
                                "llii", folder, thread, unread, flagged);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0)
        return rc == 0;
    gint64 now = sqlite3_column_int64(q, 0);
    sql_end(q);
    int threads = unread > 0 && now == 1 ? 1 : unread < 0 && now == 0 ? -1 : 0;
    return count_in_folder(store, folder, 0, unread, flagged, 0, threads, error);
}

/* The conversations of one folder become one. */
static gboolean
merge_in_folder(struct store *store, gint64 folder, gint64 from, gint64 to, GError **error)
{
    gint64 newest = 0, count = 0, unread = 0, flagged = 0;
    sqlite3_stmt *q = sql_query(
        store, error,
        "DELETE FROM folder_thread WHERE folder = ? AND thread = ? RETURNING newest, count, unread, flagged",
        "ll", folder, from);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0)
        return rc == 0;
    newest = sqlite3_column_int64(q, 0);
    count = sqlite3_column_int64(q, 1);
    unread = sqlite3_column_int64(q, 2);
    flagged = sqlite3_column_int64(q, 3);
    sql_end(q);
    gint64 had_unread = sql_int(store, -1, "SELECT unread FROM folder_thread WHERE folder = ? AND thread = ?",
                                "ll", folder, to);
    gboolean both = had_unread >= 0;
    return sql_run(
               store, error,
               "INSERT INTO folder_thread VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (folder, thread) DO "
               "UPDATE SET"
               " newest = max(newest, ?3), count = count + ?4, unread = unread + ?5, flagged = flagged + ?6",
               "llllll", folder, to, newest, count, unread, flagged) &&
           (!both || count_in_folder(store, folder, 0, 0, 0, -1, had_unread && unread ? -1 : 0, error));
}

static gboolean
merge(struct store *store, gint64 from, gint64 to, GError **error)
{
    g_autoptr(GHashTable) folders = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT DISTINCT p.folder FROM message m CROSS JOIN placement p ON p.message "
                                "= m.id WHERE m.thread = ?",
                                "l", from);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 *folder = g_new(gint64, 1);
        *folder = sqlite3_column_int64(q, 0);
        g_hash_table_add(folders, folder);
    }
    if (rc < 0 ||
        !sql_run(
            store, error,
            "UPDATE placement SET thread = ?2 WHERE message IN (SELECT id FROM message WHERE thread = ?1)",
            "ll", from, to) ||
        !sql_run(store, error, "UPDATE message SET thread = ?2 WHERE thread = ?1", "ll", from, to) ||
        !sql_run(store, error,
                 "UPDATE thread SET size = size + (SELECT size FROM thread WHERE id = ?1),"
                 " muted = muted OR (SELECT muted FROM thread WHERE id = ?1) WHERE id = ?2",
                 "ll", from, to) ||
        !sql_run(store, error, "UPDATE thread SET size = 0, moved_to = ?2 WHERE id = ?1", "ll", from, to))
        return FALSE;
    GHashTableIter iter;
    gpointer folder;
    g_hash_table_iter_init(&iter, folders);
    while (g_hash_table_iter_next(&iter, &folder, NULL))
        if (!merge_in_folder(store, *(gint64 *)folder, from, to, error))
            return FALSE;
    return TRUE;
}

gint64
thread_of_mid(struct store *store, const guint8 *mid)
{
    gint64 thread = sql_int(store, 0, "SELECT thread FROM mention WHERE mid = ?", "b", mid, (gsize)MID_SIZE);
    return thread ? thread_now(store, thread) : 0;
}

gint64
thread_connect(struct store *store, const GArray *ids, GError **error)
{
    g_autofree gboolean *known = g_new0(gboolean, ids->len + 1);
    gint64 thread = 0;

    for (guint i = 0; i < ids->len; i++) {
        gint64 other = thread_of_mid(store, (const guint8 *)ids->data + i * MID_SIZE);
        known[i] = other != 0;
        if (!other || other == thread)
            continue;
        if (!thread) {
            thread = other;
            continue;
        }
        gint64 a = sql_int(store, 0, "SELECT size FROM thread WHERE id = ?", "l", thread);
        gint64 b = sql_int(store, 0, "SELECT size FROM thread WHERE id = ?", "l", other);
        gint64 from = a < b ? thread : other, to = a < b ? other : thread;
        if (!merge(store, from, to, error))
            return 0;
        thread = to;
    }
    if (!thread) {
        if (!sql_run(store, error, "INSERT INTO thread (size) VALUES (0)", ""))
            return 0;
        thread = sqlite3_last_insert_rowid(store->db);
    }
    for (guint i = 0; i < ids->len; i++)
        if (!known[i] && !sql_run(store, error, "INSERT OR IGNORE INTO mention VALUES (?, ?)", "bl",
                                  ids->data + i * MID_SIZE, (gsize)MID_SIZE, thread))
            return 0;
    return thread;
}

gint64
thread_join(struct store *store, const struct envelope *envelope, GError **error)
{
    g_autoptr(GArray) ids = thread_hand_ids(store, envelope);
    return thread_connect(store, ids, error);
}

/* ---- silence ---- */

gboolean
thread_is_muted(struct store *store, gint64 thread)
{
    return sql_int(store, 0, "SELECT muted FROM thread WHERE id = ?", "l", thread) != 0;
}

gboolean
thread_set_muted(struct store *store, gint64 thread, gboolean muted, GError **error)
{
    if (muted)
        return sql_run(store, error, "UPDATE thread SET muted = 1 WHERE id = ? AND muted = 0", "l", thread);
    return sql_run(store, error,
                   "UPDATE thread SET muted = EXISTS (SELECT 1 FROM message m INDEXED BY message_thread CROSS JOIN tag t"
                   " ON t.tag = '" MUTED_TAG "' AND t.key = m.key WHERE m.thread = ?1) WHERE id = ?1",
                   "l", thread);
}
