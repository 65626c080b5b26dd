/* account.h - the accounts that the store knows
 *
 * The configuration is the truth about accounts; the store keeps a row for each so that folders, intents and
 * the queue can name it, and so that it knows which addresses are the user's own ("me"). Rows are never
 * deleted by themselves: an account that left the configuration keeps its mail. Same thread as the store.
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "store/store.h"

struct store_account {
    gint64 id;
    char *name;
    char *dir;       /* below mail/ */
    GStrv addresses; /* own addresses, address_normalise()d, the main one first; never NULL */
    char *state;     /* a word of the engine's: "", "online", "offline", "login", "error" */
    char *notice;    /* a sentence for the user, or NULL */
    gint64 synced;   /* end of the last whole pass, seconds; 0 never */
};

void store_account_free(struct store_account *account);
typedef struct store_account struct_store_account;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_store_account, store_account_free)

/* The row of that name, made or brought up to date. Writes only when something differs; 0 on error. */
gint64 store_account_ensure(struct store *store, const char *name, const char *const *addresses,
                            GError **error);
/* An account of which no server keeps folders (POP3, a Maildir, or one that only sends): what is to be done to its
 * messages and folders is done when it is written down, and no intent of it is ever pending but an upload whose bytes
 * are still to come. Made local, an account gets INBOX and a folder for each role, called as roles says (in the order of
 * config_roles, NULL elements for the usual names; roles may be NULL); what a server knew of it is forgotten. No longer
 * local, everything in it is to be uploaded, but for what the server proves to have. Writes only when something
 * differs. */
gboolean store_account_set_local(struct store *store, gint64 id, gboolean local, const char *const *roles,
                                 GError **error);
gboolean store_account_is_local(struct store *store, gint64 id);
/* All, in order of id: GPtrArray of struct store_account. */
GPtrArray *store_account_list(struct store *store, GError **error);
struct store_account *store_account_get(struct store *store, gint64 id, GError **error);
gint64 store_account_find(struct store *store, const char *name); /* 0: none */
/* state NULL leaves it, notice NULL clears it, synced 0 leaves it. */
gboolean store_account_set_state(struct store *store, gint64 id, const char *state, const char *notice,
                                 gint64 synced, GError **error);
/* One of the user's own addresses (any account)? */
gboolean store_is_me(struct store *store, const char *addr);

#endif
