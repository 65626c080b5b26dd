#include "config.h"

#include "trust/spf_private.h"

#include <arpa/inet.h>
#include <string.h>

#define EXPANDED_MAX 4096
#define DELIMITERS ".-+,/_="

struct macro {
    char letter;
    gboolean is_escaped, is_reversed;
    guint keep;
    char delimiters[sizeof DELIMITERS];
};

/* Reads what follows "%{"; *text is moved behind "}". */
static gboolean
read_macro(const char **text, gboolean is_explanation, struct macro *macro)
{
    const char *p = *text;
    memset(macro, 0, sizeof *macro);
    macro->letter = g_ascii_tolower(*p);
    macro->is_escaped = g_ascii_isupper(*p);
    if (!*p || !strchr(is_explanation ? "slodiphvcrt" : "slodiphv", macro->letter))
        return FALSE;
    p++;
    if (g_ascii_isdigit(*p)) {
        guint64 number = 0;
        for (; g_ascii_isdigit(*p); p++)
            number = MIN(number * 10 + (guint64)(*p - '0'), 1000);
        if (!number)
            return FALSE;
        macro->keep = (guint)number;
    }
    if (g_ascii_tolower(*p) == 'r') {
        macro->is_reversed = TRUE;
        p++;
    }
    gsize n = strspn(p, DELIMITERS);
    for (gsize i = 0; i < n; i++)
        if (!strchr(macro->delimiters, p[i]))
            macro->delimiters[strlen(macro->delimiters)] = p[i];
    p += n;
    if (*p != '}')
        return FALSE;
    *text = p + 1;
    return TRUE;
}

/* "." toplabel at the end: letters, digits and inner dashes, not digits alone (section 7.1). */
static gboolean
ends_with_label(const char *text)
{
    gsize length = strlen(text);
    if (length && text[length - 1] == '.')
        length--;
    gsize start = length;
    gboolean has_letter = FALSE;
    while (start && (g_ascii_isalnum(text[start - 1]) || text[start - 1] == '-')) {
        start--;
        has_letter = has_letter || !g_ascii_isdigit(text[start]);
    }
    return has_letter && start && text[start - 1] == '.' && text[start] != '-' && text[length - 1] != '-';
}

gboolean
spf_macro_check(const char *text, gboolean is_domain, gboolean is_explanation)
{
    gboolean ends_in_macro = FALSE;
    const char *p = text;
    if (is_domain && !*text)
        return FALSE;
    while (*p) {
        ends_in_macro = FALSE;
        if (*p != '%') {
            if ((guchar)*p >= 0x7f || (guchar)*p < ' ' || (*p == ' ' && !is_explanation))
                return FALSE;
            p++;
        } else if (p[1] == '%' || p[1] == '_' || p[1] == '-') {
            p += 2;
        } else if (p[1] == '{') {
            struct macro macro;
            p += 2;
            if (!read_macro(&p, is_explanation, &macro))
                return FALSE;
            ends_in_macro = TRUE;
        } else {
            return FALSE;
        }
    }
    return !is_domain || ends_in_macro || ends_with_label(text);
}

static char *
dotted_address(const struct spf *spf)
{
    if (!spf->is_v6)
        return g_strdup(spf->ip);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < 16; i++)
        g_string_append_printf(out, "%s%X.%X", i ? "." : "", spf->address[i] >> 4, spf->address[i] & 15u);
    return g_string_free(out, FALSE);
}

static char *
value_of(struct spf *spf, char letter, const char *domain)
{
    switch (letter) {
    case 's':
        return g_strdup_printf("%s@%s", spf->local, spf->sender_domain);
    case 'l':
        return g_strdup(spf->local);
    case 'o':
        return g_strdup(spf->sender_domain);
    case 'd':
        return g_strdup(domain);
    case 'i':
        return dotted_address(spf);
    case 'p': {
        char *name = spf_validated_name(spf, domain, FALSE);
        return name ? name : g_strdup("unknown");
    }
    case 'v':
        return g_strdup(spf->is_v6 ? "ip6" : "in-addr");
    case 'h':
        return g_strdup(spf->helo);
    case 'c':
        return g_strdup(spf->ip);
    case 't':
        return g_strdup_printf("%" G_GINT64_FORMAT, spf->now);
    default: /* r: we do not tell who we are */
        return g_strdup("unknown");
    }
}

/* Cut at the delimiters, turned round, the last ones kept, joined with dots. */
static char *
transform(const char *value, const struct macro *macro)
{
    const char *delimiters = *macro->delimiters ? macro->delimiters : ".";
    g_auto(GStrv) parts = g_strsplit_set(value, delimiters, -1);
    guint n = g_strv_length(parts);
    if (macro->is_reversed)
        for (guint i = 0; i < n / 2; i++) {
            char *swap = parts[i];
            parts[i] = parts[n - 1 - i];
            parts[n - 1 - i] = swap;
        }
    return g_strjoinv(".", parts + (macro->keep && macro->keep < n ? n - macro->keep : 0));
}

static void
append_macro(struct spf *spf, const struct macro *macro, const char *domain, GString *out)
{
    g_autofree char *value = value_of(spf, macro->letter, domain), *text = transform(value, macro);
    if (macro->is_escaped)
        g_string_append_uri_escaped(out, text, NULL, FALSE);
    else
        g_string_append(out, text);
}

char *
spf_macro_expand(struct spf *spf, const char *text, const char *domain, gboolean is_explanation)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *p = text;
    while (*p) {
        struct macro macro;
        if (*p != '%') {
            g_string_append_c(out, *p++);
        } else if (p[1] == '{') {
            p += 2;
            if (!read_macro(&p, is_explanation, &macro))
                return NULL;
            append_macro(spf, &macro, domain, out);
        } else {
            g_string_append(out, p[1] == '%' ? "%" : p[1] == '_' ? " " : "%20");
            p += 2;
        }
        if (out->len > EXPANDED_MAX)
            return NULL;
    }
    const char *name = out->str;
    if (!is_explanation)
        while (strlen(name) > 253 && strchr(name, '.'))
            name = strchr(name, '.') + 1;
    return g_strdup(name);
}
