/* hits.h - the words that a search looked for, marked where they are shown
 *
 * Only what must be there is marked (not the words behind "not"), without regard to case and accents, whole words unless
 * the search took beginnings. Main loop only.
 */
#ifndef UI_HITS_H
#define UI_HITS_H

#include "store/query.h"

struct hits;

/* NULL when there is no word to mark (query NULL too). */
struct hits *hits_new(const struct query *query);
void hits_free(struct hits *hits);

/* The first hit in text at or after `from` (a byte offset): *start and *end. hits NULL: none. */
gboolean hits_find(const struct hits *hits, const char *text, gsize from, gsize *start, gsize *end);

/* term_put(), with the hits in another style. */
int hits_put(const struct hits *hits, int row, int column, int max, guint style, guint hit_style, const char *text);

#endif
