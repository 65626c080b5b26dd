#include "config.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_MARKS 8
#define MAX_FILE_NAME 200
#define REPLACEMENT 0xFFFD

/* Format characters that are wanted in ordinary text: joiners of scripts and emoji, soft hyphen is not. */
static gboolean
is_joiner(gunichar c)
{
    return c == 0x200C || c == 0x200D;
}

gboolean
text_is_unsafe(gunichar c)
{
    if (c < 0x20 || (c >= 0x7F && c < 0xA0))
        return TRUE;
    if (c < 0x300)
        return c == 0xAD;
    if (is_joiner(c))
        return FALSE;
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return TRUE;
    default:
        /* fillers that look like nothing: Hangul, braille blank, and the like */
        return c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0 || c == 0x034F;
    }
}

static gboolean
vanishes(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_FORMAT || c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0 ||
           c == 0x034F;
}

static gboolean
is_mark(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK;
}

char *
text_safe(const char *text, gssize len, enum text_mode mode)
{
    if (!text)
        return g_strdup("");
    const char *end = text + (len < 0 ? strlen(text) : (gsize)len);
    GString *out = g_string_sized_new(end - text + 1);
    guint marks = 0;

    for (const char *p = text; p < end;) {
        guchar byte = (guchar)*p;
        if (byte >= 0x20 && byte < 0x7F) { /* the common case */
            g_string_append_c(out, *p++);
            marks = 0;
            continue;
        }
        if (byte == '\r' && p + 1 < end && p[1] == '\n') {
            p++;
            continue;
        }
        if (byte == '\n' || byte == '\t' || (byte == '\r' && mode == TEXT_LINE)) {
            g_string_append_c(out, mode == TEXT_BODY ? *p : ' ');
            p++;
            marks = 0;
            continue;
        }
        gunichar c = g_utf8_get_char_validated(p, end - p);
        if (byte == 0 || c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_unichar(out, REPLACEMENT);
            p++;
            continue;
        }
        p = g_utf8_next_char(p);
        marks = is_mark(c) ? marks + 1 : 0;
        if (marks > MAX_MARKS)
            continue;
        if (!text_is_unsafe(c))
            g_string_append_unichar(out, c);
        else if ((c == 0x2028 || c == 0x2029 || c == 0x85) && mode == TEXT_BODY)
            g_string_append_c(out, '\n');
        else if (!vanishes(c))
            g_string_append_unichar(out, REPLACEMENT);
    }
    return g_string_free(out, FALSE);
}

char *
text_squeeze(const char *text)
{
    GString *out = g_string_new(NULL);
    gboolean gap = FALSE;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_isspace(c) || c == '\0') {
            gap = out->len > 0;
            continue;
        }
        if (gap)
            g_string_append_c(out, ' ');
        gap = FALSE;
        g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

char *
text_fold(const char *text)
{
    gboolean ascii = TRUE;
    for (const char *p = text; *p && ascii; p++)
        ascii = (guchar)*p < 0x80;
    if (ascii)
        return g_ascii_strdown(text, -1);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *wide = g_utf8_normalize(valid, -1, G_NORMALIZE_ALL);
    GString *out = g_string_sized_new(strlen(wide));
    for (const char *p = wide; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (!is_mark(c))
            g_string_append_unichar(out, c);
    }
    char *folded = g_utf8_casefold(out->str, out->len);
    g_string_free(out, TRUE);
    return folded;
}

char *
text_file_name(const char *name)
{
    g_autofree char *safe = text_safe(name ? name : "", -1, TEXT_LINE);
    g_autofree char *squeezed = text_squeeze(safe);
    for (char *p = squeezed; *p; p++)
        if (strchr("/\\:*?\"<>|", *p))
            *p = '_';
    char *start = squeezed;
    while (*start == '.' || *start == '-' || *start == ' ')
        start++;
    gsize len = strlen(start);
    while (len && (start[len - 1] == '.' || start[len - 1] == ' '))
        start[--len] = '\0';
    if (!len)
        return g_strdup("attachment");
    if (len <= MAX_FILE_NAME)
        return g_strdup(start);
    const char *dot = strrchr(start, '.');
    gsize tail = dot && len - (dot - start) <= 20 ? len - (dot - start) : 0;
    const char *cut = g_utf8_find_prev_char(start, start + MAX_FILE_NAME - tail + 1);
    return g_strdup_printf("%.*s%s", (int)(cut - start), start, tail ? start + len - tail : "");
}

char *
text_size(guint64 bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    guint unit = 0;
    while (value >= 999.5 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1000;
        unit++;
    }
    return g_strdup_printf(unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static gboolean
write_all(int fd, const char *text, gsize len)
{
    while (len) {
        gssize n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FALSE;
        text += n;
        len -= (gsize)n;
    }
    return TRUE;
}

gboolean
text_write(int fd, const char *text, gsize len)
{
    if (!isatty(fd))
        return write_all(fd, text, len);
    g_autofree char *safe = text_safe(text, (gssize)len, TEXT_BODY);
    return write_all(fd, safe, strlen(safe));
}
