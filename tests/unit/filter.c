/* filter: what is learned, taken back, forgotten, kept in the store, and how much of it */
#include "config.h"

#include "storetest.h"
#include "store/lesson.h"
#include "trust/lessons.h"
#include "trust/why.h"

static const char *const common[] = {"the", "and", "of", "to", "we", "you", "on", "for", "with", "this", "that", "is"};
static const char *const good_words[] = {"meeting", "patch", "review", "lunch", "kernel", "invoice", "agenda", "weekend"};
static const char *const junk_words[] = {"viagra", "lottery", "winner", "replica", "million", "casino", "pills", "herbal"};

/* A message of that kind; some words of the other one are in it too. */
static GBytes *
letter(GRand *random, gboolean junk, guint number)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "From: p%u@%s.example\nSubject: %s\n\n", number % 7, junk ? "offers" : "friends",
                    junk ? junk_words[number % 8] : good_words[number % 8]);
    for (guint i = 0; i < 60; i++) {
        gboolean other = g_rand_int_range(random, 0, 12) == 0;
        const char *const *words = junk != other ? junk_words : good_words;
        g_string_append_printf(text, "%s ", i % 2 ? common[g_rand_int_range(random, 0, 12)] : words[g_rand_int_range(random, 0, 8)]);
    }
    return g_string_free_to_bytes(text);
}

static struct tokens *
tokens_of(GBytes *message)
{
    g_autoptr(struct_tokenizer) tokenizer = tokenizer_new();
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GBytes) made = tokenizer_read(tokenizer, bytes, length, NULL);
    return tokens_from_bytes(made);
}

static void
teach(struct filter *filter, GBytes *message, gboolean junk)
{
    guint8 hash[FILTER_HASH];
    lessons_hash(message, hash);
    filter_add(filter, filter_example_new(hash, junk, 1, tokens_of(message)));
}

static void
teach_many(struct filter *filter, guint seed, guint count)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    for (guint i = 0; i < count; i++) {
        g_autoptr(GBytes) message = letter(random, i % 2, i);
        teach(filter, message, i % 2);
    }
}

static struct filter_answer
ask(const struct filter *filter, GBytes *message)
{
    struct filter_answer answer;
    g_autoptr(struct_tokens) tokens = tokens_of(message);
    filter_ask(filter, tokens, &answer);
    g_assert_cmpfloat(answer.score, >=, 0);
    g_assert_cmpfloat(answer.score, <=, 1);
    return answer;
}

static void
test_learns(void)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(99);
    guint right = 0;
    teach_many(filter, 1, 200);
    filter_learn(filter, 16);
    for (guint i = 0; i < 200; i++) {
        g_autoptr(GBytes) message = letter(random, i % 2, i);
        struct filter_answer answer = ask(filter, message);
        g_assert_false(answer.silent);
        g_assert_cmpint(answer.verdict, !=, i % 2 ? FILTER_GOOD : FILTER_JUNK);
        g_assert_true((answer.score >= 0.9) == (answer.verdict == FILTER_JUNK));
        g_assert_true((answer.score < 0.1) == (answer.verdict == FILTER_GOOD));
        right += answer.verdict == (i % 2 ? FILTER_JUNK : FILTER_GOOD);
    }
    g_assert_cmpuint(right, >=, 150);
}

static void
test_silent(void)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(99);
    g_autoptr(GBytes) message = letter(random, TRUE, 1);
    g_assert_true(ask(filter, message).silent);
    teach_many(filter, 1, 2 * FILTER_LEAST - 2);
    filter_learn(filter, 16);
    struct filter_answer answer = ask(filter, message);
    g_assert_true(answer.silent);
    g_assert_cmpint(answer.verdict, ==, FILTER_UNSURE);
    teach_many(filter, 2, 4);
    filter_learn(filter, 16);
    g_assert_false(ask(filter, message).silent);
}

/* Nothing is left of a lesson that was taken back, without learning anew. */
static void
test_taken_back(void)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GBytes) probe = letter(random, TRUE, 3);
    for (guint i = 0; i < 60; i++) {
        g_ptr_array_add(messages, letter(random, i % 2, i));
        teach(filter, messages->pdata[i], i % 2);
    }
    filter_learn(filter, 16);
    g_assert_cmpfloat(ask(filter, probe).margin, >, 0.3);
    for (guint i = 0; i < messages->len; i++) {
        guint8 hash[FILTER_HASH];
        lessons_hash(messages->pdata[i], hash);
        g_assert_nonnull(filter_find(filter, hash));
        g_assert_true(filter_remove(filter, hash));
        g_assert_false(filter_remove(filter, hash));
        g_assert_null(filter_find(filter, hash));
    }
    g_assert_cmpuint(filter_count(filter, TRUE) + filter_count(filter, FALSE), ==, 0);
    g_assert_cmpfloat_with_epsilon(ask(filter, probe).margin, 0, 1e-3);
}

/* Said to be the other kind, it is; the earlier lesson does not count beside it. */
static void
test_other_kind(void)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    g_autoptr(GBytes) message = letter(random, TRUE, 3);
    teach_many(filter, 1, 100);
    teach(filter, message, TRUE);
    filter_learn(filter, 16);
    double before = ask(filter, message).margin;
    guint junk = filter_count(filter, TRUE);
    teach(filter, message, FALSE);
    filter_learn(filter, 16);
    g_assert_cmpuint(filter_count(filter, TRUE), ==, junk - 1);
    g_assert_cmpfloat(ask(filter, message).margin, <, before - 0.5);
}

static void
test_store(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    g_autoptr(GBytes) probe = letter(random, TRUE, 1), other = letter(random, FALSE, 1);
    world_begin(&world);
    g_autoptr(struct_filter) filter = lessons_load(world.store, &error);
    g_assert_no_error(error);
    teach_many(filter, 1, 120);
    g_assert_true(lessons_learn(world.store, filter, &error));
    g_assert_no_error(error);
    gint64 generation = lesson_generation(world.store);
    g_autoptr(struct_filter) again = lessons_load(world.store, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(filter_count(again, TRUE), ==, 60);
    g_assert_cmpfloat_with_epsilon(ask(again, probe).score, ask(filter, probe).score, 0.02);
    g_assert_cmpfloat_with_epsilon(ask(again, other).score, ask(filter, other).score, 0.02);
    /* one more lesson, and back */
    guint8 hash[FILTER_HASH];
    lessons_hash(probe, hash);
    g_assert_cmpint(lesson_find(world.store, hash), ==, -1);
    teach(again, probe, FALSE);
    g_assert_true(lessons_learn(world.store, again, &error));
    g_assert_cmpint(lesson_find(world.store, hash), ==, 0);
    g_assert_cmpint(lesson_generation(world.store), !=, generation);
    g_assert_true(lessons_unlearn(world.store, again, hash, &error));
    g_assert_no_error(error);
    g_assert_cmpint(lesson_find(world.store, hash), ==, -1);
    /* rows that make no sense are passed over */
    struct lesson broken = {.junk = TRUE, .score = 0};
    g_autoptr(GBytes) rubbish = broken.weights = broken.tokens = g_bytes_new("\xff\xff\xff\xff\xff\xff\xff", 7);
    g_assert_true(lesson_put(world.store, &broken, &error));
    g_autoptr(struct_filter) last = lessons_load(world.store, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat_with_epsilon(ask(last, probe).margin, ask(again, probe).margin, 0.02);
    world_end(&world);
}

static void
test_prune(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    g_autoptr(struct_filter) filter = lessons_load(world.store, &error);
    teach_many(filter, 1, 100);
    g_assert_true(lessons_learn(world.store, filter, &error));
    g_assert_true(lesson_prune(world.store, 40, G_MAXINT32, &error));
    g_autoptr(struct_filter) fewer = lessons_load(world.store, &error);
    g_assert_cmpuint(filter_count(fewer, TRUE) + filter_count(fewer, FALSE), ==, 40);
    g_assert_true(lesson_prune(world.store, 40, 3000, &error));
    g_assert_no_error(error);
    g_autoptr(struct_filter) least = lessons_load(world.store, &error);
    g_assert_cmpuint(filter_examples(least)->len, <, 30);
    g_assert_cmpuint(filter_examples(least)->len, >, 0);
    world_end(&world);
}

static double
weight_of(const struct filter *filter, GBytes *message, const char *name)
{
    g_autoptr(struct_tokenizer) tokenizer = tokenizer_new();
    g_autoptr(GString) names = g_string_new(NULL);
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GBytes) made = tokenizer_read(tokenizer, bytes, length, names);
    g_autoptr(struct_tokens) tokens = tokens_from_bytes(made);
    g_autoptr(GBytes) text = g_bytes_new(names->str, names->len);
    g_autoptr(GPtrArray) words = why_words(filter, tokens, text, G_MAXINT);
    double last = G_MAXDOUBLE, found = 0;
    for (guint i = 0; i < words->len; i++) {
        const struct why_word *word = words->pdata[i];
        g_assert_cmpfloat(ABS(word->weight), <=, last);
        last = ABS(word->weight);
        if (strcmp(word->word, name) == 0)
            found = word->weight;
    }
    return found;
}

/* The words say why, and one can be made to count for nothing. */
static void
test_why(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) message = g_bytes_new_static("Subject: x\n\nviagra meeting", 26);
    world_begin(&world);
    g_autoptr(struct_filter) filter = lessons_load(world.store, &error);
    teach_many(filter, 1, 120);
    g_assert_true(lessons_learn(world.store, filter, &error));
    g_assert_cmpfloat(weight_of(filter, message, "viagra"), >, 0);
    g_assert_cmpfloat(weight_of(filter, message, "meeting"), <, 0);
    g_assert_true(lessons_forget(world.store, "Viagra", &error));
    g_assert_no_error(error);
    g_autoptr(struct_filter) after = lessons_load(world.store, &error);
    g_assert_cmpfloat(weight_of(after, message, "viagra"), ==, 0);
    g_assert_cmpfloat(weight_of(after, message, "meeting"), <, 0);
    g_autoptr(GPtrArray) words = lesson_forgotten(world.store, &error);
    g_assert_cmpuint(words->len, ==, 1);
    g_assert_cmpstr(words->pdata[0], ==, "Viagra");
    world_end(&world);
}

/* What the words add is the whole of the verdict; nothing is said that is not explained. */
static void
test_explained(void)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    struct tokens none = {.slots = NULL};
    struct filter_answer nothing;
    teach_many(filter, 1, 200);
    filter_learn(filter, 16);
    filter_ask(filter, &none, &nothing);
    for (guint i = 0; i < 20; i++) {
        g_autoptr(GBytes) message = letter(random, i % 2, i);
        g_autoptr(struct_tokens) tokens = tokens_of(message);
        g_autofree float *adds = filter_explain(filter, tokens);
        double sum = nothing.margin;
        for (guint k = 0; k < tokens_total(tokens); k++)
            sum += (double)adds[k];
        g_assert_cmpfloat_with_epsilon(sum, ask(filter, message).margin, 1e-3);
    }
}

/* Learned to the end: the order of the lessons means nothing, and going over them again changes nothing. */
static void
test_any_order(void)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(struct_filter) other = filter_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(8);
    teach_many(filter, 1, 300);
    teach_many(filter, 2, 300);
    teach_many(other, 2, 300);
    teach_many(other, 1, 300);
    filter_learn(filter, 40);
    filter_learn(other, 40);
    for (guint i = 0; i < 20; i++) {
        g_autoptr(GBytes) message = letter(random, i % 2, i);
        double margin = ask(filter, message).margin;
        g_assert_cmpfloat_with_epsilon(ask(other, message).margin, margin, 0.03);
    }
    g_autoptr(GBytes) probe = letter(random, TRUE, 1);
    double before = ask(filter, probe).margin;
    filter_learn(filter, 40);
    g_assert_cmpfloat_with_epsilon(ask(filter, probe).margin, before, 0.03);
}

/* Mail of which not one word is known is neither good nor junk. */
static void
test_unknown(void)
{
    g_autoptr(struct_filter) filter = filter_new();
    g_autoptr(GBytes) message = g_bytes_new_static("X: y\n\nqwertz uiop asdfgh jklo yxcvb nmqe", 40);
    teach_many(filter, 1, 400);
    filter_learn(filter, 16);
    g_assert_cmpint(ask(filter, message).verdict, ==, FILTER_UNSURE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/learns", test_learns);
    g_test_add_func("/filter/silent", test_silent);
    g_test_add_func("/filter/taken-back", test_taken_back);
    g_test_add_func("/filter/other-kind", test_other_kind);
    g_test_add_func("/filter/explained", test_explained);
    g_test_add_func("/filter/any-order", test_any_order);
    g_test_add_func("/filter/unknown", test_unknown);
    g_test_add_func("/filter/store", test_store);
    g_test_add_func("/filter/prune", test_prune);
    g_test_add_func("/filter/why", test_why);
    return g_test_run();
}
