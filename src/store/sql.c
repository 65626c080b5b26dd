#include "config.h"

#include "store/internal.h"
#include "store/journal.h"
#include "store/maildir.h"
#include "store/taglog.h"
#include "store/witness.h"
#include "base/fail.h"
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void
sql_error(struct store *store, int rc, GError **error)
{
    const char *text = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(rc);

    switch (rc & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* the WAL was being opened by too many at once */
        g_set_error(error, STORE_ERROR, ERROR_BUSY, "the mail store %s is held by another program: try again",
                    store->dir);
        break;
    case SQLITE_FULL:
        g_set_error(error, STORE_ERROR, ERROR_IO,
                    "cannot write the mail store %s: the disk is full: make room and try again", store->dir);
        break;
    case SQLITE_READONLY:
        g_set_error(error, STORE_ERROR, ERROR_IO, "cannot change the mail store %s: it is read-only here",
                    store->dir);
        break;
    case SQLITE_INTERRUPT:
        g_set_error(error, STORE_ERROR, ERROR_CANCELLED, "stopped");
        break;
    case SQLITE_NOMEM:
        g_set_error(error, STORE_ERROR, ERROR_RETRY, "not enough memory to read the mail store %s",
                    store->dir);
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        g_set_error(error, STORE_ERROR, ERROR_GIVEUP,
                    "the database %s/postrider.db is damaged (%s): run \"postrider doctor --rebuild\"; the mail "
                    "files in %s are untouched",
                    store->dir, text, store->mail_dir);
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: {
        int err = store->db ? sqlite3_system_errno(store->db) : 0;
        g_set_error(error, STORE_ERROR, ERROR_IO, "cannot read or write the mail store %s: %s", store->dir,
                    err ? g_strerror(err) : text);
        break;
    }
    default:
        g_set_error(error, STORE_ERROR, ERROR_GIVEUP, "the mail store %s failed: %s", store->dir, text);
    }
}

static sqlite3_stmt *
prepare(struct store *store, const char *text, GError **error)
{
    sqlite3_stmt *statement = g_hash_table_lookup(store->statements, text);

    if (statement) {
        /* A query that was left or that is still running elsewhere would lose its place: a bug of ours. */
        if (sqlite3_stmt_busy(statement)) {
            log_warn("store.sql", "a statement is used twice at once: %s", text);
            sqlite3_reset(statement);
        }
        return statement;
    }
    int rc = sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (rc != SQLITE_OK) {
        log_warn("store.sql", "%s: %s", sqlite3_errmsg(store->db), text);
        sql_error(store, rc, error);
        return NULL;
    }
    g_hash_table_insert(store->statements, g_strdup(text), statement);
    return statement;
}

static void
bind(sqlite3_stmt *statement, const char *format, va_list args)
{
    for (int i = 1; *format; format++, i++) {
        switch (*format) {
        case 'i':
            sqlite3_bind_int64(statement, i, va_arg(args, int));
            break;
        case 'l':
            sqlite3_bind_int64(statement, i, va_arg(args, gint64));
            break;
        case 's':
            sqlite3_bind_text(statement, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'b': {
            const void *bytes = va_arg(args, const void *);
            gsize length = va_arg(args, gsize);
            if (bytes)
                sqlite3_bind_blob64(statement, i, bytes, length, SQLITE_TRANSIENT);
            else
                sqlite3_bind_null(statement, i);
            break;
        }
        default:
            g_assert_not_reached();
        }
    }
}

int
sql_row(struct store *store, sqlite3_stmt *statement, GError **error)
{
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        sql_error(store, rc, error);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? 0 : -1;
}

void
sql_end(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
}

sqlite3_stmt *
sql_query(struct store *store, GError **error, const char *text, const char *format, ...)
{
    sqlite3_stmt *statement = prepare(store, text, error);
    if (!statement)
        return NULL;
    va_list args;
    va_start(args, format);
    bind(statement, format, args);
    va_end(args);
    return statement;
}

gboolean
sql_run(struct store *store, GError **error, const char *text, const char *format, ...)
{
    sqlite3_stmt *statement = prepare(store, text, error);
    if (!statement)
        return FALSE;
    va_list args;
    va_start(args, format);
    bind(statement, format, args);
    va_end(args);
    int rc;
    while ((rc = sql_row(store, statement, error)) > 0)
        ;
    return rc == 0;
}

gint64
sql_int(struct store *store, gint64 missing, const char *text, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    sqlite3_stmt *statement = prepare(store, text, &error);
    gint64 value = missing;

    if (statement) {
        va_list args;
        va_start(args, format);
        bind(statement, format, args);
        va_end(args);
        if (sql_row(store, statement, &error) > 0) {
            if (sqlite3_column_type(statement, 0) != SQLITE_NULL)
                value = sqlite3_column_int64(statement, 0);
            sqlite3_reset(statement);
        }
    }
    if (error)
        log_warn("store.sql", "%s", error->message);
    return value;
}

char *
sql_text(struct store *store, const char *text, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    sqlite3_stmt *statement = prepare(store, text, &error);
    char *value = NULL;

    if (statement) {
        va_list args;
        va_start(args, format);
        bind(statement, format, args);
        va_end(args);
        if (sql_row(store, statement, &error) > 0) {
            value = sql_dup(statement, 0);
            sqlite3_reset(statement);
        }
    }
    if (error)
        log_warn("store.sql", "%s", error->message);
    return value;
}

char *
sql_dup(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

const char *
sql_str(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

gboolean
sql_script(struct store *store, const char *text, GError **error)
{
    int rc = sqlite3_exec(store->db, text, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        sql_error(store, rc, error);
    return rc == SQLITE_OK;
}

gboolean
store_begin(struct store *store, GError **error)
{
    g_return_val_if_fail(!store->in_transaction && !store->in_snapshot, FALSE);
    if (!store->writable) {
        g_set_error(error, STORE_ERROR, ERROR_IO,
                    "cannot change the mail store %s: it is open for reading only", store->dir);
        return FALSE;
    }
    if (STEP_FAILS("store.begin")) {
        error_set_errno(error, STORE_ERROR, errno, "cannot write the mail store %s", store->dir);
        return FALSE;
    }
    if (!sql_run(store, error, "BEGIN IMMEDIATE", ""))
        return FALSE;
    store->in_transaction = TRUE;
    store->sequence = 0;
    return TRUE;
}

static void
unlink_all(GPtrArray *paths)
{
    for (guint i = 0; i < paths->len; i++) {
        STEP("store.unlink");
        if (unlink(paths->pdata[i]) < 0 && errno != ENOENT)
            log_warn("store.unlink", "%s: %s", (char *)paths->pdata[i], g_strerror(errno));
    }
}

static void
end_transaction(struct store *store, GPtrArray *unlinked)
{
    store->in_transaction = FALSE;
    unlink_all(unlinked);
    g_ptr_array_set_size(store->on_commit, 0);
    g_ptr_array_set_size(store->on_rollback, 0);
    g_hash_table_remove_all(store->to_flush);
    g_clear_pointer(&store->tagged, g_hash_table_unref);
    if (store->tag_lines)
        g_string_free(g_steal_pointer(&store->tag_lines), TRUE);
}

void
txn_unlink_on_commit(struct store *store, const char *path)
{
    g_ptr_array_add(store->on_commit, g_strdup(path));
}

void
txn_flush_before_commit(struct store *store, const char *dir)
{
    g_hash_table_add(store->to_flush, g_strdup(dir));
}

void
txn_unlink_on_rollback(struct store *store, const char *path)
{
    g_ptr_array_add(store->on_rollback, g_strdup(path));
}

/* Files that go after the commit: killed in between they would lie there without a row, in a directory whose times are
 * as they were noted. So these times are forgotten with the rows; who has watched notes the new ones (witness.h). */
static gboolean
doubt_directories(struct store *store, GError **error)
{
    g_autofree char *last = NULL;
    for (guint i = 0; i < store->on_commit->len; i++) {
        g_autofree char *part = g_path_get_dirname(store->on_commit->pdata[i]);
        if (!g_strcmp0(part, last))
            continue;
        g_free(last);
        last = g_steal_pointer(&part);
        g_autofree char *dir = g_path_get_dirname(last);
        gsize length = strlen(store->mail_dir);
        if (!g_str_has_prefix(dir, store->mail_dir) || dir[length] != '/')
            continue;
        if (!sql_run(store, error,
                     "UPDATE folder SET scan_cur = 0, scan_new = 0 WHERE dir = ? AND (scan_cur <> 0 OR scan_new <> 0)", "s",
                     dir + length + 1))
            return FALSE;
    }
    return TRUE;
}

gboolean
store_commit(struct store *store, GError **error)
{
    g_return_val_if_fail(store->in_transaction, FALSE);
    if (!taglog_before_commit(store, error)) {
        taglog_take_back(store);
        store_rollback(store);
        return FALSE;
    }
    GHashTableIter iter;
    gpointer dir;
    if (!local_settle(store, error) || !doubt_directories(store, error)) {
        store_rollback(store);
        return FALSE;
    }
    g_hash_table_iter_init(&iter, store->to_flush);
    while (g_hash_table_iter_next(&iter, &dir, NULL))
        if (!maildir_flush(dir, error)) {
            taglog_take_back(store);
            store_rollback(store);
            return FALSE;
        }
    if (STEP_FAILS("store.commit")) {
        error_set_errno(error, STORE_ERROR, errno, "cannot write the mail store %s", store->dir);
        taglog_take_back(store);
        store_rollback(store);
        return FALSE;
    }
    if (!sql_run(store, error, "COMMIT", "")) {
        taglog_take_back(store);
        store_rollback(store); /* a failed COMMIT (disk full) leaves the transaction open */
        return FALSE;
    }
    STEP("store.committed");
    witness_look(store);
    end_transaction(store, store->on_commit);
    return TRUE;
}

void
store_rollback(struct store *store)
{
    if (!store->in_transaction)
        return;
    g_clear_pointer(&store->own, g_hash_table_unref);
    if (!sqlite3_get_autocommit(store->db)) /* SQLite may have rolled back by itself */
        sql_run(store, NULL, "ROLLBACK", "");
    end_transaction(store, store->on_rollback);
}

gboolean
store_in_transaction(const struct store *store)
{
    return store->in_transaction;
}

gboolean
store_snapshot_begin(struct store *store, GError **error)
{
    g_return_val_if_fail(!store->in_transaction && !store->in_snapshot, FALSE);
    /* A deferred transaction takes its snapshot at its first read. */
    if (!sql_run(store, error, "BEGIN", ""))
        return FALSE;
    store->in_snapshot = TRUE;
    sql_int(store, 0, "SELECT 1 FROM setting LIMIT 1", "");
    return TRUE;
}

void
store_snapshot_end(struct store *store)
{
    if (!store->in_snapshot)
        return;
    store->in_snapshot = FALSE;
    sql_run(store, NULL, "ROLLBACK", "");
}

gboolean
txn_enter(struct store *store, gboolean *own, GError **error)
{
    *own = !store->in_transaction;
    return !*own || store_begin(store, error);
}

gboolean
txn_leave(struct store *store, gboolean own, gboolean ok, GError **error)
{
    if (!own)
        return ok;
    if (ok)
        return store_commit(store, error);
    store_rollback(store);
    return FALSE;
}

gboolean
snapshot_enter(struct store *store, gboolean *own, GError **error)
{
    *own = !store->in_transaction && !store->in_snapshot;
    return !*own || store_snapshot_begin(store, error);
}

void
snapshot_leave(struct store *store, gboolean own)
{
    if (own)
        store_snapshot_end(store);
}

gint64
txn_sequence(struct store *store, GError **error)
{
    if (!store->sequence) {
        if (!sql_run(store, error, "UPDATE counter SET value = value + 1 WHERE name = 'sequence'", ""))
            return 0;
        store->sequence = sql_int(store, 0, "SELECT value FROM counter WHERE name = 'sequence'", "");
        if (!store->sequence)
            g_set_error(error, STORE_ERROR, ERROR_GIVEUP,
                        "the database %s/postrider.db is damaged: it has no counter", store->dir);
    }
    return store->sequence;
}
