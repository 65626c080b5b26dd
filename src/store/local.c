/* Accounts whose folders are on no server: what is wanted is done at once, in the transaction that says so.
 */
#include "config.h"

#include "store/account.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/placement.h"
#include "base/log.h"

#include <string.h>

gboolean
store_account_is_local(struct store *store, gint64 id)
{
    return sql_int(store, 0, "SELECT local FROM account WHERE id = ?", "l", id) != 0;
}

/* ---- intents are done ---- */

/* A target that was written down before its bytes came gets them from where they lie. */
static gboolean
give_file(struct store *store, gint64 placement, GError **error)
{
    g_auto(struct_placement_row) row = {0}, other = {0};
    g_autofree char *file = NULL;
    if (!placement_row_read(store, placement, &row, NULL) || row.file)
        return TRUE;
    gint64 has = sql_int(
        store, 0,
        "SELECT id FROM placement INDEXED BY placement_message WHERE message = ? AND file IS NOT NULL", "l",
        row.message);
    if (!has || !placement_row_read(store, has, &other, NULL))
        return TRUE;
    other.flags = row.flags;
    return placement_row_link(store, &other, row.folder, &file, error) &&
           (!file || (placement_row_set_file(store, row.id, file, row.flags, error) &&
                      message_refresh(store, row.message, error)));
}

static gboolean
carry_out(struct store *store, const struct intent *intent, GError **error)
{
    struct intent_result done = {intent->id, 0, 0};
    switch (intent->kind) {
    case INTENT_APPEND:
    case INTENT_COPY:
        return give_file(store, intent->target, error) && intent_done(store, &done, 1, error);
    case INTENT_MOVE:
    case INTENT_EXPUNGE:
        return intent_done(store, &done, 1, error);
    case INTENT_FOLDER_DELETE:
        return intent_row_delete(store, intent->id, error) && folder_forget(store, intent->folder, error);
    default:
        return intent_row_delete(store, intent->id, error);
    }
}

gboolean
local_settle(struct store *store, GError **error)
{
    g_autoptr(GArray) ids = NULL;
    /* An upload whose bytes are still to come (from the server that the message is moved away from) waits for
     * them: what hangs on it must not be done before. */
    sqlite3_stmt *q =
        sql_query(store, error,
                  "SELECT i.id FROM account a CROSS JOIN intent i ON i.account = a.id"
                  " LEFT JOIN message m ON m.id = i.message"
                  " WHERE a.local = 1 AND (i.kind <> 3 OR m.cached = 1 OR m.id IS NULL) ORDER BY i.id",
                  "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        ids = ids ? ids : g_array_new(FALSE, FALSE, sizeof(gint64));
        g_array_append_val(ids, id);
    }
    for (guint i = 0; rc == 0 && ids && i < ids->len; i++) {
        g_autoptr(struct_intent) intent = intent_row_read(store, g_array_index(ids, gint64, i), NULL);
        if (intent && !carry_out(store, intent, error))
            return FALSE;
    }
    return rc == 0;
}

/* ---- becoming local, and no longer ---- */

/* The role's folder under the name that the user wants for it; NULL for the usual name of a role that is
 * missing. */
static gboolean
ensure_role(struct store *store, gint64 account, enum folder_role role, const char *name, GError **error)
{
    if (!name && folder_find_role(store, account, role))
        return TRUE;
    gint64 id = folder_upsert(store, account, name ? name : folder_role_usual(role), NULL, 0, role,
                              FOLDER_SELECTABLE | FOLDER_SUBSCRIBED, error);
    gint64 before = folder_find_role(store, account, role);
    return id && (!before || before == id || folder_set_role(store, before, FOLDER_NONE, error)) &&
           folder_set_bits(store, id, 0, FOLDER_GONE, error);
}

/* Those that every account has beside INBOX, in the order of config_roles. */
static const enum folder_role own_roles[] = {FOLDER_SENT, FOLDER_DRAFTS, FOLDER_JUNK, FOLDER_TRASH, FOLDER_ARCHIVE};

static gboolean
ensure_roles(struct store *store, gint64 account, const char *const *roles, GError **error)
{
    if (!ensure_role(store, account, FOLDER_INBOX, NULL, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(own_roles); i++)
        if (!ensure_role(store, account, own_roles[i], roles ? roles[i] : NULL, error))
            return FALSE;
    return TRUE;
}

static gboolean
forget_server(struct store *store, gint64 account, GError **error)
{
    return sql_run(store, error,
                   "UPDATE placement SET uid = 0, modseq = 0, state = CASE state WHEN 2 THEN 0 ELSE state END"
                   " WHERE folder IN (SELECT id FROM folder WHERE account = ?)",
                   "l", account) &&
           sql_run(store, error,
                   "UPDATE folder SET wire = NULL, delimiter = 0, uidvalidity = 0, uidnext = 0, modseq = 0,"
                   " bits = (bits | ?) & ~? WHERE account = ?",
                   "iil", (int)FOLDER_SELECTABLE, (int)FOLDER_PAUSED, account) &&
           sql_run(store, error, "UPDATE account SET local = 1 WHERE id = ?", "l", account);
}

/* A row of ids. */
static GArray *
read_ids(struct store *store, const char *query, gint64 account, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q = sql_query(store, error, query, "l", account);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    return rc < 0 ? NULL : g_steal_pointer(&ids);
}

/* The server may have all of it already: each upload looks before it is made. */
static gboolean
want_uploads(struct store *store, gint64 account, GError **error)
{
    gint64 journal = journal_begin(store, error);
    g_autoptr(GArray) folders = read_ids(
        store,
        "SELECT id FROM folder WHERE account = ? AND wire IS NULL AND bits & 4 = 0 AND name <> 'INBOX'",
        account, error);
    g_autoptr(GArray) placements =
        read_ids(store,
                 "SELECT p.id FROM folder f CROSS JOIN placement p ON p.folder = f.id WHERE f.account = ? "
                 "AND p.uid = 0"
                 " AND p.file IS NOT NULL AND p." SHOWN
                 " AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.target = p.id AND i.target > 0)",
                 account, error);
    if (!journal || !folders || !placements)
        return FALSE;
    for (guint i = 0; i < folders->len; i++) {
        gint64 folder = g_array_index(folders, gint64, i);
        g_autofree char *name = sql_text(store, "SELECT name FROM folder WHERE id = ?", "l", folder);
        struct intent create = {
            .kind = INTENT_FOLDER_CREATE, .account = account, .folder = folder, .name = name};
        if (!intent_row_insert(store, &create, journal, error))
            return FALSE;
    }
    for (guint i = 0; i < placements->len; i++) {
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(store, g_array_index(placements, gint64, i), &row, error))
            return FALSE;
        struct intent upload = {.kind = INTENT_APPEND,
                                .account = account,
                                .message = row.message,
                                .target = row.id,
                                .target_folder = row.folder,
                                .uncertain = TRUE};
        if (!intent_row_insert(store, &upload, journal, error))
            return FALSE;
    }
    return sql_run(store, error, "DELETE FROM maildrop WHERE account = ?", "l", account);
}

static gboolean
is_settled(struct store *store, gint64 account, gboolean local, const char *const *roles)
{
    if (store_account_is_local(store, account) != local)
        return FALSE;
    for (guint i = 0; local && i < G_N_ELEMENTS(own_roles); i++) {
        gint64 has = folder_find_role(store, account, own_roles[i]);
        if (!has || (roles && roles[i] && has != folder_find(store, account, roles[i])))
            return FALSE;
    }
    return !local || folder_find_role(store, account, FOLDER_INBOX);
}

gboolean
store_account_set_local(struct store *store, gint64 id, gboolean local, const char *const *roles,
                        GError **error)
{
    gboolean own;
    if (is_settled(store, id, local, roles))
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean was = store_account_is_local(store, id);
    log_info("store.account", "account=%d local %d -> %d", (int)id, was, local);
    gboolean ok = local ? (was || forget_server(store, id, error)) && ensure_roles(store, id, roles, error)
                        : sql_run(store, error, "UPDATE account SET local = 0 WHERE id = ?", "l", id) &&
                              want_uploads(store, id, error);
    return txn_leave(store, own, ok, error);
}
