/* body_pipe.h - message bodies on their way from the server to the disk
 *
 * Two threads: one has the connection and takes in bodies as they come; the other writes them to the Maildir, has the
 * reader read them for the list and the index, and makes a batch at a time durable (one flush). The caller gets whole
 * durable batches and records them. So network, disk, reader and store work side by side, and what a kill can cost is
 * bounded: BODY_PIPE_MESSAGES on the way, one batch being written and one being recorded, less than 100 messages, or
 * one message larger than all that. Memory: BODY_PIPE_BYTES and a batch; what is larger than BODY_SPOOL_ABOVE goes through
 * an unlinked file.
 *
 * While a pipe lives, the runner's connection and reader belong to it.
 */
#ifndef SYNC_BODY_PIPE_H
#define SYNC_BODY_PIPE_H

#include "store/maildir.h"
#include "store/survey.h"
#include "sync/internal.h"

#define BODY_PIPE_MESSAGES 10
#define BODY_PIPE_BYTES (8 * 1024 * 1024)
#define BODY_BATCH_MESSAGES 40
#define BODY_BATCH_BYTES (8 * 1024 * 1024)
#define BODY_SPOOL_ABOVE (4 * 1024 * 1024)

/* One message of a batch. */
struct body_slot {
    gint64 placement;
    guint entry;                 /* in `files` */
    struct message_index *index; /* NULL: the reader could not read it */
};

struct body_batch {
    struct maildir_batch *files; /* durable */
    GPtrArray *slots;            /* struct body_slot */
};
void body_batch_free(struct body_batch *batch);
typedef struct body_batch struct_body_batch;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_body_batch, body_batch_free)

struct body_pipe;

/* `rows`: struct survey_body, one for each message to fetch from the selected folder, outlives the pipe; `dir`: its
 * Maildir. Begins at once. */
struct body_pipe *body_pipe_new(struct sync *sync, const char *dir, const GArray *rows);

/* The next batch that is durable. Until the caller asks again, no other is finished. NULL: there are no more, or (error is
 * set) the connection or the disk failed; what came before is in the batches that were given. */
struct body_batch *body_pipe_take(struct body_pipe *pipe, GError **error);

/* Messages that the server did not give; after the last batch. */
guint64 body_pipe_count_missing(const struct body_pipe *pipe);

/* Stops what is still going on. */
void body_pipe_free(struct body_pipe *pipe);
typedef struct body_pipe struct_body_pipe;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_body_pipe, body_pipe_free)

#endif
