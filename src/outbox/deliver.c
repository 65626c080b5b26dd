#include "config.h"

#include "outbox/deliver.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/i18n.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/reader.h"
#include "outbox/retry.h"
#include "proto/smtp.h"
#include "store/contact.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/outbox.h"

G_DEFINE_QUARK(deliver, deliver_error)

#define DIALOGUE_MAX (64 * 1024) /* bytes kept of one attempt */
#define CLAIMS_MAX 10000         /* items in one run */

/* One run over the queue. */
struct delivery {
    struct store *store;
    gint64 account;
    const struct deliver_options *options;
    struct smtp_session *session;   /* NULL: not connected */
    GString *dialogue;              /* of the attempt at hand */
    const struct outbox_item *item; /* the one at hand */
    struct reader *reader;          /* for copies; NULL until the first */
};

/* --- The dialogue */

static void
on_line(enum stream_direction direction, const char *line, gpointer data)
{
    struct delivery *delivery = data;
    g_autofree char *safe = text_safe(line, -1, TEXT_LINE);
    if (delivery->dialogue->len + strlen(safe) > DIALOGUE_MAX)
        return;
    g_string_append_printf(delivery->dialogue, "%s %s\n", direction == STREAM_SENT ? ">" : "<", safe);
}

/* A server's words on one line. */
static char *
one_line(const char *text)
{
    return text ? text_safe(text, -1, TEXT_LINE) : NULL;
}

static char *
describe_tls(const struct delivery *delivery)
{
    struct stream_info info;
    if (!delivery->session)
        return NULL;
    stream_get_info(smtp_session_get_stream(delivery->session), &info);
    return info.tls ? g_strdup_printf("%s %s", info.tls, info.cipher ? info.cipher : "") : NULL;
}

/* --- What was decided */

struct decision {
    struct outbox_result result;
    struct outbox_attempt attempt;
    char *text, *enhanced, *server, *tls, *reply;
};

static void
decision_clear(struct decision *decision)
{
    g_free(decision->text);
    g_free(decision->enhanced);
    g_free(decision->server);
    g_free(decision->tls);
    g_free(decision->reply);
}

static void
notice_failure(struct delivery *delivery, const struct outbox_item *item, const char *text)
{
    if (!delivery->options->notice)
        return;
    g_autofree char *subject = text_safe(item->subject ? item->subject : "", -1, TEXT_LINE);
    g_autofree char *notice =
        g_strdup_printf(_("\"%s\" could not be sent: %s (postrider queue show %" G_GINT64_FORMAT ")"),
                        subject, text ? text : _("the server refused it"), item->id);
    delivery->options->notice(notice, delivery->options->data);
}

#define FINISH_TRIES 20 /* a second apart */

/* The server has answered: a full disk, or a store that is busy, must not turn that into "unknown". */
static gboolean
commit_result(struct delivery *delivery, const struct outbox_item *item, const struct outbox_result *result,
              GError **error)
{
    for (guint i = 0;; i++) {
        g_autoptr(GError) why = NULL;
        if (outbox_finish(delivery->store, item, result, &why))
            return TRUE;
        struct pollfd cancelled = {.fd = cancel_get_fd(delivery->options->cancel), .events = POLLIN};
        if (i >= FINISH_TRIES || poll(&cancelled, 1, 1000) > 0) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        log_warn("outbox.finish", "item=%" G_GINT64_FORMAT " %s", item->id, why->message);
    }
}

/* Commits what became of an item; with the attempt unless nothing was tried. */
static gboolean
finish(struct delivery *delivery, const struct outbox_item *item, struct decision *decision,
       gboolean with_attempt, GError **error)
{
    if (with_attempt) {
        decision->server = endpoint_to_string(delivery->options->account->outgoing);
        decision->tls = describe_tls(delivery);
        decision->attempt = (struct outbox_attempt){
            .item = item->id,
            .time = clock_now_us(),
            .server = decision->server,
            .tls = decision->tls,
            .reply = decision->reply ? decision->reply : decision->text,
            .ok = decision->result.state == OUTBOX_SENT,
            .dialogue = delivery->dialogue->str,
        };
        decision->result.attempt = &decision->attempt;
    }
    decision->result.text = decision->text;
    decision->result.enhanced = decision->enhanced;
    gboolean ok = commit_result(delivery, item, &decision->result, error);
    STEP("outbox.finished");
    log_info("outbox.state", "item=%" G_GINT64_FORMAT " %s -> %s", item->id, outbox_state_name(item->state),
             outbox_state_name(decision->result.state));
    if (ok && decision->result.state == OUTBOX_FAILED)
        notice_failure(delivery, item, decision->text);
    if (ok && delivery->options->changed)
        delivery->options->changed(delivery->options->data);
    return ok;
}

/* How often, and since when, this message has been put off in one go; a longer pause (the machine was off, a
 * person said "again") begins anew. */
static void
count_attempts(struct delivery *delivery, const struct outbox_item *item, guint *attempts, gint64 *first)
{
    const gint64 pause = (gint64)36 * 3600;
    gint64 later = clock_now();
    *attempts = 1;
    *first = 0;
    g_autoptr(GPtrArray) past = outbox_attempts(delivery->store, item->id, NULL);
    for (guint i = past ? past->len : 0; i > 0; i--) {
        const struct outbox_attempt *attempt = past->pdata[i - 1];
        gint64 time = attempt->time / G_USEC_PER_SEC;
        if (later - time > pause)
            break;
        *first = later = time;
        ++*attempts;
    }
}

/* The next attempt of a soft failure; when there is to be none the recipients that wait have failed. */
static void
schedule(struct delivery *delivery, const struct outbox_item *item, struct decision *decision)
{
    guint attempts;
    gint64 first;
    count_attempts(delivery, item, &attempts, &first);
    decision->result.next_attempt = retry_next(clock_now(), first, attempts, g_random_int());
    if (decision->result.next_attempt)
        return;
    decision->result.state = OUTBOX_FAILED;
    for (guint i = 0; i < item->recipients->len; i++) {
        struct outbox_recipient *recipient = item->recipients->pdata[i];
        if (recipient->state == OUTBOX_DEFERRED || recipient->state == OUTBOX_WAITING)
            recipient->state = OUTBOX_FAILED;
    }
    char *text = g_strdup_printf(_("given up after five days: %s"), decision->text ? decision->text : "");
    g_free(decision->text);
    decision->text = text;
}

/* A failure before any recipient was decided. */
static gboolean
finish_error(struct delivery *delivery, const struct outbox_item *item, const GError *why, GError **error)
{
    struct decision decision = {.result = {.state = OUTBOX_DEFERRED}, .text = one_line(why->message)};
    const struct smtp_reply *reply = delivery->session ? smtp_session_get_reply(delivery->session) : NULL;
    if (reply && reply->code >= 400) {
        decision.result.code = reply->code;
        decision.enhanced = g_strdup(reply->enhanced);
        decision.reply = one_line(reply->text);
    }
    schedule(delivery, item, &decision);
    gboolean ok = finish(delivery, item, &decision, TRUE, error);
    decision_clear(&decision);
    return ok;
}

/* Nothing was tried: it waits on, with the words that say for what. */
static gboolean
finish_waiting(struct delivery *delivery, const struct outbox_item *item, const char *why, gint64 seconds,
               gboolean with_attempt, GError **error)
{
    struct decision decision = {
        .result = {.state = OUTBOX_WAITING, .next_attempt = clock_now() + seconds},
        .text = one_line(why),
    };
    gboolean ok = finish(delivery, item, &decision, with_attempt, error);
    decision_clear(&decision);
    return ok;
}

/* One recipient's outcome into its row. */
static void
take_recipient(struct delivery *delivery, struct outbox_recipient *recipient,
               const struct smtp_recipient_result *result, const char *connection_error)
{
    static const enum outbox_state states[] = {
        [SMTP_NOT_TRIED] = OUTBOX_DEFERRED, [SMTP_ACCEPTED] = OUTBOX_SENT,
        [SMTP_DEFERRED] = OUTBOX_DEFERRED,  [SMTP_REJECTED] = OUTBOX_FAILED,
        [SMTP_UNKNOWN] = OUTBOX_UNKNOWN,
    };
    recipient->state = states[result->outcome];
    recipient->code = result->reply.code;
    g_free(recipient->enhanced);
    g_free(recipient->text);
    recipient->enhanced = g_strdup(result->reply.enhanced);
    recipient->text = result->reply.code || (result->reply.text && *result->reply.text)
                          ? one_line(result->reply.text)
                      : result->outcome == SMTP_ACCEPTED ? NULL
                                                         : g_strdup(connection_error);
    /* "No such user" and its kin (RFC 3463, X.1.1 to X.1.3, X.1.10): warned about when it is used again. */
    if (result->outcome == SMTP_REJECTED && result->stage == SMTP_STAGE_RCPT && recipient->enhanced &&
        g_str_has_prefix(recipient->enhanced, "5.1.") && recipient->text) {
        g_autoptr(GError) error = NULL;
        if (!contact_set_bounced(delivery->store, recipient->addr, recipient->text, &error))
            log_warn("outbox.contact", "%s", error->message);
    }
}

/* The item's state out of its recipients': the one that asks most of the user. */
static enum outbox_state
state_of(const struct outbox_item *item)
{
    guint seen[OUTBOX_STATES] = {0};
    for (guint i = 0; i < item->recipients->len; i++)
        seen[((const struct outbox_recipient *)item->recipients->pdata[i])->state]++;
    return seen[OUTBOX_UNKNOWN]                            ? OUTBOX_UNKNOWN
           : seen[OUTBOX_DEFERRED] || seen[OUTBOX_WAITING] ? OUTBOX_DEFERRED
           : seen[OUTBOX_FAILED]                           ? OUTBOX_FAILED
                                                           : OUTBOX_SENT;
}

/* Words for the whole item: those of the recipient in that state. */
static void
take_words(const struct outbox_item *item, struct decision *decision)
{
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        if (recipient->state != decision->result.state || decision->result.state == OUTBOX_SENT)
            continue;
        decision->result.code = recipient->code;
        decision->enhanced = g_strdup(recipient->enhanced);
        decision->text = item->recipients->len == 1
                             ? g_strdup(recipient->text)
                             : g_strdup_printf("%s: %s", recipient->addr, recipient->text);
        return;
    }
}

/* --- Sending */

static gboolean
before_dot(gpointer data, GError **error)
{
    struct delivery *delivery = data;
    STEP("outbox.mark");
    gboolean ok = outbox_mark_data(delivery->store, delivery->item->id, error);
    STEP("outbox.dot");
    return ok;
}

static guint
parse_notify(const char *text)
{
    static const struct {
        const char *word;
        guint bit;
    } words[] = {{"never", SMTP_NOTIFY_NEVER},
                 {"success", SMTP_NOTIFY_SUCCESS},
                 {"failure", SMTP_NOTIFY_FAILURE},
                 {"delay", SMTP_NOTIFY_DELAY}};
    guint notify = SMTP_NOTIFY_DEFAULT;
    g_auto(GStrv) parts = g_strsplit(text ? text : "", ",", -1);
    for (char **part = parts; *part; part++)
        for (guint i = 0; i < G_N_ELEMENTS(words); i++)
            if (!g_ascii_strcasecmp(g_strstrip(*part), words[i].word))
                notify |= words[i].bit;
    return notify & SMTP_NOTIFY_NEVER ? SMTP_NOTIFY_NEVER : notify;
}

/* One message over the open session, to those who have not got it yet. `rows` receives their rows, in order.
 */
static void
try_item(struct delivery *delivery, const struct outbox_item *item, GBytes *bytes, GPtrArray *rows,
         struct smtp_result **result, GError **error)
{
    g_autoptr(GArray) recipients = g_array_new(FALSE, TRUE, sizeof(struct smtp_recipient));
    guint notify = parse_notify(item->dsn_notify);
    for (guint i = 0; i < item->recipients->len; i++) {
        struct outbox_recipient *row = item->recipients->pdata[i];
        if (row->state == OUTBOX_SENT || row->state == OUTBOX_FAILED)
            continue;
        struct smtp_recipient recipient = {.address = row->addr, .notify = notify};
        g_array_append_val(recipients, recipient);
        g_ptr_array_add(rows, row);
    }
    if (!recipients->len)
        return;
    gsize length;
    const guint8 *content = g_bytes_get_data(bytes, &length);
    struct smtp_message message = {
        .from = item->from,
        .recipients = (const struct smtp_recipient *)(gpointer)recipients->data,
        .n_recipients = recipients->len,
        .content = content,
        .length = length,
        .envid = item->dsn_envid,
        .ret = !item->dsn_ret                      ? SMTP_RETURN_DEFAULT
               : !g_strcmp0(item->dsn_ret, "full") ? SMTP_RETURN_FULL
                                                   : SMTP_RETURN_HEADERS,
        .before_dot = before_dot,
        .before_dot_data = delivery,
    };
    smtp_session_send(delivery->session, &message, result, error);
    STEP("outbox.answered");
}

/* The server's deciding words on one line, with the codes. */
static char *
reply_line(const struct smtp_result *result)
{
    const struct smtp_reply *reply = &result->reply;
    if (!reply->code)
        return NULL;
    g_autofree char *text = g_strdup_printf("%d %s%s%s", reply->code, reply->enhanced ? reply->enhanced : "",
                                            reply->enhanced ? " " : "", reply->text ? reply->text : "");
    return one_line(text);
}

/* What the server said becomes the state of the recipients and of the item, committed at once. */
static gboolean
settle_item(struct delivery *delivery, struct outbox_item *item, GPtrArray *rows,
            const struct smtp_result *result, const GError *why, GError **error)
{
    for (guint i = 0; i < rows->len && result && i < result->n_recipients; i++)
        take_recipient(delivery, rows->pdata[i], &result->recipients[i], why ? why->message : NULL);

    struct decision decision = {.result = {.state = state_of(item)}};
    take_words(item, &decision);
    decision.reply = result ? reply_line(result) : NULL;
    if (decision.result.state == OUTBOX_UNKNOWN) {
        g_free(decision.text);
        decision.text =
            g_strdup_printf(_("the connection broke before the server answered: it may have been sent; "
                              "\"postrider queue retry %" G_GINT64_FORMAT "\" sends it again"),
                            item->id);
    }
    if (decision.result.state == OUTBOX_DEFERRED)
        schedule(delivery, item, &decision);
    gboolean ok = finish(delivery, item, &decision, TRUE, error);
    decision_clear(&decision);
    return ok;
}

/* --- The copy in Sent */

/* What the row of the copy shows; without the reader, what the queue knows of it. */
static struct message_index *
index_of(struct delivery *delivery, const struct outbox_item *item, GBytes *bytes)
{
    g_autoptr(GError) error = NULL;
    if (!delivery->reader)
        delivery->reader = reader_new();
    struct message_index *index = reader_index_text(delivery->reader, bytes, &error);
    if (index)
        return index;
    log_warn("outbox.copy", "item=%" G_GINT64_FORMAT " %s", item->id, error->message);
    index = message_index_new();
    g_free(index->envelope->subject);
    index->envelope->subject = g_strdup(item->subject ? item->subject : "");
    index->envelope->message_id = g_strdup(item->message_id);
    index->envelope->date = item->created;
    index->envelope->flags |= ENVELOPE_DATE_VALID;
    address_list_add(index->envelope->from, NULL, item->from);
    for (guint i = 0; i < item->recipients->len; i++)
        address_list_add(index->envelope->to, NULL,
                         ((const struct outbox_recipient *)item->recipients->pdata[i])->addr);
    return index;
}

/* Written to the Maildir first, then named by the row in the transaction that also notes that the copy is
 * made: a crash in between leaves a file that no row names, which the store sweeps; the copy itself is still
 * owed, and made once. */
static gboolean
make_copy(struct delivery *delivery, const struct outbox_item *item, GError **error)
{
    g_autoptr(GBytes) bytes = outbox_bytes(delivery->store, item, error);
    gint64 folder = bytes ? intent_ensure_role(delivery->store, delivery->account, FOLDER_SENT, error) : 0;
    g_autoptr(struct_folder) sent = folder ? folder_get(delivery->store, folder, error) : NULL;
    if (!sent)
        return FALSE;
    g_autofree char *dir = g_build_filename(store_mail_dir(delivery->store), sent->dir, NULL);
    g_autoptr(struct_message_index) index = index_of(delivery, item, bytes);
    struct maildir_entry entry = {0};
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    STEP("outbox.copy");
    if (!maildir_make(dir, error) || !maildir_deliver(dir, FLAG_SEEN, data, length, &entry, error))
        return FALSE;
    STEP("outbox.copy-file");
    gboolean ok = outbox_copied(delivery->store, item->id, folder, &entry, index, error);
    STEP("outbox.copied");
    maildir_entry_clear(&entry);
    if (ok && delivery->options->changed)
        delivery->options->changed(delivery->options->data);
    return ok;
}

/* Those that a killed worker, a full disk or a missing folder left owed. A failure here never holds up
 * sending. */
static void
make_copies(struct delivery *delivery)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) items = outbox_list_uncopied(delivery->store, delivery->account, &error);
    for (guint i = 0; items && i < items->len && !error; i++)
        make_copy(delivery, items->pdata[i], &error);
    if (error)
        log_warn("outbox.copy", "%s", error->message);
}

/* --- The run */

static void
close_session(struct delivery *delivery)
{
    if (!delivery->session)
        return;
    if (smtp_session_is_usable(delivery->session))
        smtp_session_close(delivery->session);
    g_clear_pointer(&delivery->session, smtp_session_free);
}

static void
wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static gboolean
open_session(struct delivery *delivery, GError **error)
{
    const struct deliver_options *options = delivery->options;
    const struct endpoint *endpoint = options->account->outgoing;
    char *secret = NULL;
    if (endpoint->user && !(secret = options->get_secret(options->data, error)))
        return FALSE;
    delivery->session = smtp_session_new(endpoint, options->cancel);
    smtp_session_set_tap(delivery->session, on_line, delivery);
    gboolean ok = smtp_session_open(delivery->session, secret, error);
    wipe(secret);
    return ok;
}

/* No server was reached, or it was not asked: off line, or the password is missing. */
static gboolean
was_not_reached(const struct delivery *delivery, const GError *why)
{
    return !delivery->session ||
           (why->code == ERROR_RETRY && smtp_session_get_stage(delivery->session) == SMTP_STAGE_CONNECT);
}

/* The connection cannot be had: what is due waits, each with the reason. */
static void
settle_unreachable(struct delivery *delivery, struct outbox_item *item, const GError *why)
{
    g_autoptr(GError) error = NULL;
    gboolean is_offline = was_not_reached(delivery, why);
    if (why->code == ERROR_CANCELLED) {
        finish_waiting(delivery, item, why->message, 0, FALSE, &error);
    } else if (!is_offline && (why->code == ERROR_RETRY || why->code == ERROR_REFUSED)) {
        finish_error(delivery, item, why, &error); /* a server that answers, but not with a welcome */
    } else {
        /* What waits for a person (password, certificate) is noted once, with what was said; the others get
         * the words. */
        finish_waiting(delivery, item, why->message, RETRY_OFFLINE, !is_offline, &error);
        for (guint i = 0; i < CLAIMS_MAX && !error; i++) {
            g_autoptr(struct_outbox_item) other = outbox_claim(delivery->store, delivery->account, &error);
            if (!other)
                break;
            finish_waiting(delivery, other, why->message, RETRY_OFFLINE, FALSE, &error);
        }
    }
    if (error)
        log_error("outbox.state", "%s", error->message);
}

/* Its file cannot be read: it can never be sent. */
static gboolean
fail_item(struct delivery *delivery, struct outbox_item *item, const char *why, GError **error)
{
    struct decision decision = {.result = {.state = OUTBOX_FAILED}, .text = one_line(why)};
    for (guint i = 0; i < item->recipients->len; i++) {
        struct outbox_recipient *recipient = item->recipients->pdata[i];
        recipient->state = recipient->state == OUTBOX_SENT ? OUTBOX_SENT : OUTBOX_FAILED;
    }
    gboolean ok = finish(delivery, item, &decision, TRUE, error);
    decision_clear(&decision);
    return ok;
}

/* Before anything of this message was taken in: the server closed an idle connection, or we were stopped. */
static gboolean
was_not_begun(const struct smtp_result *result)
{
    return result && result->outcome == SMTP_DEFERRED && !result->n_accepted &&
           result->stage <= SMTP_STAGE_MAIL;
}

/* One claimed item, from its file to its new state. FALSE ends the run. */
static gboolean
deliver_item(struct delivery *delivery, struct outbox_item *item, guint *failures, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_autoptr(struct_smtp_result) result = NULL;
    g_autoptr(GBytes) bytes = outbox_bytes(delivery->store, item, &why);
    if (!bytes)
        return fail_item(delivery, item, why->message, error);
    for (gboolean is_used = delivery->session != NULL;; is_used = FALSE) {
        g_string_truncate(delivery->dialogue, 0);
        if (!delivery->session && !open_session(delivery, &why)) {
            settle_unreachable(delivery, item, why);
            close_session(delivery);
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        try_item(delivery, item, bytes, rows, &result, &why);
        if (!is_used || smtp_session_is_usable(delivery->session) || !was_not_begun(result) ||
            why->code == ERROR_CANCELLED)
            break;
        /* The server was done with the connection, not with this message: a new one, at once. */
        close_session(delivery);
        g_clear_pointer(&result, smtp_result_free);
        g_clear_error(&why);
        g_ptr_array_set_size(rows, 0);
    }
    gboolean is_broken = !smtp_session_is_usable(delivery->session);
    if (why &&
        ((why->code == ERROR_CANCELLED && result && result->outcome != SMTP_UNKNOWN && !result->n_accepted) ||
         why->code == ERROR_AUTH)) { /* stopped in time; or "530 log in first" */
        finish_waiting(delivery, item, why->message, 0, why->code == ERROR_AUTH, NULL);
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!settle_item(delivery, item, rows, result, why, error))
        return FALSE;
    if (!is_broken) {
        *failures = 0;
        return TRUE;
    }
    close_session(delivery);
    if (++*failures < 2)
        return TRUE; /* it may have been this message: the next one gets a new connection */
    g_set_error(error, DELIVER_ERROR, ERROR_RETRY,
                _("%s closes the connection again and again: trying later"),
                delivery->options->account->outgoing->host);
    return FALSE;
}

gboolean
deliver_due(struct store *store, gint64 account_id, const struct deliver_options *options, GError **error)
{
    struct delivery delivery = {
        .store = store, .account = account_id, .options = options, .dialogue = g_string_new(NULL)};
    guint failures = 0;
    gboolean ok = outbox_recover(store, account_id, error);
    if (ok)
        make_copies(&delivery);
    for (guint i = 0; ok && i < CLAIMS_MAX; i++) {
        if (cancel_is_triggered(options->cancel)) {
            ok = FALSE;
            g_set_error(error, DELIVER_ERROR, ERROR_CANCELLED, _("sending was stopped"));
            break;
        }
        g_autoptr(GError) why = NULL;
        g_autoptr(struct_outbox_item) item = outbox_claim(store, account_id, &why);
        if (!item) {
            ok = !why;
            if (why)
                g_propagate_error(error, g_steal_pointer(&why));
            break;
        }
        STEP("outbox.claimed");
        delivery.item = item;
        ok = deliver_item(&delivery, item, &failures, error);
        delivery.item = NULL;
        make_copies(&delivery);
    }
    close_session(&delivery);
    reader_free(delivery.reader);
    g_string_free(delivery.dialogue, TRUE);
    return ok;
}
