#include "config.h"

#include "ui/compose.h"

#include "ui/text.h"

#include <stdio.h>
#include <string.h>

/* "8:00" or "8:05" into minutes of the day; -1. */
static int
parse_clock(const char *text)
{
    char *end = NULL;
    guint64 hour = g_ascii_strtoull(text, &end, 10), minute = 0;
    if (end == text || hour > 23)
        return -1;
    if (*end == ':') {
        const char *begin = end + 1;
        minute = g_ascii_strtoull(begin, &end, 10);
        if (end != begin + 2 || minute > 59)
            return -1;
    } else {
        return -1;
    }
    return *end ? -1 : (int)(hour * 60 + minute);
}

/* "2 h", "30min", "3 d": seconds; 0. */
static gint64
parse_span(const char *text)
{
    static const struct {
        const char *unit;
        int seconds;
    } units[] = {{"m", 60},    {"min", 60},     {"h", 3600},    {"hours", 3600}, {"hour", 3600},
                 {"d", 86400}, {"days", 86400}, {"day", 86400}, {"w", 604800}};
    char *end = NULL;
    guint64 n = g_ascii_strtoull(text, &end, 10);
    if (end == text || !n || n > 10000)
        return 0;
    while (*end == ' ')
        end++;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (!g_ascii_strcasecmp(end, units[i].unit))
            return (gint64)n * units[i].seconds;
    return 0;
}

static int
parse_weekday(const char *word)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (guint i = 0; i < G_N_ELEMENTS(days); i++)
        if (!g_ascii_strncasecmp(word, days[i], 3))
            return (int)i + 1;
    return 0;
}

static gint64
at(GDateTime *day, int add, int minutes)
{
    g_autoptr(GDateTime) other = g_date_time_add_days(day, add);
    g_autoptr(GDateTime) when =
        other ? g_date_time_new_local(g_date_time_get_year(other), g_date_time_get_month(other),
                                      g_date_time_get_day_of_month(other), minutes / 60, minutes % 60, 0)
              : NULL;
    return when ? g_date_time_to_unix(when) : 0;
}

gint64
compose_parse_time(const char *text, gint64 now)
{
    g_autofree char *copy = g_strstrip(g_strdup(text));
    if (*copy == '+')
        memmove(copy, copy + 1, strlen(copy));
    gint64 span = parse_span(copy);
    if (span)
        return now + span;
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_local(now);
    if (!today || !*copy)
        return 0;
    g_auto(GStrv) words = g_strsplit(copy, " ", 2);
    int minutes = parse_clock(words[0]);
    if (minutes >= 0 && !words[1]) { /* the next time that the clock shows it */
        gint64 when = at(today, 0, minutes);
        return when > now ? when : at(today, 1, minutes);
    }
    minutes = words[1] ? parse_clock(g_strstrip(words[1])) : 8 * 60;
    if (minutes < 0)
        return 0;
    if (!g_ascii_strcasecmp(words[0], "tomorrow"))
        return at(today, 1, minutes);
    int weekday = parse_weekday(words[0]);
    if (weekday) {
        int days = (weekday - g_date_time_get_day_of_week(today) + 7) % 7;
        gint64 when = at(today, days, minutes);
        return when > now ? when : at(today, days + 7, minutes);
    }
    int year, month, day;
    if (sscanf(words[0], "%4d-%2d-%2d", &year, &month, &day) == 3) {
        g_autoptr(GDateTime) date = g_date_time_new_local(year, month, day, minutes / 60, minutes % 60, 0);
        gint64 when = date ? g_date_time_to_unix(date) : 0;
        return when > now ? when : 0;
    }
    return 0;
}
