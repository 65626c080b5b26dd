/* clock.h - time, and how it is written
 *
 * Wall-clock times are seconds since 1970 UTC (gint64); a sender's zone is minutes east of UTC. Timers use
 * the monotonic clock. POSTRIDER_NOW=SECONDS fixes the wall clock, for tests. Any thread may call.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <glib.h>

gint64 clock_now(void);       /* seconds since 1970 */
gint64 clock_now_us(void);    /* microseconds since 1970 */
gint64 clock_monotonic(void); /* microseconds; only differences mean something */

/* RFC 3339 with the zone: "2026-11-12T10:42:01+01:00"; "Z" for 0. Never NULL: years outside 0..9999 are
 * clamped. */
char *clock_rfc3339(gint64 seconds, int zone_minutes);
/* The same with milliseconds, from microseconds. */
char *clock_rfc3339_ms(gint64 microseconds, int zone_minutes);
/* RFC 5322: "Thu, 12 Nov 2026 10:42:01 +0100", independent of the locale. */
char *clock_rfc5322(gint64 seconds, int zone_minutes);
/* Zone of this machine at that time, minutes east of UTC. */
int clock_local_zone(gint64 seconds);
/* For people: "10:42" today, "Fri" within the week, "12 Nov" within the year, "12.11.24" else. */
char *clock_short(gint64 seconds, gint64 now);
/* "3 h ago", "in 5 min", "in 20 s", "just now". */
char *clock_relative(gint64 seconds, gint64 now);
/* What a person types for a moment to come: "+2h", "+30min", "08:00" (the next one), "tomorrow", "tomorrow
 * 8:00", "mon 9:00", "2026-11-24", "2026-11-24 08:00", RFC 3339. A day alone is its 08:00. FALSE when it is
 * none of these. */
gboolean clock_parse_when(const char *text, gint64 now, gint64 *seconds);
/* Day number in local time, for grouping. */
gint64 clock_local_day(gint64 seconds);

#endif
