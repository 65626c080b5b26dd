/* tokens_text.c - words, pairs of words, letters and links of running text */
#include "config.h"

#include "mail/tokens_private.h"

#include <string.h>

#define WINDOW 3 /* words before this one that it makes pairs with */
#define SPLIT_LEAST 4

enum kind { KIND_BREAK, KIND_LETTER, KIND_DIGIT, KIND_HIGH, KIND_JOIN };

static const guint8 kinds[256] = {
    ['0' ... '9'] = KIND_DIGIT, ['a' ... 'z'] = KIND_LETTER, ['A' ... 'Z'] = KIND_LETTER, [0x80 ... 0xff] = KIND_HIGH,
    ['\''] = KIND_JOIN,         ['-'] = KIND_JOIN,           ['_'] = KIND_JOIN,           ['@'] = KIND_JOIN,
    ['.'] = KIND_JOIN,
};

struct word {
    char text[TOKENS_WORD + 1]; /* folded */
    guint length;               /* may be larger than the text: too long */
    guint letters, upper, digits, high, joins;
};

struct scan {
    struct tokenizer *t;
    const char *prefix; /* NULL: body text */
    struct word word;
    struct {
        guint64 hash;
        char text[TOKENS_WORD + 1];
    } last[WINDOW + 1]; /* a ring */
    guint n;
    char single[TOKENS_WORD + 1]; /* letters that stand alone, in a row */
    guint singles;
};

/* --- one word */

static void
add_word(struct scan *scan, const char *mark, const char *text, gsize length)
{
    struct tokenizer *t = scan->t;
    if (scan->prefix) {
        g_autofree char *prefix = g_strconcat(scan->prefix, mark, NULL);
        token_add(t, TOKEN_WORD, prefix, text, length);
    }
    token_add(t, TOKEN_WORD, mark, text, length);
}

static void
add_pairs(struct scan *scan, const char *text, guint length)
{
    struct tokenizer *t = scan->t;
    guint here = scan->n++ % (WINDOW + 1);
    scan->last[here].hash = token_hash(G_GUINT64_CONSTANT(0x9ae16a3b2f90404f), text, length);
    memcpy(scan->last[here].text, text, length + 1);
    if (t->paired++ >= TOKENS_PAIRED)
        return;
    for (guint d = 1; d <= WINDOW && d < scan->n; d++) {
        static const char *const gaps[] = {"", " ", " … ", " … … "};
        guint before = (here + WINDOW + 1 - d) % (WINDOW + 1);
        guint64 hash = (scan->last[before].hash * 31 + d) * G_GUINT64_CONSTANT(0xff51afd7ed558ccd) ^ scan->last[here].hash;
        token_put(t, TOKEN_PAIR, hash, scan->last[before].text, gaps[d], text);
    }
}

/* Letters that stand alone are a word that was taken apart: "v.i.a.g.r.a". */
static void
end_singles(struct scan *scan)
{
    if (scan->singles >= SPLIT_LEAST) {
        add_word(scan, "", scan->single, scan->singles);
        token_amount(scan->t, "letters apart", scan->singles);
    }
    scan->singles = 0;
}

/* Digits and signs that stand for letters: "v1agra", "m0ney". */
static void
add_disguised(struct scan *scan, const struct word *word)
{
    static const char letters[] = "oizeasgtbg";
    char plain[TOKENS_WORD + 1], folded[TOKENS_WORD + 1];
    for (guint i = 0; i <= word->length; i++) {
        gboolean digit = g_ascii_isdigit(word->text[i]);
        plain[i] = digit ? letters[word->text[i] - '0'] : word->text[i] == '@' ? 'a' : word->text[i];
        folded[i] = digit ? '#' : word->text[i];
    }
    if (word->letters >= 3 && g_ascii_isalpha(word->text[0]) && g_ascii_isalpha(word->text[word->length - 1]))
        add_word(scan, "", plain, word->length);
    add_word(scan, "", folded, word->length);
}

/* Scripts without spaces: two characters at a time. */
static void
add_characters(struct scan *scan, const struct word *word)
{
    for (guint i = 0; i + 6 <= word->length; i += 3)
        if ((guint8)word->text[i] >= 0xe3 && (guint8)word->text[i] < 0xf0)
            add_word(scan, "", word->text + i, 6);
}

static void
end_word(struct scan *scan)
{
    struct word *word = &scan->word;
    while (word->length && word->length <= TOKENS_WORD && kinds[(guint8)word->text[word->length - 1]] == KIND_JOIN)
        word->length--;
    if (!word->length)
        goto done;
    if (word->length > TOKENS_WORD) {
        end_singles(scan);
        token_amount(scan->t, word->high ? "long foreign word" : "long word", word->length);
        word->length = TOKENS_WORD;
        if (word->high > 8)
            add_characters(scan, word);
        goto done;
    }
    word->text[word->length] = '\0';
    scan->t->words++;
    if (word->length == 1 && word->letters) {
        if (scan->singles < TOKENS_WORD)
            scan->single[scan->singles++] = word->text[0];
        goto done;
    }
    end_singles(scan);
    if (word->digits == word->length) {
        add_word(scan, "digits ", "########################################", word->length);
        if (word->length <= 4)
            add_word(scan, "", word->text, word->length);
    } else if (word->length >= 2) {
        add_word(scan, "", word->text, word->length);
        if (word->letters >= 3 && word->upper == word->letters) {
            scan->t->shouted++;
            add_word(scan, "^", word->text, word->length);
        }
        if ((word->digits || word->joins) && word->letters)
            add_disguised(scan, word);
        if (word->high >= 9)
            add_characters(scan, word);
    }
    add_pairs(scan, word->text, word->length);
done:
    memset(word, 0, sizeof *word);
}

/* --- characters */

static void
take(struct word *word, char c)
{
    if (word->length < TOKENS_WORD)
        word->text[word->length] = c;
    word->length++;
}

/* What begins at a byte above 0x7f: how many bytes it has, and what it is. */
static gsize
take_high(struct scan *scan, const guint8 *p, gsize left)
{
    struct word *word = &scan->word;
    if (p[0] == 0xc2 && left > 1 && (p[1] == 0xa0 || p[1] == 0xad)) { /* a space; a soft hyphen: nothing */
        if (p[1] == 0xa0)
            end_word(scan);
        return 2;
    }
    if (p[0] == 0xe2 && left > 2 && p[1] == 0x80) {
        if (p[2] >= 0x8b && p[2] <= 0x8f) { /* zero width: a word in disguise */
            token_addz(scan->t, TOKEN_SHAPE, "", "zero width");
            return 3;
        }
        if (p[2] == 0x99)
            take(word, '\'');
        else
            end_word(scan);
        return 3;
    }
    if (p[0] == 0xef && left > 2 && p[1] == 0xbb && p[2] == 0xbf)
        return 3;
    scan->t->high++;
    word->high++;
    if (p[0] == 0xc3 && left > 1 && p[1] >= 0x80 && p[1] <= 0x9e && p[1] != 0x97) {
        take(word, (char)p[0]);
        take(word, (char)(p[1] + 0x20));
        return 2;
    }
    if (p[0] == 0xd0 && left > 1 && p[1] >= 0x90 && p[1] <= 0xaf) { /* Cyrillic capitals */
        take(word, (char)(p[1] < 0xa0 ? 0xd0 : 0xd1));
        take(word, (char)(p[1] < 0xa0 ? p[1] + 0x20 : p[1] - 0x20));
        return 2;
    }
    take(word, (char)p[0]);
    return 1;
}

/* Signs that mean something in a row or before a number. */
static gsize
take_break(struct scan *scan, const char *p, gsize left)
{
    gsize n = 1;
    if (*p == '!' || *p == '?' || *p == '*' || *p == '=') {
        while (n < left && p[n] == *p)
            n++;
        scan->t->exclamations += *p == '!';
        if (n > 1 || *p == '!')
            add_word(scan, "sign ", p, MIN(n, 4));
    } else if (*p == '$' || *p == '%') {
        gboolean number = left > 1 && g_ascii_isdigit(p[1]);
        add_word(scan, number ? "sum " : "sign ", p, 1);
    } else if (*p == '>' && left > 1 && (p[1] == ' ' || p[1] == '>')) {
        scan->t->quoted_lines++;
    }
    return n;
}

static gboolean
is_link(const char *p, gsize left)
{
    return left > 10 && ((g_ascii_strncasecmp(p, "http", 4) == 0 && (p[4] == ':' || ((p[4] | 0x20) == 's' && p[5] == ':'))) ||
                         g_ascii_strncasecmp(p, "www.", 4) == 0);
}

static gsize
link_length(const char *p, gsize left)
{
    gsize n = 0;
    while (n < left && n < 512 && (guint8)p[n] > ' ' && !strchr("<>\"')]}", p[n]))
        n++;
    return n;
}

void
tokens_text(struct tokenizer *t, const char *text, gsize length, const char *prefix)
{
    struct scan scan = {.t = t, .prefix = prefix};
    gsize i = 0;
    while (i < length) {
        guint8 c = (guint8)text[i];
        struct word *word = &scan.word;
        switch (kinds[c]) {
        case KIND_LETTER:
            if (!word->length && (c == 'h' || c == 'H' || c == 'w' || c == 'W') && is_link(text + i, length - i))
                tokens_link(t, text + i, link_length(text + i, length - i));
            word->letters++;
            word->upper += c < 'a';
            take(word, (char)(c | 0x20));
            i++;
            break;
        case KIND_DIGIT:
            word->digits++;
            take(word, (char)c);
            i++;
            break;
        case KIND_HIGH:
            i += take_high(&scan, (const guint8 *)text + i, length - i);
            break;
        case KIND_JOIN: /* inside a word only, and a stop only between letters that are more than one */
            if (word->length && i + 1 < length && kinds[(guint8)text[i + 1]] != KIND_BREAK &&
                kinds[(guint8)text[i + 1]] != KIND_JOIN && !(c == '.' && word->length < 2) && !(c == '-' && word->length < 2)) {
                word->joins++;
                take(word, (char)c);
            } else {
                end_word(&scan);
            }
            i++;
            break;
        default:
            end_word(&scan);
            i += take_break(&scan, text + i, length - i);
        }
    }
    end_word(&scan);
    end_singles(&scan);
}

void
tokens_grams(struct tokenizer *t, const char *text, gsize length)
{
    char letters[5] = "";
    for (gsize i = 0; i < length && t->gram_left; i++) {
        guint8 c = (guint8)text[i];
        if (c <= ' ')
            c = ' ';
        if (c == ' ' && (t->gram & 0xff) == ' ')
            continue;
        t->gram = t->gram << 8 | c;
        t->gram_left--;
        if (++t->gram_length < 4)
            continue;
        if (t->named)
            for (guint k = 0; k < 4; k++)
                letters[k] = (char)(t->gram >> (24 - 8 * k));
        token_put(t, TOKEN_GRAM, (t->gram + 1) * G_GUINT64_CONSTANT(0xc2b2ae3d27d4eb4f), letters, "", "");
    }
}

void
tokens_value(struct tokenizer *t, const char *prefix, const char *text, gsize length, guint limit)
{
    char word[TOKENS_WORD + 1];
    guint n = 0;
    for (gsize i = 0; i <= length && limit; i++) {
        guint8 c = i < length ? (guint8)text[i] : 0;
        if (kinds[c] == KIND_BREAK) {
            while (n && n <= TOKENS_WORD && kinds[(guint8)word[n - 1]] == KIND_JOIN)
                n--;
            if (n && n <= TOKENS_WORD) {
                token_add(t, TOKEN_HEADER, prefix, word, n);
                limit--;
            }
            n = 0;
        } else if (n || kinds[c] != KIND_JOIN) {
            if (n < TOKENS_WORD)
                word[n] = (char)g_ascii_tolower((char)c);
            n++;
        }
    }
}

/* --- links */

static gboolean
is_number_host(const char *host, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isdigit(host[i]) && host[i] != '.')
            return FALSE;
    return length > 0;
}

/* The part of a host that somebody registered, near enough: the last two labels, three under "co.uk". */
static const char *
registered(const char *host, gsize length, gsize *rest)
{
    guint dots = 0;
    gsize start = length, last = 0, second = 0;
    while (start > 0 && dots < 3) {
        start--;
        if (host[start] != '.')
            continue;
        dots++;
        if (dots == 1)
            last = start;
        else if (dots == 2)
            second = start;
    }
    gboolean deep = dots >= 2 && length - last - 1 == 2 && last - second - 1 <= 3;
    gsize from = deep ? (dots == 3 ? start + 1 : 0) : dots >= 2 ? second + 1 : 0;
    *rest = length - from;
    return host + from;
}

static void
link_host(struct tokenizer *t, const char *host, gsize length)
{
    gsize rest;
    token_add(t, TOKEN_LINK, "host ", host, length);
    if (is_number_host(host, length)) {
        token_addz(t, TOKEN_LINK, "", "host is a number");
        const char *dot = g_strrstr_len(host, (gssize)length, ".");
        if (dot)
            token_add(t, TOKEN_LINK, "net ", host, (gsize)(dot - host));
        return;
    }
    const char *domain = registered(host, length, &rest);
    token_add(t, TOKEN_LINK, "domain ", domain, rest);
    const char *dot = g_strrstr_len(host, (gssize)length, ".");
    if (dot)
        token_add(t, TOKEN_LINK, "top ", dot, (gsize)(host + length - dot));
    if (g_strstr_len(host, (gssize)length, "xn--"))
        token_addz(t, TOKEN_LINK, "", "host in punycode");
    char pattern[32];
    tokens_pattern(host, (gsize)(domain - host), pattern, sizeof pattern);
    token_addz(t, TOKEN_LINK, "host like ", pattern);
    if (t->from_domain[0])
        token_addz(t, TOKEN_LINK, "", strlen(t->from_domain) >= rest &&
                                             memcmp(t->from_domain + strlen(t->from_domain) - rest, domain, rest) == 0
                                         ? "host of the sender"
                                         : "host of another");
}

static void
link_path(struct tokenizer *t, const char *path, gsize length)
{
    char word[TOKENS_WORD], pattern[32];
    gsize n = 0;
    guint words = 0, slashes = 0;
    for (gsize i = 0; i <= length && words < 8; i++) {
        if (i < length && g_ascii_isalnum(path[i])) {
            if (n < sizeof word)
                word[n++] = g_ascii_tolower(path[i]);
            continue;
        }
        if (n >= 3 && n < 20) {
            token_add(t, TOKEN_LINK, "path ", word, n);
            words++;
        }
        n = 0;
        if (i < length && path[i] == '/')
            slashes++;
        if (i < length && path[i] == '?')
            token_addz(t, TOKEN_LINK, "", "a query");
        if (i < length && path[i] == '%')
            token_addz(t, TOKEN_LINK, "", "a path with %");
    }
    tokens_pattern(path, MIN(length, 24), pattern, sizeof pattern);
    token_addz(t, TOKEN_LINK, "path like ", pattern);
    if (slashes < 10)
        token_add(t, TOKEN_LINK, "depth ", &"0123456789"[slashes], 1);
}

void
tokens_link(struct tokenizer *t, const char *url, gsize length)
{
    char host[256];
    gsize p = 0, n = 0;
    const char *scheme = g_strstr_len(url, (gssize)MIN(length, 12), "://");
    if (scheme) {
        p = (gsize)(scheme - url) + 3;
        token_add(t, TOKEN_LINK, "scheme ", url, (gsize)(scheme - url));
    } else if (length > 7 && g_ascii_strncasecmp(url, "mailto:", 7) == 0) {
        p = 7;
        token_addz(t, TOKEN_LINK, "", "mailto");
    } else if (length < 4 || g_ascii_strncasecmp(url, "www.", 4) != 0) {
        if (length > 4 && g_ascii_strncasecmp(url, "cid:", 4) == 0)
            token_addz(t, TOKEN_LINK, "", "cid");
        return;
    }
    t->links++;
    for (; p < length && n < sizeof host && !strchr("/?#:", url[p]) && url[p]; p++) {
        if (url[p] == '@') { /* what stands before is no host */
            token_addz(t, TOKEN_LINK, "", "a name before the host");
            n = 0;
        } else {
            host[n++] = g_ascii_tolower(url[p]);
        }
    }
    if (!n)
        return;
    link_host(t, host, n);
    if (p < length && url[p] == ':')
        token_addz(t, TOKEN_LINK, "", "a port");
    if (p < length)
        link_path(t, url + p, length - p);
}
