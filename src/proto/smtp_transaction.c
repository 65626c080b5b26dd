/* One transaction: MAIL, RCPT, DATA, the content and the final dot, with the outcome told for each recipient.
 */
#include "config.h"

#include "proto/smtp_private.h"

#include "base/fail.h"

#include <string.h>

/* ---- noting outcomes ---- */

static enum smtp_outcome
outcome_of(const struct smtp_reply *reply)
{
    return reply->code / 100 == 5 ? SMTP_REJECTED : SMTP_DEFERRED;
}

void
smtp_note(struct sending *sending, guint index, enum smtp_outcome outcome, const struct smtp_reply *reply)
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
            smtp_note(sending, index, outcome, reply);
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
            smtp_note(sending, sending->batch[i], SMTP_DEFERRED, NULL);
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
                smtp_note(sending, index, SMTP_DEFERRED, &session->reply);
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
            smtp_note(sending, sending->batch[i], outcome_of(&session->reply), &session->reply);
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
        smtp_note(sending, index, too_many ? SMTP_DEFERRED : outcome_of(&session->reply), &session->reply);
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

gboolean
smtp_run_transaction(struct sending *sending, GError **error)
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
