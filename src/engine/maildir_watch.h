/* maildir_watch.h - says when other programs touch the Maildirs, within a fraction of a second
 *
 * A thread of its own waits for inotify's word about cur/ and new/ of the folders it was given. What is told in one go is
 * told once; and it is not told again before the listener has looked, nor sooner than some times as long as looking took,
 * so that a program that writes without end costs a part of one processor. Our own renames are told as well: looking finds
 * nothing then, and changes nothing.
 *
 * The number of watches is bounded. Folders beyond the bound, or for which the system has no watch left (ENOSPC), are
 * looked at by the times of their directories every few seconds; when the kernel's queue overflowed, every folder counts
 * as touched. It reads no file and knows no database.
 *
 * Threads: set, take and done are for one thread, which is another than that of `touched`.
 */
#ifndef ENGINE_MAILDIR_WATCH_H
#define ENGINE_MAILDIR_WATCH_H

#include <glib.h>

struct maildir_watch;

/* touched() is called in the watch's thread. NULL: there is no thread or no inotify to be had (logged). */
struct maildir_watch *maildir_watch_new(void (*touched)(gpointer data), gpointer data);
void maildir_watch_free(struct maildir_watch *watch); /* NULL is allowed */

/* One folder's directory, the most important folder first. */
struct maildir_watch_dir {
    gint64 folder;
    char *path;
};
/* From now on these and no others. dirs: struct maildir_watch_dir; copied. */
void maildir_watch_set(struct maildir_watch *watch, const GArray *dirs);
/* The folders (gint64) that were touched since the last time; may be empty. */
GArray *maildir_watch_take(struct maildir_watch *watch);
/* Looking is over: from now on it may be told again. */
void maildir_watch_done(struct maildir_watch *watch);

/* For tests: how many directories have a watch, at most `limit` from now on (0: the usual bound). */
guint maildir_watch_count(struct maildir_watch *watch);
void maildir_watch_limit(struct maildir_watch *watch, guint limit);

#endif
