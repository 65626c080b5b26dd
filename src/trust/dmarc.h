/* dmarc.h - whether what was checked speaks for the domain that people see in From (RFC 7489)
 *
 * Waits for DNS; one thread at a time.
 */
#ifndef TRUST_DMARC_H
#define TRUST_DMARC_H

#include "net/dns.h"
#include "trust/authres.h"

/* from: the domain of From. SPF and DKIM must be in `authentication`; sets dmarc, dmarc_domain, dmarc_policy
 * and dmarc_reason. */
void dmarc_check(struct dns *dns, const char *from, struct authentication *authentication);

#endif
