#include "config.h"

#include "net/turn.h"

#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define APART_MS 5000
/* The one before may have succeeded meanwhile. */
#define LOOK_EVERY_MS 50

/* The boot-time clock: what was noted before the machine slept is old. */
struct note {
    gint64 begun_ms;
    guint64 open; /* it has not succeeded (yet) */
};

static GMutex lock;
static char *directory;

void
turn_begin(const char *dir)
{
    g_mutex_lock(&lock);
    g_free(directory);
    directory = g_strdup(dir);
    g_mutex_unlock(&lock);
}

static gint64
now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (gint64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The server's file, locked; -1: there is none to be had, and then nobody waits. */
static int
open_note(const char *server)
{
    g_mutex_lock(&lock);
    g_autofree char *dir = g_strdup(directory);
    g_mutex_unlock(&lock);
    if (!dir)
        return -1;
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, server, -1);
    digest[16] = '\0';
    g_autofree char *path = g_strdup_printf("%s/turn-%s", dir, digest);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
write_note(int fd, const struct note *note)
{
    /* A note that could not be written costs a turn at most. */
    if (pwrite(fd, note, sizeof *note, 0) < 0)
        errno = 0;
}

/* How long there is to wait; 0: the turn was taken. */
static gint64
try_turn(const char *server)
{
    struct note note;
    gint64 apart = TEST_VALUE("net.turn_ms", APART_MS), now = now_ms(), left = 0;
    int fd = open_note(server);
    if (fd < 0)
        return 0;
    gboolean known = pread(fd, &note, sizeof note, 0) == sizeof note && note.open <= 1;
    if (known && note.open && note.begun_ms <= now && now - note.begun_ms < apart)
        left = apart - (now - note.begun_ms);
    else
        write_note(fd, &(struct note){.begun_ms = now, .open = 1});
    close(fd);
    return left;
}

enum turn_answer
turn_wait(const char *server, guint milliseconds, struct cancel *cancel)
{
    gint64 end = now_ms() + milliseconds, left;
    while ((left = try_turn(server)) > 0) {
        struct pollfd fd = {.fd = cancel_get_fd(cancel), .events = POLLIN};
        if (now_ms() >= end)
            return TURN_NOT_YET;
        poll(&fd, 1, (int)MIN(left, LOOK_EVERY_MS));
        if (cancel_is_triggered(cancel))
            return TURN_CANCELLED;
    }
    return TURN_YOURS;
}

void
turn_succeeded(const char *server)
{
    int fd = open_note(server);
    if (fd < 0)
        return;
    write_note(fd, &(struct note){.begun_ms = now_ms(), .open = 0});
    close(fd);
}
