#include "config.h"

#include "store/intent.h"
#include "store/account.h"
#include "store/bulk_row.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/placement.h"
#include "base/clock.h"
#include "base/flags.h"
#include "base/i18n.h"

#include <string.h>

/* One call of the user: a transaction and a journal entry around what is done to each placement. */
struct action {
    struct store *store;
    gint64 journal;
    guint done; /* placements that changed */
    GArray *placements;
    gboolean own;
};

/* The placements that are meant: those in `from` (or in folders of that role), else one of each message (in INBOX, else the first one;
 * last of all in a virtual folder), or with `all` every one. */
static gboolean
find_placements(struct action *action, const gint64 *messages, guint n, gint64 from, gboolean all,
                GError **error)
{
    for (guint i = 0; i < n; i++) {
        sqlite3_stmt *q = sql_query(
            action->store, error,
            "SELECT p.id FROM placement p INDEXED BY placement_message CROSS JOIN folder f ON f.id = p.folder"
            " WHERE p.message = ?1 AND p." SHOWN " AND (?2 = 0 OR p.folder = ?2 OR f.role = -?2)"
            " ORDER BY f.role = 1 DESC, f.role IN (7, 8, 9), p.id LIMIT ?3",
            "lli", messages[i], from, all || from ? -1 : 1);
        int rc = q ? 0 : -1;
        while (q && (rc = sql_row(action->store, q, error)) > 0) {
            gint64 id = sqlite3_column_int64(q, 0);
            g_array_append_val(action->placements, id);
        }
        if (rc < 0)
            return FALSE;
    }
    return TRUE;
}

gboolean
intent_reaches(struct store *store, gint64 message, gint64 from)
{
    return sql_int(store, 0,
                   "SELECT 1 FROM placement p INDEXED BY placement_message CROSS JOIN folder f ON f.id = p.folder"
                   " WHERE p.message = ?1 AND p." SHOWN " AND (?2 = 0 OR p.folder = ?2 OR f.role = -?2) LIMIT 1",
                   "ll", message, from) != 0;
}

static gboolean
action_begin(struct action *action, struct store *store, GError **error)
{
    *action = (struct action){.store = store, .placements = g_array_new(FALSE, FALSE, sizeof(gint64))};
    if (!txn_enter(store, &action->own, error))
        return FALSE;
    action->journal = journal_begin(store, error);
    return action->journal != 0;
}

/* Takes the text. */
static gint64
action_end(struct action *action, gboolean ok, char *text, GError **error)
{
    gint64 result = action->journal;

    g_array_unref(action->placements);
    if (ok && !action->done) {
        /* Nothing to undo: no entry. */
        ok = journal_drop(action->store, action->journal, error);
        result = INTENT_NOTHING;
    } else if (ok) {
        ok = journal_text(action->store, action->journal, text, error);
    }
    g_free(text);
    return txn_leave(action->store, action->own, ok, error) ? result : 0;
}

static gboolean
begin_messages(struct action *action, struct store *store, const gint64 *messages, guint n, gint64 from,
               gboolean all, GError **error)
{
    if (!action_begin(action, store, error) || !find_placements(action, messages, n, from, all, error))
        return FALSE;
    if (!action->placements->len) {
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the message is not there any more");
        return FALSE;
    }
    return TRUE;
}

static char *
folder_name(struct store *store, gint64 folder)
{
    char *name = sql_text(store, "SELECT name FROM folder WHERE id = ?", "l", folder);
    return name ? name : g_strdup("?");
}

/* "a, b" of what was changed, as `mark` spells it. */
static char *
mark_words(guint set, guint clear, const char *add, const char *remove)
{
    GString *words = g_string_new(NULL);
    for (const struct flag_name *f = flag_names; f->bit; f++)
        if ((set | clear) & f->bit) {
            gboolean plus = (set & f->bit) != 0;
            if (f->bit == FLAG_SEEN) /* "unread" is the reverse */
                plus = !plus;
            g_string_append_printf(words, "%s%c%s", words->len ? " " : "", plus ? '+' : '-', f->notmuch);
        }
    for (guint k = 0; k < 2; k++) {
        g_auto(GStrv) tags = tags_split(k ? (remove ? remove : "") : (add ? add : ""));
        for (char **tag = tags; *tag; tag++)
            g_string_append_printf(words, "%s%c%s", words->len ? " " : "", k ? '-' : '+', *tag);
    }
    return g_string_free(words, FALSE);
}

static char *
mark_text(guint n, guint set, guint clear, const char *add, const char *remove)
{
    g_autofree char *words = mark_words(set, clear, add, remove);
    return g_strdup_printf(P_("mark %u message %s", "mark %u messages %s", n), n, words);
}

static gboolean
mark_all(struct action *action, guint set, guint clear, const char *add, const char *remove, GError **error)
{
    for (guint i = 0; i < action->placements->len; i++) {
        g_auto(struct_placement_row) row = {0};
        gboolean changed = FALSE;
        if (!placement_row_read(action->store, g_array_index(action->placements, gint64, i), &row, error) ||
            !intent_mark_one(action->store, &row, set, clear, add, remove, action->journal, &changed, error))
            return FALSE;
        action->done += changed;
    }
    return TRUE;
}

static gint64
mark(struct store *store, const struct bulk *what, const gint64 *messages, guint n, GError **error)
{
    struct action action;
    gboolean ok = begin_messages(&action, store, messages, n, what->source, TRUE, error) &&
                  mark_all(&action, what->set, what->clear, what->add, what->remove, error);
    return action_end(&action, ok, mark_text(MIN(action.done, n), what->set, what->clear, what->add, what->remove), error);
}

static gboolean
may_hold_mail(struct store *store, gint64 folder, GError **error)
{
    gint64 bits = sql_int(store, FOLDER_GONE, "SELECT bits FROM folder WHERE id = ?", "l", folder);
    if ((bits & (FOLDER_SELECTABLE | FOLDER_GONE)) == FOLDER_SELECTABLE)
        return TRUE;
    g_autofree char *name = folder_name(store, folder);
    g_set_error(error, STORE_ERROR, ERROR_REFUSED, "the folder \"%s\" can hold no messages", name);
    return FALSE;
}

static char *
transfer_text(struct store *store, gboolean move, guint n, gint64 to)
{
    g_autofree char *name = folder_name(store, to);
    return move ? g_strdup_printf(P_("move %u message to %s", "move %u messages to %s", n), n, name)
                : g_strdup_printf(P_("copy %u message to %s", "copy %u messages to %s", n), n, name);
}

typedef gboolean (*act_one)(struct store *, const struct placement_row *, gint64 to, const char *there,
                            gint64 journal, GError **);

static gint64
transfer(struct store *store, const gint64 *messages, guint n, gint64 from, gint64 to, act_one one,
         GError **error)
{
    struct action action;
    gboolean ok =
        begin_messages(&action, store, messages, n, from, FALSE, error) && may_hold_mail(store, to, error);
    for (guint i = 0; ok && i < action.placements->len; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_read(store, g_array_index(action.placements, gint64, i), &row, error);
        if (ok && (one != intent_move_one || row.folder != to)) {
            ok = one(store, &row, to, NULL, action.journal, error);
            action.done++;
        }
    }
    return action_end(&action, ok, transfer_text(store, one == intent_move_one, action.done, to), error);
}

/* Where a message of that folder goes when it is deleted, archived, …: 0 for nowhere. */
typedef gint64 (*destination)(struct store *, const struct placement_row *, GError **);

static gint64
remove_from(struct store *store, const gint64 *messages, guint n, gint64 from, destination where,
            const char *add, const char *remove, char *(*text)(guint), GError **error)
{
    struct action action;
    gboolean ok = begin_messages(&action, store, messages, n, from, FALSE, error);
    for (guint i = 0; ok && i < action.placements->len; i++) {
        g_auto(struct_placement_row) row = {0};
        g_autoptr(GError) failure = NULL;
        gboolean changed;
        gint64 id = g_array_index(action.placements, gint64, i);
        ok = placement_row_read(store, id, &row, error);
        if (ok && (add || remove)) {
            ok = intent_mark_one(store, &row, 0, 0, add, remove, action.journal, &changed, error);
            placement_row_clear(&row);
            ok = ok && placement_row_read(store, id, &row, error);
            action.done += ok && changed;
        }
        gint64 to = ok ? where(store, &row, &failure) : 0;
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            ok = FALSE;
        }
        if (!ok || to == row.folder)
            continue;
        ok = to ? intent_move_one(store, &row, to, NULL, action.journal, error)
                : intent_expunge_one(store, &row, 0, action.journal, error);
        action.done++;
    }
    return action_end(&action, ok, text(MIN(n, action.done)), error);
}

static gint64
role_of(struct store *store, gint64 folder)
{
    return sql_int(store, 0, "SELECT role FROM folder WHERE id = ?", "l", folder);
}

static gint64
account_of(struct store *store, gint64 folder)
{
    return sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", folder);
}

static gint64
to_trash(struct store *store, const struct placement_row *row, GError **error)
{
    (void)error;
    return role_of(store, row->folder) == FOLDER_TRASH
               ? 0
               : folder_find_role(store, account_of(store, row->folder), FOLDER_TRASH);
}

static gint64
to_nowhere(struct store *store, const struct placement_row *row, GError **error)
{
    (void)store;
    (void)row;
    (void)error;
    return 0;
}

static gint64
to_archive(struct store *store, const struct placement_row *row, GError **error)
{
    gint64 account = account_of(store, row->folder);
    gint64 archive = folder_find_role(store, account, FOLDER_ARCHIVE),
           all = folder_find_role(store, account, FOLDER_ALL);
    if (archive || (all && role_of(store, row->folder) != FOLDER_INBOX))
        return archive ? archive : all;
    return all ? 0 : intent_ensure_role(store, account, FOLDER_ARCHIVE, error);
}

static gint64
to_junk(struct store *store, const struct placement_row *row, GError **error)
{
    return intent_ensure_role(store, account_of(store, row->folder), FOLDER_JUNK, error);
}

static gint64
out_of_junk(struct store *store, const struct placement_row *row, GError **error)
{
    if (role_of(store, row->folder) != FOLDER_JUNK)
        return row->folder;
    return intent_ensure_role(store, account_of(store, row->folder), FOLDER_INBOX, error);
}

static char *
delete_text(guint n)
{
    return g_strdup_printf(P_("delete %u message", "delete %u messages", n), n);
}

static char *
expunge_text(guint n)
{
    return g_strdup_printf(P_("delete %u message for good", "delete %u messages for good", n), n);
}

static char *
archive_text(guint n)
{
    return g_strdup_printf(P_("archive %u message", "archive %u messages", n), n);
}

static char *
junk_text(guint n)
{
    return g_strdup_printf(P_("call %u message junk", "call %u messages junk", n), n);
}

static char *
good_text(guint n)
{
    return g_strdup_printf(P_("call %u message not junk", "call %u messages not junk", n), n);
}

/* ---- what the user may want ---- */

gint64
bulk_apply(struct store *store, const struct bulk *what, const gint64 *messages, guint n, GError **error)
{
    switch (what->kind) {
    case BULK_MARK:
        return mark(store, what, messages, n, error);
    case BULK_MOVE:
        return transfer(store, messages, n, what->source, what->target, intent_move_one, error);
    case BULK_COPY:
        return transfer(store, messages, n, what->source, what->target, intent_copy_one, error);
    case BULK_DELETE:
        return remove_from(store, messages, n, what->source, to_trash, NULL, NULL, delete_text, error);
    case BULK_EXPUNGE:
        return remove_from(store, messages, n, what->source, to_nowhere, NULL, NULL, expunge_text, error);
    case BULK_ARCHIVE:
        return remove_from(store, messages, n, what->source, to_archive, NULL, NULL, archive_text, error);
    case BULK_JUNK:
        return remove_from(store, messages, n, what->source, to_junk, "$Junk", "$NotJunk", junk_text, error);
    case BULK_NOT_JUNK:
        return remove_from(store, messages, n, what->source, out_of_junk, "$NotJunk", "$Junk", good_text, error);
    case BULK_UNDO: /* undo_slice() */
        break;
    }
    g_return_val_if_reached(0);
}

/* What the journal calls it before it is known how many there are to change. */
static char *
bulk_text(struct store *store, const struct bulk *what, guint n)
{
    switch (what->kind) {
    case BULK_MARK:
        return mark_text(n, what->set, what->clear, what->add, what->remove);
    case BULK_MOVE:
    case BULK_COPY:
        return transfer_text(store, what->kind == BULK_MOVE, n, what->target);
    case BULK_DELETE:
        return delete_text(n);
    case BULK_EXPUNGE:
        return expunge_text(n);
    case BULK_ARCHIVE:
        return archive_text(n);
    case BULK_JUNK:
        return junk_text(n);
    case BULK_NOT_JUNK:
        return good_text(n);
    case BULK_UNDO:
        break;
    }
    g_return_val_if_reached(NULL);
}

/* Many are only written down (bulk.h). */
static gint64
act(struct store *store, struct bulk what, const gint64 *messages, guint n, GError **error)
{
    if (!bulk_wanted(store, n))
        return bulk_apply(store, &what, messages, n, error);
    if (what.target && !may_hold_mail(store, what.target, error))
        return 0;
    return bulk_begin(store, &what, messages, n, bulk_text, error);
}

gint64
intent_mark(struct store *store, const gint64 *messages, guint n, guint set, guint clear, const char *add,
            const char *remove, GError **error)
{
    const struct bulk what = {
        .kind = BULK_MARK, .set = set, .clear = clear, .add = (char *)add, .remove = (char *)remove};
    return act(store, what, messages, n, error);
}

gint64
intent_mark_folder(struct store *store, gint64 folder, guint set, guint clear, GError **error)
{
    g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT message FROM placement WHERE folder = ? AND " SHOWN
                                " AND (flags & ? <> ?2 OR flags & ? <> 0)",
                                "lii", folder, set, clear);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(messages, id);
    }
    const struct bulk what = {.kind = BULK_MARK, .source = folder, .set = set, .clear = clear};
    return rc < 0          ? 0
           : messages->len ? act(store, what, (const gint64 *)(gpointer)messages->data, messages->len, error)
                           : INTENT_NOTHING;
}

gint64
intent_move(struct store *store, const gint64 *messages, guint n, gint64 from, gint64 to, GError **error)
{
    return act(store, (struct bulk){.kind = BULK_MOVE, .source = from, .target = to}, messages, n, error);
}

gint64
intent_copy(struct store *store, const gint64 *messages, guint n, gint64 from, gint64 to, GError **error)
{
    return act(store, (struct bulk){.kind = BULK_COPY, .source = from, .target = to}, messages, n, error);
}

gint64
intent_delete(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error)
{
    return act(store, (struct bulk){.kind = BULK_DELETE, .source = from}, messages, n, error);
}

gint64
intent_expunge(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error)
{
    return act(store, (struct bulk){.kind = BULK_EXPUNGE, .source = from}, messages, n, error);
}

gint64
intent_archive(struct store *store, const gint64 *messages, guint n, gint64 from, GError **error)
{
    return act(store, (struct bulk){.kind = BULK_ARCHIVE, .source = from}, messages, n, error);
}

gint64
intent_junk(struct store *store, const gint64 *messages, guint n, gint64 from, gboolean junk, GError **error)
{
    return act(store, (struct bulk){.kind = junk ? BULK_JUNK : BULK_NOT_JUNK, .source = from}, messages, n, error);
}

/* The row of a message that was made here. */
static gint64
message_of_entry(struct store *store, gint64 folder, const struct maildir_entry *entry,
                 const struct message_index *index, guint flags, const char *tags, GError **error)
{
    gint64 message = message_find_hash(store, entry->hash);
    if (message)
        return message;
    struct message_new new = {.envelope = index->envelope,
                              .received = entry->time > 0 ? MIN(entry->time, clock_now()) : clock_now(),
                              .size = entry->wire_size,
                              .flags = flags,
                              .tags = tags,
                              .role = (guint)role_of(store, folder)};
    message = message_row_insert(store, &new, error);
    return message && message_row_body(store, message, entry->hash, entry->wire_size, index, error) ? message
                                                                                                    : 0;
}

/* Between the file and its row a pass that looked through the directory has taken the file in. */
static gboolean
adopt(struct store *store, gint64 placement, guint flags, const char *tags, gint64 journal, gint64 *intent_id,
      GError **error)
{
    g_auto(struct_placement_row) row = {0};
    gboolean changed;
    *intent_id = sql_int(store, 0, "SELECT id FROM intent WHERE target = ? AND kind = ?", "li", placement,
                         (int)INTENT_APPEND);
    return placement_row_read(store, placement, &row, error) &&
           intent_mark_one(store, &row, flags & ~row.flags, row.flags & ~flags, tags, NULL, journal, &changed,
                           error);
}

gboolean
intent_append_one(struct store *store, gint64 folder, const struct maildir_entry *entry,
                  const struct message_index *index, guint flags, const char *tags, gint64 journal,
                  gint64 *message, gint64 *intent_id, GError **error)
{
    tags = tags ? tags : "";
    gint64 id = message_of_entry(store, folder, entry, index, flags, tags, error);
    gint64 taken = id ? placement_row_find_file(store, id, folder, entry->file) : 0;
    *message = id;
    if (taken)
        return adopt(store, taken, flags, tags, journal, intent_id, error);
    struct placement_row row = {
        .folder = folder, .message = id, .flags = flags, .tags = (char *)tags, .file = entry->file};
    if (!id || !placement_row_insert(store, &row, error))
        return FALSE;
    struct intent intent = {.kind = INTENT_APPEND,
                            .account = account_of(store, folder),
                            .message = id,
                            .target = row.id,
                            .target_folder = folder};
    if (!intent_row_insert(store, &intent, journal, error) || !message_refresh(store, id, error))
        return FALSE;
    struct journal_item item = {
        .kind = JOURNAL_APPEND, .message = id, .target_folder = folder, .intent = intent.id};
    *intent_id = intent.id;
    return journal_add(store, journal, &item, error);
}

gint64
intent_append(struct store *store, gint64 folder, const struct maildir_entry *entry,
              const struct message_index *index, guint flags, const char *tags, gint64 replaces,
              gint64 *message, GError **error)
{
    struct action action;
    gint64 id = 0, intent = 0;
    gboolean ok =
        action_begin(&action, store, error) && may_hold_mail(store, folder, error) &&
        intent_append_one(store, folder, entry, index, flags, tags, action.journal, &id, &intent, error);
    /* The old version goes, on the server after the new one is there. The same content again is the same
     * message. */
    if (ok && replaces && replaces != id)
        ok = find_placements(&action, &replaces, 1, folder, TRUE, error);
    for (guint i = 0; ok && i < action.placements->len; i++) {
        g_auto(struct_placement_row) old = {0};
        ok = placement_row_read(store, g_array_index(action.placements, gint64, i), &old, error) &&
             intent_expunge_one(store, &old, intent, action.journal, error);
    }
    action.done = 1;
    if (message)
        *message = id;
    g_autofree char *name = folder_name(store, folder);
    return action_end(&action, ok, g_strdup_printf(_("put a message into %s"), name), error);
}
