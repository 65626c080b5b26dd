#include "config.h"

#include "base/skeleton.h"

#include <string.h>

struct confusable {
    gunichar c;
    const char *like;
};

static const struct confusable table[] = {
#include "base/confusables.h"
};

static const char *
prototype(gunichar c)
{
    if (c == 0x4cf) /* the small palochka: an i to Unicode, an l in most fonts, and in a well-known forgery */
        return "l";
    gsize low = 0, high = G_N_ELEMENTS(table);
    while (low < high) {
        gsize middle = (low + high) / 2;
        if (table[middle].c == c)
            return table[middle].like;
        if (table[middle].c < c)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static gboolean
is_invisible(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_FORMAT || type == G_UNICODE_CONTROL || (c >= 0xfe00 && c <= 0xfe0f) || c == 0x34f ||
           c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0;
}

static char *
skeleton(const char *text, gboolean keep_ascii)
{
    g_autofree char *plain = text ? g_utf8_normalize(text, -1, G_NORMALIZE_NFKD) : NULL;
    if (!plain)
        return NULL;
    g_autoptr(GString) out = g_string_sized_new(strlen(plain));
    for (const char *p = plain; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        const char *like = keep_ascii && c < 0x80 ? NULL : prototype(c);
        if (is_invisible(c))
            continue;
        if (like)
            g_string_append(out, like);
        else
            g_string_append_unichar(out, c);
    }
    g_autofree char *folded = g_utf8_casefold(out->str, (gssize)out->len);
    return g_utf8_normalize(folded, -1, G_NORMALIZE_NFD);
}

char *
skeleton_as_written(const char *text)
{
    return skeleton(text, FALSE);
}

char *
skeleton_ascii(const char *text)
{
    g_autofree char *lower = g_utf8_validate(text, -1, NULL) ? g_utf8_strdown(text, -1) : NULL;
    g_autofree char *out = skeleton(lower, TRUE);
    return out && g_str_is_ascii(out) ? g_steal_pointer(&out) : NULL;
}

char *
skeleton_of(const char *text)
{
    if (!text || !g_utf8_validate(text, -1, NULL))
        return NULL;
    g_autofree char *lower = g_utf8_strdown(text, -1);
    return skeleton_as_written(lower);
}

gboolean
skeleton_is_same(const char *a, const char *b)
{
    g_autofree char *one = skeleton_of(a), *other = skeleton_of(b);
    g_autofree char *one_written = skeleton_as_written(a), *other_written = skeleton_as_written(b);
    return one && other && one_written && other_written &&
           (!strcmp(one, other) || !strcmp(one_written, other) || !strcmp(one, other_written) ||
            !strcmp(one_written, other_written));
}

/* --- scripts */

enum group { LATIN = 1, HAN = 2, KANA = 4, BOPOMOFO = 8, HANGUL = 16, OTHER = 32 };

static guint
group_of(GUnicodeScript script)
{
    switch (script) {
    case G_UNICODE_SCRIPT_LATIN:
        return LATIN;
    case G_UNICODE_SCRIPT_HAN:
        return HAN;
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
        return KANA;
    case G_UNICODE_SCRIPT_BOPOMOFO:
        return BOPOMOFO;
    case G_UNICODE_SCRIPT_HANGUL:
        return HANGUL;
    default:
        return OTHER;
    }
}

static gboolean
is_allowed_mix(guint groups)
{
    return !(groups & ~(guint)(LATIN | HAN | KANA)) || !(groups & ~(guint)(LATIN | HAN | BOPOMOFO)) ||
           !(groups & ~(guint)(LATIN | HAN | HANGUL));
}

gboolean
skeleton_is_mixed(const char *text)
{
    guint groups = 0;
    GUnicodeScript other = G_UNICODE_SCRIPT_COMMON;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (!g_unichar_isalpha(c)) {
            if (!g_unichar_isdigit(c) && !g_unichar_ismark(c)) { /* the next word */
                groups = 0;
                other = G_UNICODE_SCRIPT_COMMON;
            }
            continue;
        }
        GUnicodeScript script = g_unichar_get_script(c);
        if (script == G_UNICODE_SCRIPT_COMMON || script == G_UNICODE_SCRIPT_INHERITED)
            continue;
        guint group = group_of(script);
        if (group == OTHER) {
            if (other != G_UNICODE_SCRIPT_COMMON && other != script)
                return TRUE;
            other = script;
        }
        groups |= group;
        if (groups != OTHER && !is_allowed_mix(groups))
            return TRUE;
    }
    return FALSE;
}
