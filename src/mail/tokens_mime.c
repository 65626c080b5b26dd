/* tokens_mime.c - the walk over the parts of a message for the filter: boundaries, encodings, charsets */
#include "config.h"

#include "mail/tokens_private.h"

#include "mail/charset.h"
#include "mail/rawmsg.h"

#include <string.h>

#define DEPTH_MAX 8
#define PARTS_MAX 100
#define DECODED_MAX (96 * 1024) /* bytes of one part that are decoded */

struct part {
    char type[64];     /* "text/plain", small letters */
    char charset[32];
    char boundary[72]; /* with the leading "--"; empty: none */
    char name[128];
    char encoding[24];
    gboolean attachment;
};

/* --- the fields of a part */

/* A parameter's value out of an unfolded field. */
static gboolean
parameter(const char *value, const char *name, char *out, gsize size)
{
    gsize length = strlen(name);
    for (const char *p = value; (p = strchr(p, ';'));) {
        p++;
        p += strspn(p, " \t\r\n");
        if (g_ascii_strncasecmp(p, name, length) != 0)
            continue;
        const char *v = p + length;
        v += *v == '*';
        if (*v != '=')
            continue;
        v++;
        gboolean quoted = *v == '"';
        v += quoted;
        gsize n = quoted ? strcspn(v, "\"") : strcspn(v, "; \t\r\n");
        if (n >= size)
            return FALSE;
        memcpy(out, v, n);
        out[n] = '\0';
        return TRUE;
    }
    return FALSE;
}

static void
first_word(const char *value, char *out, gsize size)
{
    gsize n = 0;
    value += strspn(value, " \t\r\n");
    for (; value[n] && !strchr("; \t\r\n", value[n]) && n + 1 < size; n++)
        out[n] = g_ascii_tolower(value[n]);
    out[n] = '\0';
}

static void
read_part(const char *bytes, const GArray *fields, struct part *part)
{
    *part = (struct part){.type = "text/plain"};
    for (guint i = 0; i < MIN(fields->len, 200); i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        const char *name = bytes + field->offset;
        if (field->name_length < 12 || g_ascii_strncasecmp(name, "content-", 8) != 0)
            continue;
        gsize length = MIN(field->offset + field->length - field->value_offset, 2048);
        g_autofree char *value = g_strndup(bytes + field->value_offset, length);
        if (field->name_length == 12 && g_ascii_strncasecmp(name, "content-type", 12) == 0) {
            char boundary[70];
            first_word(value, part->type, sizeof part->type);
            parameter(value, "charset", part->charset, sizeof part->charset);
            parameter(value, "name", part->name, sizeof part->name);
            if (parameter(value, "boundary", boundary, sizeof boundary) && boundary[0])
                g_snprintf(part->boundary, sizeof part->boundary, "--%s", boundary);
        } else if (field->name_length == 25 && g_ascii_strncasecmp(name, "content-transfer-encoding", 25) == 0) {
            first_word(value, part->encoding, sizeof part->encoding);
        } else if (field->name_length == 19 && g_ascii_strncasecmp(name, "content-disposition", 19) == 0) {
            char disposition[24];
            first_word(value, disposition, sizeof disposition);
            part->attachment = strcmp(disposition, "attachment") == 0;
            parameter(value, "filename", part->name, sizeof part->name);
        }
    }
}

/* --- encodings */

static void
decode_base64(GString *out, const char *bytes, gsize length)
{
    gint state = 0;
    guint save = 0;
    g_string_set_size(out, length / 4 * 3 + 3);
    g_string_set_size(out, g_base64_decode_step(bytes, length, (guchar *)out->str, &state, &save));
}

static void
decode_quoted(GString *out, const char *bytes, gsize length)
{
    g_string_set_size(out, length);
    gsize n = 0;
    for (gsize i = 0; i < length; i++) {
        char c = bytes[i];
        if (c == '=' && i + 2 < length && g_ascii_isxdigit(bytes[i + 1]) && g_ascii_isxdigit(bytes[i + 2])) {
            c = (char)(g_ascii_xdigit_value(bytes[i + 1]) << 4 | g_ascii_xdigit_value(bytes[i + 2]));
            i += 2;
        } else if (c == '=' && i + 1 < length && (bytes[i + 1] == '\n' || bytes[i + 1] == '\r')) {
            i += bytes[i + 1] == '\r' && i + 2 < length && bytes[i + 2] == '\n' ? 2 : 1;
            continue;
        }
        out->str[n++] = c;
    }
    g_string_set_size(out, n);
}

/* The part's bytes as UTF-8, in t->decoded. */
static void
decode(struct tokenizer *t, const struct part *part, const char *bytes, gsize length)
{
    length = MIN(length, DECODED_MAX);
    if (strcmp(part->encoding, "base64") == 0) {
        decode_base64(t->decoded, bytes, length);
    } else if (strcmp(part->encoding, "quoted-printable") == 0) {
        decode_quoted(t->decoded, bytes, length);
    } else {
        g_string_truncate(t->decoded, 0);
        g_string_append_len(t->decoded, bytes, (gssize)length);
    }
    for (gsize i = 0; i < t->decoded->len; i++)
        if ((guint8)t->decoded->str[i] >= 0x80 || t->decoded->str[i] == '\033') {
            g_autofree char *text = charset_to_utf8(t->decoded->str, t->decoded->len, part->charset, NULL);
            g_string_assign(t->decoded, text);
            return;
        }
}

/* --- parts */

static void
use_text(struct tokenizer *t, const char *text, gsize length)
{
    length = MIN(length, t->text_left);
    t->text_left -= length;
    tokens_grams(t, text, MIN(length, TOKENS_GRAMS * 2));
    tokens_text(t, text, length, NULL);
}

static void
take_text(struct tokenizer *t, const struct part *part, const char *bytes, gsize length)
{
    if (part->charset[0]) {
        g_autofree char *charset = g_ascii_strdown(part->charset, -1);
        token_addz(t, TOKEN_SHAPE, "charset ", charset);
    }
    decode(t, part, bytes, length);
    if (strcmp(part->type, "text/html") == 0) {
        g_string_truncate(t->html_text, 0);
        tokens_html(t, t->decoded->str, t->decoded->len, t->html_text);
        t->html_size += (guint)t->html_text->len;
        use_text(t, t->html_text->str, t->html_text->len);
    } else {
        t->plain_size += (guint)t->decoded->len;
        use_text(t, t->decoded->str, t->decoded->len);
    }
}

/* What is no text: its kind, its name, its first bytes. */
static void
take_data(struct tokenizer *t, const struct part *part, const char *bytes, gsize length)
{
    token_amount(t, "data", length);
    for (gsize i = 0; i < MIN(length, 12); i++)
        if ((guint8)bytes[i] <= ' ')
            return;
    token_add(t, TOKEN_SHAPE, "data begins ", bytes, MIN(length, 12));
    (void)part;
}

static void
take_name(struct tokenizer *t, const char *name)
{
    char pattern[32];
    const char *dot = strrchr(name, '.');
    tokens_value(t, "file ", name, strlen(name), 10);
    tokens_pattern(name, strlen(name), pattern, sizeof pattern);
    token_addz(t, TOKEN_SHAPE, "file like ", pattern);
    if (dot && strlen(dot) < 12) {
        g_autofree char *folded = g_ascii_strdown(dot, -1);
        token_addz(t, TOKEN_SHAPE, "file ", folded);
    }
}

static void walk(struct tokenizer *t, const char *bytes, gsize length, const struct part *part, guint depth);

/* The next line that begins with the boundary, from p; length when there is none. */
static gsize
find_boundary(const char *bytes, gsize length, gsize p, const struct part *part, gsize size)
{
    while (p < length) {
        const char *found = memmem(bytes + p, length - p, part->boundary, size);
        if (!found)
            return length;
        gsize at = (gsize)(found - bytes);
        if (at == 0 || bytes[at - 1] == '\n')
            return at;
        p = at + size;
    }
    return length;
}

static void
walk_parts(struct tokenizer *t, const char *bytes, gsize length, const struct part *part, guint depth)
{
    gsize size = strlen(part->boundary);
    gsize at = find_boundary(bytes, length, 0, part, size);
    if (at == length) /* none: text all the same */
        token_addz(t, TOKEN_SHAPE, "", "parts without a boundary");
    while (at < length) {
        gsize start = at + size;
        if (start + 2 <= length && memcmp(bytes + start, "--", 2) == 0)
            return;
        const char *lf = memchr(bytes + start, '\n', length - start);
        if (!lf || t->parts >= PARTS_MAX)
            return;
        start = (gsize)(lf - bytes) + 1;
        gsize end = find_boundary(bytes, length, start, part, size), body;
        g_autoptr(GArray) fields = rawmsg_fields(bytes + start, end - start, NULL, &body);
        struct part child;
        read_part(bytes + start, fields, &child);
        walk(t, bytes + start + body, end - start - body, &child, depth + 1);
        at = end;
    }
}

static void
walk(struct tokenizer *t, const char *bytes, gsize length, const struct part *part, guint depth)
{
    char path[80];
    g_snprintf(path, sizeof path, "%u %s", depth, part->type);
    t->parts++;
    token_addz(t, TOKEN_SHAPE, "part ", path);
    if (part->encoding[0])
        token_addz(t, TOKEN_SHAPE, part->type, part->encoding);
    if (part->attachment)
        token_addz(t, TOKEN_SHAPE, "attached ", part->type);
    if (part->name[0])
        take_name(t, part->name);
    if (depth < DEPTH_MAX && part->boundary[0] && g_str_has_prefix(part->type, "multipart/")) {
        walk_parts(t, bytes, length, part, depth);
    } else if (depth < DEPTH_MAX && strcmp(part->type, "message/rfc822") == 0) {
        gsize body;
        g_autoptr(GArray) fields = rawmsg_fields(bytes, length, NULL, &body);
        struct part child;
        read_part(bytes, fields, &child);
        walk(t, bytes + body, length - body, &child, depth + 1);
    } else if (g_str_has_prefix(part->type, "text/") || g_str_has_prefix(part->type, "message/") ||
               g_str_has_prefix(part->type, "multipart/") || !strchr(part->type, '/')) {
        take_text(t, part, bytes, length);
    } else {
        take_data(t, part, bytes, length);
    }
}

/* Sizes and proportions of the whole. */
static void
finish(struct tokenizer *t)
{
    guint size = t->plain_size + t->html_size;
    token_amount(t, "words", t->words);
    token_amount(t, "plain text", t->plain_size);
    token_amount(t, "text in HTML", t->html_size);
    token_amount(t, "parts", t->parts);
    token_amount(t, "links", t->links);
    token_amount(t, "images", t->images);
    token_amount(t, "quoted lines", t->quoted_lines);
    token_amount(t, "exclamations", t->exclamations);
    if (t->words) {
        token_amount(t, "shouted of 64 words", t->shouted * 64 / t->words);
        token_amount(t, "links for 64 words", t->links * 64 / t->words);
    }
    if (size)
        token_amount(t, "foreign of 64 letters", (guint64)t->high * 64 / size);
    token_addz(t, TOKEN_SHAPE, "text is ", !size ? "empty" : !t->html_size ? "plain" : t->plain_size ? "both" : "HTML alone");
}

void
tokens_walk(struct tokenizer *t, const char *message, gsize length)
{
    gsize body;
    g_autoptr(GArray) fields = rawmsg_fields(message, length, NULL, &body);
    struct part part;
    tokens_header(t, message, fields);
    read_part(message, fields, &part);
    walk(t, message + body, length - body, &part, 0);
    finish(t);
}
