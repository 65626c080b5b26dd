/* scan.h - what other programs did to the Maildir becomes intents; what is wanted here reaches the file names
 *
 * mutt, notmuch, afew and others rename files (flags), add and remove them. maildir_scan() compares a
 * folder's directory with its placements and writes down the difference as the user's intent: flags merged
 * three ways (the name that we knew, the name there is now, what is wanted), a new file is an append, a file
 * that is missing is a delete. Files that a crash of ours left behind are recognised and never uploaded
 * twice. For the engine. Same thread as the store.
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "mail/index.h"
#include "store/store.h"

struct scan_result {
    guint flags, added, removed, moved, orphans; /* files */
    gboolean braked; /* more were missing than may be: nothing was deleted, the folder has a notice (D11) */
    GPtrArray *notices; /* sentences, or NULL */
};
void scan_result_clear(struct scan_result *result);

/* Reads a new file for the list and the index; NULL: unreadable (it is kept all the same). */
typedef struct message_index *(*scan_reader)(GBytes *message, gpointer data);

enum scan_how {
    SCAN_FORCE = 1,  /* also when neither directory changed since the last time; without it that is cheap */
    SCAN_AGREED = 2, /* the user agreed to what the brake held back */
};
gboolean maildir_scan(struct store *store, gint64 folder, guint how, scan_reader reader, gpointer data,
                      struct scan_result *result, GError **error);
/* Renames the files of a folder (0: of all) whose name does not show the wanted flags, unlinks those of
 * placements that have left, finishes folder renames. */
gboolean maildir_apply(struct store *store, gint64 folder, GError **error);

/* Files of ours are about to come into a folder (maildir_scan() and maildir_apply() say so themselves). */
void maildir_expect(struct store *store, gint64 folder);
/* After that, and after a scan: when nobody but us changed the folders, the next scan need not read them. maildir_apply()
 * ends with it. */
gboolean maildir_settle(struct store *store, GError **error);

#endif
