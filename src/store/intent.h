/* intent.h - what the user wants done, written in one transaction and carried out later by the engine
 *
 * Each intent_…() call of the first part is for the screen and the commands: it shows its effect in the store
 * at once, needs no network, and is noted in the undo journal (undo.h). It returns the journal id, 0 with an
 * error when nothing was changed, or INTENT_NOTHING when all was so already. Messages are named by message
 * id; `from` is the folder at hand, INTENT_FROM_ROLE() for those of all accounts as one (each message is acted upon
 * wherever it lies in one of them, in that account), 0 when there is none (then the placement in INBOX, else the first
 * one, is meant). Ids that have gone are passed over; when none is left the error is ERROR_NOINPUT.
 *
 * Wanted flags and tags have no row here: base and wanted of a placement differing is that intent.
 *
 * The second part is for the runner of an account. intent_next() gives intents in order; a runner claims one,
 * acts, and says done or failed. A crash anywhere in between is harmless: what was claimed comes again with
 * `uncertain` set, and the runner looks first whether the server has it already. Same thread as the store.
 */
#ifndef STORE_INTENT_H
#define STORE_INTENT_H

#include "mail/index.h"
#include "store/maildir.h"
#include "store/store.h"

#define INTENT_NOTHING G_GINT64_CONSTANT(-1)
#define INTENT_FROM_ROLE(role) (-(gint64)(role))

/* --- screen and commands */

/* Flags (FLAG_*) and tags on all live placements of the messages. add, remove: tag sets, NULL for none. */
gint64 intent_mark(struct store *store, const gint64 *messages, guint n, guint set, guint clear,
                   const char *add, const char *remove, GError **error);
/* The same for all of a folder (mark all as read). */
gint64 intent_mark_folder(struct store *store, gint64 folder, guint set, guint clear, GError **error);
/* To another folder, also of another account. It is shown there at once. */
gint64 intent_move(struct store *store, const gint64 *messages, guint n, gint64 from, gint64 to,
                   GError **error);
gint64 intent_copy(struct store *store, const gint64 *messages, guint n, gint64 from, gint64 to,
                   GError **error);
/* To the account's Trash; from Trash, or where there is none, for good. */
gint64 intent_delete(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error);
gint64 intent_expunge(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error);
/* To the account's Archive (made when there is none); on Gmail out of the folder, as All Mail keeps it. */
gint64 intent_archive(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error);
/* To the Junk folder with the tag $Junk, or out of it (INBOX, $NotJunk). */
gint64 intent_junk(struct store *store, const gint64 *messages, guint n, gint64 from, gboolean junk,
                   GError **error);

/* Does the message lie where `from` means? */
gboolean intent_reaches(struct store *store, gint64 message, gint64 from);

/* The calls above between these two are one action: one transaction, one entry in the undo journal, called `text`
 * (translated). Everything is taken back when one of them failed: say so with `ok`. Groups do not nest, and each begun is
 * ended. Returns as they do. */
gboolean intent_group_begin(struct store *store, GError **error);
gint64 intent_group_end(struct store *store, gboolean ok, const char *text, GError **error);

/* A message made here (a draft, a sent copy, an import), already durable in the folder's Maildir. *message
 * receives its id. `replaces` (or 0): the message (an older version of the draft) that goes away for it, in
 * the same transaction. */
gint64 intent_append(struct store *store, gint64 folder, const struct maildir_entry *entry,
                     const struct message_index *index, guint flags, const char *tags, gint64 replaces,
                     gint64 *message, GError **error);

/* name: UTF-8, '/' between levels. create: *folder receives the id. Renaming takes the folders below along.
 * Deleting a folder deletes what lies in it; folders below stay. INBOX refuses both (ERROR_REFUSED). */
gint64 intent_folder_create(struct store *store, gint64 account, const char *name, gint64 *folder,
                            GError **error);
gint64 intent_folder_rename(struct store *store, gint64 folder, const char *name, GError **error);
gint64 intent_folder_delete(struct store *store, gint64 folder, GError **error);
gint64 intent_folder_subscribe(struct store *store, gint64 folder, gboolean subscribe, GError **error);
/* The folder of that role, made under its usual name ("Sent", "Drafts", …) when the account has none; 0 on
 * error. */
gint64 intent_ensure_role(struct store *store, gint64 account, guint role, GError **error);

/* --- the runner */

enum intent_kind {
    INTENT_MOVE = 1,         /* source -> target, same account */
    INTENT_COPY,             /* likewise */
    INTENT_APPEND,           /* target: upload its file */
    INTENT_EXPUNGE,          /* source: delete and expunge this one UID; after `after` is done */
    INTENT_FOLDER_CREATE,    /* folder */
    INTENT_FOLDER_RENAME,    /* folder: its wire name to `name` */
    INTENT_FOLDER_DELETE,    /* folder */
    INTENT_FOLDER_SUBSCRIBE, /* folder, as its bits say */
    INTENT_KINDS
};
const char *intent_kind_name(enum intent_kind kind); /* "move": for logs and --dry-run */

enum intent_state {
    INTENT_PENDING,
    INTENT_RUNNING,
    INTENT_FAILED /* for good: the user was told; dropped by intent_drop() or tried again by intent_retry() */
};

struct intent {
    gint64 id, account;
    enum intent_kind kind;
    enum intent_state state;
    gint64 message;
    gint64 source, source_folder;
    guint32 source_uid; /* 0: not known yet, come back after that folder was synced */
    gint64 target, target_folder;
    gint64 folder;      /* of the folder kinds */
    char *name;         /* of FOLDER_CREATE and FOLDER_RENAME: the new name, UTF-8 */
    gint64 after;       /* an intent that must be done first; 0: none */
    gboolean uncertain; /* was claimed before: the server may have it already */
    guint attempts;
    gint64 next_attempt; /* seconds; 0: at once */
    char *error;         /* the last one's text, or NULL */
};
void intent_free(struct intent *intent);
typedef struct intent struct_intent;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_intent, intent_free)

/* GPtrArray of struct intent of an account that may run now (pending, next_attempt reached, `after` done), in
 * order, at most `limit`. Runs of the same kind, source and target folder stand together, for one UID set. */
GPtrArray *intent_next(struct store *store, gint64 account, guint limit, GError **error);
/* All of an account (0: of all), failed ones too: for `sync --dry-run`, the queue view and tests. */
GPtrArray *intent_list(struct store *store, gint64 account, GError **error);
gint64 intent_count(struct store *store, gint64 account); /* 0: of all */
/* At the start of a worker, which alone runs this account: what was running is pending again, and uncertain.
 */
gboolean intent_recover(struct store *store, gint64 account, GError **error);
/* All or none; ERROR_WITHDRAWN when one of them was taken back since it was read. */
gboolean intent_claim(struct store *store, const gint64 *ids, guint n, GError **error);

/* Done. new_uid: what COPYUID or APPENDUID said, 0 when the server did not say (the target is then found by
 * placement_match() when its folder is synced); flags and tags of an append count as said by the server.
 * For a folder kind: wire, the name it now has. */
struct intent_result {
    gint64 intent;
    guint32 new_uid;
    guint64 modseq;
};
gboolean intent_done(struct store *store, const struct intent_result *results, guint n, GError **error);
gboolean intent_folder_done(struct store *store, gint64 intent, const char *wire, char delimiter,
                            GError **error);
/* Not done. retry_at 0: never again by itself; then what it had shown is taken back where that loses nothing
 * (a refused move returns to its folder; a refused append stays as INTENT_FAILED). */
gboolean intent_failed(struct store *store, gint64 intent, const char *text, gint64 retry_at, GError **error);
gboolean intent_retry(struct store *store, gint64 intent, GError **error);
gboolean intent_drop(struct store *store, gint64 intent, GError **error);

/* The bytes of an append's target, and the flags and tags that are to go with it: placement_flags_sent() before they go, as
 * what the server says afterwards is compared with them. */
GBytes *intent_append_bytes(struct store *store, const struct intent *intent, guint *flags, char **tags,
                            gint64 *received, GError **error);

#endif
