#include "config.h"

#include "store/conversation.h"
#include "store/contact.h"
#include "store/intent.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/list.h"
#include "store/message.h"
#include "store/thread_hand.h"
#include "base/flags.h"
#include "base/i18n.h"

#include <string.h>

/* The message's key among the ids; an error for one that has none: nothing could remember it. */
static gboolean
mid_of(struct store *store, gint64 message, guint8 mid[MID_SIZE], GError **error)
{
    sqlite3_stmt *q = sql_query(store, error, "SELECT mid FROM message WHERE id = ?", "l", message);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc == 0)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "the message is not there any more");
    if (rc <= 0)
        return FALSE;
    gboolean has = sqlite3_column_bytes(q, 0) == MID_SIZE;
    if (has)
        memcpy(mid, sqlite3_column_blob(q, 0), MID_SIZE);
    else
        g_set_error_literal(error, STORE_ERROR, ERROR_REFUSED,
                            _("the message has no Message-ID, so its place in a conversation cannot be kept"));
    sql_end(q);
    return has;
}

static gboolean
put(struct store *store, gint64 message, const char *word, gint64 journal, gboolean *changed, GError **error)
{
    guint8 mid[MID_SIZE];
    if (!mid_of(store, message, mid, error))
        return FALSE;
    g_autofree char *before = thread_hand_get(store, mid), *child = mid_to_hex(mid);
    *changed = strcmp(before, word) != 0;
    const struct journal_item item = {
        .kind = JOURNAL_THREAD, .message = message, .before_tags = before, .after_tags = child};
    return !*changed || (thread_hand_set(store, mid, word, error) && journal_add(store, journal, &item, error));
}

static gint64
put_all(struct store *store, const gint64 *messages, guint n, gint64 parent, GError **error)
{
    gboolean own, ok, changed;
    guint8 mid[MID_SIZE];
    guint done = 0;
    if (!txn_enter(store, &own, error))
        return 0;
    gint64 journal = journal_begin(store, error);
    ok = journal && (!parent || mid_of(store, parent, mid, error));
    g_autofree char *word = ok && parent ? mid_to_hex(mid) : g_strdup(THREAD_HAND_BROKEN);
    for (guint i = 0; ok && i < n; i++)
        if (messages[i] != parent) {
            ok = put(store, messages[i], word, journal, &changed, error);
            done += ok && changed;
        }
    g_autofree char *text =
        parent ? g_strdup_printf(P_("join %u message to a conversation", "join %u messages to a conversation", done), done)
               : g_strdup_printf(P_("break %u conversation", "break %u conversations", done), done);
    ok = ok && (done ? journal_text(store, journal, text, error) : journal_drop(store, journal, error));
    return !txn_leave(store, own, ok, error) ? 0 : done ? journal : INTENT_NOTHING;
}

gint64
conversation_join(struct store *store, const gint64 *messages, guint n, gint64 parent, GError **error)
{
    return put_all(store, messages, n, parent, error);
}

gint64
conversation_break(struct store *store, const gint64 *messages, guint n, GError **error)
{
    return put_all(store, messages, n, 0, error);
}

gint64
conversation_mute(struct store *store, const gint64 *messages, guint n, gboolean mute, GError **error)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GHashTable) threads = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < n; i++) {
        gint64 thread = sql_int(store, 0, "SELECT thread FROM message WHERE id = ?", "l", messages[i]);
        if (!thread || !g_hash_table_add(threads, g_memdup2(&thread, sizeof thread)))
            continue;
        sqlite3_stmt *q = sql_query(store, error, "SELECT id FROM message WHERE thread = ? AND shown > 0", "l", thread);
        int rc = q ? 0 : -1;
        while (q && (rc = sql_row(store, q, error)) > 0) {
            gint64 id = sqlite3_column_int64(q, 0);
            g_array_append_val(all, id);
        }
        if (rc < 0)
            return 0;
    }
    const gint64 *ids = (const gint64 *)(gpointer)all->data;
    return mute ? intent_mark(store, ids, all->len, FLAG_SEEN, 0, MUTED_TAG, NULL, error)
                : intent_mark(store, ids, all->len, 0, 0, NULL, MUTED_TAG, error);
}

gboolean
conversation_is_muted(struct store *store, gint64 thread)
{
    return thread_is_muted(store, thread);
}

static gboolean
is_of_somebody_known(struct store *store, gint64 message)
{
    if (sql_int(store, 0, "SELECT bits & ? FROM message WHERE id = ?", "il", MESSAGE_FROM_ME, message))
        return TRUE;
    g_autofree char *addr = sql_text(store, "SELECT from_addr FROM message WHERE id = ?", "l", message);
    g_autoptr(struct_contact) contact = addr ? contact_find(store, addr, NULL) : NULL;
    return contact && (contact->sent || contact->replied);
}

gboolean
conversation_spare_people(struct store *store, gint64 thread, GArray *messages, guint *spared, GError **error)
{
    gint64 unread;
    *spared = 0;
    g_autoptr(GArray) all = list_thread_messages(store, thread, &unread, error);
    if (!all)
        return FALSE;
    for (guint i = messages->len; all->len > 1 && i-- > 0;) {
        if (!is_of_somebody_known(store, g_array_index(messages, gint64, i)))
            continue;
        g_array_remove_index(messages, i);
        ++*spared;
    }
    return TRUE;
}

gint64
conversation_first(struct store *store, gint64 thread)
{
    return sql_int(store, 0, "SELECT id FROM message WHERE thread = ? AND shown > 0 ORDER BY key LIMIT 1", "l", thread);
}
