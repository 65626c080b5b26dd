#include "config.h"

#include "base/error.h"
#include "base/record.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TYPE G_VARIANT_TYPE("(us)")
#define LIMIT 100000

static void
make_pair(int ends[2])
{
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
}

static gint64
soon(void)
{
    return g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
}

static void
test_round_trip(void)
{
    int ends[2];
    g_autoptr(GError) error = NULL;
    gboolean ended;
    make_pair(ends);
    static const gsize sizes[] = {0, 1, 4079, 4080, 4081, 50000};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = g_strnfill(sizes[i], 'x');
        g_assert_true(
            record_write(ends[0], g_variant_new("(us)", (guint)i, text), i % 2 ? soon() : 0, &error));
        g_assert_no_error(error);
        g_autoptr(GVariant) value = record_read(ends[1], TYPE, LIMIT, i % 2 ? 0 : soon(), &ended, &error);
        g_assert_no_error(error);
        guint number;
        const char *got;
        g_variant_get(value, "(u&s)", &number, &got);
        g_assert_cmpuint(number, ==, i);
        g_assert_cmpstr(got, ==, text);
    }
    close(ends[0]);
    g_assert_null(record_read(ends[1], TYPE, LIMIT, soon(), &ended, &error));
    g_assert_error(error, RECORD_ERROR, ERROR_IO);
    g_assert_true(ended);
    g_clear_error(&error);
    /* asking without wanting to know */
    g_assert_null(record_read(ends[1], TYPE, LIMIT, soon(), NULL, NULL));
    close(ends[1]);
}

struct bad {
    const char *what;
    const guint8 *bytes;
    gsize length;
    int code;
    gboolean ended;
};

/* What the other side may send once it was taken over. */
static void
test_hostile(void)
{
    static const guint8 no_magic[] = {'x', 'x', 'x', 'x', 4, 0, 0, 0, 0, 0, 0, 0};
    static const guint8 huge[] = {'P', 'R', 'e', 'c', 0xff, 0xff, 0xff, 0xff};
    static const guint8 over[] = {'P', 'R', 'e', 'c', 0xa1, 0x86, 1, 0}; /* LIMIT + 1 */
    static const guint8 half_header[] = {'P', 'R', 'e'};
    static const guint8 half_body[] = {'P', 'R', 'e', 'c', 6, 0, 0, 0, 1, 0};
    static const guint8 not_normal[] = {'P', 'R', 'e', 'c', 6, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff};
    static const guint8 short_value[] = {'P', 'R', 'e', 'c', 0, 0, 0, 0};
    const struct bad cases[] = {
        {"no magic", no_magic, sizeof no_magic, ERROR_GIVEUP, FALSE},
        {"4 GB", huge, sizeof huge, ERROR_GIVEUP, FALSE},
        {"over the limit", over, sizeof over, ERROR_GIVEUP, FALSE},
        {"half a header", half_header, sizeof half_header, ERROR_IO, FALSE},
        {"half a body", half_body, sizeof half_body, ERROR_IO, FALSE},
        {"no text", not_normal, sizeof not_normal, ERROR_GIVEUP, FALSE},
        {"too short for the type", short_value, sizeof short_value, ERROR_GIVEUP, FALSE},
        {"nothing", NULL, 0, ERROR_IO, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint queued = 0; queued < 2; queued++) {
            int ends[2];
            gboolean ended = FALSE;
            g_autoptr(GError) error = NULL;
            make_pair(ends);
            if (cases[i].length)
                g_assert_cmpint(write(ends[0], cases[i].bytes, cases[i].length), ==, (gssize)cases[i].length);
            close(ends[0]);
            if (queued) {
                g_autoptr(struct_record_queue) queue = record_queue_new(ends[1], TYPE, LIMIT);
                while (!error && record_queue_fill(queue, &ended, &error))
                    g_assert_null(record_queue_take(queue, &error));
            } else {
                g_assert_null(record_read(ends[1], TYPE, LIMIT, soon(), &ended, &error));
            }
            g_assert_nonnull(error);
            g_assert_cmpint(error->code, ==, cases[i].code);
            g_assert_cmpint(ended, ==, cases[i].ended);
            close(ends[1]);
        }
    }
}

static void
test_deadline(void)
{
    int ends[2];
    g_autoptr(GError) error = NULL;
    make_pair(ends);
    g_assert_null(record_read(ends[1], TYPE, LIMIT, g_get_monotonic_time() + 1000, NULL, &error));
    g_assert_error(error, RECORD_ERROR, ERROR_RETRY);
    g_clear_error(&error);
    /* nobody reads: the pipe fills */
    g_autofree char *text = g_strnfill(8 * 1024 * 1024, 'x');
    g_assert_false(
        record_write(ends[0], g_variant_new("(us)", 1, text), g_get_monotonic_time() + 1000, &error));
    g_assert_error(error, RECORD_ERROR, ERROR_RETRY);
    g_clear_error(&error);
    close(ends[1]);
    g_assert_false(record_write(ends[0], g_variant_new("(us)", 1, ""), soon(), &error));
    g_assert_error(error, RECORD_ERROR, ERROR_IO); /* and no SIGPIPE */
    close(ends[0]);
}

static void
test_pipe(void)
{
    int ends[2];
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autofree char *text = g_strnfill(20000, 'y');
    g_assert_true(record_write(ends[1], g_variant_new("(us)", 1, text), soon(), &error));
    g_assert_no_error(error);
    g_autoptr(GVariant) value = record_read(ends[0], TYPE, LIMIT, soon(), NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(value);
    close(ends[0]);
    close(ends[1]);
}

/* Many records of all sizes both ways at once without either side waiting for the other. */
static void
test_queue(void)
{
    enum { COUNT = 2000 };
    int ends[2];
    guint got[2] = {0, 0};
    g_autoptr(GError) error = NULL;
    make_pair(ends);
    for (guint e = 0; e < 2; e++)
        (void)fcntl(ends[e], F_SETFL, O_NONBLOCK);
    g_autoptr(struct_record_queue) a = record_queue_new(ends[0], TYPE, LIMIT);
    g_autoptr(struct_record_queue) b = record_queue_new(ends[1], TYPE, LIMIT);
    struct record_queue *queues[2] = {a, b};
    for (guint i = 0; i < COUNT; i++)
        for (guint e = 0; e < 2; e++) {
            g_autofree char *text = g_strnfill(i * 7 % 3001, 'z');
            g_assert_true(record_queue_put(queues[e], g_variant_new("(us)", i, text), &error));
        }
    g_assert_cmpuint(record_queue_unsent(a), >, 0);
    while (got[0] < COUNT || got[1] < COUNT) {
        for (guint e = 0; e < 2; e++) {
            gboolean ended;
            g_assert_true(record_queue_flush(queues[e], &error));
            g_assert_true(record_queue_fill(queues[e], &ended, &error));
            for (;;) {
                g_autoptr(GVariant) value = record_queue_take(queues[e], &error);
                g_assert_no_error(error);
                if (!value)
                    break;
                guint number;
                const char *text;
                g_variant_get(value, "(u&s)", &number, &text);
                g_assert_cmpuint(number, ==, got[e]);
                g_assert_cmpuint(strlen(text), ==, number * 7 % 3001);
                got[e]++;
            }
        }
    }
    g_assert_cmpuint(record_queue_unsent(a), ==, 0);
    g_assert_false(record_queue_partial(a));
    close(ends[0]);
    close(ends[1]);
}

/* Bytes beside a value: whole, in order, and only where they are expected. */
static void
test_blob(void)
{
    int ends[2];
    g_autoptr(GError) error = NULL;
    make_pair(ends);
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    g_autoptr(struct_record_queue) queue = record_queue_new(ends[1], TYPE, 30000);
    static const gsize sizes[] = {0, 1, 20000};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GBytes) blob = g_bytes_new_take(g_malloc0(sizes[i] + 1), sizes[i]);
        g_assert_true(record_write_blob(ends[0], g_variant_new("(us)", (guint)i, "x"), blob, soon(), &error));
        g_assert_true(record_write(ends[0], g_variant_new("(us)", (guint)i, "y"), soon(), &error));
        for (guint n = 0; n < 2;) {
            g_autoptr(GBytes) got = NULL;
            g_autoptr(GVariant) value = record_queue_take_blob(queue, &got, &error);
            g_assert_no_error(error);
            if (!value) {
                g_assert_true(record_queue_fill(queue, NULL, &error));
                continue;
            }
            g_assert_true((got != NULL) == (n == 0));
            if (got)
                g_assert_true(g_bytes_equal(got, blob));
            n++;
        }
    }
    /* not expected, and too long */
    g_autoptr(GBytes) blob = g_bytes_new_take(g_malloc0(30000 + 1), 30000 + 1);
    g_assert_true(record_write_blob(ends[0], g_variant_new("(us)", 1, "x"), blob, soon(), &error));
    while (!record_queue_partial(queue))
        g_assert_true(record_queue_fill(queue, NULL, &error));
    g_assert_null(record_queue_take(queue, &error));
    g_assert_error(error, RECORD_ERROR, ERROR_GIVEUP);
    g_clear_error(&error);
    g_autoptr(GBytes) got = NULL;
    while (!error) {
        g_assert_null(record_queue_take_blob(queue, &got, &error));
        if (!error)
            g_assert_true(record_queue_fill(queue, NULL, &error));
    }
    g_assert_error(error, RECORD_ERROR, ERROR_GIVEUP);
    close(ends[0]);
    close(ends[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_DFL);
    g_test_add_func("/record/round-trip", test_round_trip);
    g_test_add_func("/record/hostile", test_hostile);
    g_test_add_func("/record/deadline", test_deadline);
    g_test_add_func("/record/pipe", test_pipe);
    g_test_add_func("/record/queue", test_queue);
    g_test_add_func("/record/blob", test_blob);
    return g_test_run();
}
