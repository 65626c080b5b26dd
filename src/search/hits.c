#include "config.h"

#include "search/hits.h"

#include "base/text.h"

#include <string.h>

struct word {
    char *folded;
    gboolean goes_on; /* a beginning, or a part */
};

struct hits {
    GArray *words; /* of struct word */
};

static void
word_clear(gpointer word)
{
    g_free(((struct word *)word)->folded);
}

static gboolean
is_letter(gunichar c)
{
    return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

/* Scripts without spaces: a word may begin and end anywhere. */
static gboolean
is_close(gunichar c)
{
    return c >= 0x2E80 && g_unichar_isalnum(c);
}

static void
add_words(struct hits *hits, const struct query *query)
{
    for (const char *p = query->text, *end; *p && hits->words->len < HITS_WORDS_MAX; p = end) {
        while (*p && !is_letter(g_utf8_get_char(p)))
            p = g_utf8_next_char(p);
        for (end = p; *end && is_letter(g_utf8_get_char(end));)
            end = g_utf8_next_char(end);
        if (end == p)
            break;
        g_autofree char *text = g_strndup(p, (gsize)(end - p));
        struct word word = {text_fold(text), query->match == QUERY_SUBSTRING || (query->match == QUERY_PREFIX && !*end)};
        g_array_append_val(hits->words, word);
    }
}

static void
collect(struct hits *hits, const struct query *query, guint fields)
{
    if (query->kind == QUERY_TEXT && query->text && query->match != QUERY_REGEX && query->fields & fields)
        add_words(hits, query);
    for (guint i = 0; query->kind != QUERY_NOT && query->children && i < query->children->len; i++)
        collect(hits, query->children->pdata[i], fields);
}

struct hits *
hits_new(const struct query *query, guint fields)
{
    struct hits *hits = g_new0(struct hits, 1);
    hits->words = g_array_new(FALSE, FALSE, sizeof(struct word));
    g_array_set_clear_func(hits->words, word_clear);
    if (query)
        collect(hits, query, fields);
    if (hits->words->len)
        return hits;
    hits_free(hits);
    return NULL;
}

void
hits_free(struct hits *hits)
{
    if (!hits)
        return;
    g_array_unref(hits->words);
    g_free(hits);
}

/* How many bytes of text the folded word takes up; 0: it does not stand there. */
static gsize
match(const char *text, const struct word *word)
{
    const char *p = text, *wanted = word->folded;
    while (*p && *wanted) {
        if ((guchar)*p < 0x80) { /* nearly all: folded at once */
            if (g_ascii_tolower(*p) != *wanted)
                return 0;
            p++;
            wanted++;
            continue;
        }
        g_autofree char *one = g_strndup(p, (gsize)(g_utf8_next_char(p) - p)), *folded = text_fold(one);
        gsize length = strlen(folded);
        if (strncmp(folded, wanted, length))
            return 0;
        wanted += length;
        p = g_utf8_next_char(p);
    }
    while (*p && g_unichar_ismark(g_utf8_get_char(p)))
        p = g_utf8_next_char(p);
    if (*wanted || (!word->goes_on && *p && is_letter(g_utf8_get_char(p)) && !is_close(g_utf8_get_char(p))))
        return 0;
    return (gsize)(p - text);
}

gboolean
hits_find_word(const struct hits *hits, const char *text, gsize from, gsize *start, gsize *end, guint *word)
{
    gunichar before = from ? g_utf8_get_char(g_utf8_prev_char(text + from)) : ' ';
    for (const char *p = text + from; hits && *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean begins = is_letter(c) && (!is_letter(before) || is_close(c));
        before = c;
        for (guint i = 0; begins && i < hits->words->len; i++) {
            gsize length = match(p, &g_array_index(hits->words, struct word, i));
            if (!length)
                continue;
            *start = (gsize)(p - text);
            *end = *start + length;
            *word = i;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
hits_find(const struct hits *hits, const char *text, gsize from, gsize *start, gsize *end)
{
    guint word;
    return hits_find_word(hits, text, from, start, end, &word);
}
