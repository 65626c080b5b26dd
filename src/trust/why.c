#include "config.h"

#include "trust/why.h"

#include <math.h>
#include <string.h>

static void
why_word_free(struct why_word *word)
{
    g_free(word->word);
    g_free(word);
}

static gint
heavier_first(gconstpointer a, gconstpointer b)
{
    const struct why_word *one = *(struct why_word *const *)a, *two = *(struct why_word *const *)b;
    double left = fabs(one->weight), right = fabs(two->weight);
    return left > right ? -1 : left < right;
}

GPtrArray *
why_words(const struct filter *filter, const struct tokens *tokens, GBytes *names, guint limit)
{
    GPtrArray *words = g_ptr_array_new_with_free_func((GDestroyNotify)why_word_free);
    g_autofree float *adds = filter_explain(filter, tokens);
    const char *name = g_bytes_get_data(names, NULL);
    guint n = 0;
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        for (guint i = 0; i < tokens->count[group]; i++, n++) {
            if (group != TOKEN_GRAM && adds[n] != 0) {
                struct why_word *word = g_new(struct why_word, 1);
                word->word = g_utf8_make_valid(name, -1);
                word->weight = (double)adds[n];
                g_ptr_array_add(words, word);
            }
            name += strlen(name) + 1;
        }
    }
    g_ptr_array_sort(words, heavier_first);
    if (words->len > limit)
        g_ptr_array_set_size(words, (gint)limit);
    return words;
}
