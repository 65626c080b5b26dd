/* Folders made, renamed and deleted here. */
#include "config.h"

#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/placement.h"
#include "base/i18n.h"

#include <string.h>

static gint64
account_of(struct store *store, gint64 folder)
{
    return sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", folder);
}

static char *
name_of(struct store *store, gint64 folder, GError **error)
{
    char *name = sql_text(store, "SELECT name FROM folder WHERE id = ? AND bits & 4 = 0", "l", folder);
    if (!name)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the folder is not there any more");
    return name;
}

/* What may be given as a name: no empty levels, nothing that the server would take apart otherwise. */
static gboolean
name_is_good(struct store *store, gint64 account, const char *name, GError **error)
{
    if (!*name || *name == '/' || g_str_has_suffix(name, "/") || strstr(name, "//") ||
        !g_utf8_validate(name, -1, NULL) || strpbrk(name, "\r\n\t")) {
        g_set_error(error, STORE_ERROR, ERROR_INPUT,
                    "\"%s\" is no name for a folder: words with / between the levels are", name);
        return FALSE;
    }
    gint64 delimiter = sql_int(
        store, '/', "SELECT delimiter FROM folder WHERE account = ? AND name = 'INBOX'", "l", account);
    if (delimiter && delimiter != '/' && strchr(name, (int)delimiter)) {
        g_set_error(error, STORE_ERROR, ERROR_INPUT,
                    "the server uses \"%c\" between levels: \"%s\" cannot have it in a name", (char)delimiter,
                    name);
        return FALSE;
    }
    gint64 there = folder_find(store, account, name);
    if (there) {
        gboolean gone = sql_int(store, 0, "SELECT bits & 4 FROM folder WHERE id = ?", "l", there) != 0;
        g_set_error(error, STORE_ERROR, gone ? ERROR_BUSY : ERROR_REFUSED,
                    gone ? "the folder \"%s\" is still being deleted: sync first"
                         : "there is a folder \"%s\" already",
                    name);
    }
    return !there;
}

/* The common frame: a journal entry with one item, and one intent (kind 0: none). Takes the text. */
static gint64
note(struct store *store, gint64 folder, enum journal_kind what, enum intent_kind kind, const char *new_name,
     const char *before, guint before_flags, char *text, GError **error)
{
    gint64 journal = journal_begin(store, error);
    struct intent intent = {
        .kind = kind, .account = account_of(store, folder), .folder = folder, .name = (char *)new_name};
    gboolean ok = journal && (!kind || intent_row_insert(store, &intent, journal, error));
    struct journal_item item = {.kind = what,
                                .source_folder = folder,
                                .target_folder = intent.account,
                                .intent = intent.id,
                                .before_tags = before,
                                .before_flags = before_flags};
    ok = ok && journal_add(store, journal, &item, error) && journal_text(store, journal, text, error);
    g_free(text);
    return ok ? journal : 0;
}

gint64
intent_folder_create(struct store *store, gint64 account, const char *name, gint64 *folder, GError **error)
{
    gboolean own;
    gint64 id = 0, journal = 0;
    if (!txn_enter(store, &own, error))
        return 0;
    if (name_is_good(store, account, name, error))
        id = folder_upsert(store, account, name, NULL, 0, FOLDER_NONE, FOLDER_SELECTABLE | FOLDER_SUBSCRIBED,
                           error);
    if (id)
        journal = note(store, id, JOURNAL_FOLDER_CREATE, INTENT_FOLDER_CREATE, name, name, 0,
                       g_strdup_printf(_("make the folder %s"), name), error);
    if (folder)
        *folder = id;
    return txn_leave(store, own, journal != 0, error) ? journal : 0;
}

gboolean
folder_rename_rows(struct store *store, gint64 folder, const char *name, GError **error)
{
    g_autofree char *old = sql_text(store, "SELECT name FROM folder WHERE id = ?", "l", folder);
    gint64 account = account_of(store, folder);
    if (!old)
        return TRUE;
    g_autofree char *below = g_strconcat(old, "/", NULL);
    gint64 length = (gint64)g_utf8_strlen(old, -1);
    /* Directories follow when nobody is in them: maildir_apply(). */
    return sql_run(store, error, "UPDATE folder SET name = ? WHERE id = ?", "sl", name, folder) &&
           sql_run(
               store, error,
               "UPDATE folder SET name = ? || substr(name, ?) WHERE account = ? AND substr(name, 1, ?) = ?",
               "sllls", name, length + 1, account, length + 1, below);
}

gint64
intent_folder_rename(struct store *store, gint64 folder, const char *name, GError **error)
{
    gboolean own, ok;
    gint64 journal = 0;
    if (!txn_enter(store, &own, error))
        return 0;
    g_autofree char *old = name_of(store, folder, error);
    ok = old != NULL;
    if (ok && (!strcmp(old, "INBOX") || g_str_has_prefix(name, old))) {
        g_autofree char *below = g_strconcat(old, "/", NULL);
        if (!strcmp(old, "INBOX") || g_str_has_prefix(name, below)) {
            g_set_error(error, STORE_ERROR, ERROR_REFUSED,
                        !strcmp(old, "INBOX") ? "INBOX cannot be renamed"
                                              : "a folder cannot be put below itself");
            ok = FALSE;
        }
    }
    ok = ok && name_is_good(store, account_of(store, folder), name, error) &&
         folder_rename_rows(store, folder, name, error);
    if (ok) {
        gint64 create = sql_int(
            store, 0, "SELECT id FROM intent WHERE folder = ? AND kind = ? AND state <> 1 AND uncertain = 0",
            "li", folder, (int)INTENT_FOLDER_CREATE);
        ok = !create || sql_run(store, error, "UPDATE intent SET name = ? WHERE id = ?", "sl", name, create);
        journal = ok ? note(store, folder, JOURNAL_FOLDER_RENAME, create ? 0 : INTENT_FOLDER_RENAME, name,
                            old, 0, g_strdup_printf(_("rename the folder %s to %s"), old, name), error)
                     : 0;
    }
    return txn_leave(store, own, ok && journal, error) ? journal : 0;
}

gint64
intent_folder_delete(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    gboolean own, ok;
    gint64 journal = 0;
    if (!txn_enter(store, &own, error))
        return 0;
    g_autofree char *name = name_of(store, folder, error), *wire = NULL;
    ok = name != NULL;
    if (ok && !strcmp(name, "INBOX")) {
        g_set_error(error, STORE_ERROR, ERROR_REFUSED, "INBOX cannot be deleted");
        ok = FALSE;
    }
    if (ok) {
        wire = sql_text(store, "SELECT wire FROM folder WHERE id = ?", "l", folder);
        journal = note(store, folder, JOURNAL_FOLDER_DELETE, INTENT_FOLDER_DELETE, name, name, 0,
                       g_strdup_printf(_("delete the folder %s"), name), error);
        ok = journal && folder_set_bits(store, folder, FOLDER_GONE, 0, error);
    }
    sqlite3_stmt *q =
        ok ? sql_query(store, error, "SELECT id FROM placement WHERE folder = ? AND " SHOWN, "l", folder)
           : NULL;
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    ok = ok && rc == 0;
    /* Each message is noted, so that undo finds it in mail/.removed when the folder has gone. */
    for (guint i = 0; i < ids->len && ok; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_read(store, g_array_index(ids, gint64, i), &row, error);
        struct journal_item item = {.kind = JOURNAL_EXPUNGE,
                                    .message = row.message,
                                    .source_folder = folder,
                                    .before_flags = row.flags,
                                    .before_tags = row.tags};
        ok = ok && placement_row_set_state(store, &row, PLACEMENT_LEAVING, error) &&
             message_refresh(store, row.message, error) && journal_add(store, journal, &item, error);
    }
    if (ok && !wire) /* no server has it: done */
        ok = folder_forget(store, folder, error);
    return txn_leave(store, own, ok, error) ? journal : 0;
}

gint64
intent_folder_subscribe(struct store *store, gint64 folder, gboolean subscribe, GError **error)
{
    gboolean own, ok;
    gint64 journal = 0;
    if (!txn_enter(store, &own, error))
        return 0;
    g_autofree char *name = name_of(store, folder, error);
    ok = name != NULL;
    gboolean is = sql_int(store, 0, "SELECT bits & 1 FROM folder WHERE id = ?", "l", folder) != 0;
    if (ok && is == !!subscribe)
        return txn_leave(store, own, TRUE, error) ? INTENT_NOTHING : 0;
    ok = ok && folder_set_bits(store, folder, subscribe ? FOLDER_SUBSCRIBED : 0,
                               subscribe ? 0 : FOLDER_SUBSCRIBED, error);
    if (ok)
        journal =
            note(store, folder, JOURNAL_SUBSCRIBE, INTENT_FOLDER_SUBSCRIBE, NULL, NULL, is,
                 g_strdup_printf(subscribe ? _("subscribe to %s") : _("unsubscribe from %s"), name), error);
    return txn_leave(store, own, ok && journal, error) ? journal : 0;
}

gint64
intent_ensure_role(struct store *store, gint64 account, guint role, GError **error)
{
    const char *usual = folder_role_usual(role);
    gint64 id = folder_find_role(store, account, role);
    gboolean own, ok;

    if (id)
        return id;
    if (!usual) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the account has no folder for that");
        return 0;
    }
    if (!txn_enter(store, &own, error))
        return 0;
    id = folder_find(store, account, usual);
    ok = id ? folder_set_bits(store, id, FOLDER_SELECTABLE, FOLDER_GONE, error)
            : intent_folder_create(store, account, usual, &id, error) != 0;
    ok = ok && folder_set_role(store, id, role, error);
    return txn_leave(store, own, ok, error) ? id : 0;
}
