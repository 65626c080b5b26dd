#include "config.h"

#include "base/flags.h"
#include "search/query.h"
#include "store/folder.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/finder.h"
#include "ui/listview.h"
#include "ui/readview.h"
#include "ui/sidebar.h"
#include "ui/text.h"

static struct listview *
at_hand(struct app *app)
{
    struct listview *list = listview_at_hand(app);
    return list && list->set ? list : NULL;
}

void
command_open(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = at_hand(app);
    struct list_line *line = list ? listview_current(list) : NULL;
    if (!line)
        return;
    if (list->role == FOLDER_DRAFTS && line->row->flags & FLAG_DRAFT) {
        command_edit_message(app, NULL);
        return;
    }
    readview_open(app, line->row->message);
}

/* ---- trees ---- */

static void
set_open(struct listview *list, gint64 thread, gboolean open)
{
    g_autoptr(GError) error = NULL;
    g_array_set_size(list->lines, 0); /* they point into the trees */
    if (!open)
        rowset_close_thread(list->set, thread);
    else if (!rowset_open_thread(list->set, thread, &error))
        app_error(list->view.app, _("the conversation cannot be read"), g_steal_pointer(&error));
    int cursor = list->cursor;
    listview_rebuild(list);
    list->cursor = MIN(cursor, MAX((int)list->lines->len - 1, 0));
}

static void
tree(struct app *app, gboolean open, gboolean toggle)
{
    struct listview *list = at_hand(app);
    struct list_line *line = list ? listview_current(list) : NULL;
    if (!line)
        return;
    struct list_row *row = line->parent ? line->parent : line->row;
    gint64 thread = row->thread, key = row->key;
    if (list->set->view.kind != LIST_CONVERSATIONS) {
        if (toggle || open)
            command_thread(app, NULL);
        return;
    }
    if (row->count < 2 && !line->parent)
        return;
    gboolean is_open = rowset_is_open(list->set, thread);
    if (toggle)
        open = !is_open;
    if (open == is_open)
        return;
    if (!open) { /* the cursor goes up to the conversation */
        for (int i = list->cursor; i >= 0; i--) {
            struct list_line *above = listview_line(list, i);
            if (above->kind == LIST_LINE_ROW && above->row->key == key) {
                list->cursor = i;
                break;
            }
        }
    }
    set_open(list, thread, open);
}

void
command_open_tree(struct app *app, const char *argument G_GNUC_UNUSED)
{
    tree(app, TRUE, FALSE);
}

void
command_close_tree(struct app *app, const char *argument G_GNUC_UNUSED)
{
    tree(app, FALSE, FALSE);
}

void
command_toggle_tree(struct app *app, const char *argument G_GNUC_UNUSED)
{
    tree(app, FALSE, TRUE);
}

void
command_toggle_trees(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = at_hand(app);
    struct list_line *line = list ? listview_current(list) : NULL;
    if (!line || list->set->view.kind != LIST_CONVERSATIONS)
        return;
    gint64 key = (line->parent ? line->parent : line->row)->key, message = line->row->message;
    gboolean close = g_hash_table_size(list->set->open) > 0;
    g_autoptr(GArray) threads = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (int i = list->top; i < list->top + list->page && i < (int)list->lines->len; i++) {
        struct list_line *seen = listview_line(list, i);
        if (seen->kind == LIST_LINE_ROW && seen->row->count > 1)
            g_array_append_val(threads, seen->row->thread);
    }
    g_array_set_size(list->lines, 0);
    if (close)
        rowset_close_thread(list->set, 0);
    for (guint i = 0; !close && i < threads->len; i++)
        rowset_open_thread(list->set, g_array_index(threads, gint64, i), NULL);
    listview_goto(list, key, message);
}

void
command_conversations(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = at_hand(app);
    if (!list)
        return;
    struct list_line *line = listview_current(list);
    gint64 message = line ? line->row->message : 0;
    list->conversations = !list->conversations;
    if (list->search || list->limit) {
        app_say(app, _("a search lists messages; folders: %s"),
                list->conversations ? _("conversations") : _("each message"));
        return;
    }
    if (list->folder)
        listview_show_folder(list, list->folder);
    else
        listview_show_role(list, list->role);
    gint64 key = message ? list_key_of(app->store, &list->set->view, message) : 0;
    if (key)
        listview_goto(list, key, message);
    app_say(app, "%s", list->conversations ? _("conversations") : _("each message by itself"));
}

/* ---- side bar ---- */

void
command_side_bar(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = at_hand(app);
    if (list && list->sidebar)
        sidebar_toggle(list->sidebar);
}

static void
step_folder(struct app *app, int step)
{
    struct listview *list = listview_at_hand(app);
    struct sidebar_target target;
    if (!list || !list->sidebar)
        return;
    struct sidebar_target shown = listview_target(list);
    if (sidebar_step(list->sidebar, step, &shown, &target))
        listview_go(list, &target);
}

void
command_next_folder(struct app *app, const char *argument G_GNUC_UNUSED)
{
    step_folder(app, 1);
}

void
command_previous_folder(struct app *app, const char *argument G_GNUC_UNUSED)
{
    step_folder(app, -1);
}

/* ---- marks ---- */

static void
set_mark(struct listview *list, gint64 id, gboolean on)
{
    if (on)
        g_hash_table_add(list->marks, g_memdup2(&id, sizeof id));
    else
        g_hash_table_remove(list->marks, &id);
}

void
command_mark(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = at_hand(app);
    struct list_line *line = list ? listview_current(list) : NULL;
    if (!line)
        return;
    gint64 id = listview_line_id(list, line);
    set_mark(list, id, !g_hash_table_contains(list->marks, &id));
    list->marked_from = id;
    listview_move(list, MOVE_NEXT);
}

void
command_mark_thread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = at_hand(app);
    if (!list || !list->marked_from) {
        app_say(app, _("mark a first line with t, then this marks up to the cursor"));
        return;
    }
    int from = -1;
    for (int i = 0; i < (int)list->lines->len && from < 0; i++) {
        struct list_line *line = listview_line(list, i);
        if (line->row && listview_line_id(list, line) == list->marked_from)
            from = i;
    }
    if (from < 0)
        return;
    for (int i = MIN(from, list->cursor); i <= MAX(from, list->cursor); i++) {
        struct list_line *line = listview_line(list, i);
        if (line->row)
            set_mark(list, listview_line_id(list, line), TRUE);
    }
}

static struct marking {
    struct listview *list; /* compared before it is used */
    gboolean on;
} list_marking;

static void
mark_found(struct app *app, struct found *found, gpointer data)
{
    const struct marking *marking = data;
    struct listview *list = marking->list;
    if (!g_ptr_array_find(app->views, list, NULL) || !list->set)
        return;
    if (!found->hits) {
        app_error(app, NULL, g_steal_pointer(&found->error));
        return;
    }
    for (guint i = 0; i < found->hits->len; i++) {
        const struct query_hit *hit = &g_array_index(found->hits, struct query_hit, i);
        set_mark(list, list->set->view.kind == LIST_CONVERSATIONS ? -hit->thread : hit->message, marking->on);
    }
    app_say(app, _("%u found, %u marked now"), found->hits->len, g_hash_table_size(list->marks));
}

static void
mark_matching(struct app *app, const char *text, gboolean on)
{
    struct listview *list = at_hand(app);
    g_autoptr(GError) error = NULL;
    if (!list || !text || !*text)
        return;
    g_autoptr(struct_query) query = search_parse(text, SEARCH_LIMIT, NULL, &error);
    if (!query) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    /* In the folders of this list, or in what the search found. */
    struct query *both = query_copy(query);
    if (list->set->view.query)
        both = query_new_pair(QUERY_AND, query_copy(list->set->view.query), both);
    struct list_view view = {.kind = LIST_SEARCH,
                             .folders = list->set->view.folders,
                             .n_folders = list->set->view.n_folders,
                             .query = both};
    list_marking = (struct marking){list, on};
    finder_ask_all(finder_of(app), &list_marking, &view, mark_found, &list_marking);
    query_free(both);
}

static void
mark_typed(struct app *app, const char *text, gpointer data)
{
    mark_matching(app, text, GPOINTER_TO_INT(data));
}

static void
ask_pattern(struct app *app, const char *argument, const char *label, gboolean on)
{
    if (argument) {
        mark_matching(app, argument, on);
        return;
    }
    struct prompt_spec spec = {
        .label = label, .history = "limit", .done = mark_typed, .data = GINT_TO_POINTER(on)};
    prompt_line(app, &spec);
}

void
command_mark_pattern(struct app *app, const char *argument)
{
    ask_pattern(app, argument, _("Mark what fits: "), TRUE);
}

void
command_unmark_pattern(struct app *app, const char *argument)
{
    ask_pattern(app, argument, _("Unmark what fits: "), FALSE);
}

void
command_marked(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = at_hand(app);
    guint n = list ? g_hash_table_size(list->marks) : 0;
    if (!n) {
        app_say(app, _("nothing is marked: t marks a line, T what a query finds"));
        return;
    }
    app->tagged = !app->tagged;
    if (app->tagged)
        app_say(app, ngettext("%u marked: which command?", "%u marked: which command?", n), n);
}

/* ---- unread ---- */

static void
unread(struct app *app, int step)
{
    struct listview *list = at_hand(app);
    if (!list)
        return;
    gboolean reading = app_top(app)->class == &read_class;
    if (!listview_next_unread(list, step)) {
        app_say(app, _("no other unread message here"));
        return;
    }
    if (reading) {
        struct readview *read = (struct readview *)app_top(app);
        if (read->thread)
            g_array_set_size(read->thread, 0);
        readview_show(read, listview_current(list)->row->message);
    }
}

void
command_next_unread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    unread(app, 1);
}

void
command_previous_unread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    unread(app, -1);
}
