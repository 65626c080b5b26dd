/* replay.h - a good signature over mail that was meant for somebody else
 *
 * A signature stays good whoever sends the mail on, and as often as he likes. So does that of a blind copy: it is no failure,
 * and never a warning; it is said in the journey, in words. Pure; any thread.
 */
#ifndef TRUST_REPLAY_H
#define TRUST_REPLAY_H

#include "config/config.h"
#include "mail/envelope.h"
#include "trust/authentication.h"

#define REPLAY_LATE 86400 /* seconds between the signature and the arrival that are worth a word */

struct replay_input {
    GBytes *message;
    const struct authentication *authentication; /* NULL: nobody looked */
    const struct envelope *envelope;
    const struct config *config; /* whose addresses are the user's; NULL: nobody's, and nothing is said */
    gint64 received;             /* when it came; 0: not known */
    guint copies;                /* messages here with its Message-ID */
};

/* A sentence, translated, safe for a terminal; NULL: there is nothing to say, as for mail of lists and what was sent on in the
 * open (Resent-To, ARC). New string. */
char *replay_words(const struct replay_input *input);

#endif
