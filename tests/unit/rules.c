/* rules: what is written, which mail it is for, what is done, once, and taken back */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "mail/rawmsg.h"
#include "store/filing.h"
#include "store/outbox.h"
#include "store/undo.h"
#include "trust/rules.h"

#define ACCOUNT                                                                                                        \
    "[account work]\naddress = Ana <ana@example.org>\nincoming = imaps://ana@h\noutgoing = smtps://ana@h\n"

static struct config *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *all = g_strconcat(ACCOUNT, text, NULL);
    struct config *config = config_parse(all, "config", &error);
    g_assert_no_error(error);
    return config;
}

static void
test_actions(void)
{
    static const struct {
        const char *then, *text; /* as it is written back; or words of the error, with | between */
        gboolean ok;
    } cases[] = {
        {"move Lists/dev", "move Lists/dev", TRUE},
        {" move Lists ;read; flag ;", "move Lists; read; flag", TRUE},
        {"tag +work -inbox later", "tag +later +work -inbox", TRUE},
        {"copy Archive; archive; delete; junk; stop", "copy Archive; archive; delete; junk; stop", TRUE},
        {"forward Ben <ben@example.net>", "forward ben@example.net", TRUE},
        {"notify", "notify", TRUE},
        {"notify \"a; b\"; read", "notify \"a; b\"; read", TRUE},
        {"run /usr/bin/tee 'a b;c' $HOME", "run /usr/bin/tee 'a b;c' $HOME", TRUE},
        {"", "no action|move Lists", FALSE},
        {" ; ", "no action", FALSE},
        {"move", "move:|which folder|move FOLDER", FALSE},
        {"mov x", "\"mov x\"|move FOLDER|stop", FALSE},
        {"read now", "\"now\"|too much", FALSE},
        {"tag", "which tag", FALSE},
        {"tag +a\"b", "cannot be a tag", FALSE},
        {"forward ben", "forward", FALSE},
        {"forward a@x.org, b@x.org", "one address", FALSE},
        {"run", "which program", FALSE},
        {"run 'open", "run", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_rule) rule = rule_new("test", "*", cases[i].then, &error);
        if (cases[i].ok) {
            g_assert_no_error(error);
            g_autofree char *text = rule_actions_text(rule);
            g_assert_cmpstr(text, ==, cases[i].text);
            continue;
        }
        g_assert_null(rule);
        g_assert_error(error, RULES_ERROR, ERROR_INPUT);
        g_auto(GStrv) words = g_strsplit(cases[i].text, "|", -1);
        for (char **word = words; *word; word++)
            if (!strstr(error->message, *word))
                g_error("case %u: \"%s\" is not in: %s", i, *word, error->message);
    }
}

static void
test_mistakes(void)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[rule a]\nwhen = from:(\nthen = read\n", "config:6:|[rule a] when"},
        {"[rule a]\nthen = reed\nwhen = from:x\n", "config:6:|[rule a] then|\"reed\""},
        {"[rule a]\nwhen = x\nthen = read\naccount = home\n", "config:5:|\"home\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_config) config = parse(cases[i].text);
        g_autoptr(GError) error = NULL;
        g_assert_null(rules_compile(config, &error));
        g_assert_error(error, RULES_ERROR, ERROR_CONFIG);
        g_auto(GStrv) words = g_strsplit(cases[i].words, "|", -1);
        for (char **word = words; *word; word++)
            if (!strstr(error->message, *word))
                g_error("case %u: \"%s\" is not in: %s", i, *word, error->message);
    }
}

static gint64
mail(struct world *world, guint32 uid, const char *from, const char *subject, const char *body)
{
    g_autofree char *id = g_strdup_printf("m%u@x", uid);
    gint64 placement = add_mail(world->store, world->inbox, uid, id, NULL, from, subject, 1700000000 + uid);
    add_body(world->store, placement, body, NULL);
    return message_of(world->store, placement);
}

static gint64
folder_now(struct store *store, gint64 message)
{
    g_autoptr(GPtrArray) places = message_places(store, message, NULL);
    g_assert_cmpuint(places->len, ==, 1);
    return ((struct message_place *) places->pdata[0])->folder;
}

static char *
filings(struct store *store, gint64 message)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GPtrArray) list = filing_list(store, message, NULL);
    for (guint i = 0; i < list->len; i++) {
        const struct filing *filing = list->pdata[i];
        g_string_append_printf(out, "%s%s: %s%s%s", i ? " | " : "", filing->rule, filing->action, filing->error ? " ! " : "",
                               filing->error ? filing->error : "");
    }
    return g_string_free(out, FALSE);
}

struct heard {
    GString *text;
};

static void
hear(const char *text, gpointer data)
{
    struct heard *heard = data;
    g_string_append_printf(heard->text, "[%s]", text);
}

static void
arrive(struct world *world, const struct config *config, gint64 message, struct heard *heard, guint acted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rules = rules_compile(config, &error);
    g_assert_no_error(error);
    struct rules_context context = {world->store, config, rules, heard ? hear : NULL, heard};
    guint n = 99;
    g_assert_true(rules_arrived(&context, message, "work", &n, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(n, ==, acted);
    assert_sound(world->store);
}

/* Conditions see the message as it came; "stop" ends it; each rule acts once; undo takes all back. */
static void
test_arrival(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(struct_config) config = parse("[rule dev]\nwhen = subject:patch\nthen = tag +dev; move Archive\n"
                                            "[rule inbox]\nwhen = folder:INBOX and from:ben\nthen = flag; stop\n"
                                            "[rule rest]\nwhen = *\nthen = read\n"
                                            "[rule other]\naccount = work\nwhen = lunch\nthen = move Nowhere\n");
    gint64 a = mail(&world, 1, "Ben <ben@example.net>", "a patch", "for you"),
           b = mail(&world, 2, "Eve <eve@example.net>", "lunch", "today"),
           c = mail(&world, 3, "Ben <ben@example.net>", "hello", "lunch");
    arrive(&world, config, a, NULL, 2);
    g_assert_cmpint(folder_now(world.store, a), ==, world.archive);
    g_autoptr(struct_message) row = message_load(world.store, a, NULL);
    g_assert_cmpstr(row->tags, ==, "dev");
    g_assert_cmpuint(row->flags, ==, FLAG_FLAGGED);
    g_autofree char *words = filings(world.store, a);
    g_assert_cmpstr(words, ==, "dev: tag +dev; move Archive | inbox: flag; stop");
    arrive(&world, config, a, NULL, 0); /* once */

    g_autofree char *text = NULL;
    g_assert_true(undo(world.store, 0, &text, NULL));
    g_assert_cmpstr(text, ==, "the rules dev, inbox");
    g_assert_cmpint(folder_now(world.store, a), ==, world.inbox);
    g_autoptr(struct_message) back = message_load(world.store, a, NULL);
    g_assert_cmpstr(back->tags, ==, "");
    g_assert_cmpuint(back->flags, ==, 0);
    arrive(&world, config, a, NULL, 0); /* and not again after that */

    /* A folder that is not there: said, and the others go on. */
    arrive(&world, config, b, NULL, 1);
    g_autofree char *failed = filings(world.store, b);
    g_assert_nonnull(strstr(failed, "rest: read | other: move Nowhere ! "));
    g_assert_nonnull(strstr(failed, "Nowhere"));
    g_assert_cmpint(folder_now(world.store, b), ==, world.inbox);
    arrive(&world, config, c, NULL, 1);
    world_end(&world);
}

static void
test_forward(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = parse("[rule on]\nwhen = subject:lunch\nthen = forward eve@example.net; read\n");
    gint64 a = mail(&world, 1, "Ben <ben@example.net>", "lunch", "today");
    arrive(&world, config, a, NULL, 1);
    g_autofree char *words = filings(world.store, a);
    g_assert_cmpstr(words, ==, "on: forward eve@example.net; read");
    g_autoptr(GPtrArray) queue = outbox_list(world.store, 0, TRUE, &error);
    g_assert_cmpuint(queue->len, ==, 1);
    const struct outbox_item *item = queue->pdata[0];
    g_assert_cmpstr(item->from, ==, "ana@example.org");
    g_assert_cmpstr(((struct outbox_recipient *) item->recipients->pdata[0])->addr, ==, "eve@example.net");
    g_autoptr(GBytes) sent = outbox_bytes(world.store, item, &error);
    g_autofree char *loop = rawmsg_get(sent, "X-Loop", 0), *to = rawmsg_get(sent, "Resent-To", 0);
    g_assert_cmpstr(loop, ==, "ana@example.org");
    g_assert_cmpstr(to, ==, "eve@example.net");

    /* It comes back: not sent on again. */
    g_autofree char *dir = folder_path(world.store, world.inbox, TRUE, &error);
    gint64 placement = add_mail(world.store, world.inbox, 9, "back@x", NULL, "Ben <ben@example.net>", "lunch", 1700000009);
    struct maildir_entry entry = {0};
    g_assert_true(maildir_deliver(dir, 0, g_bytes_get_data(sent, NULL), g_bytes_get_size(sent), &entry, &error));
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    index->envelope = make_envelope("back@x", NULL, "ben@example.net", NULL, "lunch", 1700000009);
    struct placement_body body = {placement, entry.file, entry.hash, entry.wire_size, index};
    g_assert_true(placement_attach(world.store, &body, 1, &error));
    maildir_entry_clear(&entry);
    struct heard heard = {g_string_new(NULL)};
    gint64 b = message_of(world.store, placement);
    arrive(&world, config, b, &heard, 1);
    g_autofree char *again = filings(world.store, b);
    g_assert_nonnull(strstr(again, "came back"));
    g_assert_nonnull(strstr(heard.text->str, "came back"));
    g_autoptr(GPtrArray) still = outbox_list(world.store, 0, TRUE, &error);
    g_assert_cmpuint(still->len, ==, 1);
    g_string_free(heard.text, TRUE);
    world_end(&world);
}

/* Programs get the message as input and their arguments as written, and what they say is told when they fail. */
static void
test_programs(void)
{
    struct world world;
    world_begin(&world);
    g_autofree char *out = g_build_filename(world.dir, "out", NULL);
    g_autofree char *text =
        g_strdup_printf("[rule keep]\nwhen = subject:keep\nthen = run dd status=none of=%s\n"
                        "[rule bad]\nwhen = subject:bad\nthen = run sh -c 'echo \"no \\033[31mroom\" >&2; exit 3'; flag\n"
                        "[rule none]\nwhen = subject:none\nthen = run /does/not/exist\n"
                        "[rule say]\nwhen = subject:say\nthen = notify\n",
                        out);
    g_autoptr(struct_config) config = parse(text);
    gint64 a = mail(&world, 1, "Ben <ben@example.net>", "keep", "$(touch x) `id`"),
           b = mail(&world, 2, "Ben <ben@example.net>", "bad", "x"), c = mail(&world, 3, "Ben <ben@example.net>", "none", "x"),
           d = mail(&world, 4, "Ben <ben@example.net>", "say \033[31m", "x");
    struct heard heard = {g_string_new(NULL)};
    arrive(&world, config, a, &heard, 1);
    g_autofree char *got = NULL;
    g_assert_true(g_file_get_contents(out, &got, NULL, NULL));
    g_assert_nonnull(strstr(got, "$(touch x) `id`"));
    g_assert_cmpstr(heard.text->str, ==, "");
    arrive(&world, config, b, &heard, 1);
    g_autofree char *bad = filings(world.store, b);
    g_assert_nonnull(strstr(bad, "sh ended with 3: no "));
    g_assert_null(strchr(heard.text->str, '\033'));
    g_assert_nonnull(strstr(heard.text->str, "the rule \"bad\": sh ended with 3"));
    arrive(&world, config, c, &heard, 1);
    g_autofree char *none = filings(world.store, c);
    g_assert_nonnull(strstr(none, "/does/not/exist"));
    g_string_truncate(heard.text, 0);
    arrive(&world, config, d, &heard, 1);
    g_assert_true(g_str_has_prefix(heard.text->str, "[Ben: say "));
    g_assert_null(strchr(heard.text->str, '\033'));
    g_string_free(heard.text, TRUE);
    world_end(&world);
}

/* By hand: found first, then done, and one action to undo. */
static void
test_by_hand(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = parse("[rule ben]\nwhen = from:ben\nthen = move Archive; stop\n"
                                            "[rule all]\nwhen = *\nthen = read\n");
    gint64 ids[20];
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        ids[i] = mail(&world, i + 1, i % 2 ? "Ben <ben@example.net>" : "Eve <eve@example.net>", "x", "y");
    g_autoptr(GPtrArray) rules = rules_compile(config, &error);
    struct rules_context context = {world.store, config, rules, NULL, NULL};
    g_autoptr(GPtrArray) hits = rules_find(&context, NULL, 100, &error);
    g_assert_no_error(error);
    const struct rules_hit *ben = hits->pdata[0], *all = hits->pdata[1];
    g_assert_cmpuint(ben->messages->len, ==, 10);
    g_assert_cmpuint(all->messages->len, ==, 10);
    g_assert_cmpint(folder_now(world.store, ids[1]), ==, world.inbox);
    gint64 journal = 0;
    g_assert_true(rules_run(&context, hits, &journal, &error));
    g_assert_no_error(error);
    g_assert_cmpint(folder_now(world.store, ids[1]), ==, world.archive);
    g_assert_cmpint(folder_now(world.store, ids[0]), ==, world.inbox);
    assert_sound(world.store);
    g_assert_true(undo(world.store, journal, NULL, &error));
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        g_assert_cmpint(folder_now(world.store, ids[i]), ==, world.inbox);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rules/actions", test_actions);
    g_test_add_func("/rules/mistakes", test_mistakes);
    g_test_add_func("/rules/arrival", test_arrival);
    g_test_add_func("/rules/forward", test_forward);
    g_test_add_func("/rules/programs", test_programs);
    g_test_add_func("/rules/by-hand", test_by_hand);
    return g_test_run();
}
