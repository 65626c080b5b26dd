/* outbox: queueing is whole or nothing at every step, states, claims of the dead, Sent exactly once,
 * autosaves */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/autosave.h"
#include "store/contact.h"
#include "store/outbox.h"
#include "store/undo.h"

#include <sys/wait.h>
#include <unistd.h>

static const char text[] = "From: ana@example.org\r\nSubject: hi\r\nMessage-ID: <q@x>\r\n\r\nhello\r\n";

static gint64
queue(struct store *store, gint64 account, const struct outbox_new *more, GError **error)
{
    g_autoptr(GPtrArray) to = address_list_new();
    address_list_add(to, "Ben", "ben@example.net");
    address_list_add(to, NULL, "carl@example.com");
    struct outbox_new new = more ? *more : (struct outbox_new){0};
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    new.account = account;
    new.message = bytes;
    new.from = "ana@example.org";
    new.recipients = new.recipients ? new.recipients : to;
    new.subject = "hi";
    new.message_id = "q@x";
    return outbox_queue(store, &new, error);
}

static guint
files_in(const char *dir, const char *below)
{
    g_autofree char *path = g_build_filename(dir, "mail", below, NULL);
    GDir *stream = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;
    while (stream && (name = g_dir_read_name(stream)))
        n += *name != '.';
    if (stream)
        g_dir_close(stream);
    return n;
}

static void
test_queue(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 draft_place =
        add_mail(world.store, world.archive, 1, "d@x", NULL, "Ana <ana@example.org>", "draft", 1700000000);
    gint64 answered_place =
        add_mail(world.store, world.inbox, 1, "a@x", NULL, "Ben <ben@example.net>", "question", 1700000000);
    gint64 draft = message_of(world.store, draft_place), answered = message_of(world.store, answered_place);
    gint64 id = queue(world.store, world.account,
                      &(struct outbox_new){.copy = TRUE,
                                           .draft = draft,
                                           .answers = answered,
                                           .answer_flag = FLAG_ANSWERED,
                                           .dsn_notify = "failure,delay"},
                      &error);
    g_assert_no_error(error);
    g_autoptr(struct_outbox_item) item = outbox_get(world.store, id, &error);
    g_assert_cmpint(item->state, ==, OUTBOX_WAITING);
    g_assert_cmpuint(item->recipients->len, ==, 2);
    g_assert_cmpstr(item->dsn_notify, ==, "failure,delay");
    g_assert_cmpuint(item->size, ==, strlen(text));
    g_autofree char *path = g_build_filename(world.dir, "mail", ".outbox", item->file, NULL);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_autoptr(GBytes) bytes = outbox_bytes(world.store, item, &error);
    g_assert_null(memchr(g_bytes_get_data(bytes, NULL), '\r', g_bytes_get_size(bytes)));
    /* The draft has gone, the question is answered; neither is offered for undo. */
    g_autoptr(GPtrArray) places = message_places(world.store, draft, NULL);
    g_assert_cmpuint(places->len, ==, 0);
    g_autoptr(struct_message) question = message_load(world.store, answered, &error);
    g_assert_cmpuint(question->flags, ==, FLAG_ANSWERED);
    g_autoptr(GPtrArray) undoable = undo_list(world.store, 10, TRUE, &error);
    g_assert_cmpuint(undoable->len, ==, 0);
    g_assert_cmpint(outbox_find(world.store, "q@x"), ==, id);
    g_assert_cmpint(outbox_count(world.store), ==, 1);

    /* What cannot be sent is not queued by half. */
    g_autoptr(GPtrArray) bad = address_list_new();
    g_assert_cmpint(queue(world.store, world.account, &(struct outbox_new){.recipients = bad}, &error), ==,
                    0);
    g_clear_error(&error);
    address_list_add(bad, NULL, "ben@example.net");
    address_list_add(bad, NULL, "x\r\nRCPT TO:<y@z>");
    g_assert_cmpint(queue(world.store, world.account, &(struct outbox_new){.recipients = bad}, &error), ==,
                    0);
    g_assert_nonnull(error);
    g_assert_cmpuint(files_in(world.dir, ".outbox"), ==, 1);
    world_end(&world);
}

static void
test_user(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    gint64 later = queue(world.store, world.account, &(struct outbox_new){.send_at = now + 5000}, &error);
    gint64 held = queue(world.store, world.account, &(struct outbox_new){.hold = TRUE}, &error);
    gint64 undoable = queue(world.store, world.account, &(struct outbox_new){.undo_seconds = 3000}, &error);
    g_assert_null(outbox_claim(world.store, world.account, &error));
    g_assert_no_error(error);
    gint64 due = outbox_next_due(world.store, world.account);
    g_assert_cmpint(due, >=, now + 3000);
    g_assert_cmpint(due, <, now + 4000);
    /* Not what has a time, is held, or may still be taken back. */
    g_assert_true(outbox_flush(world.store, 0, &error));
    g_assert_null(outbox_claim(world.store, world.account, &error));
    g_assert_no_error(error);
    g_assert_true(outbox_retry(world.store, undoable, &error));
    g_autoptr(struct_outbox_item) first = outbox_claim(world.store, world.account, &error);
    g_assert_cmpint(first->id, ==, undoable);
    g_assert_null(outbox_claim(world.store, world.account, &error));
    g_assert_false(outbox_cancel(world.store, undoable, NULL, &error));
    g_assert_error(error, STORE_ERROR, ERROR_BUSY);
    g_clear_error(&error);
    g_assert_true(outbox_hold(world.store, held, FALSE, &error));
    g_autoptr(GBytes) bytes = NULL;
    g_assert_true(outbox_cancel(world.store, held, &bytes, &error));
    g_assert_cmpuint(g_bytes_get_size(bytes), >, 20);
    g_assert_true(outbox_retry(world.store, later, &error)); /* now, after all */
    g_autoptr(struct_outbox_item) second = outbox_claim(world.store, world.account, &error);
    g_assert_cmpint(second->id, ==, later);
    g_assert_false(outbox_hold(world.store, 4711, TRUE, &error));
    g_assert_error(error, STORE_ERROR, ERROR_NOINPUT);
    world_end(&world);
}

static struct outbox_recipient *
recipient(struct outbox_item *item, guint i)
{
    return item->recipients->pdata[i];
}

/* One is refused, one taken: failed, with a copy in Sent, once. */
static void
test_finish(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 id = queue(world.store, world.account, &(struct outbox_new){.copy = TRUE}, &error);
    g_autoptr(struct_outbox_item) item = outbox_claim(world.store, world.account, &error);
    g_assert_cmpuint(item->attempts, ==, 0); /* a claim is none yet: the network may be off */
    struct outbox_attempt attempt = {.server = (char *)"smtp.example.org:465",
                                     .tls = (char *)"TLS 1.3",
                                     .reply = (char *)"450 later",
                                     .dialogue = (char *)"> EHLO x\n< 250 ok\n"};
    struct outbox_result soft = {.state = OUTBOX_DEFERRED,
                                 .code = 450,
                                 .enhanced = "4.2.0",
                                 .text = "later",
                                 .attempt = &attempt,
                                 .next_attempt = g_get_real_time() / G_USEC_PER_SEC + 600};
    g_assert_true(outbox_finish(world.store, item, &soft, &error));
    g_assert_null(outbox_claim(world.store, world.account, &error));
    g_assert_true(outbox_retry(world.store, id, &error));
    g_autoptr(struct_outbox_item) again = outbox_claim(world.store, world.account, &error);
    recipient(again, 0)->state = OUTBOX_SENT;
    recipient(again, 1)->state = OUTBOX_FAILED;
    recipient(again, 1)->code = 550;
    recipient(again, 1)->text = g_strdup("no such user");
    g_autofree char *dir = folder_path(world.store, world.sent, TRUE, &error);
    struct maildir_entry entry = {0};
    g_autoptr(GBytes) bytes = outbox_bytes(world.store, again, &error);
    g_assert_true(maildir_deliver(dir, FLAG_SEEN, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                  &entry, &error));
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    index->envelope = make_envelope("q@x", NULL, "Ana <ana@example.org>", "ben@example.net, carl@example.com",
                                    "hi", 1700000000);
    struct outbox_result hard = {.state = OUTBOX_FAILED,
                                 .code = 550,
                                 .enhanced = "5.1.1",
                                 .text = "no such user",
                                 .attempt = &attempt,
                                 .sent_folder = world.sent,
                                 .sent_entry = &entry,
                                 .index = index};
    g_assert_true(outbox_finish(world.store, again, &hard, &error));
    g_assert_no_error(error);
    g_autoptr(struct_outbox_item) after = outbox_get(world.store, id, &error);
    g_assert_cmpint(after->state, ==, OUTBOX_FAILED);
    g_assert_cmpint(after->copy, ==, OUTBOX_COPY_DONE);
    g_assert_cmpint(after->sent_message, >, 0);
    g_assert_cmpstr(recipient(after, 1)->text, ==, "no such user");
    g_assert_true(outbox_copied(world.store, id, world.sent, &entry, index, &error)); /* once is enough */
    g_autoptr(struct_folder) sent = folder_get(world.store, world.sent, &error);
    g_assert_cmpint(sent->total, ==, 1);
    g_assert_cmpint(intent_count(world.store, 0), ==, 1);
    g_autoptr(GPtrArray) attempts = outbox_attempts(world.store, id, &error);
    g_assert_cmpuint(attempts->len, ==, 2);
    g_autoptr(struct_contact) ben = contact_find(world.store, "ben@example.net", &error);
    g_assert_cmpuint(ben->sent, ==, 1);
    /* Sent again: not to who has it. */
    g_assert_true(outbox_retry(world.store, id, &error));
    g_autoptr(struct_outbox_item) third = outbox_claim(world.store, world.account, &error);
    g_assert_cmpint(recipient(third, 0)->state, ==, OUTBOX_SENT);
    g_assert_cmpint(recipient(third, 1)->state, ==, OUTBOX_WAITING);
    struct outbox_result good = {.state = OUTBOX_SENT, .code = 250};
    g_assert_true(outbox_finish(world.store, third, &good, &error));
    g_assert_cmpint(outbox_count(world.store), ==, 0);
    g_assert_false(outbox_cancel(world.store, id, NULL, &error));
    g_assert_error(error, STORE_ERROR, ERROR_REFUSED);
    g_clear_error(&error);
    /* A bounce comes later. */
    g_assert_true(
        outbox_bounced(world.store, id, "CARL@example.com", TRUE, "5.1.1", "no mailbox here", &error));
    g_autoptr(struct_outbox_item) bounced = outbox_get(world.store, id, &error);
    g_assert_cmpint(bounced->state, ==, OUTBOX_FAILED);
    g_autoptr(struct_contact) carl = contact_find(world.store, "carl@example.com", &error);
    g_assert_cmpstr(carl->bounce, ==, "no mailbox here");
    maildir_entry_clear(&entry);
    world_end(&world);
}

/* A sender that dies: before the final dot the item waits again, from there on nobody knows. */
static void
test_recover(void)
{
    for (guint given_away = 0; given_away < 2; given_away++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        gint64 id = queue(world.store, world.account, NULL, &error);
        store_close(world.store);
        pid_t pid = fork();
        if (pid == 0) {
            struct store *store = store_open(world.dir, STORE_WRITE, NULL);
            g_autoptr(struct_outbox_item) item = outbox_claim(store, world.account, NULL);
            if (!item || (given_away && !outbox_mark_data(store, item->id, NULL)))
                _exit(1);
            kill(getpid(), SIGKILL);
        }
        int status;
        waitpid(pid, &status, 0);
        g_assert_true(WIFSIGNALED(status));
        world.store = open_store(world.dir, STORE_WRITE);
        g_assert_null(outbox_claim(world.store, world.account, &error));
        g_assert_true(outbox_recover(world.store, world.account, &error));
        g_autoptr(struct_outbox_item) item = outbox_get(world.store, id, &error);
        g_assert_cmpint(item->state, ==, given_away ? OUTBOX_UNKNOWN : OUTBOX_WAITING);
        g_assert_true(!given_away || item->error);
        g_autoptr(struct_outbox_item) claimed = outbox_claim(world.store, world.account, &error);
        g_assert_true(given_away ? !claimed : claimed && claimed->id == id);
        world_end(&world);
    }
}

#ifdef FAILPOINTS
/* Killed or without room at each step: the item is queued whole, or not at all and the error says so. */
static void
test_each_step(void)
{
    static const char *const actions[] = {"kill", "ENOSPC", "EIO"};
    for (guint a = 0; a < G_N_ELEMENTS(actions); a++) {
        guint stopped = 0;
        for (guint step = 1; step < 60; step++) {
            struct world world;
            world_begin(&world);
            store_close(world.store);
            pid_t pid = fork();
            if (pid == 0) {
                g_autoptr(GError) error = NULL;
                g_autofree char *rule = g_strdup_printf("#%u:%s", step, actions[a]);
                struct store *store = store_open(world.dir, STORE_WRITE, NULL);
                g_setenv("POSTRIDER_FAIL", rule, TRUE);
                fail_reload();
                gint64 id = queue(store, world.account, NULL, &error);
                _exit(id > 0 && !error ? 10 : error ? 20 : 30);
            }
            int status;
            waitpid(pid, &status, 0);
            world.store = open_store(world.dir, STORE_WRITE);
            g_autoptr(GPtrArray) items = outbox_list(world.store, 0, TRUE, NULL);
            g_assert_cmpuint(items->len, <=, 1);
            gboolean killed = WIFSIGNALED(status);
            if (!killed)
                g_assert_cmpuint(items->len, ==, WEXITSTATUS(status) == 10 ? 1 : 0);
            if (!killed)
                g_assert_cmpint(WEXITSTATUS(status), !=, 30);
            for (guint i = 0; i < items->len; i++) {
                g_autoptr(GError) error = NULL;
                struct outbox_item *item = items->pdata[i];
                g_autoptr(GBytes) bytes = outbox_bytes(world.store, item, &error);
                g_assert_no_error(error);
                g_assert_cmpuint(g_bytes_get_size(bytes), ==, strlen(text) - 5);
                g_assert_cmpuint(item->recipients->len, ==, 2);
            }
            if (!killed && !items->len)
                g_assert_cmpuint(files_in(world.dir, ".outbox"), ==, 0);
            stopped += killed || !items->len;
            world_end(&world);
            if (!killed && items->len && step > 12)
                break;
        }
        g_test_message("%s: stopped at %u steps", actions[a], stopped);
        g_assert_cmpuint(stopped, >=, 6);
    }
}
#endif

static void
test_autosave(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) one = g_bytes_new_static("To: ben\n\nhel", 12),
                      two = g_bytes_new_static("To: ben\n\nhello", 14);
    gint64 id = autosave_put(world.store, 0, "to ben", one, &error);
    g_assert_cmpint(autosave_put(world.store, id, "to ben", two, &error), ==, id);
    g_autoptr(GPtrArray) mine = autosave_list(world.store, &error);
    g_assert_cmpuint(mine->len, ==, 1);
    g_assert_true(((struct autosave *)mine->pdata[0])->alive);
    pid_t pid = fork();
    if (pid == 0) {
        struct store *store = store_open(world.dir, STORE_WRITE, NULL);
        autosave_put(store, 0, "of the dead", one, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    g_autoptr(GPtrArray) both = autosave_list(world.store, &error);
    g_assert_cmpuint(both->len, ==, 2);
    const struct autosave *dead = both->pdata[1];
    g_assert_false(dead->alive);
    g_assert_cmpstr(dead->title, ==, "of the dead");
    g_assert_true(g_bytes_equal(dead->text, one));
    g_assert_true(autosave_drop(world.store, id, &error));
    g_assert_true(autosave_drop(world.store, dead->id, &error));
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outboxstore/queue", test_queue);
    g_test_add_func("/outboxstore/user", test_user);
    g_test_add_func("/outboxstore/finish", test_finish);
    g_test_add_func("/outboxstore/recover", test_recover);
#ifdef FAILPOINTS
    g_test_add_func("/outboxstore/each-step", test_each_step);
#endif
    g_test_add_func("/outboxstore/autosave", test_autosave);
    return g_test_run();
}
