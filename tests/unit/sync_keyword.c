/* tags as keywords: one to one, and only atoms on the wire */
#include "config.h"

#include <string.h>

#include "base/flags.h"
#include "sync/keyword.h"

static void
test_table(void)
{
    static const struct {
        const char *tag, *keyword;
    } cases[] = {
        {"work", "work"},
        {"$label1", "$label1"},
        {"NonJunk", "NonJunk"},
        {"a/b:c[1", "a/b:c[1"},
        {"R&D", "R&-D"},
        {"&", "&-"},
        {"Übung", "&ANw-bung"},
        {"привет", "&BD8EQAQ4BDIENQRC-"},
        {"100%", "100&8CU-"},
        {"a(b)", "a&8Cg-b&8Ck-"},
        {"x*{]", "x&8Crwe,Bd-"},
        {"\xF0\x9F\x93\xAC", "&2D3c7A-"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *keyword = keyword_from_tag(cases[i].tag);
        g_assert_cmpstr(keyword, ==, cases[i].keyword);
        g_autofree char *tag = keyword_to_tag(keyword);
        g_assert_cmpstr(tag, ==, cases[i].tag);
    }
}

static void
test_foreign(void)
{
    static const struct {
        const char *keyword, *tag;
    } cases[] = {
        {"\\Recent", NULL}, {"\\X-Odd", NULL},  {"+x", NULL},       {"-x", NULL},    {"", NULL},
        {"a&b", "a&b"},     {"&ANw", "&ANw"},   {"&AGE-", "&AGE-"}, {"Junk", "Junk"}, {"\xFC", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *tag = keyword_to_tag(cases[i].keyword);
        g_assert_cmpstr(tag, ==, cases[i].tag);
    }
    g_assert_null(keyword_from_tag("two words"));
    g_assert_null(keyword_from_tag("\xEF\x80\xA8")); /* U+F028: would come back as '(' */
}

/* Any tag either has no keyword, or one that is an atom and leads back to it. */
static void
test_random(void)
{
    for (guint round = 0; round < 20000; round++) {
        g_autoptr(GString) tag = g_string_new(NULL);
        for (int n = g_test_rand_int_range(1, 8); n > 0; n--) {
            static const gunichar odd[] = {'&', '-', '(', '%', ']', 'a', 0xE4, 0x20AC, 0x1F4EC, 0xF025, '/', ','};
            g_string_append_unichar(tag, odd[g_test_rand_int_range(0, G_N_ELEMENTS(odd))]);
        }
        g_autofree char *keyword = keyword_from_tag(tag->str);
        if (!keyword)
            continue;
        for (const char *p = keyword; *p; p++)
            g_assert_true(*p > 0x20 && *p < 0x7F && !strchr("(){%*\"\\]", *p));
        g_autofree char *back = keyword_to_tag(keyword);
        g_assert_cmpstr(back, ==, tag->str);
    }
}

static void
test_sets(void)
{
    static const char *const keywords[] = {"Work", "\\Recent", "&ANw-bung", "$Junk", NULL};
    g_autofree char *plain = keywords_to_tags(keywords, "", "");
    g_assert_cmpstr(plain, ==, "$Junk Work Übung");
    g_autofree char *respelled = keywords_to_tags(keywords, "", "WORK other");
    g_assert_cmpstr(respelled, ==, "$Junk WORK Übung");
    g_autofree char *none = keywords_to_tags(NULL, "a", "b");
    g_assert_cmpstr(none, ==, "");
    g_auto(GStrv) back = keywords_from_tags("a \xEF\x80\xA8 Übung");
    g_assert_cmpuint(g_strv_length(back), ==, 2);
    g_assert_cmpstr(back[1], ==, "&ANw-bung");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sync/keyword/table", test_table);
    g_test_add_func("/sync/keyword/foreign", test_foreign);
    g_test_add_func("/sync/keyword/random", test_random);
    g_test_add_func("/sync/keyword/sets", test_sets);
    return g_test_run();
}
