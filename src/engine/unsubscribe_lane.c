/* unsubscribe_lane.c - one click (RFC 8058), asked for by a person */
#include "config.h"

#include "engine/lane.h"

#include "base/error.h"
#include "base/log.h"
#include "net/http.h"
#include "store/message.h"
#include "store/unsubscribed.h"
#include "trust/authority.h"
#include "trust/unsubscribe.h"

#include <string.h>

/* Every account hears of the wish; the first one that has the message acts. */
gboolean
lane_is_first(struct lane *lane, gint64 message)
{
    g_autoptr(GPtrArray) places = message_places(lane->store, message, NULL);
    return places && places->len &&
           !strcmp(((const struct message_place *) places->pdata[0])->account, lane->worker->account->name);
}

gboolean
lane_unsubscribe(struct lane *lane, gint64 message, GError **error)
{
    g_autoptr(GBytes) bytes = store_message_bytes(lane->store, message, error);
    if (!bytes)
        return FALSE;
    g_auto(GStrv) own = config_own_hosts(lane->worker->config);
    g_autoptr(struct_journey) journey = journey_read(bytes, (const char *const *) own);
    g_autoptr(struct_authentication) found =
        authority_find(lane->store, message, lane->worker->config, journey, NULL, NULL);
    g_autoptr(struct_unsubscribe) way = unsubscribe_read(bytes, found);
    if (way->how != UNSUBSCRIBE_ONE_CLICK) {
        g_set_error(error, HTTP_ERROR, ERROR_INPUT, "the message offers no way to unsubscribe by one click");
        return FALSE;
    }
    log_info("engine.unsubscribe", "message=%" G_GINT64_FORMAT, message); /* the URL names the person: not into a log */
    return http_post(way->url, UNSUBSCRIBE_TYPE, UNSUBSCRIBE_BODY, error) &&
           (!way->list || unsubscribed_note(lane->store, way->list, unsubscribe_how_name(way->how), message, error));
}
