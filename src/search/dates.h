/* dates.h - dates as people write them in a query, turned into two numbers
 *
 * notmuch's forms (notmuch-search-terms(7), "DATE AND TIME SEARCH") and mutt's (muttrc(5), "Matching dates").
 * Both are read in the local zone and against a given `now`, so that they can be tested. A range has both
 * ends included; an open end is G_MININT64 or G_MAXINT64. An error says what was not understood and shows a
 * form that works. Pure; any thread (localtime's zone is the process's).
 */
#ifndef SEARCH_DATES_H
#define SEARCH_DATES_H

#include <glib.h>

/* "yesterday", "2w..", "2026-01..2026-03", "last_week", "3d", "mon..fri", "@1790000000..",
 * "2026-01-05_10:00.." */
gboolean dates_parse_range(const char *text, gint64 now, gint64 *min, gint64 *max, GError **error);

/* "<2w", ">1m", "=3d", "24/12/2025", "1/1/2026-", "-1/3", "1/1-31/1", "20260101", "1/1/2026-1w+2w*3d"; and,
 * as nobody remembers these, everything that dates_parse_range() takes. */
gboolean dates_parse_mutt(const char *text, gint64 now, gint64 *min, gint64 *max, GError **error);

/* What both read: up to nine digits at *p (*digits: how many), and a year of two or four. */
#define DATES_RELATIVE_MAX 1000000
int dates_scan_number(const char **p, guint *digits);
int dates_full_year(int year, guint digits);

#endif
