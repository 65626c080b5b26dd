/* the hops of a message and who vouches for it, from fields as servers write them */
#include "config.h"

#include <string.h>

#include "trust/authres.h"
#include "trust/journey.h"

static void
test_received(void)
{
    static const struct {
        const char *value, *from, *from_real, *by, *with, *tls, *id, *recipient;
        gint64 time;
    } cases[] = {
        /* Postfix */
        {"from mail.example.net (mail.example.net [192.0.2.7]) (using TLSv1.3 with cipher "
         "TLS_AES_256_GCM_SHA384 "
         "(256/256 bits) key-exchange X25519) (No client certificate requested) by mx.example.org (Postfix) "
         "with ESMTPS id "
         "4TzQ1y2Jz5z9rxL for <ana@example.org>; Thu, 12 Nov 2026 10:42:01 +0100 (CET)",
         "mail.example.net", "mail.example.net [192.0.2.7]", "mx.example.org", "ESMTPS", "TLSv1.3",
         "4TzQ1y2Jz5z9rxL", "ana@example.org", 1794476521},
        {"by mx.example.org (Postfix, from userid 1000) id 4TzQ1y2Jz5z9rxL; Thu, 12 Nov 2026 09:42:01 +0000",
         NULL, NULL, "mx.example.org", NULL, NULL, "4TzQ1y2Jz5z9rxL", NULL, 1794476521},
        /* Exim */
        {"from [192.0.2.7] (helo=laptop) by smtp.example.org with esmtpsa  (TLS1.3) tls "
         "TLS_AES_256_GCM_SHA384 (Exim 4.96) "
         "(envelope-from <ana@example.org>) id 1r2abc-0001Xy-2z for ben@example.com; Thu, 12 Nov 2026 "
         "10:42:01 +0100",
         "[192.0.2.7]", "helo=laptop", "smtp.example.org", "esmtpsa", "TLSv1.3", "1r2abc-0001Xy-2z",
         "ben@example.com", 1794476521},
        /* Gmail */
        {"from mail.example.net (mail.example.net. [192.0.2.7])\n        by mx.google.com with ESMTPS id "
         "x1-20020a05\n"
         "        for <ana@gmail.com>\n        (version=TLS1_2 cipher=ECDHE-ECDSA-AES128-GCM-SHA256 "
         "bits=128/128);\n"
         "        Thu, 12 Nov 2026 01:42:01 -0800 (PST)",
         "mail.example.net", "mail.example.net. [192.0.2.7]", "mx.google.com", "ESMTPS", "TLSv1.2",
         "x1-20020a05", "ana@gmail.com", 1794476521},
        {"by 2002:a05:7000:1 with SMTP id abc; Thu, 12 Nov 2026 01:42:01 -0800 (PST)", NULL, NULL,
         "2002:a05:7000:1", "SMTP", NULL, "abc", NULL, 1794476521},
        /* Exchange, Dovecot, qmail */
        {"from AM0.example.com (2603::1) by DB9.example.com with HTTPS; Thu, 12 Nov 2026 09:42:01 +0000",
         "AM0.example.com", "2603::1", "DB9.example.com", "HTTPS", "TLS", NULL, NULL, 1794476521},
        {"from mx.example.org by imap.example.org with LMTP id aBcD (envelope-from <b@x>) for "
         "<ana@example.org>; Thu, 12 Nov "
         "2026 10:42:01 +0100",
         "mx.example.org", NULL, "imap.example.org", "LMTP", NULL, "aBcD", "ana@example.org", 1794476521},
        {"(qmail 1234 invoked by uid 89); 12 Nov 2026 09:42:01 -0000", NULL, NULL, NULL, NULL, NULL, NULL,
         NULL, 1794476521},
        /* nonsense */
        {"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0},
        {";;;", NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0},
        {"from", NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0},
        {"from by with id for", "by", NULL, NULL, "id", NULL, NULL, NULL, 0},
        {"from (((((( by x", NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0},
        {"from a by b; yesterday", "a", NULL, "b", NULL, NULL, NULL, NULL, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct hop *hop = hop_parse(cases[i].value);
        g_assert_cmpstr(hop->from, ==, cases[i].from);
        g_assert_cmpstr(hop->from_real, ==, cases[i].from_real);
        g_assert_cmpstr(hop->by, ==, cases[i].by);
        g_assert_cmpstr(hop->with, ==, cases[i].with);
        g_assert_cmpstr(hop->tls, ==, cases[i].tls);
        g_assert_cmpstr(hop->id, ==, cases[i].id);
        g_assert_cmpstr(hop->recipient, ==, cases[i].recipient);
        g_assert_cmpint(hop->has_time, ==, cases[i].time != 0);
        g_assert_cmpint(hop->time, ==, cases[i].time);
        hop_free(hop);
    }
    g_autofree char *huge = g_strnfill(100000, 'x'), *value = g_strconcat("from ", huge, " by ", huge, NULL);
    struct hop *hop = hop_parse(value);
    g_assert_cmpuint(strlen(hop->from), <=, HOP_TEXT_MAX);
    hop_free(hop);
}

/* Whom the server saw, whatever the client called itself. */
static void
test_client(void)
{
    static const struct {
        const char *value, *client;
    } cases[] = {
        {"from a.example (a.example [192.0.2.10]) by mx.example.org (Postfix) with ESMTP id 1", "192.0.2.10"},
        {"from a.example (unknown [IPv6:2001:db8::25]) by mx.example.org (Postfix) with ESMTP id 1", "2001:db8::25"},
        {"from [203.0.113.5] (unknown [192.0.2.10]) by mx.example.org (Postfix)", "192.0.2.10"},
        {"from x([203.0.113.5]) (unknown [192.0.2.10]) by mx.example.org (Postfix)", "192.0.2.10"},
        {"from x ([203.0.113.5]) (unknown [192.0.2.10]) by mx.example.org (Postfix)", "192.0.2.10"},
        {"from x (bank.example [203.0.113.5]) by mx.example.org (Postfix) with ESMTP id 7 (unknown [192.0.2.10]) by "
         "mx.example.org (Postfix) with ESMTP id 8",
         "192.0.2.10"},
        {"from a.example ([192.0.2.10] helo=[203.0.113.5]) by mx.example.org with esmtp (Exim 4.96)", "192.0.2.10"},
        {"from a.example ([192.0.2.10]:40000 helo=b.example) by mx.example.org with esmtp (Exim 4.96)", "192.0.2.10"},
        {"from [192.0.2.10] (helo=[203.0.113.5]) by mx.example.org with esmtp (Exim 4.96)", "192.0.2.10"},
        {"from [192.0.2.10] (port=40000 helo=[203.0.113.5]) by mx.example.org with esmtp (Exim 4.96)", "192.0.2.10"},
        {"from [2001:db8::66] (helo=b.example) by mx.example.org with esmtp (Exim 4.96)", "2001:db8::66"},
        {"from unknown (HELO b.example) (192.0.2.10) by mx.example.org with SMTP", "192.0.2.10"},
        {"from unknown (HELO [203.0.113.5]) (192.0.2.10) by mx.example.org with SMTP", "192.0.2.10"},
        {"from unknown (HELO b.example) (ident@192.0.2.10) by mx.example.org with SMTP", "192.0.2.10"},
        {"from b.example (rdns.example [192.0.2.10] (may be forged)) by mx.example.org (8.17.1/8.17.1)", "192.0.2.10"},
        {"from A.example (2603:10b6::12) by B.example (2603:10b6::13) with Microsoft SMTP Server", "2603:10b6::12"},
        {"by 10.1.2.3 with SMTP id x", NULL},
        {"from mx.example.org by imap.example.org with LMTP", NULL},
        {"", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct hop *hop = hop_parse(cases[i].value);
        g_assert_cmpstr(hop->client, ==, cases[i].client);
        g_assert_true(!hop->from_real || !strstr(hop->from_real, "203.0.113.5") || strstr(hop->from_real, "helo=") ||
                      strstr(hop->from_real, "HELO"));
        hop_free(hop);
    }
}

static void
test_authres(void)
{
    g_autoptr(struct_authentication) full =
        authres_parse("mx.example.org; spf=pass (sender is 192.0.2.7; really) smtp.mailfrom=ben@example.com "
                      "smtp.helo=mail.example.com; "
                      "dkim=pass (2048-bit key) header.d=example.com header.s=s1 header.b=\"abc;def\"; "
                      "dkim=fail reason=\"bad body\" "
                      "header.i=@list.example; dmarc=pass (p=REJECT) header.from=Example.com; arc=none",
                      NULL);
    g_assert_cmpstr(full->by, ==, "mx.example.org");
    g_assert_cmpstr(full->spf, ==, "pass");
    g_assert_cmpstr(full->spf_domain, ==, "example.com");
    g_assert_cmpstr(full->dmarc, ==, "pass");
    g_assert_cmpstr(full->dmarc_domain, ==, "example.com");
    g_assert_cmpstr(full->arc, ==, "none");
    g_assert_cmpuint(full->dkim->len, ==, 2);
    const struct authentication_dkim *first = full->dkim->pdata[0], *second = full->dkim->pdata[1];
    g_assert_cmpstr(first->result, ==, "pass");
    g_assert_cmpstr(first->domain, ==, "example.com");
    g_assert_cmpstr(first->selector, ==, "s1");
    g_assert_cmpstr(second->result, ==, "fail");
    g_assert_cmpstr(second->domain, ==, "list.example");
    g_assert_cmpstr(second->reason, ==, "bad body");

    g_autoptr(struct_authentication) none = authres_parse("mx.example.org 1; none", NULL);
    g_assert_cmpstr(none->by, ==, "mx.example.org");
    g_assert_null(none->spf);
    /* A comment or a quoted text does not make a result; an invented word is none either. */
    g_autoptr(struct_authentication) tricky =
        authres_parse("x.org (a;b); spf=fail (spf=pass) reason=\"; spf=pass\"; dmarc=excellent", NULL);
    g_assert_cmpstr(tricky->by, ==, "x.org");
    g_assert_cmpstr(tricky->spf, ==, "fail");
    g_assert_cmpstr(tricky->dmarc, ==, "unknown");
    /* RFC 8601, appendix B.7, and what else comments may stand between. */
    g_autoptr(struct_authentication) commented = authres_parse(
        "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can go here) "
        ". (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462; spf(x)=(y)hardfail(z)smtp(u).(v)mailfrom = "
        "<ana@example.org> reason = \"a . b = c\"; dmarc=pass(p=reject)header.from=example.org",
        NULL);
    g_assert_cmpstr(commented->by, ==, "foo.example.net");
    g_assert_cmpuint(commented->dkim->len, ==, 1);
    g_assert_cmpstr(((const struct authentication_dkim *)commented->dkim->pdata[0])->result, ==, "fail");
    g_assert_cmpstr(commented->spf, ==, "fail");
    g_assert_cmpstr(commented->spf_domain, ==, "example.org");
    g_assert_cmpstr(commented->spf_reason, ==, "a . b = c");
    g_assert_cmpstr(commented->dmarc, ==, "pass");
    g_assert_cmpstr(commented->dmarc_domain, ==, "example.org");
    g_autoptr(struct_authentication) quoted =
        authres_parse("x.org; spf=pass smtp.mailfrom=\"ana @ ruiz\"@Example.org; dkim=pass reason=fine. header.d=b.example", NULL);
    g_assert_cmpstr(quoted->spf_domain, ==, "example.org");
    g_assert_cmpstr(((const struct authentication_dkim *)quoted->dkim->pdata[0])->domain, ==, "b.example");
    static const char *const broken[] = {"", ";", "x", "; spf=pass", "(((", "\"", "x;;;;=;=a;dkim"};
    for (guint i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(struct_authentication) result = authres_parse(broken[i], NULL);
        g_assert_true(!result || !result->spf);
    }
}

static struct journey *
read_text(const char *text, const char *own)
{
    const char *const names[] = {own, NULL};
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    return journey_read(bytes, own ? names : NULL);
}

static const char relayed[] =
    "Return-Path: <ben@example.com>\n"
    "Received: from mx.example.org by imap.example.org with LMTP id L1; Thu, 12 Nov 2026 10:42:05 +0100\n"
    "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.com\n"
    "Authentication-Results: mx.example.org;\n\tdkim=pass header.d=example.com\n"
    "Received: from mail.example.com (mail.example.com [192.0.2.7])\n"
    "\tby mx.example.org with ESMTPS id M1; Thu, 12 Nov 2026 10:42:02 +0100\n"
    "Received: from laptop by mail.example.com with ESMTPSA id S1; Thu, 12 Nov 2026 10:42:03 +0100\n"
    "Authentication-Results: mx.example.org; spf=fail; dmarc=pass\n"
    "Date: Thu, 12 Nov 2026 10:42:01 +0100\n"
    "From: Ben <ben@example.com>\n"
    "\n"
    "Received: from body by nowhere; Thu, 12 Nov 2026 10:42:05 +0100\n";

static void
test_journey(void)
{
    g_autoptr(struct_journey) journey = read_text(relayed, "imap.example.org");
    g_assert_cmpuint(journey->hops->len, ==, 3);
    const struct hop *first = journey->hops->pdata[0], *second = journey->hops->pdata[1],
                     *third = journey->hops->pdata[2];
    g_assert_cmpstr(first->id, ==, "S1");
    g_assert_cmpint(first->delay, ==, 2);
    g_assert_cmpint(second->delay, ==, 0); /* its clock is behind */
    g_assert_cmpint(third->delay, ==, 3);
    g_assert_cmpint(journey->total, ==, 4);
    g_assert_cmpint(journey->composed_zone, ==, 60);
    /* What stands above the fields from outside is a claim, from the top; whose counts: tests/unit/authority. */
    g_assert_cmpuint(journey->claims->len, ==, 2);
    const struct authentication *top = journey->claims->pdata[0], *next = journey->claims->pdata[1];
    g_assert_cmpstr(top->by, ==, "mx.example.org");
    g_assert_cmpstr(top->spf, ==, "pass");
    g_assert_cmpuint(next->dkim->len, ==, 1);
    g_assert_true(third->is_ours && second->is_ours);
    g_assert_false(first->is_ours);

    /* Without a name the newest hop says who delivered. */
    g_autoptr(struct_journey) unnamed = read_text(relayed, NULL);
    g_assert_cmpuint(unnamed->claims->len, ==, 2);

    /* What stands behind another's hop came from outside. */
    g_autoptr(struct_journey) forged =
        read_text("Received: from x by imap.example.org; Thu, 12 Nov 2026 10:42:05 +0100\n"
                  "Authentication-Results: mx.evil.example; dmarc=pass\n"
                  "Authentication-Results: example.org.evil.example; dmarc=pass\n"
                  "Received: from y by mx.evil.example; Thu, 12 Nov 2026 10:42:05 +0100\n"
                  "Authentication-Results: imap.example.org; dmarc=pass\n\n",
                  "imap.example.org");
    g_assert_cmpuint(forged->claims->len, ==, 2);
    g_assert_cmpint(forged->total, ==, 0);

    /* Domains with a short second level are not one owner. */
    g_autoptr(struct_journey) shared =
        read_text("Received: from x by mail.one.co.uk; Thu, 12 Nov 2026 10:42:05 +0100\n"
                  "Received: from x by mail.two.co.uk; Thu, 12 Nov 2026 10:42:05 +0100\n"
                  "Authentication-Results: mail.one.co.uk; dmarc=pass\n\n",
                  NULL);
    g_assert_cmpuint(shared->claims->len, ==, 0);

    g_autoptr(struct_journey) empty = read_text("", NULL);
    g_assert_cmpuint(empty->hops->len, ==, 0);
    g_assert_cmpint(empty->total, ==, -1);

    GString *many = g_string_new(NULL);
    for (guint i = 0; i < 1000; i++)
        g_string_append(many, "Received: by a; Thu, 12 Nov 2026 10:42:05 +0100\n");
    g_autoptr(struct_journey) bounded = read_text(many->str, NULL);
    g_assert_cmpuint(bounded->hops->len, ==, JOURNEY_HOPS_MAX);
    g_string_free(many, TRUE);
}

/* What each hop was; whose clock is behind; who sent it on. */
static void
test_kinds(void)
{
    g_autoptr(struct_journey) journey = read_text(
        "Received: from mx.example.org by imap.example.org with LMTP id 6; Thu, 12 Nov 2026 10:52:06 +0100\n"
        "Received: from localhost (localhost [127.0.0.1]) by mx.example.org (amavisd-new) with ESMTP id 5; Thu, 12 Nov 2026 10:42:05 +0100\n"
        "Received: from lists.example.net (lists.example.net [192.0.2.9]) by mx.example.org with ESMTPS id 4; Thu, 12 Nov 2026 10:42:04 +0100\n"
        "List-Id: The team <team.lists.example.net>\n"
        "ARC-Seal: i=1; a=rsa-sha256; d=example.net; s=s1; cv=none; b=aGVsbG8=\n"
        "Received: from out.example.com (out.example.com [192.0.2.7]) by lists.example.net with ESMTPS id 3; Thu, 12 Nov 2026 10:41:03 +0100\n"
        "Received: from smtp.example.com (smtp.example.com [10.1.2.3]) by out.example.com with ESMTP id 2; Thu, 12 Nov 2026 10:42:02 +0100\n"
        "Received: from laptop (pool.example.edu [203.0.113.4]) by smtp.example.com with ESMTPSA id 1; Thu, 12 Nov 2026 10:42:01 +0100\n"
        "Resent-From: Ben <ben@example.com>\n"
        "Date: Thu, 12 Nov 2026 10:42:00 +0100\n\n", NULL);
    static const struct {
        const char *kind;
        gint64 delay, skew;
    } hops[] = {{"submission", 1, 0}, {"internal", 1, 0}, {"relay", 0, 59}, {"relay", 61, 0}, {"internal", 1, 0}, {"delivery", 601, 0}};
    static const struct {
        const char *kind, *by;
    } forwards[] = {{"resent", "Ben <ben@example.com>"}, {"arc", "example.net"}, {"list", "team.lists.example.net"}};
    g_assert_cmpuint(journey->hops->len, ==, G_N_ELEMENTS(hops));
    for (guint i = 0; i < G_N_ELEMENTS(hops); i++) {
        const struct hop *hop = journey->hops->pdata[i];
        g_assert_cmpstr(hop_kind_name(hop->kind), ==, hops[i].kind);
        g_assert_cmpint(hop->delay, ==, hops[i].delay);
        g_assert_cmpint(hop->skew, ==, hops[i].skew);
    }
    g_assert_cmpuint(journey->forwards->len, ==, G_N_ELEMENTS(forwards));
    for (guint i = 0; i < G_N_ELEMENTS(forwards); i++) {
        const struct forward *forward = journey->forwards->pdata[i];
        g_assert_cmpstr(forward_kind_name(forward->kind), ==, forwards[i].kind);
        g_assert_cmpstr(forward->by, ==, forwards[i].by);
    }
    g_autoptr(struct_journey) hostile = read_text("ARC-Seal: d\nARC-Seal: d=\nARC-Seal: ;;;=d\nList-Id: \nList-Id: <>\n\n", NULL);
    g_assert_cmpuint(hostile->forwards->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journey/received", test_received);
    g_test_add_func("/journey/client", test_client);
    g_test_add_func("/journey/authentication-results", test_authres);
    g_test_add_func("/journey/whole", test_journey);
    g_test_add_func("/journey/kinds", test_kinds);
    return g_test_run();
}
