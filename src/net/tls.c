/* The TLS layer of a stream: OpenSSL on our socket, waiting for nothing. */
#include "config.h"

#include "net/certificate.h"
#include "net/stream_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls {
    SSL_CTX *context;
    SSL *ssl;
    BIO_METHOD *method;
    struct stream *stream;
    int socket_error;  /* errno of the last failure below TLS, 0 for an end of file */
    gboolean verified; /* verify_chain() said yes */
    struct certificate_check check;
};

/* ---- the socket as OpenSSL sees it: MSG_NOSIGNAL, counted bytes ---- */

static int
bio_read(BIO *bio, char *bytes, int size)
{
    struct tls *tls = BIO_get_data(bio);
    gsize got = 0;
    BIO_clear_retry_flags(bio);
    switch (socket_read(tls->stream, bytes, (gsize)size, &got, &tls->socket_error)) {
    case LINK_DONE:
        return (int)got;
    case LINK_WANT_READ:
    case LINK_WANT_WRITE:
        BIO_set_retry_read(bio);
        return -1;
    case LINK_ERROR:
        break;
    }
    return tls->socket_error ? -1 : 0;
}

static int
bio_write(BIO *bio, const char *bytes, int length)
{
    struct tls *tls = BIO_get_data(bio);
    gsize put = 0;
    BIO_clear_retry_flags(bio);
    switch (socket_write(tls->stream, bytes, (gsize)length, &put, &tls->socket_error)) {
    case LINK_DONE:
        return (int)put;
    case LINK_WANT_READ:
    case LINK_WANT_WRITE:
        BIO_set_retry_write(bio);
        return -1;
    case LINK_ERROR:
        break;
    }
    return -1;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    struct tls *tls = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return tls->stream->ended;
    default:
        return 0;
    }
}

static BIO *
bio_new(struct tls *tls)
{
    tls->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postrider socket");
    if (!tls->method)
        return NULL;
    BIO_meth_set_read(tls->method, bio_read);
    BIO_meth_set_write(tls->method, bio_write);
    BIO_meth_set_ctrl(tls->method, bio_ctrl);
    BIO *bio = BIO_new(tls->method);
    if (bio) {
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

static void
tls_free(struct tls *tls)
{
    SSL_free(tls->ssl); /* frees the BIO */
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->method);
    g_free(tls);
}

/* ---- verification: every fault is gathered, then judged ---- */

static int
note_fault(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    if (!ok)
        certificate_note(&tls->check, store);
    return 1;
}

/* In place of OpenSSL's own step in the handshake: its verification, then our judgement. 0 ends the handshake
 * with an alert, before anything of the session is sent. */
static int
verify_chain(X509_STORE_CTX *store, void *data)
{
    struct tls *tls = data;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    X509_STORE_CTX_set_verify_cb(store, note_fault);
    tls->check.faults = 0;
    if (X509_verify_cert(store) <= 0 && !tls->check.faults)
        tls->check.faults = 1u << CERTIFICATE_INVALID;
    g_free(tls->stream->key);
    tls->stream->key = leaf ? certificate_key(leaf) : NULL;
    if (tls->stream->key && certificate_judge(tls->stream, &tls->check, leaf, NULL)) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        tls->verified = TRUE;
        return 1;
    }
    if (X509_STORE_CTX_get_error(store) == X509_V_OK)
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* ---- the handshake ---- */

/* The name to ask for and to check, without a trailing dot, IDN as A-labels. NULL for an IP literal. */
static char *
host_name(const struct endpoint *endpoint)
{
    if (g_hostname_is_ip_address(endpoint->host))
        return NULL;
    g_autofree char *host = g_hostname_to_ascii(endpoint->host);
    if (!host)
        host = g_strdup(endpoint->host);
    gsize length = strlen(host);
    if (length > 1 && host[length - 1] == '.')
        host[length - 1] = '\0';
    return g_steal_pointer(&host);
}

static gboolean
fail_setup(struct stream *stream, GError **error)
{
    g_autofree char *why = g_strdup(ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
    return stream_fail(stream, STREAM_TLS, ERROR_GIVEUP, error, "TLS cannot be set up: %s",
                       why ? why : "no reason");
}

static gboolean
load_anchors(struct tls *tls, GError **error)
{
    const char *file = tls->stream->endpoint->tls_ca;
    if (!file)
        return SSL_CTX_set_default_verify_paths(tls->context) || fail_setup(tls->stream, error);
    if (SSL_CTX_load_verify_file(tls->context, file))
        return TRUE;
    ERR_clear_error();
    return stream_fail(tls->stream, STREAM_TLS, ERROR_CONFIG, error,
                       "tls-ca: %s cannot be read, or holds no PEM certificate", file);
}

static gboolean
check_pin(struct stream *stream, GError **error)
{
    const char *pin = stream->endpoint->tls_pin;
    gsize length = 0;
    if (!pin)
        return TRUE;
    if (g_str_has_prefix(pin, "sha256:") && strlen(pin) == strlen("sha256:") + 44) {
        guchar *hash = g_base64_decode(pin + strlen("sha256:"), &length);
        g_free(hash);
        if (length == 32)
            return TRUE;
    }
    return stream_fail(stream, STREAM_TLS, ERROR_CONFIG, error,
                       "tls-pin: \"%s\" is not sha256: and 44 characters of base64", pin);
}

static gboolean
set_up(struct tls *tls, GError **error)
{
    struct stream *stream = tls->stream;
    g_autofree char *name = host_name(stream->endpoint);
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context || !SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION))
        return fail_setup(stream, error);
    SSL_CTX_set_security_level(tls->context, 2);
    SSL_CTX_set_options(tls->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(tls->context, verify_chain, tls);
    if (!check_pin(stream, error) || !load_anchors(tls, error))
        return FALSE;

    tls->ssl = SSL_new(tls->context);
    BIO *bio = tls->ssl ? bio_new(tls) : NULL;
    if (!bio)
        return fail_setup(stream, error);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    /* The defaults of a client already ask for a server's certificate: purpose, key usage, dates. */
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    gboolean ok =
        name ? X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(tls->ssl, name)
             : X509_VERIFY_PARAM_set1_ip_asc(param, stream->endpoint->host);
    return ok || fail_setup(stream, error);
}

/* After a failed handshake: the certificate, the connection below, or TLS itself. */
static gboolean
fail_handshake(struct tls *tls, int ssl_error, GError **error)
{
    struct stream *stream = tls->stream;
    unsigned long code = ERR_peek_last_error();
    if (stream->death) { /* verify_chain() has spoken */
        ERR_clear_error();
        return stream_check_alive(stream, error);
    }
    if (ssl_error == SSL_ERROR_SYSCALL && tls->socket_error)
        return stream_fail_errno(stream, tls->socket_error, error, "the connection failed");
    if (stream->ended && (code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
        ERR_clear_error();
        return stream_fail(stream, STREAM_CLOSED, ERROR_RETRY, error,
                           "the server closed the connection during the TLS handshake: check the port");
    }
    const char *reason = ERR_reason_error_string(code);
    g_autofree char *why = g_strdup(reason ? reason : "no reason given");
    int number = ERR_GET_REASON(code);
    ERR_clear_error();
    const char *remedy = "tell the operator";
    if (number == SSL_R_WRONG_VERSION_NUMBER || number == SSL_R_PACKET_LENGTH_TOO_LONG)
        remedy = "the server does not speak TLS here: check the port and whether it wants STARTTLS";
    else if (number == SSL_R_UNSUPPORTED_PROTOCOL || number == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
        remedy = "the server offers only versions before TLS 1.2, which are not safe: tell the operator";
    return stream_fail(stream, STREAM_TLS, ERROR_SECURITY, error, "the TLS handshake failed (%s): %s", why,
                       remedy);
}

static gboolean
shake_hands(struct tls *tls, GError **error)
{
    for (;;) {
        ERR_clear_error();
        int result = SSL_connect(tls->ssl);
        if (result == 1)
            return TRUE;
        int ssl_error = SSL_get_error(tls->ssl, result);
        short events = ssl_error == SSL_ERROR_WANT_READ    ? POLLIN
                       : ssl_error == SSL_ERROR_WANT_WRITE ? POLLOUT
                                                           : 0;
        if (!events)
            return fail_handshake(tls, ssl_error, error);
        if (!stream_await(tls->stream, events, NULL, error))
            return FALSE;
    }
}

gboolean
tls_handshake(struct stream *stream, GError **error)
{
    struct tls *tls = g_new0(struct tls, 1);
    tls->stream = stream;
    stream->activity = "negotiating TLS";
    gboolean ok = set_up(tls, error) && shake_hands(tls, error);
    if (ok && !tls->verified) /* a cipher without certificates cannot be had, so this cannot happen */
        ok = stream_fail(stream, STREAM_TLS, ERROR_SECURITY, error, "the server showed no certificate");
    if (ok)
        stream->tls = tls;
    else
        tls_free(tls);
    return ok;
}

/* ---- data ---- */

enum link_status
tls_read(struct stream *stream, void *bytes, gsize size, gsize *got, GError **error)
{
    struct tls *tls = stream->tls;
    ERR_clear_error();
    if (SSL_read_ex(tls->ssl, bytes, size, got))
        return LINK_DONE;
    switch (SSL_get_error(tls->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        return LINK_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return LINK_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        stream_fail(stream, STREAM_CLOSED, ERROR_RETRY, error, "the server closed the connection while %s",
                    stream->activity);
        return LINK_ERROR;
    case SSL_ERROR_SYSCALL:
        if (tls->socket_error) {
            stream_fail_errno(stream, tls->socket_error, error, "cannot read");
            return LINK_ERROR;
        }
        break;
    default:
        break;
    }
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (stream->ended)
        stream_fail(stream, STREAM_TRUNCATED, ERROR_RETRY, error,
                    "the connection was cut off while %s, without the end that TLS demands: what came may be "
                    "incomplete",
                    stream->activity);
    else
        stream_fail(stream, STREAM_TLS, ERROR_SECURITY, error, "TLS failed while %s (%s)", stream->activity,
                    reason ? reason : "no reason given");
    ERR_clear_error();
    return LINK_ERROR;
}

enum link_status
tls_write(struct stream *stream, const void *bytes, gsize length, gsize *put, int *err)
{
    struct tls *tls = stream->tls;
    ERR_clear_error();
    if (SSL_write_ex(tls->ssl, bytes, length, put))
        return LINK_DONE;
    switch (SSL_get_error(tls->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        return LINK_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return LINK_WANT_WRITE;
    default:
        *err = tls->socket_error ? tls->socket_error : EPROTO;
        ERR_clear_error();
        return LINK_ERROR;
    }
}

void
tls_close(struct stream *stream)
{
    struct tls *tls = g_steal_pointer(&stream->tls);
    /* close_notify once, without waiting for the server's; not after a failure, which OpenSSL forbids. */
    if (!stream->death) {
        ERR_clear_error();
        SSL_shutdown(tls->ssl);
        ERR_clear_error();
    }
    tls_free(tls);
}

const char *
tls_get_version(const struct tls *tls)
{
    return SSL_get_version(tls->ssl);
}

const char *
tls_get_cipher(const struct tls *tls)
{
    return SSL_get_cipher_name(tls->ssl);
}
