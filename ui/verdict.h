/* verdict.h - who vouches for a sender, in one short text
 *
 * From what the own server found (trust/authres.h), never from what the message says of itself. Pure.
 */
#ifndef UI_VERDICT_H
#define UI_VERDICT_H

#include "config/config.h"
#include "mail/document.h"
#include "trust/journey.h"
#include "ui/theme.h"

/* Host names whose Authentication-Results count. NULL-terminated. */
GStrv verdict_own_hosts(const struct config *config);

/* "✔ example.org (DKIM, DMARC)", "~ nobody vouches for example.org", "✘ it does not come from example.org
 * (DMARC)". NULL: no own server checked it. New string. */
char *verdict_text(const struct journey *journey, const struct document *document, enum role *role);

/* "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". New string. */
char *verdict_duration(gint64 seconds);

#endif
