#include "config.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/width.h"
#include "store/folder.h"
#include "store/intent.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/listview.h"
#include "ui/term.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <string.h>

struct foldersview {
    struct view view;
    GPtrArray *folders;
    int cursor, top, page;
};

static const struct view_class folders_class;

static struct foldersview *
at_hand(struct app *app)
{
    return app_top(app)->class == &folders_class ? (struct foldersview *)app_top(app) : NULL;
}

static const struct folder *
current(const struct foldersview *view)
{
    return view && view->folders && view->cursor < (int)view->folders->len
               ? g_ptr_array_index(view->folders, (guint)view->cursor)
               : NULL;
}

static void
refresh(struct view *view)
{
    struct foldersview *list = (struct foldersview *)view;
    g_autoptr(GError) error = NULL;
    const struct folder *at = current(list);
    gint64 id = at ? at->id : 0;
    GPtrArray *folders = folder_list(view->app->store, 0, FALSE, &error);
    if (!folders) {
        app_error(view->app, NULL, g_steal_pointer(&error));
        return;
    }
    g_clear_pointer(&list->folders, g_ptr_array_unref);
    list->folders = folders;
    for (guint i = 0; i < folders->len; i++)
        if (((struct folder *)g_ptr_array_index(folders, i))->id == id)
            list->cursor = (int)i;
}

/* Columns: behind the left edge; the others behind the counts, which follow the name. */
#define NAME_AT 14
#define COUNT_WIDTH 8
#define ROLE_AT (2 * COUNT_WIDTH + 2)
#define SYNCED_AT 8
#define SYNCED_WIDTH 6
#define STATE_AT (SYNCED_AT + SYNCED_WIDTH + 2)

static int
name_width(int columns)
{
    return CLAMP(columns - 60, 20, 60);
}

static void
draw_one(const struct folder *folder, int row, const struct area *area, enum ground ground, gboolean first)
{
    int column = area->column, wide = area->columns;
    g_autofree char *account = first ? text_safe(folder->account_name, -1, TEXT_LINE) : g_strdup("");
    g_autofree char *name = text_safe(folder->name, -1, TEXT_LINE);
    g_autofree char *total = g_strdup_printf("%" G_GINT64_FORMAT, folder->total);
    g_autofree char *unread =
        folder->unread ? g_strdup_printf("%" G_GINT64_FORMAT, folder->unread) : g_strdup("");
    g_autofree char *unread_fit = width_fit_right(unread, COUNT_WIDTH);
    g_autofree char *total_fit = width_fit_right(total, COUNT_WIDTH);
    term_fill(row, column, 1, wide, STYLE_ON(ROLE_TEXT, ground));
    int name_cells = name_width(wide);
    term_put(row, column + 1, NAME_AT - 2, STYLE_ON(ROLE_BOLD, ground), account);
    g_autofree char *cut = width_cut(name, name_cells);
    term_put(row, column + NAME_AT, name_cells, STYLE_ON(folder->unread ? ROLE_UNREAD : ROLE_TEXT, ground), cut);
    int at = column + NAME_AT + name_cells;
    term_put(row, at, COUNT_WIDTH, STYLE_ON(ROLE_ACCENT, ground), unread_fit);
    term_put(row, at + COUNT_WIDTH, COUNT_WIDTH, STYLE_ON(ROLE_DIM, ground), total_fit);
    g_autofree char *when = folder->synced ? clock_short(folder->synced, clock_now()) : g_strdup("");
    const char *state = !folder->wire && !folder->local       ? _("not on the server yet")
                        : !(folder->bits & FOLDER_SUBSCRIBED) ? _("not subscribed")
                                                              : "";
    at += ROLE_AT;
    int end = column + wide - 1;
    if (folder->notice) { /* it matters more than the rest */
        term_put(row, at, end - at, STYLE_ON(ROLE_WARN, ground), folder->notice);
        return;
    }
    term_put(row, at, MIN(SYNCED_AT, end - at), STYLE_ON(ROLE_DIM, ground), folder_role_name(folder->role));
    g_autofree char *when_fit = width_fit_right(when, SYNCED_WIDTH);
    term_put(row, at + SYNCED_AT, MIN(SYNCED_WIDTH, end - at - SYNCED_AT), STYLE_ON(ROLE_DATE, ground), when_fit);
    term_put(row, at + STATE_AT, end - at - STATE_AT, STYLE_ON(ROLE_DIM, ground), state);
}

static void
draw_head(int row, const struct area *area)
{
    int at = area->column + NAME_AT + name_width(area->columns);
    g_autofree char *unread = width_fit_right(_("unread"), COUNT_WIDTH), *total = width_fit_right(_("mail"), COUNT_WIDTH),
                    *synced = width_fit_right(_("read"), SYNCED_WIDTH);
    const struct {
        int column;
        const char *text;
    } heads[] = {{area->column + 1, _("account")}, {area->column + NAME_AT, _("folder")}, {at, unread}, {at + COUNT_WIDTH, total},
                 {at + ROLE_AT, _("role")},        {at + ROLE_AT + SYNCED_AT, synced}};
    for (guint i = 0; i < G_N_ELEMENTS(heads); i++)
        term_put(row, heads[i].column, area->column + area->columns - heads[i].column, PLAIN(ROLE_DIM), heads[i].text);
}

static void
draw(struct view *view, const struct area *area)
{
    struct foldersview *list = (struct foldersview *)view;
    int n = list->folders ? (int)list->folders->len : 0, head = n && area->rows >= 6;
    list->page = area->rows - head;
    rows_clamp(n, list->page, &list->cursor, &list->top);
    if (!n)
        draw_notice(area, _("No folders yet\nThey come with the first look at the server: $"));
    if (head)
        draw_head(area->row, area);
    for (int i = 0; i < list->page && list->top + i < n; i++) {
        const struct folder *folder = g_ptr_array_index(list->folders, (guint)(list->top + i));
        const struct folder *before =
            list->top + i ? g_ptr_array_index(list->folders, (guint)(list->top + i - 1)) : NULL;
        gboolean first = !i || !before || before->account != folder->account;
        draw_one(folder, area->row + head + i, area, list->top + i == list->cursor ? GROUND_CURSOR : GROUND_PLAIN,
                 first);
    }
}

static char *
title(struct view *view G_GNUC_UNUSED)
{
    return g_strdup(_("Folders"));
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {"folder-open",
                                        N_("open"),
                                        "folder-create",
                                        N_("new"),
                                        "folder-rename",
                                        N_("rename"),
                                        "folder-delete",
                                        N_("delete"),
                                        "folder-subscribe",
                                        N_("subscribe"),
                                        "back",
                                        N_("back"),
                                        NULL};
    draw_hints(view->app, line->row, line, IN_FOLDERS, hints, NULL);
}

static gboolean
move(struct view *view, int how)
{
    struct foldersview *list = (struct foldersview *)view;
    rows_move(how, list->folders ? (int)list->folders->len : 0, list->page, &list->cursor, &list->top);
    return TRUE;
}

static void
folders_free(struct view *view)
{
    struct foldersview *list = (struct foldersview *)view;
    g_clear_pointer(&list->folders, g_ptr_array_unref);
    g_free(list);
}

static const struct view_class folders_class = {
    .context = IN_FOLDERS,
    .draw = draw,
    .title = title,
    .bottom = bottom,
    .refresh = refresh,
    .move = move,
    .free = folders_free,
};

void
command_folders(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (!app->store)
        return;
    struct foldersview *list = g_new0(struct foldersview, 1);
    list->view.class = &folders_class;
    app_push(app, &list->view);
    refresh(&list->view);
    struct listview *below = listview_at_hand(app);
    for (guint i = 0; below && list->folders && i < list->folders->len; i++)
        if (((struct folder *)g_ptr_array_index(list->folders, i))->id == below->folder)
            list->cursor = (int)i;
}

void
command_folder_open(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct folder *folder = current(at_hand(app));
    gint64 id = folder ? folder->id : 0;
    if (!id)
        return;
    while (app->views->len > 1)
        app_pop(app);
    if (app_top(app)->class == &list_class)
        listview_show_folder((struct listview *)app_top(app), id);
}

/* ---- changing folders ---- */

enum change { CHANGE_CREATE, CHANGE_RENAME, CHANGE_DELETE, CHANGE_SUBSCRIBE };

struct changing {
    enum change change;
    gint64 account, folder;
    char *name;
    gboolean on;
};

static void
changing_free(gpointer data)
{
    struct changing *changing = data;
    g_free(changing->name);
    g_free(changing);
}

static gboolean
work(struct store *store, gpointer data, GError **error)
{
    struct changing *changing = data;
    gint64 made;
    switch (changing->change) {
    case CHANGE_CREATE:
        return intent_folder_create(store, changing->account, changing->name, &made, error) != 0;
    case CHANGE_RENAME:
        return intent_folder_rename(store, changing->folder, changing->name, error) != 0;
    case CHANGE_DELETE:
        return intent_folder_delete(store, changing->folder, error) != 0;
    case CHANGE_SUBSCRIBE:
        return intent_folder_subscribe(store, changing->folder, changing->on, error) != 0;
    }
    return FALSE;
}

static void
done(struct app *app, gpointer data, const GError *error)
{
    const struct changing *changing = data;
    if (error) {
        app_warn(app, _("not done: %s"), error->message);
        return;
    }
    switch (changing->change) {
    case CHANGE_CREATE:
        app_say(app, _("%s is made"), changing->name);
        break;
    case CHANGE_RENAME:
        app_say(app, _("renamed to %s"), changing->name);
        break;
    case CHANGE_DELETE:
        app_say(app, _("%s is deleted (u takes it back)"), changing->name);
        break;
    case CHANGE_SUBSCRIBE:
        app_say(app, changing->on ? _("%s is subscribed") : _("%s is no longer subscribed"), changing->name);
        break;
    }
}

static void
change(struct app *app, enum change what, const char *name)
{
    const struct folder *folder = current(at_hand(app));
    if (!folder || act_refused(app))
        return;
    struct changing *changing = g_new0(struct changing, 1);
    changing->change = what;
    changing->account = folder->account;
    changing->folder = folder->id;
    changing->name = g_strdup(name ? name : folder->name);
    changing->on = !(folder->bits & FOLDER_SUBSCRIBED);
    writer_run(app->writer, work, done, changing, changing_free);
}

static void
name_typed(struct app *app, const char *text, gpointer data)
{
    if (text && *text)
        change(app, (enum change)GPOINTER_TO_INT(data), text);
}

static void
ask_name(struct app *app, enum change what, const char *argument, const char *label, const char *text)
{
    if (!current(at_hand(app)))
        return;
    if (argument) {
        change(app, what, argument);
        return;
    }
    struct prompt_spec spec = {
        .label = label, .text = text, .done = name_typed, .data = GINT_TO_POINTER(what)};
    prompt_line(app, &spec);
}

void
command_folder_create(struct app *app, const char *argument)
{
    ask_name(app, CHANGE_CREATE, argument, _("New folder: "), NULL);
}

void
command_folder_rename(struct app *app, const char *argument)
{
    const struct folder *folder = current(at_hand(app));
    ask_name(app, CHANGE_RENAME, argument, _("Rename to: "), folder ? folder->name : NULL);
}

static void
delete_yes(struct app *app, gpointer data G_GNUC_UNUSED)
{
    change(app, CHANGE_DELETE, NULL);
}

void
command_folder_delete(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct folder *folder = current(at_hand(app));
    if (!folder)
        return;
    g_autofree char *question =
        folder->total ? g_strdup_printf(_("Delete %s and the %" G_GINT64_FORMAT " messages in it?"),
                                        folder->name, folder->total)
                      : g_strdup_printf(_("Delete %s?"), folder->name);
    prompt_confirm(app, question, delete_yes, NULL, NULL);
}

void
command_folder_subscribe(struct app *app, const char *argument G_GNUC_UNUSED)
{
    change(app, CHANGE_SUBSCRIBE, NULL);
}
