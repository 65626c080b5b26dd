#include "config.h"

#include "base/roff.h"
#include "ui/command.h"
#include "ui/keymap.h"
#include "ui/manual.h"
#include "ui/text.h"

#include <stdio.h>
#include <string.h>

static void
print_command(const struct keymap *map, const struct command *command)
{
    g_autofree char *keys = keymap_keys(map, command), *contexts = command_context_names(command->contexts);
    g_autofree char *safe_keys = roff_text(*keys ? keys : ":"), *name = roff_text(command->name);
    g_autofree char *argument = roff_text(command->argument ?: ""), *help = roff_sentence(_(command->help));
    printf(".TP\n\\fB%s\\fR%s%s\n%s\n.br\n\\fI%s\\fR%s%s (%s)\n", safe_keys, *keys ? "" : " ",
           *keys ? "" : name, help, name, *argument ? " " : "", argument, contexts);
}

/* What another set has in place of mutt's keys. */
static void
print_set(const char *set)
{
    g_autofree char *title = g_ascii_strup(set, -1);
    printf(".SS %s\n", title);
    for (const struct key_choice *choice = command_key_set(set); choice->command; choice++) {
        const struct command *command = command_find(choice->command);
        g_autofree char *keys = roff_text(*choice->keys ? choice->keys : "(no key)");
        g_autofree char *name = roff_text(choice->command),
                        *help = roff_sentence(command ? _(command->help) : "");
        printf(".TP\n\\fB%s\\fR\n%s\n.br\n\\fI%s\\fR\n", keys, help, name);
    }
}

void
manual_keys(void)
{
    g_autoptr(struct_keymap) map = keymap_new("mutt");
    printf(".TH POSTRIDER\\-KEYS 7 \"\" \"postrider %s\" \"Miscellaneous\"\n.SH NAME\npostrider\\-keys \\- "
           "the keys and commands of "
           "postrider's screen\n.SH DESCRIPTION\n",
           PACKAGE_VERSION);
    roff_paragraphs("The keys are mutt's. Each entry shows the keys, what they do, the name of the command, "
                    "and in brackets the views where it can be "
                    "used. The help of the screen (?) shows the same with your own keys; the palette (:) "
                    "finds a command by any part of its name or "
                    "description and takes its argument behind the name, for example \":save Archive\".\n\n"
                    "Esc a is the Escape key and then a, or Alt and a together; Ctrl-N is written ^N "
                    "elsewhere. Semicolon and Comma are the keys ; and , .\n\n"
                    "Other keys are chosen in the configuration: \"keys = vi\" in [general] takes another "
                    "set, and the section [keys] changes single "
                    "commands; see postrider-config(5).");
    for (guint group = 0; group < GROUP_COUNT; group++) {
        g_autofree char *title = g_utf8_strup(command_group_name(group), -1), *safe = roff_text(title);
        printf(".SH %s\n", safe);
        for (const struct command *command = command_table; command->name; command++)
            if (command->group == group)
                print_command(map, command);
    }
    printf(".SH WHERE A LINE IS TYPED\n");
    roff_paragraphs(
        "Enter\tTake the line.\n\nTab\tComplete: addresses, folders, files, commands, words of a query.\n\n"
        "Esc, Ctrl-G, Ctrl-C\tLeave without it.\n\nUp, Ctrl-P, Down, Ctrl-N\tEarlier lines, or the next "
        "choice.\n\n"
        "Ctrl-A, Home, Ctrl-E, End\tTo the beginning, to the end.\n\nCtrl-B, Left, Ctrl-F, Right\tA "
        "character back, on.\n\n"
        "Esc b, Esc f\tA word back, on.\n\nCtrl-W, Esc Backspace, Esc d\tCut the word before, the word "
        "behind.\n\n"
        "Ctrl-U, Ctrl-K\tCut to the beginning, to the end.\n\nCtrl-Y\tPut back what was cut.\n\nCtrl-T\tSwap "
        "two characters.");
    printf(".SH OTHER SETS OF KEYS\nOnly what differs from the keys above.\n");
    for (const char *const *set = command_key_set_names(); *set; set++)
        if (command_key_set(*set)->command)
            print_set(*set);
    printf(".SH SEE ALSO\n.BR postrider (1),\n.BR postrider\\-config (5)\n");
}
