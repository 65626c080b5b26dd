/* proto/pop3: a session against a server that follows a script */
#include "config.h"

#include "proto/pop3.h"

#include "player.h"

#include <string.h>
#include <sys/resource.h>

/* ---- the session under test ---- */

struct stage {
    struct player player;
    struct cancel *cancel;
    GThread *thread;
    struct pop3 *pop3;
    guint asked; /* for the password */
};

static char *
secret(gpointer data, G_GNUC_UNUSED GError **error)
{
    struct stage *stage = data;
    stage->asked++;
    return g_strdup("open sesame");
}

static struct stage *
stage_new(const char *script)
{
    struct stage *stage = g_new0(struct stage, 1);
    stage->cancel = cancel_new();
    stage->player = (struct player){.script = script,
                                    .context = tls_context,
                                    .cancel = stage->cancel,
                                    .heard = g_string_new(NULL),
                                    .cut = -1};
    return stage;
}

static gboolean
stage_open(struct stage *stage, enum tls_mode tls, guint command_ms, GError **error)
{
    struct stream_limits limits = {.connect_ms = 30000, .command_ms = command_ms, .min_rate = 128};
    struct pop3_options options = {.get_secret = secret, .secret_data = stage, .limits = &limits};
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_POP3, tls, "localhost", 110, "ana");
    int fd;
    endpoint->tls_ca = g_strdup(root_file);
    fixture_socketpair(&fd, &stage->player.peer.fd);
    stage->thread = g_thread_new("server", play, &stage->player);
    stage->pop3 = pop3_open_stream(stream_new_for_fd(endpoint, fd, stage->cancel), &options, error);
    return stage->pop3 != NULL;
}

static void
stage_leave(struct stage *stage)
{
    g_clear_pointer(&stage->pop3, pop3_free);
    if (stage->thread)
        g_thread_join(g_steal_pointer(&stage->thread));
}

static void
stage_free(struct stage *stage)
{
    stage_leave(stage);
    g_string_free(stage->player.heard, TRUE);
    g_free(stage->player.complaint);
    cancel_unref(stage->cancel);
    g_free(stage);
}

#define GREETING "< +OK ready\n"
#define CAPA(lines) "> CAPA\n< +OK\n" lines "< .\n"
#define NO_CAPA "> CAPA\n< -ERR what?\n"
#define TOP_UIDL "< TOP\n< UIDL\n"
#define USER_PASS "> USER ana\n< +OK\n> PASS open sesame\n< +OK in\n"
#define PLAIN "> AUTH PLAIN AGFuYQBvcGVuIHNlc2FtZQ==\n"
#define IN GREETING CAPA(TOP_UIDL "< USER\n") USER_PASS
#define IN_PIPE GREETING CAPA(TOP_UIDL "< USER\n< PIPELINING\n") USER_PASS
#define IN_OLD GREETING NO_CAPA USER_PASS

/* ---- opening ---- */

struct open_case {
    const char *what, *script;
    enum tls_mode tls;
    int code; /* of the error; 0: it opens */
    const char *words;
    guint asked;
};

static const struct open_case open_cases[] = {
    {"user", IN "$\n", TLS_NONE, 0, NULL, 1},
    {"user-implicit", "@\n" IN "$\n", TLS_IMPLICIT, 0, NULL, 1},
    {"sasl", GREETING CAPA(TOP_UIDL "< SASL PLAIN LOGIN\n") PLAIN "< +OK in\n$\n", TLS_NONE, 0, NULL, 1},
    {"sasl-login",
     GREETING CAPA(TOP_UIDL "< SASL LOGIN\n") "> AUTH LOGIN\n< + VXNlcm5hbWU6\n> YW5h\n< + UGFzc3dvcmQ6\n"
                                              "> b3BlbiBzZXNhbWU=\n< +OK\n$\n",
     TLS_NONE, 0, NULL, 1},
    {"sasl-unknown", GREETING CAPA(TOP_UIDL "< USER\n< SASL GSSAPI\n") USER_PASS "$\n", TLS_NONE, 0, NULL, 1},
    {"sasl-unknown-alone", GREETING CAPA(TOP_UIDL "< SASL GSSAPI\n") "$\n", TLS_NONE, ERROR_REFUSED, "GSSAPI",
     1},
    {"no-capa", IN_OLD "$\n", TLS_NONE, 0, NULL, 1},
    {"apop",
     "< +OK POP3 <1896.697170952@dbc.mtview.ca.us>\n" CAPA(
         TOP_UIDL) "> APOP ana 1f17f9d4b6ad6e8ec6d1f9a3e6c9cbb1\n",
     TLS_NONE, 0, NULL, 1},
    {"apop-no-timestamp", "< +OK POP3 <1896 69@x>\n" CAPA(TOP_UIDL) "$\n", TLS_NONE, ERROR_REFUSED,
     "no login", 1},
    {"capa-after-login", GREETING CAPA("< USER\n") USER_PASS CAPA(TOP_UIDL "< USER\n") "$\n", TLS_NONE, 0,
     NULL, 1},
    {"utf8", GREETING CAPA(TOP_UIDL "< USER\n< UTF8 USER\n") "> UTF8\n< +OK\n" USER_PASS "$\n", TLS_NONE, 0,
     NULL, 1},
    {"utf8-refused", GREETING CAPA(TOP_UIDL "< USER\n< UTF8\n") "> UTF8\n< -ERR\n" USER_PASS "$\n", TLS_NONE,
     0, NULL, 1},

    {"stls",
     GREETING CAPA("< STLS\n< SASL EVIL\n") "> STLS\n< +OK\n@\n" CAPA(TOP_UIDL "< USER\n") USER_PASS "$\n",
     TLS_STARTTLS, 0, NULL, 1},
    {"stls-no-capa", GREETING NO_CAPA "> STLS\n< +OK\n@\n" NO_CAPA USER_PASS "$\n", TLS_STARTTLS, 0, NULL, 1},
    {"stls-not-offered", GREETING CAPA(TOP_UIDL "< USER\n") "$\n", TLS_STARTTLS, ERROR_SECURITY, "STLS", 0},
    {"stls-refused", GREETING CAPA("< STLS\n") "> STLS\n< -ERR no\n$\n", TLS_STARTTLS, ERROR_SECURITY,
     "refused STLS", 0},
    {"stls-no-capa-refused", GREETING NO_CAPA "> STLS\n< -ERR what?\n$\n", TLS_STARTTLS, ERROR_SECURITY,
     "nothing was sent", 0},
    {"stls-early-bytes", GREETING CAPA("< STLS\n") "> STLS\n< +OK\n< +OK evil\n$\n", TLS_STARTTLS,
     ERROR_SECURITY, "before", 0},
    {"stls-early-half", GREETING CAPA("< STLS\n") "> STLS\n< +OK\n~ +\n$\n", TLS_STARTTLS, ERROR_SECURITY,
     "before", 0},

    {"greeting-refuses", "< -ERR come back\n$\n", TLS_NONE, ERROR_RETRY, "come back", 0},
    {"greeting-perm", "< -ERR [SYS/PERM] closed for ever\n$\n", TLS_NONE, ERROR_REFUSED, "lasting", 0},
    {"greeting-imap", "< * OK IMAP4\n$\n", TLS_NONE, ERROR_RETRY, "is no reply", 0},
    {"greeting-smtp", "< 220 ESMTP\n$\n", TLS_NONE, ERROR_RETRY, "is no reply", 0},
    {"greeting-plus", "< + go\n$\n", TLS_NONE, ERROR_RETRY, "greeting", 0},
    {"in-use", GREETING CAPA("< USER\n") "> USER *\n< +OK\n> PASS *\n< -ERR [IN-USE] locked\n$\n", TLS_NONE,
     ERROR_RETRY, "another program", 1},
    {"login-delay", GREETING CAPA("< USER\n") "> USER *\n< +OK\n> PASS *\n< -ERR [LOGIN-DELAY] slow\n$\n",
     TLS_NONE, ERROR_RETRY, "between two logins", 1},
    {"sys-temp", GREETING CAPA("< SASL PLAIN\n") "> AUTH *\n< -ERR [SYS/TEMP/DISK] full\n$\n", TLS_NONE,
     ERROR_RETRY, "passing", 1},
    {"sys-perm", GREETING CAPA("< SASL PLAIN\n") "> AUTH *\n< -ERR [SYS/PERM] gone\n$\n", TLS_NONE,
     ERROR_REFUSED, "lasting", 1},
    {"auth", GREETING CAPA("< SASL PLAIN\n") "> AUTH *\n< -ERR [AUTH] wrong\n$\n", TLS_NONE, ERROR_AUTH,
     "refused the password for ana", 1},
    {"pass-refused", GREETING NO_CAPA "> USER *\n< +OK\n> PASS *\n< -ERR no\n$\n", TLS_NONE, ERROR_AUTH,
     "refused the password", 1},
    {"unasked", GREETING CAPA("< USER\n") "> USER *\n< +OK\n< -ERR idle too long\n$\n", TLS_NONE, ERROR_RETRY,
     "closing the connection", 1},
    {"capa-without-end", GREETING "> CAPA\n< +OK\n!\n", TLS_NONE, ERROR_RETRY, NULL, 0},
    {"scram-without-proof",
     GREETING CAPA("< SASL SCRAM-SHA-256\n") "> AUTH SCRAM-SHA-256 *\n< +OK welcome\n$\n", TLS_NONE,
     ERROR_SECURITY, "without showing", 1},
};

static void
test_open(gconstpointer data)
{
    const struct open_case *test = data;
    g_autofree char *script = g_strdup(test->script);
    g_autoptr(GError) error = NULL;
    if (!strcmp(test->what, "apop")) { /* RFC 1939 section 7, with our password */
        g_autofree char *sum =
            g_compute_checksum_for_string(G_CHECKSUM_MD5, "<1896.697170952@dbc.mtview.ca.us>open sesame", -1);
        g_free(script);
        script = g_strdup_printf(
            "< +OK POP3 <1896.697170952@dbc.mtview.ca.us>\n" CAPA(TOP_UIDL) "> APOP ana %s\n< +OK\n$\n", sum);
    }
    struct stage *stage = stage_new(script);
    gboolean ok = stage_open(stage, test->tls, 30000, &error);
    if (!test->code && !ok)
        g_error("%s", error->message);
    g_assert_cmpint(ok ? 0 : error->code, ==, test->code);
    if (!ok)
        assert_words(error, test->words);
    g_assert_cmpuint(stage->asked, ==, test->asked);
    stage_leave(stage);
    g_assert_cmpstr(stage->player.complaint, ==, NULL);
    if (!test->asked) {
        g_assert_null(strstr(stage->player.heard->str, "PASS"));
        g_assert_null(strstr(stage->player.heard->str, "AUTH"));
    }
    stage_free(stage);
}

/* ---- lists ---- */

struct list_case {
    const char *what, *script;
    int code;
    const char *words;
    const char *found; /* "uidl/size …" */
};

#define STAT3 "> STAT\n< +OK 3 300\n"
#define LIST3 "> LIST\n< +OK\n< 1 100\n< 2 100\n< 3 100\n< .\n"

static const struct list_case list_cases[] = {
    {"step-by-step", IN STAT3 "> UIDL\n< +OK\n< 1 a\n< 2 b\n< 3 c\n< .\n" LIST3 "$\n", 0, NULL,
     "a/100 b/100 c/100"},
    {"pipelined",
     IN_PIPE "> STAT\n> UIDL\n> LIST\n< +OK 3 300\n< +OK\n< 1 a\n< 2 b\n< 3 c\n< .\n< +OK\n< 1 1\n< 2 2\n< 3 "
             "3\n< .\n$\n",
     0, NULL, "a/1 b/2 c/3"},
    {"empty", IN_PIPE "> STAT\n> UIDL\n> LIST\n< +OK 0 0\n< +OK\n< .\n< +OK\n< .\n$\n", 0, NULL, ""},
    {"no-uidl", IN STAT3 "> UIDL\n< -ERR what?\n" LIST3 "$\n", 0, NULL, "-/100 -/100 -/100"},
    {"no-list", IN STAT3 "> UIDL\n< +OK\n< 1 a\n< 2 b\n< 3 c\n< .\n> LIST\n< -ERR\n$\n", 0, NULL,
     "a/0 b/0 c/0"},
    {"some-without", IN STAT3 "> UIDL\n< +OK\n< 1 a\n< 3 c\n< .\n" LIST3 "$\n", 0, NULL, "a/100 -/100 c/100"},
    {"S9 slashes and dots", IN STAT3 "> UIDL\n< +OK\n< 1 ../../etc/passwd\n< 2 /\n< 3 ..\n< .\n" LIST3 "$\n",
     0, NULL, "../../etc/passwd/100 //100 ../100"},
    {"S9 a stuffed line", IN STAT3 "> UIDL\n< +OK\n< ..\n< 1 a\n< 2 b\n< 3 c\n< .\n" LIST3 "$\n", 0, NULL,
     "a/100 b/100 c/100"},
    {"S9 duplicates", IN STAT3 "> UIDL\n< +OK\n< 1 a\n< 2 a\n< 3 a\n< .\n" LIST3 "$\n", 0, NULL,
     "a/100 a/100 a/100"},
    {"S9 twice the same number", IN STAT3 "> UIDL\n< +OK\n< 1 a\n< 1 b\n< 2 c\n< .\n" LIST3 "$\n", 0, NULL,
     "a/100 c/100 -/100"},
    {"S9 numbers that are none",
     IN STAT3 "> UIDL\n< +OK\n< 0 z\n< 4 z\n< -1 z\n< 99999999999999999999 z\n< x y\n< 2 b\n< .\n" LIST3
              "$\n",
     0, NULL, "-/100 b/100 -/100"},
    {"S9 sizes wrong",
     IN STAT3 "> UIDL\n< +OK\n< 1 a\n< 2 b\n< 3 c\n< .\n> LIST\n< +OK\n< 1 -5\n< 2 99999999999999999999999\n"
              "< 3 huge\n< .\n$\n",
     0, NULL, "a/9223372036854775807 b/9223372036854775807 c/0"},
    {"S9 no terminator", IN STAT3 "> UIDL\n< +OK\n< 1 a\n< 2 b\n< 3 c\n!\n", ERROR_RETRY, NULL, NULL},
    {"S9 no terminator, pipelined",
     IN_PIPE "> STAT\n> UIDL\n> LIST\n< +OK 3 300\n< +OK\n< 1 a\n< +OK\n< 1 1\n< .\n$\n", ERROR_RETRY,
     "without its dot", NULL},
    {"S9 STAT too many", IN "> STAT\n< +OK 4000000000 1\n$\n", ERROR_RETRY, "4000000000 messages", NULL},
    {"S9 STAT no number", IN "> STAT\n< +OK many\n$\n", ERROR_RETRY, "STAT", NULL},
    {"S9 STAT negative", IN "> STAT\n< +OK -1 5\n$\n", ERROR_RETRY, "STAT", NULL},
    {"STAT refused", IN "> STAT\n< -ERR [SYS/TEMP] wait\n$\n", ERROR_RETRY, "passing", NULL},
};

static char *
list_to_string(const struct pop3_entry *entries, guint n)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(out, "%s%s/%" G_GUINT64_FORMAT, i ? " " : "",
                               entries[i].uidl ? entries[i].uidl : "-", entries[i].size);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
test_list(gconstpointer data)
{
    const struct list_case *test = data;
    struct stage *stage = stage_new(test->script);
    g_autoptr(GError) error = NULL;
    guint n = 0;
    if (!stage_open(stage, TLS_NONE, 30000, &error))
        g_error("%s", error->message);
    const struct pop3_entry *entries = pop3_list(stage->pop3, &n, &error);
    g_assert_cmpint(error ? error->code : 0, ==, test->code);
    if (test->code)
        assert_words(error, test->words);
    else {
        g_autofree char *found = list_to_string(entries, n);
        g_assert_cmpstr(found, ==, test->found);
    }
    stage_leave(stage);
    g_assert_cmpstr(stage->player.complaint, ==, NULL);
    stage_free(stage);
}

/* Under AddressSanitizer the script's player needs minutes for a million. */
#ifdef __SANITIZE_ADDRESS__
#define LONG_LIST 20000
#else
#define LONG_LIST 1000000
#endif

/* S9: a list that never ends, and one that is really that long. */
static void
test_many(gconstpointer data)
{
    guint told = GPOINTER_TO_UINT(data);
    g_autoptr(GString) script = g_string_new(IN "> STAT\n");
    g_string_append_printf(script, "< +OK %u 5\n> UIDL\n< +OK\n", told);
    for (guint i = 1; i <= LONG_LIST; i++)
        g_string_append_printf(script, "< %u uidl-%u-00000000\n", i, i);
    g_string_append(script, "< .\n> LIST\n< +OK\n< .\n$\n");
    struct stage *stage = stage_new(script->str);
    g_autoptr(GError) error = NULL;
    guint n = 0;
    struct rusage before, after;
    if (!stage_open(stage, TLS_NONE, 60000, &error))
        g_error("%s", error->message);
    getrusage(RUSAGE_SELF, &before);
    const struct pop3_entry *entries = pop3_list(stage->pop3, &n, &error);
    getrusage(RUSAGE_SELF, &after);
    if (told == LONG_LIST) {
        g_autofree char *last = g_strdup_printf("uidl-%u-00000000", LONG_LIST);
        g_assert_no_error(error);
        g_assert_cmpuint(n, ==, LONG_LIST);
        g_assert_cmpstr(entries[LONG_LIST - 1].uidl, ==, last);
    } else {
        g_assert_error(error, POP3_ERROR, ERROR_RETRY);
        g_assert_nonnull(strstr(error->message, "no end"));
    }
    g_test_message("%ld kB more", after.ru_maxrss - before.ru_maxrss);
    stage_free(stage);
}

/* ---- messages ---- */

struct collected {
    GString *bytes, *log;
    gboolean open;
};

static gboolean
on_begin(guint number, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct collected *collected = data;
    g_assert_false(collected->open);
    collected->open = TRUE;
    g_string_truncate(collected->bytes, 0);
    g_string_append_printf(collected->log, "%u:", number);
    return TRUE;
}

static gboolean
on_write(const void *bytes, gsize length, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct collected *collected = data;
    g_assert_true(collected->open && length > 0);
    g_string_append_len(collected->bytes, bytes, (gssize)length);
    return TRUE;
}

static gboolean
on_end(guint number, const char *refused, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct collected *collected = data;
    g_assert_true(collected->open == (refused == NULL));
    collected->open = FALSE;
    if (refused)
        g_string_append_printf(collected->log, "%u-(%s) ", number, refused);
    else
        g_string_append_printf(collected->log, "%" G_GSIZE_FORMAT " ", collected->bytes->len);
    return TRUE;
}

static const struct {
    const char *wire, *bytes;
    gsize wire_length, length;
} bodies[] = {
#define BODY_CASE(wire, bytes)                                                                               \
    {                                                                                                        \
        wire, bytes, sizeof wire - 1, sizeof bytes - 1                                                       \
    }
    BODY_CASE("a\r\n.\r\n", "a\r\n"),
    BODY_CASE(".\r\n", ""),
    BODY_CASE("\r\n.\r\n", "\r\n"),
    BODY_CASE("..\r\n.\r\n", ".\r\n"),
    BODY_CASE("...\r\n..a\r\na..\r\n.\r\n", "..\r\n.a\r\na..\r\n"),
    BODY_CASE(".b\r\n.\r\n", "b\r\n"), /* stuffed by nobody: RFC 1939 has the dot removed */
    BODY_CASE("a\n.\nb\r\n.\r\n", "a\n.\nb\r\n"),
    BODY_CASE("a\r.\r\n.\r\n", "a\r.\r\n"),
    BODY_CASE("a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n"),
    BODY_CASE("a\r\n.\r\rb\r\n.\r\n", "a\r\n\r\rb\r\n"),
    BODY_CASE("a\r\r\n.\r\n", "a\r\r\n"),
    BODY_CASE("\0\0a\0\r\n..\0\r\n.\r\n", "\0\0a\0\r\n.\0\r\n"),
    BODY_CASE("\r\r\n\n\r\n.\r\n", "\r\r\n\n\r\n"),
    BODY_CASE("\377\376\r\n.\r\n", "\377\376\r\n"),
};

/* A server that gives message n as bodies[n - 1], in pieces of `step` bytes. */
struct dripping {
    struct peer peer;
    gsize step;
};

static gpointer
drip(gpointer data)
{
    struct dripping *server = data;
    peer_puts(&server->peer, "+OK\r\n");
    for (char *line; (line = peer_read_line(&server->peer)); g_free(line)) {
        g_autoptr(GString) answer =
            g_string_new(strcmp(line, "CAPA") ? "+OK\r\n" : "+OK\r\nUSER\r\nPIPELINING\r\n.\r\n");
        if (g_str_has_prefix(line, "RETR ")) {
            gint64 number = g_ascii_strtoll(line + 5, NULL, 10) - 1;
            g_string_append_len(answer, bodies[number].wire, (gssize)bodies[number].wire_length);
        }
        for (gsize i = 0; i < answer->len; i += server->step)
            if (!peer_write(&server->peer, answer->str + i, MIN(server->step, answer->len - i)))
                break;
    }
    peer_close(&server->peer);
    return NULL;
}

static gboolean
compare_body(guint number, const char *refused, gpointer data, GError **error)
{
    struct collected *collected = data;
    g_assert_cmpmem(collected->bytes->str, collected->bytes->len, bodies[number - 1].bytes,
                    bodies[number - 1].length);
    return on_end(number, refused, data, error);
}

static void
test_exact_bytes(gconstpointer data)
{
    struct dripping server = {.step = GPOINTER_TO_SIZE(data)};
    struct stage stage = {0};
    struct pop3_options options = {.get_secret = secret, .secret_data = &stage};
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_POP3, TLS_NONE, "localhost", 110, "ana");
    struct collected collected = {g_string_new(NULL), g_string_new(NULL), FALSE};
    struct pop3_sink sink = {on_begin, on_write, compare_body, &collected};
    g_autoptr(GError) error = NULL;
    guint numbers[G_N_ELEMENTS(bodies)];
    int fd;
    fixture_socketpair(&fd, &server.peer.fd);
    GThread *thread = g_thread_new("drip", drip, &server);
    struct pop3 *pop3 = pop3_open_stream(stream_new_for_fd(endpoint, fd, NULL), &options, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++)
        numbers[i] = i + 1;
    if (!pop3_fetch(pop3, numbers, G_N_ELEMENTS(numbers), POP3_WHOLE, &sink, &error))
        g_error("%s", error->message);
    g_assert_nonnull(strstr(collected.log->str, "14:4 "));
    pop3_free(pop3);
    g_thread_join(thread);
    g_string_free(collected.bytes, TRUE);
    g_string_free(collected.log, TRUE);
}

struct fetch_case {
    const char *what, *script;
    enum pop3_what kind;
    int code;
    const char *words, *log;
};

static const struct fetch_case fetch_cases[] = {
    {"step-by-step", IN "> RETR 3\n< +OK\n< ccc\n< .\n> RETR 1\n< +OK 1 octets\n< a\n< .\n$\n", POP3_WHOLE, 0,
     NULL, "3:5 1:3 "},
    {"pipelined", IN_PIPE "> RETR 3\n> RETR 1\n< +OK\n< ccc\n< .\n< +OK\n< a\n< .\n$\n", POP3_WHOLE, 0, NULL,
     "3:5 1:3 "},
    {"headers", IN_PIPE "> TOP 3 0\n> TOP 1 0\n< +OK\n< x: y\n< \n< .\n< +OK\n< a\n< .\n$\n", POP3_HEADER, 0,
     NULL, "3:8 1:3 "},
    {"one refused", IN_PIPE "> RETR 3\n> RETR 1\n< -ERR no such message\n< +OK\n< a\n< .\n$\n", POP3_WHOLE, 0,
     NULL, "3-(no such message) 1:3 "},
    {"size lies", IN "> RETR 3\n< +OK 99999999999 octets\n< ccc\n< .\n> RETR 1\n< -ERR \033[2J\n$\n",
     POP3_WHOLE, 0, NULL, "3:5 1-(\357\277\275[2J) "},
    {"end inside", IN "> RETR 3\n< +OK\n< ccc\n!\n", POP3_WHOLE, ERROR_RETRY, "closed the connection", "3:"},
    {"nonsense", IN "> RETR 3\n< hello\n$\n", POP3_WHOLE, ERROR_RETRY, "is no reply", ""},
    {"plus", IN "> RETR 3\n< + hello\n$\n", POP3_WHOLE, ERROR_RETRY, "\"+\" to RETR", ""},
    {"closing", IN "< -ERR autologout\n$\n", POP3_WHOLE, ERROR_RETRY, NULL, ""},
};

static void
test_fetch(gconstpointer data)
{
    const struct fetch_case *test = data;
    static const guint numbers[] = {3, 1};
    struct collected collected = {g_string_new(NULL), g_string_new(NULL), FALSE};
    struct pop3_sink sink = {on_begin, on_write, on_end, &collected};
    struct stage *stage = stage_new(test->script);
    g_autoptr(GError) error = NULL;
    if (!stage_open(stage, TLS_NONE, 30000, &error))
        g_error("%s", error->message);
    gboolean ok = pop3_fetch(stage->pop3, numbers, 2, test->kind, &sink, &error);
    g_assert_cmpint(ok ? 0 : error->code, ==, test->code);
    if (!ok)
        assert_words(error, test->words);
    g_assert_cmpstr(collected.log->str, ==, test->log);
    stage_leave(stage);
    g_assert_cmpstr(stage->player.complaint, ==, NULL);
    stage_free(stage);
    g_string_free(collected.bytes, TRUE);
    g_string_free(collected.log, TRUE);
}

static gboolean
refuse_write(G_GNUC_UNUSED const void *bytes, G_GNUC_UNUSED gsize length, G_GNUC_UNUSED gpointer data,
             GError **error)
{
    g_set_error_literal(error, POP3_ERROR, ERROR_IO, "the disk is full");
    return FALSE;
}

/* A disk that is full says so itself; the session is over, as the rest of the message is on its way. */
static void
test_sink_fails(void)
{
    static const guint one = 1;
    struct collected collected = {g_string_new(NULL), g_string_new(NULL), FALSE};
    struct pop3_sink sink = {on_begin, refuse_write, on_end, &collected};
    struct stage *stage = stage_new(IN "> RETR 1\n< +OK\n< ccc\n< .\n$\n");
    g_autoptr(GError) error = NULL;
    g_assert_true(stage_open(stage, TLS_NONE, 30000, NULL));
    g_assert_false(pop3_fetch(stage->pop3, &one, 1, POP3_WHOLE, &sink, &error));
    g_assert_error(error, POP3_ERROR, ERROR_IO);
    g_assert_true(pop3_is_dead(stage->pop3));
    stage_free(stage);
    g_string_free(collected.bytes, TRUE);
    g_string_free(collected.log, TRUE);
}

/* A message without end is cut off at the limit. */
static void
test_message_limit(void)
{
    static const guint one = 1;
    struct collected collected = {g_string_new(NULL), g_string_new(NULL), FALSE};
    struct pop3_sink sink = {on_begin, on_write, on_end, &collected};
    g_autoptr(GString) script = g_string_new(IN_OLD "> RETR 1\n< +OK\n");
    for (guint i = 0; i < 1000; i++)
        g_string_append(script, "< 0123456789abcdef\n");
    g_string_append(script, "$\n");
    struct stage *stage = stage_new(script->str);
    struct pop3_options options = {.get_secret = secret, .secret_data = stage, .message_max = 10000};
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_POP3, TLS_NONE, "localhost", 110, "ana");
    g_autoptr(GError) error = NULL;
    int fd;
    fixture_socketpair(&fd, &stage->player.peer.fd);
    stage->thread = g_thread_new("server", play, &stage->player);
    stage->pop3 = pop3_open_stream(stream_new_for_fd(endpoint, fd, NULL), &options, &error);
    g_assert_no_error(error);
    g_assert_false(pop3_fetch(stage->pop3, &one, 1, POP3_WHOLE, &sink, &error));
    assert_words(error, "larger than 10000");
    g_assert_cmpuint(collected.bytes->len, <=, 10000);
    stage_free(stage);
    g_string_free(collected.bytes, TRUE);
    g_string_free(collected.log, TRUE);
}

/* S4: a line without end, at the greeting and in a list. */
static void
test_endless(void)
{
    g_autofree char *filler = g_strnfill(100000, 'x');
    g_autofree char *greeting = g_strdup_printf("~ +OK %s\n$\n", filler),
                    *list = g_strdup_printf(IN STAT3 "> UIDL\n< +OK\n~ 1 %s\n$\n", filler);
    for (guint i = 0; i < 2; i++) {
        struct stage *stage = stage_new(i ? list : greeting);
        g_autoptr(GError) error = NULL;
        guint n;
        g_assert_true(!stage_open(stage, TLS_NONE, 30000, &error) || !pop3_list(stage->pop3, &n, &error));
        assert_words(error, "a line has no end");
        stage_free(stage);
    }
}

/* ---- deleting ---- */

static void
test_delete(void)
{
    static const guint numbers[] = {2, 5, 9};
    gboolean done[3] = {FALSE, TRUE, FALSE};
    struct stage *stage =
        stage_new(IN_PIPE "> DELE 2\n> DELE 5\n> DELE 9\n< +OK\n< -ERR no\n< +OK\n> QUIT\n< +OK bye\n$\n");
    g_autoptr(GError) error = NULL;
    g_assert_true(stage_open(stage, TLS_NONE, 30000, NULL));
    g_assert_true(pop3_delete(stage->pop3, numbers, 3, done, &error));
    g_assert_true(done[0] && !done[1] && done[2]);
    g_assert_true(pop3_quit(stage->pop3, &error));
    stage_leave(stage);
    g_assert_cmpstr(stage->player.complaint, ==, NULL);
    stage_free(stage);

    stage = stage_new(
        IN "> DELE 2\n< +OK\n> DELE 5\n< +OK\n> DELE 9\n< +OK\n> QUIT\n< -ERR some were not removed\n$\n");
    g_assert_true(stage_open(stage, TLS_NONE, 30000, NULL));
    g_assert_true(pop3_delete(stage->pop3, numbers, 3, done, &error));
    g_assert_false(pop3_quit(stage->pop3, &error));
    assert_words(error, "some were not removed");
    stage_leave(stage);
    g_assert_cmpstr(stage->player.complaint, ==, NULL);
    stage_free(stage);
}

/* ---- N1: cut at every byte; N2: silence in every state ---- */

#define SESSION                                                                                              \
    "> STAT\n> UIDL\n> LIST\n< +OK 2 10\n< +OK\n< 1 a\n< 2 b\n< .\n< +OK\n< 1 5\n< 2 5\n< .\n> RETR 2\n> "   \
    "RETR 1\n< +OK\n"                                                                                        \
    "< bb\n< ..\n< .\n< +OK\n< a\n< .\n> DELE 1\n< +OK\n> QUIT\n< +OK\n$\n"

/* The whole of SESSION; what was told as complete must be so. */
static gboolean
run_session(struct stage *stage, enum tls_mode tls, guint command_ms, struct collected *collected,
            gboolean *quit, GError **error)
{
    static const guint numbers[] = {2, 1}, one = 1;
    struct pop3_sink sink = {on_begin, on_write, on_end, collected};
    gboolean done = FALSE;
    guint n;
    *quit = FALSE;
    if (!stage_open(stage, tls, command_ms, error) || !pop3_list(stage->pop3, &n, error) ||
        !pop3_fetch(stage->pop3, numbers, 2, POP3_WHOLE, &sink, error) ||
        !pop3_delete(stage->pop3, &one, 1, &done, error))
        return FALSE;
    *quit = pop3_quit(stage->pop3, error);
    return *quit;
}

static void
test_cut(gconstpointer data)
{
    enum tls_mode tls = GPOINTER_TO_INT(data);
    g_autofree char *script = g_strconcat(tls == TLS_NONE ? "" : "@\n", IN_PIPE, SESSION, NULL);
    guint cuts = 0;
    for (gssize cut = 0;; cut++) {
        struct collected collected = {g_string_new(NULL), g_string_new(NULL), FALSE};
        struct stage *stage = stage_new(script);
        g_autoptr(GError) error = NULL;
        gboolean quit;
        stage->player.cut = cut;
        gint64 start = g_get_monotonic_time();
        gboolean ok = run_session(stage, tls, 30000, &collected, &quit, &error);
        gboolean whole = stage->player.cut > 0;
        /* Every complete message is told with its true size, and nothing else is told as complete. */
        static const char full[] = "2:7 1:3 ";
        if (!g_str_has_prefix(full, collected.log->str))
            g_error("cut after %d bytes: \"%s\"", (int)cut, collected.log->str);
        if (!ok) {
            g_assert_cmpint(error->code, ==, ERROR_RETRY);
            g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
        }
        stage_free(stage);
        g_string_free(collected.bytes, TRUE);
        g_string_free(collected.log, TRUE);
        cuts++;
        if (ok && whole)
            break;
    }
    g_test_message("%u cuts", cuts);
    g_assert_cmpuint(cuts, >, 130);
}

/* After each thing that the server says, it says nothing more; and half of a line. */
static void
test_silence(void)
{
    g_auto(GStrv) steps = g_strsplit(IN_PIPE SESSION, "\n", -1);
    guint states = 0;
    for (guint i = 0; steps[i] && steps[i][0] != '$'; i++) {
        if (steps[i][0] != '<')
            continue;
        for (guint half = 0; half < 2; half++, states++) {
            struct collected collected = {g_string_new(NULL), g_string_new(NULL), FALSE};
            g_autoptr(GString) script = g_string_new(NULL);
            g_autoptr(GError) error = NULL;
            gboolean quit;
            for (guint k = 0; k < i; k++)
                g_string_append_printf(script, "%s\n", steps[k]);
            if (half)
                g_string_append_printf(script, "~ %.1s\n", steps[i] + 2);
            g_string_append(script, "$\n");
            struct stage *stage = stage_new(script->str);
            g_assert_false(run_session(stage, TLS_NONE, 60, &collected, &quit, &error));
            g_assert_cmpint(error->code, ==, ERROR_RETRY);
            g_assert_false(quit);
            stage_free(stage);
            g_string_free(collected.bytes, TRUE);
            g_string_free(collected.log, TRUE);
        }
    }
    g_test_message("%u states", states);
    g_assert_cmpuint(states, >=, 40);
}

/* Stopped in the middle: at once, whatever the time limits. */
static void
test_cancel(void)
{
    struct stage *stage = stage_new(IN "> STAT\n%\n$\n");
    g_autoptr(GError) error = NULL;
    guint n;
    g_assert_true(stage_open(stage, TLS_NONE, 30000, NULL));
    gint64 start = g_get_monotonic_time();
    g_assert_null(pop3_list(stage->pop3, &n, &error));
    g_assert_cmpint(error->code, ==, ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 10 * G_USEC_PER_SEC);
    stage_free(stage);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    player_begin();
    for (guint i = 0; i < G_N_ELEMENTS(open_cases); i++) {
        g_autofree char *name = g_strdup_printf("/pop3/open/%s", open_cases[i].what);
        g_test_add_data_func(name, &open_cases[i], test_open);
    }
    for (guint i = 0; i < G_N_ELEMENTS(list_cases); i++) {
        g_autofree char *name = g_strdup_printf("/pop3/list/%s", list_cases[i].what);
        g_test_add_data_func(name, &list_cases[i], test_list);
    }
    g_test_add_data_func("/pop3/list/S9 a million", GUINT_TO_POINTER(LONG_LIST), test_many);
    g_test_add_data_func("/pop3/list/S9 a million of three", GUINT_TO_POINTER(3), test_many);
    g_test_add_data_func("/pop3/bytes/one-by-one", GSIZE_TO_POINTER(1), test_exact_bytes);
    g_test_add_data_func("/pop3/bytes/by-three", GSIZE_TO_POINTER(3), test_exact_bytes);
    g_test_add_data_func("/pop3/bytes/at-once", GSIZE_TO_POINTER(1000), test_exact_bytes);
    for (guint i = 0; i < G_N_ELEMENTS(fetch_cases); i++) {
        g_autofree char *name = g_strdup_printf("/pop3/fetch/%s", fetch_cases[i].what);
        g_test_add_data_func(name, &fetch_cases[i], test_fetch);
    }
    g_test_add_func("/pop3/fetch/sink-fails", test_sink_fails);
    g_test_add_func("/pop3/fetch/limit", test_message_limit);
    g_test_add_func("/pop3/endless", test_endless);
    g_test_add_func("/pop3/delete", test_delete);
    g_test_add_data_func("/pop3/cut/plain", GINT_TO_POINTER(TLS_NONE), test_cut);
    g_test_add_data_func("/pop3/cut/tls", GINT_TO_POINTER(TLS_IMPLICIT), test_cut);
    g_test_add_func("/pop3/silence", test_silence);
    g_test_add_func("/pop3/cancel", test_cancel);
    int result = g_test_run();
    player_end();
    return result;
}
