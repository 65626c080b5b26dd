/* Addresses and content as they go over the wire. Pure but for smtp_write_stuffed(). */
#include "config.h"

#include "proto/smtp_private.h"

#include "base/text.h"

#include <string.h>

/* ---- content ---- */

GByteArray *
smtp_wire_form(const guint8 *content, gsize length)
{
    GByteArray *wire = g_byte_array_sized_new((guint)MIN(length + length / 32 + 2, G_MAXUINT));
    gsize start = 0;
    for (gsize i = 0; i < length; i++) {
        if (content[i] != '\r' && content[i] != '\n')
            continue;
        g_byte_array_append(wire, content + start, (guint)(i - start));
        g_byte_array_append(wire, (const guint8 *)"\r\n", 2);
        if (content[i] == '\r' && i + 1 < length && content[i + 1] == '\n')
            i++;
        start = i + 1;
    }
    if (start < length) {
        g_byte_array_append(wire, content + start, (guint)(length - start));
        g_byte_array_append(wire, (const guint8 *)"\r\n", 2);
    }
    return wire;
}

static gsize
header_length(const GByteArray *wire)
{
    if (wire->len >= 2 && memcmp(wire->data, "\r\n", 2) == 0)
        return 0;
    const guint8 *end = memmem(wire->data, wire->len, "\r\n\r\n", 4);
    return end ? (gsize)(end - wire->data) : wire->len;
}

static gboolean
has_eight_bit(const guint8 *bytes, gsize length)
{
    guint8 all = 0;
    for (gsize i = 0; i < length; i++)
        all |= bytes[i];
    return all >= 0x80;
}

void
smtp_content_init(struct smtp_content *content, const guint8 *bytes, gsize length)
{
    content->wire = smtp_wire_form(bytes, length);
    gsize headers = header_length(content->wire);
    content->has_nul = content->wire->len && memchr(content->wire->data, '\0', content->wire->len) != NULL;
    content->eight_bit = has_eight_bit(content->wire->data, content->wire->len);
    content->utf8_headers = has_eight_bit(content->wire->data, headers) &&
                            g_utf8_validate((const char *)content->wire->data, (gssize)headers, NULL);
}

void
smtp_content_clear(struct smtp_content *content)
{
    g_clear_pointer(&content->wire, g_byte_array_unref);
}

gboolean
smtp_write_stuffed(struct stream *stream, const GByteArray *wire, GError **error)
{
    const guint8 *from = wire->data, *end = wire->data + wire->len;
    if (wire->len && *from == '.' && !stream_write(stream, ".", 1, error))
        return FALSE;
    while (from < end) {
        const guint8 *dot = memmem(from, (gsize)(end - from), "\r\n.", 3);
        const guint8 *to = dot ? dot + 3 : end;
        /* Up to and with the dot; then it once more. */
        if (!stream_write(stream, from, (gsize)(to - from), error) ||
            (dot && !stream_write(stream, ".", 1, error)))
            return FALSE;
        from = to;
    }
    return TRUE;
}

/* ---- addresses ---- */

static gboolean
fail_address(const char *address, const char *why, GError **error)
{
    g_autofree char *safe = text_safe(address, (gssize)MIN(strlen(address), 300), TEXT_LINE);
    g_set_error(error, SMTP_ERROR, ERROR_INPUT, "the address \"%s\" cannot be used: %s", safe, why);
    return FALSE;
}

/* atext and dots; dots may stand anywhere, as some providers gave out such addresses. */
static gboolean
is_local_char(gunichar c)
{
    return c >= 0xa0 || (c < 0x80 && (g_ascii_isalnum((char)c) || strchr(".!#$%&'*+-/=?^_`{|}~", (int)c)));
}

static gboolean
is_quoted_local(const char *local, const char *end)
{
    if (end - local < 2 || local[0] != '"' || end[-1] != '"')
        return FALSE;
    for (const char *p = local + 1; p < end - 1; p++) {
        if (*p == '\\' && p + 1 < end - 1)
            p++;
        else if (*p == '"' || *p == '\\')
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_domain(const char *domain)
{
    gsize length = strlen(domain);
    if (length > 2 && domain[0] == '[' && domain[length - 1] == ']')
        return strspn(domain + 1, "0123456789abcdefABCDEFIPv.:-") == length - 2;
    if (*domain == '.' || *domain == '-' || strstr(domain, "..") || domain[length - 1] == '.')
        return FALSE;
    for (const char *p = domain; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c < 0x80 && !g_ascii_isalnum((char)c) && c != '-' && c != '.' && c != '_')
            return FALSE;
    }
    return TRUE;
}

gboolean
smtp_check_address(const char *address, GError **error)
{
    if (!g_utf8_validate(address, -1, NULL))
        return fail_address(address, "it is not UTF-8", error);
    for (const char *p = address; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || text_is_unsafe(c))
            return fail_address(address, "it holds a line end or another control character", error);
    }
    const char *at = strrchr(address, '@');
    if (!at || at == address || !at[1])
        return fail_address(address, "it is not of the form name@domain", error);
    if (strlen(address) > SMTP_ADDRESS_MAX)
        return fail_address(address, "it is too long", error);
    if (!is_quoted_local(address, at))
        for (const char *p = address; p < at; p = g_utf8_next_char(p))
            if (!is_local_char(g_utf8_get_char(p)))
                return fail_address(address, "the part before the @ holds a character that needs quotes",
                                    error);
    if (!is_domain(at + 1))
        return fail_address(address, "the part after the @ is no domain", error);
    return TRUE;
}

char *
smtp_wire_address(const char *address, GError **error)
{
    if (!smtp_check_address(address, error))
        return NULL;
    const char *at = strrchr(address, '@');
    if (g_str_is_ascii(at + 1))
        return g_strdup(address);
    g_autofree char *domain = g_hostname_to_ascii(at + 1);
    g_autofree char *wire = domain ? g_strdup_printf("%.*s@%s", (int)(at - address), address, domain) : NULL;
    if (!wire || !g_str_is_ascii(domain) || strlen(wire) > SMTP_ADDRESS_MAX) {
        fail_address(address, "the part after the @ is no domain", error);
        return NULL;
    }
    return g_steal_pointer(&wire);
}

char *
smtp_xtext(const char *text)
{
    g_autoptr(GString) xtext = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isgraph(*p) && *p != ' ')
            return NULL;
        if (*p == '+' || *p == '=' || *p == ' ')
            g_string_append_printf(xtext, "+%02X", (unsigned char)*p);
        else
            g_string_append_c(xtext, *p);
    }
    return g_string_free(g_steal_pointer(&xtext), FALSE);
}
