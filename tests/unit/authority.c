/* Whose Authentication-Results count: forged in every way, learnt from what was true; and what is made of
 * them */
#include "config.h"

#include "storetest.h"
#include "store/arrival.h"
#include "store/results_host.h"
#include "trust/authority.h"
#include "trust/authres.h"

#define OWN "imap.example.org"
#define MX "mx.example.org"
#define LMTP "Received: from " MX " by " OWN " with LMTP id L1; Thu, 12 Nov 2026 10:42:05 +0100\r\n"
#define FROM_OUTSIDE                                                                                         \
    "Received: from mail.evil.example (mail.evil.example [203.0.113.6])\r\n\tby " MX                         \
    " with ESMTPS id M1; Thu, 12 Nov 2026 10:42:02 +0100\r\n"
#define TAIL "From: Bank <bank@example.com>\r\nDate: Thu, 12 Nov 2026 10:42:01 +0100\r\n\r\nHello\r\n"
#define LIE                                                                                                  \
    "dmarc=pass header.from=example.com; spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com"

static struct authentication *
choose(const char *text, const struct authority *authority, struct journey **keep)
{
    const char *const own[] = {OWN, NULL};
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    struct journey *journey = journey_read(bytes, own);
    struct authentication *chosen = authority_choose(authority, journey);
    if (keep)
        *keep = journey;
    else
        journey_free(journey);
    return chosen;
}

/* The own server found nothing good, and says so at the top; or adds nothing at all (real NULL). Nothing that
 * came with the message changes that. */
static void
test_forged(void)
{
    static const char *const forged[] = {
        /* below everything that is ours, and above the sender's own fields */
        FROM_OUTSIDE "Received: from laptop by mail.evil.example; Thu, 12 Nov 2026 10:42:01 "
                     "+0100\r\nAuthentication-Results: " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Received: from laptop by mail.evil.example; Thu, 12 Nov 2026 10:42:01 "
                     "+0100\r\nAuthentication-Results: " OWN "; " LIE "\r\n",
        /* behind a hop that pretends to be ours */
        FROM_OUTSIDE "Received: from bank.example.com (bank.example.com [192.0.2.1]) by " MX
                     "; Thu, 12 Nov 2026 10:42:01 +0100\r\nAuthentication-Results: " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Received: from localhost (localhost [127.0.0.1]) by " MX
                     "; Thu, 12 Nov 2026 10:42:01 +0100\r\nAuthentication-Results: " MX "; " LIE "\r\n",
        FROM_OUTSIDE
        "Received: from x by localhost; Thu, 12 Nov 2026 10:42:01 +0100\r\nAuthentication-Results: " MX
        "; " LIE "\r\n",
        FROM_OUTSIDE "Received: by 10.0.0.1; Thu, 12 Nov 2026 10:42:01 +0100\r\nAuthentication-Results: " MX
                     "; " LIE "\r\n",
        FROM_OUTSIDE "received: by " MX "\r\nAuthentication-Results: " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Received:\r\nAuthentication-Results: " MX "; " LIE "\r\n",
        /* directly below the hop, by other names */
        FROM_OUTSIDE "Authentication-Results: mx.evil.example; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX ".evil.example; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: evil" MX "; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: example.org; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX ".; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: \"" MX "\"; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX "/1; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX " 2; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: \xef\xbb\xbf" MX "; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: m\xd1\x85.example.org; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: x " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: ; " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results: i=1; " MX "; " LIE "\r\n",
        /* other fields */
        FROM_OUTSIDE "X-Authentication-Results: " MX "; " LIE "\r\n",
        FROM_OUTSIDE "ARC-Authentication-Results: i=1; " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Results-Original: " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Authentication-Result: " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Received-SPF: pass (" MX ": domain of example.com)\r\n",
        FROM_OUTSIDE "Subject: x\r\n Authentication-Results: " MX "; " LIE "\r\n",
        FROM_OUTSIDE "Subject: =?utf-8?q?x=0D=0AAuthentication-Results:_" MX ";_dmarc=3Dpass?=\r\n",
        /* no results at all */
        FROM_OUTSIDE "Authentication-Results: " MX "; none (dmarc=pass)\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX " (; dmarc=pass header.from=example.com\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX "; x=\"; dmarc=pass header.from=example.com\"\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX "; dmarc = (no) fail (dmarc=pass)\r\n",
        FROM_OUTSIDE "Authentication-Results: " MX "\r\n",
    };
    g_autoptr(struct_authority) authority = authority_new();
    authority_trust(authority, "Mx.Example.Org", AUTHORITY_ALL);
    for (guint i = 0; i < G_N_ELEMENTS(forged); i++) {
        g_autofree char *text = g_strconcat(LMTP, forged[i], TAIL, NULL);
        g_test_message("%u: %s", i, forged[i]);
        g_autoptr(struct_authentication) silent = choose(text, authority, NULL);
        g_assert_true(!silent || (g_strcmp0(silent->dmarc, "pass") && g_strcmp0(silent->spf, "pass") &&
                                  !silent->dkim->len));
        /* the same below what the own server found */
        g_auto(GStrv) parts = g_strsplit(forged[i], FROM_OUTSIDE, 2);
        g_autofree char *checked = g_strconcat(
            LMTP,
            FROM_OUTSIDE
            "Authentication-Results: " MX
            "; spf=fail smtp.mailfrom=example.com; dkim=none; dmarc=fail header.from=example.com\r\n",
            parts[1], TAIL, NULL);
        g_autoptr(struct_authentication) found = choose(checked, authority, NULL);
        g_assert_cmpstr(found->by, ==, MX);
        g_assert_cmpstr(found->dmarc, ==, "fail");
        g_assert_cmpstr(found->spf, ==, "fail");
        g_assert_cmpuint(found->dkim->len, ==, 1);
    }
}

/* A field of the right name directly below the own server's, which that server did not take away: what it
 * found itself stands above, and of what it never writes nothing counts. */
static void
test_same_name(void)
{
    static const char *const lies[] = {MX "; " LIE, "MX.example.org; " LIE, MX " 1; " LIE,
                                       "(a) " MX " (b) ; " LIE, MX ";\r\n\t" LIE};
    g_autoptr(struct_authority) authority = authority_new();
    authority_trust(authority, MX, AUTHORITY_DKIM | AUTHORITY_SPF);
    for (guint i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autofree char *text = g_strconcat(
            LMTP FROM_OUTSIDE "Authentication-Results: " MX "; spf=fail smtp.mailfrom=example.com\r\n"
                              "Authentication-Results: " MX
                              "; dkim=fail header.d=example.com\r\nAuthentication-Results: ",
            lies[i], "\r\n", TAIL, NULL);
        g_autoptr(struct_authentication) found = choose(text, authority, NULL);
        g_assert_cmpstr(found->spf, ==, "fail");
        g_assert_cmpuint(found->dkim->len, ==, 1);
        g_assert_cmpstr(((struct authentication_dkim *)found->dkim->pdata[0])->result, ==, "fail");
        g_assert_null(found->dmarc);
    }
    /* Nobody is trusted: nothing is. */
    g_autoptr(struct_authority) nobody = authority_new();
    g_assert_null(choose(LMTP FROM_OUTSIDE "Authentication-Results: " MX "; " LIE "\r\n" TAIL, nobody, NULL));
    g_assert_null(
        choose("Authentication-Results: " OWN "; " LIE "\r\n" LMTP FROM_OUTSIDE TAIL, nobody, NULL));
    g_assert_null(choose(LMTP FROM_OUTSIDE "Authentication-Results: " MX "; " LIE "\r\n" TAIL, NULL, NULL));
}

/* Who handed it over, as the own server saw it. */
static void
test_handover(void)
{
    static const struct {
        const char *text, *ip, *helo, *mail_from;
    } cases[] = {
        {"Return-Path: <ana@evil.example>\r\n" LMTP FROM_OUTSIDE TAIL, "203.0.113.6", "mail.evil.example",
         "ana@evil.example"},
        {"Return-Path: <>\r\n" LMTP FROM_OUTSIDE TAIL, "203.0.113.6", "mail.evil.example", ""},
        /* a forged hop below it */
        {LMTP FROM_OUTSIDE "Received: from bank.example.com (bank.example.com [192.0.2.1]) by " MX
                           "; Thu, 12 Nov 2026 10:42:01 +0100\r\n" TAIL,
         "203.0.113.6", "mail.evil.example", NULL},
        {LMTP FROM_OUTSIDE "Received: from bank.example.com (bank.example.com [192.0.2.1]) by localhost; "
                           "Thu, 12 Nov 2026 10:42:01 +0100\r\n" TAIL,
         "203.0.113.6", "mail.evil.example", NULL},
        /* it calls itself ours */
        {LMTP "Received: from " MX " (unknown [203.0.113.6]) by " MX
              "; Thu, 12 Nov 2026 10:42:01 +0100\r\nReceived: from bank (bank.example.com [192.0.2.1]) by " MX
              "; Thu, 12 Nov 2026 10:42:01 +0100\r\n" TAIL,
         "203.0.113.6", MX, NULL},
        /* between two of ours by their own public addresses */
        {"Received: from " MX " (" MX " [198.51.100.1]) by " OWN
         "; Thu, 12 Nov 2026 10:42:05 +0100\r\n" FROM_OUTSIDE TAIL,
         "203.0.113.6", "mail.evil.example", NULL},
        {LMTP "Received: from localhost (localhost [127.0.0.1]) by " MX
              "; Thu, 12 Nov 2026 10:42:03 +0100\r\n" FROM_OUTSIDE TAIL,
         "203.0.113.6", "mail.evil.example", NULL},
        {LMTP "Received: from [IPv6:2001:db8::7] (helo=mail.evil.example) by " MX
              " with esmtp; Thu, 12 Nov 2026 10:42:03 +0100\r\n" TAIL,
         "2001:db8::7", "mail.evil.example", NULL},
        {LMTP TAIL, NULL, MX, NULL},
        {TAIL, NULL, NULL, NULL},
    };
    const char *const own[] = {OWN, NULL};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) bytes = g_bytes_new_static(cases[i].text, strlen(cases[i].text));
        g_autoptr(struct_journey) journey = journey_read(bytes, own);
        struct handover handover;
        handover_read(bytes, journey, &handover);
        g_test_message("case %u", i);
        g_assert_cmpstr(handover.ip, ==, cases[i].ip);
        g_assert_cmpstr(handover.helo, ==, cases[i].helo);
        g_assert_cmpstr(handover.mail_from, ==, cases[i].mail_from);
        handover_clear(&handover);
    }
}

/* Five true ones make a name count; one lie, and it begins anew with more to show. */
static void
test_learn(void)
{
    struct world world;
    world_begin(&world);
    struct account account = {.name = (char *)"work"};
    gint64 id = store_account_find(world.store, account.name);
    g_assert_cmpint(id, ==, world.account);
    static const char honest[] =
        LMTP FROM_OUTSIDE "Authentication-Results: " MX
                          "; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example\r\n" TAIL;
    static const char liar[] = LMTP FROM_OUTSIDE "Authentication-Results: " MX "; " LIE "\r\n" TAIL;
    g_autoptr(struct_authentication) here =
        authres_parse_own("here; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example; "
                          "dmarc=fail header.from=example.com");
    for (guint round = 0; round < 2; round++) {
        for (guint i = 0; i < 5 * (round + 1); i++) {
            struct journey *journey;
            g_autoptr(struct_authority) before = authority_load(NULL, &account, world.store);
            g_assert_null(choose(honest, before, &journey));
            g_assert_true(authority_learn(world.store, id, journey, here, NULL));
            journey_free(journey);
        }
        g_autoptr(struct_authority) learnt = authority_load(NULL, &account, world.store);
        g_autoptr(struct_authentication) found = choose(honest, learnt, NULL);
        g_assert_cmpstr(found->by, ==, MX);
        g_assert_cmpstr(found->spf, ==, "pass");
        /* it never told of DMARC */
        g_autoptr(struct_authentication) more = choose(liar, learnt, NULL);
        g_assert_null(more->dmarc);
        struct journey *journey;
        authentication_free(choose(liar, learnt, &journey));
        g_assert_true(authority_learn(world.store, id, journey, here, NULL));
        journey_free(journey);
    }
    /* What could not be compared teaches nothing, and so do names without end. */
    g_autoptr(struct_authentication) later = authres_parse_own("here; dkim=temperror header.d=evil.example");
    struct journey *journey;
    authentication_free(choose(honest, NULL, &journey));
    g_assert_true(authority_learn(world.store, id, journey, later, NULL));
    journey_free(journey);
    for (guint i = 0; i < RESULTS_HOSTS_MAX + 50; i++) {
        g_autofree char *name = g_strdup_printf("h%u.example", i);
        g_assert_true(results_host_note(world.store, id, name, 1, FALSE, NULL));
    }
    g_autoptr(GPtrArray) hosts = results_hosts(world.store, id, NULL);
    g_assert_cmpuint(hosts->len, <=, RESULTS_HOSTS_MAX + 1);
    world_end(&world);
}

static void
test_vouch(void)
{
    static const struct {
        const char *results, *from;
        guint flags;
        enum vouch_kind kind;
        const char *words;
    } cases[] = {
        {NULL, "ana@example.org", 0, VOUCH_UNKNOWN, NULL},
        {"m; dkim=pass header.d=example.org", "ana@example.org", 0, VOUCH_GOOD, "DKIM"},
        {"m; dkim=pass header.d=mail.example.org; dmarc=pass header.from=example.org", "ana@example.org", 0,
         VOUCH_GOOD, "DKIM, DMARC"},
        {"m; spf=pass smtp.mailfrom=example.org; dmarc=pass", "ana@example.org", 0, VOUCH_GOOD, "SPF, DMARC"},
        {"m; spf=pass smtp.mailfrom=bounces.example.org", "ana@EXAMPLE.org", 0, VOUCH_GOOD, "SPF"},
        {"m; dmarc=pass header.from=example.org", "ana@example.org", 0, VOUCH_GOOD, "DMARC"},
        {"m; dmarc=pass header.from=example.com", "ana@example.org", 0, VOUCH_NONE, "nobody vouches"},
        {"m; spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example", "ana@example.org", 0,
         VOUCH_NONE, "nobody vouches"},
        {"m; dkim=pass header.d=co.uk", "ana@example.co.uk", 0, VOUCH_NONE, "nobody vouches"},
        {"m; dkim=fail header.d=example.org reason=\"the text was changed on the way\"", "ana@example.org", 0,
         VOUCH_NONE, "text was changed"},
        {"m; dkim=policy header.d=example.org", "ana@example.org", 0, VOUCH_NONE, NULL},
        {"m; dmarc=fail header.from=example.org", "ana@example.org", 0, VOUCH_FORGED,
         "does not come from example.org"},
        {"m; dkim=pass header.d=example.org; dmarc=fail", "ana@example.org", 0, VOUCH_FORGED, NULL},
        {"m; dmarc=fail policy.published=none", "ana@example.org", 0, VOUCH_NONE, "does not mind"},
        {"m; dkim=temperror header.d=example.org", "ana@example.org", 0, VOUCH_UNKNOWN, "looked up"},
        {"m; dmarc=temperror", "ana@example.org", 0, VOUCH_UNKNOWN, NULL},
        {"m; dkim=pass header.d=example.org; dmarc=pass", "ana@example.org", ENVELOPE_TWO_FROM, VOUCH_NONE,
         "not one author"},
        {"m; dkim=pass header.d=example.org; dmarc=pass", "ana", 0, VOUCH_NONE, "not one author"},
        {"m; none", "ana@example.org", 0, VOUCH_NONE, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_authentication) found =
            cases[i].results ? authres_parse(cases[i].results, NULL) : NULL;
        g_autoptr(struct_envelope) envelope = envelope_new();
        struct vouch vouch;
        address_list_add(envelope->from, NULL, cases[i].from);
        envelope->flags = cases[i].flags;
        vouch_judge(found, envelope, &vouch);
        g_test_message("case %u: %s", i, vouch.words);
        g_assert_cmpint(vouch.kind, ==, cases[i].kind);
        g_assert_true(!cases[i].words || strstr(vouch.words, cases[i].words));
        g_assert_cmpint(vouch_from_name(vouch_name(vouch.kind)), ==, vouch.kind);
        vouch_clear(&vouch);
    }
}

/* Somebody who is believed passed it on: no forgery, and no more than that. */
static void
test_soften(void)
{
#define CHAIN "arc=pass header.d=lists.example; "
#define SET(results)                                                                                          \
    "ARC-Seal: i=1; d=lists.example\r\nARC-Message-Signature: i=1; d=lists.example\r\n"                       \
    "ARC-Authentication-Results: i=1; lists.example; " results "\r\nFrom: ana@example.org\r\n\r\nx\r\n"
    static const struct {
        const char *results, *message, *list;
        enum vouch_kind kind;
        const char *words;
    } cases[] = {
        {"m; " CHAIN "dmarc=fail header.from=example.org", SET("dmarc=pass header.from=example.org"), "dev.lists.example",
         VOUCH_NONE, "the list lists.example vouches for example.org"},
        {"m; " CHAIN "dmarc=fail header.from=example.org", SET("dkim=pass header.d=example.org"), NULL, VOUCH_NONE,
         "lists.example, who passed it on, vouches"},
        {"m; " CHAIN "dmarc=fail policy.published=none", SET("dkim=pass header.d=example.org"), NULL, VOUCH_NONE, "passed it on"},
        /* it says nothing good of the author */
        {"m; " CHAIN "dmarc=fail header.from=example.org", SET("dmarc=fail header.from=example.org"), NULL, VOUCH_FORGED, NULL},
        {"m; " CHAIN "dmarc=fail header.from=example.org", SET("dkim=pass header.d=lists.example"), NULL, VOUCH_FORGED, NULL},
        {"m; " CHAIN "dmarc=fail header.from=example.org", SET("none"), NULL, VOUCH_FORGED, NULL},
        /* the chain is broken, or another's, or not there */
        {"m; arc=fail header.d=lists.example; dmarc=fail", SET("dmarc=pass header.from=example.org"), NULL, VOUCH_FORGED, NULL},
        {"m; arc=pass header.d=evil.test; dmarc=fail", SET("dmarc=pass header.from=example.org"), NULL, VOUCH_FORGED, NULL},
        {"m; arc=pass; dmarc=fail", SET("dmarc=pass header.from=example.org"), NULL, VOUCH_FORGED, NULL},
        {"m; dmarc=fail", SET("dmarc=pass header.from=example.org"), NULL, VOUCH_FORGED, NULL},
        {"m; " CHAIN "dmarc=fail", TAIL, NULL, VOUCH_FORGED, NULL},
        /* nothing to soften */
        {"m; " CHAIN "dmarc=pass header.from=example.org", SET("dmarc=pass header.from=example.org"), NULL, VOUCH_GOOD, "DMARC"},
        {"m; " CHAIN "dmarc=temperror", SET("dmarc=pass header.from=example.org"), NULL, VOUCH_UNKNOWN, NULL},
    };
    g_autoptr(struct_config) config =
        config_parse("[account work]\naddress = Ana <ana@example.org>\nincoming = maildir:/nowhere\ntrusted-sealers = Lists.example, fwd.example\n", "x", NULL);
    g_assert_nonnull(config);
    g_autoptr(struct_authority) authority = authority_load(config, NULL, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_authentication) found = authres_parse(cases[i].results, NULL);
        g_autoptr(struct_envelope) envelope = envelope_new();
        g_autoptr(GBytes) bytes = g_bytes_new_static(cases[i].message, strlen(cases[i].message));
        struct vouch vouch;
        address_list_add(envelope->from, NULL, "ana@example.org");
        envelope->list_id = g_strdup(cases[i].list);
        vouch_judge(found, envelope, &vouch);
        authority_soften(authority, bytes, found, envelope, &vouch);
        g_test_message("case %u: %s", i, vouch.words);
        g_assert_cmpint(vouch.kind, ==, cases[i].kind);
        g_assert_true(!cases[i].words || strstr(vouch.words, cases[i].words));
        vouch_clear(&vouch);
    }
}

/* A sealer is learnt by what was true, and only when the user writes to somebody there; no field can name one. */
static void
test_sealers(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = config_parse("[account work]\naddress = Ana <ana@example.org>\nincoming = maildir:/nowhere\n", "x", &error);
    g_assert_no_error(error);
    world_begin(&world);
    g_autoptr(struct_authentication) claims = authres_parse("lists.example; dkim=pass header.d=example.com", NULL);
    g_autoptr(struct_authentication) whole = authres_parse("h; arc=pass header.d=lists.example; dkim=pass header.d=example.com", NULL);
    g_autoptr(struct_authentication) changed = authres_parse("h; arc=pass header.d=lists.example; dkim=fail header.d=example.com", NULL);
    g_autoptr(struct_authentication) broken = authres_parse("h; arc=fail header.d=lists.example; dkim=pass header.d=example.com", NULL);
    for (guint i = 0; i < 5; i++) {
        g_autoptr(struct_authority) early = authority_load(config, NULL, world.store);
        g_assert_false(authority_trusts_sealer(early, "lists.example"));
        g_assert_true(authority_learn_sealer(world.store, world.account, claims, whole, &error));
        g_assert_true(authority_learn_sealer(world.store, world.account, claims, changed, &error)); /* it is a list */
        g_assert_true(authority_learn_sealer(world.store, world.account, claims, broken, &error));
        g_assert_true(authority_learn_sealer(world.store, world.account, NULL, whole, &error));
    }
    g_autoptr(struct_authority) stranger = authority_load(config, NULL, world.store);
    g_assert_false(authority_trusts_sealer(stranger, "lists.example"));
    g_autoptr(struct_envelope) sent = make_envelope("1@x", NULL, "Ana <ana@example.org>", "dev@lists.example", "x", 1700000000);
    add_envelope(world.store, world.sent, 1, FLAG_SEEN, NULL, sent);
    g_autoptr(struct_authority) learnt = authority_load(config, NULL, world.store);
    g_assert_true(authority_trusts_sealer(learnt, "Lists.example"));
    g_assert_false(authority_trusts_sealer(learnt, "evil.lists.example"));
    g_assert_false(authority_trusts_sealer(learnt, NULL));
    /* and it counts for nothing else */
    g_autoptr(struct_authentication) chosen =
        choose("Authentication-Results: \"arc\nlists.example\"; dmarc=pass header.from=example.com\r\n" TAIL, learnt, NULL);
    g_assert_null(chosen);
    g_assert_no_error(error);
    world_end(&world);
}

/* What is kept of a check is what was found. */
static void
test_format(void)
{
    static const char *const texts[] = {
        "here; spf=fail smtp.mailfrom=\"example.org\" reason=\"a \\\"quoted\\\" \\\\ reason; dmarc=pass\"; "
        "dkim=pass header.d=\"example.org\" header.s=\"k\" header.a=\"rsa-sha256\" policy.key-bits=\"2048\"; "
        "dmarc=fail header.from=\"example.org\" policy.published=\"reject\"; arc=pass "
        "header.d=\"lists.example\"",
        "mx.example.org; none",
    };
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(struct_authentication) found = authres_parse_own(texts[i]);
        g_autofree char *text = authres_format(found);
        g_assert_cmpstr(text, ==, texts[i]);
        g_assert_cmpstr(found->by, ==, i ? "mx.example.org" : NULL);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/authority/forged", test_forged);
    g_test_add_func("/authority/same-name", test_same_name);
    g_test_add_func("/authority/handover", test_handover);
    g_test_add_func("/authority/learn", test_learn);
    g_test_add_func("/authority/vouch", test_vouch);
    g_test_add_func("/authority/soften", test_soften);
    g_test_add_func("/authority/sealers", test_sealers);
    g_test_add_func("/authority/format", test_format);
    return g_test_run();
}
