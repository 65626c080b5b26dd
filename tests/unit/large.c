/* large: which parts of a message are its text, and the message that is shown until the whole has come */
#include "config.h"

#include "sync/large.h"

#include <string.h>

/* "1.1 text/plain 100 [attachment|inline] [NAME]", parts with ";" between. */
static GPtrArray *
parse_parts(const char *text)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_auto(GStrv) lines = g_strsplit(text, ";", -1);
    for (guint i = 0; lines[i] && *lines[i]; i++)
        g_ptr_array_add(parts, g_strsplit_set(lines[i], " /", -1));
    return parts;
}

static void
test_choose(void)
{
    static const struct {
        const char *parts, *chosen;
    } cases[] = {
        {"", ""},
        {"1 text/plain 100;2 application/zip 90000000 attachment a.zip", "1"},
        {"1 application/zip 90000000 attachment a.zip;2 text/plain 100", "2"},
        {"1.1 text/plain 100;1.2 text/html 900;2 image/png 9000000", "1.1"},
        {"1.1 text/html 900;1.2 text/plain 100;2 image/png 9000000", "1.2"},
        {"1.1 text/html 900;1.2 image/png 5;2 image/png 9000000", "1.1"},
        {"1 text/plain 100;2.1 text/html 900;2.2 image/png 9000000", "1 2.1"},
        {"1 text/plain 100;2 text/html 100;3 image/png 9000000", "1"},
        {"1.1 text/plain 100;11 text/html 100", "1.1 11"},
        {"1 text/plain 100 attachment;2 text/plain 7 inline notes.txt;3 text/csv 7", ""},
        {"1 text/plain 524289;2 text/plain 9", "2"},
        {"1 text/plain 500000;2 text/plain 500000;3 text/plain 1000", "1 3"},
        {"1 text/plain 18446744073709551615;2 text/plain 9", "2"},
        {"1 text/plain 1;2 text/plain 1;3 text/plain 1;4 text/plain 1;5 text/plain 1;6 text/plain 1;7 text/plain 1;"
         "8 text/plain 1;9 text/plain 1",
         "1 2 3 4 5 6 7 8"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) words = parse_parts(cases[i].parts);
        g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
        for (guint k = 0; k < words->len; k++) {
            char **w = words->pdata[k];
            guint n = g_strv_length(w);
            struct imap_part *part = g_new0(struct imap_part, 1);
            *part = (struct imap_part){.section = w[0], .type = w[1], .subtype = w[2], .charset = (char *) "", .encoding = (char *) "",
                                       .size = g_ascii_strtoull(w[3], NULL, 10), .disposition = n > 4 ? w[4] : (char *) "",
                                       .filename = n > 5 ? w[5] : (char *) ""};
            g_ptr_array_add(parts, part);
        }
        g_autoptr(GArray) chosen = large_choose(parts);
        g_autoptr(GString) found = g_string_new(NULL);
        for (guint k = 0; k < chosen->len; k++)
            g_string_append_printf(found, "%s%s", k ? " " : "",
                                   ((struct imap_part *) parts->pdata[g_array_index(chosen, guint, k)])->section);
        g_assert_cmpstr(found->str, ==, cases[i].chosen);
    }
}

static GBytes *
bytes(const char *text)
{
    return g_bytes_new_static(text, strlen(text));
}

static void
test_build(void)
{
    g_autoptr(GBytes) header = bytes("From: a@x\r\nContent-Type: multipart/mixed;\r\n boundary=outer\r\nSubject: two\r\n lines\r\n"
                                     "MIME-Version: 1.0\r\nContent-transfer-encoding: 7bit\r\nX-Content-Type: stays\r\n\r\nno header\r\n"),
                      head = bytes("Content-Type: text/plain\r\n\r\n"), text = bytes("one\r\n\r\ntwo\r\n"),
                      other = bytes("Content-Type: text/html"), last = bytes("<p>x");
    const struct large_text texts[] = {{head, text}, {other, last}};
    g_autoptr(GBytes) built = large_build(header, texts, 2);
    gsize length;
    const char *data = g_bytes_get_data(built, &length);
    g_autofree char *copy = g_strndup(data, length);
    const char *quote = strstr(copy, "boundary=\"") + strlen("boundary=\"");
    g_autofree char *boundary = g_strndup(quote, strcspn(quote, "\""));
    g_auto(GStrv) pieces = g_strsplit(copy, boundary, -1);
    g_autofree char *shown = g_strjoinv("B", pieces);
    g_assert_cmpstr(shown, ==,
                    "From: a@x\nSubject: two\n lines\nX-Content-Type: stays\nMIME-Version: 1.0\n"
                    "Content-Type: multipart/mixed; boundary=\"B\"\n\n"
                    "--B\nContent-Type: text/plain\n\none\n\ntwo\n--B\nContent-Type: text/html\n\n<p>x\n--B--\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/large/choose", test_choose);
    g_test_add_func("/large/build", test_build);
    return g_test_run();
}
