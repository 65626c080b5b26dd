/* filter_clues.c - the other opinion: what each slot alone says, after how many messages of each kind have it
 *
 * A machine that was taught to tell two kinds apart says what it has to, and no more: once a word decides,
 * the others beside it get little weight. Counts know nothing of each other. Alone they are the worse judge;
 * as half of it beside the machine they take away a third of its mistakes (doc/architecture). */
#include "config.h"

#include "trust/filter_private.h"

#include <math.h>

#define SURE 0.95f  /* a slot has to be in one kind of mail this often to be a clue */
#define DOUBT 0.02f /* messages that are taken to have been seen with it before, half of them junk */
#define FEW 5.0f    /* clues that say nothing, which every message has: one alone tells little */

/* Grams and pairs repeat what the words say, shape says little alone. */
static gboolean
has_clues(guint group)
{
    return group == TOKEN_HEADER || group == TOKEN_WORD || group == TOKEN_LINK;
}

void
clues_count(struct filter *filter, const struct tokens *tokens, gboolean junk, gboolean add)
{
    const guint32 *slot = tokens->slots;
    guint32 by = add ? 1u : (guint32)-1;
    filter->counted[junk] += by;
    for (guint group = 0; group < TOKEN_GROUPS; slot += tokens->count[group++])
        for (guint i = 0; has_clues(group) && i < tokens->count[group]; i++)
            filter->counts[slot[i]].in[junk] += by;
}

/* Messages of each kind in the counts, one left out. */
struct seen {
    float of[2];
    int own;
};

static struct seen
seen_of(const struct filter *filter, int own)
{
    struct seen seen = {.own = own};
    for (int kind = 0; kind < 2; kind++)
        seen.of[kind] = MAX((float)filter->counted[kind] - (float)(kind == own), 1);
    return seen;
}

/* The log-odds of a slot; 0: it is no clue. */
static float
clue_of(const struct filter *filter, const struct seen *seen, guint32 slot)
{
    const struct filter_counts *counts = &filter->counts[slot];
    float good = (float)counts->in[0] - (float)(seen->own == 0),
          junk = (float)counts->in[1] - (float)(seen->own == 1);
    float all = good + junk, odds = junk / seen->of[1], against = good / seen->of[0];
    if (all <= 0 || filter_is_forgotten(filter, slot))
        return 0;
    float share = (DOUBT / 2 + all * odds / (odds + against)) / (DOUBT + all);
    return share >= SURE || share <= 1 - SURE ? logf(share / (1 - share)) : 0;
}

float
clues_mean(const struct filter *filter, const struct tokens *tokens, int own)
{
    const guint32 *slot = tokens->slots;
    struct seen seen = seen_of(filter, own);
    float sum = 0;
    guint n = 0;
    for (guint group = 0; group < TOKEN_GROUPS; slot += tokens->count[group++]) {
        for (guint i = 0; has_clues(group) && i < tokens->count[group]; i++) {
            float clue = clue_of(filter, &seen, slot[i]);
            sum += clue;
            n += clue != 0;
        }
    }
    return sum / ((float)n + FEW);
}

void
clues_explain(const struct filter *filter, const struct tokens *tokens, float by, float *adds)
{
    const guint32 *slot = tokens->slots;
    struct seen seen = seen_of(filter, CLUES_OF_NONE);
    guint total = tokens_total(tokens), n = 0;
    g_autofree float *clues = g_new0(float, total + 1);
    for (guint group = 0, k = 0; group < TOKEN_GROUPS; group++)
        for (guint i = 0; i < tokens->count[group]; i++, k++)
            n += has_clues(group) && (clues[k] = clue_of(filter, &seen, slot[k])) != 0;
    for (guint k = 0; k < total && n; k++)
        adds[k] += by * clues[k] / ((float)n + FEW);
}
