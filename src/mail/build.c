#include "config.h"

#include "mail/build.h"

#include "base/clock.h"
#include "base/error.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "mail/mimetype.h"
#include "mail/rawmsg.h"

#include <gmime/gmime.h>
#include <string.h>

#define LINE_MAX_BYTES 998
#define FLOWED_COLUMNS 72
/* References that are written: the first one and the last ones. */
#define REFERENCES_WRITTEN 60

static G_DEFINE_QUARK(postrider_build_error, build_error)

    /* --- encodings --- */

    struct content_facts {
    gsize eight_bit, nul, controls;
    gsize longest; /* line */
    gboolean bare_cr;
};

static struct content_facts
examine(const char *bytes, gsize length)
{
    struct content_facts facts = {0};
    gsize line = 0;
    for (gsize i = 0; i < length; i++) {
        guchar c = (guchar)bytes[i];
        facts.eight_bit += c >= 0x80;
        facts.nul += c == 0;
        facts.controls += c < 0x20 && c != '\n' && c != '\t' && c != '\r' && c != '\f';
        facts.bare_cr = facts.bare_cr || c == '\r';
        line = c == '\n' ? 0 : line + 1;
        facts.longest = MAX(facts.longest, line);
    }
    return facts;
}

static GMimeContentEncoding
best_encoding(const char *bytes, gsize length, gboolean text)
{
    struct content_facts facts = examine(bytes, length);
    if (!text)
        return GMIME_CONTENT_ENCODING_BASE64;
    if (!facts.eight_bit && !facts.nul && !facts.bare_cr && facts.longest <= LINE_MAX_BYTES)
        return GMIME_CONTENT_ENCODING_7BIT;
    /* quoted-printable triples what is not ASCII: base64 is shorter from about one byte in six */
    if (facts.nul || facts.controls > length / 100 || facts.eight_bit > length / 6)
        return GMIME_CONTENT_ENCODING_BASE64;
    return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
}

static void
append_encoded(GString *out, const char *bytes, gsize length, GMimeContentEncoding encoding)
{
    if (encoding == GMIME_CONTENT_ENCODING_BASE64 || encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE) {
        GMimeEncoding state;
        g_mime_encoding_init_encode(&state, encoding);
        g_autofree char *encoded = g_malloc(g_mime_encoding_outlen(&state, length) + 16);
        gsize got = g_mime_encoding_flush(&state, bytes, length, encoded);
        g_string_append_len(out, encoded, (gssize)got);
    } else {
        g_string_append_len(out, bytes, (gssize)length);
    }
    if (out->len && out->str[out->len - 1] != '\n')
        g_string_append_c(out, '\n');
}

/* --- text --- */

/* CR LF and lone CR become LF; a line end at the end. */
static char *
clean_body(const char *body)
{
    GString *out = g_string_sized_new(strlen(body) + 1);
    for (const char *p = body; *p; p++) {
        if (*p == '\r' && p[1] == '\n')
            continue;
        g_string_append_c(out, *p == '\r' ? '\n' : *p);
    }
    if (out->len && out->str[out->len - 1] != '\n')
        g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

static void
append_stuffed(GString *out, const char *line, gsize length)
{
    if (length && (*line == ' ' || (length >= 5 && memcmp(line, "From ", 5) == 0)))
        g_string_append_c(out, ' ');
    g_string_append_len(out, line, (gssize)length);
}

/* One paragraph, broken after spaces; what follows a soft break begins with a word. */
static void
append_flowed(GString *out, const char *line, gsize length)
{
    const char *end = line + length;
    while (line < end) {
        const char *cut = NULL;
        int column = 0;
        for (const char *p = line; p < end; p = g_utf8_next_char(p)) {
            if (++column > FLOWED_COLUMNS && cut)
                break;
            if (*p == ' ' && p + 1 < end && p[1] != ' ')
                cut = p + 1;
        }
        if (!cut || column <= FLOWED_COLUMNS) {
            append_stuffed(out, line, (gsize)(end - line));
            g_string_append_c(out, '\n');
            return;
        }
        append_stuffed(out, line, (gsize)(cut - line));
        g_string_append_c(out, '\n');
        line = cut;
    }
}

/* RFC 3676: soft line ends are a space before LF. Quotes are left as they were wrapped. */
static char *
make_flowed(const char *body)
{
    GString *out = g_string_sized_new(strlen(body) + 64);
    const char *next;
    for (const char *line = body; *line; line = next) {
        const char *lf = strchr(line, '\n');
        next = lf ? lf + 1 : line + strlen(line);
        gsize length = lf ? (gsize)(lf - line) : strlen(line);
        if (length == 3 && memcmp(line, "-- ", 3) == 0) {
            g_string_append(out, "-- \n");
            continue;
        }
        while (length && line[length - 1] == ' ') /* a space at the end would mean a soft one */
            length--;
        if (length == 0) {
            g_string_append_c(out, '\n');
        } else if (*line == '>') {
            g_string_append_len(out, line, (gssize)length);
            g_string_append_c(out, '\n');
        } else {
            append_flowed(out, line, length);
        }
    }
    return g_string_free(out, FALSE);
}

static void
append_text_part(GString *out, const struct draft *draft)
{
    g_autofree char *clean = clean_body(draft->body);
    gboolean flowed = draft->flags & DRAFT_FLOWED;
    g_autofree char *text = flowed ? make_flowed(clean) : g_steal_pointer(&clean);
    gsize length = strlen(text);
    GMimeContentEncoding encoding = best_encoding(text, length, TRUE);
    g_string_append_printf(out, "Content-Type: text/plain; charset=%s%s\n",
                           g_str_is_ascii(text) ? "us-ascii" : "utf-8", flowed ? "; format=flowed" : "");
    g_string_append_printf(out, "Content-Transfer-Encoding: %s\n\n",
                           g_mime_content_encoding_to_string(encoding));
    append_encoded(out, text, length, encoding);
}

/* --- attachments --- */

static void
set_parameter(GMimeParamList *parameters, const char *name, const char *value)
{
    g_mime_param_list_set_parameter(parameters, name, value);
    GMimeParam *parameter = g_mime_param_list_get_parameter(parameters, name);
    if (parameter)
        g_mime_param_set_charset(parameter, "utf-8");
}

/* The MIME header of an attachment, with its blank line. */
static void
append_part_header(GString *out, const struct draft_attachment *attachment, const char *type,
                   const char *charset, const char *encoding)
{
    g_auto(GStrv) words = g_strsplit(type, "/", 2);
    GMimePart *part = g_mime_part_new_with_type(words[0], words[1]);
    GMimeObject *object = GMIME_OBJECT(part);
    GMimeContentDisposition *disposition = g_mime_content_disposition_new();
    g_mime_content_disposition_set_disposition(disposition,
                                               attachment->flags & ATTACH_INLINE ? "inline" : "attachment");
    if (attachment->name && *attachment->name)
        set_parameter(g_mime_content_disposition_get_parameters(disposition), "filename", attachment->name);
    g_mime_object_set_content_disposition(object, disposition);
    g_object_unref(disposition);
    if (charset)
        g_mime_content_type_set_parameter(g_mime_object_get_content_type(object), "charset", charset);
    if (attachment->description && *attachment->description)
        g_mime_object_append_header(object, "Content-Description", attachment->description, "utf-8");
    g_autofree char *header = g_mime_object_get_headers(object, NULL);
    g_string_append(out, header);
    g_string_append_printf(out, "Content-Transfer-Encoding: %s\n\n", encoding);
    g_object_unref(part);
}

/* A part of another message, as it is.  Only one that must not go over the wire so (NUL, or a line too long
 * for SMTP) is encoded anew: its own fields stay, but for the encoding. */
static void
append_entity(GString *out, const struct draft_attachment *attachment)
{
    gsize length, body;
    const char *bytes = g_bytes_get_data(attachment->bytes, &length);
    struct content_facts facts = examine(bytes, length);
    if (facts.longest <= LINE_MAX_BYTES && !facts.nul && !facts.bare_cr) {
        append_encoded(out, bytes, length, GMIME_CONTENT_ENCODING_8BIT);
        return;
    }
    g_autofree char *encoding = rawmsg_get(attachment->bytes, "Content-Transfer-Encoding", 0);
    g_autoptr(GBytes) rest = rawmsg_remove(attachment->bytes, "Content-Transfer-Encoding");
    bytes = g_bytes_get_data(rest, &length);
    body = rawmsg_body(bytes, length);
    facts = examine(bytes, body);
    if (facts.longest <= LINE_MAX_BYTES && !facts.nul && !facts.bare_cr && body > 1) {
        g_string_append_len(out, bytes, (gssize)body - 1);
        g_string_append(out, "Content-Transfer-Encoding: base64\n\n");
    } else {
        append_part_header(out, attachment, "application/octet-stream", NULL, "base64");
    }
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, encoding ? g_mime_content_encoding_from_string(encoding)
                                                 : GMIME_CONTENT_ENCODING_7BIT);
    g_autofree char *content = g_malloc(g_mime_encoding_outlen(&state, length - body) + 16);
    gsize size = g_mime_encoding_flush(&state, bytes + body, length - body, content);
    append_encoded(out, content, size, GMIME_CONTENT_ENCODING_BASE64);
}

static void
append_attachment(GString *out, const struct draft_attachment *attachment)
{
    gsize length;
    const char *bytes = g_bytes_get_data(attachment->bytes, &length);
    if (!bytes)
        bytes = "";
    if (attachment->flags & ATTACH_ENTITY) {
        append_entity(out, attachment);
        return;
    }
    const char *type = attachment->type ? attachment->type : mimetype_guess(attachment->name, bytes, length);
    struct content_facts facts = examine(bytes, length);
    if (g_str_equal(type, "message/rfc822")) {
        if (facts.longest <= LINE_MAX_BYTES && !facts.nul && !facts.bare_cr) {
            /* a message inside must not be encoded (RFC 2046 section 5.2.1) */
            append_part_header(out, attachment, type, NULL, facts.eight_bit ? "8bit" : "7bit");
            append_encoded(out, bytes, length, GMIME_CONTENT_ENCODING_8BIT);
            return;
        }
        type = "application/octet-stream";
    }
    gboolean text = g_str_has_prefix(type, "text/");
    const char *charset = NULL;
    if (text)
        charset = !facts.eight_bit ? "us-ascii" : g_utf8_validate_len(bytes, length, NULL) ? "utf-8" : NULL;
    /* text without a final line end, or with CR LF, would change */
    gboolean exact = length == 0 || (bytes[length - 1] == '\n' && !facts.bare_cr);
    GMimeContentEncoding encoding = best_encoding(bytes, length, text && exact);
    append_part_header(out, attachment, type, charset, g_mime_content_encoding_to_string(encoding));
    append_encoded(out, bytes, length, encoding);
}

/* --- header --- */

static char *
wire_addr(const char *addr)
{
    g_autofree char *ascii = address_domain_to_ascii(address_domain(addr));
    const char *at = strrchr(addr, '@');
    return ascii && at ? g_strdup_printf("%.*s@%s", (int)(at - addr), addr, ascii) : g_strdup(addr);
}

static void
append_people(GMimeObject *message, const char *field, const GPtrArray *list)
{
    if (list->len == 0)
        return;
    InternetAddressList *out = internet_address_list_new();
    for (guint i = 0; i < list->len; i++) {
        const struct address *address = address_list_get(list, i);
        InternetAddress *one;
        if (address->addr) {
            g_autofree char *addr = wire_addr(address->addr);
            one = internet_address_mailbox_new(address->name, addr);
        } else {
            one = internet_address_group_new(address->name ? address->name : "undisclosed-recipients");
        }
        internet_address_set_charset(one, "utf-8");
        internet_address_list_add(out, one);
        g_object_unref(one);
    }
    g_autofree char *encoded = internet_address_list_to_string(out, NULL, TRUE);
    g_object_unref(out);
    g_autofree char *flat = header_unfold(encoded, strlen(encoded));
    g_mime_object_append_header(message, field, flat, "utf-8");
}

static void
append_ids(GMimeObject *message, const char *field, char *const *ids)
{
    guint count = g_strv_length((char **)ids);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < count; i++)
        if (i == 0 || count - i < REFERENCES_WRITTEN)
            g_string_append_printf(out, "%s<%s>", out->len ? " " : "", ids[i]);
    if (out->len)
        g_mime_object_append_header(message, field, out->str, "utf-8");
    g_string_free(out, TRUE);
}

static const char *const kinds[] = {"new", "reply", "forward", "resent", "edited"};

static char *
make_header(const struct draft *draft)
{
    GMimeMessage *message = g_mime_message_new(FALSE);
    GMimeObject *object = GMIME_OBJECT(message);
    g_autofree char *date = clock_rfc5322(draft->date, draft->zone);
    g_autofree char *id = g_strdup_printf("<%s>", draft->message_id);
    char *in_reply_to[] = {draft->in_reply_to, NULL};
    g_mime_object_append_header(object, "Date", date, "utf-8");
    append_people(object, "From", draft->from);
    if (draft->sender->len == 0 &&
        draft->from->len > 1) { /* RFC 5322 section 3.6.2: one of several must have sent it */
        g_autoptr(GPtrArray) first = address_list_new();
        g_ptr_array_add(first, address_copy(address_list_get(draft->from, 0)));
        append_people(object, "Sender", first);
    }
    append_people(object, "Sender", draft->sender);
    append_people(object, "Reply-To", draft->reply_to);
    append_people(object, "To", draft->to);
    append_people(object, "Cc", draft->cc);
    if (draft->flags & DRAFT_KEEP_BCC)
        append_people(object, "Bcc", draft->bcc);
    g_mime_object_append_header(object, "Subject", draft->subject, "utf-8");
    g_mime_object_append_header(object, "Message-ID", id, "utf-8");
    append_ids(object, "In-Reply-To", in_reply_to);
    append_ids(object, "References", draft->references);
    for (guint i = 0; i < draft->headers->len; i++) {
        const struct draft_header *header = draft->headers->pdata[i];
        g_mime_object_append_header(object, header->name, header->value, "utf-8");
    }
    if (draft->flags & DRAFT_USER_AGENT)
        g_mime_object_append_header(object, "User-Agent", "Postrider", "utf-8");
    if (draft->flags & DRAFT_INCOMPLETE && draft->source) { /* for recall; never on the wire */
        g_autofree char *mark = g_strdup_printf("%s <%s>", kinds[draft->kind], draft->source);
        g_mime_object_append_header(object, "X-Postrider-Draft", mark, "utf-8");
    }
    char *header = g_mime_object_get_headers(object, NULL);
    g_object_unref(message);
    return header;
}

/* --- all of it --- */

static gboolean
check_ready(const struct draft *draft, GError **error)
{
    if (!draft_check(draft, error))
        return FALSE;
    gsize size = strlen(draft->body);
    for (guint i = 0; i < draft->attachments->len; i++) {
        const struct draft_attachment *attachment = draft->attachments->pdata[i];
        if (!attachment->bytes) {
            g_set_error(error, build_error_quark(), ERROR_INPUT, "attachment %u has not been read", i + 1);
            return FALSE;
        }
        size += g_bytes_get_size(attachment->bytes);
    }
    if (size > LIMIT_BUILD) {
        g_set_error(error, build_error_quark(), ERROR_INPUT, "the message would be larger than %d MB",
                    LIMIT_BUILD / (1024 * 1024));
        return FALSE;
    }
    if (draft->message_id && draft->date)
        return TRUE;
    g_set_error(error, build_error_quark(), ERROR_GIVEUP, "the draft has no date or no Message-ID yet");
    return FALSE;
}

/* Nothing of ours may be longer than a line of SMTP; names that cannot be folded can make one. */
static gboolean
check_lines(const GString *out, GError **error)
{
    gsize start = 0;
    for (gsize i = 0; i < out->len; i++) {
        if (out->str[i] != '\n')
            continue;
        if (i - start > LINE_MAX_BYTES) {
            g_set_error(error, build_error_quark(), ERROR_INPUT,
                        "%.30s…: a line of more than %d bytes would come out of it", out->str + start,
                        LINE_MAX_BYTES);
            return FALSE;
        }
        start = i + 1;
    }
    return TRUE;
}

GBytes *
message_build(const struct draft *draft, GError **error)
{
    mail_init();
    if (!check_ready(draft, error))
        return NULL;
    g_autofree char *header = make_header(draft);
    g_autoptr(GString) out = g_string_new(header);
    g_string_append(out, "MIME-Version: 1.0\n");
    if (draft->attachments->len == 0) {
        append_text_part(out, draft);
    } else {
        /* "=_" comes out of neither base64 nor quoted-printable */
        g_autofree char *random = message_id_new("x@x");
        g_autofree char *boundary = g_strdup_printf("=_%.24s", random);
        g_string_append_printf(out, "Content-Type: multipart/mixed; boundary=\"%s\"\n\n--%s\n", boundary,
                               boundary);
        append_text_part(out, draft);
        for (guint i = 0; i < draft->attachments->len; i++) {
            g_string_append_printf(out, "\n--%s\n", boundary);
            append_attachment(out, draft->attachments->pdata[i]);
        }
        g_string_append_printf(out, "\n--%s--\n", boundary);
    }
    if (!check_lines(out, error))
        return NULL;
    return g_string_free_to_bytes(g_steal_pointer(&out));
}
