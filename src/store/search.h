/* search.h - for src/store alone: the SQL that a search tree becomes */
#ifndef STORE_SEARCH_H
#define STORE_SEARCH_H

#include "store/list.h"
#include "store/query.h"

#include <sqlite3.h>

/* A prepared search for one page: rows of (message id, key, thread), by key. sqlite3_finalize() ends it. */
struct search_page {
    gboolean everything;
    enum list_direction direction;
    gint64 key; /* beyond it; 0: from the end */
    guint limit;
    const gint64 *marked;
    guint n_marked;
};
sqlite3_stmt *search_prepare(struct store *store, const struct query *query, const struct search_page *page,
                             GError **error);

/* SQL functions: has_text(text, folded needle), matches(pattern, text), mid_of(message id), has_me(packed
 * people). */
gboolean search_functions(struct store *store, GError **error);
/* NULL when it does not compile. */
GRegex *search_pattern(const char *pattern);

/* tokenizer.c: does the text hold any word that the full text could find? A single character of a script
 * without spaces is found as a beginning only (*single). */
gboolean tokenizer_has_words(const char *text, gboolean *single);

#endif
