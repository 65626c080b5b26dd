/* query.h - what a user writes into a search or limit prompt, turned into the tree of store/query.h, and back
 * into words
 *
 * One language for all: notmuch's (notmuch-search-terms(7)). At the limit prompt also mutt's ~ patterns, and
 * plain words that look at sender and subject; the two may be mixed. doc/guide tells the differences from
 * notmuch: ours has more fields, and -word works at the start.
 *
 * Errors (SEARCH_ERROR, ERROR_INPUT) are one sentence that begins with the column and ends with what to write
 * instead. Input may be anything: it is bounded by QUERY_TEXT_MAX, QUERY_DEPTH_MAX and QUERY_NODES_MAX. The
 * caller owns what is returned. Nothing here reads the store. Any thread.
 */
#ifndef SEARCH_QUERY_H
#define SEARCH_QUERY_H

#include "search/error.h"
#include "store/query.h"

enum search_mode {
    SEARCH_NOTMUCH, /* the search command and the search box */
    SEARCH_LIMIT    /* the limit prompt */
};

/* Empty text and "*" are all messages. `column` (may be NULL) receives where an error was seen, in characters
 * from 1. */
struct query *search_parse(const char *text, enum search_mode mode, guint *column, GError **error);
/* The same against another clock. */
struct query *search_parse_at(const char *text, enum search_mode mode, gint64 now, guint *column,
                              GError **error);

/* Takes the tree and returns it without deleted mail and without junk, each unless the query names it
 * (store/query.h, query_names_trash()), as notmuch's search.exclude_tags has it. */
struct query *search_exclude(struct query *query);

/* The tree in words: `from "ana", unread, not tagged "work"`. Text in it is as the user wrote it: text_safe()
 * it. */
char *search_explain(const struct query *query);

/* The chips above a list: one for each condition that must hold. */
struct search_chip {
    char *words;   /* as search_explain() has it */
    char *without; /* what the user wrote but for this condition, "" when it was the only one; NULL: it cannot be
                      taken away without writing the search anew */
    guint column;  /* where it began */
};
/* Of a text that search_parse() understands (else an empty array): GPtrArray of struct search_chip, in the
 * order of the text. None where the text finds everything. */
GPtrArray *search_chips(const char *text, enum search_mode mode);

/* What the completion draws from; each NULL-terminated or NULL. */
struct search_words {
    const char *const *tags;
    const char *const *folders;
    const char *const *accounts;
};
/* What may stand instead of the word before `cursor` (a byte offset): full words, best first, at most 50; an
 * empty array when nothing fits. `start` receives where that word begins. People are the store's to complete:
 * *is_address is set when the word is the value of from:, to:, cc: or bcc:, and `start` is then after the
 * colon. */
char **search_complete(const char *text, gsize cursor, enum search_mode mode,
                       const struct search_words *words, gsize *start, gboolean *is_address);

#endif
