#include "config.h"

#include "mail/words.h"

#include "mail/charset.h"

#include <string.h>

static char *
decode_q(const char *text, gsize length, gsize *out_length)
{
    GString *out = g_string_sized_new(length);
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '=' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2])) {
            g_string_append_c(
                out, (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2])));
            i += 2;
        } else {
            g_string_append_c(out, text[i] == '_' ? ' ' : text[i]);
        }
    }
    *out_length = out->len;
    return g_string_free(out, FALSE);
}

/* The word at p, which begins with "=?"; *end is after it. NULL when it is none. */
static char *
decode_word(const char *p, const char **end)
{
    const char *charset = p + 2, *encoding = strchr(charset, '?');
    if (!encoding || encoding == charset || !encoding[1] || encoding[2] != '?')
        return NULL;
    const char *text = encoding + 3, *stop = strstr(text, "?=");
    if (!stop || strcspn(text, " \t\r\n") < (gsize)(stop - text))
        return NULL;
    g_autofree char *label = g_strndup(charset, strcspn(charset, "?*")); /* RFC 2231: charset*language */
    if (!charset_lookup(label))
        return NULL;
    gsize length = 0;
    g_autofree char *bytes = NULL;
    if (encoding[1] == 'q' || encoding[1] == 'Q') {
        bytes = decode_q(text, (gsize)(stop - text), &length);
    } else if (encoding[1] == 'b' || encoding[1] == 'B') {
        g_autofree char *base64 = g_strndup(text, (gsize)(stop - text));
        bytes = (char *)g_base64_decode(base64, &length);
    } else {
        return NULL;
    }
    *end = stop + 2;
    return charset_to_utf8(bytes, length, label, NULL);
}

char *
words_decode(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *end, *gap = NULL; /* where the white space after a word begins */
    gsize gap_at = 0;
    for (const char *p = text; *p;) {
        g_autofree char *word = p[0] == '=' && p[1] == '?' ? decode_word(p, &end) : NULL;
        if (word) {
            if (gap) /* nothing but white space since the last word */
                g_string_truncate(out, gap_at);
            g_string_append(out, word);
            p = gap = end;
            gap_at = out->len;
            continue;
        }
        if (!g_ascii_isspace(*p))
            gap = NULL;
        g_string_append_c(out, *p++);
    }
    return g_utf8_make_valid(out->str, (gssize)out->len);
}

char *
words_encode_phrase(const char *name)
{
    if (g_str_is_ascii(name)) {
        struct address only = {.name = (char *)name, .addr = (char *)"x"};
        char *text = address_format(&only);
        text[strlen(text) - strlen(" <x>")] = '\0';
        return text;
    }
    GString *out = g_string_new(NULL);
    for (const char *p = name, *end; *p; p = end) {
        for (end = p; *end && g_utf8_next_char(end) - p <= 45;) /* a word is at most 75 characters */
            end = g_utf8_next_char(end);
        g_autofree char *word = g_base64_encode((const guchar *)p, (gsize)(end - p));
        g_string_append_printf(out, "%s=?utf-8?B?%s?=", out->len ? " " : "", word);
    }
    return g_string_free(out, FALSE);
}

char *
words_format_address(const struct address *address)
{
    g_autofree char *addr = address_normalise(address->addr);
    if (!address->name)
        return g_steal_pointer(&addr);
    g_autofree char *phrase = words_encode_phrase(address->name);
    return g_strdup_printf("%s <%s>", phrase, addr);
}
