#include "config.h"

#include "net/certificate.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/x509v3.h>

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

char *
certificate_key(X509 *certificate)
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
append_name(GString *list, const char *text, gsize length)
{
    g_autofree char *safe = text_safe(text, (gssize)MIN(length, 100), TEXT_LINE);
    g_string_append_printf(list, "%s%s", list->len ? ", " : "", safe);
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
                        (gsize)ASN1_STRING_length(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
            if (ASN1_STRING_length(name->d.iPAddress) == (family == AF_INET ? 4 : 16) &&
                inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), address, sizeof address))
                append_name(list, address, strlen(address));
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
describe_fault(const struct stream *stream, const struct certificate_check *check,
               enum certificate_fault fault, X509 *leaf)
{
    gboolean of_issuer = check->depths[fault] > 0;
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
                               stream->endpoint->host);
    }
    case CERTIFICATE_SELF_SIGNED:
        return g_strdup_printf(
            "is self-signed, so nobody vouches for it; if the operator confirms the key %s, set "
            "tls-pin to it, or put the certificate in a file and set tls-ca",
            stream->key);
    case CERTIFICATE_UNKNOWN_ISSUER:
        return g_strdup_printf(
            "was issued by nobody that %s trusts, or the server does not send the whole chain: set "
            "tls-ca to the issuer's certificate; or, if the operator confirms the key %s, tls-pin",
            stream->endpoint->tls_ca ? stream->endpoint->tls_ca : "this system", stream->key);
    default:
        return g_strdup_printf("%sis not acceptable (%s): tell the operator", whose,
                               X509_verify_cert_error_string(check->x509_errors[fault]));
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
fail_certificate(struct stream *stream, const struct certificate_check *check, enum certificate_fault fault,
                 X509 *leaf, GError **error)
{
    g_autofree char *what = describe_fault(stream, check, fault, leaf);
    stream->certificate_fault = fault;
    return stream_fail(stream, STREAM_CERTIFICATE, ERROR_SECURITY, error, "the certificate %s", what);
}

gboolean
certificate_judge(struct stream *stream, const struct certificate_check *check, X509 *leaf, GError **error)
{
    const unsigned date = 1u << CERTIFICATE_EXPIRED, name = 1u << CERTIFICATE_OTHER_HOST;
    const unsigned issuer = 1u << CERTIFICATE_SELF_SIGNED | 1u << CERTIFICATE_UNKNOWN_ISSUER;
    if (!stream->endpoint->tls_pin)
        return !check->faults || fail_certificate(stream, check, gravest(check->faults), leaf, error);
    if (g_strcmp0(stream->key, stream->endpoint->tls_pin) != 0) {
        stream->certificate_fault = CERTIFICATE_PIN_MISMATCH;
        return stream_fail(
            stream, STREAM_CERTIFICATE, ERROR_SECURITY, error,
            "the key of the server is %s, but tls-pin says %s: either the operator has changed the key "
            "(ask, then change tls-pin), or somebody is in between",
            stream->key, stream->endpoint->tls_pin);
    }
    unsigned grave = check->faults & ~(date | name | issuer);
    if (!grave && (check->faults & (date | name)) == (date | name))
        grave = name;
    return !grave || fail_certificate(stream, check, gravest(grave), leaf, error);
}

void
certificate_note(struct certificate_check *check, X509_STORE_CTX *store)
{
    int x509_error = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
    enum certificate_fault fault = classify(x509_error, depth);
    if (!(check->faults & (1u << fault))) {
        check->x509_errors[fault] = x509_error;
        check->depths[fault] = depth;
    }
    check->faults |= 1u << fault;
}
