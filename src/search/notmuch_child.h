/* notmuch_child.h - the process that opens notmuch's index, and how it is talked to
 *
 * Only this process calls libnotmuch and lets it parse mail, with its memory limited: a crafted message can
 * crash it (or make it take a gigabyte), which costs that message and nothing else. It gets one request at a
 * time on a socket (base/record.h), opens the index, works, closes (so that others are not kept out, and see
 * what was written), and answers with a run of replies of which the last is NOTMUCH_END or NOTMUCH_FAILED.
 *
 * A job is one message: its files are brought into the index where they are missing, names that are no longer
 * there are taken out, and its tags are merged with `words` (notmuch_words.h). The base lies in the index
 * itself, as properties "postrider.tag" (one a word) and "postrider.message" (our number), written in the
 * same atomic section as the tags: an index that is restored, or was not closed in time, brings its own base
 * along.
 */
#ifndef SEARCH_NOTMUCH_CHILD_H
#define SEARCH_NOTMUCH_CHILD_H

#include <glib.h>
#include <stdio.h>

/* Kind, Maildir root (absolute), revision, milliseconds, jobs: message, gone, may be indexed, Message-ID,
 * files below the root, words. */
#define NOTMUCH_JOB_TYPE "(tbbsass)"
#define NOTMUCH_REQUEST_TYPE "(ystua" NOTMUCH_JOB_TYPE ")"
enum notmuch_request {
    NOTMUCH_SCAN = 's', /* what changed after `revision`, other than by us */
    NOTMUCH_WRITE = 'w' /* the jobs, in order, until `milliseconds` have passed */
};

/* Kind, number, revision, text, set, clear, add, remove. */
#define NOTMUCH_REPLY_TYPE "(yttsuuss)"
enum notmuch_reply {
    NOTMUCH_OPENED = 'o', /* revision; text: the index's uuid, "" when there is no index yet */
    NOTMUCH_CHANGED =
        'c', /* of a scan: number is ours or 0, text the Message-ID; what is to be done (words_change) */
    NOTMUCH_ALIVE = 'a',   /* of a scan: still reading */
    NOTMUCH_STARTED = 's', /* job `number` (its place) begins */
    NOTMUCH_DONE = 'd',    /* it is done; text: "", or why its files are not in the index */
    NOTMUCH_END = 'e',     /* revision after the request */
    NOTMUCH_FAILED = 'x'   /* text; nothing of the request can be relied on */
};
#define NOTMUCH_REPLY_MAX (1024 * 1024)
#define NOTMUCH_REQUEST_MAX (64 * 1024 * 1024)

/* The process of `postrider-index --index-child`: serves requests on the socket until it closes; the exit
 * code. `megabytes`: its memory limit, 0 for the usual one. */
int notmuch_child_main(int fd, guint megabytes);

/* `postrider-index --notmuch QUERY`: the Message-IDs that notmuch finds, newest first, one a line; `limit`
 * 0: all. */
gboolean notmuch_find(const char *mail_dir, const char *query, guint limit, FILE *out, GError **error);

#endif
