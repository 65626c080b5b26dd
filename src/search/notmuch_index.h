/* notmuch_index.h - keeping notmuch's index on our Maildir in step with the store, both ways
 *
 * The index lies in mail/.notmuch, where `notmuch`, Emacs, alot and afew can use it
 * (NOTMUCH_CONFIG=…/mail/.notmuch/config: they do nothing without a configuration file, so one lies there).
 * New mail and what changed here go to it; tags and flags that were set with notmuch come back as intents
 * (notmuch_words.h says how the two are merged). The first build goes from the newest message to the oldest,
 * in slices of about a second, between which others can write; new mail is always served first.
 *
 * The work is done by a child process (notmuch_child.h) with a memory limit; a message that kills it, or
 * takes longer than its time, goes on the store's skip list. The caller's process never opens the index. An
 * index that cannot be opened any more is put aside as .notmuch.damaged and built anew: it is a copy.
 *
 * Nothing here renames, writes or deletes a mail file. One thread, which owns the store connection (opened
 * for writing).
 */
#ifndef SEARCH_NOTMUCH_INDEX_H
#define SEARCH_NOTMUCH_INDEX_H

#include "search/error.h"
#include "store/store.h"

struct index_options {
    int days; /* only mail of the last N days; 0: all, -1: none at all */
    const char *const
        *child; /* the program that runs notmuch_child_main() on descriptor 0; NULL: postrider-index */
    guint message_seconds; /* for one message, 0: 30 */
};

struct index_progress {
    guint64 done;         /* messages looked at in this build */
    guint64 total;        /* about how many there are */
    gboolean is_building; /* the first build is not finished */
    gboolean is_waiting;  /* somebody else writes to the index: come back in a while */
    guint intents; /* messages marked here because they were tagged with notmuch, in the last pass: wake the
                      workers */
};

struct index_context;

/* options are copied. Starts nothing yet. */
struct index_context *index_context_new(struct store *store, const struct index_options *options);
/* Ends the child; what it had not finished is done again next time. */
void index_context_free(struct index_context *context);
typedef struct index_context struct_index_context;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_index_context, index_context_free)

/* One slice of about budget_ms: first what notmuch's users changed, then what changed here, then the build.
 * *more: call again soon; else when store_change_count() or the index's directory changes, or after a minute.
 * Errors: ERROR_RETRY, ERROR_IO, ERROR_GIVEUP (the index was damaged and is built anew: the text says so, go
 * on). */
gboolean index_pass(struct index_context *context, guint budget_ms, gboolean *more, GError **error);

/* Borrowed, as of the last pass. */
const struct index_progress *index_get_progress(const struct index_context *context);

#endif
