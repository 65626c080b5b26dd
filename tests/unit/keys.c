/* keys: bytes to keys, names to keys, bindings and their sets */
#include "config.h"

#include "ui/key.h"
#include "ui/keymap.h"

#include <string.h>

static void
note(const struct key_event *event, gpointer data)
{
    GString *out = data;
    if (out->len)
        g_string_append_c(out, ' ');
    if (event->key == K_PASTE) {
        g_string_append_printf(out, "paste:%s", event->text);
    } else if (event->key == K_MOUSE) {
        g_string_append_printf(out, "mouse:%d,%d,%d", event->row, event->column, event->button);
    } else {
        g_autofree char *name = key_label(event->key);
        g_string_append(out, name);
    }
}

/* The same bytes whole and one by one must give the same keys. */
static char *
decode(const char *bytes, gsize length, gboolean single)
{
    GString *out = g_string_new(NULL);
    struct key_decoder *decoder = key_decoder_new(TRUE);
    key_decoder_add(decoder, "\033[[A", K_F0 + 1); /* the Linux console */
    for (gsize i = 0; single && i < length; i++)
        key_decoder_feed(decoder, bytes + i, 1, note, out);
    if (!single)
        key_decoder_feed(decoder, bytes, length, note, out);
    key_decoder_timeout(decoder, note, out);
    g_assert_false(key_decoder_waiting(decoder));
    key_decoder_free(decoder);
    return g_string_free(out, FALSE);
}

static void
test_decode(void)
{
    static const struct {
        const char *bytes, *keys;
    } cases[] = {
        {"j", "j"},
        {"jk", "j k"},
        {"\r", "Enter"},
        {"\n", "Enter"},
        {"\t", "Tab"},
        {"\x7f\x08", "Backspace Backspace"},
        {"\x10", "Ctrl-P"},
        {"\xc3\xa9\xe6\x97\xa5", "é 日"},
        {"\xff\xfej", "j"},
        {"\033", "Esc"},
        {"\033\033", "Esc Esc"},
        {"\033v", "Alt-v"},
        {"\033\033v", "Esc Alt-v"},
        {"\033[A\033OB", "Up Down"},
        {"\033[1;5C", "Ctrl-Right"},
        {"\033[1;3D", "Alt-Left"},
        {"\033[5~\033[6~", "PageUp PageDown"},
        {"\033[3;2~", "Shift-Delete"},
        {"\033[Z", "BackTab"},
        {"\033OP\033[15~\033[24~", "F1 F5 F12"},
        {"\033[[A", "F1"},
        {"\033[", "Alt-["},
        {"\033]", "Alt-]"},
        {"\033[200~a\rb\033[A\033[201~j", "paste:a\nb\033[A j"},
        {"\033]11;rgb:0000/0000/0000\033\\j", "j"},
        {"\033]0;q\aj", "j"},
        {"\033P1$r0m\033\\j", "j"},
        {"\033[?1;2cj", "j"},
        {"\033[>0;276;0cj", "j"},
        {"\033[I\033[Oj", "j"},
        {"\033[<0;11;6M\033[<0;11;6m", "mouse:5,10,0"},
        {"\033[<65;1;1M", "mouse:0,0,4"},
        {"\033[<0;99999;1Mj", "j"},
        {"\033[999999999999999999999~j", "j"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *whole = decode(cases[i].bytes, strlen(cases[i].bytes), FALSE);
        g_autofree char *single = decode(cases[i].bytes, strlen(cases[i].bytes), TRUE);
        g_assert_cmpstr(whole, ==, cases[i].keys);
        g_assert_cmpstr(single, ==, cases[i].keys);
    }
}

/* Whatever comes in, the decoder ends in its ground state and never reports a control character as text. */
static void
check_key(const struct key_event *event, gpointer data)
{
    guint *count = data;
    guint key = event->key & ~(guint)(K_ALT | K_CTRL | K_SHIFT);
    g_assert_true(event->key == K_PASTE || event->key == K_MOUSE || (key > 0 && key <= K_LAST));
    if (event->key == K_PASTE)
        g_assert_true(g_utf8_validate(event->text, -1, NULL));
    ++*count;
}

static void
test_random(void)
{
    static const char bits[] = "\033\033\033[[]OP<;~012345MmAB\xc3\xa9jq\a\\";
    for (int round = 0; round < 5000; round++) {
        struct key_decoder *decoder = key_decoder_new(TRUE);
        guint count = 0;
        char bytes[200];
        gsize length = (gsize)g_test_rand_int_range(1, sizeof bytes);
        for (gsize i = 0; i < length; i++)
            bytes[i] = g_test_rand_int_range(0, 4) ? bits[g_test_rand_int_range(0, sizeof bits - 1)]
                                                   : (char)g_test_rand_int_range(0, 256);
        key_decoder_feed(decoder, bytes, length, check_key, &count);
        key_decoder_timeout(decoder, check_key, &count);
        g_assert_cmpuint(count, <=, length);
        key_decoder_free(decoder);
    }
}

static void
test_names(void)
{
    static const struct {
        const char *text, *name; /* NULL: no key */
    } cases[] = {
        {"j", "j"},
        {"Down", "Down"},
        {"down", "Down"},
        {"<Down>", "Down"},
        {"^P", "Ctrl-P"},
        {"^p", "Ctrl-P"},
        {"Ctrl-P", "Ctrl-P"},
        {"C-p", "Ctrl-P"},
        {"F12", "F12"},
        {"Space", "Space"},
        {"Comma", ","},
        {"Esc v", "Esc v"},
        {"Alt-v", "Esc v"},
        {"M-V", "Esc V"},
        {"g g", "g g"},
        {"^H", "Backspace"},
        {"Ctrl-Left", "Ctrl-Left"},
        {"Shift-Tab", "BackTab"},
        {"é", "é"},
        {"?", "?"},
        {"PgUp", "PageUp"},
        {"", NULL},
        {"F25", NULL},
        {"Foo", NULL},
        {"Ctrl-", NULL},
        {"Ctrl-é", NULL},
        {"g Foo", NULL},
        {"\x01", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) keys = key_sequence_parse(cases[i].text);
        g_autofree char *name =
            keys ? key_sequence_name((const guint *)(gpointer)keys->data, keys->len) : NULL;
        g_assert_cmpstr(name, ==, cases[i].name);
    }
}

static const char *
bound(const struct keymap *map, guint context, const char *keys)
{
    g_autoptr(GArray) parsed = key_sequence_parse(keys);
    const struct command *command = NULL;
    switch (keymap_find(map, context, (const guint *)(gpointer)parsed->data, parsed->len, &command)) {
    case KEYMAP_NONE:
        return "none";
    case KEYMAP_PREFIX:
        return "prefix";
    case KEYMAP_COMMAND:
        return command->name;
    }
    return NULL;
}

static void
test_mutt_keys(void)
{
    static const struct {
        guint context;
        const char *keys, *command;
    } cases[] = {
        {IN_LIST, "j", "next"},
        {IN_LIST, "Enter", "open"},
        {IN_LIST, "m", "mail"},
        {IN_LIST, "r", "reply"},
        {IN_LIST, "g", "group-reply"},
        {IN_LIST, "L", "list-reply"},
        {IN_LIST, "f", "forward"},
        {IN_LIST, "b", "bounce"},
        {IN_LIST, "d", "delete"},
        {IN_LIST, "s", "save"},
        {IN_LIST, "C", "copy"},
        {IN_LIST, "t", "mark"},
        {IN_LIST, "T", "mark-pattern"},
        {IN_LIST, "Semicolon", "marked"},
        {IN_LIST, "/", "search"},
        {IN_LIST, "l", "limit"},
        {IN_LIST, "c", "change-folder"},
        {IN_LIST, "y", "folders"},
        {IN_LIST, "N", "toggle-unread"},
        {IN_LIST, "F", "flag"},
        {IN_LIST, "Tab", "next-unread"},
        {IN_LIST, "v", "parts"},
        {IN_LIST, "|", "pipe"},
        {IN_LIST, "p", "print"},
        {IN_LIST, "R", "recall"},
        {IN_LIST, "e", "edit-message"},
        {IN_LIST, "o", "sort"},
        {IN_LIST, "=", "first"},
        {IN_LIST, "*", "last"},
        {IN_LIST, "$", "sync-now"},
        {IN_LIST, "S", "sync"},
        {IN_LIST, "!", "shell"},
        {IN_LIST, "?", "help"},
        {IN_LIST, "q", "back"},
        {IN_LIST, "x", "quit"},
        {IN_LIST, "u", "undo"},
        {IN_LIST, "I", "journey"},
        {IN_LIST, "X", "junk"},
        {IN_LIST, "Esc X", "not-junk"},
        {IN_LIST, "A", "archive"},
        {IN_LIST, "B", "outbox"},
        {IN_LIST, "Ctrl-P", "command"},
        {IN_LIST, ":", "command"},
        {IN_LIST, "Esc u", "undo-list"},
        {IN_LIST, "Esc", "prefix"},
        {IN_LIST, "Esc v", "toggle-tree"},
        {IN_LIST, "Right", "open-tree"},
        {IN_LIST, "Left", "close-tree"},
        {IN_READER, "T", "quotes"},
        {IN_READER, "h", "headers"},
        {IN_READER, "j", "next-message"},
        {IN_READER, "Down", "scroll-down"},
        {IN_COMPOSER, "y", "send"},
        {IN_COMPOSER, "P", "postpone"},
        {IN_COMPOSER, "t", "edit-to"},
        {IN_COMPOSER, "Esc f", "edit-from"},
        {IN_COMPOSER, "q", "back"},
        {IN_COMPOSER, "D", "detach"},
    };
    g_autoptr(struct_keymap) map = keymap_new("mutt");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(bound(map, cases[i].context, cases[i].keys), ==, cases[i].command);
}

static gboolean
begins(const GArray *a, const GArray *b)
{
    guint n = MIN(a->len, b->len);
    return !memcmp(a->data, b->data, n * sizeof(guint));
}

/* No two commands of a view want the same keys, and no key hides a longer one. */
static void
check_pair(const struct command *one, const struct command *two)
{
    g_auto(GStrv) first = g_strsplit(one->keys, ",", -1), second = g_strsplit(two->keys, ",", -1);
    for (char **a = first; *a; a++) {
        g_autoptr(GArray) keys = key_sequence_parse(*a);
        for (char **b = second; keys && *b; b++) {
            g_autoptr(GArray) others = key_sequence_parse(*b);
            if (others && begins(keys, others))
                g_error("%s and %s: %s and %s", one->name, two->name, *a, *b);
        }
    }
}

static void
test_no_conflicts(void)
{
    for (const struct command *one = command_table; one->name; one++)
        for (const struct command *two = one + 1; two->name; two++)
            if (one->contexts & two->contexts)
                check_pair(one, two);
}

/* In every set each command's key, as help shows it, runs that command; and every line of a set makes sense.
 */
static void
test_sets(void)
{
    for (const char *const *set = command_key_set_names(); *set; set++) {
        g_autoptr(struct_keymap) map = keymap_new(*set);
        for (const struct command *command = command_table; command->name; command++) {
            for (guint context = 1; context <= IN_EDITOR; context <<= 1) {
                g_autofree char *key = keymap_key(map, command, context);
                const char *text = !strcmp(key, ";") ? "Semicolon" : !strcmp(key, ",") ? "Comma" : key;
                if (*key)
                    g_assert_cmpstr(bound(map, context, text), ==, command->name);
            }
        }
        for (const struct key_choice *choice = command_key_set(*set); choice->command; choice++) {
            g_autofree char *why = NULL;
            if (!keymap_bind(map, choice->command, choice->keys, &why))
                g_error("%s: %s", *set, why);
        }
        /* Whatever the set: a way out, a way to help, a way to every command. */
        static const char *const needed[] = {"back", "help", "command", "mail", "reply", "delete", "open"};
        for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
            g_autofree char *key = keymap_key(map, command_find(needed[i]), IN_LIST);
            g_assert_cmpstr(key, !=, "");
        }
    }
}

static void
test_rebinding(void)
{
    g_autoptr(struct_keymap) map = keymap_new("mutt");
    g_autofree char *why = NULL;
    /* A key that another command had goes over; its other keys stay. */
    g_assert_true(keymap_bind(map, "archive", "d, Esc a", &why));
    g_assert_cmpstr(bound(map, IN_LIST, "d"), ==, "archive");
    g_assert_cmpstr(bound(map, IN_LIST, "Esc a"), ==, "archive");
    g_assert_cmpstr(bound(map, IN_LIST, "A"), ==, "none");
    g_assert_cmpstr(bound(map, IN_LIST, "Delete"), ==, "delete");
    /* In other views it is as it was. */
    g_assert_cmpstr(bound(map, IN_OUTBOX, "d"), ==, "outbox-cancel");
    /* A longer sequence takes the shorter key away that would hide it. */
    g_assert_true(keymap_bind(map, "first", "g g", &why));
    g_assert_cmpstr(bound(map, IN_LIST, "g"), ==, "prefix");
    g_assert_cmpstr(bound(map, IN_LIST, "g g"), ==, "first");
    /* Nothing: no keys. */
    g_assert_true(keymap_bind(map, "quit", "", &why));
    g_assert_cmpstr(bound(map, IN_LIST, "x"), ==, "none");
    /* Mistakes change nothing and say what is wrong. */
    g_assert_false(keymap_bind(map, "reply", "r, Frob", &why));
    g_assert_nonnull(strstr(why, "Frob"));
    g_assert_cmpstr(bound(map, IN_LIST, "r"), ==, "reply");
    g_clear_pointer(&why, g_free);
    g_assert_false(keymap_bind(map, "replay", "r", &why));
    g_assert_nonnull(strstr(why, "replay"));
    g_autoptr(GArray) escape = key_sequence_parse("Esc");
    g_autofree char *hint = keymap_hint(map, IN_LIST, (const guint *)(gpointer)escape->data, 1);
    g_assert_nonnull(strstr(hint, "v toggle-tree"));
    g_assert_nonnull(strstr(hint, "a archive"));
}

/* Each command is documented, named once, in a view, and its default keys can be read. */
static void
test_table(void)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (const struct command *command = command_table; command->name; command++) {
        g_assert_true(g_hash_table_add(names, (gpointer)command->name));
        g_assert_nonnull(command->run);
        g_assert_cmpuint(strlen(command->help), >, 1);
        g_assert_cmpuint(command->contexts, !=, 0);
        g_auto(GStrv) parts = g_strsplit(command->keys, ",", -1);
        for (char **part = parts; *part; part++) {
            g_strstrip(*part);
            GArray *keys = **part ? key_sequence_parse(*part) : NULL;
            if (**part && !keys)
                g_error("%s: \"%s\" is no key", command->name, *part);
            if (keys)
                g_array_unref(keys);
        }
    }
}

static void
test_palette(void)
{
    static const struct {
        const char *typed, *first;
    } cases[] = {
        {"reply", "reply"},          {"grp", "group-reply"},
        {"arch", "archive"},         {"undo", "undo"},
        {"ul", "undo-list"},         {"foldopen", "folder-open"},
        {"chfold", "change-folder"}, {"mark all", "mark-all-read"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) found = command_match(cases[i].typed, ~0u);
        g_assert_cmpuint(found->len, >, 0);
        g_assert_cmpstr(((const struct command *)g_ptr_array_index(found, 0))->name, ==, cases[i].first);
    }
    g_autoptr(GPtrArray) none = command_match("zzqq", ~0u);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpint(command_fuzzy("abc", "a-b-c"), >, 0);
    g_assert_cmpint(command_fuzzy("cba", "abc"), ==, 0);
    g_assert_cmpint(command_fuzzy("re", "reply"), >, command_fuzzy("re", "theatre"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keys/decode", test_decode);
    g_test_add_func("/keys/random", test_random);
    g_test_add_func("/keys/names", test_names);
    g_test_add_func("/keys/table", test_table);
    g_test_add_func("/keys/mutt", test_mutt_keys);
    g_test_add_func("/keys/no-conflicts", test_no_conflicts);
    g_test_add_func("/keys/sets", test_sets);
    g_test_add_func("/keys/rebinding", test_rebinding);
    g_test_add_func("/keys/palette", test_palette);
    return g_test_run();
}
