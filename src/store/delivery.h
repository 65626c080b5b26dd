/* delivery.h - what came back about a message that was sent: reports and receipts, one line a recipient
 *
 * Tied to the message as it lies in Sent, whichever device sent it. What a report says is what its writer says; nobody has
 * proved it. Goes with the message. Same thread as the store.
 */
#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H

#include "store/store.h"

struct delivery {
    gint64 report;  /* the message that says so; it may have gone */
    char *address;
    char *kind;     /* "hard", "soft", "delayed", "relayed", "delivered"; of receipts "read", "deleted", "processed" */
    char *status;   /* "5.1.1", or NULL */
    char *text;     /* the server's words, or NULL */
    gint64 time;    /* when it came, seconds */
};
void delivery_free(struct delivery *delivery);

/* Said twice by one report it is noted once. A failure sets MESSAGE_BOUNCED on the message. */
gboolean delivery_note(struct store *store, gint64 message, const struct delivery *delivery, GError **error);
/* GPtrArray of struct delivery, oldest first. */
GPtrArray *delivery_list(struct store *store, gint64 message, GError **error);

#endif
