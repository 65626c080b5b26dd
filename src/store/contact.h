/* contact.h - people, harvested from the mail as it is stored
 *
 * One row an address: how often it wrote, how often it was written to, since when. It serves address
 * completion, `contacts QUERY`, and what the reader says about a sender ("known since 2019, 212 messages").
 * Own addresses and what lies in Junk are not harvested. Same thread as the store.
 */
#ifndef STORE_CONTACT_H
#define STORE_CONTACT_H

#include "store/store.h"

struct contact {
    gint64 id;
    char *name;         /* the last one used, or NULL */
    char *addr;         /* as last written; compared without case */
    gint64 first, last; /* seconds; 0: never */
    guint sent;         /* messages to it from here */
    guint received;     /* messages from it */
    guint seen;         /* named beside us in To or Cc */
    guint replied;      /* of its messages that were answered */
    guint junk, good;   /* of its messages called so */
    gint64 bounced;     /* time of a hard bounce since the last success; 0: none */
    char *bounce;       /* its reason, or NULL */
    gboolean blocked;
};
void contact_free(struct contact *contact);
typedef struct contact struct_contact;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_contact, contact_free)

/* Best first: those whose name words, address or domain begin with every word of `text`; written to before
 * heard from before seen, recent before old. Empty text: the most used. GPtrArray of struct contact. */
GPtrArray *contact_complete(struct store *store, const char *text, guint limit, GError **error);
/* NULL without error when it is not known. */
struct contact *contact_find(struct store *store, const char *addr, GError **error);
/* Added by hand (`a`), or a better name. */
gboolean contact_add(struct store *store, const char *name, const char *addr, GError **error);
gboolean contact_forget(struct store *store, const char *addr, GError **error);
gboolean contact_set_blocked(struct store *store, const char *addr, gboolean blocked, GError **error);
/* reason NULL: mail reached it, the mark goes. */
gboolean contact_set_bounced(struct store *store, const char *addr, const char *reason, GError **error);
gboolean contact_count_junk(struct store *store, const char *addr, gboolean junk, GError **error);

#endif
