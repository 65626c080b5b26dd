/* manual.h - the manual pages, the help and the completions, out of the tables of commands and of
 * configuration keys */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

/* "postrider help [COMMAND]" on standard output; the exit code. */
int manual_help(const char *command);

/* What: "postrider.1", "postrider-config.5", "postrider-search.7", "bash", "zsh" or "fish", on standard
 * output; the exit code. */
int manual_generate(const char *what);

/* One of the pages. */
void manual_search_page(void);

#endif
