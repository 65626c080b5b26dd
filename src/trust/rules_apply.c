/* rules_apply.c - which messages rules are for, and carrying them out */
#include "config.h"

#include "trust/rules_private.h"
#include "trust/sieve.h"

#include "base/error.h"
#include "base/flags.h"
#include "base/i18n.h"
#include "base/log.h"
#include "base/text.h"
#include "store/account.h"
#include "store/filing.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/message.h"

#include <string.h>

/* ---- which ---- */

static gboolean
says_stop(const struct rule *rule)
{
    for (guint i = 0; i < rule->actions->len; i++)
        if (((const struct rule_action *) rule->actions->pdata[i])->verb == RULE_STOP)
            return TRUE;
    return FALSE;
}

gboolean
rule_matches(struct store *store, const struct rule *rule, gint64 message, GError **error)
{
    g_autoptr(struct_query) query =
        query_new_pair(QUERY_AND, query_new_range(QUERY_NUMBER, message, message), query_copy(rule->when));
    struct query_options options = {.everything = TRUE, .limit = 1};
    g_autoptr(GArray) hits = store_search(store, query, &options, error);
    return hits && hits->len;
}

void
rules_hit_free(struct rules_hit *hit)
{
    if (!hit)
        return;
    g_array_unref(hit->messages);
    g_free(hit);
}

static struct rules_hit *
hit_new(const struct rule *rule)
{
    struct rules_hit *hit = g_new0(struct rules_hit, 1);
    hit->rule = rule;
    hit->messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    return hit;
}

static struct query *
scope(const struct rule *rule, const struct query *query)
{
    struct query *where = query ? query_copy(query) : query_new_role(FOLDER_INBOX);
    if (rule->account)
        where = query_new_pair(QUERY_AND, query_new_word(QUERY_ACCOUNT, rule->account), where);
    return query_new_pair(QUERY_AND, query_copy(rule->when), where);
}

GPtrArray *
rules_find(const struct rules_context *context, const struct query *query, guint limit, GError **error)
{
    g_autoptr(GPtrArray) hits = g_ptr_array_new_with_free_func((GDestroyNotify) rules_hit_free);
    g_autoptr(GHashTable) stopped = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < context->rules->len; i++) {
        const struct rule *rule = context->rules->pdata[i];
        g_autoptr(struct_query) all = scope(rule, query);
        struct query_options options = {.limit = limit};
        g_autoptr(GArray) found = store_search(context->store, all, &options, error);
        if (!found)
            return NULL;
        struct rules_hit *hit = hit_new(rule);
        g_ptr_array_add(hits, hit);
        for (guint k = 0; k < found->len; k++) {
            gint64 id = g_array_index(found, struct query_hit, k).message;
            if (g_hash_table_contains(stopped, &id))
                continue;
            g_array_append_val(hit->messages, id);
            if (says_stop(rule))
                g_hash_table_add(stopped, g_memdup2(&id, sizeof id));
        }
    }
    return g_steal_pointer(&hits);
}

/* ---- carrying out ---- */

/* Something that leaves the store: done after the commit, so that it is done once at most. */
struct errand {
    const struct rule *rule;
    const struct rule_action *action;
    gint64 message, filing;
    char *account; /* where it came to */
};

struct work {
    const struct rules_context *context;
    GPtrArray *errands;
    guint done;
};

static void
errand_free(gpointer data)
{
    struct errand *errand = data;
    g_free(errand->account);
    g_free(errand);
}

/* The place that is meant: in an INBOX, else the first. */
static struct message_place *
place_of(GPtrArray *places)
{
    for (guint i = 0; i < places->len; i++)
        if (((struct message_place *) places->pdata[i])->role == FOLDER_INBOX)
            return places->pdata[i];
    return places->len ? places->pdata[0] : NULL;
}

static gboolean
find_targets(struct store *store, const struct rule *rule, gint64 account, gint64 *targets, GError **error)
{
    for (guint i = 0; i < rule->actions->len; i++) {
        const struct rule_action *action = rule->actions->pdata[i];
        if (action->verb == RULE_MOVE || action->verb == RULE_COPY)
            if (!(targets[i] = folder_lookup(store, account, action->text, error)))
                return FALSE;
    }
    return TRUE;
}

static gint64
act(struct store *store, const struct rule_action *action, gint64 message, gint64 target, GError **error)
{
    switch (action->verb) {
    case RULE_MOVE:
        return intent_move(store, &message, 1, 0, target, error);
    case RULE_COPY:
        return intent_copy(store, &message, 1, 0, target, error);
    case RULE_ARCHIVE:
        return intent_archive(store, &message, 1, 0, error);
    case RULE_DELETE:
        return intent_delete(store, &message, 1, 0, error);
    case RULE_JUNK:
        return intent_junk(store, &message, 1, 0, TRUE, error);
    case RULE_READ:
        return intent_mark(store, &message, 1, FLAG_SEEN, 0, NULL, NULL, error);
    case RULE_FLAG:
        return intent_mark(store, &message, 1, FLAG_FLAGGED, 0, NULL, NULL, error);
    case RULE_TAG:
        return intent_mark(store, &message, 1, 0, 0, action->add, action->remove, error);
    default:
        return INTENT_NOTHING;
    }
}

/* A folder that takes no mail, a message that left meanwhile: written down, and the other actions go on. */
static gboolean
act_or_note(struct store *store, const struct rule_action *action, gint64 message, gint64 target, gint64 filing,
            GError **error)
{
    g_autoptr(GError) why = NULL;
    if (act(store, action, message, target, &why))
        return TRUE;
    if (why->code == ERROR_REFUSED || why->code == ERROR_NOINPUT)
        return filing_set_error(store, filing, why->message, error);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean
is_errand(const struct rule_action *action)
{
    return action->verb == RULE_FORWARD || action->verb == RULE_NOTIFY || action->verb == RULE_RUN;
}

/* One rule for one message, in the group's transaction. What cannot be done at all is written down and is no error. */
static gboolean
apply(struct work *work, const struct rule *rule, gint64 message, GError **error)
{
    struct store *store = work->context->store;
    g_autoptr(GPtrArray) places = message_places(store, message, error);
    const struct message_place *place = places ? place_of(places) : NULL;
    if (!place) /* it has gone meanwhile */
        return places != NULL;
    g_autofree char *text = rule_actions_text(rule);
    g_autofree gint64 *targets = g_new0(gint64, rule->actions->len);
    g_autoptr(GError) why = NULL;
    if (!find_targets(store, rule, store_account_find(store, place->account), targets, &why)) {
        log_warn("trust.rules", "rule=%s message=%" G_GINT64_FORMAT " %s", rule->name, message, why->message);
        return filing_add(store, message, rule->name, text, why->message, error) != 0;
    }
    gint64 filing = filing_add(store, message, rule->name, text, NULL, error);
    gboolean ok = filing != 0;
    for (guint i = 0; ok && i < rule->actions->len; i++) {
        const struct rule_action *action = rule->actions->pdata[i];
        if (!is_errand(action)) {
            ok = act_or_note(store, action, message, targets[i], filing, error);
            continue;
        }
        struct errand *errand = g_new0(struct errand, 1);
        *errand = (struct errand){rule, action, message, filing, g_strdup(place->account)};
        g_ptr_array_add(work->errands, errand);
        ok = filing_set_error(store, filing, _("ended before it was done"), error);
    }
    log_info("trust.rules", "rule=%s message=%" G_GINT64_FORMAT " %s", rule->name, message, text);
    work->done++;
    return ok;
}

static gboolean
say(const struct rules_context *context, const struct errand *errand, GError **error)
{
    g_autoptr(struct_message) row = message_load(context->store, errand->message, error);
    if (!row)
        return FALSE;
    g_autofree char *raw = errand->action->text
                               ? g_strdup(errand->action->text)
                               : g_strdup_printf("%s: %s", row->from_name ? row->from_name : row->from_addr ? row->from_addr : "?",
                                                 row->subject);
    g_autofree char *text = text_safe(raw, -1, TEXT_LINE);
    if (context->notice)
        context->notice(text, context->data);
    return TRUE;
}

static gboolean
run_errand(const struct rules_context *context, const struct errand *errand, GError **error)
{
    switch (errand->action->verb) {
    case RULE_FORWARD:
        return rules_forward(context, errand->message, errand->account, errand->action->text, error);
    case RULE_RUN:
        return rules_run_program(context->store, errand->message, errand->action->argv, error);
    default:
        return say(context, errand, error);
    }
}

/* The last word of a filing is that of its errands together: all done, or the first that was not. */
static gboolean
run_errands(struct work *work, GError **error)
{
    const struct rules_context *context = work->context;
    for (guint i = 0; i < work->errands->len;) {
        gint64 filing = ((const struct errand *) work->errands->pdata[i])->filing;
        g_autoptr(GError) first = NULL;
        for (const struct errand *errand; i < work->errands->len; i++) {
            errand = work->errands->pdata[i];
            if (errand->filing != filing)
                break;
            g_autoptr(GError) why = NULL;
            if (run_errand(context, errand, &why))
                continue;
            g_autofree char *text = g_strdup_printf(_("the rule \"%s\": %s"), errand->rule->name, why->message);
            g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
            log_warn("trust.rules", "%s", safe);
            if (context->notice)
                context->notice(safe, context->data);
            if (!first)
                first = g_steal_pointer(&why);
        }
        if (!filing_set_error(context->store, filing, first ? first->message : NULL, error))
            return FALSE;
    }
    return TRUE;
}

static char *
undo_text(const GPtrArray *hits)
{
    GString *names = g_string_new(NULL);
    guint n = 0;
    for (guint i = 0; i < hits->len; i++) {
        const struct rules_hit *hit = hits->pdata[i];
        if (hit->messages->len)
            g_string_append_printf(names, "%s%s", n++ ? ", " : "", hit->rule->name);
    }
    char *text = g_strdup_printf(P_("the rule %s", "the rules %s", n), names->str);
    g_string_free(names, TRUE);
    return text;
}

/* *done: how often a rule acted. */
static gboolean
carry_out(const struct rules_context *context, const GPtrArray *hits, gint64 *journal, guint *done, GError **error)
{
    g_autoptr(GPtrArray) errands = g_ptr_array_new_with_free_func(errand_free);
    struct work work = {.context = context, .errands = errands};
    if (!intent_group_begin(context->store, error))
        return FALSE;
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < hits->len; i++) {
        const struct rules_hit *hit = hits->pdata[i];
        for (guint k = 0; ok && k < hit->messages->len; k++)
            ok = apply(&work, hit->rule, g_array_index(hit->messages, gint64, k), error);
    }
    g_autofree char *text = undo_text(hits);
    gint64 id = intent_group_end(context->store, ok, text, error);
    if (journal)
        *journal = id;
    if (done)
        *done = id ? work.done : 0;
    return id && run_errands(&work, error);
}

gboolean
rules_run(const struct rules_context *context, const GPtrArray *hits, gint64 *journal, GError **error)
{
    return carry_out(context, hits, journal, NULL, error);
}

gboolean
rules_arrived(const struct rules_context *context, gint64 message, const char *account, guint *acted, GError **error)
{
    g_autoptr(GPtrArray) hits = g_ptr_array_new_with_free_func((GDestroyNotify) rules_hit_free);
    if (acted)
        *acted = 0;
    if (filing_is_done(context->store, message))
        return TRUE;
    for (guint i = 0; i < context->rules->len; i++) {
        const struct rule *rule = context->rules->pdata[i];
        g_autoptr(GError) why = NULL;
        if ((rule->account && strcmp(rule->account, account)) || sieve_runs_there(context->store, account, rule))
            continue;
        if (!rule_matches(context->store, rule, message, &why)) {
            if (!why)
                continue;
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        struct rules_hit *hit = hit_new(rule);
        g_array_append_val(hit->messages, message);
        g_ptr_array_add(hits, hit);
        if (says_stop(rule))
            break;
    }
    return !hits->len || carry_out(context, hits, NULL, acted, error);
}
