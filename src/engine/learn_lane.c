/* learn_lane.c - the lane in which the learning filter learns
 *
 * A lesson goes through all that was learned before, which takes a second when that is much: nobody waits for it, and
 * nothing waits behind it. */
#include "config.h"

#include "engine/lane.h"

#include "base/clock.h"
#include "base/log.h"
#include "trust/teach.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* While an engine watches, what is done in a row is learned together: so long after the last of it, or after the first. */
#define QUIET_MS 3000
#define QUIET_MOST_US (60 * G_USEC_PER_SEC)

/* The reader ends with the lesson: it would lie idle most of the time. */
static void
learn(struct lane *lane)
{
    g_autoptr(GError) error = NULL;
    gboolean more = TRUE;
    if (!lane->store && !lane_open_store(lane))
        return;
    struct reader *reader = reader_new();
    while (more && !control_stopping(lane->worker->control))
        if (!teach_run(lane->store, reader, lane->account_id, &more, &error)) {
            log_warn("engine.filter", "%s", error->message);
            break;
        }
    reader_free(reader);
}

static guint
quiet_ms(struct worker *worker)
{
    g_mutex_lock(&worker->lock);
    gboolean polling = worker->polling;
    g_mutex_unlock(&worker->lock);
    return polling ? QUIET_MS : 0;
}

/* TRUE: it was asked for again. */
static gboolean
asked_again(struct lane *lane)
{
    struct job *job = lane_take(lane, quiet_ms(lane->worker));
    if (!job)
        return FALSE;
    job_done(job, NULL);
    return TRUE;
}

gpointer
learn_lane(gpointer data)
{
    struct lane *lane = data;
    /* Linux: of this thread alone. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 15);
    while (!control_stopping(lane->worker->control)) {
        lane_settle(lane, FALSE);
        struct job *job = lane_take(lane, -1);
        if (!job)
            continue;
        job_done(job, NULL);
        lane_settle(lane, TRUE); /* also when it was asked for just before it said that it had nothing */
        if (lane->worker->config->filter == FILTERING_OFF)
            continue;
        gint64 until = clock_monotonic() + QUIET_MOST_US;
        while (asked_again(lane) && clock_monotonic() < until)
            ;
        learn(lane);
    }
    store_close(lane->store);
    return NULL;
}
