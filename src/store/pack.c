#include "config.h"

#include "store/pack.h"

#include <string.h>
#include <zlib.h>

#define HEAD 4        /* bytes of the length */
#define PACK_FROM 160 /* shorter texts do not get shorter */
#define WINDOW_BITS -15

/* Making the state of a compressor takes longer than a short text: each thread keeps one. */
struct packer {
    z_stream stream;
    guint8 *buffer;
    gsize room;
};

static void
packer_free(gpointer data)
{
    struct packer *packer = data;
    deflateEnd(&packer->stream);
    g_free(packer->buffer);
    g_free(packer);
}

static GPrivate packers = G_PRIVATE_INIT(packer_free);

static struct packer *
packer_get(gsize length)
{
    struct packer *packer = g_private_get(&packers);
    if (!packer) {
        packer = g_new0(struct packer, 1);
        if (deflateInit2(&packer->stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
            g_free(packer);
            return NULL;
        }
        g_private_set(&packers, packer);
    }
    if (packer->room < length) {
        packer->room = length;
        packer->buffer = g_realloc(packer->buffer, packer->room);
    }
    return packer;
}

GBytes *
pack_text(const char *text, gsize length)
{
    g_return_val_if_fail(length <= PACK_MAX, NULL);
    struct packer *packer = length < PACK_FROM ? NULL : packer_get(length);
    if (!packer)
        return NULL;
    z_stream *stream = &packer->stream;
    for (guint i = 0; i < HEAD; i++)
        packer->buffer[i] = (guint8)(length >> (8 * i));
    stream->next_in = (Bytef *)(gpointer)text;
    stream->avail_in = (uInt)length;
    stream->next_out = packer->buffer + HEAD;
    stream->avail_out = (uInt)(length - HEAD); /* more than that is not wanted */
    gboolean fits = deflate(stream, Z_FINISH) == Z_STREAM_END;
    GBytes *packed = fits ? g_bytes_new(packer->buffer, length - stream->avail_out) : NULL;
    deflateReset(stream);
    return packed;
}

char *
unpack_text(const void *packed, gsize size, gsize *length)
{
    const guint8 *bytes = packed;
    gsize wanted = 0;
    z_stream stream = {0};
    for (guint i = 0; i < HEAD && size > HEAD; i++)
        wanted |= (gsize)bytes[i] << (8 * i);
    if (!wanted || wanted > PACK_MAX || inflateInit2(&stream, WINDOW_BITS) != Z_OK)
        return NULL;
    char *text = g_malloc(wanted + 1);
    stream.next_in = (Bytef *)(gpointer)(bytes + HEAD);
    stream.avail_in = (uInt)(size - HEAD);
    stream.next_out = (Bytef *)text;
    stream.avail_out = (uInt)wanted;
    gboolean ok = inflate(&stream, Z_FINISH) == Z_STREAM_END && !stream.avail_out && !stream.avail_in;
    inflateEnd(&stream);
    if (!ok) {
        g_free(text);
        return NULL;
    }
    text[wanted] = '\0';
    *length = wanted;
    return text;
}

static void
unpacked(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    if (sqlite3_value_type(args[0]) != SQLITE_BLOB) {
        sqlite3_result_value(context, args[0]);
        return;
    }
    gsize length = 0;
    const void *packed = sqlite3_value_blob(args[0]);
    char *text = unpack_text(packed, (gsize)sqlite3_value_bytes(args[0]), &length);
    if (text)
        sqlite3_result_text(context, text, (int)length, g_free);
    else
        sqlite3_result_null(context);
}

int
pack_register(sqlite3 *db)
{
    return sqlite3_create_function_v2(db, "unpacked", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL, unpacked,
                                      NULL, NULL, NULL);
}
