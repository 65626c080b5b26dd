/*
 * resolve: host names to addresses, within a time limit, cancellable.
 *
 * getaddrinfo() cannot be interrupted, so it runs in a thread of its own; a caller that has lost patience
 * leaves it behind, and the thread frees everything when the resolver gives up at last. Numeric addresses
 * need no thread.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <glib.h>
#include <netdb.h>

#include "net/cancel.h"

enum resolve_status {
    RESOLVE_OK,
    RESOLVE_FAILED, /* *why is set, a constant string or one of the C library */
    RESOLVE_TIMEOUT,
    RESOLVE_CANCELLED
};

/* Stream-socket addresses of host in the order of RFC 6724; free them with freeaddrinfo(). */
enum resolve_status resolve(const char *host, guint16 port, int milliseconds, struct cancel *cancel,
                            struct addrinfo **addresses, const char **why);

#endif
