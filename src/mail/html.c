#include "config.h"

#include "mail/html.h"

#include "mail/html_private.h"
#include "mail/limits.h"
#include "mail/link.h"

#include <string.h>
#include <time.h>

/* CPU time for one text; what comes later is left out, with a notice. */
#define BUDGET_NS (1500 * 1000000LL)
/* The parser looks at the clock between pieces of this size. */
#define PIECE 4000
/* Open elements that libxml2 may hold; beyond, tags are no longer handed to it, only text. */
#define PARSER_DEPTH_MAX 5000

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
    const char *href = html_attribute(attributes, "href");
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
    if (html_is_blank(html->link_text->str, strlen(html->link_text->str)))
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
    struct document_line *last = html_sink_last(html->sink);
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
    const char *src = html_attribute(attributes, "src"), *alt = html_attribute(attributes, "alt");
    const char *width = html_attribute(attributes, "width"), *height = html_attribute(attributes, "height");
    if (src && is_remote(src))
        html->flags |= DOCUMENT_REMOTE;
    gboolean pixel = (width && g_ascii_strtoull(width, NULL, 10) <= 1 && g_ascii_isdigit(*width)) ||
                     (height && g_ascii_strtoull(height, NULL, 10) <= 1 && g_ascii_isdigit(*height));
    if (alt && !pixel && !html_is_unseen(html))
        html_put_text(html, alt, strlen(alt));
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
    html_end_line(html);
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
        html_end_line(html);
        break;
    case PARA:
        if (html->marker) /* the first paragraph of a list item stands beside its mark */
            html_end_line(html);
        else
            html_gap(html);
        break;
    case HEADING:
        html_gap(html);
        html->heading++;
        break;
    case QUOTE:
        html_gap(html);
        html->quote = MIN(html->quote + 1, QUOTE_MAX);
        break;
    case LIST_UL:
    case LIST_OL:
        if (in_list(html))
            html_end_line(html);
        else
            html_gap(html);
        break;
    case ITEM:
        item_begin(html);
        break;
    case TERM_TEXT:
        html_end_line(html);
        html->indent = MIN(html->indent + 4, INDENT_MAX);
        break;
    case PRE:
        html_gap(html);
        html->pre++;
        break;
    case TABLE:
        if (html->tables->len < TABLE_DEPTH_MAX)
            html_table_begin(html);
        else
            html_end_line(html);
        break;
    case ROW:
        html_row_begin(html);
        break;
    case CELL:
        html_cell_begin(html);
        break;
    case LINK:
        link_begin(html, attributes);
        break;
    case IMAGE:
        image(html, attributes);
        break;
    case BREAK:
        if (html->line->len)
            html_end_line(html);
        else
            html->sink->gap = TRUE;
        break;
    case RULE:
        html_end_line(html);
        html_emit(html, "----------------------------------------", 40, LINE_RULE);
        break;
    case QUOTED_WORDS:
        html_put_text(html, "\xe2\x80\x9c", 3);
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
        html_end_line(html);
        break;
    case ITEM:
        html_end_line(html);
        g_clear_pointer(&html->marker, g_free);
        break;
    case PARA:
    case HEADING:
    case QUOTE:
    case PRE:
        html_gap(html);
        break;
    case CELL:
        html_cell_end(html);
        break;
    case LINK:
        link_end(html);
        break;
    case QUOTED_WORDS:
        html_put_text(html, "\xe2\x80\x9d", 3);
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
    const char *src = html_attribute(attributes, element == OTHER ? "href" : "src");
    if (src && is_remote(src) && (element == SKIP || g_str_equal((const char *)name, "link")))
        html->flags |= DOCUMENT_REMOTE;
    if (!html->skip) {
        html_apply_attributes(html, attributes);
        if (element != IMAGE || !html_is_unseen(html))
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
        html_table_end(html);
        in_table = TRUE;
    } else if (open.element != SKIP) {
        finish(html, open.element);
    }
    if (open.element == LIST_UL || open.element == LIST_OL) {
        html_end_line(html);
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
    if (!html_is_unseen(html)) {
        html_put_text(html, (const char *)text, (gsize)length);
        return;
    }
    for (const char *p = (const char *)text; p < (const char *)text + length; p = g_utf8_next_char(p))
        if (!html_is_invisible(g_utf8_get_char(p)) && *p != '\n' && *p != '\r') {
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
    html.tables = g_ptr_array_new_with_free_func((GDestroyNotify)html_table_free);
    html.line = g_string_new(NULL);
    html.link_text = g_string_new(NULL);
    struct sink *root = html.sink = html_sink_new();
    if (!parse(&html))
        html.flags |= DOCUMENT_LIMITED;
    html.overflow = 0;
    while (html.stack->len)
        close_top(&html);
    html_end_line(&html);
    html.sink = root;
    guint first = flow->lines->len;
    deliver(&html);
    /* no blank line at the end */
    while (flow->lines->len > first &&
           g_array_index(flow->lines, struct document_line, flow->lines->len - 1).length == 0) {
        g_array_set_size(flow->lines, flow->lines->len - 1);
        g_string_truncate(flow->text, flow->text->len - 1);
    }
    html_sink_free(root);
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
