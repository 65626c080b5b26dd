/* savefile.h - files of the user's: saving under a safe name, completing paths */
#ifndef UI_SAVEFILE_H
#define UI_SAVEFILE_H

#include "ui/prompt.h"

GQuark savefile_error_quark(void);

/* What was used last, else the downloads directory, else the home directory. New string. */
char *savefile_directory(void);

/* Saves to `target`: a directory (existing, or ending in /) gets `name` in it; else it is the file. Never
 * over another file: "name-1.pdf" then. Tells what it did in the bottom line. */
gboolean savefile(struct app *app, const char *target, const char *name, const void *bytes, gsize length);

/* The same without a screen: *path receives where it went. O_EXCL, O_NOFOLLOW, 0600 (M7). */
gboolean savefile_write(const char *target, const char *name, const void *bytes, gsize length, char **path,
                        GError **error);

/* For prompt_spec.complete. */
GPtrArray *savefile_complete(struct app *app, const char *text, gsize cursor, gsize *from, gsize *to,
                             gpointer data);

#endif
