#include "config.h"

#include "trust/taglist.h"

#include <string.h>

#define TAGS_MAX 100

struct tag {
    char *name, *value;
};

struct taglist {
    GArray *tags; /* of struct tag */
};

static void
tag_clear(gpointer data)
{
    struct tag *tag = data;
    g_free(tag->name);
    g_free(tag->value);
}

void
taglist_free(struct taglist *list)
{
    if (!list)
        return;
    g_array_unref(list->tags);
    g_free(list);
}

static gboolean
is_tag_name(const char *name)
{
    if (!g_ascii_isalpha(*name))
        return FALSE;
    for (; *name; name++)
        if (!g_ascii_isalnum(*name) && *name != '_')
            return FALSE;
    return TRUE;
}

static gboolean
add_tag(struct taglist *list, char *text)
{
    char *equals = strchr(g_strstrip(text), '=');
    if (!equals)
        return FALSE;
    *equals = '\0';
    g_strchomp(text);
    if (!is_tag_name(text) || taglist_get(list, text) || list->tags->len >= TAGS_MAX)
        return FALSE;
    struct tag tag = {g_strdup(text), g_strdup(g_strchug(equals + 1))};
    g_array_append_val(list->tags, tag);
    return TRUE;
}

struct taglist *
taglist_parse(const char *text)
{
    g_autoptr(struct_taglist) list = g_new0(struct taglist, 1);
    list->tags = g_array_new(FALSE, FALSE, sizeof(struct tag));
    g_array_set_clear_func(list->tags, tag_clear);
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);
    for (char **part = parts; *part; part++) {
        if (!part[1] && !*g_strstrip(*part)) /* after the last semicolon */
            break;
        if (!add_tag(list, *part))
            return NULL;
    }
    return g_steal_pointer(&list);
}

const char *
taglist_get(const struct taglist *list, const char *name)
{
    for (guint i = 0; i < list->tags->len; i++)
        if (!strcmp(g_array_index(list->tags, struct tag, i).name, name))
            return g_array_index(list->tags, struct tag, i).value;
    return NULL;
}

const char *
taglist_first(const struct taglist *list)
{
    return list->tags->len ? g_array_index(list->tags, struct tag, 0).name : "";
}

gboolean
taglist_number(const struct taglist *list, const char *name, guint64 *number)
{
    const char *value = taglist_get(list, name);
    return value && g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, number, NULL);
}

guint8 *
taglist_base64(const struct taglist *list, const char *name, gsize *length)
{
    const char *value = taglist_get(list, name);
    if (!value)
        return NULL;
    g_autoptr(GString) packed = g_string_new(NULL);
    for (; *value; value++)
        if (!g_ascii_isspace(*value))
            g_string_append_c(packed, *value);
    gsize letters = strspn(packed->str, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    gsize rest = packed->len - letters;
    if (rest > 2 || strspn(packed->str + letters, "=") != rest || letters % 4 == 1)
        return NULL;
    g_string_truncate(packed, letters);
    while (packed->len % 4)
        g_string_append_c(packed, '=');
    guint8 *bytes = g_base64_decode(packed->str, length);
    return bytes;
}

gboolean
words_have(const char *words, const char *word)
{
    g_auto(GStrv) list = g_strsplit(words, ":", -1);
    for (char **item = list; *item; item++)
        if (!g_ascii_strcasecmp(g_strstrip(*item), word))
            return TRUE;
    return FALSE;
}
