/* virus.h - what a virus scanner said of a message when it came
 *
 * Where it found something, the message is held: the screen and the commands open or save its parts only when
 * a person says so in full. Same thread as the store.
 */
#ifndef TRUST_VIRUS_H
#define TRUST_VIRUS_H

#include "store/store.h"

#define VIRUS_STAGE "virus" /* of arrival.h: {"result":"clean|found|unscanned","name":…,"why":…} */

struct virus {
    char *result; /* NULL: nobody was asked */
    char *name;   /* of what was found; made safe for a terminal; or NULL */
    char *why;    /* it could not be scanned, or NULL */
};
/* message 0: no message of the store. store may be NULL. */
void virus_find(struct store *store, gint64 message, struct virus *virus);
void virus_clear(struct virus *virus);

/* The name of what was found, NULL: the message is not held. New string. */
char *virus_held(struct store *store, gint64 message);

#endif
