/* mailfiles.h - messages in files, folders, Maildirs and mboxes, one after the other
 *
 * Nothing is written. One thread.
 */
#ifndef CLI_MAILFILES_H
#define CLI_MAILFILES_H

#include <glib.h>

/* `label` is the path, with the number of the message (PATH:3) when the file is an mbox of several. FALSE ends
 * the walk. */
typedef gboolean (*mailfile_func)(const char *label, GBytes *message, gpointer data, GError **error);

/* Every message under `path`, sorted by name; hidden files, tmp/ of a Maildir and what Dovecot keeps beside the
 * mail are passed over, so are files above MESSAGE_SIZE_MAX. A path that is not there is ERROR_NOINPUT; a file
 * that goes while it is looked at is passed over. */
gboolean mailfiles_each(const char *path, mailfile_func each, gpointer data, GError **error);

#endif
