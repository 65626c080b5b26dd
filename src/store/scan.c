/* What other programs did to a Maildir, taken in as the user's intents. */
#include "config.h"

#include "store/scan.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/maildir_write.h"
#include "store/message.h"
#include "store/names.h"
#include "store/placement.h"
#include "store/rows.h"
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

#define NEW_AT_ONCE 50 /* new files read and stored in one transaction */
#define SETTLED_NS                                                                                           \
    2000000000LL /* a directory changed later than this ago may change again within the same time stamp */
#define BRAKE_LEAST 50 /* D11 */
#define BRAKE_PERCENT 20

struct known {
    gint64 id;
    char *file;
    guint flags, state;
    gboolean seen;
};

/* A file that no placement of this folder names. */
struct stranger {
    char *file, *path;
    struct maildir_entry entry; /* hash and sizes */
};

struct scan {
    struct store *store;
    gint64 folder;
    char *dir;
    struct names *names;  /* of the files there are; those that are as we know them are taken off */
    guint placements;     /* that name a file */
    GHashTable *known;    /* those whose file has not that name: unique part -> struct known */
    GHashTable *listed;   /* directory -> set of unique parts: others that were looked through */
    GPtrArray *strangers; /* of struct stranger */
    GPtrArray *renamed;   /* file names, of `names` */
    GArray *missing;      /* of gint64 */
    scan_reader reader;
    gpointer data;
    struct scan_result *result;
    gint64 journal;
    guint how;
    gboolean is_tree;    /* the user's own Maildir (tree.h): what comes to it has arrived, and nothing of it is for undo */
    gboolean seen_before; /* it has been looked through */
    gboolean unfinished; /* something was left for the next time */
};

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

static void
not_missing(struct scan *scan, gint64 id)
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
            not_missing(scan, known->id);
    }
    return again != NULL;
}

static GHashTable *
list_uniques(const char *dir, GError **error)
{
    g_autoptr(struct_names) names = maildir_names(dir, NULL, error);
    GHashTable *uniques = names ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) : NULL;
    const char *file;
    gboolean fresh;
    for (gsize at = 0; names && (file = names_next(names, &at, &fresh));)
        g_hash_table_add(uniques, maildir_unique(file));
    return uniques;
}

/* It may have been renamed once more since the directory was read; then the next scan has the last word. */
static gboolean
is_there(struct scan *scan, const char *file)
{
    g_autofree char *cur = g_build_filename(scan->dir, "cur", file, NULL), *new = g_build_filename(scan->dir, "new", file, NULL);
    return access(cur, F_OK) == 0 || access(new, F_OK) == 0;
}

/* The file of that placement is called `file` now; its flags were `before` when they were last known. A name in new/ says
 * nothing of flags. */
static gboolean
take_name(struct scan *scan, struct placement_row *row, guint before, const char *file, GError **error)
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
        if (!take_name(scan, &row, maildir_name_flags(known->file), file, error))
            return FALSE;
    }
    return TRUE;
}

/* --- files that are new here */

static gboolean
is_missing(struct scan *scan, gint64 id)
{
    g_auto(struct_placement_row) row = {0};
    if (!placement_row_read(scan->store, id, &row, NULL) || !row.file)
        return FALSE;
    g_autofree char *dir = folder_path(scan->store, row.folder, FALSE, NULL);
    g_autofree char *path = dir ? g_build_filename(dir, "cur", row.file, NULL) : NULL;
    if (!path || access(path, F_OK) == 0)
        return !path;
    GHashTable *there = g_hash_table_lookup(scan->listed, dir);
    if (!there) {
        there = list_uniques(dir, NULL);
        if (!there)
            return FALSE; /* a directory that cannot be read says nothing about its files */
        g_hash_table_insert(scan->listed, g_steal_pointer(&dir), there);
    }
    g_autofree char *unique = maildir_unique(row.file);
    return !g_hash_table_contains(there, unique);
}

/* Of a known message: a placement in this folder or elsewhere whose file has gone: the stranger is that file.
 */
static gint64
lost_placement(struct scan *scan, gint64 message)
{
    g_autoptr(GArray) ids = placement_ids_of(scan->store, message, TRUE, NULL);
    for (guint i = 0; ids && i < ids->len; i++)
        if (is_missing(scan, g_array_index(ids, gint64, i)))
            return g_array_index(ids, gint64, i);
    return 0;
}

/* Somebody copied the file by hand: it has our name, and the one with that name lies where we put it. */
static gboolean
is_copy_by_hand(struct scan *scan, const struct stranger *stranger, gint64 message)
{
    g_autofree char *unique = maildir_unique(stranger->file);
    g_autofree char *like = g_strconcat(unique, ":", NULL);
    return sql_int(scan->store, 0,
                   "SELECT 1 FROM placement INDEXED BY placement_message WHERE message = ? AND folder <> ? "
                   "AND substr(file, 1, ?) = ?",
                   "llls", message, scan->folder, (gint64)strlen(like), like) != 0;
}

/* Is there another file with this content, whatever became of its placement? */
static gboolean
is_held(struct scan *scan, gint64 message)
{
    g_autoptr(GArray) ids = placement_ids_of(scan->store, message, FALSE, NULL);
    gboolean held = FALSE;
    for (guint i = 0; ids && i < ids->len && !held; i++) {
        g_auto(struct_placement_row) row = {0};
        placement_row_read(scan->store, g_array_index(ids, gint64, i), &row, NULL);
        g_autofree char *path = placement_row_path(scan->store, &row);
        held = path != NULL;
    }
    return held;
}

/* An intent to remove this message because its file was missing, here or elsewhere, a moment ago. What the user removes
 * keeps its file until it is done. */
static gint64
missed_before(struct scan *scan, gint64 message)
{
    return sql_int(scan->store, 0,
                   "SELECT i.id FROM placement p INDEXED BY placement_message JOIN intent i ON i.source = p.id AND "
                   "i.source > 0 WHERE p.message = ? AND p.state = ? AND p.file IS NULL AND i.kind = ? AND i.state = 0"
                   " AND i.uncertain = 0 ORDER BY p.folder <> ?, i.id",
                   "liil", message, (int)PLACEMENT_LEAVING, (int)INTENT_EXPUNGE, scan->folder);
}

/* The file of that placement lies here now, perhaps with other flags than `before`. */
static gboolean
take_moved(struct scan *scan, gint64 placement, guint before, const struct stranger *stranger, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    gboolean changed;
    if (!placement_row_read(scan->store, placement, &row, error))
        return FALSE;
    guint theirs = strstr(stranger->file, ":2,") ? maildir_name_flags(stranger->file) : before;
    guint flags = flags_merge(before, theirs, row.flags);
    if (!intent_mark_one(scan->store, &row, flags & ~row.flags, row.flags & ~flags, NULL, NULL, scan->journal, &changed,
                         error))
        return FALSE;
    placement_row_clear(&row);
    if (!placement_row_read(scan->store, placement, &row, error))
        return FALSE;
    scan->result->moved++;
    return intent_move_one(scan->store, &row, scan->folder, stranger->file, scan->journal, error);
}

static gboolean
take_known_content(struct scan *scan, const struct stranger *stranger, gint64 message, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    /* Its writer was about to name it when the directory was read, and has done so since. */
    if (placement_row_find_file(scan->store, message, scan->folder, stranger->file))
        return TRUE;
    gint64 lost = lost_placement(scan, message);

    if (lost) {
        if (!placement_row_read(scan->store, lost, &row, error))
            return FALSE;
        if (row.folder == scan->folder) { /* only called otherwise */
            not_missing(scan, lost);
            return take_name(scan, &row, maildir_name_flags(row.file), stranger->file, error);
        }
        return take_moved(scan, lost, maildir_name_flags(row.file), stranger, error);
    }
    gint64 vanished = missed_before(scan, message);
    if (vanished) {
        g_autoptr(struct_intent) intent = intent_row_read(scan->store, vanished, error);
        if (!intent || !intent_cancel(scan->store, intent, error) ||
            !placement_row_read(scan->store, intent->source, &row, error))
            return FALSE;
        return row.folder == scan->folder
                   ? take_name(scan, &row, row.flags, stranger->file, error)
                   : take_moved(scan, row.id, row.flags, stranger, error);
    }
    gint64 here = sql_int(
        scan->store, 0,
        "SELECT id FROM placement INDEXED BY placement_message WHERE message = ? AND folder = ? AND " SHOWN,
        "ll", message, scan->folder);
    gint64 bare = sql_int(scan->store, 0,
                          "SELECT id FROM placement INDEXED BY placement_message WHERE message = ? AND "
                          "folder = ? AND file IS NULL AND " SHOWN,
                          "ll", message, scan->folder);
    if (bare) { /* it has no file yet: here is one */
        scan->result->orphans++;
        return placement_row_set_file(scan->store, bare, stranger->file, maildir_name_flags(stranger->file),
                                      error) &&
               message_refresh(scan->store, message, error);
    }
    if (maildir_is_ours(stranger->file) && is_held(scan, message) &&
        (here || !is_copy_by_hand(scan, stranger, message))) {
        /* A link that was made for rows that never came, or whose rows have gone: the content is elsewhere.
         */
        scan->result->orphans++;
        txn_unlink_on_commit(scan->store, stranger->path);
        return TRUE;
    }
    gint64 source =
        here ? here
             : sql_int(scan->store, 0,
                       "SELECT id FROM placement WHERE message = ? ORDER BY state = 1, uid = 0, id", "l",
                       message);
    if (!source || !placement_row_read(scan->store, source, &row, error))
        return FALSE;
    scan->result->added++;
    row.flags = maildir_name_flags(stranger->file);
    return intent_copy_one(scan->store, &row, scan->folder, stranger->file, scan->journal, error);
}

/* A body that we fetched and had no time to note: its envelope waits for it. */
static gint64
waiting_envelope(struct scan *scan, const struct message_index *index)
{
    guint8 mid[MID_SIZE];
    if (!index || !mid_hash(index->envelope->message_id, mid))
        return 0;
    return sql_int(
        scan->store, 0,
        "SELECT p.id FROM message m CROSS JOIN placement p ON p.message = m.id WHERE m.mid = ? AND "
        "p.folder = ? AND p.file IS NULL"
        " AND m.hash IS NULL AND p." SHOWN,
        "bl", mid, (gsize)MID_SIZE, scan->folder);
}

static gboolean
take_new_content(struct scan *scan, const struct stranger *stranger, const struct message_index *index,
                 GError **error)
{
    gboolean ours = maildir_is_ours(stranger->file);
    gint64 waiting = ours ? waiting_envelope(scan, index) : 0, message = 0, intent = 0;
    guint flags = maildir_name_flags(stranger->file);

    if (waiting) {
        struct placement_body body = {waiting, stranger->file, stranger->entry.hash,
                                      stranger->entry.wire_size, index};
        scan->result->orphans++;
        return placement_attach(scan->store, &body, 1, error);
    }
    struct maildir_entry entry = stranger->entry;
    entry.file = stranger->file;
    g_autoptr(struct_message_index) empty = index ? NULL : message_index_new();
    if (!intent_append_one(scan->store, scan->folder, &entry, index ? index : empty, flags, "", scan->journal,
                           &message, &intent, error))
        return FALSE;
    scan->result->added++;
    if (scan->is_tree && scan->seen_before &&
        !arrival_note_found(scan->store, message, error))
        return FALSE;
    /* One with our own name may be on the server already: the runner looks before it uploads. */
    return (!ours ||
            sql_run(scan->store, error, "UPDATE intent SET uncertain = 1 WHERE id = ?", "l", intent)) &&
           (index || message_set_bits(scan->store, message, MESSAGE_BROKEN, 0, error));
}

/* Takes the text. */
static void
tell(struct scan *scan, char *text)
{
    if (!scan->result->notices)
        scan->result->notices = g_ptr_array_new_with_free_func(g_free);
    if (scan->result->notices->len < 100)
        g_ptr_array_add(scan->result->notices, text);
    else
        g_free(text);
}

static void
notice(struct scan *scan, const char *path, const char *why)
{
    tell(scan, g_strdup_printf("%s was passed over: %s", path, why));
}

static char *
journal_line(struct scan *scan)
{
    g_autofree char *name = sql_text(scan->store, "SELECT name FROM folder WHERE id = ?", "l", scan->folder);
    return g_strdup_printf(_("what another program did in %s"), name ? name : "");
}

/* A transaction with an entry for undo around one step; an entry without items goes again. Mail that is delivered into the
 * user's own Maildir is nothing to undo. */
static gboolean
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

static gboolean
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

/* Files are read and parsed before the transaction that stores them. */
static gboolean
take_strangers(struct scan *scan, GError **error)
{
    for (guint from = 0; from < scan->strangers->len; from += NEW_AT_ONCE) {
        guint n = MIN(scan->strangers->len - from, NEW_AT_ONCE);
        g_autoptr(GPtrArray) indexes = g_ptr_array_new_full(n, (GDestroyNotify)message_index_free);
        g_autofree gboolean *good = g_new0(gboolean, n);
        g_ptr_array_set_size(indexes, (gint)n);
        for (guint i = 0; i < n; i++) {
            struct stranger *stranger = scan->strangers->pdata[from + i];
            g_autoptr(GError) failure = NULL;
            if (maildir_is_being_written(stranger->path)) {
                scan->unfinished = TRUE;
                continue;
            }
            good[i] = maildir_sum(stranger->path, &stranger->entry, &failure);
            if (good[i] && !stranger->entry.size) {
                notice(scan, stranger->path, "it is empty");
                good[i] = FALSE;
            } else if (!good[i] && !(failure->code == ERROR_NOINPUT)) {
                notice(scan, stranger->path, failure->message);
            }
            if (!good[i] || message_find_hash(scan->store, stranger->entry.hash) || !scan->reader)
                continue;
            g_autoptr(GBytes) bytes = maildir_read(stranger->path, NULL);
            indexes->pdata[i] = bytes ? scan->reader(bytes, scan->data) : NULL;
        }
        if (!scan_begin(scan, error))
            return FALSE;
        gboolean ok = TRUE;
        for (guint i = 0; i < n && ok; i++) {
            struct stranger *stranger = scan->strangers->pdata[from + i];
            gint64 message = good[i] ? message_find_hash(scan->store, stranger->entry.hash) : 0;
            STEP("store.scan-file");
            if (good[i])
                ok = message ? take_known_content(scan, stranger, message, error)
                             : take_new_content(scan, stranger, indexes->pdata[i], error);
        }
        if (!scan_end(scan, ok, error))
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
        tell(scan, g_strdup(notices->pdata[i]));
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
    return take_strangers(scan, error) && take_missing(scan, error);
}

/* A side is missing: never a deletion of all (D11). The folder stops, so that nothing makes the directory again, and it
 * would look as if somebody had emptied it. */
static gboolean
stop_folder(struct scan *scan, GError **error)
{
    g_autofree char *text = g_strdup_printf(
        _("the directory %s has gone: nothing was deleted. Put it back; or have its mail fetched again, with \"postrider sync "
          "--agree\""), scan->dir);
    scan->result->braked = TRUE;
    tell(scan, g_strdup(text));
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
