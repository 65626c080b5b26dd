/*
 * network: the network of this machine: when it changed, when the machine had slept, and what that means for open
 * connections.
 *
 * A change is an address of a running interface or a way out that came or went. rtnetlink tells when to look (no privilege
 * is needed), as a router that repeats itself is no change; where it is not allowed, one looks every few seconds. Sleep is a
 * jump of CLOCK_BOOTTIME against CLOCK_MONOTONIC. Changes that follow each other closely are one.
 *
 * Connections of stream.h are entered here while they are open. network_break() ends those that cannot live: their own
 * address has gone, or what they sent went unanswered before the change, so that the kernel would try again only later
 * and later. Whoever waits on them gets an error at once. The others are left alone.
 *
 * Threads: any; a struct network belongs to one.
 */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include <glib.h>

enum network_news {
    NETWORK_NONE = 0,         /* other_fd is readable, or the time is over */
    NETWORK_CHANGED = 1 << 0,
    NETWORK_SLEPT = 1 << 1
};

struct network;
struct network *network_new(void);
void network_free(struct network *network);
/* Bits of enum network_news. milliseconds -1: no limit. */
guint network_wait(struct network *network, int milliseconds, int other_fd);
/* TRUE: news come by themselves; FALSE: they are looked for. */
gboolean network_is_told(const struct network *network);

/* For stream.h: a connection opened, and will be closed. */
void network_enter(int fd);
void network_leave(int fd);
/* Ends the connections that cannot live; how many. Those to this machine itself always can. */
guint network_break(void);

/* The part of the monotonic and the boot-time clock that decides, in microseconds; for the tests. */
gboolean network_has_slept(gint64 monotonic_before, gint64 boot_before, gint64 monotonic, gint64 boot);

#endif
