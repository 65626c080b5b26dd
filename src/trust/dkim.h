/* dkim.h - checking DKIM signatures (RFC 6376, 8301, 8463)
 *
 * RSA with SHA-256 and Ed25519, over the bytes as they lie here. Own code on OpenSSL, because ARC needs the
 * same canonical forms, hashes and keys, and libopendkim has no ARC. Stricter than the RFC where a signature
 * would say less than a person reads out of it: text after what l= covers, and a second From, Subject, … that
 * was put before the signed one, give "policy". Every failure has a reason in words. Waits for DNS; one
 * thread at a time.
 */
#ifndef TRUST_DKIM_H
#define TRUST_DKIM_H

#include "net/dns.h"
#include "net/signature.h"
#include "trust/authres.h"
#include "trust/canon.h"
#include "trust/taglist.h"

#define DKIM_SIGNATURES_MAX 10
#define DKIM_BITS_MIN 1024 /* RFC 8301 section 3.2 */

/* Checks the signatures from the top, and adds what was found. when: seconds since 1970, the time to compare
 * expirations with. */
void dkim_check(const struct signed_message *message, struct dns *dns, gint64 when,
                struct authentication *authentication);

/* For ARC. An ARC-Message-Signature is made like a DKIM one. Sets result (a constant) and reason of `found`.
 */
void dkim_verify_arc(const struct signed_message *message, guint field, struct dns *dns,
                     struct authentication_dkim *found);
/* The public key of s= and d=, fit for a=: NULL with result and reason set. */
struct signature_key *dkim_find_key(const struct taglist *tags, struct dns *dns, const char *identity,
                                    gboolean *testing, struct authentication_dkim *found);
/* Sets result and reason (copied), and returns FALSE. */
gboolean dkim_say(struct authentication_dkim *found, const char *result, const char *reason);

#endif
