/* A message that was read: what the reader shows, `show` prints and replies are made from.
 *
 * Plain data, made by mail/parse.c inside the jailed reader and carried over as a GVariant.  This header and
 * document.c know nothing of GMime. The caller owns a document; everything inside it lives as long as it
 * does.  Any thread may read one; nobody writes to one after it was made. All strings are valid UTF-8 without
 * NUL and may hold any other character: text_safe() (or the line drawing of the screen) before they are
 * shown. A document that comes out of document_from_variant is within its own bounds (line offsets, parents,
 * numbers), whoever sent it. */
#ifndef MAIL_DOCUMENT_H
#define MAIL_DOCUMENT_H

#include "mail/address.h"
#include "mail/envelope.h"

enum document_flags {
    DOCUMENT_ATTACHMENTS = 1 << 0, /* at least one part that a person would call an attachment */
    DOCUMENT_SIGNED = 1 << 1, /* multipart/signed, or application/pkcs7-mime signed-data, somewhere: structure
                                 only, nothing was checked */
    DOCUMENT_ENCRYPTED = 1 << 2,        /* multipart/encrypted or pkcs7-mime enveloped-data: structure only */
    DOCUMENT_INLINE_PGP = 1 << 3,       /* a text part holds "-----BEGIN PGP …" */
    DOCUMENT_HTML = 1 << 4,             /* the text was made from HTML */
    DOCUMENT_REMOTE = 1 << 5,           /* the HTML wanted something from the network (it was not fetched) */
    DOCUMENT_HIDDEN_TEXT = 1 << 6,      /* the HTML hid text from the eye; it was left out */
    DOCUMENT_LIMITED = 1 << 7,          /* a limit was hit: see notices */
    DOCUMENT_BROKEN = 1 << 8,           /* structure or encoding is damaged: see notices */
    DOCUMENT_REPORT = 1 << 9,           /* multipart/report: a bounce or a receipt */
    DOCUMENT_CALENDAR = 1 << 10,        /* holds text/calendar */
    DOCUMENT_SUSPICIOUS_LINK = 1 << 11, /* at least one link lies about its host */
    DOCUMENT_FLOWED = 1 << 12,          /* the text came as format=flowed */
};

struct document_header {
    char *name;  /* as written */
    char *raw;   /* as it stands in the message, folding kept (LF), without the final line end; bytes that are
                    not UTF-8 are U+FFFD */
    char *value; /* unfolded, RFC 2047 words decoded, control characters kept */
};

enum part_flags {
    PART_ATTACHMENT = 1 << 0, /* a person would call it an attachment: number says which */
    PART_SHOWN = 1 << 1,      /* its text is in document.text */
    PART_CONTAINER = 1 << 2,  /* multipart/… or message/rfc822: it has children */
    PART_BROKEN = 1 << 3,     /* cut short, or bad base64 */
    PART_EMBEDDED = 1 << 4,   /* lies inside a message/rfc822 */
};

/* Parts are numbered as notmuch does and mutt's `v` shows them: depth first, containers too, the outermost
 * is 1. */
struct document_part {
    guint n;               /* 1, 2, … : its place in the array plus one */
    guint parent;          /* n of the container, 0 for the outermost; always less than n */
    guint number;          /* 1, 2, … among the attachments: the [1] of the Files line; 0 when it is none */
    guint flags;           /* enum part_flags */
    char *type;            /* "text/plain", lower case; never empty */
    char *charset;         /* as declared, lower case, or "" */
    char *filename;        /* cleaned: a name that can be created in a directory (M7), or "" */
    char *disposition;     /* "inline", "attachment", or "" */
    char *encoding;        /* "7bit", "8bit", "binary", "quoted-printable", "base64", "x-uuencode", or "" */
    char *cid;             /* Content-ID without brackets, or "" */
    char *description;     /* Content-Description, or "" */
    char *inside;          /* of attachment.h: what the marks are about, or "" */
    guint marks;           /* enum attachment_mark; of the name alone when no text was wanted */
    guint64 size;          /* bytes after decoding; for a container, bytes of its content as it stands */
    guint64 header_offset; /* where its MIME header begins in the message bytes that were given … */
    guint64 offset;        /* … where its content begins … */
    guint64 length;        /* … and the length of that content, still encoded */
};

enum line_flags {
    LINE_SIGNATURE = 1 << 0, /* the "-- " line and what follows it */
    LINE_HEADING = 1 << 1,
    LINE_FIXED = 1 << 2, /* table, preformatted: do not wrap at words */
    LINE_RULE = 1 << 3,
    LINE_PART = 1 << 4,  /* a line of ours between two parts, or the header of a message inside */
    LINE_LINKS = 1 << 5, /* the list of links at the end */
    LINE_ITEM = 1 << 6,  /* begins a list item: continuation lines may hang */
};

/* One logical line of text; the screen wraps it.  depth is the number of quote marks it begins with. */
struct document_line {
    guint32 offset; /* of its first byte in text */
    guint32 length; /* bytes, without the LF */
    guint16 depth;
    guint16 flags; /* enum line_flags */
};

struct document_link {
    guint number;   /* what a person types: continues after the attachments, so one number names one thing */
    guint32 offset; /* where it stands in text: "[3]" for HTML, the address itself in plain text */
    guint32 length;
    gboolean suspicious;
    char *url;
    char *text;   /* what the message shows for it; "" when that is the address itself */
    char *reason; /* why it is suspicious or worth a word, a sentence; "" otherwise */
    guint marks;  /* enum link_mark (link.h) */
};

struct document {
    guint flags;               /* enum document_flags */
    struct envelope *envelope; /* from, to, cc, …, subject, date, zone, message_id, in_reply_to, references,
                                  list_id; never NULL */
    GPtrArray *headers;        /* of struct document_header, all of the outermost message, in order */
    GPtrArray *parts;          /* of struct document_part, never empty */
    char *text;                /* the readable text exactly as the reader shows it; every line ends with LF */
    char *preview;    /* about 200 characters on one line, quotes and greetings of machines left out */
    GArray *lines;    /* of struct document_line, covering text */
    GPtrArray *links; /* of struct document_link */
    GStrv notices;    /* sentences: limits hit, unknown charset, damaged structure; never NULL */
};

struct document *document_new(void);
void document_free(struct document *document);
typedef struct document struct_document;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_document, document_free)

/* Borrowed: the decoded value of the first (or nth, from 0) field of that name, any case; NULL when there is
 * none. */
const char *document_header(const struct document *document, const char *name);
const char *document_header_nth(const struct document *document, const char *name, guint nth);
/* Borrowed; n counts from 1; NULL when there is none. */
const struct document_part *document_part(const struct document *document, guint n);
/* The part behind attachment [number], or NULL. */
const struct document_part *document_attachment(const struct document *document, guint number);
const struct document_link *document_link_numbered(const struct document *document, guint number);

/* The name to save a part under: its own, else "part-N" with an extension for its type.  Safe to create in a
 * directory (text_file_name). */
char *document_part_filename(const struct document_part *part);

void document_part_free(struct document_part *part);

#define PART_TYPE "(uuussssssssutttt)"
GVariant *document_part_to_variant(const struct document_part *part);
/* value must have PART_TYPE. */
struct document_part *document_part_from_variant(GVariant *value, guint n);

#define DOCUMENT_TYPE "(u" ENVELOPE_TYPE "a(sss)a" PART_TYPE "ssa(uuqq)a(uuubsssu)as)"
GVariant *document_to_variant(const struct document *document);
/* value must have DOCUMENT_TYPE and be in normal form.  NULL with an error when its parts contradict one
 * another. */
struct document *document_from_variant(GVariant *value, GError **error);

#endif
