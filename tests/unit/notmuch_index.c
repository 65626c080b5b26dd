/* the index worker's work on a real store, with the notmuch program on the other side */
#include "config.h"

#include "storetest.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "search/notmuch_child.h"
#include "search/notmuch_index.h"
#include "store/changes.h"
#include "store/intent.h"
#include "store/message.h"

static char *self;

static struct index_context *
make_context(struct store *store, int days)
{
    const char *const child[] = {self, "--child", NULL};
    struct index_options options = {.days = days, .child = child, .message_seconds = 10};
    return index_context_new(store, &options);
}

/* Until nothing is left to do. Returns how many marks came from notmuch. */
static guint
settle(struct index_context *context)
{
    gboolean more = TRUE;
    guint intents = 0;
    for (guint round = 0; more; round++) {
        g_autoptr(GError) error = NULL;
        g_assert_cmpuint(round, <, 200);
        index_pass(context, 500, &more, &error);
        g_assert_no_error(error);
        intents += index_get_progress(context)->intents;
    }
    return intents;
}

static void
run(const char *const *argv, char **out)
{
    int status;
    g_autoptr(GError) error = NULL;
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | (out ? 0 : G_SPAWN_STDOUT_TO_DEV_NULL),
                 NULL, NULL, out, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_true(g_spawn_check_wait_status(status, NULL));
    if (out)
        g_strdelimit(g_strchomp(*out), "\n", ' ');
}

static void
use_index(const struct world *world)
{
    g_autofree char *config = g_build_filename(world->dir, "mail", ".notmuch", "config", NULL);
    g_setenv("NOTMUCH_CONFIG", config, TRUE);
}

static void
assert_notmuch(const char *output, const char *query, const char *expected)
{
    g_autofree char *argument = g_strdup_printf("--output=%s", output), *out = NULL;
    const char *argv[] = {"notmuch", "search", "--exclude=false", argument, query, NULL};
    run(argv, &out);
    g_auto(GStrv) words = tags_split(out);
    g_autofree char *sorted = tags_from_list((const char *const *)words, -1);
    g_assert_cmpstr(sorted, ==, expected);
}

static void
tag(const char *change, const char *query)
{
    g_auto(GStrv) words = g_strsplit(change, " ", -1);
    const char *argv[20] = {"notmuch", "tag"};
    guint n = 2;
    for (char **word = words; *word; word++)
        argv[n++] = *word;
    argv[n++] = "--";
    argv[n] = query;
    run(argv, NULL);
}

static gint64
put(struct world *world, gint64 folder, guint32 uid, const char *id, const char *subject, const char *body,
    gint64 date)
{
    gint64 placement = add_mail(world->store, folder, uid, id, NULL, "Ben <ben@example.net>", subject, date);
    add_body(world->store, placement, body, NULL);
    return message_of(world->store, placement);
}

static void
mark(struct world *world, gint64 message, guint set, guint clear, const char *add, const char *remove)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(intent_mark(world->store, &message, 1, set, clear, add, remove, &error), !=, 0);
    g_assert_no_error(error);
}

/* "seen flagged | work" */
static void
assert_stored(struct world *world, gint64 id, guint flags, const char *tags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_message) message = message_load(world->store, id, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(message->flags, ==, flags);
    g_assert_cmpstr(message->tags, ==, tags);
}

static void
test_both_ways(void)
{
    struct world world;
    world_begin(&world);
    use_index(&world);
    gint64 a = put(&world, world.inbox, 1, "a@x", "lisbon", "flights and seats", 1700000000);
    gint64 b = put(&world, world.archive, 2, "b@x", "contract", "clause four", 1700000001);
    add_mail(world.store, world.inbox, 3, "c@x", NULL, "Ben <ben@example.net>", "no body yet", 1700000002);
    g_autoptr(struct_index_context) context = make_context(world.store, 0);
    g_assert_cmpuint(settle(context), ==, 0);
    g_assert_false(index_get_progress(context)->is_building);
    assert_notmuch("messages", "*", "id:a@x id:b@x");
    assert_notmuch("messages", "seats", "id:a@x");
    assert_notmuch("tags", "id:a@x", "inbox unread");
    assert_notmuch("tags", "id:b@x", "unread");

    /* set with notmuch */
    tag("+work +flagged -unread", "id:a@x");
    g_assert_cmpuint(settle(context), ==, 1);
    assert_stored(&world, a, FLAG_SEEN | FLAG_FLAGGED, "work");
    g_autoptr(struct_placement_set) changed = placement_load(
        world.store, world.inbox, PLACEMENT_SELECT_CHANGED, 0, NULL); /* and so for the server */
    g_assert_cmpuint(changed->n, ==, 1);
    g_assert_cmpuint(settle(context), ==, 0);

    /* set here */
    mark(&world, b, FLAG_SEEN, 0, "legal", NULL);
    settle(context);
    assert_notmuch("tags", "id:b@x", "legal");

    /* both at once, also the same thing, also what is taken away on one side */
    tag("+theirs -work +same", "id:a@x");
    mark(&world, a, FLAG_ANSWERED, FLAG_FLAGGED, "ours same", NULL);
    settle(context);
    assert_stored(&world, a, FLAG_SEEN | FLAG_ANSWERED, "ours same theirs");
    assert_notmuch("tags", "id:a@x", "inbox ours replied same theirs");
    mark(&world, a, 0, 0, NULL, "same");
    settle(context);
    assert_notmuch("tags", "id:a@x", "inbox ours replied theirs");
    assert_stored(&world, a, FLAG_SEEN | FLAG_ANSWERED, "ours theirs");

    /* places: not taken from notmuch, told to it */
    tag("-inbox", "id:a@x");
    g_assert_cmpuint(settle(context), ==, 0);
    assert_notmuch("tags", "id:a@x", "ours replied theirs");
    g_assert_cmpint(intent_move(world.store, &b, 1, world.archive, world.inbox, NULL), >, 0);
    settle(context);
    assert_notmuch("tags", "id:b@x", "inbox legal");
    assert_notmuch("messages", "folder:work/INBOX", "id:a@x id:b@x");
    g_assert_cmpint(intent_delete(world.store, &b, 1, world.inbox, NULL), >, 0);
    settle(context);
    assert_notmuch("tags", "id:b@x", "deleted legal");
    g_assert_cmpint(intent_expunge(world.store, &b, 1, world.trash, NULL), >, 0);
    settle(context); /* the server, and so the Maildir, may have it a while yet */
    assert_notmuch("messages", "tag:legal and not tag:deleted", "");
    for (guint round = 0; intent_count(world.store, world.account) && round < 10;
         round++) { /* the server does it */
        g_autoptr(GPtrArray) intents = intent_next(world.store, world.account, 1, NULL);
        const struct intent *intent = intents->pdata[0];
        struct intent_result result = {.intent = intent->id, .new_uid = 90 + round};
        g_assert_true(intent_claim(world.store, &intent->id, 1, NULL));
        g_assert_true(intent_done(world.store, &result, 1, NULL));
    }
    settle(context);
    assert_notmuch("messages", "tag:legal", "");

    /* the body comes, and new mail */
    gint64 late = placement_find_uid(world.store, world.inbox, 3);
    add_body(world.store, late, "now it is here", NULL);
    put(&world, world.inbox, 4, "d@x", "news", "news", 1700000003);
    settle(context);
    assert_notmuch("messages", "tag:inbox", "id:c@x id:d@x");
    world_end(&world);
}

/* The index is deleted, or is another one, or is broken: built anew, no tag lost on our side, those of theirs
 * taken in. */
static void
test_anew(void)
{
    struct world world;
    world_begin(&world);
    use_index(&world);
    gint64 a = put(&world, world.inbox, 1, "a@x", "one", "one", 1700000000);
    for (guint i = 2; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i);
        put(&world, world.inbox, i, id, "many", "many", 1700000000 + i);
    }
    mark(&world, a, 0, 0, "kept", NULL);
    struct index_context *context = make_context(world.store, 0);
    settle(context);
    g_assert_cmpuint(index_get_progress(context)->total, ==, 39);
    g_autofree char *index = g_build_filename(world.dir, "mail", ".notmuch", NULL);
    remove_tree(index);
    settle(context);
    assert_notmuch("tags", "id:a@x", "inbox kept unread");
    g_autofree char *count = NULL;
    const char *argv[] = {"notmuch", "count", "*", NULL};
    run(argv, &count);
    g_assert_cmpstr(count, ==, "39");
    assert_stored(&world, a, 0, "kept");
    index_context_free(context);

    /* Somebody else's index lies there when we begin. */
    remove_tree(index);
    g_assert_cmpint(g_mkdir_with_parents(index, 0700), ==, 0);
    g_autofree char *config = g_build_filename(index, "config", NULL),
                    *mail = g_build_filename(world.dir, "mail", NULL);
    g_autofree char *text = g_strdup_printf("[database]\npath=%s\n[new]\ntags=unread;inbox;\n", mail);
    g_assert_true(g_file_set_contents(config, text, -1, NULL));
    const char *new[] = {"notmuch", "new", "--quiet", NULL};
    run(new, NULL);
    tag("+theirs", "id:a@x");
    context = make_context(world.store, 0);
    g_assert_cmpuint(settle(context), ==, 1);
    assert_stored(&world, a, 0, "kept theirs");
    assert_notmuch("tags", "id:a@x", "inbox kept theirs unread");

    /* Damage. */
    g_autofree char *glass = g_build_filename(index, "xapian", "iamglass", NULL);
    g_assert_true(g_file_set_contents(glass, "junk", -1, NULL));
    gboolean was_told = FALSE, more = TRUE;
    for (guint round = 0; round < 10 && !was_told; round++) {
        g_autoptr(GError) error = NULL;
        was_told = !index_pass(context, 500, &more, &error) && error->code == ERROR_GIVEUP;
        if (error)
            g_test_message("%s", error->message);
    }
    g_assert_true(was_told);
    g_assert_true(more);
    settle(context);
    assert_notmuch("tags", "id:a@x", "inbox kept theirs unread");
    g_autofree char *aside = g_strconcat(index, ".damaged", NULL);
    g_assert_true(g_file_test(aside, G_FILE_TEST_IS_DIR));
    index_context_free(context);
    world_end(&world);
}

static void
test_limits(void)
{
    struct world world;
    world_begin(&world);
    use_index(&world);
    gint64 now = clock_now();
    put(&world, world.inbox, 1, "old@x", "old", "old", now - 100 * 86400);
    put(&world, world.inbox, 2, "young@x", "young", "young", now - 86400);
    g_autoptr(struct_index_context) off = make_context(world.store, -1);
    settle(off);
    g_autofree char *index = g_build_filename(world.dir, "mail", ".notmuch", NULL);
    g_assert_false(g_file_test(index, G_FILE_TEST_EXISTS));
    g_autoptr(struct_index_context) month = make_context(world.store, 30);
    settle(month);
    assert_notmuch("messages", "*", "id:young@x");
    world_end(&world);
}

/* A message that kills the indexer costs itself and nothing else. */
static void
test_hostile(void)
{
    struct world world;
    world_begin(&world);
    use_index(&world);
    put(&world, world.inbox, 1, "a@x", "before", "before", 1700000000);
    gint64 bad = put(&world, world.inbox, 2, "bad@x", "bad", "bad", 1700000001);
    put(&world, world.inbox, 3, "b@x", "after", "after", 1700000002);
    g_autofree char *path = store_message_path(world.store, bad, NULL);
    GString *text = g_string_new("Subject: bad\nMessage-ID: <bad@x>\nTo: ");
    for (guint i = 0; i < 300000; i++)
        g_string_append(text, "g:");
    g_string_append(text, "\n\nx\n");
    g_assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
    g_string_free(text, TRUE);
    g_autoptr(struct_index_context) context = make_context(world.store, 0);
    settle(context);
    assert_notmuch("messages", "before or after", "id:a@x id:b@x");
    g_autofree char *count = NULL;
    const char *argv[] = {"notmuch", "count", "id:bad@x", NULL};
    run(argv, &count);
    g_assert_true(!strcmp(count, "1") ||
                  index_skip_has(world.store, bad)); /* a GMime that bears it indexes it */
    settle(context);
    world_end(&world);
}

#ifdef FAILPOINTS
static gboolean
pass_killed(struct world *world, guint step)
{
    int status;
    store_close(world->store);
    pid_t pid = fork();
    if (pid == 0) {
        g_autofree char *rule = g_strdup_printf("#%u:kill", step);
        g_setenv("POSTRIDER_FAIL", rule, TRUE);
        fail_reload();
        world->store = store_open(world->dir, STORE_WRITE, NULL);
        struct index_context *context = make_context(world->store, 0);
        g_unsetenv("POSTRIDER_FAIL"); /* not for the child's child */
        gboolean more = TRUE;
        for (guint round = 0; more && round < 20; round++)
            index_pass(context, 500, &more, NULL);
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    world->store = open_store(world->dir, STORE_WRITE);
    return WIFSIGNALED(status);
}

/* Changes on both sides, the worker killed at every step: after one more run both sides have both. */
static void
test_killed(void)
{
    guint step;
    for (step = 1; step < 300; step++) {
        struct world world;
        world_begin(&world);
        use_index(&world);
        gint64 a = put(&world, world.inbox, 1, "a@x", "one", "one", 1700000000);
        gint64 b = put(&world, world.inbox, 2, "b@x", "two", "two", 1700000001);
        mark(&world, a, 0, 0, "base", NULL);
        struct index_context *context = make_context(world.store, 0);
        settle(context);
        index_context_free(context);
        tag("+theirs -base +flagged", "id:a@x");
        mark(&world, a, FLAG_SEEN, 0, "ours", NULL);
        tag("+replied", "id:b@x");
        put(&world, world.inbox, 3, "c@x", "three", "three", 1700000002);
        gboolean was_killed = pass_killed(&world, step);
        context = make_context(world.store, 0);
        settle(context);
        assert_stored(&world, a, FLAG_SEEN | FLAG_FLAGGED, "ours theirs");
        assert_stored(&world, b, FLAG_ANSWERED, "");
        assert_notmuch("tags", "id:a@x", "flagged inbox ours theirs");
        assert_notmuch("tags", "id:b@x", "inbox replied unread");
        assert_notmuch("messages", "*", "id:a@x id:b@x id:c@x");
        /* And what is taken back stays so. */
        mark(&world, a, 0, 0, NULL, "theirs");
        g_assert_cmpuint(settle(context), ==, 0);
        assert_stored(&world, a, FLAG_SEEN | FLAG_FLAGGED, "ours");
        assert_notmuch("tags", "id:a@x", "flagged inbox ours");
        index_context_free(context);
        world_end(&world);
        if (!was_killed)
            break;
    }
    g_test_message("%u steps", step);
    g_assert_cmpuint(step, >, 10);
    g_assert_cmpuint(step, <, 300);
}
#endif

int
main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        return notmuch_child_main(0, 0);
    self = argv[0];
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    g_autofree char *notmuch = g_find_program_in_path("notmuch");
    if (!notmuch) {
        g_print("1..0 # SKIP the notmuch program is not installed\n");
        return 0;
    }
    g_test_add_func("/notmuch-index/both-ways", test_both_ways);
    g_test_add_func("/notmuch-index/anew", test_anew);
    g_test_add_func("/notmuch-index/limits", test_limits);
    g_test_add_func("/notmuch-index/hostile", test_hostile);
#ifdef FAILPOINTS
    g_test_add_func("/notmuch-index/killed-at-every-step", test_killed);
#endif
    return g_test_run();
}
