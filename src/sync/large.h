/* large.h - a large message that somebody opened: its text is here before the whole is
 *
 * The server says of which parts a message is made (BODYSTRUCTURE). The header and the parts that are read come first, as a
 * message of their own (message_excerpt() of the store), which lives until the whole has come; it is shown and nothing else:
 * what is answered, saved or stored is always the whole.
 */
#ifndef SYNC_LARGE_H
#define SYNC_LARGE_H

#include "proto/imap.h"
#include "store/folder.h"

struct sync;

/* Smaller ones come as fast as a look at their parts. */
#define LARGE_FROM (256 * 1024)

/* Leaves this at a failure: the whole message is asked for next, and says what is wrong. */
void large_fetch_text(struct sync *sync, const struct folder *folder, gint64 message, guint32 uid);

/* ---- pure ---- */

/* Indexes (guint) of the parts (struct imap_part) that make up the text. */
GArray *large_choose(const GPtrArray *parts);

struct large_text {
    GBytes *head, *text; /* "1.MIME" and "1", as they came */
};
/* The fields of `header` but for those of MIME, and the texts; LF line ends. */
GBytes *large_build(GBytes *header, const struct large_text *texts, guint n);

#endif
