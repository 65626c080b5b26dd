/* block.c - block, allow: senders whose mail is not wanted, or is in any case */
#include "config.h"

#include "cli/commands.h"
#include "cli/rows.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/sender.h"

static gboolean take_back;

static const GOptionEntry entries[] = {
    {"remove", 'r', 0, G_OPTION_ARG_NONE, &take_back, N_("take the word back"), NULL},
    {NULL},
};

static gboolean
print_entry(const struct sender_entry *entry, GError **error)
{
    g_autofree char *what = sender_entry_text(entry);
    g_autofree char *when = clock_rfc3339(entry->time, clock_local_zone(entry->time));
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "sender", what);
        json_string(&json, "word", sender_word_name(entry->word));
        json_string(&json, "time", when);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *line = g_strdup_printf("%-8s %s  %s", sender_word_name(entry->word), when, what);
    return cli_print(line, error);
}

static gboolean
list(enum sender_word word, GError **error)
{
    struct store *store = cli_store(STORE_READ, error);
    g_autoptr(GPtrArray) all = store ? sender_list(store, error) : NULL;
    for (guint i = 0; all && i < all->len; i++) {
        const struct sender_entry *entry = all->pdata[i];
        if (entry->word == word && !print_entry(entry, error))
            return FALSE;
    }
    return all != NULL;
}

static gboolean
set(int argc, char **argv, enum sender_word word, GError **error)
{
    if (!argc && !take_back)
        return list(word, error);
    if (!argc)
        return cli_usage_error(error, _("whose word is to be taken back?"));
    g_autoptr(GPtrArray) parsed = g_ptr_array_new_with_free_func((GDestroyNotify) sender_entry_free);
    for (int i = 0; i < argc; i++) {
        struct sender_entry *entry = sender_entry_parse(argv[i], error);
        if (!entry)
            return FALSE;
        g_ptr_array_add(parsed, entry);
    }
    struct store *store = cli_store(STORE_WRITE, error);
    for (guint i = 0; store && i < parsed->len; i++)
        if (!sender_set(store, parsed->pdata[i], take_back ? SENDER_NOTHING : word, error))
            return FALSE;
    return store != NULL;
}

static gboolean
run_block(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return set(argc, argv, SENDER_BLOCKED, error);
}

static gboolean
run_allow(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    return set(argc, argv, SENDER_ALLOWED, error);
}

const struct cli_command cmd_block = {
    "block",
    "[ADDRESS|@DOMAIN|list:ID…]",
    N_("put away what comes from a sender"),
    N_("New mail of a blocked sender goes to Junk, or to the Trash with \"blocked = trash\" in the configuration. What is here "
       "already stays where it is. Without a word, the blocked senders are listed. @example.org is the domain and what lies "
       "below it, list:ID a mailing list by its List-Id; the closest word holds, so that an address can be allowed within a "
       "blocked domain."),
    entries,
    WORDS_ANYWHERE,
    run_block};
const struct cli_command cmd_allow = {
    "allow",
    "[ADDRESS|@DOMAIN|list:ID…]",
    N_("never take for junk what comes from a sender"),
    N_("Mail that is shown to be forged is not let in by it. Without a word, the allowed senders are listed."),
    entries,
    WORDS_ANYWHERE,
    run_allow};
