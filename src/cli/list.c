/* list.c - list, search, thread: what is in the store */
#include "config.h"

#include "cli/commands.h"
#include "cli/rows.h"
#include "cli/search_server.h"
#include "base/i18n.h"
#include "base/error.h"
#include "base/paths.h"
#include "engine/client.h"
#include "search/query.h"
#include "store/conversation.h"
#include "store/folder.h"
#include "store/list.h"
#include "store/message.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static gint64 limit = 50;
static gboolean everything, conversations, by_notmuch, snippets, at_server;
static char *only;

static const GOptionEntry list_entries[] = {
    {"limit", 'n', 0, G_OPTION_ARG_INT64, &limit, N_("at most N, newest first (0: all)"), "N"},
    {"only", 'o', 0, G_OPTION_ARG_STRING, &only,
     N_("only what fits: a search, or patterns of mutt's, as at the limit prompt (l)"), "QUERY"},
    {"conversations", 'c', 0, G_OPTION_ARG_NONE, &conversations, N_("one line a conversation"), NULL},
    {NULL},
};

static const GOptionEntry search_entries[] = {
    {"limit", 'n', 0, G_OPTION_ARG_INT64, &limit, N_("at most N, newest first (0: all)"), "N"},
    {"everything", 'e', 0, G_OPTION_ARG_NONE, &everything, N_("also in Trash and Junk"), NULL},
    {"server", 0, 0, G_OPTION_ARG_NONE, &at_server, N_("then ask the servers for mail whose text is not here"), NULL},
    {"snippets", 's', 0, G_OPTION_ARG_NONE, &snippets,
     N_("the text around what was found below each line (on a terminal always)"), NULL},
    {"notmuch", 0, 0, G_OPTION_ARG_NONE, &by_notmuch, N_("ask notmuch's index instead"), NULL},
    {NULL},
};

/* All pages of the view, up to --limit. */
static gboolean
print_view(struct store *store, const struct list_view *view, GError **error)
{
    gint64 left = limit > 0 ? limit : G_MAXINT64, key = 0;
    gboolean below = snippets || isatty(STDOUT_FILENO);
    g_autoptr(struct_hits) hits = view->query && (cli_json || below) ? hits_new(view->query, QUERY_BODY) : NULL;
    while (left > 0) {
        guint want = (guint)MIN(left, 500);
        g_autoptr(GPtrArray) rows = list_page(store, view, key, LIST_OLDER, want, error);
        if (!rows || !rows_print_found(store, rows, hits, below, error))
            return FALSE;
        if (rows->len < want || view->kind == LIST_THREAD)
            break;
        key = ((struct list_row *)rows->pdata[rows->len - 1])->key;
        left -= rows->len;
    }
    return TRUE;
}

/* The folder of that name; of a role's, that of every account unless one is named. */
static GArray *
folders_called(struct store *store, gint64 account, const char *name, GError **error)
{
    const char *plain = *name == '=' || *name == '+' ? name + 1 : name;
    g_autoptr(GArray) ids = account ? NULL : folder_ids_of_role(store, folder_role_from_name(plain));
    if (!ids || !ids->len) {
        gint64 folder = folder_lookup(store, account, name, error);
        if (!folder)
            return NULL;
        if (!ids)
            ids = g_array_new(FALSE, FALSE, sizeof folder);
        g_array_append_val(ids, folder);
    }
    return g_steal_pointer(&ids);
}

static gboolean
run_list(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    gint64 account;
    if (argc > 1)
        return cli_usage_error(error, _("list takes one folder, not %d: a name with spaces is quoted"), argc);
    struct store *store = cli_store(STORE_READ, error);
    if (!store || !cli_account_id(store, &account, error))
        return FALSE;
    g_autoptr(GArray) folders = folders_called(store, account, argc ? argv[0] : "INBOX", error);
    if (!folders)
        return FALSE;
    struct list_view view = {.kind = conversations ? LIST_CONVERSATIONS : LIST_MESSAGES,
                             .folders = (const gint64 *)(gpointer)folders->data,
                             .n_folders = folders->len};
    g_autoptr(struct_query) query = only ? search_parse(only, SEARCH_LIMIT, NULL, error) : NULL;
    if (only && !query)
        return FALSE;
    if (query) {
        view.kind = LIST_SEARCH;
        view.query = query;
        view.everything = TRUE;
    }
    return print_view(store, &view, error);
}

/* notmuch knows messages by their Message-ID; what it finds is printed as the store has it. */
static gboolean
search_notmuch(struct store *store, const char *text, GError **error)
{
    g_autofree char *program = paths_program("postrider-index");
    const char *argv[] = {program, "--notmuch", text, NULL};
    g_autofree char *out = NULL, *err = NULL;
    int status;
    if (!g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &out, &err, &status, error))
        return FALSE;
    if (!g_spawn_check_wait_status(status, NULL)) {
        g_strchomp(err);
        g_set_error(error, CLI_ERROR, ERROR_NOINPUT, "%s", *err ? err : "notmuch could not be asked");
        return FALSE;
    }
    g_auto(GStrv) ids = g_strsplit(out, "\n", -1);
    gint64 printed = 0;
    for (char **id = ids; *id && (limit <= 0 || printed < limit); id++) {
        g_autoptr(GArray) found = **id ? message_find_id(store, *id) : NULL;
        for (guint i = 0; found && i < found->len; i++) {
            gint64 message = g_array_index(found, gint64, i);
            g_autoptr(struct_query) query = query_new_range(QUERY_NUMBER, message, message);
            struct list_view view = {.kind = LIST_SEARCH, .query = query, .everything = TRUE};
            g_autoptr(GPtrArray) rows = list_page(store, &view, 0, LIST_OLDER, 1, error);
            if (!rows || !rows_print(store, rows, error))
                return FALSE;
            printed++;
        }
    }
    return TRUE;
}

static gboolean
run_search(int argc, char **argv, int *exit_code, GError **error)
{
    if (!argc)
        return cli_usage_error(error, _("search for what? for example: postrider search from:ana date:7d.."));
    g_autofree char *text = g_strjoinv(" ", argv);
    struct store *store = cli_store(STORE_READ, error);
    if (!store)
        return FALSE;
    if (by_notmuch)
        return search_notmuch(store, text, error);
    g_autoptr(struct_query) query = search_parse(text, SEARCH_NOTMUCH, NULL, error);
    if (!query)
        return FALSE;
    if (!everything)
        query = search_exclude(g_steal_pointer(&query));
    struct list_view view = {.kind = LIST_SEARCH, .query = query, .everything = TRUE};
    return print_view(store, &view, error) &&
           (!at_server || search_server(store, text, everything, limit, exit_code, error));
}

static char *join_to;
static gboolean break_off, mute, unmute;

static const GOptionEntry thread_entries[] = {
    {"join", 'j', 0, G_OPTION_ARG_STRING, &join_to, N_("the message answers this one, with what hangs below it"), "ID"},
    {"break", 'b', 0, G_OPTION_ARG_NONE, &break_off, N_("the message begins a conversation of its own"), NULL},
    {"mute", 'm', 0, G_OPTION_ARG_NONE, &mute, N_("all of it is read, and what comes in it counts as read"), NULL},
    {"unmute", 'u', 0, G_OPTION_ARG_NONE, &unmute, N_("no longer"), NULL},
    {NULL},
};

static gboolean
shape_thread(const char *word, GError **error)
{
    if (!!join_to + break_off + mute + unmute > 1)
        return cli_usage_error(error, _("one of --join, --break, --mute and --unmute at a time"));
    struct store *store = cli_store(STORE_WRITE, error);
    gint64 id = store ? message_lookup(store, word, error) : 0;
    gint64 parent = id && join_to ? message_lookup(store, join_to, error) : 0;
    if (!id || (join_to && !parent))
        return FALSE;
    gint64 journal = join_to     ? conversation_join(store, &id, 1, parent, error)
                     : break_off ? conversation_break(store, &id, 1, error)
                                 : conversation_mute(store, &id, 1, mute, error);
    if (journal > 0)
        engine_kick();
    return journal != 0;
}

static gboolean
run_thread(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    if (argc != 1)
        return cli_usage_error(error, _("thread takes one ID"));
    if (join_to || break_off || mute || unmute)
        return shape_thread(argv[0], error);
    struct store *store = cli_store(STORE_READ, error);
    gint64 id = store ? message_lookup(store, argv[0], error) : 0;
    g_autoptr(struct_message) message = id ? message_load(store, id, error) : NULL;
    if (!message)
        return FALSE;
    struct list_view view = {.kind = LIST_THREAD, .thread = message->thread, .everything = TRUE};
    limit = 0;
    return print_view(store, &view, error);
}

const struct cli_command cmd_list = {
    "list",
    "[FOLDER]",
    N_("the messages of a folder, newest first"),
    N_("FOLDER is a name (Lists/dev), ACCOUNT/NAME, =NAME as mutt writes it, or a role: inbox, sent, drafts, "
       "junk, trash, archive. "
       "Without one: INBOX. INBOX or a role is that folder of every account, as one list in which a message stands once, "
       "unless --account names one. The marks are N new, * flagged, r replied, f forwarded, d draft, @ attachments."),
    list_entries,
    WORDS_ANYWHERE,
    run_list};
const struct cli_command cmd_search = {"search",
                                       "QUERY",
                                       N_("messages that match, newest first"),
                                       N_("The language is notmuch's; see SEARCHING. A query with quotes or "
                                          "parentheses is best given as one word to the shell.\n\n"
                                          "What is on a server alone (\"keep\" in the configuration) is found here by its "
                                          "sender, subject and date. --server asks the servers for the words of its text, "
                                          "through the engine: parts of words, as they compare letters. What they find "
                                          "comes after what is here; opening it fetches it."),
                                       search_entries,
                                       WORDS_ANYWHERE,
                                       run_search};
const struct cli_command cmd_thread = {
    "thread",
    "ID",
    N_("the conversation of a message, over all folders"),
    N_("With an option it is put right: this is kept by Message-ID, holds for messages that are still to come, and can be "
       "undone. --mute tags the messages \"muted\", a keyword on the server, so that it holds on every device."),
    thread_entries,
    WORDS_ANYWHERE,
    run_thread};
