/* blocklist.h - what block lists in the DNS say (RFC 5782), where some are configured
 *
 * Of the address that handed a message over, and of the domains in its links. Only an answer out of 127.0.0.0/8 is a
 * listing, and not what lists say to those whom they refuse (127.255.255.0/24); a list that has what no list may have
 * (127.0.0.1, "invalid") is out of order and says nothing. That nobody answers is no listing. Waits for the DNS.
 */
#ifndef TRUST_BLOCKLIST_H
#define TRUST_BLOCKLIST_H

#include "mail/document.h"
#include "net/dns.h"

#define BLOCKLIST_DOMAINS_MAX 20 /* of a message that are asked about */

/* "2.0.0.127.zen.example"; IPv6 by nibbles. NULL: it is no address. New string. */
char *blocklist_name(const char *address, const char *list);
gboolean blocklist_is_listing(const char *answer);

/* The organisations that links go to, each once. */
GStrv blocklist_domains(const struct document *document);

/* Lines "LIST\tWHAT\tANSWER\tTEXT", one a listing, for reputation_list_words(); "" when there is none. address, lists and
 * domains may be NULL. New string; the text is the list's own, unsafe for a terminal. */
char *blocklist_ask(struct dns *dns, const char *const *address_lists, const char *const *domain_lists, const char *address,
                    const char *const *domains);

#endif
