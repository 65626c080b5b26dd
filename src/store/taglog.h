/* taglog.h - for src/store alone: tags that no server keeps, written down beside the database
 *
 * DIR/tags.log, 0600, holds a line for each change of what a message's tags here are beyond those that its server has:
 *
 *   MID HASH +TAG… -TAG…     the Message-ID's key (rows.h) and the content's hash in hex, "-" for none; no tags: nothing is
 *                            left that the server has not
 *
 *   thread MID PARENT        a message that was given another parent by hand, "-": none, "=": as its header says
 *
 * A later line about the same message replaces an earlier one. The line is on the disk before the change is committed, so
 * that the file is never older than the last action (RELIABILITY D5). A database that is made anew beside such a file
 * takes it into the table tag_memory, and gives each message its tags when it comes back. store_housekeeping() writes the
 * file anew when it has grown.
 */
#ifndef STORE_TAGLOG_H
#define STORE_TAGLOG_H

#include "store/store.h"

/* After the schema: takes in what is known when the database is new, makes the file when it is not there. */
gboolean taglog_open(struct store *store, GError **error);
/* What the tags of this message are beyond its server's has changed, or it has just come; looked at with the commit. */
void taglog_touch(struct store *store, gint64 message);
/* A line to be written with the commit, with its end. */
void taglog_line(struct store *store, const char *line);
/* Before the commit of a transaction, and when that failed. */
gboolean taglog_before_commit(struct store *store, GError **error);
void taglog_take_back(struct store *store);
/* Writes the file anew when it is larger than `limit` bytes. Part of no transaction. */
gboolean taglog_compact(struct store *store, gint64 limit, GError **error);

#endif
