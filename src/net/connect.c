/* Opening the socket of a stream: look-up, then the addresses raced (RFC 8305), families taking turns. */
#include "config.h"

#include "net/network.h"
#include "net/resolve.h"
#include "net/stream_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESSES_MAX 8
/* Of the whole limit for connecting, the most for the name, and for all addresses to answer in (N5): what does not come
 * by then is asked for anew, before the kernel's own pauses grow long. */
#define NO_ANSWER_MS 10000
#define NEXT_ADDRESS_MS 250 /* the delay that RFC 8305 recommends; a dead IPv6 costs no more */

struct attempt {
    const struct addrinfo *address;
    int fd; /* -1 before it started and after it failed */
    int error;
};

static gboolean
is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_UNIX)
        return TRUE;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
    }
    return FALSE;
}

static char *
describe_address(const struct sockaddr *address, socklen_t length)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (address->sa_family == AF_UNIX)
        return g_strdup("local socket");
    if (getnameinfo(address, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) !=
        0)
        return g_strdup("?");
    return g_strdup_printf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

void
stream_learn_peer(struct stream *stream)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (getpeername(stream->fd, (struct sockaddr *)&address, &length) < 0)
        return;
    g_free(stream->peer);
    stream->peer = describe_address((struct sockaddr *)&address, length);
    stream->loopback = is_loopback((struct sockaddr *)&address);
}

static void
tune(int fd)
{
    const int one = 1, idle = 60, interval = 10, count = 3, unanswered_ms = 90 * 1000;
    /* All of it is for the better only: a failure changes nothing that matters. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* A peer that vanished is noticed within 90 s, idle or not. */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

/* TRUE when it is connected at once. */
static gboolean
attempt_start(struct attempt *attempt)
{
    const struct addrinfo *address = attempt->address;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        attempt->error = errno;
        return FALSE;
    }
    tune(fd);
    network_enter(fd);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        attempt->fd = fd;
        return TRUE;
    }
    if (errno == EINPROGRESS || errno == EINTR) {
        attempt->fd = fd;
        return FALSE;
    }
    attempt->error = errno;
    network_leave(fd);
    close(fd);
    return FALSE;
}

/* After poll() said something about it: TRUE when it is connected. */
static gboolean
attempt_finish(struct attempt *attempt)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    if (error == 0)
        return TRUE;
    attempt->error = error;
    network_leave(attempt->fd);
    close(attempt->fd);
    attempt->fd = -1;
    return FALSE;
}

/* The families take turns, the system's favourite first. */
static guint
line_up(struct attempt *attempts, const struct addrinfo *addresses)
{
    const struct addrinfo *next[2] = {addresses, addresses};
    int favourite = addresses->ai_family;
    guint n = 0;
    for (guint turn = 0; n < ADDRESSES_MAX && (next[0] || next[1]); turn++) {
        const struct addrinfo **of = &next[turn % 2];
        while (*of && ((*of)->ai_family == favourite) != (turn % 2 == 0))
            *of = (*of)->ai_next;
        if (*of) {
            attempts[n++] = (struct attempt){.address = *of, .fd = -1};
            *of = (*of)->ai_next;
        }
    }
    return n;
}

static gboolean
fail_all(struct stream *stream, const struct attempt *attempts, guint n, gboolean timeout, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < n; i++) {
        g_autofree char *address =
            describe_address(attempts[i].address->ai_addr, attempts[i].address->ai_addrlen);
        g_string_append_printf(list, "%s%s: %s", i ? "; " : "", address,
                               attempts[i].error ? g_strerror(attempts[i].error) : "no answer");
    }
    return stream_fail(stream, timeout ? STREAM_TIMEOUT : STREAM_TCP, ERROR_RETRY, error,
                       "cannot be reached (%s): check the network, the server name and the port", list->str);
}

/* Waits for one of the attempts under way. -1: none is connected yet; the caller looks at the clock. */
static int
wait_for_one(struct stream *stream, struct attempt *attempts, guint n, int milliseconds)
{
    struct pollfd fds[ADDRESSES_MAX + 1];
    for (guint i = 0; i < n; i++)
        fds[i] = (struct pollfd){.fd = attempts[i].fd, .events = POLLOUT};
    fds[n] = (struct pollfd){.fd = cancel_get_fd(stream->cancel), .events = POLLIN};
    if (poll(fds, n + 1, milliseconds) <= 0)
        return -1;
    for (guint i = 0; i < n; i++)
        if (fds[i].revents && attempt_finish(&attempts[i]))
            return (int)i;
    return -1;
}

static int
race(struct stream *stream, struct attempt *attempts, guint n, GError **error)
{
    guint started = 0;
    gint64 next_start = 0, end = g_get_monotonic_time() + NO_ANSWER_MS * 1000;
    for (;;) {
        guint running = 0;
        for (guint i = 0; i < started; i++)
            running += attempts[i].fd >= 0;
        if (cancel_is_triggered(stream->cancel)) {
            stream_fail(stream, STREAM_CANCELLED, ERROR_CANCELLED, error, "stopped while connecting");
            return -1;
        }
        gint64 patience = MAX(end - g_get_monotonic_time(), 0) / 1000;
        int left = (int)MIN(patience, stream_connect_time_left(stream));
        if (left == 0 || (running == 0 && started == n)) {
            fail_all(stream, attempts, n, left == 0, error);
            return -1;
        }
        gint64 now = g_get_monotonic_time();
        if (started < n && (running == 0 || now >= next_start)) {
            next_start = now + NEXT_ADDRESS_MS * 1000;
            if (attempt_start(&attempts[started++]))
                return (int)started - 1;
            continue;
        }
        if (started < n)
            left = MIN(left, (int)((next_start - now) / 1000) + 1);
        int winner = wait_for_one(stream, attempts, started, left);
        if (winner >= 0)
            return winner;
    }
}

static struct addrinfo *
look_up(struct stream *stream, GError **error)
{
    struct addrinfo *addresses = NULL;
    const char *why = NULL;
    const char *host = stream->endpoint->host;
    switch (resolve(host, stream->endpoint->port, MIN(stream_connect_time_left(stream), NO_ANSWER_MS), stream->cancel,
                    &addresses, &why)) {
    case RESOLVE_OK:
        return addresses;
    case RESOLVE_FAILED:
        stream_fail(stream, STREAM_DNS, ERROR_RETRY, error,
                    "the name %s cannot be resolved (%s): check the spelling and the network", host, why);
        break;
    case RESOLVE_TIMEOUT:
        stream_fail(stream, STREAM_DNS, ERROR_RETRY, error,
                    "the name %s was not resolved in time: check the network", host);
        break;
    case RESOLVE_CANCELLED:
        stream_fail(stream, STREAM_CANCELLED, ERROR_CANCELLED, error, "stopped while resolving the name");
        break;
    }
    return NULL;
}

gboolean
stream_open_socket(struct stream *stream, GError **error)
{
    struct attempt attempts[ADDRESSES_MAX];
    struct addrinfo *addresses = look_up(stream, error);
    if (!addresses)
        return FALSE;
    /* Without TLS nothing leaves this machine, not even a SYN. */
    if (stream->endpoint->tls == TLS_NONE)
        for (const struct addrinfo *a = addresses; a; a = a->ai_next)
            if (!is_loopback(a->ai_addr)) {
                g_autofree char *address = describe_address(a->ai_addr, a->ai_addrlen);
                freeaddrinfo(addresses);
                return stream_fail(stream, STREAM_POLICY, ERROR_CONFIG, error,
                                   "tls = none is for this machine only, and %s is another one: use TLS",
                                   address);
            }
    guint n = line_up(attempts, addresses);
    int winner = race(stream, attempts, n, error);
    for (guint i = 0; i < n; i++)
        if ((int)i != winner && attempts[i].fd >= 0) {
            network_leave(attempts[i].fd);
            close(attempts[i].fd);
        }
    freeaddrinfo(addresses);
    if (winner < 0)
        return FALSE;
    stream->fd = attempts[winner].fd;
    stream_learn_peer(stream);
    return TRUE;
}
