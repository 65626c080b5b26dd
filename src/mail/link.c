#include "config.h"

#include "mail/link.h"

#include "base/skeleton.h"
#include "mail/address.h"

#include <string.h>

static const char *const schemes[] = {
    "http://",   "https://", "ftp://", "ftps://", "mailto:", "news:", "nntp://", "gopher://",
    "gemini://", "xmpp:",    "irc://", "ircs://", "tel:",    "sip:",  "matrix:", "magnet:"};

gboolean
url_is_link(const char *url)
{
    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (g_ascii_strncasecmp(url, schemes[i], strlen(schemes[i])) == 0 && url[strlen(schemes[i])])
            return TRUE;
    return FALSE;
}

/* The authority of an address, "user@host:80"; NULL when it has none. Browsers take \ for /. */
static char *
url_authority(const char *url)
{
    const char *start = strstr(url, "//");
    gsize scheme = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    if (!start || url[scheme] != ':' || start != url + scheme + 1)
        return NULL;
    start += 2;
    return g_strndup(start, strcspn(start, "/?#\\"));
}

char *
url_host(const char *url)
{
    g_autofree char *authority = url_authority(url);
    if (!authority)
        return NULL;
    char *host = strrchr(authority, '@');
    host = host ? host + 1 : authority;
    char *close = *host == '[' ? strchr(host, ']') : NULL;
    if (close)
        close[1] = '\0';
    else
        host[strcspn(host, ":")] = '\0';
    while (g_str_has_suffix(host, "."))
        host[strlen(host) - 1] = '\0';
    g_autofree char *plain = strchr(host, '%') ? g_uri_unescape_string(host, "/?#@") : NULL; /* as browsers do */
    host = plain && g_utf8_validate(plain, -1, NULL) ? plain : host;
    char *ascii = *host ? address_domain_to_ascii(host) : NULL;
    return ascii ? ascii : (*host ? g_utf8_strdown(host, -1) : NULL);
}

/* A word without a scheme is a host only when it ends in a well-known top; "README.md" and "build.sh" are
 * files. */
static gboolean
is_known_top(const char *top)
{
    static const char *const known[] = {"com",  "org",    "net",     "edu",  "gov",     "mil",
                                        "int",  "info",   "biz",     "bank", "app",     "dev",
                                        "shop", "online", "example", "test", "invalid", "localhost"};
    static const char *const files[] = {"md", "sh", "py", "pl", "rs", "ps", "so", "cc",
                                        "js", "ts", "am", "st", "la", "hs", "gz"};
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_ascii_strcasecmp(top, known[i]) == 0)
            return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        if (g_ascii_strcasecmp(top, files[i]) == 0)
            return FALSE;
    return strlen(top) == 2 && g_ascii_isalpha(top[0]) && g_ascii_isalpha(top[1]);
}

static char *
host_in_word(const char *word)
{
    if (strstr(word, "://"))
        return url_host(word);
    g_autofree char *host = g_strndup(word, strcspn(word, "/?#:"));
    gsize length = strlen(host);
    while (length && strchr(".,;!)]'\"", host[length - 1]))
        host[--length] = '\0';
    const char *dot = strrchr(host, '.');
    if (!dot || dot == host || !dot[1])
        return NULL;
    for (const char *p = host; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '.' && (guchar)*p < 0x80)
            return NULL;
    gboolean is_www = g_ascii_strncasecmp(host, "www.", 4) == 0;
    if (is_www ? dot == host + 3 : !is_known_top(dot + 1))
        return NULL;
    return address_domain_to_ascii(host);
}

/* The first host that a text names. */
static char *
host_in_text(const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n\"'<>()[]", -1);
    for (guint i = 0; words[i] && i < 64; i++) {
        char *host = *words[i] && !strchr(words[i], '@') ? host_in_word(words[i]) : NULL;
        if (host)
            return host;
    }
    return NULL;
}

static const char *
without_www(const char *host)
{
    return g_ascii_strncasecmp(host, "www.", 4) == 0 && strchr(host + 4, '.') ? host + 4 : host;
}

static gboolean
is_below(const char *host, const char *above)
{
    gsize h = strlen(host), a = strlen(above);
    return h >= a && g_ascii_strcasecmp(host + h - a, above) == 0 && (h == a || host[h - a - 1] == '.');
}

static char *
mailto_suspicion(const char *text, const char *url)
{
    if (g_ascii_strncasecmp(text, "mailto:", 7) == 0)
        text += 7;
    g_autofree char *named = g_strstrip(g_strndup(text, strcspn(text, "?")));
    gsize front = strspn(named, "(<[\"'"), length = strlen(named);
    while (length > front && strchr(")>]\"',.;:!", named[length - 1])) /* of the sentence around it */
        named[--length] = '\0';
    memmove(named, named + front, length - front + 1);
    if (!strchr(named, '@') || strpbrk(named, " \t\n"))
        return NULL;
    const char *start = url + strlen("mailto:");
    g_autofree char *raw = g_strndup(start, strcspn(start, "?"));
    g_autofree char *addr = g_uri_unescape_string(raw, NULL);
    if (!addr || !*addr || address_same(addr, named))
        return NULL;
    return g_strdup_printf("the text names %s, the mail would go to %s", named, addr);
}

/* --- hosts that are numbers */

/* As the C library and browsers read them: one to four numbers, decimal, octal or hexadecimal, the last one filling what
 * is left. */
static gboolean
read_number(const char *host, guint32 *address)
{
    g_auto(GStrv) parts = g_strsplit(host, ".", 5);
    guint n = g_strv_length(parts);
    guint64 value = 0;
    if (!n || n > 4)
        return FALSE;
    for (guint i = 0; i < n; i++) {
        char *end;
        gboolean is_hex = parts[i][0] == '0' && (parts[i][1] | 0x20) == 'x';
        guint base = is_hex ? 16 : parts[i][0] == '0' && parts[i][1] ? 8 : 10;
        const char *digits = parts[i] + (is_hex ? 2 : 0);
        if (!*digits || !g_ascii_isxdigit(*digits))
            return FALSE;
        guint64 part = g_ascii_strtoull(digits, &end, base);
        guint64 most = i + 1 < n ? 0xff : G_MAXUINT32 >> 8 * (n - 1);
        if (*end || part > most)
            return FALSE;
        value |= i + 1 < n ? part << 8 * (3 - i) : part;
    }
    *address = (guint32)value;
    return TRUE;
}

static gboolean
is_public_number(guint32 address)
{
    guint first = address >> 24, second = address >> 16 & 0xff;
    return first != 0 && first != 10 && first != 127 && first < 224 && !(first == 192 && second == 168) &&
           !(first == 169 && second == 254) && !(first == 172 && second >= 16 && second < 32) &&
           !(first == 100 && second >= 64 && second < 128);
}

static gboolean
is_public_ipv6(const char *host)
{
    static const char *const inside[] = {"[fe8", "[fe9", "[fea", "[feb", "[fc", "[fd", "[::1]", "[::]"};
    for (gsize i = 0; i < G_N_ELEMENTS(inside); i++)
        if (!g_ascii_strncasecmp(host, inside[i], strlen(inside[i])))
            return FALSE;
    return *host == '[';
}

static guint
number_marks(const char *text, const char *host, char **reason)
{
    guint32 address = 0;
    gboolean is_number = read_number(host, &address);
    if (!is_number && !is_public_ipv6(host))
        return 0;
    g_autofree char *plain = is_number ? g_strdup_printf("%u.%u.%u.%u", address >> 24, address >> 16 & 0xff,
                                                         address >> 8 & 0xff, address & 0xff)
                                       : g_strdup(host);
    gboolean is_odd = strcmp(plain, host) != 0; /* nobody writes one so who wants it to be read */
    if (is_number && !is_odd && !is_public_number(address))
        return 0;
    *reason = g_strdup_printf("it goes to a number, not to a name: %s", plain);
    return LINK_NUMBER | (is_odd || (*text && !strstr(text, host)) ? (guint)LINK_MASKED : 0);
}

/* --- hosts in letters that look like others */

/* Letters of the languages that are written in Latin: nobody takes them for others. */
static gboolean
is_plain_latin(const char *label)
{
    for (const char *p = label; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c >= 0x80 && (c < 0xc0 || c > 0x17f) && !g_unichar_ismark(c))
            return FALSE;
    }
    return TRUE;
}

/* The same in ASCII, when it only looks like ASCII. */
static char *
ascii_twin(const char *label)
{
    g_autofree char *folded = g_utf8_casefold(label, -1);
    if (g_str_is_ascii(folded) || is_plain_latin(label))
        return NULL;
    return skeleton_ascii(label);
}

static gboolean
is_lookalike(const char *host, char **reason)
{
    if (!strstr(host, "xn--"))
        return FALSE;
    g_autofree char *shown = g_hostname_to_unicode(host);
    if (!shown)
        return FALSE;
    g_auto(GStrv) labels = g_strsplit(shown, ".", -1);
    guint n = g_strv_length(labels);
    gboolean found = FALSE;
    for (guint i = 0; i + 1 < n && !found; i++) {
        g_autofree char *twin = g_str_is_ascii(labels[n - 1]) ? ascii_twin(labels[i]) : NULL;
        found = twin || skeleton_is_mixed(labels[i]);
        if (twin)
            *reason = g_strdup_printf("%s only looks like \"%s\": it is %s", labels[i], twin, host);
        else if (found)
            *reason = g_strdup_printf("%s mixes letters of several scripts: it is %s", labels[i], host);
    }
    return found;
}

/* --- shorteners */

static gboolean
is_shortener(const char *host)
{
    static const char *const known[] = {
        "adf.ly",  "amzn.to", "bit.do",      "bit.ly",      "bl.ink",   "buff.ly", "clck.ru",    "cutt.ly", "dlvr.it",
        "fb.me",   "goo.gl",  "ift.tt",      "is.gd",       "lnkd.in",  "mcaf.ee", "ow.ly",      "po.st",   "qr.ae",
        "rb.gy",   "rebrand.ly", "s.id",     "short.io",    "shorte.st", "shorturl.at", "snip.ly", "soo.gd", "surl.li",
        "t.co",    "t.ly",    "tiny.cc",     "tinyurl.com", "tr.im",    "trib.al", "u.to",       "urlz.fr", "v.gd",
        "vk.cc",   "x.co"};
    const char *plain = without_www(host);
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (!strcmp(plain, known[i]))
            return TRUE;
    return FALSE;
}

/* --- all together */

/* "shop.example.org" and "click.example.org": the last two labels, three where the second level is short ("co.uk"). */
static gboolean
has_same_owner(const char *a, const char *b)
{
    g_auto(GStrv) one = g_strsplit(a, ".", -1), other = g_strsplit(b, ".", -1);
    guint n = g_strv_length(one), m = g_strv_length(other);
    guint labels = n > 2 && strlen(one[n - 1]) == 2 && strlen(one[n - 2]) <= 3 ? 3 : 2;
    if (n < labels || m < labels)
        return FALSE;
    for (guint i = 1; i <= labels; i++)
        if (g_ascii_strcasecmp(one[n - i], other[m - i]))
            return FALSE;
    return TRUE;
}

static guint
elsewhere_marks(const char *text, const char *host, char **reason)
{
    g_autofree char *named = host_in_text(text);
    if (!named)
        return 0;
    const char *a = without_www(named), *b = without_www(host);
    if (is_below(a, b) || is_below(b, a) || has_same_owner(a, b))
        return 0;
    *reason = g_strdup_printf("the text names %s, the link goes to %s", named, host);
    return LINK_ELSEWHERE;
}

guint
link_judge(const char *text, const char *url, char **reason)
{
    *reason = NULL;
    if (g_ascii_strncasecmp(url, "mailto:", 7) == 0) {
        *reason = mailto_suspicion(text, url);
        return *reason ? LINK_ELSEWHERE : 0;
    }
    g_autofree char *host = url_host(url), *authority = host ? url_authority(url) : NULL;
    g_autofree char *more = NULL;
    if (!host)
        return 0;
    if (strchr(authority, '@')) {
        *reason = g_strdup_printf("what stands before the @ is not where it goes: it goes to %s", host);
        return LINK_USER;
    }
    guint marks = elsewhere_marks(text, host, reason);
    marks |= is_lookalike(host, *reason ? &more : reason) ? (guint)LINK_LOOKALIKE : 0;
    g_clear_pointer(&more, g_free);
    marks |= number_marks(text, host, *reason ? &more : reason);
    if (!is_shortener(host))
        return marks;
    if (!*reason)
        *reason = g_strdup_printf("%s shortens addresses: where it leads is not said", host);
    return marks | LINK_SHORT;
}

const char *
link_mark_name(guint bit)
{
    static const char *const names[] = {"elsewhere", "user", "lookalike", "masked", "number", "short", "counted"};
    return bit < G_N_ELEMENTS(names) ? names[bit] : NULL;
}

char *
link_suspicion(const char *text, const char *url)
{
    char *reason;
    guint marks = link_judge(text, url, &reason);
    if (!(marks & LINK_WARNS))
        g_clear_pointer(&reason, g_free);
    return reason;
}
