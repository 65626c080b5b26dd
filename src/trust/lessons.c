/* lessons.c - examples as rows: weights as they are, slots sorted, as differences */
#include "config.h"

#include "trust/lessons.h"

#include "base/error.h"
#include "base/sha256.h"
#include "store/lesson.h"

#include <string.h>

#define ROWS_MAX 50000                       /* that are remembered at all */
#define BYTES_MAX (150 * 1024 * 1024)        /* of their tokens (M12: the database at most 200 MB) */
#define PASSES 16

G_DEFINE_QUARK(postrider_lessons_error, lessons_error)
G_STATIC_ASSERT(FILTER_HASH == LESSON_HASH && FILTER_HASH == SHA256_SIZE);

/* --- bytes */

#define NUMBER_MAX 5 /* bytes of a number */

static guint8 *
put_number(guint8 *p, guint32 number)
{
    for (; number >= 0x80; number >>= 7)
        *p++ = (guint8)(number | 0x80);
    *p++ = (guint8)number;
    return p;
}

static gboolean
take_number(const guint8 **p, const guint8 *end, guint32 *number)
{
    *number = 0;
    for (guint shift = 0; *p < end && shift < 32; shift += 7) {
        guint8 byte = *(*p)++;
        *number |= (guint32)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return TRUE;
    }
    return FALSE;
}

static GBytes *
pack(struct tokens *tokens)
{
    guint8 *out = g_malloc((TOKEN_GROUPS + tokens_total(tokens)) * NUMBER_MAX), *p = out;
    tokens_sort(tokens);
    const guint32 *slot = tokens->slots;
    for (guint group = 0; group < TOKEN_GROUPS; group++)
        p = put_number(p, tokens->count[group]);
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        guint32 before = 0;
        for (guint i = 0; i < tokens->count[group]; i++, slot++) {
            p = put_number(p, *slot - before);
            before = *slot;
        }
    }
    return g_bytes_new_take(out, (gsize)(p - out));
}

static struct tokens *
unpack(GBytes *bytes)
{
    gsize size;
    const guint8 *p = g_bytes_get_data(bytes, &size), *end = p + size;
    struct tokens *tokens = g_new0(struct tokens, 1);
    guint64 total = 0;
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        if (!take_number(&p, end, &tokens->count[group]))
            goto bad;
        total += tokens->count[group];
    }
    if (total > TOKENS_MAX || total > (guint64)(end - p))
        goto bad;
    guint32 *slot = tokens->slots = g_new(guint32, total + 1);
    for (guint group = 0; group < TOKEN_GROUPS; group++) {
        guint32 before = 0;
        for (guint i = 0; i < tokens->count[group]; i++) {
            if (!take_number(&p, end, slot) || *slot >= TOKEN_SLOTS || before + *slot >= TOKEN_SLOTS)
                goto bad;
            before = *slot++ += before;
        }
    }
    return tokens;
bad:
    tokens_free(tokens);
    return NULL;
}

/* --- loading */

static void
take_lesson(const struct lesson *lesson, gpointer data)
{
    struct tokens *tokens = lesson->tokens ? unpack(lesson->tokens) : NULL;
    struct filter_example *example = filter_example_new(lesson->hash, lesson->junk, lesson->time, tokens);
    gsize size;
    const void *weights = g_bytes_get_data(lesson->weights, &size);
    if (size == sizeof example->weight && tokens)
        memcpy(example->weight, weights, size);
    for (guint fold = 0; fold < FILTER_FOLDS; fold++)
        if (!(example->weight[fold] >= 0 && example->weight[fold] < 1e6f))
            example->weight[fold] = 0;
    example->score = (float)lesson->score;
    example->changed = FALSE;
    filter_add(data, example);
}

struct filter *
lessons_load(struct store *store, GError **error)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(GPtrArray) words = lesson_forgotten(store, error);
    if (!words)
        return NULL;
    for (guint i = 0; i < words->len; i++)
        filter_forget(filter, words->pdata[i]);
    if (!lesson_each(store, take_lesson, filter, error))
        return NULL;
    filter_bounds(filter);
    return g_steal_pointer(&filter);
}

/* --- writing */

static gboolean
put_example(struct store *store, struct filter_example *example, GError **error)
{
    struct lesson lesson = {.junk = example->junk, .time = example->time, .score = example->score};
    g_autoptr(GBytes) weights = g_bytes_new(example->weight, sizeof example->weight);
    g_autoptr(GBytes) tokens = example->tokens ? pack(example->tokens) : NULL;
    memcpy(lesson.hash, example->hash, LESSON_HASH);
    lesson.weights = weights;
    lesson.tokens = tokens;
    if (!lesson_put(store, &lesson, error))
        return FALSE;
    example->changed = FALSE;
    return TRUE;
}

static gboolean
write_changes(struct store *store, struct filter *filter, GError **error)
{
    const GPtrArray *examples = filter_examples(filter);
    for (guint i = 0; i < examples->len; i++) {
        struct filter_example *example = examples->pdata[i];
        if (example->changed && !put_example(store, example, error))
            return FALSE;
    }
    return lesson_prune(store, ROWS_MAX, BYTES_MAX, error);
}

gboolean
lessons_learn(struct store *store, struct filter *filter, GError **error)
{
    filter_learn(filter, PASSES);
    if (!store_begin(store, error))
        return FALSE;
    if (write_changes(store, filter, error))
        return store_commit(store, error);
    store_rollback(store);
    return FALSE;
}

gboolean
lessons_unlearn(struct store *store, struct filter *filter, const guint8 *hash, GError **error)
{
    filter_remove(filter, hash);
    if (!lesson_drop(store, hash, error))
        return FALSE;
    return lessons_learn(store, filter, error);
}

gboolean
lessons_forget(struct store *store, const char *word, GError **error)
{
    if (!lesson_forget(store, word, error))
        return FALSE;
    g_autoptr(struct_filter) filter = lessons_load(store, error);
    return filter && lessons_learn(store, filter, error);
}

void
lessons_hash(GBytes *message, guint8 hash[FILTER_HASH])
{
    gsize length;
    const void *bytes = g_bytes_get_data(message, &length);
    struct sha256 *sum = sha256_new();
    sha256_add(sum, bytes, length);
    sha256_end(sum, hash);
}
