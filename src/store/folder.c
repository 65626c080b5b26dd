#include "config.h"

#include "store/folder.h"
#include "store/intent.h"
#include "store/internal.h"
#include "store/maildir.h"
#include "store/placement.h"
#include "store/rows.h"
#include "store/tree.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 1000
#define LEVELS_MAX 50

void
folder_free(struct folder *folder)
{
    if (!folder)
        return;
    g_free(folder->account_name);
    g_free(folder->name);
    g_free(folder->wire);
    g_free(folder->dir);
    g_free(folder->notice);
    g_free(folder->mailbox_id);
    g_free(folder);
}

#define SELECT_FOLDER                                                                                        \
    "SELECT f.id, f.account, a.name, f.name, f.wire, f.delimiter, f.dir, f.role, f.bits, f.uidvalidity, "    \
    "f.uidnext,"                                                                                             \
    " f.modseq, f.validity_changes, f.total, f.unread, f.flagged, f.conversations, f.unread_conversations,"  \
    " f.server_total, f.synced, f.notice, a.local, f.mailbox_id FROM folder f JOIN account a ON a.id = f.account "

static struct folder *
read_row(sqlite3_stmt *q)
{
    struct folder *folder = g_new0(struct folder, 1);
    int i = 0;
    folder->id = sqlite3_column_int64(q, i++);
    folder->account = sqlite3_column_int64(q, i++);
    folder->account_name = sql_dup(q, i++);
    folder->name = sql_dup(q, i++);
    folder->wire = sql_dup(q, i++);
    folder->delimiter = (char)sqlite3_column_int(q, i++);
    folder->dir = sql_dup(q, i++);
    folder->role = (enum folder_role)sqlite3_column_int(q, i++);
    folder->bits = (guint)sqlite3_column_int(q, i++);
    folder->uidvalidity = (guint32)sqlite3_column_int64(q, i++);
    folder->uidnext = (guint32)sqlite3_column_int64(q, i++);
    folder->modseq = (guint64)sqlite3_column_int64(q, i++);
    folder->validity_changes = (guint)sqlite3_column_int(q, i++);
    folder->total = sqlite3_column_int64(q, i++);
    folder->unread = sqlite3_column_int64(q, i++);
    folder->flagged = sqlite3_column_int64(q, i++);
    folder->conversations = sqlite3_column_int64(q, i++);
    folder->unread_conversations = sqlite3_column_int64(q, i++);
    folder->server_total = sqlite3_column_int64(q, i++);
    folder->synced = sqlite3_column_int64(q, i++);
    folder->notice = sql_dup(q, i++);
    folder->local = sqlite3_column_int(q, i++) != 0;
    folder->mailbox_id = sql_dup(q, i++);
    return folder;
}

GPtrArray *
folder_list(struct store *store, gint64 account, gboolean all, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)folder_free);
    sqlite3_stmt *q =
        sql_query(store, error,
                  SELECT_FOLDER "WHERE (?1 = 0 OR f.account = ?1) AND (?2 OR f.bits & 4 = 0)"
                                " ORDER BY f.account, CASE f.role WHEN 0 THEN 99 ELSE f.role END, f.name",
                  "li", account, all);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(list, read_row(q));
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

struct folder *
folder_get(struct store *store, gint64 id, GError **error)
{
    struct folder *folder = NULL;
    sqlite3_stmt *q = sql_query(store, error, SELECT_FOLDER "WHERE f.id = ?", "l", id);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc > 0) {
        folder = read_row(q);
        sql_end(q);
    } else if (rc == 0) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the folder is not there any more");
    }
    return folder;
}

/* "inbox" is one name in any case (RFC 3501 section 5.1); the rest are what they are. */
static char *
canonical(const char *name)
{
    if (!g_ascii_strncasecmp(name, "INBOX", 5) && (name[5] == '\0' || name[5] == '/'))
        return g_strconcat("INBOX", name + 5, NULL);
    return g_strdup(name);
}

gint64
folder_find(struct store *store, gint64 account, const char *name)
{
    g_autofree char *spelt = canonical(name);
    return sql_int(store, 0, "SELECT id FROM folder WHERE account = ? AND name = ?", "ls", account, spelt);
}

gint64
folder_find_wire(struct store *store, gint64 account, const char *wire)
{
    return sql_int(store, 0, "SELECT id FROM folder WHERE account = ? AND wire = ? ORDER BY id", "ls",
                   account, wire);
}

static gint64
account_of(struct store *store, gint64 folder)
{
    return sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", folder);
}

gint64
folder_find_role(struct store *store, gint64 account, enum folder_role role)
{
    if (role == FOLDER_NONE)
        return 0;
    return sql_int(
        store, 0,
        "SELECT id FROM folder WHERE account = ? AND role = ? AND role > 0 AND bits & 4 = 0 ORDER BY id",
        "li", account, (int)role);
}

GArray *
folder_ids_of_role(struct store *store, enum folder_role role)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q = sql_query(store, NULL,
                                "SELECT id FROM folder WHERE role = ? AND role > 0 AND bits & 4 = 0 ORDER BY account, id",
                                "i", (int)role);
    while (q && sql_row(store, q, NULL) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    return ids;
}

/* How well a folder answers to what was typed: 0 not at all, 4 exactly. */
static int
fits(const struct folder *folder, const char *account, const char *name)
{
    if (account && g_ascii_strcasecmp(folder->account_name, account))
        return 0;
    if (!strcmp(folder->name, name))
        return 4;
    g_autofree char *a = g_utf8_casefold(folder->name, -1), *b = g_utf8_casefold(name, -1);
    if (!strcmp(a, b))
        return 3;
    if (folder->role && !g_ascii_strcasecmp(folder_role_name(folder->role), name))
        return 2;
    const char *leaf = strrchr(a, '/');
    return leaf && !strcmp(leaf + 1, b) ? 1 : 0;
}

static gint64
complain(GPtrArray *found, GPtrArray *all, const char *text, GError **error)
{
    GString *names = g_string_new(NULL);
    g_autofree char *wanted = g_utf8_casefold(text, -1);
    for (guint i = 0; i < all->len; i++) {
        const struct folder *folder = all->pdata[i];
        g_autofree char *name = g_utf8_casefold(folder->name, -1);
        gboolean near = found->len ? g_ptr_array_find(found, folder, NULL)
                                   : strstr(name, wanted) || strstr(wanted, name) || *name == *wanted;
        if (near && names->len < 200)
            g_string_append_printf(names, "%s%s/%s", names->len ? ", " : "", folder->account_name,
                                   folder->name);
    }
    g_autofree char *list = g_string_free(names, FALSE);
    if (found->len)
        g_set_error(error, STORE_ERROR, ERROR_INPUT, "several folders are called \"%s\": say which one: %s",
                    text, list);
    else if (*list)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "there is no folder \"%s\": there is %s", text, list);
    else
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    "there is no folder \"%s\": \"postrider folders\" shows what there is", text);
    return 0;
}

gint64
folder_lookup(struct store *store, gint64 account, const char *text, GError **error)
{
    g_autoptr(GPtrArray) all = folder_list(store, 0, FALSE, error);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    int best = 0;
    gboolean here = FALSE;

    if (!all)
        return 0;
    const char *name = *text == '=' || *text == '+' ? text + 1 : text;
    const char *slash = strchr(name, '/');
    g_autofree char *prefix = slash ? g_strndup(name, (gsize)(slash - name)) : NULL;
    for (guint i = 0; i < all->len; i++) {
        struct folder *folder = all->pdata[i];
        int fit = MAX(fits(folder, NULL, name), prefix ? fits(folder, prefix, slash + 1) : 0);
        if (!fit)
            continue;
        gboolean at_hand = account && folder->account == account;
        if (at_hand > here || (at_hand == here && fit > best)) {
            g_ptr_array_set_size(found, 0);
            best = fit;
            here = at_hand;
        }
        if (at_hand == here && fit == best)
            g_ptr_array_add(found, folder);
    }
    if (found->len != 1)
        return complain(found, all, text, error);
    return ((struct folder *)found->pdata[0])->id;
}

static gboolean
name_is_bearable(const char *name, GError **error)
{
    guint levels = 1;
    for (const char *p = name; *p; p++)
        levels += *p == '/';
    g_autofree char *dir = folder_dir_from_name(name);
    if (*name && strlen(name) <= NAME_MAX_BYTES && levels <= LEVELS_MAX &&
        strlen(dir) <= 3 * NAME_MAX_BYTES && g_utf8_validate(name, -1, NULL))
        return TRUE;
    g_autofree char *start = g_strndup(name, 60);
    g_autofree char *safe = text_safe(start, -1, TEXT_LINE);
    g_set_error(error, STORE_ERROR, ERROR_SKIP,
                "the folder \"%s…\" is left out: its name is empty, too long or not UTF-8", safe);
    return FALSE;
}

char *
folder_dir_wanted(struct store *store, gint64 account, const char *name, const char *now)
{
    g_autofree char *base = sql_text(store, "SELECT dir FROM account WHERE id = ?", "l", account);
    if (!base)
        return NULL;
    gint64 flat = sql_int(store, -1, "SELECT tree_flat FROM account WHERE id = ? AND tree IS NOT NULL", "l", account);
    gsize length = strlen(base);
    if (flat >= 0 && now && g_str_has_prefix(now, base) && (now[length] == '/' || !now[length])) {
        g_autofree char *means = tree_dir_to_name(now + length + (now[length] == '/'));
        g_autofree char *spelt = means ? canonical(means) : NULL;
        if (!g_strcmp0(spelt, name))
            return g_strdup(now); /* somebody else called it so */
    }
    g_autofree char *below = flat < 0 ? folder_dir_from_name(name) : tree_dir_from_name(name, flat > 0);
    return *below ? g_build_filename(base, below, NULL) : g_strdup(base);
}

/* Where a new one goes. A folder that was called so may not have left the place yet: maildir_apply() sees to it. */
static char *
free_dir(struct store *store, gint64 account, const char *name, GError **error)
{
    g_autofree char *dir = folder_dir_wanted(store, account, name, NULL);
    if (!dir)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "there is no account number %" G_GINT64_FORMAT, account);
    if (!dir || !sql_int(store, 0, "SELECT 1 FROM folder WHERE dir = ? OR dir_want = ?1", "s", dir))
        return g_steal_pointer(&dir);
    g_autofree char *base = sql_text(store, "SELECT dir FROM account WHERE id = ?", "l", account);
    return folder_dir_aside(base, sql_int(store, 0, "SELECT max(id) + 1 FROM folder", ""));
}

gint64
folder_insert_found(struct store *store, gint64 account, const char *name, const char *dir, GError **error)
{
    g_autofree char *spelt = canonical(name);
    if (!name_is_bearable(spelt, error) ||
        !sql_run(store, error, "INSERT INTO folder (account, name, dir, role, bits) VALUES (?, ?, ?, ?, ?)", "lssii", account,
                 spelt, dir, (int)(strcmp(spelt, "INBOX") ? FOLDER_NONE : FOLDER_INBOX),
                 (int)(FOLDER_SELECTABLE | FOLDER_SUBSCRIBED)))
        return 0;
    return sqlite3_last_insert_rowid(store->db);
}

gint64
folder_upsert(struct store *store, gint64 account, const char *name, const char *wire, char delimiter,
              enum folder_role role, guint bits, GError **error)
{
    g_autofree char *spelt = canonical(name);
    gboolean own, ok;

    if (!name_is_bearable(spelt, error))
        return 0;
    if (!strcmp(spelt, "INBOX"))
        role = FOLDER_INBOX;
    bits &= FOLDER_SUBSCRIBED | FOLDER_SELECTABLE;
    gint64 id =
        sql_int(store, 0, "SELECT id FROM folder WHERE account = ? AND name = ?", "ls", account, spelt);
    if (id && sql_int(store, 0,
                      "SELECT wire IS ?1 AND delimiter = ?2 AND (role = ?3 OR ?3 = 0) AND bits & 3 = ?4 FROM "
                      "folder WHERE id = ?5",
                      "siiil", wire, delimiter, (int)role, (int)bits, id))
        return id; /* a listing that says nothing new writes nothing */
    if (!txn_enter(store, &own, error))
        return 0;
    if (id) {
        ok = sql_run(store, error,
                     "UPDATE folder SET wire = ?1, delimiter = ?2, bits = (bits & ~3) | ?4 WHERE id = ?5",
                     "siiil", wire, delimiter, 0, (int)bits, id) &&
             (!role || folder_set_role(store, id, role, error));
    } else {
        g_autofree char *dir = free_dir(store, account, spelt, error);
        ok = dir && sql_run(store, error,
                            "INSERT INTO folder (account, name, wire, delimiter, dir, role, bits) VALUES (?, ?, "
                            "?, ?, ?, ?, ?)",
                            "lssisii", account, spelt, wire, delimiter, dir, (int)role, (int)bits);
        id = sqlite3_last_insert_rowid(store->db);
    }
    return txn_leave(store, own, ok, error) ? id : 0;
}

static gboolean
rename_one(struct store *store, const struct folder_rename *rename, GError **error)
{
    if (folder_find(store, account_of(store, rename->folder), rename->name)) {
        g_set_error(error, STORE_ERROR, ERROR_REFUSED, "there is a folder \"%s\" already", rename->name);
        return FALSE;
    }
    return name_is_bearable(rename->name, error) &&
           sql_run(store, error, "UPDATE folder SET name = ?, wire = ?, delimiter = ? WHERE id = ?", "ssil",
                   rename->name, rename->wire, (int)rename->delimiter, rename->folder);
}

gboolean
folder_take_renames(struct store *store, const struct folder_rename *renames, guint n, GError **error)
{
    gboolean own, ok = TRUE;
    STEP("store.folder-renames");
    if (!txn_enter(store, &own, error))
        return FALSE;
    /* No name that a server may give has an empty level. */
    for (guint i = 0; i < n && ok; i++)
        ok = sql_run(store, error, "UPDATE folder SET name = '//' || id, wire = NULL WHERE id = ?", "l",
                     renames[i].folder);
    for (guint i = 0; i < n && ok; i++)
        ok = rename_one(store, &renames[i], error);
    return txn_leave(store, own, ok, error);
}

gboolean
folder_set_mailbox_id(struct store *store, gint64 id, const char *mailbox_id, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "UPDATE folder SET mailbox_id = ? WHERE id = ?", "sl", mailbox_id, id);
    return txn_leave(store, own, ok, error);
}

gboolean
folder_set_bits(struct store *store, gint64 id, guint set, guint clear, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        sql_run(store, error, "UPDATE folder SET bits = (bits | ?) & ~? WHERE id = ?", "iil", set, clear, id);
    return txn_leave(store, own, ok, error);
}

gboolean
folder_set_notice(struct store *store, gint64 id, const char *notice, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "UPDATE folder SET notice = ? WHERE id = ?", "sl", notice, id);
    return txn_leave(store, own, ok, error);
}

gboolean
folder_settled(struct store *store, gint64 id, GError **error)
{
    gboolean own;
    if (!sql_int(store, 0, "SELECT validity_changes FROM folder WHERE id = ?", "l", id))
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "UPDATE folder SET validity_changes = 0 WHERE id = ?", "l", id);
    return txn_leave(store, own, ok, error);
}

gboolean
folder_set_role(struct store *store, gint64 id, enum folder_role role, GError **error)
{
    gboolean own;

    if (sql_int(store, -1, "SELECT role FROM folder WHERE id = ?", "l", id) == (gint64)role)
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    /* Messages know the roles of their places: say it to all of them. */
    gboolean ok = sql_run(store, error, "UPDATE folder SET role = ? WHERE id = ?", "il", (int)role, id);
    g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q =
        ok ? sql_query(store, error, "SELECT message FROM placement WHERE folder = ?", "l", id) : NULL;
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 message = sqlite3_column_int64(q, 0);
        g_array_append_val(messages, message);
    }
    ok = ok && rc == 0;
    for (guint i = 0; ok && i < messages->len; i++)
        ok = message_refresh(store, g_array_index(messages, gint64, i), error);
    return txn_leave(store, own, ok, error);
}

gboolean
folder_set_sync(struct store *store, gint64 id, guint32 uidvalidity, guint32 uidnext, guint64 modseq,
                gint64 server_total, gint64 synced, GError **error)
{
    gint64 known = sql_int(store, 0, "SELECT uidvalidity FROM folder WHERE id = ?", "l", id);
    gboolean own;

    if (known && known != uidvalidity) {
        g_set_error(error, STORE_ERROR, ERROR_STALE, "the folder was numbered anew by its server");
        return FALSE;
    }
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        sql_run(store, error,
                "UPDATE folder SET uidvalidity = ?, uidnext = ?, modseq = ?, server_total = ?, synced = ? "
                "WHERE id = ?",
                "llllll", (gint64)uidvalidity, (gint64)uidnext, (gint64)modseq, server_total, synced, id);
    return txn_leave(store, own, ok, error);
}

gboolean
folder_reset_uidvalidity(struct store *store, gint64 id, guint32 uidvalidity, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    log_info("store.folder", "folder=%d uidvalidity -> %u", (int)id, uidvalidity);
    /* What was leaving leaves by its Message-ID once it is found again: it keeps its state. */
    gboolean ok =
        sql_run(store, error,
                "UPDATE placement SET uid = 0, modseq = 0, state = CASE state WHEN 0 THEN 2 ELSE state END"
                " WHERE folder = ? AND uid > 0",
                "l", id) &&
        sql_run(store, error,
                "UPDATE folder SET uidvalidity = ?, uidnext = 0, modseq = 0, validity_changes = "
                "validity_changes + 1"
                " WHERE id = ?",
                "ll", (gint64)uidvalidity, id);
    return txn_leave(store, own, ok, error);
}

/* ---- folders that are no more ---- */

#define FORGOTTEN "forgotten." /* a setting of this name for each whose directory may hold files yet */

static gboolean
note_forgotten(struct store *store, gint64 id, const char *path, GError **error)
{
    g_autofree char *key = g_strdup_printf(FORGOTTEN "%" G_GINT64_FORMAT, id);
    return store_set(store, key, path, error);
}

/* What lies elsewhere by a second name has no business here; a file of somebody else stays. */
static void
unlink_second_names(const char *dir, const char *part)
{
    g_autofree char *path = g_build_filename(dir, part, NULL);
    DIR *stream = opendir(path);
    struct dirent *d;
    struct stat st;
    while (stream && (d = readdir(stream)))
        if (fstatat(dirfd(stream), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1)
            unlinkat(dirfd(stream), d->d_name, 0);
    if (stream)
        closedir(stream);
}

gboolean
folder_sweep_forgotten(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *q = sql_query(store, error, "SELECT name, value FROM setting WHERE name GLOB '" FORGOTTEN "*'", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        g_ptr_array_add(keys, sql_dup(q, 0));
        g_ptr_array_add(paths, sql_dup(q, 1));
    }
    for (guint i = 0; rc == 0 && i < keys->len; i++) {
        const char *path = paths->pdata[i], *dir = path + MIN(strlen(path), strlen(store->mail_dir) + 1);
        if (!sql_int(store, 0, "SELECT 1 FROM folder WHERE dir = ?", "s", dir)) { /* no folder is called so again */
            unlink_second_names(path, "cur");
            unlink_second_names(path, "new");
            maildir_unmake(path);
        }
        if (!store_set(store, keys->pdata[i], NULL, error))
            rc = -1;
    }
    return rc == 0;
}

gboolean
folder_forget(struct store *store, gint64 id, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autofree char *path = folder_path(store, id, FALSE, error);

    if (!path)
        return FALSE;
    if (sql_int(store, 0, "SELECT 1 FROM placement WHERE folder = ? AND uid = 0 AND state = 0", "l", id)) {
        g_set_error(error, STORE_ERROR, ERROR_BUSY, "the folder holds mail that is on no server yet");
        return FALSE;
    }
    sqlite3_stmt *q = sql_query(store, error, "SELECT id FROM placement WHERE folder = ?", "l", id);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 placement = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, placement);
    }
    gboolean own;
    if (rc < 0 || !txn_enter(store, &own, error))
        return FALSE;
    /* What was on its way here goes where the folder went: the server still has it at its source. */
    gboolean ok =
        sql_run(
            store, error,
            "UPDATE intent SET kind = ?, target = 0, target_folder = 0 WHERE target_folder = ? AND kind = ?",
            "ili", (int)INTENT_EXPUNGE, id, (int)INTENT_MOVE) &&
        /* Another client may have moved or renamed it: its mail lies elsewhere by now. */
        placement_carry_elsewhere(store, (gint64 *)ids->data, ids->len, error) &&
        placement_discard(store, (gint64 *)ids->data, ids->len, error) &&
        sql_run(store, error,
                "DELETE FROM intent WHERE folder = ?1 OR source_folder = ?1 OR target_folder = ?1", "l",
                id) &&
        sql_run(store, error, "DELETE FROM folder_thread WHERE folder = ?", "l", id) &&
        sql_run(store, error, "DELETE FROM sync_event WHERE folder = ?", "l", id) &&
        sql_run(store, error, "DELETE FROM sync_total WHERE folder = ?", "l", id) &&
        sql_run(store, error, "DELETE FROM folder WHERE id = ?", "l", id) && note_forgotten(store, id, path, error);
    ok = txn_leave(store, own, ok, error);
    /* Killed before this, its files are still there: the next pass sweeps. */
    return ok && (!own || folder_sweep_forgotten(store, error));
}

char *
folder_path(struct store *store, gint64 id, gboolean make, GError **error)
{
    g_autofree char *dir = sql_text(store, "SELECT dir FROM folder WHERE id = ?", "l", id);
    if (!dir) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the folder is not there any more");
        return NULL;
    }
    g_autofree char *path = g_build_filename(store->mail_dir, dir, NULL);
    g_autofree char *want = sql_text(store, "SELECT dir_want FROM folder WHERE id = ?", "l", id);
    if (want) { /* a move that may have been stopped half-way: see apply.c */
        g_autofree char *cur = g_build_filename(path, "cur", NULL);
        if (!g_file_test(cur, G_FILE_TEST_IS_DIR)) {
            g_free(path);
            path = g_build_filename(store->mail_dir, want, NULL);
        }
    }
    if (make && !maildir_make(path, error))
        return NULL;
    return g_steal_pointer(&path);
}
