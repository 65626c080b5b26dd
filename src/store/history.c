#include "config.h"

#include "store/history.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/internal.h"

#define COLUMN(name) ", " #name
#define MARK(name) ", ?"
#define LETTER(name) "l"
#define VALUE(name) , (gint64)counts->name
#define SUM(name) ", coalesce(sum(" #name "), 0)"
#define ADDED(name) ", " #name " = " #name " + excluded." #name
#define READ(name) counts->name = (guint64)sqlite3_column_int64(q, column++);

void
history_counts_add(struct history_counts *sum, const struct history_counts *more)
{
#define ADD(name) sum->name += more->name;
    HISTORY_COUNTS(ADD)
#undef ADD
}

gboolean
history_counts_in(const struct history_counts *counts)
{
    return counts->envelopes || counts->bodies || counts->known || counts->flags_in || counts->removed;
}

gboolean
history_counts_out(const struct history_counts *counts)
{
    return counts->flags_out || counts->moved || counts->copied || counts->uploaded || counts->expunged;
}

gboolean
history_counts_any(const struct history_counts *counts)
{
    return history_counts_in(counts) || history_counts_out(counts) || counts->conflicts || counts->skipped;
}

static void G_GNUC_PRINTF(2, 3)
say(GString *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (out->len)
        g_string_append(out, ", ");
    g_string_append_vprintf(out, format, arguments);
    va_end(arguments);
}

char *
history_counts_to_string(const struct history_counts *counts)
{
    GString *out = g_string_new(NULL);
    if (counts->envelopes)
        say(out, _("%u new"), (guint)counts->envelopes);
    if (counts->bodies) {
        g_autofree char *size = text_size((gint64)counts->body_bytes);
        say(out, P_("%u body (%s)", "%u bodies (%s)", counts->bodies), (guint)counts->bodies, size);
    }
    if (counts->known)
        say(out, _("%u recognised"), (guint)counts->known);
    if (counts->flags_in)
        say(out, P_("%u mark in", "%u marks in", counts->flags_in), (guint)counts->flags_in);
    if (counts->flags_out)
        say(out, P_("%u mark out", "%u marks out", counts->flags_out), (guint)counts->flags_out);
    if (counts->moved)
        say(out, _("%u moved"), (guint)counts->moved);
    if (counts->copied)
        say(out, _("%u copied"), (guint)counts->copied);
    if (counts->uploaded)
        say(out, _("%u uploaded"), (guint)counts->uploaded);
    if (counts->expunged)
        say(out, _("%u deleted on the server"), (guint)counts->expunged);
    if (counts->removed)
        say(out, _("%u removed here"), (guint)counts->removed);
    if (counts->conflicts)
        say(out, P_("%u changed on both sides", "%u changed on both sides", counts->conflicts),
            (guint)counts->conflicts);
    if (counts->skipped)
        say(out, _("%u not to be had"), (guint)counts->skipped);
    return g_string_free(out, FALSE);
}

const char *
history_kind_name(enum history_kind kind)
{
    static const char *const names[] = {"", "pass", "conflict", "notice", "error"};
    return kind < G_N_ELEMENTS(names) ? names[kind] : "";
}

void
history_event_free(gpointer data)
{
    struct history_event *event = data;
    g_free(event->text);
    g_free(event);
}

/* ---- writing ---- */

static gboolean
add_event(struct store *store, gint64 account, gint64 folder, gint64 time, enum history_kind kind, gint64 message,
          const char *text, const struct history_counts *counts, GError **error)
{
    return sql_run(store, error,
                   "INSERT INTO sync_event (account, folder, time, kind, message, text" HISTORY_COUNTS(COLUMN) ")"
                   " VALUES (?, ?, ?, ?, ?, ?" HISTORY_COUNTS(MARK) ")",
                   "lllils" HISTORY_COUNTS(LETTER), account, folder, time, (int)kind, message,
                   text HISTORY_COUNTS(VALUE)) &&
           sql_run(store, error,
                   "DELETE FROM sync_event WHERE account = ?1 AND folder = ?2 AND kind = ?3 AND id <= (SELECT id FROM"
                   " sync_event WHERE account = ?1 AND folder = ?2 AND kind = ?3 ORDER BY id DESC LIMIT 1 OFFSET ?4)",
                   "llii", account, folder, (int)kind, HISTORY_KEPT);
}

gboolean
history_add(struct store *store, gint64 account, gint64 folder, gint64 time, const struct history_counts *counts,
            GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gint64 in = history_counts_in(counts) ? time : 0, out = history_counts_out(counts) ? time : 0;
    gboolean ok =
        sql_run(store, error,
                "INSERT INTO sync_total (account, folder, since, last_in, last_out" HISTORY_COUNTS(COLUMN) ")"
                " VALUES (?, ?, ?, ?, ?" HISTORY_COUNTS(MARK) ") ON CONFLICT (account, folder) DO UPDATE SET"
                " since = CASE since WHEN 0 THEN excluded.since ELSE since END, last_in = max(last_in, excluded.last_in), last_out = max(last_out, excluded.last_out)"
                HISTORY_COUNTS(ADDED),
                "lllll" HISTORY_COUNTS(LETTER), account, folder, time, in, out HISTORY_COUNTS(VALUE)) &&
        (!history_counts_any(counts) ||
         add_event(store, account, folder, time, HISTORY_PASS, 0, NULL, counts, error));
    return txn_leave(store, own, ok, error);
}

gboolean
history_note(struct store *store, gint64 account, gint64 folder, gint64 time, enum history_kind kind, gint64 message,
             const char *text, GError **error)
{
    static const struct history_counts none;
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    /* What is said again at each pass is one event, and the last time counts. */
    gint64 same = kind == HISTORY_CONFLICT ? 0
                                           : sql_int(store, 0,
                                                     "SELECT id FROM sync_event WHERE account = ? AND folder = ? AND kind = ?"
                                                     " AND text = ? ORDER BY id DESC LIMIT 1",
                                                     "llis", account, folder, (int)kind, text);
    gboolean ok = same ? sql_run(store, error, "UPDATE sync_event SET time = ? WHERE id = ?", "ll", time, same)
                       : add_event(store, account, folder, time, kind, message, text, &none, error);
    return txn_leave(store, own, ok, error);
}

gboolean
history_set_missing(struct store *store, gint64 account, gint64 folder, guint64 missing, GError **error)
{
    gboolean own;
    if (sql_int(store, 0, "SELECT missing FROM sync_total WHERE account = ? AND folder = ?", "ll", account, folder) ==
        (gint64)missing)
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error,
                          "INSERT INTO sync_total (account, folder, missing) VALUES (?, ?, ?)"
                          " ON CONFLICT (account, folder) DO UPDATE SET missing = excluded.missing",
                          "lll", account, folder, (gint64)missing);
    return txn_leave(store, own, ok, error);
}

/* ---- reading ---- */

static int
read_counts(sqlite3_stmt *q, int column, struct history_counts *counts)
{
    HISTORY_COUNTS(READ)
    return column;
}

GPtrArray *
history_events(struct store *store, gint64 account, gint64 folder, guint kinds, guint limit, GError **error)
{
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func(history_event_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT account, folder, time, kind, message, text" HISTORY_COUNTS(COLUMN)
                                " FROM sync_event WHERE account = ?1 AND (?2 < 0 OR folder = ?2)"
                                " AND (?3 = 0 OR (?3 >> kind) & 1) ORDER BY time DESC, id DESC LIMIT ?4",
                                "llii", account, folder, kinds, limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct history_event *event = g_new0(struct history_event, 1);
        event->account = sqlite3_column_int64(q, 0);
        event->folder = sqlite3_column_int64(q, 1);
        event->time = sqlite3_column_int64(q, 2);
        event->kind = (enum history_kind)sqlite3_column_int(q, 3);
        event->message = sqlite3_column_int64(q, 4);
        event->text = sql_dup(q, 5);
        read_counts(q, 6, &event->counts);
        g_ptr_array_add(events, event);
    }
    return rc < 0 ? NULL : g_steal_pointer(&events);
}

gboolean
history_total(struct store *store, gint64 account, gint64 folder, struct history_total *total, GError **error)
{
    *total = (struct history_total){0};
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT coalesce(min(nullif(since, 0)), 0), coalesce(max(last_in), 0), coalesce(max(last_out), 0),"
                                " coalesce(sum(missing), 0)" HISTORY_COUNTS(SUM)
                                " FROM sync_total WHERE account = ?1 AND (?2 < 0 OR folder = ?2)",
                                "ll", account, folder);
    if (!q || sql_row(store, q, error) < 0)
        return FALSE;
    total->since = sqlite3_column_int64(q, 0);
    total->last_in = sqlite3_column_int64(q, 1);
    total->last_out = sqlite3_column_int64(q, 2);
    total->missing = (guint64)sqlite3_column_int64(q, 3);
    read_counts(q, 4, &total->counts);
    sql_end(q);
    return TRUE;
}

/* ---- the server ---- */

static char *
server_key(gint64 account)
{
    return g_strdup_printf("sync.server.%" G_GINT64_FORMAT, account);
}

char *
history_server(struct store *store, gint64 account)
{
    g_autofree char *key = server_key(account);
    return store_get(store, key);
}

gboolean
history_set_server(struct store *store, gint64 account, const char *text, GError **error)
{
    g_autofree char *key = server_key(account), *before = store_get(store, key);
    return !g_strcmp0(before, text) || store_set(store, key, text, error);
}
