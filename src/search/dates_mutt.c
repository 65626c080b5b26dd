/* dates_mutt.c - mutt's dates (muttrc(5), "Matching dates") */
#include "config.h"

#include "search/dates.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/i18n.h"
#include "search/error.h"

static struct tm
local_time(gint64 seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm = {0};
    localtime_r(&t, &tm);
    return tm;
}

static gint64
to_seconds(struct tm *tm)
{
    tm->tm_isdst = -1;
    return (gint64)mktime(tm);
}

/* "3d", "2w", "1H" at *p: moves `tm` by sign times that. FALSE when there is no such thing. */
static gboolean
mutt_offset(const char **p, struct tm *tm, int sign, const char *letters, char *letter)
{
    const char *q = *p;
    guint digits;
    int n = dates_scan_number(&q, &digits);
    if (!digits || !*q || !strchr(letters, *q) || n > DATES_RELATIVE_MAX)
        return FALSE;
    *letter = *q;
    n *= sign;
    switch (*q) {
    case 'y':
        tm->tm_year += n;
        break;
    case 'm':
        tm->tm_mon += n;
        break;
    case 'w':
        tm->tm_mday += 7 * n;
        break;
    case 'd':
        tm->tm_mday += n;
        break;
    case 'H':
        tm->tm_hour += n;
        break;
    case 'M':
        tm->tm_min += n;
        break;
    default:
        tm->tm_sec += n;
    }
    *p = q + 1;
    return TRUE;
}

/* DD[/MM[/[cc]YY]] or YYYYMMDD at *p; what is left out is as today. */
static gboolean
mutt_date(const char **p, gint64 now, struct tm *tm)
{
    struct tm today = local_time(now);
    guint digits;
    int n = dates_scan_number(p, &digits);
    *tm = (struct tm){.tm_year = today.tm_year, .tm_mon = today.tm_mon, .tm_mday = n};
    if (digits == 8) {
        tm->tm_year = n / 10000 - 1900;
        tm->tm_mon = n / 100 % 100 - 1;
        tm->tm_mday = n % 100;
    } else if (!digits || digits > 2) {
        return FALSE;
    } else if (**p == '/') {
        ++*p;
        tm->tm_mon = dates_scan_number(p, &digits) - 1;
        if (!digits || digits > 2)
            return FALSE;
        if (**p == '/') {
            ++*p;
            int year = dates_scan_number(p, &digits);
            if (digits != 2 && digits != 4)
                return FALSE;
            tm->tm_year = dates_full_year(year, digits) - 1900;
        }
    }
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31;
}

static gint64
end_of_day(struct tm tm)
{
    tm.tm_hour = 23;
    tm.tm_min = tm.tm_sec = 59;
    return to_seconds(&tm);
}

static gint64
start_of_day(struct tm tm)
{
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    return to_seconds(&tm);
}

/* "<2w" is more recent than, ">2w" older than, "=2w" that day. Units of days and more count from the end of
 * the day. */
static gboolean
mutt_relative(const char *text, gint64 now, gint64 *min, gint64 *max)
{
    struct tm tm = local_time(now);
    const char *p = text + 1;
    char letter;
    if (!mutt_offset(&p, &tm, -1, "ymwdHMS", &letter) || *p)
        return FALSE;
    gboolean exact_time = strchr("HMS", letter) != NULL;
    gint64 there = exact_time ? to_seconds(&tm) : end_of_day(tm);
    if (*text == '<')
        *min = there;
    else
        *max = there;
    if (*text == '=')
        *min = exact_time ? there : start_of_day(tm);
    return TRUE;
}

/* "-1w+2w*3d" after a date: margins that move its two ends. */
static gboolean
mutt_margins(const char *p, struct tm *min, struct tm *max)
{
    while (*p) {
        char sign = *p++, letter;
        if (sign != '+' && sign != '-' && sign != '*')
            return FALSE;
        const char *start = p;
        if (sign != '+' && !mutt_offset(&p, min, -1, "ymwd", &letter))
            return FALSE;
        if (sign == '*')
            p = start;
        if (sign != '-' && !mutt_offset(&p, max, 1, "ymwd", &letter))
            return FALSE;
    }
    return TRUE;
}

static gboolean
mutt_absolute(const char *text, gint64 now, gint64 *min, gint64 *max)
{
    struct tm from, to;
    const char *p = text;

    if (*p == '-') {
        p++;
        const char *probe = p;
        struct tm today = local_time(now), copy = today;
        char letter;
        if (mutt_offset(&probe, &copy, -1, "ymwd", &letter)) { /* "-3d+1d": margins around today */
            from = to = today;
            if (!mutt_margins(text, &from, &to))
                return FALSE;
            *min = start_of_day(from);
            *max = end_of_day(to);
            return TRUE;
        }
        if (!mutt_date(&p, now, &to) || *p)
            return FALSE;
        *max = end_of_day(to);
        return TRUE;
    }
    if (!mutt_date(&p, now, &from))
        return FALSE;
    if (*p == '-') {
        const char *rest = p + 1;
        if (!*rest) {
            *min = start_of_day(from);
            return TRUE;
        }
        struct tm copy = from;
        char letter;
        const char *probe = rest;
        if (!mutt_offset(&probe, &copy, -1, "ymwd", &letter)) {
            if (!mutt_date(&rest, now, &to) || *rest)
                return FALSE;
            *min = start_of_day(from);
            *max = end_of_day(to);
            if (*min > *max) { /* mutt takes either order */
                *min = start_of_day(to);
                *max = end_of_day(from);
            }
            return TRUE;
        }
    }
    to = from;
    if (!mutt_margins(p, &from, &to))
        return FALSE;
    *min = start_of_day(from);
    *max = end_of_day(to);
    return TRUE;
}

gboolean
dates_parse_mutt(const char *text, gint64 now, gint64 *min, gint64 *max, GError **error)
{
    *min = G_MININT64;
    *max = G_MAXINT64;
    if (*text && strchr("<>=", *text)) {
        if (mutt_relative(text, now, min, max))
            return TRUE;
    } else {
        if (mutt_absolute(text, now, min, max))
            return TRUE;
        if (dates_parse_range(text, now, min, max, NULL))
            return TRUE;
    }
    g_autofree char *shown = g_utf8_strlen(text, -1) > 40 ? g_utf8_substring(text, 0, 40) : g_strdup(text);
    g_set_error(
        error, SEARCH_ERROR, ERROR_INPUT,
        _("\"%s\" is no date: write <2w (younger than two weeks), >1m, =3d, 24/12/2025, 1/1- or 1/1-31/1"),
        shown);
    return FALSE;
}
