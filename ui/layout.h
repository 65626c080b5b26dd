/* layout.h - a document's text as lines of the screen: wrapped, quotes folded, links marked; pure, tested by
 * tables
 *
 * Every text in a layout is safe (base/text.h). The caller owns the array.
 */
#ifndef UI_LAYOUT_H
#define UI_LAYOUT_H

#include "mail/document.h"
#include "ui/theme.h"

struct layout_span {
    guint start, length; /* bytes of the line's text */
    enum role role;
    guint link; /* index in the document's links plus one; 0: none */
};

struct layout_line {
    char *text;
    enum role role;
    GArray *spans; /* of struct layout_span, in order; NULL: none */
    guint source;  /* line of the document that it comes from */
    guint folded;  /* stands for so many quoted lines */
    gboolean rule; /* a rule across the page */
};

struct layout_options {
    int width;
    gboolean fold; /* runs of quoted lines longer than LAYOUT_FOLD_MIN become one line */
};
#define LAYOUT_FOLD_MIN 6
/* Lines of text are not wrapped wider than this: long lines are hard to read. */
#define LAYOUT_WIDTH_MAX 100

GPtrArray *layout_document(const struct document *document, const struct layout_options *options);
/* Plain text (headers, help, the output of a command). */
GPtrArray *layout_text(const char *text, int width);
/* hangs: of int, one a line of the text: how far what is wrapped of it is indented. */
GPtrArray *layout_hanging(const char *text, int width, const GArray *hangs);

/* Tabs to the next multiple of eight cells. A new string. */
char *layout_untab(const char *text);

#endif
