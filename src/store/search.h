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
/* From how many pages of the full text's index on a word, or all words that begin so, are common; and how many of the
 * newest messages are looked at first for such ones. Tests make all of it small. */
struct search_tuning {
    gint64 word_pages, beginning_pages;
    guint newest;
};
extern struct search_tuning search_tuning;

sqlite3_stmt *search_prepare(struct store *store, const struct query *query, const struct search_page *page,
                             GError **error);

/* SQL functions: has_text(text, folded needle), matches(pattern, text), mid_of(message id), has_me(packed
 * people), holds(words, is a beginning, text…): do the words stand side by side in one of the texts, or does
 * the last of them begin a word there? */
gboolean search_functions(struct store *store, GError **error);
/* NULL when it does not compile. */
GRegex *search_pattern(const char *pattern);

/* tokenizer.c: does the text hold any word that the full text could find? A single character of a script
 * without spaces is found as a beginning only (*single). */
gboolean tokenizer_has_words(const char *text, gboolean *single);
/* The words of a text, one after the other, as the full text has them, or (is_query) looks for them. A callback that
 * returns anything but SQLITE_OK is the last. */
typedef int (*tokenizer_word)(void *data, int flags, const char *word, int length, int start, int end);
void tokenizer_each(const char *text, gsize length, gboolean is_query, tokenizer_word callback, gpointer data);

#endif
