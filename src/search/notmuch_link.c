#include "config.h"

#include "search/notmuch_link.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/record.h"
#include "search/error.h"

#define SEND_SECONDS 10

struct notmuch_link {
    char **argv;
    GPid pid; /* 0: no process */
    int fd;
};

struct notmuch_link *
notmuch_link_new(const char *const *argv)
{
    struct notmuch_link *link = g_new0(struct notmuch_link, 1);
    link->argv = g_strdupv((char **)argv);
    link->fd = -1;
    return link;
}

void
notmuch_link_free(struct notmuch_link *link)
{
    notmuch_link_stop(link, TRUE);
    g_strfreev(link->argv);
    g_free(link);
}

int
notmuch_link_stop(struct notmuch_link *link, gboolean by_force)
{
    int status = 0;
    if (!link->pid)
        return 0;
    if (by_force)
        kill(link->pid, SIGKILL);
    close(link->fd);
    link->fd = -1;
    while (waitpid(link->pid, &status, 0) < 0 && errno == EINTR)
        ;
    g_spawn_close_pid(link->pid);
    link->pid = 0;
    return status;
}

static gboolean
start(struct notmuch_link *link, GError **error)
{
    int pair[2];
    if (link->pid)
        return TRUE;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        error_set_errno(error, SEARCH_ERROR, errno, "cannot talk to the indexer");
        return FALSE;
    }
    gboolean ok =
        g_spawn_async_with_fds(NULL, link->argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                               NULL, NULL, &link->pid, pair[1], -1, STDERR_FILENO, error);
    close(pair[1]);
    if (!ok) {
        close(pair[0]);
        link->pid = 0;
        return FALSE;
    }
    link->fd = pair[0];
    return TRUE;
}

gboolean
notmuch_link_send(struct notmuch_link *link, enum notmuch_request kind, const char *mail_dir,
                  guint64 revision, guint milliseconds, GVariantBuilder *jobs, GError **error)
{
    GVariantBuilder none;
    if (!jobs) {
        g_variant_builder_init(&none, G_VARIANT_TYPE("a" NOTMUCH_JOB_TYPE));
        jobs = &none;
    }
    g_autoptr(GVariant) request = g_variant_ref_sink(
        g_variant_new("(ystua" NOTMUCH_JOB_TYPE ")", (guchar)kind, mail_dir, revision, milliseconds, jobs));
    if (start(link, error) &&
        record_write(link->fd, request, clock_monotonic() + SEND_SECONDS * G_USEC_PER_SEC, error))
        return TRUE;
    notmuch_link_stop(link, TRUE);
    return FALSE;
}

void
notmuch_answer_clear(struct notmuch_answer *answer)
{
    g_clear_pointer(&answer->value, g_variant_unref);
}

gboolean
notmuch_link_read(struct notmuch_link *link, guint seconds, struct notmuch_answer *answer, GError **error)
{
    guchar kind;
    notmuch_answer_clear(answer);
    answer->value = record_read(link->fd, G_VARIANT_TYPE(NOTMUCH_REPLY_TYPE), NOTMUCH_REPLY_MAX,
                                clock_monotonic() + (gint64)seconds * G_USEC_PER_SEC, NULL, error);
    if (!answer->value)
        return FALSE;
    g_variant_get(answer->value, "(ytt&suu&s&s)", &kind, &answer->number, &answer->revision, &answer->text,
                  &answer->set, &answer->clear, &answer->add, &answer->remove);
    answer->kind = kind;
    return TRUE;
}
