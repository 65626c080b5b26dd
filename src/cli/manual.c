#include "config.h"

#include "cli/manual.h"
#include "cli/command.h"
#include "base/i18n.h"
#include "base/roff.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void
option_tag(const GOptionEntry *entry)
{
    g_autofree char *name = roff_text(entry->long_name), *help = roff_sentence(entry->description ?: "");
    printf(".TP\n\\fB");
    if (entry->short_name)
        printf("\\-%c\\fR, \\fB", entry->short_name);
    printf("\\-\\-%s\\fR", name);
    if (entry->arg_description)
        printf(" \\fI%s\\fR", entry->arg_description);
    printf("\n%s\n", help);
}

/* Sections that no table holds. */
static const struct {
    const char *title, *text;
} sections[] = {
    {"WRITING FROM THE COMMAND LINE",
     "With addresses or a mailto: link as arguments, or with mutt's flags, a message is written: in the "
     "composer when there is a terminal "
     "to write at, else from standard input, from -i FILE or from a draft (-H FILE).\n\n"
     "-s SUBJECT\tThe subject.\n\n"
     "-c ADDRESS, -b ADDRESS\tA copy, a blind copy.\n\n"
     "-a FILE… --\tFiles to attach; the list ends at --.\n\n"
     "-i FILE\tThe text.\n\n"
     "-H FILE\tA draft: header lines, a blank line, the text.\n\n"
     "-E\tEdit that draft itself.\n\n"
     "-e COMMAND\tRun a command of the screen at its start.\n\n"
     "-f PATH\tThe screen on a folder, a Maildir, an mbox or an .eml file.\n\n"
     "-p\tTake up a postponed message.\n\n"
     "-R\tRead only.\n\n"
     "-y\tBegin with the list of folders.\n\n"
     "-z, -Z\tOnly when there is mail; only when there is new mail. Else the exit status is 1.\n\n"
     "-A NAME\tThe addresses of a contact, printed; with a message, one more recipient.\n\n"
     "-B, -x\tNever ask, never open the composer.\n\n"
     "-Q KEY, -D\tThe value of a configuration key; of all.\n\n"
     "-F FILE, -d LEVEL, -l FILE, -m TYPE, -n, -O\tTaken for mutt's sake, without effect.\n\n"
     "-v\tThe version."},
    {"IDENTIFIERS", "ID is the short number that lists print, or id:MESSAGE-ID. The number belongs to this "
                    "machine and stays with its message."},
    {"SEARCHING",
     "The language is notmuch's. Terms side by side must all fit (two of the same field, as tag:a tag:b: "
     "either); and, or, not and parentheses join them.\n\n"
     "from: to: cc: subject: body:\tWords of that field; \"a phrase\"; word* for beginnings. A word alone is "
     "looked for everywhere.\n\n"
     "tag:WORD, is:WORD\tunread, flagged, replied, passed, draft, deleted, attachment, or a tag of yours.\n\n"
     "date:FROM..UNTIL\tEither end may be missing: date:7d.. is the last seven days, date:2026-11 a month, "
     "date:yesterday a day.\n\n"
     "folder:NAME\tA folder, or ACCOUNT/FOLDER.\n\n"
     "id:MESSAGE-ID, thread:ID\tA message; a conversation.\n\n"
     "attachment:NAME, mimetype:TYPE\tA part's file name; its type.\n\n"
     "Mail tagged deleted, or in Junk and Trash, is left out unless it is named. The whole language, and "
     "mutt's patterns, which the limit prompt of the screen takes besides, are in postrider-search(7)."},
    {"EXIT STATUS", "0\tDone, also when a message was queued.\n\n64\tWrong usage.\n\n65\tBad input: an "
                    "address, a file, a query.\n\n"
                    "66\tNo such input.\n\n69\tRefused by a server.\n\n70\tAn internal fault.\n\n74\tThe "
                    "disk or the system.\n\n"
                    "75\tTry again later.\n\n77\tThe login.\n\n78\tThe configuration."},
    {"ENVIRONMENT", "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR\tWhere things lie; by "
                    "default ~/.config, ~/.local/share, "
                    "~/.local/state and a private directory.\n\n"
                    "VISUAL, EDITOR\tThe editor for messages, when the configuration names none.\n\n"
                    "PAGER, BROWSER\tFor parts and links.\n\n"
                    "NO_COLOR, COLORTERM\tNo colours; 24-bit colours.\n\n"
                    "POSTRIDER_LOG\terror, warn, info or debug: how much goes into the logs."},
    {"FILES", "$XDG_CONFIG_HOME/postrider/config\tSee postrider-config(5).\n\n"
              "$XDG_DATA_HOME/postrider/mail/ACCOUNT/FOLDER\tMaildirs, one file a message. Other programs "
              "may read them, change flags, add and "
              "remove mail; the next pass takes that to the server.\n\n"
              "$XDG_DATA_HOME/postrider/mail/.notmuch\tnotmuch's index. For notmuch(1): NOTMUCH_DATABASE is "
              "the mail directory.\n\n"
              "$XDG_DATA_HOME/postrider/postrider.db\tA SQLite database: envelopes, flags as the server last "
              "said and as wanted here, "
              "conversations, changes to be carried out, the outgoing queue, contacts, and the text for "
              "searching. Beside it are its -wal and "
              "-shm files; copy all three together, or none while the engine runs. Never edit it: what it "
              "holds cannot all be fetched again.\n\n"
              "$XDG_STATE_HOME/postrider/postrider.log, engine.log\tWhat went wrong. Never a password, never "
              "the text of mail."},
    {"EXAMPLES", "    postrider list --limit 20\n    postrider search 'from:ana date:7d.. is:unread'\n    "
                 "postrider show 17 --save /tmp/files\n"
                 "    postrider mark 17 18 -unread +work\n    postrider send -s 'the report' -a report.pdf "
                 "ana@example.org <letter.txt\n"
                 "    postrider search tag:invoice --json | jq -r .subject"},
    {"SEE ALSO", "postrider-config(5), postrider-keys(7), postrider-search(7), mutt(1), notmuch(1), "
                 "notmuch-search-terms(7), sendmail(8)"},
};

/* Every command has these; they are its own entries in cli.c. */
static const GOptionEntry common[] = {{"json", 'j', 0, 0, NULL, "print JSON, one object a line", NULL},
                                      {"account", 'A', 0, 0, NULL, "only this account", "NAME"},
                                      {"help", 0, 0, 0, NULL, "say how the command is used", NULL},
                                      {NULL}};

static void
manual_page(void)
{
    printf(".TH POSTRIDER 1 \"\" \"postrider %s\" \"User Commands\"\n.SH NAME\npostrider \\- mail for the "
           "terminal: read, write, "
           "send, keep, and see the way of every message\n.SH SYNOPSIS\n",
           PACKAGE_VERSION);
    printf(".nf\n\\fBpostrider\\fR [\\-f PATH]\n\\fBpostrider\\fR [\\-s SUBJECT] [\\-a FILE... \\-\\-] [\\-c "
           "CC] [\\-b BCC] [\\-i BODY] TO...\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *arguments = roff_text((*command)->arguments ?: "");
        printf("\\fBpostrider %s\\fR %s%s\n", (*command)->name, (*command)->entries ? "[OPTIONS] " : "",
               arguments);
    }
    printf(".fi\n.SH DESCRIPTION\nWithout a command, the screen: the list of conversations, the reader, the "
           "composer; see\n"
           ".BR postrider\\-keys (7).\nThe screen and the commands work on the store on this machine and "
           "never wait for a network. The engine, "
           "a process of its own that they start, or that \\(lqpostrider sync \\-\\-watch\\(rq is, keeps the "
           "store in step with the servers. "
           "So everything works off line.\n.SH OPTIONS OF EVERY COMMAND\n");
    for (const GOptionEntry *entry = common; entry->long_name; entry++)
        option_tag(entry);
    printf(".SH COMMANDS\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *arguments = roff_text((*command)->arguments ?: "");
        g_autofree char *summary = roff_sentence((*command)->summary);
        printf(".SS \"%s%s%s\"\n%s\n", (*command)->name, *arguments ? " " : "", arguments, summary);
        if ((*command)->description) {
            printf(".PP\n");
            roff_paragraphs((*command)->description);
        }
        for (const GOptionEntry *entry = (*command)->entries; entry && entry->long_name; entry++)
            if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
                option_tag(entry);
    }
    for (guint i = 0; i < G_N_ELEMENTS(sections); i++) {
        printf(".SH %s\n", sections[i].title);
        roff_paragraphs(sections[i].text);
    }
}

static void
config_page(void)
{
    printf(".TH POSTRIDER\\-CONFIG 5 \"\" \"postrider %s\" \"File Formats\"\n.SH NAME\npostrider\\-config "
           "\\- the configuration of "
           "postrider\n.SH DESCRIPTION\n",
           PACKAGE_VERSION);
    roff_paragraphs(
        "$XDG_CONFIG_HOME/postrider/config (~/.config/postrider/config) holds sections, keys and comments, "
        "that is lines that begin "
        "with #. \"postrider setup\" writes the section of an account and leaves the rest of the file as it "
        "is.\n\n"
        "    [account work]\n    address = Ana Ruiz <ana@example.org>\n    incoming = "
        "imaps://ana@imap.example.org\n"
        "    outgoing = smtps://ana@smtp.example.org\n    password = command pass show mail/work\n\n"
        "An unknown key and a value out of range are errors that name the line and what is allowed. No "
        "password stands in the "
        "file. The first account is the default one.");
    const char *section = "";
    for (const struct config_key *key = config_keys; key->key; key++) {
        if (strcmp(section, key->section))
            printf(".SH [%s%s]\n", key->section, strcmp(key->section, "general") ? " NAME" : "");
        section = key->section;
        g_autofree char *name = roff_text(key->key), *help = roff_text(key->help),
                        *values = roff_text(key->values);
        g_autofree char *fallback = roff_text(key->fallback ?: "");
        printf(".TP\n.B %s\n%s\n.br\nAllowed: %s.%s%s%s%s\n", name, help, values,
               key->required ? " Required." : "", key->fallback ? " Default: " : "", fallback,
               key->fallback ? "." : "");
    }
    printf(".SH [keys]\n");
    roff_paragraphs("A command of the screen and its keys, with commas between; keys given here are taken "
                    "from the commands that had them. An "
                    "empty value leaves a command without keys. The names are in postrider-keys(7).\n\n"
                    "    [keys]\n    archive = A, Esc a\n    quit =");
    printf(".SH [searches]\n");
    roff_paragraphs("A name and a query; it stands in the side bar of the screen and opens like a folder.\n\n"
                    "    [searches]\n    to me, this week = to:ana date:7d..");
    printf(".SH [splits]\n");
    roff_paragraphs("Names and queries, in order: numbered tabs above the inbox. Each message (a conversation by its newest) "
                    "stands in the first that it fits, what fits none in a last one.\n\n"
                    "    [splits]\n    people = from:ana or from:ben\n    lists = list:dev");
    printf(".SH SEE ALSO\n.BR postrider (1),\n.BR postrider\\-keys (7)\n");
}

static char *
words(void)
{
    GString *out = g_string_new("help");
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        g_string_append_printf(out, " %s", (*command)->name);
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
           "\t\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '-s -a -c -b -i -H -E -e -f -F -A -p -R -y "
           "-z -Z --help --version' -- \"$cur\"))\n"
           "\t\telse COMPREPLY=($(compgen -W '%s' -- \"$cur\")); fi\n\t\treturn\n\tfi\n\tlocal "
           "words=\n\tcase ${COMP_WORDS[1]} in\n",
           all);
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *options = options_of(*command);
        printf("\t%s) words='%s' ;;\n", (*command)->name, options);
    }
    printf("\tesac\n\tif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\telse "
           "COMPREPLY=($(compgen -f -- \"$cur\")); fi\n}\n"
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
    printf("#compdef postrider\n# completion of postrider for zsh; made from its table of "
           "commands\n_postrider() {\n"
           "\tlocal -a commands\n\tcommands=(\n\t\t'help:how a command is used'\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *entry = g_strdup_printf("%s:%s", (*command)->name, (*command)->summary);
        g_autofree char *safe = quoted(entry);
        printf("\t\t%s\n", safe);
    }
    printf("\t)\n\tif (( CURRENT == 2 )); then _describe command commands; _files; return; fi\n\tcase "
           "$words[2] in\n");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *options = options_of(*command);
        printf("\t%s) compadd -- %s ;;\n", (*command)->name, options);
    }
    printf("\tesac\n\t_files\n}\n_postrider \"$@\"\n");
}

static void
fish_completion(void)
{
    printf("# completion of postrider for fish; made from its table of commands\n"
           "complete -c postrider -n __fish_use_subcommand -a help -d 'how a command is used'\n");
    for (const GOptionEntry *entry = common; entry->long_name; entry++)
        printf("complete -c postrider -n 'not __fish_use_subcommand' -l %s -d '%s'%s\n", entry->long_name,
               entry->description, entry->arg_description ? " -x" : "");
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        g_autofree char *summary = quoted((*command)->summary);
        printf("complete -c postrider -n __fish_use_subcommand -a %s -d %s\n", (*command)->name, summary);
        for (const GOptionEntry *entry = (*command)->entries; entry && entry->long_name; entry++) {
            if (entry->flags & G_OPTION_FLAG_HIDDEN || !*entry->long_name)
                continue;
            g_autofree char *help = quoted(entry->description ?: "");
            printf("complete -c postrider -n '__fish_seen_subcommand_from %s' -l %s -d %s%s\n",
                   (*command)->name, entry->long_name, help, entry->arg == G_OPTION_ARG_NONE ? "" : " -r");
        }
    }
}

int
manual_generate(const char *what)
{
    static const struct {
        const char *what;
        void (*print)(void);
    } pages[] = {{"postrider.1", manual_page},
                 {"postrider-config.5", config_page},
                 {"postrider-search.7", manual_search_page},
                 {"bash", bash_completion},
                 {"zsh", zsh_completion},
                 {"fish", fish_completion}};
    for (guint i = 0; i < G_N_ELEMENTS(pages); i++)
        if (!strcmp(what, pages[i].what)) {
            pages[i].print();
            return 0;
        }
    cli_note(_("postrider: there is no manual page \"%s\""), what);
    return EX_USAGE;
}

int
manual_help(const char *name)
{
    if (name) {
        for (const struct cli_command *const *command = cli_commands; *command; command++)
            if (!strcmp((*command)->name, name)) {
                char *argv[] = {(char *)"postrider", (char *)name, (char *)"--help", NULL};
                return cli_main(3, argv, NULL);
            }
        cli_note(_("postrider: there is no command \"%s\""), name);
        return EX_USAGE;
    }
    printf("%s", _("postrider: mail for the terminal\n\n"
                   "  postrider                  the screen\n"
                   "  postrider -f PATH          the screen on a Maildir, an mbox or an .eml file\n"
                   "  postrider -s SUBJECT -a FILE… -- TO…   write and send, with mutt's flags; the body "
                   "from standard input\n\n"));
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        printf("  postrider %-16s %s\n", (*command)->name, _((*command)->summary));
    printf("\n%s\n", _("\"postrider COMMAND --help\" tells more; so do postrider(1), postrider-config(5) and "
                       "postrider-keys(7)."));
    return 0;
}
