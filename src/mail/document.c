#include "config.h"

#include "mail/document.h"

#include "base/error.h"
#include "base/text.h"
#include "mail/mimetype.h"

#include <string.h>

#define HEADER_FORMAT "(sss)"
#define PART_FORMAT "(uuussssssssutttt)"
#define LINE_FORMAT "(uuqq)"
G_STATIC_ASSERT(sizeof(struct document_line) == 12); /* as GVariant lays it out */
#define LINK_FORMAT "(uuubsssu)"

static G_DEFINE_QUARK(postrider_document_error, document_error)

    static void header_free(struct document_header *header)
{
    g_free(header->name);
    g_free(header->raw);
    g_free(header->value);
    g_free(header);
}

static void
link_free(struct document_link *link)
{
    g_free(link->url);
    g_free(link->text);
    g_free(link->reason);
    g_free(link);
}

void
document_part_free(struct document_part *part)
{
    if (!part)
        return;
    g_free(part->type);
    g_free(part->charset);
    g_free(part->filename);
    g_free(part->disposition);
    g_free(part->encoding);
    g_free(part->cid);
    g_free(part->description);
    g_free(part->inside);
    g_free(part);
}

struct document *
document_new(void)
{
    struct document *document = g_new0(struct document, 1);
    document->envelope = envelope_new();
    document->headers = g_ptr_array_new_with_free_func((GDestroyNotify)header_free);
    document->parts = g_ptr_array_new_with_free_func((GDestroyNotify)document_part_free);
    document->lines = g_array_new(FALSE, FALSE, sizeof(struct document_line));
    document->links = g_ptr_array_new_with_free_func((GDestroyNotify)link_free);
    document->text = g_strdup("");
    document->preview = g_strdup("");
    document->notices = g_new0(char *, 1);
    return document;
}

void
document_free(struct document *document)
{
    if (!document)
        return;
    envelope_free(document->envelope);
    g_ptr_array_unref(document->headers);
    g_ptr_array_unref(document->parts);
    g_array_unref(document->lines);
    g_ptr_array_unref(document->links);
    g_free(document->text);
    g_free(document->preview);
    g_strfreev(document->notices);
    g_free(document);
}

const char *
document_header_nth(const struct document *document, const char *name, guint nth)
{
    for (guint i = 0; i < document->headers->len; i++) {
        const struct document_header *header = document->headers->pdata[i];
        if (g_ascii_strcasecmp(header->name, name) == 0 && nth-- == 0)
            return header->value;
    }
    return NULL;
}

const char *
document_header(const struct document *document, const char *name)
{
    return document_header_nth(document, name, 0);
}

const struct document_part *
document_part(const struct document *document, guint n)
{
    return n >= 1 && n <= document->parts->len ? document->parts->pdata[n - 1] : NULL;
}

const struct document_part *
document_attachment(const struct document *document, guint number)
{
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        if (number && part->number == number)
            return part;
    }
    return NULL;
}

const struct document_link *
document_link_numbered(const struct document *document, guint number)
{
    for (guint i = 0; i < document->links->len; i++) {
        const struct document_link *link = document->links->pdata[i];
        if (link->number == number)
            return link;
    }
    return NULL;
}

char *
document_part_filename(const struct document_part *part)
{
    if (*part->filename)
        return text_file_name(part->filename);
    return g_strdup_printf("part-%u.%s", part->n, mimetype_extension(part->type));
}

/* --- carried --- */

GVariant *
document_part_to_variant(const struct document_part *part)
{
    return g_variant_new(PART_FORMAT, part->parent, part->number, part->flags, part->type, part->charset,
                         part->filename, part->disposition, part->encoding, part->cid, part->description,
                         part->inside, part->marks, part->size, part->header_offset, part->offset, part->length);
}

struct document_part *
document_part_from_variant(GVariant *value, guint n)
{
    struct document_part *part = g_new0(struct document_part, 1);
    part->n = n;
    g_variant_get(value, PART_FORMAT, &part->parent, &part->number, &part->flags, &part->type, &part->charset,
                  &part->filename, &part->disposition, &part->encoding, &part->cid, &part->description,
                  &part->inside, &part->marks, &part->size, &part->header_offset, &part->offset, &part->length);
    return part;
}

GVariant *
document_to_variant(const struct document *document)
{
    GVariantBuilder headers, parts, links;
    /* a long text has a million lines: as one block, not value by value */
    GVariant *lines = g_variant_new_fixed_array(G_VARIANT_TYPE(LINE_FORMAT), document->lines->data,
                                                document->lines->len, sizeof(struct document_line));
    g_variant_builder_init(&headers, G_VARIANT_TYPE("a" HEADER_FORMAT));
    for (guint i = 0; i < document->headers->len; i++) {
        const struct document_header *header = document->headers->pdata[i];
        /* most fields read as they are written: sent once */
        g_variant_builder_add(&headers, HEADER_FORMAT, header->name,
                              g_str_equal(header->raw, header->value) ? "" : header->raw, header->value);
    }
    g_variant_builder_init(&parts, G_VARIANT_TYPE("a" PART_FORMAT));
    for (guint i = 0; i < document->parts->len; i++)
        g_variant_builder_add_value(&parts, document_part_to_variant(document->parts->pdata[i]));
    g_variant_builder_init(&links, G_VARIANT_TYPE("a" LINK_FORMAT));
    for (guint i = 0; i < document->links->len; i++) {
        const struct document_link *link = document->links->pdata[i];
        g_variant_builder_add(&links, LINK_FORMAT, link->number, link->offset, link->length, link->suspicious,
                              link->url, link->text, link->reason, link->marks);
    }
    return g_variant_new("(u@" ENVELOPE_TYPE "a" HEADER_FORMAT "a" PART_FORMAT "ss@a" LINE_FORMAT
                         "a" LINK_FORMAT "^as)",
                         document->flags, envelope_to_variant(document->envelope), &headers, &parts,
                         document->text, document->preview, lines, &links, document->notices);
}

static gboolean
fail(GError **error, const char *what)
{
    g_set_error(error, document_error_quark(), ERROR_SKIP, "the reader's answer contradicts itself: %s",
                what);
    return FALSE;
}

static void
headers_from_variant(struct document *document, GVariant *value)
{
    GVariantIter iter;
    char *name, *raw, *text;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, HEADER_FORMAT, &name, &raw, &text)) {
        struct document_header *header = g_new0(struct document_header, 1);
        header->name = name;
        header->value = text;
        if (!*raw) {
            g_free(raw);
            raw = g_strdup(text);
        }
        header->raw = raw;
        g_ptr_array_add(document->headers, header);
    }
}

static gboolean
parts_from_variant(struct document *document, GVariant *value, GError **error)
{
    gsize count = g_variant_n_children(value);
    if (count == 0)
        return fail(error, "no part");
    for (gsize i = 0; i < count; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
        struct document_part *part = document_part_from_variant(child, (guint)i + 1);
        g_ptr_array_add(document->parts, part);
        if (part->parent > i || (part->parent == 0 && i > 0))
            return fail(error, "the parent of a part");
        if (!*part->type)
            return fail(error, "a part without a type");
    }
    return TRUE;
}

static gboolean
lines_from_variant(struct document *document, GVariant *value, GError **error)
{
    gsize length = strlen(document->text), end = 0, count;
    const struct document_line *lines = g_variant_get_fixed_array(value, &count, sizeof *lines);
    for (gsize i = 0; i < count; i++) {
        const struct document_line *line = &lines[i];
        if (line->offset != end || line->length > length - line->offset)
            return fail(error, "the place of a line");
        end = (gsize)line->offset + line->length;
        if (document->text[end] != '\n')
            return fail(error, "the end of a line");
        end++;
    }
    if (count)
        g_array_append_vals(document->lines, lines, (guint)count);
    return end == length || fail(error, "text without a line");
}

static gboolean
is_boundary(const char *text, gsize offset)
{
    return ((guchar)text[offset] & 0xc0) != 0x80;
}

static gboolean
links_from_variant(struct document *document, GVariant *value, GError **error)
{
    gsize length = strlen(document->text);
    GVariantIter iter;
    struct document_link got;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, LINK_FORMAT, &got.number, &got.offset, &got.length, &got.suspicious,
                               &got.url, &got.text, &got.reason, &got.marks)) {
        g_ptr_array_add(document->links, g_memdup2(&got, sizeof got));
        if (got.offset > length || got.length > length - got.offset ||
            !is_boundary(document->text, got.offset) || !is_boundary(document->text, got.offset + got.length))
            return fail(error, "the place of a link");
    }
    return TRUE;
}

struct document *
document_from_variant(GVariant *value, GError **error)
{
    g_autoptr(struct_document) document = document_new();
    g_autoptr(GVariant) envelope = NULL, headers = NULL, parts = NULL, lines = NULL, links = NULL;
    envelope_free(document->envelope);
    g_free(document->text);
    g_free(document->preview);
    g_strfreev(document->notices);
    g_variant_get(value,
                  "(u@" ENVELOPE_TYPE "@a" HEADER_FORMAT "@a" PART_FORMAT "ss@a" LINE_FORMAT "@a" LINK_FORMAT
                  "^as)",
                  &document->flags, &envelope, &headers, &parts, &document->text, &document->preview, &lines,
                  &links, &document->notices);
    document->envelope = envelope_from_variant(envelope);
    headers_from_variant(document, headers);
    if (!parts_from_variant(document, parts, error) || !lines_from_variant(document, lines, error) ||
        !links_from_variant(document, links, error))
        return NULL;
    return g_steal_pointer(&document);
}
