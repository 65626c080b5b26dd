/* rules.c - postrider rules: what files new mail, tried, run by hand, explained */
#include "config.h"

#include "cli/commands.h"
#include "cli/rows.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/width.h"
#include "engine/client.h"
#include "search/query.h"
#include "store/filing.h"
#include "store/intent.h"
#include "store/message.h"
#include "trust/rules.h"
#include "trust/sieve.h"

#include <string.h>

#define PREVIEW_DAYS 90
#define SAMPLES 5 /* messages shown of a preview */

static gboolean dry_run, replace;
static gint64 limit = 10000;
static char *query_text;

static const GOptionEntry entries[] = {
    {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, N_("run: only say what would be done"), NULL},
    {"replace", 0, 0, G_OPTION_ARG_NONE, &replace, N_("upload: also when another script is active on the server"), NULL},
    {"query", 'q', 0, G_OPTION_ARG_STRING, &query_text, N_("run: what it is about; without it, every INBOX"), "QUERY"},
    {"limit", 0, 0, G_OPTION_ARG_INT64, &limit, N_("run: at most N messages a rule, newest first"), "N"},
    {NULL},
};

/* All rules, or those that are named. */
static GPtrArray *
chosen_rules(int argc, char **argv, GError **error)
{
    const struct config *config = cli_config(error);
    g_autoptr(GPtrArray) rules = config ? rules_compile(config, error) : NULL;
    if (!rules || !argc)
        return g_steal_pointer(&rules);
    g_autoptr(GPtrArray) chosen = g_ptr_array_new_with_free_func((GDestroyNotify)rule_free);
    for (int i = 0; i < argc; i++) {
        guint n = 0;
        while (n < rules->len && strcmp(((const struct rule *)rules->pdata[n])->name, argv[i]))
            n++;
        if (n == rules->len) {
            g_set_error(error, CLI_ERROR, ERROR_USAGE, _("there is no rule \"%s\": \"postrider rules\" lists them"), argv[i]);
            return NULL;
        }
        g_ptr_array_add(chosen, g_ptr_array_steal_index(rules, n));
    }
    return g_steal_pointer(&chosen);
}

static gboolean
print_rule(const struct rule *rule, gint64 count, GError **error)
{
    g_autofree char *actions = rule_actions_text(rule);
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "name", rule->name);
        json_string(&json, "account", rule->account);
        json_string(&json, "when", rule->condition);
        json_string(&json, "then", actions);
        if (count >= 0)
            json_int(&json, "messages", count);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *name = width_fit(rule->name, 16);
    g_autofree char *number = count >= 0 ? g_strdup_printf("%6" G_GINT64_FORMAT "  ", count) : g_strdup("");
    g_autofree char *line = g_strdup_printf("%s%s  %s  →  %s", number, name, rule->condition, actions);
    return cli_print(line, error);
}

static gboolean
list(GError **error)
{
    g_autoptr(GPtrArray) rules = chosen_rules(0, NULL, error);
    if (rules && !rules->len && !cli_json)
        cli_note(_("There are no rules: write a section [rule NAME] into the configuration, see postrider-config(5)."));
    for (guint i = 0; rules && i < rules->len; i++)
        if (!print_rule(rules->pdata[i], -1, error))
            return FALSE;
    return rules != NULL;
}

/* ---- run ---- */

static gboolean
print_samples(struct store *store, const struct rules_hit *hit, GError **error)
{
    for (guint i = 0; i < MIN(hit->messages->len, SAMPLES); i++) {
        g_autoptr(struct_message) row = message_load(store, g_array_index(hit->messages, gint64, i), error);
        if (!row)
            return FALSE;
        g_autofree char *who = text_safe(row->from_name ? row->from_name : row->from_addr ? row->from_addr : "?", -1, TEXT_LINE);
        g_autofree char *cell = width_fit(who, 24), *subject = text_safe(row->subject, -1, TEXT_LINE);
        g_autofree char *line = g_strdup_printf("        %6" G_GINT64_FORMAT "  %s  %s", row->id, cell, subject);
        if (!cli_print(line, error))
            return FALSE;
    }
    return TRUE;
}

static void
note(const char *text, gpointer data G_GNUC_UNUSED)
{
    cli_note("%s", text);
}

static gboolean
print_hits(struct store *store, const GPtrArray *hits, gboolean samples, GError **error)
{
    for (guint i = 0; i < hits->len; i++) {
        const struct rules_hit *hit = hits->pdata[i];
        if (!print_rule(hit->rule, hit->messages->len, error) ||
            (samples && !cli_json && !print_samples(store, hit, error)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
run_them(int argc, char **argv, GError **error)
{
    g_autoptr(GPtrArray) rules = chosen_rules(argc, argv, error);
    struct store *store = rules ? cli_store(dry_run ? STORE_READ : STORE_WRITE, error) : NULL;
    g_autoptr(struct_query) query = query_text && store ? search_parse(query_text, SEARCH_NOTMUCH, NULL, error) : NULL;
    if (!store || (query_text && !query))
        return FALSE;
    struct rules_context context = {.store = store, .config = cli_config(NULL), .rules = rules, .notice = note};
    g_autoptr(GPtrArray) hits = rules_find(&context, query, (guint)CLAMP(limit, 1, G_MAXINT), error);
    gint64 journal = 0;
    if (!hits || (!dry_run && !rules_run(&context, hits, &journal, error)))
        return FALSE;
    if (journal > 0)
        engine_kick();
    return print_hits(store, hits, dry_run, error);
}

/* A rule that is not written yet, over the mail of the last months. */
static gboolean
try_one(int argc, char **argv, GError **error)
{
    if (argc != 2)
        return cli_usage_error(error, _("rules try takes a query and what is to be done, each in quotes"));
    g_autoptr(struct_rule) rule = rule_new(_("(tried)"), argv[0], argv[1], error);
    struct store *store = rule ? cli_store(STORE_READ, error) : NULL;
    if (!store)
        return FALSE;
    g_autofree char *words = g_strdup_printf("date:%dd..", PREVIEW_DAYS);
    g_autoptr(struct_query) query = search_parse(query_text ? query_text : words, SEARCH_NOTMUCH, NULL, error);
    g_autoptr(GPtrArray) rules = g_ptr_array_new();
    g_ptr_array_add(rules, rule);
    struct rules_context context = {.store = store, .rules = rules};
    g_autoptr(GPtrArray) hits = query ? rules_find(&context, query, (guint)CLAMP(limit, 1, G_MAXINT), error) : NULL;
    return hits && print_hits(store, hits, TRUE, error);
}

/* ---- what happened, or would happen, to one message ---- */

static gboolean
print_filing(const struct filing *filing, GError **error)
{
    g_autofree char *when = clock_rfc3339(filing->time, clock_local_zone(filing->time));
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "rule", filing->rule);
        json_string(&json, "time", when);
        json_string(&json, "action", filing->action);
        json_string(&json, "error", filing->error);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *line = g_strdup_printf("%s  %s  %s%s%s", when, filing->rule, filing->action, filing->error ? "  ✘ " : "",
                                            filing->error ? filing->error : "");
    return cli_print(line, error);
}

static gboolean
log_of(int argc, char **argv, GError **error)
{
    struct store *store = cli_store(STORE_READ, error);
    g_autoptr(GArray) ids = store ? rows_lookup(store, argv, argc, error) : NULL;
    for (guint i = 0; ids && i < ids->len; i++) {
        g_autoptr(GPtrArray) done = filing_list(store, g_array_index(ids, gint64, i), error);
        for (guint k = 0; done && k < done->len; k++)
            if (!print_filing(done->pdata[k], error))
                return FALSE;
        if (!done)
            return FALSE;
    }
    return ids != NULL;
}

static gboolean
test(int argc, char **argv, GError **error)
{
    g_autoptr(GPtrArray) rules = chosen_rules(0, NULL, error);
    struct store *store = rules ? cli_store(STORE_READ, error) : NULL;
    g_autoptr(GArray) ids = store ? rows_lookup(store, argv, argc, error) : NULL;
    for (guint i = 0; ids && i < ids->len; i++)
        for (guint k = 0; k < rules->len; k++) {
            g_autoptr(GError) why = NULL;
            const struct rule *rule = rules->pdata[k];
            gboolean fits = rule_matches(store, rule, g_array_index(ids, gint64, i), &why);
            if (why || (fits && !print_rule(rule, -1, &why))) {
                g_propagate_error(error, g_steal_pointer(&why));
                return FALSE;
            }
        }
    return ids != NULL;
}

/* ---- as a script of the server ---- */

#define PATIENCE_MS 90000

/* The engine brings the script to the server, and this waits for its word. */
static gboolean
upload(int argc, GError **error)
{
    const struct account *account = cli_default_account(error);
    if (!account || argc)
        return account ? cli_usage_error(error, _("rules upload takes no arguments; --account chooses the account")) : FALSE;
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, error);
    const char *const accounts[] = {account->name, NULL};
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "accounts", "^as", accounts);
    g_variant_dict_insert(&values, "replace", "b", replace);
    guint id = client ? engine_client_send(client, "sieve", &values, error) : 0;
    return id && cli_await(client, id, PATIENCE_MS, error);
}

static gboolean
print_sieve(int argc, GError **error)
{
    const struct account *account = cli_default_account(error);
    g_autoptr(GPtrArray) rules = account ? chosen_rules(0, NULL, error) : NULL;
    if (!rules || argc)
        return rules ? cli_usage_error(error, _("rules sieve takes no arguments; --account chooses the account")) : FALSE;
    g_autoptr(struct_sieve) sieve = sieve_of_account(rules, account);
    for (guint i = 0; i < sieve->left->len; i++) {
        const struct sieve_left *left = sieve->left->pdata[i];
        cli_note(_("%s stays here: Sieve cannot say %s"), left->rule->name, left->why);
    }
    return cli_print_bytes(sieve->script, strlen(sieve->script), error);
}

static gboolean
run_rules(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    const char *word = argc ? argv[0] : "list";
    if (!strcmp(word, "list") && argc <= 1)
        return list(error);
    if (!strcmp(word, "run"))
        return run_them(argc - 1, argv + 1, error);
    if (!strcmp(word, "try"))
        return try_one(argc - 1, argv + 1, error);
    if (!strcmp(word, "test") && argc > 1)
        return test(argc - 1, argv + 1, error);
    if (!strcmp(word, "log") && argc > 1)
        return log_of(argc - 1, argv + 1, error);
    if (!strcmp(word, "upload"))
        return upload(argc - 1, error);
    if (!strcmp(word, "sieve"))
        return print_sieve(argc - 1, error);
    return cli_usage_error(error, _("rules %s: the words are list, run [NAME…], try QUERY ACTIONS, test ID…, log ID…, sieve, upload"), word);
}

const struct cli_command cmd_rules = {
    "rules",
    "[list|run|try|test|log|sieve|upload] [ARGUMENT…]",
    N_("the rules that file new mail"),
    N_("Rules are sections [rule NAME] of the configuration, with a query and actions: see postrider-config(5). They act on "
       "mail that newly comes into an INBOX, each message once.\n\n"
       "list (the default) shows them. run carries out all, or those named, on what lies in every INBOX or on what --query "
       "finds; \"postrider undo\" takes it back as a whole. try QUERY ACTIONS says what a rule would have done with the mail of "
       "the last 90 days, or with what --query finds. test ID shows which rules a message fits, log ID what they did with it. sieve prints them as a Sieve script for the account's server, and says which "
       "cannot be said in that language; upload brings that script to the server (\"sieve\" in the configuration), which then runs "
       "them also while this machine is off: they are not done twice. A script that is active there and not of our making stays "
       "so without --replace.\n\n"
       "    [rule lists]\n    when = list:dev.example.org\n    then = move Lists/dev; tag +dev; stop"),
    entries,
    WORDS_ANYWHERE,
    run_rules};
