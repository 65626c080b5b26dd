/* sender.h - whose mail the user does not want, or wants in any case
 *
 * A word is about an address, a domain with what lies below it, or a mailing list (List-Id). The closest one holds: an
 * address before a list before a domain, a longer domain before a shorter. A word vouches for nobody: who asks whether mail
 * is allowed looks first whether it is forged. Addresses that are blocked are not offered for completion (contact.h). Same
 * thread as the store.
 */
#ifndef STORE_SENDER_H
#define STORE_SENDER_H

#include "store/store.h"

enum sender_kind { SENDER_ADDRESS = 1, SENDER_DOMAIN, SENDER_LIST };
enum sender_word { SENDER_NOTHING, SENDER_BLOCKED, SENDER_ALLOWED };
const char *sender_word_name(enum sender_word word); /* "", "blocked", "allowed" */

struct sender_entry {
    enum sender_kind kind;
    char *what; /* lower case: "eve@example.net", "example.net", "dev.example.org" */
    enum sender_word word;
    gint64 time;
};
void sender_entry_free(struct sender_entry *entry);
typedef struct sender_entry struct_sender_entry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_sender_entry, sender_entry_free)

/* What a person writes: "eve@example.net", "Eve <eve@example.net>", "@example.net", "list:dev.example.org". ERROR_INPUT
 * says what may be written. */
struct sender_entry *sender_entry_parse(const char *text, GError **error);
char *sender_entry_text(const struct sender_entry *entry); /* as it may be written */

/* SENDER_NOTHING takes the word back. */
gboolean sender_set(struct store *store, const struct sender_entry *entry, enum sender_word word, GError **error);
/* NULL for what is not known. *because (may be NULL) receives the word that holds, NULL when there is none. */
enum sender_word sender_ask(struct store *store, const char *address, const char *list_id,
                            struct sender_entry **because);
/* GPtrArray of struct sender_entry, newest first. */
GPtrArray *sender_list(struct store *store, GError **error);

#endif
