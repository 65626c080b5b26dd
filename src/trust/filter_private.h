/* Between the files of the filter: filter.c (examples and their weights), filter_clues.c (counts) and
 * filter_bounds.c (from scores to verdicts). */
#ifndef TRUST_FILTER_PRIVATE_H
#define TRUST_FILTER_PRIVATE_H

#include "trust/filter.h"

typedef float folds __attribute__((vector_size(FILTER_FOLDS * sizeof(float))));

struct filter_counts {
    guint32 in[2]; /* good messages that have the slot, and junk */
};

struct filter {
    folds *weights; /* TOKEN_SLOTS */
    folds bias;
    struct filter_counts *counts; /* TOKEN_SLOTS */
    guint counted[2];             /* messages in them */
    float tone;                   /* what the clues weigh beside the machine */
    GPtrArray *examples;
    GHashTable *by_hash; /* of the examples */
    guint count[2];
    double good_below, junk_from;
    GHashTable *forgotten; /* slots, NULL: none */
};

static inline gboolean
filter_is_forgotten(const struct filter *filter, guint32 slot)
{
    return G_UNLIKELY(filter->forgotten) && g_hash_table_contains(filter->forgotten, GUINT_TO_POINTER(slot));
}

/* What the slots say each alone: the mean of the log-odds of those that are nearly always in one kind of
 * mail; above 0: junk. own: the kind of mail that the message is counted among already, to be left out for
 * once. */
#define CLUES_OF_NONE (-1)
void clues_count(struct filter *filter, const struct tokens *tokens, gboolean junk, gboolean add);
float clues_mean(const struct filter *filter, const struct tokens *tokens, int own);
/* Adds to each slot's entry what it puts into that sum, times `by`. */
void clues_explain(const struct filter *filter, const struct tokens *tokens, float by, float *adds);

double bounds_score(const struct filter *filter, double margin);
enum filter_verdict bounds_verdict(const struct filter *filter, double margin);

#endif
