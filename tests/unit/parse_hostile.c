#include "config.h"

#include "mailtest.h"

#include "base/error.h"
#include "jail/jail.h"
#include "mail/build.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "mail/reply.h"

/* Messages that were written to hurt, each made of a head, a piece many times over, and a tail
 * (RELIABILITY.md section 0, M1, M4, M6, M13). */
struct hostile {
    const char *name, *head, *piece, *tail;
    guint times;
    const char *shows; /* stands in the text, or NULL */
    guint flags;       /* that must be set */
};

#define FROM "From: a@b.example\nTo: c@d.example\nSubject: x\n"
#define HTML FROM "Content-Type: text/html\n\n"

static const struct hostile hostile[] = {
    /* structure */
    {"quote mark as a boundary", "Content-Type: multipart/mixed; boundary=\"\\\"\"\n\n", "body\n", "", 1,
     NULL, 0},
    {"half a quote as a boundary", "Content-Type: multipart/mixed; boundary=\"\\\n\n", "body\n", "", 1, NULL,
     0},
    {"empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n", "", "----\n", 1, NULL, 0},
    {"message in message", FROM, "Content-Type: message/rfc822\n\n", "deep\n", 50000, NULL, DOCUMENT_LIMITED},
    {"multipart in multipart", FROM, "Content-Type: multipart/mixed; boundary=b\n\n--b\n", "\ndeep\n", 20000,
     NULL, 0},
    {"multiparts with boundaries of their own", "", NULL, "", 5000, NULL, DOCUMENT_LIMITED},
    {"300,000 parts", FROM "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n", "--b--\n", 300000,
     "x\n", DOCUMENT_LIMITED},
    {"300,000 empty parts", FROM "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n", "--b--\n", 300000,
     NULL, DOCUMENT_LIMITED},
    {"alternatives without end", FROM "Content-Type: multipart/alternative; boundary=b\n\n",
     "--b\nContent-Type: text/x-a\n\nx\n", "", 900, "x\n", 0},
    {"a line as long as the longest delimiter", FROM "Content-Type: multipart/mixed; boundary=b\n\n--", "x",
     "\n", 258, NULL, 0},
    {"a multipart that is base64",
     FROM "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n",
     "LS1iCgp4Cg==\n", "", 1000, NULL, 0},
    {"a message that is base64", FROM "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n",
     "RnJvbTogYQoKeAo=\n", "", 1, NULL, 0},
    /* header */
    {"a million parentheses", "From: ", "(", "\n\nbody\n", 1000000, "body\n", 0},
    {"parentheses in a type", FROM "Content-Type: text/plain; ", "(", "\n\nbody\n", 1000000, NULL, 0},
    {"groups in groups", "From: a@b.example\nTo: ", "g:", "\n\nbody\n", 100000, "body\n", DOCUMENT_LIMITED},
    {"groups in groups in a message inside", FROM "Content-Type: message/rfc822\n\nTo: ", "g:", "\n\nbody\n",
     100000, "body\n", DOCUMENT_LIMITED},
    {"groups in a resent field of a part",
     FROM "Content-Type: multipart/mixed; boundary=b\n\n--b\nResent-To: ", "g:", "\n\nbody\n--b--\n", 100000,
     "body\n", DOCUMENT_LIMITED},
    {"two million addresses", "From: a@b.example\nTo: ", "a@b,\n ", "x@y\n\nbody\n", 2000000, "body\n",
     DOCUMENT_LIMITED},
    {"angles", "From: ", "<", "\n\nbody\n", 200000, "body\n", 0},
    {"at signs", "From: ", "@", "\n\nbody\n", 200000, "body\n", 0},
    {"quotes", "From: ", "\"", "\n\nbody\n", 200000, "body\n", 0},
    {"backslashes", "From: \"", "\\", "\n\nbody\n", 200000, "body\n", 0},
    {"routes", "From: <", "@a,", ":a@b.example>\n\nbody\n", 50000, "body\n", 0},
    {"many fields", "", "X-Field: x\n", "\nbody\n", 200000, "body\n", DOCUMENT_LIMITED},
    {"one long field", "Subject: ", "word ", "\n\nbody\n", 500000, "body\n", 0},
    {"a fold a word", "Subject:", "\n x", "\n\nbody\n", 200000, "body\n", 0},
    {"encoded words", "Subject: ", "=?utf-8?q?=C3=A9?= ", "\n\nbody\n", 20000, "body\n", 0},
    {"encoded words of every charset", "Subject: ", "=?x-evil-9?b?aGk=?= ", "\n\nbody\n", 10000, "body\n", 0},
    /* charsets that the C library has and we do not open: in the jail, opening one is death */
    {"encoded words of foreign charsets", "Subject: ", "=?ISO-2022-CN-EXT?b?aGk=?= =?EBCDIC-US?q?x?= ",
     "\nTo: =?IBM1047?q?x?= <a@b.example>\nContent-Type: text/plain; charset=ibm037; "
     "name*=iso-ir-197''%41\n\nbody\n",
     100, "body\n", 0},
    {"half encoded words", "Subject: ", "=?utf-8?q?", "\n\nbody\n", 50000, "body\n", 0},
    {"parameters", FROM "Content-Type: text/plain", "; a=b", "\n\nbody\n", 100000, NULL, 0},
    {"pieces of a parameter", FROM "Content-Type: text/plain", "; name*1*=%41", "\n\nbody\n", 20000, NULL, 0},
    {"a parameter of 70 letters",
     FROM
     "Content-Type: text/plain;\n xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=",
     "\xc3\xa9", "\n\nbody\n", 10, "body\n", 0},
    {"references", FROM "References:", "\n <x@y>", "\n\nbody\n", 100000, "body\n", 0},
    {"an id without end", FROM "Message-ID: <", "x", "\n\nbody\n", 200000, "body\n", 0},
    {"a date of nines", FROM "Date: Thu, 12 Nov ", "9", " 10:42:01 +99999\n\nbody\n", 5000, "body\n", 0},
    {"nothing but a header", "", "X: y\n", "", 5, NULL, 0},
    {"colons", "", ":", "\n\nbody\n", 100000, NULL, 0},
    {"zero bytes", "From: a\n", NULL, NULL, 0, NULL, 0},
    /* text */
    {"lines", FROM "\n", "\n", "", 1000000, NULL, 0},
    {"one line", FROM "\n", "xxxxxxxx", "\n", 2000000, NULL, DOCUMENT_LIMITED},
    {"quote marks", FROM "\n", ">", "\n", 1000000, NULL, 0},
    {"quote marks and spaces", FROM "\n", "> ", "\n", 500000, NULL, 0},
    {"a paragraph without end", FROM "Content-Type: text/plain; format=flowed\n\n", "word \n", "", 500000,
     NULL, 0},
    {"flowed quotes", FROM "Content-Type: text/plain; format=flowed\n\n", ">>>>>>>>>>>>>>>>>>>>> \n>\n", "",
     100000, NULL, 0},
    {"addresses", FROM "\n", "http://a.example/((((( ", "\n", 200000, NULL, 0},
    {"broken base64", FROM "Content-Transfer-Encoding: base64\n\n", "!!!!====", "\n", 10000, NULL,
     DOCUMENT_BROKEN},
    {"quoted-printable signs", FROM "Content-Transfer-Encoding: quoted-printable\n\n", "=", "\n", 200000,
     NULL, 0},
    {"escape sequences of a charset", FROM "Content-Type: text/plain; charset=iso-2022-jp\n\n",
     "\033$B\033(B", "\n", 200000, NULL, 0},
    {"a charset cut short", FROM "Content-Type: text/plain; charset=utf-16\n\n", "\xd8", "\n", 100001, NULL,
     0},
    {"uuencode without an end", FROM "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n", "`", "\n",
     100000, NULL, 0},
    /* HTML */
    {"tags in tags", HTML, "<div>", "deep", 100000, "deep", 0},
    {"tags that were never opened", HTML "<p>", "</span>", "shown", 300000, "shown", 0},
    {"tables in tables", HTML, "<table><tr><td>x", "", 20000, NULL, 0},
    {"attributes", HTML "<p ", "a=b ", ">text</p>", 300000, NULL, 0},
    {"links", HTML, "<a href=\"http://a.example/?", "\">x</a>", 1, NULL, 0},
    {"comments", HTML, "<!--", "", 300000, NULL, 0},
    {"angles again", HTML, "<", "", 1000000, NULL, 0},
    {"entities", HTML, "&#x110000;&#0;&#xD800;", "\n", 50000, NULL, 0},
    {"styles", HTML "<p style=\"", "font-size:0;", "\">x</p>", 100000, NULL, 0},
};

/* Sanitizers copy on every realloc: what is linear here takes them minutes. */
static guint
times_of(const struct hostile *test)
{
    return jail_has_filter() || test->times < 10000 ? test->times : test->times / 20;
}

static GBytes *
make(const struct hostile *test)
{
    GString *out = g_string_new(test->head);
    if (test->tail && !test->piece)
        for (guint i = 0; i < times_of(test); i++)
            g_string_append_printf(out, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
    else if (!test->piece)
        g_string_append_len(out, "Sub\0ject: \0\0\n\n\0body\0\n", 22);
    else
        for (guint i = 0; i < times_of(test); i++)
            g_string_append(out, test->piece);
    g_string_append(out, test->tail ? test->tail : "");
    return g_string_free_to_bytes(out);
}

static void
build_and_drop(struct draft *draft)
{
    g_autoptr(struct_draft) owned = draft;
    g_autoptr(GError) error = NULL;
    owned->date = 1;
    g_free(owned->message_id);
    owned->message_id = g_strdup("id@example.org");
    if (owned->to->len == 0)
        address_list_add(owned->to, NULL, "to@example.org");
    g_autoptr(GBytes) bytes = message_build(owned, &error);
    /* a foreign address may be one that we refuse to write; nothing else may stop an answer */
    if (!bytes)
        g_assert_cmpint(error->code, ==, ERROR_INPUT);
    else
        g_assert_null(memchr(g_bytes_get_data(bytes, NULL), 0, g_bytes_get_size(bytes)));
}

/* Everything that is ever done with a message. */
static struct document *
use(GBytes *message)
{
    g_autoptr(GPtrArray) own = address_list_new();
    struct reply_options options = {.own = own};
    address_list_add(own, "Ana", "ana@example.org");
    struct document *document = parse_bytes(message, READER_ALL);
    g_assert_true(g_utf8_validate(document->text, -1, NULL));
    g_assert_cmpuint(document->parts->len, <=, LIMIT_PARTS);
    g_assert_cmpuint(document->envelope->to->len, <=, LIMIT_ADDRESSES);
    g_assert_cmpint(g_utf8_strlen(document->preview, -1), <=, LIMIT_PREVIEW);
    for (enum reply_kind kind = REPLY_SENDER; kind <= REPLY_LIST; kind++) {
        struct draft *draft = reply_new(document, kind, &options, NULL);
        if (draft)
            build_and_drop(draft);
    }
    build_and_drop(forward_new(document, message, FORWARD_INLINE, &options));
    build_and_drop(forward_new(document, message, FORWARD_ATTACHMENT, &options));
    build_and_drop(recall_new(document, message));
    draft_free(edit_as_new(document, message));
    for (guint n = 1; n <= MIN(document->parts->len, 10); n++) {
        g_autoptr(GBytes) part = message_part(message, n, NULL, NULL);
        g_autofree char *text = message_part_text(message, n, NULL);
        g_assert_nonnull(part);
        g_assert_true(g_utf8_validate(text, -1, NULL));
    }
    g_autoptr(struct_message_index) index = message_index_make(message);
    g_assert_cmpuint(strlen(index->body), <=, LIMIT_INDEX_TEXT);
    return document;
}

static void
test_all(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autoptr(GBytes) message = make(&hostile[i]);
        gint64 start = g_get_monotonic_time();
        g_autoptr(struct_document) document = use(message);
        g_test_message("%s: %d ms", hostile[i].name, (int)((g_get_monotonic_time() - start) / 1000));
        if (hostile[i].shows)
            g_assert_nonnull(strstr(document->text, hostile[i].shows));
        if (times_of(&hostile[i]) != hostile[i].times)
            continue;
        g_assert_cmpuint(document->flags & hostile[i].flags, ==, hostile[i].flags);
        if (hostile[i].flags)
            g_assert_nonnull(document->notices[0]);
    }
}

/* The same through the jailed process with its limits: every one is read, and the next one after it too. */
static void
test_reader(void)
{
    g_autoptr(struct_reader) reader = reader_new();
    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) message = make(&hostile[i]);
        g_autoptr(struct_document) document = reader_parse(reader, message, READER_ALL, &error);
        if (!document)
            g_error("%s: %s", hostile[i].name, error->message);
    }
}

/* Names and labels in random places: seeds of the tables above, bytes changed, lines doubled and cut. */
static void
test_mutations(void)
{
    static const char *const seeds[] = {
        "From: =?utf-8?q?=C3=A9?= <a@b.example>\nTo: g: c@d.example;\nSubject: x\nDate: Thu, 12 Nov 2026 "
        "10:42:01 +0100\n"
        "Message-ID: <a@b>\nReferences: <c@d>\nContent-Type: multipart/mixed; "
        "boundary=\"b\"\n\n--b\nContent-Type: text/plain; "
        "charset=iso-2022-jp; format=flowed\nContent-Transfer-Encoding: quoted-printable\n\n> q =C3=A9 "
        "\nx\n--b\nContent-Type: "
        "application/pdf; name*=utf-8''%41.pdf\nContent-Disposition: attachment; "
        "filename=\"a.pdf\"\nContent-Transfer-Encoding: "
        "base64\n\nQUJD\n--b\nContent-Type: message/rfc822\n\nFrom: x\nSubject: y\n\nz\n--b--\n",
        "From: a@b.example\nContent-Type: text/html; charset=koi8-r\n\n<html><body bgcolor=#fff><p "
        "style=\"color:#fff\">h</p><table><tr>"
        "<td>a<td>b<tr><td>c<td>d</table><ul><li><a href=\"https://x.example/\">www.y.example</a></ul><pre> "
        "p\n</pre>&eacute;"
        "<blockquote>q</blockquote><img src=http://t.example/ alt=i></body></html>\n",
        "From x\nReceived: a\nReceived: b\nMail-Followup-To: l@l.example\nList-Post: "
        "<mailto:l@l.example>\nContent-Type: "
        "multipart/alternative;\n boundary=a\n\n--a\n\np\n--a\nContent-Type: multipart/related; "
        "boundary=r\n\n--r\nContent-Type: "
        "text/html\n\n<b>h</b>\n--r\nContent-Type: image/png\nContent-ID: <i>\n\nx\n--r--\n--a--\n",
    };
    guint count = jail_has_filter() ? 2000 : 400; /* sanitizers take their time */
    g_autoptr(struct_reader) reader = reader_new();
    for (guint i = 0; i < count; i++) {
        const char *seed = seeds[i % G_N_ELEMENTS(seeds)];
        g_autoptr(GString) text = g_string_new(seed);
        for (guint changes = (guint)g_test_rand_int_range(1, 12); changes && text->len > 4; changes--) {
            gsize at = (gsize)g_test_rand_int_range(0, (gint32)text->len - 1);
            gsize drawn = (gsize)g_test_rand_int_range(1, 40), length = MIN(drawn, text->len - at);
            static const char *const inserts[] = {
                "\n",       "\n\n",       "\"",       "\\",
                "--b\n",    "=?utf-8?b?", "?=",       "(",
                ")",        "<",          ">",        ";",
                "\r",       "\xff",       "\xf0\x9f", "Content-Type: message/rfc822\n\n",
                "charset=", "\033",       "&#",       "<!--"};
            switch (g_test_rand_int_range(0, 5)) {
            case 0:
                text->str[at] = (char)g_test_rand_int_range(0, 256);
                break;
            case 1:
                g_string_erase(text, (gssize)at, (gssize)length);
                break;
            case 2: {
                g_autofree char *piece = g_strndup(text->str + at, length);
                g_string_insert(text, (gssize)(text->len / 2), piece);
                break;
            }
            case 3:
                g_string_truncate(text, at + 1);
                break;
            default:
                g_string_insert(text, (gssize)at, inserts[g_test_rand_int_range(0, G_N_ELEMENTS(inserts))]);
            }
        }
        g_autoptr(GBytes) message = g_bytes_new(text->str, text->len);
        document_free(use(message));
        /* the same where nothing may be opened */
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_document) jailed = reader_parse(reader, message, READER_ALL, &error);
        g_assert_no_error(error);
        g_autoptr(struct_message_index) index = reader_index_text(reader, message, &error);
        g_assert_no_error(error);
    }
}

/* What GMime writes to standard error must not be seen; and it must not stop the test. */
static GLogWriterOutput
drop_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_MESSAGE)
               ? g_log_writer_default(level, fields, count, data)
               : G_LOG_WRITER_HANDLED;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK);
    g_log_set_writer_func(drop_log, NULL, NULL);
    mail_init();
    g_test_add_func("/hostile/all", test_all);
    g_test_add_func("/hostile/reader", test_reader);
    g_test_add_func("/hostile/mutations", test_mutations);
    return g_test_run();
}
