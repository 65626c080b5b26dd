/* shim.c - preloaded into a program under test: fails, kills at, or writes down its calls to the file system, and turns
 * its clock
 *
 * Built by tests/lab/shim.py. What it does is in the environment:
 *
 *   SHIM_BELOW   the folder whose files count; calls on anything else go through untouched
 *   SHIM_FAIL    "ENOSPC 17": the 17th call that counts fails so; "ENOSPC 17+": and every later one. EMFILE counts what
 *                opens something, wherever; the others count what writes below the folder
 *   SHIM_UNTIL   where this file exists nothing fails any more: space has come back
 *   SHIM_KILL    "17": SIGKILL before the 17th call that changes something below the folder
 *   SHIM_COUNT   a file that gets the number of calls that counted, at the end of the process
 *   SHIM_LOG     a file that gets each change below the folder, with its bytes: tests/lab/powerloss.py reads it
 *   SHIM_CLOCK   "17 +315360000": the clock jumps at its 17th reading; several are separated by commas. What checks
 *                certificates goes on reading the true time
 *   SHIM_FSYNC   a file that gets a line for each flush that was made to fail, and each later flush of the same file
 *   SHIM_PROGRAM only in a program whose name is this
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FDS 4096

enum kind { OPENS = 1, WRITES = 2 };

static const struct {
    const char *name;
    int value;
    int counts;
} errors[] = {{"ENOSPC", ENOSPC, WRITES}, {"EDQUOT", EDQUOT, WRITES}, {"EIO", EIO, WRITES}, {"EMFILE", EMFILE, OPENS}};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int active;
static char below[PATH_MAX];
static size_t below_length;
static const char *until, *count_file;
static int fail_error, fail_counts, fail_forever;
static long fail_at, kill_at, counted, changes, clock_reads;
static int log_fd = -1, flush_fd = -1;
static char ours[FDS]; /* descriptors of files below the folder */
static struct {
    long at;
    long long by;
} jumps[8];
static int n_jumps;

#define REAL(name) static __typeof__(&name) real_##name
REAL(open);
REAL(openat);
REAL(close);
REAL(write);
REAL(writev);
REAL(pwrite64);
REAL(ftruncate64);
REAL(fallocate64);
REAL(posix_fallocate64);
REAL(fsync);
REAL(fdatasync);
REAL(syncfs);
REAL(rename);
REAL(renameat2);
REAL(link);
REAL(unlink);
REAL(unlinkat);
REAL(mkdir);
REAL(rmdir);
REAL(dup);
REAL(socket);
REAL(clock_gettime);
REAL(time);
REAL(gettimeofday);

static void *
next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int
raw_open(const char *path)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void
raw_write(int fd, const void *bytes, size_t length)
{
    for (const char *p = bytes; length;) {
        long n = syscall(SYS_write, fd, p, length);
        if (n <= 0)
            return;
        p += n;
        length -= (size_t)n;
    }
}

static void
read_fail(const char *text)
{
    char name[16] = "", plus = 0;
    if (sscanf(text, "%15s %ld%c", name, &fail_at, &plus) < 2)
        return;
    fail_forever = plus == '+';
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(errors[i].name, name)) {
            fail_error = errors[i].value;
            fail_counts = errors[i].counts;
        }
}

static void
read_jumps(const char *text)
{
    while (text && n_jumps < 8 && sscanf(text, "%ld %lld", &jumps[n_jumps].at, &jumps[n_jumps].by) == 2) {
        n_jumps++;
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
}

/* By our own constructor, or by a call from one that comes before it. */
__attribute__((constructor)) static void
begin(void)
{
    static int begun;
    if (begun)
        return;
    begun = 1;
#define LOAD(name) real_##name = (__typeof__(real_##name))next(#name)
    LOAD(open);
    LOAD(openat);
    LOAD(close);
    LOAD(write);
    LOAD(writev);
    LOAD(pwrite64);
    LOAD(ftruncate64);
    LOAD(fallocate64);
    LOAD(posix_fallocate64);
    LOAD(fsync);
    LOAD(fdatasync);
    LOAD(syncfs);
    LOAD(rename);
    LOAD(renameat2);
    LOAD(link);
    LOAD(unlink);
    LOAD(unlinkat);
    LOAD(mkdir);
    LOAD(rmdir);
    LOAD(dup);
    LOAD(socket);
    LOAD(clock_gettime);
    LOAD(time);
    LOAD(gettimeofday);
    const char *program = getenv("SHIM_PROGRAM"), *text;
    if (program && strcmp(program, program_invocation_short_name))
        return;
    if ((text = getenv("SHIM_BELOW")) && strlen(text) < sizeof below) {
        strcpy(below, text);
        below_length = strlen(below);
    }
    until = getenv("SHIM_UNTIL");
    count_file = getenv("SHIM_COUNT");
    if ((text = getenv("SHIM_FAIL")))
        read_fail(text);
    if ((text = getenv("SHIM_KILL")))
        kill_at = atol(text);
    if ((text = getenv("SHIM_LOG")))
        log_fd = raw_open(text);
    if ((text = getenv("SHIM_FSYNC")))
        flush_fd = raw_open(text);
    read_jumps(getenv("SHIM_CLOCK"));
    active = 1;
}

__attribute__((destructor)) static void
end(void)
{
    if (!active || !count_file)
        return;
    char line[128];
    int fd = raw_open(count_file), n = snprintf(line, sizeof line, "%ld %ld %ld\n", counted, changes, clock_reads);
    raw_write(fd, line, (size_t)n);
    syscall(SYS_close, fd);
}

/* --- what counts */

static int
is_below(const char *path)
{
    return active && below_length && path && !strncmp(path, below, below_length) &&
           (path[below_length] == '/' || !path[below_length]);
}

static int
is_ours(int fd)
{
    return active && fd >= 0 && fd < FDS && ours[fd];
}

/* A call of this kind is about to be made: true with errno set when it is to fail. */
static int
fails(int kind)
{
    if (!active || !fail_error || !(kind & fail_counts))
        return 0;
    counted++;
    if (counted != fail_at && !(fail_forever && counted > fail_at))
        return 0;
    if (until && syscall(SYS_faccessat, AT_FDCWD, until, F_OK) == 0)
        return 0;
    errno = fail_error;
    return 1;
}

/* Something is about to change. */
static void
change(void)
{
    changes++;
    if (kill_at && changes == kill_at)
        kill(getpid(), SIGKILL);
}

/* --- the log: "op\tnumbers and names\tlength of the bytes\n" and the bytes */

static void
put_log(const char *op, const char *args, const void *bytes, size_t length)
{
    if (log_fd < 0)
        return;
    char head[3 * PATH_MAX];
    int n = snprintf(head, sizeof head, "%s\t%s\t%zu\n", op, args, length);
    raw_write(log_fd, head, (size_t)n);
    if (length)
        raw_write(log_fd, bytes, length);
}

static void
log_fd_op(const char *op, int fd, long long offset, const void *bytes, size_t length)
{
    if (log_fd < 0)
        return;
    struct stat st;
    char args[128];
    if (fstat(fd, &st) < 0)
        return;
    snprintf(args, sizeof args, "%llu\t%lld", (unsigned long long)st.st_ino, offset);
    put_log(op, args, bytes, length);
}

static void
log_names(const char *op, const char *a, const char *b)
{
    char args[2 * PATH_MAX + 2];
    snprintf(args, sizeof args, "%s\t%s", a, b ? b : "");
    put_log(op, args, NULL, 0);
}

/* --- opening */

static int
do_open(int dirfd, const char *path, int flags, mode_t mode)
{
    begin();
    pthread_mutex_lock(&lock);
    int mine = is_below(path), makes = flags & (O_CREAT | O_TRUNC), fd = -1;
    struct stat st;
    int is_new = mine && makes && lstat(path, &st) < 0;
    if (!fails(OPENS | (is_new ? WRITES : 0))) {
        if (is_new || (mine && flags & O_TRUNC))
            change();
        fd = real_openat(dirfd, path, flags, mode);
        int err = errno;
        if (fd >= 0 && fd < FDS)
            ours[fd] = (char)mine;
        if (fd >= 0 && mine && fstat(fd, &st) == 0) {
            char args[PATH_MAX + 32];
            snprintf(args, sizeof args, "%llu\t%s", (unsigned long long)st.st_ino, path);
            if (is_new && makes && (flags & O_TMPFILE) != O_TMPFILE)
                put_log("create", args, NULL, 0);
            else if (S_ISREG(st.st_mode))
                put_log(flags & O_TRUNC ? "opentrunc" : "open", args, NULL, 0);
        }
        errno = err;
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name, ...)                                                                                                \
    {                                                                                                                  \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                                         \
            va_list args;                                                                                              \
            va_start(args, flags);                                                                                     \
            mode = va_arg(args, mode_t);                                                                               \
            va_end(args);                                                                                              \
        }                                                                                                              \
        return do_open(__VA_ARGS__, path, flags, mode);                                                                \
    }

int open(const char *path, int flags, ...) OPEN(open, AT_FDCWD)
int open64(const char *path, int flags, ...) OPEN(open64, AT_FDCWD)
int openat(int dirfd, const char *path, int flags, ...) OPEN(openat, dirfd)
int openat64(int dirfd, const char *path, int flags, ...) OPEN(openat64, dirfd)

/* What _FORTIFY_SOURCE makes of an open() whose flags are not known when it is compiled. */
int
__open_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}

int
__open64_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}

int
__openat_2(int dirfd, const char *path, int flags)
{
    return do_open(dirfd, path, flags, 0);
}

int
__openat64_2(int dirfd, const char *path, int flags)
{
    return do_open(dirfd, path, flags, 0);
}

int
close(int fd)
{
    begin();
    if (fd >= 0 && fd < FDS)
        ours[fd] = 0;
    return real_close(fd);
}

int
dup(int fd)
{
    begin();
    int copy = real_dup(fd);
    if (copy >= 0 && copy < FDS)
        ours[copy] = (char)is_ours(fd);
    return copy;
}

int
socket(int domain, int type, int protocol)
{
    begin();
    pthread_mutex_lock(&lock);
    int fd = fails(OPENS) ? -1 : real_socket(domain, type, protocol);
    pthread_mutex_unlock(&lock);
    return fd;
}

/* --- one call that changes something, under the lock, so that the log has the order that was */

#define CHANGING(mine, call, done)                                                                                     \
    begin();                                                                                                           \
    if (!(mine))                                                                                                       \
        return call;                                                                                                   \
    pthread_mutex_lock(&lock);                                                                                         \
    __typeof__(call) rc = -1;                                                                                          \
    if (!fails(WRITES)) {                                                                                              \
        change();                                                                                                      \
        rc = call;                                                                                                     \
        int err = errno;                                                                                               \
        if (rc >= 0)                                                                                                   \
            done;                                                                                                      \
        errno = err;                                                                                                   \
    }                                                                                                                  \
    pthread_mutex_unlock(&lock);                                                                                       \
    return rc;

ssize_t
write(int fd, const void *bytes, size_t length)
{
    CHANGING(is_ours(fd), real_write(fd, bytes, length),
             log_fd_op("write", fd, lseek(fd, 0, SEEK_CUR) - rc, bytes, (size_t)rc))
}

ssize_t
pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    CHANGING(is_ours(fd), real_pwrite64(fd, bytes, length, offset), log_fd_op("write", fd, offset, bytes, (size_t)rc))
}

ssize_t
pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite64(fd, bytes, length, offset);
}

ssize_t
writev(int fd, const struct iovec *parts, int n)
{
    begin();
    if (!is_ours(fd))
        return real_writev(fd, parts, n);
    ssize_t total = 0;
    for (int i = 0; i < n; i++) {
        ssize_t done = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (done < 0)
            return total ? total : -1;
        total += done;
        if ((size_t)done < parts[i].iov_len)
            break;
    }
    return total;
}

int
ftruncate64(int fd, off64_t length)
{
    CHANGING(is_ours(fd), real_ftruncate64(fd, length), log_fd_op("truncate", fd, length, NULL, 0))
}

int
ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

int
fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    CHANGING(is_ours(fd), real_fallocate64(fd, mode, offset, length), (void)0)
}

int
posix_fallocate64(int fd, off64_t offset, off64_t length)
{
    begin();
    pthread_mutex_lock(&lock);
    int rc = is_ours(fd) && fails(WRITES) ? errno : real_posix_fallocate64(fd, offset, length);
    pthread_mutex_unlock(&lock);
    return rc;
}

int
posix_fallocate(int fd, off_t offset, off_t length)
{
    return posix_fallocate64(fd, offset, length);
}

/* A flush: what it is told of is which file, and whether it was made to fail. */
static int
flush(int (*real)(int), const char *op, int fd)
{
    pthread_mutex_lock(&lock);
    int rc = -1, failing = fails(WRITES);
    if (!failing) {
        change();
        rc = real(fd);
    }
    int err = errno;
    struct stat st;
    if (flush_fd >= 0 && fstat(fd, &st) == 0) {
        char path[64], name[PATH_MAX] = "", line[PATH_MAX + 64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (syscall(SYS_readlinkat, AT_FDCWD, path, name, sizeof name - 1) < 0)
            *name = '\0';
        int n = snprintf(line, sizeof line, "%s %s %llu %s\n", failing ? "failed" : "flushed", op,
                         (unsigned long long)st.st_ino, name);
        raw_write(flush_fd, line, (size_t)n);
    }
    if (rc == 0 && log_fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && !strcmp(op, "fsync")) {
        char proc[64], name[PATH_MAX] = "";
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
        if (syscall(SYS_readlinkat, AT_FDCWD, proc, name, sizeof name - 1) > 0)
            log_names("fsyncdir", name, NULL);
    } else if (rc == 0) {
        log_fd_op(op, fd, 0, NULL, 0);
    }
    errno = err;
    pthread_mutex_unlock(&lock);
    return rc;
}

int
fsync(int fd)
{
    begin();
    return is_ours(fd) ? flush(real_fsync, "fsync", fd) : real_fsync(fd);
}

int
fdatasync(int fd)
{
    begin();
    return is_ours(fd) ? flush(real_fdatasync, "fsync", fd) : real_fdatasync(fd);
}

int
syncfs(int fd)
{
    begin();
    return is_ours(fd) ? flush(real_syncfs, "syncfs", fd) : real_syncfs(fd);
}

/* --- names */

int
rename(const char *from, const char *to)
{
    CHANGING(is_below(to), real_rename(from, to), log_names("rename", from, to))
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    CHANGING(is_below(to), real_renameat2(from_dir, from, to_dir, to, flags), log_names("rename", from, to))
}

int
link(const char *from, const char *to)
{
    CHANGING(is_below(to), real_link(from, to), log_names("link", from, to))
}

/* What makes room does not run out of it. */
int
unlink(const char *path)
{
    begin();
    if (!is_below(path))
        return real_unlink(path);
    pthread_mutex_lock(&lock);
    change();
    int rc = real_unlink(path), err = errno;
    if (rc == 0)
        log_names("unlink", path, NULL);
    errno = err;
    pthread_mutex_unlock(&lock);
    return rc;
}

int
unlinkat(int dirfd, const char *path, int flags)
{
    char name[PATH_MAX] = "", whole[2 * PATH_MAX], proc[64];
    begin();
    if (!is_ours(dirfd) || *path == '/')
        return real_unlinkat(dirfd, path, flags);
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", dirfd);
    if (syscall(SYS_readlinkat, AT_FDCWD, proc, name, sizeof name - 1) < 0)
        return -1;
    snprintf(whole, sizeof whole, "%s/%s", name, path);
    return flags & AT_REMOVEDIR ? rmdir(whole) : unlink(whole);
}

int
mkdir(const char *path, mode_t mode)
{
    CHANGING(is_below(path), real_mkdir(path, mode), log_names("mkdir", path, NULL))
}

int
rmdir(const char *path)
{
    CHANGING(is_below(path), real_rmdir(path), log_names("rmdir", path, NULL))
}

/* --- the clock */

static long long
jump(void *caller)
{
    Dl_info info;
    if (!active || !n_jumps)
        return 0;
    if (dladdr(caller, &info) && info.dli_fname && (strstr(info.dli_fname, "libcrypto") || strstr(info.dli_fname, "libssl")))
        return 0;
    pthread_mutex_lock(&lock);
    clock_reads++;
    long long by = 0;
    for (int i = 0; i < n_jumps; i++)
        if (clock_reads >= jumps[i].at)
            by = jumps[i].by;
    pthread_mutex_unlock(&lock);
    return by;
}

int
clock_gettime(clockid_t id, struct timespec *now)
{
    begin();
    int rc = real_clock_gettime(id, now);
    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += (time_t)jump(__builtin_return_address(0));
    return rc;
}

time_t
time(time_t *out)
{
    begin();
    time_t now = real_time(NULL) + (time_t)jump(__builtin_return_address(0));
    if (out)
        *out = now;
    return now;
}

int
gettimeofday(struct timeval *now, void *zone)
{
    begin();
    int rc = real_gettimeofday(now, zone);
    if (rc == 0)
        now->tv_sec += (time_t)jump(__builtin_return_address(0));
    return rc;
}
