/* A draft to message bytes: RFC 5322, 2045 to 2047, 2231, 3676.
 *
 * GMime code: runs inside postrider-reader.  The caller owns what is returned.  One thread at a time after
 * mail_init().  Reads no file: attachments are loaded before; asks no clock: date and message_id are set
 * before (message_prepare). */
#ifndef MAIL_BUILD_H
#define MAIL_BUILD_H

#include "mail/draft.h"

/* LF line ends, no line longer than 998 bytes, 8-bit bytes only in attached messages (and header fields of
 * mail that needs SMTPUTF8).  Errors name the field (draft_check). */
GBytes *message_build(const struct draft *draft, GError **error);

#endif
