/* Between the files of the tokenizer: tokens.c (slots), tokens_text.c (words), tokens_header.c, tokens_html.c
 * and tokens_mime.c (the walk). */
#ifndef MAIL_TOKENS_PRIVATE_H
#define MAIL_TOKENS_PRIVATE_H

#include "mail/tokens.h"

#define TOKENS_TEXT (48 * 1024) /* bytes of text whose words are looked at, all parts together */
#define TOKENS_GRAMS 3000       /* letters, likewise */
#define TOKENS_PAIRED 500       /* words that make pairs */
#define TOKENS_WORD 40          /* bytes of the longest word */

struct tokenizer {
    guint32 *slots[TOKEN_GROUPS];
    guint count[TOKEN_GROUPS];
    guint64 *seen;  /* a bit for each slot of each message */
    GString *names[TOKEN_GROUPS]; /* NULL: not wanted */
    gboolean named;

    /* of the message at hand */
    gsize text_left;
    guint gram_left, paired;
    guint32 gram; /* the last three letters */
    guint gram_length;
    GString *text, *value, *decoded; /* scratch */
    GString *html_text;
    guint words, shouted, links, images, exclamations, plain_size, html_size, parts, high, quoted_lines;
    char from_domain[128];
};

/* prefix and text make the name; the slot is its hash. */
void token_add(struct tokenizer *t, enum token_group group, const char *prefix, const char *text, gsize length);
void token_addz(struct tokenizer *t, enum token_group group, const char *prefix, const char *text);
/* A number by its size: 0, 1, 2-3, 4-7, … */
void token_amount(struct tokenizer *t, const char *name, guint64 amount);
/* A hash and its name in parts. */
void token_put(struct tokenizer *t, enum token_group group, guint64 hash, const char *one, const char *two,
               const char *three);
#define TOKEN_SEED G_GUINT64_CONSTANT(0xcbf29ce484222325)
guint64 token_hash(guint64 seed, const char *text, gsize length);

/* Words, pairs, letters and links of running text.  prefix NULL: the body's. */
void tokens_text(struct tokenizer *t, const char *text, gsize length, const char *prefix);
void tokens_grams(struct tokenizer *t, const char *text, gsize length);
void tokens_link(struct tokenizer *t, const char *url, gsize length);
/* Words of a field's value, whole, folded, without pairs. */
void tokens_value(struct tokenizer *t, const char *prefix, const char *text, gsize length, guint limit);

/* The header block of the message; GArray of struct rawmsg_field. */
void tokens_header(struct tokenizer *t, const char *bytes, const GArray *fields);
/* The letters of a word as kinds: "a" small, "A" large, "9" digits, runs as one. */
void tokens_pattern(const char *text, gsize length, char *pattern, gsize size);

/* The whole message: everything above, part by part. */
void tokens_walk(struct tokenizer *t, const char *message, gsize length);

/* The text of HTML appended to out; what the tags show becomes tokens. */
void tokens_html(struct tokenizer *t, const char *html, gsize length, GString *out);

#endif
