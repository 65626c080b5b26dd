/* cli.c - which command is meant, its options, and the one place where an error is shown */
#include "config.h"

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/manual.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/log.h"
#include "base/paths.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const GOptionEntry common[] = {
    {"json", 'j', 0, G_OPTION_ARG_NONE, &cli_json, N_("print JSON, one object a line"), NULL},
    {"account", 'A', 0, G_OPTION_ARG_STRING, &cli_account, N_("of this account"), "NAME"},
    {NULL},
};

static const struct cli_command *
find_command(const char *name)
{
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        if (!strcmp((*command)->name, name))
            return *command;
    return NULL;
}

/* Shows it once and gives the exit code. */
static int
show_error(const char *command, GError *error)
{
    int code = error_exit_code(error);
    cli_note("postrider%s%s: %s", command ? " " : "", command ?: "", error->message);
    if (code == EX_USAGE && command)
        cli_note(_("\"postrider %s --help\" tells how it is used"), command);
    g_error_free(error);
    return code;
}

static const GOptionEntry *
find_option(const struct cli_command *command, const char *word)
{
    const GOptionEntry *const tables[] = {command->entries, common};
    for (guint t = 0; t < G_N_ELEMENTS(tables); t++)
        for (const GOptionEntry *entry = tables[t]; entry && entry->long_name; entry++) {
            gsize len = strlen(entry->long_name);
            if (word[1] == '-' ? !strncmp(word + 2, entry->long_name, len) && (!word[2 + len] || word[2 + len] == '=')
                               : entry->short_name && word[1] == entry->short_name && !word[2])
                return entry;
        }
    return NULL;
}

/* Of a command whose own words begin with - (mark 17 -unread --json): its options first, then --, then the words. Long
 * options may stand anywhere, short ones before the first word. The strings are borrowed. */
static char **
options_first(const struct cli_command *command, int *argc, char **argv)
{
    GPtrArray *options = g_ptr_array_new(), *words = g_ptr_array_new();
    gboolean ended = FALSE;
    g_ptr_array_add(options, argv[0]);
    g_ptr_array_add(words, (char *)"--");
    for (int i = 1; i < *argc; i++) {
        gboolean is_long = g_str_has_prefix(argv[i], "--");
        if (!ended && is_long && !argv[i][2]) {
            ended = TRUE;
            continue;
        }
        const GOptionEntry *entry = ended || *argv[i] != '-' || (!is_long && words->len > 1) ? NULL : find_option(command, argv[i]);
        g_ptr_array_add(entry || (is_long && !ended) ? options : words, argv[i]);
        if (entry && entry->arg != G_OPTION_ARG_NONE && !(is_long && strchr(argv[i], '=')) && i + 1 < *argc)
            g_ptr_array_add(options, argv[++i]);
    }
    g_ptr_array_extend_and_steal(options, words);
    *argc = (int)options->len;
    g_ptr_array_add(options, NULL);
    return (char **)g_ptr_array_free(options, FALSE);
}

static int
run_command(const struct cli_command *command, int argc, char **argv)
{
    GError *error = NULL;
    int code = 0;
    g_autoptr(GOptionContext) options = g_option_context_new(command->arguments);
    g_option_context_set_summary(options, command->summary);
    if (command->description)
        g_option_context_set_description(options, command->description);
    g_option_context_set_translation_domain(options, I18N_DOMAIN);
    if (command->entries)
        g_option_context_add_main_entries(options, command->entries, I18N_DOMAIN);
    g_option_context_add_main_entries(options, common, I18N_DOMAIN);
    g_option_context_set_strict_posix(options, command->words == WORDS_LAST);
    g_autofree char **sorted = command->words == WORDS_DASHED ? argv = options_first(command, &argc, argv) : NULL;
    /* GLib takes argv[0] for the program's name in the help. */
    g_autofree char *name = g_strdup_printf("postrider %s", command->name);
    g_set_prgname(name);
    if (!g_option_context_parse(options, &argc, &argv, &error)) {
        g_set_prgname("postrider");
        return show_error(command->name, error);
    }
    g_set_prgname("postrider");
    if (argc > 1 && !strcmp(argv[1], "--")) {
        argv++;
        argc--;
    }
    if (command->run(argc - 1, argv + 1, &code, &error))
        return code;
    return show_error(command->name, error);
}

static int
unknown_command(const char *word)
{
    GString *near = g_string_new(NULL);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        if (!strncmp((*command)->name, word, 2))
            g_string_append_printf(near, "%s%s", near->len ? ", " : "", (*command)->name);
    cli_note(_("postrider: there is no command \"%s\"%s%s: \"postrider help\" lists them"), word,
             near->len ? ", but there is " : "", near->str);
    g_string_free(near, TRUE);
    return EX_USAGE;
}

static gboolean
is_recipient(const char *word)
{
    return strchr(word, '@') || g_str_has_prefix(word, "mailto:");
}

/* A file that is opened must not get the number of a standard one that our caller has closed: what is printed
 * would end up in it. Reading from a closed input stays an error. */
static void
keep_standard_descriptors(void)
{
    static const int modes[] = {
        [STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDWR, [STDERR_FILENO] = O_RDWR};
    for (int fd = 0; fd < (int)G_N_ELEMENTS(modes); fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            _exit(EX_OSERR);
}

int
cli_main(int argc, char **argv, screen_function screen)
{
    g_autofree char *base = argc ? g_path_get_basename(argv[0]) : g_strdup("postrider");
    const char *first = argc > 1 ? argv[1] : "";
    GError *error = NULL;
    int code = 0;

    keep_standard_descriptors();
    i18n_init();
    signal(SIGPIPE, SIG_IGN);
    g_autofree char *state = paths_state_dir();
    g_autofree char *log = g_build_filename(state, "postrider.log", NULL);
    log_open(paths_make_dir(state, NULL) ? log : "/dev/null", LOG_LEVEL_WARN);

    if (!strcmp(base, "sendmail") || !strcmp(base, "mailq"))
        return cli_sendmail(argc, argv, &code, &error) ? code : show_error(NULL, error);
    if (!strcmp(first, "--version") || !strcmp(first, "-v")) {
        printf("postrider %s\n", PACKAGE_VERSION);
        return 0;
    }
    if (!strcmp(first, "--help") || !strcmp(first, "-h") || !strcmp(first, "help"))
        return manual_help(argc > 2 ? argv[2] : NULL);
    if (g_str_has_prefix(first,
                         "--manual=")) /* for the build: doc/ and the completions come from the tables */
        return manual_generate(strchr(first, '=') + 1);
    if (!*first || *first == '-' || is_recipient(first))
        return cli_compose(argc, argv, screen, &code, &error) ? code : show_error(NULL, error);
    if (!strcmp(first, cmd_sendmail.name) &&
        !(argc == 3 && !strcmp(argv[2], "--help"))) /* its flags are not ours */
        return cli_sendmail(argc - 1, argv + 1, &code, &error) ? code : show_error(first, error);
    const struct cli_command *command = find_command(first);
    return command ? run_command(command, argc - 1, argv + 1) : unknown_command(first);
}
