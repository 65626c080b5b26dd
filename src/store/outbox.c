/* The queue as its user sees it: queueing, listing, holding, cancelling. The sender's part is outbox_send.c.
 */
#include "config.h"

#include "store/outbox.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/outbox_row.h"
#include "store/placement.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const state_names[OUTBOX_STATES] = {"",         "waiting", "sending", "sent",
                                                       "deferred", "failed",  "unknown", "cancelled"};

const char *
outbox_state_name(enum outbox_state state)
{
    return state < OUTBOX_STATES ? state_names[state] : "";
}

static void
recipient_free(gpointer data)
{
    struct outbox_recipient *recipient = data;
    g_free(recipient->addr);
    g_free(recipient->enhanced);
    g_free(recipient->text);
    g_free(recipient);
}

void
outbox_item_free(struct outbox_item *item)
{
    if (!item)
        return;
    g_free(item->account_name);
    g_free(item->file);
    g_free(item->from);
    g_clear_pointer(&item->recipients, g_ptr_array_unref);
    g_free(item->subject);
    g_free(item->message_id);
    g_free(item->enhanced);
    g_free(item->error);
    g_free(item->dsn_notify);
    g_free(item->dsn_ret);
    g_free(item->dsn_envid);
    g_free(item);
}

/* --- the file: whole and durable before any row names it */

static gboolean
write_all(int fd, const char *bytes, gsize length)
{
    while (length) {
        if (STEP_FAILS("outbox.write"))
            return FALSE;
        gssize n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return FALSE;
        if (n > 0) {
            bytes += n;
            length -= (gsize)n;
        }
    }
    return TRUE;
}

static gboolean
sync_dir(const char *dir)
{
    int fd = STEP_FAILS("outbox.fsync-dir") ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return FALSE;
    int rc = fsync(fd), err = errno;
    close(fd);
    errno = err;
    return rc == 0;
}

char *
outbox_write_file(struct store *store, GBytes *message, guint64 *wire_size, GError **error)
{
    g_autofree char *dir = g_build_filename(store->mail_dir, ".outbox", NULL), *name = maildir_new_unique();
    g_autofree char *path = g_build_filename(dir, name, NULL),
                    *tmp = g_strconcat(path, ".tmp", NULL); /* housekeeping passes dot files by */
    g_autoptr(GBytes) lf = crlf_to_lf(message);
    gsize length;
    const char *bytes = g_bytes_get_data(lf, &length);

    gboolean is_new = access(dir, F_OK) < 0;
    if (!paths_make_dir(dir, error))
        return NULL;
    *wire_size = length;
    for (const char *p = bytes; p && (p = memchr(p, '\n', length - (gsize)(p - bytes))); p++)
        ++*wire_size;
    int fd = STEP_FAILS("outbox.create")
                 ? -1
                 : open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    gboolean ok =
        fd >= 0 && write_all(fd, bytes, length) && !STEP_FAILS("outbox.fdatasync") && fdatasync(fd) == 0;
    int err = errno;
    if (fd >= 0 && close(fd) < 0 && ok) {
        ok = FALSE;
        err = errno;
    }
    if (ok && (STEP_FAILS("outbox.rename") || rename(tmp, path) < 0 || !sync_dir(dir) ||
               (is_new && !sync_dir(store->mail_dir)))) {
        ok = FALSE;
        err = errno;
    }
    if (ok)
        return g_steal_pointer(&name);
    unlink(tmp);
    unlink(path);
    error_set_errno(error, STORE_ERROR, err, "cannot queue the message in %s: it is not sent", dir);
    return NULL;
}

/* --- queueing */

/* A Message-ID without its brackets; NULL for none. */
static char *
bare_id(const char *id)
{
    gsize length = id ? strlen(id) : 0;
    if (length > 2 && *id == '<' && id[length - 1] == '>')
        return g_strndup(id + 1, length - 2);
    return length ? g_strdup(id) : NULL;
}

/* Each once, as the server would send it as often as it is named. Pointers are borrowed. */
static GPtrArray *
distinct(const GPtrArray *list, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < address_list_length(list); i++) {
        const struct address *address = address_list_get(list, i);
        if (!address->addr)
            continue; /* an empty group */
        if (!address_check(address->addr, error))
            return NULL;
        if (g_hash_table_add(seen, address_normalise(address->addr)))
            g_ptr_array_add(found, (gpointer)address);
    }
    if (!found->len) {
        g_set_error(error, STORE_ERROR, ERROR_INPUT, "the message has no recipients");
        return NULL;
    }
    return g_steal_pointer(&found);
}

static gboolean
insert_item(struct store *store, const struct outbox_new *new, const GPtrArray *recipients, const char *file,
            guint64 size, gint64 *id, GError **error)
{
    gint64 now = clock_now(), undo_until = new->undo_seconds ? now + new->undo_seconds : 0;
    gint64 due = MAX(MAX(new->send_at, undo_until), 0);
    g_autofree char *message_id = bare_id(new->message_id), *envid = bare_id(new->dsn_envid);

    if (!sql_run(store, error,
                 "INSERT INTO outbox (account, file, sender, subject, message_id, state, hold, created, "
                 "send_at, undo_until, next_attempt,"
                 " size, copy, dsn_notify, dsn_ret, dsn_envid, draft, answers, answer_flag)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 "lssssiilllllissslli", new->account, file, new->from ? new->from : "",
                 new->subject ? new->subject : "", message_id, (int)OUTBOX_WAITING, !!new->hold, now,
                 new->send_at, undo_until, due, (gint64)size,
                 (int)(new->copy ? OUTBOX_COPY_NEEDED : OUTBOX_COPY_NONE), new->dsn_notify, new->dsn_ret,
                 envid, new->draft, new->answers, new->answer_flag))
        return FALSE;
    *id = sqlite3_last_insert_rowid(store->db);
    for (guint i = 0; i < recipients->len; i++)
        if (!sql_run(store, error, "INSERT INTO outbox_recipient (item, addr, state) VALUES (?, ?, ?)", "lsi",
                     *id, ((const struct address *)recipients->pdata[i])->addr, (int)OUTBOX_WAITING))
            return FALSE;
    log_info("outbox.state", "item=%d new -> waiting", (int)*id);
    return TRUE;
}

/* The draft goes, the answered message is marked: what the user sees when the item is in the queue. */
static gboolean
settle_sources(struct store *store, const struct outbox_new *new, GError **error)
{
    g_autoptr(GArray) drafts = new->draft ? placement_ids_of(store, new->draft, TRUE, error)
                                          : g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) answered = new->answers ? placement_ids_of(store, new->answers, TRUE, error)
                                              : g_array_new(FALSE, FALSE, sizeof(gint64));
    gint64 journal = new->draft ? journal_begin(store, error) : 0; /* without a text: not offered for undo */
    gboolean ok = drafts && answered && (!new->draft || journal), changed;

    for (guint i = 0; ok && i < drafts->len; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_read(store, g_array_index(drafts, gint64, i), &row, error) &&
             intent_expunge_one(store, &row, 0, journal, error);
    }
    for (guint i = 0; ok && i < answered->len; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_read(store, g_array_index(answered, gint64, i), &row, error) &&
             intent_mark_one(store, &row, new->answer_flag, 0, NULL, NULL, 0, &changed, error);
    }
    return ok;
}

gint64
outbox_queue(struct store *store, const struct outbox_new *new, GError **error)
{
    guint64 size;
    gint64 id = 0;
    gboolean own;

    g_autoptr(GPtrArray) recipients = distinct(new->recipients, error);
    if (!recipients)
        return 0;
    if (!sql_int(store, 0, "SELECT 1 FROM account WHERE id = ?", "l", new->account)) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    "the account to send from is not in the mail store yet: run \"postrider sync\"");
        return 0;
    }
    g_autofree char *file = outbox_write_file(store, new->message, &size, error);
    if (!file)
        return 0;
    STEP("outbox.file-durable");
    g_autofree char *path = g_build_filename(store->mail_dir, ".outbox", file, NULL);
    if (!txn_enter(store, &own, error)) {
        unlink(path);
        return 0;
    }
    txn_unlink_on_rollback(store, path);
    gboolean ok = insert_item(store, new, recipients, file, size, &id, error) &&
                  settle_sources(store, new, error) &&
                  contact_written(store, new->account, recipients, clock_now(), error);
    return txn_leave(store, own, ok, error) ? id : 0;
}

/* --- reading */

#define COLUMNS                                                                                              \
    "SELECT o.id, o.account, a.name, o.file, o.sender, o.subject, o.message_id, o.state, o.hold, "           \
    "o.created, o.send_at,"                                                                                  \
    " o.undo_until, o.next_attempt, o.attempts, o.size, o.code, o.enhanced, o.error, o.copy, "               \
    "o.sent_message, o.dsn_notify,"                                                                          \
    " o.dsn_ret, o.dsn_envid, o.draft, o.answers, o.answer_flag FROM outbox o LEFT JOIN account a ON a.id "  \
    "= o.account "

static struct outbox_item *
read_row(sqlite3_stmt *q)
{
    struct outbox_item *item = g_new0(struct outbox_item, 1);
    int i = 0;
    item->id = sqlite3_column_int64(q, i++);
    item->account = sqlite3_column_int64(q, i++);
    item->account_name = g_strdup(sql_str(q, i++));
    item->file = sql_dup(q, i++);
    item->from = sql_dup(q, i++);
    item->subject = sql_dup(q, i++);
    item->message_id = sql_dup(q, i++);
    item->state = (enum outbox_state)sqlite3_column_int(q, i++);
    item->hold = sqlite3_column_int(q, i++) != 0;
    item->created = sqlite3_column_int64(q, i++);
    item->send_at = sqlite3_column_int64(q, i++);
    item->undo_until = sqlite3_column_int64(q, i++);
    item->next_attempt = sqlite3_column_int64(q, i++);
    item->attempts = (guint)sqlite3_column_int(q, i++);
    item->size = (guint64)sqlite3_column_int64(q, i++);
    item->code = sqlite3_column_int(q, i++);
    item->enhanced = sql_dup(q, i++);
    item->error = sql_dup(q, i++);
    item->copy = (enum outbox_copy)sqlite3_column_int(q, i++);
    item->sent_message = sqlite3_column_int64(q, i++);
    item->dsn_notify = sql_dup(q, i++);
    item->dsn_ret = sql_dup(q, i++);
    item->dsn_envid = sql_dup(q, i++);
    item->draft = sqlite3_column_int64(q, i++);
    item->answers = sqlite3_column_int64(q, i++);
    item->answer_flag = (guint)sqlite3_column_int(q, i++);
    item->recipients = g_ptr_array_new_with_free_func(recipient_free);
    return item;
}

static gboolean
read_recipients(struct store *store, struct outbox_item *item, GError **error)
{
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT id, addr, state, code, enhanced, text FROM outbox_recipient WHERE item = ? ORDER BY id", "l",
        item->id);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct outbox_recipient *recipient = g_new0(struct outbox_recipient, 1);
        recipient->id = sqlite3_column_int64(q, 0);
        recipient->addr = sql_dup(q, 1);
        recipient->state = (enum outbox_state)sqlite3_column_int(q, 2);
        recipient->code = sqlite3_column_int(q, 3);
        recipient->enhanced = sql_dup(q, 4);
        recipient->text = sql_dup(q, 5);
        g_ptr_array_add(item->recipients, recipient);
    }
    return rc == 0;
}

static GPtrArray *
read_items(struct store *store, sqlite3_stmt *q, GError **error)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_item_free);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(items, read_row(q));
    for (guint i = 0; rc == 0 && i < items->len; i++)
        if (!read_recipients(store, items->pdata[i], error))
            rc = -1;
    return rc < 0 ? NULL : g_steal_pointer(&items);
}

GPtrArray *
outbox_list(struct store *store, gint64 account, gboolean all, GError **error)
{
    return read_items(
        store,
        sql_query(store, error,
                  COLUMNS "WHERE (?1 = 0 OR o.account = ?1) AND (?2 OR o.state NOT IN (3, 7)) ORDER BY o.id",
                  "li", account, all),
        error);
}

GPtrArray *
outbox_list_uncopied(struct store *store, gint64 account, GError **error)
{
    return read_items(store,
                      sql_query(store, error,
                                COLUMNS "WHERE o.account = ? AND o.copy = 1 AND " OUTBOX_WAS_TAKEN
                                        " ORDER BY o.id",
                                "l", account),
                      error);
}

struct outbox_item *
outbox_get(struct store *store, gint64 id, GError **error)
{
    g_autoptr(GPtrArray) items =
        read_items(store, sql_query(store, error, COLUMNS "WHERE o.id = ?", "l", id), error);
    if (items && !items->len)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    "there is no message %" G_GINT64_FORMAT " in the queue", id);
    return items && items->len ? g_ptr_array_steal_index(items, 0) : NULL;
}

gint64
outbox_find(struct store *store, const char *message_id)
{
    g_autofree char *bare = bare_id(message_id);
    /* One that was taken back and written anew has the same Message-ID. */
    return sql_int(store, 0,
                   "SELECT id FROM (SELECT id, state FROM outbox WHERE message_id = ?1 UNION SELECT id, "
                   "state FROM outbox"
                   " WHERE dsn_envid = ?1) ORDER BY state = 7, id DESC",
                   "s", bare);
}

gint64
outbox_find_recent(struct store *store, const char *recipient, const char *subject, gint64 since)
{
    return sql_int(store, 0,
                   "SELECT o.id FROM outbox o JOIN outbox_recipient r ON r.item = o.id WHERE o.created >= ? AND o.subject = ?"
                   " AND lower(r.addr) = lower(?) AND o.state IN (3, 5) ORDER BY o.id DESC LIMIT 1",
                   "lss", since, subject, recipient);
}

GBytes *
outbox_bytes(struct store *store, const struct outbox_item *item, GError **error)
{
    if (!*item->file) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    "the text of the sent message is not kept in the queue any more");
        return NULL;
    }
    g_autofree char *path = g_build_filename(store->mail_dir, ".outbox", item->file, NULL);
    return maildir_read(path, error);
}

gint64
outbox_count(struct store *store)
{
    return sql_int(store, 0, "SELECT count(*) FROM outbox WHERE state IN (1, 2, 4, 5, 6)", "");
}

gint64
outbox_next_due(struct store *store, gint64 account)
{
    return sql_int(store, 0,
                   "SELECT min(max(next_attempt, 1)) FROM outbox WHERE (?1 = 0 OR account = ?1) AND state IN "
                   "(1, 4) AND hold = 0",
                   "l", account);
}

/* --- states */

gboolean
outbox_set_state(struct store *store, gint64 id, enum outbox_state from, enum outbox_state to, GError **error)
{
    if (!sql_run(store, error, "UPDATE outbox SET state = ? WHERE id = ? AND state = ?", "ili", (int)to, id,
                 (int)from))
        return FALSE;
    if (sqlite3_changes(store->db) != 1) {
        g_set_error(error, STORE_ERROR, ERROR_STALE,
                    "message %" G_GINT64_FORMAT " in the queue was changed meanwhile", id);
        return FALSE;
    }
    if (from != to)
        log_info("outbox.state", "item=%d %s -> %s", (int)id, outbox_state_name(from), outbox_state_name(to));
    return TRUE;
}

/* Begins a change by the user: the item's state, when it is one of `allowed`; 0 with an error. */
static enum outbox_state
state_for(struct store *store, gint64 id, guint allowed, const char *what, GError **error)
{
    gint64 state = sql_int(store, 0, "SELECT state FROM outbox WHERE id = ?", "l", id);
    if (!state)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    "there is no message %" G_GINT64_FORMAT " in the queue", id);
    else if (!(allowed & 1u << state))
        g_set_error(error, STORE_ERROR, state == OUTBOX_SENDING ? ERROR_BUSY : ERROR_REFUSED,
                    state == OUTBOX_SENDING ? "message %" G_GINT64_FORMAT
                                              " is being sent just now and cannot be %s"
                                            : "message %" G_GINT64_FORMAT " cannot be %s any more",
                    id, what);
    else
        return (enum outbox_state)state;
    return 0;
}

#define BIT(state) (1u << OUTBOX_##state)

gboolean
outbox_hold(struct store *store, gint64 id, gboolean hold, GError **error)
{
    gboolean own, ok;
    if (!txn_enter(store, &own, error))
        return FALSE;
    ok = state_for(store, id, BIT(WAITING) | BIT(DEFERRED), hold ? "held" : "released", error) &&
         sql_run(store, error, "UPDATE outbox SET hold = ? WHERE id = ?", "il", !!hold, id);
    return txn_leave(store, own, ok, error);
}

gboolean
outbox_retry(struct store *store, gint64 id, GError **error)
{
    gboolean own, ok;
    if (!txn_enter(store, &own, error))
        return FALSE;
    enum outbox_state state =
        state_for(store, id, BIT(WAITING) | BIT(DEFERRED) | BIT(FAILED) | BIT(UNKNOWN) | BIT(CANCELLED),
                  "sent again", error);
    /* Who has it already does not get it twice. */
    ok = state &&
         sql_run(store, error, "UPDATE outbox_recipient SET state = 1 WHERE item = ? AND state <> 3", "l",
                 id) &&
         sql_run(store, error,
                 "UPDATE outbox SET hold = 0, send_at = 0, undo_until = 0, next_attempt = 0 WHERE id = ?",
                 "l", id) &&
         sql_run(store, error,
                 "UPDATE message SET bits = bits & ~?1 WHERE id = (SELECT sent_message FROM outbox WHERE id = ?2)", "il",
                 (int)MESSAGE_BOUNCED, id) &&
         outbox_set_state(store, id, state, OUTBOX_WAITING, error);
    return txn_leave(store, own, ok, error);
}

gboolean
outbox_flush(struct store *store, gint64 account, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    /* What is held, or for a time that the user named, stays. */
    gboolean ok = sql_run(store, error,
                          "UPDATE outbox SET next_attempt = MAX(send_at, undo_until) WHERE (?1 = 0 OR account = ?1) "
                          "AND state IN (1, 4)"
                          " AND hold = 0 AND send_at <= ?2",
                          "ll", account, clock_now());
    return txn_leave(store, own, ok, error);
}

gboolean
outbox_cancel(struct store *store, gint64 id, GBytes **message, GError **error)
{
    gboolean own, ok;
    if (!txn_enter(store, &own, error))
        return FALSE;
    enum outbox_state state =
        state_for(store, id, BIT(WAITING) | BIT(DEFERRED) | BIT(FAILED) | BIT(UNKNOWN) | BIT(CANCELLED),
                  "taken back", error);
    g_autoptr(struct_outbox_item) item = state ? outbox_get(store, id, error) : NULL;
    g_autoptr(GBytes) bytes = item && message ? outbox_bytes(store, item, error) : NULL;
    ok = item && (!message || bytes) && outbox_set_state(store, id, state, OUTBOX_CANCELLED, error);
    ok = txn_leave(store, own, ok, error);
    if (ok && message)
        *message = g_steal_pointer(&bytes);
    return ok;
}
