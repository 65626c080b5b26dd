/* draw.h - small drawing helpers over term.h, shared by the views */
#ifndef UI_DRAW_H
#define UI_DRAW_H

#include "ui/theme.h"
#include "ui/view.h"

#define PLAIN(role) STYLE_ON(role, GROUND_PLAIN)

/* A rule of ─ (or -). */
void draw_rule(int row, int column, int columns);
void draw_column_rule(int row, int rows, int column);
/* One or two texts at the ends of a line. The left one gives way. */
void draw_ends(int row, const struct area *area, guint left_style, const char *left, guint right_style,
               const char *right);
/* "▰▰▰▱▱": a bar of `cells`. */
char *draw_bar(guint64 done, guint64 total, int cells);
/* Centred, dim: what an empty view says. Lines separated by \n. */
void draw_notice(const struct area *area, const char *text);
/* Wrapped, at most area->rows lines of it. */
void draw_paragraph(const struct area *area, guint style, const char *text);
/* "r reply  g all  …" from command names of this context: name, label, name, label, …, NULL. New string of
 * "key label" pairs. */
struct app;
void draw_hints(struct app *app, int row, const struct area *area, guint context, const char *const *pairs,
                const char *right);

#endif
