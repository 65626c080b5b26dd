#include "config.h"

#include "base/error.h"
#include "mail/address.h"
#include "mail/draft.h"
#include "mail/draftfile.h"
#include "mail/mailto.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* --- addresses --- */

struct address_case {
    const char *text, *list; /* the list as it is written again; NULL: refused */
    const char *why;
};

static const struct address_case address_cases[] = {
    {"ana@example.org", "ana@example.org", NULL},
    {"  ana@example.org , ben@example.net;carol@example.com,",
     "ana@example.org, ben@example.net, carol@example.com", NULL},
    {"Ana Ruiz <ana@example.org>", "Ana Ruiz <ana@example.org>", NULL},
    {"\"Vidal, Tomás\" <t@example.org>", "\"Vidal, Tomás\" <t@example.org>", NULL},
    {"Tomás Vidal <t@example.org>", "Tomás Vidal <t@example.org>", NULL},
    {"\"a \\\"b\\\" \\\\c\" <x@y.example>", "\"a \\\"b\\\" \\\\c\" <x@y.example>", NULL},
    {"J. Doe <j@example.org>", "\"J. Doe\" <j@example.org>", NULL},
    {"ana@example.org (Ana)", "Ana <ana@example.org>", NULL},
    {"<ana@example.org>", "ana@example.org", NULL},
    {"team: a@b.example, C <c@d.example>;, e@f.example", "a@b.example, C <c@d.example>, e@f.example", NULL},
    {"nobody:;", "", NULL},
    {"\"john doe\"@example.org", "\"john doe\"@example.org", NULL},
    {"ana@[192.0.2.1]", "ana@[192.0.2.1]", NULL},
    {"ana@[IPv6:2001:db8::1]", "ana@[IPv6:2001:db8::1]", NULL},
    {"ana@bücher.example", "ana@bücher.example", NULL},
    {"ána@example.org", "ána@example.org", NULL},
    {"a+b=c!d@example.org", "a+b=c!d@example.org", NULL},
    {"", "", NULL},
    {" , ; ", "", NULL},
    /* refused, with the reason */
    {"ana", NULL, "no @"},
    {"ana@", NULL, "ana@: no domain"},
    {"@example.org", NULL, "nothing before the @"},
    {"ana@@example.org", NULL, "character"},
    {"Ana Ruiz", NULL, "no @"},
    {"Ana ana@example.org", NULL, "between < and >"},
    {"ana@example.org ben@example.net", NULL, "comma"},
    {"Ana <ana@example.org", NULL, "not closed"},
    {"Ana <ana@example.org> Ruiz", NULL, "after the >"},
    {"Ana <a@b.example> <c@d.example>", NULL, "second <"},
    {"\"Ana <ana@example.org>", NULL, "quote mark"},
    {"(Ana ana@example.org", NULL, "( is not closed"},
    {"team: a@b.example", NULL, "not closed"},
    {"a: b: c@d.example;", NULL, "colon"},
    {"ana@exa mple.org", NULL, "between < and >"},
    {"<ana@exa mple.org>", NULL, "space"},
    {"ana@-example.org", NULL, "dash"},
    {"ana@example..org", NULL, "dot"},
    {".ana@example.org", NULL, "dot"},
    {"an..a@example.org", NULL, "two dots"},
    {"<>", NULL, "nothing between"},
    {"ana@example.org\nBcc: x@y.example", NULL, NULL},
    {"ana\001@example.org", NULL, "control"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org", NULL, "64 bytes"},
    {"a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", NULL, "63 bytes"},
};

static void
test_addresses(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(address_cases); i++) {
        const struct address_case *test = &address_cases[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) list = address_list_parse(test->text, &error);
        if (!test->list) {
            g_assert_null(list);
            g_assert_error(error, ADDRESS_ERROR, ERROR_INPUT);
            if (test->why && !strstr(error->message, test->why))
                g_error("%s: %s, not %s", test->text, error->message, test->why);
            continue;
        }
        g_assert_no_error(error);
        g_autofree char *again = address_list_format(list);
        g_assert_cmpstr(again, ==, test->list);
        /* what was written is read as the same */
        g_autoptr(GPtrArray) second = address_list_parse(again, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(second->len, ==, list->len);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(address_parse("a@b.example, c@d.example", &error));
    g_assert_nonnull(error);
}

static void
test_same(void)
{
    g_assert_true(address_same("Ana@EXAMPLE.org", "ana@example.ORG"));
    g_assert_true(address_same("a@bücher.example", "a@xn--bcher-kva.example"));
    g_assert_false(address_same("a@b.example", "a@c.example"));
    g_assert_false(address_same(NULL, "a@c.example"));
    g_autofree char *normal = address_normalise("Ana@Example.ORG");
    g_assert_cmpstr(normal, ==, "Ana@example.org");
    g_assert_true(address_needs_smtputf8("ána@example.org"));
    g_assert_false(address_needs_smtputf8("ana@bücher.example"));
}

/* --- drafts as text --- */

static void
test_format(void)
{
    g_autoptr(struct_draft) draft = draft_new();
    address_list_add(draft->from, "Ana", "ana@example.org");
    address_list_add(draft->to, "Vidal, Tomás", "t@example.org");
    draft_set_subject(draft, "Hello");
    draft_set_body(draft, "Subject: not a header\n");
    draft_add_header(draft, "X-Note", "n");
    draft->in_reply_to = g_strdup("p@x");
    draft_attach_file(draft, "/tmp/some file.pdf", NULL, NULL);
    g_autofree char *text = draftfile_format(draft, TRUE);
    g_assert_cmpstr(
        text, ==,
        "From: Ana <ana@example.org>\nTo: \"Vidal, Tomás\" <t@example.org>\nCc: \nBcc: \nSubject: Hello\n"
        "In-Reply-To: <p@x>\nX-Note: n\nAttach: /tmp/some file.pdf\n\nSubject: not a header\n");
    g_autofree char *body = draftfile_format(draft, FALSE);
    g_assert_cmpstr(body, ==, draft->body);
    /* and back, changed by an editor */
    static const char edited[] =
        "From: Ana <ana@example.org>\nTo: ben@example.net,\n carol@example.com\nCc: \nSubject: Changed\n"
        "X-Other: o\n\nNew body\n";
    g_autoptr(GError) error = NULL;
    g_assert_true(draftfile_parse(edited, strlen(edited), draft, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(draft->to->len, ==, 2);
    g_assert_cmpstr(draft->subject, ==, "Changed");
    g_assert_cmpstr(draft->body, ==, "New body\n");
    g_assert_cmpstr(draft->in_reply_to, ==, "p@x"); /* not in the text: kept */
    g_assert_null(draft_get_header(draft, "X-Note"));
    g_assert_cmpstr(draft_get_header(draft, "X-Other"), ==, "o");
    g_assert_cmpuint(draft->attachments->len, ==, 0); /* its line was taken out */
}

struct draftfile_case {
    const char *text;
    const char *to, *subject, *body; /* NULL body: refused */
    const char *why;
};

static const struct draftfile_case draftfile_cases[] = {
    {"To: a@b.example\nSubject: s\n\nbody\n", "a@b.example", "s", "body\n", NULL},
    {"To: a@b.example\r\nSubject: s\r\n\r\nbody\r\n", "a@b.example", "s", "body\r\n", NULL},
    {"to: a@b.example\n\n", "a@b.example", "", "", NULL},
    {"To: a@b.example", "a@b.example", "", "", NULL},
    {"Subject: =?utf-8?q?caf=C3=A9?=\n =?utf-8?b?w6k=?=\n\nx\n", "", "caféé", "x\n", NULL},
    {"To: =?utf-8?q?Tom=C3=A1s?= <t@b.example>\n\nx\n", "Tomás <t@b.example>", "", "x\n", NULL},
    {"Just text\nwithout: header\n", "", "", "Just text\nwithout: header\n", NULL},
    {"\nText after a blank line\n", "", "", "\nText after a blank line\n", NULL},
    {"Note: this is prose\n", "", "", "Note: this is prose\n", NULL},
    {"", "", "", "", NULL},
    {"Content-Type: text/plain; charset=utf-8\nTo: a@b.example\n\nx\n", "a@b.example", "", "x\n", NULL},
    {"To: a@b.example\nana@\n\nx\n", NULL, NULL, NULL, "line 2"},
    {"Subject: x\nTo: ana@\n\nx\n", NULL, NULL, NULL, "line 2: To: ana@: no domain"},
    {"To: a@b.example\nContent-Type: text/html\n\nx\n", NULL, NULL, NULL, "line 2: Content-Type"},
    {"To: a@b.example\n\n\xff\n", NULL, NULL, NULL, "UTF-8"},
};

static void
test_parse(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(draftfile_cases); i++) {
        const struct draftfile_case *test = &draftfile_cases[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_draft) draft = draft_new();
        draft_set_body(draft, "before");
        gboolean ok = draftfile_parse(test->text, strlen(test->text), draft, &error);
        if (!test->body) {
            g_assert_false(ok);
            g_assert_nonnull(strstr(error->message, test->why));
            g_assert_cmpstr(draft->body, ==, "before");
            g_assert_cmpuint(draft->to->len, ==, 0);
            continue;
        }
        g_assert_no_error(error);
        g_assert_true(ok);
        g_autofree char *to = address_list_format(draft->to);
        g_assert_cmpstr(to, ==, test->to);
        g_assert_cmpstr(draft->subject, ==, test->subject);
        g_assert_cmpstr(draft->body, ==, test->body);
    }
}

/* --- mailto (M9) --- */

static void
test_mailto(void)
{
    static const struct {
        const char *url, *to, *subject, *body, *dropped;
    } cases[] = {
        {"mailto:ana@example.org", "ana@example.org", "", "", NULL},
        {"MAILTO:a@b.example,c@d.example?cc=e@f.example&to=g@h.example",
         "a@b.example, c@d.example, g@h.example", "", "", NULL},
        {"mailto:?subject=a%20b&body=line%0D%0Atwo", "", "a b", "line\ntwo\n", NULL},
        {"mailto:a%2Bb@c.example?subject=100%25+x", "a+b@c.example", "100%+x", "", NULL},
        {"mailto:a@b.example?subject=x%0D%0ABcc:%20evil@example.com", "a@b.example",
         "x  Bcc: evil@example.com", "", NULL},
        {"mailto:a@b.example?attach=/etc/passwd&from=evil@x.example&subject=s", "a@b.example", "s", "",
         "attach, from"},
        {"mailto:a@b.example?body=%1B%5B31mred%07", "a@b.example", "", "[31mred\n", NULL},
        {"mailto:a@b.example?subject=x&amp;body=y", "a@b.example", "x", "y\n", NULL},
        {"mailto:%22a%2Cb%22@c.example", "\"a,b\"@c.example", "", "", NULL},
        {"mailto:caf%C3%A9@b.example", "café@b.example", "", "", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *dropped = NULL;
        g_autoptr(struct_draft) draft = mailto_parse(cases[i].url, &dropped, &error);
        g_assert_no_error(error);
        g_autofree char *to = address_list_format(draft->to);
        g_assert_cmpstr(to, ==, cases[i].to);
        g_assert_cmpstr(draft->subject, ==, cases[i].subject);
        g_assert_cmpstr(draft->body, ==, cases[i].body);
        g_assert_cmpuint(draft->attachments->len, ==, 0);
        g_assert_cmpuint(draft->from->len, ==, 0);
        if (cases[i].dropped)
            g_assert_nonnull(strstr(dropped, cases[i].dropped));
        else
            g_assert_null(dropped);
    }
    static const char *const bad[] = {"http://x",
                                      "mailto:a@b.example%",
                                      "mailto:a@b.example?subject=%zz",
                                      "mailto:a@b.example?subject=%00",
                                      "mailto:ana%0D%0ABcc:x@y.example",
                                      "mailto:a@"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(mailto_parse(bad[i], NULL, &error));
        g_assert_nonnull(error);
    }
    g_autofree char *long_body = g_strnfill(70000, 'x');
    g_autofree char *url = g_strconcat("mailto:a@b.example?body=", long_body, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(mailto_parse(url, NULL, &error));
    g_assert_error(error, MAILTO_ERROR, ERROR_INPUT);
}

/* --- attachments --- */

static void
test_load(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("draft-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *file = g_build_filename(dir, "a.txt", NULL);
    g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
    g_autofree char *missing = g_build_filename(dir, "missing", NULL);
    g_assert_true(g_file_set_contents(file, "hello", 5, &error));
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_autoptr(struct_draft) draft = draft_new();
    draft_attach_file(draft, file, NULL, NULL);
    g_assert_true(draft_load_attachments(draft, 100, &error));
    struct draft_attachment *attachment = draft->attachments->pdata[0];
    g_assert_cmpmem(g_bytes_get_data(attachment->bytes, NULL), g_bytes_get_size(attachment->bytes), "hello",
                    5);
    g_assert_cmpstr(attachment->name, ==, "a.txt");
    const char *bad[] = {fifo, missing, dir};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(struct_draft) other = draft_new();
        draft_attach_file(other, bad[i], NULL, NULL);
        g_assert_false(draft_load_attachments(other, 100, &error));
        g_assert_nonnull(error);
        g_assert_cmpint(error->code, ==, ERROR_NOINPUT);
        g_assert_nonnull(strstr(error->message, bad[i]));
        g_clear_error(&error);
    }
    g_autoptr(struct_draft) large = draft_new();
    draft_attach_file(large, file, NULL, NULL);
    g_assert_false(draft_load_attachments(large, 4, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(error->code, ==, ERROR_INPUT);
    g_unlink(file);
    g_unlink(fifo);
    g_rmdir(dir);
}

static void
test_recipients(void)
{
    g_autoptr(struct_draft) draft = draft_new();
    address_list_add(draft->to, "A", "a@EXAMPLE.org");
    address_list_add(draft->cc, NULL, "A@example.org");
    address_list_add(draft->cc, "group", NULL);
    address_list_add(draft->bcc, NULL, "b@example.org");
    g_autoptr(GPtrArray) recipients = draft_recipients(draft);
    g_autofree char *text = address_list_format(recipients);
    g_assert_cmpstr(text, ==, "A <a@example.org>, b@example.org");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/draft/addresses", test_addresses);
    g_test_add_func("/draft/same", test_same);
    g_test_add_func("/draft/format", test_format);
    g_test_add_func("/draft/parse", test_parse);
    g_test_add_func("/draft/mailto", test_mailto);
    g_test_add_func("/draft/load", test_load);
    g_test_add_func("/draft/recipients", test_recipients);
    return g_test_run();
}
