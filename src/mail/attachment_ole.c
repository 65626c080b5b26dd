/* attachment_ole.c - macros and locks of compound files ([MS-CFB]): what office documents were before 2007 */
#include "config.h"

#include "mail/attachment_private.h"

#include <string.h>

#define SECTORS_MAX 4096 /* of the directory: 32,000 entries */
#define END_OF_CHAIN 0xfffffffeu
#define ENTRY 128

struct compound {
    const struct span *span;
    guint shift; /* a sector is 1 << shift bytes */
};

static gsize
sector_at(const struct compound *file, guint32 sector)
{
    return ((gsize)sector + 1) << file->shift;
}

/* The sector behind this one. The first 109 sectors of the table are named in the header, which is 7 MB of small
 * sectors; the directory of a larger file stands before them, or is not read to its end. */
static guint32
next_sector(const struct compound *file, guint32 sector)
{
    guint32 per_sector = 1u << (file->shift - 2), table = sector / per_sector;
    if (table >= 109)
        return END_OF_CHAIN;
    guint32 where = span_u32(file->span, 76 + 4 * (gsize)table);
    gsize at = sector_at(file, where) + 4 * (gsize)(sector % per_sector);
    return span_has(file->span, at, 4) ? span_u32(file->span, at) : END_OF_CHAIN;
}

/* Names are UTF-16; all that is looked for is ASCII. */
static void
entry_name(const struct span *span, gsize at, char name[33])
{
    guint length = MIN(span_u16(span, at + 64), 64) / 2;
    for (guint i = 0; i < 32; i++)
        name[i] = i < length && !span->data[at + 2 * i + 1] ? (char)span->data[at + 2 * i] : '\0';
    name[32] = '\0';
}

/* fEncrypted of the FIB; a record FILEPASS near the beginning of a workbook. */
static gboolean
stream_is_locked(const struct compound *file, const char *name, gsize entry)
{
    gsize at = sector_at(file, span_u32(file->span, entry + 116));
    if (!strcmp(name, "WordDocument"))
        return span_u16(file->span, at) == 0xa5ec && span_u16(file->span, at + 10) & 0x0100;
    for (guint i = 0; i < 8 && span_has(file->span, at, 4); i++) {
        if (i == 0 && span_u16(file->span, at) != 0x0809)
            return FALSE;
        if (span_u16(file->span, at) == 0x002f)
            return TRUE;
        at += 4 + span_u16(file->span, at + 2);
    }
    return FALSE;
}

static guint
entry_marks(const struct compound *file, gsize at)
{
    char name[33];
    entry_name(file->span, at, name);
    if (!strcmp(name, "VBA") || !strcmp(name, "_VBA_PROJECT") || !strcmp(name, "_VBA_PROJECT_CUR"))
        return ATTACHMENT_MACROS;
    if (!strcmp(name, "EncryptedPackage"))
        return ATTACHMENT_ENCRYPTED;
    if (!strcmp(name, "WordDocument") || !strcmp(name, "Workbook") || !strcmp(name, "Book"))
        return stream_is_locked(file, name, at) ? (guint)ATTACHMENT_ENCRYPTED : 0;
    return 0;
}

guint
ole_marks(const struct span *span)
{
    struct compound file = {span, span_u16(span, 30)};
    guint marks = 0;
    if (file.shift < 7 || file.shift > 16)
        return 0;
    guint32 sector = span_u32(span, 48);
    for (guint n = 0; n < SECTORS_MAX && sector < END_OF_CHAIN; n++) {
        gsize at = sector_at(&file, sector), size = (gsize)1 << file.shift;
        if (!span_has(span, at, size))
            break;
        for (gsize entry = at; entry + ENTRY <= at + size; entry += ENTRY)
            marks |= entry_marks(&file, entry);
        sector = next_sector(&file, sector);
    }
    return marks;
}
