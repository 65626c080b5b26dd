#include "config.h"

#include "store/bulk.h"
#include "store/bulk_row.h"
#include "store/internal.h"
#include "store/journal.h"
#include "base/fail.h"
#include "base/log.h"

#include <string.h>

#define SLICE 200 /* some 20 ms of the writer's lock */

/* ---- writing it down ---- */

/* What is on the screen is done first. By the index alone, which is in that order; messages that have gone are left out. */
static GArray *
newest_first(struct store *store, const gint64 *messages, guint n, GError **error)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GArray) ids = g_array_sized_new(FALSE, FALSE, sizeof(gint64), n);
    for (guint i = 0; i < n; i++)
        g_hash_table_add(wanted, (gpointer)&messages[i]);
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT id FROM message INDEXED BY message_key ORDER BY key DESC", "");
    int rc = q ? 0 : -1;
    while (q && ids->len < g_hash_table_size(wanted) && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        if (g_hash_table_contains(wanted, &id))
            g_array_append_val(ids, id);
    }
    if (rc > 0)
        sql_end(q);
    return rc < 0 ? NULL : g_steal_pointer(&ids);
}

static gboolean
insert_row(struct store *store, const struct bulk *bulk, gint64 *id, GError **error)
{
    if (!sql_run(store, error,
                 "INSERT INTO bulk (journal, kind, source, target, set_flags, clear_flags, add_tags, remove_tags)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                 "lilliiss", bulk->journal, (int)bulk->kind, bulk->source, bulk->target, bulk->set, bulk->clear,
                 bulk->add, bulk->remove))
        return FALSE;
    *id = sqlite3_last_insert_rowid(store->db);
    return TRUE;
}

static gboolean
insert_slices(struct store *store, gint64 bulk, const GArray *ids, GError **error)
{
    for (guint at = 0; at < ids->len; at += SLICE) {
        guint n = MIN(SLICE, ids->len - at);
        if (!sql_run(store, error, "INSERT INTO bulk_slice (bulk, n, messages) VALUES (?, ?, ?)", "lib", bulk, n,
                     &g_array_index(ids, gint64, at), n * sizeof(gint64)))
            return FALSE;
    }
    return TRUE;
}

gboolean
bulk_wanted(const struct store *store, guint n)
{
    return n > BULK_ABOVE && !store->in_transaction;
}

gint64
bulk_begin(struct store *store, struct bulk *bulk, const gint64 *messages, guint n, char *(*text)(struct store *, const struct bulk *, guint),
           GError **error)
{
    g_autoptr(GArray) ids = newest_first(store, messages, n, error);
    gboolean own;
    gint64 id = 0;
    if (!ids)
        return 0;
    if (!ids->len) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the messages are not there any more");
        return 0;
    }
    if (!txn_enter(store, &own, error))
        return 0;
    STEP("bulk.begin");
    bulk->journal = journal_begin(store, error);
    g_autofree char *said = text(store, bulk, ids->len);
    gboolean ok = bulk->journal && journal_text(store, bulk->journal, said, error) &&
                  insert_row(store, bulk, &id, error) && insert_slices(store, id, ids, error);
    if (!txn_leave(store, own, ok, error))
        return 0;
    log_info("store.bulk", "bulk=%d journal=%d kind=%d messages=%u", (int)id, (int)bulk->journal, (int)bulk->kind, ids->len);
    return bulk->journal;
}

gboolean
bulk_drop(struct store *store, gint64 journal, GError **error)
{
    return sql_run(store, error, "DELETE FROM bulk_slice WHERE bulk IN (SELECT id FROM bulk WHERE journal = ?)", "l",
                   journal) &&
           sql_run(store, error, "DELETE FROM bulk WHERE journal = ?", "l", journal);
}

gboolean
bulk_undo(struct store *store, gint64 undone, gint64 journal, GError **error)
{
    gint64 id;
    const struct bulk bulk = {.kind = BULK_UNDO, .journal = journal, .source = undone};
    return insert_row(store, &bulk, &id, error);
}

/* ---- carrying it out ---- */

static gboolean
read_first(struct store *store, struct bulk *bulk, GError **error)
{
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT id, journal, kind, source, target, set_flags, clear_flags, add_tags, remove_tags"
                                " FROM bulk ORDER BY id LIMIT 1",
                                "");
    if (!q || sql_row(store, q, error) <= 0)
        return FALSE;
    *bulk = (struct bulk){.id = sqlite3_column_int64(q, 0),
                          .journal = sqlite3_column_int64(q, 1),
                          .kind = (enum bulk_kind)sqlite3_column_int(q, 2),
                          .source = sqlite3_column_int64(q, 3),
                          .target = sqlite3_column_int64(q, 4),
                          .set = (guint)sqlite3_column_int(q, 5),
                          .clear = (guint)sqlite3_column_int(q, 6),
                          .add = sql_dup(q, 7),
                          .remove = sql_dup(q, 8)};
    sql_end(q);
    return TRUE;
}

/* The next slice; n 0: none is left. */
static gboolean
read_slice(struct store *store, gint64 bulk, gint64 *slice, gint64 messages[SLICE], guint *n, GError **error)
{
    *n = 0;
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT id, messages FROM bulk_slice WHERE bulk = ? ORDER BY id LIMIT 1", "l", bulk);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0)
        return rc == 0;
    *slice = sqlite3_column_int64(q, 0);
    *n = (guint)MIN((gsize)sqlite3_column_bytes(q, 1) / sizeof(gint64), SLICE);
    if (*n)
        memcpy(messages, sqlite3_column_blob(q, 1), *n * sizeof(gint64));
    sql_end(q);
    return TRUE;
}

/* Everything is done: an action that came to nothing is not offered for undoing. */
static gboolean
end_bulk(struct store *store, const struct bulk *bulk, GError **error)
{
    gboolean empty = bulk->kind != BULK_UNDO &&
                     !sql_int(store, 0, "SELECT EXISTS (SELECT 1 FROM journal_item WHERE journal = ?)", "l", bulk->journal);
    log_info("store.bulk", "bulk=%d done", (int)bulk->id);
    return sql_run(store, error, "DELETE FROM bulk WHERE id = ?", "l", bulk->id) &&
           (!empty || journal_drop(store, bulk->journal, error));
}

static gboolean
do_slice(struct store *store, const struct bulk *bulk, GError **error)
{
    gint64 messages[SLICE], slice;
    guint n;
    if (bulk->kind == BULK_UNDO) {
        if (!undo_slice(store, bulk->source, bulk->journal, SLICE, &n, error))
            return FALSE;
        return n || end_bulk(store, bulk, error);
    }
    if (!read_slice(store, bulk->id, &slice, messages, &n, error))
        return FALSE;
    if (!n)
        return end_bulk(store, bulk, error);
    g_autoptr(GError) why = NULL;
    store->group = bulk->journal;
    gint64 done = bulk_apply(store, bulk, messages, n, &why);
    store->group = 0;
    if (!done && !g_error_matches(why, STORE_ERROR, ERROR_NOINPUT)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    return sql_run(store, error, "DELETE FROM bulk_slice WHERE id = ?", "l", slice);
}

static gboolean
is_passing(const GError *error)
{
    return error->code == ERROR_IO || error->code == ERROR_BUSY || error->code == ERROR_RETRY;
}

static void
give_up(struct store *store, const struct bulk *bulk)
{
    g_autoptr(GError) error = NULL;
    gboolean own;
    if (!txn_enter(store, &own, &error) || !txn_leave(store, own, bulk_drop(store, bulk->journal, &error), &error))
        log_warn("store.bulk", "%s", error->message);
}

gboolean
bulk_step(struct store *store, gboolean *more, GError **error)
{
    g_auto(struct_bulk) bulk = {0};
    g_autoptr(GError) why = NULL;
    gboolean own;
    *more = FALSE;
    if (!bulk_is_pending(store, 0))
        return TRUE;
    STEP("bulk.step");
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean there = read_first(store, &bulk, &why), ok = !why && (!there || do_slice(store, &bulk, &why));
    if (!txn_leave(store, own, ok, &why)) {
        if (!why)
            g_set_error_literal(&why, STORE_ERROR, ERROR_GIVEUP, "the change could not be written");
        if (there && !is_passing(why)) {
            log_warn("store.bulk", "bulk=%d given up: %s", (int)bulk.id, why->message);
            give_up(store, &bulk);
        }
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    *more = bulk_is_pending(store, 0);
    return TRUE;
}

gboolean
bulk_finish(struct store *store, gboolean (*stop)(gpointer), gpointer data, GError **error)
{
    for (gboolean more = TRUE; more && !(stop && stop(data));)
        if (!bulk_step(store, &more, error))
            return FALSE;
    return TRUE;
}

gboolean
bulk_is_pending(struct store *store, gint64 journal)
{
    return sql_int(store, 0, "SELECT 1 FROM bulk WHERE ?1 = 0 OR journal = ?1 LIMIT 1", "l", journal) != 0;
}

gint64
bulk_left(struct store *store)
{
    return sql_int(store, 0, "SELECT coalesce(sum(n), 0) FROM bulk_slice", "") +
           sql_int(store, 0, "SELECT count(*) FROM bulk b JOIN journal_item i ON i.journal = b.source WHERE b.kind = ?", "i",
                   (int)BULK_UNDO);
}
