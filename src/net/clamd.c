#include "config.h"

#include "net/clamd.h"

#include "base/error.h"
#include "base/i18n.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
#define REPLY_MAX 4096

G_DEFINE_QUARK(clamd - error, clamd_error)

struct talk {
    int fd;
    const char *path;
    gint64 deadline;
};

static gboolean
fail(const struct talk *talk, const char *why, GError **error)
{
    g_set_error(error, CLAMD_ERROR, ERROR_RETRY, _("the virus scanner at %s did not answer: %s"), talk->path,
                why);
    return FALSE;
}

static gboolean
wait_for(const struct talk *talk, short events, GError **error)
{
    struct pollfd fd = {.fd = talk->fd, .events = events};
    gint64 left;
    while ((left = (talk->deadline - g_get_monotonic_time()) / 1000) > 0) {
        int n = poll(&fd, 1, (int)MIN(left, G_MAXINT));
        if (n > 0)
            return TRUE;
        if (n < 0 && errno != EINTR)
            return fail(talk, g_strerror(errno), error);
    }
    return fail(talk, g_strerror(ETIMEDOUT), error);
}

static gboolean
send_all(const struct talk *talk, const void *bytes, gsize length, GError **error)
{
    const char *p = bytes;
    while (length) {
        if (!wait_for(talk, POLLOUT, error))
            return FALSE;
        gssize n = send(talk->fd, p, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return fail(talk, g_strerror(errno), error);
        p += MAX(n, 0);
        length -= (gsize)MAX(n, 0);
    }
    return TRUE;
}

static gboolean
send_stream(const struct talk *talk, GBytes *bytes, GError **error)
{
    gsize length;
    const char *p = g_bytes_get_data(bytes, &length);
    if (!send_all(talk, "zINSTREAM", sizeof "zINSTREAM", error))
        return FALSE;
    while (length) {
        gsize n = MIN(length, CHUNK);
        guint32 size = GUINT32_TO_BE((guint32)n);
        if (!send_all(talk, &size, sizeof size, error) || !send_all(talk, p, n, error))
            return FALSE;
        p += n;
        length -= n;
    }
    guint32 end = 0;
    return send_all(talk, &end, sizeof end, error);
}

/* Up to its NUL, or the end. */
static char *
read_reply(const struct talk *talk, GError **error)
{
    g_autoptr(GString) reply = g_string_new(NULL);
    while (reply->len < REPLY_MAX) {
        char buffer[512];
        if (!wait_for(talk, POLLIN, error))
            return NULL;
        gssize n = recv(talk->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            fail(talk, g_strerror(errno), error);
            return NULL;
        }
        g_string_append_len(reply, buffer, MAX(n, 0));
        if (n == 0 || memchr(reply->str, '\0', reply->len))
            break;
    }
    return g_utf8_make_valid(reply->str, (gssize)strlen(reply->str));
}

/* "stream: OK", "stream: NAME FOUND", "… ERROR". */
static gboolean
understand(const struct talk *talk, char *reply, char **found, GError **error)
{
    g_strstrip(reply);
    if (!strcmp(reply, "stream: OK"))
        return TRUE;
    if (!g_str_has_prefix(reply, "stream: ") || !g_str_has_suffix(reply, " FOUND"))
        return fail(talk, *reply ? reply : _("it closed the connection"), error);
    *found = g_strndup(reply + 8, strlen(reply) - 8 - 6);
    return TRUE;
}

static gboolean
open_socket(struct talk *talk, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (g_strlcpy(address.sun_path, talk->path, sizeof address.sun_path) >= sizeof address.sun_path)
        return fail(talk, g_strerror(ENAMETOOLONG), error);
    talk->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (talk->fd >= 0 && connect(talk->fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return TRUE;
    return fail(talk, g_strerror(errno), error);
}

gboolean
clamd_scan(const char *socket_path, GBytes *bytes, char **found, GError **error)
{
    struct talk talk = {-1, socket_path, g_get_monotonic_time() + (gint64)CLAMD_SECONDS * G_USEC_PER_SEC};
    g_autofree char *reply = NULL;
    g_autoptr(GError) broken = NULL;
    *found = NULL;
    gboolean ok = open_socket(&talk, error);
    if (ok) {
        /* It may have answered (too large) before it took everything: that says more than a broken pipe. */
        gboolean sent = send_stream(&talk, bytes, &broken);
        reply = read_reply(&talk, sent ? error : NULL);
        ok = reply != NULL && (sent || *reply);
        if (!ok && !sent && error)
            g_propagate_error(error, g_steal_pointer(&broken));
    }
    ok = ok && understand(&talk, reply, found, error);
    if (talk.fd >= 0)
        close(talk.fd);
    return ok;
}
