/* Logging in: SASL (RFC 5034), else USER and PASS, else APOP (RFC 1939 section 7). Only where the line may
 * carry it. */
#include "config.h"

#include "proto/pop3_private.h"

#include "base/text.h"
#include "net/digest.h"
#include "proto/sasl.h"

#include <string.h>

#define INITIAL_RESPONSE_MAX 200 /* RFC 5034 section 4: with the command no more than 255 octets */

/* One attempt: whatever else the server could have meant, a password is not tried again by itself. */
static gboolean
fail_login(struct pop3 *pop3, GError **error)
{
    g_autofree char *safe = text_safe(stream_get_endpoint(pop3->stream)->user, -1, TEXT_LINE);
    return pop3_fail_reply(
        pop3, error, ERROR_AUTH,
        "the server refused the password for %s: check it, or whether the provider wants an app password",
        safe);
}

/* `head`, then what is secret, then the line end. */
static gboolean
send_secret(struct pop3 *pop3, const char *head, const char *secret, GError **error)
{
    if (head && !stream_puts(pop3->stream, head, error))
        return FALSE;
    if (secret && *secret) {
        stream_set_private(pop3->stream, TRUE);
        gboolean ok = stream_puts(pop3->stream, secret, error);
        stream_set_private(pop3->stream, FALSE);
        if (!ok)
            return FALSE;
    }
    return stream_puts(pop3->stream, "\r\n", error) && pop3_flush(pop3, error) &&
           pop3_read_reply(pop3, error);
}

/* ---- SASL ---- */

static gboolean
begin_sasl(struct pop3 *pop3, struct sasl *sasl, GError **error)
{
    g_autofree char *command = g_strdup_printf("AUTH %s", sasl_get_mechanism(sasl));
    if (!sasl_is_client_first(sasl))
        return send_secret(pop3, command, NULL, error);
    char *initial = sasl_step(sasl, NULL, error);
    if (!initial)
        return FALSE;
    gboolean with_command = strlen(initial) <= INITIAL_RESPONSE_MAX;
    g_autofree char *head = g_strconcat(command, " ", *initial ? "" : "=", NULL);
    gboolean ok = send_secret(pop3, with_command ? head : command, with_command ? initial : NULL, error);
    if (ok && !with_command && pop3->reply.status == POP3_CONTINUE)
        ok = send_secret(pop3, NULL, initial, error);
    sasl_reply_free(initial);
    return ok;
}

static gboolean
fail_sasl(struct pop3 *pop3, const GError *why, GError **error)
{
    g_set_error(error, POP3_ERROR, why->code, "%s: %s", pop3->name, why->message);
    return FALSE;
}

static gboolean
log_in_sasl(struct pop3 *pop3, struct sasl *sasl, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (!begin_sasl(pop3, sasl, error))
        return FALSE;
    while (pop3->reply.status == POP3_CONTINUE) {
        char *answer = sasl_step(sasl, pop3->reply.text, &why);
        if (!answer) {
            send_secret(pop3, "*", NULL, NULL); /* gives up in the middle */
            return fail_sasl(pop3, why, error);
        }
        gboolean ok = send_secret(pop3, NULL, answer, error);
        sasl_reply_free(answer);
        if (!ok)
            return FALSE;
    }
    if (pop3->reply.status != POP3_OK)
        return fail_login(pop3, error);
    return sasl_finish(sasl, &why) || fail_sasl(pop3, why, error);
}

/* ---- USER and PASS, APOP ---- */

static gboolean
is_argument(const char *text)
{
    return *text && !strpbrk(text, "\r\n") && strlen(text) < 1000;
}

static gboolean
log_in_apop(struct pop3 *pop3, const char *user, const char *secret, GError **error)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(sum, (const guchar *)pop3->timestamp, -1);
    g_checksum_update(sum, (const guchar *)secret, -1);
    g_autofree char *head = g_strdup_printf("APOP %s ", user);
    gboolean ok = send_secret(pop3, head, g_checksum_get_string(sum), error);
    g_checksum_free(sum);
    if (!ok)
        return FALSE;
    return pop3->reply.status == POP3_OK || fail_login(pop3, error);
}

static gboolean
log_in_user(struct pop3 *pop3, const char *user, const char *secret, GError **error)
{
    if (!pop3_ask(pop3, "logging in", error, "USER %s", user))
        return FALSE;
    /* Refused as a command, not for its name: a server of old may want APOP. */
    if (pop3->reply.status == POP3_ERR && pop3->reply.code == POP3_CODE_NONE && pop3_has(pop3, POP3_APOP) &&
        !pop3_has(pop3, POP3_CAPA))
        return log_in_apop(pop3, user, secret, error);
    if (pop3->reply.status != POP3_OK)
        return fail_login(pop3, error);
    if (!pop3_check_idle(pop3, error) || !send_secret(pop3, "PASS ", secret, error))
        return FALSE;
    return pop3->reply.status == POP3_OK || fail_login(pop3, error);
}

static gboolean
log_in_with(struct pop3 *pop3, const char *secret, GError **error)
{
    const char *user = stream_get_endpoint(pop3->stream)->user;
    g_autoptr(GError) why = NULL;
    stream_set_activity(pop3->stream, "logging in");
    g_autoptr(struct_sasl) sasl =
        pop3_has(pop3, POP3_SASL)
            ? sasl_new((const char *const *)pop3->mechanisms->pdata, user, secret, TRUE, &why)
            : NULL;
    if (sasl)
        return pop3_check_idle(pop3, error) && log_in_sasl(pop3, sasl, error);
    if (!is_argument(user) || !is_argument(secret)) {
        g_set_error(error, POP3_ERROR, ERROR_AUTH,
                    "%s: the user name or the password is empty, or holds a line end", pop3->name);
        return FALSE;
    }
    if (pop3_has(pop3, POP3_USER))
        return log_in_user(pop3, user, secret, error);
    if (pop3_has(pop3, POP3_APOP))
        return pop3_check_idle(pop3, error) && log_in_apop(pop3, user, secret, error);
    if (why)
        return fail_sasl(pop3, why, error);
    g_set_error(error, POP3_ERROR, ERROR_REFUSED, "%s: the server offers no login that is known here",
                pop3->name);
    return FALSE;
}

gboolean
pop3_log_in(struct pop3 *pop3, GError **error)
{
    const struct endpoint *endpoint = stream_get_endpoint(pop3->stream);
    if (!endpoint->user || !pop3->options.get_secret) {
        g_set_error(error, POP3_ERROR, ERROR_CONFIG,
                    "%s: POP3 needs a user name: write it as pop3s://USER@%s", pop3->name, endpoint->host);
        return FALSE;
    }
    if (!stream_is_confidential(pop3->stream)) {
        g_set_error(error, POP3_ERROR, ERROR_SECURITY,
                    "%s: the connection is not encrypted: no password is sent", pop3->name);
        return FALSE;
    }
    char *secret = pop3->options.get_secret(pop3->options.secret_data, error);
    if (!secret)
        return FALSE;
    gboolean ok = log_in_with(pop3, secret, error);
    secret_free(secret);
    return ok;
}
