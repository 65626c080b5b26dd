/* list: pages by key give every row once and in order, also while mail comes; counters, ranks, people; the
 * index is used */
#include "config.h"

#include "storetest.h"
#include "store/list.h"
#include "store/order.h"

#include <sqlite3.h>

static void
add_numbered(struct world *world, guint uid, guint thread, gint64 date)
{
    g_autofree char *id = g_strdup_printf("m%u@x", uid),
                    *root = thread ? g_strdup_printf("t%u@x", thread) : NULL;
    g_autofree char *from = g_strdup_printf("Person %u <p%u@example.net>", uid % 7, uid % 7);
    add_mail(world->store, world->inbox, uid, id, root, from, "numbered", date);
}

static GArray *
walk(struct world *world, enum list_kind kind, enum list_direction direction, guint page,
     void (*between)(struct world *, guint))
{
    struct list_view view = {.kind = kind, .folders = &world->inbox, .n_folders = 1};
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(gint64));
    gint64 key = 0;
    for (guint round = 0;; round++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) rows = list_page(world->store, &view, key, direction, page, &error);
        g_assert_no_error(error);
        if (!rows->len)
            return keys;
        for (guint i = 0; i < rows->len; i++) {
            struct list_row *row = rows->pdata[direction == LIST_OLDER ? i : rows->len - 1 - i];
            g_assert_true(!key || (direction == LIST_OLDER ? row->key < key : row->key > key));
            key = row->key;
            g_array_append_val(keys, key);
        }
        if (between)
            between(world, round);
    }
}

static guint next_uid;

static void
mail_comes(struct world *world, guint round)
{
    if (round < 20) /* newer than all, into conversations that were passed and that are still to come */
        add_numbered(world, ++next_uid, round % 5 + 1, 1800000000 + round);
}

static void
test_paging(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);
    for (guint uid = 1; uid <= 300; uid++) /* many in the same second */
        add_numbered(&world, uid, g_rand_boolean(rand) ? (guint)g_rand_int_range(rand, 1, 40) : 0,
                     1700000000 + g_rand_int_range(rand, 0, 60));
    next_uid = 300;
    for (guint page = 1; page <= 64; page *= 4) {
        g_autoptr(struct_folder) folder = folder_get(world.store, world.inbox, NULL);
        g_autoptr(GArray) flat = walk(&world, LIST_MESSAGES, LIST_OLDER, page, NULL);
        g_autoptr(GArray) back = walk(&world, LIST_MESSAGES, LIST_NEWER, page, NULL);
        g_autoptr(GArray) conversations = walk(&world, LIST_CONVERSATIONS, LIST_OLDER, page, NULL);
        g_autoptr(GArray) backwards = walk(&world, LIST_CONVERSATIONS, LIST_NEWER, page, NULL);
        g_assert_cmpint(flat->len, ==, folder->total);
        g_assert_cmpint(back->len, ==, folder->total);
        g_assert_cmpint(conversations->len, ==, folder->conversations);
        g_assert_cmpint(backwards->len, ==, folder->conversations);
        for (guint i = 0; i < conversations->len; i++)
            g_assert_cmpint(g_array_index(conversations, gint64, i), ==,
                            g_array_index(backwards, gint64, conversations->len - 1 - i));
    }
    /* Under insertion: never a row twice, never out of order (walk asserts it); none that was there is missed
     * in the flat list. */
    g_autoptr(struct_folder) before = folder_get(world.store, world.inbox, NULL);
    g_autoptr(GArray) flat = walk(&world, LIST_MESSAGES, LIST_OLDER, 7, mail_comes);
    g_assert_cmpint(flat->len, ==, before->total);
    g_autoptr(GArray) conversations = walk(&world, LIST_CONVERSATIONS, LIST_OLDER, 7, mail_comes);
    g_assert_cmpuint(conversations->len, >, 0);
    world_end(&world);
}

static void
test_rows(void)
{
    struct world world;
    world_begin(&world);
    gint64 a = add_mail(world.store, world.inbox, 1, "a@x", NULL, "\"Ruiz, Marta\" <marta@example.org>",
                        "Lisbon offsite", 1700000000);
    add_mail(world.store, world.sent, 1, "b@x", "a@x", "Ana <ANA@example.org>", "Re: Lisbon offsite",
             1700000100);
    gint64 c = add_mail(world.store, world.inbox, 2, "c@x", "a@x b@x", "\"Ruiz, Marta\" <marta@example.org>",
                        "Re: Lisbon offsite", 1700000200);
    add_body(world.store, c, "I have booked the 9:40, seats together", "itinerary.pdf");
    gint64 alone = add_mail(world.store, world.inbox, 3, "d@x", NULL, "Build farm <build@example.org>",
                            "green", 1700000300);
    /* What was deleted does not count. */
    gint64 gone =
        add_mail(world.store, world.inbox, 4, "e@x", "a@x", "Zoe <zoe@example.org>", "noise", 1700000150);
    gint64 gone_id = message_of(world.store, gone);
    g_assert_cmpint(intent_delete(world.store, &gone_id, 1, world.inbox, NULL), >, 0);
    gint64 first = message_of(world.store, a);
    g_assert_cmpint(intent_mark(world.store, &first, 1, FLAG_SEEN | FLAG_FLAGGED, 0, "work", NULL, NULL), >,
                    0);

    struct list_view view = {.kind = LIST_CONVERSATIONS, .folders = &world.inbox, .n_folders = 1};
    g_autoptr(GPtrArray) rows = list_page(world.store, &view, 0, LIST_OLDER, 10, NULL);
    g_assert_cmpuint(rows->len, ==, 2);
    const struct list_row *row = rows->pdata[0];
    g_assert_cmpstr(row->people, ==, "Build farm");
    g_assert_cmpint(row->message, ==, message_of(world.store, alone));
    row = rows->pdata[1];
    g_assert_cmpstr(row->people, ==, "Marta, me");
    g_assert_cmpstr(row->subject, ==, "Re: Lisbon offsite");
    g_assert_cmpstr(row->preview, ==, "I have booked the 9:40, seats together");
    g_assert_cmpuint(row->count, ==, 3);
    g_assert_cmpuint(row->unread, ==, 1);
    g_assert_true(row->flags & FLAG_FLAGGED);
    g_assert_false(row->flags & FLAG_SEEN);
    g_assert_true(row->cached);

    struct list_view sent = {.kind = LIST_MESSAGES, .folders = &world.sent, .n_folders = 1};
    g_autoptr(GPtrArray) mine = list_page(world.store, &sent, 0, LIST_OLDER, 10, NULL);
    g_assert_cmpuint(mine->len, ==, 1);
    g_assert_cmpstr(((struct list_row *)mine->pdata[0])->people, ==, "To: me");

    gboolean exact;
    g_assert_cmpint(list_count(world.store, &view, &exact), ==, 2);
    g_assert_true(exact);
    gint64 key = ((struct list_row *)rows->pdata[1])->key;
    g_assert_cmpint(list_rank(world.store, &view, key, &exact), ==, 1);
    g_assert_cmpint(list_key_at(world.store, &view, 1), ==, key);
    g_assert_cmpint(list_key_of(world.store, &view, first), ==, key);
    g_assert_cmpint(
        list_next_unread(world.store, &view, ((struct list_row *)rows->pdata[0])->key, LIST_OLDER), ==, key);
    struct list_row *again = list_row_at(world.store, &view, key, NULL);
    g_assert_cmpint(again->thread, ==, row->thread);
    list_row_free(again);
    g_autoptr(GArray) ids = list_messages_of(world.store, &view, &row->thread, 1, NULL);
    g_assert_cmpuint(ids->len, ==, 2);
    g_autoptr(GPtrArray) tags = list_tags(world.store, NULL);
    g_assert_cmpuint(tags->len, ==, 1);
    g_assert_cmpstr(((struct list_tag *)tags->pdata[0])->tag, ==, "work");
    world_end(&world);
}

/* Two INBOXes as one: what lies in both stands once, where it is newest. */
static void
test_unified(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    const char *const me[] = {"ana@home.example", NULL};
    gint64 home = store_account_ensure(world.store, "home", me, &error);
    gint64 other =
        folder_upsert(world.store, home, "INBOX", "INBOX", '/', FOLDER_INBOX, FOLDER_SELECTABLE, &error);
    for (guint i = 1; i <= 90; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i), *root = g_strdup_printf("t%u@x", i % 30);
        add_mail(world.store, i % 2 ? world.inbox : other, i, id, root, "Ben <ben@example.net>", "hi",
                 1700000000 + i);
    }
    gint64 folders[] = {world.inbox, other};
    for (guint page = 1; page < 40; page += 6) {
        struct list_view view = {.kind = LIST_CONVERSATIONS, .folders = folders, .n_folders = 2};
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        gint64 key = 0;
        for (;;) {
            g_autoptr(GPtrArray) rows = list_page(world.store, &view, key, LIST_OLDER, page, &error);
            g_assert_no_error(error);
            if (!rows->len)
                break;
            g_assert_cmpuint(rows->len, <=, page);
            for (guint i = 0; i < rows->len; i++) {
                struct list_row *row = rows->pdata[i];
                g_assert_true(!key || row->key < key);
                key = row->key;
                g_assert_true(g_hash_table_add(seen, g_memdup2(&row->thread, sizeof row->thread)));
            }
        }
        g_assert_cmpuint(g_hash_table_size(seen), ==, 30);
    }
    world_end(&world);
}

/* What lies in both stands once, is counted once, and is acted upon in both. */
static void
test_in_both(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    const char *const me[] = {"ana@home.example", NULL};
    gint64 home = store_account_ensure(world.store, "home", me, &error);
    gint64 other =
        folder_upsert(world.store, home, "INBOX", "INBOX", '/', FOLDER_INBOX, FOLDER_SELECTABLE, &error);
    gint64 folders[] = {world.inbox, other};
    static const char text[] = "the same content";
    for (guint uid = 1; uid <= 20; uid++) {
        g_autofree char *id = g_strdup_printf("m%u@x", uid);
        gint64 date = 1700000000 + uid;
        if (uid % 2 || uid % 10 == 0)
            add_body(world.store, add_mail(world.store, world.inbox, uid, id, NULL, "Ben <ben@x>", "hi", date), text, NULL);
        if (uid % 2 == 0)
            add_body(world.store, add_mail(world.store, other, uid, id, NULL, "Ben <ben@x>", "hi", date), text, NULL);
    }
    /* An answer in one INBOX alone: its conversation stands by it in both. */
    add_mail(world.store, other, 30, "r@x", "m10@x", "Ben <ben@x>", "Re: hi", 1700000100);
    for (enum list_kind kind = LIST_CONVERSATIONS; kind <= LIST_MESSAGES; kind++) {
        struct list_view view = {.kind = kind, .folders = folders, .n_folders = 2};
        gboolean conversations = kind == LIST_CONVERSATIONS, exact;
        gint64 n = conversations ? 20 : 21;
        g_autoptr(GPtrArray) rows = list_page(world.store, &view, 0, LIST_OLDER, 100, &error);
        g_assert_no_error(error);
        g_assert_cmpint(rows->len, ==, n);
        g_assert_cmpint(list_count(world.store, &view, &exact), ==, n);
        g_assert_true(exact);
        g_assert_cmpint(list_unread(world.store, &view), ==, 21);
        const struct list_row *first = rows->pdata[0];
        g_assert_cmpint(first->account, ==, home);
        g_assert_cmpuint(first->count, ==, conversations ? 2 : 1);
        g_assert_cmpuint(first->unread, >, 0);
        g_assert_cmpint(list_key_by_date(world.store, &view, 1700000005), ==,
                        ((struct list_row *)rows->pdata[n - 5])->key);
        g_assert_cmpint(list_key_by_date(world.store, &view, 5), ==, ((struct list_row *)rows->pdata[n - 1])->key);
        /* From one unread row to the next, each row once, in both directions. */
        for (enum list_direction direction = LIST_OLDER; direction <= LIST_NEWER; direction++) {
            gint64 key = 0, next;
            guint steps = 0;
            while ((next = list_next_unread(world.store, &view, key, direction))) {
                g_assert_true(!key || (direction == LIST_OLDER ? next < key : next > key));
                struct list_row *row = list_row_at(world.store, &view, next, &error);
                g_assert_nonnull(row);
                list_row_free(row);
                key = next;
                steps++;
            }
            g_assert_cmpuint(steps, ==, n);
        }
    }
    gint64 twice = message_of(world.store, placement_find_uid(world.store, other, 20));
    g_assert_cmpint(intent_archive(world.store, &twice, 1, INTENT_FROM_ROLE(FOLDER_INBOX), &error), >, 0);
    g_assert_no_error(error);
    struct list_view view = {.kind = LIST_MESSAGES, .folders = folders, .n_folders = 2};
    g_assert_cmpint(list_count(world.store, &view, NULL), ==, 20);
    g_assert_cmpint(folder_find_role(world.store, home, FOLDER_ARCHIVE), >, 0);
    for (guint i = 0; i < 2; i++) {
        gint64 archive = folder_find_role(world.store, i ? home : world.account, FOLDER_ARCHIVE);
        struct list_view there = {.kind = LIST_MESSAGES, .folders = &archive, .n_folders = 1};
        g_assert_cmpint(list_count(world.store, &there, NULL), ==, 1);
    }
    world_end(&world);
}

/* Another order: the same rows as by date, each once, as the rule says; pages join without a gap, in both directions, and
 * what has gone since is passed over. */
static int
compare_by(const struct list_row *a, const struct list_row *b, enum order_by by)
{
    switch (by) {
    case ORDER_PEOPLE: {
        g_autofree char *x = g_utf8_casefold(a->from_name, -1), *y = g_utf8_casefold(b->from_name, -1);
        return g_utf8_collate(x, y);
    }
    case ORDER_SUBJECT: {
        const char *x = g_str_has_prefix(a->subject, "Re: ") ? a->subject + 4 : a->subject;
        const char *y = g_str_has_prefix(b->subject, "Re: ") ? b->subject + 4 : b->subject;
        return g_ascii_strcasecmp(x, y);
    }
    case ORDER_SIZE:
        return a->size < b->size ? 1 : a->size > b->size ? -1 : 0;
    case ORDER_UNREAD:
        return !!(a->flags & FLAG_SEEN) - !!(b->flags & FLAG_SEEN);
    case ORDER_DATE:
        break;
    }
    return 0;
}

static GPtrArray *
walk_order(struct world *world, const struct list_view *view, const struct order *order, guint page, gboolean forward)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)list_row_free);
    for (gint64 key = 0;;) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) rows = order_page(order, world->store, view, key, forward, page, &error);
        g_assert_no_error(error);
        if (!rows->len)
            return all;
        key = ((struct list_row *)rows->pdata[forward ? rows->len - 1 : 0])->key;
        g_ptr_array_set_free_func(rows, NULL);
        for (guint i = 0; i < rows->len; i++)
            g_ptr_array_insert(all, forward ? -1 : (gint)i, rows->pdata[i]);
    }
}

static void
test_orders(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GRand) dice = g_rand_new_with_seed(5);
    g_autoptr(GError) error = NULL;
    static const char *const names[] = {"ben <b@x>", "Ana <a@x>", "Zoe <z@x>", "anna <n@x>", "Ben <b2@x>"};
    const char *const me[] = {"ana@home.example", NULL};
    gint64 home = store_account_ensure(world.store, "home", me, &error);
    gint64 other = folder_upsert(world.store, home, "INBOX", "INBOX", '/', FOLDER_INBOX, FOLDER_SELECTABLE, &error);
    for (guint uid = 1; uid <= 200; uid++) {
        g_autofree char *id = g_strdup_printf("m%u@x", uid), *root = g_strdup_printf("t%u@x", g_rand_int_range(dice, 0, 50));
        g_autofree char *subject = g_strdup_printf("%stopic %c", uid % 3 ? "" : "Re: ", g_rand_int_range(dice, 'a', 'f'));
        g_autoptr(struct_envelope) envelope = make_envelope(id, root, names[g_rand_int_range(dice, 0, 5)], NULL, subject,
                                                            1700000000 + g_rand_int_range(dice, 0, 5000));
        struct placement_new row = {.uid = uid,
                                    .flags = g_rand_boolean(dice) ? FLAG_SEEN : 0,
                                    .envelope = envelope,
                                    .received = envelope->date,
                                    .size = (guint64)g_rand_int_range(dice, 1, 40)};
        gint64 placement;
        placement_insert(world.store, uid % 4 ? world.inbox : other, &row, 1, &placement, &error);
        g_assert_no_error(error);
    }
    gint64 folders[] = {world.inbox, other};
    g_autoptr(struct_query) query = query_new_text(QUERY_SUBJECT, QUERY_WORDS, "topic");
    const struct list_view views[] = {{.kind = LIST_CONVERSATIONS, .folders = folders, .n_folders = 1},
                                      {.kind = LIST_CONVERSATIONS, .folders = folders, .n_folders = 2},
                                      {.kind = LIST_MESSAGES, .folders = folders, .n_folders = 2},
                                      {.kind = LIST_SEARCH, .query = query}};
    for (guint v = 0; v < G_N_ELEMENTS(views); v++)
        for (guint choice = 0; choice < 8; choice++) {
            enum order_by by = (enum order_by)(ORDER_PEOPLE + choice / 2);
            gboolean reverse = choice % 2;
            g_autoptr(struct_order) order = order_new(world.store, &views[v], by, reverse, &error);
            g_assert_no_error(error);
            g_autoptr(GPtrArray) by_date = list_page(world.store, &views[v], 0, LIST_OLDER, 1000, &error);
            g_assert_cmpuint(order_length(order), ==, by_date->len);
            g_autoptr(GPtrArray) rows = walk_order(&world, &views[v], order, 7, TRUE);
            g_autoptr(GPtrArray) back = walk_order(&world, &views[v], order, 11, FALSE);
            g_assert_cmpuint(rows->len, ==, by_date->len);
            g_assert_cmpuint(back->len, ==, by_date->len);
            for (guint i = 0; i < rows->len; i++) {
                const struct list_row *row = rows->pdata[i], *before = i ? rows->pdata[i - 1] : NULL;
                g_assert_cmpint(row->key, ==, ((struct list_row *)back->pdata[i])->key);
                g_assert_cmpint(order_place(order, row->key), ==, i);
                g_test_message("view %u, order %d, reverse %d, row %u", v, by, reverse, i);
                int compared = before ? compare_by(before, row, by) * (reverse ? -1 : 1) : -1;
                g_assert_true(compared < 0 || (compared == 0 && before->key > row->key));
            }
        }
    g_autoptr(struct_order) order = order_new(world.store, &views[2], ORDER_SIZE, FALSE, &error);
    g_autoptr(GPtrArray) before = walk_order(&world, &views[2], order, 50, TRUE);
    guint unread = 0;
    for (gint64 key = 0; (key = order_next_unread(order, world.store, &views[2], key, TRUE));)
        unread++;
    g_assert_cmpint(unread, ==, list_unread(world.store, &views[2]));
    gint64 gone = ((struct list_row *)before->pdata[3])->message;
    g_assert_cmpint(intent_delete(world.store, &gone, 1, INTENT_FROM_ROLE(FOLDER_INBOX), &error), >, 0);
    g_autoptr(GPtrArray) after = walk_order(&world, &views[2], order, 50, TRUE);
    g_assert_cmpuint(after->len, ==, before->len - 1);
    world_end(&world);
}

/* Tabs: each row in the first that its message fits, the rest in the last, newest first. */
static void
test_splits(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    static const char *const topics[] = {"alpha", "beta", "alpha beta", "gamma"};
    for (guint uid = 1; uid <= 80; uid++) {
        g_autofree char *id = g_strdup_printf("m%u@x", uid), *root = uid % 5 ? NULL : g_strdup_printf("m%u@x", uid - 1);
        g_autoptr(struct_envelope) envelope =
            make_envelope(id, root, "Ben <ben@x>", NULL, topics[uid % 4], 1700000000 + uid);
        add_envelope(world.store, world.inbox, uid, uid % 3 ? FLAG_SEEN : 0, NULL, envelope);
    }
    g_autoptr(GPtrArray) queries = g_ptr_array_new_with_free_func((GDestroyNotify)query_free);
    g_ptr_array_add(queries, query_new_text(QUERY_SUBJECT, QUERY_WORDS, "alpha"));
    g_ptr_array_add(queries, query_new_text(QUERY_SUBJECT, QUERY_WORDS, "beta"));
    for (guint choice = 0; choice < 4; choice++) {
        struct list_view view = {.kind = (enum list_kind)(choice / 2), .folders = &world.inbox, .n_folders = 1};
        gboolean reverse = choice % 2;
        g_autoptr(GPtrArray) splits = order_split(world.store, &view, queries, reverse, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(splits->len, ==, 3);
        guint all = 0;
        for (guint i = 0; i < 3; i++) {
            const struct order *split = splits->pdata[i];
            g_autoptr(GPtrArray) rows = walk_order(&world, &view, split, 9, TRUE);
            guint unread = 0;
            g_assert_cmpuint(rows->len, ==, order_length(split));
            for (guint k = 0; k < rows->len; k++) {
                const struct list_row *row = rows->pdata[k], *before = k ? rows->pdata[k - 1] : NULL;
                guint fits = strstr(row->subject, "alpha") ? 0 : strstr(row->subject, "beta") ? 1 : 2;
                g_assert_cmpuint(fits, ==, i);
                g_assert_true(!before || (reverse ? before->key < row->key : before->key > row->key));
                unread += row->unread > 0;
            }
            g_assert_cmpuint(order_unread(split), ==, unread);
            all += rows->len;
        }
        g_assert_cmpint(all, ==, list_count(world.store, &view, NULL));
    }
    world_end(&world);
}

static void
test_search_view(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    for (guint i = 1; i <= 60; i++) {
        g_autofree char *id = g_strdup_printf("m%u@x", i);
        g_autoptr(struct_envelope) envelope = make_envelope(id, NULL, "Ben <ben@example.net>", NULL,
                                                            i % 2 ? "odd one" : "even one", 1700000000 + i);
        add_envelope(world.store, i % 3 ? world.inbox : world.archive, i, i % 5 ? FLAG_SEEN : 0, NULL,
                     envelope);
    }
    g_autoptr(struct_query) query = query_new_text(QUERY_SUBJECT, QUERY_WORDS, "odd");
    struct list_view view = {.kind = LIST_SEARCH, .query = query};
    gboolean exact;
    g_assert_cmpint(list_count(world.store, &view, &exact), ==, 30);
    g_assert_true(exact);
    g_autoptr(GPtrArray) first = list_page(world.store, &view, 0, LIST_OLDER, 10, &error);
    g_assert_cmpuint(first->len, ==, 10);
    struct list_row *tenth = first->pdata[9];
    g_assert_cmpint(list_rank(world.store, &view, tenth->key, &exact), ==, 9);
    g_assert_cmpint(list_key_at(world.store, &view, 9), ==, tenth->key);
    g_assert_cmpint(list_key_of(world.store, &view, tenth->message), ==, tenth->key);
    g_autoptr(GPtrArray) newer = list_page(world.store, &view, tenth->key, LIST_NEWER, 5, &error);
    g_assert_cmpuint(newer->len, ==, 5); /* the five next to it, newest first */
    g_assert_cmpint(((struct list_row *)newer->pdata[4])->key, ==, ((struct list_row *)first->pdata[8])->key);
    gint64 unread = list_next_unread(world.store, &view, 0, LIST_OLDER);
    struct list_row *row = list_row_at(world.store, &view, unread, &error);
    g_assert_false(row->flags & FLAG_SEEN);
    g_assert_cmpstr(row->message_id, ==, "m55@x");
    list_row_free(row);
    /* Within a folder only. */
    view.folders = &world.archive;
    view.n_folders = 1;
    g_assert_cmpint(list_count(world.store, &view, NULL), ==, 10);
    world_end(&world);
}

/* Ranks far from both ends are estimates: near the truth, and they never leave the list. */
static void
test_ranks(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    const guint n = 12500;
    g_assert_true(store_begin(world.store, &error));
    for (guint i = 1; i <= n; i++)
        add_numbered(&world, i, 0, 1700000000 + i * 60);
    g_assert_true(store_commit(world.store, &error));
    for (guint kind = LIST_CONVERSATIONS; kind <= LIST_MESSAGES; kind++) {
        struct list_view view = {.kind = kind, .folders = &world.inbox, .n_folders = 1};
        static const gint64 ranks[] = {0, 1, 4999, 5000, 6250, 7400, 12498, 12499, 99999};
        for (guint i = 0; i < G_N_ELEMENTS(ranks); i++) {
            gint64 key = list_key_at(world.store, &view, ranks[i]), true_rank = MIN(ranks[i], n - 1);
            gboolean exact;
            struct list_row *row = list_row_at(world.store, &view, key, &error);
            g_assert_nonnull(row);
            list_row_free(row);
            gint64 rank = list_rank(world.store, &view, key, &exact);
            g_assert_cmpint(ABS(rank - true_rank), <=, exact ? 0 : n / 50);
            g_assert_true(exact || (true_rank > 4900 && true_rank < n - 4900));
        }
        gint64 oldest = list_key_at(world.store, &view, n - 1);
        g_assert_cmpint(list_next_unread(world.store, &view, oldest, LIST_OLDER), ==, 0);
        g_assert_cmpint(list_next_unread(world.store, &view, oldest, LIST_NEWER), >, oldest);
    }
    struct list_view thread = {.kind = LIST_THREAD, .thread = 1};
    gboolean exact;
    g_assert_cmpint(list_count(world.store, &thread, &exact), ==, 1);
    gint64 key = list_key_at(world.store, &thread, 0);
    g_assert_cmpint(list_rank(world.store, &thread, key, NULL), ==, 0);
    g_assert_cmpint(list_next_unread(world.store, &thread, 0, LIST_OLDER), ==, key);
    world_end(&world);
}

/* The plan of the queries that a screen makes: a search of an index, no scan of a table, no sorting. */
static void
test_plan(void)
{
    struct world world;
    world_begin(&world);
    add_numbered(&world, 1, 0, 1700000000);
    g_autofree char *path = g_build_filename(world.dir, "postrider.db", NULL);
    static const char *const queries[] = {
        "SELECT newest, thread FROM folder_thread WHERE folder = 1 AND newest < 5 ORDER BY newest DESC LIMIT "
        "50",
        "SELECT message FROM placement WHERE folder = 1 AND state <> 1 AND key < 5 ORDER BY key DESC LIMIT "
        "50",
        "SELECT id FROM message WHERE thread = 1 AND key < 3 ORDER BY key DESC LIMIT 100",
        "SELECT id FROM placement WHERE message = 1 AND folder = 1 AND state <> 1", /* not all of the folder
                                                                                     */
        "SELECT newest FROM folder_thread WHERE folder = 1 AND unread > 0 AND newest < 5 ORDER BY newest "
        "DESC LIMIT 1",
        "SELECT id FROM placement INDEXED BY placement_changed WHERE folder = 1 AND uid > 0 AND state <> 1 "
        "AND (flags <> base_flags OR tags <> base_tags)",
        "SELECT id FROM placement INDEXED BY placement_leaving WHERE folder = 1 AND uid > 0 AND state = 1",
    };
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    for (guint i = 0; i < G_N_ELEMENTS(queries); i++) {
        g_autofree char *explain = g_strconcat("EXPLAIN QUERY PLAN ", queries[i], NULL);
        sqlite3_stmt *q;
        g_assert_cmpint(sqlite3_prepare_v2(db, explain, -1, &q, NULL), ==, SQLITE_OK);
        while (sqlite3_step(q) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(q, 3);
            g_test_message("%s", step);
            g_assert_true(g_str_has_prefix(step, "SEARCH") && strstr(step, "INDEX"));
            if (strstr(queries[i], "message = 1"))
                g_assert_nonnull(strstr(step, "placement_message"));
        }
        sqlite3_finalize(q);
    }
    sqlite3_close(db);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/list/paging", test_paging);
    g_test_add_func("/list/rows", test_rows);
    g_test_add_func("/list/unified", test_unified);
    g_test_add_func("/list/in-both", test_in_both);
    g_test_add_func("/list/orders", test_orders);
    g_test_add_func("/list/splits", test_splits);
    g_test_add_func("/list/search-view", test_search_view);
    g_test_add_func("/list/ranks", test_ranks);
    g_test_add_func("/list/plan", test_plan);
    return g_test_run();
}
