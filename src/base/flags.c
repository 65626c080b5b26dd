#include "config.h"

#include "base/flags.h"

#include <string.h>

const struct flag_name flag_names[] = {
    {FLAG_SEEN, "seen", "unread", "\\Seen", 'S'},
    {FLAG_ANSWERED, "answered", "replied", "\\Answered", 'R'},
    {FLAG_FLAGGED, "flagged", "flagged", "\\Flagged", 'F'},
    {FLAG_DELETED, "deleted", "deleted", "\\Deleted", 'T'},
    {FLAG_DRAFT, "draft", "draft", "\\Draft", 'D'},
    {FLAG_FORWARDED, "forwarded", "passed", "$Forwarded", 'P'},
    {0},
};

guint
flags_merge(guint base, guint theirs, guint ours)
{
    guint changed = base ^ ours;
    return (theirs & ~changed) | (ours & changed);
}

char *
flags_to_maildir(guint flags)
{
    static const char order[] = "DFPRST";
    GString *out = g_string_sized_new(sizeof order);
    for (const char *letter = order; *letter; letter++)
        for (const struct flag_name *f = flag_names; f->bit; f++)
            if (f->maildir == *letter && flags & f->bit)
                g_string_append_c(out, *letter);
    return g_string_free(out, FALSE);
}

guint
flags_from_maildir(const char *letters)
{
    guint flags = 0;
    for (; *letters; letters++)
        for (const struct flag_name *f = flag_names; f->bit; f++)
            if (f->maildir == *letters)
                flags |= f->bit;
    return flags;
}

gboolean
flags_from_word(const char *word, guint *bit, gboolean *reverse)
{
    for (const struct flag_name *f = flag_names; f->bit; f++) {
        gboolean by_notmuch = !strcmp(word, f->notmuch);
        if (!by_notmuch && strcmp(word, f->json))
            continue;
        *bit = f->bit;
        *reverse = by_notmuch && f->bit == FLAG_SEEN;
        return TRUE;
    }
    return FALSE;
}

guint
flags_from_imap(const char *name)
{
    for (const struct flag_name *f = flag_names; f->bit; f++)
        if (!g_ascii_strcasecmp(name, f->imap))
            return f->bit;
    return g_ascii_strcasecmp(name, "Forwarded") ? 0 : FLAG_FORWARDED;
}

gboolean
tag_is_valid(const char *tag)
{
    if (!*tag || strlen(tag) > 200 || !g_utf8_validate(tag, -1, NULL))
        return FALSE;
    for (const char *p = tag; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c <= 0x20 || c == 0x7F || g_unichar_isspace(c) || g_unichar_iscntrl(c) || c == '"' || c == '\\')
            return FALSE;
    }
    return *tag != '-' && *tag != '+';
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Joins and frees the array; its strings are borrowed. */
static char *
join(GPtrArray *words)
{
    GString *out = g_string_new(NULL);
    g_ptr_array_sort(words, by_bytes);
    const char *last = NULL;
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        if (last && !strcmp(last, word))
            continue;
        if (out->len)
            g_string_append_c(out, ' ');
        g_string_append(out, word);
        last = word;
    }
    g_ptr_array_unref(words);
    return g_string_free(out, FALSE);
}

char *
tags_from_list(const char *const *list, gssize n)
{
    GPtrArray *words = g_ptr_array_new();
    for (gssize i = 0; n < 0 ? list[i] != NULL : i < n; i++)
        if (tag_is_valid(list[i]))
            g_ptr_array_add(words, (char *)list[i]);
    return join(words);
}

char **
tags_split(const char *tags)
{
    return *tags ? g_strsplit(tags, " ", -1) : g_new0(char *, 1);
}

char *
tags_shown(const char *tags)
{
    g_auto(GStrv) words = tags_split(tags);
    GString *out = g_string_new(NULL);
    for (char **word = words; words && *word; word++)
        if (**word != '$' && g_ascii_strcasecmp(*word, "NonJunk") && g_ascii_strcasecmp(*word, "Junk"))
            g_string_append_printf(out, "%s%s", out->len ? " " : "", *word);
    return g_string_free(out, FALSE);
}

gboolean
tags_has(const char *tags, const char *tag)
{
    gsize len = strlen(tag);
    for (const char *p = tags; len && (p = strstr(p, tag)) != NULL; p += len)
        if ((p == tags || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' '))
            return TRUE;
    return FALSE;
}

/* (a and keep(b)) or'ed with extra: the one walk behind the set functions. */
static char *
combine(const char *a, const char *without, const char *with)
{
    g_auto(GStrv) first = tags_split(a), second = tags_split(with);
    GPtrArray *words = g_ptr_array_new();
    for (char **w = first; *w; w++)
        if (!tags_has(without, *w))
            g_ptr_array_add(words, *w);
    for (char **w = second; *w; w++)
        g_ptr_array_add(words, *w);
    return join(words);
}

char *
tags_add(const char *tags, const char *tag)
{
    return combine(tags, "", tag_is_valid(tag) ? tag : "");
}

char *
tags_remove(const char *tags, const char *tag)
{
    return combine(tags, tag, "");
}

char *
tags_minus(const char *a, const char *b)
{
    return combine(a, b, "");
}

char *
tags_merge(const char *base, const char *theirs, const char *ours)
{
    g_autofree char *added = tags_minus(ours, base), *removed = tags_minus(base, ours);
    return combine(theirs, removed, added);
}
