#include "config.h"

#include "ui/rowset.h"

#include "base/flags.h"
#include "store/bulk.h"

#include <string.h>

/* The window grows by pages of this and is cut when it is four times as large. */
#define CHUNK 120
#define WINDOW_MAX (CHUNK * 8)
#define ROUNDS_MAX 20 /* pages that are looked through for rows that are not hidden */

struct overlay {
    guint number;
    GHashTable *ids;
    guint set, clear;
    gboolean hide;
    gint64 journal; /* until the action is done whole; 0: until it is settled */
};

static void
overlay_free(gpointer data)
{
    struct overlay *overlay = data;
    g_hash_table_unref(overlay->ids);
    g_free(overlay);
}

struct rowset *
rowset_new(struct store *store, enum list_kind kind, const gint64 *folders, guint n, struct query *query,
           gint64 thread)
{
    struct rowset *set = g_new0(struct rowset, 1);
    set->store = store;
    set->view.kind = kind;
    set->view.folders = g_memdup2(folders, n * sizeof *folders);
    set->view.n_folders = n;
    set->view.query = query;
    set->view.thread = thread;
    set->rows = g_ptr_array_new_with_free_func((GDestroyNotify)list_row_free);
    set->open = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    set->stamps = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    set->overlays = g_ptr_array_new_with_free_func(overlay_free);
    return set;
}

void
rowset_free(struct rowset *set)
{
    if (!set)
        return;
    g_free((gpointer)set->view.folders);
    query_free((struct query *)set->view.query);
    g_ptr_array_unref(set->rows);
    g_hash_table_unref(set->open);
    g_hash_table_unref(set->stamps);
    g_ptr_array_unref(set->overlays);
    order_free(set->places);
    g_free(set);
}

/* ---- overlays ---- */

gint64
rowset_id(const struct rowset *set, const struct list_row *row, gboolean in_tree)
{
    return set->view.kind == LIST_CONVERSATIONS && !in_tree ? -row->thread : row->message;
}

static gboolean
apply(const struct rowset *set, struct list_row *row, gboolean in_tree)
{
    gint64 id = rowset_id(set, row, in_tree);
    for (guint i = 0; i < set->overlays->len; i++) {
        const struct overlay *overlay = g_ptr_array_index(set->overlays, i);
        if (!g_hash_table_contains(overlay->ids, &id))
            continue;
        if (overlay->hide)
            return FALSE;
        row->flags = (row->flags | overlay->set) & ~overlay->clear;
        if (overlay->set & FLAG_SEEN)
            row->unread = 0;
        if (overlay->clear & FLAG_SEEN)
            row->unread = MAX(row->unread, 1);
    }
    return TRUE;
}

static void
apply_all(struct rowset *set)
{
    for (guint i = set->rows->len; i-- > 0;)
        if (!apply(set, g_ptr_array_index(set->rows, i), FALSE))
            g_ptr_array_remove_index(set->rows, i);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, set->open);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        GPtrArray *tree = value;
        for (guint i = tree->len; i-- > 0;)
            if (!apply(set, g_ptr_array_index(tree, i), TRUE))
                g_ptr_array_remove_index(tree, i);
    }
}

guint
rowset_overlay(struct rowset *set, GHashTable *ids, guint flags_set, guint flags_clear, gboolean hide)
{
    static guint last;
    struct overlay *overlay = g_new0(struct overlay, 1);
    overlay->number = ++last;
    overlay->ids = ids;
    overlay->set = flags_set;
    overlay->clear = flags_clear;
    overlay->hide = hide;
    g_ptr_array_add(set->overlays, overlay);
    apply_all(set);
    return overlay->number;
}

void
rowset_settle(struct rowset *set, guint number)
{
    g_hash_table_remove_all(set->stamps); /* what was laid over the trees is in them */
    for (guint i = set->overlays->len; i-- > 0;)
        if (((struct overlay *)g_ptr_array_index(set->overlays, i))->number == number)
            g_ptr_array_remove_index(set->overlays, i);
}

void
rowset_settle_with(struct rowset *set, guint number, gint64 journal)
{
    for (guint i = 0; i < set->overlays->len; i++) {
        struct overlay *overlay = g_ptr_array_index(set->overlays, i);
        if (overlay->number == number)
            overlay->journal = journal;
    }
}

/* Before rows are read: what is done then is in them. */
static void
settle_done(struct rowset *set)
{
    for (guint i = set->overlays->len; i-- > 0;) {
        const struct overlay *overlay = g_ptr_array_index(set->overlays, i);
        if (overlay->journal && !bulk_is_pending(set->store, overlay->journal))
            g_ptr_array_remove_index(set->overlays, i);
    }
}

/* ---- pages ---- */

static void
move_rows(GPtrArray *from, GPtrArray *to, gint at)
{
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_insert(to, at < 0 ? -1 : at + (gint)i, g_ptr_array_index(from, i));
    g_ptr_array_set_free_func(from, NULL);
    g_ptr_array_unref(from);
}

/* What hides most rows; NULL: nothing is hidden. */
static GHashTable *
hidden_ids(const struct rowset *set)
{
    GHashTable *most = NULL;
    for (guint i = 0; i < set->overlays->len; i++) {
        const struct overlay *overlay = g_ptr_array_index(set->overlays, i);
        if (overlay->hide && (!most || g_hash_table_size(overlay->ids) > g_hash_table_size(most)))
            most = overlay->ids;
    }
    return most;
}

/* From the store's order, newest first, into the one that is shown. */
static void
turn(const struct rowset *set, GPtrArray *rows)
{
    if (!set->reverse || set->places || set->view.kind == LIST_THREAD)
        return;
    for (guint i = 0; i < rows->len / 2; i++) {
        gpointer swap = rows->pdata[i];
        rows->pdata[i] = rows->pdata[rows->len - 1 - i];
        rows->pdata[rows->len - 1 - i] = swap;
    }
}

/* Rows beyond a key as the store has them, in the order they are shown. */
static GPtrArray *
read_rows(struct rowset *set, gint64 key, gboolean forward, guint limit, GHashTable *hidden, GError **error)
{
    if (set->places)
        return order_page(set->places, set->store, &set->view, key, forward, limit, error);
    enum list_direction direction = forward == set->reverse ? LIST_NEWER : LIST_OLDER;
    key = hidden ? list_skip(set->store, &set->view, key, direction, hidden) : key;
    GPtrArray *rows = list_page(set->store, &set->view, key, direction, limit, error);
    if (rows)
        turn(set, rows);
    return rows;
}

/* Rows beyond a key in the order they are shown: at least half of `limit` if there are so many that are not hidden.
 * *last: there are no more. */
static GPtrArray *
page(struct rowset *set, gint64 key, gboolean forward, guint limit, gboolean *last, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)list_row_free);
    settle_done(set);
    GHashTable *hidden = hidden_ids(set);
    guint rounds = 0;
    do {
        GPtrArray *more = read_rows(set, key, forward, limit, hidden, error);
        if (!more)
            return NULL;
        *last = more->len < limit || set->view.kind == LIST_THREAD;
        if (more->len)
            key = ((struct list_row *)more->pdata[forward ? more->len - 1 : 0])->key;
        for (guint i = more->len; hidden && i-- > 0;)
            if (!apply(set, g_ptr_array_index(more, i), FALSE))
                g_ptr_array_remove_index(more, i);
        move_rows(more, rows, forward ? -1 : 0);
    } while (!*last && rows->len < limit / 2 && ++rounds < ROUNDS_MAX);
    return g_steal_pointer(&rows);
}

static gboolean
load(struct rowset *set, gint64 from_key, guint limit, GError **error)
{
    /* A page holds what lies beyond a key: one step back takes the row itself along. */
    gint64 key = !from_key ? 0 : set->reverse ? from_key - 1 : from_key + 1;
    if (set->places) {
        gint place = order_place(set->places, from_key);
        key = place > 0 ? order_key(set->places, (guint)place - 1) : 0;
        from_key = key;
    }
    gboolean last;
    GPtrArray *rows = page(set, key, TRUE, limit, &last, error);
    if (!rows)
        return FALSE;
    set->at_end = last || set->view.kind == LIST_THREAD;
    set->at_start = !from_key || set->view.kind == LIST_THREAD;
    g_ptr_array_set_size(set->rows, 0);
    move_rows(rows, set->rows, -1);
    return TRUE;
}

/* A tree of ten thousand is not read again because something else changed. */
static gboolean
is_as_it_was(struct rowset *set, gint64 thread)
{
    const gint64 *stamp = g_hash_table_lookup(set->stamps, &thread);
    return stamp && *stamp == list_thread_stamp(set->store, thread);
}

static gboolean
reload_open(struct rowset *set, GError **error)
{
    g_autoptr(GPtrArray) threads = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, set->open);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(threads, g_memdup2(key, sizeof(gint64)));
    for (guint i = 0; i < threads->len; i++)
        if (!is_as_it_was(set, *(gint64 *)g_ptr_array_index(threads, i)) &&
            !rowset_open_thread(set, *(gint64 *)g_ptr_array_index(threads, i), error))
            return FALSE;
    return TRUE;
}

gboolean
rowset_load(struct rowset *set, gint64 from_key, guint limit, GError **error)
{
    if (!load(set, from_key, MAX(limit, CHUNK), error))
        return FALSE;
    apply_all(set);
    return TRUE;
}

void
rowset_replace(struct rowset *set, GPtrArray *rows, gboolean at_start, gboolean at_end)
{
    settle_done(set);
    set->at_start = at_start;
    set->at_end = at_end;
    g_ptr_array_set_size(set->rows, 0);
    turn(set, rows);
    move_rows(rows, set->rows, -1);
    apply_all(set);
}

void
rowset_sort(struct rowset *set, struct order *places, enum order_by by, gboolean reverse)
{
    order_free(set->places);
    set->places = places;
    set->order = by;
    set->reverse = reverse;
}

void
rowset_add(struct rowset *set, GPtrArray *rows, gboolean behind, gboolean last)
{
    turn(set, rows);
    move_rows(rows, set->rows, behind ? -1 : 0);
    if (behind)
        set->at_end = last;
    else
        set->at_start = last;
    apply_all(set);
}

gboolean
rowset_load_end(struct rowset *set, guint limit, GError **error)
{
    if (set->view.kind == LIST_THREAD)
        return rowset_load(set, 0, limit, error);
    limit = MAX(limit, CHUNK);
    gboolean last;
    GPtrArray *rows = page(set, 0, FALSE, limit, &last, error);
    if (!rows)
        return FALSE;
    set->at_start = last;
    set->at_end = TRUE;
    g_ptr_array_set_size(set->rows, 0);
    move_rows(rows, set->rows, -1);
    apply_all(set);
    return TRUE;
}

gboolean
rowset_refresh(struct rowset *set, GError **error)
{
    guint n = CLAMP(set->rows->len, CHUNK, WINDOW_MAX);
    gint64 from = 0;
    if (!set->at_start && set->rows->len)
        from = ((struct list_row *)g_ptr_array_index(set->rows, 0))->key;
    if (!load(set, from, n, error) || !reload_open(set, error))
        return FALSE;
    apply_all(set);
    return TRUE;
}

gint64
rowset_edge(const struct rowset *set, gboolean end)
{
    return set->rows->len
               ? ((struct list_row *)g_ptr_array_index(set->rows, end ? set->rows->len - 1 : 0))->key
               : 0;
}

int
rowset_extend(struct rowset *set, int index, guint margin, GError **error)
{
    int shifted = 0;
    if (!set->at_end && set->rows->len && index + (int)margin >= (int)set->rows->len) {
        gboolean last;
        GPtrArray *more = page(set, rowset_edge(set, TRUE), TRUE, CHUNK, &last, error);
        if (!more)
            return 0;
        set->at_end = last;
        move_rows(more, set->rows, -1);
        if (set->rows->len > WINDOW_MAX && index > CHUNK * 2) { /* let go what is far behind */
            g_ptr_array_remove_range(set->rows, 0, CHUNK);
            set->at_start = FALSE;
            shifted -= CHUNK;
        }
    }
    if (!set->at_start && set->rows->len && index + shifted - (int)margin < 0) {
        gboolean last;
        GPtrArray *more = page(set, rowset_edge(set, FALSE), FALSE, CHUNK, &last, error);
        if (!more)
            return shifted;
        set->at_start = last;
        shifted += (int)more->len;
        move_rows(more, set->rows, 0);
        if (set->rows->len > WINDOW_MAX && (int)set->rows->len - (index + shifted) > CHUNK * 2) {
            g_ptr_array_remove_range(set->rows, set->rows->len - CHUNK, CHUNK);
            set->at_end = FALSE;
        }
    }
    if (shifted)
        apply_all(set);
    return shifted;
}

int
rowset_index_of(const struct rowset *set, gint64 key)
{
    for (guint i = 0; i < set->rows->len; i++)
        if (((struct list_row *)g_ptr_array_index(set->rows, i))->key == key)
            return (int)i;
    return -1;
}

int
rowset_index_of_thread(const struct rowset *set, gint64 thread)
{
    for (guint i = 0; i < set->rows->len; i++)
        if (((struct list_row *)g_ptr_array_index(set->rows, i))->thread == thread)
            return (int)i;
    return -1;
}

/* ---- conversations opened in place ---- */

gboolean
rowset_open_thread(struct rowset *set, gint64 thread, GError **error)
{
    struct list_view view = {.kind = LIST_THREAD, .thread = thread};
    gint64 stamp = list_thread_stamp(set->store, thread); /* before: what changes meanwhile is read again */
    GPtrArray *tree = list_page(set->store, &view, 0, LIST_OLDER, 500, error);
    if (!tree)
        return FALSE;
    g_ptr_array_set_free_func(tree, (GDestroyNotify)list_row_free);
    g_hash_table_replace(set->stamps, g_memdup2(&thread, sizeof thread), g_memdup2(&stamp, sizeof stamp));
    if (tree->len)
        g_hash_table_replace(set->open, g_memdup2(&thread, sizeof thread), tree);
    else {
        g_ptr_array_unref(tree);
        g_hash_table_remove(set->open, &thread);
    }
    return TRUE;
}

void
rowset_close_thread(struct rowset *set, gint64 thread)
{
    if (thread)
        g_hash_table_remove(set->open, &thread);
    else
        g_hash_table_remove_all(set->open);
}

gboolean
rowset_is_open(const struct rowset *set, gint64 thread)
{
    return g_hash_table_contains(set->open, &thread);
}
