/* Between the three parts of the HTML reader: html.c hears the parser, html_style.c says what can be seen,
 * html_layout.c makes lines and tables. */
#ifndef MAIL_HTML_PRIVATE_H
#define MAIL_HTML_PRIVATE_H

#include "mail/flow.h"

#include <libxml/HTMLparser.h>

#define TABLE_DEPTH_MAX 24
#define LINK_TEXT_MAX 500
#define INDENT_MAX 40
#define QUOTE_MAX 20

/* Around the mark of a link while lines may still move; such bytes of the message itself are dropped. */
#define MARK_BEGIN '\001'
#define MARK_END '\002'

#define COLOR_UNKNOWN (-1)

enum element {
    OTHER, /* inline, and whatever is unknown */
    BLOCK, /* on lines of its own */
    PARA,  /* a block with a blank line before and after */
    HEADING,
    QUOTE,
    LIST_UL,
    LIST_OL,
    ITEM,
    TERM_TEXT, /* dd */
    PRE,
    TABLE,
    ROW,
    CELL,
    LINK,
    IMAGE,
    BREAK,
    RULE,
    SKIP, /* content is not for reading */
    QUOTED_WORDS,
};

/* Lines on their way: of the whole text, or of a table's cell. */
struct sink {
    GString *text;
    GArray *lines; /* of struct document_line, offsets into text; depth is not used */
    gboolean gap;  /* a blank line is wanted before the next one */
};

struct table {
    GPtrArray *rows;    /* of GPtrArray of struct sink */
    struct sink *outer; /* where the table itself goes */
    guint quote, indent;
    char *marker;
    gboolean in_cell;
};

/* What an open element changed, to be put back when it closes. */
struct open {
    enum element element;
    char name[12];
    gint32 color, background;
    gboolean tiny, hidden;
    guint quote, indent, heading, pre;
    guint counter; /* items of a list so far */
};

struct html {
    struct flow *flow;
    htmlParserCtxt *parser;
    guint flags;

    const char *input, *prefix;
    gsize left;
    gint64 deadline;
    gboolean text_only, in_tag;

    GArray *stack;  /* of struct open */
    guint overflow; /* open elements that have no room there */
    guint skip;
    gint32 color, background;
    gboolean tiny, hidden;

    struct sink *sink;
    GPtrArray *tables; /* of struct table, the innermost last */
    GString *line;
    gboolean space; /* white space is due before the next word */
    guint quote, indent, heading, pre;
    char *marker; /* of a list item whose first line has not come yet */
    gsize produced;

    char *href; /* of the open link */
    GString *link_text;
};

/* html_layout.c */

void html_end_line(struct html *html);
void html_gap(struct html *html);
void html_put_text(struct html *html, const char *text, gsize length);
void html_emit(struct html *html, const char *text, gsize length, guint line_flags);
void html_table_begin(struct html *html);
void html_table_end(struct html *html);
void html_row_begin(struct html *html);
void html_cell_begin(struct html *html);
void html_cell_end(struct html *html);
struct sink *html_sink_new(void);
void html_sink_free(struct sink *sink);
struct document_line *html_sink_last(struct sink *sink);
gboolean html_is_blank(const char *text, gsize length);
gboolean html_is_invisible(gunichar c);
void html_table_free(struct table *table);

/* html_style.c */

const char *html_attribute(const xmlChar **attributes, const char *name);
void html_apply_attributes(struct html *html, const xmlChar **attributes);
gboolean html_is_unseen(const struct html *html);

#endif
