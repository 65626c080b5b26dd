#include "config.h"

#include "base/error.h"
#include "mail/date.h"
#include "mail/document.h"
#include "mail/rawmsg.h"
#include "mail/words.h"

#include <string.h>

/* --- a document that comes from a reader that was taken over --- */

static struct document *
small(void)
{
    struct document *document = document_new();
    struct document_part *part = g_new0(struct document_part, 1);
    struct document_line line = {0, 5, 0, 0};
    struct document_link *link = g_new0(struct document_link, 1);
    part->n = 1;
    part->type = g_strdup("text/plain");
    part->charset = g_strdup("");
    part->filename = g_strdup("");
    part->disposition = g_strdup("");
    part->encoding = g_strdup("");
    part->cid = g_strdup("");
    part->description = g_strdup("");
    part->inside = g_strdup("");
    g_ptr_array_add(document->parts, part);
    g_free(document->text);
    document->text = g_strdup("h\xc3\xa9lo\n");
    g_array_append_val(document->lines, line);
    *link = (struct document_link){1, 0, 1, FALSE, g_strdup("http://a.example/"), g_strdup(""), g_strdup("")};
    g_ptr_array_add(document->links, link);
    return document;
}

static gboolean
survives(const struct document *document)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = g_variant_ref_sink(document_to_variant(document));
    g_autoptr(struct_document) back = document_from_variant(value, &error);
    g_assert_true((back == NULL) == (error != NULL));
    if (error)
        g_assert_cmpint(error->code, ==, ERROR_SKIP);
    return back != NULL;
}

static void
test_contradictions(void)
{
    g_autoptr(struct_document) document = small();
    g_assert_true(survives(document));
    struct document_part *part = document->parts->pdata[0];
    struct document_link *link = document->links->pdata[0];
    struct document_line *line = &g_array_index(document->lines, struct document_line, 0);
#define REFUSED(place, wrong)                                                                                \
    do {                                                                                                     \
        typeof(place) right = place;                                                                         \
        place = wrong;                                                                                       \
        g_assert_false(survives(document));                                                                  \
        place = right;                                                                                       \
        g_assert_true(survives(document));                                                                   \
    } while (0)
    REFUSED(part->parent, 1);
    REFUSED(part->parent, 7);
    REFUSED(line->offset, 1);
    REFUSED(line->offset, G_MAXUINT32);
    REFUSED(line->length, 4);
    REFUSED(line->length, 6);
    REFUSED(line->length, G_MAXUINT32);
    REFUSED(link->offset, 100);
    REFUSED(link->length, 100);
    REFUSED(link->length, G_MAXUINT32);
    REFUSED(link->offset, 2); /* in the middle of a character */
    g_ptr_array_set_size(document->parts, 0);
    g_assert_false(survives(document));
}

/* --- dates (M13) --- */

static void
test_dates(void)
{
    static const struct {
        const char *text;
        gint64 date;
        int zone;
    } good[] = {
        {"Thu, 12 Nov 2026 10:42:01 +0100", 1794476521, 60},
        {"12 Nov 2026 10:42:01 +0100", 1794476521, 60},
        {"Thu,12 Nov 2026 10:42:01+0100", 1794476521, 60},
        {"Thu, 12 Nov 2026 04:42:01-0500", 1794476521, -300},
        {"Thu, 12 Nov 2026 10.42.01 +0100", 1794476521, 60},
        {"Thu, 12 Nov 2026 10:42:01 GMT+0100", 1794476521, 60},
        {"Thu, 12 Nov 2026 10:42:01 UTC+1", 1794476521, 60},
        {"Thu, 12 Nov 2026 10:42:01 MEZ", 1794476521, 60},
        {"Thu, 12 Nov 2026 10:42 +0100 (CET)", 1794476520, 60},
        {"Thu, 12 Nov 26 09:42:01 GMT", 1794476521, 0},
        {"Thu, 12-Nov-2026 09:42:01 Z", 1794476521, 0},
        {"Thu Nov 12 09:42:01 2026", 1794476521, 0},
        {"Thu Nov 12 09:42:01 UTC 2026", 1794476521, 0},
        {"Thu, 12 Nov 2026 04:42:01 EST", 1794476521, -300},
        {"2026-11-12T10:42:01+01:00", 1794476521, 60},
        {"2026-11-12 09:42:01", 1794476521, 0},
        {"Thu (a (nested) comment), 12 Nov 2026 (x) 10:42:01 +0100", 1794476521, 60},
        {"Thursday, 12 November 2026 10:42:01 +0100", 1794476521, 60},
        {"1 Jan 1970 00:00:00 +0000", 0, 0},
        {"1 Jan 70 00:00:00 +0000", 0, 0},
        {"31 Dec 1969 23:59:59 -0000", -1, 0},
        {"29 Feb 2000 00:00:00 +0000", 951782400, 0},
        {"1 Jan 102 00:00:00 +0000", 1009843200, 0}, /* 1900 + 102: programs of the year 2000 */
        {"19 Jan 2038 03:14:08 +0000", 2147483648, 0},
        {"31 Dec 9999 23:59:59 +0000", 253402300799, 0},
        {"Thu, 12 Nov 2026 09:42:01 +9999", 1794476521, 0},
        {"Thu, 12 Nov 2026 09:42:01 nonsense", 1794476521, 0},
        {"12 Nov 2026", 1794441600, 0},
        {"Thu, 12 Nov 2026 09:42:60 +0000", 1794476580, 0},
    };
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "32 Jan 2026 00:00:00 +0000",
                                      "30 Feb 2026 00:00:00 +0000",
                                      "29 Feb 2026 00:00:00 +0000",
                                      "12 Nov 0000 00:00:00 +0000",
                                      "12 Nov 9999999 00:00:00 +0000",
                                      "12 Nov 10000 00:00:00 +0000",
                                      "12 Nov 2026 25:00:00 +0000",
                                      "12 Nov 2026 10:61:00 +0000",
                                      "0 Nov 2026 10:00:00 +0000",
                                      "Nov 2026",
                                      "12.11.2026 10:42",
                                      "12 Nov",
                                      "99999999999999999999",
                                      "(((((((("};
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        gint64 date = 0;
        int zone = 0;
        if (!date_parse(good[i].text, &date, &zone))
            g_error("%s", good[i].text);
        g_assert_cmpint(date, ==, good[i].date);
        g_assert_cmpint(zone, ==, good[i].zone);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        gint64 date;
        int zone;
        if (date_parse(bad[i], &date, &zone))
            g_error("%s is %" G_GINT64_FORMAT, bad[i], date);
    }
}

/* --- message-ids and words --- */

static void
test_ids(void)
{
    g_auto(GStrv) ids = message_id_list("<a@x> (comment) <b@x>\n\t<<c@x> <> <d @x>");
    g_autofree char *joined = g_strjoinv(" ", ids);
    g_assert_cmpstr(joined, ==, "a@x b@x c@x d@x");
    g_auto(GStrv) bare = message_id_list("a@x, b@x junk");
    g_autofree char *bare_joined = g_strjoinv(" ", bare);
    g_assert_cmpstr(bare_joined, ==, "a@x b@x");
    g_autofree char *first = message_id_first("text <id@x>");
    g_assert_cmpstr(first, ==, "id@x");
    g_assert_null(message_id_first("several words"));
    g_assert_null(message_id_first(""));
    /* random, in the domain of the address, and nothing else (K4) */
    g_autofree char *one = message_id_new("ana@Example.org");
    g_autofree char *two = message_id_new("ana@Example.org");
    g_assert_true(g_str_has_suffix(one, "@example.org"));
    g_assert_cmpstr(one, !=, two);
    g_autofree char *idn = message_id_new("ana@bücher.example");
    g_assert_true(g_str_has_suffix(idn, "@xn--bcher-kva.example"));
    g_assert_true(g_str_is_ascii(idn));
}

static void
test_words(void)
{
    static const struct {
        const char *text, *decoded;
    } cases[] = {
        {"plain", "plain"},
        {"=?utf-8?q?caf=C3=A9_au?= lait", "café au lait"},
        {"=?UTF-8?B?w6k=?=  =?utf-8?b?w6k=?=", "éé"},
        {"=?iso-8859-1*fr?Q?=E9?=", "é"},
        {"a =?utf-8?q?b?= c", "a b c"},
        {"=?x-none?q?b?=", "=?x-none?q?b?="},
        {"=?utf-8?x?b?=", "=?utf-8?x?b?="},
        {"=?utf-8?q?no end", "=?utf-8?q?no end"},
        {"=?utf-8?q?a b?=", "=?utf-8?q?a b?="},
        {"=?", "=?"},
        {"=??q?x?=", "=??q?x?="},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *decoded = words_decode(cases[i].text);
        g_assert_cmpstr(decoded, ==, cases[i].decoded);
    }
    static const char *const names[] = {"Ana", "Vidal, T.", "Tomás",
                                        "日本日本日本日本日本日本日本日本日本日本日本日本日本日本"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *encoded = words_encode_phrase(names[i]);
        g_assert_true(g_str_is_ascii(encoded));
        g_autofree char *line = g_strdup_printf("%s <a@b.example>", encoded);
        g_autoptr(GPtrArray) list = address_list_parse(line, NULL);
        g_autofree char *back = words_decode(address_list_get(list, 0)->name);
        g_assert_cmpstr(back, ==, names[i]);
    }
}

/* --- header editing on bytes --- */

static GBytes *
bytes_of(const char *text)
{
    return g_bytes_new(text, strlen(text));
}

static void
assert_bytes(GBytes *bytes, const char *text)
{
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), text, strlen(text));
}

static void
test_fields(void)
{
    static const char text[] = "From ana Thu Nov 12\nA: 1\nB : two\n\tfolded\nEmpty:\n\nbody\nC: 3\n";
    gsize start, body;
    g_autoptr(GArray) fields = rawmsg_fields(text, strlen(text), &start, &body);
    g_assert_cmpuint(fields->len, ==, 3);
    g_assert_true(g_str_has_prefix(text + start, "A: 1"));
    g_assert_true(g_str_has_prefix(text + body, "body"));
    g_autoptr(GBytes) message = bytes_of(text);
    g_autofree char *b = rawmsg_get(message, "b", 0);
    g_assert_cmpstr(b, ==, "two\tfolded");
    g_autofree char *empty = rawmsg_get(message, "Empty", 0);
    g_assert_cmpstr(empty, ==, "");
    g_assert_null(rawmsg_get(message, "C", 0));
    g_assert_null(rawmsg_get(message, "A", 1));
}

static void
test_bcc(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"To: a\nBcc: secret,\n more\nSubject: x\n\nBcc: body\n", "To: a\nSubject: x\n\nBcc: body\n"},
        {"bcc: s\r\nTo: a\r\nBCC : t\r\n\r\nx\r\n", "To: a\r\n\r\nx\r\n"},
        {"From ana today\nTo: a\n\nx\n", "To: a\n\nx\n"},
        {"To: a\n\nx", "To: a\n\nx"},
        {"Resent-Bcc: s\nX-Bcc: kept\n\n", "X-Bcc: kept\n\n"},
        /* lines that look like an mbox line once what stood before them is gone */
        {">From x\nFrom y\nBcc: s\nTo: a\n\n", "To: a\n\n"},
        {"Bcc: s\nFrom y\nBcc: t\n\nx\n", "\nx\n"},
        {"", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) before = bytes_of(cases[i].before);
        g_autoptr(GBytes) after = message_without_bcc(before);
        assert_bytes(after, cases[i].after);
    }
    g_autoptr(GString) many = g_string_new(NULL);
    for (guint i = 0; i < 100; i++)
        g_string_append(many, "From x\n");
    g_string_append(many, "Bcc: s\n\n");
    g_autoptr(GBytes) bytes = bytes_of(many->str);
    g_autoptr(GBytes) wire = message_without_bcc(bytes);
    g_assert_null(rawmsg_get(wire, "Bcc", 0));
}

static void
test_add(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) message = bytes_of("To: a\r\n\r\nx\r\n");
    g_autoptr(GBytes) front = rawmsg_add(message, "X", "1", TRUE, &error);
    assert_bytes(front, "X: 1\r\nTo: a\r\n\r\nx\r\n");
    g_autoptr(GBytes) end = rawmsg_add(message, "X", "1", FALSE, &error);
    assert_bytes(end, "To: a\r\nX: 1\r\n\r\nx\r\n");
    g_autoptr(GBytes) bare = bytes_of("just a body\n");
    g_autoptr(GBytes) with = rawmsg_add(bare, "X", "1", TRUE, &error);
    assert_bytes(with, "X: 1\n\njust a body\n");
    g_assert_null(rawmsg_add(message, "X", "1\nBcc: y", TRUE, &error));
    g_assert_error(error, RAWMSG_ERROR, ERROR_INPUT);
    g_clear_error(&error);
    g_assert_null(rawmsg_add(message, "X: 1\nY", "1", TRUE, &error));
    g_assert_nonnull(error);
}

/* What git send-email and cron hand over goes through byte for byte. */
static void
test_prepare(void)
{
    static const char text[] =
        "From: =?utf-8?q?Tom=C3=A1s?= <t@example.org>\nTo: a@b.example, \"C, D\" <c@d.example>\nCc: "
        "A@B.example\n"
        "Bcc: secret@x.example\nSubject: =?utf-8?q?x?=\n  folded\nDate: Thu, 12 Nov 2026 10:42:01 +0100\n"
        "Message-Id: <id@example.org>\nX-Odd:   spaces   kept  \n\nbody \xff bytes\n.\nFrom x\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) message = bytes_of(text);
    g_autoptr(struct_rawmsg_prepared) prepared = rawmsg_prepare(message, NULL, TRUE, &error);
    g_assert_no_error(error);
    g_autofree char *recipients = address_list_format(prepared->recipients);
    g_assert_cmpstr(recipients, ==, "a@b.example, \"C, D\" <c@d.example>, secret@x.example");
    g_assert_cmpstr(prepared->message_id, ==, "id@example.org");
    g_assert_cmpint(prepared->date, ==, 1794476521);
    g_assert_cmpstr(prepared->from->addr, ==, "t@example.org");
    g_auto(GStrv) around = g_strsplit(text, "Bcc: secret@x.example\n", 2);
    g_autofree char *without = g_strconcat(around[0], around[1], NULL);
    assert_bytes(prepared->message, without);

    g_autoptr(GBytes) bare = bytes_of("To: root@example.org\nSubject: cron\n\noutput\n");
    g_assert_null(rawmsg_prepare(bare, NULL, TRUE, &error));
    g_assert_error(error, RAWMSG_ERROR, ERROR_INPUT);
    g_clear_error(&error);
    g_autoptr(struct_address) from = address_new("Tomás", "t@bücher.example");
    g_autoptr(struct_rawmsg_prepared) filled = rawmsg_prepare(bare, from, TRUE, &error);
    g_assert_no_error(error);
    g_autofree char *sender = rawmsg_get(filled->message, "From", 0);
    g_assert_cmpstr(sender, ==, "=?utf-8?B?VG9tw6Fz?= <t@xn--bcher-kva.example>");
    g_autofree char *date = rawmsg_get(filled->message, "Date", 0);
    gint64 seconds;
    int zone;
    g_assert_true(date_parse(date, &seconds, &zone));
    g_assert_cmpint(seconds, ==, filled->date);
    g_autofree char *id = rawmsg_get(filled->message, "Message-ID", 0);
    g_assert_true(g_str_has_prefix(id, "<") && g_str_has_suffix(id, "@xn--bcher-kva.example>"));
    g_assert_nonnull(memmem(g_bytes_get_data(filled->message, NULL), g_bytes_get_size(filled->message),
                            "To: root@example.org\nSubject: cron\n\noutput\n", 42));

    static const char *const bad[] = {"Subject: no recipient\nFrom: a@b.example\n\nx\n",
                                      "To: ana@\nFrom: a@b.example\n\nx\n",
                                      "To: a@b.example\nFrom: nobody\n\nx\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GBytes) broken = bytes_of(bad[i]);
        g_assert_null(rawmsg_prepare(broken, NULL, TRUE, &error));
        g_assert_nonnull(error);
        g_clear_error(&error);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/document/contradictions", test_contradictions);
    g_test_add_func("/document/dates", test_dates);
    g_test_add_func("/document/ids", test_ids);
    g_test_add_func("/document/words", test_words);
    g_test_add_func("/document/fields", test_fields);
    g_test_add_func("/document/bcc", test_bcc);
    g_test_add_func("/document/add", test_add);
    g_test_add_func("/document/prepare", test_prepare);
    return g_test_run();
}
