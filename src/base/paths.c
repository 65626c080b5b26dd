#include "config.h"

#include "base/paths.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

G_DEFINE_QUARK(paths - error, paths_error)

static char *
home(void)
{
    const char *env = g_getenv("HOME");
    if (env && g_path_is_absolute(env))
        return g_strdup(env);
    struct passwd *entry = getpwuid(getuid());
    return g_strdup(entry && entry->pw_dir ? entry->pw_dir : "/");
}

static char *
xdg(const char *variable, const char *fallback)
{
    const char *env = g_getenv(variable);
    if (env && g_path_is_absolute(env))
        return g_build_filename(env, "postrider", NULL);
    g_autofree char *base = home();
    return g_build_filename(base, fallback, "postrider", NULL);
}

char *
paths_config_dir(void)
{
    return xdg("XDG_CONFIG_HOME", ".config");
}

char *
paths_data_dir(void)
{
    return xdg("XDG_DATA_HOME", ".local/share");
}

char *
paths_state_dir(void)
{
    return xdg("XDG_STATE_HOME", ".local/state");
}

char *
paths_cache_dir(void)
{
    return xdg("XDG_CACHE_HOME", ".cache");
}

char *
paths_runtime_dir(void)
{
    const char *env = g_getenv("XDG_RUNTIME_DIR");
    struct stat st;
    if (env && g_path_is_absolute(env) && stat(env, &st) == 0 && st.st_uid == getuid())
        return g_build_filename(env, "postrider", NULL);
    g_autofree char *state = paths_state_dir();
    return g_build_filename(state, "run", NULL);
}

char *
paths_engine_socket(void)
{
    g_autofree char *data = paths_data_dir();
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, data, -1);
    g_autofree char *run = paths_runtime_dir();
    char *path = g_strdup_printf("%s/engine-%.12s", run, sum);
    if (strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path))
        return path;
    g_free(path); /* sockaddr_un is short; a private directory per user in /tmp is checked by who binds */
    return g_strdup_printf("/tmp/postrider-%u/engine-%.12s", (unsigned)getuid(), sum);
}

char *
paths_expand(const char *path)
{
    if (g_str_has_prefix(path, "file://"))
        path += 7;
    if (*path != '~')
        return g_strdup(path);
    const char *rest = strchr(path, '/');
    if (path[1] == '\0' || path[1] == '/') {
        g_autofree char *base = home();
        return rest ? g_build_filename(base, rest, NULL) : g_steal_pointer(&base);
    }
    g_autofree char *user = rest ? g_strndup(path + 1, rest - path - 1) : g_strdup(path + 1);
    struct passwd *entry = getpwnam(user);
    if (!entry)
        return g_strdup(path);
    return rest ? g_build_filename(entry->pw_dir, rest, NULL) : g_strdup(entry->pw_dir);
}

gboolean
paths_make_dir(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) == 0)
        return TRUE;
    int err = errno;
    g_set_error(error, paths_error_quark(), ERROR_IO,
                "cannot make the directory %s: %s: check who owns its parent and the room on the disk", path,
                g_strerror(err));
    return FALSE;
}

/* The names of what was made, from the last directory that was there before on. */
static gboolean
flush_names(const char *path, const char *first)
{
    g_autofree char *at = g_path_get_dirname(path);
    for (;;) {
        int fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* One that cannot be read cannot be flushed; some file systems know no flush of a directory. */
        if (fd >= 0 && fsync(fd) < 0 && errno != EINVAL) {
            int err = errno;
            close(fd);
            errno = err;
            return FALSE;
        }
        if (fd >= 0)
            close(fd);
        if (!strcmp(at, first) || !strcmp(at, "/") || !strcmp(at, "."))
            return TRUE;
        char *up = g_path_get_dirname(at);
        g_free(at);
        at = up;
    }
}

gboolean
paths_make_dir_durable(const char *path, GError **error)
{
    g_autofree char *first = g_strdup(path);
    while (access(first, F_OK) < 0 && strcmp(first, "/") && strcmp(first, ".")) {
        char *up = g_path_get_dirname(first);
        g_free(first);
        first = up;
    }
    if (!strcmp(first, path))
        return TRUE;
    if (!paths_make_dir(path, error))
        return FALSE;
    if (flush_names(path, first))
        return TRUE;
    error_set_errno(error, paths_error_quark(), errno, "cannot make the directory %s", path);
    return FALSE;
}

static char *
program_dir(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    return self ? g_path_get_dirname(self) : NULL;
}

/* A path of the installation. One that lies staged below a folder (make install DESTDIR=) uses its own files.
 */
static char *
installed(const char *dir, const char *name)
{
    static const char *const homes[] = {BINDIR, PKGLIBEXECDIR};
    g_autofree char *self = program_dir();
    for (guint i = 0; self && i < G_N_ELEMENTS(homes); i++)
        if (g_str_has_suffix(self, homes[i])) {
            self[strlen(self) - strlen(homes[i])] = '\0';
            return g_build_filename(*self ? self : "/", dir, name, NULL);
        }
    return g_build_filename(dir, name, NULL);
}

char *
paths_program(const char *name)
{
    g_autofree char *dir = program_dir();
    if (dir) {
        g_autofree char *beside = g_build_filename(dir, name, NULL);
        if (g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&beside);
        /* a unit test runs from tests/unit/ of the build tree */
        g_autofree char *above = g_build_filename(dir, "..", "..", name, NULL);
        if (strstr(dir, "/tests/") && g_file_test(above, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&above);
    }
    return installed(PKGLIBEXECDIR, name);
}

char *
paths_data_file(const char *name)
{
    g_autofree char *dir = program_dir();
    if (dir) {
        g_autofree char *beside = g_build_filename(dir, "tests", name, NULL);
        if (g_file_test(beside, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&beside);
    }
    return installed(PKGDATADIR, name);
}

char *
paths_locale_dir(void)
{
    g_autofree char *dir = program_dir();
    if (dir) {
        g_autofree char *beside = g_build_filename(dir, "po", "locale", NULL);
        if (g_file_test(beside, G_FILE_TEST_IS_DIR))
            return g_steal_pointer(&beside);
    }
    return installed(LOCALEDIR, NULL);
}
