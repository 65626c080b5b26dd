#include "config.h"

#include "mail/draft.h"

#include "base/error.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static G_DEFINE_QUARK(postrider_draft_error, draft_error)

    static void header_free(struct draft_header *header)
{
    g_free(header->name);
    g_free(header->value);
    g_free(header);
}

void
draft_attachment_free(struct draft_attachment *attachment)
{
    if (!attachment)
        return;
    g_free(attachment->path);
    g_clear_pointer(&attachment->bytes, g_bytes_unref);
    g_free(attachment->name);
    g_free(attachment->type);
    g_free(attachment->description);
    g_free(attachment);
}

struct draft *
draft_new(void)
{
    struct draft *draft = g_new0(struct draft, 1);
    draft->from = address_list_new();
    draft->sender = address_list_new();
    draft->reply_to = address_list_new();
    draft->to = address_list_new();
    draft->cc = address_list_new();
    draft->bcc = address_list_new();
    draft->subject = g_strdup("");
    draft->body = g_strdup("");
    draft->references = g_new0(char *, 1);
    draft->attachments = g_ptr_array_new_with_free_func((GDestroyNotify)draft_attachment_free);
    draft->headers = g_ptr_array_new_with_free_func((GDestroyNotify)header_free);
    return draft;
}

void
draft_free(struct draft *draft)
{
    if (!draft)
        return;
    g_ptr_array_unref(draft->from);
    g_ptr_array_unref(draft->sender);
    g_ptr_array_unref(draft->reply_to);
    g_ptr_array_unref(draft->to);
    g_ptr_array_unref(draft->cc);
    g_ptr_array_unref(draft->bcc);
    g_free(draft->subject);
    g_free(draft->body);
    g_free(draft->in_reply_to);
    g_strfreev(draft->references);
    g_ptr_array_unref(draft->attachments);
    g_ptr_array_unref(draft->headers);
    g_free(draft->message_id);
    g_free(draft->source);
    g_free(draft);
}

static void
copy_list(GPtrArray **to, const GPtrArray *from)
{
    g_ptr_array_unref(*to);
    *to = address_list_copy(from);
}

struct draft *
draft_copy(const struct draft *draft)
{
    struct draft *copy = draft_new();
    copy_list(&copy->from, draft->from);
    copy_list(&copy->sender, draft->sender);
    copy_list(&copy->reply_to, draft->reply_to);
    copy_list(&copy->to, draft->to);
    copy_list(&copy->cc, draft->cc);
    copy_list(&copy->bcc, draft->bcc);
    draft_set_subject(copy, draft->subject);
    draft_set_body(copy, draft->body);
    copy->in_reply_to = g_strdup(draft->in_reply_to);
    g_strfreev(copy->references);
    copy->references = g_strdupv(draft->references);
    for (guint i = 0; i < draft->attachments->len; i++) {
        const struct draft_attachment *from = draft->attachments->pdata[i];
        struct draft_attachment *to = g_new0(struct draft_attachment, 1);
        to->path = g_strdup(from->path);
        to->bytes = from->bytes ? g_bytes_ref(from->bytes) : NULL;
        to->name = g_strdup(from->name);
        to->type = g_strdup(from->type);
        to->description = g_strdup(from->description);
        to->flags = from->flags;
        g_ptr_array_add(copy->attachments, to);
    }
    for (guint i = 0; i < draft->headers->len; i++) {
        const struct draft_header *header = draft->headers->pdata[i];
        draft_add_header(copy, header->name, header->value);
    }
    copy->date = draft->date;
    copy->zone = draft->zone;
    copy->message_id = g_strdup(draft->message_id);
    copy->flags = draft->flags;
    copy->kind = draft->kind;
    copy->source = g_strdup(draft->source);
    return copy;
}

void
draft_set_subject(struct draft *draft, const char *subject)
{
    g_free(draft->subject);
    draft->subject = g_strdup(subject ? subject : "");
}

void
draft_set_body(struct draft *draft, const char *body)
{
    g_free(draft->body);
    draft->body = g_strdup(body ? body : "");
}

void
draft_add_header(struct draft *draft, const char *name, const char *value)
{
    struct draft_header *header = g_new0(struct draft_header, 1);
    header->name = g_strdup(name);
    header->value = g_strdup(value);
    g_ptr_array_add(draft->headers, header);
}

const char *
draft_get_header(const struct draft *draft, const char *name)
{
    for (guint i = 0; i < draft->headers->len; i++) {
        const struct draft_header *header = draft->headers->pdata[i];
        if (g_ascii_strcasecmp(header->name, name) == 0)
            return header->value;
    }
    return NULL;
}

/* --- attachments --- */

static struct draft_attachment *
attach(struct draft *draft, const char *name, const char *type)
{
    struct draft_attachment *attachment = g_new0(struct draft_attachment, 1);
    attachment->name = g_strdup(name);
    attachment->type = g_strdup(type);
    g_ptr_array_add(draft->attachments, attachment);
    return attachment;
}

struct draft_attachment *
draft_attach_file(struct draft *draft, const char *path, const char *name, const char *type)
{
    g_autofree char *base = name ? NULL : g_filename_display_basename(path);
    struct draft_attachment *attachment = attach(draft, name ? name : base, type);
    attachment->path = g_strdup(path);
    return attachment;
}

struct draft_attachment *
draft_attach_bytes(struct draft *draft, GBytes *bytes, const char *name, const char *type)
{
    struct draft_attachment *attachment = attach(draft, name, type);
    attachment->bytes = g_bytes_ref(bytes);
    return attachment;
}

struct draft_attachment *
draft_attach_message(struct draft *draft, GBytes *message, const char *name)
{
    return draft_attach_bytes(draft, message, name, "message/rfc822");
}

static GBytes *
read_file(int fd, const char *path, guint64 limit, GError **error)
{
    struct stat info;
    if (fstat(fd, &info) < 0) {
        error_set_errno(error, draft_error_quark(), errno, "%s", path);
        return NULL;
    }
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, draft_error_quark(), ERROR_NOINPUT, "%s: not a file that can be attached", path);
        return NULL;
    }
    if ((guint64)info.st_size > limit) {
        g_set_error(error, draft_error_quark(), ERROR_INPUT,
                    "%s: the attachments would be larger than the %" G_GUINT64_FORMAT " bytes allowed", path,
                    limit);
        return NULL;
    }
    gsize size = (gsize)info.st_size, got = 0;
    g_autofree char *bytes = g_try_malloc(MAX(size, 1));
    if (!bytes) {
        g_set_error(error, draft_error_quark(), ERROR_IO, "%s: no memory to attach it", path);
        return NULL;
    }
    while (got < size) {
        gssize n = read(fd, bytes + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(error, draft_error_quark(), errno, "%s", path);
            return NULL;
        }
        if (n == 0) {
            g_set_error(error, draft_error_quark(), ERROR_INPUT, "%s: became shorter while it was read",
                        path);
            return NULL;
        }
        got += (gsize)n;
    }
    return g_bytes_new_take(g_steal_pointer(&bytes), size);
}

static GBytes *
load(const char *name, guint64 limit, GError **error)
{
    g_autofree char *path = paths_expand(name);
    /* O_NONBLOCK: a FIFO must not hang us before fstat() tells what it is */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        error_set_errno(error, draft_error_quark(), errno, "%s", name);
        return NULL;
    }
    GBytes *bytes = read_file(fd, name, limit, error);
    close(fd);
    return bytes;
}

gboolean
draft_load_attachments(struct draft *draft, guint64 limit, GError **error)
{
    for (guint i = 0; i < draft->attachments->len; i++) {
        struct draft_attachment *attachment = draft->attachments->pdata[i];
        if (!attachment->bytes && attachment->path)
            attachment->bytes = load(attachment->path, limit, error);
        if (!attachment->bytes) {
            if (!attachment->path)
                g_set_error(error, draft_error_quark(), ERROR_INPUT,
                            "attachment %u has neither a file nor bytes", i + 1);
            return FALSE;
        }
        gsize size = g_bytes_get_size(attachment->bytes);
        if (size > limit) {
            g_set_error(error, draft_error_quark(), ERROR_INPUT,
                        "the attachments are larger than what is allowed");
            return FALSE;
        }
        limit -= size;
    }
    return TRUE;
}

/* --- checks --- */

GPtrArray *
draft_recipients(const struct draft *draft)
{
    GPtrArray *all = address_list_new();
    const GPtrArray *lists[] = {draft->to, draft->cc, draft->bcc};
    for (gsize l = 0; l < G_N_ELEMENTS(lists); l++)
        for (guint i = 0; i < lists[l]->len; i++) {
            const struct address *address = address_list_get(lists[l], i);
            g_autofree char *addr = address_normalise(address->addr);
            if (addr && !address_list_contains(all, addr))
                address_list_add(all, address->name, addr);
        }
    return all;
}

static gboolean
refuse(GError **error, const char *field, const char *why)
{
    g_set_error(error, draft_error_quark(), ERROR_INPUT, "%s: %s", field, why);
    return FALSE;
}

/* CR and LF begin new fields; NUL and other controls have no business in a header either. */
static gboolean
check_text(const char *field, const char *text, GError **error)
{
    if (!text)
        return TRUE;
    if (!g_utf8_validate(text, -1, NULL))
        return refuse(error, field, "it is not UTF-8");
    for (const char *p = text; *p; p++) {
        if (*p == '\r' || *p == '\n')
            return refuse(error, field, "a line break in it");
        if (g_ascii_iscntrl(*p) && *p != '\t')
            return refuse(error, field, "a control character in it");
    }
    return TRUE;
}

static gboolean
check_list(const char *field, const GPtrArray *list, GError **error)
{
    for (guint i = 0; i < list->len; i++) {
        const struct address *address = address_list_get(list, i);
        if (!check_text(field, address->name, error) || !check_text(field, address->addr, error))
            return FALSE;
        if (address->addr && !address_check(address->addr, error)) {
            g_prefix_error(error, "%s: ", field);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
check_id(const char *field, const char *id, GError **error)
{
    if (!id)
        return TRUE;
    if (!check_text(field, id, error))
        return FALSE;
    if (!*id || strpbrk(id, "<> \t"))
        return refuse(error, field, "not a message-id");
    return TRUE;
}

static gboolean
is_own_field(const char *name)
{
    static const char *const own[] = {"from",       "sender",      "reply-to",   "to",
                                      "cc",         "bcc",         "subject",    "date",
                                      "message-id", "in-reply-to", "references", "mime-version"};
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
        if (g_ascii_strcasecmp(name, own[i]) == 0)
            return TRUE;
    return g_ascii_strncasecmp(name, "content-", 8) == 0;
}

static gboolean
check_header(const struct draft_header *header, GError **error)
{
    if (!*header->name)
        return refuse(error, "header", "it has no name");
    for (const char *p = header->name; *p; p++)
        if (*p <= ' ' || *p == ':' || *p == 0x7f || (guchar)*p >= 0x80)
            return refuse(error, "header", "a character in its name that must not be there");
    if (is_own_field(header->name))
        return refuse(error, header->name, "this header is written by the program");
    return check_text(header->name, header->value, error);
}

/* type/subtype; parameters are not taken. */
static gboolean
is_mime_type(const char *type)
{
    static const char extra[] = "!#$&^_.+-";
    guint slashes = 0;
    for (const char *p = type; *p; p++) {
        if (*p == '/')
            slashes += p > type && p[1] ? 1 : 2;
        else if (!g_ascii_isalnum(*p) && !strchr(extra, *p))
            return FALSE;
    }
    return slashes == 1;
}

static gboolean
check_attachment(const struct draft_attachment *attachment, GError **error)
{
    if (!check_text("attachment name", attachment->name, error) ||
        !check_text("attachment description", attachment->description, error))
        return FALSE;
    if (attachment->type && !(attachment->flags & ATTACH_ENTITY) && !is_mime_type(attachment->type)) {
        g_set_error(error, draft_error_quark(), ERROR_INPUT,
                    "attachment %s: %s is not a type such as text/plain",
                    attachment->name ? attachment->name : "", attachment->type);
        return FALSE;
    }
    return TRUE;
}

gboolean
draft_check(const struct draft *draft, GError **error)
{
    const struct {
        const char *field;
        const GPtrArray *list;
    } lists[] = {{"From", draft->from}, {"Sender", draft->sender}, {"Reply-To", draft->reply_to},
                 {"To", draft->to},     {"Cc", draft->cc},         {"Bcc", draft->bcc}};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        if (!check_list(lists[i].field, lists[i].list, error))
            return FALSE;
    if (!check_text("Subject", draft->subject, error) || !check_id("Message-ID", draft->message_id, error) ||
        !check_id("In-Reply-To", draft->in_reply_to, error))
        return FALSE;
    for (char **id = draft->references; *id; id++)
        if (!check_id("References", *id, error))
            return FALSE;
    for (guint i = 0; i < draft->headers->len; i++)
        if (!check_header(draft->headers->pdata[i], error))
            return FALSE;
    for (guint i = 0; i < draft->attachments->len; i++)
        if (!check_attachment(draft->attachments->pdata[i], error))
            return FALSE;
    if (!g_utf8_validate(draft->body, -1, NULL))
        return refuse(error, "body", "it is not UTF-8");
    if (draft->flags & DRAFT_INCOMPLETE)
        return TRUE;
    if (draft->from->len == 0 || !address_list_get(draft->from, 0)->addr)
        return refuse(error, "From", "there is no address to send from");
    g_autoptr(GPtrArray) recipients = draft_recipients(draft);
    if (recipients->len == 0)
        return refuse(error, "To", "there is no recipient");
    return TRUE;
}

/* --- carried --- */

GVariant *
draft_to_variant(const struct draft *draft)
{
    GVariantBuilder attachments, headers;
    g_variant_builder_init(&attachments, G_VARIANT_TYPE("a(ssssumay)"));
    for (guint i = 0; i < draft->attachments->len; i++) {
        const struct draft_attachment *a = draft->attachments->pdata[i];
        g_autofree char *path = a->path ? g_utf8_make_valid(a->path, -1) : NULL;
        GVariant *bytes = NULL;
        if (a->bytes)
            bytes = g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, a->bytes, TRUE);
        g_variant_builder_add(&attachments, "(ssssu@may)", path ? path : "", a->name ? a->name : "",
                              a->type ? a->type : "", a->description ? a->description : "", a->flags,
                              g_variant_new_maybe(G_VARIANT_TYPE_BYTESTRING, bytes));
    }
    g_variant_builder_init(&headers, G_VARIANT_TYPE("a(ss)"));
    for (guint i = 0; i < draft->headers->len; i++) {
        const struct draft_header *header = draft->headers->pdata[i];
        g_variant_builder_add(&headers, "(ss)", header->name, header->value);
    }
    return g_variant_new("(@a(ss)@a(ss)@a(ss)@a(ss)@a(ss)@a(ss)sss^asa(ssssumay)a(ss)xisuus)",
                         address_list_to_variant(draft->from), address_list_to_variant(draft->sender),
                         address_list_to_variant(draft->reply_to), address_list_to_variant(draft->to),
                         address_list_to_variant(draft->cc), address_list_to_variant(draft->bcc),
                         draft->subject, draft->body, draft->in_reply_to ? draft->in_reply_to : "",
                         draft->references, &attachments, &headers, draft->date, draft->zone,
                         draft->message_id ? draft->message_id : "", draft->flags, (guint)draft->kind,
                         draft->source ? draft->source : "");
}

static char *
null_if_empty(const char *text)
{
    return *text ? g_strdup(text) : NULL;
}

static void
attachments_from_variant(struct draft *draft, GVariant *value)
{
    GVariantIter iter;
    const char *path, *name, *type, *description;
    guint flags;
    GVariant *bytes;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "(&s&s&s&su@may)", &path, &name, &type, &description, &flags, &bytes)) {
        struct draft_attachment *attachment = g_new0(struct draft_attachment, 1);
        attachment->path = null_if_empty(path);
        attachment->name = null_if_empty(name);
        attachment->type = null_if_empty(type);
        attachment->description = null_if_empty(description);
        attachment->flags = flags;
        g_autoptr(GVariant) owned = bytes;
        g_autoptr(GVariant) inner = g_variant_get_maybe(owned);
        if (inner)
            attachment->bytes = g_variant_get_data_as_bytes(inner);
        g_ptr_array_add(draft->attachments, attachment);
    }
}

struct draft *
draft_from_variant(GVariant *value, GError **error)
{
    g_autoptr(struct_draft) draft = draft_new();
    GPtrArray **lists[] = {&draft->from, &draft->sender, &draft->reply_to,
                           &draft->to,   &draft->cc,     &draft->bcc};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GVariant) list = g_variant_get_child_value(value, i);
        g_ptr_array_unref(*lists[i]);
        *lists[i] = address_list_from_variant(list);
    }
    g_autoptr(GVariant) attachments = NULL, headers = NULL;
    const char *in_reply_to, *message_id, *source;
    guint kind;
    g_free(draft->subject);
    g_free(draft->body);
    g_strfreev(draft->references);
    g_variant_get(value, "(@a(ss)@a(ss)@a(ss)@a(ss)@a(ss)@a(ss)ss&s^as@a(ssssumay)@a(ss)xi&suu&s)", NULL,
                  NULL, NULL, NULL, NULL, NULL, &draft->subject, &draft->body, &in_reply_to,
                  &draft->references, &attachments, &headers, &draft->date, &draft->zone, &message_id,
                  &draft->flags, &kind, &source);
    draft->in_reply_to = null_if_empty(in_reply_to);
    draft->message_id = null_if_empty(message_id);
    draft->source = null_if_empty(source);
    attachments_from_variant(draft, attachments);
    GVariantIter iter;
    const char *name, *text;
    g_variant_iter_init(&iter, headers);
    while (g_variant_iter_next(&iter, "(&s&s)", &name, &text))
        draft_add_header(draft, name, text);
    if (kind > DRAFT_EDITED) {
        g_set_error(error, draft_error_quark(), ERROR_INPUT, "the kind of a draft is out of range");
        return NULL;
    }
    draft->kind = (enum draft_kind)kind;
    return g_steal_pointer(&draft);
}
