/* known.h - who is known here, for telling who only pretends to be
 *
 * By organisation (mail/domain.h: "example.org" of ana@mail.example.org; the domain itself where there is none), which
 * adds up its contacts (contact.h) and has counts of its own for what it vouched for. By what names look like
 * (base/skeleton.h). Same thread as the store; each is a look-up of some rows.
 */
#ifndef STORE_KNOWN_H
#define STORE_KNOWN_H

#include "store/contact.h"

struct known {
    gint64 first;                                 /* seconds; 0: never */
    guint received, sent, replied, junk, good;    /* of its addresses */
    guint vouched, vouched_junk, vouched_good;    /* messages that it vouched for itself; of them those called so */
};

/* Of an address; NULL: it has no domain. New string, ASCII. */
char *known_owner_of(const char *addr);
gboolean known_owner(struct store *store, const char *owner, struct known *known, GError **error);
/* It is one that the user deals with: was written to, answered, heard from five times, and is not mostly junk. */
gboolean known_owner_is_familiar(struct store *store, const char *owner);

/* GPtrArray of char *: those that look like it, itself among them, familiar or not. */
GPtrArray *known_owners_like(struct store *store, const char *owner, GError **error);
/* GPtrArray of char *: those that were written to, with so many letters; at most 3,000. */
GPtrArray *known_owners_written(struct store *store, gsize least, gsize most, GError **error);
/* GPtrArray of struct contact: people that the user deals with, whose name looks so. At most 20. */
GPtrArray *known_people(struct store *store, const char *name, GError **error);

/* A message has come, and was looked at: keeps the verdict of that stage (arrival.h), and counts once, however often it is
 * said, that `vouched_by` vouched for it (NULL: nobody). One transaction. */
gboolean known_arrived(struct store *store, gint64 message, const char *stage, const char *verdict, const char *vouched_by,
                       GError **error);
/* The user called a message of it junk, or good. vouched_by as above. */
gboolean known_called(struct store *store, const char *addr, const char *vouched_by, gboolean junk, GError **error);

#endif
