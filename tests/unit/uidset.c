/* UID sets against a plain bitmap, and the text form */
#include "config.h"

#include "base/uidset.h"

#include <string.h>

#define SPACE 200

static void
same(const struct uidset *set, const gboolean *map)
{
    guint64 count = 0;
    guint32 min = 0, max = 0, uid;
    for (guint32 i = 1; i < SPACE; i++) {
        g_assert_cmpint(uidset_contains(set, i), ==, map[i]);
        count += map[i] ? 1 : 0;
        max = map[i] ? i : max;
        min = map[i] && !min ? i : min;
    }
    g_assert_cmpuint(uidset_count(set), ==, count);
    g_assert_cmpuint(uidset_min(set), ==, min);
    g_assert_cmpuint(uidset_max(set), ==, max);
    struct uidset_iter iter = uidset_iter(set);
    guint32 last = 0;
    for (; uidset_next(&iter, &uid); count--) {
        g_assert_true(uid > last && map[uid]);
        last = uid;
    }
    g_assert_cmpuint(count, ==, 0);
    g_autofree char *text = uidset_format(set);
    g_autoptr(struct_uidset) back = uidset_parse(text, -1, 0);
    g_assert_true(uidset_equal(set, back));
}

static void
test_random(void)
{
    for (guint round = 0; round < 400; round++) {
        struct uidset *sets[2] = {uidset_new(), uidset_new()};
        gboolean maps[2][SPACE] = {{0}};
        for (guint step = 0; step < 60; step++) {
            guint which = (guint)g_test_rand_int_range(0, 2);
            guint32 a = (guint32)g_test_rand_int_range(0, SPACE),
                    b = (guint32)g_test_rand_int_range(0, SPACE);
            if (g_test_rand_bit())
                b = a;
            int action = g_test_rand_int_range(0, 12);
            for (guint32 i = 1; i < SPACE; i++) {
                gboolean in = i >= MIN(a, b) && i <= MAX(a, b), *here = &maps[which][i],
                         other = maps[!which][i];
                *here = action < 7     ? *here || in
                        : action < 9   ? *here && !in
                        : action == 9  ? *here || other
                        : action == 10 ? *here && !other
                                       : *here && other;
            }
            if (action < 7)
                uidset_add_range(sets[which], a, b);
            else if (action < 9)
                uidset_remove_range(sets[which], a, b);
            else
                (action == 9    ? uidset_add_set
                 : action == 10 ? uidset_remove_set
                                : uidset_keep_set)(sets[which], sets[!which]);
            if (step % 7 == 0)
                same(sets[which], maps[which]);
        }
        same(sets[0], maps[0]);
        same(sets[1], maps[1]);
        uidset_free(sets[0]);
        uidset_free(sets[1]);
    }
}

static void
test_parse(void)
{
    static const struct {
        const char *text, *again;
    } cases[] = {
        {"", ""},
        {"1", "1"},
        {"3:1", "1:3"},
        {"1,2,3", "1:3"},
        {"9,1:3,2:4,6", "1:4,6,9"},
        {"4294967295", "4294967295"},
        {"1:4294967295", "1:4294967295"},
        {"4294967294:4294967295,4294967293", "4294967293:4294967295"},
        {"0", NULL},
        {"0:1", NULL},
        {"4294967296", NULL},
        {"99999999999999999999999", NULL},
        {"*", NULL},
        {"1:*", NULL},
        {"01", NULL},
        {"-1", NULL},
        {"1,", NULL},
        {",1", NULL},
        {"1:", NULL},
        {"1:2:3", NULL},
        {"1 2", NULL},
        {"1;", NULL},
        {"a", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_uidset) set = uidset_parse(cases[i].text, -1, 0);
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(set != NULL, ==, cases[i].again != NULL);
        if (!set)
            continue;
        g_autofree char *text = uidset_format(set);
        g_assert_cmpstr(text, ==, cases[i].again);
    }
    g_autoptr(struct_uidset) cut = uidset_parse("12,34", 2, 0);
    g_assert_cmpuint(uidset_max(cut), ==, 12);
    g_assert_null(uidset_parse("1,3,5", -1, 2));
    g_autoptr(struct_uidset) three = uidset_parse("1,3,5", -1, 3);
    g_assert_cmpuint(uidset_count_ranges(three), ==, 3);
}

static void
test_ends(void)
{
    g_autoptr(struct_uidset) all = uidset_new_range(1, G_MAXUINT32);
    g_assert_cmpuint(uidset_count(all), ==, G_MAXUINT32);
    uidset_add_range(all, 5, 9);
    uidset_add(all, G_MAXUINT32);
    uidset_add(all, 0);
    g_assert_cmpuint(uidset_count_ranges(all), ==, 1);
    uidset_remove(all, G_MAXUINT32);
    uidset_remove(all, 1);
    g_autofree char *text = uidset_format(all);
    g_assert_cmpstr(text, ==, "2:4294967294");
    uidset_remove_range(all, 1, G_MAXUINT32);
    g_assert_true(uidset_is_empty(all));
    g_assert_true(uidset_is_empty(NULL));
    g_assert_cmpuint(uidset_min(NULL), ==, 0);
    g_assert_true(uidset_equal(NULL, all));
    g_autofree char *nothing = uidset_format(NULL);
    g_assert_cmpstr(nothing, ==, "");
}

/* Whatever the limits, the pieces are in order, within the limits, and together the set. */
static void
test_take(void)
{
    for (guint round = 0; round < 500; round++) {
        g_autoptr(struct_uidset) set = uidset_new();
        for (int n = g_test_rand_int_range(1, 40); n > 0; n--) {
            guint32 first = (guint32)g_test_rand_int_range(1, 3000);
            uidset_add_range(set, first, first + (guint32)g_test_rand_int_range(0, 40));
        }
        guint64 max_uids = g_test_rand_bit() ? 0 : (guint64)g_test_rand_int_range(1, 60);
        gsize max_bytes = g_test_rand_bit() ? 0 : (gsize)g_test_rand_int_range(1, 60);
        gboolean high = g_test_rand_bit();
        g_autoptr(struct_uidset) left = uidset_copy(set), sum = uidset_new();
        for (;;) {
            g_autoptr(struct_uidset) piece = uidset_take(left, max_uids, max_bytes, high);
            if (!piece)
                break;
            g_assert_cmpuint(uidset_count(piece), >, 0);
            if (max_uids)
                g_assert_cmpuint(uidset_count(piece), <=, max_uids);
            g_autofree char *text = uidset_format(piece);
            if (max_bytes && uidset_count_ranges(piece) > 1)
                g_assert_cmpuint(strlen(text), <=, max_bytes);
            if (!uidset_is_empty(left))
                g_assert_true(high ? uidset_max(left) < uidset_min(piece)
                                   : uidset_max(piece) < uidset_min(left));
            uidset_add_set(sum, piece);
        }
        g_assert_true(uidset_is_empty(left));
        g_assert_true(uidset_equal(sum, set));
    }
}

/* A million lies in any order stay cheap: one range for neighbours, bounded work for the rest. */
static void
test_size(void)
{
    g_autoptr(struct_uidset) down = uidset_new(), odd = uidset_new();
    for (guint32 uid = 1000000; uid > 0; uid--)
        uidset_add(down, uid);
    g_assert_cmpuint(uidset_count_ranges(down), ==, 1);
    for (guint32 uid = 1000001; uid > 1; uid -= 2)
        uidset_add(odd, uid);
    g_assert_cmpuint(uidset_count(odd), ==, 500000);
    uidset_keep_set(odd, down);
    g_assert_cmpuint(uidset_count(odd), ==, 499999);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uidset/random", test_random);
    g_test_add_func("/uidset/parse", test_parse);
    g_test_add_func("/uidset/ends", test_ends);
    g_test_add_func("/uidset/take", test_take);
    g_test_add_func("/uidset/size", test_size);
    return g_test_run();
}
