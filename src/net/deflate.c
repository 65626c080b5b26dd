/* The DEFLATE layer: raw deflate without a zlib header in both directions (RFC 1951, RFC 4978). */
#include "config.h"

#include "net/stream_private.h"

#include <string.h>
#include <zlib.h>

struct deflate {
    z_stream inflater, deflater;
    guint8 raw[STREAM_BUFFER]; /* compressed bytes, of which the inflater still has avail_in to read */
    GByteArray *out;
};

struct deflate *
deflate_new(void)
{
    struct deflate *layer = g_new0(struct deflate, 1);
    /* Negative: no header. The window is the largest, as RFC 4978 wants it to be readable. */
    if (inflateInit2(&layer->inflater, -MAX_WBITS) != Z_OK ||
        deflateInit2(&layer->deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        g_error("zlib cannot start");
    layer->out = g_byte_array_new();
    layer->inflater.next_in = layer->raw;
    return layer;
}

void
deflate_free(struct deflate *layer)
{
    if (!layer)
        return;
    inflateEnd(&layer->inflater);
    deflateEnd(&layer->deflater);
    if (layer->out->len > 0)
        explicit_bzero(layer->out->data, layer->out->len);
    g_byte_array_unref(layer->out);
    explicit_bzero(layer->raw, sizeof layer->raw);
    g_free(layer);
}

guint64
deflate_get_saved(const struct deflate *layer)
{
    guint64 plain = layer->inflater.total_out + layer->deflater.total_in;
    guint64 packed = layer->inflater.total_in + layer->deflater.total_out;
    return plain > packed ? plain - packed : 0;
}

void *
deflate_get_room(struct deflate *layer, gsize *size)
{
    if (layer->inflater.avail_in > 0)
        memmove(layer->raw, layer->inflater.next_in, layer->inflater.avail_in);
    layer->inflater.next_in = layer->raw;
    *size = sizeof layer->raw - layer->inflater.avail_in;
    return layer->raw + layer->inflater.avail_in;
}

void
deflate_put(struct deflate *layer, gsize length)
{
    layer->inflater.avail_in += (uInt)length;
}

gboolean
deflate_expand(struct deflate *layer, void *bytes, gsize size, gsize *got)
{
    layer->inflater.next_out = bytes;
    layer->inflater.avail_out = (uInt)size;
    int status = inflate(&layer->inflater, Z_SYNC_FLUSH);
    *got = size - layer->inflater.avail_out;
    /* Z_BUF_ERROR: no progress is possible without more input. Z_STREAM_END never comes in a session. */
    return status == Z_OK || status == Z_BUF_ERROR || (status == Z_STREAM_END && *got > 0);
}

const guint8 *
deflate_compress(struct deflate *layer, const void *bytes, gsize length, gsize *size)
{
    z_stream *z = &layer->deflater;
    g_byte_array_set_size(layer->out, 0);
    z->next_in = (Bytef *)bytes;
    z->avail_in = (uInt)length;
    do {
        guint before = layer->out->len;
        g_byte_array_set_size(layer->out, before + 16 * 1024);
        z->next_out = layer->out->data + before;
        z->avail_out = 16 * 1024;
        if (deflate(z, Z_SYNC_FLUSH) == Z_STREAM_ERROR)
            g_error("zlib lost its state");
        g_byte_array_set_size(layer->out, layer->out->len - z->avail_out);
    } while (z->avail_out == 0);
    *size = layer->out->len;
    return layer->out->data;
}
