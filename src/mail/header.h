/* Decoding header fields with GMime: RFC 2047 words, addresses, raw 8-bit text.
 *
 * For parse.c and envelope_parse.c.  What GMime could be hurt by is cut off before it sees it.  Any thread
 * once mail_init() has run. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "mail/address.h"

/* GMime and libxml2 made ready, parser options set, converters loaded.  Call once, before threads and before
 * a sandbox. */
void mail_init(void);

/* One line of valid UTF-8 out of the raw value of an unstructured field (folding and CRLF allowed). */
char *header_decode(const char *raw, gsize length);
/* Adds the addresses of a raw field to list, groups flattened; text without any address becomes one entry
 * with a name only.  FALSE when a limit cut something off. */
gboolean header_addresses(const char *raw, gsize length, GPtrArray *list);
/* The charset that a message names for its own text, in its first bytes; NULL: none but UTF-8. Static. */
const char *header_charset(const char *message, gsize length);
/* Raw 8-bit or escaped text of a field out of that charset (may be NULL). NULL when nothing has to be done, or it does not
 * fit. New string. */
char *header_from_charset(const char *raw, gsize length, const char *charset);
/* Unfolded and trimmed, bytes otherwise as they are, NUL as a space. */
char *header_unfold(const char *raw, gsize length);

#endif
