#include "config.h"

#include "trust/authres.h"

#include <string.h>

#define NAME_MAX_BYTES 255
#define CHECKED_HERE "here"
#define DKIM_MAX 20
#define FIELD_MAX (16 * 1024)

/* The field with a space for each comment, quotes kept. */
static char *
without_comments(const char *value)
{
    GString *out = g_string_new(NULL);
    guint depth = 0;
    gboolean is_quoted = FALSE;
    for (const char *p = value; *p && out->len < FIELD_MAX; p++) {
        if (*p == '\\' && p[1]) {
            if (!depth) {
                g_string_append_c(out, *p);
                g_string_append_c(out, p[1]);
            }
            p++;
            continue;
        }
        if (!depth && *p == '"')
            is_quoted = !is_quoted;
        if (!is_quoted && *p == '(')
            depth++;
        if (!depth)
            g_string_append_c(out, *p);
        if (!is_quoted && *p == ')' && depth && --depth == 0)
            g_string_append_c(out, ' ');
    }
    g_autofree char *text = g_string_free(out, FALSE);
    return g_utf8_make_valid(text, -1);
}

/* Parts between semicolons outside quotes. */
static GPtrArray *
split_parts(char *text)
{
    GPtrArray *parts = g_ptr_array_new();
    gboolean is_quoted = FALSE;
    char *start = text;
    for (char *p = text;; p++) {
        if (*p == '"')
            is_quoted = !is_quoted;
        if (*p && (is_quoted || *p != ';'))
            continue;
        gboolean is_end = !*p;
        *p = '\0';
        g_ptr_array_add(parts, g_strstrip(start));
        start = p + 1;
        if (is_end)
            return parts;
    }
}

/* "dkim / 1 = fail policy . expired = 7": what comments may be put between belongs together (RFC 8601, appendix B.7). */
static void
join_names(char *text)
{
    gboolean is_quoted = FALSE, is_joined = FALSE;
    char *out = text;
    for (const char *p = text; *p; p++) {
        gboolean is_space = g_ascii_isspace(*p) && !is_quoted;
        const char *next = is_space ? p + strspn(p, " \t\r\n") : p;
        if (is_space && (is_joined || (*next && strchr("=/.", *next)))) {
            p = next - 1;
            is_joined = TRUE;
            continue;
        }
        is_quoted ^= *p == '"';
        is_joined = !is_quoted && (*p == '=' || (is_joined && strchr("/.", *p)));
        *out++ = *p;
    }
    *out = '\0';
}

/* One "name=value", spaces around the = allowed, the value perhaps quoted. FALSE at the end of the part. */
static gboolean
next_pair(const char **p, char **name, char **value)
{
    while (g_ascii_isspace(**p))
        ++*p;
    const char *start = *p;
    while (**p && **p != '=' && !g_ascii_isspace(**p))
        ++*p;
    if (*p == start)
        return FALSE;
    *name = g_ascii_strdown(start, *p - start);
    while (g_ascii_isspace(**p))
        ++*p;
    if (**p != '=') { /* a word alone: passed over */
        *value = g_strdup("");
        return TRUE;
    }
    ++*p;
    while (g_ascii_isspace(**p))
        ++*p;
    GString *out = g_string_new(NULL);
    gboolean is_quoted = FALSE; /* perhaps in part: "ana ruiz"@example.org */
    for (; **p && (is_quoted || !g_ascii_isspace(**p)); ++*p) {
        if (**p == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        if (is_quoted && **p == '\\' && (*p)[1])
            ++*p;
        g_string_append_c(out, **p);
    }
    if (out->len > NAME_MAX_BYTES)
        g_string_truncate(out, NAME_MAX_BYTES);
    g_autofree char *raw = g_string_free(out, FALSE);
    *value = g_utf8_make_valid(raw, -1);
    return TRUE;
}

static char *
known_result(const char *word)
{
    static const char *const known[] = {"pass",      "fail",      "softfail", "neutral",       "none",
                                        "temperror", "permerror", "policy",   "bestguesspass", NULL};
    g_autofree char *lower = g_ascii_strdown(word, -1);
    if (!strcmp(lower, "hardfail")) /* as RFC 5451 called it */
        return g_strdup("fail");
    return g_strdup(g_strv_contains(known, lower) ? lower : "unknown");
}

/* "ana@example.org", "<ana@example.org>", "@example.org" and "example.org" are all of example.org. */
static char *
domain_of(const char *value)
{
    const char *at = strrchr(value, '@');
    const char *domain = at ? at + 1 : value + (*value == '<');
    gsize len = strcspn(domain, ">");
    return len ? g_ascii_strdown(domain, (gssize)len) : NULL;
}

static void
replace(char **field, char *value)
{
    g_free(*field);
    *field = value;
}

static void
take_dkim(struct authentication_dkim *dkim, const char *name, const char *value)
{
    if (!strcmp(name, "header.d") || (!strcmp(name, "header.i") && !dkim->domain))
        replace(&dkim->domain, domain_of(value));
    else if (!strcmp(name, "header.s"))
        replace(&dkim->selector, g_strdup(value));
    else if (!strcmp(name, "header.a"))
        replace(&dkim->algorithm, g_strdup(value));
    else if (!strcmp(name, "policy.key-bits"))
        dkim->bits = (guint)g_ascii_strtoull(value, NULL, 10);
}

/* "dkim=pass reason=… header.d=example.org" */
static void
take_part(struct authentication *authentication, const char *part)
{
    const char *p = part;
    g_autofree char *method = NULL, *result_word = NULL;
    if (!next_pair(&p, &method, &result_word) || !*result_word)
        return;
    char *slash = strchr(method, '/'); /* a version: "dkim/1" */
    if (slash)
        *slash = '\0';
    g_autofree char *result = known_result(result_word);
    gboolean is_dkim = !strcmp(method, "dkim"), is_spf = !strcmp(method, "spf"),
             is_dmarc = !strcmp(method, "dmarc"), is_arc = !strcmp(method, "arc");
    if (!is_dkim && !is_spf && !is_dmarc && !is_arc)
        return;

    struct authentication_dkim *dkim = NULL;
    if (is_spf)
        replace(&authentication->spf, g_steal_pointer(&result));
    else if (is_dmarc)
        replace(&authentication->dmarc, g_steal_pointer(&result));
    else if (is_arc)
        replace(&authentication->arc, g_steal_pointer(&result));
    else if (authentication->dkim->len < DKIM_MAX) {
        dkim = authentication_add_dkim(authentication);
        dkim->result = g_steal_pointer(&result);
    }
    for (char *name, *value; next_pair(&p, &name, &value); g_free(name), g_free(value)) {
        if (!*value)
            continue;
        if (is_spf &&
            (!strcmp(name, "smtp.mailfrom") || (!strcmp(name, "smtp.helo") && !authentication->spf_domain)))
            replace(&authentication->spf_domain, domain_of(value));
        else if (is_dmarc && !strcmp(name, "header.from"))
            replace(&authentication->dmarc_domain, domain_of(value));
        else if (is_dmarc && !strcmp(name, "policy.published"))
            replace(&authentication->dmarc_policy, g_strdup(value));
        else if (is_arc && !strcmp(name, "header.d"))
            replace(&authentication->arc_domain, domain_of(value));
        else if (!strcmp(name, "reason"))
            replace(dkim       ? &dkim->reason
                    : is_spf   ? &authentication->spf_reason
                    : is_dmarc ? &authentication->dmarc_reason
                               : &authentication->arc_reason,
                    g_strdup(value));
        else if (dkim)
            take_dkim(dkim, name, value);
    }
}

char *
authres_server(const char *value)
{
    g_autofree char *text = without_comments(value);
    g_strchug(text);
    gsize len = strcspn(text, "; \t");
    return len && len <= NAME_MAX_BYTES ? g_ascii_strdown(text, (gssize)len) : NULL;
}

/* "mx.example.org", "mx.example.org 1": what a later version would mean is not known (section 2.3). */
static gboolean
is_first_version(const char *identity)
{
    const char *version = identity + strcspn(identity, " \t");
    version += strspn(version, " \t");
    return !*version || !strcmp(version, "1");
}

struct authentication *
authres_parse(const char *value, struct authentication *authentication)
{
    g_autofree char *text = without_comments(value);
    g_autoptr(GPtrArray) parts = split_parts(text);
    g_autofree char *server = authres_server(value);
    if (!server || parts->len < 2 || !is_first_version(parts->pdata[0]))
        return authentication;
    if (!authentication) {
        authentication = authentication_new();
        authentication->by = g_steal_pointer(&server);
    }
    for (guint i = 1; i < parts->len; i++) {
        join_names(parts->pdata[i]);
        take_part(authentication, parts->pdata[i]);
    }
    return authentication;
}

static void
add_property(GString *out, const char *name, const char *value)
{
    if (!value)
        return;
    g_string_append_printf(out, " %s=\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *value);
    }
    g_string_append_c(out, '"');
}

char *
authres_format(const struct authentication *authentication)
{
    GString *out = g_string_new(authentication->by ? authentication->by : CHECKED_HERE);
    if (authentication->spf) {
        g_string_append_printf(out, "; spf=%s", authentication->spf);
        add_property(out, "smtp.mailfrom", authentication->spf_domain);
        add_property(out, "reason", authentication->spf_reason);
    }
    for (guint i = 0; i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = authentication->dkim->pdata[i];
        g_autofree char *bits = dkim->bits ? g_strdup_printf("%u", dkim->bits) : NULL;
        g_string_append_printf(out, "; dkim=%s", dkim->result);
        add_property(out, "header.d", dkim->domain);
        add_property(out, "header.s", dkim->selector);
        add_property(out, "header.a", dkim->algorithm);
        add_property(out, "policy.key-bits", bits);
        add_property(out, "reason", dkim->reason);
    }
    if (authentication->dmarc) {
        g_string_append_printf(out, "; dmarc=%s", authentication->dmarc);
        add_property(out, "header.from", authentication->dmarc_domain);
        add_property(out, "policy.published", authentication->dmarc_policy);
        add_property(out, "reason", authentication->dmarc_reason);
    }
    if (authentication->arc) {
        g_string_append_printf(out, "; arc=%s", authentication->arc);
        add_property(out, "header.d", authentication->arc_domain);
        add_property(out, "reason", authentication->arc_reason);
    }
    if (!strchr(out->str, ';'))
        g_string_append(out, "; none");
    return g_string_free(out, FALSE);
}

struct authentication *
authres_parse_own(const char *text)
{
    struct authentication *authentication = authres_parse(text, NULL);
    if (authentication && !strcmp(authentication->by, CHECKED_HERE))
        g_clear_pointer(&authentication->by, g_free);
    return authentication;
}
