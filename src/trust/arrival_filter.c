/* arrival_filter.c - the stage of arrival.h that asks the learning filter, and files what it takes for junk */
#include "config.h"

#include "trust/arrival.h"

#include "base/i18n.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "store/folder.h"
#include "store/intent.h"
#include "trust/evidence.h"
#include "trust/lessons.h"
#include "trust/why.h"

#define WORDS 12

static char *
write_verdict(const struct filter_answer *answer, const GPtrArray *words, gboolean filed)
{
    struct json json;
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++) {
        const struct why_word *word = words->pdata[i];
        g_autofree char *safe = text_safe(word->word, -1, TEXT_LINE);
        g_string_append_printf(list, "%s%s", i ? "\n" : "", safe);
    }
    g_autofree char *score = g_strdup_printf("%.4f", answer->score);
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "verdict", filter_verdict_name(answer->verdict));
    json_string(&json, "score", score);
    json_string(&json, "words", list->str);
    if (filed)
        json_string(&json, "filed", "junk");
    json_object_end(&json);
    return json_finish(&json);
}

static void
tell(const struct arrival *arrival)
{
    const struct message *message = arrival->message;
    g_autofree char *text = g_strdup_printf(_("filed as junk: %s: %s (Esc X in Junk takes it back)"),
                                            message->from_name ? message->from_name : message->from_addr ? message->from_addr : "?",
                                            message->subject);
    g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
    if (arrival->host->notice)
        arrival->host->notice(safe, arrival->host->data);
}

/* The user's own word about the sender goes before the filter's, unless the mail is forged. */
static gboolean
is_allowed(struct arrival *arrival)
{
    g_autofree char *word = verdict_field(arrival->store, arrival->message->id, "sender", "word");
    g_autofree char *vouch = verdict_field(arrival->store, arrival->message->id, "authentication", "vouch");
    return !g_strcmp0(word, "allowed") && g_strcmp0(vouch, "forged");
}

static gboolean
file_it(struct arrival *arrival, const struct filter_answer *answer, gboolean *filed, GError **error)
{
    gint64 id = arrival->message->id;
    *filed = answer->verdict == FILTER_JUNK && arrival->host->config->filter == FILTERING_ON && !is_allowed(arrival);
    if (!*filed)
        return TRUE;
    if (!intent_junk(arrival->store, &id, 1, 0, TRUE, error))
        return FALSE;
    log_info("trust.filter", "message=%" G_GINT64_FORMAT " filed, score %.3f", id, answer->score);
    tell(arrival);
    return TRUE;
}

gboolean
arrival_filter(struct arrival *arrival, char **verdict, GError **error)
{
    const struct config *config = arrival->host->config;
    *verdict = NULL;
    if (!config || config->filter == FILTERING_OFF || arrival->message->bits & MESSAGE_FROM_ME ||
        !message_lies_in(arrival->store, arrival->message->id, 1u << FOLDER_INBOX))
        return TRUE;
    g_autoptr(struct_filter) filter = lessons_load(arrival->store, error);
    g_autoptr(GBytes) names = NULL;
    g_autoptr(struct_tokens) tokens = filter ? reader_tokens(arrival->reader, arrival->bytes, &names, error) : NULL;
    if (!tokens)
        return FALSE;
    struct filter_answer answer;
    gboolean filed;
    evidence_add(arrival->store, arrival->message->id, tokens, &names);
    filter_ask(filter, tokens, &answer);
    if (answer.silent)
        return TRUE;
    g_autoptr(GPtrArray) words = why_words(filter, tokens, names, WORDS);
    if (!message_set_junk(arrival->store, arrival->message->id, (int) answer.verdict, error) ||
        !file_it(arrival, &answer, &filed, error))
        return FALSE;
    *verdict = write_verdict(&answer, words, filed);
    return TRUE;
}
