#include "config.h"

#include "mail/rawmsg.h"

#include "base/clock.h"
#include "base/error.h"
#include "mail/date.h"
#include "mail/envelope.h"
#include "mail/words.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define MBOX_LINES_MAX 16

G_DEFINE_QUARK(postrider_rawmsg_error, rawmsg_error)

/* --- the fields --- */

/* The end of the line that begins at p, its LF included. */
static gsize
line_end(const char *bytes, gsize length, gsize p)
{
    const char *lf = p < length ? memchr(bytes + p, '\n', length - p) : NULL;
    return lf ? (gsize)(lf - bytes) + 1 : length;
}

/* Length of a field name at p, or 0 when no field begins there (RFC 5322: printable ASCII but the colon;
 * spaces before the colon as RFC 822 had them). */
static gsize
field_name(const char *bytes, gsize length, gsize p)
{
    gsize n = 0, gap = 0;
    while (p + n < length && bytes[p + n] > ' ' && bytes[p + n] < 0x7f && bytes[p + n] != ':')
        n++;
    while (p + n + gap < length && (bytes[p + n + gap] == ' ' || bytes[p + n + gap] == '\t'))
        gap++;
    return n && p + n + gap < length && bytes[p + n + gap] == ':' ? n : 0;
}

static gboolean
is_blank_line(const char *bytes, gsize length, gsize p)
{
    return p < length && (bytes[p] == '\n' || (bytes[p] == '\r' && p + 1 < length && bytes[p + 1] == '\n'));
}

GArray *
rawmsg_fields(const char *bytes, gsize length, gsize *start, gsize *body)
{
    GArray *fields = g_array_new(FALSE, FALSE, sizeof(struct rawmsg_field));
    gsize p = 0;
    if (length > 5 && memcmp(bytes, "From ", 5) == 0)
        p = line_end(bytes, length, 0);
    else if (length > 6 && memcmp(bytes, ">From ", 6) == 0)
        p = line_end(bytes, length, 0);
    if (start)
        *start = p;
    while (p < length && !is_blank_line(bytes, length, p)) {
        gsize name = field_name(bytes, length, p);
        if (!name)
            break;
        struct rawmsg_field field = {.offset = p, .name_length = name};
        field.value_offset = (gsize)((const char *)memchr(bytes + p, ':', length - p) - bytes) + 1;
        do
            p = line_end(bytes, length, p);
        while (p < length && (bytes[p] == ' ' || bytes[p] == '\t'));
        field.length = p - field.offset;
        g_array_append_val(fields, field);
    }
    if (is_blank_line(bytes, length, p))
        p = line_end(bytes, length, p);
    if (body)
        *body = p;
    return fields;
}

gsize
rawmsg_body(const char *bytes, gsize length)
{
    gsize body;
    g_array_unref(rawmsg_fields(bytes, length, NULL, &body));
    return body;
}

static gboolean
field_is(const char *bytes, const struct rawmsg_field *field, const char *name)
{
    return strlen(name) == field->name_length &&
           g_ascii_strncasecmp(bytes + field->offset, name, field->name_length) == 0;
}

/* Unfolded and trimmed; what is not UTF-8 and NUL become U+FFFD. */
static char *
field_value(const char *bytes, const struct rawmsg_field *field)
{
    gsize length = field->offset + field->length - field->value_offset;
    GString *out = g_string_sized_new(length);
    const char *value = bytes + field->value_offset;
    for (gsize i = 0; i < length; i++)
        if (value[i] != '\n' && !(value[i] == '\r' && i + 1 < length && value[i + 1] == '\n'))
            g_string_append_c(out, value[i]);
    char *valid = g_utf8_make_valid(out->str, (gssize)out->len);
    g_string_free(out, TRUE);
    return g_strstrip(valid);
}

char *
rawmsg_get(GBytes *message, const char *name, guint nth)
{
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GArray) fields = rawmsg_fields(bytes, length, NULL, NULL);
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        if (field_is(bytes, field, name) && nth-- == 0)
            return field_value(bytes, field);
    }
    return NULL;
}

/* A copy without the fields of those names (NULL ends the list) and, when asked, without an mbox line. */
static GBytes *
copy_without(GBytes *message, const char *const *names, gboolean drop_mbox_line)
{
    gsize length, start;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GArray) fields = rawmsg_fields(bytes, length, &start, NULL);
    g_autoptr(GByteArray) out = NULL;
    gsize done = drop_mbox_line ? start : 0;
    if (done)
        out = g_byte_array_sized_new((guint)length);
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        gboolean drop = FALSE;
        for (const char *const *name = names; *name && !drop; name++)
            drop = field_is(bytes, field, *name);
        if (!drop)
            continue;
        if (!out)
            out = g_byte_array_sized_new((guint)length);
        g_byte_array_append(out, (const guint8 *)bytes + done, (guint)(field->offset - done));
        done = field->offset + field->length;
    }
    if (!out)
        return g_bytes_ref(message);
    g_byte_array_append(out, (const guint8 *)bytes + done, (guint)(length - done));
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

GBytes *
rawmsg_remove(GBytes *message, const char *name)
{
    const char *names[] = {name, NULL};
    return copy_without(message, names, FALSE);
}

/* What is left may begin with a line that a reader passes over as an mbox line, and the header then goes on:
 * taken out as often as it takes. */
GBytes *
message_without_bcc(GBytes *message)
{
    static const char *const names[] = {"Bcc", "Resent-Bcc", NULL};
    GBytes *now = g_bytes_ref(message);
    for (guint i = 0; i < MBOX_LINES_MAX; i++) {
        GBytes *next = copy_without(now, names, TRUE);
        gboolean same = g_bytes_get_size(next) == g_bytes_get_size(now);
        g_bytes_unref(now);
        now = next;
        if (same)
            return now;
    }
    /* nobody's message: it gets an empty header */
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, (const guint8 *)"\n", 1);
    g_byte_array_append(out, g_bytes_get_data(now, NULL), (guint)g_bytes_get_size(now));
    g_bytes_unref(now);
    return g_byte_array_free_to_bytes(out);
}

static const char *
line_end_of(const char *bytes, gsize length)
{
    const char *lf = length ? memchr(bytes, '\n', length) : NULL;
    return lf && lf > bytes && lf[-1] == '\r' ? "\r\n" : "\n";
}

/* Inserts whole field lines ("Name: value", NULL-terminated) at the front or the end of the header. */
static GBytes *
insert_fields(GBytes *message, char *const *lines, gboolean front)
{
    gsize length, start, body;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GArray) fields = rawmsg_fields(bytes, length, &start, &body);
    const char *eol = line_end_of(bytes, length);
    gsize at = start;
    if (!front && fields->len) {
        const struct rawmsg_field *last = &g_array_index(fields, struct rawmsg_field, fields->len - 1);
        at = last->offset + last->length;
    }
    GByteArray *out = g_byte_array_sized_new((guint)length + 256);
    g_byte_array_append(out, (const guint8 *)bytes, (guint)at);
    if (at && bytes[at - 1] != '\n')
        g_byte_array_append(out, (const guint8 *)eol, (guint)strlen(eol));
    for (char *const *line = lines; *line; line++) {
        g_byte_array_append(out, (const guint8 *)*line, (guint)strlen(*line));
        g_byte_array_append(out, (const guint8 *)eol, (guint)strlen(eol));
    }
    /* a message that begins with its body gets the blank line it lacks */
    gboolean needs_blank = fields->len == 0 && !is_blank_line(bytes, length, at);
    if (needs_blank)
        g_byte_array_append(out, (const guint8 *)eol, (guint)strlen(eol));
    g_byte_array_append(out, (const guint8 *)bytes + at, (guint)(length - at));
    return g_byte_array_free_to_bytes(out);
}

GBytes *
rawmsg_add(GBytes *message, const char *name, const char *value, gboolean front, GError **error)
{
    if (strpbrk(name, "\r\n: \t") || !*name || strpbrk(value, "\r\n")) {
        g_set_error(error, RAWMSG_ERROR, ERROR_INPUT,
                    "%s: a line break or another character that a header must not have",
                    strpbrk(name, "\r\n") ? "header" : name);
        return NULL;
    }
    char *lines[] = {g_strdup_printf("%s: %s", name, value), NULL};
    GBytes *result = insert_fields(message, lines, front);
    g_free(lines[0]);
    return result;
}

/* --- sendmail -t --- */

char *
message_id_new(const char *from_addr)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    guint8 random[25];
    for (gsize got = 0; got < sizeof random;) {
        gssize n = getrandom(random + got, sizeof random - got, 0);
        if (n > 0)
            got += (gsize)n;
        else if (errno != EINTR)
            g_error("getrandom: %s", g_strerror(errno));
    }
    char id[sizeof random + 1];
    for (gsize i = 0; i < sizeof random; i++)
        id[i] = letters[random[i] & 31];
    id[sizeof random] = '\0';
    g_autofree char *domain = address_domain_to_ascii(address_domain(from_addr));
    if (!domain || *domain == '[' || !*domain)
        return g_strdup_printf("%s@localhost.invalid", id);
    return g_strdup_printf("%s@%s", id, domain);
}

void
rawmsg_prepared_free(struct rawmsg_prepared *prepared)
{
    if (!prepared)
        return;
    g_clear_pointer(&prepared->message, g_bytes_unref);
    g_clear_pointer(&prepared->recipients, g_ptr_array_unref);
    address_free(prepared->from);
    g_free(prepared->message_id);
    g_free(prepared->subject);
    g_free(prepared);
}

static gboolean
collect_recipients(GBytes *message, GPtrArray *recipients, GError **error)
{
    static const char *const plain[] = {"To", "Cc", "Bcc"}, *const resent[] = {"Resent-To", "Resent-Cc",
                                                                               "Resent-Bcc"};
    g_autofree char *resent_from = rawmsg_get(message, "Resent-From", 0);
    const char *const *names = resent_from ? resent : plain;
    for (guint f = 0; f < G_N_ELEMENTS(plain); f++) {
        for (guint nth = 0;; nth++) {
            g_autofree char *value = rawmsg_get(message, names[f], nth);
            if (!value)
                break;
            g_autoptr(GPtrArray) list = address_list_parse(value, error);
            if (!list) {
                g_prefix_error(error, "%s: ", names[f]);
                return FALSE;
            }
            for (guint i = 0; i < list->len; i++) {
                const struct address *address = address_list_get(list, i);
                g_autofree char *addr = address_normalise(address->addr);
                if (addr && !address_list_contains(recipients, addr)) {
                    g_autofree char *name = address->name ? words_decode(address->name) : NULL;
                    address_list_add(recipients, name, addr);
                }
            }
        }
    }
    if (recipients->len)
        return TRUE;
    g_set_error(error, RAWMSG_ERROR, ERROR_INPUT, "no recipient in To, Cc or Bcc");
    return FALSE;
}

static gboolean
find_from(GBytes *message, const struct address *given, struct rawmsg_prepared *prepared, gboolean *missing,
          GError **error)
{
    g_autofree char *value = rawmsg_get(message, "From", 0);
    *missing = value == NULL;
    if (!value) {
        if (!given || !given->addr) {
            g_set_error(error, RAWMSG_ERROR, ERROR_INPUT, "the message has no From and no sender was given");
            return FALSE;
        }
        prepared->from = address_copy(given);
        return address_check(given->addr, error);
    }
    g_autoptr(GPtrArray) list = address_list_parse(value, error);
    if (!list || list->len == 0) {
        if (list)
            g_set_error(error, RAWMSG_ERROR, ERROR_INPUT, "there is no address in it");
        g_prefix_error(error, "From: ");
        return FALSE;
    }
    prepared->from = g_ptr_array_steal_index(list, 0);
    return TRUE;
}

struct rawmsg_prepared *
rawmsg_prepare(GBytes *message, const struct address *from, gboolean recipients_from_header, GError **error)
{
    g_autoptr(struct_rawmsg_prepared) prepared = g_new0(struct rawmsg_prepared, 1);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    gboolean from_missing;
    int zone;
    prepared->recipients = address_list_new();
    if (recipients_from_header && !collect_recipients(message, prepared->recipients, error))
        return NULL;
    if (!find_from(message, from, prepared, &from_missing, error))
        return NULL;
    if (from_missing) {
        g_autofree char *text = words_format_address(prepared->from);
        if (strpbrk(text, "\r\n")) {
            g_set_error(error, RAWMSG_ERROR, ERROR_INPUT, "From: a line break in it");
            return NULL;
        }
        g_ptr_array_add(lines, g_strdup_printf("From: %s", text));
    }
    g_autofree char *date = rawmsg_get(message, "Date", 0);
    if (!date || !date_parse(date, &prepared->date, &zone))
        prepared->date = clock_now();
    if (!date) {
        g_autofree char *text = clock_rfc5322(prepared->date, clock_local_zone(prepared->date));
        g_ptr_array_add(lines, g_strdup_printf("Date: %s", text));
    }
    g_autofree char *id = rawmsg_get(message, "Message-ID", 0);
    prepared->message_id = id ? message_id_first(id) : NULL;
    if (!prepared->message_id)
        prepared->message_id = message_id_new(prepared->from->addr);
    if (!id)
        g_ptr_array_add(lines, g_strdup_printf("Message-ID: <%s>", prepared->message_id));
    g_autofree char *subject = rawmsg_get(message, "Subject", 0);
    prepared->subject = subject ? words_decode(subject) : NULL;
    g_autoptr(GBytes) stripped = message_without_bcc(message);
    g_ptr_array_add(lines, NULL);
    prepared->message =
        lines->len > 1 ? insert_fields(stripped, (char *const *)lines->pdata, TRUE) : g_bytes_ref(stripped);
    return g_steal_pointer(&prepared);
}
