#include "config.h"

#include "sync/keyword.h"

#include <string.h>

#include "base/flags.h"
#include "base/utf7.h"

/* ASCII that a tag may hold and an atom may not: atom-specials and ']' (which some servers refuse). */
static const char lifted[] = "(){%*]";
#define LIFT 0xF000u

static gboolean
is_atom(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p <= 0x20 || *p >= 0x7F || *p == '"' || *p == '\\' || strchr(lifted, *p))
            return FALSE;
    return *text != '\0';
}

/* The characters of `text`, those of `lifted` moved up (or down again). NULL when a character is there already. */
static char *
lift(const char *text, gboolean up)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gunichar down = c >= LIFT && c < LIFT + 0x7F ? c - LIFT : 0;
        gboolean is_lifted = down && strchr(lifted, (int) down);
        if (up && is_lifted)
            return NULL;
        if (up && c < 0x7F && strchr(lifted, (int) c))
            c += LIFT;
        else if (!up && is_lifted)
            c = down;
        g_string_append_unichar(out, c);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
keyword_from_tag(const char *tag)
{
    if (!tag_is_valid(tag))
        return NULL;
    if (is_atom(tag) && !strchr(tag, '&'))
        return g_strdup(tag);
    g_autofree char *up = lift(tag, TRUE);
    g_autofree char *keyword = up ? utf7_encode(up) : NULL;
    return keyword && is_atom(keyword) && strlen(keyword) <= KEYWORD_MAX ? g_steal_pointer(&keyword) : NULL;
}

char *
keyword_to_tag(const char *keyword)
{
    if (strchr(keyword, '&')) {
        g_autofree char *up = utf7_decode(keyword);
        g_autofree char *tag = up ? lift(up, FALSE) : NULL;
        g_autofree char *again = tag ? keyword_from_tag(tag) : NULL;
        if (again && !strcmp(again, keyword))
            return g_steal_pointer(&tag);
    }
    return *keyword != '\\' && tag_is_valid(keyword) ? g_strdup(keyword) : NULL;
}

/* The spelling of `tag` in a tag set; NULL when it is not in there. */
static const char *
spelled_in(char *const *set, const char *tag)
{
    for (; *set; set++)
        if (!g_ascii_strcasecmp(*set, tag))
            return *set;
    return NULL;
}

char *
keywords_to_tags(const char *const *keywords, const char *here, const char *wanted)
{
    if (!keywords || !*keywords)
        return g_strdup("");
    g_auto(GStrv) known = tags_split(here), also = tags_split(wanted);
    g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func(g_free);
    for (; *keywords; keywords++) {
        g_autofree char *tag = keyword_to_tag(*keywords);
        if (!tag)
            continue;
        const char *spelling = spelled_in(known, tag);
        spelling = spelling ? spelling : spelled_in(also, tag);
        g_ptr_array_add(tags, spelling ? g_strdup(spelling) : g_steal_pointer(&tag));
    }
    return tags_from_list((const char *const *) tags->pdata, tags->len);
}

char **
keywords_from_tags(const char *tags)
{
    g_auto(GStrv) words = tags_split(tags);
    GPtrArray *keywords = g_ptr_array_new();
    for (char **word = words; *word; word++) {
        char *keyword = keyword_from_tag(*word);
        if (keyword)
            g_ptr_array_add(keywords, keyword);
    }
    g_ptr_array_add(keywords, NULL);
    return (char **) g_ptr_array_free(keywords, FALSE);
}
