/* journal.h - for src/store alone: rows of intents and of the undo journal */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/intent.h"
#include "store/rows.h"

enum journal_kind {
    JOURNAL_FLAGS = 1,     /* message in source_folder: before_ and after_ flags and tags */
    JOURNAL_MOVE,          /* message from source_folder to target_folder */
    JOURNAL_COPY,          /* message to target_folder */
    JOURNAL_EXPUNGE,       /* message out of source_folder */
    JOURNAL_APPEND,        /* message in target_folder */
    JOURNAL_FOLDER_CREATE, /* source_folder; of all folder kinds target_folder is the account's id */
    JOURNAL_FOLDER_RENAME, /* source_folder; before_tags is its old name */
    JOURNAL_FOLDER_DELETE, /* source_folder */
    JOURNAL_SUBSCRIBE,     /* source_folder; before_flags is what it was */
    JOURNAL_THREAD         /* message: after_tags is its mid, before_tags the word it had (thread_hand.h) */
};

struct journal_item {
    enum journal_kind kind;
    gint64 message, source_folder, target_folder, intent;
    guint before_flags, after_flags;
    const char *before_tags, *after_tags; /* NULL: "" */
};

/* A new entry, or that of the group that has begun (intent_group_begin()). The text may be set later, when it is known
 * how many. */
gint64 journal_begin(struct store *store, GError **error);
/* Nothing came of it. */
gboolean journal_drop(struct store *store, gint64 journal, GError **error);
gboolean journal_add(struct store *store, gint64 journal, const struct journal_item *item, GError **error);
gboolean journal_text(struct store *store, gint64 journal, const char *text, GError **error);

/* new->id is set. */
gboolean intent_row_insert(struct store *store, struct intent *new, gint64 journal, GError **error);
gboolean intent_row_delete(struct store *store, gint64 id, GError **error);
/* FALSE without error when it is not there (done, or dropped). For intent_clear(). */
struct intent *intent_row_read(struct store *store, gint64 id, GError **error);
/* Takes back what it had shown, and the row; nothing of it has reached the server. */
gboolean intent_cancel(struct store *store, const struct intent *intent, GError **error);
/* The pending append that makes this placement, unless it was claimed before: 0 none. */
gint64 intent_of_append(struct store *store, gint64 placement);

/* Before a commit: what was written down for accounts without a server for their folders is done (local.c). */
gboolean local_settle(struct store *store, GError **error);

/* One message: the pieces that the calls of intent.h and undo.c are made of. Each is part of the caller's
 * transaction. there: the name that its file has in the other folder already (another program put it there),
 * NULL: it is linked. */
gboolean intent_move_one(struct store *store, const struct placement_row *row, gint64 to, const char *there,
                         gint64 journal, GError **error);
gboolean intent_copy_one(struct store *store, const struct placement_row *row, gint64 to, const char *there,
                         gint64 journal, GError **error);
gboolean intent_expunge_one(struct store *store, const struct placement_row *row, gint64 after,
                            gint64 journal, GError **error);
gboolean intent_mark_one(struct store *store, const struct placement_row *row, guint set, guint clear,
                         const char *add, const char *remove, gint64 journal, gboolean *changed,
                         GError **error);
gboolean intent_append_one(struct store *store, gint64 folder, const struct maildir_entry *entry,
                           const struct message_index *index, guint flags, const char *tags, gint64 journal,
                           gint64 *message, gint64 *intent, GError **error);
/* Out of mail/.removed, as a new append. */
gboolean intent_bring_back(struct store *store, gint64 message, gint64 folder, guint flags, const char *tags,
                           gint64 journal, GError **error);
/* The folder and those below get new names, here. */
gboolean folder_rename_rows(struct store *store, gint64 folder, const char *name, GError **error);

#endif
