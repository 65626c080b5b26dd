#include "config.h"

#include "ui/textview.h"

#include "base/text.h"
#include "base/width.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/layout.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

#define LABEL_MAX 14

struct textview {
    struct view view;
    char *title, *right;
    char *text;
    GArray *roles; /* of enum role, one a line of the text; NULL: all plain */
    GArray *hangs; /* of int, likewise */
    GPtrArray *lines;
    int width, top, page, found;
    char *needle;
};

static void
lay_out(struct textview *text, int width)
{
    if (text->lines && text->width == width)
        return;
    if (text->lines)
        g_ptr_array_unref(text->lines);
    text->lines = layout_hanging(text->text, width, text->hangs);
    text->width = width;
}

static enum role
role_of(const struct textview *text, const struct layout_line *line, int index)
{
    if (index == text->found)
        return ROLE_MATCH;
    if (text->roles && line->source < text->roles->len)
        return (enum role)g_array_index(text->roles, guint, line->source);
    return line->role;
}

static void
draw(struct view *view, const struct area *area)
{
    struct textview *text = (struct textview *)view;
    lay_out(text, area->columns - 2);
    text->page = area->rows;
    int n = (int)text->lines->len;
    text->top = CLAMP(text->top, 0, MAX(n - text->page, 0));
    for (int i = 0; i < area->rows && text->top + i < n; i++) {
        const struct layout_line *line = g_ptr_array_index(text->lines, (guint)(text->top + i));
        term_put(area->row + i, area->column + 1, area->columns - 1,
                 PLAIN(role_of(text, line, text->top + i)), line->text);
    }
}

static gboolean
move(struct view *view, int how)
{
    struct textview *text = (struct textview *)view;
    int n = text->lines ? (int)text->lines->len : 0;
    int page = MAX(text->page - 1, 1);
    switch ((enum move_how)how) {
    case MOVE_NEXT:
    case MOVE_LINE_DOWN:
        text->top++;
        break;
    case MOVE_PREVIOUS:
    case MOVE_LINE_UP:
        text->top--;
        break;
    case MOVE_PAGE_DOWN:
        text->top += page;
        break;
    case MOVE_PAGE_UP:
        text->top -= page;
        break;
    case MOVE_HALF_DOWN:
        text->top += page / 2;
        break;
    case MOVE_HALF_UP:
        text->top -= page / 2;
        break;
    case MOVE_FIRST:
        text->top = 0;
        break;
    case MOVE_LAST:
        text->top = n;
        break;
    default:
        break;
    }
    text->top = CLAMP(text->top, 0, MAX(n - text->page, 0));
    return TRUE;
}

static void
mouse(struct view *view, const struct key_event *event)
{
    for (int i = 0; i < 3; i++)
        if (event->button == MOUSE_WHEEL_DOWN || event->button == MOUSE_WHEEL_UP)
            move(view, event->button == MOUSE_WHEEL_DOWN ? MOVE_NEXT : MOVE_PREVIOUS);
}

static char *
title(struct view *view)
{
    return g_strdup(((struct textview *)view)->title);
}

static char *
title_right(struct view *view)
{
    return g_strdup(((struct textview *)view)->right);
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {"read-on", N_("on"), "find", N_("find"), "back", N_("back"), NULL};
    struct textview *text = (struct textview *)view;
    int n = text->lines ? (int)text->lines->len : 0;
    g_autofree char *right =
        n > text->page ? g_strdup_printf("%d%%", MIN(text->top + text->page, n) * 100 / n) : NULL;
    draw_hints(view->app, line->row, line, IN_TEXT, hints, right);
}

void
textview_find(struct view *view, const char *needle)
{
    struct textview *text = (struct textview *)view;
    g_free(text->needle);
    text->needle = text_fold(needle);
    text->found = text->top - 1;
}

gboolean
textview_find_next(struct view *view)
{
    struct textview *text = (struct textview *)view;
    int n = text->lines ? (int)text->lines->len : 0;
    for (int i = 1; text->needle && *text->needle && i <= n; i++) {
        int at = (text->found + i + n) % n;
        g_autofree char *folded =
            text_fold(((struct layout_line *)g_ptr_array_index(text->lines, (guint)at))->text);
        if (strstr(folded, text->needle)) {
            text->found = at;
            if (at < text->top || at >= text->top + text->page)
                text->top = MAX(at - text->page / 3, 0);
            return TRUE;
        }
    }
    return FALSE;
}

static void
text_free(struct view *view)
{
    struct textview *text = (struct textview *)view;
    g_free(text->title);
    g_free(text->text);
    g_free(text->right);
    if (text->roles)
        g_array_unref(text->roles);
    if (text->hangs)
        g_array_unref(text->hangs);
    g_free(text->needle);
    if (text->lines)
        g_ptr_array_unref(text->lines);
    g_free(text);
}

const struct view_class text_class = {
    .context = IN_TEXT,
    .draw = draw,
    .title = title,
    .title_right = title_right,
    .bottom = bottom,
    .mouse = mouse,
    .move = move,
    .free = text_free,
};

struct view *
textview_open_bytes(struct app *app, const char *title_text, const char *bytes, gsize length)
{
    struct textview *text = g_new0(struct textview, 1);
    text->view.class = &text_class;
    text->title = text_safe(title_text, -1, TEXT_LINE);
    text->text = text_safe(bytes, (gssize)length, TEXT_BODY);
    text->found = -1;
    app_push(app, &text->view);
    return &text->view;
}

struct view *
textview_open(struct app *app, const char *title_text, const char *contents)
{
    return textview_open_bytes(app, title_text, contents, strlen(contents));
}

/* Behind the label that a line begins with ("State    …"), else a little behind its own beginning. */
static int
hang_of(const char *line)
{
    gsize lead = strspn(line, " ");
    const char *gap = strstr(line + lead, "  ");
    g_autofree char *label = gap ? g_strndup(line, (gsize)(gap - line)) : NULL;
    if (label && width_text(label) < LABEL_MAX)
        return width_text(label) + (int)strspn(gap, " ");
    return lead ? (int)lead + 2 : 0;
}

struct view *
textview_open_labelled(struct app *app, const char *title_text, const char *contents)
{
    struct view *view = textview_open(app, title_text, contents);
    struct textview *text = (struct textview *)view;
    g_auto(GStrv) lines = g_strsplit(text->text, "\n", -1);
    text->hangs = g_array_new(FALSE, FALSE, sizeof(int));
    for (char **line = lines; *line; line++) {
        int hang = hang_of(*line);
        g_array_append_val(text->hangs, hang);
    }
    return view;
}

/* ---- lines in roles ---- */

static void
textline_free(gpointer data)
{
    struct textline *line = data;
    g_free(line->text);
    g_free(line);
}

GPtrArray *
textlines_new(void)
{
    return g_ptr_array_new_with_free_func(textline_free);
}

void
textline_add(GPtrArray *lines, guint role, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct textline *line = g_new0(struct textline, 1);
    line->text = text_safe(text, -1, TEXT_LINE); /* one line, so that roles and lines stay together */
    line->role = role;
    g_ptr_array_add(lines, line);
}

void
textline_hang(GPtrArray *lines, int hang)
{
    ((struct textline *)g_ptr_array_index(lines, lines->len - 1))->hang = hang;
}

struct view *
textview_open_lines(struct app *app, const char *name, const char *right, GPtrArray *lines)
{
    GString *all = g_string_new(NULL);
    GArray *roles = g_array_new(FALSE, FALSE, sizeof(guint)), *hangs = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = 0; i < lines->len; i++) {
        const struct textline *line = g_ptr_array_index(lines, i);
        g_string_append_printf(all, "%s\n", line->text);
        g_array_append_val(roles, line->role);
        g_array_append_val(hangs, line->hang);
    }
    g_ptr_array_unref(lines);
    struct view *view = textview_open_bytes(app, name, all->str, all->len);
    ((struct textview *)view)->roles = roles;
    ((struct textview *)view)->hangs = hangs;
    ((struct textview *)view)->right = right ? text_safe(right, -1, TEXT_LINE) : NULL;
    g_string_free(all, TRUE);
    return view;
}
