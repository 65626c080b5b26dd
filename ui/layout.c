#include "config.h"

#include "ui/layout.h"

#include "base/text.h"
#include "base/width.h"
#include "ui/text.h"

#include <string.h>

static void
line_free(gpointer data)
{
    struct layout_line *line = data;
    g_free(line->text);
    if (line->spans)
        g_array_unref(line->spans);
    g_free(line);
}

static struct layout_line *
add_line(GPtrArray *lines, char *text, enum role role, guint source)
{
    struct layout_line *line = g_new0(struct layout_line, 1);
    line->text = text;
    line->role = role;
    line->source = source;
    g_ptr_array_add(lines, line);
    return line;
}

char *
layout_untab(const char *text)
{
    if (!strchr(text, '\t'))
        return g_strdup(text);
    GString *out = g_string_new(NULL);
    int column = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\t') {
            do
                g_string_append_c(out, ' ');
            while (++column % 8);
        } else {
            g_string_append_unichar(out, c);
            column += width_char(c);
        }
    }
    return g_string_free(out, FALSE);
}

/* One logical line made safe, with the places of its links in the safe text. */
struct piece {
    char *text;
    GArray *spans;
};

static void
append_safe(GString *out, const char *text, gsize length)
{
    g_autofree char *safe = text_safe(text, (gssize)length, TEXT_BODY);
    for (char *p = safe; *p; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    g_string_append(out, safe);
}

static struct piece
safe_line(const struct document *document, const struct document_line *line, guint *next_link)
{
    struct piece piece = {NULL, g_array_new(FALSE, FALSE, sizeof(struct layout_span))};
    GString *out = g_string_new(NULL);
    gsize at = line->offset, end = (gsize)line->offset + line->length;
    const char *text = document->text;
    for (; *next_link < document->links->len; ++*next_link) {
        const struct document_link *link = g_ptr_array_index(document->links, *next_link);
        gsize from = link->offset, to = (gsize)link->offset + link->length;
        if (from >= end)
            break;
        if (from < at || to > end)
            continue; /* out of order, or over a line's end: not marked */
        append_safe(out, text + at, from - at);
        struct layout_span span = {.start = (guint)out->len,
                                   .role = link->suspicious ? ROLE_BAD : ROLE_LINK,
                                   .link = *next_link + 1};
        append_safe(out, text + from, to - from);
        span.length = (guint)out->len - span.start;
        g_array_append_val(piece.spans, span);
        at = to;
    }
    append_safe(out, text + at, end - at);
    piece.text = g_string_free(out, FALSE);
    if (strchr(piece.text, '\t') && !piece.spans->len) {
        char *plain = layout_untab(piece.text);
        g_free(piece.text);
        piece.text = plain;
    }
    return piece;
}

/* The spans that lie in [from, to) of a logical line, moved to the screen line's own places. */
static GArray *
cut_spans(const GArray *spans, gsize from, gsize to, gsize shift)
{
    GArray *result = NULL;
    for (guint i = 0; i < spans->len; i++) {
        struct layout_span span = g_array_index(spans, struct layout_span, i);
        gsize a = MAX(span.start, from), b = MIN((gsize)span.start + span.length, to);
        if (a >= b)
            continue;
        span.start = (guint)(a - from + shift);
        span.length = (guint)(b - a);
        if (!result)
            result = g_array_new(FALSE, FALSE, sizeof span);
        g_array_append_val(result, span);
    }
    return result;
}

/* What continuation lines of a quote or a list item begin with. */
static char *
hanging(const struct document_line *line, const char *text)
{
    if (line->depth) { /* repeat the quote marks as they are written */
        const char *p = text;
        while (*p == '>' || *p == ' ')
            p++;
        return g_strndup(text, (gsize)(p - text));
    }
    if (line->flags & LINE_ITEM) {
        const char *p = text;
        while (*p == ' ')
            p++;
        while (*p && *p != ' ')
            p = g_utf8_next_char(p);
        while (*p == ' ')
            p++;
        g_autofree char *lead = g_strndup(text, (gsize)(p - text));
        int width = width_text(lead);
        return g_strnfill((gsize)MIN(width, 20), ' ');
    }
    return g_strdup("");
}

static enum role
line_role(const struct document_line *line)
{
    if (line->depth)
        return (enum role)(ROLE_QUOTE1 + (line->depth - 1) % 4);
    if (line->flags & LINE_SIGNATURE)
        return ROLE_SIGNATURE;
    if (line->flags & LINE_HEADING)
        return ROLE_HEADING;
    if (line->flags & (LINE_PART | LINE_LINKS))
        return ROLE_DIM;
    return ROLE_TEXT;
}

static void
wrap(GPtrArray *lines, const struct document_line *line, const struct piece *piece, int width, guint source)
{
    enum role role = line_role(line);
    g_autofree char *lead = hanging(line, piece->text);
    if (width_text(lead) > width / 2)
        lead[0] = 0;
    gsize lead_length = strlen(lead);
    gsize at = 0, length = strlen(piece->text);
    gboolean first = TRUE;
    do {
        const char *rest = piece->text + at;
        int room = MAX(first ? width : width - width_text(lead), 4);
        gsize next = 0;
        gsize take = line->flags & LINE_FIXED ? width_bytes(rest, room) : width_wrap(rest, room, &next);
        if (line->flags & LINE_FIXED)
            next = take;
        if (!next && *rest) { /* a character wider than the line: never stand still */
            take = next = (gsize)(g_utf8_next_char(rest) - rest);
        }
        g_autofree char *part = g_strndup(rest, take);
        struct layout_line *added =
            add_line(lines, first ? g_strdup(part) : g_strconcat(lead, part, NULL), role, source);
        added->spans = cut_spans(piece->spans, at, at + take, first ? 0 : lead_length);
        at += next;
        first = FALSE;
    } while (at < length);
}

/* How many lines from `i` on are one run of quotes; blank lines between two quotes belong to it. */
static guint
quote_run(const struct document *document, guint i)
{
    guint last = i;
    for (guint j = i; j < document->lines->len; j++) {
        const struct document_line *line = &g_array_index(document->lines, struct document_line, j);
        if (line->depth)
            last = j + 1;
        else if (line->length || j >= last + 2)
            break;
    }
    return last - i;
}

GPtrArray *
layout_document(const struct document *document, const struct layout_options *options)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(line_free);
    int width = CLAMP(options->width, 4, LAYOUT_WIDTH_MAX);
    guint next_link = 0;
    for (guint i = 0; i < document->lines->len; i++) {
        const struct document_line *line = &g_array_index(document->lines, struct document_line, i);
        guint run = options->fold && line->depth ? quote_run(document, i) : 0;
        if (run > LAYOUT_FOLD_MIN) {
            struct layout_line *fold =
                add_line(lines, g_strdup_printf(ngettext("▸ %u quoted line", "▸ %u quoted lines", run), run),
                         ROLE_DIM, i);
            fold->folded = run;
            i += run - 1;
            continue;
        }
        if (line->flags & LINE_RULE) {
            add_line(lines, g_strdup(""), ROLE_FAINT, i)->rule = TRUE;
            continue;
        }
        struct piece piece = safe_line(document, line, &next_link);
        /* Tables may be wider than prose, up to the screen. */
        wrap(lines, line, &piece, line->flags & LINE_FIXED ? MAX(options->width, 4) : width, i);
        g_free(piece.text);
        g_array_unref(piece.spans);
    }
    return lines;
}

GPtrArray *
layout_text(const char *text, int width)
{
    return layout_hanging(text, width, NULL);
}

GPtrArray *
layout_hanging(const char *text, int width, const GArray *hangs)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(line_free);
    g_autofree char *safe = text_safe(text, -1, TEXT_BODY);
    g_auto(GStrv) split = g_strsplit(safe, "\n", -1);
    for (guint i = 0; split[i]; i++) {
        g_autofree char *plain = layout_untab(split[i]);
        const char *rest = plain;
        int hang = hangs && i < hangs->len ? g_array_index(hangs, int, i) : 0;
        if (hang > width * 2 / 3)
            hang = 0;
        if (!split[i + 1] && !*rest)
            break;
        do {
            int lead = rest == plain ? 0 : hang;
            gsize next = 0, take = width_wrap(rest, MAX(width - lead, 4), &next);
            if (!next && *rest)
                take = next = (gsize)(g_utf8_next_char(rest) - rest);
            add_line(lines, g_strdup_printf("%*s%.*s", lead, "", (int)take, rest), ROLE_TEXT, i);
            rest += next;
        } while (*rest);
    }
    return lines;
}
