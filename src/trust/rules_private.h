/* rules_private.h - between the files of rules.h */
#ifndef TRUST_RULES_PRIVATE_H
#define TRUST_RULES_PRIVATE_H

#include "trust/rules.h"

/* The message on, unchanged under Resent-* fields, from the account it came to; part of the caller's transaction. A
 * message that went through here before is refused: it would go round. */
gboolean rules_forward(const struct rules_context *context, gint64 message, const char *account, const char *address,
                       GError **error);
/* Waits for the program. ERROR_SKIP says how it ended. */
gboolean rules_run_program(struct store *store, gint64 message, char **argv, GError **error);

#endif
