/* An SMTP server that follows a script, for the tests of the session. */
#ifndef TESTS_SMTP_PLAYER_H
#define TESTS_SMTP_PLAYER_H

#include "proto/smtp.h"

#include "player.h"

struct stage_set {
    struct player player;
    struct smtp_session *session;
    struct cancel *cancel;
    GThread *thread;
};

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

/* ---- how dialogues begin ---- */

#define HELLO "< 220 mail.example.test ESMTP\n> EHLO [127.0.0.1]\n"
#define TO_AUTH(mechanisms) HELLO "< 250-mail.example.test\n< 250 AUTH " mechanisms "\n"

#define OPEN(capabilities) HELLO "< 250-x\n" capabilities "< 250 HELP\n"
#define BODY "Subject: x\r\n\r\nbody\r\n"

#define PIPE "< 250-PIPELINING\n"
#define MAIL_RCPT_DATA "> MAIL FROM:<ana@example.test>\n> RCPT TO:<ben@example.test>\n> DATA\n"

#endif
