/* sync.c - postrider sync: one pass through the engine, with its progress; --watch is the engine itself */
#include "config.h"

#include "cli/commands.h"
#include "base/error.h"
#include "base/record.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "base/text.h"
#include "base/width.h"
#include "cli/planned.h"
#include "cli/rows.h"
#include "config/password.h"
#include "engine/client.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/standing.h"
#include "sync/agree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static gboolean watch, dry_run;
static char *agree_to, *pause_name, *resume_name;

static const GOptionEntry entries[] = {
    {"watch", 'w', 0, G_OPTION_ARG_NONE, &watch,
     N_("be the engine: stay, and keep the store in step (for a systemd unit)"), NULL},
    {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, N_("say what would be done, and do nothing"), NULL},
    {"agree", 0, 0, G_OPTION_ARG_STRING, &agree_to,
     N_("let the pass carry out what it held back in a folder that is paused"), "FOLDER"},
    {"pause", 0, 0, G_OPTION_ARG_STRING, &pause_name,
     N_("let an account rest: no passes, until --resume; outgoing mail goes all the same"), "ACCOUNT"},
    {"resume", 0, 0, G_OPTION_ARG_STRING, &resume_name, N_("let it go on"), "ACCOUNT"},
    {NULL},
};

static gboolean
become_engine(GError **error)
{
    g_autofree char *program = paths_program("postrider-engine");
    execl(program, program, "--watch", NULL);
    error_set_errno(error, CLI_ERROR, errno, "%s", program);
    return FALSE;
}

static void
show_progress(const struct engine_event *event)
{
    if (!isatty(STDERR_FILENO))
        return;
    g_autofree char *account = text_safe(engine_event_string(event, "account"), -1, TEXT_LINE);
    g_autofree char *folder = text_safe(engine_event_string(event, "folder"), -1, TEXT_LINE);
    gint64 done = engine_event_int(event, "done"), total = engine_event_int(event, "total");
    g_autofree char *count =
        total ? g_strdup_printf(" %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, done, total) : g_strdup("");
    g_autofree char *line =
        g_strdup_printf("%s  %s  %s%s", account, folder, engine_event_string(event, "phase"), count);
    g_autofree char *cut = width_cut(line, rows_width() - 1);
    fprintf(stderr, "\r\033[K%s", cut);
}

static void
end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

/* One line for a person. */
static gboolean
show_notice(const struct engine_event *event, GError **error)
{
    struct json json;
    end_progress();
    if (!cli_json) {
        cli_note("%s: %s", engine_event_string(event, "account"), engine_event_string(event, "text"));
        return TRUE;
    }
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "account", engine_event_string(event, "account"));
    json_string(&json, "notice", engine_event_string(event, "text"));
    json_object_end(&json);
    return cli_print_json(&json, error);
}

/* How the pass went, for programs. */
static gboolean
print_outcome(gboolean ok, int code, const char *text, GError **error)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_bool(&json, "ok", ok);
    json_int(&json, "code", code);
    json_string(&json, "text", *text ? text : NULL);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

/* FALSE when there is nobody to ask. */
static gboolean
answer_password(struct engine_client *client, const struct engine_event *event, GError **error)
{
    const char *account = engine_event_string(event, "account");
    static gboolean again;
    g_autofree char *prompt = g_strdup_printf("Password of %s:", account);
    end_progress();
    if (again)
        cli_note("%s", engine_event_string(event, "text"));
    again = TRUE;
    char *secret = cli_ask(prompt, TRUE);
    if (!secret) {
        g_set_error(error, CLI_ERROR, ERROR_AUTH,
                    _("the password of %s has to be asked for, and there is no terminal: set \"password = "
                      "command …\" in the configuration"),
                    account);
        return FALSE;
    }
    gboolean ok = engine_client_password(client, account, secret, error);
    password_free(secret);
    return ok;
}

static guint
ask_sync(struct engine_client *client, const GPtrArray *names, GError **error)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "accounts", "^as", (const char *const *)names->pdata);
    g_variant_dict_insert(&values, "dry-run", "b", dry_run);
    return engine_client_send(client, "sync", &values, error);
}

/* Until the request is answered; asked again after a password was given. */
static gboolean
follow(struct engine_client *client, const GPtrArray *names, int *exit_code, GError **error)
{
    guint request = ask_sync(client, names, error);
    g_autoptr(struct_planned) planned = planned_new();
    gboolean answered = FALSE;
    while (request) {
        g_autoptr(struct_engine_event) event = engine_client_wait(client, -1, error);
        if (!event)
            return FALSE;
        if (!strcmp(event->verb, "progress")) {
            show_progress(event);
        } else if (!strcmp(event->verb, "notice")) {
            if (!show_notice(event, error))
                return FALSE;
        } else if (!strcmp(event->verb, "planned") && dry_run) {
            end_progress();
            if (!planned_take(planned, event, error))
                return FALSE;
        } else if (!strcmp(event->verb, "need-password")) {
            if (!answer_password(client, event, error))
                return FALSE;
            answered = TRUE;
        } else if (!strcmp(event->verb, "done") && event->id == request) {
            end_progress();
            if (answered && engine_event_int(event, "code") == EX_NOPERM) {
                answered = FALSE; /* the pass that asked ended with the question */
                request = ask_sync(client, names, error);
                continue;
            }
            const char *text = engine_event_string(event, "text");
            if (dry_run && engine_event_bool(event, "ok") && !planned_finish(planned, error))
                return FALSE;
            gboolean ok = engine_event_bool(event, "ok");
            *exit_code = ok && *text ? 0 : (int)engine_event_int(event, "code");
            if (cli_json && !dry_run && !print_outcome(ok, *exit_code, text, error))
                return FALSE;
            if (*text && !ok)
                cli_note("%s", text);
            return !*text || !ok || cli_json || cli_print(text, error);
        }
    }
    return FALSE;
}

/* A pass that would remove much has paused the folder (sync/agree.h): the user has looked, and lets it go on.
 */
static gboolean
agree(GError **error)
{
    struct store *store = cli_store(STORE_WRITE, error);
    gint64 account, folder = 0;
    return store && cli_account_id(store, &account, error) &&
           (folder = folder_lookup(store, account, agree_to, error)) != 0 && sync_agree(store, folder, error);
}

/* In the store, which is what counts; a running engine is told. */
static gboolean
pause_account(const struct config *config, const char *name, gboolean paused, GError **error)
{
    struct store *store = config_account(config, name, error) ? cli_store(STORE_WRITE, error) : NULL;
    gint64 account = store ? store_account_find(store, name) : 0;
    if (store && !account)
        g_set_error(error, CLI_ERROR, ERROR_NOINPUT, _("%s was never looked at: there is nothing to pause"), name);
    if (!account || !account_set_paused(store, account, paused, error))
        return FALSE;
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_RUNNING, FALSE, NULL);
    return !client || engine_client_pause(client, name, paused, error);
}

static gboolean
run_sync(int argc, char **argv, int *exit_code, GError **error)
{
    const struct config *config = cli_config(error);
    if (!config)
        return FALSE;
    if (watch)
        return argc || dry_run || agree_to || pause_name || resume_name
                   ? cli_usage_error(error, _("--watch is for all accounts, and alone"))
                   : become_engine(error);
    if (pause_name || resume_name)
        return (!pause_name || pause_account(config, pause_name, TRUE, error)) &&
               (!resume_name || pause_account(config, resume_name, FALSE, error));
    if (agree_to && !agree(error))
        return FALSE;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (int i = 0; i < argc; i++)
        g_ptr_array_add(names, argv[i]);
    if (cli_account)
        g_ptr_array_add(names, cli_account);
    for (guint i = 0; i < names->len; i++)
        if (!config_account(config, names->pdata[i], error))
            return FALSE;
    if (!config_account(config, NULL, error))
        return FALSE;
    g_ptr_array_add(names, NULL);
    /* An engine that was just ending answers nobody: the next one does. */
    for (gboolean again = TRUE;; again = FALSE) {
        g_autoptr(GError) why = NULL;
        g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, &why);
        if (client && follow(client, names, exit_code, &why))
            return TRUE;
        if (!again || !g_error_matches(why, RECORD_ERROR, ERROR_IO)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
}

const struct cli_command cmd_sync = {
    "sync",
    "[ACCOUNT…]",
    N_("bring store and servers into step, once; --watch: always"),
    N_("One pass through the engine, which is started when none runs. The screen keeps one running by "
       "itself; the systemd user unit "
       "postrider.service runs \"postrider sync --watch\".\n\n"
       "A pass that would remove more than 50 messages and more than a fifth of a folder, here or on the "
       "server, leaves the folder alone and "
       "says so; --agree FOLDER is the answer when that is what you want. It holds for one pass.\n\n"
       "--pause ACCOUNT lets an account rest, over restarts too: it is passed over with a word and exit status 75 until --resume; "
       "what is written leaves all the same, and a text that is opened is fetched.\n\n"
       "With --json: account and notice for each remark, and at the end one object with ok, code (the exit status) and text.\n\n"
       "--dry-run asks the server and prints a line for each thing that a pass would do, with the folder, the direction (in: the "
       "store changes; out: the server) and the number of messages, and the sums. With --json: account, folder, direction, "
       "action, count (0 when it is about the folder itself, or known only when the messages are listed), text; the last object "
       "has actions, in and out. What other programs did to the files since the last pass is not looked at, and a message that "
       "somebody moved on the server counts as one that goes and one that comes."),
    entries,
    WORDS_ANYWHERE,
    run_sync};
