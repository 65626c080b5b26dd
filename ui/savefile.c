#include "config.h"

#include "ui/savefile.h"

#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"
#include "ui/app.h"
#include "ui/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 1000
#define CANDIDATES_MAX 200

static char *last_directory;

G_DEFINE_QUARK(savefile - error - quark, savefile_error)

char *
savefile_directory(void)
{
    if (last_directory)
        return g_strdup(last_directory);
    const char *downloads = g_get_user_special_dir(G_USER_DIRECTORY_DOWNLOAD);
    if (downloads && g_file_test(downloads, G_FILE_TEST_IS_DIR))
        return g_strdup(downloads);
    return g_get_current_dir();
}

/* "a.tar.gz", 2 -> "a-2.tar.gz": the ending that people see stays. */
static char *
numbered(const char *path, guint n)
{
    if (!n)
        return g_strdup(path);
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const char *dot = strchr(base + (*base == '.'), '.');
    if (!dot)
        return g_strdup_printf("%s-%u", path, n);
    return g_strdup_printf("%.*s-%u%s", (int)(dot - path), path, n, dot);
}

static gboolean
write_all(int fd, const char *bytes, gsize length)
{
    while (length) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FALSE;
        bytes += n;
        length -= (gsize)n;
    }
    return TRUE;
}

gboolean
savefile_write(const char *target, const char *name, const void *bytes, gsize length, char **path,
               GError **error)
{
    g_autofree char *expanded = paths_expand(target);
    g_autofree char *safe = text_file_name(name);
    gboolean directory = g_file_test(expanded, G_FILE_TEST_IS_DIR) || g_str_has_suffix(expanded, "/");
    if (directory && !g_file_test(expanded, G_FILE_TEST_IS_DIR)) {
        if (g_mkdir_with_parents(expanded, 0700) != 0) {
            error_set_errno(error, savefile_error_quark(), errno, "%s", expanded);
            return FALSE;
        }
    }
    g_autofree char *wanted = directory ? g_build_filename(expanded, safe, NULL) : g_strdup(expanded);
    for (guint n = 0; n < TRIES; n++) {
        g_autofree char *attempt = numbered(wanted, n);
        int fd = open(attempt, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0) {
            error_set_errno(error, savefile_error_quark(), errno, "%s", attempt);
            return FALSE;
        }
        gboolean ok = write_all(fd, bytes, length);
        int failed = errno;
        if (close(fd) != 0 && ok) {
            ok = FALSE;
            failed = errno;
        }
        if (!ok) {
            unlink(attempt); /* ours: nothing half is left */
            error_set_errno(error, savefile_error_quark(), failed, "%s", attempt);
            return FALSE;
        }
        *path = g_steal_pointer(&attempt);
        return TRUE;
    }
    g_set_error(error, savefile_error_quark(), ERROR_INPUT, _("%s: too many files of that name"), wanted);
    return FALSE;
}

gboolean
savefile(struct app *app, const char *target, const char *name, const void *bytes, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    if (!savefile_write(target, name, bytes, length, &path, &error)) {
        app_error(app, _("not saved"), g_steal_pointer(&error));
        return FALSE;
    }
    g_free(last_directory);
    last_directory = g_path_get_dirname(path);
    g_autofree char *size = text_size(length);
    app_say(app, _("saved %s (%s)"), path, size);
    return TRUE;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
savefile_complete(struct app *app G_GNUC_UNUSED, const char *text, gsize cursor, gsize *from, gsize *to,
                  gpointer data G_GNUC_UNUSED)
{
    GPtrArray *result = candidates_new();
    g_autofree char *typed = g_strndup(text, cursor);
    g_autofree char *expanded = paths_expand(typed);
    const char *slash = strrchr(typed, '/');
    g_autofree char *lead = slash ? g_strndup(typed, (gsize)(slash - typed) + 1) : g_strdup("");
    const char *base = strrchr(expanded, '/');
    g_autofree char *directory = !base              ? g_strdup(".")
                                 : base == expanded ? g_strdup("/")
                                                    : g_strndup(expanded, (gsize)(base - expanded));
    base = base ? base + 1 : expanded;
    *from = 0;
    *to = cursor;
    GDir *dir = g_dir_open(directory, 0, NULL);
    if (!dir)
        return result;
    const char *name;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    while ((name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, base) && (*name != '.' || *base == '.') && g_utf8_validate(name, -1, NULL))
            g_ptr_array_add(names, g_strdup(name));
    g_dir_close(dir);
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len && i < CANDIDATES_MAX; i++) {
        name = g_ptr_array_index(names, i);
        g_autofree char *full = g_build_filename(directory, name, NULL);
        gboolean is_dir = g_file_test(full, G_FILE_TEST_IS_DIR);
        g_autofree char *path = g_strconcat(lead, name, is_dir ? "/" : "", NULL);
        g_autofree char *shown = g_strconcat(name, is_dir ? "/" : "", NULL);
        g_autofree char *label = text_safe(shown, -1, TEXT_LINE);
        g_ptr_array_add(result, candidate_new(path, label, NULL));
    }
    return result;
}
