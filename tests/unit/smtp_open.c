/* proto/smtp: opening a session, what is refused there, and the dialogue that is kept */
#include "config.h"

#include "smtp_player.h"

/* ---- opening ---- */

struct open_case {
    const char *what, *script;
    enum tls_mode tls;
    const char *user;
    int code; /* of the error; 0: it opens */
    enum smtp_stage stage;
    const char *words;
};

static const struct open_case open_cases[] = {
    {"plain", HELLO "< 250 mail.example.test\n$\n", TLS_NONE, NULL, 0, SMTP_STAGE_READY, NULL},
    {"long greeting", "< 220-one\n< 220-two\n< 220 three\n> EHLO [127.0.0.1]\n< 250 x\n$\n", TLS_NONE, NULL,
     0, SMTP_STAGE_READY, NULL},
    {"bare code", "< 220\n> EHLO [127.0.0.1]\n< 250\n$\n", TLS_NONE, NULL, 0, SMTP_STAGE_READY, NULL},
    {"STARTTLS", HELLO "< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n@\n> EHLO [127.0.0.1]\n< 250 x\n$\n",
     TLS_STARTTLS, NULL, 0, SMTP_STAGE_READY, NULL},
    {"implicit TLS", "@\n" HELLO "< 250 x\n$\n", TLS_IMPLICIT, NULL, 0, SMTP_STAGE_READY, NULL},
    {"login after STARTTLS",
     HELLO "< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n@\n> EHLO [127.0.0.1]\n< 250-x\n< 250 AUTH PLAIN\n"
           "> AUTH PLAIN AGFuYQBzZXNhbWU=\n< 235 2.7.0 welcome\n$\n",
     TLS_STARTTLS, "ana", 0, SMTP_STAGE_READY, NULL},
    {"PLAIN", TO_AUTH("PLAIN LOGIN") "> AUTH PLAIN AGFuYQBzZXNhbWU=\n< 235 ok\n$\n", TLS_NONE, "ana", 0,
     SMTP_STAGE_READY, NULL},
    {"PLAIN asked for", TO_AUTH("PLAIN") "> AUTH PLAIN AGFuYQBzZXNhbWU=\n< 235 ok\n$\n", TLS_NONE, "ana", 0,
     SMTP_STAGE_READY, NULL},
    {"LOGIN",
     TO_AUTH(
         "LOGIN") "> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n> YW5h\n< 334 UGFzc3dvcmQ6\n> c2VzYW1l\n< 235 ok\n$\n",
     TLS_NONE, "ana", 0, SMTP_STAGE_READY, NULL},
    {"LOGIN without words", TO_AUTH("LOGIN") "> AUTH LOGIN\n< 334\n> YW5h\n< 334 \n> c2VzYW1l\n< 235 ok\n$\n",
     TLS_NONE, "ana", 0, SMTP_STAGE_READY, NULL},
    {"old spelling of AUTH", HELLO "< 250-x\n< 250 AUTH=PLAIN\n> AUTH PLAIN *\n< 235 ok\n$\n", TLS_NONE,
     "ana", 0, SMTP_STAGE_READY, NULL},

    {"not welcome", "< 554 5.7.1 go away\n", TLS_NONE, NULL, ERROR_REFUSED, SMTP_STAGE_GREETING,
     "takes no mail from here (554 5.7.1 go away)"},
    {"busy", "< 421 4.3.2 too busy\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_GREETING,
     "(421 4.3.2 too busy)"},
    {"greeting of another protocol", "< * OK IMAP4rev1 ready\n", TLS_NONE, NULL, ERROR_RETRY,
     SMTP_STAGE_GREETING, "\"* OK IMAP4rev1 ready\" is no reply"},
    {"greeting with escapes", "< 554 \033]0;owned\007\342\200\256x\n", TLS_NONE, NULL, ERROR_REFUSED,
     SMTP_STAGE_GREETING, "554"},
    {"greeting 250", "< 250 hello\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_GREETING, "greeting 250"},
    {"codes that differ", "< 220-one\n< 554 two\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_GREETING,
     "no reply"},
    {"code of two digits", "< 22 x\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_GREETING, "no reply"},
    {"code 999", "< 999 x\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_GREETING, "no reply"},
    {"end at once", "!\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_GREETING,
     "closed the connection while waiting for the greeting"},
    {"half a greeting", "~ 220 mail.exam\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_GREETING,
     "closed the connection"},
    {"two greetings", "< 220 x\n< 220 x\n$\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_EHLO, "to nothing"},
    {"no EHLO", HELLO "< 502 5.5.1 what?\n$\n", TLS_NONE, NULL, ERROR_REFUSED, SMTP_STAGE_EHLO,
     "refused EHLO"},
    {"EHLO later", HELLO "< 450 4.0.0 later\n$\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_EHLO,
     "refused EHLO"},
    {"EHLO 354", HELLO "< 354 go ahead\n$\n", TLS_NONE, NULL, ERROR_RETRY, SMTP_STAGE_EHLO,
     "reply 354 to EHLO"},

    {"STARTTLS not offered", HELLO "< 250-x\n< 250 AUTH PLAIN\n$\n", TLS_STARTTLS, "ana", ERROR_SECURITY,
     SMTP_STAGE_STARTTLS, "does not offer STARTTLS"},
    {"STARTTLS cut out", HELLO "< 250-x\n< 250 XXXXXXXA\n$\n", TLS_STARTTLS, "ana", ERROR_SECURITY,
     SMTP_STAGE_STARTTLS, "nothing was sent"},
    {"STARTTLS refused", HELLO "< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 501 5.5.4 no\n$\n", TLS_STARTTLS,
     "ana", ERROR_SECURITY, SMTP_STAGE_STARTTLS, "refused STARTTLS"},
    {"STARTTLS later", HELLO "< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 454 4.7.0 later\n$\n", TLS_STARTTLS,
     "ana", ERROR_RETRY, SMTP_STAGE_STARTTLS, "refused STARTTLS"},
    {"STARTTLS answered with 250", HELLO "< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 250 fine\n$\n", TLS_STARTTLS,
     "ana", ERROR_SECURITY, SMTP_STAGE_STARTTLS, "refused STARTTLS"},
    {"reply ahead of TLS",
     HELLO "< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n< 250-x\n< 250 AUTH PLAIN\n$\n", TLS_STARTTLS,
     "ana", ERROR_SECURITY, SMTP_STAGE_STARTTLS, "ahead of the TLS handshake"},
    {"AUTH offered before TLS only",
     HELLO
     "< 250-x\n< 250-AUTH PLAIN\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n@\n> EHLO [127.0.0.1]\n< 250 x\n$\n",
     TLS_STARTTLS, "ana", ERROR_REFUSED, SMTP_STAGE_AUTH, "offers no login"},

    {"no login offered", HELLO "< 250 x\n$\n", TLS_NONE, "ana", ERROR_REFUSED, SMTP_STAGE_AUTH,
     "offers no login"},
    {"unknown mechanisms", TO_AUTH("CRAM-MD5 GSSAPI") "$\n", TLS_NONE, "ana", ERROR_REFUSED, SMTP_STAGE_AUTH,
     "CRAM-MD5 GSSAPI"},
    {"wrong password", TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 535 5.7.8 bad credentials\n$\n", TLS_NONE, "ana",
     ERROR_AUTH, SMTP_STAGE_AUTH,
     "refused the password for ana: check it, or whether the provider wants an app password (535 5.7.8 bad"},
    {"application password",
     TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 534-5.7.9 Application-specific password required.\n"
                      "< 534 5.7.9 see https://example.test\n$\n",
     TLS_NONE, "ana", ERROR_AUTH, SMTP_STAGE_AUTH,
     "534 5.7.9 Application-specific password required. see https"},
    {"login later", TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 454 4.7.0 later\n$\n", TLS_NONE, "ana", ERROR_RETRY,
     SMTP_STAGE_AUTH, "cannot check the password of ana now"},
    {"mechanism taken back", TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 504 5.5.4 no\n$\n", TLS_NONE, "ana",
     ERROR_REFUSED, SMTP_STAGE_AUTH, "does not take a login like this"},
    {"login wants TLS", TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 538 5.7.11 no\n$\n", TLS_NONE, "ana",
     ERROR_SECURITY, SMTP_STAGE_AUTH, "wants TLS"},
    {"one question too many", TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 334 bW9yZT8=\n> *\n< 501 aborted\n$\n",
     TLS_NONE, "ana", ERROR_RETRY, SMTP_STAGE_AUTH, "one challenge too many"},
    {"OK without a proof", TO_AUTH("SCRAM-SHA-256 PLAIN") "> AUTH SCRAM-SHA-256 *\n< 235 ok\n$\n", TLS_NONE,
     "ana", ERROR_SECURITY, SMTP_STAGE_AUTH, "without showing that it knows the password"},
    {"another's nonce",
     TO_AUTH("SCRAM-SHA-256") "> AUTH SCRAM-SHA-256 *\n< 334 cj14LHM9UVE9PSxpPTQwOTY=\n> *\n"
                              "< 501 aborted\n$\n",
     TLS_NONE, "ana", ERROR_SECURITY, SMTP_STAGE_AUTH, "challenge is not acceptable"},
    {"end in the login", TO_AUTH("PLAIN") "> AUTH PLAIN *\n!\n", TLS_NONE, "ana", ERROR_RETRY,
     SMTP_STAGE_AUTH, "closed the connection while logging in"},
    {"211 to AUTH", TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 211 x\n$\n", TLS_NONE, "ana", ERROR_RETRY,
     SMTP_STAGE_AUTH, "reply 211 to AUTH"},
};

static void
test_open(gconstpointer data)
{
    const struct open_case *test = data;
    struct stage_set *set = set_up(test->script, test->tls, test->user);
    g_autoptr(GError) error = NULL;
    start(set);
    gboolean ok = smtp_session_open(set->session, test->user ? "sesame" : NULL, &error);
    if (!ok && !test->code)
        g_error("%s: %s", test->what, error->message);
    g_assert_cmpint(error ? error->code : 0, ==, test->code);
    g_assert_cmpstr(smtp_stage_name(smtp_session_get_stage(set->session)), ==, smtp_stage_name(test->stage));
    g_assert_true(smtp_session_is_usable(set->session) == ok);
    if (!ok)
        assert_words(error, test->words);
    finish(set);
    if (set->player.complaint)
        g_error("%s: %s", test->what, set->player.complaint);
    /* No password, in whatever form, before TLS where TLS is wanted. */
    if (test->tls == TLS_STARTTLS && !ok) {
        g_assert_null(strstr(set->player.heard->str, "AUTH"));
        g_assert_null(strstr(set->player.heard->str, "AGFuYQBzZXNhbWU="));
    }
    tear_down(set);
}

/* A reply that never ends is ended by us: many lines, and one long line. */
static gpointer
babble(gpointer data)
{
    struct stage_set *set = data;
    const char *text = set->player.script;
    while (peer_puts(&set->player.peer, text))
        ;
    peer_close(&set->player.peer);
    return NULL;
}

static void
test_endless(void)
{
    static const struct {
        const char *text, *words;
        int code;
    } cases[] = {{"220-and another thing\r\n", "a reply has no end", ERROR_RETRY},
                 {"220 x", "a line of more than", ERROR_SECURITY}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct stage_set *set = set_up(cases[i].text, TLS_NONE, NULL);
        g_autoptr(GError) error = NULL;
        set->thread = g_thread_new("babble", babble, set);
        g_assert_false(smtp_session_open(set->session, NULL, &error));
        g_assert_cmpint(error->code, ==, cases[i].code);
        assert_words(error, cases[i].words);
        tear_down(set);
    }
}

static void
test_capabilities(void)
{
    struct stage_set *set = set_up(
        HELLO
        "< 250-x greets\n< 250-SIZE 35882577\n< 250-8BITMIME\n< 250-smtputf8\n< 250-PIPELINING\n< 250-DSN\n"
        "< 250-CHUNKING\n< 250-ENHANCEDSTATUSCODES\n< 250-AUTH PLAIN LOGIN\n< 250-AUTH=PLAIN xoauth2\n"
        "< 250 VRFY\n$\n",
        TLS_NONE, NULL);
    start(set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    const struct smtp_capabilities *can = smtp_session_get_capabilities(set->session);
    g_assert_true(can->has_size && can->eightbitmime && can->smtputf8 && can->pipelining && can->dsn &&
                  can->chunking && can->enhanced_codes);
    g_assert_false(can->starttls);
    g_assert_cmpuint(can->size, ==, 35882577);
    g_autofree char *auth = g_strjoinv(" ", (char **)can->auth);
    g_assert_cmpstr(auth, ==, "PLAIN LOGIN XOAUTH2");
    tear_down(set);
}

/* ---- the dialogue that is kept ---- */

static void
note_line(enum stream_direction direction, const char *line, gpointer data)
{
    g_string_append_printf(data, "%c %s\n", direction == STREAM_SENT ? '>' : '<', line);
}

static void
test_dialogue(void)
{
    struct stage_set *set =
        set_up(TO_AUTH("LOGIN") "> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n> YW5h\n< 334 UGFzc3dvcmQ6\n"
                                "> c2VzYW1l\n< 235 2.7.0 ok\n> MAIL *\n< 250 ok\n> RCPT *\n< 250 ok\n"
                                "> DATA\n< 354 go\n= body\n< 250 2.0.0 queued\n> QUIT\n< 221 bye\n",
               TLS_NONE, "ana");
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(struct_smtp_result) result = NULL;
    struct smtp_recipient recipient = {.address = "ben@example.test"};
    struct smtp_message message = {.from = "ana@example.test",
                                   .recipients = &recipient,
                                   .n_recipients = 1,
                                   .content = (const guint8 *)BODY,
                                   .length = strlen(BODY)};
    smtp_session_set_tap(set->session, note_line, log);
    start(set);
    g_assert_true(smtp_session_open(set->session, "sesame", NULL));
    g_assert_true(smtp_session_send(set->session, &message, &result, NULL));
    g_assert_cmpint(result->reply.code, ==, 250);
    g_assert_cmpstr(result->reply.enhanced, ==, "2.0.0");
    g_assert_cmpstr(result->reply.text, ==, "queued");
    smtp_session_close(set->session);
    g_assert_cmpstr(
        log->str, ==,
        "< 220 mail.example.test ESMTP\n> EHLO [127.0.0.1]\n< 250-mail.example.test\n< 250 AUTH LOGIN\n"
        "> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n> <secret>\n< 334 UGFzc3dvcmQ6\n> <secret>\n< 235 2.7.0 ok\n"
        "> MAIL FROM:<ana@example.test>\n< 250 ok\n> RCPT TO:<ben@example.test>\n< 250 ok\n> DATA\n< 354 go\n"
        "> <20 bytes>\n> .\n< 250 2.0.0 queued\n> QUIT\n< 221 bye\n");
    tear_down(set);
}

static void
test_ehlo_name(void)
{
    static const char *const good[] = {"mail.example.test", "[192.0.2.1]", "[IPv6:2001:db8::1]", "localhost"};
    static const char *const bad[] = {"", "a b", "x\r\nMAIL FROM:<e@x>", "a@b", "\303\274", "[", "a]"};
    struct stage_set *set = set_up("< 220 x\n> EHLO mail.example.test\n< 250 x\n$\n", TLS_NONE, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(smtp_session_set_ehlo_name(set->session, bad[i], &error));
        g_assert_error(error, SMTP_ERROR, ERROR_CONFIG);
    }
    for (gint i = (gint)G_N_ELEMENTS(good) - 1; i >= 0; i--)
        g_assert_true(smtp_session_set_ehlo_name(set->session, good[i], NULL));
    start(set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    finish(set);
    g_assert_cmpstr(set->player.complaint, ==, NULL);
    tear_down(set);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    player_begin();
    for (guint i = 0; i < G_N_ELEMENTS(open_cases); i++) {
        g_autofree char *path = g_strdup_printf("/smtp/open/%s", open_cases[i].what);
        g_test_add_data_func(path, &open_cases[i], test_open);
    }
    g_test_add_func("/smtp/endless", test_endless);
    g_test_add_func("/smtp/capabilities", test_capabilities);
    g_test_add_func("/smtp/dialogue", test_dialogue);
    g_test_add_func("/smtp/ehlo-name", test_ehlo_name);
    int result = g_test_run();
    player_end();
    return result;
}
