/* reputation.h - how well the sender is known here, and what he only pretends
 *
 * Of the address and of the organisation behind its domain: since when, how often, answered, called junk (store/known.h).
 * And the signs of somebody who passes himself off for another. They are held against what the user deals with, so that the
 * same message is a warning to one and nothing to another; who is dealt with himself is not suspected. A sign is told;
 * those that ordinary mail does not have also warn. Looked up anew each time, so that a warning goes when the user answers.
 * Same thread as the store.
 */
#ifndef TRUST_REPUTATION_H
#define TRUST_REPUTATION_H

#include "config/config.h"
#include "mail/document.h"
#include "store/known.h"
#include "trust/vouch.h"

#define REPUTATION_STAGE "reputation" /* of arrival.h: {"warnings":"lookalike\n","marks":"new-address\n","lists":…,"evidence":…} */

enum reputation_mark {
    REPUTATION_NEW_ADDRESS,     /* told: the first message from there */
    REPUTATION_NEW_DOMAIN,      /* told: nobody of that organisation has written before */
    REPUTATION_JUNK_BEFORE,     /* told: earlier messages were called junk */
    REPUTATION_REPLY_ELSEWHERE, /* told; warns when the sender is known and the other is not */
    REPUTATION_LOOKALIKE,       /* the domain looks like a known one, or is spelled nearly so */
    REPUTATION_LETTERS,         /* the domain is written in letters that look like others, or the name mixes scripts */
    REPUTATION_OTHER_ADDRESS,   /* the name is an address of somebody else */
    REPUTATION_OTHER_PERSON,    /* the name is of somebody who is known at another address */
    REPUTATION_AS_YOU,          /* the name is the user's own */
    REPUTATION_LISTED,          /* a block list has the host that sent it, or a domain of its links */
    REPUTATION_MARKS
};
const char *reputation_mark_name(enum reputation_mark mark); /* "new-address", … */

struct reputation_sign {
    enum reputation_mark mark;
    gboolean warns;
    char *words; /* a sentence; safe for a terminal */
};

struct reputation {
    struct contact *contact; /* of the address; NULL: not known */
    char *owner;             /* the organisation; NULL: there is not one author */
    struct known known;      /* of it */
    GPtrArray *signs;        /* of struct reputation_sign, those that warn first; never NULL */
};

/* message 0: no message of the store. config may be NULL; store may be NULL: then all that needs knowledge is left out.
 * lists: what block lists said (blocklist.h); NULL: what was kept of the message when it came. */
void reputation_find(struct store *store, const struct config *config, gint64 message, const struct envelope *envelope,
                     const char *lists, struct reputation *reputation);
void reputation_clear(struct reputation *reputation);

gboolean reputation_warns(const struct reputation *reputation);

/* "known since 2019: 212 messages, 30 answered". New string; safe for a terminal. */
char *reputation_words(const struct reputation *reputation);
/* "198.51.100.7 is on the block list zen.example (127.0.0.4: a proxy)", of one line of blocklist_ask(). NULL: it is none.
 * New string; safe for a terminal. */
char *reputation_list_words(const char *line);

/* For the filter: "check:lookalike", …, a line each: signs, attachments, links, who vouches. New string. */
char *reputation_evidence(const struct reputation *reputation, const struct document *document, const char *vouch);

#endif
