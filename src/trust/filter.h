/* The learning filter: is a message junk, unsure or good, and because of what.
 *
 * Two opinions over the tokens of mail/tokens.h, added. The first is a linear support vector machine, kept in
 * its dual form: what it knows is a list of examples, each with a weight (how much it had to be insisted on),
 * and the table of slot weights is their sum. The second counts in how many messages of each kind a slot was.
 * So a lesson can be taken back exactly, by taking its example out, and old ones can be dropped.
 * There are FILTER_FOLDS tables of weights; each example teaches all but one, and its score in the one that
 * never saw it is an honest one, as is what the counts say without it: from these scores come the two bounds
 * between good, unsure and junk. A verdict is made by the mean of the tables and all counts. Each group of
 * tokens weighs the same whatever its number, so that a long text does not drown what the header says.
 *
 * Pure computing: no store (trust/lessons.h), no reader. One thread a filter; no lesson is learned or
 * forgotten on two threads. */
#ifndef TRUST_FILTER_H
#define TRUST_FILTER_H

#include "mail/tokens.h"

#define FILTER_FOLDS 4
/* Messages of each kind that it has to have seen before it says anything. */
#define FILTER_LEAST 20

enum filter_verdict { FILTER_GOOD, FILTER_UNSURE, FILTER_JUNK }; /* as in message.junk */
const char *filter_verdict_name(enum filter_verdict verdict);    /* "good", "unsure", "junk": for JSON */

#define FILTER_HASH 32
struct filter_example {
    guint8 hash[FILTER_HASH]; /* SHA-256 of the message */
    gboolean junk;
    gint64 time; /* when it was learned */
    float weight[FILTER_FOLDS];
    float score;           /* in the table of weights that has not seen it */
    gboolean changed;      /* since it was stored */
    struct tokens *tokens; /* NULL: all weights are 0 and it only counts */
};
struct filter_example *filter_example_new(const guint8 *hash, gboolean junk, gint64 time, struct tokens *tokens);
void filter_example_free(struct filter_example *example);
gboolean filter_example_has_weight(const struct filter_example *example);

struct filter;
struct filter *filter_new(void);
void filter_free(struct filter *filter);
typedef struct filter struct_filter;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_filter, filter_free)

/* Takes the example, with the weight that it has; one of the same hash is taken out first. Nothing is
 * learned before filter_learn(). */
void filter_add(struct filter *filter, struct filter_example *example);
gboolean filter_remove(struct filter *filter, const guint8 *hash);
/* Borrowed until the next change; NULL when it is not known. */
const struct filter_example *filter_find(const struct filter *filter, const guint8 *hash);
/* A word, or any name that filter_explain goes with: what it stands for counts for nothing from now on.
 * Before filter_add. */
void filter_forget(struct filter *filter, const char *word);
/* GPtrArray of struct filter_example, borrowed. */
const GPtrArray *filter_examples(const struct filter *filter);
/* Goes over the examples until they agree with their weights, at most `passes` times; then the bounds. */
void filter_learn(struct filter *filter, guint passes);
/* The bounds alone, from the scores that the examples have: to be called when they were added as they are. */
void filter_bounds(struct filter *filter);
/* Drops the tokens of examples without weight, the surest first, until at most `bytes` are held. */
void filter_shrink(struct filter *filter, gsize bytes);
gsize filter_bytes(const struct filter *filter);
guint filter_count(const struct filter *filter, gboolean junk);

struct filter_answer {
    enum filter_verdict verdict;
    double score;  /* 0 to 1: below 0.1 good, from 0.9 junk */
    double margin; /* both opinions together; above 0: rather junk */
    gboolean silent; /* it has not seen enough: verdict is unsure */
};
void filter_ask(const struct filter *filter, const struct tokens *tokens, struct filter_answer *answer);

/* What each slot adds to the margin, in the order of the slots. Caller frees. */
float *filter_explain(const struct filter *filter, const struct tokens *tokens);

#endif
