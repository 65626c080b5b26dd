/* Batches of message files: written to tmp/, flushed together, moved to cur/, the directories flushed. */
#include "config.h"

#include "store/maildir_write.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SYNCFS_FROM 5 /* files of a batch: fewer are flushed one by one */

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
    const struct batch_entry *last =
        batch->entries->len ? &g_array_index(batch->entries, struct batch_entry, batch->entries->len - 1) : NULL;
    if ((!last || strcmp(last->dir, dir)) && !maildir_make(dir, error))
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
        struct maildir_writer *writer = maildir_writer_new(fd);
        ok = from < 0 ? length <= MAILDIR_MESSAGE_MAX && maildir_writer_put(writer, bytes, length)
                      : maildir_writer_put_fd(writer, from);
        ok = maildir_writer_end(writer, ok, &entry.entry);
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
sync_contents(struct maildir_batch *batch)
{
    if (batch->entries->len >= SYNCFS_FROM) {
        const struct batch_entry *first = &g_array_index(batch->entries, struct batch_entry, 0);
        return maildir_sync_path(first->dir, O_DIRECTORY, syncfs, "maildir.syncfs");
    }
    for (guint i = 0; i < batch->entries->len; i++) {
        g_autofree char *path = entry_path(&g_array_index(batch->entries, struct batch_entry, i));
        if (!maildir_sync_path(path, O_NOFOLLOW, fdatasync, "maildir.fdatasync"))
            return FALSE;
    }
    return TRUE;
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
        if (STEP_FAILS("maildir.rename") || maildir_rename_new(from, to) < 0)
            return FALSE;
        entry->in_cur = TRUE;
    }
    for (guint i = 0; i < batch->entries->len; i++) {
        struct batch_entry *entry = &g_array_index(batch->entries, struct batch_entry, i);
        if (last && !strcmp(last, entry->dir))
            continue;
        last = *what = entry->dir;
        g_autofree char *cur = g_build_filename(entry->dir, "cur", NULL);
        if (!maildir_sync_path(cur, O_DIRECTORY, fsync, "maildir.fsync-dir"))
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
