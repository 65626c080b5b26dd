/* The text around what a search found, for the rows on the screen: looked up in the background after they are drawn, kept as
 * long as the search is shown. */
#include "config.h"

#include "ui/listview.h"

#include "search/hits.h"
#include "ui/app.h"
#include "ui/finder.h"

#define MOST 160 /* characters, whatever the width: the window may grow */

static void
found(struct app *app, struct found *found, gpointer data)
{
    struct listview *list = data;
    for (guint i = 0; list->snippets && i < found->snippets->len; i++) {
        gint64 key = g_array_index(list->snippets_asked, gint64, i);
        const char *piece = g_ptr_array_index(found->snippets, i);
        g_hash_table_replace(list->snippets, g_memdup2(&key, sizeof key), g_strdup(piece ? piece : ""));
    }
    app_dirty(app);
}

void
list_snippets_begin(struct listview *list, const struct query *query)
{
    list_snippets_end(list);
    list->snippets_hits = hits_new(query, QUERY_BODY);
    if (!list->snippets_hits)
        return;
    list->snippets = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    list->snippets_asked = g_array_new(FALSE, FALSE, sizeof(gint64));
}

void
list_snippets_end(struct listview *list)
{
    finder_cancel(list->view.app->counter, &list->snippets);
    g_clear_pointer(&list->snippets, g_hash_table_unref);
    g_clear_pointer(&list->snippets_asked, g_array_unref);
    g_clear_pointer(&list->snippets_hits, hits_free);
}

static gboolean
is_empty(gpointer key G_GNUC_UNUSED, gpointer piece, gpointer data G_GNUC_UNUSED)
{
    return !*(const char *)piece;
}

void
list_snippets_again(struct listview *list)
{
    if (list->snippets)
        g_hash_table_foreach_remove(list->snippets, is_empty, NULL);
}

char *
list_snippet(const struct listview *list, const struct list_row *row, int most)
{
    const char *piece = list->snippets ? g_hash_table_lookup(list->snippets, &row->key) : NULL;
    return piece && most > 0 ? hits_snippet(list->snippets_hits, piece, (guint)most) : NULL;
}

void
list_snippets_ask(struct listview *list)
{
    struct app *app = list->view.app;
    if (!list->snippets || finder_busy(app->counter, &list->snippets))
        return;
    g_array_set_size(list->snippets_asked, 0);
    for (int i = 0; i < list->page; i++) {
        const struct list_line *line = listview_line(list, list->top + i);
        if (line && line->row && line->row->cached && !g_hash_table_contains(list->snippets, &line->row->key))
            g_array_append_val(list->snippets_asked, line->row->key);
    }
    if (list->snippets_asked->len)
        finder_snippets(counter_of(app), &list->snippets, list->set->view.query, list->snippets_asked, MOST, found, list);
}
