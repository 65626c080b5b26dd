#include "config.h"

#include "mailtest.h"

#include "base/error.h"
#include "mail/build.h"
#include "mail/header.h"
#include "mail/rawmsg.h"
#include "mail/reply.h"

static GPtrArray *
people(const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *list = address_list_parse(text, &error);
    g_assert_no_error(error);
    return list;
}

static char *
shown(const GPtrArray *list)
{
    return address_list_format(list);
}

#define OWN "Ana Ruiz <ana@example.org>, Ana <ana.ruiz@example.org>"

struct reply_case {
    const char *header;
    enum reply_kind kind;
    const char *from, *to, *cc; /* NULL to: refused */
};

static const struct reply_case reply_cases[] = {
    /* to the sender */
    {"From: ben@b.example\nTo: ana@example.org\n", REPLY_SENDER, "Ana Ruiz <ana@example.org>",
     "ben@b.example", ""},
    {"From: ben@b.example\nTo: ana.ruiz@example.org\n", REPLY_SENDER, "Ana <ana.ruiz@example.org>",
     "ben@b.example", ""},
    {"From: ben@b.example\nTo: x@y.example\nDelivered-To: ANA.RUIZ@example.org\n", REPLY_SENDER,
     "Ana <ana.ruiz@example.org>", "ben@b.example", ""},
    {"From: ben@b.example\nReply-To: Ben <b2@b.example>\nTo: ana@example.org\n", REPLY_SENDER,
     "Ana Ruiz <ana@example.org>", "Ben <b2@b.example>", ""},
    {"From: ben@b.example\nReply-To: list@l.example\nMail-Reply-To: ben2@b.example\n", REPLY_SENDER,
     "Ana Ruiz <ana@example.org>", "ben2@b.example", ""},
    /* one's own message: to whom it went */
    {"From: ana@example.org\nTo: ben@b.example\n", REPLY_SENDER, "Ana Ruiz <ana@example.org>",
     "ben@b.example", ""},
    {"From: ana@example.org\nTo: ana@example.org\n", REPLY_SENDER, "Ana Ruiz <ana@example.org>",
     "ana@example.org", ""},
    /* to all: each once, without oneself */
    {"From: ben@b.example\nTo: ana@example.org, Carol <c@c.example>\nCc: d@d.example, BEN@b.example, "
     "c@c.example\n",
     REPLY_ALL, "Ana Ruiz <ana@example.org>", "ben@b.example", "Carol <c@c.example>, d@d.example"},
    {"From: ana@example.org\nTo: ben@b.example\nCc: c@c.example\n", REPLY_ALL, "Ana Ruiz <ana@example.org>",
     "ben@b.example", "c@c.example"},
    {"From: ben@b.example\nTo: l@l.example\nMail-Followup-To: l@l.example, ana@example.org\n", REPLY_ALL,
     "Ana Ruiz <ana@example.org>", "l@l.example", ""},
    {"From: ben@b.example\nTo: undisclosed-recipients:;\n", REPLY_ALL, "Ana Ruiz <ana@example.org>",
     "ben@b.example", ""},
    /* to the list */
    {"From: ben@b.example\nTo: l@l.example\nList-Post: <mailto:l@l.example>\n", REPLY_LIST,
     "Ana Ruiz <ana@example.org>", "l@l.example", ""},
    {"From: ben@b.example\nList-Post: <https://x.example/post>, <mailto:l@l.example?subject=x> (comment)\n",
     REPLY_LIST, "Ana Ruiz <ana@example.org>", "l@l.example", ""},
    {"From: ben@b.example\nList-Post: NO\n", REPLY_LIST, NULL, NULL, NULL},
    {"From: ben@b.example\nTo: ana@example.org\n", REPLY_LIST, NULL, NULL, NULL},
};

static void
test_addressing(void)
{
    g_autoptr(GPtrArray) own = people(OWN);
    struct reply_options options = {.own = own};
    for (gsize i = 0; i < G_N_ELEMENTS(reply_cases); i++) {
        const struct reply_case *test = &reply_cases[i];
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strconcat(test->header, "Subject: x\n\nbody\n", NULL);
        g_autoptr(struct_document) document = parse_text(text);
        g_autoptr(struct_draft) draft = reply_new(document, test->kind, &options, &error);
        if (!test->to) {
            g_assert_null(draft);
            g_assert_error(error, REPLY_ERROR, ERROR_INPUT);
            continue;
        }
        g_assert_no_error(error);
        g_autofree char *from = shown(draft->from), *to = shown(draft->to), *cc = shown(draft->cc);
        g_assert_cmpstr(from, ==, test->from);
        g_assert_cmpstr(to, ==, test->to);
        g_assert_cmpstr(cc, ==, test->cc);
    }
}

static void
test_thread(void)
{
    static const struct {
        const char *header, *in_reply_to, *references;
    } cases[] = {
        {"Message-ID: <c@x>\nReferences: <a@x> <b@x>\n", "c@x", "a@x b@x c@x"},
        {"Message-ID: <c@x>\nIn-Reply-To: <b@x>\n", "c@x", "b@x c@x"},
        {"Message-ID: <c@x>\n", "c@x", "c@x"},
        {"References: <a@x>\n", NULL, "a@x"},
        {"Message-ID: <bad\033id@x>\nReferences: <a@x>\n", "badid@x", "a@x badid@x"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strconcat("From: b@b.example\nSubject: x\n", cases[i].header, "\nbody\n", NULL);
        g_autoptr(struct_document) document = parse_text(text);
        g_autoptr(struct_draft) draft = reply_new(document, REPLY_SENDER, NULL, NULL);
        g_autofree char *references = g_strjoinv(" ", draft->references);
        g_assert_cmpstr(draft->in_reply_to, ==, cases[i].in_reply_to);
        g_assert_cmpstr(references, ==, cases[i].references);
        g_assert_cmpint(draft->kind, ==, DRAFT_REPLY);
    }
}

static void
test_subjects(void)
{
    static const struct {
        const char *subject, *reply, *forward, *base;
    } cases[] = {
        {"hello", "Re: hello", "Fwd: hello", "hello"},
        {"Re: hello", "Re: hello", "Fwd: Re: hello", "hello"},
        {"RE: re: Re:hello", "Re: hello", "Fwd: RE: re: Re:hello", "hello"},
        {"AW: hello", "Re: hello", "Fwd: AW: hello", "hello"},
        {"Re[2]: hello", "Re: hello", "Fwd: Re[2]: hello", "hello"},
        {"Re^3: hello", "Re: hello", "Fwd: Re^3: hello", "hello"},
        {"回复：你好", "Re: 你好", "Fwd: 回复：你好", "你好"},
        {"Fwd: hello", "Re: Fwd: hello", "Fwd: hello", "hello"},
        {"WG: FW: hello", "Re: WG: FW: hello", "Fwd: hello", "hello"},
        {"Re: Fwd: hello", "Re: Fwd: hello", "Fwd: Re: Fwd: hello", "hello"},
        {"[list] Re: hello", "Re: [list] Re: hello", "Fwd: [list] Re: hello", "[list] Re: hello"},
        {"Regarding: hello", "Re: Regarding: hello", "Fwd: Regarding: hello", "Regarding: hello"},
        {"re hello", "Re: re hello", "Fwd: re hello", "re hello"},
        {"", "Re:", "Fwd:", ""},
        {"Re:", "Re:", "Fwd: Re:", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reply = subject_reply(cases[i].subject);
        g_autofree char *forward = subject_forward(cases[i].subject);
        g_autofree char *base = subject_base(cases[i].subject);
        g_autofree char *again = subject_reply(reply);
        g_assert_cmpstr(reply, ==, cases[i].reply);
        g_assert_cmpstr(forward, ==, cases[i].forward);
        g_assert_cmpstr(base, ==, cases[i].base);
        g_assert_cmpstr(again, ==, reply);
    }
}

static void
test_quote(void)
{
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"one\ntwo\n", "> one\n> two\n"},
        {"one\n\ntwo\n\n\n", "> one\n>\n> two\n"},
        {"> q\n>> qq\n> > also\n", ">> q\n>>> qq\n>>> also\n"},
        {"text\n-- \nsignature\n", "> text\n"},
        {"A line that is a good deal longer than the seventy-two columns that a quoted line may have before "
         "it is broken\n",
         "> A line that is a good deal longer than the seventy-two columns that a\n> quoted line may have "
         "before it is broken\n"},
        {"> A quoted line that is a good deal longer than the seventy-two columns that a quoted line may "
         "have\n",
         ">> A quoted line that is a good deal longer than the seventy-two columns\n>> that a quoted line "
         "may have\n"},
        {"https://example.org/a/very/long/address/that/must/not/be/broken/because/then/nobody/can/follow/it/"
         "any/more.html\n",
         "> "
         "https://example.org/a/very/long/address/that/must/not/be/broken/because/then/nobody/can/follow/it/"
         "any/more.html\n"},
        {"esc \033[31m bell \007\n", "> esc \357\277\275[31m bell \357\277\275\n"},
        {"", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *quoted = quote_text(cases[i].text, 0);
        g_assert_cmpstr(quoted, ==, cases[i].quoted);
    }
}

static void
test_body(void)
{
    g_autoptr(GPtrArray) own = people(OWN);
    struct reply_options options = {.own = own, .signature = "Ana\n"};
    g_autoptr(struct_document) document =
        parse_text("From: Ben Okafor <ben@b.example>\nTo: ana@example.org\nSubject: x\nDate: Thu, 12 Nov "
                   "2026 10:42:01 +0100\n\n"
                   "Hello Ana\n\n> your words\n\n-- \nBen\n");
    g_autoptr(struct_draft) draft = reply_new(document, REPLY_SENDER, &options, NULL);
    g_assert_cmpstr(
        draft->body, ==,
        "On Thu, 12 Nov 2026 10:42 +0100, Ben Okafor wrote:\n> Hello Ana\n>\n>> your words\n\n-- \nAna\n");
    options.attribution = "%n <%a>, %d, \"%s\" 100%%:";
    options.selection = "only this\n";
    options.signature = NULL;
    g_autoptr(struct_draft) other = reply_new(document, REPLY_SENDER, &options, NULL);
    g_assert_cmpstr(other->body, ==,
                    "Ben Okafor <ben@b.example>, Thu, 12 Nov 2026 10:42 +0100, \"x\" 100%:\n> only this\n");
    options.no_quote = TRUE;
    g_autoptr(struct_draft) empty = reply_new(document, REPLY_SENDER, &options, NULL);
    g_assert_cmpstr(empty->body, ==, "");
    /* HTML: no link marks, no list of links */
    g_autoptr(struct_document) html = parse_text(
        "From: b@b.example\nContent-Type: text/html\n\n<p>See <a href=\"https://a.example/\">this</a> "
        "and <a href=\"https://b.example/\">that</a>.</p>\n");
    g_autoptr(struct_draft) reply = reply_new(html, REPLY_SENDER, NULL, NULL);
    g_assert_cmpstr(reply->body, ==, "b@b.example wrote:\n> See this and that.\n");
    /* a hostile name does not write a header or escape */
    g_autoptr(struct_document) evil =
        parse_text("From: =?utf-8?q?A=0ABcc=3A_x=1B=5B31m?= <b@b.example>\nSubject: "
                   "=?utf-8?q?s=0D=0ABcc=3A_evil=40x.example?=\n\nx\n");
    g_autoptr(struct_draft) answer = reply_new(evil, REPLY_ALL, NULL, NULL);
    g_assert_null(strpbrk(answer->subject, "\r\n\033"));
    g_assert_null(strchr(answer->body, '\033'));
    g_autoptr(GError) error = NULL;
    address_list_add(answer->from, NULL, "a@a.example");
    answer->date = 1;
    answer->message_id = g_strdup("id@x");
    g_autoptr(GBytes) built = message_build(answer, &error); /* and can be answered */
    g_assert_no_error(error);
    g_assert_nonnull(built);
}

#define FILES                                                                                                \
    "From: Ben <ben@b.example>\nTo: ana@example.org\nSubject: plans\nDate: Thu, 12 Nov 2026 10:42:01 "       \
    "+0100\n"                                                                                                \
    "Message-ID: <m@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee file.\n-- \nBen\n--b\n"      \
    "Content-Type: application/pdf;\n name*=utf-8''pl%C3%A4n.pdf; "                                          \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx*=utf-8''%C3%A4\n"                \
    "Content-Transfer-Encoding: base64\n\nQUJD\n--b--\n"

/* Forwarded files are copied as they are: GMime 3.2.13 would never end writing such a parameter again (0.23).
 */
static void
test_forward(void)
{
    g_autoptr(GPtrArray) own = people(OWN);
    struct reply_options options = {.own = own};
    g_autoptr(GBytes) message = bytes_of_text(FILES);
    g_autoptr(struct_document) document = parse_bytes(message, READER_ALL);
    g_autoptr(struct_draft) draft = forward_new(document, message, FORWARD_INLINE, &options);
    g_assert_cmpstr(draft->subject, ==, "Fwd: plans");
    g_assert_cmpstr(
        draft->body, ==,
        "\n----- Forwarded message from Ben -----\n\n> From: Ben <ben@b.example>\n> To: ana@example.org\n"
        "> Date: Thu, 12 Nov 2026 10:42 +0100\n> Subject: plans\n>\n> See file.\n> -- \n> Ben\n\n"
        "----- End of forwarded message -----\n");
    g_assert_cmpuint(draft->attachments->len, ==, 1);
    address_list_add(draft->to, NULL, "c@c.example");
    draft->date = 1;
    draft->message_id = g_strdup("new@x");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) built = message_build(draft, &error);
    g_assert_no_error(error);
    static const char entity[] = "Content-Type: application/pdf;\n name*=utf-8''pl%C3%A4n.pdf; xxxxxxxxxx";
    g_assert_nonnull(memmem(g_bytes_get_data(built, NULL), g_bytes_get_size(built), entity, strlen(entity)));
    g_autoptr(struct_document) back = parse_bytes(built, READER_ALL);
    g_autoptr(GBytes) pdf = message_part(built, document_attachment(back, 1)->n, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(pdf, NULL), g_bytes_get_size(pdf), "ABC", 3);
    g_assert_cmpstr(document_attachment(back, 1)->filename, ==, "plän.pdf");

    g_autoptr(struct_draft) whole = forward_new(document, message, FORWARD_ATTACHMENT, &options);
    const struct draft_attachment *attachment = whole->attachments->pdata[0];
    g_assert_true(g_bytes_equal(attachment->bytes, message));
    g_assert_cmpstr(attachment->type, ==, "message/rfc822");
    g_assert_cmpstr(attachment->name, ==, "plans.eml");
}

/* A part that must not go over the wire as it is keeps its bytes and gets another encoding. */
static void
test_forward_odd(void)
{
    g_autofree char *long_line = g_strnfill(3000, 'x');
    const struct {
        const char *encoding, *content, *bytes;
    } cases[] = {
        {"7bit", long_line, long_line},
        {"base64", NULL, NULL}, /* all on one line */
        {"binary", "a\rb", "a\rb"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *base64 = g_base64_encode((const guchar *)long_line, strlen(long_line));
        g_autofree char *text = g_strdup_printf(
            "From: b@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n"
            "Content-Type: application/x-odd; name=odd.bin\nContent-Transfer-Encoding: %s\n\n%s\n--b--\n",
            cases[i].encoding, cases[i].content ? cases[i].content : base64);
        g_autoptr(GBytes) message = bytes_of_text(text);
        g_autoptr(struct_document) document = parse_bytes(message, READER_ALL);
        g_autoptr(struct_draft) draft = forward_new(document, message, FORWARD_INLINE, NULL);
        g_autoptr(GError) error = NULL;
        address_list_add(draft->from, NULL, "a@a.example");
        address_list_add(draft->to, NULL, "c@c.example");
        draft->date = 1;
        draft->message_id = g_strdup("id@x");
        g_autoptr(GBytes) built = message_build(draft, &error);
        g_assert_no_error(error);
        g_autoptr(struct_document) back = parse_bytes(built, READER_ALL);
        const struct document_part *part = document_attachment(back, 1);
        g_assert_cmpstr(part->type, ==, "application/x-odd");
        g_assert_cmpstr(part->filename, ==, "odd.bin");
        g_assert_cmpstr(part->encoding, ==, "base64");
        g_autoptr(GBytes) content = message_part(built, part->n, NULL, &error);
        const char *bytes = cases[i].bytes ? cases[i].bytes : long_line;
        g_assert_cmpmem(g_bytes_get_data(content, NULL), g_bytes_get_size(content), bytes, strlen(bytes));
    }
}

/* A draft that was kept comes back as it was. */
static void
test_recall(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_draft) draft = draft_new();
    g_autoptr(GBytes) file = g_bytes_new_static("\0\1\2", 3);
    address_list_add(draft->from, "Ana", "ana@example.org");
    address_list_add(draft->to, "Tomás", "t@x.example");
    address_list_add(draft->bcc, NULL, "secret@x.example");
    draft_set_subject(draft, "é");
    draft_set_body(draft, "First line\n\n  indented http://a.example/\n> quote\n-- \nAna\n");
    draft_attach_bytes(draft, file, "f.bin", NULL);
    draft_add_header(draft, "X-Mine", "yes");
    draft->in_reply_to = g_strdup("p@x");
    draft->kind = DRAFT_REPLY;
    draft->source = g_strdup("p@x");
    draft->flags = DRAFT_INCOMPLETE | DRAFT_KEEP_BCC;
    draft->date = 1000;
    draft->message_id = g_strdup("d@x");
    g_autoptr(GBytes) kept = message_build(draft, &error);
    g_assert_no_error(error);
    g_autoptr(struct_document) document = parse_bytes(kept, READER_ALL);
    g_autoptr(struct_draft) again = recall_new(document, kept);
    g_autofree char *bcc = shown(again->bcc), *to = shown(again->to);
    g_assert_cmpstr(to, ==, "Tomás <t@x.example>");
    g_assert_cmpstr(bcc, ==, "secret@x.example");
    g_assert_cmpstr(again->subject, ==, "é");
    g_assert_cmpstr(again->body, ==, draft->body);
    g_assert_cmpstr(again->in_reply_to, ==, "p@x");
    g_assert_cmpstr(again->message_id, ==, "d@x");
    g_assert_cmpint(again->kind, ==, DRAFT_REPLY);
    g_assert_cmpstr(again->source, ==, "p@x");
    g_assert_cmpuint(again->headers->len, ==, 1);
    g_assert_cmpstr(draft_get_header(again, "X-Mine"), ==, "yes");
    g_assert_cmpuint(again->attachments->len, ==, 1);
    /* kept once more, it is the same again */
    again->flags |= DRAFT_INCOMPLETE | DRAFT_KEEP_BCC;
    again->date = 1000;
    g_autoptr(GBytes) second = message_build(again, &error);
    g_assert_no_error(error);
    g_autoptr(struct_document) reread = parse_bytes(second, READER_ALL);
    g_assert_cmpstr(reread->text, ==, document->text);
    g_autoptr(GBytes) content = message_part(second, document_attachment(reread, 1)->n, NULL, NULL);
    g_assert_true(g_bytes_equal(content, file));
    g_autoptr(struct_draft) fresh = edit_as_new(document, kept);
    g_assert_null(fresh->message_id);
    g_assert_null(fresh->in_reply_to);
    g_assert_cmpint(fresh->kind, ==, DRAFT_EDITED);
}

static void
test_resend(void)
{
    static const char text[] =
        "Received: from x\r\nFrom: ben@b.example\r\nBcc: s@x.example\r\nSubject: x\r\n\r\nbody \xff\r\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) message = bytes_of_text(text);
    g_autoptr(struct_address) from = address_new("Tomás", "t@example.org");
    g_autoptr(GPtrArray) to = people("c@c.example, \"D, E\" <d@d.example>");
    g_autoptr(GBytes) sent = resend_message(message, from, to, &error);
    g_assert_no_error(error);
    g_autofree char *block = g_strndup(g_bytes_get_data(sent, NULL), g_bytes_get_size(sent));
    g_assert_true(g_str_has_prefix(block, "Resent-From: =?utf-8?B?VG9tw6Fz?= <t@example.org>\n"
                                          "Resent-To: c@c.example,\n \"D, E\" <d@d.example>\nResent-Date: "));
    g_assert_true(
        g_str_has_suffix(block, "\nReceived: from x\nFrom: ben@b.example\nSubject: x\n\nbody \xff\n"));
    g_assert_null(strchr(block, '\r'));
    g_autoptr(struct_rawmsg_prepared) prepared = rawmsg_prepare(sent, NULL, TRUE, &error);
    g_assert_no_error(error);
    g_autofree char *recipients = shown(prepared->recipients);
    g_assert_cmpstr(recipients, ==, "c@c.example, \"D, E\" <d@d.example>");
    g_autoptr(GPtrArray) evil = address_list_new();
    address_list_add(evil, "x\nBcc: y@z.example", "c@c.example");
    g_assert_null(resend_message(message, from, evil, &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mail_init();
    g_test_add_func("/reply/addressing", test_addressing);
    g_test_add_func("/reply/thread", test_thread);
    g_test_add_func("/reply/subjects", test_subjects);
    g_test_add_func("/reply/quote", test_quote);
    g_test_add_func("/reply/body", test_body);
    g_test_add_func("/reply/forward", test_forward);
    g_test_add_func("/reply/forward-odd", test_forward_odd);
    g_test_add_func("/reply/recall", test_recall);
    g_test_add_func("/reply/resend", test_resend);
    return g_test_run();
}
