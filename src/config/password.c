#include "config.h"

#include "config/password.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_LIMIT (10 * G_USEC_PER_SEC)
#define COMMAND_NOT_FOUND 127 /* of sh */
#define SIZE_LIMIT 4096

void
password_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static void
own_group(gpointer data G_GNUC_UNUSED)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* a worker's threads leave their signals to one of them */
    setpgid(0, 0);                         /* so that the shell and what it runs end together */
}

/* Reads both pipes until they end, the limit, or the deadline; FALSE on the last two. */
static gboolean
collect(int out, int err, char *secret, gsize *len, GString *words)
{
    gint64 deadline = clock_monotonic() + TIME_LIMIT;
    struct pollfd fds[] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        gint64 left = (deadline - clock_monotonic()) / 1000;
        int n = left > 0 ? poll(fds, 2, (int)left + 1) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FALSE;
        for (int i = 0; i < 2; i++) {
            if (fds[i].fd < 0 || !fds[i].revents)
                continue;
            char buffer[512];
            gsize room = i ? sizeof buffer : SIZE_LIMIT - *len;
            gssize got = read(fds[i].fd, i ? buffer : secret + *len, room);
            if (got <= 0)
                fds[i].fd = -1;
            else if (i)
                g_string_append_len(words, buffer, words->len < SIZE_LIMIT ? got : 0);
            else if ((*len += (gsize)got) == SIZE_LIMIT)
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean
is_keyring(const struct account *account, const char *command)
{
    return account->password == PASSWORD_KEYRING && command == account->password_command;
}

/* secret-tool says nothing where there is no such entry. */
static void
tell_keyring(const struct account *account, int status, const char *words, GError **error)
{
    g_autofree char *safe = text_safe(words, -1, TEXT_LINE), *shown = text_squeeze(safe);
    g_autofree char *name = g_shell_quote(account->name);
    if (status == COMMAND_NOT_FOUND)
        g_set_error(error, CONFIG_ERROR, ERROR_AUTH,
                    "the keyring cannot be asked for the password of %s: secret-tool (libsecret-tools) is not installed", account->name);
    else
        g_set_error(error, CONFIG_ERROR, ERROR_AUTH,
                    "the keyring has no password of %s%s%s: \"secret-tool store --label=Postrider service postrider account %s\" "
                    "keeps it there",
                    account->name, *shown ? ": " : "", shown, name);
}

static char *
run(const struct account *account, const char *command, GError **error)
{
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    g_autoptr(GError) local = NULL;
    g_autoptr(GString) words = g_string_new(NULL);
    char secret[SIZE_LIMIT + 1] = "";
    gsize len = 0;
    GPid pid;
    int out, err, status = 0;

    if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, own_group, NULL, &pid,
                                  NULL, &out, &err, &local)) {
        g_set_error(error, CONFIG_ERROR, ERROR_AUTH, "the password command of %s cannot be run: %s",
                    account->name, local->message);
        return NULL;
    }
    gboolean in_time = collect(out, err, secret, &len, words);
    close(out);
    close(err);
    if (!in_time)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    secret[len] = '\0';
    secret[strcspn(secret, "\r\n")] = '\0';
    char *result = NULL;
    if (!in_time) {
        g_set_error(error, CONFIG_ERROR, ERROR_AUTH,
                    "the password command of %s took more than 10 seconds or printed more than 4 KiB: \"%s\"",
                    account->name, command);
    } else if (is_keyring(account, command) && WIFEXITED(status) && (WEXITSTATUS(status) || !*secret)) {
        tell_keyring(account, WEXITSTATUS(status), words->str, error);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !*secret) {
        g_autofree char *safe = text_safe(words->str, -1, TEXT_LINE);
        g_autofree char *shown = text_squeeze(safe);
        g_set_error(error, CONFIG_ERROR, ERROR_AUTH,
                    "the password command of %s %s: \"%s\"%s%s: try it in a shell", account->name,
                    WIFEXITED(status) && !WEXITSTATUS(status) ? "printed nothing" : "failed", command,
                    *shown ? " said: " : "", shown);
    } else {
        result = g_strdup(secret);
    }
    explicit_bzero(secret, sizeof secret);
    return result;
}

char *
password_get(const struct account *account, gboolean outgoing, GError **error)
{
    const char *command = outgoing && account->outgoing_password_command ? account->outgoing_password_command
                                                                         : account->password_command;
    if (command)
        return run(account, command, error);
    g_set_error(error, CONFIG_ERROR, ERROR_AUTH, "the password of %s has to be asked for", account->name);
    return NULL;
}
