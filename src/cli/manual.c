#include "config.h"

#include "cli/manual.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Text for roff: backslashes, and a dot or quote that would begin a request. */
char *
manual_roff(const char *text)
{
    GString *out = g_string_new(NULL);
    gboolean start = TRUE;
    for (const char *p = text; *p; p++) {
        if (start && (*p == '.' || *p == '\''))
            g_string_append(out, "\\&");
        start = *p == '\n';
        if (*p == '\\')
            g_string_append(out, "\\e");
        else if (*p == '-')
            g_string_append(out, "\\-");
        else
            g_string_append_c(out, *p);
    }
    return g_string_free(out, FALSE);
}

void
manual_paragraphs(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\n\n", -1);
    for (char **part = parts; *part; part++) {
        g_autofree char *safe = manual_roff(*part);
        printf("%s%s\n", part == parts ? "" : ".PP\n", safe);
    }
}

static void
option_tag(const GOptionEntry *entry)
{
    g_autofree char *name = manual_roff(entry->long_name);
    printf(".TP\n\\fB");
    if (entry->short_name)
        printf("\\-%c\\fR, \\fB", entry->short_name);
    printf("\\-\\-%s\\fR", name);
    if (entry->arg_description)
        printf(" \\fI%s\\fR", entry->arg_description);
    g_autofree char *help = manual_roff(entry->description ?: "");
    printf("\n%s\n", help);
}

/* Sections that no table holds. */
static const struct {
    const char *title, *text;
} sections[] = {
    {"WRITING FROM THE COMMAND LINE",
     "With addresses or a mailto: link as arguments, or with mutt's flags, a message is written: from standard input, from "
     "-i FILE or from a draft (-H FILE) when there is no terminal to write at, else in the composer.\n\n"
     "-s SUBJECT, -c CC, -b BCC, -a FILE… -- (the list of files ends at --), -i FILE, -H DRAFT, -E (edit that draft), "
     "-e COMMAND, -f MAILBOX, -F CONFIGURATION, -A ALIAS, -p (recall a postponed message), -R (read only), -y (folders first), "
     "-z and -Z (only when there is, or is new, mail), -n, -x, -v.\n\n"
     "Called as sendmail, or as \"postrider sendmail\", the flags of sendmail(8) are taken: -t -i -oi -f -r -F -N -R -V -bp -q; "
     "-B -bm -G -h -L -m -n -O -o -p -x are accepted and ignored."},
    {"IDENTIFIERS", "ID is the short number that lists print, or id:MESSAGE-ID."},
    {"SEARCHING",
     "Queries are notmuch's: from: to: cc: subject: body: tag: is: date:A..B folder: path: id: thread: attachment: mimetype:, "
     "joined by and, or, not and parentheses; \"a phrase\"; word* for beginnings. Mail tagged deleted, or in Junk and Trash, "
     "is left out unless it is named."},
    {"EXIT STATUS",
     "0 done, also when a message was queued; 64 wrong usage; 65 bad input; 66 no such input; 69 refused by a server; 70 an "
     "internal fault; 74 disk or system; 75 try again later; 77 login; 78 configuration."},
    {"ENVIRONMENT",
     "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR: where things lie. VISUAL, EDITOR, PAGER, BROWSER, "
     "NO_COLOR, COLORTERM. POSTRIDER_LOG=debug writes more into the logs."},
    {"FILES",
     "$XDG_CONFIG_HOME/postrider/config: see postrider-config(5).\n\n$XDG_DATA_HOME/postrider: mail/ (Maildirs, and notmuch's "
     "index in mail/.notmuch), postrider.db (state and search).\n\n$XDG_STATE_HOME/postrider: engine.log, postrider.log."},
    {"SEE ALSO", "postrider-config(5), postrider-search(7), mutt(1), notmuch(1), notmuch-search-terms(7), sendmail(8)"},
};

static void
manual_page(void)
{
    printf(".TH POSTRIDER 1 \"\" \"postrider %s\" \"User Commands\"\n.SH NAME\npostrider \\- mail for the terminal: read, write, "
           "send, keep, and see the way of every message\n.SH SYNOPSIS\n",
           PACKAGE_VERSION);
    printf(".B postrider\n[\\-f PATH]\n.br\n.B postrider\n[\\-s SUBJECT] [\\-a FILE… \\-\\-] [\\-c CC] [\\-b BCC] [\\-i BODY] TO…\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *arguments = manual_roff((*command)->arguments ?: "");
        printf(".br\n.B postrider %s\n%s\n", (*command)->name, arguments);
    }
    printf(".SH DESCRIPTION\nWithout a command, the screen: the list of conversations, the reader, the composer. The screen "
           "and the commands work on the store; the engine, started by them or by \"postrider sync \\-\\-watch\", keeps it in step "
           "with the servers. So everything works off line.\n.SH OPTIONS OF EVERY COMMAND\n");
    static const GOptionEntry common[] = {{"json", 'j', 0, 0, NULL, "Print JSON, one object a line.", NULL},
                                          {"account", 'A', 0, 0, NULL, "Only this account.", "NAME"},
                                          {"help", 0, 0, 0, NULL, "Say how the command is used.", NULL},
                                          {NULL}};
    for (const GOptionEntry *entry = common; entry->long_name; entry++)
        option_tag(entry);
    printf(".SH COMMANDS\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *arguments = manual_roff((*command)->arguments ?: "");
        printf(".SS %s %s\n", (*command)->name, arguments);
        manual_paragraphs((*command)->description ?: (*command)->summary);
        for (const GOptionEntry *entry = (*command)->entries; entry && entry->long_name; entry++)
            if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
                option_tag(entry);
    }
    for (guint i = 0; i < G_N_ELEMENTS(sections); i++) {
        printf(".SH %s\n", sections[i].title);
        manual_paragraphs(sections[i].text);
    }
}

static void
config_page(void)
{
    printf(".TH POSTRIDER\\-CONFIG 5 \"\" \"postrider %s\" \"File Formats\"\n.SH NAME\npostrider\\-config \\- the configuration of "
           "postrider\n.SH DESCRIPTION\n$XDG_CONFIG_HOME/postrider/config holds sections, keys and comments (lines that begin with #):\n"
           ".PP\n.nf\n[account work]\naddress = Ana Ruiz <ana@example.org>\nincoming = imaps://ana@imap.example.org\noutgoing = "
           "smtps://ana@smtp.example.org\npassword = command pass show mail/work\n.fi\n.PP\nAn unknown key and a value out of range are "
           "errors that name the line and what is allowed. Secrets never stand here. \\(lqpostrider setup\\(rq writes the file.\n",
           PACKAGE_VERSION);
    const char *section = "";
    for (const struct config_key *key = config_keys; key->key; key++) {
        if (strcmp(section, key->section))
            printf(".SH %s\n", strcmp(key->section, "account") ? "[general]" : "[account NAME]");
        section = key->section;
        g_autofree char *name = manual_roff(key->key), *help = manual_roff(key->help), *values = manual_roff(key->values);
        printf(".TP\n.B %s\n%s\nAllowed: %s.%s%s%s\n", name, help, values, key->required ? " Required." : "",
               key->fallback ? " Default: " : "", key->fallback ? key->fallback : "");
        if (key->fallback)
            printf("\n");
    }
    printf(".SH [keys]\nA command of the screen and its keys: \\fBarchive = A, Esc a\\fR. Commands are those that the help (?) and "
           "the palette (:) show.\n.SH [searches]\nA name and a query, shown in the side bar: \\fBto me, 7 days = to:ana date:7d..\\fR\n"
           ".SH SEE ALSO\npostrider(1)\n");
}

static char *
words(void)
{
    GString *out = g_string_new(NULL);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        g_string_append_printf(out, "%s%s", out->len ? " " : "", (*command)->name);
    return g_string_free(out, FALSE);
}

static char *
options_of(const struct cli_command *command)
{
    GString *out = g_string_new("--json --account --help");
    for (const GOptionEntry *entry = command->entries; entry && entry->long_name; entry++)
        if (!(entry->flags & G_OPTION_FLAG_HIDDEN) && *entry->long_name)
            g_string_append_printf(out, " --%s", entry->long_name);
    return g_string_free(out, FALSE);
}

static void
bash_completion(void)
{
    g_autofree char *all = words();
    printf("# completion of postrider for bash; made from its table of commands\n"
           "_postrider() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
           "\t\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '-s -a -c -b -i -H -E -e -f -F -A -p -R -y -z -Z --help --version' -- \"$cur\"))\n"
           "\t\telse COMPREPLY=($(compgen -W '%s' -- \"$cur\")); fi\n\t\treturn\n\tfi\n\tlocal words=\n\tcase ${COMP_WORDS[1]} in\n",
           all);
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *options = options_of(*command);
        printf("\t%s) words='%s' ;;\n", (*command)->name, options);
    }
    printf("\tesac\n\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\telse COMPREPLY=($(compgen -f -- \"$cur\")); fi\n}\n"
           "complete -o filenames -F _postrider postrider\n");
}

/* A single-quoted word of a shell. */
static char *
quoted(const char *text)
{
    return g_shell_quote(text);
}

static void
zsh_completion(void)
{
    printf("#compdef postrider\n# completion of postrider for zsh; made from its table of commands\n_postrider() {\n"
           "\tlocal -a commands\n\tcommands=(\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *entry = g_strdup_printf("%s:%s", (*command)->name, (*command)->summary);
        g_autofree char *safe = quoted(entry);
        printf("\t\t%s\n", safe);
    }
    printf("\t)\n\tif (( CURRENT == 2 )); then _describe command commands; _files; return; fi\n\tcase $words[2] in\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *options = options_of(*command);
        printf("\t%s) compadd -- %s ;;\n", (*command)->name, options);
    }
    printf("\tesac\n\t_files\n}\n_postrider \"$@\"\n");
}

static void
fish_completion(void)
{
    printf("# completion of postrider for fish; made from its table of commands\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *summary = quoted((*command)->summary);
        printf("complete -c postrider -n __fish_use_subcommand -a %s -d %s\n", (*command)->name, summary);
        for (const GOptionEntry *entry = (*command)->entries; entry && entry->long_name; entry++) {
            if (entry->flags & G_OPTION_FLAG_HIDDEN || !*entry->long_name)
                continue;
            g_autofree char *help = quoted(entry->description ?: "");
            printf("complete -c postrider -n '__fish_seen_subcommand_from %s' -l %s -d %s%s\n", (*command)->name,
                   entry->long_name, help, entry->arg == G_OPTION_ARG_NONE ? "" : " -r");
        }
    }
}

int
manual_generate(const char *what)
{
    static const struct {
        const char *what;
        void (*print)(void);
    } pages[] = {{"postrider.1", manual_page}, {"postrider-config.5", config_page}, {"postrider-search.7", manual_search_page}, {"bash", bash_completion},
                 {"zsh", zsh_completion},      {"fish", fish_completion}};
    for (guint i = 0; i < G_N_ELEMENTS(pages); i++)
        if (!strcmp(what, pages[i].what)) {
            pages[i].print();
            return 0;
        }
    cli_note("postrider: there is no manual page \"%s\"", what);
    return EX_USAGE;
}

int
manual_help(const char *name)
{
    if (name) {
        for (const struct cli_command *const *command = cli_commands; *command; command++)
            if (!strcmp((*command)->name, name)) {
                char *argv[] = {(char *) "postrider", (char *) name, (char *) "--help", NULL};
                return cli_main(3, argv, NULL);
            }
        cli_note("postrider: there is no command \"%s\"", name);
        return EX_USAGE;
    }
    printf("postrider: mail for the terminal\n\n"
           "  postrider                  the screen\n"
           "  postrider -f PATH          the screen on a Maildir, an mbox or an .eml file\n"
           "  postrider -s SUBJECT -a FILE… -- TO…   write and send, with mutt's flags; the body from standard input\n\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        printf("  postrider %-16s %s\n", (*command)->name, (*command)->summary);
    printf("\n\"postrider COMMAND --help\" tells more; so do postrider(1) and postrider-config(5).\n");
    return 0;
}
