/* teach.h - what the user does with mail, taken as lessons of the learning filter
 *
 * One rule for keys, commands and other devices: where a message lies and what is set on it says what it is. In Junk, or
 * $Junk: junk. $NotJunk, answered, flagged, or read and archived: good. What is neither any more (it was taken back) is no
 * lesson any more. What the filter itself has filed is none until somebody says something about it, and good when it is taken
 * out of Junk. A lesson is about a content, once: the same mail in two accounts is one.
 *
 * Belongs to an engine worker; same thread as the store.
 */
#ifndef TRUST_TEACH_H
#define TRUST_TEACH_H

#include "mail/reader.h"
#include "store/changes.h"

enum teach_label { TEACH_NOTHING = -1, TEACH_GOOD, TEACH_JUNK };
/* filed: the filter put it into Junk. */
enum teach_label teach_label_of(const struct change *change, gboolean filed);

/* Is a lesson taken that is not there yet? Junk always, and what has come lately; of the good mail of the past only as much as
 * the filter has use for: the first engine on a large mailbox would go through all of it for hours. `lessons`: there are. */
gboolean teach_is_wanted(enum teach_label label, gint64 received, gint64 now, guint lessons);

/* Learns from what changed since the last call, some hundred lessons at a time. *more (may be NULL): there is more. */
gboolean teach_run(struct store *store, struct reader *reader, gint64 account, gboolean *more, GError **error);

#endif
