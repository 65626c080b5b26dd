/* What looks like what: skeletons of UTS 39, and scripts that do not belong together */
#include "config.h"

#include "base/skeleton.h"

#include <string.h>

static void
test_same(void)
{
    static const struct {
        const char *a, *b;
        gboolean same;
    } cases[] = {
        {"paypal", "paypal", TRUE},
        {"paypal", "PayPal", TRUE},
        {"paypal", "paypa1", TRUE},
        {"PayPal", "PayPaI", TRUE}, /* a capital i */
        {"paypal", "pаypаl", TRUE}, /* Cyrillic a */
        {"apple.com", "аррӏе.com", TRUE},
        {"google", "g00gle", TRUE},
        {"microsoft", "rnicrosoft", TRUE},
        {"example", "ехаmple", TRUE},
        {"example", "exɑmple", TRUE}, /* Latin alpha */
        {"scope", "ѕсоре", TRUE},
        {"alpha", "αlpha", TRUE},
        {"example", "ｅｘａｍｐｌｅ", TRUE}, /* full width */
        {"example", "𝐞𝐱𝐚𝐦𝐩𝐥𝐞", TRUE}, /* mathematical bold */
        {"example", "exam\xe2\x80\x8bple", TRUE}, /* zero width space */
        {"example", "exam\xc2\xadple", TRUE}, /* soft hyphen */
        {"bank", "ваnk", FALSE}, /* small ve is not like b */
        {"BANK", "ВАNК", TRUE}, /* the capital is */
        {"Ana Ruiz", "Аna Ruiz", TRUE}, /* Cyrillic A */
        {"Ana Ruiz", "ANA RUIZ", TRUE},
        {"Ben Okafor", "Ben 0kafor", TRUE},
        {"toyota", "тoyota", FALSE}, /* small te is like a small capital T */
        {"example", "exemple", FALSE},
        {"müller", "muller", FALSE},
        {"müller", "mu\xcc\x88ller", TRUE}, /* composed or not */
        {"москва", "москва", TRUE},
        {"москва", "mockba", FALSE},
        {"日本", "日本", TRUE},
        {"日本", "日木", FALSE},
        {"ß", "ss", TRUE}, /* folded */
        {"", "", TRUE},
        {"a", "", FALSE},
        {"mail", "maıl", TRUE}, /* dotless i */
        {"cloud", "c1oud", TRUE},
        {"vv", "w", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s, %s", cases[i].a, cases[i].b);
        g_assert_cmpint(skeleton_is_same(cases[i].a, cases[i].b), ==, cases[i].same);
        g_assert_cmpint(skeleton_is_same(cases[i].b, cases[i].a), ==, cases[i].same);
    }
    g_assert_null(skeleton_of("\xff"));
    g_assert_null(skeleton_of(NULL));
    g_assert_false(skeleton_is_same("\xff", "\xff"));
}

static void
test_mixed(void)
{
    static const struct {
        const char *text;
        gboolean mixed;
    } cases[] = {
        {"example.com", FALSE},
        {"example-1.com", FALSE},
        {"müller.de", FALSE},
        {"пример.рф", FALSE},
        {"пример.com", FALSE}, /* another word */
        {"Иван Ivanov", FALSE},
        {"pаypal.com", TRUE},
        {"аррӏе", FALSE}, /* all of one script: by its skeleton */
        {"αlpha", TRUE},
        {"日本語", FALSE},
        {"日本mail", FALSE},
        {"ひらがなカタカナ漢字", FALSE},
        {"한국어mail", FALSE},
        {"漢字한국어", FALSE},
        {"ひらがな한국어", TRUE},
        {"漢字ㄅㄆ", FALSE},
        {"日本пример", TRUE},
        {"ελλάδαпример", TRUE},
        {"שלום", FALSE},
        {"שלוםa", TRUE},
        {"3а1а", FALSE},
        {"x2ы", TRUE},
        {"", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(skeleton_is_mixed(cases[i].text), ==, cases[i].mixed);
    }
}

/* A skeleton is its own. */
static void
test_settled(void)
{
    static const char *const texts[] = {"microsoft", "Аррӏе", "½ ⅓ ﷺ ㎏", "I1l|", "œuvre æ ﬁ", "ĳ ǆ ŉ"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *once = skeleton_of(texts[i]);
        g_assert_true(skeleton_is_same(texts[i], texts[i]));
        g_assert_true(g_utf8_validate(once, -1, NULL));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/skeleton/same", test_same);
    g_test_add_func("/skeleton/mixed", test_mixed);
    g_test_add_func("/skeleton/settled", test_settled);
    return g_test_run();
}
