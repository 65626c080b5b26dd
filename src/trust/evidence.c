#include "config.h"

#include "trust/evidence.h"

#include "store/arrival.h"
#include "trust/reputation.h"

#include <string.h>

#define WORDS_MAX 32

/* Shape is the last group: its slots and names are at the end. */
G_STATIC_ASSERT(TOKEN_SHAPE + 1 == TOKEN_GROUPS);

static gboolean
has_slot(const struct tokens *tokens, guint32 slot)
{
    guint total = tokens_total(tokens);
    for (guint i = total - tokens->count[TOKEN_SHAPE]; i < total; i++)
        if (tokens->slots[i] == slot)
            return TRUE;
    return FALSE;
}

void
evidence_add_words(const char *words, struct tokens *tokens, GBytes **names)
{
    g_auto(GStrv) list = g_strsplit(words, "\n", WORDS_MAX + 1);
    gsize length = 0;
    const char *before = names ? g_bytes_get_data(*names, &length) : NULL;
    GByteArray *text = g_byte_array_new();
    if (length)
        g_byte_array_append(text, (const guint8 *)before, (guint)length);
    for (guint i = 0; list[i] && i < WORDS_MAX && tokens_total(tokens) < TOKENS_MAX; i++) {
        guint32 slot = token_slot(TOKEN_SHAPE, list[i]);
        guint total = tokens_total(tokens);
        if (!*list[i] || has_slot(tokens, slot))
            continue;
        tokens->slots = g_renew(guint32, tokens->slots, total + 1);
        tokens->slots[total] = slot;
        tokens->count[TOKEN_SHAPE]++;
        g_byte_array_append(text, (const guint8 *)list[i], (guint)strlen(list[i]) + 1);
    }
    GBytes *all = g_byte_array_free_to_bytes(text);
    if (names) {
        g_bytes_unref(*names);
        *names = g_bytes_ref(all);
    }
    g_bytes_unref(all);
}

void
evidence_add(struct store *store, gint64 message, struct tokens *tokens, GBytes **names)
{
    g_autofree char *words = verdict_field(store, message, REPUTATION_STAGE, "evidence");
    if (words && *words)
        evidence_add_words(words, tokens, names);
}
