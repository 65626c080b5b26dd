#include "config.h"

#include "store/order.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/list_folders.h"
#include "store/list_row.h"
#include "store/search.h"
#include "base/flags.h"

#include <string.h>

struct order {
    GArray *keys; /* of gint64 */
    guint unread;
    guint references; /* beyond the first */
};

/* While it is made: what each row is ordered by, as a number. */
struct entry {
    gint64 key, value;
};

struct making {
    enum order_by by;
    gboolean reverse;
    GArray *entries;
    GHashTable *texts;   /* text -> its number */
    GPtrArray *numbered; /* the texts, by number; they belong to the table */
    GHashTable *threads; /* of several folders: where a conversation's entry is */
};

static gboolean
is_text(enum order_by by)
{
    return by == ORDER_PEOPLE || by == ORDER_SUBJECT;
}

/* Without "Re: " and "Fwd: ", however many. */
static const char *
bare_subject(const char *subject)
{
    while (!g_ascii_strncasecmp(subject, "re:", 3) || !g_ascii_strncasecmp(subject, "fwd:", 4)) {
        subject = strchr(subject, ':') + 1;
        while (*subject == ' ')
            subject++;
    }
    return subject;
}

static gint64
number_of(struct making *making, const char *text)
{
    const char *bare = making->by == ORDER_SUBJECT ? bare_subject(text) : text;
    gpointer number;
    if (g_hash_table_lookup_extended(making->texts, bare, NULL, &number))
        return GPOINTER_TO_UINT(number);
    char *own = g_strdup(bare);
    g_hash_table_insert(making->texts, own, GUINT_TO_POINTER(making->numbered->len));
    g_ptr_array_add(making->numbered, own);
    return making->numbered->len - 1;
}

static void
add_entry(struct making *making, sqlite3_stmt *q)
{
    struct entry entry = {sqlite3_column_int64(q, 0),
                          is_text(making->by) ? number_of(making, sql_str(q, 2)) : sqlite3_column_int64(q, 2)};
    if (making->threads) { /* in several folders it stands where it is newest */
        gint64 thread = sqlite3_column_int64(q, 1);
        gpointer at = g_hash_table_lookup(making->threads, &thread);
        if (at) {
            struct entry *before = &g_array_index(making->entries, struct entry, GPOINTER_TO_UINT(at) - 1);
            if (making->by == ORDER_UNREAD) /* anywhere */
                before->value = entry.value = MIN(entry.value, before->value);
            if (entry.key > before->key)
                *before = entry;
            return;
        }
        g_hash_table_insert(making->threads, g_memdup2(&thread, sizeof thread),
                            GUINT_TO_POINTER(making->entries->len + 1));
    }
    g_array_append_val(making->entries, entry);
}

/* key, thread, value of the rows of one folder */
#define PEOPLE                                                                                                         \
    "CASE WHEN (SELECT role FROM folder WHERE id = ?1) IN (2, 3) THEN m.to_list"                                       \
    " ELSE coalesce(nullif(m.from_name, ''), m.from_addr) END"
#define OF_CONVERSATIONS(value)                                                                                        \
    "SELECT t.newest, t.thread, " value " FROM folder_thread t CROSS JOIN message m INDEXED BY message_key"            \
    " ON m.key = t.newest WHERE t.folder = ?1"
#define OF_MESSAGES(value)                                                                                             \
    "SELECT p.key, p.thread, " value " FROM placement p CROSS JOIN message m ON m.id = p.message"                      \
    " WHERE p.folder = ?1 AND p." SHOWN

static gboolean
gather_folder(struct making *making, struct store *store, enum list_kind kind, gint64 folder, GError **error)
{
    static const char *const queries[2][ORDER_UNREAD + 1] = {
        [LIST_CONVERSATIONS] = {NULL, OF_CONVERSATIONS(PEOPLE), OF_CONVERSATIONS("m.subject"), OF_CONVERSATIONS("-m.size"),
                                OF_CONVERSATIONS("t.unread = 0")},
        [LIST_MESSAGES] = {NULL, OF_MESSAGES(PEOPLE), OF_MESSAGES("m.subject"), OF_MESSAGES("-m.size"),
                           OF_MESSAGES("p.flags & 1")},
    };
    G_STATIC_ASSERT(FOLDER_DRAFTS == 2 && FOLDER_SENT == 3 && FLAG_SEEN == 1);
    sqlite3_stmt *q = sql_query(store, error, queries[kind][making->by], "l", folder);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        add_entry(making, q);
    return rc == 0;
}

static gboolean
gather_search(struct making *making, struct store *store, const struct list_view *view, GError **error)
{
    static const char *const queries[ORDER_UNREAD + 1] = {
        NULL,
        "SELECT key, thread, coalesce(nullif(from_name, ''), from_addr) FROM message WHERE id = ?",
        "SELECT key, thread, subject FROM message WHERE id = ?",
        "SELECT key, thread, -size FROM message WHERE id = ?",
        "SELECT key, thread, flags & 1 FROM message WHERE id = ?",
    };
    g_autoptr(GArray) found = list_hits(store, view, error);
    for (guint i = 0; found && i < found->len; i++) {
        sqlite3_stmt *q =
            sql_query(store, error, queries[making->by], "l", g_array_index(found, struct query_hit, i).message);
        int rc = q ? sql_row(store, q, error) : -1;
        if (rc < 0)
            return FALSE;
        if (rc > 0) {
            add_entry(making, q);
            sql_end(q);
        }
    }
    return found != NULL;
}

struct collated {
    char *by;
    guint number;
};

static int
compare_collated(gconstpointer a, gconstpointer b)
{
    return strcmp(((const struct collated *)a)->by, ((const struct collated *)b)->by);
}

/* Texts become their place among all texts; those that differ in nothing but case have the same. */
static void
rank_texts(struct making *making)
{
    guint n = making->numbered->len, rank = 0;
    g_autofree struct collated *sorted = g_new(struct collated, n + 1);
    g_autofree guint *ranks = g_new(guint, n + 1);
    for (guint i = 0; i < n; i++) {
        g_autofree char *folded = g_utf8_casefold(g_ptr_array_index(making->numbered, i), -1);
        sorted[i] = (struct collated){g_utf8_collate_key(folded, -1), i};
    }
    qsort(sorted, n, sizeof *sorted, compare_collated);
    for (guint i = 0; i < n; i++) {
        rank += i && strcmp(sorted[i].by, sorted[i - 1].by) != 0;
        ranks[sorted[i].number] = rank;
    }
    for (guint i = 0; i < n; i++)
        g_free(sorted[i].by);
    for (guint i = 0; i < making->entries->len; i++) {
        struct entry *entry = &g_array_index(making->entries, struct entry, i);
        entry->value = ranks[entry->value];
    }
}

static int
compare_entries(gconstpointer x, gconstpointer y)
{
    const struct entry *a = x, *b = y;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return a->key < b->key ? 1 : a->key > b->key ? -1 : 0;
}

static struct order *
put_in_order(struct making *making)
{
    struct order *order = g_new0(struct order, 1);
    if (is_text(making->by))
        rank_texts(making);
    for (guint i = 0; making->reverse && i < making->entries->len; i++)
        g_array_index(making->entries, struct entry, i).value *= -1;
    g_array_sort(making->entries, compare_entries);
    order->keys = g_array_sized_new(FALSE, FALSE, sizeof(gint64), making->entries->len);
    for (guint i = 0; i < making->entries->len; i++) {
        gint64 key = g_array_index(making->entries, struct entry, i).key;
        if (!i || key != g_array_index(making->entries, struct entry, i - 1).key) /* one message in two folders */
            g_array_append_val(order->keys, key);
    }
    return order;
}

struct order *
order_new(struct store *store, const struct list_view *view, enum order_by by, gboolean reverse, GError **error)
{
    g_return_val_if_fail(by != ORDER_DATE && view->kind != LIST_THREAD, NULL);
    struct making making = {.by = by, .reverse = reverse};
    gboolean ok = store_snapshot_begin(store, error);
    making.entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
    making.texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    making.numbered = g_ptr_array_new();
    if (view->kind == LIST_CONVERSATIONS && view->n_folders > 1)
        making.threads = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (ok && view->kind == LIST_SEARCH)
        ok = gather_search(&making, store, view, error);
    for (guint i = 0; ok && view->kind != LIST_SEARCH && i < view->n_folders; i++)
        ok = gather_folder(&making, store, view->kind, view->folders[i], error);
    store_snapshot_end(store);
    struct order *order = ok ? put_in_order(&making) : NULL;
    g_array_unref(making.entries);
    g_ptr_array_unref(making.numbered);
    g_hash_table_unref(making.texts);
    g_clear_pointer(&making.threads, g_hash_table_unref);
    return order;
}

/* ---- splits ---- */

static struct order *
order_empty(void)
{
    struct order *order = g_new0(struct order, 1);
    order->keys = g_array_new(FALSE, FALSE, sizeof(gint64));
    return order;
}

/* Hits of one query, newest first, and how far they were gone through. */
struct hits {
    GArray *found;
    guint at;
};

static void
hits_clear(gpointer data)
{
    g_clear_pointer(&((struct hits *)data)->found, g_array_unref);
}

static gboolean
fits(struct hits *hits, gint64 key)
{
    while (hits->at < hits->found->len && g_array_index(hits->found, struct query_hit, hits->at).key > key)
        hits->at++;
    return hits->at < hits->found->len && g_array_index(hits->found, struct query_hit, hits->at).key == key;
}

static GArray *
find_all(struct store *store, const struct list_view *view, const GPtrArray *queries, GError **error)
{
    g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(struct hits));
    g_array_set_clear_func(all, hits_clear);
    for (guint i = 0; i < queries->len; i++) {
        struct list_view one = {.kind = LIST_SEARCH,
                                .folders = view->folders,
                                .n_folders = view->n_folders,
                                .query = g_ptr_array_index(queries, i),
                                .everything = TRUE};
        struct hits hits = {.found = list_hits(store, &one, error)};
        if (!hits.found)
            return NULL;
        g_array_append_val(all, hits);
    }
    return g_steal_pointer(&all);
}

/* Both are newest first, so one walk through all of them does. */
static GPtrArray *
part(struct store *store, const struct list_view *view, const GArray *places, GArray *hits)
{
    GPtrArray *splits = g_ptr_array_new_with_free_func((GDestroyNotify)order_free);
    g_autoptr(GHashTable) unread = folders_unread_keys(store, view);
    for (guint i = 0; i <= hits->len; i++)
        g_ptr_array_add(splits, order_empty());
    for (guint i = 0; i < places->len; i++) {
        gint64 key = g_array_index(places, struct list_place, i).key;
        guint which = hits->len;
        for (guint k = hits->len; k-- > 0;) /* every one is asked, so that all go on */
            if (fits(&g_array_index(hits, struct hits, k), key))
                which = k;
        struct order *split = g_ptr_array_index(splits, which);
        g_array_append_val(split->keys, key);
        split->unread += g_hash_table_contains(unread, &key);
    }
    return splits;
}

static void
turn(GArray *keys)
{
    for (guint i = 0; i < keys->len / 2; i++) {
        gint64 *a = &g_array_index(keys, gint64, i), *b = &g_array_index(keys, gint64, keys->len - 1 - i), swap = *a;
        *a = *b;
        *b = swap;
    }
}

GPtrArray *
order_split(struct store *store, const struct list_view *view, const GPtrArray *queries, gboolean reverse, GError **error)
{
    g_return_val_if_fail(view->kind == LIST_CONVERSATIONS || view->kind == LIST_MESSAGES, NULL);
    if (!store_snapshot_begin(store, error))
        return NULL;
    g_autoptr(GArray) hits = find_all(store, view, queries, error);
    g_autoptr(GArray) places = hits ? folders_places(store, view, 0, LIST_OLDER, G_MAXUINT, error) : NULL;
    GPtrArray *splits = places ? part(store, view, places, hits) : NULL;
    store_snapshot_end(store);
    for (guint i = 0; splits && reverse && i < splits->len; i++)
        turn(((struct order *)g_ptr_array_index(splits, i))->keys);
    return splits;
}

struct order *
order_ref(struct order *order)
{
    order->references++;
    return order;
}

guint
order_unread(const struct order *order)
{
    return order->unread;
}

gint64
order_key_by_date(const struct order *order, gint64 most)
{
    gint64 found = 0, oldest = 0;
    for (guint i = 0; i < order->keys->len; i++) {
        gint64 key = g_array_index(order->keys, gint64, i);
        found = key <= most ? MAX(found, key) : found;
        oldest = oldest ? MIN(oldest, key) : key;
    }
    return found ? found : oldest;
}

void
order_free(struct order *order)
{
    if (!order || order->references--)
        return;
    g_array_unref(order->keys);
    g_free(order);
}

guint
order_length(const struct order *order)
{
    return order->keys->len;
}

gint64
order_key(const struct order *order, guint place)
{
    return place < order->keys->len ? g_array_index(order->keys, gint64, place) : 0;
}

gint
order_place(const struct order *order, gint64 key)
{
    const gint64 *keys = (const gint64 *)(gpointer)order->keys->data;
    for (guint i = 0; i < order->keys->len; i++) /* a millisecond for a million */
        if (keys[i] == key)
            return (gint)i;
    return -1;
}

GPtrArray *
order_page(const struct order *order, struct store *store, const struct list_view *view, gint64 key, gboolean forward,
           guint limit, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)list_row_free);
    gint n = (gint)order->keys->len, at = key ? order_place(order, key) : -1, step = forward ? 1 : -1;
    if (at < 0)
        at = forward ? -1 : n;
    gboolean ok = TRUE, own = !store->in_transaction && !store->in_snapshot;
    if (own)
        store_is_me(store, NULL); /* reads the own addresses again when they may have changed */
    if (own && !store_snapshot_begin(store, error))
        return NULL;
    for (at += step; ok && at >= 0 && at < n && rows->len < limit; at += step)
        ok = list_read_key(store, view, g_array_index(order->keys, gint64, at), rows, error);
    if (own)
        store_snapshot_end(store);
    for (guint i = 0; !forward && i < rows->len / 2; i++) {
        gpointer swap = rows->pdata[i];
        rows->pdata[i] = rows->pdata[rows->len - 1 - i];
        rows->pdata[rows->len - 1 - i] = swap;
    }
    return ok ? g_steal_pointer(&rows) : NULL;
}

gint64
order_next_unread(const struct order *order, struct store *store, const struct list_view *view, gint64 key,
                  gboolean forward)
{
    g_autoptr(GHashTable) unread = folders_unread_keys(store, view);
    gint n = (gint)order->keys->len, at = key ? order_place(order, key) : forward ? -1 : n, step = forward ? 1 : -1;
    for (at += step; g_hash_table_size(unread) && at >= 0 && at < n; at += step)
        if (g_hash_table_contains(unread, &g_array_index(order->keys, gint64, at)))
            return g_array_index(order->keys, gint64, at);
    return 0;
}
