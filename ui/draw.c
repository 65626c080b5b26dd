#include "config.h"

#include "ui/draw.h"

#include "base/width.h"
#include "ui/app.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

void
draw_rule(int row, int column, int columns)
{
    if (columns <= 0)
        return;
    GString *rule = g_string_new(NULL);
    for (int i = 0; i < columns; i++)
        g_string_append(rule, "─");
    term_put(row, column, columns, PLAIN(ROLE_FAINT), rule->str);
    g_string_free(rule, TRUE);
}

void
draw_column_rule(int row, int rows, int column)
{
    for (int i = 0; i < rows; i++)
        term_put(row + i, column, 1, PLAIN(ROLE_FAINT), "│");
}

void
draw_ends(int row, const struct area *area, guint left_style, const char *left, guint right_style,
          const char *right)
{
    int right_width = right ? width_text(right) : 0;
    if (right_width > area->columns - 2)
        right_width = 0;
    int room = area->columns - right_width - (right_width ? 2 : 0) - 1;
    if (left && room > 0) {
        g_autofree char *cut = width_cut(left, room);
        term_put(row, area->column + 1, room, left_style, cut);
    }
    if (right_width)
        term_put(row, area->column + area->columns - right_width - 1, right_width, right_style, right);
}

char *
draw_bar(guint64 done, guint64 total, int cells)
{
    int full = total ? (int)(MIN(done, total) * (guint64)cells / total) : 0;
    GString *bar = g_string_new(NULL);
    for (int i = 0; i < cells; i++)
        g_string_append(bar, i < full ? "▰" : "▱");
    return g_string_free(bar, FALSE);
}

static char *
wrap(const char *text, int columns)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);
    for (char **line = lines; *line; line++) {
        const char *rest = *line;
        gsize next = 0;
        do {
            gsize length = width_wrap(rest, columns, &next);
            g_string_append_printf(out, "%s%.*s", out->len ? "\n" : "", (int)length, rest);
            rest += next;
        } while (*rest && next);
    }
    return g_string_free(out, FALSE);
}

void
draw_notice(const struct area *area, const char *text)
{
    g_autofree char *wrapped = wrap(text, MAX(area->columns - 4, 10));
    g_auto(GStrv) lines = g_strsplit(wrapped, "\n", -1);
    int n = (int)g_strv_length(lines);
    int row = area->row + MAX((area->rows - n) / 3, 0);
    for (int i = 0; i < n && row + i < area->row + area->rows; i++) {
        int width = width_text(lines[i]);
        int column = area->column + MAX((area->columns - width) / 2, 0);
        term_put(row + i, column, area->columns, PLAIN(i ? ROLE_DIM : ROLE_TEXT), lines[i]);
    }
}

void
draw_paragraph(const struct area *area, guint style, const char *text)
{
    g_autofree char *wrapped = wrap(text, MAX(area->columns, 10));
    g_auto(GStrv) lines = g_strsplit(wrapped, "\n", -1);
    for (int i = 0; i < area->rows && lines[i]; i++)
        term_put(area->row + i, area->column, area->columns, style, lines[i]);
}

void
draw_hints(struct app *app, int row, const struct area *area, guint context, const char *const *pairs,
           const char *right)
{
    int column = area->column + 1,
        end = area->column + area->columns - 1 - (right ? width_text(right) + 2 : 0);
    for (; pairs[0]; pairs += 2) {
        const struct command *command = command_find(pairs[0]);
        if (!command)
            continue;
        g_autofree char *key = keymap_key(app->keymap, command, context);
        const char *label = _(pairs[1]);
        int width = width_text(key) + 1 + width_text(label);
        if (!*key)
            continue;
        if (column + width > end)
            break;
        column += term_put(row, column, end - column, STYLE_ON(ROLE_ACCENT, GROUND_BAR), key) + 1;
        column += term_put(row, column, end - column, STYLE_ON(ROLE_DIM, GROUND_BAR), label) + 2;
    }
    if (right)
        term_put(row, area->column + area->columns - 1 - width_text(right), width_text(right),
                 STYLE_ON(ROLE_TEXT, GROUND_BAR), right);
}
