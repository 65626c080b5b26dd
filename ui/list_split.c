/* Splits: numbered tabs above an inbox ([splits] of the configuration), each row in the first that it fits, the rest in the
 * last. They are parted in the background, like another order (list_sort.c), and a tab pages by its keys. */
#include "config.h"

#include "ui/listview.h"

#include "base/text.h"
#include "base/width.h"
#include "search/query.h"
#include "store/folder.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/term.h"
#include "ui/text.h"

gboolean
list_has_splits(const struct listview *list)
{
    return list->view.app->config->splits->len && list->set && list->role == FOLDER_INBOX && !list->search &&
           !list->limit && list->set->view.kind != LIST_SEARCH && list->set->view.kind != LIST_THREAD;
}

GPtrArray *
list_split_queries(struct app *app)
{
    GPtrArray *queries = g_ptr_array_new_with_free_func((GDestroyNotify)query_free);
    for (guint i = 0; i < app->config->splits->len; i++) {
        const struct config_pair *pair = &g_array_index(app->config->splits, struct config_pair, i);
        g_autoptr(GError) error = NULL;
        struct query *query = search_parse(pair->value, SEARCH_NOTMUCH, NULL, &error);
        if (!query)
            app_warn(app, _("%s, line %d: %s"), app->config->path, pair->line, error->message);
        g_ptr_array_add(queries, query ? query : query_new(QUERY_NONE));
    }
    return queries;
}

static const struct order *
tab(const struct listview *list, guint number)
{
    return list->splits && number >= 1 && number <= list->splits->len ? g_ptr_array_index(list->splits, number - 1) : NULL;
}

void
list_split_take(struct listview *list, GPtrArray *splits)
{
    g_clear_pointer(&list->splits, g_ptr_array_unref);
    list->splits = splits;
    const struct order *order = tab(list, list->split);
    if (order)
        list_sort_take(list, order_ref((struct order *)order), list->set->places != NULL);
}

/* ---- the line of tabs ---- */

static const char *
tab_name(const struct listview *list, guint number)
{
    const GArray *splits = list->view.app->config->splits;
    return number <= splits->len ? g_array_index(splits, struct config_pair, number - 1).key : _("the rest");
}

void
list_split_draw(struct listview *list, const struct area *line)
{
    int column = line->column + 1, end = line->column + line->columns;
    term_fill(line->row, line->column, 1, line->columns, STYLE_ON(ROLE_TEXT, GROUND_BAR));
    for (guint i = 1; i <= list->view.app->config->splits->len + 1 && column < end; i++) {
        const struct order *order = tab(list, i);
        enum ground ground = i == list->split ? GROUND_CURSOR : GROUND_BAR;
        g_autofree char *name = text_safe(tab_name(list, i), -1, TEXT_LINE);
        g_autofree char *label = g_strdup_printf(" %u %s ", i, name);
        g_autofree char *count =
            order && order_unread(order) ? g_strdup_printf("%u ", order_unread(order)) : g_strdup("");
        column += term_put(line->row, column, end - column, STYLE_ON(i == list->split ? ROLE_BOLD : ROLE_TEXT, ground), label);
        column += term_put(line->row, column, MAX(end - column, 0), STYLE_ON(ROLE_ACCENT, ground), count);
        column++;
    }
}

/* ---- commands ---- */

static void
go(struct app *app, guint number)
{
    struct listview *list = listview_at_hand(app);
    if (list && list_has_chips(list)) {
        list_chip_drop(list, number);
        return;
    }
    if (!list || !list_has_splits(list)) {
        app_say(app, _("tabs stand above an inbox when [splits] in the configuration names some"));
        return;
    }
    if (number > app->config->splits->len + 1) {
        app_say(app, _("there are %u tabs"), app->config->splits->len + 1);
        return;
    }
    list->split = number;
    list->by = ORDER_DATE;
    const struct order *order = tab(list, number);
    if (order)
        list_sort_take(list, order_ref((struct order *)order), FALSE);
    else if (!number)
        list_sort_by_date(list);
}

void
command_split(struct app *app, const char *argument)
{
    if (argument)
        go(app, (guint)CLAMP(g_ascii_strtoll(argument, NULL, 10), 0, 1000));
    else if (app->last_key >= '0' && app->last_key <= '9')
        go(app, app->last_key - '0');
}

static void
step(struct app *app, int by)
{
    struct listview *list = listview_at_hand(app);
    guint n = app->config->splits->len + 2; /* and all of it */
    if (list)
        go(app, (list->split + n + (guint)by) % n);
}

void
command_next_split(struct app *app, const char *argument G_GNUC_UNUSED)
{
    step(app, 1);
}

void
command_previous_split(struct app *app, const char *argument G_GNUC_UNUSED)
{
    step(app, -1);
}
