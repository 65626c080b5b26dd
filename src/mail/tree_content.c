#include "config.h"

#include "mail/tree.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/html.h"

#include <gmime/gmime.h>
#include <string.h>

static GMimeContentEncoding
encoding_of(const struct document_part *part)
{
    return *part->encoding ? g_mime_content_encoding_from_string(part->encoding)
                           : GMIME_CONTENT_ENCODING_DEFAULT;
}

/* --- sizes --- */

static guint64
base64_size(const char *p, gsize length, gboolean *broken)
{
    guint64 digits = 0;
    for (const char *end = p + length; p < end; p++) {
        if (g_ascii_isalnum(*p) || *p == '+' || *p == '/')
            digits++;
        else if (*p == '=')
            break;
        else if (!g_ascii_isspace(*p))
            *broken = TRUE;
    }
    return digits * 3 / 4;
}

static guint64
quoted_printable_size(const char *p, gsize length)
{
    guint64 size = 0;
    for (const char *end = p + length; p < end; p++) {
        if (*p == '=' && end - p > 2 && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2]))
            p += 2;
        else if (*p == '=' && end - p > 1 && (p[1] == '\n' || p[1] == '\r')) {
            p += p[1] == '\r' && end - p > 2 && p[2] == '\n' ? 2 : 1;
            continue;
        }
        size++;
    }
    return size;
}

void
tree_measure(struct tree *tree, struct document_part *part)
{
    gboolean broken = FALSE;
    const char *content = tree->bytes + part->offset;
    part->size = part->length;
    if (part->flags & PART_CONTAINER)
        return;
    switch (encoding_of(part)) {
    case GMIME_CONTENT_ENCODING_BASE64:
        part->size = base64_size(content, part->length, &broken);
        break;
    case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
        part->size = quoted_printable_size(content, part->length);
        break;
    case GMIME_CONTENT_ENCODING_UUENCODE: {
        g_autoptr(GBytes) decoded = tree_content(tree, part->n, 0);
        part->size = g_bytes_get_size(decoded);
        break;
    }
    default:
        break;
    }
    if (broken) {
        part->flags |= PART_BROKEN;
        tree_notice(tree, DOCUMENT_BROKEN, "part %u has damaged base64 text", part->n);
    }
}

/* --- content --- */

/* GMime decodes uuencoded lines, and takes "begin 644 name" for one. */
static const char *
after_begin(const char *content, gsize *length)
{
    const char *end = content + *length;
    for (const char *line = content; line < end;) {
        const char *lf = memchr(line, '\n', (gsize)(end - line));
        const char *next = lf ? lf + 1 : end;
        if (next - line > 6 && memcmp(line, "begin ", 6) == 0) {
            *length = (gsize)(end - next);
            return next;
        }
        line = next;
    }
    return content;
}

GBytes *
tree_content(const struct tree *tree, guint n, gsize limit)
{
    const struct document_part *part = tree_part(tree, n);
    gsize length = limit && part->length > limit ? limit : part->length;
    GMimeContentEncoding encoding =
        part->flags & PART_CONTAINER ? GMIME_CONTENT_ENCODING_DEFAULT : encoding_of(part);
    switch (encoding) {
    case GMIME_CONTENT_ENCODING_BASE64:
    case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
    case GMIME_CONTENT_ENCODING_UUENCODE: {
        GMimeEncoding state;
        const char *content = tree->bytes + part->offset;
        if (encoding == GMIME_CONTENT_ENCODING_UUENCODE)
            content = after_begin(content, &length);
        g_mime_encoding_init_decode(&state, encoding);
        char *out = g_malloc(g_mime_encoding_outlen(&state, length) + 16);
        gsize got = g_mime_encoding_flush(&state, content, length, out);
        return g_bytes_new_take(g_realloc(out, MAX(got, 1)), got);
    }
    default:
        return g_bytes_new_from_bytes(tree->message, part->offset, length);
    }
}

/* The label that a text part goes by; HTML may name one itself. */
static char *
label_of(const struct document_part *part, const char *bytes, gsize length)
{
    if (!*part->charset && g_str_equal(part->type, "text/html"))
        return html_meta_charset(bytes, length);
    return g_strdup(part->charset);
}

char *
tree_text(struct tree *tree, guint n, gsize limit)
{
    struct document_part *part = tree_part(tree, n);
    g_autoptr(GBytes) content = tree_content(tree, n, limit);
    gsize length;
    guint flags;
    const char *bytes = g_bytes_get_data(content, &length);
    g_autofree char *label = length ? label_of(part, bytes, length) : NULL;
    char *text = charset_to_utf8(length ? bytes : "", length, label, &flags);
    if (flags & CHARSET_UNKNOWN) {
        g_autofree char *safe = text_safe(label, -1, TEXT_LINE);
        tree_notice(tree, 0,
                    "part %u is in the charset \"%.60s\", which is not known: it was taken for another one",
                    n, safe);
    }
    if (flags & CHARSET_DAMAGED)
        tree_notice(tree, 0, "part %u has bytes that its charset does not have", n);
    return text;
}
