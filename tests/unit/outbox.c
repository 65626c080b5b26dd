/* outbox in the store: queueing, states, the copy in Sent */
#include "config.h"

#include "outboxtest.h"
#include "store/contact.h"
#include "store/undo.h"

#include <sys/stat.h>
#include <unistd.h>

static void
test_queue(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 id = queue_with(&world,
                           (struct outbox_new){.copy = TRUE,
                                               .message_id = "<plan1@example.org>",
                                               .dsn_notify = "success",
                                               .dsn_ret = "hdrs",
                                               .dsn_envid = "envelope-7"},
                           "Ben <ben@example.net>, carla@example.com, ben@EXAMPLE.net", &error);
    g_assert_no_error(error);

    g_autoptr(struct_outbox_item) item = get(&world, id);
    g_assert_cmpstr(item->account_name, ==, "work");
    g_assert_cmpstr(item->from, ==, "ana@example.org");
    g_assert_cmpuint(item->recipients->len, ==, 2); /* each once */
    g_assert_cmpstr(recipient(item, 1)->addr, ==, "carla@example.com");
    g_assert_cmpint(recipient(item, 1)->state, ==, OUTBOX_WAITING);
    g_assert_cmpint(item->state, ==, OUTBOX_WAITING);
    g_assert_cmpint(item->created, ==, NOW);
    g_assert_cmpint(outbox_next_due(world.store, world.account), <=, NOW);
    g_assert_cmpint(outbox_next_due(world.store, world.account), >, 0);
    g_assert_cmpuint(item->size, ==, strlen(TEXT));
    g_assert_cmpint(item->copy, ==, OUTBOX_COPY_NEEDED);
    g_assert_cmpstr(item->dsn_notify, ==, "success");
    g_assert_cmpstr(item->dsn_ret, ==, "hdrs");

    g_autofree char *path = g_build_filename(store_mail_dir(world.store), ".outbox", item->file, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    struct stat st;
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(dir, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0700);
    g_autoptr(GBytes) bytes = outbox_bytes(world.store, item, &error);
    g_assert_no_error(error);
    g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_assert_null(strchr(text, '\r'));
    g_assert_true(g_str_has_suffix(text, "Hello,\nshall we?\n"));

    g_assert_cmpint(outbox_find(world.store, "plan1@example.org"), ==, id);
    g_assert_cmpint(outbox_find(world.store, "<plan1@example.org>"), ==, id);
    g_assert_cmpint(outbox_find(world.store, "envelope-7"), ==, id);
    g_assert_cmpint(outbox_find(world.store, "other@example.org"), ==, 0);
    g_assert_cmpint(outbox_count(world.store), ==, 1);
    g_autoptr(struct_contact) ben = contact_find(world.store, "ben@example.net", NULL);
    g_assert_nonnull(ben);
    g_assert_cmpstr(ben->name, ==, "Ben");

    deliver_as(&world, id, OUTBOX_SENT);
    g_assert_cmpint(state_of(&world, id), ==, OUTBOX_SENT);
    g_assert_cmpint(outbox_count(world.store), ==, 0);
    copy_to_sent(&world, id, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(shown_in(&world, world.sent), ==, 1);
    world_end(&world);
}

/* What is refused leaves neither rows nor files. */
static void
test_input(void)
{
    struct world world;
    world_begin(&world);
    static const char *const bad[] = {"", "nobody"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) recipients = address_list_new();
        if (*bad[i])
            address_list_add(recipients, NULL, bad[i]);
        g_autoptr(GBytes) message = g_bytes_new_static(TEXT, strlen(TEXT));
        struct outbox_new item = {.account = world.account,
                                  .from = "ana@example.org",
                                  .recipients = recipients,
                                  .message = message};
        g_assert_cmpint(outbox_queue(world.store, &item, &error), ==, 0);
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
    }
    g_assert_cmpint(outbox_count(world.store), ==, 0);
    g_assert_cmpuint(files_in(&world, ".outbox"), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_null(outbox_get(world.store, 7, &error));
    g_assert_error(error, STORE_ERROR, ERROR_NOINPUT);
    world_end(&world);
}

/* The draft goes and the answered message is marked, with the item and not before; undo offers neither. */
static void
test_sources(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 drafts = folder_upsert(world.store, world.account, "Drafts", "Drafts", '/', FOLDER_DRAFTS,
                                  FOLDER_SELECTABLE, &error);
    gint64 question = add_mail(world.store, world.inbox, 1, "q@example.net", NULL, "Ben <ben@example.net>",
                               "when?", NOW - 100);
    g_autoptr(struct_envelope) envelope =
        make_envelope("d@example.org", NULL, "ana@example.org", "ben@example.net", "Re: when?", NOW - 50);
    gint64 draft = message_of(world.store, add_envelope(world.store, drafts, 3, FLAG_DRAFT, NULL, envelope));
    struct outbox_new new = {
        .draft = draft, .answers = message_of(world.store, question), .answer_flag = FLAG_ANSWERED};

    g_assert_cmpuint(shown_in(&world, drafts), ==, 1);
    gint64 id = queue_with(&world, new, "ben@example.net", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(shown_in(&world, drafts), ==, 0);
    g_autoptr(struct_message) answered = message_load(world.store, new.answers, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(answered->flags & FLAG_ANSWERED, ==, FLAG_ANSWERED);
    g_autoptr(GPtrArray) offered = undo_list(world.store, 10, FALSE, &error);
    g_assert_cmpuint(offered->len, ==, 0);
    g_autoptr(GPtrArray) intents = intent_list(world.store, world.account, &error);
    g_assert_cmpuint(intents->len, ==, 1);
    g_assert_cmpint(((struct intent *)intents->pdata[0])->kind, ==, INTENT_EXPUNGE);
    g_autoptr(struct_outbox_item) item = get(&world, id);
    g_assert_cmpint(item->answers, ==, new.answers);
    g_assert_cmpuint(item->answer_flag, ==, FLAG_ANSWERED);

    /* Both have gone by the time it is queued: it is queued all the same. */
    new.answers = 4711;
    g_assert_cmpint(queue_with(&world, new, "ben@example.net", &error), >, id);
    g_assert_no_error(error);
    g_ptr_array_set_free_func(intents, (GDestroyNotify)intent_free);
    world_end(&world);
}

/* --- states */

static gint64
bring_to(struct world *world, enum outbox_state state)
{
    g_autoptr(GError) error = NULL;
    gint64 id = queue(world, "ben@example.net, carla@example.com");
    if (state == OUTBOX_SENDING) {
        g_autoptr(struct_outbox_item) item = claim(world);
        g_assert_cmpint(item->id, ==, id);
    } else if (state == OUTBOX_CANCELLED) {
        outbox_cancel(world->store, id, NULL, &error);
        g_assert_no_error(error);
    } else if (state != OUTBOX_WAITING) {
        deliver_as(world, id, state);
    }
    g_assert_cmpint(state_of(world, id), ==, state);
    return id;
}

enum deed { HOLD, RELEASE, RETRY, CANCEL, FLUSH };

static gboolean
do_deed(struct world *world, gint64 id, enum deed deed, GError **error)
{
    switch (deed) {
    case HOLD:
        return outbox_hold(world->store, id, TRUE, error);
    case RELEASE:
        return outbox_hold(world->store, id, FALSE, error);
    case RETRY:
        return outbox_retry(world->store, id, error);
    case CANCEL:
        return outbox_cancel(world->store, id, NULL, error);
    case FLUSH:
        return outbox_flush(world->store, world->account, error);
    }
    return FALSE;
}

static void
test_states(void)
{
    static const struct {
        enum outbox_state state;
        enum deed deed;
        int code; /* of the error */
        enum outbox_state after;
        gboolean may_go; /* the sender takes it at once */
    } rows[] = {
        {OUTBOX_WAITING, HOLD, 0, OUTBOX_WAITING, FALSE},
        {OUTBOX_WAITING, RELEASE, 0, OUTBOX_WAITING, TRUE},
        {OUTBOX_WAITING, RETRY, 0, OUTBOX_WAITING, TRUE},
        {OUTBOX_WAITING, CANCEL, 0, OUTBOX_CANCELLED, FALSE},
        {OUTBOX_WAITING, FLUSH, 0, OUTBOX_WAITING, TRUE},
        {OUTBOX_SENDING, HOLD, ERROR_BUSY, OUTBOX_SENDING, FALSE},
        {OUTBOX_SENDING, RELEASE, ERROR_BUSY, OUTBOX_SENDING, FALSE},
        {OUTBOX_SENDING, RETRY, ERROR_BUSY, OUTBOX_SENDING, FALSE},
        {OUTBOX_SENDING, CANCEL, ERROR_BUSY, OUTBOX_SENDING, FALSE},
        {OUTBOX_SENDING, FLUSH, 0, OUTBOX_SENDING, FALSE},
        {OUTBOX_SENT, HOLD, ERROR_REFUSED, OUTBOX_SENT, FALSE},
        {OUTBOX_SENT, RELEASE, ERROR_REFUSED, OUTBOX_SENT, FALSE},
        {OUTBOX_SENT, RETRY, ERROR_REFUSED, OUTBOX_SENT, FALSE},
        {OUTBOX_SENT, CANCEL, ERROR_REFUSED, OUTBOX_SENT, FALSE},
        {OUTBOX_SENT, FLUSH, 0, OUTBOX_SENT, FALSE},
        {OUTBOX_DEFERRED, HOLD, 0, OUTBOX_DEFERRED, FALSE},
        {OUTBOX_DEFERRED, RELEASE, 0, OUTBOX_DEFERRED, FALSE},
        {OUTBOX_DEFERRED, RETRY, 0, OUTBOX_WAITING, TRUE},
        {OUTBOX_DEFERRED, CANCEL, 0, OUTBOX_CANCELLED, FALSE},
        {OUTBOX_DEFERRED, FLUSH, 0, OUTBOX_DEFERRED, TRUE},
        {OUTBOX_FAILED, HOLD, ERROR_REFUSED, OUTBOX_FAILED, FALSE},
        {OUTBOX_FAILED, RELEASE, ERROR_REFUSED, OUTBOX_FAILED, FALSE},
        {OUTBOX_FAILED, RETRY, 0, OUTBOX_WAITING, TRUE},
        {OUTBOX_FAILED, CANCEL, 0, OUTBOX_CANCELLED, FALSE},
        {OUTBOX_FAILED, FLUSH, 0, OUTBOX_FAILED, FALSE},
        {OUTBOX_UNKNOWN, HOLD, ERROR_REFUSED, OUTBOX_UNKNOWN, FALSE},
        {OUTBOX_UNKNOWN, RELEASE, ERROR_REFUSED, OUTBOX_UNKNOWN, FALSE},
        {OUTBOX_UNKNOWN, RETRY, 0, OUTBOX_WAITING, TRUE},
        {OUTBOX_UNKNOWN, CANCEL, 0, OUTBOX_CANCELLED, FALSE},
        {OUTBOX_UNKNOWN, FLUSH, 0, OUTBOX_UNKNOWN, FALSE},
        {OUTBOX_CANCELLED, HOLD, ERROR_REFUSED, OUTBOX_CANCELLED, FALSE},
        {OUTBOX_CANCELLED, RELEASE, ERROR_REFUSED, OUTBOX_CANCELLED, FALSE},
        {OUTBOX_CANCELLED, RETRY, 0, OUTBOX_WAITING, TRUE}, /* the user has thought again */
        {OUTBOX_CANCELLED, CANCEL, 0, OUTBOX_CANCELLED, FALSE},
        {OUTBOX_CANCELLED, FLUSH, 0, OUTBOX_CANCELLED, FALSE},
    };
    struct world world;
    world_begin(&world);
    set_now(NOW);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s, deed %d", outbox_state_name(rows[i].state), rows[i].deed);
        gint64 id = bring_to(&world, rows[i].state);
        g_assert_cmpint(do_deed(&world, id, rows[i].deed, &error), ==, !rows[i].code);
        g_assert_cmpint(error ? error->code : 0, ==, rows[i].code);
        g_assert_cmpint(state_of(&world, id), ==, rows[i].after);
        g_assert_cmpint(outbox_next_due(world.store, world.account) != 0, ==,
                        rows[i].may_go || (rows[i].after == OUTBOX_DEFERRED && rows[i].deed != HOLD));
        g_autoptr(struct_outbox_item) taken = claim(&world);
        g_assert_cmpint(taken != NULL, ==, rows[i].may_go);
        /* Out of the way of the next row. */
        sql_run(world.store, NULL, "DELETE FROM outbox", "");
    }
    world_end(&world);
}

/* When the sender takes what. */
static void
test_times(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 held = queue_with(&world, (struct outbox_new){.hold = TRUE}, "ben@example.net", &error);
    gint64 undoable = queue_with(&world, (struct outbox_new){.undo_seconds = 10}, "ben@example.net", &error);
    gint64 later = queue_with(&world, (struct outbox_new){.send_at = NOW + 3600, .undo_seconds = 10},
                              "ben@example.net", &error);
    g_assert_no_error(error);

    g_assert_null(claim(&world));
    g_assert_cmpint(outbox_next_due(world.store, world.account), ==, NOW + 10);
    g_assert_cmpint(outbox_next_due(world.store, 0), ==, NOW + 10);
    g_assert_cmpint(outbox_next_due(world.store, world.account + 1), ==, 0);
    g_autoptr(struct_outbox_item) item = get(&world, undoable);
    g_assert_cmpint(item->undo_until, ==, NOW + 10);
    set_now(NOW + 9);
    g_assert_null(claim(&world));
    set_now(NOW + 10);
    deliver_as(&world, undoable, OUTBOX_SENT);
    g_assert_null(claim(&world));
    g_assert_cmpint(outbox_next_due(world.store, world.account), ==, NOW + 3600);

    /* A named time stays through a flush, and goes with a retry. */
    outbox_flush(world.store, world.account, &error);
    g_assert_no_error(error);
    g_assert_null(claim(&world));
    outbox_retry(world.store, later, &error);
    g_assert_no_error(error);
    deliver_as(&world, later, OUTBOX_SENT);
    g_assert_cmpint(outbox_next_due(world.store, world.account), ==, 0);
    outbox_hold(world.store, held, FALSE, &error);
    g_assert_no_error(error);
    deliver_as(&world, held, OUTBOX_SENT);
    world_end(&world);
}

/* Oldest first; each by one sender, and only its own account's. */
static void
test_claim(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 first = queue(&world, "a@example.net"), second = queue(&world, "b@example.net");
    struct store *other = open_store(world.dir, STORE_WRITE);

    g_assert_null(outbox_claim(world.store, world.account + 1, &error));
    g_assert_no_error(error);
    g_autoptr(struct_outbox_item) one = claim(&world), two = outbox_claim(other, world.account, &error),
                                  none = claim(&world);
    g_assert_cmpint(one->id, ==, first);
    g_assert_cmpint(two->id, ==, second);
    g_assert_null(none);
    g_assert_cmpint(one->state, ==, OUTBOX_SENDING);
    store_close(other);

    /* Nothing is given away that is not claimed. */
    g_assert_true(outbox_mark_data(world.store, first, &error));
    g_assert_no_error(error);
    finish_as(&world, one, OUTBOX_SENT, 250, NULL);
    g_assert_false(outbox_mark_data(world.store, first, &error));
    g_assert_nonnull(error);
    world_end(&world);
}

static void
test_finish(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 id = queue(&world, "ben@example.net, carla@example.com, dan@example.com");

    /* One is taken, one put off, one refused. */
    g_autoptr(struct_outbox_item) item = claim(&world);
    recipient(item, 0)->state = OUTBOX_SENT;
    recipient(item, 1)->state = OUTBOX_DEFERRED;
    recipient(item, 1)->code = 450;
    recipient(item, 1)->text = g_strdup("mailbox busy");
    recipient(item, 2)->state = OUTBOX_FAILED;
    recipient(item, 2)->code = 550;
    recipient(item, 2)->enhanced = g_strdup("5.1.1");
    recipient(item, 2)->text = g_strdup("no such user");
    finish_as(&world, item, OUTBOX_DEFERRED, 450, "carla@example.com: mailbox busy");
    g_assert_null(claim(&world));

    /* What was not tried is no attempt, and keeps the words that say why. */
    set_now(NOW + 600);
    g_autoptr(struct_outbox_item) again = claim(&world);
    g_assert_nonnull(again);
    g_assert_cmpint(recipient(again, 0)->state, ==, OUTBOX_SENT);
    g_assert_cmpint(recipient(again, 1)->code, ==, 450);
    g_assert_cmpstr(recipient(again, 2)->enhanced, ==, "5.1.1");
    struct outbox_result offline = {
        .state = OUTBOX_WAITING, .text = "no way to mail.example.org", .next_attempt = NOW + 700};
    outbox_finish(world.store, again, &offline, &error);
    g_assert_no_error(error);
    g_autoptr(struct_outbox_item) waits = get(&world, id);
    g_assert_cmpint(waits->state, ==, OUTBOX_WAITING);
    g_assert_cmpstr(waits->error, ==, "no way to mail.example.org");
    g_assert_cmpint(waits->next_attempt, ==, NOW + 700);
    g_assert_cmpuint(waits->attempts, ==, 1);

    set_now(NOW + 700);
    g_autoptr(struct_outbox_item) last = claim(&world);
    recipient(last, 1)->state = OUTBOX_SENT;
    finish_as(&world, last, OUTBOX_FAILED, 550, "dan@example.com: no such user");
    g_autoptr(struct_outbox_item) over = get(&world, id);
    g_assert_cmpint(over->state, ==, OUTBOX_FAILED);
    g_assert_cmpuint(over->attempts, ==, 2);
    g_assert_cmpint(over->code, ==, 550);
    g_assert_cmpint(outbox_count(world.store), ==, 1);

    g_autoptr(GPtrArray) attempts = outbox_attempts(world.store, id, &error);
    g_assert_cmpuint(attempts->len, ==, 2);
    const struct outbox_attempt *attempt = attempts->pdata[0];
    g_assert_cmpstr(attempt->server, ==, "mail.example.org:465");
    g_assert_cmpstr(attempt->tls, ==, "TLS 1.3");
    g_assert_cmpstr(attempt->dialogue, ==, "> EHLO a\n< 250 b\n");
    g_assert_false(attempt->ok);

    /* Two have got it: a copy belongs into Sent, and the third one alone is tried again. */
    g_autoptr(GPtrArray) owed = outbox_list_uncopied(world.store, world.account, &error);
    g_assert_cmpuint(owed->len, ==, 1);
    outbox_retry(world.store, id, &error);
    g_assert_no_error(error);
    g_autoptr(struct_outbox_item) third = claim(&world);
    g_assert_cmpint(recipient(third, 0)->state, ==, OUTBOX_SENT);
    g_assert_cmpint(recipient(third, 1)->state, ==, OUTBOX_SENT);
    g_assert_cmpint(recipient(third, 2)->state, ==, OUTBOX_WAITING);
    finish_as(&world, third, OUTBOX_SENT, 250, NULL);
    g_autoptr(struct_outbox_item) sent = get(&world, id);
    g_assert_null(sent->error);

    g_autoptr(GPtrArray) listed = outbox_list(world.store, world.account, FALSE, &error);
    g_assert_cmpuint(listed->len, ==, 0);
    g_autoptr(GPtrArray) all = outbox_list(world.store, 0, TRUE, &error);
    g_assert_cmpuint(all->len, ==, 1);
    world_end(&world);
}

static void
test_cancel(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = NULL;
    gint64 id = queue(&world, "ben@example.net");
    g_assert_true(outbox_cancel(world.store, id, &bytes, &error));
    g_assert_no_error(error);
    g_assert_nonnull(
        g_strstr_len(g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes), "shall we?"));
    g_assert_null(claim(&world));

    /* Somebody has it already: the rest can be stopped, and a copy belongs into Sent. */
    id = queue(&world, "ben@example.net, carla@example.com");
    g_autoptr(struct_outbox_item) item = claim(&world);
    recipient(item, 0)->state = OUTBOX_SENT;
    finish_as(&world, item, OUTBOX_DEFERRED, 450, "busy");
    g_assert_true(outbox_cancel(world.store, id, NULL, &error));
    g_autoptr(GPtrArray) owed = outbox_list_uncopied(world.store, world.account, &error);
    g_assert_cmpuint(owed->len, ==, 1);
    world_end(&world);
}

/* --- the copy in Sent */

static void
test_copy(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 id = queue(&world, "ben@example.net");
    deliver_as(&world, id, OUTBOX_SENT);

    for (guint i = 0; i < 3; i++) {
        g_assert_true(copy_to_sent(&world, id, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(shown_in(&world, world.sent), ==, 1);
        g_assert_cmpuint(files_in(&world, "work/Sent/cur"), ==, 1);
    }
    g_autoptr(struct_outbox_item) item = get(&world, id);
    g_assert_cmpint(item->copy, ==, OUTBOX_COPY_DONE);
    g_autoptr(struct_message) message = message_load(world.store, item->sent_message, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(message->flags, ==, FLAG_SEEN);
    g_autoptr(GPtrArray) owed = outbox_list_uncopied(world.store, world.account, &error),
                         offered = undo_list(world.store, 5, FALSE, &error);
    g_assert_cmpuint(owed->len, ==, 0);
    g_assert_cmpuint(offered->len, ==, 0); /* nobody undoes the copy of what was sent */
    g_autoptr(struct_contact) ben = contact_find(world.store, "ben@example.net", NULL);
    g_assert_cmpuint(ben->sent, ==, 1);

    /* None is asked for. */
    gint64 plain = queue_with(&world, (struct outbox_new){.copy = FALSE, .message_id = "p@example.org"},
                              "ben@example.net", &error);
    deliver_as(&world, plain, OUTBOX_SENT);
    g_autoptr(GPtrArray) none = outbox_list_uncopied(world.store, world.account, &error);
    g_assert_cmpuint(none->len, ==, 0);
    world_end(&world);
}

/* The server was faster: what lies in Sent already is the copy. */
static void
test_copy_of_server(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 id = queue(&world, "ben@example.net"), twin = queue(&world, "ben@example.net");
    deliver_as(&world, id, OUTBOX_SENT);
    g_assert_true(copy_to_sent(&world, id, &error));
    deliver_as(&world, twin, OUTBOX_SENT);
    g_assert_true(copy_to_sent(&world, twin, &error));
    g_assert_no_error(error);
    g_autoptr(struct_outbox_item) one = get(&world, id), two = get(&world, twin);
    g_assert_cmpint(two->copy, ==, OUTBOX_COPY_DONE);
    g_assert_cmpint(two->sent_message, ==, one->sent_message);
    g_assert_cmpuint(shown_in(&world, world.sent), ==, 1);
    g_assert_cmpuint(files_in(&world, "work/Sent/cur"), ==, 1);
    g_assert_cmpint(intent_count(world.store, world.account), ==, 1); /* one upload */
    world_end(&world);
}

/* In the same transaction as the result; and where there is no folder for it, the result counts all the same.
 */
static void
test_copy_at_once(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    for (guint round = 0; round < 2; round++) {
        g_autoptr(GError) error = NULL;
        gint64 id = queue(&world, "ben@example.net");
        g_autoptr(struct_outbox_item) item = claim(&world);
        g_autofree char *dir = folder_path(world.store, world.sent, TRUE, &error);
        g_autofree char *text = g_strdup_printf("Subject: %u\n\nx\n", round);
        struct maildir_entry entry = {0};
        g_assert_true(maildir_deliver(dir, FLAG_SEEN, text, strlen(text), &entry, &error));
        g_autoptr(struct_message_index) index = message_index_new();
        if (round)
            folder_set_bits(world.store, world.sent, 0, FOLDER_SELECTABLE, &error);
        g_assert_no_error(error);
        recipient(item, 0)->state = OUTBOX_SENT;
        struct outbox_result result = {
            .state = OUTBOX_SENT, .sent_folder = world.sent, .sent_entry = &entry, .index = index};
        g_assert_true(outbox_finish(world.store, item, &result, &error));
        g_assert_no_error(error);
        maildir_entry_clear(&entry);
        g_autoptr(struct_outbox_item) after = get(&world, id);
        g_assert_cmpint(after->state, ==, OUTBOX_SENT);
        g_assert_cmpint(after->copy, ==, round ? OUTBOX_COPY_NEEDED : OUTBOX_COPY_DONE);
        g_assert_cmpuint(files_in(&world, "work/Sent/cur"), ==, 1);
    }
    world_end(&world);
}

/* --- what came back */

static void
test_bounces(void)
{
    static const struct {
        enum outbox_state before;
        gboolean hard;
        enum outbox_state after;
        gboolean waits; /* for the next attempt, still */
    } rows[] = {
        {OUTBOX_SENT, TRUE, OUTBOX_FAILED, FALSE},         {OUTBOX_SENT, FALSE, OUTBOX_FAILED, FALSE},
        {OUTBOX_FAILED, TRUE, OUTBOX_FAILED, FALSE},       {OUTBOX_DEFERRED, TRUE, OUTBOX_DEFERRED, TRUE},
        {OUTBOX_WAITING, TRUE, OUTBOX_WAITING, TRUE},      {OUTBOX_SENDING, TRUE, OUTBOX_SENDING, FALSE},
        {OUTBOX_UNKNOWN, TRUE, OUTBOX_UNKNOWN, FALSE}, /* of the other recipient nothing is known */
        {OUTBOX_CANCELLED, TRUE, OUTBOX_CANCELLED, FALSE},
    };
    struct world world;
    world_begin(&world);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        set_now(NOW);
        g_test_message("%s, %s", outbox_state_name(rows[i].before), rows[i].hard ? "hard" : "soft");
        gint64 id = bring_to(&world, rows[i].before);
        for (guint twice = 0; twice < 2; twice++) {
            g_assert_true(outbox_bounced(world.store, id, twice ? "BEN@example.net" : "ben@EXAMPLE.net",
                                         rows[i].hard, "5.1.1", "unknown", &error));
            g_assert_no_error(error);
        }
        g_autoptr(struct_outbox_item) item = get(&world, id);
        g_assert_cmpint(item->state, ==, rows[i].after);
        g_assert_cmpint(recipient(item, 0)->state, ==, OUTBOX_FAILED);
        g_assert_cmpstr(recipient(item, 0)->text, ==, "unknown");
        if (rows[i].before != OUTBOX_FAILED)
            g_assert_cmpint(recipient(item, 1)->state, !=, OUTBOX_FAILED);
        set_now(NOW + 601);
        g_autoptr(struct_outbox_item) next = claim(&world);
        g_assert_cmpint(next != NULL, ==, rows[i].waits);
        if (next)
            g_assert_cmpint(recipient(next, 0)->state, ==, OUTBOX_FAILED); /* and is not tried again */
        g_autoptr(struct_contact) ben = contact_find(world.store, "ben@example.net", NULL);
        g_assert_cmpint(ben && ben->bounced, ==, rows[i].hard);
        contact_forget(world.store, "ben@example.net", NULL);
        sql_run(world.store, NULL, "DELETE FROM outbox", "");
    }

    /* A bounce that comes while the sender is at it is not forgotten by the result. */
    g_autoptr(GError) error = NULL;
    gint64 id = queue(&world, "ben@example.net, carla@example.com");
    g_autoptr(struct_outbox_item) first = claim(&world);
    recipient(first, 0)->state = OUTBOX_SENT;
    finish_as(&world, first, OUTBOX_DEFERRED, 450, "busy");
    set_now(NOW + 1300);
    g_autoptr(struct_outbox_item) second = claim(&world);
    g_assert_true(outbox_bounced(world.store, id, "ben@example.net", TRUE, "5.1.1", "unknown", &error));
    finish_as(&world, second, OUTBOX_SENT, 250, NULL);
    g_autoptr(struct_outbox_item) over = get(&world, id);
    g_assert_cmpint(recipient(over, 0)->state, ==, OUTBOX_FAILED);
    g_assert_cmpint(recipient(over, 1)->state, ==, OUTBOX_SENT);
    g_assert_cmpint(over->state, ==, OUTBOX_FAILED);

    g_assert_false(outbox_bounced(world.store, id, "zoe@example.net", TRUE, "5.1.1", "unknown", &error));
    g_assert_error(error, STORE_ERROR, ERROR_NOINPUT);
    world_end(&world);
}

/* --- housekeeping */

static void
test_housekeeping(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 copied = bring_to(&world, OUTBOX_SENT), owed = bring_to(&world, OUTBOX_SENT),
           failed = bring_to(&world, OUTBOX_FAILED), cancelled = bring_to(&world, OUTBOX_CANCELLED);
    g_assert_true(copy_to_sent(&world, copied, &error));
    gint64 const ids[] = {copied, owed, failed, cancelled};
    static const struct {
        guint days;
        gboolean kept[4];
    } rounds[] = {{29, {TRUE, TRUE, TRUE, TRUE}}, {31, {FALSE, TRUE, TRUE, FALSE}}};
    for (guint round = 0; round < G_N_ELEMENTS(rounds); round++) {
        set_now(NOW + rounds[round].days * (gint64)86400);
        g_assert_true(store_housekeeping(world.store, &error));
        g_assert_no_error(error);
        for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
            g_autoptr(GError) gone = NULL;
            g_autoptr(struct_outbox_item) item = get(&world, ids[i]);
            g_autoptr(GBytes) bytes = outbox_bytes(world.store, item, &gone);
            g_assert_cmpint(bytes != NULL, ==, rounds[round].kept[i]);
            if (gone)
                g_assert_error(gone, STORE_ERROR, ERROR_NOINPUT);
        }
    }
    g_assert_cmpuint(files_in(&world, ".outbox"), ==, 2);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outbox/queue", test_queue);
    g_test_add_func("/outbox/input", test_input);
    g_test_add_func("/outbox/sources", test_sources);
    g_test_add_func("/outbox/states", test_states);
    g_test_add_func("/outbox/times", test_times);
    g_test_add_func("/outbox/claim", test_claim);
    g_test_add_func("/outbox/finish", test_finish);
    g_test_add_func("/outbox/cancel", test_cancel);
    g_test_add_func("/outbox/copy", test_copy);
    g_test_add_func("/outbox/copy-of-server", test_copy_of_server);
    g_test_add_func("/outbox/copy-at-once", test_copy_at_once);
    g_test_add_func("/outbox/bounces", test_bounces);
    g_test_add_func("/outbox/housekeeping", test_housekeeping);
    return g_test_run();
}
