/* maildir_write.h - for maildir*.c alone: bytes into a file, and into its place */
#ifndef STORE_MAILDIR_WRITE_H
#define STORE_MAILDIR_WRITE_H

#include "store/maildir.h"

struct maildir_writer;
/* fd -1: only sums. */
struct maildir_writer *maildir_writer_new(int fd);
/* FALSE with errno set. LF or CRLF; a pair may be cut between two pieces. */
gboolean maildir_writer_put(struct maildir_writer *writer, const char *bytes, gsize length);
gboolean maildir_writer_put_fd(struct maildir_writer *writer, int fd);
/* Writes what is left (when ok), fills hash and sizes of the entry, frees the writer. The descriptor stays
 * open. */
gboolean maildir_writer_end(struct maildir_writer *writer, gboolean ok, struct maildir_entry *entry);

/* Opens the path and flushes it; FALSE with errno set. */
gboolean maildir_sync_path(const char *path, int flags, int (*sync)(int), const char *step);
/* Moves without ever replacing anything; -1 with errno set. */
int maildir_rename_new(const char *from, const char *to);

#endif
