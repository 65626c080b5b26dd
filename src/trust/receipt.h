/* receipt.h - what a reader's program says of a message: it was shown, or deleted unread (RFC 8098)
 *
 * Anybody can write one; it proves nothing. Texts are bounded, valid UTF-8 and unsafe for a terminal. Pure, any thread.
 */
#ifndef TRUST_RECEIPT_H
#define TRUST_RECEIPT_H

#include "mail/document.h"

struct receipt {
    char *message_id; /* of the message it is about, without brackets */
    char *address;    /* whose it is */
    const char *kind; /* "read", "deleted", "processed"; static */
};
void receipt_free(struct receipt *receipt);
typedef struct receipt struct_receipt;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_receipt, receipt_free)

/* NULL when the message is none, or names no message. document is that of the same bytes. */
struct receipt *receipt_read(GBytes *message, const struct document *document);

#endif
