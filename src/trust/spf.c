#include "config.h"

#include "trust/spf_private.h"

#include "base/i18n.h"
#include "mail/address.h"

#include <arpa/inet.h>
#include <string.h>

/* Section 4.6.4. */
#define TERMS_MAX 10
#define VOIDS_MAX 2
#define HOSTS_MAX 10
#define RECORD_MAX 4096

enum verdict { PASS, FAIL, SOFTFAIL, NEUTRAL, NONE, TEMPERROR, PERMERROR };
static const char *const verdict_names[] = {"pass", "fail",      "softfail", "neutral",
                                            "none", "temperror", "permerror"};

enum match { MATCH, NO_MATCH, MATCH_TEMPERROR, MATCH_PERMERROR };

struct term {
    enum verdict verdict; /* when it matches */
    const struct mechanism *mechanism;
    char *domain; /* domain-spec, or NULL */
    int v4_bits, v6_bits;
    guint8 network[16];
    const char *text; /* as written */
};

struct record {
    GArray *terms;        /* of struct term */
    char *redirect, *exp; /* domain-specs, or NULL */
    GStrv words;
};

struct mechanism {
    const char *name;
    enum {
        ARGUMENT_NONE,
        ARGUMENT_DOMAIN,
        ARGUMENT_MAY_DOMAIN,
        ARGUMENT_MAY_CIDR,
        ARGUMENT_V4,
        ARGUMENT_V6
    } argument;
    gboolean looks_up;
    enum match (*match)(struct spf *spf, const struct term *term, const char *domain);
};

static enum verdict check_host(struct spf *spf, const char *domain, gboolean is_included);

void
spf_result_clear(struct spf_result *result)
{
    g_free(result->domain);
    g_free(result->reason);
}

static enum match
problem(struct spf *spf, const char *text)
{
    if (!spf->problem)
        spf->problem = text;
    return MATCH_PERMERROR;
}

/* --- look-ups */

static enum dns_status
look_up(struct spf *spf, const char *name, enum dns_type type, GPtrArray **values)
{
    enum dns_status status = dns_lookup(spf->dns, name, type, values);
    if (status == DNS_NO_NAME || status == DNS_NO_RECORD)
        spf->voids++;
    return status;
}

static gboolean
too_many_voids(struct spf *spf)
{
    if (spf->voids <= VOIDS_MAX)
        return FALSE;
    problem(spf, _("the SPF record asks for too many names that do not exist"));
    return TRUE;
}

static gboolean
in_network(const guint8 *a, const guint8 *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, (gsize)whole))
        return FALSE;
    return !rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static gboolean
has_address(const struct spf *spf, const GPtrArray *values, int v4_bits, int v6_bits)
{
    for (guint i = 0; i < values->len; i++) {
        guint8 address[16];
        if (inet_pton(spf->is_v6 ? AF_INET6 : AF_INET, values->pdata[i], address) == 1 &&
            in_network(address, spf->address, spf->is_v6 ? v6_bits : v4_bits))
            return TRUE;
    }
    return FALSE;
}

static enum match
match_host(struct spf *spf, const char *host, const struct term *term)
{
    g_autoptr(GPtrArray) values = NULL;
    if (look_up(spf, host, spf->is_v6 ? DNS_AAAA : DNS_A, &values) == DNS_FAILED)
        return MATCH_TEMPERROR;
    if (too_many_voids(spf))
        return MATCH_PERMERROR;
    return has_address(spf, values, term->v4_bits, term->v6_bits) ? MATCH : NO_MATCH;
}

static gboolean
is_at_or_below(const char *name, const char *domain)
{
    gsize n = strlen(name), m = strlen(domain);
    return n >= m && !g_ascii_strcasecmp(name + n - m, domain) && (n == m || name[n - m - 1] == '.');
}

char *
spf_validated_name(struct spf *spf, const char *domain, gboolean must_be_below)
{
    g_autofree char *reversed = NULL, *any = NULL;
    GString *out = g_string_new(NULL);
    if (spf->is_v6)
        for (guint i = 16; i-- > 0;)
            g_string_append_printf(out, "%x.%x.", spf->address[i] & 15u, spf->address[i] >> 4);
    else
        for (guint i = 4; i-- > 0;)
            g_string_append_printf(out, "%u.", spf->address[i]);
    g_string_append(out, spf->is_v6 ? "ip6.arpa" : "in-addr.arpa");
    reversed = g_string_free(out, FALSE);
    g_autoptr(GPtrArray) names = NULL;
    if (look_up(spf, reversed, DNS_PTR, &names) != DNS_FOUND)
        return NULL;
    for (guint i = 0; i < MIN(names->len, HOSTS_MAX); i++) {
        const char *name = names->pdata[i];
        gboolean is_below = is_at_or_below(name, domain);
        if ((must_be_below || any) && !is_below)
            continue;
        g_autoptr(GPtrArray) values = NULL;
        if (dns_lookup(spf->dns, name, spf->is_v6 ? DNS_AAAA : DNS_A, &values) != DNS_FOUND ||
            !has_address(spf, values, 32, 128))
            continue;
        if (is_below)
            return g_strdup(name);
        any = g_strdup(name);
    }
    return g_steal_pointer(&any);
}

/* --- mechanisms (section 5); domain is what the term speaks of, expanded */

static enum match
match_all(struct spf *spf G_GNUC_UNUSED, const struct term *term G_GNUC_UNUSED,
          const char *domain G_GNUC_UNUSED)
{
    return MATCH;
}

static enum match
match_include(struct spf *spf, const struct term *term G_GNUC_UNUSED, const char *domain)
{
    switch (check_host(spf, domain, TRUE)) {
    case PASS:
        return MATCH;
    case TEMPERROR:
        return MATCH_TEMPERROR;
    case NONE:
        return problem(spf, _("the SPF record includes a domain that has none"));
    case PERMERROR:
        return MATCH_PERMERROR;
    default:
        return NO_MATCH;
    }
}

static enum match
match_a(struct spf *spf, const struct term *term, const char *domain)
{
    return match_host(spf, domain, term);
}

static enum match
match_mx(struct spf *spf, const struct term *term, const char *domain)
{
    g_autoptr(GPtrArray) hosts = NULL;
    if (look_up(spf, domain, DNS_MX, &hosts) == DNS_FAILED)
        return MATCH_TEMPERROR;
    if (too_many_voids(spf))
        return MATCH_PERMERROR;
    if (hosts->len > HOSTS_MAX)
        return problem(spf, _("the SPF record names too many hosts"));
    for (guint i = 0; i < hosts->len; i++) {
        enum match match = match_host(spf, hosts->pdata[i], term);
        if (match != NO_MATCH)
            return match;
    }
    return NO_MATCH;
}

static enum match
match_ptr(struct spf *spf, const struct term *term G_GNUC_UNUSED, const char *domain)
{
    g_autofree char *name = spf_validated_name(spf, domain, TRUE);
    if (!name && too_many_voids(spf))
        return MATCH_PERMERROR;
    return name ? MATCH : NO_MATCH;
}

static enum match
match_network(struct spf *spf, const struct term *term, const char *domain G_GNUC_UNUSED)
{
    gboolean is_v6 = term->mechanism->argument == ARGUMENT_V6;
    return is_v6 == spf->is_v6 &&
                   in_network(term->network, spf->address, is_v6 ? term->v6_bits : term->v4_bits)
               ? MATCH
               : NO_MATCH;
}

static enum match
match_exists(struct spf *spf, const struct term *term G_GNUC_UNUSED, const char *domain)
{
    g_autoptr(GPtrArray) values = NULL;
    enum dns_status status = look_up(spf, domain, DNS_A, &values);
    if (status == DNS_FAILED)
        return MATCH_TEMPERROR;
    if (too_many_voids(spf))
        return MATCH_PERMERROR;
    return status == DNS_FOUND ? MATCH : NO_MATCH;
}

static const struct mechanism mechanisms[] = {
    {"all", ARGUMENT_NONE, FALSE, match_all},      {"include", ARGUMENT_DOMAIN, TRUE, match_include},
    {"a", ARGUMENT_MAY_CIDR, TRUE, match_a},       {"mx", ARGUMENT_MAY_CIDR, TRUE, match_mx},
    {"ptr", ARGUMENT_MAY_DOMAIN, TRUE, match_ptr}, {"ip4", ARGUMENT_V4, FALSE, match_network},
    {"ip6", ARGUMENT_V6, FALSE, match_network},    {"exists", ARGUMENT_DOMAIN, TRUE, match_exists},
};

/* --- the record (section 4.5, 4.6, 12) */

static void
term_clear(gpointer data)
{
    g_free(((struct term *)data)->domain);
}

static void
record_clear(struct record *record)
{
    g_clear_pointer(&record->terms, g_array_unref);
    g_strfreev(record->words);
    g_free(record->redirect);
    g_free(record->exp);
}

/* Takes "/24" off the end: a number without leading zeros, at most `max`. *bits stays when there is none. */
static gboolean
take_bits(char *text, gsize from, int max, int *bits)
{
    guint64 number;
    const char *digits = text + from;
    if ((digits[0] == '0' && digits[1]) ||
        !g_ascii_string_to_unsigned(digits, 10, 0, (guint64)max, &number, NULL))
        return FALSE;
    *bits = (int)number;
    return TRUE;
}

/* "/24", "//64", "/24//64" at the end of `text`, cut off. */
static gboolean
take_cidr(char *text, struct term *term)
{
    gsize length = strlen(text), at = length;
    while (at && g_ascii_isdigit(text[at - 1]))
        at--;
    if (at == length || at < 2 || text[at - 1] != '/' || text[at - 2] != '/') {
        if (at < length && at && text[at - 1] == '/') {
            if (!take_bits(text, at, 32, &term->v4_bits))
                return FALSE;
            text[at - 1] = '\0';
        }
        return TRUE;
    }
    if (!take_bits(text, at, 128, &term->v6_bits))
        return FALSE;
    text[at - 2] = '\0';
    gsize v4 = at - 2;
    while (v4 && g_ascii_isdigit(text[v4 - 1]))
        v4--;
    if (v4 < at - 2 && v4 && text[v4 - 1] == '/') {
        if (!take_bits(text, v4, 32, &term->v4_bits))
            return FALSE;
        text[v4 - 1] = '\0';
    }
    return TRUE;
}

static gboolean
read_network(const char *argument, gboolean is_v6, struct term *term)
{
    g_autofree char *text = g_strdup(argument);
    char *slash = strchr(text, '/');
    if (slash) {
        int *bits = is_v6 ? &term->v6_bits : &term->v4_bits;
        *slash = '\0';
        if (!g_ascii_isdigit(slash[1]) || !take_bits(slash + 1, 0, is_v6 ? 128 : 32, bits))
            return FALSE;
    }
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, text, term->network) == 1;
}

/* argument: what follows the name, from ":" or "/" on. */
static gboolean
read_argument(char *argument, struct term *term)
{
    gboolean has_domain = *argument == ':';
    switch (term->mechanism->argument) {
    case ARGUMENT_NONE:
        return !*argument;
    case ARGUMENT_V4:
    case ARGUMENT_V6:
        return has_domain && read_network(argument + 1, term->mechanism->argument == ARGUMENT_V6, term);
    case ARGUMENT_DOMAIN:
        if (!has_domain)
            return FALSE;
        break;
    case ARGUMENT_MAY_DOMAIN:
        break;
    case ARGUMENT_MAY_CIDR:
        if (!take_cidr(argument, term))
            return FALSE;
        break;
    }
    if (!*argument)
        return TRUE;
    if (!has_domain || !spf_macro_check(argument + 1, TRUE, FALSE))
        return FALSE;
    term->domain = g_strdup(argument + 1);
    return TRUE;
}

static gboolean
read_mechanism(const char *word, struct record *record)
{
    static const char qualifiers[] = "+-~?";
    struct term term = {.v4_bits = 32, .v6_bits = 128, .text = word};
    const char *qualifier = strchr(qualifiers, *word);
    term.verdict = qualifier ? (enum verdict)(qualifier - qualifiers) : PASS;
    word += qualifier != NULL;
    gsize length = strcspn(word, ":/");
    for (guint i = 0; i < G_N_ELEMENTS(mechanisms); i++)
        if (strlen(mechanisms[i].name) == length && !g_ascii_strncasecmp(mechanisms[i].name, word, length))
            term.mechanism = &mechanisms[i];
    if (!term.mechanism)
        return FALSE;
    g_autofree char *argument = g_strdup(word + length);
    if (!read_argument(argument, &term)) {
        term_clear(&term);
        return FALSE;
    }
    g_array_append_val(record->terms, term);
    return TRUE;
}

/* "name=value": *is_modifier tells whether it is one at all. */
static gboolean
read_modifier(const char *word, struct record *record, gboolean *is_modifier)
{
    gsize length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    *is_modifier = length && g_ascii_isalpha(*word) && word[length] == '=';
    if (!*is_modifier)
        return TRUE;
    const char *value = word + length + 1;
    gboolean is_redirect = length == 8 && !g_ascii_strncasecmp(word, "redirect", 8);
    gboolean is_exp = length == 3 && !g_ascii_strncasecmp(word, "exp", 3);
    if (!is_redirect && !is_exp)
        return spf_macro_check(value, FALSE, FALSE);
    char **field = is_redirect ? &record->redirect : &record->exp;
    if (*field || !spf_macro_check(value, TRUE, FALSE))
        return FALSE;
    *field = g_strdup(value);
    return TRUE;
}

static gboolean
read_record(const char *text, struct record *record)
{
    record->terms = g_array_new(FALSE, TRUE, sizeof(struct term));
    g_array_set_clear_func(record->terms, term_clear);
    record->words = g_strsplit(text + strlen("v=spf1"), " ", -1);
    for (char **word = record->words; *word; word++) {
        gboolean is_modifier;
        if (!**word)
            continue;
        if (!g_str_is_ascii(*word) || !read_modifier(*word, record, &is_modifier) ||
            (!is_modifier && !read_mechanism(*word, record)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_spf_record(const char *text)
{
    return !g_ascii_strncasecmp(text, "v=spf1", 6) && (!text[6] || text[6] == ' ');
}

/* --- check_host() (section 4) */

/* Section 4.3: several labels, none empty or too long. */
static gboolean
is_domain(const char *domain)
{
    gsize length = strlen(domain);
    g_autofree char *name = g_strndup(domain, length && domain[length - 1] == '.' ? length - 1 : length);
    if (!strchr(name, '.') || strlen(name) > 253)
        return FALSE;
    for (const char *label = name;;) {
        gsize n = strcspn(label, ".");
        if (!n || n > 63)
            return FALSE;
        if (!label[n])
            return TRUE;
        label += n + 1;
    }
}

static gboolean
count_term(struct spf *spf)
{
    if (++spf->terms <= TERMS_MAX)
        return TRUE;
    problem(spf, _("the SPF record needs more than ten look-ups"));
    return FALSE;
}

/* Section 6.2. */
static void
explain(struct spf *spf, const struct record *record, const char *domain)
{
    g_autofree char *name = record->exp ? spf_macro_expand(spf, record->exp, domain, FALSE) : NULL;
    g_autoptr(GPtrArray) values = NULL;
    if (!name || dns_lookup(spf->dns, name, DNS_TXT, &values) != DNS_FOUND || values->len != 1 ||
        !g_str_is_ascii(values->pdata[0]) || !spf_macro_check(values->pdata[0], FALSE, TRUE))
        return;
    g_free(spf->explanation);
    spf->explanation = spf_macro_expand(spf, values->pdata[0], domain, TRUE);
}

static enum verdict
evaluate(struct spf *spf, const struct record *record, const char *domain, gboolean is_included)
{
    for (guint i = 0; i < record->terms->len; i++) {
        const struct term *term = &g_array_index(record->terms, struct term, i);
        if (term->mechanism->looks_up && !count_term(spf))
            return PERMERROR;
        g_autofree char *target =
            term->domain ? spf_macro_expand(spf, term->domain, domain, FALSE) : g_strdup(domain);
        enum match match = target ? term->mechanism->match(spf, term, target) : MATCH_PERMERROR;
        if (match == MATCH_TEMPERROR)
            return TEMPERROR;
        if (match == MATCH_PERMERROR)
            return PERMERROR;
        if (match == NO_MATCH)
            continue;
        if (!is_included) {
            g_free(spf->matched);
            spf->matched = g_strdup(term->text);
            if (term->verdict == FAIL)
                explain(spf, record, domain);
        }
        return term->verdict;
    }
    if (!record->redirect)
        return NEUTRAL;
    if (!count_term(spf))
        return PERMERROR;
    g_autofree char *target = spf_macro_expand(spf, record->redirect, domain, FALSE);
    enum verdict verdict = target ? check_host(spf, target, is_included) : PERMERROR;
    if (verdict != NONE)
        return verdict;
    problem(spf, _("the SPF record points to a domain that has none"));
    return PERMERROR;
}

static enum verdict
check_host(struct spf *spf, const char *domain, gboolean is_included)
{
    g_autoptr(GPtrArray) values = NULL;
    const char *text = NULL;
    if (!is_domain(domain))
        return NONE;
    enum dns_status status = dns_lookup(spf->dns, domain, DNS_TXT, &values);
    if (status == DNS_FAILED)
        return TEMPERROR;
    for (guint i = 0; i < values->len; i++) {
        if (!is_spf_record(values->pdata[i]))
            continue;
        if (text) {
            problem(spf, _("the domain has two SPF records"));
            return PERMERROR;
        }
        text = values->pdata[i];
    }
    if (!text)
        return NONE;
    struct record record = {0};
    enum verdict verdict = PERMERROR;
    if (strlen(text) <= RECORD_MAX && read_record(text, &record) && spf->depth <= TERMS_MAX) {
        spf->depth++;
        verdict = evaluate(spf, &record, domain, is_included);
        spf->depth--;
    } else {
        problem(spf, _("the SPF record cannot be read"));
    }
    record_clear(&record);
    return verdict;
}

static gboolean
read_address(struct spf *spf, const char *ip)
{
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    guint8 address[16];
    if (inet_pton(AF_INET, ip, spf->address) == 1) {
        spf->ip = g_strdup(ip);
        return TRUE;
    }
    if (inet_pton(AF_INET6, ip, address) != 1)
        return FALSE;
    spf->is_v6 = memcmp(address, mapped, sizeof mapped) != 0;
    char text[INET6_ADDRSTRLEN];
    memcpy(spf->address, spf->is_v6 ? address : address + 12, spf->is_v6 ? 16 : 4);
    spf->ip = g_strdup(inet_ntop(spf->is_v6 ? AF_INET6 : AF_INET, spf->address, text, sizeof text));
    return TRUE;
}

void
spf_check(struct dns *dns, const char *ip, const char *mail_from, const char *helo, gint64 now,
          struct spf_result *result)
{
    struct spf spf = {.dns = dns, .helo = helo ? helo : "", .now = now};
    const char *at = mail_from ? strrchr(mail_from, '@') : NULL;
    const char *domain = at ? at + 1 : mail_from && *mail_from ? mail_from : spf.helo;
    spf.local = at && at > mail_from ? g_strndup(mail_from, (gsize)(at - mail_from)) : g_strdup("postmaster");
    g_autofree char *ascii = address_domain_to_ascii(domain);
    spf.sender_domain = g_strdup(ascii ? ascii : domain);
    memset(result, 0, sizeof *result);
    result->domain = *spf.sender_domain ? g_ascii_strdown(spf.sender_domain, -1) : NULL;
    enum verdict verdict = read_address(&spf, ip) ? check_host(&spf, spf.sender_domain, FALSE) : NONE;
    result->result = verdict_names[verdict];
    if (verdict == FAIL && spf.explanation)
        result->reason = g_steal_pointer(&spf.explanation);
    else if (verdict == PERMERROR)
        result->reason = g_strdup(spf.problem);
    else if (verdict == TEMPERROR)
        result->reason = g_strdup(_("the DNS did not answer"));
    else
        result->reason = g_steal_pointer(&spf.matched);
    g_free(spf.ip);
    g_free(spf.local);
    g_free(spf.sender_domain);
    g_free(spf.explanation);
    g_free(spf.matched);
}
