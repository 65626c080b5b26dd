/* bounce_lines.c - the words of a report, line by line, up to the returned message, and addresses in them */
#include "config.h"

#include "trust/bounce_prose.h"

#include "mail/address.h"

#include <string.h>

#define LINES_MAX 1000
#define LINE_BYTES 1000 /* bytes */
#define WORDS_MAX (128 * 1024)

/* --- addresses in a line */

static gboolean
is_local_char(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

char *
prose_address_around(const char *text, const char *at, const char **start, const char **end)
{
    const char *open = at, *p = at, *q = at + 1;
    while (open > text && *open != '<' && *open != '>' && !g_ascii_isspace(*open))
        open--;
    gboolean in_brackets = *open == '<'; /* then anything but white space, RFC 6531 */
    if (p > text && p[-1] == '"') {
        const char *quote = p - 1;
        while (quote > text && quote[-1] != '"')
            quote--;
        p = quote > text ? quote - 1 : p;
    } else {
        while (p > text && (is_local_char(p[-1]) || (in_brackets && (guchar)p[-1] >= 0x80)))
            p--;
        while (p < at && strchr("*'`/=.-{|", *p))
            p++;
        for (const char *smtp = p; smtp < at; smtp++) /* X.400: "dda:SMTP=ana@example.org" */
            if (*smtp == '=' && smtp - p >= 4 && !g_ascii_strncasecmp(smtp - 4, "smtp", 4))
                p = smtp + 1;
    }
    while (g_ascii_isalnum(*q) || *q == '-' || *q == '.' || *q == '[' || *q == ']' || (in_brackets && (guchar)*q >= 0x80))
        q++;
    while (q > at + 1 && (strchr(".-[", q[-1]) || (q[-1] == ']' && at[1] != '['))) /* "[SMTP:ana@example.org]" */
        q--;
    *start = p;
    *end = q;
    g_autofree char *address = g_strndup(p, (gsize)(q - p));
    return p < at && q > at + 1 && q - p < 320 && address_check(address, NULL) ? g_steal_pointer(&address) : NULL;
}

/* "> ana@example.org": quoted by a gateway, and no line of the returned message. */
static gboolean
is_address_alone(const char *text)
{
    g_autofree char *bare = g_strstrip(g_strdup(text));
    return strchr(bare, '@') && !strpbrk(bare, " \t<>:") && address_check(bare, NULL);
}

/* --- the lines */

void
prose_line_free(gpointer data)
{
    struct prose_line *line = data;
    g_free(line->text);
    g_free(line->lower);
    g_free(line);
}

gboolean
prose_contains_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strstr(text, *words))
            return TRUE;
    return FALSE;
}

static gboolean
begins_header(const char *lower)
{
    return g_str_has_prefix(lower, "received: ") || g_str_has_prefix(lower, "received:from") ||
           g_str_has_prefix(lower, "return-path: ") || g_str_has_prefix(lower, "dkim-signature:");
}

/* Does the returned message, or its header, begin here? */
static gboolean
is_boundary(const char *lower, gboolean is_ours)
{
    static const char *const words[] = {"copy of the message", "copy of your message", "copy of the original", "copy of the mail",
                                        "original message", "original mail", "returned message", "returned mail", "unsent message",
                                        "message header", "mail header", "header of the", "headers of the", "header follows",
                                        "headers follow", "message follows", "text follows", "old message", "your message reads",
                                        "undelivered message", "below this line", "below the next line", "message attached",
                                        "start of message", "start of returned", "body of message", "message contents", "message body",
                                        "original text", "rejected message", "bounced message", "附件", "原信", "原始邮件", "原メール",
                                        "ursprüngliche nachricht", "message d'origine", "message original", "mensaje original",
                                        "messaggio originale", "mensagem original", "исходн", "копия", NULL};
    gsize len = strlen(lower);
    if (begins_header(lower) || (is_ours && g_str_has_prefix(lower, "---")))
        return TRUE;
    if (!len || strchr(lower, '@') || strstr(lower, "was received") || strstr(lower, "message status") ||
        strstr(lower, "transcript") || strstr(lower, "not receive"))
        return FALSE;
    gboolean is_ruled = strchr("-=*#_~", *lower) && lower[1] == *lower;
    gboolean is_title = lower[len - 1] == ':' || g_str_has_suffix(lower, "follows") || g_str_has_suffix(lower, "follows.");
    return (is_ruled || is_title) && prose_contains_any(lower, words);
}

const char *
prose_read_lines(struct prose *prose, const struct document *document)
{
    const char *p = document->text;
    guint n = 0, paragraph = 0;
    while (*p && prose->lines->len < LINES_MAX && p - document->text < WORDS_MAX) {
        gsize len = strcspn(p, "\n");
        const struct document_line *known =
            n < document->lines->len ? &g_array_index(document->lines, struct document_line, n) : NULL;
        if (known && known->flags & LINE_LINKS)
            return "";
        struct prose_line *line = g_new0(struct prose_line, 1);
        g_autofree char *cut = g_utf8_make_valid(p, (gssize)MIN(len, LINE_BYTES));
        line->text = g_strdup(g_strstrip(cut));
        line->lower = g_utf8_strdown(line->text, -1);
        if (is_boundary(line->lower, known && known->flags & LINE_PART)) {
            prose_line_free(line);
            return p;
        }
        line->is_quoted = line->text[0] == '>' && line->text[1] != '>' && !is_address_alone(line->text + 1);
        line->paragraph = *line->text ? paragraph : ++paragraph;
        g_ptr_array_add(prose->lines, line);
        p += len + (p[len] == '\n');
        n++;
    }
    return p;
}

/* --- whose an address is */

static gboolean
ends_with_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (g_str_has_suffix(text, *words))
            return TRUE;
    return FALSE;
}

enum prose_role
prose_role_of(const char *before)
{
    static const char *const senders[] = {"from", "sender", "sent by", "reply-to", "message-id", "message id", "in-reply-to",
                                          "references", "mailto", "return-path", "postmaster", "von", "reply to", "on behalf of",
                                          "contact", "id", "by", "absender", "expéditeur", "remitente", "отправитель", NULL};
    static const char *const headers[] = {"to", "cc", "bcc", "an", "à", "para", "a", "destinataire", "宛先", "收件人", NULL};
    static const char *const origins[] = {"expanded from", "generated from", "forwarded from", "expanded to", "alias", NULL};
    static const char *const recipients[] = {
        "rcpt to", "recipient", "recipients", "recipient address", "address", "unknown user", "user", "userid", "mailbox", "error-for",
        "addressed to", "delivered to", "deliver message to", "deliver to", "delivery to", "message to", "mail to", "send to", "email to",
        "reach", "email", "e-mail", "for", "account", "is full", "failed", "empfänger", "destinatario", "destinatário", "получатель",
        "sent to", "addressee", "to the following address", "user name", NULL};
    g_autofree char *trimmed = g_strdup(before);
    gsize len = strlen(trimmed);
    while (len && (g_ascii_isspace(trimmed[len - 1]) || strchr("<([{\"'`:;,=*>-|&", trimmed[len - 1])))
        trimmed[--len] = '\0';
    if (len > 4 && !strcmp(trimmed + len - 4, "smtp") && strchr("[:=", trimmed[len - 5])) /* "Recipient: [SMTP:ana@example.org]" */
        trimmed[len -= 4] = '\0';
    while (len && (g_ascii_isspace(trimmed[len - 1]) || strchr("[:=", trimmed[len - 1])))
        trimmed[--len] = '\0';
    const char *start = trimmed;
    while (*start && (g_ascii_isspace(*start) || strchr("<([{\"'`*>-|+", *start)))
        start++;
    gboolean is_x400 = g_str_has_prefix(start, "c=") && strchr(start, ';');
    if (!*start || is_x400 || g_str_has_prefix(start, "•") || g_str_has_prefix(start, "・"))
        return ROLE_LEADS;
    if (ends_with_any(start, origins))
        return ROLE_ORIGIN;
    for (guint i = 0; headers[i]; i++)
        if (!strcmp(start, headers[i]))
            return ROLE_HEADER;
    if (ends_with_any(start, recipients))
        return ROLE_RECIPIENT;
    return ends_with_any(start, senders) ? ROLE_SENDER : ROLE_OTHER;
}

gboolean
prose_offers_help(const char *lower)
{
    static const char *const words[] = {"contact", "assistance", "postmaster", "help", "question", "support", "reply to",
                                        "please send", "abuse", "write to", "e-mail us", "administrator", "further information",
                                        "wenden sie", "contactez", "póngase", "http://", "https://", NULL};
    return prose_contains_any(lower, words);
}

char *
prose_paragraph(const struct prose *prose, guint first, gsize from_byte, guint end)
{
    GString *out = g_string_new(NULL);
    for (guint i = first; i < end && i < prose->lines->len && out->len < PARAGRAPH_MAX; i++) {
        const struct prose_line *line = prose->lines->pdata[i];
        if (i > first && !*line->text)
            break;
        g_string_append(out, line->text + (i == first ? MIN(from_byte, strlen(line->text)) : 0));
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

gboolean
prose_weigh_line(struct prose_line *line, struct bounce_saying *saying)
{
    if (line->asked == UNASKED)
        line->asked = bounce_weigh(line->text, &line->saying) ? SAYS : SILENT;
    *saying = line->saying;
    return line->asked == SAYS;
}

/* From a line on, to the next empty one, or the next that begins with an address. */
gboolean
prose_has_reason(const struct prose *prose, guint first)
{
    struct bounce_saying saying;
    for (guint i = first; i < prose->lines->len && i < first + 20; i++) {
        struct prose_line *line = prose->lines->pdata[i];
        if (!*line->text)
            return FALSE;
        if (prose_weigh_line(line, &saying))
            return TRUE;
    }
    return FALSE;
}
