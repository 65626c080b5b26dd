#include "config.h"

#include "trust/lookalike.h"

#include "base/i18n.h"
#include "base/skeleton.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "mail/link.h"

#include <string.h>

#define NEAR_LEAST 6 /* letters of a label that may be mistyped: shorter ones are near to too many others */
#define LABEL_MAX 63

/* Lower case, in the letters that a person sees. */
static char *
shown(const char *domain)
{
    g_autofree char *lower = g_utf8_strdown(domain, -1);
    char *unicode = strstr(lower, "xn--") ? g_hostname_to_unicode(lower) : NULL;
    return unicode ? unicode : g_steal_pointer(&lower);
}

/* --- one letter away (Damerau): of two words whose lengths differ by one at most */

static gboolean
only_digits_differ(const gunichar *a, const gunichar *b, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (a[i] != b[i] && !(g_unichar_isdigit(a[i]) && g_unichar_isdigit(b[i])))
            return FALSE;
    return TRUE;
}

static gboolean
is_near(const char *a, const char *b)
{
    glong n, m;
    g_autofree gunichar *one = g_utf8_to_ucs4(a, -1, NULL, &n, NULL), *other = g_utf8_to_ucs4(b, -1, NULL, &m, NULL);
    if (!one || !other || MIN(n, m) < NEAR_LEAST || MAX(n, m) > LABEL_MAX || ABS(n - m) > 1)
        return FALSE;
    glong front = 0, back = 0;
    while (front < MIN(n, m) && one[front] == other[front])
        front++;
    while (back < MIN(n, m) - front && one[n - 1 - back] == other[m - 1 - back])
        back++;
    if (n == m) {
        glong differ = n - front - back;
        if (differ == 2)
            return one[front] == other[front + 1] && one[front + 1] == other[front];
        return differ == 1 && !only_digits_differ(one, other, (gsize)n); /* mail1 and mail2 are neighbours */
    }
    const gunichar *longer = n > m ? one : other;
    gunichar more = longer[front];
    gboolean at_the_end = front == MIN(n, m);
    return front + back == MIN(n, m) && !g_unichar_isdigit(more) && !(at_the_end && more == 's') && more != '-';
}

/* --- domains */

static gboolean
stands_in_front(const char *seen, const char *known)
{
    gsize n = strlen(known);
    for (const char *p = strstr(seen, known); p; p = strstr(p + 1, known))
        if ((p == seen || p[-1] == '.') && p[n] == '.')
            return TRUE;
    return FALSE;
}

enum lookalike
lookalike_domain(const char *seen, const char *known)
{
    g_autofree char *real = domain_organisation(seen), *seen_shown = shown(seen), *known_shown = shown(known);
    g_autofree char *owner = shown(real ? real : seen);
    if (!strcmp(owner, known_shown) || domain_aligned(seen, known, FALSE))
        return LOOKALIKE_NOT;
    if (skeleton_is_same(owner, known_shown))
        return LOOKALIKE_SAME;
    if (strchr(known_shown, '.') && stands_in_front(seen_shown, known_shown))
        return LOOKALIKE_EMBEDDED;
    /* the same suffix: who has example.org has example.com often enough */
    const char *a = strchr(owner, '.'), *b = strchr(known_shown, '.');
    if (!a || !b || strcmp(a, b))
        return LOOKALIKE_NOT;
    g_autofree char *label = g_strndup(owner, (gsize)(a - owner)), *other = g_strndup(known_shown, (gsize)(b - known_shown));
    g_autofree char *plain = text_fold(label), *other_plain = text_fold(other);
    if (!strcmp(plain, other_plain)) /* müller and muller are two families */
        return LOOKALIKE_NOT;
    return is_near(label, other) ? LOOKALIKE_NEAR : LOOKALIKE_NOT;
}

gboolean
lookalike_letters(const char *domain, char **words)
{
    g_autofree char *ascii = address_domain_to_ascii(domain), *reason = NULL;
    g_autofree char *url = ascii && strstr(ascii, "xn--") ? g_strdup_printf("http://%s/", ascii) : NULL;
    *words = NULL;
    if (!url || !(link_judge("", url, &reason) & LINK_LOOKALIKE))
        return FALSE;
    g_autofree char *letters = shown(ascii);
    *words = g_strdup_printf(_("the letters of %s only look like others: it is %s"), letters, ascii);
    return TRUE;
}

/* --- names */

gboolean
lookalike_is_personal(const char *name)
{
    guint words = 0;
    gboolean in_word = FALSE;
    for (const char *p = name; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean is_letter = g_unichar_isalpha(c) || g_unichar_ismark(c) || strchr("-'.", (int)MIN(c, 0x7f));
        if (g_unichar_isspace(c) || c == ',')
            in_word = FALSE;
        else if (!is_letter && !g_unichar_isdigit(c))
            return FALSE;
        else if (!in_word && g_unichar_isalpha(c)) {
            in_word = TRUE;
            words++;
        }
    }
    return words >= 2 && words <= 6;
}

char *
lookalike_address_in(const char *name)
{
    g_auto(GStrv) words = g_strsplit_set(name, " \t\"'<>()[],;:", -1);
    for (char **word = words; *word; word++) {
        const char *at = strchr(*word, '@');
        if (at && at > *word && strchr(at, '.') && address_check(*word, NULL))
            return g_utf8_strdown(*word, -1);
    }
    return NULL;
}

gboolean
lookalike_is_provider(const char *owner)
{
    static const char *const known[] = {
        "126.com",     "163.com",   "aol.com",    "fastmail.com", "free.fr",       "gmail.com",   "gmx.at",      "gmx.com",
        "gmx.de",      "gmx.net",   "googlemail.com", "hey.com",  "hotmail.co.uk", "hotmail.com", "hotmail.fr",  "icloud.com",
        "inbox.ru",    "laposte.net", "libero.it", "live.com",    "mac.com",       "mail.com",    "mail.ru",     "mailbox.org",
        "me.com",      "msn.com",   "orange.fr",  "outlook.com",  "posteo.de",     "proton.me",   "protonmail.com", "qq.com",
        "rambler.ru",  "sina.com",  "t-online.de", "tutanota.com", "wanadoo.fr",   "web.de",      "yahoo.co.jp", "yahoo.co.uk",
        "yahoo.com",   "yahoo.de",  "yahoo.fr",   "yandex.com",   "yandex.ru",     "ymail.com",   "zoho.com"};
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (!strcmp(owner, known[i]))
            return TRUE;
    return FALSE;
}

gboolean
lookalike_is_machine(const char *addr)
{
    static const char *const begins[] = {"noreply", "donotreply", "notif",  "mailer", "bounce",
                                         "invit",   "bugzilla",   "github", "gitlab", "calendar"};
    static const char *const whole[] = {"alert",   "alerts",  "bot",    "comment", "comments", "daemon",  "docs",    "drive",  "git",
                                        "info",    "jira",    "list",   "lists",   "member",   "members", "message", "messages",
                                        "notice",  "notices", "reply",  "robot",   "share",    "sharing", "support", "system",
                                        "tracker", "update",  "updates"};
    g_autofree char *lower = g_utf8_strdown(addr, -1);
    lower[strcspn(lower, "@")] = '\0';
    g_auto(GStrv) words = g_strsplit_set(lower, ".-_+=", -1);
    for (char **word = words; *word; word++) {
        for (gsize i = 0; i < G_N_ELEMENTS(begins); i++)
            if (g_str_has_prefix(*word, begins[i]))
                return TRUE;
        for (gsize i = 0; i < G_N_ELEMENTS(whole); i++)
            if (!strcmp(*word, whole[i]))
                return TRUE;
    }
    return FALSE;
}
