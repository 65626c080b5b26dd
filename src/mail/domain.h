/* domain.h - which names belong to one owner: the organisational domain, by the list of public suffixes
 * (libpsl)
 *
 * "example.co.uk" of "mail.example.co.uk". Names in, lower-case A-labels out. Any thread.
 */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include <glib.h>

/* NULL: an address, a public suffix itself, or no name. New string. */
char *domain_organisation(const char *domain);

/* RFC 7489 section 3.1: strict: the same name; else of one owner. */
gboolean domain_aligned(const char *a, const char *b, gboolean is_strict);

#endif
