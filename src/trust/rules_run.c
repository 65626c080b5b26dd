/* rules_run.c - what rules do that leaves the store: forwarding, programs */
#include "config.h"

#include "trust/rules_private.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "mail/rawmsg.h"
#include "mail/reply.h"
#include "store/account.h"
#include "store/message.h"
#include "store/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- forwarding ---- */

#define LOOP_FIELD "X-Loop"
#define LOOP_FIELDS_MAX 50

static gboolean
went_round(GBytes *message, const char *address)
{
    for (guint i = 0; i < LOOP_FIELDS_MAX; i++) {
        g_autofree char *value = rawmsg_get(message, LOOP_FIELD, i);
        if (!value)
            return FALSE;
        if (!g_ascii_strcasecmp(value, address))
            return TRUE;
    }
    return TRUE; /* that many: somebody's loop */
}

/* Reports and automatic answers go on with the null reverse path, so that nothing can come back for them (RFC 5321
 * section 4.5.5, RFC 3834 section 2). */
static gboolean
is_automatic(GBytes *message)
{
    g_autofree char *path = rawmsg_get(message, "Return-Path", 0);
    g_autofree char *automatic = rawmsg_get(message, "Auto-Submitted", 0);
    return (path && !strcmp(path, "<>")) || (automatic && g_ascii_strncasecmp(automatic, "no", 2));
}

gboolean
rules_forward(const struct rules_context *context, gint64 message, const char *name, const char *address, GError **error)
{
    const struct account *account = config_account(context->config, name, error);
    g_autoptr(GBytes) original = account ? store_message_bytes(context->store, message, error) : NULL;
    if (!original)
        return FALSE;
    if (went_round(original, account->address)) {
        g_set_error(error, RULES_ERROR, ERROR_SKIP, "it was forwarded from here before, and came back");
        return FALSE;
    }
    struct address from = {account->real_name, account->address};
    struct address to_one = {NULL, (char *) address};
    g_autoptr(GPtrArray) to = g_ptr_array_new();
    g_ptr_array_add(to, &to_one);
    g_autoptr(GBytes) resent = resend_message(original, &from, to, error);
    g_autoptr(GBytes) bytes = resent ? rawmsg_add(resent, LOOP_FIELD, account->address, TRUE, error) : NULL;
    g_autoptr(struct_message) row = bytes ? message_load(context->store, message, error) : NULL;
    if (!row)
        return FALSE;
    g_autofree char *id = rawmsg_get(bytes, "Resent-Message-ID", 0);
    g_autofree char *bare = id ? message_id_first(id) : NULL;
    struct outbox_new item = {
        .account = store_account_find(context->store, account->name),
        .message = bytes,
        .from = is_automatic(original) ? "" : account->address,
        .recipients = to,
        .subject = row->subject,
        .message_id = bare,
    };
    return outbox_queue(context->store, &item, error) != 0;
}

/* ---- programs ---- */

static void
own_group(gpointer data G_GNUC_UNUSED)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* a worker's threads leave their signals to one of them */
    setpgid(0, 0);                         /* so that it ends with what it started */
}

/* TRUE when it ended by itself in time. */
static gboolean
wait_for(GPid pid, int *status)
{
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    gint64 deadline = clock_monotonic() + RULES_RUN_SECONDS * G_USEC_PER_SEC;
    int n = 0;
    for (gint64 left; fd >= 0 && (left = deadline - clock_monotonic()) > 0;)
        if ((n = poll(&wait, 1, (int) (left / 1000) + 1)) > 0 || (n < 0 && errno != EINTR))
            break;
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        kill(-pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return n > 0;
}

/* The first line that it said. */
static char *
first_words(int fd)
{
    char buffer[400];
    gssize got = pread(fd, buffer, sizeof buffer, 0);
    g_autofree char *text = g_strndup(buffer, got > 0 ? (gsize) got : 0);
    text[strcspn(text, "\r\n")] = '\0';
    return text_safe(text, -1, TEXT_LINE);
}

gboolean
rules_run_program(struct store *store, gint64 message, char **argv, GError **error)
{
    g_autofree char *path = store_message_path(store, message, error);
    if (!path)
        return FALSE;
    int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = memfd_create("rule", MFD_CLOEXEC);
    g_autoptr(GError) why = NULL;
    GPid pid;
    int status = 0;
    gboolean started = in >= 0 && out >= 0 &&
                       g_spawn_async_with_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, own_group,
                                              NULL, &pid, in, out, out, &why);
    gboolean in_time = started && wait_for(pid, &status);
    g_autofree char *words = started ? first_words(out) : NULL;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    if (in_time && WIFEXITED(status) && !WEXITSTATUS(status))
        return TRUE;
    if (!started)
        g_set_error(error, RULES_ERROR, ERROR_SKIP, "%s cannot be run: %s", argv[0], why ? why->message : g_strerror(errno));
    else if (!in_time)
        g_set_error(error, RULES_ERROR, ERROR_SKIP, "%s took more than %d seconds and was ended", argv[0], RULES_RUN_SECONDS);
    else if (WIFEXITED(status))
        g_set_error(error, RULES_ERROR, ERROR_SKIP, "%s ended with %d%s%s", argv[0], WEXITSTATUS(status),
                    *words ? ": " : "", words);
    else
        g_set_error(error, RULES_ERROR, ERROR_SKIP, "%s was ended by signal %d", argv[0], WTERMSIG(status));
    return FALSE;
}
