/* mailto: addresses (RFC 6068) into drafts (M9).  Pure, no GMime, any thread. */
#ifndef MAIL_MAILTO_H
#define MAIL_MAILTO_H

#include "mail/draft.h"

#define MAILTO_ERROR (mailto_error_quark())
GQuark mailto_error_quark(void);

gboolean is_mailto(const char *text);
/* to, cc, bcc, subject, body and in-reply-to are taken; every other field is left out and named in *dropped
 * (NULL when nothing was; may be passed as NULL), a sentence.  Longer than 64 KiB is an error. */
struct draft *mailto_parse(const char *url, char **dropped, GError **error);

#endif
