#include "config.h"

#include "mail/html.h"

#include "base/width.h"
#include "mail/limits.h"

#include <libxml/HTMLparser.h>
#include <string.h>
#include <time.h>

/* CPU time for one text; what comes later is left out, with a notice. */
#define BUDGET_NS (1500 * 1000000LL)
/* The parser looks at the clock between pieces of this size. */
#define PIECE 4000
/* Open elements that libxml2 may hold; beyond, tags are no longer handed to it, only text. */
#define PARSER_DEPTH_MAX 5000
#define TABLE_DEPTH_MAX 24
/* A table whose rows are wider than this is read cell by cell. */
#define TABLE_WIDTH_MAX 100
#define CELL_WIDTH_MAX 60
#define LINK_TEXT_MAX 500
#define INDENT_MAX 40
#define QUOTE_MAX 20

/* Around the mark of a link while lines may still move; such bytes of the message itself are dropped. */
#define MARK_BEGIN '\001'
#define MARK_END '\002'

enum element {
    OTHER, /* inline, and whatever is unknown */
    BLOCK, /* on lines of its own */
    PARA,  /* a block with a blank line before and after */
    HEADING,
    QUOTE,
    LIST_UL,
    LIST_OL,
    ITEM,
    TERM_TEXT, /* dd */
    PRE,
    TABLE,
    ROW,
    CELL,
    LINK,
    IMAGE,
    BREAK,
    RULE,
    SKIP, /* content is not for reading */
    QUOTED_WORDS,
};

static const struct {
    const char *name;
    enum element element;
} elements[] = {
    {"a", LINK},        {"address", BLOCK},    {"applet", SKIP},   {"article", BLOCK},  {"aside", BLOCK},
    {"audio", SKIP},    {"blockquote", QUOTE}, {"br", BREAK},      {"canvas", SKIP},    {"caption", BLOCK},
    {"center", BLOCK},  {"dd", TERM_TEXT},     {"details", BLOCK}, {"dir", LIST_UL},    {"div", BLOCK},
    {"dl", PARA},       {"dt", BLOCK},         {"embed", SKIP},    {"fieldset", BLOCK}, {"figcaption", BLOCK},
    {"figure", BLOCK},  {"footer", BLOCK},     {"form", BLOCK},    {"frameset", SKIP},  {"h1", HEADING},
    {"h2", HEADING},    {"h3", HEADING},       {"h4", HEADING},    {"h5", HEADING},     {"h6", HEADING},
    {"head", SKIP},     {"header", BLOCK},     {"hr", RULE},       {"iframe", SKIP},    {"img", IMAGE},
    {"input", SKIP},    {"legend", BLOCK},     {"li", ITEM},       {"main", BLOCK},     {"menu", LIST_UL},
    {"nav", BLOCK},     {"noframes", SKIP},    {"object", SKIP},   {"ol", LIST_OL},     {"option", SKIP},
    {"p", PARA},        {"plaintext", PRE},    {"pre", PRE},       {"q", QUOTED_WORDS}, {"script", SKIP},
    {"section", BLOCK}, {"select", SKIP},      {"style", SKIP},    {"summary", BLOCK},  {"svg", SKIP},
    {"table", TABLE},   {"td", CELL},          {"template", SKIP}, {"textarea", SKIP},  {"th", CELL},
    {"title", SKIP},    {"tr", ROW},           {"ul", LIST_UL},    {"video", SKIP},     {"xmp", PRE},
};

/* Lines on their way: of the whole text, or of a table's cell. */
struct sink {
    GString *text;
    GArray *lines; /* of struct document_line, offsets into text; depth is not used */
    gboolean gap;  /* a blank line is wanted before the next one */
};

struct table {
    GPtrArray *rows;    /* of GPtrArray of struct sink */
    struct sink *outer; /* where the table itself goes */
    guint quote, indent;
    char *marker;
    gboolean in_cell;
};

/* What an open element changed, to be put back when it closes. */
struct open {
    enum element element;
    char name[12];
    gint32 color, background;
    gboolean tiny, hidden;
    guint quote, indent, heading, pre;
    guint counter; /* items of a list so far */
};

struct html {
    struct flow *flow;
    htmlParserCtxt *parser;
    guint flags;

    const char *input, *prefix;
    gsize left;
    gint64 deadline;
    gboolean text_only, in_tag;

    GArray *stack;  /* of struct open */
    guint overflow; /* open elements that have no room there */
    guint skip;
    gint32 color, background;
    gboolean tiny, hidden;

    struct sink *sink;
    GPtrArray *tables; /* of struct table, the innermost last */
    GString *line;
    gboolean space; /* white space is due before the next word */
    guint quote, indent, heading, pre;
    char *marker; /* of a list item whose first line has not come yet */
    gsize produced;

    char *href; /* of the open link */
    GString *link_text;
};

/* --- sinks --- */

static struct sink *
sink_new(void)
{
    struct sink *sink = g_new0(struct sink, 1);
    sink->text = g_string_new(NULL);
    sink->lines = g_array_new(FALSE, FALSE, sizeof(struct document_line));
    return sink;
}

static void
sink_free(struct sink *sink)
{
    g_string_free(sink->text, TRUE);
    g_array_unref(sink->lines);
    g_free(sink);
}

static struct document_line *
sink_last(struct sink *sink)
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
    const struct document_line *last = sink_last(sink);
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
static void
emit(struct html *html, const char *text, gsize length, guint line_flags)
{
    struct sink *sink = html->sink;
    g_autoptr(GString) out = g_string_new(NULL);
    if (sink->gap && sink_last(sink) && sink_last(sink)->length) {
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

static gboolean
is_invisible(gunichar c)
{
    return c == ' ' || c == '\t' || c == 0xa0 || (c >= 0x2000 && c <= 0x200f) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x2800 || c == 0x3000 || c == 0x2060;
}

static gboolean
is_blank(const char *text, gsize length)
{
    for (const char *p = text; p < text + length; p = g_utf8_next_char(p))
        if (!is_invisible(g_utf8_get_char(p)))
            return FALSE;
    return TRUE;
}

static void
end_line(struct html *html)
{
    html->space = FALSE;
    if (html->line->len == 0)
        return;
    if (is_blank(html->line->str, html->line->len)) {
        g_string_truncate(html->line, 0);
        html->sink->gap = TRUE;
        return;
    }
    /* no-break spaces have done their work */
    g_string_replace(html->line, "\xc2\xa0", " ", 0);
    gsize length = html->line->len;
    while (length && html->line->str[length - 1] == ' ')
        length--;
    guint line_flags = (html->heading ? LINE_HEADING : 0) | (html->pre ? LINE_FIXED : 0);
    emit(html, html->line->str, length, line_flags);
    g_string_truncate(html->line, 0);
}

static void
gap(struct html *html)
{
    end_line(html);
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

static void
put_text(struct html *html, const char *text, gsize length)
{
    if (html->produced > 2 * LIMIT_TEXT || html->line->len > LIMIT_TEXT)
        return;
    for (const char *p = text; p < text + length; p = g_utf8_next_char(p)) {
        gunichar c = repair(g_utf8_get_char(p));
        if (c == '\n' && html->pre) {
            if (html->line->len)
                end_line(html);
            else
                emit(html, "", 0, LINE_FIXED);
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

/* --- attributes --- */

static const char *
attribute(const xmlChar **attributes, const char *name)
{
    for (; attributes && attributes[0]; attributes += 2)
        if (g_str_equal((const char *)attributes[0], name))
            return attributes[1] ? (const char *)attributes[1] : "";
    return NULL;
}

#define COLOR_UNKNOWN (-1)

static gint32
parse_color(const char *text)
{
    static const struct {
        const char *name;
        gint32 color;
    } names[] = {{"white", 0xffffff},  {"black", 0},       {"red", 0xff0000},  {"blue", 0x0000ff},
                 {"green", 0x008000},  {"gray", 0x808080}, {"grey", 0x808080}, {"silver", 0xc0c0c0},
                 {"yellow", 0xffff00}, {"navy", 0x000080}};
    while (g_ascii_isspace(*text))
        text++;
    guint r, g, b;
    if (*text == '#') {
        gsize digits = strspn(text + 1, "0123456789abcdefABCDEF");
        guint64 value = g_ascii_strtoull(text + 1, NULL, 16);
        if (digits == 6)
            return (gint32)value;
        if (digits == 3) {
            r = (guint)(value >> 8) & 15;
            g = (guint)(value >> 4) & 15;
            b = (guint)value & 15;
            return (gint32)(r * 0x110000 + g * 0x1100 + b * 0x11);
        }
        return COLOR_UNKNOWN;
    }
    if (sscanf(text, "rgb ( %3u , %3u , %3u", &r, &g, &b) == 3 ||
        sscanf(text, "rgb( %3u , %3u , %3u", &r, &g, &b) == 3)
        return r < 256 && g < 256 && b < 256 ? (gint32)(r << 16 | g << 8 | b) : COLOR_UNKNOWN;
    gsize word = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i].name) == word && g_ascii_strncasecmp(text, names[i].name, word) == 0)
            return names[i].color;
    return COLOR_UNKNOWN;
}

/* "0", "0px", "0.0em", and one pixel: nothing an eye can see. */
static gboolean
is_nothing(const char *value)
{
    char *end;
    double number = g_ascii_strtod(value, &end);
    if (end == value)
        return FALSE;
    return number <= 0 || (number <= 1 && g_str_has_prefix(end, "px"));
}

static void
apply_declaration(struct html *html, const char *name, const char *value, gboolean *zero_height,
                  gboolean *clips)
{
    if (g_str_equal(name, "display") && g_str_has_prefix(value, "none"))
        html->hidden = TRUE;
    else if (g_str_equal(name, "visibility"))
        html->hidden =
            html->hidden || g_str_has_prefix(value, "hidden") || g_str_has_prefix(value, "collapse");
    else if (g_str_equal(name, "font-size"))
        html->tiny = is_nothing(value);
    else if (g_str_equal(name, "opacity"))
        html->hidden = html->hidden || (is_nothing(value) && g_ascii_strtod(value, NULL) <= 0);
    else if (g_str_equal(name, "height") || g_str_equal(name, "max-height"))
        *zero_height = *zero_height || (g_ascii_isdigit(*value) && g_ascii_strtod(value, NULL) <= 0);
    else if (g_str_equal(name, "overflow"))
        *clips = g_str_has_prefix(value, "hidden");
    else if (g_str_equal(name, "color"))
        html->color = parse_color(value);
    else if (g_str_equal(name, "background-color") || g_str_equal(name, "background"))
        html->background = parse_color(value);
    if (strstr(value, "url(") && strstr(value, "//"))
        html->flags |= DOCUMENT_REMOTE;
}

static void
apply_style(struct html *html, const char *style)
{
    gboolean zero_height = FALSE, clips = FALSE;
    g_autofree char *lower = g_ascii_strdown(style, MIN(strlen(style), 4096));
    g_auto(GStrv) declarations = g_strsplit(lower, ";", 64);
    for (char **declaration = declarations; *declaration; declaration++) {
        char *colon = strchr(*declaration, ':');
        if (!colon)
            continue;
        *colon = '\0';
        apply_declaration(html, g_strstrip(*declaration), g_strstrip(colon + 1), &zero_height, &clips);
    }
    if (zero_height && clips)
        html->hidden = TRUE;
}

static void
apply_attributes(struct html *html, const xmlChar **attributes)
{
    const char *value;
    if ((value = attribute(attributes, "bgcolor")))
        html->background = parse_color(value);
    if ((value = attribute(attributes, "color")) || (value = attribute(attributes, "text")))
        html->color = parse_color(value);
    if ((value = attribute(attributes, "background")) && strstr(value, "//"))
        html->flags |= DOCUMENT_REMOTE;
    if (attribute(attributes, "hidden"))
        html->hidden = TRUE;
    if ((value = attribute(attributes, "style")))
        apply_style(html, value);
}

static gboolean
is_unseen(const struct html *html)
{
    return html->hidden || html->tiny || (html->color != COLOR_UNKNOWN && html->color == html->background);
}

/* --- links and images --- */

static gboolean
is_remote(const char *url)
{
    return g_ascii_strncasecmp(url, "http:", 5) == 0 || g_ascii_strncasecmp(url, "https:", 6) == 0 ||
           g_str_has_prefix(url, "//");
}

static void
link_begin(struct html *html, const xmlChar **attributes)
{
    const char *href = attribute(attributes, "href");
    g_clear_pointer(&html->href, g_free);
    g_string_truncate(html->link_text, 0);
    if (!href)
        return;
    g_autofree char *url = g_strstrip(g_strdup(href));
    for (char *from = url, *to = url;; from++) { /* as browsers do: no line ends or tabs inside */
        if (!strchr("\t\r\n", *from) || !*from)
            *to++ = *from;
        if (!*from)
            break;
    }
    if (url_is_link(url) && strlen(url) < 8192)
        html->href = g_steal_pointer(&url);
}

static void
link_end(struct html *html)
{
    g_autofree char *url = g_steal_pointer(&html->href);
    if (!url)
        return;
    g_strstrip(html->link_text->str);
    if (is_blank(html->link_text->str, strlen(html->link_text->str)))
        return;
    guint number = flow_link(html->flow, url, html->link_text->str);
    if (!number)
        return;
    const struct document_link *link = html->flow->links->pdata[html->flow->links->len - 1];
    for (guint i = html->flow->links->len; i > 0 && link->number != number; i--)
        link = html->flow->links->pdata[i - 1];
    g_autofree char *host = link->suspicious ? url_host(url) : NULL;
    g_autofree char *mark = g_strdup_printf(" %c[%u%s%s]%c", MARK_BEGIN, number, link->suspicious ? ": " : "",
                                            link->suspicious ? (host ? host : "!") : "", MARK_END);
    if (link->suspicious)
        html->flags |= DOCUMENT_SUSPICIOUS_LINK;
    struct document_line *last = sink_last(html->sink);
    if (html->line->len || !last || !last->length || last->offset + last->length != html->sink->text->len) {
        g_string_append(html->line, html->line->len ? mark : mark + 1);
        return;
    }
    /* the link was a block: its mark goes to the end of the line that was made */
    g_string_append(html->sink->text, mark);
    last->length += (guint32)strlen(mark);
}

static void
image(struct html *html, const xmlChar **attributes)
{
    const char *src = attribute(attributes, "src"), *alt = attribute(attributes, "alt");
    const char *width = attribute(attributes, "width"), *height = attribute(attributes, "height");
    if (src && is_remote(src))
        html->flags |= DOCUMENT_REMOTE;
    gboolean pixel = (width && g_ascii_strtoull(width, NULL, 10) <= 1 && g_ascii_isdigit(*width)) ||
                     (height && g_ascii_strtoull(height, NULL, 10) <= 1 && g_ascii_isdigit(*height));
    if (alt && !pixel && !is_unseen(html))
        put_text(html, alt, strlen(alt));
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

static void
table_begin(struct html *html)
{
    struct table *table = g_new0(struct table, 1);
    end_line(html);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)row_free);
    table->outer = html->sink;
    table->quote = html->quote;
    table->indent = html->indent;
    table->marker = g_steal_pointer(&html->marker);
    html->quote = html->indent = 0;
    g_ptr_array_add(html->tables, table);
}

static void
row_begin(struct html *html)
{
    struct table *table = current_table(html);
    if (!table)
        return;
    end_line(html);
    html->sink = table->outer;
    g_ptr_array_add(table->rows, g_ptr_array_new_with_free_func((GDestroyNotify)sink_free));
}

static void
cell_begin(struct html *html)
{
    struct table *table = current_table(html);
    if (!table) {
        html->space = TRUE;
        return;
    }
    if (table->rows->len == 0)
        row_begin(html);
    end_line(html);
    html->sink = sink_new();
    g_ptr_array_add(table->rows->pdata[table->rows->len - 1], html->sink);
}

static void
cell_end(struct html *html)
{
    struct table *table = current_table(html);
    if (!table)
        return;
    end_line(html);
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
            emit(html, out->str, out->len, LINE_FIXED);
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
            emit(html, out->str, out->len, 0);
        return;
    }
    for (guint c = 0; c < row->len; c++) {
        const struct sink *cell = row->pdata[c];
        if (cell->lines->len > 1)
            html->sink->gap = TRUE;
        for (guint i = 0; i < cell->lines->len; i++) {
            const struct document_line *line = &g_array_index(cell->lines, struct document_line, i);
            if (line->length)
                emit(html, cell->text->str + line->offset, line->length, line->flags);
            else
                html->sink->gap = TRUE;
        }
        if (cell->lines->len > 1 || cell->gap)
            html->sink->gap = TRUE;
    }
}

static void
table_free(struct table *table)
{
    g_ptr_array_unref(table->rows);
    g_free(table->marker);
    g_free(table);
}

static void
table_end(struct html *html)
{
    if (html->tables->len == 0)
        return;
    cell_end(html);
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
    table_free(table);
}

/* --- elements --- */

static enum element
find_element(const char *name)
{
    gsize low = 0, high = G_N_ELEMENTS(elements);
    while (low < high) {
        gsize middle = (low + high) / 2;
        int order = strcmp(name, elements[middle].name);
        if (order == 0)
            return elements[middle].element;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return OTHER;
}

static struct open *
top(struct html *html)
{
    return html->stack->len ? &g_array_index(html->stack, struct open, html->stack->len - 1) : NULL;
}

static void
item_begin(struct html *html)
{
    end_line(html);
    char *marker = NULL;
    for (guint i = html->stack->len; i > 0 && !marker; i--) {
        struct open *open = &g_array_index(html->stack, struct open, i - 1);
        if (open->element == LIST_OL)
            marker = g_strdup_printf("%u. ", ++open->counter);
        else if (open->element == LIST_UL)
            marker = g_strdup("* ");
    }
    g_free(html->marker);
    html->marker = marker ? marker : g_strdup("* ");
    html->indent = MIN(html->indent + (guint)strlen(html->marker), INDENT_MAX);
}

static gboolean
in_list(struct html *html)
{
    for (guint i = html->stack->len; i > 0; i--) {
        enum element element = g_array_index(html->stack, struct open, i - 1).element;
        if (element == LIST_OL || element == LIST_UL)
            return TRUE;
    }
    return FALSE;
}

static void
begin(struct html *html, enum element element, const xmlChar **attributes)
{
    switch (element) {
    case BLOCK:
        end_line(html);
        break;
    case PARA:
        if (html->marker) /* the first paragraph of a list item stands beside its mark */
            end_line(html);
        else
            gap(html);
        break;
    case HEADING:
        gap(html);
        html->heading++;
        break;
    case QUOTE:
        gap(html);
        html->quote = MIN(html->quote + 1, QUOTE_MAX);
        break;
    case LIST_UL:
    case LIST_OL:
        if (in_list(html))
            end_line(html);
        else
            gap(html);
        break;
    case ITEM:
        item_begin(html);
        break;
    case TERM_TEXT:
        end_line(html);
        html->indent = MIN(html->indent + 4, INDENT_MAX);
        break;
    case PRE:
        gap(html);
        html->pre++;
        break;
    case TABLE:
        if (html->tables->len < TABLE_DEPTH_MAX)
            table_begin(html);
        else
            end_line(html);
        break;
    case ROW:
        row_begin(html);
        break;
    case CELL:
        cell_begin(html);
        break;
    case LINK:
        link_begin(html, attributes);
        break;
    case IMAGE:
        image(html, attributes);
        break;
    case BREAK:
        if (html->line->len)
            end_line(html);
        else
            html->sink->gap = TRUE;
        break;
    case RULE:
        end_line(html);
        emit(html, "----------------------------------------", 40, LINE_RULE);
        break;
    case QUOTED_WORDS:
        put_text(html, "\xe2\x80\x9c", 3);
        break;
    case SKIP:
    case OTHER:
        break;
    }
}

/* Before the state of the element's parent is put back. */
static void
finish(struct html *html, enum element element)
{
    switch (element) {
    case BLOCK:
    case TERM_TEXT:
        end_line(html);
        break;
    case ITEM:
        end_line(html);
        g_clear_pointer(&html->marker, g_free);
        break;
    case PARA:
    case HEADING:
    case QUOTE:
    case PRE:
        gap(html);
        break;
    case CELL:
        cell_end(html);
        break;
    case LINK:
        link_end(html);
        break;
    case QUOTED_WORDS:
        put_text(html, "\xe2\x80\x9d", 3);
        break;
    default:
        break;
    }
}

static void
on_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
    struct html *html = data;
    enum element element = find_element((const char *)name);
    if (html->stack->len >= LIMIT_HTML_DEPTH) {
        html->overflow++;
        return;
    }
    struct open open = {.element = element,
                        .color = html->color,
                        .background = html->background,
                        .tiny = html->tiny,
                        .hidden = html->hidden,
                        .quote = html->quote,
                        .indent = html->indent,
                        .heading = html->heading,
                        .pre = html->pre};
    g_strlcpy(open.name, (const char *)name, sizeof open.name);
    if (element == TABLE && html->tables->len >= TABLE_DEPTH_MAX)
        open.element = BLOCK;
    const char *src = attribute(attributes, element == OTHER ? "href" : "src");
    if (src && is_remote(src) && (element == SKIP || g_str_equal((const char *)name, "link")))
        html->flags |= DOCUMENT_REMOTE;
    if (!html->skip) {
        apply_attributes(html, attributes);
        if (element != IMAGE || !is_unseen(html))
            begin(html, open.element, attributes);
    }
    html->skip += element == SKIP;
    g_array_append_val(html->stack, open);
}

static void
close_top(struct html *html)
{
    struct open open = *top(html);
    gboolean in_table = FALSE;
    g_array_set_size(html->stack, html->stack->len - 1);
    if (open.element == SKIP)
        html->skip--;
    if (html->skip)
        return;
    if (open.element == TABLE) {
        table_end(html);
        in_table = TRUE;
    } else if (open.element != SKIP) {
        finish(html, open.element);
    }
    if (open.element == LIST_UL || open.element == LIST_OL) {
        end_line(html);
        if (!in_list(html))
            html->sink->gap = TRUE;
    }
    html->color = open.color;
    html->background = open.background;
    html->tiny = open.tiny;
    html->hidden = open.hidden;
    if (!in_table) { /* a table puts back what it found by itself */
        html->quote = open.quote;
        html->indent = open.indent;
    }
    html->heading = open.heading;
    html->pre = open.pre;
}

static void
on_end(void *data, const xmlChar *name)
{
    struct html *html = data;
    if (html->overflow) {
        html->overflow--;
        return;
    }
    /* libxml2 closes in order; anything else is put right here */
    guint n = html->stack->len;
    while (n > 0 && strncmp(g_array_index(html->stack, struct open, n - 1).name, (const char *)name,
                            sizeof((struct open *)NULL)->name - 1) != 0)
        n--;
    if (n == 0)
        return;
    while (html->stack->len >= n)
        close_top(html);
}

static void
on_text(void *data, const xmlChar *text, int length)
{
    struct html *html = data;
    if (html->skip || length <= 0)
        return;
    if (!is_unseen(html)) {
        put_text(html, (const char *)text, (gsize)length);
        return;
    }
    for (const char *p = (const char *)text; p < (const char *)text + length; p = g_utf8_next_char(p))
        if (!is_invisible(g_utf8_get_char(p)) && *p != '\n' && *p != '\r') {
            html->flags |= DOCUMENT_HIDDEN_TEXT;
            break;
        }
}

/* --- feeding the parser --- */

static gint64
cpu_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int
on_read(void *data, char *buffer, int length)
{
    struct html *html = data;
    if (html->left && cpu_time() > html->deadline) {
        html->flags |= DOCUMENT_LIMITED;
        html->left = 0;
    }
    if (html->parser->nameNr > PARSER_DEPTH_MAX && !html->text_only) {
        html->text_only = TRUE;
        html->flags |= DOCUMENT_LIMITED;
    }
    if (html->prefix) {
        gsize size = MIN(strlen(html->prefix), (gsize)length);
        memcpy(buffer, html->prefix, size); /* libxml2 reads in thousands */
        html->prefix = NULL;
        return (int)size;
    }
    gsize n = MIN(html->left, MIN((gsize)length, PIECE));
    if (!html->text_only) {
        memcpy(buffer, html->input, n);
        html->input += n;
        html->left -= n;
        return (int)n;
    }
    gsize out = 0;
    while (out < n && html->left) {
        char c = *html->input++;
        html->left--;
        if (c == '<') {
            html->in_tag = TRUE;
            buffer[out++] = ' ';
        } else if (c == '>' && html->in_tag) {
            html->in_tag = FALSE;
        } else if (!html->in_tag) {
            buffer[out++] = c;
        }
    }
    return (int)out;
}

static int
on_close(void *data)
{
    (void)data;
    return 0;
}

/* The lines of the root into the flow, with the link marks put in their places. */
static void
deliver(struct html *html)
{
    struct sink *sink = html->sink;
    g_autoptr(GString) line = g_string_new(NULL);
    for (guint i = 0; i < sink->lines->len && !html->flow->full; i++) {
        const struct document_line *from = &g_array_index(sink->lines, struct document_line, i);
        gsize base = html->flow->text->len;
        g_string_truncate(line, 0);
        const char *p = sink->text->str + from->offset, *end = p + from->length;
        for (gsize begin_mark = 0; p < end; p++) {
            if (*p == MARK_BEGIN) {
                begin_mark = line->len;
            } else if (*p == MARK_END) {
                guint number = (guint)g_ascii_strtoull(line->str + begin_mark + 1, NULL, 10);
                flow_link_place(html->flow, number, base + begin_mark, line->len - begin_mark);
            } else {
                g_string_append_c(line, *p);
            }
        }
        if (line->len || html->flow->lines->len)
            flow_line(html->flow, line->str, line->len, from->flags);
    }
}

/* "<![if !mso]>" and "<![endif]>" stand bare in what Outlook writes, and libxml2 takes them for text. NULL
 * when there is none; "<![endif]-->" ends a comment and stays. */
static char *
without_conditions(const char *text, gsize length)
{
    const char *end = text + length, *done = text;
    GString *out = NULL;
    for (const char *p = text; (p = memmem(p, (gsize)(end - p), "<![", 3)); p += 3) {
        const char *close = memchr(p, '>', MIN((gsize)(end - p), 200));
        if (!close || close[-1] != ']')
            continue;
        if (!out)
            out = g_string_sized_new(length);
        g_string_append_len(out, done, p - done);
        done = close + 1;
        p = close - 2;
    }
    if (!out)
        return NULL;
    g_string_append_len(out, done, end - done);
    return g_string_free(out, FALSE);
}

/* A fragment without a body: libxml2 would put its text into paragraphs of its own making. */
static gboolean
has_body(const char *text, gsize length)
{
    const char *end = text + MIN(length, 65536);
    for (const char *p = text; (p = memchr(p, '<', (gsize)(end - p))); p++)
        if (end - p > 5 && g_ascii_strncasecmp(p + 1, "body", 4) == 0)
            return TRUE;
    return FALSE;
}

static gboolean
parse(struct html *html)
{
    static const htmlSAXHandler handler = {
        .startElement = on_start,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .initialized = 1,
    };
    html->parser = htmlNewParserCtxt();
    if (!html->parser)
        return FALSE;
    *html->parser->sax = handler;
    html->parser->userData = html;
    html->deadline = cpu_time() + BUDGET_NS;
    xmlDoc *doc = htmlCtxtReadIO(html->parser, on_read, on_close, html, NULL, "UTF-8",
                                 HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                     HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT);
    if (doc)
        xmlFreeDoc(doc);
    htmlFreeParserCtxt(html->parser);
    return TRUE;
}

guint
html_to_flow(struct flow *flow, const char *text, gsize length)
{
    struct html html = {
        .flow = flow, .input = text, .left = length, .color = COLOR_UNKNOWN, .background = COLOR_UNKNOWN};
    if (length > LIMIT_HTML) {
        const char *cut = g_utf8_find_prev_char(text, text + LIMIT_HTML);
        html.left = (gsize)(cut - text);
        html.flags |= DOCUMENT_LIMITED;
    }
    g_autofree char *filtered = without_conditions(text, html.left);
    if (filtered) {
        html.input = filtered;
        html.left = strlen(filtered);
    }
    html.prefix = has_body(html.input, html.left) ? NULL : "<html><body>";
    html.stack = g_array_new(FALSE, FALSE, sizeof(struct open));
    html.tables = g_ptr_array_new_with_free_func((GDestroyNotify)table_free);
    html.line = g_string_new(NULL);
    html.link_text = g_string_new(NULL);
    struct sink *root = html.sink = sink_new();
    if (!parse(&html))
        html.flags |= DOCUMENT_LIMITED;
    html.overflow = 0;
    while (html.stack->len)
        close_top(&html);
    end_line(&html);
    html.sink = root;
    guint first = flow->lines->len;
    deliver(&html);
    /* no blank line at the end */
    while (flow->lines->len > first &&
           g_array_index(flow->lines, struct document_line, flow->lines->len - 1).length == 0) {
        g_array_set_size(flow->lines, flow->lines->len - 1);
        g_string_truncate(flow->text, flow->text->len - 1);
    }
    sink_free(root);
    g_array_unref(html.stack);
    g_ptr_array_unref(html.tables);
    g_string_free(html.line, TRUE);
    g_string_free(html.link_text, TRUE);
    g_free(html.marker);
    g_free(html.href);
    return html.flags;
}

char *
html_meta_charset(const char *bytes, gsize length)
{
    const char *end = bytes + MIN(length, 2048);
    for (const char *p = bytes; p + 8 < end; p++) {
        if ((*p != 'c' && *p != 'C') || g_ascii_strncasecmp(p, "charset", 7) != 0)
            continue;
        p += 7;
        while (p < end && (g_ascii_isspace(*p) || *p == '=' || *p == '"' || *p == '\''))
            p++;
        const char *start = p;
        while (p < end && (g_ascii_isalnum(*p) || strchr("-_.:", *p)) && *p)
            p++;
        if (p > start)
            return g_strndup(start, (gsize)(p - start));
    }
    return NULL;
}
