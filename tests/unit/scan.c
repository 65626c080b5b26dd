/* scan: what mutt and others do to the Maildir, the brake, orphans of a crash; wanted flags reach the names
 */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/scan.h"
#include "store/undo.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the engine's reader would say: the Message-ID and the subject. */
static struct message_index *
reader(GBytes *message, gpointer data)
{
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autofree char *text = g_strndup(bytes, length), *id = NULL;
    const char *at = strstr(text, "Message-ID: <");
    struct message_index *index = message_index_new();
    guint *calls = data;
    ++*calls;
    if (at)
        id = g_strndup(at + 13, strcspn(at + 13, ">"));
    envelope_free(index->envelope);
    index->envelope =
        make_envelope(id, NULL, "Ben <ben@example.net>", NULL, "found in a Maildir", 1700000000);
    return index;
}

static struct scan_result
scan(struct world *world, gint64 folder)
{
    g_autoptr(GError) error = NULL;
    struct scan_result result;
    guint calls = 0;
    g_assert_true(maildir_scan(world->store, folder, SCAN_FORCE, reader, &calls, &result, &error));
    g_assert_no_error(error);
    assert_sound(world->store);
    scan_result_clear(&result);
    return result;
}

static gint64
mail_with_body(struct world *world, guint32 uid)
{
    g_autofree char *id = g_strdup_printf("m%u@x", uid);
    gint64 placement =
        add_mail(world->store, world->inbox, uid, id, NULL, "Ben <ben@example.net>", id, 1700000000 + uid);
    add_body(world->store, placement, id, NULL);
    return message_of(world->store, placement);
}

static char *
dir_of(struct world *world, gint64 folder, const char *part)
{
    g_autofree char *dir = folder_path(world->store, folder, TRUE, NULL);
    return g_build_filename(dir, part, NULL);
}

static char *
kinds(struct world *world)
{
    g_autoptr(GPtrArray) list = intent_list(world->store, 0, NULL);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(out, "%s%s", i ? " " : "",
                               intent_kind_name(((struct intent *)list->pdata[i])->kind));
    return g_string_free(out, FALSE);
}

static void
test_flags(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1);
    g_autofree char *path = store_message_path(world.store, m, NULL), *marked = g_strconcat(path, "FS", NULL);

    /* Wanted here: answered. mutt: flagged and seen. All three stay. */
    g_assert_cmpint(intent_mark(world.store, &m, 1, FLAG_ANSWERED, 0, NULL, NULL, &error), >, 0);
    g_assert_cmpint(g_rename(path, marked), ==, 0);
    struct scan_result result = scan(&world, world.inbox);
    g_assert_cmpuint(result.flags, ==, 1);
    g_autoptr(struct_message) message = message_load(world.store, m, &error);
    g_assert_cmpuint(message->flags, ==, FLAG_ANSWERED | FLAG_FLAGGED | FLAG_SEEN);
    g_assert_true(maildir_apply(world.store, 0, &error));
    g_autofree char *applied = store_message_path(world.store, m, NULL);
    g_assert_true(g_str_has_suffix(applied, ":2,FRS"));
    result = scan(&world, world.inbox); /* our own renaming is no news */
    g_assert_cmpuint(result.flags + result.added + result.removed + result.moved + result.orphans, ==, 0);
    /* Renamed meanwhile by mutt: our renaming waits until that is known. */
    g_autofree char *cleared = g_strndup(applied, strlen(applied) - 3);
    g_assert_cmpint(intent_mark(world.store, &m, 1, 0, FLAG_ANSWERED, NULL, NULL, &error), >, 0);
    g_assert_cmpint(g_rename(applied, cleared), ==, 0);
    g_assert_true(maildir_apply(world.store, 0, &error));
    scan(&world, world.inbox);
    g_autoptr(struct_message) after = message_load(world.store, m, &error);
    g_assert_cmpuint(after->flags, ==, 0);
    world_end(&world);
}

static void
test_new_and_gone(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1);
    g_autofree char *cur = dir_of(&world, world.inbox, "cur"), *new = dir_of(&world, world.inbox, "new");
    g_autofree char *theirs = g_build_filename(cur, "1700000001.M1P2.host:2,S", NULL),
                    *fresh = g_build_filename(new, "1700000002.M1P2.host", NULL);
    g_autofree char *empty = g_build_filename(cur, "empty:2,", NULL);
    g_assert_true(g_file_set_contents(theirs, "Message-ID: <theirs@x>\n\nsaved by mutt\n", -1, NULL));
    g_assert_true(g_file_set_contents(fresh, "Message-ID: <fresh@x>\n\ndelivered\n", -1, NULL));
    g_assert_true(g_file_set_contents(empty, "", 0, NULL));
    struct scan_result result = scan(&world, world.inbox);
    g_assert_cmpuint(result.added, ==, 2);
    g_autofree char *log = kinds(&world);
    g_assert_cmpstr(log, ==, "append append");
    g_autoptr(GArray) found = message_find_id(world.store, "theirs@x");
    g_autoptr(struct_message) message = message_load(world.store, g_array_index(found, gint64, 0), &error);
    g_assert_cmpuint(message->flags, ==, FLAG_SEEN);
    g_assert_true(message->cached);
    g_autoptr(GArray) other = message_find_id(world.store, "fresh@x");
    g_autoptr(GBytes) bytes = store_message_bytes(world.store, g_array_index(other, gint64, 0), &error);
    g_assert_no_error(error);
    g_assert_nonnull(bytes);
    result = scan(&world, world.inbox);
    g_assert_cmpuint(result.added, ==, 0);

    /* Removed by mutt: deleted, and it can be undone as long as the server has it. */
    g_autofree char *path = store_message_path(world.store, m, NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
    result = scan(&world, world.inbox);
    g_assert_cmpuint(result.removed, ==, 1);
    g_autofree char *more = kinds(&world);
    g_assert_cmpstr(more, ==, "append append expunge");
    g_autofree char *text = NULL;
    g_assert_true(undo(world.store, 0, &text, &error));
    g_assert_cmpstr(text, ==, "what another program did in INBOX");
    g_autofree char *rest = kinds(&world);
    g_assert_cmpstr(rest, ==, "append append");
    g_autoptr(struct_placement_set) bare =
        placement_load(world.store, world.inbox, PLACEMENT_SELECT_NO_BODY, 0, &error);
    g_assert_cmpuint(bare->n, ==, 1); /* fetched again */
    world_end(&world);
}

/* Files carried between folders, whichever folder is looked at first. */
static void
test_moved(void)
{
    for (guint first = 0; first < 2; first++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        gint64 m = mail_with_body(&world, 1);
        g_autofree char *path = store_message_path(world.store, m, NULL), *name = g_path_get_basename(path);
        g_autofree char *cur = dir_of(&world, world.archive, "cur"), *to = g_build_filename(cur, name, NULL);
        g_assert_cmpint(g_rename(path, to), ==, 0);
        struct scan_result a = scan(&world, first ? world.inbox : world.archive),
                           b = scan(&world, first ? world.archive : world.inbox);
        g_assert_cmpuint(a.moved + b.moved, ==, 1);
        g_autofree char *log = kinds(&world);
        g_assert_cmpstr(log, ==, "move");
        g_autoptr(GPtrArray) places = message_places(world.store, m, &error);
        g_assert_cmpuint(places->len, ==, 1);
        g_assert_cmpint(((struct message_place *)places->pdata[0])->folder, ==, world.archive);

        /* A copy by hand keeps the name; one by mutt has its own. */
        g_autofree char *sent = dir_of(&world, world.sent, "cur"),
                        *by_hand = g_build_filename(sent, name, NULL);
        g_autofree char *trash = dir_of(&world, world.trash, "cur"),
                        *by_mutt = g_build_filename(trash, "1.M1.host:2,", NULL);
        g_assert_cmpint(link(to, by_hand), ==, 0);
        g_assert_cmpint(link(to, by_mutt), ==, 0);
        g_assert_cmpuint(scan(&world, world.sent).added, ==, 1);
        g_assert_cmpuint(scan(&world, world.trash).added, ==, 1);
        g_autofree char *more = kinds(&world);
        g_assert_cmpstr(more, ==, "move copy copy");
        /* Another program gives it a new unique part. */
        g_autofree char *renamed = g_build_filename(trash, "2.M2.host,U=7:2,F", NULL);
        g_assert_cmpint(g_rename(by_mutt, renamed), ==, 0);
        struct scan_result c = scan(&world, world.trash);
        g_assert_cmpuint(c.added + c.removed + c.moved, ==, 0);
        world_end(&world);
    }
}

static void
test_brake(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    for (guint i = 1; i <= 60; i++)
        mail_with_body(&world, i);
    g_autofree char *dir = folder_path(world.store, world.inbox, FALSE, NULL),
                    *aside = g_strconcat(dir, ".aside", NULL);
    /* The whole directory is missing, and then emptied. */
    g_assert_cmpint(g_rename(dir, aside), ==, 0);
    g_assert_true(scan(&world, world.inbox).braked);
    g_assert_true(maildir_make(dir, NULL));
    g_assert_true(scan(&world, world.inbox).braked);
    g_assert_cmpint(intent_count(world.store, 0), ==, 0);
    g_autoptr(struct_folder) folder = folder_get(world.store, world.inbox, &error);
    g_assert_nonnull(folder->notice);
    g_assert_cmpint(folder->total, ==, 60);
    remove_tree(dir);
    g_assert_cmpint(g_rename(aside, dir), ==, 0);
    g_assert_cmpuint(scan(&world, world.inbox).removed, ==, 0);
    /* What the user agreed to goes. */
    remove_tree(dir);
    g_assert_true(maildir_make(dir, NULL));
    struct scan_result result;
    g_assert_true(maildir_scan(world.store, world.inbox, SCAN_AGREED, NULL, NULL, &result, &error));
    g_assert_cmpuint(result.removed, ==, 60);
    scan_result_clear(&result);
    world_end(&world);
}

/* Renamed and moved in one go, while another copy lies in a third folder; missed in one look and found in the next. */
static void
test_moved_late(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1);
    g_assert_true(intent_copy(world.store, &m, 1, world.inbox, world.junk, &error));
    g_autofree char *inbox = dir_of(&world, world.inbox, "cur"), *archive = dir_of(&world, world.archive, "cur");
    g_autoptr(GDir) open = g_dir_open(inbox, 0, NULL);
    g_autofree char *name = g_strdup(g_dir_read_name(open)), *from = g_build_filename(inbox, name, NULL),
                    *unique = maildir_unique(name), *flagged = maildir_name(unique, FLAG_FLAGGED),
                    *to = g_build_filename(archive, flagged, NULL);
    g_assert_cmpuint(scan(&world, world.archive).added, ==, 0);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    g_assert_cmpuint(scan(&world, world.inbox).removed, ==, 1);
    g_assert_cmpuint(scan(&world, world.archive).moved, ==, 1);
    g_assert_true(g_file_test(to, G_FILE_TEST_EXISTS));
    g_autofree char *left = kinds(&world);
    g_assert_cmpstr(left, ==, "copy move");
    /* Back again, by the way of nowhere. */
    g_autofree char *aside = g_strconcat(world.dir, "/aside", NULL);
    g_assert_cmpint(g_rename(to, aside), ==, 0);
    scan(&world, world.archive);
    g_assert_cmpint(g_rename(aside, to), ==, 0);
    scan(&world, world.archive);
    g_assert_true(maildir_apply(world.store, 0, &error));
    g_autoptr(GPtrArray) places = message_places(world.store, m, &error);
    guint found = 0;
    for (guint i = 0; i < places->len; i++)
        found += ((struct message_place *)places->pdata[i])->folder == world.archive;
    g_assert_cmpuint(found, ==, 1);
    g_assert_true(g_file_test(to, G_FILE_TEST_EXISTS));
    world_end(&world);
}

/* Copied into the folder without the way over tmp/: taken when it is whole. */
/* A file that was away for a moment, and comes back into its folder with another flag: the flag is the user's. */
static void
test_back_with_flags(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 m = mail_with_body(&world, 1);
    g_autofree char *path = store_message_path(world.store, m, NULL), *away = g_build_filename(world.dir, "away", NULL),
                    *seen = g_strconcat(path, "S", NULL);
    g_assert_cmpint(g_rename(path, away), ==, 0);
    g_assert_cmpuint(scan(&world, world.inbox).removed, ==, 1);
    g_assert_cmpint(g_rename(away, seen), ==, 0);
    scan(&world, world.inbox);
    g_assert_true(maildir_apply(world.store, 0, &error));
    g_autoptr(struct_message) message = message_load(world.store, m, &error);
    g_assert_cmpuint(message->flags, ==, FLAG_SEEN);
    g_assert_true(g_file_test(seen, G_FILE_TEST_EXISTS));
    g_assert_cmpint(intent_count(world.store, 0), ==, 0);
    world_end(&world);
}

static void
test_half_written(void)
{
    struct world world;
    world_begin(&world);
    g_autofree char *dir = dir_of(&world, world.inbox, "cur"), *path = g_build_filename(dir, "1.copied:2,", NULL);
    FILE *file = fopen(path, "w");
    g_assert_nonnull(file);
    fputs("Message-ID: <half@x>\n\nhal", file);
    fflush(file);
    g_assert_cmpuint(scan(&world, world.inbox).added, ==, 0);
    fputs("f\n", file);
    fclose(file);
    struct scan_result result;
    guint calls = 0;
    /* Not settled, so that it is looked at without being forced. */
    g_assert_true(maildir_scan(world.store, world.inbox, 0, reader, &calls, &result, NULL));
    g_assert_cmpuint(result.added, ==, 1);
    world_end(&world);
}

/* What a crash leaves: a file that was durable before its row, a link for a move that never was. Nothing is
 * sent twice. */
static void
test_orphans(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = folder_path(world.store, world.inbox, TRUE, NULL);
    struct maildir_entry entry = {0}, twin = {0};
    /* A body whose envelope waits. */
    gint64 waiting =
        add_mail(world.store, world.inbox, 7, "wait@x", NULL, "Ben <ben@example.net>", "wait", 1700000000);
    static const char text[] = "Message-ID: <wait@x>\n\nthe body\n";
    g_assert_true(maildir_deliver(dir, 0, text, strlen(text), &entry, &error));
    struct scan_result result = scan(&world, world.inbox);
    g_assert_cmpuint(result.orphans, ==, 1);
    g_assert_cmpint(intent_count(world.store, 0), ==, 0);
    g_autoptr(GBytes) bytes = store_message_bytes(world.store, message_of(world.store, waiting), &error);
    g_assert_no_error(error);
    g_assert_nonnull(bytes);
    /* The same again: a second file of a message that is here. */
    g_assert_true(maildir_deliver(dir, 0, text, strlen(text), &twin, &error));
    g_assert_cmpuint(scan(&world, world.inbox).orphans, ==, 1);
    /* A link into another folder whose move was not committed. */
    g_autofree char *path = store_message_path(world.store, message_of(world.store, waiting), NULL),
                    *linked = NULL;
    g_autofree char *archive = folder_path(world.store, world.archive, TRUE, NULL);
    g_assert_true(maildir_link(path, archive, 0, &linked, &error));
    g_assert_cmpuint(scan(&world, world.archive).orphans, ==, 1);
    g_assert_cmpint(intent_count(world.store, 0), ==, 0);
    g_autoptr(GPtrArray) left = maildir_list(archive, NULL, &error);
    g_assert_cmpuint(left->len, ==, 0);
    /* A file of ours that nobody knows: kept, but looked for on the server before it is uploaded. */
    struct maildir_entry unknown = {0};
    static const char lost[] = "Message-ID: <lost@x>\n\nlost\n";
    g_assert_true(maildir_deliver(dir, 0, lost, strlen(lost), &unknown, &error));
    scan(&world, world.inbox);
    g_autoptr(GPtrArray) list = intent_list(world.store, 0, &error);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_true(((struct intent *)list->pdata[0])->uncertain);
    maildir_entry_clear(&entry);
    maildir_entry_clear(&twin);
    maildir_entry_clear(&unknown);
    world_end(&world);
}

/* The database was damaged and moved aside: a new one, the server's list and our Maildir give everything back
 * without a body being fetched or uploaded twice, whichever is looked at first. */
static void
test_rebuilt(void)
{
    for (guint maildir_first = 0; maildir_first < 2; maildir_first++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        for (guint i = 1; i <= 12; i++) {
            gint64 m = mail_with_body(&world, i);
            if (i % 3 == 0)
                g_assert_cmpint(intent_mark(world.store, &m, 1, FLAG_FLAGGED, 0, NULL, NULL, &error), >, 0);
        }
        g_assert_true(maildir_apply(world.store, 0, &error));
        store_close(world.store);
        static const char *const parts[] = {"postrider.db", "postrider.db-wal", "postrider.db-shm"};
        for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
            g_autofree char *path = g_build_filename(world.dir, parts[i], NULL);
            g_unlink(path);
        }
        world.store = open_store(world.dir, STORE_WRITE);
        world.account = store_account_ensure(world.store, "work", NULL, &error);
        world.inbox = folder_upsert(world.store, world.account, "INBOX", "INBOX", '/', FOLDER_INBOX,
                                    FOLDER_SELECTABLE, &error);
        if (maildir_first)
            scan(&world, world.inbox);
        for (guint i = 1; i <= 12; i++) { /* as a pass does: what is here already is not new */
            g_autofree char *id = g_strdup_printf("m%u@x", i);
            g_autoptr(struct_envelope) envelope = make_envelope(id, NULL, "Ben <ben@example.net>", NULL, id,
                                                                maildir_first ? 1700000000 : 1700000000 + i);
            struct placement_new row = {
                .uid = i, .envelope = envelope, .flags = i % 3 ? 0 : FLAG_FLAGGED, .received = 1700000000};
            gint64 known = placement_match(world.store, world.inbox, &row);
            if (known)
                g_assert_true(placement_bind(world.store, known, i, 1, row.flags, "", &error));
            else
                g_assert_true(placement_insert(world.store, world.inbox, &row, 1, NULL, &error));
        }
        scan(&world, world.inbox);
        g_autoptr(struct_folder) folder = folder_get(world.store, world.inbox, &error);
        g_assert_cmpint(folder->total, ==, 12);
        g_assert_cmpint(folder->flagged, ==, 4);
        g_assert_cmpint(intent_count(world.store, 0), ==, 0);
        g_autoptr(struct_placement_set) bare =
            placement_load(world.store, world.inbox, PLACEMENT_SELECT_NO_BODY, 0, &error);
        g_assert_cmpuint(bare->n, ==, 0);
        g_autoptr(struct_placement_set) changed =
            placement_load(world.store, world.inbox, PLACEMENT_SELECT_CHANGED, 0, &error);
        g_assert_cmpuint(changed->n, ==, 0);
        world_end(&world);
    }
}

/* Another process writes a message while the folder is looked through: its file is there, its row comes next. */
struct writer {
    struct world *world;
    struct maildir_entry entry;
};

static struct message_index *
write_meanwhile(GBytes *message, gpointer data)
{
    struct writer *writer = data;
    g_autoptr(GError) error = NULL;
    guint calls = 0;
    struct message_index *index = reader(message, &calls);
    g_assert_cmpint(intent_append(writer->world->store, writer->world->sent, &writer->entry, index, FLAG_SEEN, NULL,
                                  0, NULL, &error),
                    >, 0);
    g_assert_no_error(error);
    return index;
}

static void
assert_once(struct world *world, const char *file)
{
    g_autofree char *dir = folder_path(world->store, world->sent, TRUE, NULL), *there = maildir_find(dir, file);
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_folder) folder = folder_get(world->store, world->sent, &error);
    g_assert_nonnull(there);
    g_assert_cmpint(folder->total, ==, 1);
    g_assert_cmpint(intent_count(world->store, 0), ==, 1);
}

static void
test_written_meanwhile(void)
{
    struct world world;
    world_begin(&world);
    struct writer writer = {.world = &world};
    struct scan_result result;
    g_autoptr(GError) error = NULL;
    static const char text[] = "Message-ID: <meanwhile@x>\n\nsent\n";
    g_autofree char *dir = folder_path(world.store, world.sent, TRUE, NULL);
    g_assert_true(maildir_deliver(dir, FLAG_SEEN, text, strlen(text), &writer.entry, &error));
    g_assert_true(maildir_scan(world.store, world.sent, SCAN_FORCE, write_meanwhile, &writer, &result, &error));
    g_assert_cmpuint(result.added + result.orphans, ==, 0);
    assert_once(&world, writer.entry.file);
    g_assert_cmpuint(scan(&world, world.sent).removed, ==, 0);
    assert_once(&world, writer.entry.file);
    maildir_entry_clear(&writer.entry);
    world_end(&world);
}

/* The other way round: the file was found and taken in before its writer came to name it. */
static void
test_taken_first(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    struct maildir_entry entry = {0};
    gint64 message = 0;
    static const char text[] = "Message-ID: <first@x>\n\na draft\n";
    g_autofree char *dir = folder_path(world.store, world.sent, TRUE, NULL);
    g_assert_true(maildir_deliver(dir, FLAG_SEEN, text, strlen(text), &entry, &error));
    g_assert_cmpuint(scan(&world, world.sent).added, ==, 1);
    g_autoptr(struct_message_index) index = message_index_new();
    g_assert_cmpint(
        intent_append(world.store, world.sent, &entry, index, FLAG_SEEN, NULL, 0, &message, &error), >, 0);
    g_assert_no_error(error);
    g_assert_cmpint(message, >, 0);
    assert_once(&world, entry.file);
    maildir_entry_clear(&entry);
    world_end(&world);
}

#ifdef FAILPOINTS
/* An off-line move, killed at each step: afterwards the message lies in one folder, with its file, on no
 * account twice. */
static void
test_killed_move(void)
{
    guint killed = 0;
    for (guint step = 1; step < 60; step++) {
        struct world world;
        world_begin(&world);
        g_autoptr(GError) error = NULL;
        gint64 m = mail_with_body(&world, 1);
        store_close(world.store);
        pid_t pid = fork();
        if (pid == 0) {
            g_autofree char *rule = g_strdup_printf("#%u:kill", step);
            world.store = store_open(world.dir, STORE_WRITE, NULL);
            g_setenv("POSTRIDER_FAIL", rule, TRUE);
            fail_reload();
            gint64 id = intent_move(world.store, &m, 1, world.inbox, world.archive, NULL);
            _exit(id > 0 ? 0 : 1);
        }
        int status;
        waitpid(pid, &status, 0);
        world.store = open_store(world.dir, STORE_WRITE);
        scan(&world, world.inbox);
        scan(&world, world.archive);
        g_assert_true(maildir_apply(world.store, 0, &error));
        g_autoptr(GPtrArray) places = message_places(world.store, m, &error);
        g_assert_cmpuint(places->len, ==, 1);
        g_autoptr(GBytes) bytes = store_message_bytes(world.store, m, &error);
        g_assert_no_error(error);
        g_assert_nonnull(bytes);
        guint files = 0;
        const gint64 folders[] = {world.inbox, world.archive};
        for (guint i = 0; i < 2; i++) {
            g_autofree char *dir = folder_path(world.store, folders[i], TRUE, NULL);
            g_autoptr(GPtrArray) items = maildir_list(dir, NULL, NULL);
            files += items->len;
        }
        g_assert_cmpuint(files, ==, 1);
        gboolean moved = ((struct message_place *)places->pdata[0])->folder == world.archive;
        g_autofree char *log = kinds(&world);
        g_test_message("step %u: %s, %s", step, moved ? "moved" : "not moved", log);
        g_assert_cmpint(intent_count(world.store, 0), ==, (moved ? 1 : 0));
        gboolean again = WIFSIGNALED(status);
        killed += again;
        g_assert_true(again || (WIFEXITED(status) && WEXITSTATUS(status) == 0 && moved));
        world_end(&world);
        if (!again)
            break;
    }
    g_test_message("%u kills", killed);
    g_assert_cmpuint(killed, >=, 5);
}
#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/flags", test_flags);
    g_test_add_func("/scan/new-and-gone", test_new_and_gone);
    g_test_add_func("/scan/moved", test_moved);
    g_test_add_func("/scan/moved-late", test_moved_late);
    g_test_add_func("/scan/back-with-flags", test_back_with_flags);
    g_test_add_func("/scan/half-written", test_half_written);
    g_test_add_func("/scan/brake", test_brake);
    g_test_add_func("/scan/orphans", test_orphans);
    g_test_add_func("/scan/rebuilt", test_rebuilt);
    g_test_add_func("/scan/written-meanwhile", test_written_meanwhile);
    g_test_add_func("/scan/taken-first", test_taken_first);
#ifdef FAILPOINTS
    g_test_add_func("/scan/killed-move", test_killed_move);
#endif
    return g_test_run();
}
