/* password.h - an account's password, from the command that the configuration names
 *
 * `password = command …` is run by sh -c with no standard input, as mbsync's PassCmd and msmtp's
 * passwordeval; the first line of its output is the password. Limits: 10 seconds, 4 KiB. `password = ask` is
 * answered by who has a terminal and handed to the engine (engine/client.h). Blocks; never prints, never
 * prompts.
 */
#ifndef CONFIG_PASSWORD_H
#define CONFIG_PASSWORD_H

#include "config/config.h"

/* NULL with ERROR_AUTH: the command failed (its own words in the text) or the password has to be asked for.
 * Free with password_free(). */
char *password_get(const struct account *account, gboolean outgoing, GError **error);

/* Wipes, then frees. NULL is fine. */
void password_free(char *secret);

#endif
