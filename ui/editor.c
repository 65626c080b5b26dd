#include "config.h"

#include "ui/editor.h"

#include "base/width.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/layout.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

/* ---- the text ---- */

static void
line_free(gpointer data)
{
    g_string_free(data, TRUE);
}

struct editor_text *
editor_text_new(const char *text)
{
    struct editor_text *result = g_new0(struct editor_text, 1);
    result->lines = g_ptr_array_new_with_free_func(line_free);
    result->cut = g_string_new(NULL);
    result->goal = -1;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (line[1] || **line || line == lines)
            g_ptr_array_add(result->lines, g_string_new(*line));
    if (!result->lines->len)
        g_ptr_array_add(result->lines, g_string_new(NULL));
    return result;
}

void
editor_text_free(struct editor_text *text)
{
    g_ptr_array_unref(text->lines);
    g_string_free(text->cut, TRUE);
    g_free(text);
}

char *
editor_text_get(const struct editor_text *text)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < text->lines->len; i++)
        g_string_append_printf(out, "%s\n", ((GString *)g_ptr_array_index(text->lines, i))->str);
    if (out->len == 1) /* one empty line is no text */
        g_string_truncate(out, 0);
    return g_string_free(out, FALSE);
}

static GString *
line_at(const struct editor_text *text, guint row)
{
    return g_ptr_array_index(text->lines, row);
}

static void
left(struct editor_text *text)
{
    GString *line = line_at(text, text->row);
    if (text->column) {
        const char *p = line->str + text->column;
        do
            p = g_utf8_prev_char(p);
        while (p > line->str && g_unichar_ismark(g_utf8_get_char(p)));
        text->column = (gsize)(p - line->str);
    } else if (text->row) {
        text->column = line_at(text, --text->row)->len;
    }
}

static void
right(struct editor_text *text)
{
    GString *line = line_at(text, text->row);
    if (text->column < line->len) {
        const char *p = g_utf8_next_char(line->str + text->column);
        while (*p && g_unichar_ismark(g_utf8_get_char(p)))
            p = g_utf8_next_char(p);
        text->column = (gsize)(p - line->str);
    } else if (text->row + 1 < text->lines->len) {
        text->row++;
        text->column = 0;
    }
}

static gboolean
word_here(const struct editor_text *text)
{
    GString *line = line_at(text, text->row);
    return text->column < line->len && g_unichar_isalnum(g_utf8_get_char(line->str + text->column));
}

static gboolean
at_start(const struct editor_text *text)
{
    return !text->row && !text->column;
}

static gboolean
at_end(const struct editor_text *text)
{
    return text->row + 1 == text->lines->len && text->column == line_at(text, text->row)->len;
}

static void
word_left(struct editor_text *text)
{
    do
        left(text);
    while (!at_start(text) && !word_here(text));
    while (!at_start(text)) {
        guint row = text->row;
        gsize column = text->column;
        left(text);
        if (!word_here(text)) {
            text->row = row;
            text->column = column;
            break;
        }
    }
}

static void
word_right(struct editor_text *text)
{
    while (!at_end(text) && !word_here(text))
        right(text);
    while (!at_end(text) && word_here(text))
        right(text);
}

static void
vertical(struct editor_text *text, int step)
{
    GString *line = line_at(text, text->row);
    if (text->goal < 0) {
        g_autofree char *before = g_strndup(line->str, text->column);
        text->goal = width_text(before);
    }
    int row = CLAMP((int)text->row + step, 0, (int)text->lines->len - 1);
    text->row = (guint)row;
    text->column = width_bytes(line_at(text, text->row)->str, text->goal);
}

static void
insert(struct editor_text *text, const char *bytes)
{
    for (const char *p = bytes; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        GString *line = line_at(text, text->row);
        if (c == '\n') {
            GString *rest = g_string_new(line->str + text->column);
            g_string_truncate(line, text->column);
            g_ptr_array_insert(text->lines, (gint)++text->row, rest);
            text->column = 0;
        } else if (c == '\t' || !g_unichar_iscntrl(c)) {
            gsize before = line->len;
            g_string_insert_unichar(line, (gssize)text->column, c);
            text->column += line->len - before;
        }
    }
}

/* From the cursor to another place behind it. */
static void
erase_to(struct editor_text *text, guint row, gsize column, gboolean keep)
{
    GString *line = line_at(text, text->row);
    if (keep && !text->cutting)
        g_string_truncate(text->cut, 0);
    if (row == text->row) {
        if (keep)
            g_string_append_len(text->cut, line->str + text->column, (gssize)(column - text->column));
        g_string_erase(line, (gssize)text->column, (gssize)(column - text->column));
        return;
    }
    if (keep)
        g_string_append_printf(text->cut, "%s\n", line->str + text->column);
    g_string_truncate(line, text->column);
    g_string_append(line, line_at(text, row)->str + column);
    g_ptr_array_remove_index(text->lines, row);
}

static void
delete_forward(struct editor_text *text)
{
    guint row = text->row;
    gsize column = text->column;
    right(text);
    guint end_row = text->row;
    gsize end_column = text->column;
    text->row = row;
    text->column = column;
    if (end_row != row || end_column != column)
        erase_to(text, end_row, end_column, FALSE);
}

gboolean
editor_text_key(struct editor_text *text, const struct key_event *event, int page, gboolean *moved)
{
    GString *line = line_at(text, text->row);
    gboolean changed = TRUE, cut = FALSE, vertically = FALSE;
    *moved = TRUE;
    switch (event->key) {
    case K_LEFT:
    case K_CTRL_OF('B'):
        left(text);
        changed = FALSE;
        break;
    case K_RIGHT:
    case K_CTRL_OF('F'):
        right(text);
        changed = FALSE;
        break;
    case K_CTRL | K_LEFT:
    case K_ALT | 'b':
        word_left(text);
        changed = FALSE;
        break;
    case K_CTRL | K_RIGHT:
    case K_ALT | 'f':
        word_right(text);
        changed = FALSE;
        break;
    case K_UP:
    case K_CTRL_OF('P'):
        vertical(text, -1);
        vertically = TRUE;
        changed = FALSE;
        break;
    case K_DOWN:
    case K_CTRL_OF('N'):
        vertical(text, 1);
        vertically = TRUE;
        changed = FALSE;
        break;
    case K_PAGE_UP:
        vertical(text, -page);
        vertically = TRUE;
        changed = FALSE;
        break;
    case K_PAGE_DOWN:
    case K_CTRL_OF('V'):
        vertical(text, page);
        vertically = TRUE;
        changed = FALSE;
        break;
    case K_HOME:
    case K_CTRL_OF('A'):
        text->column = 0;
        changed = FALSE;
        break;
    case K_END:
    case K_CTRL_OF('E'):
        text->column = line->len;
        changed = FALSE;
        break;
    case K_CTRL | K_HOME:
    case K_ALT | '<':
        text->row = 0;
        text->column = 0;
        changed = FALSE;
        break;
    case K_CTRL | K_END:
    case K_ALT | '>':
        text->row = text->lines->len - 1;
        text->column = line_at(text, text->row)->len;
        changed = FALSE;
        break;
    case K_BACKSPACE:
        if (at_start(text)) {
            changed = FALSE;
        } else {
            left(text);
            delete_forward(text);
        }
        break;
    case K_DELETE:
    case K_CTRL_OF('D'):
        delete_forward(text);
        break;
    case K_CTRL_OF('K'):
        if (text->column < line->len)
            erase_to(text, text->row, line->len, TRUE);
        else if (text->row + 1 < text->lines->len)
            erase_to(text, text->row + 1, 0, TRUE);
        cut = TRUE;
        break;
    case K_CTRL_OF('Y'):
        insert(text, text->cut->str);
        break;
    case K_ENTER:
        insert(text, "\n");
        break;
    case K_TAB:
        insert(text, "    ");
        break;
    case K_PASTE:
        insert(text, event->text);
        break;
    default:
        if (event->key < 32 || event->key >= K_FIRST) {
            *moved = FALSE;
            return FALSE;
        }
        char bytes[7] = {0};
        g_unichar_to_utf8(event->key, bytes);
        insert(text, bytes);
    }
    text->cutting = cut;
    if (!vertically)
        text->goal = -1;
    return changed;
}

/* ---- the view ---- */

struct editor {
    struct view view;
    struct editor_text *text;
    char *title;
    editor_func changed, done;
    gpointer data;
    guint top; /* first line shown */
    int page;
    int cursor_row, cursor_column; /* on the screen */
    gboolean touched, escape;
    guint timer;
};

static void
hand_over(struct editor *editor, editor_func func)
{
    g_autofree char *text = editor_text_get(editor->text);
    if (func)
        func(editor->view.app, text, editor->data);
}

static gboolean
tick(gpointer data)
{
    struct editor *editor = data;
    if (editor->touched)
        hand_over(editor, editor->changed);
    editor->touched = FALSE;
    return G_SOURCE_CONTINUE;
}

/* Screen lines of one text line: break places, as it is drawn and as the cursor moves. */
static int
wrapped_rows(const char *text, int width)
{
    int rows = 0;
    do {
        gsize next = 0;
        gsize take = width_wrap(text, width, &next);
        if (!next && *text)
            next = take = (gsize)(g_utf8_next_char(text) - text);
        text += next;
        rows++;
    } while (*text);
    return rows;
}

static void
scroll(struct editor *editor, int rows, int width)
{
    if (editor->text->row < editor->top)
        editor->top = editor->text->row;
    for (;;) {
        int used = 0;
        for (guint i = editor->top; i <= editor->text->row; i++)
            used += wrapped_rows(line_at(editor->text, i)->str, width);
        if (used <= rows || editor->top >= editor->text->row)
            return;
        editor->top++;
    }
}

static void
draw(struct view *view, const struct area *area)
{
    struct editor *editor = (struct editor *)view;
    int width = CLAMP(area->columns - 2, 8, LAYOUT_WIDTH_MAX), row = area->row, end = area->row + area->rows;
    editor->page = area->rows;
    scroll(editor, area->rows, width);
    for (guint i = editor->top; i < editor->text->lines->len && row < end; i++) {
        const GString *line = line_at(editor->text, i);
        enum role role = line->str[0] == '>' ? ROLE_QUOTE1 : ROLE_TEXT;
        gsize at = 0;
        do {
            const char *rest = line->str + at;
            gsize next = 0, take = width_wrap(rest, width, &next);
            if (!next && *rest)
                next = take = (gsize)(g_utf8_next_char(rest) - rest);
            gboolean last = !rest[next];
            gboolean here = i == editor->text->row && editor->text->column >= at &&
                            (editor->text->column < at + next || last);
            g_autofree char *part = g_strndup(rest, take);
            g_autofree char *shown = layout_untab(part);
            term_put(row, area->column + 1, width, PLAIN(role), shown);
            if (here) {
                g_autofree char *before = g_strndup(rest, editor->text->column - at);
                g_autofree char *plain = layout_untab(before);
                editor->cursor_row = row;
                editor->cursor_column = area->column + 1 + MIN(width_text(plain), width);
            }
            at += next;
            row++;
        } while (at < line->len && row < end);
    }
}

static gboolean
key(struct view *view, const struct key_event *event)
{
    struct editor *editor = (struct editor *)view;
    gboolean was_escape = editor->escape, moved;
    editor->escape = event->key == K_ESC;
    if (event->key == K_CTRL_OF('X') || (was_escape && event->key == K_ESC)) {
        struct app *app = view->app;
        editor_func done = editor->done;
        gpointer data = editor->data;
        g_autofree char *text = editor_text_get(editor->text);
        app_remove(app, view);
        done(app, text, data);
        return TRUE;
    }
    if (event->key == K_CTRL_OF('Z') || event->key == K_CTRL_OF('L'))
        return FALSE;
    if (editor_text_key(editor->text, event, MAX(editor->page - 1, 1), &moved))
        editor->touched = TRUE;
    return TRUE;
}

static gboolean
cursor(struct view *view, int *row, int *column)
{
    *row = ((struct editor *)view)->cursor_row;
    *column = ((struct editor *)view)->cursor_column;
    return TRUE;
}

static char *
title(struct view *view)
{
    return g_strdup(((struct editor *)view)->title);
}

static char *
status(struct view *view)
{
    struct editor *editor = (struct editor *)view;
    return g_strdup_printf(
        _("Ctrl-X done   Ctrl-K cut   Ctrl-Y put back      line %u of %u   (EDITOR names another editor)"),
        editor->text->row + 1, editor->text->lines->len);
}

static gboolean
leaving(struct view *view)
{
    hand_over((struct editor *)view, ((struct editor *)view)->done);
    return TRUE;
}

static void
rescue(struct view *view)
{
    hand_over((struct editor *)view, ((struct editor *)view)->changed);
}

static void
editor_free(struct view *view)
{
    struct editor *editor = (struct editor *)view;
    g_source_remove(editor->timer);
    editor_text_free(editor->text);
    g_free(editor->title);
    g_free(editor);
}

static const struct view_class editor_class = {
    .context = IN_EDITOR,
    .draw = draw,
    .cursor = cursor,
    .title = title,
    .status = status,
    .key = key,
    .leaving = leaving,
    .rescue = rescue,
    .free = editor_free,
};

void
editor_open(struct app *app, const char *name, const char *text, editor_func changed, editor_func done,
            gpointer data)
{
    struct editor *editor = g_new0(struct editor, 1);
    editor->view.class = &editor_class;
    editor->text = editor_text_new(text);
    editor->title = g_strdup(name);
    editor->changed = changed;
    editor->done = done;
    editor->data = data;
    editor->timer = g_timeout_add_seconds(3, tick, editor);
    app_push(app, &editor->view);
}
