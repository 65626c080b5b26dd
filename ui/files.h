/* files.h - mail outside the store: a message file, an mbox, a Maildir (postrider -f PATH)
 *
 * Reads only: nothing is ever written to the path, and nothing is followed that is no regular file. A message
 * file opens in the reader. The heads of a Maildir or mbox are read by a thread into a store of its own, in a
 * private directory that goes with the session; bodies are read from the path when they are opened.
 */
#ifndef UI_FILES_H
#define UI_FILES_H

#include <glib.h>

struct app;
struct files;

GQuark files_error_quark(void);

void files_open(struct app *app, const char *path);
void files_free(struct files *files);

/* The bytes of a message, wherever the list at hand has it from: the path, or the store. */
GBytes *files_message_bytes(struct app *app, gint64 message, GError **error);

/* Where the messages of an mbox begin: GArray of guint64 offsets, with the length of the file at the end.
 * NULL when it is none. Reads the descriptor from the start. */
GArray *files_mbox_offsets(int fd, GError **error);
/* A message of an mbox as it was: without its "From " line and one '>' before quoted "From ". */
GBytes *files_mbox_unquote(const char *bytes, gsize length);

#endif
