/* The beginning of IMAP sessions against scripted servers: greeting, STARTTLS, login, what is switched on.
 * Each good beginning is played again in single bytes, and broken off after each byte. */
#include "config.h"

#include "imap_script.h"

/* base64 of NUL ana NUL secret */
#define PLAIN "AGFuYQBzZWNyZXQ="

struct beginning {
    const char *name;
    const char *script;
    int domain_is_stream; /* the error comes from the stream */
    int code;             /* 0: it opens */
    const char *words;    /* of the error */
    guint64 has, has_not;
    struct client client;
};

static const struct beginning plain[] = {
    {"capability in the greeting, then at login",
     "< * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\n"
     "> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 OK [CAPABILITY IMAP4rev1 IDLE MOVE] in\n$\n",
     .has = IMAP_IDLE | IMAP_MOVE, .has_not = IMAP_SASL_IR | IMAP_ID},
    {"capability only when asked, no initial response",
     "< * OK hi\n> P1 CAPABILITY\n< * CAPABILITY IMAP4rev1 AUTH=PLAIN\n< P1 OK\n"
     "> P2 AUTHENTICATE PLAIN\n< + \n> " PLAIN "\n< P2 OK in\n"
     "> P3 CAPABILITY\n< * CAPABILITY IMAP4rev1 UIDPLUS\n< P3 OK\n$\n",
     .has = IMAP_UIDPLUS},
    {"capability as data during the login",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< * CAPABILITY IMAP4rev1 NAMESPACE\n< P1 OK in\n$\n",
     .has = IMAP_NAMESPACE},
    {"SASL-IR offered and not known",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 BAD too many arguments\n> P2 AUTHENTICATE PLAIN\n< +\n> " PLAIN
     "\n< P2 OK [CAPABILITY IMAP4rev1] in\n$\n"},
    {"no mechanism: LOGIN, quoted",
     "< * OK [CAPABILITY IMAP4rev1] hi\n> P1 LOGIN \"ana\" \"a\\\"b\\\\c d\"\n"
     "< P1 OK [CAPABILITY IMAP4rev1] in\n$\n",
     .client = {.secret = "a\"b\\c d"}},
    {"LOGIN with a password that cannot be quoted",
     "< * OK [CAPABILITY IMAP4rev1] hi\n> P1 LOGIN \"ana\" {7}\n< + go on\n> p\xc3\xa4sswd\n"
     "< P1 OK [CAPABILITY IMAP4rev1] in\n$\n",
     .client = {.secret = "p\xc3\xa4sswd"}},
    {"ID and ENABLE in one flight",
     "< * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 OK [CAPABILITY IMAP4rev1 ID ENABLE QRESYNC] in\n"
     "> P2 ID (\"name\" \"postrider\")\n> P3 ENABLE CONDSTORE QRESYNC\n"
     "< * ENABLED QRESYNC\n< P3 OK\n< * ID (\"name\" \"x\")\n< P2 OK\n$\n", /* in the other order */
     .has = IMAP_CONDSTORE | IMAP_QRESYNC},
    {"ENABLE refused",
     "< * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 OK [CAPABILITY IMAP4rev1 ENABLE CONDSTORE QRESYNC] in\n"
     "> P2 ENABLE CONDSTORE QRESYNC\n< P2 BAD no\n$\n",
     .has = IMAP_CONDSTORE, .has_not = IMAP_QRESYNC},
    {"IMAP4rev2 alone stands for what it holds",
     "< * OK [CAPABILITY IMAP4rev2 AUTH=PLAIN] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 OK [CAPABILITY IMAP4rev2] in\n$\n",
     .has = IMAP_MOVE | IMAP_UIDPLUS | IMAP_ESEARCH | IMAP_NAMESPACE, .has_not = IMAP_CONDSTORE},
    {"COMPRESS refused",
     "< * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] in\n> P2 COMPRESS DEFLATE\n< P2 NO [COMPRESSIONACTIVE] "
     "no\n$\n",
     .client = {.compress = TRUE}},
    {"PREAUTH from this machine", "< * PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\n$\n", .has = IMAP_IDLE},
    {"Coremail wants ID, offered or not",
     "< * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] Coremail System IMap Server Ready\n"
     "> P1 AUTHENTICATE PLAIN " PLAIN "\n< P1 OK [CAPABILITY IMAP4rev1] in\n"
     "> P2 ID (\"name\" \"postrider\")\n< * ID NIL\n< P2 OK\n$\n"},
};

static const struct beginning refused[] = {
    {"BYE", "< * BYE [UNAVAILABLE] too \x1b[1mbusy\n$\n", 0, ERROR_RETRY, "\"too \xef\xbf\xbd[1mbusy\""},
    {"another protocol", "< 220 smtp.example.org ESMTP\n$\n", 0, ERROR_RETRY, "not an IMAP server"},
    {"nonsense", "< hello\n$\n", 0, ERROR_RETRY, "not an IMAP server"},
    {"a tagged greeting", "< P1 OK hi\n$\n", 0, ERROR_RETRY, "not an IMAP server"},
    {"nothing", "!\n", 1, ERROR_RETRY, "greeting"},
    {"a literal before the login (crashes libetpan)", "< * OK [BADCHARSET ({3}\\r\\nabc)] hi\n$\n", 1,
     ERROR_SECURITY, NULL},
    {"not IMAP4", "< * OK [CAPABILITY IMAP2bis] hi\n$\n", 0, ERROR_REFUSED, "IMAP4rev1"},
    {"CAPABILITY refused", "< * OK hi\n> P1 CAPABILITY\n< P1 NO x\n$\n", 0, ERROR_REFUSED, NULL},
    {"wrong password",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\n$\n",
     0, ERROR_AUTH, "cannot log in as ana: the server says \"Invalid credentials (Failure)\""},
    {"wrong password, no code",
     "< * OK [CAPABILITY IMAP4rev1] hi\n> P1 LOGIN \"ana\" \"secret\"\n< P1 NO LOGIN failed.\n$\n", 0,
     ERROR_AUTH, "\"LOGIN failed.\""},
    {"login server down",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 NO [UNAVAILABLE] backend down\n$\n",
     0, ERROR_RETRY, "backend down"},
    {"login needs TLS",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< P1 NO [PRIVACYREQUIRED] no\n$\n",
     0, ERROR_SECURITY, NULL},
    {"BYE during the login",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n"
     "< * BYE too many tries\n$\n",
     0, ERROR_RETRY, "too many tries"},
    {"no way to log in", "< * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI] hi\n$\n", 2, 0,
     "localhost: "},
    {"a login without end",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n> P1 AUTHENTICATE PLAIN " PLAIN "\n< + \n$\n", 2,
     0, NULL},
    {"SCRAM whose server proves nothing",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 SASL-IR] hi\n> P1 AUTHENTICATE SCRAM-SHA-256 *\n"
     "< P1 OK [CAPABILITY IMAP4rev1] in\n$\n",
     2, ERROR_SECURITY, NULL},
    {"SCRAM nonsense, broken off",
     "< * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 SASL-IR] hi\n> P1 AUTHENTICATE SCRAM-SHA-256 *\n"
     "< + bm9uc2Vuc2U=\n> *\n< P1 BAD aborted\n$\n",
     2, 0, NULL},
    {"a password with a line break", "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n$\n", 0, ERROR_INPUT,
     "line break", .client = {.secret = "a\r\nP9 DELETE INBOX"}},
    {"an empty password", "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n$\n", 0, ERROR_AUTH, "empty",
     .client = {.secret = ""}},
    {"STARTTLS stripped", "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n$\n", 0, ERROR_SECURITY, "STARTTLS",
     .client = {.tls = TLS_STARTTLS}},
    {"STARTTLS stripped, capability asked",
     "< * OK hi\n> P1 CAPABILITY\n< * CAPABILITY IMAP4rev1\n< P1 OK\n$\n", 0, ERROR_SECURITY,
     "no password was sent", .client = {.tls = TLS_STARTTLS}},
    {"STARTTLS refused", "< * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n> P1 STARTTLS\n< P1 NO later\n$\n", 0,
     ERROR_SECURITY, "later", .client = {.tls = TLS_STARTTLS}},
    {"STARTTLS not understood",
     "< * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n> P1 STARTTLS\n< P1 BAD what\n$\n", 0, ERROR_SECURITY,
     "what", .client = {.tls = TLS_STARTTLS}},
    {"more behind the OK of STARTTLS",
     "< * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n> P1 STARTTLS\n< P1 OK go\n< P2 OK [CAPABILITY IMAP4rev1 "
     "AUTH=PLAIN]\n$\n",
     1, ERROR_SECURITY, NULL, .client = {.tls = TLS_STARTTLS}},
    {"PREAUTH forbids STARTTLS", "< * PREAUTH [CAPABILITY IMAP4rev1] hi\n$\n", 0, ERROR_SECURITY,
     "nothing was sent", .client = {.tls = TLS_STARTTLS}},
};

/* Plays it, and looks at the outcome when it was played in full. */
static gsize
play(const struct beginning *beginning, gboolean bytewise, gssize cut, SSL_CTX *context, const char *ca)
{
    g_autoptr(GError) error = NULL;
    struct client client = beginning->client;
    if (client.tls != TLS_STARTTLS)
        client.tls = *beginning->script == '@' ? TLS_IMPLICIT : TLS_NONE;
    client.ca = ca;
    client.heard = g_string_new(NULL);
    struct script *script = script_start(beginning->script, bytewise, cut, context);
    struct imap *imap = client_open(&client, script, NULL, &error);
    gboolean whole = cut < 0;
    if (whole && error)
        g_test_message("%s", error->message);
    if (whole && beginning->words && !strstr(error ? error->message : "", beginning->words))
        g_error("\"%s\" is not in \"%s\"", beginning->words, error ? error->message : "");
    if (error) {
        g_assert_null(imap);
        g_assert_null(strstr(error->message, client.secret && *client.secret ? client.secret : "secret"));
        g_assert_true(g_str_has_prefix(error->message, "localhost"));
        g_assert_null(strpbrk(error->message, "\r\n\x1b"));
    }
    if (whole && beginning->code)
        g_assert_cmpint(error->code, ==, beginning->code);
    if (whole && beginning->domain_is_stream < 2 && error)
        g_assert_cmpstr(g_quark_to_string(error->domain), ==,
                        g_quark_to_string(beginning->domain_is_stream ? STREAM_ERROR : IMAP_ERROR));
    if (whole && imap) {
        g_assert_true(imap_has(imap, beginning->has));
        g_assert_cmphex(imap_get_extensions(imap) & (beginning->has_not & ~IMAP_QRESYNC), ==, 0);
        if (beginning->has_not & IMAP_QRESYNC)
            g_assert_false(imap_has(imap, IMAP_QRESYNC));
    }
    g_assert_cmpint(imap != NULL, ==, error == NULL);
    imap_free(imap);
    g_string_free(client.heard, TRUE);
    return script_end(script, whole);
}

static void
test_opens(gconstpointer data)
{
    const struct beginning *beginning = data;
    struct client client = beginning->client;
    gsize length = play(beginning, FALSE, -1, NULL, NULL);
    g_assert_cmpuint(play(beginning, TRUE, -1, NULL, NULL), ==, length);
    for (gssize cut = 0; cut < (gssize)length; cut++)
        play(beginning, FALSE, cut, NULL, NULL);
    g_assert_true(client.tls != TLS_STARTTLS);
}

static void
test_refused(gconstpointer data)
{
    const struct beginning *beginning = data;
    gsize length = play(beginning, FALSE, -1, NULL, NULL);
    play(beginning, TRUE, -1, NULL, NULL);
    for (gssize cut = 0; cut < (gssize)length; cut++)
        play(beginning, FALSE, cut, NULL, NULL);
}

/* What was said before TLS counts for nothing after it; alerts of that time are not shown. */
static void
test_starttls(void)
{
    static const struct beginning cases[] = {
        {"capabilities are asked again",
         "< * OK [CAPABILITY IMAP4rev1 STARTTLS MOVE LOGINDISABLED] hi\n> P1 STARTTLS\n"
         "< * NO [ALERT] visit evil.example\n< P1 OK go\n@\n"
         "> P2 CAPABILITY\n< * CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\n< P2 OK\n"
         "> P3 AUTHENTICATE PLAIN " PLAIN "\n< P3 OK [CAPABILITY IMAP4rev1 UIDPLUS] in\n$\n",
         .has = IMAP_UIDPLUS, .has_not = IMAP_MOVE | IMAP_LOGINDISABLED, .client = {.tls = TLS_STARTTLS}},
        {"no mechanism from before",
         "< * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\n> P1 STARTTLS\n< P1 OK go\n@\n"
         "> P2 CAPABILITY\n< * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI\n< P2 OK\n$\n",
         2, 0, "localhost", .client = {.tls = TLS_STARTTLS}},
        {"implicit TLS",
         "@\n< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n> P1 AUTHENTICATE PLAIN\n< + \n> " PLAIN "\n"
         "< P1 OK [CAPABILITY IMAP4rev1 IDLE] in\n$\n",
         .has = IMAP_IDLE, .client = {.tls = TLS_IMPLICIT}},
        {"PREAUTH inside TLS", "@\n< * PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\n$\n", .has = IMAP_IDLE,
         .client = {.tls = TLS_IMPLICIT}},
    };
    struct certificate *authority = fixture_certificate(
        &(struct certificate_spec){.name = "CA", .constraints = "critical,CA:TRUE"}, NULL);
    struct certificate *leaf = fixture_certificate(
        &(struct certificate_spec){.name = "localhost", .san = "DNS:localhost"}, authority);
    g_autofree char *ca = fixture_write_pem(authority->x509);
    SSL_CTX *context = fixture_context(leaf, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct beginning beginning = cases[i];
        g_test_message("%s", beginning.name);
        gsize length = play(&beginning, FALSE, -1, context, ca);
        for (gssize cut = 0; cut < (gssize)length; cut += 3)
            play(&beginning, FALSE, cut, context, ca);
    }
    SSL_CTX_free(context);
    fixture_certificate_free(leaf);
    fixture_certificate_free(authority);
    g_assert_cmpint(g_unlink(ca), ==, 0);
}

/* Silence ends at the limit, in each state, and at once when cancelled. */
static gpointer
cancel_soon(gpointer data)
{
    cancel_trigger(data);
    return NULL;
}

static void
test_silence(void)
{
    static const char *const scripts[] = {
        "$\n",
        "~ * OK hal\n$\n",
        "< * OK hi\n> P1 CAPABILITY\n$\n",
        "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n> P1 AUTHENTICATE PLAIN\n$\n",
        "< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n> P1 AUTHENTICATE PLAIN\n< + \n> " PLAIN "\n$\n",
        "< * PREAUTH [CAPABILITY IMAP4rev1 ID] hi\n> P1 ID *\n$\n",
    };
    for (guint i = 0; i < 2 * G_N_ELEMENTS(scripts); i++) {
        g_autoptr(GError) error = NULL;
        struct client client = {
            .heard = g_string_new(NULL), .tls = TLS_NONE, .command_ms = i % 2 ? 30000 : 50};
        struct cancel *cancel = cancel_new();
        struct script *script = script_start(scripts[i / 2], FALSE, -1, NULL);
        GThread *thread = i % 2 ? g_thread_new("canceller", cancel_soon, cancel) : NULL;
        g_assert_null(client_open(&client, script, cancel, &error));
        int code = i % 2 ? ERROR_CANCELLED : ERROR_RETRY;
        g_assert_error(error, STREAM_ERROR, code);
        if (thread)
            g_thread_join(thread);
        script_end(script, FALSE);
        cancel_unref(cancel);
        g_string_free(client.heard, TRUE);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++) {
        g_autofree char *path = g_strconcat("/imap-open/opens/", plain[i].name, NULL);
        g_test_add_data_func(path, &plain[i], test_opens);
    }
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *path = g_strconcat("/imap-open/refused/", refused[i].name, NULL);
        g_test_add_data_func(path, &refused[i], test_refused);
    }
    g_test_add_func("/imap-open/starttls", test_starttls);
    g_test_add_func("/imap-open/silence", test_silence);
    return g_test_run();
}
