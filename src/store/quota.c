#include "config.h"

#include "store/quota.h"
#include "store/internal.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

#include <string.h>

void
quota_free(struct quota *quota)
{
    if (!quota)
        return;
    g_free(quota->root);
    g_free(quota->resource);
    g_free(quota);
}

/* A row without a resource says when the server was asked: it may have none. */
gboolean
quota_set(struct store *store, gint64 account, const GPtrArray *quotas, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "DELETE FROM quota WHERE account = ?", "l", account) &&
                  sql_run(store, error, "INSERT INTO quota (account, root, resource, used, most) VALUES (?, '', '', ?, 0)",
                          "ll", account, clock_now());
    for (guint i = 0; ok && i < quotas->len; i++) {
        const struct quota *quota = quotas->pdata[i];
        ok = sql_run(store, error, "INSERT OR REPLACE INTO quota (account, root, resource, used, most) VALUES (?, ?, ?, ?, ?)",
                     "lssll", account, quota->root, quota->resource, quota->used, quota->most);
    }
    return txn_leave(store, own, ok, error);
}

gint64
quota_asked(struct store *store, gint64 account)
{
    return sql_int(store, 0, "SELECT used FROM quota WHERE account = ? AND resource = ''", "l", account);
}

int
quota_percent(const struct quota *quota)
{
    return quota->most > 0 ? (int) MIN((double) quota->used * 100 / (double) quota->most, 999) : 0;
}

static int
by_fullness(gconstpointer a, gconstpointer b)
{
    return quota_percent(*(struct quota *const *) b) - quota_percent(*(struct quota *const *) a);
}

GPtrArray *
quota_list(struct store *store, gint64 account, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify) quota_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT root, resource, used, most FROM quota WHERE account = ? AND resource <> ''"
                                " ORDER BY root, resource",
                                "l", account);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct quota *quota = g_new0(struct quota, 1);
        *quota = (struct quota){sql_dup(q, 0), sql_dup(q, 1), sqlite3_column_int64(q, 2), sqlite3_column_int64(q, 3)};
        g_ptr_array_add(list, quota);
    }
    g_ptr_array_sort(list, by_fullness);
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

char *
quota_text(const struct quota *quota)
{
    if (!strcmp(quota->resource, "STORAGE")) {
        g_autofree char *used = text_size((guint64) quota->used), *most = text_size((guint64) quota->most);
        return g_strdup_printf(_("%s of %s (%d %%)"), used, most, quota_percent(quota));
    }
    return g_strdup_printf(strcmp(quota->resource, "MESSAGE") ? _("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " (%d %%)")
                                                              : _("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " messages (%d %%)"),
                           quota->used, quota->most, quota_percent(quota));
}

struct quota *
quota_worry(struct store *store, gint64 account)
{
    g_autoptr(GPtrArray) list = quota_list(store, account, NULL);
    return list && list->len && quota_percent(list->pdata[0]) >= QUOTA_WARN ? g_ptr_array_steal_index(list, 0) : NULL;
}
