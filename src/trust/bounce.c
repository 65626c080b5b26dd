#include "config.h"

#include "trust/bounce.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/lines.h"

#define STATUS_PART_MAX (1024 * 1024) /* bytes of a report that are looked at */

const char *
bounce_kind_name(enum bounce_kind kind)
{
    static const char *const names[] = {"hard", "soft", "delayed", "relayed", "delivered"};
    return names[kind];
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
    g_free(bounce->envid);
    g_free(bounce->reporter);
    g_ptr_array_unref(bounce->recipients);
    g_free(bounce);
}

static char *
bounded(const char *text, gsize len)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)MIN(len, BOUNCE_TEXT_MAX));
    g_autofree char *squeezed = text_squeeze(valid);
    return *squeezed ? g_steal_pointer(&squeezed) : NULL;
}

/* The status in words (RFC 3463), the longest prefix first; and whether the address itself is at fault. */
static const struct reason {
    const char *status; /* without its class */
    const char *words;
    gboolean is_soft;    /* even with class 5: another message may arrive */
    gboolean is_address; /* the address is no good: warned about when it is used again */
} reasons[] = {
    {"1.1", N_("no such user"), FALSE, TRUE},
    {"1.2", N_("no such domain"), FALSE, TRUE},
    {"1.3", N_("the address is not written as it should be"), FALSE, TRUE},
    {"1.6", N_("the user has moved"), FALSE, TRUE},
    {"1.8", N_("the sender's address was not accepted"), FALSE, FALSE},
    {"1.10", N_("the domain takes no mail"), FALSE, TRUE},
    {"1.", N_("the address was refused"), FALSE, TRUE},
    {"2.1", N_("the mailbox is disabled"), FALSE, TRUE},
    {"2.2", N_("the mailbox is full"), TRUE, FALSE},
    {"2.3", N_("the message is too long for the mailbox"), FALSE, FALSE},
    {"2.", N_("the mailbox does not take mail"), TRUE, FALSE},
    {"3.4", N_("the message is too large for the server"), FALSE, FALSE},
    {"3.", N_("the server does not take mail"), TRUE, FALSE},
    {"4.1", N_("the server does not answer"), TRUE, FALSE},
    {"4.4", N_("no server is known for the domain"), FALSE, TRUE},
    {"4.6", N_("the message went round in a loop"), FALSE, FALSE},
    {"4.7", N_("it could not be delivered in time"), TRUE, FALSE},
    {"4.", N_("the server could not be reached"), TRUE, FALSE},
    {"5.", N_("the servers did not understand each other"), FALSE, FALSE},
    {"6.", N_("the content was not accepted"), FALSE, FALSE},
    {"7.", N_("refused by the server's policy"), FALSE, FALSE},
    {"", N_("it could not be delivered"), FALSE, FALSE},
};

static const struct reason *
find_reason(const char *status)
{
    const struct reason *reason = reasons;
    const char *detail = status && strlen(status) > 2 ? status + 2 : "";
    for (; *reason->status; reason++) {
        gsize len = strlen(reason->status);
        gboolean is_whole = reason->status[len - 1] != '.';
        if (!strncmp(detail, reason->status, len) && (!is_whole || !g_ascii_isdigit(detail[len])))
            break;
    }
    return reason;
}

const char *
bounce_status_words(const char *status, enum bounce_kind *kind)
{
    const struct reason *reason = find_reason(status);
    *kind = reason->is_soft || (status && *status == '4') ? BOUNCE_SOFT : BOUNCE_HARD;
    return _(reason->words);
}

/* "5.1.1 (bad address)": the three numbers, or NULL. */
static char *
status_of(const char *text)
{
    const char *p = text;
    guint dots = 0;
    for (; g_ascii_isdigit(*p) || *p == '.'; p++)
        dots += *p == '.';
    return dots == 2 && strchr("245", *text) && p - text >= 5 && p - text <= 9 && g_ascii_isdigit(p[-1])
               ? g_strndup(text, (gsize)(p - text))
               : NULL;
}

/* The first enhanced code in prose: "550 5.1.1 <x>: no". */
static char *
status_in(const char *text)
{
    for (const char *p = text; *p; p++)
        if (strchr("245", *p) && p[1] == '.' && (p == text || !(g_ascii_isdigit(p[-1]) || p[-1] == '.'))) {
            char *status = status_of(p);
            if (status)
                return status;
        }
    return NULL;
}

static void
classify(struct bounce_recipient *recipient, const char *action)
{
    recipient->reason = bounce_status_words(recipient->status, &recipient->kind);
    recipient->is_address = find_reason(recipient->status)->is_address;
    if (!g_ascii_strcasecmp(action, "delivered") || !g_ascii_strcasecmp(action, "expanded"))
        recipient->kind = BOUNCE_DELIVERED, recipient->reason = _("delivered");
    else if (!g_ascii_strcasecmp(action, "relayed"))
        recipient->kind = BOUNCE_RELAYED, recipient->reason = _("given on to a server that sends no reports");
    else if (!g_ascii_strcasecmp(action, "delayed"))
        recipient->kind = BOUNCE_DELAYED;
}

static void
add_recipient(struct bounce *bounce, char *address, char *original, char *status, char *diagnostic,
              char *server, const char *action)
{
    struct bounce_recipient *recipient = g_new0(struct bounce_recipient, 1);
    recipient->address = address;
    recipient->original = original;
    recipient->status = status;
    recipient->diagnostic = diagnostic;
    recipient->server = server;
    classify(recipient, action);
    g_ptr_array_add(bounce->recipients, recipient);
}

/* --- message/delivery-status */

/* "rfc822; ana@example.org", "smtp;550 no": without the type before the semicolon, brackets and RFC 3461
 * xtext left alone. */
static char *
typed_value(const char *text)
{
    const char *semicolon = strchr(text, ';');
    const char *value = semicolon ? semicolon + 1 : text;
    while (g_ascii_isspace(*value) || *value == '<')
        value++;
    gsize len = strlen(value);
    while (len && (value[len - 1] == '>' || g_ascii_isspace(value[len - 1])))
        len--;
    return len ? bounded(value, len) : NULL;
}

/* One block of fields up to an empty line: name (lower case) to unfolded value. *p moves behind it. NULL at
 * the end. */
static GHashTable *
next_block(const char **p)
{
    GHashTable *block = NULL;
    g_autoptr(GString) field = g_string_new(NULL);
    while (**p == '\n')
        ++*p;
    while (**p && **p != '\n') {
        const char *end = strchrnul(*p, '\n');
        g_string_append_len(field, *p, end - *p);
        *p = *end ? end + 1 : end;
        if (**p == ' ' || **p == '\t') /* folded: the rest follows */
            continue;
        char *colon = strchr(field->str, ':');
        if (colon) {
            *colon = '\0';
            if (!block)
                block = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
            char *name = g_ascii_strdown(field->str, -1);
            if (g_hash_table_contains(block, name)) /* the first one counts */
                g_free(name);
            else
                g_hash_table_insert(block, name, g_strstrip(g_strdup(colon + 1)));
        } else if (!block) {
            block = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        }
        g_string_truncate(field, 0);
    }
    return block;
}

static char *
typed_field(GHashTable *block, const char *name)
{
    const char *value = g_hash_table_lookup(block, name);
    return value ? typed_value(value) : NULL;
}

static void
read_status(struct bounce *bounce, const char *text)
{
    const char *p = text;
    for (GHashTable *block;
         bounce->recipients->len < BOUNCE_RECIPIENTS_MAX && (block = next_block(&p)) != NULL;
         g_hash_table_unref(block)) {
        const char *envid = g_hash_table_lookup(block, "original-envelope-id");
        if (envid && !bounce->envid)
            bounce->envid = bounded(envid, strlen(envid));
        if (!bounce->reporter)
            bounce->reporter = typed_field(block, "reporting-mta");
        g_autofree char *address = typed_field(block, "final-recipient");
        char *original = typed_field(block, "original-recipient");
        if (!address)
            address = g_strdup(original);
        if (!address) {
            g_free(original);
            continue;
        }
        const char *action = g_hash_table_lookup(block, "action"),
                   *status = g_hash_table_lookup(block, "status");
        add_recipient(bounce, g_steal_pointer(&address), original, status ? status_of(status) : NULL,
                      typed_field(block, "diagnostic-code"), typed_field(block, "remote-mta"),
                      action ? action : "failed");
    }
}

/* The content of a part as text with LF line ends; NULL when it is encoded in a way that says it is not for
 * machines. */
static char *
part_text(GBytes *message, const struct document_part *part)
{
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    if (part->offset > length || part->length > length - part->offset)
        return NULL;
    gsize size = MIN(part->length, STATUS_PART_MAX);
    g_autofree char *text = g_strndup(bytes + part->offset, size);
    if (!strcmp(part->encoding, "base64")) {
        gsize decoded;
        g_base64_decode_inplace(text, &decoded);
        text[decoded] = '\0';
    } else if (!strcmp(part->encoding, "quoted-printable")) {
        return NULL;
    }
    gsize used = crlf_to_lf_inplace(text, strlen(text));
    text[used] = '\0';
    return g_utf8_make_valid(text, -1);
}

/* The Message-ID in the returned header or message. */
static char *
returned_id(const char *text)
{
    const char *p = text;
    GHashTable *block = next_block(&p);
    if (!block)
        return NULL;
    const char *value = g_hash_table_lookup(block, "message-id");
    char *id = value ? message_id_first(value) : NULL;
    g_hash_table_unref(block);
    return id;
}

/* --- Free forms */

gboolean
bounce_is_likely(const char *from, const char *name G_GNUC_UNUSED, const char *subject G_GNUC_UNUSED)
{
    return from && (!g_ascii_strncasecmp(from, "mailer-daemon", 13) || !g_ascii_strncasecmp(from, "postmaster", 10));
}

static gboolean
is_from_machine(const struct document *document)
{
    static const char *const names[] = {"mailer-daemon", "postmaster", "mailerdaemon", "mail-daemon"};
    const struct address *from = address_list_get(document->envelope->from, 0);
    const char *path = document_header(document, "Return-Path");
    if (path && !strcmp(path, "<>"))
        return TRUE;
    for (guint i = 0; from && from->addr && i < G_N_ELEMENTS(names); i++)
        if (!g_ascii_strncasecmp(from->addr, names[i], strlen(names[i])))
            return TRUE;
    return FALSE;
}

/* The Message-ID of the original, quoted somewhere below the words. */
static char *
quoted_id(const char *text)
{
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *p = line;
        while (*p == '>' || *p == ' ' || *p == '|')
            p++;
        if (!g_ascii_strncasecmp(p, "message-id:", 11)) {
            g_autofree char *value = g_strndup(p + 11, strcspn(p + 11, "\n"));
            return message_id_first(value);
        }
    }
    return NULL;
}

/* The address at the start of a line: "<ana@example.org>:", "  ana@example.org". */
static char *
address_on(const char *line, gsize len)
{
    while (len && (g_ascii_isspace(*line) || *line == '<'))
        line++, len--;
    gsize n = 0;
    while (n < len && !g_ascii_isspace(line[n]) && !strchr("<>:,;()\"", line[n]))
        n++;
    g_autofree char *address = g_strndup(line, n);
    return n < 255 && strchr(address, '@') && address_check(address, NULL) ? g_steal_pointer(&address) : NULL;
}

/* "<ana@example.org>:" and what follows it until an empty line (qmail, Exim, Postfix's prose). */
static void
read_prose(struct bounce *bounce, const char *text)
{
    for (const char *line = text; line && *line && bounce->recipients->len < BOUNCE_RECIPIENTS_MAX;) {
        gsize len = strcspn(line, "\n");
        if (len > 2 && (!strncmp(line, "---", 3) || !strncmp(line, "===", 3)) && bounce->recipients->len)
            return; /* the original begins */
        g_autofree char *address = address_on(line, len);
        const char *paragraph = strstr(line, "\n\n");
        gsize words = paragraph ? (gsize)(paragraph - line) : strlen(line);
        if (address) {
            g_autofree char *said = bounded(line, words);
            char *status = status_in(said ? said : "");
            /* Prose that gives no code and no reason is a mere mention. */
            if (status || (said && strlen(said) > strlen(address) + 3)) {
                add_recipient(bounce, g_steal_pointer(&address), NULL, status, g_steal_pointer(&said), NULL,
                              "failed");
                line = paragraph;
                continue;
            }
        }
        line = line[len] ? line + len + 1 : NULL;
    }
}

static void
read_free_form(struct bounce *bounce, const struct document *document)
{
    const char *failed = document_header(document, "X-Failed-Recipients"); /* Exim, Gmail */
    g_auto(GStrv) addresses = g_strsplit(failed ? failed : "", ",", BOUNCE_RECIPIENTS_MAX);
    for (char **one = addresses; *one; one++) {
        g_strstrip(*one);
        if (!address_check(*one, NULL))
            continue;
        const char *where = strstr(document->text, *one);
        const char *end = where ? strstr(where, "\n\n") : NULL;
        g_autofree char *said = where ? bounded(where, end ? (gsize)(end - where) : strlen(where)) : NULL;
        char *status = status_in(said ? said : "");
        add_recipient(bounce, g_strdup(*one), NULL, status, g_steal_pointer(&said), NULL, "failed");
    }
    if (!bounce->recipients->len)
        read_prose(bounce, document->text);
    if (!bounce->message_id)
        bounce->message_id = quoted_id(document->text);
}

struct bounce *
bounce_read(GBytes *message, const struct document *document)
{
    g_autoptr(struct_bounce) bounce = g_new0(struct bounce, 1);
    bounce->recipients = g_ptr_array_new_with_free_func(recipient_free);
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        gboolean is_status = !strcmp(part->type, "message/delivery-status") ||
                             !strcmp(part->type, "message/global-delivery-status");
        gboolean is_returned =
            !strcmp(part->type, "message/rfc822") || !strcmp(part->type, "text/rfc822-headers") ||
            !strcmp(part->type, "message/global") || !strcmp(part->type, "message/global-headers");
        if (part->flags & PART_EMBEDDED || (!is_status && !is_returned))
            continue;
        g_autofree char *text = part_text(message, part);
        if (text && is_status && document->flags & DOCUMENT_REPORT)
            read_status(bounce, text);
        else if (text && is_returned && !bounce->message_id)
            bounce->message_id = returned_id(text);
    }
    if (!bounce->recipients->len && is_from_machine(document))
        read_free_form(bounce, document);
    return bounce->recipients->len ? g_steal_pointer(&bounce) : NULL;
}
