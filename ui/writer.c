#include "config.h"

#include "ui/writer.h"

#include "base/error.h"
#include "base/log.h"
#include "store/bulk.h"
#include "ui/app.h"
#include "ui/link.h"
#include "ui/text.h"

struct job {
    struct writer *writer;
    writer_work work;
    writer_done done;
    gpointer data;
    GDestroyNotify destroy;
    GError *error;
    gboolean last;   /* the thread ends */
    gboolean slices; /* no piece: what was done in slices has ended */
};

struct writer {
    struct app *app;
    GThread *thread;
    GAsyncQueue *queue;
    GAsyncQueue *finished;
    guint pending; /* handed over and not called back; main loop only */
    guint source;
};

static gboolean
attempt(struct store **store, struct job *job)
{
    if (!*store)
        *store = store_open(NULL, STORE_WRITE, &job->error);
    if (!*store)
        return FALSE;
    if (job->work(*store, job->data, &job->error)) {
        g_clear_error(&job->error);
        return TRUE;
    }
    if (store_in_transaction(*store))
        store_rollback(*store);
    if (!job->error)
        g_set_error_literal(&job->error, store_error_quark(), ERROR_GIVEUP,
                            "the change could not be written");
    return FALSE;
}

static gboolean deliver(gpointer data);

/* A slice of what is too much for one piece (bulk.h), between two pieces: the next key press does not wait for it. */
static gboolean
do_slice(struct writer *writer, struct store *store)
{
    g_autoptr(GError) error = NULL;
    gboolean more;
    if (bulk_step(store, &more, &error) ? more : g_error_matches(error, store_error_quark(), ERROR_BUSY))
        return TRUE;
    struct job *said = g_new0(struct job, 1);
    said->writer = writer;
    said->slices = TRUE;
    said->error = g_steal_pointer(&error);
    g_async_queue_push(writer->finished, said);
    g_idle_add_full(G_PRIORITY_DEFAULT, deliver, writer, NULL);
    return FALSE;
}

static gpointer
run(gpointer data)
{
    struct writer *writer = data;
    struct store *store = NULL;
    gboolean slices = FALSE;
    for (;;) {
        struct job *job = slices ? g_async_queue_try_pop(writer->queue) : g_async_queue_pop(writer->queue);
        if (!job) {
            slices = do_slice(writer, store);
            continue;
        }
        if (job->last) {
            g_free(job);
            break;
        }
        if (!attempt(&store, job) && g_error_matches(job->error, store_error_quark(), ERROR_BUSY)) {
            /* Somebody held the lock for ten seconds: once more, then the user hears of it. */
            g_clear_error(&job->error);
            attempt(&store, job);
        }
        slices = store && bulk_is_pending(store, 0);
        g_async_queue_push(writer->finished, job);
        g_idle_add_full(G_PRIORITY_DEFAULT, deliver, writer, NULL);
    }
    store_close(store);
    return NULL;
}

static void
finish(struct writer *writer, struct job *job)
{
    writer->pending -= !job->slices;
    if (job->error)
        log_warn("ui.writer", "%s", job->error->message);
    else
        link_wake(writer->app->link);
    if (job->done)
        job->done(writer->app, job->data, job->error);
    else if (job->error)
        app_warn(writer->app, _("not saved: %s"), job->error->message);
    if (job->destroy)
        job->destroy(job->data);
    g_clear_error(&job->error);
    g_free(job);
    app_store_changed(writer->app);
}

static gboolean
deliver(gpointer data)
{
    struct writer *writer = data;
    struct job *job;
    while ((job = g_async_queue_try_pop(writer->finished)))
        finish(writer, job);
    return G_SOURCE_REMOVE;
}

struct writer *
writer_new(struct app *app)
{
    struct writer *writer = g_new0(struct writer, 1);
    writer->app = app;
    writer->queue = g_async_queue_new();
    writer->finished = g_async_queue_new();
    writer->thread = g_thread_new("writer", run, writer);
    return writer;
}

void
writer_run(struct writer *writer, writer_work work, writer_done done, gpointer data, GDestroyNotify destroy)
{
    struct job *job = g_new0(struct job, 1);
    job->work = work;
    job->done = done;
    job->data = data;
    job->destroy = destroy;
    writer->pending++;
    g_async_queue_push(writer->queue, job);
}

guint
writer_pending(const struct writer *writer)
{
    return writer->pending;
}

void
writer_free(struct writer *writer)
{
    if (!writer)
        return;
    /* What is done may lead to more work: until there is none. */
    while (writer->pending)
        g_main_context_iteration(NULL, TRUE);
    struct job *last = g_new0(struct job, 1);
    last->last = TRUE;
    g_async_queue_push(writer->queue, last);
    g_thread_join(writer->thread);
    deliver(writer);
    /* Invocations that are still queued find an empty list: they must find the writer too. */
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_async_queue_unref(writer->queue);
    g_async_queue_unref(writer->finished);
    g_free(writer);
}
