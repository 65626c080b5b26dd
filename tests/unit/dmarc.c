/* DMARC, ARC and a whole check: who speaks for the domain in From, and chains of seals that are whole or not
 */
#include "config.h"

#include "signer.h"
#include "trust/arc.h"
#include "trust/authority.h"
#include "trust/check.h"
#include "trust/dmarc.h"
#include "mail/domain.h"

static void
test_domain(void)
{
    static const struct {
        const char *domain, *owner;
    } cases[] = {
        {"example.org", "example.org"},
        {"mail.example.org", "example.org"},
        {"a.b.example.co.uk", "example.co.uk"},
        {"co.uk", NULL},
        {"org", NULL},
        {"192.0.2.1", NULL},
        {"Mail.EXAMPLE.Org.", "example.org"},
        {"", NULL},
        {NULL, NULL},
        {"m\xc3\xbcnchen.de", "xn--mnchen-3ya.de"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *owner = domain_organisation(cases[i].domain);
        g_assert_cmpstr(owner, ==, cases[i].owner);
    }
    g_assert_true(domain_aligned("mail.example.org", "example.org", FALSE));
    g_assert_true(domain_aligned("a.example.org", "b.example.org", FALSE));
    g_assert_false(domain_aligned("a.example.org", "b.example.org", TRUE));
    g_assert_false(domain_aligned("one.co.uk", "two.co.uk", FALSE));
    g_assert_false(domain_aligned("evilexample.org", "example.org", FALSE));
    g_assert_false(domain_aligned(NULL, "example.org", FALSE));
}

static void
test_dmarc(void)
{
    static const struct {
        const char *record, *below; /* of example.org, of mail.example.org; NULL: none */
        const char *from, *spf, *spf_domain, *dkim, *dkim_domain;
        const char *result, *policy;
    } cases[] = {
        {"v=DMARC1; p=reject", NULL, "example.org", "pass", "example.org", NULL, NULL, "pass", "reject"},
        {"v=DMARC1; p=reject", NULL, "example.org", NULL, NULL, "pass", "example.org", "pass", "reject"},
        {"v=DMARC1; p=reject", NULL, "example.org", "pass", "mail.example.org", NULL, NULL, "pass", "reject"},
        {"v=DMARC1; p=reject", NULL, "mail.example.org", NULL, NULL, "pass", "example.org", "pass", "reject"},
        {"v=DMARC1; p=reject; aspf=s", NULL, "example.org", "pass", "mail.example.org", NULL, NULL, "fail",
         "reject"},
        {"v=DMARC1; p=reject; adkim=s", NULL, "example.org", NULL, NULL, "pass", "mail.example.org", "fail",
         "reject"},
        {"v=DMARC1; p=reject; adkim=s; aspf=r", NULL, "example.org", "pass", "b.example.org", "pass",
         "c.example.org", "pass", "reject"},
        {"v=DMARC1; p=quarantine", NULL, "example.org", "fail", "example.org", "fail", "example.org", "fail",
         "quarantine"},
        {"v=DMARC1; p=none", NULL, "example.org", "softfail", "example.org", NULL, NULL, "fail", "none"},
        {"v=DMARC1; p=reject", NULL, "example.org", "pass", "evil.example", "pass", "evil.example", "fail",
         "reject"},
        {"v=DMARC1; p=reject", NULL, "example.org", "pass", "evilexample.org", NULL, NULL, "fail", "reject"},
        {"v=DMARC1; p=reject", NULL, "example.org", NULL, NULL, "policy", "example.org", "fail", "reject"},
        /* sp=, a record of its own */
        {"v=DMARC1; p=none; sp=reject", NULL, "mail.example.org", NULL, NULL, NULL, NULL, "fail", "reject"},
        {"v=DMARC1; p=none; sp=reject", NULL, "example.org", NULL, NULL, NULL, NULL, "fail", "none"},
        {"v=DMARC1; p=none; sp=reject", "v=DMARC1; p=quarantine", "mail.example.org", NULL, NULL, NULL, NULL,
         "fail", "quarantine"},
        {"v=DMARC1; p=reject; pct=20", NULL, "example.org", NULL, NULL, NULL, NULL, "fail", "reject"},
        /* no policy */
        {NULL, NULL, "example.org", "pass", "example.org", NULL, NULL, "none", NULL},
        {"v=spf1 -all", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        {"v=DMARC1; q=reject", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        {"v=DMARC1; p=banish", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        {"v=DMARC1; p=banish; rua=mailto:a@example.org", NULL, "example.org", NULL, NULL, NULL, NULL, "fail",
         "none"},
        {"v=DMARC1; p=reject; sp=banish", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        {"p=reject; v=DMARC1", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        {"v=DMARC2; p=reject", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        {"v=dmarc1; p=reject", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        {"v=DMARC1; p=REJECT", NULL, "EXAMPLE.org", NULL, NULL, NULL, NULL, "fail", "reject"},
        {"two", NULL, "example.org", NULL, NULL, NULL, NULL, "none", NULL},
        /* not known yet is no failure */
        {"!", NULL, "example.org", "pass", "example.org", NULL, NULL, "temperror", NULL},
        {"v=DMARC1; p=reject", "!", "mail.example.org", NULL, NULL, NULL, NULL, "temperror", NULL},
        {"v=DMARC1; p=reject", NULL, "example.org", "temperror", "example.org", NULL, NULL, "temperror",
         "reject"},
        {"v=DMARC1; p=reject", NULL, "example.org", "temperror", "example.org", "pass", "example.org", "pass",
         "reject"},
        {"v=DMARC1; p=reject", NULL, "example.org", "temperror", "other.example", "fail", "example.org",
         "fail", "reject"},
        {"v=DMARC1; p=reject", NULL, "", NULL, NULL, NULL, NULL, "permerror", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct zone zone = {0};
        g_autoptr(struct_authentication) found = authentication_new();
        if (cases[i].record && !strcmp(cases[i].record, "two")) {
            zone_add(&zone, "_dmarc.example.org TXT v=DMARC1; p=reject");
            zone_add(&zone, "_dmarc.example.org TXT v=DMARC1; p=none");
        } else if (cases[i].record) {
            zone_add(&zone, "_dmarc.example.org TXT %s", cases[i].record);
        }
        if (cases[i].below)
            zone_add(&zone, "_dmarc.mail.example.org TXT %s", cases[i].below);
        found->spf = g_strdup(cases[i].spf);
        found->spf_domain = g_strdup(cases[i].spf_domain);
        if (cases[i].dkim) {
            struct authentication_dkim *dkim = authentication_add_dkim(found);
            dkim->result = g_strdup(cases[i].dkim);
            dkim->domain = g_strdup(cases[i].dkim_domain);
        }
        g_autoptr(struct_dns) dns = dns_new_function(zone_lookup, &zone);
        dmarc_check(dns, cases[i].from, found);
        g_test_message("%u: %s %s", i, found->dmarc, found->dmarc_policy);
        g_assert_cmpstr(found->dmarc, ==, cases[i].result);
        g_assert_cmpstr(found->dmarc_policy, ==, cases[i].policy);
        zone_clear(&zone);
    }
}

/* --- ARC */

static const char plain[] = "From: Ana <ana@example.org>\r\n"
                            "To: list@lists.example\r\n"
                            "Subject: the plan\r\n"
                            "\r\n"
                            "Hello all.\r\n";

/* Seals `message` as relay number `instance`. */
static char *
seal(const char *message, guint instance, const char *domain, const char *cv)
{
    g_autofree char *tags = g_strdup_printf(
        "i=%u; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=k; h=from:to:subject;", instance, domain);
    g_autofree char *signed_ = signer_add(message, "ARC-Message-Signature", tags, KEY_RSA);
    g_autofree char *head =
        g_strdup_printf("ARC-Seal: i=%u; a=rsa-sha256; cv=%s; d=%s; s=k; b=", instance, cv, domain);
    g_autofree char *results = g_strdup_printf(
        "ARC-Authentication-Results: i=%u; %s; dmarc=pass header.from=example.org\r\n", instance, domain);
    g_autofree char *whole = g_strconcat(head, "\r\n", results, signed_, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new_static(whole, strlen(whole));
    g_autoptr(GString) text = g_string_new(NULL);
    struct signed_message parts;
    signed_message_init(&parts, bytes);
    for (guint i = 1; i <= instance; i++) {
        static const char *const names[] = {"ARC-Authentication-Results", "ARC-Message-Signature",
                                            "ARC-Seal"};
        g_autofree char *number = g_strdup_printf("i=%u;", i);
        for (guint n = 0; n < G_N_ELEMENTS(names); n++)
            for (guint f = 0; f < parts.fields->len; f++) {
                g_autofree char *value = signed_field_value(&parts, f);
                if (!signed_field_is(&parts, f, names[n]) || !g_str_has_prefix(g_strchug(value), number))
                    continue;
                if (f == 0)
                    canon_signature(&parts, f, TRUE, text);
                else
                    canon_field(&parts, f, TRUE, text);
            }
    }
    signed_message_clear(&parts);
    g_autofree char *signature = signer_sign(KEY_RSA, text);
    return g_strconcat(head, signature, "\r\n", results, signed_, NULL);
}

static void
expect_arc(const char *message, struct zone *zone, const char *result, const char *domain, const char *reason)
{
    g_autoptr(struct_dns) dns = dns_new_function(zone_lookup, zone);
    g_autoptr(GBytes) bytes = g_bytes_new_static(message, strlen(message));
    g_autoptr(struct_authentication) found = authentication_new();
    struct signed_message parts;
    signed_message_init(&parts, bytes);
    arc_check(&parts, dns, found);
    signed_message_clear(&parts);
    g_assert_cmpstr(found->arc, ==, result);
    if (domain)
        g_assert_cmpstr(found->arc_domain, ==, domain);
    if (reason && (!found->arc_reason || !strstr(found->arc_reason, reason)))
        g_error("\"%s\" does not say \"%s\"", found->arc_reason, reason);
}

static char *
changed(const char *text, const char *was, const char *is)
{
    g_auto(GStrv) parts = g_strsplit(text, was, 2);
    g_assert_nonnull(parts[1]);
    return g_strjoinv(is, parts);
}

static void
test_arc(void)
{
    struct zone zone = {0};
    g_autofree char *public = signer_public(KEY_RSA);
    zone_add(&zone, "k._domainkey.lists.example TXT v=DKIM1; p=%s", public);
    zone_add(&zone, "k._domainkey.relay.example TXT v=DKIM1; p=%s", public);
    g_autofree char *one = seal(plain, 1, "lists.example", "none");
    g_autofree char *two = seal(one, 2, "relay.example", "pass");
    g_autofree char *three = seal(two, 3, "lists.example", "pass");
    expect_arc(plain, &zone, "none", NULL, NULL);
    expect_arc(one, &zone, "pass", "lists.example", NULL);
    expect_arc(two, &zone, "pass", "relay.example", NULL);
    expect_arc(three, &zone, "pass", "lists.example", NULL);

    static const struct {
        const char *was, *is, *reason;
    } cases[] = {
        {"Hello", "Hallo", "text was changed"},
        {"the plan", "the money", "header field was changed"},
        {"dmarc=pass", "dmarc=fail", "seal of the chain is false"}, /* of the newest; it stands first */
        {"i=1; lists.example", "i=1; lists.example.evil", "seal of the chain is false"},
        {"cv=pass", "cv=fail", "broken already"},
        {"cv=none", "cv=pass", "seal of the chain is false"},
        {"cv=pass", "cv=perhaps", "broken already"},
        {"ARC-Seal: i=1", "X-Seal: i=1", "not whole"},
        {"ARC-Authentication-Results: i=1", "X-Results: i=1", "not whole"},
        {"ARC-Message-Signature: i=1", "X-Signature: i=1", "not whole"},
        {"ARC-Seal: i=1", "ARC-Seal: i=2", "twice"},
        {"ARC-Seal: i=2", "ARC-Seal: i=0", "no number"},
        {"ARC-Seal: i=2", "ARC-Seal: i=51", "no number"},
        {"ARC-Seal: i=2", "ARC-Seal: j=2", "no number"},
        {"ARC-Seal: i=2; a=rsa-sha256", "ARC-Seal: i=2; a=rsa-sha1", "algorithm"},
        {"ARC-Seal: i=2; ", "ARC-Seal: i=2; h=from; ", "cannot be read"},
        {"h=from:to:subject;", "h=to:subject;", "From"},
        {"h=from:to:subject;", "h=from:to:arc-seal;", "seal"},
        {"d=relay.example; s=k; h=", "d=nowhere.example; s=k; h=", "no such key"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bad = changed(two, cases[i].was, cases[i].is);
        g_test_message("%s", cases[i].is);
        expect_arc(bad, &zone, "fail", NULL, cases[i].reason);
    }
    g_autofree char *more =
        g_strconcat("ARC-Seal: i=2; a=rsa-sha256; cv=pass; d=evil.example; s=k; b=AAAA\r\n", two, NULL);
    expect_arc(more, &zone, "fail", NULL, "twice");
    /* a set pasted from another message */
    g_autofree char *other = changed(plain, "the plan", "the money");
    g_autofree char *pasted = seal(other, 1, "lists.example", "none");
    g_autofree char *cut = g_strndup(pasted, (gsize)(strstr(pasted, "From: Ana") - pasted)),
                    *glued = g_strconcat(cut, plain, NULL);
    expect_arc(glued, &zone, "fail", NULL, "header field was changed");
    zone_clear(&zone);

    struct zone silent = {0};
    zone_add(&silent, "k._domainkey.lists.example TXT !");
    zone_add(&silent, "k._domainkey.relay.example TXT v=DKIM1; p=%s", public);
    expect_arc(two, &silent, "temperror", NULL, NULL);
    zone_clear(&silent);

    g_autoptr(GBytes) bytes = g_bytes_new_static(two, strlen(two));
    struct signed_message parts;
    signed_message_init(&parts, bytes);
    g_autoptr(struct_authentication) said = arc_results(&parts);
    signed_message_clear(&parts);
    g_assert_cmpstr(said->by, ==, "relay.example");
    g_assert_cmpstr(said->dmarc, ==, "pass");
}

/* A list that changed the message, after it had found that the author's domain vouched: checked here from end to end. */
static void
test_soften(void)
{
    static const struct {
        const char *sealers;
        enum vouch_kind kind;
    } cases[] = {{"trusted-sealers = lists.example\n", VOUCH_NONE}, {"trusted-sealers = other.example\n", VOUCH_FORGED}, {"", VOUCH_FORGED}};
    struct zone zone = {0};
    g_autofree char *public = signer_public(KEY_RSA), *sealed = seal(plain, 1, "lists.example", "none");
    zone_add(&zone, "k._domainkey.lists.example TXT v=DKIM1; p=%s", public);
    zone_add(&zone, "_dmarc.example.org TXT v=DMARC1; p=reject");
    g_autoptr(struct_dns) dns = dns_new_function(zone_lookup, &zone);
    g_autoptr(GBytes) bytes = g_bytes_new_static(sealed, strlen(sealed));
    struct check_input input = {.message = bytes, .from = "example.org", .when = 1794476521};
    g_autoptr(struct_authentication) found = check_message(&input, dns);
    g_assert_cmpstr(found->dmarc, ==, "fail");
    g_assert_cmpstr(found->arc, ==, "pass");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat("[account a]\naddress = a@example.net\nincoming = maildir:/nowhere\n", cases[i].sealers, NULL);
        g_autoptr(struct_config) config = config_parse(text, "x", NULL);
        g_autoptr(struct_authority) authority = authority_load(config, NULL, NULL);
        g_autoptr(struct_envelope) envelope = envelope_new();
        struct vouch vouch;
        address_list_add(envelope->from, "Ana", "ana@example.org");
        vouch_judge(found, envelope, &vouch);
        authority_soften(authority, bytes, found, envelope, &vouch);
        g_test_message("%s: %s", cases[i].sealers, vouch.words);
        g_assert_cmpint(vouch.kind, ==, cases[i].kind);
        vouch_clear(&vouch);
    }
    zone_clear(&zone);
}

/* --- together */

static void
test_whole(void)
{
    struct zone zone = {0};
    g_autofree char *public = signer_public(KEY_RSA);
    zone_add(&zone, "k._domainkey.example.org TXT v=DKIM1; p=%s", public);
    zone_add(&zone, "_dmarc.example.org TXT v=DMARC1; p=reject");
    zone_add(&zone, "example.org TXT v=spf1 ip4:192.0.2.1 -all");
    g_autofree char *text =
        signer_add(plain, "DKIM-Signature",
                   "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from;", KEY_RSA);
    g_autoptr(struct_dns) dns = dns_new_function(zone_lookup, &zone);
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    struct check_input input = {.message = bytes, .from = "example.org", .when = 1794476521};
    g_autoptr(struct_authentication) signed_ = check_message(&input, dns);
    g_assert_cmpstr(signed_->dmarc, ==, "pass");
    g_assert_null(signed_->spf);
    g_assert_null(signed_->by);
    g_assert_cmpstr(signed_->arc, ==, "none");
    g_assert_false(check_is_unfinished(signed_));

    g_autoptr(GBytes) unsigned_ = g_bytes_new_static(plain, strlen(plain));
    struct check_input host = {.message = unsigned_,
                               .from = "example.org",
                               .ip = "192.0.2.1",
                               .helo = "mail.example.org",
                               .mail_from = "ana@example.org",
                               .when = 1794476521};
    g_autoptr(struct_authentication) sent = check_message(&host, dns);
    g_assert_cmpstr(sent->spf, ==, "pass");
    g_assert_cmpstr(sent->spf_domain, ==, "example.org");
    g_assert_cmpstr(sent->dmarc, ==, "pass");
    host.ip = "192.0.2.2";
    g_autoptr(struct_authentication) forged = check_message(&host, dns);
    g_assert_cmpstr(forged->spf, ==, "fail");
    g_assert_cmpstr(forged->dmarc, ==, "fail");

    /* Two authors: nobody can vouch, however right the signature is. */
    input.from = NULL;
    g_autoptr(struct_authentication) two = check_message(&input, dns);
    g_assert_cmpstr(two->dmarc, ==, "permerror");

    g_autoptr(GVariant) value = g_variant_ref_sink(authentication_to_variant(forged));
    g_autoptr(struct_authentication) copy = authentication_from_variant(value);
    g_assert_cmpstr(copy->spf, ==, "fail");
    g_assert_cmpstr(copy->dmarc_policy, ==, "reject");
    g_autoptr(GVariant) full = g_variant_ref_sink(authentication_to_variant(signed_));
    g_autoptr(struct_authentication) whole = authentication_from_variant(full);
    g_assert_cmpuint(whole->dkim->len, ==, 1);
    g_assert_cmpuint(((struct authentication_dkim *)whole->dkim->pdata[0])->bits, ==, 2048);
    zone_clear(&zone);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dmarc/domain", test_domain);
    g_test_add_func("/dmarc/policy", test_dmarc);
    g_test_add_func("/dmarc/arc", test_arc);
    g_test_add_func("/dmarc/soften", test_soften);
    g_test_add_func("/dmarc/whole", test_whole);
    return g_test_run();
}
