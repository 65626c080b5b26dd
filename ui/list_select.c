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
    g_free(selection);
}

static void
add_flags(struct selection *selection, struct listview *list, gint64 id)
{
    for (guint i = 0; i < list->lines->len; i++) {
        const struct list_line *line = listview_line(list, (int)i);
        if (!line->row || listview_line_id(list, line) != id)
            continue;
        selection->all_seen &= (line->row->flags & FLAG_SEEN) != 0;
        selection->any_flagged |= (line->row->flags & FLAG_FLAGGED) != 0;
        return;
    }
}

struct selection *
listview_selection(struct listview *list, gboolean marked)
{
    struct selection *selection = g_new0(struct selection, 1);
    selection->ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    selection->messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    selection->all_seen = TRUE;
    if (marked) {
        GHashTableIter iter;
        gpointer key;
        g_hash_table_iter_init(&iter, list->marks);
        while (g_hash_table_iter_next(&iter, &key, NULL))
            g_hash_table_add(selection->ids, g_memdup2(key, sizeof(gint64)));
    } else if (listview_current(list)) {
        gint64 id = listview_line_id(list, listview_current(list));
        g_hash_table_add(selection->ids, g_memdup2(&id, sizeof id));
    }
    g_autoptr(GArray) threads = g_array_new(FALSE, FALSE, sizeof(gint64));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, selection->ids);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        gint64 id = *(gint64 *)key, thread = -id;
        if (id < 0)
            g_array_append_val(threads, thread);
        else
            g_array_append_val(selection->messages, id);
        add_flags(selection, list, id);
        selection->rows++;
    }
    if (threads->len) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) all =
            list_messages_of(list->set->store, &list->set->view, (const gint64 *)(gpointer)threads->data,
                             threads->len, &error);
        if (all)
            g_array_append_vals(selection->messages, all->data, all->len);
        else
            app_error(list->view.app, _("the conversation cannot be read"), g_steal_pointer(&error));
    }
    selection->folder = list->folder;
    return selection;
}
