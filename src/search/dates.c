#include "config.h"

#include "search/dates.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/i18n.h"
#include "search/error.h"

/* What a text says about a moment. A field that was not named is -1; relative fields all point to the past.
 */
enum field { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, FIELDS };
enum relative { REL_SECOND, REL_MINUTE, REL_HOUR, REL_DAY, REL_MONTH, REL_YEAR, REL_WEEK, RELATIVES };

struct moment {
    int field[FIELDS];
    int relative[RELATIVES];
    gboolean is_relative[RELATIVES];
    int weekday; /* 0 Sunday; -1 */
    int zone;    /* minutes east of UTC */
    gboolean has_zone;
    gboolean has_stamp;
    gint64 stamp;
    int pending; /* a number that waits for a month, or -1 */
};

enum rounding { ROUND_DOWN, ROUND_UP };

static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                     "july",    "august",   "september", "october", "november", "december"};
static const char *const weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};
static const char *const numbers[] = {"zero",  "one",   "two",  "three", "four",   "five",  "six",
                                      "seven", "eight", "nine", "ten",   "eleven", "twelve"};

static const struct unit {
    const char *name;
    guint least; /* letters that suffice */
    enum relative relative;
} units[] = {
    {"years", 1, REL_YEAR},     {"weeks", 1, REL_WEEK},     {"days", 1, REL_DAY},    {"hours", 1, REL_HOUR},
    {"hrs", 2, REL_HOUR},       {"minutes", 1, REL_MINUTE}, {"mins", 3, REL_MINUTE}, {"months", 2, REL_MONTH},
    {"seconds", 1, REL_SECOND}, {"secs", 3, REL_SECOND},
};

/* Zone names that mail uses (RFC 5322 section 4.3) and the common European ones. */
static const struct {
    const char *name;
    int minutes;
} zones[] = {
    {"utc", 0},    {"gmt", 0},    {"z", 0},      {"wet", 0},    {"west", 60},  {"cet", 60},   {"cest", 120},
    {"eet", 120},  {"eest", 180}, {"msk", 180},  {"est", -300}, {"edt", -240}, {"cst", -360}, {"cdt", -300},
    {"mst", -420}, {"mdt", -360}, {"pst", -480}, {"pdt", -420}, {"jst", 540},
};

static gboolean
set_field(struct moment *moment, enum field field, int value)
{
    static const int least[FIELDS] = {0, 0, 0, 1, 1, 1}, most[FIELDS] = {60, 59, 23, 31, 12, 9999};
    if (value < least[field] || value > most[field])
        return FALSE;
    if (moment->field[field] >= 0 && moment->field[field] != value)
        return FALSE;
    moment->field[field] = value;
    return TRUE;
}

static gboolean
add_relative(struct moment *moment, enum relative relative, int value)
{
    if (value < 0 || value > DATES_RELATIVE_MAX || moment->relative[relative] > DATES_RELATIVE_MAX)
        return FALSE;
    moment->relative[relative] += value;
    moment->is_relative[relative] = TRUE;
    return TRUE;
}

int
dates_full_year(int year, guint digits)
{
    return digits > 2 ? year : year < 70 ? 2000 + year : 1900 + year;
}

static gboolean
set_date(struct moment *moment, int year, int month, int day)
{
    return (year < 0 || set_field(moment, YEAR, year)) && (month < 0 || set_field(moment, MONTH, month)) &&
           (day < 0 || set_field(moment, DAY, day));
}

static gboolean
set_time(struct moment *moment, int hour, int minute, int second)
{
    return set_field(moment, HOUR, hour) && (minute < 0 || set_field(moment, MINUTE, minute)) &&
           (second < 0 || set_field(moment, SECOND, second));
}

/* TRUE when `word` (lower case) begins `full` with at least `least` letters. */
static gboolean
abbreviates(const char *word, gsize len, const char *full, guint least)
{
    return len >= least && len <= strlen(full) && !strncmp(word, full, len);
}

static gboolean
is_separator(char c)
{
    return c == ' ' || c == '_' || c == '-' || c == ',' || c == '\t';
}

/* Up to nine digits; *digits is how many. */
int
dates_scan_number(const char **p, guint *digits)
{
    int value = 0;
    for (*digits = 0; g_ascii_isdigit(**p) && *digits < 9; ++*p, ++*digits)
        value = value * 10 + (**p - '0');
    return value;
}

static gsize
scan_word(const char *p)
{
    gsize len = 0;
    while (g_ascii_isalpha(p[len]))
        len++;
    return len;
}

static const struct unit *
find_unit(const char *word, gsize len)
{
    if (len == 1 && *word == 'M') {
        static const struct unit month = {"M", 1, REL_MONTH};
        return &month;
    }
    g_autofree char *lower = g_ascii_strdown(word, (gssize)len);
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (abbreviates(lower, len, units[i].name, units[i].least))
            return &units[i];
    return NULL;
}

static int
find_month(const char *word, gsize len)
{
    g_autofree char *lower = g_ascii_strdown(word, (gssize)len);
    for (int i = 0; i < 12; i++)
        if (abbreviates(lower, len, months[i], 3))
            return i + 1;
    return -1;
}

/* -1: none; else 0 for am, 12 for pm. `*len` is what it took. */
static int
find_half_day(const char *p, gsize *len)
{
    static const char *const forms[] = {"am", "a.m.", "pm", "p.m."};
    for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
        *len = strlen(forms[i]);
        if (!g_ascii_strncasecmp(p, forms[i], *len) && !g_ascii_isalpha(p[*len]))
            return i < 2 ? 0 : 12;
    }
    return -1;
}

static gboolean
set_half_day(struct moment *moment, int hour, int half)
{
    if (hour < 1 || hour > 12)
        return FALSE;
    /* "5pm" means that moment, not the hour that follows */
    if (moment->field[MINUTE] < 0)
        moment->field[MINUTE] = 0;
    if (moment->field[SECOND] < 0)
        moment->field[SECOND] = 0;
    moment->field[HOUR] = hour % 12 + half;
    return TRUE;
}

/* Three numbers with a separator between: "2026-01-05", "2026/01/05", "31-07-2012", "7/31/2012", "3.8.". */
static gboolean
set_numeric_date(struct moment *moment, char separator, const int *n, const guint *digits, guint count)
{
    if (separator != '.' && digits[0] == 4)
        return set_date(moment, n[0], n[1], count > 2 ? n[2] : -1);
    if (count == 2 && digits[1] == 4)
        return set_date(moment, n[1], n[0], -1);
    int year = count > 2 ? dates_full_year(n[2], digits[2]) : -1;
    return separator == '/' ? set_date(moment, year, n[0], n[1]) : set_date(moment, year, n[1], n[0]);
}

/* The clock after "10" in "10:42:01", with a zone behind it. */
static gboolean
scan_clock(struct moment *moment, const char **p, int hour)
{
    guint digits;
    int minute, second = -1;
    ++*p;
    minute = dates_scan_number(p, &digits);
    if (digits != 2)
        return FALSE;
    if (**p == ':') {
        ++*p;
        second = dates_scan_number(p, &digits);
        if (digits != 2)
            return FALSE;
    }
    if (!set_time(moment, hour, minute, second))
        return FALSE;
    gsize len;
    int half = find_half_day(*p, &len);
    if (half >= 0) {
        *p += len;
        if (second < 0) /* the minute stays the accuracy */
            return hour >= 1 && hour <= 12 && (moment->field[HOUR] = hour % 12 + half, TRUE);
        return set_half_day(moment, hour, half);
    }
    if (**p != '+' && **p != '-')
        return TRUE;
    const char *q = *p + 1;
    int zone = dates_scan_number(&q, &digits);
    if (digits == 2 && *q == ':') {
        q++;
        guint more;
        zone = zone * 100 + dates_scan_number(&q, &more);
        digits += more;
    }
    if (digits == 2)
        zone *= 100;
    else if (digits != 4)
        return TRUE; /* a date follows: "10:00-3d" */
    if (zone % 100 > 59 || zone > 1500)
        return FALSE;
    moment->zone = (zone / 100 * 60 + zone % 100) * (**p == '-' ? -1 : 1);
    moment->has_zone = TRUE;
    *p = q;
    return TRUE;
}

/* A number and what belongs to it. */
static gboolean
scan_numeric(struct moment *moment, const char **p)
{
    guint digits[3] = {0}, count = 1;
    int n[3];
    n[0] = dates_scan_number(p, &digits[0]);
    if (g_ascii_isdigit(**p))
        return FALSE;
    if (**p == ':' && digits[0] <= 2)
        return scan_clock(moment, p, n[0]);

    char separator = **p;
    if (separator && strchr("-/.", separator) && g_ascii_isdigit((*p)[1]) && digits[0] <= 4) {
        const char *q = *p;
        while (count < 3 && *q == separator && g_ascii_isdigit(q[1])) {
            q++;
            n[count] = dates_scan_number(&q, &digits[count]);
            count++;
        }
        if (separator == '.' && *q == '.' && count == 2)
            q++;
        /* "5-3d" and "17-aug" are no numeric dates; a time may follow after T, as in RFC 3339. */
        if (!g_ascii_isalpha(*q) || (*q == 'T' && g_ascii_isdigit(q[1]))) {
            *p = *q == 'T' ? q + 1 : q;
            return digits[count - 1] <= 4 && set_numeric_date(moment, separator, n, digits, count);
        }
        count = 1;
    }

    gsize len;
    int half = find_half_day(*p, &len);
    if (half >= 0) {
        *p += len;
        return set_half_day(moment, n[0], half);
    }
    static const char *const ordinals[] = {"st", "nd", "rd", "th"};
    for (guint i = 0; i < G_N_ELEMENTS(ordinals); i++)
        if (!g_ascii_strncasecmp(*p, ordinals[i], 2) && !g_ascii_isalpha((*p)[2])) {
            *p += 2;
            return set_field(moment, DAY, n[0]);
        }
    const char *after = *p;
    while (is_separator(*after))
        after++;
    len = scan_word(after);
    const struct unit *unit = len ? find_unit(after, len) : NULL;
    if (unit && find_month(after, len) < 0) {
        *p = after + len;
        return add_relative(moment, unit->relative, n[0]);
    }
    if (digits[0] == 8)
        return set_date(moment, n[0] / 10000, n[0] / 100 % 100, n[0] % 100);
    if (digits[0] == 6)
        return set_time(moment, n[0] / 10000, n[0] / 100 % 100, n[0] % 100);
    if (digits[0] == 4)
        return set_field(moment, YEAR, n[0]);
    if (digits[0] > 2 || moment->pending >= 0)
        return FALSE;
    if (moment->field[MONTH] >= 0)
        return set_field(moment, DAY, n[0]);
    moment->pending = n[0];
    return TRUE;
}

/* "dozen days", "last week", "three months": a number in words before a unit. */
static gboolean
scan_counted(struct moment *moment, const char **p, int value)
{
    while (is_separator(**p))
        ++*p;
    gsize len = scan_word(*p);
    const struct unit *unit = len ? find_unit(*p, len) : NULL;
    if (!unit)
        return FALSE;
    *p += len;
    return add_relative(moment, unit->relative, value);
}

static gboolean
scan_name(struct moment *moment, const char **p)
{
    gsize len = scan_word(*p);
    if (!len)
        return FALSE;
    g_autofree char *word = g_ascii_strdown(*p, (gssize)len);
    *p += len;

    int month = find_month(word, len);
    if (month > 0) {
        if (moment->pending >= 0) {
            if (!set_field(moment, DAY, moment->pending))
                return FALSE;
            moment->pending = -1;
        }
        return set_field(moment, MONTH, month);
    }
    for (int i = 0; i < 7; i++)
        if (abbreviates(word, len, weekdays[i], 3)) {
            moment->weekday = i;
            return TRUE;
        }
    if (!strcmp(word, "now"))
        return add_relative(moment, REL_SECOND, 0);
    if (abbreviates(word, len, "today", 3))
        return add_relative(moment, REL_DAY, 0);
    if (abbreviates(word, len, "yesterday", 4))
        return add_relative(moment, REL_DAY, 1);
    if (!strcmp(word, "noon"))
        return set_time(moment, 12, 0, 0);
    if (abbreviates(word, len, "midnight", 3))
        return set_time(moment, 0, 0, 0);
    if (!strcmp(word, "ago") || !strcmp(word, "at") || !strcmp(word, "and"))
        return TRUE;
    if (!strcmp(word, "last"))
        return scan_counted(moment, p, 1);
    if (!strcmp(word, "this"))
        return scan_counted(moment, p, 0);
    if (!strcmp(word, "a") || !strcmp(word, "an"))
        return scan_counted(moment, p, 1);
    if (!strcmp(word, "dozen"))
        return scan_counted(moment, p, 12);
    if (!strcmp(word, "hundred"))
        return scan_counted(moment, p, 100);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (!strcmp(word, numbers[i]))
            return scan_counted(moment, p, (int)i);
    for (guint i = 0; i < G_N_ELEMENTS(zones); i++)
        if (!strcmp(word, zones[i].name)) {
            moment->zone = zones[i].minutes;
            moment->has_zone = TRUE;
            return TRUE;
        }
    return FALSE;
}

static gboolean
scan_stamp(struct moment *moment, const char *p)
{
    char *end;
    errno = 0;
    moment->stamp = g_ascii_strtoll(p, &end, 10);
    moment->has_stamp = TRUE;
    return end != p && !*end && !errno;
}

static gboolean
scan_moment(struct moment *moment, const char *text)
{
    *moment = (struct moment){.weekday = -1, .pending = -1};
    for (guint i = 0; i < FIELDS; i++)
        moment->field[i] = -1;
    const char *p = text;
    if (*p == '@')
        return scan_stamp(moment, p + 1);
    while (*p) {
        if (is_separator(*p)) {
            p++;
            continue;
        }
        if (!(g_ascii_isdigit(*p) ? scan_numeric(moment, &p) : scan_name(moment, &p)))
            return FALSE;
    }
    return moment->pending < 0;
}

static gboolean
is_empty(const struct moment *moment)
{
    for (guint i = 0; i < FIELDS; i++)
        if (moment->field[i] >= 0)
            return FALSE;
    for (guint i = 0; i < RELATIVES; i++)
        if (moment->is_relative[i])
            return FALSE;
    return moment->weekday < 0 && !moment->has_stamp;
}

static struct tm
local_time(gint64 seconds, const struct moment *moment)
{
    time_t t = (time_t)seconds;
    struct tm tm = {0};
    if (moment->has_zone) {
        t += moment->zone * 60;
        gmtime_r(&t, &tm);
    } else {
        localtime_r(&t, &tm);
    }
    return tm;
}

static gint64
to_seconds(struct tm *tm, const struct moment *moment)
{
    tm->tm_isdst = -1;
    if (moment->has_zone)
        return (gint64)timegm(tm) - moment->zone * 60;
    return (gint64)mktime(tm);
}

/* notmuch's rounding: the smallest unit that was named is the accuracy; what is smaller becomes its beginning
 * or end. A week begins on Sunday, as it does for notmuch. */
static gint64
resolve(struct moment moment, gint64 now, enum rounding round)
{
    if (moment.has_stamp)
        return moment.stamp;

    struct tm today = local_time(now, &moment);
    const int current[FIELDS] = {today.tm_sec,  today.tm_min,     today.tm_hour,
                                 today.tm_mday, today.tm_mon + 1, today.tm_year + 1900};
    static const int least[FIELDS] = {0, 0, 0, 1, 1, 1970};
    gint64 forward[FIELDS] = {0};
    gboolean rounding = TRUE, by_week = FALSE;

    if (moment.weekday >= 0) {
        int back = today.tm_wday - moment.weekday;
        add_relative(&moment, REL_DAY, back > 0 ? back : back + 7); /* "monday" on a Monday is a week ago */
    }
    for (guint f = SECOND; f < FIELDS; f++) {
        if (rounding && (moment.field[f] >= 0 || moment.is_relative[f])) {
            if (round == ROUND_UP && f != SECOND)
                forward[f] = 1;
            rounding = FALSE;
        } else if (rounding && f == DAY && moment.is_relative[REL_WEEK]) {
            rounding = FALSE;
            by_week = TRUE;
        } else if (rounding) {
            moment.field[f] = least[f];
        }
        if (moment.field[f] < 0)
            moment.field[f] = current[f];
    }
    struct tm tm = {
        .tm_sec = moment.field[SECOND] - moment.relative[REL_SECOND],
        .tm_min = moment.field[MINUTE] - moment.relative[REL_MINUTE] + (int)forward[MINUTE],
        .tm_hour = moment.field[HOUR] - moment.relative[REL_HOUR] + (int)forward[HOUR],
        .tm_mday =
            moment.field[DAY] - moment.relative[REL_DAY] - 7 * moment.relative[REL_WEEK] + (int)forward[DAY],
        .tm_mon = moment.field[MONTH] - 1 - moment.relative[REL_MONTH] + (int)forward[MONTH],
        .tm_year = moment.field[YEAR] - 1900 - moment.relative[REL_YEAR] + (int)forward[YEAR],
    };
    if (by_week) {
        gint64 there = to_seconds(&tm, &moment);
        tm = local_time(there, &moment);
        tm.tm_sec = tm.tm_min = tm.tm_hour = 0;
        tm.tm_mday -= tm.tm_wday;
        if (round == ROUND_UP)
            tm.tm_mday += 7;
    }
    gint64 seconds = to_seconds(&tm, &moment);
    gboolean moved = by_week;
    for (guint f = MINUTE; f < FIELDS; f++)
        moved = moved || forward[f];
    return round == ROUND_UP && moved ? seconds - 1 : seconds;
}

static gboolean
not_understood(const char *text, GError **error)
{
    g_autofree char *shown = g_utf8_strlen(text, -1) > 40 ? g_utf8_substring(text, 0, 40) : g_strdup(text);
    g_set_error(
        error, SEARCH_ERROR, ERROR_INPUT,
        _("\"%s\" is no date: write 2026-11-02, yesterday, monday, 3d, 2w.., last_month or 2026-01..2026-03"),
        shown);
    return FALSE;
}

static gboolean
parse_moment(const char *text, struct moment *moment)
{
    return scan_moment(moment, text) && !is_empty(moment);
}

gboolean
dates_parse_range(const char *text, gint64 now, gint64 *min, gint64 *max, GError **error)
{
    struct moment moment;
    const char *dots = strstr(text, "..");
    *min = G_MININT64;
    *max = G_MAXINT64;

    if (!dots) {
        if (!parse_moment(text, &moment))
            return not_understood(text, error);
        *min = resolve(moment, now, ROUND_DOWN);
        *max = resolve(moment, now, ROUND_UP);
        return TRUE;
    }
    if (strlen(text) == 2)
        return not_understood(text, error);
    g_autofree char *since = g_strndup(text, (gsize)(dots - text));
    const char *until = dots + 2;
    if (*since) {
        if (!parse_moment(since, &moment))
            return not_understood(since, error);
        *min = resolve(moment, now, ROUND_DOWN);
    }
    if (!strcmp(until, "!")) { /* notmuch: until the end of what began */
        if (!*since)
            return not_understood(text, error);
        until = since;
    }
    if (*until) {
        if (!parse_moment(until, &moment))
            return not_understood(until, error);
        *max = resolve(moment, now, ROUND_UP);
    }
    return TRUE;
}
