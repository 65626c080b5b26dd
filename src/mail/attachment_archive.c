/* attachment_archive.c - the lists of names of archives
 *
 * Nothing is unpacked. A list that contradicts itself ends there; what was seen before it counts.
 */
#include "config.h"

#include "mail/attachment_private.h"

#include "mail/charset.h"

#include <string.h>

#define ENTRIES_MAX 20000
#define NAME_MAX_BYTES 1024
#define HEADER_MAX (1024 * 1024) /* of 7z: bytes that are looked through */

struct listing {
    guint marks;
    guint entries;
    char *program;
};

static void
take_name(struct listing *listing, const char *bytes, gsize length)
{
    static const char *const macros[] = {"vbaProject.bin", "xl/macrosheets/"};
    g_autofree char *name = charset_to_utf8(bytes, MIN(length, NAME_MAX_BYTES), NULL, NULL);
    listing->entries++;
    for (gsize i = 0; i < G_N_ELEMENTS(macros); i++)
        if (strstr(name, macros[i]))
            listing->marks |= ATTACHMENT_MACROS;
    /* LibreOffice: Basic/Library/Module.xml; the two lists of libraries are there without any */
    if (g_str_has_prefix(name, "Basic/") && g_str_has_suffix(name, ".xml") && !strstr(name, "script-l"))
        listing->marks |= ATTACHMENT_MACROS;
    if (!attachment_is_program_name(name, TRUE))
        return;
    listing->marks |= ATTACHMENT_HOLDS_PROGRAM;
    if (listing->program)
        return;
    const char *last = strrchr(name, '/');
    last = last ? last + 1 : name;
    gsize n = strlen(last);
    while (n > ATTACHMENT_INSIDE) /* the end is what counts */
        n -= (gsize)(g_utf8_next_char(last) - last), last = g_utf8_next_char(last);
    listing->program = g_strdup(last);
}

/* --- zip (APPNOTE.TXT 4.3) */

#define ZIP_END "PK\5\6"
#define ZIP_CENTRAL "PK\1\2"
#define ZIP_LOCAL "PK\3\4"

static gsize
find_zip_end(const struct span *span)
{
    gsize least = span->length > 65557 ? span->length - 65557 : 0;
    for (gsize at = span->length; at >= least + 22; at--)
        if (span_is(span, at - 22, ZIP_END, 4))
            return at - 22;
    return G_MAXSIZE;
}

static void
take_zip_entry(struct listing *listing, const struct span *span, gsize at, gsize flags_at, gsize name_at, guint name_length)
{
    if (!span_has(span, name_at, name_length))
        return;
    gboolean is_folder = name_length && span->data[name_at + name_length - 1] == '/';
    if (!is_folder && span_u16(span, at + flags_at) & 1)
        listing->marks |= ATTACHMENT_LOCKED;
    take_name(listing, (const char *)span->data + name_at, name_length);
}

/* The list at the end; FALSE: there is none to be read. */
static gboolean
list_zip_central(struct listing *listing, const struct span *span)
{
    gsize end = find_zip_end(span);
    if (end == G_MAXSIZE)
        return FALSE;
    guint64 size = span_u32(span, end + 12), offset = span_u32(span, end + 16);
    /* bytes may stand before the archive; in zip64 both numbers stand elsewhere */
    gsize at = size <= end ? end - (gsize)size : (gsize)offset;
    if (!span_is(span, at, ZIP_CENTRAL, 4))
        at = (gsize)offset;
    if (!span_is(span, at, ZIP_CENTRAL, 4))
        return FALSE;
    while (listing->entries < ENTRIES_MAX && span_is(span, at, ZIP_CENTRAL, 4)) {
        guint name = span_u16(span, at + 28), extra = span_u16(span, at + 30), comment = span_u16(span, at + 32);
        take_zip_entry(listing, span, at, 8, at + 46, name);
        at += 46 + (gsize)name + extra + comment;
    }
    return TRUE;
}

/* The entries themselves: of a file that was cut, or that has two lists. */
static void
list_zip_local(struct listing *listing, const struct span *span)
{
    gsize at = 0;
    while (listing->entries < ENTRIES_MAX && span_is(span, at, ZIP_LOCAL, 4)) {
        guint name = span_u16(span, at + 26), extra = span_u16(span, at + 28);
        guint64 packed = span_u32(span, at + 18);
        take_zip_entry(listing, span, at, 6, at + 30, name);
        if (span_u16(span, at + 6) & 8 || packed == G_MAXUINT32 || !span_has(span, at + 30 + name + extra, packed))
            return; /* the size comes behind it, or elsewhere */
        at += 30 + name + extra + packed;
    }
}

static void
list_zip(struct listing *listing, const struct span *span)
{
    if (!list_zip_central(listing, span))
        list_zip_local(listing, span);
}

/* --- rar */

static void
list_rar4(struct listing *listing, const struct span *span)
{
    gsize at = 7;
    while (listing->entries < ENTRIES_MAX && span_has(span, at, 7)) {
        guint type = span->data[at + 2], flags = span_u16(span, at + 3), size = span_u16(span, at + 5);
        guint64 data = flags & 0x8000 || type == 0x74 ? span_u32(span, at + 7) : 0;
        if (size < 7)
            return;
        if (type == 0x73 && flags & 0x80) { /* even the names */
            listing->marks |= ATTACHMENT_LOCKED;
            return;
        }
        if (type == 0x74) {
            gsize name_at = at + (flags & 0x100 ? 40 : 32);
            guint name = span_u16(span, at + 26);
            if (flags & 4)
                listing->marks |= ATTACHMENT_LOCKED;
            if (flags & 0x100)
                data |= (guint64)span_u32(span, at + 32) << 32;
            if (!span_has(span, name_at, name))
                return;
            /* with 0x200 the name is followed by a NUL and its other form */
            take_name(listing, (const char *)span->data + name_at, strnlen((const char *)span->data + name_at, name));
        }
        if (!span_has(span, at + size, data))
            return;
        at += size + (gsize)data;
    }
}

/* Seven bits a byte, the lowest first. */
static gboolean
read_vint(const struct span *span, gsize *at, guint64 *value)
{
    *value = 0;
    for (guint shift = 0; shift < 63 && span_has(span, *at, 1); shift += 7) {
        guint8 byte = span->data[(*at)++];
        *value |= (guint64)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return TRUE;
    }
    return FALSE;
}

/* The record of encryption among those behind a file's header. */
static gboolean
extra_is_encryption(const struct span *span, gsize at, gsize end)
{
    for (guint n = 0; n < 32 && at < end; n++) {
        guint64 size, type;
        if (!read_vint(span, &at, &size))
            return FALSE;
        gsize record = at;
        if (!read_vint(span, &record, &type) || size > end - at)
            return FALSE;
        if (type == 1)
            return TRUE;
        at += (gsize)size;
    }
    return FALSE;
}

static gboolean
take_rar5_file(struct listing *listing, const struct span *span, gsize at)
{
    guint64 flags, unused, name;
    if (!read_vint(span, &at, &flags) || !read_vint(span, &at, &unused) || !read_vint(span, &at, &unused))
        return FALSE;
    at += (flags & 2 ? 4 : 0) + (flags & 4 ? 4 : 0);
    if (!read_vint(span, &at, &unused) || !read_vint(span, &at, &unused) || !read_vint(span, &at, &name) ||
        !span_has(span, at, name))
        return FALSE;
    take_name(listing, (const char *)span->data + at, (gsize)name);
    return TRUE;
}

static void
list_rar5(struct listing *listing, const struct span *span)
{
    gsize at = 8;
    for (guint n = 0; n < ENTRIES_MAX; n++) {
        guint64 size, type, flags, extra = 0, data = 0;
        at += 4; /* checksum */
        if (!read_vint(span, &at, &size) || !size || !span_has(span, at, size))
            return;
        gsize end = at + (gsize)size;
        if (!read_vint(span, &at, &type) || !read_vint(span, &at, &flags) ||
            (flags & 1 && !read_vint(span, &at, &extra)) || (flags & 2 && !read_vint(span, &at, &data)))
            return;
        if (type == 4) { /* everything behind it */
            listing->marks |= ATTACHMENT_LOCKED;
            return;
        }
        if (type == 2) {
            if (extra <= end - MIN(at, end) && extra_is_encryption(span, end - (gsize)extra, end))
                listing->marks |= ATTACHMENT_LOCKED;
            if (!take_rar5_file(listing, span, at))
                return;
        }
        if (type == 5 || !span_has(span, end, data))
            return;
        at = end + (gsize)data;
    }
}

/* --- 7z (7zFormat.txt): the list is at the end, and mostly packed itself; then only a lock can be seen, and only when
 * it is on the list too */

/* The names, UTF-16 each with its NUL, of a property 0x11 that is not packed. */
static void
list_7z_names(struct listing *listing, const struct span *header)
{
    for (gsize at = 0; at + 4 < header->length; at++) {
        if (header->data[at] != 0x11)
            continue;
        /* Its size is a number of one or two bytes here: longer lists are packed. */
        gsize names = header->data[at + 1] & 0x80 ? at + 3 : at + 2;
        gsize size = header->data[at + 1] & 0x80 ? (gsize)(header->data[at + 1] & 0x3f) << 8 | header->data[at + 2]
                                                 : header->data[at + 1];
        if (size < 3 || !span_has(header, names, size) || header->data[names] != 0 || size % 2 == 0 ||
            header->data[names + size - 1] || header->data[names + size - 2])
            continue;
        g_autoptr(GString) name = g_string_new(NULL);
        for (gsize i = names + 1; i + 1 < names + size && listing->entries < ENTRIES_MAX; i += 2) {
            gunichar c = span_u16(header, i);
            if (!c) {
                take_name(listing, name->str, name->len);
                g_string_truncate(name, 0);
            } else {
                g_string_append_unichar(name, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
            }
        }
        return;
    }
}

static void
list_7z(struct listing *listing, const struct span *span)
{
    guint64 offset = span_u64(span, 12), size = span_u64(span, 20);
    if (offset > span->length || !span_has(span, 32 + offset, size))
        return;
    struct span header = {span->data + 32 + offset, (gsize)MIN(size, HEADER_MAX)};
    if (memmem(header.data, header.length, "\x06\xf1\x07\x01", 4)) /* AES */
        listing->marks |= ATTACHMENT_LOCKED;
    if (header.length && header.data[0] == 1)
        list_7z_names(listing, &header);
}

/* --- the others */

static void
list_cab(struct listing *listing, const struct span *span)
{
    gsize at = span_u32(span, 16);
    guint files = span_u16(span, 28);
    for (guint i = 0; i < files && span_has(span, at, 17); i++) {
        const char *name = (const char *)span->data + at + 16;
        gsize length = strnlen(name, MIN(span->length - at - 16, NAME_MAX_BYTES));
        take_name(listing, name, length);
        at += 16 + length + 1;
    }
}

static void
list_gzip(struct listing *listing, const struct span *span)
{
    gsize at = 10;
    if (!span_has(span, 0, 10) || !(span->data[3] & 8))
        return;
    if (span->data[3] & 4)
        at += 2 + span_u16(span, 10);
    if (span_has(span, at, 1))
        take_name(listing, (const char *)span->data + at,
                  strnlen((const char *)span->data + at, MIN(span->length - at, NAME_MAX_BYTES)));
}

static void
list_tar(struct listing *listing, const struct span *span)
{
    gsize at = 0;
    while (listing->entries < ENTRIES_MAX && span_is(span, at + 257, "ustar", 5)) {
        char octal[13] = "";
        memcpy(octal, span->data + at + 124, 12);
        guint64 size = octal[0] & 0x80 ? G_MAXUINT32 : g_ascii_strtoull(octal, NULL, 8);
        take_name(listing, (const char *)span->data + at, strnlen((const char *)span->data + at, 100));
        if (!span_has(span, at + 512, size))
            return;
        at += 512 + ((gsize)size + 511) / 512 * 512;
    }
}

guint
archive_marks(const struct span *span, enum kind kind, char **program)
{
    struct listing listing = {0, 0, NULL};
    if (kind == KIND_ZIP)
        list_zip(&listing, span);
    else if (kind == KIND_RAR && span->data[6])
        list_rar5(&listing, span);
    else if (kind == KIND_RAR)
        list_rar4(&listing, span);
    else if (kind == KIND_7Z)
        list_7z(&listing, span);
    else if (kind == KIND_CAB)
        list_cab(&listing, span);
    else if (kind == KIND_GZIP)
        list_gzip(&listing, span);
    else if (kind == KIND_TAR)
        list_tar(&listing, span);
    if (listing.program)
        *program = listing.program;
    return listing.marks;
}
