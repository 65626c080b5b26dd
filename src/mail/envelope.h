/* The envelope of a message: what a list and a thread need, from the header block alone.
 *
 * Plain data.  envelope_from_header (envelope_parse.c) uses GMime and belongs to the engine's workers and the
 * reader, where a crash can be survived; everything else here links without GMime.  The caller owns what is
 * returned.  Any thread may call. All text is valid UTF-8 and may hold control characters: text_safe() before
 * a screen or a log.  RFC 5322 section 3.6. */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include "mail/address.h"

enum envelope_flags {
    ENVELOPE_DATE_VALID = 1 << 0, /* Date was there and could be read; otherwise date is 0 */
    ENVELOPE_TRUNCATED = 1 << 1,  /* a limit was hit: fields, addresses or references are missing */
    ENVELOPE_TWO_FROM = 1 << 2,   /* more than one From field: never to be called verified */
};

struct envelope {
    char *message_id;  /* without the angle brackets; NULL when there is none */
    char *in_reply_to; /* the first id of In-Reply-To, likewise */
    GStrv references;  /* ids in their order, at most ENVELOPE_REFERENCES_MAX (the first one and the last
                          ones); never NULL */
    GPtrArray *from, *sender, *reply_to, *to, *cc, *bcc; /* of struct address; never NULL */
    char *subject;                                       /* decoded, one line; "" when there is none */
    gint64 date;   /* seconds since 1970, UTC, from Date; within years 1 to 9999 */
    int zone;      /* the sender's, minutes east of UTC, -1439 to 1439 */
    char *list_id; /* what stands between < and > of List-Id; NULL when there is none */
    guint flags;   /* enum envelope_flags */
};

/* References kept: a message with 100,000 of them threads as well by its first and last ones. */
#define ENVELOPE_REFERENCES_MAX 200

struct envelope *envelope_new(void);
void envelope_free(struct envelope *envelope);
typedef struct envelope struct_envelope;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_envelope, envelope_free)

/* Reads a header block: bytes up to (not needing) the blank line, LF or CRLF, as IMAP's BODY[HEADER] or
 * BODY[HEADER.FIELDS (…)] brings them; a leading mbox "From " line is passed over.  Never fails: what cannot
 * be read is left empty.  Limits of mail/limits.h are applied before GMime sees a byte.  GMime code: engine
 * and reader only. */
struct envelope *envelope_from_header(const char *bytes, gsize length);
/* The same of a message whose header ends at `header`. What it says of its text's charset helps with a header that is not
 * encoded. */
struct envelope *envelope_from_message(const char *bytes, gsize header, gsize length);

/* The fields that envelope_from_header looks at, in the form that IMAP wants: "DATE FROM SENDER …". */
#define ENVELOPE_FIELDS                                                                                      \
    "DATE FROM SENDER REPLY-TO TO CC BCC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID"

/* One message-id out of text such as "<a@b> (comment)"; NULL when there is none.  For ids that come from
 * elsewhere than a message. */
char *message_id_first(const char *text);
/* All ids of a References-like text in order, without brackets; never NULL. */
GStrv message_id_list(const char *text);

#define ENVELOPE_TYPE                                                                                        \
    "(ssas" ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE ADDRESS_LIST_TYPE        \
        ADDRESS_LIST_TYPE "sxisu)"
GVariant *envelope_to_variant(const struct envelope *envelope);
/* value must have ENVELOPE_TYPE; numbers out of range are brought into it. */
struct envelope *envelope_from_variant(GVariant *value);

#endif
