/* rows.h - for src/store alone: the rows of messages and placements, and all that hangs on them
 *
 * Everything that adds, changes or removes a placement passes through here, so that folder counters, the
 * conversations of folders, message summaries, tags and sequence numbers always agree with it. Each function
 * is part of the caller's transaction.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "mail/envelope.h"
#include "mail/index.h"
#include "store/maildir.h"
#include "store/store.h"

#define MID_SIZE 16
/* A Message-ID as a key: hostile ones may be long. FALSE for none. */
gboolean mid_hash(const char *message_id, guint8 mid[MID_SIZE]);

/* --- thread.c */

/* The thread of a message that names these: its own Message-ID, In-Reply-To and References. Threads that it
 * connects are merged. 0 on error. */
gint64 thread_join(struct store *store, const struct envelope *envelope, GError **error);
gboolean thread_resize(struct store *store, gint64 thread, int by, GError **error);
/* The same of these ids (GArray of MID_SIZE bytes each): all of them are in the thread that is returned. */
gint64 thread_connect(struct store *store, const GArray *ids, GError **error);
/* The thread of an id; 0: it was never seen. */
gint64 thread_of_mid(struct store *store, const guint8 *mid);
/* New mail in it is to be silent: a message of it has the tag MUTED_TAG. */
gboolean thread_is_muted(struct store *store, gint64 thread);
/* A message of it was given the tag, or has lost it. */
gboolean thread_set_muted(struct store *store, gint64 thread, gboolean muted, GError **error);
#define MUTED_TAG "muted"
/* A shown placement came to, left, or changed its flags in (folder, thread). remove: after its row has
 * changed. */
gboolean folder_thread_add(struct store *store, gint64 folder, gint64 thread, gint64 key, guint flags,
                           GError **error);
gboolean folder_thread_remove(struct store *store, gint64 folder, gint64 thread, gint64 key, guint flags,
                              GError **error);
gboolean folder_thread_reflag(struct store *store, gint64 folder, gint64 thread, guint before, guint after,
                              GError **error);

/* --- thread_hand.c: what was joined and broken by hand (conversation.h) */

/* The ids that an envelope joins: its own, In-Reply-To and References, as far as no hand has cut them. */
GArray *thread_hand_ids(struct store *store, const struct envelope *envelope);
/* What the message answers by hand: FALSE when it is as its header says; *parent NULL: nothing. */
gboolean thread_hand_parent(struct store *store, gint64 message, char **parent);
/* A line of the log (taglog.h), and all of them. */
gboolean thread_hand_take(struct store *store, char **words, GError **error);
gboolean thread_hand_write(struct store *store, GString *out, GError **error);
/* undo.c: sets what was before. */
gboolean thread_hand_undo(struct store *store, const char *child, const char *before, GError **error);

/* --- message_row.c */

#define MESSAGE_KEYS_A_SECOND 64 /* message.key: the second times this, plus a number */

struct message_new {
    const struct envelope *envelope;
    gint64 received;
    guint64 size;
    const char *emailid; /* with the account's number in front, as it is stored */
    gboolean attachments;
    guint flags;
    const char *tags;
    guint role; /* of its first place: junk is not harvested */
    gboolean text_later;
};
gint64 message_row_insert(struct store *store, const struct message_new *new, GError **error);
/* Flags, tags and places anew from the placements, and a new sequence number; the row goes with the last
 * placement. */
gboolean message_refresh(struct store *store, gint64 message, GError **error);
/* The same; file: what its last placement was called below mail/, for who keeps an index of files. */
gboolean message_refresh_without(struct store *store, gint64 message, const char *file, GError **error);
/* Only a new sequence number: its file has another name. */
gboolean message_touch(struct store *store, gint64 message, GError **error);
/* The bytes are here, what they say may come later (texts.c). */
gboolean message_row_bytes(struct store *store, gint64 message, const guint8 hash[32], guint64 wire_size, GError **error);
/* What they say; index NULL: they cannot be read. */
gboolean message_row_text(struct store *store, gint64 message, gint64 key, const struct message_index *index,
                          GError **error);
/* Both at once. */
gboolean message_row_body(struct store *store, gint64 message, const guint8 hash[32], guint64 wire_size,
                          const struct message_index *index, GError **error);
/* All placements and references of `drop` become those of `keep`. */
gboolean message_row_join(struct store *store, gint64 keep, gint64 drop, GError **error);
char *emailid_key(struct store *store, gint64 folder, const char *emailid);
/* struct address lists in one column and back */
char *people_pack(const GPtrArray *list);
GPtrArray *people_unpack(const char *packed);

/* --- placement_row.c */

struct placement_row {
    gint64 id, folder, message, key, thread;
    gint64 uid, modseq;
    guint base_flags, flags, state;
    char *base_tags, *tags, *file; /* file NULL: none */
};
void placement_row_clear(struct placement_row *row);
typedef struct placement_row struct_placement_row;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_placement_row, placement_row_clear)

/* FALSE without error when it is not there. */
gboolean placement_row_read(struct store *store, gint64 id, struct placement_row *row, GError **error);
/* The placement in a folder whose file is this one, whatever flags the name shows; 0: none. */
gint64 placement_row_find_file(struct store *store, gint64 message, gint64 folder, const char *file);
/* row->id, key and thread are set here. Does not refresh the message. */
gboolean placement_row_insert(struct store *store, struct placement_row *row, GError **error);
gboolean placement_row_set_flags(struct store *store, const struct placement_row *row, guint base_flags,
                                 const char *base_tags, guint flags, const char *tags, gint64 modseq,
                                 GError **error);
gboolean placement_row_set_state(struct store *store, const struct placement_row *row, guint state,
                                 GError **error);
gboolean placement_row_set_folder(struct store *store, const struct placement_row *row, gint64 folder,
                                  const char *file, GError **error);
gboolean placement_row_set_message(struct store *store, const struct placement_row *row, gint64 message,
                                   GError **error);
gboolean placement_row_set_file(struct store *store, gint64 id, const char *file, guint flags,
                                GError **error);
/* The row alone; the file is the caller's concern. Refreshes (and maybe ends) the message. */
gboolean placement_row_delete(struct store *store, const struct placement_row *row, GError **error);

/* --- renaming.c */

/* The file gets the name of these flags; that, or NULL: it is not called as the row says (the next scan sees why), or cannot be
 * renamed. */
char *placement_row_rename(const char *dir, const struct placement_row *row, guint flags);
/* The folder whose files are renamed in the transaction that sets their flags, if any is. What we told the server is what is
 * wanted here, and a name that says it is no news to anybody who sees it before the commit. What the server told is said in
 * names only when that was noted (renaming.h). */
struct naming {
    gint64 folder;
    char *dir;      /* NULL: names are for later (maildir_apply()) */
    gboolean flush; /* with the transaction */
};
/* sent: one of those that the server was told of; 0: the server's word. Before the transaction. */
void naming_begin(struct store *store, struct naming *naming, gint64 sent);
void naming_clear(struct naming *naming);
typedef struct naming struct_naming;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_naming, naming_clear)
/* TRUE: row->file is called otherwise now. */
gboolean naming_show(struct store *store, const struct naming *naming, struct placement_row *row, guint flags);
/* Names that a death of ours left ahead of their rows. Not inside a transaction. */
gboolean renaming_recover(struct store *store, gint64 folder, GError **error);

/* --- placement_row.c */

/* A link to its file in the Maildir of another folder, gone again when the transaction is rolled back; *file
 * NULL when there is none. */
gboolean placement_row_link(struct store *store, const struct placement_row *row, gint64 folder, char **file,
                            GError **error);
/* Full path of its file, however it is called by now; NULL when it has none or the file is not there. */
char *placement_row_path(struct store *store, const struct placement_row *row);
/* Rows and files, whatever their state; what nothing else holds is kept in mail/.removed. */
gboolean placement_discard(struct store *store, const gint64 *ids, guint n, GError **error);
/* All placements of a message: GArray of gint64. */
GArray *placement_ids_of(struct store *store, gint64 message, gboolean shown_only, GError **error);

/* --- removed.c: a hidden folder, mail/.removed, whose placements keep removed mail for 30 days; modseq is
 * the time */
gint64 removed_folder(struct store *store, GError **error); /* made when it is not there */
/* The placement goes there with its file, or ends when it has none. */
gboolean removed_take(struct store *store, const struct placement_row *row, const char *path, GError **error);
gint64 removed_find(struct store *store, gint64 message); /* a placement there, 0: none */
gboolean removed_prune(struct store *store, gint64 before, GError **error);

/* --- texts.c */
/* Its bytes are in this folder: it waits to be read, if it has not been. */
gboolean texts_note(struct store *store, gint64 folder, gint64 message, GError **error);
gboolean texts_drop(struct store *store, gint64 key, GError **error);

/* --- arrival.c */
/* Its body is about to be read for the first time: noted as just arrived, if that is what it is (arrival.h). */
gboolean arrival_note(struct store *store, gint64 message, gboolean is_report, GError **error);
/* Likewise, of one that somebody delivered into the user's own Maildir, and that has been read. */
gboolean arrival_note_found(struct store *store, gint64 message, GError **error);

/* --- fulltext.c */
/* What is found of a message. Nothing is NULL but `packed`, the body as it is kept (pack.h), which may be. */
struct fulltext {
    gint64 key;
    const char *subject, *sender, *recipients, *body, *attachments, *types;
    GBytes *packed;
};
gboolean fulltext_insert(struct store *store, const struct fulltext *text, GError **error);
gboolean fulltext_put(struct store *store, gint64 key, const struct envelope *envelope,
                      const struct message_index *index, GError **error);
gboolean fulltext_drop(struct store *store, gint64 key, GError **error);
/* Only noted: the body brings the words, or fulltext_catch_up() does. */
gboolean fulltext_later(struct store *store, gint64 key, gint64 message, const struct envelope *envelope,
                        GError **error);
/* The body is here: once more, with its text. */
gboolean fulltext_complete(struct store *store, gint64 key, const struct message_index *index, GError **error);

/* --- contact.c */
gboolean contact_harvest(struct store *store, const struct envelope *envelope, gint64 date, gboolean from_me,
                         GError **error);
/* The account writes to these: they are known from now on. Counted is the message in Sent; only an account
 * without folders counts here. */
gboolean contact_written(struct store *store, gint64 account, const GPtrArray *recipients, gint64 date,
                         GError **error);
gboolean contact_count_reply(struct store *store, const char *addr, GError **error);

/* --- maildir.c */
void maildir_unmake(const char *dir); /* removes cur, new, tmp and dir as far as they are empty */

/* --- folder.c: where a folder called so has its directory, below mail/; `now`: where it is (NULL: nowhere). NULL: there is no
 * such account. */
char *folder_dir_wanted(struct store *store, gint64 account, const char *name, const char *now);
/* One for a directory that was found, in the caller's transaction; 0 on error. */
gint64 folder_insert_found(struct store *store, gint64 account, const char *name, const char *dir, GError **error);

#endif
