#include "config.h"

#include "ui/finder.h"

#include "search/hits.h"
#include "ui/app.h"

struct question {
    struct finder *finder;
    gconstpointer owner;
    struct list_view view; /* folders and query are its own */
    gint64 key;
    enum list_direction direction;
    guint limit;
    gboolean count, all;
    enum order_by by;   /* ORDER_DATE: not asked for */
    GPtrArray *queries; /* of splits; NULL: not asked for */
    gboolean reverse;
    GArray *keys; /* of snippets; NULL: not asked for */
    guint most;
    finder_done done;
    gpointer data;
    struct found found;
    gint cancelled; /* atomic */
    gboolean last;
};

struct finder {
    struct app *app;
    char *directory;
    GThread *thread;
    GAsyncQueue *queue, *answers;
    GPtrArray *open;     /* of struct question, asked and not answered; main loop only */
    GMutex lock;         /* guards the two below */
    struct store *store; /* of the thread */
    struct question *running;
};

static void
question_free(struct question *question)
{
    g_free((gpointer)question->view.folders);
    query_free((struct query *)question->view.query);
    if (question->found.rows)
        g_ptr_array_unref(question->found.rows);
    g_clear_pointer(&question->found.hits, g_array_unref);
    g_clear_error(&question->found.error);
    order_free(question->found.order);
    g_clear_pointer(&question->found.splits, g_ptr_array_unref);
    g_clear_pointer(&question->queries, g_ptr_array_unref);
    g_clear_pointer(&question->keys, g_array_unref);
    g_clear_pointer(&question->found.snippets, g_ptr_array_unref);
    g_free(question);
}

static void
set_running(struct finder *finder, struct question *question)
{
    g_mutex_lock(&finder->lock);
    finder->running = question;
    g_mutex_unlock(&finder->lock);
}

static void
look_at_texts(struct finder *finder, struct question *question)
{
    g_autoptr(struct_hits) hits = hits_new(question->view.query, QUERY_BODY);
    question->found.snippets = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < question->keys->len && !g_atomic_int_get(&question->cancelled); i++) {
        g_autofree char *text = list_text(finder->store, g_array_index(question->keys, gint64, i));
        g_ptr_array_add(question->found.snippets, hits_snippet(hits, text, question->most));
    }
}

static void
look(struct finder *finder, struct question *question)
{
    struct found *found = &question->found;
    found->count = -1;
    if (!finder->store) {
        struct store *store = store_open(finder->directory, STORE_READ, &found->error);
        g_mutex_lock(&finder->lock);
        finder->store = store;
        g_mutex_unlock(&finder->lock);
        if (!store)
            return;
    }
    set_running(finder, question);
    if (question->limit && !g_atomic_int_get(&question->cancelled))
        found->rows = list_page(finder->store, &question->view, question->key, question->direction,
                                question->limit, &found->error);
    gint64 begun = g_get_monotonic_time();
    if (question->by != ORDER_DATE && !g_atomic_int_get(&question->cancelled))
        found->order = order_new(finder->store, &question->view, question->by, question->reverse, &found->error);
    if (question->queries && !g_atomic_int_get(&question->cancelled))
        found->splits =
            order_split(finder->store, &question->view, question->queries, question->reverse, &found->error);
    found->taken = g_get_monotonic_time() - begun;
    if (question->keys)
        look_at_texts(finder, question);
    if (question->all && !g_atomic_int_get(&question->cancelled))
        found->hits = list_hits(finder->store, &question->view, &found->error);
    if (question->count && !found->error && !g_atomic_int_get(&question->cancelled))
        found->count = list_count(finder->store, &question->view, &found->exact);
    set_running(finder, NULL);
}

static gboolean
deliver(gpointer data)
{
    struct finder *finder = data;
    struct question *question;
    while ((question = g_async_queue_try_pop(finder->answers))) {
        g_ptr_array_remove_fast(finder->open, question);
        if (!g_atomic_int_get(&question->cancelled))
            question->done(finder->app, &question->found, question->data);
        question_free(question);
    }
    return G_SOURCE_REMOVE;
}

static gpointer
run(gpointer data)
{
    struct finder *finder = data;
    for (;;) {
        struct question *question = g_async_queue_pop(finder->queue);
        if (question->last) {
            g_free(question);
            break;
        }
        if (!g_atomic_int_get(&question->cancelled))
            look(finder, question);
        g_async_queue_push(finder->answers, question);
        g_idle_add_full(G_PRIORITY_DEFAULT, deliver, finder, NULL);
    }
    store_close(finder->store);
    return NULL;
}

static struct finder *
finder_new(struct app *app)
{
    struct finder *finder = g_new0(struct finder, 1);
    finder->app = app;
    finder->directory = g_strdup(store_dir(app->store));
    finder->queue = g_async_queue_new();
    finder->answers = g_async_queue_new();
    finder->open = g_ptr_array_new();
    g_mutex_init(&finder->lock);
    finder->thread = g_thread_new("finder", run, finder);
    return finder;
}

struct finder *
finder_of(struct app *app)
{
    if (!app->finder)
        app->finder = finder_new(app);
    return app->finder;
}

struct finder *
counter_of(struct app *app)
{
    if (!app->counter)
        app->counter = finder_new(app);
    return app->counter;
}

void
finder_cancel(struct finder *finder, gconstpointer owner)
{
    if (!finder)
        return;
    g_mutex_lock(&finder->lock);
    for (guint i = 0; i < finder->open->len; i++) {
        struct question *question = g_ptr_array_index(finder->open, i);
        if (owner && question->owner != owner)
            continue;
        g_atomic_int_set(&question->cancelled, TRUE);
        if (finder->running == question)
            store_interrupt(finder->store);
    }
    g_mutex_unlock(&finder->lock);
}

gboolean
finder_busy(const struct finder *finder, gconstpointer owner)
{
    for (guint i = 0; finder && i < finder->open->len; i++) {
        const struct question *question = g_ptr_array_index(finder->open, i);
        if (question->owner == owner && !g_atomic_int_get(&question->cancelled))
            return TRUE;
    }
    return FALSE;
}

static struct question *
question_new(struct finder *finder, gconstpointer owner, const struct list_view *view, finder_done done, gpointer data)
{
    finder_cancel(finder, owner);
    struct question *question = g_new0(struct question, 1);
    question->finder = finder;
    question->owner = owner;
    question->view = *view;
    question->view.folders = g_memdup2(view->folders, view->n_folders * sizeof *view->folders);
    question->view.query = view->query ? query_copy(view->query) : NULL;
    question->done = done;
    question->data = data;
    g_ptr_array_add(finder->open, question);
    return question;
}

void
finder_ask(struct finder *finder, gconstpointer owner, const struct list_view *view, gint64 key,
           enum list_direction direction, guint limit, gboolean count, finder_done done, gpointer data)
{
    struct question *question = question_new(finder, owner, view, done, data);
    question->key = key;
    question->direction = direction;
    question->limit = limit;
    question->count = count;
    g_async_queue_push(finder->queue, question);
}

void
finder_sort(struct finder *finder, gconstpointer owner, const struct list_view *view, enum order_by by,
            gboolean reverse, finder_done done, gpointer data)
{
    struct question *question = question_new(finder, owner, view, done, data);
    question->by = by;
    question->reverse = reverse;
    g_async_queue_push(finder->queue, question);
}

void
finder_split(struct finder *finder, gconstpointer owner, const struct list_view *view, const GPtrArray *queries,
             gboolean reverse, finder_done done, gpointer data)
{
    struct question *question = question_new(finder, owner, view, done, data);
    question->queries = g_ptr_array_new_with_free_func((GDestroyNotify)query_free);
    for (guint i = 0; i < queries->len; i++)
        g_ptr_array_add(question->queries, query_copy(g_ptr_array_index(queries, i)));
    question->reverse = reverse;
    g_async_queue_push(finder->queue, question);
}

void
finder_snippets(struct finder *finder, gconstpointer owner, const struct query *query, const GArray *keys, guint most,
                finder_done done, gpointer data)
{
    struct list_view view = {.kind = LIST_SEARCH, .query = query};
    struct question *question = question_new(finder, owner, &view, done, data);
    question->keys = g_array_sized_new(FALSE, FALSE, sizeof(gint64), keys->len);
    g_array_append_vals(question->keys, keys->data, keys->len);
    question->most = most;
    g_async_queue_push(finder->queue, question);
}

void
finder_ask_all(struct finder *finder, gconstpointer owner, const struct list_view *view, finder_done done, gpointer data)
{
    struct question *question = question_new(finder, owner, view, done, data);
    question->all = TRUE;
    g_async_queue_push(finder->queue, question);
}

void
finder_free(struct finder *finder)
{
    if (!finder)
        return;
    finder_cancel(finder, NULL);
    struct question *last = g_new0(struct question, 1);
    last->last = TRUE;
    g_async_queue_push(finder->queue, last);
    g_thread_join(finder->thread);
    deliver(finder);
    while (g_source_remove_by_user_data(finder))
        ;
    g_async_queue_unref(finder->queue);
    g_async_queue_unref(finder->answers);
    g_ptr_array_unref(finder->open);
    g_mutex_clear(&finder->lock);
    g_free(finder->directory);
    g_free(finder);
}
