/* Looking after the database: is it sound, do the counters agree, what may be forgotten. */
#include "config.h"

#include "store/folder.h"
#include "store/internal.h"
#include "store/outbox_row.h"
#include "store/rows.h"
#include "store/taglog.h"
#include "base/clock.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAG_LOG_LIMIT (256 * 1024) /* bytes of the log of tags: more are put together again once a day */
#define DAYS(n) ((n) * (gint64)86400)

/* Each query gives one sentence a row when something does not agree. */
static const char *const checks[] = {
    "SELECT 'folder ' || f.name || ' counts ' || f.total || ' messages, ' || f.unread || ' unread, ' || "
    "f.flagged || ' flagged, but has '"
    " || count(p.id) || ', ' || coalesce(sum(p.flags & 1 = 0), 0) || ', ' || coalesce(sum(p.flags & 4 <> 0), "
    "0)"
    " FROM folder f LEFT JOIN placement p ON p.folder = f.id AND p." SHOWN
    " GROUP BY f.id HAVING f.total <> count(p.id) OR f.unread <> coalesce(sum(p.flags & 1 = 0), 0)"
    " OR f.flagged <> coalesce(sum(p.flags & 4 <> 0), 0)",
    "SELECT 'folder ' || f.name || ' counts ' || f.conversations || ' conversations, ' || "
    "f.unread_conversations || ' unread, but has '"
    " || count(t.thread) || ', ' || coalesce(sum(t.unread > 0), 0) FROM folder f LEFT JOIN folder_thread t "
    "ON t.folder = f.id"
    " GROUP BY f.id HAVING f.conversations <> count(t.thread) OR f.unread_conversations <> "
    "coalesce(sum(t.unread > 0), 0)",
    "SELECT 'conversation ' || p.thread || ' in folder ' || p.folder || ' does not agree with its messages'"
    " FROM placement p LEFT JOIN folder_thread t ON t.folder = p.folder AND t.thread = p.thread WHERE "
    "p." SHOWN
    " GROUP BY p.folder, p.thread HAVING t.thread IS NULL OR t.count <> count(p.id) OR t.newest <> max(p.key)"
    " OR t.unread <> sum(p.flags & 1 = 0) OR t.flagged <> sum(p.flags & 4 <> 0)",
    "SELECT 'conversation ' || t.thread || ' in folder ' || t.folder || ' is empty' FROM folder_thread t "
    "WHERE NOT EXISTS"
    " (SELECT 1 FROM message m CROSS JOIN placement p ON p.message = m.id WHERE m.thread = t.thread AND "
    "p.folder = "
    "t.folder AND p." SHOWN ")",
    "SELECT 'placement ' || p.id || ' does not agree with message ' || p.message FROM placement p"
    " LEFT JOIN message m ON m.id = p.message WHERE m.id IS NULL OR m.key <> p.key OR m.thread <> p.thread",
    "SELECT 'placement ' || p.id || ' lies in no folder' FROM placement p WHERE p.folder NOT IN (SELECT id "
    "FROM folder)",
    "SELECT 'message ' || m.id || ' lies in ' || m.shown || ' folders, but has ' || count(p.id) FROM message "
    "m"
    " LEFT JOIN placement p ON p.message = m.id AND p." SHOWN " GROUP BY m.id HAVING m.shown <> count(p.id)",
    "SELECT 'message ' || m.id || ' lies nowhere' FROM message m WHERE NOT EXISTS (SELECT 1 FROM placement p "
    "WHERE p.message = m.id)",
    "SELECT 'message ' || m.id || ' is not in the full text' FROM message m WHERE m.key NOT IN (SELECT key "
    "FROM message_text UNION ALL SELECT key FROM unindexed)"
    " AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'fulltext_before')",
    "SELECT 'there is a text of ' || key || ', which is no message' FROM message_text WHERE key NOT IN (SELECT key FROM message)",
    "SELECT 'envelope ' || u.key || ' waits for the full text, but is no message, or is there' FROM unindexed u"
    " WHERE u.key NOT IN (SELECT key FROM message) OR u.key IN (SELECT key FROM message_text)",
    "SELECT 'message ' || m.id || ' is here, but is neither read nor waits for that' FROM message m WHERE m.cached = 1"
    " AND m.bits & 160 = 0 AND m.id NOT IN (SELECT message FROM textless)",
    "SELECT 'message ' || t.message || ' is to be read, but is not there' FROM textless t WHERE t.message NOT IN"
    " (SELECT id FROM message m WHERE m.key = t.key)",
    "SELECT 'message ' || message || ' has arrived, but is not there' FROM arrival WHERE message NOT IN (SELECT id FROM "
    "message)",
    "SELECT 'there is a verdict on message ' || message || ', which is not there' FROM verdict WHERE message NOT IN "
    "(SELECT id FROM message)",
    "SELECT 'thread ' || t.id || ' counts ' || t.size || ' messages, but has ' || count(m.id) FROM thread t"
    " LEFT JOIN message m ON m.thread = t.id GROUP BY t.id HAVING t.size <> count(m.id)",
    "SELECT 'intent ' || i.id || ' has lost its message' FROM intent i WHERE i.source > 0 AND i.state < 2"
    " AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.id = i.source)",
    "SELECT 'a message of folder ' || p.folder || ' leaves for nowhere' FROM placement p WHERE p.state = 1"
    " AND p.folder NOT IN (SELECT id FROM folder WHERE account = 0) AND NOT EXISTS (SELECT 1 FROM intent i "
    "WHERE i.source = p.id)",
};

GPtrArray *
store_check(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *q = sql_query(store, error, "PRAGMA integrity_check(20)", "");
    int rc = q ? 0 : -1;

    while (q && (rc = sql_row(store, q, error)) > 0)
        if (strcmp(sql_str(q, 0), "ok"))
            g_ptr_array_add(problems, sql_dup(q, 0));
    if (rc < 0)
        return NULL;
    if (problems->len)
        return g_steal_pointer(&problems);
    if (store->writable) {
        g_autoptr(GError) failure = NULL; /* FTS5 compares its index with its content */
        if (!sql_run(store, &failure, "INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)", ""))
            g_ptr_array_add(problems, g_strdup_printf("the full text is damaged: %s", failure->message));
    }
    for (guint i = 0; i < G_N_ELEMENTS(checks); i++) {
        q = sql_query(store, error, checks[i], "");
        rc = q ? 0 : -1;
        while (q && (rc = sql_row(store, q, error)) > 0)
            if (problems->len < 100)
                g_ptr_array_add(problems, sql_dup(q, 0));
        if (rc < 0)
            return NULL;
    }
    return g_steal_pointer(&problems);
}

static const char *const repairs[] = {
    "DELETE FROM placement WHERE folder NOT IN (SELECT id FROM folder) OR message NOT IN (SELECT id FROM "
    "message)",
    "UPDATE placement SET (key, thread) = (SELECT key, thread FROM message m WHERE m.id = placement.message)",
    "DELETE FROM folder_thread",
    "INSERT INTO folder_thread SELECT folder, thread, max(key), count(*), sum(flags & 1 = 0), sum(flags & 4 "
    "<> 0)"
    " FROM placement WHERE " SHOWN " GROUP BY folder, thread",
    "UPDATE folder SET (total, unread, flagged) = (SELECT count(*), coalesce(sum(p.flags & 1 = 0), 0),"
    " coalesce(sum(p.flags & 4 <> 0), 0) FROM placement p WHERE p.folder = folder.id AND p." SHOWN "),"
    " (conversations, unread_conversations) = (SELECT count(*), coalesce(sum(t.unread > 0), 0) FROM "
    "folder_thread t"
    " WHERE t.folder = folder.id)",
    "UPDATE thread SET size = (SELECT count(*) FROM message m WHERE m.thread = thread.id)",
    "DELETE FROM intent WHERE source > 0 AND source NOT IN (SELECT id FROM placement)",
    "DELETE FROM arrival WHERE message NOT IN (SELECT id FROM message)",
    "DELETE FROM textless WHERE message NOT IN (SELECT id FROM message m WHERE m.key = textless.key)",
    TEXTS_MISSED,
    "DELETE FROM verdict WHERE message NOT IN (SELECT id FROM message)",
    "DELETE FROM message_text WHERE key NOT IN (SELECT key FROM message)",
    "INSERT INTO fulltext (fulltext) VALUES ('rebuild')",
};

gboolean
store_repair(struct store *store, GError **error)
{
    g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    gboolean ok = TRUE, own;

    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(repairs) && ok; i++)
        ok = sql_run(store, error, repairs[i], "");
    /* What was leaving without an intent has not left. */
    sqlite3_stmt *q = ok ? sql_query(store, error,
                                     "SELECT p.id FROM placement p WHERE p.state = 1 AND p.folder NOT IN"
                                     " (SELECT id FROM folder WHERE account = 0) AND NOT EXISTS (SELECT 1 "
                                     "FROM intent i WHERE i.source = p.id)",
                                     "")
                         : NULL;
    g_autoptr(GArray) leaving = g_array_new(FALSE, FALSE, sizeof(gint64));
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(leaving, id);
    }
    ok = ok && rc == 0;
    for (guint i = 0; i < leaving->len && ok; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_read(store, g_array_index(leaving, gint64, i), &row, error) &&
             placement_row_set_state(store, &row, 0, error);
    }
    q = ok ? sql_query(store, error, "SELECT id FROM message", "") : NULL;
    rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(messages, id);
    }
    ok = ok && rc == 0;
    for (guint i = 0; i < messages->len && ok; i++)
        ok = message_refresh(store, g_array_index(messages, gint64, i), error);
    return txn_leave(store, own, ok, error);
}

/* Files without a row in a directory of ours, older than a day: a crash left them there. */
static void
sweep(struct store *store, const char *part, const char *query)
{
    g_autofree char *dir = g_build_filename(store->mail_dir, part, NULL);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gint64 yesterday = g_get_real_time() / G_USEC_PER_SEC - DAYS(1);
    sqlite3_stmt *q = sql_query(store, NULL, query, "");
    int rc = q ? 0 : -1;
    struct dirent *d;
    struct stat st;

    while (q && (rc = sql_row(store, q, NULL)) > 0)
        g_hash_table_add(known, sql_dup(q, 0));
    DIR *stream = rc < 0 ? NULL : opendir(dir);
    while (stream && (d = readdir(stream)))
        if (*d->d_name != '.' && !g_hash_table_contains(known, d->d_name) &&
            fstatat(dirfd(stream), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_ctime < yesterday) {
            log_info("store.housekeeping", "%s/%s belongs to nothing: removed", dir, d->d_name);
            unlinkat(dirfd(stream), d->d_name, 0);
        }
    if (stream)
        closedir(stream);
}

/* Over for good, and long ago: a bounce that comes some days after the last attempt wants the text once more.
 */
#define OVER                                                                                                 \
    "state IN (3, 7) AND file <> '' AND NOT (copy = 1 AND " OUTBOX_WAS_TAKEN ")"                             \
    " AND max(created, (SELECT coalesce(max(time), 0) / 1000000 FROM outbox_attempt WHERE item = o.id)) < ?"

/* The queue keeps what became of a message, but not its text for ever: that is in Sent. */
static gboolean
forget_sent_files(struct store *store, gint64 before, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    sqlite3_stmt *q = sql_query(store, error, "SELECT file FROM outbox o WHERE " OVER, "l", before);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        g_autofree char *path = g_build_filename(store->mail_dir, ".outbox", sql_str(q, 0), NULL);
        txn_unlink_on_commit(store, path);
    }
    gboolean ok =
        rc == 0 && sql_run(store, error, "UPDATE outbox AS o SET file = '' WHERE " OVER, "l", before);
    return txn_leave(store, own, ok, error);
}

gboolean
store_housekeeping(struct store *store, GError **error)
{
    gint64 now = clock_now(), month = now - DAYS(30);
    g_autofree char *last = store_get(store, "housekeeping");
    g_autofree char *today = g_strdup_printf("%" G_GINT64_FORMAT, now);
    gint64 done = last ? g_ascii_strtoll(last, NULL, 10) : 0;
    gboolean own;

    if (done <= now && now - done < DAYS(1)) /* a clock that was set back does not stop it */
        return TRUE;
    /* A month at once is a clock that jumped, or a machine that was off: what would go now goes tomorrow (D12). */
    if (done && now - done > DAYS(30))
        return store_set(store, "housekeeping", today, error);
    if (!taglog_compact(store, TAG_LOG_LIMIT, error) || !removed_prune(store, month, error) || !forget_sent_files(store, month, error))
        return FALSE;
    sweep(store, ".outbox", "SELECT file FROM outbox");
    sweep(store, ".removed/cur",
          "SELECT p.file FROM placement p JOIN folder f ON f.id = p.folder WHERE f.account = 0 AND p.file IS "
          "NOT NULL");
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error,
                          "DELETE FROM journal_item WHERE journal IN (SELECT id FROM journal WHERE time < ?)",
                          "l", month) &&
                  sql_run(store, error, "DELETE FROM journal WHERE time < ?", "l", month) &&
                  sql_run(store, error, "DELETE FROM gone WHERE time < ?", "l", month) &&
                  sql_run(store, error,
                          "DELETE FROM filing WHERE time < ? OR NOT EXISTS (SELECT 1 FROM message m WHERE m.id = "
                          "filing.message)",
                          "l", now - DAYS(365)) &&
                  sql_run(store, error,
                          "UPDATE outbox_attempt SET dialogue = NULL WHERE time < ? AND dialogue IS NOT NULL",
                          "l", month * 1000000) &&
                  store_set(store, "housekeeping", today, error) &&
                  /* Not PRAGMA optimize: what the queries walk is chosen with care, not by statistics. */
                  sql_run(store, error, "INSERT INTO fulltext (fulltext, rank) VALUES ('merge', 500)", "");
    if (!txn_leave(store, own, ok, error))
        return FALSE;
    return sql_script(store, "PRAGMA incremental_vacuum(1000)", error);
}
