/* message.h - messages: one row for one content, wherever it lies
 *
 * Identity: the same EMAILID (RFC 8474, X-GM-MSGID) within an account, or the same content hash, is one row
 * with several placements. An equal Message-ID alone never merges anything. Before its body is known an
 * envelope is a row of its own; it joins the row that has the content when that proves equal. The row goes
 * with its last placement.
 *
 * `key` orders all messages by time and is unique: lists page by it. The time is that of the Date field where
 * it is sane (not more than a day after the arrival), else that of the arrival. Same thread as the store.
 */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include "mail/envelope.h"
#include "store/store.h"

enum message_bits {
    MESSAGE_ATTACHMENTS = 1 << 0,
    MESSAGE_SIGNED = 1 << 1,
    MESSAGE_ENCRYPTED = 1 << 2,
    MESSAGE_CALENDAR = 1 << 3,
    MESSAGE_REPORT = 1 << 4,
    MESSAGE_INDEXED = 1 << 5, /* its body is in the full text */
    MESSAGE_FROM_ME = 1 << 6,
    MESSAGE_BROKEN = 1 << 7, /* the reader died on it: never again by itself */
    MESSAGE_LIST = 1 << 8,   /* came over a mailing list */
    MESSAGE_BOUNCED = 1 << 9, /* of ours: it did not reach somebody, and was not sent again since */
    MESSAGE_WARNED = 1 << 10 /* it pretends something (trust/reputation.h), or nobody believes its sender */
};

struct message {
    gint64 id; /* the short number */
    gint64 thread, key;
    char *message_id; /* without brackets, or NULL */
    gint64 date;      /* of the Date field, else of the arrival */
    int zone;         /* minutes east */
    gint64 received;
    char *from_name, *from_addr; /* NULL when there is none */
    GPtrArray *to, *cc;          /* of struct address, at most 100 each; never NULL */
    char *subject;               /* "" when there is none */
    char *in_reply_to;           /* or NULL */
    GStrv references;            /* the last 20, in order; never NULL */
    char *list_id;               /* or NULL */
    guint64 size;                /* on the wire, with CRLF */
    guint bits;                  /* enum message_bits */
    guint flags;                 /* enum FLAG_*: set in any live placement */
    char *tags;                  /* likewise, a tag set */
    char *preview;               /* "" before the body is here */
    gboolean cached;             /* the bytes are here */
    char *emailid;               /* or NULL */
    guint8 hash[32];             /* SHA-256 of the bytes with LF line ends; all zero before they are known */
    int junk;                    /* verdict of the filter: -1 not asked, 0 good, 1 unsure, 2 junk */
};

void message_free(struct message *message);
typedef struct message struct_message;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_message, message_free)

/* ERROR_NOINPUT when it is not there. */
struct message *message_load(struct store *store, gint64 id, GError **error);
/* "17", or "id:MESSAGE-ID" (brackets allowed; of several versions the newest). 0 with ERROR_INPUT or
 * ERROR_NOINPUT. */
gint64 message_lookup(struct store *store, const char *text, GError **error);
/* All with this Message-ID, newest first: GArray of gint64, maybe empty. */
GArray *message_find_id(struct store *store, const char *message_id);
gint64 message_find_hash(struct store *store, const guint8 hash[32]); /* 0: none */

/* The bytes as they lie in the Maildir (LF line ends). ERROR_STALE when they are not here (envelope only):
 * they have to be fetched. Finds a file that another program renamed. Refuses what is no regular file, and
 * more than 256 MB. */
GBytes *store_message_bytes(struct store *store, gint64 message, GError **error);
/* Full path of a file with them, for a viewer or `path:`; NULL likewise. */
char *store_message_path(struct store *store, gint64 message, GError **error);

/* Where it lies: GPtrArray of struct message_place, live ones. */
struct message_place {
    gint64 placement, folder;
    char *account, *folder_name;
    guint role; /* enum folder_role */
    guint32 uid;
    guint flags;
    char *tags;
    char *file; /* below mail/, or NULL */
};
GPtrArray *message_places(struct store *store, gint64 message, GError **error);
/* Does a live one lie in a folder of one of these roles (1 << enum folder_role)? */
gboolean message_lies_in(struct store *store, gint64 message, guint roles);

gboolean message_set_bits(struct store *store, gint64 message, guint set, guint clear, GError **error);
gboolean message_set_junk(struct store *store, gint64 message, int junk, GError **error);

/* A body that is wanted at once (it was opened and is not here): the worker takes these first. */
gboolean message_want_body(struct store *store, gint64 message, GError **error);
/* A message with the header and the text of a large one, to be shown until the whole has come; NULL: there is none. */
GBytes *message_excerpt(struct store *store, gint64 message);
/* The body is wanted, too. */
gboolean message_keep_excerpt(struct store *store, gint64 message, GBytes *bytes, GError **error);
/* Placement ids with a UID of an account's wanted bodies, oldest wish first; a wish ends when the body comes.
 */
GArray *message_wanted_bodies(struct store *store, gint64 account, GError **error);

#endif
