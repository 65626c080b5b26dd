#include "config.h"

#include "mail/charset.h"

#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

/* Labels are compared without case and punctuation. Where mail says one set and means its superset, the
 * superset is used, as browsers do (encoding.spec.whatwg.org). */
static const struct {
    const char *label, *iconv;
} charsets[] = {
    {"utf8", "UTF-8"},
    {"unicode11utf8", "UTF-8"},
    {"usascii", "CP1252"},
    {"ascii", "CP1252"},
    {"iso646us", "CP1252"},
    {"ansix341968", "CP1252"},
    {"iso88591", "CP1252"},
    {"latin1", "CP1252"},
    {"windows1252", "CP1252"},
    {"cp1252", "CP1252"},
    {"iso88592", "ISO-8859-2"},
    {"latin2", "ISO-8859-2"},
    {"iso88593", "ISO-8859-3"},
    {"iso88594", "ISO-8859-4"},
    {"iso88595", "ISO-8859-5"},
    {"iso88596", "ISO-8859-6"},
    {"iso88597", "ISO-8859-7"},
    {"iso88598", "ISO-8859-8"},
    {"iso88598i", "ISO-8859-8"},
    {"iso88599", "CP1254"},
    {"iso885910", "ISO-8859-10"},
    {"iso885911", "CP874"},
    {"iso885913", "ISO-8859-13"},
    {"iso885914", "ISO-8859-14"},
    {"iso885915", "ISO-8859-15"},
    {"latin9", "ISO-8859-15"},
    {"iso885916", "ISO-8859-16"},
    {"windows1250", "CP1250"},
    {"cp1250", "CP1250"},
    {"windows1251", "CP1251"},
    {"cp1251", "CP1251"},
    {"windows1253", "CP1253"},
    {"cp1253", "CP1253"},
    {"windows1254", "CP1254"},
    {"cp1254", "CP1254"},
    {"windows1255", "CP1255"},
    {"cp1255", "CP1255"},
    {"windows1256", "CP1256"},
    {"cp1256", "CP1256"},
    {"windows1257", "CP1257"},
    {"cp1257", "CP1257"},
    {"windows1258", "CP1258"},
    {"cp1258", "CP1258"},
    {"windows874", "CP874"},
    {"cp874", "CP874"},
    {"tis620", "CP874"},
    {"koi8r", "KOI8-R"},
    {"koi8u", "KOI8-U"},
    {"koi8ru", "KOI8-U"},
    {"cp866", "CP866"},
    {"ibm866", "CP866"},
    {"cp437", "CP437"},
    {"ibm437", "CP437"},
    {"cp850", "CP850"},
    {"ibm850", "CP850"},
    {"macintosh", "MACINTOSH"},
    {"mac", "MACINTOSH"},
    {"gb2312", "GB18030"},
    {"eucgb2312cn", "GB18030"},
    {"gbk", "GB18030"},
    {"cp936", "GB18030"},
    {"windows936", "GB18030"},
    {"xgbk", "GB18030"},
    {"gb18030", "GB18030"},
    {"euccn", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"big5tw", "BIG5-HKSCS"},
    {"cp950", "BIG5-HKSCS"},
    {"big5hkscs", "BIG5-HKSCS"},
    {"eucjp", "EUC-JP-MS"},
    {"eucjpms", "EUC-JP-MS"},
    {"xeucjp", "EUC-JP-MS"},
    {"shiftjis", "CP932"},
    {"sjis", "CP932"},
    {"xsjis", "CP932"},
    {"cp932", "CP932"},
    {"windows31j", "CP932"},
    {"iso2022jp", "ISO-2022-JP-3"},
    {"iso2022jp3", "ISO-2022-JP-3"},
    {"iso2022jp1", "ISO-2022-JP-2"},
    {"iso2022jp2", "ISO-2022-JP-2"},
    {"euckr", "UHC"},
    {"ksc56011987", "UHC"},
    {"ksc5601", "UHC"},
    {"cp949", "UHC"},
    {"uhc", "UHC"},
    {"iso2022kr", "ISO-2022-KR"},
    {"utf16", "UTF-16"},
    {"utf16le", "UTF-16LE"},
    {"utf16be", "UTF-16BE"},
    {"utf7", "UTF-7"},
    {"unicode11utf7", "UTF-7"},
};

#define REPLACEMENT "\xef\xbf\xbd"

const char *
charset_lookup(const char *label)
{
    char plain[24];
    gsize n = 0;
    for (const char *p = label; *p; p++) {
        if (!g_ascii_isalnum(*p))
            continue;
        if (n + 1 == sizeof plain)
            return NULL;
        plain[n++] = g_ascii_tolower(*p);
    }
    plain[n] = '\0';
    for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++)
        if (g_str_equal(charsets[i].label, plain))
            return charsets[i].iconv;
    return NULL;
}

/* In front of the C library's, for GMime and whoever else asks: only charsets of our list are opened, under
 * the names that were loaded before (RELIABILITY.md M5, P3).  For any other name libc would open a file,
 * which is death in the jail. */
iconv_t
iconv_open(const char *to, const char *from)
{
    static iconv_t (*libc_iconv_open)(const char *, const char *);
    if (!libc_iconv_open)
        *(void **)&libc_iconv_open = dlsym(RTLD_NEXT, "iconv_open");
    g_autofree char *plain = g_strndup(to, strcspn(to, "/")); /* "…//TRANSLIT" */
    const char *to_name = charset_lookup(plain), *from_name = charset_lookup(from);
    if (!to_name || !from_name || !libc_iconv_open) {
        errno = EINVAL;
        return (iconv_t)-1;
    }
    /* a superset will do for reading only: what is written for a terminal must be in the terminal's own set
     */
    return libc_iconv_open(g_str_equal(to_name, "UTF-8") ? to_name : to, from_name);
}

/* g_utf8_make_valid takes one byte at a time; so does the converter below. */
static char *
from_utf8(const char *bytes, gsize length, guint *flags)
{
    const char *end;
    if (g_utf8_validate_len(bytes, length, &end))
        return g_strndup(bytes, length);
    *flags |= CHARSET_DAMAGED;
    GString *out = g_string_sized_new(length + 16);
    while (!g_utf8_validate_len(bytes, length, &end)) {
        g_string_append_len(out, bytes, end - bytes);
        g_string_append(out, REPLACEMENT);
        length -= (gsize)(end - bytes) + 1;
        bytes = end + 1;
    }
    g_string_append_len(out, bytes, (gssize)length);
    return g_string_free(out, FALSE);
}

static char *
convert(iconv_t converter, const char *bytes, gsize length, guint *flags)
{
    GString *out = g_string_sized_new(length + length / 2 + 16);
    char *in = (char *)bytes, chunk[4096];
    gsize left = length;
    gboolean flushed = FALSE;
    while (!flushed) {
        char *to = chunk;
        gsize room = sizeof chunk;
        flushed = left == 0;
        gsize result =
            flushed ? iconv(converter, NULL, NULL, &to, &room) : iconv(converter, &in, &left, &to, &room);
        int err = errno;
        g_string_append_len(out, chunk, to - chunk);
        if (result != (gsize)-1 || err == E2BIG)
            continue;
        /* EILSEQ, or EINVAL: cut in the middle of a character */
        *flags |= CHARSET_DAMAGED;
        g_string_append(out, REPLACEMENT);
        if (left) {
            in++;
            left--;
        }
    }
    guint valid_flags = 0;
    char *text =
        from_utf8(out->str, out->len, &valid_flags); /* NUL, and converters that let surrogates through */
    g_string_free(out, TRUE);
    return text;
}

char *
charset_to_utf8(const char *bytes, gsize length, const char *label, guint *flags)
{
    guint own_flags = 0;
    if (!flags)
        flags = &own_flags;
    *flags = 0;
    const char *name = label && *label ? charset_lookup(label) : "CP1252";
    if (!name) {
        *flags |= CHARSET_UNKNOWN;
        name = "CP1252";
    }
    if (g_str_equal(name, "UTF-8"))
        return from_utf8(bytes, length, flags);
    gboolean says_little = g_str_equal(name, "CP1252");
    /* Bytes that happen to be UTF-8 are UTF-8 when the label is a default of careless programs. */
    if (says_little && g_utf8_validate_len(bytes, length, NULL))
        return g_strndup(bytes, length);
    iconv_t converter = iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1) {
        *flags |= CHARSET_UNKNOWN;
        return from_utf8(bytes, length, flags);
    }
    char *text = convert(converter, bytes, length, flags);
    iconv_close(converter);
    if (*flags & CHARSET_DAMAGED && g_utf8_validate_len(bytes, length, NULL)) {
        g_free(text);
        *flags &= ~(guint)CHARSET_DAMAGED;
        return g_strndup(bytes, length);
    }
    return text;
}

/* Kept for the life of the process: a converter that was closed may be unloaded. */
static iconv_t preloaded[G_N_ELEMENTS(charsets)];

void
charset_preload(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
        if (i > 0 && g_str_equal(charsets[i].iconv, charsets[i - 1].iconv))
            continue;
        iconv_t from = preloaded[i] = iconv_open("UTF-8", charsets[i].iconv);
        if (from == (iconv_t)-1)
            continue;
        /* some modules load others when they first convert */
        char in[] = "a\xa4\xa2", out[16], *inp = in, *outp = out;
        gsize left = sizeof in - 1, room = sizeof out;
        (void)iconv(from, &inp, &left, &outp, &room);
    }
}
