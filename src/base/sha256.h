/* sha256.h - SHA-256 (FIPS 180-4) of bytes that come in pieces
 *
 * GLib's own, unless the process has a faster one: the engine registers OpenSSL's (net/digest.h), which uses what the
 * processor has for it. The screen and the commands link no OpenSSL. Any thread; a sum belongs to one at a time.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <glib.h>

#define SHA256_SIZE 32

struct sha256;
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *sum, const void *bytes, gsize length);
/* Writes the sum to `out` and frees it. */
void sha256_end(struct sha256 *sum, guint8 out[SHA256_SIZE]);

/* Another way of doing it; `end` releases what `begin` made. */
struct sha256_engine {
    gpointer (*begin)(void);
    void (*add)(gpointer sum, const void *bytes, gsize length);
    void (*end)(gpointer sum, guint8 *out);
};
/* Before there is a second thread; `engine` stays valid for ever. */
void sha256_use(const struct sha256_engine *engine);

#endif
