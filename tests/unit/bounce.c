/* delivery reports: the standard form and those that are about */
#include "config.h"

#include <string.h>

#include "trust/bounce.h"

/* A document as the reader would give it, with the parts found by the text they begin with. */
struct part_at {
    const char *type, *begins, *ends, *encoding;
};

static struct document *
make_document(const char *message, const struct part_at *parts, guint flags, const char *from,
              const char *text)
{
    struct document *document = document_new();
    document->flags = flags;
    g_free(document->text);
    document->text = g_strdup(text ? text : "");
    address_list_add(document->envelope->from, NULL, from);
    for (guint n = 1; parts && parts->type; parts++, n++) {
        struct document_part *part = g_new0(struct document_part, 1);
        const char *start = strstr(message, parts->begins),
                   *end = parts->ends ? strstr(start, parts->ends) : NULL;
        part->n = n;
        part->type = g_strdup(parts->type);
        part->charset = g_strdup("");
        part->filename = g_strdup("");
        part->disposition = g_strdup("");
        part->encoding = g_strdup(parts->encoding ? parts->encoding : "7bit");
        part->cid = g_strdup("");
        part->description = g_strdup("");
        part->inside = g_strdup("");
        part->offset = (guint64)(start - message);
        part->length = end ? (guint64)(end - start) : strlen(start);
        g_ptr_array_add(document->parts, part);
    }
    return document;
}

static struct bounce *
read_message(const char *message, const struct part_at *parts, guint flags, const char *from,
             const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(message, strlen(message));
    g_autoptr(struct_document) document = make_document(message, parts, flags, from, text);
    return bounce_read(bytes, document);
}

static const char postfix_report[] =
    "From: MAILER-DAEMON@mx.example.org\nContent-Type: multipart/report; boundary=b\n\n--b\n\n"
    "I'm sorry\n\n--b\nContent-Type: message/delivery-status\n\n"
    "Reporting-MTA: dns; mx.example.org\r\n"
    "X-Postfix-Queue-ID: 4TzQ1y\r\n"
    "Original-Envelope-Id: abc+3D\r\n"
    "\r\n"
    "Final-Recipient: rfc822; nobody@example.com\r\n"
    "Original-Recipient: rfc822;Nobody@example.com\r\n"
    "Action: failed\r\n"
    "Status: 5.1.1\r\n"
    "Remote-MTA: dns; mx.example.com\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <nobody@example.com>: Recipient address rejected:\r\n"
    "    User unknown in local recipient table\r\n"
    "\r\n"
    "Final-Recipient: rfc822; full@example.com\n"
    "Action: failed\n"
    "Status: 5.2.2 (mailbox full)\n"
    "\n\n"
    "Final-Recipient: rfc822; late@example.com\n"
    "Action: delayed\n"
    "Status: 4.4.1\n"
    "\n"
    "Final-Recipient: rfc822; there@example.com\n"
    "Action: relayed\n"
    "Status: 2.0.0\n"
    "\n"
    "Final-Recipient: rfc822; <here@example.com>\n"
    "Action: Delivered\n"
    "Status: 2.0.0\n"
    "\n--b\nContent-Type: text/rfc822-headers\n\n"
    "Return-Path: <ana@example.org>\nMessage-ID:\n <20261112@example.org>\nSubject: hello\n\n--b--\n";

static const struct part_at postfix_parts[] = {
    {"multipart/report", "--b", NULL, NULL},
    {"text/plain", "I'm sorry", "--b", NULL},
    {"message/delivery-status", "Reporting-MTA", "--b\n", NULL},
    {"text/rfc822-headers", "Return-Path", "--b--", NULL},
    {NULL},
};

static void
test_report(void)
{
    static const struct {
        const char *address, *status, *kind, *diagnostic;
    } expected[] = {
        {"nobody@example.com", "5.1.1", "hard",
         "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in local recipient table"},
        {"full@example.com", "5.2.2", "soft", NULL},
        {"late@example.com", "4.4.1", "delayed", NULL},
        {"there@example.com", "2.0.0", "relayed", NULL},
        {"here@example.com", "2.0.0", "delivered", NULL},
    };
    g_autoptr(struct_bounce) bounce =
        read_message(postfix_report, postfix_parts, DOCUMENT_REPORT, "x@y.example", NULL);
    g_assert_nonnull(bounce);
    g_assert_cmpstr(bounce->message_id, ==, "20261112@example.org");
    g_assert_cmpstr(bounce->envid, ==, "abc+3D");
    g_assert_cmpstr(bounce->reporter, ==, "mx.example.org");
    g_assert_cmpuint(bounce->recipients->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        const struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        g_assert_cmpstr(recipient->address, ==, expected[i].address);
        g_assert_cmpstr(recipient->status, ==, expected[i].status);
        g_assert_cmpstr(bounce_kind_name(recipient->kind), ==, expected[i].kind);
        if (expected[i].diagnostic)
            g_assert_cmpstr(recipient->diagnostic, ==, expected[i].diagnostic);
    }
    const struct bounce_recipient *first = bounce->recipients->pdata[0];
    g_assert_cmpstr(first->original, ==, "Nobody@example.com");
    g_assert_cmpstr(first->server, ==, "mx.example.com");
    g_assert_cmpstr(first->reason, ==, "no such user");
}

static void
test_kinds(void)
{
    static const struct {
        const char *action, *status, *kind, *reason;
    } cases[] = {
        {"failed", "5.1.1", "hard", "no such user"},
        {"failed", "5.1.10", "hard", "the domain takes no mail"},
        {"failed", "5.1.9", "hard", "the address was refused"},
        {"failed", "5.2.1", "hard", "the mailbox is disabled"},
        {"failed", "5.2.2", "soft", "the mailbox is full"},
        {"failed", "5.3.4", "hard", "the message is too large for the server"},
        {"failed", "4.4.7", "soft", "it could not be delivered in time"},
        {"failed", "5.4.4", "hard", "no server is known for the domain"},
        {"failed", "5.7.1", "hard", "refused by the server's policy"},
        {"failed", "5.7.26", "hard", "refused by the server's policy"},
        {"failed", "5.0.0", "hard", "it could not be delivered"},
        {"failed", "9.9.9", "hard", "it could not be delivered"},
        {"failed", "", "hard", "it could not be delivered"},
        {"delayed", "4.2.2", "delayed", "the mailbox is full"},
        {"expanded", "2.0.0", "delivered", "delivered"},
        {"nonsense", "5.1.1", "hard", "no such user"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message =
            g_strdup_printf("\nReporting-MTA: x\n\nFinal-Recipient: rfc822; a@b.example\nAction: %s\n"
                            "Status: %s\n",
                            cases[i].action, cases[i].status);
        const struct part_at parts[] = {{"message/delivery-status", "Reporting-MTA", NULL, NULL}, {NULL}};
        g_autoptr(struct_bounce) bounce = read_message(message, parts, DOCUMENT_REPORT, "x@y.example", NULL);
        const struct bounce_recipient *recipient = bounce->recipients->pdata[0];
        g_assert_cmpstr(bounce_kind_name(recipient->kind), ==, cases[i].kind);
        g_assert_cmpstr(recipient->reason, ==, cases[i].reason);
    }
}

static void
test_free_forms(void)
{
    static const struct {
        const char *text, *address, *status, *message_id;
    } cases[] = {
        /* qmail */
        {"Hi. This is the qmail-send program at example.org.\nI'm afraid I wasn't able to deliver your "
         "message to the "
         "following addresses.\n\n<nobody@example.com>:\n192.0.2.7 does not like recipient.\nRemote host "
         "said: 550 5.1.1 no "
         "such user\nGiving up on 192.0.2.7.\n\n--- Below this line is a copy of the message.\n\nMessage-ID: "
         "<a@b>\n",
         "nobody@example.com", "5.1.1", "a@b"},
        /* Exim */
        {"A message that you sent could not be delivered to one or more of its\nrecipients.\n\n  "
         "nobody@example.com\n    host "
         "mx.example.com [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO: 550 no such "
         "user\n\n------ This is "
         "a copy of the message ------\n\n> Message-Id: <c@d>\n",
         "nobody@example.com", "5.1.1", "c@d"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_bounce) bounce =
            read_message("", NULL, 0, "MAILER-DAEMON@example.org", cases[i].text);
        g_assert_nonnull(bounce);
        g_assert_cmpuint(bounce->recipients->len, ==, 1);
        const struct bounce_recipient *recipient = bounce->recipients->pdata[0];
        g_assert_cmpstr(recipient->address, ==, cases[i].address);
        g_assert_cmpstr(recipient->status, ==, cases[i].status);
        g_assert_cmpint(recipient->kind, ==, BOUNCE_HARD);
        g_assert_cmpstr(bounce->message_id, ==, cases[i].message_id);
        /* The same words from a person are a letter. */
        g_assert_null(read_message("", NULL, 0, "ben@example.com", cases[i].text));
    }
    g_assert_null(
        read_message("", NULL, 0, "postmaster@example.org", "Welcome to example.org, ana@example.org\n"));
}

/* Whatever bytes stand there, it ends, and stays within its bounds. */
static void
test_hostile(void)
{
    const struct part_at parts[] = {{"message/delivery-status", "\n", NULL, NULL}, {NULL}};
    GString *many = g_string_new("\n");
    for (guint i = 0; i < 5000; i++)
        g_string_append_printf(many, "\nFinal-Recipient: rfc822; a%u@b.example\nStatus: 5.1.1\n", i);
    g_autoptr(struct_bounce) bounce = read_message(many->str, parts, DOCUMENT_REPORT, "x@y.example", NULL);
    g_assert_cmpuint(bounce->recipients->len, ==, BOUNCE_RECIPIENTS_MAX);
    g_string_free(many, TRUE);

    g_autofree char *filler = g_strnfill(200000, 'z');
    g_autofree char *wide =
        g_strconcat("\nFinal-Recipient: rfc822; ", filler, "\nDiagnostic-Code: smtp; ", filler, "\n", NULL);
    g_autoptr(struct_bounce) bounded = read_message(wide, parts, DOCUMENT_REPORT, "x@y.example", NULL);
    const struct bounce_recipient *recipient = bounded->recipients->pdata[0];
    g_assert_cmpuint(strlen(recipient->diagnostic), <=, BOUNCE_TEXT_MAX + 3);

    /* A part that claims to lie beyond the message. */
    g_autoptr(struct_document) document = make_document("\nx", parts, DOCUMENT_REPORT, "x@y.example", NULL);
    struct document_part *part = document->parts->pdata[0];
    part->offset = 1;
    part->length = G_MAXUINT64 - 1;
    g_autoptr(GBytes) bytes = g_bytes_new_static("\nx", 2);
    g_assert_null(bounce_read(bytes, document));

    /* Thousands of lines, each with an address and something said: all are not weighed against each other. */
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < 3000; i++)
        g_string_append_printf(lines, "<a%u@b.example>: %0600u no\n", i, i);
    g_autoptr(struct_bounce) long_one = read_message("", NULL, 0, "mailer-daemon@y.example", lines->str);
    g_assert_cmpuint(long_one ? long_one->recipients->len : 0, <=, BOUNCE_RECIPIENTS_MAX);
    g_string_free(lines, TRUE);

    for (guint i = 0; i < 3000; i++) {
        g_autoptr(GString) text = g_string_new("\n");
        static const char *const pieces[] = {
            "Final-Recipient:", "rfc822;", "\n", " ", "a@b.example", "Status:", "5.1.1", "Action:",
            "failed",           "\x01",    ":",  ";", "<",           ">",       "\n\n",  "\xff"};
        for (gint32 n = g_test_rand_int_range(0, 40); n > 0; n--)
            g_string_append(text, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        g_autofree char *words = g_utf8_make_valid(text->str, -1);
        bounce_free(read_message(text->str, parts, DOCUMENT_REPORT, "x@y.example", words));
        bounce_free(read_message(text->str, NULL, 0, "mailer-daemon@y.example", words));
    }
}

int
main(int argc, char **argv)
{
    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounce/report", test_report);
    g_test_add_func("/bounce/kinds", test_kinds);
    g_test_add_func("/bounce/free-forms", test_free_forms);
    g_test_add_func("/bounce/hostile", test_hostile);
    return g_test_run();
}
