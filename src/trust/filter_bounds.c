/* filter_bounds.c - where good ends and junk begins, from the scores of messages that had no say in them */
#include "config.h"

#include "trust/filter_private.h"

#include <math.h>

#define TONE 0.6       /* what the clues weigh, when both opinions are measured by how far they spread */
#define JUNK_SURE 0.06 /* of the junk that was learned, this much lies below the bound at least: what comes  \
                        */
#define GOOD_SURE 0.02 /* will lie a little nearer; and of the good, this much above its own, */
#define GOOD_MOST 0.2  /* and no more than this */
#define FARTHEST 5     /* of some hundreds, whose mean is the end of what was seen; */
#define BEYOND 0.15f   /* this is added, with 2 by the root of how many were seen */

static gint
larger_first(gconstpointer a, gconstpointer b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return left > right ? -1 : left < right;
}

static float
spread_of(const GArray *scores)
{
    double sum = 0, squares = 0;
    for (guint i = 0; i < scores->len; i++) {
        double score = (double)g_array_index(scores, float, i);
        sum += score;
        squares += score * score;
    }
    double mean = sum / MAX(scores->len, 1);
    return (float)sqrt(MAX(squares / MAX(scores->len, 1) - mean * mean, 0));
}

static float
nth_of(const GArray *scores, double share)
{
    return g_array_index(scores, float, (guint)(share * (scores->len - 1)));
}

/* The mean of the largest, and something beyond it, the more the less was seen: one of them may have the
 * wrong label, and what comes will go a little farther than what came. */
static float
end_of(const GArray *scores, float spread)
{
    guint n = MIN(FARTHEST, 1 + scores->len / 100);
    float sum = 0;
    for (guint i = 0; i < n; i++)
        sum += g_array_index(scores, float, i);
    return sum / (float)n + spread * (BEYOND + 2 / sqrtf((float)scores->len));
}

/* How much the clues weigh: both opinions by their spread. */
static void
set_tone(struct filter *filter, GArray *clues)
{
    g_autoptr(GArray) scores = g_array_new(FALSE, FALSE, sizeof(float));
    for (guint i = 0; i < filter->examples->len; i++) {
        const struct filter_example *example = filter->examples->pdata[i];
        float clue = example->tokens ? clues_mean(filter, example->tokens, example->junk) : 0;
        g_array_append_val(clues, clue);
        g_array_append_val(scores, example->score);
    }
    float of_clues = spread_of(clues);
    filter->tone = of_clues > 0 ? (float)TONE * spread_of(scores) / of_clues : 0;
}

void
filter_bounds(struct filter *filter)
{
    g_autoptr(GArray) clues = g_array_new(FALSE, FALSE, sizeof(float)),
                      all = g_array_new(FALSE, FALSE, sizeof(float));
    g_autoptr(GArray) good = g_array_new(FALSE, FALSE, sizeof(float)),
                      junk = g_array_new(FALSE, FALSE, sizeof(float));
    set_tone(filter, clues);
    for (guint i = 0; i < filter->examples->len; i++) {
        const struct filter_example *example = filter->examples->pdata[i];
        float score = example->score + filter->tone * g_array_index(clues, float, i), turned = -score;
        if (!example->tokens)
            continue; /* of the surest, and no clue is known of them any more */
        g_array_append_val(all, score);
        g_array_append_vals(example->junk ? junk : good, example->junk ? &turned : &score, 1);
    }
    if (!good->len || !junk->len)
        return;
    g_array_sort(good, larger_first);
    g_array_sort(junk, larger_first);
    float spread = spread_of(all);
    double from = (double)MAX(end_of(good, spread), -nth_of(junk, JUNK_SURE));
    double below = (double)CLAMP(-end_of(junk, spread), nth_of(good, GOOD_MOST), nth_of(good, GOOD_SURE));
    filter->junk_from = MAX(from, 0.0);
    filter->good_below = MIN(below, filter->junk_from - 0.1);
}

double
bounds_score(const struct filter *filter, double margin)
{
    if (margin >= filter->junk_from)
        return 1 - 0.1 * exp(filter->junk_from - margin);
    if (margin < filter->good_below)
        return 0.1 * exp(margin - filter->good_below);
    return 0.1 + 0.8 * (margin - filter->good_below) / (filter->junk_from - filter->good_below);
}

enum filter_verdict
bounds_verdict(const struct filter *filter, double margin)
{
    return margin >= filter->junk_from   ? FILTER_JUNK
           : margin < filter->good_below ? FILTER_GOOD
                                         : FILTER_UNSURE;
}
