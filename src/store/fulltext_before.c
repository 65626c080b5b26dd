/* What is left of the full text of an older version (add_message_text in schema.c): its texts go over into the one of now, the
 * newest first, in small transactions; then its index goes, piece by piece, and the table with it. Until a message has gone over
 * its words do not find it. */
#include "config.h"

#include "store/internal.h"
#include "store/pack.h"
#include "store/rows.h"
#include "store/texts.h"
#include "base/fail.h"
#include "base/log.h"

#include <string.h>

#define PAGES_A_STEP 1000 /* of the old index */
/* What FTS5 reads before it drops a table: its averages and the list of its segments (fts5_index.c: FTS5_STRUCTURE_ROWID). */
#define FTS5_HEAD "10"

struct moved {
    gint64 key;
    char *subject, *sender, *recipients, *body, *attachments, *types;
};

static void
moved_clear(gpointer data)
{
    struct moved *moved = data;
    g_free(moved->subject);
    g_free(moved->sender);
    g_free(moved->recipients);
    g_free(moved->body);
    g_free(moved->attachments);
    g_free(moved->types);
}

/* The newest, in ascending order. What has no message, or has been put in anew, is listed too: it goes. */
static GArray *
read_newest(struct store *store, guint limit, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct moved));
    g_array_set_clear_func(list, moved_clear);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT * FROM (SELECT id, c0, c1, c2, c3, c4, c5 FROM fulltext_before_content ORDER BY id DESC"
                                " LIMIT ?) ORDER BY 1",
                                "l", (gint64)limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct moved moved = {sqlite3_column_int64(q, 0), sql_dup(q, 1), sql_dup(q, 2), sql_dup(q, 3), sql_dup(q, 4),
                              sql_dup(q, 5), sql_dup(q, 6)};
        g_array_append_val(list, moved);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

static const char *
or_none(const char *text)
{
    return text ? text : "";
}

static gboolean
move_one(struct store *store, const struct moved *moved, GError **error)
{
    if (!sql_int(store, 0,
                 "SELECT EXISTS (SELECT 1 FROM message WHERE key = ?1) AND NOT EXISTS (SELECT 1 FROM message_text WHERE key = ?1)"
                 " AND NOT EXISTS (SELECT 1 FROM unindexed WHERE key = ?1)",
                 "l", moved->key))
        return TRUE;
    const char *body = or_none(moved->body);
    gsize length = strlen(body);
    g_autoptr(GBytes) packed = length <= PACK_MAX ? pack_text(body, length) : NULL;
    struct fulltext text = {moved->key,
                            or_none(moved->subject),
                            or_none(moved->sender),
                            or_none(moved->recipients),
                            body,
                            or_none(moved->attachments),
                            or_none(moved->types),
                            packed};
    return fulltext_insert(store, &text, error);
}

/* The old tables are FTS5's own, which it guards; its index agrees with nothing from now on and is never asked again. */
static gboolean
take_away(struct store *store, const GArray *list, gboolean *gone, GError **error)
{
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    gboolean ok =
        list->len ? sql_run(store, error, "DELETE FROM fulltext_before_content WHERE id >= ?", "l",
                            g_array_index(list, struct moved, 0).key)
                  : sql_run(store, error,
                            "DELETE FROM fulltext_before_data WHERE id IN (SELECT id FROM fulltext_before_data"
                            " WHERE id > " FTS5_HEAD " LIMIT ?)",
                            "i",
                            PAGES_A_STEP);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    *gone = ok && !list->len && !sql_int(store, 0, "SELECT 1 FROM fulltext_before_data WHERE id > " FTS5_HEAD, "");
    return ok && (!*gone || sql_script(store, "DROP TABLE fulltext_before", error));
}

static gboolean
is_there(struct store *store)
{
    return sql_int(store, 0, "SELECT 1 FROM sqlite_schema WHERE name = 'fulltext_before'", "") != 0;
}

gboolean
texts_move(struct store *store, guint limit, gboolean *done, GError **error)
{
    gboolean own, ok = TRUE, gone = FALSE;
    *done = !is_there(store);
    if (*done)
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    if (is_there(store)) { /* another process may have been faster */
        g_autoptr(GArray) list = read_newest(store, limit, error);
        ok = list != NULL;
        for (guint i = 0; ok && i < list->len; i++)
            ok = move_one(store, &g_array_index(list, struct moved, i), error);
        STEP("store.texts-move");
        ok = ok && take_away(store, list, &gone, error);
    }
    if (!txn_leave(store, own, ok, error))
        return FALSE;
    if (gone)
        log_info("store.fulltext", "what an older version had in its full text has gone over");
    *done = gone;
    return TRUE;
}
