#include "config.h"

#include "config/endpoint.h"

#include <string.h>

struct endpoint *
endpoint_new(enum endpoint_protocol protocol, enum tls_mode tls, const char *host, guint16 port,
             const char *user)
{
    struct endpoint *endpoint = g_new0(struct endpoint, 1);
    endpoint->protocol = protocol;
    endpoint->tls = tls;
    endpoint->host = g_strdup(host);
    endpoint->port = port;
    endpoint->user = g_strdup(user);
    return endpoint;
}

struct endpoint *
endpoint_copy(const struct endpoint *endpoint)
{
    struct endpoint *copy =
        endpoint_new(endpoint->protocol, endpoint->tls, endpoint->host, endpoint->port, endpoint->user);
    copy->tls_ca = g_strdup(endpoint->tls_ca);
    copy->tls_pin = g_strdup(endpoint->tls_pin);
    return copy;
}

void
endpoint_free(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    g_free(endpoint->host);
    g_free(endpoint->user);
    g_free(endpoint->tls_ca);
    g_free(endpoint->tls_pin);
    g_free(endpoint);
}

guint16
endpoint_default_port(enum endpoint_protocol protocol, enum tls_mode tls)
{
    static const guint16 ports[][2] = {
        /* implicit TLS, else */
        [ENDPOINT_IMAP] = {993, 143},
        [ENDPOINT_POP3] = {995, 110},
        [ENDPOINT_SMTP] = {465, 587},
        [ENDPOINT_SIEVE] = {4190, 4190},
    };
    return ports[protocol][tls == TLS_IMPLICIT ? 0 : 1];
}

char *
endpoint_to_string(const struct endpoint *endpoint)
{
    const char *host = endpoint->host ? endpoint->host : "?";
    return g_strdup_printf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, endpoint->port);
}
