/* tokens_header.c - the header block for the filter: what the fields say, and how they are written */
#include "config.h"

#include "mail/tokens_private.h"

#include "mail/date.h"
#include "mail/rawmsg.h"
#include "mail/words.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 4096
#define FIELDS_MAX 200
#define RECEIVED_MAX 6
#define WORDS_MAX 60 /* of one field */

/* Written by who keeps, filters or fetches the mail, not by who sent it. A star: whatever follows. */
static const char *const kept_out[] = {
    "content-length", "delivered-to", "delivery-date", "envelope-to", "lines", "status",      "x-account-key",
    "x-apparently-to", "x-bogosity",  "x-crm114*",     "x-dspam*",    "x-evolution*", "x-filename", "x-folder",
    "x-fetch*",       "x-gmail*",     "x-gm-*",        "x-imap*",     "x-junk*",     "x-keywords", "x-label*",
    "x-loop",         "x-mozilla*",   "x-original-to", "x-origin",    "x-pop3*",     "x-pyzor*",   "x-razor*",
    "x-spam*",        "x-status",     "x-trec*",       "x-uid*",      "x-virus*",    "x-vr-*",     "x-bcc",
    "x-cc",           "x-from",       "x-to",
};

static gboolean
is_kept_out(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(kept_out); i++) {
        gsize length = strlen(kept_out[i]);
        if (kept_out[i][length - 1] == '*' ? strncmp(name, kept_out[i], length - 1) == 0 : strcmp(name, kept_out[i]) == 0)
            return TRUE;
    }
    return strstr(name, "spam") != NULL || strstr(name, "bogof") != NULL;
}

void
tokens_pattern(const char *text, gsize length, char *pattern, gsize size)
{
    gsize n = 0;
    for (gsize i = 0; i < length && n + 1 < size; i++) {
        guint8 c = (guint8)text[i];
        char kind = g_ascii_isdigit(c) ? '9' : g_ascii_islower(c) ? 'a' : g_ascii_isupper(c) ? 'A' : c >= 0x80 ? 'x' : (char)c;
        if (!n || pattern[n - 1] != kind)
            pattern[n++] = kind;
    }
    pattern[n] = '\0';
}

/* Written by a list that passes on what it was given, junk too. */
static const char *const of_lists[] = {"list-", "mailing-list", "precedence", "x-been", "x-mailman"};

static gboolean
is_of_list(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(of_lists); i++)
        if (g_str_has_prefix(name, of_lists[i]))
            return TRUE;
    return FALSE;
}

struct header {
    struct tokenizer *t;
    char name[64], prefix[72];
    guint received;
    gint64 arrived, sent; /* 0: not known */
    gboolean reply_subject, has_reference, has_to;
    char reply_to[128], from[128];
};

/* --- addresses: "Name <local@domain>", near enough */

static const char *
address_of(const char *text, gsize length, gsize *n)
{
    const char *open = memchr(text, '<', length), *start = open ? open + 1 : text;
    const char *end = text + length, *at = memchr(start, '@', (gsize)(end - start));
    *n = 0;
    if (!at)
        return NULL;
    while (at > start && !strchr(" \t<,;:\"()", at[-1]))
        at--;
    while (at + *n < end && at[*n] && !strchr(" \t>,;\"()", at[*n]))
        (*n)++;
    return at;
}

static void
field_address(struct header *h, const char *value, gsize length)
{
    struct tokenizer *t = h->t;
    gsize n;
    char pattern[32], folded[128];
    const char *address = address_of(value, length, &n);
    if (!address || n >= sizeof folded) {
        token_addz(t, TOKEN_HEADER, h->prefix, address ? "long address" : "no address");
        return;
    }
    for (gsize i = 0; i < n; i++)
        folded[i] = g_ascii_tolower(address[i]);
    folded[n] = '\0';
    token_addz(t, TOKEN_HEADER, h->prefix, folded);
    const char *at = strchr(folded, '@');
    gsize local = at ? (gsize)(at - folded) : n;
    token_add(t, TOKEN_HEADER, h->prefix, folded, local);
    if (at)
        token_addz(t, TOKEN_HEADER, h->prefix, at);
    const char *dot = strrchr(folded, '.');
    if (dot && dot > at)
        token_addz(t, TOKEN_HEADER, h->prefix, dot);
    tokens_pattern(address, local, pattern, sizeof pattern);
    g_autofree char *like = g_strconcat(h->prefix, "like ", NULL);
    token_addz(t, TOKEN_SHAPE, like, pattern);
    if (strcmp(h->name, "from") == 0) {
        g_strlcpy(h->from, folded, sizeof h->from);
        g_strlcpy(t->from_domain, at ? at + 1 : "", sizeof t->from_domain);
        tokens_value(t, h->prefix, value, (gsize)(address - value), 12);
        token_addz(t, TOKEN_HEADER, "from has ", address == value ? "no name" : value[0] == '"' ? "a quoted name" : "a name");
    } else if (strcmp(h->name, "reply-to") == 0) {
        g_strlcpy(h->reply_to, folded, sizeof h->reply_to);
    } else if (strcmp(h->name, "return-path") == 0 || strcmp(h->name, "sender") == 0) {
        token_addz(t, TOKEN_HEADER, h->prefix, strcmp(folded, h->from) == 0 ? "= from" : "is another");
    }
}

static void
field_recipients(struct header *h, const char *value, gsize length)
{
    guint count = 0;
    for (gsize i = 0; i < length; i++)
        count += value[i] == '@';
    h->has_to |= strcmp(h->name, "to") == 0;
    g_autofree char *name = g_strconcat(h->name, " addresses", NULL);
    token_amount(h->t, name, count);
    tokens_value(h->t, h->prefix, value, length, WORDS_MAX);
    field_address(h, value, length);
}

/* --- the others */

static void
field_subject(struct header *h, const char *value, gsize length)
{
    struct tokenizer *t = h->t;
    guint upper = 0, lower = 0;
    for (gsize i = 0; i < length; i++) {
        upper += g_ascii_isupper(value[i]);
        lower += g_ascii_islower(value[i]);
    }
    h->reply_subject = length > 3 && g_ascii_strncasecmp(value, "re:", 3) == 0;
    token_amount(t, "subject's length", length);
    if (upper > 4 && upper > lower)
        token_addz(t, TOKEN_SHAPE, "subject ", "shouted");
    if (memchr(value, '!', length))
        token_addz(t, TOKEN_SHAPE, "subject ", "with !");
    if (memchr(value, '?', length))
        token_addz(t, TOKEN_SHAPE, "subject ", "with ?");
    if (g_strstr_len(value, (gssize)length, "   "))
        token_addz(t, TOKEN_SHAPE, "subject ", "with a gap");
    tokens_text(t, value, length, "subject:");
    tokens_grams(t, value, length);
    tokens_grams(t, "\n", 1);
}

static void
field_date(struct header *h, const char *value, gsize length G_GNUC_UNUSED)
{
    char pattern[48];
    int zone;
    gint64 date;
    tokens_pattern(value, length, pattern, sizeof pattern);
    token_addz(h->t, TOKEN_SHAPE, "date like ", pattern);
    if (!date_parse(value, &date, &zone)) {
        token_addz(h->t, TOKEN_HEADER, "date ", "makes no sense");
        return;
    }
    h->sent = date;
    g_autofree char *text = g_strdup_printf("%+d", zone);
    token_addz(h->t, TOKEN_HEADER, "zone ", text);
}

/* Numbers with dots and the nets they are in; host names and the domain they end in. */
static void
received_words(struct header *h, const char *value, gsize length)
{
    char word[72];
    gsize n = 0;
    for (gsize i = 0; i <= length; i++) {
        char c = i < length ? g_ascii_tolower(value[i]) : ' ';
        if (g_ascii_isalnum(c) || c == '.' || c == '-') {
            if (n < sizeof word - 1)
                word[n++] = c;
            continue;
        }
        word[n] = '\0';
        gsize dots = 0, digits = 0;
        for (gsize k = 0; k < n; k++) {
            dots += word[k] == '.';
            digits += g_ascii_isdigit(word[k]) != 0;
        }
        if (n >= 2 && n < 64 && digits < n)
            token_addz(h->t, TOKEN_HEADER, "received ", word);
        if (dots == 3 && digits + dots == n) {
            token_addz(h->t, TOKEN_HEADER, "received ", word);
            *strrchr(word, '.') = '\0';
            token_addz(h->t, TOKEN_HEADER, "net ", word);
            *strrchr(word, '.') = '\0';
            token_addz(h->t, TOKEN_HEADER, "net ", word);
        } else if (dots >= 2 && digits + dots < n) {
            const char *last = strrchr(word, '.'), *second = last - 1;
            while (second > word && *second != '.')
                second--;
            token_addz(h->t, TOKEN_HEADER, "received ", second);
        }
        n = 0;
    }
}

static void
field_received(struct header *h, const char *value, gsize length)
{
    const char *semicolon = strrchr(value, ';');
    gsize end = semicolon ? (gsize)(semicolon - value) : length;
    char pattern[64];
    int zone;
    if (!h->received && semicolon && !date_parse(semicolon + 1, &h->arrived, &zone))
        h->arrived = 0;
    if (h->received++ >= RECEIVED_MAX)
        return;
    received_words(h, value, end);
    tokens_pattern(value, MIN(end, 80), pattern, sizeof pattern);
    token_addz(h->t, TOKEN_SHAPE, "received like ", pattern);
}

static void
field_message_id(struct header *h, const char *value, gsize length)
{
    char pattern[48];
    const char *at = memchr(value, '@', length);
    tokens_pattern(value, at ? (gsize)(at - value) : length, pattern, sizeof pattern);
    token_addz(h->t, TOKEN_SHAPE, "id like ", pattern);
    token_amount(h->t, "id's length", length);
    if (!at)
        return;
    gsize domain = length - (gsize)(at - value);
    token_add(h->t, TOKEN_HEADER, "id ", at, MIN(domain, 64));
    gsize from = strlen(h->t->from_domain);
    if (from)
        token_addz(h->t, TOKEN_HEADER, "id ",
                   g_strstr_len(at, (gssize)domain, h->t->from_domain) ? "of the sender's domain" : "of another domain");
}

/* A signature's numbers say nothing, who signed does. */
static void
field_signature(struct header *h, const char *value, gsize length)
{
    const char *domain = g_strstr_len(value, (gssize)length, "d=");
    if (domain)
        token_add(h->t, TOKEN_HEADER, h->prefix, domain, strcspn(domain, "; \t"));
}

static void
field_words(struct header *h, const char *value, gsize length)
{
    char pattern[48];
    tokens_value(h->t, h->prefix, value, length, WORDS_MAX);
    tokens_pattern(value, MIN(length, 60), pattern, sizeof pattern);
    g_autofree char *like = g_strconcat(h->prefix, "like ", NULL);
    token_addz(h->t, TOKEN_SHAPE, like, pattern);
}

static void
field_references(struct header *h, const char *value, gsize length)
{
    guint count = 0;
    for (gsize i = 0; i < length; i++)
        count += value[i] == '<';
    h->has_reference = TRUE;
    token_amount(h->t, h->name, count);
}

static const struct {
    const char *name; /* small letters */
    void (*take)(struct header *h, const char *value, gsize length);
} fields_known[] = {
    {"received", field_received},
    {"from", field_address},
    {"reply-to", field_address},
    {"return-path", field_address},
    {"sender", field_address},
    {"errors-to", field_address},
    {"to", field_recipients},
    {"cc", field_recipients},
    {"subject", field_subject},
    {"date", field_date},
    {"message-id", field_message_id},
    {"in-reply-to", field_references},
    {"references", field_references},
    {"dkim-signature", field_signature},
    {"domainkey-signature", field_signature},
    {"arc-seal", field_signature},
    {"arc-message-signature", field_signature},
};

static void
take_field(struct header *h, const char *value, gsize length)
{
    for (guint i = 0; i < G_N_ELEMENTS(fields_known); i++) {
        if (strcmp(h->name, fields_known[i].name) == 0) {
            fields_known[i].take(h, value, length);
            return;
        }
    }
    field_words(h, value, length);
}

/* Unfolded, trimmed, encoded words decoded. */
static void
unfold(struct tokenizer *t, const char *bytes, gsize length)
{
    g_string_truncate(t->value, 0);
    for (gsize i = 0; i < length && t->value->len < VALUE_MAX; i++) {
        char c = bytes[i];
        if (c == '\r' || c == '\n' || c == '\0')
            continue;
        g_string_append_c(t->value, c == '\t' ? ' ' : c);
    }
    gsize start = 0;
    while (start < t->value->len && t->value->str[start] == ' ')
        start++;
    g_string_erase(t->value, 0, (gssize)start);
    if (!strstr(t->value->str, "=?"))
        return;
    const char *charset = strstr(t->value->str, "=?") + 2;
    token_add(t, TOKEN_HEADER, "word in ", charset, MIN(strcspn(charset, "?"), 20));
    g_autofree char *decoded = words_decode(t->value->str);
    g_string_assign(t->value, decoded);
}

static void
finish(struct header *h)
{
    struct tokenizer *t = h->t;
    token_amount(t, "relays", h->received);
    if (h->reply_subject)
        token_addz(t, TOKEN_SHAPE, "an answer ", h->has_reference ? "to something" : "to nothing");
    if (!h->has_to)
        token_addz(t, TOKEN_SHAPE, "", "to nobody");
    if (h->reply_to[0] && h->from[0])
        token_addz(t, TOKEN_SHAPE, "answers go ", strcmp(h->reply_to, h->from) == 0 ? "to the sender" : "elsewhere");
    if (h->arrived && h->sent)
        token_amount(t, h->sent > h->arrived ? "hours from the future" : "hours on the way",
                     (guint64)llabs(h->arrived - h->sent) / 3600);
}

void
tokens_header(struct tokenizer *t, const char *bytes, const GArray *fields)
{
    struct header h = {.t = t};
    for (guint i = 0; i < MIN(fields->len, FIELDS_MAX); i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        if (field->name_length >= sizeof h.name)
            continue;
        for (gsize k = 0; k < field->name_length; k++)
            h.name[k] = g_ascii_tolower(bytes[field->offset + k]);
        h.name[field->name_length] = '\0';
        if (is_kept_out(h.name) || is_of_list(h.name))
            continue;
        g_snprintf(h.prefix, sizeof h.prefix, "%s:", h.name);
        unfold(t, bytes + field->value_offset, field->offset + field->length - field->value_offset);
        take_field(&h, t->value->str, t->value->len);
    }
    finish(&h);
}
