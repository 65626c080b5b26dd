#include "config.h"

#include "mail/tree.h"

#include "base/text.h"
#include "mail/attachment.h"
#include "mail/charset.h"
#include "mail/guard.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "mail/rawmsg.h"

#include <gmime/gmime.h>
#include <string.h>

/* An entity that waits to be entered in the tree. */
struct waiting {
    GMimeObject *object; /* borrowed from the message */
    guint parent, depth;
    gsize start, end;             /* where it may lie: its header begins at or after start */
    gboolean is_message;          /* the content of a message/rfc822: its header begins at start */
    guint part_flags, node_flags; /* that come from its place */
};

void
tree_notice(struct tree *tree, guint document_flag, const char *format, ...)
{
    va_list args;
    tree->flags |= document_flag;
    if (tree->notices->len >= LIMIT_NOTICES)
        return;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    for (guint i = 0; i < tree->notices->len; i++)
        if (g_str_equal(tree->notices->pdata[i], text))
            return;
    g_ptr_array_add(tree->notices, g_steal_pointer(&text));
}

struct document_part *
tree_part(const struct tree *tree, guint n)
{
    return n >= 1 && n <= tree->parts->len ? tree->parts->pdata[n - 1] : NULL;
}

guint
tree_node_flags(const struct tree *tree, guint n)
{
    return g_array_index(tree->node_flags, guint, n - 1);
}

guint
tree_next_child(const struct tree *tree, guint n, guint after)
{
    for (guint i = MAX(n, after) + 1; i <= tree->parts->len; i++)
        if (tree_part(tree, i)->parent == n)
            return i;
    return 0;
}

gboolean
tree_is(const struct tree *tree, guint n, const char *type)
{
    return g_str_equal(tree_part(tree, n)->type, type);
}

gboolean
tree_is_kind(const struct tree *tree, guint n, const char *prefix)
{
    return g_str_has_prefix(tree_part(tree, n)->type, prefix);
}

gboolean
tree_is_data(const struct tree *tree, guint n)
{
    static const char *const types[] = {"text/calendar", "text/vcard", "text/x-vcard", "text/directory",
                                        "text/rtf"};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (tree_is(tree, n, types[i]))
            return TRUE;
    return FALSE;
}

/* --- what GMime says of a part --- */

static char *
valid_copy(const char *text)
{
    if (!text)
        return g_strdup("");
    return g_utf8_validate(text, -1, NULL) ? g_strdup(text) : charset_to_utf8(text, strlen(text), NULL, NULL);
}

static char *
lower_copy(const char *text)
{
    g_autofree char *valid = valid_copy(text);
    return g_strstrip(g_ascii_strdown(valid, -1));
}

static char *
part_type(GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *major = type ? g_mime_content_type_get_media_type(type) : NULL;
    const char *minor = type ? g_mime_content_type_get_media_subtype(type) : NULL;
    if (!major || !minor || !*major || !*minor)
        return g_strdup("text/plain");
    g_autofree char *raw = g_strdup_printf("%s/%s", major, minor);
    char *lower = lower_copy(raw);
    for (char *p = lower; *p; p++)
        if (*p <= ' ' || *p == 0x7f || (guchar)*p >= 0x80)
            *p = '_';
    return lower;
}

/* "Content-Type: text", as before MIME had subtypes; what is no type at all is text too (RFC 2045 section 5.2). */
static gboolean
is_bare_text(GMimeObject *object)
{
    const char *raw = g_mime_object_get_header(object, "Content-Type");
    gsize length = raw ? strcspn(raw, ";") : 0;
    return length && !memchr(raw, '/', length);
}

/* Of "filename=a; filename*=utf-8''b" the second: GMime keeps both under one name. */
static const char *
disposition_filename(GMimeObject *object)
{
    GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
    GMimeParamList *list = disposition ? g_mime_content_disposition_get_parameters(disposition) : NULL;
    const char *raw = g_mime_object_get_header(object, "Content-Disposition");
    const char *extended = raw ? strcasestr(raw, "filename*") : NULL, *plain = raw ? strcasestr(raw, "filename=") : NULL;
    const char *found = NULL;
    for (int i = 0; list && i < g_mime_param_list_length(list); i++) {
        GMimeParam *param = g_mime_param_list_get_parameter_at(list, i);
        gboolean is_better = !found || (extended && plain && extended > plain);
        if (is_better && !g_ascii_strcasecmp(g_mime_param_get_name(param), "filename"))
            found = g_mime_param_get_value(param);
    }
    return found;
}

static char *
part_filename(GMimeObject *object, guint *marks)
{
    const char *name = disposition_filename(object);
    if (!name || !*name)
        name = g_mime_object_get_content_type_parameter(object, "name");
    if (!name || !*name)
        return g_strdup("");
    g_autofree char *valid = NULL;
    /* encoded words in a parameter are wrong, and common */
    valid = strstr(name, "=?") ? header_decode(name, strlen(name)) : valid_copy(name);
    const char *last = valid;
    for (const char *p = valid; *p; p++)
        if ((*p == '/' || *p == '\\') && p[1])
            last = p + 1;
    *marks = attachment_name_marks(last);
    return text_file_name(last);
}

/* What is left of (comment) "quoted printable" (comment): quoted-printable. */
static char *
bare_encoding(const char *raw)
{
    GString *out = g_string_new(NULL);
    guint depth = 0;
    for (const char *p = raw; *p && *p != ';'; p++) {
        depth += *p == '(';
        if (!depth && *p != '"')
            g_string_append_c(out, g_ascii_isspace(*p) ? ' ' : *p);
        depth -= *p == ')' && depth;
    }
    char *word = g_strstrip(g_string_free(out, FALSE));
    return g_strdelimit(word, " ", '-');
}

static char *
part_encoding(GMimeObject *object)
{
    const char *raw = g_mime_object_get_header(object, "Content-Transfer-Encoding");
    g_autofree char *word = bare_encoding(raw ? raw : "");
    const char *name = g_mime_content_encoding_to_string(g_mime_content_encoding_from_string(word));
    return name ? g_strdup(name) : lower_copy(word);
}

static char *
header_copy(GMimeObject *object, const char *name)
{
    const char *raw = g_mime_object_get_header(object, name);
    return raw ? header_decode(raw, strlen(raw)) : g_strdup("");
}

/* --- building the tree --- */

/* Where the header that begins at start ends. */
static gsize
after_header(const struct tree *tree, gsize start, gsize end)
{
    return start + rawmsg_body(tree->bytes + start, end - start);
}

/* Does the line end behind a delimiter, but for "--" and spaces? "--bb" is none of the boundary "b". */
static gboolean
ends_delimiter(const char *p, const char *end)
{
    if (end - p >= 2 && p[0] == '-' && p[1] == '-')
        p += 2;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p == end || *p == '\n';
}

/* Where the next delimiter of boundary begins, at the beginning of a line; end when there is none. */
static gsize
find_delimiter(const struct tree *tree, gsize start, gsize end, const char *boundary)
{
    if (!boundary || !*boundary)
        return end;
    g_autofree char *delimiter = g_strdup_printf("--%s", boundary);
    gsize length = strlen(delimiter);
    for (gsize at = start; at < end; at += length) {
        const char *found = memmem(tree->bytes + at, end - at, delimiter, length);
        if (!found)
            return end;
        at = (gsize)(found - tree->bytes);
        if ((at == start || tree->bytes[at - 1] == '\n') && ends_delimiter(found + length, tree->bytes + end))
            return at;
    }
    return end;
}

/* The end of content that is followed by a delimiter of boundary: before its line end. */
static gsize
before_delimiter(const struct tree *tree, gsize start, gsize end, const char *boundary)
{
    gsize at = find_delimiter(tree, start, end, boundary);
    if (at == start || at == end)
        return at;
    at--;
    return at > start && tree->bytes[at - 1] == '\r' ? at - 1 : at;
}

/* Behind the line of the next delimiter; start when there is none. */
static gsize
after_delimiter(const struct tree *tree, gsize start, gsize end, const char *boundary)
{
    gsize at = find_delimiter(tree, start, end, boundary);
    const char *line = at < end ? memchr(tree->bytes + at, '\n', end - at) : NULL;
    return line ? (gsize)(line + 1 - tree->bytes) : start;
}

static gboolean
leaf_bounds(const struct tree *tree, GMimeObject *object, gsize *start, gsize *end)
{
    if (!GMIME_IS_PART(object))
        return FALSE;
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
    GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
    if (!stream || stream->bound_start < 0 || (gsize)stream->bound_start > tree->length)
        return FALSE;
    *start = (gsize)stream->bound_start;
    *end = stream->bound_end < 0 ? tree->length : (gsize)stream->bound_end;
    /* Before a last delimiter that no line end follows, GMime leaves the CR. */
    if (*end > *start && *end < tree->length && tree->bytes[*end] == '\n' && tree->bytes[*end - 1] == '\r')
        --*end;
    return *end >= *start && *end <= tree->length;
}

static gboolean
header_start(GMimeObject *object, gsize *start)
{
    GMimeHeaderList *headers = g_mime_object_get_header_list(object);
    if (!headers || g_mime_header_list_get_count(headers) == 0)
        return FALSE;
    gint64 offset = g_mime_header_get_offset(g_mime_header_list_get_header_at(headers, 0));
    if (offset < 0)
        return FALSE;
    *start = (gsize)offset;
    return TRUE;
}

static void
place(struct tree *tree, struct document_part *part, const struct waiting *waiting)
{
    gsize start = waiting->start, end = waiting->end, content, stop;
    gsize first;
    if (!waiting->is_message && header_start(waiting->object, &first) && first >= start && first <= end)
        start = first;
    if (leaf_bounds(tree, waiting->object, &content, &stop) && content >= waiting->start && stop <= end) {
        part->offset = content;
        part->length = stop - content;
        part->header_offset = MIN(start, content);
        return;
    }
    part->header_offset = start;
    part->offset = after_header(tree, start, end);
    part->length = end - part->offset;
}

static gboolean
is_signature_type(const char *type)
{
    return g_str_equal(type, "application/pgp-signature") ||
           g_str_equal(type, "application/pkcs7-signature") ||
           g_str_equal(type, "application/x-pkcs7-signature");
}

/* Structure that says something of the whole message. */
static void
note_structure(struct tree *tree, GMimeObject *object, const struct document_part *part, guint *node_flags)
{
    if (g_str_equal(part->type, "multipart/signed"))
        tree->flags |= DOCUMENT_SIGNED;
    else if (g_str_equal(part->type, "multipart/encrypted"))
        tree->flags |= DOCUMENT_ENCRYPTED;
    else if (g_str_equal(part->type, "multipart/report"))
        tree->flags |= DOCUMENT_REPORT;
    else if (g_str_equal(part->type, "text/calendar"))
        tree->flags |= DOCUMENT_CALENDAR;
    else if (g_str_equal(part->type, "application/pkcs7-mime") ||
             g_str_equal(part->type, "application/x-pkcs7-mime")) {
        const char *kind = g_mime_object_get_content_type_parameter(object, "smime-type");
        if (kind && g_ascii_strcasecmp(kind, "signed-data") == 0)
            tree->flags |= DOCUMENT_SIGNED;
        else if (!kind || g_ascii_strcasecmp(kind, "certs-only") != 0) {
            tree->flags |= DOCUMENT_ENCRYPTED;
            *node_flags |= NODE_ENCRYPTED;
        }
    }
    if (is_signature_type(part->type) || g_str_equal(part->type, "application/pgp-encrypted") ||
        g_str_equal(part->type, "message/delivery-status") ||
        g_str_equal(part->type, "message/disposition-notification") ||
        g_str_equal(part->type, "message/feedback-report") || g_str_equal(part->type, "text/rfc822-headers"))
        *node_flags |= NODE_CONTROL;
    const char *format = g_mime_object_get_content_type_parameter(object, "format");
    const char *delsp = g_mime_object_get_content_type_parameter(object, "delsp");
    if (format && g_ascii_strcasecmp(format, "flowed") == 0)
        *node_flags |= NODE_FLOWED;
    if (delsp && g_ascii_strcasecmp(delsp, "yes") == 0)
        *node_flags |= NODE_DELSP;
}

/* What its own header says of a part. */
static void
describe(struct document_part *part, GMimeObject *object)
{
    part->type = is_bare_text(object) ? g_strdup("text/plain") : part_type(object);
    part->charset = lower_copy(g_mime_object_get_content_type_parameter(object, "charset"));
    part->filename = part_filename(object, &part->marks);
    part->disposition = lower_copy(g_mime_object_get_disposition(object));
    if (!g_str_equal(part->disposition, "inline") && *part->disposition) {
        g_free(part->disposition); /* RFC 2183: whatever else is an attachment */
        part->disposition = g_strdup("attachment");
    }
    part->encoding = part_encoding(object);
    part->cid = valid_copy(g_mime_object_get_content_id(object));
    part->description = header_copy(object, "Content-Description");
    part->inside = g_strdup("");
}

static void
push_message(const struct waiting *place, GMimeMessagePart *container, GArray *stack)
{
    GMimeMessage *message = g_mime_message_part_get_message(container);
    struct waiting child = *place;
    child.object = message ? g_mime_message_get_mime_part(message) : NULL;
    child.is_message = TRUE;
    child.part_flags |= PART_EMBEDDED;
    if (child.object)
        g_array_append_val(stack, child);
}

/* The children in their order, each between the end of the one before it and its own delimiter. */
static void
push_parts(struct tree *tree, const struct waiting *place, GMimeMultipart *multipart, gboolean related,
           GArray *stack)
{
    /* g_mime_multipart_get_boundary() makes one up where there is none, out of /dev/urandom: the jail kills for that. */
    const char *boundary = g_mime_object_get_content_type_parameter(GMIME_OBJECT(multipart), "boundary");
    int count = g_mime_multipart_get_count(multipart);
    if (count > LIMIT_PARTS) {
        tree_notice(tree, DOCUMENT_LIMITED, "more than %d parts: the rest is not shown", LIMIT_PARTS);
        count = LIMIT_PARTS;
    }
    gsize from = place->start, start, content, stop;
    for (int i = 0; i < count; i++) {
        struct waiting child = *place;
        child.object = g_mime_multipart_get_part(multipart, i);
        if (!child.object)
            continue;
        if (related && i > 0)
            child.node_flags |= NODE_RELATED;
        gboolean placed = header_start(child.object, &start) && start >= from && start <= place->end;
        child.start = placed ? start : from;
        if (leaf_bounds(tree, child.object, &content, &stop) && content >= child.start && stop <= place->end) {
            child.end = stop;
        } else {
            if (!placed) /* a message in a digest: nothing of its own stands before it */
                child.start = after_delimiter(tree, from, place->end, boundary);
            child.end = before_delimiter(tree, child.start, place->end, boundary);
        }
        from = child.end;
        g_array_append_val(stack, child);
    }
}

static void
reverse_from(GArray *stack, guint first)
{
    for (guint a = first, b = stack->len; a + 1 < b; a++, b--) {
        struct waiting kept = g_array_index(stack, struct waiting, a);
        g_array_index(stack, struct waiting, a) = g_array_index(stack, struct waiting, b - 1);
        g_array_index(stack, struct waiting, b - 1) = kept;
    }
}

/* Enters one entity and puts its children on the stack, the first one on top. */
static void
enter(struct tree *tree, const struct waiting *waiting, GArray *stack)
{
    GMimeObject *object = waiting->object;
    struct document_part *part = g_new0(struct document_part, 1);
    guint node_flags = waiting->node_flags;
    part->n = tree->parts->len + 1;
    part->parent = waiting->parent;
    part->flags = waiting->part_flags;
    describe(part, object);
    place(tree, part, waiting);
    g_ptr_array_add(tree->parts, part);
    note_structure(tree, object, part, &node_flags);
    g_array_append_val(tree->node_flags, node_flags);

    gboolean has_children = GMIME_IS_MULTIPART(object) || GMIME_IS_MESSAGE_PART(object);
    if (has_children && waiting->depth >= LIMIT_DEPTH) {
        tree_notice(tree, DOCUMENT_LIMITED, "more than %d parts inside one another: the rest is not shown",
                    LIMIT_DEPTH);
        has_children = FALSE;
    }
    if (has_children)
        part->flags |= PART_CONTAINER;
    tree_measure(tree, part);
    if (!has_children)
        return;
    struct waiting child = {.parent = part->n,
                            .depth = waiting->depth + 1,
                            .start = part->offset,
                            .end = part->offset + part->length,
                            .part_flags = part->flags & PART_EMBEDDED,
                            .node_flags = node_flags & NODE_ENCRYPTED};
    guint first = stack->len;
    if (g_str_equal(part->type, "multipart/encrypted"))
        child.node_flags |= NODE_ENCRYPTED;
    if (GMIME_IS_MESSAGE_PART(object))
        push_message(&child, GMIME_MESSAGE_PART(object), stack);
    else
        push_parts(tree, &child, GMIME_MULTIPART(object), g_str_equal(part->type, "multipart/related"),
                   stack);
    reverse_from(stack, first);
}

static gboolean
is_attachment(const struct tree *tree, guint n)
{
    const struct document_part *part = tree_part(tree, n);
    guint node_flags = tree_node_flags(tree, n);
    gboolean attached = g_str_equal(part->disposition, "attachment"), named = *part->filename != '\0';
    gboolean message = g_str_equal(part->type, "message/rfc822") || g_str_equal(part->type, "message/global");
    if (part->flags & PART_CONTAINER && !message)
        return FALSE;
    if (node_flags & NODE_ENCRYPTED || is_signature_type(part->type))
        return FALSE;
    if (node_flags & NODE_CONTROL)
        return attached && named;
    if (node_flags & NODE_RELATED && !attached && *part->cid && g_str_has_prefix(part->type, "image/"))
        return FALSE;
    if (attached || named)
        return TRUE;
    /* one of several forms of the same text is no file; a calendar that stands alone is one */
    gboolean alternative = part->parent && tree_is(tree, part->parent, "multipart/alternative");
    if (g_str_has_prefix(part->type, "text/"))
        return tree_is_data(tree, n) && !alternative;
    return n > 1 || !message;
}

static void
number_attachments(struct tree *tree)
{
    for (guint n = 1; n <= tree->parts->len; n++) {
        struct document_part *part = tree_part(tree, n);
        if (!is_attachment(tree, n))
            continue;
        part->flags |= PART_ATTACHMENT;
        part->number = ++tree->attachments;
        tree->flags |= DOCUMENT_ATTACHMENTS;
    }
}

static void
on_warning(gint64 offset, GMimeParserWarning warning, const char *item, gpointer data)
{
    struct tree *tree = data;
    (void)offset;
    (void)item;
    switch (warning) {
    case GMIME_WARN_TRUNCATED_MESSAGE:
    case GMIME_WARN_MALFORMED_MULTIPART:
        tree_notice(tree, DOCUMENT_BROKEN, "the message is cut short: a part has no end");
        break;
    case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
        tree_notice(tree, DOCUMENT_BROKEN, "a multipart says nothing of where its parts begin");
        break;
    case GMIME_CRIT_NESTING_OVERFLOW:
        tree_notice(tree, DOCUMENT_LIMITED, "more than %d parts inside one another: the rest is not shown",
                    LIMIT_DEPTH);
        break;
    default:
        break;
    }
}

/* bytes must live as long as what is returned. */
static GMimeMessage *
parse(struct tree *tree, GByteArray *bytes)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeParserOptions *options = g_mime_parser_options_new();
    static const char *fallback[] = {"utf-8", "windows-1252", NULL};
    g_mime_parser_options_set_fallback_charsets(options, fallback);
    g_mime_parser_options_set_warning_callback(options, on_warning, tree);
    g_mime_parser_set_persist_stream(parser, TRUE);
    g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
    GMimeMessage *message = g_mime_parser_construct_message(parser, options);
    g_mime_parser_options_free(options);
    g_object_unref(parser);
    g_object_unref(stream);
    return message;
}

/* What stands for a message that GMime makes nothing of. */
static void
enter_fallback(struct tree *tree)
{
    struct document_part *part = g_new0(struct document_part, 1);
    guint none = 0;
    part->n = 1;
    part->type = g_strdup("text/plain");
    part->charset = g_strdup("");
    part->filename = g_strdup("");
    part->disposition = g_strdup("");
    part->encoding = g_strdup("");
    part->cid = g_strdup("");
    part->description = g_strdup("");
    part->inside = g_strdup("");
    part->offset = after_header(tree, 0, tree->length);
    part->length = part->size = tree->length - part->offset;
    g_ptr_array_add(tree->parts, part);
    g_array_append_val(tree->node_flags, none);
}

struct tree *
tree_new(GBytes *message)
{
    struct tree *tree = g_new0(struct tree, 1);
    guint guarded;
    mail_init();
    tree->message = guard_message(message, &guarded);
    tree->bytes = g_bytes_get_data(tree->message, &tree->length);
    if (!tree->bytes)
        tree->bytes = "";
    tree->parts = g_ptr_array_new_with_free_func((GDestroyNotify)document_part_free);
    tree->node_flags = g_array_new(FALSE, FALSE, sizeof(guint));
    tree->notices = g_ptr_array_new_with_free_func(g_free);
    if (guarded & GUARD_PARTS)
        tree_notice(tree, DOCUMENT_LIMITED, "more than %d parts: the rest is not shown", LIMIT_PARTS);
    if (guarded & GUARD_HEADER)
        tree_notice(tree, DOCUMENT_LIMITED, "the header is longer than what is read: its end is left out");
    if (guarded & GUARD_ADDRESS)
        tree_notice(tree, DOCUMENT_LIMITED,
                    "an address field is longer than what is read: its end is left out");

    /* not a copy: the message and all its streams are gone before this function returns */
    GByteArray borrowed = {.data = (guint8 *)tree->bytes, .len = (guint)tree->length};
    GMimeMessage *parsed = parse(tree, &borrowed);
    GMimeObject *root = parsed ? g_mime_message_get_mime_part(parsed) : NULL;
    if (root) {
        g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(struct waiting));
        struct waiting first = {.object = root, .end = tree->length, .is_message = TRUE};
        g_array_append_val(stack, first);
        while (stack->len && tree->parts->len < LIMIT_PARTS) {
            struct waiting next = g_array_index(stack, struct waiting, stack->len - 1);
            g_array_set_size(stack, stack->len - 1);
            enter(tree, &next, stack);
        }
        if (stack->len)
            tree_notice(tree, DOCUMENT_LIMITED, "more than %d parts: the rest is not shown", LIMIT_PARTS);
    } else {
        enter_fallback(tree);
    }
    g_clear_object(&parsed);
    number_attachments(tree);
    return tree;
}

void
tree_free(struct tree *tree)
{
    if (!tree)
        return;
    g_bytes_unref(tree->message);
    g_ptr_array_unref(tree->parts);
    g_array_unref(tree->node_flags);
    g_ptr_array_unref(tree->notices);
    g_free(tree);
}
