#include "config.h"

#include "ui/prompt.h"

#include "base/log.h"
#include "base/paths.h"
#include "base/width.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/lineedit.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

#define HISTORY_MAX 200

struct prompt {
    /* a line */
    struct prompt_spec spec; /* with its own copies of label and history */
    struct lineedit *edit;
    GPtrArray *candidates;
    gsize from, to; /* what a candidate replaces */
    int selected;   /* -1: none */
    int top;        /* of the list */
    /* a question */
    const struct prompt_choice *choices;
    void (*chosen)(struct app *app, gunichar key, gpointer data);
};

/* ---- candidates ---- */

struct candidate *
candidate_new(const char *text, const char *label, const char *note)
{
    struct candidate *candidate = g_new0(struct candidate, 1);
    candidate->text = g_strdup(text);
    candidate->label = g_strdup(label);
    candidate->note = g_strdup(note);
    return candidate;
}

static void
candidate_free(gpointer data)
{
    struct candidate *candidate = data;
    g_free(candidate->text);
    g_free(candidate->label);
    g_free(candidate->note);
    g_free(candidate);
}

GPtrArray *
candidates_new(void)
{
    return g_ptr_array_new_with_free_func(candidate_free);
}

/* ---- histories: one line an entry, in the state directory ---- */

static GHashTable *histories; /* name -> GPtrArray of char *, oldest first */
static char *history_directory;

static GPtrArray *
history(const char *name)
{
    if (!name)
        return NULL;
    if (!histories)
        histories = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    GPtrArray *lines = g_hash_table_lookup(histories, name);
    if (!lines) {
        lines = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(histories, g_strdup(name), lines);
        g_autofree char *file = g_strdup_printf("history-%s", name);
        g_autofree char *path = history_directory ? g_build_filename(history_directory, file, NULL) : NULL;
        g_autofree char *text = NULL;
        if (path && g_file_get_contents(path, &text, NULL, NULL)) {
            g_auto(GStrv) split = g_strsplit(text, "\n", HISTORY_MAX + 1);
            for (char **line = split; *line; line++)
                if (**line && g_utf8_validate(*line, -1, NULL))
                    g_ptr_array_add(lines, g_strdup(*line));
        }
    }
    return lines;
}

static void
history_add(const char *name, const char *text)
{
    GPtrArray *lines = history(name);
    if (!lines || !*text)
        return;
    for (guint i = lines->len; i-- > 0;)
        if (!strcmp(g_ptr_array_index(lines, i), text))
            g_ptr_array_remove_index(lines, i);
    g_ptr_array_add(lines, g_strdup(text));
    while (lines->len > HISTORY_MAX)
        g_ptr_array_remove_index(lines, 0);
}

void
prompt_load_histories(const char *directory)
{
    g_free(history_directory);
    history_directory = g_strdup(directory);
}

void
prompt_save_histories(void)
{
    if (!histories || !history_directory || !paths_make_dir(history_directory, NULL))
        return;
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, histories);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        GPtrArray *lines = value;
        g_autoptr(GString) text = g_string_new(NULL);
        for (guint i = 0; i < lines->len; i++)
            g_string_append_printf(text, "%s\n", (char *)g_ptr_array_index(lines, i));
        g_autofree char *file = g_strdup_printf("history-%s", (char *)name);
        g_autofree char *path = g_build_filename(history_directory, file, NULL);
        g_autoptr(GError) error = NULL;
        if (lines->len && !g_file_set_contents_full(path, text->str, (gssize)text->len,
                                                    G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
            log_warn("ui.prompt", "history: %s", error->message);
    }
    g_clear_pointer(&histories, g_hash_table_unref);
}

/* ---- life ---- */

static void
prompt_free(struct prompt *prompt)
{
    if (prompt->spec.destroy)
        prompt->spec.destroy(prompt->spec.data);
    lineedit_free(prompt->edit);
    if (prompt->candidates)
        g_ptr_array_unref(prompt->candidates);
    g_free((char *)prompt->spec.label);
    g_free((char *)prompt->spec.history);
    g_free(prompt);
}

/* The prompt leaves the screen before it calls back: the call back may ask the next thing. */
static struct prompt *
take(struct app *app)
{
    struct prompt *prompt = app->prompt;
    app->prompt = NULL;
    app_dirty(app);
    return prompt;
}

static void
finish(struct app *app, const char *text)
{
    struct prompt *prompt = take(app);
    g_autofree char *copy = g_strdup(text);
    if (copy && !prompt->spec.secret)
        history_add(prompt->spec.history, copy);
    if (prompt->spec.done)
        prompt->spec.done(app, copy, prompt->spec.data);
    prompt_free(prompt);
}

static void
finish_choice(struct app *app, gunichar key)
{
    struct prompt *prompt = take(app);
    prompt->chosen(app, key, prompt->spec.data);
    prompt_free(prompt);
}

void
prompt_cancel(struct app *app)
{
    if (!app->prompt)
        return;
    if (app->prompt->choices)
        finish_choice(app, 0);
    else
        finish(app, NULL);
}

static void
complete(struct app *app, struct prompt *prompt)
{
    g_clear_pointer(&prompt->candidates, g_ptr_array_unref);
    prompt->selected = -1;
    prompt->top = 0;
    if (!prompt->spec.complete)
        return;
    const char *text = lineedit_text(prompt->edit);
    prompt->from = 0;
    prompt->to = strlen(text);
    prompt->candidates = prompt->spec.complete(app, text, lineedit_cursor(prompt->edit), &prompt->from,
                                               &prompt->to, prompt->spec.data);
    if (prompt->spec.list && prompt->candidates && prompt->candidates->len)
        prompt->selected = 0;
}

void
prompt_line(struct app *app, const struct prompt_spec *spec)
{
    prompt_cancel(app);
    struct prompt *prompt = g_new0(struct prompt, 1);
    prompt->spec = *spec;
    prompt->spec.label = g_strdup(spec->label);
    prompt->spec.history = g_strdup(spec->history);
    prompt->spec.text = NULL;
    prompt->edit = lineedit_new(spec->text, history(prompt->spec.history));
    prompt->selected = -1;
    app->prompt = prompt;
    if (spec->list || spec->as_you_type)
        complete(app, prompt);
    app_dirty(app);
}

void
prompt_choose(struct app *app, const char *question, const struct prompt_choice *choices,
              void (*done)(struct app *app, gunichar key, gpointer data), gpointer data,
              GDestroyNotify destroy)
{
    prompt_cancel(app);
    struct prompt *prompt = g_new0(struct prompt, 1);
    prompt->spec.label = g_strdup(question);
    prompt->spec.data = data;
    prompt->spec.destroy = destroy;
    prompt->choices = choices;
    prompt->chosen = done;
    app->prompt = prompt;
    app_dirty(app);
}

struct confirm {
    void (*yes)(struct app *app, gpointer data);
    gpointer data;
    GDestroyNotify destroy;
};

static void
confirm_free(gpointer data)
{
    struct confirm *confirm = data;
    if (confirm->destroy)
        confirm->destroy(confirm->data);
    g_free(confirm);
}

static void
confirm_done(struct app *app, gunichar key, gpointer data)
{
    struct confirm *confirm = data;
    if (key == 'y')
        confirm->yes(app, confirm->data);
}

void
prompt_confirm(struct app *app, const char *question, void (*yes)(struct app *app, gpointer data),
               gpointer data, GDestroyNotify destroy)
{
    static const struct prompt_choice choices[] = {{'n', N_("no")}, {'y', N_("yes")}, {0, NULL}};
    struct confirm *confirm = g_new0(struct confirm, 1);
    confirm->yes = yes;
    confirm->data = data;
    confirm->destroy = destroy;
    prompt_choose(app, question, choices, confirm_done, confirm, confirm_free);
}

/* ---- keys ---- */

static const struct candidate *
candidate_at(const struct prompt *prompt, int i)
{
    return prompt->candidates && i >= 0 && (guint)i < prompt->candidates->len
               ? g_ptr_array_index(prompt->candidates, (guint)i)
               : NULL;
}

static void
changed(struct app *app, struct prompt *prompt)
{
    if (prompt->spec.list || prompt->spec.as_you_type)
        complete(app, prompt);
    else
        g_clear_pointer(&prompt->candidates, g_ptr_array_unref);
    if (prompt->spec.changed)
        prompt->spec.changed(app, lineedit_text(prompt->edit), prompt->spec.data);
}

static void
take_candidate(struct app *app, struct prompt *prompt, const struct candidate *candidate)
{
    g_autofree char *text = g_strdup(candidate->text);
    lineedit_replace(prompt->edit, prompt->from, prompt->to, text);
    changed(app, prompt);
}

/* What all candidates begin with, in whole characters. */
static char *
common_prefix(const GPtrArray *candidates)
{
    const char *first = ((struct candidate *)g_ptr_array_index(candidates, 0))->text;
    gsize n = strlen(first);
    for (guint i = 1; i < candidates->len; i++) {
        const char *other = ((struct candidate *)g_ptr_array_index(candidates, i))->text;
        gsize k = 0;
        while (k < n && first[k] == other[k])
            k++;
        n = k;
    }
    while (n > 0 && ((guchar)first[n] & 0xc0) == 0x80)
        n--;
    return g_strndup(first, n);
}

static void
tab(struct app *app, struct prompt *prompt)
{
    if (!prompt->candidates)
        complete(app, prompt);
    if (!prompt->candidates || !prompt->candidates->len) {
        term_bell();
        return;
    }
    if (prompt->selected >= 0 || prompt->candidates->len == 1) {
        take_candidate(app, prompt, candidate_at(prompt, MAX(prompt->selected, 0)));
        return;
    }
    g_autofree char *prefix = common_prefix(prompt->candidates);
    if (strlen(prefix) > prompt->to - prompt->from &&
        g_str_has_prefix(prefix, lineedit_text(prompt->edit) + prompt->from)) {
        GPtrArray *keep = g_ptr_array_ref(prompt->candidates);
        lineedit_replace(prompt->edit, prompt->from, prompt->to, prefix);
        if (prompt->candidates)
            g_ptr_array_unref(prompt->candidates);
        prompt->candidates = keep;
        prompt->to = prompt->from + strlen(prefix);
        return;
    }
    prompt->selected = 0;
}

static gboolean
list_key(struct prompt *prompt, guint key)
{
    int n = prompt->candidates ? (int)prompt->candidates->len : 0;
    if (!n)
        return FALSE;
    switch (key) {
    case K_DOWN:
    case K_CTRL_OF('N'):
        prompt->selected = prompt->selected + 1 >= n ? (prompt->spec.list ? n - 1 : 0) : prompt->selected + 1;
        return TRUE;
    case K_UP:
    case K_CTRL_OF('P'):
        prompt->selected = MAX(prompt->selected - 1, prompt->spec.list && !prompt->spec.free ? 0 : -1);
        return TRUE;
    case K_PAGE_DOWN:
        prompt->selected = MIN(prompt->selected + 10, n - 1);
        return TRUE;
    case K_PAGE_UP:
        prompt->selected = MAX(prompt->selected - 10, 0);
        return TRUE;
    default:
        return FALSE;
    }
}

static void
choice_key(struct app *app, struct prompt *prompt, guint key)
{
    if (key == K_ESC || key == K_CTRL_OF('G') || key == K_CTRL_OF('C')) {
        finish_choice(app, 0);
        return;
    }
    if (key == K_ENTER) {
        finish_choice(app, prompt->choices[0].key);
        return;
    }
    for (const struct prompt_choice *choice = prompt->choices; choice->key; choice++) {
        if (choice->key == key || (key < K_FIRST && g_unichar_tolower(key) == choice->key)) {
            finish_choice(app, choice->key);
            return;
        }
    }
    term_bell();
}

static void
enter(struct app *app, struct prompt *prompt)
{
    const struct candidate *candidate = candidate_at(prompt, prompt->selected);
    if (prompt->spec.list && candidate) {
        finish(app, candidate->text);
    } else if (prompt->spec.list && !prompt->spec.free) {
        app_warn(app, _("nothing fits \"%s\""), lineedit_text(prompt->edit));
        term_bell();
    } else if (candidate) {
        take_candidate(app, prompt, candidate);
    } else {
        finish(app, lineedit_text(prompt->edit));
    }
}

void
prompt_key(struct app *app, const struct key_event *event)
{
    struct prompt *prompt = app->prompt;
    app_dirty(app);
    if (prompt->choices) {
        choice_key(app, prompt, event->key);
        return;
    }
    if (event->key == K_TAB) {
        tab(app, prompt);
        return;
    }
    if (list_key(prompt, event->key))
        return;
    switch (lineedit_key(prompt->edit, event)) {
    case LINE_DONE:
        enter(app, prompt);
        break;
    case LINE_CANCELLED:
        if (!prompt->spec.list && prompt->selected >= 0)
            prompt->selected = -1; /* first out of the list, then out of the line */
        else
            finish(app, NULL);
        break;
    case LINE_CHANGED:
        changed(app, prompt);
        break;
    case LINE_MOVED:
    case LINE_IGNORED:
        break;
    }
}

/* ---- drawing ---- */

static void
draw_choice(const struct prompt *prompt, const struct area *screen)
{
    int row = screen->row + screen->rows - 1, column = screen->column + 1;
    int end = screen->column + screen->columns;
    term_fill(row, screen->column, 1, screen->columns, STYLE_ON(ROLE_TEXT, GROUND_BAR));
    column += term_put(row, column, end - column, STYLE_ON(ROLE_BOLD, GROUND_BAR), prompt->spec.label);
    for (const struct prompt_choice *choice = prompt->choices; choice->key; choice++) {
        char key[7] = {0};
        g_unichar_to_utf8(choice->key, key);
        column += 2;
        column += term_put(row, column, end - column, STYLE_ON(ROLE_ACCENT, GROUND_BAR), key);
        column += term_put(row, column, end - column, STYLE_ON(ROLE_TEXT, GROUND_BAR), " ");
        column += term_put(row, column, end - column, STYLE_ON(ROLE_TEXT, GROUND_BAR), _(choice->label));
    }
}

/* The list stands above the line when that is at the bottom, else below it. */
static void
draw_candidates(struct prompt *prompt, const struct area *screen, const struct area *line)
{
    int n = prompt->candidates ? (int)prompt->candidates->len : 0;
    if (!n)
        return;
    int above = line->row - screen->row, below = screen->row + screen->rows - line->row - 2;
    gboolean up = prompt->spec.place == NULL || below < 3;
    int rows = MIN(n, MIN(up ? above : below, prompt->spec.list ? 14 : 8));
    if (rows <= 0)
        return;
    prompt->top = CLAMP(prompt->top, MAX(prompt->selected - rows + 1, 0), MAX(prompt->selected, 0));
    prompt->top = MIN(prompt->top, n - rows);
    int first = up ? line->row - rows : line->row + 1;
    for (int i = 0; i < rows; i++) {
        const struct candidate *candidate = candidate_at(prompt, prompt->top + i);
        gboolean current = prompt->top + i == prompt->selected;
        enum ground ground = current ? GROUND_CURSOR : GROUND_POPUP;
        const char *label = candidate->label ? candidate->label : candidate->text;
        int width = line->columns;
        term_fill(first + i, line->column, 1, width, STYLE_ON(ROLE_TEXT, ground));
        /* In a form: the names of the fields below are covered too, lest a suggestion looks like what they hold. */
        if (line->column > screen->column) {
            int lead = line->column - screen->column;
            term_fill(first + i, screen->column, 1, lead, STYLE_ON(ROLE_TEXT, GROUND_POPUP));
            if (!i && lead > 2)
                term_put(first + i, line->column - 2, 1, STYLE_ON(ROLE_FAINT, GROUND_POPUP), up ? "┌" : "└");
        }
        int used = term_put(first + i, line->column + 2, width - 3,
                            STYLE_ON(current ? ROLE_BOLD : ROLE_TEXT, ground), label);
        if (current)
            term_put(first + i, line->column, 2, STYLE_ON(ROLE_ACCENT, ground), "▸");
        if (candidate->note) {
            int room = width - used - 6, length = width_text(candidate->note);
            int at = prompt->spec.list ? MAX(26, used + 4) : width - MIN(length, room) - 1;
            if (room > 8)
                term_put(first + i, line->column + at, width - at - 1, STYLE_ON(ROLE_DIM, ground),
                         candidate->note);
        }
    }
    if (n > rows) {
        g_autofree char *more = g_strdup_printf(" %d/%d ", MAX(prompt->selected, 0) + 1, n);
        int width = width_text(more);
        term_put(first, line->column + line->columns - width - 1, width, STYLE_ON(ROLE_DIM, GROUND_POPUP),
                 more);
    }
}

void
prompt_draw(struct app *app, const struct area *screen, int *cursor_row, int *cursor_column)
{
    struct prompt *prompt = app->prompt;
    if (prompt->choices) {
        draw_choice(prompt, screen);
        return;
    }
    struct area line = {screen->row + screen->rows - 1, screen->column, 1, screen->columns};
    gboolean placed = prompt->spec.place && prompt->spec.place(app, &line, prompt->spec.data);
    if (prompt->spec.place && !placed)
        return;
    enum ground ground = placed ? GROUND_PLAIN : GROUND_BAR;
    term_fill(line.row, line.column, 1, line.columns, STYLE_ON(ROLE_TEXT, ground));
    int column = line.column + (placed ? 0 : 1);
    if (prompt->spec.label)
        column +=
            term_put(line.row, column, line.columns / 2, STYLE_ON(ROLE_ACCENT, ground), prompt->spec.label);
    const char *text = lineedit_text(prompt->edit);
    g_autofree char *hidden = prompt->spec.secret ? g_strnfill((gsize)g_utf8_strlen(text, -1), '*') : NULL;
    gsize at = lineedit_cursor(prompt->edit);
    if (hidden) {
        at = (gsize)g_utf8_pointer_to_offset(text, text + at);
        text = hidden;
    }
    /* Scrolls sideways so that the cursor is seen. */
    int room = MAX(line.column + line.columns - column - 1, 1);
    const char *start = text;
    g_autofree char *left = g_strndup(text, at);
    int before = width_text(left);
    while (before >= room && *start) {
        before -= width_char(g_utf8_get_char(start));
        start = g_utf8_next_char(start);
    }
    term_put(line.row, column, room, STYLE_ON(ROLE_BOLD, ground), start);
    *cursor_row = line.row;
    *cursor_column = column + before;
    draw_candidates(prompt, screen, &line);
}
