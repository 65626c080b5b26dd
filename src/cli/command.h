/* command.h - the one table of commands: names, options, words for people
 *
 * `postrider NAME` looks here; so do `postrider help`, the manual page and the completions (cli/manual.c).
 * Adding a command is one entry in command.c and one file with its function. One thread.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/json.h"
#include "cli/cli.h"
#include "config/config.h"
#include "store/store.h"

#define CLI_ERROR (cli_error_quark())
GQuark cli_error_quark(void);

enum cli_words {
    WORDS_ANYWHERE = 0,
    WORDS_LAST,   /* options end at the first word that is none: filter train --junk … */
    WORDS_DASHED  /* words may begin with a dash, long options stand anywhere: mark 17 -unread --json */
};

struct cli_command {
    const char *name;
    const char *arguments; /* "ID… FOLDER" */
    const char *summary;   /* one line */
    const char
        *description; /* paragraphs for the manual page, blank lines between; NULL: the summary says it all */
    const GOptionEntry *entries; /* ends with a NULL long_name; NULL: none of its own */
    enum cli_words words;        /* where its own words may stand */
    /* argv holds the words after the options. FALSE with an error; *exit_code may be set on TRUE as well. */
    gboolean (*run)(int argc, char **argv, int *exit_code, GError **error);
};

extern const struct cli_command *const cli_commands[]; /* NULL ends */

/* Options that every command has: --json, --account NAME. */
extern gboolean cli_json;
extern char *cli_account;

/* The configuration; read once, lives until the end. */
const struct config *cli_config(GError **error);
/* The account of --account, else the default. */
const struct account *cli_default_account(GError **error);
/* The store, opened once; asked for writing after reading it is opened again. With the accounts of the
 * configuration ensured in it when writing. */
struct store *cli_store(enum store_mode mode, GError **error);
/* The store's id of --account; 0 when it was not given. */
gboolean cli_account_id(struct store *store, gint64 *id, GError **error);

/* Prints a line, made safe when it goes to a terminal; adds the line end. FALSE (ERROR_IO) when it cannot be
 * written. */
gboolean cli_print(const char *text, GError **error);
gboolean cli_print_bytes(const char *bytes, gsize len, GError **error);
/* Prints and frees what the writer holds as one line. */
gboolean cli_print_json(struct json *json, GError **error);
/* A remark for a person, on standard error. */
void cli_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* A question on the terminal without echo, or with; NULL when there is no terminal or it was ended. Wipe
 * secrets. */
char *cli_ask(const char *prompt, gboolean secret);

/* All of standard input or of a file ("-" is standard input), at most `limit` bytes. */
GBytes *cli_read_file(const char *path, gsize limit, GError **error);

/* Waits until the engine has answered a request with "done"; its error is ours. A password that it asks for meanwhile is
 * asked for on the terminal. */
struct engine_client;
gboolean cli_await(struct engine_client *client, guint request, int milliseconds, GError **error);

/* `postrider` without a command: mutt's flags, addresses, mailto: (cli/compose.c). Without any, or when a
 * person is to write: the screen. Sets *exit_code; FALSE with an error. */
gboolean cli_compose(int argc, char **argv, screen_function screen, int *exit_code, GError **error);
/* Called as sendmail, mailq, or by `postrider sendmail` (cli/sendmail.c). */
gboolean cli_sendmail(int argc, char **argv, int *exit_code, GError **error);

/* Sets ERROR_USAGE. */
gboolean cli_usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
