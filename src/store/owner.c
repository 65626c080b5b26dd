#include "config.h"

#include "store/owner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Field 22 of /proc/PID/stat, after the name, which may hold anything but is in brackets. "" when there is no
 * such process, or one that has ended and that its parent has not looked after yet. */
static char *
start_time(gint64 pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_strdup("");
    const char *p = strrchr(text, ')');
    if (p && p[1] == ' ' && strchr("ZXx", p[2]))
        return g_strdup("");
    for (guint i = 0; p && i < 20; i++)
        p = strchr(p + 1, ' ');
    return p ? g_strndup(p + 1, strcspn(p + 1, " ")) : g_strdup("");
}

static char *
describe(gint64 pid)
{
    g_autofree char *boot = NULL, *started = start_time(pid);
    if (!*started)
        return NULL;
    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL))
        boot = g_strdup("");
    g_strstrip(boot);
    return g_strdup_printf("%" G_GINT64_FORMAT " %s %s", pid, started, boot);
}

char *
owner_self(void)
{
    char *self = describe(getpid());
    return self ? self : g_strdup_printf("%ld", (long)getpid());
}

gboolean
owner_is_alive(const char *owner)
{
    gint64 pid = owner ? g_ascii_strtoll(owner, NULL, 10) : 0;
    g_autofree char *now = pid > 0 ? describe(pid) : NULL;
    return now && !strcmp(now, owner);
}
