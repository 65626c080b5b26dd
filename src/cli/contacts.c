/* contacts.c - postrider contacts: people, for completion in other programs (mutt's query_command, vim, …) */
#include "config.h"

#include "cli/commands.h"
#include "base/i18n.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/contact.h"

#include <string.h>

static gint limit = 50;

static const GOptionEntry entries[] = {
    {"limit", 'n', 0, G_OPTION_ARG_INT, &limit, N_("at most N, best first"), "N"},
    {NULL},
};

static gboolean
print_contact(const struct contact *contact, GError **error)
{
    if (cli_json) {
        struct json json;
        g_autofree char *last = contact->last ? clock_rfc3339(contact->last, 0) : NULL;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "name", contact->name);
        json_string(&json, "address", contact->addr);
        json_int(&json, "sent", contact->sent);
        json_int(&json, "received", contact->received);
        json_string(&json, "last", last);
        json_string(&json, "bounced", contact->bounced ? contact->bounce : NULL);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *addr = text_safe(contact->addr, -1, TEXT_LINE);
    g_autofree char *name = text_safe(contact->name, -1, TEXT_LINE);
    guint count = contact->sent + contact->received;
    g_autofree char *line =
        g_strdup_printf("%s\t%s\t%u message%s%s", addr, name, count, count == 1 ? "" : "s",
                        contact->bounced ? ", mail to it bounced" : "");
    return cli_print(line, error);
}

static gboolean
run_contacts(int argc, char **argv, int *exit_code, GError **error)
{
    g_autofree char *text = g_strjoinv(" ", argv);
    struct store *store = cli_store(STORE_READ, error);
    g_autoptr(GPtrArray) found =
        store ? contact_complete(store, argc ? text : "", (guint)MAX(limit, 0), error) : NULL;
    for (guint i = 0; found && i < found->len; i++)
        if (!print_contact(found->pdata[i], error))
            return FALSE;
    if (found && !found->len)
        *exit_code = 1;
    return found != NULL;
}

const struct cli_command cmd_contacts = {
    "contacts",
    "[TEXT]",
    N_("people whose name or address begins so"),
    N_("One a line: address, name and use, with tabs between, best first. As mutt's query_command: postrider "
       "contacts %s. Exit status 1 when "
       "nobody is found."),
    entries,
    WORDS_ANYWHERE,
    run_contacts};
