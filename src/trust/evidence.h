/* evidence.h - what was found about a message when it came, for the learning filter
 *
 * Besides what the message itself says (mail/tokens.h): words like "check:lookalike" or "check:vouch-good" that
 * arrival_reputation() kept. The same for teaching and for asking. Same thread as the store.
 */
#ifndef TRUST_EVIDENCE_H
#define TRUST_EVIDENCE_H

#include "mail/tokens.h"
#include "store/store.h"

/* names: those of the tokens (reader_tokens), changed likewise; may be NULL. */
void evidence_add(struct store *store, gint64 message, struct tokens *tokens, GBytes **names);
/* The same from lines of words. */
void evidence_add_words(const char *words, struct tokens *tokens, GBytes **names);

#endif
