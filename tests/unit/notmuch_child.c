/* the process that opens notmuch's index, talked to as the index worker does, with the real notmuch program
 * beside it */
#include "config.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/record.h"
#include "search/notmuch_child.h"

struct world {
    char *root;
    GPid pid;
    int fd;
};

static char *self;

/* Xapian 1.4 forgets what it had read of a query that it then refuses. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libxapian";
}

static void
start(struct world *world)
{
    int pair[2];
    const char *argv[] = {self, "--child", NULL};
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    g_assert_true(g_spawn_async_with_fds(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                         &world->pid, pair[1], -1, STDERR_FILENO, NULL));
    close(pair[1]);
    world->fd = pair[0];
}

static int
stop(struct world *world)
{
    int status = 0;
    close(world->fd);
    g_assert_cmpint(waitpid(world->pid, &status, 0), ==, world->pid);
    g_spawn_close_pid(world->pid);
    return status;
}

static void
set_up(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    world->root = g_dir_make_tmp("postrider-notmuch-XXXXXX", NULL);
    g_setenv("HOME", world->root, TRUE); /* no configuration of the person who runs the test */
    g_autofree char *config = g_build_filename(world->root, ".notmuch", "config", NULL);
    g_setenv("NOTMUCH_CONFIG", config, TRUE); /* the one that comes with the index */
    g_unsetenv("NOTMUCH_DATABASE");
    start(world);
}

static void
run(const char *const *argv, char **out)
{
    int status;
    g_autoptr(GError) error = NULL;
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | (out ? 0 : G_SPAWN_STDOUT_TO_DEV_NULL),
                 NULL, NULL, out, NULL, &status, &error);
    g_assert_no_error(error);
    if (out)
        g_strchomp(*out);
    g_assert_true(g_spawn_check_wait_status(status, NULL));
}

static void
tear_down(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    const char *remove[] = {"rm", "-rf", world->root, NULL};
    stop(world);
    run(remove, NULL);
    g_free(world->root);
}

static void
put_mail(const struct world *world, const char *file, const char *id, const char *text)
{
    g_autofree char *path = g_build_filename(world->root, file, NULL), *dir = g_path_get_dirname(path);
    g_autofree char *id_line = id ? g_strdup_printf("Message-ID: <%s>\n", id) : g_strdup("");
    g_autofree char *mail =
        g_strdup_printf("From: Ana <ana@example.org>\nTo: ben@example.com\nSubject: %s\n%s"
                        "Date: Thu, 12 Nov 2026 10:42:01 +0100\n\n%s\n",
                        text, id_line, text);
    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, mail, -1, NULL));
}

struct job {
    guint64 message;
    gboolean is_gone, is_unwanted;
    const char *id, *file, *words;
};

static void
send_write(struct world *world, const struct job *jobs, gsize n)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a" NOTMUCH_JOB_TYPE));
    for (gsize i = 0; i < n; i++) {
        const char *const files[] = {jobs[i].file, NULL};
        g_variant_builder_add(&builder, "(tbbs^ass)", jobs[i].message, jobs[i].is_gone, !jobs[i].is_unwanted,
                              jobs[i].id ? jobs[i].id : "", files, jobs[i].words ? jobs[i].words : "");
    }
    GVariant *request =
        g_variant_new("(ystua" NOTMUCH_JOB_TYPE ")", NOTMUCH_WRITE, world->root, (guint64)0, 60000, &builder);
    g_assert_true(record_write(world->fd, request, 0, NULL));
}

static void
send_scan(struct world *world, guint64 since)
{
    GVariantBuilder none;
    g_variant_builder_init(&none, G_VARIANT_TYPE("a" NOTMUCH_JOB_TYPE));
    GVariant *request =
        g_variant_new("(ystua" NOTMUCH_JOB_TYPE ")", NOTMUCH_SCAN, world->root, since, 0, &none);
    g_assert_true(record_write(world->fd, request, 0, NULL));
}

/* The answers on one line each, joined: "opened|started 0|done 0|end"; *revision is that of the end. */
static char *
answers(struct world *world, guint64 *revision)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guchar kind = 0; kind != NOTMUCH_END && kind != NOTMUCH_FAILED;) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) value =
            record_read(world->fd, G_VARIANT_TYPE(NOTMUCH_REPLY_TYPE), NOTMUCH_REPLY_MAX, 0, NULL, &error);
        if (!value) {
            g_string_append(out, "died");
            break;
        }
        guint64 number, at;
        const char *text, *add, *remove;
        guint32 set, clear;
        g_variant_get(value, "(ytt&suu&s&s)", &kind, &number, &at, &text, &set, &clear, &add, &remove);
        switch (kind) {
        case NOTMUCH_OPENED:
            g_string_append(out, *text ? "opened|" : "none|");
            break;
        case NOTMUCH_STARTED:
            g_string_append_printf(out, "%" G_GUINT64_FORMAT, number);
            break;
        case NOTMUCH_DONE:
            g_string_append_printf(out, "%s%s|", *text ? ": " : "", text);
            break;
        case NOTMUCH_ALIVE:
            break;
        case NOTMUCH_CHANGED:
            g_string_append_printf(out, "%" G_GUINT64_FORMAT " %s set %u clear %u +%s -%s|", number, text,
                                   set, clear, add, remove);
            break;
        case NOTMUCH_END:
            g_string_append(out, "end");
            if (revision)
                *revision = at;
            break;
        default:
            g_string_append_printf(out, "failed: %s", text);
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

#define assert_answers(world, expected, revision)                                                            \
    do {                                                                                                     \
        g_autofree char *answered = answers(world, revision);                                                \
        g_assert_cmpstr(answered, ==, expected);                                                             \
    } while (0)

static char *
notmuch_tags(const char *id)
{
    char *out;
    g_autofree char *query = g_strdup_printf("id:%s", id);
    const char *argv[] = {"notmuch", "search", "--exclude=false", "--output=tags", query, NULL};
    run(argv, &out);
    return g_strdelimit(out, "\n", ' ');
}

#define assert_tags(id, expected)                                                                            \
    do {                                                                                                     \
        g_autofree char *tags = notmuch_tags(id);                                                            \
        g_assert_cmpstr(tags, ==, expected);                                                                 \
    } while (0)

static char *
notmuch_ids(const char *query)
{
    char *out;
    const char *argv[] = {"notmuch", "search", "--output=messages", query, NULL};
    run(argv, &out);
    return g_strdelimit(out, "\n", ' ');
}

#define assert_found(query, expected)                                                                        \
    do {                                                                                                     \
        g_autofree char *ids = notmuch_ids(query);                                                           \
        g_assert_cmpstr(ids, ==, expected);                                                                  \
    } while (0)

static void
test_write(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    send_scan(world, 0);
    assert_answers(world, "none|end", NULL);
    put_mail(world, "work/INBOX/cur/1:2,", "a@x", "lisbon");
    put_mail(world, "work/INBOX/cur/2:2,S", "b@x", "flights");
    const struct job jobs[] = {
        {.message = 1, .id = "a@x", .file = "work/INBOX/cur/1:2,", .words = "inbox unread work"},
        {.message = 2, .id = "b@x", .file = "work/INBOX/cur/2:2,S", .words = "inbox"},
        {.message = 3, .id = "c@x", .file = "work/INBOX/cur/gone:2,S", .words = ""},
        {.message = 4,
         .id = "d@x",
         .file = "work/INBOX/cur/1:2,",
         .is_unwanted = TRUE,
         .words = "inbox unread work"},
    };
    send_write(world, jobs, 3);
    assert_answers(world, "opened|0|1|2: the file is not there|end", NULL);
    assert_found("subject:lisbon", "id:a@x");
    assert_found("tag:inbox and flights", "id:b@x");
    assert_found("folder:work/INBOX and tag:unread", "id:a@x");
    assert_tags("a@x", "inbox unread work");

    /* A new name for new flags, and a second place. */
    g_autofree char *from = g_build_filename(world->root, "work/INBOX/cur/1:2,", NULL);
    g_autofree char *to = g_build_filename(world->root, "work/INBOX/cur/1:2,FS", NULL);
    g_assert_cmpint(rename(from, to), ==, 0);
    put_mail(world, "work/Archive/cur/9:2,S", "b@x", "flights");
    const struct job again[] = {
        {.message = 1, .id = "a@x", .file = "work/INBOX/cur/1:2,FS", .words = "flagged inbox work"},
        {.message = 2, .id = "b@x", .file = "work/Archive/cur/9:2,S", .words = "inbox"},
    };
    send_write(world, again, 2);
    assert_answers(world, "opened|0|1|end", NULL);
    assert_tags("a@x", "flagged inbox work");
    assert_found("folder:work/Archive", "id:b@x");
    assert_found("folder:work/INBOX", "id:a@x id:b@x");
    char *files;
    const char *argv[] = {"notmuch", "search", "--output=files", "id:a@x", NULL};
    run(argv, &files);
    g_assert_true(g_str_has_suffix(files, "work/INBOX/cur/1:2,FS"));
    g_assert_null(strchr(files, '\n'));
    g_free(files);

    /* Gone. */
    g_assert_cmpint(unlink(to), ==, 0);
    const struct job gone = {.message = 1, .id = "a@x", .file = "work/INBOX/cur/1:2,FS", .is_gone = TRUE};
    send_write(world, &gone, 1);
    assert_answers(world, "opened|0|end", NULL);
    assert_found("subject:lisbon", "");
    /* A file that only this process says is gone stays. */
    const struct job wrong = {.message = 2, .id = "b@x", .file = "work/INBOX/cur/2:2,S", .is_gone = TRUE};
    send_write(world, &wrong, 1);
    assert_answers(world, "opened|0|end", NULL);
    assert_found("flights", "id:b@x");

    /* Too old, or on the skip list: known files are kept up to date, others not taken in. */
    put_mail(world, "work/INBOX/cur/3:2,S", "e@x", "skipped");
    const struct job unwanted[] = {
        {.message = 5, .id = "e@x", .file = "work/INBOX/cur/3:2,S", .is_unwanted = TRUE},
        {.message = 2,
         .id = "b@x",
         .file = "work/INBOX/cur/2:2,S",
         .is_unwanted = TRUE,
         .words = "inbox later"},
    };
    send_write(world, unwanted, 2);
    assert_answers(world, "opened|0: not wanted|1|end", NULL);
    assert_found("skipped", "");
    assert_tags("b@x", "inbox later");
}

static void
test_both_ways(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    guint64 revision;
    put_mail(world, "w/INBOX/cur/1:2,", "a@x", "one");
    put_mail(world, "w/INBOX/cur/2:2,", NULL, "two");
    const struct job jobs[] = {
        {.message = 1, .id = "a@x", .file = "w/INBOX/cur/1:2,", .words = "inbox unread work"},
        {.message = 2, .file = "w/INBOX/cur/2:2,", .words = "inbox unread"},
    };
    send_write(world, jobs, 2);
    assert_answers(world, "opened|0|1|end", &revision);
    /* What we wrote is no change. */
    send_scan(world, 0);
    assert_answers(world, "opened|end", NULL);

    const char *tag[] = {"notmuch",  "tag",     "-inbox", "-unread", "-work",
                         "+flagged", "+urgent", "--",     "*",       NULL};
    run(tag, NULL);
    send_scan(world, revision);
    g_autofree char *got = answers(world, &revision);
    g_assert_nonnull(strstr(got, "1 a@x set 5 clear 0 +urgent -work|"));
    g_assert_nonnull(strstr(got, "2 notmuch-sha1-"));
    g_assert_nonnull(strstr(got, " set 5 clear 0 +urgent -|"));
    send_scan(world, revision);
    assert_answers(world, "opened|end", NULL);

    /* Meanwhile a tag was added here; theirs was taken over: both stand, the place stays as they want it. */
    const struct job merged = {
        .message = 1, .id = "a@x", .file = "w/INBOX/cur/1:2,", .words = "flagged inbox mine urgent"};
    send_write(world, &merged, 1);
    assert_answers(world, "opened|0|end", &revision);
    assert_tags("a@x", "flagged mine urgent");
    send_scan(world, 0);
    g_autofree char *quiet = answers(world, NULL);
    g_assert_null(strstr(quiet, "a@x"));
    /* The same words again touch nothing: no revision, no work for anybody. */
    guint64 same;
    send_write(world, &merged, 1);
    assert_answers(world, "opened|0|end", &same);
    g_assert_cmpuint(same, ==, revision);

    /* dump and restore carry the base along */
    g_autofree char *dump = g_build_filename(world->root, "dump", NULL);
    g_autofree char *output = g_strdup_printf("--output=%s", dump),
                    *input = g_strdup_printf("--input=%s", dump);
    const char *save[] = {"notmuch", "dump", output, NULL},
               *wipe[] = {"notmuch", "tag", "--remove-all", "*", NULL};
    const char *restore[] = {"notmuch", "restore", input, NULL};
    run(save, NULL);
    run(wipe, NULL);
    run(restore, NULL);
    send_scan(world, revision);
    g_autofree char *restored = answers(world, NULL);
    g_assert_null(strstr(restored, "a@x"));
}

static void
test_own_new(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    /* The user's `notmuch new` comes first, with tags of its own; then it runs on our index and changes
     * nothing. */
    put_mail(world, "w/INBOX/cur/1:2,", "a@x", "one");
    const struct job jobs[] = {
        {.message = 1, .id = "a@x", .file = "w/INBOX/cur/1:2,", .words = "inbox unread"}};
    send_write(world, jobs, 1);
    assert_answers(world, "opened|0|end", NULL);
    put_mail(world, "w/INBOX/cur/2:2,S", "b@x", "two");
    put_mail(world, ".removed/3:2,S", "c@x", "removed");
    put_mail(world, ".outbox/4:2,S", "d@x", "outgoing");
    const char *new[] = {"notmuch", "new", NULL},
               *tag[] = {"notmuch", "tag", "+theirs", "--", "id:b@x", NULL};
    run(new, NULL);
    assert_tags("b@x", ""); /* new.tags is empty */
    assert_found("removed or outgoing", "");
    g_autofree char *path = g_build_filename(world->root, "w/INBOX/cur/1:2,", NULL);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS)); /* nothing was renamed */
    run(tag, NULL);
    send_scan(world, 0);
    assert_answers(world, "opened|0 b@x set 0 clear 0 +theirs -|end", NULL);
    const struct job ours = {.message = 2, .id = "b@x", .file = "w/INBOX/cur/2:2,S", .words = "inbox theirs"};
    send_write(world, &ours, 1);
    assert_answers(world, "opened|0|end", NULL);
    assert_tags("b@x", "inbox theirs");
    send_scan(world, 0);
    assert_answers(world, "opened|end", NULL);
}

static void
test_hostile(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    /* Groups in groups in groups: GMime's address parser recurses, and dies. */
    GString *text = g_string_new("From: a@x\nMessage-ID: <deep@x>\nTo: ");
    for (guint i = 0; i < 300000; i++)
        g_string_append(text, "g:");
    g_string_append(text, "\nSubject: deep\n\nx\n");
    g_autofree char *path = g_build_filename(world->root, "w/INBOX/cur/1:2,", NULL),
                    *dir = g_path_get_dirname(path);
    g_mkdir_with_parents(dir, 0700);
    g_assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
    g_string_free(text, TRUE);
    put_mail(world, "w/INBOX/cur/2:2,", "good@x", "good");
    g_autofree char *mbox = g_build_filename(world->root, "w/INBOX/cur/3:2,", NULL);
    g_assert_true(g_file_set_contents(mbox, "no mail at all", -1, NULL));

    const struct job jobs[] = {
        {.message = 1, .id = "deep@x", .file = "w/INBOX/cur/1:2,", .words = "inbox"},
        {.message = 2, .id = "good@x", .file = "w/INBOX/cur/2:2,", .words = "inbox"},
        {.message = 3, .file = "w/INBOX/cur/3:2,", .words = "inbox"},
    };
    send_write(world, jobs, 3);
    g_autofree char *got = answers(world, NULL);
    if (strcmp(got, "opened|0died")) { /* a GMime that bears it */
        g_test_message("this GMime read it: %s", got);
    } else {
        int status = stop(world);
        g_assert_true(WIFSIGNALED(status) || WEXITSTATUS(status)); /* a sanitizer turns it into an exit */
        start(world);
    }
    /* Nobody is kept out by the dead one, and the rest goes in. */
    send_write(world, jobs + 1, 2);
    assert_answers(world, "opened|0|1: notmuch takes it for no mail|end", NULL);
    assert_found("good", "id:good@x");
}

static void
test_find(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    FILE *none = tmpfile();
    g_assert_false(notmuch_find(world->root, "x", 0, none, &error));
    g_assert_nonnull(strstr(error->message, "no notmuch index"));
    put_mail(world, "w/INBOX/cur/1:2,", "a@x", "findme");
    put_mail(world, "w/INBOX/cur/2:2,", "b@x", "findme");
    put_mail(world, "w/INBOX/cur/3:2,", "c@x", "findme");
    const struct job jobs[] = {
        {.message = 1, .id = "a@x", .file = "w/INBOX/cur/1:2,", .words = "inbox"},
        {.message = 2, .id = "b@x", .file = "w/INBOX/cur/2:2,", .words = "inbox spam"},
        {.message = 3, .id = "c@x", .file = "w/INBOX/cur/3:2,", .words = "inbox work"},
    };
    send_write(world, jobs, 3);
    assert_answers(world, "opened|0|1|2|end", NULL);
    static const struct {
        const char *query;
        guint limit;
        const char *out;
    } cases[] = {
        {"findme tag:work", 0, "c@x\n"},     {"findme not tag:work", 0, "a@x\n"},
        {"findme and tag:spam", 0, "b@x\n"}, {"nothing", 0, ""},
        {"id:a@x or id:c@x", 1, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        FILE *out = tmpfile();
        char buffer[200] = "";
        g_autoptr(GError) problem = NULL;
        g_assert_true(notmuch_find(world->root, cases[i].query, cases[i].limit, out, &problem));
        rewind(out);
        gsize n = fread(buffer, 1, sizeof buffer - 1, out);
        buffer[n] = '\0';
        if (cases[i].out)
            g_assert_cmpstr(buffer, ==, cases[i].out);
        else
            g_assert_cmpuint(n, ==, strlen("a@x\n"));
        fclose(out);
    }
    FILE *out = tmpfile();
    g_autoptr(GError) problem = NULL;
    g_assert_false(notmuch_find(world->root, "date:nonsense", 0, out, &problem));
    g_assert_nonnull(strstr(problem->message, "does not understand"));
    fclose(out);
    fclose(none);
}

static void
test_damaged(struct world *world, gconstpointer data G_GNUC_UNUSED)
{
    put_mail(world, "w/INBOX/cur/1:2,", "a@x", "one");
    const struct job job = {.message = 1, .id = "a@x", .file = "w/INBOX/cur/1:2,", .words = "inbox"};
    send_write(world, &job, 1);
    assert_answers(world, "opened|0|end", NULL);
    static const char *const files[] = {"iamglass", "postlist.glass", "termlist.glass"};
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(world->root, ".notmuch/xapian", files[i], NULL),
                        *kept = NULL;
        gsize length;
        g_assert_true(g_file_get_contents(path, &kept, &length, NULL));
        g_autofree char *junk = g_strnfill(length, 'j');
        g_assert_true(g_file_set_contents(path, junk, (gssize)length, NULL));
        send_scan(world, 0);
        g_autofree char *got = answers(world, NULL);
        g_test_message("%s: %s", files[i], got);
        if (g_str_has_suffix(got, "died")) {
            stop(world);
            start(world);
        }
        g_assert_true(g_file_set_contents(path, kept, (gssize)length, NULL));
    }
    send_scan(world, 0);
    assert_answers(world, "opened|end", NULL);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        return notmuch_child_main(0, 0);
    self = argv[0];
    g_test_init(&argc, &argv, NULL);
    g_autofree char *notmuch = g_find_program_in_path("notmuch");
    if (!notmuch) {
        g_print("1..0 # SKIP the notmuch program is not installed\n");
        return 0;
    }
#define ADD(name, function)                                                                                  \
    g_test_add("/notmuch-child/" name, struct world, NULL, set_up, function, tear_down)
    ADD("write", test_write);
    ADD("both-ways", test_both_ways);
    ADD("own-new", test_own_new);
    ADD("hostile", test_hostile);
    ADD("find", test_find);
    ADD("damaged", test_damaged);
    return g_test_run();
}
