/* body_pipe.h - message bodies on their way from the server to the disk
 *
 * Threads side by side: each of up to BODY_CONNECTIONS has a connection and takes in bodies as they come; one writes them to
 * the Maildir; one makes a batch at a time durable (one flush). The caller gets whole durable batches and records them; what
 * they say is read later (texts.h). So network, disk and store work side by side. A second and
 * a third connection are opened when the one is what the rest waits for, and there is enough left to fetch; a server that
 * refuses them is not asked again by this runner.
 *
 * What a kill can cost is bounded: what is on the way, one batch being written, one being flushed and one being recorded
 * are together no more than 10 MB or one message that is larger than that. Memory is bounded by the same; what is larger than
 * BODY_SPOOL_ABOVE goes through an unlinked file.
 *
 * While a pipe lives, the runner's connection belongs to it.
 */
#ifndef SYNC_BODY_PIPE_H
#define SYNC_BODY_PIPE_H

#include "store/maildir.h"
#include "store/survey.h"
#include "sync/internal.h"

#define BODY_PIPE_MESSAGES 200
#define BODY_PIPE_BYTES (2 * 1024 * 1024)
#define BODY_BATCH_MESSAGES 400
#define BODY_BATCH_BYTES (2 * 1024 * 1024 + 512 * 1024)
/* A batch is made durable at the latest so long after its first message when nothing more comes. */
#define BODY_BATCH_MS 300
#define BODY_SPOOL_ABOVE (2 * 1024 * 1024)

#define BODY_CONNECTIONS 3
/* Another connection is worth its login when so many are left, after so long, of which so much was spent waiting. */
#define BODY_SHARE 100           /* messages that a connection takes at once */
#define BODY_MORE_FROM 300
#define BODY_MORE_AFTER_MS 1500
#define BODY_MORE_WAITED 60      /* percent */

/* One message of a batch. */
struct body_slot {
    gint64 placement;
    guint entry; /* in `files` */
};

struct body_batch {
    struct maildir_batch *files; /* durable */
    GPtrArray *slots;            /* struct body_slot */
};
void body_batch_free(struct body_batch *batch);
typedef struct body_batch struct_body_batch;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_body_batch, body_batch_free)

struct body_pipe;

/* `rows`: struct survey_body, one for each message to fetch from the selected folder; they and the folder outlive the pipe;
 * `dir`: its Maildir. Begins at once. */
struct body_pipe *body_pipe_new(struct sync *sync, const struct folder *folder, const char *dir, const GArray *rows);

/* Is there a batch, or an end, within so many milliseconds? */
gboolean body_pipe_wait(struct body_pipe *pipe, guint milliseconds);
/* The next batch that is durable. Until the caller asks again, no other is finished. NULL: there are no more, or (error is
 * set) the connection or the disk failed; what came before is in the batches that were given. */
struct body_batch *body_pipe_take(struct body_pipe *pipe, GError **error);

/* UIDs that the server did not give, or gave empty; after the last batch. Newly allocated. */
struct uidset *body_pipe_missing(const struct body_pipe *pipe);

/* Stops what is still going on. */
void body_pipe_free(struct body_pipe *pipe);
typedef struct body_pipe struct_body_pipe;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_body_pipe, body_pipe_free)

#endif
