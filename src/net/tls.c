/* The TLS layer of a stream, and the judgement on certificates. With digest.c the only code that knows
 * OpenSSL. */
#include "config.h"

#include "net/stream_private.h"

#include "base/text.h"

#include <arpa/inet.h>
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
    int socket_error; /* errno of the last failure below TLS, 0 for an end of file */
    gboolean pinned, verified;
    /* What the verification found: bits of enum certificate_fault, and for each X509_V_ERR_* and the depth of
     * the certificate, 0 for the server's own. */
    unsigned faults;
    int x509_errors[CERTIFICATE_INVALID + 1], depths[CERTIFICATE_INVALID + 1];
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

/* ---- certificates ---- */

static enum certificate_fault
classify(int x509_error, int depth)
{
    switch (x509_error) {
    case X509_V_OK:
        return CERTIFICATE_OK;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return CERTIFICATE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CERTIFICATE_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return CERTIFICATE_OTHER_HOST;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return CERTIFICATE_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return CERTIFICATE_UNKNOWN_ISSUER;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
        return CERTIFICATE_BAD_ISSUER;
    case X509_V_ERR_INVALID_PURPOSE:
        return depth == 0 ? CERTIFICATE_WRONG_PURPOSE : CERTIFICATE_BAD_ISSUER;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return CERTIFICATE_WEAK;
    default:
        return CERTIFICATE_INVALID;
    }
}

static char *
key_of(X509 *certificate)
{
    g_autofree guint8 *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), NULL);
    if (length <= 0)
        return NULL;
    der = g_malloc((gsize)length);
    guint8 *end = der;
    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &end);
    guint8 hash[32];
    unsigned size = sizeof hash;
    if (!EVP_Digest(der, (size_t)length, hash, &size, EVP_sha256(), NULL))
        return NULL;
    g_autofree char *base64 = g_base64_encode(hash, size);
    return g_strconcat("sha256:", base64, NULL);
}

static char *
describe_time(const ASN1_TIME *time)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(time, &tm))
        return g_strdup("an unreadable date");
    return g_strdup_printf("%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void
append_name(GString *list, const char *text, gssize length)
{
    g_autofree char *safe = text_safe(text, length, TEXT_LINE);
    g_string_append_printf(list, "%s%.100s", list->len ? ", " : "", safe);
}

/* The names that a certificate is for: "mail.example.org, 192.0.2.1, …", from the server, made safe. */
static char *
describe_names(X509 *certificate)
{
    GString *list = g_string_new(NULL);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names ? sk_GENERAL_NAME_num(names) : 0;
    for (int i = 0; i < MIN(count, 5); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char address[INET6_ADDRSTRLEN];
        if (name->type == GEN_DNS) {
            append_name(list, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                        ASN1_STRING_length(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
            if (ASN1_STRING_length(name->d.iPAddress) == (family == AF_INET ? 4 : 16) &&
                inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), address, sizeof address))
                append_name(list, address, -1);
        }
    }
    if (count > 5)
        g_string_append(list, ", …");
    if (list->len == 0)
        g_string_append(list, "no host (it has no usable subjectAltName)");
    GENERAL_NAMES_free(names);
    return g_string_free(list, FALSE);
}

/* What is wrong, as the end of "the certificate …". */
static char *
describe_fault(const struct tls *tls, enum certificate_fault fault, X509 *leaf)
{
    gboolean of_issuer = tls->depths[fault] > 0;
    const char *whose = of_issuer ? "of an issuer of the server " : "";
    switch (fault) {
    case CERTIFICATE_EXPIRED: {
        if (of_issuer)
            return g_strdup_printf("%shas expired: tell the operator, or check the clock of this machine",
                                   whose);
        g_autofree char *date = describe_time(X509_get0_notAfter(leaf));
        return g_strdup_printf("expired on %s: tell the operator, or check the clock of this machine", date);
    }
    case CERTIFICATE_NOT_YET_VALID: {
        if (of_issuer)
            return g_strdup_printf("%sis not valid yet: check the clock of this machine", whose);
        g_autofree char *date = describe_time(X509_get0_notBefore(leaf));
        return g_strdup_printf("is not valid before %s: check the clock of this machine", date);
    }
    case CERTIFICATE_OTHER_HOST: {
        g_autofree char *names = describe_names(leaf);
        return g_strdup_printf("is for %s, not for %s: check the server name in the configuration", names,
                               tls->stream->endpoint->host);
    }
    case CERTIFICATE_SELF_SIGNED:
        return g_strdup_printf(
            "is self-signed, so nobody vouches for it; if the operator confirms the key %s, set "
            "tls-pin to it, or put the certificate in a file and set tls-ca",
            tls->stream->key);
    case CERTIFICATE_UNKNOWN_ISSUER:
        return g_strdup_printf(
            "was issued by nobody that %s trusts, or the server does not send the whole chain: set "
            "tls-ca to the issuer's certificate; or, if the operator confirms the key %s, tls-pin",
            tls->stream->endpoint->tls_ca ? tls->stream->endpoint->tls_ca : "this system", tls->stream->key);
    default:
        return g_strdup_printf("%sis not acceptable (%s): tell the operator", whose,
                               X509_verify_cert_error_string(tls->x509_errors[fault]));
    }
}

/* The gravest of several faults is what the user must hear. */
static enum certificate_fault
gravest(unsigned faults)
{
    static const enum certificate_fault order[] = {
        CERTIFICATE_INVALID, CERTIFICATE_BAD_ISSUER,  CERTIFICATE_WRONG_PURPOSE,
        CERTIFICATE_WEAK,    CERTIFICATE_OTHER_HOST,  CERTIFICATE_NOT_YET_VALID,
        CERTIFICATE_EXPIRED, CERTIFICATE_SELF_SIGNED, CERTIFICATE_UNKNOWN_ISSUER};
    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        if (faults & (1u << order[i]))
            return order[i];
    return CERTIFICATE_OK;
}

static gboolean
fail_certificate(struct tls *tls, enum certificate_fault fault, X509 *leaf, GError **error)
{
    struct stream *stream = tls->stream;
    g_autofree char *what = describe_fault(tls, fault, leaf);
    stream->certificate_fault = fault;
    return stream_fail(stream, STREAM_CERTIFICATE, ERROR_SECURITY, error, "the certificate %s", what);
}

/* A pin forgives an unknown issuer, and either a passed date or another name: not both, and nothing else. */
static gboolean
judge(struct tls *tls, X509 *leaf, GError **error)
{
    struct stream *stream = tls->stream;
    const unsigned date = 1u << CERTIFICATE_EXPIRED, name = 1u << CERTIFICATE_OTHER_HOST;
    const unsigned issuer = 1u << CERTIFICATE_SELF_SIGNED | 1u << CERTIFICATE_UNKNOWN_ISSUER;
    if (!tls->pinned)
        return !tls->faults || fail_certificate(tls, gravest(tls->faults), leaf, error);
    if (g_strcmp0(stream->key, stream->endpoint->tls_pin) != 0) {
        stream->certificate_fault = CERTIFICATE_PIN_MISMATCH;
        return stream_fail(
            stream, STREAM_CERTIFICATE, ERROR_SECURITY, error,
            "the key of the server is %s, but tls-pin says %s: either the operator has changed the key "
            "(ask, then change tls-pin), or somebody is in between",
            stream->key, stream->endpoint->tls_pin);
    }
    unsigned grave = tls->faults & ~(date | name | issuer);
    if (!grave && (tls->faults & (date | name)) == (date | name))
        grave = name;
    return !grave || fail_certificate(tls, gravest(grave), leaf, error);
}

/* Gathers every fault, so that the gravest can be named and a pin can forgive some. */
static int
note_fault(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    if (!ok) {
        int x509_error = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
        enum certificate_fault fault = classify(x509_error, depth);
        if (!(tls->faults & (1u << fault))) {
            tls->x509_errors[fault] = x509_error;
            tls->depths[fault] = depth;
        }
        tls->faults |= 1u << fault;
    }
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
    tls->faults = 0;
    if (X509_verify_cert(store) <= 0 && !tls->faults)
        tls->faults = 1u << CERTIFICATE_INVALID;
    g_free(tls->stream->key);
    tls->stream->key = leaf ? key_of(leaf) : NULL;
    if (tls->stream->key && judge(tls, leaf, NULL)) {
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
        g_autofree guchar *hash = g_base64_decode(pin + strlen("sha256:"), &length);
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
    tls->pinned = stream->endpoint->tls_pin != NULL;
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
