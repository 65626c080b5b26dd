/* pattern.h - mutt's search patterns (muttrc(5), "PATTERNS"), as the table that the parser and the manual
 * read
 *
 * Every pattern of mutt has a row; one that cannot be answered here says why and what to write instead. EXPR
 * is a regular expression after ~ and plain text after =; % (address groups) is refused. Pure; any thread.
 */
#ifndef SEARCH_PATTERN_H
#define SEARCH_PATTERN_H

#include "store/query.h"

enum pattern_argument {
    PATTERN_NONE,  /* ~F */
    PATTERN_TEXT,  /* ~f EXPR */
    PATTERN_RANGE, /* ~m MIN-MAX, <MAX, >MIN */
    PATTERN_SIZE,  /* the same with K and M */
    PATTERN_DATE,  /* ~d */
    PATTERN_INNER, /* ~(PATTERN) */
    PATTERN_REFUSED
};

struct pattern {
    char letter;
    enum pattern_argument argument;
    struct query *(*make)(const struct pattern *pattern, const char *text,
                          gboolean is_regex); /* NULL: by kind */
    enum query_kind kind;
    guint fields;
    const char *help;    /* "messages from EXPR" */
    const char *instead; /* PATTERN_REFUSED: what to do */
};

/* Ends with letter 0. */
extern const struct pattern patterns[];

#endif
