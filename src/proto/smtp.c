#include "config.h"

#include "proto/smtp_private.h"

#include "base/text.h"
#include "net/digest.h"
#include "proto/sasl.h"

#include <string.h>

/* An address literal that says nothing about this machine, and that no server takes for a name to look up. */
#define EHLO_NAME "[127.0.0.1]"
#define DOT_LIMIT_MS (10 * 60 * 1000)
#define QUIT_LIMIT_MS 2000
#define INITIAL_RESPONSE_MAX                                                                                 \
    450 /* old servers cut commands at 512 bytes; longer ones are sent when asked for */

G_DEFINE_QUARK(postrider - smtp - error, smtp_error)

const char *
smtp_stage_name(enum smtp_stage stage)
{
    static const char *const names[] = {
        [SMTP_STAGE_CONNECT] = "connect",   [SMTP_STAGE_GREETING] = "greeting", [SMTP_STAGE_EHLO] = "ehlo",
        [SMTP_STAGE_STARTTLS] = "starttls", [SMTP_STAGE_AUTH] = "auth",         [SMTP_STAGE_READY] = "ready",
        [SMTP_STAGE_CHECK] = "check",       [SMTP_STAGE_MAIL] = "mail",         [SMTP_STAGE_RCPT] = "rcpt",
        [SMTP_STAGE_DATA] = "data",         [SMTP_STAGE_MESSAGE] = "message",   [SMTP_STAGE_QUIT] = "quit",
    };
    return names[stage];
}

/* ---- life ---- */

static void
forget_capabilities(struct smtp_session *session)
{
    g_ptr_array_set_size(session->auth, 0);
    g_ptr_array_add(session->auth, NULL);
    session->capabilities = (struct smtp_capabilities){.auth = (const char **)session->auth->pdata};
}

static struct smtp_session *
session_new(struct stream *stream)
{
    struct smtp_session *session = g_new0(struct smtp_session, 1);
    session->stream = stream;
    session->name = endpoint_to_string(stream_get_endpoint(stream));
    session->ehlo_name = g_strdup(EHLO_NAME);
    session->auth = g_ptr_array_new_with_free_func(g_free);
    session->dot_limit_ms = DOT_LIMIT_MS;
    forget_capabilities(session);
    return session;
}

struct smtp_session *
smtp_session_new(const struct endpoint *endpoint, struct cancel *cancel)
{
    return session_new(stream_new(endpoint, cancel));
}

struct smtp_session *
smtp_session_new_for_fd(const struct endpoint *endpoint, int fd, struct cancel *cancel)
{
    return session_new(stream_new_for_fd(endpoint, fd, cancel));
}

void
smtp_session_free(struct smtp_session *session)
{
    if (!session)
        return;
    stream_free(session->stream);
    smtp_reply_clear(&session->reply);
    g_ptr_array_unref(session->auth);
    g_free(session->ehlo_name);
    g_free(session->name);
    g_free(session);
}

void
smtp_session_close(struct smtp_session *session)
{
    if (session->ready && !stream_is_dead(session->stream)) {
        session->stage = SMTP_STAGE_QUIT;
        stream_set_command_limit(session->stream, QUIT_LIMIT_MS);
        /* What the server says to that changes nothing. */
        smtp_ask(session, "saying goodbye", NULL, "QUIT");
    }
    session->ready = FALSE;
    stream_close(session->stream);
}

/* ---- commands ---- */

static gboolean put_v(struct smtp_session *session, GError **error, const char *format, va_list args)
    G_GNUC_PRINTF(3, 0);

static gboolean
put_v(struct smtp_session *session, GError **error, const char *format, va_list args)
{
    g_autofree char *line = g_strdup_vprintf(format, args);
    /* Every part was checked before; this is the last line of defence. */
    g_return_val_if_fail(!strpbrk(line, "\r\n"), FALSE);
    return stream_puts(session->stream, line, error) && stream_puts(session->stream, "\r\n", error);
}

gboolean
smtp_put(struct smtp_session *session, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    gboolean ok = put_v(session, error, format, args);
    va_end(args);
    return ok;
}

static gboolean fail_reply(struct smtp_session *session, GError **error, enum error_code code,
                           const char *format, ...) G_GNUC_PRINTF(4, 5);

/* "smtp.example.org:465: the server …: 454 4.7.0 …: try again later" */
static gboolean
fail_reply(struct smtp_session *session, GError **error, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *words = smtp_reply_to_string(&session->reply);
    g_set_error(error, SMTP_ERROR, code, "%s: %s (%s)%s", session->name, what, words,
                code == ERROR_RETRY ? ": try again later" : "");
    return FALSE;
}

gboolean
smtp_check_idle(struct smtp_session *session, GError **error)
{
    if (stream_get_pending(session->stream) == 0)
        return TRUE;
    if (!smtp_read_reply(session, error))
        return FALSE;
    if (session->reply.code == 421)
        return fail_reply(session, error, ERROR_RETRY, "the server is closing the connection");
    return smtp_fail_protocol(session, error, "reply %d to nothing", session->reply.code);
}

gboolean
smtp_ask(struct smtp_session *session, const char *activity, GError **error, const char *format, ...)
{
    va_list args;
    stream_set_activity(session->stream, activity);
    if (!smtp_check_idle(session, error))
        return FALSE;
    va_start(args, format);
    gboolean ok = put_v(session, error, format, args);
    va_end(args);
    return ok && stream_flush(session->stream, error) && smtp_read_reply(session, error);
}

/* ---- greeting and EHLO ---- */

static gboolean
read_greeting(struct smtp_session *session, GError **error)
{
    session->stage = SMTP_STAGE_GREETING;
    stream_set_activity(session->stream, "waiting for the greeting");
    if (!smtp_read_reply(session, error))
        return FALSE;
    if (session->reply.code == 220)
        return TRUE;
    if (session->reply.code >= 400)
        return fail_reply(session, error, session->reply.code < 500 ? ERROR_RETRY : ERROR_REFUSED,
                          "the server takes no mail from here");
    return smtp_fail_protocol(session, error, "greeting %d", session->reply.code);
}

static void
note_capability(struct smtp_session *session, const char *line)
{
    struct smtp_capabilities *can = &session->capabilities;
    g_auto(GStrv) words = g_strsplit_set(line, " \t=", 64); /* "AUTH=LOGIN" is an old spelling */
    const struct {
        const char *name;
        gboolean *flag;
    } flags[] = {
        {"STARTTLS", &can->starttls},
        {"PIPELINING", &can->pipelining},
        {"8BITMIME", &can->eightbitmime},
        {"SMTPUTF8", &can->smtputf8},
        {"DSN", &can->dsn},
        {"CHUNKING", &can->chunking},
        {"ENHANCEDSTATUSCODES", &can->enhanced_codes},
        {"SIZE", &can->has_size},
    };
    if (!words[0])
        return;
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
        if (g_ascii_strcasecmp(words[0], flags[i].name) == 0)
            *flags[i].flag = TRUE;
    if (g_ascii_strcasecmp(words[0], "SIZE") == 0 && words[1])
        g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT64, &can->size, NULL);
    if (g_ascii_strcasecmp(words[0], "AUTH") == 0)
        for (guint i = 1; words[i] && session->auth->len < 64; i++)
            if (*words[i] && !g_ptr_array_find_with_equal_func(session->auth, words[i], g_str_equal, NULL))
                g_ptr_array_add(session->auth, g_ascii_strup(words[i], -1));
}

static gboolean
say_hello(struct smtp_session *session, GError **error)
{
    session->stage = SMTP_STAGE_EHLO;
    if (!smtp_ask(session, "greeting the server (EHLO)", error, "EHLO %s", session->ehlo_name))
        return FALSE;
    if (session->reply.code >= 400)
        return fail_reply(session, error, session->reply.code < 500 ? ERROR_RETRY : ERROR_REFUSED,
                          "the server refused EHLO: a submission server must know it");
    if (session->reply.code != 250)
        return smtp_fail_protocol(session, error, "reply %d to EHLO", session->reply.code);
    /* What was said before TLS counts for nothing (RFC 3207 section 4.2). */
    g_ptr_array_set_size(session->auth, 0);
    session->capabilities = (struct smtp_capabilities){0};
    g_auto(GStrv) lines = g_strsplit(session->reply.text, "\n", -1);
    for (guint i = 1; lines[0] && lines[i]; i++)
        note_capability(session, lines[i]);
    g_ptr_array_add(session->auth, NULL);
    session->capabilities.auth = (const char **)session->auth->pdata;
    return TRUE;
}

static gboolean
upgrade(struct smtp_session *session, GError **error)
{
    session->stage = SMTP_STAGE_STARTTLS;
    if (!session->capabilities.starttls) {
        g_set_error(error, SMTP_ERROR, ERROR_SECURITY,
                    "%s: the server does not offer STARTTLS, or somebody has removed the offer: nothing was "
                    "sent; use "
                    "smtps:// if the server has it",
                    session->name);
        return FALSE;
    }
    if (!smtp_ask(session, "asking for TLS (STARTTLS)", error, "STARTTLS"))
        return FALSE;
    if (session->reply.code != 220)
        return fail_reply(session, error, session->reply.code / 100 == 4 ? ERROR_RETRY : ERROR_SECURITY,
                          "the server refused STARTTLS, so nothing was sent");
    forget_capabilities(session);
    return stream_start_tls(session->stream, error) && say_hello(session, error);
}

/* ---- login ---- */

static gboolean
fail_login(struct smtp_session *session, GError **error)
{
    const char *user = stream_get_endpoint(session->stream)->user;
    g_autofree char *safe = text_safe(user, -1, TEXT_LINE);
    switch (session->reply.code) {
    case 500: /* unknown command, argument or mechanism */
    case 501:
    case 502:
    case 503:
    case 504:
        return fail_reply(session, error, ERROR_REFUSED, "the server does not take a login like this");
    case 538:
        return fail_reply(session, error, ERROR_SECURITY, "the server wants TLS before a login");
    default:
        if (session->reply.code / 100 == 5)
            return fail_reply(
                session, error, ERROR_AUTH,
                "the server refused the password for %s: check it, or whether the provider wants an "
                "app password",
                safe);
        if (session->reply.code / 100 == 4)
            return fail_reply(session, error, ERROR_RETRY, "the server cannot check the password of %s now",
                              safe);
        return smtp_fail_protocol(session, error, "reply %d to AUTH", session->reply.code);
    }
}

/* The command or an answer; answer is secret. */
static gboolean
send_answer(struct smtp_session *session, const char *command, const char *answer, GError **error)
{
    struct stream *stream = session->stream;
    if (command && !stream_puts(stream, command, error))
        return FALSE;
    if (answer && *answer) {
        stream_set_private(stream, TRUE);
        gboolean ok = stream_puts(stream, answer, error);
        stream_set_private(stream, FALSE);
        if (!ok)
            return FALSE;
    }
    return stream_puts(stream, "\r\n", error) && stream_flush(stream, error) &&
           smtp_read_reply(session, error);
}

static gboolean
begin_login(struct smtp_session *session, struct sasl *sasl, GError **error)
{
    g_autofree char *command = g_strdup_printf("AUTH %s", sasl_get_mechanism(sasl));
    if (!sasl_is_client_first(sasl))
        return send_answer(session, command, NULL, error);
    char *initial = sasl_step(sasl, NULL, error);
    if (!initial)
        return FALSE;
    gboolean with_command = strlen(initial) <= INITIAL_RESPONSE_MAX;
    g_autofree char *head = g_strconcat(command, " ", *initial ? "" : "=", NULL);
    gboolean ok = send_answer(session, with_command ? head : command, with_command ? initial : NULL, error);
    if (ok && !with_command && session->reply.code == 334)
        ok = send_answer(session, NULL, initial, error);
    sasl_reply_free(initial);
    return ok;
}

/* Gives up in the middle, as RFC 4954 section 4 has it. */
static void
abort_login(struct smtp_session *session)
{
    send_answer(session, "*", NULL, NULL);
}

static gboolean
log_in(struct smtp_session *session, const char *secret, GError **error)
{
    const char *user = stream_get_endpoint(session->stream)->user;
    session->stage = SMTP_STAGE_AUTH;
    stream_set_activity(session->stream, "logging in");
    g_autoptr(GError) why = NULL;
    g_autoptr(struct_sasl) sasl =
        sasl_new(session->capabilities.auth, user, secret, stream_is_confidential(session->stream), &why);
    if (!sasl) {
        g_set_error(error, SMTP_ERROR, why->code, "%s: %s", session->name, why->message);
        return FALSE;
    }
    if (!smtp_check_idle(session, error) || !begin_login(session, sasl, error))
        return FALSE;
    while (session->reply.code == 334) {
        char *answer = sasl_step(sasl, session->reply.text, &why);
        if (!answer) {
            abort_login(session);
            g_set_error(error, SMTP_ERROR, why->code, "%s: %s", session->name, why->message);
            return FALSE;
        }
        gboolean ok = send_answer(session, NULL, answer, error);
        sasl_reply_free(answer);
        if (!ok)
            return FALSE;
    }
    if (session->reply.code != 235)
        return fail_login(session, error);
    if (!sasl_finish(sasl, &why)) {
        g_set_error(error, SMTP_ERROR, why->code, "%s: %s", session->name, why->message);
        return FALSE;
    }
    return TRUE;
}

gboolean
smtp_session_open(struct smtp_session *session, const char *secret, GError **error)
{
    const struct endpoint *endpoint = stream_get_endpoint(session->stream);
    session->stage = SMTP_STAGE_CONNECT;
    gboolean ok = stream_connect(session->stream, error) && read_greeting(session, error) &&
                  say_hello(session, error) && (endpoint->tls != TLS_STARTTLS || upgrade(session, error)) &&
                  (!endpoint->user || log_in(session, secret, error));
    if (!ok)
        return FALSE;
    session->stage = SMTP_STAGE_READY;
    session->ready = TRUE;
    stream_succeeded(session->stream);
    return TRUE;
}

/* ---- members ---- */

void
smtp_session_set_tap(struct smtp_session *session, stream_tap tap, gpointer data)
{
    stream_set_tap(session->stream, tap, data);
}

gboolean
smtp_session_set_ehlo_name(struct smtp_session *session, const char *name, GError **error)
{
    gsize length = strlen(name);
    gboolean literal = length > 2 && name[0] == '[' && name[length - 1] == ']';
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(name[i]) && !strchr(literal ? "[]:." : "-.", name[i]))
            length = 0;
    if (length == 0 || length > 255) {
        g_autofree char *safe = text_safe(name, (gssize)MIN(strlen(name), 100), TEXT_LINE);
        g_set_error(error, SMTP_ERROR, ERROR_CONFIG,
                    "\"%s\" cannot be the name in EHLO: use a host name or an address in brackets", safe);
        return FALSE;
    }
    g_free(session->ehlo_name);
    session->ehlo_name = g_strdup(name);
    return TRUE;
}

void
smtp_session_set_limits(struct smtp_session *session, const struct stream_limits *limits)
{
    stream_set_limits(session->stream, limits);
}

void
smtp_session_set_dot_limit(struct smtp_session *session, guint milliseconds)
{
    session->dot_limit_ms = milliseconds;
}

gboolean
smtp_session_is_usable(const struct smtp_session *session)
{
    return session->ready && !stream_is_dead(session->stream);
}

enum smtp_stage
smtp_session_get_stage(const struct smtp_session *session)
{
    return session->stage;
}

const struct smtp_reply *
smtp_session_get_reply(const struct smtp_session *session)
{
    return &session->reply;
}

const struct smtp_capabilities *
smtp_session_get_capabilities(const struct smtp_session *session)
{
    return &session->capabilities;
}

const struct stream *
smtp_session_get_stream(const struct smtp_session *session)
{
    return session->stream;
}
