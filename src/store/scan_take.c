/* Files in a Maildir that no placement names: whose they are, and what becomes of them. */
#include "config.h"

#include "store/scan_private.h"
#include "store/folder.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/placement.h"
#include "base/fail.h"
#include "base/flags.h"

#include <string.h>
#include <unistd.h>

#define NEW_AT_ONCE 50 /* read and stored in one transaction */

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
            scan_not_missing(scan, lost);
            return scan_take_name(scan, &row, maildir_name_flags(row.file), stranger->file, error);
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
                   ? scan_take_name(scan, &row, row.flags, stranger->file, error)
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

static void
notice(struct scan *scan, const char *path, const char *why)
{
    scan_tell(scan, g_strdup_printf("%s was passed over: %s", path, why));
}

/* Files are read and parsed before the transaction that stores them. */
gboolean
scan_take_strangers(struct scan *scan, GError **error)
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
