#include "config.h"

#include "ui/listview.h"

#include "base/clock.h"
#include "base/flags.h"
#include "base/text.h"
#include "base/width.h"
#include "store/folder.h"
#include "store/message.h"
#include "ui/accounts.h"
#include "ui/app.h"
#include "ui/columns.h"
#include "ui/draw.h"
#include "ui/hits.h"
#include "ui/link.h"
#include "ui/sidebar.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

#define TAGS_FROM 24 /* columns of the subject: below that there is room for nothing else */

struct mark {
    const char *text;
    enum role role;
};

/* One cell that says the most important thing about a row. */
static struct mark
state_mark(const struct list_row *row)
{
    if (row->junk == 2 || row->bits & MESSAGE_WARNED || tags_has(row->tags, "$Phishing"))
        return (struct mark){"!", ROLE_BAD};
    if (row->bits & MESSAGE_BOUNCED)
        return (struct mark){"✘", ROLE_BAD};
    if (row->flags & FLAG_FLAGGED)
        return (struct mark){"★", ROLE_FLAGGED};
    if (!(row->flags & FLAG_SEEN))
        return (struct mark){"●", ROLE_ACCENT};
    if (row->flags & FLAG_DRAFT)
        return (struct mark){"✎", ROLE_DIM};
    if (row->flags & FLAG_ANSWERED)
        return (struct mark){"↩", ROLE_DIM};
    if (row->flags & FLAG_FORWARDED)
        return (struct mark){"↪", ROLE_DIM};
    return (struct mark){" ", ROLE_DIM};
}

/* "[work] [trip] ": whole tags, as many as there is room for; the first one cut when even that is too long. */
static char *
tag_cells(const char *tags, int room)
{
    g_autofree char *shown = tags_shown(tags);
    g_auto(GStrv) words = tags_split(shown);
    GString *out = g_string_new(NULL);
    int used = 0;
    for (char **word = words; words && *word; word++) {
        g_autofree char *safe = text_safe(*word, -1, TEXT_LINE);
        g_autofree char *cut = width_cut(safe, out->len ? room : MAX(room - 3, 1));
        int width = width_text(cut) + 3;
        if (out->len && used + width + (word[1] ? 2 : 0) > room) {
            g_string_append(out, "… ");
            break;
        }
        g_string_append_printf(out, "[%s] ", cut);
        used += width;
    }
    return g_string_free(out, FALSE);
}

static const char *
bare(const char *subject)
{
    while (!g_ascii_strncasecmp(subject, "re: ", 4))
        subject += 4;
    return subject;
}

static void
draw_people(const struct hits *hits, const struct list_line *line, int row, int column, int width, enum ground ground, gboolean unread)
{
    const struct list_row *data = line->row;
    const char *people =
        line->kind == LIST_LINE_TREE ? (data->from_name ? data->from_name : data->from_addr) : data->people;
    if (line->kind == LIST_LINE_TREE && data->bits & MESSAGE_FROM_ME)
        people = _("me");
    g_autofree char *safe = text_safe(people && *people ? people : _("(nobody)"), -1, TEXT_LINE);
    g_autofree char *count =
        line->kind == LIST_LINE_ROW && data->count > 1 ? g_strdup_printf(" (%u)", data->count) : g_strdup("");
    int count_width = width_text(count);
    if (line->kind == LIST_LINE_TREE) {
        int used = term_put(row, column, width / 2, STYLE_ON(ROLE_FAINT, ground), line->group);
        used += term_put(row, column + used, width - used, STYLE_ON(ROLE_FAINT, ground), " ");
        column += used;
        width -= used;
    }
    g_autofree char *cut = width_cut(safe, MAX(width - count_width, 1));
    int used = hits_put(hits, row, column, width, STYLE_ON(unread ? ROLE_UNREAD : ROLE_PEOPLE, ground),
                        STYLE_ON(ROLE_MATCH, ground), cut);
    term_put(row, column + used, width - used, STYLE_ON(ROLE_DIM, ground), count);
}

/* What stands behind the subject: the text around what was looked for, else how the message begins. */
static void
draw_text(const struct listview *list, const struct list_row *data, int row, int column, int end, enum ground ground,
          const char *dash, gboolean preview)
{
    if (end - column <= 12)
        return;
    g_autofree char *snippet = list_snippet(list, data, end - column - width_text(dash));
    const char *text = snippet ? snippet : preview ? data->preview : "";
    if (!*text)
        return;
    column += term_put(row, column, end - column, STYLE_ON(ROLE_FAINT, ground), dash);
    g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
    g_autofree char *cut = width_cut(safe, MAX(end - column, 0));
    hits_put(list->hits, row, column, end - column, STYLE_ON(ROLE_DIM, ground), STYLE_ON(ROLE_MATCH, ground), cut);
}

static void
draw_subject(const struct listview *list, const struct list_line *line, int row, int column, int width, enum ground ground,
             gboolean unread, gboolean preview)
{
    const struct list_row *data = line->row;
    const struct hits *hits = list->hits;
    int end = column + width;
    g_autofree char *tags = width < TAGS_FROM ? g_strdup("") : tag_cells(data->tags, width / 3);
    if (*tags)
        column += term_put(row, column, end - column, STYLE_ON(ROLE_TAG, ground), tags);
    /* In an opened conversation the subject is said once. */
    gboolean same = line->parent && !strcmp(bare(data->subject), bare(line->parent->subject));
    if (!same || !*data->preview) {
        g_autofree char *safe = text_safe(*data->subject ? data->subject : _("(no subject)"), -1, TEXT_LINE);
        g_autofree char *cut = width_cut(safe, MAX(end - column, 0));
        column += hits_put(hits, row, column, end - column,
                           STYLE_ON(unread           ? ROLE_UNREAD
                                    : *data->subject ? ROLE_SUBJECT
                                                     : ROLE_DIM,
                                    ground),
                           STYLE_ON(ROLE_MATCH, ground), cut);
    }
    draw_text(list, data, row, column, end, ground, same ? "" : "  — ", preview || same);
}

static void
draw_line(struct listview *list, const struct list_line *line, int row, const struct area *area,
          const struct columns *columns, gboolean current, gint64 now)
{
    if (line->kind == LIST_LINE_GROUP) {
        term_put(row, area->column + 1, area->columns - 2, PLAIN(ROLE_TITLE), line->group);
        return;
    }
    const struct list_row *data = line->row;
    gint64 id = listview_line_id(list, line);
    gboolean marked = g_hash_table_contains(list->marks, &id);
    gboolean away = app_top(list->view.app) != &list->view;
    enum ground ground = current  ? (away ? GROUND_CURSOR_AWAY : GROUND_CURSOR)
                         : marked ? GROUND_MARK
                                  : GROUND_PLAIN;
    gboolean unread = !(data->flags & FLAG_SEEN);
    int x = area->column;
    term_fill(row, x, 1, area->columns, STYLE_ON(ROLE_TEXT, ground));
    if (marked)
        term_put(row, x + columns->mark, 1, STYLE_ON(ROLE_WARN, ground), "✓");
    struct mark mark = state_mark(data);
    term_put(row, x + columns->state, 1, STYLE_ON(mark.role, ground), mark.text);
    const struct account_mark *account =
        columns->account >= 0 ? account_mark(list->account_marks, data->account) : NULL;
    if (account)
        term_put(row, x + columns->account, 1, STYLE_ON(account->role, ground), account->letter);
    if (columns->date_width) {
        g_autofree char *date = clock_short(data->date, now);
        g_autofree char *fit = width_fit_right(date, columns->date_width);
        term_put(row, x + columns->date, columns->date_width, STYLE_ON(ROLE_DATE, ground), fit);
    }
    if (columns->people_width)
        draw_people(list->hits, line, row, x + columns->people, columns->people_width, ground, unread);
    draw_subject(list, line, row, x + columns->subject, columns->subject_width, ground, unread, columns->preview);
    if (columns->size_width) {
        g_autofree char *size = text_size(data->size);
        g_autofree char *fit = width_fit_right(size, columns->size_width);
        term_put(row, x + columns->size, columns->size_width, STYLE_ON(ROLE_DIM, ground), fit);
    }
    if (columns->attachment >= 0 && data->bits & MESSAGE_ATTACHMENTS)
        term_put(row, x + columns->attachment, 1, STYLE_ON(ROLE_DATE, ground), "@");
}

/* Nothing ever came of an account: why, in full. NULL: that is not so. */
static char *
first_trouble(const struct listview *list)
{
    const struct app *app = list->view.app;
    const GPtrArray *accounts = app->link ? link_accounts(app->link) : NULL;
    for (guint i = 0; accounts && i < accounts->len; i++) {
        const struct link_account *account = accounts->pdata[i];
        if (account->synced || !*account->text || (list->account && strcmp(list->account, account->name)))
            continue;
        g_autofree char *why = text_safe(account->text, -1, TEXT_LINE), *path = text_safe(app->config->path, -1, TEXT_LINE);
        return g_strdup_printf(_("No mail of %s yet\n%s\nS shows more, $ tries again. The account is set up in %s"), account->name,
                               why, path);
    }
    return NULL;
}

static void
draw_empty(struct listview *list, const struct area *area)
{
    g_autofree char *text = NULL;
    if (list->problem)
        text = g_strdup_printf(_("This list cannot be read\n%s"), list->problem);
    else if (list->search || list->limit)
        text = g_strdup(_("Nothing fits\nis:unread  from:ana  subject:\"two words\"  date:1w..  "
                          "attachment:pdf  — or mutt's ~f ~s ~b"));
    else if (!list->folder && !list->set && (text = first_trouble(list)))
        ;
    else if (!list->folder && !list->set)
        text = g_strdup(_("No mail here yet\nc chooses a folder, $ asks the servers, ? helps"));
    else
        text = g_strdup(_("Nothing here\nNew mail appears by itself. c goes to another folder, m writes."));
    draw_notice(area, text);
}

void
list_draw(struct view *view, const struct area *whole)
{
    struct listview *list = (struct listview *)view;
    struct area area = *whole;
    gboolean ruled = area.rows >= 8;
    int side = list->sidebar ? sidebar_width(list->sidebar, whole->columns) : 0;
    list->side_width = side;
    if (ruled)
        area.rows--;
    if (side) {
        struct area bar = {area.row, area.column, area.rows, side};
        struct sidebar_target shown = listview_target(list);
        sidebar_draw(list->sidebar, &bar, &shown);
        draw_column_rule(area.row, area.rows, area.column + side);
        area.column += side + 1;
        area.columns -= side + 1;
    }
    if (ruled) {
        draw_rule(area.row + area.rows, whole->column, whole->columns);
        if (side)
            term_put(area.row + area.rows, whole->column + side, 1, PLAIN(ROLE_FAINT), "┴");
    }
    gboolean chips = list_has_chips(list);
    list->tabs = (chips || list_has_splits(list)) && area.rows >= 4;
    if (list->tabs) {
        if (chips)
            list_chips_draw(list, &area);
        else
            list_split_draw(list, &area);
        area.row++;
        area.rows--;
    }
    list->page = area.rows;
    int n = (int)list->lines->len;
    if (!n) {
        draw_empty(list, &area);
        return;
    }
    rows_clamp(n, area.rows, &list->cursor, &list->top);
    /* The name of the day above the first row stays in sight. */
    if (list->cursor == 1 && list->top == 1)
        list->top = 0;
    struct columns columns;
    gboolean several = !list->account && list->account_marks && list->account_marks->len;
    columns_layout(area.columns, !list->conversations, several, &columns);
    gint64 now = clock_now();
    for (int i = 0; i < area.rows && list->top + i < n; i++)
        draw_line(list, listview_line(list, list->top + i), area.row + i, &area, &columns,
                  list->top + i == list->cursor, now);
    list_snippets_ask(list);
}
