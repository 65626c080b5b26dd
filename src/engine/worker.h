/* worker.h - the worker of one account: its mail in, its changes and its queue out
 *
 * A process with four lanes, each a thread with a store connection of its own: `sync` (passes, changes out,
 * waiting for the server's word), `fetch` (bodies that a reader waits for, on a second connection, so that
 * they need not wait for a pass), `deliver` (the queue) and `learn` (the learning filter's lessons). They share
 * the password and the line to the supervisor, nothing else.
 */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

/* The process of `postrider-worker --account NAME`; the exit code. */
int worker_run(const char *account, int control_fd);

#endif
