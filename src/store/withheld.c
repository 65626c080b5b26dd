#include "config.h"

#include "store/withheld.h"
#include "store/internal.h"
#include "base/clock.h"

#define DELAY_FIRST (10 * 60)
#define DELAY_MAX (7 * 24 * 3600)

gint64
withheld_delay(guint attempts)
{
    gint64 delay = DELAY_FIRST;
    for (guint i = 1; i < attempts && delay < DELAY_MAX; i++)
        delay *= 4;
    return MIN(delay, DELAY_MAX);
}

static gboolean
note_one(struct store *store, gint64 placement, GError **error)
{
    gint64 before = sql_int(store, 0, "SELECT attempts FROM withheld WHERE placement = ?", "l", placement);
    return sql_run(store, error,
                   "INSERT OR REPLACE INTO withheld (placement, attempts, next_attempt, reason) VALUES (?, ?, ?, '')",
                   "lll", placement, before + 1, clock_now() + withheld_delay((guint)MIN(before + 1, 100)));
}

gboolean
withheld_note(struct store *store, const gint64 *placements, guint n, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error,
                          "DELETE FROM withheld WHERE NOT EXISTS (SELECT 1 FROM placement p WHERE p.id = "
                          "withheld.placement AND p.file IS NULL)",
                          "");
    for (guint i = 0; i < n && ok; i++)
        ok = note_one(store, placements[i], error);
    return txn_leave(store, own, ok, error);
}

GHashTable *
withheld_load(struct store *store, GError **error)
{
    g_autoptr(GHashTable) set = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    sqlite3_stmt *q = sql_query(store, error, "SELECT placement FROM withheld WHERE next_attempt > ?", "l", clock_now());
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_hash_table_add(set, g_memdup2(&id, sizeof id));
    }
    return rc < 0 ? NULL : g_steal_pointer(&set);
}
