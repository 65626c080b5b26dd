/* The beginning and the end of a session. */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

#include "base/log.h"
#include "proto/sasl.h"

#define USER_MAX 1000
#define LOGIN_ROUNDS 10 /* no mechanism of ours takes more than three */
#define LOGOUT_MS 1000

static void
set_guard_limits(struct imap *imap)
{
    struct imap_guard_limits limits = *imap_guard_get_limits(imap->guard);
    if (imap->options.message_max)
        limits.literal = imap->options.message_max;
    imap_guard_set_limits(imap->guard, &limits);
}

static struct imap *
session_new(struct stream *stream, const struct imap_options *options)
{
    struct imap *imap = g_new0(struct imap, 1);
    imap->stream = stream;
    imap->host = g_strdup(stream_get_endpoint(stream)->host);
    imap->options = *options;
    imap->options.limits = NULL;
    imap->guard = imap_guard_new();
    imap->line = g_string_new(NULL);
    imap->frame = g_string_new(NULL);
    imap->bytes = g_malloc(PIECE);
    imap->login_mechanisms = g_ptr_array_new_with_free_func(g_free);
    if (options->limits)
        stream_set_limits(stream, options->limits);
    set_guard_limits(imap);
    stream_set_guard(stream, imap_guard_check, imap->guard);
    return imap;
}

void
imap_free(struct imap *imap)
{
    if (!imap)
        return;
    stream_free(imap->stream);
    imap_guard_free(imap->guard);
    g_free(imap->host);
    g_string_free(imap->line, TRUE);
    g_string_free(imap->frame, TRUE);
    g_free(imap->bytes);
    g_ptr_array_unref(imap->login_mechanisms);
    g_free(imap->greeting);
    g_free(imap->server_name);
    g_clear_pointer(&imap->namespaces, g_ptr_array_unref);
    g_free(imap->selected);
    g_free(imap);
}

/* ---- greeting, encryption, capabilities ---- */

static gboolean
read_greeting(struct imap *imap, GError **error)
{
    struct imap_reply reply;
    stream_set_activity(imap->stream, "waiting for the greeting");
    stream_begin_exchange(imap->stream);
    if (!imap_read_reply(imap, &reply, error))
        return FALSE;
    g_autofree char *words = reply_words(&reply.text);
    if (!reply.tag.bytes && reply.kind == REPLY_BYE)
        return imap_fail_dead(imap, ERROR_RETRY, error, "the server does not want us now: it says \"%s\"",
                              words);
    imap->greeted = TRUE;
    if (reply.tag.bytes || (reply.kind != REPLY_OK && reply.kind != REPLY_PREAUTH))
        return imap_fail_dead(imap, ERROR_RETRY, error, "this is not an IMAP server: check the port");
    if (reply.kind == REPLY_PREAUTH) {
        /* A STARTTLS that is no longer allowed, or a login that someone else did for us (RFC 9051
         * section 7.1.4). */
        gboolean upgrade = stream_get_endpoint(imap->stream)->tls == TLS_STARTTLS;
        if (upgrade || !stream_is_confidential(imap->stream))
            return imap_fail_dead(imap, ERROR_SECURITY, error,
                                  "the server says that we are logged in before the connection is encrypted: "
                                  "someone may be in between; nothing was sent");
        imap->authenticated = TRUE;
    }
    if (reply.code == CODE_CAPABILITY)
        imap_set_capabilities(imap, reply.code_rest);
    imap->greeting = g_steal_pointer(&words);
    imap->quirks |= imap_find_quirks("greeting", imap->greeting);
    return TRUE;
}

static gboolean
ask_capabilities(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    if (!imap_run(imap, &exchange, "asking what the server can do", "CAPABILITY", NULL, error) ||
        !imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "the server does not say what it can do"))
        return FALSE;
    return TRUE;
}

static gboolean
start_tls(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    if (!imap->capable && !ask_capabilities(imap, error))
        return FALSE;
    if (!(imap->offered & IMAP_STARTTLS))
        return imap_fail_dead(
            imap, ERROR_SECURITY, error,
            "the server does not offer STARTTLS: no password was sent; use port 993 (imaps), or "
            "someone may be in between");
    if (!imap_run(imap, &exchange, "starting TLS", "STARTTLS", NULL, error))
        return FALSE;
    if (exchange.result != REPLY_OK)
        return imap_fail_dead(imap, ERROR_SECURITY, error,
                              "the server refused STARTTLS, saying \"%s\": no password was sent",
                              exchange.text);
    if (!stream_start_tls(imap->stream, error))
        return FALSE;
    /* What was said in the clear may have been anyone's. */
    imap->capable = FALSE;
    imap->offered = 0;
    imap->append_limit = 0;
    imap->quirks = 0;
    g_clear_pointer(&imap->greeting, g_free);
    g_ptr_array_set_size(imap->login_mechanisms, 0);
    return TRUE;
}

/* ---- login ---- */

static gboolean
put_private(struct imap *imap, const char *reply, GError **error)
{
    return stream_puts(imap->stream, reply, error) && imap_end(imap, error);
}

/* One AUTHENTICATE from its command to its tagged reply. *initial: in, whether the first response may go with
 * the command; out, whether it did. FALSE only when nothing can follow. */
static gboolean
run_sasl(struct imap *imap, struct sasl *sasl, gboolean *initial, struct exchange *exchange, GError **error)
{
    g_autofree char *command = g_strdup_printf("AUTHENTICATE %s", sasl_get_mechanism(sasl));
    gboolean first = sasl_is_client_first(sasl), go;
    *initial = *initial && first;
    if (!imap_command(imap, exchange, "logging in", command, error))
        return FALSE;
    if (*initial) {
        char *reply = sasl_step(sasl, NULL, error);
        if (!reply)
            return imap_fail_dead(imap, ERROR_GIVEUP, NULL, "the login was broken off");
        gboolean done = imap_put(imap, " ", error) && stream_puts(imap->stream, *reply ? reply : "=", error);
        sasl_reply_free(reply);
        first = FALSE;
        if (!done)
            return FALSE;
    }
    if (!imap_end(imap, error))
        return FALSE;
    for (guint round = 0;; round++) {
        g_autofree char *challenge = NULL;
        g_autoptr(GError) why = NULL;
        if (!imap_wait_continue(imap, exchange, &go, &challenge, error))
            return FALSE;
        if (!go)
            return TRUE;
        if (round >= LOGIN_ROUNDS)
            return imap_fail_dead(imap, ERROR_SECURITY, error, "the login does not come to an end");
        char *reply = sasl_step(sasl, first ? NULL : challenge, &why);
        first = FALSE;
        if (reply) {
            gboolean done = put_private(imap, reply, error);
            sasl_reply_free(reply);
            if (!done)
                return FALSE;
            continue;
        }
        /* The server did not prove itself, or talks nonsense: break off, and never with another mechanism. */
        g_prefix_error(&why, "%s: ", imap->host);
        if (put_private(imap, "*", NULL))
            stream_flush(imap->stream, NULL);
        stream_kill(imap->stream, why);
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
}

static gboolean
login_sasl(struct imap *imap, const char *user, const char *secret, struct exchange *exchange,
           gboolean *tried, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_ptr_array_add(imap->login_mechanisms, NULL);
    const char *const *offered = (const char *const *)imap->login_mechanisms->pdata;
    gboolean confidential = stream_is_confidential(imap->stream);
    g_autoptr(struct_sasl) sasl = sasl_new(offered, user, secret, confidential, &why);
    *tried = sasl != NULL;
    if (!sasl && (imap->offered & IMAP_LOGINDISABLED || !confidential)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", imap->host);
        return FALSE;
    }
    if (!sasl)
        return TRUE;
    gboolean initial = imap_has(imap, IMAP_SASL_IR);
    if (!run_sasl(imap, sasl, &initial, exchange, error))
        return FALSE;
    if (exchange->result == REPLY_BAD && initial) {
        /* Some servers offer SASL-IR and do not know it. A fresh nonce needs a fresh object. */
        sasl_free(sasl);
        sasl = sasl_new(offered, user, secret, confidential, error);
        initial = FALSE;
        if (!sasl || !run_sasl(imap, sasl, &initial, exchange, error))
            return FALSE;
    }
    if (exchange->result == REPLY_OK && !sasl_finish(sasl, &why)) {
        g_prefix_error(&why, "%s: ", imap->host);
        stream_kill(imap->stream, why);
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    return TRUE;
}

/* RFC 9051 section 6.2.3. Only when no mechanism fits. */
static gboolean
login_plain(struct imap *imap, const char *user, const char *secret, struct exchange *exchange,
            GError **error)
{
    return imap_command(imap, exchange, "logging in", "LOGIN ", error) &&
           imap_put_string(imap, exchange, user, error) && imap_put(imap, " ", error) &&
           imap_put_string(imap, exchange, secret, error) && imap_end(imap, error) &&
           imap_wait(imap, exchange, 1, NULL, error);
}

static gboolean
login_with(struct imap *imap, const char *user, const char *secret, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    gboolean tried;
    if (*secret == '\0')
        return imap_fail(imap, ERROR_AUTH, error, "the password for %s is empty", user);
    if (strpbrk(secret, "\r\n"))
        return imap_fail(imap, ERROR_INPUT, error, "the password for %s holds a line break", user);
    stream_set_private(imap->stream, TRUE);
    gboolean done = login_sasl(imap, user, secret, &exchange, &tried, error) &&
                    (tried || login_plain(imap, user, secret, &exchange, error));
    stream_set_private(imap->stream, FALSE);
    return done && imap_check_ok(imap, &exchange, ERROR_AUTH, error, "cannot log in as %s", user);
}

static gboolean
login(struct imap *imap, GError **error)
{
    const char *user = stream_get_endpoint(imap->stream)->user;
    if (!user || !imap->options.get_secret)
        return imap_fail(imap, ERROR_CONFIG, error,
                         "the server wants a login, and no user name is configured");
    if (!imap_check_text(imap, user, USER_MAX, "the user name", error))
        return FALSE;
    char *secret = imap->options.get_secret(imap->options.secret_data, error);
    if (!secret)
        return FALSE;
    imap->capable = FALSE; /* a login may change what is offered; a good server says so at once */
    gboolean done = login_with(imap, user, secret, error);
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
    if (!done)
        return FALSE;
    imap->authenticated = TRUE;
    return TRUE;
}

/* ---- after the login ---- */

static void
take_enabled(const char *word, gpointer data)
{
    struct imap *imap = data;
    if (!g_ascii_strcasecmp(word, "QRESYNC"))
        imap->enabled |= IMAP_QRESYNC | IMAP_CONDSTORE;
    else if (!g_ascii_strcasecmp(word, "CONDSTORE"))
        imap->enabled |= IMAP_CONDSTORE;
}

static gboolean
take_introduction(struct imap *imap, const struct imap_reply *reply,
                  struct collector *collector G_GNUC_UNUSED)
{
    if (reply->kind == REPLY_ENABLED)
        reply_parse_words(reply->rest, take_enabled, imap);
    else if (reply->kind == REPLY_ID && !imap->server_name)
        imap->server_name = imap_etpan_id(&reply->rest);
    else
        return FALSE;
    return TRUE;
}

/* ID and ENABLE in one flight. That a server refuses either is no failure. */
static gboolean
introduce(struct imap *imap, GError **error)
{
    struct exchange exchanges[2] = {0};
    struct collector collector = {.take = take_introduction};
    guint count = 0;
    gboolean done = TRUE;
    if (imap->offered & IMAP_ID || imap->quirks & IMAP_QUIRK_ID_FIRST)
        done = imap_command(imap, &exchanges[count++], "introducing ourselves", "ID (\"name\" \"postrider\")",
                            error) &&
               imap_end(imap, error);
    if (done && imap->offered & IMAP_ENABLE && imap->offered & IMAP_CONDSTORE) {
        const char *what = imap->offered & IMAP_QRESYNC ? "ENABLE CONDSTORE QRESYNC" : "ENABLE CONDSTORE";
        done = imap_command(imap, &exchanges[count++], "switching extensions on", what, error) &&
               imap_end(imap, error);
    }
    done = done && (count == 0 || imap_wait(imap, exchanges, count, &collector, error));
    for (guint i = 0; i < count; i++)
        exchange_clear(&exchanges[i]);
    return done;
}

static gboolean
compress(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    if (!imap->options.compress || !imap_has(imap, IMAP_COMPRESS))
        return TRUE;
    if (!imap_run(imap, &exchange, "starting compression", "COMPRESS DEFLATE", NULL, error))
        return FALSE;
    return exchange.result != REPLY_OK || stream_start_deflate(imap->stream, error);
}

static gboolean
begin(struct imap *imap, GError **error)
{
    stream_set_activity(imap->stream, "connecting");
    if (!stream_connect(imap->stream, error) || !read_greeting(imap, error))
        return FALSE;
    if (stream_get_endpoint(imap->stream)->tls == TLS_STARTTLS && !start_tls(imap, error))
        return FALSE;
    if (!imap->capable && !ask_capabilities(imap, error))
        return FALSE;
    if (!imap->is_imap)
        return imap_fail(imap, ERROR_REFUSED, error, "the server speaks neither IMAP4rev1 nor IMAP4rev2");
    if (!imap->authenticated && !login(imap, error))
        return FALSE;
    imap_guard_allow_literals(imap->guard, TRUE);
    if (!imap->capable && !ask_capabilities(imap, error))
        return FALSE;
    if (!introduce(imap, error) || !compress(imap, error))
        return FALSE;
    stream_succeeded(imap->stream);
    log_info("imap", "logged in at %s (%s)", imap->host, imap->server_name ? imap->server_name : "unnamed");
    return TRUE;
}

struct imap *
imap_open_stream(struct stream *stream, const struct imap_options *options, GError **error)
{
    struct imap *imap = session_new(stream, options);
    if (begin(imap, error))
        return imap;
    imap_free(imap);
    return NULL;
}

struct imap *
imap_open(const struct endpoint *endpoint, const struct imap_options *options, struct cancel *cancel,
          GError **error)
{
    return imap_open_stream(stream_new(endpoint, cancel), options, error);
}

void
imap_logout(struct imap *imap)
{
    g_auto(struct_exchange) exchange = {0};
    if (stream_is_dead(imap->stream))
        return;
    imap->leaving = TRUE;
    stream_set_command_limit(imap->stream, LOGOUT_MS);
    if (*imap->idle_tag)
        imap_idle_done(imap, NULL);
    imap_run(imap, &exchange, "logging out", "LOGOUT", NULL, NULL);
    stream_close(imap->stream);
}

/* ---- what is known ---- */

gboolean
imap_is_dead(const struct imap *imap)
{
    return stream_is_dead(imap->stream);
}

guint64
imap_get_extensions(const struct imap *imap)
{
    return imap->offered;
}

gboolean
imap_has_quirk(const struct imap *imap, guint quirks)
{
    return (imap->quirks & quirks) == quirks;
}

guint64
imap_get_append_limit(const struct imap *imap)
{
    return imap->append_limit;
}

const char *
imap_get_server_name(const struct imap *imap)
{
    return imap->server_name;
}

struct stream *
imap_get_stream(struct imap *imap)
{
    return imap->stream;
}

guint64
imap_get_roundtrips(const struct imap *imap)
{
    return imap->roundtrips;
}
