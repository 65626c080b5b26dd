#include "config.h"

#include "mail/mailto.h"

#include "base/error.h"
#include "mail/envelope.h"
#include "mail/limits.h"

#include <string.h>

G_DEFINE_QUARK(postrider_mailto_error, mailto_error)

gboolean
is_mailto(const char *text)
{
    return g_ascii_strncasecmp(text, "mailto:", 7) == 0;
}

static char *
decode(const char *text, gsize length, GError **error)
{
    GString *out = g_string_sized_new(length);
    for (gsize i = 0; i < length; i++) {
        if (text[i] != '%') {
            g_string_append_c(out, text[i]);
            continue;
        }
        int high = i + 2 < length ? g_ascii_xdigit_value(text[i + 1]) : -1;
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[i + 2]);
        if (low < 0 || high * 16 + low == 0) {
            g_string_free(out, TRUE);
            g_set_error(error, MAILTO_ERROR, ERROR_INPUT,
                        "mailto: a %% must be followed by two hexadecimal digits");
            return NULL;
        }
        g_string_append_c(out, (char)(high * 16 + low));
        i += 2;
    }
    char *valid = g_utf8_make_valid(out->str, (gssize)out->len);
    g_string_free(out, TRUE);
    return valid;
}

/* Line ends and controls become spaces: a field is one line. */
static char *
decode_line(const char *text, gsize length, GError **error)
{
    char *line = decode(text, length, error);
    for (char *p = line; p && *p; p++)
        if (g_ascii_iscntrl(*p))
            *p = ' ';
    return line ? g_strstrip(line) : NULL;
}

/* Addresses are parted by commas before anything is decoded: %2C belongs to an address. */
static gboolean
take_addresses(GPtrArray *list, const char *text, gsize length, GError **error)
{
    const char *end = text + length;
    while (text < end) {
        const char *comma = memchr(text, ',', (gsize)(end - text));
        const char *stop = comma ? comma : end;
        g_autofree char *one = decode_line(text, (gsize)(stop - text), error);
        if (!one)
            return FALSE;
        if (*one) {
            g_autoptr(GPtrArray) parsed = address_list_parse(one, error);
            if (!parsed) {
                g_prefix_error(error, "mailto: ");
                return FALSE;
            }
            for (guint i = 0; i < parsed->len; i++)
                g_ptr_array_add(list, address_copy(address_list_get(parsed, i)));
        }
        text = stop + 1;
    }
    return TRUE;
}

static char *
decode_body(const char *text, gsize length, GError **error)
{
    g_autofree char *raw = decode(text, length, error);
    if (!raw)
        return NULL;
    GString *body = g_string_new(NULL);
    for (const char *p = raw; *p; p++) {
        if (*p == '\r')
            g_string_append_c(body, '\n');
        else if (*p == '\t' || *p == '\n' || !g_ascii_iscntrl(*p))
            g_string_append_c(body, *p);
        if (*p == '\r' && p[1] == '\n')
            p++;
    }
    if (body->len && body->str[body->len - 1] != '\n')
        g_string_append_c(body, '\n');
    return g_string_free(body, FALSE);
}

static gboolean
take_field(struct draft *draft, const char *name, const char *value, gsize length, GString *dropped,
           GError **error)
{
    if (g_ascii_strcasecmp(name, "to") == 0)
        return take_addresses(draft->to, value, length, error);
    if (g_ascii_strcasecmp(name, "cc") == 0)
        return take_addresses(draft->cc, value, length, error);
    if (g_ascii_strcasecmp(name, "bcc") == 0)
        return take_addresses(draft->bcc, value, length, error);
    g_autofree char *text = g_ascii_strcasecmp(name, "body") == 0 ? decode_body(value, length, error)
                                                                  : decode_line(value, length, error);
    if (!text)
        return FALSE;
    if (g_ascii_strcasecmp(name, "subject") == 0) {
        draft_set_subject(draft, text);
    } else if (g_ascii_strcasecmp(name, "body") == 0) {
        draft_set_body(draft, text);
    } else if (g_ascii_strcasecmp(name, "in-reply-to") == 0) {
        g_free(draft->in_reply_to);
        draft->in_reply_to = message_id_first(text);
        if (draft->in_reply_to && strpbrk(draft->in_reply_to, "<> \t"))
            g_clear_pointer(&draft->in_reply_to, g_free);
    } else {
        g_string_append_printf(dropped, "%s%.40s", dropped->len ? ", " : "", name);
    }
    return TRUE;
}

struct draft *
mailto_parse(const char *url, char **dropped, GError **error)
{
    if (dropped)
        *dropped = NULL;
    if (!is_mailto(url)) {
        g_set_error(error, MAILTO_ERROR, ERROR_INPUT, "%.40s: not a mailto: address", url);
        return NULL;
    }
    if (strlen(url) > LIMIT_MAILTO) {
        g_set_error(error, MAILTO_ERROR, ERROR_INPUT, "mailto: longer than %d kB", LIMIT_MAILTO / 1024);
        return NULL;
    }
    g_autoptr(struct_draft) draft = draft_new();
    g_autoptr(GString) names = g_string_new(NULL);
    const char *p = url + 7;
    gsize length = strcspn(p, "?#");
    if (!take_addresses(draft->to, p, length, error))
        return NULL;
    p += length;
    while (*p == '?' || *p == '&') {
        p++;
        if (g_str_has_prefix(p, "amp;")) /* copied out of HTML */
            p += 4;
        length = strcspn(p, "&#");
        const char *equals = memchr(p, '=', length);
        if (equals) {
            g_autofree char *name = decode_line(p, (gsize)(equals - p), error);
            if (!name || !take_field(draft, name, equals + 1, length - (gsize)(equals + 1 - p), names, error))
                return NULL;
        }
        p += length;
    }
    if (names->len && dropped)
        *dropped = g_strdup_printf("the link also wanted to set %s: left out", names->str);
    return g_steal_pointer(&draft);
}
