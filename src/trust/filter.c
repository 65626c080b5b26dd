/* filter.c - the machine: weights, counts, lessons (dual coordinate descent: Hsieh and others, ICML 2008) */
#include "config.h"

#include "trust/filter_private.h"

#include <math.h>
#include <string.h>

/* What a group may add: its share of the whole, and the number of tokens below which each counts less than
 * its part of the share. */
static const struct {
    float share, least;
} groups[TOKEN_GROUPS] = {
    [TOKEN_HEADER] = {1.0f, 40}, [TOKEN_WORD] = {1.0f, 30}, [TOKEN_PAIR] = {0.5f, 60},
    [TOKEN_GRAM] = {1.0f, 150},  [TOKEN_LINK] = {0.3f, 10},  [TOKEN_SHAPE] = {0.3f, 20},
};
#define BIAS 0.1f
#define AGREED 0.1f /* a pass that moves no margin farther than this is the last: smaller steps change no verdict */
#define WEIGHT_MAX 3.0f /* one example may insist no more than this: it may have the wrong label */

const char *
filter_verdict_name(enum filter_verdict verdict)
{
    static const char *const names[] = {"good", "unsure", "junk"};
    return names[verdict];
}

/* --- examples */

static guint
hash_of(gconstpointer key)
{
    guint32 hash;
    memcpy(&hash, key, sizeof hash);
    return hash;
}

static gboolean
same_hash(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, FILTER_HASH) == 0;
}

static guint
fold_of(const struct filter_example *example)
{
    return example->hash[FILTER_HASH - 1] % FILTER_FOLDS;
}

struct filter_example *
filter_example_new(const guint8 *hash, gboolean junk, gint64 time, struct tokens *tokens)
{
    struct filter_example *example = g_new0(struct filter_example, 1);
    memcpy(example->hash, hash, FILTER_HASH);
    example->junk = junk;
    example->time = time;
    example->tokens = tokens;
    example->changed = TRUE;
    if (tokens)
        tokens_sort(tokens); /* the tables are read from front to back: faster */
    return example;
}

void
filter_example_free(struct filter_example *example)
{
    if (example)
        tokens_free(example->tokens);
    g_free(example);
}

struct filter *
filter_new(void)
{
    struct filter *filter = g_new0(struct filter, 1);
    filter->weights = g_aligned_alloc0(TOKEN_SLOTS, sizeof(folds), sizeof(folds));
    filter->counts = g_new0(struct filter_counts, TOKEN_SLOTS);
    filter->examples = g_ptr_array_new_with_free_func((GDestroyNotify)filter_example_free);
    filter->by_hash = g_hash_table_new(hash_of, same_hash);
    filter->good_below = -0.5;
    filter->junk_from = 0.5;
    return filter;
}

void
filter_free(struct filter *filter)
{
    if (!filter)
        return;
    g_aligned_free(filter->weights);
    g_free(filter->counts);
    g_hash_table_unref(filter->by_hash);
    g_ptr_array_unref(filter->examples);
    if (filter->forgotten)
        g_hash_table_unref(filter->forgotten);
    g_free(filter);
}

/* --- the machine */

/* What each token of a group counts. */
static void
scales_of(const struct tokens *tokens, float scale[TOKEN_GROUPS])
{
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        scale[group] = sqrtf(groups[group].share / MAX((float)tokens->count[group], groups[group].least));
}

void
filter_forget(struct filter *filter, const char *word)
{
    static const char *const marks[] = {"", "^", "subject:", "subject:^"};
    if (!filter->forgotten)
        filter->forgotten = g_hash_table_new(NULL, NULL);
    g_autofree char *folded = g_ascii_strdown(word, -1);
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autofree char *name = g_strconcat(marks[i], folded, NULL);
        g_hash_table_add(filter->forgotten, GUINT_TO_POINTER(token_slot(TOKEN_WORD, name)));
    }
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        g_hash_table_add(filter->forgotten, GUINT_TO_POINTER(token_slot(group, word)));
}

static folds
margins(const struct filter *filter, const struct tokens *tokens, const float scale[TOKEN_GROUPS])
{
    folds sum = filter->bias * BIAS;
    const guint32 *slot = tokens->slots;
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        folds part = {0};
        for (guint i = 0; i < tokens->count[group]; i++, slot++)
            part += filter->weights[*slot];
        sum += part * scale[group];
    }
    return sum;
}

/* The square of an example's length. */
static float
length_of(const struct tokens *tokens, const float scale[TOKEN_GROUPS])
{
    float sum = BIAS * BIAS;
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        sum += (float)tokens->count[group] * scale[group] * scale[group];
    return sum;
}

/* Forgotten slots never get a weight. */
static void
push(struct filter *filter, const struct tokens *tokens, const float scale[TOKEN_GROUPS], folds by)
{
    const guint32 *slot = tokens->slots;
    filter->bias += by * BIAS;
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        folds step = by * scale[group];
        for (guint i = 0; i < tokens->count[group]; i++, slot++)
            if (!filter_is_forgotten(filter, *slot))
                filter->weights[*slot] += step;
    }
}

/* One step for one example: how far it was from agreeing. */
static float
visit(struct filter *filter, struct filter_example *example)
{
    float scale[TOKEN_GROUPS];
    scales_of(example->tokens, scale);
    folds margin = margins(filter, example->tokens, scale), by = {0};
    float sign = example->junk ? 1 : -1, length = length_of(example->tokens, scale), worst = 0;
    guint own = fold_of(example);
    for (guint fold = 0; fold < FILTER_FOLDS; fold++) {
        if (fold == own)
            continue;
        float gradient = sign * margin[fold] - 1, before = example->weight[fold];
        float after = CLAMP(before - gradient / length, 0, WEIGHT_MAX);
        by[fold] = (after - before) * sign;
        example->weight[fold] = after;
        worst = MAX(worst, fabsf(after - before) * length);
    }
    if (worst > 0)
        push(filter, example->tokens, scale, by);
    example->changed |= worst > 0 || fabsf(example->score - margin[own]) > 0.01f;
    example->score = margin[own];
    return worst;
}

gboolean
filter_example_has_weight(const struct filter_example *example)
{
    for (guint fold = 0; fold < FILTER_FOLDS; fold++)
        if (example->weight[fold] > 0)
            return TRUE;
    return FALSE;
}

static void
shuffle(GPtrArray *examples, GRand *random)
{
    for (guint i = examples->len; i > 1; i--) {
        guint k = (guint)g_rand_int_range(random, 0, (gint32)i);
        gpointer kept = examples->pdata[i - 1];
        examples->pdata[i - 1] = examples->pdata[k];
        examples->pdata[k] = kept;
    }
}

void
filter_learn(struct filter *filter, guint passes)
{
    GRand *random = g_rand_new_with_seed(1);
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    for (guint i = 0; i < filter->examples->len; i++)
        if (((struct filter_example *)filter->examples->pdata[i])->tokens)
            g_ptr_array_add(order, filter->examples->pdata[i]);
    for (guint pass = 0; pass < passes; pass++) {
        float worst = 0;
        gboolean all = pass % 4 == 0 || pass + 1 == passes;
        shuffle(order, random);
        for (guint i = 0; i < order->len; i++) {
            struct filter_example *example = order->pdata[i];
            float moved = all || filter_example_has_weight(example) ? visit(filter, example) : 0;
            worst = MAX(worst, moved);
        }
        if (worst < AGREED && all)
            break;
        if (worst < AGREED)
            pass |= 3;
    }
    g_rand_free(random);
    filter_bounds(filter);
}

/* What the example has to do with the tables, put in or taken out. */
static void
take_part(struct filter *filter, const struct filter_example *example, gboolean add)
{
    folds by = {0};
    float scale[TOKEN_GROUPS];
    if (!example->tokens)
        return;
    clues_count(filter, example->tokens, example->junk, add);
    if (!filter_example_has_weight(example))
        return;
    for (guint fold = 0; fold < FILTER_FOLDS; fold++)
        by[fold] = example->junk == add ? example->weight[fold] : -example->weight[fold];
    scales_of(example->tokens, scale);
    push(filter, example->tokens, scale, by);
}

void
filter_add(struct filter *filter, struct filter_example *example)
{
    filter_remove(filter, example->hash);
    g_ptr_array_add(filter->examples, example);
    g_hash_table_insert(filter->by_hash, example->hash, example);
    filter->count[example->junk]++;
    take_part(filter, example, TRUE);
}

gboolean
filter_remove(struct filter *filter, const guint8 *hash)
{
    struct filter_example *example = g_hash_table_lookup(filter->by_hash, hash);
    if (!example)
        return FALSE;
    take_part(filter, example, FALSE);
    filter->count[example->junk]--;
    g_hash_table_remove(filter->by_hash, example->hash);
    g_ptr_array_remove_fast(filter->examples, example);
    return TRUE;
}

const struct filter_example *
filter_find(const struct filter *filter, const guint8 *hash)
{
    return g_hash_table_lookup(filter->by_hash, hash);
}

const GPtrArray *
filter_examples(const struct filter *filter)
{
    return filter->examples;
}

guint
filter_count(const struct filter *filter, gboolean junk)
{
    return filter->count[junk];
}

/* --- room */

static gsize
bytes_of(const struct filter_example *example)
{
    return example->tokens ? tokens_total(example->tokens) * sizeof(guint32) : 0;
}

gsize
filter_bytes(const struct filter *filter)
{
    gsize sum = 0;
    for (guint i = 0; i < filter->examples->len; i++)
        sum += bytes_of(filter->examples->pdata[i]);
    return sum;
}

static gint
surest_first(gconstpointer a, gconstpointer b)
{
    const struct filter_example *one = *(struct filter_example *const *)a, *two = *(struct filter_example *const *)b;
    float left = fabsf(one->score), right = fabsf(two->score);
    return left > right ? -1 : left < right;
}

void
filter_shrink(struct filter *filter, gsize bytes)
{
    gsize held = filter_bytes(filter);
    g_autoptr(GPtrArray) idle = g_ptr_array_new();
    for (guint i = 0; i < filter->examples->len; i++) {
        struct filter_example *example = filter->examples->pdata[i];
        if (example->tokens && !filter_example_has_weight(example))
            g_ptr_array_add(idle, example);
    }
    g_ptr_array_sort(idle, surest_first);
    for (guint i = 0; i < idle->len && held > bytes; i++) {
        struct filter_example *example = idle->pdata[i];
        held -= bytes_of(example);
        clues_count(filter, example->tokens, example->junk, FALSE);
        g_clear_pointer(&example->tokens, tokens_free);
    }
}

/* --- verdicts */

void
filter_ask(const struct filter *filter, const struct tokens *tokens, struct filter_answer *answer)
{
    float scale[TOKEN_GROUPS], sum = 0;
    scales_of(tokens, scale);
    folds margin = margins(filter, tokens, scale);
    for (guint fold = 0; fold < FILTER_FOLDS; fold++)
        sum += margin[fold];
    answer->margin = (double)(sum / FILTER_FOLDS + filter->tone * clues_mean(filter, tokens, CLUES_OF_NONE));
    answer->score = bounds_score(filter, answer->margin);
    answer->silent = filter->count[0] < FILTER_LEAST || filter->count[1] < FILTER_LEAST;
    answer->verdict = answer->silent ? FILTER_UNSURE : bounds_verdict(filter, answer->margin);
}

float *
filter_explain(const struct filter *filter, const struct tokens *tokens)
{
    float *adds = g_new(float, tokens_total(tokens) + 1), *out = adds;
    float scale[TOKEN_GROUPS];
    const guint32 *slot = tokens->slots;
    scales_of(tokens, scale);
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        for (guint i = 0; i < tokens->count[group]; i++, slot++) {
            float sum = 0;
            for (guint fold = 0; fold < FILTER_FOLDS; fold++)
                sum += filter->weights[*slot][fold];
            *out++ = sum / FILTER_FOLDS * scale[group];
        }
    }
    clues_explain(filter, tokens, filter->tone, adds);
    return adds;
}
