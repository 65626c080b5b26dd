#include "config.h"

#include "net/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define HASH_SIZE 32
#define ED25519_SIZE 32

struct signature_key {
    enum signature_kind kind;
    EVP_PKEY *key;
};

static EVP_PKEY *
read_key(enum signature_kind kind, const guint8 *bytes, gsize length)
{
    if (kind == SIGNATURE_ED25519)
        return length == ED25519_SIZE ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, length)
                                      : NULL;
    const guint8 *at = bytes;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)length);
    if (!key) {
        at = bytes;
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)length);
    }
    if (key && (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) > SIGNATURE_BITS_MAX)) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

struct signature_key *
signature_key_new(enum signature_kind kind, const guint8 *bytes, gsize length)
{
    EVP_PKEY *pkey = length <= SIGNATURE_BITS_MAX ? read_key(kind, bytes, length) : NULL;
    ERR_clear_error();
    if (!pkey)
        return NULL;
    struct signature_key *key = g_new0(struct signature_key, 1);
    key->kind = kind;
    key->key = pkey;
    return key;
}

void
signature_key_free(struct signature_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    g_free(key);
}

guint
signature_key_bits(const struct signature_key *key)
{
    return key->kind == SIGNATURE_ED25519 ? 256 : (guint)EVP_PKEY_get_bits(key->key);
}

/* RFC 8463 section 3: the hash itself is what Ed25519 signs. */
static gboolean
verify_ed25519(EVP_PKEY *key, const guint8 *hash, const guint8 *signature, gsize length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    gboolean ok = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                  EVP_DigestVerify(context, signature, length, hash, HASH_SIZE) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static gboolean
verify_rsa(EVP_PKEY *key, const guint8 *hash, const guint8 *signature, gsize length)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    gboolean ok = context && EVP_PKEY_verify_init(context) == 1 &&
                  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                  EVP_PKEY_verify(context, signature, length, hash, HASH_SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

gboolean
signature_verify(const struct signature_key *key, const guint8 *hash, const guint8 *signature, gsize length)
{
    gboolean ok = key->kind == SIGNATURE_ED25519 ? verify_ed25519(key->key, hash, signature, length)
                                                 : verify_rsa(key->key, hash, signature, length);
    ERR_clear_error();
    return ok;
}
