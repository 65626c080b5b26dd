#include "config.h"

#include "ui/tally.h"

#include "base/flags.h"
#include "ui/app.h"
#include "ui/finder.h"

#include <string.h>

#define SECONDS_MAX 3 /* for one count */
#define REST 9        /* times as long as a round took */

struct item {
    char *name;
    struct list_view view; /* folders and query are its own */
    gint64 unread, total;  /* -1: not known */
};

struct tally {
    struct app *app;
    GPtrArray *items; /* of struct item, in the order they are counted */
    guint at;         /* the item that is being counted; items->len: none is */
    gboolean all;     /* all of it, after what is unread */
    gboolean stale;   /* once more, from the first */
    gint64 begun, taken; /* of the last round, microseconds */
    guint timer, limit;
};

static void ask(struct tally *tally);

static void
item_free(gpointer data)
{
    struct item *item = data;
    g_free((gpointer)item->view.folders);
    query_free((struct query *)item->view.query);
    g_free(item->name);
    g_free(item);
}

struct tally *
tally_new(struct app *app)
{
    struct tally *tally = g_new0(struct tally, 1);
    tally->app = app;
    tally->items = g_ptr_array_new_with_free_func(item_free);
    return tally;
}

void
tally_free(struct tally *tally)
{
    if (!tally)
        return;
    finder_cancel(tally->app->counter, tally);
    g_clear_handle_id(&tally->timer, g_source_remove);
    g_clear_handle_id(&tally->limit, g_source_remove);
    g_ptr_array_unref(tally->items);
    g_free(tally);
}

static gboolean
is_running(const struct tally *tally)
{
    return tally->at < tally->items->len && finder_busy(tally->app->counter, tally);
}

static struct item *
find(const struct tally *tally, const char *name, guint *at)
{
    for (guint i = 0; i < tally->items->len; i++) {
        struct item *item = g_ptr_array_index(tally->items, i);
        if (strcmp(item->name, name))
            continue;
        if (at)
            *at = i;
        return item;
    }
    return NULL;
}

/* ---- a round ---- */

static gboolean
begin(gpointer data)
{
    struct tally *tally = data;
    tally->timer = 0;
    tally->stale = FALSE;
    tally->at = 0;
    tally->all = FALSE;
    tally->begun = g_get_monotonic_time();
    ask(tally);
    return G_SOURCE_REMOVE;
}

static void
next(struct tally *tally)
{
    if (!tally->all) {
        tally->all = TRUE;
    } else {
        tally->all = FALSE;
        tally->at++;
    }
    if (tally->at < tally->items->len) {
        ask(tally);
        return;
    }
    tally->taken = g_get_monotonic_time() - tally->begun;
    app_dirty(tally->app);
    if (tally->stale)
        tally_again(tally);
}

static void
counted(struct app *app G_GNUC_UNUSED, struct found *found, gpointer data)
{
    struct tally *tally = data;
    g_clear_handle_id(&tally->limit, g_source_remove);
    if (tally->at < tally->items->len) {
        struct item *item = g_ptr_array_index(tally->items, tally->at);
        *(tally->all ? &item->total : &item->unread) = found->count;
    }
    next(tally);
}

static gboolean
too_long(gpointer data)
{
    struct tally *tally = data;
    tally->limit = 0;
    finder_cancel(tally->app->counter, tally);
    if (tally->at < tally->items->len) {
        struct item *item = g_ptr_array_index(tally->items, tally->at);
        *(tally->all ? &item->total : &item->unread) = -1;
    }
    next(tally);
    return G_SOURCE_REMOVE;
}

static void
ask(struct tally *tally)
{
    if (tally->at >= tally->items->len)
        return;
    const struct item *item = g_ptr_array_index(tally->items, tally->at);
    struct list_view view = item->view;
    g_autoptr(struct_query) unread = NULL;
    view.count_most = TALLY_MOST;
    if (!tally->all) {
        unread = query_new_pair(QUERY_AND, query_copy(view.query), query_new_not(query_new_flag(FLAG_SEEN)));
        view.query = unread;
    }
    finder_ask(counter_of(tally->app), tally, &view, 0, LIST_OLDER, 0, TRUE, counted, tally);
    tally->limit = g_timeout_add_seconds(SECONDS_MAX, too_long, tally);
}

void
tally_again(struct tally *tally)
{
    if (!tally->items->len || tally->timer)
        return;
    if (is_running(tally)) {
        tally->stale = TRUE;
        return;
    }
    gint64 wait = tally->begun + tally->taken * (REST + 1) - g_get_monotonic_time();
    tally->timer = g_timeout_add((guint)CLAMP(wait / 1000, 0, 600000), begin, tally);
}

/* ---- what is counted ---- */

void
tally_want(struct tally *tally, const char *name, const struct list_view *view)
{
    struct item *item = find(tally, name, NULL);
    if (item && query_equal(item->view.query, view->query) && item->view.n_folders == view->n_folders &&
        !memcmp(item->view.folders, view->folders, view->n_folders * sizeof *view->folders))
        return;
    tally_forget(tally, name);
    item = g_new0(struct item, 1);
    item->name = g_strdup(name);
    item->view = *view;
    item->view.folders = g_memdup2(view->folders, view->n_folders * sizeof *view->folders);
    item->view.query = query_copy(view->query);
    item->unread = item->total = -1;
    g_ptr_array_add(tally->items, item);
    tally_again(tally);
}

void
tally_forget(struct tally *tally, const char *name)
{
    guint at;
    if (!find(tally, name, &at))
        return;
    gboolean running = is_running(tally);
    finder_cancel(tally->app->counter, tally);
    g_clear_handle_id(&tally->limit, g_source_remove);
    g_ptr_array_remove_index(tally->items, at);
    tally->at = tally->items->len;
    if (running)
        tally_again(tally);
}

char *
tally_text(const struct tally *tally, const char *name, gboolean *unread)
{
    const struct item *item = find(tally, name, NULL);
    *unread = item && item->unread > 0;
    gint64 count = !item ? 0 : *unread ? item->unread : item->total;
    if (count <= 0)
        return g_strdup("");
    return count >= TALLY_MOST ? g_strdup_printf("%d+", TALLY_MOST - 1) : g_strdup_printf("%d", (int)count);
}
