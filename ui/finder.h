/* finder.h - searches, off the screen's thread
 *
 * A page of a search may have to look through everything there is; a key press may not. Each owner has one
 * question at a time: a newer one stops the older, whose answer is then never heard. The thread has its own
 * connection for reading. Main loop only.
 */
#ifndef UI_FINDER_H
#define UI_FINDER_H

#include "store/list.h"
#include "store/order.h"

struct app;
struct finder;

struct found {
    GPtrArray *rows; /* of struct list_row; may be stolen; NULL with an error */
    GArray *hits;    /* of struct query_hit, of finder_ask_all() */
    gint64 count;    /* -1: not asked for */
    gboolean exact;
    struct order *order; /* of finder_sort(); may be stolen; NULL with an error */
    GPtrArray *splits;   /* of finder_split(): of struct order; likewise */
    gint64 taken;        /* microseconds, of these two */
    GPtrArray *snippets; /* of finder_snippets(): in the order of the keys, NULL where there is none */
    GError *error;
};

typedef void (*finder_done)(struct app *app, struct found *found, gpointer data);

/* The screen's one, started when it is first needed; and the one that counts, which nobody's search waits for. */
struct finder *finder_of(struct app *app);
struct finder *counter_of(struct app *app);
void finder_free(struct finder *finder);

/* `view` is copied. limit 0: no rows, the count alone. `done` is called on the main loop unless the question
 * was overtaken. */
void finder_ask(struct finder *finder, gconstpointer owner, const struct list_view *view, gint64 key,
                enum list_direction direction, guint limit, gboolean count, finder_done done, gpointer data);
/* Everything that the view's search finds, as hits: there may be very many. */
void finder_ask_all(struct finder *finder, gconstpointer owner, const struct list_view *view, finder_done done,
                    gpointer data);
/* All of it in another order. */
void finder_sort(struct finder *finder, gconstpointer owner, const struct list_view *view, enum order_by by,
                 gboolean reverse, finder_done done, gpointer data);
/* All of it in splits; `queries` (of struct query) are copied. */
void finder_split(struct finder *finder, gconstpointer owner, const struct list_view *view, const GPtrArray *queries,
                  gboolean reverse, finder_done done, gpointer data);
/* The text around what the query looks for, of the messages with these keys (GArray of gint64), at most so many
 * characters each. */
void finder_snippets(struct finder *finder, gconstpointer owner, const struct query *query, const GArray *keys,
                     guint most, finder_done done, gpointer data);
/* The owner goes: no answer any more. */
void finder_cancel(struct finder *finder, gconstpointer owner);
gboolean finder_busy(const struct finder *finder, gconstpointer owner);

#endif
