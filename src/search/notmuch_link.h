/* notmuch_link.h - the index worker's end of the line to the process that opens notmuch's index
 * (notmuch_child.h)
 *
 * For notmuch_index.c alone. The process is started with the first request and again after it died. One
 * thread.
 */
#ifndef SEARCH_NOTMUCH_LINK_H
#define SEARCH_NOTMUCH_LINK_H

#include "search/notmuch_child.h"

struct notmuch_link;

/* argv is copied. Starts nothing. */
struct notmuch_link *notmuch_link_new(const char *const *argv);
/* Ends the process. */
void notmuch_link_free(struct notmuch_link *link);

/* jobs: of type "a" NOTMUCH_JOB_TYPE, taken; NULL for none. On failure the process has been ended. */
gboolean notmuch_link_send(struct notmuch_link *link, enum notmuch_request kind, const char *mail_dir,
                           guint64 revision, guint milliseconds, GVariantBuilder *jobs, GError **error);

struct notmuch_answer {
    enum notmuch_reply kind;
    guint64 number, revision;
    const char *text; /* the texts live until the next reading, or notmuch_answer_clear() */
    guint32 set, clear;
    const char *add, *remove;
    GVariant *value;
};
void notmuch_answer_clear(struct notmuch_answer *answer);
/* ERROR_RETRY: nothing came in time. The process goes on; end it, or read again. */
gboolean notmuch_link_read(struct notmuch_link *link, guint seconds, struct notmuch_answer *answer,
                           GError **error);

/* Waits for its end. by_force: kills it; else it ends because the line does. Returns the wait status, 0 when
 * none ran. */
int notmuch_link_stop(struct notmuch_link *link, gboolean by_force);

#endif
