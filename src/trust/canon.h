/* canon.h - a message in the form that is signed (RFC 6376 section 3.4)
 *
 * On the bytes as they lie here: lines end with LF or CRLF, and count as CRLF. Nothing is decoded. A body is
 * walked once and never copied. Pure; any thread.
 */
#ifndef TRUST_CANON_H
#define TRUST_CANON_H

#include "base/sha256.h"
#include "mail/rawmsg.h"

/* A message taken apart once for all its signatures. Borrows the bytes. */
struct signed_message {
    const char *bytes;
    gsize length, body;
    GArray *fields; /* of struct rawmsg_field, in order */
};
void signed_message_init(struct signed_message *message, GBytes *bytes);
void signed_message_clear(struct signed_message *message);

gboolean signed_field_is(const struct signed_message *message, guint field, const char *name);
/* The value with its folding, line ends as LF; what is no UTF-8 becomes U+FFFD. */
char *signed_field_value(const struct signed_message *message, guint field);

/* Adds the field as it is signed, with its line end. */
void canon_field(const struct signed_message *message, guint field, gboolean relaxed, GString *out);
/* The same for a signature's own field: the value of b= is left out, and so is the last line end. */
void canon_signature(const struct signed_message *message, guint field, gboolean relaxed, GString *out);

/* The hash of the body, of at most `limit` bytes of it (G_MAXUINT64: all). Returns how long the whole is. */
guint64 canon_body(const struct signed_message *message, gboolean relaxed, guint64 limit,
                   guint8 hash[SHA256_SIZE]);

#endif
