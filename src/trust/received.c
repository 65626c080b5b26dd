#include "config.h"

#include "trust/received.h"

#include <string.h>

#include "base/i18n.h"
#include "mail/date.h"

void
hop_free(struct hop *hop)
{
    if (!hop)
        return;
    g_free(hop->from);
    g_free(hop->from_real);
    g_free(hop->client);
    g_free(hop->by);
    g_free(hop->with);
    g_free(hop->tls);
    g_free(hop->cipher);
    g_free(hop->id);
    g_free(hop->recipient);
    g_free(hop);
}

static char *
bounded(const char *text, gsize len)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)MIN(len, HOP_TEXT_MAX));
    g_strstrip(valid);
    return *valid ? g_steal_pointer(&valid) : NULL;
}

const char *
hop_kind_name(enum hop_kind kind)
{
    static const char *const names[] = {N_("relay"), N_("submission"), N_("internal"), N_("delivery")};
    return names[kind];
}

/* --- TLS, wherever it is said */

/* "TLS1_3", "TLSv1.2", "TLS 1.3", "(TLS1.3)": the version as OpenSSL names it. */
static char *
find_tls(const char *text, gsize len)
{
    g_autofree char *copy = g_ascii_strup(text, (gssize)MIN(len, HOP_TEXT_MAX));
    for (const char *p = copy; (p = strstr(p, "TLS")) != NULL; p += 3) {
        const char *q = p + 3;
        while (*q == 'V' || *q == ' ' || *q == '_' || *q == '-')
            q++;
        if (q[0] == '1' && (q[1] == '.' || q[1] == '_') && q[2] >= '0' && q[2] <= '3')
            return g_strdup_printf("TLSv1.%c", q[2]);
        if (q[0] == '1' && !g_ascii_isalnum(q[1]) && q[1] != '.')
            return g_strdup("TLSv1.0");
    }
    return strstr(copy, "SSLV3") ? g_strdup("SSLv3") : NULL;
}

/* The first word that is built like the name of a cipher: "AES256-SHA", "TLS_AES_128_GCM_SHA256". */
static char *
find_cipher(const char *text, gsize len)
{
    static const char *const marks[] = {"AES", "DES", "RC4", "CHACHA", "CAMELLIA", "GCM", "SHA", "ARIA", "MD5"};
    for (gsize i = 0; i < len;) {
        gsize n = 0;
        gboolean joined = FALSE;
        while (i + n < len && (g_ascii_isalnum(text[i + n]) || text[i + n] == '-' || text[i + n] == '_')) {
            joined = joined || !g_ascii_isalnum(text[i + n]);
            n++;
        }
        g_autofree char *word = g_strndup(text + i, n);
        for (guint k = 0; joined && n >= 7 && n <= 64 && k < G_N_ELEMENTS(marks); k++)
            if (strstr(word, marks[k]))
                return g_steal_pointer(&word);
        i += n + 1;
    }
    return NULL;
}

static void
look_for_tls(struct hop *hop, const char *text, gsize len)
{
    if (!hop->cipher)
        hop->cipher = find_cipher(text, len);
    if (!hop->tls)
        hop->tls = find_tls(text, len);
    /* These suites are of 1.3 and of no other version. */
    if (!hop->tls && hop->cipher &&
        (g_str_has_prefix(hop->cipher, "TLS_AES_") || g_str_has_prefix(hop->cipher, "TLS_CHACHA20_")))
        hop->tls = g_strdup("TLSv1.3");
}

/* RFC 3848 and RFC 6531: SMTPS, ESMTPSA, LMTPS, UTF8SMTPSA … say that TLS was used. */
static gboolean
is_tls_protocol(const char *with)
{
    g_autofree char *upper = g_ascii_strup(with, -1);
    gsize len = strlen(upper);
    if (len && upper[len - 1] == 'A')
        upper[--len] = '\0';
    return g_str_has_suffix(upper, "SMTPS") || g_str_has_suffix(upper, "LMTPS") || !strcmp(upper, "HTTPS") ||
           !strcmp(upper, "IMAPS") || !strcmp(upper, "POP3S");
}

/* --- clauses */

/* One word outside comments, or one comment with those inside it; *is_comment tells which. FALSE at the end.
 */
static gboolean
next_token(const char **p, const char **start, gsize *len, gboolean *is_comment)
{
    while (g_ascii_isspace(**p))
        ++*p;
    *start = *p;
    *is_comment = **p == '(';
    if (!**p)
        return FALSE;
    if (!*is_comment) {
        while (**p && !g_ascii_isspace(**p) && **p != '(')
            ++*p;
        *len = (gsize)(*p - *start);
        return TRUE;
    }
    guint depth = 0;
    for (; **p; ++*p) {
        if (**p == '\\' && (*p)[1]) {
            ++*p;
            continue;
        }
        depth += **p == '(';
        if (**p == ')' && --depth == 0)
            break;
    }
    ++*start;
    *len = (gsize)(*p - *start);
    *p += **p == ')';
    return TRUE;
}

static void
set_once(char **field, const char *text, gsize len)
{
    if (!*field)
        *field = bounded(text, len);
}

/* "<ana@example.org>" without what surrounds it. */
static char *
bare_address(const char *text, gsize len)
{
    while (len && strchr("<\"", *text))
        text++, len--;
    while (len && strchr(">;\",", text[len - 1]))
        len--;
    return bounded(text, len);
}

enum clause { NONE, FROM, BY, WITH, ID, FOR, VIA, TLS, OTHER };

static enum clause
clause_of(const char *word, gsize len)
{
    static const struct {
        const char *word;
        enum clause clause;
    } known[] = {{"from", FROM}, {"by", BY}, {"with", WITH}, {"id", ID}, {"for", FOR}, {"via", VIA}, {"tls", TLS},
                 {"envelope-from", OTHER}};
    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (strlen(known[i].word) == len && !g_ascii_strncasecmp(word, known[i].word, len))
            return known[i].clause;
    return NONE;
}

/* "Microsoft SMTP Server", "ESMTP": words up to the next clause. */
static void
extend_with(struct hop *hop, const char *word, gsize len)
{
    g_autofree char *more = bounded(word, len);
    if (!hop->with) {
        hop->with = g_steal_pointer(&more);
    } else if (more && strlen(hop->with) + strlen(more) < HOP_TEXT_MAX) {
        char *joined = g_strconcat(hop->with, " ", more, NULL);
        g_free(hop->with);
        hop->with = joined;
    }
}

/* What the client is, as the server saw it: a comment behind its name, or a bare [192.0.2.7]. "HELO name" may come
 * first; then the address belongs to it. */
static void
note_real(struct hop *hop, const char *text, gsize len, guint nth)
{
    if (nth == 1 && hop->from_real) {
        gboolean has_address = strpbrk(hop->from_real, "[") || strchr(hop->from_real, ':') ||
                               g_hostname_is_ip_address(hop->from_real);
        g_autofree char *more = bounded(text, len);
        if (!has_address && more && (g_ascii_isxdigit(*more) || *more == '[')) {
            char *joined = g_strconcat(hop->from_real, " ", more, NULL);
            g_free(hop->from_real);
            hop->from_real = joined;
        }
        return;
    }
    set_once(&hop->from_real, text, len);
}

static void
read_clauses(struct hop *hop, const char *text)
{
    const char *p = text, *start;
    gsize len;
    gboolean is_comment;
    enum clause open = NONE;  /* its value is the next word */
    enum clause after = NONE; /* whose value was the last */
    guint nth = 0;            /* comments behind that */
    while (next_token(&p, &start, &len, &is_comment)) {
        if (is_comment) {
            look_for_tls(hop, start, len);
            if (after == FROM && open == NONE)
                note_real(hop, start, len, nth++);
            else if (after == WITH)
                after = OTHER; /* ends what the protocol is called */
            continue;
        }
        enum clause clause = clause_of(start, len);
        if (open != NONE) {
            nth = 0;
            after = open;
            switch (open) {
            case FROM:
                set_once(&hop->from, start, len);
                break;
            case BY:
                set_once(&hop->by, start, strcspn(start, ";,") < len ? strcspn(start, ";,") : len);
                break;
            case WITH:
                extend_with(hop, start, len);
                break;
            case ID:
                set_once(&hop->id, start, start[len - 1] == ';' ? len - 1 : len);
                break;
            case FOR:
                if (!hop->recipient)
                    hop->recipient = bare_address(start, len);
                break;
            case TLS:
                look_for_tls(hop, start, len);
                break;
            default:
                break;
            }
            open = NONE;
        } else if (clause != NONE) {
            gboolean is_again = (clause == FROM && hop->from) || (clause == BY && hop->by) || (clause == WITH && hop->with) ||
                                (clause == ID && hop->id);
            open = is_again ? OTHER : clause;
        } else if (after == WITH && !strpbrk(hop->with, ";") && len < 40 && *start != '<') {
            extend_with(hop, start, len);
        } else if (after == FROM && *start == '[') {
            note_real(hop, start, len, nth++);
        } else if (len > 3 && !g_ascii_strncasecmp(start, "tls", 3)) { /* Exim: "tls TLS_AES_…" */
            look_for_tls(hop, start, len);
        }
    }
}

/* --- the client's address */

/* The last address in a comment, "mail.example.net [192.0.2.7]:4711", but for what the client called itself: "helo=[192.0.2.8]",
 * "HELO [192.0.2.8]". */
static char *
address_in(const char *text, gsize len)
{
    g_autofree char *copy = g_strndup(text, len), *found = NULL;
    g_auto(GStrv) words = g_strsplit_set(copy, " \t\r\n()", -1);
    for (char **word = words; *word; word++) {
        if (!g_ascii_strncasecmp(*word, "helo=", 5))
            continue;
        if ((!g_ascii_strcasecmp(*word, "HELO") || !g_ascii_strcasecmp(*word, "EHLO")) && word[1]) {
            word++;
            continue;
        }
        const char *start = strrchr(*word, '@') ? strrchr(*word, '@') + 1 : *word;
        const char *open = strchr(start, '[');
        g_autofree char *bare = open ? g_strndup(open + 1, strcspn(open + 1, "]")) : g_strdup(start);
        const char *address = g_ascii_strncasecmp(bare, "IPv6:", 5) ? bare : bare + 5;
        if (g_hostname_is_ip_address(address)) {
            g_free(found);
            found = g_strdup(address);
        }
    }
    return g_steal_pointer(&found);
}

struct client {
    char *address, *comment; /* comment: in which it stands, or NULL */
};

static void
client_move(struct client *to, struct client *from)
{
    g_free(to->address);
    g_free(to->comment);
    *to = *from;
    memset(from, 0, sizeof *from);
}

/* What a client calls itself comes first and may be anything, "x ([192.0.2.8]) by y" too; what the server saw stands last
 * before its own "by". */
static void
read_client(struct hop *hop, const char *text)
{
    const char *p = text, *start;
    gsize len;
    gboolean is_comment, is_from = FALSE;
    struct client client = {0}, last = {0};
    while (next_token(&p, &start, &len, &is_comment)) {
        enum clause clause = is_comment ? NONE : clause_of(start, len);
        is_from = is_from || clause == FROM;
        struct client found = {is_from && (is_comment || *start == '[') ? address_in(start, len) : NULL, NULL};
        if (found.address && is_comment)
            found.comment = bounded(start, len);
        if (found.address && (is_comment || !last.comment))
            client_move(&last, &found);
        else
            g_free(found.address);
        if (clause == BY && last.address)
            client_move(&client, &last);
    }
    if (!client.address)
        client_move(&client, &last);
    if (client.comment && hop->from_real && !strstr(hop->from_real, client.address)) {
        g_free(hop->from_real);
        hop->from_real = g_steal_pointer(&client.comment);
    }
    hop->client = g_steal_pointer(&client.address);
    g_free(client.comment);
    g_free(last.address);
    g_free(last.comment);
}

/* --- the date, at the end: behind the last semicolon that is in no comment; or without any */

static gboolean
read_date(struct hop *hop, const char *text)
{
    return date_parse(text, &hop->time, &hop->zone);
}

static const char *
find_weekday(const char *text)
{
    static const char *const days[] = {"Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, ", "Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "};
    const char *last = NULL;
    for (const char *p = text; *p; p++)
        for (guint i = 0; (p == text || g_ascii_isspace(p[-1])) && i < G_N_ELEMENTS(days); i++)
            if (g_str_has_prefix(p, days[i]))
                last = p;
    return last;
}

/* Courier writes its id behind the date. */
static void
read_tail(struct hop *hop, const char *tail)
{
    const char *id = strstr(tail, " id ");
    g_autofree char *date = id ? g_strndup(tail, (gsize)(id - tail)) : g_strdup(tail);
    hop->has_time = read_date(hop, date);
    if (hop->has_time && id && !hop->id)
        hop->id = bounded(id + 4, strcspn(id + 4, " \t;("));
}

struct hop *
hop_parse(const char *value)
{
    struct hop *hop = g_new0(struct hop, 1);
    hop->delay = -1;
    g_autofree char *text = g_strndup(value, 8192);
    GArray *semicolons = g_array_new(FALSE, FALSE, sizeof(gsize));
    int depth = 0;
    for (const char *p = text; *p; p++) {
        depth += *p == '(' ? 1 : *p == ')' && depth ? -1 : 0;
        gsize at = (gsize)(p - text);
        if (*p == ';' && (!depth || !strchr(p, ')')))
            g_array_append_val(semicolons, at);
    }
    for (guint i = semicolons->len; i > 0 && !hop->has_time; i--) {
        char *semicolon = text + g_array_index(semicolons, gsize, i - 1);
        read_tail(hop, semicolon + 1);
        if (hop->has_time || i == semicolons->len)
            *semicolon = '\0';
    }
    g_array_unref(semicolons);
    const char *weekday = hop->has_time ? NULL : find_weekday(value);
    if (weekday && (hop->has_time = read_date(hop, weekday)))
        text[MIN((gsize)(weekday - value), strlen(text))] = '\0';
    read_clauses(hop, text);
    read_client(hop, text);
    if (!hop->tls && hop->with && is_tls_protocol(hop->with))
        hop->tls = g_strdup("TLS");
    if (!hop->tls && hop->cipher)
        hop->tls = g_strdup("TLS");
    return hop;
}
