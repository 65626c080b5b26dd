/* proto/smtp: addresses, parameters and content as they go over the wire */
#include "config.h"

#include "smtp_player.h"

/* ---- parameters ---- */

static void
test_parameters(void)
{
    static const struct {
        const char *capabilities, *from, *to, *content, *envid, *orcpt;
        enum smtp_return ret;
        guint notify;
        const char *mail, *rcpt; /* what must be said */
    } cases[] = {
        {"", "a@x.test", "b@x.test", "S: \303\274\r\n\r\n\303\274\r\n", "e1", NULL, SMTP_RETURN_FULL,
         SMTP_NOTIFY_FAILURE, "MAIL FROM:<a@x.test>", "RCPT TO:<b@x.test>"},
        {"< 250-SIZE\n", "a@x.test", "b@x.test", "S: x\n\nb\n", NULL, NULL, 0, 0,
         "MAIL FROM:<a@x.test> SIZE=11", "RCPT TO:<b@x.test>"},
        {"< 250-SIZE 0\n", "a@x.test", "b@x.test", "S: x\n\n.b", NULL, NULL, 0, 0,
         "MAIL FROM:<a@x.test> SIZE=12", "RCPT TO:<b@x.test>"},
        {"< 250-8BITMIME\n< 250-SMTPUTF8\n", "a@x.test", "b@x.test", "S: x\r\n\r\n\303\274\r\n", NULL, NULL,
         0, 0, "MAIL FROM:<a@x.test> BODY=8BITMIME", "RCPT TO:<b@x.test>"},
        {"< 250-8BITMIME\n< 250-SMTPUTF8\n", "a@x.test", "b@x.test", "S: x\r\n\r\nplain\r\n", NULL, NULL, 0,
         0, "MAIL FROM:<a@x.test>", "RCPT TO:<b@x.test>"},
        {"< 250-8BITMIME\n< 250-SMTPUTF8\n", "a@x.test", "b@x.test", "S: \303\274\r\n\r\nx\r\n", NULL, NULL,
         0, 0, "MAIL FROM:<a@x.test> BODY=8BITMIME SMTPUTF8", "RCPT TO:<b@x.test>"},
        {"< 250-8BITMIME\n< 250-SMTPUTF8\n", "a@x.test", "b@x.test", "S: \374\r\n\r\nx\r\n", NULL, NULL, 0, 0,
         "MAIL FROM:<a@x.test> BODY=8BITMIME", "RCPT TO:<b@x.test>"},
        {"< 250-SMTPUTF8\n", "j\303\274@x.test", "b@x.test", BODY, NULL, NULL, 0, 0,
         "MAIL FROM:<j\303\274@x.test> SMTPUTF8", "RCPT TO:<b@x.test>"},
        {"< 250-SMTPUTF8\n", "a@x.test", "b@b\303\274cher.test", BODY, NULL, NULL, 0, 0,
         "MAIL FROM:<a@x.test>", "RCPT TO:<b@xn--bcher-kva.test>"},
        {"< 250-DSN\n", "a@x.test", "b+c=d@x.test", BODY, "id 1+2", NULL, SMTP_RETURN_HEADERS,
         SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY | SMTP_NOTIFY_SUCCESS,
         "MAIL FROM:<a@x.test> RET=HDRS ENVID=id+201+2B2",
         "RCPT TO:<b+c=d@x.test> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b+2Bc+3Dd@x.test"},
        {"< 250-DSN\n", "a@x.test", "b@x.test", BODY, NULL, "first@y.test", SMTP_RETURN_FULL,
         SMTP_NOTIFY_NEVER, "MAIL FROM:<a@x.test> RET=FULL",
         "RCPT TO:<b@x.test> NOTIFY=NEVER ORCPT=rfc822;first@y.test"},
        {"< 250-DSN\n", "a@x.test", "b@x.test", BODY, "line\r\nbreak", "x\r\nDATA", 0, SMTP_NOTIFY_FAILURE,
         "MAIL FROM:<a@x.test>", "RCPT TO:<b@x.test> NOTIFY=FAILURE"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *script =
            g_strdup_printf(HELLO "< 250-x\n%s< 250 HELP\n> %s\n< 250 ok\n> %s\n< 250 ok\n> DATA\n"
                                  "< 451 enough\n$\n",
                            cases[i].capabilities, cases[i].mail, cases[i].rcpt);
        struct stage_set *set = set_up(script, TLS_NONE, NULL);
        struct smtp_recipient recipient = {
            .address = cases[i].to, .notify = cases[i].notify, .orcpt = cases[i].orcpt};
        struct smtp_message message = {.from = cases[i].from,
                                       .recipients = &recipient,
                                       .n_recipients = 1,
                                       .content = (const guint8 *)cases[i].content,
                                       .length = strlen(cases[i].content),
                                       .envid = cases[i].envid,
                                       .ret = cases[i].ret};
        g_autoptr(struct_smtp_result) result = NULL;
        start(set);
        g_assert_true(smtp_session_open(set->session, NULL, NULL));
        g_assert_false(smtp_session_send(set->session, &message, &result, NULL));
        finish(set);
        if (set->player.complaint)
            g_error("%s", set->player.complaint);
        tear_down(set);
    }
}

/* ---- what is refused before a byte is sent ---- */

static void
test_checks(void)
{
    g_autofree char *long_local = g_strnfill(300, 'x');
    g_autofree char *long_address = g_strconcat(long_local, "@x.test", NULL);
    const struct {
        const char *from, *to, *content;
        gsize length; /* 0: strlen */
        const char *words;
    } cases[] = {
        {"a@x.test\r\nRSET", "b@x.test", BODY, 0, "line end"},
        {"a@x.test", "b@x.test>\r\nRCPT TO:<evil@x.test", BODY, 0, "line end"},
        {"a@x.test", "b@x.test\nDATA", BODY, 0, "line end"},
        {"a@x.test", "b@x.test> NOTIFY=NEVER", BODY, 0, "no domain"},
        {"a@x.test", "b>c@x.test", BODY, 0, "needs quotes"},
        {"a@x.test", "b c@x.test", BODY, 0, "needs quotes"},
        {"a@x.test", "b@x.test ", BODY, 0, "no domain"},
        {"a@x.test", "", BODY, 0, "name@domain"},
        {"a@x.test", "ben", BODY, 0, "name@domain"},
        {"a@x.test", "@x.test", BODY, 0, "name@domain"},
        {"a@x.test", "ben@", BODY, 0, "name@domain"},
        {"a@x.test", "b@x..test", BODY, 0, "no domain"},
        {"a@x.test", "b@-x.test", BODY, 0, "no domain"},
        {"a@x.test", "b@\342\200\256x.test", BODY, 0, "control character"},
        {"a@x.test", "b\302\205@x.test", BODY, 0, "control character"},
        {"a@x.test", "b\377@x.test", BODY, 0, "not UTF-8"},
        {"a@x.test", long_address, BODY, 0, "too long"},
        {"ana", "b@x.test", BODY, 0, "name@domain"},
        {"a@x.test", "j\303\274@x.test", BODY, 0, "lacks SMTPUTF8"},
        {"a@x.test", "b@x.test", "S: x\r\n\r\na\0b\r\n", 13, "NUL"},
        {"a@x.test", "b@x.test", "S: x\r\n\r\n0123456789012345678901234567890123456789\r\n", 0, "too large"},
    };
    struct stage_set *set =
        set_up(OPEN("< 250-SIZE 40\n< 250-PIPELINING\n") "> QUIT\n< 221 bye\n$\n", TLS_NONE, NULL);
    start(set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        /* The good one in front does not get it either. */
        struct smtp_recipient recipients[] = {{.address = "good@x.test"}, {.address = cases[i].to}};
        struct smtp_message message = {.from = cases[i].from,
                                       .recipients = recipients,
                                       .n_recipients = 2,
                                       .content = (const guint8 *)cases[i].content,
                                       .length =
                                           cases[i].length ? cases[i].length : strlen(cases[i].content)};
        g_autoptr(struct_smtp_result) result = NULL;
        g_autoptr(GError) error = NULL;
        g_assert_false(smtp_session_send(set->session, &message, &result, &error));
        g_assert_error(error, SMTP_ERROR, ERROR_INPUT);
        assert_words(error, cases[i].words);
        g_assert_cmpint(result->outcome, ==, SMTP_REJECTED);
        g_assert_cmpint(result->stage, ==, SMTP_STAGE_CHECK);
        g_assert_true(smtp_session_is_usable(set->session));
    }
    struct smtp_message nobody = {
        .from = "a@x.test", .content = (const guint8 *)BODY, .length = strlen(BODY)};
    g_autoptr(struct_smtp_result) result = NULL;
    g_assert_false(smtp_session_send(set->session, &nobody, &result, NULL));
    smtp_session_close(set->session);
    finish(set);
    g_assert_cmpstr(set->player.complaint, ==, NULL);
    g_assert_cmpstr(set->player.heard->str, ==, "EHLO [127.0.0.1]\nQUIT\n");
    tear_down(set);
}

static void
test_good_addresses(void)
{
    static const char *const good[] = {"a@x",
                                       "a.b+c@x.test",
                                       "\"a b\"@x.test",
                                       "\"a\\\"b@c\"@x.test",
                                       "a@[192.0.2.1]",
                                       "a@[IPv6:2001:db8::1]",
                                       "o'neil@x.test",
                                       "a..b@x.test",
                                       "j\303\274@x.test",
                                       "!#$%&'*+-/=?^_`{|}~@x.test"};
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        smtp_check_address(good[i], &error);
        g_assert_no_error(error);
    }
}

/* ---- content: one message in, one message out ---- */

static gpointer
swallow(gpointer data)
{
    struct stage_set *set = data;
    static const char *const replies[] = {"250 x\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"};
    peer_puts(&set->player.peer, "220 x\r\n");
    for (guint i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_free(peer_read_line(&set->player.peer));
        peer_puts(&set->player.peer, replies[i]);
    }
    /* Everything up to where a server that knows only CR LF sees the end; then what may still be under way.
     */
    char bytes[4096];
    while (!g_str_has_suffix(set->player.heard->str, "\r\n.\r\n") &&
           strcmp(set->player.heard->str, ".\r\n") != 0) {
        gssize n = peer_read(&set->player.peer, bytes, sizeof bytes);
        if (n <= 0)
            return NULL;
        g_string_append_len(set->player.heard, bytes, n);
    }
    peer_puts(&set->player.peer, "250 ok\r\n");
    while (peer_read(&set->player.peer, bytes, 1) > 0)
        g_string_append_len(set->player.heard, bytes, 1);
    return NULL;
}

static void
test_smuggling(void)
{
    static const char *const ends[] = {"\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", "\n\n", ""};
    static const char *const tricks[] = {".", "..", ".\nMAIL FROM:<e@x>", "x."};
    for (guint a = 0; a < G_N_ELEMENTS(ends); a++)
        for (guint b = 0; b < G_N_ELEMENTS(ends); b++)
            for (guint t = 0; t < G_N_ELEMENTS(tricks); t++) {
                struct stage_set *set = set_up("", TLS_NONE, NULL);
                g_autofree char *content =
                    g_strconcat("S: x\r\n\r\nbody", ends[a], tricks[t], ends[b], "rest", NULL);
                struct smtp_recipient recipient = {.address = "b@x.test"};
                struct smtp_message message = {.from = "a@x.test",
                                               .recipients = &recipient,
                                               .n_recipients = 1,
                                               .content = (const guint8 *)content,
                                               .length = strlen(content)};
                g_autoptr(struct_smtp_result) result = NULL;
                set->thread = g_thread_new("swallow", swallow, set);
                g_assert_true(smtp_session_open(set->session, NULL, NULL));
                g_assert_true(smtp_session_send(set->session, &message, &result, NULL));
                finish(set);
                const char *heard = set->player.heard->str;
                gsize length = set->player.heard->len;
                /* No bare CR or LF: what any server might take for an end is only at the end. */
                for (gsize i = 0; i < length; i++) {
                    g_assert_true(heard[i] != '\r' || heard[i + 1] == '\n');
                    g_assert_true(heard[i] != '\n' || (i > 0 && heard[i - 1] == '\r'));
                }
                g_assert_true(strstr(heard, "\r\n.\r\n") == heard + length - 5);
                /* With the stuffing taken off it is the wire form, which is what a signature covers. */
                g_autoptr(GString) plain = g_string_new_len(heard, (gssize)length - 3);
                g_string_replace(plain, "\r\n.", "\r\n", 0);
                g_autoptr(GByteArray) wire = smtp_wire_form((const guint8 *)content, strlen(content));
                g_assert_cmpmem(plain->str, plain->len, wire->data, wire->len);
                tear_down(set);
            }
}

static void
test_wire_form(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"a", "a\r\n"},
        {"a\n", "a\r\n"},
        {"a\r", "a\r\n"},
        {"a\r\n", "a\r\n"},
        {"\n\n", "\r\n\r\n"},
        {"\r\r\n", "\r\n\r\n"},
        {"\n\r", "\r\n\r\n"},
        {"a\nb\rc\r\nd", "a\r\nb\r\nc\r\nd\r\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) wire = smtp_wire_form((const guint8 *)cases[i].in, strlen(cases[i].in));
        g_assert_cmpmem(wire->data, wire->len, cases[i].out, strlen(cases[i].out));
        /* And again it changes nothing. */
        g_autoptr(GByteArray) again = smtp_wire_form(wire->data, wire->len);
        g_assert_cmpmem(again->data, again->len, wire->data, wire->len);
    }
}

/* A message of many megabytes, with dots in awkward places. */
static void
test_large(void)
{
    struct stage_set *set = set_up("", TLS_NONE, NULL);
    GByteArray *content = g_byte_array_new();
    g_byte_array_append(content, (const guint8 *)".S: x\r\n\r\n", 9);
    for (guint i = 0; content->len < 3 * 1024 * 1024; i++) {
        g_autofree char *line = g_strdup_printf("%s%0*u\r\n", i % 3 ? "" : ".", (int)(i % 97) + 1, i);
        g_byte_array_append(content, (const guint8 *)line, (guint)strlen(line));
    }
    struct smtp_recipient recipient = {.address = "b@x.test"};
    struct smtp_message message = {.from = "a@x.test",
                                   .recipients = &recipient,
                                   .n_recipients = 1,
                                   .content = content->data,
                                   .length = content->len};
    g_autoptr(struct_smtp_result) result = NULL;
    set->thread = g_thread_new("swallow", swallow, set);
    g_assert_true(smtp_session_open(set->session, NULL, NULL));
    g_assert_true(smtp_session_send(set->session, &message, &result, NULL));
    finish(set);
    g_autoptr(GString) plain = g_string_new_len(set->player.heard->str, (gssize)set->player.heard->len - 3);
    g_string_replace(plain, "\r\n.", "\r\n", 0);
    g_assert_cmpmem(plain->str + 1, plain->len - 1, content->data,
                    content->len); /* the first dot doubled as well */
    g_byte_array_unref(content);
    tear_down(set);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    player_begin();
    g_test_add_func("/smtp/parameters", test_parameters);
    g_test_add_func("/smtp/checks", test_checks);
    g_test_add_func("/smtp/good-addresses", test_good_addresses);
    g_test_add_func("/smtp/smuggling", test_smuggling);
    g_test_add_func("/smtp/wire-form", test_wire_form);
    g_test_add_func("/smtp/large", test_large);
    int result = g_test_run();
    player_end();
    return result;
}
