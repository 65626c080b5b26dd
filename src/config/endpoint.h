/*
 * endpoint: one server of an account, as the configuration names it.
 *
 * Plain data: whoever holds one may read and set its members. The secret is never part of it.
 *
 * Strings belong to the endpoint. Functions here may be called from any thread; one endpoint is used by one
 * thread at a time. Nothing here opens a connection or reads a file.
 */
#ifndef CONFIG_ENDPOINT_H
#define CONFIG_ENDPOINT_H

#include <glib.h>

enum tls_mode {
    TLS_IMPLICIT, /* TLS from the first byte: imaps, smtps, pop3s (RFC 8314) */
    TLS_STARTTLS, /* upgrade demanded: without it nothing is sent (RFC 3501 6.2.1, RFC 3207, RFC 2595) */
    TLS_NONE      /* plain; accepted for loopback only */
};

enum endpoint_protocol { ENDPOINT_IMAP, ENDPOINT_POP3, ENDPOINT_SMTP, ENDPOINT_SIEVE };

struct endpoint {
    enum endpoint_protocol protocol;
    char *host;   /* name or IP literal without brackets */
    guint16 port; /* in host order, never 0 in a configured endpoint */
    enum tls_mode tls;
    char *user;    /* NULL: no login is attempted */
    char *tls_ca;  /* PEM file of trust anchors used in place of the system's, or NULL */
    char *tls_pin; /* "sha256:BASE64" of the server's public key (SPKI), or NULL */
};

/* Takes copies of the strings. The rest of the members start as NULL. */
struct endpoint *endpoint_new(enum endpoint_protocol protocol, enum tls_mode tls, const char *host,
                              guint16 port, const char *user);
struct endpoint *endpoint_copy(const struct endpoint *endpoint);
void endpoint_free(struct endpoint *endpoint);

/* The port that a protocol uses with this kind of TLS: 993, 143, 995, 110, 465, 587, 4190. */
guint16 endpoint_default_port(enum endpoint_protocol protocol, enum tls_mode tls);

/* "imap.example.org:993" or "[::1]:993", for messages and logs. Caller frees. */
char *endpoint_to_string(const struct endpoint *endpoint);

typedef struct endpoint struct_endpoint;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_endpoint, endpoint_free)

#endif
