/* Answers of the domain name system: as they should be, and as nobody should send them */
#include "config.h"

#include <string.h>

#include "net/dns.h"

/* A question for x.example, TXT, and the answers that follow. */
static GByteArray *
answer(guint count, const char *rest, gsize length)
{
    static const guint8 question[] = "\x12\x34\x84\x80\0\1\0\0\0\0\0\0\1x\7example\0\0\x10\0\1";
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, question, sizeof question - 1);
    out->data[7] = (guint8)count;
    g_byte_array_append(out, (const guint8 *)rest, (guint)length);
    return out;
}

#define HEAD(type, ttl, length) "\xc0\x0c\0" type "\0\1\0\0" ttl "\0" length

static void
test_parse(void)
{
    static const struct {
        enum dns_type type;
        guint count;
        const char *rest;
        gsize length;
        gboolean ok;
        const char *first, *second;
        guint seconds;
    } cases[] = {
#define REST(text) text, sizeof text - 1
        {DNS_TXT, 1, REST(HEAD("\x10", "\0\x3c", "\4") "\3abc"), TRUE, "abc", NULL, 60},
        {DNS_TXT, 1, REST(HEAD("\x10", "\0\x3c", "\6") "\1a\1b\1c"), TRUE, "abc", NULL, 60},
        {DNS_TXT, 1, REST(HEAD("\x10", "\xff\xff", "\1") "\0"), TRUE, "", NULL, 3600},
        {DNS_TXT, 2, REST(HEAD("\x10", "\0\x3c", "\2") "\1a" HEAD("\x10", "\0\x05", "\2") "\1b"), TRUE, "a",
         "b", 5},
        {DNS_A, 1, REST(HEAD("\x01", "\0\x3c", "\4") "\xc0\0\2\1"), TRUE, "192.0.2.1", NULL, 60},
        {DNS_MX, 2,
         REST(HEAD("\x0f", "\0\x3c", "\4") "\0\x14\xc0\x0c" HEAD("\x0f", "\0\x3c", "\4") "\0\x0a\xc0\x0e"),
         TRUE, "example", "x.example", 60},
        {DNS_PTR, 1, REST(HEAD("\x0c", "\0\x3c", "\2") "\xc0\x0c"), TRUE, "x.example", NULL, 60},
        /* another type, another length */
        {DNS_A, 1, REST(HEAD("\x10", "\0\x3c", "\4") "\3abc"), TRUE, NULL, NULL, 60},
        {DNS_A, 1, REST(HEAD("\x01", "\0\x3c", "\3") "\xc0\0\2"), TRUE, NULL, NULL, 60},
        {DNS_TXT, 1, REST(HEAD("\x10", "\0\x3c", "\4") "\7abc"), TRUE, NULL, NULL, 60},
        /* cut off, counted wrong, pointing at itself */
        {DNS_TXT, 1, REST(HEAD("\x10", "\0\x3c", "\x40") "\3abc"), FALSE, NULL, NULL, 0},
        {DNS_TXT, 9, REST(HEAD("\x10", "\0\x3c", "\4") "\3abc"), FALSE, NULL, NULL, 0},
        {DNS_PTR, 1, REST(HEAD("\x0c", "\0\x3c", "\2") "\xc0\x26"), TRUE, NULL, NULL, 60},
        {DNS_PTR, 1, REST(HEAD("\x0c", "\0\x3c", "\2") "\xff\xff"), TRUE, NULL, NULL, 60},
        {DNS_TXT, 1, REST(""), FALSE, NULL, NULL, 0},
#undef REST
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) bytes = answer(cases[i].count, cases[i].rest, cases[i].length);
        g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
        guint seconds;
        g_test_message("case %u", i);
        gboolean ok = dns_parse(bytes->data, bytes->len, cases[i].type, values, &seconds);
        g_assert_cmpint(ok, ==, cases[i].ok);
        if (!ok)
            continue;
        g_assert_cmpuint(values->len, ==, (cases[i].first != NULL) + (cases[i].second != NULL));
        g_assert_cmpstr(values->len > 0 ? values->pdata[0] : NULL, ==, cases[i].first);
        g_assert_cmpstr(values->len > 1 ? values->pdata[1] : NULL, ==, cases[i].second);
        g_assert_cmpuint(seconds, ==, cases[i].seconds);
    }
}

/* Bytes changed and cut at every place: it ends, and within its bounds. */
static void
test_hostile(void)
{
    static const char rest[] =
        HEAD("\x10", "\0\x3c", "\4") "\3abc" HEAD("\x0f", "\0\x3c", "\4") "\0\x14\xc0\x0c";
    g_autoptr(GByteArray) bytes = answer(2, rest, sizeof rest - 1);
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_PTR, DNS_TXT};
    for (guint at = 0; at < bytes->len; at++)
        for (guint value = 0; value < 256; value++) {
            guint8 was = bytes->data[at];
            bytes->data[at] = (guint8)value;
            for (guint t = 0; t < G_N_ELEMENTS(types); t++) {
                g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
                guint seconds;
                dns_parse(bytes->data, value % 2 ? bytes->len : at, types[t], values, &seconds);
                for (guint i = 0; i < values->len; i++)
                    g_assert_true(g_utf8_validate(values->pdata[i], -1, NULL));
            }
            bytes->data[at] = was;
        }
}

static enum dns_status
count(gpointer data, const char *name, enum dns_type type G_GNUC_UNUSED, GPtrArray *values)
{
    ++*(guint *)data;
    if (!strcmp(name, "failed.example"))
        return DNS_FAILED;
    if (!strcmp(name, "missing.example"))
        return DNS_NO_NAME;
    g_ptr_array_add(values, g_strdup(name));
    return DNS_FOUND;
}

static void
test_cache(void)
{
    guint asked = 0;
    g_autoptr(struct_dns) dns = dns_new_function(count, &asked);
    static const struct {
        const char *name;
        enum dns_type type;
        enum dns_status status;
        guint asked;
    } steps[] = {
        {"a.example", DNS_TXT, DNS_FOUND, 1},       {"A.EXAMPLE.", DNS_TXT, DNS_FOUND, 1},
        {"a.example", DNS_A, DNS_FOUND, 2},         {"missing.example", DNS_A, DNS_NO_NAME, 3},
        {"missing.example", DNS_A, DNS_NO_NAME, 3}, {"failed.example", DNS_A, DNS_FAILED, 4},
        {"failed.example", DNS_A, DNS_FAILED, 4},   {"no\\way.example", DNS_A, DNS_NO_NAME, 4},
        {"a..example", DNS_A, DNS_NO_NAME, 4},      {"", DNS_A, DNS_NO_NAME, 4},
        {"a\n.example", DNS_A, DNS_NO_NAME, 4},
    };
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(GPtrArray) values = NULL;
        g_assert_cmpint(dns_lookup(dns, steps[i].name, steps[i].type, &values), ==, steps[i].status);
        g_assert_nonnull(values);
        g_assert_cmpuint(asked, ==, steps[i].asked);
    }
    for (guint i = 0; i < 10000; i++) { /* the memory is bounded: an answer held on to stays */
        g_autofree char *name = g_strdup_printf("n%u.example", i);
        g_autoptr(GPtrArray) values = NULL;
        g_assert_cmpint(dns_lookup(dns, name, DNS_TXT, &values), ==, DNS_FOUND);
        g_assert_cmpstr(values->pdata[0], ==, name);
    }
}

static void
test_resolver(void)
{
    static const struct {
        const char *text;
        gboolean ok;
    } cases[] = {
        {"192.0.2.1", TRUE},     {"127.0.0.1:5353", TRUE},   {"2001:db8::1", TRUE}, {"[::1]:53", TRUE},
        {"[::1]", TRUE},         {"dns.example", FALSE},     {"", FALSE},           {"127.0.0.1:", FALSE},
        {"127.0.0.1:0", FALSE},  {"127.0.0.1:65536", FALSE}, {"[::1", FALSE},       {"[::1]x", FALSE},
        {"127.0.0.1:53x", FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(dns_resolver_check(cases[i].text), ==, cases[i].ok);
    g_autoptr(GError) error = NULL;
    g_assert_null(dns_new("dns.example", &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns/parse", test_parse);
    g_test_add_func("/dns/hostile", test_hostile);
    g_test_add_func("/dns/cache", test_cache);
    g_test_add_func("/dns/resolver", test_resolver);
    return g_test_run();
}
