/* texts.h - bodies that are here and have not been read: their preview, marks and full text are to come
 *
 * While many bodies come in, their rows name files and nothing more (placement_body.text_later): the files are durable and the
 * server is free the sooner. Until its text is made a message is listed, opened and found by its envelope like one whose
 * body is on the server. What waits is in the store, so a kill costs nothing. Same thread as the store.
 */
#ifndef STORE_TEXTS_H
#define STORE_TEXTS_H

#include "mail/index.h"
#include "store/store.h"

struct text_waiting {
    gint64 message, key;
    guint64 size; /* on the wire */
    char *path;   /* of a file with its bytes; NULL: there is none any more */
};
/* Of an account, the newest first: GPtrArray of struct text_waiting, those whose key is below `before` (0: from the
 * newest on), at most `limit` and so many that they are together no more than `bytes`, or one. */
GPtrArray *texts_waiting(struct store *store, gint64 account, gint64 before, guint limit, guint64 bytes, GError **error);

guint64 texts_count(struct store *store, gint64 account);

/* Packs the body, which texts_put() would do otherwise: for who has time for it beside the store's thread. */
void texts_pack(struct message_index *index);

struct text_made {
    gint64 message, key;
    const struct message_index *index; /* NULL: the reader could not read it (MESSAGE_BROKEN) */
};
/* All of them, in one transaction; `made` is put into the order of its keys. What has gone or was
 * read meanwhile is passed over. */
gboolean texts_put(struct store *store, struct text_made *made, guint n, GError **error);
/* Of what an older version had in another full text, the newest `limit` messages go over into this one, where they are found
 * again; *done is FALSE while there may be more. */
gboolean texts_move(struct store *store, guint limit, gboolean *done, GError **error);
/* Its file has gone: it waits again when its body has come again. */
gboolean texts_forget(struct store *store, gint64 message, GError **error);

#endif
