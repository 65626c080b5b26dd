/* foreign.h - accounts as the configurations of mbsync, msmtp and mutt describe them
 *
 * Those files are read, never written; secrets in them are not taken over.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include <glib.h>

/* Prints sections for the configuration (JSON: an object an account), or with `write` adds those whose name and address are
 * not in it. ERROR_NOINPUT when no account was found. */
gboolean foreign_import(gboolean write, GError **error);

#endif
