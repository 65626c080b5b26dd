/* Names of message files. */
#include "config.h"

#include "store/maildir.h"
#include "base/clock.h"
#include "base/flags.h"

#include <string.h>
#include <sys/random.h>

#define OURS ".postrider"

char *
maildir_unique(const char *file)
{
    const char *info = strstr(file, ":2,");
    return info ? g_strndup(file, (gsize)(info - file)) : g_strdup(file);
}

guint
maildir_name_flags(const char *file)
{
    const char *info = strstr(file, ":2,");
    return info ? flags_from_maildir(info + 3) : 0;
}

char *
maildir_name(const char *unique, guint flags)
{
    g_autofree char *letters = flags_to_maildir(flags);
    return g_strdup_printf("%s:2,%s", unique, letters);
}

char *
maildir_new_unique(void)
{
    static gint counter;
    guint64 random = 0;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = ((guint64)g_random_int() << 32) | g_random_int();
    return g_strdup_printf("%" G_GINT64_FORMAT ".%016" G_GINT64_MODIFIER "x_%d" OURS, clock_now(), random,
                           g_atomic_int_add(&counter, 1));
}

gboolean
maildir_is_ours(const char *file)
{
    g_autofree char *unique = maildir_unique(file);
    const char *p = unique;

    if (!g_str_has_suffix(unique, OURS))
        return FALSE;
    p += strspn(p, "0123456789");
    return p > unique && *p == '.' && strspn(p + 1, "0123456789abcdef") == 16 && p[17] == '_';
}
