/* What is counted is what a plain count gives, whatever was kept before and whatever changed since. */
#include "config.h"

#include "storetest.h"

#include "base/flags.h"
#include "store/intent.h"
#include "store/stats.h"

#define NOW G_GINT64_CONSTANT(1795401859) /* 23 November 2026 */
#define MAILS 300

struct mail {
    gint64 date, placement;
    gboolean from_me, is_junk;
    int answers; /* which mail, or -1 */
};

struct box {
    struct world world;
    struct mail mails[MAILS + 10];
    guint n;
};

static void
put(struct box *box, gint64 date, gboolean from_me, int answers)
{
    struct mail *mail = &box->mails[box->n];
    g_autofree char *id = g_strdup_printf("m%u@x", box->n),
                    *refs = answers >= 0 ? g_strdup_printf("m%d@x", answers) : NULL;
    *mail = (struct mail){.date = date, .from_me = from_me, .answers = answers};
    mail->placement = add_mail(box->world.store, from_me ? box->world.sent : box->world.inbox, box->n + 1, id, refs,
                               from_me ? "Ana <ana@example.org>" : "Ben <ben@example.com>", "hello", date);
    box->n++;
}

static guint
delay_of(gint64 seconds)
{
    guint delay = 0;
    for (; stats_delay_seconds(delay) && seconds >= stats_delay_seconds(delay); delay++)
        ;
    return delay;
}

/* The sum over the months from `from` on, counted one by one. */
static void
count(const struct box *box, gint64 from, guint64 *n)
{
    memset(n, 0, STATS_FIGURES * sizeof *n);
    for (guint i = 0; i < box->n; i++) {
        const struct mail *mail = &box->mails[i];
        if (mail->date < from || mail->is_junk || !mail->placement)
            continue;
        n[mail->from_me ? STATS_SENT : STATS_RECEIVED]++;
        n[mail->from_me ? STATS_BYTES_SENT : STATS_BYTES_RECEIVED] += 1000;
        n[(mail->from_me ? STATS_SENT_AT : STATS_RECEIVED_AT) + mail->date / 3600 % 24]++;
        if (mail->answers < 0 || !box->mails[mail->answers].placement)
            continue;
        gint64 waited = mail->date - box->mails[mail->answers].date;
        if (box->mails[mail->answers].from_me != mail->from_me && waited >= 0)
            n[(mail->from_me ? STATS_MY_ANSWERS : STATS_THEIR_ANSWERS) + delay_of(waited)]++;
    }
}

static void
check(const struct box *box, guint months, gint64 from)
{
    g_autoptr(GError) error = NULL;
    guint64 wanted[STATS_FIGURES];
    count(box, from, wanted);
    for (guint again = 0; again < 2; again++) { /* the second time from what was kept */
        g_autoptr(struct_stats) stats = stats_load(box->world.store, NOW, months, 5, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(stats->sum.n, sizeof stats->sum.n, wanted, sizeof wanted);
    }
    g_autoptr(struct_store) reader = open_store(box->world.dir, STORE_READ);
    g_autoptr(struct_stats) stats = stats_load(reader, NOW, months, 5, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(stats->sum.n, sizeof stats->sum.n, wanted, sizeof wanted);
}

static void
check_all(const struct box *box)
{
    check(box, 0, 0);
    check(box, 1, 1793491200); /* 1 November 2026 */
    check(box, 12, 1764547200); /* 1 December 2025 */
}

static void
fill(struct box *box)
{
    g_autoptr(GRand) dice = g_rand_new_with_seed(3);
    world_begin(&box->world);
    box->n = 0;
    for (guint i = 0; i < MAILS; i++) {
        int answers = i && g_rand_int_range(dice, 0, 2) ? g_rand_int_range(dice, 0, (gint32)i) : -1;
        put(box, NOW - g_rand_int_range(dice, 60, 800 * 86400), g_rand_int_range(dice, 0, 4) == 0, answers);
    }
}

static void
test_agrees(void)
{
    struct box box;
    g_autoptr(GError) error = NULL;
    fill(&box);
    check_all(&box);
    put(&box, NOW - 300 * 86400, FALSE, 3); /* late news of an old month */
    put(&box, 1793491200, TRUE, 4);         /* the first second of November, and the last of October */
    put(&box, 1793491199, FALSE, -1);
    check_all(&box);
    for (guint i = 0; i < 20; i++) {
        gint64 message = message_of(box.world.store, box.mails[i].placement);
        if (i % 2)
            intent_mark(box.world.store, &message, 1, FLAG_FLAGGED, 0, NULL, NULL, &error);
        else
            intent_move(box.world.store, &message, 1, box.mails[i].from_me ? box.world.sent : box.world.inbox, box.world.junk,
                        &error);
        g_assert_no_error(error);
        box.mails[i].is_junk = i % 2 == 0;
    }
    check_all(&box);
    world_end(&box.world);
}

static void
test_folders(void)
{
    struct box box;
    g_autoptr(GError) error = NULL;
    fill(&box);
    g_autoptr(struct_stats) stats = stats_load(box.world.store, NOW, 1, 3, &error);
    g_assert_no_error(error);
    guint64 messages = 0, bytes = 0;
    for (guint i = 0; i < stats->folders->len; i++) {
        const struct stats_folder *folder = stats->folders->pdata[i];
        g_assert_cmpuint(folder->bytes, ==, folder->count * 1000);
        messages += folder->count;
        bytes += folder->bytes;
    }
    g_assert_cmpuint(messages, ==, MAILS);
    g_assert_cmpuint(bytes, ==, MAILS * 1000);
    g_assert_cmpuint(stats->people->len, ==, 1);
    const struct stats_person *ben = stats->people->pdata[0];
    g_assert_cmpstr(ben->addr, ==, "ben@example.com");
    world_end(&box.world);
}

/* Every line fits, and in a plain locale there is nothing but ASCII. */
static void
test_lines(void)
{
    struct box box;
    g_autoptr(GError) error = NULL;
    fill(&box);
    g_autoptr(struct_stats) stats = stats_load(box.world.store, NOW, 24, 3, &error);
    static const int widths[] = {60, 80, 120, 200};
    for (guint i = 0; i < G_N_ELEMENTS(widths); i++)
        for (guint plain = 0; plain < 2; plain++) {
            g_autoptr(GPtrArray) lines = stats_to_lines(stats, widths[i], plain);
            gboolean has_bar = FALSE;
            for (guint k = 0; k < lines->len; k++) {
                const char *line = lines->pdata[k];
                g_assert_cmpint(g_utf8_strlen(line, -1), <=, widths[i]);
                g_assert_true(!plain || g_str_is_ascii(line));
                has_bar = has_bar || strstr(line, plain ? "##" : "██");
            }
            g_assert_true(has_bar);
        }
    g_autoptr(struct_stats) none = stats_load(box.world.store, 86400, 1, 0, &error);
    g_autoptr(GPtrArray) lines = stats_to_lines(none, 80, FALSE);
    g_assert_cmpuint(lines->len, ==, 1);
    world_end(&box.world);
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stats/agrees", test_agrees);
    g_test_add_func("/stats/folders", test_folders);
    g_test_add_func("/stats/lines", test_lines);
    return g_test_run();
}
