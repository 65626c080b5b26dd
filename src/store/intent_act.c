/* What an intent shows at once, for one message: the pieces that the calls of the user and undo are made of.
 */
#include "config.h"

#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/placement.h"
#include "store/contact.h"
#include "base/flags.h"

#include <string.h>

static gint64
account_of(struct store *store, gint64 folder)
{
    return sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", folder);
}

/* A second name of the message in another folder, not on the server yet. */
static gboolean
insert_target(struct store *store, const struct placement_row *source, gint64 folder, const char *there,
              gboolean copied_by_server, struct placement_row *target, GError **error)
{
    g_autofree char *file = g_strdup(there);
    if (!there && !placement_row_link(store, source, folder, &file, error))
        return FALSE;
    *target = (struct placement_row){.folder = folder,
                                     .message = source->message,
                                     .flags = source->flags,
                                     .tags = source->tags,
                                     .base_flags = copied_by_server ? source->base_flags : 0,
                                     .base_tags = copied_by_server ? source->base_tags : (char *)"",
                                     .file = file};
    gboolean ok = placement_row_insert(store, target, error);
    target->tags = target->base_tags = target->file = NULL; /* not ours */
    return ok;
}

/* It is not shown where it was. Its file, linked elsewhere by now, goes. */
static gboolean
leave(struct store *store, const struct placement_row *row, gboolean keep_file, GError **error)
{
    if (!keep_file && row->file) {
        g_autofree char *path = placement_row_path(store, row);
        if (path)
            txn_unlink_on_commit(store, path);
        if (!placement_row_set_file(store, row->id, NULL, 0, error))
            return FALSE;
    }
    return placement_row_set_state(store, row, PLACEMENT_LEAVING, error);
}

/* What is nowhere but here only changes its folder. */
static gboolean
move_unsent(struct store *store, const struct placement_row *row, gint64 to, const char *there, gint64 append,
            GError **error)
{
    g_autofree char *file = g_strdup(there), *path = placement_row_path(store, row);
    if (!there && !placement_row_link(store, row, to, &file, error))
        return FALSE;
    if (path)
        txn_unlink_on_commit(store, path);
    return placement_row_set_folder(store, row, to, file, error) &&
           sql_run(
               store, error,
               "UPDATE intent SET target_folder = ?, account = ?, state = 0, next_attempt = 0 WHERE id = ?",
               "lll", to, account_of(store, to), append) &&
           message_refresh(store, row->message, error);
}

gboolean
intent_move_one(struct store *store, const struct placement_row *row, gint64 to, const char *there,
                gint64 journal, GError **error)
{
    gint64 from_account = account_of(store, row->folder), to_account = account_of(store, to);
    gint64 append = intent_of_append(store, row->id);
    struct placement_row target;
    struct intent intent = {.kind = INTENT_MOVE,
                            .account = from_account,
                            .message = row->message,
                            .source = row->id,
                            .source_folder = row->folder,
                            .target_folder = to};

    if (row->folder == to)
        return TRUE;
    if (append) {
        if (!move_unsent(store, row, to, there, append, error))
            return FALSE;
    } else {
        gboolean same = from_account == to_account;
        if (!insert_target(store, row, to, there, same, &target, error))
            return FALSE;
        intent.target = target.id;
        if (!same) { /* upload there, then delete here */
            struct intent upload = {.kind = INTENT_APPEND,
                                    .account = to_account,
                                    .message = row->message,
                                    .target = target.id,
                                    .target_folder = to};
            if (!intent_row_insert(store, &upload, journal, error) ||
                !sql_run(store, error,
                         "INSERT OR IGNORE INTO wanted (message, time) SELECT id, 0 FROM message WHERE id = ? AND cached = 0",
                         "l", row->message))
                return FALSE;
            intent.kind = INTENT_EXPUNGE;
            intent.after = upload.id;
            intent.target = intent.target_folder = 0;
        }
        if (!leave(store, row, FALSE, error) || !intent_row_insert(store, &intent, journal, error) ||
            !message_refresh(store, row->message, error))
            return FALSE;
    }
    struct journal_item item = {.kind = JOURNAL_MOVE,
                                .message = row->message,
                                .source_folder = row->folder,
                                .target_folder = to,
                                .intent = intent.id};
    return journal_add(store, journal, &item, error);
}

gboolean
intent_copy_one(struct store *store, const struct placement_row *row, gint64 to, const char *there,
                gint64 journal, GError **error)
{
    gint64 from_account = account_of(store, row->folder), to_account = account_of(store, to);
    gboolean by_server =
        from_account == to_account && row->state != PLACEMENT_LEAVING && !intent_of_append(store, row->id);
    struct placement_row target;

    if (!insert_target(store, row, to, there, by_server, &target, error))
        return FALSE;
    struct intent intent = {.kind = INTENT_COPY,
                            .account = to_account,
                            .message = row->message,
                            .source = row->id,
                            .source_folder = row->folder,
                            .target = target.id,
                            .target_folder = to};
    if (!by_server) {
        intent.kind = INTENT_APPEND;
        intent.source = intent.source_folder = 0;
        if (!sql_run(store, error,
                     "INSERT OR IGNORE INTO wanted (message, time) SELECT id, 0 FROM message WHERE id = ? AND cached = 0",
                     "l", row->message))
            return FALSE;
    }
    if (!intent_row_insert(store, &intent, journal, error) || !message_refresh(store, row->message, error))
        return FALSE;
    struct journal_item item = {.kind = JOURNAL_COPY,
                                .message = row->message,
                                .source_folder = row->folder,
                                .target_folder = to,
                                .intent = intent.id};
    return journal_add(store, journal, &item, error);
}

gboolean
intent_expunge_one(struct store *store, const struct placement_row *row, gint64 after, gint64 journal,
                   GError **error)
{
    gint64 append = intent_of_append(store, row->id);
    struct intent intent = {.kind = INTENT_EXPUNGE,
                            .account = account_of(store, row->folder),
                            .message = row->message,
                            .source = row->id,
                            .source_folder = row->folder,
                            .after = after};

    if (append) { /* no server has it */
        if (!intent_row_delete(store, append, error) || !placement_discard(store, &row->id, 1, error))
            return FALSE;
    } else if (!leave(store, row, TRUE, error) || !intent_row_insert(store, &intent, journal, error) ||
               !message_refresh(store, row->message, error)) {
        return FALSE;
    }
    struct journal_item item = {.kind = JOURNAL_EXPUNGE,
                                .message = row->message,
                                .source_folder = row->folder,
                                .intent = intent.id,
                                .before_flags = row->flags,
                                .before_tags = row->tags};
    return journal_add(store, journal, &item, error);
}

static char *
changed_tags(const char *tags, const char *add, const char *remove)
{
    g_autofree char *less = tags_minus(tags, remove ? remove : "");
    g_autofree char *joined = g_strjoin(" ", less, add ? add : "", NULL);
    g_auto(GStrv) words = g_strsplit(joined, " ", -1);
    return tags_from_list((const char *const *)words, -1);
}

gboolean
intent_mark_one(struct store *store, const struct placement_row *row, guint set, guint clear, const char *add,
                const char *remove, gint64 journal, gboolean *changed, GError **error)
{
    guint flags = (row->flags | set) & ~clear;
    g_autofree char *tags = changed_tags(row->tags, add, remove);

    *changed = flags != row->flags || strcmp(tags, row->tags);
    if (!*changed)
        return TRUE;
    struct journal_item item = {.kind = JOURNAL_FLAGS,
                                .message = row->message,
                                .source_folder = row->folder,
                                .before_flags = row->flags,
                                .after_flags = flags,
                                .before_tags = row->tags,
                                .after_tags = tags};
    if (!placement_row_set_flags(store, row, row->base_flags, row->base_tags, flags, tags, row->modseq,
                                 error) ||
        !message_refresh(store, row->message, error) ||
        (journal && !journal_add(store, journal, &item, error)))
        return FALSE;
    if (~row->flags & flags & FLAG_ANSWERED) {
        g_autofree char *from =
            sql_text(store, "SELECT from_addr FROM message WHERE id = ?", "l", row->message);
        if (from && strchr(from, '@') && !contact_count_reply(store, from, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
intent_bring_back(struct store *store, gint64 message, gint64 folder, guint flags, const char *tags,
                  gint64 journal, GError **error)
{
    g_auto(struct_placement_row) kept = {0};
    g_autofree char *file = NULL;
    gint64 id = removed_find(store, message);

    if (!id) { /* it lies elsewhere still: a copy of that */
        id = sql_int(store, 0,
                     "SELECT id FROM placement INDEXED BY placement_message WHERE message = ? AND " SHOWN,
                     "l", message);
        if (id && placement_row_read(store, id, &kept, error))
            return intent_copy_one(store, &kept, folder, NULL, journal, error);
        if (error && !*error)
            g_set_error(error, STORE_ERROR, ERROR_REFUSED,
                        "the message is not kept any more: it was removed more than 30 days ago");
        return FALSE;
    }
    if (!placement_row_read(store, id, &kept, error))
        return FALSE;
    kept.flags = flags;
    g_autofree char *path = placement_row_path(store, &kept);
    if (!path || !placement_row_link(store, &kept, folder, &file, error)) {
        if (error && !*error)
            g_set_error(error, STORE_ERROR, ERROR_REFUSED,
                        "the file of the removed message has gone from %s/.removed", store->mail_dir);
        return FALSE;
    }
    txn_unlink_on_commit(store, path);
    struct placement_row row = {
        .folder = folder, .message = message, .flags = flags, .tags = (char *)tags, .file = file};
    if (!placement_row_insert(store, &row, error))
        return FALSE;
    struct intent intent = {.kind = INTENT_APPEND,
                            .account = account_of(store, folder),
                            .message = message,
                            .target = row.id,
                            .target_folder = folder};
    return intent_row_insert(store, &intent, journal, error) && placement_row_delete(store, &kept, error);
}

/* Back to where it was, with the flags that it has now. */
static gboolean
return_to_source(struct store *store, const struct intent *intent, GError **error)
{
    g_auto(struct_placement_row) source = {0}, target = {0};
    g_autofree char *file = NULL;

    if (!placement_row_read(store, intent->source, &source, error))
        return !(error && *error);
    if (intent->target && placement_row_read(store, intent->target, &target, error)) {
        /* Was it moved on? Then that move begins at the first folder. */
        gint64 next = sql_int(store, 0, "SELECT id FROM intent WHERE source = ? AND source > 0 AND id <> ?",
                              "ll", target.id, intent->id);
        if (next)
            return sql_run(store, error, "UPDATE intent SET source = ?, source_folder = ? WHERE id = ?",
                           "lll", source.id, source.folder, next) &&
                   placement_discard(store, &target.id, 1, error);
        if (!source.file && target.file) {
            g_autofree char *path = placement_row_path(store, &target);
            if (!placement_row_link(store, &target, source.folder, &file, error) ||
                !placement_row_set_file(store, source.id, file, target.flags, error))
                return FALSE;
            if (path)
                txn_unlink_on_commit(store, path);
        }
        source.file = source.file ? source.file : g_strdup(file);
        if (!placement_row_set_flags(store, &source, source.base_flags, source.base_tags, target.flags,
                                     target.tags, source.modseq, error))
            return FALSE;
        source.flags = target.flags;
        if (!placement_row_delete(store, &target, error))
            return FALSE;
    }
    return placement_row_set_state(store, &source,
                                   source.uid                          ? PLACEMENT_LIVE
                                   : source.state == PLACEMENT_LEAVING ? PLACEMENT_LIVE
                                                                       : source.state,
                                   error) &&
           message_refresh(store, source.message, error);
}

gboolean
intent_cancel(struct store *store, const struct intent *intent, GError **error)
{
    gboolean ok = TRUE;

    switch (intent->kind) {
    case INTENT_MOVE:
    case INTENT_EXPUNGE:
        /* A move to another account is an upload and this: the upload is taken back by its own cancelling. */
        ok = return_to_source(store, intent, error);
        break;
    case INTENT_COPY:
    case INTENT_APPEND:
        ok = placement_discard(store, &intent->target, 1, error);
        break;
    case INTENT_FOLDER_CREATE: {
        g_autofree char *wire = sql_text(store, "SELECT wire FROM folder WHERE id = ?", "l", intent->folder);
        if (!wire)
            return intent_row_delete(store, intent->id, error) && folder_forget(store, intent->folder, error);
        break;
    }
    case INTENT_FOLDER_RENAME: {
        g_autofree char *old =
            sql_text(store,
                     "SELECT before_tags FROM journal_item WHERE intent = ? AND kind = 7 AND journal ="
                     " (SELECT journal FROM intent WHERE id = ?1)",
                     "l", intent->id);
        ok = !old || folder_rename_rows(store, intent->folder, old, error);
        break;
    }
    case INTENT_FOLDER_DELETE: {
        g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
        sqlite3_stmt *q = sql_query(store, error,
                                    "SELECT p.id FROM placement p WHERE p.folder = ? AND p.state = 1"
                                    " AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.source = p.id)",
                                    "l", intent->folder);
        int rc = q ? 0 : -1;
        while (q && (rc = sql_row(store, q, error)) > 0) {
            gint64 id = sqlite3_column_int64(q, 0);
            g_array_append_val(ids, id);
        }
        ok = rc == 0 && folder_set_bits(store, intent->folder, 0, FOLDER_GONE, error);
        for (guint i = 0; i < ids->len && ok; i++) {
            g_auto(struct_placement_row) row = {0};
            ok = placement_row_read(store, g_array_index(ids, gint64, i), &row, error) &&
                 placement_row_set_state(store, &row, row.uid ? PLACEMENT_LIVE : PLACEMENT_UNBOUND, error) &&
                 message_refresh(store, row.message, error);
        }
        break;
    }
    case INTENT_FOLDER_SUBSCRIBE: {
        gboolean now =
            sql_int(store, 0, "SELECT bits & 1 FROM folder WHERE id = ?", "l", intent->folder) != 0;
        ok = folder_set_bits(store, intent->folder, now ? 0 : FOLDER_SUBSCRIBED, now ? FOLDER_SUBSCRIBED : 0,
                             error);
        break;
    }
    default:
        break;
    }
    return ok && intent_row_delete(store, intent->id, error);
}
