/* arc_claims.c - what the newest relay of a chain says that it found */
#include "config.h"

#include "trust/arc.h"

#include "mail/rawmsg.h"

#include <string.h>

#define FIELD "ARC-Authentication-Results"

/* "i=2": 2; 0: it is none. */
static guint
instance_of(const char *text)
{
    char *end;
    text += strspn(text, " \t");
    if (g_ascii_tolower(*text) != 'i')
        return 0;
    text += 1 + strspn(text + 1, " \t");
    if (*text != '=')
        return 0;
    text += 1 + strspn(text + 1, " \t");
    guint64 number = g_ascii_isdigit(*text) ? g_ascii_strtoull(text, &end, 10) : 0;
    return number <= ARC_SETS_MAX ? (guint)number : 0;
}

struct authentication *
arc_claims(GBytes *message)
{
    gsize length;
    guint newest = 0;
    g_autofree char *claims = NULL;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GArray) fields = rawmsg_fields(bytes, length, NULL, NULL);
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        if (field->name_length != strlen(FIELD) || g_ascii_strncasecmp(bytes + field->offset, FIELD, strlen(FIELD)))
            continue;
        g_autofree char *raw = g_strndup(bytes + field->value_offset, field->offset + field->length - field->value_offset);
        g_autofree char *value = g_utf8_make_valid(g_strdelimit(raw, "\r\n", ' '), -1);
        const char *rest = strchr(value, ';');
        guint instance = rest ? instance_of(value) : 0;
        if (instance <= newest)
            continue;
        newest = instance;
        g_free(claims);
        claims = g_strdup(rest + 1);
    }
    return claims ? authres_parse(claims, NULL) : NULL;
}
