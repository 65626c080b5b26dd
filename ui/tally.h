/* tally.h - how many messages saved searches and splits have, counted in the background
 *
 * Each is counted no further than TALLY_MOST, first what is unread of it, then all; one after the other, again when the
 * store has changed, for a tenth of the time at most. What takes longer than a few seconds has no count. Main loop only.
 */
#ifndef UI_TALLY_H
#define UI_TALLY_H

#include "store/list.h"

#define TALLY_MOST 1000

struct app;
struct tally;

struct tally *tally_new(struct app *app);
void tally_free(struct tally *tally);

/* What is to be counted under this name (the view is copied, at the first time or when the query is another one). */
void tally_want(struct tally *tally, const char *name, const struct list_view *view);
void tally_forget(struct tally *tally, const char *name);
/* "12", "999+", "" while it is not known or none; *unread: it is what is unread. New string. */
char *tally_text(const struct tally *tally, const char *name, gboolean *unread);
/* The store has changed. */
void tally_again(struct tally *tally);

#endif
