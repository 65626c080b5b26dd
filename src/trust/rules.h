/* rules.h - what the user wants done with new mail: [rule NAME] of the configuration
 *
 * A rule has a condition, in the language of searches, and actions. Conditions are looked at before anything is done, so
 * that what one rule does never hides a message from the next; "stop" ends it. What belongs to one call is one action to
 * undo, in one transaction, and is written down for the journey (store/filing.h).
 *
 * Rules act by themselves on mail that newly lies in an INBOX (rules_arrived(), a stage of arrival.h), and by hand on
 * whatever a query finds (rules_run()). A rule that cannot be carried out (its folder has gone) says so and changes
 * nothing; the others go on. "run" starts a program with its arguments, never a shell, the message as standard input, for
 * RULES_RUN_SECONDS at most; nothing of a message gets into its arguments.
 *
 * RULES_ERROR: ERROR_CONFIG names file and line; those of the store as they come. A compiled set is read only, any thread;
 * the rest as the store.
 */
#ifndef TRUST_RULES_H
#define TRUST_RULES_H

#include "config/config.h"
#include "store/query.h"
#include "store/store.h"

#define RULES_ERROR (rules_error_quark())
GQuark rules_error_quark(void);

#define RULES_RUN_SECONDS 30

enum rule_verb {
    RULE_MOVE,   /* text: the folder */
    RULE_COPY,   /* likewise */
    RULE_ARCHIVE,
    RULE_DELETE,
    RULE_JUNK,
    RULE_READ,
    RULE_FLAG,
    RULE_TAG,     /* add, remove */
    RULE_FORWARD, /* text: the address */
    RULE_NOTIFY,  /* text: what is said, or NULL */
    RULE_RUN,     /* argv */
    RULE_STOP,
    RULE_VERBS
};
const char *rule_verb_name(enum rule_verb verb); /* "move" */

struct rule_action {
    enum rule_verb verb;
    char *text;
    char *add, *remove; /* tag sets; never NULL with RULE_TAG */
    GStrv argv;
};

struct rule {
    char *name;
    char *account;      /* NULL: all */
    char *condition;    /* as written */
    struct query *when;
    GPtrArray *actions; /* of struct rule_action, at least one */
};

/* GPtrArray of struct rule, in the order of the file. */
GPtrArray *rules_compile(const struct config *config, GError **error);
/* One rule that stands in no file, for a preview. */
struct rule *rule_new(const char *name, const char *when, const char *then, GError **error);
void rule_free(struct rule *rule);
typedef struct rule struct_rule;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_rule, rule_free)
/* "move Lists; tag +list": as it would be written. */
char *rule_actions_text(const struct rule *rule);

struct rules_context {
    struct store *store;
    const struct config *config;
    const GPtrArray *rules;
    /* For a person; safe to show. May be NULL. */
    void (*notice)(const char *text, gpointer data);
    gpointer data;
};

/* Does the condition hold for this message, as it is now? On error FALSE. */
gboolean rule_matches(struct store *store, const struct rule *rule, gint64 message, GError **error);
/* A message that has newly come; account: its name. One that rules acted on before is left alone, and what the server's script
 * does (sieve.h) is not done again. *acted (may be NULL): how
 * many rules. */
gboolean rules_arrived(const struct rules_context *context, gint64 message, const char *account, guint *acted,
                       GError **error);

/* What a rule would do, or did. */
struct rules_hit {
    const struct rule *rule;
    GArray *messages; /* gint64, newest first */
};
void rules_hit_free(struct rules_hit *hit);
/* Which messages of `query` (NULL: all of every INBOX) each rule is for, newest first, at most `limit` a rule; of a rule
 * that says "stop" later ones get none. GPtrArray of struct rules_hit, one a rule. */
GPtrArray *rules_find(const struct rules_context *context, const struct query *query, guint limit, GError **error);
/* Carries it out, as one action to undo. *journal (may be NULL) as intents return it. */
gboolean rules_run(const struct rules_context *context, const GPtrArray *hits, gint64 *journal, GError **error);

#endif
