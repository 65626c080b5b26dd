/* retry.h - when to try a message again, and when to give up
 *
 * Pure: the clock and the dice are handed in. Delays grow from a minute to four hours and are spread by a
 * tenth, so that messages (and machines) that failed together do not come back together. A message that a
 * server keeps putting off is given up RETRY_GIVE_UP after its first attempt (RFC 5321 section 4.5.4.1 asks
 * for 4 to 5 days at least). Being off line counts for nothing: it is tried soon again, and never given up.
 * Any thread.
 */
#ifndef OUTBOX_RETRY_H
#define OUTBOX_RETRY_H

#include <glib.h>

#define RETRY_GIVE_UP ((gint64)5 * 24 * 3600) /* seconds */
#define RETRY_OFFLINE 30                      /* seconds until the network is looked for again */

/* When to try again. `attempts`: failed ones so far, this one included; `first`: the time of the first one, 0
 * when this is it; `dice`: any number. 0: give up. */
gint64 retry_next(gint64 now, gint64 first, guint attempts, guint32 dice);

#endif
