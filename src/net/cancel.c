#include "config.h"

#include "net/cancel.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cancel {
    gatomicrefcount references;
    int fd; /* an eventfd: readable while triggered */
    int triggered;
};

struct cancel *
cancel_new(void)
{
    struct cancel *cancel = g_new0(struct cancel, 1);
    g_atomic_ref_count_init(&cancel->references);
    cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cancel->fd < 0)
        g_error("no descriptor for a cancel object: %s", g_strerror(errno));
    return cancel;
}

struct cancel *
cancel_ref(struct cancel *cancel)
{
    if (cancel)
        g_atomic_ref_count_inc(&cancel->references);
    return cancel;
}

void
cancel_unref(struct cancel *cancel)
{
    if (!cancel || !g_atomic_ref_count_dec(&cancel->references))
        return;
    close(cancel->fd);
    g_free(cancel);
}

void
cancel_trigger(struct cancel *cancel)
{
    int saved = errno;
    guint64 one = 1;
    g_atomic_int_set(&cancel->triggered, 1);
    /* Fails only when the counter is full, and then it is readable already. */
    if (write(cancel->fd, &one, sizeof one) < 0)
        errno = saved;
}

void
cancel_reset(struct cancel *cancel)
{
    guint64 count;
    g_atomic_int_set(&cancel->triggered, 0);
    while (read(cancel->fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

gboolean
cancel_is_triggered(const struct cancel *cancel)
{
    return cancel && g_atomic_int_get(&cancel->triggered);
}

int
cancel_get_fd(const struct cancel *cancel)
{
    return cancel ? cancel->fd : -1;
}
