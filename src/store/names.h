/* names.h - the file names of a Maildir directory, many of them in little memory
 *
 * All names lie in one block, and are found in it by a table of four bytes each: a million names of 50 bytes take 60 MB
 * and no allocation of their own. Borrowed names live as long as the list. One thread.
 */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include <glib.h>

struct names;

struct names *names_new(void);
void names_free(struct names *names);
void names_add(struct names *names, const char *file, gboolean fresh);
/* Takes one of this very name off, whichever there is first; FALSE: there is none. Nothing is added after the first. */
gboolean names_take(struct names *names, const char *file);
/* The next one that was not taken, from *at = 0 on; NULL: no more. */
const char *names_next(const struct names *names, gsize *at, gboolean *fresh);
typedef struct names struct_names;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_names, names_free)

#endif
