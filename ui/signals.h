/* signals.h - size, stop, continue and end, all through the main loop
 *
 * SIGWINCH reads the size; SIGTSTP gives the terminal back and stops; SIGCONT takes it again; SIGTERM and
 * SIGHUP keep what was typed and end; SIGINT is for a child that has the terminal. What kills at once is
 * term.c's.
 */
#ifndef UI_SIGNALS_H
#define UI_SIGNALS_H

struct app;

void signals_watch(struct app *app);

#endif
