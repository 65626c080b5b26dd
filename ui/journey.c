#include "config.h"

#include "base/text.h"
#include "base/width.h"
#include "store/arrival.h"
#include "store/delivery.h"
#include "store/filing.h"
#include "store/message.h"
#include "store/outbox.h"
#include "trust/bounce.h"
#include "trust/authority.h"
#include "trust/journey.h"
#include "trust/replay.h"
#include "trust/reputation.h"
#include "trust/virus.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/readview.h"
#include "ui/text.h"
#include "ui/textview.h"
#include "ui/verdict.h"

#include <string.h>

#define BAR_MAX 7 /* cells: two lines of a hop fit into 80 columns */
#define WAY_WIDTH 34
#define REST_WIDTH 54

static char *
time_text(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
    return time ? g_date_time_format(time, "%d %b %H:%M:%S") : g_strdup("");
}

/* As long as this hop held the message, on the scale of the slowest. */
static char *
delay_bar(gint64 delay, gint64 slowest)
{
    int cells = delay > 0 && slowest > 0 ? (int)MAX(delay * BAR_MAX / slowest, 1) : 0;
    GString *bar = g_string_new(NULL);
    for (int i = 0; i < cells; i++)
        g_string_append(bar, "▇");
    return g_string_free(bar, FALSE);
}

static void
add_hops(GPtrArray *lines, const struct journey *journey)
{
    gint64 slowest = 0;
    for (guint i = 0; i < journey->hops->len; i++)
        slowest = MAX(slowest, ((struct hop *)g_ptr_array_index(journey->hops, i))->delay);
    for (guint i = 0; i < journey->hops->len; i++) {
        const struct hop *hop = g_ptr_array_index(journey->hops, i);
        g_autofree char *time = hop->has_time ? time_text(hop->time) : g_strdup("");
        g_autofree char *way = g_strdup_printf("%s%s%s", hop->from ? hop->from : "", hop->from ? " → " : "",
                                               hop->by ? hop->by : _("(it does not say who)"));
        g_autofree char *safe = text_safe(way, -1, TEXT_LINE);
        g_autofree char *fit = width_fit(safe, WAY_WIDTH);
        g_autofree char *held = hop->delay > 0 ? verdict_duration(hop->delay) : NULL;
        g_autofree char *bar = delay_bar(hop->delay, slowest);
        textline_add(lines, hop->delay >= JOURNEY_SLOW ? ROLE_WARN : ROLE_TEXT, "  %-15s  ● %s %s%-11s %s", time, fit,
                     held ? "+" : " ", held ? held : "", bar);
        g_autofree char *skew = hop->skew ? verdict_duration(hop->skew) : NULL;
        g_autoptr(GString) more = g_string_new(_(hop_kind_name(hop->kind)));
        if (hop->with)
            g_string_append_printf(more, " · %s", hop->with);
        if (hop->tls)
            g_string_append_printf(more, " · %s", hop->tls);
        if (hop->cipher)
            g_string_append_printf(more, " %s", hop->cipher);
        if (hop->from_real && width_text(more->str) + width_text(hop->from_real) > REST_WIDTH) {
            textline_add(lines, ROLE_DIM, "                     %s", more->str);
            g_string_assign(more, hop->from_real);
        } else if (hop->from_real) {
            g_string_append_printf(more, " · %s", hop->from_real);
        }
        textline_add(lines, ROLE_DIM, "                     %s", more->str);
        if (skew)
            textline_add(lines, ROLE_WARN, _("                     its clock is behind by %s"), skew);
    }
}

static void
add_forwards(GPtrArray *lines, const struct journey *journey)
{
    static const char *const words[] = {N_("mailing list"), N_("sent on by"), N_("passed on, sealed by")};
    for (guint i = 0; i < journey->forwards->len; i++) {
        const struct forward *forward = g_ptr_array_index(journey->forwards, i);
        if (i == 0)
            textline_add(lines, ROLE_TEXT, "%s", "");
        textline_add(lines, ROLE_TEXT, "  ↷ %s %s", _(words[forward->kind]), forward->by);
    }
}

static void
add_check(GPtrArray *lines, const char *name, const char *result, const char *domain, const char *reason)
{
    gboolean pass = !g_strcmp0(result, "pass"), fail = result && strstr(result, "fail");
    if (!result)
        return;
    textline_add(lines,
                 pass   ? ROLE_GOOD
                 : fail ? ROLE_BAD
                        : ROLE_WARN,
                 "  %s %-6s %-9s %s",
                 pass   ? "✔"
                 : fail ? "✘"
                        : "~",
                 name, result, domain ? domain : "");
    if (reason)
        textline_add(lines, ROLE_DIM, "                     %s", reason);
}

static void
add_checks(GPtrArray *lines, const struct authentication *found)
{
    textline_add(lines, ROLE_TEXT, "%s", "");
    if (!found) {
        textline_add(lines, ROLE_HEADING, "%s", _("Checks"));
        textline_add(lines, ROLE_DIM, "  %s", _("none: nobody vouches, and nobody objects"));
        return;
    }
    if (found->by)
        textline_add(lines, ROLE_HEADING, _("Checks by %s"), found->by);
    else
        textline_add(lines, ROLE_HEADING, "%s", _("Checks made here"));
    add_check(lines, "SPF", found->spf, found->spf_domain, found->spf_reason);
    for (guint i = 0; i < found->dkim->len; i++) {
        const struct authentication_dkim *dkim = g_ptr_array_index(found->dkim, i);
        g_autofree char *bits = dkim->bits ? g_strdup_printf(P_("(%u bit)", "(%u bits)", dkim->bits), dkim->bits) : NULL;
        g_autofree char *domain = g_strjoin(" ", dkim->domain ? dkim->domain : "", bits, NULL);
        add_check(lines, "DKIM", dkim->result, domain, dkim->reason);
    }
    add_check(lines, "DMARC", found->dmarc, found->dmarc_domain, found->dmarc_reason);
    add_check(lines, "ARC", found->arc, found->arc_domain, found->arc_reason);
}

/* A good signature over mail that was meant for somebody else. */
static void
add_replay(GPtrArray *lines, const struct app *app, gint64 message, const struct envelope *envelope, GBytes *bytes,
           const struct authentication *found)
{
    g_autoptr(struct_message) row = app->store && message ? message_load(app->store, message, NULL) : NULL;
    g_autoptr(GArray) copies = row && row->message_id ? message_find_id(app->store, row->message_id) : NULL;
    struct replay_input input = {.message = bytes,
                                 .authentication = found,
                                 .envelope = envelope,
                                 .config = app->config,
                                 .received = row ? row->received : 0,
                                 .copies = copies ? copies->len : 0};
    g_autofree char *words = replay_words(&input);
    if (words)
        textline_add(lines, ROLE_DIM, "  %s", words);
}

/* How well the sender is known, and what he pretends. */
static void
add_sender(GPtrArray *lines, const struct app *app, gint64 message, const struct envelope *envelope)
{
    struct reputation reputation;
    reputation_find(app->store, app->config, message, envelope, NULL, &reputation);
    if (reputation.owner) {
        g_autofree char *words = reputation_words(&reputation);
        textline_add(lines, ROLE_TEXT, "%s", "");
        textline_add(lines, ROLE_HEADING, _("Sender: %s"), words);
        if (reputation.known.vouched)
            textline_add(lines, ROLE_TEXT,
                         P_("  %s vouched for %u message, of which you called %u junk",
                            "  %s vouched for %u messages, of which you called %u junk", reputation.known.vouched),
                         reputation.owner, reputation.known.vouched, reputation.known.vouched_junk);
    }
    for (guint i = 0; i < reputation.signs->len; i++) {
        const struct reputation_sign *sign = g_ptr_array_index(reputation.signs, i);
        textline_add(lines, sign->warns ? ROLE_BAD : ROLE_DIM, "  %s %s", sign->warns ? "!" : " ", sign->words);
    }
    reputation_clear(&reputation);
}

static void
add_virus(GPtrArray *lines, struct store *store, gint64 message)
{
    struct virus virus;
    virus_find(store, message, &virus);
    if (virus.name)
        textline_add(lines, ROLE_BAD, _("  ✘ virus scanner: %s"), virus.name);
    else if (virus.why)
        textline_add(lines, ROLE_WARN, _("  ~ virus scanner: %s"), virus.why);
    else if (virus.result)
        textline_add(lines, ROLE_GOOD, "%s", _("  ✔ virus scanner: clean"));
    virus_clear(&virus);
}

/* What the learning filter said when it came, and what rules did with it. */
static void
add_filing(GPtrArray *lines, struct store *store, gint64 message)
{
    g_autofree char *verdict = verdict_field(store, message, "filter", "verdict");
    g_autofree char *score = verdict_field(store, message, "filter", "score");
    g_autofree char *words = verdict_field(store, message, "filter", "words");
    if (verdict)
        textline_add(lines, !strcmp(verdict, "junk") ? ROLE_BAD : !strcmp(verdict, "good") ? ROLE_GOOD : ROLE_WARN,
                     _("  filter: %s %s  %s"), score ? score : "", verdict, words ? g_strdelimit(words, "\n", ' ') : "");
    g_autoptr(GPtrArray) list = filing_list(store, message, NULL);
    for (guint i = 0; list && i < list->len; i++) {
        const struct filing *filing = list->pdata[i];
        textline_add(lines, filing->error ? ROLE_BAD : ROLE_TEXT, _("  rule %s: %s%s%s"), filing->rule, filing->action,
                     filing->error ? "  ✘ " : "", filing->error ? filing->error : "");
    }
}

static void
add_attempt(GPtrArray *lines, const struct outbox_attempt *attempt)
{
    g_autofree char *time = time_text(attempt->time / G_USEC_PER_SEC);
    textline_add(lines, attempt->ok ? ROLE_GOOD : ROLE_BAD, "  %-15s  %s %s   %s", time,
                 attempt->ok ? "✔" : "✘", attempt->server ? attempt->server : "",
                 attempt->tls ? attempt->tls : _("no TLS"));
    if (attempt->reply)
        textline_add(lines, ROLE_TEXT, "                   %s", attempt->reply);
    g_auto(GStrv) said = g_strsplit(attempt->dialogue ? attempt->dialogue : "", "\n", -1);
    for (char **line = said; *line; line++)
        if (**line)
            textline_add(lines, ROLE_DIM, "                   %s", *line);
}

/* What the queue knows, when the message was sent from here. */
static void
add_sending(GPtrArray *lines, struct store *store, const char *message_id)
{
    gint64 id = store && message_id ? outbox_find(store, message_id) : 0;
    g_autoptr(struct_outbox_item) item = id ? outbox_get(store, id, NULL) : NULL;
    if (!item)
        return;
    g_autoptr(GPtrArray) attempts = outbox_attempts(store, id, NULL);
    textline_add(lines, ROLE_TEXT, "%s", "");
    textline_add(lines, ROLE_HEADING, _("Sent from here"));
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = g_ptr_array_index(item->recipients, i);
        gboolean failed = recipient->state == OUTBOX_FAILED, sent = recipient->state == OUTBOX_SENT;
        enum bounce_kind kind;
        const char *reason = failed ? bounce_status_words(recipient->enhanced, &kind) : "";
        textline_add(lines,
                     failed ? ROLE_BAD
                     : sent ? ROLE_GOOD
                            : ROLE_WARN,
                     "  %s %-9s %s   %s %s",
                     failed ? "✘"
                     : sent ? "✔"
                            : "○",
                     outbox_state_name(recipient->state), recipient->addr, reason,
                     recipient->text ? recipient->text : "");
    }
    for (guint i = 0; attempts && i < attempts->len; i++)
        add_attempt(lines, g_ptr_array_index(attempts, i));
}

/* Reports and receipts that came about it, whichever device sent it. */
static void
add_returned(GPtrArray *lines, struct store *store, gint64 message)
{
    g_autoptr(GPtrArray) returned = store && message ? delivery_list(store, message, NULL) : NULL;
    for (guint i = 0; returned && i < returned->len; i++) {
        const struct delivery *delivery = g_ptr_array_index(returned, i);
        enum bounce_kind kind = BOUNCE_DELIVERED, unused;
        gboolean is_report = bounce_kind_parse(delivery->kind, &kind);
        gboolean bad = is_report && kind <= BOUNCE_SOFT;
        const char *reason = is_report && kind <= BOUNCE_DELAYED ? bounce_status_words(delivery->status, &unused) : "";
        g_autofree char *time = time_text(delivery->time);
        if (i == 0) {
            textline_add(lines, ROLE_TEXT, "%s", "");
            textline_add(lines, ROLE_HEADING, "%s", _("What came back"));
        }
        textline_add(lines, bad ? ROLE_BAD : kind == BOUNCE_DELAYED ? ROLE_WARN : ROLE_GOOD, "  %-15s  %s %s  %s  %s  %s", time,
                     bad ? "✘" : kind == BOUNCE_DELAYED ? "~" : "✔", _(delivery->kind), delivery->address,
                     delivery->status ? delivery->status : "", reason);
        if (delivery->text)
            textline_add(lines, ROLE_DIM, "                   %s", delivery->text);
    }
}

static void
add_bounce(GPtrArray *lines, const struct bounce *bounce)
{
    if (!bounce)
        return;
    textline_add(lines, ROLE_TEXT, "%s", "");
    textline_add(lines, ROLE_HEADING, _("This is a report by %s"),
                 bounce->reporter ? bounce->reporter : _("a mail server"));
    for (guint i = 0; i < bounce->recipients->len; i++) {
        const struct bounce_recipient *recipient = g_ptr_array_index(bounce->recipients, i);
        gboolean bad = recipient->kind <= BOUNCE_SOFT;
        textline_add(lines, bad ? ROLE_BAD : ROLE_WARN, "  %s %s  %s  %s: %s", bad ? "✘" : "●",
                     bounce_kind_name(recipient->kind), recipient->status ? recipient->status : "",
                     recipient->address ? recipient->address : "", recipient->reason);
        if (recipient->diagnostic)
            textline_add(lines, ROLE_DIM, "      %s", recipient->diagnostic);
    }
}

static void
show(struct app *app, gint64 message, const struct document *document, GBytes *bytes,
     gpointer data G_GNUC_UNUSED)
{
    g_auto(GStrv) own = config_own_hosts(app->config);
    g_autoptr(struct_journey) journey = journey_read(bytes, (const char *const *)own);
    g_autoptr(struct_bounce) bounce = bounce_read(bytes, document);
    GPtrArray *lines = textlines_new();
    textline_add(lines, ROLE_TEXT, "%s", "");
    if (journey->composed) {
        g_autofree char *time = time_text(journey->composed);
        textline_add(lines, ROLE_TEXT, "  %-15s  ○ %s", time, _("composed"));
    }
    add_hops(lines, journey);
    if (!journey->hops->len)
        textline_add(lines, ROLE_DIM, "  %s", _("no server wrote that it passed"));
    add_forwards(lines, journey);
    struct vouch vouch;
    g_autoptr(struct_authentication) found =
        authority_find(app->store, message, app->config, journey, document->envelope, &vouch);
    add_checks(lines, found);
    add_replay(lines, app, message, document->envelope, bytes, found);
    add_sender(lines, app, message, document->envelope);
    add_virus(lines, app->store, message);
    add_filing(lines, app->store, message);
    vouch_clear(&vouch);
    add_sending(lines, app->store, document->envelope->message_id);
    add_returned(lines, app->store, message);
    add_bounce(lines, bounce);
    g_autofree char *title = g_strdup_printf(_("The journey of \"%s\""), document->envelope->subject);
    g_autofree char *total = journey->total >= 0 ? verdict_duration(journey->total) : NULL;
    g_autofree char *right = total ? g_strdup_printf(_("from send to mailbox in %s"), total) : NULL;
    textview_open_lines(app, title, right, lines);
}

void
command_journey(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct view *top = app_top(app);
    struct readview *read = top->class == &read_class ? (struct readview *)top : NULL;
    if (read && !read->message && read->document) {
        show(app, 0, read->document, read->bytes, NULL);
        return;
    }
    g_autoptr(GArray) messages = app_targets(app);
    if (messages->len)
        read_document(app, g_array_index(messages, gint64, 0), show, NULL, NULL);
    else
        app_say(app, _("there is no message here"));
}
