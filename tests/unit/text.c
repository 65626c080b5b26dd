/* text made safe, widths, file names */
#include "config.h"

#include "base/text.h"
#include "base/width.h"

#include <string.h>

static void
test_safe(void)
{
    static const struct {
        const char *in, *line, *body;
    } cases[] = {
        {"plain", "plain", "plain"},
        {"a\r\nb\tc", "a b c", "a\nb\tc"},
        {"\x1b[31mred\x1b]0;t\x07", "\xef\xbf\xbd[31mred\xef\xbf\xbd]0;t\xef\xbf\xbd",
         "\xef\xbf\xbd[31mred\xef\xbf\xbd]0;t\xef\xbf\xbd"},
        {"\xc2\x9b"
         "31m",
         "\xef\xbf\xbd"
         "31m",
         "\xef\xbf\xbd"
         "31m"},
        {"bad \xff\xc3", "bad \xef\xbf\xbd\xef\xbf\xbd", "bad \xef\xbf\xbd\xef\xbf\xbd"},
        {"gpj.\xe2\x80\xae"
         "exe",
         "gpj.exe", "gpj.exe"},
        {"a\xe2\x81\xa6"
         "b\xe2\x81\xa9",
         "ab", "ab"},
        {"soft\xc2\xadhyphen", "softhyphen", "softhyphen"},
        {"\xe2\x80\xa8next", "\xef\xbf\xbdnext", "\nnext"},
        {"caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac", "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac",
         "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac"},
        {"bar\rfoo", "bar foo",
         "bar\xef\xbf\xbd"
         "foo"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = text_safe(cases[i].in, -1, TEXT_LINE);
        g_autofree char *body = text_safe(cases[i].in, -1, TEXT_BODY);
        g_assert_cmpstr(line, ==, cases[i].line);
        g_assert_cmpstr(body, ==, cases[i].body);
    }
    g_autofree char *nul = text_safe("a\0b", 3, TEXT_LINE);
    g_assert_cmpstr(nul, ==,
                    "a\xef\xbf\xbd"
                    "b");
}

/* Property: whatever comes in, nothing unsafe comes out, and it is valid UTF-8. */
static void
test_safe_random(void)
{
    for (int round = 0; round < 20000; round++) {
        char in[48];
        gsize len = (gsize)g_test_rand_int_range(0, sizeof in);
        for (gsize i = 0; i < len; i++)
            in[i] = (char)(g_test_rand_bit() ? g_test_rand_int_range(0x80, 0x100)
                                             : g_test_rand_int_range(0, 0x80));
        g_autofree char *out = text_safe(in, (gssize)len, TEXT_LINE);
        g_assert_true(g_utf8_validate(out, -1, NULL));
        for (const char *p = out; *p; p = g_utf8_next_char(p))
            g_assert_false(text_is_unsafe(g_utf8_get_char(p)));
    }
}

static void
test_marks(void)
{
    GString *zalgo = g_string_new("e");
    for (int i = 0; i < 500; i++)
        g_string_append(zalgo, "\xcc\x81");
    g_autofree char *out = text_safe(zalgo->str, -1, TEXT_LINE);
    g_assert_cmpuint(strlen(out), ==, 1 + 8 * 2);
    g_string_free(zalgo, TRUE);
}

static void
test_file_names(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"map.png", "map.png"},
        {"../../etc/passwd", "_.._etc_passwd"},
        {"-rf", "rf"},
        {".bashrc", "bashrc"},
        {"", "attachment"},
        {NULL, "attachment"},
        {"...", "attachment"},
        {"a/b\\c", "a_b_c"},
        {"x\xe2\x80\xaegpj.exe", "xgpj.exe"},
        {"  two   words .txt ", "two words .txt"},
        {"con\x01trol", "con\xef\xbf\xbdtrol"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = text_file_name(cases[i].in);
        g_assert_cmpstr(out, ==, cases[i].out);
    }
    g_autofree char *stem = g_strnfill(400, 'n');
    g_autofree char *huge = g_strconcat(stem, ".tar.gz", NULL);
    g_autofree char *cut = text_file_name(huge);
    g_assert_cmpuint(strlen(cut), <=, 200);
    g_assert_true(g_str_has_suffix(cut, ".gz"));
}

static void
test_fold(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {{"Tomás", "tomas"},
                 {"STRASSE", "strasse"},
                 {"Straße", "strasse"},
                 {"ＡＢＣ", "abc"},
                 {"Ångström", "angstrom"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = text_fold(cases[i].in);
        g_assert_cmpstr(out, ==, cases[i].out);
    }
}

static void
test_sizes(void)
{
    static const struct {
        guint64 bytes;
        const char *text;
    } cases[] = {{0, "0 B"},       {512, "512 B"},      {999, "999 B"},    {1000, "1.0 kB"},
                 {82000, "82 kB"}, {1234567, "1.2 MB"}, {999999, "1.0 MB"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = text_size(cases[i].bytes);
        g_assert_cmpstr(out, ==, cases[i].text);
    }
}

static void
test_widths(void)
{
    g_assert_cmpint(width_text("日本"), ==, 4);
    g_assert_cmpint(width_text("e\xcc\x81"), ==, 1);
    g_autofree char *cut = width_cut("日本語テキスト", 6);
    g_assert_cmpstr(cut, ==, "日本…");
    g_autofree char *fit = width_fit("ab", 5);
    g_assert_cmpstr(fit, ==, "ab   ");
    g_autofree char *right = width_fit_right("ab", 5);
    g_assert_cmpstr(right, ==, "   ab");
}

static void
test_wrap(void)
{
    static const struct {
        const char *in;
        int cells;
        const char *lines; /* joined with | */
    } cases[] = {
        {"one two three", 7, "one two|three"},
        {"one two three", 80, "one two three"},
        {"abcdefghij", 4, "abcd|efgh|ij"},
        {"日本語テキスト", 6, "日本語|テキス|ト"},
        {"a  b", 2, "a|b"},
        {"first\nsecond", 20, "first|second"},
        {"", 5, ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *got = g_string_new(NULL);
        const char *p = cases[i].in;
        while (*p) {
            gsize next, len = width_wrap(p, cases[i].cells, &next);
            g_assert_cmpuint(next, >, 0);
            if (got->len)
                g_string_append_c(got, '|');
            g_string_append_len(got, p, (gssize)len);
            p += next;
        }
        g_assert_cmpstr(got->str, ==, cases[i].lines);
        g_string_free(got, TRUE);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/safe", test_safe);
    g_test_add_func("/text/safe-random", test_safe_random);
    g_test_add_func("/text/marks", test_marks);
    g_test_add_func("/text/file-names", test_file_names);
    g_test_add_func("/text/fold", test_fold);
    g_test_add_func("/text/sizes", test_sizes);
    g_test_add_func("/width/cells", test_widths);
    g_test_add_func("/width/wrap", test_wrap);
    return g_test_run();
}
