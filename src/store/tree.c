/* Accounts whose folders are the user's own Maildirs: see tree.h. */
#include "config.h"

#include "store/tree.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/rows.h"
#include "base/fail.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEVELS_MAX 50
#define DIRECTORIES_MAX 10000

/* ---- the link ---- */

char *
store_account_tree(struct store *store, gint64 account)
{
    return sql_text(store, "SELECT tree FROM account WHERE id = ?", "l", account);
}

char *
tree_path(struct store *store, gint64 folder)
{
    g_autofree char *root = sql_text(
        store, "SELECT a.tree FROM folder f JOIN account a ON a.id = f.account WHERE f.id = ?", "l", folder);
    g_autofree char *below = sql_text(
        store, "SELECT substr(f.dir, length(a.dir) + 2) FROM folder f JOIN account a ON a.id = f.account WHERE f.id = ?", "l",
        folder);
    return g_build_filename(root ? root : "", below ? below : "", NULL);
}

static char *
link_path(struct store *store, gint64 account)
{
    g_autofree char *dir = sql_text(store, "SELECT dir FROM account WHERE id = ?", "l", account);
    return dir ? g_build_filename(store->mail_dir, dir, NULL) : NULL;
}

static gboolean
is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static gboolean
is_foreign(struct store *store, const char *path, GError **error)
{
    g_autofree char *real = realpath(path, NULL), *own = realpath(store->dir, NULL);
    gsize length = own ? strlen(own) : 0;
    if (!real || !own || strncmp(real, own, length) || (real[length] != '/' && real[length]))
        return TRUE;
    g_set_error(error, STORE_ERROR, ERROR_CONFIG, "%s lies in the mail store itself: `incoming` names a Maildir of yours", path);
    return FALSE;
}

gboolean
tree_is_there(struct store *store, gint64 account, GError **error)
{
    g_autofree char *path = store_account_tree(store, account);
    if (path && is_directory(path))
        return TRUE;
    g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                "there is no directory %s: make it, or mend `incoming` in the configuration", path ? path : "");
    return FALSE;
}

/* mail/ACCOUNT leads to the path. A directory with mail in it is not replaced. */
static gboolean
make_link(const char *link, const char *path, GError **error)
{
    g_autofree char *now = g_file_read_link(link, NULL), *fresh = g_strconcat(link, ".new", NULL);
    if (now && !strcmp(now, path))
        return TRUE;
    unlink(fresh);
    if (!now)
        rmdir(link); /* an empty one of ours */
    if (!STEP_FAILS("store.tree-link") && symlink(path, fresh) == 0 && rename(fresh, link) == 0)
        return TRUE;
    int why = errno;
    unlink(fresh);
    if (why == EISDIR || why == ENOTEMPTY || why == EEXIST) {
        g_set_error(error, STORE_ERROR, ERROR_CONFIG,
                    "%s holds the mail that this account had from a server: give the Maildir an account of another name", link);
        return FALSE;
    }
    error_set_errno(error, STORE_ERROR, why, "cannot make %s a link to %s", link, path);
    return FALSE;
}

gboolean
store_account_set_tree(struct store *store, gint64 account, const char *path, GError **error)
{
    g_autofree char *now = store_account_tree(store, account);
    g_autofree char *link = link_path(store, account);
    gboolean own;
    if (!path && now) {
        g_set_error(error, STORE_ERROR, ERROR_CONFIG,
                    "this account was the Maildir %s, whose mail stays there: give the server an account of another name", now);
        return FALSE;
    }
    if (!path)
        return TRUE;
    g_autofree char *target = link ? g_file_read_link(link, NULL) : NULL;
    if (!g_strcmp0(now, path) && !g_strcmp0(target, path))
        return TRUE;
    if (!link || !is_foreign(store, path, error) || !txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = make_link(link, path, error) &&
                  sql_run(store, error, "UPDATE account SET tree = ? WHERE id = ?", "sl", path, account) &&
                  (!is_directory(path) || tree_discover(store, account, NULL, error));
    return txn_leave(store, own, ok, error);
}

/* ---- what there is ---- */

struct found {
    char *below, *name;
};

static void
found_free(gpointer data)
{
    struct found *found = data;
    g_free(found->below);
    g_free(found->name);
    g_free(found);
}

struct walk {
    const char *root;
    GPtrArray *found; /* of struct found */
    GHashTable *seen; /* directories, by device and inode: a link may lead back */
    GPtrArray *notices;
};

static gboolean
is_maildir(const char *path)
{
    g_autofree char *cur = g_build_filename(path, "cur", NULL), *new = g_build_filename(path, "new", NULL);
    return is_directory(cur) && is_directory(new);
}

static void
notice(GPtrArray *notices, const char *path, const char *why)
{
    if (notices && notices->len < 100)
        g_ptr_array_add(notices, g_strdup_printf("%s was passed over: %s", path, why));
}

static gint
compare_found(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const struct found *const *)a)->below, (*(const struct found *const *)b)->below);
}

static gboolean
is_new(struct walk *walk, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return FALSE;
    return g_hash_table_add(walk->seen, g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)st.st_dev,
                                                        (guint64)st.st_ino));
}

static void
add_found(struct walk *walk, const char *path, const char *below)
{
    char *name = tree_dir_to_name(below);
    if (!name) {
        notice(walk->notices, path, "its name has an empty level");
        return;
    }
    struct found *found = g_new0(struct found, 1);
    found->below = g_strdup(below);
    found->name = name;
    g_ptr_array_add(walk->found, found);
}

static void
look(struct walk *walk, const char *below, guint levels)
{
    g_autofree char *path = *below ? g_build_filename(walk->root, below, NULL) : g_strdup(walk->root);
    if (!is_new(walk, path) || g_hash_table_size(walk->seen) > DIRECTORIES_MAX)
        return;
    if (is_maildir(path))
        add_found(walk, path, below);
    if (*below == '.' || levels > LEVELS_MAX) /* Maildir++ has no levels of directories */
        return;
    DIR *stream = opendir(path);
    struct dirent *d;
    if (!stream)
        notice(walk->notices, path, g_strerror(errno));
    while (stream && (d = readdir(stream))) {
        const char *name = d->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "cur") || !strcmp(name, "new") ||
            !strcmp(name, "tmp") || (d->d_type != DT_DIR && d->d_type != DT_LNK && d->d_type != DT_UNKNOWN))
            continue;
        g_autofree char *one = *below ? g_strconcat(below, "/", name, NULL) : g_strdup(name);
        g_autofree char *full = g_build_filename(walk->root, one, NULL);
        if (*name == '.' && (*below || !is_maildir(full))) /* .notmuch, .git */
            continue;
        look(walk, one, levels + 1);
    }
    if (stream)
        closedir(stream);
}

/* Maildir++: INBOX is the directory itself, and nothing lies below it in levels of directories. */
static gboolean
is_flat(const GPtrArray *found)
{
    gboolean root = FALSE;
    for (guint i = 0; i < found->len; i++) {
        const char *below = ((const struct found *)found->pdata[i])->below;
        if (*below && *below != '.')
            return FALSE;
        root = root || !*below;
    }
    return root;
}

/* ---- folders for it ---- */

static gboolean
take_found(struct store *store, gint64 account, const char *base, const struct found *found, GPtrArray *notices,
           GError **error)
{
    g_autofree char *dir = *found->below ? g_strconcat(base, "/", found->below, NULL) : g_strdup(base);
    if (sql_int(store, 0, "SELECT 1 FROM folder WHERE dir = ?", "s", dir))
        return TRUE;
    gint64 id = folder_find(store, account, found->name);
    g_autofree char *there = id ? folder_path(store, id, FALSE, NULL) : NULL;
    if (there && is_maildir(there)) {
        g_autofree char *path = g_build_filename(store->mail_dir, dir, NULL);
        notice(notices, path, "another directory is called the same");
        return TRUE;
    }
    if (id) /* made for a role, or by hand, and called otherwise here */
        return sql_run(store, error, "UPDATE folder SET dir = ?, dir_want = NULL WHERE id = ?", "sl", dir, id);
    g_autoptr(GError) why = NULL;
    if (folder_insert_found(store, account, found->name, dir, &why))
        return TRUE;
    if (why->code != ERROR_SKIP) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    notice(notices, dir, why->message);
    return TRUE;
}

/* Made for a role before anybody had looked what there is. */
static gboolean
is_stopgap(struct store *store, gint64 folder)
{
    g_autofree char *path = folder_path(store, folder, FALSE, NULL);
    return path && !is_maildir(path) &&
           sql_int(store, 0, "SELECT synced = 0 AND NOT EXISTS (SELECT 1 FROM placement WHERE folder = ?1) FROM folder WHERE"
                             " id = ?1", "l", folder);
}

static gboolean
hand_role(struct store *store, gint64 from, gint64 to, enum folder_role role, GError **error)
{
    return (!from || folder_set_role(store, from, FOLDER_NONE, error)) && folder_set_role(store, to, role, error) &&
           (!from || folder_forget(store, from, error));
}

/* By their names, where nothing else says it. */
static gboolean
give_role(struct store *store, gint64 account, enum folder_role role, const GPtrArray *found, GError **error)
{
    gint64 has = folder_find_role(store, account, role);
    if (has && !is_stopgap(store, has))
        return TRUE;
    for (const char *const *guess = folder_role_guesses(role); *guess; guess++)
        for (guint i = 0; i < found->len; i++) {
            const struct found *one = found->pdata[i];
            g_autofree char *lower = g_utf8_strdown(one->name, -1);
            gint64 id = strcmp(lower, *guess) ? 0 : folder_find(store, account, one->name);
            if (id && id != has)
                return hand_role(store, has, id, role, error);
        }
    return TRUE;
}

/* A folder that was seen and whose directory is no more: somebody deleted it. With files in it, that is for the brake
 * (maildir_scan()); without, it goes here. One that was made here gets its directory. */
static gboolean
follow_missing(struct store *store, const struct folder *folder, GError **error)
{
    g_autofree char *path = folder_path(store, folder->id, FALSE, error);
    if (!path)
        return FALSE;
    if (is_maildir(path) && folder->bits & FOLDER_PAUSED) /* it is back */
        return folder_set_bits(store, folder->id, 0, FOLDER_PAUSED, error) && folder_set_notice(store, folder->id, NULL, error);
    if (is_maildir(path) || folder->bits & FOLDER_GONE)
        return TRUE;
    if (!folder->synced && folder->role == FOLDER_NONE) {
        g_autofree char *made = folder_path(store, folder->id, TRUE, error);
        return made != NULL;
    }
    if (folder->role != FOLDER_NONE || sql_int(store, 0, "SELECT 1 FROM placement WHERE folder = ?", "l", folder->id))
        return TRUE;
    return folder_forget(store, folder->id, error);
}

static gboolean
take_all(struct store *store, gint64 account, const GPtrArray *found, GPtrArray *notices, GError **error)
{
    g_autofree char *base = sql_text(store, "SELECT dir FROM account WHERE id = ?", "l", account);
    gboolean ok = base && sql_run(store, error, "UPDATE account SET tree_flat = ?1 WHERE id = ?2 AND tree_flat <> ?1", "il",
                                  is_flat(found), account);
    for (guint i = 0; ok && i < found->len; i++)
        ok = take_found(store, account, base, found->pdata[i], notices, error);
    for (guint role = FOLDER_DRAFTS; ok && role < FOLDER_ROLES; role++)
        ok = give_role(store, account, role, found, error);
    g_autoptr(GPtrArray) folders = ok ? folder_list(store, account, TRUE, error) : NULL;
    ok = folders != NULL;
    for (guint i = 0; ok && i < folders->len; i++)
        ok = follow_missing(store, folders->pdata[i], error);
    return ok;
}

gboolean
tree_discover(struct store *store, gint64 account, GPtrArray *notices, GError **error)
{
    g_autofree char *root = store_account_tree(store, account);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(found_free);
    gboolean own;
    if (!tree_is_there(store, account, error))
        return FALSE;
    struct walk walk = {root, found, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), notices};
    is_new(&walk, store->dir); /* PATH may be a directory above the store */
    look(&walk, "", 0);
    g_hash_table_unref(walk.seen);
    g_ptr_array_sort(found, compare_found);
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = take_all(store, account, found, notices, error);
    return txn_leave(store, own, ok, error);
}

gboolean
tree_note_look(struct store *store, gint64 account, gint64 now, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "UPDATE folder SET synced = ? WHERE account = ? AND bits & ? = 0", "lli", now, account,
                          (int)(FOLDER_GONE | FOLDER_PAUSED));
    return txn_leave(store, own, ok, error);
}
