/* Waiting for news: NOOP and IDLE (RFC 2177). */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

gboolean
imap_noop(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    return imap_run(imap, &exchange, "asking for news", "NOOP", NULL, error) &&
           imap_check_ok(imap, &exchange, ERROR_RETRY, error, "cannot ask for news");
}

gboolean
imap_idle_start(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    gboolean go;
    if (!imap_check_alive(imap, error))
        return FALSE;
    if (!imap_has(imap, IMAP_IDLE))
        return imap_fail(imap, ERROR_REFUSED, error, "the server cannot tell news by itself");
    if (!imap_command(imap, &exchange, "starting to wait for news", "IDLE", error) ||
        !imap_end(imap, error) || !imap_wait_continue(imap, &exchange, &go, NULL, error))
        return FALSE;
    if (!go)
        return imap_check_ok(imap, &exchange, ERROR_RETRY, error, "cannot wait for news") &&
               imap_fail(imap, ERROR_RETRY, error, "the server does not wait for news");
    g_strlcpy(imap->idle_tag, exchange.tag, sizeof imap->idle_tag);
    return TRUE;
}

/* One response while idle. */
static gboolean
take_one(struct imap *imap, GError **error)
{
    struct imap_reply reply;
    stream_set_activity(imap->stream, "waiting for news");
    stream_begin_exchange(imap->stream);
    if (!imap_read_reply(imap, &reply, error))
        return FALSE;
    if (reply.kind == REPLY_CONTINUE) /* some servers say "+ idling" again and again */
        return TRUE;
    if (!reply.tag.bytes)
        return imap_take_untagged(imap, &reply, NULL, error);
    g_autofree char *words = reply_words(&reply.text);
    return imap_fail_dead(imap, ERROR_RETRY, error, "the server stopped telling news: it says \"%s\"", words);
}

gboolean
imap_idle_wait(struct imap *imap, guint milliseconds, int other_fd, guint *events, GError **error)
{
    guint before = imap->events;
    if (events)
        *events = 0;
    if (!*imap->idle_tag)
        return imap_fail(imap, ERROR_GIVEUP, error, "waiting for news that was not started");
    if (stream_is_dead(imap->stream))
        return imap_fail(imap, ERROR_RETRY, error, "the connection is lost: open it again");
    if (!imap_has_pending(imap)) {
        enum stream_wait came = stream_wait(imap->stream, milliseconds, other_fd, error);
        if (came != STREAM_WAIT_READABLE)
            return came == STREAM_WAIT_TIMEOUT;
    }
    imap_guard_begin_command(imap->guard);
    do
        if (!take_one(imap, error))
            return FALSE;
    while (imap_has_pending(imap));
    if (events)
        *events = imap->events - before;
    return TRUE;
}

gboolean
imap_idle_done(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    if (!*imap->idle_tag)
        return TRUE;
    g_strlcpy(exchange.tag, imap->idle_tag, sizeof exchange.tag);
    *imap->idle_tag = '\0';
    if (!imap_check_alive(imap, error))
        return FALSE;
    stream_set_activity(imap->stream, "ending the wait for news");
    imap_guard_begin_command(imap->guard);
    return stream_puts(imap->stream, "DONE\r\n", error) && imap_wait(imap, &exchange, 1, NULL, error) &&
           imap_check_ok(imap, &exchange, ERROR_RETRY, error, "cannot wait for news");
}

int
imap_get_fd(const struct imap *imap)
{
    return stream_get_fd(imap->stream);
}

gboolean
imap_has_pending(const struct imap *imap)
{
    return stream_get_pending(imap->stream) > 0;
}
