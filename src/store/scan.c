/* What other programs did to a Maildir, taken in as the user's intents. */
#include "config.h"

#include "store/scan_private.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/maildir_write.h"
#include "store/message.h"
#include "store/names.h"
#include "store/placement.h"
#include "store/rows.h"
#include "store/tree.h"
#include "store/witness.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/i18n.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLED_NS                                                                                           \
    2000000000LL /* a directory changed later than this ago may change again within the same time stamp */
#define BRAKE_LEAST 50 /* D11 */
#define BRAKE_PERCENT 20

void
scan_result_clear(struct scan_result *result)
{
    g_clear_pointer(&result->notices, g_ptr_array_unref);
}

static void
known_free(gpointer data)
{
    struct known *known = data;
    g_free(known->file);
    g_free(known);
}

static void
stranger_free(gpointer data)
{
    struct stranger *stranger = data;
    g_free(stranger->file);
    g_free(stranger->path);
    g_free(stranger);
}

static gboolean
load_known(struct scan *scan, GError **error)
{
    sqlite3_stmt *q =
        sql_query(scan->store, error,
                  "SELECT id, file, flags, state FROM placement WHERE folder = ? AND file IS NOT NULL", "l",
                  scan->folder);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(scan->store, q, error)) > 0) {
        scan->placements++;
        if (names_take(scan->names, sql_str(q, 1)))
            continue;
        struct known *known = g_new0(struct known, 1);
        known->id = sqlite3_column_int64(q, 0);
        known->file = sql_dup(q, 1);
        known->flags = (guint)sqlite3_column_int(q, 2);
        known->state = (guint)sqlite3_column_int(q, 3);
        g_hash_table_insert(scan->known, maildir_unique(known->file), known);
    }
    return rc == 0;
}

static void
compare(struct scan *scan)
{
    GHashTableIter iter;
    gpointer value;
    gboolean fresh;
    const char *file;

    for (gsize at = 0; (file = names_next(scan->names, &at, &fresh));) {
        g_autofree char *unique = maildir_unique(file);
        struct known *known = g_hash_table_lookup(scan->known, unique);
        if (known && !known->seen) {
            known->seen = TRUE;
            if (known->state != PLACEMENT_LEAVING && strcmp(known->file, file))
                g_ptr_array_add(scan->renamed, (gpointer)file);
            continue;
        }
        struct stranger *stranger = g_new0(struct stranger, 1);
        stranger->file = g_strdup(file);
        stranger->path = g_build_filename(scan->dir, fresh ? "new" : "cur", file, NULL);
        g_ptr_array_add(scan->strangers, stranger);
    }
    g_hash_table_iter_init(&iter, scan->known);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct known *known = value;
        if (!known->seen && known->state != PLACEMENT_LEAVING)
            g_array_append_val(scan->missing, known->id);
    }
}

void
scan_not_missing(struct scan *scan, gint64 id)
{
    for (guint i = 0; i < scan->missing->len; i++)
        if (g_array_index(scan->missing, gint64, i) == id) {
            g_array_remove_index_fast(scan->missing, i);
            return;
        }
}

/* A rename while the directory was being read can hide a file: asked again, it is there. The directory is read once for all
 * that is missing. */
static gboolean
confirm_missing(struct scan *scan, GError **error)
{
    if (!scan->missing->len)
        return TRUE;
    g_autoptr(struct_names) again = maildir_names(scan->dir, NULL, error);
    const char *file;
    gboolean fresh;
    for (gsize at = 0; again && (file = names_next(again, &at, &fresh));) {
        g_autofree char *unique = maildir_unique(file);
        const struct known *known = g_hash_table_lookup(scan->known, unique);
        if (known && !known->seen)
            scan_not_missing(scan, known->id);
    }
    return again != NULL;
}

void
scan_tell(struct scan *scan, char *text)
{
    if (!scan->result->notices)
        scan->result->notices = g_ptr_array_new_with_free_func(g_free);
    if (scan->result->notices->len < 100)
        g_ptr_array_add(scan->result->notices, text);
    else
        g_free(text);
}

static char *
journal_line(struct scan *scan)
{
    g_autofree char *name = sql_text(scan->store, "SELECT name FROM folder WHERE id = ?", "l", scan->folder);
    return g_strdup_printf(_("what another program did in %s"), name ? name : "");
}

/* A transaction with an entry for undo around one step; an entry without items goes again. Mail that is delivered into the
 * user's own Maildir is nothing to undo. */
gboolean
scan_begin(struct scan *scan, GError **error)
{
    g_autofree char *text = journal_line(scan);
    if (!store_begin(scan->store, error))
        return FALSE;
    scan->journal = journal_begin(scan->store, error);
    if (scan->journal && journal_text(scan->store, scan->journal, text, error))
        return TRUE;
    store_rollback(scan->store);
    return FALSE;
}

gboolean
scan_end(struct scan *scan, gboolean ok, GError **error)
{
    ok = ok && (!scan->is_tree ||
                sql_run(scan->store, error, "DELETE FROM journal_item WHERE journal = ?", "l", scan->journal));
    ok = ok && sql_run(scan->store, error,
                       "DELETE FROM journal WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM journal_item WHERE "
                       "journal = ?1)",
                       "l", scan->journal);
    return txn_leave(scan->store, TRUE, ok, error);
}

/* It may have been renamed once more since the directory was read; then the next scan has the last word. */
static gboolean
is_there(struct scan *scan, const char *file)
{
    g_autofree char *cur = g_build_filename(scan->dir, "cur", file, NULL), *new = g_build_filename(scan->dir, "new", file, NULL);
    return access(cur, F_OK) == 0 || access(new, F_OK) == 0;
}

gboolean
scan_take_name(struct scan *scan, struct placement_row *row, guint before, const char *file, GError **error)
{
    guint theirs = strstr(file, ":2,") ? maildir_name_flags(file) : before;
    guint flags = flags_merge(before, theirs, row->flags);
    gboolean changed = FALSE;
    if (!placement_row_set_file(scan->store, row->id, file, row->flags, error))
        return FALSE;
    g_free(row->file);
    row->file = g_strdup(file);
    if (!intent_mark_one(scan->store, row, flags & ~row->flags, row->flags & ~flags, NULL, NULL, scan->journal, &changed,
                         error))
        return FALSE;
    scan->result->flags += changed;
    return TRUE;
}

static gboolean
take_renames(struct scan *scan, GError **error)
{
    for (guint i = 0; i < scan->renamed->len; i++) {
        const char *file = scan->renamed->pdata[i];
        g_autofree char *unique = maildir_unique(file);
        struct known *known = g_hash_table_lookup(scan->known, unique);
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(scan->store, known->id, &row, NULL) || !is_there(scan, file))
            continue;
        /* The name that we gave, the name that there is, what is wanted here by now. */
        if (!scan_take_name(scan, &row, maildir_name_flags(known->file), file, error))
            return FALSE;
    }
    return TRUE;
}

/* --- files that are missing */

static gboolean
brake(struct scan *scan, GError **error)
{
    guint missing = scan->missing->len;
    if (scan->how & SCAN_AGREED || missing <= MAX(BRAKE_LEAST, (guint64)scan->placements * BRAKE_PERCENT / 100))
        return FALSE;
    g_autofree char *text =
        g_strdup_printf(P_("%u message file is missing from %s: nothing was deleted",
                           "%u message files are missing from %s: nothing was deleted", missing),
                        missing, scan->dir);
    scan->result->braked = TRUE;
    log_warn("store.scan", "%s", text);
    folder_set_notice(scan->store, scan->folder, text, error);
    return TRUE;
}

static gboolean
take_missing(struct scan *scan, GError **error)
{
    if (!scan->missing->len || brake(scan, error))
        return TRUE;
    if (!scan_begin(scan, error))
        return FALSE;
    gboolean ok = TRUE;
    for (guint i = 0; i < scan->missing->len && ok; i++) {
        g_auto(struct_placement_row) row = {0};
        /* It may have turned up in a folder that was looked through since. */
        if (!placement_row_read(scan->store, g_array_index(scan->missing, gint64, i), &row, NULL) ||
            row.state == PLACEMENT_LEAVING)
            continue;
        ok = placement_row_set_file(scan->store, row.id, NULL, row.flags, error);
        g_clear_pointer(&row.file, g_free);
        ok = ok && intent_expunge_one(scan->store, &row, 0, scan->journal, error);
        scan->result->removed++;
    }
    return scan_end(scan, ok, error);
}

/* --- */

/* Looked through: as far as the times can tell, or with a witness. */
static gboolean
note_times(struct scan *scan, const struct maildir_times *times, GError **error)
{
    if (scan->result->braked || scan->unfinished)
        return TRUE; /* look again next time */
    witness_agrees(scan->store, scan->folder);
    return g_get_real_time() * 1000 - MAX(times->cur, times->new) < SETTLED_NS ||
           witness_note(scan->store, scan->folder, times, error);
}

static gboolean
run(struct scan *scan, GError **error)
{
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(struct_names) names = maildir_names(scan->dir, notices, error);
    scan->names = names;
    gboolean ok = names && load_known(scan, error);

    for (guint i = 0; i < notices->len; i++)
        scan_tell(scan, g_strdup(notices->pdata[i]));
    if (!ok)
        return FALSE;
    compare(scan);
    if (!confirm_missing(scan, error))
        return FALSE;
    /* What another program made may not have reached the disk: once it is noted here, a power cut that took it back
     * would look like another change. */
    if ((scan->renamed->len || scan->strangers->len) && !maildir_sync_path(scan->dir, O_DIRECTORY, syncfs, "store.scan-flush")) {
        error_set_errno(error, STORE_ERROR, errno, "cannot flush %s", scan->dir);
        return FALSE;
    }
    if (scan->renamed->len && (!scan_begin(scan, error) || !scan_end(scan, take_renames(scan, error), error)))
        return FALSE;
    return scan_take_strangers(scan, error) && take_missing(scan, error);
}

/* A side is missing: never a deletion of all (D11). The folder stops, so that nothing makes the directory again, and it
 * would look as if somebody had emptied it. */
static gboolean
stop_folder(struct scan *scan, GError **error)
{
    g_autofree char *theirs = scan->is_tree ? tree_path(scan->store, scan->folder) : NULL;
    g_autofree char *text =
        theirs ? g_strdup_printf(_("the directory %s has gone: nothing was deleted. Put it back; or let its mail go here, too, "
                                   "with \"postrider sync --agree\""), theirs)
               : g_strdup_printf(_("the directory %s has gone: nothing was deleted. Put it back; or have its mail fetched "
                                   "again, with \"postrider sync --agree\""), scan->dir);
    scan->result->braked = TRUE;
    scan_tell(scan, g_strdup(text));
    return folder_set_bits(scan->store, scan->folder, FOLDER_PAUSED, 0, error) &&
           folder_set_notice(scan->store, scan->folder, text, error);
}

/* Agreed, and there is no server: they were deleted. */
static gboolean
take_all_missing(struct scan *scan, GError **error)
{
    if (!scan_begin(scan, error))
        return FALSE;
    g_autoptr(struct_placement_set) set = placement_load(scan->store, scan->folder, PLACEMENT_SELECT_ALL, 0, error);
    gboolean ok = set != NULL;
    for (guint i = 0; ok && i < set->n; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_set_file(scan->store, set->rows[i].id, NULL, set->rows[i].flags, error) &&
             placement_row_read(scan->store, set->rows[i].id, &row, error) &&
             (row.state == PLACEMENT_LEAVING || intent_expunge_one(scan->store, &row, 0, scan->journal, error));
    }
    return scan_end(scan, ok, error);
}

/* Agreed: the files are lost, the messages are not. What the server has is fetched again. */
static gboolean
forget_files(struct scan *scan, GError **error)
{
    struct store *store = scan->store;
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autoptr(struct_placement_set) set = placement_load(store, scan->folder, PLACEMENT_SELECT_ALL, 0, error);
    for (guint i = 0; ok && set && i < set->n; i++)
        ok = placement_row_set_file(store, set->rows[i].id, NULL, set->rows[i].flags, error) &&
             message_refresh(store, set->rows[i].message, error);
    return txn_leave(store, own, ok && set, error);
}

gboolean
maildir_scan(struct store *store, gint64 folder, guint how, scan_reader reader, gpointer data,
             struct scan_result *result, GError **error)
{
    struct scan_result unwanted = {0};
    struct scan scan = {.store = store,
                        .folder = folder,
                        .how = how,
                        .reader = reader,
                        .data = data,
                        .result = result ? result : &unwanted};
    gboolean ok = TRUE;

    g_return_val_if_fail(!store_in_transaction(store), FALSE);
    *scan.result = (struct scan_result){0};
    scan.dir = folder_path(store, folder, FALSE, error);
    if (!scan.dir || !renaming_recover(store, folder, error))
        return FALSE;
    scan.is_tree = sql_int(store, 0,
                           "SELECT a.tree IS NOT NULL FROM folder f JOIN account a ON a.id = f.account WHERE f.id = ?",
                           "l", folder) != 0;
    scan.seen_before = sql_int(store, 0, "SELECT synced FROM folder WHERE id = ?", "l", folder) > 0;
    struct maildir_times times;
    gboolean settled = witness_begin(store, folder, scan.dir, &times), there = times.cur && times.new;
    gboolean has_files =
        !there && sql_int(store, 0, "SELECT 1 FROM placement WHERE folder = ? AND file IS NOT NULL", "l", folder);

    if (has_files) {
        ok = !(how & SCAN_AGREED) ? stop_folder(&scan, error)
             : scan.is_tree       ? take_all_missing(&scan, error)
                                  : forget_files(&scan, error);
    } else if (there && (how & SCAN_FORCE || !settled)) {
        scan.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
        scan.listed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
        scan.strangers = g_ptr_array_new_with_free_func(stranger_free);
        scan.renamed = g_ptr_array_new();
        scan.missing = g_array_new(FALSE, FALSE, sizeof(gint64));
        ok = run(&scan, error) && note_times(&scan, &times, error);
        g_hash_table_unref(scan.known);
        g_hash_table_unref(scan.listed);
        g_ptr_array_unref(scan.strangers);
        g_ptr_array_unref(scan.renamed);
        g_array_unref(scan.missing);
    }
    g_free(scan.dir);
    if (!result)
        scan_result_clear(&unwanted);
    return ok;
}
