#include "config.h"

#include "ui/listview.h"

#include "base/clock.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/text.h"
#include "store/folder.h"
#include "store/outbox.h"
#include "ui/app.h"
#include "ui/columns.h"
#include "ui/hits.h"
#include "ui/finder.h"
#include "ui/link.h"
#include "ui/sidebar.h"
#include "ui/text.h"

#include <string.h>

#define MARGIN 60 /* rows kept loaded before and behind the cursor */

/* ---- lines ---- */

struct list_line *
listview_line(struct listview *list, int index)
{
    return index >= 0 && (guint)index < list->lines->len
               ? &g_array_index(list->lines, struct list_line, (guint)index)
               : NULL;
}

struct list_line *
listview_current(struct listview *list)
{
    struct list_line *line = listview_line(list, list->cursor);
    return line && line->row ? line : NULL;
}

gint64
listview_line_id(const struct listview *list, const struct list_line *line)
{
    return rowset_id(list->set, line->row, line->kind == LIST_LINE_TREE);
}

void
listview_seek(struct listview *list, int step)
{
    struct list_line *line = listview_line(list, list->cursor);
    if (!line || line->row)
        return;
    /* A group heading: on in the same direction, else back. */
    for (int at = list->cursor + step; (line = listview_line(list, at)); at += step) {
        if (line->row) {
            list->cursor = at;
            return;
        }
    }
    for (int at = list->cursor - step; (line = listview_line(list, at)); at -= step) {
        if (line->row) {
            list->cursor = at;
            return;
        }
    }
}

/* The line of this id; else of this thread's row; -1. */
static int
find_line(struct listview *list, gint64 id, gint64 thread)
{
    int fallback = -1;
    for (guint i = 0; i < list->lines->len; i++) {
        const struct list_line *line = listview_line(list, (int)i);
        if (!line->row)
            continue;
        if (listview_line_id(list, line) == id)
            return (int)i;
        if (fallback < 0 && thread && line->kind == LIST_LINE_ROW && line->row->thread == thread)
            fallback = (int)i;
    }
    return fallback;
}

void
listview_rebuild(struct listview *list)
{
    list_lines_build(list);
    if (list->cursor >= (int)list->lines->len)
        list->cursor = MAX((int)list->lines->len - 1, 0);
    listview_seek(list, 1);
}

struct list_place
listview_remember(struct listview *list)
{
    struct list_place place = {.cursor = list->cursor, .offset = list->cursor - list->top};
    place.start = !list->top && list->set->at_start;
    struct list_line *line = listview_current(list);
    if (line) {
        place.valid = TRUE;
        place.id = listview_line_id(list, line);
        place.thread = line->row->thread;
    }
    return place;
}

void
listview_recall(struct listview *list, const struct list_place *place)
{
    int at = place->valid ? find_line(list, place->id, place->thread) : -1;
    list->cursor = at >= 0 ? at : MIN(place->cursor, MAX((int)list->lines->len - 1, 0));
    list->top = place->start && list->set->at_start ? 0 : MAX(list->cursor - place->offset, 0);
    listview_seek(list, 1);
}

void
listview_reload(struct listview *list)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&list->problem, g_free);
    if (!list->set)
        return;
    if (list_is_search(list)) {
        list_find_again(list);
        return;
    }
    struct list_place place = listview_remember(list);
    store_snapshot_begin(list->set->store, NULL);
    gboolean ok = rowset_refresh(list->set, &error);
    if (ok)
        listview_count(list);
    store_snapshot_end(list->set->store);
    if (!ok) {
        log_warn("ui.list", "%s", error->message);
        list->problem = g_strdup(error->message);
        g_ptr_array_set_size(list->set->rows, 0);
    }
    list_lines_build(list);
    listview_recall(list, &place);
    list_sort_again(list);
}

/* ---- moving ---- */

/* Loads more rows when the cursor comes near an end of the window. */
static void
extend(struct listview *list)
{
    struct list_line *line = listview_current(list);
    if (!line)
        return;
    int index = rowset_index_of(list->set, (line->parent ? line->parent : line->row)->key);
    guint before = list->set->rows->len;
    if (index < 0)
        return;
    if (list_is_search(list)) {
        if (index + MARGIN + list->page >= (int)before)
            list_find_more(list, TRUE);
        else if (index < MARGIN + list->page)
            list_find_more(list, FALSE);
        return;
    }
    struct list_place place = listview_remember(list);
    g_autoptr(GError) error = NULL;
    int shifted = rowset_extend(list->set, index, MARGIN + (guint)list->page, &error);
    if (error)
        app_error(list->view.app, _("the list cannot be read on"), g_steal_pointer(&error));
    if (shifted || list->set->rows->len != before) {
        list_lines_build(list);
        listview_recall(list, &place);
    }
}

void
listview_move(struct listview *list, int how)
{
    if (!list->set || !list->lines->len)
        return;
    if (list_is_search(list) && how == MOVE_FIRST && !list->set->at_start) {
        list_find_again(list);
    } else if (list_is_search(list) && how == MOVE_LAST && !list->set->at_end) {
        list_find_end(list);
        return;
    } else if ((how == MOVE_FIRST && !list->set->at_start) || (how == MOVE_LAST && !list->set->at_end)) {
        g_autoptr(GError) error = NULL;
        gboolean ok =
            how == MOVE_FIRST ? rowset_load(list->set, 0, 0, &error) : rowset_load_end(list->set, 0, &error);
        if (!ok)
            app_error(list->view.app, _("the list cannot be read"), g_steal_pointer(&error));
        list_lines_build(list);
    }
    int before = list->cursor;
    rows_move(how, (int)list->lines->len, list->page, &list->cursor, &list->top);
    gboolean back = how == MOVE_PREVIOUS || how == MOVE_PAGE_UP || how == MOVE_HALF_UP || how == MOVE_LAST ||
                    how == MOVE_BOTTOM || how == MOVE_LINE_UP;
    listview_seek(list, back ? -1 : 1);
    if (how == MOVE_NEXT && list->cursor < before)
        list->cursor = before; /* the last line was a heading's only row */
    extend(list);
    if (list->cursor <= 1 && list->set->at_start)
        list->top = 0;
}

gboolean
listview_goto(struct listview *list, gint64 key, gint64 message)
{
    if (rowset_index_of(list->set, key) < 0) {
        g_autoptr(GError) error = NULL;
        if (!rowset_load(list->set, key, 0, &error)) {
            app_error(list->view.app, _("the list cannot be read"), g_steal_pointer(&error));
            return FALSE;
        }
        list->top = 0;
    }
    list_lines_build(list);
    for (guint i = 0; i < list->lines->len; i++) {
        const struct list_line *line = listview_line(list, (int)i);
        if (line->row && line->kind == LIST_LINE_ROW && line->row->key == key)
            list->cursor = (int)i;
        if (message && line->kind == LIST_LINE_TREE && line->row->message == message) {
            list->cursor = (int)i;
            break;
        }
    }
    extend(list);
    return TRUE;
}

gint64
listview_step(struct listview *list, int step, gint64 *thread)
{
    extend(list);
    for (int at = list->cursor + step; at >= 0 && at < (int)list->lines->len; at += step) {
        const struct list_line *line = listview_line(list, at);
        if (line->kind != LIST_LINE_ROW)
            continue;
        list->cursor = at;
        *thread = line->row->thread;
        gint64 message = line->row->message;
        extend(list);
        return message;
    }
    return 0;
}

static gboolean
next_unread_in_order(struct listview *list, gint64 key, gboolean forward)
{
    const struct rowset *set = list->set;
    gint64 next = order_next_unread(set->places, set->store, &set->view, key, forward);
    if (!next)
        next = order_next_unread(set->places, set->store, &set->view, 0, forward);
    return next && next != key && listview_goto(list, next, 0);
}

gboolean
listview_next_unread(struct listview *list, int step)
{
    struct list_line *current = listview_current(list);
    /* In what is loaded first, tree lines too. */
    for (int at = list->cursor + step; at >= 0 && at < (int)list->lines->len; at += step) {
        const struct list_line *line = listview_line(list, at);
        if (line->row && !(line->row->flags & FLAG_SEEN)) {
            list->cursor = at;
            extend(list);
            return TRUE;
        }
    }
    gint64 key = current ? (current->parent ? current->parent : current->row)->key : 0;
    gboolean older = (step > 0) != list->set->reverse;
    if (list_is_search(list)) /* what is not loaded would have to be looked for */
        return FALSE;
    if (list->set->places)
        return next_unread_in_order(list, key, step > 0);
    gint64 next = list_next_unread(list->set->store, &list->set->view, key, older ? LIST_OLDER : LIST_NEWER);
    if (!next) /* round the corner */
        next = list_next_unread(list->set->store, &list->set->view, 0, older ? LIST_OLDER : LIST_NEWER);
    return next && next != key && listview_goto(list, next, 0);
}

gint64
listview_folder(struct listview *list)
{
    struct list_line *line = listview_current(list);
    if (list->folder)
        return list->folder;
    return line ? line->row->folder : 0;
}

static GArray *
targets(struct view *view, gboolean marked)
{
    struct listview *list = (struct listview *)view;
    GArray *messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (!marked) {
        struct list_line *line = listview_current(list);
        if (line)
            g_array_append_val(messages, line->row->message);
        return messages;
    }
    g_autoptr(struct_selection) selection = listview_selection(list, TRUE);
    selection_resolve(selection, list);
    g_array_append_vals(messages, selection->messages->data, selection->messages->len);
    return messages;
}

/* ---- what is listed ---- */

struct listview *
listview_new(struct app *app)
{
    struct listview *list = g_new0(struct listview, 1);
    list->view.class = &list_class;
    list->view.app = app;
    list->lines = g_array_new(FALSE, FALSE, sizeof(struct list_line));
    g_array_set_clear_func(list->lines, list_line_clear);
    list->marks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    list->conversations = app->config->conversations;
    list->name = g_strdup("");
    list->page = 20;
    return list;
}

void
listview_install(struct listview *list, struct rowset *set)
{
    list_sort_stop(list);
    g_clear_pointer(&list->splits, g_ptr_array_unref);
    list->split = 0;
    g_array_set_size(list->lines, 0); /* they point into the old rows */
    rowset_free(list->set);
    list->set = set;
    hits_free(list->hits);
    list->hits = set->view.query ? hits_new(set->view.query, QUERY_ANYWHERE) : NULL;
    list_snippets_begin(list, set->view.query);
    list_server_end(list);
    list->cursor = list->top = 0;
    list->unread = 0;
    g_hash_table_remove_all(list->marks);
    g_clear_pointer(&list->problem, g_free);
}

struct listview *
listview_at_hand(struct app *app)
{
    return (struct listview *)app_find(app, &list_class);
}

/* ---- the view ---- */

static char *
title(struct view *view)
{
    struct listview *list = (struct listview *)view;
    GString *out = g_string_new(list->search ? _("Search") : "Postrider");
    g_string_append_printf(out, "   %s", list->name);
    if (list->account)
        g_string_append_printf(out, "  %s", list->account);
    if (list->limit)
        g_string_append_printf(out, _("   limited to %s"), list->limit);
    if (view->app->tagged)
        g_string_append(out, _("   marked …"));
    return g_string_free(out, FALSE);
}

static char *
title_right(struct view *view)
{
    struct listview *list = (struct listview *)view;
    GString *out = g_string_new(NULL);
    gint64 synced = 0;
    const GPtrArray *accounts = view->app->link ? link_accounts(view->app->link) : NULL;
    for (guint i = 0; accounts && i < accounts->len; i++) {
        const struct link_account *account = g_ptr_array_index(accounts, i);
        if (!list->account || !strcmp(account->name, list->account))
            synced = MAX(synced, account->synced);
    }
    if (synced) {
        g_autofree char *when = clock_short(synced, clock_now());
        g_string_append_printf(out, "⟳ %s   ", when);
    }
    gint64 queued = view->app->store ? outbox_count(view->app->store) : 0;
    if (queued)
        g_string_append_printf(out, _("outbox %d   "), (int)queued);
    struct keymap *map = view->app->keymap;
    g_autofree char *help = keymap_key(map, command_find("help"), IN_LIST);
    g_autofree char *palette = keymap_key(map, command_find("command"), IN_LIST);
    g_string_append_printf(out, _("%s help   %s commands"), help, palette);
    return g_string_free(out, FALSE);
}

static char *
status(struct view *view)
{
    struct listview *list = (struct listview *)view;
    if (!list->set)
        return g_strdup("");
    GString *out = g_string_new(NULL);
    gint64 known = list->count < 0 ? (gint64)list->set->rows->len : list->count;
    const char *more = list->count_exact && list->count >= 0                         ? ""
                       : list->count < 0 && list->set->at_start && list->set->at_end ? ""
                                                                                     : "+";
    gboolean conversations = list->set->view.kind == LIST_CONVERSATIONS;
    g_autofree char *n = g_strdup_printf("%'" G_GINT64_FORMAT, known);
    g_string_append_printf(out,
                           conversations ? ngettext("%s%s conversation", "%s%s conversations", (gulong)known)
                                         : ngettext("%s%s message", "%s%s messages", (gulong)known),
                           n, more);
    if (list->unread)
        g_string_append_printf(out, _(" · %" G_GINT64_FORMAT " unread"), list->unread);
    guint marks = g_hash_table_size(list->marks);
    if (marks)
        g_string_append_printf(out, _(" · %u marked"), marks);
    if (list->set->places && list->set->order != ORDER_DATE)
        g_string_append_printf(out, list->set->reverse ? _(" · by %s, turned round") : _(" · by %s"),
                               list_order_name(list->set->order));
    return g_string_free(out, FALSE);
}

static void
refresh(struct view *view)
{
    struct listview *list = (struct listview *)view;
    if (list->sidebar)
        sidebar_refresh(list->sidebar);
    if (!list->set && !list->next && !list->search && view->app->store && !view->app->request->path)
        listview_show_start(list); /* the first folder has come */
    else
        listview_reload(list);
    listview_follow(list);
    list_marks_read(list);
    if (list->wanted && list->set && list->set->view.kind != LIST_SEARCH) {
        gint64 key = list_key_of(view->app->store, &list->set->view, list->wanted);
        if (key && listview_goto(list, key, list->wanted))
            list->wanted = 0;
    }
}

static gboolean
move(struct view *view, int how)
{
    listview_move((struct listview *)view, how);
    return TRUE;
}

static void
mouse(struct view *view, const struct key_event *event)
{
    struct listview *list = (struct listview *)view;
    if (event->button == MOUSE_WHEEL_DOWN || event->button == MOUSE_WHEEL_UP) {
        for (int i = 0; i < 3; i++)
            listview_move(list, event->button == MOUSE_WHEEL_DOWN ? MOVE_LINE_DOWN : MOVE_LINE_UP);
        return;
    }
    int line = event->row - 1;
    struct sidebar_target target;
    if (list->sidebar && event->column < list->side_width) {
        if (sidebar_at(list->sidebar, line, &target))
            listview_go(list, &target);
        return;
    }
    line -= list->tabs;
    if (event->button == MOUSE_LEFT && line == -1 && list->tabs && list_chip_mouse(list, event->column))
        return;
    if (event->button != MOUSE_LEFT || line < 0 || line >= list->page ||
        !listview_line(list, list->top + line))
        return;
    gboolean again = list->cursor == list->top + line;
    list->cursor = list->top + line;
    listview_seek(list, 1);
    if (again)
        app_run_command(view->app, command_find("open"), NULL);
}

static void
list_free(struct view *view)
{
    struct listview *list = (struct listview *)view;
    list_find_stop(list);
    list_sort_stop(list);
    g_clear_pointer(&list->splits, g_ptr_array_unref);
    finder_cancel(view->app->counter, list);
    list_snippets_end(list);
    list_server_end(list);
    g_array_unref(list->lines);
    rowset_free(list->set);
    g_hash_table_unref(list->marks);
    g_clear_pointer(&list->account_marks, g_array_unref);
    sidebar_free(list->sidebar);
    g_free(list->name);
    g_free(list->account);
    g_free(list->limit);
    g_clear_pointer(&list->chips, g_ptr_array_unref);
    g_free(list->problem);
    g_free(list->needle);
    hits_free(list->hits);
    g_free(list);
}

const struct view_class list_class = {
    .context = IN_LIST,
    .draw = list_draw,
    .title = title,
    .title_right = title_right,
    .status = status,
    .refresh = refresh,
    .mouse = mouse,
    .targets = targets,
    .move = move,
    .free = list_free,
};
