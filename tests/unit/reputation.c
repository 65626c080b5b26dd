/* How well senders are known, what they pretend, block lists; and what of it the filter is told */
#include "config.h"

#include "signer.h"
#include "storetest.h"

#include "store/arrival.h"
#include "store/contact.h"
#include "trust/authres.h"
#include "trust/blocklist.h"
#include "trust/evidence.h"
#include "trust/replay.h"
#include "trust/reputation.h"

#define DAY 86400
#define START 1700000000

#define CONFIG                                                                                                         \
    "[account work]\naddress = Ana Ruiz <ana@example.org>\naliases = ana@lisbon.example\nincoming = maildir:/nowhere\n"

/* People that Ana deals with, and what else comes to her. */
static void
fill(struct world *world)
{
    static const char *const friends[] = {"Ben Okafor <ben@harbour-works.example>", "Marta Prado <marta.prado@gmail.com>",
                                          "Tomás Vidal <tomas@kontor.example>", "Иван Петров <ivan@пример.example>"};
    guint32 uid = 1;
    for (guint i = 0; i < G_N_ELEMENTS(friends); i++)
        for (guint n = 0; n < 3; n++, uid++) {
            g_autofree char *id = g_strdup_printf("f%u@x", uid);
            g_autoptr(struct_envelope) answer =
                make_envelope(id, NULL, "Ana Ruiz <ana@example.org>", friends[i], "re", START + n * DAY);
            add_envelope(world->store, world->sent, uid, FLAG_SEEN, NULL, answer);
        }
    /* heard from often, never answered */
    for (guint n = 0; n < 12; n++, uid++) {
        g_autofree char *id = g_strdup_printf("n%u@x", uid);
        add_mail(world->store, world->inbox, uid, id, NULL, n % 2 ? "MyBank <news@mybank.com>" : "Ben Okafor <notifications@github.com>",
                 "news", START + n * DAY);
    }
    add_mail(world->store, world->inbox, uid++, "once@x", NULL, "Once <once@heard.example>", "hello", START);
    add_mail(world->store, world->junk, uid, "spam@x", NULL, "Cheap <deal@spam.example>", "deal", START);
}

static char *
signs_of(struct world *world, const struct config *config, const struct envelope *envelope, gint64 message, const char *lists)
{
    struct reputation reputation;
    reputation_find(world->store, config, message, envelope, lists, &reputation);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < reputation.signs->len; i++) {
        const struct reputation_sign *sign = reputation.signs->pdata[i];
        g_test_message("  %s", sign->words);
        g_assert_true(*sign->words && g_utf8_validate(sign->words, -1, NULL));
        g_string_append_printf(out, "%s%s%s", i ? " " : "", sign->warns ? "!" : "", reputation_mark_name(sign->mark));
    }
    reputation_clear(&reputation);
    return g_string_free(out, FALSE);
}

/* Of a message that lies outside the store, so that nothing is said of how new it is. */
static void
test_signs(void)
{
    static const struct {
        const char *name, *addr, *reply_to, *list, *signs;
    } cases[] = {
        /* those who are known, and strangers who pretend nothing */
        {"Ben Okafor", "ben@harbour-works.example", NULL, NULL, ""},
        {"B. Okafor", "ben@harbour-works.example", NULL, NULL, ""},
        {"Marta Prado", "marta.prado@gmail.com", NULL, NULL, ""},
        {"Иван Петров", "ivan@пример.example", NULL, NULL, ""},
        {"Stranger", "stranger@else.example", NULL, NULL, ""},
        {NULL, "stranger@else.example", NULL, NULL, ""},
        {"Sara New", "sara.new@gmail.com", NULL, NULL, ""},
        {"Ana Ruiz", "ana@example.org", NULL, NULL, ""},
        {"Ana Ruiz", "ana@lisbon.example", NULL, NULL, ""},
        {"Other Colleague", "other@example.org", NULL, NULL, ""},
        {"Ben's colleague", "clara@harbour-works.example", NULL, NULL, ""},
        {"MyBank", "info@mail.mybank.com", NULL, NULL, ""},
        {"MyBank", "news@mybank.org", NULL, NULL, ""},
        {"Ben Okafor", "notifications@github.com", NULL, NULL, ""},
        {"Ben Okafor", "invitations@network.example", NULL, NULL, ""},
        {"Ben Okafor", "noreply@docs.example", NULL, NULL, ""},
        {"Ben Okafor via Dev", "dev@lists.example", NULL, "dev.lists.example", ""},
        {"Ben Okafor", "dev@lists.example", NULL, "dev.lists.example", ""},
        {"ben@harbour-works.example", "ben@harbour-works.example", NULL, NULL, ""},
        {"ben@mail.harbour-works.example", "other@harbour-works.example", NULL, NULL, ""},
        {"ben@harbour-works.example via Dev", "dev@lists.example", NULL, "dev.lists.example", ""},
        {"Ben Okafor", "b.okafor@harbour-works.example", NULL, NULL, ""}, /* another address at work */
        {"Ben", "ben@private.example", NULL, NULL, ""},
        {"Müller", "info@müller.de", NULL, NULL, ""},
        {"Shop", "info@lægevagt.dk", NULL, NULL, ""},
        {"Shop", "info@магазин.example", NULL, NULL, ""},
        {"Once", "once@heard.example", NULL, NULL, ""},
        {"Heard", "x@haerd.example", NULL, NULL, ""}, /* near to one who was never answered */
        {"Spam", "x@sparn.example", NULL, NULL, ""},  /* like one who is not dealt with */
        {"Service", "service@else.example", "answers@else.example", NULL, ""},
        {"Service", "service@else.example", "ana@example.org", NULL, ""},
        {"Service", "service@else.example", "service@mail.else.example", NULL, ""},
        {"List", "dev@lists.example", "dev@other.example", "dev.lists.example", ""},
        /* told */
        {"Newsletter", "news@else.example", "answers@mailer.example", NULL, "reply-elsewhere"},
        {"Stranger Person", "s@else.example", "s@private.example", NULL, "reply-elsewhere"},
        {"Ben Okafor", "ben@harbour-works.example", "ben@kontor.example", NULL, "reply-elsewhere"},
        /* warnings */
        {"Ben Okafor", "ben@harbour-works.example", "ben@elsewhere.example", NULL, "!reply-elsewhere"},
        {"Ben Okafor", "ben@harb0ur-works.example", NULL, NULL, "!lookalike !other-person"},
        {"Office", "office@harb0ur-works.example", NULL, NULL, "!lookalike"},
        {"Office", "office@harbour-work.example", NULL, NULL, ""},
        {"Office", "office@harbuor-works.example", NULL, NULL, "!lookalike"},
        {"Office", "office@harbour-vorks.example", NULL, NULL, "!lookalike"},
        {"Office", "office@mail.harbour-works.example.evil.test", NULL, NULL, "!lookalike"},
        {"MyBank", "news@rnybank.com", NULL, NULL, "!lookalike"},
        {"MyBank", "news@mail.rnybank.com", NULL, NULL, "!lookalike"},
        {"MyBank", "news@mybank.com.evil.test", NULL, NULL, "!lookalike"},
        {"MyBank", "news@mуbank.com", NULL, NULL, "!letters !lookalike"},
        {"MyBank", "news@xn--mbank-eze.com", NULL, NULL, "!letters !lookalike"},
        {"Gmail", "x@gmai1.com", NULL, NULL, "!lookalike"},
        {"Colleague", "it@examp1e.org", NULL, NULL, "!lookalike"},
        {"Colleague", "it@exampel.org", NULL, NULL, "!lookalike"},
        {"Colleague", "it@1isbon.example", NULL, NULL, "!lookalike"},
        {"Fruit", "x@аррӏе.com", NULL, NULL, "!letters"},
        {"Ben Okafor", "ben.okafor@gmail.com", NULL, NULL, "!other-person"},
        {"BEN OKAFOR", "x@else.example", NULL, NULL, "!other-person"},
        {"Bеn Okаfor", "x@else.example", NULL, NULL, "!letters !other-person"}, /* Cyrillic e, a */
        {"Ben 0kafor", "x@else.example", NULL, NULL, "!other-person"},
        {"Marta Prado", "marta.prado.77@gmail.com", NULL, NULL, "!other-person"},
        {"Sаra", "x@else.example", NULL, NULL, "!letters"},
        {"Иван Ivanov", "x@else.example", NULL, NULL, ""},
        {"山田 Taro様", "x@else.example", NULL, NULL, ""},
        {"Иван Петров", "ivan@else.example", NULL, NULL, "!other-person"},
        {"Ana Ruiz", "x@else.example", NULL, NULL, "!as-you"},
        {"Аna Ruiz", "x@else.example", NULL, NULL, "!letters !as-you"},
        {"ben@harbour-works.example", "x@else.example", NULL, NULL, "!other-address"},
        {"Ben <ben@harbour-works.example>", "x@else.example", NULL, NULL, "!other-address"},
        {"service@bank.example (Bank)", "x@else.example", NULL, NULL, "!other-address"},
        {"ana@example.org", "x@else.example", NULL, NULL, "!other-address"},
        {"Ben Okafor", "ben@harb0ur-works.example", "ben@elsewhere.example", NULL, "!lookalike !other-person reply-elsewhere"},
    };
    struct world world;
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = config_parse(CONFIG, "x", &error);
    g_assert_no_error(error);
    world_begin(&world);
    fill(&world);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_envelope) envelope = make_envelope("x@x", NULL, NULL, "ana@example.org", "x", START + 30 * DAY);
        address_list_add(envelope->from, cases[i].name, cases[i].addr);
        if (cases[i].reply_to)
            address_list_add(envelope->reply_to, NULL, cases[i].reply_to);
        envelope->list_id = g_strdup(cases[i].list);
        g_test_message("%u: %s <%s>", i, cases[i].name ? cases[i].name : "", cases[i].addr);
        g_autofree char *signs = signs_of(&world, config, envelope, 0, NULL);
        g_assert_cmpstr(signs, ==, cases[i].signs);
    }
    world_end(&world);
}

/* Nobody is held against anybody where nothing is known. */
static void
test_nothing(void)
{
    struct reputation reputation;
    g_autoptr(struct_envelope) envelope = make_envelope("x@x", NULL, "Ben Okafor <ben@x.example>", NULL, "x", START);
    reputation_find(NULL, NULL, 0, envelope, NULL, &reputation);
    g_assert_cmpuint(reputation.signs->len, ==, 0);
    g_assert_cmpstr(reputation.owner, ==, "x.example");
    reputation_clear(&reputation);
    address_list_add(envelope->from, NULL, "second@x.example");
    reputation_find(NULL, NULL, 0, envelope, NULL, &reputation);
    g_assert_null(reputation.owner);
    reputation_clear(&reputation);
}

/* New, then no longer; junk is counted and told, and does not hide one who is written to. */
static void
test_history(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    world_begin(&world);
    fill(&world);
    gint64 first = message_of(world.store, add_mail(world.store, world.inbox, 100, "h1@x", NULL, "Eve <eve@new.example>", "a", START));
    g_autoptr(struct_message) message = message_load(world.store, first, &error);
    g_autoptr(struct_envelope) envelope = make_envelope("h1@x", NULL, "Eve <eve@new.example>", NULL, "a", START);
    g_autofree char *fresh = signs_of(&world, NULL, envelope, first, NULL);
    g_assert_cmpstr(fresh, ==, "new-address new-domain");
    add_mail(world.store, world.inbox, 101, "h2@x", NULL, "Eve <eve@new.example>", "b", START + DAY);
    g_autofree char *known = signs_of(&world, NULL, envelope, first, NULL);
    g_assert_cmpstr(known, ==, "");

    struct known sums;
    g_assert_true(known_arrived(world.store, first, REPUTATION_STAGE, "{}", "new.example", &error));
    g_assert_true(known_arrived(world.store, first, REPUTATION_STAGE, "{}", "new.example", &error)); /* after a kill */
    g_assert_true(known_called(world.store, "eve@new.example", "new.example", TRUE, &error));
    g_assert_true(known_owner(world.store, "new.example", &sums, &error));
    g_assert_cmpuint(sums.vouched, ==, 1);
    g_assert_cmpuint(sums.vouched_junk, ==, 1);
    g_assert_cmpuint(sums.received, ==, 2);
    g_assert_cmpuint(sums.junk, ==, 1);
    g_assert_cmpint(sums.first, ==, START);
    g_autofree char *junk = signs_of(&world, NULL, envelope, first, NULL);
    g_assert_cmpstr(junk, ==, "junk-before");
    struct reputation reputation;
    reputation_find(world.store, NULL, first, envelope, NULL, &reputation);
    g_autofree char *words = reputation_words(&reputation);
    g_assert_cmpstr(words, ==, "known since 2023: 2 messages, 1 called junk");
    reputation_clear(&reputation);

    g_assert_true(known_called(world.store, "ben@harbour-works.example", NULL, TRUE, &error));
    g_autoptr(GPtrArray) found = contact_complete(world.store, "ben@harbour", 10, &error);
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_no_error(error);
    world_end(&world);
}

/* A store from before comes forward with what it knows. */
static void
test_forward(void)
{
    struct world world;
    world_begin(&world);
    fill(&world);
    g_autoptr(GPtrArray) like = known_owners_like(world.store, "harb0ur-works.example", NULL);
    g_assert_cmpuint(like->len, ==, 1);
    g_assert_cmpstr(like->pdata[0], ==, "harbour-works.example");
    g_autoptr(GPtrArray) people = known_people(world.store, "BEN 0KAFOR", NULL);
    g_assert_cmpuint(people->len, ==, 1);
    g_assert_true(known_owner_is_familiar(world.store, "mybank.com"));
    g_assert_false(known_owner_is_familiar(world.store, "heard.example"));
    world_end(&world);
}

static void
test_lists(void)
{
    static const struct {
        const char *address, *name;
    } names[] = {
        {"127.0.0.2", "2.0.0.127.zen.example"},
        {"198.51.100.7", "7.100.51.198.zen.example"},
        {"2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.example"},
        {"example.org", NULL},
        {"1.2.3", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = blocklist_name(names[i].address, "zen.example");
        g_assert_cmpstr(name, ==, names[i].name);
    }
    g_assert_true(blocklist_is_listing("127.0.0.2"));
    g_assert_true(blocklist_is_listing("127.0.1.2"));
    g_assert_false(blocklist_is_listing("127.255.255.254"));
    g_assert_false(blocklist_is_listing("203.0.113.1"));
    g_assert_false(blocklist_is_listing("::1"));

    struct zone zone = {0};
    static const char *const lines[] = {
        "7.100.51.198.zen.example A 127.0.0.4", "7.100.51.198.zen.example TXT a proxy\x1b[1m of a network",
        "8.100.51.198.zen.example A 127.255.255.254", /* refused */
        "9.100.51.198.zen.example A 203.0.113.9",     /* a search page of the provider */
        "7.100.51.198.dead.example A 127.0.0.2", "1.0.0.127.dead.example A 127.0.0.2",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.example A 127.0.0.3",
        "evil.test.dbl.example A 127.0.1.2", "evil.test.gone.example A 127.0.1.2", "invalid.gone.example A 127.0.1.2",
        "7.100.51.198.slow.example A !",
    };
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        zone_add(&zone, "%s", lines[i]);
    g_autoptr(struct_dns) dns = dns_new_function(zone_lookup, &zone);
    const char *const addresses[] = {"zen.example", "dead.example", "slow.example", NULL};
    const char *const of_domains[] = {"dbl.example", "gone.example", NULL};
    const char *const domains[] = {"good.test", "evil.test", NULL};
    static const struct {
        const char *address, *answer;
    } cases[] = {
        {"198.51.100.7", "zen.example\t198.51.100.7\t127.0.0.4\ta proxy\xef\xbf\xbd[1m of a network"},
        {"198.51.100.8", ""},
        {"198.51.100.9", ""},
        {"198.51.100.10", ""},
        {"2001:db8::1", "zen.example\t2001:db8::1\t127.0.0.3\t"},
        {"unknown", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = blocklist_ask(dns, addresses, NULL, cases[i].address, NULL);
        g_assert_cmpstr(answer, ==, cases[i].answer);
    }
    g_autofree char *links = blocklist_ask(dns, addresses, of_domains, NULL, domains);
    g_assert_cmpstr(links, ==, "dbl.example\tevil.test\t127.0.1.2\t");
    g_autofree char *none = blocklist_ask(dns, NULL, NULL, "198.51.100.7", domains);
    g_assert_cmpstr(none, ==, "");
    g_autofree char *words = reputation_list_words(cases[0].answer);
    g_assert_cmpstr(words, ==, "198.51.100.7 is on the block list zen.example (127.0.0.4: a proxy\xef\xbf\xbd[1m of a network)");
    g_autofree char *bare = reputation_list_words(links);
    g_assert_cmpstr(bare, ==, "evil.test is on the block list dbl.example (127.0.1.2)");
    g_assert_null(reputation_list_words("nonsense"));
    zone_clear(&zone);
}

/* Words of evidence become slots and names like all others, each once. */
static void
test_evidence(void)
{
    g_autoptr(struct_tokenizer) tokenizer = tokenizer_new();
    g_autoptr(GString) text = g_string_new(NULL);
    static const char mail[] = "Subject: hello\n\nsome words\n";
    g_autoptr(GBytes) bytes = g_bytes_ref(tokenizer_read(tokenizer, mail, strlen(mail), text));
    g_autoptr(struct_tokens) tokens = tokens_from_bytes(bytes);
    g_autoptr(GBytes) names = g_bytes_new(text->str, text->len);
    guint before = tokens_total(tokens), shape = tokens->count[TOKEN_SHAPE];
    evidence_add_words("check:lookalike\ncheck:vouch-none\ncheck:lookalike\n", tokens, &names);
    g_assert_cmpuint(tokens_total(tokens), ==, before + 2);
    g_assert_cmpuint(tokens->count[TOKEN_SHAPE], ==, shape + 2);
    g_assert_cmpuint(tokens->slots[before], ==, token_slot(TOKEN_SHAPE, "check:lookalike"));
    gsize length;
    const char *all = g_bytes_get_data(names, &length);
    static const char tail[] = "check:lookalike\0check:vouch-none";
    g_assert_cmpint(length, ==, text->len + sizeof tail);
    g_assert_cmpmem(all + text->len, sizeof tail, tail, sizeof tail);
    evidence_add_words("", tokens, NULL);
    g_assert_cmpuint(tokens_total(tokens), ==, before + 2);
}

/* A good signature over mail for somebody else is said, and no more. */
static void
test_replay(void)
{
#define SIGNED "DKIM-Signature: v=1; d=example.com; h=from:to:subject; b=x\r\n"
#define UNSIGNED "DKIM-Signature: v=1; d=example.com; h=from:subject; b=x\r\n"
    static const struct {
        const char *results, *header, *to, *cc;
        gint64 signed_at;
        guint copies;
        const char *words;
    } cases[] = {
        {"h; dkim=pass header.d=example.com", SIGNED, "other@else.example", NULL, 0, 1,
         "signed for other@else.example, not for you: a blind copy, or one that somebody else sent on"},
        {"h; dkim=pass header.d=example.com", UNSIGNED, "other@else.example", NULL, 0, 1,
         "you are not among its recipients, and they are not signed: it may be one of many copies"},
        {"h; dkim=pass header.d=example.com", SIGNED, "other@else.example", NULL, START - 3 * DAY, 2,
         "signed for other@else.example, not for you: a blind copy, or one that somebody else sent on; signed 3 days before it came; "
         "2 messages here have its Message-ID"},
        {"h; dkim=pass header.d=example.com", SIGNED, "ana@example.org", NULL, START - 3 * DAY, 2, NULL},
        {"h; dkim=pass header.d=example.com", SIGNED, "ana@lisbon.example", NULL, 0, 1, NULL},
        {"h; dkim=pass header.d=example.com", SIGNED, "other@else.example", "Ana@Example.org", 0, 1, NULL},
        {"h; dkim=pass header.d=example.com", SIGNED, NULL, NULL, 0, 1, NULL},
        {"h; dkim=pass header.d=example.com", SIGNED "List-Id: <dev.lists.example>\r\n", "dev@lists.example", NULL, 0, 1, NULL},
        {"h; dkim=pass header.d=example.com", SIGNED "Resent-To: ana@example.org\r\n", "other@else.example", NULL, 0, 1, NULL},
        {"h; dkim=pass header.d=example.com", "ARC-Seal: i=1\r\n" SIGNED, "other@else.example", NULL, 0, 1, NULL},
        {"h; dkim=pass header.d=elsewhere.example", SIGNED, "other@else.example", NULL, 0, 1, NULL},
        {"h; dkim=fail header.d=example.com", SIGNED, "other@else.example", NULL, 0, 1, NULL},
        {NULL, SIGNED, "other@else.example", NULL, 0, 1, NULL},
    };
    g_autoptr(struct_config) config = config_parse(CONFIG, "x", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(cases[i].header, "From: eve@example.com\r\n\r\nx\r\n", NULL);
        g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
        g_autoptr(struct_authentication) found = cases[i].results ? authres_parse(cases[i].results, NULL) : NULL;
        g_autoptr(struct_envelope) envelope = make_envelope("r@x", NULL, "Eve <eve@example.com>", cases[i].to, "x", START);
        if (found)
            ((struct authentication_dkim *)found->dkim->pdata[0])->signed_at = cases[i].signed_at;
        if (cases[i].cc)
            address_list_add(envelope->cc, NULL, cases[i].cc);
        struct replay_input input = {bytes, found, envelope, config, START, cases[i].copies};
        g_autofree char *words = replay_words(&input);
        g_test_message("case %u", i);
        g_assert_cmpstr(words, ==, cases[i].words);
        input.config = NULL;
        g_assert_null(replay_words(&input));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reputation/signs", test_signs);
    g_test_add_func("/reputation/nothing", test_nothing);
    g_test_add_func("/reputation/history", test_history);
    g_test_add_func("/reputation/forward", test_forward);
    g_test_add_func("/reputation/lists", test_lists);
    g_test_add_func("/reputation/evidence", test_evidence);
    g_test_add_func("/reputation/replay", test_replay);
    return g_test_run();
}
