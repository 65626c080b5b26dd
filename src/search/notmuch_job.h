/* notmuch_job.h - what the index has to know of one message, read from the store: files, words, and whether
 * it is wanted
 *
 * For notmuch_index.c alone. Reads the store; same thread.
 */
#ifndef SEARCH_NOTMUCH_JOB_H
#define SEARCH_NOTMUCH_JOB_H

#include "search/notmuch_child.h"
#include "store/store.h"

struct notmuch_job {
    gint64 message;
    char *message_id; /* of one that has gone, or NULL */
    GPtrArray *files; /* likewise: char *, below mail/ */
};

/* Adds it to a builder of type "a" NOTMUCH_JOB_TYPE. days: only mail as young as that is taken in; 0: all. */
void notmuch_job_add(GVariantBuilder *jobs, struct store *store, int days, const struct notmuch_job *job);

#endif
