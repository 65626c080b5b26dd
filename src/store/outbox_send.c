/* The queue as its sender sees it. */
#include "config.h"

#include "store/outbox.h"
#include "store/contact.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/outbox_row.h"
#include "store/owner.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"

#include <string.h>
#include <unistd.h>

void
outbox_attempt_free(struct outbox_attempt *attempt)
{
    if (!attempt)
        return;
    g_free(attempt->server);
    g_free(attempt->tls);
    g_free(attempt->reply);
    g_free(attempt->dialogue);
    g_free(attempt);
}

gboolean
outbox_recover(struct store *store, gint64 account, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    gboolean own, ok = TRUE;

    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autofree char *self = owner_self();
    sqlite3_stmt *q = sql_query(store, error, "SELECT id, owner FROM outbox WHERE account = ? AND state = ?",
                                "li", account, (int)OUTBOX_SENDING);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        const char *owner = sql_str(q, 1);
        if (!strcmp(owner, self) || !owner_is_alive(owner))
            g_array_append_val(ids, id);
    }
    ok = rc == 0;
    for (guint i = 0; i < ids->len && ok; i++) {
        gint64 id = g_array_index(ids, gint64, i);
        gboolean given_away = sql_int(store, 1, "SELECT data_sent FROM outbox WHERE id = ?", "l", id) != 0;
        enum outbox_state state = given_away ? OUTBOX_UNKNOWN : OUTBOX_WAITING;
        ok = outbox_set_state(store, id, OUTBOX_SENDING, state, error) &&
             sql_run(store, error,
                     "UPDATE outbox_recipient SET state = ? WHERE item = ? AND state NOT IN (3, 5)", "il",
                     (int)state, id) &&
             sql_run(
                 store, error,
                 "UPDATE outbox SET owner = NULL, error = CASE ? WHEN 1 THEN ? ELSE error END WHERE id = ?",
                 "isl", given_away,
                 "the connection ended before the server had answered: whether it took the message is not "
                 "known",
                 id);
    }
    return txn_leave(store, own, ok, error);
}

struct outbox_item *
outbox_claim(struct store *store, gint64 account, GError **error)
{
    struct outbox_item *item = NULL;
    gboolean own, ok = TRUE;

    static const char due[] =
        "SELECT id FROM outbox WHERE account = ? AND state IN (1, 4) AND hold = 0 AND next_attempt <= ?"
        " ORDER BY next_attempt, id";
    if (!sql_int(store, 0, due, "ll", account, clock_now())) /* usually there is none: no lock for that */
        return NULL;
    if (!txn_enter(store, &own, error))
        return NULL;
    gint64 id = sql_int(store, 0, due, "ll", account, clock_now());
    if (id) {
        g_autofree char *self = owner_self();
        enum outbox_state state =
            (enum outbox_state)sql_int(store, 0, "SELECT state FROM outbox WHERE id = ?", "l", id);
        ok = outbox_set_state(store, id, state, OUTBOX_SENDING, error) &&
             sql_run(store, error, "UPDATE outbox SET owner = ?, data_sent = 0 WHERE id = ?", "sl", self,
                     id) &&
             (item = outbox_get(store, id, error)) != NULL;
    }
    if (!txn_leave(store, own, ok, error))
        g_clear_pointer(&item, outbox_item_free);
    return item;
}

gboolean
outbox_mark_data(struct store *store, gint64 id, GError **error)
{
    g_return_val_if_fail(!store->in_transaction, FALSE); /* it is for the disk, now */
    g_autofree char *self = owner_self();
    STEP("outbox.mark-data");
    if (!store_begin(store, error))
        return FALSE;
    gboolean ok =
        sql_run(store, error, "UPDATE outbox SET data_sent = 1 WHERE id = ? AND state = ? AND owner = ?",
                "lis", id, (int)OUTBOX_SENDING, self);
    if (ok && sqlite3_changes(store->db) != 1) {
        g_set_error(error, STORE_ERROR, ERROR_STALE,
                    "message %" G_GINT64_FORMAT " in the queue was taken over meanwhile", id);
        ok = FALSE;
    }
    return txn_leave(store, TRUE, ok, error);
}

/* --- the copy in Sent */

static char *
entry_path(struct store *store, gint64 folder, const struct maildir_entry *entry)
{
    g_autofree char *dir = entry ? folder_path(store, folder, FALSE, NULL) : NULL;
    return dir ? g_build_filename(dir, "cur", entry->file, NULL) : NULL;
}

/* Into Sent, once: there may be a copy already, made by the server. The file goes where no row comes to name
 * it. */
static gboolean
copy_to_sent(struct store *store, gint64 id, gint64 folder, const struct maildir_entry *entry,
             const struct message_index *index, GError **error)
{
    g_autofree char *path = entry_path(store, folder, entry);
    gint64 intent, journal, message = 0;
    gboolean owed =
        sql_int(store, 0, "SELECT 1 FROM outbox o WHERE id = ? AND copy = ? AND " OUTBOX_WAS_TAKEN, "li", id,
                (int)OUTBOX_COPY_NEEDED) != 0;
    gboolean possible = (sql_int(store, 0, "SELECT bits FROM folder WHERE id = ?", "l", folder) &
                         (FOLDER_SELECTABLE | FOLDER_GONE)) == FOLDER_SELECTABLE;
    if (owed)
        message =
            sql_int(store, 0,
                    "SELECT m.id FROM message m CROSS JOIN placement p ON p.message = m.id WHERE m.hash = ? "
                    "AND p.folder = ? AND p." SHOWN,
                    "bl", entry->hash, sizeof entry->hash, folder);
    gboolean named = sql_int(store, 0, "SELECT 1 FROM placement WHERE folder = ? AND file = ?", "ls", folder,
                             entry->file) != 0;
    if (path && !named && owed && possible && !message)
        txn_unlink_on_rollback(store, path);
    else if (path && !named)
        txn_unlink_on_commit(store, path);
    if (!owed || (!possible && !message))
        return TRUE; /* that it was sent counts in any case; the copy stays owed */
    if (!message &&
        (!(journal = journal_begin(store, error)) || /* without a text: not offered for undo */
         !intent_append_one(store, folder, entry, index, FLAG_SEEN, "", journal, &message, &intent, error)))
        return FALSE;
    return sql_run(store, error, "UPDATE outbox SET copy = ?, sent_message = ? WHERE id = ?", "ill",
                   (int)OUTBOX_COPY_DONE, message, id);
}

gboolean
outbox_copied(struct store *store, gint64 id, gint64 sent_folder, const struct maildir_entry *entry,
              const struct message_index *index, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error)) {
        g_autofree char *path = entry_path(store, sent_folder, entry);
        if (path)
            unlink(path);
        return FALSE;
    }
    return txn_leave(store, own, copy_to_sent(store, id, sent_folder, entry, index, error), error);
}

/* --- what became of it */

static gboolean
note_attempt(struct store *store, gint64 id, const struct outbox_attempt *attempt, GError **error)
{
    return sql_run(store, error,
                   "INSERT INTO outbox_attempt (item, time, server, tls, reply, ok, dialogue) VALUES (?, ?, "
                   "?, ?, ?, ?, ?)",
                   "llsssis", id, attempt->time ? attempt->time : clock_now_us(), attempt->server,
                   attempt->tls, attempt->reply, !!attempt->ok, attempt->dialogue) &&
           sql_run(store, error, "UPDATE outbox SET attempts = attempts + 1 WHERE id = ?", "l", id);
}

/* What was decided before stays: a bounce may have come meanwhile. */
static gboolean
note_recipients(struct store *store, const struct outbox_item *item, GError **error)
{
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        if (!sql_run(store, error,
                     "UPDATE outbox_recipient SET state = ?, code = ?, enhanced = ?, text = ? WHERE id = ? "
                     "AND state NOT IN (3, 5)",
                     "iissl", (int)recipient->state, recipient->code, recipient->enhanced, recipient->text,
                     recipient->id))
            return FALSE;
    }
    return TRUE;
}

static gboolean
any_recipient(struct store *store, gint64 id, enum outbox_state state)
{
    return sql_int(store, 0, "SELECT 1 FROM outbox_recipient WHERE item = ? AND state = ?", "li", id,
                   (int)state) != 0;
}

gboolean
outbox_finish(struct store *store, const struct outbox_item *item, const struct outbox_result *result,
              GError **error)
{
    gboolean own, ok;

    STEP("outbox.finish");
    if (!txn_enter(store, &own, error))
        return FALSE;
    ok = (!result->attempt || note_attempt(store, item->id, result->attempt, error)) &&
         note_recipients(store, item, error);
    enum outbox_state state = result->state;
    if (state == OUTBOX_SENT && any_recipient(store, item->id, OUTBOX_FAILED))
        state = OUTBOX_FAILED;
    ok = ok &&
         sql_run(store, error,
                 "UPDATE outbox SET code = ?, enhanced = ?, error = ?, next_attempt = ?, owner = NULL, "
                 "data_sent = 0 WHERE id = ?",
                 "issll", result->code, result->enhanced, result->text, result->next_attempt, item->id) &&
         outbox_set_state(store, item->id, item->state, state, error);
    if (ok && result->sent_entry)
        ok = copy_to_sent(store, item->id, result->sent_folder, result->sent_entry, result->index, error);
    return txn_leave(store, own, ok, error);
}

/* --- what came back */

static const struct outbox_recipient *
find_recipient(const struct outbox_item *item, const char *addr)
{
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        if (address_same(recipient->addr, addr))
            return recipient;
    }
    for (guint i = 0; i < item->recipients->len; i++) { /* many servers write all of it in small letters */
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        if (!g_ascii_strcasecmp(recipient->addr, addr))
            return recipient;
    }
    return NULL;
}

/* The item fails with a recipient when nothing else is going on: others may wait for their next attempt
 * still. */
static gboolean
fail_item(struct store *store, const struct outbox_item *item, const char *enhanced, const char *text,
          GError **error)
{
    if (item->state != OUTBOX_SENT &&
        (item->state != OUTBOX_UNKNOWN || any_recipient(store, item->id, OUTBOX_UNKNOWN)))
        return TRUE;
    return sql_run(store, error, "UPDATE outbox SET code = 0, enhanced = ?, error = ? WHERE id = ?", "ssl",
                   enhanced, text, item->id) &&
           outbox_set_state(store, item->id, item->state, OUTBOX_FAILED, error);
}

gboolean
outbox_bounced(struct store *store, gint64 id, const char *recipient, gboolean hard, const char *enhanced,
               const char *text, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autoptr(struct_outbox_item) item = outbox_get(store, id, error);
    const struct outbox_recipient *row = item ? find_recipient(item, recipient) : NULL;
    if (item && !row)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "message %" G_GINT64_FORMAT " was not sent to %s", id,
                    recipient);
    gboolean ok =
        row &&
        sql_run(store, error,
                "UPDATE outbox_recipient SET state = ?, code = 0, enhanced = ?, text = ? WHERE id = ?",
                "issl", (int)OUTBOX_FAILED, enhanced, text, row->id) &&
        fail_item(store, item, enhanced, text, error) &&
        (!hard || contact_set_bounced(store, row->addr,
                                      text       ? text
                                      : enhanced ? enhanced
                                                 : "",
                                      error));
    return txn_leave(store, own, ok, error);
}

GPtrArray *
outbox_attempts(struct store *store, gint64 id, GError **error)
{
    g_autoptr(GPtrArray) attempts = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_attempt_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT id, item, time, server, tls, reply, ok, dialogue FROM outbox_attempt "
                                "WHERE item = ? ORDER BY id",
                                "l", id);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct outbox_attempt *attempt = g_new0(struct outbox_attempt, 1);
        attempt->id = sqlite3_column_int64(q, 0);
        attempt->item = sqlite3_column_int64(q, 1);
        attempt->time = sqlite3_column_int64(q, 2);
        attempt->server = sql_dup(q, 3);
        attempt->tls = sql_dup(q, 4);
        attempt->reply = sql_dup(q, 5);
        attempt->ok = sqlite3_column_int(q, 6) != 0;
        attempt->dialogue = sql_dup(q, 7);
        g_ptr_array_add(attempts, attempt);
    }
    return rc < 0 ? NULL : g_steal_pointer(&attempts);
}
