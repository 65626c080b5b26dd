/* verdict.h - who vouches for a sender, in one short text
 *
 * trust/vouch.h judges; here it becomes a line. Pure.
 */
#ifndef UI_VERDICT_H
#define UI_VERDICT_H

#include "trust/reputation.h"
#include "trust/vouch.h"
#include "ui/theme.h"

/* "✔ example.org (DKIM, DMARC)", "~ nobody vouches for example.org", "✘ it does not come from example.org
 * (DMARC)". NULL: nobody looked, or it could not be looked up. New string. */
char *verdict_text(const struct vouch *vouch, enum role *role);

/* "✘ a virus is in it: NAME". New string. */
char *verdict_virus(const char *name, enum role *role);

/* What the sender pretends (trust/reputation.h), a line each; "" when it is nothing. New string. */
char *verdict_warnings(struct store *store, const struct config *config, gint64 message, const struct envelope *envelope);

/* "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". New string. */
char *verdict_duration(gint64 seconds);

#endif
