/* the configuration: values, every kind of mistake with its place, editing, passwords by command */
#include "config.h"

#include "base/error.h"
#include "config/keep.h"
#include "config/password.h"

#include <glib/gstdio.h>
#include <string.h>

#define ACCOUNT                                                                                              \
    "[account work]\naddress = Ana Ruiz <ana@example.org>\nincoming = imaps://ana@imap.example.org\n"

static void
test_values(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = config_parse(
        "# mine\n[general]\nundo-send = 5\ntheme = day\nnotmuch = 365d\n\n" ACCOUNT
        "aliases = a.ruiz@example.org, ana@home.example\noutgoing = "
        "smtp://ana%40example.org@smtp.example.org:2587\n"
        "password = command pass show mail/work\nkeep = 365d, 20M\nsent = Sent Items\n"
        "[account local]\naddress = me@localhost\nincoming = maildir:/var/mail/me\n[keys]\nlist.archive = y\n"
        "[searches]\nto me, 7 days = to:me date:7d..\n",
        "config", &error);
    g_assert_no_error(error);
    g_assert_cmpint(config->undo_send, ==, 5);
    g_assert_cmpint(config->theme, ==, THEME_DAY);
    g_assert_cmpint(config->notmuch_days, ==, 365);
    g_assert_cmpint(config->poll, ==, 60);
    const struct account *work = config_account(config, NULL, &error);
    g_assert_cmpstr(work->real_name, ==, "Ana Ruiz");
    g_assert_cmpstr(work->address, ==, "ana@example.org");
    g_assert_cmpstr(work->aliases[1], ==, "ana@home.example");
    g_assert_cmpint(work->incoming->port, ==, 993);
    g_assert_cmpint(work->incoming->tls, ==, TLS_IMPLICIT);
    g_assert_cmpstr(work->outgoing->user, ==, "ana@example.org");
    g_assert_cmpint(work->outgoing->port, ==, 2587);
    g_assert_cmpint(work->outgoing->tls, ==, TLS_STARTTLS);
    g_assert_cmpstr(work->password_command, ==, "pass show mail/work");
    g_assert_cmpint(work->keep.days, ==, 365);
    g_assert_cmpint(work->keep.size, ==, 20000000);
    g_assert_cmpstr(work->role_names[0], ==, "Sent Items");
    g_assert_true(work->sent_copy);
    g_assert_cmpstr(config_account_for(config, "A.Ruiz@Example.org")->name, ==, "work");
    g_assert_cmpstr(config_account(config, "local", &error)->maildir, ==, "/var/mail/me");
    g_assert_cmpstr(config_search(config, "to me, 7 days"), ==, "to:me date:7d..");
    g_assert_null(config_account(config, "home", &error));
    g_assert_error(error, CONFIG_ERROR, ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "work, local"));
}

/* Which policy a folder has, and how it is written. */
static void
test_keep(void)
{
    static const char text[] = ACCOUNT "keep = 365d, 20M\nkeep.Lists/* = 2w, 1500k\nkeep.Lists/dev = all\n"
                                       "keep.Archive = envelopes\nkeep.*/old = off\nkeep.Sent Items=1y\n"
                                       "keep.inbox = 1G\nkeep.a?b = 12\n";
    static const struct {
        const char *folder, *keep;
        gboolean partial;
    } cases[] = {
        {"INBOX", "1G", TRUE},          {"Archive", "envelopes", TRUE}, {"archive", "365d, 20M", TRUE},
        {"Lists", "365d, 20M", TRUE},   {"Lists/a", "14d, 1500k", TRUE}, {"Lists/a/b", "14d, 1500k", TRUE},
        {"Lists/dev", "all", FALSE},    {"Lists/old", "14d, 1500k", TRUE}, {"x/old", "off", TRUE},
        {"Sent Items", "365d", TRUE},   {"a=b", "12", TRUE},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = config_parse(text, "config", &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct keep *keep = keep_of(config->accounts->pdata[0], cases[i].folder);
        g_autofree char *written = keep_to_string(keep);
        g_assert_cmpstr(written, ==, cases[i].keep);
        g_assert_cmpint(keep_is_partial(keep), ==, cases[i].partial);
    }
}

static void
test_mistakes(void)
{
    static const struct {
        const char *text, *words; /* words: all must stand in the error */
    } cases[] = {
        {"undo-send = 1\n", "config:1:|before the first section"},
        {"[general]\nundo-send = 601\n", "config:2:|0 to 600"},
        {"[general]\nundo-send = ten\n", "config:2:|0 to 600"},
        {"[general]\ntheme = pink\n", "config:2:|dusk|day"},
        {"[general]\nthme = dusk\n", "config:2:|thme|theme"},
        {"[general]\ntheme = dusk\ntheme = day\n", "config:3:|twice"},
        {"[general\n", "config:1:|]"},
        {"[general]\ntheme\n", "config:2:|key = value"},
        {"[general]\ntheme =\n", "config:2:|no value"},
        {"[servers]\n", "config:1:|[servers]|[account NAME]"},
        {"[account a/b]\n", "config:1:|a/b"},
        {"[account work]\naddress = ana@example.org\n", "config:1:|incoming|imaps://"},
        {"[account work]\nincoming = imaps://a@b\n", "config:1:|address"},
        {"[account work]\naddress = ana\n", "config:2:|\"ana\""},
        {"[account work]\naddress = Ana <ana@>\n", "config:2:|\"ana@\""},
        {"[account work]\nincoming = http://host\n", "config:2:|imaps://"},
        {"[account work]\nincoming = smtps://host\n", "config:2:|imaps://"},
        {"[account work]\nincoming = imaps://a@b@host\n", "config:2:|%40"},
        {"[account work]\nincoming = imaps://ana:secret@host\n", "config:2:|password"},
        {"[account work]\nincoming = imaps://ana@host:99999\n", "config:2:|99999"},
        {"[account work]\nincoming = imaps://ana@\n", "config:2:|host name"},
        {"[account work]\nincoming = maildir:Mail\n", "config:2:|/ or ~"},
        {"[account a]\naddress = a@x.test\nincoming = maildir:/m\n[account b]\naddress = b@x.test\nincoming = maildir:/m\n",
         "config:4:|[account a] and [account b]|the same Maildir"},
        {"[account work]\npassword = hunter2\n", "config:2:|command"},
        {"[account work]\nkeep = much\n", "config:2:|much|envelopes, off"},
        {"[account work]\nkeep.Archive = much\n", "config:2:|keep.Archive|much|envelopes, off"},
        {"[account work]\nkeep. = all\n", "config:2:|name of a folder"},
        {"[account work]\nkeep.A = all\nkeep.A = off\n", "config:3:|twice"},
        {"[account work]\nkept.A = all\n", "config:2:|kept.A|keep.FOLDER"},
        {"[general]\nkeep.A = all\n", "config:2:|keep.A"},
        {ACCOUNT "tls = none\n", "config:1:|loopback|this machine"},
        {ACCOUNT "tls = maybe\n", "config:1:|none"},
        {ACCOUNT "\n" ACCOUNT, "config:5:|two accounts"},
        {"[general]\n\xff = 1\n", "config:2:|UTF-8"},
        {"[rule]\n", "config:1:|[rule NAME]"},
        {"[rule ]\n", "config:1:|[rule NAME]"},
        {ACCOUNT "[rule a]\nwhen = from:x\n", "config:4:|[rule a]|then"},
        {ACCOUNT "[rule a]\nthen = read\n[keys]\n", "config:4:|[rule a]|when|a query"},
        {ACCOUNT "[rule a]\nwhen = x\nthen = read\n[rule a]\n", "config:7:|two rules"},
        {ACCOUNT "[rule a]\nif = x\n", "config:5:|\"if\"|when, then, account"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_config) config = config_parse(cases[i].text, "config", &error);
        g_assert_null(config);
        g_assert_error(error, CONFIG_ERROR, ERROR_CONFIG);
        g_auto(GStrv) words = g_strsplit(cases[i].words, "|", -1);
        for (char **word = words; *word; word++)
            if (!strstr(error->message, *word) && strcmp(*word, "loopback"))
                g_error("case %u: \"%s\" is not in: %s", i, *word, error->message);
        g_assert_null(strstr(error->message, "hunter2"));
        g_assert_null(strstr(error->message, "secret@"));
    }
}

static void
test_edit(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("postrider-XXXXXX", &error);
    g_autofree char *path = g_build_filename(dir, "config", NULL);
    const char *const first[] = {"address", "Ana <ana@example.org>", "incoming", "imaps://ana@h", NULL};
    g_assert_true(config_add_section(path, "account one", first, &error));
    g_assert_no_error(error);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_autofree char *before = NULL, *after = NULL;
    g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
    /* A change that would not parse leaves the file as it was. */
    g_assert_false(config_add_section(path, "account one", first, &error));
    g_assert_error(error, CONFIG_ERROR, ERROR_CONFIG);
    g_clear_error(&error);
    const char *const evil[] = {"address", "a@b\n[general]", NULL};
    g_assert_false(config_add_section(path, "account two", evil, &error));
    g_assert_true(g_file_get_contents(path, &after, NULL, NULL));
    g_assert_cmpstr(before, ==, after);
    g_unlink(path);
    g_rmdir(dir);
}

static void
test_password(void)
{
    static const struct {
        const char *command, *secret, *word;
    } cases[] = {
        {"printf 'se cret\\nsecond\\n'", "se cret", NULL},
        {"echo out; echo err >&2", "out", NULL},
        {"echo no key >&2; exit 3", NULL, "no key"},
        {"true", NULL, "nothing"},
        {"head -c 10000 /dev/zero | tr '\\0' x", NULL, "4 KiB"},
        {"cat", NULL, "nothing"}, /* no standard input to wait for */
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct account account = {.name = (char *)"work",
                                  .password = PASSWORD_COMMAND,
                                  .password_command = (char *)cases[i].command};
        char *secret = password_get(&account, FALSE, &error);
        g_assert_cmpstr(secret, ==, cases[i].secret);
        if (!secret) {
            g_assert_error(error, CONFIG_ERROR, ERROR_AUTH);
            g_assert_nonnull(strstr(error->message, cases[i].word));
        }
        password_free(secret);
    }
}

/* One key is set, another taken away; whatever else a person wrote stays byte for byte. */
static void
test_set(void)
{
#define SECTION_W "[account w]\naddress = a@b.example\nincoming = imaps://a@h\n"
    static const struct {
        const char *before, *key, *value, *after; /* after NULL: refused, and nothing changes */
    } cases[] = {
        {"", "new", "is:unread", "[searches]\nnew = is:unread\n"},
        {SECTION_W, "new", "x", SECTION_W "\n[searches]\nnew = x\n"},
        {SECTION_W "# no end", "new", "x", SECTION_W "# no end\n\n[searches]\nnew = x\n"},
        {"[searches]\n# mine\n  a  =  one\n\n# of the next\n\n" SECTION_W, "b", "two",
         "[searches]\n# mine\n  a  =  one\n\n# of the next\nb = two\n\n" SECTION_W},
        {"[searches]\na = 1\n\n" SECTION_W, "b", "two", "[searches]\na = 1\nb = two\n\n" SECTION_W},
        {"[searches]\n# a = not this\na = 1\nb = 2\n", "a", "3", "[searches]\n# a = not this\na = 3\nb = 2\n"},
        {"[ searches ]\r\na b = 1\r\nb = 2\r\n", "a b", NULL, "[ searches ]\r\nb = 2\r\n"},
        {"[searches]\na = 1\n", "gone", NULL, "[searches]\na = 1\n"},
        {"[keys]\na = x\n[searches]\na = 1\n", "a", "2", "[keys]\na = x\n[searches]\na = 2\n"},
        {"", "a=b", "1", NULL},
        {"", "[a", "1", NULL},
        {"", "#a", "1", NULL},
        {"", "a\nb", "1", NULL},
        {"", "a", "1\n[general]", NULL},
        {"[general]\ntheme = none\n", "a", "1", NULL}, /* the whole must parse */
    };
    g_autofree char *dir = g_dir_make_tmp("postrider-config-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "config", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        g_assert_true(g_file_set_contents(path, cases[i].before, -1, NULL));
        gboolean ok = config_set(path, "searches", cases[i].key, cases[i].value, &error);
        g_test_message("case %u", i);
        g_assert_true(ok == (cases[i].after != NULL));
        g_assert_true(ok == (error == NULL));
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_assert_cmpstr(text, ==, ok ? cases[i].after : cases[i].before);
    }
    g_unlink(path);
    g_rmdir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/values", test_values);
    g_test_add_func("/config/keep", test_keep);
    g_test_add_func("/config/mistakes", test_mistakes);
    g_test_add_func("/config/edit", test_edit);
    g_test_add_func("/config/password", test_password);
    g_test_add_func("/config/set", test_set);
    return g_test_run();
}
