#include "config.h"

#include "store/survey.h"

#include <string.h>

#include "store/intent.h"
#include "store/internal.h"

/* Rows are counted ten times faster than they are handed out, and most folders have few gaps. */
#define UIDS_A_COUNT 8192

/* With `uid >= ?` in place of BETWEEN the planner starts at uid > 0. */
#define BETWEEN_UIDS " FROM placement INDEXED BY placement_uid WHERE folder = ? AND uid BETWEEN ? AND ? AND uid > 0"

static gboolean
add_uids(struct store *store, gint64 folder, gint64 first, gint64 last, struct uidset *uids, GError **error)
{
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT uid" BETWEEN_UIDS " ORDER BY uid", "lll", folder, first, last);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        uidset_add(uids, (guint32)sqlite3_column_int64(q, 0));
    return rc >= 0;
}

/* The number in the one row of a query; 0 without a row, -1 with an error: an answer that is missing is no answer here. */
static gint64
one_number(struct store *store, sqlite3_stmt *q, GError **error)
{
    int rc = q ? sql_row(store, q, error) : -1;
    gint64 number = rc > 0 ? sqlite3_column_int64(q, 0) : rc;
    if (rc > 0)
        sql_end(q);
    return number;
}

struct uidset *
survey_uids(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(struct_uidset) uids = uidset_new();
    for (gint64 first = 0, last;; first = last + 1) {
        first = one_number(store,
                           sql_query(store, error, "SELECT uid" BETWEEN_UIDS " ORDER BY uid LIMIT 1", "lll", folder, first,
                                     (gint64)G_MAXUINT32),
                           error);
        if (first <= 0)
            return first < 0 ? NULL : g_steal_pointer(&uids);
        last = MIN(first + UIDS_A_COUNT - 1, (gint64)G_MAXUINT32);
        gint64 n = one_number(
            store, sql_query(store, error, "SELECT count(*)" BETWEEN_UIDS, "lll", folder, first, last), error);
        if (n == last - first + 1)
            uidset_add_range(uids, (guint32)first, (guint32)last);
        else if (n < 0 || !add_uids(store, folder, first, last, uids, error))
            return NULL;
    }
}

/* Without its name the planner takes placement_uid for what is rare, and reads a folder of 100,000 to its end. */
#define CHANGED "INDEXED BY placement_changed"

#define SELECT_PLACEMENT(index)                                                                              \
    "SELECT p.id, p.message, p.modseq, p.uid, p.base_flags, p.flags, p.state, m.cached, m.size, "            \
    "p.base_tags, p.tags"                                                                                    \
    " FROM placement p " index " CROSS JOIN message m ON m.id = p.message WHERE p.folder = ?1 "

static gboolean
append_rows(struct store *store, struct placement_set *set, sqlite3_stmt *q, GError **error)
{
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        const char *base = sql_str(q, 9), *tags = sql_str(q, 10);
        struct placement row = {
            .id = sqlite3_column_int64(q, 0),
            .message = sqlite3_column_int64(q, 1),
            .modseq = (guint64)sqlite3_column_int64(q, 2),
            .uid = (guint32)sqlite3_column_int64(q, 3),
            .base_flags = (guint16)sqlite3_column_int(q, 4),
            .flags = (guint16)sqlite3_column_int(q, 5),
            .state = (guint8)sqlite3_column_int(q, 6),
            .cached = (guint8)sqlite3_column_int(q, 7),
            .size = (guint32)MIN(sqlite3_column_int64(q, 8), (gint64)G_MAXUINT32),
            .base_tags = *base ? g_string_chunk_insert_const(set->strings, base) : "",
            .tags = *tags ? g_string_chunk_insert_const(set->strings, tags) : "",
        };
        g_array_append_val(set->array, row);
    }
    return rc >= 0;
}

static int
by_uid(gconstpointer a, gconstpointer b)
{
    const struct placement *x = a, *y = b;
    if (x->uid != y->uid)
        return x->uid < y->uid ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static struct placement_set *
load(struct store *store, gint64 folder, const struct uidset *uids, GError **error)
{
    static const char *const unsettled[] = {
        SELECT_PLACEMENT("INDEXED BY placement_no_uid") "AND p.uid = 0",
        SELECT_PLACEMENT(CHANGED) "AND p.uid > 0 AND p." SHOWN
                                  " AND (p.flags <> p.base_flags OR p.tags <> p.base_tags)",
        SELECT_PLACEMENT("INDEXED BY placement_leaving") "AND p.uid > 0 AND p.state = 1",
    };
    g_autoptr(struct_placement_set) set = g_new0(struct placement_set, 1);
    set->array = g_array_new(FALSE, FALSE, sizeof(struct placement));
    set->strings = g_string_chunk_new(4096);
    for (guint i = 0; i < G_N_ELEMENTS(unsettled); i++)
        if (!append_rows(store, set, sql_query(store, error, unsettled[i], "l", folder), error))
            return NULL;
    guint32 first, last;
    for (struct uidset_iter it = uidset_iter(uids); uidset_next_range(&it, &first, &last);)
        if (!append_rows(store, set,
                         sql_query(store, error, SELECT_PLACEMENT("") "AND p.uid > 0 AND p.uid BETWEEN ?2 AND ?3",
                                   "lll", folder, (gint64)first, (gint64)last),
                         error))
            return NULL;
    g_array_sort(set->array, by_uid);
    /* What is unsettled and was named came twice. */
    guint n = 0;
    struct placement *rows = (struct placement *)set->array->data;
    for (guint i = 0; i < set->array->len; i++)
        if (!n || rows[n - 1].id != rows[i].id)
            rows[n++] = rows[i];
    g_array_set_size(set->array, n);
    set->rows = (struct placement *)set->array->data;
    set->n = n;
    return g_steal_pointer(&set);
}

struct placement_set *
survey_load(struct store *store, gint64 folder, const struct uidset *uids, GError **error)
{
    gboolean own;
    if (!snapshot_enter(store, &own, error))
        return NULL;
    struct placement_set *set = load(store, folder, uids, error);
    snapshot_leave(store, own);
    return set;
}

gboolean
survey_is_dirty(struct store *store, gint64 folder)
{
    return sql_int(store, 0,
                   "SELECT 1 FROM placement INDEXED BY placement_no_uid WHERE folder = ? AND uid = 0 LIMIT 1", "l",
                   folder) ||
           sql_int(store, 0,
                   "SELECT 1 FROM placement " CHANGED " WHERE folder = ? AND uid > 0 AND " SHOWN
                   " AND (flags <> base_flags OR tags <> base_tags) LIMIT 1",
                   "l", folder);
}

static void
waiting_free(gpointer data)
{
    struct survey_waiting *waiting = data;
    g_free(waiting->emailid);
    g_free(waiting->message_id);
    g_free(waiting->content);
    g_free(waiting);
}

GPtrArray *
survey_waiting(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(waiting_free);
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT p.id, p.message, p.state, m.emailid, m.message_id, m.date, m.size, hex(m.hash), i.id IS NOT "
        "NULL,"
        " i.uncertain OR (i.source > 0 AND NOT EXISTS (SELECT 1 FROM placement s WHERE s.id = i.source))"
        " FROM placement p CROSS JOIN message m ON m.id = p.message"
        " LEFT JOIN intent i ON i.target = p.id AND i.target > 0 WHERE p.folder = ? AND p.uid = 0 ORDER BY "
        "p.id",
        "l", folder);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct survey_waiting *waiting = g_new0(struct survey_waiting, 1);
        waiting->placement = sqlite3_column_int64(q, 0);
        waiting->message = sqlite3_column_int64(q, 1);
        waiting->state = (guint8)sqlite3_column_int(q, 2);
        const char *emailid = sql_str(q, 3), *colon = strchr(emailid, ':'), *content = sql_str(q, 7);
        waiting->emailid = colon ? g_strdup(colon + 1) : NULL;
        waiting->message_id = sql_dup(q, 4);
        waiting->date = sqlite3_column_int64(q, 5);
        waiting->size = (guint64)sqlite3_column_int64(q, 6);
        waiting->content = *content ? g_strdup(content) : NULL;
        waiting->is_arrival = sqlite3_column_int(q, 8);
        waiting->may_be_there = sqlite3_column_int(q, 9);
        g_ptr_array_add(list, waiting);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

#define SELECT_BODY "SELECT p.id, p.message, p.uid, p.flags, m.size FROM placement p "
#define IS_WANTED "p.file IS NULL AND p." SHOWN " AND p.uid > 0 AND m.cached = 0"

static GArray *
read_bodies(struct store *store, sqlite3_stmt *q, GError **error)
{
    g_autoptr(GArray) bodies = g_array_new(FALSE, FALSE, sizeof(struct survey_body));
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct survey_body body = {
            .placement = sqlite3_column_int64(q, 0),
            .message = sqlite3_column_int64(q, 1),
            .uid = (guint32)sqlite3_column_int64(q, 2),
            .flags = (guint)sqlite3_column_int(q, 3),
            .size = (guint64)sqlite3_column_int64(q, 4),
        };
        g_array_append_val(bodies, body);
    }
    return rc < 0 ? NULL : g_steal_pointer(&bodies);
}

GArray *
survey_bodies(struct store *store, gint64 folder, gint64 since, guint64 max_size, GError **error)
{
    return read_bodies(store,
                       sql_query(store, error,
                                 SELECT_BODY "INDEXED BY placement_no_file CROSS JOIN message m ON m.id = p.message"
                                             " WHERE p.folder = ?1 AND " IS_WANTED
                                             " AND (?2 = 0 OR m.date >= ?2 OR m.received >= ?2)"
                                             " AND (?3 = 0 OR m.size <= ?3) ORDER BY p.key DESC",
                                 "lll", folder, since, (gint64)max_size),
                       error);
}

GArray *
survey_body(struct store *store, gint64 placement, GError **error)
{
    return read_bodies(
        store,
        sql_query(store, error, SELECT_BODY "JOIN message m ON m.id = p.message WHERE p.id = ? AND " IS_WANTED, "l", placement),
        error);
}

GArray *
survey_twins(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(GArray) twins = g_array_new(FALSE, FALSE, sizeof(struct survey_twin));
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT p.id, p.uid, p.flags, other.id FROM placement p INDEXED BY placement_no_file"
        " CROSS JOIN message m ON m.id = p.message"
        " CROSS JOIN message other ON other.mid = m.mid AND other.id <> m.id AND other.cached = 1 AND "
        "other.size = m.size"
        " AND other.date = m.date AND other.hash IS NOT NULL"
        " WHERE p.folder = ? AND p.file IS NULL AND p." SHOWN
        " AND p.uid > 0 AND m.cached = 0 AND m.mid IS NOT NULL"
        " GROUP BY p.id ORDER BY p.uid",
        "l", folder);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct survey_twin twin = {
            .placement = sqlite3_column_int64(q, 0),
            .uid = (guint32)sqlite3_column_int64(q, 1),
            .flags = (guint)sqlite3_column_int(q, 2),
            .twin = sqlite3_column_int64(q, 3),
        };
        g_array_append_val(twins, twin);
    }
    return rc < 0 ? NULL : g_steal_pointer(&twins);
}

gboolean
survey_is_unsent(struct store *store, gint64 placement)
{
    return sql_int(store, 0, "SELECT flags <> base_flags OR tags <> base_tags FROM placement WHERE id = ?", "l",
                   placement) != 0;
}

gint64
survey_elsewhere(struct store *store, gint64 placement)
{
    return sql_int(
        store, 0,
        "SELECT max(other.id) FROM placement p CROSS JOIN placement other ON other.message = p.message"
        " WHERE p.id = ? AND other.id <> p.id AND other.uid > 0 AND other." SHOWN,
        "l", placement);
}

gint64
survey_heir(struct store *store, gint64 placement)
{
    return sql_int(
        store, 0,
        "SELECT other.id FROM placement p CROSS JOIN placement other ON other.message = p.message"
        " WHERE p.id = ? AND other.id <> p.id AND other." SHOWN " ORDER BY other.uid > 0 DESC, other.id DESC LIMIT 1",
        "l", placement);
}

guint
survey_count_last(struct store *store, const gint64 *placements, guint n)
{
    guint last = 0;
    for (guint i = 0; i < n; i++)
        last += !survey_elsewhere(store, placements[i]);
    return last;
}
