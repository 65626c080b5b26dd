/* A message as a whole: checked, sent in as many transactions as it takes, and its outcome summed up. */
#include "config.h"

#include "proto/smtp_private.h"

#include "base/text.h"

#include <string.h>

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

/* ---- batches of recipients ---- */

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
                smtp_note(sending, j, refused->outcome, &refused->reply);
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
        if (!smtp_run_transaction(sending, error) || spread_refusal(sending))
            return;
        /* Only a server that took some is asked about the others again. */
        again = count(sending->result, SMTP_ACCEPTED) > before;
    }
}

/* ---- checks ---- */

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
        smtp_note(sending, i, SMTP_REJECTED, NULL);
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

/* ---- the outcome ---- */

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
