/* sender: what may be written, and which word holds */
#include "config.h"

#include "storetest.h"
#include "base/error.h"
#include "store/contact.h"
#include "store/sender.h"

static void
test_parse(void)
{
    static const struct {
        const char *text, *back; /* NULL: an error */
    } cases[] = {
        {"eve@example.net", "eve@example.net"}, {"Eve X <Eve@Example.NET>", "eve@example.net"},
        {"@Example.net", "@example.net"},       {"list:Dev.example.org", "list:dev.example.org"},
        {"", NULL},                             {"@", NULL},
        {"@net", NULL},                         {"list:", NULL},
        {"eve", NULL},                          {"list:a b", NULL},
        {"@a.b\n", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_sender_entry) entry = sender_entry_parse(cases[i].text, &error);
        g_autofree char *back = entry ? sender_entry_text(entry) : NULL;
        g_assert_cmpstr(back, ==, cases[i].back);
        if (!entry)
            g_assert_error(error, STORE_ERROR, ERROR_INPUT);
    }
}

static void
set(struct store *store, const char *text, enum sender_word word)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_sender_entry) entry = sender_entry_parse(text, &error);
    g_assert_no_error(error);
    g_assert_true(sender_set(store, entry, word, &error));
    g_assert_no_error(error);
}

static void
test_closest(void)
{
    static const struct {
        const char *address, *list, *because;
        enum sender_word word;
    } cases[] = {
        {"a@example.net", NULL, "@example.net", SENDER_BLOCKED},
        {"A@Mail.Example.NET", NULL, "@example.net", SENDER_BLOCKED},
        {"a@notexample.net", NULL, NULL, SENDER_NOTHING},
        {"eve@example.net", NULL, "eve@example.net", SENDER_ALLOWED},
        {"x@good.example.net", NULL, "@good.example.net", SENDER_ALLOWED},
        {"a@example.net", "DEV.example.org", "list:dev.example.org", SENDER_ALLOWED},
        {"mal@x.org", "dev.example.org", "mal@x.org", SENDER_BLOCKED},
        {NULL, "dev.example.org", "list:dev.example.org", SENDER_ALLOWED},
        {NULL, NULL, NULL, SENDER_NOTHING},
        {"no-at", NULL, NULL, SENDER_NOTHING},
    };
    struct world world;
    world_begin(&world);
    set(world.store, "@example.net", SENDER_BLOCKED);
    set(world.store, "@good.example.net", SENDER_ALLOWED);
    set(world.store, "eve@example.net", SENDER_ALLOWED);
    set(world.store, "mal@x.org", SENDER_BLOCKED);
    set(world.store, "list:dev.example.org", SENDER_ALLOWED);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_sender_entry) because = NULL;
        g_assert_cmpint(sender_ask(world.store, cases[i].address, cases[i].list, &because), ==, cases[i].word);
        g_autofree char *text = because ? sender_entry_text(because) : NULL;
        g_assert_cmpstr(text, ==, cases[i].because);
    }
    g_autoptr(struct_contact) mal = contact_find(world.store, "mal@x.org", NULL);
    g_assert_true(mal && mal->blocked);
    set(world.store, "mal@x.org", SENDER_NOTHING);
    g_assert_cmpint(sender_ask(world.store, "mal@x.org", NULL, NULL), ==, SENDER_NOTHING);
    g_autoptr(struct_contact) again = contact_find(world.store, "mal@x.org", NULL);
    g_assert_false(again->blocked);
    g_autoptr(GPtrArray) list = sender_list(world.store, NULL);
    g_assert_cmpuint(list->len, ==, 4);
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sender/parse", test_parse);
    g_test_add_func("/sender/closest", test_closest);
    return g_test_run();
}
