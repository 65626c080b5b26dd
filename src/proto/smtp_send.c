/* One message through MAIL, RCPT and DATA, with the outcome told for each recipient. */
#include "config.h"

#include "proto/smtp_private.h"

#include "base/fail.h"
#include "base/text.h"

#include <string.h>

/* A message on its way; one or more transactions. */
struct sending {
    struct smtp_session *session;
    const struct smtp_message *message;
    struct smtp_content content;
    char *from;        /* wire forms; from is "" for the null sender */
    char **recipients; /* n_recipients + NULL */
    gboolean smtputf8;
    struct smtp_result *result;
    /* The transaction: indices of its recipients, and what became of each so far. */
    guint *batch;
    guint batch_size;
    gboolean *taken; /* by index: RCPT was accepted */
    guint n_taken;
};

void
smtp_result_free(struct smtp_result *result)
{
    if (!result)
        return;
    for (guint i = 0; i < result->n_recipients; i++)
        smtp_reply_clear(&result->recipients[i].reply);
    g_free(result->recipients);
    smtp_reply_clear(&result->reply);
    g_free(result);
}

/* ---- noting outcomes ---- */

static enum smtp_outcome
outcome_of(const struct smtp_reply *reply)
{
    return reply->code / 100 == 5 ? SMTP_REJECTED : SMTP_DEFERRED;
}

static void
note(struct sending *sending, guint index, enum smtp_outcome outcome, const struct smtp_reply *reply)
{
    struct smtp_recipient_result *recipient = &sending->result->recipients[index];
    recipient->outcome = outcome;
    recipient->stage = sending->session->stage;
    if (reply)
        smtp_reply_copy(&recipient->reply, reply);
    else
        smtp_reply_clear(&recipient->reply);
}

/* For those of the batch whose fate hangs on what happens next. */
static void
note_open(struct sending *sending, enum smtp_outcome outcome, const struct smtp_reply *reply)
{
    for (guint i = 0; i < sending->batch_size; i++) {
        guint index = sending->batch[i];
        if (sending->taken[index])
            note(sending, index, outcome, reply);
        sending->taken[index] = FALSE;
    }
    sending->n_taken = 0;
}

/* The connection failed: all of the batch that has no outcome yet shares one. */
static gboolean
note_lost(struct sending *sending, enum smtp_outcome outcome)
{
    note_open(sending, outcome, NULL);
    for (guint i = 0; i < sending->batch_size; i++)
        if (sending->result->recipients[sending->batch[i]].outcome == SMTP_NOT_TRIED)
            note(sending, sending->batch[i], SMTP_DEFERRED, NULL);
    return FALSE;
}

/* ---- the commands ---- */

static gboolean
put_mail(struct sending *sending, GError **error)
{
    const struct smtp_message *message = sending->message;
    const struct smtp_capabilities *can = &sending->session->capabilities;
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_printf(line, "MAIL FROM:<%s>", sending->from);
    if (can->has_size)
        g_string_append_printf(line, " SIZE=%u", sending->content.wire->len);
    if (can->eightbitmime && sending->content.eight_bit)
        g_string_append(line, " BODY=8BITMIME");
    if (sending->smtputf8)
        g_string_append(line, " SMTPUTF8");
    if (can->dsn && message->ret != SMTP_RETURN_DEFAULT)
        g_string_append(line, message->ret == SMTP_RETURN_FULL ? " RET=FULL" : " RET=HDRS");
    if (can->dsn && message->envid) {
        g_autofree char *envid = smtp_xtext(message->envid);
        if (envid && strlen(envid) <= 100) /* RFC 3461 section 4.4; an odd one was no promise */
            g_string_append_printf(line, " ENVID=%s", envid);
    }
    return smtp_put(sending->session, error, "%s", line->str);
}

static void
append_notify(GString *line, guint notify)
{
    static const struct {
        enum smtp_notify flag;
        const char *name;
    } names[] = {
        {SMTP_NOTIFY_SUCCESS, "SUCCESS"}, {SMTP_NOTIFY_FAILURE, "FAILURE"}, {SMTP_NOTIFY_DELAY, "DELAY"}};
    const char *separator = " NOTIFY=";
    if (notify & SMTP_NOTIFY_NEVER) {
        g_string_append(line, " NOTIFY=NEVER");
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (notify & names[i].flag) {
            g_string_append_printf(line, "%s%s", separator, names[i].name);
            separator = ",";
        }
}

static gboolean
put_rcpt(struct sending *sending, guint index, GError **error)
{
    const struct smtp_recipient *recipient = &sending->message->recipients[index];
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_printf(line, "RCPT TO:<%s>", sending->recipients[index]);
    if (sending->session->capabilities.dsn && recipient->notify != SMTP_NOTIFY_DEFAULT) {
        append_notify(line, recipient->notify);
        g_autofree char *orcpt = smtp_xtext(recipient->orcpt ? recipient->orcpt : sending->recipients[index]);
        if (orcpt && strlen(orcpt) <= 480)
            g_string_append_printf(line, " ORCPT=rfc822;%s", orcpt);
    }
    return smtp_put(sending->session, error, "%s", line->str);
}

/* ---- their replies ---- */

/* TRUE: a reply that fits came, session->reply tells which. Everything but 2xx, 4xx and 5xx (and 354 to DATA)
 * is against the rules. */
static gboolean
read_expected(struct sending *sending, enum smtp_stage stage, const char *activity, GError **error)
{
    struct smtp_session *session = sending->session;
    session->stage = stage;
    stream_set_activity(session->stream, activity);
    if (!smtp_read_reply(session, error))
        return note_lost(sending, SMTP_DEFERRED);
    int code = session->reply.code;
    gboolean fits = code >= 400 || (stage == SMTP_STAGE_DATA ? code == 354 : code / 100 == 2);
    if (!fits) {
        smtp_fail_protocol(session, error, "reply %d while %s", code, activity);
        return note_lost(sending, SMTP_DEFERRED);
    }
    if (code == 421) {
        for (guint i = 0; i < sending->batch_size; i++) {
            guint index = sending->batch[i];
            if (sending->taken[index] || sending->result->recipients[index].outcome == SMTP_NOT_TRIED)
                note(sending, index, SMTP_DEFERRED, &session->reply);
            sending->taken[index] = FALSE;
        }
        sending->n_taken = 0;
    }
    return TRUE;
}

/* *accepted: whether MAIL was. FALSE: the session is over. */
static gboolean
read_mail_reply(struct sending *sending, gboolean *accepted, GError **error)
{
    struct smtp_session *session = sending->session;
    if (!read_expected(sending, SMTP_STAGE_MAIL, "announcing the message (MAIL)", error))
        return FALSE;
    *accepted = session->reply.code < 400;
    if (*accepted)
        session->needs_reset = TRUE;
    else
        for (guint i = 0; i < sending->batch_size; i++)
            note(sending, sending->batch[i], outcome_of(&session->reply), &session->reply);
    return session->ready;
}

static gboolean
read_rcpt_reply(struct sending *sending, guint index, gboolean mail_accepted, GError **error)
{
    struct smtp_session *session = sending->session;
    if (!read_expected(sending, SMTP_STAGE_RCPT, "naming the recipients (RCPT)", error))
        return FALSE;
    if (!session->ready || !mail_accepted)
        return session->ready;
    if (session->reply.code < 400) {
        sending->taken[index] = TRUE;
        sending->n_taken++;
    } else {
        /* 552 is an old way to say 452, too many recipients (RFC 5321 section 4.5.3.1.10). */
        gboolean too_many = session->reply.code == 552 && sending->n_taken > 0;
        note(sending, index, too_many ? SMTP_DEFERRED : outcome_of(&session->reply), &session->reply);
    }
    return TRUE;
}

/* MAIL, RCPT, DATA, all at once. *go: the server waits for content. */
static gboolean
open_pipelined(struct sending *sending, gboolean *go, GError **error)
{
    struct smtp_session *session = sending->session;
    gboolean accepted;
    if (!put_mail(sending, error))
        return note_lost(sending, SMTP_DEFERRED);
    for (guint i = 0; i < sending->batch_size; i++)
        if (!put_rcpt(sending, sending->batch[i], error))
            return note_lost(sending, SMTP_DEFERRED);
    if (!smtp_put(session, error, "DATA") || !stream_flush(session->stream, error))
        return note_lost(sending, SMTP_DEFERRED);
    if (!read_mail_reply(sending, &accepted, error))
        return FALSE;
    for (guint i = 0; i < sending->batch_size; i++)
        if (!read_rcpt_reply(sending, sending->batch[i], accepted, error))
            return FALSE;
    if (!read_expected(sending, SMTP_STAGE_DATA, "waiting for leave to send (DATA)", error) ||
        !session->ready)
        return FALSE;
    *go = session->reply.code == 354;
    if (!*go)
        note_open(sending, outcome_of(&session->reply), &session->reply);
    return TRUE;
}

static gboolean
open_stepwise(struct sending *sending, gboolean *go, GError **error)
{
    struct smtp_session *session = sending->session;
    gboolean accepted;
    *go = FALSE;
    if (!put_mail(sending, error) || !stream_flush(session->stream, error))
        return note_lost(sending, SMTP_DEFERRED);
    if (!read_mail_reply(sending, &accepted, error))
        return FALSE;
    if (!accepted)
        return TRUE;
    for (guint i = 0; i < sending->batch_size; i++) {
        if (!put_rcpt(sending, sending->batch[i], error) || !stream_flush(session->stream, error))
            return note_lost(sending, SMTP_DEFERRED);
        if (!read_rcpt_reply(sending, sending->batch[i], TRUE, error))
            return FALSE;
    }
    if (sending->n_taken == 0)
        return TRUE;
    if (!smtp_put(session, error, "DATA") || !stream_flush(session->stream, error))
        return note_lost(sending, SMTP_DEFERRED);
    if (!read_expected(sending, SMTP_STAGE_DATA, "waiting for leave to send (DATA)", error) ||
        !session->ready)
        return FALSE;
    *go = session->reply.code == 354;
    if (!*go)
        note_open(sending, outcome_of(&session->reply), &session->reply);
    return TRUE;
}

/* ---- the content ---- */

/* The server spoke before the final dot. That is a refusal, or against the rules; either way the message is
 * not complete, and the connection cannot be used any more. */
static gboolean
take_early_reply(struct sending *sending, GError **error)
{
    struct smtp_session *session = sending->session;
    if (!smtp_read_reply(session, error))
        return note_lost(sending, SMTP_DEFERRED);
    if (session->reply.code < 400) {
        smtp_fail_protocol(session, error, "reply %d before the end of the message", session->reply.code);
        return note_lost(sending, SMTP_DEFERRED);
    }
    note_open(sending, outcome_of(&session->reply), &session->reply);
    session->ready = FALSE;
    return FALSE;
}

static gboolean
write_content(struct sending *sending, GError **error)
{
    struct stream *stream = sending->session->stream;
    g_autoptr(GError) why = NULL;
    stream_set_activity(stream, "sending the message");
    stream_set_bulk(stream, TRUE);
    gboolean ok = smtp_write_stuffed(stream, sending->content.wire, &why) && stream_flush(stream, &why);
    stream_set_bulk(stream, FALSE);
    /* Also when the connection broke: the server may have said why. */
    if (stream_get_pending(stream) > 0)
        return take_early_reply(sending, error);
    if (ok)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return note_lost(sending, SMTP_DEFERRED);
}

static guint64
bytes_sent(const struct smtp_session *session)
{
    struct stream_info info;
    stream_get_info(session->stream, &info);
    return info.bytes_out;
}

static gboolean
finish_content(struct sending *sending, GError **error)
{
    struct smtp_session *session = sending->session;
    const struct smtp_message *message = sending->message;
    if (message->before_dot && !message->before_dot(message->before_dot_data, error)) {
        g_autoptr(GError) why = g_error_new(SMTP_ERROR, ERROR_RETRY,
                                            "%s: the message was held back before its end", session->name);
        stream_kill(session->stream, why);
        session->ready = FALSE;
        return note_lost(sending, SMTP_DEFERRED);
    }
    STEP("smtp.dot");
    guint command_limit_ms = stream_get_limits(session->stream)->command_ms;
    guint64 before = bytes_sent(session);
    session->stage = SMTP_STAGE_MESSAGE;
    stream_set_activity(session->stream, "waiting whether the server takes the message");
    stream_set_command_limit(session->stream, session->dot_limit_ms);
    gboolean sent = stream_puts(session->stream, ".\r\n", error) && stream_flush(session->stream, error);
    STEP("smtp.dot-sent");
    gboolean replied = sent && smtp_read_reply(session, error);
    STEP("smtp.replied");
    stream_set_command_limit(session->stream, command_limit_ms);
    if (!replied && bytes_sent(session) == before) {
        /* Not one byte of the dot left this machine: the message cannot be complete there. */
        session->stage = SMTP_STAGE_DATA;
        return note_lost(sending, SMTP_DEFERRED);
    }
    if (!replied)
        return note_lost(sending, SMTP_UNKNOWN);
    session->needs_reset = FALSE;
    if (session->reply.code / 100 == 2) {
        note_open(sending, SMTP_ACCEPTED, &session->reply);
    } else if (session->reply.code >= 400) {
        note_open(sending, outcome_of(&session->reply), &session->reply);
    } else {
        smtp_fail_protocol(session, error, "reply %d to the message", session->reply.code);
        return note_lost(sending, SMTP_UNKNOWN);
    }
    return session->ready;
}

/* The server asked for content though it took no recipient: an empty message ends that (RFC 2920
 * section 3.1). */
static gboolean
send_nothing(struct sending *sending, GError **error)
{
    struct smtp_session *session = sending->session;
    if (!stream_puts(session->stream, ".\r\n", error) || !stream_flush(session->stream, error) ||
        !smtp_read_reply(session, error))
        return FALSE;
    session->needs_reset = session->reply.code >= 400;
    return session->ready;
}

/* TRUE: the batch has outcomes, and the connection can go on. */
static gboolean
run_transaction(struct sending *sending, GError **error)
{
    struct smtp_session *session = sending->session;
    gboolean go = FALSE;
    sending->n_taken = 0;
    session->stage = SMTP_STAGE_READY;
    stream_set_activity(session->stream, "starting a message");
    if (!smtp_check_idle(session, error))
        return note_lost(sending, SMTP_DEFERRED);
    if (session->needs_reset) {
        if (!smtp_ask(session, "starting afresh (RSET)", error, "RSET"))
            return note_lost(sending, SMTP_DEFERRED);
        if (session->reply.code != 250) {
            g_autofree char *words = smtp_reply_to_string(&session->reply);
            session->ready = FALSE;
            g_set_error(error, SMTP_ERROR, ERROR_RETRY,
                        "%s: the server does not start another message (%s): try again later", session->name,
                        words);
            return note_lost(sending, SMTP_DEFERRED);
        }
        session->needs_reset = FALSE;
    }
    if (!(session->capabilities.pipelining ? open_pipelined(sending, &go, error)
                                           : open_stepwise(sending, &go, error)))
        return FALSE;
    if (!go)
        return TRUE;
    if (sending->n_taken == 0)
        return send_nothing(sending, error);
    return write_content(sending, error) && finish_content(sending, error);
}

/* ---- the message as a whole ---- */

/* The next recipients to try: those never tried, and those that were one too many. 0: done. */
static guint
gather_batch(struct sending *sending, gboolean again)
{
    struct smtp_result *result = sending->result;
    sending->batch_size = 0;
    for (guint i = 0; i < result->n_recipients && sending->batch_size < SMTP_RECIPIENTS_AT_ONCE; i++) {
        const struct smtp_recipient_result *recipient = &result->recipients[i];
        gboolean too_many = again && recipient->outcome == SMTP_DEFERRED &&
                            recipient->stage == SMTP_STAGE_RCPT &&
                            (recipient->reply.code == 452 || recipient->reply.code == 552);
        if (recipient->outcome == SMTP_NOT_TRIED || too_many)
            sending->batch[sending->batch_size++] = i;
    }
    return sending->batch_size;
}

static guint
count(const struct smtp_result *result, enum smtp_outcome outcome)
{
    guint n = 0;
    for (guint i = 0; i < result->n_recipients; i++)
        n += result->recipients[i].outcome == outcome;
    return n;
}

/* A refusal of the sender or the content holds for those that were not tried as well: TRUE when there was
 * one. */
static gboolean
spread_refusal(struct sending *sending)
{
    struct smtp_result *result = sending->result;
    for (guint i = 0; i < sending->batch_size; i++) {
        const struct smtp_recipient_result *refused = &result->recipients[sending->batch[i]];
        if (refused->outcome == SMTP_ACCEPTED || refused->stage == SMTP_STAGE_RCPT ||
            refused->reply.code == 0)
            continue;
        sending->session->stage = refused->stage;
        for (guint j = 0; j < result->n_recipients; j++)
            if (result->recipients[j].outcome == SMTP_NOT_TRIED)
                note(sending, j, refused->outcome, &refused->reply);
        return TRUE;
    }
    return FALSE;
}

static void
run_transactions(struct sending *sending, GError **error)
{
    gboolean again = FALSE;
    while (gather_batch(sending, again)) {
        guint before = count(sending->result, SMTP_ACCEPTED);
        if (!run_transaction(sending, error) || spread_refusal(sending))
            return;
        /* Only a server that took some is asked about the others again. */
        again = count(sending->result, SMTP_ACCEPTED) > before;
    }
}

static gboolean fail_check(struct sending *sending, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Ours, before anything is sent: nobody gets the message. */
static gboolean
fail_check(struct sending *sending, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    sending->session->stage = SMTP_STAGE_CHECK;
    for (guint i = 0; i < sending->result->n_recipients; i++)
        note(sending, i, SMTP_REJECTED, NULL);
    g_set_error(error, SMTP_ERROR, ERROR_INPUT, "%s", text);
    return FALSE;
}

static gboolean
check_addresses(struct sending *sending, GError **error)
{
    const struct smtp_message *message = sending->message;
    g_autoptr(GError) why = NULL;
    sending->from = *message->from ? smtp_wire_address(message->from, &why) : g_strdup("");
    sending->recipients = g_new0(char *, message->n_recipients + 1);
    for (guint i = 0; i < message->n_recipients && sending->from; i++) {
        sending->recipients[i] = smtp_wire_address(message->recipients[i].address, &why);
        if (!sending->recipients[i])
            break;
    }
    return !why || fail_check(sending, error, "%s", why->message);
}

static gboolean
check_message(struct sending *sending, GError **error)
{
    const struct smtp_capabilities *can = &sending->session->capabilities;
    const char *name = sending->session->name;
    if (sending->message->n_recipients == 0)
        return fail_check(sending, error, "the message has no recipient");
    if (!check_addresses(sending, error))
        return FALSE;
    if (sending->content.has_nul)
        return fail_check(sending, error,
                          "the message holds a NUL byte, which mail cannot carry: encode the "
                          "attachment (base64)");
    if (can->has_size && can->size > 0 && sending->content.wire->len > can->size) {
        g_autofree char *ours = text_size(sending->content.wire->len), *theirs = text_size(can->size);
        return fail_check(
            sending, error,
            "%s: the message is too large: %s, and the server takes at most %s: send less or smaller "
            "attachments",
            name, ours, theirs);
    }
    const char *international = g_str_is_ascii(sending->from) ? NULL : sending->message->from;
    for (guint i = 0; sending->recipients[i]; i++)
        if (!g_str_is_ascii(sending->recipients[i]))
            international = sending->message->recipients[i].address;
    if (international && !can->smtputf8) {
        g_autofree char *safe = text_safe(international, -1, TEXT_LINE);
        return fail_check(sending, error, "%s: the server cannot send to or from %s: it lacks SMTPUTF8", name,
                          safe);
    }
    sending->smtputf8 = can->smtputf8 && (international || sending->content.utf8_headers);
    return TRUE;
}

/* The gravest outcome decides what the message as a whole is. */
static void
sum_up(struct smtp_result *result)
{
    static const enum smtp_outcome order[] = {SMTP_UNKNOWN, SMTP_REJECTED, SMTP_DEFERRED, SMTP_NOT_TRIED,
                                              SMTP_ACCEPTED};
    result->n_accepted = count(result, SMTP_ACCEPTED);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        for (guint j = 0; j < result->n_recipients; j++) {
            const struct smtp_recipient_result *recipient = &result->recipients[j];
            if (recipient->outcome != order[i])
                continue;
            result->outcome = recipient->outcome;
            result->stage = recipient->stage;
            smtp_reply_copy(&result->reply, &recipient->reply);
            return;
        }
    result->outcome = SMTP_REJECTED; /* no recipients at all */
    result->stage = SMTP_STAGE_CHECK;
}

/* In words, when replies decided it: "… refused ben@example.org (550 5.1.1 …)", or how many. */
static void
set_refusal(const struct sending *sending, GError **error)
{
    const struct smtp_result *result = sending->result;
    g_autofree char *words = smtp_reply_to_string(&result->reply);
    gboolean for_good = result->outcome == SMTP_REJECTED;
    const char *verb = for_good ? "refused" : "does not take now";
    guint n = count(result, result->outcome), first = 0;
    while (result->recipients[first].outcome != result->outcome)
        first++;
    g_autofree char *whom = NULL;
    if (result->stage != SMTP_STAGE_RCPT)
        whom = g_strdup("the message");
    else if (n == 1)
        whom = text_safe(sending->message->recipients[first].address, -1, TEXT_LINE);
    else
        whom = g_strdup_printf("%u of %u recipients, the first of them %s", n, result->n_recipients,
                               sending->recipients[first]);
    enum error_code code = for_good ? (result->reply.code == 530 ? ERROR_AUTH : ERROR_REFUSED) : ERROR_RETRY;
    g_set_error(error, SMTP_ERROR, code, "%s: the server %s %s (%s)", sending->session->name, verb, whom,
                words);
}

gboolean
smtp_session_send(struct smtp_session *session, const struct smtp_message *message,
                  struct smtp_result **result, GError **error)
{
    struct sending sending = {.session = session, .message = message};
    g_autoptr(GError) why = NULL;
    sending.result = g_new0(struct smtp_result, 1);
    sending.result->n_recipients = message->n_recipients;
    sending.result->recipients = g_new0(struct smtp_recipient_result, MAX(message->n_recipients, 1));
    sending.batch = g_new0(guint, SMTP_RECIPIENTS_AT_ONCE);
    sending.taken = g_new0(gboolean, MAX(message->n_recipients, 1));
    smtp_content_init(&sending.content, message->content, MIN(message->length, SMTP_CONTENT_MAX));

    if (message->length > SMTP_CONTENT_MAX)
        fail_check(&sending, &why, "the message is too large to be sent by mail");
    else if (!session->ready)
        g_set_error(&why, SMTP_ERROR, ERROR_RETRY, "%s: the connection is closed", session->name);
    else if (check_message(&sending, &why))
        run_transactions(&sending, &why);
    sum_up(sending.result);
    if (smtp_session_is_usable(session))
        session->stage = SMTP_STAGE_READY;

    /* With an unknown outcome nobody must read "try again". */
    if (sending.result->outcome == SMTP_UNKNOWN)
        g_set_error(error, SMTP_ERROR, ERROR_GIVEUP,
                    "it is not known whether the message was delivered: look whether it arrived before you "
                    "send it again "
                    "(%s)",
                    why ? why->message : "the connection was lost");
    else if (sending.result->outcome != SMTP_ACCEPTED && sending.result->reply.code)
        set_refusal(&sending, error);
    else if (sending.result->outcome != SMTP_ACCEPTED)
        g_propagate_error(error, g_steal_pointer(&why));

    smtp_content_clear(&sending.content);
    g_free(sending.from);
    g_strfreev(sending.recipients);
    g_free(sending.batch);
    g_free(sending.taken);
    *result = sending.result;
    return sending.result->outcome == SMTP_ACCEPTED;
}
