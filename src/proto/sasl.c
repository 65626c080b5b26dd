#include "config.h"

#include "proto/sasl.h"

#include "base/text.h"
#include "net/digest.h"

#include <string.h>

#define TEXT_MAX 1024          /* of a user name or secret; an OAuth token may want more one day */
#define CHALLENGE_MAX 4096     /* decoded */
#define ITERATIONS_MIN 1000    /* fewer would give the password away to whoever reads along */
#define ITERATIONS_MAX 1000000 /* half a second of work; more is an attack on the processor */

G_DEFINE_QUARK(postrider - sasl - error, sasl_error)

/* One mechanism: what it is, and how it answers. step() gets the decoded challenge (NULL for the initial
 * response) and returns the answer, to be wiped. */
struct mechanism {
    const char *name;
    gboolean client_first;
    gboolean shows_secret; /* to the server, and to anyone on the line */
    enum digest digest;    /* of SCRAM */
    GString *(*step)(struct sasl *sasl, const char *challenge, gsize length, GError **error);
};

struct sasl {
    const struct mechanism *mechanism;
    char *user, *secret;
    guint turn; /* steps taken */
    gboolean complete;
    /* SCRAM */
    char *nonce;      /* ours */
    char *first_bare; /* client-first-message-bare */
    guint8 server_signature[DIGEST_SIZE_MAX];
};

/* ---- helpers ---- */

static void
wipe_string(GString *string)
{
    if (!string)
        return;
    secret_wipe(string->str, string->allocated_len);
    g_string_free(string, TRUE);
}

static GString *
fail(GError **error, enum error_code code, const char *text)
{
    g_set_error_literal(error, SASL_ERROR, code, text);
    return NULL;
}

static GString *
fail_order(GError **error)
{
    return fail(error, ERROR_RETRY, "the server broke the rules of the login: one challenge too many");
}

/* ---- PLAIN and LOGIN ---- */

static GString *
step_plain(struct sasl *sasl, const char *challenge, gsize length, GError **error)
{
    (void)challenge;
    (void)length;
    if (sasl->turn > 0)
        return fail_order(error);
    GString *answer = g_string_sized_new(2 * TEXT_MAX + 3);
    g_string_append_c(answer, '\0');
    g_string_append(answer, sasl->user);
    g_string_append_c(answer, '\0');
    g_string_append(answer, sasl->secret);
    sasl->complete = TRUE;
    return answer;
}

/* Two questions, whatever their words: servers say "Username:", "User Name", or nothing. */
static GString *
step_login(struct sasl *sasl, const char *challenge, gsize length, GError **error)
{
    (void)length;
    if (!challenge || sasl->turn > 1)
        return fail_order(error);
    sasl->complete = sasl->turn == 1;
    return g_string_new(sasl->turn == 0 ? sasl->user : sasl->secret);
}

/* ---- SCRAM (RFC 5802) ---- */

/* SASLprep (RFC 4013) as far as it matters: non-ASCII blanks become a blank, what is mapped to nothing goes,
 * NFKC. The rare rest (unassigned, bidi) is the server's to judge. */
static char *
prepare(const char *text)
{
    GString *mapped = g_string_sized_new(strlen(text) + 1);
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean nothing = c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180d) ||
                           (c >= 0x200b && c <= 0x200d) || c == 0x2060 || (c >= 0xfe00 && c <= 0xfe0f) ||
                           c == 0xfeff;
        if (c > 127 && g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR)
            g_string_append_c(mapped, ' ');
        else if (!nothing)
            g_string_append_unichar(mapped, c);
    }
    char *prepared = g_utf8_normalize(mapped->str, -1, G_NORMALIZE_NFKC);
    wipe_string(mapped);
    return prepared;
}

static GString *
scram_first(struct sasl *sasl)
{
    if (!sasl->nonce) {
        guint8 random[18];
        digest_random(random, sizeof random);
        sasl->nonce = g_base64_encode(random, sizeof random); /* never a comma */
    }
    g_autofree char *prepared = prepare(sasl->user);
    g_autoptr(GString) user = g_string_new(prepared);
    g_string_replace(user, "=", "=3D", 0);
    g_string_replace(user, ",", "=2C", 0);
    sasl->first_bare = g_strdup_printf("n=%s,r=%s", user->str, sasl->nonce);
    GString *answer = g_string_new("n,,");
    return g_string_append(answer, sasl->first_bare);
}

struct scram_challenge {
    const char *nonce;
    guint8 *salt;
    gsize salt_length;
    guint iterations;
};

/* "r=…,s=…,i=…", extensions after them allowed; "m=" (a mandatory one) is not. */
static gboolean
read_server_first(char **parts, const char *our_nonce, struct scram_challenge *challenge)
{
    guint64 iterations;
    gsize ours = strlen(our_nonce);
    if (g_strv_length(parts) < 3 || !g_str_has_prefix(parts[0], "r=") || !g_str_has_prefix(parts[1], "s=") ||
        !g_str_has_prefix(parts[2], "i="))
        return FALSE;
    challenge->nonce = parts[0] + 2;
    if (strncmp(challenge->nonce, our_nonce, ours) != 0 || challenge->nonce[ours] == '\0')
        return FALSE;
    if (!g_ascii_string_to_unsigned(parts[2] + 2, 10, ITERATIONS_MIN, ITERATIONS_MAX, &iterations, NULL))
        return FALSE;
    challenge->iterations = (guint)iterations;
    challenge->salt = g_base64_decode(parts[1] + 2, &challenge->salt_length);
    return challenge->salt_length > 0;
}

/* RFC 5802 section 3. Leaves the signature that the server must show. */
static void
scram_prove(struct sasl *sasl, const struct scram_challenge *challenge, const char *server_first,
            const char *final_bare, guint8 *proof)
{
    enum digest kind = sasl->mechanism->digest;
    gsize size = digest_size(kind);
    guint8 salted[DIGEST_SIZE_MAX], client_key[DIGEST_SIZE_MAX], stored_key[DIGEST_SIZE_MAX];
    guint8 server_key[DIGEST_SIZE_MAX], signature[DIGEST_SIZE_MAX];
    g_autofree char *message = g_strdup_printf("%s,%s,%s", sasl->first_bare, server_first, final_bare);
    char *password = prepare(sasl->secret);

    digest_pbkdf2(kind, password, challenge->salt, challenge->salt_length, challenge->iterations, salted);
    digest_hmac(kind, salted, size, "Client Key", strlen("Client Key"), client_key);
    digest_hash(kind, client_key, size, stored_key);
    digest_hmac(kind, stored_key, size, message, strlen(message), signature);
    for (gsize i = 0; i < size; i++)
        proof[i] = client_key[i] ^ signature[i];
    digest_hmac(kind, salted, size, "Server Key", strlen("Server Key"), server_key);
    digest_hmac(kind, server_key, size, message, strlen(message), sasl->server_signature);

    secret_free(password);
    secret_wipe(salted, sizeof salted);
    secret_wipe(client_key, sizeof client_key);
    secret_wipe(stored_key, sizeof stored_key);
    secret_wipe(server_key, sizeof server_key);
    secret_wipe(signature, sizeof signature);
}

static GString *
scram_answer(struct sasl *sasl, const char *server_first, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(server_first, ",", 8);
    struct scram_challenge challenge = {0};
    if (!read_server_first(parts, sasl->nonce, &challenge)) {
        g_free(challenge.salt);
        return fail(error, ERROR_SECURITY,
                    "the server's SCRAM challenge is not acceptable: it may not be the server "
                    "that knows the password");
    }
    g_autofree char *final_bare = g_strdup_printf("c=biws,r=%s", challenge.nonce);
    guint8 proof[DIGEST_SIZE_MAX];
    scram_prove(sasl, &challenge, server_first, final_bare, proof);
    g_autofree char *base64 = g_base64_encode(proof, digest_size(sasl->mechanism->digest));
    g_free(challenge.salt);
    GString *answer = g_string_new(final_bare);
    g_string_append_printf(answer, ",p=%s", base64);
    return answer;
}

static GString *
scram_check_server(struct sasl *sasl, const char *server_final, GError **error)
{
    gsize length = 0, size = digest_size(sasl->mechanism->digest);
    if (g_str_has_prefix(server_final, "e=")) {
        g_autofree char *why = text_safe(server_final + 2, -1, TEXT_LINE);
        g_set_error(error, SASL_ERROR, ERROR_AUTH,
                    "the server refused the login (%s): check user name and password", why);
        return NULL;
    }
    if (g_str_has_prefix(server_final, "v=")) {
        g_auto(GStrv) parts = g_strsplit(server_final + 2, ",", 2);
        g_autofree guchar *signature = g_base64_decode(parts[0] ? parts[0] : "", &length);
        sasl->complete = length == size && secret_equal(signature, sasl->server_signature, size);
    }
    if (!sasl->complete)
        return fail(
            error, ERROR_SECURITY,
            "the server does not know the password: somebody may be in between; nothing was given away");
    return g_string_new(NULL);
}

static GString *
step_scram(struct sasl *sasl, const char *challenge, gsize length, GError **error)
{
    if (challenge && strlen(challenge) != length)
        return fail(error, ERROR_SECURITY, "the server's SCRAM message holds a NUL");
    switch (sasl->turn) {
    case 0:
        return scram_first(sasl);
    case 1:
        return challenge ? scram_answer(sasl, challenge, error) : fail_order(error);
    case 2:
        return challenge ? scram_check_server(sasl, challenge, error) : fail_order(error);
    default:
        return fail_order(error);
    }
}

/* The strongest first. */
static const struct mechanism mechanisms[] = {
    {"SCRAM-SHA-256", TRUE, FALSE, DIGEST_SHA256, step_scram},
    {"SCRAM-SHA-1", TRUE, FALSE, DIGEST_SHA1, step_scram},
    {"PLAIN", TRUE, TRUE, 0, step_plain},
    {"LOGIN", FALSE, TRUE, 0, step_login},
};

/* ---- the object ---- */

static gboolean
is_offered(const struct mechanism *mechanism, const char *const *offered)
{
    for (; *offered; offered++) {
        const char *name = g_ascii_strncasecmp(*offered, "AUTH=", 5) == 0 ? *offered + 5 : *offered;
        if (g_ascii_strcasecmp(name, mechanism->name) == 0)
            return TRUE;
    }
    return FALSE;
}

static const struct mechanism *
choose(const char *const *offered, gboolean confidential, GError **error)
{
    gboolean too_open = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
        if (!is_offered(&mechanisms[i], offered))
            continue;
        if (!mechanisms[i].shows_secret || confidential)
            return &mechanisms[i];
        too_open = TRUE;
    }
    if (too_open) {
        g_set_error_literal(
            error, SASL_ERROR, ERROR_SECURITY,
            "the server wants the password over a line without TLS: nothing was sent; use TLS");
        return NULL;
    }
    g_autofree char *list = g_strjoinv(" ", (char **)offered);
    g_autofree char *safe = text_safe(list, (gssize)MIN(strlen(list), 200), TEXT_LINE);
    if (*safe)
        g_set_error(error, SASL_ERROR, ERROR_REFUSED,
                    "the server offers no way to log in that is known here (it offers %s; known are "
                    "SCRAM-SHA-256, "
                    "SCRAM-SHA-1, PLAIN and LOGIN): ask the operator",
                    safe);
    else
        g_set_error_literal(
            error, SASL_ERROR, ERROR_REFUSED,
            "the server offers no login here: check the port and the kind of TLS, or leave out the user "
            "name when none is needed");
    return NULL;
}

static gboolean
check_text(const char *what, const char *text, enum error_code code, GError **error)
{
    if (!text || !*text)
        g_set_error(error, SASL_ERROR, code, "there is no %s to log in with", what);
    else if (strlen(text) > TEXT_MAX)
        g_set_error(error, SASL_ERROR, code, "the %s is longer than %d bytes", what, TEXT_MAX);
    else if (!g_utf8_validate(text, -1, NULL))
        g_set_error(error, SASL_ERROR, code, "the %s is not UTF-8", what);
    else {
        for (const char *p = text; *p; p++)
            if (g_ascii_iscntrl(*p)) {
                g_set_error(error, SASL_ERROR, code, "the %s holds a control character or line end", what);
                return FALSE;
            }
        return TRUE;
    }
    return FALSE;
}

struct sasl *
sasl_new(const char *const *offered, const char *user, const char *secret, gboolean confidential,
         GError **error)
{
    if (!check_text("user name", user, ERROR_CONFIG, error) ||
        !check_text("password", secret, ERROR_AUTH, error))
        return NULL;
    const struct mechanism *mechanism = choose(offered, confidential, error);
    if (!mechanism)
        return NULL;
    struct sasl *sasl = g_new0(struct sasl, 1);
    sasl->mechanism = mechanism;
    sasl->user = g_strdup(user);
    sasl->secret = g_strdup(secret);
    return sasl;
}

void
sasl_free(struct sasl *sasl)
{
    if (!sasl)
        return;
    g_free(sasl->user);
    secret_free(sasl->secret);
    g_free(sasl->nonce);
    g_free(sasl->first_bare);
    secret_wipe(sasl, sizeof *sasl);
    g_free(sasl);
}

const char *
sasl_get_mechanism(const struct sasl *sasl)
{
    return sasl->mechanism->name;
}

gboolean
sasl_is_client_first(const struct sasl *sasl)
{
    return sasl->mechanism->client_first;
}

char *
sasl_step(struct sasl *sasl, const char *challenge, GError **error)
{
    g_autofree guchar *decoded = NULL;
    gsize length = 0;
    /* A server that waits for the initial response sends an empty challenge. */
    gboolean first = sasl->mechanism->client_first && sasl->turn == 0;
    if (challenge && !(first && !*challenge)) {
        if (strlen(challenge) > CHALLENGE_MAX * 4 / 3) {
            fail(error, ERROR_SECURITY, "the server's login challenge is too long");
            return NULL;
        }
        guchar *raw = g_base64_decode(challenge, &length);
        decoded = g_malloc(length + 1);
        if (length)
            memcpy(decoded, raw, length);
        decoded[length] = '\0';
        g_free(raw);
    }
    GString *answer = sasl->mechanism->step(sasl, (const char *)decoded, length, error);
    if (!answer)
        return NULL;
    sasl->turn++;
    char *base64 = answer->len ? g_base64_encode((const guchar *)answer->str, answer->len) : g_strdup("");
    wipe_string(answer);
    return base64;
}

void
sasl_reply_free(char *reply)
{
    secret_free(reply);
}

gboolean
sasl_finish(struct sasl *sasl, GError **error)
{
    if (sasl->complete)
        return TRUE;
    g_set_error_literal(
        error, SASL_ERROR, ERROR_SECURITY,
        "the server accepted the login without showing that it knows the password: somebody may be in "
        "between");
    return FALSE;
}

gboolean
sasl_is_complete(const struct sasl *sasl)
{
    return sasl->complete;
}

void
sasl_set_nonce(struct sasl *sasl, const char *nonce)
{
    g_free(sasl->nonce);
    sasl->nonce = g_strdup(nonce);
}
