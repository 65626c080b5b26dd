/* stats.h - how much mail there was, when, with whom, and how fast it was answered
 *
 * A month's figures are kept (table stats_month) and counted again only when a message of that month came, went or
 * changed: so a million messages cost seconds once, and a fraction of one afterwards. A store opened for reading counts
 * what is not kept and keeps nothing. Months and hours are those of the local zone. What lies in Junk alone is left out.
 * Same thread as the store; store_interrupt() ends it with ERROR_CANCELLED.
 */
#ifndef STORE_STATS_H
#define STORE_STATS_H

#include "store/store.h"

#define STATS_HOURS 24
#define STATS_DELAYS 8 /* see stats_delay_word() */

/* Places of stats_month.n. */
enum stats_figure {
    STATS_RECEIVED,
    STATS_SENT,
    STATS_BYTES_RECEIVED,
    STATS_BYTES_SENT,
    STATS_RECEIVED_AT,                               /* by the hour of its Date */
    STATS_SENT_AT = STATS_RECEIVED_AT + STATS_HOURS, /* likewise */
    STATS_MY_ANSWERS = STATS_SENT_AT + STATS_HOURS,  /* by how long the other one waited */
    STATS_THEIR_ANSWERS = STATS_MY_ANSWERS + STATS_DELAYS, /* by how long I waited */
    STATS_FIGURES = STATS_THEIR_ANSWERS + STATS_DELAYS
};

struct stats_month {
    int year, month; /* 1 is January */
    guint64 n[STATS_FIGURES];
};
struct stats_person {
    char *name, *addr; /* name may be NULL */
    guint received, sent;
};
struct stats_folder {
    char *account, *name;
    guint64 count, bytes;
};
struct stats {
    GArray *months;      /* of struct stats_month, oldest first, none left out between */
    GPtrArray *people;   /* of struct stats_person, most mail first */
    GPtrArray *folders;  /* of struct stats_folder, largest first */
    struct stats_month sum; /* of the months */
};

/* The last `months` (0: all) up to `now`, and so many people (0: none). */
struct stats *stats_load(struct store *store, gint64 now, guint months, guint people, GError **error);
void stats_free(struct stats *stats);
typedef struct stats struct_stats;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_stats, stats_free)

/* "15 minutes", "1 hour", …: the upper bound of a delay, NULL for the last one. And in seconds, 0 for the last. */
const char *stats_delay_word(guint delay);
gint64 stats_delay_seconds(guint delay);

/* stats_text.c: the same for people, lines for a terminal of that width; a line that begins with no space is a heading.
 * Not safe for a terminal before text_safe(). is_ascii: bars of # instead of blocks. */
GPtrArray *stats_to_lines(const struct stats *stats, int width, gboolean is_ascii);

#endif
