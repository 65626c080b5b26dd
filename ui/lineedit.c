#include "config.h"

#include "ui/lineedit.h"

#include <string.h>

#define LENGTH_MAX (64 * 1024)

struct lineedit {
    GString *text;
    gsize cursor;
    char *killed;
    gboolean killing; /* the last key killed too: add to it */
    const GPtrArray *history;
    guint at;    /* index in the history; history->len is the line being typed */
    char *typed; /* that line while older ones are shown */
};

struct lineedit *
lineedit_new(const char *text, const GPtrArray *history)
{
    struct lineedit *edit = g_new0(struct lineedit, 1);
    edit->text = g_string_new(NULL);
    edit->killed = g_strdup("");
    edit->history = history;
    edit->at = history ? history->len : 0;
    lineedit_set(edit, text ? text : "");
    return edit;
}

void
lineedit_free(struct lineedit *edit)
{
    if (!edit)
        return;
    g_string_free(edit->text, TRUE);
    g_free(edit->killed);
    g_free(edit->typed);
    g_free(edit);
}

const char *
lineedit_text(const struct lineedit *edit)
{
    return edit->text->str;
}

gsize
lineedit_cursor(const struct lineedit *edit)
{
    return edit->cursor;
}

/* One line: line ends and tabs of pasted text become spaces, other controls go. */
static char *
one_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    for (const char *p = valid; *p && out->len < LENGTH_MAX; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\n' || c == '\t' || c == '\r')
            g_string_append_c(out, ' ');
        else if (!g_unichar_iscntrl(c))
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

void
lineedit_set(struct lineedit *edit, const char *text)
{
    g_autofree char *line = one_line(text);
    g_string_assign(edit->text, line);
    edit->cursor = edit->text->len;
    edit->killing = FALSE;
}

void
lineedit_replace(struct lineedit *edit, gsize from, gsize to, const char *text)
{
    g_return_if_fail(from <= to && to <= edit->text->len);
    g_autofree char *line = one_line(text);
    g_string_erase(edit->text, (gssize)from, (gssize)(to - from));
    g_string_insert(edit->text, (gssize)from, line);
    edit->cursor = from + strlen(line);
}

/* Character borders, taking marks along with their letter. */
static gsize
before(const struct lineedit *edit, gsize position)
{
    const char *start = edit->text->str, *p = start + position;
    while (p > start) {
        p = g_utf8_prev_char(p);
        if (!g_unichar_ismark(g_utf8_get_char(p)))
            break;
    }
    return (gsize)(p - start);
}

static gsize
after(const struct lineedit *edit, gsize position)
{
    const char *p = edit->text->str + position;
    if (!*p)
        return position;
    p = g_utf8_next_char(p);
    while (*p && g_unichar_ismark(g_utf8_get_char(p)))
        p = g_utf8_next_char(p);
    return (gsize)(p - edit->text->str);
}

static gboolean
in_word(const struct lineedit *edit, gsize position)
{
    return g_unichar_isalnum(g_utf8_get_char(edit->text->str + position));
}

static gsize
word_before(const struct lineedit *edit, gsize position)
{
    while (position > 0 && !in_word(edit, before(edit, position)))
        position = before(edit, position);
    while (position > 0 && in_word(edit, before(edit, position)))
        position = before(edit, position);
    return position;
}

static gsize
word_after(const struct lineedit *edit, gsize position)
{
    while (position < edit->text->len && !in_word(edit, position))
        position = after(edit, position);
    while (position < edit->text->len && in_word(edit, position))
        position = after(edit, position);
    return position;
}

/* Ctrl-W: up to white space, as a shell does. */
static gsize
blank_before(const struct lineedit *edit, gsize position)
{
    const char *text = edit->text->str;
    while (position > 0 && g_ascii_isspace(text[position - 1]))
        position--;
    while (position > 0 && !g_ascii_isspace(text[position - 1]))
        position--;
    return position;
}

static enum line_result
cut(struct lineedit *edit, gsize from, gsize to, gboolean keep, gboolean front)
{
    if (from == to)
        return LINE_MOVED;
    if (keep) {
        g_autofree char *piece = g_strndup(edit->text->str + from, to - from);
        char *all = !edit->killing ? g_strdup(piece)
                    : front        ? g_strconcat(piece, edit->killed, NULL)
                                   : g_strconcat(edit->killed, piece, NULL);
        g_free(edit->killed);
        edit->killed = all;
    }
    g_string_erase(edit->text, (gssize)from, (gssize)(to - from));
    edit->cursor = from;
    return LINE_CHANGED;
}

static enum line_result
insert(struct lineedit *edit, const char *text)
{
    g_autofree char *line = one_line(text);
    if (edit->text->len + strlen(line) > LENGTH_MAX)
        return LINE_MOVED;
    g_string_insert(edit->text, (gssize)edit->cursor, line);
    edit->cursor += strlen(line);
    return LINE_CHANGED;
}

static enum line_result
move(struct lineedit *edit, gsize position)
{
    edit->cursor = position;
    return LINE_MOVED;
}

static enum line_result
recall(struct lineedit *edit, int step)
{
    guint n = edit->history ? edit->history->len : 0;
    if ((step < 0 && edit->at == 0) || (step > 0 && edit->at >= n))
        return LINE_MOVED;
    if (edit->at == n) {
        g_free(edit->typed);
        edit->typed = g_strdup(edit->text->str);
    }
    edit->at = (guint)((int)edit->at + step);
    lineedit_set(edit, edit->at == n ? edit->typed : g_ptr_array_index(edit->history, edit->at));
    return LINE_CHANGED;
}

static enum line_result
transpose(struct lineedit *edit)
{
    gsize at = edit->cursor == edit->text->len ? before(edit, edit->cursor) : edit->cursor;
    if (at == 0 || edit->text->len == 0)
        return LINE_MOVED;
    gsize first = before(edit, at), end = after(edit, at);
    g_autofree char *left = g_strndup(edit->text->str + first, at - first);
    g_autofree char *right = g_strndup(edit->text->str + at, end - at);
    g_autofree char *swapped = g_strconcat(right, left, NULL);
    lineedit_replace(edit, first, end, swapped);
    return LINE_CHANGED;
}

enum line_result
lineedit_key(struct lineedit *edit, const struct key_event *event)
{
    gsize length = edit->text->len, at = edit->cursor;
    gboolean kill = FALSE;
    enum line_result result;
    switch (event->key) {
    case K_ENTER:
        return LINE_DONE;
    case K_ESC:
    case K_CTRL_OF('G'):
    case K_CTRL_OF('C'):
        return LINE_CANCELLED;
    case K_LEFT:
    case K_CTRL_OF('B'):
        result = move(edit, before(edit, at));
        break;
    case K_RIGHT:
    case K_CTRL_OF('F'):
        result = move(edit, after(edit, at));
        break;
    case K_HOME:
    case K_CTRL_OF('A'):
        result = move(edit, 0);
        break;
    case K_END:
    case K_CTRL_OF('E'):
        result = move(edit, length);
        break;
    case K_ALT | 'b':
    case K_CTRL | K_LEFT:
    case K_ALT | K_LEFT:
        result = move(edit, word_before(edit, at));
        break;
    case K_ALT | 'f':
    case K_CTRL | K_RIGHT:
    case K_ALT | K_RIGHT:
        result = move(edit, word_after(edit, at));
        break;
    case K_BACKSPACE:
        result = cut(edit, before(edit, at), at, FALSE, FALSE);
        break;
    case K_DELETE:
    case K_CTRL_OF('D'):
        result = cut(edit, at, after(edit, at), FALSE, FALSE);
        break;
    case K_CTRL_OF('K'):
        result = cut(edit, at, length, TRUE, FALSE);
        kill = TRUE;
        break;
    case K_CTRL_OF('U'):
        result = cut(edit, 0, at, TRUE, TRUE);
        kill = TRUE;
        break;
    case K_CTRL_OF('W'):
        result = cut(edit, blank_before(edit, at), at, TRUE, TRUE);
        kill = TRUE;
        break;
    case K_ALT | K_BACKSPACE:
        result = cut(edit, word_before(edit, at), at, TRUE, TRUE);
        kill = TRUE;
        break;
    case K_ALT | 'd':
        result = cut(edit, at, word_after(edit, at), TRUE, FALSE);
        kill = TRUE;
        break;
    case K_CTRL_OF('Y'):
        result = insert(edit, edit->killed);
        break;
    case K_CTRL_OF('T'):
        result = transpose(edit);
        break;
    case K_UP:
    case K_CTRL_OF('P'):
        result = recall(edit, -1);
        break;
    case K_DOWN:
    case K_CTRL_OF('N'):
        result = recall(edit, 1);
        break;
    case K_PASTE:
        result = insert(edit, event->text);
        break;
    default:
        if (event->key < 32 || event->key >= K_FIRST)
            return LINE_IGNORED;
        char text[7] = {0};
        g_unichar_to_utf8(event->key, text);
        result = insert(edit, text);
    }
    edit->killing = kill;
    return result;
}
