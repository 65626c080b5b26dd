/* Messages from a POP3 server into the store: envelopes, or whole, each batch durable before it is recorded. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/log.h"
#include "config/keep.h"
#include "mail/lines.h"
#include "net/stream.h"
#include "store/maildir.h"
#include "sync/body_pipe.h"
#include "sync/drop.h"
#include "sync/drop_turn.h"

/* What is fetched whole at once, when nothing speaks against it: its header alone would cost nearly as much. */
#define SMALL (16 * 1024)
#define FEW 20
#define HEADER_MAX (1024 * 1024)

/* A message that came. */
struct arrival {
    guint i;                   /* of drop->listed */
    struct envelope *envelope; /* of a header; NULL: it is in the index */
    guint entry;               /* of the batch */
    struct message_index *index;
    gboolean seen; /* it is another one's new id */
};

struct intake {
    struct drop *drop;
    enum pop3_what what;
    gboolean is_new; /* not the body of a known envelope */
    gint64 *rows;    /* of bodies: by index of drop->listed */

    guint number; /* of the message that is coming */
    GByteArray *buffer;
    int fd; /* instead, in an unlinked file: it is large; -1 */

    struct maildir_batch *files;
    GPtrArray *arrivals;
    GArray *refused; /* guint: indices of those that the server did not give */
    GError *reader;  /* the reader does not work */
};

static void
arrival_free(gpointer data)
{
    struct arrival *arrival = data;
    envelope_free(arrival->envelope);
    message_index_free(arrival->index);
    g_free(arrival);
}

static void
intake_init(struct intake *intake, struct drop *drop, enum pop3_what what, gboolean is_new)
{
    *intake = (struct intake){.drop = drop, .what = what, .is_new = is_new, .fd = -1};
    intake->buffer = g_byte_array_new();
    intake->files = maildir_batch_new();
    intake->arrivals = g_ptr_array_new_with_free_func(arrival_free);
    intake->refused = g_array_new(FALSE, FALSE, sizeof(guint));
    if (!drop->sync->reader)
        drop->sync->reader = reader_new();
}

static void
intake_clear(struct intake *intake)
{
    if (intake->drop->sync->reader)
        reader_drain(intake->drop->sync->reader, 0); /* it calls back into the arrivals */
    if (intake->fd >= 0)
        close(intake->fd);
    g_byte_array_unref(intake->buffer);
    maildir_batch_free(intake->files);
    g_ptr_array_unref(intake->arrivals);
    g_array_unref(intake->refused);
    g_clear_error(&intake->reader);
}

/* ---- recording ---- */

static const struct envelope *
envelope_of(const struct arrival *arrival, const struct envelope *none)
{
    return arrival->envelope ? arrival->envelope : arrival->index ? arrival->index->envelope : none;
}

/* Ids that went, while as many came: a server that numbers anew. Who is who is found by Message-ID, date and size. */
static gboolean
load_lost(struct drop *drop, GError **error)
{
    if (drop->lost)
        return TRUE;
    drop->lost = g_array_new(FALSE, FALSE, sizeof(gint64));
    drop->identities = g_array_new(FALSE, TRUE, sizeof(struct maildrop_identity));
    g_array_set_clear_func(drop->identities, (GDestroyNotify) maildrop_identity_clear);
    for (guint i = 0; i < drop->gone->len; i++) {
        const struct maildrop_row *row =
            &g_array_index(drop->rows->rows, struct maildrop_row, g_array_index(drop->gone, guint, i));
        struct maildrop_identity identity;
        if (!maildrop_identify(drop->sync->store, row->id, &identity, error))
            return FALSE;
        g_array_append_val(drop->lost, row->id);
        g_array_append_val(drop->identities, identity);
    }
    return TRUE;
}

static GArray *
match_lost(struct intake *intake, GPtrArray *ids)
{
    struct drop *drop = intake->drop;
    g_autoptr(GArray) locals = g_array_new(FALSE, TRUE, sizeof(struct plan_identity));
    g_autoptr(GArray) remotes = g_array_new(FALSE, TRUE, sizeof(struct plan_identity));
    for (guint i = 0; i < drop->lost->len; i++) {
        const struct maildrop_identity *known = &g_array_index(drop->identities, struct maildrop_identity, i);
        struct plan_identity who = {
            .id = i, .message_id = known->message_id, .date = known->date, .size = known->size, .content = known->content};
        g_array_append_val(locals, who);
    }
    for (guint i = 0; i < intake->arrivals->len; i++) {
        const struct arrival *arrival = intake->arrivals->pdata[i];
        const struct envelope *envelope = envelope_of(arrival, NULL);
        char *id = envelope ? maildrop_message_id(envelope->message_id) : NULL;
        gboolean dated = envelope && envelope->flags & ENVELOPE_DATE_VALID;
        struct plan_identity who = {
            .id = i, .message_id = id, .date = dated ? envelope->date : 0, .size = drop->listed[arrival->i].size};
        g_ptr_array_add(ids, id);
        g_array_append_val(remotes, who);
    }
    return plan_match((const struct plan_identity *) locals->data, locals->len, (const struct plan_identity *) remotes->data,
                      remotes->len);
}

/* Those of the arrivals that only got another id. In the caller's transaction. */
static gboolean
take_renamed(struct intake *intake, GError **error)
{
    struct drop *drop = intake->drop;
    if (!load_lost(drop, error))
        return FALSE;
    if (!drop->lost->len)
        return TRUE;
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) pairs = match_lost(intake, ids);
    g_autofree gboolean *done = g_new0(gboolean, drop->lost->len);
    for (guint k = 0; k < pairs->len; k++) {
        const struct plan_pair *pair = &g_array_index(pairs, struct plan_pair, k);
        struct arrival *arrival = intake->arrivals->pdata[pair->remote];
        const struct drop_listed *at = &drop->listed[arrival->i];
        if (!maildrop_rename(drop->sync->store, g_array_index(drop->lost, gint64, pair->local), at->uidl, at->nth, at->size,
                             error))
            return FALSE;
        arrival->seen = done[pair->local] = TRUE;
        drop->sync->statistics.matched++;
    }
    for (guint i = drop->lost->len; i-- > 0;)
        if (done[i]) {
            g_array_remove_index(drop->lost, i);
            g_array_remove_index(drop->identities, i);
        }
    return TRUE;
}

static gboolean
record_new(struct intake *intake, GError **error)
{
    struct drop *drop = intake->drop;
    g_autofree struct maildrop_new *rows = g_new0(struct maildrop_new, intake->arrivals->len + 1);
    g_autoptr(struct_envelope) none = envelope_new();
    guint n = 0, known = 0;
    /* Headers tell of new ids; a body that came tells by its content, exactly. */
    if (intake->what == POP3_HEADER && !take_renamed(intake, error))
        return FALSE;
    for (guint k = 0; k < intake->arrivals->len; k++) {
        const struct arrival *arrival = intake->arrivals->pdata[k];
        const struct drop_listed *at = &drop->listed[arrival->i];
        if (arrival->seen)
            continue;
        struct maildrop_new *row = &rows[n++];
        *row = (struct maildrop_new){
            .uidl = at->uidl, .nth = at->nth, .size = at->size, .envelope = envelope_of(arrival, none)};
        if (intake->what == POP3_HEADER)
            continue;
        const struct maildir_entry *entry = maildir_batch_entry(intake->files, arrival->entry);
        row->file = entry->file;
        row->hash = entry->hash;
        row->wire_size = entry->wire_size;
        row->index = arrival->index;
    }
    if (!maildrop_take(drop->sync->store, drop->inbox->id, rows, n, &known, error))
        return FALSE;
    drop->sync->statistics.envelopes += n - known;
    drop->sync->statistics.matched += known;
    drop->taken += n - known;
    return TRUE;
}

static gboolean
record_bodies(struct intake *intake, GError **error)
{
    struct drop *drop = intake->drop;
    g_autofree struct maildrop_body *rows = g_new0(struct maildrop_body, intake->arrivals->len + 1);
    for (guint k = 0; k < intake->arrivals->len; k++) {
        const struct arrival *arrival = intake->arrivals->pdata[k];
        const struct maildir_entry *entry = maildir_batch_entry(intake->files, arrival->entry);
        rows[k] = (struct maildrop_body){intake->rows[arrival->i], entry->file, entry->hash, entry->wire_size, arrival->index};
    }
    return maildrop_attach(drop->sync->store, drop->inbox->id, rows, intake->arrivals->len, error);
}

static gboolean
record(struct intake *intake, GError **error)
{
    struct store *store = intake->drop->sync->store;
    STEP("sync.drop.record");
    if (!store_begin(store, error))
        return FALSE;
    if (intake->is_new ? record_new(intake, error) : record_bodies(intake, error))
        return store_commit(store, error);
    store_rollback(store);
    return FALSE;
}

/* Everything that came is durable, then recorded. */
static gboolean
flush(struct intake *intake, GError **error)
{
    struct drop *drop = intake->drop;
    if (!intake->arrivals->len)
        return TRUE;
    if (intake->what == POP3_WHOLE) {
        STEP("sync.drop.flush");
        if (!maildir_batch_commit(intake->files, error))
            return FALSE;
        reader_drain(drop->sync->reader, 0);
        if (intake->reader) {
            maildir_batch_undo(intake->files);
            g_propagate_error(error, g_steal_pointer(&intake->reader));
            return FALSE;
        }
    }
    if (!record(intake, error)) {
        if (intake->what == POP3_WHOLE)
            maildir_batch_undo(intake->files);
        return FALSE;
    }
    if (intake->what == POP3_WHOLE)
        drop->sync->statistics.bodies += intake->arrivals->len;
    g_ptr_array_set_size(intake->arrivals, 0);
    maildir_batch_free(intake->files);
    intake->files = maildir_batch_new();
    drop_turn_tell();
    sync_tell_changed(drop->sync, FALSE);
    return TRUE;
}

/* ---- the sink ---- */

static gboolean
on_begin(guint number, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct intake *intake = data;
    intake->number = number;
    g_byte_array_set_size(intake->buffer, 0);
    return TRUE;
}

static gboolean
write_all(struct intake *intake, const void *bytes, gsize length, GError **error)
{
    for (const char *p = bytes; length;) {
        gssize n = STEP_FAILS("sync.spool") ? -1 : write(intake->fd, p, length);
        if (n < 0 && errno != EINTR) {
            error_set_errno(error, SYNC_ERROR, errno, "cannot write a large message to %s", intake->drop->dir);
            return FALSE;
        }
        p += MAX(n, 0);
        length -= (gsize) MAX(n, 0);
    }
    return TRUE;
}

static gboolean
on_write(const void *bytes, gsize length, gpointer data, GError **error)
{
    struct intake *intake = data;
    if (intake->what == POP3_HEADER) { /* what is beyond is in the body, when that comes */
        gsize room = HEADER_MAX - intake->buffer->len;
        g_byte_array_append(intake->buffer, bytes, (guint) MIN(length, room));
        return TRUE;
    }
    if (intake->fd < 0 && intake->buffer->len + length <= BODY_SPOOL_ABOVE) {
        g_byte_array_append(intake->buffer, bytes, (guint) length);
        return TRUE;
    }
    if (intake->fd < 0) {
        g_autofree char *tmp = g_build_filename(intake->drop->dir, "tmp", NULL);
        intake->fd = open(tmp, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (intake->fd < 0) {
            error_set_errno(error, SYNC_ERROR, errno, "cannot make room for a large message in %s", tmp);
            return FALSE;
        }
        if (!write_all(intake, intake->buffer->data, intake->buffer->len, error))
            return FALSE;
        g_byte_array_set_size(intake->buffer, 0);
    }
    return write_all(intake, bytes, length, error);
}

/* A message that the reader cannot read is kept and marked. A reader that does not work is another matter. */
struct asked {
    struct intake *intake;
    struct arrival *arrival;
};

static void
on_index(struct message_index *index, const GError *error, gpointer data)
{
    struct asked *asked = data;
    asked->arrival->index = index;
    if (!error)
        return;
    asked->intake->drop->sync->statistics.skipped++;
    if (error->code == ERROR_SKIP)
        log_warn("sync.drop", "message %u cannot be read: %s", asked->arrival->i + 1, error->message);
    else if (!asked->intake->reader)
        asked->intake->reader = g_error_copy(error);
}

static GBytes *
take_bytes(struct intake *intake, GError **error)
{
    if (intake->fd < 0) {
        g_autoptr(GBytes) wire = g_bytes_new(intake->buffer->data, intake->buffer->len);
        return crlf_to_lf(wire);
    }
    g_autoptr(GError) why = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new_from_fd(intake->fd, FALSE, &why);
    if (!file)
        g_set_error(error, SYNC_ERROR, ERROR_IO, "cannot read a large message back: %s", why->message);
    return file ? g_mapped_file_get_bytes(file) : NULL;
}

static gboolean
take_whole(struct intake *intake, struct arrival *arrival, GError **error)
{
    g_autoptr(GBytes) bytes = take_bytes(intake, error);
    gsize size;
    if (!bytes)
        return FALSE;
    const void *start = g_bytes_get_data(bytes, &size);
    int entry = intake->fd < 0 ? maildir_batch_add(intake->files, intake->drop->dir, 0, start, size, error)
                               : maildir_batch_add_fd(intake->files, intake->drop->dir, 0, intake->fd, error);
    if (intake->fd >= 0)
        close(intake->fd);
    intake->fd = -1;
    if (entry < 0)
        return FALSE;
    arrival->entry = (guint) entry;
    intake->drop->sync->statistics.body_bytes += size;
    struct asked asked = {intake, arrival};
    reader_index_text_async(intake->drop->sync->reader, bytes, on_index, g_memdup2(&asked, sizeof asked), g_free);
    reader_drain(intake->drop->sync->reader, BODY_PIPE_MESSAGES);
    return TRUE;
}

static gboolean
on_end(guint number, const char *refused, gpointer data, GError **error)
{
    struct intake *intake = data;
    guint i = number - 1;
    if (refused) {
        log_info("sync.drop", "message %u refused: %s", number, refused);
        g_array_append_val(intake->refused, i);
        return TRUE;
    }
    struct arrival *arrival = g_new0(struct arrival, 1);
    arrival->i = i;
    g_ptr_array_add(intake->arrivals, arrival);
    if (intake->what == POP3_HEADER) {
        arrival->envelope = envelope_from_header((const char *) intake->buffer->data, intake->buffer->len);
        return TRUE;
    }
    if (!take_whole(intake, arrival, error)) {
        g_ptr_array_remove_index(intake->arrivals, intake->arrivals->len - 1);
        return FALSE;
    }
    return (intake->arrivals->len < BODY_BATCH_MESSAGES && maildir_batch_bytes(intake->files) < BODY_BATCH_BYTES) ||
           flush(intake, error);
}

/* Fetches these (indices), and records what came, also when the connection breaks before the last one. */
static gboolean
run(struct intake *intake, const GArray *some, GError **error)
{
    struct pop3_sink sink = {on_begin, on_write, on_end, intake};
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GError) why = NULL;
    for (guint k = 0; k < some->len; k++) {
        guint number = g_array_index(some, guint, k) + 1;
        g_array_append_val(numbers, number);
    }
    gboolean ok =
        pop3_fetch(intake->drop->pop3, (const guint *) numbers->data, numbers->len, intake->what, &sink, &why);
    /* A connection that broke takes nothing away from what came over it; a disk or a store that failed does. */
    gboolean of_server = ok || why->domain == POP3_ERROR || why->domain == STREAM_ERROR;
    if (of_server && !flush(intake, ok ? &why : NULL))
        ok = FALSE;
    if (why)
        g_propagate_error(error, g_steal_pointer(&why));
    return ok;
}

/* ---- what is new ---- */

/* Whole at once, or its header first? */
static gboolean
is_taken_whole(const struct drop *drop, const struct drop_listed *at, guint n_new)
{
    if (at->doubtful || !pop3_has(drop->pop3, POP3_TOP))
        return TRUE;
    /* Where ids went, a header may show that it is here. An age is known by its header. */
    if (drop->gone->len || !drop_wants_body(drop, 0, at->size))
        return FALSE;
    return n_new <= FEW || (at->size && at->size <= SMALL);
}

static gboolean
take_some(struct drop *drop, const GArray *some, enum pop3_what what, GArray *refused, GError **error)
{
    struct intake intake;
    if (!some->len)
        return TRUE;
    intake_init(&intake, drop, what, TRUE);
    gboolean ok = run(&intake, some, error);
    g_array_append_vals(refused, intake.refused->data, intake.refused->len);
    intake_clear(&intake);
    return ok;
}

static gboolean
take_chunk(struct drop *drop, const GArray *fresh, guint from, guint n, GError **error)
{
    g_autoptr(GArray) headers = g_array_new(FALSE, FALSE, sizeof(guint)), whole = g_array_new(FALSE, FALSE, sizeof(guint)),
                      lost = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint k = from; k < from + n; k++) {
        guint i = g_array_index(fresh, guint, k);
        g_array_append_val(is_taken_whole(drop, &drop->listed[i], fresh->len) ? whole : headers, i);
    }
    /* What TOP is refused for is asked for whole; what is refused then is told, and asked for by the next pass. */
    if (!take_some(drop, headers, POP3_HEADER, whole, error) || !take_some(drop, whole, POP3_WHOLE, lost, error))
        return FALSE;
    drop->skipped += lost->len;
    return TRUE;
}

gboolean
drop_take_new(struct drop *drop, GError **error)
{
    g_autoptr(GArray) fresh = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = drop->n; i-- > 0;)
        if (drop->listed[i].known < 0 || drop->listed[i].doubtful)
            g_array_append_val(fresh, i);
    for (guint from = 0, step; from < fresh->len; from += step) {
        step = drop_step(drop, fresh, from, from ? ENVELOPES_A_FETCH : ENVELOPES_FIRST, SMALL);
        sync_tell_progress(drop->sync, drop->inbox, SYNC_ENVELOPES, from, fresh->len);
        if (!drop_breathe(drop, error) || !take_chunk(drop, fresh, from, step, error))
            return FALSE;
    }
    if (fresh->len)
        sync_tell_changed(drop->sync, TRUE);
    return TRUE;
}

/* ---- bodies ---- */

gboolean
drop_fetch_bodies(struct drop *drop, const GArray *wanted, GError **error)
{
    struct intake intake;
    if (!wanted->len)
        return TRUE;
    g_autofree gint64 *rows = g_new0(gint64, drop->n + 1);
    for (guint k = 0; k < wanted->len; k++) {
        guint i = g_array_index(wanted, guint, k);
        rows[i] = drop_row(drop, i)->id;
    }
    intake_init(&intake, drop, POP3_WHOLE, FALSE);
    intake.rows = rows;
    gboolean ok = run(&intake, wanted, error);
    drop->skipped += intake.refused->len;
    intake_clear(&intake);
    return ok;
}
