/* hits.h - text on the screen with the words that a search looked for marked. Main loop only. */
#ifndef UI_HITS_H
#define UI_HITS_H

#include "search/hits.h"

/* term_put(), with the hits in another style; hits NULL: none. */
int hits_put(const struct hits *hits, int row, int column, int max, guint style, guint hit_style, const char *text);

#endif
