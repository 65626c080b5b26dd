#include "config.h"

#include "base/sha256.h"

static gpointer
begin(void)
{
    return g_checksum_new(G_CHECKSUM_SHA256);
}

static void
add(gpointer sum, const void *bytes, gsize length)
{
    g_checksum_update(sum, bytes, (gssize) length);
}

static void
end(gpointer sum, guint8 *out)
{
    gsize length = SHA256_SIZE;
    g_checksum_get_digest(sum, out, &length);
    g_checksum_free(sum);
}

static const struct sha256_engine glib = {begin, add, end};
static const struct sha256_engine *engine = &glib;

void
sha256_use(const struct sha256_engine *other)
{
    engine = other;
}

struct sha256 *
sha256_new(void)
{
    return engine->begin();
}

void
sha256_add(struct sha256 *sum, const void *bytes, gsize length)
{
    engine->add(sum, bytes, length);
}

void
sha256_end(struct sha256 *sum, guint8 out[SHA256_SIZE])
{
    engine->end(sum, out);
}
