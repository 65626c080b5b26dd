/* arc.h - the chain that relays leave when they change a message on purpose (RFC 8617)
 *
 * Each relay seals what it found before it touched the message: a set of three fields, numbered from 1. A
 * whole chain says only that nobody in between changed it; whether a sealer's word counts is the reader's
 * choice (authority.h). Waits for DNS; one thread at a time.
 */
#ifndef TRUST_ARC_H
#define TRUST_ARC_H

#include "net/dns.h"
#include "trust/authres.h"
#include "trust/canon.h"

#define ARC_SETS_MAX 50

/* Sets arc ("none", "pass", "fail", "temperror"), arc_domain and arc_reason. */
void arc_check(const struct signed_message *message, struct dns *dns, struct authentication *authentication);

/* What the newest sealer found (its ARC-Authentication-Results), or NULL. The chain is not looked at. */
/* What the newest relay says that it found, of a message whose chain passed: nothing is verified. NULL: nothing. Links without
 * OpenSSL (arc_claims.c). */
struct authentication *arc_claims(GBytes *message);
struct authentication *arc_results(const struct signed_message *message);

#endif
