#include "config.h"

#include "proto/pop3_private.h"

#include <string.h>

G_DEFINE_QUARK(postrider - pop3 - error, pop3_error)

/* ---- life ---- */

static struct pop3 *
session_new(struct stream *stream, const struct pop3_options *options)
{
    struct pop3 *pop3 = g_new0(struct pop3, 1);
    pop3->stream = stream;
    pop3->name = endpoint_to_string(stream_get_endpoint(stream));
    pop3->options = *options;
    pop3->line = g_string_new(NULL);
    pop3->mechanisms = g_ptr_array_new_with_free_func(g_free);
    pop3->entries = g_array_new(FALSE, TRUE, sizeof(struct pop3_entry));
    if (options->limits)
        stream_set_limits(stream, options->limits);
    pop3->options.limits = NULL; /* the caller's */
    if (options->tap)
        stream_set_tap(stream, options->tap, options->tap_data);
    return pop3;
}

void
pop3_free(struct pop3 *pop3)
{
    if (!pop3)
        return;
    stream_free(pop3->stream);
    pop3_reply_clear(&pop3->reply);
    g_string_free(pop3->line, TRUE);
    g_ptr_array_unref(pop3->mechanisms);
    g_array_unref(pop3->entries);
    if (pop3->strings)
        g_string_chunk_free(pop3->strings);
    g_free(pop3->timestamp);
    g_free(pop3->name);
    g_free(pop3);
}

/* ---- greeting ---- */

/* "<1896.697170952@dbc.mtview.ca.us>" (RFC 1939 section 7), and nothing that is none (CVE-2007-1558). */
static char *
find_timestamp(const char *text)
{
    const char *open = strchr(text, '<'), *close = open ? strchr(open, '>') : NULL;
    const char *at = open ? strchr(open, '@') : NULL;
    if (!close || !at || at > close)
        return NULL;
    for (const char *p = open; p <= close; p++)
        if (!g_ascii_isgraph(*p))
            return NULL;
    return g_strndup(open, (gsize)(close - open) + 1);
}

static gboolean
read_greeting(struct pop3 *pop3, GError **error)
{
    stream_set_activity(pop3->stream, "waiting for the greeting");
    if (!pop3_read_reply(pop3, error))
        return FALSE;
    if (pop3->reply.status == POP3_CONTINUE)
        return pop3_fail_protocol(pop3, error, "the greeting is none");
    if (pop3->reply.status != POP3_OK)
        return pop3_fail_reply(pop3, error, ERROR_RETRY, "the server lets nobody in now");
    pop3->timestamp = find_timestamp(pop3->reply.text);
    return TRUE;
}

/* ---- capabilities ---- */

static void
note_capability(struct pop3 *pop3, const char *line)
{
    static const struct {
        const char *name;
        guint bit;
    } names[] = {
        {"TOP", POP3_TOP},   {"UIDL", POP3_UIDL}, {"USER", POP3_USER}, {"PIPELINING", POP3_PIPELINING},
        {"STLS", POP3_STLS}, {"UTF8", POP3_UTF8}, {"SASL", POP3_SASL},
    };
    g_auto(GStrv) words = g_strsplit_set(line, " \t", 64);
    if (!words[0])
        return;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (!g_ascii_strcasecmp(words[0], names[i].name))
            pop3->extensions |= names[i].bit;
    if (!g_ascii_strcasecmp(words[0], "SASL"))
        for (guint i = 1; words[i]; i++)
            if (*words[i])
                g_ptr_array_add(pop3->mechanisms, g_ascii_strup(words[i], -1));
    if (!g_ascii_strcasecmp(words[0], "LOGIN-DELAY") && words[1]) {
        guint64 seconds = 0;
        g_ascii_string_to_unsigned(words[1], 10, 0, 24 * 60 * 60, &seconds, NULL);
        pop3->login_delay = (guint)seconds;
        pop3->differs |= words[2] && !g_ascii_strcasecmp(words[2], "USER");
    }
}

static gboolean
read_capabilities(struct pop3 *pop3, GError **error)
{
    gboolean last = FALSE;
    for (guint n = 0;; n++) {
        if (n == POP3_CAPA_LINES_MAX)
            return pop3_fail_protocol(pop3, error, "the list of capabilities has no end");
        if (!pop3_read_listed(pop3, &last, error))
            return FALSE;
        if (last)
            return TRUE;
        g_autofree char *line = g_utf8_make_valid(pop3->line->str, (gssize)pop3->line->len);
        note_capability(pop3, line);
    }
}

/* What was said before counts for nothing (RFC 2595 section 4). A server without CAPA is one of RFC 1939: it
 * may have the optional commands. */
static gboolean
ask_capabilities(struct pop3 *pop3, GError **error)
{
    pop3->extensions = 0;
    pop3->login_delay = 0;
    pop3->differs = FALSE;
    g_ptr_array_set_size(pop3->mechanisms, 0);
    if (!pop3_ask(pop3, "asking what the server can do (CAPA)", error, "CAPA"))
        return FALSE;
    if (pop3->reply.status == POP3_CONTINUE)
        return pop3_fail_protocol(pop3, error, "\"+\" to CAPA");
    if (pop3->reply.status == POP3_OK) {
        pop3->extensions |= POP3_CAPA;
        if (!read_capabilities(pop3, error))
            return FALSE;
    } else {
        pop3->extensions |= POP3_TOP | POP3_UIDL | POP3_USER;
    }
    if (pop3->timestamp)
        pop3->extensions |= POP3_APOP;
    pop3->extensions &= ~pop3->options.without;
    g_ptr_array_add(pop3->mechanisms, NULL);
    return TRUE;
}

/* ---- STLS ---- */

static gboolean
upgrade(struct pop3 *pop3, GError **error)
{
    if (pop3_has(pop3, POP3_CAPA) && !pop3_has(pop3, POP3_STLS)) {
        g_set_error(
            error, POP3_ERROR, ERROR_SECURITY,
            "%s: the server does not offer STLS, or somebody has removed the offer: nothing was sent; use "
            "pop3s:// if the server has it",
            pop3->name);
        return FALSE;
    }
    if (!pop3_ask(pop3, "asking for TLS (STLS)", error, "STLS"))
        return FALSE;
    if (pop3->reply.status != POP3_OK)
        return pop3_fail_reply(pop3, error, ERROR_SECURITY, "the server refused STLS, so nothing was sent");
    if (pop3->start != pop3->end) {
        g_autoptr(GError) why =
            g_error_new(POP3_ERROR, ERROR_SECURITY,
                        "%s: bytes came before TLS was up: somebody may be in between; nothing "
                        "was sent",
                        pop3->name);
        stream_kill(pop3->stream, why);
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    g_clear_pointer(&pop3->timestamp, g_free); /* said in the clear */
    return stream_start_tls(pop3->stream, error) && ask_capabilities(pop3, error);
}

/* ---- opening ---- */

/* RFC 6856: messages come as they are, instead of made over for old clients. A refusal changes nothing. */
static gboolean
ask_utf8(struct pop3 *pop3, GError **error)
{
    return !pop3_has(pop3, POP3_UTF8) || pop3_ask(pop3, "switching to UTF-8", error, "UTF8");
}

/* The list from before the login holds, but where it says that it does not, or leaves out what we need. */
static gboolean
ask_again(struct pop3 *pop3, GError **error)
{
    return !pop3_has(pop3, POP3_CAPA) || (!pop3->differs && pop3_has(pop3, POP3_TOP | POP3_UIDL)) ||
           ask_capabilities(pop3, error);
}

struct pop3 *
pop3_open_stream(struct stream *stream, const struct pop3_options *options, GError **error)
{
    g_autoptr(struct_pop3) pop3 = session_new(stream, options);
    const struct endpoint *endpoint = stream_get_endpoint(stream);
    gboolean ok = stream_connect(stream, error) && read_greeting(pop3, error) &&
                  ask_capabilities(pop3, error) && (endpoint->tls != TLS_STARTTLS || upgrade(pop3, error)) &&
                  ask_utf8(pop3, error) && pop3_log_in(pop3, error) && ask_again(pop3, error);
    if (!ok)
        return NULL;
    stream_succeeded(stream);
    return g_steal_pointer(&pop3);
}

struct pop3 *
pop3_open(const struct endpoint *endpoint, const struct pop3_options *options, struct cancel *cancel,
          GError **error)
{
    return pop3_open_stream(stream_new(endpoint, cancel), options, error);
}

/* ---- members ---- */

gboolean
pop3_is_dead(const struct pop3 *pop3)
{
    return stream_is_dead(pop3->stream);
}

gboolean
pop3_has(const struct pop3 *pop3, guint extensions)
{
    return (pop3->extensions & extensions) == extensions;
}

guint
pop3_get_login_delay(const struct pop3 *pop3)
{
    return pop3->login_delay;
}

const struct stream *
pop3_get_stream(const struct pop3 *pop3)
{
    return pop3->stream;
}

guint64
pop3_get_roundtrips(const struct pop3 *pop3)
{
    return pop3->roundtrips;
}
