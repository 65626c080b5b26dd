/* app.h - the screen: one main loop, a stack of views, one draw a frame
 *
 * Input, signals, timers, the engine and the writer's answers all arrive on one GLib main loop in one thread;
 * whoever changes what is seen calls app_dirty(), and the next idle moment draws once. Nothing here waits for
 * the network, a lock or a disk.
 */
#ifndef UI_APP_H
#define UI_APP_H

#include "cli/cli.h"
#include "config/config.h"
#include "ui/keymap.h"
#include "ui/prompt.h"
#include "ui/view.h"

struct store;
struct reader;
struct writer;
struct link;
struct files;
struct counting;
struct finder;

struct app {
    const struct screen_request *request;
    struct config *config;
    struct keymap *keymap;
    struct store *store;   /* for reading only; NULL while no store could be opened */
    struct reader *reader; /* mail/reader.h: the jailed reader */
    struct writer *writer; /* ui/writer.h */
    struct finder *finder; /* ui/finder.h: searches; use finder_of() */
    struct counting *counting; /* ui/stats.h, or NULL */
    struct finder *counter; /* a second one, for what nobody waits for; use counter_of() */
    struct link *link;     /* ui/link.h: the engine */
    struct files *files;   /* ui/files.h: -f; then `store` is the session's own, and nothing is changed */
    GPtrArray *views;      /* of struct view, the top one last */
    struct prompt *prompt; /* asked at the moment; NULL: none */
    GPtrArray *messages;   /* of char *: what the bottom line said, newest last */
    gboolean tagged;       /* ; was pressed: the next command is for the marked messages */
    gboolean read_only;    /* -R */
    guint last_key;        /* the one that started the command that runs */
};

/* The screen's `main`: runs until the user leaves; the exit code. */
int app_run(const struct screen_request *request);

void app_dirty(struct app *app);
void app_quit(struct app *app);

/* The stack. A pushed view belongs to the stack. */
void app_push(struct app *app, struct view *view);
void app_pop(struct app *app); /* frees the top view; without a view left the program ends */
void app_remove(struct app *app, struct view *view); /* wherever it stands */
struct view *app_top(struct app *app);
struct view *app_find(struct app *app,
                      const struct view_class *class); /* the topmost of that class, or NULL */
/* Like q: asks the view first. */
void app_back(struct app *app);

/* One line at the bottom, until the next key. Untrusted text is fine: it is made safe when drawn. */
void app_say(struct app *app, const char *format, ...) G_GNUC_PRINTF(2, 3);
void app_warn(struct app *app, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What stands there must not be missed: what is said before the next key waits for that. */
void app_hold(void);
/* Takes the error's message, frees the error. NULL is fine. */
void app_error(struct app *app, const char *what, GError *error);

/* The store changed: views read again (once for many calls). */
void app_store_changed(struct app *app);
/* The same at once, where the next line says what came of it. */
void app_reread(struct app *app);

/* The messages a command is for: the marked ones after ; else what the view says. A new array of gint64. */
GArray *app_targets(struct app *app);

void app_run_command(struct app *app, const struct command *command, const char *argument);
/* A command by its name, with what stands behind it: ":save Archive", -e. */
void app_run_line(struct app *app, const char *text);

/* The end comes without a question: every view keeps what was typed. */
void app_rescue(struct app *app);

/* Hands the terminal over while `away`. Used by spawn.c only. */
void app_away(struct app *app, gboolean away);
gboolean app_is_away(struct app *app);

#endif
