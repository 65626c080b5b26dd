/* Domains and names that pass themselves off for others */
#include "config.h"

#include "trust/lookalike.h"

#include <string.h>

static void
test_domains(void)
{
    static const struct {
        const char *seen, *known;
        enum lookalike is;
    } cases[] = {
        /* nothing to do with each other, or one owner */
        {"example.org", "example.org", LOOKALIKE_NOT},
        {"EXAMPLE.org", "example.org", LOOKALIKE_NOT},
        {"mail.example.org", "example.org", LOOKALIKE_NOT},
        {"a.b.example.co.uk", "example.co.uk", LOOKALIKE_NOT},
        {"example.com", "example.org", LOOKALIKE_NOT}, /* often the same owner */
        {"example.de", "example.com", LOOKALIKE_NOT},
        {"example-shop.org", "example.org", LOOKALIKE_NOT},
        {"myexample.org", "example.org", LOOKALIKE_NOT},
        {"exampled.com", "example.org", LOOKALIKE_NOT},
        {"web.de", "wed.de", LOOKALIKE_NOT}, /* short */
        {"gmx.de", "gmx.at", LOOKALIKE_NOT},
        {"gmail.com", "ymail.com", LOOKALIKE_NOT},
        {"mail.com", "gmail.com", LOOKALIKE_NOT},
        {"mail1.example", "mail2.example", LOOKALIKE_NOT},
        {"server1.com", "server2.com", LOOKALIKE_NOT},
        {"server.com", "server2.com", LOOKALIKE_NOT},
        {"project1.org", "project9.org", LOOKALIKE_NOT},
        {"friend.org", "friends.org", LOOKALIKE_NOT},
        {"book-ing.com", "booking.com", LOOKALIKE_NOT},
        {"müller.de", "muller.de", LOOKALIKE_NOT},
        {"xn--mller-kva.de", "müller.de", LOOKALIKE_NOT}, /* the same name */
        {"foo.github.io", "bar.github.io", LOOKALIKE_NOT},
        {"kernel.org", "example.org", LOOKALIKE_NOT},
        {"org", "example.org", LOOKALIKE_NOT},
        {"", "example.org", LOOKALIKE_NOT},
        /* looks the same */
        {"examp1e.org", "example.org", LOOKALIKE_SAME},
        {"mail.examp1e.org", "example.org", LOOKALIKE_SAME},
        {"exarnple.org", "example.org", LOOKALIKE_SAME},
        {"g00gle.com", "google.com", LOOKALIKE_SAME},
        {"paypaI.com", "paypal.com", LOOKALIKE_NEAR}, /* a name of the DNS has no capitals: an i */
        {"paypa1.com", "paypal.com", LOOKALIKE_SAME},
        {"ехаmple.org", "example.org", LOOKALIKE_SAME},
        {"xn--80ak6aa92e.com", "apple.com", LOOKALIKE_SAME},
        {"аррӏе.com", "apple.com", LOOKALIKE_SAME},
        {"rnicrosoft.com", "microsoft.com", LOOKALIKE_SAME},
        {"c1oud.example", "cloud.example", LOOKALIKE_SAME},
        /* one letter */
        {"exmple.org", "example.org", LOOKALIKE_NEAR},
        {"exaample.org", "example.org", LOOKALIKE_NEAR},
        {"exampel.org", "example.org", LOOKALIKE_NEAR},
        {"exemple.org", "example.org", LOOKALIKE_NEAR},
        {"examplee.org", "example.org", LOOKALIKE_NEAR},
        {"eexample.org", "example.org", LOOKALIKE_NEAR},
        {"mail.exampel.org", "example.org", LOOKALIKE_NEAR},
        {"exampel.com", "example.org", LOOKALIKE_NOT},
        {"exmapel.org", "example.org", LOOKALIKE_NOT}, /* two */
        {"example5.org", "example.org", LOOKALIKE_NOT},
        {"müllerr.de", "müller.de", LOOKALIKE_NEAR},
        {"muelle.de", "mueller.de", LOOKALIKE_NEAR},
        /* in front */
        {"example.org.evil.test", "example.org", LOOKALIKE_EMBEDDED},
        {"mail.example.org.evil.test", "example.org", LOOKALIKE_EMBEDDED},
        {"example.org-evil.test", "example.org", LOOKALIKE_NOT},
        {"notexample.org.evil.test", "example.org", LOOKALIKE_NOT},
        {"example.evil.test", "example.org", LOOKALIKE_NOT},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%u: %s, %s", i, cases[i].seen, cases[i].known);
        g_assert_cmpint(lookalike_domain(cases[i].seen, cases[i].known), ==, cases[i].is);
    }
}

static void
test_letters(void)
{
    static const struct {
        const char *domain;
        gboolean odd;
    } cases[] = {
        {"example.org", FALSE},     {"müller.de", FALSE},          {"почта.рф", FALSE},         {"пример.example", FALSE},
        {"日本.example", FALSE},    {"аррӏе.com", TRUE},           {"xn--80ak6aa92e.com", TRUE}, {"pаypal.com", TRUE},
        {"www.ехаmple.org", TRUE},  {"дропbox.example", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *words = NULL;
        g_test_message("%s", cases[i].domain);
        g_assert_cmpint(lookalike_letters(cases[i].domain, &words), ==, cases[i].odd);
        g_assert_true((words != NULL) == cases[i].odd);
    }
}

static void
test_names(void)
{
    static const struct {
        const char *name;
        gboolean personal;
        const char *address;
    } cases[] = {
        {"Ben Okafor", TRUE, NULL},
        {"Okafor, Ben", TRUE, NULL},
        {"Dr. Marta Ruiz-Prado", TRUE, NULL},
        {"José Ángel Núñez", TRUE, NULL},
        {"山田 太郎", TRUE, NULL},
        {"Ben", FALSE, NULL},
        {"Support", FALSE, NULL},
        {"", FALSE, NULL},
        {"Ana (via Docs)", FALSE, NULL},
        {"[bug 12]", FALSE, NULL},
        {"A & B Trading", FALSE, NULL},
        {"one two three four five six seven", FALSE, NULL},
        {"ben@example.org", FALSE, "ben@example.org"},
        {"Ben <BEN@example.org>", FALSE, "ben@example.org"},
        {"service@bank.example (Bank)", FALSE, "service@bank.example"},
        {"Ben @ work", FALSE, NULL},
        {"@ben", FALSE, NULL},
        {"ben@", FALSE, NULL},
        {"ben@localhost", FALSE, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *address = lookalike_address_in(cases[i].name);
        g_test_message("%s", cases[i].name);
        g_assert_cmpint(lookalike_is_personal(cases[i].name), ==, cases[i].personal);
        g_assert_cmpstr(address, ==, cases[i].address);
    }
}

static void
test_machines(void)
{
    static const char *const machines[] = {"noreply@x.example",       "no-reply@x.example",        "notifications@github.com",
                                           "Invitations@x.example",   "messages-noreply@x.example", "drive-shares-dm-noreply@x.example",
                                           "comments@x.example",      "bugzilla-daemon@x.example", "reply+abc@x.example",
                                           "info@x.example",          "list@x.example"};
    static const char *const people[] = {"ben@example.org",      "alistair@example.org", "b.botelho@example.org", "gita@example.org",
                                         "ceo.office@gmail.com", "liston@example.org",   "infante@example.org",   "m.systema@example.org"};
    for (guint i = 0; i < G_N_ELEMENTS(machines); i++)
        g_assert_true(lookalike_is_machine(machines[i]));
    for (guint i = 0; i < G_N_ELEMENTS(people); i++)
        g_assert_false(lookalike_is_machine(people[i]));
    g_assert_true(lookalike_is_provider("gmail.com"));
    g_assert_false(lookalike_is_provider("example.org"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lookalike/domains", test_domains);
    g_test_add_func("/lookalike/letters", test_letters);
    g_test_add_func("/lookalike/names", test_names);
    g_test_add_func("/lookalike/machines", test_machines);
    return g_test_run();
}
