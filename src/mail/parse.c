#include "config.h"

#include "mail/parse.h"

#include "base/error.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/flow.h"
#include "mail/header.h"
#include "mail/html.h"
#include "mail/limits.h"
#include "mail/rawmsg.h"
#include "mail/reader.h"
#include "mail/tree.h"

#include <string.h>

static G_DEFINE_QUARK(postrider_parse_error, parse_error)

/* Encoded bytes of a text part that are looked at: base64 and quoted-printable take more room than what comes
 * out. */
#define TEXT_CONTENT_MAX (2 * (gsize)LIMIT_TEXT)
#define HTML_CONTENT_MAX (2 * (gsize)LIMIT_HTML)
#define RAW_TEXT_MAX (256 * 1024)

    struct rendering {
    struct tree *tree;
    struct flow *flow;
    guint want;
    gboolean started; /* something has been shown */
};

/* --- which parts are shown, and how --- */

static void show(struct rendering *rendering, guint n);

/* Text that is for people as it stands. */
static gboolean
is_inline_text(const struct tree *tree, guint n)
{
    return tree_is_kind(tree, n, "text/") && !tree_is_data(tree, n) && !tree_is(tree, n, "text/x-amp-html");
}

/* How well an alternative can be read here: 0 not at all, 1 somehow, 2 as HTML, 3 as plain text. */
static guint
quality(const struct tree *tree, guint n)
{
    guint best = 0;
    if (tree_is(tree, n, "text/plain"))
        return 3;
    if (tree_is(tree, n, "text/html"))
        return 2;
    if (is_inline_text(tree, n))
        return 1;
    if (!tree_is_kind(tree, n, "multipart/"))
        return 0;
    for (guint child = tree_next_child(tree, n, 0); child; child = tree_next_child(tree, n, child)) {
        guint one = quality(tree, child);
        if (one > best)
            best = one;
        if (!tree_is(tree, n, "multipart/alternative"))
            break; /* the root of related, the first of mixed */
    }
    return best;
}

static gboolean
is_blank_text(struct tree *tree, guint n)
{
    if (!tree_is_kind(tree, n, "text/"))
        return FALSE;
    g_autoptr(GBytes) content = tree_content(tree, n, 4096);
    gsize length;
    const char *bytes = g_bytes_get_data(content, &length);
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isspace(bytes[i]))
            return FALSE;
    return TRUE;
}

/* Plain text before HTML unless HTML is wanted; the last of equals, as RFC 2046 orders them. */
static guint
choose_alternative(struct rendering *rendering, guint n)
{
    struct tree *tree = rendering->tree;
    guint chosen = 0, best = 0;
    for (guint child = tree_next_child(tree, n, 0); child; child = tree_next_child(tree, n, child)) {
        guint one = quality(tree, child);
        if (one == 3 && is_blank_text(tree, child))
            one = 0;
        else if (one == 2 && rendering->want & READER_HTML)
            one = 4;
        if (one && one >= best) {
            best = one;
            chosen = child;
        }
    }
    return chosen ? chosen : tree_next_child(tree, n, 0);
}

/* A line of ours between two parts. */
static void separator(struct rendering *rendering, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
separator(struct rendering *rendering, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    flow_gap(rendering->flow);
    flow_line(rendering->flow, line, strlen(line), LINE_PART);
}

static void
show_text(struct rendering *rendering, guint n)
{
    struct tree *tree = rendering->tree;
    struct document_part *part = tree_part(tree, n);
    gboolean html = tree_is(tree, n, "text/html");
    g_autofree char *text = tree_text(tree, n, html ? HTML_CONTENT_MAX : TEXT_CONTENT_MAX);
    if (rendering->started) {
        if (*part->filename)
            separator(rendering, "[%u] %s", part->number, part->filename);
        flow_gap(rendering->flow);
    }
    guint before = rendering->flow->lines->len;
    if (html) {
        guint flags = html_to_flow(rendering->flow, text, strlen(text));
        tree->flags |= flags | DOCUMENT_HTML;
        if (flags & DOCUMENT_LIMITED)
            tree_notice(tree, DOCUMENT_LIMITED,
                        "the HTML of part %u is too large or too tangled: not all of it is shown", n);
    } else {
        guint node_flags = tree_node_flags(tree, n);
        gboolean flowed = node_flags & NODE_FLOWED && tree_is(tree, n, "text/plain");
        if (flowed)
            tree->flags |= DOCUMENT_FLOWED;
        if (g_str_has_prefix(text, "-----BEGIN PGP ") || strstr(text, "\n-----BEGIN PGP "))
            tree->flags |= DOCUMENT_INLINE_PGP;
        flow_plain(rendering->flow, text, flowed, flowed && node_flags & NODE_DELSP);
    }
    part->flags |= PART_SHOWN;
    rendering->started = rendering->started || rendering->flow->lines->len > before;
}

static void
show_field(struct rendering *rendering, const char *name, const char *value)
{
    if (!*value)
        return;
    g_autofree char *line = g_strdup_printf("%s: %s", name, value);
    flow_line(rendering->flow, line, strlen(line), LINE_PART);
}

static void
show_people(struct rendering *rendering, const char *name, const GPtrArray *list)
{
    g_autofree char *text = address_list_format(list);
    show_field(rendering, name, text);
}

/* The header of a message that lies inside this one, as `v` and `h` show it shortened. */
static void
show_embedded(struct rendering *rendering, guint n)
{
    struct tree *tree = rendering->tree;
    const struct document_part *part = tree_part(tree, n);
    guint child = tree_next_child(tree, n, 0);
    if (!child)
        return;
    const char *bytes = tree->bytes + part->offset;
    gsize body = rawmsg_body(bytes, part->length);
    g_autoptr(struct_envelope) envelope = envelope_from_message(bytes, body, part->length);
    g_autoptr(GBytes) header = g_bytes_new_static(bytes, body);
    g_autofree char *date = rawmsg_get(header, "Date", 0);
    separator(rendering, "---------- attached message ----------");
    show_people(rendering, "From", envelope->from);
    show_people(rendering, "To", envelope->to);
    show_people(rendering, "Cc", envelope->cc);
    show_field(rendering, "Date", date ? date : "");
    show_field(rendering, "Subject", envelope->subject);
    flow_gap(rendering->flow);
    rendering->started = FALSE;
    show(rendering, child);
    rendering->started = TRUE;
}

static void
show_children(struct rendering *rendering, guint n)
{
    struct tree *tree = rendering->tree;
    for (guint child = tree_next_child(tree, n, 0); child; child = tree_next_child(tree, n, child))
        show(rendering, child);
}

/* Recursion is bounded: a tree is at most LIMIT_DEPTH deep. */
static void
show(struct rendering *rendering, guint n)
{
    struct tree *tree = rendering->tree;
    const struct document_part *part = tree_part(tree, n);
    gboolean attached = g_str_equal(part->disposition, "attachment");
    if (n == 1)
        attached = attached && !tree_is(tree, n, "text/plain") && !tree_is(tree, n, "text/html");
    if (tree_is(tree, n, "multipart/encrypted") || tree_node_flags(tree, n) & NODE_ENCRYPTED) {
        separator(rendering, "[this part is encrypted]");
        rendering->started = TRUE;
    } else if (tree_is(tree, n, "multipart/alternative")) {
        guint chosen = choose_alternative(rendering, n);
        if (chosen)
            show(rendering, chosen);
    } else if (tree_is(tree, n, "multipart/related")) {
        guint root = tree_next_child(tree, n, 0);
        if (root)
            show(rendering, root);
    } else if (tree_is_kind(tree, n, "multipart/")) {
        show_children(rendering, n);
    } else if (part->flags & PART_CONTAINER) {
        if (!attached)
            show_embedded(rendering, n);
    } else if (tree_is(tree, n, "message/delivery-status") ||
               tree_is(tree, n, "message/disposition-notification")) {
        show_text(rendering, n);
    } else if (!attached && is_inline_text(tree, n) &&
               !(tree_is(tree, n, "text/html") && rendering->started && *part->filename)) {
        show_text(rendering, n);
    }
}

/* --- preview --- */

/* Bytes of the mark of a link, "[3]", that begins at offset; 0 when none does. */
static gsize
mark_length(const struct flow *flow, gsize offset)
{
    for (guint i = 0; i < flow->links->len && flow->text->str[offset] == '['; i++) {
        const struct document_link *link = flow->links->pdata[i];
        if (link->offset == offset)
            return link->length;
    }
    return 0;
}

static void
append_squeezed(GString *out, const struct flow *flow, gsize offset, gsize length)
{
    gboolean space = out->len > 0;
    const char *text = flow->text->str;
    for (const char *p = text + offset; p < text + offset + length; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gsize mark = c == '[' ? mark_length(flow, (gsize)(p - text)) : 0;
        if (mark) {
            p += mark - 1;
            space = FALSE; /* the one before the mark */
            continue;
        }
        if (g_unichar_isspace(c)) {
            space = out->len > 0;
        } else if (!g_unichar_iszerowidth(c) || g_unichar_ismark(c) || c == 0x200d) {
            if (space)
                g_string_append_c(out, ' ');
            space = FALSE;
            g_string_append_unichar(out, c);
        }
    }
}

/* "On …, Marta wrote:" just before a quote says nothing in a list. */
static gboolean
is_attribution(const GArray *lines, const char *text, guint i)
{
    const struct document_line *line = &g_array_index(lines, struct document_line, i);
    if (line->length == 0 || text[line->offset + line->length - 1] != ':')
        return FALSE;
    while (++i < lines->len) {
        const struct document_line *next = &g_array_index(lines, struct document_line, i);
        if (next->length)
            return next->depth > 0;
    }
    return FALSE;
}

static char *
cut_characters(GString *text, glong characters)
{
    if (g_utf8_strlen(text->str, (gssize)text->len) > characters) {
        const char *cut = g_utf8_offset_to_pointer(text->str, characters);
        g_string_truncate(text, (gsize)(cut - text->str));
    }
    return g_strchomp(g_string_free(text, FALSE));
}

static char *
make_preview(const struct flow *flow, gboolean quotes)
{
    GString *out = g_string_new(NULL);
    const guint dull = LINE_PART | LINE_LINKS | LINE_RULE;
    for (guint i = 0; i < flow->lines->len && out->len < 4 * LIMIT_PREVIEW; i++) {
        const struct document_line *line = &g_array_index(flow->lines, struct document_line, i);
        const char *text = flow->text->str + line->offset;
        if (line->flags & LINE_SIGNATURE && out->len)
            break;
        if (line->flags & dull ||
            (!quotes && (line->depth || is_attribution(flow->lines, flow->text->str, i))))
            continue;
        /* rules drawn with characters */
        if (line->length > 3 && strspn(text, "-=_*#~+. ") >= line->length)
            continue;
        gsize marks = 0;
        if (line->depth)
            quote_depth(text, &marks);
        append_squeezed(out, flow, line->offset + MIN(marks, line->length),
                        line->length - MIN(marks, line->length));
    }
    return cut_characters(out, LIMIT_PREVIEW);
}

static char *
preview(const struct flow *flow)
{
    char *text = make_preview(flow, FALSE);
    if (*text)
        return text;
    g_free(text);
    return make_preview(flow, TRUE);
}

/* --- the document --- */

static char *
raw_value(const char *bytes, const struct rawmsg_field *field)
{
    const char *value = bytes + field->value_offset;
    gsize length = MIN(field->offset + field->length - field->value_offset, LIMIT_HEADER_FIELD);
    if (length && *value == ' ') {
        value++;
        length--;
    }
    GString *raw = g_string_sized_new(length);
    for (gsize i = 0; i < length; i++)
        if (value[i] != '\r' || i + 1 == length || value[i + 1] != '\n')
            g_string_append_c(raw, value[i]);
    char *valid = g_utf8_make_valid(raw->str, (gssize)raw->len);
    g_string_free(raw, TRUE);
    return g_strchomp(valid);
}

static void
add_headers(struct document *document, const char *bytes, gsize length, const GArray *fields)
{
    const char *charset = header_charset(bytes, length);
    for (guint i = 0; i < MIN(fields->len, LIMIT_HEADER_FIELDS); i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        struct document_header *header = g_new0(struct document_header, 1);
        header->name = g_strndup(bytes + field->offset, field->name_length);
        header->raw = raw_value(bytes, field);
        const char *value = bytes + field->value_offset;
        gsize value_length = field->offset + field->length - field->value_offset;
        g_autofree char *own = header_from_charset(value, value_length, charset);
        header->value = header_decode(own ? own : value, own ? strlen(own) : value_length);
        g_ptr_array_add(document->headers, header);
    }
}

static GStrv
take_notices(struct tree *tree)
{
    g_ptr_array_add(tree->notices, NULL);
    g_ptr_array_set_free_func(tree->notices, NULL);
    GStrv notices = (GStrv)g_ptr_array_free(tree->notices, FALSE);
    tree->notices = g_ptr_array_new_with_free_func(g_free);
    return notices;
}

/* A message that cannot be taken apart is shown as it came. */
static void
show_raw(struct tree *tree, struct flow *flow)
{
    gsize body = rawmsg_body(tree->bytes, tree->length);
    guint charset_flags;
    g_autofree char *text =
        charset_to_utf8(tree->bytes + body, MIN(tree->length - body, RAW_TEXT_MAX), NULL, &charset_flags);
    tree_notice(tree, DOCUMENT_BROKEN, "no text could be found in the parts: this is the message as it came");
    flow_plain(flow, text, FALSE, FALSE);
}

/* Is there nothing but multiparts, all empty? */
static gboolean
has_no_leaf(const struct tree *tree)
{
    for (guint n = 1; n <= tree->parts->len; n++)
        if (!tree_is_kind(tree, n, "multipart/"))
            return FALSE;
    return TRUE;
}

static void
render(struct tree *tree, guint want, struct flow *flow)
{
    struct rendering rendering = {.tree = tree, .flow = flow, .want = want};
    show(&rendering, 1);
    if (flow->lines->len == 0 && tree->attachments == 0 && 
        (tree->flags & (DOCUMENT_LIMITED | DOCUMENT_BROKEN) || has_no_leaf(tree)))
        show_raw(tree, flow);
    flow_settle_links(flow);
    if (tree->flags & DOCUMENT_HTML)
        flow_list_links(flow);
    if (flow->full)
        tree_notice(tree, DOCUMENT_LIMITED, "the text is longer than %d MB: the rest is not shown",
                    LIMIT_TEXT / (1024 * 1024));
    if (flow->links_full)
        tree_notice(tree, DOCUMENT_LIMITED, "more than %d links: the rest have no number", LIMIT_LINKS);
    for (guint i = 0; i < flow->links->len; i++) {
        struct document_link *link = flow->links->pdata[i];
        if (link->suspicious)
            tree->flags |= DOCUMENT_SUSPICIOUS_LINK;
        if (link->offset == G_MAXUINT32) /* its line was cut away */
            link->offset = link->length = 0;
    }
}

/* Large messages are cut by the caller; cutting is told here because the caller has no tree. */
struct document *
message_parse(GBytes *message, guint want)
{
    g_autoptr(struct_tree) tree = tree_new(message);
    struct document *document = document_new();
    gsize body;
    g_autoptr(GArray) fields = rawmsg_fields(tree->bytes, tree->length, NULL, &body);
    envelope_free(document->envelope);
    document->envelope = envelope_from_message(tree->bytes, body, tree->length);
    if (document->envelope->flags & ENVELOPE_TRUNCATED)
        tree_notice(tree, DOCUMENT_LIMITED, "the header names more than is read: not all of it is shown");
    if (want & READER_HEADERS)
        add_headers(document, tree->bytes, tree->length, fields);
    if (want & READER_TEXT) {
        struct flow flow;
        flow_init(&flow, tree->attachments + 1);
        render(tree, want, &flow);
        tree_examine(tree);
        g_free(document->preview);
        document->preview = preview(&flow);
        g_free(document->text);
        document->text = g_string_free(g_steal_pointer(&flow.text), FALSE);
        g_array_unref(document->lines);
        document->lines = g_steal_pointer(&flow.lines);
        g_ptr_array_unref(document->links);
        document->links = g_steal_pointer(&flow.links);
        flow_clear(&flow);
    }
    document->flags = tree->flags;
    g_strfreev(document->notices);
    document->notices = take_notices(tree);
    g_ptr_array_unref(document->parts);
    document->parts = g_ptr_array_ref(tree->parts);
    return document;
}

/* --- parts --- */

static gboolean
check_part(const struct tree *tree, guint n, GError **error)
{
    if (tree_part(tree, n))
        return TRUE;
    g_set_error(error, parse_error_quark(), ERROR_NOINPUT, "there is no part %u: the message has %u", n,
                tree->parts->len);
    return FALSE;
}

GBytes *
message_part(GBytes *message, guint n, struct document_part **info, GError **error)
{
    g_autoptr(struct_tree) tree = tree_new(message);
    if (!check_part(tree, n, error))
        return NULL;
    /* the bytes as they came, not with blanks in them */
    struct tree original = *tree;
    original.message = message;
    original.bytes = g_bytes_get_data(message, NULL);
    GBytes *content = tree_content(&original, n, 0);
    if (info) {
        *info = tree_part(tree, n);
        tree->parts->pdata[n - 1] = NULL;
    }
    return content;
}

char *
message_part_text(GBytes *message, guint n, GError **error)
{
    g_autoptr(struct_tree) tree = tree_new(message);
    if (!check_part(tree, n, error))
        return NULL;
    struct flow flow;
    struct rendering rendering = {.tree = tree, .flow = &flow, .want = READER_TEXT};
    flow_init(&flow, tree->attachments + 1);
    if (tree_is_kind(tree, n, "text/"))
        show_text(&rendering, n);
    else
        show(&rendering, n);
    if (tree->flags & DOCUMENT_HTML)
        flow_list_links(&flow);
    char *text = g_string_free(g_steal_pointer(&flow.text), FALSE);
    flow_clear(&flow);
    return text;
}

/* --- the index --- */

static void
append_people(GString *out, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const struct address *address = address_list_get(list, i);
        g_string_append_printf(out, "%s%s%s\n", address->name ? address->name : "",
                               address->name && address->addr ? " " : "", address->addr ? address->addr : "");
    }
}

static void
cut_bytes(GString *text, gsize limit)
{
    if (text->len > limit) {
        const char *cut = g_utf8_find_prev_char(text->str, text->str + limit);
        g_string_truncate(text, (gsize)(cut - text->str));
    }
}

static void
describe_parts(const struct tree *tree, struct message_index *index)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GString) types = g_string_new(" ");
    for (guint n = 1; n <= tree->parts->len; n++) {
        const struct document_part *part = tree_part(tree, n);
        if (*part->filename)
            g_string_append_printf(names, "%s\n", part->filename);
        g_autofree char *word = g_strdup_printf(" %s ", part->type);
        if (!strstr(types->str, word))
            g_string_append_printf(types, "%s ", part->type);
    }
    g_free(index->attachments);
    index->attachments = g_strdup(names->str);
    g_free(index->types);
    index->types = g_strdup(g_strstrip(types->str));
}

struct message_index *
message_index_make(GBytes *message)
{
    g_autoptr(struct_tree) tree = tree_new(message);
    struct message_index *index = message_index_new();
    struct flow flow;
    gsize body = rawmsg_body(tree->bytes, tree->length);
    envelope_free(index->envelope);
    index->envelope = envelope_from_message(tree->bytes, body, tree->length);
    flow_init(&flow, tree->attachments + 1);
    render(tree, READER_TEXT, &flow);
    g_free(index->preview);
    index->preview = preview(&flow);
    cut_bytes(flow.text, LIMIT_INDEX_TEXT);
    g_free(index->body);
    index->body = g_string_free(g_steal_pointer(&flow.text), FALSE);
    flow_clear(&flow);
    g_free(index->subject);
    index->subject = g_strdup(index->envelope->subject);
    GString *people = g_string_new(NULL);
    const GPtrArray *lists[] = {index->envelope->from, index->envelope->sender, index->envelope->reply_to,
                                index->envelope->to,   index->envelope->cc,     index->envelope->bcc};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        append_people(people, lists[i]);
    g_free(index->people);
    index->people = g_string_free(people, FALSE);
    describe_parts(tree, index);
    index->flags = tree->flags;
    index->attachments_count = tree->attachments;
    return index;
}
