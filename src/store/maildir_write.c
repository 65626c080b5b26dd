/* Bytes on their way into a file: LF line ends, hash and sizes as they go by. */
#include "config.h"

#include "store/maildir_write.h"
#include "base/fail.h"
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct maildir_writer {
    int fd;
    struct sha256 *sum;
    guint64 size, lines;
    gboolean cr; /* a CR at the end of the last piece waits */
    char buffer[65536];
    gsize used;
};

static gboolean
flush_buffer(struct maildir_writer *writer)
{
    const char *p = writer->buffer;
    gsize left = writer->used;

    sha256_add(writer->sum, p, left);
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
put(struct maildir_writer *writer, const char *bytes, gsize length)
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

gboolean
maildir_writer_put(struct maildir_writer *writer, const char *bytes, gsize length)
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

struct maildir_writer *
maildir_writer_new(int fd)
{
    struct maildir_writer *writer = g_new(struct maildir_writer, 1);
    writer->fd = fd;
    writer->sum = sha256_new();
    writer->size = writer->lines = writer->used = 0;
    writer->cr = FALSE;
    return writer;
}

gboolean
maildir_writer_end(struct maildir_writer *writer, gboolean ok, struct maildir_entry *entry)
{
    ok = ok && (!writer->cr || put(writer, "\r", 1)) && flush_buffer(writer);
    int err = errno;
    sha256_end(writer->sum, entry->hash);
    entry->size = writer->size;
    entry->wire_size = writer->size + writer->lines;
    g_free(writer);
    errno = err;
    return ok;
}

gboolean
maildir_writer_put_fd(struct maildir_writer *writer, int fd)
{
    g_autofree char *piece = g_malloc(65536);
    guint64 total = 0;
    for (;;) {
        /* From its beginning: who has just written it stands at its end. */
        gssize n = pread(fd, piece, 65536, (off_t)total);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        total += (guint64)n;
        if (total > MAILDIR_MESSAGE_MAX) {
            errno = EFBIG;
            return FALSE;
        }
        if (!maildir_writer_put(writer, piece, (gsize)n))
            return FALSE;
    }
}

gboolean
maildir_sync_path(const char *path, int flags, int (*sync)(int), const char *step)
{
    int fd = STEP_FAILS(step) ? -1 : open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return FALSE;
    int rc = sync(fd), err = errno;
    close(fd);
    errno = err;
    return rc == 0;
}

int
maildir_rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return link(from, to) < 0 ? -1 : unlink(from); /* a file system that does not know how */
}
