/* pack.h - the text of a message as the store keeps it
 *
 * Deflated (RFC 1951) where that makes it shorter: then a blob, the length of the text in four bytes (little endian) before it.
 * Otherwise the text itself. Any thread. SQL unpacks it with unpacked(): plain text passes through, what is damaged is NULL.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <glib.h>
#include <sqlite3.h>

#define PACK_MAX (256 * 1024) /* bytes of text */

/* NULL: packing would not make it shorter. `length` is at most PACK_MAX. */
GBytes *pack_text(const char *text, gsize length);
/* NULL: it was not made by pack_text(). The caller owns it; ends with a NUL that *length does not count. */
char *unpack_text(const void *packed, gsize size, gsize *length);

/* Makes unpacked() known, also to views. An SQLite code. */
int pack_register(sqlite3 *db);

#endif
