/* bounce.h - delivery reports: what became of a message at which recipient
 *
 * Reads multipart/report (RFC 3462, 3464, 6522, 6533), as it is written and as gateways leave it, and the free forms
 * that are still about (qmail, Exim, old sendmail, Exchange, gateways, providers, in many languages), tells hard from
 * soft, and ties the report to the message that was sent by its Message-ID or ENVID, or, where it names none, by recipient, subject and time. A status is the report's own; one that
 * is not said is made of the server's words, 5.0.0 when these say nothing. What the words know better than a vague status
 * (x.y.0) decides reason and kind. A report is mail as any other: anybody can forge one, so one that names no
 * message of ours changes nothing. Texts are bounded, valid UTF-8 and unsafe for a terminal.
 *
 * bounce_read() is pure and links without GMime; the document comes from mail/reader.h. bounce_apply() writes to the
 * store and belongs to an engine worker (arrival.h).
 */
#ifndef TRUST_BOUNCE_H
#define TRUST_BOUNCE_H

#include "mail/document.h"
#include "store/store.h"
#include "trust/receipt.h"

#define BOUNCE_ERROR (bounce_error_quark())
GQuark bounce_error_quark(void);

#define BOUNCE_RECIPIENTS_MAX 100
#define BOUNCE_TEXT_MAX 1000 /* bytes of one text */

enum bounce_kind {
    BOUNCE_HARD,    /* it will never arrive there */
    BOUNCE_SOFT,    /* it did not arrive, but another one may: mailbox full, server away too long */
    BOUNCE_DELAYED, /* still being tried */
    BOUNCE_RELAYED, /* given on to a server that sends no reports */
    BOUNCE_DELIVERED
};
const char *bounce_kind_name(enum bounce_kind kind); /* "hard", …: JSON's `kind` */

gboolean bounce_kind_parse(const char *name, enum bounce_kind *kind); /* FALSE: none of them */

/* What a status ("5.1.1", NULL: none) with the action "failed" means: its kind, and in words (static,
 * translated). */
const char *bounce_status_words(const char *status, enum bounce_kind *kind);

struct bounce_recipient {
    char *address;  /* Final-Recipient */
    char *original; /* Original-Recipient, or NULL */
    char *status;   /* "5.1.1"; never NULL */
    enum bounce_kind kind;
    gboolean is_address; /* the address itself is no good, not this message */
    const char *reason;  /* the status in words, translated; static */
    char *diagnostic;    /* the server's own words, or NULL */
    char *server;        /* Remote-MTA, or NULL */
};

struct bounce {
    char *message_id;      /* of the message it is about, without brackets, or NULL */
    char *subject;         /* of that message, decoded no further than it was; or NULL */
    char *envid;           /* Original-Envelope-Id, or NULL */
    char *reporter;        /* Reporting-MTA without its type, or NULL */
    GPtrArray *recipients; /* of struct bounce_recipient; never empty */
};
void bounce_free(struct bounce *bounce);
typedef struct bounce struct_bounce;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_bounce, bounce_free)

/* NULL when the message is no report. document is that of the same bytes, read with READER_ALL. */
struct bounce *bounce_read(GBytes *message, const struct document *document);

/* Is it worth looking into, by what a list knows of it: from whom (may be NULL) and the subject? */
gboolean bounce_is_likely(const char *from, const char *name, const char *subject);

/* Notes in the store what the report says of a message that was sent from here: the queue item and its
 * recipients, the contacts, and the message in Sent (store/delivery.h). report: the message that says so. *item receives the queue item, 0 when it has none here; *ours whether the message
 * is one of ours: if not, nothing is written. */
gboolean bounce_apply(struct store *store, const struct bounce *bounce, gint64 report, gint64 *item, gboolean *ours,
                      GError **error);
/* The same of a receipt. */
gboolean receipt_apply(struct store *store, const struct receipt *receipt, gint64 report, gboolean *ours, GError **error);

#endif
