/* One folder or account of the sync room: everything that is known about it, and what happened. */
#include "config.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/message.h"
#include "store/survey.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/link.h"
#include "ui/syncview.h"
#include "ui/text.h"
#include "ui/textview.h"
#include "ui/theme.h"

#include <string.h>

#define EVENTS_SHOWN 100
#define LABEL_WIDTH 13

static char *
moment(gint64 time)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_local(time);
    return at ? g_date_time_format(at, "%e %b %H:%M") : g_strdup("");
}

static void
add(GPtrArray *lines, const char *label, const char *value)
{
    if (value && *value) {
        textline_add(lines, ROLE_TEXT, "%-12s %s", label, value);
        textline_hang(lines, LABEL_WIDTH);
    }
}

static void
head(GPtrArray *lines, const char *text)
{
    textline_add(lines, ROLE_TEXT, "%s", "");
    textline_add(lines, ROLE_HEADING, "%s", text);
}

/* ---- sums ---- */

static void
add_sums(GPtrArray *lines, const struct history_total *total)
{
    const struct history_counts *c = &total->counts;
    if (!total->since) {
        head(lines, _("What it cost"));
        textline_add(lines, ROLE_DIM, "%s", _("nothing was counted yet"));
        return;
    }
    g_autofree char *since = moment(total->since), *title = g_strdup_printf(_("What it cost, since %s"), since);
    g_autofree char *in = text_size(c->bytes_in), *out = text_size(c->bytes_out), *saved = text_size(c->saved);
    g_autofree char *bodies = text_size(c->body_bytes), *known = text_size(c->known_bytes);
    head(lines, title);
    g_autofree char *traffic = g_strdup_printf(_("%s in, %s out, in %u round trips"), in, out, (guint)c->round_trips);
    g_autofree char *looks = g_strdup_printf(_("%u; %u of them by one word of the server"),
                                             (guint)c->passes, (guint)c->unchanged);
    g_autofree char *spared = g_strdup_printf(_("%s by compression, %s by recognising %u messages"),
                                              saved, known, (guint)c->known);
    g_autofree char *came = g_strdup_printf(_("%u messages, %u bodies (%s), %u marks; %u removed here"), (guint)c->envelopes,
                                            (guint)c->bodies, bodies, (guint)c->flags_in, (guint)c->removed);
    g_autofree char *went = g_strdup_printf(_("%u marks, %u moves, %u copies, %u uploads, %u deletions"), (guint)c->flags_out,
                                            (guint)c->moved, (guint)c->copied, (guint)c->uploaded, (guint)c->expunged);
    add(lines, _("Looks"), looks);
    add(lines, _("Traffic"), traffic);
    add(lines, _("Saved"), spared);
    add(lines, _("Came in"), came);
    add(lines, _("Went out"), went);
    if (c->skipped) {
        g_autofree char *skipped = g_strdup_printf(_("%u times a message could not be had or read"), (guint)c->skipped);
        add(lines, _("Not had"), skipped);
    }
}

/* ---- events ---- */

static const char *
folder_name(const struct syncview *view, gint64 id)
{
    for (guint i = 0; i < view->folders->len; i++)
        if (((const struct folder *)view->folders->pdata[i])->id == id)
            return ((const struct folder *)view->folders->pdata[i])->name;
    return "";
}

static void
add_conflict(GPtrArray *lines, const struct history_event *event, const char *when)
{
    g_auto(GStrv) words = g_strsplit(event->text ? event->text : "", "\n", 4);
    if (g_strv_length(words) < 4)
        return;
    textline_add(lines, ROLE_TEXT, "%s  %s", when, *words[0] ? words[0] : _("(no subject)"));
    if (!strcmp(words[2], "removed")) {
        textline_add(lines, ROLE_DIM, _("              here %s; removed on the server, and so here (mail/.removed has it for 30 days)"),
                     words[1]);
        return;
    }
    textline_add(lines, ROLE_DIM, _("              here %s; on the server %s"), *words[1] ? words[1] : "-",
                 *words[2] ? words[2] : "-");
    textline_add(lines, ROLE_DIM, _("              both are kept: %s"), *words[3] ? words[3] : _("no mark"));
}

static void
add_event(const struct syncview *view, GPtrArray *lines, const struct history_event *event, gboolean with_folder)
{
    g_autofree char *when = moment(event->time);
    const char *name = with_folder ? folder_name(view, event->folder) : "";
    if (event->kind == HISTORY_CONFLICT) {
        add_conflict(lines, event, when);
        return;
    }
    g_autofree char *counts = history_counts_to_string(&event->counts);
    enum role role = event->kind == HISTORY_ERROR ? ROLE_BAD : event->kind == HISTORY_NOTICE ? ROLE_WARN : ROLE_TEXT;
    textline_add(lines, role, "%s  %s%s%s", when, name, *name ? "  " : "", event->kind == HISTORY_PASS ? counts : event->text);
    textline_hang(lines, 14);
}

static void
add_events(const struct syncview *view, GPtrArray *lines, const struct syncrow *row, const char *title, guint kinds,
           const char *none)
{
    g_autoptr(GPtrArray) events = history_events(view->view.app->store, row->account->id, row->folder ? row->folder->id : -1,
                                                 kinds, EVENTS_SHOWN, NULL);
    head(lines, title);
    if (!events || !events->len)
        textline_add(lines, ROLE_DIM, "%s", none);
    for (guint i = 0; events && i < events->len; i++)
        add_event(view, lines, events->pdata[i], !row->folder);
}

/* ---- the two heads ---- */

/* What the policy lets in, was asked for, and is not here. */
static void
add_missing(const struct syncview *view, GPtrArray *lines, const struct syncrow *row)
{
    struct store *store = view->view.app->store;
    if (!row->total.missing)
        return;
    const struct keep *keep = syncview_policy(view->view.app, row->folder);
    gint64 since = keep && keep->days ? clock_now() - (gint64)keep->days * 24 * 60 * 60 : 0;
    g_autoptr(GArray) bodies = survey_bodies(store, row->folder->id, since, keep ? (guint64)keep->size : 0, NULL);
    head(lines, _("What the server did not give; each pass asks again"));
    for (guint i = 0; bodies && i < bodies->len && i < MIN(row->total.missing, EVENTS_SHOWN); i++) {
        const struct survey_body *body = &g_array_index(bodies, struct survey_body, i);
        g_autoptr(struct_message) message = message_load(store, body->message, NULL);
        g_autofree char *size = text_size(body->size);
        if (message)
            textline_add(lines, ROLE_TEXT, "%s  (%s)", message->subject && *message->subject ? message->subject : _("(no subject)"),
                         size);
    }
}

static void
add_folder(const struct syncview *view, GPtrArray *lines, const struct syncrow *row)
{
    struct app *app = view->view.app;
    const struct folder *folder = row->folder;
    guint role;
    g_autofree char *state = syncview_folder_state(app, row, &role), *pending = pending_to_string(row->pending);
    textline_add(lines, role, "%-12s %s", _("State"), state);
    textline_hang(lines, LABEL_WIDTH);
    if (row->standing == STANDING_HELD)
        textline_add(lines, ROLE_WARN, "%-12s %s", "", _("nothing is removed until you agree: A in the list before"));
    if (folder->notice && row->standing != STANDING_HELD)
    {
        textline_add(lines, ROLE_WARN, "%-12s %s", _("Notice"), folder->notice);
        textline_hang(lines, LABEL_WIDTH);
    }
    add(lines, _("To send"), *pending ? pending : _("nothing"));
    if (row->pending && row->pending->error)
        textline_add(lines, ROLE_BAD, "%-12s %s", "", row->pending->error);
    gint64 bare = standing_count_bare(app->store, folder->id, NULL);
    g_autofree char *here = g_strdup_printf(_("%" G_GINT64_FORMAT " messages, %" G_GINT64_FORMAT " of them with their text"),
                                            folder->total, folder->total - MAX(bare, 0));
    add(lines, _("Here"), here);
    g_autofree char *read = folder->synced ? clock_relative(folder->synced, clock_now()) : g_strdup(_("never"));
    g_autofree char *server = g_strdup_printf(_("%" G_GINT64_FORMAT " messages; read whole or in part %s (UIDVALIDITY %u)"),
                                              folder->server_total, read, folder->uidvalidity);
    add(lines, _("Server"), server);
    if (row->total.missing)
        textline_add(lines, ROLE_WARN, "%-12s %u %s", _("Not given"), (guint)row->total.missing,
                     _("messages, which each pass asks for again"));
}

static void
add_account(const struct syncview *view, GPtrArray *lines, const struct syncrow *row)
{
    struct app *app = view->view.app;
    guint role;
    g_autofree char *state = syncview_account_state(app, row, &role), *server = history_server(app->store, row->account->id);
    g_autofree char *pass = row->account->synced ? clock_relative(row->account->synced, clock_now()) : g_strdup(_("never"));
    textline_add(lines, role, "%-12s %s", _("State"), state);
    textline_hang(lines, LABEL_WIDTH);
    add(lines, _("Last pass"), pass);
    static const struct {
        const char *label, *name;
    } facts[] = {{N_("Server"), "host"},      {N_("Calls itself"), "name"}, {N_("Encrypted"), "tls"},
                 {N_("Compressed"), "compress"}, {N_("News by"), "watch"},   {N_("Can do"), "uses"}};
    for (guint i = 0; i < G_N_ELEMENTS(facts); i++) {
        g_autofree char *value = syncview_server_value(server, facts[i].name);
        add(lines, _(facts[i].label), value);
    }
}

void
command_sync_open(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct syncview *view = syncview_at_hand(app);
    const struct syncrow *row = syncview_row(view);
    if (!row)
        return;
    GPtrArray *lines = textlines_new();
    (row->folder ? add_folder : add_account)(view, lines, row);
    if (row->folder)
        add_missing(view, lines, row);
    add_sums(lines, &row->total);
    add_events(view, lines, row, _("Changed on both sides"), 1 << HISTORY_CONFLICT, _("nothing"));
    add_events(view, lines, row, _("What happened"), 1 << HISTORY_PASS | 1 << HISTORY_NOTICE | 1 << HISTORY_ERROR,
               _("nothing yet"));
    g_autofree char *title = row->folder ? g_strdup_printf("%s  %s", row->folder->name, row->account->name)
                                         : g_strdup(row->account->name);
    textview_open_lines(app, title, NULL, lines);
}
