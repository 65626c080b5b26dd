#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/width.h"
#include "store/account.h"
#include "store/undo.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/link.h"
#include "ui/sent.h"
#include "ui/spawn.h"
#include "ui/term.h"
#include "ui/text.h"
#include "ui/textview.h"
#include "ui/writer.h"

#include <signal.h>
#include <string.h>

/* ---- moving: the view knows how ---- */

static void
move(struct app *app, enum move_how how)
{
    struct view *top = app_top(app);
    if (top->class->move)
        top->class->move(top, how);
}

#define MOVE(name, how)                                                                                      \
    void command_##name(struct app *app, const char *argument)                                               \
    {                                                                                                        \
        (void)argument;                                                                                      \
        move(app, how);                                                                                      \
    }
MOVE(next, MOVE_NEXT)
MOVE(previous, MOVE_PREVIOUS)
MOVE(page_down, MOVE_PAGE_DOWN)
MOVE(page_up, MOVE_PAGE_UP)
MOVE(half_down, MOVE_HALF_DOWN)
MOVE(half_up, MOVE_HALF_UP)
MOVE(first, MOVE_FIRST)
MOVE(last, MOVE_LAST)
MOVE(top, MOVE_TOP)
MOVE(middle, MOVE_MIDDLE)
MOVE(line_down, MOVE_LINE_DOWN)
MOVE(line_up, MOVE_LINE_UP)

/* ---- leaving ---- */

static void
quit_yes(struct app *app, gpointer data G_GNUC_UNUSED)
{
    app_quit(app);
}

void
command_back(struct app *app, const char *argument G_GNUC_UNUSED)
{
    app_back(app);
}

void
command_quit(struct app *app, const char *argument G_GNUC_UNUSED)
{
    for (guint i = 0; i < app->views->len; i++) {
        struct view *view = g_ptr_array_index(app->views, i);
        if (view->class->context == IN_COMPOSER) {
            prompt_confirm(app, _("A message is being written: it is kept for the next time. Leave?"),
                           quit_yes, NULL, NULL);
            return;
        }
    }
    app_quit(app);
}

/* ---- the palette ---- */

static GPtrArray *
complete_command(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED,
                 gsize *to G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    GPtrArray *result = candidates_new();
    const char *space = strchr(text, ' ');
    if (space) {
        g_autofree char *name = g_strndup(text, (gsize)(space - text));
        const struct command *command = command_find(name);
        if (command && command->argument) /* an argument is being typed */
            return result;
    }
    guint context = app_top(app)->class->context;
    g_autoptr(GPtrArray) found = command_match(text, context);
    for (guint i = 0; i < found->len; i++) {
        const struct command *command = g_ptr_array_index(found, i);
        g_autofree char *key = keymap_key(app->keymap, command, context);
        g_autofree char *fit = width_fit(key, 12);
        g_autofree char *note = g_strdup_printf("%s %s", fit, _(command->help));
        g_ptr_array_add(result, candidate_new(command->name, NULL, note));
    }
    return result;
}

void
app_run_line(struct app *app, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 2);
    const struct command *command = command_find(words[0]);
    const char *argument = words[1] && *words[1] ? words[1] : NULL;
    if (!command) {
        app_warn(app, _("there is no command \"%s\""), words[0]);
        return;
    }
    if (!(command->contexts & app_top(app)->class->context)) {
        g_autofree char *where = command_context_names(command->contexts);
        app_warn(app, _("%s works in: %s"), command->name, where);
        return;
    }
    app_run_command(app, command, argument);
}

static void
command_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    if (text && *text)
        app_run_line(app, text);
}

void
command_command(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct prompt_spec spec = {.label = ":",
                               .history = "command",
                               .list = TRUE,
                               .free = TRUE,
                               .complete = complete_command,
                               .done = command_typed};
    prompt_line(app, &spec);
}

/* ---- help ---- */

#define HELP_KEYS 22
#define HELP_NAME 18

static void
help_command(struct app *app, GPtrArray *lines, const struct command *command)
{
    g_autofree char *keys = keymap_keys(app->keymap, command);
    g_autofree char *fit = width_fit(*keys ? keys : "", HELP_KEYS);
    g_autofree char *name = width_fit(command->name, HELP_NAME);
    textline_add(lines, ROLE_TEXT, "  %s %s %s", fit, name, _(command->help));
    textline_hang(lines, 2 + HELP_KEYS + 1 + HELP_NAME + 1);
}

static void
help_heading(GPtrArray *lines, const char *text)
{
    textline_add(lines, ROLE_TEXT, "%s", "");
    textline_add(lines, ROLE_HEADING, "%s", text);
    textline_add(lines, ROLE_TEXT, "%s", "");
}

void
command_help(struct app *app, const char *argument G_GNUC_UNUSED)
{
    guint context = app_top(app)->class->context;
    GPtrArray *lines = textlines_new();
    textline_add(lines, ROLE_HEADING, "%s", _("HERE"));
    textline_add(lines, ROLE_TEXT, "%s", "");
    for (const struct command *command = command_table; command->name; command++) {
        g_autofree char *key = keymap_key(app->keymap, command, context);
        if (command->contexts & context && *key && (command->contexts & IN_ANY) != IN_ANY)
            help_command(app, lines, command);
    }
    for (enum command_group group = 0; group < GROUP_COUNT; group++) {
        g_autofree char *upper = g_utf8_strup(command_group_name(group), -1);
        help_heading(lines, upper);
        for (const struct command *command = command_table; command->name; command++)
            if (command->group == group)
                help_command(app, lines, command);
    }
    help_heading(lines, _("IN A LINE THAT IS TYPED"));
    textline_add(lines, ROLE_TEXT, "  %s",
                 _("Tab completes, Up and Down go through what was typed before, Ctrl-A and Ctrl-E go to the ends, Ctrl-W, "
                   "Ctrl-U and Ctrl-K cut, Ctrl-Y puts back, Ctrl-G or Esc leaves."));
    textline_hang(lines, 2);
    help_heading(lines, _("OTHER KEYS"));
    textline_add(lines, ROLE_TEXT, "  %s",
                 _("Keys are changed in the configuration: \"[keys]\" and lines such as \"archive = A, Esc a\". The sets "
                   "mutt, aerc, alpine and vi are chosen with \"keys = vi\" in \"[general]\"."));
    textline_hang(lines, 2);
    textview_open_lines(app, _("Help"), NULL, lines);
}

void
command_messages(struct app *app, const char *argument G_GNUC_UNUSED)
{
    GString *out = g_string_new(NULL);
    const GPtrArray *accounts = app->link ? link_accounts(app->link) : NULL;
    for (guint i = 0; accounts && i < accounts->len; i++) {
        const struct link_account *account = g_ptr_array_index(accounts, i);
        g_autofree char *when =
            account->synced ? clock_relative(account->synced, clock_now()) : g_strdup(_("never"));
        g_string_append_printf(out, _("%s: %s%s%s   last in step: %s\n"), account->name,
                               *account->state ? account->state : "?", *account->text ? ": " : "",
                               account->text, when);
    }
    if (!link_is_connected(app->link))
        g_string_append(out, _("no engine runs: what is changed waits until it does\n"));
    g_string_append_c(out, '\n');
    for (guint i = app->messages->len; i-- > 0;)
        g_string_append_printf(out, "%s\n", (char *)g_ptr_array_index(app->messages, i));
    textview_open(app, _("Messages"), out->str);
    g_string_free(out, TRUE);
}

/* ---- the program ---- */

void
command_redraw(struct app *app, const char *argument G_GNUC_UNUSED)
{
    term_resize();
    term_repaint();
    app_store_changed(app);
}

void
command_suspend(struct app *app G_GNUC_UNUSED, const char *argument G_GNUC_UNUSED)
{
    raise(SIGTSTP); /* the handler does the rest */
}

static void
shell_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    if (!text)
        return;
    const char *shell = g_getenv("SHELL");
    if (!shell || !*shell)
        shell = "/bin/sh";
    g_autoptr(GError) error = NULL;
    if (!*text) {
        const char *argv[] = {shell, NULL};
        if (!spawn_terminal(app, argv, NULL, NULL, NULL, NULL, &error))
            app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
    const char *argv[] = {shell, "-c", text, NULL};
    spawn_filter(app, argv, nothing, text);
}

void
command_shell(struct app *app, const char *argument)
{
    if (argument) {
        shell_typed(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {
        .label = _("Shell command (nothing: a shell): "), .history = "shell", .done = shell_typed};
    prompt_line(app, &spec);
}

void
command_sync_now(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (link_sync(app->link))
        app_say(app, _("looking at the servers …"));
    else
        app_warn(app, _("the engine cannot be reached yet: it is started anew, your changes are safe"));
}

void
command_offline(struct app *app, const char *argument G_GNUC_UNUSED)
{
    static gboolean offline;
    offline = !offline;
    link_set_online(app->link, !offline);
    app_say(app, "%s", offline ? _("working off line") : _("on line again"));
}

void
command_theme(struct app *app, const char *argument)
{
    if (argument && theme_find(argument)) {
        term_set_theme(argument);
        return;
    }
    const struct theme_table *const *all = theme_all();
    guint at = 0;
    while (all[at] && strcmp(all[at]->name, term_theme()) != 0)
        at++;
    const struct theme_table *next = all[at] && all[at + 1] ? all[at + 1] : all[0];
    term_set_theme(next->name);
    app_say(app, "%s: %s", next->name, _(next->help));
}

void
command_version(struct app *app, const char *argument G_GNUC_UNUSED)
{
    app_say(app, "Postrider %s", PACKAGE_VERSION);
}

/* ---- undo ---- */

struct taking_back {
    gint64 id;
    char *text;
};

static void
taking_back_free(gpointer data)
{
    struct taking_back *back = data;
    g_free(back->text);
    g_free(back);
}

static gboolean
undo_work(struct store *store, gpointer data, GError **error)
{
    struct taking_back *back = data;
    return undo(store, back->id, &back->text, error);
}

static void
undo_done(struct app *app, gpointer data, const GError *error)
{
    const struct taking_back *back = data;
    if (error)
        app_warn(app, "%s", error->message);
    else
        app_say(app, _("taken back: %s"), back->text ? back->text : "");
}

static void
undo_run(struct app *app, gint64 id)
{
    if (app->read_only || !app->writer)
        return;
    struct taking_back *back = g_new0(struct taking_back, 1);
    back->id = id;
    writer_run(app->writer, undo_work, undo_done, back, taking_back_free);
}

void
command_undo(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (!sent_take_back(app))
        undo_run(app, 0);
}

struct undoview {
    struct view view;
    GPtrArray *entries;
    int cursor, top, page;
};

static void
undo_refresh(struct view *view)
{
    struct undoview *list = (struct undoview *)view;
    g_autoptr(GError) error = NULL;
    GPtrArray *entries = undo_list(view->app->store, 200, TRUE, &error);
    if (!entries) {
        app_error(view->app, NULL, g_steal_pointer(&error));
        return;
    }
    g_ptr_array_set_free_func(entries, (GDestroyNotify)undo_entry_free);
    g_clear_pointer(&list->entries, g_ptr_array_unref);
    list->entries = entries;
}

static void
undo_draw(struct view *view, const struct area *area)
{
    struct undoview *list = (struct undoview *)view;
    int n = list->entries ? (int)list->entries->len : 0;
    list->page = area->rows;
    rows_clamp(n, area->rows, &list->cursor, &list->top);
    if (!n)
        term_put(area->row + 1, area->column + 2, area->columns - 4, ROLE_DIM, _("Nothing was changed yet."));
    for (int i = 0; i < area->rows && list->top + i < n; i++) {
        const struct undo_entry *entry = g_ptr_array_index(list->entries, (guint)(list->top + i));
        enum ground ground = list->top + i == list->cursor ? GROUND_CURSOR : GROUND_PLAIN;
        g_autofree char *when = clock_relative(entry->time, clock_now());
        g_autofree char *fit = width_fit_right(when, 14);
        term_fill(area->row + i, area->column, 1, area->columns, STYLE_ON(ROLE_TEXT, ground));
        term_put(area->row + i, area->column + 1, 14, STYLE_ON(ROLE_DATE, ground), fit);
        int used = term_put(area->row + i, area->column + 18, area->columns - 19,
                            STYLE_ON(entry->undone ? ROLE_DIM : ROLE_TEXT, ground), entry->text);
        if (entry->undone)
            term_put(area->row + i, area->column + 18 + used, area->columns - 19 - used,
                     STYLE_ON(ROLE_DIM, ground), _("   (taken back)"));
    }
}

static char *
undo_title(struct view *view G_GNUC_UNUSED)
{
    return g_strdup(_("What can be taken back"));
}

static gboolean
undo_move(struct view *view, int how)
{
    struct undoview *list = (struct undoview *)view;
    rows_move(how, list->entries ? (int)list->entries->len : 0, list->page, &list->cursor, &list->top);
    return TRUE;
}

static void
undo_free(struct view *view)
{
    struct undoview *list = (struct undoview *)view;
    g_clear_pointer(&list->entries, g_ptr_array_unref);
    g_free(list);
}

static void
undo_bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {"undo-this", N_("take back"), "back", N_("back"), NULL};
    draw_hints(view->app, line->row, line, IN_UNDO, hints, NULL);
}

static const struct view_class undo_class = {
    .context = IN_UNDO,
    .draw = undo_draw,
    .title = undo_title,
    .bottom = undo_bottom,
    .refresh = undo_refresh,
    .move = undo_move,
    .free = undo_free,
};

void
command_undo_list(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (!app->store)
        return;
    struct undoview *list = g_new0(struct undoview, 1);
    list->view.class = &undo_class;
    app_push(app, &list->view);
    undo_refresh(&list->view);
}

void
command_undo_this(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct undoview *list = (struct undoview *)app_top(app);
    if (list->entries && list->cursor < (int)list->entries->len)
        undo_run(app, ((struct undo_entry *)g_ptr_array_index(list->entries, (guint)list->cursor))->id);
}
