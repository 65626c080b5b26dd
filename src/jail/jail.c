#include "config.h"

#include "jail/jail.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

G_DEFINE_QUARK(postrider_jail_error, jail_error)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

gboolean
jail_has_filter(void)
{
    return !SANITIZED;
}

static gboolean
limit(int resource, rlim_t soft, rlim_t hard, GError **error)
{
    struct rlimit now, wanted = {soft, hard};
    if (getrlimit(resource, &now) == 0 && now.rlim_max != RLIM_INFINITY) {
        wanted.rlim_max = MIN(wanted.rlim_max, now.rlim_max);
        wanted.rlim_cur = MIN(wanted.rlim_cur, wanted.rlim_max);
    }
    if (setrlimit(resource, &wanted) == 0)
        return TRUE;
    error_set_errno(error, JAIL_ERROR, errno, "limiting resource %d", resource);
    return FALSE;
}

/* Bytes of address space that are mapped now. */
static guint64
mapped_now(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file) {
        if (fscanf(file, "%lu", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    /* without /proc: a generous guess at the libraries */
    return pages ? (guint64)pages * (guint64)sysconf(_SC_PAGESIZE) : 256 * 1024 * 1024;
}

static int
add_rules(scmp_filter_ctx filter)
{
    static const int allowed[] = {
        SCMP_SYS(read),
        SCMP_SYS(write),
        SCMP_SYS(close),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(brk),
        SCMP_SYS(madvise),
        SCMP_SYS(futex),
        SCMP_SYS(fstat),
        SCMP_SYS(lseek),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(getrandom),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(setitimer),
        SCMP_SYS(restart_syscall),
    };
    int result = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(allowed) && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    /* fstat() of this libc: of a descriptor, not of a name */
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                                  SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    /* memory, never code */
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                  SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return result;
}

static gboolean
load_filter(GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int result = filter ? add_rules(filter) : -ENOMEM;
    if (result == 0)
        result = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (result == 0)
        return TRUE;
    error_set_errno(error, JAIL_ERROR, -result, "loading the system call filter");
    return FALSE;
}

gboolean
jail_enter(guint64 memory, guint64 memory_hard, GError **error)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        error_set_errno(error, JAIL_ERROR, errno, "giving up privileges");
        return FALSE;
    }
    guint64 base = mapped_now();
    if (!limit(RLIMIT_CORE, 0, 0, error) || !limit(RLIMIT_FSIZE, 0, 0, error) ||
        !limit(RLIMIT_NOFILE, 16, 16, error) || !limit(RLIMIT_NPROC, 0, 0, error))
        return FALSE;
    if (SANITIZED)
        return TRUE;
    return limit(RLIMIT_AS, base + memory, base + memory_hard, error) && load_filter(error);
}

void
jail_cpu_limit(guint milliseconds)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000}};
    (void)setitimer(ITIMER_PROF, &timer, NULL);
}
