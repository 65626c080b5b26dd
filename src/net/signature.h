/*
 * signature: public keys as DKIM publishes them, and whether a signature was made by one; from OpenSSL.
 *
 * Pure; any thread. Keys and signatures come from outside: what cannot be a key gives NULL, and keys beyond
 * SIGNATURE_BITS_MAX are refused, since checking with them takes long.
 */
#ifndef NET_SIGNATURE_H
#define NET_SIGNATURE_H

#include <glib.h>

#define SIGNATURE_BITS_MAX 8192

enum signature_kind { SIGNATURE_RSA, SIGNATURE_ED25519 };

struct signature_key;

/* RSA: SubjectPublicKeyInfo (RFC 6376 section 3.6.1) or a bare RSAPublicKey, as some publish it. Ed25519: its
 * 32 bytes (RFC 8463 section 4). */
struct signature_key *signature_key_new(enum signature_kind kind, const guint8 *bytes, gsize length);
void signature_key_free(struct signature_key *key);
typedef struct signature_key struct_signature_key;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_signature_key, signature_key_free)
guint signature_key_bits(const struct signature_key *key);

/* hash: the 32 bytes of SHA-256 of what was signed. RSA by PKCS #1 version 1.5. */
gboolean signature_verify(const struct signature_key *key, const guint8 *hash, const guint8 *signature,
                          gsize length);

#endif
