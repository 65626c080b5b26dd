#include "config.h"

#include "mail/flow.h"

#include "mail/limits.h"
#include "mail/link.h"

#include <string.h>

#define COUNTING_LINKS 5 /* of a message to one host: it counts clicks */

static void
link_free(struct document_link *link)
{
    g_free(link->url);
    g_free(link->text);
    g_free(link->reason);
    g_free(link);
}

void
flow_init(struct flow *flow, guint first_link)
{
    memset(flow, 0, sizeof *flow);
    flow->text = g_string_new(NULL);
    flow->lines = g_array_new(FALSE, FALSE, sizeof(struct document_line));
    flow->links = g_ptr_array_new_with_free_func((GDestroyNotify)link_free);
    flow->next_number = first_link;
}

void
flow_clear(struct flow *flow)
{
    if (flow->text)
        g_string_free(flow->text, TRUE);
    g_clear_pointer(&flow->lines, g_array_unref);
    g_clear_pointer(&flow->links, g_ptr_array_unref);
    flow->text = NULL;
}

guint
quote_depth(const char *line, gsize *length)
{
    guint depth = 0;
    const char *p = line;
    while (*p == '>' || (*p == ' ' && p[1] == '>' && depth)) {
        p += *p == ' ';
        p++;
        depth++;
    }
    if (depth && *p == ' ')
        p++;
    if (length)
        *length = (gsize)(p - line);
    return depth;
}

void
flow_line(struct flow *flow, const char *line, gsize length, guint line_flags)
{
    if (flow->full)
        return;
    if (flow->text->len + length + 1 > LIMIT_TEXT) {
        flow->full = TRUE;
        return;
    }
    struct document_line entry = {
        .offset = (guint32)flow->text->len, .length = (guint32)length, .flags = (guint16)line_flags};
    g_string_append_len(flow->text, line, (gssize)length);
    for (gsize i = entry.offset; i < flow->text->len; i++)
        if (flow->text->str[i] == '\n' || flow->text->str[i] == '\r' || flow->text->str[i] == '\0')
            flow->text->str[i] = ' ';
    entry.depth = (guint16)MIN(quote_depth(flow->text->str + entry.offset, NULL), G_MAXUINT16);
    g_string_append_c(flow->text, '\n');
    g_array_append_val(flow->lines, entry);
}

void
flow_gap(struct flow *flow)
{
    if (flow->lines->len && g_array_index(flow->lines, struct document_line, flow->lines->len - 1).length)
        flow_line(flow, "", 0, 0);
}

/* --- links --- */

guint
flow_link(struct flow *flow, const char *url, const char *text)
{
    g_autofree char *reason = NULL;
    guint marks = link_judge(text, url, &reason);
    for (guint i = flow->links->len; i > 0 && flow->links->len - i < 64;
         i--) { /* newsletters repeat the last ones */
        const struct document_link *link = flow->links->pdata[i - 1];
        if (g_str_equal(link->url, url) && g_strcmp0(link->reason, reason ? reason : "") == 0)
            return link->number;
    }
    if (flow->links->len >= LIMIT_LINKS) {
        flow->links_full = TRUE;
        return 0;
    }
    struct document_link *link = g_new0(struct document_link, 1);
    link->number = flow->next_number++;
    link->offset = G_MAXUINT32; /* not placed yet */
    link->url = g_strdup(url);
    link->text = g_strdup(g_str_equal(text, url) ? "" : text);
    link->marks = marks;
    link->suspicious = (marks & LINK_WARNS) != 0;
    link->reason = reason ? g_steal_pointer(&reason) : g_strdup("");
    g_ptr_array_add(flow->links, link);
    return link->number;
}

/* Newsletters send every link over a host that counts the clicks, also those whose text is a name such as "shop.example".
 * An address that is written out in full is held to its word all the same. */
void
flow_settle_links(struct flow *flow)
{
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < flow->links->len; i++) {
        const struct document_link *link = flow->links->pdata[i];
        char *host = url_host(link->url);
        guint count = host ? GPOINTER_TO_UINT(g_hash_table_lookup(counts, host)) : 0;
        if (host)
            g_hash_table_replace(counts, host, GUINT_TO_POINTER(count + 1));
    }
    for (guint i = 0; i < flow->links->len; i++) {
        struct document_link *link = flow->links->pdata[i];
        g_autofree char *host = (link->marks & LINK_WARNS) == LINK_ELSEWHERE ? url_host(link->url) : NULL;
        if (!host || strstr(link->text, "://") || GPOINTER_TO_UINT(g_hash_table_lookup(counts, host)) < COUNTING_LINKS)
            continue;
        link->marks = (link->marks & ~(guint)LINK_ELSEWHERE) | LINK_COUNTED;
        link->suspicious = FALSE;
    }
}

void
flow_link_place(struct flow *flow, guint number, gsize offset, gsize length)
{
    for (guint i = flow->links->len; i > 0; i--) {
        struct document_link *link = flow->links->pdata[i - 1];
        if (link->number != number)
            continue;
        if (link->offset == G_MAXUINT32) {
            link->offset = (guint32)offset;
            link->length = (guint32)length;
        }
        return;
    }
}

/* Where an address that begins at p ends: before white space, angle brackets, quotes and the punctuation of
 * the sentence. */
static const char *
url_end(const char *p, const char *end)
{
    const char *start = p;
    int parens = 0, brackets = 0;
    while (p < end) {
        gunichar c = g_utf8_get_char(p);
        if (c <= ' ' || c == 0x7f || strchr("<>\"`", (int)MIN(c, 0x7f)))
            break;
        if (c >= 0x80 && (g_unichar_isspace(c) || g_unichar_iscntrl(c) || g_unichar_ispunct(c)))
            break;
        parens += c == '(' ? 1 : c == ')' ? -1 : 0;
        brackets += c == '[' ? 1 : c == ']' ? -1 : 0;
        if (parens < 0 || brackets < 0)
            break;
        p = g_utf8_next_char(p);
    }
    while (p > start && strchr(".,;:!?'*_|", p[-1]))
        p--;
    return p;
}

static gboolean
begins_url(const char *p, gboolean *www)
{
    static const char *const found[] = {"https://", "http://", "ftp://", "mailto:"};
    *www = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(found); i++)
        if (g_ascii_strncasecmp(p, found[i], strlen(found[i])) == 0)
            return TRUE;
    *www = g_ascii_strncasecmp(p, "www.", 4) == 0 && g_ascii_isalnum(p[4]);
    return *www;
}

static void
find_in_line(struct flow *flow, guint32 offset, guint32 length)
{
    const char *base = flow->text->str, *line = base + offset, *end = line + length;
    for (const char *p = line; p < end; p++) {
        gboolean www;
        if (!strchr("hHfFmMwW", *p) || (p > line && g_ascii_isalnum(p[-1])) || !begins_url(p, &www))
            continue;
        const char *stop = url_end(p, end);
        g_autofree char *shown = g_strndup(p, (gsize)(stop - p));
        g_autofree char *url = www ? g_strconcat("http://", shown, NULL) : g_strdup(shown);
        if (url_is_link(url)) {
            guint number = flow_link(flow, url, "");
            flow_link_place(flow, number, (gsize)(p - base), (gsize)(stop - p));
        }
        if (stop > p)
            p = stop - 1;
    }
}

void
flow_find_links(struct flow *flow, guint first)
{
    for (guint i = first; i < flow->lines->len && !flow->links_full; i++) {
        const struct document_line *line = &g_array_index(flow->lines, struct document_line, i);
        find_in_line(flow, line->offset, line->length);
    }
}

void
flow_list_links(struct flow *flow)
{
    gboolean first = TRUE;
    for (; flow->links_listed < flow->links->len; flow->links_listed++) {
        const struct document_link *link = flow->links->pdata[flow->links_listed];
        if (first)
            flow_gap(flow);
        first = FALSE;
        g_autofree char *line = link->suspicious
                                    ? g_strdup_printf("[%u] %s  ! %s", link->number, link->url, link->reason)
                                    : g_strdup_printf("[%u] %s", link->number, link->url);
        flow_line(flow, line, strlen(line), LINE_LINKS);
    }
}

/* --- text/plain --- */

/* One paragraph of RFC 3676 while its lines come. */
struct paragraph {
    GString *text;
    guint depth;
    gboolean open;
};

static void
put_quoted(struct flow *flow, guint depth, const char *text, gsize length, guint line_flags)
{
    g_autoptr(GString) line = g_string_new(NULL);
    for (guint i = 0; i < MIN(depth, 100); i++)
        g_string_append(line, "> ");
    g_string_append_len(line, text, (gssize)length);
    gsize total = line->len;
    if (length == 0)
        while (total && line->str[total - 1] == ' ')
            total--;
    flow_line(flow, line->str, total, line_flags);
}

static void
paragraph_end(struct flow *flow, struct paragraph *paragraph, guint line_flags)
{
    if (!paragraph->open)
        return;
    put_quoted(flow, paragraph->depth, paragraph->text->str, paragraph->text->len, line_flags);
    g_string_truncate(paragraph->text, 0);
    paragraph->open = FALSE;
}

static void
flowed_line(struct flow *flow, struct paragraph *paragraph, const char *line, gsize length, gboolean delsp,
            guint *line_flags)
{
    guint depth = 0;
    while (length && *line == '>') {
        depth++;
        line++;
        length--;
    }
    if (length && *line == ' ') { /* space-stuffed */
        line++;
        length--;
    }
    if (paragraph->open && paragraph->depth != depth)
        paragraph_end(flow, paragraph, *line_flags);
    if (length == 3 && memcmp(line, "-- ", 3) == 0) { /* never flowed */
        paragraph_end(flow, paragraph, *line_flags);
        if (depth == 0)
            *line_flags = LINE_SIGNATURE;
        put_quoted(flow, depth, line, length, *line_flags);
        return;
    }
    paragraph->depth = depth;
    paragraph->open = TRUE;
    gboolean soft = length && line[length - 1] == ' ';
    g_string_append_len(paragraph->text, line, (gssize)(length - (soft && delsp)));
    if (!soft)
        paragraph_end(flow, paragraph, *line_flags);
}

void
flow_plain(struct flow *flow, const char *text, gboolean flowed, gboolean delsp)
{
    struct paragraph paragraph = {.text = g_string_new(NULL)};
    guint line_flags = 0, first = flow->lines->len;
    char end = strchr(text, '\n') ? '\n' : '\r'; /* old Macintosh text has CR alone */
    const char *next;
    for (const char *p = text; *p && !flow->full; p = next) {
        const char *stop = strchr(p, end);
        next = stop ? stop + 1 : p + strlen(p);
        gsize length = stop ? (gsize)(stop - p) : (gsize)(next - p);
        while (length && p[length - 1] == '\r')
            length--;
        if (flowed) {
            flowed_line(flow, &paragraph, p, length, delsp, &line_flags);
            continue;
        }
        if (length == 3 && memcmp(p, "-- ", 3) == 0)
            line_flags = LINE_SIGNATURE;
        flow_line(flow, p, length, line_flags);
    }
    paragraph_end(flow, &paragraph, line_flags);
    g_string_free(paragraph.text, TRUE);
    flow_find_links(flow, first);
}
