#include "config.h"

#include "ui/listview.h"

#include "base/clock.h"
#include "ui/columns.h"
#include "ui/text.h"

#define TREE_LEVELS 8

void
list_line_clear(gpointer data)
{
    struct list_line *line = data;
    if (line->kind == LIST_LINE_TREE)
        g_free((char *)line->group);
}

static void
add_tree(struct listview *list, struct list_row *parent)
{
    GPtrArray *tree = g_hash_table_lookup(list->set->open, &parent->thread);
    if (!tree)
        return;
    g_autoptr(GArray) depths = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < tree->len; i++)
        g_array_append_val(depths, ((struct list_row *)g_ptr_array_index(tree, i))->depth);
    char **prefixes = columns_tree((const guint *)(gpointer)depths->data, depths->len, TREE_LEVELS);
    for (guint i = 0; i < tree->len; i++) {
        struct list_line line = {LIST_LINE_TREE, g_ptr_array_index(tree, i), prefixes[i], parent};
        g_array_append_val(list->lines, line);
    }
    g_free(prefixes); /* the lines own the strings */
}

void
list_lines_build(struct listview *list)
{
    g_array_set_size(list->lines, 0);
    const char *group = NULL;
    gint64 now = clock_now();
    gboolean by_day = list->set->order == ORDER_DATE && list->set->view.kind != LIST_THREAD;
    for (guint i = 0; i < list->set->rows->len; i++) {
        struct list_row *row = g_ptr_array_index(list->set->rows, i);
        if (by_day) {
            const char *day = columns_day_group(row->date, now);
            if (day != group) {
                struct list_line heading = {.kind = LIST_LINE_GROUP, .group = day};
                g_array_append_val(list->lines, heading);
                group = day;
            }
        }
        struct list_line line = {.kind = LIST_LINE_ROW, .row = row};
        g_array_append_val(list->lines, line);
        add_tree(list, row);
    }
    list_server_lines(list);
}
