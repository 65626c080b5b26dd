/* Waiting for news: NOOP, IDLE (RFC 2177) and NOTIFY (RFC 5465). */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

#include "base/log.h"

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

/* One response that nobody asked for. */
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

static gboolean
take_news(struct imap *imap, guint milliseconds, int other_fd, guint *events, GError **error)
{
    guint before = imap->events;
    if (events)
        *events = 0;
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
imap_idle_wait(struct imap *imap, guint milliseconds, int other_fd, guint *events, GError **error)
{
    if (!*imap->idle_tag)
        return imap_fail(imap, ERROR_GIVEUP, error, "waiting for news that was not started");
    if (stream_is_dead(imap->stream))
        return imap_fail(imap, ERROR_RETRY, error, "the connection is lost: open it again");
    return take_news(imap, milliseconds, other_fd, events, error);
}

gboolean
imap_listen(struct imap *imap, guint milliseconds, int other_fd, guint *events, GError **error)
{
    return imap_check_alive(imap, error) && take_news(imap, milliseconds, other_fd, events, error);
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

/* ---- NOTIFY ---- */

/* From the most to the least that we ask for: a server that cannot tell something refuses the whole with BADEVENT
 * (RFC 5465 section 5). STATUS: the state of every folder comes first, so that nothing falls between. FlagChange demands the two before it, and MessageNew may name what is told of a new message. */
static const char *const notify_sets[] = {
    "NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange))"
    " (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))",
    "NOTIFY SET STATUS (selected (MessageNew MessageExpunge FlagChange))"
    " (personal (MessageNew MessageExpunge FlagChange))",
    "NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))",
};

gboolean
imap_notify(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    if (!imap_check_alive(imap, error))
        return FALSE;
    imap->notifying = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(notify_sets) && imap_has(imap, IMAP_NOTIFY); i++) {
        /* An overflow that comes before the answer is about this very SET. */
        imap->notifying = TRUE;
        if (!imap_run(imap, &exchange, "asking to be told news", notify_sets[i], NULL, error))
            return FALSE;
        if (exchange.result == REPLY_OK)
            return TRUE;
        imap->notifying = FALSE;
        log_info("imap", "%s does not tell news of all folders: %s", imap->host, exchange.text);
        if (exchange.result == REPLY_NO && exchange.code != CODE_BADEVENT)
            break;
    }
    imap->offered &= ~(guint64)IMAP_NOTIFY; /* what it does not do is not offered */
    return imap_fail(imap, ERROR_REFUSED, error, "the server does not tell news of all folders");
}

gboolean
imap_is_notifying(const struct imap *imap)
{
    return imap->notifying && !stream_is_dead(imap->stream);
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
