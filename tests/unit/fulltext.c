/* fulltext: what the tokenizer finds, by field, newest first in pages; contacts harvested and completed */
#include "config.h"

#include "storetest.h"
#include "store/contact.h"
#include "store/query.h"
#include "store/rows.h"
#include "store/search.h"
#include "store/texts.h"

#include <sqlite3.h>

static guint
hits(struct store *store, guint fields, enum query_match match, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_query) query = query_new_text(fields, match, text);
    g_autoptr(GArray) found = store_search(store, query, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(store_search_count(store, query, FALSE, 100, NULL), ==, found->len);
    return found->len;
}

static void
test_words(void)
{
    struct world world;
    world_begin(&world);
    static const char *const texts[] = {
        "Die Stra\xc3\x9f"
        "e nach Z\xc3\xbcrich kostet 12.50 EUR",
        "write to ana.ruiz@mail.example.org about host-7.example.net",
        "\xe4\xbb\x8a\xe6\x97\xa5\xe3\x81\xaf\xe4\xbc\x9a\xe8\xad\xb0\xe3\x81\x8c\xe3\x81\x82\xe3\x82\x8a\xe3"
        "\x81\xbe\xe3\x81\x99",
        "na\xc3\xafve caf\xc3\xa9 CR\xc3\x88ME \xce\x9f\xce\xb4\xcf\x8c\xcf\x82 "
        "\xd0\x81\xd0\xbb\xd0\xba\xd0\xb0",
        "the quick brown fox; quick-tempered",
    };
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *id = g_strdup_printf("t%u@x", i);
        gint64 placement = add_mail(world.store, world.inbox, i + 1, id, NULL, "Ben Okafor <ben@example.net>",
                                    "subject line", 1700000000 + i);
        add_body(world.store, placement, texts[i], i == 4 ? "Plan \xc3\x84nderung.pdf" : NULL);
    }
    static const struct {
        const char *text;
        enum query_match match;
        guint hits;
    } cases[] = {
        {"zurich", QUERY_WORDS, 1},
        {"Z\xc3\x9cRICH", QUERY_WORDS, 1},
        {"strasse", QUERY_WORDS, 1},
        {"12.50", QUERY_WORDS, 1},
        {"50", QUERY_WORDS, 1},
        {"50 12", QUERY_WORDS, 0},
        {"ana.ruiz@mail.example.org", QUERY_WORDS, 1},
        {"ruiz", QUERY_WORDS, 1},
        {"mail.example", QUERY_WORDS, 1},
        {"example.mail", QUERY_WORDS, 0},
        {"ana.ru", QUERY_PREFIX, 1},
        {"host-7", QUERY_WORDS, 1},
        {"\xe4\xbc\x9a\xe8\xad\xb0", QUERY_WORDS, 1} /* kaigi */,
        {"\xe8\xad\xb0", QUERY_WORDS, 1} /* one character */,
        {"\xe4\xbb\x8a\xe6\x97\xa5\xe3\x81\xaf\xe4\xbc\x9a\xe8\xad\xb0", QUERY_WORDS, 1},
        {"\xe8\xad\xb0\xe4\xbc\x9a", QUERY_WORDS, 0},
        {"\xe3\x81\x99", QUERY_WORDS, 1} /* the last one */,
        {"naive", QUERY_WORDS, 1},
        {"cafe creme", QUERY_WORDS, 1},
        {"cre", QUERY_PREFIX, 1},
        {"\xce\xbf\xce\xb4\xce\xbf\xcf\x83", QUERY_WORDS, 1},
        {"\xd0\xb5\xd0\xbb\xd0\xba\xd0\xb0", QUERY_WORDS, 1},
        {"quick brown", QUERY_WORDS, 1},
        {"brown quick", QUERY_WORDS, 0},
        {"quick tempered", QUERY_WORDS, 1},
        {"qui", QUERY_WORDS, 0},
        {"qui", QUERY_PREFIX, 1},
        {"anderung", QUERY_WORDS, 1},
        {"ben", QUERY_WORDS, 5},
        {"subject line", QUERY_WORDS, 5},
        {"absent", QUERY_WORDS, 0},
        {"\"; DROP TABLE message; --", QUERY_WORDS, 0},
        {"!!!", QUERY_WORDS, 0},
        {"AND OR NOT", QUERY_WORDS, 0},
        {"\xff\xfe", QUERY_WORDS, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint found = hits(world.store, QUERY_ANYWHERE, cases[i].match, cases[i].text);
        if (found != cases[i].hits)
            g_test_message("%s: %u, expected %u", cases[i].text, found, cases[i].hits);
        g_assert_cmpuint(found, ==, cases[i].hits);
    }
    g_assert_cmpuint(hits(world.store, QUERY_SUBJECT, QUERY_WORDS, "quick"), ==, 0);
    g_assert_cmpuint(hits(world.store, QUERY_ATTACHMENT, QUERY_WORDS, "plan"), ==, 1);
    g_assert_cmpuint(hits(world.store, QUERY_FROM, QUERY_SUBSTRING, "kafo"), ==, 5);
    g_assert_cmpuint(hits(world.store, QUERY_FROM, QUERY_REGEX, "^ben.*net$"), ==, 5);
    /* A pattern that would run for ever does not. */
    hits(world.store, QUERY_SUBJECT, QUERY_REGEX, "(a+)+(b+)+(c+)+$");

    /* What is removed is not found; what comes back is. */
    g_autoptr(GArray) ids = message_find_id(world.store, "t4@x");
    gint64 m = g_array_index(ids, gint64, 0);
    g_assert_cmpint(intent_delete(world.store, &m, 1, world.inbox, NULL), >, 0);
    g_assert_cmpuint(hits(world.store, QUERY_ANYWHERE, QUERY_WORDS, "quick"), ==, 0); /* in Trash */
    g_autoptr(struct_query) query = query_new_text(QUERY_ANYWHERE, QUERY_WORDS, "quick");
    g_autoptr(GArray) all =
        store_search(world.store, query, &(struct query_options){.everything = TRUE}, NULL);
    g_assert_cmpuint(all->len, ==, 1);
    world_end(&world);
}

/* Pages of a search are complete and in order, whatever drives it. */
static void
test_pages(void)
{
    struct world world;
    world_begin(&world);
    for (guint i = 1; i <= 200; i++) {
        g_autofree char *id = g_strdup_printf("p%u@x", i);
        g_autoptr(struct_envelope) envelope =
            make_envelope(id, NULL, "Ben <ben@example.net>", NULL, i % 2 ? "odd number" : "even number",
                          1700000000 + (i * 7919) % 1000);
        add_envelope(world.store, i % 5 ? world.inbox : world.archive, i, i % 3 ? FLAG_SEEN : 0,
                     i % 4 ? "" : "four", envelope);
    }
    struct query *queries[] = {
        query_new_text(QUERY_ANYWHERE, QUERY_WORDS, "odd"),
        query_new_not(query_new_flag(FLAG_SEEN)),
        query_new_word(QUERY_TAG, "four"),
        query_new_word(QUERY_FOLDER, "Archive"),
        query_new_pair(QUERY_AND, query_new_text(QUERY_SUBJECT, QUERY_PREFIX, "eve"),
                       query_new_not(query_new_flag(FLAG_SEEN))),
        query_new_pair(QUERY_OR, query_new_word(QUERY_TAG, "four"),
                       query_new_text(QUERY_SUBJECT, QUERY_WORDS, "odd")),
        query_new_pair(QUERY_XOR, query_new_word(QUERY_TAG, "four"),
                       query_new_not(query_new_flag(FLAG_SEEN))),
        query_new_not(query_new_text(QUERY_ANYWHERE, QUERY_WORDS, "odd")),
        query_new_range(QUERY_DATE, 1700000000, 1700000400),
        query_new_range(QUERY_NUMBER, 10, 19),
    };
    static const guint expected[] = {100, 66, 50, 40, 33, 150, 0, 100, 0, 10};
    for (guint i = 0; i < G_N_ELEMENTS(queries); i++) {
        gint64 before = 0;
        guint n = 0;
        for (;;) {
            g_autoptr(GError) error = NULL;
            struct query_options options = {.before = before, .limit = 7};
            g_autoptr(GArray) page = store_search(world.store, queries[i], &options, &error);
            g_assert_no_error(error);
            if (!page->len)
                break;
            for (guint k = 0; k < page->len; k++) {
                const struct query_hit *hit = &g_array_index(page, struct query_hit, k);
                g_assert_true(!before || hit->key < before);
                before = hit->key;
                n++;
            }
        }
        if (expected[i])
            g_assert_cmpuint(n, ==, expected[i]);
        g_assert_cmpint(store_search_count(world.store, queries[i], FALSE, 1000, NULL), ==, n);
        query_free(queries[i]);
    }
    world_end(&world);
}

static char *
completed(struct store *store, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = contact_complete(store, text, 10, &error);
    g_assert_no_error(error);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < found->len; i++)
        g_string_append_printf(out, "%s%s", i ? " " : "", ((struct contact *)found->pdata[i])->addr);
    return g_string_free(out, FALSE);
}

static void
test_contacts(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    guint uid = 0;
    for (guint i = 0; i < 5; i++) { /* heard from often */
        g_autofree char *id = g_strdup_printf("n%u@x", i);
        add_mail(world.store, world.inbox, ++uid, id, NULL, "Tom News <news@tom.example>", "news", now - 100);
    }
    g_autoptr(struct_envelope) sent = make_envelope(
        "s@x", NULL, "Ana <ana@example.org>", "\"Vidal, Tom\xc3\xa1s\" <tomas@example.org>", "hi", now - 200);
    add_envelope(world.store, world.sent, 1, FLAG_SEEN, NULL, sent);
    add_envelope(world.store, world.sent, 2, FLAG_SEEN, NULL, sent);
    add_mail(world.store, world.junk, 1, "j@x", NULL, "Tom Spam <spam@evil.example>", "buy", now - 10);

    static const struct {
        const char *text, *found;
    } cases[] = {
        {"tom", "tomas@example.org news@tom.example"}, /* written to before heard from */
        {"TOM\xc3\x81S", "tomas@example.org"},
        {"vid", "tomas@example.org"},
        {"vid tom", "tomas@example.org"},
        {"tomas@ex", "tomas@example.org"},
        {"tom.ex", "news@tom.example"},
        {"tom spam", ""},
        {"ana", ""},
        {"zzz", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = completed(world.store, cases[i].text);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
    g_autoptr(struct_contact) news = contact_find(world.store, "NEWS@Tom.example", &error);
    g_assert_cmpuint(news->received, ==, 5);
    g_assert_cmpstr(news->name, ==, "Tom News");
    g_assert_true(contact_set_bounced(world.store, "tomas@example.org", "550 5.1.1 no such user", &error));
    g_autoptr(struct_contact) bounced = contact_find(world.store, "tomas@example.org", &error);
    g_assert_cmpint(bounced->bounced, >, 0);
    g_assert_cmpstr(bounced->bounce, ==, "550 5.1.1 no such user");
    g_assert_true(contact_set_blocked(world.store, "news@tom.example", TRUE, &error));
    g_assert_true(contact_add(world.store, "Zo\xc3\xab by hand", "zoe@example.com", &error));
    g_autofree char *by_hand = completed(world.store, "zoe"), *blocked = completed(world.store, "news"),
                    *most = completed(world.store, "");
    g_assert_cmpstr(by_hand, ==, "zoe@example.com");
    g_assert_cmpstr(blocked, ==, "");
    g_assert_nonnull(strstr(most, "zoe@example.com"));
    g_assert_true(contact_forget(world.store, "zoe@example.com", &error));
    g_assert_null(contact_find(world.store, "zoe@example.com", &error));
    g_assert_false(contact_add(world.store, "x", "no address", &error));
    world_end(&world);
}

/* `n` envelopes, the newest first as a pass brings them, whose words come later. */
static void
add_later(struct world *world, guint n, gint64 *placements)
{
    g_autoptr(GError) error = NULL;
    g_autofree struct placement_new *rows = g_new0(struct placement_new, n);
    for (guint i = 0; i < n; i++) {
        guint number = n - i;
        g_autofree char *id = g_strdup_printf("later%u@x", number), *subject = g_strdup_printf("early w%u", number);
        rows[i] = (struct placement_new){.uid = number,
                                         .received = 1700000000 + number,
                                         .text_later = TRUE,
                                         .envelope = make_envelope(id, NULL, "Ben <ben@example.net>", "ana@example.org",
                                                                   subject, 1700000000 + number)};
    }
    placement_insert(world->store, world->inbox, rows, n, placements, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < n; i++)
        envelope_free((struct envelope *)rows[i].envelope);
}

/* An envelope whose body is on its way is put into the full text once: with it, or when somebody has time. */
static void
test_later(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 placements[5];
    guint done;
    add_later(&world, 5, placements);
    g_assert_cmpuint(hits(world.store, QUERY_ANYWHERE, QUERY_WORDS, "early"), ==, 0);
    add_body(world.store, placements[1], "the words of number four", NULL);
    g_assert_cmpuint(hits(world.store, QUERY_ANYWHERE, QUERY_WORDS, "early"), ==, 1);
    g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "number"), ==, 1);
    g_assert_true(placement_remove(world.store, &placements[4], 1, &error));
    g_assert_true(placement_index_envelopes(world.store, 2, &done, &error));
    g_assert_cmpuint(done, ==, 2);
    g_assert_cmpuint(hits(world.store, QUERY_SUBJECT, QUERY_WORDS, "w5"), ==, 1); /* the newest first */
    g_assert_true(placement_index_envelopes(world.store, 100, &done, &error));
    g_assert_cmpuint(done, ==, 1);
    g_assert_true(placement_index_envelopes(world.store, 100, &done, &error));
    g_assert_cmpuint(done, ==, 0);
    g_assert_cmpuint(hits(world.store, QUERY_FROM, QUERY_WORDS, "ben"), ==, 4);
    add_body(world.store, placements[0], "the words of number five", NULL); /* it was put in before */
    g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "five"), ==, 1);
    g_assert_cmpuint(hits(world.store, QUERY_SUBJECT, QUERY_WORDS, "w5"), ==, 1);
    world_end(&world);
}

static guint
count_segments(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "postrider.db", NULL);
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, "SELECT count(DISTINCT segid) FROM fulltext_idx", -1, &q, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(q), ==, SQLITE_ROW);
    guint n = (guint)sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

/* FTS5 writes a segment whenever a rowid is smaller than the one before: a batch makes one, whatever its order. */
static void
test_order(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    enum { N = 40 };
    gint64 placements[N];
    guint8 hashes[N][32] = {{0}};
    struct placement_body bodies[N];
    add_later(&world, N, placements);
    for (guint i = 0; i < N; i++) {
        struct message_index *index = message_index_new();
        g_free(index->body);
        index->body = g_strdup_printf("body number b%u", i);
        hashes[i][0] = (guint8)(i + 1);
        bodies[i] = (struct placement_body){.placement = placements[i],
                                            .file = g_strdup_printf("1%u.x.postrider:2,", i),
                                            .hash = hashes[i],
                                            .size = 100,
                                            .index = index};
    }
    guint before = count_segments(world.dir);
    g_assert_true(placement_attach(world.store, bodies, N, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(count_segments(world.dir), ==, before + 1);
    g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "number"), ==, N);
    for (guint i = 0; i < N; i++) {
        g_free((char *)bodies[i].file);
        message_index_free((struct message_index *)bodies[i].index);
    }
    world_end(&world);
}

static int
take_tokens(void *data, int flags, const char *word, int length, int start, int end)
{
    (void)flags, (void)start, (void)end;
    g_string_append_printf(data, "%.*s|", length, word);
    return SQLITE_OK;
}

/* Where a word is long its characters are folded one by one, elsewhere by a table: that is the same. */
static void
test_folding(void)
{
    enum { LONG = 86 };
    g_autofree char *filling = g_strnfill(LONG, 'x');
    for (gunichar c = 0x80; c < 0x900; c++) {
        char utf8[8] = {0};
        g_unichar_to_utf8(c, utf8);
        g_autoptr(GString) brief = g_string_new(NULL), lengthy = g_string_new(NULL);
        g_autofree char *a = g_strdup_printf("xx%sQ9", utf8), *b = g_strdup_printf("%s%sQ9", filling, utf8);
        tokenizer_each(a, strlen(a), FALSE, take_tokens, brief);
        tokenizer_each(b, strlen(b), FALSE, take_tokens, lengthy);
        g_assert_cmpstr(brief->str + 2, ==, lengthy->str + LONG);
    }
}

/* All that a pattern of bytes can do to packed text is to make it none. */
static void
test_pack(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);
    for (guint i = 0; i < 400; i++) {
        gsize size = i < 300 ? i * 7 : i == 399 ? PACK_MAX : (gsize)g_rand_int_range(rand, 0, PACK_MAX), length = 0;
        g_autofree char *text = g_malloc(size + 1);
        gboolean noise = i % 5 == 0;
        for (gsize at = 0; at < size; at++)
            text[at] = (char)(noise ? g_rand_int_range(rand, 1, 256) : "the words of a text "[(at * at / 7) % 20]);
        g_autoptr(GBytes) packed = pack_text(text, size);
        if (!packed) {
            g_assert_true(noise || size < 300);
            continue;
        }
        gsize small;
        g_autofree guint8 *bytes = g_bytes_unref_to_data(g_steal_pointer(&packed), &small);
        g_assert_cmpuint(small, <, size);
        g_autofree char *again = unpack_text(bytes, small, &length);
        g_assert_cmpmem(again, length, text, size);
        g_assert_cmpint(again[length], ==, '\0');
        for (guint damage = 0; damage < 20; damage++) {
            gsize at = (gsize)g_rand_int_range(rand, 0, (gint32)small);
            bytes[at] ^= (guint8)g_rand_int_range(rand, 1, 256);
            g_autofree char *other = unpack_text(bytes, damage % 4 ? small : at, &length);
            g_assert_true(!other || (length <= PACK_MAX && other[length] == '\0'));
        }
    }
}

/* From its folder, and from the messages that are kept for a month after that. */
static void
remove_for_good(struct store *store, gint64 placement)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(placement_remove(store, &placement, 1, &error));
    g_assert_true(removed_prune(store, G_MAXINT64, &error));
    g_assert_no_error(error);
}

/* What is searched is kept packed, and is the same when it is taken away again. */
static void
test_packed(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GString) text = g_string_new("beginning ");
    for (guint i = 0; i < 2000; i++)
        g_string_append_printf(text, "word%u na\xc3\xafve ", i % 100);
    g_string_append(text, "ending");
    gint64 placement = add_mail(world.store, world.inbox, 1, "a@x", NULL, "Ben <ben@example.net>", "packed", 1700000000);
    add_body(world.store, placement, text->str, "plan.pdf");
    gint64 kept = sql_int(world.store, 0, "SELECT length(body) FROM message_text WHERE typeof(body) = 'blob'", "");
    g_assert_cmpint(kept, >, 0);
    g_assert_cmpint(kept, <, (gint64)text->len / 10);
    g_autofree char *again = sql_text(world.store, "SELECT body FROM message_text_unpacked", "");
    g_assert_cmpstr(again, ==, text->str);
    g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "ending"), ==, 1);
    assert_sound(world.store);
    remove_for_good(world.store, placement);
    g_assert_cmpint(sql_int(world.store, -1, "SELECT count(*) FROM message_text", ""), ==, 0);
    world_end(&world);
}

/* As the migration leaves it. */
static void
as_just_migrated(struct world *world)
{
    store_close(world->store);
    raw(world->dir, FULLTEXT_BEFORE "INSERT INTO fulltext (fulltext) VALUES ('delete-all'); DELETE FROM message_text");
    world->store = open_store(world->dir, STORE_WRITE);
}

/* A store with the full text of before goes over step by step: nothing is lost, nothing that has gone comes back. */
static void
test_before(void)
{
    struct world world;
    world_begin(&world);
    enum { N = 25, A_STEP = 7 };
    gint64 placements[N];
    g_autoptr(GError) error = NULL;
    g_autofree char *filling = g_strnfill(400, 'x');
    for (guint i = 0; i < N; i++) {
        g_autofree char *id = g_strdup_printf("b%u@x", i), *text = g_strdup_printf("%s number b%u", filling, i);
        placements[i] = add_mail(world.store, world.inbox, i + 1, id, NULL, "Ben <ben@example.net>", "moving", 1700000000 + i);
        if (i)
            add_body(world.store, placements[i], text, i == 3 ? "plan.pdf" : NULL);
    }
    as_just_migrated(&world);
    g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "number"), ==, 0);
    assert_sound(world.store);
    /* One goes, one gets its text meanwhile. */
    remove_for_good(world.store, placements[5]);
    add_body(world.store, placements[0], "number at last", NULL);
    gboolean done = FALSE;
    for (guint steps = 0; !done; steps++) {
        g_assert_cmpuint(steps, <, 10);
        texts_move(world.store, A_STEP, &done, &error);
        g_assert_no_error(error);
        assert_sound(world.store);
        if (!steps) /* the newest are the first */
            g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "b24"), ==, 1);
        if (!steps)
            g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "number"), ==, A_STEP + 1);
    }
    g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "number"), ==, N - 1);
    g_assert_cmpuint(hits(world.store, QUERY_BODY, QUERY_WORDS, "b5"), ==, 0);
    g_assert_cmpuint(hits(world.store, QUERY_FROM, QUERY_WORDS, "ben"), ==, N - 1);
    g_assert_cmpuint(hits(world.store, QUERY_ATTACHMENT, QUERY_WORDS, "plan"), ==, 1);
    g_assert_cmpint(sql_int(world.store, -1, "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'fulltext_before*'", ""), ==, 0);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fulltext/words", test_words);
    g_test_add_func("/fulltext/pages", test_pages);
    g_test_add_func("/fulltext/contacts", test_contacts);
    g_test_add_func("/fulltext/later", test_later);
    g_test_add_func("/fulltext/order", test_order);
    g_test_add_func("/fulltext/folding", test_folding);
    g_test_add_func("/fulltext/pack", test_pack);
    g_test_add_func("/fulltext/packed", test_packed);
    g_test_add_func("/fulltext/before", test_before);
    return g_test_run();
}
