/* proto/sasl: the vectors of the RFCs, the choice of a mechanism, and servers that lie */
#include "config.h"

#include "net/digest.h"
#include "proto/sasl.h"

#include <string.h>

static char *
decode(const char *base64)
{
    gsize length;
    g_autofree guchar *bytes = g_base64_decode(base64, &length);
    return g_strndup((const char *)bytes, length);
}

static char *
encode(const char *text)
{
    return g_base64_encode((const guchar *)text, strlen(text));
}

/* ---- SCRAM: RFC 5802 section 5, RFC 7677 section 3 ---- */

struct scram_vector {
    const char *mechanism, *nonce, *client_first, *server_first, *client_final, *server_final;
};

static const struct scram_vector vectors[] = {
    {"SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
     "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
     "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {"SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
     "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+"
     "Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

static struct sasl *
start(const struct scram_vector *vector)
{
    const char *offered[] = {vector->mechanism, NULL};
    g_autoptr(GError) error = NULL;
    struct sasl *sasl = sasl_new(offered, "user", "pencil", FALSE, &error);
    g_assert_no_error(error);
    sasl_set_nonce(sasl, vector->nonce);
    return sasl;
}

/* The answer in clear, or NULL. */
static char *
step(struct sasl *sasl, const char *challenge, GError **error)
{
    g_autofree char *base64 = challenge ? encode(challenge) : NULL;
    char *answer = sasl_step(sasl, base64, error);
    char *text = answer ? decode(answer) : NULL;
    sasl_reply_free(answer);
    return text;
}

static void
test_scram(gconstpointer data)
{
    const struct scram_vector *vector = data;
    g_autoptr(struct_sasl) sasl = start(vector);
    g_assert_cmpstr(sasl_get_mechanism(sasl), ==, vector->mechanism);
    g_assert_true(sasl_is_client_first(sasl));
    g_autofree char *first = step(sasl, NULL, NULL);
    g_assert_cmpstr(first, ==, vector->client_first);
    g_autofree char *final = step(sasl, vector->server_first, NULL);
    g_assert_cmpstr(final, ==, vector->client_final);
    g_assert_false(sasl_is_complete(sasl));
    g_autofree char *last = step(sasl, vector->server_final, NULL);
    g_assert_cmpstr(last, ==, "");
    g_assert_true(sasl_is_complete(sasl));
    g_assert_true(sasl_finish(sasl, NULL));
    g_assert_null(step(sasl, "v=more", NULL));
}

/* A server that says OK without its proof, or with a wrong one, is not the server. */
static void
test_scram_server_unproved(void)
{
    static const char *const finals[] = {
        "v=rmF9pqV8S7suAoZWja4dJRkFsLQ=",
        "v=",
        "v=AAAA",
        "",
        "x=y",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", /* of another exchange */
    };
    for (guint i = 0; i < G_N_ELEMENTS(finals); i++) {
        g_autoptr(struct_sasl) sasl = start(&vectors[0]);
        g_autoptr(GError) error = NULL;
        g_free(step(sasl, NULL, NULL));
        g_free(step(sasl, vectors[0].server_first, NULL));
        g_assert_null(step(sasl, finals[i], &error));
        g_assert_error(error, SASL_ERROR, ERROR_SECURITY);
        g_assert_false(sasl_is_complete(sasl));
        g_assert_false(sasl_finish(sasl, NULL));
    }
    g_autoptr(struct_sasl) sasl = start(&vectors[0]);
    g_autoptr(GError) error = NULL;
    g_free(step(sasl, NULL, NULL));
    g_assert_false(sasl_finish(sasl, &error));
    g_assert_error(error, SASL_ERROR, ERROR_SECURITY);
    g_clear_error(&error);
    g_free(step(sasl, vectors[0].server_first, NULL));
    g_assert_false(sasl_finish(sasl, &error));
    g_clear_error(&error);
    /* A refusal of the password is another matter. */
    g_assert_null(step(sasl, "e=invalid-proof", &error));
    g_assert_error(error, SASL_ERROR, ERROR_AUTH);
    g_assert_nonnull(strstr(error->message, "invalid-proof"));
}

static void
test_scram_bad_challenges(void)
{
    static const char *const firsts[] = {
        "r=somebodyelse,s=QSXCR+Q6sek8bf92,i=4096",                    /* not our nonce */
        "r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096",        /* only our nonce */
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=1",          /* too cheap to break */
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4294967296", /* too dear */
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=-5",
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096x",
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=,i=4096",
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92",
        "m=needed,r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096", /* mandatory extension */
        "s=QSXCR+Q6sek8bf92,r=fyko+d2lbbFgONRv9qkxdawLx,i=4096",
        "",
    };
    for (guint i = 0; i < G_N_ELEMENTS(firsts); i++) {
        g_autoptr(struct_sasl) sasl = start(&vectors[0]);
        g_autoptr(GError) error = NULL;
        g_free(step(sasl, NULL, NULL));
        g_assert_null(step(sasl, firsts[i], &error));
        g_assert_error(error, SASL_ERROR, ERROR_SECURITY);
    }
    /* NUL inside, and too long. */
    g_autofree char *nul = g_base64_encode((const guchar *)"r=fyko+d2lbbFgONRv9qkxdawLx\0,s=QQ==,i=4096", 42);
    g_autofree char *giant = g_strnfill(100000, 'A');
    const char *const raw[] = {nul, giant};
    for (guint i = 0; i < G_N_ELEMENTS(raw); i++) {
        g_autoptr(struct_sasl) sasl = start(&vectors[0]);
        g_autoptr(GError) error = NULL;
        g_free(step(sasl, NULL, NULL));
        g_assert_null(sasl_step(sasl, raw[i], &error));
        g_assert_error(error, SASL_ERROR, ERROR_SECURITY);
    }
}

static void
test_scram_names(void)
{
    static const struct {
        const char *user, *first;
    } cases[] = {
        {"a=b,c", "n,,n=a=3Db=2Cc,r=x"},
        {"ana@example.org", "n,,n=ana@example.org,r=x"},
        {"I\302\255X", "n,,n=IX,r=x"},   /* RFC 4013 section 3: soft hyphen vanishes */
        {"\302\252", "n,,n=a,r=x"},      /* NFKC */
        {"\342\205\250", "n,,n=IX,r=x"}, /* the same */
        {"a\302\240b", "n,,n=a b,r=x"},  /* no-break space */
        {"J\303\274rgen", "n,,n=J\303\274rgen,r=x"},
    };
    const char *offered[] = {"SCRAM-SHA-256", NULL};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_sasl) sasl = sasl_new(offered, cases[i].user, "x", TRUE, NULL);
        sasl_set_nonce(sasl, "x");
        g_autofree char *first = step(sasl, NULL, NULL);
        g_assert_cmpstr(first, ==, cases[i].first);
    }
    /* Every login has a nonce of its own. */
    g_autoptr(struct_sasl) one = sasl_new(offered, "user", "x", TRUE, NULL);
    g_autoptr(struct_sasl) two = sasl_new(offered, "user", "x", TRUE, NULL);
    g_autofree char *a = step(one, NULL, NULL), *b = step(two, NULL, NULL);
    g_assert_cmpstr(a, !=, b);
    g_assert_cmpuint(strlen(a), >=, strlen("n,,n=user,r=") + 24);
}

/* ---- PLAIN and LOGIN ---- */

static void
test_plain(void)
{
    /* RFC 4616 section 4, without the authorisation identity. */
    const char *offered[] = {"PLAIN", NULL};
    g_autoptr(struct_sasl) sasl = sasl_new(offered, "tim", "tanstaaftanstaaf", TRUE, NULL);
    char *answer = sasl_step(sasl, NULL, NULL);
    gsize length;
    g_autofree guchar *bytes = g_base64_decode(answer, &length);
    g_assert_cmpmem(bytes, length, "\0tim\0tanstaaftanstaaf", 21);
    sasl_reply_free(answer);
    g_assert_true(sasl_finish(sasl, NULL));
    g_assert_null(sasl_step(sasl, "bW9yZT8=", NULL));

    /* A server that asks for the initial response with an empty challenge. */
    g_autoptr(struct_sasl) asked = sasl_new(offered, "tim", "x", TRUE, NULL);
    answer = sasl_step(asked, "", NULL);
    g_assert_cmpstr(answer, ==, "AHRpbQB4");
    sasl_reply_free(answer);
}

static void
test_login(void)
{
    static const char *const prompts[][2] = {
        {"VXNlcm5hbWU6", "UGFzc3dvcmQ6"}, {"VXNlciBOYW1lAA==", "UGFzc3dvcmQA"}, {"", ""}};
    const char *offered[] = {"LOGIN", NULL};
    for (guint i = 0; i < G_N_ELEMENTS(prompts); i++) {
        g_autoptr(struct_sasl) sasl = sasl_new(offered, "tim", "sesame", TRUE, NULL);
        g_assert_false(sasl_is_client_first(sasl));
        char *user = sasl_step(sasl, prompts[i][0], NULL);
        g_assert_cmpstr(user, ==, "dGlt");
        g_assert_false(sasl_finish(sasl, NULL)); /* OK after half of it */
        char *secret = sasl_step(sasl, prompts[i][1], NULL);
        g_assert_cmpstr(secret, ==, "c2VzYW1l");
        g_assert_true(sasl_finish(sasl, NULL));
        g_assert_null(sasl_step(sasl, "", NULL));
        sasl_reply_free(user);
        sasl_reply_free(secret);
    }
}

/* ---- the choice ---- */

static void
test_choice(void)
{
    static const struct {
        const char *offered;
        gboolean confidential;
        const char *chosen; /* NULL: refused with */
        int code;
    } cases[] = {
        {"PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256", TRUE, "SCRAM-SHA-256", 0},
        {"PLAIN LOGIN SCRAM-SHA-1", TRUE, "SCRAM-SHA-1", 0},
        {"LOGIN PLAIN", TRUE, "PLAIN", 0},
        {"CRAM-MD5 DIGEST-MD5 LOGIN", TRUE, "LOGIN", 0},
        {"auth=plain", TRUE, "PLAIN", 0},
        {"AUTH=SCRAM-SHA-256-PLUS AUTH=scram-sha-256", TRUE, "SCRAM-SHA-256", 0},
        {"PLAIN SCRAM-SHA-256", FALSE, "SCRAM-SHA-256", 0},
        {"PLAIN LOGIN", FALSE, NULL, ERROR_SECURITY},
        {"CRAM-MD5 GSSAPI", TRUE, NULL, ERROR_REFUSED},
        {"", TRUE, NULL, ERROR_REFUSED},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) offered = g_strsplit(cases[i].offered, " ", -1);
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_sasl) sasl =
            sasl_new((const char *const *)offered, "user", "secret", cases[i].confidential, &error);
        g_assert_cmpstr(sasl ? sasl_get_mechanism(sasl) : NULL, ==, cases[i].chosen);
        g_assert_true((sasl != NULL) == (error == NULL));
        if (error) {
            g_assert_error(error, SASL_ERROR, cases[i].code);
            g_assert_null(strstr(error->message, "secret"));
        }
    }
}

static void
test_bad_input(void)
{
    g_autofree char *giant = g_strnfill(5000, 'x');
    const struct {
        const char *user, *secret;
        int code;
    } cases[] = {
        {NULL, "x", ERROR_CONFIG},   {"", "x", ERROR_CONFIG},     {"a\r\nb", "x", ERROR_CONFIG},
        {"a\tb", "x", ERROR_CONFIG}, {"\377", "x", ERROR_CONFIG}, {giant, "x", ERROR_CONFIG},
        {"user", NULL, ERROR_AUTH},  {"user", "", ERROR_AUTH},    {"user", "x\n", ERROR_AUTH},
        {"user", giant, ERROR_AUTH},
    };
    const char *offered[] = {"PLAIN", NULL};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(sasl_new(offered, cases[i].user, cases[i].secret, TRUE, &error));
        g_assert_error(error, SASL_ERROR, cases[i].code);
    }
}

/* ---- the primitives: RFC 2202, RFC 4231, RFC 6070 ---- */

static void
test_primitives(void)
{
    guint8 out[DIGEST_SIZE_MAX], random[2][16] = {{0}};
    static const guint8 sha1[] = {0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
                                  0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79};
    static const guint8 pbkdf2[] = {0x4b, 0x00, 0x79, 0x01, 0xb7, 0x65, 0x48, 0x9a, 0xbe, 0xad,
                                    0x49, 0xd9, 0x26, 0xf7, 0x21, 0xd0, 0x65, 0xa4, 0x29, 0xc1};
    static const guint8 sha256[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                    0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                    0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    digest_hmac(DIGEST_SHA1, "Jefe", 4, "what do ya want for nothing?", 28, out);
    g_assert_cmpmem(out, 20, sha1, 20);
    digest_hmac(DIGEST_SHA256, "Jefe", 4, "what do ya want for nothing?", 28, out);
    g_assert_cmpmem(out, 32, sha256, 32);
    digest_pbkdf2(DIGEST_SHA1, "password", "salt", 4, 4096, out);
    g_assert_cmpmem(out, 20, pbkdf2, 20);
    digest_random(random[0], 16);
    digest_random(random[1], 16);
    g_assert_false(secret_equal(random[0], random[1], 16));
    g_assert_true(secret_equal("abc", "abc", 3));
    secret_wipe(random[0], 16);
    memset(random[1], 0, 16);
    g_assert_cmpmem(random[0], 16, random[1], 16);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/sasl/scram-sha-1", &vectors[0], test_scram);
    g_test_add_data_func("/sasl/scram-sha-256", &vectors[1], test_scram);
    g_test_add_func("/sasl/scram-server-unproved", test_scram_server_unproved);
    g_test_add_func("/sasl/scram-bad-challenges", test_scram_bad_challenges);
    g_test_add_func("/sasl/scram-names", test_scram_names);
    g_test_add_func("/sasl/plain", test_plain);
    g_test_add_func("/sasl/login", test_login);
    g_test_add_func("/sasl/choice", test_choice);
    g_test_add_func("/sasl/bad-input", test_bad_input);
    g_test_add_func("/sasl/primitives", test_primitives);
    return g_test_run();
}
