#include "config.h"

#include "store/store.h"
#include "store/internal.h"
#include "store/search.h"
#include "store/taglog.h"
#include "store/witness.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

G_DEFINE_QUARK(store - error, store_error)

#define BUSY_TIMEOUT 10000        /* milliseconds */
#define APPLICATION_ID 0x50735264 /* "PsRd" */

/* SQLite's locks and its shared memory do not hold between machines. */
static gboolean
on_network_fs(const char *dir)
{
    static const guint32 kinds[] = {
        0x6969 /* NFS */,      0xFF534D42 /* CIFS */, 0xFE534D42 /* SMB2 */,  0x517B /* SMB */,
        0x5346414F /* AFS */,  0x73757245 /* Coda */, 0x00C36400 /* Ceph */,  0x0BD00BD0 /* Lustre */,
        0x47504653 /* GPFS */, 0x6B414653 /* kAFS */, 0x013111A8 /* IBRIX */,
    };
    struct statfs fs;

    if (STEP_FAILS("store.network-fs"))
        return TRUE;
    if (statfs(dir, &fs) < 0)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if ((guint32)fs.f_type == kinds[i])
            return TRUE;
    return FALSE;
}

static gboolean
make_dirs(struct store *store, GError **error)
{
    if (!paths_make_dir_durable(store->mail_dir, error))
        return FALSE;
    /* The directory may be older than we are; mail in it is nobody else's. */
    struct stat st;
    if (stat(store->dir, &st) == 0 && (st.st_mode & 077) && chmod(store->dir, 0700) < 0) {
        error_set_errno(error, STORE_ERROR, errno, "cannot make the mail store %s private", store->dir);
        return FALSE;
    }
    return TRUE;
}

static gboolean
open_database(struct store *store, const char *path, int flags, gboolean immutable, GError **error)
{
    g_autofree char *uri = NULL;
    if (immutable) {
        g_autofree char *escaped = g_uri_escape_string(path, "/", TRUE);
        uri = g_strdup_printf("file:%s?immutable=1", escaped);
    }
    int rc = sqlite3_open_v2(uri ? uri : path, &store->db,
                             flags | SQLITE_OPEN_NOMUTEX | (uri ? SQLITE_OPEN_URI : 0), NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(store->db, 1);
        sqlite3_busy_timeout(store->db, BUSY_TIMEOUT);
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_limit(store->db, SQLITE_LIMIT_VARIABLE_NUMBER, 32766);
        /* The first look at the file: is it a database, and can it be read? */
        rc = sqlite3_exec(store->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK)
        return TRUE;
    sql_error(store, rc, error);
    sqlite3_close(store->db);
    store->db = NULL;
    return FALSE;
}

/* Making the database, choosing its journal and migrating are for one at a time, also among the threads of a
 * process. */
int
store_lock(struct store *store, GError **error)
{
    g_autofree char *path = g_build_filename(store->dir, "postrider.lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    /* The lanes of a worker open it at the same moment, for some milliseconds each. */
    for (int waited = 0; fd >= 0 && waited < BUSY_TIMEOUT; waited++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        poll(NULL, 0, 1);
    }
    if (fd < 0)
        error_set_errno(error, STORE_ERROR, errno, "cannot open the mail store %s", store->dir);
    else
        g_set_error(error, STORE_ERROR, ERROR_BUSY,
                    "the mail store %s is being opened by another program: try again", store->dir);
    if (fd >= 0)
        close(fd);
    return -1;
}

static gboolean
open_for_writing(struct store *store, const char *path, GError **error)
{
    /* SQLite would make it as the umask says. Only a new one is opened here: closing a descriptor of a
     * database that this process has open elsewhere would drop the locks of all its connections (POSIX locks,
     * sqlite.org/howtocorrupt.html 2.2). */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno != EEXIST) {
        error_set_errno(error, STORE_ERROR, errno, "cannot open the mail store %s", path);
        return FALSE;
    }
    if (fd >= 0)
        close(fd);
    else if (chmod(path, 0600) < 0)
        log_warn("store.open", "%s: %s", path, g_strerror(errno));
    if (!open_database(store, path, SQLITE_OPEN_READWRITE, FALSE, error))
        return FALSE;
    /* Messages lie where they came: a thousand flags are thousands of pages, and most of them are written again by
     * the next commit. Brought into the database after 32 MB in place of 4 each goes there once. */
    g_autofree char *setup =
        g_strdup_printf("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                        "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
                        "PRAGMA journal_size_limit = 33554432; PRAGMA wal_autocheckpoint = 8000;"
                        "PRAGMA application_id = %d",
                        APPLICATION_ID);
    /* auto_vacuum and the journal can be chosen while it is empty only, and the latter by one process. */
    if (sql_int(store, 0, "PRAGMA user_version", "") == 0 &&
        !sql_script(store, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL", error))
        return FALSE;
    if (sql_int(store, 0, "PRAGMA application_id", "") == APPLICATION_ID)
        *strrchr(setup, ';') = '\0';
    return sql_script(store, setup, error);
}

static gboolean
open_for_reading(struct store *store, const char *path, GError **error)
{
    if (access(path, R_OK) < 0) {
        if (errno == ENOENT)
            g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                        "there is no mail store at %s yet: \"postrider sync\" makes one", store->dir);
        else
            error_set_errno(error, STORE_ERROR, errno, "the mail store at %s cannot be read", store->dir);
        return FALSE;
    }
    g_autoptr(GError) first = NULL;
    /* A store on a read-only medium has no place for the shared memory of the WAL: then nobody can write it
     * either. */
    if (!open_database(store, path, SQLITE_OPEN_READONLY, FALSE, &first)) {
        if (!g_error_matches(first, STORE_ERROR, ERROR_IO) || access(store->dir, W_OK) == 0) {
            g_propagate_error(error, g_steal_pointer(&first));
            return FALSE;
        }
        if (!open_database(store, path, SQLITE_OPEN_READONLY, TRUE, error))
            return FALSE;
    }
    return sql_script(store,
                      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON;"
                      "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY",
                      error);
}

static gboolean
check_version(struct store *store, GError **error)
{
    gint64 version = sql_int(store, -1, "PRAGMA user_version", "");
    if (version == schema_version())
        return TRUE;
    if (version > schema_version())
        g_set_error(
            error, STORE_ERROR, ERROR_CONFIG,
            "the mail store %s was written by a newer postrider (schema %d, this one knows %d): use that one",
            store->dir, (int)version, schema_version());
    else if (version == 0)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    "there is no mail in the store %s yet: run \"postrider sync\"", store->dir);
    else
        g_set_error(error, STORE_ERROR, ERROR_CONFIG,
                    "the mail store %s was written by an older postrider: run \"postrider sync\" once to "
                    "bring it forward",
                    store->dir);
    return FALSE;
}

/* SQLite counts its memory for whoever asks, under a lock, at each allocation: nobody does. Before its first use in a process. */
static void
count_no_memory(void)
{
    static gsize once;
    if (g_once_init_enter(&once)) {
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        g_once_init_leave(&once, 1);
    }
}

struct store *
store_open(const char *dir, enum store_mode mode, GError **error)
{
    g_autoptr(struct_store) store = g_new0(struct store, 1);
    count_no_memory();
    store->dir = dir ? g_strdup(dir) : paths_data_dir();
    store->mail_dir = g_build_filename(store->dir, "mail", NULL);
    store->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    store->on_commit = g_ptr_array_new_with_free_func(g_free);
    store->on_rollback = g_ptr_array_new_with_free_func(g_free);
    store->to_flush = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    store->writable = (mode & STORE_WRITE) != 0;
    g_autofree char *path = g_build_filename(store->dir, "postrider.db", NULL);

    if (store->writable && !make_dirs(store, error))
        return NULL;
    if (!(mode & STORE_NETWORK_FS) && on_network_fs(store->dir)) {
        g_set_error(error, STORE_ERROR, ERROR_CONFIG,
                    "the mail store %s lies on a network file system, where a database breaks: set "
                    "XDG_DATA_HOME to a "
                    "local disk, or allow it with network-store = yes",
                    store->dir);
        return NULL;
    }
    store->tag_log_size = -1;
    int lock = store->writable ? store_lock(store, error) : -1;
    if (store->writable && lock < 0)
        return NULL;
    gboolean ok =
        (store->writable ? open_for_writing(store, path, error) : open_for_reading(store, path, error)) &&
        tokenizer_register(store->db, error) && search_functions(store, error) && known_functions(store, error) &&
        (!store->writable || schema_migrate(store, error)) && check_version(store, error) &&
        (!store->writable || taglog_open(store, error));
    if (lock >= 0)
        close(lock);
    return ok ? g_steal_pointer(&store) : NULL;
}

void
store_close(struct store *store)
{
    if (!store)
        return;
    store_rollback(store);
    store_snapshot_end(store);
    GHashTableIter iter;
    gpointer statement;
    g_hash_table_iter_init(&iter, store->statements);
    while (g_hash_table_iter_next(&iter, NULL, &statement))
        sqlite3_finalize(statement);
    g_hash_table_unref(store->statements);
    witness_free(store->witness);
    g_clear_pointer(&store->own, g_hash_table_unref);
    if (store->db && sqlite3_close(store->db) != SQLITE_OK)
        log_warn("store.close", "%s", sqlite3_errmsg(store->db));
    g_ptr_array_unref(store->on_commit);
    g_ptr_array_unref(store->on_rollback);
    g_hash_table_unref(store->to_flush);
    g_free(store->dir);
    g_free(store->mail_dir);
    g_free(store->unread_of);
    g_free(store->count_of);
    g_free(store);
}

const char *
store_dir(const struct store *store)
{
    return store->dir;
}

const char *
store_mail_dir(const struct store *store)
{
    return store->mail_dir;
}

gboolean
store_is_writable(const struct store *store)
{
    return store->writable;
}

guint64
store_change_count(struct store *store)
{
    /* data_version sees the commits of others, total_changes our own. */
    gint64 version = sql_int(store, 0, "PRAGMA data_version", "");
    gint64 total = sqlite3_total_changes64(store->db);
    if (version != store->data_version || total != store->total_changes) {
        store->data_version = version;
        store->total_changes = total;
        store->changes++;
    }
    return store->changes;
}

void
store_interrupt(struct store *store)
{
    sqlite3_interrupt(store->db);
}

void
store_relax_begin(struct store *store)
{
    g_return_if_fail(!store->in_transaction);
    sql_script(store, "PRAGMA synchronous = NORMAL", NULL);
}

gboolean
store_relax_end(struct store *store, GError **error)
{
    g_return_val_if_fail(!store->in_transaction, FALSE);
    /* One commit that waits, and that is not empty: the log before it is on the disk then, too. */
    return sql_script(store, "PRAGMA synchronous = FULL", error) && store_begin(store, error) &&
           txn_leave(store, TRUE, txn_sequence(store, error) != 0, error);
}

char *
store_get(struct store *store, const char *key)
{
    return sql_text(store, "SELECT value FROM setting WHERE name = ?", "s", key);
}

gboolean
store_set(struct store *store, const char *key, const char *value, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        value ? sql_run(store, error, "INSERT OR REPLACE INTO setting VALUES (?, ?)", "ss", key, value)
              : sql_run(store, error, "DELETE FROM setting WHERE name = ?", "s", key);
    return txn_leave(store, own, ok, error);
}
