/* our marks as notmuch's tags, and the merge of changes on both sides */
#include "config.h"

#include "base/flags.h"
#include "search/notmuch_words.h"
#include "store/folder.h"

static void
test_words(void)
{
    static const struct {
        guint flags;
        const char *tags;
        guint places;
        const char *words;
    } cases[] = {
        {0, "", 0, "unread"},
        {FLAG_SEEN, "", 0, ""},
        {FLAG_SEEN, "work", 1 << FOLDER_INBOX, "inbox work"},
        {FLAG_FLAGGED | FLAG_ANSWERED | FLAG_FORWARDED, "", 1 << FOLDER_NONE,
         "flagged passed replied unread"},
        {FLAG_SEEN | FLAG_DRAFT, "", 1 << FOLDER_DRAFTS, "draft"},
        {FLAG_SEEN | FLAG_DELETED, "", 1 << FOLDER_INBOX, "deleted inbox"},
        {FLAG_SEEN, "", 1 << FOLDER_TRASH | 1 << FOLDER_JUNK | 1 << FOLDER_SENT, "deleted sent spam"},
        {FLAG_SEEN, "$Junk b a", 1 << FOLDER_ALL, "$Junk a b"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *words = words_of(cases[i].flags, cases[i].tags, cases[i].places);
        g_assert_cmpstr(words, ==, cases[i].words);
    }
}

static void
test_change(void)
{
    static const struct {
        const char *base, *theirs;
        guint set, clear;
        const char *add, *remove;
    } cases[] = {
        {"", "", 0, 0, "", ""},
        {"unread", "", FLAG_SEEN, 0, "", ""},
        {"", "unread", 0, FLAG_SEEN, "", ""},
        {"unread", "flagged unread work", FLAG_FLAGGED, 0, "work", ""},
        {"flagged work", "", 0, FLAG_FLAGGED, "", "work"},
        {"a b", "b c", 0, 0, "c", "a"},
        {"", "replied", FLAG_ANSWERED, 0, "", ""},
        {"passed", "", 0, FLAG_FORWARDED, "", ""},
        {"", "deleted", FLAG_DELETED, 0, "", ""},
        {"", "spam", 0, 0, "spam", ""},
        /* places, and what notmuch finds by itself */
        {"inbox", "", 0, 0, "", ""},
        {"", "inbox sent archive attachment signed encrypted", 0, 0, "", ""},
        {"sent", "sent x", 0, 0, "x", ""},
        /* never written by us: flags are ours, tags are added */
        {NULL, "inbox unread work", 0, 0, "work", ""},
        {NULL, "", 0, 0, "", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct words_change change;
        words_change(cases[i].base, cases[i].theirs, &change);
        g_assert_cmpuint(change.set, ==, cases[i].set);
        g_assert_cmpuint(change.clear, ==, cases[i].clear);
        g_assert_cmpstr(change.add, ==, cases[i].add);
        g_assert_cmpstr(change.remove, ==, cases[i].remove);
        words_change_clear(&change);
    }
}

static void
test_merge(void)
{
    static const struct {
        const char *base, *theirs, *ours, *merged;
    } cases[] = {
        {"", "", "", ""},
        {"a", "a b", "a c", "a b c"},
        {"a b", "b", "a", ""},
        {"inbox", "", "inbox", ""},    /* taken away there: stays away */
        {"inbox", "inbox x", "", "x"}, /* moved here: goes */
        {"", "attachment", "unread", "attachment unread"},
        {NULL, "inbox unread work", "work2", "inbox work work2"},
        {NULL, "flagged", "unread", "unread"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *merged = words_merge(cases[i].base, cases[i].theirs, cases[i].ours);
        g_assert_cmpstr(merged, ==, cases[i].merged);
    }
}

/* Whatever both sides do, in any order: after a quiet round both are equal but for places, and nothing
 * swings. */
static void
test_converges(void)
{
    static const char *const universe[] = {"unread", "flagged", "replied", "a", "b", "c"};
    for (guint round = 0; round < 3000; round++) {
        guint flags = (guint)g_test_rand_int_range(0, 8);
        g_autofree char *tags = g_strdup("a"), *base = NULL, *theirs = g_strdup("");
        for (guint step = 0; step < 8; step++) {
            gboolean is_quiet = step >= 6;
            if (!is_quiet && g_test_rand_bit()) { /* somebody runs notmuch tag */
                const char *word = universe[g_test_rand_int_range(0, G_N_ELEMENTS(universe))];
                char *changed = tags_has(theirs, word) ? tags_remove(theirs, word) : tags_add(theirs, word);
                g_free(theirs);
                theirs = changed;
            }
            if (!is_quiet && g_test_rand_bit()) /* and something happens here */
                flags ^= 1u << g_test_rand_int_range(0, 3);
            struct words_change change;
            words_change(base, theirs, &change);
            g_assert_true(!is_quiet || step == 6 || words_change_is_empty(&change));
            flags = (flags | change.set) & ~change.clear;
            char *added = tags_merge("", tags, change.add), *left = tags_minus(added, change.remove);
            g_free(added);
            g_free(tags);
            tags = left;
            words_change_clear(&change);
            char *ours = words_of(flags, tags, 0), *merged = words_merge(base, theirs, ours);
            g_free(theirs);
            g_free(base);
            theirs = merged;
            base = ours;
        }
        g_autofree char *ours = words_of(flags, tags, 0);
        g_assert_cmpstr(ours, ==, theirs);
        g_assert_cmpstr(base, ==, theirs);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notmuch-words/words", test_words);
    g_test_add_func("/notmuch-words/change", test_change);
    g_test_add_func("/notmuch-words/merge", test_merge);
    g_test_add_func("/notmuch-words/converges", test_converges);
    return g_test_run();
}
