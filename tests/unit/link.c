/* Where links go, and what is to be said of it */
#include "config.h"

#include "mail/link.h"

#include "mailtest.h"

#include <string.h>

#define ELSEWHERE LINK_ELSEWHERE
#define MASKED (LINK_NUMBER | LINK_MASKED)

static void
test_judge(void)
{
    static const struct {
        const char *text, *url;
        guint marks;
        const char *says; /* part of the reason; NULL: there is none */
    } cases[] = {
        /* ordinary */
        {"", "https://example.org/", 0, NULL},
        {"read more", "https://example.org/a?b=c@d", 0, NULL},
        {"example.org", "https://www.example.org/", 0, NULL},
        {"www.example.org", "https://shop.example.org/", 0, NULL},
        {"shop.example.org", "https://click.example.org/", 0, NULL},
        {"shop.example.co.uk", "https://click.example.co.uk/", 0, NULL},
        {"bücher.example", "https://xn--bcher-kva.example/", 0, NULL},
        {"", "https://müller.example/", 0, NULL},
        {"", "https://xn--mller-kva.example/", 0, NULL},
        {"", "https://lægevagt.example/", 0, NULL},
        {"", "https://cœur.example/", 0, NULL},
        {"", "https://straße.example/", 0, NULL},
        {"", "https://kıtap.example/", 0, NULL},
        {"", "https://łódź.example/", 0, NULL},
        {"", "https://øre.example/", 0, NULL},
        {"", "https://почта.рф/", 0, NULL},
        {"", "https://ор.рф/", 0, NULL}, /* like "op", and at home */
        {"", "https://пример.example/", 0, NULL},
        {"", "https://日本語.example/", 0, NULL},
        {"", "https://한국어.example/", 0, NULL},
        {"", "https://ελλάδα.example/", 0, NULL},
        {"", "mailto:ana@example.org", 0, NULL},
        {"ana@example.org", "mailto:ana@example.org?subject=x", 0, NULL},
        {"mailto:ana@example.org", "mailto:ana@example.org", 0, NULL},
        {"ana@example.org?subject=x ", "mailto:ana@example.org?subject=x", 0, NULL},
        {"(ana@example.org)", "mailto:ana@example.org", 0, NULL},
        {"<ana@example.org>,", "mailto:ana@example.org", 0, NULL},
        {"()", "mailto:ana@example.org", 0, NULL},
        {"www.bank", "https://www.bank.com/", 0, NULL},
        {"bank.com", "https://%62ank.com/", 0, NULL},
        {"", "http://192.168.1.1/", 0, NULL},
        {"router", "http://10.0.0.1:8080/", 0, NULL},
        {"here", "http://127.0.0.1/", 0, NULL},
        {"here", "http://172.16.0.9/", 0, NULL},
        {"here", "http://[::1]:8080/", 0, NULL},
        {"here", "http://[fe80::1]/", 0, NULL},
        {"here", "http://1.example/", 0, NULL},
        {"version 1.2.3.4", "https://example.org/", 0, NULL},
        {"see README.md", "https://example.org/", 0, NULL},
        {"", "tel:+123", 0, NULL},
        {"", "https://youtu.be/x", 0, NULL},
        /* elsewhere */
        {"https://bank.example/login", "https://evil.example/", ELSEWHERE, "the text names bank.example"},
        {"www.bank.example", "https://bank.example.evil.test/", ELSEWHERE, "goes to bank.example.evil.test"},
        {"www.shop.co.uk", "https://www.evil.co.uk/", ELSEWHERE, "names www.shop.co.uk"},
        {"bank.com", "https://bank-com.evil.test/", ELSEWHERE, "names bank.com"},
        {"ana@example.org", "mailto:eve@evil.test", ELSEWHERE, "would go to eve@evil.test"},
        {"sign in at bank.com now", "https://login.evil.test/", ELSEWHERE, "names bank.com"},
        {"bank.com", "https://bit.ly/x", ELSEWHERE | LINK_SHORT, "names bank.com"},
        {"bank.com", "http://198.51.100.7/", ELSEWHERE | MASKED, "names bank.com"},
        {"mailto:ana@example.org", "mailto:eve@evil.test", ELSEWHERE, "would go to eve@evil.test"},
        {"(ana@example.org)", "mailto:eve@evil.test", ELSEWHERE, "names ana@example.org"},
        {"bank.com", "https://%65vil.test/", ELSEWHERE, "goes to evil.test"},
        {"click here", "http://%31%39%38.51.100.7/", MASKED, "198.51.100.7"},
        /* a user name */
        {"", "https://bank.example@evil.test/", LINK_USER, "goes to evil.test"},
        {"bank.example", "https://bank.example:pass@evil.test/", LINK_USER, "goes to evil.test"},
        {"", "https://evil.test\\@bank.example/", 0, NULL},
        /* letters */
        {"", "https://аррӏе.com/", LINK_LOOKALIKE, "\"apple\""},
        {"", "https://xn--80ak6aa92e.com/", LINK_LOOKALIKE, "\"apple\""},
        {"", "https://pаypal.example/", LINK_LOOKALIKE, "\"paypal\""},
        {"", "https://www.ехаmple.org/", LINK_LOOKALIKE, "\"example\""},
        {"", "https://exɑmple.org/", LINK_LOOKALIKE, "\"example\""},
        {"", "https://αlpha-shop.example/", LINK_LOOKALIKE, "alpha-shop"},
        {"", "https://дропbox.example/", LINK_LOOKALIKE, "mixes"},
        {"", "https://日本пример.example/", LINK_LOOKALIKE, "mixes"},
        {"ехаmple.org", "https://ехаmple.org/", LINK_LOOKALIKE, "\"example\""},
        /* numbers */
        {"", "http://198.51.100.7/a", LINK_NUMBER, "198.51.100.7"},
        {"http://198.51.100.7/a", "http://198.51.100.7/a", LINK_NUMBER, "198.51.100.7"},
        {"click here", "http://198.51.100.7/a", MASKED, "198.51.100.7"},
        {"click here", "http://198.51.100.7:8080/a", MASKED, "198.51.100.7"},
        {"", "http://3325256711/", MASKED, "198.51.100.7"},
        {"", "http://0xc6336407/", MASKED, "198.51.100.7"},
        {"", "http://0306.063.0144.07/", MASKED, "198.51.100.7"},
        {"", "http://0xc6.51.0x64.7/", MASKED, "198.51.100.7"},
        {"", "http://198.51.25607/", MASKED, "198.51.100.7"},
        {"", "http://0177.0.0.1/", MASKED, "127.0.0.1"}, /* odd, even when it is inside */
        {"", "http://256.1.1.1/", 0, NULL},
        {"", "http://1.2.3.4.5/", 0, NULL},
        {"", "http://[2001:db8::1]/", LINK_NUMBER, "2001:db8::1"},
        {"click here", "http://[2001:db8::1]:80/", MASKED, "2001:db8::1"},
        /* shorteners: told, no alarm */
        {"", "https://bit.ly/abc", LINK_SHORT, "shortens"},
        {"our site", "https://www.tinyurl.com/abc", LINK_SHORT, "shortens"},
        {"", "https://t.co/abc", LINK_SHORT, "shortens"},
        {"", "https://BIT.LY/abc", LINK_SHORT, "shortens"},
        {"", "https://abit.ly/abc", 0, NULL},
        {"", "https://bit.ly.example/abc", 0, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reason = NULL;
        guint marks = link_judge(cases[i].text, cases[i].url, &reason);
        g_test_message("%u: %s -> %s: %s", i, cases[i].text, cases[i].url, reason ? reason : "");
        g_assert_cmphex(marks, ==, cases[i].marks);
        g_assert_true((reason != NULL) == (cases[i].says != NULL));
        g_assert_true(!reason || strstr(reason, cases[i].says));
        g_autofree char *suspicion = link_suspicion(cases[i].text, cases[i].url);
        g_assert_true((suspicion != NULL) == ((marks & LINK_WARNS) != 0));
    }
    for (guint bit = 0; bit < 7; bit++)
        g_assert_nonnull(link_mark_name(bit));
    g_assert_null(link_mark_name(7));
}

/* A newsletter whose links all count clicks says nothing by naming a shop; an address in full is another matter, and so
 * is a message with a link or two. */
static void
test_counted(void)
{
    g_autoptr(GString) html = g_string_new("Content-Type: text/html\n\n");
    for (guint i = 0; i < 4; i++)
        g_string_append_printf(html, "<p><a href=\"https://click.example.test/%u\">offer %u</a>", i, i);
    g_string_append(html, "<p><a href=\"https://click.example.test/a\">shop.com</a>"
                          "<p><a href=\"https://click.example.test/b\">https://bank.com/login</a>"
                          "<p><a href=\"https://evil.test/b\">www.shop.com</a>");
    g_autoptr(struct_document) document = parse_text(html->str);
    g_assert_cmpuint(document->links->len, ==, 7);
    const struct document_link *shop = document->links->pdata[4], *bank = document->links->pdata[5],
                               *evil = document->links->pdata[6];
    g_assert_cmphex(shop->marks, ==, LINK_COUNTED);
    g_assert_false(shop->suspicious);
    g_assert_cmphex(bank->marks, ==, LINK_ELSEWHERE);
    g_assert_true(bank->suspicious);
    g_assert_cmphex(evil->marks, ==, LINK_ELSEWHERE);
    g_assert_cmpuint(document->flags & DOCUMENT_SUSPICIOUS_LINK, !=, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/judge", test_judge);
    g_test_add_func("/link/counted", test_counted);
    return g_test_run();
}
