/* what delivery reports change in the store: the queue, the contacts, and nothing that they have no say in */
#include "config.h"

#include "storetest.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/contact.h"
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
    g_autofree char *text = g_strdup_printf("Subject: hello\nMessage-ID: <%s>\n\nhello\n", message_id);
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
    g_assert_true(arrival_run(world->store, reader, &host, NULL, &found, &error));
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounce-store/kinds", test_kinds);
    g_test_add_func("/bounce-store/forged", test_forged);
    g_test_add_func("/bounce-store/other-device", test_other_device);
    g_test_add_func("/bounce-store/once", test_once);
    return g_test_run();
}
