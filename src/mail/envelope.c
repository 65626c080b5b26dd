#include "config.h"

#include "mail/envelope.h"

#include <string.h>

/* 0001-01-01 and 9999-12-31: what RFC 3339 and every list can show. */
#define DATE_MIN (-62135596800)
#define DATE_MAX 253402300799
#define ZONE_MAX 1439

struct envelope *
envelope_new(void)
{
    struct envelope *envelope = g_new0(struct envelope, 1);
    envelope->references = g_new0(char *, 1);
    envelope->from = address_list_new();
    envelope->sender = address_list_new();
    envelope->reply_to = address_list_new();
    envelope->to = address_list_new();
    envelope->cc = address_list_new();
    envelope->bcc = address_list_new();
    envelope->subject = g_strdup("");
    return envelope;
}

void
envelope_free(struct envelope *envelope)
{
    if (!envelope)
        return;
    g_free(envelope->message_id);
    g_free(envelope->in_reply_to);
    g_strfreev(envelope->references);
    g_ptr_array_unref(envelope->from);
    g_ptr_array_unref(envelope->sender);
    g_ptr_array_unref(envelope->reply_to);
    g_ptr_array_unref(envelope->to);
    g_ptr_array_unref(envelope->cc);
    g_ptr_array_unref(envelope->bcc);
    g_free(envelope->subject);
    g_free(envelope->list_id);
    g_free(envelope);
}

/* --- message-ids --- */

/* The id between `<` and `>` at or after text, white space inside (from folding) left out; *end is after it.
 */
static char *
next_bracketed(const char *text, const char **end)
{
    const char *open = strchr(text, '<');
    const char *close = open ? strchr(open, '>') : NULL;
    if (!close)
        return NULL;
    GString *id = g_string_new(NULL);
    for (const char *p = open + 1; p < close; p++) {
        if (*p == '<') /* "<broken <real@id>" */
            g_string_truncate(id, 0);
        else if (!g_ascii_isspace(*p) && !g_ascii_iscntrl(*p))
            g_string_append_c(id, *p);
    }
    *end = close + 1;
    if (id->len)
        return g_string_free(id, FALSE);
    g_string_free(id, TRUE);
    return next_bracketed(close + 1, end);
}

GStrv
message_id_list(const char *text)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    const char *p = text;
    char *id;
    while ((id = next_bracketed(p, &p)))
        g_ptr_array_add(ids, id);
    if (ids->len == 0) { /* some programs leave the brackets out */
        g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n,", -1);
        for (char **word = words; *word; word++)
            if (strchr(*word, '@') && !strpbrk(*word, "<>\""))
                g_ptr_array_add(ids, g_strdup(*word));
    }
    g_ptr_array_add(ids, NULL);
    g_ptr_array_set_free_func(ids, NULL);
    return (GStrv)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
}

char *
message_id_first(const char *text)
{
    const char *end;
    char *id = next_bracketed(text, &end);
    if (id)
        return id;
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    if (!*trimmed || strpbrk(trimmed, " \t\r\n<>"))
        return NULL;
    return g_steal_pointer(&trimmed);
}

/* --- carried --- */

GVariant *
envelope_to_variant(const struct envelope *envelope)
{
    return g_variant_new(
        "(ss^as@a(ss)@a(ss)@a(ss)@a(ss)@a(ss)@a(ss)sxisu)", envelope->message_id ? envelope->message_id : "",
        envelope->in_reply_to ? envelope->in_reply_to : "", envelope->references,
        address_list_to_variant(envelope->from), address_list_to_variant(envelope->sender),
        address_list_to_variant(envelope->reply_to), address_list_to_variant(envelope->to),
        address_list_to_variant(envelope->cc), address_list_to_variant(envelope->bcc), envelope->subject,
        envelope->date, envelope->zone, envelope->list_id ? envelope->list_id : "", envelope->flags);
}

static char *
string_or_null(GVariant *tuple, gsize i)
{
    const char *text;
    g_variant_get_child(tuple, i, "&s", &text);
    return *text ? g_strdup(text) : NULL;
}

static void
list_from_child(GVariant *tuple, gsize i, GPtrArray **list)
{
    g_autoptr(GVariant) child = g_variant_get_child_value(tuple, i);
    g_ptr_array_unref(*list);
    *list = address_list_from_variant(child);
}

struct envelope *
envelope_from_variant(GVariant *value)
{
    struct envelope *envelope = envelope_new();
    envelope->message_id = string_or_null(value, 0);
    envelope->in_reply_to = string_or_null(value, 1);
    g_strfreev(envelope->references);
    g_variant_get_child(value, 2, "^as", &envelope->references);
    GPtrArray **lists[] = {&envelope->from, &envelope->sender, &envelope->reply_to,
                           &envelope->to,   &envelope->cc,     &envelope->bcc};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        list_from_child(value, 3 + i, lists[i]);
    g_free(envelope->subject);
    g_variant_get_child(value, 9, "s", &envelope->subject);
    g_variant_get_child(value, 10, "x", &envelope->date);
    g_variant_get_child(value, 11, "i", &envelope->zone);
    envelope->list_id = string_or_null(value, 12);
    g_variant_get_child(value, 13, "u", &envelope->flags);
    envelope->date = CLAMP(envelope->date, DATE_MIN, DATE_MAX);
    envelope->zone = CLAMP(envelope->zone, -ZONE_MAX, ZONE_MAX);
    return envelope;
}
