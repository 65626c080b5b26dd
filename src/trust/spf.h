/* spf.h - whether a host may send for a domain: Sender Policy Framework (RFC 7208)
 *
 * The whole language: all, include, a, mx, ptr, ip4, ip6, exists, redirect, exp, macros; ten look-ups, two
 * that find nothing. Own code: the libraries in reach do their own DNS, past our resolver and its limits.
 * Waits for DNS; one thread at a time.
 */
#ifndef TRUST_SPF_H
#define TRUST_SPF_H

#include "net/dns.h"

struct spf_result {
    const char *result; /* "pass", "fail", "softfail", "neutral", "none", "temperror", "permerror" */
    char *domain;       /* whose policy it is; NULL: none can be */
    char *reason; /* the mechanism that matched, what is wrong, or the domain's own explanation; or NULL */
};
void spf_result_clear(struct spf_result *result);

/* ip: the client's address as text. mail_from: the envelope's sender, "" of a bounce: then helo is checked.
 */
void spf_check(struct dns *dns, const char *ip, const char *mail_from, const char *helo, gint64 now,
               struct spf_result *result);

#endif
