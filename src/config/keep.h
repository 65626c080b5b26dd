/* keep.h - which mail an account keeps off line, folder by folder: "keep" and "keep.FOLDER" of the configuration
 *
 * A policy says what is fetched; it never throws away what is here. Folder names and patterns are as
 * `postrider folders` prints them ('/' between levels); '*' stands for anything, levels and all, '?' for one letter.
 */
#ifndef CONFIG_KEEP_H
#define CONFIG_KEEP_H

#include "config/config.h"

/* The policy of this folder: its own name, else the first pattern in the order of the file, else the account's. */
const struct keep *keep_of(const struct account *account, const char *folder);

/* Does this rule of a folder speak of it? */
gboolean keep_fits(const struct keep *keep, const char *folder);

/* Are there messages whose body does not come by itself? */
gboolean keep_is_partial(const struct keep *keep);

/* As it would be written: "365d, 20M"; caller frees. */
char *keep_to_string(const struct keep *keep);

/* Inside config/: reads one; FALSE with *why when it is none. */
gboolean keep_parse(const char *value, struct keep *keep, char **why);
/* "365d": days; FALSE when it is not an age. */
gboolean keep_parse_age(const char *text, int *days);
void keep_clear(gpointer keep);

#endif
