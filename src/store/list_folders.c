/* Lists of one folder, or of several as one. */
#include "config.h"

#include "store/list_folders.h"
#include "store/list_row.h"
#include "base/flags.h"

#define LOOK_ON 50
#define UNREAD_LOOKED_AT 250 /* before the first paint */

/* What stands in one folder's list, by key: all from one index; the second is for what is unread. */
static const char *const sources[2][2] = {
    [LIST_CONVERSATIONS] =
        {
            "SELECT newest AS key, folder, thread AS what FROM folder_thread INDEXED BY folder_thread_newest WHERE folder = ",
            "SELECT newest AS key, folder, thread AS what FROM folder_thread INDEXED BY folder_thread_unread"
            " WHERE unread > 0 AND folder = ",
        },
    [LIST_MESSAGES] =
        {
            "SELECT key, folder, 0 AS what FROM placement INDEXED BY placement_key WHERE " SHOWN " AND folder = ",
            "SELECT key, folder, 0 AS what FROM placement INDEXED BY placement_unread WHERE " SHOWN
            " AND (flags & 1) = 0 AND folder = ",
        },
};

/* "1,2,5" of the first `n` */
static char *
ids_of(const struct list_view *view, guint n)
{
    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(ids, "%s%" G_GINT64_FORMAT, i ? "," : "", view->folders[i]);
    return g_string_free(ids, FALSE);
}

/* The places of all folders in one order; ?1 is the key. SQLite merges what the indexes give. The text is the same for
 * the same folders, so it is prepared once. */
static sqlite3_stmt *
begin_places(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
             gboolean unread, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean conversations = view->kind == LIST_CONVERSATIONS;
    const char *column = conversations ? "newest" : "key";
    for (guint i = 0; i < view->n_folders; i++)
        g_string_append_printf(text, "%s%s%" G_GINT64_FORMAT " AND %s %c ?1", i ? " UNION ALL " : "",
                               sources[view->kind][unread], view->folders[i], column,
                               direction == LIST_OLDER ? '<' : '>');
    g_string_append_printf(text, " ORDER BY 1 %s", direction == LIST_OLDER ? "DESC" : "ASC");
    return sql_query(store, error, text->str, "l", key ? key : direction == LIST_OLDER ? G_MAXINT64 : 0);
}

/* Where the conversation, or the message, of this place is shown: where it is newest, in the first folder of the view
 * that has it so. */
static struct list_place
shown_at(struct store *store, const struct list_view *view, struct list_place place, gint64 thread)
{
    struct list_place at = {0, 0};
    for (guint i = 0; i < view->n_folders && view->n_folders > 1; i++) {
        gint64 key = view->folders[i] == place.folder ? place.key
                     : view->kind == LIST_CONVERSATIONS
                         ? sql_int(store, 0, "SELECT newest FROM folder_thread WHERE folder = ? AND thread = ?", "ll",
                                   view->folders[i], thread)
                         : sql_int(store, 0,
                                   "SELECT p.key FROM message m CROSS JOIN placement p INDEXED BY placement_message"
                                   " ON p.message = m.id WHERE m.key = ? AND p.folder = ? AND p." SHOWN,
                                   "ll", place.key, view->folders[i]);
        if (key > at.key)
            at = (struct list_place){key, view->folders[i]};
    }
    return at.key ? at : place;
}

GArray *
folders_places(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
               guint limit, GError **error)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(struct list_place));
    if (!view->n_folders || !limit)
        return g_steal_pointer(&places);
    sqlite3_stmt *q = begin_places(store, view, key, direction, FALSE, error);
    gint64 last = 0;
    int rc = q ? 1 : -1;

    while (rc > 0 && places->len < limit && (rc = sql_row(store, q, error)) > 0) {
        struct list_place place = {sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)};
        if (place.key == last) /* one message twice in a folder */
            continue;
        struct list_place at = shown_at(store, view, place, sqlite3_column_int64(q, 2));
        if (at.key != place.key)
            continue;
        last = at.key;
        g_array_append_val(places, at);
    }
    if (rc < 0)
        return NULL;
    if (rc > 0)
        sql_end(q);
    return g_steal_pointer(&places);
}

/* What the other folders of the view say of a conversation. */
static void
add_other_folders(struct store *store, const struct list_view *view, struct list_row *row, guint *here, guint *flagged)
{
    for (guint i = 0; i < view->n_folders; i++) {
        if (view->folders[i] == row->folder)
            continue;
        sqlite3_stmt *q =
            sql_query(store, NULL, "SELECT count, unread, flagged FROM folder_thread WHERE folder = ? AND thread = ?",
                      "ll", view->folders[i], row->thread);
        if (!q || sql_row(store, q, NULL) <= 0)
            continue;
        *here = MAX(*here, (guint)sqlite3_column_int(q, 0));
        row->unread += (guint)sqlite3_column_int(q, 1);
        *flagged += (guint)sqlite3_column_int(q, 2);
        sql_end(q);
    }
}

static gboolean
read_conversation(struct store *store, const struct list_view *view, sqlite3_stmt *q, GPtrArray *rows, GError **error)
{
    struct list_row *row = row_read(store, q);
    guint here = (guint)sqlite3_column_int(q, ROW_OWN_COLUMN), flagged = (guint)sqlite3_column_int(q, ROW_OWN_COLUMN + 2);
    row->unread = (guint)sqlite3_column_int(q, ROW_OWN_COLUMN + 1);
    sql_end(q);
    g_ptr_array_add(rows, row);
    if (view->n_folders > 1)
        add_other_folders(store, view, row, &here, &flagged);
    row->flags = (row->flags & ~(guint)(FLAG_SEEN | FLAG_FLAGGED)) | (row->unread ? 0 : FLAG_SEEN) |
                 (flagged ? FLAG_FLAGGED : 0);
    return row_add_conversation(store, row, here, view->everything, error);
}

gboolean
folders_read(struct store *store, const struct list_view *view, const struct list_place *place, GPtrArray *rows,
             GError **error)
{
    static const char *const queries[2] = {
        [LIST_CONVERSATIONS] =
            "SELECT " ROW_COLUMNS ", t.count, t.unread, t.flagged FROM message m CROSS JOIN folder_thread t"
            " ON t.folder = ?1 AND t.thread = m.thread AND t.newest = m.key CROSS JOIN placement p ON " ROW_FIRST_PLACE(
                "t.folder") " CROSS JOIN folder f ON f.id = t.folder WHERE m.key = ?2",
        [LIST_MESSAGES] = "SELECT " ROW_COLUMNS " FROM message m CROSS JOIN placement p ON " ROW_FIRST_PLACE(
            "?1") " CROSS JOIN folder f ON f.id = p.folder WHERE m.key = ?2",
    };
    sqlite3_stmt *q = sql_query(store, error, queries[view->kind], "ll", place->folder, place->key);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0)
        return rc == 0;
    if (view->kind == LIST_CONVERSATIONS)
        return read_conversation(store, view, q, rows, error);
    g_ptr_array_add(rows, row_read(store, q));
    sql_end(q);
    return TRUE;
}

GPtrArray *
folders_page(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction, guint limit,
             GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)list_row_free);
    g_autoptr(GArray) places = folders_places(store, view, key, direction, limit, error);
    for (guint i = 0; places && i < places->len; i++) {
        guint at = direction == LIST_OLDER ? i : places->len - 1 - i;
        if (!folders_read(store, view, &g_array_index(places, struct list_place, at), rows, error))
            return NULL;
    }
    return places ? g_steal_pointer(&rows) : NULL;
}

gint64
folders_key_at(struct store *store, const struct list_view *view, gint64 n, enum list_direction direction)
{
    g_autoptr(GString) text = g_string_new("SELECT key FROM (");
    if (!view->n_folders)
        return 0;
    for (guint i = 0; i < view->n_folders; i++)
        g_string_append_printf(text, "%s%s%" G_GINT64_FORMAT, i ? " UNION ALL " : "", sources[view->kind][0],
                               view->folders[i]);
    g_string_append_printf(text, ") ORDER BY 1 %s LIMIT 1 OFFSET ?1", direction == LIST_OLDER ? "DESC" : "ASC");
    return sql_int(store, 0, text->str, "l", n);
}

/* What stands in two folders is counted in the second one too: how many rows those are, of folder `at` and those before. */
static gint64
counted_twice(struct store *store, const struct list_view *view, guint at)
{
    g_autofree char *before = ids_of(view, at);
    g_autofree char *text =
        view->kind == LIST_CONVERSATIONS
            ? g_strdup_printf("SELECT count(*) FROM folder_thread a INDEXED BY folder_thread_newest WHERE a.folder = ?1"
                              " AND EXISTS (SELECT 1 FROM folder_thread b WHERE b.thread = a.thread AND b.folder IN (%s))",
                              before)
            : g_strdup_printf("SELECT count(*) FROM placement a INDEXED BY placement_key WHERE a." SHOWN " AND a.folder = ?1"
                              " AND EXISTS (SELECT 1 FROM placement b INDEXED BY placement_message WHERE b.message ="
                              " a.message AND b." SHOWN " AND b.folder IN (%s))",
                              before);
    return sql_int(store, 0, text, "l", view->folders[at]);
}

#define UNREAD_IN(which, folders)                                                                            \
    " EXISTS (SELECT 1 FROM placement " which " INDEXED BY placement_message WHERE " which ".message = m.id AND " \
    which "." SHOWN " AND (" which ".flags & 1) = 0 AND " which ".folder " folders ")"

/* The same of unread messages. Only conversations that are unread in both are looked into: few, and told by folder_thread
 * alone. */
static gint64
unread_twice(struct store *store, const struct list_view *view, guint at)
{
    g_autofree char *before = ids_of(view, at);
    g_autofree char *text = g_strdup_printf(
        "SELECT count(*) FROM folder_thread a INDEXED BY folder_thread_unread CROSS JOIN message m INDEXED BY message_thread"
        " ON m.thread = a.thread WHERE a.folder = ?1 AND a.unread > 0 AND EXISTS (SELECT 1 FROM folder_thread b WHERE"
        " b.thread = a.thread AND b.unread > 0 AND b.folder IN (%s)) AND m.shown > 1 AND" UNREAD_IN("p", "= ?1") " AND"
        UNREAD_IN("q", "IN (%s)"), before, before);
    return sql_int(store, 0, text, "l", view->folders[at]);
}

static gint64
rows_of(struct store *store, enum list_kind kind, gint64 folder)
{
    return kind == LIST_CONVERSATIONS
               ? sql_int(store, 0, "SELECT conversations FROM folder WHERE id = ?", "l", folder)
               : sql_int(store, 0, "SELECT total FROM folder WHERE id = ?", "l", folder);
}

gint64
folders_places_count(struct store *store, const struct list_view *view)
{
    gint64 count = 0;
    for (guint i = 0; i < view->n_folders; i++)
        count += rows_of(store, view->kind, view->folders[i]);
    return count;
}

/* The largest folder is never gone through. */
static gint64 *
largest_first(struct store *store, const struct list_view *view)
{
    gint64 *folders = g_memdup2(view->folders, view->n_folders * sizeof *folders), most = -1;
    for (guint i = 0; i < view->n_folders; i++) {
        gint64 rows = rows_of(store, view->kind, view->folders[i]);
        if (rows <= most)
            continue;
        most = rows;
        gint64 swap = folders[0];
        folders[0] = folders[i];
        folders[i] = swap;
    }
    return folders;
}

/* What lies in several folders changes only where a placement comes or goes, or a hand joins conversations; marks, which are
 * most of what changes, leave this as it is. */
static char *
state_of(struct store *store, const struct list_view *view)
{
    GString *state = g_string_new(NULL);
    for (guint i = 0; i < view->n_folders; i++) {
        g_autofree char *one = sql_text(store, "SELECT id || ' ' || total || ' ' || conversations FROM folder WHERE id = ?",
                                        "l", view->folders[i]);
        g_string_append_printf(state, "%s, ", one ? one : "");
    }
    g_autofree char *last = sql_text(store,
                                     "SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'placement') || ' ' ||"
                                     " (SELECT count(*) FROM thread_hand)",
                                     "");
    g_string_append_printf(state, "%d %s", (int)view->kind, last ? last : "");
    return g_string_free(state, FALSE);
}

gint64
folders_count(struct store *store, const struct list_view *view)
{
    if (view->n_folders == 1)
        return rows_of(store, view->kind, view->folders[0]);
    g_autofree char *state = state_of(store, view);
    if (!g_strcmp0(state, store->count_of))
        return store->count;
    g_autofree gint64 *folders = largest_first(store, view);
    struct list_view sorted = *view;
    gint64 count = 0;
    sorted.folders = folders;
    for (guint i = 0; i < view->n_folders; i++)
        count += rows_of(store, view->kind, folders[i]) - (i ? counted_twice(store, &sorted, i) : 0);
    g_free(store->count_of);
    store->count_of = g_steal_pointer(&state);
    store->count = count;
    return count;
}

gint64
folders_unread(struct store *store, const struct list_view *view)
{
    gint64 count = 0;
    g_autofree char *folders = ids_of(view, view->n_folders);
    guint64 now = store_change_count(store);
    if (store->unread_at == now && !g_strcmp0(store->unread_of, folders))
        return store->unread;
    for (guint i = 0; i < view->n_folders; i++) {
        gint64 unread = sql_int(store, 0, "SELECT unread FROM folder WHERE id = ?", "l", view->folders[i]);
        count += unread - (i && count && unread <= UNREAD_LOOKED_AT ? unread_twice(store, view, i) : 0);
    }
    g_free(store->unread_of);
    store->unread_of = g_steal_pointer(&folders);
    store->unread_at = now;
    store->unread = count;
    return count;
}

gint64
folders_next_unread(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction)
{
    if (!view->n_folders)
        return 0;
    sqlite3_stmt *q = begin_places(store, view, key, direction, TRUE, NULL);
    gint64 found = 0;
    guint looked = 0;
    int rc = q ? 1 : 0;
    /* What is unread in one folder may be shown where its conversation is newer, in another: before one that was found
     * earlier. Rare, so not looked for for ever. */
    while (rc > 0 && !(found && looked > LOOK_ON) && (rc = sql_row(store, q, NULL)) > 0) {
        struct list_place place = {sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)};
        gint64 at = shown_at(store, view, place, sqlite3_column_int64(q, 2)).key;
        gboolean passed = key && (direction == LIST_OLDER ? at >= key : at <= key);
        if (!passed && (!found || (direction == LIST_OLDER ? at > found : at < found)))
            found = at;
        looked += found || passed;
        if (view->n_folders == 1)
            break;
    }
    if (rc > 0)
        sql_end(q);
    return found;
}

GHashTable *
folders_unread_keys(struct store *store, const struct list_view *view)
{
    GHashTable *keys = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (!view->n_folders || (view->kind != LIST_CONVERSATIONS && view->kind != LIST_MESSAGES))
        return keys;
    sqlite3_stmt *q = begin_places(store, view, 0, LIST_OLDER, TRUE, NULL);
    while (q && sql_row(store, q, NULL) > 0) {
        struct list_place place = {sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)};
        gint64 at = shown_at(store, view, place, sqlite3_column_int64(q, 2)).key;
        g_hash_table_add(keys, g_memdup2(&at, sizeof at));
    }
    return keys;
}
