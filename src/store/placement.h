/* placement.h - where messages lie: the rows that sync reads and writes
 *
 * A placement is one message in one folder: its UID there, the flags and tags as the server last said
 * ("base") and as they are wanted here. base and wanted differing is the intent to change them; no other
 * record of it exists. Batch functions take arrays, so that a caller puts some 40 rows into one short
 * transaction together with folder_set_sync(). Everything here is idempotent: done twice it is done once.
 * Same thread as the store.
 */
#ifndef STORE_PLACEMENT_H
#define STORE_PLACEMENT_H

#include "mail/envelope.h"
#include "mail/index.h"
#include "store/store.h"

enum placement_state {
    PLACEMENT_LIVE,
    PLACEMENT_LEAVING, /* moved away or deleted here; the server has it until its intent is done. Not shown */
    PLACEMENT_UNBOUND  /* its UID was lost (UIDVALIDITY); shown; to be found again */
};

struct placement {
    gint64 id, message;
    guint64 modseq;
    guint32 uid; /* 0: not on the server yet, or not known */
    guint16 base_flags, flags;
    guint8 state;  /* enum placement_state */
    guint8 cached; /* the message's bytes are here */
    guint16 spare;
    guint32 size;                 /* on the wire, as far as known; G_MAXUINT32 for more */
    const char *base_tags, *tags; /* tag sets, owned by the set */
};

struct placement_set {
    struct placement *rows; /* by uid, those without one first */
    guint n;
    GArray *array;
    GStringChunk *strings;
};
void placement_set_free(struct placement_set *set);
typedef struct placement_set struct_placement_set;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_placement_set, placement_set_free)

enum placement_select {
    PLACEMENT_SELECT_ALL,
    PLACEMENT_SELECT_CHANGED, /* has a uid, is not leaving, and wanted differs from base */
    PLACEMENT_SELECT_NO_UID,
    PLACEMENT_SELECT_NO_BODY /* has a uid and no bytes here: newest first, instead of by uid */
};
/* limit 0: all. */
struct placement_set *placement_load(struct store *store, gint64 folder, enum placement_select select,
                                     guint limit, GError **error);
/* Of one; FALSE with ERROR_NOINPUT when it has gone. `folder` may be NULL. Strings are for g_free(): *tags
 * etc. are not filled in. */
gboolean placement_get(struct store *store, gint64 id, struct placement *row, gint64 *folder, GError **error);
/* How many have this folder's highest UIDs etc.: 0 when there is none. */
gint64 placement_find_uid(struct store *store, gint64 folder, guint32 uid);
/* The message of that UID if its body is not here; 0: it is, or nothing is known of the UID. */
gint64 placement_find_bodiless(struct store *store, gint64 folder, guint32 uid);
/* Are there messages in the folder (0: in any) whose bodies are not here? */
gboolean placement_lacks_bodies(struct store *store, gint64 folder);
guint32 placement_max_uid(struct store *store, gint64 folder);

/* An envelope that a server listed. */
struct placement_new {
    guint32 uid;
    guint64 modseq;
    guint flags;
    const char *tags;                /* a tag set, NULL: none */
    const struct envelope *envelope; /* not NULL */
    gint64 received;                 /* INTERNALDATE, seconds; 0: now */
    guint64 size;                    /* RFC822.SIZE; 0: unknown */
    const char *emailid;             /* or NULL */
    gboolean attachments;            /* as BODYSTRUCTURE has it; the body decides later */
    gboolean text_later;             /* its body is likely to come soon: see placement_index_envelopes() */
};
/* New rows in `folder`. A UID that is known already changes nothing. ids (NULL, or room for n) receives the
 * placements. */
gboolean placement_insert(struct store *store, gint64 folder, const struct placement_new *rows, guint n,
                          gint64 *ids, GError **error);
/* Envelopes that came with text_later and whose body has not come since can be searched from here on: the newest
 * `limit` of them, in one transaction. *done is their number, 0 when there are none. */
gboolean placement_index_envelopes(struct store *store, guint limit, guint *done, GError **error);
/* Before inserting: a placement of this folder without UID (a move's target, an appended draft,
 * PLACEMENT_UNBOUND) that is this message: by EMAILID, else by Message-ID with the same date (and size where
 * both are known). 0: none. */
gint64 placement_match(struct store *store, gint64 folder, const struct placement_new *row);
/* It has this UID; flags and tags as the server says them now, merged three ways. When that UID is known in
 * the folder under another placement the two become one. */
gboolean placement_bind(struct store *store, gint64 id, guint32 uid, guint64 modseq, guint flags,
                        const char *tags, GError **error);

/* A body whose file is durable in the folder's Maildir (maildir.h). Gives the row its hash, preview, marks
 * and full text; joins it with the row of the same content. index NULL: the reader could not read it
 * (MESSAGE_BROKEN). */
struct placement_body {
    gint64 placement;
    const char *file;   /* name in cur/ */
    const guint8 *hash; /* 32 bytes */
    guint64 size;       /* on the wire */
    const struct message_index *index;
    gboolean text_later; /* index is not looked at: the message is put on the list of texts.h instead */
};
gboolean placement_attach(struct store *store, const struct placement_body *bodies, guint n, GError **error);

struct placement_flags {
    gint64 placement;
    guint flags;
    const char *tags; /* NULL: none */
    guint64 modseq;   /* 0: leave */
};
/* The server says: base = theirs, wanted = merged three ways. */
gboolean placement_server_flags(struct store *store, const struct placement_flags *rows, guint n,
                                GError **error);
/* We told the server (STORE went well): base = what was sent; wanted stays, also where it changed meanwhile.
 */
gboolean placement_flags_sent(struct store *store, const struct placement_flags *rows, guint n,
                              GError **error);

/* What was changed on `from` here and not sent is meant for `to`, another placement of the message, as well.
 */
gboolean placement_carry(struct store *store, gint64 from, gint64 to, GError **error);
/* The same of all of these that are about to go, as far as their messages lie in another folder too. */
gboolean placement_carry_elsewhere(struct store *store, const gint64 *ids, guint n, GError **error);

/* The server has them no more. Files that lie nowhere else move to mail/.removed, where they stay 30 days
 * (D11). */
gboolean placement_remove(struct store *store, const gint64 *ids, guint n, GError **error);

#endif
