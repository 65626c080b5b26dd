/* Below a line, what the servers find of a search among the mail whose text is not here ("keep"). They are asked through the
 * engine when a search is done, not while it is typed; the rows are read in the background. What is opened is fetched, and
 * then found here. */
#include "config.h"

#include "ui/listview.h"

#include "base/text.h"
#include "store/placement.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/finder.h"
#include "ui/link.h"
#include "ui/text.h"

#include <string.h>

#define MOST 400 /* messages; QUERY_NODES_MAX is more */

struct list_server {
    char *text;      /* what was asked */
    GArray *found;   /* of gint64 */
    GPtrArray *rows; /* of struct list_row: of these, newest first; NULL: none were read yet */
    gboolean asking;
    char *why;       /* not all could be asked; NULL: they could */
    char *heading;   /* of the lines that are shown */
};

static void
server_free(struct list_server *server)
{
    if (!server)
        return;
    g_free(server->text);
    g_array_unref(server->found);
    g_clear_pointer(&server->rows, g_ptr_array_unref);
    g_free(server->why);
    g_free(server->heading);
    g_free(server);
}

void
list_server_end(struct listview *list)
{
    finder_cancel(list->view.app->counter, &list->server);
    g_clear_pointer(&list->server, server_free);
}

/* ---- lines ---- */

static gboolean
is_above(const struct listview *list, gint64 message)
{
    for (guint i = 0; i < list->set->rows->len; i++)
        if (((struct list_row *)g_ptr_array_index(list->set->rows, i))->message == message)
            return TRUE;
    return FALSE;
}

static const char *
heading(struct list_server *server, guint rows)
{
    g_free(server->heading);
    if (server->asking)
        server->heading = g_strdup(_("On the servers: looking …"));
    else if (server->why)
        server->heading = g_strdup_printf(_("Not all servers could be asked: %s"), server->why);
    else
        server->heading = g_strdup(rows ? _("On the servers, not here") : _("On the servers: nothing else"));
    return server->heading;
}

void
list_server_lines(struct listview *list)
{
    struct list_server *server = list->server;
    if (!server || !list->set->at_end || list->set->places)
        return;
    guint at = list->lines->len;
    for (guint i = 0; server->rows && i < server->rows->len; i++) {
        struct list_line line = {.kind = LIST_LINE_ROW, .row = g_ptr_array_index(server->rows, i)};
        if (!is_above(list, line.row->message))
            g_array_append_val(list->lines, line);
    }
    struct list_line line = {.kind = LIST_LINE_GROUP, .group = heading(server, list->lines->len - at)};
    g_array_insert_val(list->lines, at, line);
}

static void
show(struct listview *list, GPtrArray *rows)
{
    struct list_place place = listview_remember(list);
    g_array_set_size(list->lines, 0); /* they point into the old rows */
    if (rows) {
        g_clear_pointer(&list->server->rows, g_ptr_array_unref);
        list->server->rows = rows;
    }
    list_lines_build(list);
    listview_recall(list, &place);
    app_dirty(list->view.app);
}

/* ---- rows ---- */

static void
rows_read(struct app *app, struct found *found, gpointer data)
{
    struct listview *list = data;
    if (found->rows)
        show(list, g_steal_pointer(&found->rows));
    else
        app_error(app, _("the search failed"), g_steal_pointer(&found->error));
}

void
list_server_again(struct listview *list)
{
    struct list_server *server = list->server;
    if (!server || !server->found->len)
        return;
    g_autoptr(struct_query) query = query_new(QUERY_NONE);
    for (guint i = 0; i < server->found->len; i++) {
        gint64 message = g_array_index(server->found, gint64, i);
        query = query_new_pair(QUERY_OR, g_steal_pointer(&query), query_new_range(QUERY_NUMBER, message, message));
    }
    const struct list_view view = {.kind = LIST_SEARCH, .query = query, .everything = TRUE};
    finder_ask(counter_of(list->view.app), &list->server, &view, 0, LIST_OLDER, MOST, FALSE, rows_read, list);
}

/* ---- asking ---- */

static void
ask(struct listview *list)
{
    struct app *app = list->view.app;
    struct list_server *server = g_new0(struct list_server, 1);
    list_server_end(list);
    server->text = g_strdup(list->name);
    server->found = g_array_new(FALSE, FALSE, sizeof(gint64));
    server->asking = link_search(app->link, list->name);
    server->why = server->asking ? NULL : g_strdup(_("there is no engine"));
    list->server = server;
    show(list, NULL);
}

/* Only words of texts are looked for there, and only where some are not here. */
static gboolean
has_a_question(const struct listview *list)
{
    return list_is_search(list) && list->search && !list->limit && list->snippets &&
           placement_lacks_bodies(list->view.app->store, 0);
}

void
list_server_shown(struct listview *list)
{
    if (list->server_wanted && has_a_question(list))
        ask(list);
}

void
list_server_ask(struct listview *list)
{
    list->server_wanted = TRUE;
    if (!list->next && list->set && !list->server)
        list_server_shown(list);
}

void
command_ask_servers(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = listview_at_hand(app);
    if (list && list->set && has_a_question(list))
        ask(list);
    else
        app_say(app, _("the servers can be asked for words in a search (/), where texts of messages are not here"));
}

/* ---- answers ---- */

static struct listview *
next_that_asked(struct app *app, guint *i, const char *text)
{
    while (*i < app->views->len) {
        struct view *view = g_ptr_array_index(app->views, (*i)++);
        struct listview *list = view->class == &list_class ? (struct listview *)view : NULL;
        if (list && list->server && list->server->asking && (!text || !strcmp(list->server->text, text)))
            return list;
    }
    return NULL;
}

void
list_server_found(struct app *app, const char *text, const GArray *messages)
{
    guint i = 0;
    for (struct listview *list; (list = next_that_asked(app, &i, text));) {
        GArray *found = list->server->found;
        g_array_append_vals(found, messages->data, MIN(messages->len, MOST - MIN(found->len, MOST)));
        list_server_again(list);
    }
}

void
list_server_done(struct app *app, const char *text, const char *why)
{
    guint i = 0;
    for (struct listview *list; (list = next_that_asked(app, &i, text));) {
        list->server->asking = FALSE;
        g_autofree char *line = why ? text_safe(why, -1, TEXT_LINE) : NULL;
        g_free(list->server->why);
        list->server->why = line ? text_squeeze(line) : NULL;
        show(list, NULL);
    }
}
