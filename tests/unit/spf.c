/* SPF: every mechanism, modifier, macro and limit of RFC 7208, against a zone that is a table */
#include "config.h"

#include "signer.h"
#include "trust/spf.h"

#define NOW 1794476521

/* One zone for all: "name TYPE value". */
static const char *const zone_lines[] = {
    "all.example TXT v=spf1 -all",
    "pass.example TXT v=spf1 +all",
    "soft.example TXT v=spf1 ~all",
    "neutral.example TXT v=spf1 ?all",
    "empty.example TXT v=spf1",
    "upper.example TXT V=SpF1 IP4:192.0.2.1 -ALL",
    "spaces.example TXT v=spf1   ip4:192.0.2.1    -all  ",
    "two.example TXT v=spf1 -all",
    "two.example TXT v=spf1 +all",
    "other.example TXT google-site-verification=1",
    "other.example TXT v=spf10 -all",
    "mixed.example TXT something else",
    "mixed.example TXT v=spf1 -all",
    "nothing.example A 192.0.2.1",
    "broken.example TXT !",
    "tab.example TXT v=spf1\tip4:192.0.2.1 -all",
    "8bit.example TXT v=spf1 a:\xc3\xa4.example -all",
    /* ip4, ip6 */
    "ip4.example TXT v=spf1 ip4:192.0.2.1 -all",
    "net4.example TXT v=spf1 ip4:192.0.2.0/25 -all",
    "net0.example TXT v=spf1 ip4:10.0.0.0/0 -all",
    "ip6.example TXT v=spf1 ip6:2001:db8::1 -all",
    "net6.example TXT v=spf1 ip6:2001:db8::/33 -all",
    "ip4bad.example TXT v=spf1 ip4:192.0.2 -all",
    "ip4long.example TXT v=spf1 ip4:192.0.2.1/33 -all",
    "ip4zero.example TXT v=spf1 ip4:192.0.2.1/032 -all",
    "ip4none.example TXT v=spf1 ip4 -all",
    "ip4slash.example TXT v=spf1 ip4:192.0.2.1/ -all",
    "ip4dual.example TXT v=spf1 ip4:192.0.2.1//32 -all",
    "ip6long.example TXT v=spf1 ip6:2001:db8::1/129 -all",
    "ip6bad.example TXT v=spf1 ip6:2001:db8:::1 -all",
    "late.example TXT v=spf1 ip4:192.0.2.1 -all moo",
    /* a, mx, ptr, exists */
    "a.example TXT v=spf1 a -all",
    "a.example A 192.0.2.1",
    "a.example AAAA 2001:db8::1",
    "anet.example TXT v=spf1 a:a.example/24//64 -all",
    "acolon.example TXT v=spf1 a: -all",
    "anone.example TXT v=spf1 a:missing.example -all",
    "afail.example TXT v=spf1 a:hang.example -all",
    "hang.example A !",
    "alabel.example TXT v=spf1 a:museum -all",
    "anumber.example TXT v=spf1 a:a.123 -all",
    "adash.example TXT v=spf1 a:a.-x -all",
    "adot.example TXT v=spf1 a:a.example. -all",
    "aslash.example TXT v=spf1 a:a.example/abc -all",
    "acidr.example TXT v=spf1 a/33 -all",
    "acidr6.example TXT v=spf1 a//129 -all",
    "mx.example TXT v=spf1 mx -all",
    "mx.example MX mail.mx.example",
    "mx.example MX mail2.mx.example",
    "mail.mx.example A 192.0.2.7",
    "mail2.mx.example A 192.0.2.1",
    "mail2.mx.example AAAA 2001:db8::1",
    "mxother.example TXT v=spf1 mx:mx.example/24 -all",
    "mxnone.example TXT v=spf1 mx:nothing.example -all",
    "ptr.example TXT v=spf1 ptr -all",
    "1.2.0.192.in-addr.arpa PTR mail.ptr.example",
    "1.2.0.192.in-addr.arpa PTR liar.ptrother.example",
    "mail.ptr.example A 192.0.2.1",
    "ptrother.example TXT v=spf1 ptr:ptrother.example -all",
    "liar.ptrother.example A 192.0.2.99",
    "exists.example TXT v=spf1 exists:%{ir}.list.example -all",
    "1.2.0.192.list.example A 127.0.0.2",
    "existsbare.example TXT v=spf1 exists -all",
    "allarg.example TXT v=spf1 -all:foo",
    "alldot.example TXT v=spf1 -all.",
    "unknown.example TXT v=spf1 ipv4:192.0.2.1 -all",
    /* include, redirect, exp */
    "inc.example TXT v=spf1 include:ip4.example -all",
    "incsoft.example TXT v=spf1 include:soft.example ?all",
    "incnone.example TXT v=spf1 include:nothing.example -all",
    "incperm.example TXT v=spf1 include:ip4bad.example -all",
    "inctemp.example TXT v=spf1 include:broken.example -all",
    "incself.example TXT v=spf1 include:incself.example -all",
    "incbare.example TXT v=spf1 include -all",
    "red.example TXT v=spf1 redirect=ip4.example",
    "redlate.example TXT v=spf1 redirect=pass.example ip4:192.0.2.1 -all",
    "rednone.example TXT v=spf1 redirect=nothing.example",
    "redtwo.example TXT v=spf1 redirect=ip4.example redirect=ip4.example",
    "redempty.example TXT v=spf1 redirect=",
    "redself.example TXT v=spf1 redirect=redself.example",
    "mod.example TXT v=spf1 moo.cow-far_out=man:dog/cat ip4:192.0.2.1 -all",
    "modbad.example TXT v=spf1 moo=%abc ip4:192.0.2.1 -all",
    "moddigit.example TXT v=spf1 1up=foo -all",
    "exp.example TXT v=spf1 -all exp=why.exp.example",
    "why.exp.example TXT %{c} may not send for %{o}: see %{S} at %{t}",
    "exptwo.example TXT v=spf1 exp=why.exp.example exp=why.exp.example -all",
    "expmany.example TXT v=spf1 -all exp=many.exp.example",
    "many.exp.example TXT one",
    "many.exp.example TXT two",
    "expbad.example TXT v=spf1 -all exp=bad.exp.example",
    "bad.exp.example TXT 100%",
    "expinc.example TXT v=spf1 include:exp.example -all",
    "expred.example TXT v=spf1 redirect=exp.example",
    /* macros */
    "m1.example TXT v=spf1 exists:%{l}.%{d2}.%{o}.m.example -all",
    "ana.m1.example.m1.example.m.example A 127.0.0.2",
    "m2.example TXT v=spf1 exists:%{lr-}.m.example -all",
    "b.a.m.example A 127.0.0.2",
    "m3.example TXT v=spf1 exists:%{l1r-}.m3.m.example -all",
    "a.m3.m.example A 127.0.0.2",
    "m4.example TXT v=spf1 exists:%{ir}.%{v}.m.example -all",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.m.example A 127.0.0.2",
    "m5.example TXT v=spf1 exists:%{h}.m5.m.example -all",
    "mail.client.example.m5.m.example A 127.0.0.2",
    "m6.example TXT v=spf1 exists:%{p}.m.example -all",
    "mail.ptr.example.m.example A 127.0.0.2",
    "m7.example TXT v=spf1 exists:%%.%_.%-.m.example -all",
    "%. .%20.m.example A 127.0.0.2",
    "mletter.example TXT v=spf1 exists:%{x}.m.example -all",
    "mexp.example TXT v=spf1 exists:%{c}.m.example -all",
    "mzero.example TXT v=spf1 exists:%{d0}.m.example -all",
    "mopen.example TXT v=spf1 exists:%{d.m.example -all",
    "mpercent.example TXT v=spf1 exists:%d.m.example -all",
    /* limits */
    "ten.example TXT v=spf1 a:a.example a:a.example a:a.example a:a.example a:a.example a:a.example "
    "a:a.example "
    "a:a.example a:a.example a:a.example ?all",
    "eleven.example TXT v=spf1 a:a.example a:a.example a:a.example a:a.example a:a.example a:a.example "
    "a:a.example "
    "a:a.example a:a.example a:a.example a:a.example ?all",
    "deep.example TXT v=spf1 include:ten.example ?all",
    "void2.example TXT v=spf1 a:n1.example a:n2.example ?all",
    "void3.example TXT v=spf1 a:n1.example a:n2.example a:n3.example ?all",
    "mxmany.example TXT v=spf1 mx ?all",
};

static const struct {
    const char *ip, *from, *helo, *result, *reason;
} cases[] = {
    {"192.0.2.1", "ana@all.example", NULL, "fail", "-all"},
    {"192.0.2.1", "ana@pass.example", NULL, "pass", "+all"},
    {"192.0.2.1", "ana@soft.example", NULL, "softfail", "~all"},
    {"192.0.2.1", "ana@neutral.example", NULL, "neutral", "?all"},
    {"192.0.2.1", "ana@empty.example", NULL, "neutral", NULL},
    {"192.0.2.1", "ana@upper.example", NULL, "pass", "IP4:192.0.2.1"},
    {"192.0.2.1", "ana@UPPER.Example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@spaces.example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@two.example", NULL, "permerror", "the domain has two SPF records"},
    {"192.0.2.1", "ana@other.example", NULL, "none", NULL},
    {"192.0.2.1", "ana@mixed.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@nothing.example", NULL, "none", NULL},
    {"192.0.2.1", "ana@missing.example", NULL, "none", NULL},
    {"192.0.2.1", "ana@broken.example", NULL, "temperror", "the DNS did not answer"},
    {"192.0.2.1", "ana@tab.example", NULL, "none", NULL},
    {"192.0.2.1", "ana@8bit.example", NULL, "permerror", NULL},
    /* who is asked */
    {"192.0.2.1", "", "ip4.example", "pass", NULL},
    {"192.0.2.2", "", "ip4.example", "fail", NULL},
    {"192.0.2.1", "", "single", "none", NULL},
    {"192.0.2.1", "", "[192.0.2.1]", "none", NULL},
    {"192.0.2.1", "ana@single", NULL, "none", NULL},
    {"192.0.2.1", "ana@a..example", NULL, "none", NULL},
    {"192.0.2.1", "@ip4.example", NULL, "pass", NULL},
    {"192.0.2.1", "a@b@ip4.example", NULL, "pass", NULL},
    {"nonsense", "ana@ip4.example", NULL, "none", NULL},
    {"192.0.2.1", "ana@123456789012345678901234567890123456789012345678901234567890abcd.example", NULL,
     "none", NULL},
    /* networks */
    {"192.0.2.2", "ana@ip4.example", NULL, "fail", NULL},
    {"::ffff:192.0.2.1", "ana@ip4.example", NULL, "pass", NULL},
    {"2001:db8::1", "ana@ip4.example", NULL, "fail", NULL},
    {"192.0.2.127", "ana@net4.example", NULL, "pass", NULL},
    {"192.0.2.128", "ana@net4.example", NULL, "fail", NULL},
    {"203.0.113.9", "ana@net0.example", NULL, "pass", NULL},
    {"2001:db8::1", "ana@net0.example", NULL, "fail", NULL},
    {"2001:db8:0:0::1", "ana@ip6.example", NULL, "pass", NULL},
    {"2001:db8:7fff::1", "ana@net6.example", NULL, "pass", NULL},
    {"2001:db8:8000::1", "ana@net6.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@ip4bad.example", NULL, "permerror", "the SPF record cannot be read"},
    {"192.0.2.1", "ana@ip4long.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@ip4zero.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@ip4none.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@ip4slash.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@ip4dual.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@ip6long.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@ip6bad.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@late.example", NULL, "permerror", NULL},
    /* hosts */
    {"192.0.2.1", "ana@a.example", NULL, "pass", "a"},
    {"2001:db8::1", "ana@a.example", NULL, "pass", NULL},
    {"192.0.2.2", "ana@a.example", NULL, "fail", NULL},
    {"192.0.2.200", "ana@anet.example", NULL, "pass", NULL},
    {"2001:db8::ffff", "ana@anet.example", NULL, "pass", NULL},
    {"2001:db8:0:1::1", "ana@anet.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@acolon.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@anone.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@afail.example", NULL, "temperror", NULL},
    {"192.0.2.1", "ana@alabel.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@anumber.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@adash.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@adot.example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@aslash.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@acidr.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@acidr6.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@mx.example", NULL, "pass", "mx"},
    {"2001:db8::1", "ana@mx.example", NULL, "pass", NULL},
    {"192.0.2.2", "ana@mx.example", NULL, "fail", NULL},
    {"192.0.2.2", "ana@mxother.example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@mxnone.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@mxmany.example", NULL, "permerror", "the SPF record names too many hosts"},
    {"192.0.2.1", "ana@ptr.example", NULL, "pass", "ptr"},
    {"192.0.2.2", "ana@ptr.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@ptrother.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@exists.example", NULL, "pass", NULL},
    {"192.0.2.2", "ana@exists.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@existsbare.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@allarg.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@alldot.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@unknown.example", NULL, "permerror", NULL},
    /* include, redirect, exp */
    {"192.0.2.1", "ana@inc.example", NULL, "pass", "include:ip4.example"},
    {"192.0.2.2", "ana@inc.example", NULL, "fail", "-all"},
    {"192.0.2.1", "ana@incsoft.example", NULL, "neutral", NULL},
    {"192.0.2.1", "ana@incnone.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@incperm.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@inctemp.example", NULL, "temperror", NULL},
    {"192.0.2.1", "ana@incself.example", NULL, "permerror", "the SPF record needs more than ten look-ups"},
    {"192.0.2.1", "ana@incbare.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@red.example", NULL, "pass", NULL},
    {"192.0.2.2", "ana@red.example", NULL, "fail", NULL},
    {"192.0.2.2", "ana@redlate.example", NULL, "fail", NULL},
    {"192.0.2.1", "ana@rednone.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@redtwo.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@redempty.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@redself.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@mod.example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@modbad.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@moddigit.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@exp.example", NULL, "fail",
     "192.0.2.1 may not send for exp.example: see ana%40exp.example at 1794476521"},
    {"192.0.2.1", "ana@exptwo.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@expmany.example", NULL, "fail", "-all"},
    {"192.0.2.1", "ana@expbad.example", NULL, "fail", "-all"},
    {"192.0.2.1", "ana@expinc.example", NULL, "fail", "-all"},
    {"192.0.2.1", "ana@expred.example", NULL, "fail",
     "192.0.2.1 may not send for expred.example: see ana%40expred.example at 1794476521"},
    /* macros */
    {"192.0.2.1", "ana@m1.example", NULL, "pass", NULL},
    {"192.0.2.1", "a-b@m2.example", NULL, "pass", NULL},
    {"192.0.2.1", "a-b-c@m3.example", NULL, "pass", NULL},
    {"2001:db8::1", "ana@m4.example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@m5.example", "mail.client.example", "pass", NULL},
    {"192.0.2.1", "ana@m6.example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@m7.example", NULL, "pass", NULL},
    {"192.0.2.1", "ana@mletter.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@mexp.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@mzero.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@mopen.example", NULL, "permerror", NULL},
    {"192.0.2.1", "ana@mpercent.example", NULL, "permerror", NULL},
    /* limits */
    {"192.0.2.9", "ana@ten.example", NULL, "neutral", NULL},
    {"192.0.2.9", "ana@eleven.example", NULL, "permerror", "the SPF record needs more than ten look-ups"},
    {"192.0.2.1", "ana@eleven.example", NULL, "pass", NULL},
    {"192.0.2.9", "ana@deep.example", NULL, "permerror", NULL},
    {"192.0.2.9", "ana@void2.example", NULL, "neutral", NULL},
    {"192.0.2.9", "ana@void3.example", NULL, "permerror",
     "the SPF record asks for too many names that do not exist"},
};

/* As it comes from the DNS: a blank in a name is one. */
static enum dns_status
lookup(gpointer data, const char *name, enum dns_type type, GPtrArray *values)
{
    if (!strcmp(name, "%. .%20.m.example")) {
        g_ptr_array_add(values, g_strdup("127.0.0.2"));
        return DNS_FOUND;
    }
    return zone_lookup(data, name, type, values);
}

static void
test_cases(void)
{
    struct zone zone = {0};
    for (guint i = 0; i < G_N_ELEMENTS(zone_lines); i++)
        zone_add(&zone, "%s", zone_lines[i]);
    for (guint i = 0; i < 11; i++)
        zone_add(&zone, "mxmany.example MX mail.mx.example");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_dns) dns = dns_new_function(lookup, &zone);
        struct spf_result result;
        spf_check(dns, cases[i].ip, cases[i].from, cases[i].helo, NOW, &result);
        if (strcmp(result.result, cases[i].result) ||
            (cases[i].reason && g_strcmp0(result.reason, cases[i].reason)))
            g_error("%s from %s: %s (%s), not %s (%s)", cases[i].from, cases[i].ip, result.result,
                    result.reason, cases[i].result, cases[i].reason);
        spf_result_clear(&result);
    }
    zone_clear(&zone);
}

/* A hostile record costs no more than the limits, whatever it says. */
static void
test_hostile(void)
{
    struct zone zone = {0};
    g_autoptr(GString) text = g_string_new("v=spf1");
    for (guint i = 0; i < 400; i++)
        g_string_append(text, " a:x.example");
    zone_add(&zone, "long.example TXT %s", text->str);
    for (guint i = 0; i < 2000; i++)
        g_string_append(text, " a:x.example");
    zone_add(&zone, "huge.example TXT %s", text->str);
    g_string_assign(text, "v=spf1 exists:");
    for (guint i = 0; i < 500; i++)
        g_string_append(text, "%{d}.");
    g_string_append(text, "example -all");
    zone_add(&zone, "swell.example TXT %s", text->str);
    for (guint i = 0; i < 256; i++)
        zone_add(&zone, "b%u.example TXT v=spf1 %c%cmx:%c%%{%c -all", i, (char)MAX(i, 1),
                 (char)MAX(i ^ 0x55, 1), (char)MAX(i ^ 0x2a, 1), (char)MAX(i ^ 0x11, 1));
    g_autoptr(struct_dns) dns = dns_new_function(zone_lookup, &zone);
    static const char *const names[] = {"long.example", "huge.example", "swell.example"};
    for (guint i = 0; i < G_N_ELEMENTS(names) + 256; i++) {
        struct spf_result result;
        g_autofree char *name =
            i < G_N_ELEMENTS(names) ? g_strdup(names[i]) : g_strdup_printf("b%u.example", i - 3);
        spf_check(dns, "192.0.2.1", name, "x.example", NOW, &result);
        g_assert_cmpstr(result.result, !=, "pass");
        spf_result_clear(&result);
    }
    zone_clear(&zone);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spf/cases", test_cases);
    g_test_add_func("/spf/hostile", test_hostile);
    return g_test_run();
}
