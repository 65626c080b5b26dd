/* An SMTP server that follows a script, for the tests of the session. */
#ifndef TESTS_SMTP_PLAYER_H
#define TESTS_SMTP_PLAYER_H

#include "proto/smtp.h"

#include "tls_fixture.h"

#include <signal.h>

/*
 * A script has a step a line:
 *   < text    the server says it          > text    the client must say it (a final * stands for any rest)
 *   = text    the client must send a message whose last line but the dot is text
 *   ~ text    the server says it without a line end
 *   @         TLS                          ! hang up       $ wait until the client hangs up
 * Lines that the server says one after another go out in one piece.
 */
struct player {
    struct peer peer;
    const char *script;
    SSL_CTX *context;
    struct cancel *cancel; /* for the step "%": trigger it */
    GString *heard;        /* every line of the client */
    char *complaint;       /* the first departure from the script */
    gssize cut;            /* hang up after so many bytes of ours; -1: never */
    gboolean got_dot;
};

/* After its last byte a cut server hangs up its half, and listens to what still comes. */
static G_GNUC_UNUSED gboolean
say(struct player *player, GString *text)
{
    if (player->cut >= 0 && (gsize)player->cut < text->len)
        g_string_truncate(text, (gsize)player->cut);
    gboolean ok = text->len == 0 || peer_write(&player->peer, text->str, text->len);
    if (player->cut > 0) {
        player->cut -= (gssize)text->len;
        if (player->cut == 0)
            shutdown(player->peer.fd, SHUT_WR);
    }
    g_string_truncate(text, 0);
    return ok;
}

static G_GNUC_UNUSED gboolean
hear(struct player *player, const char *expected)
{
    g_autofree char *line = peer_read_line(&player->peer);
    if (line)
        g_string_append_printf(player->heard, "%s\n", line);
    gsize length = strlen(expected);
    gboolean glob = length > 0 && expected[length - 1] == '*';
    if (!player->complaint &&
        (!line || (glob ? strncmp(line, expected, length - 1) : strcmp(line, expected)) != 0))
        player->complaint =
            g_strdup_printf("expected \"%s\", heard \"%s\"", expected, line ? line : "the end");
    return line != NULL;
}

static G_GNUC_UNUSED gboolean
hear_message(struct player *player, const char *expected_last)
{
    g_autofree char *last = g_strdup("");
    for (;;) {
        char *line = peer_read_line(&player->peer);
        if (!line)
            return FALSE;
        g_string_append_printf(player->heard, "%s\n", line);
        if (strcmp(line, ".") == 0) {
            g_free(line);
            break;
        }
        g_free(last);
        last = line;
    }
    player->got_dot = TRUE;
    if (!player->complaint && strcmp(last, expected_last) != 0)
        player->complaint = g_strdup_printf("the message ends with \"%s\"", last);
    return TRUE;
}

static G_GNUC_UNUSED gpointer
play(gpointer data)
{
    struct player *player = data;
    g_auto(GStrv) steps = g_strsplit(player->script, "\n", -1);
    g_autoptr(GString) pending = g_string_new(NULL);
    char byte;
    gboolean ok = player->cut != 0;
    for (guint i = 0; ok && steps[i] && *steps[i]; i++) {
        const char *text = strlen(steps[i]) > 1 ? steps[i] + 2 : "";
        if (steps[i][0] == '<' || steps[i][0] == '~') {
            g_string_append_printf(pending, steps[i][0] == '<' ? "%s\r\n" : "%s", text);
            continue;
        }
        ok = pending->len == 0 || say(player, pending);
        if (!ok)
            break;
        switch (steps[i][0]) {
        case '>':
            ok = hear(player, text);
            break;
        case '=':
            ok = hear_message(player, text);
            break;
        case '@':
            ok = peer_accept_tls(&player->peer, player->context);
            break;
        case '%':
            cancel_trigger(player->cancel);
            break;
        case '$':
            while (peer_read(&player->peer, &byte, 1) > 0)
                ;
            break;
        default:
            ok = FALSE;
        }
    }
    if (ok && pending->len)
        say(player, pending);
    if (player->peer.ssl && player->cut != 0)
        SSL_shutdown(player->peer.ssl);
    shutdown(player->peer.fd, SHUT_WR);
    /* Until the client has left, so that nothing is lost to a reset. */
    while (recv(player->peer.fd, &byte, 1, 0) > 0)
        ;
    peer_close(&player->peer);
    return NULL;
}

struct stage_set {
    struct player player;
    struct smtp_session *session;
    struct cancel *cancel;
    GThread *thread;
};

static SSL_CTX *tls_context;
static char *root_file;

static G_GNUC_UNUSED struct stage_set *
set_up(const char *script, enum tls_mode tls, const char *user)
{
    struct stage_set *set = g_new0(struct stage_set, 1);
    struct stream_limits limits = {.connect_ms = 30000, .command_ms = 30000, .min_rate = 128};
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_SMTP, tls, "localhost", 587, user);
    int fd;
    endpoint->tls_ca = g_strdup(root_file);
    fixture_socketpair(&fd, &set->player.peer.fd);
    set->cancel = cancel_new();
    set->player.script = script;
    set->player.context = tls_context;
    set->player.cancel = set->cancel;
    set->player.heard = g_string_new(NULL);
    set->player.cut = -1;
    set->session = smtp_session_new_for_fd(endpoint, fd, set->cancel);
    smtp_session_set_limits(set->session, &limits);
    return set;
}

static G_GNUC_UNUSED void
start(struct stage_set *set)
{
    set->thread = g_thread_new("server", play, &set->player);
}

/* Hangs up, and waits for the server's judgement; the set goes with tear_down(). */
static G_GNUC_UNUSED void
finish(struct stage_set *set)
{
    smtp_session_free(g_steal_pointer(&set->session));
    g_thread_join(set->thread);
}

static G_GNUC_UNUSED void
tear_down(struct stage_set *set)
{
    if (set->session)
        finish(set);
    g_string_free(set->player.heard, TRUE);
    g_free(set->player.complaint);
    cancel_unref(set->cancel);
    g_free(set);
}

static G_GNUC_UNUSED void
assert_words(const GError *error, const char *words)
{
    g_assert_nonnull(error);
    if (words && !strstr(error->message, words))
        g_error("\"%s\" is not in \"%s\"", words, error->message);
    g_assert_null(strpbrk(error->message, "\r\n\033"));
    g_assert_null(strstr(error->message, "sesame"));
}

static struct certificate *player_root, *player_leaf;

static inline void
player_begin(void)
{
    signal(SIGPIPE, SIG_IGN); /* the server ends use plain SSL_write() */
    player_root =
        fixture_certificate(&(struct certificate_spec){"Test Root", .constraints = "critical,CA:TRUE"}, NULL);
    player_leaf = fixture_certificate(&(struct certificate_spec){"x", "DNS:localhost"}, player_root);
    tls_context = fixture_context(player_leaf, NULL);
    root_file = fixture_write_pem(player_root->x509);
}

static inline void
player_end(void)
{
    g_unlink(root_file);
    g_free(root_file);
    SSL_CTX_free(tls_context);
    fixture_certificate_free(player_leaf);
    fixture_certificate_free(player_root);
}

/* ---- how dialogues begin ---- */

#define HELLO "< 220 mail.example.test ESMTP\n> EHLO [127.0.0.1]\n"
#define TO_AUTH(mechanisms) HELLO "< 250-mail.example.test\n< 250 AUTH " mechanisms "\n"

#define OPEN(capabilities) HELLO "< 250-x\n" capabilities "< 250 HELP\n"
#define BODY "Subject: x\r\n\r\nbody\r\n"

#define PIPE "< 250-PIPELINING\n"
#define MAIL_RCPT_DATA "> MAIL FROM:<ana@example.test>\n> RCPT TO:<ben@example.test>\n> DATA\n"

#endif
