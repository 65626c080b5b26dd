/* RFC 2047 encoded words without GMime, for the few places outside the reader that meet them: drafts from
 * files, header lines of messages that are passed on.  Pure, any thread; results are new strings of valid
 * UTF-8. */
#ifndef MAIL_WORDS_H
#define MAIL_WORDS_H

#include "mail/address.h"

/* Every =?charset?B or Q?…?= decoded, white space between two of them dropped; what cannot be decoded stays
 * as it is. */
char *words_decode(const char *text);
/* A name as a phrase: quoted when ASCII needs it, base64 words in UTF-8 otherwise. */
char *words_encode_phrase(const char *name);
/* Name and address as they may stand in a header on the wire, the domain in A-labels. */
char *words_format_address(const struct address *address);

#endif
