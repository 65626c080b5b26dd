/* Threads as notmuch has them: the same mail, each in an order of its own, gives the same conversations.
 *
 * Two thousand messages; a hundred thousand with POSTRIDER_LONG. Where the two differ on purpose is in doc/deviations.md:
 * conversations put right by hand. */
#include "config.h"

#include "storetest.h"

#include <notmuch.h>
#include <stdlib.h>

static GRand *dice;

static guint
roll(guint n)
{
    return (guint)g_rand_int_range(dice, 0, (gint32)n);
}

/* What a message is called when others name it: some never come, some have an odd name. */
static char *
name_of(guint i)
{
    switch (i % 17) {
    case 3:
        return g_strdup_printf("UPPER.%u@Example.ORG", i);
    case 5:
        return g_strdup_printf("plus+%u/slash=%u@x", i, i);
    case 7:
        return g_strdup_printf("no-at-%u", i);
    default:
        return g_strdup_printf("m%u.%u@x.example", i, i * 2654435761u % 1000);
    }
}

static void
add_id(GString *out, guint i, const char *between)
{
    g_autofree char *id = name_of(i);
    g_string_append_printf(out, "%s<%s>", out->len ? between : "", id);
}

/* The fields that connect message i with what it answers, in one of the ways of the world. */
static char *
fields(guint i, guint n, const guint *parent)
{
    g_autoptr(GString) refs = g_string_new(NULL);
    g_autofree char *direct = name_of(parent[i]);
    guint chain[30], length = 0;
    if (parent[i] == i)
        return g_strdup("");
    for (guint at = parent[i]; length < G_N_ELEMENTS(chain); at = parent[at]) {
        chain[length++] = at;
        if (at >= n || parent[at] == at)
            break;
    }
    for (guint k = length; k-- > 0;)
        add_id(refs, chain[k], " ");
    switch (roll(16)) {
    case 0: /* no References */
        return g_strdup_printf("In-Reply-To: <%s>\n", direct);
    case 1: /* as older programs write it */
        return g_strdup_printf("In-Reply-To: Your message of \"Mon, 23 Nov 2026 10:00:00 +0100.\" <%s>\n", direct);
    case 2:
        return g_strdup_printf("In-Reply-To: <%s> (ana's message of Monday)\n", direct);
    case 3: /* References alone */
        return g_strdup_printf("References: %s\n", refs->str);
    case 4: /* folded */
        g_string_replace(refs, " ", "\n\t", 0);
        return g_strdup_printf("References: %s\nIn-Reply-To: <%s>\n", refs->str, direct);
    case 5: /* something that never came before what did */
        add_id(refs, n + roll(n), " ");
        return g_strdup_printf("References: %s\nIn-Reply-To: <%s>\n", refs->str, direct);
    case 6: /* itself */
        add_id(refs, i, " ");
        return g_strdup_printf("References: %s\nIn-Reply-To: <%s>\n", refs->str, direct);
    case 7: /* no spaces between */
        g_string_replace(refs, " ", "", 0);
        return g_strdup_printf("References: %s\n", refs->str);
    case 8: { /* two parents */
        g_autofree char *other = name_of(i - roll(MIN(i, 50) + 1));
        return g_strdup_printf("In-Reply-To: <%s> <%s>\n", direct, other);
    }
    case 9: /* prose and no id */
        return g_strdup("In-Reply-To: your message of Monday\n");
    default:
        return g_strdup_printf("In-Reply-To: <%s>\nReferences: %s\n", direct, refs->str);
    }
}

/* Forests with ghosts for roots, loops, chains a hundred deep, ids that several messages have. */
static char **
make_mails(guint n)
{
    g_autofree guint *parent = g_new(guint, n);
    char **mails = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++) {
        guint what = roll(20);
        parent[i] = what < 6             ? i                         /* a root */
                    : what < 8           ? n + roll(n / 10 + 1)      /* of one that never came */
                    : what < 9           ? roll(n)                   /* anybody, later ones too: loops */
                    : i && i % 200 < 100 ? i - 1                     /* a chain */
                                         : i - MIN(i, 1 + roll(40)); /* one before it */
    }
    for (guint i = 0; i < n; i++) {
        g_autofree char *id = name_of(roll(40) || !i ? i : i - 1), *links = fields(i, n, parent);
        g_autofree char *own = roll(60) ? g_strdup_printf("Message-ID: <%s>\n", id) : g_strdup("");
        mails[i] = g_strdup_printf("From: Ben <ben@example.net>\nTo: ana@example.org\nSubject: topic %u\nDate: Mon, 23 Nov 2026 "
                                   "10:%02u:%02u +0000\n%s%s\nbody %u\n",
                                   i, i / 60 % 60, i % 60, own, links, i);
    }
    return mails;
}

static guint *
shuffled(guint n)
{
    guint *order = g_new(guint, n);
    for (guint i = 0; i < n; i++) {
        guint k = roll(i + 1);
        order[i] = i;
        order[i] = order[k];
        order[k] = i;
    }
    return order;
}

/* --- ours */

static gint64 *
our_threads(struct world *world, char **mails, guint n)
{
    g_autofree guint *order = shuffled(n);
    g_autofree gint64 *placements = g_new0(gint64, n);
    gint64 *threads = g_new0(gint64, n);
    g_autoptr(GError) error = NULL;
    for (guint done = 0; done < n; done += 40) {
        struct placement_new rows[40] = {{0}};
        gint64 ids[40];
        guint count = MIN(40, n - done);
        for (guint k = 0; k < count; k++) {
            const char *mail = mails[order[done + k]];
            rows[k] = (struct placement_new){.uid = done + k + 1,
                                             .received = 1790000000,
                                             .size = strlen(mail),
                                             .envelope = envelope_from_header(mail, strlen(mail))};
        }
        g_assert_true(placement_insert(world->store, done / 40 % 2 ? world->inbox : world->archive, rows, count, ids, &error));
        for (guint k = 0; k < count; k++) {
            placements[order[done + k]] = ids[k];
            envelope_free((struct envelope *)rows[k].envelope);
        }
    }
    for (guint i = 0; i < n; i++) {
        g_autoptr(struct_message) row = message_load(world->store, message_of(world->store, placements[i]), &error);
        threads[i] = row->thread;
    }
    return threads;
}

/* --- notmuch's */

static void
write_mails(const char *dir, char **mails, guint n)
{
    g_autofree char *cur = g_build_filename(dir, "cur", NULL);
    g_assert_cmpint(g_mkdir(cur, 0700), ==, 0);
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("%u", i), *path = g_build_filename(cur, name, NULL);
        g_assert_true(g_file_set_contents(path, mails[i], -1, NULL));
    }
}

static char **
notmuch_threads(const char *dir, guint n)
{
    char **threads = g_new0(char *, n + 1);
    g_autofree guint *order = shuffled(n);
    g_autofree char *said = NULL;
    notmuch_database_t *db = NULL;
    g_assert_cmpint(notmuch_database_create_with_config(dir, "", NULL, &db, &said), ==, NOTMUCH_STATUS_SUCCESS);
    g_assert_cmpint(notmuch_database_begin_atomic(db), ==, NOTMUCH_STATUS_SUCCESS);
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("%s/cur/%u", dir, order[i]);
        notmuch_status_t status = notmuch_database_index_file(db, path, NULL, NULL);
        g_assert_true(status == NOTMUCH_STATUS_SUCCESS || status == NOTMUCH_STATUS_DUPLICATE_MESSAGE_ID);
    }
    g_assert_cmpint(notmuch_database_end_atomic(db), ==, NOTMUCH_STATUS_SUCCESS);
    notmuch_query_t *query = notmuch_query_create(db, "*");
    notmuch_messages_t *messages;
    g_assert_cmpint(notmuch_query_search_messages(query, &messages), ==, NOTMUCH_STATUS_SUCCESS);
    for (; notmuch_messages_valid(messages); notmuch_messages_move_to_next(messages)) {
        notmuch_message_t *message = notmuch_messages_get(messages);
        notmuch_filenames_t *files = notmuch_message_get_filenames(message);
        for (; notmuch_filenames_valid(files); notmuch_filenames_move_to_next(files)) {
            g_autofree char *name = g_path_get_basename(notmuch_filenames_get(files));
            threads[strtoul(name, NULL, 10)] = g_strdup(notmuch_message_get_thread_id(message));
        }
        notmuch_message_destroy(message);
    }
    notmuch_query_destroy(query);
    notmuch_database_destroy(db);
    return threads;
}

/* --- compared: each of ours is one of theirs, and the other way round */

static guint
compare(const gint64 *ours, char **theirs, char **mails, guint n)
{
    g_autoptr(GHashTable) to_theirs = g_hash_table_new(g_int64_hash, g_int64_equal), to_ours = g_hash_table_new(g_str_hash, g_str_equal);
    guint differ = 0;
    for (guint i = 0; i < n; i++) {
        g_assert_nonnull(theirs[i]);
        const char *their = g_hash_table_lookup(to_theirs, &ours[i]);
        const gint64 *our = g_hash_table_lookup(to_ours, theirs[i]);
        if ((their && strcmp(their, theirs[i])) || (our && *our != ours[i])) {
            if (differ++ < 5)
                g_test_message("message %u: %s", i, mails[i]);
        }
        g_hash_table_insert(to_theirs, (gpointer)&ours[i], theirs[i]);
        g_hash_table_insert(to_ours, theirs[i], (gpointer)&ours[i]);
    }
    g_test_message("%u messages, %u conversations of ours, %u of notmuch's, %u messages apart", n, g_hash_table_size(to_theirs),
                   g_hash_table_size(to_ours), differ);
    return differ;
}

static void
test_agree(void)
{
    guint n = g_getenv("POSTRIDER_LONG") ? 100000 : 2000;
    struct world world;
    world_begin(&world);
    g_autofree char *dir = g_dir_make_tmp("postrider-notmuch-XXXXXX", NULL);
    g_auto(GStrv) mails = make_mails(n);
    write_mails(dir, mails, n);
    g_auto(GStrv) theirs = notmuch_threads(dir, n);
    g_autofree gint64 *ours = our_threads(&world, mails, n);
    g_assert_cmpuint(compare(ours, theirs, mails, n), ==, 0);
    remove_tree(dir);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    dice = g_rand_new_with_seed((guint32)g_test_rand_int());
    g_test_add_func("/threads/notmuch", test_agree);
    int result = g_test_run();
    g_rand_free(dice);
    return result;
}
