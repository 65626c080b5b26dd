/* search_server.h - search --server: what the servers find among the mail whose bodies are not here */
#ifndef CLI_SEARCH_SERVER_H
#define CLI_SEARCH_SERVER_H

#include "store/store.h"

/* Prints the rows, newest first, after a word on how many. A server that could not be asked is told of, with its exit code;
 * what the others found is printed all the same. limit 0: all. */
gboolean search_server(struct store *store, const char *text, gboolean everything, gint64 limit, int *exit_code,
                       GError **error);

#endif
