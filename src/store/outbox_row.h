/* outbox_row.h - for src/store alone: what outbox.c and outbox_send.c share */
#ifndef STORE_OUTBOX_ROW_H
#define STORE_OUTBOX_ROW_H

#include "mail/lines.h"
#include "store/outbox.h"

/* The one function that sets a state; logs from -> to. */
gboolean outbox_set_state(struct store *store, gint64 id, enum outbox_state from, enum outbox_state to,
                          GError **error);

#endif
