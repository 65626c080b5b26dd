/* maildir.h - writing, reading and renaming message files
 *
 * Files lie in cur/ as UNIQUE:2,FLAGS (https://cr.yp.to/proto/maildir.html), mode 0600; UNIQUE is
 * SECONDS.RANDOM_N.postrider and tells nothing of host or process. Order of durability (D2): bytes to tmp/,
 * one syncfs() (or fdatasync a file) for the whole batch, rename without replacing to cur/, directories
 * flushed; only then may the caller commit rows that name them. Never follows a symbolic link, never opens
 * what is no regular file, never blocks on a FIFO (L6). No database here. A batch belongs to one thread.
 */
#ifndef STORE_MAILDIR_H
#define STORE_MAILDIR_H

#include <glib.h>

#define MAILDIR_ERROR (maildir_error_quark())
GQuark maildir_error_quark(void);

#define MAILDIR_MESSAGE_MAX (256u * 1024 * 1024)

struct maildir_entry {
    char *file;        /* name in cur/ */
    guint8 hash[32];   /* SHA-256 of the bytes with LF line ends */
    guint64 size;      /* of the file */
    guint64 wire_size; /* with CRLF */
    gint64 time;       /* of its last change, when it was found; 0: it is new */
};
void maildir_entry_clear(struct maildir_entry *entry);

/* Makes DIR/{cur,new,tmp}, 0700. */
gboolean maildir_make(const char *dir, GError **error);

struct maildir_batch;
struct maildir_batch *maildir_batch_new(void);
/* What was not committed is deleted. */
void maildir_batch_free(struct maildir_batch *batch);
typedef struct maildir_batch struct_maildir_batch;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_maildir_batch, maildir_batch_free)

/* Writes the bytes (CRLF or LF; kept with LF) to the tmp/ of the Maildir `dir`. Returns the number of the
 * entry, -1 on error (ENOSPC and the like: ERROR_IO; the batch stays usable without it). */
int maildir_batch_add(struct maildir_batch *batch, const char *dir, guint flags, const void *bytes,
                      gsize length, GError **error);
/* The same from a file with LF or CRLF bytes, all of it wherever the descriptor stands, streamed (a literal that was
 * spooled to disk). */
int maildir_batch_add_fd(struct maildir_batch *batch, const char *dir, guint flags, int fd, GError **error);
guint maildir_batch_length(const struct maildir_batch *batch);
guint64 maildir_batch_bytes(const struct maildir_batch *batch);
/* Everything durable in cur/. On failure nothing of the batch is left in cur/. */
gboolean maildir_batch_commit(struct maildir_batch *batch, GError **error);
/* Takes back what was committed: its rows could not be written. */
void maildir_batch_undo(struct maildir_batch *batch);
/* Borrowed until the batch is freed. */
const struct maildir_entry *maildir_batch_entry(const struct maildir_batch *batch, guint n);

/* One message, durable when it returns. */
gboolean maildir_deliver(const char *dir, guint flags, const void *bytes, gsize length,
                         struct maildir_entry *entry, GError **error);
/* The names in cur/ of a Maildir are durable. */
gboolean maildir_flush(const char *dir, GError **error);
/* The same file under a new unique name in another Maildir (hard link, copied where that cannot be); not
 * flushed. */
gboolean maildir_link(const char *from_path, const char *to_dir, guint flags, char **file, GError **error);
/* DIR/cur/file becomes a link to the equal file at `path`. Does nothing where that cannot be. */
void maildir_share(const char *path, const char *dir, const char *file);
/* Flags of a name changed, the unique part kept; *new_file receives the new name. ERROR_STALE when no file is called
 * exactly so. Not flushed: a flag can be found again. */
gboolean maildir_rename_flags(const char *dir, const char *file, guint flags, char **new_file,
                              GError **error);
/* Where UNIQUE… lies now, however its flags were changed: name relative to dir ("cur/…"), NULL when it is not
 * there. */
char *maildir_find(const char *dir, const char *file);

GBytes *maildir_read(const char *path, GError **error);
/* Hash and sizes of a file as maildir_entry has them (file is not set). */
gboolean maildir_sum(const char *path, struct maildir_entry *entry, GError **error);

/* Has somebody this file open for writing? A message that is put together where it lies is not whole yet. */
gboolean maildir_is_being_written(const char *path);

/* Parts of a name. */
char *maildir_unique(const char *file);     /* up to ":2," */
guint maildir_name_flags(const char *file); /* FLAG_* */
char *maildir_name(const char *unique, guint flags);
char *maildir_new_unique(void);
gboolean maildir_is_ours(const char *file); /* made by maildir_new_unique() */

/* Everything in cur/ and new/ that could be a message: regular files, no dot names. `notices` (may be NULL)
 * receives sentences about what was passed over. */
struct maildir_item {
    char *file;     /* name without directory */
    gboolean fresh; /* lies in new/ */
};
GPtrArray *maildir_list(const char *dir, GPtrArray *notices, GError **error);
struct names *maildir_names(const char *dir, GPtrArray *notices, GError **error); /* the same, for very many */
void maildir_item_free(struct maildir_item *item);

#endif
