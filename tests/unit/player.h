/* A server that follows a script, for the tests of the sessions of SMTP and POP3. */
#ifndef TESTS_PLAYER_H
#define TESTS_PLAYER_H

#include "net/cancel.h"

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

static SSL_CTX *tls_context;
static char *root_file;

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

#endif
