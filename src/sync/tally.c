#include "config.h"

#include "sync/tally.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/history.h"
#include "sync/internal.h"

/* What nobody would miss is written so often. */
#define QUIET_SECONDS (10 * 60)
/* Notes of one pass: a server that complains of every message fills no store. */
#define NOTES_MAX 100

struct note {
    gint64 folder, message;
    enum history_kind kind;
    char *text;
};

struct tally {
    GHashTable *counts; /* folder -> struct history_counts */
    GPtrArray *notes;
    struct sync_statistics told; /* up to here it was put down */
    gint64 folder, written;
};

static void
note_free(gpointer data)
{
    struct note *note = data;
    g_free(note->text);
    g_free(note);
}

struct tally *
tally_new(void)
{
    struct tally *tally = g_new0(struct tally, 1);
    tally->counts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    tally->notes = g_ptr_array_new_with_free_func(note_free);
    tally->written = clock_monotonic();
    return tally;
}

void
tally_free(struct tally *tally)
{
    g_hash_table_unref(tally->counts);
    g_ptr_array_unref(tally->notes);
    g_free(tally);
}

static struct history_counts *
counts_of(struct tally *tally, gint64 folder)
{
    struct history_counts *counts = g_hash_table_lookup(tally->counts, &folder);
    if (!counts) {
        counts = g_new0(struct history_counts, 1);
        g_hash_table_insert(tally->counts, g_memdup2(&folder, sizeof folder), counts);
    }
    return counts;
}

void
tally_to(struct sync *sync, gint64 folder)
{
    struct tally *tally = sync->tally;
    const struct sync_statistics *now = sync_get_statistics(sync), *told = &tally->told;
    struct history_counts more = {
        .passes = now->folders - told->folders + now->unchanged - told->unchanged,
        .unchanged = now->unchanged - told->unchanged,
        .bytes_in = now->bytes_in - told->bytes_in,
        .bytes_out = now->bytes_out - told->bytes_out,
        .saved = now->saved - told->saved,
        .round_trips = now->round_trips - told->round_trips,
        .envelopes = now->envelopes - told->envelopes,
        .bodies = now->bodies - told->bodies,
        .body_bytes = now->body_bytes - told->body_bytes,
        .known = now->matched - told->matched,
        .known_bytes = now->matched_bytes - told->matched_bytes,
        .flags_in = now->flags_in - told->flags_in,
        .flags_out = now->flags_out - told->flags_out,
        .conflicts = now->conflicts - told->conflicts,
        .moved = now->moved - told->moved,
        .copied = now->copied - told->copied,
        .uploaded = now->uploaded - told->uploaded,
        .expunged = now->expunged - told->expunged,
        .removed = now->removed - told->removed,
        .skipped = now->skipped - told->skipped,
    };
    if (!sync->dry_run)
        history_counts_add(counts_of(tally, tally->folder), &more);
    tally->told = *now;
    tally->folder = folder;
}

void
tally_reset(struct sync *sync)
{
    struct sync_statistics none = {0};
    tally_to(sync, 0);
    sync->tally->told = none;
}

static gboolean
anything(const struct tally *tally)
{
    GHashTableIter iter;
    gpointer counts;
    g_hash_table_iter_init(&iter, tally->counts);
    while (g_hash_table_iter_next(&iter, NULL, &counts))
        if (history_counts_any(counts))
            return TRUE;
    return tally->notes->len > 0;
}

static gboolean
write_all(struct sync *sync, GError **error)
{
    struct tally *tally = sync->tally;
    GHashTableIter iter;
    gpointer folder, counts;
    gint64 now = clock_now();
    g_hash_table_iter_init(&iter, tally->counts);
    while (g_hash_table_iter_next(&iter, &folder, &counts))
        if (!history_add(sync->store, sync->account, *(gint64 *) folder, now, counts, error))
            return FALSE;
    for (guint i = 0; i < tally->notes->len; i++) {
        const struct note *note = tally->notes->pdata[i];
        if (!history_note(sync->store, sync->account, note->folder, now, note->kind, note->message, note->text, error))
            return FALSE;
    }
    return TRUE;
}

void
tally_write(struct sync *sync, gboolean all)
{
    struct tally *tally = sync->tally;
    g_autoptr(GError) error = NULL;
    tally_to(sync, 0);
    gboolean quiet = !all && clock_monotonic() - tally->written < QUIET_SECONDS * G_USEC_PER_SEC;
    if (sync->dry_run || (quiet && !anything(tally)) ||
        !(g_hash_table_size(tally->counts) || tally->notes->len))
        return;
    gboolean ok = store_begin(sync->store, &error) && write_all(sync, &error) && store_commit(sync->store, &error);
    if (!ok) {
        store_rollback(sync->store);
        log_warn("sync.tally", "%s", error->message);
    }
    g_hash_table_remove_all(tally->counts);
    g_ptr_array_set_size(tally->notes, 0);
    tally->written = clock_monotonic();
}

/* ---- notes ---- */

static void
add_note(struct sync *sync, gint64 folder, enum history_kind kind, gint64 message, char *text)
{
    GPtrArray *notes = sync->tally->notes;
    if (notes->len >= NOTES_MAX) {
        g_free(text);
        return;
    }
    struct note *note = g_new(struct note, 1);
    *note = (struct note){folder, message, kind, text};
    g_ptr_array_add(notes, note);
}

void
tally_notice(struct sync *sync, gint64 folder, const char *text)
{
    add_note(sync, folder, HISTORY_NOTICE, 0, g_strdup(text));
}

void
tally_conflict(struct sync *sync, gint64 folder, gint64 message, const char *here, const char *there, const char *kept)
{
    if (sync->dry_run)
        return;
    g_autoptr(struct_message) row = message_load(sync->store, message, NULL);
    g_autofree char *subject = g_strdelimit(g_strdup(row && row->subject ? row->subject : ""), "\r\n", ' ');
    add_note(sync, folder, HISTORY_CONFLICT, message, g_strjoin("\n", subject, here, there, kept, NULL));
}

/* ---- the server ---- */

void
tally_server(struct sync *sync, gboolean notify)
{
    struct stream_info info;
    GString *text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    stream_get_info(imap_get_stream(sync->imap), &info);
    const struct endpoint *endpoint = sync->options.account->incoming;
    g_string_append_printf(text, "host %s:%u\n", endpoint->host, endpoint->port);
    if (imap_get_server_name(sync->imap))
        g_string_append_printf(text, "name %s\n", imap_get_server_name(sync->imap));
    g_string_append_printf(text, "tls %s\n", info.tls ? info.tls : "none");
    g_string_append_printf(text, "watch %s\n", notify                               ? "NOTIFY"
                           : imap_has(sync->imap, IMAP_IDLE) ? "IDLE"
                                                             : "looks");
    g_string_append_printf(text, "compress %s\nuses", info.compressed ? "yes" : "no");
    for (const struct imap_extension *extension = imap_extensions; extension->bit; extension++)
        if (imap_has(sync->imap, extension->bit))
            g_string_append_printf(text, " %s", extension->name);
    g_string_append_c(text, '\n');
    if (!sync->dry_run && !history_set_server(sync->store, sync->account, text->str, &error))
        log_warn("sync.tally", "%s", error->message);
    g_string_free(text, TRUE);
}
