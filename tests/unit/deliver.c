/* outbox/deliver: from the queue to a server and back to states, against servers that follow a script; and
 * killed at every step of the way */
#include "config.h"

#include "storetest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fail.h"
#include "outbox/deliver.h"
#include "outbox/retry.h"
#include "smtp_player.h"
#include "store/contact.h"
#include "store/list.h"
#include "store/outbox.h"

/* A server on loopback; each connection is played by the next script, or by a plain one that takes
 * everything. */
struct server {
    int listener;
    guint16 port;
    const char *const *scripts;
    GThread *thread;
    gint stopping;
    GMutex lock;
    GPtrArray *messages; /* char *: every message that got its 250 (of the plain server) */
    GString *heard;      /* of the scripts */
    char *complaint;
    guint connections;
};

/* Takes whatever it is sent. */
static void
play_sink(struct server *server, int fd)
{
    struct peer peer = {.fd = fd};
    g_autoptr(GString) message = g_string_new(NULL);
    gboolean in_data = FALSE;
    peer_puts(&peer, "220 sink\r\n");
    for (char *line; (line = peer_read_line(&peer)) != NULL; g_free(line)) {
        if (in_data && !strcmp(line, ".")) {
            in_data = FALSE;
            g_mutex_lock(&server->lock);
            g_ptr_array_add(server->messages, g_strdup(message->str));
            g_mutex_unlock(&server->lock);
            peer_puts(&peer, "250 2.0.0 taken\r\n");
        } else if (in_data) {
            g_string_append_printf(message, "%s\n", line);
        } else if (!g_ascii_strcasecmp(line, "DATA")) {
            in_data = TRUE;
            g_string_truncate(message, 0);
            peer_puts(&peer, "354 go\r\n");
        } else {
            peer_puts(&peer, g_str_has_prefix(line, "EHLO") ? "250-sink\r\n250 8BITMIME\r\n" : "250 ok\r\n");
        }
    }
    peer_close(&peer);
}

static gpointer
serve(gpointer data)
{
    struct server *server = data;
    const char *const *script = server->scripts;
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0 || g_atomic_int_get(&server->stopping)) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        server->connections++;
        if (!script || !*script) {
            play_sink(server, fd);
            continue;
        }
        struct player player = {
            .peer = {.fd = fd}, .script = *script++, .heard = g_string_new(NULL), .cut = -1};
        play(&player);
        g_string_append(server->heard, player.heard->str);
        g_string_free(player.heard, TRUE);
        if (!server->complaint)
            server->complaint = player.complaint;
        else
            g_free(player.complaint);
    }
}

static void
server_start(struct server *server, const char *const *scripts)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    *server = (struct server){
        .scripts = scripts, .messages = g_ptr_array_new_with_free_func(g_free), .heard = g_string_new(NULL)};
    g_mutex_init(&server->lock);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->listener, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(listen(server->listener, 10), ==, 0);
    g_assert_cmpint(getsockname(server->listener, (struct sockaddr *)&address, &length), ==, 0);
    server->port = ntohs(address.sin_port);
    server->thread = g_thread_new("server", serve, server);
}

static void
server_stop(struct server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(server->port)};
    g_atomic_int_set(&server->stopping, 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_thread_join(server->thread);
    close(fd);
    close(server->listener);
    g_ptr_array_unref(server->messages);
    g_string_free(server->heard, TRUE);
    g_free(server->complaint);
}

/* What deliver_due() is given, and what it tells. */
struct stage {
    struct world world;
    struct account account;
    struct deliver_options options;
    GPtrArray *notices;
    guint changes, secrets;
};

static void
on_notice(const char *text, gpointer data)
{
    g_ptr_array_add(((struct stage *)data)->notices, g_strdup(text));
}

static void
on_changed(gpointer data)
{
    ((struct stage *)data)->changes++;
}

static char *
get_secret(gpointer data, GError **error G_GNUC_UNUSED)
{
    ((struct stage *)data)->secrets++;
    return g_strdup("sesame");
}

static void
stage_begin(struct stage *stage, guint16 port, const char *user)
{
    *stage = (struct stage){.notices = g_ptr_array_new_with_free_func(g_free)};
    world_begin(&stage->world);
    stage->account.name = (char *)"work";
    stage->account.outgoing = endpoint_new(ENDPOINT_SMTP, TLS_NONE, "127.0.0.1", port, user);
    stage->options = (struct deliver_options){.account = &stage->account,
                                              .get_secret = get_secret,
                                              .changed = on_changed,
                                              .notice = on_notice,
                                              .data = stage};
}

static void
stage_end(struct stage *stage)
{
    endpoint_free(stage->account.outgoing);
    g_ptr_array_unref(stage->notices);
    world_end(&stage->world);
}

/* to: addresses with a space between. */
static gint64
queue_mail(struct stage *stage, const char *id, const char *to, guint undo, gboolean hold, gint64 send_at)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recipients = address_list_new();
    g_auto(GStrv) addresses = g_strsplit(to, " ", -1);
    for (char **address = addresses; *address; address++)
        address_list_add(recipients, NULL, *address);
    g_autofree char *text =
        g_strdup_printf("From: ana@example.test\nTo: %s\nSubject: subject of %s\nMessage-ID: <%s>\n"
                        "Date: Thu, 12 Nov 2026 10:42:01 +0100\n\nbody\n",
                        addresses[0], id, id);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    g_autofree char *subject = g_strdup_printf("subject of %s", id);
    struct outbox_new new = {.account = stage->world.account,
                             .message = bytes,
                             .from = "ana@example.test",
                             .recipients = recipients,
                             .subject = subject,
                             .message_id = id,
                             .hold = hold,
                             .send_at = send_at,
                             .undo_seconds = undo,
                             .copy = TRUE,
                             .dsn_notify = "failure",
                             .dsn_envid = id};
    gint64 item = outbox_queue(stage->world.store, &new, &error);
    g_assert_no_error(error);
    return item;
}

static gint64
queue_plain(struct stage *stage, const char *id, const char *to)
{
    return queue_mail(stage, id, to, 0, FALSE, 0);
}

/* "sent", or "deferred 451 4.7.1 later | b@x.test sent | c@x.test deferred": the item, and its recipients
 * when several. */
static char *
state_of_item(struct stage *stage, gint64 id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_outbox_item) item = outbox_get(stage->world.store, id, &error);
    g_assert_no_error(error);
    GString *out = g_string_new(outbox_state_name(item->state));
    if (item->code)
        g_string_append_printf(out, " %d", item->code);
    if (item->enhanced)
        g_string_append_printf(out, " %s", item->enhanced);
    for (guint i = 0; item->recipients->len > 1 && i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        g_string_append_printf(out, " | %s %s", recipient->addr, outbox_state_name(recipient->state));
    }
    return g_string_free(out, FALSE);
}

#define assert_state(stage, id, expected)                                                                    \
    do {                                                                                                     \
        g_autofree char *state = state_of_item(stage, id);                                                   \
        g_assert_cmpstr(state, ==, expected);                                                                \
    } while (0)

static guint
copies_in_sent(struct stage *stage)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_placement_set) set =
        placement_load(stage->world.store, stage->world.sent, PLACEMENT_SELECT_ALL, 0, &error);
    g_assert_no_error(error);
    return set->n;
}

static gboolean
deliver(struct stage *stage, int *code)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = deliver_due(stage->world.store, stage->world.account, &stage->options, &error);
    g_assert_true(ok == !error);
    if (error)
        g_test_message("%s", error->message);
    if (code)
        *code = error ? error->code : 0;
    else
        g_assert_no_error(error);
    return ok;
}

#define TAKE_ONE "> MAIL *\n> RCPT *\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n= body\n"

static void
test_states(void)
{
    static const struct {
        const char *what, *script, *to, *state;
        int code; /* of deliver_due() */
        guint copies, notices;
        gboolean next;     /* is tried again */
        const char *words; /* in the item's error */
    } cases[] = {
        {"taken", OPEN(PIPE) TAKE_ONE "< 250 2.0.0 queued as 7\n> QUIT\n< 221 bye\n$\n", "b@x.test", "sent",
         0, 1, 0, FALSE, NULL},
        {"no such user",
         OPEN(PIPE) "> MAIL *\n> RCPT *\n> DATA\n< 250 ok\n< 550 5.1.1 no such user\n< 554 no\n> QUIT\n< 221 "
                    "bye\n$\n",
         "b@x.test", "failed 550 5.1.1", 0, 0, 1, FALSE, "no such user"},
        {"greylisted",
         OPEN(PIPE) "> MAIL *\n> RCPT *\n> DATA\n< 250 ok\n< 451 4.7.1 come back\n< 554 no\n> QUIT\n< 221 "
                    "bye\n$\n",
         "b@x.test", "deferred 451 4.7.1", 0, 0, 0, TRUE, "come back"},
        {"spam", OPEN(PIPE) TAKE_ONE "< 554 5.7.1 spam\n> QUIT\n< 221 bye\n$\n", "b@x.test",
         "failed 554 5.7.1", 0, 0, 1, FALSE, "spam"},
        {"some",
         OPEN(PIPE) "> MAIL *\n> RCPT *\n> RCPT *\n> RCPT *\n> DATA\n< 250 ok\n< 250 ok\n< 550 5.1.1 "
                    "unknown\n< 450 4.2.0 later\n"
                    "< 354 go\n= body\n< 250 ok\n> QUIT\n< 221 bye\n$\n",
         "b@x.test c@x.test d@x.test",
         "deferred 450 4.2.0 | b@x.test sent | c@x.test failed | d@x.test deferred", 0, 0, 0, TRUE, "later"},
        {"one of two",
         OPEN(PIPE) "> MAIL *\n> RCPT *\n> RCPT *\n> DATA\n< 250 ok\n< 250 ok\n< 550 5.1.1 unknown\n"
                    "< 354 go\n= body\n< 250 ok\n> QUIT\n< 221 bye\n$\n",
         "b@x.test c@x.test", "failed 550 5.1.1 | b@x.test sent | c@x.test failed", 0, 1, 1, FALSE,
         "c@x.test: "},
        {"too large", OPEN("< 250-SIZE 100\n") "> QUIT\n< 221 bye\n$\n", "b@x.test", "failed", 0, 0, 1, FALSE,
         "100"},
        {"cut after the dot", OPEN(PIPE) TAKE_ONE "!\n", "b@x.test", "unknown", 0, 0, 0, FALSE,
         "queue retry"},
        {"cut before the dot", OPEN(PIPE) "> MAIL *\n> RCPT *\n> DATA\n< 250 ok\n!\n", "b@x.test", "deferred",
         0, 0, 0, TRUE, "closed"},
        {"busy at the door", "< 421 4.3.2 too busy\n$\n", "b@x.test", "deferred 421 4.3.2", ERROR_RETRY, 0, 0,
         TRUE, "busy"},
        {"not welcome", "< 554 5.7.1 go away\n$\n", "b@x.test", "deferred 554 5.7.1", ERROR_REFUSED, 0, 0,
         TRUE, "go away"},
        {"log in first", OPEN("") "> MAIL *\n< 530 5.7.0 authenticate first\n$\n", "b@x.test", "waiting",
         ERROR_AUTH, 0, 0, TRUE, "authenticate"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const scripts[] = {cases[i].script, NULL};
        struct server server;
        struct stage stage;
        int code;
        g_test_message("%s", cases[i].what);
        server_start(&server, scripts);
        stage_begin(&stage, server.port, NULL);
        gint64 id = queue_plain(&stage, "m@x.test", cases[i].to);
        deliver(&stage, &code);
        g_assert_cmpint(code, ==, cases[i].code);
        assert_state(&stage, id, cases[i].state);
        g_assert_cmpuint(copies_in_sent(&stage), ==, cases[i].copies);
        g_assert_cmpuint(stage.notices->len, ==, cases[i].notices);
        g_assert_cmpuint(stage.changes, >, 0);
        g_autoptr(struct_outbox_item) item = outbox_get(stage.world.store, id, NULL);
        g_assert_cmpint(outbox_next_due(stage.world.store, stage.world.account) > 0, ==, cases[i].next);
        if (cases[i].words)
            g_assert_nonnull(strstr(item->error, cases[i].words));
        /* Every attempt has its dialogue. */
        g_autoptr(GPtrArray) attempts = outbox_attempts(stage.world.store, id, NULL);
        g_assert_cmpuint(attempts->len, ==, 1);
        const struct outbox_attempt *attempt = attempts->pdata[0];
        g_assert_nonnull(strstr(attempt->server, "127.0.0.1:"));
        g_assert_null(attempt->tls);
        g_assert_nonnull(strstr(attempt->dialogue, "< "));
        g_assert_null(strstr(attempt->dialogue, "body"));
        g_assert_nonnull(attempt->reply);
        g_assert_cmpint(attempt->ok, ==, g_str_has_prefix(cases[i].state, "sent"));
        stage_end(&stage);
        server_stop(&server);
    }
}

/* Several messages go over one connection; what is not due stays; refusals do not hold up the rest. */
static void
test_one_connection(void)
{
    static const char *const scripts[] = {
        OPEN(PIPE) TAKE_ONE
        "< 250 one\n"
        "> MAIL *\n> RCPT *\n> DATA\n< 250 ok\n< 550 5.1.1 no\n< 554 no\n> RSET\n< 250 ok\n" TAKE_ONE
        "< 250 three\n> QUIT\n< 221 bye\n$\n",
        NULL};
    struct server server;
    struct stage stage;
    server_start(&server, scripts);
    stage_begin(&stage, server.port, NULL);
    gint64 held = queue_mail(&stage, "held@x", "b@x.test", 0, TRUE, 0);
    gint64 undo = queue_mail(&stage, "undo@x", "b@x.test", 600, FALSE, 0);
    gint64 later = queue_mail(&stage, "later@x", "b@x.test", 0, FALSE, clock_now() + 3600);
    gint64 one = queue_plain(&stage, "one@x", "b@x.test"),
           two = queue_plain(&stage, "two@x", "nobody@x.test");
    gint64 three = queue_plain(&stage, "three@x", "b@x.test");
    deliver(&stage, NULL);
    assert_state(&stage, one, "sent");
    assert_state(&stage, two, "failed 550 5.1.1");
    assert_state(&stage, three, "sent");
    assert_state(&stage, held, "waiting");
    assert_state(&stage, undo, "waiting");
    assert_state(&stage, later, "waiting");
    g_assert_cmpuint(copies_in_sent(&stage), ==, 2);
    /* The address that bounced is known; each attempt holds its own part of the dialogue. */
    g_autoptr(struct_contact) contact = contact_find(stage.world.store, "nobody@x.test", NULL);
    g_assert_true(contact && contact->bounced);
    g_autoptr(GPtrArray) attempts = outbox_attempts(stage.world.store, three, NULL);
    const struct outbox_attempt *attempt = attempts->pdata[0];
    g_assert_null(strstr(attempt->dialogue, "< 250 one"));
    g_assert_cmpstr(attempt->reply, ==, "250 three");
    /* The copy shows as read, with what the reader made of it. */
    g_autoptr(GArray) found = message_find_id(stage.world.store, "one@x");
    g_assert_cmpuint(found->len, ==, 1);
    g_autoptr(struct_message) copy = message_load(stage.world.store, g_array_index(found, gint64, 0), NULL);
    g_assert_cmpuint(copy->flags, ==, FLAG_SEEN);
    g_assert_cmpstr(copy->subject, ==, "subject of one@x");
    g_assert_true(copy->cached);
    deliver(&stage, NULL); /* nothing is due: nobody is called */
    stage_end(&stage);
    g_assert_cmpuint(server.connections, ==, 1);
    g_assert_cmpstr(server.complaint, ==, NULL);
    server_stop(&server);
}

/* Those who have it do not get it again; a connection that was closed while idle is not a failure of the next
 * message. */
static void
test_again(void)
{
    static const char *const scripts[] = {
        OPEN(PIPE) "> MAIL *\n> RCPT TO:<b@x.test>\n> RCPT TO:<c@x.test>\n> DATA\n< 250 ok\n< 250 ok\n< 450 "
                   "4.2.0 later\n< 354 go\n= body\n"
                   "< 250 ok\n> QUIT\n< 221 bye\n$\n",
        OPEN(PIPE) "> MAIL *\n> RCPT TO:<c@x.test>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n= body\n< 250 "
                   "ok\n!\n",
        OPEN(PIPE) TAKE_ONE "< 250 ok\n> QUIT\n< 221 bye\n$\n", NULL};
    struct server server;
    struct stage stage;
    server_start(&server, scripts);
    stage_begin(&stage, server.port, NULL);
    gint64 id = queue_plain(&stage, "a@x", "b@x.test c@x.test");
    deliver(&stage, NULL);
    assert_state(&stage, id, "deferred 450 4.2.0 | b@x.test sent | c@x.test deferred");
    g_assert_cmpint(outbox_next_due(stage.world.store, stage.world.account), >, clock_now() + 30);
    g_assert_true(outbox_flush(stage.world.store, stage.world.account, NULL));
    gint64 second = queue_plain(&stage, "b@x", "b@x.test");
    deliver(&stage, NULL);
    assert_state(&stage, id, "sent | b@x.test sent | c@x.test sent");
    assert_state(&stage, second, "sent");
    g_assert_cmpuint(copies_in_sent(&stage), ==, 2);
    g_autoptr(GPtrArray) attempts = outbox_attempts(stage.world.store, second, NULL);
    g_assert_cmpuint(attempts->len, ==, 1);
    stage_end(&stage);
    g_assert_cmpstr(server.complaint, ==, NULL);
    g_assert_cmpuint(server.connections, ==, 3);
    server_stop(&server);
}

static void
test_offline(void)
{
    struct server server;
    struct stage stage;
    int code;
    server_start(&server, NULL);
    guint16 port = server.port;
    server_stop(&server);
    stage_begin(&stage, port, NULL);
    gint64 one = queue_plain(&stage, "one@x", "b@x.test"), two = queue_plain(&stage, "two@x", "b@x.test");
    deliver(&stage, &code);
    g_assert_cmpint(code, ==, ERROR_RETRY);
    /* Both wait, with the reason; no attempt has failed. */
    assert_state(&stage, one, "waiting");
    assert_state(&stage, two, "waiting");
    g_autoptr(struct_outbox_item) item = outbox_get(stage.world.store, two, NULL);
    g_assert_nonnull(item->error);
    g_autoptr(GPtrArray) attempts = outbox_attempts(stage.world.store, one, NULL);
    g_assert_cmpuint(attempts->len, ==, 0);
    g_assert_cmpint(outbox_next_due(stage.world.store, stage.world.account), <=, clock_now() + RETRY_OFFLINE);
    g_assert_cmpuint(stage.notices->len, ==, 0);

    /* The server is back. */
    server_start(&server, NULL);
    stage.account.outgoing->port = server.port;
    g_assert_true(outbox_flush(stage.world.store, stage.world.account, NULL));
    deliver(&stage, NULL);
    assert_state(&stage, one, "sent");
    assert_state(&stage, two, "sent");
    g_assert_cmpuint(server.messages->len, ==, 2);
    stage_end(&stage);
    server_stop(&server);
}

static char *
no_secret(gpointer data G_GNUC_UNUSED, GError **error)
{
    g_set_error(error, DELIVER_ERROR, ERROR_AUTH, "the password is not known");
    return NULL;
}

static void
test_login(void)
{
    static const char *const scripts[] = {TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 535 5.7.8 bad password\n$\n",
                                          NULL};
    struct server server;
    struct stage stage;
    int code;
    server_start(&server, scripts);
    stage_begin(&stage, server.port, "ana");
    gint64 id = queue_plain(&stage, "a@x", "b@x.test"), other = queue_plain(&stage, "b@x", "b@x.test");
    deliver(&stage, &code);
    g_assert_cmpint(code, ==, ERROR_AUTH);
    g_assert_cmpuint(stage.secrets, ==, 1); /* one attempt, then a person is asked (N6) */
    assert_state(&stage, id, "waiting");
    assert_state(&stage, other, "waiting");
    g_autoptr(GPtrArray) attempts = outbox_attempts(stage.world.store, id, NULL);
    const struct outbox_attempt *attempt = attempts->pdata[0];
    g_assert_null(strstr(attempt->dialogue, "AGFuYQBzZXNhbWU")); /* "\0ana\0sesame" */
    g_assert_nonnull(strstr(attempt->dialogue, "535"));
    stage.options.get_secret = no_secret;
    g_assert_true(outbox_flush(stage.world.store, stage.world.account, NULL));
    deliver(&stage, &code);
    g_assert_cmpint(code, ==, ERROR_AUTH);
    g_assert_cmpuint(server.connections, ==, 1);
    assert_state(&stage, id, "waiting");
    stage_end(&stage);
    g_assert_cmpstr(server.complaint, ==, NULL);
    server_stop(&server);
}

static void
test_missing_file(void)
{
    struct server server;
    struct stage stage;
    server_start(&server, NULL);
    stage_begin(&stage, server.port, NULL);
    gint64 id = queue_plain(&stage, "a@x", "b@x.test"), good = queue_plain(&stage, "b@x", "b@x.test");
    g_autoptr(struct_outbox_item) item = outbox_get(stage.world.store, id, NULL);
    g_autofree char *path = g_build_filename(store_mail_dir(stage.world.store), ".outbox", item->file, NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
    deliver(&stage, NULL);
    assert_state(&stage, id, "failed");
    assert_state(&stage, good, "sent");
    g_assert_cmpuint(stage.notices->len, ==, 1);
    stage_end(&stage);
    server_stop(&server);
}

#ifdef FAILPOINTS
/* In a process of its own, which dies at the nth step; the number of steps when it lives. */
static gboolean
deliver_killed(struct stage *stage, guint step)
{
    int status;
    store_close(stage->world.store);
    pid_t pid = fork();
    if (pid == 0) {
        g_autofree char *rule = g_strdup_printf("#%u:kill", step);
        g_setenv("POSTRIDER_FAIL", rule, TRUE);
        fail_reload();
        stage->world.store = store_open(stage->world.dir, STORE_WRITE, NULL);
        deliver_due(stage->world.store, stage->world.account, &stage->options, NULL);
        store_close(stage->world.store);
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    stage->world.store = open_store(stage->world.dir, STORE_WRITE);
    return WIFSIGNALED(status);
}

/* D3: killed at every step, then run again, and once more: nothing is lost; nothing is sent twice but what
 * the server may have taken without our hearing so, and that is said and waits for a person; the copy in Sent
 * is there once. */
static void
test_killed(void)
{
    guint step, unknown = 0, sent = 0;
    for (step = 1; step < 500; step++) {
        struct server server;
        struct stage stage;
        server_start(&server, NULL);
        stage_begin(&stage, server.port, NULL);
        gint64 ids[] = {queue_plain(&stage, "one@x", "b@x.test"), queue_plain(&stage, "two@x", "c@x.test")};
        gboolean was_killed = deliver_killed(&stage, step);
        deliver(&stage, NULL);
        deliver(&stage, NULL);
        guint copies = 0, of_each[2] = {0};
        for (guint i = 0; i < 2; i++) {
            g_autofree char *state = state_of_item(&stage, ids[i]);
            g_mutex_lock(&server.lock);
            for (guint m = 0; m < server.messages->len; m++)
                of_each[i] += strstr(server.messages->pdata[m], i ? "<two@x>" : "<one@x>") != NULL;
            g_mutex_unlock(&server.lock);
            if (!strcmp(state, "unknown")) {
                unknown++;
                g_assert_true(was_killed);
                g_assert_cmpuint(of_each[i], <=, 1);
            } else {
                sent++;
                copies++;
                g_assert_cmpstr(state, ==, "sent");
                g_assert_cmpuint(of_each[i], ==, 1);
            }
        }
        g_assert_cmpuint(copies_in_sent(&stage), ==, copies);
        stage_end(&stage);
        server_stop(&server);
        if (!was_killed)
            break;
    }
    g_test_message("%u steps, %u sent, %u unknown", step, sent, unknown);
    g_assert_cmpuint(step, >, 20); /* the test has not gone blind */
    g_assert_cmpuint(step, <, 500);
    g_assert_cmpuint(unknown, >, 0);
}

/* A full disk at any step costs time, not mail. */
static void
test_full_disk(void)
{
    static const char *const rules[] = {
        "store.commit:ENOSPC",  "store.commit@2:ENOSPC", "store.commit@3:ENOSPC", "store.commit@4:ENOSPC",
        "maildir.write:ENOSPC", "maildir.create:EMFILE", "maildir.rename:ENOSPC"};
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        struct server server;
        struct stage stage;
        server_start(&server, NULL);
        stage_begin(&stage, server.port, NULL);
        gint64 id = queue_plain(&stage, "one@x", "b@x.test");
        g_setenv("POSTRIDER_FAIL", rules[i], TRUE);
        fail_reload();
        g_autoptr(GError) error = NULL;
        deliver_due(stage.world.store, stage.world.account, &stage.options, &error);
        g_unsetenv("POSTRIDER_FAIL");
        fail_reload();
        g_assert_true(outbox_flush(stage.world.store, stage.world.account, NULL));
        deliver(&stage, NULL);
        g_autofree char *state = state_of_item(&stage, id);
        g_test_message("%s: %s, %s", rules[i], error ? error->message : "no error", state);
        g_assert_cmpstr(state, ==, "sent");
        g_assert_cmpuint(server.messages->len, ==, 1);
        g_assert_cmpuint(copies_in_sent(&stage), ==, 1);
        stage_end(&stage);
        server_stop(&server);
    }
}
#endif

int
main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/deliver/states", test_states);
    g_test_add_func("/deliver/one-connection", test_one_connection);
    g_test_add_func("/deliver/again", test_again);
    g_test_add_func("/deliver/offline", test_offline);
    g_test_add_func("/deliver/login", test_login);
    g_test_add_func("/deliver/missing-file", test_missing_file);
#ifdef FAILPOINTS
    g_test_add_func("/deliver/killed-at-every-step", test_killed);
    g_test_add_func("/deliver/full-disk", test_full_disk);
#endif
    return g_test_run();
}
