#include "config.h"

#include "cli/search_server.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "base/i18n.h"
#include "engine/client.h"

#include <string.h>

/* Until the engine has answered: the messages are added to `found`. */
static gboolean
ask(struct engine_client *client, const char *text, gboolean everything, GArray *found, int *exit_code, GError **error)
{
    guint request = engine_client_search(client, text, everything, error);
    while (request) {
        g_autoptr(struct_engine_event) event = engine_client_wait(client, -1, error);
        if (!event)
            return FALSE;
        if (!strcmp(event->verb, "found") && !strcmp(engine_event_string(event, "text"), text)) {
            engine_event_numbers(event, "messages", found);
        } else if (!strcmp(event->verb, "done") && event->id == request) {
            if (!engine_event_bool(event, "ok")) {
                *exit_code = (int)engine_event_int(event, "code");
                cli_note(_("not all servers could be asked: %s"), engine_event_string(event, "text"));
            }
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
search_server(struct store *store, const char *text, gboolean everything, gint64 limit, int *exit_code, GError **error)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, error);
    if (!client || !ask(client, text, everything, found, exit_code, error))
        return FALSE;
    g_autoptr(GPtrArray) rows = list_messages(store, (const gint64 *)(gpointer)found->data, found->len, error);
    if (!rows)
        return FALSE;
    if (limit > 0 && rows->len > limit)
        g_ptr_array_set_size(rows, (gint)limit);
    if (rows->len || !*exit_code)
        cli_note(rows->len ? ngettext("on the servers, not here: %u message", "on the servers, not here: %u messages", rows->len)
                           : _("on the servers is nothing else"),
                 rows->len);
    return rows_print(store, rows, error);
}
