/* bounce_prose.c - reports that are words: qmail, Exim, old sendmail, Exchange, gateways, providers
 *
 * One reader for all of them. The words before the returned message are taken line by line. A line that announces a
 * failure arms what follows; an address counts when a line begins with it, when it is named as a recipient, or when it stands
 * beside a server's refusal. Why it failed is said behind it, else where it is mentioned again, else somewhere.
 */
#include "config.h"

#include "trust/bounce_private.h"

#include "mail/address.h"

#include <string.h>

/* What is looked at of one message, so that a hostile one costs no more than some tenths of a second. */
#define LINES_MAX 1000
#define LINE_BYTES 1000      /* bytes */
#define PARAGRAPH_MAX 2000 /* bytes */
#define WORDS_MAX (128 * 1024)
#define CANDIDATES_MAX (BOUNCE_RECIPIENTS_MAX * 2)

struct line {
    char *text, *lower; /* without white space around */
    gboolean is_quoted;
    struct bounce_saying saying; /* of the line alone, when it was asked for */
    enum { UNASKED, SILENT, SAYS } asked;
};

struct candidate {
    char *address, *original;
    guint line;
    gsize end; /* in its line's text: behind the address */
    enum { NAMED, LEADS } rank;
};

struct prose {
    GPtrArray *lines;      /* of struct line, up to the returned message */
    GPtrArray *candidates; /* of struct candidate */
    GPtrArray *spare;      /* of char *: addresses of the sender or of a header, that failed if none else did */
    GPtrArray *own;        /* of char *: who got the report, who wrote it */
    gboolean is_announced, is_delayed, is_permanent;
};

static void
line_free(gpointer data)
{
    struct line *line = data;
    g_free(line->text);
    g_free(line->lower);
    g_free(line);
}

static void
candidate_free(gpointer data)
{
    struct candidate *candidate = data;
    g_free(candidate->address);
    g_free(candidate->original);
    g_free(candidate);
}

/* --- the lines */

static gboolean
contains_any(const char *text, const char *const *words)
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
        strstr(lower, "transcript"))
        return FALSE;
    gboolean is_ruled = strchr("-=*#_~", *lower) && lower[1] == *lower;
    gboolean is_title = lower[len - 1] == ':' || g_str_has_suffix(lower, "follows") || g_str_has_suffix(lower, "follows.");
    return (is_ruled || is_title) && contains_any(lower, words);
}

/* Returns the text that is left, from the boundary on. */
static const char *
read_lines(struct prose *prose, const struct document *document)
{
    const char *p = document->text;
    guint n = 0;
    while (*p && prose->lines->len < LINES_MAX && p - document->text < WORDS_MAX) {
        gsize len = strcspn(p, "\n");
        const struct document_line *known =
            n < document->lines->len ? &g_array_index(document->lines, struct document_line, n) : NULL;
        if (known && known->flags & LINE_LINKS)
            return "";
        struct line *line = g_new0(struct line, 1);
        g_autofree char *cut = g_utf8_make_valid(p, (gssize)MIN(len, LINE_BYTES));
        line->text = g_strdup(g_strstrip(cut));
        line->lower = g_utf8_strdown(line->text, -1);
        if (is_boundary(line->lower, known && known->flags & LINE_PART)) {
            line_free(line);
            return p;
        }
        line->is_quoted = line->text[0] == '>' && line->text[1] != '>';
        g_ptr_array_add(prose->lines, line);
        p += len + (p[len] == '\n');
        n++;
    }
    return p;
}

/* --- addresses in a line */

static gboolean
is_local_char(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* The address around `at`, an @; *start and *end are its place. */
static char *
address_around(const char *text, const char *at, const char **start, const char **end)
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
    while (q > at + 1 && strchr(".-[", q[-1]))
        q--;
    *start = p;
    *end = q;
    g_autofree char *address = g_strndup(p, (gsize)(q - p));
    return p < at && q > at + 1 && q - p < 320 && address_check(address, NULL) ? g_steal_pointer(&address) : NULL;
}

static gboolean
is_own(const struct prose *prose, const char *address)
{
    for (guint i = 0; i < prose->own->len; i++)
        if (address_same(prose->own->pdata[i], address))
            return TRUE;
    return FALSE;
}

static struct candidate *
find_candidate(const struct prose *prose, const char *address)
{
    for (guint i = 0; i < prose->candidates->len; i++) {
        struct candidate *candidate = prose->candidates->pdata[i];
        if (!g_ascii_strcasecmp(candidate->address, address))
            return candidate;
    }
    return NULL;
}

/* What stands before an address says whose it is. */
enum role { ROLE_LEADS, ROLE_SENDER, ROLE_HEADER, ROLE_ORIGIN, ROLE_RECIPIENT, ROLE_OTHER };

static gboolean
ends_with_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (g_str_has_suffix(text, *words))
            return TRUE;
    return FALSE;
}

static enum role
role_of(const char *before)
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

/* Where to ask for help is no recipient. */
static gboolean
offers_help(const char *lower)
{
    static const char *const words[] = {"contact", "assistance", "postmaster", "help", "question", "support", "reply to",
                                        "please send", "abuse", "write to", "e-mail us", "administrator", "further information",
                                        "wenden sie", "contactez", "póngase", "http://", "https://", NULL};
    return contains_any(lower, words);
}

/* From a line on, to the next empty one; from_byte in the first. */
static char *
paragraph(const struct prose *prose, guint first, gsize from_byte, guint end)
{
    GString *out = g_string_new(NULL);
    for (guint i = first; i < end && i < prose->lines->len && out->len < PARAGRAPH_MAX; i++) {
        const struct line *line = prose->lines->pdata[i];
        if (i > first && !*line->text)
            break;
        g_string_append(out, line->text + (i == first ? MIN(from_byte, strlen(line->text)) : 0));
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

static gboolean
weigh_line(struct line *line, struct bounce_saying *saying)
{
    if (line->asked == UNASKED)
        line->asked = bounce_weigh(line->text, &line->saying) ? SAYS : SILENT;
    *saying = line->saying;
    return line->asked == SAYS;
}

/* From a line on, to the next empty one, or the next that begins with an address. */
static gboolean
has_reason(const struct prose *prose, guint first)
{
    struct bounce_saying saying;
    for (guint i = first; i < prose->lines->len && i < first + 20; i++) {
        struct line *line = prose->lines->pdata[i];
        if (!*line->text)
            return FALSE;
        if (weigh_line(line, &saying))
            return TRUE;
    }
    return FALSE;
}

static void
add_candidate(struct prose *prose, char *address, guint line, gsize end, gboolean leads)
{
    struct candidate *known = find_candidate(prose, address);
    if (known) {
        g_free(address);
        return;
    }
    struct candidate *candidate = g_new0(struct candidate, 1);
    candidate->address = address;
    candidate->line = line;
    candidate->end = end;
    candidate->rank = leads ? LEADS : NAMED;
    g_ptr_array_add(prose->candidates, candidate);
}

/* The line before that says something. */
static const char *
line_before(const struct prose *prose, guint n)
{
    while (n-- > 0) {
        const struct line *line = prose->lines->pdata[n];
        if (*line->text)
            return line->lower;
    }
    return "";
}

static void
consider(struct prose *prose, guint n, char *address, enum role role, gsize end, gboolean *in_paragraph)
{
    struct line *line = prose->lines->pdata[n];
    struct bounce_saying saying;
    g_autofree char *owned = address;
    gboolean delayed, leads = role == ROLE_LEADS;
    if (role == ROLE_SENDER || (leads && role_of(line_before(prose, n)) == ROLE_SENDER))
        return;
    if (role == ROLE_ORIGIN) {
        if (prose->candidates->len) {
            struct candidate *last = prose->candidates->pdata[prose->candidates->len - 1];
            if (!last->original)
                last->original = g_steal_pointer(&owned);
        }
        return;
    }
    if (role == ROLE_HEADER || is_own(prose, address)) {
        g_ptr_array_add(prose->spare, g_steal_pointer(&owned));
        return;
    }
    gboolean is_rcpt = strstr(line->lower, "rcpt to") != NULL;
    if (!leads && !is_rcpt && (*in_paragraph || offers_help(line->lower)))
        return;
    gboolean counts = is_rcpt || ((leads || role == ROLE_RECIPIENT) && (prose->is_announced || has_reason(prose, n))) ||
                      (!leads && (weigh_line(line, &saying) || bounce_announces(line->lower, &delayed)));
    if (!counts)
        return;
    *in_paragraph = *in_paragraph || leads;
    add_candidate(prose, g_steal_pointer(&owned), n, end, leads);
}

static void
find_candidates(struct prose *prose, struct bounce_returned *returned)
{
    static const char *const permanent[] = {"permanent", "giving up", "gave up", "no further", "not be retried", "5.", " 55", NULL};
    gboolean in_paragraph = FALSE;
    for (guint n = 0; n < prose->lines->len && prose->candidates->len < CANDIDATES_MAX; n++) {
        const struct line *line = prose->lines->pdata[n];
        gboolean delayed = FALSE;
        if (!*line->text)
            in_paragraph = FALSE;
        if (line->is_quoted || !*line->text)
            continue;
        if (g_str_has_prefix(line->lower, "subject:") && !returned->subject)
            returned->subject = bounce_text(line->text + 8, strlen(line->text + 8));
        if (bounce_announces(line->lower, &delayed))
            prose->is_announced = TRUE;
        prose->is_delayed = prose->is_delayed || delayed;
        prose->is_permanent = prose->is_permanent || contains_any(line->lower, permanent);
        const char *end = line->text;
        for (const char *at = line->text; (at = strchr(at, '@')) != NULL; at = MAX(at + 1, end)) {
            const char *start;
            char *address = address_around(line->text, at, &start, &end);
            if (!address)
                continue;
            g_autofree char *before = g_strndup(line->text, (gsize)(start - line->text));
            g_autofree char *lower = g_utf8_strdown(before, -1);
            consider(prose, n, address, role_of(lower), (gsize)(end - line->text), &in_paragraph);
        }
    }
}

/* "recipient (User unknown)" under a line that announces: the name of a mailbox alone. */
static void
find_bare_names(struct prose *prose, const char *domain, const struct bounce_returned *returned)
{
    gboolean armed = FALSE;
    for (guint n = 0; n < prose->lines->len && *domain; n++) {
        const struct line *line = prose->lines->pdata[n];
        gboolean delayed;
        gsize len = strcspn(line->text, " \t(:,;<>");
        if (!*line->text)
            continue;
        if (armed && len && len < 65 && strspn(line->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len &&
            (line->text[len] == '\0' || strchr(line->text, '('))) {
            g_autofree char *name = g_strndup(line->text, len);
            char *address = NULL;
            for (guint i = 0; i < returned->to->len && !address; i++) {
                const char *to = returned->to->pdata[i];
                if (g_str_has_prefix(to, name) && to[len] == '@')
                    address = g_strdup(to);
            }
            add_candidate(prose, address ? address : g_strconcat(name, "@", domain, NULL), n, len, TRUE);
        }
        armed = (armed && prose->candidates->len) ||
                (bounce_announces(line->lower, &delayed) && g_str_has_suffix(line->text, ":"));
    }
}

/* --- why */

/* The words from the saying on, at least from the beginning of its line. */
static char *
words_at(const char *text, const struct bounce_saying *saying)
{
    const char *p = text + MIN(saying->at, strlen(text));
    while (!saying->code && p > text && p[-1] != '\n')
        p--;
    while (strchr(" \t:;,-#(", *p) && *p)
        p++;
    return bounce_text(p, strlen(p));
}

static gboolean
weigh_lines(const struct prose *prose, const char *address, struct bounce_saying *saying, char **words)
{
    for (guint n = 0; n < prose->lines->len; n++) {
        struct line *line = prose->lines->pdata[n];
        if (line->is_quoted || (address && !strcasestr(line->text, address)))
            continue;
        gboolean delayed;
        if (!weigh_line(line, saying))
            continue;
        gboolean is_ruled = strchr("*-=", *line->text) && line->text[1] == *line->text; /* a title */
        if (is_ruled && !address && !saying->code)
            continue;
        /* Without a code, "your message was rejected" announces; it is no reason. */
        if (!address && !saying->code && !*saying->status &&
            (bounce_announces(line->lower, &delayed) ? !saying->detail || strcmp(saying->detail, "7.1") == 0 : FALSE))
            continue;
        g_autofree char *rest = paragraph(prose, n, 0, prose->lines->len);
        struct bounce_saying more;
        if (bounce_weigh(rest, &more) && (more.code || *more.status))
            *saying = more;
        *words = words_at(rest, saying);
        return TRUE;
    }
    return FALSE;
}

/* What ">>> RCPT TO:<x>" was answered. */
static gboolean
weigh_answer(const struct prose *prose, const char *address, struct bounce_saying *saying, char **words)
{
    for (guint n = 0; n + 1 < prose->lines->len; n++) {
        struct line *line = prose->lines->pdata[n], *next = prose->lines->pdata[n + 1];
        if (!strstr(line->lower, "rcpt to") || !strcasestr(line->text, address))
            continue;
        if (weigh_line(next, saying)) {
            *words = words_at(next->text, saying);
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
find_why(const struct prose *prose, const struct candidate *candidate, guint next, struct bounce_saying *saying,
         char **words)
{
    static const struct bounce_saying nothing;
    g_autofree char *own = candidate ? paragraph(prose, candidate->line, candidate->end, next) : NULL;
    struct bounce_saying weak = nothing;
    g_autofree char *weak_words = NULL;
    if (own && bounce_weigh(own, saying)) {
        if (saying->code || *saying->status) {
            *words = words_at(own, saying);
            return TRUE;
        }
        weak = *saying;
        weak_words = words_at(own, saying);
    }
    /* A reply elsewhere says more than prose here. */
    if (candidate && (weigh_answer(prose, candidate->address, saying, words) ||
                      weigh_lines(prose, candidate->address, saying, words))) {
        if (saying->code || *saying->status || !weak.len)
            return TRUE;
        g_clear_pointer(words, g_free);
    }
    if (weak.len) {
        *saying = weak;
        *words = g_steal_pointer(&weak_words);
        return TRUE;
    }
    if (own) { /* what follows the paragraph, up to the next recipient */
        GString *tail = g_string_new(NULL);
        for (guint i = candidate->line + 1; i < next && i < prose->lines->len && tail->len < 2 * PARAGRAPH_MAX; i++)
            g_string_append_printf(tail, "%s\n", ((const struct line *)prose->lines->pdata[i])->text);
        g_autofree char *text = g_string_free(tail, FALSE);
        if (bounce_weigh(text, saying) && (saying->code || *saying->status || (saying->detail && strcmp(saying->detail, "7.1")))) {
            const char *at = text + MIN(saying->at, strlen(text)), *end = strstr(at, "\n\n");
            g_autofree char *cut = g_strndup(text, end ? (gsize)(end - text) : strlen(text));
            *words = words_at(cut, saying);
            return TRUE;
        }
    }
    *saying = nothing;
    return weigh_lines(prose, NULL, saying, words);
}

/* --- together */

void
bounce_read_returned(struct bounce_returned *returned, const char *text)
{
    const char *p = text;
    for (guint blocks = 0; blocks < 3; blocks++) {
        GHashTable *block = bounce_next_block(&p);
        if (!block)
            break;
        const char *id = g_hash_table_lookup(block, "message-id"), *to = g_hash_table_lookup(block, "to");
        if (!to)
            to = g_hash_table_lookup(block, "x-envelope-to");
        const char *subject = g_hash_table_lookup(block, "subject");
        if (id && !returned->message_id)
            returned->message_id = message_id_first(id);
        if (subject && !returned->subject && !strstr(subject, "=?"))
            returned->subject = bounce_text(subject, strlen(subject));
        const char *end = to;
        for (const char *at = to; at && (at = strchr(at, '@')) != NULL; at = MAX(at + 1, end)) {
            const char *start;
            char *address = address_around(to, at, &start, &end);
            if (address && returned->to->len < BOUNCE_RECIPIENTS_MAX)
                g_ptr_array_add(returned->to, address);
            else
                g_free(address);
        }
        g_hash_table_unref(block);
        if (id || to)
            return;
    }
    for (const char *line = text; !returned->message_id && line && *line; line = strchr(line, '\n')) { /* quoted */
        line += *line == '\n';
        const char *field = line + strspn(line, "> |");
        if (!g_ascii_strncasecmp(field, "message-id:", 11)) {
            g_autofree char *value = g_strndup(field + 11, strcspn(field + 11, "\n"));
            returned->message_id = message_id_first(value);
        }
    }
}

static void
add_found(struct bounce *bounce, const struct prose *prose, const struct candidate *candidate, const char *address, guint next,
          enum bounce_trust trust)
{
    struct bounce_saying saying = {{0}, 0, NULL, 0, 0};
    g_autofree char *words = NULL;
    gboolean is_known = find_why(prose, candidate, next, &saying, &words);
    if (!is_known && trust < BOUNCE_MACHINE)
        return;
    gboolean delayed = prose->is_delayed && !prose->is_permanent && saying.code < 500;
    struct bounce_found found = {.address = g_strdup(address),
                                 .original = g_strdup(candidate ? candidate->original : NULL),
                                 .status = bounce_status_of(&saying, delayed),
                                 .diagnostic = g_steal_pointer(&words),
                                 .action = delayed ? "delayed" : "failed"};
    bounce_add(bounce, &found);
}

static void
add_all(struct bounce *bounce, const struct prose *prose, enum bounce_trust trust)
{
    gboolean any_leads = FALSE;
    for (guint i = 0; i < prose->candidates->len; i++)
        any_leads = any_leads || ((struct candidate *)prose->candidates->pdata[i])->rank == LEADS;
    for (guint i = 0; i < prose->candidates->len; i++) {
        const struct candidate *candidate = prose->candidates->pdata[i];
        guint next = prose->lines->len;
        if (any_leads && candidate->rank != LEADS)
            continue;
        for (guint k = i + 1; k < prose->candidates->len; k++) {
            const struct candidate *other = prose->candidates->pdata[k];
            if (other->line > candidate->line && (!any_leads || other->rank == LEADS)) {
                next = other->line;
                break;
            }
        }
        add_found(bounce, prose, candidate, candidate->address, next, trust);
    }
}

/* Recipients that a header of the report names (Exim, Gmail). */
static void
add_failed_header(struct bounce *bounce, struct prose *prose, const struct document *document)
{
    const char *failed = document_header(document, "X-Failed-Recipients");
    g_auto(GStrv) addresses = g_strsplit_set(failed ? failed : "", ", \t\n", BOUNCE_RECIPIENTS_MAX);
    for (char **one = addresses; *one; one++) {
        if (!address_check(*one, NULL))
            continue;
        struct candidate *candidate = find_candidate(prose, *one);
        guint next = prose->lines->len;
        for (guint i = 0; candidate && i < prose->candidates->len; i++) {
            const struct candidate *other = prose->candidates->pdata[i];
            if (other->line > candidate->line && other->line < next && other->rank == LEADS)
                next = other->line;
        }
        add_found(bounce, prose, candidate, *one, next, BOUNCE_MACHINE);
    }
}

/* Reasons for recipients of which the machine part says only that they failed. */
static void
complete(struct bounce *bounce, const struct prose *prose)
{
    for (guint i = 0; i < bounce->recipients->len; i++) {
        struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        if (recipient->diagnostic || recipient->kind > BOUNCE_DELAYED)
            continue;
        struct bounce_saying saying = {{0}, 0, NULL, 0, 0};
        char *words = NULL;
        const struct candidate *candidate = find_candidate(prose, recipient->address);
        if (find_why(prose, candidate, prose->lines->len, &saying, &words)) {
            g_autofree char *declared = g_steal_pointer(&recipient->status);
            struct bounce_found found = {.address = g_steal_pointer(&recipient->address),
                                         .original = g_steal_pointer(&recipient->original),
                                         .server = g_steal_pointer(&recipient->server),
                                         .status = declared ? g_strdup(declared) : bounce_status_of(&saying, recipient->kind == BOUNCE_DELAYED),
                                         .diagnostic = words,
                                         .action = recipient->kind == BOUNCE_DELAYED ? "delayed" : "failed"};
            g_ptr_array_remove_index(bounce->recipients, i);
            bounce_add(bounce, &found);
            struct bounce_recipient *last = g_ptr_array_steal_index(bounce->recipients, bounce->recipients->len - 1);
            g_ptr_array_insert(bounce->recipients, (gint)i, last);
        }
    }
}

static gboolean
is_other(const struct prose *prose)
{
    for (guint n = 0; n < prose->lines->len; n++)
        if (bounce_is_other_machine(((const struct line *)prose->lines->pdata[n])->lower))
            return TRUE;
    return FALSE;
}

static void
add_own(GPtrArray *own, const GPtrArray *list)
{
    for (guint i = 0; list && i < list->len; i++) {
        const struct address *address = list->pdata[i];
        if (address->addr)
            g_ptr_array_add(own, g_strdup(address->addr));
    }
}

/* When no words name a recipient: a bare name, the sender itself, the one to whom the returned message went. */
static void
guess(struct bounce *bounce, struct prose *prose, const struct document *document, const struct bounce_returned *returned)
{
    const struct address *from = address_list_get(document->envelope->from, 0);
    find_bare_names(prose, from && from->addr ? address_domain(from->addr) : "", returned);
    add_all(bounce, prose, BOUNCE_MACHINE);
    if (bounce->recipients->len || !prose->is_announced)
        return;
    if (returned->to->len == 1)
        add_found(bounce, prose, NULL, returned->to->pdata[0], 0, BOUNCE_MACHINE);
    for (guint i = 0; !bounce->recipients->len && i < prose->spare->len; i++)
        add_found(bounce, prose, NULL, prose->spare->pdata[i], 0, BOUNCE_SUBJECT);
}

void
bounce_read_prose(struct bounce *bounce, const struct document *document, enum bounce_trust trust,
                  struct bounce_returned *returned)
{
    gboolean delayed = FALSE;
    g_autofree char *subject = g_utf8_strdown(document->envelope->subject, -1);
    struct prose prose = {.lines = g_ptr_array_new_with_free_func(line_free),
                          .candidates = g_ptr_array_new_with_free_func(candidate_free),
                          .spare = g_ptr_array_new_with_free_func(g_free),
                          .own = g_ptr_array_new_with_free_func(g_free)};
    add_own(prose.own, document->envelope->to);
    add_own(prose.own, document->envelope->from);
    const char *rest = read_lines(&prose, document);
    if (!returned->message_id && !returned->to->len)
        bounce_read_returned(returned, strcspn(rest, ":") < strcspn(rest, " -\n") ? rest : strchrnul(rest, '\n'));
    prose.is_announced = trust == BOUNCE_MACHINE && bounce_announces(subject, &delayed);
    prose.is_delayed = delayed;
    find_candidates(&prose, returned);
    if (bounce->recipients->len) {
        complete(bounce, &prose);
    } else if (trust == BOUNCE_MACHINE || !is_other(&prose)) {
        add_failed_header(bounce, &prose, document);
        if (!bounce->recipients->len)
            add_all(bounce, &prose, trust);
        if (!bounce->recipients->len && trust == BOUNCE_MACHINE)
            guess(bounce, &prose, document, returned);
    }
    g_ptr_array_unref(prose.lines);
    g_ptr_array_unref(prose.candidates);
    g_ptr_array_unref(prose.spare);
    g_ptr_array_unref(prose.own);
}
