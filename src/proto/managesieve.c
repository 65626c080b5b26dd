#include "config.h"

#include "proto/managesieve.h"

#include "base/text.h"
#include "proto/sasl.h"

#include <string.h>

#define LINE_MAX_BYTES 8192
#define WORDS_MAX 8        /* on a line */
#define REPLY_LINES_MAX 200

struct managesieve {
    struct stream *stream;
    char *name;             /* host:port, for errors */
    GString *line;
    GPtrArray *words;       /* of the line that was read: strings as they are, atoms in upper case */
    gboolean quoted;        /* its first word was a string */
    GStrv mechanisms;
    gboolean offers_tls;
};

G_DEFINE_QUARK(managesieve, managesieve_error)

static gboolean fail(struct managesieve *session, int code, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);

static gboolean
fail(struct managesieve *session, int code, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_safe(what, -1, TEXT_LINE);
    g_set_error(error, MANAGESIEVE_ERROR, code, "%s: %s", session->name, safe);
    return FALSE;
}

/* ---- replies ---- */

/* A literal "{n}" or "{n+}" at the end of the line: its bytes, and the rest of the line behind them. */
static gboolean
take_literal(struct managesieve *session, const char *at, GError **error)
{
    guint64 size = 0;
    char *end;
    size = g_ascii_strtoull(at + 1, &end, 10);
    if (*end == '+')
        end++;
    if (strcmp(end, "}") || size > MANAGESIEVE_SCRIPT_MAX)
        return fail(session, ERROR_SECURITY, error, "the server sends a string of a size that is not taken");
    g_autofree char *bytes = g_malloc0(size + 1);
    if (!stream_read_exactly(session->stream, bytes, size, error) ||
        !stream_read_line(session->stream, LINE_MAX_BYTES, session->line, error))
        return FALSE;
    g_ptr_array_add(session->words, g_utf8_make_valid(bytes, (gssize) size));
    return TRUE;
}

static const char *
take_quoted(struct managesieve *session, const char *at)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        g_string_append_c(out, *at);
    }
    g_ptr_array_add(session->words, g_utf8_make_valid(out->str, (gssize) out->len));
    return *at ? at + 1 : at;
}

/* "(" and ")" are parts of response codes: read as blanks, so that OK (WARNINGS) "x" is three words. */
static gboolean
read_words(struct managesieve *session, GError **error)
{
    g_ptr_array_set_size(session->words, 0);
    if (!stream_read_line(session->stream, LINE_MAX_BYTES, session->line, error))
        return FALSE;
    if (strlen(session->line->str) != session->line->len)
        return fail(session, ERROR_SECURITY, error, "the server sends a line with a NUL in it");
    session->quoted = *session->line->str == '"' || *session->line->str == '{';
    for (const char *at = session->line->str; *at && session->words->len < WORDS_MAX;) {
        if (*at == ' ' || *at == '(' || *at == ')') {
            at++;
        } else if (*at == '"') {
            at = take_quoted(session, at);
        } else if (*at == '{') {
            if (!take_literal(session, at, error))
                return FALSE;
            at = session->line->str;
        } else {
            gsize length = strcspn(at, " ()\"");
            g_ptr_array_add(session->words, g_ascii_strup(at, (gssize) length));
            at += length;
        }
    }
    return TRUE;
}

static const char *
word(const struct managesieve *session, guint n)
{
    return n < session->words->len ? session->words->pdata[n] : "";
}

/* OK, NO or BYE? */
static gboolean
is_end(const struct managesieve *session)
{
    return !session->quoted && (!strcmp(word(session, 0), "OK") || !strcmp(word(session, 0), "NO") || !strcmp(word(session, 0), "BYE"));
}

static const char *
last_word(const struct managesieve *session)
{
    return session->words->len > 1 ? word(session, session->words->len - 1) : "";
}

/* Lines until the end of the reply; each of them goes to `take`, which may be NULL. */
static gboolean
read_reply(struct managesieve *session, const char *what, int code, void (*take)(struct managesieve *, gpointer), gpointer data,
           GError **error)
{
    for (guint n = 0; n < REPLY_LINES_MAX; n++) {
        if (!read_words(session, error))
            return FALSE;
        if (is_end(session)) {
            if (!strcmp(word(session, 0), "OK"))
                return TRUE;
            if (!strcmp(word(session, 0), "BYE"))
                return fail(session, ERROR_RETRY, error, "the server says goodbye: %s", last_word(session));
            return fail(session, code, error, "%s: %s", what, last_word(session));
        }
        if (!session->quoted)
            return fail(session, ERROR_SECURITY, error, "this is no server for scripts (ManageSieve)");
        if (take)
            take(session, data);
    }
    return fail(session, ERROR_SECURITY, error, "the reply does not end");
}

/* ---- the beginning ---- */

static void
take_capability(struct managesieve *session, gpointer data G_GNUC_UNUSED)
{
    const char *name = word(session, 0), *value = word(session, 1);
    if (!g_ascii_strcasecmp(name, "SASL")) {
        g_strfreev(session->mechanisms);
        session->mechanisms = g_strsplit(value, " ", -1);
    } else if (!g_ascii_strcasecmp(name, "STARTTLS")) {
        session->offers_tls = TRUE;
    }
}

static gboolean
read_capabilities(struct managesieve *session, GError **error)
{
    g_clear_pointer(&session->mechanisms, g_strfreev);
    session->offers_tls = FALSE;
    stream_set_activity(session->stream, "waiting for the greeting");
    return read_reply(session, "the server does not want us", ERROR_RETRY, take_capability, NULL, error);
}

static gboolean
send_line(struct managesieve *session, const char *text, GError **error)
{
    return stream_puts(session->stream, text, error) && stream_puts(session->stream, "\r\n", error) &&
           stream_flush(session->stream, error);
}

static gboolean
upgrade(struct managesieve *session, GError **error)
{
    if (stream_get_endpoint(session->stream)->tls != TLS_STARTTLS)
        return TRUE;
    if (!session->offers_tls)
        return fail(session, ERROR_SECURITY, error, "the server offers no STARTTLS: nothing is sent to it");
    return send_line(session, "STARTTLS", error) && read_reply(session, "STARTTLS is refused", ERROR_SECURITY, NULL, NULL, error) &&
           stream_start_tls(session->stream, error) && read_capabilities(session, error);
}

/* ---- login (RFC 5804 section 2.1) ---- */

/* `secret` as a string of its own. */
static gboolean
send_secret(struct managesieve *session, const char *head, const char *secret, GError **error)
{
    if (!stream_puts(session->stream, head, error))
        return FALSE;
    stream_set_private(session->stream, TRUE);
    gboolean ok = stream_puts(session->stream, "\"", error) && stream_puts(session->stream, secret, error) &&
                  stream_puts(session->stream, "\"", error);
    stream_set_private(session->stream, FALSE);
    return ok && send_line(session, "", error);
}

/* One step; *done when the server's word was the last. */
static gboolean
answer_challenge(struct managesieve *session, struct sasl *sasl, gboolean *done, GError **error)
{
    if (!read_words(session, error))
        return FALSE;
    *done = is_end(session);
    if (*done && strcmp(word(session, 0), "OK")) {
        g_autofree char *user = text_safe(stream_get_endpoint(session->stream)->user, -1, TEXT_LINE);
        return fail(session, ERROR_AUTH, error, "the server refused the password for %s: %s", user, last_word(session));
    }
    /* OK (SASL "…") carries the server's proof. */
    const char *challenge = *done ? (!strcmp(word(session, 1), "SASL") ? word(session, 2) : NULL) : word(session, 0);
    g_autoptr(GError) why = NULL;
    if (*done && !challenge)
        return TRUE;
    char *answer = sasl_step(sasl, challenge, &why);
    gboolean ok = answer && (*done || send_secret(session, "", answer, error));
    sasl_reply_free(answer);
    return ok || !why || fail(session, why->code, error, "%s", why->message);
}

static gboolean
log_in_with(struct managesieve *session, const char *secret, GError **error)
{
    g_autoptr(GError) why = NULL;
    const char *const none[] = {NULL};
    g_autoptr(struct_sasl) sasl = sasl_new(session->mechanisms ? (const char *const *) session->mechanisms : none,
                                           stream_get_endpoint(session->stream)->user, secret,
                                           stream_is_confidential(session->stream), &why);
    if (!sasl)
        return fail(session, why->code, error, "%s", why->message);
    g_autofree char *head = g_strdup_printf("AUTHENTICATE \"%s\"", sasl_get_mechanism(sasl));
    stream_set_activity(session->stream, "logging in");
    char *initial = sasl_is_client_first(sasl) ? sasl_step(sasl, NULL, &why) : NULL;
    if (why)
        return fail(session, why->code, error, "%s", why->message);
    g_autofree char *with = g_strconcat(head, " ", NULL);
    gboolean ok = initial ? send_secret(session, with, initial, error) : send_line(session, head, error), done = FALSE;
    sasl_reply_free(initial);
    while (ok && !done)
        ok = answer_challenge(session, sasl, &done, error);
    if (ok && !sasl_finish(sasl, &why))
        return fail(session, why->code, error, "%s", why->message);
    return ok;
}

static gboolean
log_in(struct managesieve *session, managesieve_secret get_secret, gpointer data, GError **error)
{
    char *secret = get_secret(data, error);
    gboolean ok = secret && log_in_with(session, secret, error);
    if (secret) {
        explicit_bzero(secret, strlen(secret));
        g_free(secret);
    }
    return ok;
}

struct managesieve *
managesieve_open_stream(struct stream *stream, managesieve_secret get_secret, gpointer data, GError **error)
{
    g_autoptr(struct_managesieve) session = g_new0(struct managesieve, 1);
    session->stream = stream;
    session->name = endpoint_to_string(stream_get_endpoint(stream));
    session->line = g_string_new(NULL);
    session->words = g_ptr_array_new_with_free_func(g_free);
    if (!stream_connect(session->stream, error) || !read_capabilities(session, error) || !upgrade(session, error) ||
        !log_in(session, get_secret, data, error))
        return NULL;
    stream_succeeded(session->stream);
    return g_steal_pointer(&session);
}

struct managesieve *
managesieve_open(const struct endpoint *endpoint, managesieve_secret get_secret, gpointer data, struct cancel *cancel,
                 GError **error)
{
    return managesieve_open_stream(stream_new(endpoint, cancel), get_secret, data, error);
}

void
managesieve_free(struct managesieve *session)
{
    if (!session)
        return;
    if (!stream_is_dead(session->stream))
        send_line(session, "LOGOUT", NULL);
    stream_free(session->stream);
    g_free(session->name);
    g_string_free(session->line, TRUE);
    g_ptr_array_unref(session->words);
    g_strfreev(session->mechanisms);
    g_free(session);
}

/* ---- scripts ---- */

/* A name of ours, or one that the server told. */
static char *
quote(const char *text)
{
    GString *out = g_string_new("\"");
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        if (*p != '\r' && *p != '\n')
            g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

struct listing {
    GPtrArray *names;
    char *active;
};

static void
take_script(struct managesieve *session, gpointer data)
{
    struct listing *listing = data;
    if (!session->quoted || listing->names->len >= MANAGESIEVE_SCRIPTS_MAX)
        return;
    g_ptr_array_add(listing->names, g_strdup(word(session, 0)));
    if (!strcmp(word(session, 1), "ACTIVE") && !listing->active)
        listing->active = g_strdup(word(session, 0));
}

GStrv
managesieve_list(struct managesieve *session, char **active, GError **error)
{
    struct listing listing = {.names = g_ptr_array_new()};
    stream_set_activity(session->stream, "listing the scripts");
    gboolean ok = send_line(session, "LISTSCRIPTS", error) &&
                  read_reply(session, "the scripts cannot be listed", ERROR_REFUSED, take_script, &listing, error);
    *active = ok ? g_steal_pointer(&listing.active) : NULL;
    g_free(listing.active);
    g_ptr_array_add(listing.names, NULL);
    GStrv names = (GStrv) g_ptr_array_free(listing.names, FALSE);
    if (!ok)
        g_clear_pointer(&names, g_strfreev);
    return names;
}

static void
take_text(struct managesieve *session, gpointer data)
{
    char **text = data;
    if (session->quoted && !*text)
        *text = g_strdup(word(session, 0));
}

char *
managesieve_get(struct managesieve *session, const char *name, GError **error)
{
    g_autofree char *quoted = quote(name), *line = g_strconcat("GETSCRIPT ", quoted, NULL), *text = NULL;
    stream_set_activity(session->stream, "reading a script");
    if (!send_line(session, line, error) ||
        !read_reply(session, "the script cannot be read", ERROR_REFUSED, take_text, &text, error))
        return NULL;
    return text ? g_steal_pointer(&text) : g_strdup("");
}

gboolean
managesieve_put(struct managesieve *session, const char *name, const char *script, GError **error)
{
    g_autofree char *quoted = quote(name);
    g_autofree char *head = g_strdup_printf("PUTSCRIPT %s {%" G_GSIZE_FORMAT "+}\r\n", quoted, strlen(script));
    stream_set_activity(session->stream, "giving a script");
    return stream_puts(session->stream, head, error) && send_line(session, script, error) &&
           read_reply(session, "the server does not take the script", ERROR_REFUSED, NULL, NULL, error);
}

gboolean
managesieve_activate(struct managesieve *session, const char *name, GError **error)
{
    g_autofree char *quoted = quote(name), *line = g_strconcat("SETACTIVE ", quoted, NULL);
    stream_set_activity(session->stream, "choosing the script");
    return send_line(session, line, error) &&
           read_reply(session, "the script cannot be made the active one", ERROR_REFUSED, NULL, NULL, error);
}
