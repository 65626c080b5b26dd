/* tokens.c - slots: names become hashes, each once */
#include "config.h"

#include "mail/tokens_private.h"

#include <string.h>

static const guint limits[TOKEN_GROUPS] = {
    [TOKEN_HEADER] = 2000, [TOKEN_WORD] = 4000, [TOKEN_PAIR] = 3000,
    [TOKEN_GRAM] = TOKENS_GRAMS, [TOKEN_LINK] = 1000, [TOKEN_SHAPE] = 1000,
};
G_STATIC_ASSERT(2000 + 4000 + 3000 + TOKENS_GRAMS + 1000 + 1000 <= TOKENS_MAX);

struct tokenizer *
tokenizer_new(void)
{
    struct tokenizer *t = g_new0(struct tokenizer, 1);
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        t->slots[group] = g_new(guint32, limits[group]);
        t->names[group] = g_string_new(NULL);
    }
    t->seen = g_new0(guint64, TOKEN_SLOTS / 64);
    t->text = g_string_new(NULL);
    t->value = g_string_new(NULL);
    t->decoded = g_string_new(NULL);
    t->html_text = g_string_new(NULL);
    return t;
}

void
tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        g_free(t->slots[group]);
        g_string_free(t->names[group], TRUE);
    }
    g_free(t->seen);
    g_string_free(t->text, TRUE);
    g_string_free(t->value, TRUE);
    g_string_free(t->decoded, TRUE);
    g_string_free(t->html_text, TRUE);
    g_free(t);
}

guint64
token_hash(guint64 hash, const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        hash = (hash ^ (guint8)text[i]) * G_GUINT64_CONSTANT(0x100000001b3);
    return hash;
}

static guint32
slot_of(enum token_group group, guint64 hash)
{
    hash ^= group * G_GUINT64_CONSTANT(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    hash *= G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return (guint32)(hash >> (64 - TOKEN_BITS));
}

guint32
token_slot(enum token_group group, const char *name)
{
    return slot_of(group, token_hash(TOKEN_SEED, name, strlen(name)));
}

void
token_put(struct tokenizer *t, enum token_group group, guint64 hash, const char *one, const char *two,
          const char *three)
{
    guint32 slot = slot_of(group, hash);
    guint64 bit = G_GUINT64_CONSTANT(1) << (slot % 64);
    if (t->count[group] >= limits[group] || (t->seen[slot / 64] & bit))
        return;
    t->seen[slot / 64] |= bit;
    t->slots[group][t->count[group]++] = slot;
    if (!t->named)
        return;
    g_string_append(t->names[group], one);
    g_string_append(t->names[group], two);
    g_string_append_len(t->names[group], three, (gssize)strlen(three) + 1);
}

void
token_add(struct tokenizer *t, enum token_group group, const char *prefix, const char *text, gsize length)
{
    guint64 hash = token_hash(token_hash(TOKEN_SEED, prefix, strlen(prefix)), text, length);
    if (!t->named) {
        token_put(t, group, hash, "", "", "");
        return;
    }
    g_autofree char *copy = g_strndup(text, length);
    token_put(t, group, hash, prefix, copy, "");
}

void
token_addz(struct tokenizer *t, enum token_group group, const char *prefix, const char *text)
{
    token_add(t, group, prefix, text, strlen(text));
}

void
token_amount(struct tokenizer *t, const char *name, guint64 amount)
{
    char text[24];
    guint size = 0;
    while (amount >> size)
        size++;
    token_add(t, TOKEN_SHAPE, name, text, (gsize)g_snprintf(text, sizeof text, " ~%u", size ? 1u << (size - 1) : 0));
}

/* --- between processes: the counts, then the slots */

static void
begin(struct tokenizer *t, gboolean named)
{
    memset(t->count, 0, sizeof t->count);
    t->named = named;
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        g_string_truncate(t->names[group], 0);
    t->text_left = TOKENS_TEXT;
    t->gram_left = TOKENS_GRAMS;
    t->gram = t->gram_length = t->paired = 0;
    t->words = t->shouted = t->links = t->images = t->exclamations = t->plain_size = t->html_size = 0;
    t->parts = t->high = t->quoted_lines = 0;
    t->from_domain[0] = '\0';
}

GBytes *
tokenizer_read(struct tokenizer *t, const char *message, gsize length, GString *names)
{
    begin(t, names != NULL);
    tokens_walk(t, message, MIN(length, TOKENS_MESSAGE));
    gsize total = 0;
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        total += t->count[group];
    guint32 *out = g_new(guint32, TOKEN_GROUPS + total), *p = out + TOKEN_GROUPS;
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        out[group] = t->count[group];
        memcpy(p, t->slots[group], t->count[group] * sizeof *p);
        p += t->count[group];
        if (names)
            g_string_append_len(names, t->names[group]->str, (gssize)t->names[group]->len);
        for (guint i = 0; i < t->count[group]; i++)
            t->seen[t->slots[group][i] / 64] = 0;
    }
    return g_bytes_new_take(out, (TOKEN_GROUPS + total) * sizeof *out);
}

void
tokens_free(struct tokens *tokens)
{
    if (tokens)
        g_free(tokens->slots);
    g_free(tokens);
}

guint
tokens_total(const struct tokens *tokens)
{
    guint total = 0;
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        total += tokens->count[group];
    return total;
}

/* By the digits of a number, the low one first: slots are spread evenly. */
#define DIGIT ((TOKEN_BITS + 1) / 2)

static void
sort_by_digit(const guint32 *from, guint32 *to, guint count, guint shift)
{
    guint32 start[1u << DIGIT] = {0}, sum = 0, mask = (1u << DIGIT) - 1;
    for (guint i = 0; i < count; i++)
        start[from[i] >> shift & mask]++;
    for (guint digit = 0; digit <= mask; digit++) {
        guint32 here = start[digit];
        start[digit] = sum;
        sum += here;
    }
    for (guint i = 0; i < count; i++)
        to[start[from[i] >> shift & mask]++] = from[i];
}

static gboolean
is_sorted(const guint32 *slots, guint count)
{
    for (guint i = 1; i < count; i++)
        if (slots[i] < slots[i - 1])
            return FALSE;
    return TRUE;
}

void
tokens_sort(struct tokens *tokens)
{
    guint32 scratch[TOKENS_MAX], *slot = tokens->slots;
    for (guint group = 0; group < TOKEN_GROUPS; slot += tokens->count[group++]) {
        guint count = tokens->count[group];
        if (is_sorted(slot, count))
            continue;
        sort_by_digit(slot, scratch, count, 0);
        sort_by_digit(scratch, slot, count, DIGIT);
    }
}

struct tokens *
tokens_from_bytes(GBytes *bytes)
{
    gsize size;
    const guint32 *in = g_bytes_get_data(bytes, &size);
    guint64 total = 0;
    if (size % sizeof *in || size / sizeof *in < TOKEN_GROUPS)
        return NULL;
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        total += in[group];
    if (total > TOKENS_MAX || total != size / sizeof *in - TOKEN_GROUPS)
        return NULL;
    for (gsize i = 0; i < total; i++)
        if (in[TOKEN_GROUPS + i] >= TOKEN_SLOTS)
            return NULL;
    struct tokens *tokens = g_new(struct tokens, 1);
    memcpy(tokens->count, in, sizeof tokens->count);
    tokens->slots = g_memdup2(in + TOKEN_GROUPS, total * sizeof *in);
    return tokens;
}
