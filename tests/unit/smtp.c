/* proto/smtp: sending against a server that follows a script, and what the result tells */
#include "config.h"

#include "smtp_player.h"

/* ---- sending ---- */

struct send_case {
    const char *what, *script;
    const char *recipients; /* with blanks between */
    gboolean ok;
    enum smtp_outcome outcome;
    enum smtp_stage stage;
    const char *outcomes; /* a letter a recipient: Accepted, Deferred, Rejected, Unknown, Not tried */
    int code;             /* of the error */
    const char *words;
    gboolean usable;  /* afterwards */
    const char *from; /* NULL: ana@example.test */
};

static const struct send_case send_cases[] = {
    {"step by step",
     OPEN("") "> MAIL FROM:<ana@example.test>\n< 250 ok\n> RCPT TO:<ben@example.test>\n< 250 ok\n> DATA\n< "
              "354 go\n= body\n"
              "< 250 2.0.0 queued as 7\n$\n",
     "ben@example.test", TRUE, SMTP_ACCEPTED, SMTP_STAGE_MESSAGE, "A", 0, NULL, TRUE, NULL},
    {"pipelined",
     OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 250 2.0.0 queued as 7\n$\n",
     "ben@example.test", TRUE, SMTP_ACCEPTED, SMTP_STAGE_MESSAGE, "A", 0, NULL, TRUE, NULL},
    {"251 and 252",
     OPEN(PIPE) "> MAIL *\n> RCPT *\n> RCPT *\n> DATA\n< 250 ok\n< 251 will forward\n< 252 cannot verify\n< "
                "354 go\n= body\n"
                "< 250 ok\n$\n",
     "b@x.test c@x.test", TRUE, SMTP_ACCEPTED, SMTP_STAGE_MESSAGE, "AA", 0, NULL, TRUE, NULL},
    {"null sender",
     OPEN(PIPE) "> MAIL FROM:<>\n> RCPT *\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n= body\n< 250 ok\n$\n",
     "b@x.test", TRUE, SMTP_ACCEPTED, SMTP_STAGE_MESSAGE, "A", 0, NULL, TRUE, ""},

    {"sender refused, step by step", OPEN("") "> MAIL *\n< 553 5.7.1 not yours\n$\n", "b@x.test", FALSE,
     SMTP_REJECTED, SMTP_STAGE_MAIL, "R", ERROR_REFUSED, "refused the message (553 5.7.1 not yours)", TRUE,
     NULL},
    {"sender refused, pipelined",
     OPEN(PIPE) "> MAIL *\n> RCPT *\n> RCPT *\n> DATA\n< 550 5.7.1 no\n< 503 no MAIL\n< 503 no MAIL\n< 503 "
                "no\n$\n",
     "b@x.test c@x.test", FALSE, SMTP_REJECTED, SMTP_STAGE_MAIL, "RR", ERROR_REFUSED, "(550 5.7.1 no)", TRUE,
     NULL},
    {"sender deferred", OPEN("") "> MAIL *\n< 451 4.7.1 greylisted\n$\n", "b@x.test", FALSE, SMTP_DEFERRED,
     SMTP_STAGE_MAIL, "D", ERROR_RETRY, "does not take now the message (451 4.7.1", TRUE, NULL},
    {"no room", OPEN("") "> MAIL *\n< 452 4.3.1 full\n$\n", "b@x.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_MAIL,
     "D", ERROR_RETRY, "(452", TRUE, NULL},
    {"wants a login", OPEN("") "> MAIL *\n< 530 5.7.0 authenticate first\n$\n", "b@x.test", FALSE,
     SMTP_REJECTED, SMTP_STAGE_MAIL, "R", ERROR_AUTH, "authenticate first", TRUE, NULL},

    {"recipient refused, step by step", OPEN("") "> MAIL *\n< 250 ok\n> RCPT *\n< 550 5.1.1 unknown\n$\n",
     "b@x.test", FALSE, SMTP_REJECTED, SMTP_STAGE_RCPT, "R", ERROR_REFUSED,
     "refused b@x.test (550 5.1.1 unknown)", TRUE, NULL},
    {"recipient refused, pipelined",
     OPEN(PIPE) "> MAIL *\n> RCPT *\n> DATA\n< 250 ok\n< 550 5.1.1 unknown\n< 554 5.5.1 no valid "
                "recipients\n$\n",
     "b@x.test", FALSE, SMTP_REJECTED, SMTP_STAGE_RCPT, "R", ERROR_REFUSED, "(550 5.1.1", TRUE, NULL},
    {"recipient refused, DATA taken",
     OPEN(PIPE) "> MAIL *\n> RCPT *\n> DATA\n< 250 ok\n< 550 5.1.1 unknown\n< 354 go\n> .\n< 554 no "
                "recipients\n$\n",
     "b@x.test", FALSE, SMTP_REJECTED, SMTP_STAGE_RCPT, "R", ERROR_REFUSED, "(550 5.1.1", TRUE, NULL},
    {"recipient greylisted", OPEN("") "> MAIL *\n< 250 ok\n> RCPT *\n< 450 4.7.1 later\n$\n", "b@x.test",
     FALSE, SMTP_DEFERRED, SMTP_STAGE_RCPT, "D", ERROR_RETRY, "does not take now b@x.test", TRUE, NULL},
    {"one of three refused",
     OPEN(PIPE) "> MAIL *\n> RCPT TO:<b@x.test>\n> RCPT TO:<c@x.test>\n> RCPT TO:<d@x.test>\n> DATA\n< 250 "
                "ok\n< 250 ok\n"
                "< 550 5.1.1 unknown\n< 450 4.2.0 later\n< 354 go\n= body\n< 250 ok\n$\n",
     "b@x.test c@x.test d@x.test", FALSE, SMTP_REJECTED, SMTP_STAGE_RCPT, "ARD", ERROR_REFUSED,
     "refused c@x.test (550", TRUE, NULL},
    {"many refused",
     OPEN(PIPE) "> MAIL *\n> RCPT *\n> RCPT *\n> DATA\n< 250 ok\n< 550 5.1.1 no\n< 550 5.1.1 no\n< 554 "
                "no\n$\n",
     "b@x.test c@x.test", FALSE, SMTP_REJECTED, SMTP_STAGE_RCPT, "RR", ERROR_REFUSED,
     "2 of 2 recipients, the first of them b@x.test", TRUE, NULL},
    {"too many at once, the rest follows",
     OPEN(PIPE) "> MAIL *\n> RCPT TO:<b@x.test>\n> RCPT TO:<c@x.test>\n> DATA\n< 250 ok\n< 250 ok\n< 452 "
                "4.5.3 too many\n"
                "< 354 go\n= body\n< 250 ok\n> MAIL *\n> RCPT TO:<c@x.test>\n> DATA\n< 250 ok\n< 250 ok\n< "
                "354 go\n= body\n"
                "< 250 ok\n$\n",
     "b@x.test c@x.test", TRUE, SMTP_ACCEPTED, SMTP_STAGE_MESSAGE, "AA", 0, NULL, TRUE, NULL},
    {"always one too many",
     OPEN("") "> MAIL *\n< 250 ok\n> RCPT TO:<b@x.test>\n< 452 4.5.3 too many\n> RCPT TO:<c@x.test>\n< 452 "
              "4.5.3 too many\n$\n",
     "b@x.test c@x.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_RCPT, "DD", ERROR_RETRY, "(452", TRUE, NULL},
    {"552 for too many",
     OPEN("") "> MAIL *\n< 250 ok\n> RCPT TO:<b@x.test>\n< 250 ok\n> RCPT TO:<c@x.test>\n< 552 too many\n> "
              "DATA\n< 354 go\n"
              "= body\n< 250 ok\n> MAIL *\n< 250 ok\n> RCPT TO:<c@x.test>\n< 550 no\n$\n",
     "b@x.test c@x.test", FALSE, SMTP_REJECTED, SMTP_STAGE_RCPT, "AR", ERROR_REFUSED, "(550", TRUE, NULL},

    {"DATA refused", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 451 4.3.0 later\n$\n",
     "ben@example.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_DATA, "D", ERROR_RETRY, "(451", TRUE, NULL},
    {"content refused",
     OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 554 5.7.1 spam\n$\n",
     "ben@example.test", FALSE, SMTP_REJECTED, SMTP_STAGE_MESSAGE, "R", ERROR_REFUSED, "(554 5.7.1 spam)",
     TRUE, NULL},
    {"content deferred",
     OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 452 4.3.1 full\n$\n",
     "ben@example.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_MESSAGE, "D", ERROR_RETRY, "(452", TRUE, NULL},
    {"over size at the end",
     OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 552 5.3.4 too big\n$\n",
     "ben@example.test", FALSE, SMTP_REJECTED, SMTP_STAGE_MESSAGE, "R", ERROR_REFUSED, "(552 5.3.4", TRUE,
     NULL},

    {"421 to MAIL", OPEN("") "> MAIL *\n< 421 4.3.2 going down\n$\n", "b@x.test", FALSE, SMTP_DEFERRED,
     SMTP_STAGE_MAIL, "D", ERROR_RETRY, "(421", FALSE, NULL},
    {"421 in the middle",
     OPEN(PIPE) "> MAIL *\n> RCPT *\n> RCPT *\n> DATA\n< 250 ok\n< 250 ok\n< 421 4.3.2 down\n$\n",
     "b@x.test c@x.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_RCPT, "DD", ERROR_RETRY, "(421", FALSE, NULL},
    {"421 to DATA", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 421 4.3.2 down\n$\n", "ben@example.test",
     FALSE, SMTP_DEFERRED, SMTP_STAGE_DATA, "D", ERROR_RETRY, "(421", FALSE, NULL},
    {"421 to the message",
     OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 421 4.3.2 down\n$\n",
     "ben@example.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_MESSAGE, "D", ERROR_RETRY, "(421", FALSE, NULL},
    {"421 before the message", HELLO "< 250 x\n< 421 4.4.2 idle too long\n$\n", "b@x.test", FALSE,
     SMTP_DEFERRED, SMTP_STAGE_READY, "D", ERROR_RETRY, "idle too long", FALSE, NULL},
    {"reply before the message", HELLO "< 250 x\n< 250 surprise\n$\n", "b@x.test", FALSE, SMTP_DEFERRED,
     SMTP_STAGE_READY, "D", ERROR_RETRY, "reply 250 to nothing", FALSE, NULL},
    {"334 to RCPT", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 334 what?\n$\n", "ben@example.test", FALSE,
     SMTP_DEFERRED, SMTP_STAGE_RCPT, "D", ERROR_RETRY, "reply 334 while naming", FALSE, NULL},
    {"250 to DATA", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 250 fine\n$\n", "ben@example.test",
     FALSE, SMTP_DEFERRED, SMTP_STAGE_DATA, "D", ERROR_RETRY, "reply 250 while waiting", FALSE, NULL},
    {"early 250", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n< 250 got it already\n$\n",
     "ben@example.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_DATA, "D", ERROR_RETRY, "reply 250 before the end",
     FALSE, NULL},
    {"early refusal", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n< 552 5.3.4 too big\n$\n",
     "ben@example.test", FALSE, SMTP_REJECTED, SMTP_STAGE_DATA, "R", ERROR_REFUSED, "(552 5.3.4 too big)",
     FALSE, NULL},
    {"early 421", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n< 421 4.3.2 down\n$\n",
     "ben@example.test", FALSE, SMTP_DEFERRED, SMTP_STAGE_DATA, "D", ERROR_RETRY, "(421", FALSE, NULL},
    {"354 to the message", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 354 more\n$\n",
     "ben@example.test", FALSE, SMTP_UNKNOWN, SMTP_STAGE_MESSAGE, "U", ERROR_GIVEUP, "not known whether",
     FALSE, NULL},
    {"nonsense to the message",
     OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< what?\n$\n", "ben@example.test",
     FALSE, SMTP_UNKNOWN, SMTP_STAGE_MESSAGE, "U", ERROR_GIVEUP, "not known whether", FALSE, NULL},
    {"end before DATA", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n!\n", "ben@example.test", FALSE, SMTP_DEFERRED,
     SMTP_STAGE_RCPT, "D", ERROR_RETRY, "closed the connection", FALSE, NULL},
    {"end after the dot", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n!\n",
     "ben@example.test", FALSE, SMTP_UNKNOWN, SMTP_STAGE_MESSAGE, "U", ERROR_GIVEUP,
     "look whether it arrived", FALSE, NULL},
    {"half a reply after the dot",
     OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n~ 250 2.0.0 queu\n!\n",
     "ben@example.test", FALSE, SMTP_UNKNOWN, SMTP_STAGE_MESSAGE, "U", ERROR_GIVEUP, NULL, FALSE, NULL},
    {"end after the dot, one was refused",
     OPEN(PIPE) "> MAIL *\n> RCPT *\n> RCPT *\n> DATA\n< 250 ok\n< 550 no\n< 250 ok\n< 354 go\n= body\n!\n",
     "b@x.test c@x.test", FALSE, SMTP_UNKNOWN, SMTP_STAGE_MESSAGE, "RU", ERROR_GIVEUP, NULL, FALSE, NULL},
    {"stopped after the dot", OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n%\n$\n",
     "ben@example.test", FALSE, SMTP_UNKNOWN, SMTP_STAGE_MESSAGE, "U", ERROR_GIVEUP, "stopped", FALSE, NULL},
    {"stopped before the dot", OPEN(PIPE) "> MAIL *\n> RCPT *\n> DATA\n%\n$\n", "b@x.test", FALSE,
     SMTP_DEFERRED, SMTP_STAGE_MAIL, "D", ERROR_CANCELLED, "stopped", FALSE, NULL},
};

/* The recipients of a case as the message wants them; borrowed from the vector. */
static struct smtp_recipient *
recipients_of(char **addresses)
{
    struct smtp_recipient *recipients = g_new0(struct smtp_recipient, g_strv_length(addresses) + 1);
    for (guint i = 0; addresses[i]; i++)
        recipients[i].address = addresses[i];
    return recipients;
}

static char
outcome_letter(enum smtp_outcome outcome)
{
    return "NADRU"[outcome];
}

static void
test_send(gconstpointer data)
{
    const struct send_case *test = data;
    struct stage_set *set = set_up(test->script, TLS_NONE, NULL);
    g_auto(GStrv) addresses = g_strsplit(test->recipients, " ", -1);
    g_autofree struct smtp_recipient *recipients = recipients_of(addresses);
    struct smtp_message message = {.from = test->from ? test->from : "ana@example.test",
                                   .recipients = recipients,
                                   .n_recipients = g_strv_length(addresses),
                                   .content = (const guint8 *)BODY,
                                   .length = strlen(BODY)};
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_smtp_result) result = NULL;
    start(set);
    if (!smtp_session_open(set->session, NULL, &error))
        g_error("%s", error->message);
    gboolean ok = smtp_session_send(set->session, &message, &result, &error);
    g_autoptr(GString) letters = g_string_new(NULL);
    for (guint i = 0; i < result->n_recipients; i++)
        g_string_append_c(letters, outcome_letter(result->recipients[i].outcome));
    g_assert_cmpstr(letters->str, ==, test->outcomes);
    g_assert_true(ok == test->ok && ok == (error == NULL));
    g_assert_cmpint(outcome_letter(result->outcome), ==, outcome_letter(test->outcome));
    g_assert_cmpstr(smtp_stage_name(result->stage), ==, smtp_stage_name(test->stage));
    g_assert_true(smtp_session_is_usable(set->session) == test->usable);
    if (!ok) {
        g_assert_cmpint(error->code, ==, test->code);
        assert_words(error, test->words);
    }
    finish(set);
    if (set->player.complaint && test->usable)
        g_error("%s: %s", test->what, set->player.complaint);
    tear_down(set);
}

/* ---- the reply of the server, as it is kept ---- */

static void
test_reply(void)
{
    struct stage_set *set =
        set_up(OPEN("") "> MAIL *\n< 250 ok\n> RCPT *\n< 550-5.1.1 <b@x.test>: no such user\n"
                        "< 550-5.1.1 Try \377\033[2J later\n< 550 5.1.1\n$\n",
               TLS_NONE, NULL);
    struct smtp_recipient recipient = {.address = "b@x.test"};
    struct smtp_message message = {.from = "a@x.test",
                                   .recipients = &recipient,
                                   .n_recipients = 1,
                                   .content = (const guint8 *)BODY,
                                   .length = strlen(BODY)};
    g_autoptr(struct_smtp_result) result = NULL;
    g_autoptr(GError) error = NULL;
    start(set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    g_assert_false(smtp_session_send(set->session, &message, &result, &error));
    const struct smtp_reply *reply = &result->recipients[0].reply;
    g_assert_cmpint(reply->code, ==, 550);
    g_assert_cmpstr(reply->enhanced, ==, "5.1.1");
    g_assert_cmpstr(reply->text, ==, "<b@x.test>: no such user\nTry \357\277\275\033[2J later\n");
    assert_words(error, "550 5.1.1 <b@x.test>: no such user Try");
    tear_down(set);
}

/* ---- several messages, many recipients ---- */

static void
test_many_messages(void)
{
    static const char script[] = OPEN(PIPE)                                /* accepted */
        MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 250 one\n" /* refused at RCPT */
        MAIL_RCPT_DATA "< 250 ok\n< 550 no\n< 554 no\n"                    /* so the next starts afresh */
                       "> RSET\n< 250 ok\n" MAIL_RCPT_DATA
                       "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 554 spam\n" /* refused at the end */
        MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 250 two\n> QUIT\n< 221 bye\n$\n";
    static const enum smtp_outcome outcomes[] = {SMTP_ACCEPTED, SMTP_REJECTED, SMTP_REJECTED, SMTP_ACCEPTED};
    struct stage_set *set = set_up(script, TLS_NONE, NULL);
    struct smtp_recipient recipient = {.address = "ben@example.test"};
    struct smtp_message message = {.from = "ana@example.test",
                                   .recipients = &recipient,
                                   .n_recipients = 1,
                                   .content = (const guint8 *)BODY,
                                   .length = strlen(BODY)};
    start(set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        g_autoptr(struct_smtp_result) result = NULL;
        smtp_session_send(set->session, &message, &result, NULL);
        g_assert_cmpint(result->outcome, ==, outcomes[i]);
    }
    smtp_session_close(set->session);
    g_assert_false(smtp_session_is_usable(set->session));
    g_autoptr(struct_smtp_result) result = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_false(smtp_session_send(set->session, &message, &result, &error));
    g_assert_cmpint(result->outcome, ==, SMTP_NOT_TRIED);
    g_assert_error(error, SMTP_ERROR, ERROR_RETRY);
    finish(set);
    g_assert_cmpstr(set->player.complaint, ==, NULL);
    tear_down(set);
}

static void
test_many_recipients(void)
{
    enum { N = 250 };
    g_autoptr(GString) script = g_string_new(OPEN(PIPE));
    g_autofree struct smtp_recipient *recipients = g_new0(struct smtp_recipient, N);
    g_auto(GStrv) addresses = g_new0(char *, N + 1);
    for (guint first = 0; first < N; first += 100) {
        guint n = MIN(100, N - first);
        g_string_append(script, "> MAIL *\n");
        for (guint i = first; i < first + n; i++)
            g_string_append_printf(script, "> RCPT TO:<r%u@x.test>\n", i);
        g_string_append(script, "> DATA\n< 250 ok\n");
        for (guint i = first; i < first + n; i++)
            g_string_append(script, i == 120 ? "< 550 no\n" : "< 250 ok\n");
        g_string_append(script, "< 354 go\n= body\n< 250 ok\n");
    }
    g_string_append(script, "$\n");
    for (guint i = 0; i < N; i++)
        recipients[i].address = addresses[i] = g_strdup_printf("r%u@x.test", i);
    struct stage_set *set = set_up(script->str, TLS_NONE, NULL);
    struct smtp_message message = {.from = "a@x.test",
                                   .recipients = recipients,
                                   .n_recipients = N,
                                   .content = (const guint8 *)BODY,
                                   .length = strlen(BODY)};
    g_autoptr(struct_smtp_result) result = NULL;
    start(set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    g_assert_false(smtp_session_send(set->session, &message, &result, NULL));
    g_assert_cmpuint(result->n_accepted, ==, N - 1);
    g_assert_cmpint(result->recipients[120].outcome, ==, SMTP_REJECTED);
    g_assert_cmpint(result->outcome, ==, SMTP_REJECTED);
    finish(set);
    g_assert_cmpstr(set->player.complaint, ==, NULL);
    tear_down(set);
}

/* The sender refused once stands for all that were to follow. */
static void
test_refusal_spreads(void)
{
    enum { N = 150 };
    g_autofree struct smtp_recipient *recipients = g_new0(struct smtp_recipient, N);
    for (guint i = 0; i < N; i++)
        recipients[i].address = "b@x.test";
    struct stage_set *set = set_up(OPEN("") "> MAIL *\n< 550 5.7.1 not you\n$\n", TLS_NONE, NULL);
    struct smtp_message message = {.from = "a@x.test",
                                   .recipients = recipients,
                                   .n_recipients = N,
                                   .content = (const guint8 *)BODY,
                                   .length = strlen(BODY)};
    g_autoptr(struct_smtp_result) result = NULL;
    start(set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    g_assert_false(smtp_session_send(set->session, &message, &result, NULL));
    for (guint i = 0; i < N; i++) {
        g_assert_cmpint(result->recipients[i].outcome, ==, SMTP_REJECTED);
        g_assert_cmpint(result->recipients[i].reply.code, ==, 550);
    }
    tear_down(set);
}

/* ---- before the dot ---- */

static gboolean
hold_back(gpointer data, GError **error)
{
    *(gboolean *)data = TRUE;
    g_set_error_literal(error, SMTP_ERROR, ERROR_IO, "the queue cannot be written");
    return FALSE;
}

static gboolean
let_go(gpointer data, GError **error)
{
    (void)error;
    *(gboolean *)data = TRUE;
    return TRUE;
}

static void
test_before_dot(void)
{
    for (guint i = 0; i < 2; i++) {
        gboolean called = FALSE;
        struct stage_set *set = set_up(
            OPEN(PIPE) MAIL_RCPT_DATA "< 250 ok\n< 250 ok\n< 354 go\n= body\n< 250 ok\n$\n", TLS_NONE, NULL);
        struct smtp_recipient recipient = {.address = "ben@example.test"};
        struct smtp_message message = {.from = "ana@example.test",
                                       .recipients = &recipient,
                                       .n_recipients = 1,
                                       .content = (const guint8 *)BODY,
                                       .length = strlen(BODY),
                                       .before_dot = i ? let_go : hold_back,
                                       .before_dot_data = &called};
        g_autoptr(struct_smtp_result) result = NULL;
        g_autoptr(GError) error = NULL;
        start(set);
        g_assert_true(smtp_session_open(set->session, NULL, NULL));
        g_assert_true(smtp_session_send(set->session, &message, &result, &error) == (i == 1));
        g_assert_true(called);
        finish(set);
        g_assert_true(set->player.got_dot == (i == 1));
        if (i == 0) {
            g_assert_error(error, SMTP_ERROR, ERROR_IO);
            g_assert_cmpint(result->outcome, ==, SMTP_DEFERRED);
            g_assert_cmpint(result->stage, ==, SMTP_STAGE_DATA);
        }
        tear_down(set);
    }
}

/* ---- the connection cut at every byte of the server's, in clear and under TLS ---- */

static void
test_cut(gconstpointer data)
{
    const enum tls_mode tls = GPOINTER_TO_INT(data);
    static const char script[] =
        TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 235 2.7.0 ok\n> MAIL *\n< 250 2.1.0 ok\n> RCPT *\n"
                         "< 250 2.1.5 ok\n> DATA\n< 354 go on\n= body\n< 250 2.0.0 queued\n$\n";
    g_autofree char *whole = g_strconcat(tls == TLS_IMPLICIT ? "@\n" : "", script, NULL);
    guint accepted = 0, unknown = 0, deferred = 0, unopened = 0;
    for (gssize cut = 0; accepted == 0; cut++) {
        struct stage_set *set = set_up(whole, tls, "ana");
        struct smtp_recipient recipient = {.address = "ben@example.test"};
        struct smtp_message message = {.from = "ana@example.test",
                                       .recipients = &recipient,
                                       .n_recipients = 1,
                                       .content = (const guint8 *)BODY,
                                       .length = strlen(BODY)};
        g_autoptr(struct_smtp_result) result = NULL;
        g_autoptr(GError) error = NULL;
        set->player.cut = cut;
        start(set);
        g_assert_cmpint(cut, <, 1000);
        gboolean opened = smtp_session_open(set->session, "sesame", &error);
        if (opened)
            smtp_session_send(set->session, &message, &result, &error);
        enum smtp_outcome outcome = opened ? result->outcome : SMTP_NOT_TRIED;
        finish(set);
        /* The server's view decides: accepted or unknown only when it had the dot; unknown whenever it had
         * and its word did not arrive. */
        if (set->player.got_dot)
            g_assert_true(outcome == SMTP_UNKNOWN || outcome == SMTP_ACCEPTED);
        else
            g_assert_true(outcome == SMTP_DEFERRED || outcome == SMTP_NOT_TRIED);
        g_assert_true((outcome == SMTP_ACCEPTED) == (error == NULL));
        accepted += outcome == SMTP_ACCEPTED;
        unknown += outcome == SMTP_UNKNOWN;
        deferred += outcome == SMTP_DEFERRED;
        unopened += !opened;
        tear_down(set);
    }
    /* With the whole 354 and nothing more, both are right: it depends on when the end is seen. */
    guint before_dot = strlen("250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n"),
          after = strlen("250 2.0.0 queued\r\n");
    g_assert_cmpuint(unknown, >=, after - 1);
    g_assert_cmpuint(deferred, >=, before_dot);
    g_assert_cmpuint(unknown + deferred, ==, before_dot + after);
    g_assert_cmpuint(unopened, >, 50);
}

/* ---- silence in every state ---- */

static void
test_silence(void)
{
    static const struct {
        const char *script, *words;
        gboolean opens;
        enum smtp_outcome outcome;
    } cases[] = {
        {"$\n", "waiting for the greeting", FALSE, 0},
        {"~ 220-x\n$\n", "waiting for the greeting", FALSE, 0},
        {HELLO "$\n", "greeting the server (EHLO)", FALSE, 0},
        {TO_AUTH("PLAIN") "> AUTH PLAIN *\n$\n", "logging in", FALSE, 0},
        {TO_AUTH("LOGIN") "> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n> YW5h\n$\n", "logging in", FALSE, 0},
        {TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 235 ok\n> MAIL *\n$\n", "announcing the message", TRUE,
         SMTP_DEFERRED},
        {TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 235 ok\n> MAIL *\n< 250 ok\n> RCPT *\n$\n",
         "naming the recipients", TRUE, SMTP_DEFERRED},
        {TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 235 ok\n> MAIL *\n< 250 ok\n> RCPT *\n< 250 ok\n> DATA\n$\n",
         "waiting for leave to send", TRUE, SMTP_DEFERRED},
        {TO_AUTH("PLAIN") "> AUTH PLAIN *\n< 235 ok\n> MAIL *\n< 250 ok\n> RCPT *\n< 250 ok\n> DATA\n< 354 "
                          "go\n= body\n$\n",
         "waiting whether the server takes the message", TRUE, SMTP_UNKNOWN},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct stage_set *set = set_up(cases[i].script, TLS_NONE, "ana");
        struct stream_limits limits = {.connect_ms = 100, .command_ms = 100, .min_rate = 1000000};
        struct smtp_recipient recipient = {.address = "ben@example.test"};
        struct smtp_message message = {.from = "ana@example.test",
                                       .recipients = &recipient,
                                       .n_recipients = 1,
                                       .content = (const guint8 *)BODY,
                                       .length = strlen(BODY)};
        g_autoptr(struct_smtp_result) result = NULL;
        g_autoptr(GError) error = NULL;
        smtp_session_set_limits(set->session, &limits);
        smtp_session_set_dot_limit(set->session, 100);
        start(set);
        gboolean opened = smtp_session_open(set->session, "sesame", &error);
        g_assert_true(opened == cases[i].opens);
        if (opened) {
            g_assert_false(smtp_session_send(set->session, &message, &result, &error));
            g_assert_cmpint(result->outcome, ==, cases[i].outcome);
        }
        assert_words(error, cases[i].words);
        g_assert_cmpint(error->code, ==, cases[i].outcome == SMTP_UNKNOWN ? ERROR_GIVEUP : ERROR_RETRY);
        tear_down(set);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    player_begin();
    for (guint i = 0; i < G_N_ELEMENTS(send_cases); i++) {
        g_autofree char *path = g_strdup_printf("/smtp/send/%s", send_cases[i].what);
        g_test_add_data_func(path, &send_cases[i], test_send);
    }
    g_test_add_func("/smtp/reply", test_reply);
    g_test_add_func("/smtp/many-messages", test_many_messages);
    g_test_add_func("/smtp/many-recipients", test_many_recipients);
    g_test_add_func("/smtp/refusal-spreads", test_refusal_spreads);
    g_test_add_func("/smtp/before-dot", test_before_dot);
    g_test_add_data_func("/smtp/cut/plain", GINT_TO_POINTER(TLS_NONE), test_cut);
    g_test_add_data_func("/smtp/cut/tls", GINT_TO_POINTER(TLS_IMPLICIT), test_cut);
    g_test_add_func("/smtp/silence", test_silence);
    int result = g_test_run();
    player_end();
    return result;
}
