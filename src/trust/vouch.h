/* vouch.h - who vouches for the author of a message, as one word and in words
 *
 * The one place where results become a judgement: the reader's line, the journey, the filter and the lists
 * ask here or read what was kept of it (arrival.h, stage "authentication"). It is about the domain in From
 * and about nothing else. Pure; any thread.
 */
#ifndef TRUST_VOUCH_H
#define TRUST_VOUCH_H

#include "mail/envelope.h"
#include "trust/authentication.h"

enum vouch_kind {
    VOUCH_UNKNOWN, /* nobody looked, or it could not be looked up */
    VOUCH_GOOD,    /* the domain itself vouches */
    VOUCH_NONE,    /* somebody looked, and nobody vouches */
    VOUCH_FORGED   /* the domain says that it does not come from there */
};
const char *vouch_name(enum vouch_kind kind); /* "unknown", "good", "none", "forged" */
enum vouch_kind vouch_from_name(const char *name);

struct vouch {
    enum vouch_kind kind;
    char *domain; /* of From; NULL: not one author */
    char *words;  /* a sentence, or of VOUCH_GOOD what speaks for it: "DKIM, DMARC" */
};
void vouch_clear(struct vouch *vouch);

/* Somebody who is believed passed it on, and says of himself what `claims` (arc.h) hold: what he changed on the way made
 * its checks fail, and no forger. Nothing is made of it unless they say that the author's domain vouched. */
void vouch_soften(struct vouch *vouch, const char *sealer, const struct authentication *claims,
                  const struct envelope *envelope);

/* authentication may be NULL. */
void vouch_judge(const struct authentication *authentication, const struct envelope *envelope,
                 struct vouch *vouch);

#endif
