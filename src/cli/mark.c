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
#include "store/folder.h"
#include "store/intent.h"
#include "store/undo.h"

#include <string.h>

static char *from_name;
static gboolean list_only;
static gint64 undo_id;

static const GOptionEntry from_entries[] = {
    {"from", 'f', 0, G_OPTION_ARG_STRING, &from_name,
     N_("the folder at hand, where a message lies in several"), "FOLDER"},
    {NULL},
};
static const GOptionEntry undo_entries[] = {
    {"list", 'l', 0, G_OPTION_ARG_NONE, &list_only, N_("list what can be undone"), NULL},
    {"id", 0, 0, G_OPTION_ARG_INT64, &undo_id, N_("undo this one of the list"), "N"},
    {NULL},
};

/* The intent is written; let the engine know, and say nothing: scripts expect silence. */
static gboolean
written(gint64 journal)
{
    if (!journal)
        return FALSE;
    if (journal != INTENT_NOTHING)
        engine_kick();
    return TRUE;
}

static gboolean
from_folder(struct store *store, gint64 *folder, GError **error)
{
    gint64 account;
    *folder = 0;
    if (!from_name)
        return TRUE;
    return cli_account_id(store, &account, error) &&
           (*folder = folder_lookup(store, account, from_name, error)) != 0;
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
    struct store *store = ok ? cli_store(STORE_WRITE, error) : NULL;
    g_autoptr(GArray) ids = store ? rows_lookup(store, (char **)words->pdata, (int)words->len, error) : NULL;
    gint64 journal = ids ? intent_mark(store, (const gint64 *)ids->data, ids->len, marks.set, marks.clear,
                                       marks.add, marks.remove, error)
                         : 0;
    g_free(marks.add);
    g_free(marks.remove);
    return written(journal);
}

typedef gint64 (*to_folder)(struct store *store, const gint64 *messages, guint n, gint64 from, gint64 to,
                            GError **error);
typedef gint64 (*from_here)(struct store *store, const gint64 *messages, guint n, gint64 from,
                            GError **error);

static gboolean
into(int argc, char **argv, to_folder act, GError **error)
{
    gint64 account, from, to;
    if (argc < 2)
        return cli_usage_error(error, _("name the messages, then the folder"));
    struct store *store = cli_store(STORE_WRITE, error);
    if (!store || !cli_account_id(store, &account, error) || !from_folder(store, &from, error) ||
        !(to = folder_lookup(store, account, argv[argc - 1], error)))
        return FALSE;
    g_autoptr(GArray) ids = rows_lookup(store, argv, argc - 1, error);
    return ids && written(act(store, (const gint64 *)ids->data, ids->len, from, to, error));
}

static gboolean
away(int argc, char **argv, from_here act, GError **error)
{
    gint64 from;
    struct store *store = cli_store(STORE_WRITE, error);
    if (!store || !from_folder(store, &from, error))
        return FALSE;
    g_autoptr(GArray) ids = rows_lookup(store, argv, argc, error);
    return ids && written(act(store, (const gint64 *)ids->data, ids->len, from, error));
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

static gboolean
print_undoable(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) entries = undo_list(store, 50, FALSE, error);
    for (guint i = 0; entries && i < entries->len; i++) {
        const struct undo_entry *entry = entries->pdata[i];
        g_autofree char *when = clock_rfc3339(entry->time, clock_local_zone(entry->time));
        gboolean ok;
        if (cli_json) {
            struct json json;
            json_init(&json);
            json_object_begin(&json, NULL);
            json_int(&json, "id", entry->id);
            json_string(&json, "time", when);
            json_string(&json, "text", entry->text);
            json_object_end(&json);
            ok = cli_print_json(&json, error);
        } else {
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
    if (!store || !undo(store, undo_id, &text, error))
        return FALSE;
    engine_kick();
    g_autofree char *line = g_strdup_printf("undone: %s", text);
    return cli_json || cli_print(line, error);
}

const struct cli_command cmd_mark = {
    "mark",
    "ID… +TAG -TAG",
    N_("set and clear flags and tags"),
    N_("Flags are spelt as notmuch does: unread flagged replied passed draft deleted. Any other word is a "
       "tag, that is a keyword on "
       "the server and a tag in notmuch. ID \"-\" reads IDs from standard input."),
    NULL,
    TRUE,
    run_mark};
const struct cli_command cmd_move = {
    "move", "ID… FOLDER", N_("move messages to a folder"), NULL, from_entries, FALSE, run_move};
const struct cli_command cmd_copy = {
    "copy", "ID… FOLDER", N_("copy messages to a folder"), NULL, from_entries, FALSE, run_copy};
const struct cli_command cmd_delete = {
    "delete", "ID…",     N_("move messages to the Trash; from the Trash: for good"), NULL, from_entries,
    FALSE,    run_delete};
const struct cli_command cmd_archive = {
    "archive", "ID…", N_("move messages to the Archive"), NULL, from_entries, FALSE, run_archive};
const struct cli_command cmd_undo = {
    "undo", NULL,    N_("take back the last action, also after it reached the server"), NULL, undo_entries,
    FALSE,  run_undo};
