/* unsubscribe: which way is taken, and when one click is not believed */
#include "config.h"

#include "trust/authres.h"
#include "trust/unsubscribe.h"

#include "base/url.h"

#define POST "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
#define SIGNED                                                                                                         \
    "DKIM-Signature: v=1; a=rsa-sha256; d=news.example; s=a;\n h=From:Subject:List-Unsubscribe:\n  List-Unsubscribe-Post; b=x\n"
#define BOTH "List-Unsubscribe: <mailto:off@news.example?subject=off>,\n <https://news.example/off?u=1\n 2>\n"

static void
test_ways(void)
{
    static const struct {
        const char *header, *dkim; /* domain whose signature the own server found good; "-d": bad */
        enum unsubscribe_how how;
        const char *url, *mail;
        gboolean why;
    } cases[] = {
        {"Subject: x\n", "news.example", UNSUBSCRIBE_NOT, NULL, NULL, FALSE},
        {SIGNED BOTH POST, "news.example", UNSUBSCRIBE_ONE_CLICK, "https://news.example/off?u=12", "mailto:off@news.example?subject=off", FALSE},
        {SIGNED BOTH "List-Unsubscribe-Post: list-unsubscribe = one-click\n", "NEWS.example", UNSUBSCRIBE_ONE_CLICK, "https://news.example/off?u=12", "mailto:off@news.example?subject=off", FALSE},
        /* nobody vouches, another domain does, the signature is bad, or covers one field only */
        {SIGNED BOTH POST, NULL, UNSUBSCRIBE_MAIL, "https://news.example/off?u=12", "mailto:off@news.example?subject=off", TRUE},
        {SIGNED BOTH POST, "evil.example", UNSUBSCRIBE_MAIL, NULL, NULL, TRUE},
        {SIGNED BOTH POST, "-news.example", UNSUBSCRIBE_MAIL, NULL, NULL, TRUE},
        {"DKIM-Signature: d=news.example; h=From:List-Unsubscribe\n" BOTH POST, "news.example", UNSUBSCRIBE_MAIL, NULL, NULL, TRUE},
        {"DKIM-Signature: d=news.example; h=From:List-Unsubscribe-Post\n" BOTH POST, "news.example", UNSUBSCRIBE_MAIL, NULL, NULL, TRUE},
        {"DKIM-Signature: d=evil.example; h=From:List-Unsubscribe:List-Unsubscribe-Post\nDKIM-Signature: d=news.example; h=From\n" BOTH POST, "news.example", UNSUBSCRIBE_MAIL, NULL, NULL, TRUE},
        /* twice, another word, no https */
        {SIGNED BOTH POST POST, "news.example", UNSUBSCRIBE_MAIL, NULL, NULL, FALSE},
        {SIGNED BOTH BOTH POST, "news.example", UNSUBSCRIBE_NOT, NULL, NULL, FALSE},
        {SIGNED BOTH "List-Unsubscribe-Post: yes\n", "news.example", UNSUBSCRIBE_MAIL, NULL, NULL, FALSE},
        {SIGNED "List-Unsubscribe: <http://news.example/off>\n" POST, "news.example", UNSUBSCRIBE_LINK, "http://news.example/off", NULL, FALSE},
        {SIGNED "List-Unsubscribe: <https://news.example@evil.example/off>\n" POST, "news.example", UNSUBSCRIBE_LINK, NULL, NULL, FALSE},
        {"List-Unsubscribe: <https://news.example/off>\n", "news.example", UNSUBSCRIBE_LINK, "https://news.example/off", NULL, FALSE},
        {"List-Unsubscribe: https://news.example/off\n", "news.example", UNSUBSCRIBE_NOT, NULL, NULL, FALSE},
        {"List-Unsubscribe: <javascript:alert(1)>, <ftp://x>\n", "news.example", UNSUBSCRIBE_NOT, NULL, NULL, FALSE},
        {"List-Unsubscribe: <https://a.example/1\n", NULL, UNSUBSCRIBE_NOT, NULL, NULL, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat("From: News <Letter@news.example>\n", cases[i].header, "\nbody\n", NULL);
        g_autoptr(GBytes) message = g_bytes_new(text, strlen(text));
        g_autoptr(struct_authentication) authentication = NULL;
        if (cases[i].dkim) {
            gboolean bad = *cases[i].dkim == '-';
            g_autofree char *field = g_strdup_printf("mx.own.example; dkim=%s header.d=%s", bad ? "fail" : "pass", cases[i].dkim + bad);
            authentication = authres_parse(field, NULL);
            g_assert_nonnull(authentication);
        }
        g_autoptr(struct_unsubscribe) way = unsubscribe_read(message, authentication);
        if (way->how != cases[i].how || !way->why != !cases[i].why)
            g_error("case %u: %s, %s", i, unsubscribe_how_name(way->how), way->why);
        if (cases[i].url)
            g_assert_cmpstr(way->url, ==, cases[i].url);
        if (cases[i].mail)
            g_assert_cmpstr(way->mail, ==, cases[i].mail);
        g_assert_cmpstr(way->list, ==, "letter@news.example");
    }
}

static void
test_list(void)
{
    static const char text[] = "From: a@b.example, c@d.example\nList-Id: News <of the day> <Day.news.example>\n\n";
    g_autoptr(GBytes) message = g_bytes_new_static(text, sizeof text - 1);
    g_autoptr(struct_unsubscribe) way = unsubscribe_read(message, NULL);
    g_assert_cmpstr(way->list, ==, "day.news.example");
}

static void
test_urls(void)
{
    static const struct {
        const char *url, *host;
    } cases[] = {
        {"https://a.example", "a.example"},         {"HTTPS://A.Example:8443/x?y#z", "a.example"},
        {"https://a.example?x@y", "a.example"},     {"http://a.example/", NULL},
        {"https://u@a.example/", NULL},             {"https://a.example\\@b.example/", NULL},
        {"https://localhost/", NULL},               {"https:///x", NULL},
        {"https://a.example/ x", NULL},             {"https://a.example/\xc3\xbc", NULL},
        {"https://a.example/\n", NULL},             {"", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *host = url_https_host(cases[i].url);
        g_assert_cmpstr(host, ==, cases[i].host);
    }
    g_autofree char *tail = g_strnfill(URL_MAX, 'a'), *much = g_strconcat("https://a.example/", tail, NULL);
    g_assert_null(url_https_host(much));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/unsubscribe/ways", test_ways);
    g_test_add_func("/unsubscribe/list", test_list);
    g_test_add_func("/unsubscribe/urls", test_urls);
    return g_test_run();
}
