/* prompt.h - asking without stopping: a line to type, a list to choose from, a question with single keys
 *
 * A prompt is part of the screen, not a loop: it gets the keys first, and calls back when it is done. One at
 * a time: a new one cancels the old one. `data` is freed with `destroy` after the last call back. The texts
 * handed in are copied.
 */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "ui/key.h"
#include "ui/view.h"

struct app;
struct prompt;

struct candidate {
    char *text;  /* what is put into the line, or handed to `done` */
    char *label; /* shown; NULL: text */
    char *note;  /* dim, at the right; may be NULL */
};
struct candidate *candidate_new(const char *text, const char *label, const char *note);
GPtrArray *candidates_new(void); /* frees its elements */

struct prompt_spec {
    const char *label;   /* "Limit to: " */
    const char *text;    /* what stands there at first */
    const char *history; /* the name of a history: "search"; NULL: none is kept */
    gboolean secret;     /* shows no letters */
    gboolean list;       /* the candidates are always shown, one is chosen, Enter takes it */
    gboolean free;       /* with `list`: a text that fits none is fine too */
    /* Candidates for what stands in the line; bytes *from to *to are what a candidate replaces (all, unless
     * set). NULL: none. */
    GPtrArray *(*complete)(struct app *app, const char *text, gsize cursor, gsize *from, gsize *to,
                           gpointer data);
    gboolean as_you_type; /* without `list`: show candidates without Tab */
    void (*changed)(struct app *app, const char *text, gpointer data);
    /* text NULL: cancelled. */
    void (*done)(struct app *app, const char *text, gpointer data);
    /* A field in a form: where to draw the line; without it the bottom line. FALSE: it is not on the screen
     * now. */
    gboolean (*place)(struct app *app, struct area *area, gpointer data);
    gpointer data;
    GDestroyNotify destroy;
};

void prompt_line(struct app *app, const struct prompt_spec *spec);

struct prompt_choice {
    gunichar key;
    const char *label; /* "yes"; drawn as "(y)es" or "y: …" */
};
/* `choices` ends with key 0 and is borrowed until the end: a static table. done gets 0 when cancelled. Enter
 * takes the first. */
void prompt_choose(struct app *app, const char *question, const struct prompt_choice *choices,
                   void (*done)(struct app *app, gunichar key, gpointer data), gpointer data,
                   GDestroyNotify destroy);
/* y or n; done is called for yes only. */
void prompt_confirm(struct app *app, const char *question, void (*yes)(struct app *app, gpointer data),
                    gpointer data, GDestroyNotify destroy);

/* For app.c. */
void prompt_cancel(struct app *app);
void prompt_key(struct app *app, const struct key_event *event);
/* Draws over the screen; sets the cursor. `bottom` is the bottom line. */
void prompt_draw(struct app *app, const struct area *screen, int *cursor_row, int *cursor_column);
void prompt_load_histories(const char *directory);
void prompt_save_histories(void);

#endif
