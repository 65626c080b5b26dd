/* Date fields as they come (RFC 5322 sections 3.3 and 4.3, and worse).  Pure, any thread; for writing dates
 * see base/clock.h. */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <glib.h>

/* Reads "Thu, 12 Nov 2026 10:42:01 +0100 (CET)", without the weekday, with two-digit years, zone names or
 * none (UTC), asctime's order, and ISO 8601.  FALSE when day, month, year or time make no sense.  *date is
 * seconds since 1970 UTC, years 1900 to 9999 (others are refused); *zone is minutes east of UTC, 0 when it is
 * out of range. */
gboolean date_parse(const char *text, gint64 *date, int *zone);

#endif
