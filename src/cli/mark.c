/* mark.c - mark, move, copy, delete, archive, undo: what becomes an intent, shown at once and carried out by
 * the engine */
#include "config.h"

#include "cli/commands.h"
#include "cli/rows.h"
#include "base/i18n.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/flags.h"
#include "engine/client.h"
#include "search/query.h"
#include "store/bulk.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/query.h"
#include "store/undo.h"

#include <string.h>
#include <unistd.h>

static char *from_name, *query_text;
static gboolean list_only, dry_run, wait_for_all;
static gint64 undo_id;

#define QUERY_ENTRIES                                                                                        \
    {"query", 'q', 0, G_OPTION_ARG_STRING, &query_text, N_("all messages that match, instead of IDs"), "QUERY"}, \
    {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, N_("only say how many there are"), NULL},               \
    {"wait", 'w', 0, G_OPTION_ARG_NONE, &wait_for_all, N_("until all of them are done here"), NULL}

static const GOptionEntry mark_entries[] = {QUERY_ENTRIES, {NULL}};
static const GOptionEntry from_entries[] = {
    {"from", 'f', 0, G_OPTION_ARG_STRING, &from_name,
     N_("the folder at hand, where a message lies in several"), "FOLDER"},
    QUERY_ENTRIES,
    {NULL},
};
static const GOptionEntry undo_entries[] = {
    {"list", 'l', 0, G_OPTION_ARG_NONE, &list_only, N_("list what can be undone"), NULL},
    {"id", 0, 0, G_OPTION_ARG_INT64, &undo_id, N_("undo this one of the list"), "N"},
    {"wait", 'w', 0, G_OPTION_ARG_NONE, &wait_for_all, N_("until all of it is taken back here"), NULL},
    {NULL},
};

/* What can be undone. Of what was just done, also how many messages it was about. */
static gboolean
print_entry_json(const struct undo_entry *entry, const guint *count, GError **error)
{
    g_autofree char *when = entry ? clock_rfc3339(entry->time, clock_local_zone(entry->time)) : NULL;
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    entry ? json_int(&json, "id", entry->id) : json_null(&json, "id");
    json_string(&json, "time", when);
    json_string(&json, "text", entry ? entry->text : NULL);
    if (count)
        json_int(&json, "count", *count);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

/* The entry of the journal; without a number the newest. NULL: there is none. */
static struct undo_entry *
find_entry(struct store *store, gint64 id)
{
    g_autoptr(GPtrArray) entries = undo_list(store, id ? 50 : 1, FALSE, NULL);
    for (guint i = 0; entries && i < entries->len; i++)
        if (!id || ((struct undo_entry *)entries->pdata[i])->id == id)
            return g_ptr_array_steal_index(entries, i);
    return NULL;
}

/* The intent is written; let the engine know. What is too much for one short transaction is left to the engine, or
 * done here when there is none. */
static gboolean
hand_over(struct store *store, GError **error)
{
    gboolean heard = engine_kick();
    if (!bulk_is_pending(store, 0))
        return TRUE;
    const struct config *config = cli_config(NULL);
    if (heard && !wait_for_all && config && config->accounts->len) {
        if (isatty(STDERR_FILENO))
            cli_note(_("written down: it is being carried out, and \"postrider undo\" takes it back"));
        return TRUE;
    }
    return bulk_finish(store, NULL, NULL, error);
}

/* Says nothing, as scripts expect; to programs it tells what can be undone. */
static gboolean
written(struct store *store, gint64 journal, guint count, GError **error)
{
    if (!journal)
        return FALSE;
    gboolean nothing = journal == INTENT_NOTHING;
    g_autoptr(struct_undo_entry) entry = cli_json && !nothing ? find_entry(store, journal) : NULL;
    return (nothing || hand_over(store, error)) && (!cli_json || print_entry_json(entry, &count, error));
}

/* ---- which messages ---- */

struct chosen {
    GArray *ids;
    gint64 from; /* the folder at hand, 0: none */
};

static void
chosen_clear(struct chosen *chosen)
{
    g_clear_pointer(&chosen->ids, g_array_unref);
}
typedef struct chosen struct_chosen;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_chosen, chosen_clear)

/* A search in one folder means what lies there. */
static gint64
folder_of(struct store *store, gint64 account, const struct query *query)
{
    if (query->kind == QUERY_FOLDER && query->match == QUERY_WORDS)
        return folder_lookup(store, account, query->text, NULL);
    gint64 found = 0;
    for (guint i = 0; query->kind == QUERY_AND && i < query->children->len && !found; i++)
        found = folder_of(store, account, query->children->pdata[i]);
    return found;
}

static gboolean
choose_found(struct store *store, gint64 account, struct chosen *chosen, GError **error)
{
    g_autoptr(struct_query) query = search_parse(query_text, SEARCH_NOTMUCH, NULL, error);
    if (!query)
        return FALSE;
    if (!chosen->from)
        chosen->from = folder_of(store, account, query);
    if (cli_account)
        query = query_new_pair(QUERY_AND, query_new_word(QUERY_ACCOUNT, cli_account), g_steal_pointer(&query));
    query = search_exclude(g_steal_pointer(&query));
    const struct query_options options = {.everything = TRUE, .limit = G_MAXINT};
    g_autoptr(GArray) hits = store_search(store, query, &options, error);
    chosen->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; hits && i < hits->len; i++)
        g_array_append_val(chosen->ids, g_array_index(hits, struct query_hit, i).message);
    return hits != NULL;
}

/* The messages of the words or of --query. */
static struct store *
choose(char **words, int n, struct chosen *chosen, GError **error)
{
    gint64 account;
    struct store *store = NULL;
    if (query_text && n)
        cli_usage_error(error, _("name messages or give --query, not both"));
    else
        store = cli_store(dry_run ? STORE_READ : STORE_WRITE, error);
    if (!store || !cli_account_id(store, &account, error) ||
        (from_name && !(chosen->from = folder_lookup(store, account, from_name, error))))
        return NULL;
    if (query_text)
        return choose_found(store, account, chosen, error) ? store : NULL;
    chosen->ids = rows_lookup(store, words, n, error);
    return chosen->ids ? store : NULL;
}

/* Nothing to be done for them: there are none, or only their number was asked for. */
static gboolean
only_count(const struct chosen *chosen, gboolean *ok, GError **error)
{
    const guint none = 0;
    *ok = TRUE;
    if (!dry_run && chosen->ids->len)
        return FALSE;
    if (!dry_run) {
        *ok = !cli_json || print_entry_json(NULL, &none, error);
        return TRUE;
    }
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_int(&json, "count", chosen->ids->len);
        json_object_end(&json);
        *ok = cli_print_json(&json, error);
    } else {
        g_autofree char *line =
            g_strdup_printf(P_("%u message", "%u messages", chosen->ids->len), chosen->ids->len);
        *ok = cli_print(line, error);
    }
    return TRUE;
}

struct marks {
    guint set, clear;
    char *add, *remove;
};

/* "+flagged", "-unread", "+work" … */
static gboolean
take_mark(struct marks *marks, const char *word, GError **error)
{
    gboolean plus = *word == '+', reverse;
    guint bit;
    const char *name = word + 1;
    if (flags_from_word(name, &bit, &reverse)) {
        *(plus != reverse ? &marks->set : &marks->clear) |= bit;
        return TRUE;
    }
    if (!tag_is_valid(name)) {
        g_set_error(error, CLI_ERROR, ERROR_INPUT,
                    _("\"%s\" cannot be a tag: a tag is one word without spaces, quotes or backslashes"),
                    name);
        return FALSE;
    }
    char **set = plus ? &marks->add : &marks->remove;
    char *more = tags_add(*set, name);
    g_free(*set);
    *set = more;
    return TRUE;
}

static gboolean
run_mark(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    struct marks marks = {0, 0, g_strdup(""), g_strdup("")};
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    gboolean ok = TRUE;
    guint changes = 0;
    for (int i = 0; ok && i < argc; i++) {
        gboolean change = (*argv[i] == '+' || *argv[i] == '-') && argv[i][1];
        if (change)
            ok = take_mark(&marks, argv[i], error);
        else
            g_ptr_array_add(words, argv[i]);
        changes += change;
    }
    if (ok && !changes)
        ok = cli_usage_error(error,
                             _("no change is named: for example postrider mark 17 +flagged -unread +work"));
    g_auto(struct_chosen) chosen = {0};
    struct store *store = ok ? choose((char **)words->pdata, (int)words->len, &chosen, error) : NULL;
    if (store && !only_count(&chosen, &ok, error))
        ok = written(store,
                     intent_mark(store, (const gint64 *)chosen.ids->data, chosen.ids->len, marks.set, marks.clear,
                                 marks.add, marks.remove, error),
                     chosen.ids->len, error);
    g_free(marks.add);
    g_free(marks.remove);
    return store && ok;
}

typedef gint64 (*to_folder)(struct store *store, const gint64 *messages, guint n, gint64 from, gint64 to,
                            GError **error);
typedef gint64 (*from_here)(struct store *store, const gint64 *messages, guint n, gint64 from,
                            GError **error);

static gboolean
into(int argc, char **argv, to_folder act, GError **error)
{
    g_auto(struct_chosen) chosen = {0};
    gint64 account, to;
    gboolean ok;
    if (argc < (query_text ? 1 : 2))
        return cli_usage_error(error, _("name the messages, then the folder"));
    struct store *store = choose(argv, argc - 1, &chosen, error);
    if (!store || !cli_account_id(store, &account, error) ||
        !(to = folder_lookup(store, account, argv[argc - 1], error)))
        return FALSE;
    return only_count(&chosen, &ok, error)
               ? ok
               : written(store, act(store, (const gint64 *)chosen.ids->data, chosen.ids->len, chosen.from, to, error),
                         chosen.ids->len, error);
}

static gboolean
away(int argc, char **argv, from_here act, GError **error)
{
    g_auto(struct_chosen) chosen = {0};
    gboolean ok;
    struct store *store = choose(argv, argc, &chosen, error);
    if (!store)
        return FALSE;
    return only_count(&chosen, &ok, error)
               ? ok
               : written(store, act(store, (const gint64 *)chosen.ids->data, chosen.ids->len, chosen.from, error),
                         chosen.ids->len, error);
}

static gboolean
run_move(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return into(argc, argv, intent_move, error);
}

static gboolean
run_copy(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return into(argc, argv, intent_copy, error);
}

static gboolean
run_delete(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return away(argc, argv, intent_delete, error);
}

static gboolean
run_archive(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return away(argc, argv, intent_archive, error);
}

static gint64
to_junk(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error)
{
    return intent_junk(store, messages, n, from, TRUE, error);
}

static gint64
from_junk(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error)
{
    return intent_junk(store, messages, n, from, FALSE, error);
}

static gboolean
run_junk(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return away(argc, argv, to_junk, error);
}

static gboolean
run_notjunk(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return away(argc, argv, from_junk, error);
}

static gboolean
print_undoable(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) entries = undo_list(store, 50, FALSE, error);
    for (guint i = 0; entries && i < entries->len; i++) {
        const struct undo_entry *entry = entries->pdata[i];
        gboolean ok;
        if (cli_json) {
            ok = print_entry_json(entry, NULL, error);
        } else {
            g_autofree char *when = clock_rfc3339(entry->time, clock_local_zone(entry->time));
            g_autofree char *line =
                g_strdup_printf("%6" G_GINT64_FORMAT "  %s  %s", entry->id, when, entry->text);
            ok = cli_print(line, error);
        }
        if (!ok)
            return FALSE;
    }
    return entries != NULL;
}

static gboolean
run_undo(int argc, char **argv G_GNUC_UNUSED, int *exit_code G_GNUC_UNUSED, GError **error)
{
    g_autofree char *text = NULL;
    if (argc)
        return cli_usage_error(
            error, _("undo takes no arguments: --list shows what can be undone, --id N picks one"));
    if (list_only) {
        struct store *store = cli_store(STORE_READ, error);
        return store && print_undoable(store, error);
    }
    struct store *store = cli_store(STORE_WRITE, error);
    g_autoptr(struct_undo_entry) entry = store ? find_entry(store, undo_id) : NULL;
    if (!store || !undo(store, undo_id, &text, error) || !hand_over(store, error))
        return FALSE;
    if (cli_json)
        return print_entry_json(entry, NULL, error);
    g_autofree char *line = g_strdup_printf(_("undone: %s"), text);
    return cli_print(line, error);
}

static const char many_text[] =
    N_("With --query all messages that match are meant (Trash and Junk apart, unless they are named), however many; when "
       "it names one folder, what lies there. More than 500 are written down as one action, at once, and are carried out "
       "by the engine from then on, the newest first; \"postrider undo\" takes the whole back at any time.\n\n"
       "With --json it prints what \"undo --list\" would, and count, the number of messages.");

const struct cli_command cmd_mark = {
    "mark",
    "ID…|--query QUERY +TAG -TAG",
    N_("set and clear flags and tags"),
    N_("Flags are spelt as notmuch does: unread flagged replied passed draft deleted. Any other word is a "
       "tag, that is a keyword on "
       "the server and a tag in notmuch. ID \"-\" reads IDs from standard input. Long options may stand anywhere, short "
       "ones before the first ID: -n alone is an option, -news takes the tag away.\n\n"
       "With --json it prints what \"undo --list\" would, and count, the number of messages."),
    mark_entries,
    WORDS_DASHED,
    run_mark};
const struct cli_command cmd_move = {
    "move", "ID…|--query QUERY FOLDER", N_("move messages to a folder"), many_text, from_entries, WORDS_ANYWHERE, run_move};
const struct cli_command cmd_copy = {
    "copy", "ID…|--query QUERY FOLDER", N_("copy messages to a folder"), many_text, from_entries, WORDS_ANYWHERE, run_copy};
const struct cli_command cmd_delete = {
    "delete", "ID…|--query QUERY", N_("move messages to the Trash; from the Trash: for good"),
    many_text, from_entries,       WORDS_ANYWHERE,
    run_delete};
const struct cli_command cmd_archive = {
    "archive", "ID…|--query QUERY", N_("move messages to the Archive"), many_text, from_entries, WORDS_ANYWHERE, run_archive};
const struct cli_command cmd_junk = {
    "junk", "ID…|--query QUERY", N_("this is junk: to the Junk folder, and a lesson for the filter"), many_text, from_entries, WORDS_ANYWHERE, run_junk};
const struct cli_command cmd_notjunk = {
    "notjunk", "ID…|--query QUERY", N_("this is not junk: out of the Junk folder, and a lesson for the filter"), many_text, from_entries, WORDS_ANYWHERE,
    run_notjunk};
const struct cli_command cmd_undo = {
    "undo", NULL,    N_("take back the last action, also after it reached the server"), NULL, undo_entries,
    WORDS_ANYWHERE,  run_undo};
