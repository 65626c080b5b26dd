/* both languages, asked of a store: what each query finds */
#include "config.h"

#include "storetest.h"

#include "mail/document.h"
#include "search/query.h"
#include "store/query.h"
#include "store/search.h"

/* Monday 23 November 2026, 02:44:19 UTC. */
#define NOW G_GINT64_CONSTANT(1795401859)
#define DAY 86400

struct mail {
    char name; /* what the expectations call it */
    const char *folder, *id, *refs, *from, *to, *cc, *subject, *body, *attachments, *tags;
    gint64 age; /* days */
    guint flags;
    guint64 size;
};

static const struct mail mails[] = {
    {'a', "inbox", "a@x", NULL, "Ana Ruiz <ana@example.org>", "ben@example.com", NULL,
     "Lisbon offsite: flights", "I have booked the 9:40, seats together.", NULL, "work", 1, FLAG_SEEN, 2000},
    {'b', "inbox", "b@x", "a@x", "Ben Okafor <ben@example.com>", "ana@example.org", "tomas@example.org",
     "Re: Lisbon offsite: flights", "Thanks! Détails about the hôtel follow.", "itinerary.pdf", NULL, 0, 0,
     200000},
    {'c', "inbox", "c@x", NULL, "Tomás Vidal <tomas@example.org>", "ana@example.org", NULL,
     "Contract, second draft", "Please read clause 4 before noon.", "contract final.docx", "work/legal", 8,
     FLAG_FLAGGED, 3000000},
    {'d', "archive", "d@list.example", NULL, "Dev List <dev@list.example>", "dev@list.example", NULL,
     "[dev] 日本語 tokenizer", "全文検索のテストです。", NULL, NULL, 40, FLAG_SEEN | FLAG_ANSWERED, 4000},
    {'e', "sent", "e@x", "b@x", "Ana Ruiz <ana@example.org>", "Ben Okafor <ben@example.com>", NULL,
     "Re: Lisbon offsite: flights", "See you there", NULL, NULL, 0, FLAG_SEEN, 1500},
    {'f', "trash", "f@x", NULL, "Shop <news@shop.example>", "ana@example.org", NULL, "Old offers",
     "Buy flights now", NULL, NULL, 3, FLAG_SEEN, 900},
    {'g', "junk", "g@x", NULL, "Bank <it@bank-secure.example>", "ana@example.org", NULL,
     "Verify your account", "flights won", NULL, "$Junk", 2, 0, 800},
};

static gint64 numbers[G_N_ELEMENTS(mails)];

static gint64
folder_of(const struct world *world, const char *name)
{
    const struct {
        const char *name;
        gint64 folder;
    } folders[] = {{"inbox", world->inbox},
                   {"sent", world->sent},
                   {"trash", world->trash},
                   {"archive", world->archive},
                   {"junk", world->junk}};
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++)
        if (!strcmp(folders[i].name, name))
            return folders[i].folder;
    g_assert_not_reached();
}

static void
fill(struct world *world)
{
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++) {
        const struct mail *mail = &mails[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_envelope) envelope = make_envelope(mail->id, mail->refs, mail->from, mail->to,
                                                            mail->subject, NOW - mail->age * DAY - (gint64)i);
        if (mail->cc)
            address_list_add(envelope->cc, NULL, mail->cc);
        if (mail->name == 'd')
            envelope->list_id = g_strdup("dev.list.example");
        struct placement_new row = {.uid = i + 1,
                                    .flags = mail->flags,
                                    .tags = mail->tags,
                                    .envelope = envelope,
                                    .received = envelope->date,
                                    .size = mail->size};
        gint64 placement = 0, folder = folder_of(world, mail->folder);
        placement_insert(world->store, folder, &row, 1, &placement, &error);
        g_assert_no_error(error);
        numbers[i] = message_of(world->store, placement);

        g_autofree char *dir = folder_path(world->store, folder, TRUE, &error);
        g_autofree char *bytes = g_strdup_printf("Message-ID: <%s>\n\n%s\n", mail->id, mail->body);
        struct maildir_entry entry = {0};
        maildir_deliver(dir, mail->flags, bytes, strlen(bytes), &entry, &error);
        g_assert_no_error(error);
        g_autoptr(struct_message_index) index = message_index_new();
        envelope_free(index->envelope);
        index->envelope = g_steal_pointer(&envelope);
        g_free(index->subject);
        index->subject = g_strdup(mail->subject);
        g_free(index->body);
        index->body = g_strdup(mail->body);
        g_free(index->types);
        index->types =
            g_strdup(mail->attachments ? "multipart/mixed text/plain application/pdf" : "text/plain");
        if (mail->attachments) {
            g_free(index->attachments);
            index->attachments = g_strdup(mail->attachments);
            index->attachments_count = 1;
            index->flags |= DOCUMENT_ATTACHMENTS;
        }
        struct placement_body body = {placement, entry.file, entry.hash, mail->size, index};
        placement_attach(world->store, &body, 1, &error);
        g_assert_no_error(error);
        maildir_entry_clear(&entry);
    }
}

/* The same hits, whatever is taken for common and however small the pages are. */
static void
check_ways(struct store *store, const struct query *query, const struct query_options *options, const GArray *hits)
{
    const struct search_tuning usual = search_tuning;
    static const struct search_tuning ways[] = {{-1, -1, 1}, {-1, -1, 3}, {200, -1, 2}, {200, -1, 1000}, {-1, 200, 2}};
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++)
        for (guint limit = 1; limit < 4; limit++) {
            struct query_options page = *options;
            guint found = 0;
            search_tuning = ways[i];
            page.limit = limit;
            for (;;) {
                g_autoptr(GError) error = NULL;
                g_autoptr(GArray) some = store_search(store, query, &page, &error);
                g_assert_no_error(error);
                for (guint k = 0; k < some->len; k++, found++) {
                    g_assert_cmpuint(found, <, hits->len);
                    g_assert_cmpint(g_array_index(some, struct query_hit, k).key, ==,
                                    g_array_index(hits, struct query_hit, found).key);
                }
                if (some->len < limit)
                    break;
                page.before = g_array_index(some, struct query_hit, some->len - 1).key;
            }
            g_assert_cmpuint(found, ==, hits->len);
            search_tuning = usual;
        }
}

/* The letters of what a query finds, in the order of `mails`. */
static char *
find(struct store *store, const char *text, enum search_mode mode, gboolean everything)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_query) query = search_parse_at(text, mode, NOW, NULL, &error);
    g_assert_no_error(error);
    const gint64 marked[] = {numbers[1], numbers[3]};
    struct query_options options = {.everything = everything, .limit = 100, .marked = marked, .n_marked = 2};
    g_autoptr(GArray) hits = store_search(store, query, &options, &error);
    if (error)
        g_test_message("<%s>: %s", text, error->message);
    g_assert_no_error(error);
    check_ways(store, query, &options, hits);
    GString *out = g_string_new(NULL);
    gint64 last = G_MAXINT64;
    for (guint i = 0; i < hits->len; i++) { /* newest first, each once */
        g_assert_cmpint(g_array_index(hits, struct query_hit, i).key, <, last);
        last = g_array_index(hits, struct query_hit, i).key;
    }
    for (guint m = 0; m < G_N_ELEMENTS(mails); m++)
        for (guint i = 0; i < hits->len; i++)
            if (g_array_index(hits, struct query_hit, i).message == numbers[m])
                g_string_append_c(out, mails[m].name);
    gint64 count = store_search_count(store, query, everything, 1000, &error);
    g_assert_no_error(error);
    if (!strstr(text, "~T"))
        g_assert_cmpint(count, ==, hits->len);
    return g_string_free(out, FALSE);
}

static void
test_queries(void)
{
    static const struct {
        const char *text, *found;
        enum search_mode mode;
    } cases[] = {
        /* notmuch's language; what lies in Trash and Junk is left out unless it is named */
        {"*", "abcde", SEARCH_NOTMUCH},
        {"flights", "abe", SEARCH_NOTMUCH},
        {"FLIGHTS", "abe", SEARCH_NOTMUCH},
        {"flight", "", SEARCH_NOTMUCH},
        {"flight*", "abe", SEARCH_NOTMUCH},
        {"hotel", "b", SEARCH_NOTMUCH},
        {"details", "b", SEARCH_NOTMUCH},
        {"\"seats together\"", "a", SEARCH_NOTMUCH},
        {"\"together seats\"", "", SEARCH_NOTMUCH},
        {"from:ana", "ae", SEARCH_NOTMUCH},
        {"from:\"Ana Ruiz\"", "ae", SEARCH_NOTMUCH},
        {"from:tomas", "c", SEARCH_NOTMUCH},
        {"from:ben@example.com", "b", SEARCH_NOTMUCH},
        {"from:example.org", "ace", SEARCH_NOTMUCH},
        {"from:/^ana/", "ae", SEARCH_NOTMUCH},
        {"from:ana from:ben", "abe", SEARCH_NOTMUCH},
        {"to:ben", "ae", SEARCH_NOTMUCH},
        {"to:tomas", "b", SEARCH_NOTMUCH},
        {"cc:tomas", "b", SEARCH_NOTMUCH},
        {"cc:ana", "", SEARCH_NOTMUCH},
        {"subject:lisbon", "abe", SEARCH_NOTMUCH},
        {"subject:/draft$/", "c", SEARCH_NOTMUCH},
        {"subject:(lisbon and re)", "be", SEARCH_NOTMUCH},
        {"body:lisbon", "", SEARCH_NOTMUCH},
        {"body:clause", "c", SEARCH_NOTMUCH},
        {"日本", "d", SEARCH_NOTMUCH},
        {"検索", "d", SEARCH_NOTMUCH},
        {"attachment:pdf", "b", SEARCH_NOTMUCH},
        {"attachment:contract", "c", SEARCH_NOTMUCH},
        {"has:attachment", "bc", SEARCH_NOTMUCH},
        {"is:attachment", "bc", SEARCH_NOTMUCH},
        {"mimetype:application/pdf", "bc", SEARCH_NOTMUCH},
        {"mimetype:application", "bc", SEARCH_NOTMUCH},
        {"is:unread", "bc", SEARCH_NOTMUCH},
        {"is:read", "ade", SEARCH_NOTMUCH},
        {"is:flagged", "c", SEARCH_NOTMUCH},
        {"tag:replied", "d", SEARCH_NOTMUCH},
        {"tag:work", "a", SEARCH_NOTMUCH},
        {"tag:work*", "ac", SEARCH_NOTMUCH},
        {"tag:/^work.leg/", "c", SEARCH_NOTMUCH},
        {"tag:inbox", "abc", SEARCH_NOTMUCH},
        {"tag:sent", "e", SEARCH_NOTMUCH},
        {"tag:spam", "g", SEARCH_NOTMUCH},
        {"tag:deleted", "f", SEARCH_NOTMUCH},
        {"tag:$Junk", "g", SEARCH_NOTMUCH},
        {"flights tag:deleted", "f", SEARCH_NOTMUCH},
        {"flights role:junk", "g", SEARCH_NOTMUCH},
        {"flights not tag:inbox", "e", SEARCH_NOTMUCH},
        {"folder:inbox", "abc", SEARCH_NOTMUCH},
        {"folder:work/Archive", "d", SEARCH_NOTMUCH},
        {"folder:trash", "f", SEARCH_NOTMUCH},
        {"folder:/^arch/", "d", SEARCH_NOTMUCH},
        {"path:work/**", "abcdefg", SEARCH_NOTMUCH},
        {"account:work flights", "abe", SEARCH_NOTMUCH},
        {"account:home", "", SEARCH_NOTMUCH},
        {"id:a@x", "a", SEARCH_NOTMUCH},
        {"id:f@x", "f", SEARCH_NOTMUCH},
        {"mid:/list.example$/", "d", SEARCH_NOTMUCH},
        {"thread:{from:ben}", "abe", SEARCH_NOTMUCH},
        {"list:dev", "d", SEARCH_NOTMUCH},
        {"list:*", "d", SEARCH_NOTMUCH},
        {"size:1M", "c", SEARCH_NOTMUCH},
        {"size:..1700", "e", SEARCH_NOTMUCH},
        {"size:1k..300k", "abde", SEARCH_NOTMUCH},
        {"date:today", "be", SEARCH_NOTMUCH},
        {"date:yesterday", "a", SEARCH_NOTMUCH},
        {"date:..1M", "d", SEARCH_NOTMUCH},
        {"date:2w..", "abce", SEARCH_NOTMUCH},
        {"received:today", "be", SEARCH_NOTMUCH},
        {"flights or contract", "abce", SEARCH_NOTMUCH},
        {"flights and from:ben", "b", SEARCH_NOTMUCH},
        {"flights -from:ben", "ae", SEARCH_NOTMUCH},
        {"not flights", "cd", SEARCH_NOTMUCH},
        {"flights xor from:ben", "ae", SEARCH_NOTMUCH},
        {"(flights or contract) is:unread", "bc", SEARCH_NOTMUCH},
        {"nothing", "", SEARCH_NOTMUCH},
        {"\"'; drop table message; --\"", "", SEARCH_NOTMUCH},
        {"NOT flights OR clause", "cd", SEARCH_NOTMUCH},
        /* mutt's */
        {"~A", "abcde", SEARCH_LIMIT},
        {"~f ana", "ae", SEARCH_LIMIT},
        {"~f RUIZ", "ae", SEARCH_LIMIT},
        {"~f 'a R'", "ae", SEARCH_LIMIT},
        {"~f ^tom", "c", SEARCH_LIMIT},
        {"~t ben", "ae", SEARCH_LIMIT},
        {"~c tomas", "b", SEARCH_LIMIT},
        {"~C tomas", "b", SEARCH_LIMIT},
        {"~L tomas", "bc", SEARCH_LIMIT},
        {"~s offs", "abe", SEARCH_LIMIT},
        {"~s ^Re:", "be", SEARCH_LIMIT},
        {"~b hotel", "b", SEARCH_LIMIT},
        {"~B contract", "c", SEARCH_LIMIT},
        {"~h 'subject: contract'", "c", SEARCH_LIMIT},
        {"~i list.example", "d", SEARCH_LIMIT},
        {"~x b@x", "e", SEARCH_LIMIT},
        {"!~x .", "acd", SEARCH_LIMIT},
        {"~N", "bc", SEARCH_LIMIT},
        {"~U", "bc", SEARCH_LIMIT},
        {"~O", "", SEARCH_LIMIT},
        {"~R", "ade", SEARCH_LIMIT},
        {"~F", "c", SEARCH_LIMIT},
        {"~Q", "d", SEARCH_LIMIT},
        {"~D", "", SEARCH_LIMIT},
        {"~T", "bd", SEARCH_LIMIT},
        {"~P", "ae", SEARCH_LIMIT},
        {"~p", "bc", SEARCH_LIMIT},
        {"~l", "d", SEARCH_LIMIT},
        {"~y work", "ac", SEARCH_LIMIT},
        {"~X 1-", "bc", SEARCH_LIMIT},
        {"~z >1M", "c", SEARCH_LIMIT},
        {"~d <2d", "abe", SEARCH_LIMIT},
        {"~d >1m", "d", SEARCH_LIMIT},
        {"~(~f ben)", "abe", SEARCH_LIMIT},
        {"~<(~f ana)", "b", SEARCH_LIMIT},
        {"~>(~f ben)", "a", SEARCH_LIMIT},
        {"~N ~F | ~P", "ace", SEARCH_LIMIT},
        {"lisb", "abe", SEARCH_LIMIT},
        {"vidal", "c", SEARCH_LIMIT},
        {"~F tag:work*", "c", SEARCH_LIMIT},
    };
    struct world world;
    world_begin(&world);
    fill(&world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = find(world.store, cases[i].text, cases[i].mode, FALSE);
        if (strcmp(found, cases[i].found))
            g_test_message("<%s> finds %s, not %s", cases[i].text, found, cases[i].found);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
    g_autofree char *all = find(world.store, "flights", SEARCH_NOTMUCH, TRUE);
    g_assert_cmpstr(all, ==, "abefg");
    world_end(&world);
}

/* For trees of any shape: what a query finds and what its negation finds are all messages, each once. */
static void
test_negation(void)
{
    static const char *const terms[] = {
        "flights",      "from:ana",    "is:unread",      "tag:work*",         "date:2w..", "size:1M",
        "folder:INBOX", "subject:/r/", "has:attachment", "thread:{contract}", "id:a@x",    "to:ben",
        "hotel*",       "list:*",      "path:work/**",   "cc:tomas",          "role:junk", "account:work"};
    static const char *const joints[] = {" and ", " or ", " xor ", " ", " not "};
    struct world world;
    world_begin(&world);
    fill(&world);
    for (guint round = 0; round < 400; round++) {
        g_autoptr(GString) text = g_string_new(terms[g_test_rand_int_range(0, G_N_ELEMENTS(terms))]);
        for (gint32 n = g_test_rand_int_range(0, 5); n > 0; n--) {
            if (g_test_rand_bit()) {
                g_string_prepend_c(text, '(');
                g_string_append_c(text, ')');
            }
            g_string_append(text, joints[g_test_rand_int_range(0, G_N_ELEMENTS(joints))]);
            g_string_append(text, terms[g_test_rand_int_range(0, G_N_ELEMENTS(terms))]);
        }
        g_autofree char *negated = g_strdup_printf("not (%s)", text->str);
        g_autofree char *found = find(world.store, text->str, SEARCH_NOTMUCH, TRUE);
        g_autofree char *rest = find(world.store, negated, SEARCH_NOTMUCH, TRUE);
        if (strlen(found) + strlen(rest) != G_N_ELEMENTS(mails))
            g_test_message("<%s> finds %s and without it %s", text->str, found, rest);
        g_assert_cmpuint(strlen(found) + strlen(rest), ==, G_N_ELEMENTS(mails));
        g_assert_null(strpbrk(found, *rest ? rest : "\n"));
    }
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/search/queries", test_queries);
    g_test_add_func("/search/negation", test_negation);
    return g_test_run();
}
