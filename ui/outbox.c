#include "config.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/width.h"
#include "store/message.h"
#include "store/outbox.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/compose.h"
#include "ui/draw.h"
#include "ui/link.h"
#include "ui/term.h"
#include "ui/text.h"
#include "ui/textview.h"
#include "ui/writer.h"

#include <string.h>

struct outboxview {
    struct view view;
    GPtrArray *items;
    gboolean all; /* sent and cancelled ones too */
    int cursor, top, page;
    guint timer; /* seconds that can still be taken back */
};

static const struct view_class outbox_class;

static struct outboxview *
at_hand(struct app *app)
{
    return app_top(app)->class == &outbox_class ? (struct outboxview *)app_top(app) : NULL;
}

static const struct outbox_item *
current(const struct outboxview *view)
{
    return view && view->items && view->cursor < (int)view->items->len
               ? g_ptr_array_index(view->items, (guint)view->cursor)
               : NULL;
}

static void
refresh(struct view *view)
{
    struct outboxview *list = (struct outboxview *)view;
    g_autoptr(GError) error = NULL;
    const struct outbox_item *at = current(list);
    gint64 id = at ? at->id : 0;
    GPtrArray *items = outbox_list(view->app->store, 0, list->all, &error);
    if (!items) {
        app_error(view->app, NULL, g_steal_pointer(&error));
        return;
    }
    g_clear_pointer(&list->items, g_ptr_array_unref);
    list->items = items;
    for (guint i = 0; i < items->len; i++)
        if (((struct outbox_item *)g_ptr_array_index(items, i))->id == id)
            list->cursor = (int)i;
}

static const struct {
    enum outbox_state state;
    const char *mark;
    enum role role;
} marks[] = {
    {OUTBOX_WAITING, "○", ROLE_ACCENT}, {OUTBOX_SENDING, "▸", ROLE_ACCENT}, {OUTBOX_SENT, "✔", ROLE_GOOD},
    {OUTBOX_DEFERRED, "~", ROLE_WARN},  {OUTBOX_FAILED, "✘", ROLE_BAD},     {OUTBOX_UNKNOWN, "?", ROLE_BAD},
    {OUTBOX_CANCELLED, "-", ROLE_DIM},
};

/* Servers begin with the address that they refuse ("<ana@example.org>: …"); it stands in the line above. */
static const char *
without_address(const struct outbox_item *item)
{
    const char *end = *item->error == '<' ? strchr(item->error, '>') : NULL;
    gsize length = end ? (gsize)(end - item->error) - 1 : 0;
    for (guint i = 0; end && i < item->recipients->len; i++) {
        const char *addr = ((const struct outbox_recipient *)g_ptr_array_index(item->recipients, i))->addr;
        if (strlen(addr) == length && !g_ascii_strncasecmp(addr, item->error + 1, length))
            return item->recipients->len > 1 ? item->error : end + 1 + strspn(end + 1, ": ");
    }
    return item->error;
}

/* Why it has not gone, or when it will, in words. */
static char *
situation(const struct outbox_item *item)
{
    gint64 now = clock_now();
    if (item->state == OUTBOX_SENT || item->state == OUTBOX_CANCELLED || item->state == OUTBOX_SENDING)
        return g_strdup("");
    if (item->hold)
        return g_strdup(_("held back: h lets it go"));
    if (item->undo_until > now)
        return g_strdup_printf(_("goes in %d s (u takes it back)"), (int)(item->undo_until - now));
    if (item->error && *item->error) {
        g_autofree char *safe = text_safe(without_address(item), -1, TEXT_LINE);
        g_autofree char *next = item->state == OUTBOX_DEFERRED && item->next_attempt > now
                                    ? clock_relative(item->next_attempt, now)
                                    : NULL;
        g_autofree char *code = item->code ? g_strdup_printf("%d ", item->code) : g_strdup("");
        return next ? g_strdup_printf(_("%s%s — again %s"), code, safe, next)
                    : g_strdup_printf("%s%s", code, safe);
    }
    if (item->send_at > now) {
        g_autofree char *when = clock_relative(item->send_at, now);
        return g_strdup_printf(_("goes %s"), when);
    }
    if (item->state == OUTBOX_UNKNOWN)
        return g_strdup(
            _("the line broke before the server's last word: it may have gone. r sends it again"));
    return g_strdup(_("goes as soon as the server can be reached"));
}

static char *
recipients_text(const struct outbox_item *item)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < item->recipients->len && i < 6; i++) {
        const struct outbox_recipient *recipient = g_ptr_array_index(item->recipients, i);
        g_autofree char *safe = text_safe(recipient->addr, -1, TEXT_LINE);
        g_string_append_printf(out, "%s%s", i ? ", " : "", safe);
    }
    if (item->recipients->len > 6)
        g_string_append_printf(out, _(" and %u more"), item->recipients->len - 6);
    return g_string_free(out, FALSE);
}

static void
draw_item(const struct outbox_item *item, int row, const struct area *area, gboolean cursor)
{
    enum ground ground = cursor ? GROUND_CURSOR : GROUND_PLAIN;
    int column = area->column, end = column + area->columns;
    guint kind = 0;
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
        if (marks[i].state == item->state)
            kind = i;
    term_fill(row, column, 2, area->columns, STYLE_ON(ROLE_TEXT, ground));
    g_autofree char *to = recipients_text(item);
    g_autofree char *to_fit = width_fit(to, MIN(30, area->columns / 3));
    g_autofree char *subject =
        text_safe(item->subject && *item->subject ? item->subject : _("(no subject)"), -1, TEXT_LINE);
    g_autofree char *when = clock_short(item->created, clock_now());
    g_autofree char *when_fit = width_fit_right(when, 6);
    term_put(row, column + 1, 1, STYLE_ON(marks[kind].role, ground), marks[kind].mark);
    term_put(row, column + 3, 6, STYLE_ON(ROLE_DATE, ground), when_fit);
    int at = column + 11;
    at += term_put(row, at, end - at, STYLE_ON(ROLE_PEOPLE, ground), to_fit) + 2;
    term_put(row, at, end - at - 1, STYLE_ON(ROLE_SUBJECT, ground), subject);
    g_autofree char *why = situation(item);
    const char *state = item->hold ? _("held") : outbox_state_name(item->state);
    at = column + 11;
    at += term_put(row + 1, at, end - at, STYLE_ON(marks[kind].role, ground), state) + 2;
    if (item->attempts) {
        g_autofree char *attempts =
            g_strdup_printf(ngettext("%u attempt", "%u attempts", item->attempts), item->attempts);
        at += term_put(row + 1, at, end - at, STYLE_ON(ROLE_DIM, ground), attempts) + 2;
    }
    g_autofree char *why_cut = width_cut(why, MAX(end - at - 1, 1));
    term_put(row + 1, at, end - at - 1, STYLE_ON(ROLE_DIM, ground), why_cut);
}

static void
draw(struct view *view, const struct area *area)
{
    struct outboxview *list = (struct outboxview *)view;
    int n = list->items ? (int)list->items->len : 0;
    list->page = MAX(area->rows / 2, 1);
    rows_clamp(n, list->page, &list->cursor, &list->top);
    if (!n)
        draw_notice(area, list->all ? _("Nothing was sent yet") : _("Nothing waits\na shows what was sent"));
    for (int i = 0; i < list->page && list->top + i < n; i++)
        draw_item(g_ptr_array_index(list->items, (guint)(list->top + i)), area->row + 2 * i, area,
                  list->top + i == list->cursor);
}

static char *
title(struct view *view)
{
    return g_strdup(((struct outboxview *)view)->all ? _("Outbox, with what was sent") : _("Outbox"));
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {
        "outbox-open", N_("attempts"), "outbox-retry", N_("now"),       "resend-failed", N_("correct"), "outbox-hold",
        N_("hold"),    "outbox-edit",  N_("edit"),     "outbox-cancel", N_("do not send"),
        "outbox-all",  N_("all"),      "back",         N_("back"),      NULL};
    draw_hints(view->app, line->row, line, IN_OUTBOX, hints, NULL);
}

static gboolean
move(struct view *view, int how)
{
    struct outboxview *list = (struct outboxview *)view;
    rows_move(how, list->items ? (int)list->items->len : 0, list->page, &list->cursor, &list->top);
    return TRUE;
}

static void
outbox_free(struct view *view)
{
    struct outboxview *list = (struct outboxview *)view;
    g_clear_pointer(&list->items, g_ptr_array_unref);
    g_source_remove(list->timer);
    g_free(list);
}

static gboolean
tick(gpointer data)
{
    const struct outboxview *list = data;
    gint64 now = clock_now();
    for (guint i = 0; list->items && i < list->items->len; i++) {
        if (((struct outbox_item *)g_ptr_array_index(list->items, i))->undo_until >= now) {
            app_dirty(list->view.app);
            break;
        }
    }
    return G_SOURCE_CONTINUE;
}

static const struct view_class outbox_class = {
    .context = IN_OUTBOX,
    .draw = draw,
    .title = title,
    .bottom = bottom,
    .refresh = refresh,
    .move = move,
    .free = outbox_free,
};

void
command_outbox(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (!app->store)
        return;
    struct outboxview *list = g_new0(struct outboxview, 1);
    list->view.class = &outbox_class;
    list->timer = g_timeout_add_seconds(1, tick, list);
    app_push(app, &list->view);
    refresh(&list->view);
}

void
command_outbox_all(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct outboxview *list = at_hand(app);
    list->all = !list->all;
    refresh(&list->view);
}

/* ---- one item: its attempts and what was said ---- */

static void
describe_recipients(GString *out, const struct outbox_item *item)
{
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = g_ptr_array_index(item->recipients, i);
        g_string_append_printf(out, "  %-10s %s", outbox_state_name(recipient->state), recipient->addr);
        if (recipient->code)
            g_string_append_printf(out, "   %d %s %s", recipient->code,
                                   recipient->enhanced ? recipient->enhanced : "",
                                   recipient->text ? recipient->text : "");
        g_string_append_c(out, '\n');
    }
}

static void
describe_attempt(GString *out, const struct outbox_attempt *attempt)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(attempt->time / G_USEC_PER_SEC);
    g_autofree char *when = time ? g_date_time_format(time, "%a %e %b %H:%M:%S") : g_strdup("");
    g_string_append_printf(out, "\n%s  %s   %s\n  %s %s\n", when, attempt->server ? attempt->server : "",
                           attempt->tls ? attempt->tls : _("no TLS"), attempt->ok ? "✔" : "✘",
                           attempt->reply ? attempt->reply : "");
    if (attempt->dialogue) {
        g_auto(GStrv) lines = g_strsplit(attempt->dialogue, "\n", -1);
        for (char **line = lines; *line; line++)
            g_string_append_printf(out, "    %s\n", *line);
    }
}

void
command_outbox_open(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct outbox_item *item = current(at_hand(app));
    if (!item)
        return;
    GString *out = g_string_new(NULL);
    g_autofree char *why = situation(item);
    g_autofree char *size = text_size(item->size);
    g_string_append_printf(
        out,
        _("%s\n\nState    %s   %s\nFrom     %s   (account %s)\nSize     %s\nID       %" G_GINT64_FORMAT
          "   <%s>\n\nRecipients\n"),
        item->subject ? item->subject : "", outbox_state_name(item->state), why, item->from,
        item->account_name, size, item->id, item->message_id ? item->message_id : "");
    describe_recipients(out, item);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) attempts = outbox_attempts(app->store, item->id, &error);
    g_string_append(out, _("\nAttempts\n"));
    if (!attempts || !attempts->len)
        g_string_append(out, _("  none yet\n"));
    for (guint i = 0; attempts && i < attempts->len; i++)
        describe_attempt(out, g_ptr_array_index(attempts, i));
    textview_open_labelled(app, _("Sending"), out->str);
    g_string_free(out, TRUE);
}

/* ---- changing an item ---- */

enum order { ORDER_RETRY, ORDER_HOLD, ORDER_RELEASE, ORDER_CANCEL, ORDER_EDIT, ORDER_FLUSH, ORDER_RESEND };

struct ordering {
    enum order order;
    gint64 id;
    GBytes *bytes; /* of ORDER_EDIT */
    char *failed, *better; /* of ORDER_RESEND */
};

static void
ordering_free(gpointer data)
{
    struct ordering *ordering = data;
    if (ordering->bytes)
        g_bytes_unref(ordering->bytes);
    g_free(ordering->failed);
    g_free(ordering->better);
    g_free(ordering);
}

static gboolean
work(struct store *store, gpointer data, GError **error)
{
    struct ordering *ordering = data;
    switch (ordering->order) {
    case ORDER_RETRY:
        return outbox_retry(store, ordering->id, error);
    case ORDER_HOLD:
        return outbox_hold(store, ordering->id, TRUE, error);
    case ORDER_RELEASE:
        return outbox_hold(store, ordering->id, FALSE, error);
    case ORDER_CANCEL:
        return outbox_cancel(store, ordering->id, NULL, error);
    case ORDER_EDIT:
        return outbox_cancel(store, ordering->id, &ordering->bytes, error);
    case ORDER_FLUSH:
        return outbox_flush(store, 0, error);
    case ORDER_RESEND:
        return outbox_resend(store, ordering->id, ordering->failed, ordering->better, error);
    }
    return FALSE;
}

static void
done(struct app *app, gpointer data, const GError *error)
{
    struct ordering *ordering = data;
    if (error) {
        app_warn(app, _("not done: %s"), error->message);
        return;
    }
    if (ordering->order == ORDER_EDIT && ordering->bytes)
        compose_recall_bytes(app, ordering->bytes);
    if (ordering->order == ORDER_FLUSH)
        link_flush(app->link);
    static const char *const said[] = {N_("trying again"), N_("held back"),
                                       N_("let go"),       N_("it will not be sent"),
                                       N_("taken back"),   N_("sending everything now"),
                                       N_("sending again to those it did not reach")};
    app_say(app, "%s", _(said[ordering->order]));
}

static void
order(struct app *app, enum order what)
{
    const struct outbox_item *item = current(at_hand(app));
    if ((!item && what != ORDER_FLUSH) || act_refused(app))
        return;
    struct ordering *ordering = g_new0(struct ordering, 1);
    ordering->order = what;
    ordering->id = item ? item->id : 0;
    writer_run(app->writer, work, done, ordering, ordering_free);
}

void
command_outbox_retry(struct app *app, const char *argument G_GNUC_UNUSED)
{
    order(app, ORDER_RETRY);
}

void
command_outbox_hold(struct app *app, const char *argument G_GNUC_UNUSED)
{
    const struct outbox_item *item = current(at_hand(app));
    if (item)
        order(app, item->hold ? ORDER_RELEASE : ORDER_HOLD);
}

static void
cancel_yes(struct app *app, gpointer data G_GNUC_UNUSED)
{
    order(app, ORDER_CANCEL);
}

void
command_outbox_cancel(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (current(at_hand(app)))
        prompt_confirm(app, _("Do not send this message?"), cancel_yes, NULL, NULL);
}

void
command_outbox_edit(struct app *app, const char *argument G_GNUC_UNUSED)
{
    order(app, ORDER_EDIT);
}

void
command_outbox_flush(struct app *app, const char *argument G_GNUC_UNUSED)
{
    order(app, ORDER_FLUSH);
}

/* ---- once more to those that a message did not reach ---- */

/* The item at hand: in the outbox, or of the message in a list or before the reader. */
static struct outbox_item *
failed_item(struct app *app)
{
    const struct outbox_item *at = current(at_hand(app));
    gint64 id = at ? at->id : 0;
    g_autoptr(GArray) messages = at || !app->store ? NULL : app_targets(app);
    g_autoptr(struct_message) message =
        messages && messages->len ? message_load(app->store, g_array_index(messages, gint64, 0), NULL) : NULL;
    if (message && message->message_id)
        id = outbox_find(app->store, message->message_id);
    g_autoptr(struct_outbox_item) item = id ? outbox_get(app->store, id, NULL) : NULL;
    return item && item->state == OUTBOX_FAILED ? g_steal_pointer(&item) : NULL;
}

static void
resend_to(struct app *app, const char *text, gpointer data)
{
    const struct ordering *asked = data;
    if (!text || !*text)
        return;
    struct ordering *ordering = g_new0(struct ordering, 1);
    ordering->order = ORDER_RESEND;
    ordering->id = asked->id;
    if (asked->failed && strcmp(asked->failed, text)) { /* the same address: once more as it is */
        ordering->failed = g_strdup(asked->failed);
        ordering->better = g_strdup(text);
    }
    writer_run(app->writer, work, done, ordering, ordering_free);
}

void
command_resend_failed(struct app *app, const char *argument)
{
    g_autoptr(struct_outbox_item) item = failed_item(app);
    if (act_refused(app))
        return;
    if (!item) {
        app_say(app, _("this message did not fail, or was not sent from here"));
        return;
    }
    struct ordering *asked = g_new0(struct ordering, 1);
    asked->id = item->id;
    guint failed = 0;
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = g_ptr_array_index(item->recipients, i);
        if (recipient->state == OUTBOX_FAILED && failed++ == 0)
            asked->failed = g_strdup(recipient->addr);
    }
    if (failed > 1) { /* all of them, as they are */
        g_clear_pointer(&asked->failed, g_free);
        resend_to(app, "*", asked);
        ordering_free(asked);
    } else if (argument && *argument) {
        resend_to(app, argument, asked);
        ordering_free(asked);
    } else {
        struct prompt_spec spec = {.label = _("Send again to: "), .text = asked->failed, .done = resend_to, .data = asked, .destroy = ordering_free};
        prompt_line(app, &spec);
    }
}
