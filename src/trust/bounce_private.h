/* bounce_private.h - inside trust/: what the readers of reports share
 *
 * bounce.c puts a report together; bounce_status.c reads its machine part, bounce_prose.h the free forms,
 * bounce_words.c knows what servers say and bounce_sender.c who sends reports. Pure, any thread.
 */
#ifndef TRUST_BOUNCE_PRIVATE_H
#define TRUST_BOUNCE_PRIVATE_H

#include "trust/bounce.h"

#define BOUNCE_PART_MAX (1024 * 1024) /* bytes of a part, or of a text, that are looked at */

/* --- bounce.c */

/* Valid, squeezed, at most BOUNCE_TEXT_MAX; NULL when nothing is left. */
char *bounce_text(const char *text, gsize len);
/* What was read of one recipient; all taken over. action: RFC 3464's, in any case, or NULL for "failed". */
struct bounce_found {
    char *address, *original, *status, *diagnostic, *server;
    const char *action;
};
void bounce_add(struct bounce *bounce, struct bounce_found *found);
/* The content of a part, decoded, with LF line ends; NULL when it lies beyond the message. */
char *bounce_part_text(GBytes *message, const struct document_part *part);
gboolean bounce_has(const struct bounce *bounce, const char *address);

/* --- bounce_status.c */

/* One block of fields up to an empty line: name (lower case) to unfolded value. *p moves behind it. NULL at
 * the end. */
GHashTable *bounce_next_block(const char **p);
/* message/delivery-status and its kin: text with LF line ends. */
void bounce_read_status(struct bounce *bounce, const char *text);
/* A receipt by which the recipient's filter sends the message back (RFC 5429): "deleted", by a machine, with words that
 * say so. FALSE: it is none. */
gboolean bounce_read_rejection(struct bounce *bounce, const char *text, const char *words);
/* The three numbers at the beginning of "5.1.1 (bad address)"; NULL: none. */
char *bounce_status_at(const char *text);

/* --- bounce_words.c: what a server said */

struct bounce_saying {
    char status[12];    /* the enhanced code in it, "" when there is none, or only x.0.0 */
    int code;           /* the SMTP reply, 0: none */
    const char *detail; /* what the words mean, "1.1"; NULL: nothing known. Static */
    gboolean is_sure;   /* the words leave no doubt that there is no such user */
    gsize at, len;      /* the part of the text that says so; len 0: nothing does */
};
/* FALSE when nothing in the text tells why. */
gboolean bounce_weigh(const char *text, struct bounce_saying *saying);
/* Do words announce that a message did not arrive, or not yet (*delayed)? text is lower case. */
gboolean bounce_announces(const char *text, gboolean *delayed);
/* What the words mean as a status, for a failure or a delay: "5.1.1". */
char *bounce_status_of(const struct bounce_saying *saying, gboolean delayed);
/* Does a line ask to answer a question before mail is let through, or say that the person is away? Lower case. */
gboolean bounce_is_other_machine(const char *text);

/* --- bounce_sender.c */

enum bounce_trust { BOUNCE_STRANGER, BOUNCE_SUBJECT, BOUNCE_MACHINE };
/* How likely it is that this message is a report, by who sent it and how it is called. */
enum bounce_trust bounce_sender(const struct document *document);

/* --- bounce_prose.c */

/* What was returned with the report: the header of the original. */
struct bounce_returned {
    char *message_id, *subject;
    GPtrArray *to; /* of char *: recipients it names */
};
/* Recipients out of the words, when there are none yet; and reasons for those that have none. */
void bounce_read_prose(struct bounce *bounce, const struct document *document, enum bounce_trust trust,
                       struct bounce_returned *returned);
void bounce_read_returned(struct bounce_returned *returned, const char *text);

#endif
