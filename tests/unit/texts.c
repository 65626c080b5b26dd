/* texts: bodies that came and were not read are listed, opened, kept in mind, and read the newest first */
#include "config.h"

#include "storetest.h"
#include "store/query.h"
#include "store/texts.h"

static guint
hits(struct store *store, const char *word)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_query) query = query_new_text(QUERY_ANYWHERE, QUERY_WORDS, word);
    g_autoptr(GArray) found = store_search(store, query, NULL, &error);
    g_assert_no_error(error);
    return found->len;
}

/* A message that is listed and whose bytes came, but not what they say. Returns the placement. */
static gint64
add_bytes(struct world *world, guint number, guint size)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = g_strdup_printf("t%u@x", number), *subject = g_strdup_printf("subject%u", number);
    g_autoptr(struct_envelope) envelope =
        make_envelope(id, NULL, "Ben <ben@example.net>", "ana@example.org", subject, 1700000000 + number);
    struct placement_new row = {
        .uid = number, .envelope = envelope, .received = 1700000000 + number, .size = 900, .text_later = TRUE};
    gint64 placement = 0;
    g_assert_true(placement_insert(world->store, world->inbox, &row, 1, &placement, &error));
    g_autofree char *dir = folder_path(world->store, world->inbox, TRUE, &error),
                    *bytes = g_strdup_printf("Subject: subject%u\n\n%*s\n", number, (int)size, "words");
    struct maildir_entry entry = {0};
    g_assert_true(maildir_deliver(dir, 0, bytes, strlen(bytes), &entry, &error));
    struct placement_body body = {placement, entry.file, entry.hash, entry.wire_size, .text_later = TRUE};
    g_assert_true(placement_attach(world->store, &body, 1, &error));
    g_assert_no_error(error);
    maildir_entry_clear(&entry);
    return placement;
}

/* The subjects' numbers of what waits, as "5 4". */
static char *
waiting(struct world *world, gint64 before, guint limit, guint64 bytes)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = texts_waiting(world->store, world->account, before, limit, bytes, &error);
    GString *out = g_string_new(NULL);
    g_assert_no_error(error);
    for (guint i = 0; i < list->len; i++) {
        const struct text_waiting *one = list->pdata[i];
        g_autoptr(struct_message) message = message_load(world->store, one->message, &error);
        g_assert_cmpint(message->key, ==, one->key);
        g_assert_cmpuint(message->size, ==, one->size);
        g_string_append_printf(out, "%s%s", i ? " " : "", message->subject + strlen("subject"));
    }
    return g_string_free(out, FALSE);
}

static void
assert_waiting(struct world *world, const char *wanted)
{
    g_autofree char *found = waiting(world, 0, 100, 1 << 20);
    g_assert_cmpstr(found, ==, wanted);
}

/* What the reader would say of it; text NULL: nothing. */
static void
put(struct world *world, gint64 placement, const char *text)
{
    g_autoptr(GError) error = NULL;
    gint64 id = message_of(world->store, placement);
    g_autoptr(struct_message) message = message_load(world->store, id, &error);
    g_autoptr(struct_message_index) index = text ? message_index_new() : NULL;
    if (index) {
        g_free(index->body);
        g_free(index->preview);
        index->body = g_strdup(text);
        index->preview = g_strdup(text);
        g_free(index->envelope->subject);
        index->envelope->subject = g_strdup(message->subject);
    }
    struct text_made made = {id, message->key, index};
    g_assert_true(texts_put(world->store, &made, 1, &error));
    g_assert_no_error(error);
}

static void
test_later(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 placements[5];
    for (guint i = 0; i < 5; i++)
        placements[i] = add_bytes(&world, i + 1, 10);
    gint64 first = message_of(world.store, placements[0]);
    g_autoptr(struct_message) message = message_load(world.store, first, &error);
    g_assert_true(message->cached);
    g_assert_cmpuint(message->bits & (MESSAGE_INDEXED | MESSAGE_BROKEN), ==, 0);
    g_autoptr(GBytes) bytes = store_message_bytes(world.store, first, &error);
    g_assert_nonnull(bytes);
    assert_sound(world.store);

    static const struct {
        guint before, limit;
        guint64 bytes;
        const char *list;
    } cases[] = {
        {0, 100, 10000, "5 4 3 2 1"}, {0, 2, 10000, "5 4"},  {3, 100, 10000, "2 1"}, {1, 100, 10000, ""},
        {0, 100, 1, "5"},             {0, 100, 70, "5 4"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 before = 0;
        if (cases[i].before) {
            g_autoptr(struct_message) m =
                message_load(world.store, message_of(world.store, placements[cases[i].before - 1]), &error);
            before = m->key;
        }
        g_autofree char *list = waiting(&world, before, cases[i].limit, cases[i].bytes);
        g_assert_cmpstr(list, ==, cases[i].list);
    }
    g_autoptr(GPtrArray) others = texts_waiting(world.store, world.account + 1, 0, 100, 10000, &error);
    g_assert_cmpuint(others->len, ==, 0);

    put(&world, placements[4], "zebra");
    put(&world, placements[3], NULL);
    g_assert_cmpuint(hits(world.store, "zebra"), ==, 1);
    g_assert_cmpuint(hits(world.store, "subject5"), ==, 1);
    g_autoptr(struct_message) read = message_load(world.store, message_of(world.store, placements[4]), &error);
    g_assert_cmpstr(read->preview, ==, "zebra");
    g_assert_true(read->bits & MESSAGE_INDEXED);
    g_autoptr(struct_message) broken = message_load(world.store, message_of(world.store, placements[3]), &error);
    g_assert_true(broken->bits & MESSAGE_BROKEN);
    assert_waiting(&world, "3 2 1");

    /* Envelopes of others become searchable meanwhile; those that wait are not put in twice. */
    guint done;
    g_assert_true(placement_index_envelopes(world.store, 100, &done, &error));
    g_assert_cmpuint(done, ==, 1); /* the broken one: no text will come */
    g_assert_cmpuint(hits(world.store, "subject4"), ==, 1);
    put(&world, placements[2], "lion");
    put(&world, placements[2], "read by another lane meanwhile");
    g_assert_cmpuint(hits(world.store, "lion"), ==, 1);

    /* One that was removed is kept for a while, and may come back. */
    g_assert_true(placement_remove(world.store, &placements[1], 1, &error));
    assert_waiting(&world, "2 1");
    g_autoptr(GPtrArray) left = texts_waiting(world.store, world.account, 0, 100, 10000, &error);
    g_assert_nonnull(((struct text_waiting *)left->pdata[0])->path);
    world_end(&world);
}

/* Its file goes before it is read, and comes again. */
static void
test_again(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 placement = add_bytes(&world, 1, 10), message = message_of(world.store, placement);
    g_autofree char *path = store_message_path(world.store, message, &error);
    g_autoptr(GBytes) bytes = maildir_read(path, &error);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_autoptr(GPtrArray) list = texts_waiting(world.store, world.account, 0, 9, 999, &error);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_null(((struct text_waiting *)list->pdata[0])->path);
    g_assert_true(texts_forget(world.store, message, &error));
    assert_waiting(&world, "");

    g_autofree char *dir = folder_path(world.store, world.inbox, TRUE, &error);
    struct maildir_entry entry = {0};
    gsize length;
    const char *start = g_bytes_get_data(bytes, &length);
    g_assert_true(maildir_deliver(dir, 0, start, length, &entry, &error));
    struct placement_body body = {placement, entry.file, entry.hash, entry.wire_size, .text_later = TRUE};
    g_assert_true(placement_attach(world.store, &body, 1, &error));
    maildir_entry_clear(&entry);
    assert_waiting(&world, "1");
    put(&world, placement, "tiger");
    assert_waiting(&world, "");
    g_assert_cmpuint(hits(world.store, "tiger"), ==, 1);
    world_end(&world);
}

/* The same content under another envelope: one message, which waits once. */
static void
test_twin(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 placement = add_bytes(&world, 1, 10),
           copy = add_mail(world.store, world.archive, 7, "t1@x", NULL, NULL, "subject1", 1700000001);
    g_autofree char *dir = folder_path(world.store, world.archive, TRUE, &error);
    g_autoptr(GBytes) bytes = store_message_bytes(world.store, message_of(world.store, placement), &error);
    struct maildir_entry entry = {0};
    gsize length;
    const char *start = g_bytes_get_data(bytes, &length);
    g_assert_true(maildir_deliver(dir, 0, start, length, &entry, &error));
    struct placement_body body = {copy, entry.file, entry.hash, entry.wire_size, .text_later = TRUE};
    g_assert_true(placement_attach(world.store, &body, 1, &error));
    maildir_entry_clear(&entry);
    g_assert_cmpint(message_of(world.store, copy), ==, message_of(world.store, placement));
    assert_waiting(&world, "1");
    put(&world, copy, "bear");
    g_assert_cmpuint(hits(world.store, "bear"), ==, 1);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/texts/later", test_later);
    g_test_add_func("/texts/again", test_again);
    g_test_add_func("/texts/twin", test_twin);
    return g_test_run();
}
