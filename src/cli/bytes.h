/* bytes.h - the bytes of a message that a command names: of the store (fetched when they are not here), or of
 * a file */
#ifndef CLI_BYTES_H
#define CLI_BYTES_H

#include "store/store.h"

#define MESSAGE_SIZE_MAX (256 * 1024 * 1024)

/* `word`: an ID, id:MESSAGE-ID, a path, or "-" for standard input. *message (may be NULL) receives the id, 0
 * for a file. What is only known by its envelope is fetched through the engine, which is waited for. */
GBytes *bytes_of(const char *word, gint64 *message, GError **error);

#endif
