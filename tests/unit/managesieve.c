/* ManageSieve sessions against what a server may say: whole dialogues, lies, and each broken off after every byte */
#include "config.h"

#include "proto/managesieve.h"

#include "base/error.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "\"IMPLEMENTATION\" \"x\"\r\n\"SASL\" \"PLAIN\"\r\n\"SIEVE\" \"fileinto copy\"\r\nOK \"ready\"\r\n"
#define LOGIN HELLO "OK\r\n"

static char *
secret(gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    return g_strdup("pa ss");
}

/* The server has said everything before we ask: what we say is looked at afterwards. */
static struct managesieve *
open_on(const char *said, gsize length, int *peer, GError **error)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_cmpint(write(ends[1], said, length), ==, (gssize) length);
    shutdown(ends[1], SHUT_WR);
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_SIEVE, TLS_NONE, "localhost", 4190, "ana");
    *peer = ends[1];
    return managesieve_open_stream(stream_new_for_fd(endpoint, ends[0], NULL), secret, NULL, error);
}

static char *
heard(int peer)
{
    char buffer[8192];
    gssize n = recv(peer, buffer, sizeof buffer - 1, MSG_DONTWAIT);
    close(peer);
    buffer[MAX(n, 0)] = '\0';
    return g_strdup(buffer);
}

static void
test_open(void)
{
    static const struct {
        const char *said;
        int code;
        const char *words;
    } cases[] = {
        {LOGIN, 0, NULL},
        {"\"SASL\" \"LOGIN PLAIN\"\r\n\"STARTTLS\"\r\n\"SIEVE\" {8}\r\nfileinto\r\nOK (WARNINGS) {2}\r\nhi\r\nOK (TAG \"x\") \"in\"\r\n", 0, NULL},
        {HELLO "NO \"wrong\"\r\n", ERROR_AUTH, "refused the password for ana: wrong"},
        {HELLO "NO\r\n", ERROR_AUTH, "refused the password"},
        {HELLO "BYE \"later\"\r\n", ERROR_AUTH, "later"},
        {"NO \"busy \x1b[31m\"\r\n", ERROR_RETRY, "busy"},
        {"BYE \"go\"\r\n", ERROR_RETRY, "goodbye: go"},
        {"* OK IMAP4rev1\r\n", ERROR_SECURITY, "no server for scripts"},
        {"220 smtp\r\n", ERROR_SECURITY, "no server for scripts"},
        {"\"SASL\" \"X-MAGIC\"\r\nOK\r\n", ERROR_REFUSED, "X-MAGIC"},
        {"\"SIEVE\" {99999999999}\r\n", ERROR_SECURITY, "size"},
        {"\"SIEVE\" {5}x\r\n", ERROR_SECURITY, "size"},
        {"\"SIEVE\" {-1}\r\n", ERROR_SECURITY, "size"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        int peer;
        struct managesieve *session = open_on(cases[i].said, strlen(cases[i].said), &peer, &error);
        if (cases[i].code == 0) {
            g_assert_no_error(error);
            managesieve_free(session);
            g_autofree char *text = heard(peer);
            g_assert_cmpstr(text, ==, "AUTHENTICATE \"PLAIN\" \"AGFuYQBwYSBzcw==\"\r\nLOGOUT\r\n");
            continue;
        }
        g_assert_null(session);
        close(peer);
        if (!error || error->code != cases[i].code || !strstr(error->message, cases[i].words))
            g_error("case %u: %s", i, error ? error->message : "no error");
        g_assert_null(strpbrk(error->message, "\r\n\x1b"));
    }
}

static void
test_scripts(void)
{
    static const char said[] = LOGIN "\"a\"\r\n\"my \\\"own\\\"\" ACTIVE\r\n{3}\r\nc c\r\nOK\r\n"
                                     "{8}\r\nkeep;\r\n\x20\r\nOK\r\nNO (QUOTA/MAXSIZE) \"too big\"\r\nOK (WARNINGS) \"hm\"\r\nOK\r\n";
    g_autoptr(GError) error = NULL;
    int peer;
    struct managesieve *session = open_on(said, sizeof said - 1, &peer, &error);
    g_assert_no_error(error);
    g_autofree char *active = NULL;
    g_auto(GStrv) names = managesieve_list(session, &active, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(names), ==, 3);
    g_assert_cmpstr(active, ==, "my \"own\"");
    g_assert_cmpstr(names[2], ==, "c c");
    g_autofree char *script = managesieve_get(session, "a\r\nLOGOUT", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(script, ==, "keep;\r\n ");
    g_assert_false(managesieve_put(session, "p", "keep;", &error));
    g_assert_error(error, MANAGESIEVE_ERROR, ERROR_REFUSED);
    g_assert_nonnull(strstr(error->message, "too big"));
    g_clear_error(&error);
    g_assert_true(managesieve_put(session, "p", "keep;\n", &error));
    g_assert_true(managesieve_activate(session, "p", &error));
    managesieve_free(session);
    g_autofree char *text = heard(peer);
    g_assert_nonnull(strstr(text, "GETSCRIPT \"aLOGOUT\"\r\n"));
    g_assert_nonnull(strstr(text, "PUTSCRIPT \"p\" {6+}\r\nkeep;\n\r\nSETACTIVE \"p\"\r\nLOGOUT\r\n"));
}

/* Broken off anywhere it is an error, at once, and nothing is made up. */
static void
test_cuts(void)
{
    static const char said[] = LOGIN "\"a\"\r\n\"b\" ACTIVE\r\nOK\r\n";
    for (gsize length = 0; length < sizeof said - 1; length++) {
        g_autoptr(GError) error = NULL;
        int peer;
        struct managesieve *session = open_on(said, length, &peer, &error);
        g_autofree char *active = NULL;
        g_auto(GStrv) names = session ? managesieve_list(session, &active, &error) : NULL;
        g_assert_null(names);
        g_assert_null(active);
        g_assert_nonnull(error);
        managesieve_free(session);
        close(peer);
    }
}

static void
test_endless(void)
{
    g_autoptr(GString) said = g_string_new(LOGIN);
    for (guint i = 0; i < 1000; i++)
        g_string_append(said, "\"x\"\r\n");
    g_autoptr(GError) error = NULL;
    int peer;
    struct managesieve *session = open_on(said->str, said->len, &peer, &error);
    g_autofree char *active = NULL;
    g_assert_null(managesieve_list(session, &active, &error));
    g_assert_error(error, MANAGESIEVE_ERROR, ERROR_SECURITY);
    managesieve_free(session);
    close(peer);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/managesieve/open", test_open);
    g_test_add_func("/managesieve/scripts", test_scripts);
    g_test_add_func("/managesieve/cuts", test_cuts);
    g_test_add_func("/managesieve/endless", test_endless);
    return g_test_run();
}
