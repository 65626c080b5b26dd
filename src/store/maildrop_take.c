/* Messages of a POP3 mailbox become messages here; what is here already does not come twice. */
#include "config.h"

#include "store/folder.h"
#include "store/internal.h"
#include "store/maildrop.h"
#include "store/message.h"
#include "store/placement.h"
#include "store/rows.h"
#include "base/flags.h"
#include "base/clock.h"
#include "base/log.h"

#include <string.h>

/* Does the account have this content, or did it, as far as the mailbox still tells? */
static gboolean
is_known(struct store *store, gint64 account, gint64 message, const guint8 *hash)
{
    return sql_int(
               store, 0,
               "SELECT 1 FROM placement p INDEXED BY placement_message CROSS JOIN folder f ON f.id = p.folder"
               " WHERE p.message = ? AND f.account = ?",
               "ll", message, account) ||
           sql_int(store, 0, "SELECT 1 FROM maildrop WHERE hash = ? AND account = ?", "bl", hash, (gsize)32,
                   account);
}

static void
drop_file(struct store *store, gint64 folder, const char *file)
{
    g_autofree char *dir = folder_path(store, folder, FALSE, NULL);
    g_autofree char *path = dir ? g_build_filename(dir, "cur", file, NULL) : NULL;
    if (path)
        txn_unlink_on_commit(store, path);
}

/* One content is one file, where that can be. */
static void
share_file(struct store *store, gint64 twin, gint64 folder, const char *file)
{
    g_autofree char *has = store_message_path(store, twin, NULL);
    g_autofree char *dir = has ? folder_path(store, folder, FALSE, NULL) : NULL;
    if (dir)
        maildir_share(has, dir, file);
}

static gint64
insert_message(struct store *store, gint64 folder, const struct maildrop_new *new, GError **error)
{
    struct message_new row = {
        .envelope = new->envelope,
        .received = clock_now(),
        .size = new->file ? new->wire_size : new->size,
        .tags = "",
        .role = (guint)sql_int(store, 0, "SELECT role FROM folder WHERE id = ?", "l", folder)};
    gint64 message = message_row_insert(store, &row, error);
    return message && (!new->file ||
                       message_row_body(store, message, new->hash, new->wire_size, new->index, error))
               ? message
               : 0;
}

/* The message that it is, put into the folder unless the account has it. 0: error. */
static gint64
take_message(struct store *store, gint64 account, gint64 folder, const struct maildrop_new *new, guint *known,
             GError **error)
{
    gint64 twin = new->file ? message_find_hash(store, new->hash) : 0;
    if (new->file && is_known(store, account, twin, new->hash)) {
        drop_file(store, folder, new->file);
        ++*known;
        /* One that was deleted here has no row any more: what the mailbox says of it stays. */
        return twin ? twin
                    : sql_int(store, 0, "SELECT message FROM maildrop WHERE hash = ? AND account = ?", "bl",
                              new->hash, (gsize)32, account);
    }
    gint64 message = twin ? twin : insert_message(store, folder, new, error);
    if (!message)
        return 0;
    if (twin)
        share_file(store, twin, folder, new->file);
    gboolean silent =
        !twin && thread_is_muted(store, sql_int(store, 0, "SELECT thread FROM message WHERE id = ?", "l", message));
    struct placement_row row = {.folder = folder,
                                .message = message,
                                .flags = silent ? FLAG_SEEN : 0,
                                .base_tags = (char *)"",
                                .tags = (char *)"",
                                .file = (char *)new->file};
    return placement_row_insert(store, &row, error) && message_refresh(store, message, error) ? message : 0;
}

static gboolean
take_one(struct store *store, gint64 account, gint64 folder, const struct maildrop_new *new, guint *known,
         GError **error)
{
    guint8 mid[MID_SIZE];
    gboolean has_mid = mid_hash(new->envelope->message_id, mid);
    gboolean dated = (new->envelope->flags &ENVELOPE_DATE_VALID) != 0;
    gint64 message = take_message(store, account, folder, new, known, error);
    return message &&
           sql_run(
               store, error,
               "INSERT INTO maildrop (account, uidl, nth, size, message, mid, date, hash, since)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, uidl, nth) DO UPDATE SET"
               " loose = (hash IS NOT NULL AND hash IS excluded.hash), size = excluded.size,"
               " message = excluded.message, mid = excluded.mid, date = excluded.date, hash = excluded.hash,"
               " since = excluded.since",
               "lsillblbl", account, new->uidl, new->nth, (gint64) new->size, message, has_mid ? mid : NULL,
               (gsize)MID_SIZE, dated ? new->envelope->date : (gint64)0, new->file ? new->hash : NULL,
               (gsize)32, clock_now());
}

static gint64
account_of(struct store *store, gint64 folder, GError **error)
{
    gint64 account = sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", folder);
    if (!account)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the folder is not there any more");
    return account;
}

gboolean
maildrop_take(struct store *store, gint64 folder, const struct maildrop_new *rows, guint n, guint *known,
              GError **error)
{
    gboolean own;
    guint had = 0;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gint64 account = account_of(store, folder, error);
    gboolean ok = account != 0;
    for (guint i = 0; i < n && ok; i++)
        ok = take_one(store, account, folder, &rows[i], &had, error);
    ok = txn_leave(store, own, ok, error);
    if (known)
        *known = ok ? had : 0;
    return ok;
}

/* ---- bodies of envelopes ---- */

/* The message was moved since its envelope came: the file follows. *file is replaced. */
static gboolean
follow(struct store *store, gint64 folder, const struct placement_row *row, char **file, GError **error)
{
    g_autofree char *from = folder_path(store, folder, FALSE, error),
                    *to = folder_path(store, row->folder, TRUE, error);
    g_autofree char *path = from ? g_build_filename(from, "cur", *file, NULL) : NULL, *name = NULL;
    if (!path || !to || !maildir_link(path, to, row->flags, &name, error))
        return FALSE;
    g_autofree char *made = g_build_filename(to, "cur", name, NULL);
    txn_unlink_on_rollback(store, made);
    txn_flush_before_commit(store, to);
    txn_unlink_on_commit(store, path);
    g_free(*file);
    *file = g_steal_pointer(&name);
    return TRUE;
}

/* The envelope was that of a message that the account has: it goes for it. */
static gboolean
become(struct store *store, gint64 account, gint64 message, gint64 twin, GError **error)
{
    g_autoptr(GArray) ids = placement_ids_of(store, message, FALSE, error);
    gint64 other = sql_int(store, 0,
                           "SELECT p.id FROM placement p INDEXED BY placement_message CROSS JOIN folder f"
                           " ON f.id = p.folder WHERE p.message = ? AND f.account = ? AND p." SHOWN,
                           "ll", twin, account);
    for (guint i = 0; ids && i < ids->len; i++) {
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(store, g_array_index(ids, gint64, i), &row, error))
            return FALSE;
        if (sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", row.folder) != account)
            continue;
        if ((other && !placement_carry(store, row.id, other, error)) ||
            !placement_row_delete(store, &row, error))
            return FALSE;
    }
    return ids != NULL;
}

static gboolean
attach_one(struct store *store, gint64 folder, const struct maildrop_body *body, GError **error)
{
    gint64 account = account_of(store, folder, error);
    gint64 message = sql_int(store, 0, "SELECT message FROM maildrop WHERE id = ?", "l", body->row);
    gint64 twin = message_find_hash(store, body->hash);
    g_auto(struct_placement_row) row = {0};
    if (!account)
        return FALSE;
    if (twin && twin != message && is_known(store, account, twin, body->hash)) {
        drop_file(store, folder, body->file);
        return become(store, account, message, twin, error) &&
               sql_run(store, error, "UPDATE maildrop SET message = ?, hash = ? WHERE id = ?", "lbl", twin,
                       body->hash, (gsize)32, body->row);
    }
    gint64 placement = sql_int(store, 0,
                               "SELECT p.id FROM placement p INDEXED BY placement_message CROSS JOIN folder f"
                               " ON f.id = p.folder WHERE p.message = ? AND p.file IS NULL AND p." SHOWN
                               " ORDER BY f.account = ? DESC, p.id",
                               "ll", message, account);
    if (!placement ||
        !placement_row_read(store, placement, &row, NULL)) { /* deleted here meanwhile, or fetched twice */
        drop_file(store, folder, body->file);
        return TRUE;
    }
    g_autofree char *file = g_strdup(body->file);
    if (row.folder != folder && !follow(store, folder, &row, &file, error))
        return FALSE;
    struct placement_body attach = {placement, file, body->hash, body->wire_size, body->index};
    return placement_attach(store, &attach, 1, error) &&
           sql_run(store, error, "UPDATE maildrop SET hash = ? WHERE id = ?", "bl", body->hash, (gsize)32,
                   body->row);
}

gboolean
maildrop_attach(struct store *store, gint64 folder, const struct maildrop_body *bodies, guint n,
                GError **error)
{
    gboolean own, ok = TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    for (guint i = 0; i < n && ok; i++)
        ok = attach_one(store, folder, &bodies[i], error);
    return txn_leave(store, own, ok, error);
}
