/* The rows of the sync room: what fits into the width, and the words for what goes on. */
#include "config.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/width.h"
#include "store/quota.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/link.h"
#include "ui/syncview.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

#define BAR_CELLS 8

static const struct {
    const char *phase, *words;
} phases[] = {
    {"connect", N_("connecting")},   {"folders", N_("the list of folders")}, {"maildir", N_("the files here")},
    {"flags", N_("what changed")},   {"envelopes", N_("new messages")},      {"bodies", N_("bodies")},
    {"texts", N_("reading for the search")},
    {"send", N_("sending changes")}, {"settle", N_("tidying up")},
};

static char *
progress(const struct link_account *live)
{
    const char *words = "";
    for (guint i = 0; i < G_N_ELEMENTS(phases); i++)
        if (!g_strcmp0(live->phase, phases[i].phase))
            words = _(phases[i].words);
    if (!live->total)
        return g_strdup(words);
    g_autofree char *bar = draw_bar(live->done, live->total, BAR_CELLS);
    return g_strdup_printf("%s %d%% %s", words, (int)(MIN(live->done, live->total) * 100 / live->total), bar);
}

/* Each state of an account: what it is called, what helps. */
static const struct {
    const char *state, *words, *remedy;
    enum role role;
} states[] = {
    {"idle", N_("in step"), NULL, ROLE_GOOD},
    {"online", N_("in step"), NULL, ROLE_GOOD},
    {"offline", N_("off line"), N_("tried again by itself; s tries now"), ROLE_WARN},
    {"login", N_("login refused"), N_("s asks for the password again"), ROLE_BAD},
    {"password", N_("a password is wanted"), N_("s asks for it"), ROLE_WARN},
    {"error", N_("trouble"), N_("Enter has the details"), ROLE_BAD},
};

char *
syncview_account_state(struct app *app, const struct syncrow *row, guint *role)
{
    const struct link_account *live = link_account(app->link, row->account->name);
    const char *state = live && *live->state ? live->state : row->account->state;
    const char *text = live && *live->state ? live->text : row->account->notice;
    *role = ROLE_DIM;
    if (row->paused) {
        *role = ROLE_WARN;
        return g_strdup(_("paused: P lets it go on"));
    }
    if (!link_is_connected(app->link)) {
        *role = ROLE_WARN;
        return g_strdup(_("the engine does not run: changes wait"));
    }
    if (!strcmp(state, "syncing")) {
        *role = ROLE_ACCENT;
        g_autofree char *what = progress(live);
        return live->folder && *live->folder ? g_strdup_printf(_("busy with %s"), live->folder)
                                             : g_strdup_printf(_("busy: %s"), what);
    }
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i].state, state) != 0)
            continue;
        *role = states[i].role;
        if (!states[i].remedy)
            return row->watch ? g_strdup_printf(_("%s, watched by %s"), _(states[i].words), row->watch)
                              : g_strdup(_(states[i].words));
        return text && *text ? g_strdup_printf("%s: %s (%s)", _(states[i].words), text, _(states[i].remedy))
                             : g_strdup_printf("%s (%s)", _(states[i].words), _(states[i].remedy));
    }
    return g_strdup(_("not looked at yet"));
}

char *
syncview_folder_state(struct app *app, const struct syncrow *row, guint *role)
{
    static const enum role roles[] = {
        [STANDING_WAITING] = ROLE_ACCENT, [STANDING_HELD] = ROLE_WARN, [STANDING_TROUBLE] = ROLE_BAD};
    const struct link_account *live = link_account(app->link, row->account->name);
    const char *why = row->folder->notice ? row->folder->notice : row->pending ? row->pending->error : NULL;
    const char *word = standing_word(row->standing);
    *role = row->standing < G_N_ELEMENTS(roles) && roles[row->standing] ? roles[row->standing] : ROLE_DIM;
    if (live && !strcmp(live->state, "syncing") && !g_strcmp0(live->folder, row->folder->name)) {
        *role = ROLE_ACCENT;
        return progress(live);
    }
    if (row->standing == STANDING_HELD)
        return g_strdup_printf(_("%s: %s (A agrees)"), word, why ? why : "");
    if (row->standing == STANDING_TROUBLE)
        return g_strdup_printf("%s: %s", word, why ? why : "");
    if (row->total.missing)
        return g_strdup_printf(P_("%u message not given", "%u messages not given", row->total.missing),
                               (guint)row->total.missing);
    return g_strdup(word);
}

char *
syncview_server_value(const char *text, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, name) && (*line)[strlen(name)] == ' ')
            return g_strdup(*line + strlen(name) + 1);
    return NULL;
}

/* ---- columns ---- */

struct widths {
    int name, state, send, in, out, moved, saved, keep; /* 0: no room */
};

static struct widths
widths_for(int columns)
{
    struct widths w = {.in = 8, .out = 8};
    w.name = CLAMP(columns * 26 / 100, 14, 44);
    w.moved = columns >= 110 ? 9 : 0;
    w.saved = columns >= 110 ? 9 : 0;
    w.keep = columns >= 140 ? 14 : 0;
    int left = columns - 2 - w.name - w.in - w.out - w.moved - w.saved - w.keep;
    w.send = CLAMP(left * 42 / 100, 8, 34);
    w.state = MAX(left - w.send, 8);
    return w;
}

static int
cell(int row, int at, int width, guint style, const char *text, gboolean right)
{
    if (!width)
        return at;
    g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
    g_autofree char *fit = right ? width_fit_right(safe, width - 1) : width_fit(safe, width - 1);
    term_put(row, at, width - 1, style, fit);
    return at + width;
}

static char *
when(gint64 time)
{
    return time ? clock_short(time, clock_now()) : g_strdup("");
}

static char *
size_or_nothing(guint64 bytes)
{
    return bytes ? text_size(bytes) : g_strdup("");
}

static void
draw_head(int row, const struct area *area, const struct widths *w)
{
    guint style = PLAIN(ROLE_FAINT);
    int at = area->column + 2;
    term_fill(row, area->column, 1, area->columns, PLAIN(ROLE_TEXT));
    at = cell(row, at, w->name, style, _("folder"), FALSE);
    at = cell(row, at, w->state, style, _("state"), FALSE);
    at = cell(row, at, w->send, style, _("to send"), FALSE);
    at = cell(row, at, w->in, style, _("in"), TRUE);
    at = cell(row, at, w->out, style, _("out"), TRUE);
    at = cell(row, at, w->moved, style, _("moved"), TRUE);
    at = cell(row, at, w->saved, style, _("saved"), TRUE);
    cell(row, at, w->keep, style, _("keeps"), FALSE);
}

static void
draw_account(struct app *app, const struct syncrow *line, int row, const struct area *area, enum ground ground)
{
    guint role;
    g_autofree char *state = syncview_account_state(app, line, &role), *safe = text_safe(state, -1, TEXT_LINE);
    g_autofree char *name = text_safe(line->account->name, -1, TEXT_LINE);
    const struct link_account *live = link_account(app->link, line->account->name);
    gint64 synced = MAX(line->account->synced, live ? live->synced : 0);
    g_autofree char *ago = synced ? clock_relative(synced, clock_now()) : NULL;
    g_autoptr(struct_quota) full = quota_worry(app->store, line->account->id);
    g_autofree char *used = full ? quota_text(full) : NULL;
    g_autofree char *pass = used  ? g_strdup_printf(_("the server keeps %s"), used)
                            : ago ? g_strdup_printf(_("last pass %s"), ago)
                                  : g_strdup(_("no pass yet"));
    term_fill(row, area->column, 1, area->columns, STYLE_ON(ROLE_TEXT, ground));
    int at = area->column + 1, end = area->column + area->columns - 1;
    at += term_put(row, at, MIN(24, area->columns / 3), STYLE_ON(ROLE_BOLD, ground), name) + 2;
    int right = width_text(pass);
    /* When it is the state that matters, it has the room. */
    gboolean both = end - at - right > MIN(width_text(safe), 40);
    g_autofree char *cut = width_cut(safe, MAX(end - at - (both ? right + 2 : 0), 1));
    term_put(row, at, end - at, STYLE_ON(role, ground), cut);
    if (both)
        term_put(row, end - right, right,
                 STYLE_ON(!full ? ROLE_DIM : quota_percent(full) >= QUOTA_FULL ? ROLE_BAD : ROLE_WARN, ground), pass);
}

static void
draw_folder(struct app *app, const struct syncrow *line, int row, const struct area *area, const struct widths *w,
            enum ground ground)
{
    guint role;
    g_autofree char *state = syncview_folder_state(app, line, &role), *send = pending_to_string(line->pending);
    const struct history_counts *counts = &line->total.counts;
    int at = area->column + 2;
    term_fill(row, area->column, 1, area->columns, STYLE_ON(ROLE_TEXT, ground));
    at = cell(row, at, w->name, STYLE_ON(ROLE_TEXT, ground), line->folder->name, FALSE);
    /* A sentence takes the line. */
    if (line->standing == STANDING_HELD || line->standing == STANDING_TROUBLE) {
        cell(row, at, area->column + area->columns - at, STYLE_ON(role, ground), state, FALSE);
        return;
    }
    g_autofree char *in = when(line->total.last_in), *out = when(line->total.last_out);
    g_autofree char *moved = size_or_nothing(counts->bytes_in + counts->bytes_out);
    g_autofree char *saved = size_or_nothing(counts->saved + counts->known_bytes);
    const struct keep *policy = syncview_policy(app, line->folder);
    g_autofree char *keep = policy ? keep_to_string(policy) : NULL;
    at = cell(row, at, w->state, STYLE_ON(role, ground), state, FALSE);
    at = cell(row, at, w->send, STYLE_ON(ROLE_ACCENT, ground), send, FALSE);
    at = cell(row, at, w->in, STYLE_ON(ROLE_DATE, ground), in, TRUE);
    at = cell(row, at, w->out, STYLE_ON(ROLE_DATE, ground), out, TRUE);
    at = cell(row, at, w->moved, STYLE_ON(ROLE_DIM, ground), moved, TRUE);
    at = cell(row, at, w->saved, STYLE_ON(ROLE_DIM, ground), saved, TRUE);
    cell(row, at, w->keep, STYLE_ON(ROLE_DIM, ground), keep ? keep : "", FALSE);
}

void
syncview_draw(struct view *base, const struct area *area)
{
    struct syncview *view = (struct syncview *)base;
    struct widths w = widths_for(area->columns);
    int n = (int)view->rows->len;
    view->page = MAX(area->rows - 1, 1);
    rows_clamp(n, view->page, &view->cursor, &view->top);
    if (!n) {
        draw_notice(area, _("No accounts yet\n:setup adds one"));
        return;
    }
    draw_head(area->row, area, &w);
    for (int i = 0; i < view->page && view->top + i < n; i++) {
        const struct syncrow *line = &g_array_index(view->rows, struct syncrow, view->top + i);
        enum ground ground = view->top + i == view->cursor ? GROUND_CURSOR : GROUND_PLAIN;
        if (line->folder)
            draw_folder(base->app, line, area->row + 1 + i, area, &w, ground);
        else
            draw_account(base->app, line, area->row + 1 + i, area, ground);
    }
}
