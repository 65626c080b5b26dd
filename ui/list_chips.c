/* The conditions of a search and of a limit, as numbered chips above the list. What the user typed stays the truth: a chip
 * that goes is cut out of it (search/query.h), and the list is looked for again. */
#include "config.h"

#include "ui/listview.h"

#include "base/text.h"
#include "base/width.h"
#include "search/query.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

struct chip {
    char *words;    /* made safe */
    char *without;  /* NULL: it cannot be cut out */
    gboolean limit; /* of the limit, not of the search */
    int from, to;   /* columns of the screen at the last draw; to 0: it was not drawn */
};

static void
chip_free(gpointer data)
{
    struct chip *chip = data;
    g_free(chip->words);
    g_free(chip->without);
    g_free(chip);
}

static void
add(struct listview *list, const char *text, gboolean limit)
{
    g_autoptr(GPtrArray) found = search_chips(text, limit ? SEARCH_LIMIT : SEARCH_NOTMUCH);
    for (guint i = 0; i < found->len; i++) {
        const struct search_chip *from = g_ptr_array_index(found, i);
        struct chip *chip = g_new0(struct chip, 1);
        chip->words = text_safe(from->words, -1, TEXT_LINE);
        chip->without = g_strdup(from->without);
        chip->limit = limit;
        g_ptr_array_add(list->chips, chip);
    }
}

/* A list of one conversation (Esc t) is no search that somebody wrote. */
static gboolean
is_conversation(const struct listview *list)
{
    return list->search && g_str_has_prefix(list->name, "thread:") && !strpbrk(list->name, " {");
}

void
list_chips_read(struct listview *list)
{
    g_clear_pointer(&list->chips, g_ptr_array_unref);
    list->chips = g_ptr_array_new_with_free_func(chip_free);
    if (list->search && list->name && !is_conversation(list))
        add(list, list->name, FALSE);
    if (list->limit)
        add(list, list->limit, TRUE);
}

gboolean
list_has_chips(const struct listview *list)
{
    return list->chips && list->chips->len;
}

/* ---- the line ---- */

#define CROSS " ×"

static int
draw_chip(struct chip *chip, guint number, int row, int column, int max)
{
    g_autofree char *label = g_strdup_printf(" %u ", number);
    int room = max - width_text(label) - width_text(CROSS) - 1;
    g_autofree char *words = width_cut(chip->words, MAX(room, 1));
    int used = term_put(row, column, max, STYLE_ON(ROLE_ACCENT, GROUND_MARK), label);
    used += term_put(row, column + used, max - used, STYLE_ON(ROLE_TEXT, GROUND_MARK), words);
    used += term_put(row, column + used, max - used, STYLE_ON(ROLE_DIM, GROUND_MARK), CROSS " ");
    chip->from = column;
    chip->to = column + used;
    return used;
}

void
list_chips_draw(struct listview *list, const struct area *line)
{
    int column = line->column + 1, end = line->column + line->columns - 1;
    guint n = list->chips->len, i;
    int least = n > 1 ? 12 : 6, most = n > 2 ? line->columns / 2 : line->columns; /* none takes all the room */
    term_fill(line->row, line->column, 1, line->columns, PLAIN(ROLE_TEXT));
    for (i = 0; i < n; i++)
        ((struct chip *)g_ptr_array_index(list->chips, i))->to = 0;
    for (i = 0; i < n; i++) {
        int more = i + 1 < n ? 5 : 0; /* " +12" */
        if (end - column - more < least)
            break;
        column += draw_chip(g_ptr_array_index(list->chips, i), i + 1, line->row, column, MIN(end - column - more, most)) + 1;
    }
    if (i == n)
        return;
    g_autofree char *rest = g_strdup_printf("+%u", n - i);
    term_put(line->row, column, end - column, PLAIN(ROLE_DIM), rest);
}

gboolean
list_chip_mouse(struct listview *list, int column)
{
    for (guint i = 0; list->chips && i < list->chips->len; i++) {
        const struct chip *chip = g_ptr_array_index(list->chips, i);
        if (column < chip->from || column >= chip->to)
            continue;
        list_chip_drop(list, i + 1);
        return TRUE;
    }
    return FALSE;
}

/* ---- taking away ---- */

/* A search without conditions is none. */
static void
end_search(struct listview *list)
{
    struct app *app = list->view.app;
    if (app->views->len > 1 && app_top(app) == &list->view)
        app_remove(app, &list->view);
    else
        listview_show_start(list);
}

static void
show_without(struct listview *list, const struct chip *chip)
{
    gboolean of_limit = chip->limit;
    g_autofree char *text = g_strdup(chip->without), *limit = g_strdup(of_limit ? chip->without : list->limit);
    struct list_line *line = listview_current(list);
    gint64 message = line ? line->row->message : 0;
    if (of_limit && !*text) {
        listview_show_all(list);
    } else if (!of_limit) {
        struct query *query = search_parse(text, SEARCH_NOTMUCH, NULL, NULL);
        listview_show_query(list, search_exclude(query ? query : query_new(QUERY_NONE)), text);
    }
    if (limit && *limit)
        command_limit(list->view.app, limit);
    list->wanted = message; /* the cursor stays on it */
}

void
list_chip_drop(struct listview *list, guint number)
{
    struct app *app = list->view.app;
    const struct chip *chip = number && number <= list->chips->len ? g_ptr_array_index(list->chips, number - 1) : NULL;
    if (!number && list->search)
        end_search(list);
    else if (!number)
        listview_show_all(list);
    else if (!chip)
        app_say(app, ngettext("there is %u condition", "there are %u conditions", list->chips->len), list->chips->len);
    else if (!chip->without)
        app_say(app, _("this condition cannot be taken out by itself: change the search"));
    else if (chip->limit || *chip->without)
        show_without(list, chip);
    else if (list->limit)
        app_say(app, _("a search begins with a condition: take the others away first"));
    else
        end_search(list);
}

void
command_widen(struct app *app, const char *argument)
{
    struct listview *list = listview_at_hand(app);
    if (!list || !list->set || !list_has_chips(list)) {
        app_say(app, _("nothing narrows this list: / searches, l limits"));
        return;
    }
    guint number = argument ? (guint)CLAMP(g_ascii_strtoll(argument, NULL, 10), 0, 1000) : list->chips->len;
    list_chip_drop(list, number);
}
