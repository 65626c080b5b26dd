/* unsubscribe.c - postrider unsubscribe: off a list, by the way that its mail names */
#include "config.h"

#include "cli/bytes.h"
#include "cli/commands.h"
#include "cli/post.h"
#include "cli/rows.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "engine/client.h"
#include "store/account.h"
#include "store/message.h"
#include "store/unsubscribed.h"
#include "trust/authority.h"
#include "trust/unsubscribe.h"

#include <string.h>

#define PATIENCE_MS 60000

static gboolean dry_run, yes;

static const GOptionEntry entries[] = {
    {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, N_("only say what would be done"), NULL},
    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, N_("do not ask"), NULL},
    {NULL},
};

static gboolean
print_way(struct store *store, const struct unsubscribe *way, GError **error)
{
    g_autofree char *how = NULL;
    gint64 since = way->list ? unsubscribed_since(store, way->list, &how) : 0;
    g_autofree char *when = since ? clock_rfc3339(since, clock_local_zone(since)) : NULL;
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "list", way->list);
        json_string(&json, "how", unsubscribe_how_name(way->how));
        json_string(&json, "url", way->url);
        json_string(&json, "mail", way->mail);
        json_string(&json, "why", way->why ? _(way->why) : NULL);
        json_string(&json, "since", when);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *list = text_safe(way->list ? way->list : "?", -1, TEXT_LINE);
    const char *target = way->how == UNSUBSCRIBE_MAIL ? way->mail : way->url;
    g_autofree char *shown = text_safe(target ? target : "", -1, TEXT_LINE);
    static const char *const words[] = {[UNSUBSCRIBE_ONE_CLICK] = N_("one click (RFC 8058), at"),
                                        [UNSUBSCRIBE_MAIL] = N_("a message to"),
                                        [UNSUBSCRIBE_LINK] = N_("a page to open in a browser:")};
    g_autofree char *line = g_strdup_printf("%s: %s %s%s%s%s%s", list, _(words[way->how]), shown, way->why ? "; " : "",
                                            way->why ? _(way->why) : "", when ? "; left before, " : "", when ? when : "");
    return cli_print(line, error);
}

/* The engine asks the server, and this waits for its word. */
static gboolean
one_click(gint64 message, GError **error)
{
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, error);
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "message", "x", message);
    guint id = client ? engine_client_send(client, "unsubscribe", &values, error) : 0;
    return id && cli_await(client, id, PATIENCE_MS, error);
}

/* From the address that the list writes to. */
static gboolean
by_mail(struct store *store, gint64 message, const struct unsubscribe *way, int *exit_code, GError **error)
{
    g_autoptr(struct_draft) draft = draft_new();
    g_autoptr(struct_message) row = message_load(store, message, error);
    if (!row || !post_add_link(draft, way->mail, error))
        return FALSE;
    const char *own = NULL;
    for (guint i = 0; !own && i < row->to->len; i++)
        if (store_is_me(store, address_list_get(row->to, i)->addr))
            own = address_list_get(row->to, i)->addr;
    struct post_options options = {.account = post_account(own, error)};
    if (!*draft->subject)
        draft_set_subject(draft, "unsubscribe");
    return options.account && post_draft(draft, &options, exit_code, error) &&
           (!way->list || unsubscribed_note(store, way->list, unsubscribe_how_name(way->how), message, error));
}

static gboolean
is_agreed(void)
{
    if (yes)
        return TRUE;
    g_autofree char *answer = cli_ask(_("Do it? [y/N] "), FALSE);
    return answer && (*answer == 'y' || *answer == 'Y');
}

static gboolean
run_unsubscribe(int argc, char **argv, int *exit_code, GError **error)
{
    if (argc != 1)
        return cli_usage_error(error, _("unsubscribe takes one message"));
    struct store *store = cli_store(dry_run ? STORE_READ : STORE_WRITE, error);
    gint64 message = 0;
    g_autoptr(GBytes) bytes = store ? bytes_of(argv[0], &message, error) : NULL;
    if (!bytes)
        return FALSE;
    g_auto(GStrv) own = config_own_hosts(cli_config(NULL));
    g_autoptr(struct_journey) journey = journey_read(bytes, (const char *const *) own);
    g_autoptr(struct_authentication) found = authority_find(store, message, cli_config(NULL), journey, NULL, NULL);
    g_autoptr(struct_unsubscribe) way = unsubscribe_read(bytes, found);
    if (way->how == UNSUBSCRIBE_NOT) {
        g_set_error(error, CLI_ERROR, ERROR_INPUT,
                    _("the message names no way to unsubscribe: \"postrider block\" puts away what its sender sends"));
        return FALSE;
    }
    if (!print_way(store, way, error))
        return FALSE;
    if (dry_run || way->how == UNSUBSCRIBE_LINK || !message)
        return TRUE;
    if (!is_agreed())
        return cli_usage_error(error, _("nothing was done: --yes agrees without a terminal"));
    return way->how == UNSUBSCRIBE_ONE_CLICK ? one_click(message, error) : by_mail(store, message, way, exit_code, error);
}

const struct cli_command cmd_unsubscribe = {
    "unsubscribe",
    "ID",
    N_("leave the mailing list that a message came from"),
    N_("Says how, and asks. One click (RFC 8058) only where the list's domain signed that offer and your own server found the "
       "signature good; else a message to the list, through the queue; a link is only shown."),
    entries,
    WORDS_ANYWHERE,
    run_unsubscribe};
