/* received.h - one Received field, taken apart
 *
 * RFC 5321 section 4.4 as servers really write it: Postfix, Exim, Sendmail, qmail, Gmail, Exchange and the
 * free forms. Nothing in it can be trusted but what the own server wrote; every text is bounded to
 * HOP_TEXT_MAX bytes, is valid UTF-8 and unsafe for a terminal. Pure; any thread.
 */
#ifndef TRUST_RECEIVED_H
#define TRUST_RECEIVED_H

#include <glib.h>

#define HOP_TEXT_MAX 500

enum hop_kind {
    HOP_RELAY,      /* from one owner's server to another's, or not known */
    HOP_SUBMISSION, /* the writer gave it to a server */
    HOP_INTERNAL,   /* within one owner's servers: filters, queues */
    HOP_DELIVERY    /* into the mailbox */
};
const char *hop_kind_name(enum hop_kind kind); /* "relay", …: JSON's `kind` */

struct hop {
    char *from;      /* the name the client gave; NULL: none (made here) */
    char *from_real; /* what the server saw in its place: "mail.example.net [192.0.2.7]", or NULL */
    char *client;    /* the address the server saw, never one that the client named; NULL: not said */
    char *by;        /* NULL: not said */
    char *with;      /* "ESMTPS", "LMTP", "Microsoft SMTP Server", or NULL */
    char *tls;       /* "TLSv1.3", "TLS" when only the protocol tells so, or NULL: in the clear or not said */
    char *cipher;    /* as the server names it, or NULL */
    char *id;        /* the server's queue id, or NULL */
    char *recipient; /* of "for", or NULL */
    gint64 time;     /* seconds since 1970 */
    int zone;
    gboolean has_time;
    gboolean is_ours; /* written by a server of the account, or by the one that delivered: what it says is so */
    gint64 delay; /* seconds since the hop before, never below 0; -1: not known */
    gint64 skew;  /* seconds by which its clock is behind the hop before; 0: it is not */
    enum hop_kind kind;
};
void hop_free(struct hop *hop);

/* `value` is the unfolded field. Never fails: what is not there is NULL. */
struct hop *hop_parse(const char *value);

#endif
