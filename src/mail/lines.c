#include "config.h"

#include "mail/lines.h"

#include <string.h>

gsize
crlf_to_lf_inplace(char *bytes, gsize length)
{
    char *cr = memchr(bytes, '\r', length);
    if (!cr)
        return length;
    const char *end = bytes + length;
    char *to = cr;
    for (const char *from = cr; from < end; from++)
        if (*from != '\r' || from + 1 == end || from[1] != '\n')
            *to++ = *from;
    return (gsize)(to - bytes);
}

GBytes *
crlf_to_lf(GBytes *bytes)
{
    gsize length;
    const char *data = g_bytes_get_data(bytes, &length);
    if (!length || !memmem(data, length, "\r\n", 2))
        return g_bytes_ref(bytes);
    char *copy = g_memdup2(data, length);
    gsize left = crlf_to_lf_inplace(copy, length);
    return g_bytes_new_take(g_realloc(copy, MAX(left, 1)), left);
}

static gsize
count_bare_lf(const char *bytes, gsize length)
{
    gsize count = 0;
    for (const char *p = bytes, *end = bytes + length; (p = memchr(p, '\n', (gsize)(end - p))); p++)
        count += p == bytes || p[-1] != '\r';
    return count;
}

GBytes *
lf_to_crlf(GBytes *bytes)
{
    gsize length;
    const char *data = g_bytes_get_data(bytes, &length);
    gsize more = length ? count_bare_lf(data, length) : 0;
    if (!more)
        return g_bytes_ref(bytes);
    char *copy = g_malloc(length + more), *to = copy;
    for (gsize i = 0; i < length; i++) {
        if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))
            *to++ = '\r';
        *to++ = data[i];
    }
    return g_bytes_new_take(copy, length + more);
}

gboolean
lines_are_crlf(const char *bytes, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] == '\n')
            return FALSE;
        if (bytes[i] == '\r' && (i + 1 == length || bytes[++i] != '\n'))
            return FALSE;
    }
    return TRUE;
}
