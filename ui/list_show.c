/* What a list shows: a folder, those of all accounts with one role, a search. */
#include "config.h"

#include "ui/listview.h"

#include "search/query.h"
#include "store/folder.h"
#include "store/intent.h"
#include "ui/accounts.h"
#include "ui/app.h"
#include "ui/finder.h"
#include "ui/link.h"
#include "ui/sidebar.h"
#include "ui/text.h"

#include <string.h>

static void
counted(struct app *app, struct found *found, gpointer data)
{
    struct listview *list = data;
    list->count = found->count;
    list->count_exact = found->exact;
    app_dirty(app);
}

void
listview_count(struct listview *list)
{
    struct app *app = list->view.app;
    const struct list_view *view = &list->set->view;
    if (list->set->places && list->split)
        return;
    list->unread = list_unread(app->store, view);
    if (list->set->places) /* its length */
        return;
    if (view->n_folders <= 1 || view->kind == LIST_SEARCH)
        list->count = list_count(app->store, view, &list->count_exact);
    else if (!finder_busy(app->counter, list)) /* what lies in two of them is looked for; the next change asks again */
        finder_ask(counter_of(app), list, view, 0, LIST_OLDER, 0, TRUE, counted, list);
}

static void
show(struct listview *list, struct rowset *set)
{
    set->reverse = list->by == ORDER_DATE && list->reverse;
    if (set->view.kind == LIST_SEARCH) {
        list_find_first(list, set);
        return;
    }
    list_find_stop(list);
    listview_install(list, set);
    list->split = list->by == ORDER_DATE && list_has_splits(list);
    g_autoptr(GError) error = NULL;
    if (!rowset_load(set, 0, 0, &error))
        list->problem = g_strdup(error->message);
    list->count = -1;
    listview_count(list);
    list_lines_build(list);
    listview_seek(list, 1);
    list_sort_begin(list);
    app_dirty(list->view.app);
}

void
list_marks_read(struct listview *list)
{
    g_clear_pointer(&list->account_marks, g_array_unref);
    if (!list->account && list->view.app->store)
        list->account_marks = account_marks(list->view.app->store);
}

static void
named(struct listview *list, const char *name, const char *account)
{
    g_free(list->name);
    g_free(list->account);
    list->name = g_strdup(name);
    list->account = g_strdup(account);
    g_clear_pointer(&list->limit, g_free);
    list_chips_read(list);
    list_marks_read(list);
}

static enum list_kind
kind(const struct listview *list)
{
    return list->conversations ? LIST_CONVERSATIONS : LIST_MESSAGES;
}

void
listview_show_folder(struct listview *list, gint64 id)
{
    struct app *app = list->view.app;
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_folder) folder = folder_get(app->store, id, &error);
    if (!folder) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    named(list, folder->name, folder->account_name);
    list->folder = id;
    list->account_id = folder->account;
    list->role = folder->role;
    list->search = FALSE;
    show(list, rowset_new(app->store, kind(list), &id, 1, NULL, 0));
    link_watch(app->link, folder->account_name, folder->name);
    if (folder->notice)
        app_warn(app, "%s: %s", folder->name, folder->notice);
}

void
listview_show_role(struct listview *list, guint role)
{
    struct app *app = list->view.app;
    g_autoptr(GArray) ids = folder_ids_of_role(app->store, role);
    if (!ids->len)
        return; /* they come with the first look at the server */
    if (ids->len == 1) {
        listview_show_folder(list, g_array_index(ids, gint64, 0));
        return;
    }
    named(list, sidebar_role_title(role), NULL);
    list->folder = list->account_id = 0;
    list->role = role;
    list->search = FALSE;
    show(list, rowset_new(app->store, kind(list), (const gint64 *)(gpointer)ids->data, ids->len, NULL, 0));
}

/* An account's folder of this role may have come, or gone, since they were put together. */
void
listview_follow(struct listview *list)
{
    if (!list->set || list->folder || list->search || list->limit || !list->view.app->store)
        return;
    g_autoptr(GArray) ids = folder_ids_of_role(list->view.app->store, list->role);
    if (ids->len != list->set->view.n_folders)
        listview_show_role(list, list->role);
}

void
listview_show_start(struct listview *list)
{
    struct app *app = list->view.app;
    g_autoptr(GArray) ids = folder_ids_of_role(app->store, FOLDER_INBOX);
    if (app->config->one_inbox || ids->len <= 1)
        listview_show_role(list, FOLDER_INBOX);
    else
        listview_show_folder(list, g_array_index(ids, gint64, 0));
}

void
listview_show_query(struct listview *list, struct query *query, const char *text)
{
    list->search = TRUE;
    named(list, text, NULL);
    list->folder = list->account_id = 0;
    list->role = FOLDER_NONE;
    show(list, rowset_new(list->view.app->store, LIST_SEARCH, NULL, 0, query, 0));
}

void
listview_show_limit(struct listview *list, struct query *query, const char *text)
{
    const struct list_view *view = &list->set->view;
    guint n = list->search ? 0 : view->n_folders;
    g_autofree gint64 *folders = n ? g_memdup2(view->folders, n * sizeof *folders) : NULL;
    if (list->search) { /* its name is what it was before the limit of now */
        struct query *all = search_parse(list->name, SEARCH_NOTMUCH, NULL, NULL);
        query = query_new_pair(QUERY_AND, all ? search_exclude(all) : query_new(QUERY_NONE), query);
    }
    char *limit = g_strdup(text);
    g_free(list->limit);
    list->limit = limit;
    list_chips_read(list);
    show(list, rowset_new(list->view.app->store, LIST_SEARCH, folders, n, query, 0));
}

void
listview_show_all(struct listview *list)
{
    struct sidebar_target target = listview_target(list);
    g_autofree char *name = g_strdup(list->name);
    if (list->search)
        target.query = name;
    listview_go(list, &target);
}

void
listview_go(struct listview *list, const struct sidebar_target *target)
{
    if (target->folder) {
        listview_show_folder(list, target->folder);
        return;
    }
    if (!target->query) {
        listview_show_role(list, target->role);
        return;
    }
    g_autoptr(GError) error = NULL;
    struct query *query = search_parse(target->query, SEARCH_NOTMUCH, NULL, &error);
    if (query)
        listview_show_query(list, search_exclude(query), target->query);
    else
        app_error(list->view.app, NULL, g_steal_pointer(&error));
}

struct sidebar_target
listview_target(const struct listview *list)
{
    struct sidebar_target target = {.folder = list->folder};
    if (list->search)
        target.query = list->name;
    else if (!list->folder && list->set)
        target.role = list->role;
    return target;
}

gint64
listview_from(const struct listview *list)
{
    return list->folder ? list->folder : list->search ? 0 : INTENT_FROM_ROLE(list->role);
}
