#include "config.h"

#include "ui/start.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "store/account.h"
#include "store/autosave.h"
#include "store/folder.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/compose.h"
#include "ui/files.h"
#include "ui/link.h"
#include "ui/listview.h"
#include "ui/sidebar.h"
#include "ui/text.h"
#include "ui/writer.h"

gboolean
start_store(struct app *app, GError **error)
{
    g_autoptr(GError) first = NULL;
    app->store = store_open(NULL, STORE_READ, &first);
    if (app->store)
        return TRUE;
    if (app->read_only || app->request->read_only) {
        g_propagate_error(error, g_steal_pointer(&first));
        return FALSE;
    }
    /* Not there yet, or of an older version: a writer mends both. */
    struct store *made = store_open(NULL, STORE_WRITE, error);
    if (!made)
        return FALSE;
    store_close(made);
    app->store = store_open(NULL, STORE_READ, error);
    return app->store != NULL;
}

static struct listview *
first_list(struct app *app)
{
    struct listview *list = listview_new(app);
    list->sidebar = sidebar_new(app);
    app_push(app, &list->view);
    return list;
}

/* Accounts of the configuration that the store does not know yet: the side bar and the composer name them. */
static gboolean
ensure_accounts(struct store *store, gpointer data, GError **error)
{
    GPtrArray *accounts = data;
    for (guint i = 0; i < accounts->len; i++) {
        g_auto(GStrv) words = g_strsplit(g_ptr_array_index(accounts, i), "\n", -1);
        if (!store_account_ensure(store, words[0], (const char *const *)words + 1, error))
            return FALSE;
    }
    return TRUE;
}

static void
know_accounts(struct app *app)
{
    GPtrArray *missing = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < app->config->accounts->len; i++) {
        const struct account *account = g_ptr_array_index(app->config->accounts, i);
        if (store_account_find(app->store, account->name))
            continue;
        GString *line = g_string_new(account->name);
        g_string_append_printf(line, "\n%s", account->address);
        for (char **alias = account->aliases; alias && *alias; alias++)
            g_string_append_printf(line, "\n%s", *alias);
        g_ptr_array_add(missing, g_string_free(line, FALSE));
    }
    if (missing->len && !app->read_only)
        writer_run(app->writer, ensure_accounts, NULL, missing, (GDestroyNotify)g_ptr_array_unref);
    else
        g_ptr_array_unref(missing);
}

static void
open_folder(struct app *app, struct listview *list, const char *name)
{
    g_autoptr(GError) error = NULL;
    gint64 folder = folder_lookup(app->store, 0, name, &error);
    if (folder)
        listview_show_folder(list, folder);
    else
        app_error(app, NULL, g_steal_pointer(&error));
}

/* What an earlier session was writing when it ended (D4). */
static void
offer_autosaves(struct app *app)
{
    g_autoptr(GPtrArray) saves = autosave_list(app->store, NULL);
    for (guint i = 0; saves && i < saves->len; i++) {
        const struct autosave *save = g_ptr_array_index(saves, i);
        if (save->alive)
            continue;
        g_autofree char *when = clock_relative(save->time, clock_now());
        app_say(app, _("R goes on with \"%s\", that was being written %s"),
                save->title && *save->title ? save->title : _("no subject"), when);
        app_hold();
        return;
    }
}

void
start_mail(struct app *app)
{
    know_accounts(app);
    if (!app->link && !app->read_only)
        app->link = link_new(app);
    struct listview *list = (struct listview *)app_top(app);
    g_autoptr(GPtrArray) folders = folder_list(app->store, 0, FALSE, NULL);
    if (app->request->folder)
        open_folder(app, list, app->request->folder);
    else if (folders && folders->len)
        listview_show_start(list);
    offer_autosaves(app);
}

void
start_views(struct app *app)
{
    const struct screen_request *request = app->request;
    app->writer = writer_new(app);
    struct listview *list = first_list(app);
    (void)list;
    if (request->path) {
        files_open(app, request->path);
        return;
    }
    if (!app->config->accounts->len) {
        command_setup(app, NULL);
        return;
    }
    start_mail(app);
    if (request->folders)
        command_folders(app, NULL);
    if (request->recall)
        command_recall(app, NULL);
    if (request->draft)
        compose_open_file(app, request->draft, request->draft_temporary);
    for (char **line = request->commands; line && *line; line++)
        app_run_line(app, *line);
}
