/* rows.h - how a message looks in the lists of list, search and thread: a line for people, an object for
 * programs */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "base/json.h"
#include "search/hits.h"
#include "store/list.h"

/* {"name": …, "address": …} */
void rows_json_address(struct json *json, const char *key, const char *name, const char *address);
/* An array of them. */
void rows_json_addresses(struct json *json, const char *key, const GPtrArray *list);
/* "flags" and "tags" arrays. */
void rows_json_flags(struct json *json, guint flags, const char *tags);

/* Prints the rows (GPtrArray of struct list_row), aligned for the width of the terminal, or as JSON with
 * --json. */
gboolean rows_print(struct store *store, const GPtrArray *rows, GError **error);
/* With the text around the hits: in JSON always, for people on a line below each when `below`. hits NULL: none. */
gboolean rows_print_found(struct store *store, const GPtrArray *rows, const struct hits *hits, gboolean below,
                          GError **error);

/* Columns of the terminal on standard output, 100 when it is none. */
int rows_width(void);

/* The ids of words such as 17 or id:…; "-" reads them from standard input, one a line. */
GArray *rows_lookup(struct store *store, char **words, int n, GError **error);

#endif
