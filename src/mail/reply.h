/* From a message that was read to a message that answers it.
 *
 * Pure functions on plain data: no GMime, no files, no network, any thread.  The caller owns the drafts.  RFC
 * 5322 section 3.6.4 (references), RFC 2369 and 2919 (lists), RFC 3676 (flowed quotes), mutt's habits for the
 * rest. */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include "mail/document.h"
#include "mail/draft.h"

#define REPLY_ERROR (reply_error_quark())
GQuark reply_error_quark(void);

enum reply_kind {
    REPLY_SENDER, /* Reply-To, else From; to yourself only when you wrote it to nobody else */
    REPLY_ALL,    /* Mail-Followup-To when there is one, else everyone, each once, without yourself */
    REPLY_LIST,   /* the list: Mail-Followup-To, List-Post, else an error that says so */
};

struct reply_options {
    /* own addresses (struct address), the preferred one first; names are used for From */
    const GPtrArray *own;
    /* "On %d, %n wrote:" with %d date, %n name, %a address, %s subject, %i message-id; NULL: the usual */
    const char *attribution;
    const char *signature; /* put after "-- "; NULL: none */
    const char *selection; /* quote this text instead of the whole; NULL: the whole */
    gboolean no_quote;
    guint columns; /* 0: 72 */
};

struct draft *reply_new(const struct document *document, enum reply_kind kind,
                        const struct reply_options *options, GError **error);

enum forward_kind {
    FORWARD_INLINE,     /* header lines and text in the body, attachments kept by copying their bytes */
    FORWARD_ATTACHMENT, /* the whole message as message/rfc822 */
};
/* message: the bytes that document was read from. */
struct draft *forward_new(const struct document *document, GBytes *message, enum forward_kind kind,
                          const struct reply_options *options);

/* The same message again as a new one (mutt's resend, Esc e), or a kept draft taken up (recall): attachments
 * are copied, Bcc is kept.  recall also keeps Message-ID, Date is new, In-Reply-To and References stay, and
 * kind and source are read back from the field that building a kept draft wrote. */
struct draft *edit_as_new(const struct document *document, GBytes *message);
struct draft *recall_new(const struct document *document, GBytes *message);

/* Bounce (mutt's b): the message unchanged under a block of Resent-* fields (RFC 5322 section 3.6.6), LF line
 * ends. */
GBytes *resend_message(GBytes *message, const struct address *from, const GPtrArray *to, GError **error);

/* "Re: " or "Fwd: " once, whatever languages' marks it had ("AW: ", "Re[2]: "). */
char *subject_reply(const char *subject);
char *subject_forward(const char *subject);
/* Without any such mark and list tags left alone: what threads compare. */
char *subject_base(const char *subject);

/* Text with "> " before each line, wrapped to columns, quotes of quotes kept apart, signature dropped. */
char *quote_text(const char *text, guint columns);

/* The own address that the message was written to; the first own one when none is named.  Borrowed from own;
 * NULL when own is empty. */
const struct address *reply_own_address(const struct document *document, const GPtrArray *own);

#endif
