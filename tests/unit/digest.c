/* base/sha256 and net/digest: the same sums from GLib and from OpenSSL, however the bytes come */
#include "config.h"

#include "base/sha256.h"
#include "net/digest.h"

#include <string.h>

/* FIPS 180-4, and the empty message. */
static const struct {
    const char *text, *hex;
} known[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static char *
sum(const char *text, gsize piece)
{
    guint8 out[SHA256_SIZE];
    GString *hex = g_string_new(NULL);
    struct sha256 *sum = sha256_new();
    for (gsize i = 0, length = strlen(text); i < length; i += piece)
        sha256_add(sum, text + i, MIN(piece, length - i));
    sha256_end(sum, out);
    for (guint i = 0; i < sizeof out; i++)
        g_string_append_printf(hex, "%02x", out[i]);
    return g_string_free(hex, FALSE);
}

static void
check(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        for (gsize piece = 1; piece < 64; piece += 21) {
            g_autofree char *hex = sum(known[i].text, piece);
            g_assert_cmpstr(hex, ==, known[i].hex);
        }
}

static void
test_engines(void)
{
    check();
    digest_speed_up();
    check();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/digest/sha256", test_engines);
    return g_test_run();
}
