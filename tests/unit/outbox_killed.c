/* outbox in the store: the program killed and the disk full at every step, and what another sender left behind */
#include "config.h"

#include "outboxtest.h"
#include "store/contact.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FAILPOINTS

/* --- the disk is full, the program is killed: at every step, counted */

/* `act` in a child that fails as told; returns waitpid()'s status. The store is open in neither meanwhile. */
static int
in_child(struct world *world, const char *fail, int (*act)(struct world *))
{
    g_clear_pointer(&world->store, store_close);
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        world->store = open_store(world->dir, STORE_WRITE);
        g_setenv("POSTRIDER_FAIL", fail, TRUE);
        fail_reload();
        int code = act(world);
        g_unsetenv("POSTRIDER_FAIL");
        fail_reload();
        store_close(world->store);
        _exit(code);
    }
    int status;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    world->store = open_store(world->dir, STORE_WRITE);
    return status;
}

static gboolean
was_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

#define SAID_NO 10 /* exit codes of a child: an error with its words */
#define SAID_YES 0

static int
answer(gboolean ok, const GError *error)
{
    if (ok)
        return SAID_YES;
    return error && error->code == ERROR_IO && strstr(error->message, g_strerror(ENOSPC)) ? SAID_NO : 99;
}

static gint64 the_draft, the_question;

static int
act_queue(struct world *world)
{
    g_autoptr(GError) error = NULL;
    struct outbox_new new = {
        .copy = TRUE, .draft = the_draft, .answers = the_question, .answer_flag = FLAG_ANSWERED};
    gboolean ok = queue_with(world, new, "ben@example.net, carla@example.com", &error) != 0;
    return answer(ok, error);
}

/* Either all of it or nothing: the item with its file, its draft gone and the question answered. */
static gboolean
check_queued(struct world *world, gint64 drafts)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) items = outbox_list(world->store, 0, TRUE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(items->len, <=, 1);
    gboolean queued = items->len == 1;
    g_assert_cmpuint(shown_in(world, drafts), ==, !queued);
    g_autoptr(struct_message) question = message_load(world->store, the_question, &error);
    g_assert_cmpint((question->flags & FLAG_ANSWERED) != 0, ==, queued);
    if (queued) {
        struct outbox_item *item = items->pdata[0];
        g_autoptr(GBytes) bytes = outbox_bytes(world->store, item, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(item->recipients->len, ==, 2);
        g_assert_cmpuint(g_bytes_get_size(bytes), ==, item->size - 5);
    }
    assert_sound(world->store);
    return queued;
}

static void
queue_under(const char *what)
{
    guint steps = 0;
    for (gboolean over = FALSE; !over;) {
        struct world world;
        world_begin(&world);
        set_now(NOW);
        g_autoptr(GError) error = NULL;
        gint64 drafts = folder_upsert(world.store, world.account, "Drafts", "Drafts", '/', FOLDER_DRAFTS,
                                      FOLDER_SELECTABLE, &error);
        g_autoptr(struct_envelope) envelope =
            make_envelope("d@example.org", NULL, "ana@example.org", "ben@example.net", "Re: when?", NOW - 50);
        gint64 draft = add_envelope(world.store, drafts, 3, FLAG_DRAFT, NULL, envelope);
        add_body(world.store, draft, "half of it", NULL);
        the_draft = message_of(world.store, draft);
        the_question = message_of(world.store, add_mail(world.store, world.inbox, 1, "q@example.net", NULL,
                                                        "ben@example.net", "when?", NOW));

        g_autofree char *fail = g_strdup_printf("#%u:%s", ++steps, what);
        int status = in_child(&world, fail, act_queue);
        gboolean killed = was_killed(status);
        gboolean queued = check_queued(&world, drafts);
        g_test_message("%s: %s", fail, killed ? "killed" : queued ? "queued" : "refused");
        if (!killed) {
            g_assert_true(WIFEXITED(status));
            g_assert_cmpint(WEXITSTATUS(status), ==, queued ? SAID_YES : SAID_NO);
            g_assert_cmpuint(files_in(&world, ".outbox"), ==, queued); /* nothing is left behind */
        }
        over = steps >= (g_str_equal(what, "kill") ? 1 : 20) && !killed;
        world_end(&world);
    }
    g_test_message("%u steps", steps - 1);
    g_assert_cmpuint(steps, >, 5);
}

static void
test_queue_killed(void)
{
    queue_under("kill");
}

static void
test_queue_disk_full(void)
{
    queue_under("ENOSPC");
}

/* One message on its way: claimed, given away, finished and copied; `data`'s answer came. */
static int
act_send(struct world *world)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = outbox_recover(world->store, world->account, &error);
    g_autoptr(struct_outbox_item) item = ok ? outbox_claim(world->store, world->account, &error) : NULL;
    if (item) {
        ok = outbox_mark_data(world->store, item->id, &error);
        if (ok) {
            int fd = g_open(g_getenv("OUTBOX_TEST_SERVER"), O_WRONLY | O_APPEND,
                            0600); /* the final dot: the server has it */
            ok = write(fd, ".", 1) == 1;
            close(fd);
        }
        struct outbox_attempt attempt = {.time = clock_now_us(), .ok = TRUE};
        struct outbox_result result = {.state = OUTBOX_SENT, .code = 250, .attempt = &attempt};
        for (guint i = 0; i < item->recipients->len; i++)
            recipient(item, i)->state = OUTBOX_SENT;
        ok = ok && outbox_finish(world->store, item, &result, &error);
    }
    g_autoptr(GPtrArray) owed =
        ok && !error ? outbox_list_uncopied(world->store, world->account, &error) : NULL;
    for (guint i = 0; owed && ok && i < owed->len; i++)
        ok = copy_to_sent(world, ((struct outbox_item *)owed->pdata[i])->id, &error);
    return answer(ok && !error, error);
}

static void
send_under(const char *what)
{
    guint steps = 0, unknown = 0;
    for (gboolean over = FALSE; !over;) {
        struct world world;
        world_begin(&world);
        set_now(NOW);
        gint64 id = queue(&world, "ben@example.net, carla@example.com");
        g_autofree char *server = g_build_filename(world.dir, "server", NULL),
                        *fail = g_strdup_printf("#%u:%s", ++steps, what);
        g_assert_true(g_file_set_contents(server, "", 0, NULL));
        g_setenv("OUTBOX_TEST_SERVER", server, TRUE);

        int status = in_child(&world, fail, act_send);
        gboolean killed = was_killed(status);
        g_assert_true(killed || (WIFEXITED(status) &&
                                 (WEXITSTATUS(status) == SAID_YES || WEXITSTATUS(status) == SAID_NO)));
        /* Again and again, as a worker comes round. */
        for (guint i = 0; i < 2; i++)
            g_assert_cmpint(in_child(&world, "", act_send), ==, SAID_YES);

        g_autofree char *got = NULL;
        g_assert_true(g_file_get_contents(server, &got, NULL, NULL));
        g_autoptr(struct_outbox_item) item = get(&world, id);
        g_test_message("%s: %s, the server has %zu, %s", fail, killed ? "killed" : "ran on", strlen(got),
                       outbox_state_name(item->state));
        if (item->state == OUTBOX_UNKNOWN) {
            unknown++;
            g_assert_cmpuint(strlen(got), <=, 1); /* not known; never sent again by itself */
            g_assert_cmpint(recipient(item, 0)->state, ==, OUTBOX_UNKNOWN);
            g_assert_nonnull(item->error);
            g_assert_cmpuint(shown_in(&world, world.sent), ==, 0);
        } else {
            g_assert_cmpint(item->state, ==, OUTBOX_SENT);
            g_assert_cmpuint(strlen(got), ==, 1); /* once, and not lost */
            g_assert_cmpint(item->copy, ==, OUTBOX_COPY_DONE);
            g_assert_cmpuint(shown_in(&world, world.sent), ==, 1);
        }
        over = steps >= (g_str_equal(what, "kill") ? 1 : 60) && !killed;
        world_end(&world);
    }
    g_test_message("%u steps, %u times unknown", steps - 1, unknown);
    g_assert_cmpuint(steps, >, 10);
    g_assert_cmpuint(unknown, >, 0);
}

static void
test_send_killed(void)
{
    send_under("kill");
}

static void
test_send_disk_full(void)
{
    send_under("ENOSPC");
}

/* --- owners */

/* A sender that claims and then waits to be killed. */
static pid_t
start_sender(struct world *world, gboolean with_data)
{
    int ready[2];
    g_assert_cmpint(pipe(ready), ==, 0);
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        struct store *store = store_open(world->dir, STORE_WRITE, NULL);
        struct outbox_item *item = store ? outbox_claim(store, world->account, NULL) : NULL;
        if (!item || (with_data && !outbox_mark_data(store, item->id, NULL)) || write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    char c;
    g_assert_cmpint(read(ready[0], &c, 1), ==, 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void
test_recover(void)
{
    for (guint with_data = 0; with_data < 2; with_data++)
        for (guint reaped = 0; reaped < 2; reaped++) {
            struct world world;
            world_begin(&world);
            set_now(NOW);
            g_autoptr(GError) error = NULL;
            gint64 id = queue(&world, "ben@example.net, carla@example.com, dan@example.com");
            sql_run(world.store, NULL,
                    "UPDATE outbox_recipient SET state = 5 WHERE addr = 'carla@example.com'", "");
            sql_run(world.store, NULL, "UPDATE outbox_recipient SET state = 3 WHERE addr = 'dan@example.com'",
                    "");
            pid_t pid = start_sender(&world, with_data);

            /* While it lives the item is its own. */
            g_assert_true(outbox_recover(world.store, world.account, &error));
            g_assert_cmpint(state_of(&world, id), ==, OUTBOX_SENDING);
            g_assert_null(claim(&world));

            kill(pid, SIGKILL);
            int status;
            siginfo_t info;
            if (reaped)
                waitpid(pid, &status, 0);
            else
                g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==,
                                0); /* dead, and not looked after yet */
            g_assert_true(outbox_recover(world.store, world.account, &error));
            g_assert_no_error(error);
            g_autoptr(struct_outbox_item) item = get(&world, id);
            enum outbox_state expected = with_data ? OUTBOX_UNKNOWN : OUTBOX_WAITING;
            g_assert_cmpint(item->state, ==, expected);
            g_assert_cmpint(recipient(item, 0)->state, ==, expected);
            g_assert_cmpint(recipient(item, 1)->state, ==, OUTBOX_FAILED); /* what was decided stays */
            g_assert_cmpint(recipient(item, 2)->state, ==, OUTBOX_SENT);
            g_assert_cmpint(item->error != NULL, ==, with_data);
            g_autoptr(struct_outbox_item) next = claim(&world);
            g_assert_cmpint(next != NULL, ==, !with_data);
            if (!reaped)
                waitpid(pid, &status, 0);
            world_end(&world);
        }
}

/* The result could not be written; the same process comes round again. */
static void
test_recover_own(void)
{
    struct world world;
    world_begin(&world);
    set_now(NOW);
    g_autoptr(GError) error = NULL;
    gint64 id = queue(&world, "ben@example.net");
    g_autoptr(struct_outbox_item) item = claim(&world);
    g_assert_true(outbox_mark_data(world.store, id, &error));
    g_assert_true(outbox_recover(world.store, world.account, &error));
    g_assert_cmpint(state_of(&world, id), ==, OUTBOX_UNKNOWN);

    /* A result that comes too late finds the item in other hands. */
    struct outbox_result late = {.state = OUTBOX_DEFERRED, .text = "late"};
    g_assert_false(outbox_finish(world.store, item, &late, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(state_of(&world, id), ==, OUTBOX_UNKNOWN);
    world_end(&world);
}

#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#ifdef FAILPOINTS
    g_test_add_func("/outbox/queue-killed", test_queue_killed);
    g_test_add_func("/outbox/queue-disk-full", test_queue_disk_full);
    g_test_add_func("/outbox/send-killed", test_send_killed);
    g_test_add_func("/outbox/send-disk-full", test_send_disk_full);
    g_test_add_func("/outbox/recover", test_recover);
    g_test_add_func("/outbox/recover-own", test_recover_own);
#endif
    return g_test_run();
}
