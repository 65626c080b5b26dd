#include "config.h"

#include "sync/texts.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "mail/reader.h"
#include "store/maildir.h"
#include "store/message.h"
#include "store/texts.h"

/* Messages that a reader is asked before its first answer is waited for. */
#define READER_AHEAD 16

enum outcome { OUTCOME_READ, OUTCOME_BROKEN, OUTCOME_NO_FILE };

/* One message of a batch. */
struct text {
    const struct text_waiting *waiting;
    enum outcome outcome;
    struct message_index *index;
};

struct text_batch {
    GPtrArray *waiting;
    struct text *texts;
    guint next, left; /* to be taken by a reader; without an answer */
};

struct text_reader {
    struct texts *texts;
    struct reader *reader;
    GThread *thread;
};

struct texts {
    struct sync *sync;
    gint64 before; /* key: everything from here on was given to the readers; 0: nothing was */
    struct text_reader readers[TEXT_READERS];
    guint n_readers; /* that run */

    GMutex lock; /* what follows */
    GCond changed;
    struct text_batch *batch; /* being read; NULL: none */
    gboolean stop;
    GError *error; /* the first */
};

static void
batch_free(struct text_batch *batch)
{
    if (!batch)
        return;
    for (guint i = 0; i < batch->waiting->len; i++)
        message_index_free(batch->texts[i].index);
    g_free(batch->texts);
    g_ptr_array_unref(batch->waiting);
    g_free(batch);
}

typedef struct text_batch struct_text_batch;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_text_batch, batch_free)

/* ---- the readers ---- */

/* A request to a reader. */
struct asked {
    struct texts *texts;
    struct text_batch *batch;
    struct text *text;
};

/* A message that the reader cannot read is kept and marked. A reader that does not work is another matter: nothing may be
 * recorded as unreadable for it. */
static void
on_index(struct message_index *index, const GError *error, gpointer data)
{
    struct asked *asked = data;
    struct texts *texts = asked->texts;
    if (index)
        texts_pack(index);
    asked->text->index = index;
    asked->text->outcome = index ? OUTCOME_READ : OUTCOME_BROKEN;
    if (error && error->code == ERROR_SKIP)
        log_warn("sync.texts", "message=%" G_GINT64_FORMAT " cannot be read: %s", asked->text->waiting->message,
                 error->message);
    g_mutex_lock(&texts->lock);
    if (error && error->code != ERROR_SKIP && !texts->error)
        texts->error = g_error_copy(error);
    asked->batch->left--;
    g_cond_broadcast(&texts->changed);
    g_mutex_unlock(&texts->lock);
}

static void
ask(struct texts *texts, struct reader *reader, struct text_batch *batch, struct text *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = text->waiting->path ? maildir_read(text->waiting->path, &error) : NULL;
    if (bytes) {
        struct asked asked = {texts, batch, text};
        reader_index_text_async(reader, bytes, on_index, g_memdup2(&asked, sizeof asked), g_free);
        reader_drain(reader, READER_AHEAD);
        return;
    }
    log_info("sync.texts", "message=%" G_GINT64_FORMAT " has no file: %s", text->waiting->message,
             error ? error->message : "it has gone");
    text->outcome = OUTCOME_NO_FILE;
    g_mutex_lock(&texts->lock);
    batch->left--;
    g_cond_broadcast(&texts->changed);
    g_mutex_unlock(&texts->lock);
}

/* With the lock held. */
static gboolean
has_work(const struct texts *texts)
{
    return texts->batch && texts->batch->next < texts->batch->waiting->len && !texts->error;
}

static gpointer
read_texts(gpointer data)
{
    struct text_reader *mine = data;
    struct texts *texts = mine->texts;
    g_mutex_lock(&texts->lock);
    while (!texts->stop) {
        struct text_batch *batch = texts->batch;
        if (has_work(texts)) {
            struct text *text = &batch->texts[batch->next++];
            g_mutex_unlock(&texts->lock);
            ask(texts, mine->reader, batch, text);
            g_mutex_lock(&texts->lock);
        } else if (reader_pending(mine->reader, NULL)) {
            g_mutex_unlock(&texts->lock);
            reader_drain(mine->reader, 0);
            g_mutex_lock(&texts->lock);
        } else {
            g_cond_wait(&texts->changed, &texts->lock);
        }
    }
    g_mutex_unlock(&texts->lock);
    reader_drain(mine->reader, 0); /* it calls back into the batch, and may live on */
    return NULL;
}

/* ---- the caller ---- */

static struct texts *
texts_new(struct sync *sync)
{
    struct texts *texts = g_new0(struct texts, 1);
    texts->sync = sync;
    g_mutex_init(&texts->lock);
    g_cond_init(&texts->changed);
    return texts;
}

/* A second one when there is enough for two. */
static void
start_readers(struct texts *texts, guint messages)
{
    guint wanted = messages > READER_AHEAD ? TEXT_READERS : 1;
    for (; texts->n_readers < wanted; texts->n_readers++) {
        struct text_reader *reader = &texts->readers[texts->n_readers];
        reader->texts = texts;
        if (!texts->n_readers && !texts->sync->reader)
            texts->sync->reader = reader_new();
        reader->reader = texts->n_readers ? reader_new() : texts->sync->reader; /* the first is kept for the next time */
        reader->thread = g_thread_new("read texts", read_texts, reader);
    }
}

/* The next batch, as it waits in the store; NULL: nothing follows, or error is set. */
static struct text_batch *
load(struct texts *texts, GError **error)
{
    struct sync *sync = texts->sync;
    g_autoptr(GPtrArray) waiting =
        texts_waiting(sync->store, sync->account, texts->before, TEXT_BATCH_MESSAGES, TEXT_BATCH_BYTES, error);
    texts->before = waiting && waiting->len ? ((struct text_waiting *) waiting->pdata[waiting->len - 1])->key : 0;
    if (!texts->before)
        return NULL;
    struct text_batch *batch = g_new0(struct text_batch, 1);
    batch->left = waiting->len;
    batch->texts = g_new0(struct text, waiting->len);
    for (guint i = 0; i < waiting->len; i++)
        batch->texts[i].waiting = waiting->pdata[i];
    batch->waiting = g_steal_pointer(&waiting);
    return batch;
}

static void
give(struct texts *texts, struct text_batch *batch)
{
    start_readers(texts, batch->waiting->len);
    g_mutex_lock(&texts->lock);
    texts->batch = batch;
    g_cond_broadcast(&texts->changed);
    g_mutex_unlock(&texts->lock);
}

/* What the readers have, when they are done with it. NULL: nothing, or error is set. */
static struct text_batch *
take(struct texts *texts, GError **error)
{
    g_mutex_lock(&texts->lock);
    while (texts->batch && texts->batch->left && !texts->error)
        g_cond_wait(&texts->changed, &texts->lock);
    struct text_batch *batch = texts->error ? NULL : g_steal_pointer(&texts->batch);
    if (texts->error)
        g_propagate_error(error, g_error_copy(texts->error));
    g_mutex_unlock(&texts->lock);
    return batch;
}

/* Its file was not where it was looked for: it may have got another name meanwhile, and is looked for again then. */
static gboolean
forget(struct sync *sync, const struct text_waiting *waiting, guint *settled, GError **error)
{
    g_autofree char *path = store_message_path(sync->store, waiting->message, NULL);
    *settled += !path;
    return path || texts_forget(sync->store, waiting->message, error);
}

static gboolean
put(struct texts *texts, const struct text_batch *batch, guint *settled, GError **error)
{
    struct sync *sync = texts->sync;
    guint n = 0;
    g_autofree struct text_made *made = g_new0(struct text_made, batch->waiting->len);
    for (guint i = 0; i < batch->waiting->len; i++) {
        const struct text *text = &batch->texts[i];
        if (text->outcome != OUTCOME_NO_FILE)
            made[n++] = (struct text_made){text->waiting->message, text->waiting->key, text->index};
        else if (!forget(sync, text->waiting, settled, error))
            return FALSE;
        sync->statistics.skipped += text->outcome == OUTCOME_BROKEN;
    }
    *settled += n;
    STEP("sync.texts");
    return !n || texts_put(sync->store, made, n, error);
}

gboolean
texts_step(struct sync *sync, guint *done, GError **error)
{
    if (!sync->texts)
        sync->texts = texts_new(sync);
    struct texts *texts = sync->texts;
    g_autoptr(GError) why = NULL;
    struct text_batch *next;
    *done = 0;
    if (!texts->batch) {
        texts->before = 0; /* also what came out of order: nothing is under way now that would be found again */
        if ((next = load(texts, &why)))
            give(texts, next);
    }
    g_autoptr(struct_text_batch) batch = why ? NULL : take(texts, &why);
    if (batch && texts->before && (next = load(texts, &why))) /* is read while this one is written */
        give(texts, next);
    if (batch && !why)
        put(texts, batch, done, &why);
    if (!why)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

void
texts_rest(struct sync *sync)
{
    struct texts *texts = g_steal_pointer(&sync->texts);
    if (!texts)
        return;
    g_mutex_lock(&texts->lock);
    texts->stop = TRUE;
    g_cond_broadcast(&texts->changed);
    g_mutex_unlock(&texts->lock);
    for (guint i = 0; i < texts->n_readers; i++)
        g_thread_join(texts->readers[i].thread);
    for (guint i = 0; i < texts->n_readers; i++)
        if (texts->readers[i].reader != sync->reader)
            reader_free(texts->readers[i].reader);
    batch_free(texts->batch);
    g_clear_error(&texts->error);
    g_mutex_clear(&texts->lock);
    g_cond_clear(&texts->changed);
    g_free(texts);
}

gboolean
texts_read(struct sync *sync, gint64 placement, GError **error)
{
    struct placement row;
    g_autoptr(GError) why = NULL;
    if (!placement_get(sync->store, placement, &row, NULL, NULL) || !row.cached)
        return TRUE; /* the server did not give it */
    g_autoptr(struct_message) message = message_load(sync->store, row.message, NULL);
    g_autoptr(GBytes) bytes = message ? store_message_bytes(sync->store, row.message, NULL) : NULL;
    if (!bytes || message->bits & (MESSAGE_INDEXED | MESSAGE_BROKEN))
        return TRUE;
    if (!sync->reader)
        sync->reader = reader_new();
    g_autoptr(struct_message_index) index = reader_index_text(sync->reader, bytes, &why);
    if (why && why->code != ERROR_SKIP) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    struct text_made made = {row.message, message->key, index};
    sync->statistics.skipped += !index;
    return texts_put(sync->store, &made, 1, error);
}

gboolean
texts_finish(struct sync *sync, GError **error)
{
    guint64 sum = 0, total = texts_count(sync->store, sync->account);
    guint done = 1;
    gint64 start = clock_monotonic();
    gboolean ok = TRUE, many = total > RELAX_FROM;
    if (many)
        store_relax_begin(sync->store);
    while (ok && done) {
        ok = !sync_is_cancelled(sync, error) && texts_step(sync, &done, error);
        sum += done;
        if (!done)
            continue;
        sync_tell_changed(sync, FALSE);
        sync_tell_progress(sync, NULL, SYNC_TEXTS, sum, MAX(sum, total));
    }
    if (many && !store_relax_end(sync->store, ok ? error : NULL))
        ok = FALSE;
    if (sum)
        log_info("sync.texts", "read=%" G_GUINT64_FORMAT " ms=%d", sum, (int) ((clock_monotonic() - start) / 1000));
    texts_rest(sync);
    return ok;
}
