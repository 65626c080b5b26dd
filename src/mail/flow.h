/* Readable text while it is made: logical lines with what they are, and links.
 *
 * Used by the plain text and the HTML side of the reader; document.text, lines and links come out of it.
 * Lines are as wide as they like: the screen wraps them.  Not for other folders.  One thread. */
#ifndef MAIL_FLOW_H
#define MAIL_FLOW_H

#include "mail/document.h"

struct flow {
    GString *text;
    GArray *lines;      /* of struct document_line */
    GPtrArray *links;   /* of struct document_link */
    guint next_number;  /* of the next link */
    guint links_listed; /* links that the list at the end has already */
    gboolean full;      /* LIMIT_TEXT was reached: nothing more is taken */
    gboolean links_full;
};

void flow_init(struct flow *flow, guint first_link);
void flow_clear(struct flow *flow);

/* Adds one logical line (without LF; LF, CR and NUL inside become spaces). depth is counted from its quote
 * marks. */
void flow_line(struct flow *flow, const char *line, gsize length, guint line_flags);
/* An empty line, unless the last one is empty or there is none yet. */
void flow_gap(struct flow *flow);

/* A link's number; the same address keeps its number.  0 when there are too many. */
guint flow_link(struct flow *flow, const char *url, const char *text);
/* When all are there: what is no warning beside the others. */
void flow_settle_links(struct flow *flow);
/* Where the mark of a link stands. */
void flow_link_place(struct flow *flow, guint number, gsize offset, gsize length);
/* Finds addresses in the lines from `first` on (plain text). */
void flow_find_links(struct flow *flow, guint first);
/* The list "[3] https://…" of the links since the last one. */
void flow_list_links(struct flow *flow);

/* Number of quote marks at the start of a line ("> > ", ">> "); *length receives the bytes they take, one
 * space after each included. */
guint quote_depth(const char *line, gsize *length);

/* text/plain: lines of UTF-8 text; with flowed the paragraphs of RFC 3676 are joined. */
void flow_plain(struct flow *flow, const char *text, gboolean flowed, gboolean delsp);

#endif
