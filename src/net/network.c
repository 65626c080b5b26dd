#include "config.h"

#include "net/network.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SLEPT_US (2 * G_USEC_PER_SEC)
/* An interface that comes up says so many times: carrier, addresses, routes. */
#define SETTLE_MS 300
#define LOOK_EVERY_MS 5000

struct network {
    int fd;    /* rtnetlink; -1: not allowed */
    int timer; /* readable when the wall clock was set, as after a sleep; -1: not to be had */
    gint64 monotonic, boot;
    char *seen; /* the network as it was when looked at last */
};

static GMutex lock;
static GArray *entered; /* int: descriptors of open connections */

/* ---- sleep ---- */

static gint64
read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

gboolean
network_has_slept(gint64 monotonic_before, gint64 boot_before, gint64 monotonic, gint64 boot)
{
    return (boot - boot_before) - (monotonic - monotonic_before) > SLEPT_US;
}

static gboolean
has_slept(struct network *network)
{
    gint64 monotonic = read_clock(CLOCK_MONOTONIC), boot = read_clock(CLOCK_BOOTTIME);
    gboolean slept = network_has_slept(network->monotonic, network->boot, monotonic, boot);
    network->monotonic = monotonic;
    network->boot = boot;
    return slept;
}

/* A timer that never rings, but ends when the clock is set: the kernel does so when it wakes. */
static int
open_timer(void)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    struct itimerspec never = {.it_value = {.tv_sec = G_MAXINT32}};
    if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0)
        return fd;
    close(fd);
    return -1;
}

/* ---- changes ---- */

static int
open_netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                               RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* What it says does not matter, nor whether all of it came: it is time to look. */
static gboolean
take_netlink(struct network *network)
{
    char buffer[16384];
    ssize_t got;
    do
        got = recv(network->fd, buffer, sizeof buffer, 0);
    while (got > 0 || (got < 0 && (errno == EINTR || errno == ENOBUFS)));
    return TRUE;
}

/* The addresses that can be sent from. */
static void
look_at_addresses(GString *seen)
{
    struct ifaddrs *addresses;
    if (getifaddrs(&addresses) < 0)
        return;
    for (const struct ifaddrs *a = addresses; a; a = a->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        if (!a->ifa_addr || (a->ifa_flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING))
            continue;
        if (a->ifa_addr->sa_family == AF_INET)
            inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr, text, sizeof text);
        else if (a->ifa_addr->sa_family == AF_INET6)
            inet_ntop(AF_INET6, &((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr, text, sizeof text);
        g_string_append_printf(seen, "%s %s\n", a->ifa_name, text);
    }
    freeifaddrs(addresses);
}

/* The ways out: of IPv4 all routes, of IPv6 the default ones; that table also counts its use. */
static void
look_at_routes(GString *seen)
{
    g_autofree char *routes = NULL, *routes6 = NULL;
    if (g_file_get_contents("/proc/net/route", &routes, NULL, NULL))
        g_string_append(seen, routes);
    if (!g_file_get_contents("/proc/net/ipv6_route", &routes6, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(routes6, "\n", -1);
    for (char **line = lines; *line; line++) {
        char to[33], gateway[33], device[33];
        unsigned bits;
        if (sscanf(*line, "%32s %x %*s %*s %32s %*s %*s %*s %*s %32s", to, &bits, gateway, device) == 4 && bits == 0)
            g_string_append_printf(seen, "%s %s\n", gateway, device);
    }
}

static char *
look(void)
{
    GString *seen = g_string_new(NULL);
    look_at_addresses(seen);
    look_at_routes(seen);
    return g_string_free(seen, FALSE);
}

static gboolean
looks_different(struct network *network)
{
    g_autofree char *before = g_steal_pointer(&network->seen);
    network->seen = look();
    return strcmp(before, network->seen) != 0;
}

struct network *
network_new(void)
{
    struct network *network = g_new0(struct network, 1);
    network->fd = open_netlink();
    network->timer = open_timer();
    if (network->fd < 0)
        log_info("net.network", "changes of the network are not told here: they are looked for");
    network->seen = look();
    has_slept(network);
    return network;
}

void
network_free(struct network *network)
{
    if (!network)
        return;
    if (network->fd >= 0)
        close(network->fd);
    if (network->timer >= 0)
        close(network->timer);
    g_free(network->seen);
    g_free(network);
}

gboolean
network_is_told(const struct network *network)
{
    return network->fd >= 0;
}

/* Until something can be read, or it is time to look. FALSE: other_fd, or the time is over. */
static gboolean
wait_once(struct network *network, int milliseconds, int other_fd, guint *news)
{
    guint64 rings;
    gboolean looking = network->fd < 0 || network->timer < 0;
    int most = !looking ? milliseconds : milliseconds < 0 ? LOOK_EVERY_MS : MIN(milliseconds, LOOK_EVERY_MS);
    struct pollfd fds[] = {{.fd = network->fd, .events = POLLIN},
                           {.fd = network->timer, .events = POLLIN},
                           {.fd = other_fd, .events = POLLIN}};
    int n = poll(fds, G_N_ELEMENTS(fds), most);
    if (n > 0 && fds[2].revents)
        return FALSE;
    if (n > 0 && fds[1].revents && read(network->timer, &rings, sizeof rings) < 0 && errno == ECANCELED) {
        close(network->timer);
        network->timer = open_timer();
    }
    if ((network->fd < 0 || (n > 0 && fds[0].revents && take_netlink(network))) && looks_different(network))
        *news |= NETWORK_CHANGED;
    if (has_slept(network))
        *news |= NETWORK_SLEPT;
    return n != 0 || (looking && most != milliseconds);
}

guint
network_wait(struct network *network, int milliseconds, int other_fd)
{
    gint64 end = g_get_monotonic_time() + (gint64)milliseconds * 1000;
    guint news = NETWORK_NONE;
    while (!news) {
        gint64 left = (end - g_get_monotonic_time()) / 1000;
        if (!wait_once(network, milliseconds < 0 ? -1 : (int)MAX(left, 0), other_fd, &news) && !news)
            return NETWORK_NONE;
    }
    for (gint64 quiet = 0; quiet < SETTLE_MS;) {
        gint64 begun = g_get_monotonic_time();
        guint more = NETWORK_NONE;
        if (!wait_once(network, SETTLE_MS, other_fd, &more) && !more)
            break;
        news |= more;
        quiet = more ? 0 : quiet + (g_get_monotonic_time() - begun) / 1000;
    }
    return news;
}

/* ---- connections ---- */

void
network_enter(int fd)
{
    g_mutex_lock(&lock);
    if (!entered)
        entered = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_append_val(entered, fd);
    g_mutex_unlock(&lock);
}

/* Before it is closed: its number may be another's at once. */
void
network_leave(int fd)
{
    g_mutex_lock(&lock);
    for (guint i = 0; entered && i < entered->len; i++)
        if (g_array_index(entered, int, i) == fd) {
            g_array_remove_index_fast(entered, i);
            break;
        }
    g_mutex_unlock(&lock);
}

static gboolean
is_same(const struct sockaddr *a, const struct sockaddr *b)
{
    if (!a || a->sa_family != b->sa_family)
        return FALSE;
    if (a->sa_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
    return a->sa_family == AF_INET6 && !memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                                               &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                                               sizeof(struct in6_addr));
}

/* Its own end is an address that the machine has no more. */
static gboolean
has_lost_address(int fd, const struct ifaddrs *addresses)
{
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    memset(&own, 0, sizeof own);
    if (getsockname(fd, (struct sockaddr *)&own, &length) < 0 || (own.ss_family != AF_INET && own.ss_family != AF_INET6))
        return FALSE;
    if (own.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *)(void *)&own)->sin6_addr))
        return FALSE;
    for (const struct ifaddrs *a = addresses; a; a = a->ifa_next)
        if (is_same(a->ifa_addr, (struct sockaddr *)&own))
            return FALSE;
    return TRUE;
}

static gboolean
is_unanswered(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
           (info.tcpi_backoff > 0 || info.tcpi_probes > 0);
}

static gboolean
is_local(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    memset(&peer, 0, sizeof peer);
    if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0)
        return FALSE;
    if (peer.ss_family == AF_INET)
        return ntohl(((struct sockaddr_in *)(void *)&peer)->sin_addr.s_addr) >> 24 == 127;
    return peer.ss_family == AF_UNIX || (peer.ss_family == AF_INET6 &&
                                         IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)(void *)&peer)->sin6_addr));
}

guint
network_break(void)
{
    struct ifaddrs *addresses = NULL;
    gboolean known = getifaddrs(&addresses) == 0;
    guint broken = 0;
    g_mutex_lock(&lock);
    for (guint i = 0; entered && i < entered->len; i++) {
        int fd = g_array_index(entered, int, i);
        if (!is_local(fd) && (is_unanswered(fd) || (known && has_lost_address(fd, addresses))) &&
            shutdown(fd, SHUT_RDWR) == 0)
            broken++;
    }
    g_mutex_unlock(&lock);
    if (known)
        freeifaddrs(addresses);
    return broken;
}
