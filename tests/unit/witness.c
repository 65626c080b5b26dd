/* witness: after our own renames the next scan reads nothing; whatever another program did meanwhile is always found */
#include "config.h"

#include "storetest.h"
#include "store/internal.h"
#include "store/scan.h"

#include <fcntl.h>
#include <unistd.h>

#define MAILS 8

static struct message_index *
reader(G_GNUC_UNUSED GBytes *message, G_GNUC_UNUSED gpointer data)
{
    return message_index_new();
}

static struct scan_result
scan(struct world *world, guint how)
{
    g_autoptr(GError) error = NULL;
    struct scan_result result;
    g_assert_true(maildir_scan(world->store, world->inbox, how, reader, NULL, &result, &error));
    g_assert_no_error(error);
    scan_result_clear(&result);
    return result;
}

static guint
changes(const struct scan_result *result)
{
    return result->flags + result->added + result->removed + result->moved + result->orphans;
}

static void
settle(struct world *world)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(maildir_apply(world->store, 0, &error));
    g_assert_no_error(error);
}

/* The next scan will read nothing. */
static gboolean
is_noted(struct world *world)
{
    g_autofree char *dir = folder_path(world->store, world->inbox, FALSE, NULL);
    gint64 times[2];
    for (guint i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(dir, i ? "new" : "cur", NULL);
        GStatBuf st;
        g_assert_cmpint(g_stat(path, &st), ==, 0);
        times[i] = st.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + st.st_mtim.tv_nsec;
    }
    return sql_int(world->store, 0, "SELECT scan_cur = ? AND scan_new = ? FROM folder WHERE id = ?", "lll", times[0],
                   times[1], world->inbox) != 0;
}

struct mails {
    struct world world;
    gint64 ids[MAILS];
};

static void
mails_begin(struct mails *mails)
{
    world_begin(&mails->world);
    for (guint i = 0; i < MAILS; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i);
        gint64 placement =
            add_mail(mails->world.store, mails->world.inbox, i + 1, id, NULL, "Ben <ben@example.net>", id, 1700000000 + i);
        add_body(mails->world.store, placement, id, NULL);
        mails->ids[i] = message_of(mails->world.store, placement);
    }
    scan(&mails->world, 0);
    settle(&mails->world);
    g_assert_true(is_noted(&mails->world)); /* although it is as fresh as can be */
}

static void
mark(struct mails *mails, guint i, gboolean on)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(intent_mark(mails->world.store, &mails->ids[i], 1, on ? FLAG_FLAGGED : 0, on ? 0 : FLAG_FLAGGED, NULL,
                                NULL, &error),
                    >=, 0);
    g_assert_no_error(error);
}

static char *
path_of(struct mails *mails, guint i)
{
    return store_message_path(mails->world.store, mails->ids[i], NULL);
}

/* ---- what others do ---- */

static void
do_nothing(G_GNUC_UNUSED struct mails *mails)
{
}

static void
do_rename(struct mails *mails)
{
    g_autofree char *from = path_of(mails, 1), *to = g_strconcat(from, "S", NULL);
    g_assert_cmpint(g_rename(from, to), ==, 0);
}

static void
do_remove(struct mails *mails)
{
    g_autofree char *path = path_of(mails, 2);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
deliver(struct mails *mails, const char *part, const char *name)
{
    g_autofree char *dir = folder_path(mails->world.store, mails->world.inbox, FALSE, NULL),
                    *path = g_build_filename(dir, part, name, NULL), *text = g_strconcat("Subject: ", name, "\n\nx\n", NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
do_deliver(struct mails *mails)
{
    deliver(mails, "new", "1700000009.M1P1.host");
}

static void
do_copy_into_cur(struct mails *mails)
{
    deliver(mails, "cur", "1700000010.M1P1.host:2,S");
}

/* Of the very message that we rename, as we do it ourselves: its old name comes back, with other content. */
static void
do_take_old_name(struct mails *mails)
{
    g_autofree char *now = path_of(mails, 0), *plain = g_strndup(now, strlen(now) - strlen(strrchr(now, ',')) + 1);
    g_assert_true(g_file_set_contents(plain, "Subject: again\n\nx\n", -1, NULL));
}

static void
do_remove_ours(struct mails *mails)
{
    g_autofree char *path = path_of(mails, 0);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

/* There and back: as if nothing had happened. */
static void
do_rename_twice(struct mails *mails)
{
    g_autofree char *from = path_of(mails, 1), *to = g_strconcat(from, "S", NULL);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    g_assert_cmpint(g_rename(to, from), ==, 0);
}

static const struct {
    const char *name;
    void (*before)(struct mails *mails), (*after)(struct mails *mails); /* our renaming, while it is witnessed */
    guint found;
    gboolean noted;
} cases[] = {
    {"ours alone", do_nothing, do_nothing, 0, TRUE},
    {"flags before", do_rename, do_nothing, 1, FALSE},
    {"flags after", do_nothing, do_rename, 1, FALSE},
    {"removed before", do_remove, do_nothing, 1, FALSE},
    {"removed after", do_nothing, do_remove, 1, FALSE},
    {"delivered", do_deliver, do_nothing, 1, FALSE},
    {"copied into cur", do_nothing, do_copy_into_cur, 1, FALSE},
    {"the old name again", do_nothing, do_take_old_name, 1, FALSE},
    {"ours removed", do_nothing, do_remove_ours, 1, FALSE},
    {"there and back", do_rename_twice, do_nothing, 0, FALSE},
    {"two of them", do_rename, do_copy_into_cur, 2, FALSE},
};

static void
test_others(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct mails mails;
        mails_begin(&mails);
        g_test_message("%s", cases[i].name);
        scan(&mails.world, 0); /* the pass begins */
        mark(&mails, 0, TRUE);
        cases[i].before(&mails);
        g_autoptr(GError) error = NULL;
        /* As maildir_apply(), but for its end. */
        g_autofree char *from = path_of(&mails, 0), *to = g_strconcat(from, "F", NULL);
        g_assert_cmpint(g_rename(from, to), ==, 0);
        g_assert_true(store_begin(mails.world.store, &error));
        g_assert_true(sql_run(mails.world.store, &error,
                              "UPDATE placement SET file = file || 'F', stale_name = 0 WHERE message = ?", "l",
                              mails.ids[0]));
        g_assert_true(store_commit(mails.world.store, &error));
        cases[i].after(&mails);
        settle(&mails.world);
        g_assert_cmpint(is_noted(&mails.world), ==, cases[i].noted);
        struct scan_result result = scan(&mails.world, 0);
        g_assert_cmpuint(changes(&result), ==, cases[i].found);
        settle(&mails.world);
        assert_sound(mails.world.store);
        world_end(&mails.world);
    }
}

/* Nothing of what is not committed counts as ours. */
static void
test_rolled_back(void)
{
    struct mails mails;
    mails_begin(&mails);
    g_autoptr(GError) error = NULL;
    scan(&mails.world, 0);
    g_autofree char *from = path_of(&mails, 3), *to = g_strconcat(from, "F", NULL);
    g_assert_true(store_begin(mails.world.store, &error));
    g_assert_true(sql_run(mails.world.store, &error, "UPDATE placement SET file = file || 'F' WHERE message = ?", "l",
                          mails.ids[3]));
    g_assert_cmpint(g_rename(from, to), ==, 0);
    store_rollback(mails.world.store);
    settle(&mails.world);
    g_assert_false(is_noted(&mails.world));
    struct scan_result result = scan(&mails.world, 0);
    g_assert_cmpuint(result.flags, ==, 1);
    world_end(&mails.world);
}

/* ---- at the same time ---- */

struct other {
    char *cur;
    gint stop, done;
};

static gpointer
deliver_on(gpointer data)
{
    struct other *other = data;
    for (guint i = 0; !g_atomic_int_get(&other->stop); i++) {
        g_autofree char *name = g_strdup_printf("17000%05u.M1P1.other:2,", i), *path = g_build_filename(other->cur, name, NULL),
                        *flagged = g_strconcat(path, "S", NULL), *text = g_strdup_printf("Subject: %u\n\nx\n", i);
        int fd = g_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
        close(fd);
        g_assert_cmpint(g_rename(path, flagged), ==, 0);
        g_atomic_int_inc(&other->done);
        g_usleep((i * 7919) % 3000);
    }
    return NULL;
}

/* Another program delivers and marks all the time while we rename, settle and scan by the times alone: when it is done, one
 * such scan has all of it, which a forced one proves. */
static void
test_race(void)
{
    struct mails mails;
    mails_begin(&mails);
    g_autofree char *dir = folder_path(mails.world.store, mails.world.inbox, FALSE, NULL);
    guint noted = 0;
    for (guint round = 0; round < 60; round++) {
        struct other other = {.cur = g_build_filename(dir, "cur", NULL)};
        GThread *thread = NULL;
        scan(&mails.world, 0);
        mark(&mails, round % MAILS, round / MAILS % 2 == 0);
        if (round % 3) {
            thread = g_thread_new("other", deliver_on, &other);
            while (!g_atomic_int_get(&other.done))
                g_thread_yield();
        }
        settle(&mails.world);
        noted += is_noted(&mails.world);
        if (thread) {
            g_atomic_int_set(&other.stop, 1);
            g_thread_join(thread);
            g_autoptr(GDir) names = g_dir_open(other.cur, 0, NULL);
            for (const char *name; round % 3 == 2 && (name = g_dir_read_name(names));)
                if (strstr(name, ".other:")) { /* and is gone again: the names do not pile up */
                    g_autofree char *path = g_build_filename(other.cur, name, NULL);
                    g_unlink(path);
                }
        }
        g_free(other.cur);
        scan(&mails.world, 0);
        struct scan_result result = scan(&mails.world, SCAN_FORCE);
        g_assert_cmpuint(changes(&result), ==, 0);
        settle(&mails.world);
    }
    g_test_message("noted in %u of 60 rounds", noted);
    g_assert_cmpuint(noted, >=, 15); /* of the 20 without the other */
    assert_sound(mails.world.store);
    world_end(&mails.world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/witness/others", test_others);
    g_test_add_func("/witness/rolled-back", test_rolled_back);
    g_test_add_func("/witness/race", test_race);
    return g_test_run();
}
