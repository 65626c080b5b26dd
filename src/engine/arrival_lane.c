/* arrival_lane.c - mail that has just come, for the sync lane */
#include "config.h"

#include "engine/lane.h"

#include "base/log.h"
#include "store/standing.h"
#include "trust/arrival.h"

static void
on_arrival_notice(const char *text, gpointer data)
{
    struct lane *lane = data;
    worker_notice(lane->worker, NULL, text);
}

/* Is something of the account to be told to its server? */
static gboolean
has_pending(struct lane *lane)
{
    g_autoptr(GHashTable) pending = pending_list(lane->store, lane->account_id, NULL);
    return pending && g_hash_table_size(pending);
}

void
lane_take_arrivals(struct lane *lane)
{
    struct arrival_host host = {.config = lane->worker->config,
                                .account = lane->worker->account,
                                .account_id = lane->account_id,
                                .notice = on_arrival_notice,
                                .data = lane};
    g_autoptr(GError) error = NULL;
    guint acted = 0;
    if (!lane->reader)
        lane->reader = reader_new();
    if (!lane->dns && lane->worker->config->check)
        lane->dns = dns_new(lane->worker->config->resolver, &error);
    if (error)
        log_warn("engine.arrival", "%s", error->message);
    g_clear_error(&error);
    host.dns = lane->dns;
    if (!arrival_run(lane->store, lane->reader, &host, &lane->arriving, &acted, &error))
        log_warn("engine.arrival", "%s", error->message);
    lane->learning = TRUE;
    if (acted) { /* rules, or the filter, may have moved it, or sent it on */
        if (has_pending(lane))
            lane_push_own(lane, "wake");
        lane_tell_queued();
        control_changed(lane->worker->control);
    }
}
