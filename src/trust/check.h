/* check.h - a message checked here: DKIM, SPF, ARC, DMARC
 *
 * For mail whose own server did not do it (authority.h). Waits for DNS, for at most the time given to
 * dns_begin(); what could not be looked up is "temperror": not checked yet, and never a failure. One thread
 * at a time.
 */
#ifndef TRUST_CHECK_H
#define TRUST_CHECK_H

#include "mail/envelope.h"
#include "net/dns.h"
#include "trust/authentication.h"

#define CHECK_ERROR (check_error_quark())
GQuark check_error_quark(void);

struct check_input {
    GBytes *message;
    const char *from;      /* the domain of From; NULL: none, or more than one */
    const char *ip;        /* of who gave it to the own server; NULL: not known, and SPF is not checked */
    const char *helo;      /* what that host called itself, or NULL */
    const char *mail_from; /* the envelope's sender, "" of a bounce; NULL: not known */
    gint64 when;           /* when it came; signatures that ended before are no longer good */
};

struct authentication *check_message(const struct check_input *input, struct dns *dns);

/* Whether it is worth another try later: something is "temperror". */
gboolean check_is_unfinished(const struct authentication *authentication);

/* The domain of the only address of the only From field; NULL otherwise: with two authors, whom would it be
 * about? Borrowed from the envelope. */
const char *check_author(const struct envelope *envelope);

/* The same in a process of its own (postrider-check), for commands: they link neither OpenSSL nor a resolver.
 * resolver: as for dns_new(). Waits for half a minute at most. */
struct authentication *check_run(const struct check_input *input, const char *resolver, GError **error);
/* What that process is told on its standard input, with the message as blob: from, ip, helo, mail_from,
 * resolver, when. It answers with AUTHENTICATION_TYPE, or with an error's text. */
#define CHECK_REQUEST_TYPE "(msmsmsmsmsx)"
#define CHECK_ANSWER_TYPE "(m" AUTHENTICATION_TYPE "s)"
#define CHECK_LIMIT_MS 20000

#endif
