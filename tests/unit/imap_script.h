/* A server that follows a script, for the tests of the IMAP session.
 *
 * A step a line:
 *   < text    the server says it; C escapes are undone, so \\r\\n may stand inside (literals)
 *   > text    the client must say exactly this (a final * stands for any rest)
 *   # n       the client must send n bytes, as a literal
 *   ~ text    the server says it without a line end
 *   & n text  the server says the line n times
 *   @         TLS        ! hang up        $ wait until the client hangs up
 * What the server says in a row goes out in one piece, in single bytes that the client takes one by one, or
 * up to a byte at which it hangs up. */
#ifndef TESTS_IMAP_SCRIPT_H
#define TESTS_IMAP_SCRIPT_H

#include "proto/imap.h"

#include "tls_fixture.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

struct script {
    struct peer peer;
    const char *text;
    SSL_CTX *context;
    gboolean bytewise;
    gssize cut; /* hang up after so many bytes; -1: never */
    gsize said;
    char *complaint; /* the first departure from the script */
    int client_fd;
    GThread *thread;
};

/* TRUE when the client has read all. A local socket counts a byte until its reader has it. */
static inline void
script_wait_until_read(int fd)
{
    int waiting = 0;
    while (ioctl(fd, SIOCOUTQ, &waiting) == 0 && waiting > 0)
        g_thread_yield();
}

static inline gboolean
script_say(struct script *script, const char *bytes, gsize length)
{
    gboolean cut = script->cut >= 0 && script->said + length >= (gsize)script->cut;
    if (cut)
        length = (gsize)script->cut - script->said;
    script->said += length;
    gboolean ok = TRUE;
    if (!script->bytewise)
        ok = length == 0 || peer_write(&script->peer, bytes, length);
    for (gsize i = 0; script->bytewise && ok && i < length; i++) {
        ok = peer_write(&script->peer, bytes + i, 1);
        script_wait_until_read(script->peer.fd);
    }
    return ok && !cut;
}

static inline gboolean
script_hear(struct script *script, const char *expected)
{
    g_autofree char *line = peer_read_line(&script->peer);
    gsize length = strlen(expected);
    gboolean glob = length > 0 && expected[length - 1] == '*';
    gboolean right = line && (glob ? strncmp(line, expected, length - 1) : strcmp(line, expected)) == 0;
    if (!right && !script->complaint)
        script->complaint =
            g_strdup_printf("expected \"%s\", heard \"%s\"", expected, line ? line : "the end");
    return right;
}

static inline gboolean
script_hear_bytes(struct script *script, gsize count)
{
    char c;
    for (; count > 0; count--)
        if (peer_read(&script->peer, &c, 1) != 1) {
            script->complaint = g_strdup("the literal is too short");
            return FALSE;
        }
    return TRUE;
}

static inline gboolean
script_flood(struct script *script, const char *arguments)
{
    char *text;
    guint64 count = g_ascii_strtoull(arguments, &text, 10);
    g_autoptr(GString) block = g_string_new(NULL);
    for (guint64 i = 0; i < 1000; i++)
        g_string_append_printf(block, "%s\r\n", text + 1);
    for (guint64 i = 0; i < count; i += 1000)
        if (!script_say(script, block->str, block->len))
            return FALSE;
    return TRUE;
}

static inline gboolean
script_step(struct script *script, const char *step, GString *pending)
{
    const char *argument = step[0] && step[1] ? step + 2 : "";
    if (*step == '<' || *step == '~') {
        g_autofree char *text = g_strcompress(argument);
        g_string_append(pending, text);
        if (*step == '<')
            g_string_append(pending, "\r\n");
        return TRUE;
    }
    gboolean ok = pending->len == 0 || script_say(script, pending->str, pending->len);
    g_string_truncate(pending, 0);
    switch (ok ? *step : 0) {
    case '>':
        return script_hear(script, argument);
    case '#':
        return script_hear_bytes(script, (gsize)g_ascii_strtoull(argument, NULL, 10));
    case '&':
        return script_flood(script, argument);
    case '@':
        return peer_accept_tls(&script->peer, script->context);
    case '$':
        while (peer_read(&script->peer, &(char){0}, 1) == 1)
            ;
        return FALSE;
    default: /* '!', or the line is down */
        return FALSE;
    }
}

static inline gpointer
script_run(gpointer data)
{
    struct script *script = data;
    g_autoptr(GString) pending = g_string_new(NULL);
    g_auto(GStrv) steps = g_strsplit(script->text, "\n", -1);
    gboolean ok = TRUE;
    for (guint i = 0; ok && steps[i]; i++)
        if (*steps[i])
            ok = script_step(script, steps[i], pending);
    if (ok && pending->len)
        script_say(script, pending->str, pending->len);
    peer_close(&script->peer);
    return NULL;
}

static inline struct script *
script_start(const char *text, gboolean bytewise, gssize cut, SSL_CTX *context)
{
    struct script *script = g_new0(struct script, 1);
    script->text = text;
    script->bytewise = bytewise;
    script->cut = cut;
    script->context = context;
    fixture_socketpair(&script->client_fd, &script->peer.fd);
    script->thread = g_thread_new("server", script_run, script);
    return script;
}

/* The client must be gone. With check, that it kept to the script. Returns the bytes that were said. */
static inline gsize
script_end(struct script *script, gboolean check)
{
    g_thread_join(script->thread);
    if (check && script->complaint)
        g_error("%s", script->complaint);
    gsize said = script->said;
    g_free(script->complaint);
    g_free(script);
    return said;
}

/* ---- the client's side ---- */

struct client {
    GString *heard; /* events, a word each */
    const char *secret;
    guint64 without;
    enum tls_mode tls;
    const char *ca;
    gboolean compress;
    guint command_ms;
    guint64 message_max;
};

static inline void
client_event(const struct imap_event *event, gpointer data)
{
    GString *heard = data;
    static const char *const names[] = {"exists", "expunged", "vanished", "message",    "status",
                                        "folder", "alert",    "bye",      "uidvalidity", "overflow"};
    g_string_append_printf(heard, "%s%s", heard->len ? " " : "", names[event->kind]);
    if (event->kind == IMAP_EVENT_EXISTS)
        g_string_append_printf(heard, "=%u", event->number);
    if (event->message)
        g_string_append_printf(heard, "=%u", event->message->uid);
    if (event->uids) {
        g_autofree char *text = uidset_format(event->uids);
        g_string_append_printf(heard, "=%s", text);
    }
    if (event->text)
        g_string_append_printf(heard, "=%s", event->text);
}

static inline char *
client_secret(gpointer data, GError **error)
{
    if (!data)
        g_set_error(error, IMAP_ERROR, ERROR_AUTH, "no password");
    return g_strdup(data);
}

static inline struct imap *
client_open(struct client *client, struct script *script, struct cancel *cancel, GError **error)
{
    struct endpoint *endpoint = endpoint_new(ENDPOINT_IMAP, client->tls, "localhost", 143, "ana");
    endpoint->tls_ca = g_strdup(client->ca);
    struct stream_limits limits = {
        .connect_ms = 30000, .command_ms = client->command_ms ? client->command_ms : 30000, .min_rate = 1};
    struct imap_options options = {
        .get_secret = client_secret,
        .secret_data = (gpointer)(client->secret ? client->secret : "secret"),
        .on_event = client_event,
        .event_data = client->heard,
        .without = client->without,
        .compress = client->compress,
        .limits = &limits,
        .message_max = client->message_max,
    };
    struct stream *stream = stream_new_for_fd(endpoint, script->client_fd, cancel);
    endpoint_free(endpoint);
    return imap_open_stream(stream, &options, error);
}

#endif
