#include "config.h"

#include "store/maildir.h"
#include "store/names.h"
#include "store/maildir_write.h"
#include "store/rows.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK(maildir - error, maildir_error)

void
maildir_entry_clear(struct maildir_entry *entry)
{
    g_clear_pointer(&entry->file, g_free);
}

gboolean
maildir_make(const char *dir, GError **error)
{
    static const char *const parts[] = {"tmp", "new", "cur"};
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *path = g_build_filename(dir, parts[i], NULL);
        if (access(path, F_OK) == 0)
            continue;
        if (STEP_FAILS("maildir.mkdir")) {
            error_set_errno(error, MAILDIR_ERROR, errno, "cannot make the directory %s", path);
            return FALSE;
        }
        if (!paths_make_dir_durable(path, error))
            return FALSE;
    }
    return TRUE;
}

void
maildir_unmake(const char *dir)
{
    static const char *const parts[] = {"tmp", "new", "cur", ""};
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *path = g_build_filename(dir, parts[i], NULL);
        rmdir(path); /* what is not empty stays */
    }
}

/* --- single files */

static int
open_regular(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

gboolean
maildir_flush(const char *dir, GError **error)
{
    g_autofree char *cur = g_build_filename(dir, "cur", NULL);
    if (maildir_sync_path(cur, O_DIRECTORY, fsync, "maildir.fsync-dir"))
        return TRUE;
    error_set_errno(error, MAILDIR_ERROR, errno, "cannot store messages in %s", dir);
    return FALSE;
}

gboolean
maildir_link(const char *from_path, const char *to_dir, guint flags, char **file, GError **error)
{
    if (!maildir_make(to_dir, error))
        return FALSE;
    g_autofree char *unique = maildir_new_unique();
    g_autofree char *name = maildir_name(unique, flags);
    g_autofree char *to = g_build_filename(to_dir, "cur", name, NULL);

    if (STEP_FAILS("maildir.link") || link(from_path, to) < 0) {
        if (errno != EXDEV && errno != EPERM && errno != EMLINK) {
            error_set_errno(error, MAILDIR_ERROR, errno, "cannot put %s into %s", from_path, to_dir);
            return FALSE;
        }
        g_autoptr(GBytes) bytes = maildir_read(from_path, error);
        struct maildir_entry entry = {0};
        if (!bytes || !maildir_deliver(to_dir, flags, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                       &entry, error))
            return FALSE;
        *file = entry.file;
        return TRUE;
    }
    *file = g_steal_pointer(&name);
    return TRUE;
}

void
maildir_share(const char *path, const char *dir, const char *file)
{
    g_autofree char *at = g_build_filename(dir, "cur", file, NULL),
                    *tmp = g_build_filename(dir, "tmp", file, NULL);
    struct stat a, b;
    if (lstat(path, &a) < 0 || lstat(at, &b) < 0 || a.st_ino == b.st_ino || a.st_size != b.st_size ||
        a.st_dev != b.st_dev)
        return;
    if (link(path, tmp) == 0 && rename(tmp, at) < 0)
        unlink(tmp);
}

char *
maildir_find(const char *dir, const char *file)
{
    static const char *const parts[] = {"cur", "new"};
    struct stat st;
    g_autofree char *unique = maildir_unique(file);
    g_autofree char *direct = g_build_filename(dir, "cur", file, NULL);
    gsize length = strlen(unique);
    char *found = NULL;

    if (lstat(direct, &st) == 0 && S_ISREG(st.st_mode))
        return g_build_filename("cur", file, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(parts) && !found; i++) {
        g_autofree char *path = g_build_filename(dir, parts[i], NULL);
        DIR *stream = opendir(path);
        struct dirent *d;
        while (stream && !found && (d = readdir(stream)))
            if (!strncmp(d->d_name, unique, length) &&
                (d->d_name[length] == '\0' || d->d_name[length] == ':'))
                found = g_build_filename(parts[i], d->d_name, NULL);
        if (stream)
            closedir(stream);
    }
    return found;
}

/* A name that a scan took in may still lie in new/. */
static int
rename_from(const char *dir, const char *part, const char *file, const char *to)
{
    g_autofree char *from = g_build_filename(dir, part, file, NULL);
    return strcmp(from, to) ? maildir_rename_new(from, to) : 0;
}

gboolean
maildir_rename_flags(const char *dir, const char *file, guint flags, char **new_file, GError **error)
{
    g_autofree char *unique = maildir_unique(file);
    g_autofree char *name = maildir_name(unique, flags);
    g_autofree char *to = g_build_filename(dir, "cur", name, NULL);
    gboolean ok = !STEP_FAILS("maildir.rename-flags") &&
                  (rename_from(dir, "cur", file, to) == 0 || (errno == ENOENT && rename_from(dir, "new", file, to) == 0));
    if (!ok && errno == ENOENT)
        g_set_error(error, MAILDIR_ERROR, ERROR_STALE, "%s has gone from %s", file, dir);
    else if (!ok)
        error_set_errno(error, MAILDIR_ERROR, errno, "cannot rename %s/%s", dir, file);
    else
        *new_file = g_steal_pointer(&name);
    return ok;
}

GBytes *
maildir_read(const char *path, GError **error)
{
    struct stat st;
    int fd = open_regular(path, &st);
    if (fd < 0) {
        error_set_errno(error, MAILDIR_ERROR, errno, "cannot read the message %s", path);
        return NULL;
    }
    if (st.st_size > (goffset)MAILDIR_MESSAGE_MAX) {
        close(fd);
        g_set_error(error, MAILDIR_ERROR, ERROR_SKIP, "%s is too large to be read as a message", path);
        return NULL;
    }
    gsize size = (gsize)st.st_size, have = 0;
    char *bytes = g_malloc(size + 1);
    while (have < size) {
        gssize n = read(fd, bytes + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(error, MAILDIR_ERROR, errno, "cannot read the message %s", path);
            g_free(bytes);
            close(fd);
            return NULL;
        }
        if (n == 0)
            break;
        have += (gsize)n;
    }
    close(fd);
    return g_bytes_new_take(bytes, have);
}

gboolean
maildir_sum(const char *path, struct maildir_entry *entry, GError **error)
{
    struct stat st;
    int fd = open_regular(path, &st);
    if (fd < 0) {
        error_set_errno(error, MAILDIR_ERROR, errno, "cannot read %s", path);
        return FALSE;
    }
    struct maildir_writer *writer = maildir_writer_new(-1);
    gboolean ok = maildir_writer_put_fd(writer, fd);
    ok = maildir_writer_end(writer, ok, entry);
    int err = errno;
    entry->time = st.st_mtime;
    close(fd);
    if (!ok)
        error_set_errno(error, MAILDIR_ERROR, err, "cannot read %s", path);
    return ok;
}

/* A read lease is refused while a writer is there (fcntl(2)). It is given back at once; who opens the file meanwhile sends
 * us a signal, one that does nothing. */
gboolean
maildir_is_being_written(const char *path)
{
    struct stat st;
    int fd = open_regular(path, &st);
    if (fd < 0)
        return FALSE;
    gboolean written = fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
    if (!written)
        fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    return written;
}

/* --- listing */

void
maildir_item_free(struct maildir_item *item)
{
    if (!item)
        return;
    g_free(item->file);
    g_free(item);
}

static gboolean
list_part(const char *dir, const char *part, struct names *names, GPtrArray *notices, GError **error)
{
    g_autofree char *path = g_build_filename(dir, part, NULL);
    DIR *stream = opendir(path);
    struct dirent *d;

    if (!stream) {
        error_set_errno(error, MAILDIR_ERROR, errno, "cannot read the directory %s", path);
        return FALSE;
    }
    while ((d = readdir(stream))) {
        const char *why = NULL;
        struct stat st;
        if (*d->d_name == '.')
            continue;
        if (d->d_type == DT_UNKNOWN
                ? fstatat(dirfd(stream), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)
                : d->d_type != DT_REG)
            why = "no regular file";
        else if (strchr(d->d_name, '\n') || !g_utf8_validate(d->d_name, -1, NULL))
            why = "its name cannot be kept";
        if (why) {
            g_autofree char *name = text_safe(d->d_name, -1, TEXT_LINE);
            if (notices && notices->len < 100)
                g_ptr_array_add(notices, g_strdup_printf("%s/%s was passed over: %s", path, name, why));
            continue;
        }
        names_add(names, d->d_name, !strcmp(part, "new"));
    }
    closedir(stream);
    return TRUE;
}

struct names *
maildir_names(const char *dir, GPtrArray *notices, GError **error)
{
    g_autoptr(struct_names) names = names_new();
    if (!list_part(dir, "cur", names, notices, error) || !list_part(dir, "new", names, notices, error))
        return NULL;
    return g_steal_pointer(&names);
}

GPtrArray *
maildir_list(const char *dir, GPtrArray *notices, GError **error)
{
    g_autoptr(struct_names) names = maildir_names(dir, notices, error);
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func((GDestroyNotify)maildir_item_free);
    const char *file;
    gboolean fresh;
    for (gsize at = 0; names && (file = names_next(names, &at, &fresh));) {
        struct maildir_item *item = g_new(struct maildir_item, 1);
        *item = (struct maildir_item){g_strdup(file), fresh};
        g_ptr_array_add(items, item);
    }
    return names ? g_steal_pointer(&items) : NULL;
}
