/* post.h - from a draft or a finished message to the queue: what send, mutt's flags and sendmail share
 *
 * Everything is checked and every attachment read before anything is queued: a mistake leaves no half. Queued
 * is success (exit 0); with --now the attempt is waited for and its outcome is the exit code.
 */
#ifndef CLI_POST_H
#define CLI_POST_H

#include "mail/draft.h"
#include "config/config.h"

struct post_options {
    const struct account *account;
    gint64 at; /* not before; 0: at once */
    gboolean hold, now;
    gboolean quiet; /* no words on success (sendmail, mutt) */
    const char *dsn_notify, *dsn_ret, *dsn_envid;
};

/* The account whose address `from` is; `from` NULL: --account, or the default. An account without a
 * submission server is an error that says so. */
const struct account *post_account(const char *from, GError **error);

/* Fills From (unless set), loads attachments, builds and queues. */
gboolean post_draft(struct draft *draft, const struct post_options *options, int *exit_code, GError **error);
/* Queues a message as it is: envelope sender and recipients (struct address) are given. */
gboolean post_message(GBytes *message, const char *from, const GPtrArray *recipients, const char *subject,
                      const char *message_id, const struct post_options *options, int *exit_code,
                      GError **error);

/* What a person typed, added to a list; `what` ("To") begins the error. */
gboolean post_add_addresses(GPtrArray *list, const char *text, const char *what, GError **error);
/* "NAME: VALUE" into the header; `option` begins the error. */
gboolean post_add_header(struct draft *draft, const char *line, const char *option, GError **error);
/* A mailto: link's recipients, subject and text, as far as the draft has none; what is left out is told (RFC
 * 6068, M9). */
gboolean post_add_link(struct draft *draft, const char *url, GError **error);
/* Text as UTF-8: other bytes are taken for the locale's charset, else for Windows-1252, which has a character
 * for each. */
char *post_text(GBytes *bytes);

#endif
