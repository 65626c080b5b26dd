/* flags and tag sets: names both ways, the three-way merge */
#include "config.h"

#include "base/flags.h"

static void
test_merge(void)
{
    /* Every combination of one flag on three sides; and that flags do not disturb each other. */
    for (guint base = 0; base < 4; base++)
        for (guint theirs = 0; theirs < 4; theirs++)
            for (guint ours = 0; ours < 4; ours++) {
                guint merged = flags_merge(base, theirs, ours);
                for (guint bit = 1; bit < 4; bit <<= 1)
                    g_assert_cmpuint(merged & bit, ==,
                                     (base & bit) == (ours & bit) ? theirs & bit : ours & bit);
            }
}

static void
test_tags(void)
{
    static const struct {
        const char *base, *theirs, *ours, *merged;
    } cases[] = {
        {"", "", "", ""},
        {"", "a", "b", "a b"},
        {"a", "a", "", ""},
        {"a", "", "a", ""},
        {"a b", "a b c", "b d", "b c d"},
        {"a", "a", "a b", "a b"},
        {"work", "work", "working", "working"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *merged = tags_merge(cases[i].base, cases[i].theirs, cases[i].ours);
        g_assert_cmpstr(merged, ==, cases[i].merged);
    }
    static const char *const list[] = {"b", "a", "b", "with space", "", "-x", NULL};
    g_autofree char *set = tags_from_list(list, -1);
    g_assert_cmpstr(set, ==, "a b");
    g_assert_true(tags_has("a bb c", "bb"));
    g_assert_false(tags_has("a bb c", "b"));
    g_assert_false(tags_has("a", ""));
}

static void
test_names(void)
{
    for (guint flags = 0; flags <= FLAGS_ALL; flags++) {
        g_autofree char *letters = flags_to_maildir(flags);
        g_assert_cmpuint(flags_from_maildir(letters), ==, flags);
    }
    g_autofree char *all = flags_to_maildir(FLAGS_ALL);
    g_assert_cmpstr(all, ==, "DFPRST");
    guint bit;
    gboolean reverse;
    g_assert_true(flags_from_word("unread", &bit, &reverse) && bit == FLAG_SEEN && reverse);
    g_assert_true(flags_from_word("seen", &bit, &reverse) && bit == FLAG_SEEN && !reverse);
    g_assert_true(flags_from_word("passed", &bit, &reverse) && bit == FLAG_FORWARDED && !reverse);
    g_assert_false(flags_from_word("holiday", &bit, &reverse));
    g_assert_cmpuint(flags_from_imap("\\seen"), ==, FLAG_SEEN);
    g_assert_cmpuint(flags_from_imap("$forwarded"), ==, FLAG_FORWARDED);
    g_assert_cmpuint(flags_from_imap("\\Recent"), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flags/merge", test_merge);
    g_test_add_func("/flags/tags", test_tags);
    g_test_add_func("/flags/names", test_names);
    return g_test_run();
}
