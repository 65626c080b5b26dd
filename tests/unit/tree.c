/* store: the user's own Maildirs as an account */
#include "config.h"

#include "storetest.h"

#include "store/maildir.h"
#include "store/scan.h"
#include "store/tree.h"
#include "base/error.h"

#include <unistd.h>

/* ---- names ---- */

static void
test_names(void)
{
    static const struct {
        const char *below, *name;
    } read[] = {
        {"", "INBOX"},
        {".Sent", "Sent"},
        {".Lists.dev", "Lists/dev"},
        {".Entw&APw-rfe", "Entw\xC3\xBCrfe"},
        {".R&AOQ-ume.oben", "R\xC3\xA4ume/oben"},
        {".A&-B", "A&B"},
        {".R&D", "R&D"},               /* no modified UTF-7: as it is */
        {".a&AC8-b", "a&AC8-b"},       /* a slash in a level would be two */
        {".a..b", NULL},
        {".", NULL},
        {"Inbox", "Inbox"},
        {"Archive/2025", "Archive/2025"},
        {"Entw&APw-rfe/x", "Entw\xC3\xBCrfe/x"},
        {"Entw\xC3\xBCrfe", "Entw\xC3\xBCrfe"},
        {"a.b", "a.b"},
        {"50%", "50%"},
        {"%2Ehidden", ".hidden"},      /* what folder_dir_from_name() writes */
        {"caf\xE9", "caf\xEF\xBF\xBD"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(read); i++) {
        g_autofree char *name = tree_dir_to_name(read[i].below);
        g_assert_cmpstr(name, ==, read[i].name);
    }
    static const struct {
        const char *name, *flat, *deep;
    } written[] = {
        {"INBOX", "", "INBOX"},
        {"Sent", ".Sent", "Sent"},
        {"Lists/dev", ".Lists.dev", "Lists/dev"},
        {"R\xC3\xA4ume/oben", ".R&AOQ-ume.oben", "R\xC3\xA4ume/oben"},
        {"v1.2", ".v1_2", "v1.2"}, /* the dot parts levels */
        {"..", ".__", "%2E%2E"},
        {"cur", ".cur", "%63ur"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(written); i++) {
        g_autofree char *flat = tree_dir_from_name(written[i].name, TRUE);
        g_autofree char *deep = tree_dir_from_name(written[i].name, FALSE);
        g_assert_cmpstr(flat, ==, written[i].flat);
        g_assert_cmpstr(deep, ==, written[i].deep);
    }
}

/* ---- a tree beside an account on a server ---- */

struct grove {
    struct world world;
    char *root;
    gint64 account;
};

static void
make(const struct grove *grove, const char *below)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(grove->root, below, NULL);
    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
    maildir_make(path, &error);
    g_assert_no_error(error);
}

static void
grove_begin(struct grove *grove)
{
    g_autoptr(GError) error = NULL;
    const char *const me[] = {"ana@home.example", NULL};
    world_begin(&grove->world);
    grove->root = g_dir_make_tmp("postrider-tree-XXXXXX", NULL);
    grove->account = store_account_ensure(grove->world.store, "home", me, &error);
    g_assert_no_error(error);
}

static void
settle(struct grove *grove)
{
    g_autoptr(GError) error = NULL;
    store_account_set_tree(grove->world.store, grove->account, grove->root, &error);
    g_assert_no_error(error);
    store_account_set_local(grove->world.store, grove->account, TRUE, NULL, &error);
    g_assert_no_error(error);
}

static void
grove_end(struct grove *grove)
{
    world_end(&grove->world);
    remove_tree(grove->root);
    g_free(grove->root);
}

static void
assert_folder(const struct grove *grove, const char *name, const char *dir, enum folder_role role)
{
    gint64 id = folder_find(grove->world.store, grove->account, name);
    if (!dir) {
        g_assert_cmpint(id, ==, 0);
        return;
    }
    g_assert_cmpint(id, >, 0);
    g_autoptr(struct_folder) folder = folder_get(grove->world.store, id, NULL);
    g_assert_cmpstr(folder->dir, ==, dir);
    g_assert_cmpint(folder->role, ==, role);
}

static void
test_flat(void)
{
    struct grove grove;
    grove_begin(&grove);
    make(&grove, "");
    make(&grove, ".Sent Messages");
    make(&grove, ".Lists.dev");
    settle(&grove);
    assert_folder(&grove, "INBOX", "home", FOLDER_INBOX);
    assert_folder(&grove, "Sent Messages", "home/.Sent Messages", FOLDER_SENT);
    assert_folder(&grove, "Lists/dev", "home/.Lists.dev", FOLDER_NONE);
    assert_folder(&grove, "Trash", "home/.Trash", FOLDER_TRASH);
    grove_end(&grove);
}

static void
test_deep(void)
{
    struct grove grove;
    grove_begin(&grove);
    make(&grove, "inbox");
    make(&grove, "Archive/2025");
    make(&grove, "Junk E-mail");
    make(&grove, ".notmuch/xapian"); /* not below a hidden directory */
    g_autofree char *back = g_build_filename(grove.root, "Archive", "back", NULL);
    g_assert_cmpint(symlink(grove.root, back), ==, 0); /* it leads in a ring */
    settle(&grove);
    assert_folder(&grove, "INBOX", "home/inbox", FOLDER_INBOX);
    assert_folder(&grove, "Archive/2025", "home/Archive/2025", FOLDER_NONE);
    assert_folder(&grove, "Junk E-mail", "home/Junk E-mail", FOLDER_JUNK);
    assert_folder(&grove, "Archive", "home/Archive", FOLDER_ARCHIVE);
    assert_folder(&grove, ".notmuch/xapian", NULL, FOLDER_NONE);
    assert_folder(&grove, "Archive/back", NULL, FOLDER_NONE);
    /* The directories of those that are there stay what they are called. */
    g_autoptr(GError) error = NULL;
    maildir_apply(grove.world.store, 0, &error);
    g_assert_no_error(error);
    assert_folder(&grove, "INBOX", "home/inbox", FOLDER_INBOX);
    grove_end(&grove);
}

/* Folders come and go with their directories; one that was made here gets one. */
static void
test_follows(void)
{
    struct grove grove;
    g_autoptr(GError) error = NULL;
    grove_begin(&grove);
    make(&grove, "INBOX");
    make(&grove, "Old");
    settle(&grove);
    struct store *store = grove.world.store;
    gint64 made = 0;
    intent_folder_create(store, grove.account, "Made", &made, &error);
    g_assert_no_error(error);
    make(&grove, "Fresh");
    g_assert_true(tree_note_look(store, grove.account, 1700000000, &error));
    g_autofree char *old = g_build_filename(grove.root, "Old", NULL);
    remove_tree(old);
    tree_discover(store, grove.account, NULL, &error);
    g_assert_no_error(error);
    assert_folder(&grove, "Old", NULL, FOLDER_NONE);
    assert_folder(&grove, "Fresh", "home/Fresh", FOLDER_NONE);
    grove_end(&grove);
}

/* Two directories that mean one name: the first is the folder. */
static void
test_same_name(void)
{
    struct grove grove;
    g_autoptr(GError) error = NULL;
    grove_begin(&grove);
    make(&grove, "Inbox");
    make(&grove, "INBOX");
    settle(&grove);
    assert_folder(&grove, "INBOX", "home/INBOX", FOLDER_INBOX);
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func(g_free);
    tree_discover(grove.world.store, grove.account, notices, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(notices->len, ==, 1);
    g_assert_nonnull(strstr(notices->pdata[0], "home/Inbox"));
    grove_end(&grove);
}

static void
expect_refusal(struct grove *grove, gint64 account, const char *path, int code, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(store_account_set_tree(grove->world.store, account, path, &error));
    g_assert_error(error, STORE_ERROR, code);
    g_assert_nonnull(strstr(error->message, words));
}

static void
test_refusals(void)
{
    struct grove grove;
    g_autoptr(GError) error = NULL;
    grove_begin(&grove);
    make(&grove, "");
    g_autofree char *own = g_build_filename(grove.world.dir, "mail", NULL);
    expect_refusal(&grove, grove.account, own, ERROR_CONFIG, "mail store itself");
    /* The account has mail from a server. */
    add_mail(grove.world.store, grove.world.inbox, 1, "a@x", NULL, "Ben <ben@example.net>", "a", 1700000000);
    g_autofree char *dir = folder_path(grove.world.store, grove.world.inbox, TRUE, &error);
    g_assert_no_error(error);
    expect_refusal(&grove, grove.world.account, grove.root, ERROR_CONFIG, "another name");
    g_assert_true(g_file_test(dir, G_FILE_TEST_IS_DIR));
    settle(&grove);
    expect_refusal(&grove, grove.account, NULL, ERROR_CONFIG, grove.root);
    grove_end(&grove);
}

/* Configured before it is there: what it brings takes the place of what was made for the roles. */
static void
test_later(void)
{
    struct grove grove;
    g_autoptr(GError) error = NULL;
    grove_begin(&grove);
    g_assert_cmpint(g_rmdir(grove.root), ==, 0);
    settle(&grove);
    g_assert_false(tree_discover(grove.world.store, grove.account, NULL, &error));
    g_assert_error(error, STORE_ERROR, ERROR_NOINPUT);
    g_assert_nonnull(strstr(error->message, grove.root));
    g_clear_error(&error);
    make(&grove, "");
    make(&grove, ".Sent Items");
    make(&grove, ".Trash");
    tree_discover(grove.world.store, grove.account, NULL, &error);
    g_assert_no_error(error);
    assert_folder(&grove, "INBOX", "home", FOLDER_INBOX);
    assert_folder(&grove, "Sent Items", "home/.Sent Items", FOLDER_SENT);
    assert_folder(&grove, "Sent", NULL, FOLDER_NONE);
    assert_folder(&grove, "Trash", "home/.Trash", FOLDER_TRASH);
    grove_end(&grove);
}

/* It was moved: the link follows. */
static void
test_moved(void)
{
    struct grove grove;
    grove_begin(&grove);
    make(&grove, "");
    settle(&grove);
    g_autofree char *elsewhere = g_strconcat(grove.root, "-moved", NULL);
    g_assert_cmpint(g_rename(grove.root, elsewhere), ==, 0);
    g_free(grove.root);
    grove.root = g_strdup(elsewhere);
    settle(&grove);
    g_autofree char *link = g_build_filename(grove.world.dir, "mail", "home", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_assert_cmpstr(target, ==, elsewhere);
    grove_end(&grove);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tree/names", test_names);
    g_test_add_func("/tree/flat", test_flat);
    g_test_add_func("/tree/deep", test_deep);
    g_test_add_func("/tree/follows", test_follows);
    g_test_add_func("/tree/same-name", test_same_name);
    g_test_add_func("/tree/refusals", test_refusals);
    g_test_add_func("/tree/later", test_later);
    g_test_add_func("/tree/moved", test_moved);
    return g_test_run();
}
