/*
 * turn: whose turn it is to try a server (RELIABILITY.md N6).
 *
 * After an attempt that came to nothing nobody tries that server again for five seconds: no lane, no other account, no
 * program that was started anew. An attempt begins with the connection and has succeeded when the session says so (its login
 * was taken); until then it counts as one that came to nothing, so that the next waits for it. A server that answers well is
 * never waited for. Kept in small files, one a server, in a directory that the processes of one user share.
 *
 * Off until turn_begin(): a program that a person waits for (setup, doctor) tries at once. Any thread may call.
 */
#ifndef NET_TURN_H
#define NET_TURN_H

#include <glib.h>

#include "net/cancel.h"

/* The directory exists and is private. */
void turn_begin(const char *dir);

enum turn_answer {
    TURN_YOURS,    /* the attempt is noted */
    TURN_NOT_YET,  /* others were first, again and again */
    TURN_CANCELLED
};
/* Waits for a turn, at most `milliseconds`. server: "host:port". */
enum turn_answer turn_wait(const char *server, guint milliseconds, struct cancel *cancel);
/* The attempt that was noted has succeeded. */
void turn_succeeded(const char *server);

#endif
