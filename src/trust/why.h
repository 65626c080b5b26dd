/* Why the learning filter thinks so: the names behind the slots, those that weigh most first. Pure. */
#ifndef TRUST_WHY_H
#define TRUST_WHY_H

#include "trust/filter.h"

struct why_word {
    char *word; /* as the message has it: unsafe for a terminal */
    double weight; /* above 0: speaks for junk */
};

/* names: those of reader_tokens. At most `limit` words; what only says how letters follow each other is left
 * out, as nobody can read it. GPtrArray of struct why_word. */
GPtrArray *why_words(const struct filter *filter, const struct tokens *tokens, GBytes *names, guint limit);

#endif
