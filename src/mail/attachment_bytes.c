/* attachment_bytes.c - what the bytes of an attachment are; archives and office documents are in their own files */
#include "config.h"

#include "mail/attachment_private.h"

#include "base/i18n.h"

#include <string.h>

/* --- reading, within bounds */

guint
span_u16(const struct span *span, gsize at)
{
    return span_has(span, at, 2) ? span->data[at] | (guint)span->data[at + 1] << 8 : 0;
}

guint32
span_u32(const struct span *span, gsize at)
{
    return span_u16(span, at) | (guint32)span_u16(span, at + 2) << 16;
}

guint64
span_u64(const struct span *span, gsize at)
{
    return span_u32(span, at) | (guint64)span_u32(span, at + 4) << 32;
}

gboolean
span_is(const struct span *span, gsize at, const char *bytes, gsize length)
{
    return span_has(span, at, length) && !memcmp(span->data + at, bytes, length);
}

/* --- kinds */

#define IS(span, at, bytes) span_is(span, at, bytes, sizeof(bytes) - 1)

static gboolean
is_dos_program(const struct span *span)
{
    if (!IS(span, 0, "MZ"))
        return FALSE;
    return IS(span, span_u32(span, 0x3c), "PE\0\0") || IS(span, span_u32(span, 0x3c), "NE") ||
           memchr(span->data, 0, MIN(span->length, 64)) != NULL;
}

static gboolean
is_mach(const struct span *span)
{
    return IS(span, 0, "\xfe\xed\xfa\xce") || IS(span, 0, "\xfe\xed\xfa\xcf") || IS(span, 0, "\xce\xfa\xed\xfe") ||
           IS(span, 0, "\xcf\xfa\xed\xfe");
}

/* Only what a reader of mail would open as a page: not every text with a tag in it. */
static gboolean
is_html(const struct span *span)
{
    static const char *const starts[] = {"<!doctype html", "<html", "<script", "<head", "<hta:"};
    gsize at = IS(span, 0, "\xef\xbb\xbf") ? 3 : 0;
    while (at < MIN(span->length, 1024) && g_ascii_isspace((char)span->data[at]))
        at++;
    for (gsize i = 0; i < G_N_ELEMENTS(starts); i++)
        if (span_has(span, at, strlen(starts[i])) &&
            !g_ascii_strncasecmp((const char *)span->data + at, starts[i], strlen(starts[i])))
            return TRUE;
    return FALSE;
}

static gboolean
is_pdf(const struct span *span)
{
    return memmem(span->data, MIN(span->length, 1024), "%PDF-", 5) != NULL;
}

enum kind
kind_of(const struct span *span)
{
    if (is_dos_program(span) || IS(span, 0, "\x7f"
                                            "ELF") ||
        is_mach(span))
        return KIND_PROGRAM;
    if (IS(span, 0, "\x4c\0\0\0\x01\x14\x02\0"))
        return KIND_LINK;
    if (IS(span, 0, "PK\3\4") || IS(span, 0, "PK\5\6"))
        return KIND_ZIP;
    if (IS(span, 0, "Rar!\x1a\7\0") || IS(span, 0, "Rar!\x1a\7\1\0"))
        return KIND_RAR;
    if (IS(span, 0, "7z\xbc\xaf\x27\x1c"))
        return KIND_7Z;
    if (IS(span, 0, "MSCF\0\0\0\0"))
        return KIND_CAB;
    if (IS(span, 0, "\x1f\x8b"))
        return KIND_GZIP;
    if (IS(span, 257, "ustar"))
        return KIND_TAR;
    if (IS(span, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
        return KIND_OLE;
    if (is_pdf(span))
        return KIND_PDF;
    return is_html(span) ? KIND_HTML : KIND_OTHER;
}

gboolean
attachment_wants_all(const char *head, gsize length)
{
    struct span span = {(const guint8 *)head, length};
    enum kind kind = kind_of(&span);
    return kind != KIND_OTHER && kind != KIND_HTML && kind != KIND_PROGRAM && kind != KIND_LINK;
}

/* --- what the name promises */

/* As a set of 1 << kind; 0: anything. The exchange of one picture for another, or of a table's format, is nothing. */
static guint
promised_kinds(const char *name, const char *type)
{
    static const struct {
        const char *extension, *type;
        guint kinds;
    } rows[] = {
        {"pdf", "application/pdf", 1 << KIND_PDF},
        {"jpg", "image/jpeg", 1 << KIND_OTHER},
        {"jpeg", NULL, 1 << KIND_OTHER},
        {"png", "image/png", 1 << KIND_OTHER},
        {"gif", "image/gif", 1 << KIND_OTHER},
        {"txt", NULL, 1 << KIND_OTHER | 1 << KIND_HTML | 1 << KIND_PDF},
        {"mp3", "audio/mpeg", 1 << KIND_OTHER},
        {"mp4", "video/mp4", 1 << KIND_OTHER},
        {"zip", "application/zip", 1 << KIND_ZIP},
    };
    const char *dot = strrchr(name, '.');
    for (gsize i = 0; dot && i < G_N_ELEMENTS(rows); i++)
        if (!g_ascii_strcasecmp(dot + 1, rows[i].extension))
            return rows[i].kinds;
    for (gsize i = 0; !dot && i < G_N_ELEMENTS(rows); i++)
        if (rows[i].type && !strcmp(type, rows[i].type))
            return rows[i].kinds;
    return 0;
}

/* What is written of a kind, of those that are worth a word. */
static const char *
kind_words(enum kind kind)
{
    switch (kind) {
    case KIND_PROGRAM:
        return N_("a program");
    case KIND_LINK:
        return N_("a shortcut that runs something");
    case KIND_ZIP:
    case KIND_RAR:
    case KIND_7Z:
    case KIND_CAB:
        return N_("an archive");
    case KIND_HTML:
        return N_("a web page");
    case KIND_OLE:
        return N_("an office document");
    default:
        return NULL;
    }
}

static guint
compare_type(const char *name, const char *type, enum kind kind, char **inside)
{
    const char *words = kind_words(kind);
    guint promised = promised_kinds(name, type);
    gboolean is_program = kind == KIND_PROGRAM || kind == KIND_LINK;
    if (is_program && (!strchr(name, '.') || attachment_is_program_name(name, FALSE)))
        return ATTACHMENT_PROGRAM;
    if (!words || (!is_program && (!promised || promised & 1u << kind)))
        return 0;
    *inside = g_strdup(words);
    return ATTACHMENT_OTHER_TYPE;
}

/* "/Encrypt 12 0 R" or "/Encrypt<<" of a trailer. */
static gboolean
is_encrypted_pdf(const struct span *span)
{
    const guint8 *p = span->data, *end = span->data + span->length;
    while ((p = memmem(p, (gsize)(end - p), "/Encrypt", 8))) {
        p += 8;
        const guint8 *q = p;
        while (q < end && g_ascii_isspace((char)*q))
            q++;
        if (q < end && ((*q == '<' && q + 1 < end && q[1] == '<') || (q > p && g_ascii_isdigit((char)*q))))
            return TRUE;
    }
    return FALSE;
}

guint
attachment_bytes_marks(const char *name, const char *type, GBytes *content, char **inside)
{
    struct span span;
    *inside = NULL;
    span.data = g_bytes_get_data(content, &span.length);
    if (!span.length)
        return 0;
    enum kind kind = kind_of(&span);
    guint marks = compare_type(name, type, kind, inside);
    g_autofree char *found = NULL;
    switch (kind) {
    case KIND_ZIP:
    case KIND_RAR:
    case KIND_7Z:
    case KIND_CAB:
    case KIND_GZIP:
    case KIND_TAR:
        marks |= archive_marks(&span, kind, &found);
        break;
    case KIND_OLE:
        marks |= ole_marks(&span);
        break;
    case KIND_PDF:
        marks |= is_encrypted_pdf(&span) ? (guint)ATTACHMENT_ENCRYPTED : 0;
        break;
    default:
        break;
    }
    if (found && !*inside)
        *inside = g_steal_pointer(&found);
    return marks;
}
