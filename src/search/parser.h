/* parser.h - what the two parsers share: the text, where they are in it, and how they complain
 *
 * For query.c and pattern.c alone.
 */
#ifndef SEARCH_PARSER_H
#define SEARCH_PARSER_H

#include "store/query.h"

struct search_parser {
    const char *text;
    const char *p;
    gint64 now;
    guint depth;  /* open parentheses */
    guint column; /* of the first error */
    GError *error;
};

/* A term of notmuch's language at parser->p: from:ana, "a phrase", word*. NULL without error when it holds
 * nothing to look for. *field_row receives the number of its field plus one where two of it mean "or"; else
 * 0. */
struct query *search_parse_term(struct search_parser *parser, guint *either);
/* A whole expression, up to the end or the closing parenthesis. */
struct query *search_parse_notmuch(struct search_parser *parser);
/* mutt's language, likewise. */
struct query *search_parse_pattern(struct search_parser *parser);
/* TRUE when some word of it is a ~ pattern. */
gboolean search_looks_like_pattern(const char *text);
/* mutt's plain words at the limit prompt: "all", "unread", … or text that stands in sender or subject. */
struct query *search_parse_simple(struct search_parser *parser);

/* Marks the tree with the place where its text began, and that where the parser is now; passes NULL through. */
struct query *search_parser_note(struct search_parser *parser, struct query *query, const char *start);
/* Remembers the first complaint; always NULL. */
gpointer search_parser_fail(struct search_parser *parser, const char *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Likewise with an error from below, which it takes. */
gpointer search_parser_take_error(struct search_parser *parser, const char *at, GError *error);
gboolean search_parser_enter(struct search_parser *parser, const char *at);
void search_parser_leave(struct search_parser *parser);

#endif
