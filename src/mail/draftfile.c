#include "config.h"

#include "mail/draftfile.h"

#include "base/error.h"
#include "mail/envelope.h"
#include "mail/rawmsg.h"
#include "mail/words.h"

#include <string.h>

G_DEFINE_QUARK(postrider_draftfile_error, draftfile_error)

/* --- writing --- */

static void
append_list(GString *out, const char *name, const GPtrArray *list)
{
    g_autofree char *text = address_list_format(list);
    for (char *p = text; *p; p++) /* a name must not begin a line of its own */
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    g_string_append_printf(out, "%s: %s\n", name, text);
}

static void
append_line(GString *out, const char *name, const char *value)
{
    g_autofree char *line = g_strdelimit(g_strdup(value), "\r\n", ' ');
    g_string_append_printf(out, "%s: %s\n", name, line);
}

char *
draftfile_format(const struct draft *draft, gboolean headers)
{
    GString *out = g_string_new(NULL);
    if (headers) {
        append_list(out, "From", draft->from);
        append_list(out, "To", draft->to);
        append_list(out, "Cc", draft->cc);
        append_list(out, "Bcc", draft->bcc);
        append_line(out, "Subject", draft->subject);
        if (draft->reply_to->len)
            append_list(out, "Reply-To", draft->reply_to);
        if (draft->in_reply_to)
            g_string_append_printf(out, "In-Reply-To: <%s>\n", draft->in_reply_to);
        for (guint i = 0; i < draft->headers->len; i++) {
            const struct draft_header *header = draft->headers->pdata[i];
            append_line(out, header->name, header->value);
        }
        for (guint i = 0; i < draft->attachments->len; i++) {
            const struct draft_attachment *attachment = draft->attachments->pdata[i];
            if (attachment->path)
                append_line(out, "Attach", attachment->path);
        }
        g_string_append_c(out, '\n');
    }
    g_string_append(out, draft->body);
    return g_string_free(out, FALSE);
}

/* --- reading --- */

/* A word alone before a colon, on the first line: "To: …". */
static gboolean
has_header(const char *text)
{
    static const char *const known[] = {"from",       "to",     "cc",          "bcc",        "subject",
                                        "reply-to",   "sender", "in-reply-to", "references", "attach",
                                        "message-id", "date",   "x-mailer",    "fcc",        "mime-version"};
    gsize name = strcspn(text, ": \t\r\n");
    if (text[name] != ':' || name == 0)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (strlen(known[i]) == name && g_ascii_strncasecmp(text, known[i], name) == 0)
            return TRUE;
    return g_ascii_strncasecmp(text, "x-", 2) == 0 || g_ascii_strncasecmp(text, "list-", 5) == 0 ||
           g_ascii_strncasecmp(text, "content-", 8) == 0;
}

static gboolean
read_addresses(GPtrArray **list, const char *value, GError **error)
{
    g_autoptr(GPtrArray) parsed = address_list_parse(value, error);
    if (!parsed)
        return FALSE;
    for (guint i = 0; i < parsed->len; i++) {
        struct address *address = parsed->pdata[i];
        if (!address->name || !strstr(address->name, "=?"))
            continue;
        char *name = words_decode(address->name);
        g_free(address->name);
        address->name = name;
    }
    g_ptr_array_unref(*list);
    *list = g_steal_pointer(&parsed);
    return TRUE;
}

static gboolean
read_id(char **id, const char *value, GError **error)
{
    g_autofree char *first = message_id_first(value);
    if (*value && !first) {
        g_set_error(error, DRAFTFILE_ERROR, ERROR_INPUT, "%s: not a message-id such as <name@example.org>",
                    value);
        return FALSE;
    }
    g_free(*id);
    *id = g_steal_pointer(&first);
    return TRUE;
}

/* What MIME says of a plain draft is said again when it is built. */
static gboolean
skip_mime(const char *name, const char *value, gboolean *skip, GError **error)
{
    *skip = g_ascii_strcasecmp(name, "MIME-Version") == 0 || g_ascii_strncasecmp(name, "Content-", 8) == 0;
    if (g_ascii_strcasecmp(name, "Content-Type") == 0 && g_ascii_strncasecmp(value, "text/plain", 10) != 0) {
        g_set_error(error, DRAFTFILE_ERROR, ERROR_INPUT,
                    "%s: a draft is plain text; attach files with Attach: lines", value);
        return FALSE;
    }
    if (g_ascii_strcasecmp(name, "Content-Transfer-Encoding") == 0 &&
        (g_ascii_strcasecmp(value, "base64") == 0 || g_ascii_strcasecmp(value, "quoted-printable") == 0)) {
        g_set_error(error, DRAFTFILE_ERROR, ERROR_INPUT, "%s: a draft is not encoded", value);
        return FALSE;
    }
    return TRUE;
}

static void
attach_again(struct draft *draft, GPtrArray *before, const char *path)
{
    for (guint i = 0; i < before->len; i++) {
        struct draft_attachment *old = before->pdata[i];
        if (old && g_strcmp0(old->path, path) == 0) {
            g_ptr_array_add(draft->attachments, old);
            before->pdata[i] = NULL;
            return;
        }
    }
    draft_attach_file(draft, path, NULL, NULL);
}

static gboolean
read_field(struct draft *draft, GPtrArray *files, const char *name, const char *value, GError **error)
{
    const struct {
        const char *name;
        GPtrArray **list;
    } lists[] = {{"From", &draft->from}, {"Sender", &draft->sender}, {"Reply-To", &draft->reply_to},
                 {"To", &draft->to},     {"Cc", &draft->cc},         {"Bcc", &draft->bcc}};
    gboolean skip;
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        if (g_ascii_strcasecmp(name, lists[i].name) == 0)
            return read_addresses(lists[i].list, value, error);
    if (!skip_mime(name, value, &skip, error))
        return FALSE;
    if (skip || g_ascii_strcasecmp(name, "Date") == 0) /* the date is that of sending */
        return TRUE;
    if (g_ascii_strcasecmp(name, "Subject") == 0) {
        g_autofree char *subject = words_decode(value);
        draft_set_subject(draft, subject);
    } else if (g_ascii_strcasecmp(name, "In-Reply-To") == 0) {
        return read_id(&draft->in_reply_to, value, error);
    } else if (g_ascii_strcasecmp(name, "Message-ID") == 0) {
        return read_id(&draft->message_id, value, error);
    } else if (g_ascii_strcasecmp(name, "References") == 0) {
        g_strfreev(draft->references);
        draft->references = message_id_list(value);
    } else if (g_ascii_strcasecmp(name, "Attach") == 0) {
        if (*value)
            attach_again(draft, files, value);
    } else {
        g_autofree char *decoded = words_decode(value);
        draft_add_header(draft, name, decoded);
    }
    return TRUE;
}

gboolean
draftfile_add_field(struct draft *draft, const char *name, const char *value, GError **error)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autofree char *stripped = g_strstrip(g_strdup(value));
    if (read_field(draft, none, name, stripped, error))
        return TRUE;
    g_prefix_error(error, "%s: ", name);
    return FALSE;
}

static guint
line_number(const char *text, gsize offset)
{
    guint line = 1;
    for (gsize i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* The header is the whole truth about extra fields and files: what was taken out of it is gone. */
static gboolean
read_header(const char *text, const GArray *fields, struct draft *draft, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)draft_attachment_free);
    for (guint i = 0; i < draft->attachments->len;) {
        struct draft_attachment *attachment = draft->attachments->pdata[i];
        if (attachment->path)
            g_ptr_array_add(files, g_ptr_array_steal_index(draft->attachments, i));
        else
            i++;
    }
    g_ptr_array_set_size(draft->headers, 0);
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        gsize length = field->offset + field->length - field->value_offset;
        g_autofree char *name = g_strndup(text + field->offset, field->name_length);
        g_autofree char *value = g_strndup(text + field->value_offset, length);
        char *to = value;
        for (const char *from = value; *from; from++)
            if (*from != '\n' && *from != '\r')
                *to++ = *from;
        *to = '\0';
        if (!read_field(draft, files, name, g_strstrip(value), error)) {
            g_prefix_error(error, "line %u: %s: ", line_number(text, field->offset), name);
            return FALSE;
        }
    }
    return TRUE;
}

static void
swap(struct draft *a, struct draft *b)
{
    struct draft kept = *a;
    *a = *b;
    *b = kept;
}

gboolean
draftfile_parse(const char *text, gsize length, struct draft *draft, GError **error)
{
    g_autofree char *copy = g_strndup(text, length);
    gsize body = 0;
    if (!g_utf8_validate_len(text, length, NULL)) {
        g_set_error(error, DRAFTFILE_ERROR, ERROR_INPUT, "the draft is not UTF-8 text");
        return FALSE;
    }
    g_autoptr(struct_draft) changed = draft_copy(draft);
    if (has_header(copy)) {
        g_autoptr(GArray) fields = rawmsg_fields(copy, length, NULL, &body);
        gboolean ends_well = body == length || (body > 0 && copy[body - 1] == '\n');
        if (!ends_well ||
            (body < length && fields->len && body >= 2 && copy[body - 2] != '\n' && copy[body - 2] != '\r')) {
            g_set_error(error, DRAFTFILE_ERROR, ERROR_INPUT,
                        "line %u: neither a header line nor the blank line before the text",
                        line_number(copy, body));
            return FALSE;
        }
        if (!read_header(copy, fields, changed, error))
            return FALSE;
    }
    draft_set_body(changed, copy + body);
    swap(draft, changed);
    return TRUE;
}
