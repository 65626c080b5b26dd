/*
 * digest: the few primitives of cryptography that logins need, from OpenSSL.
 *
 * Pure functions; any thread. Sizes are digest_size(kind) bytes; results are written into the caller's
 * storage, which holds secrets and is the caller's to wipe with secret_wipe(). A failure of OpenSSL here is a
 * broken machine: the program ends.
 */
#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include <glib.h>

enum digest { DIGEST_SHA1, DIGEST_SHA256 };
#define DIGEST_SIZE_MAX 32

gsize digest_size(enum digest kind);
void digest_hash(enum digest kind, const void *bytes, gsize length, guint8 *out);
/* RFC 2104. */
void digest_hmac(enum digest kind, const void *key, gsize key_length, const void *bytes, gsize length,
                 guint8 *out);
/* RFC 8018, with HMAC: the Hi() of SCRAM. */
void digest_pbkdf2(enum digest kind, const char *password, const void *salt, gsize salt_length,
                   guint iterations, guint8 *out);
void digest_random(void *bytes, gsize length);

/* base/sha256.h uses OpenSSL from here on. Before there is a second thread. */
void digest_speed_up(void);

/* In a time that does not tell where they differ. */
gboolean secret_equal(const void *a, const void *b, gsize length);
void secret_wipe(void *bytes, gsize length);
/* Wipes up to the NUL, and frees. NULL is allowed. */
void secret_free(char *text);

#endif
