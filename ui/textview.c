#include "config.h"

#include "ui/textview.h"

#include "base/text.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/layout.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

struct textview {
    struct view view;
    char *title;
    char *text;
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
    text->lines = layout_text(text->text, width);
    text->width = width;
}

/* In help and the like a line without indentation is a heading. */
static enum role
role_of(const struct textview *text, const struct layout_line *line, int index)
{
    if (index == text->found)
        return ROLE_MATCH;
    return line->role;
}

static void
draw(struct view *view, const struct area *area)
{
    struct textview *text = (struct textview *) view;
    lay_out(text, area->columns - 2);
    text->page = area->rows;
    int n = (int) text->lines->len;
    text->top = CLAMP(text->top, 0, MAX(n - text->page, 0));
    for (int i = 0; i < area->rows && text->top + i < n; i++) {
        const struct layout_line *line = g_ptr_array_index(text->lines, (guint) (text->top + i));
        term_put(area->row + i, area->column + 1, area->columns - 1, PLAIN(role_of(text, line, text->top + i)), line->text);
    }
}

static gboolean
move(struct view *view, int how)
{
    struct textview *text = (struct textview *) view;
    int n = text->lines ? (int) text->lines->len : 0;
    int page = MAX(text->page - 1, 1);
    switch ((enum move_how) how) {
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
    return g_strdup(((struct textview *) view)->title);
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {"read-on", N_("on"), "find", N_("find"), "back", N_("back"), NULL};
    struct textview *text = (struct textview *) view;
    int n = text->lines ? (int) text->lines->len : 0;
    g_autofree char *right = n > text->page ? g_strdup_printf("%d%%", MIN(text->top + text->page, n) * 100 / n) : NULL;
    draw_hints(view->app, line->row, line, IN_TEXT, hints, right);
}

void
textview_find(struct view *view, const char *needle)
{
    struct textview *text = (struct textview *) view;
    g_free(text->needle);
    text->needle = text_fold(needle);
    text->found = text->top - 1;
}

gboolean
textview_find_next(struct view *view)
{
    struct textview *text = (struct textview *) view;
    int n = text->lines ? (int) text->lines->len : 0;
    for (int i = 1; text->needle && *text->needle && i <= n; i++) {
        int at = (text->found + i + n) % n;
        g_autofree char *folded = text_fold(((struct layout_line *) g_ptr_array_index(text->lines, (guint) at))->text);
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
    struct textview *text = (struct textview *) view;
    g_free(text->title);
    g_free(text->text);
    g_free(text->needle);
    if (text->lines)
        g_ptr_array_unref(text->lines);
    g_free(text);
}

const struct view_class text_class = {
    .context = IN_TEXT,
    .draw = draw,
    .title = title,
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
    text->text = text_safe(bytes, (gssize) length, TEXT_BODY);
    text->found = -1;
    app_push(app, &text->view);
    return &text->view;
}

struct view *
textview_open(struct app *app, const char *title_text, const char *contents)
{
    return textview_open_bytes(app, title_text, contents, strlen(contents));
}
