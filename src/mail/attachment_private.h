/* For the attachment_*.c alone: bytes within bounds, and the kinds that they are told into */
#ifndef MAIL_ATTACHMENT_PRIVATE_H
#define MAIL_ATTACHMENT_PRIVATE_H

#include "mail/attachment.h"

struct span {
    const guint8 *data;
    gsize length;
};

static inline gboolean
span_has(const struct span *span, guint64 at, guint64 length)
{
    return at <= span->length && length <= span->length - at;
}

/* Little endian; 0 beyond the end. */
guint span_u16(const struct span *span, gsize at);
guint32 span_u32(const struct span *span, gsize at);
guint64 span_u64(const struct span *span, gsize at);
gboolean span_is(const struct span *span, gsize at, const char *bytes, gsize length);

enum kind {
    KIND_OTHER,
    KIND_PROGRAM,
    KIND_LINK, /* a shortcut of Windows */
    KIND_ZIP,
    KIND_RAR,
    KIND_7Z,
    KIND_CAB,
    KIND_GZIP,
    KIND_TAR,
    KIND_OLE, /* what office documents were before they were zip files, and encrypted ones still are */
    KIND_PDF,
    KIND_HTML
};
enum kind kind_of(const struct span *span);

/* *program: a new string, or untouched. */
guint archive_marks(const struct span *span, enum kind kind, char **program);
guint ole_marks(const struct span *span);

#endif
