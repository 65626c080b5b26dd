/* A message being written: plain data from the composer, the command line or a reply, until mail/build.c
 * makes bytes of it.
 *
 * draft.c links without GMime.  The caller owns a draft and may change its fields; strings are its own
 * copies.  Any thread, one at a time. Nothing here checks addresses or looks for line breaks: building does,
 * and names the field (M10). */
#ifndef MAIL_DRAFT_H
#define MAIL_DRAFT_H

#include "mail/address.h"

enum draft_flags {
    DRAFT_FLOWED = 1 << 0,   /* format=flowed; delsp=no: paragraphs are soft-wrapped at 72 columns */
    DRAFT_KEEP_BCC = 1 << 1, /* build with the Bcc field: the copy for Drafts and Sent.  message_without_bcc()
                                makes the wire copy */
    DRAFT_INCOMPLETE = 1 << 2, /* a draft to be kept: no recipient is fine, a From too */
    DRAFT_USER_AGENT = 1 << 3, /* say the program's name (never its version) */
};

/* What the draft is an answer to, so that the store can mark the original when it is sent. */
enum draft_kind { DRAFT_NEW, DRAFT_REPLY, DRAFT_FORWARD, DRAFT_RESENT, DRAFT_EDITED };

enum draft_attachment_flags {
    ATTACH_INLINE = 1 << 0, /* Content-Disposition: inline */
    ATTACH_ENTITY = 1 << 1, /* bytes are a whole MIME entity with its header: copied byte for byte, as
                               forwarding does (0.23) */
};

struct draft_attachment {
    char *path;        /* where bytes come from, or NULL when bytes are set; the caller loads it:
                          draft_load_attachments() */
    GBytes *bytes;     /* NULL until loaded */
    char *name;        /* shown to the recipient; NULL: the last part of path */
    char *type;        /* "application/pdf"; NULL: guessed from the name and the bytes */
    char *description; /* or NULL */
    guint flags;       /* enum draft_attachment_flags */
};

struct draft_header {
    char *name;
    char *value; /* UTF-8, one line */
};

struct draft {
    GPtrArray *from, *sender, *reply_to, *to, *cc, *bcc; /* of struct address; never NULL */
    char *subject;                                       /* never NULL */
    char *body;                                          /* UTF-8, LF line ends; never NULL */
    char *in_reply_to;                                   /* an id without brackets, or NULL */
    GStrv references;                                    /* likewise, never NULL */
    GPtrArray *attachments;                              /* of struct draft_attachment */
    GPtrArray *headers;                                  /* of struct draft_header: extra fields in order */
    gint64 date;                                         /* 0: now, when it is built */
    int zone;                                            /* minutes east of UTC, used when date is set */
    char *message_id;                                    /* without brackets; NULL: made when it is built */
    guint flags;                                         /* enum draft_flags */
    enum draft_kind kind;
    char *source; /* message-id of the message this answers, forwards or edits, or NULL */
};

struct draft *draft_new(void);
struct draft *draft_copy(const struct draft *draft);
void draft_free(struct draft *draft);
typedef struct draft struct_draft;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_draft, draft_free)

void draft_set_subject(struct draft *draft, const char *subject);
void draft_set_body(struct draft *draft, const char *body);
void draft_add_header(struct draft *draft, const char *name, const char *value);
/* Borrowed: an extra header's value or NULL. */
const char *draft_get_header(const struct draft *draft, const char *name);
/* name and type may be NULL; nothing is opened.  Returns the new attachment, borrowed until it is removed
 * from the draft. */
struct draft_attachment *draft_attach_file(struct draft *draft, const char *path, const char *name,
                                           const char *type);
struct draft_attachment *draft_attach_bytes(struct draft *draft, GBytes *bytes, const char *name,
                                            const char *type);
/* A whole message as message/rfc822, byte for byte. */
struct draft_attachment *draft_attach_message(struct draft *draft, GBytes *message, const char *name);
void draft_attachment_free(struct draft_attachment *attachment);

/* Reads every attachment that has a path and no bytes yet; regular files only, at most limit bytes in all.
 * The error names the file. */
gboolean draft_load_attachments(struct draft *draft, guint64 limit, GError **error);

/* Everyone it goes to (To, Cc, Bcc), each address once, normalised. */
GPtrArray *draft_recipients(const struct draft *draft);

/* Everything that building refuses, in the order of the fields, without building: bad addresses, no recipient
 * (unless DRAFT_INCOMPLETE), CR or LF in a field, a header that is the program's own.  The error names the
 * field. */
gboolean draft_check(const struct draft *draft, GError **error);

#define DRAFT_TYPE                                                                                           \
    "(" ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE            \
        ADDRESS_LIST_TYPE "sssasa(ssssumay)a(ss)xisuus)"
GVariant *draft_to_variant(const struct draft *draft);
struct draft *draft_from_variant(GVariant *value, GError **error);

#endif
