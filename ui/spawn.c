#include "config.h"

#include "ui/spawn.h"

#include "base/error.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/term.h"
#include "ui/text.h"
#include "ui/textview.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (1024 * 1024)

/* Between fork and exec: what the screen ignores or catches is the child's own business again. */
static void
child_signals(gpointer data G_GNUC_UNUSED)
{
    static const int numbers[] = {SIGPIPE,  SIGTTOU, SIGTSTP, SIGCONT, SIGINT, SIGTERM, SIGHUP,
                                  SIGWINCH, SIGSEGV, SIGBUS,  SIGABRT, SIGFPE, SIGILL};
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        signal(numbers[i], SIG_DFL);
}

/* ---- with the terminal ---- */

struct child {
    struct app *app;
    spawn_done done;
    gpointer data;
    GDestroyNotify destroy;
};

static void
child_ended(GPid pid, gint status, gpointer data)
{
    struct child *child = data;
    g_spawn_close_pid(pid);
    app_away(child->app, FALSE);
    gboolean ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (child->done)
        child->done(child->app, ok, child->data);
    else if (WIFSIGNALED(status))
        app_warn(child->app, _("the program was ended by signal %d"), WTERMSIG(status));
    if (child->destroy)
        child->destroy(child->data);
    g_free(child);
}

gboolean
spawn_terminal(struct app *app, const char *const *argv, const char *directory, spawn_done done,
               gpointer data, GDestroyNotify destroy, GError **error)
{
    GPid pid;
    app_away(app, TRUE);
    GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN;
    if (!g_spawn_async(directory, (char **)argv, NULL, flags, child_signals, NULL, &pid, error)) {
        app_away(app, FALSE);
        if (destroy)
            destroy(data);
        return FALSE;
    }
    struct child *child = g_new0(struct child, 1);
    *child = (struct child){app, done, data, destroy};
    g_child_watch_add(pid, child_ended, child);
    return TRUE;
}

/* ---- as a filter ---- */

struct filter {
    struct app *app;
    char *title;
    GBytes *input;
    gsize written;
    int in, out, err;
    guint in_source, out_source, err_source;
    GString *output;
    gboolean cut;
    gboolean ended;
    int status;
};

static void
filter_finish(struct filter *filter)
{
    if (!filter->ended || filter->out_source || filter->err_source)
        return;
    if (filter->in_source)
        g_source_remove(filter->in_source);
    if (filter->in >= 0)
        close(filter->in);
    struct app *app = filter->app;
    if (filter->cut)
        g_string_append(filter->output, _("\n… (there was more)\n"));
    if (filter->output->len)
        textview_open_bytes(app, filter->title, filter->output->str, filter->output->len);
    if (WIFEXITED(filter->status) && WEXITSTATUS(filter->status) == 0)
        app_say(app, _("%s: done"), filter->title);
    else if (WIFEXITED(filter->status))
        app_warn(app, _("%s: ended with %d"), filter->title, WEXITSTATUS(filter->status));
    else
        app_warn(app, _("%s: ended by signal %d"), filter->title, WTERMSIG(filter->status));
    g_bytes_unref(filter->input);
    g_string_free(filter->output, TRUE);
    g_free(filter->title);
    g_free(filter);
}

static gboolean
filter_write(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct filter *filter = data;
    gsize length;
    const char *bytes = g_bytes_get_data(filter->input, &length);
    ssize_t n = filter->written < length ? write(fd, bytes + filter->written, length - filter->written) : 0;
    if (n > 0)
        filter->written += (gsize)n;
    if (filter->written < length && (n > 0 || errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    close(filter->in); /* all written, or the child wants no more */
    filter->in = -1;
    filter->in_source = 0;
    return G_SOURCE_REMOVE;
}

static gboolean
filter_read(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct filter *filter = data;
    char bytes[16384];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0) {
        gsize room = OUTPUT_MAX - filter->output->len;
        g_string_append_len(filter->output, bytes, (gssize)MIN((gsize)n, room));
        filter->cut |= (gsize)n > room;
        return G_SOURCE_CONTINUE;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    close(fd);
    if (fd == filter->out)
        filter->out_source = 0;
    else
        filter->err_source = 0;
    filter_finish(filter);
    return G_SOURCE_REMOVE;
}

static void
filter_ended(GPid pid, gint status, gpointer data)
{
    struct filter *filter = data;
    g_spawn_close_pid(pid);
    filter->status = status;
    filter->ended = TRUE;
    filter_finish(filter);
}

void
spawn_filter(struct app *app, const char *const *argv, GBytes *input, const char *title)
{
    g_autoptr(GError) error = NULL;
    GPid pid;
    int in, out, err;
    if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                  child_signals, NULL, &pid, &in, &out, &err, &error)) {
        app_error(app, title, g_steal_pointer(&error));
        return;
    }
    struct filter *filter = g_new0(struct filter, 1);
    *filter = (struct filter){
        .app = app, .title = g_strdup(title), .input = g_bytes_ref(input), .in = in, .out = out, .err = err};
    filter->output = g_string_new(NULL);
    g_unix_set_fd_nonblocking(in, TRUE, NULL);
    g_unix_set_fd_nonblocking(out, TRUE, NULL);
    g_unix_set_fd_nonblocking(err, TRUE, NULL);
    filter->in_source = g_unix_fd_add(in, G_IO_OUT | G_IO_ERR | G_IO_HUP, filter_write, filter);
    filter->out_source = g_unix_fd_add(out, G_IO_IN | G_IO_ERR | G_IO_HUP, filter_read, filter);
    filter->err_source = g_unix_fd_add(err, G_IO_IN | G_IO_ERR | G_IO_HUP, filter_read, filter);
    g_child_watch_add(pid, filter_ended, filter);
    app_say(app, _("%s …"), title);
}

/* ---- left alone ---- */

gboolean
spawn_detached(const char *const *argv, GError **error)
{
    return g_spawn_async(NULL, (char **)argv, NULL,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                         child_signals, NULL, NULL, error);
}

void
spawn_browser(struct app *app, const char *url)
{
    if (!g_ascii_strncasecmp(url, "mailto:", 7)) {
        command_mail(app, url);
        return;
    }
    if (g_ascii_strncasecmp(url, "http://", 7) != 0 && g_ascii_strncasecmp(url, "https://", 8) != 0) {
        app_warn(app, _("only http, https and mailto links are opened: %s"), url);
        return;
    }
    const char *browser = g_getenv("BROWSER");
    g_autoptr(GError) error = NULL;
    gboolean graphical = g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY");
    g_auto(GStrv) words = NULL;
    if (browser && *browser) {
        /* A list with colons: the first one counts. */
        g_auto(GStrv) choices = g_strsplit(browser, ":", 2);
        g_shell_parse_argv(choices[0], NULL, &words, NULL);
    }
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    gboolean placed = FALSE;
    for (char **word = words; word && *word; word++) {
        placed |= !strcmp(*word, "%s");
        g_ptr_array_add(argv, strcmp(*word, "%s") ? *word : (gpointer)url);
    }
    if (!argv->len)
        g_ptr_array_add(argv, (gpointer) "xdg-open");
    if (!placed)
        g_ptr_array_add(argv, (gpointer)url);
    g_ptr_array_add(argv, NULL);
    gboolean ok = graphical
                      ? spawn_detached((const char *const *)argv->pdata, &error)
                      : spawn_terminal(app, (const char *const *)argv->pdata, NULL, NULL, NULL, NULL, &error);
    if (!ok)
        app_error(app, _("the browser (BROWSER, else xdg-open) could not be started"),
                  g_steal_pointer(&error));
    else
        app_say(app, _("opened %s"), url);
}

char *
spawn_editor_command(struct app *app)
{
    const char *found[] = {app->config->editor, g_getenv("VISUAL"), g_getenv("EDITOR")};
    for (guint i = 0; i < G_N_ELEMENTS(found); i++)
        if (found[i] && *found[i])
            return g_strdup(found[i]);
    return NULL;
}
