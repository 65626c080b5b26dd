/* filter.c - postrider filter: teach the learning filter with files, ask it, and be told why */
#include "config.h"

#include "cli/bytes.h"
#include "cli/commands.h"
#include "cli/mailfiles.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "mail/reader.h"
#include "store/lesson.h"
#include "trust/lessons.h"
#include "trust/why.h"

#include <string.h>

#define IN_FLIGHT 48
#define TOKENS_HELD (256 * 1024 * 1024) /* bytes of tokens in memory before the first are learned */
#define WORDS_SHOWN 30

/* The filter needs no account, and so no configuration. */
static struct store *
open_store(enum store_mode mode, GError **error)
{
    return store_open(NULL, mode, error);
}

/* The filter as it was taught; one that knows nothing when there is no store. */
static struct filter *
load_filter(GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(struct_store) store = open_store(STORE_READ, &local);
    if (store)
        return lessons_load(store, error);
    if (g_error_matches(local, STORE_ERROR, ERROR_NOINPUT))
        return filter_new();
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

static void
note_silence(const struct filter *filter)
{
    guint good = filter_count(filter, FALSE), junk = filter_count(filter, TRUE);
    if (good < FILTER_LEAST || junk < FILTER_LEAST)
        cli_note(_("the filter is silent until it has seen %u good and %u junk messages: it has seen %u and %u"),
                 FILTER_LEAST, FILTER_LEAST, good, junk);
}

/* --- train */

struct training {
    struct reader *reader;
    struct filter *filter;
    gboolean junk;
    guint learned[2], skipped;
};

struct pupil {
    struct training *training;
    guint8 hash[FILTER_HASH];
    gboolean junk;
    char *label;
};

static void
pupil_free(gpointer data)
{
    struct pupil *pupil = data;
    g_free(pupil->label);
    g_free(pupil);
}

static void
take_tokens(struct tokens *tokens, const GError *error, gpointer data)
{
    struct pupil *pupil = data;
    struct training *training = pupil->training;
    if (!tokens) {
        training->skipped++;
        cli_note("%s: %s", pupil->label, error->message);
        return;
    }
    training->learned[pupil->junk]++;
    filter_add(training->filter, filter_example_new(pupil->hash, pupil->junk, clock_now(), tokens));
}

static gboolean
train_message(const char *label, GBytes *message, gpointer data, GError **error G_GNUC_UNUSED)
{
    struct training *training = data;
    struct pupil *pupil = g_new0(struct pupil, 1);
    pupil->training = training;
    pupil->junk = training->junk;
    pupil->label = g_strdup(label);
    lessons_hash(message, pupil->hash);
    reader_tokens_async(training->reader, message, take_tokens, pupil, pupil_free);
    reader_drain(training->reader, IN_FLIGHT);
    if (filter_bytes(training->filter) > TOKENS_HELD) {
        filter_learn(training->filter, 4);
        filter_shrink(training->filter, TOKENS_HELD / 2);
    }
    return TRUE;
}

static gboolean
train_paths(struct training *training, char **words, GError **error)
{
    gboolean kind_given = FALSE, any = FALSE;
    for (char **word = words; *word; word++) {
        if (strcmp(*word, "--junk") == 0 || strcmp(*word, "--good") == 0) {
            training->junk = strcmp(*word, "--junk") == 0;
            kind_given = TRUE;
        } else if (!kind_given) {
            return cli_usage_error(error, _("filter train: say --junk or --good before %s"), *word);
        } else if (!mailfiles_each(*word, train_message, training, error)) {
            return FALSE;
        } else {
            any = TRUE;
        }
    }
    reader_drain(training->reader, 0);
    return any || cli_usage_error(error, _("filter train takes --junk PATH… and --good PATH…"));
}

static gboolean
print_counts(const struct training *training, GError **error)
{
    if (!cli_json) {
        g_autofree char *text =
            g_strdup_printf(_("learned %u good and %u junk messages; the filter has seen %u and %u"), training->learned[0],
                            training->learned[1], filter_count(training->filter, FALSE), filter_count(training->filter, TRUE));
        return cli_print(text, error);
    }
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_int(&json, "good", training->learned[0]);
    json_int(&json, "junk", training->learned[1]);
    json_int(&json, "skipped", training->skipped);
    json_int(&json, "seen_good", filter_count(training->filter, FALSE));
    json_int(&json, "seen_junk", filter_count(training->filter, TRUE));
    json_object_end(&json);
    return cli_print_json(&json, error);
}

static gboolean
run_train(char **words, int *exit_code, GError **error)
{
    g_autoptr(struct_store) store = open_store(STORE_WRITE, error);
    g_autoptr(struct_filter) filter = store ? lessons_load(store, error) : NULL;
    if (!filter)
        return FALSE;
    g_autoptr(struct_reader) reader = reader_new();
    struct training training = {.reader = reader, .filter = filter};
    if (!train_paths(&training, words, error) || !lessons_learn(store, filter, error) || !print_counts(&training, error))
        return FALSE;
    if (training.skipped)
        *exit_code = 1;
    note_silence(filter);
    return TRUE;
}

/* --- score */

struct scoring {
    struct reader *reader;
    struct filter *filter;
    GError *error;
    guint skipped;
};

struct scored {
    struct scoring *scoring;
    char *label;
};

static void
scored_free(gpointer data)
{
    g_free(((struct scored *)data)->label);
    g_free(data);
}

static gboolean
print_answer(const char *label, const struct filter_answer *answer, GError **error)
{
    const char *verdict = filter_verdict_name(answer->verdict);
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "path", label);
        json_string(&json, "verdict", verdict);
        json_double(&json, "score", answer->score);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *safe = text_safe(label, -1, TEXT_LINE);
    char score[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *line =
        g_strdup_printf("%s %s %s", safe, verdict, g_ascii_formatd(score, sizeof score, "%.6f", answer->score));
    return cli_print(line, error);
}

static void
take_scored(struct tokens *tokens, const GError *error, gpointer data)
{
    struct scored *scored = data;
    struct scoring *scoring = scored->scoring;
    struct filter_answer answer;
    if (!tokens) {
        scoring->skipped++;
        cli_note("%s: %s", scored->label, error->message);
        return;
    }
    filter_ask(scoring->filter, tokens, &answer);
    if (!scoring->error)
        print_answer(scored->label, &answer, &scoring->error);
    tokens_free(tokens);
}

static gboolean
score_message(const char *label, GBytes *message, gpointer data, GError **error)
{
    struct scoring *scoring = data;
    struct scored *scored = g_new(struct scored, 1);
    scored->scoring = scoring;
    scored->label = g_strdup(label);
    reader_tokens_async(scoring->reader, message, take_scored, scored, scored_free);
    reader_drain(scoring->reader, IN_FLIGHT);
    if (!scoring->error)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&scoring->error));
    return FALSE;
}

static gboolean
run_score(char **words, int *exit_code, GError **error)
{
    if (!*words)
        return cli_usage_error(error, _("filter score takes files, folders, Maildirs or mboxes"));
    g_autoptr(struct_filter) filter = load_filter(error);
    if (!filter)
        return FALSE;
    g_autoptr(struct_reader) reader = reader_new();
    struct scoring scoring = {.reader = reader, .filter = filter};
    gboolean ok = TRUE;
    for (; ok && *words; words++)
        ok = mailfiles_each(*words, score_message, &scoring, error);
    reader_drain(reader, 0);
    if (ok && scoring.error) {
        g_propagate_error(error, scoring.error);
        ok = FALSE;
    }
    note_silence(filter);
    if (scoring.skipped)
        *exit_code = 1;
    return ok;
}

/* --- why */

static gboolean
print_why(const struct filter_answer *answer, const GPtrArray *words, GError **error)
{
    char score[G_ASCII_DTOSTR_BUF_SIZE], weight[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *line = g_strdup_printf("%s %s", filter_verdict_name(answer->verdict),
                                            g_ascii_formatd(score, sizeof score, "%.6f", answer->score));
    if (!cli_print(line, error))
        return FALSE;
    for (guint i = 0; i < words->len; i++) {
        const struct why_word *word = words->pdata[i];
        g_autofree char *safe = text_safe(word->word, -1, TEXT_LINE);
        g_autofree char *row = g_strdup_printf("  %s  %s", g_ascii_formatd(weight, sizeof weight, "%+.4f", word->weight), safe);
        if (!cli_print(row, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
print_why_json(const struct filter_answer *answer, const GPtrArray *words, GError **error)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "verdict", filter_verdict_name(answer->verdict));
    json_double(&json, "score", answer->score);
    json_array_begin(&json, "words");
    for (guint i = 0; i < words->len; i++) {
        const struct why_word *word = words->pdata[i];
        json_object_begin(&json, NULL);
        json_string(&json, "word", word->word);
        json_double(&json, "weight", word->weight);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

static gboolean
run_why(char **words, int *exit_code G_GNUC_UNUSED, GError **error)
{
    if (!words[0] || words[1])
        return cli_usage_error(error, _("filter why takes one ID or file"));
    g_autoptr(GBytes) message = bytes_of(words[0], NULL, error), names = NULL;
    g_autoptr(struct_filter) filter = message ? load_filter(error) : NULL;
    if (!filter)
        return FALSE;
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(struct_tokens) tokens = reader_tokens(reader, message, &names, error);
    if (!tokens)
        return FALSE;
    struct filter_answer answer;
    filter_ask(filter, tokens, &answer);
    note_silence(filter);
    g_autoptr(GPtrArray) reasons = why_words(filter, tokens, names, WORDS_SHOWN);
    return cli_json ? print_why_json(&answer, reasons, error) : print_why(&answer, reasons, error);
}

/* --- forget, status */

static gboolean
run_forget(char **words, int *exit_code G_GNUC_UNUSED, GError **error)
{
    if (!*words)
        return cli_usage_error(error, _("filter forget takes words, as filter why names them"));
    g_autoptr(struct_store) store = open_store(STORE_WRITE, error);
    for (; store && *words; words++)
        if (!lessons_forget(store, *words, error))
            return FALSE;
    return store != NULL;
}

static gboolean
print_status(const struct filter *filter, const GPtrArray *forgotten, GError **error)
{
    guint good = filter_count(filter, FALSE), junk = filter_count(filter, TRUE);
    if (!cli_json) {
        g_autofree char *text = g_strdup_printf(_("the filter has seen %u good and %u junk messages; words forgotten: %u"), good,
                                                junk, forgotten->len);
        return cli_print(text, error);
    }
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_int(&json, "seen_good", good);
    json_int(&json, "seen_junk", junk);
    json_bool(&json, "silent", good < FILTER_LEAST || junk < FILTER_LEAST);
    json_array_begin(&json, "forgotten");
    for (guint i = 0; i < forgotten->len; i++)
        json_string(&json, NULL, forgotten->pdata[i]);
    json_array_end(&json);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

static gboolean
run_status(char **words, int *exit_code G_GNUC_UNUSED, GError **error)
{
    if (*words)
        return cli_usage_error(error, _("filter status takes no words"));
    g_autoptr(GError) local = NULL;
    g_autoptr(struct_store) store = open_store(STORE_READ, &local);
    g_autoptr(struct_filter) filter = load_filter(error);
    g_autoptr(GPtrArray) forgotten = !filter ? NULL : store ? lesson_forgotten(store, error) : g_ptr_array_new();
    if (!forgotten || !print_status(filter, forgotten, error))
        return FALSE;
    note_silence(filter);
    return TRUE;
}

static const struct {
    const char *name;
    gboolean (*run)(char **words, int *exit_code, GError **error);
} verbs[] = {{"train", run_train}, {"score", run_score}, {"why", run_why}, {"forget", run_forget}, {"status", run_status}};

/* --json may stand anywhere; --junk and --good are the order of what follows. */
static gboolean
run_filter(int argc, char **argv, int *exit_code, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            cli_json = TRUE;
        else
            g_ptr_array_add(words, argv[i]);
    }
    g_ptr_array_add(words, NULL);
    for (guint i = 0; words->pdata[0] && i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(words->pdata[0], verbs[i].name) == 0)
            return verbs[i].run((char **)words->pdata + 1, exit_code, error);
    return cli_usage_error(error, _("filter takes train, score, why, forget or status"));
}

const struct cli_command cmd_filter = {
    "filter",
    "train --junk PATH… --good PATH… | score PATH… | why ID|FILE | forget WORD… | status",
    N_("the learning filter: teach it, ask it, be told why"),
    N_("PATH is a file, a folder, a Maildir or an mbox. \"train\" learns from what is given, and takes a lesson back "
       "when the same message is given as the other kind. \"score\" prints path, verdict (good, unsure or junk) and a "
       "score from 0 to 1 for each message: good below 0.1, junk from 0.9; messages of an mbox are PATH:NUMBER. \"why\" "
       "prints the words that weighed most, those above 0 for junk. \"forget\" makes a word count for nothing. It "
       "needs no account; what it learned lies in the store. It is silent, and everything unsure, until it has seen 20 "
       "messages of each kind."),
    NULL,
    WORDS_LAST,
    run_filter};
