#include "config.h"

#include "ui/app.h"

#include "base/error.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/width.h"
#include "mail/reader.h"
#include "store/store.h"
#include "ui/draw.h"
#include "ui/files.h"
#include "ui/finder.h"
#include "ui/stats.h"
#include "ui/link.h"
#include "ui/signals.h"
#include "ui/start.h"
#include "ui/term.h"
#include "ui/text.h"
#include "ui/viewer.h"
#include "ui/writer.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ESCAPE_MS 25 /* after that a lone Escape is a key */
#define POLL_MS 2000 /* other programs change the store too */
#define REREAD_MS 40 /* a sync changes the store many times a second */
#define SAID_SECONDS 8
#define WAITING_MAX 4 /* lines that wait until one that must not be missed was seen */
#define CLOCK_SECONDS 60 /* "3 h ago" and the days of the list */
#define MESSAGES_MAX 200
#define SEQUENCE_MAX 4
#define SHORT_STATE 24 /* cells */

/* What only the loop itself needs. */
static struct {
    GMainLoop *loop;
    struct key_decoder *decoder;
    guint input, escape, frame, reread;
    guint64 seen; /* store_change_count() */
    guint sequence[SEQUENCE_MAX];
    guint sequence_length;
    char *said;
    gboolean said_warning;
    gboolean said_stays; /* until a key: what is said meanwhile waits */
    GQueue waiting;      /* of texts, the first character tells warnings */
    guint said_timer;
    gboolean away, ending;
    int status;
} loop;

static gboolean draw_frame(gpointer data);

/* ---- messages ---- */

static void
unsay(void)
{
    g_clear_pointer(&loop.said, g_free);
    if (loop.said_timer)
        g_source_remove(loop.said_timer);
    loop.said_timer = 0;
}

static gboolean
said_long_enough(gpointer data)
{
    loop.said_timer = 0;
    unsay();
    app_dirty(data);
    return G_SOURCE_REMOVE;
}

static void
show_said(struct app *app, gboolean warning, char *text)
{
    unsay();
    loop.said = text;
    loop.said_warning = warning;
    if (!warning) /* a warning stays until a key says that it was seen */
        loop.said_timer = g_timeout_add_seconds(SAID_SECONDS, said_long_enough, app);
    app_dirty(app);
}

/* A key was pressed: what stood there was seen, and what waited for that comes. */
static void
said_was_seen(struct app *app)
{
    unsay();
    loop.said_stays = FALSE;
    g_autofree char *next = g_queue_pop_head(&loop.waiting);
    if (!next)
        return;
    show_said(app, *next == '!', g_strdup(next + 1));
    loop.said_stays = loop.waiting.length > 0;
}

static void
say(struct app *app, gboolean warning, char *text)
{
    if (app->messages->len >= MESSAGES_MAX)
        g_ptr_array_remove_index(app->messages, 0);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
    g_ptr_array_add(app->messages, g_strdup_printf("%s  %s%s", time, warning ? "! " : "", text));
    if (warning)
        log_info("ui.say", "%s", text);
    if (!loop.said_stays) {
        show_said(app, warning, text);
        return;
    }
    if (loop.waiting.length >= WAITING_MAX)
        g_free(g_queue_pop_tail(&loop.waiting));
    g_queue_push_tail(&loop.waiting, g_strconcat(warning ? "!" : " ", text, NULL));
    g_free(text);
}

void
app_say(struct app *app, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(app, FALSE, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void
app_warn(struct app *app, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(app, TRUE, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void
app_hold(void)
{
    if (loop.said_timer)
        g_source_remove(loop.said_timer);
    loop.said_timer = 0;
    loop.said_stays = loop.said != NULL;
}

void
app_error(struct app *app, const char *what, GError *error)
{
    if (error && what)
        app_warn(app, "%s: %s", what, error->message);
    else if (error || what)
        app_warn(app, "%s", error ? error->message : what);
    g_clear_error(&error);
}

/* ---- the stack ---- */

struct view *
app_top(struct app *app)
{
    return app->views->len ? g_ptr_array_index(app->views, app->views->len - 1) : NULL;
}

struct view *
app_find(struct app *app, const struct view_class *class)
{
    for (guint i = app->views->len; i-- > 0;) {
        struct view *view = g_ptr_array_index(app->views, i);
        if (view->class == class)
            return view;
    }
    return NULL;
}

void
app_push(struct app *app, struct view *view)
{
    view->app = app;
    g_ptr_array_add(app->views, view);
    loop.sequence_length = 0;
    app_dirty(app);
}

void
app_remove(struct app *app, struct view *view)
{
    /* A prompt may point at the view: it goes first. */
    if (view == app_top(app))
        prompt_cancel(app);
    if (!g_ptr_array_remove(app->views, view))
        return;
    view->class->free(view);
    if (!app->views->len)
        app_quit(app);
    app_dirty(app);
}

void
app_pop(struct app *app)
{
    if (app->views->len)
        app_remove(app, app_top(app));
}

void
app_back(struct app *app)
{
    struct view *top = app_top(app);
    if (!top->class->leaving || top->class->leaving(top))
        app_remove(app, top);
}

void
app_quit(struct app *app)
{
    (void)app;
    loop.ending = TRUE;
    if (loop.loop)
        g_main_loop_quit(loop.loop);
}

void
app_rescue(struct app *app)
{
    /* From above: an editor hands its text to the composer below it. */
    for (guint i = app->views->len; i-- > 0;) {
        struct view *view = g_ptr_array_index(app->views, i);
        if (view->class->rescue)
            view->class->rescue(view);
    }
}

/* ---- drawing ---- */

void
app_dirty(struct app *app)
{
    if (!loop.frame && loop.loop)
        loop.frame = g_idle_add_full(G_PRIORITY_DEFAULT + 10, draw_frame, app, NULL);
}

/* What the view is about comes first: of what stands at the right, the last pieces give way to it. */
static void
make_room(char *right, int room)
{
    for (char *gap; *right && width_text(right) > room;) {
        gap = g_strrstr(right, "   ");
        if (!gap)
            return;
        *gap = '\0';
    }
}

static void
draw_title(struct view *view, int columns)
{
    struct area area = {0, 0, 1, columns};
    guint style = STYLE_ON(ROLE_TEXT, GROUND_BAR);
    term_fill(0, 0, 1, columns, style);
    g_autofree char *title = view->class->title ? view->class->title(view) : NULL;
    g_autofree char *right = view->class->title_right ? view->class->title_right(view) : NULL;
    if (title && right)
        make_room(right, columns - width_text(title) - 4);
    draw_ends(0, &area, STYLE_ON(ROLE_TITLE, GROUND_BAR), title, STYLE_ON(ROLE_DIM, GROUND_BAR), right);
}

static void
draw_status(struct app *app, struct view *view, int row, int columns)
{
    struct area area = {row, 0, 1, columns};
    term_fill(row, 0, 1, columns, STYLE_ON(ROLE_TEXT, GROUND_BAR));
    g_autofree char *right =
        view->class->status_right ? view->class->status_right(view) : link_status(app->link);
    if (loop.said) {
        /* "off line" and its like are what a long error is about: the error gives way, and Esc m has it whole.
         * What is wide (counts, progress) gives way to what is said. */
        gboolean both = width_text(right) <= SHORT_STATE || width_text(loop.said) + width_text(right) + 4 < columns;
        draw_ends(row, &area, STYLE_ON(loop.said_warning ? ROLE_BAD : ROLE_BOLD, GROUND_BAR), loop.said,
                  STYLE_ON(ROLE_DIM, GROUND_BAR), both ? right : NULL);
        return;
    }
    if (view->class->bottom) {
        view->class->bottom(view, &area);
        return;
    }
    g_autofree char *left = view->class->status ? view->class->status(view) : NULL;
    if (left)
        draw_ends(row, &area, STYLE_ON(ROLE_TEXT, GROUND_BAR), left, STYLE_ON(ROLE_DIM, GROUND_BAR), right);
}

static void
draw_prefix(struct app *app, struct view *view, int row, int columns)
{
    struct area area = {row, 0, 1, columns};
    g_autofree char *keys = key_sequence_name(loop.sequence, loop.sequence_length);
    g_autofree char *hint =
        keymap_hint(app->keymap, view->class->context, loop.sequence, loop.sequence_length);
    g_autofree char *line = g_strdup_printf("%s …  %s", keys, hint);
    term_fill(row, 0, 1, columns, STYLE_ON(ROLE_TEXT, GROUND_POPUP));
    draw_ends(row, &area, STYLE_ON(ROLE_ACCENT, GROUND_POPUP), line, 0, NULL);
}

/* At 160 columns a view that can stand beside the one below leaves it the left part. */
static void
draw_views(struct app *app, struct area area)
{
    struct view *top = app_top(app);
    if (top->class->beside && app->config->layout == LAYOUT_BESIDE && app->views->len > 1 && area.columns >= 160) {
        struct view *below = g_ptr_array_index(app->views, app->views->len - 2);
        struct area left = area;
        left.columns = area.columns * 45 / 100;
        below->class->draw(below, &left);
        draw_column_rule(area.row, area.rows, left.columns);
        area.column = left.columns + 1;
        area.columns -= left.columns + 1;
    }
    top->class->draw(top, &area);
}

static gboolean
draw_frame(gpointer data)
{
    struct app *app = data;
    loop.frame = 0;
    struct view *top = app_top(app);
    if (!top || loop.away)
        return G_SOURCE_REMOVE;
    int rows = term_rows(), columns = term_columns();
    int cursor_row = -1, cursor_column = 0;
    struct area screen = {0, 0, rows, columns};
    term_begin();
    if (rows >= 3)
        draw_views(app, (struct area){1, 0, rows - 2, columns});
    if (rows >= 2)
        draw_title(top, columns);
    draw_status(app, top, rows - 1, columns);
    if (loop.sequence_length)
        draw_prefix(app, top, rows - 1, columns);
    if (top->class->cursor && !top->class->cursor(top, &cursor_row, &cursor_column))
        cursor_row = -1;
    if (app->prompt)
        prompt_draw(app, &screen, &cursor_row, &cursor_column);
    term_end(cursor_row, cursor_column);
    return G_SOURCE_REMOVE;
}

/* ---- the store changed ---- */

static gboolean
reread(gpointer data)
{
    struct app *app = data;
    loop.reread = 0;
    if (app->store)
        loop.seen = store_change_count(app->store);
    for (guint i = 0; i < app->views->len; i++) {
        struct view *view = g_ptr_array_index(app->views, i);
        if (view->class->refresh)
            view->class->refresh(view);
    }
    app_dirty(app);
    return G_SOURCE_REMOVE;
}

void
app_reread(struct app *app)
{
    if (loop.reread)
        g_source_remove(loop.reread);
    reread(app);
}

void
app_store_changed(struct app *app)
{
    if (!loop.reread && loop.loop)
        loop.reread = g_timeout_add_full(G_PRIORITY_DEFAULT + 5, REREAD_MS, reread, app, NULL);
}

static gboolean
poll_store(gpointer data)
{
    struct app *app = data;
    if (app->store && store_change_count(app->store) != loop.seen)
        app_store_changed(app);
    return G_SOURCE_CONTINUE;
}

static gboolean
tick(gpointer data)
{
    app_dirty(data);
    return G_SOURCE_CONTINUE;
}

/* ---- keys ---- */

GArray *
app_targets(struct app *app)
{
    struct view *top = app_top(app);
    gboolean tagged = app->tagged;
    app->tagged = FALSE;
    if (top->class->targets)
        return top->class->targets(top, tagged);
    return g_array_new(FALSE, FALSE, sizeof(gint64));
}

void
app_run_command(struct app *app, const struct command *command, const char *argument)
{
    log_debug("ui.command", "%s", command->name);
    gboolean tagged = app->tagged;
    command->run(app, argument);
    if (tagged) /* ; is for one command, whether it used it or not */
        app->tagged = FALSE;
    app_dirty(app);
}

static void
run_sequence(struct app *app)
{
    struct view *top = app_top(app);
    const struct command *command = NULL;
    switch (keymap_find(app->keymap, top->class->context, loop.sequence, loop.sequence_length, &command)) {
    case KEYMAP_COMMAND:
        app->last_key = loop.sequence[loop.sequence_length - 1];
        loop.sequence_length = 0;
        app_run_command(app, command, NULL);
        return;
    case KEYMAP_PREFIX:
        if (loop.sequence_length < SEQUENCE_MAX)
            return;
        break;
    case KEYMAP_NONE:
        break;
    }
    gboolean cancelled = loop.sequence_length == 1 && loop.sequence[0] == K_CTRL_OF('G');
    if (loop.sequence_length > 1) { /* Esc Esc, Esc Ctrl-G: out of the prefix */
        guint last = loop.sequence[loop.sequence_length - 1];
        cancelled = last == K_ESC || last == K_CTRL_OF('G');
    }
    g_autofree char *name = key_sequence_name(loop.sequence, loop.sequence_length);
    loop.sequence_length = 0;
    app->tagged = FALSE;
    if (!cancelled)
        app_say(app, _("%s does nothing here: ? shows the keys, : finds a command"), name);
}

static void
sequence_key(struct app *app, guint key)
{
    if (loop.sequence_length >= SEQUENCE_MAX)
        loop.sequence_length = 0;
    loop.sequence[loop.sequence_length++] = key;
    run_sequence(app);
}

static void
on_key(const struct key_event *event, gpointer data)
{
    struct app *app = data;
    struct view *top = app_top(app);
    if (loop.ending || loop.away || !top)
        return;
    app_dirty(app);
    if (event->key != K_MOUSE)
        said_was_seen(app);
    if (event->key == K_MOUSE) {
        if (!app->prompt && top->class->mouse)
            top->class->mouse(top, event);
        return;
    }
    if (app->prompt) {
        prompt_key(app, event);
        return;
    }
    if (!loop.sequence_length && top->class->key && top->class->key(top, event))
        return;
    if (event->key == K_PASTE) {
        app_say(app, _("pasted text is taken only where something is typed"));
        return;
    }
    if (event->key & K_ALT) {
        guint rest = event->key & ~(guint)K_ALT;
        sequence_key(app, K_ESC);
        if (loop.sequence_length)
            sequence_key(app, rest);
        return;
    }
    sequence_key(app, event->key);
}

static gboolean
escape_over(gpointer data)
{
    loop.escape = 0;
    key_decoder_timeout(loop.decoder, on_key, data);
    return G_SOURCE_REMOVE;
}

static gboolean
on_input(gint fd, GIOCondition condition, gpointer data)
{
    struct app *app = data;
    char bytes[4096];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n <= 0) {
        /* VMIN 0: nothing there is 0 too, so only a hang-up is the end of the terminal. */
        if ((n < 0 && errno != EAGAIN && errno != EINTR) || condition & (G_IO_HUP | G_IO_ERR)) {
            loop.input = 0;
            log_info("ui.app", "the terminal is gone");
            app_rescue(app);
            app_quit(app);
            return G_SOURCE_REMOVE;
        }
        return G_SOURCE_CONTINUE;
    }
    if (loop.escape)
        g_source_remove(loop.escape);
    loop.escape = 0;
    key_decoder_feed(loop.decoder, bytes, (gsize)n, on_key, app);
    if (key_decoder_waiting(loop.decoder))
        loop.escape = g_timeout_add(ESCAPE_MS, escape_over, app);
    return G_SOURCE_CONTINUE;
}

gboolean
app_is_away(struct app *app G_GNUC_UNUSED)
{
    return loop.away;
}

void
app_away(struct app *app, gboolean away)
{
    loop.away = away;
    if (away) {
        if (loop.input)
            g_source_remove(loop.input);
        loop.input = 0;
        term_leave();
    } else {
        term_enter();
        if (!loop.input)
            loop.input = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, app);
        app_store_changed(app);
    }
}

/* ---- run ---- */

static void
bind_keys(struct app *app)
{
    static const char *const sets[] = {
        [KEYS_MUTT] = "mutt", [KEYS_AERC] = "aerc", [KEYS_ALPINE] = "alpine", [KEYS_VI] = "vi"};
    app->keymap = keymap_new(sets[app->config->key_set]);
    for (guint i = 0; app->config->keys && i < app->config->keys->len; i++) {
        const struct config_pair *pair = &g_array_index(app->config->keys, struct config_pair, i);
        g_autofree char *why = NULL;
        if (keymap_bind(app->keymap, pair->key, pair->value, &why))
            continue;
        app_warn(app, _("%s, line %d: %s"), app->config->path, pair->line, why);
        app_hold();
    }
}

static void
run_loop(struct app *app)
{
    loop.loop = g_main_loop_new(NULL, FALSE);
    signals_watch(app);
    loop.decoder = term_decoder();
    loop.input = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, app);
    g_timeout_add(POLL_MS, poll_store, app);
    g_timeout_add_seconds(CLOCK_SECONDS, tick, app);
    app_dirty(app);
    if (!loop.ending)
        g_main_loop_run(loop.loop);
    loop.ending = TRUE;
}

int
app_run(const struct screen_request *request)
{
    g_autoptr(GError) error = NULL;
    struct app app = {.request = request, .read_only = request->read_only};
    app.messages = g_ptr_array_new_with_free_func(g_free);
    app.views = g_ptr_array_new();
    app.config = config_load(NULL, &error);
    if (!app.config) {
        fprintf(stderr, "postrider: %s\n", error->message);
        return error_exit_code(error);
    }
    if (!start_store(&app, &error)) {
        fprintf(stderr, "postrider: %s\n", error->message);
        config_free(app.config);
        return error_exit_code(error);
    }
    struct term_options options = {.theme = app.config->theme == THEME_DAY ? "day" : "dusk",
                                   .mouse = app.config->mouse,
                                   .hyperlinks = app.config->hyperlinks};
    if (!term_open(&options, &error)) {
        fprintf(stderr, "postrider: %s\n", error->message);
        store_close(app.store);
        config_free(app.config);
        return error_exit_code(error);
    }
    g_autofree char *state = paths_state_dir();
    prompt_load_histories(state);
    bind_keys(&app);
    app.reader = reader_new();
    start_views(&app);
    run_loop(&app);

    app_rescue(&app);
    prompt_cancel(&app);
    while (app.views->len) {
        struct view *view = app_top(&app);
        g_ptr_array_remove_index(app.views, app.views->len - 1);
        view->class->free(view);
    }
    term_close();
    writer_free(app.writer);
    link_free(app.link);
    counting_free(app.counting);
    finder_free(app.finder);
    finder_free(app.counter);
    files_free(app.files);
    reader_free(app.reader);
    store_close(app.store);
    viewer_cleanup();
    prompt_save_histories();
    keymap_free(app.keymap);
    config_free(app.config);
    g_ptr_array_unref(app.views);
    g_ptr_array_unref(app.messages);
    unsay();
    g_queue_clear_full(&loop.waiting, g_free);
    key_decoder_free(loop.decoder);
    g_main_loop_unref(loop.loop);
    return loop.status;
}
