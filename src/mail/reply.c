#include "config.h"

#include "mail/reply.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "mail/lines.h"
#include "mail/mailto.h"
#include "mail/quote.h"
#include "mail/rawmsg.h"
#include "mail/words.h"

#include <string.h>

#define COLUMNS 72
/* Kept of a long thread: RFC 5322 asks for all, servers refuse giants. */
#define REFERENCES_MAX 100

G_DEFINE_QUARK(postrider_reply_error, reply_error)

/* One line that may be written anywhere. */
static char *
safe_line(const char *text)
{
    g_autofree char *safe = text_safe(text ? text : "", -1, TEXT_LINE);
    return text_squeeze(safe);
}

/* --- people --- */

static gboolean
is_own(const GPtrArray *own, const char *addr)
{
    return addr && address_list_contains(own, addr);
}

static const struct address *
find_own_in(const GPtrArray *list, const GPtrArray *own)
{
    for (guint i = 0; i < address_list_length(list); i++)
        for (guint j = 0; j < address_list_length(own); j++)
            if (address_same(address_list_get(list, i)->addr, address_list_get(own, j)->addr))
                return address_list_get(own, j);
    return NULL;
}

const struct address *
reply_own_address(const struct document *document, const GPtrArray *own)
{
    const GPtrArray *lists[] = {document->envelope->to, document->envelope->cc, document->envelope->bcc,
                                document->envelope->from};
    static const char *const fields[] = {"Delivered-To", "X-Original-To", "Envelope-To"};
    if (address_list_length(own) == 0)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        const struct address *found = find_own_in(lists[i], own);
        if (found)
            return found;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *value = document_header(document, fields[i]);
        for (guint j = 0; value && j < own->len; j++) {
            g_autofree char *addr = g_strstrip(g_strdelimit(g_strdup(value), "<>", ' '));
            if (address_same(addr, address_list_get(own, j)->addr))
                return address_list_get(own, j);
        }
    }
    return address_list_get(own, 0);
}

/* Adds what has an address and is not there yet; names made safe to write. */
static void
add_people(GPtrArray *to, const GPtrArray *from, const GPtrArray *without, const GPtrArray *also_without)
{
    for (guint i = 0; i < address_list_length(from); i++) {
        const struct address *address = address_list_get(from, i);
        if (!address->addr || address_list_contains(to, address->addr) ||
            address_list_contains(without, address->addr) ||
            address_list_contains(also_without, address->addr))
            continue;
        g_autofree char *name = address->name ? safe_line(address->name) : NULL;
        address_list_add(to, name, address->addr);
    }
}

/* A field that holds addresses and is not part of the envelope. NULL when it is absent or broken. */
static GPtrArray *
header_people(const struct document *document, const char *name)
{
    const char *value = document_header(document, name);
    g_autoptr(GPtrArray) list = value ? address_list_parse(value, NULL) : NULL;
    return list && list->len ? g_steal_pointer(&list) : NULL;
}

/* The address after <mailto: in List-Post. */
static GPtrArray *
list_people(const struct document *document)
{
    const char *value = document_header(document, "List-Post");
    for (const char *open = value ? strchr(value, '<') : NULL; open; open = strchr(open + 1, '<')) {
        g_autofree char *url = g_strndup(open + 1, strcspn(open + 1, ">"));
        g_autoptr(struct_draft) parsed = is_mailto(url) ? mailto_parse(url, NULL, NULL) : NULL;
        if (parsed && parsed->to->len)
            return g_ptr_array_ref(parsed->to);
    }
    return NULL;
}

static void
address_sender(struct draft *draft, const struct document *document, const GPtrArray *own)
{
    const struct envelope *envelope = document->envelope;
    g_autoptr(GPtrArray) mail_reply_to = header_people(document, "Mail-Reply-To");
    const GPtrArray *sender = mail_reply_to             ? mail_reply_to
                              : envelope->reply_to->len ? envelope->reply_to
                                                        : envelope->from;
    /* an answer to one's own message goes to whom that went to */
    if (envelope->from->len && is_own(own, address_list_get(envelope->from, 0)->addr) &&
        !envelope->reply_to->len)
        add_people(draft->to, envelope->to, own, NULL);
    if (draft->to->len == 0)
        add_people(draft->to, sender, NULL, NULL);
    if (draft->to->len == 0)
        add_people(draft->to, envelope->from, NULL, NULL);
}

static void
address_all(struct draft *draft, const struct document *document, const GPtrArray *own)
{
    const struct envelope *envelope = document->envelope;
    g_autoptr(GPtrArray) followup = header_people(document, "Mail-Followup-To");
    if (followup) {
        add_people(draft->to, followup, own, NULL);
        if (draft->to->len == 0)
            add_people(draft->to, followup, NULL, NULL);
        return;
    }
    gboolean mine = envelope->from->len && is_own(own, address_list_get(envelope->from, 0)->addr);
    if (mine)
        add_people(draft->to, envelope->to, own, NULL);
    else
        add_people(draft->to, envelope->reply_to->len ? envelope->reply_to : envelope->from, own, NULL);
    if (draft->to->len == 0)
        address_sender(draft, document, own);
    add_people(draft->cc, envelope->to, own, draft->to);
    add_people(draft->cc, envelope->cc, own, draft->to);
}

static gboolean
address_list_reply(struct draft *draft, const struct document *document, const GPtrArray *own, GError **error)
{
    g_autoptr(GPtrArray) followup = header_people(document, "Mail-Followup-To");
    g_autoptr(GPtrArray) list = list_people(document);
    const char *post = document_header(document, "List-Post");
    if (followup)
        add_people(draft->to, followup, own, NULL);
    else if (list)
        add_people(draft->to, list, NULL, NULL);
    if (draft->to->len)
        return TRUE;
    if (post && g_ascii_strncasecmp(post, "NO", 2) == 0)
        g_set_error(error, REPLY_ERROR, ERROR_INPUT, "this mailing list takes no mail from its readers");
    else
        g_set_error(error, REPLY_ERROR, ERROR_INPUT,
                    "this message does not say which mailing list it comes from: reply to the group instead");
    return FALSE;
}

/* --- thread --- */

static void
set_references(struct draft *draft, const struct envelope *envelope)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    guint count = g_strv_length(envelope->references);
    for (guint i = 0; i < count; i++)
        if (i == 0 || count - i < REFERENCES_MAX)
            g_ptr_array_add(ids, g_strdup(envelope->references[i]));
    if (count == 0 && envelope->in_reply_to) /* RFC 5322: the parent's parent */
        g_ptr_array_add(ids, g_strdup(envelope->in_reply_to));
    if (envelope->message_id)
        g_ptr_array_add(ids, g_strdup(envelope->message_id));
    g_ptr_array_add(ids, NULL);
    g_ptr_array_set_free_func(ids, NULL);
    g_strfreev(draft->references);
    draft->references = (GStrv)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
    g_free(draft->in_reply_to);
    draft->in_reply_to = g_strdup(envelope->message_id);
}

/* A foreign id may hold what we would refuse to write; then it is left out. */
static gboolean
is_writable_id(const char *id)
{
    if (!id || !*id)
        return FALSE;
    for (const char *p = id; *p; p++)
        if (*p <= ' ' || *p == 0x7f || *p == '<' || *p == '>')
            return (guchar)*p >= 0x80;
    return strlen(id) < 900;
}

static void
drop_bad_ids(struct draft *draft)
{
    guint kept = 0;
    for (guint i = 0; draft->references[i]; i++) {
        if (is_writable_id(draft->references[i]))
            draft->references[kept++] = draft->references[i];
        else
            g_free(draft->references[i]);
    }
    draft->references[kept] = NULL;
    if (draft->in_reply_to && !is_writable_id(draft->in_reply_to))
        g_clear_pointer(&draft->in_reply_to, g_free);
}

/* --- text --- */

static char *
sent_date(const struct envelope *envelope)
{
    if (!(envelope->flags & ENVELOPE_DATE_VALID))
        return g_strdup("");
    g_autofree char *full = clock_rfc5322(envelope->date, envelope->zone);
    char *second = strrchr(full, ':'); /* "10:42:01 +0100" is more than anyone wants to read */
    return second ? g_strdup_printf("%.*s%s", (int)(second - full), full, second + strcspn(second, " "))
                  : g_strdup(full);
}

static char *
attribution(const struct document *document, const char *format)
{
    const struct envelope *envelope = document->envelope;
    const struct address *from = envelope->from->len ? address_list_get(envelope->from, 0) : NULL;
    g_autofree char *name = safe_line(from ? address_short(from) : "");
    g_autofree char *date = sent_date(envelope);
    if (!format)
        format = *date ? "On %d, %n wrote:" : "%n wrote:";
    GString *out = g_string_new(NULL);
    for (const char *p = format; *p; p++) {
        if (*p != '%' || !p[1]) {
            g_string_append_c(out, *p);
            continue;
        }
        g_autofree char *subject = *++p == 's' ? safe_line(envelope->subject) : NULL;
        switch (*p) {
        case 'd':
            g_string_append(out, date);
            break;
        case 'n':
            g_string_append(out, name);
            break;
        case 'a':
            g_string_append(out, from && from->addr ? from->addr : "");
            break;
        case 's':
            g_string_append(out, subject);
            break;
        case 'i':
            g_string_append(out, envelope->message_id ? envelope->message_id : "");
            break;
        default:
            g_string_append_c(out, *p);
        }
    }
    g_autofree char *line = g_string_free(out, FALSE);
    return safe_line(line);
}

static void
append_signature(GString *body, const char *signature)
{
    if (!signature || !*signature)
        return;
    g_string_append_printf(body, "\n-- \n%s", signature);
    if (body->str[body->len - 1] != '\n')
        g_string_append_c(body, '\n');
}

static guint
columns_of(const struct reply_options *options)
{
    return options && options->columns ? options->columns : COLUMNS;
}

static void
set_from(struct draft *draft, const struct document *document, const struct reply_options *options)
{
    const struct address *own = options ? reply_own_address(document, options->own) : NULL;
    if (own)
        g_ptr_array_add(draft->from, address_copy(own));
}

static void
set_subject(struct draft *draft, const struct document *document, char *(*change)(const char *))
{
    g_autofree char *safe = safe_line(document->envelope->subject);
    g_autofree char *subject = change(safe);
    draft_set_subject(draft, subject);
}

struct draft *
reply_new(const struct document *document, enum reply_kind kind, const struct reply_options *options,
          GError **error)
{
    static const struct reply_options none;
    g_autoptr(struct_draft) draft = draft_new();
    if (!options)
        options = &none;
    draft->kind = DRAFT_REPLY;
    draft->source = g_strdup(document->envelope->message_id);
    set_from(draft, document, options);
    if (kind == REPLY_SENDER)
        address_sender(draft, document, options->own);
    else if (kind == REPLY_ALL)
        address_all(draft, document, options->own);
    else if (!address_list_reply(draft, document, options->own, error))
        return NULL;
    set_subject(draft, document, subject_reply);
    set_references(draft, document->envelope);
    drop_bad_ids(draft);

    g_autoptr(GString) body = g_string_new(NULL);
    if (!options->no_quote) {
        g_autofree char *line = attribution(document, options->attribution);
        g_autofree char *quoted = options->selection
                                      ? quote_text(options->selection, columns_of(options))
                                      : quote_document(document, QUOTE_REPLY, columns_of(options));
        g_string_append_printf(body, "%s\n%s", line, quoted);
    }
    append_signature(body, options->signature);
    draft_set_body(draft, body->str);
    return g_steal_pointer(&draft);
}

/* --- forward --- */

/* The MIME entity of a part: its Content-* fields and its bytes as they are, with LF line ends. */
static GBytes *
part_entity(GBytes *message, const struct document_part *part)
{
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    if (part->header_offset > part->offset || part->offset > length || part->length > length - part->offset)
        return NULL;
    const char *header = bytes + part->header_offset;
    g_autoptr(GArray) fields = rawmsg_fields(header, part->offset - part->header_offset, NULL, NULL);
    GByteArray *out = g_byte_array_new();
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        if (field->name_length > 8 && g_ascii_strncasecmp(header + field->offset, "Content-", 8) == 0)
            g_byte_array_append(out, (const guint8 *)header + field->offset, (guint)field->length);
    }
    if (out->len && out->data[out->len - 1] != '\n')
        g_byte_array_append(out, (const guint8 *)"\n", 1);
    g_byte_array_append(out, (const guint8 *)"\n", 1);
    g_byte_array_append(out, (const guint8 *)bytes + part->offset, (guint)part->length);
    g_autoptr(GBytes) raw = g_byte_array_free_to_bytes(out);
    return crlf_to_lf(raw);
}

static void
copy_attachments(struct draft *draft, const struct document *document, GBytes *message)
{
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        if (!(part->flags & PART_ATTACHMENT) || part->flags & PART_EMBEDDED)
            continue;
        g_autoptr(GBytes) entity = part_entity(message, part);
        if (!entity)
            continue;
        g_autofree char *name = document_part_filename(part);
        struct draft_attachment *attachment = draft_attach_bytes(draft, entity, name, part->type);
        attachment->flags |= ATTACH_ENTITY;
    }
}

static void
append_field(GString *out, const char *name, const char *value, guint columns)
{
    g_autofree char *safe = safe_line(value);
    g_autofree char *line = *safe ? g_strdup_printf("%s: %s", name, safe) : NULL;
    if (line)
        quote_append_line(out, line, 1, columns, FALSE);
}

static void
append_people(GString *out, const char *name, const GPtrArray *list, guint columns)
{
    g_autofree char *text = address_list_format(list);
    append_field(out, name, text, columns);
}

struct draft *
forward_new(const struct document *document, GBytes *message, enum forward_kind kind,
            const struct reply_options *options)
{
    const struct envelope *envelope = document->envelope;
    struct draft *draft = draft_new();
    draft->kind = DRAFT_FORWARD;
    draft->source = g_strdup(envelope->message_id);
    set_from(draft, document, options);
    set_subject(draft, document, subject_forward);
    g_autoptr(GString) body = g_string_new("\n");
    if (kind == FORWARD_ATTACHMENT) {
        g_autoptr(GBytes) bare = message_without_bcc(message);
        g_autoptr(GBytes) lf = crlf_to_lf(bare);
        g_autofree char *base = subject_base(draft->subject);
        g_autofree char *name = g_strdup_printf("%s.eml", *base ? base : "message");
        g_autofree char *clean = text_file_name(name);
        draft_attach_message(draft, lf, clean);
    } else {
        guint columns = columns_of(options);
        g_autofree char *name =
            safe_line(envelope->from->len ? address_short(address_list_get(envelope->from, 0)) : "");
        g_autofree char *date = sent_date(envelope);
        g_autofree char *quoted = quote_document(document, QUOTE_FORWARD, columns);
        g_string_append_printf(body, "----- Forwarded message from %s -----\n\n", name);
        append_people(body, "From", envelope->from, columns);
        append_people(body, "To", envelope->to, columns);
        append_people(body, "Cc", envelope->cc, columns);
        append_field(body, "Date", date, columns);
        append_field(body, "Subject", envelope->subject, columns);
        g_string_append_printf(body, ">\n%s\n----- End of forwarded message -----\n", quoted);
        copy_attachments(draft, document, message);
    }
    append_signature(body, options ? options->signature : NULL);
    draft_set_body(draft, body->str);
    return draft;
}

/* --- again --- */

static struct draft *
take_up(const struct document *document, GBytes *message)
{
    const struct envelope *envelope = document->envelope;
    struct draft *draft = draft_new();
    GPtrArray *lists[] = {draft->from, draft->sender, draft->reply_to, draft->to, draft->cc, draft->bcc};
    const GPtrArray *from[] = {envelope->from, envelope->sender, envelope->reply_to,
                               envelope->to,   envelope->cc,     envelope->bcc};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        add_people(lists[i], from[i], NULL, NULL);
    g_autofree char *subject = safe_line(envelope->subject);
    draft_set_subject(draft, subject);
    g_autofree char *body = quote_document(document, QUOTE_BODY, COLUMNS);
    draft_set_body(draft, body);
    copy_attachments(draft, document, message);
    return draft;
}

struct draft *
edit_as_new(const struct document *document, GBytes *message)
{
    struct draft *draft = take_up(document, message);
    draft->kind = DRAFT_EDITED;
    draft->source = g_strdup(document->envelope->message_id);
    return draft;
}

/* Fields that are written anew, or that a server or another program put there. */
static gboolean
is_kept_field(const char *name)
{
    static const char *const dropped[] = {"from",
                                          "sender",
                                          "reply-to",
                                          "to",
                                          "cc",
                                          "bcc",
                                          "subject",
                                          "date",
                                          "message-id",
                                          "in-reply-to",
                                          "references",
                                          "mime-version",
                                          "received",
                                          "return-path",
                                          "delivered-to",
                                          "x-original-to",
                                          "dkim-signature",
                                          "authentication-results",
                                          "status",
                                          "x-status",
                                          "x-keywords",
                                          "x-uid",
                                          "user-agent",
                                          "x-mailer",
                                          "lines",
                                          "x-postrider-draft"};
    static const char *const prefixes[] = {"content-",   "arc-",      "resent-", "x-spam",
                                           "x-mozilla-", "x-google-", "x-gm-",   "list-"};
    for (gsize i = 0; i < G_N_ELEMENTS(dropped); i++)
        if (g_ascii_strcasecmp(name, dropped[i]) == 0)
            return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_ascii_strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return FALSE;
    return TRUE;
}

/* "reply <id>", as mail/build.c wrote it. */
static void
read_mark(struct draft *draft, const char *mark)
{
    static const char *const kinds[] = {"new", "reply", "forward", "resent", "edited"};
    for (guint i = 0; mark && i < G_N_ELEMENTS(kinds); i++) {
        gsize n = strlen(kinds[i]);
        if (strncmp(mark, kinds[i], n) == 0 && mark[n] == ' ') {
            draft->kind = (enum draft_kind)i;
            draft->source = message_id_first(mark + n);
        }
    }
}

struct draft *
recall_new(const struct document *document, GBytes *message)
{
    struct draft *draft = take_up(document, message);
    const struct envelope *envelope = document->envelope;
    draft->message_id = g_strdup(envelope->message_id);
    draft->in_reply_to = g_strdup(envelope->in_reply_to);
    g_strfreev(draft->references);
    draft->references = g_strdupv(envelope->references);
    drop_bad_ids(draft);
    if (draft->message_id && !is_writable_id(draft->message_id))
        g_clear_pointer(&draft->message_id, g_free);
    for (guint i = 0; i < document->headers->len; i++) {
        const struct document_header *header = document->headers->pdata[i];
        g_autofree char *value = safe_line(header->value);
        if (is_kept_field(header->name))
            draft_add_header(draft, header->name, value);
    }
    read_mark(draft, document_header(document, "X-Postrider-Draft"));
    if (document->flags & DOCUMENT_FLOWED)
        draft->flags |= DRAFT_FLOWED;
    return draft;
}

/* --- bounce --- */

GBytes *
resend_message(GBytes *message, const struct address *from, const GPtrArray *to, GError **error)
{
    g_autoptr(GString) block = g_string_new(NULL);
    gint64 now = clock_now();
    g_autofree char *date = clock_rfc5322(now, clock_local_zone(now));
    g_autofree char *id = message_id_new(from->addr);
    if (address_list_length(to) == 0) {
        g_set_error(error, REPLY_ERROR, ERROR_INPUT, "Resent-To: there is no recipient");
        return NULL;
    }
    for (guint i = 0; i <= to->len; i++) {
        const struct address *address = i < to->len ? address_list_get(to, i) : from;
        if (!address->addr || !address_check(address->addr, error)) {
            g_prefix_error(error, i < to->len ? "Resent-To: " : "Resent-From: ");
            return NULL;
        }
        if (address->name && strpbrk(address->name, "\r\n")) {
            g_set_error(error, REPLY_ERROR, ERROR_INPUT, "Resent-To: a line break in it");
            return NULL;
        }
    }
    g_autofree char *sender = words_format_address(from);
    g_string_append_printf(block, "Resent-From: %s\nResent-To: ", sender);
    for (guint i = 0; i < to->len; i++) {
        g_autofree char *one = words_format_address(address_list_get(to, i));
        g_string_append_printf(block, "%s%s", i ? ",\n " : "", one);
    }
    g_string_append_printf(block, "\nResent-Date: %s\nResent-Message-ID: <%s>\n", date, id);
    g_autoptr(GBytes) bare = message_without_bcc(message);
    g_autoptr(GBytes) lf = crlf_to_lf(bare);
    g_string_append_len(block, g_bytes_get_data(lf, NULL), (gssize)g_bytes_get_size(lf));
    return g_string_free_to_bytes(g_steal_pointer(&block));
}
