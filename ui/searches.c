/* Saved searches: folders of the side bar that are queries, kept in the configuration. */
#include "config.h"

#include "base/text.h"
#include "search/query.h"
#include "store/folder.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/listview.h"
#include "ui/sidebar.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <string.h>

#define SECTION "searches"

static const struct config_pair *
find(const struct app *app, const char *name)
{
    for (guint i = 0; i < app->config->searches->len; i++) {
        const struct config_pair *pair = &g_array_index(app->config->searches, struct config_pair, i);
        if (!strcmp(pair->key, name))
            return pair;
    }
    return NULL;
}

/* The saved search that the list shows. */
static const struct config_pair *
shown(struct app *app)
{
    const struct listview *list = listview_at_hand(app);
    for (guint i = 0; list && list->search && !list->limit && i < app->config->searches->len; i++) {
        const struct config_pair *pair = &g_array_index(app->config->searches, struct config_pair, i);
        if (!strcmp(pair->value, list->name))
            return pair;
    }
    return NULL;
}

/* ---- changing the file, off the screen's thread ---- */

struct change {
    char *path, *name, *query, *old;
};

static void
change_free(gpointer data)
{
    struct change *change = data;
    g_free(change->path);
    g_free(change->name);
    g_free(change->query);
    g_free(change->old);
    g_free(change);
}

static gboolean
work(struct store *store G_GNUC_UNUSED, gpointer data, GError **error)
{
    const struct change *change = data;
    return (!change->name || config_set(change->path, SECTION, change->name, change->query, error)) &&
           (!change->old || config_set(change->path, SECTION, change->old, NULL, error));
}

static void
done(struct app *app, gpointer data, const GError *error)
{
    const struct change *change = data;
    g_autoptr(GError) failure = NULL;
    g_autoptr(struct_config) now = error ? NULL : config_load(change->path, &failure);
    if (!now) {
        app_warn(app, _("not saved: %s"), error ? error->message : failure->message);
        return;
    }
    GArray *before = app->config->searches;
    app->config->searches = now->searches;
    now->searches = before;
    struct listview *bottom = g_ptr_array_index(app->views, 0);
    if (bottom->view.class == &list_class && bottom->sidebar)
        sidebar_refresh(bottom->sidebar);
    if (change->name)
        app_say(app, _("saved as %s: it stands in the side bar"), change->name);
    else
        app_say(app, _("the search %s is no longer kept"), change->old);
    app_dirty(app);
}

static void
change(struct app *app, const char *name, const char *query, const char *old)
{
    struct change *change = g_new0(struct change, 1);
    change->path = g_strdup(app->config->path);
    change->name = g_strdup(name);
    change->query = g_strdup(query);
    change->old = g_strdup(old);
    writer_run(app->writer, work, done, change, change_free);
}

/* ---- commands ---- */

/* What the list shows, as one query: a search, or a folder that is limited. */
static char *
query_at_hand(struct app *app)
{
    struct listview *list = listview_at_hand(app);
    if (!list || (!list->search && !list->limit))
        return NULL;
    if (list->search)
        return list->limit ? g_strdup_printf("(%s) (%s)", list->name, list->limit) : g_strdup(list->name);
    if (!list->folder)
        return g_strdup(list->limit);
    return g_strdup_printf("folder:\"%s/%s\" (%s)", list->account, list->name, list->limit);
}

static void
save_as(struct app *app, const char *name, gpointer data G_GNUC_UNUSED)
{
    g_autofree char *query = query_at_hand(app), *stripped = g_strstrip(g_strdup(name ? name : ""));
    g_autoptr(GError) error = NULL;
    if (!*stripped || !query)
        return;
    const struct config_pair *same = find(app, stripped);
    g_autoptr(struct_query) parsed = search_parse(query, SEARCH_NOTMUCH, NULL, &error);
    if (!parsed)
        app_warn(app, _("only a query in words can be saved: %s"), error->message);
    else if (same && strcmp(same->value, query))
        app_warn(app, _("there is a search called %s already: :delete-search %s takes it away"), stripped, stripped);
    else
        change(app, stripped, query, NULL);
}

void
command_save_search(struct app *app, const char *argument)
{
    g_autofree char *query = query_at_hand(app);
    if (!query || !*query) {
        app_say(app, _("search with / or limit with l first; then this keeps it in the side bar"));
        return;
    }
    if (argument) {
        save_as(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Save this search as: "), .done = save_as};
    prompt_line(app, &spec);
}

static void
rename_to(struct app *app, const char *name, gpointer data G_GNUC_UNUSED)
{
    const struct config_pair *pair = shown(app);
    g_autofree char *stripped = g_strstrip(g_strdup(name ? name : ""));
    if (!pair || !*stripped || !strcmp(pair->key, stripped))
        return;
    if (find(app, stripped))
        app_warn(app, _("there is a search called %s already"), stripped);
    else
        change(app, stripped, pair->value, pair->key);
}

void
command_rename_search(struct app *app, const char *argument)
{
    const struct config_pair *pair = shown(app);
    if (!pair) {
        app_say(app, _("open a search of the side bar first"));
        return;
    }
    if (argument) {
        rename_to(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Rename the search to: "), .text = pair->key, .done = rename_to};
    prompt_line(app, &spec);
}

void
command_delete_search(struct app *app, const char *argument)
{
    const struct config_pair *pair = argument ? find(app, argument) : shown(app);
    if (pair)
        change(app, NULL, NULL, pair->key);
    else if (argument)
        app_say(app, _("there is no search called %s"), argument);
    else
        app_say(app, _("open a search of the side bar first, or name one"));
}
