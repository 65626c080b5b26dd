/* net/stream: which certificates and TLS peers are accepted, over implicit TLS and over STARTTLS */
#include "config.h"

#include "net/stream.h"

#include "tls_fixture.h"

#include <signal.h>

enum peer_behaviour { PEER_ECHOES, PEER_CUTS, PEER_SAYS_GOODBYE };

struct server {
    struct peer peer;
    SSL_CTX *context;
    gboolean starttls;
    enum peer_behaviour behaviour;
    const char *ahead;  /* sent in one piece with the reply to STARTTLS */
    GString *plain;     /* what came before TLS */
    GString *protected; /* what came inside */
};

static gpointer
server_thread(gpointer data)
{
    struct server *server = data;
    struct peer *peer = &server->peer;
    if (server->starttls) {
        g_autofree char *line = peer_read_line(peer);
        g_string_append(server->plain, line ? line : "");
        g_autofree char *reply = g_strconcat("220 go\r\n", server->ahead, NULL);
        peer_puts(peer, reply);
    }
    if (peer_accept_tls(peer, server->context)) {
        g_autofree char *line = peer_read_line(peer);
        if (line) {
            g_string_append(server->protected, line);
            peer_puts(peer, line);
            if (server->behaviour == PEER_ECHOES)
                peer_puts(peer, "\r\n");
            else if (server->behaviour == PEER_SAYS_GOODBYE)
                SSL_shutdown(peer->ssl);
        }
    }
    if (server->behaviour == PEER_ECHOES && peer->ssl)
        SSL_shutdown(peer->ssl);
    peer_close(peer);
    return NULL;
}

struct outcome {
    enum stream_fault fault;
    enum certificate_fault certificate;
    int code;
    char *message;
    GString *plain, *protected;
};

static void
outcome_clear(struct outcome *outcome)
{
    g_free(outcome->message);
    g_string_free(outcome->plain, TRUE);
    g_string_free(outcome->protected, TRUE);
}

/* Connects, sends a secret when it may, and waits for its echo. */
static struct outcome
talk(const struct endpoint *endpoint, SSL_CTX *context, enum peer_behaviour behaviour, const char *ahead)
{
    struct server server = {.context = context,
                            .behaviour = behaviour,
                            .starttls = endpoint->tls == TLS_STARTTLS,
                            .ahead = ahead,
                            .plain = g_string_new(NULL),
                            .protected = g_string_new(NULL)};
    int fd;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    fixture_socketpair(&fd, &server.peer.fd);
    GThread *thread = g_thread_new("server", server_thread, &server);
    struct stream *stream = stream_new_for_fd(endpoint, fd, NULL);
    gboolean ok = stream_connect(stream, &error);
    if (ok && server.starttls)
        ok = stream_puts(stream, "STARTTLS\r\n", &error) && stream_flush(stream, &error) &&
             stream_read_line(stream, STREAM_LINE_MAX, line, &error) && stream_start_tls(stream, &error);
    if (ok) {
        g_assert_true(stream_has_tls(stream));
        g_assert_true(stream_is_confidential(stream));
        stream_set_private(stream, TRUE);
        ok = stream_puts(stream, "sesame\r\n", &error) &&
             stream_read_line(stream, STREAM_LINE_MAX, line, &error);
    }
    if (ok)
        g_assert_cmpstr(line->str, ==, "sesame");
    else
        g_assert_nonnull(error);
    struct outcome outcome = {.fault = stream_get_fault(stream),
                              .certificate = stream_get_certificate_fault(stream),
                              .code = error ? error->code : 0,
                              .message = g_strdup(error ? error->message : ""),
                              .plain = server.plain,
                              .protected = server.protected};
    g_assert_true(ok == (outcome.fault == STREAM_OK));
    if (!ok) {
        /* Dead, and it says the same again. */
        g_autoptr(GError) again = NULL;
        g_assert_true(stream_is_dead(stream));
        g_assert_false(stream_puts(stream, "x", &again));
        g_assert_cmpstr(again->message, ==, error->message);
    }
    stream_free(stream);
    g_thread_join(thread);
    return outcome;
}

/* ---- the matrix of certificates ---- */

static const struct certificate_spec root_spec = {"Test Root", .constraints = "critical,CA:TRUE",
                                                  .usage = "keyCertSign,cRLSign"};

struct certificate_case {
    const char *what;
    const char *host; /* as configured */
    struct certificate_spec leaf;
    enum certificate_fault expected;
    /* The issuer between root and leaf: NULL name for none; whether the server sends it. */
    struct certificate_spec between;
    gboolean withhold;
    enum { BY_ROOT, BY_ITSELF, BY_STRANGER } signer;
    const char *words; /* must be in the message */
};

#define CA "critical,CA:TRUE"
static const struct certificate_case certificate_cases[] = {
    {"good", "localhost", {"x", "DNS:localhost"}, CERTIFICATE_OK},
    {"several names", "localhost", {"x", "DNS:a.test,DNS:localhost,DNS:b.test"}, CERTIFICATE_OK},
    {"case does not matter", "LocalHost", {"x", "DNS:LOCALHOST"}, CERTIFICATE_OK},
    {"trailing dot", "mail.example.test.", {"x", "DNS:mail.example.test"}, CERTIFICATE_OK},
    {"address", "127.0.0.1", {"x", "IP:127.0.0.1"}, CERTIFICATE_OK},
    {"address of version 6", "::1", {"x", "IP:::1"}, CERTIFICATE_OK},
    {"wildcard", "mail.example.test", {"x", "DNS:*.example.test"}, CERTIFICATE_OK},
    {"international name", "b\303\274cher.example", {"x", "DNS:xn--bcher-kva.example"}, CERTIFICATE_OK},
    {"server purpose",
     "localhost",
     {"x", "DNS:localhost", .eku = "serverAuth", .usage = "digitalSignature"},
     CERTIFICATE_OK},
    {"chain", "localhost", {"x", "DNS:localhost"}, CERTIFICATE_OK, .between = {"Between", .constraints = CA}},
    {"RSA of 2048 bits", "localhost", {"x", "DNS:localhost", .rsa_bits = 2048}, CERTIFICATE_OK},

    {"expired", "localhost", {"x", "DNS:localhost", -30, -2}, CERTIFICATE_EXPIRED, .words = "expired on 20"},
    {"not yet valid",
     "localhost",
     {"x", "DNS:localhost", 2, 30},
     CERTIFICATE_NOT_YET_VALID,
     .words = "not valid before 20"},
    {"other host",
     "localhost",
     {"x", "DNS:mail.example.test,IP:192.0.2.7"},
     CERTIFICATE_OTHER_HOST,
     .words = "is for mail.example.test, 192.0.2.7, not for localhost"},
    {"address where only names are", "127.0.0.1", {"x", "DNS:localhost"}, CERTIFICATE_OTHER_HOST},
    {"address written as a name", "127.0.0.1", {"x", "DNS:127.0.0.1"}, CERTIFICATE_OTHER_HOST},
    {"other address", "127.0.0.1", {"x", "IP:127.0.0.2"}, CERTIFICATE_OTHER_HOST},
    {"common name only", "localhost", {"localhost", NULL}, CERTIFICATE_OTHER_HOST, .words = "no host"},
    {"common name beside another", "localhost", {"localhost", "DNS:a.test"}, CERTIFICATE_OTHER_HOST},
    {"NUL in the name",
     "localhost",
     {"x", .raw_dns = "localhost\0.evil.test", .raw_length = 20},
     CERTIFICATE_OTHER_HOST},
    {"control bytes in the name",
     "localhost",
     {"x", .raw_dns = "\033]0;x\a", .raw_length = 6},
     CERTIFICATE_OTHER_HOST},
    {"bare star", "localhost", {"x", "DNS:*"}, CERTIFICATE_OTHER_HOST},
    {"star over a top-level domain", "mail.test", {"x", "DNS:*.test"}, CERTIFICATE_OTHER_HOST},
    {"two stars", "a.b.example.test", {"x", "DNS:*.*.example.test"}, CERTIFICATE_OTHER_HOST},
    {"part of a label", "mail.example.test", {"x", "DNS:ma*.example.test"}, CERTIFICATE_OTHER_HOST},
    {"star over two labels", "a.b.example.test", {"x", "DNS:*.example.test"}, CERTIFICATE_OTHER_HOST},
    {"star in the middle", "mail.x.example.test", {"x", "DNS:mail.*.example.test"}, CERTIFICATE_OTHER_HOST},
    {"star for the domain itself", "example.test", {"x", "DNS:*.example.test"}, CERTIFICATE_OTHER_HOST},
    {"star in an A-label",
     "xn--bcher-kva.example.test",
     {"x", "DNS:xn--*.example.test"},
     CERTIFICATE_OTHER_HOST},

    {"self-signed",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_SELF_SIGNED,
     .signer = BY_ITSELF,
     .words = "tls-pin"},
    {"self-signed and expired",
     "localhost",
     {"x", "DNS:localhost", -30, -2},
     CERTIFICATE_EXPIRED,
     .signer = BY_ITSELF},
    {"unknown issuer",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_UNKNOWN_ISSUER,
     .signer = BY_STRANGER,
     .words = "tls-ca"},
    {"intermediate missing",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_UNKNOWN_ISSUER,
     .between = {"Between", .constraints = CA},
     .withhold = TRUE},
    {"issuer that is no CA",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_BAD_ISSUER,
     .between = {"Between", .constraints = "critical,CA:FALSE"}},
    {"issuer that may not sign",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_BAD_ISSUER,
     .between = {"Between", .constraints = CA, .usage = "cRLSign"}},
    {"issuer for other names",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_BAD_ISSUER,
     .between = {"Between", .constraints = CA, .names = "critical,permitted;DNS:example.test"}},
    {"issuer that excludes the name",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_BAD_ISSUER,
     .between = {"Between", .constraints = CA, .names = "critical,excluded;DNS:localhost"}},
    {"issuer expired",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_EXPIRED,
     .between = {"Between", NULL, -30, -2, CA},
     .words = "issuer"},
    {"issuer with a small key",
     "localhost",
     {"x", "DNS:localhost"},
     CERTIFICATE_WEAK,
     .between = {"Between", .constraints = CA, .rsa_bits = 1024}},
    {"for clients only", "localhost", {"x", "DNS:localhost", .eku = "clientAuth"}, CERTIFICATE_WRONG_PURPOSE},
    {"for mail signing only",
     "localhost",
     {"x", "DNS:localhost", .eku = "emailProtection"},
     CERTIFICATE_WRONG_PURPOSE},
    {"key for lists only",
     "localhost",
     {"x", "DNS:localhost", .usage = "cRLSign"},
     CERTIFICATE_WRONG_PURPOSE},
    {"RSA of 1024 bits", "localhost", {"x", "DNS:localhost", .rsa_bits = 1024}, CERTIFICATE_WEAK},
    {"signed with SHA-1", "localhost", {"x", "DNS:localhost", .sha1 = TRUE}, CERTIFICATE_WEAK},
};

static struct certificate *root, *stranger;
static char *root_file;

static void
test_certificate(gconstpointer data)
{
    const struct certificate_case *test = data;
    struct certificate *between = test->between.name ? fixture_certificate(&test->between, root) : NULL;
    const struct certificate *signer = test->signer == BY_ITSELF     ? NULL
                                       : test->signer == BY_STRANGER ? stranger
                                       : between                     ? between
                                                                     : root;
    struct certificate *leaf = fixture_certificate(&test->leaf, signer);
    struct certificate *chain[] = {test->withhold ? NULL : between, NULL};
    SSL_CTX *context = fixture_context(leaf, chain);
    static const enum tls_mode modes[] = {TLS_IMPLICIT, TLS_STARTTLS};
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_IMAP, modes[i], test->host, 993, NULL);
        endpoint->tls_ca = g_strdup(root_file);
        struct outcome outcome = talk(endpoint, context, PEER_ECHOES, NULL);
        if (outcome.certificate != test->expected)
            g_test_message("%s", outcome.message);
        g_assert_cmpstr(certificate_fault_name(outcome.certificate), ==,
                        certificate_fault_name(test->expected));
        g_assert_cmpstr(outcome.plain->str, ==, modes[i] == TLS_STARTTLS ? "STARTTLS" : "");
        if (test->expected == CERTIFICATE_OK) {
            g_assert_cmpint(outcome.fault, ==, STREAM_OK);
            g_assert_cmpstr(outcome.protected->str, ==, "sesame");
        } else {
            g_assert_cmpint(outcome.fault, ==, STREAM_CERTIFICATE);
            g_assert_cmpint(outcome.code, ==, ERROR_SECURITY);
            g_assert_cmpuint(outcome.protected->len, ==, 0);
            g_assert_nonnull(strstr(outcome.message, "993: the certificate "));
            g_assert_null(strchr(outcome.message, '\033'));
        }
        if (test->words && !strstr(outcome.message, test->words))
            g_error("\"%s\" is not in \"%s\"", test->words, outcome.message);
        outcome_clear(&outcome);
    }
    SSL_CTX_free(context);
    fixture_certificate_free(leaf);
    fixture_certificate_free(between);
}

/* ---- pins ---- */

static void
test_pins(void)
{
    static const struct {
        const char *what, *host;
        struct certificate_spec leaf;
        gboolean known_issuer, other_pin;
        enum certificate_fault expected;
    } cases[] = {
        {"self-signed", "localhost", {"x", "DNS:localhost"}, FALSE, FALSE, CERTIFICATE_OK},
        {"known issuer too", "localhost", {"x", "DNS:localhost"}, TRUE, FALSE, CERTIFICATE_OK},
        {"expired", "localhost", {"x", "DNS:localhost", -30, -2}, FALSE, FALSE, CERTIFICATE_OK},
        {"other name", "localhost", {"x", "DNS:a.test"}, FALSE, FALSE, CERTIFICATE_OK},
        {"expired and other name",
         "localhost",
         {"x", "DNS:a.test", -30, -2},
         FALSE,
         FALSE,
         CERTIFICATE_OTHER_HOST},
        {"not yet valid",
         "localhost",
         {"x", "DNS:localhost", 2, 30},
         FALSE,
         FALSE,
         CERTIFICATE_NOT_YET_VALID},
        {"weak", "localhost", {"x", "DNS:localhost", .rsa_bits = 1024}, FALSE, FALSE, CERTIFICATE_WEAK},
        {"other purpose",
         "localhost",
         {"x", "DNS:localhost", .eku = "clientAuth"},
         FALSE,
         FALSE,
         CERTIFICATE_WRONG_PURPOSE},
        {"changed", "localhost", {"x", "DNS:localhost"}, FALSE, TRUE, CERTIFICATE_PIN_MISMATCH},
        {"changed, known issuer", "localhost", {"x", "DNS:localhost"}, TRUE, TRUE, CERTIFICATE_PIN_MISMATCH},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct certificate *leaf = fixture_certificate(&cases[i].leaf, cases[i].known_issuer ? root : NULL);
        SSL_CTX *context = fixture_context(leaf, NULL);
        g_autofree char *key = fixture_pin(leaf->x509);
        g_autoptr(struct_endpoint) endpoint =
            endpoint_new(ENDPOINT_IMAP, TLS_IMPLICIT, cases[i].host, 993, NULL);
        endpoint->tls_ca = g_strdup(root_file);
        endpoint->tls_pin = cases[i].other_pin ? fixture_pin(root->x509) : g_strdup(key);
        struct outcome outcome = talk(endpoint, context, PEER_ECHOES, NULL);
        g_test_message("%s: %s", cases[i].what, outcome.message);
        g_assert_cmpstr(certificate_fault_name(outcome.certificate), ==,
                        certificate_fault_name(cases[i].expected));
        g_assert_cmpstr(outcome.protected->str, ==, cases[i].expected == CERTIFICATE_OK ? "sesame" : "");
        if (cases[i].other_pin) {
            g_assert_nonnull(strstr(outcome.message, key));
            g_assert_nonnull(strstr(outcome.message, endpoint->tls_pin));
        }
        outcome_clear(&outcome);
        SSL_CTX_free(context);
        fixture_certificate_free(leaf);
    }
}

static void
test_settings(void)
{
    static const struct {
        const char *ca, *pin, *words;
    } cases[] = {
        {"/nonexistent/ca.pem", NULL, "tls-ca: /nonexistent/ca.pem"},
        {"/dev/null", NULL, "holds no PEM certificate"},
        {NULL, "sha256:abc", "tls-pin: \"sha256:abc\""},
        {NULL, "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "tls-pin"},
        {NULL, "", "tls-pin"},
    };
    struct certificate *leaf = fixture_certificate(&(struct certificate_spec){"x", "DNS:localhost"}, root);
    SSL_CTX *context = fixture_context(leaf, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_endpoint) endpoint =
            endpoint_new(ENDPOINT_IMAP, TLS_IMPLICIT, "localhost", 993, NULL);
        endpoint->tls_ca = g_strdup(cases[i].ca);
        endpoint->tls_pin = g_strdup(cases[i].pin);
        struct outcome outcome = talk(endpoint, context, PEER_ECHOES, NULL);
        g_assert_cmpint(outcome.code, ==, ERROR_CONFIG);
        g_assert_nonnull(strstr(outcome.message, cases[i].words));
        g_assert_cmpuint(outcome.protected->len, ==, 0);
        outcome_clear(&outcome);
    }
    SSL_CTX_free(context);
    fixture_certificate_free(leaf);
}

/* ---- peers that misbehave ---- */

static void
test_versions(void)
{
    static const struct {
        int version;
        gboolean fine;
    } cases[] = {
        {TLS1_VERSION, FALSE}, {TLS1_1_VERSION, FALSE}, {TLS1_2_VERSION, TRUE}, {TLS1_3_VERSION, TRUE}};
    struct certificate *leaf = fixture_certificate(&(struct certificate_spec){"x", "DNS:localhost"}, root);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        SSL_CTX *context = fixture_context(leaf, NULL);
        SSL_CTX_set_min_proto_version(context, cases[i].version);
        SSL_CTX_set_max_proto_version(context, cases[i].version);
        g_autoptr(struct_endpoint) endpoint =
            endpoint_new(ENDPOINT_IMAP, TLS_IMPLICIT, "localhost", 993, NULL);
        endpoint->tls_ca = g_strdup(root_file);
        struct outcome outcome = talk(endpoint, context, PEER_ECHOES, NULL);
        g_assert_cmpint(outcome.fault, ==, cases[i].fine ? STREAM_OK : STREAM_TLS);
        if (!cases[i].fine)
            g_assert_nonnull(strstr(outcome.message, "TLS 1.2"));
        outcome_clear(&outcome);
        SSL_CTX_free(context);
    }
    fixture_certificate_free(leaf);
}

static void
test_endings(void)
{
    static const struct {
        enum peer_behaviour behaviour;
        enum stream_fault fault;
    } cases[] = {{PEER_CUTS, STREAM_TRUNCATED}, {PEER_SAYS_GOODBYE, STREAM_CLOSED}};
    struct certificate *leaf = fixture_certificate(&(struct certificate_spec){"x", "DNS:localhost"}, root);
    SSL_CTX *context = fixture_context(leaf, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            SSL_CTX_set_max_proto_version(context, version);
            g_autoptr(struct_endpoint) endpoint =
                endpoint_new(ENDPOINT_IMAP, TLS_IMPLICIT, "localhost", 993, NULL);
            endpoint->tls_ca = g_strdup(root_file);
            struct outcome outcome = talk(endpoint, context, cases[i].behaviour, NULL);
            g_assert_cmpstr(stream_fault_name(outcome.fault), ==, stream_fault_name(cases[i].fault));
            g_assert_cmpint(outcome.code, ==, ERROR_RETRY);
            outcome_clear(&outcome);
        }
    SSL_CTX_free(context);
    fixture_certificate_free(leaf);
}

static void
test_early_data(void)
{
    static const char *const ahead[] = {"* OK [ALERT] forged\r\n", "x", "250-AUTH PLAIN\r\n250 OK\r\n"};
    struct certificate *leaf = fixture_certificate(&(struct certificate_spec){"x", "DNS:localhost"}, root);
    SSL_CTX *context = fixture_context(leaf, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(ahead); i++) {
        g_autoptr(struct_endpoint) endpoint =
            endpoint_new(ENDPOINT_SMTP, TLS_STARTTLS, "localhost", 587, NULL);
        endpoint->tls_ca = g_strdup(root_file);
        struct outcome outcome = talk(endpoint, context, PEER_ECHOES, ahead[i]);
        g_assert_cmpint(outcome.fault, ==, STREAM_POLICY);
        g_assert_cmpint(outcome.code, ==, ERROR_SECURITY);
        g_assert_cmpuint(outcome.protected->len, ==, 0);
        outcome_clear(&outcome);
    }
    SSL_CTX_free(context);
    fixture_certificate_free(leaf);
}

struct talker {
    struct peer peer;
    const char *says;
};

static gpointer
talker_thread(gpointer data)
{
    struct talker *talker = data;
    char bytes[4096];
    if (recv(talker->peer.fd, bytes, sizeof bytes, 0) > 0)
        peer_puts(&talker->peer, talker->says);
    peer_close(&talker->peer);
    return NULL;
}

/* A plain-text server on the TLS port, and one that only hangs up. */
static void
test_no_tls(void)
{
    static const struct {
        const char *says, *words;
        enum stream_fault fault;
    } cases[] = {
        {"* OK IMAP4rev1 ready\r\n", "does not speak TLS here", STREAM_TLS},
        {"220 smtp.example.test ESMTP\r\n", "does not speak TLS here", STREAM_TLS},
        {"", "during the TLS handshake", STREAM_CLOSED},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct talker talker = {.says = cases[i].says};
        int fd;
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_endpoint) endpoint =
            endpoint_new(ENDPOINT_IMAP, TLS_IMPLICIT, "localhost", 993, NULL);
        fixture_socketpair(&fd, &talker.peer.fd);
        GThread *thread = g_thread_new("talker", talker_thread, &talker);
        g_autoptr(struct_stream) stream = stream_new_for_fd(endpoint, fd, NULL);
        g_assert_false(stream_connect(stream, &error));
        g_assert_cmpstr(stream_fault_name(stream_get_fault(stream)), ==, stream_fault_name(cases[i].fault));
        g_assert_nonnull(strstr(error->message, cases[i].words));
        g_assert_false(stream_has_tls(stream));
        g_thread_join(thread);
    }
}

static void
test_info(void)
{
    struct certificate *leaf = fixture_certificate(&(struct certificate_spec){"x", "DNS:localhost"}, root);
    struct server server = {
        .context = fixture_context(leaf, NULL), .plain = g_string_new(NULL), .protected = g_string_new(NULL)};
    struct stream_info info;
    int fd;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *pin = fixture_pin(leaf->x509);
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_IMAP, TLS_IMPLICIT, "localhost", 993, NULL);
    endpoint->tls_ca = g_strdup(root_file);
    fixture_socketpair(&fd, &server.peer.fd);
    GThread *thread = g_thread_new("server", server_thread, &server);
    g_autoptr(struct_stream) stream = stream_new_for_fd(endpoint, fd, NULL);
    g_assert_true(stream_connect(stream, &error));
    g_assert_true(stream_puts(stream, "sesame\n", &error));
    g_assert_true(stream_read_line(stream, STREAM_LINE_MAX, line, &error));
    stream_get_info(stream, &info);
    g_assert_cmpstr(info.tls, ==, "TLSv1.3");
    g_assert_true(g_str_has_prefix(info.cipher, "TLS_"));
    g_assert_cmpstr(info.key, ==, pin);
    g_assert_cmpuint(info.bytes_in, >, 500); /* the handshake counts */
    g_assert_cmpuint(info.bytes_out, >, 200);
    g_thread_join(thread);
    g_string_free(server.plain, TRUE);
    g_string_free(server.protected, TRUE);
    SSL_CTX_free(server.context);
    fixture_certificate_free(leaf);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN); /* the server ends use plain SSL_write() */
    root = fixture_certificate(&root_spec, NULL);
    stranger = fixture_certificate(&(struct certificate_spec){"Stranger", .constraints = CA}, NULL);
    root_file = fixture_write_pem(root->x509);
    for (guint i = 0; i < G_N_ELEMENTS(certificate_cases); i++) {
        g_autofree char *path = g_strdup_printf("/stream/certificate/%s", certificate_cases[i].what);
        g_test_add_data_func(path, &certificate_cases[i], test_certificate);
    }
    g_test_add_func("/stream/pins", test_pins);
    g_test_add_func("/stream/settings", test_settings);
    g_test_add_func("/stream/versions", test_versions);
    g_test_add_func("/stream/endings", test_endings);
    g_test_add_func("/stream/early-data", test_early_data);
    g_test_add_func("/stream/no-tls", test_no_tls);
    g_test_add_func("/stream/info", test_info);
    int result = g_test_run();
    g_unlink(root_file);
    g_free(root_file);
    fixture_certificate_free(root);
    fixture_certificate_free(stranger);
    return result;
}
