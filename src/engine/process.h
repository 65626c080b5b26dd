/* process.h - what the processes of the engine have in common
 *
 * The supervisor, the workers of accounts and of the index are programs of their own, so that each loads only the
 * libraries of its duty: a supervisor that links GLib alone starts in a tenth of the time.
 */
#ifndef ENGINE_PROCESS_H
#define ENGINE_PROCESS_H

#include <glib.h>

/* Takes the options of argv apart: a process whose duty is unknown is not begun. Language, signals, no core and no
 * debugger (passwords and mail are in memory). FALSE: words were said, exit with EX_USAGE. */
gboolean process_begin(int argc, char **argv, const GOptionEntry *entries);
/* The engine's log. */
void process_open_log(const char *duty);
/* The exit code of a program that was called with no duty. */
int process_refuse(void);

#endif
