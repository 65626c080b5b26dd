/* what delivery reports change in the store: the queue, the contacts, and nothing that they have no say in */
#include "config.h"

#include "storetest.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/contact.h"
#include "store/delivery.h"
#include "store/outbox.h"
#include "trust/arrival.h"

/* Two recipients; the server took it for both. */
static gint64
sent_item(struct world *world, const char *message_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recipients = address_list_new();
    address_list_add(recipients, NULL, "Old@example.com");
    address_list_add(recipients, NULL, "ben@example.com");
    g_autofree char *text = g_strdup_printf("Subject: hello\nTo: Old@example.com, Ben <ben@example.com>\nCc: hold@example.com\n"
                                            "Message-ID: <%s>\n\nto Old@example.com\n", message_id);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    struct outbox_new new = {.account = world->account,
                             .message = bytes,
                             .from = "ana@example.org",
                             .recipients = recipients,
                             .subject = "hello",
                             .message_id = message_id};
    gint64 id = outbox_queue(world->store, &new, &error);
    g_assert_no_error(error);
    g_autoptr(struct_outbox_item) item = outbox_claim(world->store, world->account, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < item->recipients->len; i++)
        ((struct outbox_recipient *)item->recipients->pdata[i])->state = OUTBOX_SENT;
    struct outbox_result result = {.state = OUTBOX_SENT};
    g_assert_true(outbox_finish(world->store, item, &result, &error));
    return id;
}

static char *
report_text(const char *message_id, const char *recipient, const char *action, const char *status)
{
    return g_strdup_printf(
        "From: MAILER-DAEMON@mx.example.com\nTo: ana@example.org\nSubject: report\n"
        "Message-ID: <r%s%s>\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nsorry\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n"
        "Final-Recipient: rfc822; %s\nAction: %s\nStatus: %s\nDiagnostic-Code: smtp; 550 no\n\n"
        "--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <%s>\n\n--b--\n",
        status, message_id, recipient, action, status, message_id);
}

/* As it comes in: in INBOX, with its body, marked as a report. */
static gint64
deliver_report(struct world *world, guint32 uid, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = g_strdup_printf("report%u@mx", uid);
    gint64 placement = add_mail(world->store, world->inbox, uid, id, NULL, "MAILER-DAEMON@mx.example.com",
                                "report", clock_now());
    g_autofree char *dir = folder_path(world->store, world->inbox, TRUE, &error);
    struct maildir_entry entry = {0};
    maildir_deliver(dir, 0, text, strlen(text), &entry, &error);
    g_assert_no_error(error);
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    index->envelope = make_envelope(id, NULL, "MAILER-DAEMON@mx.example.com", NULL, "report", clock_now());
    index->flags |= DOCUMENT_REPORT;
    struct placement_body body = {placement, entry.file, entry.hash, entry.wire_size, index};
    placement_attach(world->store, &body, 1, &error);
    g_assert_no_error(error);
    maildir_entry_clear(&entry);
    return message_of(world->store, placement);
}

static guint scan(struct world *world, char **notice);

static void
on_notice(const char *text, gpointer data)
{
    char **notice = data;
    g_free(*notice);
    *notice = g_strdup(text);
}

static guint
scan(struct world *world, char **notice)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_reader) reader = reader_new();
    guint found = 0;
    struct arrival_host host = {.account_id = world->account, .notice = on_notice, .data = notice};
    static const struct arrival_stage reports[] = {{"report", arrival_report, arrival_wants_report}, {NULL, NULL, NULL}};
    g_assert_true(arrival_run_stages(world->store, reader, &host, reports, NULL, &found, &error));
    g_assert_no_error(error);
    return found;
}

static void
assert_item(struct world *world, gint64 id, enum outbox_state state, enum outbox_state old,
            enum outbox_state ben)
{
    g_autoptr(struct_outbox_item) item = outbox_get(world->store, id, NULL);
    g_assert_cmpstr(outbox_state_name(item->state), ==, outbox_state_name(state));
    g_assert_cmpint(((struct outbox_recipient *)item->recipients->pdata[0])->state, ==, old);
    g_assert_cmpint(((struct outbox_recipient *)item->recipients->pdata[1])->state, ==, ben);
}

static gboolean
is_bounced(struct world *world, const char *address)
{
    g_autoptr(struct_contact) contact = contact_find(world->store, address, NULL);
    return contact && contact->bounced;
}

static void
test_kinds(void)
{
    static const struct {
        const char *recipient, *action, *status;
        enum outbox_state state, old;
        gboolean is_bounced, has_notice;
        guint found;
    } cases[] = {
        {"old@example.com", "failed", "5.1.1", OUTBOX_FAILED, OUTBOX_FAILED, TRUE, TRUE, 1},
        {"old@example.com", "failed", "5.2.2", OUTBOX_FAILED, OUTBOX_FAILED, FALSE, TRUE, 1},
        {"old@example.com", "failed", "5.7.1", OUTBOX_FAILED, OUTBOX_FAILED, FALSE, TRUE, 1},
        {"OLD@example.com", "failed", "4.4.7", OUTBOX_FAILED, OUTBOX_FAILED, FALSE, TRUE, 1},
        {"old@example.com", "delayed", "4.4.1", OUTBOX_SENT, OUTBOX_SENT, FALSE, FALSE, 1},
        {"old@example.com", "delivered", "2.0.0", OUTBOX_SENT, OUTBOX_SENT, FALSE, FALSE, 1},
        {"stranger@example.com", "failed", "5.1.1", OUTBOX_SENT, OUTBOX_SENT, FALSE, TRUE, 1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct world world;
        g_autofree char *notice = NULL;
        world_begin(&world);
        gint64 id = sent_item(&world, "m@x");
        g_autofree char *text = report_text("m@x", cases[i].recipient, cases[i].action, cases[i].status);
        deliver_report(&world, 1, text);
        g_assert_cmpuint(scan(&world, &notice), ==, cases[i].found);
        assert_item(&world, id, cases[i].state, cases[i].old, OUTBOX_SENT);
        g_assert_cmpint(is_bounced(&world, "old@example.com"), ==, cases[i].is_bounced);
        g_assert_false(is_bounced(&world, "stranger@example.com"));
        g_assert_cmpint(notice != NULL, ==, cases[i].has_notice);
        world_end(&world);
    }
}

/* A report of something that was never sent from here changes nothing, whoever it names. */
static void
test_forged(void)
{
    struct world world;
    g_autofree char *notice = NULL;
    world_begin(&world);
    gint64 id = sent_item(&world, "m@x");
    g_autofree char *text = report_text("other@x", "ben@example.com", "failed", "5.1.1");
    deliver_report(&world, 1, text);
    g_assert_cmpuint(scan(&world, &notice), ==, 0);
    assert_item(&world, id, OUTBOX_SENT, OUTBOX_SENT, OUTBOX_SENT);
    g_assert_false(is_bounced(&world, "ben@example.com"));
    g_assert_null(notice);
    world_end(&world);
}

/* Sent by another device: no queue item, but the message lies in Sent. */
static void
test_other_device(void)
{
    struct world world;
    g_autofree char *notice = NULL;
    world_begin(&world);
    add_mail(world.store, world.sent, 1, "phone@x", NULL, "Ana <ana@example.org>", "from the phone",
             clock_now());
    g_autofree char *text = report_text("phone@x", "old@example.com", "failed", "5.1.1");
    deliver_report(&world, 2, text);
    scan(&world, &notice);
    g_assert_true(is_bounced(&world, "old@example.com"));
    /* Mail from there, written later, shows that it is in use again. */
    add_mail(world.store, world.inbox, 7, "before@x", NULL, "old@example.com", "before", clock_now() - 1000);
    g_assert_true(is_bounced(&world, "old@example.com"));
    add_mail(world.store, world.inbox, 8, "after@x", NULL, "old@example.com", "after", clock_now() + 1000);
    g_assert_false(is_bounced(&world, "old@example.com"));
    world_end(&world);
}

/* Each report counts once: after it was sent again, the old report that is marked as read says nothing. */
static void
test_once(void)
{
    struct world world;
    g_autofree char *notice = NULL;
    world_begin(&world);
    gint64 id = sent_item(&world, "m@x");
    g_autofree char *text = report_text("m@x", "old@example.com", "failed", "5.1.1");
    gint64 report = deliver_report(&world, 1, text);
    g_assert_cmpuint(scan(&world, &notice), ==, 1);
    g_assert_true(outbox_retry(world.store, id, NULL));
    g_assert_cmpint(intent_mark(world.store, &report, 1, FLAG_SEEN, 0, NULL, NULL, NULL), >, 0);
    g_assert_cmpuint(scan(&world, &notice), ==, 0);
    assert_item(&world, id, OUTBOX_WAITING, OUTBOX_WAITING, OUTBOX_SENT);
    g_autofree char *late = report_text("m@x", "ben@example.com", "failed", "5.1.1");
    deliver_report(&world, 2, late);
    g_assert_cmpuint(scan(&world, &notice), ==, 1);
    world_end(&world);
}

static gboolean
has_badge(struct world *world, gint64 message)
{
    g_autoptr(struct_message) row = message_load(world->store, message, NULL);
    return (row->bits & MESSAGE_BOUNCED) != 0;
}

/* What came back stands beside the message in Sent, which shows it. */
static void
test_badge(void)
{
    struct world world;
    g_autofree char *notice = NULL;
    world_begin(&world);
    gint64 sent = message_of(world.store, add_mail(world.store, world.sent, 1, "m@x", NULL, "Ana <ana@example.org>", "hello",
                                                   clock_now()));
    g_autofree char *late = report_text("m@x", "old@example.com", "delayed", "4.4.1");
    gint64 report = deliver_report(&world, 2, late);
    scan(&world, &notice);
    g_assert_false(has_badge(&world, sent));
    g_autofree char *failed = report_text("m@x", "old@example.com", "failed", "5.1.1");
    deliver_report(&world, 3, failed);
    scan(&world, &notice);
    g_assert_true(has_badge(&world, sent));
    g_autoptr(GPtrArray) came = delivery_list(world.store, sent, NULL);
    g_assert_cmpuint(came->len, ==, 2);
    const struct delivery *first = came->pdata[0], *second = came->pdata[1];
    g_assert_cmpstr(first->kind, ==, "delayed");
    g_assert_cmpint(first->report, ==, report);
    g_assert_cmpstr(second->kind, ==, "hard");
    g_assert_cmpstr(second->address, ==, "old@example.com");
    g_assert_cmpstr(second->status, ==, "5.1.1");
    g_assert_cmpstr(second->text, ==, "550 no");
    world_end(&world);
}

static void
test_receipt(void)
{
    static const struct {
        const char *disposition, *kind;
    } cases[] = {{"manual-action/MDN-sent-manually; displayed", "read"},
                 {"automatic-action/MDN-sent-automatically; deleted", "deleted"},
                 {"automatic-action/MDN-sent-automatically; dispatched", "processed"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct world world;
        g_autofree char *notice = NULL;
        world_begin(&world);
        gint64 sent = message_of(world.store, add_mail(world.store, world.sent, 1, "m@x", NULL, "Ana <ana@example.org>", "hello",
                                                       clock_now()));
        g_autofree char *text = g_strdup_printf(
            "From: ben@example.com\nTo: ana@example.org\nSubject: Read: hello\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nread\n"
            "--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; ben@example.com\n"
            "Original-Message-ID: <m@x>\nDisposition: %s\n\n--b--\n", cases[i].disposition);
        deliver_report(&world, 2, text);
        scan(&world, &notice);
        g_assert_false(has_badge(&world, sent));
        g_autoptr(GPtrArray) came = delivery_list(world.store, sent, NULL);
        g_assert_cmpuint(came->len, ==, 1);
        const struct delivery *line = came->pdata[0];
        g_assert_cmpstr(line->kind, ==, cases[i].kind);
        g_assert_cmpstr(line->address, ==, "ben@example.com");
        world_end(&world);
    }
}

/* A gateway that returns no id: the subject, and one of those it went to. */
static void
test_without_id(void)
{
    static const struct {
        const char *subject, *recipient;
        gboolean matches;
    } cases[] = {{"hello", "old@example.com", TRUE}, {"other", "old@example.com", FALSE}, {"hello", "eve@example.com", FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct world world;
        g_autofree char *notice = NULL;
        world_begin(&world);
        gint64 id = sent_item(&world, "m@x");
        g_autofree char *text = g_strdup_printf(
            "From: System Administrator <postmaster@ex.example.com>\nTo: ana@example.org\nSubject: Undeliverable: %s\n\n"
            "Your message\n\n  To:      team@example.com\n  Subject: %s\n\ndid not reach the following recipient(s):\n\n"
            "%s on Sun, 1 Nov 2026 10:00:02 +0100\n    The recipient name is not recognized\n",
            cases[i].subject, cases[i].subject, cases[i].recipient);
        deliver_report(&world, 1, text);
        g_assert_cmpuint(scan(&world, &notice), ==, cases[i].matches ? 1 : 0);
        assert_item(&world, id, cases[i].matches ? OUTBOX_FAILED : OUTBOX_SENT,
                    cases[i].matches ? OUTBOX_FAILED : OUTBOX_SENT, OUTBOX_SENT);
        world_end(&world);
    }
}

/* Once more, to the one it did not reach, at a better address; the header says so, too. */
static void
test_resend(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    g_autofree char *notice = NULL;
    world_begin(&world);
    gint64 id = sent_item(&world, "m@x");
    g_assert_false(outbox_resend(world.store, id, NULL, NULL, &error));
    g_assert_error(error, STORE_ERROR, ERROR_REFUSED);
    g_clear_error(&error);
    g_autofree char *text = report_text("m@x", "old@example.com", "failed", "5.1.1");
    deliver_report(&world, 1, text);
    scan(&world, &notice);
    static const struct {
        const char *failed, *better;
    } wrong[] = {{NULL, "no address"}, {NULL, "ben@example.com"}, {"ben@example.com", "new@example.com"}};
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_false(outbox_resend(world.store, id, wrong[i].failed, wrong[i].better, &error));
        g_assert_nonnull(error);
        g_clear_error(&error);
    }
    g_assert_true(outbox_resend(world.store, id, NULL, "new@example.com", &error));
    g_assert_no_error(error);
    assert_item(&world, id, OUTBOX_WAITING, OUTBOX_WAITING, OUTBOX_SENT);
    g_autoptr(struct_outbox_item) item = outbox_get(world.store, id, NULL);
    g_assert_cmpstr(((struct outbox_recipient *)item->recipients->pdata[0])->addr, ==, "new@example.com");
    g_autoptr(GBytes) bytes = outbox_bytes(world.store, item, &error);
    g_assert_no_error(error);
    g_autofree char *again = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_assert_nonnull(strstr(again, "To: new@example.com, Ben <ben@example.com>\nCc: hold@example.com\n"));
    g_assert_nonnull(strstr(again, "to Old@example.com\n")); /* the text is the writer's */
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounce-store/kinds", test_kinds);
    g_test_add_func("/bounce-store/forged", test_forged);
    g_test_add_func("/bounce-store/other-device", test_other_device);
    g_test_add_func("/bounce-store/once", test_once);
    g_test_add_func("/bounce-store/badge", test_badge);
    g_test_add_func("/bounce-store/receipt", test_receipt);
    g_test_add_func("/bounce-store/without-id", test_without_id);
    g_test_add_func("/bounce-store/resend", test_resend);
    return g_test_run();
}
