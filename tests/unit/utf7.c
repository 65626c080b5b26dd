/* modified UTF-7: the examples of the RFC, what is refused, and the round trip */
#include "config.h"

#include "base/utf7.h"

static void
test_table(void)
{
    static const struct {
        const char *utf8, *wire;
    } cases[] = {
        {"", ""},
        {"INBOX", "INBOX"},
        {"A&B", "A&-B"},
        {"&", "&-"},
        {"&&", "&-&-"},
        {"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
        {"Entwürfe", "Entw&APw-rfe"},
        {"Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"},
        {"ü&ü", "&APw-&-&APw-"},
        {"😀", "&2D3eAA-"},
        {"\x01", "&AAE-"},
        {"a\tb", "a&AAk-b"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *wire = utf7_encode(cases[i].utf8), *utf8 = utf7_decode(cases[i].wire);
        g_assert_cmpstr(wire, ==, cases[i].wire);
        g_assert_cmpstr(utf8, ==, cases[i].utf8);
    }
}

static void
test_refused(void)
{
    static const char *const cases[] = {
        "&",          "a&",     "&AGEAYg-", /* needless: letters */
        "&AC8-",                            /* a hidden '/' */
        "&APw",                             /* no end */
        "&APx-",                            /* padding bits set */
        "&A-",        "&AA-",               /* not a whole unit */
        "&AAA-",                            /* NUL */
        "&2D0-",      "&3gA-",  "&2D3YPQ-", /* half a surrogate pair */
        "&APw-&APw-",                       /* two shifts where one would do */
        "&AP/-",      "&AP w-", "&Jjo",     "Entw\xc3\xbcrfe", "Entw\xfcrfe", "a\tb", "\x7f",
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i]);
        g_assert_null(utf7_decode(cases[i]));
        g_autofree char *shown = utf7_show(cases[i]);
        g_assert_true(g_utf8_validate(shown, -1, NULL));
    }
    g_assert_null(utf7_encode("a\xff"));
    g_autofree char *raw = utf7_show("Entw\xc3\xbcrfe\x1b[31m");
    g_assert_cmpstr(raw, ==, "Entwürfe\xef\xbf\xbd[31m");
}

static void
test_round_trip(void)
{
    for (guint round = 0; round < 20000; round++) {
        g_autoptr(GString) name = g_string_new(NULL);
        for (int n = g_test_rand_int_range(0, 12); n > 0; n--) {
            gunichar c = (gunichar)g_test_rand_int_range(1, g_test_rand_bit() ? 0x80 : 0x20000);
            if (c < 0xd800 || c > 0xdfff)
                g_string_append_unichar(name, c);
        }
        g_autofree char *wire = utf7_encode(name->str);
        g_assert_nonnull(wire);
        g_autofree char *back = utf7_decode(wire);
        g_assert_cmpstr(back, ==, name->str);
    }
    /* What decodes is exactly what was encoded: no two names for one text. */
    static const char letters[] = "&-AD8w,+/a2";
    for (guint round = 0; round < 200000; round++) {
        char wire[9] = {0};
        for (int n = g_test_rand_int_range(0, 9) - 1; n >= 0; n--)
            wire[n] = letters[g_test_rand_int_range(0, sizeof letters - 1)];
        g_autofree char *name = utf7_decode(wire);
        if (!name)
            continue;
        g_autofree char *again = utf7_encode(name);
        g_assert_cmpstr(again, ==, wire);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/utf7/table", test_table);
    g_test_add_func("/utf7/refused", test_refused);
    g_test_add_func("/utf7/round-trip", test_round_trip);
    return g_test_run();
}
