/* managesieve.h - the scripts that a mail server runs: ManageSieve (RFC 5804)
 *
 * A session logs in over STARTTLS, which is demanded (or plain on loopback, as the endpoint says), with SASL. Scripts are
 * UTF-8, at most MANAGESIEVE_SCRIPT_MAX bytes. Errors: MANAGESIEVE_ERROR with ERROR_AUTH, ERROR_REFUSED (the server's words, as
 * one safe line), ERROR_RETRY, ERROR_SECURITY; those of net/ as they come. One thread; every wait is bounded by the stream.
 */
#ifndef PROTO_MANAGESIEVE_H
#define PROTO_MANAGESIEVE_H

#include "config/endpoint.h"
#include "net/stream.h"

#define MANAGESIEVE_ERROR (managesieve_error_quark())
GQuark managesieve_error_quark(void);

#define MANAGESIEVE_SCRIPT_MAX (1024 * 1024)
#define MANAGESIEVE_SCRIPTS_MAX 100

struct managesieve;

/* get_secret's answer is wiped by the session. */
typedef char *(*managesieve_secret)(gpointer data, GError **error);
struct managesieve *managesieve_open(const struct endpoint *endpoint, managesieve_secret get_secret, gpointer data,
                                     struct cancel *cancel, GError **error);
/* The same over a stream that is not connected yet; takes it over. */
struct managesieve *managesieve_open_stream(struct stream *stream, managesieve_secret get_secret, gpointer data, GError **error);
/* Says LOGOUT when the line is fine. NULL is allowed. */
void managesieve_free(struct managesieve *session);
typedef struct managesieve struct_managesieve;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_managesieve, managesieve_free)

/* Names of the scripts, NULL-terminated; *active (for g_free()) is NULL when none is. */
GStrv managesieve_list(struct managesieve *session, char **active, GError **error);
char *managesieve_get(struct managesieve *session, const char *name, GError **error);
/* The server compiles it first: ERROR_REFUSED has its words, and nothing is changed. */
gboolean managesieve_put(struct managesieve *session, const char *name, const char *script, GError **error);
gboolean managesieve_activate(struct managesieve *session, const char *name, GError **error);

#endif
