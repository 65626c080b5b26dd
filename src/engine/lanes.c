/* lanes.c - three of the lanes of an account worker: sync, fetch, deliver; learn_lane.c has the fourth */
#include "config.h"

#include "engine/lane.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "outbox/deliver.h"
#include "store/account.h"
#include "store/bulk.h"
#include "store/folder.h"
#include "store/history.h"
#include "store/intent.h"
#include "store/message.h"
#include "store/outbox.h"
#include "store/standing.h"
#include "store/texts.h"
#include "sync/sync.h"

#include <string.h>

#define IDLE_SLICE_MS (60 * 1000)
#define FETCH_LINGER_MS (30 * 1000)
#define PASS_PAUSE_US (5 * G_USEC_PER_SEC)

static char *
incoming_secret(gpointer data, GError **error)
{
    struct lane *lane = data;
    return worker_secret(lane->worker, FALSE, error);
}

static char *
outgoing_secret(gpointer data, GError **error)
{
    struct lane *lane = data;
    return worker_secret(lane->worker, TRUE, error);
}

static void
on_progress(const struct sync_progress *progress, gpointer data)
{
    struct lane *lane = data;
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", lane->worker->account->name);
    g_variant_dict_insert(&values, "folder", "s", progress->folder ? progress->folder : "");
    g_variant_dict_insert(&values, "phase", "s", sync_phase_name(progress->phase));
    g_variant_dict_insert(&values, "done", "t", progress->done);
    g_variant_dict_insert(&values, "total", "t", progress->total);
    control_emit(lane->worker->control, "progress", 0, &values);
}

static void
on_changed(gpointer data)
{
    struct lane *lane = data;
    control_changed(lane->worker->control);
}

static void
on_notice(const char *folder, const char *text, gpointer data)
{
    struct lane *lane = data;
    worker_notice(lane->worker, folder, text);
}

static void
on_planned(const struct sync_planned *planned, gpointer data)
{
    struct lane *lane = data;
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", lane->worker->account->name);
    g_variant_dict_insert(&values, "folder", "s", planned->folder ? planned->folder : "");
    g_variant_dict_insert(&values, "direction", "s", planned->direction == SYNC_OUT ? "out" : "in");
    g_variant_dict_insert(&values, "action", "s", planned->action);
    g_variant_dict_insert(&values, "count", "t", planned->count);
    g_variant_dict_insert(&values, "text", "s", planned->text);
    control_emit(lane->worker->control, "planned", 0, &values);
}

static void
on_delivery_notice(const char *text, gpointer data)
{
    on_notice(NULL, text, data);
}

/* DEFLATE pays where the network is slower than this machine; on the machine itself it never is. */
static gboolean
is_here(const struct endpoint *endpoint)
{
    return endpoint && (!strcmp(endpoint->host, "localhost") || !strcmp(endpoint->host, "::1") || g_str_has_prefix(endpoint->host, "127."));
}

static struct sync *
open_sync(struct lane *lane)
{
    struct sync_options options = {
        .account = lane->worker->account,
        .get_secret = incoming_secret,
        .secret_data = lane,
        .cancel = lane->cancel,
        .no_compress = is_here(lane->worker->account->incoming),
        .progress = on_progress,
        .changed = on_changed,
        .notice = on_notice,
        .planned = on_planned,
        .data = lane,
    };
    return sync_new(lane->store, lane->account_id, &options);
}

static gboolean
is_online(struct worker *worker)
{
    g_mutex_lock(&worker->lock);
    gboolean online = worker->online;
    g_mutex_unlock(&worker->lock);
    return online;
}

static gboolean
is_polling(struct worker *worker)
{
    g_mutex_lock(&worker->lock);
    gboolean polling = worker->polling && (worker->online || worker->account->maildir) && !worker->paused;
    g_mutex_unlock(&worker->lock);
    return polling;
}

static gboolean
is_paused(struct worker *worker)
{
    g_mutex_lock(&worker->lock);
    gboolean paused = worker->paused;
    g_mutex_unlock(&worker->lock);
    return paused;
}

static void
tell_paused(struct worker *worker)
{
    worker_state(worker, "paused", "nothing is fetched, and changes wait here, until it goes on", 0);
}

static gboolean
offline_error(struct worker *worker, GError **error)
{
    if (is_paused(worker)) {
        g_set_error(error, SYNC_ERROR, ERROR_RETRY,
                    "%s is paused: \"postrider sync --resume %s\" lets it go on", worker->account->name,
                    worker->account->name);
        return FALSE;
    }
    g_set_error(error, SYNC_ERROR, ERROR_RETRY,
                "working off line: %s is synchronised when you are on line again", worker->account->name);
    return FALSE;
}

static gboolean
may_sync(struct worker *worker)
{
    return (is_online(worker) || worker->account->maildir) && !is_paused(worker);
}

/* Says how a piece of work ended: the account's state in the store, on the screen and in the log. */
static void
report(struct lane *lane, gboolean outgoing, const GError *error)
{
    struct worker *worker = lane->worker;
    if (!error) {
        lane->failures = 0;
        return;
    }
    if (error->code == ERROR_CANCELLED)
        return;
    lane->failures++;
    lane->unreachable = error->domain == STREAM_ERROR && error->code == ERROR_RETRY;
    if (error->domain == CONFIG_ERROR) /* no password yet, or its command failed: the server was not asked */
        worker_state(worker, "password", error->message, 0);
    else if (error->code == ERROR_AUTH)
        worker_refused(worker, outgoing, error->message);
    else
        worker_state(worker, error->code == ERROR_RETRY ? "offline" : "error", error->message, 0);
    store_account_set_state(lane->store, lane->account_id,
                            error->code == ERROR_RETRY  ? "offline"
                            : error->code == ERROR_AUTH ? "login"
                                                        : "error",
                            error->message, 0, NULL);
    if (!outgoing)
        history_note(lane->store, lane->account_id, 0, clock_now(), HISTORY_ERROR, 0, error->message, NULL);
}

/* -- sync
 * ---------------------------------------------------------------------------------------------------- */

static gboolean
whole_pass(struct lane *lane, struct sync *sync, gboolean dry_run, GError **error)
{
    struct worker *worker = lane->worker;
    if (!may_sync(worker))
        return offline_error(worker, error);
    worker_state(worker, "syncing", NULL, 0);
    lane->last_pass = clock_monotonic();
    g_autoptr(GError) local = NULL;
    gboolean ok = sync_account(sync, dry_run, &local);
    report(lane, FALSE, local);
    if (is_polling(worker))
        lane_watch_maildirs(lane);
    if (!dry_run)
        lane_take_arrivals(lane);
    control_changed(worker->control);
    if (ok) {
        gint64 now = clock_now();
        store_account_set_state(lane->store, lane->account_id, "online", NULL, now, NULL);
        worker_state(worker, "idle", NULL, now);
        g_autoptr(GError) untidy = NULL;
        if (!store_housekeeping(lane->store, &untidy))
            log_warn("engine.housekeeping", "%s", untidy->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
has_changes(struct lane *lane)
{
    return intent_count(lane->store, lane->account_id) > 0;
}

/* When the next pass is due, in monotonic time; `ms` from now unless the server wants more time between two logins. */
static gint64
due_in(struct sync *sync, gint64 ms)
{
    return clock_monotonic() + MAX(ms * 1000, (gint64)sync_get_delay(sync) * G_USEC_PER_SEC);
}

#define TEXTS_MOVED_AT_ONCE 100 /* some ten milliseconds */
#define AFTER_A_PERSON_MS (24 * 60 * 60 * 1000)

/* Milliseconds. What failed is tried again soon, whoever asked for it; but for a password that was refused. */
static gint64
until_next(const struct lane *lane)
{
    g_mutex_lock(&lane->worker->lock);
    gboolean refused = lane->worker->refused[FALSE];
    g_mutex_unlock(&lane->worker->lock);
    if (refused)
        return AFTER_A_PERSON_MS;
    return lane->failures ? (gint64)lane_pause_ms(lane) : (gint64)lane->worker->config->poll * 1000;
}

/* One folder, as a person asked. */
static void
one_folder(struct lane *lane, struct sync *sync, const char *name, GError **error)
{
    struct worker *worker = lane->worker;
    gint64 folder = folder_find(lane->store, lane->account_id, name);
    g_autoptr(GError) local = NULL;
    if (!folder || !may_sync(worker)) {
        if (folder)
            offline_error(worker, error);
        else
            g_set_error(error, SYNC_ERROR, ERROR_NOINPUT, "there is no folder \"%s\"", name);
        return;
    }
    worker_state(worker, "syncing", NULL, 0);
    if (sync_push(sync, &local) && sync_folders(sync, &folder, 1, &local))
        worker_state(worker, "idle", NULL, 0);
    report(lane, FALSE, local);
    lane_take_arrivals(lane);
    control_changed(worker->control);
    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
}

static void
take_pause(struct lane *lane, struct sync *sync, gint64 *next_pass)
{
    if (is_paused(lane->worker)) {
        sync_disconnect(sync);
        tell_paused(lane->worker);
        return;
    }
    worker_state(lane->worker, "idle", NULL, 0);
    *next_pass = due_in(sync, 0);
}

/* One job; what was asked for together is done once. */
static void
sync_job(struct lane *lane, struct sync *sync, struct job *job, gint64 *next_pass)
{
    g_autoptr(GError) error = NULL;
    gboolean pass = !strcmp(job->verb, "sync") || !strcmp(job->verb, "password") ||
                    (!strcmp(job->verb, "online") && is_online(lane->worker));
    if (pass && job->folder) {
        one_folder(lane, sync, job->folder, &error);
    } else if (pass) {
        whole_pass(lane, sync, job->dry_run, &error);
        *next_pass = due_in(sync, until_next(lane));
    } else if (!strcmp(job->verb, "wake") || (!strcmp(job->verb, "maildir") && lane_take_maildirs(lane, sync))) {
        if (!may_sync(lane->worker))
            offline_error(lane->worker, &error);
        else if (!sync_push(sync, &error))
            report(lane, FALSE, error);
        else
            lane->failures = 0;
        lane->arriving = TRUE; /* other programs bring mail, too */
        control_changed(lane->worker->control);
    } else if (!strcmp(job->verb, "arrival")) {
        lane->arriving = TRUE;
    } else if (!strcmp(job->verb, "poll") && is_polling(lane->worker)) {
        *next_pass = MIN(*next_pass, due_in(sync, 0));
    } else if (!strcmp(job->verb, "pause")) {
        take_pause(lane, sync, next_pass);
    } else if (!strcmp(job->verb, "network")) {
        if (!sync_probe(sync) || lane->failures) /* what was put off need not wait any more */
            *next_pass = MIN(*next_pass, due_in(sync, 0));
        lane->failures = 0;
    } else if (!strcmp(job->verb, "online")) {
        sync_disconnect(sync);
        worker_state(lane->worker, "offline", "working off line", 0);
    }
    job_done(job, error);
}

/* INBOX, or the folder that the screen shows. */
static gint64
watched_folder(struct lane *lane)
{
    g_mutex_lock(&lane->worker->lock);
    g_autofree char *name = g_strdup(lane->worker->watched);
    g_mutex_unlock(&lane->worker->lock);
    gint64 folder = name && *name ? folder_find(lane->store, lane->account_id, name) : 0;
    return folder ? folder : folder_find_role(lane->store, lane->account_id, FOLDER_INBOX);
}

/* The server has told that something happened: only that is looked into. */
static gboolean
take_news(struct lane *lane, struct sync *sync, const GArray *changed, GError **error)
{
    if (!sync_folders(sync, (const gint64 *)(const void *)changed->data, changed->len, error))
        return FALSE;
    lane_take_arrivals(lane);
    control_changed(lane->worker->control);
    return TRUE;
}

/* Waits for a job, the server's word or the time; TRUE when a pass is due. */
static gboolean
wait_for_news(struct lane *lane, struct sync *sync, gint64 *next_pass)
{
    gint64 now = clock_monotonic(), left = (*next_pass - now) / 1000;
    gint64 folder = watched_folder(lane);
    if (left <= 0)
        return TRUE;
    if (lane->failures || !folder || !sync_is_connected(sync)) {
        struct job *job = lane_take(lane, left);
        if (job)
            g_async_queue_push_front(lane->jobs, job);
        return FALSE;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(gint64));
    switch (sync_wait(sync, folder, (guint)MIN(left, IDLE_SLICE_MS), lane->wake_fd, changed, &error)) {
    case SYNC_NEWS_FOLDERS:
        if (take_news(lane, sync, changed, &error))
            break;
        G_GNUC_FALLTHROUGH;
    case SYNC_NEWS_ERROR:
        report(lane, FALSE, error);
        *next_pass = MIN(*next_pass, due_in(sync, until_next(lane)));
        break;
    case SYNC_NEWS_ACCOUNT: /* many in a row are one pass */
        *next_pass = MIN(*next_pass, MAX(now, lane->last_pass + PASS_PAUSE_US));
        break;
    case SYNC_NEWS_NONE:
        break;
    }
    return FALSE;
}

static gboolean
is_stopping(gpointer worker)
{
    return control_stopping(((struct worker *)worker)->control);
}

/* An action on many messages is whole before any of it goes out: in few commands, then. */
static void
finish_bulk(struct lane *lane)
{
    g_autoptr(GError) error = NULL;
    if (!bulk_is_pending(lane->store, 0))
        return;
    lane_settle(lane, TRUE);
    if (!bulk_finish(lane->store, is_stopping, lane->worker, &error))
        worker_notice(lane->worker, NULL, error->message);
    control_changed(lane->worker->control);
}

/* Of an older version's full text some go over. */
static void
move_texts(struct lane *lane)
{
    g_autoptr(GError) error = NULL;
    gboolean done = TRUE;
    if (!texts_move(lane->store, TEXTS_MOVED_AT_ONCE, &done, &error))
        log_warn("engine.texts", "%s", error->message);
    lane->moving = !error && !done;
}

gpointer
sync_lane(gpointer data)
{
    struct lane *lane = data;
    struct worker *worker = lane->worker;
    if (!lane_open_store(lane))
        return NULL;
    g_autoptr(GError) error = NULL;
    if (!intent_recover(lane->store, lane->account_id, &error))
        log_error("engine.sync", "%s", error->message);
    struct sync *sync = account_receives(worker->account) ? open_sync(lane) : NULL;
    g_mutex_lock(&worker->lock);
    worker->paused = account_is_paused(lane->store, lane->account_id);
    g_mutex_unlock(&worker->lock);
    if (worker->paused)
        tell_paused(worker);
    gint64 next_pass = sync ? due_in(sync, 0) : 0;
    lane->arriving = lane->moving = TRUE; /* what a killed one had in its hands */
    while (!control_stopping(worker->control)) {
        finish_bulk(lane);
        struct job *job = lane_has_job(lane) ? lane_take(lane, 0) : NULL;
        if (job && sync) {
            sync_job(lane, sync, job, &next_pass);
            continue;
        }
        if (job) { /* an account that only sends */
            job_done(job, NULL);
            continue;
        }
        if (lane->arriving) {
            lane_take_arrivals(lane);
            continue;
        }
        if (lane->learning) {
            lane->learning = FALSE;
            lane_tell_lessons();
        }
        if (lane->moving && !(sync && is_polling(worker) && clock_monotonic() >= next_pass)) {
            move_texts(lane);
            continue;
        }
        gboolean left = sync && !is_paused(worker) && has_changes(lane);
        lane_settle(lane, left && lane->failures < 3);
        if (sync && is_polling(worker)) {
            if (!lane->watch) /* an engine that serves one command looks at them when it is told to */
                lane_watch_maildirs(lane);
            if (wait_for_news(lane, sync, &next_pass)) {
                whole_pass(lane, sync, FALSE, NULL);
                next_pass = due_in(sync, until_next(lane));
            }
            continue;
        }
        /* Nobody watches: what could not be carried out is tried again, nothing else. */
        job = lane_take(lane, left ? (gint64)lane_pause_ms(lane) : -1);
        if (job)
            g_async_queue_push_front(lane->jobs, job);
        else if (left && !control_stopping(worker->control) && may_sync(worker)) {
            g_clear_error(&error);
            sync_push(sync, &error);
            report(lane, FALSE, error);
            control_changed(worker->control);
        }
    }
    lane_unwatch_maildirs(lane);
    sync_free(sync);
    reader_free(lane->reader);
    dns_free(lane->dns);
    store_close(lane->store);
    return NULL;
}

/* -- fetch
 * --------------------------------------------------------------------------------------------------- */

/* Every account hears of a wish; the one that has the message acts. */
static gboolean
has_message(struct lane *lane, gint64 message)
{
    g_autoptr(GPtrArray) places = message_places(lane->store, message, NULL);
    for (guint i = 0; places && i < places->len; i++)
        if (!strcmp(((struct message_place *)places->pdata[i])->account, lane->worker->account->name))
            return TRUE;
    return FALSE;
}

/* The fetch lane's connection is kept for a while. */
static struct sync *
fetch_runner(struct lane *lane)
{
    if (!lane->fetching)
        lane->fetching = open_sync(lane);
    return lane->fetching;
}

static void fetch_job(struct lane *lane, struct job *job);

/* Who opened a message waits for no search in many folders; another search waits for this one. */
static void
fetch_meanwhile(struct lane *lane)
{
    g_autoptr(GPtrArray) later = g_ptr_array_new();
    while (lane_has_job(lane)) {
        struct job *job = lane_take(lane, 0);
        if (!job)
            break;
        if (strcmp(job->verb, "search") != 0)
            fetch_job(lane, job);
        else
            g_ptr_array_add(later, job);
    }
    for (guint i = 0; i < later->len; i++)
        lane_push(lane, later->pdata[i]);
}

static void
fetch_job(struct lane *lane, struct job *job)
{
    struct worker *worker = lane->worker;
    gboolean may = lane->store != NULL; /* the account receives */
    g_autoptr(GError) error = NULL;
    if (lane->fetching && !strcmp(job->verb, "network")) {
        sync_probe(lane->fetching);
    } else if (!strcmp(job->verb, "sieve")) {
        if (may && (is_online(worker) || offline_error(worker, &error)))
            lane_upload_rules(lane, job->replace, &error);
    } else if (!strcmp(job->verb, "unsubscribe")) {
        if (may && lane_is_first(lane, job->message) && (is_online(worker) || offline_error(worker, &error)))
            lane_unsubscribe(lane, job->message, &error);
    } else if (!strcmp(job->verb, "search")) {
        if (may && (is_online(worker) || offline_error(worker, &error))) {
            lane_search(lane, fetch_runner(lane), job, fetch_meanwhile, &error);
        }
    } else if (may && job->message && has_message(lane, job->message)) {
        if (is_online(worker) || offline_error(worker, &error))
            sync_fetch_body(fetch_runner(lane), job->message, &error);
        control_changed(worker->control);
    } else if (may && lane->fetching && is_online(worker) && !sync_fetch_wanted(lane->fetching, &error)) {
        log_info("engine.fetch", "%s", error->message);
        g_clear_error(&error); /* a wake-up is not a question: the next one tries again */
    }
    if (error && error->code == ERROR_AUTH && error->domain != CONFIG_ERROR && strcmp(job->verb, "sieve"))
        worker_refused(worker, FALSE, error->message);
    if (lane->fetching && !control_stopping(worker->control))
        lane_tell_arrival();
    job_done(job, error);
}

gpointer
fetch_lane(gpointer data)
{
    struct lane *lane = data;
    if (account_receives(lane->worker->account))
        lane_open_store(lane);
    while (!control_stopping(lane->worker->control)) {
        lane_settle(lane, FALSE);
        struct job *job = lane_take(lane, lane->fetching ? FETCH_LINGER_MS : -1);
        if (job) {
            fetch_job(lane, job);
        } else if (lane->fetching) {
            sync_disconnect(lane->fetching);
            g_clear_pointer(&lane->fetching, sync_free);
        }
    }
    sync_free(lane->fetching);
    store_close(lane->store);
    return NULL;
}

/* -- deliver
 * ------------------------------------------------------------------------------------------------- */

static gboolean
deliver(struct lane *lane, GError **error)
{
    struct deliver_options options = {
        .account = lane->worker->account,
        .get_secret = outgoing_secret,
        .cancel = lane->cancel,
        .changed = on_changed,
        .notice = on_delivery_notice,
        .data = lane,
    };
    if (!is_online(lane->worker))
        return offline_error(lane->worker, error);
    g_autoptr(GError) local = NULL;
    gboolean ok = deliver_due(lane->store, lane->account_id, &options, &local);
    report(lane, TRUE, local);
    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    return ok;
}

gpointer
deliver_lane(gpointer data)
{
    struct lane *lane = data;
    struct worker *worker = lane->worker;
    gboolean sends = worker->account->outgoing && lane_open_store(lane);
    gboolean stuck = FALSE; /* the login was refused: only a person helps */
    g_autoptr(GError) left = NULL;
    if (sends &&
        !outbox_recover(lane->store, lane->account_id, &left)) /* what a killed sender had in its hands */
        log_error("engine.deliver", "%s", left->message);
    while (!control_stopping(worker->control)) {
        gint64 due = sends ? outbox_next_due(lane->store, lane->account_id) : 0;
        gint64 wait = due ? MAX((due - clock_now()) * 1000,
                                lane->failures ? (gint64)lane_pause_ms(lane) : 0)
                          : -1;
        lane_settle(lane, due && !stuck);
        struct job *job = lane_take(lane, stuck ? -1 : wait);
        g_autoptr(GError) error = NULL;
        if (control_stopping(worker->control))
            break;
        if (job && !strcmp(job->verb, "network"))
            lane->failures = 0;
        if (sends && job && !strcmp(job->verb, "flush") &&
            !outbox_flush(lane->store, lane->account_id, &error)) {
            job_done(job, error);
            continue;
        }
        if (sends && (!job || strcmp(job->verb, "online") || is_online(worker))) {
            deliver(lane, &error);
            stuck = error && error->code == ERROR_AUTH;
        }
        if (job) /* a wake-up is answered by the states in the queue, not by an error here */
            job_done(job, !strcmp(job->verb, "flush") || !strcmp(job->verb, "sync") ? error : NULL);
    }
    store_close(lane->store);
    return NULL;
}
