#include "config.h"

#include "store/results_host.h"
#include "store/internal.h"

void
results_host_free(struct results_host *host)
{
    if (host)
        g_free(host->host);
    g_free(host);
}

static void
free_host(gpointer host)
{
    results_host_free(host);
}

GPtrArray *
results_hosts(struct store *store, gint64 account, GError **error)
{
    g_autoptr(GPtrArray) hosts = g_ptr_array_new_with_free_func(free_host);
    sqlite3_stmt *query = sql_query(
        store, error, "SELECT host, agreed, lies, spf, dkim, dmarc, arc FROM results_host WHERE account = ?",
        "l", account);
    int rc = query ? 0 : -1;
    while (query && (rc = sql_row(store, query, error)) > 0) {
        struct results_host *host = g_new0(struct results_host, 1);
        host->host = sql_dup(query, 0);
        host->agreed = (guint)sqlite3_column_int64(query, 1);
        host->lies = (guint)sqlite3_column_int64(query, 2);
        for (int i = 0; i < 4; i++)
            host->methods[i] = (guint)sqlite3_column_int64(query, 3 + i);
        g_ptr_array_add(hosts, host);
    }
    return rc < 0 ? NULL : g_steal_pointer(&hosts);
}

gboolean
results_host_note(struct store *store, gint64 account, const char *host, guint methods, gboolean lied,
                  GError **error)
{
    gboolean own;
    g_autofree char *name = g_utf8_strdown(host, -1);
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "INSERT OR IGNORE INTO results_host (account, host) VALUES (?, ?)",
                          "ls", account, name);
    if (ok && lied)
        ok = sql_run(
            store, error,
            "UPDATE results_host SET lies = lies + 1, agreed = 0, spf = 0, dkim = 0, dmarc = 0, arc = 0"
            " WHERE account = ? AND host = ?",
            "ls", account, name);
    else if (ok)
        ok = sql_run(
            store, error,
            "UPDATE results_host SET agreed = agreed + 1, spf = spf + ?, dkim = dkim + ?, dmarc = dmarc + ?,"
            " arc = arc + ? WHERE account = ? AND host = ?",
            "iiiils", methods & 1u, methods >> 1 & 1u, methods >> 2 & 1u, methods >> 3 & 1u, account, name);
    ok =
        ok && sql_run(store, error,
                      "DELETE FROM results_host WHERE account = ?1 AND host IN (SELECT host FROM results_host"
                      " WHERE account = ?1 AND host <> ?2 ORDER BY agreed + lies DESC LIMIT -1 OFFSET ?3)",
                      "lsi", account, name, RESULTS_HOSTS_MAX);
    return txn_leave(store, own, ok, error);
}
