#include "config.h"

#include "mailtest.h"

#include "base/clock.h"
#include "base/error.h"
#include "mail/build.h"
#include "mail/header.h"
#include "mail/lines.h"
#include "mail/rawmsg.h"

static struct draft *
new_draft(const char *subject, const char *body)
{
    struct draft *draft = draft_new();
    address_list_add(draft->from, "Ana Ruiz", "ana@example.org");
    address_list_add(draft->to, NULL, "ben@example.net");
    draft_set_subject(draft, subject);
    draft_set_body(draft, body);
    draft->date = 1794476521;
    draft->zone = 60;
    draft->message_id = g_strdup("id@example.org");
    return draft;
}

static char *
build(const struct draft *draft)
{
    g_autoptr(GError) error = NULL;
    /* through the form in which it travels */
    g_autoptr(GVariant) value = g_variant_ref_sink(draft_to_variant(draft));
    g_assert_true(g_variant_is_of_type(value, G_VARIANT_TYPE(DRAFT_TYPE)));
    g_autoptr(struct_draft) copy = draft_from_variant(value, &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) bytes = message_build(copy, &error);
    g_assert_no_error(error);
    const char *data = g_bytes_get_data(bytes, NULL);
    g_assert_null(memchr(data, '\r', g_bytes_get_size(bytes)));
    return g_strndup(data, g_bytes_get_size(bytes));
}

static void
check_lines(const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    for (char **line = lines; *line; line++)
        g_assert_cmpuint(strlen(*line), <=, 998);
}

static void
test_plain(void)
{
    g_autoptr(struct_draft) draft = new_draft("Hello", "Body.\n");
    g_autofree char *message = build(draft);
    g_assert_cmpstr(message, ==,
                    "Date: Thu, 12 Nov 2026 10:42:01 +0100\n"
                    "From: Ana Ruiz <ana@example.org>\n"
                    "To: ben@example.net\n"
                    "Subject: Hello\n"
                    "Message-ID: <id@example.org>\n"
                    "MIME-Version: 1.0\n"
                    "Content-Type: text/plain; charset=us-ascii\n"
                    "Content-Transfer-Encoding: 7bit\n\n"
                    "Body.\n");
}

/* What goes in comes out again. */
static void
test_round_trip(void)
{
    static const char *const subjects[] = {
        "plain",
        "café",
        "日本語の件名がとても長くて一行には入りきらないので折り返されるはずです。日本語の件名がとても長くて一"
        "行には入りきらない",
        "a subject of plain words that is so long that it has to be folded more than once before it fits "
        "into the lines of a header",
        "=?looks like a word?=",
        "trailing (comment) \"quotes\" <angle>",
        "emoji 🎉 and tab",
        "",
    };
    static const char *const names[] = {"Ana",    "Ruiz, Ana", "Tomás Vidal", "\"Q\" \\ back",
                                        "J. Doe", "日本 太郎", "a@b.example", "x (y)"};
    static const char *const bodies[] = {"",
                                         "one line without an end",
                                         "é\n",
                                         "trailing space \n-- \nAna\n",
                                         "From here\n.\n..\n",
                                         "日本語日本語日本語日本語\n",
                                         "tabs\tand\ttabs\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(subjects); i++) {
        const char *name = names[i % G_N_ELEMENTS(names)], *body = bodies[i % G_N_ELEMENTS(bodies)];
        g_autoptr(struct_draft) draft = new_draft(subjects[i], body);
        address_list_add(draft->cc, name, "carol@example.com");
        address_list_add(draft->reply_to, name, "reply@bücher.example");
        draft->in_reply_to = g_strdup("parent@x");
        g_strfreev(draft->references);
        draft->references = g_strsplit("root@x parent@x", " ", -1);
        draft_add_header(draft, "X-Note", "näh");
        g_autofree char *message = build(draft);
        check_lines(message);
        g_assert_true(g_str_is_ascii(message));
        g_autoptr(struct_document) document = parse_text(message);
        const struct envelope *envelope = document->envelope;
        g_assert_cmpstr(envelope->subject, ==, subjects[i]);
        g_assert_cmpstr(address_list_get(envelope->cc, 0)->name, ==, name);
        g_assert_cmpstr(address_list_get(envelope->cc, 0)->addr, ==, "carol@example.com");
        g_assert_cmpstr(address_list_get(envelope->reply_to, 0)->addr, ==, "reply@bücher.example");
        g_assert_nonnull(strstr(message, "<reply@xn--bcher-kva.example>"));
        g_assert_cmpstr(envelope->message_id, ==, "id@example.org");
        g_assert_cmpstr(envelope->in_reply_to, ==, "parent@x");
        g_assert_cmpuint(g_strv_length(envelope->references), ==, 2);
        g_assert_cmpint(envelope->date, ==, draft->date);
        g_assert_cmpint(envelope->zone, ==, 60);
        g_assert_cmpstr(document_header(document, "X-Note"), ==, "näh");
        g_autofree char *want =
            *body && !g_str_has_suffix(body, "\n") ? g_strconcat(body, "\n", NULL) : g_strdup(body);
        g_assert_cmpstr(document->text, ==, want);
    }
}

static void
test_encodings(void)
{
    g_autofree char *long_line = g_strnfill(2000, 'x');
    g_autofree char *long_body = g_strconcat(long_line, "\n", NULL);
    const struct {
        const char *body, *encoding;
    } cases[] = {
        {"ascii\n", "7bit"},
        {"mostly ascii text with one é in it\n", "quoted-printable"},
        {"привет привет привет\n", "base64"},
        {long_body, "quoted-printable"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_draft) draft = new_draft("x", cases[i].body);
        g_autofree char *message = build(draft);
        g_autofree char *field = g_strdup_printf("\nContent-Transfer-Encoding: %s\n", cases[i].encoding);
        g_assert_nonnull(strstr(message, field));
        check_lines(message);
        g_autoptr(struct_document) document = parse_text(message);
        g_assert_cmpstr(document->text, ==, cases[i].body);
    }
}

static void
test_flowed(void)
{
    static const char body[] = "A paragraph that is longer than seventy-two columns, so that it has to be "
                               "broken softly somewhere here.\n"
                               "\n indented\nFrom the start\n> a quote that was here before and is left "
                               "alone even if it is rather long, as it is\n"
                               "trailing   \n-- \nAna\n";
    g_autoptr(struct_draft) draft = new_draft("x", body);
    draft->flags |= DRAFT_FLOWED;
    g_autofree char *message = build(draft);
    g_assert_nonnull(strstr(message, "format=flowed"));
    g_assert_nonnull(strstr(message, "\n From the start\n"));
    g_autoptr(struct_document) document = parse_text(message);
    g_assert_cmpstr(document->text, ==,
                    "A paragraph that is longer than seventy-two columns, so that it has to be broken softly "
                    "somewhere here.\n"
                    "\n indented\nFrom the start\n> a quote that was here before and is left alone even if "
                    "it is rather long, as it is\n"
                    "trailing\n-- \nAna\n");
    g_auto(GStrv) lines = g_strsplit(strstr(message, "\n\n"), "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line != '>')
            g_assert_cmpuint(strlen(*line), <=, 78);
}

static void
test_attachments(void)
{
    static const guint8 binary[] = {0, 1, 2, 255, 254, '\n', '\r', 'x'};
    static const char inner[] = "From: in@example.org\nSubject: inner\n\ninner\n";
    static const char entity[] =
        "Content-Type: application/x-odd; odd*=utf-8''%41\nContent-Transfer-Encoding: base64\n"
        "Content-Disposition: attachment; filename=odd.bin\n\nQUJD\n";
    g_autoptr(struct_draft) draft = new_draft("files", "see files\n");
    g_autoptr(GBytes) raw = g_bytes_new_static(binary, sizeof binary);
    g_autoptr(GBytes) text = g_bytes_new_static("plain\ntext\n", 11);
    g_autoptr(GBytes) crlf = g_bytes_new_static("dos\r\ntext\r\n", 11);
    g_autoptr(GBytes) message_bytes = g_bytes_new_static(inner, sizeof inner - 1);
    g_autoptr(GBytes) entity_bytes = g_bytes_new_static(entity, sizeof entity - 1);
    draft_attach_bytes(draft, raw, "données très longues avec beaucoup de caractères accentués été.bin", NULL)
        ->description = g_strdup("déscription");
    draft_attach_bytes(draft, text, "notes.txt", NULL);
    draft_attach_bytes(draft, crlf, "dos.txt", NULL);
    draft_attach_message(draft, message_bytes, "inner.eml");
    draft_attach_bytes(draft, entity_bytes, "odd.bin", "application/x-odd")->flags |= ATTACH_ENTITY;
    draft_attach_bytes(draft, text, "quote\"back\\slash.txt", NULL)->flags |= ATTACH_INLINE;
    g_autofree char *built = build(draft);
    check_lines(built);
    g_assert_nonnull(strstr(built, entity));
    g_assert_nonnull(strstr(built, inner));
    g_autoptr(GBytes) bytes = bytes_of_text(built);
    g_autoptr(struct_document) document = parse_bytes(bytes, READER_ALL);
    static const struct {
        const char *name, *type;
    } expected[] = {
        {"données très longues avec beaucoup de caractères accentués été.bin", "application/octet-stream"},
        {"notes.txt", "text/plain"},
        {"dos.txt", "text/plain"},
        {"inner.eml", "message/rfc822"},
        {"odd.bin", "application/x-odd"},
        {"quote_back_slash.txt", "text/plain"}};
    GBytes *contents[] = {raw, text, crlf, NULL, NULL, text};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        const struct document_part *part = document_attachment(document, i + 1);
        g_assert_nonnull(part);
        g_assert_cmpstr(part->type, ==, expected[i].type);
        if (i != 5) /* the last component of a path is taken */
            g_assert_cmpstr(part->filename, ==, expected[i].name);
        if (!contents[i])
            continue;
        g_autoptr(GBytes) got = message_part(bytes, part->n, NULL, NULL);
        g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got),
                        g_bytes_get_data(contents[i], NULL), g_bytes_get_size(contents[i]));
    }
    g_assert_cmpstr(document_attachment(document, 1)->description, ==, "déscription");
    g_assert_cmpstr(document_attachment(document, 6)->disposition, ==, "inline");
}

static void
test_bcc(void)
{
    g_autoptr(struct_draft) draft = new_draft("x", "y\n");
    address_list_add(draft->bcc, "Secret", "secret@example.org");
    g_autofree char *without = build(draft);
    g_assert_null(strstr(without, "secret@"));
    draft->flags |= DRAFT_KEEP_BCC;
    g_autofree char *with = build(draft);
    g_assert_nonnull(strstr(with, "\nBcc: Secret <secret@example.org>\n"));
    g_autoptr(GBytes) bytes = bytes_of_text(with);
    g_autoptr(GBytes) wire = message_without_bcc(bytes);
    g_assert_cmpmem(g_bytes_get_data(wire, NULL), g_bytes_get_size(wire), without, strlen(without));
    g_assert_null(strstr(with, "User-Agent"));
    draft->flags |= DRAFT_USER_AGENT;
    g_autofree char *agent = build(draft);
    g_assert_nonnull(strstr(agent, "\nUser-Agent: Postrider\n"));
}

/* M10: nothing that goes into a field begins another one. */
static void
test_injection(void)
{
    static const char *const bad[] = {"a\nBcc: evil@example.com",
                                      "a\r\nBcc: evil@example.com",
                                      "a\rBcc: evil@example.com",
                                      "a\n\nbody",
                                      "a\n Bcc: x",
                                      "\n",
                                      "a\vb",
                                      "a\033[31m"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        for (guint field = 0; field < 14; field++) {
            g_autoptr(struct_draft) draft = new_draft("x", "y\n");
            g_autoptr(GError) error = NULL;
            g_autoptr(GBytes) file = g_bytes_new_static("x", 1);
            g_autofree char *addr = g_strdup_printf("%s@example.org", bad[i]);
            switch (field) {
            case 0:
                draft_set_subject(draft, bad[i]);
                break;
            case 1:
                address_list_add(draft->to, bad[i], "a@example.org");
                break;
            case 2:
                address_list_add(draft->cc, NULL, addr);
                break;
            case 3:
                address_list_add(draft->bcc, bad[i], "a@example.org");
                break;
            case 4:
                address_list_add(draft->from, bad[i], "a@example.org");
                break;
            case 5:
                address_list_add(draft->reply_to, bad[i], "a@example.org");
                break;
            case 6:
                draft_add_header(draft, "X-Test", bad[i]);
                break;
            case 7:
                draft_add_header(draft, bad[i], "value");
                break;
            case 8:
                g_free(draft->message_id);
                draft->message_id = g_strdup(bad[i]);
                break;
            case 9:
                draft->in_reply_to = g_strdup(bad[i]);
                break;
            case 10:
                g_strfreev(draft->references);
                draft->references = g_new0(char *, 2);
                draft->references[0] = g_strdup(bad[i]);
                break;
            case 11:
                draft_attach_bytes(draft, file, bad[i], NULL);
                break;
            case 12:
                draft_attach_bytes(draft, file, "x", bad[i]);
                break;
            default:
                draft_attach_bytes(draft, file, "x", NULL)->description = g_strdup(bad[i]);
            }
            g_assert_null(message_build(draft, &error));
            g_assert_nonnull(error);
            g_assert_cmpint(error->code, ==, ERROR_INPUT);
        }
    }
}

static void
test_sender(void)
{
    g_autoptr(struct_draft) draft = new_draft("x", "y\n");
    address_list_add(draft->from, "Ben", "ben@example.net");
    g_autofree char *message = build(draft);
    g_assert_nonnull(strstr(message, "\nFrom: Ana Ruiz <ana@example.org>, Ben <ben@example.net>\n"
                                     "Sender: Ana Ruiz <ana@example.org>\n"));
}

static void
test_refused(void)
{
    static const char *const own[] = {
        "From",         "to",           "CC",       "Bcc",      "Date", "Message-ID",
        "Content-Type", "MIME-Version", "bad name", "bad:name", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
        g_autoptr(struct_draft) draft = new_draft("x", "y\n");
        g_autoptr(GError) error = NULL;
        draft_add_header(draft, own[i], "value");
        g_assert_null(message_build(draft, &error));
        g_assert_nonnull(error);
    }
    g_autoptr(struct_draft) draft = new_draft("x", "y\n");
    g_autoptr(GError) error = NULL;
    g_ptr_array_set_size(draft->to, 0);
    g_assert_null(message_build(draft, &error));
    g_assert_cmpstr(error->message, ==, "To: there is no recipient");
    g_clear_error(&error);
    draft->flags |= DRAFT_INCOMPLETE;
    draft->kind = DRAFT_REPLY;
    draft->source = g_strdup("source@x");
    g_autoptr(GBytes) kept = message_build(draft, &error);
    g_assert_no_error(error);
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(kept, NULL), (gssize)g_bytes_get_size(kept),
                                  "X-Postrider-Draft: reply <source@x>"));
}

/* --- line ends --- */

static void
test_lines(void)
{
    static const struct {
        const char *lf, *crlf;
    } cases[] = {
        {"", ""}, {"a\nb\n", "a\r\nb\r\n"}, {"a", "a"}, {"\n\n", "\r\n\r\n"}, {"a\rb\n", "a\rb\r\n"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) lf = bytes_of_text(cases[i].lf);
        g_autoptr(GBytes) crlf = bytes_of_text(cases[i].crlf);
        g_autoptr(GBytes) to_crlf = lf_to_crlf(lf);
        g_autoptr(GBytes) to_lf = crlf_to_lf(crlf);
        g_autoptr(GBytes) again = lf_to_crlf(to_lf);
        g_assert_true(g_bytes_equal(to_crlf, crlf));
        g_assert_true(g_bytes_equal(to_lf, lf));
        g_assert_true(g_bytes_equal(again, crlf));
    }
    g_assert_true(lines_are_crlf("a\r\nb", 4));
    g_assert_false(lines_are_crlf("a\nb", 3));
    g_assert_false(lines_are_crlf("a\rb", 3));
    g_assert_false(lines_are_crlf("a\r", 2));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mail_init();
    g_test_add_func("/build/plain", test_plain);
    g_test_add_func("/build/round-trip", test_round_trip);
    g_test_add_func("/build/encodings", test_encodings);
    g_test_add_func("/build/flowed", test_flowed);
    g_test_add_func("/build/attachments", test_attachments);
    g_test_add_func("/build/bcc", test_bcc);
    g_test_add_func("/build/injection", test_injection);
    g_test_add_func("/build/sender", test_sender);
    g_test_add_func("/build/refused", test_refused);
    g_test_add_func("/build/lines", test_lines);
    return g_test_run();
}
