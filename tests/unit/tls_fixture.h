/* Certificates made on the spot, and a server end in a thread, for the tests of the stream and of sessions on
 * it. */
#ifndef TESTS_TLS_FIXTURE_H
#define TESTS_TLS_FIXTURE_H

#include <glib.h>
#include <glib/gstdio.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
};

struct certificate_spec {
    const char *name;                /* of the subject */
    const char *san;                 /* as in openssl.cnf: "DNS:a,IP:127.0.0.1"; NULL: none */
    int from_days, to_days;          /* 0, 0: valid now */
    const char *constraints;         /* basicConstraints; NULL: "CA:FALSE" */
    const char *eku, *usage, *names; /* extendedKeyUsage, keyUsage, nameConstraints; NULL: none */
    int rsa_bits;                    /* 0: an elliptic curve */
    gboolean sha1;
    const char *raw_dns; /* one dNSName of exactly raw_length bytes in place of san */
    gsize raw_length;
};

static inline EVP_PKEY *
fixture_key(int rsa_bits)
{
    EVP_PKEY *key = rsa_bits ? EVP_RSA_gen((unsigned)rsa_bits) : EVP_EC_gen("P-256");
    g_assert_nonnull(key);
    return key;
}

static inline void
fixture_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    if (!value)
        return;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    g_assert_nonnull(extension);
    g_assert_true(X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static inline void
fixture_raw_dns(X509 *x509, const char *bytes, gsize length)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();
    g_assert_true(ASN1_STRING_set(string, bytes, (int)length));
    GENERAL_NAME_set0_value(name, GEN_DNS, string);
    sk_GENERAL_NAME_push(names, name);
    g_assert_true(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0));
    GENERAL_NAMES_free(names);
}

/* issuer NULL: signed by itself. */
static inline struct certificate *
fixture_certificate(const struct certificate_spec *spec, const struct certificate *issuer)
{
    static long serial = 1;
    struct certificate *made = g_new0(struct certificate, 1);
    X509 *x509 = made->x509 = X509_new();
    made->key = fixture_key(spec->rsa_bits);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x509), 86400L * (spec->from_days ? spec->from_days : -1));
    X509_gmtime_adj(X509_getm_notAfter(x509), 86400L * (spec->to_days ? spec->to_days : 30));
    X509_set_pubkey(x509, made->key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               (const unsigned char *)spec->name, -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->x509 : x509));
    X509 *signer = issuer ? issuer->x509 : x509;
    fixture_extension(x509, signer, NID_basic_constraints,
                      spec->constraints ? spec->constraints : "CA:FALSE");
    fixture_extension(x509, signer, NID_subject_key_identifier, "hash");
    fixture_extension(x509, signer, NID_ext_key_usage, spec->eku);
    fixture_extension(x509, signer, NID_key_usage, spec->usage);
    fixture_extension(x509, signer, NID_name_constraints, spec->names);
    fixture_extension(x509, signer, NID_subject_alt_name, spec->san);
    if (spec->raw_dns)
        fixture_raw_dns(x509, spec->raw_dns, spec->raw_length);
    g_assert_cmpint(X509_sign(x509, issuer ? issuer->key : made->key, spec->sha1 ? EVP_sha1() : EVP_sha256()),
                    >, 0);
    return made;
}

static inline void
fixture_certificate_free(struct certificate *certificate)
{
    if (!certificate)
        return;
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    g_free(certificate);
}

/* In a temporary file; caller unlinks and frees. */
static inline char *
fixture_write_pem(X509 *x509)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    int fd = g_file_open_tmp("postrider-ca-XXXXXX.pem", &path, &error);
    g_assert_no_error(error);
    FILE *file = fdopen(fd, "w");
    g_assert_true(PEM_write_X509(file, x509));
    fclose(file);
    return path;
}

static inline char *
fixture_pin(X509 *x509)
{
    unsigned char *der = NULL, hash[32];
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
    g_assert_cmpint(length, >, 0);
    g_assert_true(EVP_Digest(der, (size_t)length, hash, NULL, EVP_sha256(), NULL));
    OPENSSL_free(der);
    g_autofree char *base64 = g_base64_encode(hash, sizeof hash);
    return g_strconcat("sha256:", base64, NULL);
}

/* The server's TLS context; chain: further certificates to send, NULL-terminated, or NULL. The server itself
 * is not choosy. */
static inline SSL_CTX *
fixture_context(const struct certificate *leaf, struct certificate *const *chain)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    g_assert_true(SSL_CTX_use_certificate(context, leaf->x509));
    g_assert_true(SSL_CTX_use_PrivateKey(context, leaf->key));
    for (; chain && *chain; chain++)
        g_assert_true(SSL_CTX_add1_chain_cert(context, (*chain)->x509));
    return context;
}

/* ---- the other end, blocking, in a thread of its own ---- */

struct peer {
    int fd;
    SSL *ssl;
};

static inline gssize
peer_read(struct peer *peer, void *bytes, gsize size)
{
    return peer->ssl ? SSL_read(peer->ssl, bytes, (int)size) : recv(peer->fd, bytes, size, 0);
}

static inline gboolean
peer_write(struct peer *peer, const void *bytes, gsize length)
{
    for (gsize done = 0; done < length;) {
        gssize n = peer->ssl ? SSL_write(peer->ssl, (const char *)bytes + done, (int)(length - done))
                             : send(peer->fd, (const char *)bytes + done, length - done, MSG_NOSIGNAL);
        if (n <= 0)
            return FALSE;
        done += (gsize)n;
    }
    return TRUE;
}

static inline gboolean
peer_puts(struct peer *peer, const char *text)
{
    return peer_write(peer, text, strlen(text));
}

/* The next line without its CRLF; NULL at the end. Caller frees. */
static inline char *
peer_read_line(struct peer *peer)
{
    g_autoptr(GString) line = g_string_new(NULL);
    char c;
    while (peer_read(peer, &c, 1) == 1) {
        if (c == '\n') {
            if (line->len && line->str[line->len - 1] == '\r')
                g_string_truncate(line, line->len - 1);
            return g_strdup(line->str);
        }
        g_string_append_c(line, c);
    }
    return NULL;
}

static inline gboolean
peer_accept_tls(struct peer *peer, SSL_CTX *context)
{
    peer->ssl = SSL_new(context);
    SSL_set_fd(peer->ssl, peer->fd);
    ERR_clear_error();
    return SSL_accept(peer->ssl) == 1;
}

static inline void
peer_close(struct peer *peer)
{
    SSL_free(peer->ssl);
    peer->ssl = NULL;
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
}

static inline void
fixture_socketpair(int *client, int *server)
{
    int pair[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    *client = pair[0];
    *server = pair[1];
}

#endif
