/* outbox.h - the queue of mail to be sent
 *
 * An item is a message file in mail/.outbox (0600, LF line ends) and its rows. Queueing: the file is durable
 * first, then one transaction; what that leaves after a crash is a file without a row, which housekeeping
 * removes. One function sets a state (outbox_set_state and those built on it) and logs old -> new. Sending:
 * an owner claims an item, tries, notes the attempt with its dialogue, and finishes; a claim whose owner has
 * died is found by outbox_recover(). Same thread as the store. RFC 5321, RFC 3461 (DSN).
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "mail/address.h"
#include "mail/index.h"
#include "store/maildir.h"
#include "store/store.h"

enum outbox_state {
    OUTBOX_WAITING = 1, /* for its time, for the network, or for being taken back */
    OUTBOX_SENDING,     /* claimed */
    OUTBOX_SENT,        /* every recipient was taken */
    OUTBOX_DEFERRED,    /* soft failure: again at next_attempt */
    OUTBOX_FAILED,      /* hard, at least for one recipient */
    OUTBOX_UNKNOWN, /* the connection broke between the final dot and the answer: never resent silently (D3)
                     */
    OUTBOX_CANCELLED,
    OUTBOX_STATES
};
/* "waiting" …; a held item is "held" in lists. */
const char *outbox_state_name(enum outbox_state state);

enum outbox_copy { OUTBOX_COPY_NONE, OUTBOX_COPY_NEEDED, OUTBOX_COPY_DONE };

struct outbox_recipient {
    gint64 id;
    char *addr;
    enum outbox_state state; /* WAITING, SENT, DEFERRED, FAILED, UNKNOWN */
    int code;                /* last SMTP reply, 0: none */
    char *enhanced;          /* "5.1.1", or NULL */
    char *text;              /* or NULL */
};

struct outbox_item {
    gint64 id, account;
    char *account_name;
    char *file;            /* in mail/.outbox */
    char *from;            /* envelope sender; "" is the null reverse path */
    GPtrArray *recipients; /* of struct outbox_recipient */
    char *subject, *message_id;
    enum outbox_state state;
    gboolean hold;           /* stays until released */
    gint64 created, send_at; /* send_at: not before; 0: at once */
    gint64 undo_until;       /* may be taken back with a key until then; 0: not */
    gint64 next_attempt;     /* max of those, or of the retry schedule */
    guint attempts;
    guint64 size; /* on the wire */
    int code;     /* the last error: */
    char *enhanced, *error;
    enum outbox_copy copy; /* in Sent */
    gint64 sent_message;   /* the row in Sent, 0 before */
    char *dsn_notify;      /* "success,failure,delay", "never"; NULL: not asked */
    char *dsn_ret;         /* "full", "hdrs", NULL */
    char *dsn_envid;       /* NULL: none */
    gint64 draft;   /* message id of the draft it was made from, 0: none; it goes when the item is queued */
    gint64 answers; /* message id that it answers or forwards, 0: none … */
    guint answer_flag; /* … and FLAG_ANSWERED or FLAG_FORWARDED, set when it is queued */
};
void outbox_item_free(struct outbox_item *item);
typedef struct outbox_item struct_outbox_item;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_outbox_item, outbox_item_free)

/* What a caller fills in; the rest is zero. */
struct outbox_new {
    gint64 account;
    GBytes *message; /* as it goes out, without Bcc */
    const char *from;
    const GPtrArray *recipients; /* of struct address; at least one, each once */
    const char *subject, *message_id;
    gboolean hold;
    gint64 send_at;
    guint undo_seconds;
    gboolean copy; /* a copy belongs into Sent */
    const char *dsn_notify, *dsn_ret, *dsn_envid;
    gint64 draft, answers;
    guint answer_flag;
};
/* Returns the id; 0 on error, and then nothing is queued. */
gint64 outbox_queue(struct store *store, const struct outbox_new *item, GError **error);

/* GPtrArray. Without SENT and CANCELLED ones unless `all`; oldest first. account 0: of all. */
GPtrArray *outbox_list(struct store *store, gint64 account, gboolean all, GError **error);
struct outbox_item *outbox_get(struct store *store, gint64 id, GError **error);
/* The item that a message in Sent, or a Message-ID, came from; 0: none. For journey and bounces. */
gint64 outbox_find(struct store *store, const char *message_id);
/* One that names no id: to whom, with which subject, not before. The newest that was sent; 0: none. */
gint64 outbox_find_recent(struct store *store, const char *recipient, const char *subject, gint64 since);
GBytes *outbox_bytes(struct store *store, const struct outbox_item *item, GError **error);
/* Items that are neither sent nor cancelled, for the status line; and when the next one that is not held is
 * due (0: none). account 0: of all. */
gint64 outbox_count(struct store *store);
gint64 outbox_next_due(struct store *store, gint64 account);

/* --- the user; ERROR_REFUSED when its state does not allow it (a sent one cannot be cancelled), ERROR_BUSY
 * while it is being sent */
gboolean outbox_hold(struct store *store, gint64 id, gboolean hold, GError **error);
/* At once, whatever was to be waited for; also a held, deferred, failed, unknown or cancelled one. Who has
 * got it does not get it twice. */
gboolean outbox_retry(struct store *store, gint64 id, GError **error);
/* A failed one, to those whom it did not reach, and to nobody else. better: the address in place of the one that failed,
 * also in the header; failed says which when there are several (or NULL). */
gboolean outbox_resend(struct store *store, gint64 id, const char *failed, const char *better, GError **error);
/* All that were put off, at once; what is held or waits for send_at stays. account 0: of all. */
gboolean outbox_flush(struct store *store, gint64 account, GError **error);
/* It is not sent. The file stays 30 days; *message (may be NULL) receives its bytes, for the composer. */
gboolean outbox_cancel(struct store *store, gint64 id, GBytes **message, GError **error);

/* --- the sender, one an account */
/* Before anything is claimed. What was left SENDING by an owner that is no more, or by this process (it could
 * not write the result): UNKNOWN when the message had been given away (outbox_mark_data), else WAITING. */
gboolean outbox_recover(struct store *store, gint64 account, GError **error);
/* The next item that is due, now SENDING and owned by this process; NULL without error: none. */
struct outbox_item *outbox_claim(struct store *store, gint64 account, GError **error);
/* Just before the final dot: a crash from here on leaves UNKNOWN. Committed when it returns, so never inside
 * a transaction; ERROR_STALE when this process does not hold the item: then nothing may be given away. */
gboolean outbox_mark_data(struct store *store, gint64 id, GError **error);

struct outbox_attempt {
    gint64 id, item;
    gint64 time;  /* microseconds */
    char *server; /* host:port */
    char *tls;    /* "TLS 1.3 TLS_AES_256_GCM_SHA384", or NULL */
    char *reply;  /* the deciding answer, or the local error */
    gboolean ok;
    char *dialogue; /* "> EHLO …\n< 250 …", without secrets */
};
void outbox_attempt_free(struct outbox_attempt *attempt);
typedef struct outbox_attempt struct_outbox_attempt;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_outbox_attempt, outbox_attempt_free)

/* What became of an attempt: one transaction for the attempt, its recipients, the item's state and, when it
 * is SENT (or FAILED with some recipients taken) and a copy is needed, the copy in Sent. sent_entry: the
 * message, durable in the Maildir of sent_folder (or NULL); index for its row. recipients' states, codes and
 * texts are taken from item->recipients, but for those that were decided before. Only with an attempt it
 * counts as one. ERROR_STALE when the item is not as it was claimed. */
struct outbox_result {
    enum outbox_state state;
    int code;
    const char *enhanced, *text;
    gint64 next_attempt; /* of DEFERRED */
    const struct outbox_attempt *attempt;
    gint64 sent_folder;
    const struct maildir_entry *sent_entry;
    const struct message_index *index;
};
gboolean outbox_finish(struct store *store, const struct outbox_item *item,
                       const struct outbox_result *result, GError **error);
/* The copy that outbox_finish could not make (no Sent folder yet): items with OUTBOX_COPY_NEEDED that
 * somebody has got. */
GPtrArray *outbox_list_uncopied(struct store *store, gint64 account, GError **error);
/* Done twice it is done once. The entry's file is the store's: where no row comes to name it, it is removed.
 */
gboolean outbox_copied(struct store *store, gint64 id, gint64 sent_folder, const struct maildir_entry *entry,
                       const struct message_index *index, GError **error);
/* A bounce came for it: the recipient failed after all, and so did the item, unless it is still under way to
 * others. Hard: the contact is marked. Texts as in the report; ERROR_NOINPUT when it was not sent to that
 * address. */
gboolean outbox_bounced(struct store *store, gint64 id, const char *recipient, gboolean hard,
                        const char *enhanced, const char *text, GError **error);
/* GPtrArray of struct outbox_attempt, oldest first. */
GPtrArray *outbox_attempts(struct store *store, gint64 id, GError **error);

#endif
