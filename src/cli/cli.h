/* cli.h - the command line: which command is meant, and running it
 *
 * main() hands the screen in as a function, so that the commands know nothing of it.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <glib.h>

/* What the screen is started with: all NULL/FALSE for the plain `postrider`. Strings are borrowed. */
struct screen_request {
    const char *path;   /* -f: a Maildir, mbox or .eml instead of the accounts */
    const char *folder; /* -f =Folder: opened first */
    const char
        *draft; /* mutt's flags on a terminal: a draft file to open in the composer (owned by the caller) */
    gboolean draft_temporary; /* unlink `draft` once it is read */
    gboolean folders;         /* -y: start with the folder list */
    gboolean recall;          /* -p: recall a postponed message */
    gboolean read_only;       /* -R */
    char **commands;          /* -e, in order: commands of the palette to run first; NULL: none */
};

typedef int (*screen_function)(const struct screen_request *request);

/* Runs the command in argv, returns the exit code (sysexits.h). */
int cli_main(int argc, char **argv, screen_function screen);

#endif
