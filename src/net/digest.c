#include "config.h"

#include "net/digest.h"
#include "base/sha256.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static const EVP_MD *
algorithm(enum digest kind)
{
    return kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
}

gsize
digest_size(enum digest kind)
{
    return kind == DIGEST_SHA1 ? 20 : 32;
}

void
digest_hash(enum digest kind, const void *bytes, gsize length, guint8 *out)
{
    if (!EVP_Digest(bytes, length, out, NULL, algorithm(kind), NULL))
        g_error("OpenSSL: no digest");
}

void
digest_hmac(enum digest kind, const void *key, gsize key_length, const void *bytes, gsize length, guint8 *out)
{
    if (!HMAC(algorithm(kind), key, (int)key_length, bytes, length, out, NULL))
        g_error("OpenSSL: no HMAC");
}

void
digest_pbkdf2(enum digest kind, const char *password, const void *salt, gsize salt_length, guint iterations,
              guint8 *out)
{
    if (!PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)salt_length, (int)iterations,
                           algorithm(kind), (int)digest_size(kind), out))
        g_error("OpenSSL: no PBKDF2");
}

void
digest_random(void *bytes, gsize length)
{
    if (RAND_bytes(bytes, (int)length) != 1)
        g_error("OpenSSL: no random numbers");
}

static gpointer
sum_begin(void)
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    if (!sum || !EVP_DigestInit_ex(sum, EVP_sha256(), NULL))
        g_error("OpenSSL: no digest");
    return sum;
}

static void
sum_add(gpointer sum, const void *bytes, gsize length)
{
    if (!EVP_DigestUpdate(sum, bytes, length))
        g_error("OpenSSL: no digest");
}

static void
sum_end(gpointer sum, guint8 *out)
{
    if (!EVP_DigestFinal_ex(sum, out, NULL))
        g_error("OpenSSL: no digest");
    EVP_MD_CTX_free(sum);
}

void
digest_speed_up(void)
{
    static const struct sha256_engine openssl = {sum_begin, sum_add, sum_end};
    sha256_use(&openssl);
}

gboolean
secret_equal(const void *a, const void *b, gsize length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void
secret_wipe(void *bytes, gsize length)
{
    OPENSSL_cleanse(bytes, length);
}

void
secret_free(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    g_free(text);
}
