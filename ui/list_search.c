#include "config.h"

#include "base/text.h"
#include "search/query.h"
#include "store/account.h"
#include "store/contact.h"
#include "store/folder.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/finder.h"
#include "ui/listview.h"
#include "ui/people.h"
#include "ui/readview.h"
#include "ui/text.h"

#include <string.h>

/* ---- from text to a query ---- */

/* mutt's ~T: the marks of the list stand in for it. */
static void
put_marks(struct query *query, GHashTable *marks)
{
    for (guint i = 0; query->children && i < query->children->len; i++)
        put_marks(g_ptr_array_index(query->children, i), marks);
    if (query->kind != QUERY_MARKED)
        return;
    query->kind = QUERY_NONE;
    if (!marks || !g_hash_table_size(marks))
        return;
    query->kind = QUERY_OR;
    query->children = g_ptr_array_new_with_free_func((GDestroyNotify)query_free);
    g_ptr_array_add(query->children, query_new(QUERY_NONE));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, marks);
    while (g_hash_table_iter_next(&iter, &key, NULL) && query->children->len < QUERY_NODES_MAX / 2) {
        gint64 id = *(gint64 *)key;
        g_ptr_array_add(query->children, id > 0 ? query_new_range(QUERY_NUMBER, id, id)
                                                : query_new_range(QUERY_THREAD, -id, -id));
    }
}

static struct query *
parse(struct listview *list, const char *text, enum search_mode mode, GError **error)
{
    struct query *query = search_parse(text, mode, NULL, error);
    if (query && list)
        put_marks(query, list->marks);
    return query;
}

/* ---- completion in search prompts ---- */

static GPtrArray *
complete_query(struct app *app, const char *text, gsize cursor, gsize *from, gsize *to, gpointer data)
{
    g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) accounts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) all = folder_list(app->store, 0, FALSE, NULL);
    for (guint i = 0; all && i < all->len; i++)
        g_ptr_array_add(folders, g_strdup(((struct folder *)g_ptr_array_index(all, i))->name));
    GPtrArray *used = list_tags(app->store, NULL);
    for (guint i = 0; used && i < used->len; i++)
        g_ptr_array_add(tags, g_strdup(((struct list_tag *)g_ptr_array_index(used, i))->tag));
    if (used)
        g_ptr_array_unref(used);
    for (guint i = 0; i < app->config->accounts->len; i++)
        g_ptr_array_add(accounts,
                        g_strdup(((struct account *)g_ptr_array_index(app->config->accounts, i))->name));
    g_ptr_array_add(folders, NULL);
    g_ptr_array_add(tags, NULL);
    g_ptr_array_add(accounts, NULL);
    struct search_words words = {(const char *const *)tags->pdata, (const char *const *)folders->pdata,
                                 (const char *const *)accounts->pdata};
    gboolean address = FALSE;
    g_auto(GStrv) found =
        search_complete(text, cursor, (enum search_mode)GPOINTER_TO_INT(data), &words, from, &address);
    *to = cursor;
    GPtrArray *result = candidates_new();
    if (address) {
        g_autofree char *typed = g_strndup(text + *from, cursor - *from);
        people_complete(app, typed, result, TRUE);
    }
    for (char **word = found; word && *word; word++)
        g_ptr_array_add(result, candidate_new(*word, NULL, NULL));
    return result;
}

/* ---- search everywhere, as it is typed ---- */

/* While it is typed, the last word is a beginning: "lisb" finds Lisbon. Not with one or two letters, which
 * begin half of all words, and not inside the language's own words. */
static char *
as_beginning(const char *text)
{
    static const char *const operators[] = {"and", "not", "xor", NULL};
    const char *word = text + strlen(text);
    glong length = 0;
    while (word > text) {
        const char *before = g_utf8_prev_char(word);
        if (!g_unichar_isalnum(g_utf8_get_char(before)))
            break;
        word = before;
        length++;
    }
    g_autofree char *lower = g_ascii_strdown(word, -1);
    gboolean alone = word == text || word[-1] == ' ';
    return length >= 3 && alone && !g_strv_contains(operators, lower) ? g_strconcat(text, "*", NULL)
                                                                      : g_strdup(text);
}

static void
search_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct listview *list = (struct listview *)app_top(app);
    if (list->view.class != &list_class || !list->search)
        return;
    list->server_wanted = FALSE;
    g_autofree char *beginning = as_beginning(text);
    struct query *query = parse(NULL, beginning, SEARCH_NOTMUCH, NULL);
    if (!query) /* half a word of the language: what was found stays */
        return;
    listview_show_query(list, search_exclude(query), text);
}

static void
search_done(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct view *top = app_top(app);
    if (top->class != &list_class || !((struct listview *)top)->search)
        return;
    if (!text || !*text) {
        app_remove(app, top);
        return;
    }
    g_autoptr(GError) error = NULL;
    struct query *query = parse(NULL, text, SEARCH_NOTMUCH, &error);
    if (!query) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    struct listview *list = (struct listview *)top;
    if (strcmp(list->name, text) != 0)
        listview_show_query(list, search_exclude(query), text);
    else
        query_free(query);
    list_server_ask(list);
    struct listview *below = app->views->len > 1 ? g_ptr_array_index(app->views, app->views->len - 2) : NULL;
    if (below && below->view.class == &list_class) {
        g_free(below->needle);
        below->needle = g_strdup(text);
    }
}

void
command_search(struct app *app, const char *argument)
{
    struct listview *list = (struct listview *)app_top(app);
    if (!app->store)
        return;
    if (!list->search) {
        list = listview_new(app);
        list->search = TRUE;
        app_push(app, &list->view);
        listview_show_query(list, query_new(QUERY_NONE), "");
    }
    if (argument) {
        search_done(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Search: "),
                               .text = list->name,
                               .history = "search",
                               .complete = complete_query,
                               .changed = search_typed,
                               .done = search_done,
                               .data = GINT_TO_POINTER(SEARCH_NOTMUCH)};
    prompt_line(app, &spec);
}

/* One step at a time, whichever list it is in. */
static struct stepping {
    struct listview *list; /* compared before it is used */
    gint64 key;
    gboolean older;
} list_stepping;

static void
step_found(struct app *app, struct found *found, gpointer data)
{
    struct stepping *stepping = data;
    struct listview *list = stepping->list;
    if (!g_ptr_array_find(app->views, list, NULL) || !list->set)
        return;
    gint64 key = 0;
    /* Messages of one conversation stand in one row: on until the row is another one. */
    for (guint i = 0; found->rows && i < found->rows->len && (!key || key == stepping->key); i++) {
        const struct list_row *row =
            g_ptr_array_index(found->rows, stepping->older ? i : found->rows->len - 1 - i);
        key = list_key_of(app->store, &list->set->view, row->message);
    }
    if (key && key != stepping->key)
        listview_goto(list, key, 0);
    else
        app_say(app, _("no further line fits \"%s\""), list->needle ? list->needle : "");
    app_dirty(app);
}

/* n: on to the next row of this list that the last search finds. */
static void
search_step(struct app *app, int step)
{
    struct listview *list = listview_at_hand(app);
    if (!list || !list->set)
        return;
    if (list->search) {
        listview_move(list, step > 0 ? MOVE_NEXT : MOVE_PREVIOUS);
        return;
    }
    if (!list->needle) {
        app_say(app, _("nothing was searched for yet: /"));
        return;
    }
    struct query *query = parse(list, list->needle, SEARCH_NOTMUCH, NULL);
    struct list_line *line = listview_current(list);
    if (!query || !line) {
        query_free(query);
        return;
    }
    if (list->set->view.query)
        query = query_new_pair(QUERY_AND, query_copy(list->set->view.query), query);
    struct list_view view = {.kind = LIST_SEARCH,
                             .folders = list->set->view.folders,
                             .n_folders = list->set->view.n_folders,
                             .query = query};
    struct stepping *stepping = &list_stepping;
    gboolean older = (step > 0) != list->set->reverse;
    *stepping = (struct stepping){list, (line->parent ? line->parent : line->row)->key, older};
    finder_ask(finder_of(app), stepping, &view, stepping->key, older ? LIST_OLDER : LIST_NEWER, 50, FALSE,
               step_found, stepping);
    query_free(query);
}

void
command_search_next(struct app *app, const char *argument G_GNUC_UNUSED)
{
    search_step(app, 1);
}

void
command_search_back(struct app *app, const char *argument G_GNUC_UNUSED)
{
    search_step(app, -1);
}

/* ---- limit ---- */

static void
limit_done(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct listview *list = listview_at_hand(app);
    if (!text || !list || !list->set)
        return;
    gboolean all = !*text || !strcmp(text, "*") || !strcmp(text, "all") || !strcmp(text, "~A");
    struct list_line *line = listview_current(list);
    gint64 message = line ? line->row->message : 0;
    if (all && list->search && !list->limit)
        return;
    if (all) {
        listview_show_all(list);
    } else {
        g_autoptr(GError) error = NULL;
        struct query *query = parse(list, text, SEARCH_LIMIT, &error);
        if (!query) {
            app_error(app, NULL, g_steal_pointer(&error));
            return;
        }
        listview_show_limit(list, query, text);
    }
    list->wanted = message; /* the cursor stays on it, if it fits */
    if (all && !list->search) {
        gint64 key = message ? list_key_of(app->store, &list->set->view, message) : 0;
        list->wanted = 0;
        if (key)
            listview_goto(list, key, message);
    }
}

void
command_limit(struct app *app, const char *argument)
{
    struct listview *list = listview_at_hand(app);
    if (!list || !list->set)
        return;
    if (argument) {
        limit_done(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Limit to (all: *): "),
                               .text = list->limit,
                               .history = "limit",
                               .complete = complete_query,
                               .done = limit_done,
                               .data = GINT_TO_POINTER(SEARCH_LIMIT)};
    prompt_line(app, &spec);
}

/* ---- one conversation ---- */

void
command_thread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = listview_at_hand(app);
    gint64 thread = 0, message = 0;
    if (app_top(app)->class == &read_class) {
        struct readview *read = (struct readview *)app_top(app);
        thread = read->row ? read->row->thread : 0;
        message = read->message;
    } else if (list && list->set && listview_current(list)) {
        thread = listview_current(list)->row->thread;
        message = listview_current(list)->row->message;
    }
    if (!thread)
        return;
    struct listview *view = listview_new(app);
    view->search = TRUE;
    app_push(app, &view->view);
    g_autofree char *text = g_strdup_printf("thread:%" G_GINT64_FORMAT, thread);
    view->wanted = message;
    listview_show_query(view, query_new_range(QUERY_THREAD, thread, thread), text);
}
