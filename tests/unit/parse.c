#include "config.h"

#include "mailtest.h"

#include "base/error.h"
#include "mail/limits.h"

/* --- headers --- */

struct envelope_case {
    const char *header;
    const char *from, *to, *subject, *message_id;
    gint64 date;
    int zone;
};

static const struct envelope_case envelope_cases[] = {
    {"From: Ana <ana@example.org>\nTo: ben@example.net\nSubject: hi\nMessage-ID: <1@x>\nDate: Thu, 12 Nov "
     "2026 "
     "10:42:01 +0100\n",
     "Ana <ana@example.org>", "ben@example.net", "hi", "1@x", 1794476521, 60},
    /* encoded words, folded, with charsets of old */
    {"From: =?iso-8859-1?Q?J=FCrgen?= <j@example.org>\nSubject: =?utf-8?q?caf=C3=A9?=\n "
     "=?utf-8?q?_au_lait?=\n",
     "Jürgen <j@example.org>", "", "café au lait", NULL, 0, 0},
    {"From: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= <a@example.jp>\nSubject: =?koi8-r?B?8NLJ18XU?=\n",
     "日本 <a@example.jp>", "", "Привет", NULL, 0, 0},
    {"Subject: Re: =?utf-8?B?0KDRg9C90YjQsA==?=\n =?UTF-8?b?0LnRgg==?=\n =?utf-8?B?0YPQuw==?= =?utf-8?B?4oKs?= x\n",
     "", "", "Re: Руншайтул€ x", NULL, 0, 0},
    {"From: =?utf-8?B?0LDQsQ==?= =?utf-8?B?0LLQsw==?= <a@example.org>\n", "абвг <a@example.org>", "", "", NULL, 0, 0},
    {"Subject: =?utf-8?B?4oI=?= =?utf-8?B?rA==?=\n", "", "", "€", NULL, 0, 0},
    /* without the padding, alone and beside others; or four letters in two words */
    {"Subject: =?utf-8?B?SGVsbG8?= =?utf-8?B?IHfDtnJsZA?= !\n", "", "", "Hello wörld !", NULL, 0, 0},
    {"Subject: =?utf-8?B?SGVsbG8?=\n", "", "", "Hello", NULL, 0, 0},
    {"Subject: =?utf-8?B?SGVsb?= =?utf-8?B?G8h?=\n", "", "", "Hello!", NULL, 0, 0},
    /* some padded, some not, and text of the joined ones that is padded again */
    {"Subject: =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=\n =?iso-2022-jp?b?GyRCOGwkTkQ5JCQbKEI=?=\n "
     "=?iso-2022-jp?b?GyRCN29MPhsoQg==?=\n =?iso-2022-jp?b?GyRCJCwkMyQzGyhC?=\n "
     "=?iso-2022-jp?b?GyRCJEtCMyQtGyhC?=\n =?iso-2022-jp?b?GyRCJF4kORsoQg==?=\n",
     "", "", "日本語の長い件名がここに続きます", NULL, 0, 0},
    /* the names that Python writes */
    {"Subject: =?eucgb2312_cn?b?1tDOxA==?= =?big5-tw?b?pKSk5Q==?=\n", "", "", "中文中文", NULL, 0, 0},
    {"Subject: =?windows-1252?Q?=93quoted=94?= =?utf-8?B?4oKs?=\n", "", "", "“quoted”€", NULL, 0, 0},
    /* the commas of Python */
    {"To: =?utf-8?b?w6k=?= <ana@example.org>\n =?utf-8?q?=2C?= ben@example.org, Eva\n <eva@example.org> =?utf-8?q?=2C?=\n "
     "=?utf-8?b?w7E=?= <cy@example.org>\n",
     "", "é <ana@example.org>, ben@example.org, Eva <eva@example.org>, ñ <cy@example.org>", "", NULL, 0, 0},
    /* raw 8-bit text, as UTF-8 and not */
    {"From: Jürgen <j@example.org>\nSubject: caf\xe9\n", "Jürgen <j@example.org>", "", "café", NULL, 0, 0},
    /* ... and in the charset that the text is in, when the header can tell */
    {"From: \xf7\xc1\xd3\xd1 <v@example.org>\nSubject: \xf0\xd2\xc9\xd7\xc5\xd4\nContent-Type: text/plain; charset=\"KOI8-R\"\n",
     "Вася <v@example.org>", "", "Привет", NULL, 0, 0},
    {"Subject: \xd3\xca\xbc\xfe\nContent-Type: text/plain;\n\tcharset=gb2312\n", "", "", "邮件", NULL, 0, 0},
    {"Subject: \033$BF|K\\\033(B\nContent-Type: text/plain; charset=ISO-2022-JP\n", "", "", "日本", NULL, 0, 0},
    {"Subject: caf\xe9\nContent-Type: text/plain; charset=utf-8\n", "", "", "café", NULL, 0, 0},
    {"Subject: caf\xe9\nContent-Type: text/plain; charset=x-unknown\n", "", "", "café", NULL, 0, 0},
    {"Subject: Jürgen\nContent-Type: text/plain; charset=koi8-r\n", "", "", "Jürgen", NULL, 0, 0},
    /* an mbox line before */
    {"From ana@example.org Thu Nov 12 10:42:01 2026\nFrom: ana@example.org\nSubject: x\n", "ana@example.org",
     "", "x", NULL, 0, 0},
    /* comments as names, quoted commas, groups, nothing at all */
    {"From: a@b.example (Ana)\nTo: \"Vidal, Tomás\" <t@x.example>, team: c@d.example, e@f.example;, "
     "undisclosed-recipients:;\n",
     "Ana <a@b.example>",
     "\"Vidal, Tomás\" <t@x.example>, c@d.example, e@f.example, undisclosed-recipients:;", "", NULL, 0, 0},
    {"X-Nothing: here\n", "", "", "", NULL, 0, 0},
    /* dots where none may be: quoted, they may, and the others of the list are not lost */
    {"From: Ana <ana.@docomo.example>\nTo: a..b@x.example, Ben <b@x.example>, .c@x.example (\"c.@\"), \"d.@d\" <d@x.example>\n",
     "Ana <\"ana.\"@docomo.example>", "\"a..b\"@x.example, Ben <b@x.example>, \"c.@\" <\".c\"@x.example>, \"d.@d\" <d@x.example>", "",
     NULL, 0, 0},
    /* no address in it: the text is kept as a name */
    {"From: Big Bug bb@bug.com\n", "Big Bug bb@bug.com:;", "", "", NULL, 0, 0},
    /* CRLF, spaces before the colon, odd case */
    {"FROM : ana@example.org\r\nsubject:\r\n\tfolded\r\n\tsubject\r\n", "ana@example.org", "",
     "folded\tsubject", NULL, 0, 0},
    /* control characters stay: whoever shows them makes them safe */
    {"Subject: =?utf-8?q?=1B]0;evil=07?=\n", "", "", "\033]0;evil\007", NULL, 0, 0},
    /* unknown charset: no converter is asked */
    {"Subject: =?x-evil?q?abc?= tail\n", "", "", "=?x-evil?q?abc?= tail", NULL, 0, 0},
    {"Message-ID: bare@example.org\n", "", "", "", "bare@example.org", 0, 0},
    {"Message-ID: <folded\n @example.org>\n", "", "", "", "folded@example.org", 0, 0},
};

static void
test_envelope(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(envelope_cases); i++) {
        const struct envelope_case *test = &envelope_cases[i];
        g_autoptr(struct_envelope) read = envelope_from_header(test->header, strlen(test->header));
        g_autoptr(GVariant) value = g_variant_ref_sink(envelope_to_variant(read));
        g_autoptr(struct_envelope) envelope = envelope_from_variant(value);
        g_autofree char *from = address_list_format(envelope->from);
        g_autofree char *to = address_list_format(envelope->to);
        if (g_str_equal(test->subject, "=?x-evil?q?abc?= tail"))
            g_assert_nonnull(strstr(envelope->subject, "tail"));
        else
            g_assert_cmpstr(envelope->subject, ==, test->subject);
        g_assert_cmpstr(from, ==, test->from);
        g_assert_cmpstr(to, ==, test->to);
        g_assert_cmpstr(envelope->message_id, ==, test->message_id);
        g_assert_cmpint(envelope->date, ==, test->date);
        g_assert_cmpint(envelope->zone, ==, test->zone);
    }
}

static void
test_references(void)
{
    g_autoptr(GString) header = g_string_new("In-Reply-To: Your message <p@x> of today\nReferences:");
    for (guint i = 0; i < 5000; i++)
        g_string_append_printf(header, "\n <%u@x>", i);
    g_string_append(header, "\nList-Id: A list <list.example.org>\nFrom: a@b.example\nFrom: c@d.example\n");
    g_autoptr(struct_envelope) envelope = envelope_from_header(header->str, header->len);
    g_assert_cmpstr(envelope->in_reply_to, ==, "p@x");
    g_assert_cmpuint(g_strv_length(envelope->references), ==, ENVELOPE_REFERENCES_MAX);
    g_assert_cmpstr(envelope->references[0], ==, "0@x");
    g_assert_cmpstr(envelope->references[1], ==, "4801@x");
    g_assert_cmpstr(envelope->references[ENVELOPE_REFERENCES_MAX - 1], ==, "4999@x");
    g_assert_cmpstr(envelope->list_id, ==, "list.example.org");
    g_assert_cmpuint(envelope->flags & ENVELOPE_TWO_FROM, !=, 0);
    g_assert_cmpuint(envelope->flags & ENVELOPE_TRUNCATED, !=, 0);
    g_assert_cmpuint(envelope->from->len, ==, 1);
}

static void
test_headers(void)
{
    g_autoptr(struct_document) document =
        parse_text("Received: from a\n\tby b\nreceived: second\nSubject: =?utf-8?q?=C3=A9?=\n\nx\n");
    g_assert_cmpuint(document->headers->len, ==, 3);
    g_assert_cmpstr(document_header(document, "RECEIVED"), ==, "from a\tby b");
    g_assert_cmpstr(document_header_nth(document, "Received", 1), ==, "second");
    g_assert_null(document_header_nth(document, "Received", 2));
    const struct document_header *header = document->headers->pdata[0];
    g_assert_cmpstr(header->raw, ==, "from a\n\tby b");
    header = document->headers->pdata[2];
    g_assert_cmpstr(header->raw, ==, "=?utf-8?q?=C3=A9?=");
    g_assert_cmpstr(header->value, ==, "é");
}

/* --- structure --- */

static char *
outline(const struct document *document)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        g_string_append_printf(out, "%u<%u %s", part->n, part->parent, part->type);
        if (*part->filename)
            g_string_append_printf(out, " %s", part->filename);
        if (part->number)
            g_string_append_printf(out, " [%u]", part->number);
        if (part->flags & PART_SHOWN)
            g_string_append(out, " shown");
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

struct part_case {
    const char *message, *outline, *text;
};

static const struct part_case part_cases[] = {
    {"Subject: x\n\nhello\n", "1<0 text/plain shown\n", "hello\n"},
    {"Content-Type: text\n\nhello\n", "1<0 text/plain shown\n", "hello\n"},
    {"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: "
     "text/html\n\n<p>html\n--b--\n",
     "1<0 multipart/alternative\n2<1 text/plain shown\n3<1 text/html\n", "plain\n"},
    /* an empty plain part does not hide the HTML */
    {"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n  \n--b\nContent-Type: "
     "text/html\n\n<p>html\n--b--\n",
     "1<0 multipart/alternative\n2<1 text/plain\n3<1 text/html shown\n", "html\n"},
    {"Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=\"cid:i\" "
     "alt=\"Logo\">text\n"
     "--b\nContent-Type: image/png\nContent-ID: <i>\nContent-Disposition: inline; "
     "filename=i.png\n\nx\n--b--\n",
     "1<0 multipart/related\n2<1 text/html shown\n3<1 image/png i.png\n", "Logotext\n"},
    {MIXED
     "--b\n\none\n--b\n\ntwo\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: "
     "base64\n\nQUJD\n--b--\n",
     "1<0 multipart/mixed\n2<1 text/plain shown\n3<1 text/plain shown\n4<1 application/pdf a.pdf [1]\n",
     "one\n\ntwo\n"},
    {MIXED "--b\n\none\n--b\nContent-Type: text/x-patch\nContent-Disposition: inline; "
           "filename=\"p.patch\"\n\n-a\n+b\n--b\n"
           "Content-Disposition: attachment; filename=n.txt\n\nnot shown\n--b--\n",
     "1<0 multipart/mixed\n2<1 text/plain shown\n3<1 text/x-patch p.patch [1] shown\n4<1 text/plain n.txt "
     "[2]\n",
     "one\n\n[1] p.patch\n\n-a\n+b\n"},
    {MIXED "--b\n\none\n--b\nContent-Type: message/rfc822\n\nFrom: in@example.org\nSubject: inner\n\ninner "
           "text\n--b--\n",
     "1<0 multipart/mixed\n2<1 text/plain shown\n3<1 message/rfc822 [1]\n4<3 text/plain shown\n",
     "one\n\n---------- attached message ----------\nFrom: in@example.org\nSubject: inner\n\ninner text\n"},
    {"Content-Type: multipart/signed; boundary=b; "
     "protocol=\"application/pgp-signature\"\n\n--b\n\nsigned\n--b\n"
     "Content-Type: application/pgp-signature; name=signature.asc\n\nsig\n--b--\n",
     "1<0 multipart/signed\n2<1 text/plain shown\n3<1 application/pgp-signature signature.asc\n", "signed\n"},
    {"Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: "
     "application/pgp-encrypted\n\nVersion: 1\n--b\n"
     "Content-Type: application/octet-stream\n\nsecret\n--b--\n",
     "1<0 multipart/encrypted\n2<1 application/pgp-encrypted\n3<1 application/octet-stream\n",
     "[this part is encrypted]\n"},
    /* AMP's HTML is never shown; a calendar alone is a file, beside its text it is none */
    {"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: "
     "text/x-amp-html\n\n<amp>\n--b\n"
     "Content-Type: text/html\n\n<p>html\n--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--b--\n",
     "1<0 multipart/alternative\n2<1 text/plain shown\n3<1 text/x-amp-html\n4<1 text/html\n5<1 "
     "text/calendar\n",
     "plain\n"},
    {"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n", "1<0 text/calendar [1]\n", ""},
    /* a report reads in order: words, status, what came back */
    {"Content-Type: multipart/report; boundary=b\n\n--b\n\nunknown user\n--b\nContent-Type: "
     "message/delivery-status\n\n"
     "Final-Recipient: rfc822; a@b.example\n--b\nContent-Type: text/rfc822-headers\n\nSubject: mine\n--b--\n",
     "1<0 multipart/report\n2<1 text/plain shown\n3<1 message/delivery-status shown\n4<1 text/rfc822-headers "
     "shown\n",
     "unknown user\n\nFinal-Recipient: rfc822; a@b.example\n\nSubject: mine\n"},
    {"Content-Type: application/pdf; name=whole.pdf\n\n%PDF\n", "1<0 application/pdf whole.pdf [1]\n", ""},
    /* broken ones */
    {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut short",
     "1<0 multipart/mixed\n2<1 text/plain shown\n", "cut short\n"},
    {"Content-Type: multipart/mixed\n\nno boundary\n", "1<0 multipart/mixed\n", "no boundary\n"},
    {MIXED "--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\ninner\n--bb--\n--b\n\nouter\n--b--\n",
     "1<0 multipart/mixed\n2<1 multipart/mixed\n3<2 text/plain shown\n4<1 text/plain shown\n", "inner\n\nouter\n"},
    /* a digest: its parts are messages, and say nothing of it */
    {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nFrom: a@b.example\nSubject: one\n\nfirst\n--b\n\nSubject: two\n\nsecond\n--b--\n",
     "1<0 multipart/digest\n2<1 message/rfc822 [1]\n3<2 text/plain shown\n4<1 message/rfc822 [2]\n5<4 text/plain shown\n",
     "---------- attached message ----------\nFrom: a@b.example\nSubject: one\n\nfirst\n\n"
     "---------- attached message ----------\nSubject: two\n\nsecond\n"},
    {MIXED "--b\nno empty line before it\n--b--\n", "1<0 multipart/mixed\n", NULL},
    {"Content-Type: plain; charset=utf-8\n\nhello\n", "1<0 text/plain shown\n", "hello\n"},
    {"Content-Type: application/x-a\nContent-Disposition: attachment; filename=\"cafe.txt\"; filename*=utf-8''caf%C3%A9.txt\n\nx\n",
     "1<0 application/x-a café.txt [1]\n", ""},
    {"", "1<0 text/plain shown\n", ""},
    {"\n\n\nbody only\n", "1<0 text/plain shown\n", "\n\nbody only\n"},
    {"this is no header\n\nat all\n", "1<0 text/plain shown\n", NULL},
    {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\naGFsbG8=\n",
     "1<0 text/plain shown\n", "hallo\n"},
    {"Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=iso-8859-1\n\ncaf=E9 "
     "=\ngoes on=20\n",
     "1<0 text/plain shown\n", "café goes on \n"},
    {"Content-Transfer-Encoding: (so) \"base64\" (it is)\n\naGFsbG8=\n", "1<0 text/plain shown\n", "hallo\n"},
    {"Content-Transfer-Encoding: Quoted Printable;\n\n=61=\nb\n", "1<0 text/plain shown\n", "ab\n"},
    {"Content-Transfer-Encoding: plain\n\n=61\n", "1<0 text/plain shown\n", "=61\n"},
    {"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n#86)C\n`\nend\n", "1<0 text/plain shown\n",
     "abc\n"},
};

static void
test_parts(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(part_cases); i++) {
        const struct part_case *test = &part_cases[i];
        g_autoptr(struct_document) document = parse_text(test->message);
        g_autofree char *got = outline(document);
        g_assert_cmpstr(got, ==, test->outline);
        if (test->text)
            g_assert_cmpstr(document->text, ==, test->text);
        /* the same with CRLF */
        g_auto(GStrv) lines = g_strsplit(test->message, "\n", -1);
        g_autofree char *crlf = g_strjoinv("\r\n", lines);
        g_autoptr(struct_document) other = parse_text(crlf);
        g_autofree char *other_outline = outline(other);
        g_assert_cmpstr(other_outline, ==, test->outline);
        if (test->text)
            g_assert_cmpstr(other->text, ==, test->text);
    }
}

/* A header that is not encoded, in the charset of the first text. */
static void
test_header_of_text(void)
{
    g_autoptr(struct_document) document = parse_text(
        "Subject: \xd3\xca\xbc\xfe\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain; charset=gb2312\n\n\xd3\xca\xbc\xfe\n--b--\n");
    g_assert_cmpstr(document->envelope->subject, ==, "邮件");
    g_assert_cmpstr(document_header(document, "Subject"), ==, "邮件");
    g_assert_cmpstr(document->text, ==, "邮件\n");
}

/* A message whose last line has no end. */
static void
test_last_line(void)
{
    static const char *const messages[] = {MIXED "--b\nContent-Type: image/png\n\nxx\n--b--",
                                           MIXED "--b\r\nContent-Type: image/png\r\n\r\nxx\r\n--b--",
                                           MIXED "--b\r\nContent-Type: image/png\r\n\r\nxx\r\n--b--\r\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autoptr(GBytes) bytes = bytes_of_text(messages[i]), content = NULL;
        g_autoptr(GError) error = NULL;
        content = message_part(bytes, 2, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(g_bytes_get_data(content, NULL), g_bytes_get_size(content), "xx", 2);
    }
}

/* What cannot be taken apart is shown as it came. */
static void
test_no_part(void)
{
    g_autoptr(struct_document) document = parse_text(MIXED "--b\nno empty line before it\n--b--\n");
    g_assert_nonnull(strstr(document->text, "no empty line before it"));
}

/* The same in the jailed process, which may open nothing: it dies of what a library looks up. */
static void
test_parts_jailed(void)
{
    g_autoptr(struct_reader) reader = reader_new();
    for (gsize i = 0; i < G_N_ELEMENTS(part_cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = bytes_of_text(part_cases[i].message);
        g_autoptr(struct_document) document = reader_parse(reader, bytes, READER_ALL, &error);
        g_assert_no_error(error);
        g_autofree char *got = outline(document);
        g_assert_cmpstr(got, ==, part_cases[i].outline);
    }
}

/* The bytes at a part's place are the part's bytes. */
static void
test_places(void)
{
    static const char message[] =
        "Subject: x\n" MIXED "preamble\n--b\nContent-Type: text/plain\n\nfirst\n--b\n"
        "Content-Type: multipart/alternative; boundary=c\n\n--c\n\nplain\n--c--\n\n--b\n"
        "Content-Type: message/rfc822\n\nSubject: in\n\ninner\n\n--b\n\nlast\n--b--\nepilogue\n";
    static const char *const contents[] = {
        NULL, "first", "--c\n\nplain\n--c--\n", "plain", "Subject: in\n\ninner\n", "inner\n", "last"};
    static const char *const headers[] = {
        "Subject: x", "Content-Type: text/plain",     "Content-Type: multipart/alternative",
        NULL,         "Content-Type: message/rfc822", "Subject: in",
        NULL};
    g_autoptr(GBytes) bytes = bytes_of_text(message);
    g_autoptr(struct_document) document = parse_bytes(bytes, READER_ALL);
    g_assert_cmpuint(document->parts->len, ==, G_N_ELEMENTS(contents));
    for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
        const struct document_part *part = document_part(document, i + 1);
        g_autofree char *content = g_strndup(message + part->offset, part->length);
        if (contents[i])
            g_assert_cmpstr(content, ==, contents[i]);
        if (headers[i])
            g_assert_true(g_str_has_prefix(message + part->header_offset, headers[i]));
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) got = message_part(bytes, i + 1, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got), content, part->length);
    }
}

static void
test_part_bytes(void)
{
    static const char message[] = MIXED "--b\n\ntext\n--b\nContent-Type: image/png; name=\"a.png\"\n"
                                        "Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n";
    g_autoptr(GBytes) bytes = bytes_of_text(message);
    g_autoptr(GError) error = NULL;
    struct document_part *info = NULL;
    g_autoptr(GBytes) png = message_part(bytes, 3, &info, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(png, NULL), g_bytes_get_size(png), "\x89PNG\r\n\x1a\n", 8);
    g_assert_cmpuint(info->size, ==, 8);
    g_assert_cmpstr(info->filename, ==, "a.png");
    document_part_free(info);
    g_assert_null(message_part(bytes, 4, NULL, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(error->code, ==, ERROR_NOINPUT);
    g_clear_error(&error);
    g_assert_null(message_part(bytes, 0, NULL, &error));
    g_assert_nonnull(error);
}

/* --- file names (M7) --- */

static void
test_filenames(void)
{
    static const struct {
        const char *parameter, *name;
    } cases[] = {
        {"filename=\"a.txt\"", "a.txt"},
        {"filename=/etc/passwd", "passwd"},
        {"filename=\"..\\\\..\\\\boot.ini\"", "boot.ini"},
        {"filename=\"C:\\\\evil\\\\x.exe\"", "x.exe"},
        {"filename=\"../../.bashrc\"", "bashrc"},
        {"filename=\"-rf\"", "rf"},
        {"filename=\".\"", "attachment"},
        {"filename*=utf-8''r%C3%A9sum%C3%A9.pdf", "résumé.pdf"},
        {"filename*0=\"very \"; filename*1=\"long.txt\"", "very long.txt"},
        {"filename=\"=?utf-8?q?r=C3=A9sum=C3=A9.pdf?=\"", "résumé.pdf"},
        {"filename*=utf-8''evil%E2%80%AEfdp.exe", "evilfdp.exe"},
        {"filename*=utf-8''a%0Ab.txt", "a b.txt"},
        {"filename=\"a;b&c|d$(x).sh\"", "a;b&c_d$(x).sh"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message =
            g_strdup_printf(MIXED "--b\n\nx\n--b\nContent-Type: application/octet-stream\n"
                                  "Content-Disposition: attachment; %s\n\nx\n--b--\n",
                            cases[i].parameter);
        g_autoptr(struct_document) document = parse_text(message);
        const struct document_part *part = document_attachment(document, 1);
        g_assert_nonnull(part);
        g_assert_cmpstr(part->filename, ==, cases[i].name);
    }
}

/* --- charsets (M5) --- */

static void
test_charsets(void)
{
    static const struct {
        const char *charset, *bytes, *text;
    } cases[] = {
        {"utf-8", "caf\xc3\xa9", "café\n"},
        {"utf-8", "caf\xe9!", "caf\xef\xbf\xbd!\n"},
        {"us-ascii", "caf\xc3\xa9", "café\n"},
        {"us-ascii", "caf\xe9", "café\n"},
        {"iso-8859-1", "\x93q\x94", "“q”\n"},
        {"ISO-8859-15", "\xa4", "€\n"},
        {"windows-1251", "\xcf\xf0\xe8", "При\n"},
        {"koi8-r", "\xf0\xd2\xc9", "При\n"},
        {"gb2312", "\xc4\xe3\xba\xc3", "你好\n"},
        {"big5", "\xa7\x41\xa6\x6e", "你好\n"},
        {"euc-jp", "\xc6\xfc\xcb\xdc", "日本\n"},
        {"shift_jis", "\x93\xfa\x96\x7b", "日本\n"},
        {"iso-2022-jp", "\033$BF|K\\\033(B", "日本\n"},
        {"euc-kr", "\xc7\xd1", "한\n"},
        {"iso-2022-kr", "\033$)C\016GQ\017", "한\n"},
        {"x-unknown", "caf\xe9", "café\n"},
        {"DEFAULT", "plain", "plain\n"},
        {"../../etc/passwd", "plain", "plain\n"},
        {"iso-2022-cn-ext", "plain", "plain\n"},
        {"utf-7", "caf+AOk-", "café\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strdup_printf("Content-Type: text/plain; charset=\"%s\"\n\n%s\n",
                                                   cases[i].charset, cases[i].bytes);
        g_autoptr(struct_document) document = parse_text(message);
        g_assert_cmpstr(document->text, ==, cases[i].text);
    }
    /* GLib's own conversions go through the same list: a C locale gets ASCII, not a superset */
    g_autoptr(GError) error = NULL;
    g_assert_null(g_convert("caf\xc3\xa9", -1, "ANSI_X3.4-1968", "UTF-8", NULL, NULL, &error));
    g_assert_error(error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE);
    g_clear_error(&error);
    g_autofree char *latin = g_convert("caf\xc3\xa9", -1, "ISO-8859-1", "UTF-8", NULL, NULL, &error);
    g_assert_cmpstr(latin, ==, "caf\xe9");
    g_assert_null(g_convert("x", -1, "UTF-8", "IBM1047", NULL, NULL, &error));
    g_assert_nonnull(error);
    g_autoptr(struct_document) unknown = parse_text("Content-Type: text/plain; charset=x-evil\n\nx\n");
    g_assert_nonnull(strstr(unknown->notices[0], "x-evil"));
}

/* --- text --- */

static void
test_flowed(void)
{
    g_autoptr(struct_document) document = parse_text("Content-Type: text/plain; format=flowed\n\nA paragraph "
                                                     "\nthat flows \non.\n\n Stuffed\n>> deep \n>> quote\n> "
                                                     "less \nnot quoted\n-- \nAna \nRuiz\n");
    g_assert_cmpstr(
        document->text, ==,
        "A paragraph that flows on.\n\nStuffed\n> > deep quote\n> less \nnot quoted\n-- \nAna Ruiz\n");
    const struct document_line *lines = (const struct document_line *)(void *)document->lines->data;
    g_assert_cmpuint(document->lines->len, ==, 8);
    g_assert_cmpuint(lines[3].depth, ==, 2);
    g_assert_cmpuint(lines[6].flags & LINE_SIGNATURE, !=, 0);
    g_assert_cmpuint(lines[7].flags & LINE_SIGNATURE, !=, 0);
    g_assert_cmpuint(document->flags & DOCUMENT_FLOWED, !=, 0);
    g_autoptr(struct_document) delsp =
        parse_text("Content-Type: text/plain; format=flowed; delsp=yes\n\nhttp://a.example/ \npath\n");
    g_assert_cmpstr(delsp->text, ==, "http://a.example/path\n");
}

static void
test_links(void)
{
    static const struct {
        const char *text, *url;
    } cases[] = {
        {"see https://a.example/x.", "https://a.example/x"},
        {"(https://a.example/x_(y))", "https://a.example/x_(y)"},
        {"<http://a.example/>", "http://a.example/"},
        {"www.a.example, and", "http://www.a.example"},
        {"mail mailto:ana@example.org!", "mailto:ana@example.org"},
        {"\"https://a.example/?q=1&r=2\"", "https://a.example/?q=1&r=2"},
        {"xhttps://a.example/", NULL},
        {"javascript:alert(1)", NULL},
        {"https://", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strdup_printf("Subject: x\n\n%s\n", cases[i].text);
        g_autoptr(struct_document) document = parse_text(message);
        g_assert_cmpuint(document->links->len, ==, cases[i].url ? 1 : 0);
        if (!cases[i].url)
            continue;
        const struct document_link *link = document_link_numbered(document, 1);
        g_assert_cmpstr(link->url, ==, cases[i].url);
        g_autofree char *shown = g_strndup(document->text + link->offset, link->length);
        g_assert_nonnull(strstr(link->url, shown));
    }
    /* numbers go on after the attachments */
    g_autoptr(struct_document) both =
        parse_text(MIXED "--b\n\nhttps://a.example/\n--b\nContent-Type: image/png; name=a.png\n\nx\n--b--\n");
    g_assert_nonnull(document_attachment(both, 1));
    g_assert_nonnull(document_link_numbered(both, 2));
    /* user@host */
    g_autoptr(struct_document) lie = parse_text("Subject: x\n\nhttps://bank.example@evil.example/\n");
    g_assert_true(document_link_numbered(lie, 1)->suspicious);
    g_assert_cmpuint(lie->flags & DOCUMENT_SUSPICIOUS_LINK, !=, 0);
}

static void
test_preview(void)
{
    static const struct {
        const char *body, *preview;
    } cases[] = {
        {"Hello  there,\n\nsecond line\n", "Hello there, second line"},
        {"On Thu, Ana wrote:\n> quoted\n\nMy answer\n-- \nBen\n", "My answer"},
        {"> only\n> quotes\n", "only quotes"},
        {"----------\nreal\n", "real"},
        {"\n\n", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strdup_printf("Subject: x\n\n%s", cases[i].body);
        g_autoptr(struct_document) document = parse_text(message);
        g_assert_cmpstr(document->preview, ==, cases[i].preview);
    }
    g_autoptr(GString) longer = g_string_new("Subject: x\n\n");
    for (guint i = 0; i < 1000; i++)
        g_string_append(longer, "é ");
    g_autoptr(struct_document) document = parse_text(longer->str);
    g_assert_cmpint(g_utf8_strlen(document->preview, -1), <=, LIMIT_PREVIEW);
    g_assert_cmpint(g_utf8_strlen(document->preview, -1), >=, LIMIT_PREVIEW - 1);
}

static void
test_index(void)
{
    g_autoptr(GBytes) bytes = bytes_of_text(
        "From: Ana <ana@example.org>\nTo: Ben <ben@example.net>\nSubject: =?utf-8?q?caf=C3=A9?=\n" MIXED
        "--b\n\nbody words\n--b\nContent-Type: application/pdf; name=plan.pdf\n\nx\n--b--\n");
    g_autoptr(struct_message_index) made = message_index_make(bytes);
    g_autoptr(GVariant) value = g_variant_ref_sink(message_index_to_variant(made));
    g_assert_true(g_variant_is_of_type(value, G_VARIANT_TYPE(MESSAGE_INDEX_TYPE)));
    g_autoptr(struct_message_index) index = message_index_from_variant(value);
    g_assert_cmpstr(index->subject, ==, "café");
    g_assert_cmpstr(index->people, ==, "Ana ana@example.org\nBen ben@example.net\n");
    g_assert_cmpstr(index->body, ==, "body words\n");
    g_assert_cmpstr(index->attachments, ==, "plan.pdf\n");
    g_assert_cmpstr(index->types, ==, "multipart/mixed text/plain application/pdf");
    g_assert_cmpstr(index->preview, ==, "body words");
    g_assert_cmpuint(index->attachments_count, ==, 1);
    g_assert_cmpuint(index->flags & DOCUMENT_ATTACHMENTS, !=, 0);
    /* nothing of what is encrypted (K5) */
    g_autoptr(GBytes) secret = bytes_of_text(
        "Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nVersion: 1\n--b\n\nsecret words\n--b--\n");
    g_autoptr(struct_message_index) closed = message_index_make(secret);
    g_assert_null(strstr(closed->body, "secret"));
    g_assert_cmpuint(closed->flags & DOCUMENT_ENCRYPTED, !=, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parse/envelope", test_envelope);
    g_test_add_func("/parse/references", test_references);
    g_test_add_func("/parse/headers", test_headers);
    g_test_add_func("/parse/parts", test_parts);
    g_test_add_func("/parse/header-of-text", test_header_of_text);
    g_test_add_func("/parse/last-line", test_last_line);
    g_test_add_func("/parse/no-part", test_no_part);
    g_test_add_func("/parse/parts-jailed", test_parts_jailed);
    g_test_add_func("/parse/places", test_places);
    g_test_add_func("/parse/part-bytes", test_part_bytes);
    g_test_add_func("/parse/filenames", test_filenames);
    g_test_add_func("/parse/charsets", test_charsets);
    g_test_add_func("/parse/flowed", test_flowed);
    g_test_add_func("/parse/links", test_links);
    g_test_add_func("/parse/preview", test_preview);
    g_test_add_func("/parse/index", test_index);
    return g_test_run();
}
