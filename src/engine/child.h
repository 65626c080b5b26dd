/* child.h - one worker process of the engine: started, watched, restarted with growing delays
 *
 * A worker is a program of its own (postrider-worker, postrider-index), tied to the supervisor by a
 * socket pair that carries the records of engine/client.h. A worker that dies is started again after 1 s, 2
 * s, … 5 min (with jitter; back to the start after ten good minutes); what it was asked and had not answered
 * is answered with an error. Runs in the supervisor's main loop; one thread.
 */
#ifndef ENGINE_CHILD_H
#define ENGINE_CHILD_H

#include <glib.h>

struct child;

struct child_callbacks {
    /* An event of the worker. `values` is a{sv}, borrowed. */
    void (*event)(struct child *child, const char *verb, guint id, GVariant *values, gpointer data);
    /* It went from busy to idle or back, or died: the supervisor may want to end. */
    void (*changed)(struct child *child, gpointer data);
    gpointer data;
};

/* `name`: of the account; NULL: the index worker. Starts at once. */
struct child *child_new(const char *name, const struct child_callbacks *callbacks);
/* Asks it to stop, and kills it when it has not after two seconds; never blocks: `done` runs when it is gone.
 */
void child_stop(struct child *child, GDestroyNotify done, gpointer data);

const char *child_name(const struct child *child); /* NULL for the index worker */
/* Sends; `values` may be NULL. While the process is down the record waits for the next start. */
void child_send(struct child *child, const char *verb, guint id, GVariant *values);
/* TRUE while it has not said that all it was sent is dealt with, or has work of its own pending. */
gboolean child_is_busy(const struct child *child);

#endif
