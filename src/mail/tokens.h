/* What the learning filter looks at in a message: words, pairs of words, letters, links, header fields and
 * the shape of the whole, as numbers of slots in a table of fixed size.
 *
 * A walk of its own over the raw bytes, for speed: no tree, no GMime, nothing of a length that the message
 * claims.  It sees at most TOKENS_MESSAGE bytes and gives at most TOKENS_MAX slots, each once in its group
 * (RELIABILITY.md M12).  What collectors, filters, lists and mailboxes write into a header (X-Spam-*, Status,
 * List-*, …) is left out, and in which order the fields are: it would tell where the mail was kept and which way
 * it came, not what it is.
 *
 * Runs in the jailed reader (reader_tokens); here it is pure.  One thread a tokenizer. */
#ifndef MAIL_TOKENS_H
#define MAIL_TOKENS_H

#include <glib.h>

#define TOKENS_MESSAGE (256 * 1024)
#define TOKENS_MAX 20000
#define TOKEN_BITS 21
#define TOKEN_SLOTS (1u << TOKEN_BITS)

enum token_group {
    TOKEN_HEADER, /* words of fields, addresses, relays */
    TOKEN_WORD,   /* words of subject and text */
    TOKEN_PAIR,   /* two words, at most two others between */
    TOKEN_GRAM,   /* four letters in a row, of the beginning */
    TOKEN_LINK,   /* hosts and paths of links */
    TOKEN_SHAPE,  /* structure: parts, tags, sizes, proportions, how fields are written */
    TOKEN_GROUPS
};

struct tokens {
    guint count[TOKEN_GROUPS];
    guint32 *slots; /* group after group, each below TOKEN_SLOTS */
};
void tokens_free(struct tokens *tokens);
typedef struct tokens struct_tokens;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_tokens, tokens_free)
guint tokens_total(const struct tokens *tokens);
/* Puts each group's slots in order; which they had means nothing. */
void tokens_sort(struct tokens *tokens);

/* The slot of a name, of those that have one by it (no pairs, no grams). */
guint32 token_slot(enum token_group group, const char *name);

struct tokenizer;
struct tokenizer *tokenizer_new(void);
void tokenizer_free(struct tokenizer *tokenizer);
typedef struct tokenizer struct_tokenizer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_tokenizer, tokenizer_free)

/* The counts and slots of a message, for tokens_from_bytes.  names (may be NULL) receives what each slot
 * stands for, in the same order, NUL after each; grams are named by their letters. Borrowed until the next
 * call. */
GBytes *tokenizer_read(struct tokenizer *tokenizer, const char *message, gsize length, GString *names);

/* Checks everything: the bytes may come from a process that was taken over.  NULL when they are no tokens. */
struct tokens *tokens_from_bytes(GBytes *bytes);

#endif
