/* doctor.c - postrider doctor: what is wrong with configuration, programs, store and index, and what mends it
 */
#include "config.h"

#include "cli/commands.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "base/text.h"
#include "config/keep.h"
#include "engine/client.h"
#include "mail/reader.h"
#include "store/account.h"
#include "store/changes.h"
#include "store/folder.h"
#include "store/outbox.h"
#include "store/quota.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_LIMIT_MS (30 * 1000)

static gboolean repair, rebuild, offline, reindex;

static const GOptionEntry entries[] = {
    {"repair", 0, 0, G_OPTION_ARG_NONE, &repair,
     N_("recompute what the store derives (counters, conversations)"), NULL},
    {"rebuild", 0, 0, G_OPTION_ARG_NONE, &rebuild,
     N_("put a damaged database aside and make a new one from the mail files and the server"), NULL},
    {"reindex", 0, 0, G_OPTION_ARG_NONE, &reindex,
     N_("try again the messages that were left out of notmuch's index"), NULL},
    {"offline", 0, 0, G_OPTION_ARG_NONE, &offline, N_("do not ask the servers"), NULL},
    {NULL},
};

static guint problems;

/* One finding; `remedy` NULL: all is well. */
static gboolean
tell(const char *what, const char *finding, const char *remedy, GError **error)
{
    problems += remedy != NULL;
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "what", what);
        json_bool(&json, "ok", remedy == NULL);
        json_string(&json, "finding", finding);
        json_string(&json, "remedy", remedy);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *safe = text_safe(finding, -1, TEXT_LINE);
    g_autofree char *line = g_strdup_printf("%s %-14s %s%s%s", remedy ? "!!" : "ok", what, safe,
                                            remedy && *remedy ? ": " : "", remedy ? remedy : "");
    return cli_print(line, error);
}

/* A rule for a folder that is not there is a slip of the pen more often than a wish for later. */
static gboolean
check_policies(const struct account *account, GError **error)
{
    struct store *store = account->keep_folders ? cli_store(STORE_READ, NULL) : NULL;
    gint64 id = store ? store_account_find(store, account->name) : 0;
    g_autoptr(GPtrArray) folders = id ? folder_list(store, id, TRUE, error) : NULL;
    if (id && !folders)
        return FALSE;
    for (guint i = 0; folders && folders->len && i < account->keep_folders->len; i++) {
        const struct keep *keep = &g_array_index(account->keep_folders, struct keep, i);
        gboolean any = FALSE;
        for (guint k = 0; k < folders->len && !any; k++)
            any = keep_fits(keep, ((const struct folder *)folders->pdata[k])->name);
        g_autofree char *key = g_strdup_printf("%s: keep.%s", account->name, keep->folder);
        if (!any && !tell("account", key, "no folder is called so: \"postrider folders\" has the names", error))
            return FALSE;
    }
    return TRUE;
}

/* How full the account's mailbox is, where its server says so. */
static gboolean
check_quotas(const struct account *account, GError **error)
{
    struct store *store = cli_store(STORE_READ, NULL);
    gint64 id = store ? store_account_find(store, account->name) : 0;
    g_autoptr(GPtrArray) quotas = id ? quota_list(store, id, error) : NULL;
    if (id && !quotas)
        return FALSE;
    for (guint i = 0; quotas && i < quotas->len; i++) {
        const struct quota *quota = quotas->pdata[i];
        g_autofree char *text = quota_text(quota), *line = g_strdup_printf("%s: the server keeps %s", account->name, text);
        if (!tell("mailbox", line,
                  quota_percent(quota) < QUOTA_WARN ? NULL : "it fills: delete what is not needed, and empty Trash and Junk", error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_config(GError **error)
{
    g_autoptr(GError) local = NULL;
    const struct config *config = cli_config(&local);
    if (!config)
        return tell("configuration", local->message, "", error);
    if (!config->accounts->len)
        return tell("configuration", "no account", "add one with \"postrider setup\"", error);
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        g_autofree char *text =
            g_strdup_printf("%s: %s, in %s, out %s", account->name, account->address, account->incoming_url,
                            account->outgoing_url ? account->outgoing_url : "(cannot send)");
        if (!tell("account", text, NULL, error))
            return FALSE;
        g_autofree char *ca = account->tls_ca ? paths_expand(account->tls_ca) : NULL;
        if (ca && access(ca, R_OK) != 0 && !tell("account", ca, "this file of tls-ca cannot be read", error))
            return FALSE;
        if (!check_policies(account, error) || !check_quotas(account, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_programs(GError **error)
{
    static const char *const names[] = {"postrider-engine", "postrider-worker", "postrider-index",
                                        "postrider-reader", "postrider-http"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = paths_program(names[i]);
        if (!tell("program", path,
                  access(path, X_OK) == 0 ? NULL : "it is missing: install postrider again (make install)",
                  error))
            return FALSE;
    }
    static const char mail[] = "From: a@b.example\nSubject: =?utf-8?q?=C3=BC?=\n\nx\n";
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new_static(mail, sizeof mail - 1);
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(struct_document) document = reader_parse(reader, bytes, READER_TEXT, &local);
    return document ? tell("reader", "confined, and reads mail", NULL, error)
                    : tell("reader", local->message, "messages cannot be shown", error);
}

static gboolean
check_engine(GError **error)
{
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_RUNNING, FALSE, NULL);
    return tell("engine", client ? "running" : "not running: it is started when it is needed", NULL, error);
}

/* Logs in and asks what a pass would do, through the engine: only that talks to servers. */
static gboolean
check_server(const struct account *account, GError **error)
{
    const char *const names[] = {account->name, NULL};
    g_autoptr(GError) local = NULL;
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, &local);
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "accounts", "^as", names);
    g_variant_dict_insert(&values, "dry-run", "b", TRUE);
    guint request = client ? engine_client_send(client, "sync", &values, &local) : 0;
    if (!request || !cli_await(client, request, ANSWER_LIMIT_MS, &local))
        return tell("server", local->message, "", error);
    g_autofree char *text = g_strdup_printf("%s: answers, and takes the password", account->name);
    return tell("server", text, NULL, error);
}

static gboolean
check_servers(GError **error)
{
    const struct config *config = offline ? NULL : cli_config(NULL);
    for (guint i = 0; config && i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        if (account->incoming && !check_server(account, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_store(GError **error)
{
    g_autoptr(GError) local = NULL;
    /* A wrong configuration was told of already. */
    g_autoptr(struct_store) store = store_open(NULL, repair ? STORE_WRITE : STORE_READ, &local);
    if (!store && g_error_matches(local, STORE_ERROR, ERROR_NOINPUT))
        return tell("store", "there is none yet", NULL, error);
    if (!store)
        return tell("store", local->message, "", error);
    if (repair && !store_repair(store, error))
        return FALSE;
    g_autoptr(GPtrArray) found = store_check(store, &local);
    if (!found)
        return tell("store", local->message,
                    "postrider doctor --rebuild", error);
    for (guint i = 0; i < found->len; i++)
        if (!tell("store", found->pdata[i], "postrider doctor --repair", error))
            return FALSE;
    if (!found->len && !tell("store", store_dir(store), NULL, error))
        return FALSE;
    struct stat st;
    if (stat(store_dir(store), &st) == 0 && st.st_mode & 077 &&
        !tell("store", store_dir(store), "others can look into it: chmod 700", error))
        return FALSE;
    gint64 waiting = outbox_count(store);
    g_autofree char *text =
        g_strdup_printf("%" G_GINT64_FORMAT " message%s waiting", waiting, waiting == 1 ? "" : "s");
    return tell("outbox", text, NULL, error);
}

#define SKIPPED_TOLD 20

/* What killed notmuch's indexer, or kept it for too long. */
static gboolean
check_index(GError **error)
{
    g_autoptr(struct_store) store = store_open(NULL, reindex ? STORE_WRITE : STORE_READ, NULL);
    if (!store) /* that was told of */
        return TRUE;
    if (reindex) {
        if (!index_skip_clear(store, error))
            return FALSE;
        engine_kick();
    }
    g_autoptr(GPtrArray) list = index_skip_list(store, error);
    for (guint i = 0; list && i < list->len && i < SKIPPED_TOLD; i++) {
        const struct index_skipped *skipped = list->pdata[i];
        g_autofree char *text =
            g_strdup_printf("message %" G_GINT64_FORMAT " is not in it: %s", skipped->message, skipped->reason);
        if (!tell("notmuch index", text, "postrider doctor --reindex tries it again", error))
            return FALSE;
    }
    if (list && list->len > SKIPPED_TOLD) {
        g_autofree char *text = g_strdup_printf("%u more messages", list->len - SKIPPED_TOLD);
        return tell("notmuch index", text, "postrider doctor --reindex tries them again", error);
    }
    return list && (list->len || tell("notmuch index", "no message was left out", NULL, error));
}

/* The engine ends first: it has the store open. */
static gboolean
stop_engine(GError **error)
{
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_RUNNING, FALSE, NULL);
    if (!client)
        return TRUE;
    engine_client_send(client, "stop", NULL, error);
    for (int waited = 0; waited < 100; waited++) {
        g_autoptr(struct_engine_client) again = engine_client_new(ENGINE_RUNNING, FALSE, NULL);
        if (!again)
            return TRUE;
        g_usleep(100000);
    }
    g_set_error(error, STORE_ERROR, ERROR_BUSY, "the engine does not end: end \"postrider sync --watch\" and try again");
    return FALSE;
}

static gboolean
run_rebuild(GError **error)
{
    g_autofree char *aside = NULL;
    guint unread = 0;
    if (!stop_engine(error) || !store_rebuild(NULL, &aside, &unread, error))
        return FALSE;
    g_autofree char *text =
        g_strdup_printf("made anew, the old database lies in %s; \"postrider sync\" fills it, no mail file is touched", aside);
    if (!tell("store", text, NULL, error))
        return FALSE;
    if (!unread)
        return TRUE;
    g_autofree char *queue =
        g_strdup_printf("%u message%s of the queue could not be read from it: see %s/outbox", unread, unread == 1 ? "" : "s",
                        aside);
    return tell("outbox", queue, "look whether they were sent", error);
}

static gboolean
run_doctor(int argc, char **argv G_GNUC_UNUSED, int *exit_code, GError **error)
{
    if (argc)
        return cli_usage_error(error, _("doctor takes no arguments"));
    if (rebuild && !run_rebuild(error))
        return FALSE;
    if (!check_config(error) || !check_programs(error) || !check_engine(error) || !check_servers(error) ||
        !check_store(error) || !check_index(error))
        return FALSE;
    *exit_code = problems ? 1 : 0;
    return TRUE;
}

const struct cli_command cmd_doctor = {"doctor",
                                       NULL,
                                       N_("check configuration, servers, programs and store; say what to mend"),
                                       N_("Exit status 1 when something has to be mended."),
                                       entries,
                                       WORDS_ANYWHERE,
                                       run_doctor};
