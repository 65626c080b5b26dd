#include "config.h"

#include "ui/signals.h"

#include "ui/app.h"
#include "ui/term.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

static int pipe_ends[2]; /* SIGTSTP and SIGCONT are not GLib's */

static void
to_pipe(int number)
{
    int saved = errno;
    char byte = (char)number;
    ssize_t ignored = write(pipe_ends[1], &byte, 1);
    (void)ignored;
    errno = saved;
}

static void
catch_stops(void)
{
    static const int numbers[] = {SIGTSTP, SIGCONT};
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction action = {.sa_handler = to_pipe, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        sigaction(numbers[i], &action, NULL);
    }
}

static gboolean
on_stop_or_continue(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct app *app = data;
    char bytes[64];
    ssize_t n = read(fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] == SIGTSTP) {
            if (app_is_away(app)) {
                raise(SIGSTOP); /* the child has the terminal: stop beside it */
            } else {
                term_stop();
                catch_stops();
            }
        } else if (!app_is_away(app)) { /* who stopped us by SIGSTOP may have changed the terminal */
            term_leave();
            term_enter();
        }
    }
    app_dirty(app);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_winch(gpointer data)
{
    term_resize();
    app_dirty(data);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_end(gpointer data)
{
    app_rescue(data);
    app_quit(data);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt(gpointer data G_GNUC_UNUSED)
{
    return G_SOURCE_CONTINUE; /* Ctrl-C meant for a child that had the terminal */
}

void
signals_watch(struct app *app)
{
    g_unix_signal_add(SIGWINCH, on_winch, app);
    g_unix_signal_add(SIGTERM, on_end, app);
    g_unix_signal_add(SIGHUP, on_end, app);
    g_unix_signal_add(SIGINT, on_interrupt, app);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    if (g_unix_open_pipe(pipe_ends, FD_CLOEXEC, NULL)) {
        g_unix_set_fd_nonblocking(pipe_ends[0], TRUE, NULL);
        g_unix_set_fd_nonblocking(pipe_ends[1], TRUE, NULL);
        g_unix_fd_add(pipe_ends[0], G_IO_IN, on_stop_or_continue, app);
        catch_stops();
    }
}
