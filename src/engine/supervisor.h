/* supervisor.h - the engine's first process: one per store, holds the lock, answers on the socket, keeps the
 * workers alive
 *
 * It opens neither the store nor a connection: it passes records between clients and workers, and so stays
 * small and hard to crash. See engine/client.h for the records, engine/child.h for the workers.
 */
#ifndef ENGINE_SUPERVISOR_H
#define ENGINE_SUPERVISOR_H

#include <glib.h>

struct supervisor_options {
    gboolean stay; /* `sync --watch`: until told to stop; else until nobody needs it */
    int ready_fd;  /* closed once the socket answers; words written to it say why not; -1: none */
};

/* Runs to the end; the exit code. When another engine holds the lock: 0 once that one answers, without
 * starting anything (with `stay` an error, ERROR_BUSY). */
int supervisor_run(const struct supervisor_options *options);

#endif
