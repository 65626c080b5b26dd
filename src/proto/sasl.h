/*
 * sasl: the client side of a SASL login (RFC 4422), for IMAP, POP3 and SMTP alike.
 *
 * Mechanisms: SCRAM-SHA-256, SCRAM-SHA-1 (RFC 5802, RFC 7677; no channel binding), PLAIN (RFC 4616), LOGIN.
 * One row of a table each: OAUTHBEARER and XOAUTH2 will be two more. CRAM-MD5 and DIGEST-MD5 are left out on
 * purpose.
 *
 * The strongest mechanism offered is taken. A mechanism that shows the password to the server is only used
 * when the caller says that the line is confidential. With SCRAM the server must prove that it knows the
 * password too: a login is complete only when sasl_is_complete() says so, whatever the server's final reply
 * claims.
 *
 * One login attempt, one object, one thread. Secrets are copied, and wiped when the object is freed. Returned
 * replies hold secrets: free them with sasl_reply_free(). Nothing here touches a network.
 */
#ifndef PROTO_SASL_H
#define PROTO_SASL_H

#include <glib.h>

#include "base/error.h"

#define SASL_ERROR (sasl_error_quark())
GQuark sasl_error_quark(void);

struct sasl;

/* offered: NULL-terminated names as the server lists them (any case; a leading "AUTH=" is skipped). NULL with
 * error when none can be used, naming what was offered and why it will not do. */
struct sasl *sasl_new(const char *const *offered, const char *user, const char *secret, gboolean confidential,
                      GError **error);
void sasl_free(struct sasl *sasl);

/* The name to put after AUTH or AUTHENTICATE: "SCRAM-SHA-256". Lives as long as the object. */
const char *sasl_get_mechanism(const struct sasl *sasl);

/* TRUE when the client speaks first: the initial response may be sent with the command (SASL-IR). */
gboolean sasl_is_client_first(const struct sasl *sasl);

/* Answers a challenge. challenge is base64 as it came from the server ("" for the empty one, NULL for the
 * initial response). Returns base64 to send back ("" is an empty response), NULL with error: then the
 * exchange must be aborted with "*". */
char *sasl_step(struct sasl *sasl, const char *challenge, GError **error);
void sasl_reply_free(char *reply);

/* After the server's positive final reply. FALSE with error when the mechanism still misses the server's
 * proof. */
gboolean sasl_finish(struct sasl *sasl, GError **error);
gboolean sasl_is_complete(const struct sasl *sasl);

/* For the test vectors of the RFCs: our nonce in place of a random one. */
void sasl_set_nonce(struct sasl *sasl, const char *nonce);

typedef struct sasl struct_sasl;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_sasl, sasl_free)

#endif
