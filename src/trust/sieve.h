/* sieve.h - rules as a script for the server (RFC 5228), so that they also run when this machine is off
 *
 * With variables (RFC 5229), fileinto, copy (RFC 3894), imap4flags (RFC 5232) and body (RFC 5173), each only where a rule
 * needs it. A rule that cannot be said in full stays here, and is told of: half a rule on the server would do half of it.
 * As here, conditions look at the message as it came, a later "move" replaces an earlier one, and "stop" ends it. Words are
 * looked for as substrings there, which finds what is found here, and more ("art" in "part"); names of attachments are not
 * looked at. Pure; any thread.
 */
#ifndef TRUST_SIEVE_H
#define TRUST_SIEVE_H

#include "trust/rules.h"

/* What the script needs to know of the account. */
struct sieve_account {
    const char *name;
    const char *const *addresses;          /* own ones, NULL-terminated */
    const char *archive, *junk, *trash;    /* folders by name; NULL: the rule stays here */
};

struct sieve_left {
    const struct rule *rule;
    char *why; /* translated */
};
void sieve_left_free(struct sieve_left *left);

struct sieve {
    char *script;
    GPtrArray *taken; /* of const struct rule *, borrowed */
    GPtrArray *left;  /* of struct sieve_left: those that stay here */
};
void sieve_free(struct sieve *sieve);
typedef struct sieve struct_sieve;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_sieve, sieve_free)

/* Those of `rules` that are for this account. */
struct sieve *sieve_write(const GPtrArray *rules, const struct sieve_account *account);

/* The same for an account of the configuration: folders as it names them, else the usual names. */
struct sieve *sieve_of_account(const GPtrArray *rules, const struct account *account);

/* The server runs these of the account's rules from now on; rules_arrived() leaves them alone, until their text changes. */
gboolean sieve_note_uploaded(struct store *store, const char *account, const struct sieve *sieve, GError **error);
gboolean sieve_runs_there(struct store *store, const char *account, const struct rule *rule);

#endif
