/* tokens: what the learning filter sees in a message, what it must not see, and bounds on hostile ones */
#include "config.h"

#include "mail/charset.h"
#include "mail/tokens.h"

#include <string.h>

/* The names of all tokens of a message, one a line. */
static char *
names_of(const char *message, gsize length)
{
    g_autoptr(struct_tokenizer) tokenizer = tokenizer_new();
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GBytes) bytes = tokenizer_read(tokenizer, message, length, names);
    g_autoptr(struct_tokens) tokens = tokens_from_bytes(bytes);
    guint ends = 0;
    g_assert_nonnull(tokens);
    for (gsize i = 0; i < names->len; i++) {
        ends += names->str[i] == '\0';
        if (!names->str[i])
            names->str[i] = '\n';
    }
    g_assert_cmpuint(ends, ==, tokens_total(tokens));
    g_assert_cmpuint(ends, <=, TOKENS_MAX);
    return g_strconcat("\n", names->str, NULL);
}

static gboolean
has(const char *names, const char *name)
{
    g_autofree char *line = g_strdup_printf("\n%s\n", name);
    return strstr(names, line) != NULL;
}

#define PLAIN "From: Ana <ana@mail.example.org>\nTo: tom@example.net\nSubject: Lunch\n\n"
#define PART(fields) "From: a@b.example\nMIME-Version: 1.0\n" fields "\n"

static void
test_seen(void)
{
    static const struct {
        const char *message, *name;
    } cases[] = {
        {PLAIN "words here", "words"},
        {PLAIN "words here", "words here"}, /* a pair */
        {PLAIN "one two three", "one … three"},
        {PLAIN "words here", "subject:lunch"},
        {PLAIN "words here", "lunch"},
        {PLAIN "words here", "from:ana@mail.example.org"},
        {PLAIN "words here", "from:@mail.example.org"},
        {PLAIN "words here", "from:like a"},
        {PLAIN "FREE money", "^free"},
        {PLAIN "now!!! really", "sign !!!"},
        {PLAIN "for $500 only", "sum $"},
        {PLAIN "v.i.a.g.r.a is", "viagra"},
        {PLAIN "v i a g r a is", "viagra"},
        {PLAIN "V1AGRA is", "viagra"},
        {PLAIN "vi\xe2\x80\x8b" "agra is", "viagra"},
        {PLAIN "vi\xc2\xad" "agra is", "viagra"},
        {PLAIN "\xc3\x89t\xc3\xa9 chaud", "\xc3\xa9t\xc3\xa9"},
        {PLAIN "see http://www.shop.example.com/buy/now?x=1", "host www.shop.example.com"},
        {PLAIN "see http://www.shop.example.com/buy/now?x=1", "domain example.com"},
        {PLAIN "see http://a.shop.co.uk/", "domain shop.co.uk"},
        {PLAIN "see http://10.1.2.3:81/", "host is a number"},
        {PLAIN "see http://10.1.2.3:81/", "a port"},
        {PLAIN "see http://bank.example@evil.example/", "host evil.example"},
        {PLAIN "see https://news.mail.example.org/", "host of the sender"},
        {PLAIN "see https://news.mail.example.com/", "host of another"},
        {PART("Content-Type: text/html\n") "<b>vi</b>agra", "viagra"},
        {PART("Content-Type: text/html\n") "vi<!-- x -->agra", "viagra"},
        {PART("Content-Type: text/html\n") "vi<!-- x -->agra", "a comment in a word"},
        {PART("Content-Type: text/html\n") "&#118;iagra &eacute;t&eacute;", "viagra"},
        {PART("Content-Type: text/html\n") "<a href='http://x.example/'>y</a>", "domain x.example"},
        {PART("Content-Type: text/html\n") "<p style=\"Display: none\">y</p>", "style display:none"},
        {PART("Content-Type: text/html\n") "<style>p { } </style>seen", "seen"},
        {PART("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n") "aGlkZGVuIHdvcmRz", "hidden"},
        {PART("Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n") "hid=\nden w=6Frds", "words"},
        {PART("Content-Type: text/plain; charset=koi8-r\n") "\xd0\xd2\xc9\xd7\xc5\xd4", "привет"},
        {PART("Content-Type: multipart/mixed; boundary=\"=x\"\n") "pre\n--=x\n\ninner\n--=x\nContent-Type: image/png; "
                                                                  "name=A.png\n\n\x89PNG\n--=x--\nafter",
         "inner"},
        {PART("Content-Type: multipart/mixed; boundary=\"=x\"\n") "--=x\nContent-Type: image/png; name=A.png\n\nPNG\n--=x--",
         "file .png"},
        {PART("Content-Type: multipart/mixed; boundary=\"=x\"\n") "no parts at all", "parts without a boundary"},
        {PART("Subject: =?utf-8?B?VmlhZ3Jh?=\n") "x", "subject:viagra"},
        {"Received: from x.example.com ([10.20.30.40]) by y; Thu, 12 Nov 2026 10:42:01 +0100\n\nx", "net 10.20.30"},
        {"Subject: Re: x\n\nx", "an answer to nothing"},
        {"Date: Thu, 12 Nov 2026 10:42:01 -0730\n\nx", "zone -450"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *names = names_of(cases[i].message, strlen(cases[i].message));
        if (!has(names, cases[i].name))
            g_test_message("%s: no \"%s\" in %s", cases[i].message, cases[i].name, names);
        g_assert_true(has(names, cases[i].name));
    }
}

/* What tells where the mail was kept, or what another filter thought. */
static void
test_not_seen(void)
{
    static const char *const fields[] = {"X-Spam-Status: Yes", "X-Bogosity: Ham", "Status: RO", "X-Status: A", "X-UID: 5",
                                         "X-Mozilla-Status: 1", "X-Folder: inbox", "Delivered-To: me@here", "Lines: 7",
                                         "X-Our-Spam-Level: 7", "X-Gmail-Labels: Spam", "List-Id: <x.example>",
                                         "Precedence: bulk", "X-Mailman-Version: 2.1"};
    g_autofree char *plain = names_of(PLAIN "x", strlen(PLAIN "x"));
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *message = g_strconcat(fields[i], "\n", PLAIN, "x", NULL);
        g_autofree char *names = names_of(message, strlen(message));
        g_assert_cmpstr(names, ==, plain);
    }
    g_autofree char *mbox = names_of("From x Thu Nov 12 10:42:01 2026\n" PLAIN "x", strlen("From x Thu Nov 12 10:42:01 2026\n" PLAIN "x"));
    g_assert_cmpstr(mbox, ==, plain);
}

/* The same message gives the same slots, in another tokenizer and after another message. */
static void
test_same(void)
{
    g_autoptr(struct_tokenizer) one = tokenizer_new(), two = tokenizer_new();
    const char *message = PLAIN "some words\nand more";
    g_autoptr(GBytes) first = tokenizer_read(one, message, strlen(message), NULL);
    g_bytes_unref(tokenizer_read(two, "Subject: x\n\nwords some", 22, NULL));
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GBytes) second = tokenizer_read(two, message, strlen(message), names);
    g_assert_true(g_bytes_equal(first, second));
    g_autoptr(struct_tokens) tokens = tokens_from_bytes(first);
    gboolean found = FALSE;
    for (guint i = 0; i < tokens->count[TOKEN_WORD]; i++)
        found |= tokens->slots[tokens->count[TOKEN_HEADER] + i] == token_slot(TOKEN_WORD, "words");
    g_assert_true(found);
}

/* Bytes from a reader that was taken over. */
static void
test_refused(void)
{
    guint32 good[TOKEN_GROUPS + 2] = {1, 1, 0, 0, 0, 0, 5, 6};
    static const struct {
        guint at;
        guint32 value;
    } broken[] = {{0, 2}, {5, 1}, {0, 0xffffffff}, {6, TOKEN_SLOTS}, {7, 0xffffffff}};
    g_autoptr(GBytes) bytes = g_bytes_new(good, sizeof good), odd = g_bytes_new(good, sizeof good - 1),
                      little = g_bytes_new(good, 8);
    g_autoptr(struct_tokens) tokens = tokens_from_bytes(bytes);
    g_assert_nonnull(tokens);
    g_assert_null(tokens_from_bytes(odd));
    g_assert_null(tokens_from_bytes(little));
    for (guint i = 0; i < G_N_ELEMENTS(broken); i++) {
        guint32 copy[G_N_ELEMENTS(good)];
        memcpy(copy, good, sizeof good);
        copy[broken[i].at] = broken[i].value;
        g_autoptr(GBytes) bad = g_bytes_new(copy, sizeof copy);
        g_assert_null(tokens_from_bytes(bad));
    }
}

/* Long, deep and repeated: within the bounds, and in time. */
static void
test_hostile(void)
{
    static const struct {
        const char *head, *again, *tail;
    } cases[] = {
        {PLAIN, "word%u ", ""},
        {PLAIN, "a.b.", ""},
        {PLAIN, "http://h%u.example/p%u ", ""},
        {PLAIN, "!?*=", ""},
        {"", "X-F%u: a\n", "\nx"},
        {"Subject: ", "w%u ", "\n\nx"},
        {"To: ", "a%u@b,", "\n\nx"},
        {PART("Content-Type: text/html\n"), "<a%u href=", ""},
        {PART("Content-Type: text/html\n"), "<!-- ", ""},
        {PART("Content-Type: text/html\n"), "<style", ""},
        {PART("Content-Type: text/html\n"), "&#x", ""},
        {PART("Content-Type: text/html\n"), "<p style='", ""},
        {PART("Content-Type: multipart/mixed; boundary=b\n"), "--b\n\n", ""},
        {PART("Content-Type: multipart/mixed; boundary=b\n"), "--b\nContent-Type: multipart/mixed; boundary=b\n\n", ""},
        {PART("Content-Type: message/rfc822\n"), "Content-Type: message/rfc822\n\n", ""},
        {PART("Content-Type: text/plain; charset=utf-8\n"), "\xe2\x80", ""},
        {PART("Content-Type: text/plain; charset=iso-2022-jp\n"), "\x1b$B", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) message = g_string_new(cases[i].head);
        for (guint n = 0; message->len < 400000; n++) {
            g_auto(GStrv) pieces = g_strsplit(cases[i].again, "%u", -1);
            g_autofree char *number = g_strdup_printf("%u", n), *text = g_strjoinv(number, pieces);
            g_string_append(message, text);
        }
        g_string_append(message, cases[i].tail);
        gint64 start = g_get_monotonic_time();
        g_free(names_of(message->str, message->len));
        g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    }
}

/* Every beginning of a message, and any single byte changed. */
static void
test_cut(void)
{
    const char *message = "From: =?utf-8?Q?=C3=A9?= <a@b.example>\nSubject: Re: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
                          "Content-Type: text/html; charset=\"koi8-r\"\nContent-Transfer-Encoding: quoted-printable\n\n"
                          "<a href=\"http://x.example:80/y?z=%20\">v=\n1&#97;gra\xe2\x80\x8b &amp;</a>=3D\n--b--\n";
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    gsize length = strlen(message);
    for (gsize cut = 0; cut <= length; cut++) {
        g_autofree char *copy = g_memdup2(message, cut + 1);
        g_free(names_of(copy, cut));
    }
    for (guint i = 0; i < 2000; i++) {
        g_autofree char *copy = g_strdup(message);
        copy[g_rand_int_range(random, 0, (gint32)length)] = (char)g_rand_int_range(random, 0, 256);
        g_free(names_of(copy, length));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    charset_preload();
    g_test_add_func("/tokens/seen", test_seen);
    g_test_add_func("/tokens/not-seen", test_not_seen);
    g_test_add_func("/tokens/same", test_same);
    g_test_add_func("/tokens/refused", test_refused);
    g_test_add_func("/tokens/hostile", test_hostile);
    g_test_add_func("/tokens/cut", test_cut);
    return g_test_run();
}
