/* journey.h - the way of a message: its hops, and what stands in it of checks
 *
 * Read from the header fields alone; for a message that was sent from here the attempts are in
 * store/outbox.h, and what came back is in bounce.h. Every relay writes what it likes: of the hops only those
 * of the own servers are certain (is_ours), and Authentication-Results that stand below those are left out; whether the
 * others are to be believed is authority.h's to say. Texts are bounded, valid UTF-8 and unsafe for a terminal. Links
 * without GMime. Pure; any thread.
 */
#ifndef TRUST_JOURNEY_H
#define TRUST_JOURNEY_H

#include "trust/authentication.h"
#include "trust/received.h"

#define JOURNEY_HOPS_MAX 100

/* Who sent it on, so that it did not come straight from the one who wrote it. */
enum forward_kind {
    FORWARD_LIST,   /* List-Id: the list's name */
    FORWARD_RESENT, /* Resent-From: who */
    FORWARD_ARC     /* ARC-Seal: the domain that sealed what it had checked; nobody has verified it here */
};
const char *forward_kind_name(enum forward_kind kind); /* "list", "resent", "arc" */
struct forward {
    enum forward_kind kind;
    char *by;
};

#define JOURNEY_SLOW 300 /* seconds: a hop that held a message as long is marked */

struct journey {
    GPtrArray *hops;     /* of struct hop, oldest first; never NULL */
    GPtrArray *forwards; /* of struct forward, oldest first; never NULL */
    gint64 composed; /* the Date field; 0: none */
    int composed_zone;
    gint64 total; /* seconds from the Date field (or the first hop) to the last hop; -1: not known */
    GPtrArray *claims; /* of struct authentication: Authentication-Results above everything from outside, from the top */
};
void journey_free(struct journey *journey);
typedef struct journey struct_journey;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_journey, journey_free)

/* message: its bytes, or its header block. own: host names of the account's servers (NULL-terminated, or
 * NULL). */
struct journey *journey_read(GBytes *message, const char *const *own);

/* Of no public network. */
gboolean journey_is_private(const char *address);

#endif
