/* folder: hostile names to directories and back (S2), roles, what a person types; accounts */
#include "config.h"

#include "storetest.h"
#include "base/error.h"

static void
assert_inside(const char *dir)
{
    g_auto(GStrv) parts = g_strsplit(dir, "/", -1);
    for (char **part = parts; *part; part++) {
        g_assert_cmpuint(strlen(*part), >, 0);
        g_assert_cmpuint(strlen(*part), <=, 200);
        g_assert_null(strchr(".-~ ", **part));
        static const char *const never[] = {"cur", "new", "tmp"};
        for (guint i = 0; i < G_N_ELEMENTS(never); i++)
            g_assert_cmpint(g_ascii_strcasecmp(*part, never[i]), !=, 0);
        for (const char *p = *part; *p; p++)
            g_assert_true((guchar)*p >= 0x20 && *p != 0x7F && *p != '\\');
        g_assert_true(g_utf8_validate(*part, -1, NULL));
    }
}

static void
test_names(void)
{
    static const struct {
        const char *name, *dir;
    } cases[] = {
        {"INBOX", "INBOX"},
        {"Lists/dev", "Lists/dev"},
        {"Reise nach Z\xc3\xbcrich", "Reise nach Z\xc3\xbcrich"},
        {"..", "%2E%2E"},
        {"a/../../etc", "a/%2E%2E/%2E%2E/etc"},
        {"cur", "%63ur"},
        {"Lists/New", "Lists/%4Eew"},
        {"", "%"},
        {"a//b", "a/%/b"},
        {"-rf", "%2Drf"},
        {"100%", "100%25"},
        {"a\nb\x1b[31m", "a%0Ab%1B[31m"},
        {"\xe2\x80\xae"
         "evil",
         "%E2%80%AEevil"},
        {"bad\xff", "bad%FF"},
        {"end.", "end%2E"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *dir = folder_dir_from_name(cases[i].name);
        g_autofree char *back = folder_dir_to_name(dir);
        g_assert_cmpstr(dir, ==, cases[i].dir);
        g_assert_cmpstr(back, ==, cases[i].name);
        assert_inside(dir);
    }
    static const char *const foreign[] = {"%zz", "cur", ".x", "a%2", "%41", "a/"};
    for (guint i = 0; i < G_N_ELEMENTS(foreign); i++)
        g_assert_null(folder_dir_to_name(foreign[i]));
}

/* Random bytes, weighted to the dangerous ones: one-to-one, reversible, below the root. */
static void
test_hostile_names(void)
{
    static const char *const pieces[] = {
        "..",
        "/",
        ".",
        "cur",
        "new",
        "tmp",
        "%",
        "%2E",
        "%+",
        "`",
        "$(x)",
        "-",
        "~",
        " ",
        "\n",
        "\x1b",
        "\xff",
        "\xc0\xaf",
        "\xe2\x80\xae",
        "\xcc\x81",
        "e\xcc\x81",
        "\xc3\xa9",
        "A",
        "a",
        "I",
        "\xf0\x9f\x93\xa7",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint round = 0; round < 5000; round++) {
        g_autoptr(GString) name = g_string_new(NULL);
        guint n = (guint)g_rand_int_range(rand, 0, 8);
        for (guint i = 0; i < n; i++) {
            if (g_rand_int_range(rand, 0, 4))
                g_string_append(name, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
            else
                g_string_append_c(name, (char)g_rand_int_range(rand, 1, 256));
        }
        g_autofree char *dir = folder_dir_from_name(name->str);
        g_autofree char *back = folder_dir_to_name(dir);
        g_assert_cmpstr(back, ==, name->str);
        assert_inside(dir);
        const char *other = g_hash_table_lookup(seen, dir);
        if (other)
            g_assert_cmpstr(other, ==, name->str);
        else
            g_hash_table_insert(seen, g_strdup(dir), g_strdup(name->str));
    }
}

static void
test_upsert(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    guint64 before = store_change_count(world.store);
    g_assert_cmpint(folder_upsert(world.store, world.account, "Sent", "Sent", '/', FOLDER_SENT,
                                  FOLDER_SELECTABLE | FOLDER_SUBSCRIBED, &error),
                    ==, world.sent);
    g_assert_cmpuint(store_change_count(world.store), ==, before); /* nothing new, nothing written */
    g_autofree char *longest = g_strnfill(1100, 'x');
    static const char *const unbearable[] = {"", NULL, "a\xff"};
    for (guint i = 0; i < G_N_ELEMENTS(unbearable); i++) {
        g_assert_cmpint(folder_upsert(world.store, world.account, unbearable[i] ? unbearable[i] : longest,
                                      "x", '/', 0, 0, &error),
                        ==, 0);
        g_assert_error(error, STORE_ERROR, ERROR_SKIP);
        g_clear_error(&error);
    }
    g_autofree char *deep = g_strnfill(400, '/');
    g_assert_cmpint(folder_upsert(world.store, world.account, deep, "x", '/', 0, 0, &error), ==, 0);
    g_assert_error(error, STORE_ERROR, ERROR_SKIP);
    world_end(&world);
}

static void
test_lookup(void)
{
    struct world world;
    world_begin(&world);
    g_autoptr(GError) error = NULL;
    gint64 home = store_account_ensure(world.store, "home", NULL, &error);
    gint64 other =
        folder_upsert(world.store, home, "INBOX", "INBOX", '.', FOLDER_INBOX, FOLDER_SELECTABLE, &error);
    gint64 dev = folder_upsert(world.store, home, "Lists/Dev", "Lists.Dev", '.', FOLDER_NONE,
                               FOLDER_SELECTABLE, &error);
    gint64 bin = folder_upsert(world.store, home, "Papierkorb", "Papierkorb", '.', FOLDER_TRASH,
                               FOLDER_SELECTABLE, &error);
    const struct {
        gint64 account;
        const char *text;
        gint64 found; /* 0: an error of that code */
        int code;
    } cases[] = {
        {world.account, "INBOX", world.inbox, 0},
        {home, "inbox", other, 0},
        {0, "inbox", 0, ERROR_INPUT},
        {0, "work/INBOX", world.inbox, 0},
        {world.account, "home/INBOX", other, 0},
        {0, "=Sent", world.sent, 0},
        {0, "+sent", world.sent, 0},
        {0, "Lists/Dev", dev, 0},
        {0, "lists/dev", dev, 0},
        {world.account, "dev", dev, 0},
        {home, "trash", bin, 0},
        {0, "Nothing", 0, ERROR_NOINPUT},
        {0, "", 0, ERROR_NOINPUT},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 found = folder_lookup(world.store, cases[i].account, cases[i].text, &error);
        g_test_message("%s: %s", cases[i].text, error ? error->message : "found");
        g_assert_cmpint(found, ==, cases[i].found);
        if (!cases[i].found)
            g_assert_error(error, STORE_ERROR, cases[i].code);
        g_clear_error(&error);
    }
    g_assert_true(store_is_me(world.store, "Ana.RUIZ@Example.org"));
    g_assert_false(store_is_me(world.store, "ben@example.net"));
    const char *const more[] = {"ben@example.net", NULL};
    g_assert_cmpint(store_account_ensure(world.store, "home", more, &error), ==, home);
    g_assert_true(store_is_me(world.store, "ben@example.net"));
    world_end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/folder/names", test_names);
    g_test_add_func("/folder/hostile-names", test_hostile_names);
    g_test_add_func("/folder/upsert", test_upsert);
    g_test_add_func("/folder/lookup", test_lookup);
    return g_test_run();
}
