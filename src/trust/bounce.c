#include "config.h"

#include "trust/bounce_private.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/lines.h"

static const char *const kind_names[] = {"hard", "soft", "delayed", "relayed", "delivered"};

const char *
bounce_kind_name(enum bounce_kind kind)
{
    return kind_names[kind];
}

gboolean
bounce_kind_parse(const char *name, enum bounce_kind *kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kind_names); i++)
        if (!strcmp(kind_names[i], name)) {
            *kind = (enum bounce_kind)i;
            return TRUE;
        }
    return FALSE;
}

static void
recipient_free(gpointer data)
{
    struct bounce_recipient *recipient = data;
    g_free(recipient->address);
    g_free(recipient->original);
    g_free(recipient->status);
    g_free(recipient->diagnostic);
    g_free(recipient->server);
    g_free(recipient);
}

void
bounce_free(struct bounce *bounce)
{
    if (!bounce)
        return;
    g_free(bounce->message_id);
    g_free(bounce->subject);
    g_free(bounce->envid);
    g_free(bounce->reporter);
    g_ptr_array_unref(bounce->recipients);
    g_free(bounce);
}

char *
bounce_text(const char *text, gsize len)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)MIN(len, BOUNCE_TEXT_MAX));
    g_autofree char *squeezed = text_squeeze(valid);
    return *squeezed ? g_steal_pointer(&squeezed) : NULL;
}

/* The status in words (RFC 3463), the longest prefix first; and whether the address itself is at fault. */
static const struct reason {
    const char *detail; /* a status without its class, or a saying of bounce_words.c */
    const char *words;
    gboolean is_soft;    /* even with class 5: another message may arrive */
    gboolean is_address; /* the address is no good: warned about when it is used again */
} reasons[] = {
    {"1.1", N_("no such user"), FALSE, TRUE},
    {"1.2", N_("no such domain"), FALSE, TRUE},
    {"1.3", N_("the address is not written as it should be"), FALSE, TRUE},
    {"1.6", N_("the user has moved"), FALSE, TRUE},
    {"1.7", N_("the sender's address was not accepted"), FALSE, FALSE},
    {"1.8", N_("the sender's address was not accepted"), FALSE, FALSE},
    {"1.10", N_("the domain takes no mail"), FALSE, TRUE},
    {"1.", N_("the address was refused"), FALSE, TRUE},
    {"2.1", N_("the mailbox is disabled"), FALSE, TRUE},
    {"2.2", N_("the mailbox is full"), TRUE, FALSE},
    {"2.3", N_("the message is too long for the mailbox"), FALSE, FALSE},
    {"2.", N_("the mailbox does not take mail"), FALSE, FALSE},
    {"3.1", N_("the server has no room"), FALSE, FALSE},
    {"3.2", N_("the server takes no mail at present"), FALSE, FALSE},
    {"3.4", N_("the message is too large for the server"), FALSE, FALSE},
    {"3.", N_("the server does not take mail"), FALSE, FALSE},
    {"4.1", N_("the server does not answer"), TRUE, FALSE},
    {"4.4", N_("no server is known for the domain"), FALSE, TRUE},
    {"4.6", N_("the message went round in a loop"), FALSE, FALSE},
    {"4.7", N_("it could not be delivered in time"), TRUE, FALSE},
    {"4.310", N_("no such domain"), FALSE, TRUE},
    {"4.", N_("the server could not be reached"), TRUE, FALSE},
    {"5.3", N_("too many recipients at once"), FALSE, FALSE},
    {"5.", N_("the servers did not understand each other"), FALSE, FALSE},
    {"6.", N_("the content was not accepted"), FALSE, FALSE},
    {"7.1.greylist", N_("the server asks to try again later (greylisting)"), TRUE, FALSE},
    {"7.1.relay", N_("the server does not pass mail on to there"), FALSE, FALSE},
    {"7.1.reputation", N_("the sending server has a bad name there"), FALSE, FALSE},
    {"7.1.content", N_("the content was taken for spam or dangerous"), FALSE, FALSE},
    {"7.", N_("refused by the server's policy"), FALSE, FALSE},
    {"", N_("it could not be delivered"), FALSE, FALSE},
};

static const struct reason *
find_reason(const char *detail)
{
    const struct reason *reason = reasons;
    for (; *reason->detail; reason++) {
        gsize len = strlen(reason->detail);
        gboolean is_whole = reason->detail[len - 1] != '.';
        if (!strncmp(detail, reason->detail, len) && (!is_whole || !g_ascii_isdigit(detail[len])))
            break;
    }
    return reason;
}

static const char *
detail_of(const char *status)
{
    return status && strlen(status) > 2 ? status + 2 : "";
}

const char *
bounce_status_words(const char *status, enum bounce_kind *kind)
{
    const struct reason *reason = find_reason(detail_of(status));
    *kind = reason->is_soft || (status && *status == '4') ? BOUNCE_SOFT : BOUNCE_HARD;
    return _(reason->words);
}

static gboolean
is_general(const char *detail) /* "2.0", and what no table knows */
{
    return !*detail || (g_str_has_suffix(detail, ".0") && strlen(detail) == 3) || !*find_reason(detail)->detail;
}

static gboolean
is_one_of(const char *detail, const char *const *details)
{
    return detail && g_strv_contains(details, detail);
}

/* Says the status less than the words do? 5.4.1 is what a large provider says of users that it does not know; 7.1 is said
 * of anything, and there are many kinds of it; 1.1 and 1.6 are made of 550 and 551 by the sending server, which knows no more. */
static gboolean
is_vague(const char *detail, const struct bounce_saying *saying)
{
    static const char *const unsure[] = {"7.1", "1.3", "1.6", "4.1", NULL}, *const sizes[] = {"2.2", "3.4", NULL},
                      *const mailboxes[] = {"2.1", "2.2", "3.4", NULL};
    if (is_general(detail) || g_str_has_prefix(saying->detail, "7.1."))
        return TRUE;
    if (!strcmp(saying->detail, "1.1"))
        return !strcmp(detail, "4.1") || (saying->is_sure && is_one_of(detail, unsure));
    if (!strcmp(detail, "7.1"))
        return is_one_of(saying->detail, sizes);
    return !strcmp(detail, "1.1") && !*saying->status && is_one_of(saying->detail, mailboxes);
}

static void
classify(struct bounce_recipient *recipient, const char *action)
{
    struct bounce_saying saying = {.len = 0};
    gboolean delayed = !g_ascii_strncasecmp(action, "delayed", 7);
    if (recipient->diagnostic)
        bounce_weigh(recipient->diagnostic, &saying);
    gboolean is_given = recipient->status != NULL;
    if (!is_given)
        recipient->status = bounce_status_of(&saying, delayed);
    const char *detail = detail_of(recipient->status);
    if (*saying.status && is_general(detail))
        detail = detail_of(saying.status);
    /* Of a refusal by policy or for the content the words tell the kind; they do not make one of another failure. */
    gboolean is_refusal = saying.detail && g_str_has_prefix(saying.detail, "7.1.");
    gboolean may_refuse = strchr("067", *detail) || !strcmp(detail, "3.0") || !*find_reason(detail)->detail;
    if (saying.detail && is_vague(detail, &saying) && (!is_refusal || may_refuse))
        detail = saying.detail;
    const struct reason *reason = find_reason(detail);
    recipient->reason = _(reason->words);
    recipient->kind = reason->is_soft || *recipient->status == '4' ? BOUNCE_SOFT : BOUNCE_HARD;
    recipient->is_address = reason->is_address;
    if (!g_ascii_strncasecmp(action, "deliver", 7) || !g_ascii_strncasecmp(action, "expand", 6))
        recipient->kind = BOUNCE_DELIVERED, recipient->reason = _("delivered");
    else if (!g_ascii_strncasecmp(action, "relay", 5))
        recipient->kind = BOUNCE_RELAYED, recipient->reason = _("given on to a server that sends no reports");
    else if (delayed)
        recipient->kind = BOUNCE_DELAYED;
    if (recipient->kind >= BOUNCE_RELAYED && !is_given)
        g_free(recipient->status), recipient->status = g_strdup("2.0.0");
}

gboolean
bounce_has(const struct bounce *bounce, const char *address)
{
    for (guint i = 0; i < bounce->recipients->len; i++)
        if (!g_ascii_strcasecmp(((const struct bounce_recipient *)bounce->recipients->pdata[i])->address, address))
            return TRUE;
    return FALSE;
}

void
bounce_add(struct bounce *bounce, struct bounce_found *found)
{
    struct bounce_recipient *recipient = g_new0(struct bounce_recipient, 1);
    recipient->address = found->address;
    recipient->original = found->original;
    recipient->status = found->status;
    recipient->diagnostic = found->diagnostic;
    recipient->server = found->server;
    if (!recipient->address || bounce_has(bounce, recipient->address) || bounce->recipients->len >= BOUNCE_RECIPIENTS_MAX) {
        recipient_free(recipient);
    } else {
        classify(recipient, found->action ? found->action : "failed");
        g_ptr_array_add(bounce->recipients, recipient);
    }
    memset(found, 0, sizeof *found);
}

/* --- parts */

static void
decode_quoted_printable(char *text)
{
    char *out = text;
    for (const char *p = text; *p; p++) {
        if (*p != '=') {
            *out++ = *p;
        } else if (g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            *out++ = (char)(g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));
            p += 2;
        } else { /* a soft line end */
            p += strspn(p + 1, " \t\r");
            p += p[1] == '\n';
        }
    }
    *out = '\0';
}

/* The content of a part as text with LF line ends; NULL when it lies beyond the message. */
char *
bounce_part_text(GBytes *message, const struct document_part *part)
{
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    if (part->offset > length || part->length > length - part->offset)
        return NULL;
    gsize size = MIN(part->length, BOUNCE_PART_MAX);
    g_autofree char *text = g_strndup(bytes + part->offset, size);
    if (!strcmp(part->encoding, "base64")) {
        gsize decoded;
        g_base64_decode_inplace(text, &decoded);
        text[decoded] = '\0';
    } else if (!strcmp(part->encoding, "quoted-printable")) {
        decode_quoted_printable(text);
    }
    gsize used = crlf_to_lf_inplace(text, strlen(text));
    text[used] = '\0';
    return g_utf8_make_valid(text, -1);
}

static gboolean
is_type(const struct document_part *part, const char *const *types)
{
    for (; *types; types++)
        if (!strcmp(part->type, *types))
            return TRUE;
    return FALSE;
}

/* Fields for machines in a part, or a message, of another type: a gateway took the type away. */
static const char *
find_status_fields(const char *text)
{
    const char *hit = strcasestr(text, "\nfinal-recipient:");
    if (!hit && !g_ascii_strncasecmp(text, "final-recipient:", 16))
        return text;
    if (!hit || (!strcasestr(text, "\nstatus:") && !strcasestr(text, "\naction:")))
        return NULL;
    return hit + 1;
}

static void
read_parts(struct bounce *bounce, GBytes *message, const struct document *document, gboolean embedded,
           struct bounce_returned *returned)
{
    static const char *const status[] = {"message/delivery-status", "message/global-delivery-status",
                                         "message/delivery-notification", "message/x-delivery-status", NULL};
    static const char *const back[] = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers",
                                       "text/rfc822", "message/rfc822-headers", "application/rfc822", NULL};
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        gboolean is_status = is_type(part, status), is_back = is_type(part, back);
        if (((part->flags & PART_EMBEDDED) != 0) != embedded || (!is_status && !is_back))
            continue;
        g_autofree char *text = bounce_part_text(message, part);
        if (text && is_status)
            bounce_read_status(bounce, text);
        else if (text && !returned->message_id)
            bounce_read_returned(returned, text);
    }
}

static void
read_untyped(struct bounce *bounce, GBytes *message, const struct document *document)
{
    for (guint i = 0; i < document->parts->len && !bounce->recipients->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        if (part->flags & PART_EMBEDDED || (part->flags & PART_CONTAINER && document->parts->len > 1))
            continue;
        if (!g_str_has_prefix(part->type, "text/") && strcmp(part->type, "application/octet-stream") &&
            !g_str_has_prefix(part->type, "multipart/report"))
            continue;
        g_autofree char *text = bounce_part_text(message, part);
        const char *fields = text ? find_status_fields(text) : NULL;
        if (fields)
            bounce_read_status(bounce, fields);
    }
}

static const char *const receipts[] = {"message/disposition-notification", "message/global-disposition-notification", NULL};

/* A receipt may be a refusal. */
static gboolean
read_rejection(struct bounce *bounce, GBytes *message, const struct document *document)
{
    g_autofree char *words = NULL;
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        if (part->flags & PART_EMBEDDED)
            continue;
        if (!words && !strcmp(part->type, "text/plain"))
            words = bounce_part_text(message, part);
        g_autofree char *text = words && is_type(part, receipts) ? bounce_part_text(message, part) : NULL;
        if (text && bounce_read_rejection(bounce, text, words))
            return TRUE;
    }
    return FALSE;
}

/* Complaints and receipts are reports as well, and no bounces. */
static gboolean
is_other_report(const struct document *document)
{
    static const char *const others[] = {"message/feedback-report", "message/tracking-status", NULL};
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        if (!(part->flags & PART_EMBEDDED) && (is_type(part, others) || is_type(part, receipts)))
            return TRUE;
    }
    return FALSE;
}

/* "Answer this and I let you in", dressed as a report. */
static gboolean
is_challenge(const struct bounce *bounce)
{
    for (guint i = 0; i < bounce->recipients->len; i++) {
        const struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        g_autofree char *lower = recipient->diagnostic ? g_utf8_strdown(recipient->diagnostic, -1) : NULL;
        if (lower && bounce_is_other_machine(lower))
            return TRUE;
    }
    return FALSE;
}

/* The message itself, not one that it holds. */
static gboolean
is_delivery_report(const struct document *document)
{
    const char *type = document_header(document, "Content-Type");
    const struct document_part *whole = document->parts->len ? document->parts->pdata[0] : NULL;
    return (type && strcasestr(type, "multipart/report") && strcasestr(type, "delivery-status")) ||
           (whole && document->flags & DOCUMENT_REPORT &&
            (!strcmp(whole->type, "multipart/report") || !strcmp(whole->type, "message/delivery-status")));
}

struct bounce *
bounce_read(GBytes *message, const struct document *document)
{
    g_autoptr(struct_bounce) bounce = g_new0(struct bounce, 1);
    struct bounce_returned returned = {NULL, NULL, g_ptr_array_new_with_free_func(g_free)};
    enum bounce_trust trust = bounce_sender(document);
    gboolean is_report = is_delivery_report(document);
    bounce->recipients = g_ptr_array_new_with_free_func(recipient_free);
    if (read_rejection(bounce, message, document)) {
        read_parts(bounce, message, document, FALSE, &returned);
    } else if (!is_other_report(document) && (is_report || trust > BOUNCE_STRANGER)) {
        read_parts(bounce, message, document, FALSE, &returned);
        if (trust < BOUNCE_MACHINE && is_challenge(bounce))
            g_ptr_array_set_size(bounce->recipients, 0), trust = BOUNCE_STRANGER, is_report = FALSE;
        if (!bounce->recipients->len && (is_report || trust == BOUNCE_MACHINE))
            read_untyped(bounce, message, document);
        if (!bounce->recipients->len && trust == BOUNCE_MACHINE)
            read_parts(bounce, message, document, TRUE, &returned);
        if (is_report || trust > BOUNCE_STRANGER)
            bounce_read_prose(bounce, document, is_report ? BOUNCE_MACHINE : trust, &returned);
    }
    if (returned.message_id) {
        g_free(bounce->message_id);
        bounce->message_id = g_steal_pointer(&returned.message_id);
    }
    bounce->subject = g_steal_pointer(&returned.subject);
    g_ptr_array_unref(returned.to);
    if (!bounce->message_id && bounce->recipients->len)
        bounce->message_id = g_strdup(document->envelope->in_reply_to);
    return bounce->recipients->len ? g_steal_pointer(&bounce) : NULL;
}
