#include "config.h"

#include "trust/received.h"

#include <string.h>

#include "mail/date.h"

void
hop_free(struct hop *hop)
{
    if (!hop)
        return;
    g_free(hop->from);
    g_free(hop->from_real);
    g_free(hop->by);
    g_free(hop->with);
    g_free(hop->tls);
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
    return NULL;
}

/* RFC 3848 and RFC 6531: SMTPS, ESMTPSA, LMTPS, UTF8SMTPSA … say that TLS was used. */
static gboolean
is_tls_protocol(const char *with)
{
    g_autofree char *upper = g_ascii_strup(with, -1);
    gsize len = strlen(upper);
    if (len && upper[len - 1] == 'A')
        upper[--len] = '\0';
    return g_str_has_suffix(upper, "SMTPS") || g_str_has_suffix(upper, "LMTPS") || !strcmp(upper, "HTTPS");
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

struct hop *
hop_parse(const char *value)
{
    struct hop *hop = g_new0(struct hop, 1);
    hop->delay = -1;
    const char *semicolon = strrchr(value, ';');
    gsize clauses = semicolon ? (gsize)(semicolon - value) : strlen(value);
    if (semicolon)
        hop->has_time = date_parse(semicolon + 1, &hop->time, &hop->zone);

    g_autofree char *text = g_strndup(value, MIN(clauses, 8192));
    const char *p = text, *start;
    gsize len;
    gboolean is_comment;
    char **target = NULL;     /* what the next word fills */
    char **comment_of = NULL; /* what the next comment belongs to */
    while (next_token(&p, &start, &len, &is_comment)) {
        if (is_comment) {
            if (!hop->tls)
                hop->tls = find_tls(start, len);
            if (comment_of == &hop->from)
                set_once(&hop->from_real, start, len);
            continue;
        }
        static const struct {
            const char *word;
            gsize offset;
        } clauses_known[] = {{"from", G_STRUCT_OFFSET(struct hop, from)},
                             {"by", G_STRUCT_OFFSET(struct hop, by)},
                             {"with", G_STRUCT_OFFSET(struct hop, with)},
                             {"id", G_STRUCT_OFFSET(struct hop, id)},
                             {"for", G_STRUCT_OFFSET(struct hop, recipient)}};
        char **clause = NULL;
        for (guint i = 0; i < G_N_ELEMENTS(clauses_known); i++)
            if (strlen(clauses_known[i].word) == len &&
                !g_ascii_strncasecmp(start, clauses_known[i].word, len))
                clause = G_STRUCT_MEMBER_P(hop, clauses_known[i].offset);
        if (target) {
            comment_of = *target ? NULL : target;
            if (target == &hop->recipient && !hop->recipient)
                hop->recipient = bare_address(start, len);
            else
                set_once(target, start, len);
            target = NULL;
        } else if (clause) {
            target = clause;
        } else if (!hop->tls && len >= 3 &&
                   !g_ascii_strncasecmp(start, "tls", 3)) { /* Exim: "tls TLS_AES_…" */
            hop->tls = find_tls(start, len);
        }
    }
    if (!hop->tls && hop->with && is_tls_protocol(hop->with))
        hop->tls = g_strdup("TLS");
    return hop;
}
