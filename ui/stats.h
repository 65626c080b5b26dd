/* stats.h - the figures of store/stats.h on the screen, counted by a thread of their own */
#ifndef UI_STATS_H
#define UI_STATS_H

struct app;
struct counting;

/* Ends a count that still runs; NULL is allowed. Main loop only. */
void counting_free(struct counting *counting);

#endif
