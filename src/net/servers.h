/* servers.h - which servers a domain names for its mail, in the DNS (RFC 6186, RFC 8314)
 *
 * What the DNS says here nobody has signed: a host outside the domain is to be shown to the user before it gets a password
 * (RFC 6186 section 4).
 */
#ifndef NET_SERVERS_H
#define NET_SERVERS_H

#include "net/dns.h"

/* "imaps HOST PORT" and "smtps HOST PORT" (imap, pop3s, pop3, smtp where TLS is not from the start), each NULL when the
 * domain says nothing of it. IMAP goes before POP3, and TLS from the start before STARTTLS. */
void servers_find(struct dns *dns, const char *domain, char **incoming, char **outgoing);

#endif
