/* indexer.h - the index worker: the only writer of notmuch's index, at low priority
 *
 * The work is search/notmuch_index.h's; here are the process, its line to the supervisor and its pace.
 */
#ifndef ENGINE_INDEXER_H
#define ENGINE_INDEXER_H

#include <stdio.h>

/* The process of `postrider-index --index`; the exit code. */
int indexer_run(int control_fd);

/* `postrider-index --notmuch QUERY`: the message ids that notmuch finds, newest first, one a line; the exit
 * code. */
int indexer_search(const char *query, FILE *out);

#endif
