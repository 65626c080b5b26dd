/* Confines this process to computing: what it may still do is read and write what it holds open, take memory,
 * and end.
 *
 * Call once, in a process with one thread, after everything that needs a file was opened or loaded; there is
 * no way back.  Afterwards open, socket, execve, fork and every call not on the list kill the process
 * (SIGSYS).  RELIABILITY.md P2. */
#ifndef JAIL_JAIL_H
#define JAIL_JAIL_H

#include <glib.h>

#define JAIL_ERROR (jail_error_quark())
GQuark jail_error_quark(void);

/* memory: bytes that may be taken on top of what is mapped now; the process that started this one may raise
 * it with prlimit() up to memory_hard. */
gboolean jail_enter(guint64 memory, guint64 memory_hard, GError **error);

/* FALSE in a build with sanitizers, whose runtime needs more calls: limits are set, the filter is not. */
gboolean jail_has_filter(void);

/* From now on, this much CPU time and then SIGPROF; 0 takes it off.  Works inside the jail. */
void jail_cpu_limit(guint milliseconds);

#endif
