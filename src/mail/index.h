/* What a message gives to the list and to the full-text index, in one reading.
 *
 * Plain data; made by the reader (mail/reader.h).  The caller owns it.  Any thread.  Text is valid UTF-8 and
 * unsafe for a terminal. */
#ifndef MAIL_INDEX_H
#define MAIL_INDEX_H

#include "mail/envelope.h"

struct message_index {
    struct envelope *envelope; /* never NULL */
    guint flags;               /* enum document_flags */
    guint attachments_count;
    char *preview;     /* one line of about 200 characters */
    char *subject;     /* the four texts of FTS5, never NULL */
    char *people;      /* names and addresses of From, Sender, Reply-To, To, Cc, Bcc */
    char *body;        /* readable text, at most LIMIT_INDEX_TEXT bytes; nothing of encrypted parts */
    char *attachments; /* file names, a line each */
    GBytes *packed;    /* body as the store keeps it (texts_pack() in store/texts.h); NULL: not made, or not shorter */
    char *types;       /* MIME types of all parts, each once, separated by a space: for mimetype: */
};

struct message_index *message_index_new(void);
void message_index_free(struct message_index *index);
typedef struct message_index struct_message_index;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_message_index, message_index_free)

#define MESSAGE_INDEX_TYPE "(" ENVELOPE_TYPE "uussssss)"
GVariant *message_index_to_variant(const struct message_index *index);
struct message_index *message_index_from_variant(GVariant *value);

#endif
