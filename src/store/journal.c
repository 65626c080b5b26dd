/* Rows of intents and of the undo journal. */
#include "config.h"

#include "store/journal.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/placement.h"
#include "base/clock.h"
#include "base/log.h"

#include <string.h>

gint64
journal_begin(struct store *store, GError **error)
{
    if (store->group)
        return store->group;
    if (!sql_run(store, error, "INSERT INTO journal (time, text) VALUES (?, '')", "l", clock_now()))
        return 0;
    return sqlite3_last_insert_rowid(store->db);
}

gboolean
journal_drop(struct store *store, gint64 journal, GError **error)
{
    return journal == store->group || sql_run(store, error, "DELETE FROM journal WHERE id = ?", "l", journal);
}

gboolean
journal_add(struct store *store, gint64 journal, const struct journal_item *item, GError **error)
{
    return sql_run(store, error,
                   "INSERT INTO journal_item (journal, kind, message, source_folder, target_folder, intent, "
                   "before_flags, after_flags,"
                   " before_tags, after_tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "lilllliiss", journal, (int)item->kind, item->message, item->source_folder,
                   item->target_folder, item->intent, item->before_flags, item->after_flags,
                   item->before_tags ? item->before_tags : "", item->after_tags ? item->after_tags : "");
}

gboolean
journal_text(struct store *store, gint64 journal, const char *text, GError **error)
{
    return journal == store->group ||
           sql_run(store, error, "UPDATE journal SET text = ? WHERE id = ?", "sl", text, journal);
}

gboolean
intent_group_begin(struct store *store, GError **error)
{
    if (!txn_enter(store, &store->group_own, error))
        return FALSE;
    gint64 journal = journal_begin(store, error);
    if (!journal)
        return txn_leave(store, store->group_own, FALSE, error);
    store->group = journal;
    return TRUE;
}

gint64
intent_group_end(struct store *store, gboolean ok, const char *text, GError **error)
{
    gint64 journal = store->group;
    store->group = 0;
    gboolean empty = !sql_int(store, 0, "SELECT EXISTS (SELECT 1 FROM journal_item WHERE journal = ?)", "l", journal);
    if (ok)
        ok = empty ? journal_drop(store, journal, error) : journal_text(store, journal, text, error);
    if (!txn_leave(store, store->group_own, ok, error))
        return 0;
    return empty ? INTENT_NOTHING : journal;
}

static const char *const kind_names[INTENT_KINDS] = {
    "", "move", "copy", "append", "expunge", "create-folder", "rename-folder", "delete-folder", "subscribe"};

const char *
intent_kind_name(enum intent_kind kind)
{
    return kind < INTENT_KINDS ? kind_names[kind] : "";
}

void
intent_free(struct intent *intent)
{
    if (!intent)
        return;
    g_free(intent->name);
    g_free(intent->error);
    g_free(intent);
}

gboolean
intent_row_insert(struct store *store, struct intent *new, gint64 journal, GError **error)
{
    if (!sql_run(store, error,
                 "INSERT INTO intent (account, kind, message, source, source_folder, target, target_folder, "
                 "folder, name, after,"
                 " uncertain, created, journal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 "lillllllslill", new->account, (int)new->kind, new->message, new->source, new->source_folder,
                 new->target, new->target_folder, new->folder, new->name, new->after, new->uncertain,
                 clock_now(), journal))
        return FALSE;
    new->id = sqlite3_last_insert_rowid(store->db);
    log_debug("store.intent", "%s id=%d message=%d source=%d target=%d", intent_kind_name(new->kind),
              (int)new->id, (int)new->message, (int)new->source, (int)new->target);
    return TRUE;
}

gboolean
intent_row_delete(struct store *store, gint64 id, GError **error)
{
    return sql_run(store, error, "DELETE FROM intent WHERE id = ?", "l", id);
}

#define SELECT_INTENT                                                                                        \
    "SELECT i.id, i.account, i.kind, i.state, i.message, i.source, i.source_folder, coalesce(s.uid, 0), "    \
    "i.target,"                                                                                              \
    " i.target_folder, i.folder, i.name, i.after, i.uncertain, i.attempts, i.next_attempt, i.error FROM "    \
    "intent i"                                                                                               \
    " LEFT JOIN placement s ON s.id = i.source "

static struct intent *
read_row(sqlite3_stmt *q)
{
    struct intent *intent = g_new0(struct intent, 1);
    int i = 0;
    intent->id = sqlite3_column_int64(q, i++);
    intent->account = sqlite3_column_int64(q, i++);
    intent->kind = (enum intent_kind)sqlite3_column_int(q, i++);
    intent->state = (enum intent_state)sqlite3_column_int(q, i++);
    intent->message = sqlite3_column_int64(q, i++);
    intent->source = sqlite3_column_int64(q, i++);
    intent->source_folder = sqlite3_column_int64(q, i++);
    intent->source_uid = (guint32)sqlite3_column_int64(q, i++);
    intent->target = sqlite3_column_int64(q, i++);
    intent->target_folder = sqlite3_column_int64(q, i++);
    intent->folder = sqlite3_column_int64(q, i++);
    intent->name = sql_dup(q, i++);
    intent->after = sqlite3_column_int64(q, i++);
    intent->uncertain = sqlite3_column_int(q, i++) != 0;
    intent->attempts = (guint)sqlite3_column_int(q, i++);
    intent->next_attempt = sqlite3_column_int64(q, i++);
    intent->error = sql_dup(q, i++);
    return intent;
}

struct intent *
intent_row_read(struct store *store, gint64 id, GError **error)
{
    struct intent *intent = NULL;
    sqlite3_stmt *q = sql_query(store, error, SELECT_INTENT "WHERE i.id = ?", "l", id);
    if (q && sql_row(store, q, error) > 0) {
        intent = read_row(q);
        sql_end(q);
    }
    return intent;
}

static GPtrArray *
read_all(struct store *store, sqlite3_stmt *q, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)intent_free);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(list, read_row(q));
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

GPtrArray *
intent_next(struct store *store, gint64 account, guint limit, GError **error)
{
    /* A source must have a UID, a target folder must exist on the server, an append needs its bytes here, and
     * a deletion of a folder waits for what is still to be saved out of it. */
    return read_all(
        store,
        sql_query(store, error,
                  SELECT_INTENT
                  "LEFT JOIN folder t ON t.id = i.target_folder LEFT JOIN message m ON m.id = i.message"
                  " WHERE i.account = ?1 AND i.state = 0 AND i.next_attempt <= ?2"
                  " AND (i.after = 0 OR NOT EXISTS (SELECT 1 FROM intent b WHERE b.id = i.after))"
                  " AND (i.source = 0 OR s.uid > 0)"
                  " AND (i.target = 0 OR t.wire IS NOT NULL)"
                  " AND (i.kind <> 3 OR m.cached = 1)"
                  " AND (i.kind <> 7 OR NOT EXISTS (SELECT 1 FROM intent b WHERE b.source_folder = i.folder "
                  "AND b.id < i.id))"
                  " ORDER BY i.id LIMIT ?3",
                  "lll", account, clock_now(), (gint64)limit),
        error);
}

GPtrArray *
intent_list(struct store *store, gint64 account, GError **error)
{
    return read_all(
        store,
        sql_query(store, error, SELECT_INTENT "WHERE ?1 = 0 OR i.account = ?1 ORDER BY i.id", "l", account),
        error);
}

gint64
intent_count(struct store *store, gint64 account)
{
    return sql_int(store, 0, "SELECT count(*) FROM intent WHERE ?1 = 0 OR account = ?1", "l", account);
}

gint64
intent_of_append(struct store *store, gint64 placement)
{
    return sql_int(
        store, 0,
        "SELECT id FROM intent WHERE target = ? AND target > 0 AND kind = ? AND state <> 1 AND uncertain = 0",
        "li", placement, (int)INTENT_APPEND);
}
