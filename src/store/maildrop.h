/* maildrop.h - what lies in an account's POP3 mailbox, by the server's unique ids, and the message that each
 * one is
 *
 * POP3 has no folders and no flags: the mailbox ("maildrop", RFC 1939) is a list of numbers, each with an id
 * that lasts (UIDL). A row here says that the message of that id was taken in, whatever became of it since:
 * it is not taken in again. Rows of a mailbox's past are kept until the caller knows that the server did not
 * merely number anew.
 *
 * Content decides who is who: what has the bytes of a message that this account has (or had, as long as its
 * row is here) is that message, and never a second one. Equal ids are told apart by their order (`nth`).
 *
 * Each function is a transaction of its own or part of the caller's. Files must be durable in `folder`'s
 * Maildir before their rows (maildir.h); what proves to be known already goes after the commit. Same thread
 * as the store.
 */
#ifndef STORE_MAILDROP_H
#define STORE_MAILDROP_H

#include "mail/index.h"
#include "store/store.h"

struct maildrop_row {
    gint64 id;
    const char *uidl; /* owned by the set */
    guint32 nth;      /* 0: the first of this id */
    guint8 loose;     /* the size that the server tells is not to be relied on */
    guint8 here;      /* the message lies in a folder of the account that is not Trash */
    guint8 shown;     /* … or anywhere at all */
    guint8 cached;    /* its bytes are here */
    gint64 message;   /* may have gone */
    guint64 size;     /* as the server told it */
    gint64 date;      /* of the message, 0 when it has gone */
    gint64 since;     /* seconds: when it was taken in */
};

struct maildrop {
    GArray *rows; /* struct maildrop_row, by id of the server and nth */
    GStringChunk *strings;
};
struct maildrop *maildrop_load(struct store *store, gint64 account, GError **error);
void maildrop_free(struct maildrop *drop);
typedef struct maildrop struct_maildrop;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_maildrop, maildrop_free)

/* Of a message; of one row. 0, FALSE: there is none. */
gint64 maildrop_find(struct store *store, gint64 account, gint64 message);
/* Rows of messages that somebody waits for and that are not here, oldest wish first: GArray of gint64. */
GArray *maildrop_wanted(struct store *store, gint64 account, GError **error);

/* The wish for the body of this row's message cannot be met: it ends. */
gboolean maildrop_unwant(struct store *store, gint64 row, GError **error);

/* One that the server listed and that is new. */
struct maildrop_new {
    const char *uidl;
    guint nth;
    guint64 size;                    /* as the server tells it */
    const struct envelope *envelope; /* never NULL */
    /* With its body: */
    const char *file;   /* name in cur/ of the folder; NULL: the envelope alone */
    const guint8 *hash; /* 32 bytes */
    guint64 wire_size;
    const struct message_index *index; /* NULL: the reader could not read it */
};
/* *known (may be NULL): how many were messages that the account has. A row with the same id and nth is
 * replaced: the server gave it to another message, or told another size (then it is `loose` from now on). */
gboolean maildrop_take(struct store *store, gint64 folder, const struct maildrop_new *rows, guint n,
                       guint *known, GError **error);

/* The body of one that was taken in as an envelope. The file lies in `folder`, wherever the message is by
 * now. */
struct maildrop_body {
    gint64 row;
    const char *file;
    const guint8 *hash;
    guint64 wire_size;
    const struct message_index *index;
};
gboolean maildrop_attach(struct store *store, gint64 folder, const struct maildrop_body *bodies, guint n,
                         GError **error);

/* Who is who when ids cannot tell: for plan_match(). */
struct maildrop_identity {
    char *message_id; /* a text that stands for it, or NULL */
    gint64 date;      /* of the header, 0: none */
    guint64 size;     /* as the server told it */
    char *content;    /* hash, or NULL */
};
gboolean maildrop_identify(struct store *store, gint64 row, struct maildrop_identity *identity,
                           GError **error);
void maildrop_identity_clear(struct maildrop_identity *identity);
/* The text that stands for a Message-ID there; NULL for none. Newly allocated. */
char *maildrop_message_id(const char *message_id);
/* The server calls it so from now on. */
gboolean maildrop_rename(struct store *store, gint64 row, const char *uidl, guint nth, guint64 size,
                         GError **error);

/* The server has these no more. Their messages stay. */
gboolean maildrop_forget(struct store *store, const gint64 *rows, guint n, GError **error);

#endif
