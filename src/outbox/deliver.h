/* deliver.h - sending what is due in the queue of one account, run by its worker
 *
 * One connection carries all messages that are due. Each attempt leaves its dialogue in the store, each item
 * its state (store/outbox.h; retry.h says when to try again). What a killed worker left half done is settled
 * first (outbox_recover). A message is sent once: where the connection broke between the final dot and the
 * answer the item is UNKNOWN and waits for the user (RELIABILITY D3).
 *
 * Errors are those that concern the account and not one message: ERROR_RETRY (no network: items wait, none
 * counts as an attempt that failed), ERROR_AUTH (the server refused the login: try again only with another
 * password), ERROR_SECURITY, ERROR_CANCELLED, ERROR_IO. Every item keeps its words for the user. One thread,
 * which owns the store connection.
 */
#ifndef OUTBOX_DELIVER_H
#define OUTBOX_DELIVER_H

#include "config/config.h"
#include "net/cancel.h"
#include "store/store.h"

#define DELIVER_ERROR (deliver_error_quark())
GQuark deliver_error_quark(void);

struct deliver_options {
    const struct account *account; /* with an outgoing server; outlives the call */
    /* The secret, newly allocated (wiped and freed here), or NULL with error; asked at most once a
     * connection. */
    char *(*get_secret)(gpointer data, GError **error);
    struct cancel *cancel;
    void (*changed)(gpointer data);                  /* an item's state was committed; may be NULL */
    void (*notice)(const char *text, gpointer data); /* for a person: a message failed; may be NULL */
    gpointer data;
};

/* Sends all items that are due now (state, hold, send_at, undo time, next attempt). TRUE when there was none
 * or every one was tried. Also makes copies in Sent that are still owed. */
gboolean deliver_due(struct store *store, gint64 account_id, const struct deliver_options *options,
                     GError **error);

#endif
