#include "config.h"

#include "base/log.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static GMutex lock;
static int fd = -1;
static enum log_level threshold = LOG_LEVEL_WARN;
static const char *const names[] = {"error", "warn", "info", "debug"};

static GLogWriterOutput
take_glib(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data G_GNUC_UNUSED)
{
    const char *message = "", *domain = "glib";
    for (gsize i = 0; i < n; i++) {
        if (fields[i].length >= 0)
            continue;
        if (!strcmp(fields[i].key, "MESSAGE"))
            message = fields[i].value;
        else if (!strcmp(fields[i].key, "GLIB_DOMAIN"))
            domain = fields[i].value;
    }
    enum log_level ours = LOG_LEVEL_DEBUG;
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
        ours = LOG_LEVEL_ERROR;
    else if (level & G_LOG_LEVEL_WARNING)
        ours = LOG_LEVEL_WARN;
    log_write(ours, domain, "%s", message);
    return G_LOG_WRITER_HANDLED;
}

void
log_open(const char *path, enum log_level level)
{
    static gsize once;
    const char *asked = g_getenv("POSTRIDER_LOG");

    threshold = level;
    for (guint i = 0; asked && i < G_N_ELEMENTS(names); i++)
        if (!strcmp(asked, names[i]))
            threshold = i;
    if (g_once_init_enter(&once)) {
        g_log_set_writer_func(take_glib, NULL, NULL);
        g_once_init_leave(&once, 1);
    }
    log_close();
    fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
              : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

void
log_close(void)
{
    g_mutex_lock(&lock);
    if (fd >= 0)
        close(fd);
    fd = -1;
    g_mutex_unlock(&lock);
}

void
log_write(enum log_level level, const char *area, const char *format, ...)
{
    if (fd < 0 || level > threshold)
        return;
    int keep = errno;
    va_list args;
    va_start(args, format);
    g_autofree char *raw = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_safe(raw, -1, TEXT_LINE);
    g_autofree char *time = clock_rfc3339_ms(g_get_real_time(), 0);
    g_autofree char *line =
        g_strdup_printf("%s %d %s %s: %s\n", time, (int)getpid(), names[level], area, safe);
    g_mutex_lock(&lock);
    if (fd >= 0 && write(fd, line, strlen(line)) < 0 && errno != EINTR) {
        close(fd); /* a full disk must not stop the program; it is told where the data is written */
        fd = -1;
    }
    g_mutex_unlock(&lock);
    errno = keep;
}
