#include "config.h"

#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#define DAY 86400

/* Seconds that GDateTime can show: year 0001 to 9999. */
#define MIN_SECONDS G_GINT64_CONSTANT(-62135596800)
#define MAX_SECONDS G_GINT64_CONSTANT(253402300799)

gint64
clock_now_us(void)
{
    const char *fixed = g_getenv("POSTRIDER_NOW");
    if (fixed && *fixed)
        return g_ascii_strtoll(fixed, NULL, 10) * G_USEC_PER_SEC;
    return g_get_real_time();
}

gint64
clock_now(void)
{
    return clock_now_us() / G_USEC_PER_SEC;
}

gint64
clock_monotonic(void)
{
    return g_get_monotonic_time();
}

static GDateTime *
at(gint64 seconds, int zone)
{
    zone = CLAMP(zone, -14 * 60, 14 * 60);
    seconds = CLAMP(seconds, MIN_SECONDS + DAY, MAX_SECONDS - DAY);
    g_autoptr(GTimeZone) tz = g_time_zone_new_offset(zone * 60);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
    return g_date_time_to_timezone(utc, tz);
}

static GDateTime *
local(gint64 seconds)
{
    return g_date_time_new_from_unix_local(CLAMP(seconds, MIN_SECONDS + DAY, MAX_SECONDS - DAY));
}

static char *
zone_text(GDateTime *time, gboolean colon)
{
    int zone = (int) (g_date_time_get_utc_offset(time) / G_TIME_SPAN_MINUTE);
    if (colon && !zone)
        return g_strdup("Z");
    return g_strdup_printf("%c%02d%s%02d", zone < 0 ? '-' : '+', abs(zone) / 60, colon ? ":" : "", abs(zone) % 60);
}

char *
clock_rfc3339(gint64 seconds, int zone)
{
    g_autoptr(GDateTime) time = at(seconds, zone);
    g_autofree char *offset = zone_text(time, TRUE);
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d%s", g_date_time_get_year(time), g_date_time_get_month(time),
                           g_date_time_get_day_of_month(time), g_date_time_get_hour(time),
                           g_date_time_get_minute(time), g_date_time_get_second(time), offset);
}

char *
clock_rfc3339_ms(gint64 us, int zone)
{
    g_autoptr(GDateTime) time = at(us / G_USEC_PER_SEC, zone);
    g_autofree char *offset = zone_text(time, TRUE);
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03d%s", g_date_time_get_year(time),
                           g_date_time_get_month(time), g_date_time_get_day_of_month(time), g_date_time_get_hour(time),
                           g_date_time_get_minute(time), g_date_time_get_second(time),
                           (int) (ABS(us) / 1000 % 1000), offset);
}

char *
clock_rfc5322(gint64 seconds, int zone)
{
    static const char days[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) time = at(seconds, zone);
    g_autofree char *offset = zone_text(time, FALSE);
    return g_strdup_printf("%s, %02d %s %04d %02d:%02d:%02d %s", days[g_date_time_get_day_of_week(time) - 1],
                           g_date_time_get_day_of_month(time), months[g_date_time_get_month(time) - 1],
                           g_date_time_get_year(time), g_date_time_get_hour(time), g_date_time_get_minute(time),
                           g_date_time_get_second(time), offset);
}

int
clock_local_zone(gint64 seconds)
{
    g_autoptr(GDateTime) time = local(seconds);
    return (int) (g_date_time_get_utc_offset(time) / G_TIME_SPAN_MINUTE);
}

gint64
clock_local_day(gint64 seconds)
{
    gint64 shifted = seconds + (gint64) clock_local_zone(seconds) * 60;
    return shifted >= 0 ? shifted / DAY : -((-shifted + DAY - 1) / DAY);
}

char *
clock_short(gint64 seconds, gint64 now)
{
    g_autoptr(GDateTime) time = local(seconds), today = local(now);
    gint64 days = clock_local_day(now) - clock_local_day(seconds);
    const char *format = "%d.%m.%y";
    if (days == 0)
        format = "%H:%M";
    else if (days > 0 && days < 7)
        format = days == 1 ? "%H:%M" : "%a";
    else if (g_date_time_get_year(time) == g_date_time_get_year(today))
        format = "%d %b";
    return g_date_time_format(time, format);
}

char *
clock_relative(gint64 seconds, gint64 now)
{
    static const struct {
        gint64 size;
        const char *unit;
    } units[] = {{365 * DAY, "y"}, {30 * DAY, "mo"}, {DAY, "d"}, {3600, "h"}, {60, "min"}};
    gint64 diff = now - seconds, size = ABS(diff);
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (size >= units[i].size)
            return g_strdup_printf(diff < 0 ? "in %" G_GINT64_FORMAT " %s" : "%" G_GINT64_FORMAT " %s ago",
                                   size / units[i].size, units[i].unit);
    return g_strdup("just now");
}
