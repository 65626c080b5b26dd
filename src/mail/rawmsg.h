/* Header editing on message bytes: what is not touched stays byte for byte.
 *
 * For `sendmail -t`, git send-email and queued messages: body and foreign fields are never decoded, refolded
 * or re-encoded.  No GMime, pure, any thread.  Bytes have LF or CRLF line ends; what is added follows the
 * first line's.  The caller owns what is returned. */
#ifndef MAIL_RAWMSG_H
#define MAIL_RAWMSG_H

#include "mail/address.h"

#define RAWMSG_ERROR (rawmsg_error_quark())
GQuark rawmsg_error_quark(void);

struct rawmsg_field {
    gsize offset, length; /* the whole field, folding and line ends included */
    gsize name_length;    /* of the name at offset */
    gsize value_offset;   /* after the colon */
};

/* The fields of the header block, in order; *body receives the offset of the body.  A leading mbox "From "
 * line is passed over (*start receives where the header begins).  Never fails: a line that is no field ends
 * the header. */
GArray *rawmsg_fields(const char *bytes, gsize length, gsize *start, gsize *body);
/* Where the body begins: the length of the header block with its blank line. */
gsize rawmsg_body(const char *bytes, gsize length);
/* The value of the nth field of that name, unfolded and trimmed, bytes otherwise as they are (invalid UTF-8
 * becomes U+FFFD); NULL when there is none. */
char *rawmsg_get(GBytes *message, const char *name, guint nth);
/* Without any field of that name. */
GBytes *rawmsg_remove(GBytes *message, const char *name);
/* name: value before (front) or after the other fields; value is one line of ASCII or UTF-8, CR or LF is an
 * error. */
GBytes *rawmsg_add(GBytes *message, const char *name, const char *value, gboolean front, GError **error);

/* The copy for the wire: no Bcc, no Resent-Bcc, no mbox line. */
GBytes *message_without_bcc(GBytes *message);

/* What `sendmail -t` needs: recipients out of To, Cc and Bcc (Resent-* when there are such), and a message
 * with Date, Message-ID and From added where missing and Bcc dropped.  from may be NULL when the message has
 * a From. */
struct rawmsg_prepared {
    GBytes *message;       /* for the wire and for Sent */
    GPtrArray *recipients; /* of struct address, each once */
    struct address *from;  /* of the message, or the one given */
    char *message_id;      /* without brackets */
    char *subject;         /* decoded; NULL: none */
    gint64 date;
};
struct rawmsg_prepared *rawmsg_prepare(GBytes *message, const struct address *from,
                                       gboolean recipients_from_header, GError **error);
void rawmsg_prepared_free(struct rawmsg_prepared *prepared);
typedef struct rawmsg_prepared struct_rawmsg_prepared;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_rawmsg_prepared, rawmsg_prepared_free)

/* A new id for mail from that address: random, in its domain, telling nothing of host, process or time (K4).
 * Without brackets. */
char *message_id_new(const char *from_addr);

#endif
