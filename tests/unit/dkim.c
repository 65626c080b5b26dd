/* DKIM: the examples of RFC 6376 and RFC 8463, and a table of signatures that are right, wrong, or say less
 * than they seem to */
#include "config.h"

#include "signer.h"
#include "trust/dkim.h"

#define NOW 1794476521 /* 12 Nov 2026 */

static struct authentication *
check(const char *bytes, gsize length, struct zone *zone)
{
    g_autoptr(struct_dns) dns = dns_new_function(zone_lookup, zone);
    g_autoptr(GBytes) message_bytes = g_bytes_new_static(bytes, length);
    struct signed_message message;
    struct authentication *found = authentication_new();
    signed_message_init(&message, message_bytes);
    dkim_check(&message, dns, NOW, found);
    signed_message_clear(&message);
    return found;
}

/* --- canonical forms: RFC 6376 section 3.4.5 */

static void
canon(const char *text, gboolean relaxed, char **header, char **body)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    g_autoptr(GString) out = g_string_new(NULL);
    struct signed_message message;
    guint8 hash[SHA256_SIZE];
    signed_message_init(&message, bytes);
    for (guint i = 0; i < message.fields->len; i++)
        canon_field(&message, i, relaxed, out);
    canon_body(&message, relaxed, G_MAXUINT64, hash);
    signed_message_clear(&message);
    *header = g_strdup(out->str);
    *body = g_base64_encode(hash, sizeof hash);
}

static void
test_canon(void)
{
    static const struct {
        const char *message;
        gboolean relaxed;
        const char *header, *body;
    } cases[] = {
        {"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n", TRUE, "a:X\r\nb:Y Z\r\n",
         " C\r\nD E\r\n"},
        {"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n", FALSE, "A: X\r\nB : Y\t\r\n\tZ  \r\n",
         " C \r\nD \t E\r\n"},
        /* as it lies on a disk */
        {"A: X\nB : Y\t\n\tZ  \n\n C \nD \t E\n\n\n", TRUE, "a:X\r\nb:Y Z\r\n", " C\r\nD E\r\n"},
        {"A: X\nB : Y\t\n\tZ  \n\n C \nD \t E\n\n\n", FALSE, "A: X\r\nB : Y\t\r\n\tZ  \r\n",
         " C \r\nD \t E\r\n"},
        /* empty bodies */
        {"A: X\r\n\r\n", FALSE, "A: X\r\n", "\r\n"},
        {"A: X\r\n\r\n", TRUE, "a:X\r\n", ""},
        {"A: X\r\n", FALSE, "A: X\r\n", "\r\n"},
        {"A: X\r\n\r\n\r\n\r\n", FALSE, "A: X\r\n", "\r\n"},
        {"A: X\r\n\r\n \t\r\n\r\n", TRUE, "a:X\r\n", ""},
        {"A: X\r\n\r\n \r\n", FALSE, "A: X\r\n", " \r\n"},
        /* no line end at the end, empty lines inside, an empty field */
        {"A:\r\n\r\none", FALSE, "A:\r\n", "one\r\n"},
        {"A: \r\n\r\none\r\n\r\n\r\ntwo  \t\r\n", TRUE, "a:\r\n", "one\r\n\r\n\r\ntwo\r\n"},
        {"A:\t x \t y \r\n\r\n\t \tone\r\n", TRUE, "a:x y\r\n", " one\r\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *header = NULL, *body = NULL, *wanted = NULL;
        guint8 hash[SHA256_SIZE];
        struct sha256 *sum = sha256_new();
        canon(cases[i].message, cases[i].relaxed, &header, &body);
        sha256_add(sum, cases[i].body, strlen(cases[i].body));
        sha256_end(sum, hash);
        wanted = g_base64_encode(hash, sizeof hash);
        g_assert_cmpstr(header, ==, cases[i].header);
        g_assert_cmpstr(body, ==, wanted);
    }
}

/* --- RFC 8463 appendix A */

static const char football[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                               " d=football.example.com; i=@football.example.com;\r\n"
                               " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                               " subject : date : message-id : from : subject : date;\r\n"
                               " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                               " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
                               " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
                               "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                               " d=football.example.com; i=@football.example.com;\r\n"
                               " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                               " date : message-id : from : subject : date;\r\n"
                               " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                               " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
                               " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
                               " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
                               "From: Joe SixPack <joe@football.example.com>\r\n"
                               "To: Suzie Q <suzie@shopping.example.net>\r\n"
                               "Subject: Is dinner ready?\r\n"
                               "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                               "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
                               "\r\n"
                               "Hi.\r\n"
                               "\r\n"
                               "We lost the game.  Are you hungry yet?\r\n"
                               "\r\n"
                               "Joe.\r\n";

static void
football_zone(struct zone *zone)
{
    zone_add(zone, "brisbane._domainkey.football.example.com TXT v=DKIM1; k=ed25519; "
                   "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    zone_add(zone,
             "test._domainkey.football.example.com TXT v=DKIM1; k=rsa; "
             "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/"
             "J16JYi0Qvx/"
             "byYzCNb3W91y3FutACDfzwQ/BC/e/"
             "8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/"
             "K4w3QIDAQAB");
}

static void
test_rfc8463(void)
{
    struct zone zone = {0};
    football_zone(&zone);
    for (guint as_stored = 0; as_stored < 2; as_stored++) {
        g_auto(GStrv) lines = g_strsplit(football, "\r\n", -1);
        g_autofree char *text = g_strjoinv(as_stored ? "\n" : "\r\n", lines);
        g_autoptr(struct_authentication) found = check(text, strlen(text), &zone);
        g_assert_cmpuint(found->dkim->len, ==, 2);
        const struct authentication_dkim *first = found->dkim->pdata[0], *second = found->dkim->pdata[1];
        g_assert_cmpstr(first->result, ==, "pass");
        g_assert_cmpstr(first->domain, ==, "football.example.com");
        g_assert_cmpstr(first->algorithm, ==, "ed25519-sha256");
        g_assert_cmpint(first->signed_at, ==, 1528637909);
        g_assert_cmpstr(second->result, ==, "pass");
        g_assert_cmpstr(second->selector, ==, "test");
        g_assert_cmpuint(second->bits, ==, 1024);
    }
    zone_clear(&zone);
}

/* Every byte of what is signed counts. */
static void
test_every_byte(void)
{
    struct zone zone = {0};
    football_zone(&zone);
    const char *from = strstr(football, "From: Joe");
    for (const char *p = from; *p; p++) {
        if (g_ascii_isspace(*p) || *p == ':')
            continue;
        g_autofree char *text = g_strdup(football);
        text[p - football] ^= 0x01;
        g_autoptr(struct_authentication) found = check(text, strlen(text), &zone);
        for (guint i = 0; i < found->dkim->len; i++)
            if (!strcmp(((struct authentication_dkim *)found->dkim->pdata[i])->result, "pass"))
                g_error("a change at byte %zu was not seen", (gsize)(p - football));
    }
    zone_clear(&zone);
}

/* --- the table */

#define TAGS "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from:to:subject:date;"
#define SIMPLE "v=1; a=rsa-sha256; c=simple/simple; d=example.org; s=k; h=from:to:subject:date;"

static const char plain[] = "From: Ana <ana@example.org>\r\n"
                            "To: ben@example.com\r\n"
                            "Subject: the  plan\r\n"
                            "Date: Thu, 12 Nov 2026 10:42:01 +0100\r\n"
                            "\r\n"
                            "Hello Ben,\r\n"
                            "\r\n"
                            "see you at noon.\r\n";

struct dkim_case {
    const char *name, *tags;
    enum signer_key key;
    const char *was, *is;       /* the first `was` after signing becomes `is` */
    const char *before, *after; /* put before and behind the signed message */
    const char *record;         /* %s is the key; NULL: "v=DKIM1; p=%s"; "": no such name */
    const char *result, *reason;
};

static const struct dkim_case cases[] = {
    {"relaxed", TAGS, .result = "pass"},
    {"simple", SIMPLE, .result = "pass"},
    {"relaxed header, body simple by default",
     "v=1; a=rsa-sha256; c=relaxed; d=example.org; s=k; h=from:subject;", .result = "pass"},
    {"simple/relaxed", "v=1; a=rsa-sha256; c=simple/relaxed; d=example.org; s=k; h=from:subject;",
     .result = "pass"},
    {"no c= at all", "v=1; a=rsa-sha256; d=example.org; s=k; h=from:subject;", .result = "pass"},
    {"ed25519", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from;", KEY_ED25519,
     .record = "v=DKIM1; k=ed25519; p=%s", .result = "pass"},
    {"1024 bits", TAGS, KEY_RSA_1024, .result = "pass"},
    {"tags in any case and order of names",
     "v=1; a=RSA-SHA256; c=Relaxed/Relaxed; d=EXAMPLE.org; s=k; h=From : TO:sUbject;", .result = "pass"},
    {"a folded signature",
     "v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=example.org; s=k;\r\n\th=from:to:\r\n\t subject;",
     .result = "pass"},
    {"a folded signature, simple",
     "v=1; a=rsa-sha256; c=simple/simple;\r\n\td=example.org; s=k;\r\n\th=from:to:\r\n\t subject;",
     .result = "pass"},
    {"unknown tags are passed over", TAGS " zz=what; r=y;", .result = "pass"},
    {"z= is only a remark", TAGS " z=From:someone@else.example;", .result = "pass"},
    {"q=dns/txt", TAGS " q=dns/txt;", .result = "pass"},
    {"an agent below the domain", TAGS " i=ana@mail.example.org;", .result = "pass"},
    {"the domain itself as agent", TAGS " i=@example.org;", .result = "pass"},
    {"oversigned",
     "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from:from:to:to:subject:subject:date:date;",
     .result = "pass"},
    {"a field named that is not there",
     "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from:list-id;", .result = "pass"},
    {"key record without v=", TAGS, .record = "p=%s", .result = "pass"},
    {"key record with k=rsa, spaces, a note", TAGS, .record = "v=DKIM1 ; k = rsa; n=a note; p= %s ;",
     .result = "pass"},
    {"key for sha256", TAGS, .record = "v=DKIM1; h=sha1:sha256; p=%s", .result = "pass"},
    {"key for mail", TAGS, .record = "v=DKIM1; s=email; p=%s", .result = "pass"},
    {"key for all services", TAGS, .record = "v=DKIM1; s=*:other; p=%s", .result = "pass"},
    {"key for its own domain only", TAGS, .record = "v=DKIM1; t=s; p=%s", .result = "pass"},
    {"testing, and right", TAGS, .record = "v=DKIM1; t=y; p=%s", .result = "pass", .reason = "testing"},
    {"an end in the future", TAGS " t=1794470000; x=1800000000;", .result = "pass"},
    {"l= covers everything", TAGS " l=32;", .result = "pass"},
    /* what relays may do */
    {"blanks changed, relaxed", TAGS, .was = "the  plan", .is = "the \t plan  ", .result = "pass"},
    {"a field folded anew, relaxed", TAGS, .was = "the  plan", .is = "the\r\n plan", .result = "pass"},
    {"blanks at line ends, relaxed", TAGS, .was = "noon.", .is = "noon. \t", .result = "pass"},
    {"empty lines at the end, relaxed", TAGS, .after = "\r\n\r\n", .result = "pass"},
    {"empty lines at the end, simple", SIMPLE, .after = "\r\n\r\n", .result = "pass"},
    {"a Received on top", TAGS, .before = "Received: by mx.example.com; Thu, 12 Nov 2026 10:43:00 +0100\r\n",
     .result = "pass"},
    {"the name of a field in capitals, relaxed", TAGS, .was = "Subject:", .is = "SUBJECT:", .result = "pass"},
    /* what is changed */
    {"the body", TAGS, .was = "noon", .is = "midnight", .result = "fail", .reason = "text was changed"},
    {"the body, simple", SIMPLE, .was = "noon.", .is = "noon. ", .result = "fail",
     .reason = "text was changed"},
    {"text behind the body", TAGS, .after = "And send money.\r\n", .result = "fail",
     .reason = "text was changed"},
    {"an empty line inside", TAGS, .was = "\r\n\r\nsee", .is = "\r\n\r\n\r\nsee", .result = "fail"},
    {"the subject", TAGS, .was = "the  plan", .is = "the money", .result = "fail",
     .reason = "header field was changed"},
    {"blanks in the subject, simple", SIMPLE, .was = "the  plan", .is = "the plan", .result = "fail"},
    {"folding, simple", SIMPLE, .was = "the  plan", .is = "the \r\n plan", .result = "fail"},
    {"the name of a field in capitals, simple", SIMPLE,
     .was = "Subject:", .is = "SUBJECT:", .result = "fail"},
    {"the author", TAGS, .was = "ana@", .is = "eva@", .result = "fail"},
    {"a signed field taken away", TAGS, .was = "To: ben@example.com\r\n", .is = "", .result = "fail"},
    {"an oversigned field added",
     "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from:from:subject:subject;",
     .before = "Subject: other\r\n", .result = "fail"},
    {"a field that was not there is named, and added",
     "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from:reply-to;",
     .before = "Reply-To: eva@evil.example\r\n", .result = "fail"},
    {"the signature's own tags", TAGS, .was = "s=k;", .is = "s=K;", .result = "fail"},
    {"the selector points elsewhere", TAGS, .was = "s=k;", .is = "s=none;", .result = "permerror",
     .reason = "no such key"},
    {"c= changed to what was not meant", SIMPLE, .was = "c=simple/simple", .is = "c=relaxed/relaxed",
     .result = "fail"},
    {"bh= of another body", TAGS, .was = "bh=", .is = "bh=AAAA", .result = "fail"},
    {"b= cut short", TAGS, .was = "; b=", .is = "; b=AAAA", .result = "fail"},
    /* what is put before what is signed */
    {"a second From above", TAGS, .before = "From: Bank <bank@example.com>\r\n", .result = "policy",
     .reason = "second From"},
    {"a second Subject above", TAGS, .before = "Subject: pay now\r\n", .result = "policy",
     .reason = "second Subject"},
    {"a second To above", TAGS, .before = "To: everyone@example.com\r\n", .result = "policy",
     .reason = "second To"},
    {"a second Date above", TAGS, .before = "Date: Fri, 13 Nov 2026 10:42:01 +0100\r\n", .result = "policy",
     .reason = "second Date"},
    {"a second from in small letters", TAGS, .before = "from: bank@example.com\r\n", .result = "policy",
     .reason = "second From"},
    /* l= */
    {"text added behind l=", TAGS " l=32;", .after = "And send money.\r\n", .result = "policy",
     .reason = "behind the part"},
    {"l=0 signs no text at all", TAGS " l=0;", .result = "policy", .reason = "behind the part"},
    {"the text is shorter than l=", TAGS " l=32;", .was = "see you at noon.\r\n", .is = "", .result = "fail",
     .reason = "shortened"},
    {"the text within l= changed", TAGS " l=32;", .was = "noon", .is = "nine", .result = "fail"},
    {"l= is no number", TAGS " l=-1;", .result = "permerror"},
    {"l= is far too long a number", TAGS " l=99999999999999999999999999;", .result = "permerror"},
    /* the key */
    {"no key", TAGS, .record = "", .result = "permerror", .reason = "no such key"},
    {"nobody answers", TAGS, .record = "!", .result = "temperror"},
    {"revoked", TAGS, .record = "v=DKIM1; p=", .result = "permerror", .reason = "revoked"},
    {"another's key", TAGS, KEY_OTHER, .result = "fail"},
    {"512 bits", TAGS, KEY_RSA_512, .result = "policy", .reason = "too short: 512 bits"},
    {"a key of another type", TAGS, .record = "v=DKIM1; k=ed25519; p=%s", .result = "permerror",
     .reason = "another type"},
    {"an RSA key called Ed25519", "v=1; a=ed25519-sha256; d=example.org; s=k; h=from;", KEY_ED25519,
     .record = "v=DKIM1; p=%s", .result = "permerror", .reason = "another type"},
    {"a key type that nobody knows", TAGS, .record = "v=DKIM1; k=dsa; p=%s", .result = "permerror"},
    {"the version is not first", TAGS, .record = "k=rsa; v=DKIM1; p=%s", .result = "permerror",
     .reason = "version"},
    {"another version", TAGS, .record = "v=DKIM2; p=%s", .result = "permerror", .reason = "version"},
    {"a key for sha1 only", TAGS, .record = "v=DKIM1; h=sha1; p=%s", .result = "permerror", .reason = "hash"},
    {"a key for another service", TAGS, .record = "v=DKIM1; s=tlsrpt; p=%s", .result = "permerror",
     .reason = "not for mail"},
    {"t=s, and an agent below", TAGS " i=@mail.example.org;", .record = "v=DKIM1; t=y:s; p=%s",
     .result = "permerror", .reason = "below its own"},
    {"testing, and wrong", TAGS, .was = "noon", .is = "nine", .record = "v=DKIM1; t=y; p=%s",
     .result = "neutral", .reason = "testing"},
    {"the key is no base64", TAGS, .record = "v=DKIM1; p=!!!!", .result = "permerror", .reason = "no key"},
    {"the key is nonsense", TAGS, .record = "v=DKIM1; p=AAAA", .result = "permerror", .reason = "no key"},
    {"the record is no list", TAGS, .record = "hello", .result = "permerror", .reason = "no key"},
    {"the record has p= twice", TAGS, .record = "v=DKIM1; p=AAAA; p=%s", .result = "permerror",
     .reason = "no key"},
    /* the signature */
    {"expired", TAGS " t=1794000000; x=1794000001;", .result = "fail", .reason = "expired"},
    {"it ends before it begins", TAGS " t=1794000001; x=1794000000;", .result = "permerror"},
    {"from the future", TAGS " t=1799000000;", .result = "policy", .reason = "future"},
    {"times that are no numbers", TAGS " t=yesterday;", .result = "permerror"},
    {"From is not covered", "v=1; a=rsa-sha256; d=example.org; s=k; h=to:subject:date;",
     .result = "permerror", .reason = "From"},
    {"rsa-sha1", "v=1; a=rsa-sha1; d=example.org; s=k; h=from;", .result = "permerror", .reason = "rsa-sha1"},
    {"an algorithm nobody knows", "v=1; a=rsa-md5; d=example.org; s=k; h=from;", .result = "permerror"},
    {"no version", "a=rsa-sha256; d=example.org; s=k; h=from;", .result = "permerror", .reason = "version"},
    {"version 2", "v=2; a=rsa-sha256; d=example.org; s=k; h=from;", .result = "permerror",
     .reason = "version"},
    {"no d=", "v=1; a=rsa-sha256; s=k; h=from;", .result = "permerror", .reason = "d="},
    {"an empty s=", "v=1; a=rsa-sha256; d=example.org; s=; h=from;", .result = "permerror", .reason = "s="},
    {"d= twice", "v=1; a=rsa-sha256; d=example.org; d=example.com; s=k; h=from;", .result = "permerror"},
    {"another's agent", TAGS " i=ana@example.com;", .result = "permerror", .reason = "not its own"},
    {"an agent that only looks like below", TAGS " i=ana@evilexample.org;", .result = "permerror",
     .reason = "not its own"},
    {"an agent without a domain", TAGS " i=ana;", .result = "permerror"},
    {"a form nobody knows", "v=1; a=rsa-sha256; c=nowsp; d=example.org; s=k; h=from;", .result = "permerror"},
    {"a form with three parts", "v=1; a=rsa-sha256; c=simple/simple/simple; d=example.org; s=k; h=from;",
     .result = "permerror"},
    {"a key that is not in the DNS", TAGS " q=http/ftp;", .result = "permerror"},
    {"no list at all", "hello;", .result = "permerror"},
    {"a selector that points out of the tree", "v=1; a=rsa-sha256; d=example.org; s=..; h=from;",
     .result = "permerror"},
};

static void
test_case(gconstpointer data)
{
    const struct dkim_case *c = data;
    struct zone zone = {0};
    g_autofree char *public = signer_public(c->key == KEY_OTHER ? KEY_RSA : c->key);
    const char *record = c->record ? c->record : "v=DKIM1; p=%s";
    g_auto(GStrv) pieces = g_strsplit(record, "%s", 2);
    g_autofree char *filled = g_strjoinv(public, pieces);
    if (*filled) /* the second selector is there for one that was changed */
        zone_add(&zone, "k._domainkey.example.org TXT %s", filled);
    g_autofree char *message = signer_add(plain, "DKIM-Signature", c->tags, c->key);
    if (c->was) {
        g_auto(GStrv) parts = g_strsplit(message, c->was, 2);
        g_assert_nonnull(parts[1]);
        g_free(message);
        message = g_strjoinv(c->is, parts);
    }
    g_autofree char *whole = g_strconcat(c->before ? c->before : "", message, c->after ? c->after : "", NULL);
    g_autoptr(struct_authentication) found = check(whole, strlen(whole), &zone);
    g_assert_cmpuint(found->dkim->len, ==, 1);
    const struct authentication_dkim *dkim = found->dkim->pdata[0];
    g_test_message("%s: %s", dkim->result, dkim->reason);
    g_assert_cmpstr(dkim->result, ==, c->result);
    if (c->reason && (!dkim->reason || !strstr(dkim->reason, c->reason)))
        g_error("%s: \"%s\" does not say \"%s\"", c->name, dkim->reason, c->reason);
    g_assert_true(!strcmp(c->result, "pass") || dkim->reason);
    zone_clear(&zone);
}

/* Each is judged by itself, and there is an end to them. */
static void
test_several(void)
{
    struct zone zone = {0};
    g_autofree char *public = signer_public(KEY_RSA);
    zone_add(&zone, "k._domainkey.example.org TXT v=DKIM1; p=%s", public);
    zone_add(&zone, "k._domainkey.list.example TXT v=DKIM1; p=%s", public);
    g_autofree char *one = signer_add(plain, "DKIM-Signature", TAGS, KEY_RSA);
    g_auto(GStrv) parts = g_strsplit(one, "the  plan", 2);
    g_autofree char *changed = g_strjoinv("[list] the plan", parts);
    g_autofree char *two =
        signer_add(changed, "DKIM-Signature",
                   "v=1; a=rsa-sha256; c=relaxed/relaxed; d=list.example; s=k; h=from:subject;", KEY_RSA);
    g_autoptr(struct_authentication) found = check(two, strlen(two), &zone);
    g_assert_cmpuint(found->dkim->len, ==, 2);
    g_assert_cmpstr(((struct authentication_dkim *)found->dkim->pdata[0])->result, ==, "pass");
    g_assert_cmpstr(((struct authentication_dkim *)found->dkim->pdata[0])->domain, ==, "list.example");
    g_assert_cmpstr(((struct authentication_dkim *)found->dkim->pdata[1])->result, ==, "fail");

    g_autoptr(GString) many = g_string_new(NULL);
    for (guint i = 0; i < 500; i++)
        g_string_append(many, "DKIM-Signature: v=1\r\n");
    g_string_append(many, plain);
    g_autoptr(struct_authentication) bounded = check(many->str, many->len, &zone);
    g_assert_cmpuint(bounded->dkim->len, ==, DKIM_SIGNATURES_MAX);
    zone_clear(&zone);
}

/* 8-bit text and a NUL: the bytes count, not what they mean. */
static void
test_bytes(void)
{
    struct zone zone = {0};
    g_autofree char *public = signer_public(KEY_RSA);
    zone_add(&zone, "k._domainkey.example.org TXT v=DKIM1; p=%s", public);
    static const char *const messages[] = {
        "From: \xc3\x84na <ana@example.org>\r\nSubject: \xff\xfe\r\n\r\n\xe4\xf6\xfc\r\n",
        "From: ana@example.org\r\nSubject:\r\n\r\n",
        "From: ana@example.org\r\nSubject: x\r\n\r\na lone \r carriage return\r\n",
        "From: ana@example.org\r\nsubject :x\r\n\r\n. \r\n..\r\n",
    };
    for (guint i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autofree char *relaxed =
            signer_add(messages[i], "DKIM-Signature",
                       "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k; h=from:subject;", KEY_RSA);
        g_autofree char *simple = signer_add(
            messages[i], "DKIM-Signature", "v=1; a=rsa-sha256; d=example.org; s=k; h=from:subject;", KEY_RSA);
        g_autoptr(struct_authentication) first = check(relaxed, strlen(relaxed), &zone);
        g_autoptr(struct_authentication) second = check(simple, strlen(simple), &zone);
        g_assert_cmpstr(((struct authentication_dkim *)first->dkim->pdata[0])->result, ==, "pass");
        g_assert_cmpstr(((struct authentication_dkim *)second->dkim->pdata[0])->result, ==, "pass");
    }
    zone_clear(&zone);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dkim/canonical", test_canon);
    g_test_add_func("/dkim/rfc8463", test_rfc8463);
    g_test_add_func("/dkim/every-byte", test_every_byte);
    g_test_add_func("/dkim/several", test_several);
    g_test_add_func("/dkim/bytes", test_bytes);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *slug = g_strdup(cases[i].name), *path = NULL;
        g_strdelimit(slug, " /,=", '-');
        path = g_strdup_printf("/dkim/case/%s", slug);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    return g_test_run();
}
