#include "config.h"

#include "mail/date.h"

#include <string.h>

#define ZONE_MAX 1439

struct parts {
    int year, month, day, hour, minute, second; /* -1: not seen yet */
    int zone;
    gboolean zone_seen;
};

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char weekdays[] = "sunmontuewedthufrisat";

/* RFC 5322 section 4.3; military letters say nothing. */
static const struct {
    const char *name;
    int minutes;
} zones[] = {
    {"ut", 0},     {"utc", 0},    {"gmt", 0},    {"z", 0},      {"est", -300}, {"edt", -240},
    {"cst", -360}, {"cdt", -300}, {"mst", -420}, {"mdt", -360}, {"pst", -480}, {"pdt", -420},
    {"cet", 60},   {"cest", 120}, {"met", 60},   {"mest", 120}, {"eet", 120},  {"eest", 180},
    {"bst", 60},   {"wet", 0},    {"west", 60},  {"jst", 540},  {"msk", 180},  {"mez", 60},
    {"mesz", 120},
};

/* 1 to n for the nth three letters of names, 0 for none of them; the rest of a longer word is not looked at.
 */
static int
find_name(const char *names, const char *word)
{
    if (strlen(word) < 3)
        return 0;
    for (int i = 0; names[i]; i += 3)
        if (g_ascii_strncasecmp(word, names + i, 3) == 0)
            return i / 3 + 1;
    return 0;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static gint64
days_of(int year, int month, int day)
{
    gint64 y = month <= 2 ? year - 1 : year;
    gint64 era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    gint64 of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    gboolean leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Reads up to `max` digits; -1 when there is none or more of them. */
static int
read_number(const char **text, guint max)
{
    int value = 0;
    guint n = 0;
    for (; g_ascii_isdigit(**text); (*text)++, n++)
        if (n < max)
            value = value * 10 + (**text - '0');
    return n == 0 || n > max ? -1 : value;
}

static gboolean
read_time(const char *word, struct parts *parts)
{
    parts->hour = read_number(&word, 2);
    if (*word++ != ':')
        return FALSE;
    parts->minute = read_number(&word, 2);
    parts->second = 0;
    if (*word == ':') {
        word++;
        parts->second = read_number(&word, 2);
    }
    if (parts->hour < 0 || parts->hour > 23 || parts->minute < 0 || parts->minute > 59 || parts->second < 0 ||
        parts->second > 60)
        return FALSE;
    return *word == '\0' || *word == '.' || g_ascii_strcasecmp(word, "am") == 0 ||
           g_ascii_strcasecmp(word, "pm") == 0;
}

/* "+0100", "+01:00", "-7". Out of range is taken for UTC: a wrong hour is better than no date. */
static void
read_zone(const char *word, struct parts *parts)
{
    int sign = *word++ == '-' ? -1 : 1;
    const char *start = word;
    int hours, minutes = 0;
    if (strchr(word, ':')) {
        hours = read_number(&word, 2);
        if (*word == ':')
            word++;
        minutes = read_number(&word, 2);
    } else {
        int number = read_number(&word, 4);
        gboolean whole = word - start > 2;
        hours = whole ? number / 100 : number;
        minutes = whole ? number % 100 : 0;
    }
    parts->zone_seen = TRUE;
    if (hours < 0 || minutes < 0 || minutes > 59 || hours * 60 + minutes > ZONE_MAX || *word)
        return;
    parts->zone = sign * (hours * 60 + minutes);
}

static gboolean
set_year(const char *digits, struct parts *parts)
{
    const char *p = digits;
    int year = read_number(&p, 4);
    gsize length = strlen(digits);
    if (year < 0)
        return FALSE;
    if (length <= 2)
        year += year < 50 ? 2000 : 1900;
    else if (length == 3)
        year += 1900;
    parts->year = year;
    return TRUE;
}

static gboolean
take_number(const char *word, struct parts *parts)
{
    if (parts->day < 0 && strlen(word) <= 2) {
        parts->day = read_number(&word, 2);
        return TRUE;
    }
    return parts->year < 0 && set_year(word, parts);
}

static gboolean
is_number(const char *word)
{
    return *word && strspn(word, "0123456789") == strlen(word);
}

static gboolean take_word(const char *word, struct parts *parts);

/* "12-Nov-2026", "2026-11-12", "2026/11/12", "2026-11-12T10:42:01+01:00". */
static gboolean
take_joined(const char *word, struct parts *parts)
{
    if (strspn(word, "0123456789") == 4 && (word[4] == '-' || word[4] == '/')) {
        const char *p = word;
        parts->year = read_number(&p, 4);
        p++;
        parts->month = read_number(&p, 2);
        if (*p != '-' && *p != '/')
            return FALSE;
        p++;
        parts->day = read_number(&p, 2);
        if (*p != 'T' && *p != 't')
            return *p == '\0';
        gsize length = strcspn(++p, "+-Zz");
        g_autofree char *time = g_strndup(p, length);
        return read_time(time, parts) && (p[length] == '\0' || take_word(p + length, parts));
    }
    g_auto(GStrv) pieces = g_strsplit_set(word, "-/", 4);
    if (g_strv_length(pieces) != 3)
        return FALSE;
    for (char **piece = pieces; *piece; piece++)
        if (strpbrk(*piece, "-/") || !take_word(*piece, parts))
            return FALSE;
    return TRUE;
}

/* "10:42:01+0100": the zone begins there; NULL in a time without one, and in what is no time. */
static const char *
zone_in_time(const char *word)
{
    gsize length = strspn(word, "0123456789:.");
    return strcspn(word, ":") < length && (word[length] == '+' || word[length] == '-') ? word + length : NULL;
}

/* "10.42.01", when the date is known already: before it, dots part days and months. */
static gboolean
is_dotted_time(const char *word, const struct parts *parts)
{
    gsize hour = strspn(word, "0123456789"), minute = word[hour] == '.' ? strspn(word + hour + 1, "0123456789") : 0;
    return parts->hour < 0 && parts->year >= 0 && parts->day >= 0 && hour <= 2 && minute == 2 &&
           strspn(word, "0123456789.") == strlen(word);
}

/* FALSE when the whole date is nonsense; a word without a meaning is passed over. */
static gboolean
take_word(const char *word, struct parts *parts)
{
    int month;
    if ((*word == '+' || *word == '-') && g_ascii_isdigit(word[1])) {
        if (parts->hour >= 0 && !parts->zone_seen)
            read_zone(word, parts);
        return TRUE;
    }
    if (is_number(word))
        return take_number(word, parts);
    const char *joined = g_ascii_isdigit(*word) ? zone_in_time(word) : NULL;
    if (joined) {
        g_autofree char *time = g_strndup(word, (gsize)(joined - word));
        return take_word(time, parts) && take_word(joined, parts);
    }
    if (g_ascii_isdigit(*word) && is_dotted_time(word, parts)) {
        g_autofree char *time = g_strdelimit(g_strdup(word), ".", ':');
        return take_word(time, parts);
    }
    if (g_ascii_isdigit(*word) && strpbrk(word, "-/"))
        return take_joined(word, parts);
    if (g_ascii_isdigit(*word) && strchr(word, ':')) {
        if (!read_time(word, parts))
            return FALSE;
        if (g_ascii_strcasecmp(word + strcspn(word, "aApP"), "pm") == 0 && parts->hour < 12)
            parts->hour += 12;
        return TRUE;
    }
    if (parts->month < 0 && (month = find_name(months, word))) {
        parts->month = month;
        return TRUE;
    }
    if (find_name(weekdays, word))
        return TRUE;
    gboolean is_utc = !g_ascii_strncasecmp(word, "gmt", 3) || !g_ascii_strncasecmp(word, "utc", 3);
    if (is_utc && (word[3] == '+' || word[3] == '-')) /* "GMT+0100" */
        return take_word(word + 3, parts);
    if (g_ascii_strcasecmp(word, "pm") == 0 && parts->hour >= 0 && parts->hour < 12)
        parts->hour += 12;
    for (gsize i = 0; i < G_N_ELEMENTS(zones) && !parts->zone_seen; i++)
        if (g_ascii_strcasecmp(word, zones[i].name) == 0) {
            parts->zone = zones[i].minutes;
            parts->zone_seen = TRUE;
        }
    return TRUE;
}

/* The next word without comments; NULL at the end. */
static char *
next_word(const char **text)
{
    GString *word = g_string_new(NULL);
    guint depth = 0;
    const char *p = *text;
    for (; *p; p++) {
        if (*p == '(')
            depth++;
        else if (*p == ')')
            depth -= depth > 0;
        else if (depth)
            continue;
        else if (!g_ascii_isspace(*p) && *p != ',')
            g_string_append_c(word, *p);
        else if (word->len)
            break;
    }
    *text = p;
    gboolean empty = word->len == 0;
    char *result = g_string_free(word, empty);
    return empty ? NULL : result;
}

gboolean
date_parse(const char *text, gint64 *date, int *zone)
{
    struct parts parts = {-1, -1, -1, -1, -1, -1, 0, FALSE};
    for (guint words = 0; words < 16; words++) {
        g_autofree char *word = next_word(&text);
        if (!word)
            break;
        if (!take_word(word, &parts))
            return FALSE;
    }
    if (parts.day < 1 || parts.month < 1 || parts.month > 12 || parts.year < 1900 || parts.year > 9999 ||
        parts.day > days_in_month(parts.year, parts.month))
        return FALSE;
    if (parts.hour < 0)
        parts.hour = parts.minute = parts.second = 0;
    gint64 seconds = days_of(parts.year, parts.month, parts.day) * 86400 + parts.hour * 3600 +
                     parts.minute * 60 + parts.second;
    *date = seconds - (gint64)parts.zone * 60;
    *zone = parts.zone;
    return TRUE;
}
