/* The same queries asked of our search and of notmuch, on the same mail: the answers are the same. */
#include "config.h"

#include "storetest.h"

#include <signal.h>

#include "base/clock.h"
#include "search/notmuch_child.h"
#include "search/notmuch_index.h"
#include "search/query.h"
#include "store/query.h"

#define MAILS 60
#define NOW G_GINT64_CONSTANT(1795401859)

const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libxapian"; /* it forgets what it had read of a query that it then refuses */
}

static char *self;

static const char *
pick(const char *const *words, guint n)
{
    return words[g_test_rand_int_range(0, (gint32)n)];
}
#define PICK(words) pick(words, G_N_ELEMENTS(words))

/* Words that the English stemmer leaves alone, and none of them a tag or part of an address. */
static const char *const words[] = {"lisbon",   "hotel", "seat",  "draft",
                                    "contract", "noon",  "wagon", "violin"};
static const char *const people[] = {"Ana Ruiz <ana@example.org>", "Ben Okafor <ben@example.com>",
                                     "Cy Young <cy@list.example>"};
static const char *const tags[] = {"work", "urgent", "later", ""};

static char *
sentence(void)
{
    GString *out = g_string_new(NULL);
    for (gint32 n = g_test_rand_int_range(1, 5); n > 0; n--)
        g_string_append_printf(out, "%s%s", out->len ? " " : "", PICK(words));
    return g_string_free(out, FALSE);
}

static void
put(struct world *world, guint number)
{
    g_autoptr(GError) error = NULL;
    const gint64 folders[] = {world->inbox, world->archive, world->sent};
    gint64 folder = folders[g_test_rand_int_range(0, 3)], placement = 0;
    const char *from = PICK(people), *to = PICK(people), *tag = PICK(tags);
    guint flags = (guint)g_test_rand_int_range(0, 8); /* seen, answered, flagged */
    gint64 date = NOW - g_test_rand_int_range(0, 400) * 86400;
    g_autofree char *id = g_strdup_printf("m%u@x", number), *subject = sentence(), *body = sentence();
    g_autofree char *date_text = clock_rfc5322(date, 0);
    g_autofree char *bytes =
        g_strdup_printf("From: %s\nTo: %s\nSubject: %s\nMessage-ID: <%s>\nDate: %s\n\n%s\n", from, to,
                        subject, id, date_text, body);
    g_autoptr(struct_envelope) envelope = make_envelope(id, NULL, from, to, subject, date);
    struct placement_new row = {
        .uid = number + 1, .flags = flags, .tags = tag, .envelope = envelope, .received = date, .size = 500};
    placement_insert(world->store, folder, &row, 1, &placement, &error);
    g_assert_no_error(error);
    g_autofree char *dir = folder_path(world->store, folder, TRUE, &error);
    struct maildir_entry entry = {0};
    maildir_deliver(dir, flags, bytes, strlen(bytes), &entry, &error);
    g_assert_no_error(error);
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    index->envelope = g_steal_pointer(&envelope);
    g_free(index->subject);
    index->subject = g_strdup(subject);
    g_free(index->body);
    index->body = g_strdup(body);
    struct placement_body attached = {placement, entry.file, entry.hash, entry.wire_size, index};
    placement_attach(world->store, &attached, 1, &error);
    g_assert_no_error(error);
    maildir_entry_clear(&entry);
}

static char *
term(void)
{
    static const char *const from[] = {"from:ana", "from:ben", "from:\"Cy Young\"", "from:example.org",
                                       "from:ana@example.org"};
    static const char *const to[] = {"to:ana", "to:cy", "to:ben@example.com"};
    static const char *const marks[] = {"tag:unread", "is:flagged", "tag:replied", "tag:work",
                                        "is:urgent",  "tag:inbox",  "tag:sent",    "tag:nothing"};
    static const char *const places[] = {"folder:work/INBOX", "folder:work/Archive", "path:work/Sent/cur",
                                         "path:work/**"};
    static const char *const dates[] = {"date:2026-10..",
                                        "date:..2026-06",
                                        "date:2026-03..2026-09",
                                        "date:@1780000000..",
                                        "date:2026-05",
                                        "date:1_june_2026..1_july_2026",
                                        "date:2025-12-01..2026-08-01"};
    switch (g_test_rand_int_range(0, 10)) {
    case 0:
        return g_strdup(PICK(from));
    case 1:
        return g_strdup(PICK(to));
    case 2:
    case 3:
        return g_strdup(PICK(marks));
    case 4:
        return g_strdup(PICK(places));
    case 5:
        return g_strdup(PICK(dates));
    case 6:
        return g_strdup_printf("subject:%s", PICK(words));
    case 7:
        return g_strdup_printf("body:%s", PICK(words));
    case 8:
        return g_strdup_printf("id:m%d@x", g_test_rand_int_range(0, MAILS));
    default:
        return g_test_rand_bit() ? g_strdup(PICK(words))
                                 : g_strdup_printf("\"%s %s\"", PICK(words), PICK(words));
    }
}

/* notmuch's answer does not hang on how deep or wide a query is; ours is bounded. */
static char *
make_query(guint depth)
{
    static const char *const joints[] = {" and ", " or ", " xor ", " ", " ", " and not ", " -"};
    g_autofree char *first = term();
    GString *out = g_string_new(first);
    for (gint32 n = g_test_rand_int_range(0, 4); n > 0; n--) {
        const char *joint = PICK(joints);
        g_autofree char *next = depth && g_test_rand_int_range(0, 3) == 0 ? make_query(depth - 1) : term();
        /* Two dates side by side are one or the other for Xapian, but both after a "not": nobody means that.
         */
        g_string_append(out, g_str_has_prefix(next, "date:") && !strcmp(joint, " ") ? " and " : joint);
        if (strpbrk(next, " ") && *next != '"' && !g_str_has_prefix(next, "from:\""))
            g_string_append_printf(out, "(%s)", next);
        else
            g_string_append(out, next);
    }
    return g_string_free(out, FALSE);
}

static char *
ask_notmuch(const struct world *world, const char *query)
{
    g_autoptr(GError) error = NULL;
    char *buffer = NULL;
    size_t size = 0;
    g_autofree char *mail = g_build_filename(world->dir, "mail", NULL);
    FILE *out = open_memstream(&buffer, &size);
    gboolean ok = notmuch_find(mail, query, 0, out, &error);
    fclose(out);
    if (!ok) { /* Xapian has no -date: */
        g_assert_nonnull(strstr(error->message, "Unknown range operation"));
        free(buffer);
        return NULL;
    }
    g_auto(GStrv) ids = g_strsplit(g_strchomp(buffer), "\n", -1);
    char *set = tags_from_list((const char *const *)ids, -1);
    free(buffer);
    return set;
}

static char *
ask_store(const struct world *world, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_query) query = search_parse_at(text, SEARCH_NOTMUCH, NOW, NULL, &error);
    g_assert_no_error(error);
    struct query_options options = {.everything = TRUE, .limit = MAILS};
    g_autoptr(GArray) hits = store_search(world->store, query, &options, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < hits->len; i++) {
        g_autoptr(struct_message) message =
            message_load(world->store, g_array_index(hits, struct query_hit, i).message, NULL);
        g_ptr_array_add(ids, g_strdup(message->message_id));
    }
    return tags_from_list((const char *const *)ids->pdata, ids->len);
}

static void
test_agrees(void)
{
    struct world world;
    world_begin(&world);
    for (guint i = 0; i < MAILS; i++)
        put(&world, i);
    const char *const child[] = {self, "--child", NULL};
    struct index_options options = {.child = child};
    g_autoptr(struct_index_context) context = index_context_new(world.store, &options);
    gboolean more = TRUE;
    while (more) {
        g_autoptr(GError) error = NULL;
        index_pass(context, 1000, &more, &error);
        g_assert_no_error(error);
    }
    guint answered = 0;
    for (guint round = 0; round < 1500; round++) {
        g_autofree char *query = make_query(2);
        g_autofree char *theirs = ask_notmuch(&world, query), *ours = ask_store(&world, query);
        if (!theirs)
            continue;
        if (strcmp(theirs, ours))
            g_test_message("<%s>", query);
        g_assert_cmpstr(ours, ==, theirs);
        answered += *ours != '\0';
    }
    g_assert_cmpuint(answered, >, 500);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        return notmuch_child_main(0, 0);
    self = argv[0];
    g_setenv("TZ", "UTC", TRUE);
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notmuch-agrees/queries", test_agrees);
    return g_test_run();
}
