/* arrival.h - what every message that has just come passes through, once
 *
 * A table of stages, in order: each looks at the message and may act on it. A message is on the list of store/arrival.h
 * from the transaction that stored its body; after each stage the list says so, together with what the stage found
 * (verdict_get(store, message, NAME)), so that a kill repeats one stage at most: a stage done twice is done once. Mail that
 * came to be here by a first fetch passes only when the server has it since 14 days or less; reports at any age.
 * The same for IMAP, POP3 and Maildir accounts. It runs in an account's sync lane, after a pass and between
 * two waits, some messages at a time; never on the screen's path.
 *
 * To add a stage: a file arrival_NAME.c (or the module's own) with an arrival_func, its line in the table of arrival.c,
 * its declaration at the end of this header.
 */
#ifndef TRUST_ARRIVAL_H
#define TRUST_ARRIVAL_H

#include "config/config.h"
#include "mail/document.h"
#include "mail/reader.h"
#include "store/arrival.h"
#include "net/dns.h"
#include "store/message.h"


#define ARRIVAL_ERROR (arrival_error_quark())
GQuark arrival_error_quark(void);

#define ARRIVAL_ATTEMPTS 5 /* at a stage that says ERROR_RETRY; then it is passed over */

/* Who runs the stages. Zero is allowed everywhere. */
struct arrival_host {
    const struct config *config;
    const struct account *account;                    /* whose mail it is */
    gint64 account_id;                                /* its row; 0: all accounts */
    struct dns *dns;                                  /* to check mail here; NULL: it is not */
    void (*notice)(const char *text, gpointer data); /* a sentence for the person, once a message */
    gpointer data;
};

/* What a stage is given; borrowed, for the time of the call. Where the message lies now: message_places(). */
struct arrival {
    struct store *store;
    struct reader *reader;
    const struct arrival_host *host;
    const struct message *message; /* as it was when its first stage began */
    GBytes *bytes;
    const struct document *document; /* of these bytes, READER_ALL */
    gboolean is_recent;              /* FALSE: a report of any age, for the stages that want those */
};

/* *verdict: what it found, JSON, for g_free(); NULL when there is nothing to keep. An error with ERROR_RETRY (but a
 * store's): this stage and those behind it wait, for a minute first. A store's error ends the run, and the next one begins
 * here. Any other is logged, and the stage passed over. */
typedef gboolean (*arrival_func)(struct arrival *arrival, char **verdict, GError **error);

struct arrival_stage {
    const char *name; /* of its verdict; never changed */
    arrival_func run;
    /* Asked before the message is read; NULL: every recent one. */
    gboolean (*wants)(const struct message *message, gboolean is_recent);
};

/* Some of what is due. *more: there is more of it. *acted: stages that left a verdict. Both may be NULL. */
gboolean arrival_run(struct store *store, struct reader *reader, const struct arrival_host *host, gboolean *more,
                     guint *acted, GError **error);
/* The same with other stages, ending with one that has no name: for tests. */
gboolean arrival_run_stages(struct store *store, struct reader *reader, const struct arrival_host *host,
                            const struct arrival_stage *stages, gboolean *more, guint *acted, GError **error);

/* --- the stages */

/* Delivery reports and receipts (bounce.h). Verdict: {"item":N}, the queue item it is about; 0: mail that another device
 * sent. */
gboolean arrival_report(struct arrival *arrival, char **verdict, GError **error);
gboolean arrival_wants_report(const struct message *message, gboolean is_recent);
/* Senders that the user blocked or allowed (store/sender.h). Verdict: {"word":"blocked","because":"@example.net"}. */
gboolean arrival_sender(struct arrival *arrival, char **verdict, GError **error);
/* Who vouches for the author (vouch.h). Verdict: {"vouch":WORD,"domain":…,"words":…,"results":…}, the last as an
 * Authentication-Results field has it; of "here" when it was checked here. authority_find() reads it. */
gboolean arrival_authentication(struct arrival *arrival, char **verdict, GError **error);
/* A virus scanner, where one is configured (virus.h). */
gboolean arrival_virus(struct arrival *arrival, char **verdict, GError **error);
/* The last stage, which nothing waits for: what could not be looked up is looked up later, and the verdict above changed. */
gboolean arrival_authentication_again(struct arrival *arrival, char **verdict, GError **error);
/* How well the sender is known, and what he pretends (reputation.h); block lists (blocklist.h). */
gboolean arrival_reputation(struct arrival *arrival, char **verdict, GError **error);
/* The learning filter (lessons.h): says what a message in an INBOX is, and with "filter = on" files junk. Verdict:
 * {"verdict":"junk","score":"0.98","words":"a\nb","filed":"junk"}; none while it is silent. */
gboolean arrival_filter(struct arrival *arrival, char **verdict, GError **error);
/* The user's rules (rules.h). Verdict: {"rules":N}, how many acted. */
gboolean arrival_rules(struct arrival *arrival, char **verdict, GError **error);

#endif
