/* journey.c - postrider journey: the way of a message, hop by hop, and what came back */
#include "config.h"

#include "cli/bytes.h"
#include "cli/commands.h"
#include "cli/verdict.h"
#include "cli/queue.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/width.h"
#include "mail/reader.h"
#include "store/delivery.h"
#include "store/message.h"
#include "store/arrival.h"
#include "store/filing.h"
#include "store/outbox.h"
#include "trust/bounce.h"
#include "trust/authority.h"
#include "trust/check.h"
#include "trust/journey.h"
#include "trust/replay.h"
#include "trust/virus.h"

#include <string.h>

/* All that is known of one message. */
struct story {
    gint64 message; /* of the store; 0: a file */
    char *subject;
    struct journey *journey;
    struct authentication *authentication; /* NULL: nobody looked */
    struct vouch vouch;
    struct reputation reputation;
    char *replay; /* a good signature over mail for somebody else, in words; or NULL */
    struct virus virus;
    GPtrArray *attempts;      /* of struct outbox_attempt; NULL: not sent from here */
    struct outbox_item *item; /* likewise */
    struct bounce *bounce;    /* when the message is a report itself */
    GPtrArray *returned;      /* of struct delivery: what came back about it; NULL: not known here */
};

static void
story_clear(struct story *story)
{
    g_free(story->subject);
    journey_free(story->journey);
    authentication_free(story->authentication);
    vouch_clear(&story->vouch);
    virus_clear(&story->virus);
    reputation_clear(&story->reputation);
    g_free(story->replay);
    if (story->attempts)
        g_ptr_array_unref(story->attempts);
    outbox_item_free(story->item);
    bounce_free(story->bounce);
    g_clear_pointer(&story->returned, g_ptr_array_unref);
}

static gboolean is_check;
static char *resolver, *client_ip, *client_helo, *mail_from;

/* What the queue knows of it, when it was sent from here. */
static gboolean
add_sending(struct story *story, const char *message_id, GError **error)
{
    struct store *store = cli_store(STORE_READ, NULL);
    g_autoptr(GArray) same = store && message_id ? message_find_id(store, message_id) : NULL;
    for (guint i = 0; same && i < same->len && (!story->returned || !story->returned->len); i++) {
        g_clear_pointer(&story->returned, g_ptr_array_unref);
        story->returned = delivery_list(store, g_array_index(same, gint64, i), error);
        if (!story->returned)
            return FALSE;
    }
    gint64 id = store && message_id ? outbox_find(store, message_id) : 0;
    if (!id)
        return TRUE;
    story->item = outbox_get(store, id, error);
    story->attempts = story->item ? outbox_attempts(store, id, error) : NULL;
    return story->attempts != NULL;
}

/* Checks the message here. Who gave it to the own server is known of mail of an account, or said. */
static gboolean
check(GBytes *bytes, const struct envelope *envelope, struct story *story, GError **error)
{
    const struct config *config = cli_config(NULL);
    struct handover handover = {0};
    if (config && config->accounts->len)
        handover_read(bytes, story->journey, &handover);
    struct check_input input = {.message = bytes,
                                .from = check_author(envelope),
                                .ip = client_ip ? client_ip : handover.ip,
                                .helo = client_helo ? client_helo : handover.helo,
                                .mail_from = mail_from ? mail_from : handover.mail_from,
                                .when = handover.time ? handover.time : clock_now()};
    story->authentication = check_run(&input, resolver ? resolver : config ? config->resolver : NULL, error);
    handover_clear(&handover);
    if (!story->authentication)
        return FALSE;
    vouch_judge(story->authentication, envelope, &story->vouch);
    g_autoptr(struct_authority) authority = authority_load(config, NULL, cli_store(STORE_READ, NULL));
    authority_soften(authority, bytes, story->authentication, envelope, &story->vouch);
    return TRUE;
}

/* What was found when it came; or what counts of what it says; or, with a resolver, what is found now. */
static gboolean
authenticate(GBytes *bytes, gint64 message, const struct envelope *envelope, struct story *story, GError **error)
{
    const struct config *config = cli_config(NULL);
    if (is_check)
        return check(bytes, envelope, story, error);
    struct store *store = cli_store(STORE_READ, NULL);
    story->authentication = authority_find(store, message, config, story->journey, envelope, &story->vouch);
    if (story->authentication || !config || !config->check || !config->resolver)
        return TRUE;
    vouch_clear(&story->vouch);
    return check(bytes, envelope, story, error);
}

static char *
find_replay(GBytes *bytes, gint64 message, const struct envelope *envelope, const struct authentication *found)
{
    struct store *store = cli_store(STORE_READ, NULL);
    g_autoptr(struct_message) row = store && message ? message_load(store, message, NULL) : NULL;
    g_autoptr(GArray) copies = row && row->message_id ? message_find_id(store, row->message_id) : NULL;
    struct replay_input input = {.message = bytes,
                                 .authentication = found,
                                 .envelope = envelope,
                                 .config = cli_config(NULL),
                                 .received = row ? row->received : 0,
                                 .copies = copies ? copies->len : 0};
    return replay_words(&input);
}

static gboolean
collect(const char *word, struct reader *reader, struct story *story, GError **error)
{
    gint64 message;
    g_autoptr(GBytes) bytes = bytes_of(word, &message, error);
    if (!bytes)
        return FALSE;
    g_auto(GStrv) own = config_own_hosts(cli_config(NULL));
    story->journey = journey_read(bytes, (const char *const *)own);
    g_autoptr(struct_document) document = reader_parse(reader, bytes, READER_ALL, error);
    if (!document)
        return FALSE;
    story->subject = text_safe(document->envelope->subject, -1, TEXT_LINE);
    story->bounce = bounce_read(bytes, document);
    story->message = message;
    reputation_find(cli_store(STORE_READ, NULL), cli_config(NULL), message, document->envelope, NULL, &story->reputation);
    virus_find(cli_store(STORE_READ, NULL), message, &story->virus);
    if (!authenticate(bytes, message, document->envelope, story, error))
        return FALSE;
    story->replay = find_replay(bytes, message, document->envelope, story->authentication);
    return add_sending(story, document->envelope->message_id, error);
}

/* --- json */

static void
json_hops(struct json *json, const struct journey *journey)
{
    json_array_begin(json, "hops");
    for (guint i = 0; i < journey->hops->len; i++) {
        const struct hop *hop = journey->hops->pdata[i];
        g_autofree char *time = hop->has_time ? clock_rfc3339(hop->time, hop->zone) : NULL;
        json_object_begin(json, NULL);
        json_string(json, "from", hop->from);
        json_string(json, "by", hop->by);
        json_string(json, "with", hop->with);
        json_string(json, "tls", hop->tls);
        json_string(json, "time", time);
        hop->delay >= 0 ? json_int(json, "delay", hop->delay) : json_null(json, "delay");
        json_string(json, "id", hop->id);
        json_string(json, "cipher", hop->cipher);
        json_string(json, "kind", hop_kind_name(hop->kind));
        if (hop->skew)
            json_int(json, "skew", hop->skew);
        json_object_end(json);
    }
    json_array_end(json);
    json_array_begin(json, "forwards");
    for (guint i = 0; i < journey->forwards->len; i++) {
        const struct forward *forward = journey->forwards->pdata[i];
        json_object_begin(json, NULL);
        json_string(json, "kind", forward_kind_name(forward->kind));
        json_string(json, "by", forward->by);
        json_object_end(json);
    }
    json_array_end(json);
    journey->total >= 0 ? json_int(json, "total", journey->total) : json_null(json, "total");
}

static void
json_authentication(struct json *json, const struct story *story)
{
    const struct authentication *authentication = story->authentication;
    const struct vouch *vouch = &story->vouch;
    if (!authentication) {
        json_null(json, "authentication");
        return;
    }
    json_object_begin(json, "authentication");
    json_string(json, "by", authentication->by); /* null: checked here */
    json_string(json, "vouch", vouch_name(vouch->kind));
    json_string(json, "words", vouch->words);
    json_string(json, "spf", authentication->spf);
    json_string(json, "spf_domain", authentication->spf_domain);
    json_string(json, "spf_reason", authentication->spf_reason);
    json_array_begin(json, "dkim");
    for (guint i = 0; i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = authentication->dkim->pdata[i];
        json_object_begin(json, NULL);
        json_string(json, "result", dkim->result);
        json_string(json, "domain", dkim->domain);
        json_string(json, "selector", dkim->selector);
        json_string(json, "algorithm", dkim->algorithm);
        dkim->bits ? json_int(json, "bits", dkim->bits) : json_null(json, "bits");
        json_string(json, "reason", dkim->reason);
        json_object_end(json);
    }
    json_array_end(json);
    json_string(json, "dmarc", authentication->dmarc);
    json_string(json, "dmarc_domain", authentication->dmarc_domain);
    json_string(json, "dmarc_policy", authentication->dmarc_policy);
    json_string(json, "dmarc_reason", authentication->dmarc_reason);
    json_string(json, "arc", authentication->arc);
    json_string(json, "arc_domain", authentication->arc_domain);
    json_string(json, "arc_reason", authentication->arc_reason);
    json_string(json, "replay", story->replay);
    json_object_end(json);
}

static void
json_virus(struct json *json, const struct virus *virus)
{
    if (!virus->result) {
        json_null(json, "virus");
        return;
    }
    json_object_begin(json, "virus");
    json_string(json, "result", virus->result);
    json_string(json, "name", virus->name);
    json_string(json, "why", virus->why);
    json_object_end(json);
}

static gboolean
is_receipt(const struct delivery *delivery)
{
    enum bounce_kind kind;
    return !bounce_kind_parse(delivery->kind, &kind);
}

/* The last that was said of each: a delay is over when the report of a failure has come. */
static gboolean
is_last_word(const GPtrArray *returned, guint at)
{
    const struct delivery *delivery = returned->pdata[at];
    for (guint i = at + 1; i < returned->len; i++) {
        const struct delivery *later = returned->pdata[i];
        if (!is_receipt(later) && address_same(later->address, delivery->address))
            return FALSE;
    }
    return TRUE;
}

/* Calls `each` for what was reported or refused: of the report itself, else what came back about the message, and the
 * recipients that the server refused. */
struct told {
    const char *address, *original, *status; /* original: to whom the sender wrote, when it is another; or NULL */
    enum bounce_kind kind;
    const char *reason, *diagnostic;
};
typedef gboolean (*recipient_func)(gpointer data, const struct told *told);

static guint
each_recipient(const struct story *story, recipient_func each, gpointer data)
{
    guint count = 0;
    for (guint i = 0; story->bounce && i < story->bounce->recipients->len; i++, count++) {
        const struct bounce_recipient *recipient = story->bounce->recipients->pdata[i];
        gboolean is_same = !recipient->original || address_same(recipient->original, recipient->address);
        const struct told told = {recipient->address, is_same ? NULL : recipient->original, recipient->status,
                                  recipient->kind,    recipient->reason,                    recipient->diagnostic};
        if (each && !each(data, &told))
            return count;
    }
    const GPtrArray *returned = story->bounce ? NULL : story->returned;
    for (guint i = 0; returned && i < returned->len; i++) {
        const struct delivery *delivery = returned->pdata[i];
        enum bounce_kind kind, unused;
        if (is_receipt(delivery) || !is_last_word(returned, i))
            continue;
        bounce_kind_parse(delivery->kind, &kind);
        const char *reason = kind >= BOUNCE_RELAYED ? _(delivery->kind) : bounce_status_words(delivery->status, &unused);
        const struct told told = {delivery->address, NULL, delivery->status, kind, reason, delivery->text};
        count++;
        if (each && !each(data, &told))
            return count;
    }
    for (guint i = 0; !story->bounce && story->item && i < story->item->recipients->len; i++) {
        const struct outbox_recipient *recipient = story->item->recipients->pdata[i];
        gboolean is_told = FALSE;
        for (guint n = 0; returned && n < returned->len; n++)
            is_told = is_told || address_same(((const struct delivery *)returned->pdata[n])->address, recipient->addr);
        if (recipient->state != OUTBOX_FAILED || is_told)
            continue;
        enum bounce_kind kind;
        const char *reason = bounce_status_words(recipient->enhanced, &kind);
        const struct told told = {recipient->addr, NULL, recipient->enhanced, kind, reason, recipient->text};
        count++;
        if (each && !each(data, &told))
            return count;
    }
    return count;
}

static gboolean
add_json_recipient(gpointer data, const struct told *told)
{
    struct json *json = data;
    json_object_begin(json, NULL);
    json_string(json, "address", told->address);
    if (told->original)
        json_string(json, "original", told->original);
    json_string(json, "status", told->status);
    json_string(json, "kind", bounce_kind_name(told->kind));
    json_string(json, "reason", told->reason);
    json_string(json, "diagnostic", told->diagnostic);
    json_object_end(json);
    return TRUE;
}

static void
json_receipts(struct json *json, const GPtrArray *returned)
{
    json_array_begin(json, "receipts");
    for (guint i = 0; returned && i < returned->len; i++) {
        const struct delivery *delivery = returned->pdata[i];
        if (!is_receipt(delivery))
            continue;
        g_autofree char *time = clock_rfc3339(delivery->time, clock_local_zone(delivery->time));
        json_object_begin(json, NULL);
        json_string(json, "address", delivery->address);
        json_string(json, "kind", delivery->kind);
        json_string(json, "time", time);
        json_object_end(json);
    }
    json_array_end(json);
}

/* What the learning filter said when it came. */
static void
json_filter(struct json *json, gint64 message)
{
    struct store *store = message ? cli_store(STORE_READ, NULL) : NULL;
    g_autofree char *verdict = store ? verdict_field(store, message, "filter", "verdict") : NULL;
    if (!verdict) {
        json_null(json, "filter");
        return;
    }
    g_autofree char *score = verdict_field(store, message, "filter", "score");
    g_autofree char *words = verdict_field(store, message, "filter", "words");
    g_auto(GStrv) list = g_strsplit(words ? words : "", "\n", -1);
    json_object_begin(json, "filter");
    json_string(json, "verdict", verdict);
    json_double(json, "score", score ? g_ascii_strtod(score, NULL) : 0);
    json_array_begin(json, "words");
    for (char **word = list; *word; word++)
        json_string(json, NULL, *word);
    json_array_end(json);
    json_object_end(json);
}

/* What rules did with it. */
static void
json_filings(struct json *json, gint64 message)
{
    struct store *store = message ? cli_store(STORE_READ, NULL) : NULL;
    g_autoptr(GPtrArray) list = store ? filing_list(store, message, NULL) : NULL;
    json_array_begin(json, "rules");
    for (guint i = 0; list && i < list->len; i++) {
        const struct filing *filing = list->pdata[i];
        json_object_begin(json, NULL);
        json_string(json, "rule", filing->rule);
        json_string(json, "action", filing->action);
        json_string(json, "error", filing->error);
        json_object_end(json);
    }
    json_array_end(json);
}

static gboolean
print_json(const struct story *story, GError **error)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_hops(&json, story->journey);
    json_authentication(&json, story);
    verdict_json_sender(&json, &story->reputation);
    json_filter(&json, story->message);
    json_filings(&json, story->message);
    json_virus(&json, &story->virus);
    queue_json_attempts(&json, story->attempts, FALSE);
    if (!each_recipient(story, NULL, NULL)) {
        json_null(&json, "bounce");
    } else {
        json_object_begin(&json, "bounce");
        json_array_begin(&json, "recipients");
        each_recipient(story, add_json_recipient, &json);
        json_array_end(&json);
        json_object_end(&json);
    }
    json_receipts(&json, story->returned);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

/* --- for people */

/* "under 1 s", "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
static char *
duration(gint64 seconds)
{
    if (seconds < 60)
        return seconds ? g_strdup_printf("%" G_GINT64_FORMAT " s", seconds) : g_strdup(_("under 1 s"));
    if (seconds < 3600)
        return g_strdup_printf("%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", seconds / 60, seconds % 60);
    if (seconds < 86400)
        return g_strdup_printf("%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", seconds / 3600,
                               seconds / 60 % 60);
    return g_strdup_printf("%" G_GINT64_FORMAT " d %" G_GINT64_FORMAT " h", seconds / 86400,
                           seconds / 3600 % 24);
}

static char *
local_time(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
    return time ? g_date_time_format(time, "%d %b %H:%M:%S") : g_strdup("");
}

static gboolean print_line(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
print_line(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_safe(line, -1, TEXT_LINE);
    return cli_print(safe, error);
}

static gboolean
print_hop(const struct hop *hop, GError **error)
{
    g_autofree char *time = hop->has_time ? local_time(hop->time) : g_strdup("");
    g_autofree char *delay = hop->delay > 0 ? duration(hop->delay) : NULL;
    g_autofree char *way = g_strdup_printf("%s%s%s", hop->from ? hop->from : "", hop->from ? " → " : "",
                                           hop->by ? hop->by : "(not said)");
    g_autofree char *safe = text_safe(way, -1, TEXT_LINE), *cell = width_fit(safe, 52);
    g_autofree char *with = width_fit(hop->with ? hop->with : "", 9);
    g_autofree char *skew = hop->skew ? duration(hop->skew) : NULL;
    return print_line(error, "  %-15s  %s  %s %-8s %-10s%s%s%s%s%s", time, cell, with, hop->tls ? hop->tls : "",
                      _(hop_kind_name(hop->kind)), delay ? " +" : "", delay ? delay : "",
                      hop->delay >= JOURNEY_SLOW ? _("  slow") : "", skew ? _("  its clock is behind by ") : "",
                      skew ? skew : "");
}

static gboolean
print_reason(const char *what, const char *reason, GError **error)
{
    return !reason || print_line(error, "         %s: %s", what, reason);
}

static gboolean
print_checks(const struct authentication *authentication, GError **error)
{
    if (!authentication)
        return print_line(error, "%s", _("Checks   none by your own server"));
    g_autoptr(GString) out = g_string_new(NULL);
    if (authentication->spf)
        g_string_append_printf(out, "  SPF %s %s", authentication->spf,
                               authentication->spf_domain ? authentication->spf_domain : "");
    for (guint i = 0; i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = authentication->dkim->pdata[i];
        g_string_append_printf(out, "  DKIM %s %s", dkim->result, dkim->domain ? dkim->domain : "");
        if (dkim->bits)
            g_string_append_printf(out, P_(" (%u bit)", " (%u bits)", dkim->bits), dkim->bits);
    }
    if (authentication->dmarc)
        g_string_append_printf(out, "  DMARC %s %s", authentication->dmarc,
                               authentication->dmarc_domain ? authentication->dmarc_domain : "");
    if (authentication->arc)
        g_string_append_printf(out, "  ARC %s %s", authentication->arc,
                               authentication->arc_domain ? authentication->arc_domain : "");
    gboolean ok = print_line(error, "Checks %s  (%s)", out->len ? out->str : "  none",
                             authentication->by ? authentication->by : _("checked here"));
    ok = ok && print_reason("SPF", authentication->spf_reason, error);
    for (guint i = 0; ok && i < authentication->dkim->len; i++)
        ok = print_reason("DKIM", ((struct authentication_dkim *)authentication->dkim->pdata[i])->reason,
                          error);
    return ok && print_reason("DMARC", authentication->dmarc_reason, error) &&
           print_reason("ARC", authentication->arc_reason, error);
}

/* How well the sender is known, and what he pretends. */
static gboolean
print_sender(const struct reputation *reputation, GError **error)
{
    g_autofree char *words = reputation_words(reputation);
    gboolean ok = !reputation->contact || print_line(error, _("Sender: %s"), words);
    for (guint i = 0; ok && i < reputation->signs->len; i++) {
        const struct reputation_sign *sign = reputation->signs->pdata[i];
        ok = print_line(error, "       %s %s", sign->warns ? "!" : " ", sign->words);
    }
    return ok;
}

static gboolean
print_attempt(const struct outbox_attempt *attempt, GError **error)
{
    g_autofree char *time = local_time(attempt->time / G_USEC_PER_SEC);
    return print_line(error, "  %-15s  %s  %s  %s  %s", time, attempt->ok ? "✔" : "✘",
                      attempt->server ? attempt->server : "", attempt->tls ? attempt->tls : _("no TLS"),
                      attempt->reply ? attempt->reply : "");
}

static gboolean
print_recipient(gpointer data, const struct told *told)
{
    GError **error = data;
    g_autofree char *original = told->original ? g_strdup_printf(_(" (written to: %s)"), told->original) : NULL;
    return print_line(error, "  %s %s  %s %s%s: %s%s%s", told->kind <= BOUNCE_SOFT ? "✘" : "●",
                      bounce_kind_name(told->kind), told->status ? told->status : "", told->address ? told->address : "",
                      original ? original : "", told->reason, told->diagnostic ? " — " : "",
                      told->diagnostic ? told->diagnostic : "");
}

static gboolean
print_filing(gint64 message, GError **error)
{
    struct store *store = message ? cli_store(STORE_READ, NULL) : NULL;
    g_autofree char *verdict = store ? verdict_field(store, message, "filter", "verdict") : NULL;
    g_autofree char *score = store ? verdict_field(store, message, "filter", "score") : NULL;
    g_autofree char *words = store ? verdict_field(store, message, "filter", "words") : NULL;
    g_autoptr(GPtrArray) list = store ? filing_list(store, message, error) : NULL;
    if (store && !list)
        return FALSE;
    if (verdict && !print_line(error, _("Filter: %s %s  %s"), score ? score : "", verdict, words ? g_strdelimit(words, "\n", ' ') : ""))
        return FALSE;
    for (guint i = 0; list && i < list->len; i++) {
        const struct filing *filing = list->pdata[i];
        if (!print_line(error, _("Rule %s: %s%s%s"), filing->rule, filing->action, filing->error ? "  ✘ " : "",
                        filing->error ? filing->error : ""))
            return FALSE;
    }
    return TRUE;
}

static gboolean
print_story(const struct story *story, GError **error)
{
    const struct journey *journey = story->journey;
    g_autoptr(GError) why = NULL;
    g_autofree char *total = journey->total >= 0 ? duration(journey->total) : NULL;
    gboolean ok = total ? print_line(error, _("The journey of \"%s\", from send to mailbox in %s"),
                                     story->subject, total)
                        : print_line(error, _("The journey of \"%s\""), story->subject);
    if (ok && journey->composed) {
        g_autofree char *time = local_time(journey->composed);
        ok = print_line(error, "  %-15s  %s", time, _("composed"));
    }
    for (guint i = 0; ok && i < journey->hops->len; i++)
        ok = print_hop(journey->hops->pdata[i], error);
    if (ok && (journey->hops->len || story->authentication))
        ok = print_checks(story->authentication, error) && print_reason(_("Signature"), story->replay, error);
    ok = ok && print_sender(&story->reputation, error) && print_filing(story->message, error);
    if (ok && story->virus.result)
        ok = print_line(error, _("Virus scanner: %s %s"), _(story->virus.result),
                        story->virus.name ? story->virus.name : story->virus.why ? story->virus.why : "");
    if (ok && story->attempts && story->attempts->len)
        ok = print_line(error, "%s", _("Attempts"));
    for (guint i = 0; ok && story->attempts && i < story->attempts->len; i++)
        ok = print_attempt(story->attempts->pdata[i], error);
    if (ok && each_recipient(story, NULL, NULL)) {
        ok = print_line(error, "%s", story->bounce ? _("This is a report about") : _("What came back"));
        each_recipient(story, print_recipient, &why);
    }
    for (guint i = 0; ok && story->returned && i < story->returned->len; i++) {
        const struct delivery *delivery = story->returned->pdata[i];
        g_autofree char *time = is_receipt(delivery) ? local_time(delivery->time) : NULL;
        if (time)
            ok = print_line(error, _("Receipt  %s  %s: %s"), time, delivery->address, _(delivery->kind));
    }
    if (!why)
        return ok;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean
run_journey(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    if (argc < 1)
        return cli_usage_error(error, _("journey takes IDs or files"));
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(GError) first = NULL; /* one that cannot be read does not keep the others back */
    for (int i = 0; i < argc; i++) {
        struct story story = {0};
        g_autoptr(GError) local = NULL;
        if (collect(argv[i], reader, &story, &local)) {
            if (cli_json)
                print_json(&story, &local);
            else
                print_story(&story, &local);
        }
        story_clear(&story);
        if (local && argc > 1)
            g_prefix_error(&local, "%s: ", argv[i]);
        if (local && !first)
            first = g_steal_pointer(&local);
    }
    if (!first)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

static const GOptionEntry entries[] = {
    {"check", 0, 0, G_OPTION_ARG_NONE, &is_check, N_("check DKIM, SPF, DMARC and ARC here, with the DNS"),
     NULL},
    {"resolver", 0, 0, G_OPTION_ARG_STRING, &resolver, N_("the DNS server to ask, in place of the system's"),
     N_("ADDRESS[:PORT]")},
    {"ip", 0, 0, G_OPTION_ARG_STRING, &client_ip,
     N_("the address that gave the message to your server, for SPF"), N_("ADDRESS")},
    {"helo", 0, 0, G_OPTION_ARG_STRING, &client_helo, N_("what that host called itself"), N_("NAME")},
    {"from", 0, 0, G_OPTION_ARG_STRING, &mail_from, N_("the envelope's sender"), N_("ADDRESS")},
    {0},
};

const struct cli_command cmd_journey = {
    "journey",
    "ID|FILE…",
    N_("the way of a message: hops, delays, checks, attempts, bounces"),
    N_("Hops come from the Received fields, oldest first, with the time "
       "each took. Checks are what was found when the message came: by your own server "
       "(Authentication-Results of trusted-hosts, or of a name that was found to tell the truth), or here. "
       "What others claim is not shown. For "
       "mail that was sent from here: each attempt with the "
       "server's answer, and what came back.\n\n"
       "--check looks at the message itself: DKIM signatures, the ARC chain and "
       "DMARC, and with --ip, --helo and --from SPF too. It asks the DNS, "
       "needs no account, and connects to no mail server."),
    entries,
    WORDS_ANYWHERE,
    run_journey};
