#include "config.h"

#include "base/utf7.h"

#include <string.h>

#include "base/text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Bits gathered until six make a letter. */
struct encoder {
    GString *out;
    guint32 bits;
    guint count;
};

static void
put_unit(struct encoder *encoder, guint16 unit)
{
    encoder->bits = encoder->bits << 16 | unit;
    encoder->count += 16;
    while (encoder->count >= 6) {
        encoder->count -= 6;
        g_string_append_c(encoder->out, alphabet[encoder->bits >> encoder->count & 63]);
    }
    encoder->bits &= (1u << encoder->count) - 1;
}

static void
end_shift(struct encoder *encoder)
{
    if (encoder->count)
        g_string_append_c(encoder->out, alphabet[encoder->bits << (6 - encoder->count) & 63]);
    g_string_append_c(encoder->out, '-');
    encoder->bits = encoder->count = 0;
}

char *
utf7_encode(const char *utf8)
{
    if (!g_utf8_validate(utf8, -1, NULL))
        return NULL;
    struct encoder encoder = {.out = g_string_sized_new(strlen(utf8) + 8)};
    gboolean shifted = FALSE;
    for (const char *p = utf8; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean plain = c >= 0x20 && c <= 0x7e;
        if (plain && shifted)
            end_shift(&encoder);
        else if (!plain && !shifted)
            g_string_append_c(encoder.out, '&');
        shifted = !plain;
        if (c == '&')
            g_string_append(encoder.out, "&-");
        else if (plain)
            g_string_append_c(encoder.out, (char)c);
        else if (c < 0x10000)
            put_unit(&encoder, (guint16)c);
        else {
            put_unit(&encoder, (guint16)(0xd800 + ((c - 0x10000) >> 10)));
            put_unit(&encoder, (guint16)(0xdc00 + ((c - 0x10000) & 0x3ff)));
        }
    }
    if (shifted)
        end_shift(&encoder);
    return g_string_free(encoder.out, FALSE);
}

/* Reads what is between & and -, and leaves *at behind the -. Surrogates must come in pairs. What else is
 * wrong (padding, needless encoding, shifts that could be one) shows when the result is encoded again. */
static gboolean
take_shift(const char **at, GString *out)
{
    guint32 bits = 0;
    guint count = 0;
    gunichar high = 0;
    for (; **at != '-'; ++*at) {
        const char *letter = **at ? strchr(alphabet, **at) : NULL;
        if (!letter)
            return FALSE;
        bits = (bits & 0xffff) << 6 | (guint32)(letter - alphabet);
        count += 6;
        if (count < 16)
            continue;
        count -= 16;
        gunichar unit = bits >> count & 0xffff;
        gboolean is_high = unit >= 0xd800 && unit <= 0xdbff, is_low = unit >= 0xdc00 && unit <= 0xdfff;
        if (unit == 0 || is_low != (high != 0))
            return FALSE;
        if (is_high) {
            high = unit;
            continue;
        }
        g_string_append_unichar(out, high ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : unit);
        high = 0;
    }
    ++*at;
    return high == 0;
}

char *
utf7_decode(const char *wire)
{
    g_autoptr(GString) out = g_string_sized_new(strlen(wire));
    for (const char *p = wire; *p;) {
        if (*p < 0x20 || *p > 0x7e)
            return NULL;
        if (*p != '&') {
            g_string_append_c(out, *p++);
        } else if (p[1] == '-') {
            g_string_append_c(out, '&');
            p += 2;
        } else {
            p++;
            if (!take_shift(&p, out))
                return NULL;
        }
    }
    g_autofree char *again = utf7_encode(out->str);
    if (!again || strcmp(again, wire))
        return NULL;
    return g_strdup(out->str);
}

char *
utf7_show(const char *wire)
{
    g_autofree char *name = utf7_decode(wire);
    return text_safe(name ? name : wire, -1, TEXT_LINE);
}
