#include "config.h"

#include "base/text.h"
#include "base/width.h"
#include "config/keep.h"
#include "sync/agree.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/link.h"
#include "ui/listview.h"
#include "ui/syncview.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <string.h>

struct syncview *
syncview_at_hand(struct app *app)
{
    return app_top(app)->class == &sync_class ? (struct syncview *)app_top(app) : NULL;
}

const struct syncrow *
syncview_row(const struct syncview *view)
{
    return view && view->rows && view->cursor < (int)view->rows->len
               ? &g_array_index(view->rows, struct syncrow, view->cursor)
               : NULL;
}

const struct keep *
syncview_policy(const struct app *app, const struct folder *folder)
{
    for (guint i = 0; i < app->config->accounts->len; i++) {
        const struct account *account = app->config->accounts->pdata[i];
        if (!strcmp(account->name, folder->account_name))
            return keep_of(account, folder->name);
    }
    return NULL;
}

/* Folders that a pass passes by have their place in the list of folders. */
static gboolean
is_shown(const struct syncrow *row)
{
    return standing_is_watched(row->standing) || row->standing == STANDING_HELD || row->standing == STANDING_LOCAL ||
           row->standing == STANDING_OFF || pending_count(row->pending);
}

static void
row_clear(gpointer row)
{
    g_free(((struct syncrow *)row)->watch);
}

static void
add_account(struct syncview *view, struct store_account *account, gint64 at_account, gint64 at_folder)
{
    struct store *store = view->view.app->store;
    gboolean paused = account_is_paused(store, account->id);
    struct syncrow row = {.account = account, .paused = paused};
    g_autofree char *server = history_server(store, account->id);
    row.watch = syncview_server_value(server, "watch");
    history_total(store, account->id, -1, &row.total, NULL);
    if (account->id == at_account && !at_folder)
        view->cursor = (int)view->rows->len;
    g_array_append_val(view->rows, row);
    for (guint i = 0; i < view->folders->len; i++) {
        struct folder *folder = view->folders->pdata[i];
        if (folder->account != account->id)
            continue;
        row = (struct syncrow){.account = account, .folder = folder, .paused = paused};
        row.pending = g_hash_table_lookup(view->pending, &folder->id);
        row.standing = standing_of(folder, syncview_policy(view->view.app, folder), row.pending);
        if (!is_shown(&row))
            continue;
        history_total(store, account->id, folder->id, &row.total, NULL);
        if (folder->id == at_folder)
            view->cursor = (int)view->rows->len;
        g_array_append_val(view->rows, row);
    }
}

static void
refresh(struct view *base)
{
    struct syncview *view = (struct syncview *)base;
    struct store *store = base->app->store;
    g_autoptr(GError) error = NULL;
    const struct syncrow *at = syncview_row(view);
    gint64 at_account = at ? at->account->id : 0, at_folder = at && at->folder ? at->folder->id : 0;
    g_autoptr(GPtrArray) accounts = store_account_list(store, &error);
    g_autoptr(GPtrArray) folders = accounts ? folder_list(store, 0, FALSE, &error) : NULL;
    g_autoptr(GHashTable) pending = folders ? pending_list(store, 0, &error) : NULL;
    if (!pending) {
        app_error(base->app, NULL, g_steal_pointer(&error));
        return;
    }
    g_array_set_size(view->rows, 0);
    g_clear_pointer(&view->accounts, g_ptr_array_unref);
    g_clear_pointer(&view->folders, g_ptr_array_unref);
    g_clear_pointer(&view->pending, g_hash_table_unref);
    view->accounts = g_steal_pointer(&accounts);
    view->folders = g_steal_pointer(&folders);
    view->pending = g_steal_pointer(&pending);
    for (guint i = 0; i < view->accounts->len; i++)
        add_account(view, view->accounts->pdata[i], at_account, at_folder);
}

static char *
title(struct view *view G_GNUC_UNUSED)
{
    return g_strdup(_("In step with the servers"));
}

static char *
title_right(struct view *base)
{
    const struct syncview *view = (const struct syncview *)base;
    guint64 moved = 0, saved = 0;
    for (guint i = 0; i < view->rows->len; i++) {
        const struct syncrow *row = &g_array_index(view->rows, struct syncrow, i);
        if (row->folder)
            continue;
        moved += row->total.counts.bytes_in + row->total.counts.bytes_out;
        saved += row->total.counts.saved + row->total.counts.known_bytes;
    }
    g_autofree char *moved_text = text_size(moved), *saved_text = text_size(saved);
    return g_strdup_printf(_("%s moved, %s saved"), moved_text, saved_text);
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {
        "sync-open", N_("details"), "sync-this", N_("now"), "sync-now", N_("all now"), "sync-agree", N_("agree"),
        "sync-pause", N_("pause"), "sync-folder", N_("go there"), "back", N_("back"), NULL};
    g_autofree char *right = link_status(view->app->link);
    draw_hints(view->app, line->row, line, IN_SYNC, hints, *right && width_text(right) < line->columns / 3 ? right : NULL);
}

static gboolean
move(struct view *base, int how)
{
    struct syncview *view = (struct syncview *)base;
    rows_move(how, (int)view->rows->len, view->page, &view->cursor, &view->top);
    return TRUE;
}

static void
sync_free_view(struct view *base)
{
    struct syncview *view = (struct syncview *)base;
    g_clear_pointer(&view->accounts, g_ptr_array_unref);
    g_clear_pointer(&view->folders, g_ptr_array_unref);
    g_clear_pointer(&view->pending, g_hash_table_unref);
    g_array_unref(view->rows);
    g_free(view);
}

const struct view_class sync_class = {
    .context = IN_SYNC,
    .draw = syncview_draw,
    .title = title,
    .title_right = title_right,
    .bottom = bottom,
    .refresh = refresh,
    .move = move,
    .free = sync_free_view,
};

void
command_sync(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (!app->store || app->files) {
        app_say(app, _("there are no accounts here to keep in step"));
        return;
    }
    struct syncview *view = g_new0(struct syncview, 1);
    view->view.class = &sync_class;
    view->rows = g_array_new(FALSE, FALSE, sizeof(struct syncrow));
    g_array_set_clear_func(view->rows, row_clear);
    app_push(app, &view->view);
    refresh(&view->view);
}

/* ---- what can be done ---- */

void
command_sync_this(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct syncrow *row = syncview_row(syncview_at_hand(app));
    if (!row)
        return;
    if (row->paused)
        app_say(app, _("%s is paused: P lets it go on"), row->account->name);
    else if (row->folder && row->standing == STANDING_HELD)
        app_say(app, _("%s is held back: A agrees to what it waits with"), row->folder->name);
    else if (row->folder && !standing_is_watched(row->standing))
        app_say(app, _("%s is not brought into step: %s"), row->folder->name, standing_word(row->standing));
    else if (link_sync_one(app->link, row->account->name, row->folder ? row->folder->name : NULL))
        app_say(app, _("looking at %s …"), row->folder ? row->folder->name : row->account->name);
    else
        app_warn(app, _("the engine cannot be reached yet: it is started anew, your changes are safe"));
}

struct wish {
    gint64 account, folder;
    char *name, *folder_name;
    gboolean pause;
};

static void
wish_free(gpointer data)
{
    struct wish *wish = data;
    g_free(wish->name);
    g_free(wish->folder_name);
    g_free(wish);
}

static struct wish *
wish_for(const struct syncrow *row)
{
    struct wish *wish = g_new0(struct wish, 1);
    wish->account = row->account->id;
    wish->name = g_strdup(row->account->name);
    wish->folder = row->folder ? row->folder->id : 0;
    wish->folder_name = g_strdup(row->folder ? row->folder->name : "");
    wish->pause = !row->paused;
    return wish;
}

static gboolean
write_agreement(struct store *store, gpointer data, GError **error)
{
    return sync_agree(store, ((const struct wish *)data)->folder, error);
}

/* A whole pass: only it knows what lies elsewhere now. */
static void
agreed(struct app *app, gpointer data, const GError *error)
{
    const struct wish *wish = data;
    if (error)
        app_warn(app, _("not done: %s"), error->message);
    else if (link_sync_one(app->link, wish->name, NULL))
        app_say(app, _("agreed: %s is brought into step …"), wish->folder_name);
    else
        app_say(app, _("agreed: the next pass brings %s into step"), wish->folder_name);
    app_store_changed(app);
}

static void
agree_yes(struct app *app, gpointer data G_GNUC_UNUSED)
{
    const struct syncrow *row = syncview_row(syncview_at_hand(app));
    if (row && row->folder)
        writer_run(app->writer, write_agreement, agreed, wish_for(row), wish_free);
}

void
command_sync_agree(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct syncrow *row = syncview_row(syncview_at_hand(app));
    if (!row || act_refused(app))
        return;
    if (!row->folder || row->standing != STANDING_HELD) {
        app_say(app, _("nothing is held back here"));
        return;
    }
    g_autofree char *question = g_strdup_printf(_("Do in %s what is held back (Enter in the list says what)?"),
                                                row->folder->name);
    prompt_confirm(app, question, agree_yes, NULL, NULL);
}

static gboolean
write_pause(struct store *store, gpointer data, GError **error)
{
    const struct wish *wish = data;
    return account_set_paused(store, wish->account, wish->pause, error);
}

static void
paused(struct app *app, gpointer data, const GError *error)
{
    const struct wish *wish = data;
    if (error) {
        app_warn(app, _("not done: %s"), error->message);
        return;
    }
    link_pause(app->link, wish->name, wish->pause);
    app_say(app, wish->pause ? _("%s rests: outgoing mail goes all the same; P lets it go on") : _("%s goes on"), wish->name);
    app_store_changed(app);
}

void
command_sync_pause(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct syncrow *row = syncview_row(syncview_at_hand(app));
    if (row && !act_refused(app))
        writer_run(app->writer, write_pause, paused, wish_for(row), wish_free);
}

void
command_sync_folder(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct syncrow *row = syncview_row(syncview_at_hand(app));
    gint64 id = row && row->folder ? row->folder->id : 0;
    if (!id)
        return;
    while (app->views->len > 1)
        app_pop(app);
    if (app_top(app)->class == &list_class)
        listview_show_folder((struct listview *)app_top(app), id);
}
