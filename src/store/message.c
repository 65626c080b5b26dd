#include "config.h"

#include "store/message.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/maildir.h"
#include "store/rows.h"
#include "base/clock.h"
#include "base/flags.h"

#include <string.h>

void
message_free(struct message *message)
{
    if (!message)
        return;
    g_free(message->message_id);
    g_free(message->from_name);
    g_free(message->from_addr);
    g_clear_pointer(&message->to, g_ptr_array_unref);
    g_clear_pointer(&message->cc, g_ptr_array_unref);
    g_free(message->subject);
    g_free(message->in_reply_to);
    g_strfreev(message->references);
    g_free(message->list_id);
    g_free(message->tags);
    g_free(message->preview);
    g_free(message->emailid);
    g_free(message);
}

static struct message *
read_row(sqlite3_stmt *q)
{
    struct message *message = g_new0(struct message, 1);
    int i = 0;
    message->id = sqlite3_column_int64(q, i++);
    message->thread = sqlite3_column_int64(q, i++);
    message->key = sqlite3_column_int64(q, i++);
    message->message_id = sql_dup(q, i++);
    message->date = sqlite3_column_int64(q, i++);
    message->zone = sqlite3_column_int(q, i++);
    message->received = sqlite3_column_int64(q, i++);
    message->from_name = sql_dup(q, i++);
    message->from_addr = sql_dup(q, i++);
    message->to = people_unpack(sql_str(q, i++));
    message->cc = people_unpack(sql_str(q, i++));
    message->subject = g_strdup(sql_str(q, i++));
    message->list_id = sql_dup(q, i++);
    message->size = (guint64)sqlite3_column_int64(q, i++);
    message->bits = (guint)sqlite3_column_int(q, i++);
    message->flags = (guint)sqlite3_column_int(q, i++);
    message->tags = g_strdup(sql_str(q, i++));
    message->preview = g_strdup(sql_str(q, i++));
    message->cached = sqlite3_column_int(q, i++) != 0;
    const char *emailid = sql_str(q, i++), *colon = strchr(emailid, ':');
    message->emailid = colon ? g_strdup(colon + 1) : NULL;
    const void *hash = sqlite3_column_blob(q, i);
    if (hash && sqlite3_column_bytes(q, i++) == 32)
        memcpy(message->hash, hash, 32);
    message->junk = sqlite3_column_int(q, 21);
    message->in_reply_to = sql_dup(q, 22);
    const char *refs = sql_str(q, 23);
    message->references = *refs ? g_strsplit(refs, " ", -1) : g_new0(char *, 1);
    return message;
}

struct message *
message_load(struct store *store, gint64 id, GError **error)
{
    struct message *message = NULL;
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT m.id, m.thread, m.key, m.message_id, m.date, m.zone, m.received, m.from_name, m.from_addr,"
        " m.to_list, m.cc_list, m.subject, m.list_id, m.size, m.bits, m.flags, m.tags, m.preview, m.cached,"
        " m.emailid, m.hash, m.junk, r.in_reply_to, r.refs FROM message m"
        " LEFT JOIN reference r ON r.message = m.id WHERE m.id = ?",
        "l", id);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc > 0) {
        message = read_row(q);
        sql_end(q);
    } else if (rc == 0) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "there is no message %" G_GINT64_FORMAT, id);
    }
    return message;
}

GArray *
message_find_id(struct store *store, const char *message_id)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(gint64));
    guint8 mid[MID_SIZE];

    if (!mid_hash(message_id, mid))
        return found;
    sqlite3_stmt *q =
        sql_query(store, NULL, "SELECT id FROM message WHERE mid = ? ORDER BY shown > 0 DESC, key DESC", "b",
                  mid, (gsize)MID_SIZE);
    while (q && sql_row(store, q, NULL) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(found, id);
    }
    return found;
}

gint64
message_find_hash(struct store *store, const guint8 hash[32])
{
    return sql_int(store, 0, "SELECT id FROM message WHERE hash = ?", "b", hash, (gsize)32);
}

gint64
message_lookup(struct store *store, const char *text, GError **error)
{
    gint64 id = 0;

    if (g_str_has_prefix(text, "id:")) {
        const char *start = text + 3;
        gsize length = strlen(start);
        if (*start == '<' && length > 2 && start[length - 1] == '>') {
            start++;
            length -= 2;
        }
        g_autofree char *message_id = g_strndup(start, length);
        g_autoptr(GArray) found = message_find_id(store, message_id);
        if (found->len)
            return g_array_index(found, gint64, 0);
    } else {
        char *end;
        guint64 number = g_ascii_strtoull(text, &end, 10);
        if (!g_ascii_isdigit(*text) || *end || number > G_MAXINT64) {
            g_set_error(
                error, STORE_ERROR, ERROR_INPUT,
                "\"%s\" names no message: give the number that \"postrider list\" shows, or id:MESSAGE-ID",
                text);
            return 0;
        }
        id = sql_int(store, 0, "SELECT id FROM message WHERE id = ?", "l", (gint64)number);
    }
    if (!id)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT,
                    "there is no message %s: \"postrider list\" shows what there is", text);
    return id;
}

char *
store_message_path(struct store *store, gint64 message, GError **error)
{
    g_autoptr(GArray) ids = placement_ids_of(store, message, FALSE, error);
    gboolean expected = FALSE;

    if (!ids)
        return NULL;
    for (guint i = 0; i < ids->len; i++) {
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(store, g_array_index(ids, gint64, i), &row, NULL))
            continue;
        expected |= row.file != NULL;
        char *path = placement_row_path(store, &row);
        if (path)
            return path;
    }
    if (!ids->len)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "there is no message %" G_GINT64_FORMAT, message);
    else if (expected)
        g_set_error(error, STORE_ERROR, ERROR_STALE,
                    "the file of message %" G_GINT64_FORMAT
                    " has gone: another program removed it, the next sync brings it back",
                    message);
    else
        g_set_error(error, STORE_ERROR, ERROR_STALE,
                    "the text of message %" G_GINT64_FORMAT " is not here yet: it comes with the next sync",
                    message);
    return NULL;
}

GBytes *
store_message_bytes(struct store *store, gint64 message, GError **error)
{
    g_autofree char *path = store_message_path(store, message, error);
    return path ? maildir_read(path, error) : NULL;
}

static void
place_free(gpointer data)
{
    struct message_place *place = data;
    g_free(place->account);
    g_free(place->folder_name);
    g_free(place->tags);
    g_free(place->file);
    g_free(place);
}

GPtrArray *
message_places(struct store *store, gint64 message, GError **error)
{
    g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(place_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT p.id, p.folder, a.name, f.name, f.role, p.uid, p.flags, p.tags, "
                                "f.dir, p.file FROM placement p"
                                " JOIN folder f ON f.id = p.folder JOIN account a ON a.id = f.account"
                                " WHERE p.message = ? AND p." SHOWN " ORDER BY p.id",
                                "l", message);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct message_place *place = g_new0(struct message_place, 1);
        place->placement = sqlite3_column_int64(q, 0);
        place->folder = sqlite3_column_int64(q, 1);
        place->account = sql_dup(q, 2);
        place->folder_name = sql_dup(q, 3);
        place->role = (guint)sqlite3_column_int(q, 4);
        place->uid = (guint32)sqlite3_column_int64(q, 5);
        place->flags = (guint)sqlite3_column_int(q, 6);
        place->tags = sql_dup(q, 7);
        if (sqlite3_column_type(q, 9) != SQLITE_NULL)
            place->file = g_build_filename(sql_str(q, 8), "cur", sql_str(q, 9), NULL);
        g_ptr_array_add(places, place);
    }
    return rc < 0 ? NULL : g_steal_pointer(&places);
}

gboolean
message_lies_in(struct store *store, gint64 message, guint roles)
{
    return sql_int(store, 0,
                   "SELECT EXISTS (SELECT 1 FROM placement p INDEXED BY placement_message CROSS JOIN folder f ON f.id = p.folder"
                   " WHERE p.message = ? AND p." SHOWN " AND (1 << f.role) & ? <> 0)",
                   "li", message, roles) != 0;
}

static gboolean
set_number(struct store *store, gint64 message, const char *text, gint64 a, gint64 b, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gint64 sequence = txn_sequence(store, error);
    gboolean ok = sequence && sql_run(store, error, text, "llll", a, b, sequence, message);
    return txn_leave(store, own, ok, error);
}

gboolean
message_set_bits(struct store *store, gint64 message, guint set, guint clear, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = set_number(store, message, "UPDATE message SET bits = (bits | ?) & ~?, changed = ? WHERE id = ?", set,
                             clear, error) &&
                  /* One that may be read again waits for it. */
                  (!(clear & MESSAGE_BROKEN) || sql_run(store, error, TEXTS_MISSED " AND m.id = ?", "l", message));
    return txn_leave(store, own, ok, error);
}

gboolean
message_set_junk(struct store *store, gint64 message, int junk, GError **error)
{
    return set_number(store, message, "UPDATE message SET junk = ? + ?, changed = ? WHERE id = ?", junk, 0,
                      error);
}

gboolean
message_want_body(struct store *store, gint64 message, GError **error)
{
    gboolean own;
    if (sql_int(store, 1, "SELECT cached FROM message WHERE id = ?", "l", message))
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(
        store, own,
        sql_run(store, error, "INSERT OR IGNORE INTO wanted (message, time) VALUES (?, ?)", "ll", message, clock_now_us()),
        error);
}

gboolean
message_keep_excerpt(struct store *store, gint64 message, GBytes *bytes, GError **error)
{
    gboolean own;
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    if (!message_want_body(store, message, error) || !txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(store, own,
                     sql_run(store, error, "UPDATE wanted SET excerpt = ? WHERE message = ?", "bl", data, length, message),
                     error);
}

GBytes *
message_excerpt(struct store *store, gint64 message)
{
    sqlite3_stmt *q = sql_query(store, NULL,
                                "SELECT w.excerpt FROM wanted w JOIN message m ON m.id = w.message"
                                " WHERE w.message = ? AND w.excerpt IS NOT NULL AND m.cached = 0",
                                "l", message);
    if (!q || sql_row(store, q, NULL) <= 0)
        return NULL;
    GBytes *bytes = g_bytes_new(sqlite3_column_blob(q, 0), (gsize) sqlite3_column_bytes(q, 0));
    sql_end(q);
    return bytes;
}

GArray *
message_wanted_bodies(struct store *store, gint64 account, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q =
        sql_query(store, error,
                  "SELECT min(p.id) FROM wanted w CROSS JOIN placement p ON p.message = w.message "
                  "JOIN folder f ON f.id = p.folder"
                  " WHERE f.account = ? AND p.uid > 0 GROUP BY w.message ORDER BY w.time",
                  "l", account);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    return rc < 0 ? NULL : g_steal_pointer(&ids);
}
