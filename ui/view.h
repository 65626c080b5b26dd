/* view.h - a view: one thing that fills the screen, on a stack
 *
 * A view has a model that reads the store, draws only what is visible, and is told when something changed.
 * Views embed struct view as their first member and are owned by the stack (app_push(), app_pop()).
 * Everything runs on the screen's thread.
 */
#ifndef UI_VIEW_H
#define UI_VIEW_H

#include "ui/command.h"
#include "ui/key.h"

struct app;
struct view;

struct area {
    int row, column, rows, columns;
};

struct view_class {
    enum command_context context;
    void (*draw)(struct view *view, const struct area *area);
    /* The title bar: what is shown. New strings; right may be NULL. */
    char *(*title)(struct view *view);
    char *(*title_right)(struct view *view);
    /* The bottom line. New strings, or NULL. */
    char *(*status)(struct view *view);
    char *(*status_right)(struct view *view);
    /* Or draws the bottom line itself (hints), when nothing is said there. */
    void (*bottom)(struct view *view, const struct area *line);
    /* Where the terminal's cursor belongs; FALSE: nowhere. After draw. */
    gboolean (*cursor)(struct view *view, int *row, int *column);
    /* The store changed: read again what is shown. */
    void (*refresh)(struct view *view);
    /* A key before the key map sees it; TRUE: it was used. */
    gboolean (*key)(struct view *view, const struct key_event *event);
    void (*mouse)(struct view *view, const struct key_event *event);
    /* The message or messages that a command is meant for: numbers of the store. A new array of gint64, never
     * NULL. */
    GArray *(*targets)(struct view *view, gboolean marked);
    /* Moves by the keys that all views share. `how` as below; FALSE: not here. */
    gboolean (*move)(struct view *view, int how);
    /* The way to the end: the view may ask first and end itself later; TRUE: it may go now. */
    gboolean (*leaving)(struct view *view);
    /* SIGHUP, SIGTERM: keep what was typed. No questions. */
    void (*rescue)(struct view *view);
    void (*free)(struct view *view);
    gboolean beside; /* may be drawn at the right of the view below, on a wide screen */
};

enum move_how {
    MOVE_NEXT,
    MOVE_PREVIOUS,
    MOVE_PAGE_DOWN,
    MOVE_PAGE_UP,
    MOVE_HALF_DOWN,
    MOVE_HALF_UP,
    MOVE_FIRST,
    MOVE_LAST,
    MOVE_TOP,
    MOVE_MIDDLE,
    MOVE_BOTTOM,
    MOVE_LINE_DOWN,
    MOVE_LINE_UP
};

struct view {
    const struct view_class *class;
    struct app *app;
};

/* A cursor in `count` rows of which `page` are seen: moves *cursor and *top so that the cursor stays visible.
 */
void rows_move(int how, int count, int page, int *cursor, int *top);
void rows_clamp(int count, int page, int *cursor, int *top);

#endif
