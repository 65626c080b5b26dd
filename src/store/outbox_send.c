/* The queue as its sender sees it. */
#include "config.h"

#include "store/outbox.h"
#include "store/contact.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/outbox_row.h"
#include "store/owner.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"

#include <string.h>

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
             sql_run(store, error, "UPDATE outbox_recipient SET state = ? WHERE item = ? AND state <> 3",
                     "il", (int)state, id) &&
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
             sql_run(store, error,
                     "UPDATE outbox SET owner = ?, data_sent = 0, attempts = attempts + 1 WHERE id = ?", "sl",
                     self, id) &&
             (item = outbox_get(store, id, error)) != NULL;
    }
    if (!txn_leave(store, own, ok, error))
        g_clear_pointer(&item, outbox_item_free);
    return item;
}

gboolean
outbox_mark_data(struct store *store, gint64 id, GError **error)
{
    gboolean own;
    STEP("outbox.mark-data");
    if (!txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(store, own,
                     sql_run(store, error, "UPDATE outbox SET data_sent = 1 WHERE id = ?", "l", id), error);
}

static gboolean
copy_to_sent(struct store *store, gint64 id, gint64 folder, const struct maildir_entry *entry,
             const struct message_index *index, GError **error)
{
    gint64 message = 0, intent,
           journal = journal_begin(store, error); /* without a text: not offered for undo */
    return journal &&
           intent_append_one(store, folder, entry, index, FLAG_SEEN, "", journal, &message, &intent, error) &&
           sql_run(store, error, "UPDATE outbox SET copy = ?, sent_message = ? WHERE id = ?", "ill",
                   (int)OUTBOX_COPY_DONE, message, id);
}

static gboolean
was_taken(const struct outbox_item *item, enum outbox_state state)
{
    if (state == OUTBOX_SENT)
        return TRUE;
    for (guint i = 0; state == OUTBOX_FAILED && i < item->recipients->len; i++)
        if (((struct outbox_recipient *)item->recipients->pdata[i])->state == OUTBOX_SENT)
            return TRUE;
    return FALSE;
}

gboolean
outbox_finish(struct store *store, const struct outbox_item *item, const struct outbox_result *result,
              GError **error)
{
    const struct outbox_attempt *attempt = result->attempt;
    gboolean own, ok = TRUE;

    STEP("outbox.finish");
    if (!txn_enter(store, &own, error))
        return FALSE;
    if (attempt)
        ok = sql_run(store, error,
                     "INSERT INTO outbox_attempt (item, time, server, tls, reply, ok, dialogue) VALUES (?, "
                     "?, ?, ?, ?, ?, ?)",
                     "llsssis", item->id, attempt->time ? attempt->time : clock_now_us(), attempt->server,
                     attempt->tls, attempt->reply, !!attempt->ok, attempt->dialogue);
    for (guint i = 0; ok && i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        ok = sql_run(store, error,
                     "UPDATE outbox_recipient SET state = ?, code = ?, enhanced = ?, text = ? WHERE id = ?",
                     "iissl", (int)recipient->state, recipient->code, recipient->enhanced, recipient->text,
                     recipient->id);
    }
    ok = ok &&
         sql_run(store, error,
                 "UPDATE outbox SET code = ?, enhanced = ?, error = ?, next_attempt = ?, owner = NULL, "
                 "data_sent = 0 WHERE id = ?",
                 "issll", result->code, result->enhanced, result->text, result->next_attempt, item->id) &&
         outbox_set_state(store, item->id, item->state, result->state, error);
    if (ok && result->sent_entry && result->index && was_taken(item, result->state) &&
        sql_int(store, 0, "SELECT copy FROM outbox WHERE id = ?", "l", item->id) == OUTBOX_COPY_NEEDED)
        ok = copy_to_sent(store, item->id, result->sent_folder, result->sent_entry, result->index, error);
    return txn_leave(store, own, ok, error);
}

gboolean
outbox_copied(struct store *store, gint64 id, gint64 sent_folder, const struct maildir_entry *entry,
              const struct message_index *index, GError **error)
{
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    if (sql_int(store, 0, "SELECT copy FROM outbox WHERE id = ?", "l", id) == OUTBOX_COPY_NEEDED)
        ok = copy_to_sent(store, id, sent_folder, entry, index, error);
    return txn_leave(store, own, ok, error);
}

gboolean
outbox_bounced(struct store *store, gint64 id, const char *recipient, gboolean hard, const char *enhanced,
               const char *text, GError **error)
{
    gboolean own, ok;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gint64 state = sql_int(store, 0, "SELECT state FROM outbox WHERE id = ?", "l", id);
    if (!hard)
        ok = sql_run(
            store, error,
            "UPDATE outbox_recipient SET enhanced = ?, text = ? WHERE item = ? AND lower(addr) = lower(?)",
            "ssls", enhanced, text, id, recipient);
    else
        ok = sql_run(store, error,
                     "UPDATE outbox_recipient SET state = ?, enhanced = ?, text = ? WHERE item = ? AND "
                     "lower(addr) = lower(?)",
                     "issls", (int)OUTBOX_FAILED, enhanced, text, id, recipient) &&
             sql_run(store, error, "UPDATE outbox SET enhanced = ?, error = ? WHERE id = ?", "ssl", enhanced,
                     text, id) &&
             outbox_set_state(store, id, (enum outbox_state)state, OUTBOX_FAILED, error) &&
             contact_set_bounced(store, recipient,
                                 text       ? text
                                 : enhanced ? enhanced
                                            : "",
                                 error);
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
