/* owner.h - for src/store alone: who holds a row, so that the next one sees whether it still lives */
#ifndef STORE_OWNER_H
#define STORE_OWNER_H

#include <glib.h>

/* This process: its number, when it began, and the boot; another process with the same number is another
 * owner. */
char *owner_self(void);
gboolean owner_is_alive(const char *owner); /* a zombie is not */

#endif
