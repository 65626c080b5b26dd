#include "config.h"

#include "ui/listview.h"

#include "base/log.h"
#include "ui/app.h"
#include "ui/finder.h"
#include "ui/text.h"

#define PAGE 120
#define AGAIN_MAX 5000 /* rows that are looked for again when the store changes */

gboolean
list_is_search(const struct listview *list)
{
    return list->set && list->set->view.kind == LIST_SEARCH && !list->set->places;
}

static void answered(struct app *app, struct found *found, gpointer data);

static void
ask(struct listview *list, enum list_finding finding, gint64 key, gboolean forward, guint limit)
{
    const struct rowset *set = finding == FINDING_FIRST ? list->next : list->set;
    enum list_direction direction = forward == set->reverse ? LIST_NEWER : LIST_OLDER;
    list->finding = finding;
    list->finding_limit = limit;
    finder_ask(finder_of(list->view.app), list, &set->view, key, direction, limit, finding == FINDING_COUNT,
               answered, list);
}

/* Something that matters is being looked for: counting can wait. */
static gboolean
busy(const struct listview *list)
{
    return finder_busy(list->view.app->finder, list) && list->finding != FINDING_COUNT;
}

static void
count_next(struct listview *list)
{
    if (list->set->at_start && list->set->at_end) {
        list->count = (gint64)list->set->rows->len;
        list->count_exact = TRUE;
    } else {
        ask(list, FINDING_COUNT, 0, TRUE, 0);
    }
}

static void
first(struct listview *list, GPtrArray *rows)
{
    listview_install(list, g_steal_pointer(&list->next));
    gboolean last = rows->len < list->finding_limit;
    rowset_replace(list->set, rows, TRUE, last);
    list->count = -1;
    list_lines_build(list);
    listview_seek(list, 1);
    gint64 key = list->wanted ? list_key_of(list->set->store, &list->set->view, list->wanted) : 0;
    if (key && rowset_index_of(list->set, key) >= 0)
        listview_goto(list, key, list->wanted);
    list->wanted = 0;
    list_server_shown(list);
    count_next(list);
    list_sort_begin(list);
}

static void
others(struct listview *list, GPtrArray *rows)
{
    struct list_place place = listview_remember(list);
    gboolean last = rows->len < list->finding_limit;
    g_array_set_size(list->lines, 0);
    switch (list->finding) {
    case FINDING_AGAIN:
        rowset_replace(list->set, rows, TRUE, last);
        break;
    case FINDING_END:
        rowset_replace(list->set, rows, last, TRUE);
        break;
    case FINDING_BEHIND:
    case FINDING_BEFORE:
        rowset_add(list->set, rows, list->finding == FINDING_BEHIND, last);
        break;
    case FINDING_FIRST:
    case FINDING_COUNT:
        break;
    }
    list_lines_build(list);
    if (list->finding == FINDING_END)
        listview_move(list, MOVE_LAST);
    else
        listview_recall(list, &place);
    if (list->finding == FINDING_AGAIN) {
        list_snippets_again(list);
        list_server_again(list);
    }
    if (list->count < 0 || list->finding == FINDING_AGAIN)
        count_next(list);
}

static void
answered(struct app *app, struct found *found, gpointer data)
{
    struct listview *list = data;
    if (list->finding == FINDING_COUNT) {
        list->count = found->count;
        list->count_exact = found->exact;
    } else if (!found->rows) {
        log_warn("ui.find", "%s", found->error->message);
        app_error(app, _("the search failed"), g_steal_pointer(&found->error));
        g_clear_pointer(&list->next, rowset_free);
    } else if (list->finding == FINDING_FIRST) {
        first(list, g_steal_pointer(&found->rows));
    } else {
        others(list, g_steal_pointer(&found->rows));
    }
    if (list->stale && !busy(list)) {
        list->stale = FALSE;
        list_find_again(list);
    }
    app_dirty(app);
}

void
list_find_first(struct listview *list, struct rowset *set)
{
    rowset_free(list->next);
    list->next = set;
    list->stale = FALSE;
    ask(list, FINDING_FIRST, 0, TRUE, PAGE);
}

void
list_find_again(struct listview *list)
{
    if (list->next || busy(list)) {
        list->stale = TRUE;
        return;
    }
    ask(list, FINDING_AGAIN, 0, TRUE, CLAMP(list->set->rows->len, PAGE, AGAIN_MAX));
}

void
list_find_more(struct listview *list, gboolean behind)
{
    if (list->next || busy(list) || !list->set->rows->len ||
        (behind ? list->set->at_end : list->set->at_start))
        return;
    ask(list, behind ? FINDING_BEHIND : FINDING_BEFORE, rowset_edge(list->set, behind), behind, PAGE);
}

void
list_find_end(struct listview *list)
{
    if (!list->next)
        ask(list, FINDING_END, 0, FALSE, PAGE);
}

void
list_find_stop(struct listview *list)
{
    finder_cancel(list->view.app->finder, list);
    g_clear_pointer(&list->next, rowset_free);
    list->stale = FALSE;
}
