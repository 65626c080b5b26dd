#include "config.h"

#include "mail/html_private.h"

#include "base/width.h"
#include "mail/limits.h"

#include <string.h>

/* A table whose rows are wider than this is read cell by cell. */
#define TABLE_WIDTH_MAX 100
#define CELL_WIDTH_MAX 60

/* --- sinks --- */

struct sink *
html_sink_new(void)
{
    struct sink *sink = g_new0(struct sink, 1);
    sink->text = g_string_new(NULL);
    sink->lines = g_array_new(FALSE, FALSE, sizeof(struct document_line));
    return sink;
}

void
html_sink_free(struct sink *sink)
{
    g_string_free(sink->text, TRUE);
    g_array_unref(sink->lines);
    g_free(sink);
}

struct document_line *
html_sink_last(struct sink *sink)
{
    return sink->lines->len ? &g_array_index(sink->lines, struct document_line, sink->lines->len - 1) : NULL;
}

static void
sink_add(struct html *html, struct sink *sink, const char *text, gsize length, guint line_flags)
{
    if (html->produced > 2 * LIMIT_TEXT)
        return;
    html->produced += length + 1;
    struct document_line line = {
        .offset = (guint32)sink->text->len, .length = (guint32)length, .flags = (guint16)line_flags};
    g_string_append_len(sink->text, text, (gssize)length);
    g_array_append_val(sink->lines, line);
}

static guint
sink_last_depth(struct sink *sink)
{
    const struct document_line *last = html_sink_last(sink);
    if (!last)
        return 0;
    g_autofree char *text = g_strndup(sink->text->str + last->offset, last->length);
    return quote_depth(text, NULL);
}

static void
append_quotes(GString *out, guint quote)
{
    for (guint i = 0; i < quote; i++)
        g_string_append(out, "> ");
}

/* One line with the quote marks, the indent and the list marker that hold now. */
void
html_emit(struct html *html, const char *text, gsize length, guint line_flags)
{
    struct sink *sink = html->sink;
    g_autoptr(GString) out = g_string_new(NULL);
    if (sink->gap && html_sink_last(sink) && html_sink_last(sink)->length) {
        append_quotes(out, MIN(html->quote, sink_last_depth(sink)));
        gsize end = out->len && out->str[out->len - 1] == ' ' ? out->len - 1 : out->len;
        sink_add(html, sink, out->str, end, 0);
        g_string_truncate(out, 0);
    }
    sink->gap = FALSE;
    append_quotes(out, html->quote);
    gsize marker = html->marker ? strlen(html->marker) : 0;
    for (gsize i = marker; i < html->indent; i++)
        g_string_append_c(out, ' ');
    if (html->marker) {
        g_string_append(out, html->marker);
        g_clear_pointer(&html->marker, g_free);
        line_flags |= LINE_ITEM;
    }
    g_string_append_len(out, text, (gssize)length);
    sink_add(html, sink, out->str, out->len, line_flags);
}

/* --- the current line --- */

gboolean
html_is_invisible(gunichar c)
{
    return c == ' ' || c == '\t' || c == 0xa0 || (c >= 0x2000 && c <= 0x200f) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x2800 || c == 0x3000 || c == 0x2060;
}

gboolean
html_is_blank(const char *text, gsize length)
{
    for (const char *p = text; p < text + length; p = g_utf8_next_char(p))
        if (!html_is_invisible(g_utf8_get_char(p)))
            return FALSE;
    return TRUE;
}

/* No-break spaces into plain ones, in one pass. */
static void
flatten_spaces(GString *line)
{
    char *to = line->str;
    for (const char *from = line->str; *from; from++) {
        gboolean wide = from[0] == '\xc2' && from[1] == '\xa0';
        *to++ = wide ? ' ' : *from;
        from += wide;
    }
    g_string_truncate(line, (gsize)(to - line->str));
}

void
html_end_line(struct html *html)
{
    html->space = FALSE;
    if (html->line->len == 0)
        return;
    if (html_is_blank(html->line->str, html->line->len)) {
        g_string_truncate(html->line, 0);
        html->sink->gap = TRUE;
        return;
    }
    flatten_spaces(html->line); /* they have done their work */
    gsize length = html->line->len;
    while (length && html->line->str[length - 1] == ' ')
        length--;
    guint line_flags = (html->heading ? LINE_HEADING : 0) | (html->pre ? LINE_FIXED : 0);
    html_emit(html, html->line->str, length, line_flags);
    g_string_truncate(html->line, 0);
}

void
html_gap(struct html *html)
{
    html_end_line(html);
    html->sink->gap = TRUE;
}

/* What &#128; to &#159; mean: windows-1252. */
static gunichar
repair(gunichar c)
{
    static const guint16 cp1252[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                       0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
                                       0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                       0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};
    return c >= 0x80 && c < 0xa0 ? cp1252[c - 0x80] : c;
}

static void
put_char(struct html *html, gunichar c)
{
    if (html->space && (html->line->len || html->pre))
        g_string_append_c(html->line, ' ');
    html->space = FALSE;
    g_string_append_unichar(html->line, c);
    if (html->href && html->link_text->len < LINK_TEXT_MAX)
        g_string_append_unichar(html->link_text, c);
}

void
html_put_text(struct html *html, const char *text, gsize length)
{
    if (html->produced > 2 * LIMIT_TEXT || html->line->len > LIMIT_TEXT)
        return;
    for (const char *p = text; p < text + length; p = g_utf8_next_char(p)) {
        gunichar c = repair(g_utf8_get_char(p));
        if (c == '\n' && html->pre) {
            if (html->line->len)
                html_end_line(html);
            else
                html_emit(html, "", 0, LINE_FIXED);
        } else if (c == '\t' && html->pre) {
            do
                put_char(html, ' ');
            while (html->line->len % 8);
        } else if (c == ' ' && html->pre) {
            put_char(html, c);
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            html->space = TRUE;
            if (html->href && html->link_text->len)
                g_string_append_c(html->link_text, ' ');
        } else if (c < 0x20 || c == 0x7f || c == 0xad || c == 0x200b || c == 0xfeff || c == 0x34f) {
            continue; /* padding that shows nothing, and controls */
        } else {
            put_char(html, c);
        }
    }
}

/* --- tables --- */

static struct table *
current_table(struct html *html)
{
    return html->tables->len ? html->tables->pdata[html->tables->len - 1] : NULL;
}

static void
row_free(GPtrArray *row)
{
    g_ptr_array_unref(row);
}

void
html_table_begin(struct html *html)
{
    struct table *table = g_new0(struct table, 1);
    html_end_line(html);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)row_free);
    table->outer = html->sink;
    table->quote = html->quote;
    table->indent = html->indent;
    table->marker = g_steal_pointer(&html->marker);
    html->quote = html->indent = 0;
    g_ptr_array_add(html->tables, table);
}

void
html_row_begin(struct html *html)
{
    struct table *table = current_table(html);
    if (!table)
        return;
    html_end_line(html);
    html->sink = table->outer;
    g_ptr_array_add(table->rows, g_ptr_array_new_with_free_func((GDestroyNotify)html_sink_free));
}

void
html_cell_begin(struct html *html)
{
    struct table *table = current_table(html);
    if (!table) {
        html->space = TRUE;
        return;
    }
    if (table->rows->len == 0)
        html_row_begin(html);
    html_end_line(html);
    html->sink = html_sink_new();
    g_ptr_array_add(table->rows->pdata[table->rows->len - 1], html->sink);
}

void
html_cell_end(struct html *html)
{
    struct table *table = current_table(html);
    if (!table)
        return;
    html_end_line(html);
    g_clear_pointer(&html->marker, g_free);
    html->quote = html->indent = 0;
    html->sink = table->outer;
}

static int
line_width(const struct sink *sink, guint i)
{
    const struct document_line *line = &g_array_index(sink->lines, struct document_line, i);
    g_autofree char *text = g_strndup(sink->text->str + line->offset, line->length);
    char *to = text;
    for (const char *from = text; *from; from++)
        if (*from != MARK_BEGIN && *from != MARK_END)
            *to++ = *from;
    *to = '\0';
    return width_text(text);
}

static struct sink *
cell_at(const struct table *table, guint r, guint c)
{
    const GPtrArray *row = table->rows->pdata[r];
    return c < row->len ? row->pdata[c] : NULL;
}

#define COLUMNS_MAX 32

/* The width of each column when the table is one of short cells; FALSE when it is layout. */
static gboolean
measure(const struct table *table, int *widths, guint *columns)
{
    guint filled_rows = 0;
    int total = 0;
    *columns = 0;
    memset(widths, 0, COLUMNS_MAX * sizeof *widths);
    for (guint r = 0; r < table->rows->len; r++) {
        const GPtrArray *row = table->rows->pdata[r];
        gboolean filled = FALSE;
        if (row->len > COLUMNS_MAX)
            return FALSE;
        for (guint c = 0; c < row->len; c++) {
            const struct sink *cell = row->pdata[c];
            if (cell->lines->len > 1)
                return FALSE;
            if (cell->lines->len == 0)
                continue;
            int width = line_width(cell, 0);
            if (width > CELL_WIDTH_MAX || g_array_index(cell->lines, struct document_line, 0).flags)
                return FALSE;
            widths[c] = MAX(widths[c], width);
            filled = TRUE;
        }
        filled_rows += filled;
    }
    for (guint c = 0; c < COLUMNS_MAX; c++) {
        total += widths[c] ? widths[c] + 2 : 0;
        *columns += widths[c] > 0;
    }
    return filled_rows >= 2 && *columns >= 2 && total <= TABLE_WIDTH_MAX;
}

static void
emit_aligned(struct html *html, const struct table *table, const int *widths)
{
    g_autoptr(GString) out = g_string_new(NULL);
    html->sink->gap = TRUE;
    for (guint r = 0; r < table->rows->len; r++) {
        g_string_truncate(out, 0);
        int due = 0; /* spaces before the next cell */
        for (guint c = 0; c < COLUMNS_MAX; c++) {
            if (!widths[c])
                continue;
            const struct sink *cell = cell_at(table, r, c);
            int width = cell && cell->lines->len ? line_width(cell, 0) : 0;
            if (width) {
                for (; due > 0; due--)
                    g_string_append_c(out, ' ');
                g_string_append_len(out, cell->text->str, (gssize)cell->text->len);
            }
            due += widths[c] - width + 2;
        }
        if (out->len)
            html_emit(html, out->str, out->len, LINE_FIXED);
    }
    html->sink->gap = TRUE;
}

/* A row of short cells on one line, else one cell after the other. */
static void
emit_row(struct html *html, const GPtrArray *row)
{
    gboolean joined = TRUE;
    int total = 0;
    for (guint c = 0; c < row->len && joined; c++) {
        const struct sink *cell = row->pdata[c];
        joined = cell->lines->len <= 1;
        if (joined && cell->lines->len)
            total += line_width(cell, 0) + 2;
        if (joined && cell->lines->len && g_array_index(cell->lines, struct document_line, 0).flags)
            joined = FALSE;
    }
    if (joined && total <= TABLE_WIDTH_MAX) {
        g_autoptr(GString) out = g_string_new(NULL);
        for (guint c = 0; c < row->len; c++) {
            const struct sink *cell = row->pdata[c];
            if (cell->lines->len)
                g_string_append_printf(out, "%s%s", out->len ? "  " : "", cell->text->str);
        }
        if (out->len)
            html_emit(html, out->str, out->len, 0);
        return;
    }
    for (guint c = 0; c < row->len; c++) {
        const struct sink *cell = row->pdata[c];
        if (cell->lines->len > 1)
            html->sink->gap = TRUE;
        for (guint i = 0; i < cell->lines->len; i++) {
            const struct document_line *line = &g_array_index(cell->lines, struct document_line, i);
            if (line->length)
                html_emit(html, cell->text->str + line->offset, line->length, line->flags);
            else
                html->sink->gap = TRUE;
        }
        if (cell->lines->len > 1 || cell->gap)
            html->sink->gap = TRUE;
    }
}

void
html_table_free(struct table *table)
{
    g_ptr_array_unref(table->rows);
    g_free(table->marker);
    g_free(table);
}

void
html_table_end(struct html *html)
{
    if (html->tables->len == 0)
        return;
    html_cell_end(html);
    struct table *table = g_ptr_array_steal_index(html->tables, html->tables->len - 1);
    html->sink = table->outer;
    html->quote = table->quote;
    html->indent = table->indent;
    html->marker = g_steal_pointer(&table->marker);
    int widths[COLUMNS_MAX];
    guint columns;
    if (measure(table, widths, &columns))
        emit_aligned(html, table, widths);
    else
        for (guint r = 0; r < table->rows->len; r++)
            emit_row(html, table->rows->pdata[r]);
    html_table_free(table);
}
