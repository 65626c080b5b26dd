#include "config.h"

#include "store/list.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/list_folders.h"
#include "store/list_row.h"
#include "store/message.h"
#include "store/rows.h"
#include "store/search.h"
#include "base/flags.h"
#include "base/log.h"

#include <string.h>

#define COUNT_BOUND 10000
#define RANK_BOUND 5000

static GPtrArray *
new_rows(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)list_row_free);
}

static int
newest_first(gconstpointer a, gconstpointer b)
{
    const struct list_row *x = *(struct list_row *const *)a, *y = *(struct list_row *const *)b;
    return x->key < y->key ? 1 : x->key > y->key ? -1 : 0;
}

static gboolean
read_message(struct store *store, gint64 message, GPtrArray *rows, GError **error)
{
    sqlite3_stmt *q =
        sql_query(store, error,
                  "SELECT " ROW_COLUMNS " FROM message m LEFT JOIN placement p ON " ROW_ANY_PLACE
                  " LEFT JOIN folder f ON f.id = p.folder WHERE m.id = ?1",
                  "l", message);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc > 0) {
        struct list_row *row = row_read(store, q);
        sql_end(q);
        row->flags =
            (guint)sql_int(store, row->flags, "SELECT flags FROM message WHERE id = ?", "l", message);
        g_free(row->tags);
        row->tags = sql_text(store, "SELECT tags FROM message WHERE id = ?", "l", message);
        row->unread = !(row->flags & FLAG_SEEN);
        g_ptr_array_add(rows, row);
    }
    return rc >= 0;
}

GPtrArray *
list_messages(struct store *store, const gint64 *messages, guint n, GError **error)
{
    g_autoptr(GPtrArray) rows = new_rows();
    for (guint i = 0; i < n; i++)
        if (!read_message(store, messages[i], rows, error))
            return NULL;
    g_ptr_array_sort(rows, newest_first);
    return g_steal_pointer(&rows);
}

/* A search within folders is a search with one condition more. */
static struct query *
narrowed(struct store *store, const struct list_view *view)
{
    struct query *query = query_copy(view->query), *any = NULL;
    for (guint i = 0; i < view->n_folders; i++) {
        g_autofree char *name = sql_text(
            store,
            "SELECT a.name || '/' || f.name FROM folder f JOIN account a ON a.id = f.account WHERE f.id = ?",
            "l", view->folders[i]);
        struct query *one = query_new_word(QUERY_FOLDER, name ? name : "");
        any = any ? query_new_pair(QUERY_OR, any, one) : one;
    }
    return any ? query_new_pair(QUERY_AND, any, query) : query;
}

GArray *
list_hits(struct store *store, const struct list_view *view, GError **error)
{
    g_autoptr(struct_query) query = narrowed(store, view);
    const struct query_options options = {.everything = view->everything, .limit = G_MAXINT};
    return store_search(store, query, &options, error);
}

static GPtrArray *
read_search(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
            guint limit, GError **error)
{
    g_autoptr(struct_query) query = narrowed(store, view);
    g_autoptr(GPtrArray) rows = new_rows();
    struct search_page page = {
        .everything = view->everything, .direction = direction, .key = key, .limit = limit};
    sqlite3_stmt *q = search_prepare(store, query, &page, error);
    gint64 last = 0;
    int rc = SQLITE_ROW;
    gboolean ok = q != NULL;

    while (ok && (rc = sqlite3_step(q)) == SQLITE_ROW)
        if (sqlite3_column_int64(q, 1) != last) {
            last = sqlite3_column_int64(q, 1);
            ok = read_message(store, sqlite3_column_int64(q, 0), rows, error);
        }
    if (ok && rc != SQLITE_DONE) {
        sql_error(store, rc, error);
        ok = FALSE;
    }
    sqlite3_finalize(q);
    if (!ok)
        return NULL;
    g_ptr_array_sort(rows, newest_first);
    return g_steal_pointer(&rows);
}

static GPtrArray *
read_thread(struct store *store, const struct list_view *view, GError **error)
{
    g_autoptr(GPtrArray) rows = new_rows();
    /* What lies in Trash or Junk alone is left out, unless all of it does. */
    guint hidden = view->everything ? 0 : list_thread_hidden(store, view->thread);
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT " ROW_COLUMNS " FROM message m CROSS JOIN placement p ON " ROW_ANY_PLACE
        " JOIN folder f ON f.id = p.folder WHERE m.thread = ?1 AND m.shown > 0 AND m.places & ~?2 <> 0"
        " ORDER BY m.key",
        "li", view->thread, hidden);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(rows, row_read(store, q));
    if (rc < 0 || !rows_as_tree(store, rows, error))
        return NULL;
    return g_steal_pointer(&rows);
}

static GPtrArray *
read_page(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
          guint limit, GError **error)
{
    switch (view->kind) {
    case LIST_CONVERSATIONS:
    case LIST_MESSAGES:
        return folders_page(store, view, key, direction, limit, error);
    case LIST_SEARCH:
        return read_search(store, view, key, direction, limit, error);
    case LIST_THREAD:
        return read_thread(store, view, error);
    }
    g_return_val_if_reached(NULL);
}

/* A page is many small queries: one snapshot makes them agree, and saves each its locks. */
GPtrArray *
list_page(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
          guint limit, GError **error)
{
    gboolean own = !store->in_transaction && !store->in_snapshot;
    if (own)
        store_is_me(store, NULL); /* reads the own addresses again when they may have changed */
    if (own && !store_snapshot_begin(store, error))
        return NULL;
    GPtrArray *rows = read_page(store, view, key, direction, limit, error);
    if (own)
        store_snapshot_end(store);
    return rows;
}

struct list_row *
list_row_at(struct store *store, const struct list_view *view, gint64 key, GError **error)
{
    g_autoptr(GPtrArray) rows = view->kind == LIST_THREAD
                                    ? read_thread(store, view, error)
                                    : list_page(store, view, key + 1, LIST_OLDER, 1, error);
    for (guint i = 0; rows && i < rows->len; i++)
        if (((struct list_row *)rows->pdata[i])->key == key)
            return g_ptr_array_steal_index(rows, i);
    return NULL;
}

gint64
list_key_of(struct store *store, const struct list_view *view, gint64 message)
{
    gint64 key = 0;
    switch (view->kind) {
    case LIST_CONVERSATIONS:
        for (guint i = 0; i < view->n_folders; i++)
            key = MAX(key, sql_int(store, 0,
                                   "SELECT newest FROM folder_thread WHERE folder = ? AND thread = (SELECT "
                                   "thread FROM message WHERE id = ?)",
                                   "ll", view->folders[i], message));
        break;
    case LIST_MESSAGES:
        for (guint i = 0; i < view->n_folders && !key; i++)
            key = sql_int(store, 0,
                          "SELECT key FROM placement INDEXED BY placement_message WHERE message = ? AND "
                          "folder = ? AND " SHOWN,
                          "ll", message, view->folders[i]);
        break;
    case LIST_SEARCH:
    case LIST_THREAD: {
        key = sql_int(store, 0, "SELECT key FROM message WHERE id = ? AND shown > 0", "l", message);
        struct list_row *row = key ? list_row_at(store, view, key, NULL) : NULL;
        if (!row)
            key = 0;
        list_row_free(row);
        break;
    }
    }
    return key;
}

gboolean
list_read_key(struct store *store, const struct list_view *view, gint64 key, GPtrArray *rows, GError **error)
{
    guint before = rows->len;
    if (view->kind == LIST_SEARCH) {
        gint64 message = sql_int(store, 0, "SELECT id FROM message WHERE key = ? AND shown > 0", "l", key);
        return !message || read_message(store, message, rows, error);
    }
    for (guint i = 0; i < view->n_folders && rows->len == before; i++) {
        struct list_place place = {key, view->folders[i]};
        if (!folders_read(store, view, &place, rows, error))
            return FALSE;
    }
    return TRUE;
}

/* Steps through a search without reading rows, `bound` at most: how many there are, and the key of the last
 * one. */
static gint64
step_search(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction,
            guint bound, gint64 *last)
{
    g_autoptr(struct_query) query = narrowed(store, view);
    struct search_page page = {
        .everything = view->everything, .direction = direction, .key = key, .limit = bound};
    g_autoptr(GError) error = NULL;
    sqlite3_stmt *q = search_prepare(store, query, &page, &error);
    gint64 n = 0;

    *last = 0;
    while (q && sqlite3_step(q) == SQLITE_ROW)
        if (sqlite3_column_int64(q, 1) != *last) {
            *last = sqlite3_column_int64(q, 1);
            n++;
        }
    sqlite3_finalize(q);
    if (error)
        log_warn("store.list", "%s", error->message);
    return n;
}

gint64
list_count(struct store *store, const struct list_view *view, gboolean *exact)
{
    gint64 count = 0;
    gboolean sure = TRUE;

    if (view->kind == LIST_SEARCH) {
        g_autoptr(struct_query) query = narrowed(store, view);
        gint64 most = view->count_most ? view->count_most : COUNT_BOUND;
        count = store_search_count(store, query, view->everything, most, NULL);
        sure = count >= 0 && count < most;
        count = MAX(count, 0);
    } else if (view->kind == LIST_THREAD) {
        g_autoptr(GPtrArray) rows = read_thread(store, view, NULL);
        count = rows ? rows->len : 0;
    } else {
        count = folders_count(store, view);
    }
    if (exact)
        *exact = sure;
    return count;
}

/* What lies in several of the folders counts in each. */
static gint64
count_quickly(struct store *store, const struct list_view *view)
{
    return view->kind == LIST_CONVERSATIONS || view->kind == LIST_MESSAGES ? folders_places_count(store, view)
                                                                            : list_count(store, view, NULL);
}

/* Rows of one folder on one side of a key, counted no further than RANK_BOUND + 1. */
static gint64
count_beyond(struct store *store, const struct list_view *view, gint64 folder, gint64 key,
             enum list_direction direction)
{
    static const char *const queries[2][2] = {
        {"SELECT count(*) FROM (SELECT 1 FROM folder_thread INDEXED BY folder_thread_newest WHERE folder = ? "
         "AND newest < ? LIMIT 5001)",
         "SELECT count(*) FROM (SELECT 1 FROM folder_thread INDEXED BY folder_thread_newest WHERE folder = ? "
         "AND newest > ? LIMIT 5001)"},
        {"SELECT count(*) FROM (SELECT 1 FROM placement INDEXED BY placement_key WHERE folder = ? AND " SHOWN
         " AND key < ? LIMIT 5001)",
         "SELECT count(*) FROM (SELECT 1 FROM placement INDEXED BY placement_key WHERE folder = ? AND " SHOWN
         " AND key > ? LIMIT 5001)"},
    };
    return sql_int(store, 0, queries[view->kind != LIST_CONVERSATIONS][direction], "ll", folder, key);
}

static gint64
end_key(struct store *store, const struct list_view *view, enum list_direction end)
{
    gint64 found = 0;
    for (guint i = 0; i < view->n_folders; i++) {
        gint64 key =
            view->kind == LIST_CONVERSATIONS
                ? (end == LIST_NEWER
                       ? sql_int(store, 0, "SELECT max(newest) FROM folder_thread WHERE folder = ?", "l",
                                 view->folders[i])
                       : sql_int(store, 0, "SELECT min(newest) FROM folder_thread WHERE folder = ?", "l",
                                 view->folders[i]))
                : (end == LIST_NEWER
                       ? sql_int(store, 0, "SELECT max(key) FROM placement WHERE folder = ? AND " SHOWN, "l",
                                 view->folders[i])
                       : sql_int(store, 0, "SELECT min(key) FROM placement WHERE folder = ? AND " SHOWN, "l",
                                 view->folders[i]));
        if (key && (!found || (end == LIST_NEWER ? key > found : key < found)))
            found = key;
    }
    return found;
}

gint64
list_rank(struct store *store, const struct list_view *view, gint64 key, gboolean *exact)
{
    gint64 newer = 0, older = 0;
    gboolean sure = TRUE;

    if (exact)
        *exact = TRUE;
    if (view->kind == LIST_SEARCH) {
        gint64 last;
        newer = step_search(store, view, key, LIST_NEWER, RANK_BOUND + 1, &last);
        if (exact)
            *exact = newer <= RANK_BOUND;
        return newer;
    }
    if (view->kind == LIST_THREAD) {
        g_autoptr(GPtrArray) rows = read_thread(store, view, NULL);
        while (rows && newer < rows->len && ((struct list_row *)rows->pdata[newer])->key != key)
            newer++;
        return newer;
    }
    for (guint i = 0; i < view->n_folders; i++) {
        newer += count_beyond(store, view, view->folders[i], key, LIST_NEWER);
        sure = sure && newer <= RANK_BOUND;
    }
    if (sure)
        return newer;
    gint64 total = count_quickly(store, view);
    sure = TRUE;
    for (guint i = 0; i < view->n_folders; i++) {
        older += count_beyond(store, view, view->folders[i], key, LIST_OLDER);
        sure = sure && older <= RANK_BOUND;
    }
    if (sure)
        return MAX(total - older - 1, 0);
    if (exact)
        *exact = FALSE;
    double newest = (double)end_key(store, view, LIST_NEWER),
           oldest = (double)end_key(store, view, LIST_OLDER);
    gint64 guess = newest > oldest ? (gint64)((newest - (double)key) / (newest - oldest) * (double)total) : 0;
    return CLAMP(guess, RANK_BOUND, MAX(total - RANK_BOUND, RANK_BOUND));
}

gint64
list_key_at(struct store *store, const struct list_view *view, gint64 rank)
{
    gint64 total = count_quickly(store, view);
    if (!total)
        return 0;
    rank = CLAMP(rank, 0, total - 1);
    if (view->kind == LIST_SEARCH) {
        gint64 last;
        step_search(store, view, 0, LIST_OLDER, (guint)MIN(rank, RANK_BOUND) + 1, &last);
        return last;
    }
    if (view->kind == LIST_THREAD) {
        g_autoptr(GPtrArray) rows = read_thread(store, view, NULL);
        return rows && rows->len ? ((struct list_row *)rows->pdata[MIN(rank, rows->len - 1)])->key : 0;
    }
    gboolean from_oldest = rank > total / 2;
    return folders_key_at(store, view, from_oldest ? total - 1 - rank : rank, from_oldest ? LIST_NEWER : LIST_OLDER);
}

gint64
list_key_at_time(gint64 seconds)
{
    gint64 most = G_MAXINT64 / MESSAGE_KEYS_A_SECOND - 1;
    return (CLAMP(seconds, 0, most) + 1) * MESSAGE_KEYS_A_SECOND - 1;
}

gint64
list_key_by_date(struct store *store, const struct list_view *view, gint64 seconds)
{
    g_autoptr(GArray) places = folders_places(store, view, list_key_at_time(seconds) + 1, LIST_OLDER, 1, NULL);
    return places && places->len ? g_array_index(places, struct list_place, 0).key
                                 : folders_key_at(store, view, 0, LIST_NEWER);
}

gint64
list_next_unread(struct store *store, const struct list_view *view, gint64 key, enum list_direction direction)
{
    if (view->kind == LIST_SEARCH) {
        struct list_view unread = *view;
        g_autoptr(struct_query) query =
            query_new_pair(QUERY_AND, query_copy(view->query), query_new_not(query_new_flag(FLAG_SEEN)));
        unread.query = query;
        g_autoptr(GPtrArray) rows = list_page(store, &unread, key, direction, 1, NULL);
        return rows && rows->len ? ((struct list_row *)rows->pdata[0])->key : 0;
    }
    if (view->kind == LIST_THREAD) {
        g_autoptr(GPtrArray) rows = read_thread(store, view, NULL);
        gint at = -1, n = rows ? (gint)rows->len : 0, step = direction == LIST_OLDER ? 1 : -1;
        for (gint i = 0; i < n && at < 0; i++)
            if (((struct list_row *)rows->pdata[i])->key == key)
                at = i;
        for (gint i = at + step; i >= 0 && i < n; i += step)
            if (!(((struct list_row *)rows->pdata[i])->flags & FLAG_SEEN))
                return ((struct list_row *)rows->pdata[i])->key;
        return 0;
    }
    return folders_next_unread(store, view, key, direction);
}

gint64
list_unread(struct store *store, const struct list_view *view)
{
    return view->kind == LIST_SEARCH || view->kind == LIST_THREAD ? 0 : folders_unread(store, view);
}

GArray *
list_messages_of(struct store *store, const struct list_view *view, const gint64 *threads, guint n,
                 GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    guint folders = MAX(view->n_folders, 1);

    for (guint i = 0; i < n; i++)
        for (guint k = 0; k < folders; k++) {
            gint64 folder = view->n_folders ? view->folders[k] : 0;
            sqlite3_stmt *q =
                sql_query(store, error,
                          "SELECT DISTINCT m.id FROM message m CROSS JOIN placement p ON p.message = m.id"
                          " WHERE m.thread = ?1 AND (?2 = 0 OR p.folder = ?2) AND p." SHOWN " ORDER BY m.key",
                          "ll", threads[i], folder);
            int rc = q ? 0 : -1;
            while (q && (rc = sql_row(store, q, error)) > 0) {
                gint64 id = sqlite3_column_int64(q, 0);
                g_array_append_val(ids, id);
            }
            if (rc < 0)
                return NULL;
        }
    return g_steal_pointer(&ids);
}

void
list_tag_free(struct list_tag *tag)
{
    if (!tag)
        return;
    g_free(tag->tag);
    g_free(tag);
}

GPtrArray *
list_tags(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func((GDestroyNotify)list_tag_free);
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT tag, count(*) FROM tag GROUP BY tag ORDER BY count(*) DESC, tag", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct list_tag *tag = g_new(struct list_tag, 1);
        tag->tag = sql_dup(q, 0);
        tag->count = sqlite3_column_int64(q, 1);
        g_ptr_array_add(tags, tag);
    }
    return rc < 0 ? NULL : g_steal_pointer(&tags);
}
