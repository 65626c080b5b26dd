#include "config.h"

#include "trust/check.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "base/record.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "postrider-check"
#define ANSWER_MAX (1024 * 1024)
#define GRACE_MS 10000

G_DEFINE_QUARK(postrider_check_error, check_error)

static struct authentication *
converse(int fd, const struct check_input *input, const char *resolver, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)(CHECK_LIMIT_MS + GRACE_MS) * 1000;
    GVariant *request = g_variant_new(CHECK_REQUEST_TYPE, input->from, input->ip, input->helo,
                                      input->mail_from, resolver, input->when);
    if (!record_write_blob(fd, request, input->message, deadline, error))
        return NULL;
    g_autoptr(GVariant) answer =
        record_read(fd, G_VARIANT_TYPE(CHECK_ANSWER_TYPE), ANSWER_MAX, deadline, NULL, error);
    if (!answer)
        return NULL;
    g_autoptr(GVariant) found = NULL;
    const char *why;
    g_variant_get(answer, "(m@" AUTHENTICATION_TYPE "&s)", &found, &why);
    if (found)
        return authentication_from_variant(found);
    g_set_error_literal(error, CHECK_ERROR, ERROR_CONFIG, why);
    return NULL;
}

struct authentication *
check_run(const struct check_input *input, const char *resolver, GError **error)
{
    int ends[2];
    GPid pid;
    g_autofree char *path = paths_program(PROGRAM);
    const char *const argv[] = {path, NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        error_set_errno(error, CHECK_ERROR, errno, _("starting %s"), PROGRAM);
        return NULL;
    }
    gboolean started = g_spawn_async_with_fds(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                              NULL, &pid, ends[1], ends[1], -1, error);
    close(ends[1]);
    struct authentication *found = started ? converse(ends[0], input, resolver, error) : NULL;
    close(ends[0]);
    while (started && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return found;
}

const char *
check_author(const struct envelope *envelope)
{
    const struct address *author = address_list_get(envelope->from, 0);
    if (envelope->flags & ENVELOPE_TWO_FROM || envelope->from->len != 1 || !author->addr)
        return NULL;
    const char *domain = address_domain(author->addr);
    return *domain ? domain : NULL;
}
