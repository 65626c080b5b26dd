/* The order of a list: by date it pages as the store does; any other is put in order in the background (store/order.h),
 * and again when the store has changed, but never for more than a tenth of the time. */
#include "config.h"

#include "ui/listview.h"

#include "base/log.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/finder.h"
#include "ui/text.h"

#include <string.h>

#define REST 9        /* times as long as it took */
#define AROUND 120    /* rows before the cursor's that are read again at once */
#define NEIGHBOURS 60 /* rows that are looked for when the cursor's has gone */

static const struct prompt_choice orders[] = {
    [ORDER_DATE] = {'d', N_("date")}, [ORDER_PEOPLE] = {'f', N_("from")},         [ORDER_SUBJECT] = {'s', N_("subject")},
    [ORDER_SIZE] = {'z', N_("size")}, [ORDER_UNREAD] = {'u', N_("unread first")}, {0, NULL},
};

const char *
list_order_name(enum order_by by)
{
    return _(orders[by].label);
}

/* The key of the row under the cursor in the new order; when it has gone, of one near it. */
static gint64
anchor(struct listview *list, const struct order *places)
{
    struct list_line *line = listview_current(list);
    int at = line ? rowset_index_of(list->set, (line->parent ? line->parent : line->row)->key) : -1;
    for (int i = 0; at >= 0 && i < 2 * NEIGHBOURS; i++) {
        int near = at + (i % 2 ? -(i + 1) / 2 : i / 2);
        if (near < 0 || near >= (int)list->set->rows->len)
            continue;
        gint64 key = ((struct list_row *)g_ptr_array_index(list->set->rows, near))->key;
        if (order_place(places, key) >= 0)
            return key;
    }
    return 0;
}

void
list_sort_take(struct listview *list, struct order *places, gboolean again)
{
    struct list_place place = listview_remember(list);
    gint64 key = again && !place.start ? anchor(list, places) : 0;
    gint at = key ? order_place(places, key) : 0;
    g_array_set_size(list->lines, 0);
    rowset_sort(list->set, places, list->by, list->reverse);
    g_autoptr(GError) error = NULL;
    if (!rowset_load(list->set, at > AROUND ? order_key(places, (guint)at - AROUND) : 0, AROUND * 3, &error))
        app_error(list->view.app, _("the list cannot be read"), g_steal_pointer(&error));
    list_lines_build(list);
    list->count = order_length(places);
    list->count_exact = TRUE;
    if (list->split)
        list->unread = order_unread(places);
    if (again)
        listview_recall(list, &place);
    else
        list->cursor = list->top = 0;
}

static void
sorted(struct app *app, struct found *found, gpointer data)
{
    struct listview *list = data;
    list->sort_taken = found->taken;
    list->sorted_at = g_get_monotonic_time();
    if (found->order && !list->set->places) /* it was waited for */
        app_say(app, list->reverse ? _("%s: by %s, turned round") : _("%s: by %s"), list->name, list_order_name(list->by));
    gboolean again = list->set->places && list->set->order == list->by && list->set->reverse == list->reverse;
    if (found->order)
        list_sort_take(list, g_steal_pointer(&found->order), again);
    else if (found->splits)
        list_split_take(list, g_steal_pointer(&found->splits));
    else
        app_error(app, _("the list cannot be put in order"), g_steal_pointer(&found->error));
    if (list->sort_stale) {
        list->sort_stale = FALSE;
        list_sort_again(list);
    }
    app_dirty(app);
}

static void
put_in_order(struct listview *list, struct finder *finder)
{
    const struct list_view *view = &list->set->view;
    if (list->by != ORDER_DATE && view->kind != LIST_THREAD) {
        finder_sort(finder, &list->by, view, list->by, list->reverse, sorted, list);
    } else if (list_has_splits(list)) {
        g_autoptr(GPtrArray) queries = list_split_queries(list->view.app);
        finder_split(finder, &list->by, view, queries, list->reverse, sorted, list);
    }
}

static gboolean
again(gpointer data)
{
    struct listview *list = data;
    list->sort_timer = 0;
    put_in_order(list, counter_of(list->view.app));
    return G_SOURCE_REMOVE;
}

void
list_sort_again(struct listview *list)
{
    struct app *app = list->view.app;
    if (!list->set || list->sort_timer || (list->by == ORDER_DATE && !list_has_splits(list)))
        return;
    if (finder_busy(app->finder, &list->by) || finder_busy(app->counter, &list->by)) {
        list->sort_stale = TRUE;
        return;
    }
    gint64 wait = list->sorted_at + list->sort_taken * REST - g_get_monotonic_time();
    list->sort_timer = g_timeout_add((guint)CLAMP(wait / 1000, 0, 600000), again, list);
}

void
list_sort_stop(struct listview *list)
{
    finder_cancel(list->view.app->finder, &list->by);
    finder_cancel(list->view.app->counter, &list->by);
    g_clear_handle_id(&list->sort_timer, g_source_remove);
    list->sort_stale = FALSE;
}

void
list_sort_begin(struct listview *list)
{
    list_sort_stop(list);
    list->sorted_at = list->sort_taken = 0;
    if (list->set)
        put_in_order(list, finder_of(list->view.app));
}

/* ---- commands ---- */

void
list_sort_by_date(struct listview *list)
{
    g_autoptr(GError) error = NULL;
    list_sort_stop(list);
    g_array_set_size(list->lines, 0);
    rowset_sort(list->set, NULL, ORDER_DATE, list->reverse);
    list->cursor = list->top = 0;
    if (list_is_search(list)) {
        g_ptr_array_set_size(list->set->rows, 0);
        list_find_again(list);
        return;
    }
    if (!rowset_load(list->set, 0, 0, &error))
        app_error(list->view.app, _("the list cannot be read"), g_steal_pointer(&error));
    listview_rebuild(list);
    listview_count(list);
    list_sort_begin(list); /* the tabs */
}

static void
sort(struct app *app, enum order_by by, gboolean reverse)
{
    struct listview *list = listview_at_hand(app);
    if (!list || !list->set || list->set->view.kind == LIST_THREAD)
        return;
    list->by = by;
    list->reverse = reverse;
    if (by == ORDER_DATE && list->split) {
        list_sort_begin(list);
    } else if (by == ORDER_DATE) {
        list_sort_by_date(list);
    } else {
        list->split = 0; /* of all of it */
        app_say(app, _("putting %s in order …"), list->name);
        list_sort_begin(list);
    }
}

static void
chosen(struct app *app, gunichar key, gpointer data)
{
    for (guint i = 0; key && orders[i].label; i++)
        if (orders[i].key == key)
            sort(app, (enum order_by)i, GPOINTER_TO_INT(data));
}

static void
ask(struct app *app, const char *argument, gboolean reverse)
{
    static const char *const names[] = {"date", "from", "subject", "size", "unread"};
    if (!argument) {
        prompt_choose(app, reverse ? _("Turned round, by:") : _("Order by:"), orders, chosen, GINT_TO_POINTER(reverse),
                      NULL);
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (!g_ascii_strcasecmp(argument, names[i])) {
            sort(app, (enum order_by)i, reverse);
            return;
        }
    app_say(app, _("an order is one of: date, from, subject, size, unread"));
}

void
command_sort(struct app *app, const char *argument)
{
    ask(app, argument, FALSE);
}

void
command_sort_reverse(struct app *app, const char *argument)
{
    ask(app, argument, TRUE);
}
