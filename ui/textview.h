/* textview.h - a text to look at: help, headers, the output of a command, what the bottom line said */
#ifndef UI_TEXTVIEW_H
#define UI_TEXTVIEW_H

#include "ui/view.h"

/* Copies. The text is made safe when it is laid out. */
struct view *textview_open(struct app *app, const char *title, const char *text);
/* What is wrapped of a line stands under its text, not under the label before that. */
struct view *textview_open_labelled(struct app *app, const char *title, const char *text);
/* Each line in its own role: lines are added with textline_add(); the array is freed. */
struct textline {
    char *text;
    guint role; /* enum role */
    int hang;   /* columns by which what is wrapped of it is indented */
};
GPtrArray *textlines_new(void);
void textline_add(GPtrArray *lines, guint role, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Of the line that was added last. */
void textline_hang(GPtrArray *lines, int hang);
struct view *textview_open_lines(struct app *app, const char *title, const char *right, GPtrArray *lines);
/* Bytes of any kind. */
struct view *textview_open_bytes(struct app *app, const char *title, const char *bytes, gsize length);

/* / and n in a text view. */
void textview_find(struct view *view, const char *needle);
gboolean textview_find_next(struct view *view);
extern const struct view_class text_class;

#endif
