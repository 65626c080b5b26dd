#include "config.h"

#include "store/maildir.h"
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
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK(maildir - error, maildir_error)

#define SYNCFS_FROM 5 /* files of a batch: fewer are flushed one by one */

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
        if (!paths_make_dir(path, error))
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

/* --- writing one file: LF line ends, hash and sizes as the bytes go by */

struct writer {
    int fd;
    GChecksum *sum;
    guint64 size, lines;
    gboolean cr; /* a CR at the end of the last piece waits */
    char buffer[65536];
    gsize used;
};

static gboolean
flush_buffer(struct writer *writer)
{
    const char *p = writer->buffer;
    gsize left = writer->used;

    g_checksum_update(writer->sum, (const guchar *)p, (gssize)left);
    writer->size += left;
    writer->used = 0;
    if (writer->fd < 0)
        return TRUE; /* summing only */
    while (left) {
        if (STEP_FAILS("maildir.write"))
            return FALSE;
        gssize n = write(writer->fd, p, left);
        if (n < 0 && errno != EINTR)
            return FALSE;
        if (n > 0) {
            p += n;
            left -= (gsize)n;
        }
    }
    return TRUE;
}

static gboolean
put(struct writer *writer, const char *bytes, gsize length)
{
    if (writer->used + length > sizeof writer->buffer && !flush_buffer(writer))
        return FALSE;
    if (length > sizeof writer->buffer / 2) {
        for (gsize done = 0; done < length;) {
            gsize n = MIN(length - done, sizeof writer->buffer - writer->used);
            memcpy(writer->buffer + writer->used, bytes + done, n);
            writer->used += n;
            done += n;
            if (writer->used == sizeof writer->buffer && !flush_buffer(writer))
                return FALSE;
        }
        return TRUE;
    }
    memcpy(writer->buffer + writer->used, bytes, length);
    writer->used += length;
    return TRUE;
}

static gboolean
write_piece(struct writer *writer, const char *bytes, gsize length)
{
    const char *p = bytes, *end = bytes + length;

    if (writer->cr && length) {
        writer->cr = FALSE;
        if (*p != '\n' && !put(writer, "\r", 1))
            return FALSE;
    }
    while (p < end) {
        const char *lf = memchr(p, '\n', (gsize)(end - p));
        if (!lf) {
            gsize n = (gsize)(end - p);
            writer->cr = end[-1] == '\r';
            return put(writer, p, writer->cr ? n - 1 : n);
        }
        gsize n = (gsize)(lf - p);
        if (n && lf[-1] == '\r')
            n--;
        if (!put(writer, p, n) || !put(writer, "\n", 1))
            return FALSE;
        writer->lines++;
        p = lf + 1;
    }
    return TRUE;
}

static struct writer *
writer_new(int fd)
{
    struct writer *writer = g_new(struct writer, 1);
    writer->fd = fd;
    writer->sum = g_checksum_new(G_CHECKSUM_SHA256);
    writer->size = writer->lines = writer->used = 0;
    writer->cr = FALSE;
    return writer;
}

static gboolean
writer_end(struct writer *writer, gboolean ok, struct maildir_entry *entry)
{
    gsize length = sizeof entry->hash;
    ok = ok && (!writer->cr || put(writer, "\r", 1)) && flush_buffer(writer);
    int err = errno;
    g_checksum_get_digest(writer->sum, entry->hash, &length);
    entry->size = writer->size;
    entry->wire_size = writer->size + writer->lines;
    g_checksum_free(writer->sum);
    g_free(writer);
    errno = err;
    return ok;
}

static gboolean
write_from_fd(struct writer *writer, int fd)
{
    g_autofree char *piece = g_malloc(65536);
    guint64 total = 0;
    for (;;) {
        gssize n = read(fd, piece, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        total += (guint64)n;
        if (total > MAILDIR_MESSAGE_MAX) {
            errno = EFBIG;
            return FALSE;
        }
        if (!write_piece(writer, piece, (gsize)n))
            return FALSE;
    }
}

/* --- batches */

struct batch_entry {
    struct maildir_entry entry;
    char *dir;
    gboolean in_cur;
};

struct maildir_batch {
    GArray *entries; /* of struct batch_entry */
    guint64 bytes;
    gboolean committed;
};

static char *
entry_path(const struct batch_entry *entry)
{
    return g_build_filename(entry->dir, entry->in_cur ? "cur" : "tmp", entry->entry.file, NULL);
}

struct maildir_batch *
maildir_batch_new(void)
{
    struct maildir_batch *batch = g_new0(struct maildir_batch, 1);
    batch->entries = g_array_new(FALSE, TRUE, sizeof(struct batch_entry));
    return batch;
}

void
maildir_batch_undo(struct maildir_batch *batch)
{
    for (guint i = 0; i < batch->entries->len; i++) {
        struct batch_entry *entry = &g_array_index(batch->entries, struct batch_entry, i);
        g_autofree char *path = entry_path(entry);
        if (unlink(path) < 0 && errno != ENOENT)
            log_warn("store.maildir", "%s: %s", path, g_strerror(errno));
    }
    batch->committed = FALSE;
}

void
maildir_batch_free(struct maildir_batch *batch)
{
    if (!batch)
        return;
    if (!batch->committed)
        maildir_batch_undo(batch);
    for (guint i = 0; i < batch->entries->len; i++) {
        struct batch_entry *entry = &g_array_index(batch->entries, struct batch_entry, i);
        maildir_entry_clear(&entry->entry);
        g_free(entry->dir);
    }
    g_array_unref(batch->entries);
    g_free(batch);
}

guint
maildir_batch_length(const struct maildir_batch *batch)
{
    return batch->entries->len;
}

guint64
maildir_batch_bytes(const struct maildir_batch *batch)
{
    return batch->bytes;
}

const struct maildir_entry *
maildir_batch_entry(const struct maildir_batch *batch, guint n)
{
    return &g_array_index(batch->entries, struct batch_entry, n).entry;
}

static int
add(struct maildir_batch *batch, const char *dir, guint flags, const void *bytes, gsize length, int from,
    GError **error)
{
    g_return_val_if_fail(!batch->committed, -1);
    if (!maildir_make(dir, error))
        return -1;
    g_autofree char *unique = maildir_new_unique();
    g_autofree char *name = maildir_name(unique, flags);
    g_autofree char *path = g_build_filename(dir, "tmp", name, NULL);
    struct batch_entry entry = {0};
    int fd = STEP_FAILS("maildir.create")
                 ? -1
                 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    gboolean ok = fd >= 0;

    if (ok) {
        struct writer *writer = writer_new(fd);
        ok = from < 0 ? length <= MAILDIR_MESSAGE_MAX && write_piece(writer, bytes, length)
                      : write_from_fd(writer, from);
        ok = writer_end(writer, ok, &entry.entry);
        int err = errno;
        if (close(fd) < 0 && ok) {
            ok = FALSE;
            err = errno;
        }
        errno = err;
    }
    if (!ok) {
        int err = from < 0 && length > MAILDIR_MESSAGE_MAX ? EFBIG : errno;
        error_set_errno(error, MAILDIR_ERROR, err, "cannot write a message to %s", dir);
        if (fd >= 0)
            unlink(path);
        return -1;
    }
    entry.entry.file = g_steal_pointer(&name);
    entry.dir = g_strdup(dir);
    batch->bytes += entry.entry.size;
    g_array_append_val(batch->entries, entry);
    return (int)batch->entries->len - 1;
}

int
maildir_batch_add(struct maildir_batch *batch, const char *dir, guint flags, const void *bytes, gsize length,
                  GError **error)
{
    return add(batch, dir, flags, bytes, length, -1, error);
}

int
maildir_batch_add_fd(struct maildir_batch *batch, const char *dir, guint flags, int fd, GError **error)
{
    return add(batch, dir, flags, NULL, 0, fd, error);
}

static gboolean
sync_path(const char *path, int flags, int (*sync)(int), const char *step)
{
    int fd = STEP_FAILS(step) ? -1 : open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return FALSE;
    int rc = sync(fd), err = errno;
    close(fd);
    errno = err;
    return rc == 0;
}

static gboolean
sync_contents(struct maildir_batch *batch)
{
    if (batch->entries->len >= SYNCFS_FROM) {
        const struct batch_entry *first = &g_array_index(batch->entries, struct batch_entry, 0);
        return sync_path(first->dir, O_DIRECTORY, syncfs, "maildir.syncfs");
    }
    for (guint i = 0; i < batch->entries->len; i++) {
        g_autofree char *path = entry_path(&g_array_index(batch->entries, struct batch_entry, i));
        if (!sync_path(path, O_NOFOLLOW, fdatasync, "maildir.fdatasync"))
            return FALSE;
    }
    return TRUE;
}

/* Moves without ever replacing anything. */
static int
rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return link(from, to) < 0 ? -1 : unlink(from); /* a file system that does not know how */
}

static gboolean
publish(struct maildir_batch *batch, const char **what)
{
    const char *last = NULL;
    for (guint i = 0; i < batch->entries->len; i++) {
        struct batch_entry *entry = &g_array_index(batch->entries, struct batch_entry, i);
        g_autofree char *from = entry_path(entry);
        g_autofree char *to = g_build_filename(entry->dir, "cur", entry->entry.file, NULL);
        *what = entry->dir;
        if (STEP_FAILS("maildir.rename") || rename_new(from, to) < 0)
            return FALSE;
        entry->in_cur = TRUE;
    }
    for (guint i = 0; i < batch->entries->len; i++) {
        struct batch_entry *entry = &g_array_index(batch->entries, struct batch_entry, i);
        if (last && !strcmp(last, entry->dir))
            continue;
        last = *what = entry->dir;
        g_autofree char *cur = g_build_filename(entry->dir, "cur", NULL);
        if (!sync_path(cur, O_DIRECTORY, fsync, "maildir.fsync-dir"))
            return FALSE;
    }
    return TRUE;
}

gboolean
maildir_batch_commit(struct maildir_batch *batch, GError **error)
{
    if (batch->committed || !batch->entries->len)
        return TRUE;
    const char *what = g_array_index(batch->entries, struct batch_entry, 0).dir;
    if (!sync_contents(batch) || !publish(batch, &what)) {
        /* A flush that failed says nothing about a second one (D6): all of it goes. */
        error_set_errno(error, MAILDIR_ERROR, errno, "cannot store messages in %s", what);
        maildir_batch_undo(batch);
        for (guint i = 0; i < batch->entries->len; i++) {
            struct batch_entry *entry = &g_array_index(batch->entries, struct batch_entry, i);
            maildir_entry_clear(&entry->entry);
            g_free(entry->dir);
        }
        g_array_set_size(batch->entries, 0);
        return FALSE;
    }
    batch->committed = TRUE;
    STEP("maildir.committed");
    return TRUE;
}

gboolean
maildir_deliver(const char *dir, guint flags, const void *bytes, gsize length, struct maildir_entry *entry,
                GError **error)
{
    g_autoptr(struct_maildir_batch) batch = maildir_batch_new();
    if (maildir_batch_add(batch, dir, flags, bytes, length, error) < 0 || !maildir_batch_commit(batch, error))
        return FALSE;
    struct maildir_entry *made = &g_array_index(batch->entries, struct batch_entry, 0).entry;
    *entry = *made;
    entry->file = g_strdup(made->file);
    return TRUE;
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
    if (sync_path(cur, O_DIRECTORY, fsync, "maildir.fsync-dir"))
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

gboolean
maildir_rename_flags(const char *dir, const char *file, guint flags, char **new_file, GError **error)
{
    g_autofree char *where = maildir_find(dir, file);
    if (!where) {
        g_set_error(error, MAILDIR_ERROR, ERROR_STALE, "%s has gone from %s", file, dir);
        return FALSE;
    }
    g_autofree char *unique = maildir_unique(file);
    g_autofree char *name = maildir_name(unique, flags);
    g_autofree char *from = g_build_filename(dir, where, NULL);
    g_autofree char *to = g_build_filename(dir, "cur", name, NULL);
    if (strcmp(from, to) && (STEP_FAILS("maildir.rename-flags") || rename_new(from, to) < 0)) {
        error_set_errno(error, MAILDIR_ERROR, errno, "cannot rename %s", from);
        return FALSE;
    }
    *new_file = g_steal_pointer(&name);
    return TRUE;
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
    struct writer *writer = writer_new(-1);
    gboolean ok = write_from_fd(writer, fd);
    ok = writer_end(writer, ok, entry);
    int err = errno;
    close(fd);
    if (!ok)
        error_set_errno(error, MAILDIR_ERROR, err, "cannot read %s", path);
    return ok;
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
list_part(const char *dir, const char *part, GPtrArray *items, GPtrArray *notices, GError **error)
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
        struct maildir_item *item = g_new(struct maildir_item, 1);
        item->file = g_strdup(d->d_name);
        item->fresh = !strcmp(part, "new");
        g_ptr_array_add(items, item);
    }
    closedir(stream);
    return TRUE;
}

GPtrArray *
maildir_list(const char *dir, GPtrArray *notices, GError **error)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func((GDestroyNotify)maildir_item_free);
    if (!list_part(dir, "cur", items, notices, error) || !list_part(dir, "new", items, notices, error))
        return NULL;
    return g_steal_pointer(&items);
}
