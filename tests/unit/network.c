/* The network of this machine: what counts as sleep, which connections are ended. */
#include "config.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "net/cancel.h"
#include "net/network.h"
#include "net/turn.h"

#define S ((gint64)G_USEC_PER_SEC)

static void
test_slept(void)
{
    static const struct {
        gint64 monotonic, boot;
        gboolean slept;
    } rows[] = {
        {0, 0, FALSE},           {3600 * S, 3600 * S, FALSE},   {60 * S, 61 * S, FALSE}, /* read one after the other */
        {60 * S, 63 * S, TRUE},  {1, 8 * 3600 * S, TRUE},       {5 * S, 4 * S, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 monotonic = 1000 * S, boot = 2000 * S; /* it had slept before we began */
        g_assert_cmpint(network_has_slept(monotonic, boot, monotonic + rows[i].monotonic, boot + rows[i].boot), ==,
                        rows[i].slept);
    }
}

/* Nothing happens: the wait ends with its time, or with the other descriptor, at once. */
static void
test_quiet(void)
{
    struct network *network = network_new();
    g_autoptr(struct_cancel) cancel = cancel_new();
    g_assert_cmpuint(network_wait(network, 20, cancel_get_fd(cancel)), ==, NETWORK_NONE);
    cancel_trigger(cancel);
    gint64 begun = g_get_monotonic_time();
    g_assert_cmpuint(network_wait(network, -1, cancel_get_fd(cancel)), ==, NETWORK_NONE);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, S / 2);
    network_free(network);
}

/* A connection to this machine lives whatever the network does. */
static void
test_local(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &length), ==, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, length), ==, 0);
    network_enter(fd);
    g_assert_cmpuint(network_break(), ==, 0);
    g_assert_cmpint(send(fd, "x", 1, MSG_NOSIGNAL), ==, 1);
    network_leave(fd);
    network_leave(fd); /* twice is no harm */
    close(fd);
    close(listener);
}

/* ---- turns ---- */

static gpointer
succeed_later(gpointer data G_GNUC_UNUSED)
{
    g_usleep(100 * 1000);
    turn_succeeded("a:993");
    return NULL;
}

static gint64
wait_ms(const char *server, guint limit, enum turn_answer expected)
{
    gint64 begun = g_get_monotonic_time();
    g_assert_cmpint(turn_wait(server, limit, NULL), ==, expected);
    return (g_get_monotonic_time() - begun) / 1000;
}

static void
test_turns(void)
{
    g_autofree char *dir = g_dir_make_tmp("turnXXXXXX", NULL);
    g_assert_cmpint(wait_ms("a:993", 0, TURN_YOURS), <, 1000); /* off: everybody's */
    g_assert_cmpint(wait_ms("a:993", 0, TURN_YOURS), <, 1000);
    turn_begin(dir);
    wait_ms("a:993", 0, TURN_YOURS);
    wait_ms("a:993", 0, TURN_NOT_YET); /* the first is still at it */
    wait_ms("b:993", 0, TURN_YOURS);   /* another server */
    GThread *thread = g_thread_new("first", succeed_later, NULL);
    g_assert_cmpint(wait_ms("a:993", 4000, TURN_YOURS), <, 4000); /* it got in: the next at once */
    g_thread_join(thread);
    g_assert_cmpint(wait_ms("b:993", 20000, TURN_YOURS), >, 4000); /* it did not: five seconds from its beginning */
    g_autoptr(struct_cancel) cancel = cancel_new();
    cancel_trigger(cancel);
    g_assert_cmpint(turn_wait("b:993", 20000, cancel), ==, TURN_CANCELLED);
    turn_begin(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/network/slept", test_slept);
    g_test_add_func("/network/quiet", test_quiet);
    g_test_add_func("/network/local", test_local);
    g_test_add_func("/network/turns", test_turns);
    return g_test_run();
}
