/* What type a file to be attached has, by its name and its first bytes.  Pure, any thread; no system database
 * is asked. */
#ifndef MAIL_MIMETYPE_H
#define MAIL_MIMETYPE_H

#include <glib.h>

/* Borrowed, static; "application/octet-stream" when nothing else fits.  name may be NULL. */
const char *mimetype_guess(const char *name, const char *bytes, gsize length);
/* "pdf" for "application/pdf"; "bin" when there is none.  Borrowed, static. */
const char *mimetype_extension(const char *type);

#endif
