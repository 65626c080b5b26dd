/* complete.c - what may be written next in a search prompt */
#include "config.h"

#include "search/query.h"

#include <string.h>

#include "search/fields.h"
#include "search/pattern.h"

#define COMPLETIONS_MAX 50

struct completion {
    GPtrArray *found; /* of char * */
    const char *lead; /* what stands before the value: "-tag:" */
    gsize lead_len;
    const char *typed; /* the value so far, without an opening quote */
};

static void
offer(struct completion *completion, const char *value)
{
    if (completion->found->len >= COMPLETIONS_MAX || !g_utf8_validate(value, -1, NULL))
        return;
    g_autofree char *folded = g_utf8_casefold(value, -1), *typed = g_utf8_casefold(completion->typed, -1);
    if (!g_str_has_prefix(folded, typed))
        return;
    gboolean needs_quotes = strpbrk(value, " ()\"") != NULL;
    GString *word = g_string_new_len(completion->lead, (gssize)completion->lead_len);
    if (!needs_quotes) {
        g_string_append(word, value);
    } else {
        g_string_append_c(word, '"');
        for (const char *p = value; *p; p++) {
            if (*p == '"')
                g_string_append_c(word, '"');
            g_string_append_c(word, *p);
        }
        g_string_append_c(word, '"');
    }
    char *text = g_string_free(word, FALSE);
    if (g_ptr_array_find_with_equal_func(completion->found, text, g_str_equal, NULL))
        g_free(text);
    else
        g_ptr_array_add(completion->found, text);
}

static void
offer_all(struct completion *completion, const char *const *values)
{
    for (; values && *values; values++)
        offer(completion, *values);
}

static void
offer_values(struct completion *completion, const struct search_field *field,
             const struct search_words *words)
{
    static const char *const dates[] = {"today",      "yesterday",  "this_week", "last_week",
                                        "this_month", "last_month", "7d..",      "2w..",
                                        "3M..",       "1y..",       NULL};
    static const char *const roles[] = {"inbox", "sent", "drafts", "trash", "junk", "archive", NULL};
    static const char *const types[] = {"application/pdf", "image/png", "image/jpeg",
                                        "text/calendar",   "text/html", NULL};
    static const char *const sizes[] = {"100k", "1M", "10M", NULL};

    switch (field->kind) {
    case QUERY_TAG:
        offer_all(completion, search_tag_words);
        offer_all(completion, words->tags);
        break;
    case QUERY_FOLDER:
        offer_all(completion, words->folders);
        break;
    case QUERY_ACCOUNT:
        offer_all(completion, words->accounts);
        break;
    case QUERY_DATE:
    case QUERY_RECEIVED:
        offer_all(completion, dates);
        break;
    case QUERY_ROLE:
        offer_all(completion, roles);
        break;
    case QUERY_SIZE:
        offer_all(completion, sizes);
        break;
    case QUERY_BIT:
        offer(completion, "attachment");
        break;
    default:
        if (field->fields == QUERY_MIMETYPE)
            offer_all(completion, types);
    }
}

static void
offer_names(struct completion *completion, enum search_mode mode)
{
    if (mode == SEARCH_LIMIT && *completion->typed == '~') {
        for (const struct pattern *pattern = patterns; pattern->letter; pattern++) {
            char word[3] = {'~', pattern->letter, '\0'};
            if (pattern->argument != PATTERN_REFUSED)
                offer(completion, word);
        }
        return;
    }
    for (const struct search_field *field = search_fields; field->name && *completion->typed; field++) {
        g_autofree char *word = g_strconcat(field->name, ":", NULL);
        offer(completion, word);
    }
}

/* The word before the cursor: back to a space or parenthesis that no open quote holds. */
static gsize
word_start(const char *text, gsize cursor)
{
    gsize start = 0;
    gboolean is_quoted = FALSE;
    for (gsize i = 0; i < cursor; i++) {
        if (text[i] == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted &&
                 (g_ascii_isspace(text[i]) || text[i] == '(' || text[i] == ')' || text[i] == '|'))
            start = i + 1;
    }
    return start;
}

char **
search_complete(const char *text, gsize cursor, enum search_mode mode, const struct search_words *words,
                gsize *start, gboolean *is_address)
{
    static const struct search_words none;
    cursor = MIN(cursor, strlen(text));
    *start = word_start(text, cursor);
    *is_address = FALSE;

    g_autofree char *word = g_strndup(text + *start, cursor - *start);
    const char *name = word;
    while (*name == '-' || *name == '+' || *name == '!')
        name++;
    const char *colon = strchr(name, ':');
    const struct search_field *field = colon ? search_field_find(name, (gsize)(colon - name)) : NULL;
    struct completion completion = {
        .found = g_ptr_array_new(), .lead = word, .lead_len = (gsize)(name - word), .typed = name};
    if (!g_utf8_validate(word, -1, NULL)) {
        /* nothing fits */
    } else if (!field) {
        offer_names(&completion, mode);
    } else if (field->kind == QUERY_TEXT && field->fields & (QUERY_FROM | QUERY_TO | QUERY_CC | QUERY_BCC)) {
        *is_address = TRUE;
        *start += (gsize)(colon + 1 - word);
    } else {
        completion.typed = colon + 1;
        completion.lead_len = (gsize)(colon + 1 - word);
        completion.typed += *completion.typed == '"';
        offer_values(&completion, field, words ? words : &none);
    }
    g_ptr_array_add(completion.found, NULL);
    return (char **)g_ptr_array_free(completion.found, FALSE);
}
