/* hits.h - the words that a search looked for, found again in what is shown
 *
 * Only what must be there counts (not the words behind "not"), without regard to case and accents, whole words unless
 * the search took beginnings. Any thread.
 */
#ifndef SEARCH_HITS_H
#define SEARCH_HITS_H

#include "store/query.h"

#define HITS_WORDS_MAX 40

struct hits;

/* The words that are looked for in one of these fields (QUERY_ANYWHERE: all). NULL when there is none (query NULL too). */
struct hits *hits_new(const struct query *query, guint fields);
void hits_free(struct hits *hits);
typedef struct hits struct_hits;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_hits, hits_free)

/* The first hit in text at or after `from` (a byte offset): *start and *end. hits NULL: none. */
gboolean hits_find(const struct hits *hits, const char *text, gsize from, gsize *start, gsize *end);
/* And which word it was: a number below HITS_WORDS_MAX. */
gboolean hits_find_word(const struct hits *hits, const char *text, gsize from, gsize *start, gsize *end, guint *word);

/* The piece of a body around the hits: one line of at most `most` characters, of all such pieces that with the most of
 * the words, the first of them; "…" where it is cut. Unsafe as the body. NULL: none stands there. */
char *hits_snippet(const struct hits *hits, const char *body, guint most);

#endif
