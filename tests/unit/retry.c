/* when a message is tried again, and when it is given up */
#include "config.h"

#include "outbox/retry.h"

static void
test_delays(void)
{
    static const guint minutes[] = {1, 5, 10, 20, 30, 60, 120, 240, 240, 240};
    const gint64 now = 1800000000;
    for (guint i = 0; i < G_N_ELEMENTS(minutes); i++) {
        gint64 delay = minutes[i] * 60;
        for (guint32 dice = 0; dice < 5000; dice += 7) {
            gint64 next = retry_next(now, now - 3600, i + 1, dice);
            g_assert_cmpint(next - now, >=, delay - delay / 10);
            g_assert_cmpint(next - now, <=, delay + delay / 10);
        }
    }
    g_assert_cmpint(retry_next(now, 0, 0, 6), ==, now + 60); /* no attempt is as good as one */
    g_assert_cmpint(retry_next(now, 0, G_MAXUINT, 1440), ==, now + 240 * 60);
    g_assert_cmpint(retry_next(now, 0, 1, G_MAXUINT32), <=, now + 66);
    g_assert_cmpint(retry_next(now, 0, 1, 0), !=, retry_next(now, 0, 1, 1)); /* the dice count */
}

static void
test_end(void)
{
    const gint64 first = 1800000000;
    /* The whole life of a message that is put off again and again. */
    for (guint32 dice = 0; dice < 200; dice++) {
        gint64 now = first, next;
        guint attempts = 1;
        while ((next = retry_next(now, attempts == 1 ? 0 : first, attempts, dice * 2654435761u)) != 0) {
            g_assert_cmpint(next, >, now);
            g_assert_cmpint(next, <=, first + RETRY_GIVE_UP);
            now = next;
            attempts++;
        }
        g_assert_cmpint(now, ==, first + RETRY_GIVE_UP); /* the last one at the very end */
        g_assert_cmpuint(attempts, >, 30);
        g_assert_cmpuint(attempts, <, 50);
    }
    g_assert_cmpint(retry_next(first, first + 1000, 5, 0), >, first); /* the clock was set back */
    g_assert_cmpint(retry_next(first + RETRY_GIVE_UP, first, 1, 0), ==, 0);
    g_assert_cmpint(retry_next(first + RETRY_GIVE_UP - 1, first, 8, 0), ==, first + RETRY_GIVE_UP);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/retry/delays", test_delays);
    g_test_add_func("/retry/end", test_end);
    return g_test_run();
}
