#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    int zone = (int)(g_date_time_get_utc_offset(time) / G_TIME_SPAN_MINUTE);
    if (colon && !zone)
        return g_strdup("Z");
    return g_strdup_printf("%c%02d%s%02d", zone < 0 ? '-' : '+', abs(zone) / 60, colon ? ":" : "",
                           abs(zone) % 60);
}

char *
clock_rfc3339(gint64 seconds, int zone)
{
    g_autoptr(GDateTime) time = at(seconds, zone);
    g_autofree char *offset = zone_text(time, TRUE);
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d%s", g_date_time_get_year(time),
                           g_date_time_get_month(time), g_date_time_get_day_of_month(time),
                           g_date_time_get_hour(time), g_date_time_get_minute(time),
                           g_date_time_get_second(time), offset);
}

char *
clock_rfc3339_ms(gint64 us, int zone)
{
    g_autoptr(GDateTime) time = at(us / G_USEC_PER_SEC, zone);
    g_autofree char *offset = zone_text(time, TRUE);
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03d%s", g_date_time_get_year(time),
                           g_date_time_get_month(time), g_date_time_get_day_of_month(time),
                           g_date_time_get_hour(time), g_date_time_get_minute(time),
                           g_date_time_get_second(time), (int)(ABS(us) / 1000 % 1000), offset);
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
                           g_date_time_get_year(time), g_date_time_get_hour(time),
                           g_date_time_get_minute(time), g_date_time_get_second(time), offset);
}

int
clock_local_zone(gint64 seconds)
{
    g_autoptr(GDateTime) time = local(seconds);
    return (int)(g_date_time_get_utc_offset(time) / G_TIME_SPAN_MINUTE);
}

gint64
clock_local_day(gint64 seconds)
{
    gint64 shifted = seconds + (gint64)clock_local_zone(seconds) * 60;
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
    return diff < 0 ? g_strdup_printf("in %" G_GINT64_FORMAT " s", size) : g_strdup("just now");
}

/* Local midnight `days` after now's day, plus hour and minute. */
static gint64
on_day(gint64 now, int days, int hour, int minute)
{
    g_autoptr(GDateTime) today = local(now);
    g_autoptr(GDateTime) day = g_date_time_add_days(today, days);
    g_autoptr(GDateTime) time = g_date_time_new_local(g_date_time_get_year(day), g_date_time_get_month(day),
                                                      g_date_time_get_day_of_month(day), hour, minute, 0);
    return time ? g_date_time_to_unix(time) : now;
}

static gboolean
parse_span(const char *text, gint64 *seconds)
{
    static const struct {
        const char *unit;
        gint64 size;
    } units[] = {{"s", 1}, {"sec", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", DAY}, {"w", 7 * DAY}};
    char *end;
    gint64 number = g_ascii_strtoll(text, &end, 10);
    while (*end == ' ')
        end++;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (number > 0 && number < 1000000 && !strcmp(end, units[i].unit)) {
            *seconds = number * units[i].size;
            return TRUE;
        }
    return FALSE;
}

/* "8:00", "08:00", or nothing, which is eight o'clock. */
static gboolean
parse_hour(const char *text, int *hour, int *minute)
{
    int used = 0;
    *hour = 8;
    *minute = 0;
    if (!*text)
        return TRUE;
    return sscanf(text, "%2d:%2d%n", hour, minute, &used) == 2 && !text[used] && *hour >= 0 && *hour < 24 &&
           *minute >= 0 && *minute < 60;
}

gboolean
clock_parse_when(const char *text, gint64 now, gint64 *seconds)
{
    static const char names[][10] = {"monday", "tuesday",  "wednesday", "thursday",
                                     "friday", "saturday", "sunday"};
    g_autofree char *word = g_strstrip(g_ascii_strdown(text, -1));
    int hour, minute, year, month, day, used = 0;
    gint64 span;

    if (*word == '+' && parse_span(word + 1, &span)) {
        *seconds = now + span;
        return TRUE;
    }
    if (strchr(word, ':') && !strchr(word, ' ') && !strchr(word, '-') && parse_hour(word, &hour, &minute)) {
        *seconds = on_day(now, 0, hour, minute);
        if (*seconds <= now)
            *seconds = on_day(now, 1, hour, minute);
        return TRUE;
    }
    if (g_str_has_prefix(word, "tomorrow") && (!word[8] || word[8] == ' ') &&
        parse_hour(g_strchug(word + 8), &hour, &minute)) {
        *seconds = on_day(now, 1, hour, minute);
        return TRUE;
    }
    for (int i = 0; i < 7; i++) {
        gsize letters = strspn(word, "abcdefghijklmnopqrstuvwxyz");
        if (strncmp(word, names[i], MAX(letters, 3)) || (word[letters] && word[letters] != ' ') ||
            !parse_hour(g_strchug(word + letters), &hour, &minute))
            continue;
        g_autoptr(GDateTime) today = local(now);
        int ahead = (i + 1 - g_date_time_get_day_of_week(today) + 7) % 7;
        *seconds = on_day(now, ahead ? ahead : 7, hour, minute);
        return TRUE;
    }
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    if (sscanf(word, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && used == 10) {
        g_autofree char *rest = g_strdup(word + used);
        if (*rest == 't')
            *rest = ' ';
        g_autoptr(GDateTime) date = g_date_time_new_local(year, month, day, 8, 0, 0);
        if (date && parse_hour(g_strchug(rest), &hour, &minute)) {
            g_autoptr(GDateTime) time = g_date_time_new_local(year, month, day, hour, minute, 0);
            *seconds = time ? g_date_time_to_unix(time) : 0;
            return time != NULL;
        }
    }
    g_autofree char *upper = g_ascii_strup(word, -1);
    g_autoptr(GDateTime) iso = g_date_time_new_from_iso8601(upper, zone);
    if (!iso)
        return FALSE;
    *seconds = g_date_time_to_unix(iso);
    return TRUE;
}
