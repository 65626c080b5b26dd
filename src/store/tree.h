/* tree.h - an account whose folders are the user's own Maildirs, where they lie (incoming = maildir:PATH)
 *
 * mail/ACCOUNT is a symbolic link to PATH, so that everything else finds its files as always. No file is moved, and none is
 * renamed but for its flags: mbsync, mutt, notmuch and fetchmail go on with them. PATH may be
 *   - one Maildir, with others beside it as ".Name" and ".Name.Below" (Maildir++, as Dovecot and Courier keep them): PATH
 *     itself is INBOX; or
 *   - a directory of Maildirs, "Name" and "Name/Below", as mbsync's SubFolders Verbatim and mutt have them.
 * Folders come and go with their directories (tree_discover()). The account is a local one (account.h): what is wanted is
 * done in the transaction that says so. Same thread as the store.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include "store/store.h"

/* The account's PATH; NULL: it is none of these. Writes only when something differs; then its folders are looked for, unless
 * PATH is not there yet. ERROR_CONFIG: it lies in the store, or the account has mail of another kind already, which stays
 * as it is. */
gboolean store_account_set_tree(struct store *store, gint64 account, const char *path, GError **error);
char *store_account_tree(struct store *store, gint64 account); /* PATH, or NULL */

/* Where the user knows a folder's Maildir: below PATH, not below the store. */
char *tree_path(struct store *store, gint64 folder);

/* ERROR_NOINPUT: PATH is not there. */
gboolean tree_is_there(struct store *store, gint64 account, GError **error);

/* Folders of directories that came; those whose directories went without leaving mail here are forgotten. `notices` (may be
 * NULL) receives sentences about what is passed over. ERROR_NOINPUT: PATH is not there (not mounted): nothing is changed. */
gboolean tree_discover(struct store *store, gint64 account, GPtrArray *notices, GError **error);

/* All of them were looked through. */
gboolean tree_note_look(struct store *store, gint64 account, gint64 now, GError **error);

/* Below PATH, and back: "" is INBOX. `flat`: as Maildir++. What stands in the other form is understood as well. */
char *tree_dir_from_name(const char *name, gboolean flat);
char *tree_dir_to_name(const char *below); /* NULL: no name can be had from it */

#endif
