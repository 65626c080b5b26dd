#include "config.h"

#include "base/program.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
program_result_clear(struct program_result *result)
{
    if (result->output)
        g_string_free(result->output, TRUE);
    if (result->errors)
        g_string_free(result->errors, TRUE);
    g_free(result->why);
    *result = (struct program_result){0};
}

static void
own_group(gpointer data G_GNUC_UNUSED)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* a worker's threads leave their signals to one of them */
    setpgid(0, 0);                         /* so that it ends with what it started */
}

/* The three ends of the talk; closed ones are -1. */
struct talk {
    const struct program *program;
    struct program_result *result;
    struct pollfd ends[3];
    gsize written;
};

static void
shut(struct pollfd *end)
{
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
}

static void
write_on(struct talk *talk)
{
    const struct program *program = talk->program;
    gssize n = write(talk->ends[0].fd, program->input + talk->written, program->input_length - talk->written);
    if (n > 0)
        talk->written += (gsize) n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || talk->written == program->input_length)
        shut(&talk->ends[0]);
}

/* FALSE: more than it may. */
static gboolean
read_on(struct talk *talk, guint which)
{
    char buffer[4096];
    GString *into = which == 1 ? talk->result->output : talk->result->errors;
    gssize n = read(talk->ends[which].fd, buffer, sizeof buffer);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return TRUE;
    if (n <= 0) {
        shut(&talk->ends[which]);
        return TRUE;
    }
    if (into->len + (gsize) n > talk->program->output_max)
        return FALSE;
    g_string_append_len(into, buffer, n);
    return TRUE;
}

/* Until it has closed both of its mouths, or a bound is met. */
static enum program_end
converse(struct talk *talk)
{
    gint64 deadline = clock_monotonic() + (gint64) talk->program->seconds * G_USEC_PER_SEC;
    while (talk->ends[1].fd >= 0 || talk->ends[2].fd >= 0) {
        gint64 left = deadline - clock_monotonic();
        int n = left > 0 ? poll(talk->ends, 3, (int) (left / 1000) + 1) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return PROGRAM_TOO_LONG;
        if (talk->ends[0].fd >= 0 && talk->ends[0].revents)
            write_on(talk);
        for (guint i = 1; i < 3; i++)
            if (talk->ends[i].fd >= 0 && talk->ends[i].revents && !read_on(talk, i))
                return PROGRAM_TOO_MUCH;
    }
    return PROGRAM_EXITED;
}

/* One that has closed its mouths may still run: it is given the rest of a second. */
static void
reap(GPid pid, struct program_result *result)
{
    int status = 0;
    pid_t got = 0;
    if (result->end == PROGRAM_EXITED)
        for (guint i = 0; i < 100 && !(got = waitpid(pid, &status, WNOHANG)); i++)
            g_usleep(10000);
    if (got <= 0) {
        kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (result->end != PROGRAM_EXITED)
        return;
    if (WIFEXITED(status)) {
        result->code = WEXITSTATUS(status);
    } else {
        result->end = PROGRAM_KILLED;
        result->code = WTERMSIG(status);
    }
}

gboolean
program_run(const struct program *program, struct program_result *result)
{
    g_autoptr(GError) why = NULL;
    GPid pid;
    int in = -1, out, err;
    *result = (struct program_result){.output = g_string_new(NULL), .errors = g_string_new(NULL)};
    if (!g_spawn_async_with_pipes_and_fds(NULL, (const char *const *) program->argv, NULL,
                                          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, own_group, NULL,
                                          program->input_fd, -1, -1, NULL, NULL, 0, &pid, program->input ? &in : NULL, &out,
                                          &err, &why)) {
        result->why = g_strdup(why->message);
        return FALSE;
    }
    if (in >= 0)
        (void) fcntl(in, F_SETFL, O_NONBLOCK);
    struct talk talk = {.program = program,
                        .result = result,
                        .ends = {{.fd = in, .events = POLLOUT}, {.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}}};
    result->end = converse(&talk);
    for (guint i = 0; i < 3; i++)
        shut(&talk.ends[i]);
    reap(pid, result);
    return result->end == PROGRAM_EXITED && !result->code;
}

char *
program_words(const struct program *program, const struct program_result *result)
{
    g_autofree char *line = g_strndup(result->errors->str, strcspn(result->errors->str, "\r\n"));
    g_autofree char *said = text_safe(line, -1, TEXT_LINE), *why = NULL;
    switch (result->end) {
    case PROGRAM_EXITED:
        return result->code ? g_strdup_printf(_("ended with %d%s%s"), result->code, *said ? ": " : "", said)
                            : g_strdup(_("did it"));
    case PROGRAM_KILLED:
        return g_strdup_printf(_("was ended by signal %d"), result->code);
    case PROGRAM_TOO_LONG:
        return g_strdup_printf(_("took more than %u seconds and was ended"), program->seconds);
    case PROGRAM_TOO_MUCH:
        return g_strdup(_("said too much and was ended"));
    default:
        why = text_safe(result->why, -1, TEXT_LINE);
        return g_strdup_printf(_("cannot be run: %s"), why);
    }
}
