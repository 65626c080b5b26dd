#include "config.h"

#include "cli/bytes.h"
#include "cli/command.h"
#include "base/error.h"
#include "base/i18n.h"
#include "engine/client.h"
#include "store/message.h"

#include <string.h>

#define FETCH_LIMIT_MS (120 * 1000)

/* Asks the engine for a body and waits until it says so. */
static gboolean
fetch(gint64 message, GError **error)
{
    struct store *store = cli_store(STORE_WRITE, error);
    if (!store || !message_want_body(store, message, error))
        return FALSE;
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, error);
    guint request = client ? engine_client_fetch(client, message, error) : 0;
    while (request) {
        g_autoptr(GError) local = NULL;
        g_autoptr(struct_engine_event) event = engine_client_wait(client, FETCH_LIMIT_MS, &local);
        if (!event) {
            if (local)
                g_propagate_error(error, g_steal_pointer(&local));
            else
                g_set_error(
                    error, CLI_ERROR, ERROR_RETRY,
                    _("the message is not here yet, and the server did not send it within two minutes"));
            return FALSE;
        }
        if (strcmp(event->verb, "done") || event->id != request)
            continue;
        if (engine_event_bool(event, "ok"))
            return TRUE;
        g_set_error(error, CLI_ERROR, ERROR_RETRY,
                    _("the message is not here yet, and could not be fetched: %s"),
                    engine_event_string(event, "text"));
        return FALSE;
    }
    return FALSE;
}

/* A file with the line ends of old: CR, and no LF at all. */
static GBytes *
modern_lines(GBytes *bytes)
{
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    if (!length || memchr(text, '\n', length) || !memchr(text, '\r', length))
        return bytes;
    char *copy = g_bytes_unref_to_data(bytes, &length);
    for (char *p = copy; (p = memchr(p, '\r', length - (gsize)(p - copy))) != NULL;)
        *p = '\n';
    return g_bytes_new_take(copy, length);
}

GBytes *
bytes_of(const char *word, gint64 *message, GError **error)
{
    gboolean number = *word && strspn(word, "0123456789") == strlen(word);
    if (message)
        *message = 0;
    if (!number && !g_str_has_prefix(word, "id:")) {
        GBytes *file = cli_read_file(word, MESSAGE_SIZE_MAX, error);
        return file ? modern_lines(file) : NULL;
    }
    struct store *store = cli_store(STORE_READ, error);
    gint64 id = store ? message_lookup(store, word, error) : 0;
    if (!id)
        return NULL;
    if (message)
        *message = id;
    g_autoptr(GError) local = NULL;
    GBytes *bytes = store_message_bytes(store, id, &local);
    if (bytes || !g_error_matches(local, STORE_ERROR, ERROR_STALE)) {
        if (local)
            g_propagate_error(error, g_steal_pointer(&local));
        return bytes;
    }
    if (!fetch(id, error))
        return NULL;
    return store_message_bytes(cli_store(STORE_READ, error), id, error);
}
