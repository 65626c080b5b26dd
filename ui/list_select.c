#include "config.h"

#include "ui/listview.h"

#include "base/flags.h"
#include "ui/app.h"
#include "ui/text.h"

void
selection_free(struct selection *selection)
{
    if (!selection)
        return;
    g_hash_table_unref(selection->ids);
    g_array_unref(selection->messages);
    g_clear_pointer(&selection->threads, g_array_unref);
    g_free(selection);
}

/* Of the rows that are loaded: the rest counts as these do. */
static void
add_flags(struct selection *selection, struct listview *list)
{
    for (guint i = 0; i < list->lines->len; i++) {
        const struct list_line *line = listview_line(list, (int)i);
        gint64 id = line->row ? listview_line_id(list, line) : 0;
        if (!id || !g_hash_table_contains(selection->ids, &id))
            continue;
        selection->all_seen &= (line->row->flags & FLAG_SEEN) != 0;
        selection->any_flagged |= (line->row->flags & FLAG_FLAGGED) != 0;
    }
}

struct selection *
listview_selection(struct listview *list, gboolean marked)
{
    struct selection *selection = g_new0(struct selection, 1);
    selection->ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    selection->messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    selection->threads = g_array_new(FALSE, FALSE, sizeof(gint64));
    selection->all_seen = TRUE;
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, list->marks);
    while (marked && g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_add(selection->ids, g_memdup2(key, sizeof(gint64)));
    if (!marked && listview_current(list)) {
        gint64 id = listview_line_id(list, listview_current(list));
        g_hash_table_add(selection->ids, g_memdup2(&id, sizeof id));
    }
    g_hash_table_iter_init(&iter, selection->ids);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        gint64 id = *(gint64 *)key, thread = -id;
        if (id < 0)
            g_array_append_val(selection->threads, thread);
        else
            g_array_append_val(selection->messages, id);
    }
    add_flags(selection, list);
    selection->rows = g_hash_table_size(selection->ids);
    selection->folder = listview_from(list);
    return selection;
}

void
selection_resolve(struct selection *selection, struct listview *list)
{
    g_autoptr(GError) error = NULL;
    if (!selection->threads || !selection->threads->len)
        return;
    g_autoptr(GArray) all =
        list_messages_of(list->set->store, &list->set->view, (const gint64 *)(gpointer)selection->threads->data,
                         selection->threads->len, &error);
    if (all)
        g_array_append_vals(selection->messages, all->data, all->len);
    else
        app_error(list->view.app, _("the conversation cannot be read"), g_steal_pointer(&error));
    g_array_set_size(selection->threads, 0);
}
