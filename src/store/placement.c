#include "config.h"

#include "store/placement.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"
#include "store/survey.h"
#include "base/flags.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

void
placement_set_free(struct placement_set *set)
{
    if (!set)
        return;
    g_array_unref(set->array);
    g_string_chunk_free(set->strings);
    g_free(set);
}

#define SELECT_PLACEMENT(index)                                                                              \
    "SELECT p.id, p.message, p.modseq, p.uid, p.base_flags, p.flags, p.state, m.cached, m.size, "            \
    "p.base_tags, p.tags"                                                                                    \
    " FROM placement p " index " CROSS JOIN message m ON m.id = p.message WHERE p.folder = ?1 "

static void
read_row(sqlite3_stmt *q, struct placement *row)
{
    *row = (struct placement){
        .id = sqlite3_column_int64(q, 0),
        .message = sqlite3_column_int64(q, 1),
        .modseq = (guint64)sqlite3_column_int64(q, 2),
        .uid = (guint32)sqlite3_column_int64(q, 3),
        .base_flags = (guint16)sqlite3_column_int(q, 4),
        .flags = (guint16)sqlite3_column_int(q, 5),
        .state = (guint8)sqlite3_column_int(q, 6),
        .cached = (guint8)sqlite3_column_int(q, 7),
        .size = (guint32)MIN(sqlite3_column_int64(q, 8), (gint64)G_MAXUINT32),
    };
}

struct placement_set *
placement_load(struct store *store, gint64 folder, enum placement_select select, guint limit, GError **error)
{
    static const char *const queries[] = {
        SELECT_PLACEMENT("") "ORDER BY p.uid, p.id LIMIT ?2",
        SELECT_PLACEMENT(
            "INDEXED BY placement_changed") "AND p.uid > 0 AND p." SHOWN
                                            " AND (p.flags <> p.base_flags OR p.tags <> p.base_tags)"
                                            " ORDER BY p.uid LIMIT ?2",
        SELECT_PLACEMENT("INDEXED BY placement_no_uid") "AND p.uid = 0 ORDER BY p.id LIMIT ?2",
        SELECT_PLACEMENT(
            "INDEXED BY placement_no_file") "AND p.file IS NULL AND p." SHOWN
                                            " AND p.uid > 0 AND m.cached = 0 ORDER BY p.key DESC LIMIT ?2",
    };
    g_autoptr(struct_placement_set) set = g_new0(struct placement_set, 1);
    set->array = g_array_new(FALSE, FALSE, sizeof(struct placement));
    set->strings = g_string_chunk_new(4096);

    sqlite3_stmt *q =
        sql_query(store, error, queries[select], "ll", folder, limit ? (gint64)limit : (gint64)-1);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct placement row;
        read_row(q, &row);
        const char *base = sql_str(q, 9), *tags = sql_str(q, 10);
        row.base_tags = *base ? g_string_chunk_insert_const(set->strings, base) : "";
        row.tags = *tags ? g_string_chunk_insert_const(set->strings, tags) : "";
        g_array_append_val(set->array, row);
    }
    if (rc < 0)
        return NULL;
    set->rows = (struct placement *)set->array->data;
    set->n = set->array->len;
    return g_steal_pointer(&set);
}

gboolean
placement_get(struct store *store, gint64 id, struct placement *row, gint64 *folder, GError **error)
{
    sqlite3_stmt *q = sql_query(
        store, error,
        "SELECT p.id, p.message, p.modseq, p.uid, p.base_flags, p.flags, p.state, m.cached, m.size, p.folder"
        " FROM placement p JOIN message m ON m.id = p.message WHERE p.id = ?",
        "l", id);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc == 0)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the message has left the folder");
    if (rc <= 0)
        return FALSE;
    read_row(q, row);
    row->base_tags = row->tags = "";
    if (folder)
        *folder = sqlite3_column_int64(q, 9);
    sql_end(q);
    return TRUE;
}

gint64
placement_find_bodiless(struct store *store, gint64 folder, guint32 uid)
{
    return sql_int(store, 0,
                   "SELECT m.id FROM placement p JOIN message m ON m.id = p.message WHERE p.folder = ? AND p.uid = ?"
                   " AND p." SHOWN " AND m.cached = 0",
                   "ll", folder, (gint64)uid);
}

gboolean
placement_lacks_bodies(struct store *store, gint64 folder)
{
    return folder ? sql_int(store, 0, "SELECT EXISTS (SELECT 1 FROM placement WHERE folder = ? AND file IS NULL AND " SHOWN ")",
                            "l", folder) != 0
                  : sql_int(store, 0, "SELECT EXISTS (SELECT 1 FROM placement WHERE file IS NULL AND " SHOWN ")", "") != 0;
}

gint64
placement_find_uid(struct store *store, gint64 folder, guint32 uid)
{
    return uid ? sql_int(store, 0, "SELECT id FROM placement WHERE folder = ? AND uid = ? AND uid > 0", "ll",
                         folder, (gint64)uid)
               : 0;
}

guint32
placement_max_uid(struct store *store, gint64 folder)
{
    return (guint32)sql_int(store, 0, "SELECT max(uid) FROM placement WHERE folder = ? AND uid > 0", "l",
                            folder);
}

/* Mail that comes into a silenced conversation counts as read, here and, as that is wanted, on the server. */
static gboolean
is_silent(struct store *store, gint64 message, guint role)
{
    return role != FOLDER_DRAFTS && thread_is_muted(store, sql_int(store, 0, "SELECT thread FROM message WHERE id = ?", "l",
                                                                     message));
}

static gboolean
insert_one(struct store *store, gint64 folder, guint role, const struct placement_new *new, gint64 *id,
           GError **error)
{
    const char *tags = new->tags ? new->tags : "";
    g_autofree char *emailid = emailid_key(store, folder, new->emailid);

    if ((*id = placement_find_uid(store, folder, new->uid)))
        return TRUE;
    gint64 message =
        emailid ? sql_int(store, 0, "SELECT id FROM message WHERE emailid = ?", "s", emailid) : 0;
    gboolean known = message != 0;
    if (!known) {
        struct message_new row = {.envelope = new->envelope,
                                  .received = new->received,
                                  .size = new->size,
                                  .emailid = emailid,
                                  .attachments = new->attachments,
                                  .flags = new->flags,
                                  .tags = tags,
                                  .role = role,
                                  .text_later = new->text_later};
        message = message_row_insert(store, &row, error);
        if (!message)
            return FALSE;
    }
    gboolean silent = !known && is_silent(store, message, role);
    struct placement_row row = {.folder = folder,
                                .message = message,
                                .uid = new->uid,
                                .modseq = (gint64) new->modseq,
                                .base_flags = new->flags,
                                .flags = silent ? new->flags | FLAG_SEEN : new->flags,
                                .base_tags = (char *)tags,
                                .tags = (char *)tags};
    if (!placement_row_insert(store, &row, error) || ((known || silent) && !message_refresh(store, message, error)))
        return FALSE;
    *id = row.id;
    return TRUE;
}

gboolean
placement_insert(struct store *store, gint64 folder, const struct placement_new *rows, guint n, gint64 *ids,
                 GError **error)
{
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gint64 role = sql_int(store, -1, "SELECT role FROM folder WHERE id = ?", "l", folder);
    if (role < 0) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the folder is not there any more");
        ok = FALSE;
    }
    for (guint i = 0; i < n && ok; i++) {
        gint64 id = 0;
        ok = insert_one(store, folder, (guint)role, &rows[i], &id, error);
        if (ids)
            ids[i] = id;
    }
    return txn_leave(store, own, ok, error);
}

gint64
placement_match(struct store *store, gint64 folder, const struct placement_new *row)
{
    g_autofree char *emailid = emailid_key(store, folder, row->emailid);
    guint8 mid[MID_SIZE];
    gint64 id = 0;

    if (emailid)
        id = sql_int(store, 0,
                     "SELECT p.id FROM message m CROSS JOIN placement p ON p.message = m.id"
                     " WHERE m.emailid = ? AND p.folder = ? AND p.uid = 0 ORDER BY p.id",
                     "sl", emailid, folder);
    if (id || !mid_hash(row->envelope->message_id, mid))
        return id;
    gboolean dated = (row->envelope->flags & ENVELOPE_DATE_VALID) != 0;
    /* A server may count its size with or without what it adds: sizes only choose between several. An undated
     * message has the time of its arrival here, which says nothing. */
    return sql_int(store, 0,
                   "SELECT p.id FROM message m CROSS JOIN placement p ON p.message = m.id"
                   " WHERE m.mid = ?1 AND p.folder = ?2 AND p.uid = 0 AND (?3 = 0 OR m.date = ?4)"
                   " ORDER BY abs(m.size - ?5), p.id",
                   "blill", mid, (gsize)MID_SIZE, folder, dated, row->envelope->date, (gint64)row->size);
}

/* Two placements of one UID: the one that the server listed before its move or append was reported, and ours,
 * which stays. The listed one may have brought the content. */
static gboolean
absorb(struct store *store, const struct placement_row *keep, gint64 drop, GError **error)
{
    g_auto(struct_placement_row) other = {0};
    if (!placement_row_read(store, drop, &other, error) ||
        !sql_run(store, error, "UPDATE intent SET source = ? WHERE source = ?", "ll", keep->id, drop) ||
        !sql_run(store, error, "UPDATE intent SET target = ? WHERE target = ?", "ll", keep->id, drop) ||
        !sql_run(store, error, "UPDATE placement SET uid = 0, file = NULL WHERE id = ?", "l", drop))
        return FALSE;
    if (other.file && !keep->file) {
        if (!placement_row_set_file(store, keep->id, other.file, keep->flags, error))
            return FALSE;
        if (other.message != keep->message &&
            !(placement_row_set_message(store, keep, other.message, error) &&
              message_refresh(store, keep->message, error)))
            return FALSE;
        g_clear_pointer(&other.file, g_free);
    } /* else its file, if any, is an orphan of the same content: the next scan takes it away */
    return placement_row_delete(store, &other, error);
}

/* Where a message that is leaving is on its way to: the target of its move; 0: nowhere. */
static gint64
destination_of(struct store *store, const struct placement_row *row)
{
    if (row->state != PLACEMENT_LEAVING)
        return 0;
    return sql_int(store, 0,
                   "SELECT target FROM intent WHERE source = ? AND source > 0 AND kind = 1 AND target > 0",
                   "l", row->id);
}

static gboolean
carry_one(struct store *store, const struct placement_row *row, guint from_flags, const char *from_tags,
          guint flags, const char *tags, GError **error)
{
    guint wanted = flags_merge(from_flags, row->flags, flags);
    g_autofree char *wanted_tags = tags_merge(from_tags, row->tags, tags);
    if (wanted == row->flags && !strcmp(wanted_tags, row->tags))
        return TRUE;
    return placement_row_set_flags(store, row, row->base_flags, row->base_tags, wanted, wanted_tags,
                                   row->modseq, error) &&
           message_refresh(store, row->message, error);
}

/* The change from one state of flags and tags to another, made to what is wanted of `to`, and of where that
 * is going. */
static gboolean
carry(struct store *store, gint64 to, guint from_flags, const char *from_tags, guint flags, const char *tags,
      GError **error)
{
    while (to) {
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(store, to, &row, NULL))
            return TRUE; /* it has gone meanwhile */
        if (!carry_one(store, &row, from_flags, from_tags, flags, tags, error))
            return FALSE;
        to = destination_of(store, &row);
    }
    return TRUE;
}

/* What others change on a message that is on its way to another folder is meant for it there, too; but not
 * \Deleted, which is how we remove it from here. */
static gboolean
carry_along(struct store *store, const struct placement_row *row, guint flags, const char *tags,
            GError **error)
{
    guint others = (flags & ~(guint)FLAG_DELETED) | (row->base_flags & FLAG_DELETED);
    return carry(store, destination_of(store, row), row->base_flags, row->base_tags, others, tags, error);
}

/* What a move will take to the other folder is what the server has here by now. Of one that may have been made already,
 * nobody knows what it took. */
static gboolean
rebase_target(struct store *store, const struct placement_row *row, guint flags, const char *tags, GError **error)
{
    g_auto(struct_placement_row) target = {0};
    guint others = (flags & ~(guint)FLAG_DELETED) | (row->base_flags & FLAG_DELETED);
    gint64 id = row->state != PLACEMENT_LEAVING
                    ? 0
                    : sql_int(store, 0,
                              "SELECT target FROM intent WHERE source = ? AND source > 0 AND kind = 1 AND target > 0"
                              " AND state = 0 AND uncertain = 0",
                              "l", row->id);
    if (!id || !placement_row_read(store, id, &target, NULL) || target.uid)
        return TRUE;
    return rebase_target(store, &target, others, tags, error) &&
           placement_row_set_flags(store, &target, others, tags, target.flags, target.tags, target.modseq, error);
}

gboolean
placement_bind(struct store *store, gint64 id, guint32 uid, guint64 modseq, guint flags, const char *tags,
               GError **error)
{
    g_auto(struct_placement_row) row = {0};
    gboolean own, ok;

    if (!txn_enter(store, &own, error))
        return FALSE;
    ok = placement_row_read(store, id, &row, error);
    if (!ok && error && !*error)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the message has left the folder");
    gint64 other = ok ? placement_find_uid(store, row.folder, uid) : 0;
    if (ok && other && other != id) {
        ok = absorb(store, &row, other, error);
        placement_row_clear(&row);
        ok = ok && placement_row_read(store, id, &row, error);
    }
    /* An append that the server has is done, however that came about. */
    ok = ok && sql_run(store, error, "DELETE FROM intent WHERE target = ? AND target > 0 AND kind = ?", "li",
                       id, (int)INTENT_APPEND);
    if (ok) {
        g_autofree char *merged = tags_merge(row.base_tags, tags ? tags : "", row.tags);
        guint state = row.state == PLACEMENT_UNBOUND ? PLACEMENT_LIVE : row.state;
        ok = carry_along(store, &row, flags, tags ? tags : "", error) &&
             sql_run(store, error, "UPDATE placement SET uid = ?, state = ? WHERE id = ?", "lil", (gint64)uid,
                     state, id) &&
             placement_row_set_flags(store, &row, flags, tags ? tags : "",
                                     flags_merge(row.base_flags, flags, row.flags), merged, (gint64)modseq,
                                     error) &&
             message_refresh(store, row.message, error);
    }
    return txn_leave(store, own, ok, error);
}

/* One content is one file: the new name becomes a link to the file that has it already, where that can be. */
static void
share_file(struct store *store, gint64 twin, const struct placement_row *row, const char *file)
{
    g_autofree char *has = store_message_path(store, twin, NULL);
    g_autofree char *dir = has ? folder_path(store, row->folder, FALSE, NULL) : NULL;
    if (dir)
        maildir_share(has, dir, file);
}

static gboolean
attach_one(struct store *store, const struct placement_body *body, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    g_autoptr(GError) failure = NULL;

    if (!placement_row_read(store, body->placement, &row, &failure)) {
        if (failure)
            g_propagate_error(error, g_steal_pointer(&failure));
        else
            log_info("store.placement", "%s came too late: its message has gone", body->file);
        return !failure; /* the file is found as an orphan by the next scan */
    }
    if (row.file && strcmp(row.file, body->file)) { /* fetched twice: the newer file is the one */
        g_autofree char *old = placement_row_path(store, &row);
        if (old)
            txn_unlink_on_commit(store, old);
    }
    gint64 twin = message_find_hash(store, body->hash);
    if (!placement_row_set_file(store, row.id, body->file, row.flags, error))
        return FALSE;
    if (!twin && !body->text_later) /* sets all that a file changes of its message */
        return message_row_body(store, row.message, body->hash, body->size, body->index, error);
    if (!twin)
        return message_row_bytes(store, row.message, body->hash, body->size, error) &&
               texts_note(store, row.folder, row.message, error);
    if (twin == row.message) /* its file had gone, maybe before it was read */
        return texts_note(store, row.folder, twin, error) && message_refresh(store, twin, error);
    share_file(store, twin, &row, body->file);
    return message_row_join(store, twin, row.message, error); /* refreshes */
}

struct attach {
    gint64 key;
    const struct placement_body *body;
};

static gint
by_key(gconstpointer a, gconstpointer b)
{
    gint64 first = ((const struct attach *)a)->key, second = ((const struct attach *)b)->key;
    return first < second ? -1 : first > second;
}

gboolean
placement_attach(struct store *store, const struct placement_body *bodies, guint n, GError **error)
{
    g_autofree struct attach *order = g_new(struct attach, n + 1);
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        order[i] = (struct attach){
            sql_int(store, 0, "SELECT key FROM placement WHERE id = ?", "l", bodies[i].placement), &bodies[i]};
    qsort(order, n, sizeof *order, by_key); /* as the full text wants it (fulltext.c) */
    for (guint i = 0; i < n && ok; i++)
        ok = attach_one(store, order[i].body, error);
    return txn_leave(store, own, ok, error);
}

static gboolean
set_flags(struct store *store, const struct placement_flags *rows, guint n, gboolean merge, GError **error)
{
    g_auto(struct_naming) naming = {0};
    gboolean own, ok = TRUE;
    if (n)
        naming_begin(store, &naming, merge ? 0 : rows[0].placement);
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < n && ok; i++) {
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(store, rows[i].placement, &row, NULL))
            continue; /* it has gone meanwhile */
        const char *theirs = rows[i].tags ? rows[i].tags : "";
        gint64 modseq = rows[i].modseq ? (gint64)rows[i].modseq : row.modseq;
        guint flags = merge ? flags_merge(row.base_flags, rows[i].flags, row.flags) : row.flags;
        g_autofree char *tags = merge ? tags_merge(row.base_tags, theirs, row.tags) : g_strdup(row.tags);
        gboolean shows = flags != row.flags || strcmp(tags, row.tags);
        if (!shows && rows[i].flags == row.base_flags && !strcmp(theirs, row.base_tags) &&
            modseq == row.modseq)
            continue;
        gboolean renamed = naming_show(store, &naming, &row, flags);
        ok = (!merge || carry_along(store, &row, rows[i].flags, theirs, error)) &&
             rebase_target(store, &row, rows[i].flags, theirs, error) &&
             (!renamed || placement_row_set_file(store, row.id, row.file, flags, error)) &&
             placement_row_set_flags(store, &row, rows[i].flags, theirs, flags, tags, modseq, error) &&
             (shows     ? message_refresh(store, row.message, error)
              : renamed ? message_touch(store, row.message, error)
                        : TRUE);
    }
    return txn_leave(store, own, ok, error);
}

gboolean
placement_server_flags(struct store *store, const struct placement_flags *rows, guint n, GError **error)
{
    return set_flags(store, rows, n, TRUE, error);
}

gboolean
placement_flags_sent(struct store *store, const struct placement_flags *rows, guint n, GError **error)
{
    return set_flags(store, rows, n, FALSE, error);
}

gboolean
placement_carry(struct store *store, gint64 from, gint64 to, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    gboolean own;
    if (!placement_row_read(store, from, &row, NULL) ||
        (row.flags == row.base_flags && !strcmp(row.tags, row.base_tags)))
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    return txn_leave(store, own, carry(store, to, row.base_flags, row.base_tags, row.flags, row.tags, error),
                     error);
}

gboolean
placement_carry_elsewhere(struct store *store, const gint64 *ids, guint n, GError **error)
{
    for (guint i = 0; i < n; i++) {
        gint64 other = survey_heir(store, ids[i]);
        if (other && !placement_carry(store, ids[i], other, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
placement_remove(struct store *store, const gint64 *ids, guint n, GError **error)
{
    return placement_discard(store, ids, n, error);
}
