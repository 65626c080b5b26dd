/* unsubscribe.h - how one gets off a list: List-Unsubscribe (RFC 2369), one click (RFC 8058)
 *
 * One click is offered only as RFC 8058 section 4 has it: List-Unsubscribe-Post says so, the address is HTTPS, and a DKIM
 * signature that the own server found good covers both fields. Else by mail, through the queue, and last of all a link that
 * the user may open. What a mail says is never followed by itself: it is shown first. Texts are bounded and unsafe for a
 * terminal. Pure; any thread.
 */
#ifndef TRUST_UNSUBSCRIBE_H
#define TRUST_UNSUBSCRIBE_H

#include "trust/journey.h"

#define UNSUBSCRIBE_BODY "List-Unsubscribe=One-Click"
#define UNSUBSCRIBE_TYPE "application/x-www-form-urlencoded"

enum unsubscribe_how {
    UNSUBSCRIBE_NOT,       /* the message names no way */
    UNSUBSCRIBE_ONE_CLICK, /* POST to url */
    UNSUBSCRIBE_MAIL,      /* a message to `mail` */
    UNSUBSCRIBE_LINK       /* url, in a browser */
};
const char *unsubscribe_how_name(enum unsubscribe_how how); /* "one-click": for JSON and the store */

struct unsubscribe {
    enum unsubscribe_how how;
    char *url;  /* https, or of UNSUBSCRIBE_LINK also http; NULL */
    char *mail; /* the whole mailto:, or NULL */
    char *list; /* List-Id, else the sender's address: what it is remembered by; NULL: neither */
    const char *why; /* one click is named, and not done, because; translated, NULL */
};
void unsubscribe_free(struct unsubscribe *unsubscribe);
typedef struct unsubscribe struct_unsubscribe;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_unsubscribe, unsubscribe_free)

/* message: its bytes, or its header block. authentication: what the own server found, or NULL. */
struct unsubscribe *unsubscribe_read(GBytes *message, const struct authentication *authentication);

#endif
