/* Which bodies are wanted here, and recording them as they become durable (body_pipe.h). */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "config/keep.h"
#include "store/survey.h"
#include "store/withheld.h"
#include "sync/body_pipe.h"
#include "sync/internal.h"
#include "sync/texts.h"

#define SECONDS_A_DAY (24 * 60 * 60)

/* The rows that name the files of a durable batch, in transactions of some ten milliseconds. */
static gboolean
record(struct sync *sync, const struct body_batch *batch, GError **error)
{
    guint n = batch->slots->len;
    g_autofree struct placement_body *bodies = g_new0(struct placement_body, n + 1);
    for (guint i = 0; i < n; i++) {
        const struct body_slot *slot = batch->slots->pdata[i];
        const struct maildir_entry *entry = maildir_batch_entry(batch->files, slot->entry);
        bodies[i] = (struct placement_body){
            slot->placement, entry->file, entry->hash, entry->wire_size, .text_later = TRUE};
        sync->statistics.body_bytes += entry->wire_size;
    }
    for (guint done = 0; done < n; done += ROWS_A_COMMIT) {
        STEP("sync.bodies.record");
        if (!placement_attach(sync->store, bodies + done, MIN(n - done, ROWS_A_COMMIT), error))
            return FALSE;
    }
    sync->statistics.bodies += n;
    sync_tell_changed(sync, FALSE);
    return TRUE;
}

/* They are passed over from now on, until their time has come. */
static gboolean
note_withheld(struct sync *sync, const struct folder *folder, const GArray *rows, const struct uidset *missing,
              GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < rows->len; i++) {
        const struct survey_body *row = &g_array_index(rows, struct survey_body, i);
        if (uidset_contains(missing, row->uid))
            g_array_append_val(ids, row->placement);
    }
    sync->statistics.skipped += ids->len;
    sync_tell_notice(sync, folder, "the server did not give %u of the messages; they are asked for again later", ids->len);
    STEP("sync.bodies.withheld");
    return withheld_note(sync->store, (const gint64 *) ids->data, ids->len, error);
}

static gboolean
drop_withheld(struct sync *sync, GArray *rows, GError **error)
{
    g_autoptr(GHashTable) withheld = rows->len ? withheld_load(sync->store, error) : NULL;
    if (!withheld || !g_hash_table_size(withheld))
        return !rows->len || withheld != NULL;
    guint n = 0;
    for (guint i = 0; i < rows->len; i++) {
        struct survey_body row = g_array_index(rows, struct survey_body, i);
        if (!g_hash_table_contains(withheld, &row.placement))
            g_array_index(rows, struct survey_body, n++) = row;
    }
    g_array_set_size(rows, n);
    return TRUE;
}

/* The next batch. While the network is slower than we are, what has come is read; then envelopes whose body is not here
 * become searchable. */
static struct body_batch *
next_batch(struct sync *sync, struct body_pipe *pipe, gboolean alone, GError **error)
{
    guint done = !alone;
    while (done && !body_pipe_wait(pipe, INDEX_AFTER_MS)) {
        if (!texts_step(sync, &done, error) ||
            (!done && !placement_index_envelopes(sync->store, ENVELOPES_TO_INDEX, &done, error)))
            return NULL;
    }
    return body_pipe_take(pipe, error);
}

static void
take_batches(struct sync *sync, const struct folder *folder, struct body_pipe *pipe, guint total, GError **error)
{
    g_autoptr(GError) why = NULL;
    guint64 done = 0;
    guint read = 0;
    gboolean alone = total == 1; /* somebody may wait for it: nothing else is done meanwhile */
    gint64 start = clock_monotonic(), recording = 0;
    for (struct body_batch *batch; !why && (batch = next_batch(sync, pipe, alone, &why));) {
        gint64 begun = clock_monotonic();
        gboolean first = !done;
        done += batch->slots->len;
        /* The newest can be found at once, however many follow. */
        if (record(sync, batch, &why) && first && !alone)
            texts_step(sync, &read, &why);
        recording += clock_monotonic() - begun;
        sync_tell_progress(sync, folder, SYNC_BODIES, done, total);
        body_batch_free(batch);
    }
    texts_rest(sync);
    log_info("sync.bodies", "folder=%s wanted=%u got=%" G_GUINT64_FORMAT " ms=%d store_ms=%d", folder->name, total,
             done, (int) ((clock_monotonic() - start) / 1000), (int) (recording / 1000));
    if (why)
        g_propagate_error(error, g_steal_pointer(&why));
}

static gboolean
run_pipe(struct sync *sync, const struct folder *folder, const char *dir, const GArray *rows, GError **error)
{
    g_autoptr(struct_body_pipe) pipe = body_pipe_new(sync, folder, dir, rows);
    g_autoptr(GError) why = NULL;
    gboolean many = rows->len > RELAX_FROM;
    if (many)
        store_relax_begin(sync->store);
    take_batches(sync, folder, pipe, rows->len, &why);
    if (many)
        store_relax_end(sync->store, why ? NULL : &why);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    g_autoptr(struct_uidset) missing = body_pipe_missing(pipe);
    return uidset_is_empty(missing) || note_withheld(sync, folder, rows, missing, error);
}

static gboolean
fetch_rows(struct sync *sync, struct folder *folder, const GArray *rows, GError **error)
{
    if (!rows->len)
        return TRUE;
    if (!sync_select(sync, folder, NULL, error))
        return FALSE;
    if (sync->mailbox->uidvalidity != folder->uidvalidity) {
        g_set_error(error, SYNC_ERROR, ERROR_STALE, "the folder was numbered anew by its server");
        return FALSE;
    }
    g_autofree char *dir = folder_path(sync->store, folder->id, TRUE, error);
    if (!dir)
        return FALSE;
    sync_tell_progress(sync, folder, SYNC_BODIES, 0, rows->len);
    return run_pipe(sync, folder, dir, rows, error);
}

gboolean
bodies_fetch(struct sync *sync, struct folder *folder, GError **error)
{
    const struct keep *keep = keep_of(sync->options.account, folder->name);
    if (keep->what != KEEP_BODIES)
        return TRUE;
    gint64 since = keep->days ? clock_now() - (gint64) keep->days * SECONDS_A_DAY : 0;
    g_autoptr(GArray) rows = survey_bodies(sync->store, folder->id, since, (guint64) keep->size, error);
    if (rows && !drop_withheld(sync, rows, error))
        return FALSE;
    if (rows && rows->len)
        sync_tell_planned(sync, folder->name, SYNC_IN, "bodies", rows->len, "fetch the bodies of %u message%s", rows->len,
                          rows->len == 1 ? "" : "s");
    return rows && (sync->dry_run || fetch_rows(sync, folder, rows, error));
}

gboolean
bodies_fetch_one(struct sync *sync, struct folder *folder, gint64 placement, GError **error)
{
    g_autoptr(GArray) rows = survey_body(sync->store, placement, error);
    return rows && fetch_rows(sync, folder, rows, error) && texts_read(sync, placement, error);
}

/* The bodies of new messages come in the same pass. Which of them a limit lets in is known when they are listed. */
void
sync_tell_bodies(struct sync *sync, const char *folder, guint64 n)
{
    const struct keep *keep = keep_of(sync->options.account, folder);
    g_autofree char *rule = keep_to_string(keep);
    if (!keep_is_partial(keep))
        sync_tell_planned(sync, folder, SYNC_IN, "bodies", n, "fetch the bodies of the new messages");
    else if (keep->what == KEEP_BODIES)
        sync_tell_planned(sync, folder, SYNC_IN, "bodies", 0,
                          "fetch the bodies of those new messages that keep = %s lets in", rule);
}
