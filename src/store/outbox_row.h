/* outbox_row.h - for src/store alone: what outbox.c and outbox_send.c share */
#ifndef STORE_OUTBOX_ROW_H
#define STORE_OUTBOX_ROW_H

#include "mail/lines.h"
#include "store/outbox.h"

/* The one function that sets a state; logs from -> to. ERROR_STALE when it is in another state than `from` by
 * now. */
gboolean outbox_set_state(struct store *store, gint64 id, enum outbox_state from, enum outbox_state to,
                          GError **error);
/* SQL, of a row o: somebody has got it, so that a copy belongs into Sent; also when the rest failed, came
 * back or was cancelled. */
#define OUTBOX_WAS_TAKEN                                                                                     \
    "(o.state = 3 OR (o.state IN (5, 7) AND (EXISTS (SELECT 1 FROM outbox_recipient r WHERE r.item = o.id "  \
    "AND r.state = 3)"                                                                                       \
    " OR EXISTS (SELECT 1 FROM outbox_attempt t WHERE t.item = o.id AND t.ok))))"

/* outbox.c: the bytes, durable in mail/.outbox; its name, and the size on the wire. */
char *outbox_write_file(struct store *store, GBytes *message, guint64 *wire_size, GError **error);

#endif
