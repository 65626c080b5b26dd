/* bulk: an action on thousands is written down at once and done slice by slice; undone before, while and after; killed
 * at any step */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/bulk.h"
#include "store/undo.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 900

/* Every third is read, every seventh has a file. */
static GArray *
fill(struct world *world, guint n)
{
    GArray *messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_assert_true(store_begin(world->store, NULL));
    for (guint i = 1; i <= n; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i), *parent = i % 4 ? g_strdup_printf("m%u@x", i / 4 * 4) : NULL;
        g_autoptr(struct_envelope) envelope =
            make_envelope(id, parent, "Ben <ben@example.net>", "ana@example.org", "many", 1700000000 + i * 100);
        gint64 placement =
            add_envelope(world->store, world->inbox, i, i % 3 ? 0 : FLAG_SEEN, i % 5 ? NULL : "work", envelope);
        gint64 message = message_of(world->store, placement);
        if (i % 7 == 0)
            add_body(world->store, placement, id, NULL);
        g_array_append_val(messages, message);
    }
    g_assert_true(store_commit(world->store, NULL));
    return messages;
}

static gint64
total(struct store *store, gint64 folder)
{
    g_autoptr(struct_folder) row = folder_get(store, folder, NULL);
    return row->total;
}

static guint
step(struct store *store, guint most)
{
    guint n = 0;
    for (gboolean more = TRUE; more && n < most; n++) {
        g_autoptr(GError) error = NULL;
        bulk_step(store, &more, &error);
        g_assert_no_error(error);
    }
    return n;
}

static const gint64 *
ids(const GArray *messages)
{
    return (const gint64 *)(gpointer)messages->data;
}

static void
test_archive(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    g_autoptr(GArray) messages = fill(&world, MANY);
    gint64 journal = intent_archive(world.store, ids(messages), MANY, world.inbox, &error);
    g_assert_no_error(error);
    g_assert_cmpint(journal, >, 0);
    g_assert_true(bulk_is_pending(world.store, journal));
    g_assert_cmpint(bulk_left(world.store), ==, MANY);
    g_assert_cmpint(total(world.store, world.inbox), ==, MANY); /* written down only */

    /* The newest go first; all agrees between slices. */
    step(world.store, 1);
    assert_sound(world.store);
    gint64 moved = total(world.store, world.archive);
    g_assert_cmpint(moved, >, 0);
    g_assert_cmpint(moved, <, MANY);
    g_assert_cmpint(total(world.store, world.inbox), ==, MANY - moved);
    for (guint i = 0; i < MANY; i += 10) {
        g_autoptr(GPtrArray) places = message_places(world.store, g_array_index(messages, gint64, i), NULL);
        g_assert_cmpint(((struct message_place *)places->pdata[0])->folder, ==,
                        i >= MANY - (guint)moved ? world.archive : world.inbox);
    }
    step(world.store, G_MAXUINT);
    g_assert_false(bulk_is_pending(world.store, 0));
    g_assert_cmpint(total(world.store, world.inbox), ==, 0);
    g_assert_cmpint(total(world.store, world.archive), ==, MANY);
    g_assert_cmpint(intent_count(world.store, 0), ==, MANY);
    g_autoptr(GPtrArray) entries = undo_list(world.store, 10, FALSE, &error);
    g_assert_cmpuint(entries->len, ==, 1);
    g_assert_cmpstr(((struct undo_entry *)entries->pdata[0])->text, ==, "archive 900 messages");

    g_autofree char *text = NULL;
    g_assert_true(undo(world.store, 0, &text, &error));
    g_assert_cmpstr(text, ==, "archive 900 messages");
    g_assert_true(bulk_is_pending(world.store, 0));
    g_assert_cmpint(bulk_left(world.store), ==, MANY);
    g_assert_false(undo(world.store, 0, NULL, NULL)); /* once */
    step(world.store, G_MAXUINT);
    g_assert_cmpint(total(world.store, world.inbox), ==, MANY);
    g_assert_cmpint(total(world.store, world.archive), ==, 0);
    g_assert_cmpint(intent_count(world.store, 0), ==, 0); /* nothing had gone out */
    world_end(&world);
}

/* Taken back while it is under way, after each number of slices. */
static void
test_undo_between(void)
{
    for (guint slices = 0; slices < 7; slices += 3) {
        struct world world;
        g_autoptr(GError) error = NULL;
        world_begin(&world);
        g_autoptr(GArray) messages = fill(&world, MANY);
        g_assert_cmpint(intent_move(world.store, ids(messages), MANY, world.inbox, world.archive, &error), >, 0);
        step(world.store, slices);
        g_assert_true(undo(world.store, 0, NULL, &error));
        g_assert_no_error(error);
        step(world.store, slices / 2);
        assert_sound(world.store);
        step(world.store, G_MAXUINT);
        g_assert_cmpint(total(world.store, world.inbox), ==, MANY);
        g_assert_cmpint(intent_count(world.store, 0), ==, 0);
        world_end(&world);
    }
}

static char *
flags_of_all(struct store *store, const GArray *messages)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < messages->len; i++) {
        g_autoptr(struct_message) row = message_load(store, g_array_index(messages, gint64, i), NULL);
        g_string_append_printf(out, "%u%s ", row->flags, row->tags);
    }
    return g_string_free(out, FALSE);
}

/* Marks come back as they were, one by one. */
static void
test_marks(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    g_autoptr(GArray) messages = fill(&world, MANY);
    g_autofree char *before = flags_of_all(world.store, messages);
    g_assert_cmpint(intent_mark(world.store, ids(messages), MANY, FLAG_SEEN, 0, "trip", "work", &error), >, 0);
    step(world.store, G_MAXUINT);
    for (guint i = 0; i < MANY; i++) {
        g_autoptr(struct_message) row = message_load(world.store, g_array_index(messages, gint64, i), NULL);
        g_assert_cmpuint(row->flags, ==, FLAG_SEEN);
        g_assert_cmpstr(row->tags, ==, "trip");
    }
    g_assert_true(undo(world.store, 0, NULL, &error));
    step(world.store, G_MAXUINT);
    g_autofree char *after = flags_of_all(world.store, messages);
    g_assert_cmpstr(before, ==, after);

    /* A whole folder; what is so already is nothing to undo. */
    g_assert_cmpint(intent_mark_folder(world.store, world.inbox, FLAG_SEEN, 0, &error), >, 0);
    step(world.store, G_MAXUINT);
    g_autoptr(struct_folder) inbox = folder_get(world.store, world.inbox, NULL);
    g_assert_cmpint(inbox->unread, ==, 0);
    g_assert_cmpint(intent_mark_folder(world.store, world.inbox, FLAG_SEEN, 0, &error), ==, INTENT_NOTHING);
    g_assert_cmpint(intent_mark(world.store, ids(messages), MANY, FLAG_SEEN, 0, NULL, NULL, &error), >, 0);
    step(world.store, G_MAXUINT);
    g_autoptr(GPtrArray) entries = undo_list(world.store, 10, FALSE, &error);
    g_assert_cmpuint(entries->len, ==, 1);
    world_end(&world);
}

/* The folder goes away in the middle: what is left is dropped, and said; what was done can be taken back. Messages that
 * go away meanwhile are passed over. */
static void
test_refused(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    gboolean more;
    world_begin(&world);
    g_autoptr(GArray) messages = fill(&world, MANY);
    g_assert_cmpint(intent_move(world.store, ids(messages), MANY, world.inbox, world.archive, &error), >, 0);
    step(world.store, 2);
    gint64 gone[300];
    for (guint i = 0; i < G_N_ELEMENTS(gone); i++)
        gone[i] = placement_find_uid(world.store, world.inbox, 500 + i);
    g_assert_true(placement_remove(world.store, gone, G_N_ELEMENTS(gone), &error));
    step(world.store, 2);
    gint64 there = total(world.store, world.archive);
    g_assert_true(folder_set_bits(world.store, world.archive, 0, FOLDER_SELECTABLE, &error));
    g_assert_false(bulk_step(world.store, &more, &error));
    g_assert_error(error, STORE_ERROR, ERROR_REFUSED);
    g_assert_false(more);
    g_assert_false(bulk_is_pending(world.store, 0));
    g_assert_cmpint(total(world.store, world.archive), ==, there);
    g_clear_error(&error);
    g_assert_true(undo(world.store, 0, NULL, &error));
    step(world.store, G_MAXUINT);
    g_assert_cmpint(total(world.store, world.inbox), ==, MANY - (gint64)G_N_ELEMENTS(gone));
    g_assert_cmpint(intent_move(world.store, ids(messages), MANY, world.inbox, world.archive, &error), ==, 0);
    g_assert_error(error, STORE_ERROR, ERROR_REFUSED);
    world_end(&world);
}

/* What has gone out comes back by the reverse. */
static void
test_undo_after(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    g_autoptr(GArray) messages = fill(&world, MANY);
    g_assert_cmpint(intent_archive(world.store, ids(messages), MANY, world.inbox, &error), >, 0);
    step(world.store, G_MAXUINT);
    g_autoptr(GPtrArray) list = intent_next(world.store, world.account, 600, &error);
    g_assert_cmpuint(list->len, ==, 600);
    for (guint i = 0; i < list->len; i++) {
        const struct intent *intent = list->pdata[i];
        struct intent_result result = {intent->id, 5000 + i, 0};
        g_assert_true(intent_claim(world.store, &intent->id, 1, &error));
        g_assert_true(intent_done(world.store, &result, 1, &error));
    }
    g_assert_true(undo(world.store, 0, NULL, &error));
    step(world.store, G_MAXUINT);
    g_assert_cmpint(total(world.store, world.inbox), ==, MANY);
    g_assert_cmpint(intent_count(world.store, 0), ==, 600);
    g_autoptr(GPtrArray) back = intent_list(world.store, world.account, &error);
    for (guint i = 0; i < back->len; i++) {
        const struct intent *intent = back->pdata[i];
        g_assert_cmpint(intent->kind, ==, INTENT_MOVE);
        g_assert_cmpint(intent->source_folder, ==, world.archive);
        g_assert_cmpint(intent->target_folder, ==, world.inbox);
    }
    world_end(&world);
}

#ifdef FAILPOINTS
/* In a process of its own, which dies at the nth step: archives everything, and with `back` takes it back. */
static gboolean
act_in_child(struct world *world, const GArray *messages, guint at, gboolean back)
{
    int status;
    store_close(world->store);
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        g_autofree char *rule = g_strdup_printf("#%u:kill", at);
        struct store *store = store_open(world->dir, STORE_WRITE, NULL);
        g_setenv("POSTRIDER_FAIL", rule, TRUE);
        fail_reload();
        gboolean ok = back ? undo(store, 0, NULL, NULL)
                           : intent_archive(store, ids(messages), messages->len, world->inbox, NULL) > 0;
        _exit(ok && bulk_finish(store, NULL, NULL, NULL) ? 0 : 1);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    world->store = open_store(world->dir, STORE_WRITE);
    g_assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

/* D1: killed at any step, it is done or taken back whole by whoever comes next. The first steps each, then some. */
static void
test_kill(void)
{
    gboolean killed = TRUE;
    for (guint at = 1; killed; at += at < 6 ? 1 : 61) {
        struct world world;
        g_autoptr(GError) error = NULL;
        world_begin(&world);
        g_autoptr(GArray) messages = fill(&world, 600);
        killed = act_in_child(&world, messages, at, FALSE);
        assert_sound(world.store);
        g_assert_true(bulk_finish(world.store, NULL, NULL, &error));
        gint64 archived = total(world.store, world.archive);
        g_assert_cmpint(archived + total(world.store, world.inbox), ==, 600);
        if (!killed || archived) {
            g_assert_cmpint(archived, ==, 600);
            gboolean again = act_in_child(&world, messages, at, TRUE);
            g_autoptr(GPtrArray) entries = undo_list(world.store, 10, FALSE, &error);
            g_assert_true(bulk_finish(world.store, NULL, NULL, &error));
            g_assert_cmpint(total(world.store, world.inbox), ==, !again || !entries->len ? 600 : 0);
        }
        world_end(&world);
    }
}

/* A full disk stops it; it goes on when there is room. */
static void
test_full_disk(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    g_autoptr(GArray) messages = fill(&world, MANY);
    g_assert_cmpint(intent_archive(world.store, ids(messages), MANY, world.inbox, &error), >, 0);
    g_setenv("POSTRIDER_FAIL", "store.commit@3:ENOSPC", TRUE);
    fail_reload();
    g_assert_false(bulk_finish(world.store, NULL, NULL, &error));
    g_assert_error(error, STORE_ERROR, ERROR_IO);
    g_clear_error(&error);
    g_unsetenv("POSTRIDER_FAIL");
    fail_reload();
    assert_sound(world.store);
    g_assert_true(bulk_is_pending(world.store, 0));
    g_assert_true(bulk_finish(world.store, NULL, NULL, &error));
    g_assert_cmpint(total(world.store, world.archive), ==, MANY);
    world_end(&world);
}
#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bulk/archive", test_archive);
    g_test_add_func("/bulk/undo-between", test_undo_between);
    g_test_add_func("/bulk/undo-after", test_undo_after);
    g_test_add_func("/bulk/marks", test_marks);
    g_test_add_func("/bulk/refused", test_refused);
#ifdef FAILPOINTS
    g_test_add_func("/bulk/kill", test_kill);
    g_test_add_func("/bulk/full-disk", test_full_disk);
#endif
    return g_test_run();
}
