#include "config.h"

#include "cli/mailfiles.h"
#include "cli/bytes.h"
#include "cli/command.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 32

struct walk {
    mailfile_func each;
    gpointer data;
};

/* "From ana@example.org Thu Nov 12 10:42:01 2026": the line before each message of an mbox has a time in it. */
static gboolean
is_from_line(const char *p, gsize left)
{
    const char *end = left > 5 && memcmp(p, "From ", 5) == 0 ? memchr(p, '\n', MIN(left, 400)) : NULL;
    for (; end && p + 5 < end; p++)
        if (g_ascii_isdigit(p[0]) && p[1] == ':' && g_ascii_isdigit(p[2]) && g_ascii_isdigit(p[3]))
            return TRUE;
    return FALSE;
}

/* Where the next message of an mbox begins after p; length when there is none. */
static gsize
next_message(const char *bytes, gsize length, gsize p)
{
    while (p < length) {
        const char *found = memmem(bytes + p, length - p, "\nFrom ", 6);
        if (!found)
            return length;
        p = (gsize)(found - bytes) + 1;
        gboolean blank = p >= 2 && (bytes[p - 2] == '\n' || (p >= 3 && bytes[p - 2] == '\r' && bytes[p - 3] == '\n'));
        if (blank && is_from_line(bytes + p, length - p))
            return p;
    }
    return length;
}

static gboolean
each_of_file(struct walk *walk, const char *path, GBytes *bytes, GError **error)
{
    gsize length, at = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    gsize next = length && is_from_line(data, length) ? next_message(data, length, 1) : length;
    if (next == length)
        return walk->each(path, bytes, walk->data, error);
    for (guint number = 1; at < length; number++, at = next, next = next_message(data, length, at + 1)) {
        g_autofree char *label = g_strdup_printf("%s:%u", path, number);
        g_autoptr(GBytes) message = g_bytes_new_from_bytes(bytes, at, next - at);
        if (!walk->each(label, message, walk->data, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_passed_over(const char *name, gboolean maildir)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || g_str_has_prefix(name, "dovecot") ||
           (maildir && strcmp(name, "tmp") == 0);
}

static gint
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gboolean walk_path(struct walk *walk, const char *path, guint depth, GError **error);

static gboolean
walk_folder(struct walk *walk, const char *path, guint depth, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *cur = g_build_filename(path, "cur", NULL);
    gboolean maildir = g_file_test(cur, G_FILE_TEST_IS_DIR);
    const char *name;
    if (!dir)
        return FALSE;
    while ((name = g_dir_read_name(dir)))
        if (!is_passed_over(name, maildir))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *inside = g_build_filename(path, names->pdata[i], NULL);
        gboolean hidden = ((char *)names->pdata[i])[0] == '.';
        if (hidden && !g_file_test(inside, G_FILE_TEST_IS_DIR))
            continue;
        g_autoptr(GError) local = NULL;
        if (walk_path(walk, inside, depth + 1, &local))
            continue;
        if (g_error_matches(local, CLI_ERROR, ERROR_NOINPUT)) /* it has gone */
            continue;
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return TRUE;
}

static gboolean
walk_path(struct walk *walk, const char *path, guint depth, GError **error)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        error_set_errno(error, CLI_ERROR, errno, "%s", path);
        return FALSE;
    }
    if (S_ISDIR(st.st_mode))
        return depth >= DEPTH_MAX || walk_folder(walk, path, depth, error);
    if (!S_ISREG(st.st_mode))
        return TRUE;
    g_autoptr(GBytes) bytes = NULL;
    if (st.st_size > 4 * 1024 * 1024) { /* an mbox of any size, a page at a time */
        g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, error);
        bytes = file ? g_mapped_file_get_bytes(file) : NULL;
    } else {
        bytes = cli_read_file(path, MESSAGE_SIZE_MAX, error);
    }
    return bytes && each_of_file(walk, path, bytes, error);
}

gboolean
mailfiles_each(const char *path, mailfile_func each, gpointer data, GError **error)
{
    struct walk walk = {each, data};
    return walk_path(&walk, path, 0, error);
}
