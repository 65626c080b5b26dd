#include "config.h"

#include "ui/stats.h"

#include "base/clock.h"
#include "store/stats.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/term.h"
#include "ui/text.h"
#include "ui/textview.h"

#define MONTHS 24
#define PEOPLE 20

struct counting {
    struct app *app;
    GThread *thread;
    char *directory;
    guint months;
    GMutex lock;         /* guards the two below */
    struct store *store; /* of the thread */
    gboolean is_over;    /* nobody wants the answer */
    struct stats *stats;
    GError *error;
};

static void
show(struct app *app, const struct stats *stats)
{
    g_autoptr(GPtrArray) text = stats_to_lines(stats, term_columns() - 3, term_is_ascii());
    GPtrArray *lines = textlines_new();
    for (guint i = 0; i < text->len; i++) {
        const char *line = text->pdata[i];
        textline_add(lines, *line && *line != ' ' ? ROLE_TITLE : ROLE_TEXT, "%s", line);
    }
    textview_open_lines(app, _("Statistics"), NULL, lines);
}

static gboolean
counted(gpointer data)
{
    struct counting *counting = data;
    struct app *app = counting->app;
    if (counting->stats)
        show(app, counting->stats);
    else
        app_error(app, _("the mail could not be counted"), g_steal_pointer(&counting->error));
    app->counting = NULL;
    counting_free(counting);
    app_dirty(app);
    return G_SOURCE_REMOVE;
}

static gpointer
run(gpointer data)
{
    struct counting *counting = data;
    g_autoptr(struct_store) store = store_open(counting->directory, STORE_WRITE, &counting->error);
    g_mutex_lock(&counting->lock);
    counting->store = store;
    gboolean is_over = counting->is_over;
    g_mutex_unlock(&counting->lock);
    if (store && !is_over)
        counting->stats = stats_load(store, clock_now(), counting->months, PEOPLE, &counting->error);
    g_mutex_lock(&counting->lock);
    counting->store = NULL;
    g_mutex_unlock(&counting->lock);
    g_idle_add_full(G_PRIORITY_DEFAULT, counted, counting, NULL);
    return NULL;
}

void
counting_free(struct counting *counting)
{
    if (!counting)
        return;
    g_mutex_lock(&counting->lock);
    counting->is_over = TRUE;
    if (counting->store)
        store_interrupt(counting->store);
    g_mutex_unlock(&counting->lock);
    g_thread_join(counting->thread);
    while (g_source_remove_by_user_data(counting))
        ;
    g_mutex_clear(&counting->lock);
    stats_free(counting->stats);
    g_clear_error(&counting->error);
    g_free(counting->directory);
    g_free(counting);
}

/* How many months may be said: ":stats 60", 0 for all. */
void
command_stats(struct app *app, const char *argument)
{
    guint64 months = MONTHS;
    if (!app->store || app->counting)
        return;
    if (argument && *argument && !g_ascii_string_to_unsigned(argument, 10, 0, 12000, &months, NULL)) {
        app_warn(app, _("\"%s\" is no number of months"), argument);
        return;
    }
    struct counting *counting = app->counting = g_new0(struct counting, 1);
    counting->app = app;
    counting->months = (guint)months;
    counting->directory = g_strdup(store_dir(app->store));
    g_mutex_init(&counting->lock);
    app_say(app, _("counting …"));
    counting->thread = g_thread_new("stats", run, counting);
}
