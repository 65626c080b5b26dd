#include "config.h"

#include "store/account.h"
#include "store/folder.h"
#include "store/internal.h"
#include "mail/address.h"

#include <string.h>

void
store_account_free(struct store_account *account)
{
    if (!account)
        return;
    g_free(account->name);
    g_free(account->dir);
    g_strfreev(account->addresses);
    g_free(account->state);
    g_free(account->notice);
    g_free(account);
}

#define COLUMNS "id, name, dir, addresses, state, notice, synced"

static struct store_account *
read_row(sqlite3_stmt *q)
{
    struct store_account *account = g_new0(struct store_account, 1);
    account->id = sqlite3_column_int64(q, 0);
    account->name = sql_dup(q, 1);
    account->dir = sql_dup(q, 2);
    const char *addresses = sql_str(q, 3);
    account->addresses = *addresses ? g_strsplit(addresses, " ", -1) : g_new0(char *, 1);
    account->state = sql_dup(q, 4);
    account->notice = sql_dup(q, 5);
    account->synced = sqlite3_column_int64(q, 6);
    return account;
}

gint64
store_account_find(struct store *store, const char *name)
{
    return sql_int(store, 0, "SELECT id FROM account WHERE name = ?", "s", name);
}

/* Normalised and joined: an address holds no space outside quotes, and one with quotes is nobody's own. */
static char *
join_addresses(const char *const *addresses)
{
    GString *out = g_string_new(NULL);
    for (; addresses && *addresses; addresses++) {
        g_autofree char *one = address_normalise(*addresses);
        if (!one || strchr(one, ' '))
            continue;
        if (out->len)
            g_string_append_c(out, ' ');
        g_string_append(out, one);
    }
    return g_string_free(out, FALSE);
}

gint64
store_account_ensure(struct store *store, const char *name, const char *const *addresses, GError **error)
{
    g_autofree char *joined = join_addresses(addresses);
    gint64 id = store_account_find(store, name);
    gboolean own, ok;

    if (id) {
        g_autofree char *known = sql_text(store, "SELECT addresses FROM account WHERE id = ?", "l", id);
        if (!g_strcmp0(known, joined))
            return id;
    }
    if (!txn_enter(store, &own, error))
        return 0;
    id = store_account_find(store, name); /* another thread or process may have been faster */
    if (id) {
        ok = sql_run(store, error, "UPDATE account SET addresses = ? WHERE id = ?", "sl", joined, id);
    } else {
        g_autofree char *dir = folder_dir_from_name(name);
        /* An account name is one component, whatever it holds. */
        g_strdelimit(dir, "/", '+');
        ok = sql_run(store, error, "INSERT INTO account (name, dir, addresses) VALUES (?, ?, ?)", "sss", name,
                     dir, joined);
        id = sqlite3_last_insert_rowid(store->db);
    }
    g_clear_pointer(&store->own, g_hash_table_unref);
    return txn_leave(store, own, ok, error) ? id : 0;
}

GPtrArray *
store_account_list(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)store_account_free);
    sqlite3_stmt *q = sql_query(store, error, "SELECT " COLUMNS " FROM account ORDER BY id", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(list, read_row(q));
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

struct store_account *
store_account_get(struct store *store, gint64 id, GError **error)
{
    struct store_account *account = NULL;
    sqlite3_stmt *q = sql_query(store, error, "SELECT " COLUMNS " FROM account WHERE id = ?", "l", id);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc > 0) {
        account = read_row(q);
        sql_end(q);
    } else if (rc == 0) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "there is no account number %" G_GINT64_FORMAT, id);
    }
    return account;
}

gboolean
store_account_set_state(struct store *store, gint64 id, const char *state, const char *notice, gint64 synced,
                        GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error,
                          "UPDATE account SET state = coalesce(?, state), notice = ?,"
                          " synced = CASE WHEN ?3 > 0 THEN ?3 ELSE synced END WHERE id = ?4",
                          "ssll", state, notice, synced, id);
    return txn_leave(store, own, ok, error);
}

gboolean
store_is_me(struct store *store, const char *addr)
{
    guint64 now = store->in_transaction || store->in_snapshot ? store->own_at : store_change_count(store);
    if (!store->own || store->own_at != now) {
        g_clear_pointer(&store->own, g_hash_table_unref);
        store->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        store->own_at = now;
        g_autoptr(GPtrArray) list = store_account_list(store, NULL);
        for (guint i = 0; list && i < list->len; i++) {
            struct store_account *account = list->pdata[i];
            for (char **a = account->addresses; *a; a++)
                g_hash_table_add(store->own, g_ascii_strdown(*a, -1));
        }
    }
    if (!addr || !g_hash_table_size(store->own))
        return FALSE;
    g_autofree char *key = g_ascii_strdown(addr, -1);
    return g_hash_table_contains(store->own, key);
}
