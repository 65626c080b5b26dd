#include "config.h"

#include "net/resolve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
    gatomicrefcount references; /* the caller's and the thread's */
    char *host;
    char port[6];
    int done_fd; /* an eventfd, readable when the rest is set */
    int status;  /* EAI_* */
    int error;   /* errno for EAI_SYSTEM */
    struct addrinfo *addresses;
};

static void
job_unref(struct job *job)
{
    if (!g_atomic_ref_count_dec(&job->references))
        return;
    if (job->addresses)
        freeaddrinfo(job->addresses);
    close(job->done_fd);
    g_free(job->host);
    g_free(job);
}

static void
job_run(struct job *job, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    job->status = getaddrinfo(job->host, job->port, &hints, &job->addresses);
    job->error = errno;
}

static gpointer
job_thread(gpointer data)
{
    struct job *job = data;
    const guint64 one = 1;
    job_run(job, 0);
    while (write(job->done_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    job_unref(job);
    return NULL;
}

static enum resolve_status
job_wait(struct job *job, int milliseconds, struct cancel *cancel)
{
    gint64 end = g_get_monotonic_time() + (gint64)milliseconds * 1000;
    for (;;) {
        gint64 left = (end - g_get_monotonic_time()) / 1000;
        struct pollfd fds[] = {{.fd = job->done_fd, .events = POLLIN},
                               {.fd = cancel_get_fd(cancel), .events = POLLIN}};
        int n = poll(fds, G_N_ELEMENTS(fds), (int)MAX(left, 0));
        if (cancel_is_triggered(cancel))
            return RESOLVE_CANCELLED;
        if (n > 0 && fds[0].revents) {
            guint64 count;
            /* Also orders the thread's writes before our reads. */
            while (read(job->done_fd, &count, sizeof count) < 0 && errno == EINTR)
                ;
            return RESOLVE_OK;
        }
        if (left <= 0)
            return RESOLVE_TIMEOUT;
    }
}

enum resolve_status
resolve(const char *host, guint16 port, int milliseconds, struct cancel *cancel, struct addrinfo **addresses,
        const char **why)
{
    struct job *job = g_new0(struct job, 1);
    enum resolve_status status = RESOLVE_OK;
    g_autofree char *ascii = g_hostname_to_ascii(host);
    g_atomic_ref_count_init(&job->references);
    job->host = g_strdup(ascii ? ascii : host);
    g_snprintf(job->port, sizeof job->port, "%u", port);
    job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (job->done_fd < 0)
        g_error("no descriptor for a name look-up: %s", g_strerror(errno));

    job_run(job, AI_NUMERICHOST);
    if (job->status == EAI_NONAME) {
        g_atomic_ref_count_inc(&job->references);
        GThread *thread = g_thread_try_new("resolve", job_thread, job, NULL);
        if (thread) {
            g_thread_unref(thread);
            status = job_wait(job, milliseconds, cancel);
        } else {
            job_unref(job);
            *why = "no thread could be started";
            status = RESOLVE_FAILED;
        }
    }
    if (status == RESOLVE_OK && job->status != 0) {
        *why = job->status == EAI_SYSTEM ? g_strerror(job->error) : gai_strerror(job->status);
        status = RESOLVE_FAILED;
    }
    if (status == RESOLVE_OK)
        *addresses = g_steal_pointer(&job->addresses);
    job_unref(job);
    return status;
}
