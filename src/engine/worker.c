#include "config.h"

#include "engine/worker.h"
#include "engine/lane.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/paths.h"
#include "config/password.h"
#include "net/network.h"
#include "net/turn.h"
#include "store/account.h"
#include "store/tree.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 5000
#define BACKOFF_LAST_MS (5 * 60 * 1000)
#define UNREACHABLE_TRIES 60

static struct lane lanes[LANES];

/* -- jobs
 * ---------------------------------------------------------------------------------------------------- */

static struct job *
job_new(struct worker *worker, const char *verb)
{
    struct job *job = g_new0(struct job, 1);
    job->refs = 1;
    job->verb = g_strdup(verb);
    job->worker = worker;
    g_mutex_init(&job->lock);
    return job;
}

void
job_done(struct job *job, const GError *error)
{
    g_mutex_lock(&job->lock);
    if (error && !job->error)
        job->error = g_error_copy(error);
    g_mutex_unlock(&job->lock);
    if (!g_atomic_int_dec_and_test(&job->refs))
        return;
    if (!job->ours) {
        control_done(job->worker->control, job->id, job->error);
        control_handled(job->worker->control);
    }
    g_clear_error(&job->error);
    g_mutex_clear(&job->lock);
    g_free(job->verb);
    g_free(job->folder);
    g_free(job->text);
    g_free(job);
}

void
lane_push(struct lane *lane, struct job *job)
{
    guint64 one = 1;
    g_async_queue_push(lane->jobs, job);
    if (write(lane->wake_fd, &one, sizeof one) < 0)
        log_error("engine.worker", "eventfd");
}

void
lane_push_own(struct lane *lane, const char *verb)
{
    struct job *job = job_new(lane->worker, verb);
    job->ours = TRUE;
    g_mutex_lock(&lane->worker->lock);
    lane->worker->pending_lanes |= 1u << lane->kind; /* until it has looked: the engine stays */
    g_mutex_unlock(&lane->worker->lock);
    lane_push(lane, job);
}

void
lane_tell_arrival(void)
{
    lane_push_own(&lanes[LANE_SYNC], "arrival");
}

void
lane_tell_queued(void)
{
    lane_push_own(&lanes[LANE_DELIVER], "queued");
}

void
lane_tell_lessons(void)
{
    lane_push_own(&lanes[LANE_LEARN], "lessons");
}

gboolean
lane_has_job(struct lane *lane)
{
    return g_async_queue_length(lane->jobs) > 0;
}

struct job *
lane_take(struct lane *lane, gint64 ms)
{
    guint64 count;
    if (control_stopping(lane->worker->control))
        return NULL;
    struct job *job =
        ms < 0 ? g_async_queue_pop(lane->jobs) : g_async_queue_timeout_pop(lane->jobs, (guint64)ms * 1000);
    if (g_async_queue_length(lane->jobs) <= 0 && read(lane->wake_fd, &count, sizeof count) < 0)
        count = 0;           /* nothing was in it */
    if (job && !job->verb) { /* the end */
        g_free(job);
        return NULL;
    }
    return job;
}

guint
lane_backoff_ms(guint failures)
{
    guint ms = TEST_VALUE("engine.backoff_ms", BACKOFF_FIRST_MS);
    while (failures-- > 1 && ms < BACKOFF_LAST_MS)
        ms *= 2;
    ms = MIN(ms, BACKOFF_LAST_MS);
    return ms + (guint)g_random_int_range(0, (gint32)ms / 4);
}

guint
lane_pause_ms(const struct lane *lane)
{
    guint failures = lane->failures;
    if (lane->unreachable)
        failures = failures > UNREACHABLE_TRIES ? failures - UNREACHABLE_TRIES : 1;
    return lane_backoff_ms(failures);
}

void
lane_settle(struct lane *lane, gboolean pending)
{
    struct worker *worker = lane->worker;
    g_mutex_lock(&worker->lock);
    if (pending)
        worker->pending_lanes |= 1u << lane->kind;
    else
        worker->pending_lanes &= ~(1u << lane->kind);
    gboolean any = worker->pending_lanes != 0;
    g_mutex_unlock(&worker->lock);
    control_settle(worker->control, any);
}

static gint64
ensure_row(struct store *store, const struct account *account, GError **error)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new();
    g_ptr_array_add(addresses, account->address);
    for (char **alias = account->aliases; *alias; alias++)
        g_ptr_array_add(addresses, *alias);
    g_ptr_array_add(addresses, NULL);
    return store_account_ensure(store, account->name, (const char *const *)addresses->pdata, error);
}

/* Those before it come first, whichever worker is the first to run: the store lists accounts as the configuration does. */
static gint64
ensure_account(struct store *store, const struct config *config, const struct account *account, GError **error)
{
    gint64 id = 0;
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *one = g_ptr_array_index(config->accounts, i);
        id = ensure_row(store, one, error);
        if (!id || one == account)
            break;
    }
    const char *const *roles = (const char *const *)account->role_names;
    return id && store_account_set_tree(store, id, account->maildir, error) &&
                   store_account_set_local(store, id, account_is_local(account), roles, error)
               ? id
               : 0;
}

gboolean
lane_open_store(struct lane *lane)
{
    while (!control_stopping(lane->worker->control)) {
        g_autoptr(GError) error = NULL;
        lane->store = store_open(NULL, STORE_WRITE, &error);
        lane->account_id = lane->store ? ensure_account(lane->store, lane->worker->config, lane->worker->account, &error) : 0;
        if (lane->account_id)
            return TRUE;
        store_close(lane->store);
        lane->store = NULL;
        worker_state(lane->worker, "error", error->message, 0);
        /* What was asked is answered, so that nobody waits for a store that cannot be opened. */
        struct job *job = lane_take(lane, lane_backoff_ms(++lane->failures));
        if (job)
            job_done(job, error);
        lane_settle(lane, FALSE);
    }
    return FALSE;
}

/* -- what the lanes say
 * ---------------------------------------------------------------------------------------- */

void
worker_state(struct worker *worker, const char *state, const char *text, gint64 synced)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", worker->account->name);
    g_variant_dict_insert(&values, "state", "s", state);
    g_variant_dict_insert(&values, "text", "s", text ? text : "");
    g_variant_dict_insert(&values, "synced", "x", synced);
    control_emit(worker->control, "state", 0, &values);
    if (text && *text)
        log_info("engine.state", "%s %s: %s", worker->account->name, state, text);
}

void
worker_notice(struct worker *worker, const char *folder, const char *text)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", worker->account->name);
    g_variant_dict_insert(&values, "folder", "s", folder ? folder : "");
    g_variant_dict_insert(&values, "text", "s", text);
    control_emit(worker->control, "notice", 0, &values);
    log_info("engine.notice", "%s %s: %s", worker->account->name, folder ? folder : "", text);
}

static void
ask_for_password(struct worker *worker, const char *text)
{
    g_mutex_lock(&worker->lock);
    gboolean first = !worker->asked;
    worker->asked = TRUE;
    g_mutex_unlock(&worker->lock);
    if (!first)
        return;
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", worker->account->name);
    g_variant_dict_insert(&values, "text", "s", text);
    control_emit(worker->control, "need-password", 0, &values);
}

char *
worker_secret(struct worker *worker, gboolean outgoing, GError **error)
{
    g_mutex_lock(&worker->lock);
    char *given = g_strdup(worker->secret[outgoing]);
    gboolean refused = worker->refused[outgoing];
    g_mutex_unlock(&worker->lock);
    if (given)
        return given;
    if (refused) { /* one attempt with a wrong password, then a person (N6) */
        g_set_error(error, CONFIG_ERROR, ERROR_AUTH,
                    "the server refused the password of %s: mend it, then sync by hand",
                    worker->account->name);
        return NULL;
    }
    char *secret = password_get(worker->account, outgoing, error);
    if (!secret && worker->account->password == PASSWORD_ASK)
        ask_for_password(worker, "the password is asked for");
    return secret;
}

void
worker_refused(struct worker *worker, gboolean outgoing, const char *text)
{
    g_mutex_lock(&worker->lock);
    worker->refused[outgoing] = TRUE;
    password_free(worker->secret[outgoing]);
    worker->secret[outgoing] = NULL;
    worker->asked = FALSE;
    g_mutex_unlock(&worker->lock);
    worker_state(worker, "password", text, 0);
    if (worker->account->password == PASSWORD_ASK)
        ask_for_password(worker, text);
}

static void
take_password(struct worker *worker, const struct control_record *record)
{
    const char *secret = control_string(record, "secret");
    g_mutex_lock(&worker->lock);
    for (int i = 0; i < 2; i++) {
        password_free(worker->secret[i]);
        worker->secret[i] = g_strdup(secret);
        worker->refused[i] = FALSE;
    }
    worker->asked = FALSE;
    g_mutex_unlock(&worker->lock);
}

/* -- what the supervisor says
 * ---------------------------------------------------------------------------------- */

/* Which lanes a request goes to. */
static const struct {
    const char *verb;
    guint lanes; /* bits */
} routes[] = {
    {"sync", 1 << LANE_SYNC | 1 << LANE_DELIVER},
    {"wake", 1 << LANE_SYNC | 1 << LANE_DELIVER | 1 << LANE_FETCH},
    {"flush", 1 << LANE_DELIVER},
    {"fetch", 1 << LANE_FETCH},
    {"search", 1 << LANE_FETCH},
    {"unsubscribe", 1 << LANE_FETCH},
    {"sieve", 1 << LANE_FETCH},
    {"password", 1 << LANE_SYNC | 1 << LANE_DELIVER},
    {"poll", 1 << LANE_SYNC},
    {"watch", 1 << LANE_SYNC},
    {"online", 1 << LANE_SYNC | 1 << LANE_DELIVER},
    {"pause", 1 << LANE_SYNC},
};

static void
give(struct job *job, guint bits)
{
    for (int i = 0; i < LANES; i++)
        if (bits & 1u << i) {
            g_atomic_int_inc(&job->refs);
            lane_push(&lanes[i], job);
        }
    job_done(job, NULL);
}

/* A thread: every lane hears of another network, or of the end of a sleep. What cannot live is ended first, so that a lane
 * that waits for it comes back. */
static gpointer
watch_network(gpointer data)
{
    struct worker *worker = data;
    struct network *network = network_new();
    while (!control_stopping(worker->control)) {
        guint news = network_wait(network, -1, cancel_get_fd(lanes[LANE_SYNC].cancel));
        if (!news || control_stopping(worker->control))
            continue;
        guint broken = network_break();
        log_info("engine.network", "%s%s, connections ended: %u", news & NETWORK_SLEPT ? "slept" : "",
                 news & NETWORK_CHANGED ? " changed" : "", broken);
        struct job *job = job_new(worker, "network");
        job->ours = TRUE;
        give(job, (1u << LANES) - 1);
    }
    network_free(network);
    return NULL;
}

/* What a record changes in the worker itself, before the lanes hear of it. */
static void
note_record(struct worker *worker, const struct control_record *record)
{
    if (!strcmp(record->verb, "password"))
        take_password(worker, record);
    g_mutex_lock(&worker->lock);
    if (!strcmp(record->verb, "sync") || !strcmp(record->verb, "flush"))
        worker->refused[0] = worker->refused[1] =
            FALSE; /* asked for by a person: the command may print another one now */
    else if (!strcmp(record->verb, "poll"))
        worker->polling = control_bool(record, "poll");
    else if (!strcmp(record->verb, "pause"))
        worker->paused = control_bool(record, "b");
    else if (!strcmp(record->verb, "online"))
        worker->online = control_bool(record, "b");
    else if (!strcmp(record->verb, "watch")) {
        g_free(worker->watched);
        worker->watched = g_strdup(control_string(record, "folder"));
    }
    g_mutex_unlock(&worker->lock);
}

static void
route(struct worker *worker, const struct control_record *record)
{
    guint bits = 0;
    for (guint i = 0; i < G_N_ELEMENTS(routes); i++)
        if (!strcmp(routes[i].verb, record->verb))
            bits = routes[i].lanes;
    struct job *job = job_new(worker, record->verb);
    job->id = record->id;
    job->message = control_int(record, "message");
    job->dry_run = control_bool(record, "dry-run");
    job->replace = control_bool(record, "replace");
    const char *folder = control_string(record, "folder");
    job->folder = folder && *folder && !strcmp(record->verb, "sync") ? g_strdup(folder) : NULL;
    job->text = !strcmp(record->verb, "search") ? g_strdup(control_string(record, "text")) : NULL;
    job->everything = control_bool(record, "everything");
    give(job, job->dry_run ? bits & 1u << LANE_SYNC : bits);
}

static void
stop_lanes(gpointer data G_GNUC_UNUSED, gpointer unused G_GNUC_UNUSED)
{
    for (int i = 0; i < LANES; i++) {
        cancel_trigger(lanes[i].cancel);
        lane_push(&lanes[i], g_new0(struct job, 1)); /* without a verb: the end */
    }
}

static void
init_lanes(struct worker *worker)
{
    for (int i = 0; i < LANES; i++) {
        lanes[i].kind = (enum lane_kind)i;
        lanes[i].worker = worker;
        lanes[i].jobs = g_async_queue_new();
        lanes[i].wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        lanes[i].cancel = cancel_new();
    }
}

static void
start_lanes(void)
{
    static const struct {
        const char *name;
        GThreadFunc run;
    } threads[LANES] = {{"sync", sync_lane}, {"fetch", fetch_lane}, {"deliver", deliver_lane}, {"learn", learn_lane}};
    for (int i = 0; i < LANES; i++)
        lanes[i].thread = g_thread_new(threads[i].name, threads[i].run, &lanes[i]);
}

int
worker_run(const char *name, int control_fd)
{
    g_autoptr(GError) error = NULL;
    static struct worker worker = {.online = TRUE};
    worker.config = config_load(NULL, &error);
    worker.account = worker.config ? config_account(worker.config, name, &error) : NULL;
    if (!worker.account) {
        log_error("engine.worker", "%s", error->message);
        return EX_CONFIG;
    }
    g_autofree char *run = paths_runtime_dir();
    turn_begin(run);
    g_mutex_init(&worker.lock);
    init_lanes(&worker); /* before the line: its end may be the first that is heard */
    worker.control = control_new(control_fd, stop_lanes, &worker);
    start_lanes();
    GThread *network = g_thread_new("network", watch_network, &worker);

    struct control_record *record;
    while (!control_stopping(worker.control)) {
        record = control_take(worker.control, -1);
        if (!record)
            continue;
        note_record(&worker, record);
        route(&worker, record);
        control_record_free(record);
    }
    for (int i = 0; i < LANES; i++)
        g_thread_join(lanes[i].thread);
    g_thread_join(network);
    password_free(worker.secret[0]);
    password_free(worker.secret[1]);
    return 0;
}
