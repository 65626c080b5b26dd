/* editor.h - a small editor for those who have set none: soft wrap, Emacs keys, cut and put back, find
 *
 * A view of its own. Ctrl-X or Esc Esc ends it and keeps the text; nothing typed is ever thrown away by it.
 */
#ifndef UI_EDITOR_H
#define UI_EDITOR_H

#include "ui/key.h"

struct app;

typedef void (*editor_func)(struct app *app, const char *text, gpointer data);

/* `changed` is called some seconds after typing, and `done` at the end. */
void editor_open(struct app *app, const char *title, const char *text, editor_func changed, editor_func done,
                 gpointer data);

/* The text alone, without a screen: pure, tested by tables. */
struct editor_text {
    GPtrArray *lines; /* of GString */
    guint row;
    gsize column; /* bytes */
    GString *cut;
    gboolean cutting;
    int goal; /* cells, for Up and Down; -1 */
};
struct editor_text *editor_text_new(const char *text);
void editor_text_free(struct editor_text *text);
char *editor_text_get(const struct editor_text *text);
/* TRUE: the text was changed. *moved: the cursor at least. */
gboolean editor_text_key(struct editor_text *text, const struct key_event *event, int page, gboolean *moved);

#endif
