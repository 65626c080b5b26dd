/* What is wanted here reaches the names of files and directories. */
#include "config.h"

#include "store/scan.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/maildir.h"
#include "store/maildir_write.h"
#include "store/placement.h"
#include "store/rows.h"
#include "base/fail.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE 200
#define RENAMES_AT_ONCE 500 /* their rows are small, and lie far apart */

static gboolean
collect(struct store *store, sqlite3_stmt *q, GArray *ids, GError **error)
{
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    return rc == 0;
}

/* --- names show the flags */

static gboolean
show_flags(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    gboolean own, ok = TRUE;

    if (!collect(store,
                 sql_query(store, error,
                           "SELECT id FROM placement WHERE folder = ? AND stale_name = 1 AND " SHOWN
                           " AND file IS NOT NULL",
                           "l", folder),
                 ids, error))
        return FALSE;
    g_autofree char *dir = ids->len ? folder_path(store, folder, FALSE, error) : NULL;
    if (ids->len && !dir)
        return FALSE;
    if (ids->len)
        maildir_expect(store, folder);
    for (guint from = 0; from < ids->len && ok; from += RENAMES_AT_ONCE) {
        if (!txn_enter(store, &own, error))
            return FALSE;
        for (guint i = from; i < ids->len && i < from + RENAMES_AT_ONCE && ok; i++) {
            g_auto(struct_placement_row) row = {0};
            if (!placement_row_read(store, g_array_index(ids, gint64, i), &row, NULL) || !row.file ||
                row.folder != folder)
                continue;
            g_autofree char *name = placement_row_rename(dir, &row, row.flags);
            /* A name that a power cut takes back would look like another program's change of flags. */
            if (name)
                txn_flush_before_commit(store, dir);
            if (name)
                ok = placement_row_set_file(store, row.id, name, row.flags, error) &&
                     message_touch(store, row.message, error);
        }
        ok = txn_leave(store, own, ok, error);
    }
    return ok;
}

/* --- a message that is here under one name gets the others */

static gboolean
link_missing(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    gboolean own, ok = TRUE;

    if (!collect(
            store,
            sql_query(
                store, error,
                "SELECT p.id FROM placement p INDEXED BY placement_no_file JOIN message m ON m.id = p.message"
                " WHERE p.folder = ? AND p.file IS NULL AND p." SHOWN " AND m.cached = 1",
                "l", folder),
            ids, error))
        return FALSE;
    if (ids->len)
        maildir_expect(store, folder);
    for (guint from = 0; from < ids->len && ok; from += AT_ONCE) {
        if (!txn_enter(store, &own, error))
            return FALSE;
        for (guint i = from; i < ids->len && i < from + AT_ONCE && ok; i++) {
            g_auto(struct_placement_row) row = {0}, other = {0};
            g_autofree char *file = NULL;
            if (!placement_row_read(store, g_array_index(ids, gint64, i), &row, NULL) || row.file)
                continue;
            gint64 has = sql_int(store, 0,
                                 "SELECT id FROM placement INDEXED BY placement_message WHERE message = ? "
                                 "AND file IS NOT NULL",
                                 "l", row.message);
            if (!has || !placement_row_read(store, has, &other, NULL))
                continue;
            other.flags = row.flags;
            ok = placement_row_link(store, &other, folder, &file, error) &&
                 (!file || (placement_row_set_file(store, row.id, file, row.flags, error) &&
                            message_refresh(store, row.message, error)));
        }
        ok = txn_leave(store, own, ok, error);
    }
    return ok;
}

/* --- directories follow the names of their folders */

static gboolean
exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* The new name is noted before anything is moved, and while it is noted both places are looked at
 * (folder_path()). The parts are moved under the writer's lock, so that nobody puts a file into the old place
 * meanwhile. */
static gboolean
move_dir(struct store *store, gint64 folder, const char *from, const char *to, GError **error)
{
    static const char *const parts[] = {"tmp", "new", "cur"};
    g_autofree char *old = g_build_filename(store->mail_dir, from, NULL),
                    *new = g_build_filename(store->mail_dir, to, NULL);
    gboolean own, ok = TRUE;

    if (!maildir_make(new, error) || !txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(parts) && ok; i++) {
        g_autofree char *a = g_build_filename(old, parts[i], NULL),
                        *b = g_build_filename(new, parts[i], NULL);
        STEP("store.move-dir");
        if (exists(a) && rename(a, b) < 0) { /* replaces an empty directory only */
            error_set_errno(error, STORE_ERROR, errno, "cannot move the directory %s to %s", a, b);
            ok = FALSE;
        }
    }
    if (ok && !maildir_sync_path(new, O_DIRECTORY, fsync, "maildir.fsync-dir")) {
        error_set_errno(error, STORE_ERROR, errno, "cannot move the directory %s to %s", old, new);
        ok = FALSE;
    }
    ok = ok &&
         sql_run(store, error, "UPDATE folder SET dir = ?, dir_want = NULL WHERE id = ?", "sl", to, folder);
    ok = txn_leave(store, own, ok, error);
    if (ok)
        maildir_unmake(old);
    return ok;
}

/* Below mail/, where the folder belongs by its name. */
static char *
dir_of_name(struct store *store, gint64 folder, const char *now)
{
    g_autofree char *name = sql_text(store, "SELECT name FROM folder WHERE id = ?", "l", folder);
    gint64 account = sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", folder);
    return name ? folder_dir_wanted(store, account, name, now) : NULL;
}

enum follow {
    FOLLOW_STAYS,
    FOLLOW_MOVES,
    FOLLOW_WAITS /* for another one to leave the place */
};

/* aside: it need not wait any longer, but goes where it is in nobody's way. */
static enum follow
next_dir(struct store *store, gint64 folder, const char *dir, gboolean aside, char **to)
{
    /* A move that was broken off is finished first: its files lie in both places. */
    *to = sql_text(store, "SELECT dir_want FROM folder WHERE id = ?", "l", folder);
    if (*to)
        return FOLLOW_MOVES;
    *to = dir_of_name(store, folder, dir);
    if (!*to || !strcmp(*to, dir))
        return FOLLOW_STAYS;
    if (!sql_int(store, 0, "SELECT 1 FROM folder WHERE id <> ? AND (dir = ? OR dir_want = ?2)", "ls", folder, *to))
        return FOLLOW_MOVES;
    g_autofree char *base = sql_text(
        store, "SELECT a.dir FROM folder f JOIN account a ON a.id = f.account WHERE f.id = ?", "l", folder);
    g_free(*to);
    *to = folder_dir_aside(base, folder);
    return aside && strcmp(*to, dir) ? FOLLOW_MOVES : FOLLOW_WAITS;
}

static gboolean
follow_name(struct store *store, gint64 folder, gboolean aside, enum follow *result, GError **error)
{
    g_autofree char *dir = sql_text(store, "SELECT dir FROM folder WHERE id = ?", "l", folder), *to = NULL;
    gboolean own;

    *result = dir ? next_dir(store, folder, dir, aside, &to) : FOLLOW_STAYS;
    if (*result != FOLLOW_MOVES)
        return TRUE;
    g_autofree char *old = g_build_filename(store->mail_dir, dir, "cur", NULL);
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean there =
        exists(old) || sql_int(store, 0, "SELECT dir_want IS NOT NULL FROM folder WHERE id = ?", "l", folder);
    gboolean ok = there
                      ? sql_run(store, error, "UPDATE folder SET dir_want = ? WHERE id = ?", "sl", to, folder)
                      : sql_run(store, error, "UPDATE folder SET dir = ? WHERE id = ?", "sl", to, folder);
    if (!txn_leave(store, own, ok, error))
        return FALSE;
    return !there || move_dir(store, folder, dir, to, error);
}

/* Until nothing moves. Folders that took each other's names wait in a ring: one of them steps aside. */
static gboolean
follow_names(struct store *store, const GArray *ids, GError **error)
{
    gboolean aside = FALSE;
    for (guint round = 0; round <= 2 * ids->len; round++) {
        gboolean moved = FALSE, waits = FALSE;
        for (guint i = 0; i < ids->len; i++) {
            enum follow result;
            if (!follow_name(store, g_array_index(ids, gint64, i), aside, &result, error))
                return FALSE;
            moved = moved || result == FOLLOW_MOVES;
            waits = waits || result == FOLLOW_WAITS;
            aside = aside && !moved;
        }
        if (!moved && (!waits || aside))
            break;
        aside = !moved;
    }
    return TRUE;
}

gboolean
maildir_apply(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));

    g_return_val_if_fail(!store_in_transaction(store), FALSE);
    if (folder)
        g_array_append_val(ids, folder);
    else if (!collect(store, sql_query(store, error, "SELECT id FROM folder WHERE account > 0", ""), ids,
                      error))
        return FALSE;
    if (!follow_names(store, ids, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);
        if (!link_missing(store, id, error) ||
            !show_flags(store, id, error))
            return FALSE;
    }
    return maildir_settle(store, error);
}
