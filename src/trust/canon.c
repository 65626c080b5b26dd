#include "config.h"

#include "trust/canon.h"

#include <string.h>

void
signed_message_init(struct signed_message *message, GBytes *bytes)
{
    message->bytes = g_bytes_get_data(bytes, &message->length);
    message->fields = rawmsg_fields(message->bytes, message->length, NULL, &message->body);
}

void
signed_message_clear(struct signed_message *message)
{
    g_array_unref(message->fields);
}

static const struct rawmsg_field *
field_at(const struct signed_message *message, guint field)
{
    return &g_array_index(message->fields, struct rawmsg_field, field);
}

gboolean
signed_field_is(const struct signed_message *message, guint field, const char *name)
{
    const struct rawmsg_field *f = field_at(message, field);
    return strlen(name) == f->name_length &&
           !g_ascii_strncasecmp(message->bytes + f->offset, name, f->name_length);
}

/* Without CR before LF, and without the last line end. */
static GString *
raw_value(const struct signed_message *message, const struct rawmsg_field *f)
{
    GString *out = g_string_new(NULL);
    const char *p = message->bytes + f->value_offset, *end = message->bytes + f->offset + f->length;
    for (; p < end; p++)
        if (!(*p == '\r' && p + 1 < end && p[1] == '\n'))
            g_string_append_c(out, *p);
    if (out->len && out->str[out->len - 1] == '\n')
        g_string_truncate(out, out->len - 1);
    return out;
}

char *
signed_field_value(const struct signed_message *message, guint field)
{
    g_autoptr(GString) raw = raw_value(message, field_at(message, field));
    return g_utf8_make_valid(raw->str, (gssize)raw->len);
}

static gboolean
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Leaves out what stands between "b=" and the next semicolon (section 3.7). */
static void
empty_signature(GString *value)
{
    for (gsize at = 0; at < value->len;) {
        const char *semicolon = memchr(value->str + at, ';', value->len - at);
        gsize end = semicolon ? (gsize)(semicolon - value->str) : value->len;
        gsize name = at;
        while (name < end && g_ascii_isspace(value->str[name]))
            name++;
        gsize equals = name + 1;
        while (equals < end && g_ascii_isspace(value->str[equals]))
            equals++;
        if (name < end && value->str[name] == 'b' && equals < end && value->str[equals] == '=') {
            g_string_erase(value, (gssize)equals + 1, (gssize)(end - equals - 1));
            return;
        }
        at = end + 1;
    }
}

static void
append_relaxed(GString *out, const char *name, gsize name_length, const GString *value)
{
    for (gsize i = 0; i < name_length; i++)
        g_string_append_c(out, g_ascii_tolower(name[i]));
    g_string_append_c(out, ':');
    gsize start = out->len;
    gboolean gap = FALSE;
    for (gsize i = 0; i < value->len; i++) {
        char c = value->str[i];
        if (is_blank(c) || c == '\n') {
            gap = TRUE;
            continue;
        }
        if (gap && out->len > start)
            g_string_append_c(out, ' ');
        gap = FALSE;
        g_string_append_c(out, c);
    }
}

static void
append_simple(GString *out, const char *name, gsize length, const GString *value)
{
    g_string_append_len(out, name, (gssize)length);
    for (gsize i = 0; i < value->len; i++) {
        if (value->str[i] == '\n')
            g_string_append_c(out, '\r');
        g_string_append_c(out, value->str[i]);
    }
}

static void
append_field(const struct signed_message *message, guint field, gboolean relaxed, gboolean signature,
             GString *out)
{
    const struct rawmsg_field *f = field_at(message, field);
    g_autoptr(GString) value = raw_value(message, f);
    if (signature)
        empty_signature(value);
    if (relaxed)
        append_relaxed(out, message->bytes + f->offset, f->name_length, value);
    else /* with the colon, and the spaces before it */
        append_simple(out, message->bytes + f->offset, f->value_offset - f->offset, value);
}

void
canon_field(const struct signed_message *message, guint field, gboolean relaxed, GString *out)
{
    append_field(message, field, relaxed, FALSE, out);
    g_string_append(out, "\r\n");
}

void
canon_signature(const struct signed_message *message, guint field, gboolean relaxed, GString *out)
{
    append_field(message, field, relaxed, TRUE, out);
}

/* --- the body */

struct sum {
    struct sha256 *hash;
    guint64 length, limit;
};

static void
sum_add(struct sum *sum, const char *bytes, gsize length)
{
    if (sum->length < sum->limit)
        sha256_add(sum->hash, bytes, (gsize)MIN((guint64)length, sum->limit - sum->length));
    sum->length += length;
}

/* A line without its end: runs of blanks are one space, those at the end nothing. */
static void
sum_relaxed(struct sum *sum, const char *line, gsize length)
{
    while (length && is_blank(line[length - 1]))
        length--;
    for (gsize at = 0; at < length;) {
        gsize end = at;
        while (end < length && !is_blank(line[end]))
            end++;
        sum_add(sum, line + at, end - at);
        at = end;
        while (at < length && is_blank(line[at]))
            at++;
        if (at > end)
            sum_add(sum, " ", 1);
    }
}

static gboolean
is_empty_line(const char *line, gsize length, gboolean relaxed)
{
    while (relaxed && length && is_blank(line[length - 1]))
        length--;
    return !length;
}

guint64
canon_body(const struct signed_message *message, gboolean relaxed, guint64 limit, guint8 hash[SHA256_SIZE])
{
    struct sum sum = {sha256_new(), 0, limit};
    const char *p = message->bytes + message->body, *end = message->bytes + message->length;
    guint64 empty = 0; /* lines that count only when something follows them */
    while (p < end) {
        const char *lf = memchr(p, '\n', (gsize)(end - p));
        gsize length = (gsize)((lf ? lf : end) - p);
        if (lf && length && p[length - 1] == '\r')
            length--;
        if (is_empty_line(p, length, relaxed)) {
            empty++;
        } else {
            for (; empty; empty--)
                sum_add(&sum, "\r\n", 2);
            relaxed ? sum_relaxed(&sum, p, length) : sum_add(&sum, p, length);
            sum_add(&sum, "\r\n", 2);
        }
        p = lf ? lf + 1 : end;
    }
    if (!sum.length && !relaxed) /* section 3.4.3: an empty body is one line end */
        sum_add(&sum, "\r\n", 2);
    sha256_end(sum.hash, hash);
    return sum.length;
}
