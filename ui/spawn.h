/* spawn.h - other programs: with the terminal handed over, as a filter, or left alone
 *
 * Always an argument vector; a shell only where the user typed a shell command. Children get the signals as
 * they were, no descriptor of ours, and the environment as it is. Nothing here waits: the main loop goes on.
 */
#ifndef UI_SPAWN_H
#define UI_SPAWN_H

#include <glib.h>

struct app;

/* `ok`: it ended with 0. Called when the screen is back. */
typedef void (*spawn_done)(struct app *app, gboolean ok, gpointer data);

/* The child has the terminal until it ends (editor, pager, shell). `directory` NULL: here. done may be NULL.
 */
gboolean spawn_terminal(struct app *app, const char *const *argv, const char *directory, spawn_done done,
                        gpointer data, GDestroyNotify destroy, GError **error);

/* `input` to its standard input; what it prints (standard output and error) is shown in a view of its own,
 * made safe. */
void spawn_filter(struct app *app, const char *const *argv, GBytes *input, const char *title);

/* Without a terminal, left alone (a graphical viewer or browser). */
gboolean spawn_detached(const char *const *argv, GError **error);

/* An http, https or mailto address in the user's browser; mailto in the composer. */
void spawn_browser(struct app *app, const char *url);

/* $VISUAL, $EDITOR, the configuration's, or NULL when none is set. A command line; new string. */
char *spawn_editor_command(struct app *app);

#endif
