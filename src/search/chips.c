/* chips.c - the conditions of a search, each with the search that is left without it
 *
 * A condition is cut out of what the user wrote, so that the rest stays in the user's own words ("date:1w.." goes on to
 * mean the last week). What joined it goes too: "and" before or behind it, "not" before it. Which of these is found out by
 * reading what is left: it must be the tree but for that condition, or it is not offered.
 */
#include "config.h"

#include "search/query.h"

#include <string.h>

#include "base/clock.h"

#define OPERATORS_MAX 3 /* "and not not" before a condition */

static void
chip_free(gpointer data)
{
    struct search_chip *chip = data;
    g_free(chip->words);
    g_free(chip->without);
    g_free(chip);
}

static struct query *
but_for(const struct query *query, guint gone)
{
    struct query *rest = query_copy(query);
    g_ptr_array_remove_index(rest->children, gone);
    if (rest->children->len > 1)
        return rest;
    struct query *one = query_copy(rest->children->pdata[0]);
    query_free(rest);
    return one;
}

/* The word that ends before `end`, or begins at `end`, when it is one of these; its length. */
static gsize
operator_before(const char *text, gsize end)
{
    static const char *const words[] = {"and", "not"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i]);
        if (end >= length && !g_ascii_strncasecmp(text + end - length, words[i], length) &&
            (end == length || strchr(" ()", text[end - length - 1])))
            return length;
    }
    return 0;
}

static gsize
skip_back(const char *text, gsize at)
{
    while (at && text[at - 1] == ' ')
        at--;
    return at;
}

/* Blanks out what lies between the columns, with up to `before` operators in front of it and an "and" behind it. FALSE:
 * there are not so many. */
static gboolean
blank(char *text, const struct query *query, guint before, gboolean behind)
{
    gsize from = (gsize)(g_utf8_offset_to_pointer(text, query->column - 1) - text);
    gsize to = (gsize)(g_utf8_offset_to_pointer(text, query->end - 1) - text);
    for (; before; before--) {
        gsize end = skip_back(text, from), length = operator_before(text, end);
        if (!length)
            return FALSE;
        from = end - length;
    }
    if (behind) {
        gsize next = to + strspn(text + to, " ");
        if (g_ascii_strncasecmp(text + next, "and", 3) || !strchr(" (\"", text[next + 3]))
            return FALSE;
        to = next + 3;
    }
    /* A byte for a character, so that the columns stay those of the tree. */
    glong columns = g_utf8_strlen(text + from, (gssize)(to - from));
    memset(text + from, ' ', (gsize)columns);
    memmove(text + from + columns, text + to, strlen(text + to) + 1);
    return TRUE;
}

/* tag:a and tag:b may stand apart and be one condition: each has a place of its own. */
static gboolean
blank_all(char *text, const struct query *query, guint before, gboolean behind)
{
    if (query->end)
        return blank(text, query, before, behind);
    for (guint i = 0; query->children && i < query->children->len; i++)
        if (!blank_all(text, query->children->pdata[i], before, behind))
            return FALSE;
    return query->children != NULL;
}

/* Single spaces, and none at the ends or inside of parentheses; what stands in quotes stays. */
static char *
tidy(const char *text)
{
    GString *out = g_string_new(NULL);
    gboolean quoted = FALSE;
    for (const char *p = text; *p; p++) {
        quoted = quoted != (*p == '"');
        gboolean spaced = out->len && out->str[out->len - 1] == ' ';
        if (!quoted && spaced && (*p == ' ' || *p == ')'))
            g_string_truncate(out, out->len - 1);
        if (quoted || *p != ' ' || (out->len && out->str[out->len - 1] != '('))
            g_string_append_c(out, *p);
    }
    while (out->len && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}

static gboolean
means(const char *text, enum search_mode mode, gint64 now, const struct query *wanted)
{
    g_autoptr(struct_query) query = search_parse_at(text, mode, now, NULL, NULL);
    return query && query_equal(query, wanted);
}

static char *
without(const char *text, enum search_mode mode, gint64 now, const struct query *query, guint gone)
{
    g_autoptr(struct_query) rest = but_for(query, gone);
    for (guint attempt = 0; attempt < 2 * (OPERATORS_MAX + 1); attempt++) {
        g_autofree char *cut = g_strdup(text);
        if (!blank_all(cut, query->children->pdata[gone], attempt / 2, attempt % 2))
            continue;
        char *tidied = tidy(cut);
        if (means(tidied, mode, now, rest))
            return tidied;
        g_free(tidied);
    }
    return NULL;
}

static void
add(GPtrArray *chips, const struct query *query, char *rest)
{
    struct search_chip *chip = g_new0(struct search_chip, 1);
    chip->words = search_explain(query);
    chip->without = rest;
    chip->column = query->column;
    g_ptr_array_add(chips, chip);
}

/* As the user wrote them; the tree has fields of which one is enough at its end. */
static gint
by_column(gconstpointer a, gconstpointer b)
{
    const struct search_chip *left = *(const struct search_chip *const *)a;
    const struct search_chip *right = *(const struct search_chip *const *)b;
    return (left->column > right->column) - (left->column < right->column);
}

GPtrArray *
search_chips(const char *text, enum search_mode mode)
{
    GPtrArray *chips = g_ptr_array_new_with_free_func(chip_free);
    gint64 now = clock_now();
    g_autoptr(struct_query) query = search_parse_at(text, mode, now, NULL, NULL);
    if (!query || query->kind == QUERY_ALL)
        return chips;
    if (query->kind != QUERY_AND)
        add(chips, query, g_strdup(""));
    for (guint i = 0; query->kind == QUERY_AND && i < query->children->len; i++)
        add(chips, query->children->pdata[i], without(text, mode, now, query, i));
    g_ptr_array_sort(chips, by_column);
    return chips;
}
