/* How fast the store takes envelopes and gives windows: store-bench [MESSAGES [BATCH]] prints one line a
 * measure. */
#include "config.h"

#include "../unit/storetest.h"
#include "mail/document.h"
#include "mail/index.h"
#include "store/list.h"
#include "store/survey.h"

#include <stdio.h>
#include <stdlib.h>

static void
fill(struct world *world, guint n, guint batch)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    g_autofree struct placement_new *rows = g_new0(struct placement_new, batch);
    g_autoptr(GError) error = NULL;
    for (guint done = 0; done < n;) {
        guint count = MIN(batch, n - done);
        for (guint i = 0; i < count; i++) {
            guint number = n - done - i; /* newest first */
            g_autofree char *id = g_strdup_printf("%u.%08x@lists.example.org", number, number * 2654435761u);
            g_autoptr(GString) refs = g_string_new(NULL);
            if (number % 3) { /* two of three answer the one before them */
                guint parent = number / 3 * 3;
                g_string_append_printf(refs, "%u.%08x@lists.example.org", parent, parent * 2654435761u);
            }
            g_autofree char *from =
                g_strdup_printf("Person %u <p%u@example.net>", number % 977, number % 977);
            g_autofree char *subject =
                g_strdup_printf("Subject number %u about flights and offers", number / 3);
            rows[i] = (struct placement_new){.uid = number,
                                             .flags = g_rand_boolean(rand) ? FLAG_SEEN : 0,
                                             .size = 4000,
                                             .received = 1600000000 + number * 300,
                                             .envelope = make_envelope(id, refs->str, from, "ana@example.org",
                                                                       subject, 1600000000 + number * 300)};
        }
        placement_insert(world->store, world->inbox, rows, count, NULL, &error);
        g_assert_no_error(error);
        for (guint i = 0; i < count; i++)
            envelope_free((struct envelope *)rows[i].envelope);
        done += count;
    }
}

/* Words as they come in mail: some often, most seldom. */
static char *
make_text(GRand *rand, guint words)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < words; i++) {
        double often = g_rand_double(rand);
        guint number = (guint)(often * often * often * 30000);
        g_string_append_printf(text, "%c%cr%uw%c", 'a' + number % 23, 'a' + number % 19, number, i % 12 ? ' ' : '\n');
    }
    return g_string_free(text, FALSE);
}

/* Bodies for all of them, newest first, as a pass records them. */
static void
attach(struct world *world, guint n, guint batch)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) rows = survey_bodies(world->store, world->inbox, 0, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(rows->len, ==, n);
    g_autofree struct placement_body *bodies = g_new0(struct placement_body, batch);
    for (guint done = 0; done < n;) {
        guint count = MIN(batch, n - done);
        g_autofree guint8 *hashes = g_malloc0(32 * (gsize)count);
        for (guint i = 0; i < count; i++) {
            const struct survey_body *row = &g_array_index(rows, struct survey_body, done + i);
            struct message_index *index = g_new0(struct message_index, 1);
            g_autofree char *id = g_strdup_printf("%u.%08x@lists.example.org", row->uid, row->uid * 2654435761u);
            index->envelope = make_envelope(id, "", "Person <p@example.net>", "ana@example.org",
                                            "Subject about flights and offers", 1600000000 + row->uid * 300);
            index->body = make_text(rand, 200);
            index->preview = g_strndup(index->body, 160);
            index->attachments = g_strdup("");
            index->types = g_strdup("text/plain");
            for (guint k = 0; k < 32; k += 4)
                *(guint32 *)(gpointer)(hashes + 32 * i + k) = g_rand_int(rand);
            memcpy(hashes + 32 * i, &row->uid, sizeof row->uid);
            bodies[i] = (struct placement_body){.placement = row->placement,
                                                .file = g_strdup_printf("16%u.x.postrider:2,", row->uid),
                                                .hash = hashes + 32 * i,
                                                .size = 4000,
                                                .index = index};
        }
        placement_attach(world->store, bodies, count, &error);
        g_assert_no_error(error);
        for (guint i = 0; i < count; i++) {
            g_free((char *)bodies[i].file);
            message_index_free((struct message_index *)bodies[i].index);
        }
        done += count;
    }
}

/* The newest messages of a view. */
static GArray *
list_some(struct store *store, const struct list_view *view, guint n)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    struct list_view flat = *view;
    flat.kind = LIST_MESSAGES;
    g_autoptr(GPtrArray) rows = list_page(store, &flat, 0, LIST_OLDER, n, NULL);
    for (guint i = 0; i < rows->len; i++)
        g_array_append_val(ids, ((struct list_row *)rows->pdata[i])->message);
    return ids;
}

int
main(int argc, char **argv)
{
    guint n = argc > 1 ? (guint)strtoul(argv[1], NULL, 10) : 100000,
          batch = argc > 2 ? (guint)strtoul(argv[2], NULL, 10) : 40;
    g_autoptr(GError) error = NULL;
    struct world world;
    world_begin(&world);

    gint64 start = g_get_monotonic_time();
    fill(&world, n, batch);
    printf("insert %u envelopes, %u a transaction: %.2f s\n", n, batch,
           (double)(g_get_monotonic_time() - start) / 1e6);

    start = g_get_monotonic_time();
    attach(&world, n, batch);
    printf("attach %u bodies, %u a transaction: %.2f s\n", n, batch,
           (double)(g_get_monotonic_time() - start) / 1e6);

    store_close(world.store);
    start = g_get_monotonic_time();
    world.store = open_store(world.dir, STORE_READ);
    struct list_view view = {.kind = LIST_CONVERSATIONS, .folders = &world.inbox, .n_folders = 1};
    g_autoptr(GPtrArray) first = list_page(world.store, &view, 0, LIST_OLDER, 50, &error);
    printf("open and first page of %u conversations: %.2f ms\n", first->len,
           (double)(g_get_monotonic_time() - start) / 1e3);

    gint64 key = 0;
    guint pages = 0;
    start = g_get_monotonic_time();
    for (;;) {
        g_autoptr(GPtrArray) page = list_page(world.store, &view, key, LIST_OLDER, 50, &error);
        if (!page->len || pages == 200)
            break;
        key = ((struct list_row *)page->pdata[page->len - 1])->key;
        pages++;
    }
    printf("a window of 50 conversations: %.3f ms (mean of %u)\n",
           (double)(g_get_monotonic_time() - start) / 1e3 / pages, pages);

    start = g_get_monotonic_time();
    g_autoptr(struct_placement_set) set =
        placement_load(world.store, world.inbox, PLACEMENT_SELECT_ALL, 0, &error);
    printf("all %u placements for the planner: %.1f ms\n", set->n,
           (double)(g_get_monotonic_time() - start) / 1e3);

    static const char *const words[] = {"flights", "fl*", "person", "99"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *word = g_strdup(words[i]);
        gboolean prefix = g_str_has_suffix(word, "*");
        word[strlen(word) - prefix] = '\0';
        struct query *query = query_new_text(QUERY_ANYWHERE, prefix ? QUERY_PREFIX : QUERY_WORDS, word);
        start = g_get_monotonic_time();
        g_autoptr(GArray) hits =
            store_search(world.store, query, &(struct query_options){.limit = 50}, &error);
        printf("search %s: %u hits on the first page, %.2f ms\n", words[i], hits->len,
               (double)(g_get_monotonic_time() - start) / 1e3);
        query_free(query);
    }
    store_close(world.store);
    world.store = open_store(world.dir, STORE_WRITE);
    g_autoptr(GArray) some = list_some(world.store, &view, 1000);
    start = g_get_monotonic_time();
    intent_mark(world.store, (gint64 *)some->data, some->len, FLAG_FLAGGED, 0, "work", NULL, &error);
    printf("mark %u messages: %.1f ms\n", some->len, (double)(g_get_monotonic_time() - start) / 1e3);
    start = g_get_monotonic_time();
    intent_delete(world.store, (gint64 *)some->data, some->len, world.inbox, &error);
    printf("delete %u messages: %.1f ms\n", some->len, (double)(g_get_monotonic_time() - start) / 1e3);
    start = g_get_monotonic_time();
    g_autoptr(GPtrArray) problems = store_check(world.store, &error);
    printf("check: %u problems, %.1f s\n", problems->len, (double)(g_get_monotonic_time() - start) / 1e6);
    store_close(world.store);
    g_autofree char *db = g_build_filename(world.dir, "postrider.db", NULL);
    GStatBuf st;
    g_stat(db, &st);
    printf("database: %.1f MB\n", (double)st.st_size / 1e6);
    remove_tree(world.dir);
    return 0;
}
