#include "config.h"

#include "mail/quote.h"

#include "base/text.h"
#include "base/width.h"
#include "mail/flow.h"
#include "mail/reply.h"

#include <string.h>

#define COLUMNS 72
/* Lines that were wrapped by their writer a little wider are left as they are. */
#define SLACK 8

/* ">>> " for depth 3, ">>>" before nothing: RFC 3676 and every colouring reader understand it. */
static void
append_marks(GString *out, guint depth, gboolean empty)
{
    for (guint i = 0; i < depth; i++)
        g_string_append_c(out, '>');
    if (depth && !empty)
        g_string_append_c(out, ' ');
}

void
quote_append_line(GString *out, const char *line, guint more, guint columns, gboolean fixed)
{
    gsize marks;
    guint depth = quote_depth(line, &marks) + more;
    const char *text = line + marks;
    guint width = columns > depth + 1 + 20 ? columns - depth - 1 : 20;
    if (fixed || (guint)width_text(text) <= width + SLACK) {
        append_marks(out, depth, !*text);
        g_string_append(out, text);
        g_string_append_c(out, '\n');
        return;
    }
    while (*text) {
        gsize next, used = width_wrap(text, (int)width, &next);
        if (text[next] && text[used] != ' ' && used && !g_ascii_isspace(text[used - 1])) {
            /* a word longer than the line stays whole: addresses must not be broken */
            gsize word = used;
            while (word && text[word - 1] != ' ')
                word--;
            if (word == 0 && (guchar)text[0] < 0x80)
                used = next = strcspn(text, " ");
        }
        while (text[next] == ' ')
            next++;
        gsize length = used;
        while (length && text[length - 1] == ' ')
            length--;
        append_marks(out, depth, length == 0);
        g_string_append_len(out, text, (gssize)length);
        g_string_append_c(out, '\n');
        if (next == 0)
            break;
        text += next;
    }
}

char *
quote_text(const char *text, guint columns)
{
    GString *out = g_string_new(NULL);
    g_autofree char *safe = text_safe(text, -1, TEXT_BODY);
    g_auto(GStrv) lines = g_strsplit(safe, "\n", -1);
    guint count = g_strv_length(lines);
    for (guint i = 0; i < count; i++)
        if (g_str_equal(lines[i], "-- "))
            count = i;
    while (count && !*g_strchomp(lines[count - 1]))
        count--;
    for (guint i = 0; i < count; i++)
        quote_append_line(out, lines[i], 1, columns ? columns : COLUMNS, FALSE);
    return g_string_free(out, FALSE);
}

/* Without the marks "[3]" that were put into HTML's text. */
static char *
line_without_marks(const struct document *document, const struct document_line *line, guint *link)
{
    GString *out = g_string_new(NULL);
    gsize at = line->offset, end = (gsize)line->offset + line->length;
    for (; *link < document->links->len; (*link)++) {
        const struct document_link *mark = document->links->pdata[*link];
        if (mark->offset >= end)
            break;
        if (mark->offset < at || document->text[mark->offset] != '[' || mark->offset + mark->length > end)
            continue;
        gsize stop = mark->offset;
        if (stop > at && document->text[stop - 1] == ' ')
            stop--;
        g_string_append_len(out, document->text + at, (gssize)(stop - at));
        at = mark->offset + mark->length;
    }
    g_string_append_len(out, document->text + at, (gssize)(end - at));
    return g_string_free(out, FALSE);
}

char *
quote_document(const struct document *document, enum quote_scope scope, guint columns)
{
    GString *out = g_string_new(NULL);
    guint link = 0, blank = 0;
    for (guint i = 0; i < document->lines->len; i++) {
        const struct document_line *line = &g_array_index(document->lines, struct document_line, i);
        if ((scope == QUOTE_REPLY && line->flags & LINE_SIGNATURE) || line->flags & LINE_LINKS)
            continue;
        if (scope == QUOTE_BODY && line->flags & LINE_PART)
            break;
        g_autofree char *raw = line_without_marks(document, line, &link);
        g_autofree char *safe = text_safe(raw, -1, scope == QUOTE_BODY ? TEXT_BODY : TEXT_LINE);
        if (!*safe) { /* blank lines at the end are not worth quoting */
            blank++;
            continue;
        }
        for (; blank; blank--)
            quote_append_line(out, "", scope != QUOTE_BODY, columns, FALSE);
        if (scope == QUOTE_BODY)
            g_string_append_printf(out, "%s\n", safe);
        else
            quote_append_line(out, safe, 1, columns, (line->flags & LINE_FIXED) != 0);
    }
    return g_string_free(out, FALSE);
}
