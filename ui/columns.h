/* columns.h - how a list line uses the width, how a tree is drawn, how days are grouped: pure, tested by
 * tables */
#ifndef UI_COLUMNS_H
#define UI_COLUMNS_H

#include <glib.h>

/* Column positions within a line, and widths; width 0: not shown. They never overlap and fit into `width`. */
struct columns {
    int mark;  /* 1 cell */
    int state; /* 1 cell: unread, flagged, verdict */
    int account; /* 1 cell: whose it is; -1: none */
    int date, date_width;
    int people, people_width;
    int subject, subject_width; /* with the preview, when `preview` */
    int size, size_width;
    int attachment; /* 1 cell; -1: none */
    gboolean preview;
};
void columns_layout(int width, gboolean size, gboolean account, struct columns *columns);

/* Side bar width for a screen of so many columns; 0: none. */
int columns_side_bar(int width, int wanted);

/* "├─", "│ └─": one string a row from the depths of a tree in order, at most `limit` levels drawn.
 * NULL-terminated. */
char **columns_tree(const guint *depths, guint n, guint limit);

/* "Today", "Yesterday", "This week", "October", "2024": translated, borrowed or interned. The day number is
 * clock_local_day(). */
const char *columns_day_group(gint64 seconds, gint64 now);

#endif
