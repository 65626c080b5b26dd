/* rules.c - rules as written, made into trees and actions */
#include "config.h"

#include "trust/rules.h"

#include "base/error.h"
#include "base/flags.h"
#include "base/text.h"
#include "mail/address.h"
#include "search/query.h"

#include <string.h>

G_DEFINE_QUARK(rules, rules_error)

static gboolean take_folder(struct rule_action *action, const char *rest, char **why);
static gboolean take_nothing(struct rule_action *action, const char *rest, char **why);
static gboolean take_tags(struct rule_action *action, const char *rest, char **why);
static gboolean take_address(struct rule_action *action, const char *rest, char **why);
static gboolean take_text(struct rule_action *action, const char *rest, char **why);
static gboolean take_program(struct rule_action *action, const char *rest, char **why);

static const struct {
    const char *name, *form;
    gboolean (*take)(struct rule_action *action, const char *rest, char **why);
} verbs[RULE_VERBS] = {
    [RULE_MOVE] = {"move", "move FOLDER", take_folder},
    [RULE_COPY] = {"copy", "copy FOLDER", take_folder},
    [RULE_ARCHIVE] = {"archive", "archive", take_nothing},
    [RULE_DELETE] = {"delete", "delete", take_nothing},
    [RULE_JUNK] = {"junk", "junk", take_nothing},
    [RULE_READ] = {"read", "read", take_nothing},
    [RULE_FLAG] = {"flag", "flag", take_nothing},
    [RULE_TAG] = {"tag", "tag +WORD -WORD", take_tags},
    [RULE_FORWARD] = {"forward", "forward ADDRESS", take_address},
    [RULE_NOTIFY] = {"notify", "notify [TEXT]", take_text},
    [RULE_RUN] = {"run", "run PROGRAM [ARGUMENT…]", take_program},
    [RULE_STOP] = {"stop", "stop", take_nothing},
};

const char *
rule_verb_name(enum rule_verb verb)
{
    return verb < RULE_VERBS ? verbs[verb].name : "";
}

/* ---- what stands behind the verb ---- */

static gboolean
take_folder(struct rule_action *action, const char *rest, char **why)
{
    action->text = g_strdup(rest);
    if (!*rest)
        *why = g_strdup("which folder?");
    return *rest != '\0';
}

static gboolean
take_nothing(struct rule_action *action G_GNUC_UNUSED, const char *rest, char **why)
{
    if (*rest)
        *why = g_strdup_printf("\"%s\" is too much", rest);
    return !*rest;
}

static gboolean
take_tags(struct rule_action *action, const char *rest, char **why)
{
    g_auto(GStrv) words = g_strsplit_set(rest, " \t", -1);
    action->add = g_strdup("");
    action->remove = g_strdup("");
    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        gboolean plus = **word != '-';
        const char *tag = **word == '+' || **word == '-' ? *word + 1 : *word;
        if (!tag_is_valid(tag)) {
            *why = g_strdup_printf("\"%s\" cannot be a tag: a tag is one word without quotes or backslashes", tag);
            return FALSE;
        }
        char **set = plus ? &action->add : &action->remove;
        char *more = tags_add(*set, tag);
        g_free(*set);
        *set = more;
    }
    if (!*action->add && !*action->remove)
        *why = g_strdup("which tag?");
    return !*why;
}

static gboolean
take_address(struct rule_action *action, const char *rest, char **why)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = address_list_parse(rest, &error);
    if (!list || list->len != 1) {
        *why = error ? g_strdup(error->message) : g_strdup("one address, as name@example.org");
        return FALSE;
    }
    action->text = g_strdup(address_list_get(list, 0)->addr);
    return TRUE;
}

static gboolean
take_text(struct rule_action *action, const char *rest, char **why G_GNUC_UNUSED)
{
    action->text = *rest ? g_strdup(rest) : NULL;
    return TRUE;
}

static gboolean
take_program(struct rule_action *action, const char *rest, char **why)
{
    g_autoptr(GError) error = NULL;
    if (g_shell_parse_argv(rest, NULL, &action->argv, &error))
        return TRUE;
    *why = g_strdup(*rest ? error->message : "which program?");
    return FALSE;
}

/* ---- a line of actions ---- */

static void
action_free(gpointer data)
{
    struct rule_action *action = data;
    g_free(action->text);
    g_free(action->add);
    g_free(action->remove);
    g_strfreev(action->argv);
    g_free(action);
}

/* The next piece up to a ';' that stands in no quotes. */
static char *
next_piece(const char **text)
{
    const char *start = *text, *p = start;
    char quote = 0;
    for (; *p && (quote || *p != ';'); p++)
        if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? 0 : *p;
    *text = *p ? p + 1 : p;
    return g_strstrip(g_strndup(start, (gsize) (p - start)));
}

static struct rule_action *
action_parse(const char *piece, char **why)
{
    gsize length = strcspn(piece, " \t");
    g_autofree char *rest = g_strstrip(g_strdup(piece + length));
    for (guint i = 0; i < RULE_VERBS; i++) {
        if (strlen(verbs[i].name) != length || strncmp(verbs[i].name, piece, length))
            continue;
        struct rule_action *action = g_new0(struct rule_action, 1);
        action->verb = (enum rule_verb) i;
        if (verbs[i].take(action, rest, why))
            return action;
        action_free(action);
        g_autofree char *what = *why;
        *why = g_strdup_printf("%s: %s: write %s", verbs[i].name, what, verbs[i].form);
        return NULL;
    }
    GString *known = g_string_new(NULL);
    for (guint i = 0; i < RULE_VERBS; i++)
        g_string_append_printf(known, "%s%s", i ? ", " : "", verbs[i].form);
    *why = g_strdup_printf("\"%s\" is no action: actions are %s", piece, known->str);
    g_string_free(known, TRUE);
    return NULL;
}

static gboolean
parse_actions(struct rule *rule, const char *then, char **why)
{
    while (*then) {
        g_autofree char *piece = next_piece(&then);
        struct rule_action *action = *piece ? action_parse(piece, why) : NULL;
        if (action)
            g_ptr_array_add(rule->actions, action);
        else if (*piece)
            return FALSE;
    }
    if (!rule->actions->len)
        *why = g_strdup("no action is named: for example move Lists; read");
    return rule->actions->len > 0;
}

/* ---- rules ---- */

void
rule_free(struct rule *rule)
{
    if (!rule)
        return;
    g_free(rule->name);
    g_free(rule->account);
    g_free(rule->condition);
    query_free(rule->when);
    g_ptr_array_unref(rule->actions);
    g_free(rule);
}

/* *in_then: which of the two texts is wrong. */
static struct rule *
compile(const char *name, const char *when, const char *then, gboolean *in_then, char **why)
{
    g_autoptr(struct_rule) rule = g_new0(struct rule, 1);
    g_autoptr(GError) error = NULL;
    rule->name = g_strdup(name);
    rule->condition = g_strdup(when);
    rule->actions = g_ptr_array_new_with_free_func(action_free);
    *in_then = FALSE;
    rule->when = search_parse(when, SEARCH_NOTMUCH, NULL, &error);
    if (!rule->when) {
        *why = g_strdup(error->message);
        return NULL;
    }
    *in_then = TRUE;
    return parse_actions(rule, then, why) ? g_steal_pointer(&rule) : NULL;
}

struct rule *
rule_new(const char *name, const char *when, const char *then, GError **error)
{
    g_autofree char *why = NULL;
    gboolean in_then;
    struct rule *rule = compile(name, when, then, &in_then, &why);
    if (!rule)
        g_set_error(error, RULES_ERROR, ERROR_INPUT, "%s: %s", in_then ? "then" : "when", why);
    return rule;
}

static gboolean
is_account(const struct config *config, const char *name)
{
    for (guint i = 0; i < config->accounts->len; i++)
        if (!strcmp(((const struct account *) config->accounts->pdata[i])->name, name))
            return TRUE;
    return FALSE;
}

GPtrArray *
rules_compile(const struct config *config, GError **error)
{
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func((GDestroyNotify) rule_free);
    for (guint i = 0; i < config->rules->len; i++) {
        const struct config_rule *source = config->rules->pdata[i];
        g_autofree char *why = NULL;
        gboolean in_then;
        struct rule *rule = compile(source->name, source->when, source->then, &in_then, &why);
        if (!rule) {
            g_autofree char *safe = text_safe(why, -1, TEXT_LINE);
            g_set_error(error, RULES_ERROR, ERROR_CONFIG, "%s:%d: [rule %s] %s: %s", config->path,
                        in_then ? source->then_line : source->when_line, source->name, in_then ? "then" : "when", safe);
            return NULL;
        }
        g_ptr_array_add(rules, rule);
        rule->account = g_strdup(source->account);
        if (source->account && !is_account(config, source->account)) {
            g_set_error(error, RULES_ERROR, ERROR_CONFIG, "%s:%d: [rule %s] account: there is no account \"%s\"",
                        config->path, source->line, source->name, source->account);
            return NULL;
        }
    }
    return g_steal_pointer(&rules);
}

static void
append_action(GString *out, const struct rule_action *action)
{
    g_string_append_printf(out, "%s%s", out->len ? "; " : "", verbs[action->verb].name);
    if (action->text)
        g_string_append_printf(out, " %s", action->text);
    for (guint k = 0; action->add && k < 2; k++) {
        g_auto(GStrv) tags = tags_split(k ? action->remove : action->add);
        for (char **tag = tags; *tag; tag++)
            g_string_append_printf(out, " %c%s", k ? '-' : '+', *tag);
    }
    for (guint i = 0; action->argv && action->argv[i]; i++) {
        g_autofree char *quoted = strpbrk(action->argv[i], " \t'\"\\;") || !*action->argv[i] ? g_shell_quote(action->argv[i])
                                                                                            : g_strdup(action->argv[i]);
        g_string_append_printf(out, " %s", quoted);
    }
}

char *
rule_actions_text(const struct rule *rule)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < rule->actions->len; i++)
        append_action(out, rule->actions->pdata[i]);
    return g_string_free(out, FALSE);
}
